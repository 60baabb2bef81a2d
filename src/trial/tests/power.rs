//! Power, equipment and compute of whole trials: what reaches the racks, and what is stranded.

use crate::projection::TrialRow;
use crate::{Model, Scenario, Workspace};

/// One trial of a scenario written in TOML.
pub(super) struct Trial {
    pub(super) model: Model,
    pub(super) row: TrialRow,
}

impl Trial {
    pub(super) fn of(text: &str) -> Self {
        Self::number(text, 0)
    }

    pub(super) fn number(text: &str, trial: u64) -> Self {
        let scenario = Scenario::from_toml(text).unwrap();
        let model = scenario.compile().unwrap();
        let mut row = TrialRow::new(model.layout().clone());
        model.simulate(1, trial, &mut Workspace::default(), &mut row);
        Self { model, row }
    }

    /// A metric of all campuses at the end of a month.
    pub(super) fn at(&self, metric: &str, month: usize) -> f64 {
        self.series(metric)[month]
    }

    pub(super) fn series(&self, metric: &str) -> &[f64] {
        let position = self.model.layout().metric_index(metric).unwrap();
        self.row.monthly(0, position)
    }
}

/// What all these scenarios begin with: how long they go, what of rack types and hardware there is,
/// and tenants who want more than there will ever be.
pub(super) fn preamble(months: u32, hardware: &str, tenants: &str) -> String {
    format!(
        r#"
format = 1
name = "power"
start = "2025-01"
horizon = "{months} months"
{hardware}
[[segments]]
name = "tenants"
outreach_per_month = 0
sign_probability = 1
contract_power = "1 kW"
existing = {{ contracts_signed = 1, companies_contacted = 1, leased_power_kw = 1e6 }}
{tenants}
[[campuses]]
name = "campus"
"#
    )
}

/// One rack type, and hardware that fills it.
pub(super) const RACKS: &str = r#"
rack_types = [{ name = "rack", power = "10 kW" }]
[[generations]]
name = "hardware"
rack_power = "10 kW"
rack_pflops = { fp16_dense = 12.0 }
"#;

/// A scenario of two years with one rack type and one building.
fn head(hall: &str, building: &str) -> String {
    format!(
        r#"{}
[[campuses.buildings]]
name = "A"
activities = [{{ name = "shell", duration_months = 1.5 }}]
halls = [{{ name = "hall", racks = 1000, rack_type = "rack", hardware = "hardware" {hall} }}]
{building}
"#,
        preamble(24, RACKS, "")
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
fn how_many_modules_a_chain_has_may_be_drawn() {
    let chain = r#"
[campuses.buildings.electrical]
redundancy = "N+1"
module_power = "1 MW"
modules = { discrete = [[3, 0.5], [5, 0.5]] }
stages = [{ name = "more", modules = { discrete = [[0, 0.25], [2, 0.75]] }, wait_months = 3 }]
parts = [{ name = "UPS", between_failures = "999 hours", repair = "1 hour" }]
"#;
    let text = head("", chain);
    let scenario = Scenario::from_toml(&text).unwrap();
    let model = scenario.compile().unwrap();
    let names: Vec<&str> = model.input_names().collect();
    assert!(names.contains(&"campus/A/modules"), "{names:?}");
    assert!(names.contains(&"campus/A/more/modules"), "{names:?}");
    let trials: Vec<Trial> = (0..200).map(|trial| Trial::number(&text, trial)).collect();
    for (month, possible) in [(1, vec![2.0, 4.0]), (6, vec![2.0, 4.0, 6.0])] {
        for mw in &possible {
            assert!(
                trials
                    .iter()
                    .any(|trial| trial.at("it_power_mw", month) == *mw),
                "{mw} MW in month {month}"
            );
        }
        for trial in &trials {
            assert!(possible.contains(&trial.at("it_power_mw", month)));
        }
    }
    // 5 modules and 2 more with 1/2 x 3/4: four standard errors of 200 trials.
    let most = trials
        .iter()
        .filter(|trial| trial.at("it_power_mw", 6) == 6.0);
    let share = most.count() as f64 / 200.0;
    assert!(
        (share - 0.375).abs() < 4.0 * (0.375_f64 * 0.625 / 200.0).sqrt(),
        "{share}"
    );
    let rows = r#"
[campuses.buildings.electrical]
redundancy = "2N"
module_power = "1 MW"
modules = { uniform = [10, 14] }
delivery = { rows = 12, row_positions = 4 }
"#;
    let error = Scenario::from_toml(&head("", rows))
        .unwrap_err()
        .to_string();
    assert!(error.contains("delivery"), "{error}");
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
    assert!((trial.at("unavailable_pflops", 2) - (12_000.0 - expected)).abs() < 1e-6);
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

/// A campus of 10 MW that is drawn to one half, over three years, with more of the campus's table.
pub(super) fn campus(more: &str) -> String {
    format!(
        r#"{}
buildings = [{{ name = "A", activities = [{{ name = "shell", duration_months = 0.5 }}], halls = [{{ name = "hall", racks = 1000, rack_type = "rack", hardware = "hardware" }}] }}]
{more}
"#,
        preamble(36, RACKS, "draw_share = 0.5")
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

/// What is built is deployable or stranded by one of the causes, in every month.
fn assert_ledger_adds_up(trial: &Trial) {
    for month in 0..trial.series("built_power_mw").len() {
        let parts: f64 = [
            "it_power_mw",
            "stranded_density_mw",
            "stranded_cooling_mw",
            "stranded_delivery_mw",
            "stranded_redundancy_not_complete_mw",
            "stranded_space_without_power_mw",
            "stranded_equipment_late_mw",
        ]
        .iter()
        .map(|metric| match trial.model.layout().metric_index(metric) {
            Some(_) => trial.at(metric, month),
            None => 0.0,
        })
        .sum();
        let built = trial.at("built_power_mw", month);
        assert!(
            (parts - built).abs() < 1e-9,
            "month {month}: {parts} {built}"
        );
        let classes: f64 = [
            "it_power_racks_to_20_kw_mw",
            "it_power_racks_20_to_60_kw_mw",
            "it_power_racks_60_to_200_kw_mw",
            "it_power_racks_above_200_kw_mw",
        ]
        .iter()
        .map(|metric| trial.at(metric, month))
        .sum();
        assert!((classes - trial.at("it_power_mw", month)).abs() < 1e-9);
    }
    // In MW-months, each cause is its sum over the horizon.
    let layout = trial.model.layout();
    let outcomes = layout.outcomes.iter().zip(trial.row.outcomes());
    let mut causes = 0;
    for (label, found) in outcomes.filter(|(label, _)| label.unit == "MW-months") {
        let metric = label.name.strip_suffix("_months").unwrap();
        let sum: f64 = trial.series(metric).iter().sum();
        assert!((found - sum).abs() < 1e-9 * (1.0 + sum), "{metric}");
        causes += 1;
    }
    assert!(causes >= 6, "{causes}");
}

/// A campus with generations and one building of its own, over six years.
fn halls(top: &str, building: &str) -> String {
    let hardware = format!(
        r#"
rack_types = [
  {{ name = "air", power = "40 kW", cooling = "air" }},
  {{ name = "liquid", power = "150 kW", cooling = "direct_to_chip" }},
]
{top}
"#
    );
    format!(
        r#"{}
[[campuses.buildings]]
name = "A"
activities = [{{ name = "shell", duration_months = 0.5 }}]
{building}
"#,
        preamble(72, &hardware, r#"allocation = "pooled""#)
    )
}

const GENERATIONS: &str = r#"
[[generations]]
name = "old"
rack_power = "30 kW"
rack_pflops = { fp16_dense = 10 }
cooling = "air"
[[generations]]
name = "new"
rack_power = "140 kW"
rack_pflops = { fp16_dense = 180 }
cooling = "direct_to_chip"
available_from = "2027-01"
lead_time_months = 3
"#;

#[test]
fn density_and_cooling_take_their_part_of_what_is_built() {
    let building = r#"
halls = [
  { name = "hall 1", racks = 100, rack_type = "air", hardware = "old" },
  { name = "hall 2", racks = 100, rack_type = "air", hardware = "old", cooling_power = "2 MW" },
]
"#;
    let trial = Trial::of(&halls(GENERATIONS, building));
    let at = |metric| trial.at(metric, 3);
    assert_eq!(at("built_power_mw"), 8.0);
    assert_eq!(at("stranded_density_mw"), 2.0);
    assert_eq!(at("stranded_cooling_mw"), 1.0);
    assert_eq!(at("it_power_mw"), 5.0);
    assert_eq!(at("it_power_racks_20_to_60_kw_mw"), 5.0);
    assert_ledger_adds_up(&trial);
}

#[test]
fn a_retrofit_turns_an_air_cooled_hall_into_a_denser_one() {
    let hall = |retrofit: &str| {
        format!(
            r#"halls = [{{ name = "hall", racks = 100, rack_type = "air", power = "4 MW", hardware = "newest", hardware_life_months = 30, refresh_months = 1{retrofit} }}]"#
        )
    };
    let plain = Trial::of(&halls(GENERATIONS, &hall("")));
    // Replaced by the same generation, for nothing newer is cooled by air; a month out of service.
    assert_eq!(plain.at("it_power_mw", 29), 3.0);
    assert_eq!(plain.at("it_power_mw", 30), 0.0);
    assert_eq!(plain.at("in_service_power_mw", 30), 0.0);
    assert_eq!(plain.at("stranded_equipment_late_mw", 30), 3.0);
    assert_eq!(plain.at("it_power_mw", 31), 3.0);
    assert_eq!(plain.at("installed_pflops", 31), 1_000.0);
    assert_ledger_adds_up(&plain);

    let denser = r#", retrofit = { rack_type = "liquid", racks = 25, downtime_months = 6 }"#;
    let rebuilt = Trial::of(&halls(GENERATIONS, &hall(denser)));
    assert_eq!(rebuilt.at("it_power_mw", 35), 0.0);
    // 25 racks of 140 kW, in a hall then made for 25 x 150 kW.
    assert_eq!(rebuilt.at("it_power_mw", 36), 3.5);
    assert_eq!(rebuilt.at("built_power_mw", 36), 3.75);
    assert_eq!(rebuilt.at("installed_pflops", 36), 25.0 * 180.0);
    assert_eq!(rebuilt.at("in_service_power_mw", 40), 3.5);
    assert_ledger_adds_up(&rebuilt);
}

#[test]
fn hardware_that_needs_other_cooling_is_refused() {
    let building =
        r#"halls = [{ name = "hall", racks = 10, rack_type = "air", hardware = "new" }]"#;
    let error = Scenario::from_toml(&halls(GENERATIONS, building))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"new\" needs other cooling than rack type \"air\" has"),
        "{error}"
    );
}

#[test]
fn the_catalogue_and_a_trend_provide_generations() {
    let top = r#"
hardware_catalogue = { include = ["GB200 NVL72", "H100 4x8"], lead_time_months = 2 }
generation_trend = { from = "GB200 NVL72", count = 4, every_months = 18, efficiency_growth_per_year = 0.3, rack_power_growth_per_year = 0.0 }
"#;
    let building = r#"halls = [{ name = "hall", racks = 10, rack_type = "liquid", hardware = "newest", hardware_life_months = 36 }]"#;
    let trial = Trial::of(&halls(top, building));
    let flops = |month| trial.at("installed_pflops", month);
    // Ordered at the start, before the GB200's release in month 1: an H100 rack in each position.
    assert!((flops(4) - 10.0 * 32.0 * 0.989).abs() < 1e-9);
    // Replaced in month 38 by what was the newest in month 36, a step of 18 months after month 1.
    assert!((flops(40) / (1_800.0 * 1.3_f64.powf(1.5)) - 1.0).abs() < 1e-9);
    assert_ledger_adds_up(&trial);
    let wrong = top.replace("H100 4x8", "H100 4x9");
    let error = Scenario::from_toml(&halls(&wrong, building))
        .unwrap_err()
        .to_string();
    assert!(error.contains("did you mean \"H100 4x8\""), "{error}");
}

#[test]
fn accelerators_in_short_supply_come_to_the_first_order_first() {
    let top = r#"
[[generations]]
name = "old"
rack_power = "30 kW"
rack_pflops = { fp16_dense = 10 }
rack_accelerators = 8
accelerators_per_quarter = 240
rack_embodied_carbon_t = 50
reliability = { failures_per_rack_year = 1.2, swap_months = 0.1, resupply_months = 1, spare_share = 0 }
"#;
    let building = r#"
embodied_carbon_t = 3000
halls = [
  { name = "hall 1", racks = 40, rack_type = "air", hardware = "old" },
  { name = "hall 2", racks = 20, rack_type = "air", hardware = "old", hardware_ordered_after = "start" },
]
"#;
    let trial = Trial::of(&halls(top, building));
    // Ten racks a month: 20 by month 2 for the hall that ordered at the start, 40 more by month 6.
    assert_eq!(
        trial.series("it_power_mw")[..7],
        [0.0, 0.6, 0.6, 0.6, 0.6, 1.8, 1.8]
    );
    assert_eq!(trial.at("embodied_carbon_t", 6), 60.0 * 50.0 + 3_000.0);
    // 0.1 failures a month x (0.1 + 1) months: 11 % of the racks are down.
    let share = trial.at("effective_pflops", 6) / trial.at("in_service_pflops", 6);
    assert!((share - 0.89).abs() < 1e-12);
}

#[test]
fn racks_find_room_in_the_delivery_tree_or_are_stranded() {
    let building = |redundancy: &str| {
        format!(
            r#"
halls = [{{ name = "hall", racks = 20, rack_type = "liquid", hardware = "new" }}]
[campuses.buildings.electrical]
redundancy = "{redundancy}"
module_power = "1 MW"
modules = 4
delivery = {{ rows = 12, row_positions = 4 }}
"#
        )
    };
    let top = GENERATIONS.replace("available_from = \"2027-01\"\n", "");
    // 3 MW may be used. A block line-up of 1,000 kW holds seven racks of 140 kW, so 20 of 20 racks
    // fit in blocks; pairs hold as much as their worst failure lets them.
    let block = Trial::of(&halls(&top, &building("block 4N/3")));
    assert!((block.at("it_power_mw", 6) - 2.8).abs() < 1e-12);
    assert_eq!(block.at("stranded_delivery_mw", 6), 0.0);
    let twice = Trial::of(&halls(&top, &building("2N")));
    // Two groups that carry 1,000 kW each: seven racks in each.
    assert!((twice.at("it_power_mw", 6) - 14.0 * 0.14).abs() < 1e-12);
    assert!((twice.at("stranded_delivery_mw", 6) - 6.0 * 0.14).abs() < 1e-12);
    assert_ledger_adds_up(&block);
    assert_ledger_adds_up(&twice);
    let error = Scenario::from_toml(&halls(&top, &building("7N/4"))).unwrap_err();
    assert!(error.to_string().contains("7N/4"), "{error}");
}

#[test]
fn the_examples_balance_in_every_month_of_every_trial() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/");
    for name in [
        "short-of-grid",
        "short-of-grid-bridge",
        "short-of-grid-battery",
        "air-campus",
        "air-campus-retrofit",
        "air-campus-new-build",
    ] {
        let scenario = Scenario::from_path(format!("{folder}{name}.toml")).unwrap();
        let model = scenario.compile().unwrap();
        let mut workspace = Workspace::default();
        let mut row = TrialRow::new(model.layout().clone());
        for number in 0..40 {
            model.simulate(5, number, &mut workspace, &mut row);
            let trial = Trial {
                model: model.clone(),
                row: row.clone(),
            };
            assert_ledger_adds_up(&trial);
            if model.layout().metric_index("facility_energy_mwh").is_some() {
                assert_energy_balances(&trial);
            }
            for month in 0..model.layout().months {
                let at = |metric| trial.at(metric, month);
                assert!(at("in_service_power_mw") <= at("it_power_mw") + 1e-9);
            }
        }
    }
}

#[test]
fn campuses_share_the_supply_and_each_has_its_own_power() {
    let text = r#"
format = 1
name = "two"
start = "2025-01"
horizon = "24 months"
rack_types = [{ name = "rack", power = "10 kW" }]
[[generations]]
name = "hardware"
rack_power = "10 kW"
rack_pflops = { fp16_dense = 12 }
rack_accelerators = 8
accelerators_per_quarter = 2400
[[campuses]]
name = "north"
efficiency = { temperatures_celsius = [-5, -5, 0, 5, 10, 15, 17, 15, 10, 5, 0, -5] }
energy = { grid_carbon_g_per_kwh = 56 }
buildings = [{ name = "A", activities = [{ name = "shell", duration_months = 0.5 }], halls = [{ name = "hall", racks = 400, rack_type = "rack", hardware = "hardware", hardware_ordered_after = "start" }] }]
[[campuses]]
name = "south"
efficiency = { temperatures_celsius = [15, 15, 18, 22, 26, 30, 33, 33, 29, 24, 19, 15] }
energy = { grid_carbon_g_per_kwh = 582 }
buildings = [{ name = "B", activities = [{ name = "shell", duration_months = 1.5 }], halls = [{ name = "hall", racks = 400, rack_type = "rack", hardware = "hardware" }] }]
[[segments]]
name = "tenants"
outreach_per_month = 0
sign_probability = 1
contract_power = "1 kW"
allocation = "pooled"
existing = { contracts_signed = 1, companies_contacted = 1, leased_power_kw = 1e6 }
"#;
    let trial = Trial::of(text);
    let layout = trial.model.layout();
    let of = |campus: &str, metric: &str, month: usize| {
        let scope = layout.scope_index(campus).unwrap();
        trial
            .row
            .monthly(scope, layout.metric_index(metric).unwrap())[month]
    };
    // A hundred racks a month: the north's 400 come in month 4, the south's in month 8.
    assert_eq!(of("north", "it_power_mw", 3), 4.0);
    assert_eq!(of("south", "it_power_mw", 6), 0.0);
    assert_eq!(of("south", "it_power_mw", 7), 4.0);
    for month in 8..24 {
        assert!(of("south", "pue", month) > of("north", "pue", month));
        for metric in [
            "it_power_mw",
            "facility_energy_mwh",
            "carbon_location_based_t",
        ] {
            let sum = of("north", metric, month) + of("south", metric, month);
            assert!(
                (of("total", metric, month) - sum).abs() < 1e-9 * (1.0 + sum),
                "{metric}"
            );
        }
        let pue = of("total", "facility_draw_mw", month) / of("total", "it_draw_mw", month);
        assert!((of("total", "pue", month) - pue).abs() < 1e-12);
    }
}

#[test]
fn power_that_new_hardware_does_not_take_goes_to_halls_that_lack_it() {
    let top = r#"
[[generations]]
name = "hungry"
rack_power = "40 kW"
rack_pflops = { fp16_dense = 10 }
[[generations]]
name = "frugal"
rack_power = "10 kW"
rack_pflops = { fp16_dense = 10 }
available_from = "2026-01"
"#;
    let building = r#"
power = "6 MW"
halls = [
  { name = "hall 1", racks = 100, rack_type = "air", hardware = "newest", hardware_life_months = 24 },
  { name = "hall 2", racks = 100, rack_type = "air", hardware = "hungry" },
]
"#;
    let trial = Trial::of(&halls(top, building));
    let at = |month| {
        let names = [
            "it_power_mw",
            "stranded_space_without_power_mw",
            "stranded_density_mw",
        ];
        names.map(|metric| trial.at(metric, month))
    };
    assert_eq!(at(12), [6.0, 2.0, 0.0]);
    // From month 24.5 on 1 MW is enough for hall 1, and the other 4 MW find hall 2.
    assert_eq!(at(24), [5.0, 0.0, 3.0]);
    assert_ledger_adds_up(&trial);
}

/// Money on top of a scenario.
const FINANCE: &str = r#"
[finance]
discount_rate_per_year = 0
"#;

#[test]
fn hardware_is_paid_at_its_price_at_every_replacement_and_so_is_a_retrofit() {
    let top = r#"
[[generations]]
name = "first"
rack_power = "40 kW"
rack_pflops = { fp16_dense = 10 }
cooling = "air"
price_per_kw = 20_000
rack_embodied_carbon_t = 30
available_from = "2025-01"
[generation_trend]
from = "first"
count = 4
every_months = 24
efficiency_growth_per_year = 0.3
price_per_kw_growth_per_year = "10 %"
"#;
    let building = format!(
        r#"
halls = [{{ name = "hall", racks = 100, rack_type = "air", hardware = "newest", hardware_life_months = 30, retrofit = {{ rack_type = "liquid", racks = 20, downtime_months = 2, capex_per_kw = 3_000, embodied_carbon_t = 500 }} }}]
{FINANCE}
"#
    );
    let trial = Trial::of(&halls(top, &building));
    let spent: Vec<(usize, f64)> = (trial.series("capex").iter().copied().enumerate())
        .filter(|&(_, paid)| paid != 0.0)
        .collect();
    // 4 MW at the start; in month 30.5 the hall is rebuilt for 20 x 150 kW, and takes 20 racks of
    // 40 kW whose price has grown for the two years of one step; in month 62.5 those of two steps.
    let expected = [
        (0, 4_000.0 * 20_000.0),
        (30, 3_000.0 * 3_000.0 + 800.0 * 20_000.0 * 1.21),
        (62, 800.0 * 20_000.0 * 1.21 * 1.21),
    ];
    assert_eq!(spent.len(), expected.len(), "{spent:?}");
    for (found, expected) in spent.iter().zip(expected) {
        assert_eq!(found.0, expected.0);
        assert!((found.1 - expected.1).abs() < 0.011, "{spent:?}");
    }
    assert_eq!(trial.at("embodied_carbon_t", 29), 3_000.0);
    assert_eq!(trial.at("embodied_carbon_replaced_t", 29), 0.0);
    assert_eq!(trial.at("embodied_carbon_t", 33), 3_000.0 + 500.0 + 600.0);
    assert_eq!(trial.at("embodied_carbon_replaced_t", 33), 3_000.0);
    assert_eq!(trial.at("embodied_carbon_replaced_t", 63), 3_600.0);
}

#[test]
fn the_price_of_hardware_may_be_uncertain_and_its_generations_share_the_luck() {
    let top = r#"
hardware_catalogue = { include = ["H100 4x8"], price_per_kw = { uniform = [10_000, 30_000] } }
generation_trend = { from = "H100 4x8", count = 1, every_months = 36, price_per_kw_growth_per_year = 0 }
"#;
    let building = format!(
        r#"
halls = [{{ name = "hall", racks = 10, rack_type = "liquid", hardware = "newest", hardware_life_months = 30 }}]
{FINANCE}
"#
    );
    let text = halls(top, &building);
    let mut prices = Vec::new();
    for number in 0..20 {
        let trial = Trial::number(&text, number);
        let paid: Vec<f64> = (trial.series("capex").iter().copied())
            .filter(|paid| *paid != 0.0)
            .collect();
        assert_eq!(paid.len(), 3);
        assert!(paid.iter().all(|again| again == &paid[0]));
        let price = paid[0] / 408.0;
        assert!((10_000.0..30_000.0).contains(&price));
        prices.push(price);
    }
    prices.dedup();
    assert_eq!(prices.len(), 20);
}

#[test]
fn bridge_power_is_ordered_paid_and_emits() {
    let bridge = |more: &str| {
        format!(
            r#"
grid = [{{ name = "line", power_mw = 20, wait_months = 20 }}]
bridge_power = [{{ name = "cells", unit_power_mw = 2, units = 4, spare_units = 1, wait_months = 6.5, carbon_g_per_kwh = 350, price_per_mwh = 110 }}]
energy = {{ grid_carbon_g_per_kwh = 500 }}
{FINANCE}
[[finance.capex]]
name = "fuel cells"
amount = 9_000_000
when = "cells"
{more}
"#
        )
    };
    let trial = Trial::of(&campus(&bridge("")));
    let at = |metric, month| trial.at(metric, month);
    // Three of four units carry 6 MW, from the month of their arrival; half of it is drawn.
    assert_eq!([at("it_power_mw", 5), at("it_power_mw", 6)], [0.0, 6.0]);
    assert_eq!(at("capex", 6), 9_000_000.0);
    let energy = 3.0 * 730.5;
    assert_eq!(at("bridge_energy_mwh", 7), energy);
    assert!((at("energy_paid", 7) - energy * 110.0).abs() < 0.011);
    assert!((at("carbon_market_based_t", 7) - energy * 0.35).abs() < 1e-9);
    assert_eq!(at("bridge_energy_mwh", 21), 0.0);
}

/// A grid of 8 of the 12 MW applied for, and two working batteries of 2 MW.
fn battery(energy: &str, draw_share: &str) -> Trial {
    let more = format!(
        r#"
grid = [{{ name = "first", power_mw = 8 }}, {{ name = "second", power_mw = 4, wait_months = 30 }}]
energy = {{ grid_carbon_g_per_kwh = 500 }}
bridge_power = [{{ name = "batteries", unit_power_mw = 2, units = 3, spare_units = 1, price_per_mwh = 10, storage = {{ energy = "{energy}", hours_per_day = 4, returned_share = "80 %" }} }}]
"#
    );
    Trial::of(&campus(&more).replace("draw_share = 0.5", draw_share))
}

#[test]
fn a_battery_holds_the_peak_and_is_charged_from_the_grid() {
    let trial = battery("8 MWh", "draw_share = 0.5");
    let at = |metric| trial.at(metric, 5);
    assert_eq!(at("it_power_mw"), 10.0);
    // A day of 120 MWh with four hours at 10 MW: 4 MW in the others. 2 MW x 4 h come from the battery.
    let days = 730.5 / 24.0;
    assert!((at("battery_energy_mwh") - 8.0 * days).abs() < 1e-9);
    assert!((at("battery_losses_mwh") - 2.0 * days).abs() < 1e-9);
    assert_eq!(at("unserved_energy_mwh"), 0.0);
    assert!((at("grid_energy_mwh") - 122.0 * days).abs() < 1e-9);
    assert!((at("facility_energy_mwh") - 122.0 * days).abs() < 1e-9);
    assert!((at("carbon_location_based_t") - 122.0 * days * 0.5).abs() < 1e-9);
    assert!((at("energy_cost") - 80.0 * days).abs() < 1e-9);
    // With the second step the grid carries the peak itself.
    assert_eq!(trial.at("battery_energy_mwh", 31), 0.0);
    // Two units of 2 MWh hold 1 MW for four hours.
    assert_eq!(
        battery("2 MWh", "draw_share = 0.5").at("it_power_mw", 5),
        9.0
    );
}

#[test]
fn a_battery_runs_empty_where_the_draw_is_more_than_the_grid_sustains() {
    let trial = battery("8 MWh", "draw_share = 0.95");
    // 228 MWh a day are asked for, and 24 x 8 = 192 served.
    let days = 730.5 / 24.0;
    assert!((trial.at("unserved_energy_mwh", 5) - 36.0 * days).abs() < 1e-9);
    assert!((trial.at("grid_energy_mwh", 5) - 192.0 * days).abs() < 1e-9);
    let served = trial.at("effective_pflops", 5) / trial.at("in_service_pflops", 5);
    assert!((served - 192.0 / 228.0).abs() < 1e-12);
}

#[test]
fn a_battery_without_anything_to_charge_it_carries_nothing() {
    let more = r#"
grid = [{ name = "line", power_mw = 12, wait_months = 20 }]
bridge_power = [{ name = "batteries", unit_power_mw = 10, units = 1, storage = { energy_mwh = 40, hours_per_day = 4 } }]
"#;
    let trial = Trial::of(&campus(more));
    assert_eq!(
        [trial.at("it_power_mw", 10), trial.at("it_power_mw", 20)],
        [0.0, 10.0]
    );
}

#[test]
fn a_battery_rides_through_curtailed_hours_until_it_is_empty() {
    let more = r#"
curtailment = { hours_per_year = 876.6, depth_share = 0.75 }
grid = [{ name = "line", power_mw = 12 }]
bridge_power = [{ name = "batteries", unit_power_mw = 2, units = 1, storage = { energy_mwh = 4, hours_per_day = 2, returned_share = 1 } }]
"#;
    let trial = Trial::of(&campus(more));
    // In an event of four hours 3 of 5 MW are imported: of 8 MWh lacking, 4 come from the battery.
    assert!((trial.at("curtailed_energy_mwh", 3) - 0.1 * 730.5 * 1.0).abs() < 1e-9);
    assert!((trial.at("battery_energy_mwh", 3) - 0.1 * 730.5 * 1.0).abs() < 1e-9);
}

#[test]
fn what_is_wrong_with_a_battery_is_reported() {
    let more = r#"
bridge_power = [
  { name = "one", unit_power_mw = 2, units = 1, carbon_g_per_kwh = 5, storage = { energy_mwh = 4, hours_per_day = 24 } },
  { name = "two", unit_power_mw = 2, units = 1, storage = { energy_mwh = 4, hours_per_day = 2, returned_share = 1.2 } },
]
"#;
    let error = Scenario::from_toml(&campus(more)).unwrap_err().to_string();
    for wanted in [
        "hours_per_day is 24",
        "states carbon of its own",
        "returned_share is 1.2",
        "\"two\" is a second battery",
    ] {
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn what_really_holds_capacity_back_is_named() {
    use crate::projection::metrics::CAUSES;
    let cause = |trial: &Trial, month: usize| {
        let cause = trial.row.binding(0)[month];
        (
            CAUSES[usize::from(cause)],
            trial.at("binding_constraint_mw", month),
        )
    };
    let is = |trial: &Trial, month: usize, name: &str, mw: f64| {
        let found = cause(trial, month);
        assert!(
            found.0 == name && (found.1 - mw).abs() < 1e-9,
            "{found:?}, not {name} {mw}"
        );
    };
    let plain = Trial::of(&head("", ""));
    is(&plain, 0, "construction", 10.0);
    assert_eq!(cause(&plain, 5).0, "space");
    let chain = r#"electrical = { redundancy = "2N", module_power = "1 MW", modules = 12 }"#;
    is(&Trial::of(&head("", chain)), 5, "electrical", 4.0);
    let cooled = Trial::of(&head(", cooling_power = \"7 MW\"", ""));
    is(&cooled, 5, "cooling", 3.0);
    let grid = Trial::of(&campus(r#"grid = [{ name = "line", power_mw = 4 }]"#));
    is(&grid, 5, "grid", 6.0);
    let sparse = r#"halls = [{ name = "hall", racks = 100, rack_type = "air", hardware = "old" }]"#;
    is(&Trial::of(&halls(GENERATIONS, sparse)), 5, "density", 1.0);
    let late =
        r#"halls = [{ name = "hall", racks = 100, rack_type = "liquid", hardware = "new" }]"#;
    is(&Trial::of(&halls(GENERATIONS, late)), 5, "equipment", 14.0);
    let tree = r#"
halls = [{ name = "hall", racks = 25, rack_type = "liquid", hardware = "old" }]
[campuses.buildings.electrical]
redundancy = "block 4N/3"
module_power = "220 kW"
modules = 4
delivery = { rows = 12, row_positions = 4 }
"#;
    let generations = GENERATIONS.replace("cooling = \"air\"\n", "");
    // Blocks of 220 kW hold seven racks of 30 kW, and 10 kW of each are left.
    is(&Trial::of(&halls(&generations, tree)), 5, "delivery", 0.03);
}

/// A building that is fed 8 MW with room for racks of 10 MW, whose 20 tenants draw 70 % ± 10 %.
fn oversubscribed(stated: &str) -> Trial {
    let tenants = "draw_share = 0.7\nallocation = \"pooled\"";
    Trial::of(&format!(
        r#"{}
energy = {{ grid_carbon_g_per_kwh = 500 }}
[[campuses.buildings]]
name = "A"
power = "8 MW"
oversubscription = {{ {stated}, mean_share = 0.7, sd_share = 0.1, correlation = 0.3, tenants_per_hall = 20 }}
activities = [{{ name = "shell", duration_months = 1.5 }}]
halls = [{{ name = "hall", racks = 1000, rack_type = "rack", hardware = "hardware", hardware_life_months = 100 }}]
"#,
        preamble(24, RACKS, tenants)
    ))
}

#[test]
fn an_oversubscribed_building_sells_more_and_states_its_risk() {
    use crate::compute::Draws;
    let trial = oversubscribed("ratio = 1.25");
    let at = |metric| trial.at(metric, 5);
    assert_eq!(at("it_power_mw"), 10.0);
    assert_eq!(at("in_service_power_mw"), 10.0);
    assert_eq!(at("oversubscribed_mw"), 2.0);
    assert_eq!(at("facility_power_mw"), 8.0);
    let risk = Draws::alike(20, 500.0, 0.7, 0.1, 0.3).exceedance(8_000.0);
    let risk = risk.unwrap();
    assert!((at("peak_exceedance_probability") - risk).abs() < 1e-12);
    assert!((at("peak_exceedance_hours") - risk * 730.5).abs() < 1e-9);
    // What is above the feed is not drawn: a little of the time, a little of the energy.
    let capped = at("capped_energy_mwh") / 730.5;
    assert!(capped > 0.0 && capped < 10.0 * 0.1 * risk, "{capped}");
    assert!((at("it_draw_mw") + capped - 7.0).abs() < 1e-12);
    assert!((at("facility_energy_mwh") - at("it_draw_mw") * 730.5).abs() < 1e-9);
    assert!((at("grid_energy_mwh") - at("facility_energy_mwh")).abs() < 1e-9);
    let useful = at("effective_pflops") / at("in_service_pflops");
    assert!((useful - (7.0 - capped) / 7.0).abs() < 1e-12);
    assert_ledger_adds_up(&trial);
}

#[test]
fn the_ratio_follows_from_the_risk_that_is_accepted() {
    let trial = oversubscribed("exceedance_probability = \"1 %\"");
    let sold = trial.at("it_power_mw", 5);
    assert!(sold > 9.5 && sold < 9.7, "{sold}");
    assert!((trial.at("peak_exceedance_probability", 5) - 0.01).abs() < 1e-9);
    assert_ledger_adds_up(&trial);
    let none = oversubscribed("ratio = 1");
    assert_eq!(none.at("it_power_mw", 5), 8.0);
    assert_eq!(none.at("peak_exceedance_hours", 5), 0.0);
    assert_eq!(none.at("capped_energy_mwh", 5), 0.0);
}

#[test]
fn campuses_share_long_lead_equipment_by_the_order_of_the_plan() {
    // One works makes a transformer at a time, in six months. The activity that is due first by the
    // critical path goes first: the south, whose building waits for it.
    let campus = |name: &str, shell: u32| {
        format!(
            r#"
[[campuses]]
name = "{name}"
substations = [{{ name = "S", power_mw = 10, activities = [{{ name = "transformer", duration_months = 6, crews = ["transformer works"] }}, {{ name = "installation", duration_months = {shell} }}] }}]
buildings = [{{ name = "A", substation = "S", activities = [{{ name = "shell", duration_months = 1 }}], halls = [{{ name = "hall", racks = 100, rack_type = "rack", hardware = "hardware" }}] }}]
"#
        )
    };
    let preamble = preamble(36, RACKS, "allocation = \"pooled\"");
    let preamble = preamble.replace("[[campuses]]\nname = \"campus\"\n", "");
    let preamble = preamble.replace(
        "[[segments]]",
        "[[crews]]\nname = \"transformer works\"\ncapacity = 1\n[[segments]]",
    );
    let text = preamble + &campus("north", 1) + &campus("south", 9);
    let trial = Trial::of(&text);
    let layout = trial.model.layout();
    let live = |name: &str| {
        let milestone = layout.milestones.iter().position(|known| known == name);
        trial.row.milestones()[milestone.unwrap()]
    };
    assert_eq!(live("south/A live"), 15.0);
    assert_eq!(live("north/A live"), 13.0);
}

/// Energy balances in every month, whatever a campus has: what is fed is what is used and lost.
fn assert_energy_balances(trial: &Trial) {
    for month in 0..trial.series("it_draw_mw").len() {
        let at = |metric: &str| {
            let known = trial.model.layout().metric_index(metric);
            known.map_or(0.0, |position| trial.row.monthly(0, position)[month])
        };
        let used = at("it_draw_mw") + at("electrical_losses_mw") + at("cooling_power_mw");
        assert!((at("facility_draw_mw") - used).abs() < 1e-9);
        let fed =
            at("grid_energy_mwh") + at("bridge_energy_mwh") + at("on_site_renewable_energy_mwh");
        let served = used * 730.5 - at("curtailed_energy_mwh") - at("unserved_energy_mwh");
        let balance = fed - served - at("battery_losses_mwh");
        assert!(balance.abs() < 1e-6, "month {month}: {balance}");
        assert!((at("facility_energy_mwh") - fed).abs() < 1e-6);
        for metric in [
            "battery_losses_mwh",
            "unserved_energy_mwh",
            "capped_energy_mwh",
        ] {
            assert!(at(metric) >= 0.0, "{metric}");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn energy_balances_in_every_month_of_any_campus(
        grid in 3.0..16.0, battery in 0.5..6.0, energy in 0.5..30.0, hours in 1.0..12.0,
        curtailed in 0.0..4_000.0, depth in 0.0..1.0, sun in 0.1..8.0, engines in 1_u32..4,
        ratio in 1.0..1.5, draw in 0.3..1.0, trial in 0_u64..1_000,
    ) {
        let text = format!(
            r#"{}
curtailment = {{ hours_per_year = {curtailed}, depth_share = {depth} }}
efficiency = {{ temperatures_celsius = [-5, -2, 4, 11, 16, 20, 22, 20, 15, 9, 2, -3] }}
grid = [{{ name = "line", power_mw = {grid}, wait_months = {{ uniform = [0, 9] }} }}, {{ name = "second", power_mw = 12, wait_months = {{ uniform = [6, 30] }} }}]
bridge_power = [
  {{ name = "batteries", unit_power_mw = {battery}, units = 1, storage = {{ energy_mwh = {energy}, hours_per_day = {hours} }}, wait_months = {{ uniform = [0, 12] }} }},
  {{ name = "engines", unit_power_mw = 1, units = {engines}, wait_months = {{ uniform = [0, 12] }}, carbon_g_per_kwh = 500 }},
]
energy = {{ grid_carbon_g_per_kwh = 500, renewables = [{{ name = "sun", power_mw = {sun}, producing_share = 0.5, on_site = true, capacity_factors = [0.1, 0.15, 0.2, 0.22, 0.25, 0.28, 0.28, 0.26, 0.22, 0.18, 0.12, 0.1] }}] }}
[[campuses.buildings]]
name = "A"
power = "8 MW"
oversubscription = {{ ratio = {ratio}, sd_share = 0.1, correlation = 0.3, tenants_per_hall = 20 }}
activities = [{{ name = "shell", duration_months = {{ uniform = [0, 6] }} }}]
halls = [{{ name = "hall", racks = 1000, rack_type = "rack", hardware = "hardware", hardware_life_months = 20, refresh_months = 1 }}]
"#,
            preamble(36, RACKS, &format!("draw_share = {draw}"))
        );
        let trial = Trial::number(&text, trial);
        assert_energy_balances(&trial);
        assert_ledger_adds_up(&trial);
    }
}
