//! Inputs that are nearly right: examples with a few changes drawn by chance. Nothing may panic, and what is
//! accepted keeps the balances of the model.
//!
//! `BUILDOUT_CASES=100000 cargo test --profile thorough --test suite mutated -- --include-ignored` looks for longer; a case
//! that fails is reported by its number.
#![cfg(all(feature = "files", feature = "import"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use buildout::analysis::update::{Observations, Update};
use buildout::import::{ImportOptions, StatusUpdate, read};
use buildout::monte_carlo::checkpoint::FORMAT;
use buildout::monte_carlo::part::Part;
use buildout::projection::TrialRow;
use buildout::sampling::ensemble::Ensemble;
use buildout::{Batch, Scenario, Workspace};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::tool::examples;

/// SplitMix64 (Steele, Lea & Flood 2014): enough to choose by.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

fn cases(usual: u64) -> u64 {
    let stated = std::env::var("BUILDOUT_CASES").ok();
    stated.and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// Examples as plain data, short enough to be run often.
fn plans() -> Vec<Value> {
    let plans = examples().into_iter().map(|path| {
        let mut scenario = Scenario::from_path(&path).unwrap();
        scenario.horizon_months = scenario.horizon_months.min(30);
        scenario.targets.clear();
        scenario.limits.contracts_per_trial = 20_000;
        serde_json::to_value(&scenario).unwrap()
    });
    plans.collect()
}

/// How many values there are, that itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.values().map(size).sum(),
        _ => 0,
    }
}

/// The value of that number, counted as [`size`] does.
fn at(value: &mut Value, mut number: usize) -> &mut Value {
    if number == 0 {
        return value;
    }
    number -= 1;
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(entries) => entries.values_mut().collect(),
        _ => unreachable!("a number within the size"),
    };
    for value in inner {
        let count = size(value);
        if number < count {
            return at(value, number);
        }
        number -= count;
    }
    unreachable!("a number within the size")
}

const NUMBERS: [f64; 14] = [
    0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 10.0, 1e3, 1e6, 1e9, 1e-9, 1e15, 1e18, 1e300,
];

fn changed_number(number: f64, chance: &mut Chance) -> Value {
    let low = number * 0.5;
    let high = number * 1.5 + 1.0;
    match chance.below(8) {
        0 => json!(chance.of(&NUMBERS)),
        1 => json!(number * chance.of(&NUMBERS)),
        2 => json!({ "uniform": { "min": low, "max": high } }),
        3 => json!({ "pert": { "min": low, "mode": number, "max": high } }),
        4 => json!({ "p10": low, "p90": high }),
        5 => json!({ "lognormal": { "median": number, "sigma": 0.4 } }),
        6 => json!({ "discrete": [[number, 0.5], [high, 0.5]] }),
        _ => json!(number.round() as i64),
    }
}

fn change(value: &mut Value, chance: &mut Chance) {
    match value {
        Value::Number(number) => *value = changed_number(number.as_f64().unwrap(), chance),
        Value::Bool(is) => *is = !*is,
        Value::String(text) => match chance.below(4) {
            0 => text.clear(),
            1 => text.push('x'),
            2 => *text = "2031-02".to_owned(),
            _ => *text = "newest".to_owned(),
        },
        Value::Array(items) if !items.is_empty() => {
            let position = chance.below(items.len());
            match chance.below(3) {
                0 => drop(items.remove(position)),
                1 => items.reverse(),
                _ => {
                    let mut again = items[position].clone();
                    if let Some(Value::String(name)) = again.get_mut("name") {
                        name.push_str(" again");
                    }
                    items.push(again);
                }
            }
        }
        Value::Object(entries) if !entries.is_empty() => {
            let position = chance.below(entries.len());
            let key = entries.keys().nth(position).unwrap().clone();
            entries.remove(&key);
        }
        _ => *value = json!(1),
    }
}

fn metric(row: &TrialRow, name: &str) -> Option<Vec<f64>> {
    let index = row.layout().metric_index(name)?;
    Some(row.monthly(0, index).to_vec())
}

/// What holds in every month of every trial, whatever the plan.
fn check_row(row: &TrialRow, case: u64) {
    for (index, label) in row.layout().metrics.iter().enumerate() {
        // The mean of nobody, and the ratio of nothing, are none.
        if ["waiting_months", "pue", "effective_pflops_per_facility_mw"]
            .contains(&label.name.as_str())
        {
            continue;
        }
        for value in row.monthly(0, index) {
            assert!(!value.is_nan(), "case {case}: {} is {value}", label.name);
        }
    }
    let (Some(built), Some(live)) = (metric(row, "built_power_mw"), metric(row, "it_power_mw"))
    else {
        return;
    };
    let causes = [
        "stranded_density_mw",
        "stranded_cooling_mw",
        "stranded_delivery_mw",
        "stranded_redundancy_not_complete_mw",
        "stranded_space_without_power_mw",
        "stranded_equipment_late_mw",
    ];
    let stranded: Vec<Vec<f64>> = causes.iter().filter_map(|name| metric(row, name)).collect();
    let in_service = metric(row, "in_service_power_mw").unwrap();
    for month in 0..built.len() {
        let parts: f64 = stranded.iter().map(|of| of[month]).sum();
        let apart = (built[month] - live[month] - parts).abs();
        assert!(
            apart <= 1e-6 * built[month].max(1.0),
            "case {case}, month {month}: {apart}"
        );
        let above = in_service[month] - live[month];
        assert!(
            above <= 1e-6 * live[month].max(1.0),
            "case {case}, month {month}: {above}"
        );
    }
}

#[test]
#[ignore = "slow"]
fn plans_changed_by_chance_are_refused_or_keep_their_balances() {
    let plans = plans();
    let mut workspace = Workspace::default();
    let mut accepted = 0;
    let count = cases(400);
    for case in 0..count {
        let mut chance = Chance(case);
        let mut plan = chance.of(&plans).clone();
        for _ in 0..1 + chance.below(3) {
            let number = 1 + chance.below(size(&plan) - 1);
            change(at(&mut plan, number), &mut chance);
        }
        let Ok(scenario) = serde_json::from_value::<Scenario>(plan) else {
            continue;
        };
        let Ok(model) = scenario.compile() else {
            continue;
        };
        if scenario.horizon_months > 120 {
            continue;
        }
        accepted += 1;
        for trial in 0..2 {
            let mut row = TrialRow::new(model.layout().clone());
            model.simulate(1, trial, &mut workspace, &mut row);
            check_row(&row, case);
        }
        // What is accepted can be written, and reads back as the same.
        let text = scenario.to_toml().unwrap();
        let again =
            Scenario::from_toml(&text).unwrap_or_else(|e| panic!("case {case}: {e}\n{text}"));
        assert_eq!(again, scenario, "case {case}");
    }
    assert!(accepted > count / 10, "{accepted}");
}

/// A copy with a few bytes changed, taken out, or put in from elsewhere in it.
fn changed_bytes(of: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = of.to_vec();
    for _ in 0..1 + chance.below(4) {
        if bytes.is_empty() {
            break;
        }
        let place = chance.below(bytes.len());
        let length = 1 + chance.below(24.min(bytes.len() - place));
        match chance.below(5) {
            0 => bytes[place] = chance.next() as u8,
            1 => drop(bytes.drain(place..place + length)),
            2 => {
                let from = chance.below(of.len().saturating_sub(length).max(1));
                let copy: Vec<u8> = of[from..].iter().copied().take(length).collect();
                bytes.splice(place..place, copy);
            }
            3 => bytes.truncate(place),
            _ => {
                let words: [&[u8]; 8] = [
                    b"1e308",
                    b"-1",
                    b"\"\"",
                    b"[",
                    b"{",
                    b"]]>",
                    b"\n%R\t",
                    b"\xff\xfe",
                ];
                bytes.splice(place..place, chance.of(&words).iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn texts_changed_by_chance_are_read_or_refused() {
    let texts: Vec<Vec<u8>> = (examples().iter())
        .map(|path| fs::read(path).unwrap())
        .collect();
    for case in 0..cases(300) {
        let mut chance = Chance(case);
        let text: &Vec<u8> = chance.of(&texts);
        let text = changed_bytes(text, &mut chance);
        if let Ok(text) = String::from_utf8(text) {
            let _ = Scenario::from_toml(&text);
        }
    }
}

fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(folder);
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort_unstable();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn what_once_was_found_to_harm_is_refused_or_run() {
    for text in corpus("scenario") {
        if let Ok(scenario) = Scenario::from_toml(&String::from_utf8_lossy(&text)) {
            let model = scenario.compile().unwrap();
            Batch::new(&model).trials(3).run().unwrap();
        }
    }
}

/// Reads each file of a folder of the corpus as it is, and with changes.
fn read_changed(folder: &str, read: impl Fn(&[u8])) {
    let files = corpus(folder);
    assert!(!files.is_empty(), "{folder}");
    files.iter().for_each(|file| read(file));
    for case in 0..cases(500) {
        let mut chance = Chance(case);
        let file: &Vec<u8> = chance.of(&files);
        read(&changed_bytes(file, &mut chance));
    }
}

#[test]
fn tables_changed_by_chance_are_read_or_refused() {
    read_changed("ensemble", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(ensemble) = Ensemble::from_text(&text, Path::new("ensemble")) {
            let mut written = Vec::new();
            ensemble.write(&[], &mut written).unwrap();
            let written = String::from_utf8(written).unwrap();
            let again = Ensemble::from_text(&written, Path::new("ensemble"));
            assert_eq!(again.unwrap(), ensemble);
        }
    });
    let scenario = Scenario::from_path(&examples()[0]).unwrap();
    let model = scenario.compile().unwrap();
    read_changed("observations", |bytes| {
        if let Ok(observations) = Observations::from_csv(&String::from_utf8_lossy(bytes)) {
            let _ = Update::new(&model, &observations).check();
        }
    });
    read_changed("status", |bytes| {
        if let Ok(update) = StatusUpdate::from_csv(&String::from_utf8_lossy(bytes), None) {
            let _ = update.match_to(["c/A1/shell", "c/A1/A100 cables", "c/B1/a"]);
        }
    });
}

#[cfg(feature = "excel")]
#[test]
fn workbooks_changed_by_chance_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.xlsx");
    read_changed("workbook", |bytes| {
        let packed = crate::sheets::packed(&String::from_utf8_lossy(bytes));
        for bytes in [
            changed_bytes(&packed, &mut Chance(packed.len() as u64)),
            packed,
        ] {
            fs::write(&path, bytes).unwrap();
            if let Ok(scenario) = Scenario::from_path(&path) {
                let text = scenario.to_toml().unwrap();
                assert_eq!(Scenario::from_toml(&text).unwrap(), scenario);
            }
        }
    });
}

#[test]
#[ignore = "slow"]
fn schedules_changed_by_chance_are_read_or_refused() {
    let schedules = corpus("schedule");
    for case in 0..cases(2_000) {
        let mut chance = Chance(case);
        let schedule: &Vec<u8> = chance.of(&schedules);
        let bytes = changed_bytes(schedule, &mut chance);
        let schedule = read(&bytes, &ImportOptions::default());
        let _ = schedule.map(|schedule| schedule.to_scenario(60));
    }
}

#[test]
fn checkpoints_changed_by_chance_are_refused() {
    let text =
        "name = \"c\"\nstart = \"2025-01\"\nhorizon_months = 3\ncampuses = [{ name = \"c\" }]";
    let model = Scenario::from_toml(text).unwrap().compile().unwrap();
    let batch = Batch::new(&model).trials(20);
    let mut part = batch.begin().unwrap();
    batch.advance(&mut part).unwrap();
    let bytes = part.to_bytes();
    let path = Path::new("checkpoint");
    assert!(Part::from_bytes(&bytes, path).is_ok());
    for case in 0..cases(1_000) {
        let changed = changed_bytes(&bytes, &mut Chance(case));
        if changed != bytes {
            assert!(Part::from_bytes(&changed, path).is_err(), "case {case}");
        }
    }
}

/// A checkpoint of that body, with the sum that it needs.
fn sealed(body: &[u8]) -> Vec<u8> {
    let sum = Sha256::digest(body);
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    let length = body.len();
    let head = format!("buildout checkpoint {FORMAT}\nsha256 {sum} bytes {length}\n");
    [head.as_bytes(), body].concat()
}

fn read_body(body: &[u8]) -> bool {
    let part = Part::from_bytes(&sealed(body), Path::new("checkpoint"));
    part.is_ok_and(|part| {
        let projection = part.into_projection();
        projection.is_ok_and(|projection| projection.to_json().is_object())
    })
}

#[test]
fn checkpoints_with_the_sum_of_changed_bodies_are_refused_or_results() {
    read_changed("checkpoint", |body| {
        read_body(body);
    });
    let text =
        "name = \"c\"\nstart = \"2025-01\"\nhorizon_months = 3\ncampuses = [{ name = \"c\" }]";
    let model = Scenario::from_toml(text).unwrap().compile().unwrap();
    let mut part = Batch::new(&model).trials(3).begin().unwrap();
    Batch::new(&model).trials(3).advance(&mut part).unwrap();
    let bytes = part.to_bytes();
    let begin = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let begin = begin.map(|(at, _)| at + 1).nth(1).unwrap();
    assert!(sealed(&bytes[begin..]) == bytes && read_body(&bytes[begin..]));
    let body: Value = serde_json::from_slice(&bytes[begin..]).unwrap();
    let mut read = 0;
    for case in 0..cases(1_000) {
        let mut chance = Chance(case);
        let mut body = body.clone();
        let number = chance.below(size(&body));
        change(at(&mut body, number), &mut chance);
        read += usize::from(read_body(&serde_json::to_vec(&body).unwrap()));
    }
    assert!(read > 0, "no change is admitted");
}
