//! `buildout backtest`: scores against a reference, rivals, and scenarios filled in from a table.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::tool::{PROJECT, buildout, buildout_in, err, out};

const RECORD: &str = "tests/reference/backtest/record.toml";

fn scores(arguments: &[&str], folder: &Path) -> Vec<Value> {
    let said = buildout_in(folder, arguments);
    assert!(said.status.success(), "{}", err(&said));
    let json: Value = serde_json::from_str(&out(&said)).unwrap();
    json["scores"].as_array().unwrap().clone()
}

/// By forecaster, subject, origin, date and quantity.
fn by_case(scores: Vec<Value>) -> BTreeMap<[String; 5], Value> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = |score: &Value| {
        let of = &score["key"];
        [
            text(&score["forecaster"]),
            text(&of["subject"]),
            text(&of["origin"]),
            text(&of["date"]),
            text(&of["quantity"]),
        ]
    };
    scores
        .into_iter()
        .map(|score| (key(&score), score))
        .collect()
}

#[test]
fn scores_are_those_of_the_reference() {
    let scores = by_case(scores(&["backtest", RECORD, "--json"], Path::new(PROJECT)));
    let path = Path::new(PROJECT).join("tests/reference/backtest/scores.csv");
    let mut expected = csv::Reader::from_path(path).unwrap();
    let names = expected.headers().unwrap().clone();
    let mut compared = 0;
    for row in expected.records() {
        let row = row.unwrap();
        let key = [0, 1, 2, 3, 4].map(|column| row[column].to_owned());
        let score = scores.get(&key).unwrap_or_else(|| panic!("{key:?}"));
        for column in 5..11 {
            let expected: f64 = row[column].parse().unwrap();
            let actual = score[&names[column]].as_f64().unwrap();
            let error = (actual - expected).abs() / expected.abs().max(1.0);
            assert!(
                error < 1e-9,
                "{key:?} {}: {actual}, not {expected}",
                &names[column]
            );
        }
        let number = |name: &str| score[name].as_f64().unwrap();
        let (observed, e) = (number("observed"), 5e-3 * number("observed").max(1.0));
        assert_eq!(observed > number("p95") + e, &row[11] == "1", "{key:?}");
        assert_eq!(observed < number("p5") - e, &row[12] == "1", "{key:?}");
        compared += 1;
    }
    // 7 pairs of a campus and an origin with 2 or 3 horizons, 3 quantities, 6 forecasters.
    assert_eq!(compared, 378);
}

#[test]
fn every_rival_stands_beside_a_forecast_and_misses_are_shown() {
    let said = out(&buildout(&["backtest", RECORD, "--misses", "3"]));
    for words in [
        "| last value |",
        "| straight line |",
        "| exponential |",
        "| S-curve |",
        "| reference class |",
        "| step process |",
        "| width |",
        "## 12 months ahead",
        "## buildings",
        "## Misses",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    let misses = said.split("## Misses").nth(1).unwrap();
    assert_eq!(
        misses.lines().filter(|line| line.starts_with("| ")).count(),
        2 + 3
    );
}

#[test]
fn files_of_a_record_have_every_case_and_what_it_comes_to() {
    let folder = tempfile::tempdir().unwrap();
    let record = Path::new(PROJECT).join(RECORD);
    let record = record.to_str().unwrap();
    let said = buildout_in(folder.path(), &["backtest", record, "--out", "out"]);
    assert!(said.status.success(), "{}", err(&said));
    for name in ["backtest.html", "backtest.svg", "backtest-pit.svg"] {
        assert!(err(&said).contains(name), "{}", err(&said));
    }
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    assert_eq!(read("backtest.md"), out(&said));
    let json: Value = serde_json::from_str(&read("backtest.json")).unwrap();
    let table = read("backtest.csv");
    let mut cases = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<csv::StringRecord> = cases.records().map(Result::unwrap).collect();
    let scores = json["scores"].as_array().unwrap();
    assert_eq!(rows.len(), scores.len());
    for (row, score) in rows.iter().zip(scores) {
        assert_eq!(&row[0], score["forecaster"].as_str().unwrap());
        assert_eq!(row[11].parse::<f64>().ok(), score["log_crps"].as_f64());
    }
    assert_eq!(json["judged"], serde_json::json!(["quantiles", "samples"]));
    assert_eq!(json["reference"], "last value");
    // The same files again are refused, unless they are to be overwritten.
    let again = buildout_in(folder.path(), &["backtest", record, "--out", "out"]);
    assert!(err(&again).contains("backtest.json"), "{}", err(&again));
    let forced = ["backtest", record, "--out", "out", "--force", "--quiet"];
    let forced = buildout_in(folder.path(), &forced);
    assert!(
        forced.status.success() && err(&forced).is_empty(),
        "{}",
        err(&forced)
    );
}

#[test]
fn a_reference_that_nobody_is_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["forecasts.csv", "observations.csv"] {
        let from = Path::new(PROJECT)
            .join("tests/reference/backtest")
            .join(name);
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    let text = fs::read_to_string(Path::new(PROJECT).join(RECORD)).unwrap();
    let text = text.replace("\"last value\"", "\"lats value\"");
    fs::write(folder.path().join("record.toml"), text).unwrap();
    let said = buildout_in(folder.path(), &["backtest", "record.toml"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(
        err(&said).contains("lats value") && err(&said).contains("last value"),
        "{}",
        err(&said)
    );
}

/// A shell of 1 to 9 months from the start, and 4 MW live when it is done.
const SCENARIO: &str = r#"
format = 1
name = "yard"
start = "2024-01"
horizon_months = 24
rack_types = [{ name = "rack", power = "10 kW" }]
[[campuses]]
name = "yard"
[[campuses.buildings]]
name = "A"
activities = [{ name = "shell", duration_months = { uniform = [1, 9] } }]
halls = [{ name = "hall", racks = 400, rack_type = "rack" }]
"#;

#[test]
fn a_scenario_is_filled_in_for_each_campus_and_origin() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("yard.toml", SCENARIO);
    write(
        "known.csv",
        "subject,origin,start,campuses.yard.buildings.A.halls.hall.racks\n\
         small,2024-06-30,2024-07,\nlarge,2024-12-31,2025-01,800\n",
    );
    write(
        "observations.csv",
        "subject,date,quantity,value\nsmall,2024-10-15,it_mw,4\nlarge,2025-03-01,it_mw,8\n",
    );
    let config = r#"
observations = "observations.csv"
template = { scenario = "yard.toml", known = "known.csv", horizons_months = [4, 12], trials = 4000 }
quantities = [{ name = "it_mw", floor = 10, metric = "racks_deployable" }]
"#;
    write(
        "record.toml",
        &config.replace("racks_deployable", "it_power_mw"),
    );
    let made = by_case(scores(
        &["backtest", "record.toml", "--json"],
        folder.path(),
    ));
    let of = |subject: &str, origin: &str, date: &str| {
        let key = ["scenario", subject, origin, date, "it_mw"].map(str::to_owned);
        made.get(&key)
            .unwrap_or_else(|| panic!("{key:?} of {made:?}"))
    };
    // Four months after the origin three trials of eight are done: (4 - 1)/(9 - 1).
    let early = of("small", "2024-06-30", "2024-10-31");
    assert_eq!(early["p95"], 4.0);
    let share = early["equal"].as_f64().unwrap();
    assert!(
        (share - 0.375).abs() < 4.0 * (0.375_f64 * 0.625 / 4_000.0).sqrt() + 1.0 / 199.0,
        "{share}"
    );
    let late = of("large", "2024-12-31", "2025-12-31");
    assert_eq!(
        (late["p5"].as_f64(), late["median"].as_f64()),
        (Some(8.0), Some(8.0))
    );
    assert!(late["log_crps"].as_f64().unwrap().abs() < 1e-12);
    let too_far = config.replace("[4, 12]", "[4, 36]");
    write("record.toml", &too_far);
    let said = buildout_in(folder.path(), &["backtest", "record.toml"]);
    assert!(
        err(&said).contains("row 2") && err(&said).contains("36 months"),
        "{}",
        err(&said)
    );
    write("known.csv", "origin,start\n2024-06-30,2024-07\n");
    let said = buildout_in(folder.path(), &["backtest", "record.toml"]);
    assert!(
        err(&said).contains("there is no `subject`"),
        "{}",
        err(&said)
    );
}
