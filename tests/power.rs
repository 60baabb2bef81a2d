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

/// A campus of 10 MW on a grid in two steps of 6 MW, with more of the campus's table.
fn campus(more: &str) -> String {
    format!(
        r#"
format = 1
name = "power"
start = "2025-01"
horizon = "36 months"
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
draw_share = 0.5
existing = {{ contracts_signed = 1, companies_contacted = 1, leased_power_kw = 1e6 }}
[[campuses]]
name = "campus"
buildings = [{{ name = "A", activities = [{{ name = "shell", duration_months = 0.5 }}], halls = [{{ name = "hall", racks = 1000, rack_type = "rack", hardware = "hardware" }}] }}]
{more}
"#
    )
}

#[test]
fn bridge_power_carries_the_campus_until_the_grid_does() {
    let more = r#"
grid = [{ name = "first", power_mw = 6, wait_months = 12 }, { name = "second", power_mw = 6, wait_months = 20 }]
bridge_power = [{ name = "turbines", unit_power_mw = 2, units = 4, spare_units = 1, wait_months = 4, carbon_g_per_kwh = 500, price_per_mwh = 120 }]
energy = { grid_carbon_g_per_kwh = 400, price_per_mwh = 60 }
"#;
    let trial = Trial::of(&campus(more));
    let at = |month| trial.at("it_power_mw", month);
    // The bridge of 3 + 1 units is firm for 6 MW; with the first step there are 12 MW.
    assert_eq!([at(2), at(4), at(12), at(20)], [0.0, 6.0, 10.0, 10.0]);
    // Half of what is deployable is drawn, by the month of 730.5 hours.
    assert_eq!(trial.at("bridge_energy_mwh", 4), 3.0 * 730.5);
    assert_eq!(trial.at("grid_energy_mwh", 4), 0.0);
    assert_eq!(trial.at("bridge_energy_mwh", 12), 0.0);
    assert_eq!(trial.at("grid_energy_mwh", 12), 5.0 * 730.5);
    assert!((trial.at("carbon_location_based_t", 4) - 3.0 * 730.5 * 0.5).abs() < 1e-9);
    assert!((trial.at("energy_cost", 12) - 5.0 * 730.5 * 60.0).abs() < 1e-6);
}

#[test]
fn a_refused_application_never_comes_and_its_dependents_wait() {
    let more = r#"
grid_applications = [{ name = "application", refusal_probability = 0.25, granted_share = { discrete = [[0.5, 0.5], [1, 0.5]] } }]
grid = [
  { name = "first", power_mw = 4, wait_months = 6, application = "application" },
  { name = "second", power_mw = 6, after = ["first"], wait_months = 6, application = "application", slip_probability = 0.5, slip_months = 12 },
]
"#;
    let model = Scenario::from_toml(&campus(more))
        .unwrap()
        .compile()
        .unwrap();
    let mut row = TrialRow::new(model.layout().clone());
    let mut workspace = Workspace::default();
    let power = model.layout().metric_index("it_power_mw").unwrap();
    let trials = 4_000;
    let (mut refused, mut cut, mut slipped) = (0, 0, 0);
    for trial in 0..trials {
        model.simulate(3, trial, &mut workspace, &mut row);
        let months = row.monthly(0, power);
        match months[35] {
            0.0 => refused += 1,
            5.0 => cut += 1,
            full => assert_eq!(full, 10.0),
        }
        assert_eq!(months[5] > 0.0, months[35] > 0.0);
        slipped += u32::from(months[35] > 0.0 && months[11] < months[35]);
    }
    let share = |count: u32| f64::from(count) / trials as f64;
    // Four standard errors of a share of 4,000 trials are 0.032 at most.
    assert!((share(refused) - 0.25).abs() < 0.032, "{refused}");
    assert!((share(cut) - 0.375).abs() < 0.032, "{cut}");
    assert!((share(slipped) - 0.375).abs() < 0.032, "{slipped}");
}

#[test]
fn a_ramp_lets_the_import_grow_by_the_month() {
    let more = r#"
grid = [{ name = "line", power_mw = 9, wait_months = 3, ramp_mw_per_month = 4 }]
"#;
    let trial = Trial::of(&campus(more));
    assert_eq!(
        trial.series("it_power_mw")[..6],
        [0.0, 0.0, 4.0, 8.0, 9.0, 9.0]
    );
}

#[test]
fn pue_follows_load_and_season_and_every_month_balances() {
    let more = r#"
efficiency = { temperatures_celsius = [-5, -2, 4, 11, 16, 20, 22, 20, 15, 9, 2, -3], water_litres_per_kwh = 1.2 }
curtailment = { hours_per_year = 876.6, depth_share = 0.5 }
grid = [{ name = "line", power_mw = 20, wait_months = 0.5 }]
[[campuses.bridge_power]]
name = "engines"
unit_power_mw = 1
units = 2
wait_months = 1
[campuses.energy]
grid_carbon_g_per_kwh = 582
[[campuses.energy.renewables]]
name = "sun"
power_mw = 4
producing_share = 0.5
on_site = true
capacity_factors = [0.1, 0.15, 0.2, 0.22, 0.25, 0.28, 0.28, 0.26, 0.22, 0.18, 0.12, 0.1]
[[campuses.energy.renewables]]
name = "wind"
power_mw = 10
producing_share = 0.8
capacity_factors = [0.4, 0.4, 0.4, 0.35, 0.3, 0.25, 0.25, 0.25, 0.3, 0.35, 0.4, 0.4]
"#;
    let trial = Trial::of(&campus(more));
    let at = |metric, month| trial.at(metric, month);
    assert!(at("pue", 6) > at("pue", 0) + 0.05);
    for month in 1..36 {
        let used = at("it_draw_mw", month)
            + at("electrical_losses_mw", month)
            + at("cooling_power_mw", month);
        assert!((at("facility_draw_mw", month) - used).abs() < 1e-12);
        let fed = at("grid_energy_mwh", month)
            + at("bridge_energy_mwh", month)
            + at("on_site_renewable_energy_mwh", month);
        let energy = at("facility_energy_mwh", month);
        assert!((fed - energy).abs() < 1e-9 * energy);
        let asked = at("facility_draw_mw", month) * 730.5;
        assert!((energy + at("curtailed_energy_mwh", month) - asked).abs() < 1e-9 * asked);
        assert!((0.0..=1.0).contains(&at("hourly_matching_share", month)));
        assert!(at("water_use_m3", month) >= 0.0);
    }
    // The grid gives half of 20 MW in the curtailed hours, which with 2 MW of engines is enough.
    assert_eq!(at("curtailed_energy_mwh", 20), 0.0);
}

#[test]
fn curtailment_takes_from_what_is_effective() {
    let more = r#"
curtailment = { hours_per_year = 876.6, depth_share = 1.0 }
grid = [{ name = "line", power_mw = 20 }]
"#;
    let trial = Trial::of(&campus(more));
    assert!(
        (trial.at("effective_pflops", 3) / trial.at("in_service_pflops", 3) - 0.9).abs() < 1e-12
    );
    assert!((trial.at("curtailed_energy_mwh", 3) - 0.1 * 5.0 * 730.5).abs() < 1e-9);
}
