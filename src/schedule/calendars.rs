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
//! A calendar with `shifts` works at these times of the day, at an even pace, so that dates agree with those of a
//! scheduler to the minute. Without shifts work is spread evenly over the day, and dates agree to the day.
//!
//! A moment, which takes no time, stays where it is at a time of work or at the end of one, and else moves to the next
//! time of work.

mod work;

pub(crate) use work::WorkCalendar;

use crate::date::Date;
use crate::field::{NUMBER, Quantity, plan};
use crate::problem::{Path, Problems, check_list, check_name};
use jiff::civil;

/// The name of the calendar that everything has which names none: work every day at full pace.
pub const CONTINUOUS: &str = "continuous";

plan! {
    /// When work is done, and at what pace.
    pub struct Calendar {
        /// Its name, unique in the scenario; "continuous" is the one without any break.
        pub name: String,
        /// Hours of work on Monday, Tuesday, … Sunday, such as [8, 8, 8, 8, 8, 0, 0]; only their proportions count. Left out, all days are alike.
        pub week: Option<Vec<f64>>,
        /// Times of work on Monday, Tuesday, … Sunday instead of `week`, such as ["08:00-12:00 13:00-17:00", …, "", ""]; "" is a day without work.
        pub shifts: Option<Vec<String>>,
        /// Times of every year in which work stops or slows, such as winter.
        pub seasons: Vec<Season> = [],
        /// Days on which work stops or slows once, such as a holiday.
        pub breaks: Vec<Break> = [],
        /// The break at Chinese New Year, whose date the calendar knows for the years 2020 to 2050.
        pub spring_festival: Option<SpringFestival>,
    }
    /// A calendar of that name without any break; all else is set on its fields.
    pub fn new;
}

plan! {
    /// A time of every year in which work stops or slows.
    pub struct Season {
        /// Its first day, as month and day: "11-15".
        pub from: String,
        /// Its last day, which belongs to it: "03-15". It may lie in the next year.
        pub to: String,
        /// The pace of work in it, 0 (none) to 10; 1 is the usual pace.
        pub pace: f64 = 0.0 => PACE,
    }
    /// No work from one day of a year to another, as month and day.
    pub fn new;
}

plan! {
    /// Days on which work stops or slows once; or is done although the week has none on them.
    pub struct Break {
        /// Its first day.
        pub from: Date,
        /// Its last day, which belongs to it; left out, it is one day.
        pub to: Option<Date>,
        /// The pace of work on it, 0 (none) to 10; 1 is that of a regular working day, on a Sunday too.
        pub pace: f64 = 0.0 => PACE,
        /// Times of work on it instead of `pace`, such as "08:00-12:00", in a calendar that has `shifts`.
        pub shifts: Option<String>,
    }
    /// A day without work.
    pub fn new;
}

plan! {
    /// The break around Chinese New Year's Day.
    pub struct SpringFestival {
        /// Days without work before New Year's Day, 0 to 60.
        pub days_before: u32 => DAYS,
        /// Days without work from New Year's Day on, 0 to 60.
        pub days_after: u32 => DAYS,
    }
    /// No work for this many days before New Year's Day, and from it on.
    pub fn new;
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
const PACE: Quantity = NUMBER.within(0.0, 10.0);
const DAYS: Quantity = NUMBER.within(0.0, 60.0);

/// The times of work of a regular week.
struct Usual<'a> {
    shifts: &'a [String],
    /// Hours of work on each day.
    hours: &'a [f64],
    /// The times of the day with the most hours.
    longest: Option<&'a str>,
}

impl<'a> Usual<'a> {
    fn of(shifts: &'a [String], hours: &'a [f64]) -> Self {
        let days = shifts.iter().zip(hours).rev();
        let longest = days.max_by(|(_, a), (_, b)| a.total_cmp(b));
        Self {
            shifts,
            hours,
            longest: longest.map(|(shifts, _)| shifts.as_str()),
        }
    }
}

impl Calendar {
    /// A calendar of five working days, Monday to Friday.
    pub fn five_days(name: impl Into<String>) -> Self {
        Self::new(name).week([8.0, 8.0, 8.0, 8.0, 8.0, 0.0, 0.0])
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
        self.check_shifts(at, problems);
        if let Some(week) = &self.week
            && !is_week(week)
        {
            problems.error(
                &at.key("week"),
                format!("the week of calendar \"{}\" is {week:?}", self.name),
                "seven numbers of hours from Monday to Sunday, 0 to 24 each, not all 0",
            );
        }
        self.check_seasons(at, problems);
        self.check_breaks(at, problems);
        if let Some(festival) = &self.spring_festival {
            festival.check_fields(&at.key("spring_festival"), problems);
        }
    }

    fn check_seasons(&self, at: &Path, problems: &mut Problems) {
        for (position, season) in self.seasons.iter().enumerate() {
            season.check(&at.key("seasons").index(position), problems);
        }
        if self.seasons.iter().any(Season::leaves_nothing) {
            problems.error(
                &at.key("seasons"),
                format!("calendar \"{}\" has no working day", self.name),
                "a season without work that leaves some of the year",
            );
        }
    }

    fn check_breaks(&self, at: &Path, problems: &mut Problems) {
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
            one.check_fields(&at, problems);
        }
    }

    fn check_shifts(&self, at: &Path, problems: &mut Problems) {
        const HELP: &str = "times of work such as \"08:00-12:00 13:00-17:00\", in their order";
        if let Some(shifts) = &self.shifts {
            let at = at.key("shifts");
            if self.week.is_some() {
                let message = format!("calendar \"{}\" has both `week` and `shifts`", self.name);
                problems.error(
                    &at,
                    message,
                    "give one of them: hours of a week follow from its shifts",
                );
            }
            for (day, text) in shifts.iter().enumerate() {
                if parse_shifts(text).is_none() {
                    let message = format!("\"{text}\" are no times of work");
                    problems.error(&at.index(day), message, HELP);
                }
            }
            let hours = week_of_shifts(shifts);
            if shifts.len() != 7 || hours.iter().sum::<f64>() <= 0.0 {
                let message = format!(
                    "calendar \"{}\" has shifts for {} days",
                    self.name,
                    shifts.len()
                );
                problems.error(
                    &at,
                    message,
                    "seven texts from Monday to Sunday, not all of them empty",
                );
            }
        }
        for (position, one) in self.breaks.iter().enumerate() {
            let Some(text) = &one.shifts else { continue };
            let at = at.key("breaks").index(position).key("shifts");
            if parse_shifts(text).is_none() {
                problems.error(&at, format!("\"{text}\" are no times of work"), HELP);
            }
            if self.shifts.is_none() || one.pace != 0.0 {
                let message =
                    "a break has `shifts`, but its calendar has none, or it has a `pace`, too"
                        .to_owned();
                problems.error(
                    &at,
                    message,
                    "give `shifts` to both, or a `pace` to the break",
                );
            }
        }
    }

    /// Hours of work on each day of a regular week.
    fn hours(&self) -> Option<std::borrow::Cow<'_, [f64]>> {
        match (&self.shifts, &self.week) {
            (Some(shifts), _) => Some(week_of_shifts(shifts).into()),
            (None, Some(week)) => Some(week.into()),
            (None, None) => None,
        }
    }

    /// The pace of work on a day: 1 on average over regular weeks.
    fn pace(&self, day: civil::Date, week: Option<&[f64]>) -> f64 {
        let weekday = day.weekday().to_monday_zero_offset() as usize;
        // The network of a scenario is looked at even where a calendar is wrong, so as to report all that is.
        let (mut pace, regular) = match week.filter(|week| is_week(week)) {
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
        if let Some(one) = self.break_on(day) {
            pace = match (&one.shifts, week) {
                (Some(shifts), Some(week)) => 7.0 * hours_of(shifts) / week.iter().sum::<f64>(),
                _ => one.pace * regular,
            };
        }
        pace
    }

    /// The break that a day belongs to; of several the last of the list.
    fn break_on(&self, day: civil::Date) -> Option<&Break> {
        let is_in =
            |one: &&Break| (one.from.civil()..=one.to.unwrap_or(one.from).civil()).contains(&day);
        self.breaks.iter().rev().find(is_in)
    }

    /// The times of work on a day, where the calendar has any: those of the longest day where there usually are none.
    fn shifts_on<'a>(&'a self, day: civil::Date, usual: Option<&Usual<'a>>) -> Option<&'a str> {
        let usual = usual?;
        if let Some(own) = self.break_on(day).and_then(|one| one.shifts.as_deref()) {
            return Some(own);
        }
        let weekday = day.weekday().to_monday_zero_offset() as usize;
        let shifts = usual.shifts.get(weekday)?;
        if usual.hours[weekday] > 0.0 {
            Some(shifts)
        } else {
            usual.longest
        }
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
    pub(crate) fn compile(&self, start: Date, horizon_months: u32) -> WorkCalendar {
        let week = self.hours();
        let week = week.as_deref();
        let usual = self.shifts.as_deref().zip(week);
        let usual = usual.map(|(shifts, hours)| Usual::of(shifts, hours));
        WorkCalendar::new(start, horizon_months, |day| {
            (self.pace(day, week), self.shifts_on(day, usual.as_ref()))
        })
    }
}

/// Times of work in minutes since the day began, from a text such as "08:00-12:00 13:00-17:00"; none if it is none.
fn parse_shifts(text: &str) -> Option<Vec<(u16, u16)>> {
    let minute = |text: &str| -> Option<u16> {
        let (hour, minute) = text.split_once(':')?;
        let is_right = |part: &str| part.len() == 2 && part.chars().all(|c| c.is_ascii_digit());
        let minutes = hour.parse::<u16>().ok()? * 60
            + minute.parse::<u16>().ok().filter(|minute| *minute < 60)?;
        (is_right(hour) && is_right(minute) && minutes <= MINUTES_PER_DAY).then_some(minutes)
    };
    let mut shifts: Vec<(u16, u16)> = Vec::new();
    for shift in text.split([' ', ',']).filter(|shift| !shift.is_empty()) {
        let (from, to) = shift.split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        if from >= to || shifts.last().is_some_and(|(_, before)| from < *before) {
            return None;
        }
        shifts.push((from, to));
    }
    Some(shifts)
}

/// Times of work as a text that [`Calendar::shifts`] takes.
#[cfg(feature = "import")]
pub(crate) fn shifts_text(shifts: &[(u16, u16)]) -> String {
    let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let shifts: Vec<String> = (shifts.iter())
        .map(|(from, to)| format!("{}-{}", time(*from), time(*to)))
        .collect();
    shifts.join(" ")
}

fn hours_of(shifts: &str) -> f64 {
    let shifts = parse_shifts(shifts).unwrap_or_default();
    shifts
        .iter()
        .map(|(from, to)| f64::from(to - from) / 60.0)
        .sum()
}

fn week_of_shifts(shifts: &[String]) -> Vec<f64> {
    shifts.iter().map(|day| hours_of(day)).collect()
}

const MINUTES_PER_DAY: u16 = 24 * 60;

/// Whether it gives the hours of seven days, some of them with work.
fn is_week(hours: &[f64]) -> bool {
    hours.len() == 7
        && hours.iter().all(|hours| (0.0..=24.0).contains(hours))
        && hours.iter().sum::<f64>() > 0.0
}

impl Season {
    fn check(&self, at: &Path, problems: &mut Problems) {
        for (key, text) in [("from", &self.from), ("to", &self.to)] {
            if month_and_day(text).is_none() {
                problems.error(
                    &at.key(key),
                    format!("\"{text}\" is no day of a year"),
                    "write month and day, such as \"11-15\"",
                );
            }
        }
        self.check_fields(at, problems);
    }

    /// Whether it takes the whole year round, or all but less than a day of it, without work.
    fn leaves_nothing(&self) -> bool {
        let day = |text: &str| {
            let (month, day) = month_and_day(text)?;
            civil::Date::new(2023, month, day).ok()
        };
        let Some((from, to)) = day(&self.from).zip(day(&self.to)) else {
            return false;
        };
        let next = to.tomorrow();
        let meets = next.is_ok_and(|next| next.month() == from.month() && next.day() == from.day());
        self.pace == 0.0 && meets
    }
}

pub(crate) fn check_calendars(calendars: &[Calendar], at: &Path, problems: &mut Problems) {
    check_list(
        "calendar",
        calendars,
        |calendar| &calendar.name,
        at,
        problems,
        Calendar::check,
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

#[cfg(test)]
mod tests;
