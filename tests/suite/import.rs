//! Schedules of other tools, against networks computed by hand.
#![cfg(feature = "import")]
#![allow(missing_docs, clippy::unwrap_used)]

use buildout::import::{Finding, Imported, Spread, mspdi, xer};

/// In both formats, in working days of eight hours, Monday to Friday, 1 May 2025 a holiday:
///
/// - A (5 days) from Monday 28 April: Mon, Tue, Wed, (Thu is the holiday), Fri, Mon 5 May.
/// - B (3 days) after A: Tue 6, Wed 7, Thu 8.
/// - C (4 days) starts 2 working days after A starts: Wed 30 April, Fri 2, Mon 5, Tue 6.
/// - D, a milestone, after B and 2 working days after C: C is over when Wed 7 begins, and
///   two days later Fri 9 begins; B is over when Fri 9 begins. Both drive it.
fn assert_is_the_network_by_hand(schedule: &Imported) {
    let scenario = schedule.to_scenario(24);
    let model = scenario.compile().unwrap_or_else(|error| panic!("{error}"));
    let network = model.network();
    let path = network.critical_path(&model.planned_inputs(), None);
    let campus = &scenario.campuses[0].name;
    let day = |months: f64| {
        schedule
            .start
            .plus_months(months + 2e-6)
            .unwrap()
            .to_string()
    };
    for (name, start, end, float_is_zero) in [
        ("A", "2025-04-28", "2025-05-06", true),
        ("B", "2025-05-06", "2025-05-09", true),
        ("C", "2025-04-30", "2025-05-07", true),
        ("D", "2025-05-09", "2025-05-09", true),
    ] {
        let activity = schedule
            .activities
            .iter()
            .find(|activity| activity.name.starts_with(name));
        let node = network
            .find(&format!("{campus}/{}", activity.unwrap().name))
            .unwrap();
        assert_eq!(day(path.early_start(node)), start, "{name}");
        assert_eq!(day(path.early_finish(node)), end, "{name}");
        assert_eq!(path.total_float(node).abs() < 1e-6, float_is_zero, "{name}");
    }
}

const MSPDI: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Project xmlns="http://schemas.microsoft.com/project">
  <Name>hall 1</Name>
  <StartDate>2025-04-28T08:00:00</StartDate>
  <CalendarUID>1</CalendarUID>
  <Calendars>
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
  </Calendars>
  <Tasks>
    <Task><UID>0</UID><Name>hall 1</Name><Summary>1</Summary><OutlineLevel>0</OutlineLevel></Task>
    <Task><UID>9</UID><Name>Shell</Name><Summary>1</Summary><OutlineLevel>1</OutlineLevel></Task>
    <Task><UID>1</UID><Name>A shell</Name><Duration>PT40H0M0S</Duration><DurationFormat>7</DurationFormat></Task>
    <Task><UID>2</UID><Name>B fit-out</Name><Duration>PT24H0M0S</Duration>
      <Deadline>2025-05-07T17:00:00</Deadline>
      <PredecessorLink><PredecessorUID>1</PredecessorUID><Type>1</Type><LinkLag>0</LinkLag></PredecessorLink></Task>
    <Task><UID>3</UID><Name>C cables</Name><Duration>PT32H0M0S</Duration>
      <PredecessorLink><PredecessorUID>1</PredecessorUID><Type>3</Type><LinkLag>9600</LinkLag><LagFormat>7</LagFormat></PredecessorLink></Task>
    <Task><UID>4</UID><Name>D done</Name><Duration>PT0H0M0S</Duration><Milestone>1</Milestone>
      <PredecessorLink><PredecessorUID>2</PredecessorUID><Type>1</Type></PredecessorLink>
      <PredecessorLink><PredecessorUID>3</PredecessorUID><Type>1</Type><LinkLag>9600</LinkLag><LagFormat>7</LagFormat></PredecessorLink>
      <PredecessorLink><PredecessorUID>9</PredecessorUID><Type>1</Type></PredecessorLink></Task>
  </Tasks>
  <Resources>
    <Resource><UID>1</UID><Name>fitters</Name><Type>1</Type><MaxUnits>2.00</MaxUnits></Resource>
    <Resource><UID>2</UID><Name>concrete</Name><Type>0</Type></Resource>
  </Resources>
  <Assignments>
    <Assignment><TaskUID>2</TaskUID><ResourceUID>1</ResourceUID><Units>1</Units></Assignment>
    <Assignment><TaskUID>3</TaskUID><ResourceUID>1</ResourceUID><Units>1</Units></Assignment>
  </Assignments>
</Project>
"#;

fn xer_text() -> String {
    // 1 May 2025 is day 45778 since 1899-12-30.
    let day = |number: u32, shifts: &str| format!("(0||{number}()({shifts}))");
    let shifts = "(0||0(s|08:00|f|12:00)())(0||1(s|13:00|f|17:00)())";
    let week: String = (1..=7)
        .map(|number| {
            day(
                number,
                if (2..=6).contains(&number) {
                    shifts
                } else {
                    ""
                },
            )
        })
        .collect();
    let calendar = format!(
        "(0||CalendarData()((0||DaysOfWeek()({week}))(0||VIEW(ShowTotal|N)())(0||Exceptions()((0||0(d|45778)())))))"
    );
    [
        "ERMHDR\t19.12\t2025-04-01\tProject\tadmin",
        "%T\tCALENDAR",
        "%F\tclndr_id\tclndr_name\tclndr_data",
        &format!("%R\t7\tFive days\t{calendar}"),
        "%T\tPROJECT",
        "%F\tproj_id\tproj_short_name\tplan_start_date\tclndr_id",
        "%R\t1\thall 1\t2025-04-28 08:00\t7",
        "%T\tRSRC",
        "%F\trsrc_id\trsrc_name\trsrc_type",
        "%R\t5\tfitters\tRT_Labor",
        "%T\tTASK",
        "%F\ttask_id\tproj_id\tclndr_id\ttask_type\ttask_code\ttask_name\ttarget_drtn_hr_cnt\tcstr_type\tcstr_date",
        "%R\t1\t1\t7\tTT_Task\tA\tshell\t40\t\t",
        "%R\t2\t1\t7\tTT_Task\tB\tfit-out\t24\tCS_MEOB\t2025-05-07 17:00",
        "%R\t3\t1\t7\tTT_Task\tC\tcables\t32\t\t",
        "%R\t4\t1\t7\tTT_FinMile\tD\tdone\t0\t\t",
        "%R\t5\t1\t7\tTT_LOE\tE\tsupervision\t80\t\t",
        "%T\tTASKPRED",
        "%F\ttask_pred_id\ttask_id\tpred_task_id\tpred_type\tlag_hr_cnt",
        "%R\t1\t2\t1\tPR_FS\t0",
        "%R\t2\t3\t1\tPR_SS\t16",
        "%R\t3\t4\t2\tPR_FS\t0",
        "%R\t4\t4\t3\tPR_FS\t16",
        "%R\t5\t5\t3\tPR_FS\t0",
        "%E",
        "",
    ]
    .join("\r\n")
}

fn assert_findings(schedule: &Imported) {
    let name = |letter: &str| {
        let activity = schedule
            .activities
            .iter()
            .find(|activity| activity.name.starts_with(letter));
        activity.unwrap().name.clone()
    };
    let findings = schedule.findings();
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert_eq!(findings[0], Finding::OpenStart(name("A")));
    assert_eq!(findings[1], Finding::OpenEnd(name("D")));
    // Over by the end of Thursday 8 May, due by the end of Wednesday: one day of 31.
    let Finding::NegativeFloat {
        activity,
        missed_by_months,
    } = &findings[2]
    else {
        panic!("{findings:?}");
    };
    assert_eq!(*activity, name("B"));
    assert!(
        (missed_by_months - 1.0 / 31.0).abs() < 0.001,
        "{missed_by_months}"
    );
}

#[test]
fn microsoft_projects_xml_gives_the_network_by_hand() {
    let schedule = mspdi::read(MSPDI).unwrap();
    assert_is_the_network_by_hand(&schedule);
    assert_findings(&schedule);
    assert_eq!(schedule.crews.len(), 1);
    assert_eq!(schedule.crews[0].capacity, 2);
    let warnings: Vec<(usize, &str)> = (schedule.warnings.iter())
        .map(|warning| (warning.line, warning.message.as_str()))
        .collect();
    assert_eq!(
        warnings,
        [
            (
                34,
                "the dependency of \"D done\" on summary task \"Shell\" is left out"
            ),
            (38, "resource \"concrete\" is left out: it does no work"),
        ]
    );
}

#[test]
fn primaveras_xer_gives_the_network_by_hand() {
    let schedule = xer::read(xer_text().as_bytes()).unwrap();
    assert_is_the_network_by_hand(&schedule);
    assert_findings(&schedule);
    let warnings: Vec<(usize, &str)> = (schedule.warnings.iter())
        .map(|warning| (warning.line, warning.message.as_str()))
        .collect();
    assert_eq!(
        warnings,
        [
            (
                14,
                "\"fit-out\" must finish by 2025-05-07: checked, but not enforced"
            ),
            (
                17,
                "\"supervision\" is left out: its dates follow from others"
            ),
            (24, "the dependency of 5 on 3 is left out with one of them"),
        ]
    );
}

#[test]
fn a_rule_puts_uncertainty_on_what_was_imported() {
    let mut schedule = mspdi::read(MSPDI).unwrap();
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
fn damaged_files_are_refused_with_the_line() {
    let line = |result: Result<Imported, buildout::import::ImportError>| {
        let error = result.unwrap_err();
        (error.line, error.message)
    };
    // Cut off in the middle.
    let cut = &MSPDI[..MSPDI.find("<Name>C cables").unwrap()];
    assert_eq!(line(mspdi::read(cut)).0, 29);
    let (at, message) = line(mspdi::read(&MSPDI.replace("PT24H0M0S", "3 days")));
    assert_eq!((at, message.as_str()), (26, "\"3 days\" is not a duration"));
    let (at, message) = line(mspdi::read(
        &MSPDI.replace("<PredecessorUID>3<", "<PredecessorUID>33<"),
    ));
    assert_eq!(at, 33);
    assert!(message.contains("33"), "{message}");

    let text = xer_text();
    let (at, message) = line(xer::read(text.replace("%E\r\n", "").as_bytes()));
    assert_eq!((at, message.contains("cut off")), (24, true));
    assert_eq!(
        line(xer::read(text.replace("\t24\tCS", "\tmany\tCS").as_bytes())).0,
        14
    );
    assert_eq!(
        line(xer::read(
            text.replace("2\t3\t1\tPR_SS", "2\t3\t99\tPR_SS").as_bytes()
        ))
        .0,
        21
    );
    assert_eq!(
        line(xer::read(
            text.replace("(0||Exceptions()", "(0||Exceptions")
                .as_bytes()
        ))
        .0,
        4
    );
    assert_eq!(line(xer::read(b"<Project/>")).0, 1);
}

/// Wherever a file is cut off or altered, it is read or refused with a line of its own, and what is
/// read can be looked at.
#[test]
fn no_damage_goes_further_than_a_refusal() {
    let text = xer_text();
    let mut read_all_the_same = 0;
    let mut look = |result: Result<Imported, buildout::import::ImportError>, lines| match result {
        Ok(schedule) => {
            read_all_the_same += 1;
            schedule.findings();
        }
        Err(error) => assert!((1..=lines).contains(&error.line), "{error}"),
    };
    let lines = |text: &str| text.lines().count().max(1) + 1;
    for at in (0..MSPDI.len()).step_by(7) {
        look(mspdi::read(&MSPDI[..at]), lines(MSPDI));
        for put in ["9", "-", "<", ">", "\t", "\""] {
            let altered = format!("{}{put}{}", &MSPDI[..at], &MSPDI[at + 1..]);
            look(mspdi::read(&altered), lines(&altered));
        }
    }
    for at in (0..text.len()).step_by(5) {
        look(xer::read(&text.as_bytes()[..at]), lines(&text));
        for put in ["9", "-", "(", "|", "\t", "\n"] {
            let altered = format!("{}{put}{}", &text[..at], &text[at + 1..]);
            look(xer::read(altered.as_bytes()), lines(&altered));
        }
    }
    assert!(read_all_the_same > 100, "{read_all_the_same}");
}
