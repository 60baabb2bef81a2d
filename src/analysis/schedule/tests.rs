use super::LastStepKind;
use crate::compute::Generation;
use crate::power::Substation;
use crate::schedule::{Activity, Dependency};
use crate::site::Campus;
use crate::site::{Building, Hall};
use crate::{Date, Scenario, Uncertain};

/// n activities at once, each uniform from 0 to 12 months, and one after all of them.
fn merge(paths: usize) -> Scenario {
    let mut activities: Vec<Activity> = (0..paths)
        .map(|path| {
            let mut activity = Activity::new(format!("path {path}"), Uncertain::uniform(0.0, 12.0));
            activity.after = Some(Vec::new());
            activity
        })
        .collect();
    let mut end = Activity::new("end", 1.0).as_milestone();
    let after = activities
        .iter()
        .map(|path| Dependency::Finish(path.name.clone()));
    end.after = Some(after.collect());
    activities.push(end);
    let mut building = Building::new("A1");
    building.activities = Some(activities);
    building.halls = Some(vec![Hall::new("hall", 1, "standard")]);
    let mut campus = Campus::new("north");
    campus.buildings.push(building);
    let mut scenario = Scenario::new("merge", Date::month(2025, 1).unwrap(), 36);
    let rack_type = crate::compute::RackType::new("standard", 1.0);
    scenario.rack_types.push(rack_type);
    scenario.campuses.push(campus);
    scenario
}

#[test]
fn each_of_several_paths_drives_equally_often_and_the_maximum_is_that_of_the_closed_form() {
    const TRIALS: u64 = 10_000;
    let model = merge(4).compile().unwrap();
    let report = model.schedule_report(9, TRIALS, Some("A1/end")).unwrap();
    for path in &report.activities[..4] {
        // Four standard errors of a share of 1/4: 4 x 0.00433.
        assert!((path.criticality_index - 0.25).abs() < 0.018, "{path:?}");
        // Of the rank correlation of one of four with their maximum; se below 0.01.
        assert!((0.3..0.6).contains(&path.cruciality.unwrap()));
    }
    let end = &report.activities[4];
    assert_eq!(end.criticality_index, 1.0);
    assert_eq!(end.cruciality, None, "its duration does not vary");
    // The maximum of four uniforms has the distribution function (x / 12)^4: its median is
    // 12 x 0.5^(1/4) = 10.09. Density there 0.198 a month: standard error 0.025 months.
    let median = end.start_months[1].unwrap();
    assert!((median - 12.0 * 0.5_f64.powf(0.25)).abs() < 0.1, "{median}");
    assert!(
        end.driven_by
            .iter()
            .all(|driver| (driver.share - 0.25).abs() < 0.018)
    );
    assert_eq!(end.driven_by.len(), 4);
    // Merge bias: each path is over by its median of 6 months in half of the trials, all four
    // in one of sixteen. Standard error 0.0024.
    assert_eq!(report.planned_finish_months, Some(7.0));
    assert!(
        (report.by_plan - 1.0 / 16.0).abs() < 0.01,
        "{}",
        report.by_plan
    );
    assert!((report.activities[0].by_plan - 0.5).abs() < 0.02);
    assert_eq!(report.paths.len(), 4);
    assert!((report.paths.iter().map(|path| path.share).sum::<f64>() - 1.0).abs() < 1e-9);
    for path in &report.paths {
        assert!((path.share - 0.25).abs() < 0.018);
        assert_eq!(path.activities[1], "north/A1/end");
    }
    let svg = report.gantt_svg();
    assert_eq!(svg.matches("class=\"on\"").count(), 5);
    let unknown = model.schedule_report(9, 10, Some("A1/ende"));
    let words = unknown.unwrap_err().to_string();
    assert!(words.ends_with("did you mean \"A1/end\"?"), "{words}");
}

#[cfg(feature = "files")]
#[test]
fn a_building_is_live_with_the_first_of_its_halls() {
    let scenario = Scenario::from_path("examples/first.toml").unwrap();
    let model = scenario.compile().unwrap();
    let report = model.schedule_report(1, 200, Some("A1 live")).unwrap();
    let index = |name: &str| {
        let activity = report.activities.iter().find(|one| one.name == name);
        activity.unwrap().criticality_index
    };
    // Either the works of the first hall come last or the transformer does; the second hall is later, or live with the first.
    let works = index("North/A1/hall 1/fit-out");
    assert!(works > 0.0 && works < 0.5, "{works}");
    assert_eq!(index("North/A1/shell"), works);
    assert_eq!(index("North/A1/hall 2/fit-out"), 0.0);
    // In a trial or two the transformer comes after the horizon.
    let sum = works + index("North/S1/transformer");
    assert!((0.98..=1.0).contains(&sum), "{sum}");
}

#[test]
fn a_single_chain_has_the_spread_of_its_sum() {
    let mut scenario = merge(1);
    let activities = scenario.campuses[0].buildings[0]
        .activities
        .as_mut()
        .unwrap();
    activities[1].duration_months = Uncertain::uniform(0.0, 5.0);
    let report = scenario
        .compile()
        .unwrap()
        .schedule_report(2, 10_000, None)
        .unwrap();
    // Of two independent parts with sd 12 and 5 (over the root of 12) the sum has sd 13.
    for (activity, share) in report.activities.iter().zip([12.0 / 13.0, 5.0 / 13.0]) {
        assert_eq!(activity.criticality_index, 1.0);
        let index = activity.schedule_sensitivity_index.unwrap();
        assert!((index - share).abs() < 0.02, "{index}");
    }
}

/// A building of one hall behind a substation, each with one activity.
fn behind_a_substation(shell: Uncertain, transformer: Uncertain) -> Scenario {
    let mut building = Building::new("A");
    building.substation = Some("S".to_owned());
    building.activities = Some(vec![Activity::new("shell", shell)]);
    building.halls = Some(vec![Hall::new("hall", 100, "standard")]);
    let works = vec![Activity::new("transformer", transformer)];
    let substation = Substation::new("S", 10.0, works);
    let mut campus = Campus::new("north");
    campus.substations.push(substation);
    campus.buildings.push(building);
    let mut scenario = Scenario::new("late grid", Date::month(2025, 1).unwrap(), 60);
    let rack_type = crate::compute::RackType::new("standard", 10.0);
    scenario.rack_types.push(rack_type);
    scenario.campuses.push(campus);
    scenario
}

#[test]
fn a_live_date_that_waits_for_a_substation_is_driven_by_it() {
    let scenario = behind_a_substation(Uncertain::pert(8.0, 10.0, 14.0), Uncertain::from(30.0));
    let model = scenario.compile().unwrap();
    let report = model.schedule_report(1, 200, Some("A live")).unwrap();
    assert_eq!(report.finish_months, [Some(30.0); 3]);
    assert_eq!(report.planned_finish_months, Some(30.0));
    assert_eq!(report.last_steps.len(), 1);
    assert_eq!(report.last_steps[0].kind, LastStepKind::Power);
    assert_eq!(report.last_steps[0].name, "north/S");
    let of = |name: &str| {
        report
            .activities
            .iter()
            .find(|one| one.name == name)
            .unwrap()
    };
    assert_eq!(of("north/S/transformer").criticality_index, 1.0);
    assert_eq!(of("north/S/transformer").plan.total_float_months, Some(0.0));
    let shell = of("north/A/shell");
    assert_eq!(shell.criticality_index, 0.0);
    // The shell may finish as late as the substation: 30 months less its own median.
    let float = shell.plan.total_float_months.unwrap();
    let finish = shell.plan.early_finish_months.unwrap();
    assert!(
        (float - (30.0 - finish)).abs() < 1e-9,
        "{float} after {finish}"
    );
    assert_eq!(report.paths[0].activities, ["north/S/transformer"]);
}

#[test]
fn works_and_power_drive_a_live_date_as_often_as_each_comes_last() {
    // Both uniform from 0 to 12 months: each comes last in half of the trials.
    let uniform = || Uncertain::uniform(0.0, 12.0);
    let model = behind_a_substation(uniform(), uniform()).compile().unwrap();
    let report = model.schedule_report(4, 4_000, Some("A live")).unwrap();
    let shares: Vec<f64> = report.last_steps.iter().map(|step| step.share).collect();
    assert_eq!(shares.len(), 2);
    // Four standard errors of a share of a half: 4 x 0.0079.
    assert!((shares[0] - 0.5).abs() < 0.032, "{shares:?}");
    // The median of the later of two: 12 / root of 2, with a standard error of 0.067 months.
    let median = report.finish_months[1].unwrap();
    assert!((median - 12.0 / 2.0_f64.sqrt()).abs() < 0.27, "{median}");
}

#[test]
fn equipment_that_comes_last_leads_back_to_its_order() {
    let mut scenario = behind_a_substation(Uncertain::from(10.0), Uncertain::from(4.0));
    let mut generation = Generation::new("new", 10.0, "fp16_dense", 100.0);
    generation.lead_time_months = Uncertain::from(20.0);
    scenario.generations.push(generation);
    let hall = &mut scenario.campuses[0].buildings[0].halls.as_mut().unwrap()[0];
    hall.hardware = Some("new".to_owned());
    // Replaced once before the horizon ends: the date of the replacement is no news of going live.
    hall.hardware_life_months = Some(20.0.into());
    let model = scenario.compile().unwrap();
    let report = model.schedule_report(1, 10, Some("A live")).unwrap();
    // Ordered when the first activity is over, after 10 months.
    assert_eq!(report.finish_months[1], Some(30.0));
    assert_eq!(report.last_steps[0].kind, LastStepKind::Equipment);
    let shell = &(report.activities.iter())
        .find(|one| one.name == "north/A/shell")
        .unwrap();
    assert_eq!(shell.criticality_index, 1.0);
    assert_eq!(shell.plan.total_float_months, Some(0.0));
}
