//! On which days an exception of a calendar recurs (Microsoft, "Project XML Data Interchange Schema", Exception).

use super::super::ImportError;
use super::element::Element;
use jiff::civil;

/// Days that one exception has at most.
const MOST_DAYS: usize = 20_000;

/// How an exception recurs, by the number that the file gives.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pattern {
    /// 1, 7: every this many days.
    Days(i64),
    /// 6: on days of the week (bit 0 for Sunday) of every this many weeks.
    Weeks { every: i64, days: i64 },
    /// 4, 5: every this many months. 2, 3: every year in a month.
    Months { every: i64, on: Day },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Day {
    /// On the so manieth day of a month, from 1.
    Number(i64),
    /// On the first (0) to fourth or the last (4) of a kind of days: any (0), weekdays (1), weekends (2), Sunday (3) to
    /// Saturday (9).
    Position { position: i64, item: i64 },
}

/// All days of an exception from its first to its last day.
pub(super) fn days(
    exception: &Element<'_>,
    from: civil::Date,
    to: civil::Date,
) -> Result<Vec<civil::Date>, ImportError> {
    let (pattern, month) = pattern(exception)?;
    let occurrences = match exception.is_set("EnteredByOccurrences") {
        true => exception.code("Occurrences")?.unwrap_or(0),
        false => 0,
    };
    let most = usize::try_from(occurrences)
        .ok()
        .filter(|most| *most > 0)
        .unwrap_or(MOST_DAYS);
    let every_day = from
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day <= to);
    let is_meant = |day: &civil::Date| {
        month.is_none_or(|month| i64::from(day.month()) == month + 1) && recurs(pattern, from, *day)
    };
    Ok(every_day
        .take(MOST_DAYS)
        .filter(is_meant)
        .take(most)
        .collect())
}

fn pattern(exception: &Element<'_>) -> Result<(Pattern, Option<i64>), ImportError> {
    let code = |name| exception.code(name);
    let every = code("Period")?.filter(|every| *every > 0).unwrap_or(1);
    let month = code("Month")?;
    let number = || -> Result<Day, ImportError> { Ok(Day::Number(code("MonthDay")?.unwrap_or(1))) };
    let position = || -> Result<Day, ImportError> {
        Ok(Day::Position {
            position: code("MonthPosition")?.unwrap_or(0),
            item: code("MonthItem")?.unwrap_or(0),
        })
    };
    Ok(match code("Type")?.unwrap_or(1) {
        2 => (
            Pattern::Months {
                every: 1,
                on: number()?,
            },
            month,
        ),
        3 => (
            Pattern::Months {
                every: 1,
                on: position()?,
            },
            month,
        ),
        4 => (
            Pattern::Months {
                every,
                on: number()?,
            },
            None,
        ),
        5 => (
            Pattern::Months {
                every,
                on: position()?,
            },
            None,
        ),
        6 => {
            let days = code("DaysOfWeek")?.unwrap_or(0);
            (Pattern::Weeks { every, days }, None)
        }
        7 => (Pattern::Days(every), None),
        _ => (Pattern::Days(1), None),
    })
}

fn recurs(pattern: Pattern, from: civil::Date, day: civil::Date) -> bool {
    let days_between = |from: civil::Date, to: civil::Date| {
        from.until(to).map_or(0, |span| i64::from(span.get_days()))
    };
    match pattern {
        Pattern::Days(every) => days_between(from, day) % every == 0,
        Pattern::Weeks { every, days } => {
            let weekday = i64::from(day.weekday().to_sunday_zero_offset());
            let sunday = |day: civil::Date| {
                let back = jiff::Span::new().days(i64::from(day.weekday().to_sunday_zero_offset()));
                day.saturating_sub(back)
            };
            let weeks = days_between(sunday(from), sunday(day)) / 7;
            days & (1 << weekday) != 0 && weeks % every == 0
        }
        Pattern::Months { every, on } => {
            let months = |day: civil::Date| i64::from(day.year()) * 12 + i64::from(day.month());
            (months(day) - months(from)) % every == 0 && is_on(on, day)
        }
    }
}

fn is_on(on: Day, day: civil::Date) -> bool {
    let (number, last) = (i64::from(day.day()), i64::from(day.days_in_month()));
    match on {
        Day::Number(wanted) => number == wanted.min(last),
        Day::Position { position, item } => {
            let is_kind = |number: i64| {
                let of_month = civil::Date::new(day.year(), day.month(), number as i8);
                let weekday =
                    of_month.map_or(0, |day| i64::from(day.weekday().to_sunday_zero_offset()));
                match item {
                    1 => (1..=5).contains(&weekday),
                    2 => weekday == 0 || weekday == 6,
                    3..=9 => weekday == item - 3,
                    _ => true,
                }
            };
            let mut of_kind = (1..=last).filter(|number| is_kind(*number));
            let wanted = match position {
                0..=3 => of_kind.nth(position as usize),
                _ => of_kind.next_back(),
            };
            wanted == Some(number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: Pattern, from: &str, to: &str) -> Vec<String> {
        let [from, to]: [civil::Date; 2] = [from, to].map(|text| text.parse().unwrap());
        let days = from
            .series(jiff::Span::new().days(1))
            .take_while(|day| *day <= to);
        days.filter(|day| recurs(pattern, from, *day))
            .map(|day| day.to_string())
            .collect()
    }

    #[test]
    fn patterns_give_the_days_of_the_calendar_on_the_wall() {
        assert_eq!(
            found(Pattern::Days(3), "2025-01-01", "2025-01-09"),
            ["2025-01-01", "2025-01-04", "2025-01-07"]
        );
        // Mondays and Fridays of every second week; 2025-01-01 is a Wednesday.
        let pattern = Pattern::Weeks {
            every: 2,
            days: 0b010_0010,
        };
        assert_eq!(
            found(pattern, "2025-01-01", "2025-01-20"),
            ["2025-01-03", "2025-01-13", "2025-01-17"]
        );
        // The last day of every month, however long it is.
        let pattern = Pattern::Months {
            every: 1,
            on: Day::Number(31),
        };
        assert_eq!(
            found(pattern, "2025-01-01", "2025-03-31"),
            ["2025-01-31", "2025-02-28", "2025-03-31"]
        );
        // The fourth Thursday of every second month, and the last weekday of each.
        let pattern = Pattern::Months {
            every: 2,
            on: Day::Position {
                position: 3,
                item: 7,
            },
        };
        assert_eq!(
            found(pattern, "2025-01-01", "2025-03-31"),
            ["2025-01-23", "2025-03-27"]
        );
        let pattern = Pattern::Months {
            every: 1,
            on: Day::Position {
                position: 4,
                item: 1,
            },
        };
        assert_eq!(
            found(pattern, "2025-05-01", "2025-06-30"),
            ["2025-05-30", "2025-06-30"]
        );
    }
}
