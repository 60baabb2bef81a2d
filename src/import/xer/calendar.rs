//! Calendars of an XER file, in the nested text that P6 keeps them in:
//! `(0||CalendarData()((0||DaysOfWeek()((0||1()())(0||2()((0||0(s|08:00|f|16:00)()))…))(0||Exceptions()(…))))`,
//! with days from 1 for Sunday, and exceptions by the number of their day since 1899-12-30.

use std::collections::BTreeMap;

use super::super::calendar::RawCalendar;
use super::super::raw::Raw;
use super::super::values::{MINUTES_PER_DAY, Shifts, in_order, shift};
use super::super::{ImportError, Topic};
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
        lengthen(&mut calendar, hours_a_day);
        return Ok(calendar);
    };
    if let Err(message) = fill(&mut calendar, data, line) {
        raw.warn(
            line,
            Topic::Calendar,
            format!("calendar \"{name}\" is damaged ({message}): what follows in it is left out"),
        );
    }
    if calendar.hours_a_week() <= 0.0 {
        raw.warn(
            line,
            Topic::Calendar,
            format!("calendar \"{name}\" has no working day: five days of eight hours are taken"),
        );
        calendar.week = RawCalendar::standard("", "", line).week;
    }
    Ok(calendar)
}

/// The hours of a day of a calendar that states no shifts, from 8 o'clock on.
fn lengthen(calendar: &mut RawCalendar, hours_a_day: Option<f64>) {
    let minutes = hours_a_day.map(|hours| (hours * 60.0).round());
    if let Some(minutes) =
        minutes.filter(|minutes| (1.0..=1440.0).contains(minutes) && *minutes != 480.0)
    {
        let minutes = minutes as u16;
        let from = (8 * 60).min(MINUTES_PER_DAY - minutes);
        calendar.week[..5].fill(vec![(from, from + minutes)]);
    }
}

/// Reads the text of a calendar as far as it is sound.
fn fill(calendar: &mut RawCalendar, data: &str, line: usize) -> Result<(), String> {
    let mut parser = Parser { rest: data };
    let root = parser.node(0)?;
    for part in &root.children {
        match part.name {
            "DaysOfWeek" => {
                calendar.week = [const { Vec::new() }; 7];
                for day in &part.children {
                    let number: usize = day.name.parse().unwrap_or(0);
                    if !(1..=7).contains(&number) {
                        return Err(format!("\"{}\" is no day of the week", day.name));
                    }
                    // From 1 for Sunday to 0 for Monday.
                    calendar.week[(number + 5) % 7] = day.shifts(line)?;
                }
            }
            "Exceptions" => {
                for day in &part.children {
                    let parts: Vec<&str> = day.attributes.split('|').collect();
                    let serial = parts
                        .windows(2)
                        .find(|pair| pair[0] == "d")
                        .map(|pair| pair[1]);
                    let date = serial.and_then(serial_day);
                    let date = date.ok_or_else(|| format!("\"{}\" is no day", day.attributes))?;
                    calendar.exceptions.insert(date, day.shifts(line)?);
                }
            }
            _ => {}
        }
    }
    Ok(())
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
