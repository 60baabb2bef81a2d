//! Calendars of a project file: their weeks, work weeks of a time, and exceptions.

use std::collections::BTreeSet;

use super::super::ImportError;
use super::super::calendar::RawCalendar;
use super::super::raw::Raw;
use super::super::values::{Shifts, day_shifts, in_order, shift};
use super::element::Element;
use super::recurrence;
use jiff::civil;

/// Days for which a work week is laid out at most.
const LONGEST_DAYS: usize = 366 * 40;

/// Reads all calendars. Those of resources differ from their base by what they state.
pub(super) fn read(project: &Element<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    let mut waiting: Vec<Element<'_>> = project.list("Calendars", "Calendar").collect();
    let known: BTreeSet<&str> = waiting.iter().filter_map(|one| one.text("UID")).collect();
    // A base may stand behind those that differ from it.
    while !waiting.is_empty() {
        let mut left = Vec::new();
        let count = waiting.len();
        for element in waiting {
            let base = base_of(&element).filter(|base| known.contains(base));
            match base.is_some_and(|base| !is_read(base, raw)) {
                true => left.push(element),
                false => read_calendar(&element, raw)?,
            }
        }
        if left.len() == count {
            // They are the bases of one another.
            for element in &left {
                read_calendar(element, raw)?;
            }
            break;
        }
        waiting = left;
    }
    Ok(())
}

/// The number of the calendar that one differs from, if it has any.
fn base_of<'a>(calendar: &Element<'a>) -> Option<&'a str> {
    (calendar.text("BaseCalendarUID")).filter(|uid| *uid != "-1")
}

fn is_read(id: &str, raw: &Raw) -> bool {
    raw.calendars.iter().any(|calendar| calendar.id == id)
}

fn read_calendar(element: &Element<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    let id = element.required("UID")?;
    let name = element.text("Name").unwrap_or("calendar");
    let mut calendar = RawCalendar::standard(id, name, element.line());
    if let Some(number) = base_of(element) {
        match raw.calendars.iter().find(|calendar| calendar.id == number) {
            Some(base) => {
                calendar.week.clone_from(&base.week);
                calendar.exceptions.clone_from(&base.exceptions);
            }
            // Base calendars themselves have 0 there, or -1.
            None if number == "0" => {}
            None => {
                let message = format!(
                    "calendar \"{name}\" differs from calendar {number}, which is not in the file: it is taken to differ from five days of eight hours"
                );
                raw.warn_of_calendar(element.line(), id, message);
            }
        }
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
        raw.warn_of_calendar(element.line(), id, message);
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
