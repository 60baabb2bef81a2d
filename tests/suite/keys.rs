//! The reference of keys, inputs and metrics is what the source says.
//!
//! `BUILDOUT_REFERENCE=write cargo test --test suite keys` writes it again.
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

/// Anchors are made of headings as GitHub makes them: in small letters, with hyphens for spaces.
#[test]
fn every_link_within_the_reference_leads_to_a_heading() {
    let reference = Scenario::reference();
    let anchors: Vec<String> = (reference.lines())
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches(['#', ' '])
                .to_lowercase()
                .replace(' ', "-")
        })
        .collect();
    let links: Vec<&str> = (reference.split("](#").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(anchor, _)| anchor)
        .collect();
    assert!(links.len() > 100, "{links:?}");
    for link in links {
        assert!(anchors.iter().any(|anchor| anchor == link), "{link}");
    }
}
