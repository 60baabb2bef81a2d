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
    #[ignore = "slow"]
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

/// A moment of January 2025, by its day and hour.
fn hour(day: u32, hour: f64) -> f64 {
    (f64::from(day) - 1.0 + hour / 24.0) / 31.0
}

/// Work of so many hours of a week of forty.
fn hours(hours: f64) -> f64 {
    working_days(hours / 8.0)
}

fn two_shifts() -> Calendar {
    let mut calendar = Calendar::new("shifts");
    let mut shifts = vec!["08:00-12:00 13:00-17:00".to_owned(); 5];
    shifts.extend([String::new(), String::new()]);
    calendar.shifts = Some(shifts);
    calendar
}

#[test]
fn work_by_shifts_begins_and_ends_at_their_times() {
    let calendar = two_shifts().compile(start(), 24);
    // The 6th is a Monday, the 10th a Friday.
    for (from, work, until) in [
        (hour(6, 8.0), 2.0, hour(6, 10.0)),
        (hour(6, 8.0), 4.0, hour(6, 12.0)),
        (hour(6, 8.0), 6.0, hour(6, 15.0)),
        (hour(6, 12.5), 1.0, hour(6, 14.0)),
        (hour(6, 17.0), 1.0, hour(7, 9.0)),
        (hour(10, 16.0), 9.0, hour(13, 17.0)),
    ] {
        let found = calendar.add(from, hours(work));
        assert!((found - until).abs() < 1e-9, "{work}: {found} {until}");
        assert!((calendar.work_between(from, until) - hours(work)).abs() < 1e-9);
        assert!((calendar.work_between(until, from) + hours(work)).abs() < 1e-9);
    }
    for (until, work, from) in [
        (hour(6, 17.0), 2.0, hour(6, 15.0)),
        // The last moment after which four hours are left: the end of the break.
        (hour(6, 17.0), 4.0, hour(6, 13.0)),
        (hour(7, 9.0), 2.0, hour(6, 16.0)),
        (hour(13, 9.0), 9.0, hour(10, 8.0)),
    ] {
        let found = calendar.subtract(until, hours(work));
        assert!((found - from).abs() < 1e-9, "{work}: {found} {from}");
        assert!((calendar.add(until, -hours(work)) - from).abs() < 1e-9);
    }
}

#[test]
fn between_shifts_the_next_one_is_waited_for() {
    let calendar = two_shifts().compile(start(), 24);
    for (from, next, moment) in [
        (hour(6, 3.0), hour(6, 8.0), hour(6, 8.0)),
        (hour(6, 10.0), hour(6, 10.0), hour(6, 10.0)),
        // What takes no time may be when work has just ended.
        (hour(6, 12.0), hour(6, 13.0), hour(6, 12.0)),
        (hour(6, 12.5), hour(6, 13.0), hour(6, 13.0)),
        (hour(6, 17.0), hour(7, 8.0), hour(6, 17.0)),
        (hour(10, 18.0), hour(13, 8.0), hour(13, 8.0)),
        (hour(11, 12.0), hour(13, 8.0), hour(13, 8.0)),
    ] {
        let found = calendar.next_working(from);
        assert!((found - next).abs() < 1e-9, "{from}: {found} {next}");
        let found = calendar.moment_from(from);
        assert!((found - moment).abs() < 1e-9, "{from}: {found} {moment}");
    }
    // Without shifts a moment may be at the midnight with which a day of work ends, and not later in an idle day.
    let calendar = Calendar::five_days("week").compile(start(), 24);
    assert_eq!(calendar.moment_from(hour(11, 0.0)), hour(11, 0.0));
    let found = calendar.moment_from(hour(11, 1.0));
    assert!((found - hour(13, 0.0)).abs() < 1e-9, "{found}");
}

/// Beyond the days that it knows, 120 months before the start and 240 after the horizon, work goes on at its mean pace.
#[test]
fn work_far_away_has_the_mean_pace() {
    let calendar = Calendar::new("all days").compile(start(), 24);
    for (from, work) in [(-140.0, 5.0), (300.0, 7.0)] {
        assert!((calendar.work_between(from, from + work) - work).abs() < 1e-9);
        assert!((calendar.add(from, work) - (from + work)).abs() < 1e-9);
        assert!((calendar.subtract(from + work, work) - from).abs() < 1e-9);
    }
}

#[test]
fn times_of_work_are_read_or_refused() {
    assert_eq!(
        parse_shifts("08:00-12:00, 12:00-24:00"),
        Some(vec![(480, 720), (720, 1440)])
    );
    assert_eq!(parse_shifts(""), Some(Vec::new()));
    for text in [
        "08:00",
        "8:00-09:00",
        "09:00-09:00",
        "10:00-09:00",
        "08:60-09:30",
        "23:00-24:01",
        "08:00-12:00 11:00-13:00",
        "+8:00-09:00",
    ] {
        assert_eq!(parse_shifts(text), None, "{text}");
    }
    assert_eq!(
        week_of_shifts(&two_shifts().shifts.unwrap()),
        [8.0, 8.0, 8.0, 8.0, 8.0, 0.0, 0.0]
    );
}

#[test]
fn what_can_be_a_calendar_is_not_reported() {
    let mut calendar = two_shifts();
    calendar.seasons.push(Season::new("12-15", "02-28"));
    calendar.breaks.push(Break {
        shifts: Some("09:00-11:00".to_owned()),
        ..Break::new(date("2025-05-01"))
    });
    let problems = |calendar: &Calendar| {
        let mut problems = Problems::new();
        calendar.check(&Path::root(), &mut problems);
        problems.to_string()
    };
    assert_eq!(problems(&calendar), Problems::new().to_string());
    calendar.breaks[0].pace = 0.5;
    assert!(problems(&calendar).contains("breaks"));
    calendar.breaks.clear();
    calendar.seasons[0] = Season::new("03-01", "02-28");
    assert!(problems(&calendar).contains("has no working day"));
    calendar.seasons.clear();
    calendar.shifts.as_mut().unwrap().truncate(6);
    assert!(problems(&calendar).contains("shifts for 6 days"));
}

/// A break with times of its own has their hours; one with the usual pace on a Sunday has those of the longest day.
#[test]
fn breaks_work_at_their_own_times_or_at_those_of_the_longest_day() {
    let mut calendar = two_shifts();
    calendar.breaks.push(Break {
        shifts: Some("09:00-11:00".to_owned()),
        ..Break::new(date("2025-01-07"))
    });
    calendar.breaks.push(Break {
        pace: 1.0,
        ..Break::new(date("2025-01-12"))
    });
    let calendar = calendar.compile(start(), 24);
    for (from, until, work) in [
        (hour(7, 0.0), hour(8, 0.0), 2.0),
        (hour(7, 0.0), hour(7, 10.5), 1.5),
        (hour(7, 11.0), hour(8, 8.0), 0.0),
        (hour(12, 0.0), hour(13, 0.0), 8.0),
        (hour(12, 8.0), hour(12, 9.0), 1.0),
        (hour(12, 12.0), hour(12, 13.0), 0.0),
        (hour(12, 13.0), hour(12, 17.0), 4.0),
    ] {
        let found = calendar.work_between(from, until);
        assert!(
            (found - hours(work)).abs() < 1e-9,
            "{from} {until}: {found}"
        );
    }
    assert!((calendar.next_working(hour(7, 3.0)) - hour(7, 9.0)).abs() < 1e-9);
    assert!((calendar.next_working(hour(12, 3.0)) - hour(12, 8.0)).abs() < 1e-9);
    assert!((calendar.add(hour(7, 9.0), hours(3.0)) - hour(8, 9.0)).abs() < 1e-9);
}

/// Seasons slow work on days of shifts, too, and are in effect from their first day to their last.
#[test]
fn seasons_slow_shifts_from_their_first_day_to_their_last() {
    let mut calendar = two_shifts();
    let mut slow = Season::new("01-07", "01-08");
    slow.pace = 0.25;
    calendar.seasons.push(slow);
    let calendar = calendar.compile(start(), 24);
    for (day, work) in [(6, 8.0), (7, 2.0), (8, 2.0), (9, 8.0)] {
        let found = calendar.work_between(hour(day, 0.0), hour(day + 1, 0.0));
        assert!((found - hours(work)).abs() < 1e-9, "{day}: {found}");
    }
}
