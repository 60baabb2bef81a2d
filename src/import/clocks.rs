//! Working time by the calendars of a file, while it is turned into activities.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::RawCalendar;
use super::raw::Raw;
use super::values::MINUTES_PER_DAY;
use crate::date::{DAYS_PER_MONTH, Date, HOURS_PER_MONTH};
use crate::schedule::calendars::WorkCalendar;

/// Months for which the calendars are laid out while a file is read, from the project's start.
const CALENDAR_MONTHS: u32 = 360;
/// The calendar of time that elapses.
pub(super) const ELAPSED: &str = "day and night";

/// Time that elapses day and night is that of a calendar as well, so that its days are exact in months of any length.
pub(super) fn ensure_elapsed_calendar(raw: &mut Raw) {
    let mut calendar = RawCalendar::standard(ELAPSED, ELAPSED, 1);
    calendar.week.fill(vec![(0, MINUTES_PER_DAY)]);
    raw.calendars.push(calendar);
}

/// Working time by the calendars of the file.
pub(super) struct Clocks {
    start: Date,
    by_id: BTreeMap<String, (f64, WorkCalendar)>,
}

impl Clocks {
    pub(super) fn of(raw: &Raw, start: Date) -> Self {
        let used: BTreeSet<&str> = (raw.activities.iter())
            .filter_map(|activity| activity.calendar.as_ref())
            .chain(&raw.default_calendar)
            .map(String::as_str)
            .chain([ELAPSED])
            .collect();
        let clock = |calendar: &RawCalendar| {
            let compiled = calendar
                .calendar(String::new(), jiff::civil::Date::MIN)
                .compile(start, CALENDAR_MONTHS);
            (calendar.id.clone(), (calendar.hours_a_week(), compiled))
        };
        Self {
            start,
            by_id: (raw.calendars.iter())
                .filter(|calendar| used.contains(calendar.id.as_str()))
                .map(clock)
                .collect(),
        }
    }

    /// Whether anything works by the calendar of that key.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Months of a duration in hours.
    pub(super) fn months(&self, hours: f64, calendar: Option<&str>) -> f64 {
        match calendar.and_then(|id| self.by_id.get(id)) {
            Some((week, _)) => hours / week * 7.0 / DAYS_PER_MONTH,
            None => hours / HOURS_PER_MONTH,
        }
    }

    /// Hours of work between two dates.
    pub(super) fn hours_between(&self, from: Date, to: Date, calendar: Option<&str>) -> f64 {
        let [from, to] = [from, to].map(|date| date.months_after(self.start));
        match calendar.and_then(|id| self.by_id.get(id)) {
            Some((week, clock)) => clock.work_between(from, to) * DAYS_PER_MONTH / 7.0 * week,
            None => (to - from) * HOURS_PER_MONTH,
        }
    }

    /// The day of a date alone, where no work is done in it before that.
    pub(super) fn day_if_idle(&self, date: Date, calendar: Option<&str>) -> Date {
        let day = date.day_of();
        let idle = calendar.is_some() && self.hours_between(day, date, calendar) < 1e-6;
        if idle { day } else { date }
    }
}
