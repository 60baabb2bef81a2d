//! `buildout update` and ensembles, and comparisons in parts, as a planner calls them.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::tool::buildout;

const SCENARIO: &str = "examples/first.toml";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn update(ensemble: &Path, more: &[&str]) -> Output {
    let mut arguments = vec![
        "update",
        SCENARIO,
        "--observed",
        "examples/actuals/first.csv",
        "--ensemble",
        ensemble.to_str().unwrap(),
        "--trials",
        "800",
        "--members",
        "100",
    ];
    arguments.extend(more);
    buildout(&arguments)
}

#[test]
#[ignore = "slow"]
fn an_update_is_an_ensemble_that_other_commands_run() {
    let folder = tempfile::tempdir().unwrap();
    let ensemble = folder.path().join("posterior.csv");
    let out = folder.path().join("out");
    let reported = update(&ensemble, &["--quiet", "--out", out.to_str().unwrap()]);
    let said = text(&reported.stdout);
    for words in [
        "S1 energised, not by",
        "contracts_signed@2027-12",
        "effective sample size",
        "North/S1/transformer",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    for name in ["update.json", "update.txt", "contracts_signed-updated.svg"] {
        assert!(out.join(name).exists(), "{name}");
    }
    let page = fs::read_to_string(out.join("update.html")).unwrap();
    for words in [
        "<section id=answer>",
        "<section id=updated>",
        "contracts_signed@2027-12",
        "P50 before",
        "North/S1/transformer",
    ] {
        assert!(page.contains(words), "{words} is not on the page");
    }
    // The same bits on any number of threads.
    let again = folder.path().join("again.csv");
    update(&again, &["--quiet", "--threads", "3"]);
    let rows = |path: &Path| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    assert_eq!(rows(&ensemble), rows(&again));

    let design = format!("ensemble:{}", ensemble.display());
    let run = json(&buildout(&[
        "run", SCENARIO, "--design", &design, "--json", "--quiet",
    ]));
    assert_eq!(run["trials"], 100);
    // Not before the end of 2027, within an error of a week.
    let energised = run["milestones"]["S1 energised"]["p5"].as_f64().unwrap();
    assert!(energised > 23.3, "{energised}");
    for command in ["schedule", "report"] {
        let page = folder.path().join("page.html");
        let mut arguments = vec![command, SCENARIO, "--design", &design, "--quiet"];
        if command == "report" {
            arguments.extend(["--out", page.to_str().unwrap()]);
        }
        let output = buildout(&arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let set = "campuses.North.pue=1.3";
    let compared = json(&buildout(&[
        "compare",
        SCENARIO,
        "examples/first.toml",
        "--set",
        set,
        "--design",
        &design,
        "--json",
        "--quiet",
    ]));
    assert_eq!(compared["trials"], 100);
    let other_seed = buildout(&["run", SCENARIO, "--design", &design, "--seed", "5"]);
    assert_eq!(other_seed.status.code(), Some(2));
    assert!(text(&other_seed.stderr).contains("leave --seed out"));
}

#[test]
fn a_comparison_in_shards_or_taken_up_again_is_the_whole_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let slow = folder.path().join("slow.toml");
    let first = format!("{}/{SCENARIO}", env!("CARGO_MANIFEST_DIR"));
    fs::write(
        &slow,
        format!(
            "extends = {first:?}\nname = \"slow\"\n[[campuses]]\nname = \"North\"\npue = 1.5\n"
        ),
    )
    .unwrap();
    let compare = |more: &[&str]| {
        let mut arguments = vec![
            "compare",
            SCENARIO,
            slow.to_str().unwrap(),
            "--quiet",
            "--trials",
            "500",
        ];
        arguments.extend(more);
        buildout(&arguments)
    };
    let whole = json(&compare(&["--json"]));
    let paths = [0, 1, 2].map(|shard| folder.path().join(format!("part-{shard}")));
    let mut merge = vec!["--json"];
    for (shard, path) in paths.iter().enumerate() {
        let path = path.to_str().unwrap();
        let of = format!("{shard}/3");
        assert!(
            compare(&["--shard", &of, "--checkpoint", path])
                .status
                .success()
        );
        merge.extend(["--merge", path]);
    }
    assert_eq!(json(&compare(&merge)), whole);
    let two = compare(&merge[..5]);
    assert_eq!(two.status.code(), Some(1));
    assert!(
        text(&two.stderr).contains("missing"),
        "{}",
        text(&two.stderr)
    );
    // A shard is a part of the whole that is gone on from.
    let resumed = compare(&[
        "--json",
        "--resume",
        "--checkpoint",
        paths[1].to_str().unwrap(),
    ]);
    assert_eq!(json(&resumed), whole);
    let alone = buildout(&["merge", paths[0].to_str().unwrap()]);
    assert_eq!(alone.status.code(), Some(2));
    assert!(
        text(&alone.stderr).contains("compare FILE"),
        "{}",
        text(&alone.stderr)
    );
}
