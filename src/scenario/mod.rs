//! The scenario: everything that a planner states, as plain data.
//!
//! A [`Scenario`] is read from a file ([`Scenario::from_path`]) or built in Rust; either way
//! [`Scenario::check`] lists all that is wrong with it, and [`Scenario::compile`] turns it into a
//! [`Model`](crate::Model).

mod check;
mod limits;
mod unlikely;

pub use limits::Limits;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::compute::{
    CatalogueUse, Generation, GenerationTrend, PlannedGeneration, RackType, plan_generations,
};
use crate::date::Date;
use crate::finance::Finance;
use crate::policy::{DecisionVariable, Lever};
use crate::problem::Problems;
use crate::schedule::Status;
use crate::schedule::calendars::Calendar;
use crate::schedule::crews::Crew;
use crate::schedule::priority::CrewPriority;
use crate::schedule::risks::Risk;
use crate::site::{BuildingTemplate, Campus, PlanClass};
use crate::tenants::{NamedTenant, Regime, Segment, Voucher};
use crate::uncertain::correlation::Correlations;

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
    /// Whether what is planned is all that will be built, as in a study of a design: then nothing is said where results far ahead do not vary.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fixed_plan: bool,
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
    /// Classes of plans: how plans of each kind slip, grow and are dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan_classes: Vec<PlanClass>,
    /// Calendars: when work is done, and at what pace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<Calendar>,
    /// Crews and other renewable resources, shared by all campuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crews: Vec<Crew>,
    /// Who gets a crew first where several wait for it; left out, what has to finish first.
    #[serde(default, skip_serializing_if = "CrewPriority::is_default")]
    pub crew_priority: CrewPriority,
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
    /// Other levers of policy, each of which can be switched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levers: Vec<Lever>,
    /// What may be chosen, within which bounds: `buildout decide` searches for the best.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecisionVariable>,
    /// What things cost and earn; left out, no money is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finance: Option<Finance>,
    /// Moments to report beside those that activities mark themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<Milestone>,
    /// What should be reached by when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// How large the scenario may be; larger ones are refused, for they are mostly slips.
    #[serde(default, skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
}

fn format() -> u32 {
    FORMAT
}

fn is_false(value: &bool) -> bool {
    !value
}

fn precision() -> String {
    "fp16_dense".to_owned()
}

fn standard_rack() -> f64 {
    2.5
}

/// A moment to report: when the last of several things has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// Its name.
    pub name: String,
    /// What must have happened: activities ("A1/shell"), buildings, halls or substations that are complete ("A1"), or buildings and halls that are live ("A1/live": the first hall), fully live ("A1/fully live": all halls) or complete ("A1/complete": the works). A pattern requires all that fit it ("P2-*/live"). With several campuses the campus's name goes in front where it is needed ("Qingyang/A1/shell").
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
    /// The milestone that should have happened by the end of the month `by`: one of those stated, or of those that every building has ("A1 live", "A1 fully live", "A1 complete", "P2-*/live").
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
    /// A value cannot be set in its file.
    #[error("{key} cannot be set: {message}{}", help_line(help))]
    NotSet {
        /// The key.
        key: String,
        /// Why.
        message: String,
        /// What would be right; empty if there is nothing to say.
        help: String,
    },
    /// It cannot be written as a file.
    #[error("the scenario cannot be written as a file: {0}")]
    Unwritable(String),
}

fn help_line(help: &str) -> String {
    if help.is_empty() {
        return String::new();
    }
    format!("\n  help: {help}")
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
            fixed_plan: false,
            precision: precision(),
            standard_rack_power_kw: standard_rack(),
            rack_types: Vec::new(),
            generations: Vec::new(),
            hardware_catalogue: None,
            generation_trend: None,
            building_templates: Vec::new(),
            plan_classes: Vec::new(),
            calendars: Vec::new(),
            crews: Vec::new(),
            crew_priority: CrewPriority::default(),
            risks: Vec::new(),
            correlations: None,
            status: None,
            campuses: Vec::new(),
            segments: Vec::new(),
            tenants: Vec::new(),
            regimes: Vec::new(),
            vouchers: Vec::new(),
            levers: Vec::new(),
            decisions: Vec::new(),
            finance: None,
            milestones: Vec::new(),
            targets: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// The same scenario with all mitigations done, or none of them. On one seed the
    /// two have common random numbers, so that they can be compared trial by trial.
    #[must_use]
    pub fn with_mitigation(&self, done: bool) -> Self {
        let mut scenario = self.clone();
        for risk in &mut scenario.risks {
            risk.mitigated = done && risk.mitigation.is_some();
        }
        scenario
    }

    /// The names of its levers of policy, vouchers first, and whether each is on.
    pub fn levers(&self) -> impl Iterator<Item = (&str, bool)> + Clone {
        let vouchers = self
            .vouchers
            .iter()
            .map(|one| (one.name.as_str(), !one.is_off));
        let others = self
            .levers
            .iter()
            .map(|one| (one.name.as_str(), !one.is_off));
        vouchers.chain(others)
    }

    /// The same scenario with the levers on, vouchers too, for whose names `is_on` is true, and all
    /// others off. On one seed the two have common random numbers, so that they can be compared trial by trial.
    #[must_use]
    pub fn with_levers(&self, is_on: impl Fn(&str) -> bool) -> Self {
        let mut scenario = self.clone();
        for voucher in &mut scenario.vouchers {
            voucher.is_off = !is_on(&voucher.name);
        }
        for lever in &mut scenario.levers {
            lever.is_off = !is_on(&lever.name);
        }
        scenario
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

    /// All generations: those stated, those of the catalogue, and future ones.
    pub(crate) fn all_generations(&self) -> Vec<PlannedGeneration> {
        plan_generations(
            &self.generations,
            self.hardware_catalogue.as_ref(),
            self.generation_trend.as_ref(),
        )
    }
}
