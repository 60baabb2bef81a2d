//! Projections for the tests of this room.

use crate::compute::RackType;
use crate::scenario::{Milestone, Target};
use crate::schedule::Activity;
use crate::site::Campus;
use crate::site::{Building, Hall};
use crate::{Batch, Date, Projection, Scenario, Uncertain};

/// One campus with as many buildings, started every other month from May 2024 on, over
/// `horizon` months.
pub(crate) fn scenario(buildings: usize, horizon: u32) -> Scenario {
    let mut scenario = Scenario::new("<a> & \"b\"", Date::month(2024, 5).unwrap(), horizon);
    scenario.rack_types.push(RackType::new("standard", 2.5));
    let mut campus = Campus::new("north");
    for number in 0..buildings {
        let mut hall = Hall::new("hall", 1_000, "standard");
        hall.power_kw = Some(2_400.0.into());
        let mut building = Building::new(format!("B{}", number + 1));
        building.starts = Some(
            Date::month(2024, 5)
                .unwrap()
                .plus_months(2.0 * number as f64)
                .unwrap(),
        );
        building.activities = Some(vec![
            Activity::new("permit", Uncertain::pert(2.0, 3.0, 6.0)),
            Activity::new("shell", Uncertain::pert(6.0, 8.0, 14.0)),
        ]);
        building.halls = Some(vec![hall]);
        campus.buildings.push(building);
    }
    scenario.campuses.push(campus);
    scenario
}

/// Two buildings over 20 months with a milestone and targets.
pub(super) fn projection() -> Projection {
    let mut scenario = scenario(2, 20);
    scenario.milestones.push(Milestone {
        name: "both shells".to_owned(),
        requires: vec!["B1/shell".to_owned(), "B2/shell".to_owned()],
    });
    scenario.targets.push(Target {
        name: "a thousand racks".to_owned(),
        metric: Some("racks_deployable".to_owned()),
        at_least: Some(1_000.0),
        milestone: None,
        campus: None,
        by: Date::month(2025, 4).unwrap(),
    });
    run(&scenario)
}

pub(super) fn run(scenario: &Scenario) -> Projection {
    Batch::new(&scenario.compile().unwrap())
        .trials(200)
        .seed(1)
        .run()
        .unwrap()
}
