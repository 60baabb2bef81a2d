//! Schedule files as other tools than Primavera and Project write them, and what is damaged in them, against dates computed
//! by hand.
//!
//! Work is done and days are as in the tests of `import`: 28 April 2025 is a Monday, and 1 May a holiday of the calendar of
//! five days in XER files.
#![cfg(feature = "import")]

use buildout::import::{ImportOptions, Imported, Topic, read};

use crate::import::{
    PROJECT, RETAINED, SHIFTS, TASK_COLUMNS, after, assert_dates, assert_warns, calendar, mspdi,
    read_text, xer, xer_calendar,
};

fn assert_quiet(schedule: &Imported) {
    assert!(schedule.warnings.is_empty(), "{:?}", schedule.warnings);
}

// ----- Primavera

/// A, of 48 hours, and then B of 8, by calendar 7.
fn two_tasks() -> String {
    xer(
        PROJECT,
        RETAINED,
        &["1\t1\t7\tTT_Task\tA\t\t48", "2\t1\t7\tTT_Task\tB\t\t8"],
        &["2\t1\tPR_FS\t0"],
    )
}

/// 48 hours without Thursday 1 May: until Tuesday 6.
const TWO_TASKS: [(&str, &str, &str); 2] = [
    ("A", "2025-04-28", "2025-05-06"),
    ("B", "2025-05-07", "2025-05-07"),
];

#[test]
fn a_calendar_without_times_of_work_has_its_hours_a_day_and_a_week() {
    let week = xer_calendar(7, "Five days", 2..=6, &SHIFTS);
    let columns = "clndr_id\tclndr_name\tclndr_data";
    // Without its holiday. Six days of 8 hours: A until Saturday 3 May. Five of 10: until 16 o'clock on Friday 2 May, and then B
    // until Monday. Around the clock: two days. Eight hours on five days, where the file says nothing: until Monday 5 May.
    for (hours, a, b) in [
        ("8\t48", "2025-05-03", ["2025-05-05", "2025-05-05"]),
        ("10\t50", "2025-05-02", ["2025-05-02", "2025-05-05"]),
        ("24\t168", "2025-04-30", ["2025-04-30", "2025-04-30"]),
        ("\t", "2025-05-05", ["2025-05-06", "2025-05-06"]),
    ] {
        let text = two_tasks()
            .replace(columns, &format!("{columns}\tday_hr_cnt\tweek_hr_cnt"))
            .replace(&week, &format!("%R\t7\tFive days\t\t{hours}"));
        let schedule = read_text(&text).unwrap();
        assert_dates(&schedule, &[("A", "2025-04-28", a), ("B", b[0], b[1])]);
        assert_warns(&schedule, "\"Five days\" states no times of work");
    }
}

#[test]
fn times_may_count_from_noon_and_what_is_damaged_in_a_calendar_costs_that_alone() {
    let read = |shifts: &[(&str, &str)]| {
        let week = xer_calendar(7, "Five days", 2..=6, &SHIFTS);
        let other = xer_calendar(7, "Five days", 2..=6, shifts);
        read_text(&two_tasks().replace(&week, &other)).unwrap()
    };
    let schedule = read(&[("08:00 AM", "12:00 PM"), ("01:00 PM", "05:00 PM")]);
    assert_dates(&schedule, &TWO_TASKS);
    assert_quiet(&schedule);
    // Days that cannot be read have their usual times, and the holiday stays.
    let schedule = read(&[("08:00", "noon")]);
    assert_dates(&schedule, &TWO_TASKS);
    assert_warns(
        &schedule,
        "\"noon\" is not a time of the day; the usual times are taken for day 2",
    );
    assert!(
        schedule
            .warnings
            .iter()
            .all(|one| one.calendar.as_deref() == Some("Five days"))
    );
}

#[test]
fn a_date_that_differs_because_of_a_calendar_is_put_down_to_it() {
    let week = xer_calendar(7, "Five days", 2..=6, &SHIFTS);
    let text = two_tasks()
        .replace(&week, "%R\t7\tFive days\t(0||CalendarData()(")
        .replace(
            TASK_COLUMNS,
            &format!("{TASK_COLUMNS}\tearly_start_date\tearly_end_date"),
        )
        .replace(
            "\tA\t\t48",
            "\tA\t\t48\t\t\t\t\t\t\t2025-04-28 08:00\t2025-05-06 17:00",
        );
    let dates = read_text(&text).unwrap().review().dates;
    // Without its holiday a day sooner.
    assert_eq!(
        (dates.compared, dates.kept, dates.differences[0].days),
        (1, 0, -1)
    );
    assert_eq!(dates.differences[0].topic, Topic::Calendar);
    assert!(dates.differences[0].because.contains("is damaged"));
}

#[test]
fn a_calendar_that_is_not_in_the_file_is_that_of_the_project() {
    let text = two_tasks().replace("\t1\t7\tTT_Task\tA", "\t1\t77\tTT_Task\tA");
    let schedule = read_text(&text).unwrap();
    assert_dates(&schedule, &TWO_TASKS);
    assert_warns(&schedule, "calendar 77 of \"A\" is not in the file");
    assert_eq!(schedule.warnings[0].activity.as_deref(), Some("A"));
    // A project without a calendar has the one that the file marks.
    let text = two_tasks()
        .replace("2025-04-28 08:00\t7\t\tY", "2025-04-28 08:00\t\t\tY")
        .replace("\t1\t7\tTT_Task\tA", "\t1\t\tTT_Task\tA")
        .replace(
            "clndr_name\tclndr_data",
            "clndr_name\tclndr_data\tdefault_flag",
        )
        .replace("\r\n%T\tPROJECT", "\tY\r\n%T\tPROJECT");
    // Six days: until Saturday 3 May, and a day for the holiday.
    let schedule = read_text(&text).unwrap();
    assert_dates(&schedule, &[("A", "2025-04-28", "2025-05-05")]);
    assert_quiet(&schedule);
}

#[test]
fn tasks_that_are_there_twice_and_dependencies_on_themselves_are_left_out() {
    let text = two_tasks()
        .replace(
            "%T\tTASKPRED",
            "%R\t1\t1\t7\tTT_Task\tagain\t\t80\r\n%T\tTASKPRED",
        )
        .replace("%E", "%R\t1\t1\tPR_FS\t8\r\n%E");
    let schedule = read_text(&text).unwrap();
    assert_dates(&schedule, &TWO_TASKS);
    assert_eq!(schedule.activities.len(), 2);
    assert_warns(&schedule, "task 1 stands in line");
    assert_warns(&schedule, "the dependency of \"A\" on itself is left out");
}

#[test]
fn lines_numbers_and_dates_may_be_written_otherwise() {
    let text = two_tasks();
    for other in [
        text.replace("\r\n", "\r"),
        text.replace("\r\n", "\n"),
        text.replace("\tA\t\t48", "\tA\t\t48,0"),
        text.replace("2025-04-28 08:00", "28-Apr-25 08:00"),
        text.replace("2025-04-28 08:00", "28.04.2025 8:00"),
        text.replace("2025-04-28 08:00", "2025/04/28 08:00:00"),
    ] {
        let schedule = read_text(&other).unwrap();
        assert_dates(&schedule, &TWO_TASKS);
        assert_quiet(&schedule);
    }
    // 1,200 hours are 30 weeks, and the holiday: from 28 April until Monday 24 November.
    for long in ["1.200,00", "1,200.00", "1\u{a0}200"] {
        let schedule = read_text(&text.replace("\tA\t\t48", &format!("\tA\t\t{long}"))).unwrap();
        assert_dates(&schedule, &[("A", "2025-04-28", "2025-11-24")]);
    }
}

#[test]
fn a_file_without_a_project_is_a_schedule_of_all_its_activities() {
    let schedule = read_text(&two_tasks().replace("%T\tPROJECT", "%T\tPROJECTS")).unwrap();
    assert_eq!(
        (schedule.name.as_str(), schedule.activities.len()),
        ("schedule", 2)
    );
    assert_warns(&schedule, "the file has no project");
    schedule.to_scenario(24).compile().unwrap();
}

#[test]
fn lags_around_the_clock_are_exact_in_months_of_any_length() {
    // A is over at 17 o'clock on Friday 31 January; 28 days later it is Friday 28 February, so that B begins on Monday.
    let schedule = read_text(&xer(
        "%R\t1\thall 1\t2025-01-31 08:00\t7\t\tY",
        "Y\tN\trcal_24Hour",
        &["1\t1\t7\tTT_Task\tA\t\t8", "2\t1\t7\tTT_Task\tB\t\t8"],
        &["2\t1\tPR_FS\t672"],
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("A", "2025-01-31", "2025-01-31"),
            ("B", "2025-03-03", "2025-03-03"),
        ],
    );
}

#[test]
fn what_was_over_at_midnight_finished_on_the_day_before() {
    let schedule = read_text(&xer(
        "%R\t1\thall 1\t2025-04-28 08:00\t7\t2025-05-05 00:00\tY",
        RETAINED,
        &["1\t1\t8\tTT_Task\tA\tTK_Complete\t20\t0\t2025-04-29 20:00\t2025-04-30 00:00"],
        &[],
    ))
    .unwrap();
    let status = schedule.status.clone().unwrap();
    assert_eq!(
        status.activities[0].finished.unwrap().to_string(),
        "2025-04-29"
    );
    assert_dates(&schedule, &[("A", "2025-04-29", "2025-04-29")]);
}

// ----- Microsoft Project

#[test]
fn time_that_elapses_is_exact_in_months_of_any_length() {
    // 28 days from Monday 3 February, 8 o'clock: until Monday 3 March, 8 o'clock. After it 14 days that elapse, until
    // Monday 17 March. "share" begins half of A's 16 hours after it, at 1 o'clock on Wednesday, and so in the morning.
    let schedule = read_text(
        &mspdi(
            "",
            &[
                "<Name>cure</Name><Duration>PT672H0M0S</Duration><DurationFormat>8</DurationFormat>",
                "<Name>next</Name><Duration>PT8H0M0S</Duration><PredecessorLink><PredecessorUID>1</PredecessorUID><Type>1</Type><LinkLag>201600</LinkLag><LagFormat>8</LagFormat></PredecessorLink>",
                "<Name>A</Name><Duration>PT16H0M0S</Duration>",
                "<Name>share</Name><Duration>PT8H0M0S</Duration><PredecessorLink><PredecessorUID>3</PredecessorUID><Type>1</Type><LinkLag>50</LinkLag><LagFormat>20</LagFormat></PredecessorLink>",
            ],
            "",
        )
        .replace("2025-04-28", "2025-02-03"),
    )
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("cure", "2025-02-03", "2025-03-03"),
            ("next", "2025-03-17", "2025-03-17"),
            ("A", "2025-02-03", "2025-02-04"),
            ("share", "2025-02-05", "2025-02-05"),
        ],
    );
}

#[test]
fn days_without_a_time_are_over_at_their_end() {
    let schedule = read_text(&mspdi(
        "",
        &[
            "<Name>A</Name><Start>2025-04-28</Start><Finish>2025-04-30</Finish>",
            &format!(
                "<Name>B</Name><Duration>PT8H0M0S</Duration><Start>2025-05-01</Start><Finish>2025-05-01</Finish>{}",
                after(1)
            ),
            &format!(
                "<Name>done</Name><Milestone>1</Milestone><Duration>PT0H0M0S</Duration><Start>2025-05-01</Start><Finish>2025-05-01</Finish>{}",
                after(2)
            ),
        ],
        "",
    ))
    .unwrap();
    let dates = [
        ("A", "2025-04-28", "2025-04-30"),
        ("B", "2025-05-01", "2025-05-01"),
        ("done", "2025-05-01", "2025-05-01"),
    ];
    assert_dates(&schedule, &dates);
    let review = schedule.review().dates;
    assert_eq!((review.compared, review.kept), (3, 3));
}

#[test]
fn document_types_prefixes_and_values_that_are_not_available_are_no_obstacle() {
    let text = mspdi(
        "<StatusDate>NA</StatusDate>",
        &["<Name>A</Name><Duration>PT16H0M0S</Duration><Deadline>NA</Deadline>"],
        "",
    );
    let prefixed = text
        .replace("xmlns=", "xmlns:m=")
        .replace("</", "</m:")
        .replace('<', "<m:")
        .replace("<m:/m:", "</m:")
        .replace("<m:?", "<?");
    for other in [
        text.replace("<Project ", "<!DOCTYPE Project>\n<Project "),
        text.replace(" xmlns=\"http://schemas.microsoft.com/project\"", ""),
        prefixed,
    ] {
        assert_dates(
            &read_text(&other).unwrap(),
            &[("A", "2025-04-28", "2025-04-29")],
        );
    }
}

#[test]
fn a_project_whose_tasks_are_in_another_file_keeps_its_dates() {
    // From Wednesday 30 April until Thursday; then B, and what waits for the empty row waits for nothing.
    let schedule = read_text(&mspdi(
        "",
        &[
            "<Name>part</Name><Summary>1</Summary><IsSubproject>1</IsSubproject><Duration>PT16H0M0S</Duration><Start>2025-04-30T08:00:00</Start><Finish>2025-05-01T17:00:00</Finish>",
            &format!("<Name>B</Name><Duration>PT8H0M0S</Duration>{}", after(1)),
            "<UID>2</UID><Name>again</Name><Duration>PT8H0M0S</Duration>",
            &format!(
                "<UID>5</UID><Name>self</Name><Duration>PT8H0M0S</Duration>{}",
                after(5)
            ),
        ],
        "",
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("part", "2025-04-30", "2025-05-01"),
            ("B", "2025-05-02", "2025-05-02"),
            ("self", "2025-04-28", "2025-04-28"),
        ],
    );
    assert_warns(&schedule, "task 2 stands in line");
    assert_warns(
        &schedule,
        "the dependency of \"self\" on itself is left out",
    );
}

#[test]
fn a_task_stands_as_deep_as_its_number_in_the_outline_says() {
    // "after" waits for "within", and so begins on Tuesday.
    let schedule = read_text(&mspdi(
        "",
        &[
            "<Name>S</Name><OutlineNumber>1</OutlineNumber>",
            "<Name>within</Name><OutlineNumber>1.1</OutlineNumber><Duration>PT8H0M0S</Duration>",
            &format!(
                "<Name>after</Name><OutlineNumber>2</OutlineNumber><Duration>PT8H0M0S</Duration>{}",
                after(1)
            ),
        ],
        "",
    ))
    .unwrap();
    assert_dates(&schedule, &[("after", "2025-04-29", "2025-04-29")]);
    assert_eq!(schedule.origins[0].group, "S");
}

#[test]
fn calendars_differ_from_others_at_any_depth() {
    // Calendar 3 differs from 2, which differs from 1, which has a holiday on Tuesday 29 April.
    let holiday = "<Exceptions><Exception><Type>1</Type><DayWorking>0</DayWorking><TimePeriod><FromDate>2025-04-29T00:00:00</FromDate><ToDate>2025-04-29T23:59:00</ToDate></TimePeriod></Exception></Exceptions>";
    let head = format!(
        "<Calendars>{}{}{}{}</Calendars>",
        calendar(3, 2, ""),
        calendar(2, 1, ""),
        calendar(1, 0, holiday),
        calendar(4, 44, ""),
    );
    let task = |name: &str, calendar: u32| {
        format!(
            "<Name>{name}</Name><Duration>PT16H0M0S</Duration><CalendarUID>{calendar}</CalendarUID>"
        )
    };
    let schedule = read_text(&mspdi(
        &head,
        &[&task("A", 3), &task("B", 4), &task("C", 9)],
        "",
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("A", "2025-04-28", "2025-04-30"),
            ("B", "2025-04-28", "2025-04-29"),
            ("C", "2025-04-28", "2025-04-30"),
        ],
    );
    assert_warns(
        &schedule,
        "differs from calendar 44, which is not in the file",
    );
    assert_warns(&schedule, "calendar 9 of \"C\" is not in the file");
    assert_eq!(schedule.warnings.len(), 2);
}

#[test]
fn progress_without_any_date_goes_on_after_the_last_that_is_said_to_have_happened() {
    // Half of "A" was done by Tuesday 29 April; the file went on with "B" on Monday, before that.
    let schedule = read_text(&mspdi(
        "",
        &[
            "<Name>A</Name><Duration>PT32H0M0S</Duration><Start>2025-04-28T08:00:00</Start><Finish>2025-05-01T17:00:00</Finish><PercentComplete>50</PercentComplete><Stop>2025-04-29T17:00:00</Stop>",
            "<Name>B</Name><Duration>PT32H0M0S</Duration><Start>2025-04-28T08:00:00</Start><Finish>2025-05-01T17:00:00</Finish><ActualStart>2025-04-28T08:00:00</ActualStart>",
        ],
        "",
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("A", "2025-04-28", "2025-05-01"),
            ("B", "2025-04-28", "2025-05-05"),
        ],
    );
    assert_warns(
        &schedule,
        "the last actual date, 2025-04-29T17:00, is taken",
    );
    let differences = schedule.review().dates.differences;
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].topic, Topic::DataDate);
}

#[test]
fn what_else_these_tools_write_is_refused_with_what_to_write_instead() {
    let refused = |bytes: &[u8]| {
        let error = read(bytes, &ImportOptions::default()).unwrap_err();
        (error.line, error.message)
    };
    let (_, message) = refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    assert!(message.ends_with("save it as XML"), "{message}");
    let (line, message) =
        refused(b"<?xml version=\"1.0\"?>\n<APIBusinessObjects></APIBusinessObjects>");
    assert!(message.ends_with("export the project as XER"), "{message}");
    assert_eq!(line, 2);
}
