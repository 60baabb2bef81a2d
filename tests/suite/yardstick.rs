//! The yardstick against what a program in NumPy says of it: `tests/data/yardstick-numpy.csv`, made by
//! `benches/peers/store.py` from 400,000 trials.
//!
//! 4,000 trials are compared. A mean or a probability may differ by 5 standard errors of the two samples together, and by Bernstein's
//! 5² range / (3 n) more, so that what is rare is not taken for normal. A quantile must lie between those that NumPy has at the levels 5
//! standard errors below and above, but for the 0.4 % by which quantiles of a projection may be off. With 1,600 independent numbers that are all right a
//! limit of 5 would be broken in 1 of 1,000 seeds; the seed is fixed.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used)]

use buildout::{Batch, Projection, Scenario};

const TRIALS: u64 = 4_000;
const Z: f64 = 5.0;
const QUANTILE_ERROR: f64 = 0.004;
const LEVELS: [f64; 3] = [0.1, 0.5, 0.9];

fn near(what: &str, ours: f64, numbers: &[f64]) {
    let [theirs_of, mean, sd, range] = numbers[..4] else {
        panic!("{what}: {numbers:?}")
    };
    let n = TRIALS as f64;
    let error = sd * (1.0 / n + 1.0 / theirs_of).sqrt();
    let allowed = Z * error + Z * Z * range / (3.0 * n) + 1e-6 * mean.abs();
    assert!(
        (ours - mean).abs() <= allowed,
        "{what}: {ours}, NumPy {mean} ±{allowed}"
    );
}

fn between(what: &str, ours: &[Option<f64>], bounds: &[f64]) {
    for (position, level) in LEVELS.iter().enumerate() {
        let ours = ours[position].unwrap_or(f64::INFINITY);
        let (low, high) = (bounds[2 * position], bounds[2 * position + 1]);
        let inside = (low * (1.0 - QUANTILE_ERROR)..=high * (1.0 + QUANTILE_ERROR)).contains(&ours);
        assert!(
            inside,
            "{what}, level {level}: {ours}, NumPy {low} to {high}"
        );
    }
}

fn compare(projection: &Projection, row: &csv::StringRecord) {
    let name = &row[0];
    let numbers: Vec<f64> = (row.iter().skip(2))
        .map(|field| field.parse().unwrap_or(f64::NAN))
        .collect();
    if let Some(milestone) = projection.milestone(name) {
        between(name, &milestone.quantiles(&LEVELS), &numbers[4..]);
        return;
    }
    let month: usize = row[1].parse().unwrap();
    let what = format!("{name} in month {month}");
    if name == "demand exceeds live racks" {
        // Demand binds where nothing waits.
        let bound = projection.total().binding("demand").unwrap()[month];
        near(&what, 1.0 - bound, &numbers);
        return;
    }
    let metric = projection
        .metric(name)
        .unwrap_or_else(|| panic!("no metric {name}"));
    let distribution = metric.month(month).unwrap();
    near(&what, distribution.mean().unwrap(), &numbers);
    between(&what, &distribution.quantiles(&LEVELS), &numbers[4..]);
}

#[test]
fn the_yardstick_says_what_numpy_says() {
    let root = env!("CARGO_MANIFEST_DIR");
    let scenario = Scenario::from_path(format!("{root}/examples/yardstick.toml")).unwrap();
    let batch_of = scenario.compile().unwrap();
    let projection = Batch::new(&batch_of).trials(TRIALS).seed(11).run().unwrap();
    let mut stored = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .flexible(true)
        .from_path(format!("{root}/tests/data/yardstick-numpy.csv"))
        .unwrap();
    let rows: Vec<csv::StringRecord> = stored.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3 * 120 + 12 + 120);
    for row in &rows {
        compare(&projection, row);
    }
}
