//! Parquet as other tools read it: DuckDB by way of Python. Skipped, with a message, where it is absent.
#![cfg(all(feature = "cli", feature = "parquet"))]
#![allow(clippy::unwrap_used)]

use std::process::Command;

use serde_json::Value;

use crate::tool;

const SCENARIO: &str = "examples/qingyang.toml";
const TRIALS: &str = "300";

/// The CSV is read without a word of how it is written.
///
/// The example query: how likely is a target in all, and given that a substation is late?
const QUERY: &str = r#"
import duckdb, json, sys
folder = sys.argv[1]
one = lambda query: duckdb.sql(query.replace("FOLDER", folder)).fetchall()[0]
target = '"target: 100,000 PFLOPS by the end of 2027"'
late = '"milestone: Qingyang/north substation energised"'
print(json.dumps({
    "all": one(f"SELECT avg({target}::INT) FROM 'FOLDER/trials.parquet'")[0],
    "late": one(f"SELECT avg({target}::INT), count(*) FROM 'FOLDER/trials.parquet' WHERE coalesce({late} > 26, true)"),
    "early": one(f"SELECT avg({target}::INT), count(*) FROM 'FOLDER/trials.parquet' WHERE {late} <= 26"),
    "p50": one("SELECT value FROM 'FOLDER/projection.parquet' WHERE metric = 'it_power_mw' AND statistic = 'p50' AND month = '2030-06' AND scope = 'total'")[0],
    "csv": one("SELECT count(*), sum(value), count(month), count(DISTINCT metric) FROM 'FOLDER/projection.csv'"),
    "types": [row[1] for row in duckdb.sql(f"DESCRIBE SELECT * FROM '{folder}/projection.csv'").fetchall()],
    "months": one("SELECT count(*), avg(it_power_mw) FILTER (month = '2030-06') FROM 'FOLDER/months.parquet' WHERE scope = 'total'"),
    "joined": one(f"SELECT count(*) FROM 'FOLDER/months.parquet' JOIN 'FOLDER/trials.parquet' USING (trial) WHERE {late} > 26 AND month = '2027-12' AND scope = 'total'")[0],
    "mean": one("SELECT value FROM 'FOLDER/projection.parquet' WHERE metric = 'it_power_mw' AND statistic = 'mean' AND month = '2030-06' AND scope = 'total'")[0],
    "parquet": one("SELECT count(*), sum(value), count(month), count(DISTINCT metric) FROM 'FOLDER/projection.parquet'"),
}))
"#;

fn buildout(arguments: &[&str]) {
    let output = tool::buildout(&[arguments, &["--trials", TRIALS, "--quiet"]].concat());
    assert!(output.status.success(), "{}", tool::err(&output));
}

#[test]
fn duckdb_answers_what_a_target_hangs_on() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_duckdb = Command::new(&python)
        .args(["-c", "import duckdb"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_duckdb {
        eprintln!("skipped: {python} has no duckdb (set PYTHON to one that has)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let trials = folder.path().join("trials.parquet");
    buildout(&["run", SCENARIO, "--out", path]);
    buildout(&["trials", SCENARIO, "--out", trials.to_str().unwrap()]);
    let months = folder.path().join("months.parquet");
    let by_month = "it_power_mw,take_up";
    buildout(&[
        "trials",
        SCENARIO,
        "--by-month",
        by_month,
        "--out",
        months.to_str().unwrap(),
    ]);
    let output = Command::new(&python)
        .args(["-c", QUERY, path])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let json = std::fs::read(folder.path().join("projection.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();

    let targets = json["targets"].as_array().unwrap();
    let target = targets
        .iter()
        .find(|target| target["name"] == "100,000 PFLOPS by the end of 2027");
    let probability = target.unwrap()["probability"].as_f64().unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    assert!((number(&answer["all"]) - probability).abs() < 1e-12);
    // Both parts are there, together they are all, and who waits longer is no better off.
    let [late, early] =
        ["late", "early"].map(|part| (number(&answer[part][0]), number(&answer[part][1])));
    assert!(late.1 > 0.0 && early.1 > 0.0, "{answer}");
    assert_eq!((late.1 + early.1).to_string(), TRIALS);
    let together = (late.0 * late.1 + early.0 * early.1) / (late.1 + early.1);
    assert!((together - probability).abs() < 1e-12, "{answer}");

    let months = json["months"].as_array().unwrap();
    let month = months.iter().position(|month| month == "2030-06").unwrap();
    assert_eq!(
        number(&answer["p50"]),
        number(&json["metrics"]["it_power_mw"]["p50"][month])
    );
    for at in [0, 2, 3] {
        assert_eq!(answer["csv"][at], answer["parquet"][at], "{answer}");
    }
    assert_eq!(answer["types"][6], "DOUBLE", "{answer}");
    assert_eq!(
        number(&answer["months"][0]) as usize,
        300 * months_of(&json)
    );
    let (mean, expected) = (number(&answer["months"][1]), number(&answer["mean"]));
    assert!((mean - expected).abs() < 1e-9 * expected, "{answer}");
    let is_late = number(&answer["joined"]);
    assert!(is_late > 0.0 && is_late <= late.1, "{answer}");
    let (csv, parquet) = (number(&answer["csv"][1]), number(&answer["parquet"][1]));
    assert!(
        (csv - parquet).abs() <= 1e-9 * csv.abs(),
        "{csv} and {parquet}"
    );
}

fn months_of(json: &Value) -> usize {
    json["months"].as_array().unwrap().len()
}

/// Runs all queries of docs/data.md in the folder of a run.
const QUERIES: &str = r#"
import os, re, sys
import duckdb
text = open(sys.argv[1]).read()
os.chdir(sys.argv[2])
queries = re.findall(r"^```sql\n(.*?)^```", text, re.S | re.M)
for query in queries:
    rows = duckdb.sql(query.strip().rstrip(";").split(";  --")[0]).fetchall()
    assert rows and all(any(x is not None for x in row) for row in rows), query
programs = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
try:
    import polars
except ImportError:
    programs = []
for program in programs:
    exec(program)
print(len(queries), len(programs))
"#;

#[test]
fn duckdb_answers_the_queries_of_the_document() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_duckdb = Command::new(&python)
        .args(["-c", "import duckdb"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_duckdb {
        eprintln!("skipped: {python} has no duckdb (set PYTHON to one that has)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    buildout(&["run", SCENARIO, "--out", &path("out")]);
    buildout(&["trials", SCENARIO, "--out", &path("trials.parquet")]);
    let by_month = "it_power_mw,take_up";
    let months = path("months.parquet");
    buildout(&["trials", SCENARIO, "--by-month", by_month, "--out", &months]);
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/data.md");
    let output = Command::new(&python)
        .args(["-c", QUERIES, document, folder.path().to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let reported = String::from_utf8_lossy(&output.stdout);
    assert!(reported.starts_with("3 "), "{reported}");
}

#[test]
fn polars_reads_results_by_the_example_and_draws_them() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = |module: &str| {
        Command::new(&python)
            .args(["-c", &format!("import {module}")])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !has("polars") {
        eprintln!("skipped: {python} has no polars (set PYTHON to one that has)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    buildout(&["run", "examples/first.toml", "--out", path]);
    let picture = folder.path().join("fan.png");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/read_results.py");
    let mut command = Command::new(&python);
    command.args([script, path, "in_service_power_mw"]);
    if has("matplotlib") {
        command.arg(&picture);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let json = std::fs::read(folder.path().join("projection.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let probability = json["targets"][0]["probability"].as_f64().unwrap();
    let reported = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        reported.contains(&format!(": {:.1}%", probability * 100.0)),
        "{reported}"
    );
    if has("matplotlib") {
        assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    }
}
