//! The scenario: everything that a planner states, as plain data.
//!
//! A [`Scenario`] is read from a file ([`Scenario::from_path`]) or built in Rust; either way
//! [`Scenario::check`] lists all that is wrong with it, and [`Scenario::compile`] turns it into a
//! [`Model`](crate::Model).

mod check;
mod limits;
mod second_look;
mod targets;

pub use limits::Limits;
pub use targets::{Milestone, Target};

use std::path::PathBuf;

use crate::compute::{
    CatalogueUse, Generation, GenerationTrend, HardwarePlans, PlannedGeneration, RackType,
};
use crate::date::Date;
use crate::field::{KILOWATTS, MONTHS, plan};
use crate::finance::Finance;
use crate::policy::{DecisionVariable, Lever};
use crate::problem::Problems;
use crate::sampling::correlations::Correlations;
use crate::schedule::calendars::Calendar;
use crate::schedule::crews::Crew;
use crate::schedule::priority::CrewPriority;
use crate::schedule::risks::Risk;
use crate::schedule::{PlanClass, Status};
use crate::site::{BuildingTemplate, Campus};
use crate::tenants::{NamedTenant, Regime, Segment, Voucher};

/// The version of the scenario format that this crate reads and writes.
pub const FORMAT: u32 = 1;
/// The longest horizon, in months: a hundred years.
pub const LONGEST_HORIZON_MONTHS: u32 = 1_200;

plan! {
    /// A hub of one or more campuses, its tenants, and what is asked of it.
    pub struct Scenario {
        /// The version of the format: 1.
        pub format: u32 = FORMAT,
        /// Its name, which heads every result.
        pub name: String,
        /// What it is about, in a sentence or two.
        pub description: String [= String::new()],
        /// The first month that is simulated. What is there already is its state at the beginning of that month.
        pub start: Date,
        /// How many months are simulated, 1 to 1,200.
        pub horizon_months: u32 => MONTHS.within(1.0, LONGEST_HORIZON_MONTHS as f64),
        /// Whether what is planned is all that will be built, as in a study of a design: then nothing is said where results far ahead do not vary.
        pub fixed_plan: bool [= false],
        /// The precision in which PFLOPS are counted, such as "fp16_dense".
        pub precision: String = "fp16_dense".to_owned(),
        /// Critical IT power of a standard rack, in kW (2.5 kW in Chinese statistics).
        pub standard_rack_power_kw: f64 = 2.5 => KILOWATTS,
        /// Kinds of rack positions.
        pub rack_types: Vec<RackType> = [..],
        /// Generations of hardware.
        pub generations: Vec<Generation> = [],
        /// Generations taken over from the catalogue of published hardware.
        pub hardware_catalogue: Option<CatalogueUse>,
        /// Generations not yet announced that follow one of those known.
        pub generation_trend: Option<GenerationTrend>,
        /// What many buildings have in common.
        pub building_templates: Vec<BuildingTemplate> = [],
        /// Classes of plans: how plans of each kind slip, grow and are dropped.
        pub plan_classes: Vec<PlanClass> = [],
        /// Calendars: when work is done, and at what pace.
        pub calendars: Vec<Calendar> = [],
        /// Crews and other renewable resources, shared by all campuses.
        pub crews: Vec<Crew> = [],
        /// Who gets a crew first where several wait for it; left out, what has to finish first.
        pub crew_priority: CrewPriority [= CrewPriority::default()],
        /// What may happen to activities.
        pub risks: Vec<Risk> = [],
        /// Which uncertain inputs go together.
        pub correlations: Option<Correlations>,
        /// What has started and finished by a date, from which the rest is projected.
        pub status: Option<Status>,
        /// The campuses, one or more.
        pub campuses: Vec<Campus>,
        /// Groups of tenants.
        pub segments: Vec<Segment> = [],
        /// Tenants that are known by name.
        pub tenants: Vec<NamedTenant> = [],
        /// States of the market that segments share, such as a boom.
        pub regimes: Vec<Regime> = [],
        /// Vouchers for computing power.
        pub vouchers: Vec<Voucher> = [],
        /// Other levers of policy, each of which can be switched.
        pub levers: Vec<Lever> = [],
        /// What may be chosen, within which bounds: `buildout decide` searches for the best.
        pub decisions: Vec<DecisionVariable> = [],
        /// What things cost and earn; left out, no money is counted.
        pub finance: Option<Finance>,
        /// Moments to report beside those that activities mark themselves.
        pub milestones: Vec<Milestone> = [],
        /// What should be reached by when.
        pub targets: Vec<Target> = [],
        /// How large the scenario may be; larger ones are refused, as they are mostly typing errors.
        pub limits: Limits [= Limits::default()],
    }
    fn plain;
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
        Self::plain(name, start, horizon_months, Vec::new())
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
    pub fn lever_states(&self) -> impl Iterator<Item = (&str, bool)> + Clone {
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

    /// All that it says of hardware generations.
    pub(crate) fn hardware_plans(&self) -> HardwarePlans<'_> {
        HardwarePlans {
            stated: &self.generations,
            catalogue: self.hardware_catalogue.as_ref(),
            trend: self.generation_trend.as_ref(),
        }
    }

    /// All generations: those stated, those of the catalogue, and future ones.
    pub(crate) fn all_generations(&self) -> Vec<PlannedGeneration> {
        self.hardware_plans().all()
    }
}
