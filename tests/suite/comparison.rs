//! `buildout compare`: scenario files and matrices of them, on common random numbers.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::tool::{buildout, err};

const MATRIX: &str = "examples/comparisons/qingyang.toml";

fn json(arguments: &[&str]) -> Value {
    let output = buildout(arguments);
    assert!(output.status.success(), "{}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "slow"]
fn a_matrix_is_every_way_to_build_under_every_demand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let out = path.to_str().unwrap();
    let run = ["compare", MATRIX, "--trials", "16", "--out", out];
    let output = buildout(&run);
    assert!(output.status.success(), "{}", err(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for words in [
        "9 scenarios on common random numbers: 16 trials of each, seed 1",
        "as expected (33.3 %)",
        "Qingyang/B4 live, from the start in Jan 2024",
        "100,000 PFLOPS by the end of 2027: probability",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert_eq!(
        fs::read_to_string(path.join("comparison.txt")).unwrap(),
        text
    );
    let stored = fs::read(path.join("comparison.json")).unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!(stored["scenarios"].as_array().unwrap().len(), 9);
    assert_eq!(stored["levels"].as_array().unwrap().len(), 9 * 5);
    assert_eq!(stored["differences"].as_array().unwrap().len(), 6 * 5);
    let again = json(&[
        "compare",
        MATRIX,
        "--trials",
        "16",
        "--json",
        "--quiet",
        "--threads",
        "1",
    ]);
    assert_eq!(again, stored, "on one thread");
    let mut table = csv::Reader::from_path(path.join("comparison.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5 * (9 * 9 + 6 * 16));
    // A slow grid puts a building off, never forward.
    let earlier = rows.iter().find(|row| {
        &row[0] == "slow grid, as expected"
            && &row[2] == "Qingyang/B4 live"
            && &row[4] == "share_less"
    });
    assert_eq!(&earlier.unwrap()[5], "0");
    let again = buildout(&run);
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("--force"), "{}", err(&again));
}

/// The trials are those of `buildout run`, and so are the means.
#[test]
#[ignore = "slow"]
fn a_difference_of_means_is_the_mean_of_differences() {
    let files = ["examples/qingyang.toml", "examples/qingyang-slow-grid.toml"];
    let by = "in_service_power_mw@2028-12";
    let compared = json(&[
        "compare", files[0], files[1], "--by", by, "--trials", "50", "--json",
    ]);
    let means = files.map(|file| {
        let run = json(&["run", file, "--trials", "50", "--json", "--quiet"]);
        run["metrics"]["in_service_power_mw"]["mean"][59]
            .as_f64()
            .unwrap()
    });
    for (scenario, mean) in means.iter().enumerate() {
        assert_eq!(compared["levels"][scenario]["mean"].as_f64(), Some(*mean));
    }
    let difference = compared["differences"][0]["mean"].as_f64().unwrap();
    assert!((difference - (means[1] - means[0])).abs() < 1e-9);
}

#[test]
fn cases_may_be_listed_with_a_baseline_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(MATRIX)).unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let text = text.replace("\"../", &format!("\"{}/", examples.display()));
    let write = |cases: &str| {
        let path = folder.path().join("listed.toml");
        let text = text.replacen("[[factors]]", &format!("{cases}\n\n[[factors]]"), 1);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let listed = write(
        "cases = [{ demand = \"weak\" }, { construction = \"faster\", demand = \"strong AI\" }]\n\
         baseline = { construction = \"faster\", demand = \"strong AI\" }",
    );
    let compared = json(&["compare", &listed, "--trials", "5", "--json"]);
    let names: Vec<&str> = (compared["scenarios"].as_array().unwrap().iter())
        .map(|scenario| scenario["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["as planned, weak", "faster, strong AI"]);
    assert_eq!(compared["baseline"], 1);

    let wrong = write(
        "cases = [{ demand = \"week\" }, { constructon = \"faster\" }]\nbaseline = { demand = \"strong AI\" }",
    );
    let refused = buildout(&["compare", &wrong]);
    assert_eq!(refused.status.code(), Some(2));
    for words in [
        "the factor \"demand\" has no variant \"week\"",
        "did you mean \"weak\"?",
        "did you mean \"construction\"?",
        "the baseline is none of the cases",
        "listed.toml:",
        "3 errors",
    ] {
        assert!(err(&refused).contains(words), "{words}: {}", err(&refused));
    }
    assert!(refused.stdout.is_empty());
}

#[test]
#[ignore = "slow"]
fn what_is_wrong_in_a_variant_is_reported_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let first = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first.toml");
    let head = format!("name = \"a\"\nextends = \"{}\"\n", first.display());
    let refuse = |variants: &str, words: &[&str]| {
        let path = folder.path().join("bad.toml");
        let text = format!("{head}[[factors]]\nname = \"f\"\nvariants = [\n{variants}\n]\n");
        fs::write(&path, text).unwrap();
        let refused = buildout(&["compare", path.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(2), "{variants}");
        for words in words {
            assert!(err(&refused).contains(words), "{words}: {}", err(&refused));
        }
    };
    refuse(
        "{ name = \"x\" },\n{ name = \"x\" },",
        &["already a variant \"x\"", "bad.toml:7:"],
    );
    refuse(
        "{ name = \"x\", changes = { segments = [{ name = \"enterprise\", churn = 1 }] } },",
        &["unknown key \"churn\"", "bad.toml:6:"],
    );
    refuse(
        "{ name = \"x\", set = { \"campuses.Nort.pue\" = 1.2 } },",
        &["there is no \"Nort\"", "did you mean \"North\"?"],
    );
    let other = folder.path().join("other.toml");
    fs::write(&other, "extends = \"bad.toml\"\nhorizon_months = 12\n").unwrap();
    refuse(
        "{ name = \"x\", file = \"other.toml\" },",
        &["extends another scenario"],
    );
    refuse("", &["has no variants"]);

    let run = buildout(&["run", MATRIX]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        err(&run).contains("`buildout compare` runs it"),
        "{}",
        err(&run)
    );
    let mixed = buildout(&["compare", "examples/qingyang.toml", MATRIX]);
    assert_eq!(mixed.status.code(), Some(2));
    let unknown = buildout(&["compare", MATRIX, "--by", "Qingyang/B4 liv"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(err(&unknown).contains("did you mean \"Qingyang/B4 live\"?"));
}

/// Two files: a scenario, and one in which twice as many companies are contacted.
fn base_and_more_outreach(folder: &Path) -> [String; 2] {
    let first = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first.toml");
    let more = folder.join("more.toml");
    let text = format!(
        "name = \"more outreach\"\nextends = \"{}\"\n[[segments]]\nname = \"enterprise\"\noutreach_per_month = 24\n",
        first.display()
    );
    fs::write(&more, text).unwrap();
    [first, more].map(|path| path.to_str().unwrap().to_owned())
}

#[test]
fn a_comparison_runs_until_its_goals_are_known_and_tells_so() {
    let folder = tempfile::tempdir().unwrap();
    let [base, more] = base_and_more_outreach(folder.path());
    let by = "in_service_power_mw@2028-12";
    let until = [
        "compare",
        &base,
        &more,
        "--by",
        by,
        "--until",
        "p50(A1 live)=1",
        "--until",
        "difference(in_service_power_mw@2028-12)=0.5",
        "--until",
        "p50(difference(in_service_power_mw@2028-12))=1",
        "--at-least",
        "100",
        "--trials",
        "20000",
    ];
    let with = |more: &[&str]| buildout(&[&until[..], more].concat());
    let output = with(&["--json"]);
    let said = err(&output);
    let mut compared: Value = serde_json::from_slice(&output.stdout).unwrap();
    let trials = compared["trials"].as_u64().unwrap();
    assert!((100..20_000).contains(&trials), "{trials}");
    assert!(
        said.contains("all goals are reached\n(± at 95 % confidence"),
        "{said}"
    );
    let one = with(&["--json", "--quiet", "--threads", "1"]);
    assert_eq!(one.stdout, output.stdout, "on one thread");
    assert!(one.stderr.is_empty());

    let goals = compared.as_object_mut().unwrap().remove("goals").unwrap();
    let known = goals["known"].as_array().unwrap();
    let names: Vec<&str> = (known.iter())
        .map(|known| known["goal"].as_str().unwrap())
        .collect();
    let difference = "difference(in_service_power_mw@2028-12)";
    let median = format!("p50({difference})");
    assert_eq!(names, ["p50(A1 live)", "p50(A1 live)", difference, &median]);
    for known in known {
        let (half, within) = (known["half_width"].as_f64(), known["within"].as_f64());
        assert!(half.unwrap() <= within.unwrap() && known["reached"] == true);
    }
    // Otherwise it is the comparison of this many trials.
    let trials = trials.to_string();
    let asked = json(&[
        "compare", &base, &more, "--by", by, "--trials", &trials, "--json",
    ]);
    assert_eq!(compared, asked);

    let table = String::from_utf8(with(&[]).stdout).unwrap();
    for words in [
        "trials of each: all goals are reached",
        "p50(A1 live) in more outreach",
        "known",
    ] {
        assert!(table.contains(words), "{words} is not in\n{table}");
    }
}

#[test]
fn a_comparison_that_reaches_its_ceiling_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let [base, more] = base_and_more_outreach(folder.path());
    let output = buildout(&[
        "compare",
        &base,
        &more,
        "--trials",
        "120",
        "--until",
        "p50(A1 live)=20",
        "--until",
        "difference(in_service_power_mw)=0.001",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains(
            "120 trials of each: not all goals are reached, and these are the most trials"
        ),
        "{table}"
    );
    let line = |words: &str| {
        let mut lines = table.lines();
        lines.find(|line| line.contains(words)).unwrap().trim_end()
    };
    assert!(
        line("p50(A1 live) in more outreach").ends_with("  known"),
        "{table}"
    );
    assert!(line("NOT known").contains("  0.0010 MW  NOT"), "{table}");
}

#[test]
fn goals_that_a_comparison_cannot_pursue_are_refused_with_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let [base, more] = base_and_more_outreach(folder.path());
    for (goal, words) in [
        ("p50(A1 liv)=1", "did you mean \"A1 live\"?"),
        (
            "difference(in_service_power_m)=1",
            "did you mean \"in_service_power_mw\"?",
        ),
        (
            "difference(in_service_power_mw@2044-12)=1",
            "2026-01 to 2029-12",
        ),
        (
            "p50(5 MW in service by the end of 2028)=1",
            "ask for probability(",
        ),
        (
            "probability(take_up)=0.1",
            "neither a target nor a milestone",
        ),
        ("p100(A1 live)=1", "above 0 and below 1"),
        ("difference(A1 live)=0", "above 0"),
        ("difference(A1 live)", "p50(difference(MEASURE))=0.5"),
        (
            "probability(difference(A1 live))=0.1",
            "p50(difference(MEASURE))=0.5",
        ),
    ] {
        let refused = buildout(&["compare", &base, &more, "--until", goal]);
        assert_eq!(refused.status.code(), Some(2), "{goal}");
        assert!(err(&refused).contains(words), "{goal}: {}", err(&refused));
        assert!(refused.stdout.is_empty());
    }
    let alone = buildout(&["compare", &base, &more, "--at-least", "100"]);
    assert_eq!(alone.status.code(), Some(2), "a floor of nothing");
}
