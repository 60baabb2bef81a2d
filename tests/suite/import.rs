//! Schedules of other tools, against networks computed by hand.
//!
//! Unless a test says otherwise work is done from Monday to Friday, 8 to 12 and 13 to 17 o'clock. 28 April 2025 is a
//! Monday, 1 May a Thursday.
#![cfg(feature = "import")]

use std::collections::BTreeMap;

use buildout::import::{
    Finding, ImportError, ImportOptions, Imported, OutOfSequence, Spread, Topic, read,
};

pub(crate) fn read_text(text: &str) -> Result<Imported, ImportError> {
    read(text.as_bytes(), &ImportOptions::default())
}

/// The days of the starts and the last days of the finishes by the planned durations, by the names of activities.
fn dates(schedule: &Imported) -> BTreeMap<String, (String, String)> {
    let scenario = schedule.to_scenario(24);
    let model = scenario.compile().unwrap_or_else(|error| panic!("{error}"));
    let network = model.network();
    let path = network.critical_path(&model.planned_inputs(), None);
    let minute = |months: f64| {
        schedule
            .start
            .minute_after(months)
            .expect("a year of four digits")
    };
    let full = |date: buildout::Date| match date.to_string() {
        month if month.len() == 7 => format!("{month}-01"),
        day => day,
    };
    let campus = &scenario.campuses[0].name;
    (schedule.activities.iter())
        .map(|activity| {
            let node = network
                .find(&format!("{campus}/{}", activity.name))
                .expect("a node of every activity");
            let start = full(minute(path.early_start(node)).day_of());
            let finish = full(minute(path.early_finish(node)).last_day());
            (activity.name.clone(), (start, finish))
        })
        .collect()
}

pub(crate) fn assert_dates(schedule: &Imported, expected: &[(&str, &str, &str)]) {
    let found = dates(schedule);
    for (name, start, finish) in expected {
        let dates = found
            .get(*name)
            .unwrap_or_else(|| panic!("{name} is not in {found:?}"));
        assert_eq!(
            (dates.0.as_str(), dates.1.as_str()),
            (*start, *finish),
            "{name}"
        );
    }
}

fn warnings(schedule: &Imported) -> Vec<(usize, &str)> {
    let warnings = schedule.warnings.iter();
    warnings
        .map(|warning| (warning.line, warning.message.as_str()))
        .collect()
}

pub(crate) fn assert_warns(schedule: &Imported, words: &str) {
    let warnings = warnings(schedule);
    let reported = warnings.iter().any(|(_, message)| message.contains(words));
    assert!(reported, "\"{words}\" is not in {warnings:?}");
}

// ----- Microsoft Project

/// A project file of these tasks and of what else stands in it.
pub(crate) fn mspdi(head: &str, tasks: &[&str], tail: &str) -> String {
    let tasks: Vec<String> = (tasks.iter().enumerate())
        .map(|(position, task)| {
            let uid = if task.contains("<UID>") {
                String::new()
            } else {
                format!("<UID>{}</UID>", position + 1)
            };
            format!("    <Task>{uid}{task}</Task>\n")
        })
        .collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Project xmlns="http://schemas.microsoft.com/project">
  <Name>hall 1</Name>
  <StartDate>2025-04-28T08:00:00</StartDate>
  <CalendarUID>1</CalendarUID>
  {head}
  <Tasks>
{}  </Tasks>
  {tail}
</Project>
"#,
        tasks.concat()
    )
}

pub(crate) fn after(uid: u32) -> String {
    format!(
        "<PredecessorLink><PredecessorUID>{uid}</PredecessorUID><Type>1</Type></PredecessorLink>"
    )
}

/// Five working days, with 1 May 2025 a holiday.
const HOLIDAY: &str = r#"<Calendars>
    <Calendar>
      <UID>1</UID><Name>Standard</Name><IsBaseCalendar>1</IsBaseCalendar>
      <WeekDays>
        <WeekDay><DayType>1</DayType><DayWorking>0</DayWorking></WeekDay>
        <WeekDay><DayType>2</DayType><DayWorking>1</DayWorking><WorkingTimes>
          <WorkingTime><FromTime>08:00:00</FromTime><ToTime>12:00:00</ToTime></WorkingTime>
          <WorkingTime><FromTime>13:00:00</FromTime><ToTime>17:00:00</ToTime></WorkingTime>
        </WorkingTimes></WeekDay>
        <WeekDay><DayType>7</DayType><DayWorking>0</DayWorking></WeekDay>
      </WeekDays>
      <Exceptions><Exception><Type>1</Type>
        <TimePeriod><FromDate>2025-05-01T00:00:00</FromDate><ToDate>2025-05-01T23:59:00</ToDate></TimePeriod>
        <DayWorking>0</DayWorking></Exception></Exceptions>
    </Calendar>
  </Calendars>"#;

/// - A (5 days) from Monday 28 April: Mon, Tue, Wed, (Thu is the holiday), Fri, Mon 5 May.
/// - B (3 days) after A: Tue 6, Wed 7, Thu 8.
/// - C (4 days) starts 2 working days after A starts: Wed 30 April, Fri 2, Mon 5, Tue 6.
/// - D, a milestone, after B and 2 working days after C: at the end of Thu 8, which both drive.
const BY_HAND: [(&str, &str, &str); 4] = [
    ("A shell", "2025-04-28", "2025-05-05"),
    ("B fit-out", "2025-05-06", "2025-05-08"),
    ("C cables", "2025-04-30", "2025-05-06"),
    ("D done", "2025-05-08", "2025-05-08"),
];

fn by_hand_mspdi() -> String {
    mspdi(
        HOLIDAY,
        &[
            "<UID>0</UID><Name>hall 1</Name><Summary>1</Summary><OutlineLevel>0</OutlineLevel>",
            "<UID>1</UID><Name>A shell</Name><Duration>PT40H0M0S</Duration><DurationFormat>7</DurationFormat>",
            &format!(
                "<UID>2</UID><Name>B fit-out</Name><Duration>PT24H</Duration><Deadline>2025-05-07T17:00:00</Deadline>{}",
                after(1)
            ),
            "<UID>3</UID><Name>C cables</Name><Duration>P1DT8H</Duration>
      <PredecessorLink><PredecessorUID>1</PredecessorUID><Type>3</Type><LinkLag>9600</LinkLag><LagFormat>7</LagFormat></PredecessorLink>",
            &format!(
                "<UID>4</UID><Name>D done</Name><Duration>PT0H0M0S</Duration><Milestone>1</Milestone>{}
      <PredecessorLink><PredecessorUID>3</PredecessorUID><Type>1</Type><LinkLag>9600</LinkLag><LagFormat>7</LagFormat></PredecessorLink>",
                after(2)
            ),
        ],
        "<Resources><Resource><UID>1</UID><Name>fitters</Name><Type>1</Type><MaxUnits>0.50</MaxUnits></Resource></Resources>
  <Assignments><Assignment><TaskUID>2</TaskUID><ResourceUID>1</ResourceUID><Units>0.25</Units></Assignment></Assignments>",
    )
}

#[test]
fn microsoft_projects_xml_gives_the_network_by_hand() {
    let schedule = read_text(&by_hand_mspdi()).unwrap();
    assert_dates(&schedule, &BY_HAND);
    assert_findings(&schedule);
    assert_eq!(warnings(&schedule), []);
}

fn assert_findings(schedule: &Imported) {
    let findings = schedule.review().findings;
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert_eq!(findings[0], Finding::OpenStart("A shell".into()));
    assert_eq!(findings[1], Finding::OpenEnd("D done".into()));
    // Over at 17 o'clock on Thursday 8 May, due by the end of Wednesday: 17 hours.
    let Finding::NegativeFloat {
        activity,
        missed_by_months,
    } = &findings[2]
    else {
        panic!("{findings:?}");
    };
    assert_eq!(activity, "B fit-out");
    assert!(
        (missed_by_months - 17.0 / 24.0 / 31.0).abs() < 0.002,
        "{missed_by_months}"
    );
}

#[test]
fn resources_become_crews_on_request_alone_and_keep_their_fractions() {
    let text = by_hand_mspdi();
    let schedule = read_text(&text).unwrap();
    assert!(
        schedule.crews.is_empty() && schedule.activities.iter().all(|one| one.crews.is_empty())
    );
    let mut options = ImportOptions::default();
    options.crews = true;
    let schedule = read(text.as_bytes(), &options).unwrap();
    assert_eq!(
        (schedule.crews[0].name.as_str(), schedule.crews[0].capacity),
        ("fitters", 0.5)
    );
    assert_eq!(schedule.activities[1].crews[0].units(), 0.25);
    assert_dates(&schedule, &BY_HAND);
}

#[test]
fn tasks_by_hand_inactive_tasks_and_constraints() {
    // By hand: manual on Wednesday 7 May for a day, although its predecessor takes until Friday 9. Inactive tasks drive
    // nothing. What starts no earlier than 21 April starts then, before the project. A finish no earlier than Friday 9
    // pulls two days of work to Thursday 8.
    let schedule = read_text(&mspdi(
        "",
        &[
            "<Name>long</Name><Duration>PT80H0M0S</Duration>",
            &format!(
                "<Name>manual</Name><Manual>1</Manual><Duration>PT8H0M0S</Duration><Start>2025-05-07T08:00:00</Start><Finish>2025-05-07T17:00:00</Finish>{}",
                after(1)
            ),
            "<Name>inactive</Name><Active>0</Active><Duration>PT800H0M0S</Duration>",
            &format!("<Name>free</Name><Duration>PT8H0M0S</Duration>{}", after(3)),
            "<Name>early</Name><Duration>PT8H0M0S</Duration><ConstraintType>4</ConstraintType><ConstraintDate>2025-04-21T08:00:00</ConstraintDate>",
            "<Name>not done before</Name><Duration>PT16H0M0S</Duration><ConstraintType>6</ConstraintType><ConstraintDate>2025-05-09T17:00:00</ConstraintDate>",
            &format!(
                "<Name>must start</Name><Duration>PT8H0M0S</Duration><ConstraintType>2</ConstraintType><ConstraintDate>2025-05-06T08:00:00</ConstraintDate>{}",
                after(1)
            ),
        ],
        "",
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("long", "2025-04-28", "2025-05-09"),
            ("manual", "2025-05-07", "2025-05-07"),
            ("free", "2025-04-28", "2025-04-28"),
            ("early", "2025-04-21", "2025-04-21"),
            ("not done before", "2025-05-08", "2025-05-09"),
            ("must start", "2025-05-06", "2025-05-06"),
        ],
    );
    let left_out: Vec<(&str, usize)> = (schedule.left_out.iter())
        .map(|(what, count)| (what.as_str(), *count))
        .collect();
    assert_eq!(
        left_out,
        [("dependencies on inactive tasks", 1), ("inactive tasks", 1)]
    );
}

#[test]
fn dependencies_of_summary_tasks_hold_of_what_they_consist_of() {
    // Shell: columns (Mon 28, Tue 29) and then roof (Wed 30). Fit-out, all of which waits for the shell: cables and
    // racks side by side, Thu 1 and Thu 1 to Mon 5. Test after the fit-out: Tue 6.
    let schedule = read_text(&mspdi(
        "",
        &[
            "<Name>Shell</Name><Summary>1</Summary><OutlineLevel>1</OutlineLevel>",
            "<Name>columns</Name><OutlineLevel>2</OutlineLevel><Duration>PT16H0M0S</Duration>",
            &format!(
                "<Name>roof</Name><OutlineLevel>2</OutlineLevel><Duration>PT8H0M0S</Duration>{}",
                after(2)
            ),
            &format!(
                "<Name>Fit-out</Name><Summary>1</Summary><OutlineLevel>1</OutlineLevel>{}",
                after(1)
            ),
            "<Name>cables</Name><OutlineLevel>2</OutlineLevel><Duration>PT8H0M0S</Duration>",
            "<Name>racks</Name><OutlineLevel>2</OutlineLevel><Duration>PT24H0M0S</Duration>",
            &format!(
                "<Name>test</Name><OutlineLevel>1</OutlineLevel><Duration>PT8H0M0S</Duration>{}",
                after(4)
            ),
        ],
        "",
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("roof", "2025-04-30", "2025-04-30"),
            ("cables", "2025-05-01", "2025-05-01"),
            ("racks", "2025-05-01", "2025-05-05"),
            ("test", "2025-05-06", "2025-05-06"),
        ],
    );
    let groups: Vec<&str> = schedule
        .origins
        .iter()
        .map(|origin| origin.group.as_str())
        .collect();
    assert_eq!(groups, ["Shell", "Shell", "Fit-out", "Fit-out", ""]);
}

#[test]
fn progress_goes_on_from_the_current_date_where_no_status_date_is_set() {
    // On Wednesday 30 April: "half" has three of six days left and goes on then; "done" has no actual dates, but 100 %.
    let schedule = read_text(&mspdi(
        "<CurrentDate>2025-04-30T08:00:00</CurrentDate>",
        &[
            "<Name>half</Name><Duration>PT48H0M0S</Duration><Start>2025-04-28T08:00:00</Start><Finish>2025-05-05T17:00:00</Finish><PercentComplete>50</PercentComplete>",
            "<Name>done</Name><Duration>PT16H0M0S</Duration><Start>2025-04-28T08:00:00</Start><Finish>2025-04-29T17:00:00</Finish><PercentComplete>100</PercentComplete>",
            &format!("<Name>next</Name><Duration>PT8H0M0S</Duration><Start>2025-05-06T08:00:00</Start><Finish>2025-05-06T17:00:00</Finish>{}", after(1)),
            "<Name>forgotten</Name><Duration>PT8H0M0S</Duration><Start>2025-04-28T08:00:00</Start><Finish>2025-04-28T17:00:00</Finish>",
        ],
        "",
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("half", "2025-04-28", "2025-05-02"),
            ("done", "2025-04-28", "2025-04-29"),
            ("next", "2025-05-05", "2025-05-05"),
            ("forgotten", "2025-04-30", "2025-04-30"),
        ],
    );
    let review = schedule.review().dates;
    assert_eq!((review.compared, review.kept), (3, 0));
    let topics: Vec<Topic> = review.differences.iter().map(|one| one.topic).collect();
    // The file has no calendar.
    assert_eq!(
        topics,
        [Topic::Calendar, Topic::Predecessor, Topic::DataDate]
    );
    assert!(review.sentence().starts_with(
        "0 of 3 activities keep the file's own early dates to the day; 3 differ by up to 3 days"
    ));
    assert_eq!(review.csv().lines().count(), 4);
}

#[test]
fn splits_elapsed_time_and_missing_durations() {
    // Split: two days of work with a day between them, Monday to Wednesday. Elapsed: 24 hours from Monday 8 o'clock.
    // From its dates: no duration, but Monday to
    // Thursday. Half: starts when half of these four days have passed.
    let schedule = read_text(&mspdi(
        "",
        &[
            "<Name>split</Name><Duration>PT16H0M0S</Duration><Start>2025-04-28T08:00:00</Start><Finish>2025-04-30T17:00:00</Finish>",
            "<Name>elapsed</Name><Duration>PT24H0M0S</Duration><DurationFormat>8</DurationFormat>",
            "<Name>from dates</Name><Start>2025-04-28T08:00:00</Start><Finish>2025-05-01T17:00:00</Finish>",
            "<Name>half</Name><Duration>PT8H0M0S</Duration>
      <PredecessorLink><PredecessorUID>3</PredecessorUID><Type>3</Type><LinkLag>50</LinkLag><LagFormat>19</LagFormat></PredecessorLink>",
            &format!("<Name>next</Name><Duration>PT8H0M0S</Duration>{}", after(2)),
        ],
        "",
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("split", "2025-04-28", "2025-04-30"),
            ("elapsed", "2025-04-28", "2025-04-29"),
            ("from dates", "2025-04-28", "2025-05-01"),
            ("half", "2025-04-30", "2025-04-30"),
            // From Tuesday 8 o'clock on: until Wednesday 8 o'clock if it began then.
            ("next", "2025-04-29", "2025-04-29"),
        ],
    );
    assert_warns(&schedule, "\"split\" is interrupted for 8.0 hours");
}

/// A calendar of a project file with this in it.
pub(crate) fn calendar(uid: u32, base: i32, rest: &str) -> String {
    format!(
        "<Calendar><UID>{uid}</UID><Name>calendar {uid}</Name><BaseCalendarUID>{base}</BaseCalendarUID>{rest}</Calendar>"
    )
}

#[test]
fn calendars_of_resources_work_weeks_and_exceptions_that_recur() {
    // No work on any Tuesday of 2025; in the week of 5 May work is done in the mornings alone; and the resource works on
    // Sundays, 8 to 16 o'clock, and at no other time.
    let recurring = "<Exceptions><Exception><Type>6</Type><Period>1</Period><DaysOfWeek>4</DaysOfWeek><DayWorking>0</DayWorking>
        <TimePeriod><FromDate>2025-01-01T00:00:00</FromDate><ToDate>2025-12-31T23:59:00</ToDate></TimePeriod></Exception></Exceptions>";
    let day = |number: u32, times: &str| {
        let works = u8::from(!times.is_empty());
        format!(
            "<WeekDay><DayType>{number}</DayType><DayWorking>{works}</DayWorking>{times}</WeekDay>"
        )
    };
    let times = |from: u32, to: u32| {
        format!(
            "<WorkingTimes><WorkingTime><FromTime>{from:02}:00:00</FromTime><ToTime>{to:02}:00:00</ToTime></WorkingTime></WorkingTimes>"
        )
    };
    let mornings: String = (2..=6).map(|number| day(number, &times(8, 12))).collect();
    let work_week = format!(
        "<WorkWeeks><WorkWeek><TimePeriod><FromDate>2025-05-05T00:00:00</FromDate><ToDate>2025-05-09T23:59:00</ToDate></TimePeriod><WeekDays>{mornings}</WeekDays></WorkWeek></WorkWeeks>"
    );
    let sundays: String = (1..=7)
        .map(|number| {
            day(
                number,
                &if number == 1 {
                    times(8, 16)
                } else {
                    String::new()
                },
            )
        })
        .collect();
    let head = format!(
        "<Calendars>{}{}{}{}</Calendars>",
        calendar(1, -1, ""),
        calendar(2, -1, recurring),
        calendar(3, -1, &work_week),
        calendar(4, 1, &format!("<WeekDays>{sundays}</WeekDays>")),
    );
    let schedule = read_text(&mspdi(
        &head,
        &[
            "<Name>no tuesdays</Name><Duration>PT16H0M0S</Duration><CalendarUID>2</CalendarUID>",
            "<Name>mornings</Name><Duration>PT48H0M0S</Duration><CalendarUID>3</CalendarUID>",
            "<Name>sundays</Name><Duration>PT16H0M0S</Duration><CalendarUID>-1</CalendarUID>",
        ],
        "<Resources><Resource><UID>1</UID><Name>night watch</Name><Type>1</Type><CalendarUID>4</CalendarUID></Resource></Resources>
  <Assignments><Assignment><TaskUID>3</TaskUID><ResourceUID>1</ResourceUID><Units>1</Units></Assignment></Assignments>",
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("no tuesdays", "2025-04-28", "2025-04-30"),
            // 40 hours until Friday 2 May, four on Monday 5 and four on Tuesday 6.
            ("mornings", "2025-04-28", "2025-05-06"),
            ("sundays", "2025-05-04", "2025-05-11"),
        ],
    );
}

#[test]
fn a_project_from_its_finish_and_what_is_late_as_possible_keep_the_starts_of_the_file() {
    let late = "<Name>late</Name><Duration>PT8H0M0S</Duration><Start>2025-05-07T08:00:00</Start><Finish>2025-05-07T17:00:00</Finish>";
    for (head, task) in [
        ("<ScheduleFromStart>0</ScheduleFromStart>", late.to_owned()),
        ("", format!("{late}<ConstraintType>1</ConstraintType>")),
    ] {
        let schedule = read_text(&mspdi(head, &[&task], "")).unwrap();
        assert_dates(&schedule, &[("late", "2025-05-07", "2025-05-07")]);
        assert_eq!(schedule.review().dates.kept, 1);
    }
}

// ----- Primavera

/// 1 May 2025 is day 45778 since 1899-12-30.
pub(crate) fn xer_calendar(
    id: u32,
    name: &str,
    days: std::ops::RangeInclusive<u32>,
    shifts: &[(&str, &str)],
) -> String {
    let shifts: String = (shifts.iter().enumerate())
        .map(|(at, (from, to))| format!("(0||{at}(s|{from}|f|{to})())"))
        .collect();
    let day = |number: u32| {
        let shifts = if days.contains(&number) {
            shifts.as_str()
        } else {
            ""
        };
        format!("(0||{number}()({shifts}))")
    };
    let week: String = (1..=7).map(day).collect();
    format!(
        "%R\t{id}\t{name}\t(0||CalendarData()((0||DaysOfWeek()({week}))(0||VIEW(ShowTotal|N)())(0||Exceptions()((0||0(d|45778)())))))"
    )
}

pub(crate) const SHIFTS: [(&str, &str); 2] = [("08:00", "12:00"), ("13:00", "17:00")];
pub(crate) const TASK_COLUMNS: &str = "%F\ttask_id\tproj_id\tclndr_id\ttask_type\ttask_name\tstatus_code\ttarget_drtn_hr_cnt\tremain_drtn_hr_cnt\tact_start_date\tact_end_date\tcstr_type\tcstr_date\tresume_date";

/// A file with a project, five days a week (7) but 1 May, a week of 24 hours (8) and one of six days (9).
pub(crate) fn xer(project: &str, options: &str, tasks: &[&str], links: &[&str]) -> String {
    let mut lines = vec![
        "ERMHDR\t19.12\t2025-04-01\tProject\tadmin".to_owned(),
        "%T\tMEMOTYPE".to_owned(),
        "%F\tmemo_type_id".to_owned(),
        "%R\t1\ttoo many\tvalues".to_owned(),
        "%T\tCALENDAR".to_owned(),
        "%F\tclndr_id\tclndr_name\tclndr_data".to_owned(),
        xer_calendar(7, "Five days", 2..=6, &SHIFTS),
        xer_calendar(8, "All day", 1..=7, &[("00:00", "00:00")]).replace("(0||0(d|45778)())", ""),
        xer_calendar(9, "Six days", 2..=7, &SHIFTS),
        "%T\tPROJECT".to_owned(),
        "%F\tproj_id\tproj_short_name\tplan_start_date\tclndr_id\tlast_recalc_date\texport_flag".to_owned(),
        project.to_owned(),
        "%T\tSCHEDOPTIONS".to_owned(),
        "%F\tproj_id\tsched_retained_logic\tsched_progress_override\tsched_calendar_on_relationship_lag".to_owned(),
        format!("%R\t1\t{options}"),
        "%T\tTASK".to_owned(),
        TASK_COLUMNS.to_owned(),
    ];
    lines.extend(tasks.iter().map(|task| format!("%R\t{task}")));
    lines.push("%T\tTASKPRED".to_owned());
    lines.push("%F\ttask_id\tpred_task_id\tpred_type\tlag_hr_cnt".to_owned());
    lines.extend(links.iter().map(|link| format!("%R\t{link}")));
    lines.push("%E\r\n".to_owned());
    lines.join("\r\n")
}

pub(crate) const PROJECT: &str = "%R\t1\thall 1\t2025-04-28 08:00\t7\t\tY";
pub(crate) const RETAINED: &str = "Y\tN\trcal_Predecessor";

fn by_hand_xer() -> String {
    xer(
        PROJECT,
        RETAINED,
        &[
            "1\t1\t7\tTT_Task\tA shell\t\t40",
            "2\t1\t7\tTT_Task\tB fit-out\t\t24\t\t\t\tCS_MEOB\t2025-05-07 17:00",
            "3\t1\t7\tTT_Task\tC cables\t\t32",
            "4\t1\t7\tTT_FinMile\tD done\t\t0",
            "5\t1\t7\tTT_LOE\tE supervision\t\t80",
        ],
        &[
            "2\t1\tPR_FS\t0",
            "3\t1\tPR_SS\t16",
            "4\t2\tPR_FS\t0",
            "4\t3\tPR_FS\t16",
            "5\t3\tPR_FS\t0",
        ],
    )
}

#[test]
fn primaveras_xer_gives_the_network_by_hand() {
    let schedule = read_text(&by_hand_xer()).unwrap();
    assert_dates(&schedule, &BY_HAND);
    assert_findings(&schedule);
    assert_eq!(warnings(&schedule), []);
    assert_eq!(
        schedule.left_out,
        [
            (
                "dependencies of levels of effort and summaries".to_owned(),
                1
            ),
            ("levels of effort".to_owned(), 1)
        ]
    );
}

#[test]
fn what_remains_is_done_after_the_data_date_and_its_hour() {
    // At 17 o'clock on Tuesday 6 May: A has 16 hours left, B has not begun and waits for nothing, C was suspended until
    // Friday 9 with 8 hours left, D is done.
    let project = "%R\t1\thall 1\t2025-04-28 08:00\t7\t2025-05-06 17:00\tY";
    let schedule = read_text(&xer(
        project,
        RETAINED,
        &[
            "1\t1\t7\tTT_Task\tA\tTK_Active\t80\t16\t2025-04-28 08:00",
            "2\t1\t7\tTT_Task\tB\tTK_NotStart\t80\t8",
            "3\t1\t7\tTT_Task\tC\tTK_Active\t80\t8\t2025-04-28 08:00\t\t\t\t2025-05-09 08:00",
            "4\t1\t7\tTT_Task\tD\tTK_Complete\t80\t0\t2025-04-28 08:00\t2025-05-05 17:00",
        ],
        &[],
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("A", "2025-04-28", "2025-05-08"),
            ("B", "2025-05-07", "2025-05-07"),
            ("C", "2025-04-28", "2025-05-09"),
            ("D", "2025-04-28", "2025-05-05"),
        ],
    );
    // Where nothing has begun the data date holds, too.
    let schedule = read_text(&xer(
        project,
        RETAINED,
        &["2\t1\t7\tTT_Task\tB\tTK_NotStart\t80\t8"],
        &[],
    ))
    .unwrap();
    assert_dates(&schedule, &[("B", "2025-05-07", "2025-05-07")]);
}

#[test]
fn work_out_of_sequence_waits_under_retained_logic_and_goes_on_under_progress_override() {
    // On Monday 5 May: A has not begun and takes three days, until Wednesday 7; B has begun before A, with a day left.
    let text = |options: &str| {
        xer(
            "%R\t1\thall 1\t2025-04-28 08:00\t7\t2025-05-05 00:00\tY",
            options,
            &[
                "1\t1\t7\tTT_Task\tA\tTK_NotStart\t24\t24",
                "2\t1\t7\tTT_Task\tB\tTK_Active\t16\t8\t2025-04-28 08:00",
            ],
            &["2\t1\tPR_FS\t0"],
        )
    };
    let retained = [
        ("A", "2025-05-05", "2025-05-07"),
        ("B", "2025-04-28", "2025-05-08"),
    ];
    let overridden = [
        ("A", "2025-05-05", "2025-05-07"),
        ("B", "2025-04-28", "2025-05-05"),
    ];
    assert_dates(&read_text(&text(RETAINED)).unwrap(), &retained);
    assert_dates(
        &read_text(&text("N\tY\trcal_Predecessor")).unwrap(),
        &overridden,
    );
    let mut options = ImportOptions::default();
    options.out_of_sequence = Some(OutOfSequence::ProgressOverride);
    assert_dates(
        &read(text(RETAINED).as_bytes(), &options).unwrap(),
        &overridden,
    );
}

#[test]
fn lags_run_in_the_calendar_that_the_options_name() {
    // A is over at 17 o'clock on Friday 2 May. B works all day and night, 16 hours after it:
    // Monday and Tuesday of the predecessor; Saturday 9 o'clock of the successor and around the clock; Saturday and
    // Monday of the project, which works on six days.
    for (calendar, starts) in [
        ("rcal_Predecessor", "2025-05-06"),
        ("rcal_Successor", "2025-05-03"),
        ("rcal_ProjDefault", "2025-05-05"),
        ("rcal_24Hour", "2025-05-03"),
    ] {
        let schedule = read_text(&xer(
            "%R\t1\thall 1\t2025-05-02 08:00\t9\t\tY",
            &format!("Y\tN\t{calendar}"),
            &["1\t1\t7\tTT_Task\tA\t\t8", "2\t1\t8\tTT_Task\tB\t\t2"],
            &["2\t1\tPR_FS\t16"],
        ))
        .unwrap();
        assert_dates(
            &schedule,
            &[("A", "2025-05-02", "2025-05-02"), ("B", starts, starts)],
        );
    }
}

#[test]
fn constraints_bound_early_dates_as_p6_does() {
    // Each of a day, after A, which is done on Monday 28 April.
    let schedule = read_text(&xer(
        PROJECT,
        RETAINED,
        &[
            "1\t1\t7\tTT_Task\tA\t\t8",
            "2\t1\t7\tTT_Task\tno earlier\t\t8\t\t\t\tCS_MSOA\t2025-05-06 08:00",
            "3\t1\t7\tTT_Task\tdone no earlier\t\t16\t\t\t\tCS_MEOA\t2025-05-07 17:00",
            "4\t1\t7\tTT_Task\tmust start\t\t8\t\t\t\tCS_MANDSTART\t2025-04-28 08:00",
            "5\t1\t7\tTT_Task\tno later\t\t8\t\t\t\tCS_MSOB\t2025-04-28 08:00",
            "6\t1\t7\tTT_Task\ton\t\t8\t\t\t\tCS_MEO\t2025-05-08 17:00",
        ],
        &[
            "2\t1\tPR_FS\t0",
            "3\t1\tPR_FS\t0",
            "4\t1\tPR_FS\t0",
            "5\t1\tPR_FS\t0",
            "6\t1\tPR_FS\t0",
        ],
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("no earlier", "2025-05-06", "2025-05-06"),
            ("done no earlier", "2025-05-06", "2025-05-07"),
            ("must start", "2025-04-28", "2025-04-28"),
            ("no later", "2025-04-29", "2025-04-29"),
            ("on", "2025-05-08", "2025-05-08"),
        ],
    );
    assert_warns(&schedule, "\"no later\" should start by 2025-04-28");
    assert_eq!(schedule.deadlines[0].0, "on");
}

/// At 17 o'clock on Monday 28 April, a file whose tasks have an expected finish; D has no early dates.
fn expected_finishes(flag: &str) -> String {
    let file = xer(
        "%R\t1\thall 1\t2025-04-28 08:00\t7\t2025-04-28 17:00\tY",
        &format!("{RETAINED}\t{flag}"),
        &[
            "1\t1\t7\tTT_Task\tA\tTK_Complete\t8\t0\t2025-04-28 08:00\t2025-04-28 17:00",
            "2\t1\t7\tTT_Task\tB\tTK_NotStart\t8\t8\t\t\t\t\t\t2025-04-29 08:00\t2025-05-09 17:00\t2025-05-09 17:00",
            "3\t1\t7\tTT_Task\tC\tTK_NotStart\t80\t80\t\t\t\t\t\t2025-04-29 08:00\t2025-05-05 17:00\t2025-05-05 17:00",
            "4\t1\t7\tTT_Task\tD\tTK_NotStart\t8\t8\t\t\t\t\t\t\t\t2025-05-07 17:00",
            "5\t1\t7\tTT_Task\tE\tTK_Active\t80\t72\t2025-04-28 08:00\t\t\t\t\t2025-04-29 08:00\t2025-05-06 17:00\t2025-05-06 17:00",
            "6\t1\t7\tTT_Task\tF\tTK_NotStart\t8\t8\t\t\t\t\t\t2025-04-29 08:00\t2025-04-29 17:00\t2025-04-21 17:00",
        ],
        &["2\t1\tPR_FS\t0", "3\t1\tPR_FS\t0", "4\t1\tPR_FS\t0"],
    );
    file.replace(
        TASK_COLUMNS,
        &format!("{TASK_COLUMNS}\tearly_start_date\tearly_end_date\texpect_end_date"),
    )
    .replace(
        "sched_calendar_on_relationship_lag\r\n",
        "sched_calendar_on_relationship_lag\tsched_use_expect_end_flag\r\n",
    )
}

#[test]
fn work_lasts_until_its_expected_finish_unless_the_options_leave_that_out() {
    // All go on or begin on Tuesday 29 April. B of a day lasts until its expected finish, C of ten days and the rest of E end
    // by theirs, and F keeps its duration, for its expected finish is over. D, of which the file has no start, is pulled to it.
    let schedule = read_text(&expected_finishes("Y")).unwrap();
    let expected = [
        ("B", "2025-04-29", "2025-05-09"),
        ("C", "2025-04-29", "2025-05-05"),
        ("D", "2025-05-07", "2025-05-07"),
        ("E", "2025-04-28", "2025-05-06"),
        ("F", "2025-04-29", "2025-04-29"),
    ];
    assert_dates(&schedule, &expected);
    assert_warns(
        &schedule,
        "\"B\" is expected to finish on 2025-05-09T17:00: it lasts until then",
    );
    assert_warns(
        &schedule,
        "\"D\" is expected to finish on 2025-05-07T17:00, but",
    );
    // 1 May is a holiday: ten days of work are over on Tuesday 13 May, nine on Monday 12.
    let schedule = read_text(&expected_finishes("N")).unwrap();
    assert_dates(
        &schedule,
        &[
            ("B", "2025-04-29", "2025-04-29"),
            ("C", "2025-04-29", "2025-05-13"),
            ("D", "2025-04-29", "2025-04-29"),
            ("E", "2025-04-28", "2025-05-12"),
        ],
    );
}

#[test]
fn calendars_count_hours() {
    // A: 4 hours of a five-day week, until Monday noon. B works all day and night and goes on at once for 20 hours, until
    // Tuesday 8 o'clock. C takes 12 hours of the five-day week from there on, until Wednesday noon.
    let schedule = read_text(&xer(
        PROJECT,
        RETAINED,
        &[
            "1\t1\t7\tTT_Task\tA\t\t4",
            "2\t1\t8\tTT_Task\tB\t\t20",
            "3\t1\t7\tTT_Task\tC\t\t12",
        ],
        &["2\t1\tFS\t0", "3\t2\tFS\t0"],
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("A", "2025-04-28", "2025-04-28"),
            ("B", "2025-04-28", "2025-04-29"),
            ("C", "2025-04-29", "2025-04-30"),
        ],
    );
}

#[test]
fn leads_and_levels_of_effort_by_hand() {
    // Thursday 1 May is a holiday of the calendar of five days: A takes until Monday 5. B begins two working days before
    // that, on Friday, and takes Monday and Tuesday, too. C takes two days and ends a day after B, on Wednesday 7. E begins a day
    // before C does. F waits for A and not for the level of effort, which lasts longer.
    let schedule = read_text(&xer(
        PROJECT,
        RETAINED,
        &[
            "1\t1\t7\tTT_Task\tA\t\t40",
            "2\t1\t7\tTT_Task\tB\t\t24",
            "3\t1\t7\tTT_Task\tC\t\t16",
            "4\t1\t9\tTT_Task\tE\t\t8",
            "5\t1\t7\tTT_LOE\tlevel\t\t200",
            "6\t1\t7\tTT_Task\tF\t\t8",
        ],
        &[
            "2\t1\tPR_FS\t-16",
            "3\t2\tPR_FF\t8",
            "4\t3\tPR_SS\t-8",
            "5\t1\tPR_SS\t0",
            "6\t5\tPR_FS\t0",
            "6\t1\tPR_FS\t0",
        ],
    ))
    .unwrap();
    assert_dates(
        &schedule,
        &[
            ("A", "2025-04-28", "2025-05-05"),
            ("B", "2025-05-02", "2025-05-06"),
            ("C", "2025-05-06", "2025-05-07"),
            ("E", "2025-05-05", "2025-05-05"),
            ("F", "2025-05-06", "2025-05-06"),
        ],
    );
}

#[test]
fn what_only_the_files_own_dates_tell_is_warned_of_where_it_was_never_scheduled() {
    let schedule = read_text(&xer(
        PROJECT,
        RETAINED,
        &[
            "1\t1\t7\tTT_Task\tA\t\t8",
            "2\t1\t7\tTT_Task\tlate\t\t8\t\t\t\tCS_ALAP",
            "3\t1\t7\tTT_Task\tfixed\t\t8\t\t\t\tCS_MANDFIN\t2025-04-28 17:00",
        ],
        &["2\t1\tPR_FS\t0", "3\t1\tPR_FS\t0"],
    ))
    .unwrap();
    assert_warns(
        &schedule,
        "\"late\" is as late as possible, but the file was not scheduled",
    );
    assert_warns(
        &schedule,
        "\"fixed\" must finish on 2025-04-28T17:00, but the file was not scheduled",
    );
}

#[test]
fn names_lose_what_controls_a_terminal() {
    let text = by_hand_xer()
        .replace("A shell", "\u{202b}A\u{1b}shell\u{202c}")
        .replace("hall 1", "\u{7}hall 1");
    let schedule = read_text(&text).unwrap();
    assert!(schedule.activities.iter().any(|one| one.name == "A shell"));
    assert_dates(&schedule, &BY_HAND);
}

#[test]
fn the_exported_project_with_the_most_activities_is_read_unless_others_are_named() {
    let text = xer(
        "%R\t3\tempty\t2025-04-28 08:00\t7\t\tY\r\n%R\t2\tbaseline\t2025-04-28 08:00\t7\t\tN\r\n%R\t1\thall 1\t2025-04-28 08:00\t7\t\tY",
        RETAINED,
        &[
            "1\t1\t7\tTT_Task\tA\t\t8",
            "2\t2\t7\tTT_Task\tB\t\t8",
            "3\t2\t7\tTT_Task\tC\t\t8",
        ],
        &[],
    );
    let names = |projects: &[&str]| {
        let mut options = ImportOptions::default();
        options.projects = projects.iter().map(|&name| name.to_owned()).collect();
        let schedule = read(text.as_bytes(), &options)?;
        let names: Vec<String> = schedule
            .activities
            .iter()
            .map(|one| one.name.clone())
            .collect();
        Ok::<_, ImportError>((schedule.name, names.join(" ")))
    };
    assert_eq!(names(&[]).unwrap(), ("hall 1".into(), "A".into()));
    assert_eq!(names(&["baseline"]).unwrap().1, "B C");
    assert_eq!(names(&["hall 1", "baseline"]).unwrap().1, "A B C");
    let error = names(&["hall"]).unwrap_err().to_string();
    assert!(
        error.contains("there are: empty, baseline, hall 1"),
        "{error}"
    );
}

#[test]
fn a_rule_puts_uncertainty_on_what_was_imported() {
    let mut schedule = read_text(&by_hand_mspdi()).unwrap();
    let spread = Spread {
        least: 0.9,
        mode: 1.0,
        most: 1.4,
    };
    assert_eq!(schedule.spread("*shell*", &spread), 1);
    assert_eq!(schedule.spread("*done*", &spread), 0, "it has no duration");
    let model = schedule.to_scenario(24).compile().unwrap();
    assert_eq!(model.input_names().collect::<Vec<_>>(), ["hall 1/A shell"]);
    let report = model.schedule_report(1, 2_000, None).unwrap();
    let shell = &report.activities[0];
    // One week of 7 / 30.4375 months, times the mean of PERT(0.9, 1, 1.4): 1.05.
    let week = 7.0 / 30.4375;
    assert!((shell.mean_duration_months / week - 1.05).abs() < 0.01);
    assert_eq!(shell.criticality_index, 1.0);
}

#[test]
fn what_was_imported_reads_back_from_its_file() {
    for text in [by_hand_mspdi(), by_hand_xer()] {
        let scenario = read_text(&text).unwrap().to_scenario(24);
        let written = scenario.to_toml().unwrap();
        assert_eq!(
            buildout::Scenario::from_toml(&written).unwrap(),
            scenario,
            "{written}"
        );
    }
}

// ----- Damage

#[test]
fn damage_is_reported_with_its_line() {
    let line = |result: Result<Imported, ImportError>| {
        let error = result.unwrap_err();
        (error.line, error.message)
    };
    let text = by_hand_mspdi();
    let at = |words: &str| 1 + text[..text.find(words).unwrap()].matches('\n').count();
    let cut = &text[..text.find("<Name>C cables").unwrap()];
    assert_eq!(line(read_text(cut)).0, at("<Name>C cables"));
    let (found, message) = line(read_text(&text.replace("PT24H", "3 days")));
    assert_eq!(
        (found, message.as_str()),
        (at("PT24H"), "\"3 days\" is not a duration")
    );
    let schedule = read_text(&text.replace("<PredecessorUID>3<", "<PredecessorUID>33<")).unwrap();
    assert_warns(&schedule, "on task 33, which is not in the file");
    assert_eq!(schedule.warnings[0].line, at("<PredecessorUID>3<"));

    let text = by_hand_xer();
    let at = |words: &str| 1 + text[..text.find(words).unwrap()].matches('\n').count();
    assert_warns(
        &read_text(&text.replace("%E\r\n", "")).unwrap(),
        "without %E",
    );
    let cut = &text[..text.find("\tPR_SS").unwrap()];
    assert!(line(read_text(cut)).1.contains("cut off"));
    assert_eq!(
        line(read_text(&text.replace("\t24\t", "\tmany\t"))).0,
        at("B fit-out")
    );
    let schedule = read_text(&text.replace("3\t1\tPR_SS", "3\t99\tPR_SS")).unwrap();
    assert_warns(&schedule, "on a task that is not in the file (99)");
    let schedule = read_text(&text.replace(
        "(0||Exceptions()((0||0(d|45778",
        "(0||Exceptions((0||0(d|45778",
    ))
    .unwrap();
    assert_warns(&schedule, "calendar \"Five days\" is damaged");
    assert!(line(read_text("<Project/>")).1.contains("no activity"));
    assert!(line(read_text("a,b,c")).1.contains("neither"));
}

#[test]
fn encodings_are_recognised() {
    let text = by_hand_xer()
        .replace("A shell", "变电站土建施工")
        .replace("B fit-out", "设备安装调试");
    let (gbk, ..) = encoding_rs::GBK.encode(&text);
    let utf_16: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [
        gbk.into_owned(),
        utf_16,
        format!("\u{feff}{text}").into_bytes(),
    ] {
        let schedule = read(&bytes, &ImportOptions::default()).unwrap();
        assert_eq!(schedule.activities[0].name, "变电站土建施工");
    }
}

/// Wherever a file is cut off or altered, it is read or refused with a line of its own, and what is read can be looked at.
#[test]
#[ignore = "slow"]
fn no_damage_goes_further_than_a_refusal() {
    let (project, primavera) = (by_hand_mspdi(), by_hand_xer());
    let mut read_all_the_same = 0;
    let mut look = |text: &str| match read_text(text) {
        Ok(schedule) => {
            read_all_the_same += 1;
            schedule.review();
        }
        Err(error) => {
            let lines = text.lines().count().max(1) + 1;
            assert!((1..=lines).contains(&error.line), "{error}");
        }
    };
    for at in (0..project.len()).step_by(61) {
        look(&project[..at]);
        for put in ["9", "-", "<", "\""] {
            look(&format!("{}{put}{}", &project[..at], &project[at + 1..]));
        }
    }
    for at in (0..primavera.len()).step_by(29) {
        look(&primavera[..at]);
        for put in ["9", "-", "(", "|", "\t", "\n"] {
            look(&format!(
                "{}{put}{}",
                &primavera[..at],
                &primavera[at + 1..]
            ));
        }
    }
    assert!(read_all_the_same > 100, "{read_all_the_same}");
}
