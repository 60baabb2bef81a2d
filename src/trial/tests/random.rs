//! Random valid scenarios, small and large, and their first trials.

use std::collections::BTreeMap;

use crate::compute::{Generation, RackType};
use crate::power::{GridStep, Substation};
use crate::projection::TrialRow;
use crate::schedule::{Activity, Dependency, Lagged};
use crate::site::{Building, Campus, ExistingCapacity, Hall, Series};
use crate::tenants::{Allocation, ExistingTenants, Segment};
use crate::{Date, Model, Scenario, Uncertain, Workspace};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// How far sums of the same numbers in another order may differ, relatively.
pub(crate) const ROUNDING: f64 = 1e-9;
pub(crate) const TRIALS: u64 = 4;
pub(crate) const STANDARD_RACK_KW: f64 = 2.5;
const CAMPUSES: [&str; 3] = ["north", "south", "west"];
const RACK_TYPES: [&str; 2] = ["standard", "dense"];

pub(crate) fn start() -> Date {
    Date::month(2025, 7).expect("a month")
}

/// How many random scenarios; fewer where the code is not optimised. `PROPTEST_CASES` asks for others.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let slowness = if cfg!(debug_assertions) { 3 } else { 1 };
    let asked = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        failure_persistence: None,
        cases: (asked.and_then(|number| number.parse().ok())).unwrap_or(cases / slowness),
        ..ProptestConfig::default()
    }
}

/// A quantity within `min` and `max`, of any form.
fn quantity(min: f64, max: f64) -> impl Strategy<Value = Uncertain> {
    (0..7, 0.0..=1.0_f64, 0.0..=1.0_f64, 0.0..=1.0_f64).prop_map(move |(form, a, b, c)| {
        let mut points = [a, b, c].map(|share| min + share * (max - min));
        points.sort_unstable_by(f64::total_cmp);
        let [low, middle, high] = points;
        match form {
            0 => Uncertain::uniform(low, high),
            1 => Uncertain::triangular(low, middle, high),
            2 => Uncertain::pert(low, middle, high),
            3 => Uncertain::discrete([(low, 0.25), (high, 0.75)]),
            4 => Uncertain::Normal {
                mean: middle,
                sd: (high - low) / 4.0,
                min: Some(min),
                max: Some(max),
            },
            _ => Uncertain::Constant(middle),
        }
    })
}

/// A quantity of 0 or more, with a long tail among its forms.
fn amount(max: f64) -> impl Strategy<Value = Uncertain> {
    prop_oneof![
        3 => quantity(0.0, max),
        1 => (0.01..=1.0_f64, 0.0..1.5_f64)
            .prop_map(move |(share, sigma)| Uncertain::lognormal(share * max, sigma)),
    ]
}

fn activities(most: usize) -> impl Strategy<Value = Vec<Activity>> {
    let one = (amount(9.0), any::<bool>(), -1.0..2.0_f64, 0..4);
    vec(one, 0..=most).prop_map(|list| {
        let named = |number: usize| format!("work {number}");
        (list.into_iter().enumerate())
            .map(|(number, (duration, from_start, lag, kind))| {
                let mut activity = Activity::new(named(number), duration).as_milestone();
                if from_start {
                    // From the start of the building rather than after the one before.
                    activity.after = Some(Vec::new());
                } else if kind == 0 && number > 0 {
                    let mut lagged = Lagged::new(named(number - 1));
                    lagged.lag_months = Uncertain::Constant(lag);
                    activity.after = Some(vec![Dependency::Lagged(lagged)]);
                }
                activity
            })
            .collect()
    })
}

fn hall() -> impl Strategy<Value = Hall> {
    let hardware = prop_oneof![
        Just(None),
        Just(Some("newest")),
        Just(Some("early")),
        Just(Some("late")),
    ];
    (
        1..400_u32,
        0..2_usize,
        of(5.0..4_000.0_f64),
        hardware,
        any::<bool>(),
        activities(1),
    )
        .prop_map(|(racks, kind, power, hardware, at_start, activities)| {
            // What needs more than a standard position has goes into a dense one.
            let kind = if hardware == Some("late") { 1 } else { kind };
            let mut hall = Hall::new("", racks, RACK_TYPES[kind]);
            hall.power_kw = power.map(Uncertain::from);
            hall.hardware = hardware.map(str::to_owned);
            hall.hardware_ordered_after = at_start.then(|| "start".to_owned());
            hall.activities = activities;
            hall
        })
}

pub(crate) fn building() -> impl Strategy<Value = Building> {
    (
        activities(3),
        vec(hall(), 0..3),
        of(50.0..3_000.0_f64),
        of(0..2_usize),
        of(-6..24_i32),
        of((1..4_u32, 0.0..7.0_f64)),
        any::<bool>(),
    )
        .prop_map(
            |(activities, halls, power, substation, starts, series, follows)| {
                let mut building = Building::new("");
                building.activities = Some(activities);
                let halls = halls.into_iter().enumerate().map(|(number, mut hall)| {
                    hall.name = format!("hall {number}");
                    hall
                });
                building.halls = Some(halls.collect());
                building.power_kw = power.map(Uncertain::from);
                building.substation = substation.map(|number| format!("substation {number}"));
                building.starts = starts.and_then(|months| start().plus_months(f64::from(months)));
                building.series = series.map(|(count, months)| Series::new(count, months));
                if follows {
                    // To be made the name of the building before.
                    building.after = vec![Dependency::Finish(String::new())];
                }
                building
            },
        )
}

fn campus() -> impl Strategy<Value = Campus> {
    let existing = (1..300_u32, 0..2_usize, 1.0..2_000.0_f64, 0.0..50.0_f64);
    (
        quantity(1.0, 1.8),
        quantity(0.0, 1.0),
        vec((0.05..4.0_f64, amount(12.0)), 0..4),
        vec((0.05..4.0_f64, amount(12.0)), 0..3),
        vec(building(), 0..4),
        of(existing),
    )
        .prop_map(
            |(pue, availability, grid, substations, buildings, existing)| {
                let mut campus = Campus::new("");
                campus.pue = pue;
                campus.availability = availability;
                for (number, (power, wait)) in grid.into_iter().enumerate() {
                    let step = GridStep::new(format!("step {number}"), power, wait);
                    campus.grid.push(step);
                }
                for (number, (power, duration)) in substations.into_iter().enumerate() {
                    let work = vec![Activity::new("build", duration).as_milestone()];
                    let name = format!("substation {number}");
                    campus.substations.push(Substation::new(name, power, work));
                }
                for (number, mut building) in buildings.into_iter().enumerate() {
                    building.name = format!("B{number}-{{n}}");
                    if building.series.is_none() {
                        building.name = format!("B{number}-1");
                    }
                    if !building.after.is_empty() {
                        building.after = match number {
                            0 => Vec::new(),
                            _ => vec![format!("B{}-1", number - 1).as_str().into()],
                        };
                    }
                    let fed = building.substation.take();
                    building.substation =
                        fed.filter(|name| campus.substations.iter().any(|s| &s.name == name));
                    campus.buildings.push(building);
                }
                campus.existing = existing.map(|(racks, kind, power_kw, compute)| {
                    let existing = ExistingCapacity::new(racks, RACK_TYPES[kind], power_kw);
                    existing.compute_pflops(compute)
                });
                campus
            },
        )
}

fn segment() -> impl Strategy<Value = Segment> {
    let allocation = prop_oneof![
        Just(Allocation::FirstCome),
        Just(Allocation::FirstComeWhole),
        Just(Allocation::Pooled),
    ];
    let demand = (
        amount(12.0),
        quantity(-0.5, 1.0),
        quantity(0.0, 1.0),
        amount(6.0),
        quantity(0.0, 1.0),
        amount(6.0),
    );
    let contracts = (
        amount(400.0),
        any::<bool>(),
        of(10.0..500.0_f64),
        amount(6.0),
        amount(9.0),
        amount(15.0),
        quantity(0.0, 1.0),
    );
    let rest = (
        of(amount(8.0)),
        quantity(0.0, 1.0),
        quantity(0.0, 1.0),
        0..2_u32,
        allocation,
        vec(0..3_usize, 0..4),
        vec(0..2_usize, 0..3),
        of((0..9_u32, 0..9_u32, 0..9_u32, 0..9_u32, 0.0..900.0_f64)),
    );
    (demand, contracts, rest).prop_map(|(demand, contracts, rest)| {
        let mut segment = Segment::new("");
        let growth;
        (
            segment.outreach_per_month,
            growth,
            segment.sign_probability,
            segment.sign_lag_months,
            segment.subsidiary_probability,
            segment.subsidiary_lag_months,
        ) = demand;
        segment.outreach_growth_per_year = growth;
        let (size, in_racks, largest, move_in_lag, ramp, term, churn) = contracts;
        if in_racks {
            segment.contract_standard_racks = Some(size);
        } else {
            segment.contract_power_kw = Some(size);
        }
        segment.largest_contract_kw = largest;
        segment.move_in_lag_months = move_in_lag;
        segment.ramp_months = ramp;
        segment.term_months = term;
        segment.churn_per_month = churn;
        let (patience, draw, utilisation, priority, allocation, campuses, kinds, existing) = rest;
        segment.patience_months = patience;
        segment.draw_share = draw;
        segment.utilisation = utilisation;
        segment.priority = priority;
        segment.allocation = allocation;
        segment.campuses = distinct(&campuses, &CAMPUSES);
        segment.rack_types = distinct(&kinds, &RACK_TYPES);
        segment.existing = existing.map(|(more, negotiating, signed, subsidiaries, leased)| {
            ExistingTenants::new()
                .companies_contacted(more + negotiating + signed)
                .companies_negotiating(negotiating)
                .contracts_signed(signed)
                .subsidiaries(subsidiaries.min(signed))
                .leased_power_kw(if signed > 0 { leased } else { 0.0 })
        });
        segment
    })
}

fn distinct(positions: &[usize], names: &[&str]) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for position in positions {
        let name = names[*position].to_owned();
        if !list.contains(&name) {
            list.push(name);
        }
    }
    list
}

fn generations() -> Vec<Generation> {
    let mut early = Generation::new("early", 2.0, "fp16_dense", 1.5);
    early.lead_time_months = Uncertain::uniform(0.0, 5.0);
    let mut middle = Generation::new("middle", 30.0, "fp16_dense", 60.0);
    middle.available_from = start().plus_months(4.5);
    middle.growth_per_year = Uncertain::uniform(-0.1, 0.6);
    let mut late = Generation::new("late", 55.0, "fp16_dense", 200.0);
    late.available_from = start().plus_months(14.0);
    late.lead_time_months = Uncertain::pert(1.0, 3.0, 8.0);
    late.growth_per_year = Uncertain::Constant(0.3);
    vec![early, middle, late]
}

pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    (vec(campus(), 1..=3), vec(segment(), 0..4), 1..40_u32).prop_map(
        |(campuses, segments, months)| {
            let mut scenario = Scenario::new("random", start(), months);
            scenario.rack_types = vec![
                RackType::new("standard", STANDARD_RACK_KW),
                RackType::new("dense", 60.0),
            ];
            scenario.generations = generations();
            let count = campuses.len();
            for (name, mut campus) in CAMPUSES.into_iter().zip(campuses) {
                campus.name = name.to_owned();
                scenario.campuses.push(campus);
            }
            for (number, mut segment) in segments.into_iter().enumerate() {
                segment.name = format!("segment {number}");
                segment
                    .campuses
                    .retain(|name| CAMPUSES[..count].contains(&name.as_str()));
                scenario.segments.push(segment);
            }
            scenario
        },
    )
}

pub(crate) fn compiled(scenario: &Scenario) -> Model {
    scenario
        .compile()
        .unwrap_or_else(|error| panic!("{error}\n{scenario:#?}"))
}

/// The first trials of a model on one seed.
pub(crate) fn trials(model: &Model, seed: u64) -> Vec<TrialRow> {
    let mut workspace = Workspace::default();
    (0..TRIALS)
        .map(|trial| {
            let mut row = TrialRow::new(model.layout().clone());
            model.simulate(seed, trial, &mut workspace, &mut row);
            row
        })
        .collect()
}

/// A metric of a scope, month by month.
pub(crate) fn metric<'a>(row: &'a TrialRow, scope: usize, name: &str) -> &'a [f64] {
    let index = row.layout().metric_index(name);
    row.monthly(scope, index.unwrap_or_else(|| panic!("no metric {name}")))
}

/// Whether `less` is at most `more`, month by month, but for rounding.
pub(crate) fn at_most(less: &[f64], more: &[f64]) -> bool {
    let within = |(less, more): (&f64, &f64)| *less <= more * (1.0 + ROUNDING) + 1e-12;
    less.iter().zip(more).all(within)
}

/// Finite milestones by name.
pub(crate) fn milestones(row: &TrialRow) -> BTreeMap<&str, u64> {
    (row.layout().milestones.iter().zip(row.milestones()))
        .map(|(name, at)| (name.as_str(), at.to_bits()))
        .collect()
}
