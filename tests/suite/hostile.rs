//! Files that ask for too much, that are broken, or that mean harm: refused with a reason, in little time.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::tool::{buildout_in, err, out};

/// A scenario of one campus with `top` among its keys, `activities` in its building, and `segment` in its segment.
fn scenario(top: &str, activities: &str, segment: &str) -> String {
    format!(
        r#"name = "hostile"
start = "2025-01"
{top}

[[rack_types]]
name = "r"
power_kw = 5

[[campuses]]
name = "c"

[[campuses.buildings]]
name = "A"
activities = [{activities}]
halls = [{{ name = "h", racks = 10, rack_type = "r" }}]

[[segments]]
name = "s"
sign_probability = 0.5
contract_power_kw = 10
{segment}
"#
    )
}

const YEARS: &str = "horizon_months = 24";
const WORKS: &str = r#"{ name = "works", duration_months = 3 }"#;

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), text).unwrap();
    for arguments in [
        &["validate", "s.toml"][..],
        &["run", "s.toml", "--trials", "5"][..],
    ] {
        let begun = Instant::now();
        let output = buildout_in(folder.path(), arguments);
        let said = err(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
        for word in words {
            assert!(
                said.contains(word),
                "{arguments:?}: \"{word}\" is not in\n{said}"
            );
        }
        // A second where nothing else runs.
        assert!(begun.elapsed() < Duration::from_secs(20), "{arguments:?}");
    }
}

#[test]
fn parameters_beyond_all_bounds_are_refused_where_they_stand() {
    let calendar = format!("{YEARS}\ncalendars = [{{ name = \"five\", week = [8, 8, 8, 8, 8] }}]");
    let work = r#"{ name = "works", duration_months = 3, calendar = "five" }"#;
    refused(&scenario(&calendar, work, ""), &["seven numbers of hours"]);
    let work = r#"{ name = "works", duration_months = { pert = [2, 3, 1e308] } }"#;
    refused(
        &scenario(YEARS, work, ""),
        &["max is 1e308", "at most 1e18"],
    );
    let ramp = "outreach_per_month = 1\nramp_months = { p10 = 1e-300, p90 = 1e300 }";
    refused(&scenario(YEARS, WORKS, ramp), &["ramp_months", "1e300"]);
    let ramp = "outreach_per_month = 1\nramp_months = { p10 = 1e-16, p50 = 1, p90 = 1e17 }";
    refused(&scenario(YEARS, WORKS, ramp), &["too far apart"]);
}

#[test]
fn what_asks_for_too_much_is_refused_with_the_limit_and_how_to_raise_it() {
    let growth = "outreach_per_month = 10\noutreach_growth_per_year = 5";
    refused(
        &scenario("horizon_months = 120", WORKS, growth),
        &[
            "contracts in 120 months",
            "limits = { contracts_per_trial = ",
            "cohort",
        ],
    );
    let many = "outreach_per_month = 1e9";
    refused(&scenario(YEARS, WORKS, many), &["1,000,000 or less"]);
    refused(
        &scenario("horizon_months = 100_000", WORKS, ""),
        &["1 to 1,200"],
    );
    let mut buildings = scenario(YEARS, WORKS, "outreach_per_month = 1");
    for number in 0..21 {
        buildings += &format!(
            "\n[[campuses.buildings]]\nname = \"B{number}-{{n}}\"\nseries = {{ count = 1000 }}\nhalls = [{{ name = \"h\", racks = 1, rack_type = \"r\" }}]\nactivities = [{WORKS}]\n"
        );
    }
    refused(
        &buildings,
        &["21001 buildings", "limits = { buildings = 21001 }"],
    );
}

#[test]
fn deep_nesting_and_circles_of_files_end() {
    let deep = format!("x = {}{}", "[".repeat(20_000), "]".repeat(20_000));
    refused(&deep, &["TOML"]);
    let folder = tempfile::tempdir().unwrap();
    for number in 0..40 {
        let next = format!("extends = \"{}.toml\"\nname = \"a\"\n", number + 1);
        fs::write(folder.path().join(format!("{number}.toml")), next).unwrap();
    }
    let output = buildout_in(folder.path(), &["validate", "0.toml"]);
    assert!(
        err(&output).contains("more than 32 files extend one another"),
        "{}",
        err(&output)
    );
    fs::write(folder.path().join("me.toml"), "extends = \"me.toml\"\n").unwrap();
    let output = buildout_in(folder.path(), &["validate", "me.toml"]);
    assert!(err(&output).contains("in turn"), "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn files_that_never_end_are_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status();
    let has_pipe = made.is_ok_and(|status| status.success());
    fs::write(
        folder.path().join("s.toml"),
        scenario(YEARS, WORKS, "outreach_per_month = 1"),
    )
    .unwrap();
    let run = ["run", "s.toml", "--trials", "5", "--quiet"];
    for arguments in [
        &["validate", "pipe"][..],
        &["import", "pipe"],
        &["validate", "/dev/zero"],
        &["fit", "pipe"],
        &["fit", "/dev/zero"],
        &["backtest", "pipe"],
        &["merge", "pipe"],
        &["merge", "/dev/zero"],
        &["update", "s.toml", "--observed", "pipe"],
        &["status", "s.toml", "--from", "pipe"],
        &[&run[..], &["--out", "out", "--known", "/dev/zero"]].concat(),
        &[&run[..], &["--design", "ensemble:pipe"]].concat(),
        &[&run[..], &["--design", "ensemble:/dev/zero"]].concat(),
        &[&run[..], &["--resume", "--checkpoint", "pipe"]].concat(),
        &[&run[..], &["--resume", "--checkpoint", "/dev/zero"]].concat(),
    ] {
        if !has_pipe && arguments.iter().any(|word| word.ends_with("pipe")) {
            continue;
        }
        let begun = Instant::now();
        let output = buildout_in(folder.path(), arguments);
        let status = output.status.code();
        assert!(
            matches!(status, Some(1 | 2)),
            "{arguments:?}: {}",
            err(&output)
        );
        let words = ["named pipe", "more than 64 MB", "not a regular file"];
        assert!(
            words.iter().any(|words| err(&output).contains(words)),
            "{}",
            err(&output)
        );
        assert!(begun.elapsed() < Duration::from_secs(30), "{arguments:?}");
    }
}

/// Time grows with the size of a file and not with its square: eight times the activities take at most some sixteen times
/// as long, for the parts that are alike whatever the size only help.
#[test]
fn checking_a_file_takes_time_in_proportion_to_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, count: usize| {
        let works: Vec<String> = (0..count)
            .map(|number| format!("{{ name = \"w{number}\", duration_months = 0.01 }}"))
            .collect();
        let text = scenario(YEARS, &works.join(",\n"), "outreach_per_month = 1");
        fs::write(folder.path().join(name), text).unwrap();
    };
    let time = |name: &str| {
        let begun = Instant::now();
        let output = buildout_in(folder.path(), &["validate", name]);
        assert!(output.status.success(), "{}", err(&output));
        begun.elapsed()
    };
    write("few.toml", 1_000);
    write("many.toml", 8_000);
    let few = (0..3).map(|_| time("few.toml")).min().unwrap();
    let many = (0..2).map(|_| time("many.toml")).min().unwrap();
    assert!(
        many < 24 * few + Duration::from_millis(200),
        "{few:?}, {many:?}"
    );
}

#[test]
fn very_many_wrong_values_are_reported_in_time_and_up_to_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = scenario(YEARS, WORKS, "outreach_per_month = 1");
    for number in 0..20_000 {
        text += &format!(
            "[[targets]]\nname = \"t{number}\"\nmilestone = \"none{number}\"\nby = \"2026-01\"\n"
        );
    }
    fs::write(folder.path().join("s.toml"), text).unwrap();
    let begun = Instant::now();
    let output = buildout_in(folder.path(), &["validate", "s.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("only the first 1000 are listed"));
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
}

/// Names that would move the cursor of a terminal, run in a browser, or count as formulas.
#[test]
fn names_neither_control_a_terminal_nor_run_in_what_is_made_of_them() {
    let escape = scenario(YEARS, WORKS, "").replace("\"hostile\"", r#""a\u001b[2Jb\u0007""#);
    refused(&escape, &["control character"]);
    let folder = tempfile::tempdir().unwrap();
    let name = "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)> [x](javascript:1)";
    let text = scenario(YEARS, WORKS, "outreach_per_month = 1")
        .replace("\"hostile\"", &format!("\"{name}\""))
        .replace("name = \"c\"", "name = \"@SUM(1)<b>\"");
    let text = format!(
        "{text}\n[[targets]]\nname = \"+1<script>\"\nmetric = \"it_power_mw\"\nat_least = 1\nby = \"2026-01\"\n"
    );
    fs::write(folder.path().join("s.toml"), text).unwrap();
    let run = ["run", "s.toml", "--trials", "20", "--quiet", "--out", "out"];
    let output = buildout_in(folder.path(), &run);
    assert!(output.status.success(), "{}", err(&output));
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    for line in read("projection.csv").lines() {
        for cell in line.split("\",\"") {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '+', '@']), "{line}");
        }
    }
    for file in ["summary.md", "report.html"] {
        let text = read(file);
        assert!(
            !text.contains("<img") && !text.contains("<script>\""),
            "{file}"
        );
        assert!(!text.contains("+1<script>"), "{file}");
    }
    assert!(!read("summary.md").contains("[x](javascript"));
    let replay = buildout_in(
        folder.path(),
        &["replay", "s.toml", "--trial", "0", "--format", "csv"],
    );
    assert!(!out(&replay).contains("\n\"@SUM"), "{}", out(&replay));
}

#[test]
fn a_scenario_has_no_file_read_that_lies_elsewhere() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("a/b");
    fs::create_dir_all(&folder).unwrap();
    fs::write(top.path().join("secret"), "secret = 1\n").unwrap();
    let named = top.path().join("secret");
    let named = named.to_str().unwrap();
    for key in ["extends", "rack_types_from"] {
        let text = format!("{key} = \"{named}\"\n{}", scenario(YEARS, WORKS, ""));
        fs::write(folder.join("s.toml"), text).unwrap();
        let output = buildout_in(&folder, &["validate", "s.toml"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            err(&output).contains("BUILDOUT_ANY_PATH"),
            "{}",
            err(&output)
        );
        assert!(!err(&output).contains("secret = 1"), "{}", err(&output));
    }
}
