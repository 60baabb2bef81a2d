//! What a scenario's parts may say, set one after the other: `Campus::new("north").pue(1.25).buildings([building])`.
//!
//! Each of these has the name of the field that it sets. What is a list is added to.

use crate::compute::{CatalogueUse, Generation, GenerationTrend, RackType};
use crate::date::Date;
use crate::finance::Finance;
use crate::scenario::{Limits, Milestone, Scenario, Target};
use crate::schedule::calendars::Calendar;
use crate::schedule::crews::{Crew, CrewNeed};
use crate::schedule::risks::Risk;
use crate::schedule::{Activity, Dependency, Slots, Status};
use crate::site::{BuildingTemplate, Campus, PlanClass};
use crate::tenants::{NamedTenant, Regime, Segment, Voucher};
use crate::uncertain::correlation::Correlations;

macro_rules! setters {
    ($type:ident $($field:ident: $kind:ident $of:ty;)*) => {
        impl $type {
            $(setters!(@ $kind $field $of);)*
        }
    };
    (@ set $field:ident $of:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, value: impl Into<$of>) -> Self {
            self.$field = value.into();
            self
        }
    };
    (@ some $field:ident $of:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, value: impl Into<$of>) -> Self {
            self.$field = Some(value.into());
            self
        }
    };
    (@ list $field:ident $of:ty) => {
        #[doc = concat!("Adds to [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, values: impl IntoIterator<Item = impl Into<$of>>) -> Self {
            self.$field.extend(values.into_iter().map(Into::into));
            self
        }
    };
    (@ some_list $field:ident $of:ty) => {
        #[doc = concat!("Adds to [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, values: impl IntoIterator<Item = impl Into<$of>>) -> Self {
            let list = self.$field.get_or_insert_default();
            list.extend(values.into_iter().map(Into::into));
            self
        }
    };
}

setters! { Scenario
    description: set String;
    fixed_plan: set bool;
    precision: set String;
    standard_rack_power_kw: set f64;
    rack_types: list RackType;
    generations: list Generation;
    hardware_catalogue: some CatalogueUse;
    generation_trend: some GenerationTrend;
    building_templates: list BuildingTemplate;
    plan_classes: list PlanClass;
    calendars: list Calendar;
    crews: list Crew;
    risks: list Risk;
    correlations: some Correlations;
    status: some Status;
    campuses: list Campus;
    segments: list Segment;
    tenants: list NamedTenant;
    regimes: list Regime;
    vouchers: list Voucher;
    finance: some Finance;
    milestones: list Milestone;
    targets: list Target;
    limits: set Limits;
}

setters! { Activity
    after: some_list Dependency;
    milestone: set bool;
    not_before: some Date;
    calendar: some String;
    crews: list CrewNeed;
    probability: some f64;
    runs_with: some String;
    runs_without: some String;
    slots: some Slots;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Building, Hall, Phase};
    use crate::uncertain::Uncertain;

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
}
