//! The scenario: everything that a planner states, as plain data.
//!
//! A [`Scenario`] is read from a file ([`Scenario::from_path`]) or built in Rust; either way
//! [`Scenario::check`] lists all that is wrong with it, and [`Scenario::compile`] turns it into a
//! [`Model`].

#[cfg(feature = "files")]
mod file;
mod unlikely;

#[cfg(feature = "files")]
pub use file::{Input, Loaded};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::compute::{
    CATALOGUE, CatalogueUse, Generation, GenerationTrend, NEWEST, PlannedGeneration, RackType,
    plan_generations,
};
use crate::construction::calendars::{Calendar, check_calendars};
use crate::construction::crews::{Crew, check_crews};
use crate::construction::risks::{Risk, check_risks};
use crate::construction::{
    Activity, Building, BuildingTemplate, Status, check_activities, check_building, check_known,
    check_name, check_positive, check_unique, plan_buildings,
};
use crate::date::Date;
use crate::finance::{Finance, metric_names};
use crate::metrics::METRICS;
use crate::model::Model;
use crate::policy::Phase;
use crate::power::{
    BridgePower, Curtailment, Efficiency, Energy, GridApplication, GridStep, PUE, Substation,
};
use crate::problem::{Path, Problems};
use crate::tenants::market::{CONTACTED, stage_metric, voucher_metric};
use crate::tenants::{NamedTenant, Regime, Segment, Voucher};
use crate::uncertain::correlation::Correlations;
use crate::uncertain::{Domain, Uncertain};

/// The version of the scenario format that this crate reads and writes.
pub const FORMAT: u32 = 1;
/// The longest horizon, in months: a hundred years.
pub const LONGEST_HORIZON_MONTHS: u32 = 1_200;

/// A hub of one or more campuses, its tenants, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of the format: 1.
    #[serde(default = "format")]
    pub format: u32,
    /// Its name, which heads every result.
    pub name: String,
    /// What it is about, in a sentence or two.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The first month that is simulated. What is there already is its state at the beginning of that month.
    pub start: Date,
    /// How many months are simulated, 1 to 1,200.
    pub horizon_months: u32,
    /// The precision in which PFLOPS are counted, such as "fp16_dense".
    #[serde(default = "precision")]
    pub precision: String,
    /// Critical IT power of a standard rack, in kW (2.5 kW in Chinese statistics).
    #[serde(default = "standard_rack")]
    pub standard_rack_power_kw: f64,
    /// Kinds of rack positions.
    #[serde(default)]
    pub rack_types: Vec<RackType>,
    /// Generations of hardware.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generations: Vec<Generation>,
    /// Generations taken over from the catalogue of published hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_catalogue: Option<CatalogueUse>,
    /// Generations not yet announced that follow one of those known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_trend: Option<GenerationTrend>,
    /// What many buildings have in common.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub building_templates: Vec<BuildingTemplate>,
    /// Calendars: when work is done, and at what pace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<Calendar>,
    /// Crews and other renewable resources, shared by all campuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crews: Vec<Crew>,
    /// What may happen to activities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<Risk>,
    /// Which uncertain inputs go together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlations: Option<Correlations>,
    /// What has started and finished by a date, from which the rest is projected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The campuses, one or more.
    pub campuses: Vec<Campus>,
    /// Groups of tenants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
    /// Tenants that are known by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<NamedTenant>,
    /// States of the market that segments share, such as a boom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regimes: Vec<Regime>,
    /// Vouchers for computing power.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<Voucher>,
    /// What things cost and earn; left out, no money is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finance: Option<Finance>,
    /// Moments to report beside those that activities mark themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<Milestone>,
    /// What should be reached by when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
}

fn format() -> u32 {
    FORMAT
}

fn precision() -> String {
    "fp16_dense".to_owned()
}

fn standard_rack() -> f64 {
    2.5
}

/// A site with its own grid connection, substations and buildings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Campus {
    /// Its name.
    pub name: String,
    /// Power usage effectiveness: facility power / critical IT power, 1 or more. Drawn once a trial.
    #[serde(default = "Uncertain::one")]
    pub pue: Uncertain,
    /// Share of the time in which compute in service is available, 0 to 1. Drawn once a trial.
    #[serde(default = "Uncertain::one")]
    pub availability: Uncertain,
    /// The calendar of all its activities that name none; left out, work goes on every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Moments that buildings, substations and grid steps may wait for by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// Activities of the campus as a whole: permits, roads, the procurement of equipment. A list is a chain unless `after` says otherwise; it begins at the start of the scenario.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
    /// The grid connection in steps; left out, the grid is no limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grid: Vec<GridStep>,
    /// Applications for grid power that steps of the grid belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grid_applications: Vec<GridApplication>,
    /// Generation behind the meter, until the grid comes or for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bridge_power: Vec<BridgePower>,
    /// Hours in which the utility takes back a share of the import; left out, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curtailment: Option<Curtailment>,
    /// What the facility takes beside its IT, by load and outdoor temperature, instead of `pue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<Efficiency>,
    /// What energy costs and emits; left out, energy is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<Energy>,
    /// Its substations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substations: Vec<Substation>,
    /// Its buildings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buildings: Vec<Building>,
    /// What is live already at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingCapacity>,
}

impl Campus {
    /// A campus with a PUE of 1, full availability and an unlimited grid; all else is set on its fields.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            pue: Uncertain::one(),
            availability: Uncertain::one(),
            calendar: None,
            phases: Vec::new(),
            activities: Vec::new(),
            grid: Vec::new(),
            grid_applications: Vec::new(),
            bridge_power: Vec::new(),
            curtailment: None,
            efficiency: None,
            energy: None,
            substations: Vec::new(),
            buildings: Vec::new(),
            existing: None,
        }
    }
}

/// Capacity that is live at the start of the scenario, with power of its own beside the grid steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExistingCapacity {
    /// Racks, 1 or more.
    pub racks: u32,
    /// Their rack type.
    pub rack_type: String,
    /// Their critical IT power altogether, in kW, above 0.
    pub power_kw: f64,
    /// Their compute altogether, in PFLOPS at the scenario's precision, 0 or more.
    #[serde(default)]
    pub compute_pflops: f64,
}

/// A moment to report: when the last of several things has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// Its name.
    pub name: String,
    /// What must have happened: activities ("A1/shell"), buildings, halls or substations that are complete ("A1"), or buildings that are live ("A1/live"). With several campuses the campus's name goes in front where it is needed ("Qingyang/A1/shell").
    pub requires: Vec<String>,
}

/// A question: will this be reached by then?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name, such as "100,000 PFLOPS by the end of 2027".
    pub name: String,
    /// A metric that should have at least the value `at_least` at the end of the month `by`. Give this, or `milestone`, or both: then both must hold together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The least value of the metric, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The milestone that should have happened by the end of the month `by`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestone: Option<String>,
    /// The campus that is meant; left out, all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campus: Option<String>,
    /// The month at whose end it counts.
    pub by: Date,
}

impl Milestone {
    /// A moment when all of these have happened.
    pub fn new<'a>(name: impl Into<String>, requires: impl IntoIterator<Item = &'a str>) -> Self {
        let requires = requires.into_iter().map(str::to_owned).collect();
        Self {
            name: name.into(),
            requires,
        }
    }
}

impl Target {
    /// Asks whether a metric has at least this value at the end of a month, all campuses together.
    pub fn reached(
        name: impl Into<String>,
        metric: impl Into<String>,
        at_least: f64,
        by: Date,
    ) -> Self {
        Self {
            name: name.into(),
            metric: Some(metric.into()),
            at_least: Some(at_least),
            milestone: None,
            campus: None,
            by,
        }
    }

    /// Asks whether a milestone has happened by the end of a month.
    pub fn happened(name: impl Into<String>, milestone: impl Into<String>, by: Date) -> Self {
        Self {
            name: name.into(),
            metric: None,
            at_least: None,
            milestone: Some(milestone.into()),
            campus: None,
            by,
        }
    }

    /// What it asks for, such as "installed_pflops at least 100000 by 2027-12".
    pub fn describe(&self) -> String {
        let what = match (&self.metric, self.at_least, &self.milestone) {
            (Some(metric), Some(least), Some(milestone)) => {
                format!("{milestone}, and {metric} at least {least}")
            }
            (Some(metric), Some(least), _) => format!("{metric} at least {least}"),
            (_, _, Some(milestone)) => milestone.clone(),
            _ => self.name.clone(),
        };
        let place = self
            .campus
            .as_ref()
            .map(|campus| format!(" at {campus}"))
            .unwrap_or_default();
        format!("{what}{place} by {}", self.by.to_month_string())
    }
}

/// A scenario that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// What it says is wrong; all problems are listed.
    #[error("{}", list(.0))]
    Invalid(Problems),
    /// Its file cannot be read.
    #[error("{} cannot be read: {source}{}", path.display(), did_you_mean(nearest.as_deref()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The nearest name of a file that is there.
        nearest: Option<String>,
        /// Why.
        source: std::io::Error,
    },
    /// Its file is not text in UTF-8.
    #[error("{}:{line}: this is not text in UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The line at which that shows.
        line: usize,
    },
    /// It cannot be written as a file.
    #[error("the scenario cannot be written as a file: {0}")]
    Unwritable(String),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("\n  help: did you mean \"{name}\"?"))
        .unwrap_or_default()
}

fn list(problems: &Problems) -> String {
    let errors = problems
        .iter()
        .filter(|p| p.severity == crate::problem::Severity::Error)
        .count();
    let noun = if errors == 1 { "error" } else { "errors" };
    format!("{problems}\n\n{errors} {noun} in the scenario")
}

impl Scenario {
    /// A scenario with a name, a start and a horizon; all else is set on its fields.
    pub fn new(name: impl Into<String>, start: Date, horizon_months: u32) -> Self {
        Self {
            format: FORMAT,
            name: name.into(),
            description: String::new(),
            start,
            horizon_months,
            precision: precision(),
            standard_rack_power_kw: standard_rack(),
            rack_types: Vec::new(),
            generations: Vec::new(),
            hardware_catalogue: None,
            generation_trend: None,
            building_templates: Vec::new(),
            calendars: Vec::new(),
            crews: Vec::new(),
            risks: Vec::new(),
            correlations: None,
            status: None,
            campuses: Vec::new(),
            segments: Vec::new(),
            tenants: Vec::new(),
            regimes: Vec::new(),
            vouchers: Vec::new(),
            finance: None,
            milestones: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// The same scenario with all mitigations done, or none of them. On one seed the two have the
    /// same luck, so that they can be compared trial by trial.
    #[must_use]
    pub fn with_mitigation(&self, done: bool) -> Self {
        let mut scenario = self.clone();
        for risk in &mut scenario.risks {
            risk.mitigated = done && risk.mitigation.is_some();
        }
        scenario
    }

    /// Compiles the scenario to a model that can be simulated; an error lists all that is wrong.
    pub fn compile(&self) -> Result<Model, ScenarioError> {
        let (model, problems) = self.compile_with_warnings();
        match model {
            Some(model) => Ok(model),
            None => Err(ScenarioError::Invalid(problems)),
        }
    }

    /// A fingerprint of all that the scenario says: the SHA-256 of its JSON, in hexadecimal.
    ///
    /// Parts of a run are put together only if they are of one fingerprint. How a file is written, its comments and
    /// the order of its keys, leave no trace in it.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let json = serde_json::to_vec(self).expect("a scenario is plain data");
        let digest = Sha256::digest(&json);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Lists all that is wrong or unlikely, without simulating anything.
    pub fn check(&self) -> Problems {
        self.compile_with_warnings().1
    }

    fn compile_with_warnings(&self) -> (Option<Model>, Problems) {
        let mut problems = Problems::new();
        self.check_parts(&mut problems);
        self.check_likelihood(&mut problems);
        if problems.has_errors() {
            // The network can be checked for cycles and unknown names all the same.
            crate::model::check_network(self, &mut problems);
            return (None, problems);
        }
        let model = crate::model::compile(self, &mut problems);
        (model.filter(|_| !problems.has_errors()), problems)
    }

    fn check_parts(&self, problems: &mut Problems) {
        let root = Path::root();
        if self.format != FORMAT {
            problems.error(
                &root.key("format"),
                format!("the scenario is of format {}", self.format),
                format!("this version of buildout reads format {FORMAT}"),
            );
        }
        if self.name.trim().is_empty() {
            problems.error(
                &root.key("name"),
                "the name is empty",
                "a name of one character or more",
            );
        }
        if !(1..=LONGEST_HORIZON_MONTHS).contains(&self.horizon_months) {
            problems.error(
                &root.key("horizon_months"),
                format!("horizon_months is {}", self.horizon_months),
                format!("1 to {LONGEST_HORIZON_MONTHS} months"),
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
        check_unique("voucher", names, &at, problems);
        if let Some(finance) = &self.finance {
            let at = Path::root().key("finance");
            finance.check(self.campus_names(), everyone, &at, problems);
        }
    }

    /// All generations: those stated, those of the catalogue, and future ones.
    pub(crate) fn all_generations(&self) -> Vec<PlannedGeneration> {
        plan_generations(
            &self.generations,
            self.hardware_catalogue.as_ref(),
            self.generation_trend.as_ref(),
        )
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
            catalogue.lead_time_months.check(
                Domain::NON_NEGATIVE,
                &at.key("lead_time_months"),
                problems,
            );
        }
        if let Some(trend) = &self.generation_trend {
            let known = stated.chain(taken.iter().map(String::as_str));
            trend.check(known, &root.key("generation_trend"), problems);
        }
    }

    fn campus_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.campuses.iter().map(|campus| campus.name.as_str())
    }

    fn rack_type_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.rack_types
            .iter()
            .map(|rack_type| rack_type.name.as_str())
    }

    fn check_campus(&self, campus: &Campus, at: &Path, problems: &mut Problems) {
        check_name(&campus.name, &at.key("name"), problems);
        campus.pue.check(PUE, &at.key("pue"), problems);
        campus
            .availability
            .check(Domain::SHARE, &at.key("availability"), problems);
        for (position, phase) in campus.phases.iter().enumerate() {
            let at = at.key("phases").index(position);
            phase.check(self.campus_names(), &at, problems);
        }
        check_activities(&campus.activities, &at.key("activities"), problems);
        for (position, step) in campus.grid.iter().enumerate() {
            step.check(&at.key("grid").index(position), problems);
        }
        check_power(campus, at, problems);
        for (position, substation) in campus.substations.iter().enumerate() {
            substation.check(&at.key("substations").index(position), problems);
        }
        let buildings_at = at.key("buildings");
        for (position, building) in campus.buildings.iter().enumerate() {
            let at = buildings_at.index(position);
            check_building(building, &self.building_templates, &at, problems);
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
            if existing.racks == 0 {
                problems.error(
                    &at.key("racks"),
                    "racks is 0",
                    "1 or more; leave `existing` out if there are none",
                );
            }
            check_positive(Some(existing.power_kw), "power_kw", &at, problems);
            check_known(
                "rack type",
                &existing.rack_type,
                self.rack_type_names(),
                &at.key("rack_type"),
                problems,
            );
            if !(existing.compute_pflops.is_finite() && existing.compute_pflops >= 0.0) {
                problems.error(
                    &at.key("compute_pflops"),
                    format!("compute_pflops is {}", existing.compute_pflops),
                    "0 PFLOPS or more",
                );
            }
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

    fn check_halls(&self, halls: &[crate::construction::Hall], at: &Path, problems: &mut Problems) {
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
            let (Some(wanted), Some(limit)) = (&hall.hardware, limit) else {
                continue;
            };
            self.check_fit(wanted, limit, &at.key("hardware"), problems);
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
                if let Some(limit) = types.find(|kind| &kind.name == wanted_type) {
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
                        limit.name, limit.power_kw
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
                    generation.rack_power_kw, limit.name, limit.power_kw
                ),
                "a rack type of enough power, or a generation that needs less",
            );
        }
    }

    /// The metrics that it has beyond those of every scenario.
    fn more_metrics(&self) -> Vec<String> {
        let segments = self.segments.iter();
        let stages = segments.clone().flat_map(|segment| &segment.stages);
        let mut names: Vec<String> = stages.map(|stage| stage_metric(&stage.name)).collect();
        if !names.is_empty() {
            names.push(stage_metric(CONTACTED));
        }
        names.extend(
            self.vouchers
                .iter()
                .map(|voucher| voucher_metric(&voucher.name)),
        );
        if self.finance.is_some() {
            names.extend(metric_names(segments.map(|segment| segment.name.as_str())));
        }
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
    if let Some(curtailment) = &campus.curtailment {
        curtailment.check(&at.key("curtailment"), problems);
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
