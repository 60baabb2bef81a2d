//! What holds in every scenario, whatever its numbers: in every month of every trial.

use std::collections::BTreeMap;

use crate::projection::TrialRow;
use crate::projection::metrics::CAUSES;
use crate::schedule::Activity;
use crate::site::{Building, Campus};
use crate::tenants::Segment;
use crate::{Batch, Model, Projection, Scenario, Uncertain, Workspace};
use proptest::collection::vec;
use proptest::prelude::*;

use super::random::{
    ROUNDING, STANDARD_RACK_KW, TRIALS, at_most, building, cases, compiled, metric, milestones,
    scenario, start, trials,
};

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
    #[ignore = "slow"]
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

/// What is foretold covers what is read, too: measured were 87 MB of 30,000 activities, and 263 MB of 16,000 segments over two years.
#[test]
fn memory_is_foretold_of_very_large_plans() {
    let mb = |scenario: &Scenario| compiled(scenario).memory_bytes(1) as f64 / 1e6;
    let empty = Scenario::new("land", start(), 24).campuses([Campus::new("north")]);
    let mut built = empty.clone();
    let mut building = Building::new("A");
    let named = (0..3_000).map(|number| Activity::new(format!("work {number}"), 0.001));
    building.activities = Some(named.collect());
    building.halls = Some(Vec::new());
    built.campuses[0].buildings.push(building);
    let activities = 10.0 * (mb(&built) - mb(&empty));
    assert!((35.0..140.0).contains(&activities), "{activities}");
    let mut let_out = empty.clone();
    for number in 0..400 {
        let mut segment = Segment::new(format!("segment {number}"));
        segment.contract_power_kw = Some(10.0.into());
        let_out.segments.push(segment);
    }
    let segments = 40.0 * (mb(&let_out) - mb(&empty));
    assert!((125.0..500.0).contains(&segments), "{segments}");
}
