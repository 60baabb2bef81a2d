//! Calendars of an XER file, in the nested text that P6 keeps them in:
//! `(0||CalendarData()((0||DaysOfWeek()((0||1()())(0||2()((0||0(s|08:00|f|16:00)()))…))(0||Exceptions()(…))))`,
//! with days from 1 for Sunday, and exceptions by the number of their day since 1899-12-30.

use std::collections::BTreeMap;

use super::super::ImportError;
use super::super::calendar::RawCalendar;
use super::super::raw::Raw;
use super::super::values::{MINUTES_PER_DAY, Shifts, day_shifts, in_order, shift};
use super::tables::{Row, Tables};
use jiff::civil;

/// How deep the text of a calendar is nested at most.
const DEEPEST: usize = 16;
/// Where serial numbers of days count from.
const EPOCH: civil::Date = civil::date(1899, 12, 30);

/// Reads all calendars; those that name another one as their base have its exceptions, too.
pub(super) fn read(tables: &Tables<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    let mut bases = BTreeMap::new();
    for row in tables.rows("CALENDAR") {
        let calendar = calendar(&row, raw)?;
        if let Some(base) = row.get("base_clndr_id") {
            bases.insert(calendar.id.clone(), base.to_owned());
        }
        if raw.default_calendar.is_none() && row.is_set("default_flag") {
            raw.default_calendar = Some(calendar.id.clone());
        }
        raw.calendars.push(calendar);
    }
    let exceptions: BTreeMap<String, _> = (raw.calendars.iter())
        .map(|calendar| (calendar.id.clone(), calendar.exceptions.clone()))
        .collect();
    for calendar in &mut raw.calendars {
        let inherited = bases
            .get(&calendar.id)
            .and_then(|base| exceptions.get(base));
        for (day, shifts) in inherited.into_iter().flatten() {
            calendar
                .exceptions
                .entry(*day)
                .or_insert_with(|| shifts.clone());
        }
    }
    Ok(())
}

fn calendar(row: &Row<'_, '_>, raw: &mut Raw) -> Result<RawCalendar, ImportError> {
    let line = row.line;
    let name = row.get("clndr_name").unwrap_or("calendar");
    let mut calendar = RawCalendar::standard(row.required("clndr_id")?, name, line);
    let hours_a_day = row.number("day_hr_cnt")?;
    let Some(data) = row.get("clndr_data") else {
        lengthen(&mut calendar, hours_a_day, row.number("week_hr_cnt")?);
        let message = format!(
            "calendar \"{name}\" states no times of work: {} hours a week are taken, from Monday on and from 8 o'clock",
            calendar.hours_a_week()
        );
        raw.warn_of_calendar(line, &calendar.id, message);
        return Ok(calendar);
    };
    for message in fill(&mut calendar, data, line) {
        let message = format!("calendar \"{name}\" is damaged: {message}");
        raw.warn_of_calendar(line, &calendar.id, message);
    }
    if calendar.hours_a_week() <= 0.0 {
        let message =
            format!("calendar \"{name}\" has no working day: five days of eight hours are taken");
        raw.warn_of_calendar(line, &calendar.id, message);
        calendar.week = RawCalendar::standard("", "", line).week;
    }
    Ok(calendar)
}

/// The days of a calendar that states no shifts, by its hours a day and a week.
fn lengthen(calendar: &mut RawCalendar, hours_a_day: Option<f64>, hours_a_week: Option<f64>) {
    let day = hours_a_day
        .filter(|hours| (0.1..=24.0).contains(hours))
        .unwrap_or(8.0);
    let days = hours_a_week.map_or(5.0, |week| (week / day).round().clamp(1.0, 7.0));
    let shifts = match (day * 60.0).round() as u16 {
        480 => day_shifts(),
        minutes => {
            let from = (8 * 60).min(MINUTES_PER_DAY - minutes);
            vec![(from, from + minutes)]
        }
    };
    calendar.week = [const { Vec::new() }; 7];
    calendar.week[..days as usize].fill(shifts);
}

/// Reads the text of a calendar, and returns what is wrong with it.
fn fill(calendar: &mut RawCalendar, data: &str, line: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut parser = Parser { rest: data };
    let root = match parser.node(0) {
        Ok(root) => root,
        Err(message) => {
            return vec![format!("{message}; five days of eight hours are taken")];
        }
    };
    for part in &root.children {
        match part.name {
            "DaysOfWeek" => {
                let mut week = [const { Vec::new() }; 7];
                for day in &part.children {
                    let number = day.name.parse().ok().filter(|day| (1..=7).contains(day));
                    let Some(number): Option<usize> = number else {
                        wrong.push(format!(
                            "\"{}\" is no day of the week; it is left out",
                            day.name
                        ));
                        continue;
                    };
                    // From 1 for Sunday to 0 for Monday.
                    let weekday = (number + 5) % 7;
                    week[weekday] = day.shifts(line).unwrap_or_else(|message| {
                        wrong.push(format!(
                            "{message}; the usual times are taken for day {number}"
                        ));
                        calendar.week[weekday].clone()
                    });
                }
                calendar.week = week;
            }
            "Exceptions" => {
                for day in &part.children {
                    match day.exception(line) {
                        Ok((date, shifts)) => {
                            calendar.exceptions.insert(date, shifts);
                        }
                        Err(message) => wrong.push(format!("{message}; the exception is left out")),
                    }
                }
            }
            _ => {}
        }
    }
    wrong
}

fn serial_day(serial: &str) -> Option<civil::Date> {
    let days: f64 = serial.trim().parse().ok()?;
    if !(0.0..200_000.0).contains(&days) {
        return None;
    }
    EPOCH.checked_add(jiff::Span::new().days(days as i64)).ok()
}

struct CalendarNode<'a> {
    name: &'a str,
    attributes: &'a str,
    children: Vec<CalendarNode<'a>>,
}

impl CalendarNode<'_> {
    /// The day of an exception and the shifts below it.
    fn exception(&self, line: usize) -> Result<(civil::Date, Shifts), String> {
        let parts: Vec<&str> = self.attributes.split('|').map(str::trim).collect();
        let serial = (parts.windows(2)).find(|pair| pair[0] == "d");
        let date = serial.and_then(|pair| serial_day(pair[1]));
        let date = date.ok_or_else(|| format!("\"{}\" is no day", self.attributes))?;
        Ok((date, self.shifts(line)?))
    }

    /// The shifts below it.
    fn shifts(&self, line: usize) -> Result<Shifts, String> {
        let mut shifts = Vec::new();
        for child in &self.children {
            let parts: Vec<&str> = child.attributes.split('|').map(str::trim).collect();
            let (from, to) = match parts[..] {
                ["s", from, "f", to] | ["f", to, "s", from] => (from, to),
                [] | [""] => continue,
                _ => return Err(format!("\"{}\" is no shift", child.attributes)),
            };
            shifts.push(shift(from, to, line).map_err(|error| error.message)?);
        }
        Ok(in_order(shifts))
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn skip(&mut self) {
        self.rest = (self.rest).trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        self.skip();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(format!("\"{wanted}\" is missing")),
        }
    }

    fn until(&mut self, end: char) -> Result<&'a str, String> {
        let at = self
            .rest
            .find(end)
            .ok_or_else(|| format!("\"{end}\" is missing"))?;
        let text = &self.rest[..at];
        self.rest = &self.rest[at..];
        Ok(text.trim())
    }

    /// `( number || name ( attributes ) ( children ) )`
    fn node(&mut self, depth: usize) -> Result<CalendarNode<'a>, String> {
        if depth > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        self.expect('(')?;
        let head = self.until('(')?;
        let name = head.split_once("||").map_or(head, |(_, name)| name);
        self.expect('(')?;
        let attributes = self.until(')')?;
        if attributes.contains('(') {
            return Err(format!("a parenthesis of \"{name}\" is not closed"));
        }
        self.expect(')')?;
        self.expect('(')?;
        let mut children = Vec::new();
        loop {
            self.skip();
            if !self.rest.starts_with('(') {
                break;
            }
            children.push(self.node(depth + 1)?);
        }
        self.expect(')')?;
        self.expect(')')?;
        Ok(CalendarNode {
            name,
            attributes,
            children,
        })
    }
}
