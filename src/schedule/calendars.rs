//! Calendars: which days work is done on, and at what pace.
//!
//! **What a duration means.** Durations are working time, and a week of a duration is one regular
//! working week of the calendar: in a calendar of five working days, "1 week" is five working days
//! and "4 months" of work take about four months of the calendar. So a calendar changes dates by
//! its holidays and seasons, not by its weekends alone. A day on which h of the week's H hours are
//! worked does h / H of a week's work; a month of work is 30.4375 / 7 such weeks:
//!
//! ```text
//! W(t) = sum over days d until t of  7 h(weekday of d) / H x rate(d) / 30.4375      months of work
//! finish = least t with W(t) = W(start) + duration
//! ```
//!
//! Inside of a day work is spread evenly, so dates agree with those of a scheduler to the day.

use crate::date::{DAYS_PER_MONTH, Date};
use crate::problem::{Path, Problems, check_name, check_unique};
use jiff::civil;
use serde::{Deserialize, Serialize};

/// The name of the calendar that everything has which names none: work every day at full pace.
pub const CONTINUOUS: &str = "continuous";

/// When work is done, and at what pace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its name, unique in the scenario; "continuous" is the one without any break.
    pub name: String,
    /// Hours of work on Monday, Tuesday, … Sunday, such as [8, 8, 8, 8, 8, 0, 0]; only their proportions count. Left out, all days are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<Vec<f64>>,
    /// Times of every year in which work stops or slows, such as winter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seasons: Vec<Season>,
    /// Days on which work stops or slows once, such as a holiday.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<Break>,
    /// The break at Chinese New Year, whose date the calendar knows for the years 2020 to 2050.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spring_festival: Option<SpringFestival>,
}

/// A time of every year in which work stops or slows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Season {
    /// Its first day, as month and day: "11-15".
    pub from: String,
    /// Its last day, which belongs to it: "03-15". It may lie in the next year.
    pub to: String,
    /// The pace of work in it, 0 (none) to 10; 1 is the usual pace.
    #[serde(default)]
    pub pace: f64,
}

/// Days on which work stops or slows once; or is done although the week has none on them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Break {
    /// Its first day.
    pub from: Date,
    /// Its last day, which belongs to it; left out, it is one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// The pace of work on it, 0 (none) to 10; 1 is that of a regular working day, on a Sunday too.
    #[serde(default)]
    pub pace: f64,
}

/// The break around Chinese New Year's Day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SpringFestival {
    /// Days without work before New Year's Day, 0 to 60.
    pub days_before: u32,
    /// Days without work from New Year's Day on, 0 to 60.
    pub days_after: u32,
}

/// New Year's Day of the Chinese calendar, 2020 to 2050 (Hong Kong Observatory, Gregorian-lunar
/// calendar conversion tables).
const NEW_YEARS: [(i8, i8); 31] = [
    (1, 25),
    (2, 12),
    (2, 1),
    (1, 22),
    (2, 10),
    (1, 29),
    (2, 17),
    (2, 6),
    (1, 26),
    (2, 13),
    (2, 3),
    (1, 23),
    (2, 11),
    (1, 31),
    (2, 19),
    (2, 8),
    (1, 28),
    (2, 15),
    (2, 4),
    (1, 24),
    (2, 12),
    (2, 1),
    (1, 22),
    (2, 10),
    (1, 30),
    (2, 17),
    (2, 6),
    (1, 26),
    (2, 14),
    (2, 2),
    (1, 23),
];
const FIRST_NEW_YEAR: i16 = 2020;
const FASTEST: f64 = 10.0;

impl Calendar {
    /// A calendar of that name without any break; all else is set on its fields.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// A calendar of five working days, Monday to Friday.
    pub fn five_days(name: impl Into<String>) -> Self {
        Self {
            week: Some(vec![8.0, 8.0, 8.0, 8.0, 8.0, 0.0, 0.0]),
            ..Self::new(name)
        }
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        if self.name == CONTINUOUS {
            problems.error(
                &at.key("name"),
                format!("a calendar is named \"{CONTINUOUS}\""),
                "that word stands for the calendar without any break; use another name",
            );
        }
        if let Some(week) = &self.week
            && !is_week(week)
        {
            problems.error(
                &at.key("week"),
                format!("the week of calendar \"{}\" is {week:?}", self.name),
                "seven numbers of hours from Monday to Sunday, 0 to 24 each, not all 0",
            );
        }
        for (position, season) in self.seasons.iter().enumerate() {
            let at = at.key("seasons").index(position);
            for (key, text) in [("from", &season.from), ("to", &season.to)] {
                if month_and_day(text).is_none() {
                    problems.error(
                        &at.key(key),
                        format!("\"{text}\" is no day of a year"),
                        "write month and day, such as \"11-15\"",
                    );
                }
            }
            check_pace(season.pace, &at, problems);
        }
        for (position, one) in self.breaks.iter().enumerate() {
            let at = at.key("breaks").index(position);
            if let Some(to) = one.to
                && to < one.from
            {
                problems.error(
                    &at.key("to"),
                    format!("the break ends on {to}, before it begins on {}", one.from),
                    "a day no sooner than `from`",
                );
            }
            check_pace(one.pace, &at, problems);
        }
        if let Some(festival) = &self.spring_festival {
            for (key, days) in [
                ("days_before", festival.days_before),
                ("days_after", festival.days_after),
            ] {
                if days > 60 {
                    problems.error(
                        &at.key("spring_festival").key(key),
                        format!("{key} is {days}"),
                        "0 to 60 days",
                    );
                }
            }
        }
        let never = |season: &Season| {
            season.pace == 0.0
                && month_and_day(&season.from)
                    .zip(month_and_day(&season.to))
                    .is_some_and(|((from_month, from_day), (to_month, to_day))| {
                        // The whole year round, or all but less than a day of it.
                        let days = civil::Date::new(2023, from_month, from_day)
                            .ok()
                            .zip(civil::Date::new(2023, to_month, to_day).ok());
                        days.is_some_and(|(from, to)| {
                            to.tomorrow().is_ok_and(|next| {
                                next.month() == from.month() && next.day() == from.day()
                            })
                        })
                    })
        };
        if self.seasons.iter().any(never) {
            problems.error(
                &at.key("seasons"),
                format!("calendar \"{}\" has no working day", self.name),
                "a season without work that leaves some of the year",
            );
        }
    }

    /// The pace of work on a day: 1 on average over regular weeks.
    fn pace(&self, day: civil::Date) -> f64 {
        let weekday = day.weekday().to_monday_zero_offset() as usize;
        // The network of a scenario is looked at even where a calendar is wrong, so as to report all that is.
        let (mut pace, regular) = match self.week.as_ref().filter(|week| is_week(week)) {
            Some(week) => {
                let longest = week.iter().copied().fold(0.0, f64::max);
                let hours = week.iter().sum::<f64>();
                (7.0 * week[weekday] / hours, 7.0 * longest / hours)
            }
            None => (1.0, 1.0),
        };
        for season in &self.seasons {
            let (Some(from), Some(to)) = (month_and_day(&season.from), month_and_day(&season.to))
            else {
                continue;
            };
            let today = (day.month(), day.day());
            let is_in = if from <= to {
                (from..=to).contains(&today)
            } else {
                today >= from || today <= to
            };
            if is_in {
                pace *= season.pace;
            }
        }
        if self.is_spring_festival(day) {
            pace = 0.0;
        }
        for one in &self.breaks {
            let to = one.to.unwrap_or(one.from);
            if (one.from.civil()..=to.civil()).contains(&day) {
                pace = one.pace * regular;
            }
        }
        pace
    }

    fn is_spring_festival(&self, day: civil::Date) -> bool {
        let Some(festival) = &self.spring_festival else {
            return false;
        };
        // The days before it may reach into the year before.
        let new_years = [day.year(), day.year() + 1]
            .into_iter()
            .filter_map(new_year);
        let mut after = new_years.map(|new_year| days_between(new_year, day));
        let days = -i64::from(festival.days_before)..i64::from(festival.days_after);
        after.any(|after| days.contains(&after))
    }

    /// The calendar made ready for a scenario that starts in the month of `start`.
    pub fn compile(&self, start: Date, horizon_months: u32) -> WorkCalendar {
        WorkCalendar::new(start, horizon_months, |day| self.pace(day))
    }
}

/// Whether it gives the hours of seven days, some of them with work.
fn is_week(hours: &[f64]) -> bool {
    hours.len() == 7
        && hours.iter().all(|hours| (0.0..=24.0).contains(hours))
        && hours.iter().sum::<f64>() > 0.0
}

fn check_pace(pace: f64, at: &Path, problems: &mut Problems) {
    if !(0.0..=FASTEST).contains(&pace) {
        problems.error(
            &at.key("pace"),
            format!("pace is {pace}"),
            format!("0 to {FASTEST}"),
        );
    }
}

pub(crate) fn check_calendars(calendars: &[Calendar], at: &Path, problems: &mut Problems) {
    for (position, calendar) in calendars.iter().enumerate() {
        calendar.check(&at.index(position), problems);
    }
    check_unique(
        "calendar",
        calendars.iter().map(|calendar| calendar.name.as_str()),
        at,
        problems,
    );
}

fn month_and_day(text: &str) -> Option<(i8, i8)> {
    let (month, day) = text.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    civil::Date::new(2024, month, day).ok()?;
    Some((month, day))
}

/// New Year's Day of the Chinese calendar in a year; none before 2020 and after 2050.
fn new_year(year: i16) -> Option<civil::Date> {
    let position = usize::try_from(year - FIRST_NEW_YEAR).ok()?;
    let (month, day) = NEW_YEARS.get(position)?;
    civil::Date::new(year, *month, *day).ok()
}

fn days_between(from: civil::Date, to: civil::Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// Months before the start, and after the horizon, whose days are known; beyond them work goes on
/// at the mean pace.
const MARGIN_BEFORE: i32 = 120;
const MARGIN_AFTER: i32 = 240;
/// Less than 3 ms of work: what rounding may leave of a day.
const ROUNDING: f64 = 1e-9;

/// A calendar that turns working time into dates, both in months; compiled from a [`Calendar`].
#[derive(Clone, Debug, PartialEq)]
pub struct WorkCalendar {
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
}

impl WorkCalendar {
    fn new(start: Date, horizon_months: u32, pace: impl Fn(civil::Date) -> f64) -> Self {
        let last = i32::try_from(horizon_months).unwrap_or(i32::MAX / 2) + MARGIN_AFTER;
        let mut calendar = Self {
            first_month: -MARGIN_BEFORE,
            months: vec![0],
            month_of_day: Vec::new(),
            done: vec![0.0],
            next_on: Vec::new(),
            mean: 1.0 / DAYS_PER_MONTH,
            fastest: 0.0,
        };
        let mut works = Vec::new();
        for month in -MARGIN_BEFORE..last {
            let Some(first) = start.plus_months(f64::from(month)) else {
                break;
            };
            let first = first.civil();
            for day in 1..=first.days_in_month() {
                let date = civil::Date::new(first.year(), first.month(), day).unwrap_or(first);
                let work = pace(date) / DAYS_PER_MONTH;
                calendar.fastest = calendar.fastest.max(work);
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

    /// The time in months of so many days from the first known one.
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

    /// Work done until so many days from the first known one.
    fn done_at(&self, day: f64) -> f64 {
        let days = self.days();
        if day < 0.0 {
            return day * self.mean;
        }
        if day >= days as f64 {
            return self.done[days] + (day - days as f64) * self.mean;
        }
        let whole = day as usize;
        self.done[whole] + (day - whole as f64) * (self.done[whole + 1] - self.done[whole])
    }

    /// Working time from one date to a later one, in months; negative the other way round.
    pub fn work_between(&self, from_months: f64, to_months: f64) -> f64 {
        self.done_at(self.day_at(to_months)) - self.done_at(self.day_at(from_months))
    }

    /// The first moment from a date on at which work is done.
    pub fn next_working(&self, months: f64) -> f64 {
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
        if on == today {
            months
        } else {
            // Never before it, whatever rounding makes of the way to days and back: who asks again
            // from what was found must get on.
            self.months_at(on as f64).max(months)
        }
    }

    /// When so much work that begins at a date is done: the first such moment. Negative work
    /// counts back.
    pub fn add(&self, from_months: f64, work_months: f64) -> f64 {
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
        let work = self.done[day + 1] - self.done[day];
        let share = if work > 0.0 {
            ((target - self.done[day]) / work).clamp(0.0, 1.0)
        } else {
            0.0
        };
        if share >= 1.0 {
            self.months_at((day + 1) as f64)
        } else {
            self.months_at(day as f64 + share)
        }
    }

    /// When work must begin to be done by a date: the last such moment.
    pub fn subtract(&self, until_months: f64, work_months: f64) -> f64 {
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
        self.moment_of(day.min(days - 1), target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: f64 = 1.0 / DAYS_PER_MONTH;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn start() -> Date {
        date("2025-01")
    }

    fn at(text: &str) -> f64 {
        date(text).months_after(start())
    }

    fn day_of(months: f64) -> String {
        // Half a second later, lest a rounding shows the day before.
        start().plus_months(months + 2e-7).unwrap().to_string()
    }

    /// Work of so many days of a five-day week.
    fn working_days(days: f64) -> f64 {
        days * 7.0 / 5.0 * DAY
    }

    #[test]
    fn a_five_day_week_skips_weekends() {
        let calendar = Calendar::five_days("week").compile(start(), 24);
        // 2025-01-06 is a Monday. Five days are done when Saturday begins, and what follows
        // begins on Monday.
        let finish = calendar.add(at("2025-01-06"), working_days(5.0));
        assert_eq!(day_of(finish), "2025-01-11");
        assert_eq!(day_of(calendar.next_working(finish)), "2025-01-13");
        assert_eq!(
            day_of(calendar.add(finish, working_days(1.0))),
            "2025-01-14"
        );
        assert_eq!(
            day_of(calendar.subtract(finish, working_days(5.0))),
            "2025-01-06"
        );
        assert_eq!(
            day_of(calendar.subtract(at("2025-01-14"), working_days(2.0))),
            "2025-01-10"
        );
    }

    #[test]
    fn winter_stops_and_slows_and_holidays_move_work() {
        let mut calendar = Calendar::new("outdoor");
        calendar.seasons.push(Season {
            from: "12-01".into(),
            to: "02-28".into(),
            pace: 0.0,
        });
        let compiled = calendar.compile(start(), 24);
        assert_eq!(day_of(compiled.next_working(at("2025-01-15"))), "2025-03");
        // Ten days from 26 November: five until the end of November, five from 1 March.
        assert_eq!(
            day_of(compiled.add(at("2025-11-26"), 10.0 * DAY)),
            "2026-03-06"
        );
        calendar.seasons[0].pace = 0.5;
        let compiled = calendar.compile(start(), 24);
        assert_eq!(
            day_of(compiled.add(at("2025-12-01"), 10.0 * DAY)),
            "2025-12-21"
        );
        calendar.seasons.clear();
        calendar.spring_festival = Some(SpringFestival {
            days_before: 2,
            days_after: 8,
        });
        let compiled = calendar.compile(start(), 24);
        // New Year's Day is 29 January 2025: no work from the 27th to 5 February.
        assert_eq!(
            day_of(compiled.next_working(at("2025-01-27"))),
            "2025-02-06"
        );
        assert_eq!(
            day_of(compiled.add(at("2025-01-26"), 2.0 * DAY)),
            "2025-02-07"
        );
    }

    #[test]
    fn a_long_break_before_the_spring_festival_begins_in_the_year_before() {
        let mut calendar = Calendar::new("outdoor");
        calendar.spring_festival = Some(SpringFestival {
            days_before: 40,
            days_after: 10,
        });
        let compiled = calendar.compile(start(), 36);
        // New Year's Day is 17 February 2026: no work from 8 January. In 2028 it is 26 January,
        // so that work stops on 17 December 2027.
        assert_eq!(
            day_of(compiled.next_working(at("2026-01-08"))),
            "2026-02-27"
        );
        assert_eq!(
            day_of(compiled.next_working(at("2027-12-16"))),
            "2027-12-16"
        );
        assert_eq!(
            day_of(compiled.next_working(at("2027-12-17"))),
            "2028-02-05"
        );
    }

    #[test]
    fn a_break_may_make_a_day_of_work_out_of_a_sunday() {
        let mut calendar = Calendar::five_days("week");
        calendar.breaks.push(Break {
            from: date("2025-01-12"),
            to: None,
            pace: 1.0,
        });
        let compiled = calendar.compile(start(), 12);
        assert_eq!(
            day_of(compiled.add(at("2025-01-06"), working_days(6.0))),
            "2025-01-13"
        );
    }

    #[test]
    fn what_cannot_be_a_calendar_is_reported() {
        let mut calendar = Calendar::new(CONTINUOUS);
        calendar.week = Some(vec![0.0; 7]);
        calendar.seasons = vec![
            Season {
                from: "13-01".into(),
                to: "2-30".into(),
                pace: -1.0,
            },
            Season {
                from: "01-01".into(),
                to: "12-31".into(),
                pace: 0.0,
            },
        ];
        calendar.breaks = vec![Break {
            from: date("2025-02"),
            to: Some(date("2025-01")),
            pace: 0.0,
        }];
        let mut problems = Problems::new();
        calendar.check(&Path::root(), &mut problems);
        assert_eq!(problems.iter().count(), 7, "{problems}");
    }

    proptest! {
        #[test]
        fn adding_and_subtracting_work_undo_one_another(
            from in -150.0..400.0_f64, work in 0.001..60.0_f64, idle in 0.0..7.0_f64, pace in 0.0..2.0_f64
        ) {
            let mut calendar = Calendar::five_days("week");
            calendar.week = Some(vec![8.0, 8.0, 8.0, 8.0, idle, 4.0, 0.0]);
            calendar.seasons.push(Season { from: "11-15".into(), to: "03-01".into(), pace });
            let calendar = calendar.compile(start(), 36);
            let begins = calendar.next_working(from);
            let finish = calendar.add(begins, work);
            prop_assert!(begins >= from && finish > begins);
            prop_assert!((calendar.work_between(begins, finish) - work).abs() < 1e-8);
            let back = calendar.subtract(finish, work);
            prop_assert!((calendar.work_between(back, begins)).abs() < 1e-8, "{back} {begins}");
            let later = calendar.add(calendar.next_working(from + 0.5), work);
            prop_assert!(later >= finish - 1e-9);
        }
    }
}
