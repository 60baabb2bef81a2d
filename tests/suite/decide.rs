//! `buildout decide`: which plan, and which settings; and that no plan sees the future.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use buildout::sampling::design::Drawing;
use buildout::{EventKind, Scenario};
use serde_json::Value;

use crate::tool::buildout;

const MATRIX: &str = "examples/comparisons/wholesale.toml";

fn text(arguments: &[&str]) -> String {
    let output = buildout(arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = buildout(arguments);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
#[ignore = "slow"]
fn a_matrix_ends_in_the_plan_to_choose_world_by_world() {
    let table = text(&["decide", MATRIX, "--trials", "100", "--quiet"]);
    // Sentences are wrapped.
    let reported = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "maximise mean(npv), in million USD",
        "Choose \"when",
        "of 4 plans with probability",
        "on fresh trials its value is",
        "as expected (50 %)",
        "Regret: by how much the best plan of a world is better there",
    ] {
        assert!(reported.contains(words), "{words} is not in\n{table}");
    }
    let json = text(&[
        "decide", MATRIX, "--trials", "100", "--format", "json", "--quiet",
    ]);
    let decision: Value = serde_json::from_str(&json).unwrap();
    let plans = decision["choice"]["plans"].as_array().unwrap();
    let total: f64 = (plans.iter())
        .map(|plan| plan["probability_best"].as_f64().unwrap())
        .sum();
    assert!(plans.len() == 4 && (total - 1.0).abs() < 1e-9);
    // `compare` of the same file ends in the same decision.
    let compared = text(&[
        "compare", MATRIX, "--by", "npv", "--trials", "100", "--quiet",
    ]);
    let answer = |text: &str| {
        let from = text.find("Choose").unwrap();
        text[from..].to_owned()
    };
    assert_eq!(answer(&compared), answer(&table));
}

#[test]
fn what_cannot_be_decided_is_refused_with_what_would_be_right() {
    for (arguments, words) in [
        (
            vec!["decide", MATRIX, "--objective", "maximise npv"],
            "mean(MEASURE)",
        ),
        (
            vec!["decide", MATRIX, "--worlds", "markt"],
            "did you mean \"market\"?",
        ),
        (
            vec!["decide", MATRIX, "--weight", "stong=2"],
            "did you mean \"strong\"?",
        ),
        (vec!["decide", MATRIX, "--trials", "5"], "too few to decide"),
        (
            vec!["decide", MATRIX, "--objective", "maximise probability(npv)"],
            "neither a target nor a milestone",
        ),
        (
            vec![
                "decide",
                "examples/wholesale.toml",
                "--objective",
                "maximise mean(npv)",
            ],
            "[[decisions]]",
        ),
    ] {
        let error = refused(&arguments);
        assert!(error.contains(words), "{words} is not in {error}");
    }
}

/// The campus that waits for tenants, with its gate as a decision.
fn gate(folder: &Path, bounds: &str) -> String {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wholesale-gated.toml");
    let keys =
        [2, 3, 4].map(|phase| format!("\"campuses.campus.phases.phase {phase}.when.0.at_least\""));
    let scenario = format!(
        "extends = \"{}\"\nname = \"gate\"\n[[decisions]]\nname = \"share let\"\nkeys = [{}]\n{bounds}\n",
        base.display(),
        keys.join(", ")
    );
    let path = folder.join("gate.toml");
    fs::write(&path, scenario).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_threshold_of_a_trigger_is_tuned_on_the_same_trials() {
    let folder = tempfile::tempdir().unwrap();
    let file = gate(folder.path(), "between = [0.1, 0.9]\nstep = 0.4");
    let reported = text(&[
        "decide",
        &file,
        "--objective",
        "maximise mean(npv)",
        "--subject-to",
        "P(npv < -2 billion) <= 50 %",
        "--trials",
        "100",
        "--quiet",
    ]);
    for words in [
        "All 3 plans, 100 trials of each",
        "subject to probability(npv < -2000 million) <= 50 %",
        "Choose share let = 0.",
        "On fresh trials its value is",
    ] {
        assert!(reported.contains(words), "{words} is not in\n{reported}");
    }
    let none = refused(&[
        "decide",
        &gate(folder.path(), "between = [0.9, 0.1]"),
        "--objective",
        "maximise mean(npv)",
    ]);
    assert!(
        none.contains("these are no bounds") && none.contains("gate.toml:"),
        "{none}"
    );
}

/// Whatever comes after a month, decisions before it are the same: a campaign that triples outreach from the month 36 on draws
/// all that follows again.
#[test]
fn no_plan_sees_the_future() {
    const MONTH: f64 = 36.0;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wholesale-gated.toml");
    let as_stated = Scenario::from_path(&path).unwrap();
    let mut other = as_stated.clone();
    let mut campaign = buildout::tenants::Campaign::new("later", "2028-01".parse().unwrap(), 120);
    campaign.outreach_factor = 3.0.into();
    other.segments[0].campaigns.push(campaign);
    let models = [as_stated.compile().unwrap(), other.compile().unwrap()];
    let drawing = Drawing::from(1);
    let samplings = models
        .each_ref()
        .map(|model| model.sampling_of(&drawing).unwrap());
    let (mut early, mut late_differ) = (0, 0);
    for trial in 0..60 {
        let starts = [0, 1].map(|at: usize| {
            let replay = models[at].replay(&samplings[at], trial);
            let starts = replay.events.into_iter().filter(|event| {
                event.what == EventKind::Started || event.what == EventKind::Finished
            });
            let all: Vec<_> = starts.map(|event| (event.name, event.months)).collect();
            all
        });
        let before = starts.each_ref().map(|all| {
            let mut early: Vec<_> = all.iter().filter(|(_, months)| *months < MONTH).collect();
            early.sort_by(|a, b| a.0.cmp(&b.0));
            early
        });
        assert_eq!(before[0], before[1], "trial {trial}");
        early += before[0].len();
        late_differ += usize::from(starts[0] != starts[1]);
    }
    // The test can fail: there are decisions before the month, and what follows does differ.
    assert!(early > 60 && late_differ > 10, "{early} {late_differ}");
}

/// A small comparison of two plans in two worlds.
fn small_matrix(folder: &Path) -> String {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first.toml");
    let comparison = format!(
        r#"name = "small"
extends = "{}"
compare = ["A1 live", "it_power_mw"]
objective = "minimise p80(A1 live)"

[[factors]]
name = "start"
variants = [{{ name = "as planned" }}, {{ name = "later", set = {{ "campuses.North.buildings.A1.delay_months" = 2 }} }}]

[[factors]]
name = "tenants"
worlds = true
variants = [{{ name = "as stated" }}, {{ name = "few", set = {{ "segments.enterprise.outreach_per_month" = 3 }} }}]
"#,
        base.display()
    );
    let path = folder.join("small.toml");
    fs::write(&path, comparison).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Shards put together, and a run that goes on from a part of its trials, end in the bytes of one run.
#[test]
fn a_decision_in_parts_is_that_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = small_matrix(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (first, second) = (path("0.part"), path("1.part"));
    for subcommand in ["decide", "compare"] {
        let asked = [subcommand, &matrix, "--trials", "120", "--quiet"];
        let run = |more: &[&str]| buildout(&[&asked[..], more].concat());
        let whole = run(&["--json"]);
        assert!(
            whole.status.success(),
            "{}",
            String::from_utf8_lossy(&whole.stderr)
        );
        for (shard, file) in [("0/2", &first), ("1/2", &second)] {
            let output = run(&["--shard", shard, "--checkpoint", file]);
            assert!(output.status.success() && output.stdout.is_empty());
        }
        let merged = run(&["--merge", &first, "--merge", &second, "--json"]);
        assert_eq!(merged.stdout, whole.stdout);
        let resumed = run(&["--checkpoint", &second, "--resume", "--json"]);
        assert_eq!(resumed.stdout, whole.stdout);
        let found: Value = serde_json::from_slice(&whole.stdout).unwrap();
        let decision = match subcommand {
            "compare" => &found["decision"],
            _ => &found,
        };
        assert!(decision["choice"]["best"].is_number(), "{found}");
        for file in [&first, &second] {
            fs::remove_file(file).unwrap();
        }
    }
}

/// From the same trials a search asks the same again, so that it goes on where it was.
#[test]
fn a_search_goes_on_from_its_trials_and_has_no_shards() {
    let folder = tempfile::tempdir().unwrap();
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first.toml");
    let scenario = format!(
        "extends = \"{}\"\nname = \"delay\"\n[[decisions]]\nname = \"delay\"\nkeys = [\"campuses.North.buildings.A1.delay_months\"]\nbetween = [0, 4]\nstep = 2\n",
        base.display()
    );
    let file = folder.path().join("delay.toml");
    fs::write(&file, scenario).unwrap();
    let file = file.display().to_string();
    let kept = folder.path().join("kept").display().to_string();
    let asked = ["decide", &file, "--objective", "minimise p80(A1 live)"];
    let run = |more: &[&str]| buildout(&[&asked[..], more].concat());
    let whole = run(&["--trials", "200", "--quiet"]);
    assert!(
        run(&["--trials", "100", "--checkpoint", &kept])
            .status
            .success()
    );
    let again = run(&["--trials", "200", "--checkpoint", &kept, "--resume"]);
    assert_eq!(again.stdout, whole.stdout);
    let told = String::from_utf8(again.stderr).unwrap();
    // Three plans, and the best on fresh trials.
    assert!(told.contains("400 trials are done"), "{told}");
    for (option, words) in [
        (["--shard", "0/2"], "a search has no shards"),
        (["--until", "difference(A1 live)=1"], "--indifference"),
        (["--design", "sobol"], "independent trials"),
    ] {
        let refused = run(&[&option[..], &["--checkpoint", "x"]].concat());
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{told}");
        assert!(told.contains(words), "{told}");
    }
}
