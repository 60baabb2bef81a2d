//! The command at hand: charts in the terminal, standard input, watching, and hints.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/first.toml");

fn buildout(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_buildout"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_metric_is_drawn_in_the_terminal_with_its_target() {
    let run = ["run", FIRST, "--trials", "50", "--quiet", "--plot"];
    let output = buildout(&[&run[..], &["in_service_power_mw"]].concat(), "");
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for letter in ['━', '▒', '◆', '┤'] {
        assert!(text.contains(letter), "{letter} in\n{text}");
    }
    let plot = text.split_once("In service power").unwrap().1;
    assert!(
        plot.lines().all(|line| line.chars().count() <= 80),
        "{plot}"
    );
    let wrong = buildout(&[&run[..], &["in_service_power"]].concat(), "");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("did you mean \"in_service_power_mw\""));
}

/// The opener of a desktop is a stand-in that notes what it was given.
#[test]
#[cfg(target_os = "linux")]
fn the_page_is_handed_to_the_opener_of_the_desktop() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let (opener, opened) = (folder.path().join("xdg-open"), folder.path().join("opened"));
    let script =
        "#!/bin/sh\nprintf %s \"$1\" > \"$OPENED.part\" && mv \"$OPENED.part\" \"$OPENED\"\n";
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let usual = std::env::var("PATH").unwrap_or_default();
    let page = folder.path().join("page.html");
    let output = Command::new(env!("CARGO_BIN_EXE_buildout"))
        .args([
            "report", FIRST, "--trials", "20", "--quiet", "--open", "--out",
        ])
        .arg(&page)
        .env("PATH", format!("{}:{usual}", folder.path().display()))
        .env("OPENED", &opened)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let until = Instant::now() + Duration::from_secs(20);
    while !opened.exists() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(fs::read_to_string(&opened).unwrap(), page.to_str().unwrap());
}

#[test]
fn a_scenario_is_validated_from_standard_input() {
    let text = fs::read_to_string(FIRST).unwrap();
    let right = buildout(&["validate", "-", "--quiet"], &text);
    assert!(right.status.success(), "{}", said(&right));
    let wrong = buildout(&["validate", "-"], &text.replacen("start =", "date =", 1));
    assert_eq!(wrong.status.code(), Some(2));
    let words = said(&wrong);
    assert!(words.contains("standard input:3:1"), "{words}");
    assert!(words.contains("did you mean \"start\"?"), "{words}");
}

#[test]
fn parts_that_do_not_fit_one_another_are_warned_of_with_their_line() {
    let text = fs::read_to_string(FIRST).unwrap();
    let small = text.replace("power = \"12 MW\"", "power = \"1 MW\"");
    let output = buildout(&["validate", "-", "--strict"], &small);
    assert_eq!(output.status.code(), Some(2));
    let words = said(&output);
    assert!(
        words.contains("substation \"S1\" brings 1 MW to buildings that draw up to"),
        "{words}"
    );
    assert!(words.contains("standard input:"), "{words}");
}

#[test]
fn an_outcome_is_found_by_the_beginning_of_its_name() {
    let money = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/qingyang-money.toml");
    let output = buildout(
        &["compare", money, money, "--by", "irr", "--trials", "10"],
        "",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("irr_per_year"), "{}", said(&output));
}

#[test]
fn a_page_follows_its_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("scenario.toml");
    let page = folder.path().join("page.html");
    let text = fs::read_to_string(FIRST).unwrap();
    fs::write(&scenario, &text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_buildout"))
        .args(["report", "--watch", "--trials", "40", "--quiet", "--out"])
        .args([&page, &scenario])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let first = waits_for(&page, "First building");
    // The watch is set before the first run, so a change after its page is seen.
    fs::write(&scenario, text.replace("First building", "Second thoughts")).unwrap();
    let second = waits_for(&page, "Second thoughts");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first && second, "first {first}, second {second}");
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.contains("http-equiv=refresh"));
}

/// Whether a file comes to hold these words within some minutes, for machines with much to do.
fn waits_for(path: &Path, words: &str) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(180) {
        if fs::read_to_string(path).is_ok_and(|text| text.contains(words)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}
