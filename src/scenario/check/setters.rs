//! What a scenario's parts may say is set one after the other.

use crate::compute::RackType;
use crate::schedule::Activity;
use crate::site::{Building, Campus, Hall, Phase};
use crate::tenants::Segment;
use crate::{Date, Scenario, Uncertain};

#[test]
fn a_campus_is_written_in_one_expression() {
    let by_setters = Scenario::new("north", Date::month(2025, 1).unwrap(), 36)
        .rack_types([RackType::new("air", 10.0)])
        .campuses([Campus::new("North")
            .pue(1.25)
            .phases([Phase::new("phase 2").after(["A1"])])
            .buildings([Building::new("A1")
                .activities([Activity::new("shell", 8.0).milestone(true)])
                .halls([Hall::new("hall", 400, "air").power_kw(3_900.0)])])])
        .segments([Segment::new("all")
            .contract_power_kw(50.0)
            .churn_per_month(0.01)]);
    let mut hall = Hall::new("hall", 400, "air");
    hall.power_kw = Some(3_900.0.into());
    let mut activity = Activity::new("shell", 8.0);
    activity.milestone = true;
    let mut building = Building::new("A1");
    building.activities = Some(vec![activity]);
    building.halls = Some(vec![hall]);
    let mut phase = Phase::new("phase 2");
    phase.after.push("A1".into());
    let mut campus = Campus::new("North");
    campus.pue = Uncertain::Constant(1.25);
    campus.phases.push(phase);
    campus.buildings.push(building);
    let mut segment = Segment::new("all");
    segment.contract_power_kw = Some(Uncertain::Constant(50.0));
    segment.churn_per_month = Uncertain::Constant(0.01);
    let mut by_fields = Scenario::new("north", Date::month(2025, 1).unwrap(), 36);
    by_fields.rack_types.push(RackType::new("air", 10.0));
    by_fields.campuses.push(campus);
    by_fields.segments.push(segment);
    assert_eq!(by_setters, by_fields);
    assert!(by_setters.compile().is_ok());
}
