//! The `buildout` command, as a planner and a script meet it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use buildout::projection::metrics::{CAUSES, always_reported};
use buildout::report::summary;
use buildout::{Batch, Scenario};
use serde_json::Value;

const MONTHS: usize = 132;
const FILES: [&str; 8] = [
    "it_power.svg",
    "pflops.svg",
    "projection.csv",
    "projection.json",
    "racks.svg",
    "report.html",
    "summary.md",
    "summary.txt",
];

/// What a run leaves in its folder, in the order of names.
fn files() -> Vec<&'static str> {
    let mut files = FILES.to_vec();
    if cfg!(feature = "parquet") {
        files.push("projection.parquet");
    }
    if cfg!(feature = "excel") {
        files.push("projection.xlsx");
    }
    files.sort_unstable();
    files
}

fn qingyang() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/qingyang.toml")
}

fn command(file: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_buildout"));
    command.arg("run").arg(file).args(arguments);
    command.stdin(Stdio::null());
    command
}

fn run(file: &Path, arguments: &[&str]) -> Output {
    command(file, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// It failed with that status, said nothing on standard output, and these words on standard error.
#[track_caller]
fn assert_failed(output: &Output, status: i32, words: &[&str]) {
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{errors}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    for word in words {
        assert!(errors.contains(word), "\"{word}\" is not in\n{errors}");
    }
}

#[track_caller]
fn assert_went_well(output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn metrics_that_are_asked_for_are_gathered_and_have_the_same_numbers() {
    let json = |arguments: &[&str]| -> Value {
        let output = run(&qingyang(), arguments);
        assert_went_well(&output);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let all = json(&["--trials", "20", "--format", "json"]);
    let some = json(&[
        "--trials",
        "20",
        "--format",
        "json",
        "--metrics",
        "take_up,racks_in_service",
    ]);
    let gathered = some["metrics"].as_object().unwrap();
    let names: Vec<&str> = gathered.keys().map(String::as_str).collect();
    assert_eq!(names, ["racks_in_service", "take_up"]);
    for name in names {
        assert_eq!(some["metrics"][name], all["metrics"][name]);
    }
    assert_eq!(some["milestones"], all["milestones"]);
    assert_eq!(some["targets"], all["targets"]);
    let unknown = run(&qingyang(), &["--trials", "20", "--metrics", "takeup"]);
    assert_failed(&unknown, 2, &["takeup", "take_up"]);
}

#[test]
#[ignore = "slow"]
fn the_summary_needs_no_other_metrics_than_are_gathered_for_it() {
    // Of two there are more trials than a number has values that are kept one by one.
    for (example, trials) in [
        ("qingyang", 300),
        ("yardstick", 300),
        ("qingyang-money", 20),
        ("national-hub", 20),
    ] {
        let count = trials.to_string();
        let options = ["--trials", &count, "--seed", "3", "--quiet"];
        let file = qingyang().with_file_name(format!("{example}.toml"));
        let model = Scenario::load(&file, &[])
            .unwrap()
            .scenario
            .compile()
            .unwrap();
        let all = Batch::new(&model).seed(3).trials(trials).run().unwrap();
        let printed = run(&file, &options);
        assert_went_well(&printed);
        assert_eq!(text(&printed.stdout), summary(&all), "{example}");
    }
}

/// Beside the main thread and that which waits for Ctrl-C there is one for trials, and one for percentiles and analyses.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "slow"]
fn no_more_threads_work_than_were_asked_for() {
    let most_of = |threads: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_buildout"))
            .arg("run")
            .arg(qingyang())
            .args(["--trials", "300", "--format", "json", "--threads", threads])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let tasks = format!("/proc/{}/task", child.id());
        let mut most = 0;
        while child.try_wait().unwrap().is_none() {
            most = most.max(fs::read_dir(&tasks).map_or(0, Iterator::count));
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        most
    };
    let one = most_of("1");
    assert!(one <= 4, "{one}");
    assert!(most_of("3") > one, "threads are not counted");
}

#[test]
fn json_has_every_metric_month_by_month_and_all_threads_give_the_same() {
    let arguments = ["--trials", "50", "--format", "json", "--threads"];
    let one = run(&qingyang(), &[&arguments[..], &["1"]].concat());
    assert_went_well(&one);
    let two = run(&qingyang(), &[&arguments[..], &["2"]].concat());
    assert!(
        one.stdout == two.stdout,
        "the number of threads left a trace"
    );

    let json: Value = serde_json::from_slice(&one.stdout).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    let expected = [
        "scenario",
        "version",
        "seed",
        "trials",
        "months",
        "metrics",
        "milestones",
        "targets",
        "binding",
        "outcomes",
        "campuses",
    ];
    assert!(
        expected.iter().all(|key| keys.iter().any(|k| k == key)),
        "{keys:?}"
    );
    assert_eq!(json["scenario"], "Qingyang");
    assert_eq!(json["seed"], 1);
    assert_eq!(json["trials"], 50);
    assert_eq!(json["months"].as_array().unwrap().len(), MONTHS);
    assert_eq!(json["months"][131], "2034-12");
    for metric in always_reported() {
        let entry = &json["metrics"][metric.name];
        assert_eq!(entry["unit"], metric.unit, "{}", metric.name);
        for statistic in [
            "mean",
            "std_error",
            "p5",
            "p10",
            "p25",
            "p50",
            "p75",
            "p80",
            "p90",
            "p95",
        ] {
            let list = entry[statistic].as_array();
            assert_eq!(list.unwrap().len(), MONTHS, "{} {statistic}", metric.name);
        }
    }
    for cause in CAUSES {
        assert_eq!(json["binding"][cause].as_array().unwrap().len(), MONTHS);
    }
    assert_eq!(json["targets"].as_array().unwrap().len(), 5);
    assert!(json["milestones"]["Qingyang/A1 live"]["dates"]["p50"].is_string());
}

#[test]
fn csv_is_a_tidy_table() {
    let output = run(&qingyang(), &["--trials", "5", "--format", "csv"]);
    assert_went_well(&output);
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let columns = [
        "scenario",
        "scope",
        "metric",
        "unit",
        "month",
        "statistic",
        "value",
    ];
    assert_eq!(reader.headers().unwrap(), &columns[..]);
    let mut racks = 0;
    for record in reader.records() {
        let record = record.unwrap();
        assert_eq!(&record[0], "Qingyang");
        assert!(
            record[6].is_empty() || record[6].parse::<f64>().is_ok(),
            "{record:?}"
        );
        racks += usize::from(
            &record[1] == "total" && &record[2] == "standard_racks" && &record[5] == "p50",
        );
    }
    assert_eq!(racks, MONTHS);
}

#[test]
#[ignore = "slow"]
fn all_files_are_written_and_none_is_overwritten_unasked() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("a/b");
    let folder = out.to_str().unwrap();
    let first = run(&qingyang(), &["--trials", "5", "--out", folder]);
    assert_went_well(&first);
    assert_eq!(names(&out), files());
    assert_eq!(fs::read(out.join("summary.txt")).unwrap(), first.stdout);
    assert!(text(&first.stderr).contains("racks.svg"));
    // There is no terminal, so no progress bar either.
    assert!(!text(&first.stderr).contains("of 5 trials"));
    let json = fs::read(out.join("projection.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["trials"], 5);
    let chart = fs::read_to_string(out.join("racks.svg")).unwrap();
    assert!(chart.starts_with("<svg") && chart.contains("standard racks"));

    fs::remove_file(out.join("racks.svg")).unwrap();
    fs::write(out.join("summary.txt"), "mine").unwrap();
    let again = run(&qingyang(), &["--trials", "5", "--out", folder]);
    assert_failed(&again, 1, &["summary.txt", "there already", "--force"]);
    assert_eq!(fs::read_to_string(out.join("summary.txt")).unwrap(), "mine");
    assert!(!out.join("racks.svg").exists());

    let arguments = ["--trials", "5", "--out", folder, "--force", "--quiet"];
    let forced = run(&qingyang(), &arguments);
    assert_went_well(&forced);
    assert!(forced.stderr.is_empty(), "{}", text(&forced.stderr));
    assert_eq!(names(&out), files());
    assert_eq!(fs::read(out.join("summary.txt")).unwrap(), first.stdout);
}

#[test]
#[ignore = "slow"]
fn charts_are_drawn_of_any_metric_by_its_name() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let folder = out.to_str().unwrap();
    let arguments = ["--trials", "5", "--quiet", "--out", folder];
    let charts = ["--chart", "take_up", "--chart", "it_draw_mw"];
    assert_went_well(&run(&qingyang(), &[&arguments[..], &charts].concat()));
    for name in ["take_up.svg", "it_draw_mw.svg", "racks.svg"] {
        assert!(
            fs::read_to_string(out.join(name))
                .unwrap()
                .ends_with("</svg>\n")
        );
    }
    let wrong = ["--chart", "takeup", "--force"];
    let wrong = run(&qingyang(), &[&arguments[..], &wrong].concat());
    assert_failed(&wrong, 2, &["did you mean \"take_up\"?"]);
    let png = ["--chart", "it_draw_mw", "--chart-format", "png", "--force"];
    let png = run(&qingyang(), &[&arguments[..], &png].concat());
    if cfg!(feature = "png") {
        assert_went_well(&png);
        let picture = fs::read(out.join("it_draw_mw.png")).unwrap();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 5_000);
    } else {
        assert_failed(&png, 2, &["--features png"]);
    }
}

#[test]
fn a_bad_scenario_or_command_line_is_status_2_and_nothing_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let folder = out.to_str().unwrap();
    let bad = parent.path().join("bad.toml");
    let good = fs::read_to_string(qingyang()).unwrap();
    let worse = good.replacen("racks = 600", "racks = -600", 1).replacen(
        "horizon_months",
        "horizon_month",
        1,
    );
    assert_ne!(good, worse);
    fs::write(&bad, worse).unwrap();
    // All faults at once, with their places.
    let output = run(&bad, &["--out", folder]);
    assert_failed(&output, 2, &["bad.toml:", "-600", "horizon_months"]);
    fs::write(&bad, "name = [").unwrap();
    assert_failed(&run(&bad, &["--out", folder]), 2, &["bad.toml"]);
    let missing = parent.path().join("missing.toml");
    assert_failed(&run(&missing, &["--out", folder]), 2, &["missing.toml"]);
    for (arguments, word) in [
        (&["--set", "nonsense=3"][..], "nonsense"),
        (&["--set", "name"], "KEY=VALUE"),
        (&["--trials", "0"], "--trials"),
        (&["--trials", "many"], "--trials"),
        (&["--format", "xml"], "--format"),
        (&["--frobnicate"], "--frobnicate"),
    ] {
        let output = run(&qingyang(), &[arguments, &["--out", folder]].concat());
        assert_failed(&output, 2, &[word]);
    }
    assert_failed(&run(&qingyang(), &["--force"]), 2, &["--out"]);
    assert_eq!(names(parent.path()), ["bad.toml"]);
}

#[test]
fn a_folder_that_cannot_be_used_is_status_1() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "mine").unwrap();
    for path in [file.clone(), file.join("out")] {
        let path = path.to_str().unwrap();
        let output = run(&qingyang(), &["--trials", "5", "--out", path]);
        assert_failed(&output, 1, &["file", "cannot be used"]);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(names(parent.path()), ["file"]);
}

/// A folder in which not even the superuser can make anything.
#[cfg(target_os = "linux")]
#[test]
fn a_place_where_nothing_can_be_made_is_status_1() {
    let output = run(&qingyang(), &["--trials", "5", "--out", "/proc/buildout"]);
    assert_failed(&output, 1, &["/proc/buildout", "cannot be used"]);
}

#[cfg(unix)]
#[test]
fn a_folder_without_write_permission_is_status_1() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let locked = parent.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(locked.join("probe"), "").is_ok() {
        return; // The superuser may write anywhere.
    }
    for path in [locked.clone(), locked.join("out")] {
        let path = path.to_str().unwrap();
        let output = run(&qingyang(), &["--trials", "5", "--out", path]);
        assert_failed(&output, 1, &["locked", "cannot be used"]);
    }
    assert!(names(&locked).is_empty());
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let mut child = command(&qingyang(), &["--trials", "2", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn a_value_can_be_replaced_and_a_seed_makes_a_difference() {
    let summary = |arguments: &[&str]| {
        let output = run(&qingyang(), &[arguments, &["--trials", "5"]].concat());
        assert_went_well(&output);
        text(&output.stdout)
    };
    let renamed = summary(&["--set", "name=Elsewhere"]);
    assert!(renamed.starts_with("Elsewhere\n"), "{renamed}");
    assert!(
        renamed.lines().all(|line| line.chars().count() <= 100),
        "{renamed}"
    );
    // Beyond the heading, which names the seed.
    let body = |text: String| text.split_once("Capacity").unwrap().1.to_owned();
    assert_ne!(
        body(summary(&["--seed", "1"])),
        body(summary(&["--seed", "2"]))
    );
}
