//! Construction as schedulers know it, in whole trials.

use crate::compute::RackType;
use crate::schedule::calendars::{Calendar, Season};
use crate::schedule::crews::{CapacityChange, Crew};
use crate::schedule::network::LinkKind;
use crate::schedule::risks::{Mitigation, Risk};
use crate::schedule::{Activity, ActivityStatus, Dependency, Lagged, Override, Slots, Status};
use crate::site::Campus;
use crate::site::{Building, BuildingTemplate, Hall};
use crate::site::{Condition, Phase};
use crate::{Batch, Date, Projection, Scenario, Uncertain};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn lagged(activity: &str, kind: LinkKind, lag_months: f64) -> Dependency {
    let mut lagged = Lagged::new(activity);
    lagged.kind = kind;
    lagged.lag_months = lag_months.into();
    Dependency::Lagged(lagged)
}

fn after(name: &str, months: impl Into<Uncertain>, after: &[&str]) -> Activity {
    let mut activity = Activity::new(name, months).as_milestone();
    activity.after = Some(after.iter().map(|name| Dependency::from(*name)).collect());
    activity
}

/// A scenario of one campus "north" with one building "A1" of these activities.
fn one_building(activities: Vec<Activity>) -> Scenario {
    let mut building = Building::new("A1");
    building.activities = Some(activities);
    building.halls = Some(vec![Hall::new("hall", 100, "standard")]);
    let mut campus = Campus::new("north");
    campus.buildings.push(building);
    let mut scenario = Scenario::new("test", date("2025-01"), 60);
    scenario.rack_types.push(RackType::new("standard", 10.0));
    scenario.campuses.push(campus);
    scenario
}

fn run(scenario: &Scenario, trials: u64) -> Projection {
    let model = scenario.compile().unwrap_or_else(|error| panic!("{error}"));
    Batch::new(&model).trials(trials).seed(11).run().unwrap()
}

fn when(projection: &Projection, milestone: &str) -> f64 {
    let distribution = projection.milestone(milestone).unwrap();
    distribution.quantile(0.5).unwrap_or(f64::INFINITY)
}

fn mean(projection: &Projection, milestone: &str) -> f64 {
    projection.milestone(milestone).unwrap().mean().unwrap()
}

fn assert_near(value: f64, expected: f64) {
    // Quantiles of milestones are within 0.05 %.
    assert!(
        (value - expected).abs() <= 0.001 * expected.abs().max(0.1),
        "{value}, not {expected}"
    );
}

#[test]
fn dependencies_of_all_kinds_and_dates() {
    let mut permit = Activity::new("permit", 3.0).as_milestone();
    permit.not_before = Some(date("2025-03"));
    let mut shell = after("shell", 6.0, &[]);
    shell.after = Some(vec![lagged("permit", LinkKind::StartToStart, 2.0)]);
    let mut fit_out = after("fit-out", 4.0, &[]);
    fit_out.after = Some(vec![lagged("shell", LinkKind::FinishToFinish, 1.5)]);
    let mut handover = after("handover", 0.0, &["fit-out"]);
    handover.after = Some(vec![lagged("permit", LinkKind::StartToFinish, 20.0)]);
    let projection = run(&one_building(vec![permit, shell, fit_out, handover]), 2);
    assert_near(when(&projection, "A1/permit"), 5.0);
    assert_near(when(&projection, "A1/shell"), 10.0);
    assert_near(when(&projection, "A1/fit-out"), 11.5);
    assert_near(when(&projection, "A1/handover"), 22.0);
}

#[test]
fn an_outdoor_calendar_moves_what_falls_into_winter() {
    let mut scenario = one_building(vec![
        Activity::new("permit", 10.0).as_milestone(),
        Activity::new("shell", 2.0).as_milestone(),
    ]);
    let mut outdoor = Calendar::new("outdoor");
    outdoor.seasons.push(Season::new("11-01", "02-28"));
    scenario.calendars.push(outdoor);
    let activities = scenario.campuses[0].buildings[0]
        .activities
        .as_mut()
        .unwrap();
    activities[1].calendar = Some("outdoor".into());
    // Two months of 30.4375 days from 1 March 2026: until the end of April, 61 days, but for 1/8.
    let projection = run(&scenario, 2);
    assert_near(when(&projection, "A1/permit"), 10.0);
    assert_near(when(&projection, "A1/shell"), 16.0 - 0.125 / 30.0);
    // The whole campus by it, but for the permit.
    let activities = scenario.campuses[0].buildings[0]
        .activities
        .as_mut()
        .unwrap();
    activities[0].calendar = Some("continuous".into());
    activities[1].calendar = None;
    scenario.campuses[0].calendar = Some("outdoor".into());
    assert_eq!(
        when(&run(&scenario, 2), "A1/shell"),
        when(&projection, "A1/shell")
    );
}

#[test]
fn buildings_wait_for_the_fit_out_crew_that_they_share() {
    let mut scenario = one_building(vec![]);
    let mut fit_out = Activity::new("fit-out", 4.0);
    fit_out.crews = vec!["fit-out".into()];
    let mut standard = template("standard");
    standard.activities = vec![Activity::new("shell", 6.0), fit_out.as_milestone()];
    scenario.building_templates.push(standard);
    scenario.campuses[0].buildings.clear();
    for name in ["A1", "A2", "A3"] {
        let mut building = Building::new(name);
        building.template = Some("standard".into());
        scenario.campuses[0].buildings.push(building);
    }
    let mut late = Override::new("shell");
    late.duration_months = Some(8.0.into());
    scenario.campuses[0].buildings[2].overrides.push(late);
    scenario.crews.push(Crew::new("fit-out", 1));
    let dates = |scenario: &Scenario| {
        let projection = run(scenario, 2);
        ["A1/fit-out", "A2/fit-out", "A3/fit-out"].map(|name| when(&projection, name).round())
    };
    // All are due at the same time, so they follow one another in the order of the scenario.
    assert_eq!(dates(&scenario), [10.0, 14.0, 18.0]);
    let change = CapacityChange::new(date("2025-09"), 3);
    scenario.crews[0].changes.push(change);
    assert_eq!(dates(&scenario), [10.0, 12.0, 12.0]);
    scenario.crews[0].changes[0].from = date("2025-07");
    assert_eq!(dates(&scenario), [10.0, 10.0, 12.0]);
}

fn template(name: &str) -> BuildingTemplate {
    serde_json::from_value(serde_json::json!({
        "name": name, "activities": [],
        "halls": [{"name": "hall", "racks": 100, "rack_type": "standard"}],
    }))
    .unwrap()
}

#[test]
fn one_risk_makes_all_that_it_hits_late_together_and_mitigation_is_paired() {
    let mut scenario = one_building(vec![after("a", 4.0, &[]), after("b", 5.0, &[])]);
    let mut risk = Risk::new("strike", 0.3, ["*/a", "A1/b"]);
    risk.factor = 2.0.into();
    risk.delay_months = 1.0.into();
    risk.mitigation = Some(Mitigation::new(10.0).probability(0.1));
    scenario.risks.push(risk);
    let before = run(&scenario, 4_000);
    // a: 4 or 9, b: 5 or 11, always both: the later one is 5 or 11. Standard error of a share of
    // 0.3 in 4,000 trials: 0.0072; times 5 and 6 months, within four of them.
    assert!((mean(&before, "A1/a") - (4.0 + 0.3 * 5.0)).abs() < 0.15);
    assert!((mean(&before, "A1/b") - (5.0 + 0.3 * 6.0)).abs() < 0.18);
    assert!((mean(&before, "A1 live") - (5.0 + 0.3 * 6.0)).abs() < 0.18);
    let mitigated = scenario.with_mitigation(true);
    let after = run(&mitigated, 4_000);
    assert!((mean(&after, "A1/b") - (5.0 + 0.1 * 6.0)).abs() < 0.12);
    assert_eq!(mitigated.with_mitigation(false), scenario);
    // Paired: trial by trial the mitigation never makes anything later.
    let (with, without) = (mitigated.compile().unwrap(), scenario.compile().unwrap());
    let (mut row, mut other) = (
        crate::projection::TrialRow::new(with.layout().clone()),
        crate::projection::TrialRow::new(with.layout().clone()),
    );
    let mut workspace = crate::Workspace::default();
    for trial in 0..500 {
        with.simulate(1, trial, &mut workspace, &mut row);
        without.simulate(1, trial, &mut workspace, &mut other);
        for (with, without) in row.milestones().iter().zip(other.milestones()) {
            assert!(with <= without);
        }
    }
}

#[test]
fn a_refused_permit_runs_the_rework_and_else_the_other_branch() {
    let mut rework = after("rework", 3.0, &["permit"]);
    rework.probability = Some(0.25);
    let mut again = after("second permit", 2.0, &["rework"]);
    again.runs_with = Some("rework".into());
    let mut early = after("early works", 1.0, &["permit"]);
    early.runs_without = Some("rework".into());
    let shell = after("shell", 6.0, &["second permit", "early works"]);
    let scenario = one_building(vec![after("permit", 2.0, &[]), rework, again, early, shell]);
    let projection = run(&scenario, 4_000);
    let shell = projection.milestone("A1/shell").unwrap();
    // 2 + 1 + 6 = 9 or 2 + 3 + 2 + 6 = 13.
    assert_near(shell.quantile(0.5).unwrap(), 9.0);
    assert_near(shell.quantile(0.9).unwrap(), 13.0);
    // Standard error: 4 months x 0.0068.
    assert!((shell.mean().unwrap() - 10.0).abs() < 0.11);
}

#[test]
fn ordering_at_risk_gets_an_earlier_slot_than_ordering_after_the_permit() {
    let scenario = |ordered_after: &[&str]| {
        let mut transformer = after("transformer", 12.0, ordered_after);
        let reserved = [date("2025-04"), date("2026-01")];
        transformer.slots = Some(Slots::new(10.0).reserved(reserved));
        one_building(vec![after("permit", 5.0, &[]), transformer])
    };
    // At once: the slot of April, delivered after twelve months. After the permit, in June: the
    // slot of January. With no slot left an order waits ten months.
    assert_near(when(&run(&scenario(&[]), 2), "A1/transformer"), 15.0);
    assert_near(
        when(&run(&scenario(&["permit"]), 2), "A1/transformer"),
        24.0,
    );
    let mut late = scenario(&["permit"]);
    let activities = late.campuses[0].buildings[0].activities.as_mut().unwrap();
    activities[0].duration_months = 14.0.into();
    assert_near(when(&run(&late, 2), "A1/transformer"), 36.0);
}

#[test]
fn equipment_with_a_slot_is_not_delivered_before_what_its_delivery_waits_for() {
    let mut transformer = Activity::new("transformer", 2.0).as_milestone();
    transformer.slots = Some(Slots::new(10.0).reserved([date("2025-02")]));
    transformer.after = Some(vec![lagged("store", LinkKind::FinishToFinish, 1.0)]);
    let scenario = one_building(vec![after("store", 8.0, &[]), transformer]);
    assert_near(when(&run(&scenario, 2), "A1/transformer"), 9.0);
}

#[test]
fn a_hall_that_is_called_like_an_activity_is_not_meant_by_its_name() {
    let mut scenario = one_building(vec![
        after("shell", 6.0, &[]),
        after("permit", 9.0, &[]),
        after("roof", 1.0, &["shell"]),
    ]);
    scenario.campuses[0].buildings[0].halls = Some(vec![Hall::new("shell", 10, "standard")]);
    let projection = run(&scenario, 2);
    assert_near(when(&projection, "A1/roof"), 7.0);
    assert_near(when(&projection, "A1 live"), 9.0);
}

#[test]
fn the_status_fixes_what_has_happened_and_projects_the_rest() {
    let mut scenario = one_building(vec![
        Activity::new("permit", 3.0).as_milestone(),
        Activity::new("shell", 6.0).as_milestone(),
        Activity::new("fit-out", 4.0).as_milestone(),
    ]);
    let mut permit = ActivityStatus::new("A1/permit", date("2025-01"));
    permit.finished = Some(date("2025-06").into());
    let mut shell = ActivityStatus::new("A1/shell", date("2025-05"));
    shell.remaining_months = Some(3.0.into());
    scenario.status = Some(Status::new(date("2025-10")).activities([permit, shell]));
    let projection = run(&scenario, 2);
    // At the end of the first day of June.
    assert_near(when(&projection, "A1/permit"), 5.0 + 1.0 / 30.0);
    assert_near(when(&projection, "A1/shell"), 12.0);
    assert_near(when(&projection, "A1/fit-out"), 16.0);
    // Without a word on what remains: 4 + 6 = 10, no sooner than the date of the status.
    let status = scenario.status.as_mut().unwrap();
    status.activities[1].remaining_months = None;
    assert_near(when(&run(&scenario, 2), "A1/shell"), 10.0);
    // Nothing known of it: it starts at the date of the status.
    scenario.status.as_mut().unwrap().activities.pop();
    assert_near(when(&run(&scenario, 2), "A1/shell"), 15.0);
}

/// The finish of an activity in each of this many trials, in months.
fn finishes(scenario: &Scenario, milestone: &str, trials: u64) -> Vec<f64> {
    let model = scenario.compile().unwrap_or_else(|error| panic!("{error}"));
    let mut row = crate::projection::TrialRow::new(model.layout().clone());
    let mut workspace = crate::Workspace::default();
    let position = model.layout().milestone_index(milestone).unwrap();
    (0..trials)
        .map(|trial| {
            model.simulate(3, trial, &mut workspace, &mut row);
            row.milestones()[position]
        })
        .collect()
}

#[test]
fn what_has_begun_lasts_at_least_as_long_as_it_has() {
    // Begun at 0 and not over at 6 of a duration uniform from 2 to 10: it is over uniformly from 6
    // to 10, at the same uniform number as before.
    let shell = Activity::new("shell", Uncertain::uniform(2.0, 10.0)).as_milestone();
    let mut scenario = one_building(vec![shell]);
    let before = finishes(&scenario, "A1/shell", 2_000);
    let begun = ActivityStatus::new("A1/shell", date("2025-01"));
    scenario.status = Some(Status::new(date("2025-07")).activities([begun]));
    let after = finishes(&scenario, "A1/shell", 2_000);
    for (before, after) in before.iter().zip(&after) {
        let uniform = (before - 2.0) / 8.0;
        assert!(
            (after - (6.0 + 4.0 * uniform)).abs() < 1e-6,
            "{before} {after}"
        );
    }
    // A strike that happens makes it half as long again: 3 to 15 months, of which more than 6. The
    // two are drawn apart, so both parts are uniform.
    let mut strike = Risk::new("strike", 0.4, ["*/shell"]);
    strike.factor = 1.5.into();
    scenario.risks.push(strike);
    let struck = finishes(&scenario, "A1/shell", 2_000);
    let mut hit = 0;
    for (with, without) in struck.iter().zip(&after) {
        let uniform = (without - 6.0) / 4.0;
        if (with - without).abs() > 1e-6 {
            hit += 1;
            assert!(
                (with - (6.0 + 9.0 * uniform)).abs() < 1e-6,
                "{with} {without}"
            );
        }
    }
    // Standard error of a share of 0.4 in 2,000: 0.011.
    assert!((f64::from(hit) / 2_000.0 - 0.4).abs() < 0.045, "{hit}");
    // Discrete durations: 4 is over, 8 and 12 are left, as likely as before.
    scenario.risks.clear();
    let activities = scenario.campuses[0].buildings[0]
        .activities
        .as_mut()
        .unwrap();
    activities[0].duration_months = Uncertain::discrete([(4.0, 0.5), (8.0, 0.3), (12.0, 0.2)]);
    let left = finishes(&scenario, "A1/shell", 2_000);
    assert!(left.iter().all(|date| *date == 8.0 || *date == 12.0));
    let later = left.iter().filter(|date| **date == 12.0).count() as f64 / 2_000.0;
    assert!((later - 0.4).abs() < 0.045, "{later}");
    // Longer than can be: a word of warning, and the date of the status.
    let activities = scenario.campuses[0].buildings[0]
        .activities
        .as_mut()
        .unwrap();
    activities[0].duration_months = Uncertain::uniform(2.0, 5.0);
    let warnings = scenario.check().to_string();
    assert!(
        warnings.contains("more than its duration can be"),
        "{warnings}"
    );
    assert!(
        finishes(&scenario, "A1/shell", 10)
            .iter()
            .all(|date| *date == 6.0)
    );
}

#[test]
fn what_a_mitigation_costs_is_capex_of_its_campus() {
    use crate::finance::Finance;
    let mut scenario = one_building(vec![Activity::new("shell", 6.0)]);
    let mut south = Campus::new("south");
    south.activities = vec![Activity::new("road", 3.0)];
    scenario.campuses.push(south);
    scenario.finance = Some(Finance::new(0.0));
    let mut flood = Risk::new("flood", 0.5, ["south/road"]);
    flood.delay_months = 2.0.into();
    flood.mitigation = Some(Mitigation::new(1_234.56).probability(0.1));
    scenario.risks.push(flood);
    let paid = |scenario: &Scenario, metric: &str, place: Option<&str>| {
        let projection = run(scenario, 20);
        let metric = match place {
            Some(place) => projection.campus(place).unwrap().metric(metric).unwrap(),
            None => projection.metric(metric).unwrap(),
        };
        metric.quantile(0.5).iter().sum::<f64>()
    };
    assert_eq!(paid(&scenario, "capex", None), 0.0);
    let mitigated = scenario.with_mitigation(true);
    let near = |value: f64, expected: f64| (value - expected).abs() <= 0.001 * expected;
    assert!(near(paid(&mitigated, "capex", None), 1_234.56));
    assert!(near(paid(&mitigated, "capex", Some("south")), 1_234.56));
    assert_eq!(paid(&mitigated, "capex", Some("north")), 0.0);
    assert!(near(-paid(&mitigated, "cash_flow", None), 1_234.56));
}

#[test]
fn a_phase_may_wait_for_any_metric_that_is_reported_by_then() {
    use crate::finance::Finance;
    use crate::tenants::{Segment, Stage};
    let mut phase = Phase::new("phase 2");
    phase.when = vec![Condition::new("companies at stage letter of intent").at_least(5.0)];
    let mut scenario = two_phases(phase);
    let mut segment = Segment::new("enterprise");
    segment.outreach_per_month = 10.0.into();
    segment.sign_probability = 0.5.into();
    segment.sign_lag_months = 6.0.into();
    segment.contract_power_kw = Some(10.0.into());
    segment.stages = vec![Stage::new("letter of intent", 1.0, 1.0)];
    scenario.segments.push(segment);
    let dates = finishes(&scenario, "A2/shell", 50);
    // Decided at the end of a month, and never: within the horizon always.
    assert!(
        dates.iter().all(|date| date.fract() == 0.0 && *date < 20.0),
        "{dates:?}"
    );
    scenario.finance = Some(Finance::new(0.1));
    scenario.campuses[0].phases[0].when[0].metric = "capex".into();
    let problems = scenario.check().to_string();
    assert!(problems.contains("too late for a phase"), "{problems}");
}

/// A second building that waits for a phase.
fn two_phases(phase: Phase) -> Scenario {
    let mut scenario = one_building(vec![Activity::new("shell", 6.0).as_milestone()]);
    let mut second = Building::new("A2");
    second.activities = Some(vec![Activity::new("shell", 6.0).as_milestone()]);
    second.halls = Some(vec![Hall::new("hall", 100, "standard")]);
    second.after = vec!["phase 2".into()];
    scenario.campuses[0].buildings.push(second);
    scenario.campuses[0].phases.push(phase);
    scenario
}

#[test]
fn a_phase_starts_at_a_date_after_a_milestone_or_when_metrics_say_so() {
    let mut phase = Phase::new("phase 2");
    phase.starts = Some(date("2026-01"));
    assert_near(when(&run(&two_phases(phase.clone()), 2), "A2/shell"), 18.0);
    phase.starts = None;
    phase.after = vec![lagged("A1/shell", LinkKind::FinishToStart, 2.5)];
    assert_near(when(&run(&two_phases(phase), 2), "A2/shell"), 14.5);

    // A1 is live at 6.0, which the report of month 5 (its end is 6.0) shows.
    let mut phase = Phase::new("phase 2");
    phase.when = vec![Condition::new("racks_deployable").at_least(100.0)];
    let projection = run(&two_phases(phase.clone()), 2);
    assert_near(when(&projection, "A2/shell"), 12.0);
    assert_near(when(&projection, "A2 live"), 12.0);
    let racks = projection.metric("racks_deployable").unwrap().quantile(0.5);
    assert_near(racks[10], 100.0);
    assert_near(racks[11], 200.0);
    phase.when[0].for_months = 4;
    assert_near(when(&run(&two_phases(phase.clone()), 2), "A2/shell"), 15.0);
    // Never, or at the latest in May 2025, at whose end 5 months are over.
    phase.when[0].at_least = Some(1e6);
    assert_eq!(
        when(&run(&two_phases(phase.clone()), 2), "A2/shell"),
        f64::INFINITY
    );
    phase.at_latest = Some(date("2025-05"));
    assert_near(when(&run(&two_phases(phase), 2), "A2/shell"), 11.0);
}

#[test]
fn a_policy_does_not_see_what_comes_later() {
    // Two scenarios that differ in what happens after the decision alone decide alike.
    let mut phase = Phase::new("phase 2");
    phase.when = vec![Condition::new("racks_deployable").at_least(100.0)];
    let mut scenario = two_phases(phase);
    let activities = scenario.campuses[0].buildings[0]
        .activities
        .as_mut()
        .unwrap();
    activities[0].duration_months = Uncertain::uniform(3.0, 9.0);
    let dates = |scenario: &Scenario| {
        let model = scenario.compile().unwrap();
        let mut row = crate::projection::TrialRow::new(model.layout().clone());
        let mut workspace = crate::Workspace::default();
        let position = model.layout().milestone_index("A2/shell").unwrap();
        (0..200)
            .map(|trial| {
                model.simulate(5, trial, &mut workspace, &mut row);
                row.milestones()[position]
            })
            .collect::<Vec<_>>()
    };
    let plain = dates(&scenario);
    let mut third = Building::new("A3");
    third.activities = Some(vec![Activity::new("shell", 20.0)]);
    third.halls = Some(vec![Hall::new("hall", 500, "standard")]);
    scenario.campuses[0].buildings.push(third);
    assert_eq!(dates(&scenario), plain);
    assert!(plain.iter().any(|date| *date != plain[0]));
    // A decision falls on the end of a month.
    assert!(plain.iter().all(|date| date.fract() == 0.0));
}

#[test]
fn all_that_is_wrong_is_reported_at_once_with_its_place() {
    let mut bad = Activity::new("permit", 3.0);
    bad.calendar = Some("outdor".into());
    bad.crews = vec!["nobody".into()];
    bad.probability = Some(1.5);
    bad.runs_with = Some("shell".into());
    let mut scenario = one_building(vec![bad, Activity::new("shell", 3.0)]);
    scenario.calendars.push(Calendar::new("outdoor"));
    scenario.risks.push(Risk::new("fire", 2.0, ["A1/shel"]));
    scenario.campuses[0].buildings[0]
        .overrides
        .push(Override::new("sell"));
    let mut phase = Phase::new("phase 2");
    phase.when = vec![Condition::new("take_upp").at_least(1.0)];
    scenario.campuses[0].phases.push(phase);
    let begun = ActivityStatus::new("A1/shell", date("2025-03"));
    scenario.status = Some(Status::new(date("2025-02")).activities([begun]));
    let problems = scenario.check().to_string();
    for place in [
        "campuses[0].buildings[0].activities[0].calendar",
        "campuses[0].buildings[0].activities[0].crews[0]",
        "campuses[0].buildings[0].activities[0].probability",
        "campuses[0].buildings[0].activities[0].runs_with",
        "campuses[0].buildings[0].overrides[0].activity",
        "campuses[0].phases[0].when[0].metric",
        "risks[0].probability",
        "risks[0].activities[0]",
        "status.activities[0].started",
        "did you mean \"outdoor\"?",
        "did you mean \"A1/shell\"?",
        "did you mean \"take_up\"?",
    ] {
        assert!(problems.contains(place), "{place} in\n{problems}");
    }
}

#[test]
fn correlated_durations_go_together_and_keep_their_distributions() {
    use crate::sampling::correlations::{CorrelatedGroup, CorrelatedPair, Correlations};
    let mut scenario = one_building(vec![
        after("a", Uncertain::normal(20.0, 3.0), &[]),
        after("b", Uncertain::normal(20.0, 4.0), &["a"]),
        after("c", Uncertain::normal(9.0, 1.0), &[]),
    ]);
    // So that no date lies beyond it.
    scenario.horizon_months = 120;
    let spread = |scenario: &Scenario, milestone: &str| {
        let model = scenario.compile().unwrap_or_else(|error| panic!("{error}"));
        let mut row = crate::projection::TrialRow::new(model.layout().clone());
        let mut workspace = crate::Workspace::default();
        let position = model.layout().milestone_index(milestone).unwrap();
        let values: Vec<f64> = (0..4_000)
            .map(|trial| {
                model.simulate(3, trial, &mut workspace, &mut row);
                row.milestones()[position]
            })
            .collect();
        let mean = values.iter().sum::<f64>() / 4_000.0;
        (values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / 3_999.0)
            .sqrt()
    };
    // Of independent parts the variance is 9 + 16; with a correlation of 1 the sd is 3 + 4.
    // The standard error of an sd is sd / sqrt(2 n): 0.08 at most.
    let found = spread(&scenario, "A1/b");
    assert!((found - 5.0).abs() < 0.25, "{found}");
    let together = CorrelatedGroup::new(["A1/a", "A1/b"], 1.0);
    scenario.correlations = Some(Correlations::new().groups([together]));
    assert!((spread(&scenario, "A1/b") - 7.0).abs() < 0.32);
    assert!((spread(&scenario, "A1/a") - 3.0).abs() < 0.15);
    // a with b and b with c together, a with c against one another: impossible.
    let correlations = scenario.correlations.as_mut().unwrap();
    let pair = |first: &str, second: &str, by| CorrelatedPair::new(first, second, by);
    correlations.pairs = vec![pair("A1/b", "A1/c", 0.9), pair("A1/a", "A1/c", -0.9)];
    let problems = scenario.check().to_string();
    assert!(problems.contains("cannot all hold together"), "{problems}");
    assert!(problems.contains("nearest = true"), "{problems}");
    scenario.correlations.as_mut().unwrap().nearest = true;
    assert!(scenario.compile().is_ok());
    scenario.correlations.as_mut().unwrap().pairs = vec![pair("A1/b", "A1/d", 2.0)];
    let problems = scenario.check().to_string();
    assert!(problems.contains("coefficient is 2"), "{problems}");
    assert!(
        problems.contains("there is no uncertain input \"A1/d\""),
        "{problems}"
    );
}

#[test]
fn a_target_may_ask_for_a_date_and_a_power_together() {
    use crate::scenario::Target;
    // The building is live by then in half of the trials; the 1 MW of its 100 racks comes with it.
    let mut scenario = one_building(vec![Activity::new("shell", Uncertain::uniform(4.0, 8.0))]);
    let target = |name: &str, at_least: Option<f64>, milestone: bool| {
        let mut target = Target::happened(name, "A1 live", date("2025-06"));
        target.milestone = target.milestone.filter(|_| milestone);
        target.metric = at_least.map(|_| "it_power_mw".into());
        target.at_least = at_least;
        target
    };
    scenario.targets = vec![
        target("date", None, true),
        target("both", Some(1.0), true),
        target("too much", Some(2.0), true),
    ];
    let projection = run(&scenario, 2_000);
    let share = |name: &str| projection.target(name).unwrap().probability().unwrap();
    assert!((share("date") - 0.5).abs() < 0.05);
    assert_eq!(share("both"), share("date"));
    assert_eq!(share("too much"), 0.0);
}
