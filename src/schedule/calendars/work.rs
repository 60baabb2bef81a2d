//! A calendar made ready for a scenario: working time to dates and back.

use std::collections::BTreeMap;

use super::{MINUTES_PER_DAY, parse_shifts};
use crate::date::{DAYS_PER_MONTH, Date};
use jiff::civil;

/// Months before the start, and after the horizon, whose days are known; beyond them work continues
/// at the mean pace.
const MARGIN_BEFORE: i32 = 120;
const MARGIN_AFTER: i32 = 240;
/// Less than 3 ms of work: what rounding may leave of a day.
const ROUNDING: f64 = 1e-9;

/// A calendar that turns working time into dates, both in months; compiled from a [`Calendar`](super::Calendar).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WorkCalendar {
    /// The most work done on a day, in months.
    fastest: f64,
    /// The first month that is known, after the start of the scenario.
    first_month: i32,
    /// The day, counted from the first known one, on which each known month begins.
    months: Vec<u32>,
    /// The month of each day.
    month_of_day: Vec<u32>,
    /// Work done before each day, in months; one more than there are days.
    done: Vec<f64>,
    /// The first working day from each day on.
    next_on: Vec<u32>,
    /// Work of an average day, in months.
    mean: f64,
    /// When in a day work is done: the first one is all day, evenly.
    profiles: Vec<Profile>,
    /// The profile of each day.
    profile_of_day: Vec<u16>,
}

/// When in a day work is done, at an even pace.
#[derive(Clone, Debug, PartialEq)]
struct Profile {
    /// From when to when, as shares of the day, and the share of the day's work that is done before.
    shifts: Vec<(f64, f64, f64)>,
    /// All shifts together, as a share of the day.
    length: f64,
}

/// Two moments of a day nearer to one another than that, as a share of the day (9 ms), are the same.
const SAME_MOMENT: f64 = 1e-7;

impl Profile {
    fn of(shifts: &[(u16, u16)]) -> Self {
        let share = |minutes: u16| f64::from(minutes) / f64::from(MINUTES_PER_DAY);
        let minutes: u16 = shifts.iter().map(|(from, to)| to - from).sum();
        let mut done = 0;
        let mut of_day = Vec::new();
        for (from, to) in shifts {
            of_day.push((
                share(*from),
                share(*to),
                f64::from(done) / f64::from(minutes),
            ));
            done += to - from;
        }
        Self {
            shifts: of_day,
            length: share(minutes),
        }
    }

    fn all_day() -> Self {
        Self::of(&[(0, MINUTES_PER_DAY)])
    }

    /// The share of the day's work that is done by a moment of the day.
    fn done_at(&self, moment: f64) -> f64 {
        let begun = self.shifts.iter().rev().find(|(from, ..)| *from <= moment);
        begun.map_or(0.0, |(from, to, before)| {
            before + (moment.min(*to) - from) / self.length
        })
    }

    /// The first moment of the day by which a share of its work is done.
    fn first_moment(&self, share: f64) -> f64 {
        let holds = |(from, to, before): &&(f64, f64, f64)| {
            before + (to - from) / self.length >= share - SAME_MOMENT
        };
        let shift = self.shifts.iter().find(holds).or(self.shifts.last());
        shift.map_or(1.0, |(from, to, before)| {
            (from + (share - before) * self.length).clamp(*from, *to)
        })
    }

    /// The last moment of the day at which no more than a share of its work is done.
    fn last_moment(&self, share: f64) -> f64 {
        let begun = |(_, _, before): &&(f64, f64, f64)| *before <= share + SAME_MOMENT;
        let shift = self.shifts.iter().rev().find(begun);
        shift.map_or(0.0, |(from, to, before)| {
            (from + (share - before) * self.length).clamp(*from, *to)
        })
    }

    /// The first moment of the day from another one on at which work is done.
    fn next(&self, moment: f64) -> Option<f64> {
        let next = self
            .shifts
            .iter()
            .find(|(_, to, _)| *to > moment + SAME_MOMENT);
        next.map(|(from, ..)| from.max(moment))
    }

    /// Whether a moment lies in a shift or at the end of one.
    fn holds(&self, moment: f64) -> bool {
        (self.shifts.iter())
            .any(|(from, to, _)| (from - SAME_MOMENT..=to + SAME_MOMENT).contains(&moment))
    }
}

impl WorkCalendar {
    pub(super) fn new<'a>(
        start: Date,
        horizon_months: u32,
        works_on: impl Fn(civil::Date) -> (f64, Option<&'a str>),
    ) -> Self {
        let last = i32::try_from(horizon_months).unwrap_or(i32::MAX / 2) + MARGIN_AFTER;
        let mut calendar = Self {
            first_month: -MARGIN_BEFORE,
            months: vec![0],
            month_of_day: Vec::new(),
            done: vec![0.0],
            next_on: Vec::new(),
            mean: 1.0 / DAYS_PER_MONTH,
            fastest: 0.0,
            profiles: vec![Profile::all_day()],
            profile_of_day: Vec::new(),
        };
        let mut known = BTreeMap::new();
        let mut works = Vec::new();
        for month in -MARGIN_BEFORE..last {
            let Some(first) = start.plus_months(f64::from(month)) else {
                break;
            };
            let first = first.civil();
            for day in 1..=first.days_in_month() {
                let date = civil::Date::new(first.year(), first.month(), day).unwrap_or(first);
                let (pace, shifts) = works_on(date);
                let work = pace / DAYS_PER_MONTH;
                let profile = *known
                    .entry(shifts)
                    .or_insert_with(|| calendar.profile(shifts));
                let length = calendar.profiles[usize::from(profile)].length;
                calendar.fastest = calendar.fastest.max(work / length);
                calendar.profile_of_day.push(profile);
                works.push(work);
                calendar.month_of_day.push(calendar.months.len() as u32 - 1);
                let before = calendar.done[calendar.done.len() - 1];
                calendar.done.push(before + work);
            }
            calendar.months.push(works.len() as u32);
        }
        let mut next = works.len() as u32;
        calendar.next_on = vec![next; works.len()];
        for day in (0..works.len()).rev() {
            if works[day] > 0.0 {
                next = day as u32;
            }
            calendar.next_on[day] = next;
        }
        let days = works.len().max(1) as f64;
        calendar.mean = (calendar.done[works.len()] / days).max(1e-6 / DAYS_PER_MONTH);
        calendar
    }

    /// The number of the profile of some shifts, added if it is new.
    fn profile(&mut self, shifts: Option<&str>) -> u16 {
        let shifts = shifts
            .and_then(parse_shifts)
            .filter(|shifts| !shifts.is_empty());
        let Some(shifts) = shifts else { return 0 };
        let profile = Profile::of(&shifts);
        let there = self.profiles.iter().position(|known| *known == profile);
        let number = there.unwrap_or_else(|| {
            self.profiles.push(profile);
            self.profiles.len() - 1
        });
        u16::try_from(number).unwrap_or(0)
    }

    /// When in a day work is done; none if it is done all day.
    fn profile_of(&self, day: usize) -> Option<&Profile> {
        let profile = usize::from(self.profile_of_day[day]);
        (profile > 0).then(|| &self.profiles[profile])
    }

    /// The least time in months in which so much work can be done: at the fastest pace there is, in
    /// the longest of months.
    pub(crate) fn least_elapsed(&self, work_months: f64) -> f64 {
        const LONGEST_MONTH_DAYS: f64 = 31.0;
        if self.fastest > 0.0 {
            work_months / self.fastest / LONGEST_MONTH_DAYS
        } else {
            0.0
        }
    }

    /// Days from the first known one at a time in months.
    fn day_at(&self, months: f64) -> f64 {
        let since = months - f64::from(self.first_month);
        let known = self.months.len() - 1;
        if since < 0.0 {
            return since * DAYS_PER_MONTH;
        }
        let month = since.floor();
        if month >= known as f64 {
            return f64::from(self.months[known]) + (since - known as f64) * DAYS_PER_MONTH;
        }
        let position = month as usize;
        let length = f64::from(self.months[position + 1] - self.months[position]);
        f64::from(self.months[position]) + (since - month) * length
    }

    /// The time in months of this many days from the first known one.
    fn months_at(&self, day: f64) -> f64 {
        let first = f64::from(self.first_month);
        let known = self.months.len() - 1;
        let days = self.month_of_day.len();
        if day < 0.0 {
            return first + day / DAYS_PER_MONTH;
        }
        if day >= days as f64 {
            return first + known as f64 + (day - days as f64) / DAYS_PER_MONTH;
        }
        let month = self.month_of_day[day as usize] as usize;
        let begins = f64::from(self.months[month]);
        let length = f64::from(self.months[month + 1]) - begins;
        first + month as f64 + (day - begins) / length
    }

    fn days(&self) -> usize {
        self.month_of_day.len()
    }

    /// Work done until this many days from the first known one.
    fn done_at(&self, day: f64) -> f64 {
        let days = self.days();
        if day < 0.0 {
            return day * self.mean;
        }
        if day >= days as f64 {
            return self.done[days] + (day - days as f64) * self.mean;
        }
        let whole = day as usize;
        let share = day - whole as f64;
        let share = (self.profile_of(whole)).map_or(share, |profile| profile.done_at(share));
        self.done[whole] + share * (self.done[whole + 1] - self.done[whole])
    }

    /// Working time from one date to a later one, in months; negative the other way round.
    pub(crate) fn work_between(&self, from_months: f64, to_months: f64) -> f64 {
        self.done_at(self.day_at(to_months)) - self.done_at(self.day_at(from_months))
    }

    /// The first moment from a date on at which work is done.
    pub(crate) fn next_working(&self, months: f64) -> f64 {
        let day = self.day_at(months);
        if !(day >= 0.0 && day < self.days() as f64) {
            return months;
        }
        let today = day as usize;
        let left = self.done[today + 1] - self.done_at(day);
        let is_over = left <= ROUNDING;
        let from = if is_over { today + 1 } else { today };
        let on = self
            .next_on
            .get(from)
            .map_or(self.days(), |&on| on as usize);
        let profile = (on < self.days()).then(|| self.profile_of(on)).flatten();
        let begins = match profile {
            Some(profile) => {
                let moment = if on == today { day - today as f64 } else { 0.0 };
                let next = profile.next(moment).unwrap_or(1.0);
                if on == today && next <= moment {
                    return months;
                }
                on as f64 + next
            }
            None if on == today => return months,
            None => on as f64,
        };
        // Never before it, whatever rounding makes of the way to days and back: who asks again
        // from what was found must get on.
        self.months_at(begins).max(months)
    }

    /// When a moment that takes no time can be, from a date on: at a time of work, or where one has just ended.
    pub(crate) fn moment_from(&self, months: f64) -> f64 {
        let day = self.day_at(months);
        if !(day >= 0.0 && day < self.days() as f64) {
            return months;
        }
        // At midnight it may be the end of the day before.
        for (today, moment) in [
            (day.floor(), day.fract()),
            ((day - SAME_MOMENT).floor(), 1.0),
            ((day + SAME_MOMENT).floor(), 0.0),
        ] {
            let is_near = (today + moment - day).abs() <= 2.0 * SAME_MOMENT;
            if !is_near || today < 0.0 || today >= self.days() as f64 {
                continue;
            }
            let today = today as usize;
            let works = self.done[today + 1] > self.done[today];
            if works
                && self
                    .profile_of(today)
                    .is_none_or(|profile| profile.holds(moment))
            {
                return months;
            }
        }
        self.next_working(months)
    }

    /// When so much work that begins at a date is done: the first such moment. Negative work
    /// counts back.
    pub(crate) fn add(&self, from_months: f64, work_months: f64) -> f64 {
        if work_months == 0.0 || !from_months.is_finite() || !work_months.is_finite() {
            return from_months + work_months;
        }
        if work_months < 0.0 {
            return self.subtract(from_months, -work_months);
        }
        let target = self.done_at(self.day_at(from_months)) + work_months;
        let days = self.days();
        if target <= 0.0 {
            return self.months_at(target / self.mean);
        }
        if target > self.done[days] + ROUNDING {
            return self.months_at(days as f64 + (target - self.done[days]) / self.mean);
        }
        // The first day at whose end enough is done.
        let day = self.done[1..].partition_point(|&done| done < target - ROUNDING);
        self.moment_of(day.min(days - 1), target)
    }

    /// The moment of a day at which so much is done in all; its end is the beginning of the next.
    fn moment_of(&self, day: usize, target: f64) -> f64 {
        let share = self.share_of(day, target);
        if let Some(profile) = self.profile_of(day) {
            return self.months_at(day as f64 + profile.first_moment(share));
        }
        if share >= 1.0 {
            self.months_at((day + 1) as f64)
        } else {
            self.months_at(day as f64 + share)
        }
    }

    /// The share of a day's work at whose end so much is done in all.
    fn share_of(&self, day: usize, target: f64) -> f64 {
        let work = self.done[day + 1] - self.done[day];
        if work > 0.0 {
            ((target - self.done[day]) / work).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// When work must begin to be done by a date: the last such moment.
    pub(crate) fn subtract(&self, until_months: f64, work_months: f64) -> f64 {
        if !until_months.is_finite() || !work_months.is_finite() {
            return until_months - work_months;
        }
        let target = self.done_at(self.day_at(until_months)) - work_months;
        let days = self.days();
        if work_months == 0.0 {
            return until_months;
        }
        if target < 0.0 {
            return self.months_at(target / self.mean);
        }
        if target >= self.done[days] {
            return self.months_at(days as f64 + (target - self.done[days]) / self.mean);
        }
        // The last day before which no more than that is done.
        let day = self.done.partition_point(|&done| done <= target + ROUNDING) - 1;
        let day = day.min(days - 1);
        match self.profile_of(day) {
            Some(profile) => {
                let moment = profile.last_moment(self.share_of(day, target));
                self.months_at(day as f64 + moment)
            }
            None => self.moment_of(day, target),
        }
    }
}
