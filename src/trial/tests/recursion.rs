//! Random plans against the dates of a plain recursion, as the model's description states it: dependencies of all kinds with lags
//! and leads, dates, branches that run or do not, and risk events.

use proptest::prelude::*;

use super::random::{compiled, trials};
use crate::compute::RackType;
use crate::schedule::network::LinkKind;
use crate::schedule::risks::Risk;
use crate::schedule::{Activity, Dependency, Lagged};
use crate::site::{Building, Campus, Hall};
use crate::{Date, Scenario};

/// What is drawn of an activity: its duration, its dependencies (on which one before, kind, lag), its dates and its branch.
#[derive(Clone, Debug)]
struct Plan {
    months: f64,
    after: Vec<(prop::sample::Index, u8, f64)>,
    dates: u8,
    branch: u8,
    of: prop::sample::Index,
    is_hit: bool,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let after = (any::<prop::sample::Index>(), 0..4_u8, -1.0..3.0_f64);
    let one = (
        0.0..6.0_f64,
        prop::collection::vec(after, 0..3),
        0..12_u8,
        0..8_u8,
        any::<prop::sample::Index>(),
        any::<bool>(),
    );
    let one = one.prop_map(|(months, after, dates, branch, of, is_hit)| Plan {
        months,
        after,
        dates,
        branch,
        of,
        is_hit,
    });
    prop::collection::vec(one, 1..10)
}

const KINDS: [LinkKind; 4] = [
    LinkKind::FinishToStart,
    LinkKind::StartToStart,
    LinkKind::FinishToFinish,
    LinkKind::StartToFinish,
];

/// The months after the start of a date that some activities have.
fn date_of(dates: u8) -> f64 {
    f64::from(dates) * 2.0
}

fn date(months: f64) -> Option<Date> {
    Date::month(2025, 1).unwrap().plus_months(months)
}

/// The branches: always, never or surely by a probability, with or without what came before.
fn runs(plans: &[Plan]) -> Vec<bool> {
    let mut runs = Vec::new();
    for (position, plan) in plans.iter().enumerate() {
        let of = (position > 0).then(|| plan.of.index(position));
        runs.push(match (plan.branch, of) {
            (0, _) => false,
            (3, Some(of)) if is_chance(&plans[of]) => runs[of],
            (4, Some(of)) if is_chance(&plans[of]) => !runs[of],
            _ => true,
        });
    }
    runs
}

/// Whether it has a probability of its own, which here is 0 or 1.
fn is_chance(plan: &Plan) -> bool {
    plan.branch < 2
}

/// When each finishes: forward by the definition of each kind of dependency.
fn finishes(plans: &[Plan], factor: f64) -> Vec<f64> {
    let runs = runs(plans);
    let (mut starts, mut ends): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (position, plan) in plans.iter().enumerate() {
        let (mut start, mut end) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for (before, kind, lag) in plan.after.iter().filter(|_| position > 0) {
            let before = before.index(position);
            // What does not run has no lags.
            let lag = if runs[position] && runs[before] {
                *lag
            } else {
                0.0
            };
            match KINDS[usize::from(*kind)] {
                LinkKind::FinishToStart => start = start.max(ends[before] + lag),
                LinkKind::StartToStart => start = start.max(starts[before] + lag),
                LinkKind::FinishToFinish => end = end.max(ends[before] + lag),
                LinkKind::StartToFinish => end = end.max(starts[before] + lag),
            }
        }
        let months = match (runs[position], plan.is_hit) {
            (false, _) => 0.0,
            (true, true) => plan.months * factor + 0.5,
            (true, false) => plan.months,
        };
        match plan.dates {
            1..4 if runs[position] => start = start.max(date_of(plan.dates)),
            4..6 if runs[position] => end = end.max(date_of(plan.dates)),
            _ => {}
        }
        if start == f64::NEG_INFINITY {
            start = 0.0;
        }
        start = start.max(end - months);
        if plan.dates == 6 && runs[position] {
            start = date_of(plan.dates);
        }
        let finish = start + months;
        starts.push(start);
        ends.push(if plan.dates == 6 && runs[position] {
            finish
        } else {
            finish.max(end)
        });
    }
    ends
}

fn scenario(plans: &[Plan], factor: f64) -> Scenario {
    let named = |position: usize| format!("work {position}");
    let activity = |(position, plan): (usize, &Plan)| {
        let mut activity = Activity::new(named(position), plan.months).as_milestone();
        let after = plan.after.iter().filter(|_| position > 0);
        let after = after.map(|(before, kind, lag)| {
            let mut lagged = Lagged::new(named(before.index(position)));
            lagged.kind = KINDS[usize::from(*kind)];
            lagged.lag_months = (*lag).into();
            Dependency::Lagged(lagged)
        });
        activity.after = Some(after.collect());
        match plan.dates {
            1..4 => activity.not_before = date(date_of(plan.dates)),
            4..6 => activity.finish_not_before = date(date_of(plan.dates)),
            6 => activity.starts_on = date(date_of(plan.dates)),
            _ => {}
        }
        let of = (position > 0).then(|| plan.of.index(position));
        match (plan.branch, of) {
            (0, _) => activity.probability = Some(0.0),
            (1, _) => activity.probability = Some(1.0),
            (3, Some(of)) if is_chance(&plans[of]) => activity.runs_with = Some(named(of)),
            (4, Some(of)) if is_chance(&plans[of]) => activity.runs_without = Some(named(of)),
            _ => {}
        }
        activity
    };
    let mut building = Building::new("A");
    building.activities = Some(plans.iter().enumerate().map(activity).collect());
    building.halls = Some(vec![Hall::new("hall", 1, "rack")]);
    let mut campus = Campus::new("c");
    campus.buildings.push(building);
    let mut scenario = Scenario::new("recursion", Date::month(2025, 1).unwrap(), 240);
    scenario.rack_types.push(RackType::new("rack", 10.0));
    scenario.campuses.push(campus);
    let hit = plans.iter().enumerate().filter(|(_, plan)| plan.is_hit);
    let hit: Vec<String> = hit
        .map(|(position, _)| format!("A/{}", named(position)))
        .collect();
    if !hit.is_empty() {
        let mut risk = Risk::new("storm", 1.0, hit.iter().map(String::as_str));
        risk.factor = factor.into();
        risk.delay_months = 0.5.into();
        scenario.risks.push(risk);
    }
    scenario
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn plans_have_the_dates_of_a_plain_recursion(plans in plans(), factor in 1.0..2.0_f64) {
        let row = trials(&compiled(&scenario(&plans, factor)), 1).swap_remove(0);
        for (position, expected) in finishes(&plans, factor).into_iter().enumerate() {
            let name = format!("A/work {position}");
            let milestone = row.layout().milestone_index(&name).unwrap();
            let found = row.milestones()[milestone];
            prop_assert!((found - expected).abs() < 1e-9, "{name}: {found} {expected}\n{plans:?}");
        }
    }
}
