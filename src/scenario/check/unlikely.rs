//! What can be, but hardly is: each is a warning at its place.

use crate::problem::Severity;
use crate::schedule::Activity;
use crate::site::{Building, Campus, Hall};
use crate::{Date, Scenario, Uncertain};

fn scenario() -> Scenario {
    let mut scenario = Scenario::new("one", Date::month(2025, 1).unwrap(), 36);
    scenario
        .rack_types
        .push(crate::compute::RackType::new("standard", 2.5));
    let mut building = Building::new("A1");
    building.activities = Some(vec![Activity::new("permit", 3.0)]);
    building.halls = Some(vec![Hall::new("hall", 10, "standard")]);
    let mut campus = Campus::new("north");
    campus.buildings.push(building);
    scenario.campuses.push(campus);
    scenario
}

#[test]
fn what_is_unlikely_is_a_warning_with_its_place_and_compiles_all_the_same() {
    assert!(scenario().check().is_empty());
    type Change = fn(&mut Scenario);
    let cases: [(&str, &str, Change); 5] = [
        ("campuses[0].pue", "pue is 3", |s| {
            s.campuses[0].pue = Uncertain::Constant(3.0)
        }),
        ("campuses[0].availability", "0.5", |s| {
            s.campuses[0].availability = 0.5.into()
        }),
        (
            "campuses[0].buildings[0].activities[0].duration_months",
            "\"permit\" takes no time",
            |s| s.campuses[0].buildings[0].activities = Some(vec![Activity::new("permit", 0.0)]),
        ),
        ("campuses[0].buildings[0].starts", "after the end", |s| {
            s.campuses[0].buildings[0].starts = Date::month(2029, 1).ok();
        }),
        ("rack_types[0].power_kw", "2,500", |s| {
            s.rack_types[0].power_kw = 2_500.0.into()
        }),
    ];
    for (path, words, change) in cases {
        let mut scenario = scenario();
        change(&mut scenario);
        let problems = scenario.check();
        assert_eq!(problems.len(), 1, "{problems}");
        let problem = problems.iter().next().unwrap();
        assert_eq!(problem.severity, Severity::Warning);
        assert_eq!(problem.path.to_string(), path);
        assert!(problem.message.contains(words), "{problem}");
        assert!(scenario.compile().is_ok());
    }
}
