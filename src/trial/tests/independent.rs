//! A second implementation of the model, in plain Python and from its description alone, agrees with the first month by month.
//!
//! `tests/independent/model.py` was written from docs/model.md without a look at the Rust. What it makes of
//! `two-campuses.toml` stands in `two-campuses.csv`; `tests/suite/independent.rs` makes it again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Batch, Projection, Scenario};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/independent")
        .join(name)
}

/// Eight digits of each side, and half a unit of money for the hundredths to which each single flow is rounded.
fn tolerance(metric: &str, expected: f64, unit: &str) -> f64 {
    let rounding = if unit == "EUR" || metric.starts_with("revenue") {
        0.5
    } else {
        2e-6
    };
    rounding + 2e-8 * expected.abs()
}

fn found(projection: &Projection, scope: &str, metric: &str) -> (Vec<f64>, String) {
    if let Some(outcome) = metric.strip_prefix("outcome ") {
        let (label, distribution) = projection
            .outcomes()
            .find(|(label, _)| label.name == outcome)
            .unwrap_or_else(|| panic!("no outcome {outcome}"));
        let value = distribution.mean().expect("a trial");
        return (vec![value], label.unit.clone());
    }
    let scopes = std::iter::once(projection.total()).chain(projection.campuses());
    let view = scopes
        .filter(|view| view.name() == scope)
        .find_map(|view| view.metrics().find(|found| found.name() == metric))
        .unwrap_or_else(|| panic!("no {metric} of {scope}"));
    (view.mean(), view.unit().to_owned())
}

#[test]
fn the_model_agrees_with_the_independent_one_month_by_month() {
    let scenario = Scenario::from_path(file("two-campuses.toml")).expect("a scenario");
    let model = scenario.compile().expect("a model");
    let projection = Batch::new(&model).trials(1).run().expect("a trial");
    let table = fs::read_to_string(file("two-campuses.csv")).expect("a table");
    let (mut compared, mut apart) = (0, Vec::new());
    for line in table.lines().skip(1) {
        let [scope, metric, values] = line.splitn(3, ',').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let (ours, unit) = found(&projection, scope, metric);
        let theirs: Vec<f64> = (values.split(' '))
            .map(|value| value.parse().expect("a number"))
            .collect();
        assert_eq!(ours.len(), theirs.len(), "{scope}, {metric}");
        for (month, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            compared += 1;
            if (ours - theirs).abs() > tolerance(metric, *theirs, &unit) {
                apart.push(format!(
                    "{scope}, {metric}, month {month}: {ours}, there {theirs}"
                ));
            }
        }
    }
    assert!(compared > 8_000, "{compared}");
    assert!(
        apart.is_empty(),
        "{} differ:\n{}",
        apart.len(),
        apart.join("\n")
    );
}
