//! What may go wrong around a run: a full disk, a kill at any moment, two processes at once, damaged files, odd targets.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::tool::err;

const SCENARIO: &str = r#"name = "faults"
start = "2025-01"
horizon_months = 24
rack_types = [{ name = "r", power_kw = 5 }]

[[campuses]]
name = "c"

[[campuses.buildings]]
name = "A"
activities = [{ name = "works", duration_months = { pert = [2, 4, 9] } }]
halls = [{ name = "h", racks = 10, rack_type = "r" }]

[[segments]]
name = "s"
outreach_per_month = 1
sign_probability = 0.5
contract_power_kw = 10
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), SCENARIO).unwrap();
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_buildout"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::null());
    command
}

fn buildout(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = (fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

/// A run in which no file may grow beyond this many blocks of 512 bytes, as on a disk that is full.
fn with_files_up_to(folder: &Path, blocks: u32, arguments: &str) -> Output {
    let binary = env!("CARGO_BIN_EXE_buildout");
    let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{binary}' {arguments}");
    Command::new("sh")
        .args(["-c", &line])
        .current_dir(folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_full_disk_loses_no_result() {
    let folder = folder();
    let whole = buildout(
        folder.path(),
        &["run", "s.toml", "--trials", "300", "--json", "--quiet"],
    );
    assert!(whole.status.success(), "{}", err(&whole));
    let output = with_files_up_to(
        folder.path(),
        8,
        "run s.toml --trials 300 --json --quiet --out out",
    );
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert_eq!(output.stdout, whole.stdout);
    assert!(
        err(&output).contains("cannot be written"),
        "{}",
        err(&output)
    );
    assert!(names(&folder.path().join("out")).is_empty());
    // Room for a checkpoint of a few trials, but not for one of all.
    let size = |name: &str, trials: &str| {
        let run = [
            "run",
            "s.toml",
            "--quiet",
            "--checkpoint",
            name,
            "--trials",
            trials,
        ];
        assert!(buildout(folder.path(), &run).status.success());
        fs::metadata(folder.path().join(name)).unwrap().len()
    };
    let between = size("few", "1").midpoint(size("all", "300"));
    let output = with_files_up_to(
        folder.path(),
        u32::try_from(between / 512).unwrap(),
        "run s.toml --trials 300 --json --quiet --checkpoint run.checkpoint --checkpoint-every 0",
    );
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(
        err(&output).contains("could not be written"),
        "{}",
        err(&output)
    );
    assert_eq!(output.stdout, whole.stdout);
}

#[test]
fn a_run_killed_at_any_moment_leaves_whole_files_or_none_and_is_gone_on_with() {
    let folder = folder();
    let run = [
        "run",
        "s.toml",
        "--trials",
        "2000",
        "--json",
        "--quiet",
        "--threads",
        "1",
    ];
    let resume = [
        "--checkpoint",
        "run.checkpoint",
        "--checkpoint-every",
        "0",
        "--resume",
    ];
    let whole = buildout(folder.path(), &run);
    for moment in [5, 20, 45, 80, 130] {
        let mut child = command(
            folder.path(),
            &[&run[..], &resume[..], &["--out", "out"]].concat(),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        let _ = fs::remove_dir_all(folder.path().join("out"));
    }
    let output = buildout(
        folder.path(),
        &[&run[..], &resume[..], &["--out", "out"]].concat(),
    );
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(output.stdout, whole.stdout);
    assert_eq!(names(folder.path()), ["out", "run.checkpoint", "s.toml"]);
    let out = folder.path().join("out");
    assert!(
        names(&out).iter().all(|name| !name.starts_with('.')),
        "{:?}",
        names(&out)
    );
}

#[test]
fn a_checkpoint_that_is_damaged_anywhere_is_refused() {
    let folder = folder();
    let run = [
        "run",
        "s.toml",
        "--trials",
        "50",
        "--quiet",
        "--checkpoint",
        "a",
        "--shard",
        "0/1",
    ];
    assert!(buildout(folder.path(), &run).status.success());
    let whole = fs::read(folder.path().join("a")).unwrap();
    let merged = buildout(folder.path(), &["merge", "a", "--json"]);
    assert!(merged.status.success(), "{}", err(&merged));
    let header = whole.iter().position(|byte| *byte == b'{').unwrap();
    let step = (whole.len() - header) / 12;
    let places = (0..header)
        .step_by(7)
        .chain((header..whole.len()).step_by(step.max(1)));
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] = bytes[place].wrapping_add(1);
        fs::write(folder.path().join("b"), &bytes).unwrap();
        let output = buildout(folder.path(), &["merge", "b", "--json"]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "byte {place}: {}",
            err(&output)
        );
        assert!(output.stdout.is_empty(), "byte {place}");
    }
    let cut = &whole[..whole.len() - 1];
    let more = [&whole[..], b"}"].concat();
    // A stated length that is too small, with the checksum of what it covers, is no whole file either.
    for bytes in [cut, &more[..], b"", b"buildout checkpoint 3\n"] {
        fs::write(folder.path().join("b"), bytes).unwrap();
        let output = buildout(folder.path(), &["merge", "b"]);
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    }
}

#[test]
fn several_settings_at_once_are_all_kept() {
    let folder = folder();
    let keys = [
        "horizon_months=30",
        "segments.s.contract_power_kw=20",
        "campuses.c.pue=1.3",
        "segments.s.outreach_per_month=2",
        "rack_types.r.power_kw=6",
        "segments.s.sign_probability=0.25",
    ];
    let children: Vec<_> = (keys.iter())
        .map(|key| {
            command(folder.path(), &["set", "s.toml", key, "--quiet"])
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let text = fs::read_to_string(folder.path().join("s.toml")).unwrap();
    for words in [
        "horizon_months = 30",
        "= 20",
        "pue = 1.3",
        "= 2\n",
        "power_kw = 6",
        "0.25",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert_eq!(names(folder.path()), ["s.toml"]);
}

#[test]
fn only_regular_files_are_replaced_and_links_are_followed() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("/dev/full", path("full.toml")).unwrap();
    let output = buildout(folder.path(), &["new", "full.toml", "--force"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("not a regular file"),
        "{}",
        err(&output)
    );
    if Command::new("mkfifo")
        .arg(path("pipe"))
        .status()
        .is_ok_and(|made| made.success())
    {
        let output = buildout(folder.path(), &["new", "pipe", "--force"]);
        assert!(
            err(&output).contains("not a regular file"),
            "{}",
            err(&output)
        );
    }
    fs::write(path("real"), "").unwrap();
    std::os::unix::fs::symlink("real", path("link")).unwrap();
    fs::remove_file(path("real")).unwrap();
    let run = [
        "run",
        "s.toml",
        "--trials",
        "50",
        "--quiet",
        "--checkpoint",
        "link",
    ];
    assert!(buildout(folder.path(), &run).status.success());
    assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(path("real")).unwrap().is_file());
    fs::hard_link(path("s.toml"), path("other.toml")).unwrap();
    let set = buildout(folder.path(), &["set", "s.toml", "horizon_months=31"]);
    assert!(set.status.success(), "{}", err(&set));
    let other = fs::read_to_string(path("other.toml")).unwrap();
    assert!(other.contains("horizon_months = 31"));
}

#[test]
fn more_trials_than_asked_for_are_reported_even_where_notes_are_not_wanted() {
    let folder = folder();
    let run = |trials: &str| {
        let arguments = [
            "run",
            "s.toml",
            "--quiet",
            "--checkpoint",
            "a",
            "--resume",
            "--trials",
            trials,
        ];
        buildout(folder.path(), &arguments)
    };
    assert!(run("200").status.success());
    let output = run("100");
    assert!(output.status.success());
    assert!(
        err(&output).contains("200 trials, more than the 100"),
        "{}",
        err(&output)
    );
    let shard = [
        "run",
        "s.toml",
        "--checkpoint",
        "b",
        "--shard",
        "0/2",
        "--json",
    ];
    assert_eq!(buildout(folder.path(), &shard).status.code(), Some(2));
}

#[test]
fn two_processes_do_not_write_one_checkpoint() {
    let folder = folder();
    let run = |trials: &'static str| {
        [
            "run",
            "s.toml",
            "--quiet",
            "--threads",
            "1",
            "--checkpoint",
            "c",
            "--resume",
            "--trials",
            trials,
        ]
    };
    let mut first = command(folder.path(), &run("1000000000"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !folder.path().join("c").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = buildout(folder.path(), &run("10"));
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.status.code(), Some(1), "{}", err(&second));
    let said = err(&second);
    assert!(said.contains("another process is writing c"), "{said}");
    // A process that was killed has no claim any more.
    let third = buildout(folder.path(), &run("10"));
    assert!(third.status.success(), "{}", err(&third));
    assert_eq!(names(folder.path()), ["c", "s.toml"]);
}
