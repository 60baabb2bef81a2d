//! What may be wrong with a campus: what its parts say of themselves, and of what is around them.

use std::collections::BTreeMap;

use super::{Building, BuildingTemplate, Campus, Hall, Seen, check_building, plan_buildings};
use crate::compute::{NEWEST, PlannedGeneration, RackType};
use crate::date::Date;
use crate::problem::{Path, Problems, check_known, check_list, check_name};
use crate::schedule::{PlanClass, check_activities};
use crate::uncertain::Domain;

/// What campuses refer to.
pub(crate) struct Around<'a> {
    pub(crate) start: Date,
    pub(crate) campuses: Vec<&'a str>,
    pub(crate) templates: &'a [BuildingTemplate],
    pub(crate) plan_classes: &'a [PlanClass],
    pub(crate) rack_types: &'a [RackType],
    pub(crate) generations: &'a [PlannedGeneration],
    pub(crate) seen: Seen<'a>,
}

/// Notes what is wrong with the campuses of a scenario.
pub(crate) fn check_campuses(
    campuses: &[Campus],
    around: &Around<'_>,
    at: &Path,
    problems: &mut Problems,
) {
    if campuses.is_empty() {
        problems.error(
            at,
            "the scenario has no campus",
            "a scenario has one campus or more",
        );
    }
    check_list(
        "campus",
        campuses,
        |campus| &campus.name,
        at,
        problems,
        |campus, at, problems| campus.check(around, at, problems),
    );
}

impl Campus {
    /// Notes what is wrong with what a campus says, alone and of what is around it.
    fn check(&self, around: &Around<'_>, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        for (position, phase) in self.phases.iter().enumerate() {
            let at = at.key("phases").index(position);
            phase.check(around.campuses.iter().copied(), around.seen, &at, problems);
        }
        check_activities(&self.activities, &at.key("activities"), problems);
        for (position, step) in self.grid.iter().enumerate() {
            let at = at.key("grid").index(position);
            step.check(&at, problems);
            around.check_plan_class(step.plan_class.as_deref(), &at, problems);
        }
        self.check_power(at, problems);
        for (position, substation) in self.substations.iter().enumerate() {
            let at = at.key("substations").index(position);
            substation.check(&at, problems);
            around.check_plan_class(substation.plan_class.as_deref(), &at, problems);
        }
        let buildings_at = at.key("buildings");
        for (position, building) in self.buildings.iter().enumerate() {
            self.check_building(building, around, &buildings_at.index(position), problems);
        }
        self.check_names(around, at, problems);
        if let Some(existing) = &self.existing {
            let at = at.key("existing");
            existing.check_fields(&at, problems);
            check_known(
                "rack type",
                &existing.rack_type,
                around.rack_type_names(),
                &at.key("rack_type"),
                problems,
            );
        }
    }

    /// What a building refers to.
    fn check_building(
        &self,
        building: &Building,
        around: &Around<'_>,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_building(building, around.templates, at, problems);
        around.check_plan_class(building.plan_class.as_deref(), at, problems);
        if let Some(since) = building.expansion.as_ref().and_then(|plan| plan.since)
            && since.months_after(around.start) > 0.0
        {
            problems.error(
                &at.key("expansion").key("since"),
                format!("the last wave so far is after the start, {}", around.start),
                "a date no later than the start of the scenario",
            );
        }
        if let Some(wanted) = &building.substation {
            let known = self.substations.iter().map(|known| known.name.as_str());
            check_known("substation", wanted, known, &at.key("substation"), problems);
        }
        if let Some(halls) = &building.halls {
            around.check_halls(halls, &at.key("halls"), problems);
        }
    }

    /// Buildings, substations, grid steps and the like of a campus are referred to alike, so their names must differ.
    fn check_names(&self, around: &Around<'_>, at: &Path, problems: &mut Problems) {
        let mut seen = BTreeMap::new();
        let named = |list: &'static str, what: &'static str| {
            move |(position, name): (usize, &String)| {
                (name.clone(), at.key(list).index(position), what)
            }
        };
        let steps = self.grid.iter().map(|step| &step.name).enumerate();
        let bridges = self.bridge_power.iter().map(|bridge| &bridge.name);
        let applications = self.grid_applications.iter().map(|one| &one.name);
        let phases = self.phases.iter().map(|phase| &phase.name);
        let activities = self.activities.iter().map(|activity| &activity.name);
        let substations = self.substations.iter().map(|substation| &substation.name);
        let all = steps
            .map(named("grid", "grid step"))
            .chain((bridges.enumerate()).map(named("bridge_power", "bridge power")))
            .chain((applications.enumerate()).map(named("grid_applications", "grid application")))
            .chain(phases.enumerate().map(named("phases", "phase")))
            .chain(activities.enumerate().map(named("activities", "activity")))
            .chain((substations.enumerate()).map(named("substations", "substation")));
        let buildings = plan_buildings(&self.buildings, around.templates, &at.key("buildings"));
        let buildings = buildings.into_iter();
        let buildings = buildings.map(|building| (building.name, building.at, "building"));
        for (name, at, what) in all.chain(buildings) {
            if let Some(other) = seen.insert(name.clone(), what) {
                problems.error(
                    &at.key("name"),
                    format!("the {what} \"{name}\" has the name of a {other}"),
                    "buildings, substations, grid steps and the like of a campus need names of their own",
                );
            }
        }
    }

    /// Checks what a campus says of its applications, generation, cooling and energy.
    fn check_power(&self, at: &Path, problems: &mut Problems) {
        let applications = self
            .grid_applications
            .iter()
            .map(|known| known.name.as_str());
        for (position, step) in self.grid.iter().enumerate() {
            if let Some(wanted) = &step.application {
                let at = at.key("grid").index(position).key("application");
                check_known(
                    "grid application",
                    wanted,
                    applications.clone(),
                    &at,
                    problems,
                );
            }
        }
        for (position, application) in self.grid_applications.iter().enumerate() {
            application.check(&at.key("grid_applications").index(position), problems);
        }
        for (position, bridge) in self.bridge_power.iter().enumerate() {
            bridge.check(&at.key("bridge_power").index(position), problems);
        }
        self.check_bridges(&at.key("bridge_power"), problems);
        if let Some(curtailment) = &self.curtailment {
            curtailment.check_fields(&at.key("curtailment"), problems);
        }
        if let Some(efficiency) = &self.efficiency {
            efficiency.check(&at.key("efficiency"), problems);
            if self.pue.constant() != Some(1.0) {
                problems.error(
                    &at.key("pue"),
                    "both pue and efficiency are given",
                    "leave `pue` out: it follows from `efficiency`, the load and the temperature",
                );
            }
        }
        if let Some(energy) = &self.energy {
            energy.check(&at.key("energy"), problems);
        }
    }

    /// What bridge power of a campus says together.
    fn check_bridges(&self, at: &Path, problems: &mut Problems) {
        let bridges = self.bridge_power.iter().enumerate();
        let mut batteries = bridges
            .clone()
            .filter(|(_, bridge)| bridge.storage.is_some());
        if let Some((second, bridge)) = batteries.nth(1) {
            problems.error(
                &at.index(second),
                format!("\"{}\" is a second battery of the campus", bridge.name),
                "put batteries together as units of one",
            );
        }
        if self.energy.is_some() {
            return;
        }
        for (position, bridge) in bridges {
            if bridge.carbon_g_per_kwh > 0.0 || bridge.price_per_mwh.constant() != Some(0.0) {
                problems.warning(
                    &at.index(position),
                    format!(
                        "what \"{}\" costs and emits is not counted: the campus has no `energy`",
                        bridge.name
                    ),
                    "state `energy` of the campus, with the carbon of its grid",
                );
            }
        }
    }
}

impl Around<'_> {
    fn rack_type_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.rack_types.iter().map(|kind| kind.name.as_str())
    }

    /// Checks that the class of a plan is known.
    fn check_plan_class(&self, class: Option<&str>, at: &Path, problems: &mut Problems) {
        if let Some(wanted) = class {
            let known = self.plan_classes.iter().map(|class| class.name.as_str());
            check_known("plan class", wanted, known, &at.key("plan_class"), problems);
        }
    }

    /// Notes rack types and hardware of halls that there are not, or that do not go together.
    pub(super) fn check_halls(&self, halls: &[Hall], at: &Path, problems: &mut Problems) {
        for (position, hall) in halls.iter().enumerate() {
            let at = at.index(position);
            check_known(
                "rack type",
                &hall.rack_type,
                self.rack_type_names(),
                &at.key("rack_type"),
                problems,
            );
            let limit = self
                .rack_types
                .iter()
                .find(|kind| kind.name == hall.rack_type);
            if let (Some(wanted), Some(limit)) = (&hall.hardware, limit) {
                self.check_fit(wanted, limit, &at.key("hardware"), problems);
            }
            if let Some(retrofit) = &hall.retrofit {
                let at = at.key("retrofit").key("rack_type");
                let wanted_type = &retrofit.rack_type;
                check_known(
                    "rack type",
                    wanted_type,
                    self.rack_type_names(),
                    &at,
                    problems,
                );
                let mut types = self.rack_types.iter();
                let limit = types.find(|kind| &kind.name == wanted_type);
                if let (Some(wanted), Some(limit)) = (&hall.hardware, limit) {
                    self.check_fit(wanted, limit, &at, problems);
                }
            }
        }
    }

    /// Checks that hardware is known and that a rack type takes it.
    fn check_fit(&self, wanted: &str, limit: &RackType, at: &Path, problems: &mut Problems) {
        let generations = self.generations.iter().map(|planned| &planned.generation);
        if wanted == NEWEST {
            if !generations.clone().any(|generation| limit.fits(generation)) {
                problems.error(
                    at,
                    format!(
                        "no generation fits rack type \"{}\" of {} kW",
                        limit.name,
                        limit.power_kw.range(Domain::POSITIVE).1
                    ),
                    "a generation whose rack_power_kw is at most that, cooled as the rack type is",
                );
            }
            return;
        }
        let names = generations
            .clone()
            .map(|generation| generation.name.as_str());
        let known = names.chain([NEWEST]);
        check_known("hardware generation", wanted, known, at, problems);
        let Some(generation) = generations.clone().find(|known| known.name == wanted) else {
            return;
        };
        if !limit.cools(generation.cooling) {
            problems.error(
                at,
                format!(
                    "\"{wanted}\" needs other cooling than rack type \"{}\" has",
                    limit.name
                ),
                "a rack type of the same cooling",
            );
        } else if !limit.fits(generation) {
            problems.error(
                at,
                format!(
                    "a rack of \"{wanted}\" takes {} kW, but rack type \"{}\" is made for {} kW",
                    generation.rack_power_kw.range(Domain::POSITIVE).0,
                    limit.name,
                    limit.power_kw.range(Domain::POSITIVE).1
                ),
                "a rack type of enough power, or a generation that needs less",
            );
        }
    }
}
