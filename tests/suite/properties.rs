//! What holds in every scenario, whatever its numbers: in every month of every trial.

use std::collections::BTreeMap;

use buildout::compute::{Generation, RackType};
use buildout::power::{GridStep, Substation};
use buildout::projection::TrialRow;
use buildout::projection::metrics::CAUSES;
use buildout::schedule::{Activity, Dependency, Lagged};
use buildout::site::{Building, Hall, Series};
use buildout::site::{Campus, ExistingCapacity};
use buildout::tenants::{Allocation, ExistingTenants, Segment};
use buildout::{Batch, Date, Model, Projection, Scenario, Uncertain, Workspace};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// How far sums of the same numbers in another order may differ, relatively.
const ROUNDING: f64 = 1e-9;
const TRIALS: u64 = 4;
const STANDARD_RACK_KW: f64 = 2.5;
const CAMPUSES: [&str; 3] = ["north", "south", "west"];
const RACK_TYPES: [&str; 2] = ["standard", "dense"];

fn start() -> Date {
    Date::month(2025, 7).expect("a month")
}

/// How many random scenarios; fewer where the code is not optimised. `PROPTEST_CASES` asks for others.
fn cases(cases: u32) -> ProptestConfig {
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

fn building() -> impl Strategy<Value = Building> {
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

fn scenario() -> impl Strategy<Value = Scenario> {
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

fn compiled(scenario: &Scenario) -> Model {
    scenario
        .compile()
        .unwrap_or_else(|error| panic!("{error}\n{scenario:#?}"))
}

/// The first trials of a model on one seed.
fn trials(model: &Model, seed: u64) -> Vec<TrialRow> {
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
fn metric<'a>(row: &'a TrialRow, scope: usize, name: &str) -> &'a [f64] {
    let index = row.layout().metric_index(name);
    row.monthly(scope, index.unwrap_or_else(|| panic!("no metric {name}")))
}

/// Whether `less` is at most `more`, month by month, but for rounding.
fn at_most(less: &[f64], more: &[f64]) -> bool {
    let within = |(less, more): (&f64, &f64)| *less <= more * (1.0 + ROUNDING) + 1e-12;
    less.iter().zip(more).all(within)
}

/// Asserts that each metric of the list is at most the next.
fn in_order(row: &TrialRow, scope: usize, names: &[&str]) -> Result<(), TestCaseError> {
    for pair in names.windows(2) {
        let (less, more) = (metric(row, scope, pair[0]), metric(row, scope, pair[1]));
        prop_assert!(
            at_most(less, more),
            "{} is above {} in scope {scope}:\n{less:?}\n{more:?}",
            pair[0],
            pair[1]
        );
    }
    Ok(())
}

const NEVER_FALL: [&str; 10] = [
    "racks_built",
    "racks_energised",
    "racks_deployable",
    "standard_racks",
    "it_power_mw",
    "installed_pflops",
    "companies_contacted",
    "contracts_signed",
    "subsidiaries",
    "contracts_lost",
];

fn check_row(row: &TrialRow, campus_pue: &[f64]) -> Result<(), TestCaseError> {
    let scopes = row.layout().scopes.len();
    let sum_of = |scope: usize, names: [&str; 2]| -> Vec<f64> {
        let (left, right) = (metric(row, scope, names[0]), metric(row, scope, names[1]));
        left.iter().zip(right).map(|(a, b)| a + b).collect()
    };
    for scope in 0..scopes {
        for label in &row.layout().metrics {
            let values = metric(row, scope, &label.name);
            prop_assert!(
                values.iter().all(|x| x.is_finite() && *x >= 0.0),
                "{} of scope {scope} is not a number of 0 or more: {values:?}",
                label.name
            );
        }
        in_order(
            row,
            scope,
            &[
                "racks_in_service",
                "racks_deployable",
                "racks_energised",
                "racks_built",
            ],
        )?;
        in_order(
            row,
            scope,
            &[
                "it_draw_mw",
                "in_service_power_mw",
                "leased_power_mw",
                "it_power_mw",
                "facility_power_mw",
            ],
        )?;
        in_order(
            row,
            scope,
            &["effective_pflops", "in_service_pflops", "installed_pflops"],
        )?;
        in_order(
            row,
            scope,
            &["subsidiaries", "contracts_signed", "companies_contacted"],
        )?;
        // Whoever is in service or was lost has signed.
        let seen = sum_of(scope, ["contracts_in_service", "contracts_lost"]);
        prop_assert!(at_most(&seen, metric(row, scope, "contracts_signed")));
        let take_up = metric(row, scope, "take_up");
        prop_assert!(take_up.iter().all(|share| (0.0..=1.0).contains(share)));
        for name in NEVER_FALL {
            let values = metric(row, scope, name);
            prop_assert!(
                values
                    .windows(2)
                    .all(|pair| at_most(&pair[..1], &pair[1..])),
                "{name} of scope {scope} falls: {values:?}"
            );
        }
        let standard: Vec<f64> = (metric(row, scope, "it_power_mw").iter())
            .map(|mw| mw * 1_000.0 / STANDARD_RACK_KW)
            .collect();
        prop_assert!(at_most(&standard, metric(row, scope, "standard_racks")));
        prop_assert!(at_most(metric(row, scope, "standard_racks"), &standard));
        let causes = row.binding(scope).iter();
        prop_assert!(
            causes
                .into_iter()
                .all(|cause| usize::from(*cause) < CAUSES.len())
        );
    }
    for (campus, pue) in campus_pue.iter().enumerate() {
        let scope = if campus_pue.len() > 1 { campus + 1 } else { 0 };
        for (facility, it) in [
            ("facility_power_mw", "it_power_mw"),
            ("facility_draw_mw", "it_draw_mw"),
        ] {
            let expected: Vec<f64> = metric(row, scope, it).iter().map(|mw| mw * pue).collect();
            let actual = metric(row, scope, facility);
            prop_assert!(at_most(actual, &expected) && at_most(&expected, actual));
        }
    }
    if scopes > 1 {
        for label in &row.layout().metrics {
            // A ratio, and what one cause holds back: these are no sums.
            if ["take_up", "binding_constraint_mw"].contains(&label.name.as_str()) {
                continue;
            }
            let total = metric(row, 0, &label.name);
            for (month, total) in total.iter().enumerate() {
                let sum: f64 = (1..scopes)
                    .map(|scope| metric(row, scope, &label.name)[month])
                    .sum();
                prop_assert!(
                    (total - sum).abs() <= ROUNDING * total.abs(),
                    "{} in month {month}: {sum} in all campuses, {total} in total",
                    label.name
                );
            }
        }
    }
    let horizon = row.layout().months as f64;
    prop_assert!((row.milestones().iter()).all(|at| *at == f64::INFINITY || *at <= horizon));
    Ok(())
}

/// The PUE of each campus in a trial.
fn pues(scenario: &Scenario, model: &Model, seed: u64, trial: u64) -> Vec<f64> {
    let mut drawn = Vec::new();
    model.draw_inputs(seed, trial, &mut drawn);
    let by_name: BTreeMap<&str, f64> = model.input_names().zip(drawn).collect();
    (scenario.campuses.iter())
        .map(|campus| {
            (by_name
                .get(format!("{}/PUE", campus.name).as_str())
                .copied())
            .or(campus.pue.constant())
            .expect("it is either drawn or known")
        })
        .collect()
}

fn written(projection: &Projection) -> String {
    serde_json::to_string(projection).expect("a projection can be written")
}

/// Finite milestones by name.
fn milestones(row: &TrialRow) -> BTreeMap<&str, u64> {
    (row.layout().milestones.iter().zip(row.milestones()))
        .map(|(name, at)| (name.as_str(), at.to_bits()))
        .collect()
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn every_month_of_every_trial_makes_sense(scenario in scenario(), seed in any::<u64>()) {
        let model = compiled(&scenario);
        for (trial, row) in trials(&model, seed).iter().enumerate() {
            let pues = pues(&scenario, &model, seed, trial as u64);
            check_row(row, &pues)?;
        }
    }

    #[test]
    fn more_grid_power_never_means_less_deployable_power(
        scenario in scenario(),
        seed in any::<u64>(),
        factor in 1.0..4.0_f64,
        which in any::<prop::sample::Index>(),
    ) {
        let steps: usize = scenario.campuses.iter().map(|campus| campus.grid.len()).sum();
        prop_assume!(steps > 0);
        let mut stronger = scenario.clone();
        let step = (stronger.campuses.iter_mut())
            .flat_map(|campus| &mut campus.grid)
            .nth(which.index(steps))
            .expect("there are so many");
        if let Uncertain::Constant(power_mw) = &mut step.power_mw {
            *power_mw *= factor;
        }
        let before = trials(&compiled(&scenario), seed);
        let after = trials(&compiled(&stronger), seed);
        for (before, after) in before.iter().zip(&after) {
            for scope in 0..before.layout().scopes.len() {
                for name in ["it_power_mw", "racks_energised"] {
                    let (less, more) = (metric(before, scope, name), metric(after, scope, name));
                    prop_assert!(at_most(less, more), "{name}:\n{less:?}\n{more:?}");
                }
            }
        }
    }

    #[test]
    fn another_building_leaves_the_luck_of_the_others_as_it_was(
        scenario in scenario(),
        seed in any::<u64>(),
        mut added in building(),
        which in any::<prop::sample::Index>(),
    ) {
        let position = which.index(scenario.campuses.len());
        added.name = "Z-{n}".to_owned();
        added.after.clear();
        added.substation = None;
        let mut larger = scenario.clone();
        larger.campuses[position].buildings.push(added);
        let before = trials(&compiled(&scenario), seed);
        let after = trials(&compiled(&larger), seed);
        // With a limited grid the new building takes power from the others, which then go live
        // later; when they are built does not change.
        let shares_power = |name: &str| {
            let campus = &scenario.campuses[position];
            let there = scenario.campuses.len() == 1 || name.starts_with(&campus.name);
            name.ends_with(" live") && there && !campus.grid.is_empty()
        };
        for (before, after) in before.iter().zip(&after) {
            let now = milestones(after);
            for (name, at) in milestones(before) {
                if !shares_power(name) {
                    prop_assert_eq!(now.get(name), Some(&at), "{}", name);
                }
            }
            // Nor does it change whom the tenants' side contacts and who signs.
            for name in ["companies_contacted", "contracts_signed", "subsidiaries"] {
                prop_assert_eq!(metric(before, 0, name), metric(after, 0, name));
            }
        }
    }

    #[test]
    fn a_trial_does_not_depend_on_what_its_workspace_was_used_for(
        first in scenario(),
        second in scenario(),
        seed in any::<u64>(),
    ) {
        let model = compiled(&second);
        let mut used = Workspace::default();
        let other = compiled(&first);
        let mut row = TrialRow::new(other.layout().clone());
        other.simulate(seed, 5, &mut used, &mut row);
        let mut row = TrialRow::new(model.layout().clone());
        model.simulate(seed, 1, &mut used, &mut row);
        prop_assert_eq!(&row, &trials(&model, seed)[1]);
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn the_number_of_threads_leaves_no_trace(scenario in scenario(), seed in any::<u64>()) {
        let model = compiled(&scenario);
        let run = |threads| {
            let batch = Batch::new(&model).trials(300).seed(seed).threads(threads);
            written(&batch.run().expect("it runs"))
        };
        let alone = run(1);
        for threads in [2, 3, 8] {
            prop_assert!(run(threads) == alone, "{} threads", threads);
        }
        prop_assert!(run(1) == alone, "again");
    }

    #[test]
    fn shards_merged_are_the_whole(
        scenario in scenario(),
        seed in any::<u64>(),
        first in 0..1_000_u64,
        cuts in vec(1..300_u64, 1..4),
    ) {
        let model = compiled(&scenario);
        let run = |range| {
            let batch = Batch::new(&model).trial_range(range).seed(seed).threads(2);
            batch.run().expect("it runs")
        };
        let whole = run(first..first + 300);
        let mut cuts = cuts;
        cuts.extend([0, 300]);
        cuts.sort_unstable();
        cuts.dedup();
        let mut shards: Vec<Projection> = (cuts.windows(2))
            .map(|pair| run(first + pair[0]..first + pair[1]))
            .collect();
        let mut merged = shards.pop().expect("one shard or more");
        for shard in &shards {
            merged.merge(shard).expect("of the same run");
        }
        prop_assert_eq!(merged.trials(), 300);
        prop_assert!(written(&merged) == written(&whole));
    }

    #[test]
    fn a_trial_replayed_alone_is_the_trial_of_the_batch(
        scenario in scenario(),
        seed in any::<u64>(),
        trial in any::<u64>(),
    ) {
        let model = compiled(&scenario);
        let trial = trial % (u64::MAX - 1);
        let batch = Batch::new(&model).trial_range(trial..trial + 1).seed(seed).threads(1);
        let of_batch = batch.run().expect("it runs");
        let mut replayed = Projection::new(model.layout().clone(), of_batch.provenance().clone())
            .expect("a layout of a model");
        let mut row = TrialRow::new(model.layout().clone());
        model.simulate(seed, trial, &mut Workspace::default(), &mut row);
        replayed.absorb(&[row]).expect("of the same layout");
        prop_assert!(written(&replayed) == written(&of_batch));
        // And all of a batch, trial by trial.
        let mut replayed = Projection::new(model.layout().clone(), of_batch.provenance().clone())
            .expect("a layout of a model");
        replayed.absorb(&trials(&model, seed)).expect("of the same layout");
        let batch = Batch::new(&model).trials(TRIALS).seed(seed).run().expect("it runs");
        prop_assert!(written(&replayed) == written(&batch));
    }
}

#[test]
fn trials_may_be_numbered_up_to_the_last_number() {
    let scenario = Scenario::new("land", start(), 3).campuses([Campus::new("north")]);
    let model = compiled(&scenario);
    let batch = Batch::new(&model).trial_range(u64::MAX - 5..u64::MAX);
    assert_eq!(batch.threads(2).run().expect("it runs").trials(), 5);
}
