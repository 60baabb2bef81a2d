//! What becomes of an imported schedule: a scenario, whole or as one building.

use std::collections::BTreeSet;

use super::{Imported, Review};
use crate::compute::RackType;
use crate::date::Date;
use crate::scenario::{Milestone, Scenario, Target};
use crate::schedule::Dependency;
use crate::site::{Building, Campus, Hall};

/// The name of the milestone at which all of an imported schedule has finished.
pub const ALL_FINISHED: &str = "all activities finished";

/// The campus of an imported schedule whose activities stand in a building.
const CAMPUS: &str = "campus";

/// A horizon has this share of the planned time to spare, for what comes later than planned: an
/// assumption.
const SPARE_SHARE: f64 = 1.0;

impl Review {
    /// A horizon by which even a schedule that takes twice as long as planned is over: whole years, in months.
    pub fn horizon_months(&self) -> u32 {
        let years = ((1.0 + SPARE_SHARE) * self.finish_months / 12.0).ceil();
        12 * (years.clamp(1.0, 50.0) as u32)
    }
}

impl Imported {
    /// The schedule as a scenario: one campus of the project's name with these activities, a
    /// milestone when all have finished ([`ALL_FINISHED`]), and a target for each deadline within
    /// the horizon: to be met by the end of its month.
    pub fn to_scenario(&self, horizon_months: u32) -> Scenario {
        let name = self.name.replace('/', "-");
        let mut campus = Campus::new(name.clone());
        campus.activities = self.activities_with_deadlines();
        let mut scenario = self.frame(name, horizon_months);
        scenario.status.clone_from(&self.status);
        scenario.campuses.push(campus);
        self.ask(&mut scenario, "");
        scenario
    }

    /// The schedule as a scenario of one building, which a hall of these racks is handed over with
    /// when all activities have finished; what else the building has (substation, power, tenants)
    /// is added there.
    pub fn to_building_scenario(
        &self,
        building: &str,
        hall: Hall,
        rack_type: RackType,
        horizon_months: u32,
    ) -> Scenario {
        let mut scenario = self.frame(self.name.replace('/', "-"), horizon_months);
        scenario.rack_types.push(rack_type);
        let mut built = Building::new(building);
        built.activities = Some(self.activities_with_deadlines());
        built.halls = Some(vec![hall]);
        let mut campus = Campus::new(CAMPUS);
        campus.buildings.push(built);
        scenario.campuses.push(campus);
        scenario.status.clone_from(&self.status);
        for status in scenario.status.iter_mut().flat_map(|s| &mut s.activities) {
            status.activity = format!("{building}/{}", status.activity);
        }
        self.ask(&mut scenario, &format!("{building}/"));
        scenario
    }

    fn frame(&self, name: String, horizon_months: u32) -> Scenario {
        let mut scenario = Scenario::new(name, self.start, horizon_months);
        scenario.calendars.clone_from(&self.calendars);
        scenario.crews.clone_from(&self.crews);
        scenario.risks.clone_from(&self.risks);
        scenario
    }

    /// What has a deadline is a milestone.
    fn activities_with_deadlines(&self) -> Vec<crate::schedule::Activity> {
        let mut activities = self.activities.clone();
        for activity in &mut activities {
            activity.milestone |= self
                .deadlines
                .iter()
                .any(|(name, _)| *name == activity.name);
        }
        activities
    }

    fn ask(&self, scenario: &mut Scenario, prefix: &str) {
        let requires = match prefix.strip_suffix('/') {
            Some(building) => vec![building.to_owned()],
            None => self.ends(),
        };
        if !requires.is_empty() {
            scenario.milestones.push(Milestone {
                name: ALL_FINISHED.to_owned(),
                requires,
            });
        }
        for (activity, by) in &self.deadlines {
            let month = by.months_after(self.start).floor();
            if !(0.0..f64::from(scenario.horizon_months)).contains(&month) {
                continue;
            }
            let milestone = format!("{prefix}{activity}");
            let name = format!("{activity} by {}", Date::to_month_string(*by));
            if scenario.targets.iter().all(|target| target.name != name) {
                (scenario.targets).push(Target::happened(name, milestone, *by));
            }
        }
    }

    /// The activities of which one finishes last: those whose finish no other one waits for.
    fn ends(&self) -> Vec<String> {
        let outlasted: BTreeSet<&str> = (self.activities.iter())
            .flat_map(|activity| activity.after.iter().flatten())
            .filter(|dependency| {
                let lag = dependency.lag_months().constant();
                !dependency.kind().is_from_start() && lag.is_some_and(|lag| lag >= 0.0)
            })
            .map(Dependency::activity)
            .collect();
        let names = self.activities.iter().map(|activity| &activity.name);
        names
            .filter(|name| !outlasted.contains(name.as_str()))
            .cloned()
            .collect()
    }
}
