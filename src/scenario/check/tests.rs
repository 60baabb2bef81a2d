use crate::compute::{Generation, RackType};
use crate::scenario::{Milestone, Target};
use crate::schedule::Activity;
use crate::site::Campus;
use crate::site::Phase;
use crate::site::{Building, Hall, Retrofit};
use crate::tenants::{Allocation, Segment};
use crate::{Batch, Date, Scenario, Uncertain};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn scenario() -> Scenario {
    let mut building = Building::new("A1");
    building.activities = Some(vec![Activity::new("shell", 6.0)]);
    building.halls = Some(vec![Hall::new("hall", 100, "air")]);
    let mut campus = Campus::new("north");
    campus.buildings.push(building);
    let mut scenario = Scenario::new("test", date("2025-01"), 24);
    scenario.rack_types.push(RackType::new("air", 10.0));
    scenario.campuses.push(campus);
    let mut segment = Segment::new("AI");
    segment.contract_power_kw = Some(100.0.into());
    scenario.segments.push(segment);
    scenario
}

/// The place and the message of each problem.
fn reported(scenario: &Scenario) -> Vec<String> {
    let problems = scenario.check();
    problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.message))
        .collect()
}

fn building(scenario: &mut Scenario) -> &mut Building {
    &mut scenario.campuses[0].buildings[0]
}

#[test]
fn a_retrofit_to_racks_that_are_not_known_is_reported_whoever_brings_the_hardware() {
    let mut scenario = scenario();
    let hall = &mut building(&mut scenario).halls.as_mut().unwrap()[0];
    hall.hardware_life_months = Some(12.0.into());
    hall.retrofit = Some(Retrofit {
        rack_type: "liquid".to_owned(),
        racks: None,
        power_kw: None,
        cooling_power_kw: None,
        downtime_months: 1.0.into(),
        capex_per_kw: 0.0.into(),
        embodied_carbon_t: 0.0,
    });
    assert_eq!(
        reported(&scenario),
        ["campuses[0].buildings[0].halls[0].retrofit.rack_type: there is no rack type \"liquid\""]
    );
}

#[test]
fn milestones_and_targets_have_names() {
    let mut scenario = scenario();
    scenario.milestones.push(Milestone::new(" ", ["A1/shell"]));
    let target = Target::reached("", "it_power_mw", 1.0, date("2025-06"));
    scenario.targets.push(target);
    assert_eq!(
        reported(&scenario),
        [
            "milestones[0].name: the name is empty",
            "targets[0].name: the name is empty"
        ]
    );
}

#[test]
fn contracts_in_pflops_need_hardware_that_has_some() {
    let mut scenario = scenario();
    let segment = &mut scenario.segments[0];
    segment.contract_power_kw = None;
    segment.contract_pflops = Some(5.0.into());
    for (name, pflops) in [("storage", 0.0), ("GPU", 10.0)] {
        let generation = Generation::new(name, 10.0, "fp16_dense", pflops);
        scenario.generations.push(generation);
    }
    assert_eq!(
        reported(&scenario),
        [
            "segments[0].contract_pflops: a rack of \"storage\" has 0 PFLOPS, so that no power would be enough"
        ]
    );
    scenario.segments[0].contract_hardware = Some("GPU".to_owned());
    assert_eq!(reported(&scenario), [""; 0]);
}

#[test]
fn phases_that_wait_for_one_another_are_reported_where_they_are_written() {
    let mut scenario = scenario();
    for (name, after) in [("first", "second"), ("second", "first")] {
        let mut phase = Phase::new(name);
        phase.after = vec![after.into()];
        scenario.campuses[0].phases.push(phase);
    }
    assert_eq!(
        reported(&scenario),
        [
            "campuses[0].phases[0]: activities wait for one another in a circle: north/first -> north/second -> north/first"
        ]
    );
}

#[test]
fn contracts_beyond_all_measure_are_refused_or_cut() {
    let mut scenario = scenario();
    let segment = &mut scenario.segments[0];
    segment.outreach_per_month = 20.0.into();
    segment.sign_probability = 0.5.into();
    segment.contract_power_kw = Some(1e12.into());
    assert_eq!(
        reported(&scenario),
        ["segments[0].contract_power_kw: contract_power_kw is about 1,000,000,000,000 kW"]
    );
    // Half of these are beyond 100 MW, one in a hundred beyond 10^19 kW.
    scenario.segments[0].contract_power_kw = Some(Uncertain::pareto(100.0, 0.1));
    let model = scenario.compile().unwrap();
    let projection = Batch::new(&model).trials(20).seed(1).run().unwrap();
    let waiting = projection.metric("waiting_demand_mw").unwrap();
    assert!(waiting.min().iter().all(|mw| *mw >= 0.0));
    let contracts = projection.metric("contracts_signed").unwrap().max();
    let most = waiting.max();
    assert!(
        contracts
            .iter()
            .zip(&most)
            .all(|(contracts, mw)| *mw <= contracts * 1e4)
    );
    assert!(most[most.len() - 1] > 1e5);
}

#[test]
fn more_companies_than_can_be_simulated_are_refused() {
    let mut scenario = scenario();
    scenario.segments[0].sign_probability = 0.1.into();
    scenario.segments[0].outreach_per_month = 1e8.into();
    assert_eq!(
        reported(&scenario),
        [
            "segments[0].outreach_per_month: outreach_per_month is about 100,000,000 companies",
            "segments[0]: a trial may come to 2,400,000,000 companies contacted and 240,000,000 contracts in 24 months, \
             more than the 64,000,000 and 4,000,000 that are admitted"
        ]
    );
    scenario.segments[0].allocation = Allocation::Cohort;
    assert_eq!(reported(&scenario), [""; 0]);
}
