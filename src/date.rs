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

/// A day, written `2024-06-15`, or the first day of a month, written `2024-06`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(civil::Date);

/// A date that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a date: write a month such as \"2024-06\" or a day such as \"2024-06-15\"")]
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
            .map(Self)
            .map_err(|_| DateError(format!("{year}-{month}-{day}")))
    }

    /// This date as a time in months after `start` (0 at the first instant of `start`'s month).
    ///
    /// A day counts as its share of its own month, so 16 June is 15/30 after 1 June.
    pub fn months_after(self, start: Date) -> f64 {
        let whole = (i32::from(self.0.year()) - i32::from(start.0.year())) * 12
            + i32::from(self.0.month())
            - i32::from(start.0.month());
        let share = f64::from(self.0.day() - 1) / f64::from(self.0.days_in_month());
        f64::from(whole) + share
    }

    /// The time since another day, in months of 30.4375 days; below 0 if that is later.
    ///
    /// Unlike [`Self::months_after`] it counts from the day and not from the beginning of its month.
    pub fn months_since(self, other: Date) -> f64 {
        f64::from((self.0 - other.0).get_days()) / DAYS_PER_MONTH
    }

    /// The day that lies `months` after the first day of this date's month;
    /// `None` outside of the years 1 to 9999.
    pub fn plus_months(self, months: f64) -> Option<Self> {
        if !months.is_finite() || months.abs() > 120_000.0 {
            return None;
        }
        let whole = months.floor();
        let ordinal = i32::from(self.0.year()) * 12 + i32::from(self.0.month()) - 1 + whole as i32;
        let (year, month) = (ordinal.div_euclid(12), ordinal.rem_euclid(12) + 1);
        let first = Self::month(i16::try_from(year).ok()?, i8::try_from(month).ok()?).ok()?;
        let length = f64::from(first.0.days_in_month());
        let day = 1.0 + ((months - whole) * length).floor().min(length - 1.0);
        Self::day(first.0.year(), first.0.month(), day as i8).ok()
    }

    pub(crate) fn civil(self) -> civil::Date {
        self.0
    }

    /// The calendar year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month of the year, 1 to 12.
    pub fn month_of_year(self) -> i8 {
        self.0.month()
    }

    /// The month alone, as `2024-06`.
    pub fn to_month_string(self) -> String {
        format!("{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.day() == 1 {
            f.write_str(&self.to_month_string())
        } else {
            write!(
                f,
                "{:04}-{:02}-{:02}",
                self.0.year(),
                self.0.month(),
                self.0.day()
            )
        }
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let error = || DateError(text.to_owned());
        let parts: Vec<&str> = text.trim().split('-').collect();
        let well_formed = |part: &&str| part.chars().all(|c| c.is_ascii_digit());
        if !parts.iter().all(well_formed) {
            return Err(error());
        }
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let day = match lengths.as_slice() {
            [4, 2] => 1,
            [4, 2, 2] => parts[2].parse().map_err(|_| error())?,
            _ => return Err(error()),
        };
        let year = parts[0].parse().map_err(|_| error())?;
        let month = parts[1].parse().map_err(|_| error())?;
        Self::day(year, month, day).map_err(|_| error())
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

#[cfg(feature = "files")]
impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A month such as 2024-06 or a day such as 2024-06-15.",
            "pattern": "^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$",
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
    fn a_time_in_months_comes_back_as_its_day() {
        let start = date("2024-01");
        assert_eq!(start.plus_months(5.5), Some(date("2024-06-16")));
        assert_eq!(start.plus_months(-9.0), Some(date("2023-04")));
        assert_eq!(start.plus_months(1.999_999), Some(date("2024-02-29")));
        assert_eq!(start.plus_months(f64::NAN), None);
        assert_eq!(start.plus_months(1e9), None);
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
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!(Date::month(2024, 0).is_err());
    }
}
