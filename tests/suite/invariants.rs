//! What must hold of every example, however its numbers are changed: no uncertainty means no spread, and the order of
//! buildings in the file, or a longer way for power, changes nothing but what it is said to change.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used)]

use std::path::Path;

use buildout::projection::TrialRow;
use buildout::uncertain::Domain;
use buildout::{Scenario, Uncertain, Workspace};
use serde_json::{Value, json};

use crate::tool::examples;

fn short(path: &Path) -> Scenario {
    let mut scenario = Scenario::from_path(path).unwrap();
    scenario.horizon_months = scenario.horizon_months.min(48);
    scenario.targets.clear();
    scenario
}

fn rows(scenario: &Scenario, trials: u64) -> Vec<TrialRow> {
    let model = scenario.compile().unwrap_or_else(|error| panic!("{error}"));
    let mut workspace = Workspace::default();
    (0..trials)
        .map(|trial| {
            let mut row = TrialRow::new(model.layout().clone());
            model.simulate(11, trial, &mut workspace, &mut row);
            row
        })
        .collect()
}

/// The median of a distribution as it stands in plain data.
fn median(value: &Value) -> Option<f64> {
    let quantity: Uncertain = serde_json::from_value(value.clone()).ok()?;
    let domains = [Domain::SHARE, Domain::NON_NEGATIVE, Domain::ANY];
    let sampler = domains
        .iter()
        .find_map(|domain| quantity.sampler(*domain).ok())?;
    Some(sampler.at(0.5))
}

/// Every quantity at its median, and nothing left to chance.
fn made_certain(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                if let Some(median) = median(value).filter(|_| value.is_object()) {
                    let is_count = ["racks", "count", "modules"].contains(&key.as_str());
                    *value = json!(if is_count { median.round() } else { median });
                }
                let chance = [
                    "probability",
                    "slip_probability",
                    "refusal_probability",
                    "stop_probability",
                    "outreach_per_month",
                ];
                if key == "built_probability" && value.is_number() {
                    *value = json!(1.0);
                }
                if chance.contains(&key.as_str()) && value.is_number() {
                    *value = json!(0.0);
                }
                made_certain(value);
            }
            for key in [
                "outreach_curve",
                "campaigns",
                "existing",
                "expansion",
                "early_exit",
                "renewal",
            ] {
                if entries.contains_key("sign_probability") {
                    entries.remove(key);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(made_certain),
        _ => {}
    }
}

#[test]
fn without_uncertainty_all_trials_are_one() {
    for path in examples() {
        let mut plan = serde_json::to_value(short(&path)).unwrap();
        made_certain(&mut plan);
        plan["regimes"] = json!([]);
        plan["correlations"] = Value::Null;
        let scenario: Scenario = serde_json::from_value(plan).unwrap();
        let rows = rows(&scenario, 3);
        let layout = rows[0].layout().clone();
        for (metric, label) in layout.metrics.iter().enumerate() {
            for row in &rows[1..] {
                let same = row
                    .monthly(0, metric)
                    .iter()
                    .zip(rows[0].monthly(0, metric))
                    .all(|(one, other)| one.to_bits() == other.to_bits());
                assert!(same, "{}: {}", path.display(), label.name);
            }
        }
    }
}

fn live(row: &TrialRow) -> Vec<f64> {
    let metric = row.layout().metric_index("it_power_mw").unwrap();
    row.monthly(0, metric).to_vec()
}

#[test]
fn the_order_of_buildings_in_the_file_leaves_the_total_as_it_was() {
    for path in examples() {
        let scenario = short(&path);
        let mut turned = scenario.clone();
        for campus in &mut turned.campuses {
            campus.buildings.reverse();
        }
        // Crews are given out in the order of the plan, which is that of the file where nothing else decides.
        if !scenario.crews.is_empty() {
            continue;
        }
        for (row, turned) in rows(&scenario, 5).iter().zip(rows(&turned, 5)) {
            for (month, (one, other)) in live(row).iter().zip(live(&turned)).enumerate() {
                let apart = (one - other).abs();
                assert!(
                    apart <= 1e-9 * one.max(1.0),
                    "{}, month {month}: {apart}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn power_that_comes_sooner_never_means_less_of_it() {
    for path in examples() {
        let scenario = short(&path);
        let mut sooner = scenario.clone();
        for campus in &mut sooner.campuses {
            for step in &mut campus.grid {
                step.wait_months = Uncertain::zero();
                step.slip_probability = 0.0;
            }
        }
        for (row, sooner) in rows(&scenario, 5).iter().zip(rows(&sooner, 5)) {
            for (month, (late, early)) in live(row).iter().zip(live(&sooner)).enumerate() {
                assert!(
                    *late <= early + 1e-9 * early.max(1.0),
                    "{}, month {month}",
                    path.display()
                );
            }
        }
    }
}
