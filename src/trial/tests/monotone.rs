//! More, or earlier, is never less: random scenarios with the same random numbers before and after a change; and the
//! order in which a file lists things changes nothing where no stated rule says so.

use crate::projection::TrialRow;
use crate::schedule::crews::Crew;
use crate::schedule::{Activity, Dependency};
use crate::site::{Building, Campus};
use crate::{Date, Scenario, Uncertain};
use proptest::prelude::*;

use super::random::{ROUNDING, at_most, cases, compiled, metric, milestones, scenario, trials};

/// Metrics of capacity, which more of anything must not lower.
const CAPACITY: [&str; 3] = ["it_power_mw", "racks_energised", "racks_deployable"];

fn never_less(before: &Scenario, after: &Scenario, seed: u64) -> Result<(), TestCaseError> {
    let (less, more) = (
        trials(&compiled(before), seed),
        trials(&compiled(after), seed),
    );
    for (before, after) in less.iter().zip(&more) {
        for scope in 0..before.layout().scopes.len() {
            for name in CAPACITY {
                let (less, more) = (metric(before, scope, name), metric(after, scope, name));
                prop_assert!(at_most(less, more), "{name}:\n{less:?}\n{more:?}");
            }
        }
    }
    Ok(())
}

/// Without a limit of power: who is handed over sooner would take it from others.
fn without_limits_of_power(mut scenario: Scenario) -> Scenario {
    for campus in &mut scenario.campuses {
        campus.grid.clear();
        campus.substations.clear();
        for building in &mut campus.buildings {
            building.substation = None;
        }
    }
    scenario
}

/// Without halls that take the newest hardware when they order: who orders sooner would take an older generation.
fn with_stated_hardware(mut scenario: Scenario) -> Scenario {
    let buildings = scenario.campuses.iter_mut();
    let halls = buildings
        .flat_map(|campus| &mut campus.buildings)
        .flat_map(|building| building.halls.iter_mut().flatten());
    for hall in halls.filter(|hall| hall.hardware.as_deref() == Some("newest")) {
        hall.hardware = None;
        hall.hardware_ordered_after = None;
    }
    scenario
}

/// The first activity of every building takes one of the gang, and all of these may begin at the start.
fn with_gang(mut scenario: Scenario, capacity: u32) -> Scenario {
    for building in scenario
        .campuses
        .iter_mut()
        .flat_map(|campus| &mut campus.buildings)
    {
        building.starts = None;
        building.after.clear();
        building.series = None;
        building.name = building.name.replace("{n}", "1");
        if let Some(first) = building.activities.iter_mut().flatten().next() {
            first.after = Some(Vec::new());
            first.crews = vec!["gang".into()];
        }
    }
    scenario.crews = vec![Crew::new("gang", capacity)];
    scenario
}

/// Holds the trials of two scenarios to each other, but for those that do not `count`.
fn all_the_same(
    one: &Scenario,
    other: &Scenario,
    seed: u64,
    count: impl Fn(&TrialRow) -> bool,
) -> Result<(), TestCaseError> {
    let (one, other) = (trials(&compiled(one), seed), trials(&compiled(other), seed));
    for (one, other) in one.iter().zip(&other).filter(|(one, _)| count(one)) {
        prop_assert_eq!(milestones(one), milestones(other));
        for scope in 0..one.layout().scopes.len() {
            for label in &one.layout().metrics {
                let (a, b) = (
                    metric(one, scope, &label.name),
                    metric(other, scope, &label.name),
                );
                let apart = |(a, b): (&f64, &f64)| (a - b).abs() > ROUNDING * a.abs().max(1e-3);
                let differs = a.iter().zip(b).any(apart);
                prop_assert!(!differs, "{}:\n{a:?}\n{b:?}", label.name);
            }
        }
    }
    Ok(())
}

/// Whether no two buildings of a trial are live at the same moment: of these the first in the file is filled first.
fn is_live_one_by_one(row: &TrialRow) -> bool {
    let names = &row.layout().milestones;
    let live = names.iter().zip(row.milestones());
    let mut moments: Vec<u64> = live
        .filter(|(name, at)| name.ends_with(" live") && at.is_finite())
        .map(|(_, at)| at.to_bits())
        .collect();
    let buildings = moments.len();
    moments.sort_unstable();
    moments.dedup();
    moments.len() == buildings
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn equipment_that_comes_earlier_never_means_less_capacity(
        scenario in scenario(),
        seed in any::<u64>(),
        share in 0.0..1.0_f64,
    ) {
        let mut earlier = scenario.clone();
        for generation in &mut earlier.generations {
            // The same draws, so that each delivery is earlier.
            generation.lead_time_months = match generation.lead_time_months {
                Uncertain::Uniform { min, max } => Uncertain::uniform(min * share, max * share),
                _ => Uncertain::zero(),
            };
        }
        never_less(&scenario, &earlier, seed)?;
    }

    #[test]
    fn power_that_comes_earlier_never_means_less_capacity(
        scenario in scenario(),
        seed in any::<u64>(),
    ) {
        let mut earlier = scenario.clone();
        for step in earlier.campuses.iter_mut().flat_map(|campus| &mut campus.grid) {
            step.wait_months = Uncertain::zero();
        }
        never_less(&scenario, &earlier, seed)?;
    }

    #[test]
    fn more_crews_never_mean_less_capacity_where_they_are_needed_at_the_start_alone(
        scenario in scenario(),
        seed in any::<u64>(),
        gangs in 1..4_u32,
    ) {
        let scenario = with_stated_hardware(without_limits_of_power(scenario));
        let few = with_gang(scenario.clone(), gangs);
        never_less(&few, &with_gang(scenario.clone(), gangs + 1), seed)?;
        // More than there are buildings.
        never_less(&few, &with_gang(scenario, 1_000), seed)?;
    }

    #[test]
    fn the_order_of_buildings_changes_nothing_where_power_is_enough_and_no_two_are_live_at_once(
        scenario in scenario(),
        seed in any::<u64>(),
    ) {
        let scenario = without_limits_of_power(scenario);
        let mut turned = scenario.clone();
        for campus in &mut turned.campuses {
            campus.buildings.reverse();
        }
        all_the_same(&scenario, &turned, seed, is_live_one_by_one)?;
    }

    #[test]
    fn the_order_of_segments_changes_nothing_where_priorities_tell_them_apart(
        scenario in scenario(),
        seed in any::<u64>(),
    ) {
        let mut scenario = scenario;
        for (priority, segment) in (0..).zip(&mut scenario.segments) {
            segment.priority = priority;
        }
        let mut turned = scenario.clone();
        turned.segments.reverse();
        all_the_same(&scenario, &turned, seed, |_| true)?;
    }
}

/// The exception of the model's description: with a third unit C, D and E are at work together from the end of A, so that G, which
/// began while these waited, has to wait for them. By hand, with two units: A 1-6, B 0-2, C 6-9, D 6-7, E 7-9, F 0-1, G 2-6; with
/// three: A 0-5, B 0-2, C 5-8, D 5-6, E 5-7, F 0-1, G 6-10.
#[test]
fn one_unit_more_may_make_a_plan_longer() {
    let work = |name: &str, months: f64, after: &[&str]| {
        let mut activity = Activity::new(name, months).as_milestone();
        activity.after = Some(after.iter().map(|name| Dependency::from(*name)).collect());
        activity.crews = vec!["gang".into()];
        activity
    };
    let mut building = Building::new("A");
    building.activities = Some(vec![
        work("A", 5.0, &[]),
        work("B", 2.0, &[]),
        work("C", 3.0, &["A"]),
        work("D", 1.0, &["A"]),
        work("E", 2.0, &["A"]),
        work("F", 1.0, &[]),
        work("G", 4.0, &["B", "F"]),
    ]);
    building.halls = Some(Vec::new());
    let mut campus = Campus::new("c");
    campus.buildings.push(building);
    let mut scenario = Scenario::new("anomaly", Date::month(2025, 1).expect("a month"), 24);
    scenario.campuses.push(campus);
    let last = |capacity: u32| {
        let mut scenario = scenario.clone();
        scenario.crews = vec![Crew::new("gang", capacity)];
        let row = trials(&compiled(&scenario), 1).swap_remove(0);
        let reached = row.milestones().iter().filter(|at| at.is_finite());
        reached.copied().fold(0.0, f64::max)
    };
    assert_eq!([2, 3, 4].map(last), [9.0, 10.0, 8.0]);
}
