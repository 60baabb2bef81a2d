//! Values as schedule files write them: moments, numbers, times of the day.

use super::ImportError;
use crate::date::Date;

/// Working time of a day in minutes since it began: from and to, in order.
pub(super) type Shifts = Vec<(u16, u16)>;

pub(super) const MINUTES_PER_DAY: u16 = 24 * 60;

/// A moment such as "2025-01-06T08:00:00", "2025-01-06 08:00" or "06-Jan-25 08:00"; a day alone stands for its first instant.
pub(super) fn moment(text: &str, line: usize) -> Result<Date, ImportError> {
    moment_or(text, line, 0)
}

/// A moment at which something is over; a day alone stands for its end.
pub(super) fn moment_of_end(text: &str, line: usize) -> Result<Date, ImportError> {
    moment_or(text, line, MINUTES_PER_DAY)
}

/// A moment; of a day alone, its minute.
fn moment_or(text: &str, line: usize, minute: u16) -> Result<Date, ImportError> {
    let wrong = || ImportError::new(line, format!("\"{text}\" is not a date"));
    let trimmed = text.trim();
    let (day, time) = match (trimmed.split_once(' '), trimmed.split_at_checked(10)) {
        (Some((day, time)), _) => (day, Some(time)),
        (None, Some((day, time))) => (day, time.strip_prefix('T')),
        (None, None) => (trimmed, None),
    };
    let day = (day_in_order(day).or_else(|| day_with_month_name(day)))
        .or_else(|| day_first(day))
        .ok_or_else(wrong)?;
    let minute = match time {
        // The time is that on site, whatever zone it is said to be of.
        Some(time) => {
            let of_day = time.split(['Z', '+', '-']).next();
            of_day.and_then(minute_of_day).ok_or_else(wrong)?
        }
        None => minute,
    };
    if minute < MINUTES_PER_DAY {
        return day
            .at((minute / 60) as u8, (minute % 60) as u8)
            .map_err(|_| wrong());
    }
    let next = day.civil().tomorrow().map_err(|_| wrong())?;
    Ok(Date::from_civil(next))
}

/// A day such as "2025-01-06" or "2025/01/06".
fn day_in_order(text: &str) -> Option<Date> {
    let is_whole = text.len() == 10;
    text.replace('/', "-").parse().ok().filter(|_| is_whole)
}

/// A day such as "29-Jan-24", as tools about P6 write it.
fn day_with_month_name(text: &str) -> Option<Date> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let parts: Vec<&str> = text.split('-').collect();
    let [day, month, year] = parts[..] else {
        return None;
    };
    let month = MONTHS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(month))? as i8
        + 1;
    let year: i16 = year.parse().ok()?;
    let year = if year < 100 { 2000 + year } else { year };
    Date::day(year, month, day.parse().ok()?).ok()
}

/// A day such as "29.01.2024", as spreadsheets of some countries write it.
fn day_first(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split('.').collect();
    let [day, month, year] = parts[..] else {
        return None;
    };
    let year = (year.len() == 4).then(|| year.parse().ok())??;
    Date::day(year, month.parse().ok()?, day.parse().ok()?).ok()
}

/// A finite number; some files have a comma where others have the decimal point, or separate thousands.
pub(super) fn number(text: &str, line: usize) -> Result<f64, ImportError> {
    let trimmed = text.trim();
    let parsed = trimmed.parse().ok().or_else(|| grouped(trimmed));
    parsed
        .filter(|number| number.is_finite())
        .ok_or_else(|| ImportError::new(line, format!("\"{text}\" is not a number")))
}

/// A number such as "1.200,5", "1,200.5", "1 200" or "8,5": of points and commas the last one comes before the decimals, unless
/// it occurs more than once.
fn grouped(text: &str) -> Option<f64> {
    let digits: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\'')
        .collect();
    let decimal = digits.chars().rev().find(|c| matches!(c, '.' | ','));
    let decimal = decimal.filter(|&mark| digits.matches(mark).count() == 1);
    let plain = digits.chars().filter_map(|c| match c {
        '.' | ',' => (Some(c) == decimal).then_some('.'),
        other => Some(other),
    });
    plain.collect::<String>().parse().ok()
}

/// Minutes since midnight of a time such as "08:00", "8:00:00", "24:00" or "1:00 PM".
pub(super) fn minute_of_day(text: &str) -> Option<u16> {
    let text = text.trim().to_ascii_uppercase();
    let half = |mark: &str| text.strip_suffix(mark).map(str::trim_end);
    let (time, noon) = match (half("AM"), half("PM")) {
        (Some(time), _) => (time, Some(0)),
        (_, Some(time)) => (time, Some(12)),
        _ => (text.as_str(), None),
    };
    let mut parts = time.split(':');
    let hour: u16 = parts.next()?.parse().ok()?;
    let hour = match noon {
        Some(noon) if (1..=12).contains(&hour) => hour % 12 + noon,
        Some(_) => return None,
        None => hour,
    };
    let minute: u16 = parts.next()?.parse().ok()?;
    let minutes = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && minutes <= MINUTES_PER_DAY).then_some(minutes)
}

/// A shift from one time of the day to another, such as "08:00" and "12:00"; midnight ends the day.
pub(super) fn shift(from: &str, to: &str, line: usize) -> Result<(u16, u16), ImportError> {
    let minute = |text: &str| {
        minute_of_day(text)
            .ok_or_else(|| ImportError::new(line, format!("\"{text}\" is not a time of the day")))
    };
    let (from, to) = (minute(from)?, minute(to)?);
    Ok((from, if to <= from { MINUTES_PER_DAY } else { to }))
}

/// Shifts in order, those that overlap or touch as one.
pub(super) fn in_order(mut shifts: Shifts) -> Shifts {
    shifts.retain(|(from, to)| from < to);
    shifts.sort_unstable();
    let mut merged: Shifts = Vec::new();
    for (from, to) in shifts {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

pub(super) fn hours_of(shifts: &[(u16, u16)]) -> f64 {
    let minutes = shifts.iter().map(|(from, to)| f64::from(to - from));
    minutes.sum::<f64>() / 60.0
}

/// Four hours before and four after noon: what both tools have by default.
pub(super) fn day_shifts() -> Shifts {
    vec![(8 * 60, 12 * 60), (13 * 60, 17 * 60)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_to_the_minute() {
        let read = |text: &str| moment(text, 1).map(|date| date.to_string());
        assert_eq!(read("2025-01-06T17:00:00").unwrap(), "2025-01-06T17:00");
        assert_eq!(read("2025-01-06 08:30").unwrap(), "2025-01-06T08:30");
        assert_eq!(read(" 2025-01-06 ").unwrap(), "2025-01-06");
        assert_eq!(read("2025-01-31 24:00").unwrap(), "2025-02");
        assert_eq!(read("29-JAN-24").unwrap(), "2024-01-29");
        assert_eq!(read("06.01.2025").unwrap(), "2025-01-06");
        assert_eq!(read("29-OCT-24").unwrap(), "2024-10-29");
        assert_eq!(read("29-Jan-24 8:30").unwrap(), "2024-01-29T08:30");
        assert_eq!(read("2025/01/06 08:00").unwrap(), "2025-01-06T08:00");
        assert_eq!(
            read("2025-01-06T17:00:00+08:00").unwrap(),
            "2025-01-06T17:00"
        );
        let end = |text: &str| moment_of_end(text, 1).unwrap().to_string();
        assert_eq!(end("2025-01-06"), "2025-01-07");
        assert_eq!(end("2025-01-06 12:00"), "2025-01-06T12:00");
        for wrong in [
            "2025-1-6",
            "2025-01",
            "06.13.2025",
            "04/28/2025",
            "",
            "2025-01-06 25:00",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_have_any_separators() {
        for (text, expected) in [
            ("1200.5", 1200.5),
            ("8,5", 8.5),
            ("1.200,5", 1200.5),
            ("1,200.5", 1200.5),
            ("1.200.000", 1_200_000.0),
            ("1\u{a0}200,5", 1200.5),
            ("-1'200.5", -1200.5),
        ] {
            assert_eq!(number(text, 1).unwrap(), expected, "{text}");
        }
        for wrong in ["", "many", "1,2.3,4.5x", "nan", "inf"] {
            assert!(number(wrong, 1).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_of_the_day_may_count_from_noon() {
        for (text, expected) in [
            ("08:00", Some(480)),
            ("8:00:00", Some(480)),
            ("24:00", Some(1440)),
            ("12:00 AM", Some(0)),
            ("12:30 pm", Some(750)),
            ("05:00PM", Some(1020)),
            ("13:00 PM", None),
            ("25:00", None),
        ] {
            assert_eq!(minute_of_day(text), expected, "{text}");
        }
    }

    #[test]
    fn shifts_that_touch_are_one() {
        let minutes = |hour: u16| hour * 60;
        let shifts = vec![
            (minutes(13), minutes(17)),
            (minutes(8), minutes(12)),
            (minutes(12), minutes(13)),
        ];
        assert_eq!(in_order(shifts), [(minutes(8), minutes(17))]);
        assert_eq!(
            shift("22:00", "00:00", 1).unwrap(),
            (minutes(22), minutes(24))
        );
    }
}
