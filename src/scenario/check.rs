//! What may be wrong with a scenario as a whole; each part checks what it says of itself.

use crate::compute::{CATALOGUE, Generation, NEWEST, RackType};
use crate::date::Date;
use crate::finance::metric_names;
use crate::policy::levers::{Known, check_levers};
use crate::problem::{
    Path, Problems, check_characters, check_known, check_name, check_positive, check_unique,
};
use crate::projection::metrics::METRICS;
use crate::schedule::calendars::check_calendars;
use crate::schedule::check_activities;
use crate::schedule::crews::check_crews;
use crate::schedule::risks::check_risks;
use crate::site::Seen;
use crate::site::{check_building, plan_buildings};
use crate::tenants::market::{CONTACTED, stage_metric, voucher_metric};

use super::{FORMAT, LONGEST_HORIZON_MONTHS, Scenario};
use crate::site::Campus;
use crate::uncertain::Domain;

impl Scenario {
    pub(crate) fn check_parts(&self, problems: &mut Problems) {
        let root = Path::root();
        if self.format != FORMAT {
            problems.error(
                &root.key("format"),
                format!("the scenario is of format {}", self.format),
                format!("this version of buildout reads format {FORMAT}"),
            );
        }
        check_label(&self.name, &root.key("name"), problems);
        if !(1..=LONGEST_HORIZON_MONTHS).contains(&self.horizon_months) {
            problems.error(
                &root.key("horizon_months"),
                format!("horizon_months is {}", self.horizon_months),
                format!("1 to {LONGEST_HORIZON_MONTHS} months"),
            );
        } else if (self.start.plus_months(f64::from(self.horizon_months))).is_none() {
            problems.error(
                &root.key("horizon_months"),
                format!(
                    "{} months after {} is beyond the year 9999",
                    self.horizon_months, self.start
                ),
                "an earlier start, or a shorter horizon",
            );
        }
        check_positive(
            Some(self.standard_rack_power_kw),
            "standard_rack_power_kw",
            &root,
            problems,
        );
        let at = root.key("rack_types");
        for (position, rack_type) in self.rack_types.iter().enumerate() {
            rack_type.check(&at.index(position), problems);
        }
        check_unique("rack type", self.rack_type_names(), &at, problems);
        let at = root.key("generations");
        for (position, generation) in self.generations.iter().enumerate() {
            generation.check(&self.precision, &at.index(position), problems);
        }
        check_unique(
            "generation",
            self.generations.iter().map(|g| g.name.as_str()),
            &at,
            problems,
        );
        self.check_hardware(&root, problems);
        let at = root.key("building_templates");
        for (position, template) in self.building_templates.iter().enumerate() {
            template.check(&at.index(position), problems);
            self.check_halls(&template.halls, &at.index(position).key("halls"), problems);
        }
        let at_classes = root.key("plan_classes");
        for (position, class) in self.plan_classes.iter().enumerate() {
            class.check(&at_classes.index(position), problems);
        }
        check_unique("plan class", self.plan_class_names(), &at_classes, problems);
        check_unique(
            "building template",
            self.building_templates
                .iter()
                .map(|template| template.name.as_str()),
            &at,
            problems,
        );
        check_calendars(&self.calendars, &root.key("calendars"), problems);
        check_crews(&self.crews, &root.key("crews"), problems);
        check_risks(&self.risks, &root.key("risks"), problems);
        if let Some(status) = &self.status {
            status.check(&root.key("status"), problems);
        }
        let at = root.key("campuses");
        if self.campuses.is_empty() {
            problems.error(
                &at,
                "the scenario has no campus",
                "a scenario has one campus or more",
            );
        }
        for (position, campus) in self.campuses.iter().enumerate() {
            self.check_campus(campus, &at.index(position), problems);
        }
        check_unique("campus", self.campus_names(), &at, problems);
        let at = root.key("segments");
        for (position, segment) in self.segments.iter().enumerate() {
            segment.check(
                self.campus_names(),
                self.rack_type_names(),
                self.generations.iter().map(|g| g.name.as_str()),
                &at.index(position),
                problems,
            );
        }
        self.check_market(problems);
        check_unique(
            "segment",
            self.segments.iter().map(|s| s.name.as_str()),
            &at,
            problems,
        );
        let at = root.key("milestones");
        for (position, milestone) in self.milestones.iter().enumerate() {
            let at = at.index(position);
            check_label(&milestone.name, &at.key("name"), problems);
            if milestone.requires.is_empty() {
                problems.error(
                    &at.key("requires"),
                    format!("milestone \"{}\" requires nothing", milestone.name),
                    "name one thing or more, such as \"A1/shell\"",
                );
            }
        }
        check_unique(
            "milestone",
            self.milestones.iter().map(|m| m.name.as_str()),
            &at,
            problems,
        );
        self.check_targets(&root.key("targets"), problems);
    }

    /// What is about all segments: named tenants, regimes, vouchers, money.
    fn check_market(&self, problems: &mut Problems) {
        let segments = self.segments.iter().map(|segment| segment.name.as_str());
        let at = Path::root().key("tenants");
        for (position, tenant) in self.tenants.iter().enumerate() {
            let at = at.index(position);
            tenant.check(segments.clone(), self.campus_names(), &at, problems);
        }
        let tenants = self.tenants.iter().map(|tenant| tenant.name.as_str());
        check_unique("tenant", tenants.clone(), &at, problems);
        let everyone = segments.chain(tenants);
        let at = Path::root().key("regimes");
        for (position, regime) in self.regimes.iter().enumerate() {
            regime.check(everyone.clone(), &at.index(position), problems);
        }
        let names = self.regimes.iter().map(|regime| regime.name.as_str());
        check_unique("regime", names, &at, problems);
        let at = Path::root().key("vouchers");
        for (position, voucher) in self.vouchers.iter().enumerate() {
            voucher.check(everyone.clone(), &at.index(position), problems);
        }
        let names = self.vouchers.iter().map(|voucher| voucher.name.as_str());
        check_unique("voucher", names.clone(), &at, problems);
        let capex = self.finance.iter().flat_map(|finance| &finance.capex);
        let known = Known {
            segments: self.segments.iter().map(|s| s.name.as_str()).collect(),
            capex: capex.map(|capex| capex.name.as_str()).collect(),
            has_money: self.finance.is_some(),
        };
        let at = Path::root().key("levers");
        check_levers(&self.levers, &known, &at, problems);
        let levers = self.levers.iter().map(|lever| lever.name.as_str());
        check_unique("lever", levers.clone(), &at, problems);
        for (position, name) in levers.enumerate() {
            if names.clone().any(|voucher| voucher == name) {
                problems.error(
                    &at.index(position).key("name"),
                    format!("\"{name}\" is the name of a voucher"),
                    "levers and vouchers need names of their own",
                );
            }
        }
        let at = Path::root().key("decisions");
        for (position, variable) in self.decisions.iter().enumerate() {
            variable.check(&at.index(position), problems);
        }
        let decisions = self.decisions.iter().map(|variable| variable.name.as_str());
        check_unique("decision", decisions, &at, problems);
        self.check_contract_hardware(problems);
        if let Some(finance) = &self.finance {
            let at = Path::root().key("finance");
            finance.check(self.campus_names(), everyone, &at, problems);
        }
    }

    /// The power of a contract in PFLOPS follows from hardware that has some.
    fn check_contract_hardware(&self, problems: &mut Problems) {
        let known = |generation: &&Generation, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|name| *name == generation.name)
        };
        let pflops = |generation: &Generation| {
            let pflops = generation.rack_pflops.get(&self.precision)?;
            Some(pflops.range(Domain::NON_NEGATIVE).0)
        };
        for (position, segment) in self.segments.iter().enumerate() {
            if segment.contract_pflops.is_none() {
                continue;
            }
            let mut meant = (self.generations.iter())
                .filter(|generation| known(generation, &segment.contract_hardware));
            if let Some(idle) = meant.find(|generation| pflops(generation) == Some(0.0)) {
                problems.error(
                    &Path::root()
                        .key("segments")
                        .index(position)
                        .key("contract_pflops"),
                    format!(
                        "a rack of \"{}\" has 0 PFLOPS, so that no power would be enough",
                        idle.name
                    ),
                    "name another generation in `contract_hardware`, or give the size in kW",
                );
            }
        }
    }

    fn check_hardware(&self, root: &Path, problems: &mut Problems) {
        let stated = self.generations.iter().map(|known| known.name.as_str());
        let mut taken: &[String] = &[];
        if let Some(catalogue) = &self.hardware_catalogue {
            taken = &catalogue.include;
            let at = root.key("hardware_catalogue");
            let entries = CATALOGUE.iter().map(|entry| entry.name);
            for (position, name) in taken.iter().enumerate() {
                let at = at.key("include").index(position);
                check_known(
                    "entry of the catalogue",
                    name,
                    entries.clone(),
                    &at,
                    problems,
                );
                if stated.clone().any(|known| known == name) || taken[..position].contains(name) {
                    problems.error(
                        &at,
                        format!("there is already a generation \"{name}\""),
                        "each needs a name of its own",
                    );
                }
                let entry = CATALOGUE.iter().find(|entry| entry.name == name);
                if let Some(entry) = entry
                    && !entry.rack_pflops().contains_key(&self.precision)
                {
                    problems.error(
                        &at,
                        format!(
                            "\"{name}\" has no PFLOPS at the precision \"{}\"",
                            self.precision
                        ),
                        "take \"fp16_dense\", or state the generation yourself",
                    );
                }
            }
            catalogue.check_fields(&at, problems);
        }
        if let Some(trend) = &self.generation_trend {
            let known = stated.chain(taken.iter().map(String::as_str));
            trend.check(known, &root.key("generation_trend"), problems);
        }
    }

    fn campus_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.campuses.iter().map(|campus| campus.name.as_str())
    }

    fn plan_class_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.plan_classes.iter().map(|class| class.name.as_str())
    }

    /// Checks that the class of a plan is known.
    fn check_plan_class(&self, class: Option<&str>, at: &Path, problems: &mut Problems) {
        if let Some(wanted) = class {
            let known = self.plan_class_names();
            check_known("plan class", wanted, known, &at.key("plan_class"), problems);
        }
    }

    fn rack_type_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.rack_types
            .iter()
            .map(|rack_type| rack_type.name.as_str())
    }

    fn check_campus(&self, campus: &Campus, at: &Path, problems: &mut Problems) {
        check_name(&campus.name, &at.key("name"), problems);
        campus.check_fields(at, problems);
        for (position, phase) in campus.phases.iter().enumerate() {
            let at = at.key("phases").index(position);
            let seen = Seen {
                market: &self.market_metrics(),
                money: &self.money_metrics(),
            };
            phase.check(self.campus_names(), seen, &at, problems);
        }
        check_activities(&campus.activities, &at.key("activities"), problems);
        for (position, step) in campus.grid.iter().enumerate() {
            let at = at.key("grid").index(position);
            step.check(&at, problems);
            self.check_plan_class(step.plan_class.as_deref(), &at, problems);
        }
        check_power(campus, at, problems);
        for (position, substation) in campus.substations.iter().enumerate() {
            let at = at.key("substations").index(position);
            substation.check(&at, problems);
            self.check_plan_class(substation.plan_class.as_deref(), &at, problems);
        }
        let buildings_at = at.key("buildings");
        for (position, building) in campus.buildings.iter().enumerate() {
            let at = buildings_at.index(position);
            check_building(building, &self.building_templates, &at, problems);
            self.check_plan_class(building.plan_class.as_deref(), &at, problems);
            if let Some(since) = building.expansion.as_ref().and_then(|plan| plan.since)
                && since.months_after(self.start) > 0.0
            {
                problems.error(
                    &at.key("expansion").key("since"),
                    format!("the last wave so far is after the start, {}", self.start),
                    "a date no later than the start of the scenario",
                );
            }
            if let Some(wanted) = &building.substation {
                let known = campus.substations.iter().map(|s| s.name.as_str());
                check_known("substation", wanted, known, &at.key("substation"), problems);
            }
            if let Some(halls) = &building.halls {
                self.check_halls(halls, &at.key("halls"), problems);
            }
        }
        self.check_site_names(campus, at, problems);
        if let Some(existing) = &campus.existing {
            let at = at.key("existing");
            existing.check_fields(&at, problems);
            check_known(
                "rack type",
                &existing.rack_type,
                self.rack_type_names(),
                &at.key("rack_type"),
                problems,
            );
        }
    }

    /// Buildings, substations and grid steps of a campus are referred to alike, so their names must differ.
    fn check_site_names(&self, campus: &Campus, at: &Path, problems: &mut Problems) {
        let mut seen = std::collections::BTreeMap::new();
        let buildings = plan_buildings(
            &campus.buildings,
            &self.building_templates,
            &at.key("buildings"),
        );
        let steps = campus.grid.iter().enumerate().map(|(position, step)| {
            (
                step.name.clone(),
                at.key("grid").index(position),
                "grid step",
            )
        });
        let substations = campus
            .substations
            .iter()
            .enumerate()
            .map(|(position, substation)| {
                (
                    substation.name.clone(),
                    at.key("substations").index(position),
                    "substation",
                )
            });
        let buildings = buildings
            .into_iter()
            .map(|building| (building.name, building.at, "building"));
        let phases = campus.phases.iter().enumerate().map(|(position, phase)| {
            let at = at.key("phases").index(position);
            (phase.name.clone(), at, "phase")
        });
        let activities = campus.activities.iter().enumerate();
        let activities = activities.map(|(position, activity)| {
            let at = at.key("activities").index(position);
            (activity.name.clone(), at, "activity")
        });
        let named = |list: &'static str, what: &'static str| {
            move |(position, name): (usize, &String)| {
                (name.clone(), at.key(list).index(position), what)
            }
        };
        let bridges = campus.bridge_power.iter().map(|bridge| &bridge.name);
        let bridges = bridges
            .enumerate()
            .map(named("bridge_power", "bridge power"));
        let applications = campus.grid_applications.iter();
        let applications = applications
            .map(|application| &application.name)
            .enumerate()
            .map(named("grid_applications", "grid application"));
        let others = steps.chain(bridges).chain(applications);
        let others = others.chain(phases).chain(activities);
        for (name, at, what) in others.chain(substations).chain(buildings) {
            if let Some(other) = seen.insert(name.clone(), what) {
                problems.error(
                    &at.key("name"),
                    format!("the {what} \"{name}\" has the name of a {other}"),
                    "buildings, substations, grid steps and the like of a campus need names of their own",
                );
            }
        }
    }

    fn check_halls(&self, halls: &[crate::site::Hall], at: &Path, problems: &mut Problems) {
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
        let all = self.all_generations();
        let generations = all.iter().map(|planned| &planned.generation);
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

    /// The metrics that it has beyond those of every scenario.
    fn more_metrics(&self) -> Vec<String> {
        let mut names = self.market_metrics();
        names.extend(self.money_metrics());
        names
    }

    fn money_metrics(&self) -> Vec<String> {
        let segments = self.segments.iter().map(|segment| segment.name.as_str());
        match &self.finance {
            Some(_) => metric_names(segments).collect(),
            None => Vec::new(),
        }
    }

    fn market_metrics(&self) -> Vec<String> {
        let segments = self.segments.iter();
        let stages = segments.flat_map(|segment| &segment.stages);
        let mut names: Vec<String> = stages.map(|stage| stage_metric(&stage.name)).collect();
        if !names.is_empty() {
            names.push(stage_metric(CONTACTED));
        }
        names.extend(
            self.vouchers
                .iter()
                .map(|voucher| voucher_metric(&voucher.name)),
        );
        names
    }

    fn check_targets(&self, at: &Path, problems: &mut Problems) {
        let more = self.more_metrics();
        check_unique(
            "target",
            self.targets.iter().map(|t| t.name.as_str()),
            at,
            problems,
        );
        for (position, target) in self.targets.iter().enumerate() {
            let at = at.index(position);
            check_label(&target.name, &at.key("name"), problems);
            match (&target.metric, &target.milestone) {
                (Some(metric), _) => {
                    let names = METRICS.iter().map(|metric| metric.name);
                    let known = names.chain(more.iter().map(String::as_str));
                    check_known("metric", metric, known, &at.key("metric"), problems);
                    if !target.at_least.is_some_and(f64::is_finite) {
                        problems.error(
                            &at,
                            format!(
                                "target \"{}\" does not say how much of {metric}",
                                target.name
                            ),
                            "give `at_least`, a finite number in the metric's unit",
                        );
                    }
                }
                (None, Some(_)) => {
                    for (given, key) in [
                        (target.at_least.is_some(), "at_least"),
                        (target.campus.is_some(), "campus"),
                    ] {
                        if given {
                            problems.error(
                                &at.key(key),
                                format!(
                                    "target \"{}\" is a milestone, which has no {key}",
                                    target.name
                                ),
                                format!("leave `{key}` out"),
                            );
                        }
                    }
                }
                (None, None) => problems.error(
                    &at,
                    format!(
                        "target \"{}\" must name one thing to be reached",
                        target.name
                    ),
                    "give `metric` with `at_least`, or `milestone`, or both",
                ),
            }
            if let Some(campus) = &target.campus {
                check_known(
                    "campus",
                    campus,
                    self.campus_names(),
                    &at.key("campus"),
                    problems,
                );
            }
            let by = target.by.months_after(self.start).floor();
            if !(0.0..f64::from(self.horizon_months)).contains(&by) {
                let last = self.start.plus_months(f64::from(self.horizon_months) - 1.0);
                problems.error(
                    &at.key("by"),
                    format!("by is {}, outside of the horizon", target.by),
                    format!(
                        "a month from {} to {}",
                        self.start.to_month_string(),
                        last.map_or("the end".to_owned(), Date::to_month_string),
                    ),
                );
            }
        }
    }
}

/// A name that is only shown, so that any character may be in it.
fn check_label(name: &str, at: &Path, problems: &mut Problems) {
    if name.trim().is_empty() {
        problems.error(at, "the name is empty", "a name of one character or more");
    }
    check_characters(name, at, problems);
}

/// Checks what a campus says of its applications, generation, cooling and energy.
fn check_power(campus: &Campus, at: &Path, problems: &mut Problems) {
    let applications = campus
        .grid_applications
        .iter()
        .map(|known| known.name.as_str());
    for (position, step) in campus.grid.iter().enumerate() {
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
    for (position, application) in campus.grid_applications.iter().enumerate() {
        application.check(&at.key("grid_applications").index(position), problems);
    }
    for (position, bridge) in campus.bridge_power.iter().enumerate() {
        bridge.check(&at.key("bridge_power").index(position), problems);
    }
    check_bridges(campus, &at.key("bridge_power"), problems);
    if let Some(curtailment) = &campus.curtailment {
        curtailment.check_fields(&at.key("curtailment"), problems);
    }
    if let Some(efficiency) = &campus.efficiency {
        efficiency.check(&at.key("efficiency"), problems);
        if campus.pue.constant() != Some(1.0) {
            problems.error(
                &at.key("pue"),
                "both pue and efficiency are given",
                "leave `pue` out: it follows from `efficiency`, the load and the temperature",
            );
        }
    }
    if let Some(energy) = &campus.energy {
        energy.check(&at.key("energy"), problems);
    }
}

/// What bridge power of a campus says together.
fn check_bridges(campus: &Campus, at: &Path, problems: &mut Problems) {
    let bridges = campus.bridge_power.iter().enumerate();
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
    if campus.energy.is_some() {
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

#[cfg(test)]
mod tests;
