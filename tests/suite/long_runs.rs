//! Runs that are split, interrupted, killed and gone on with, as a job script meets them.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.toml"))
}

fn qingyang() -> PathBuf {
    example("qingyang")
}

/// Short, so that a test takes seconds.
const RUN: [&str; 8] = [
    "--trials",
    "700",
    "--seed",
    "7",
    "--format",
    "json",
    "--set",
    "horizon_months=24",
];
const TARGETS: [&str; 2] = ["--set", "targets=[]"];

fn command(subcommand: &str, arguments: &[&str]) -> Command {
    command_of(&qingyang(), subcommand, arguments)
}

fn command_of(scenario: &Path, subcommand: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_buildout"));
    command.arg(subcommand);
    if subcommand != "merge" {
        command.arg(scenario).args(TARGETS);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

#[track_caller]
fn succeeded(output: Output) -> String {
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn failed(output: Output, status: i32, word: &str) {
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{errors}");
    assert!(output.stdout.is_empty());
    assert!(errors.contains(word), "\"{word}\" is not in\n{errors}");
}

fn run(arguments: &[&str]) -> Output {
    run_of(&qingyang(), arguments)
}

fn run_of(scenario: &Path, arguments: &[&str]) -> Output {
    command_of(scenario, "run", &[&RUN[..], arguments].concat())
        .output()
        .unwrap()
}

#[test]
#[ignore = "slow"]
fn json_is_the_same_for_any_number_of_threads() {
    let wholesale = example("wholesale");
    for design in ["random", "antithetic", "latin-hypercube", "sobol"] {
        let few = ["--design", design, "--replicates", "4", "--threads"];
        let one = succeeded(run_of(&wholesale, &[&few[..], &["1"]].concat()));
        for threads in ["2", "3", "8"] {
            let several = succeeded(run_of(&wholesale, &[&few[..], &[threads]].concat()));
            assert!(one == several, "{design}, {threads} threads");
        }
        let json: Value = serde_json::from_str(&one).unwrap();
        let method = json["design"]["method"].as_str().unwrap().replace('_', "-");
        assert_eq!(method, design);
        let live = &json["milestones"]["B1 live"];
        assert!(live["p10_std_error"].as_f64().unwrap() > 0.0);
    }
}

#[test]
#[ignore = "slow"]
fn seven_shards_merge_in_any_order_to_the_bytes_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let wholesale = example("wholesale");
    for design in ["random", "sobol"] {
        let whole = succeeded(run_of(&wholesale, &["--design", design]));
        let files: Vec<String> = (0..7)
            .map(|index| {
                let file = folder.path().join(format!("{design}-{index}"));
                let file = file.to_str().unwrap().to_owned();
                let shard = format!("{index}/7");
                let arguments = [
                    "--trials",
                    "700",
                    "--seed",
                    "7",
                    "--set",
                    "horizon_months=24",
                    "--design",
                    design,
                    "--checkpoint",
                    &file,
                    "--shard",
                    &shard,
                ];
                let output = command_of(&wholesale, "run", &arguments).output().unwrap();
                assert_eq!(succeeded(output), "");
                file
            })
            .collect();
        for order in [[0, 1, 2, 3, 4, 5, 6], [4, 2, 6, 0, 5, 3, 1]] {
            let mut arguments: Vec<&str> = order.iter().map(|at| files[*at].as_str()).collect();
            arguments.extend(["--format", "json"]);
            let merged = succeeded(command("merge", &arguments).output().unwrap());
            assert!(merged == whole, "{design}");
        }
        let some: Vec<&str> = files[1..].iter().map(String::as_str).collect();
        let output = command("merge", &some).output().unwrap();
        failed(output, 1, "trials 0 to 99 of 700 are missing");
        let twice = [&some[..], &some[..1]].concat();
        failed(
            command("merge", &twice).output().unwrap(),
            1,
            "are in both parts",
        );
        let partial = [&some[..], &["--partial", "--format", "json"]].concat();
        let partial: Value =
            serde_json::from_str(&succeeded(command("merge", &partial).output().unwrap())).unwrap();
        assert_eq!(partial["trials"], 600);
    }
}

/// Killed at random moments and gone on with, again and again, until it is done.
#[test]
#[ignore = "slow"]
#[cfg(unix)]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let whole = succeeded(run(&[]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    let file = file.to_str().unwrap();
    let arguments = [
        &RUN[..],
        &["--checkpoint", file, "--checkpoint-every", "0", "--resume"],
    ]
    .concat();
    let printed = folder.path().join("printed");
    let mut kills = 0;
    let mut pause = 60;
    let resumed = loop {
        // To a file: a pipe that nobody reads yet would hold the process up.
        let mut child = command("run", &arguments)
            .stdout(fs::File::create(&printed).unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Longer each time, so that the test ends on slow machines too.
        std::thread::sleep(Duration::from_millis(pause + 37 * (kills % 5)));
        pause += pause / 4;
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            break fs::read_to_string(&printed).unwrap();
        }
        assert_eq!(output.status.code(), None, "{output:?}");
    };
    assert!(kills > 0, "it was never killed");
    assert!(resumed == whole);
    // Nothing is left of those that were killed while they wrote.
    assert_eq!(names(folder.path()), ["checkpoint", "printed"]);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = (fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

/// Killed with its checkpoint half written: the run that resumes tidies up.
#[test]
#[ignore = "slow"]
#[cfg(target_os = "linux")]
fn what_a_killed_run_left_half_written_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    succeeded(run(&["--checkpoint", file.to_str().unwrap()]));
    // A process that reaches the greatest size of a file is killed by the signal of that name in the midst of writing.
    let script = format!(
        "ulimit -c 0; ulimit -f 8; exec {} run {} {} --quiet --checkpoint {} --resume --trials 800",
        env!("CARGO_BIN_EXE_buildout"),
        qingyang().display(),
        "--seed 7 --set horizon_months=24 --set 'targets=[]'",
        file.display()
    );
    let killed = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(killed.status.code(), None, "{killed:?}");
    let left = names(folder.path());
    assert!(left[0].starts_with(".checkpoint.buildout-"), "{left:?}");
    // Its claim to the file, which nobody holds any more.
    assert_eq!(left[1..], [".checkpoint.lock", "checkpoint"]);
    let resumed = run(&["--checkpoint", file.to_str().unwrap(), "--resume"]);
    assert!(!succeeded(resumed).is_empty());
    assert_eq!(names(folder.path()), ["checkpoint"]);
}

#[test]
#[ignore = "slow"]
#[cfg(unix)]
fn an_interrupted_run_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = RUN.to_vec();
    arguments[1] = "4000000000";
    let mut pause = 500;
    let interrupted = loop {
        let child = command("run", &arguments)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        let signal = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(signal.unwrap().success());
        let output = child.wait_with_output().unwrap();
        if output.status.code() == Some(130) {
            break String::from_utf8(output.stderr).unwrap();
        }
        // It had not begun to listen yet.
        assert_eq!(output.status.code(), None, "{output:?}");
        pause *= 2;
    };
    assert!(
        interrupted.contains("qingyang-seed-7.checkpoint"),
        "{interrupted}"
    );
    let hint = interrupted
        .lines()
        .find_map(|line| line.trim().strip_prefix("to resume: "))
        .unwrap();
    // The command continues; here to a number of trials that has been passed, or soon is.
    let hint = hint.replacen("--trials 4000000000", "--trials 700", 1);
    let output = Command::new("sh")
        .args(["-c", &hint])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let resumed: Value = serde_json::from_str(&succeeded(output)).unwrap();
    let trials = resumed["trials"].as_u64().unwrap().to_string();
    assert!(trials.parse::<u64>().unwrap() >= 700);
    arguments[1] = &trials;
    let whole = succeeded(command("run", &arguments).output().unwrap());
    assert_eq!(resumed, serde_json::from_str::<Value>(&whole).unwrap());
}

#[test]
#[ignore = "slow"]
fn checkpoints_of_other_runs_and_damaged_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    let path = file.to_str().unwrap();
    succeeded(run(&["--checkpoint", path]));
    failed(run(&["--checkpoint", path]), 1, "--resume");
    let resume = |more: &[&str]| run(&[&["--checkpoint", path, "--resume"], more].concat());
    failed(
        resume(&["--set", "standard_rack_power_kw=3"]),
        1,
        "contents have changed",
    );
    failed(resume(&["--set", "name='other'"]), 1, "scenario");
    failed(resume(&["--design", "sobol"]), 1, "design");
    let mut seed = RUN.to_vec();
    seed[3] = "8";
    let seed = [&seed[..], &["--checkpoint", path, "--resume"]].concat();
    failed(command("run", &seed).output().unwrap(), 1, "seed");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    failed(resume(&[]), 1, "cut off");
    let mut damaged = whole.clone();
    let place = damaged.len() - 500;
    damaged[place] ^= 4;
    fs::write(&file, &damaged).unwrap();
    failed(resume(&[]), 1, "checksum is wrong");
    assert_eq!(
        fs::read(&file).unwrap(),
        damaged,
        "a refused file is left alone"
    );
    fs::write(&file, "something else").unwrap();
    failed(resume(&[]), 1, "no checkpoint");
    let other = String::from_utf8(whole)
        .unwrap()
        .replacen("checkpoint 3", "checkpoint 9", 1);
    fs::write(&file, other).unwrap();
    failed(resume(&[]), 1, "format 9");
}

/// Trials of a run whose output is only the summary are kept with all metrics where a checkpoint is asked for.
#[test]
#[ignore = "slow"]
fn a_checkpoint_is_resumed_for_other_outputs_with_the_metrics_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    let path = file.to_str().unwrap();
    let mut summary = RUN.to_vec();
    summary.drain(4..6);
    summary[1] = "300";
    let first = [&summary[..], &["--checkpoint", path, "--quiet"]].concat();
    assert!(succeeded(command("run", &first).output().unwrap()).contains("300 trials"));
    assert_eq!(
        succeeded(run(&["--checkpoint", path, "--resume", "--quiet"])),
        succeeded(run(&["--quiet"]))
    );
    let few = folder.path().join("few");
    let kept = ["--checkpoint", few.to_str().unwrap(), "--quiet"];
    let asked = ["--metrics", "it_power_mw,take_up"];
    succeeded(run(&[&kept[..], &asked].concat()));
    let resumed = [&kept[..], &["--resume"]].concat();
    failed(run(&resumed), 1, "--metrics it_power_mw,take_up");
    succeeded(run(&[&resumed[..], &asked].concat()));
}

/// A disk that takes no more than 4 KiB a file, and a folder in which nothing can be made.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_or_a_read_only_folder_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    let script = format!(
        "trap '' XFSZ; ulimit -f 8; exec {} run {} --trials 50 --quiet --checkpoint {}",
        env!("CARGO_BIN_EXE_buildout"),
        qingyang().display(),
        file.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    failed(output, 1, "could not be written");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    failed(
        run(&["--checkpoint", "/proc/checkpoint"]),
        1,
        "could not be written",
    );
}

#[test]
fn a_run_until_goals_tells_how_well_they_are_known() {
    let goals = [
        "--until",
        "p90(Qingyang/A1 live)=0.4",
        "--until",
        "p50(installed_pflops@2024-10)=3%",
    ];
    failed(run(&goals), 2, "p90(MILESTONE)=0.1");
    let goals = [
        "--until",
        "p90(Qingyang/A1 live)=0.4",
        "--until",
        "p50(installed_pflops@2024-10)=1500",
    ];
    let output = run(&[&goals[..], &["--at-least", "200"]].concat());
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    let json: Value = serde_json::from_str(&succeeded(output)).unwrap();
    let trials = json["trials"].as_u64().unwrap();
    assert!((200..=700).contains(&trials));
    assert!(said.contains(&format!("{trials} trials:")), "{said}");
    failed(
        run(&["--until", "p90(Qingyang/A9 live)=0.2"]),
        2,
        "did you mean",
    );
    failed(
        run(&["--until", "p90(Qingyang/A1 live)=0.4", "--design", "sobol"]),
        2,
        "independent",
    );
}

#[test]
fn a_goal_may_name_an_outcome() {
    let money = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/qingyang-money.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_buildout"))
        .arg("run")
        .arg(money)
        .args(TARGETS)
        .args(["--set", "horizon_months=24", "--trials", "300"])
        .args(["--at-least", "200", "--format", "json"])
        .args([
            "--until",
            "p50(npv)=1e12",
            "--until",
            "p90(Qingyang/A1 live)=2",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(said.contains("p50(npv): "), "{said}");
    let json: Value = serde_json::from_str(&succeeded(output)).unwrap();
    assert_eq!(json["trials"], 200);
}

#[test]
fn a_replayed_trial_is_the_one_of_the_run() {
    // A run of one trial has that trial's values as its quantiles.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("part");
    let file = file.to_str().unwrap();
    let shard = [
        "--trials",
        "700",
        "--seed",
        "7",
        "--set",
        "horizon_months=24",
        "--shard",
        "411/700",
        "--checkpoint",
        file,
    ];
    succeeded(command("run", &shard).output().unwrap());
    let merge = ["--partial", "--format", "json", file];
    let one: Value =
        serde_json::from_str(&succeeded(command("merge", &merge).output().unwrap())).unwrap();
    let replay = [
        "--trial",
        "411",
        "--seed",
        "7",
        "--set",
        "horizon_months=24",
        "--format",
        "json",
    ];
    let replay: Value =
        serde_json::from_str(&succeeded(command("replay", &replay).output().unwrap())).unwrap();
    assert_eq!(one["trials"], 1);
    for (name, metric) in one["metrics"].as_object().unwrap() {
        assert_eq!(
            metric["p50"], replay["scopes"]["total"]["metrics"][name],
            "{name}"
        );
    }
    for (name, milestone) in one["milestones"].as_object().unwrap() {
        assert_eq!(milestone["p50"], replay["milestones"][name], "{name}");
    }
    let table = succeeded(command("replay", &["--trial", "411"]).output().unwrap());
    assert!(
        table.contains("Qingyang/A1/shell") && table.contains("binding"),
        "{table}"
    );
    let csv = succeeded(
        command("replay", &["--trial", "411", "--format", "csv"])
            .output()
            .unwrap(),
    );
    assert!(csv.starts_with(
        "\"scope\",\"metric\",\"month\",\"value\"\n\"total\",\"racks_built\",\"2024-01\","
    ));
}
