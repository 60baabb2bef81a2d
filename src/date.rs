//! Calendar dates at the edges of the model; inside it, time is in months.
//!
//! Month 0 begins on the first day of the scenario's start month. A time of
//! 2.5 months is the middle of the third month. Events before the start have
//! negative times.

use std::fmt;
use std::str::FromStr;

use jiff::civil;
use serde::{Deserialize, Serialize};

/// Days in an average month of the Gregorian calendar: 365.25 / 12.
pub const DAYS_PER_MONTH: f64 = 30.4375;
/// Weeks in an average month.
pub const WEEKS_PER_MONTH: f64 = DAYS_PER_MONTH / 7.0;
/// Hours in an average month.
pub const HOURS_PER_MONTH: f64 = DAYS_PER_MONTH * 24.0;

/// A day, written `2024-06-15`, the first day of a month, written `2024-06`, or a minute of a day,
/// written `2024-06-15T17:00`. A day stands for its first instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    day: civil::Date,
    /// Minutes since the day began, 0 to 1439.
    minute: u16,
}

const MINUTES_PER_DAY: u16 = 24 * 60;

/// A date that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a date: write a month such as \"2024-06\", a day such as \"2024-06-15\", or a minute such as \"2024-06-15T17:00\""
)]
pub struct DateError(String);

impl Date {
    /// The first day of a month; an error if there is no such month (1 to 12, years 1 to 9999).
    pub fn month(year: i16, month: i8) -> Result<Self, DateError> {
        Self::day(year, month, 1)
    }

    /// A day; an error if the calendar has no such day.
    pub fn day(year: i16, month: i8, day: i8) -> Result<Self, DateError> {
        if year < 1 {
            return Err(DateError(format!("{year}-{month}-{day}")));
        }
        civil::Date::new(year, month, day)
            .map(Self::from_civil)
            .map_err(|_| DateError(format!("{year}-{month}-{day}")))
    }

    pub(crate) fn from_civil(day: civil::Date) -> Self {
        Self { day, minute: 0 }
    }

    /// The same day at a time of the day; an error if there is no such time (0:00 to 23:59).
    pub fn at(self, hour: u8, minute: u8) -> Result<Self, DateError> {
        if hour > 23 || minute > 59 {
            return Err(DateError(format!("{}T{hour:02}:{minute:02}", self.day)));
        }
        let minute = u16::from(hour) * 60 + u16::from(minute);
        Ok(Self { minute, ..self })
    }

    /// The day of this date, without its time.
    pub fn day_of(self) -> Self {
        Self::from_civil(self.day)
    }

    /// The day in which a piece of work that is over at this date has its last moment: at midnight the day before.
    pub fn last_day(self) -> Self {
        let yesterday = self.day.yesterday().ok().filter(|_| self.minute == 0);
        Self::from_civil(yesterday.unwrap_or(self.day))
    }

    /// This date as a time in months after `start` (0 at the first instant of `start`'s month).
    ///
    /// A day counts as its share of its own month, so 16 June is 15/30 after 1 June.
    pub fn months_after(self, start: Date) -> f64 {
        let whole = (i32::from(self.day.year()) - i32::from(start.day.year())) * 12
            + i32::from(self.day.month())
            - i32::from(start.day.month());
        let days =
            f64::from(self.day.day() - 1) + f64::from(self.minute) / f64::from(MINUTES_PER_DAY);
        f64::from(whole) + days / f64::from(self.day.days_in_month())
    }

    /// The time since another day, in months of 30.4375 days; below 0 if that is later.
    ///
    /// Unlike [`Self::months_after`] it counts from the day and not from the beginning of its month.
    pub fn months_since(self, other: Date) -> f64 {
        let days = f64::from((self.day - other.day).get_days());
        let minutes = f64::from(self.minute) - f64::from(other.minute);
        (days + minutes / f64::from(MINUTES_PER_DAY)) / DAYS_PER_MONTH
    }

    /// The day that lies `months` after the first day of this date's month;
    /// `None` outside of the years 1 to 9999.
    pub fn plus_months(self, months: f64) -> Option<Self> {
        let (first, days) = self.month_and_days(months)?;
        let length = f64::from(first.days_in_month());
        let day = 1.0 + days.floor().min(length - 1.0);
        Self::day(first.year(), first.month(), day as i8).ok()
    }

    /// The minute nearest to `months` after the first day of this date's month;
    /// `None` outside of the years 1 to 9999.
    pub fn minute_after(self, months: f64) -> Option<Self> {
        let (first, days) = self.month_and_days(months)?;
        let minutes = (days * f64::from(MINUTES_PER_DAY)).round() as i64;
        let per_day = i64::from(MINUTES_PER_DAY);
        let span = jiff::Span::new().days(minutes.div_euclid(per_day));
        let day = first.checked_add(span).ok()?;
        let minute = u16::try_from(minutes.rem_euclid(per_day)).ok()?;
        (day.year() >= 1).then_some(Self { day, minute })
    }

    /// The day on which something begins at `months` after the first day of this date's month, to the minute.
    pub fn day_of_start(self, months: f64) -> Option<Self> {
        self.minute_after(months).map(Self::day_of)
    }

    /// The day on which something is over at `months` after the first day of this date's month, to the minute: what is
    /// over at midnight was so on the day before.
    pub fn day_of_finish(self, months: f64) -> Option<Self> {
        self.minute_after(months).map(Self::last_day)
    }

    /// The end of this day, or the minute, where it has one, in months after `start`.
    pub(crate) fn end_months_after(self, start: Date) -> f64 {
        let next = self.day.tomorrow().ok().filter(|_| self.minute == 0);
        next.map_or(self, Self::from_civil).months_after(start)
    }

    /// The day as `2026-05-01`, also the first of a month.
    pub fn to_day_string(self) -> String {
        self.day.to_string()
    }

    /// The day, also the first of a month, and the minute where it has one: `2026-05-01` or `2026-05-01T17:00`.
    pub fn to_full_string(self) -> String {
        if self.minute > 0 {
            self.to_string()
        } else {
            self.to_day_string()
        }
    }

    /// The first day of the month that is this many whole months later, and the days that are left.
    fn month_and_days(self, months: f64) -> Option<(civil::Date, f64)> {
        if !months.is_finite() || months.abs() > 120_000.0 {
            return None;
        }
        let whole = months.floor();
        let ordinal =
            i32::from(self.day.year()) * 12 + i32::from(self.day.month()) - 1 + whole as i32;
        let (year, month) = (ordinal.div_euclid(12), ordinal.rem_euclid(12) + 1);
        let first = Self::month(i16::try_from(year).ok()?, i8::try_from(month).ok()?).ok()?;
        let length = f64::from(first.day.days_in_month());
        Some((first.day, (months - whole) * length))
    }

    pub(crate) fn civil(self) -> civil::Date {
        self.day
    }

    /// The calendar year.
    pub fn year(self) -> i16 {
        self.day.year()
    }

    /// The month of the year, 1 to 12.
    pub fn month_of_year(self) -> i8 {
        self.day.month()
    }

    /// The month alone, as `2024-06`.
    pub fn to_month_string(self) -> String {
        format!("{:04}-{:02}", self.day.year(), self.day.month())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minute > 0 {
            let (hour, minute) = (self.minute / 60, self.minute % 60);
            write!(f, "{}T{hour:02}:{minute:02}", self.day)
        } else if self.day.day() == 1 {
            f.write_str(&self.to_month_string())
        } else {
            write!(f, "{}", self.day)
        }
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let error = || DateError(text.to_owned());
        let (day, time) = match text.trim().split_once(['T', ' ']) {
            Some((day, time)) => (day, Some(time)),
            None => (text.trim(), None),
        };
        let numbers = |text: &str, between: char, lengths: &[usize]| -> Option<Vec<u16>> {
            let parts: Vec<&str> = text.split(between).collect();
            let is_right = parts
                .iter()
                .map(|part| part.len())
                .eq(lengths.iter().copied());
            let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
            let parse = |part: &str| part.parse().ok().filter(|_| digits(part));
            is_right.then(|| parts.into_iter().map(parse).collect())?
        };
        let parts = match time {
            None => numbers(day, '-', &[4, 2]).or_else(|| numbers(day, '-', &[4, 2, 2])),
            Some(_) => numbers(day, '-', &[4, 2, 2]),
        }
        .ok_or_else(error)?;
        let part = |position: usize| parts.get(position).map_or(1, |&part| part as i8);
        let date = Self::day(parts[0] as i16, part(1), part(2)).map_err(|_| error())?;
        let Some(time) = time else {
            return Ok(date);
        };
        let time = numbers(time, ':', &[2, 2])
            .or_else(|| numbers(time, ':', &[2, 2, 2]).filter(|time| time[2] == 0))
            .ok_or_else(error)?;
        date.at(time[0] as u8, time[1] as u8).map_err(|_| error())
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> String {
        date.to_string()
    }
}

/// The day on which something finished, or its minute; a month, written `2025-09`, stands for its last day.
///
/// ```
/// use buildout::date::LastDay;
///
/// let finished: LastDay = "2025-09".parse()?;
/// assert_eq!(finished.to_string(), "2025-09-30");
/// # Ok::<(), buildout::date::DateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LastDay(Date);

impl LastDay {
    /// The day, or the minute.
    pub fn date(self) -> Date {
        self.0
    }
}

impl From<Date> for LastDay {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl fmt::Display for LastDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_full_string())
    }
}

impl FromStr for LastDay {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let date: Date = text.parse()?;
        let is_month = text.trim().matches('-').count() == 1;
        Ok(Self(if is_month {
            Date::from_civil(date.day.last_of_month())
        } else {
            date
        }))
    }
}

impl TryFrom<String> for LastDay {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<LastDay> for String {
    fn from(day: LastDay) -> String {
        day.to_string()
    }
}

#[cfg(feature = "files")]
impl schemars::JsonSchema for LastDay {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LastDay".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Date::json_schema(generator)
    }
}

#[cfg(feature = "files")]
impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A month such as 2024-06, a day such as 2024-06-15, or a minute such as 2024-06-15T17:00.",
            "pattern": "^[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:00)?)?)?$",
            "x-buildout": "date"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn months_count_from_the_first_day_of_the_start_month() {
        let start = date("2024-01");
        assert_eq!(date("2024-01").months_after(start), 0.0);
        assert_eq!(date("2024-06-16").months_after(start), 5.5);
        assert_eq!(date("2023-04").months_after(start), -9.0);
    }

    #[test]
    fn a_month_in_which_something_finished_is_its_last_day() {
        for (text, written) in [
            ("2024-02", "2024-02-29"),
            ("2025-12", "2025-12-31"),
            ("2025-09-01", "2025-09-01"),
            ("2025-09-01T17:00", "2025-09-01T17:00"),
        ] {
            let day: LastDay = text.parse().unwrap();
            assert_eq!(day.to_string(), written);
            assert_eq!(written.parse(), Ok(day));
        }
    }

    #[test]
    fn a_time_in_months_comes_back_as_its_day() {
        let start = date("2024-01");
        assert_eq!(start.plus_months(5.5), Some(date("2024-06-16")));
        assert_eq!(start.plus_months(-9.0), Some(date("2023-04")));
        assert_eq!(start.plus_months(1.999_999), Some(date("2024-02-29")));
        assert_eq!(start.plus_months(f64::NAN), None);
        assert_eq!(start.plus_months(1e9), None);
    }

    #[test]
    fn a_minute_of_a_day_is_its_share_of_the_month() {
        let start = date("2024-06");
        let evening = date("2024-06-15T18:00");
        assert_eq!(evening.months_after(start), 14.75 / 30.0);
        assert_eq!(date("2024-06-15 18:00:00"), evening);
        assert_eq!(evening.to_string(), "2024-06-15T18:00");
        assert_eq!(start.minute_after(14.75 / 30.0), Some(evening));
        assert_eq!(start.minute_after(1.0 - 1e-9), Some(date("2024-07")));
        assert_eq!(start.plus_months(14.75 / 30.0), Some(date("2024-06-15")));
        assert!(date("2024-06-15") < evening && evening < date("2024-06-16"));
        assert_eq!(evening.last_day(), date("2024-06-15"));
        assert_eq!(date("2024-07").last_day(), date("2024-06-30"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "2024",
            "2024-13",
            "2024-02-30",
            "24-01",
            "2024-1",
            "June",
            "",
            "2024-01-01-01",
            "2024-01T08:00",
            "2024-01-01T24:00",
            "2024-01-01T8:00",
            "2024-01-01T08:00:30",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!(Date::month(2024, 0).is_err());
    }
}
