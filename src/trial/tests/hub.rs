//! Hubs of several campuses: what is summed over them, and what follows from the sums.

use super::random::{ROUNDING, metric};
use crate::projection::TrialRow;
use crate::{Scenario, Workspace};

fn trial(text: &str) -> TrialRow {
    let scenario = Scenario::from_toml(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let model = scenario.compile().unwrap();
    let mut row = TrialRow::new(model.layout().clone());
    model.simulate(1, 0, &mut Workspace::default(), &mut row);
    row
}

/// Ratios of sums, and what one cause holds back: these are no sums over campuses.
const NO_SUMS: [&str; 10] = [
    "pre_leased",
    "pre_leased_of_latest",
    "waiting_months",
    "take_up",
    "binding_constraint_mw",
    "pue",
    "peak_exceedance_probability",
    "annual_matching_share",
    "hourly_matching_share",
    "unavailable_share",
];

/// Two campuses with all that is reported of power and energy: oversubscribed buildings (of one hall, and of two), a battery,
/// bridge power, curtailment, renewables, cooling that follows the season.
fn hub() -> TrialRow {
    trial(
        r#"
name = "hub"
start = "2025-01"
horizon = "36 months"
rack_types = [{ name = "rack", power = "10 kW" }]
[[generations]]
name = "hardware"
rack_power = "10 kW"
rack_pflops = { fp16_dense = 12.0 }
rack_embodied_carbon_t = 20
[[segments]]
name = "northern"
campuses = ["north"]
outreach_per_month = 3
contract_power = "400 kW"
draw_share = 0.7
churn_per_month = 0.05
allocation = "pooled"
[[segments]]
name = "southern"
campuses = ["south"]
outreach_per_month = 5
contract_power = "300 kW"
draw_share = 0.8
utilisation = 0.5
churn_per_month = 0.1
allocation = "pooled"
[[campuses]]
name = "north"
availability = 0.99
efficiency = { temperatures_celsius = [-5, -2, 4, 11, 16, 20, 22, 20, 15, 9, 2, -3], water_litres_per_kwh = 1.2 }
curtailment = { hours_per_year = 876.6, depth_share = 0.5 }
grid = [{ name = "line", power_mw = 9, wait_months = 0.5 }]
bridge_power = [{ name = "turbines", unit_power_mw = 1, units = 3, wait_months = 1, carbon_g_per_kwh = 500, price_per_mwh = 120 }]
[campuses.energy]
grid_carbon_g_per_kwh = 582
price_per_mwh = 60
renewables = [{ name = "sun", power_mw = 3, producing_share = 0.5, on_site = true, capacity_factors = [0.1, 0.15, 0.2, 0.22, 0.25, 0.28, 0.28, 0.26, 0.22, 0.18, 0.12, 0.1] }]
[[campuses.buildings]]
name = "A"
power = "8 MW"
oversubscription = { ratio = 1.25, mean_share = 0.7, sd_share = 0.1, correlation = 0.3, tenants_per_hall = 20 }
activities = [{ name = "shell", duration_months = 1.5 }]
halls = [{ name = "hall", racks = 1000, rack_type = "rack", hardware = "hardware" }]
[[campuses]]
name = "south"
efficiency = { temperatures_celsius = [10, 12, 15, 18, 22, 26, 29, 29, 26, 21, 15, 11], water_litres_per_kwh = 1.8 }
grid = [{ name = "line", power_mw = 12, wait_months = 2 }]
[campuses.energy]
grid_carbon_g_per_kwh = 300
price_per_mwh = 90
renewables = [{ name = "wind", power_mw = 6, producing_share = 0.8, capacity_factors = [0.4, 0.4, 0.4, 0.35, 0.3, 0.25, 0.25, 0.25, 0.3, 0.35, 0.4, 0.4] }]
[[campuses.buildings]]
name = "B"
power = "8 MW"
oversubscription = { ratio = 1.25, mean_share = 0.8, sd_share = 0.1, correlation = 0.1, tenants_per_hall = 20 }
activities = [{ name = "shell", duration_months = 3 }]
halls = [
  { name = "one", racks = 500, rack_type = "rack", hardware = "hardware" },
  { name = "two", racks = 500, rack_type = "rack", hardware = "hardware" },
]
"#,
    )
}

#[test]
fn the_total_of_a_hub_is_the_sum_of_its_campuses() {
    let row = hub();
    let mut different = 0;
    for label in &row.layout().metrics {
        if NO_SUMS.contains(&label.name.as_str()) || label.unit.contains('/') {
            continue;
        }
        let [total, north, south] = [0, 1, 2].map(|scope| metric(&row, scope, &label.name));
        for (month, total) in total.iter().enumerate() {
            let sum = north[month] + south[month];
            assert!(
                (total - sum).abs() <= ROUNDING * total.abs(),
                "{} in month {month}: {total} for {sum}",
                label.name
            );
        }
        different += usize::from(north[30] > 0.0 && south[30] > 0.0 && north[30] != south[30]);
    }
    // Most of them are at work on both campuses, and not alike.
    assert!(different >= 25, "{different}");
}

#[test]
fn the_ratios_of_a_hub_are_those_of_its_sums() {
    let row = hub();
    let of = |name: &str, month: usize| [0, 1, 2].map(|scope| metric(&row, scope, name)[month]);
    let weighted = |[_, a, b]: [f64; 3], [_, north, south]: [f64; 3]| {
        (a * north + b * south) / (north + south)
    };
    for month in [14, 20, 35] {
        let near = |name: &str, expected: f64| {
            let [total, north, south] = of(name, month);
            assert!(
                (total - expected).abs() < 1e-12,
                "{name}: {total} {expected}"
            );
            assert!(
                north > 0.0 && south > 0.0 && north != south,
                "{name}: {north} {south}"
            );
        };
        near(
            "take_up",
            weighted(of("take_up", month), of("it_power_mw", month)),
        );
        near("pue", weighted(of("pue", month), of("it_draw_mw", month)));
        let energy = of("facility_energy_mwh", month);
        near(
            "hourly_matching_share",
            weighted(of("hourly_matching_share", month), energy),
        );
        let year = [0, 1, 2].map(|scope| {
            let energy = metric(&row, scope, "facility_energy_mwh");
            energy[month - 11..=month].iter().sum::<f64>()
        });
        near(
            "annual_matching_share",
            weighted(of("annual_matching_share", month), year),
        );
        // The hours of the month, 730.5 of each hall in use.
        let hours = of("peak_exceedance_hours", month);
        let shares = of("peak_exceedance_probability", month);
        let halls = [1, 2].map(|scope: usize| hours[scope] / shares[scope] / 730.5);
        assert!(
            halls
                .iter()
                .all(|halls| (halls - halls.round()).abs() < 1e-9 && *halls >= 1.0)
        );
        near(
            "peak_exceedance_probability",
            hours[0] / (halls[0] + halls[1]) / 730.5,
        );
    }
}

/// One tenant waits for two months in the north and three for four in the south, where a second building begins in July.
#[test]
fn what_is_let_and_how_long_it_waited_is_that_of_all_campuses() {
    let row = trial(
        r#"
name = "let"
start = "2025-01"
horizon = "12 months"
rack_types = [{ name = "rack", power = "10 kW" }]
segments = [{ name = "n", contract_power_kw = 100, campuses = ["north"] }, { name = "s", contract_power_kw = 100, campuses = ["south"] }]
tenants = [
  { name = "a", segment = "n", starts = "2025-01", contract_power = "1 MW" },
  { name = "b", segment = "s", starts = "2025-01", contract_power = "1 MW" },
  { name = "c", segment = "s", starts = "2025-01", contract_power = "1 MW" },
  { name = "d", segment = "s", starts = "2025-01", contract_power = "1.5 MW" },
]
[[campuses]]
name = "north"
buildings = [{ name = "A", activities = [{ name = "works", duration_months = 2.5 }], halls = [{ name = "h", racks = 100, rack_type = "rack" }] }]
[[campuses]]
name = "south"
buildings = [
  { name = "B", activities = [{ name = "works", duration_months = 4.5 }], halls = [{ name = "h", racks = 300, rack_type = "rack" }] },
  { name = "C", starts = "2025-07", activities = [{ name = "works", duration_months = 3.5 }], halls = [{ name = "h", racks = 100, rack_type = "rack" }] },
]
"#,
    );
    let at = |name: &str, month: usize| [0, 1, 2].map(|scope| metric(&row, scope, name)[month]);
    assert_eq!(at("committed_mw", 0), [4.5, 1.0, 3.5]);
    assert_eq!(at("pre_leased", 0), [4.5 / 4.0, 1.0, 3.5 / 3.0]);
    assert_eq!(at("pre_leased_of_latest", 0), [1.0; 3]);
    // From July on there are 1 and 4 MW, of which the last 1 and 1.
    assert_eq!(at("pre_leased", 6), [4.5 / 5.0, 1.0, 3.5 / 4.0]);
    assert_eq!(at("pre_leased_of_latest", 6), [1.5 / 2.0, 1.0, 0.5]);
    assert_eq!(at("waiting_months", 11), [14.0 / 4.0, 2.0, 4.0]);
    assert_eq!(
        at("waiting_standard_racks", 0),
        [4.5, 1.0, 3.5].map(|mw| mw * 400.0)
    );
    assert_eq!(at("waiting_standard_racks", 5), [200.0, 0.0, 200.0]);
    assert_eq!(at("binding_constraint_mw", 5), [0.5, 0.0, 0.5]);
    assert_eq!(at("leased_power_mw", 11), [4.5, 1.0, 3.5]);
}
