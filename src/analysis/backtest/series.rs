use jiff::Span;

use crate::date::{DAYS_PER_MONTH, Date};

/// The day some months of 30.4375 days, cut to whole days, after another; negative: before it.
fn days_after(day: Date, months: i64) -> Date {
    let days = (DAYS_PER_MONTH * months as f64).trunc() as i64;
    let moved = day.civil().checked_add(Span::new().days(days));
    moved.map_or(day, Date::from_civil)
}

/// What was observed of a quantity of a subject: a step function, each value holding until the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    points: Vec<(Date, f64)>,
}

impl Series {
    /// From days and values in any order; of one day the last counts.
    pub fn new(mut points: Vec<(Date, f64)>) -> Self {
        points.sort_by_key(|&(day, _)| day);
        Self { points }
    }

    /// The value on a day: that of the last observation not after it; 0 before the first.
    pub fn at(&self, day: Date) -> f64 {
        let past = self
            .points
            .partition_point(|&(observed, _)| observed <= day);
        past.checked_sub(1).map_or(0.0, |last| self.points[last].1)
    }

    /// How many months before a day it was first observed; 0 if it was not.
    pub(super) fn months_seen(&self, day: Date) -> f64 {
        self.first()
            .map_or(0.0, |first| day.months_since(first).max(0.0))
    }

    /// Days and values where the value changes, up to a day.
    pub(super) fn steps_until(&self, day: Date) -> Vec<(Date, f64)> {
        let mut last = 0.0;
        let seen = self
            .points
            .iter()
            .take_while(|(observed, _)| *observed <= day);
        seen.filter(|(_, value)| std::mem::replace(&mut last, *value) != *value)
            .copied()
            .collect()
    }

    /// The values every month from the first observation on, up to a day.
    pub(super) fn monthly_until(&self, day: Date) -> Vec<f64> {
        let Some(first) = self.first() else {
            return Vec::new();
        };
        let months = (0..=self.months_seen(day) as i64).map(|month| days_after(first, month));
        months.map(|day| self.at(day)).collect()
    }

    /// The values on a day and every month before it, back to the first observation or less than a month beyond it.
    pub(super) fn monthly_before(&self, day: Date) -> Vec<f64> {
        let months = 0..(self.months_seen(day) + 1.0).ceil() as i64;
        let days = months.map(|month| days_after(day, -month));
        days.map(|day| self.at(day)).collect()
    }

    /// The first day on which there is an observation.
    pub fn first(&self) -> Option<Date> {
        self.points.first().map(|&(day, _)| day)
    }
}
