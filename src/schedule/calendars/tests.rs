use super::*;
use crate::date::DAYS_PER_MONTH;
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
    // Half a second later, so that rounding does not show the day before.
    start().plus_months(months + 2e-7).unwrap().to_string()
}

/// Work of this many days of a five-day week.
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
        shifts: None,
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
        shifts: None,
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
