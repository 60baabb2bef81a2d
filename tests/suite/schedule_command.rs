//! The subcommands about schedules: import and schedule.
#![cfg(all(feature = "cli", feature = "import"))]
#![allow(clippy::unwrap_used)]

use std::fs;

use serde_json::Value;

use crate::tool::{buildout_in, err, out};

fn assert_says(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
}

/// A shell in two parts, a fit-out with a deadline it misses, a road nobody waits for, and a
/// material that is left out.
const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Project xmlns="http://schemas.microsoft.com/project">
  <Name>hall 1</Name>
  <StartDate>2025-03-03T08:00:00</StartDate>
  <Tasks>
    <Task><UID>9</UID><Name>Shell</Name><Summary>1</Summary><OutlineLevel>1</OutlineLevel></Task>
    <Task><UID>1</UID><Name>columns</Name><OutlineLevel>2</OutlineLevel><Duration>PT487H0M0S</Duration></Task>
    <Task><UID>2</UID><Name>roof</Name><OutlineLevel>2</OutlineLevel><Duration>PT730H30M0S</Duration>
      <PredecessorLink><PredecessorUID>1</PredecessorUID><Type>1</Type></PredecessorLink></Task>
    <Task><UID>3</UID><Name>fit-out</Name><OutlineLevel>1</OutlineLevel><Duration>PT1461H0M0S</Duration>
      <Deadline>2025-05-20T17:00:00</Deadline>
      <PredecessorLink><PredecessorUID>2</PredecessorUID><Type>1</Type></PredecessorLink></Task>
    <Task><UID>4</UID><Name>road</Name><OutlineLevel>1</OutlineLevel><Duration>PT730H30M0S</Duration></Task>
  </Tasks>
  <Resources><Resource><UID>2</UID><Name>concrete</Name><Type>0</Type></Resource></Resources>
</Project>
"#;

fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    folder
}

#[test]
fn an_imported_schedule_says_what_was_dropped_and_runs() {
    let folder = folder_with("hall.xml", XML);
    let import = ["import", "hall.xml", "--spread", "Shell/*=-10%/+40%"];
    let first = buildout_in(folder.path(), &import);
    assert!(first.status.success(), "{}", err(&first));
    assert!(first.stdout.is_empty());
    assert_says(
        &err(&first),
        &[
            "left out: 1 resources that do no work, 1 summary tasks",
            "no activity has a date of its own in the file to compare with",
            "see the risk \"project-wide factor\"",
            "logic: nothing comes before \"columns\" (open start)",
            "logic: nothing comes after \"road\" (open end)",
            "logic: \"fit-out\" misses its deadline by",
            "wrote hall.toml: 4 activities",
            "2 durations are uncertain",
        ],
    );
    let text = fs::read_to_string(folder.path().join("hall.toml")).unwrap();
    assert_says(
        &text,
        &[
            "# Imported from hall.xml",
            "pert = {",
            "project-wide factor",
        ],
    );
    assert!(
        buildout_in(folder.path(), &["validate", "hall.toml"])
            .status
            .success()
    );
    let run = buildout_in(folder.path(), &["run", "hall.toml", "--trials", "50"]);
    assert!(run.status.success(), "{}", err(&run));
    // Its deadline is a target, and its end a milestone.
    assert_says(
        &out(&run),
        &["fit-out by 2025-05", "all activities finished"],
    );

    // Nothing is overwritten unasked, and nothing half written stays.
    let again = buildout_in(folder.path(), &["import", "hall.xml"]);
    assert_eq!(again.status.code(), Some(1));
    assert_says(&err(&again), &["there already"]);
    assert_eq!(
        fs::read_to_string(folder.path().join("hall.toml")).unwrap(),
        text
    );
    let forced = buildout_in(folder.path(), &["import", "hall.xml", "--force", "--quiet"]);
    assert!(forced.status.success() && forced.stderr.is_empty());
    let certain = fs::read_to_string(folder.path().join("hall.toml")).unwrap();
    assert!(!certain.contains("pert"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    // The printed file is the written one.
    let printed = buildout_in(folder.path(), &["import", "hall.xml", "-", "--quiet"]);
    assert_eq!(out(&printed), certain);
}

#[test]
fn an_imported_schedule_can_be_that_of_a_building() {
    let folder = folder_with("hall.xml", XML);
    let import = [
        "import",
        "hall.xml",
        "a1.toml",
        "--building",
        "A1",
        "--racks",
        "400",
        "--rack-power-kw",
        "10",
        "--horizon-months",
        "24",
    ];
    assert!(buildout_in(folder.path(), &import).status.success());
    let run = buildout_in(
        folder.path(),
        &["run", "a1.toml", "--trials", "10", "--json", "--quiet"],
    );
    let json: Value = serde_json::from_str(&out(&run)).unwrap();
    let power = json["metrics"]["it_power_mw"]["p50"].as_array().unwrap();
    assert_eq!(power.len(), 24);
    assert_eq!(power[23], 4.0, "400 racks of 10 kW: {power:?}");
    let alone = buildout_in(
        folder.path(),
        &["import", "hall.xml", "b.toml", "--building", "A1"],
    );
    assert_eq!(alone.status.code(), Some(2));
}

#[test]
fn what_is_no_schedule_is_refused_with_its_line_and_nothing_is_written() {
    for (name, text, words) in [
        (
            "cut.xml",
            XML[..XML.find("<Task><UID>3").unwrap()].to_owned(),
            "cut.xml:10: ",
        ),
        (
            "duration.xml",
            XML.replace("PT487H0M0S", "three weeks"),
            "duration.xml:7: \"three weeks\" is not a duration",
        ),
        (
            "latin.xml",
            String::new(),
            "latin.xml:1: the file has no activity to import",
        ),
        ("empty.xer", String::new(), "empty.xer:1: "),
        (
            "cut.xer",
            "ERMHDR\t19.12\n%T\tPROJECT\n%F\tproj_id\tproj_short_name\n%R\t1\n".to_owned(),
            "cut.xer:4: the file ends within a row: it is cut off",
        ),
    ] {
        let folder = folder_with(name, &text);
        if name == "latin.xml" {
            let bytes = [
                &b"<Project>\n<Name>x</Name>\n<Title>K"[..],
                b"\xfc",
                b"hlung</Title></Project>",
            ];
            fs::write(folder.path().join(name), bytes.concat()).unwrap();
        }
        let refused = buildout_in(folder.path(), &["import", name]);
        assert_eq!(refused.status.code(), Some(2), "{name}");
        assert_says(&err(&refused), &[words]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
    // A circle makes it no schedule.
    let circle = XML.replace(
        "<Name>columns</Name>",
        "<Name>columns</Name><PredecessorLink><PredecessorUID>3</PredecessorUID><Type>1</Type></PredecessorLink>",
    );
    let folder = folder_with("circle.xml", &circle);
    let refused = buildout_in(folder.path(), &["import", "circle.xml", "--quiet"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_says(&err(&refused), &["in a circle", "nothing was written"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // So does whatever is dropped, if one asks for that.
    let folder = folder_with("hall.xml", XML);
    let strict = buildout_in(folder.path(), &["import", "hall.xml", "--strict"]);
    assert_eq!(strict.status.code(), Some(2));
    let missing = buildout_in(folder.path(), &["import", "nothing.xml"]);
    assert_eq!(missing.status.code(), Some(2));
    for spread in ["shell", "roof=+40%/-10%", "nothing like it=-10%/+40%"] {
        let wrong = buildout_in(folder.path(), &["import", "hall.xml", "--spread", spread]);
        assert_eq!(wrong.status.code(), Some(2), "{spread}");
        assert!(
            err(&wrong).contains(spread.split('=').next().unwrap()),
            "{}",
            err(&wrong)
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_update_of_the_schedule_brings_what_has_happened_into_the_scenario() {
    let folder = folder_with("hall.xml", XML);
    assert!(
        buildout_in(folder.path(), &["import", "hall.xml", "--quiet"])
            .status
            .success()
    );
    let path = folder.path().join("hall.toml");
    let noted = format!("# kept by hand\n{}", fs::read_to_string(&path).unwrap());
    fs::write(&path, noted).unwrap();
    let table = "activity,started,finished,remaining\ncolumns,2025-03-03,2025-05-23,\nroof,2025-05-26,,10 weeks\nmoat,2025-05-26,,\n";
    fs::write(folder.path().join("update.csv"), table).unwrap();
    let status = [
        "status",
        "hall.toml",
        "--from",
        "update.csv",
        "--as-of",
        "2025-06-02",
    ];
    let first = buildout_in(folder.path(), &status);
    assert!(first.status.success(), "{}", err(&first));
    assert_says(
        &err(&first),
        &[
            "as of 2025-06-02: 2 activities matched, of which 1 have finished",
            "1 not in the scenario: moat",
        ],
    );
    let text = fs::read_to_string(&path).unwrap();
    assert_says(
        &text,
        &[
            "# kept by hand",
            "as_of = \"2025-06-02\"",
            "finished = \"2025-05-23\"",
            "remaining = \"10 weeks\"",
        ],
    );
    // Said again nothing changes, and what has finished has nothing left.
    assert!(buildout_in(folder.path(), &status).status.success());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let later = "activity,started,finished\nroof,2025-05-26,2025-08-01\n";
    fs::write(folder.path().join("update.csv"), later).unwrap();
    assert!(
        buildout_in(
            folder.path(),
            &["status", "hall.toml", "--from", "update.csv"]
        )
        .status
        .success()
    );
    let text = fs::read_to_string(&path).unwrap();
    assert_says(
        &text,
        &[
            "as_of = \"2025-08-01\"",
            "finished = \"2025-05-23\"",
            "finished = \"2025-08-01\"",
        ],
    );
    assert!(!text.contains("10 weeks"));
    let none = buildout_in(
        folder.path(),
        &["status", "hall.toml", "--from", "nothing.csv"],
    );
    assert_eq!(none.status.code(), Some(2));
}

/// UTF-16 is how Windows may save it.
#[test]
fn a_schedule_in_utf_16_is_the_same_schedule() {
    let folder = folder_with("hall.xml", XML);
    let mut wide = vec![0xff, 0xfe];
    wide.extend(XML.encode_utf16().flat_map(u16::to_le_bytes));
    fs::write(folder.path().join("wide.xml"), wide).unwrap();
    let text = |name: &str| {
        let printed = out(&buildout_in(
            folder.path(),
            &["import", name, "-", "--quiet"],
        ));
        printed.split_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(text("wide.xml"), text("hall.xml"));
    assert!(text("hall.xml").contains("columns"));
}

#[test]
fn a_schedule_report_is_printed_and_written() {
    let folder = folder_with("hall.xml", XML);
    let import = ["import", "hall.xml", "--quiet", "--spread", "*=-20%/+60%"];
    assert!(buildout_in(folder.path(), &import).status.success());
    let arguments = ["schedule", "hall.toml", "--trials", "400", "--out", "out"];
    let report = buildout_in(folder.path(), &arguments);
    assert!(report.status.success(), "{}", err(&report));
    assert_says(
        &out(&report),
        &[
            "the end of all construction: P50 2026-",
            "hall 1/columns > hall 1/roof > hall 1/fit-out",
            "100 %",
        ],
    );
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    assert_eq!(read("schedule.txt"), out(&report));
    assert!(read("gantt.svg").starts_with("<svg"));
    let csv = buildout_in(
        folder.path(),
        &[
            "schedule",
            "hall.toml",
            "--trials",
            "400",
            "--format",
            "csv",
        ],
    );
    assert_eq!(out(&csv), read("schedule.csv"));
    let json: Value = serde_json::from_str(&read("schedule.json")).unwrap();
    let activities = json["activities"].as_array().unwrap();
    assert_eq!(activities.len(), 4);
    for activity in activities {
        let drives = activity["name"] != "hall 1/road";
        assert_eq!(activity["criticality_index"], f64::from(u8::from(drives)));
        assert_eq!(
            activity["plan"]["total_float_months"].as_f64().unwrap() < 1e-6,
            drives
        );
    }
    // PERT with a longer tail above: more often later than the plan of medians than not is false,
    // for the median of a sum of skewed parts lies above the sum of medians, if little.
    let by_plan = json["by_plan"].as_f64().unwrap();
    assert!((0.3..0.55).contains(&by_plan), "{by_plan}");

    let again = buildout_in(folder.path(), &arguments);
    assert_eq!(again.status.code(), Some(1));
    let unknown = [
        "schedule",
        "hall.toml",
        "--milestone",
        "all activity finished",
    ];
    let unknown = buildout_in(folder.path(), &unknown);
    assert_eq!(unknown.status.code(), Some(2));
    assert_says(
        &err(&unknown),
        &["did you mean \"all activities finished\"?"],
    );
}

/// "a" takes the whole of April, and "b" three weeks after it.
const DATES: &str = r#"name = "dates"
start = "2025-04"
horizon_months = 12

[[campuses]]
name = "c"
activities = [
  { name = "a", duration = "1 months", milestone = true },
  { name = "b", duration = "3 weeks", after = ["a"], milestone = true },
]
"#;

/// What is over with a month has finished on its last day, projected or known, in whatever words.
#[test]
fn a_milestone_has_one_date_in_all_outputs() {
    let known = |finished: &str| {
        format!(
            "{DATES}[status]\nas_of = \"2025-05-02\"\nactivities = [{{ activity = \"a\", started = \"2025-04-01\", finished = \"{finished}\" }}]\n"
        )
    };
    for text in [DATES.to_owned(), known("2025-04-30"), known("2025-04")] {
        let folder = folder_with("dates.toml", &text);
        let said = |arguments: &[&str]| {
            let output = buildout_in(folder.path(), arguments);
            assert!(output.status.success(), "{}", err(&output));
            out(&output)
        };
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let few = ["dates.toml", "--trials", "3", "--quiet"];
        said(&[&["schedule"], &few[..], &["--out", "plan"]].concat());
        let table = read("plan/schedule.csv");
        let row = table
            .lines()
            .find(|line| line.starts_with("\"c/a\""))
            .unwrap();
        let cells: Vec<&str> = row.split(',').collect();
        // The early start and finish of the plan, and P50 of the finish.
        assert_eq!(
            (cells[1], cells[2], cells[11]),
            ("2025-04-01", "2025-04-30", "2025-04-30")
        );
        let json: Value =
            serde_json::from_str(&said(&[&["run"], &few[..], &["--json"]].concat())).unwrap();
        assert_eq!(json["milestones"]["a"]["dates"]["p50"], "2025-04-30");
        let printed = said(&[&["run"], &few[..], &["--out", "page"]].concat());
        assert_says(&printed, &["a  Apr 2025  Apr 2025  Apr 2025    100 %"]);
        let page = read("page/report.html");
        let of_a = page.split("<tr><td>a<").nth(1).unwrap();
        let dates = of_a.split("</svg>").nth(1).unwrap();
        assert!(
            dates.starts_with("<td>Apr 2025<td>Apr 2025<td>Apr 2025<td>100 %"),
            "{dates:.80}"
        );
        let log = said(&["replay", "dates.toml", "--trial", "0"]);
        let of_log = log.lines().find(|line| line.ends_with(" a")).unwrap();
        assert!(of_log.starts_with("2025-04-30 "), "{of_log}");
    }
}

/// What varies each on its own averages out: wherever durations are uncertain a factor moves them together, unless it is left
/// out. A plan without ranges keeps its own dates, and has none.
#[test]
fn a_factor_moves_all_durations_together_where_any_is_uncertain_unless_it_is_left_out() {
    let folder = folder_with("hall.xml", XML);
    let spread = ["--spread", "*=-10%/+40%"];
    for (arguments, is_there) in [
        (vec![], false),
        (vec![spread[0], spread[1]], true),
        (vec!["--reference-class", "published"], true),
        (vec![spread[0], spread[1], "--no-project-factor"], false),
    ] {
        let import = [&["import", "hall.xml", "-", "--quiet"], &arguments[..]].concat();
        let text = out(&buildout_in(folder.path(), &import));
        let risk =
            "[[risks]]\nname = \"project-wide factor\"\nprobability = 1.0\nactivities = [\"*\"]";
        assert_eq!(text.contains(risk), is_there, "{arguments:?}\n{text}");
        assert_eq!(text.contains("[[risks]]"), is_there);
    }
}
