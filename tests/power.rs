//! Power, equipment and compute of whole trials: what reaches the racks, and what is stranded.
#![cfg(feature = "files")]
#![allow(missing_docs, clippy::unwrap_used)]

use buildout::projection::TrialRow;
use buildout::{Model, Scenario, Workspace};

/// One trial of a scenario written in TOML.
struct Trial {
    model: Model,
    row: TrialRow,
}

impl Trial {
    fn of(text: &str) -> Self {
        Self::number(text, 0)
    }

    fn number(text: &str, trial: u64) -> Self {
        let scenario = Scenario::from_toml(text).unwrap();
        let model = scenario.compile().unwrap();
        let mut row = TrialRow::new(model.layout().clone());
        model.simulate(1, trial, &mut Workspace::default(), &mut row);
        Self { model, row }
    }

    /// A metric of all campuses at the end of a month.
    fn at(&self, metric: &str, month: usize) -> f64 {
        self.series(metric)[month]
    }

    fn series(&self, metric: &str) -> &[f64] {
        let position = self.model.layout().metric_index(metric).unwrap();
        self.row.monthly(0, position)
    }
}

/// The head of a scenario of two years with one rack type and one building.
fn head(hall: &str, building: &str) -> String {
    format!(
        r#"
format = 1
name = "power"
start = "2025-01"
horizon = "24 months"
rack_types = [{{ name = "rack", power = "10 kW" }}]
[[generations]]
name = "hardware"
rack_power = "10 kW"
rack_pflops = {{ fp16_dense = 12.0 }}
[[segments]]
name = "tenants"
outreach_per_month = 0
sign_probability = 1
contract_power = "1 kW"
existing = {{ contracts_signed = 1, companies_contacted = 1, leased_power_kw = 1e6 }}
[[campuses]]
name = "campus"
[[campuses.buildings]]
name = "A"
activities = [{{ name = "shell", duration_months = 1.5 }}]
halls = [{{ name = "hall", racks = 1000, rack_type = "rack", hardware = "hardware" {hall} }}]
{building}
"#
    )
}

#[test]
fn the_redundancy_decides_what_installed_modules_may_carry() {
    for (redundancy, usable_mw) in [
        ("N", 12.0),
        ("N+1", 11.0),
        ("2N", 6.0),
        ("3N/2", 8.0),
        ("4N/3", 9.0),
        ("block 4N/3", 9.0),
    ] {
        let chain = format!(
            r#"electrical = {{ redundancy = "{redundancy}", module_power = "1 MW", modules = 12 }}"#
        );
        let trial = Trial::of(&head("", &chain));
        assert_eq!(trial.at("it_power_mw", 0), 0.0);
        let expected = f64::min(usable_mw, 10.0);
        assert_eq!(trial.at("it_power_mw", 1), expected, "{redundancy}");
        assert_eq!(
            trial.at("stranded_space_without_power_mw", 1),
            10.0 - expected
        );
        assert_eq!(trial.at("stranded_redundancy_not_complete_mw", 1), 0.0);
    }
}

#[test]
fn modules_without_their_spare_wait_for_the_redundancy() {
    let chain = r#"
[campuses.buildings.electrical]
redundancy = "N+1"
module_power = "3 MW"
modules = 1
stages = [
  { name = "second line-up", modules = 1, wait_months = 3 },
  { name = "the rest", modules = 3, after = ["second line-up"], wait_months = 4 },
]
"#;
    let trial = Trial::of(&head("", chain));
    let at = |month| {
        (
            trial.at("it_power_mw", month),
            trial.at("stranded_redundancy_not_complete_mw", month),
            trial.at("stranded_space_without_power_mw", month),
        )
    };
    // Complete, 5 modules carry 4: each stands for 2.4 MW.
    assert_eq!(at(1).0, 0.0);
    assert!((at(1).1 - 2.4).abs() < 1e-12);
    assert!((at(1).2 - 7.6).abs() < 1e-12);
    assert_eq!(at(4).0, 3.0);
    assert!((at(4).1 - 1.8).abs() < 1e-12);
    assert_eq!(at(8), (10.0, 0.0, 0.0));
}

#[test]
fn effective_compute_bears_the_unavailability_of_the_chain() {
    let chain = r#"
[campuses.buildings.electrical]
redundancy = "N"
module_power = "10 MW"
modules = 1
parts = [{ name = "UPS", between_failures = "999 hours", repair = "1 hour" }]
shared_parts = [{ name = "utility", between_failures = "99 hours", repair = "1 hour" }]
"#;
    let trial = Trial::of(&head("", chain));
    assert_eq!(trial.at("in_service_pflops", 2), 12_000.0);
    let expected = 12_000.0 * 0.999 * 0.99;
    assert!((trial.at("effective_pflops", 2) - expected).abs() < 1e-6);
}

#[test]
fn a_wrong_redundancy_is_reported_with_what_is_right() {
    let chain = r#"electrical = { redundancy = "2N+1", module_power = "1 MW", modules = 12 }"#;
    let error = Scenario::from_toml(&head("", chain))
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"2N+1\" is no redundancy"), "{error}");
    assert!(error.contains("4N/3"), "{error}");
}
