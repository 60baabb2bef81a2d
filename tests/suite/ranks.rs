//! `buildout run` on several ranks, where there is an `mpirun`.
#![cfg(all(feature = "cli", feature = "mpi"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/first.toml");

fn run(ranks: u32, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("mpirun");
    command
        .args([
            "-n",
            &ranks.to_string(),
            "--oversubscribe",
            "--allow-run-as-root",
        ])
        .arg(env!("CARGO_BIN_EXE_buildout"))
        .args(["run", SCENARIO, "--format", "json"])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn has_mpirun() -> bool {
    Command::new("mpirun")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn alone(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_buildout"))
        .args(["run", SCENARIO, "--format", "json"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn ranks_give_the_bytes_of_one_process_and_leave_nothing_behind() {
    if !has_mpirun() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for more in [
        &["--trials", "1003"][..],
        &["--trials", "256", "--design", "sobol"],
    ] {
        let arguments = [&["--seed", "5"], more].concat();
        let expected = alone(&arguments);
        for ranks in [1, 4] {
            let output = run(ranks, folder.path(), &arguments).output().unwrap();
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{words}");
            assert!(output.stdout == expected, "{ranks} ranks: {words}");
            assert_eq!(words.matches("should one fail").count(), 1, "{words}");
        }
    }
    assert_eq!(files(folder.path()), Vec::<String>::new());
    let output = run(2, folder.path(), &["--until", "p50(A1 live)=1"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--until runs in one process"));
}

/// The processes that a launcher has started.
fn children(launcher: &Child) -> Vec<String> {
    let id = launcher.id();
    let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    list.unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_rank_that_dies_ends_the_run_which_goes_on_from_what_all_have_saved() {
    if !has_mpirun() || !Path::new("/proc/self/task").exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trials = ["--trials", "20000", "--seed", "9", "--threads", "1"];
    let arguments = [&trials[..], &["--checkpoint", "run.part"]].concat();
    // Saved after every block, so that it can be disturbed soon and does not end before.
    let slow = [&arguments[..], &["--checkpoint-every", "0"]].concat();
    let mut launcher = run(3, folder.path(), &slow).spawn().unwrap();
    let began = Instant::now();
    // All three have saved something.
    while files(folder.path())
        .iter()
        .filter(|name| name.starts_with("run.part.rank-"))
        .count()
        < 3
    {
        assert!(
            launcher.try_wait().unwrap().is_none(),
            "it was over before it could be disturbed"
        );
        assert!(began.elapsed() < Duration::from_secs(100));
        std::thread::sleep(Duration::from_millis(20));
    }
    let ranks = children(&launcher);
    assert_eq!(ranks.len(), 3);
    let killed = Command::new("kill")
        .args(["-9", &ranks[1]])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = launcher.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());

    let refused = run(2, folder.path(), &arguments).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--resume"));
    let resumed = [&arguments[..], &["--resume"]].concat();
    let output = run(2, folder.path(), &resumed).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    assert!(output.stdout == alone(&trials), "{words}");
    let mut left = files(folder.path());
    // The file that the dead one was about to write is nobody's.
    left.retain(|name| !name.starts_with(".buildout-checkpoint-"));
    assert_eq!(left, ["run.part"]);
}

#[test]
fn analyses_on_ranks_say_what_one_process_says() {
    if !has_mpirun() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let wholesale = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/wholesale.toml");
    let plans = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/comparisons/wholesale.toml"
    );
    for arguments in [
        &["drivers", SCENARIO, "--of", "A1 live", "--trials", "3000"][..],
        &[
            "worth",
            wholesale,
            "--certain",
            "*/design and permit",
            "--trials",
            "300",
        ],
        &["decide", plans, "--trials", "100"],
    ] {
        let arguments = [arguments, &["--format", "json", "--quiet"]].concat();
        let alone = Command::new(env!("CARGO_BIN_EXE_buildout"))
            .args(&arguments)
            .output()
            .unwrap();
        assert!(alone.status.success());
        let together = Command::new("mpirun")
            .args(["-n", "3", "--oversubscribe", "--allow-run-as-root"])
            .arg(env!("CARGO_BIN_EXE_buildout"))
            .args(&arguments)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&together.stderr);
        assert!(together.stdout == alone.stdout, "{arguments:?}: {words}");
    }
    assert_eq!(files(folder.path()), Vec::<String>::new());
}
