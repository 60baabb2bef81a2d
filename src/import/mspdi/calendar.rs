//! Calendars of a project file: their weeks, work weeks of a time, and exceptions.

use super::super::calendar::RawCalendar;
use super::super::raw::Raw;
use super::super::values::{Shifts, day_shifts, in_order, shift};
use super::super::{ImportError, Topic};
use super::element::Element;
use super::recurrence;
use jiff::civil;

/// Days for which a work week is laid out at most.
const LONGEST_DAYS: usize = 366 * 40;

/// Reads all calendars. Those of resources differ from their base by what they state.
pub(super) fn read(project: &Element<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    // A base may stand behind those that differ from it.
    let (bases, others): (Vec<Element<'_>>, Vec<Element<'_>>) = (project
        .list("Calendars", "Calendar"))
    .partition(|element| !matches!(element.text("BaseCalendarUID"), Some(uid) if uid != "-1"));
    for element in bases.iter().chain(&others) {
        read_calendar(element, raw)?;
    }
    Ok(())
}

fn read_calendar(element: &Element<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    let id = element.required("UID")?;
    let name = element.text("Name").unwrap_or("calendar");
    let base = element.text("BaseCalendarUID").unwrap_or_default();
    let base = raw.calendars.iter().find(|calendar| calendar.id == base);
    let mut calendar = RawCalendar::standard(id, name, element.line());
    if let Some(base) = base {
        calendar.week.clone_from(&base.week);
        calendar.exceptions.clone_from(&base.exceptions);
    }
    let mut exceptions = Vec::new();
    for day in element.list("WeekDays", "WeekDay") {
        match day.code("DayType")? {
            // From 1 for Sunday to 0 for Monday.
            Some(number @ 1..=7) => calendar.week[(number as usize + 5) % 7] = shifts(&day)?,
            Some(0) => exceptions.push(day),
            _ => return Err(ImportError::new(day.line(), "DayType is not 0 to 7")),
        }
    }
    for week in element.list("WorkWeeks", "WorkWeek") {
        read_work_week(&week, &mut calendar)?;
    }
    // Project 2007 and later write each exception in both forms.
    for exception in exceptions
        .into_iter()
        .chain(element.list("Exceptions", "Exception"))
    {
        let Some((from, to)) = period(&exception)? else {
            continue;
        };
        let shifts = shifts(&exception)?;
        for day in recurrence::days(&exception, from, to)? {
            calendar.exceptions.insert(day, shifts.clone());
        }
    }
    if calendar.hours_a_week() <= 0.0 {
        let message =
            format!("calendar \"{name}\" has no working day: five days of eight hours are taken");
        raw.warn(element.line(), Topic::Calendar, message);
        calendar.week = RawCalendar::standard("", "", 0).week;
    }
    raw.calendars.push(calendar);
    Ok(())
}

/// A week that holds for a time alone: its days become exceptions.
fn read_work_week(week: &Element<'_>, calendar: &mut RawCalendar) -> Result<(), ImportError> {
    let Some((from, to)) = period(week)? else {
        return Ok(());
    };
    let mut other: [Option<Shifts>; 7] = [const { None }; 7];
    for day in week.list("WeekDays", "WeekDay") {
        if let Some(number @ 1..=7) = day.code("DayType")? {
            other[(number as usize + 5) % 7] = Some(shifts(&day)?);
        }
    }
    let days = from.series(jiff::Span::new().days(1));
    for day in days.take_while(|day| *day <= to).take(LONGEST_DAYS) {
        if let Some(shifts) = &other[day.weekday().to_monday_zero_offset() as usize] {
            calendar.exceptions.insert(day, shifts.clone());
        }
    }
    Ok(())
}

fn shifts(day: &Element<'_>) -> Result<Shifts, ImportError> {
    if !day.is_set("DayWorking") {
        return Ok(Vec::new());
    }
    let mut shifts = Vec::new();
    for times in day.list("WorkingTimes", "WorkingTime") {
        // A shift that was emptied has no times.
        if let (Some(from), Some(to)) = (times.text("FromTime"), times.text("ToTime")) {
            shifts.push(shift(from, to, times.line())?);
        }
    }
    Ok(if shifts.is_empty() {
        day_shifts()
    } else {
        in_order(shifts)
    })
}

/// The first and the last day of a time; none if the file gives none.
fn period(of: &Element<'_>) -> Result<Option<(civil::Date, civil::Date)>, ImportError> {
    let Some(period) = of.one("TimePeriod") else {
        return Ok(None);
    };
    match (period.date("FromDate")?, period.date("ToDate")?) {
        (Some(from), Some(to)) if from <= to => Ok(Some((from.civil(), to.civil()))),
        _ => Err(ImportError::new(
            period.line(),
            "a TimePeriod without its two dates in order",
        )),
    }
}
