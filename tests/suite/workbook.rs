//! Workbooks from outside: those of a run are opened by LibreOffice without a complaint, and those of `new` are scenarios.
#![cfg(all(feature = "cli", feature = "excel"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use calamine::{Data, Reader, Xlsx, open_workbook};
use serde_json::Value;

use crate::tool::buildout_in;

fn office() -> Option<&'static str> {
    let name = "soffice";
    let version = Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success()).then_some(name)
}

fn done(folder: &Path, arguments: &[&str]) -> Output {
    let output = buildout_in(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The workbook as LibreOffice reads and writes it; none where there is no LibreOffice.
fn through_office(path: &Path) -> Option<PathBuf> {
    let Some(office) = office() else {
        eprintln!("skipped: there is no LibreOffice (soffice)");
        return None;
    };
    let folder = path.parent().unwrap().join("office");
    let profile = format!(
        "-env:UserInstallation=file://{}",
        folder.join("profile").display()
    );
    let output = Command::new(office)
        .args([&profile, "--headless", "--convert-to", "xlsx", "--outdir"])
        .args([&folder, path])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
    let complaints: Vec<&str> = (said.lines())
        // A build without Java says so; nothing here needs it.
        .filter(|line| !line.contains("java") && !line.trim().is_empty())
        .collect();
    assert!(output.status.success() && complaints.is_empty(), "{said}");
    Some(folder.join(path.file_name().unwrap()))
}

/// Whether two cells say the same; an office keeps 15 digits of a number.
fn is_same(one: &str, other: &str) -> bool {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => (one - other).abs() <= 1e-12 * one.abs(),
        _ => one == other,
    }
}

fn assert_same(path: &Path, again: &Path, sheet: &str) {
    let (one, other) = (texts(path, sheet), texts(again, sheet));
    assert_eq!(one.len(), other.len(), "{sheet}");
    for (row, other) in one.iter().zip(&other) {
        let same = row
            .iter()
            .zip(other)
            .all(|(cell, other)| is_same(cell, other));
        assert!(
            same && row.len() == other.len(),
            "{sheet}: {row:?}\n{other:?}"
        );
    }
}

/// All cells of a sheet as texts.
fn texts(path: &Path, sheet: &str) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    let range = book.worksheet_range(sheet).unwrap();
    range
        .rows()
        .map(|row| row.iter().map(Data::to_string).collect())
        .collect()
}

#[test]
#[ignore = "slow"]
fn the_workbook_of_a_run_is_opened_by_an_office_and_keeps_its_numbers_and_charts() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first.toml");
    done(
        folder.path(),
        &[
            "run",
            scenario.to_str().unwrap(),
            "--trials",
            "300",
            "--quiet",
            "--out",
            "out",
        ],
    );
    let path = folder.path().join("out/projection.xlsx");
    let json: Value =
        serde_json::from_slice(&fs::read(folder.path().join("out/projection.json")).unwrap())
            .unwrap();
    let inputs = texts(&path, "Inputs");
    assert!(
        inputs.len() > 5 && inputs.iter().any(|row| row[3].starts_with("line ")),
        "{inputs:?}"
    );
    let Some(again) = through_office(&path) else {
        return;
    };
    for sheet in [
        "Summary",
        "Targets",
        "Milestones",
        "Months",
        "Inputs",
        "Drivers",
        "Provenance",
    ] {
        assert_same(&path, &again, sheet);
    }
    let probability = json["targets"][0]["probability"].as_f64().unwrap();
    assert!(is_same(
        &texts(&again, "Targets")[1][3],
        &probability.to_string()
    ));
    let mut packed = zip::ZipArchive::new(fs::File::open(&again).unwrap()).unwrap();
    assert!(
        packed.by_name("xl/charts/chart1.xml").is_ok(),
        "no chart is left"
    );
}

/// A plan in which each name that a planner chooses begins as a formula does.
const FORMULAS: &str = r#"
name = "=1+1"
description = "+2+2"
start = "2026-01"
horizon_months = 24

# @SUM(A1:A9)
[[rack_types]]
name = "@air"
power_kw = 10

[[campuses]]
name = "=cmd|' C calc'!A0"
pue = { pert = [1.2, 1.25, 1.4] }

[[campuses.substations]]
name = "-S1"
power_mw = 12
activities = [{ name = "=transformer", duration_months = { uniform = [4, 9] } }]

[[campuses.buildings]]
name = "+A1"
substation = "-S1"
activities = [{ name = "-permit", duration_months = { pert = [2, 3, 8] } }]
halls = [{ name = "@hall", racks = 400, rack_type = "@air" }]

[[segments]]
name = "=segment"
outreach_per_month = 12
sign_probability = 0.2
contract_power_kw = 80
term_months = 36

[[targets]]
name = "=HYPERLINK(\"http://localhost\")"
metric = "in_service_power_mw"
campus = "=cmd|' C calc'!A0"
at_least = 1
by = "2027-06"
"#;

/// The texts of all sheets that begin as a formula does. No cell holds one, and nothing but the own numbers is referred to.
fn texts_like_formulas(path: &Path) -> Vec<String> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    let mut found = Vec::new();
    for sheet in book.sheet_names() {
        let formulas = book.worksheet_formula(&sheet).unwrap();
        let formulas: Vec<_> = formulas.used_cells().collect();
        assert!(formulas.is_empty(), "{sheet}: {formulas:?}");
        let range = book.worksheet_range(&sheet).unwrap();
        let cells = range.used_cells().filter_map(|cell| match cell.2 {
            Data::String(text) => Some(text),
            _ => None,
        });
        found.extend(
            cells
                .filter(|text| text.starts_with(['=', '+', '-', '@']))
                .cloned(),
        );
    }
    let mut packed = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    for number in 0..packed.len() {
        let mut part = packed.by_index(number).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut text = String::new();
        if name.ends_with(".xml") && part.read_to_string(&mut text).is_ok() {
            for reference in text.replace("&apos;", "'").split("<c:f>").skip(1) {
                // An office writes the constant names of series as quoted texts.
                let is_own =
                    reference.starts_with("'Chart data'!") || reference.starts_with("&quot;P");
                assert!(is_own, "{name}: {reference:.60}");
            }
            assert!(
                !text.contains("ddeLink") && !text.contains("externalLink"),
                "{}",
                name
            );
        }
    }
    found
}

#[test]
#[ignore = "slow"]
fn no_cell_of_a_workbook_is_a_formula_whatever_names_begin_with() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("plan.toml"), FORMULAS).unwrap();
    done(here, &["convert", "plan.toml", "plan.xlsx", "--quiet"]);
    done(
        here,
        &[
            "run",
            "plan.toml",
            "--trials",
            "64",
            "--quiet",
            "--out",
            "out",
        ],
    );
    for (file, least) in [("plan.xlsx", 12), ("out/projection.xlsx", 6)] {
        let path = here.join(file);
        let names = texts_like_formulas(&path);
        assert!(names.len() >= least, "{file}: {names:?}");
        if let Some(again) = through_office(&path) {
            assert_eq!(texts_like_formulas(&again), names, "{file}");
        }
    }
    let result =
        |file: &str| done(here, &["run", file, "--trials", "64", "--json", "--quiet"]).stdout;
    assert!(result("plan.toml") == result("plan.xlsx"));
}

#[test]
#[ignore = "slow"]
fn a_new_workbook_is_a_scenario_also_after_an_office_has_saved_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    done(here, &["new", "plan.toml", "--quiet"]);
    done(here, &["new", "--excel", "plan.xlsx", "--quiet"]);
    let first =
        |file: &str| done(here, &["run", file, "--trials", "100", "--json", "--quiet"]).stdout;
    let expected = first("plan.toml");
    assert!(!expected.is_empty() && first("plan.xlsx") == expected);
    if let Some(again) = through_office(&here.join("plan.xlsx")) {
        assert!(first(again.to_str().unwrap()) == expected);
    }
    let refused = buildout_in(here, &["new", "--excel", "plan.xlsx"]);
    assert_eq!(
        refused.status.code(),
        Some(1),
        "what is there was overwritten"
    );
    done(here, &["convert", "plan.xlsx", "back.toml", "--quiet"]);
    assert!(first("back.toml") == expected);
    done(here, &["convert", "back.toml", "again.xlsx", "--quiet"]);
    assert!(first("again.xlsx") == expected);
    assert!(
        !buildout_in(here, &["convert", "plan.toml", "plan.xlsx"])
            .status
            .success()
    );
}

#[test]
fn a_workbook_is_complained_of_by_its_cells() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut book = rust_xlsxwriter::Workbook::new();
    for (name, rows) in [
        ("Scenario", [["key", "value"], ["start", "2025-01"]]),
        ("Campuses", [["name", "pue"], ["north", "0.5"]]),
    ] {
        let sheet = book.add_worksheet();
        sheet.set_name(name).unwrap();
        for (row, cells) in (0_u32..).zip(rows) {
            for (column, cell) in (0_u16..).zip(cells) {
                sheet.write_string(row, column, cell).unwrap();
            }
        }
    }
    book.save(here.join("bad.xlsx")).unwrap();
    let output = buildout_in(here, &["validate", "bad.xlsx", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let problems: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let cells: Vec<&str> = problems
        .iter()
        .filter_map(|problem| problem["cell"].as_str())
        .collect();
    assert!(
        cells.contains(&"Campuses!B2") && cells.contains(&"Scenario!A1"),
        "{problems:?}"
    );
}
