//! Calendars of schedule files: shifts of every day of the week, and days with other ones.

use std::collections::{BTreeMap, BTreeSet};

use super::values::{Shifts, day_shifts, hours_of, in_order};
use crate::date::Date;
use crate::schedule::calendars::{Break, Calendar, shifts_text};
use jiff::civil;

/// A calendar as a file has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawCalendar {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) line: usize,
    /// Shifts from Monday to Sunday.
    pub(super) week: [Shifts; 7],
    /// Days with other shifts.
    pub(super) exceptions: BTreeMap<civil::Date, Shifts>,
}

impl RawCalendar {
    /// Five days of eight hours.
    pub(super) fn standard(id: impl Into<String>, name: impl Into<String>, line: usize) -> Self {
        let mut week = [const { Vec::new() }; 7];
        week[..5].fill(day_shifts());
        Self {
            id: id.into(),
            name: name.into(),
            line,
            week,
            exceptions: BTreeMap::new(),
        }
    }

    pub(super) fn hours_a_week(&self) -> f64 {
        self.week.iter().map(|day| hours_of(day)).sum()
    }

    /// Whether work is done at the same times in both.
    pub(super) fn works_as(&self, other: &Self) -> bool {
        self.week == other.week && self.exceptions == other.exceptions
    }

    pub(super) fn shifts_on(&self, day: civil::Date) -> &Shifts {
        let weekday = day.weekday().to_monday_zero_offset() as usize;
        self.exceptions.get(&day).unwrap_or(&self.week[weekday])
    }

    /// The times at which work is done in both; none if they have none in common in a regular week.
    pub(super) fn overlap(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        both.id = format!("{} and {}", self.id, other.id);
        both.name = format!("{} and {}", self.name, other.name);
        for (own, others) in both.week.iter_mut().zip(&other.week) {
            *own = common(own, others);
        }
        let days: BTreeSet<civil::Date> = (self
            .exceptions
            .keys()
            .chain(other.exceptions.keys())
            .copied())
        .collect();
        both.exceptions = (days.into_iter())
            .map(|day| (day, common(self.shifts_on(day), other.shifts_on(day))))
            .collect();
        (both.hours_a_week() > 0.0).then_some(both)
    }

    /// The calendar of a scenario, with the exceptions from a day on.
    pub(super) fn calendar(&self, name: String, from: civil::Date) -> Calendar {
        let mut calendar = Calendar::new(name);
        calendar.shifts = Some(self.week.iter().map(|day| shifts_text(day)).collect());
        let mut runs: Vec<(civil::Date, civil::Date, &Shifts)> = Vec::new();
        for (&day, shifts) in self.exceptions.range(from..) {
            let weekday = day.weekday().to_monday_zero_offset() as usize;
            match runs.last_mut() {
                Some((_, last, of_run))
                    if *of_run == shifts && last.tomorrow().is_ok_and(|next| next == day) =>
                {
                    *last = day;
                }
                _ if *shifts == self.week[weekday] => {}
                _ => runs.push((day, day, shifts)),
            }
        }
        calendar.breaks = (runs.into_iter())
            .map(|(from, to, shifts)| Break {
                from: Date::from_civil(from),
                to: (to != from).then_some(Date::from_civil(to)),
                pace: 0.0,
                shifts: (!shifts.is_empty()).then(|| shifts_text(shifts)),
            })
            .collect();
        calendar
    }
}

/// Shifts that two days have in common.
fn common(one: &[(u16, u16)], other: &[(u16, u16)]) -> Shifts {
    let pairs = (one.iter()).flat_map(|a| other.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
    in_order(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_off_in_a_row_are_one_break_and_what_changes_nothing_is_none() {
        let mut calendar = RawCalendar::standard("1", "five days", 1);
        // Thursday 1 May 2025 to Saturday 3 May, and Monday 12 May with its usual shifts.
        for day in 1..=3 {
            calendar
                .exceptions
                .insert(civil::date(2025, 5, day), Vec::new());
        }
        calendar
            .exceptions
            .insert(civil::date(2025, 5, 12), day_shifts());
        calendar
            .exceptions
            .insert(civil::date(2025, 5, 17), vec![(480, 720)]);
        let made = calendar.calendar("c".into(), civil::date(2025, 1, 1));
        let breaks: Vec<(String, Option<String>, Option<&str>)> = (made.breaks.iter())
            .map(|one| {
                let to = one.to.map(|to| to.to_string());
                (one.from.to_string(), to, one.shifts.as_deref())
            })
            .collect();
        assert_eq!(
            breaks,
            [
                ("2025-05".into(), Some("2025-05-03".into()), None),
                ("2025-05-17".into(), None, Some("08:00-12:00")),
            ]
        );
        assert!(
            calendar
                .calendar("c".into(), civil::date(2026, 1, 1))
                .breaks
                .is_empty()
        );
    }

    #[test]
    fn two_calendars_have_the_times_of_both_in_common() {
        let day = RawCalendar::standard("1", "day", 1);
        let mut late = RawCalendar::standard("2", "late", 1);
        late.week.fill(vec![(11 * 60, 15 * 60)]);
        late.exceptions.insert(civil::date(2025, 5, 1), Vec::new());
        let both = day.overlap(&late).unwrap();
        assert_eq!(both.week[0], [(660, 720), (780, 900)]);
        assert!(both.week[5].is_empty());
        assert!(both.shifts_on(civil::date(2025, 5, 1)).is_empty());
        late.week.fill(vec![(0, 60)]);
        assert!(day.overlap(&late).is_none());
    }
}
