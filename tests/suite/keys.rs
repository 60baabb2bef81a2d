//! The reference of keys, inputs and metrics is what the source says.
//!
//! `BUILDOUT_REFERENCE=write cargo test --test suite keys` writes it anew.
#![cfg(feature = "files")]

use std::fs;
use std::path::Path;

use buildout::Scenario;
use buildout::projection::metrics::METRICS;

#[test]
fn the_reference_is_that_of_the_source() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let now = Scenario::reference();
    if std::env::var_os("BUILDOUT_REFERENCE").is_some_and(|value| value == "write") {
        fs::write(&path, &now).expect("a folder to write to");
    }
    let kept = fs::read_to_string(&path).expect("docs/reference.md");
    for (number, (kept, now)) in kept.lines().zip(now.lines()).enumerate() {
        assert_eq!(kept, now, "docs/reference.md:{}", number + 1);
    }
    assert_eq!(kept.lines().count(), now.lines().count());
}

#[test]
fn every_metric_is_in_the_reference() {
    let reference = Scenario::reference();
    for metric in METRICS {
        assert!(
            reference.contains(&format!("| `{}` |", metric.name)),
            "{}",
            metric.name
        );
    }
}
