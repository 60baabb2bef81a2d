//! Runs a plan and changes of it on the same trials, and values the changes and information.

use std::sync::Arc;

use super::changes::{PlanTrials, Series, worth_of_changes};
use super::information::{Information, worth_of_information};
use super::report::WorthReport;
use crate::analysis::drivers::DriversError;
use crate::analysis::drivers::groups::{Group, groups_by_name};
use crate::model::Model;
use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::sample_run::{SampleError, SampleRun};
use crate::monte_carlo::settings::{RunSettings, setting_methods};
use crate::pattern::matches;
use crate::problem::name_help;
use crate::projection::{MeasureKind, Samples};
use crate::sampling::design::Drawing;
use crate::sampling::ensemble::{Ensemble, EnsembleError};

/// The outcome that counts as money if no other is named.
pub const DEFAULT_MONEY: &str = "npv";
/// The metric that counts as capacity if no other is named.
pub const DEFAULT_CAPACITY: &str = "it_power_mw";
/// The option that is worth nothing in every trial.
pub const DO_NOTHING: &str = "do nothing";
/// Fewer trials than these are too few to value anything.
pub const LEAST_TRIALS: u64 = 200;

/// A plan, or a change of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan<'a> {
    /// Its name.
    pub name: String,
    /// What is simulated.
    pub model: &'a Model,
    /// Inputs that fit any of these patterns are certain: they are at their medians in every trial.
    pub certain: Vec<String>,
}

impl<'a> Plan<'a> {
    /// A plan.
    pub fn new(name: impl Into<String>, model: &'a Model) -> Self {
        Self {
            name: name.into(),
            model,
            certain: Vec::new(),
        }
    }

    /// Whose inputs of these patterns are at their medians.
    #[must_use]
    pub fn certain(mut self, patterns: Vec<String>) -> Self {
        self.certain = patterns;
        self
    }
}

/// Why it was not reported what something is worth.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorthError {
    /// The trials did not run, or do not yield the money or the capacity.
    #[error(transparent)]
    Samples(#[from] SampleError),
    /// Too few trials.
    #[error(
        "{0} trials are too few to show what anything is worth\n  help: run {LEAST_TRIALS} or more"
    )]
    TooFewTrials(u64),
    /// A group has no inputs.
    #[error(transparent)]
    Group(#[from] DriversError),
    /// No input fits what is to be certain.
    #[error("no uncertain input fits \"{pattern}\", which is to be certain\n  help: {help}")]
    NotUncertain {
        /// The pattern.
        pattern: String,
        /// A name that is meant, perhaps.
        help: String,
    },
    /// An input that is to be certain is correlated with others, so that they would move with it.
    #[error(
        "\"{0}\" is correlated with other inputs: it cannot be made certain alone\n  help: set it to a fixed value with --change"
    )]
    Correlated(String),
    /// Plans do not have the same months.
    #[error("\"{plan}\" has {months} months, the plan that it is compared with {expected}")]
    Months {
        /// The plan.
        plan: String,
        /// Its months.
        months: usize,
        /// Those of the first.
        expected: usize,
    },
    /// A point is not one: this is a fault of the analysis.
    #[error(transparent)]
    Point(#[from] EnsembleError),
}

/// A search for what changes and information are worth.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "files")] {
/// use buildout::Scenario;
/// use buildout::analysis::worth::run::{Plan, WorthRun};
///
/// let model = Scenario::from_path("examples/first.toml")?.compile()?;
/// let plan = Plan::new("as planned", &model);
/// let sure = Plan::new("shell on time", &model).certain(vec!["*/shell".into()]);
/// let report = WorthRun::new(plan, vec![sure]).trials(500).seed(1).run()?;
/// assert_eq!(report.changes[0].name, "shell on time");
/// # }
/// # Ok(())
/// # }
/// ```
pub struct WorthRun<'a> {
    plan: Plan<'a>,
    changes: Vec<Plan<'a>>,
    money: Option<String>,
    capacity: String,
    groups: Vec<(String, Vec<String>)>,
    settings: RunSettings<'a>,
}

impl<'a> WorthRun<'a> {
    /// A plan, and changes of it.
    pub fn new(plan: Plan<'a>, changes: Vec<Plan<'a>>) -> Self {
        Self {
            plan,
            changes,
            money: None,
            capacity: DEFAULT_CAPACITY.to_owned(),
            groups: Vec::new(),
            settings: RunSettings::default(),
        }
    }

    /// Counts this outcome as money; if it is not called, [`DEFAULT_MONEY`], where the plan has it.
    #[must_use]
    pub fn money(mut self, outcome: impl Into<String>) -> Self {
        self.money = Some(outcome.into());
        self
    }

    /// Counts the sum of this metric over the months as capacity, in place of [`DEFAULT_CAPACITY`].
    #[must_use]
    pub fn capacity(mut self, metric: impl Into<String>) -> Self {
        self.capacity = metric.into();
        self
    }

    /// Asks what it is worth to know the inputs that fit any of these patterns.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>, patterns: Vec<String>) -> Self {
        self.groups.push((name.into(), patterns));
        self
    }

    setting_methods!(trials, seed, drawing, threads, on_progress, cancelled_by);

    /// Runs all trials and values the changes and information.
    pub fn run(&self) -> Result<WorthReport, WorthError> {
        if self.settings.count() < LEAST_TRIALS {
            return Err(WorthError::TooFewTrials(self.settings.count()));
        }
        let expected = self.plan.model.layout().months;
        for change in &self.changes {
            let months = change.model.layout().months;
            if months != expected {
                let plan = change.name.clone();
                return Err(WorthError::Months {
                    plan,
                    months,
                    expected,
                });
            }
        }
        let plans: Vec<&Plan<'a>> = std::iter::once(&self.plan).chain(&self.changes).collect();
        let mut trials = Vec::with_capacity(plans.len());
        let mut known = KnownInputs::default();
        for (number, plan) in plans.iter().enumerate() {
            let samples = self.samples(plan, number as u64, plans.len() as u64)?;
            trials.push(self.numbers(plan, &samples));
            known.add(plan, samples);
        }
        let money = trials[0].money.as_ref();
        let information = match money {
            Some(_) => Some(self.information(&known, &trials)?),
            None => None,
        };
        Ok(WorthReport {
            plan: self.plan.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.settings.drawing.seed(),
            trials: self.settings.count(),
            money: money.map(|money| money.name.clone()),
            currency: money.map(|money| money.unit.clone()).unwrap_or_default(),
            changes: worth_of_changes(&trials[0], &trials[1..]),
            information,
        })
    }

    fn money_name(&self) -> Option<&str> {
        let is_there = self
            .plan
            .model
            .layout()
            .outcome_index(DEFAULT_MONEY)
            .is_some();
        self.money.as_deref().or(is_there.then_some(DEFAULT_MONEY))
    }

    fn capacity_name(&self) -> String {
        format!("{}@total", self.capacity)
    }

    /// The trials of one plan.
    fn samples(&self, plan: &Plan<'a>, number: u64, of: u64) -> Result<Samples, WorthError> {
        let targets = (plan.model.layout().targets.iter()).filter(|target| {
            self.plan
                .model
                .layout()
                .target_index(&target.name)
                .is_some()
        });
        let settings = self.settings.of_run(number, of);
        let run = SampleRun::with_settings(plan.model, settings)
            .measures([self.capacity_name()])
            .measures(self.money_name())
            .measures(targets.map(|target| target.name.as_str()))
            .drawing(self.drawing_of(plan)?);
        Ok(run.run()?)
    }

    /// The trials of all plans; with the inputs that are certain in this one at their medians.
    fn drawing_of(&self, plan: &Plan<'a>) -> Result<Drawing, WorthError> {
        if plan.certain.is_empty() {
            return Ok(self.settings.drawing.clone());
        }
        let certain = certain_inputs(plan)?;
        let sampling = plan.model.sampling_of(&self.settings.drawing);
        let sampling = sampling.map_err(|error| SampleError::from(RunError::from(error)))?;
        let mut ensemble = Ensemble::new(plan.model.input_names(), self.settings.drawing.seed())?;
        let mut point = Vec::new();
        for trial in 0..self.settings.count() {
            let noise = plan.model.point(&sampling, trial, &mut point);
            certain.iter().for_each(|&input| point[input] = 0.5);
            ensemble.push(&point, noise.trial, 1)?;
        }
        Ok(Drawing::of(Arc::new(ensemble)))
    }

    /// What a plan's changes are compared by.
    fn numbers(&self, plan: &Plan<'a>, samples: &Samples) -> PlanTrials {
        let series = |kind: MeasureKind| {
            (samples.measures().iter())
                .filter(move |measure| measure.label.kind == kind)
                .map(|measure| Series {
                    name: measure.label.name.clone(),
                    unit: measure.label.unit.clone(),
                    values: measure.values.clone(),
                })
        };
        PlanTrials {
            name: plan.name.clone(),
            money: series(MeasureKind::Outcome).next(),
            capacity: series(MeasureKind::Metric)
                .next()
                .expect("it was asked for"),
            targets: series(MeasureKind::Target).collect(),
        }
    }

    /// What it is worth to know inputs before choosing among the plans; of one plan, whether to carry it out at all.
    fn information(
        &self,
        known: &KnownInputs,
        trials: &[PlanTrials],
    ) -> Result<Information, WorthError> {
        let KnownInputs { names, columns } = known;
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut sets: Vec<Group> = (names.iter().enumerate())
            .map(|(input, name)| Group {
                name: name.clone(),
                inputs: vec![input],
            })
            .collect();
        for (name, patterns) in &self.groups {
            sets.push(Group::new(name.clone(), patterns, names)?);
        }
        sets.extend(groups_by_name(names));
        sets.push(Group {
            name: "all inputs".to_owned(),
            inputs: (0..names.len()).collect(),
        });
        let nothing = vec![0.0; self.settings.count() as usize];
        let mut options: Vec<(&str, &[f64])> = (trials.iter())
            .filter_map(|plan| Some((plan.name.as_str(), plan.money.as_ref()?.values.as_slice())))
            .collect();
        if options.len() == 1 {
            options.push((DO_NOTHING, &nothing));
        }
        Ok(worth_of_information(&options, &columns, &sets))
    }
}

/// The inputs of all plans, each once: plans share their trials, and so what they have in common.
#[derive(Default)]
struct KnownInputs {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
}

impl KnownInputs {
    /// Adds those of a plan that are not there yet. Where some are certain they say nothing of the trial.
    fn add(&mut self, plan: &Plan<'_>, samples: Samples) {
        if !plan.certain.is_empty() {
            return;
        }
        for input in samples.into_inputs() {
            if !self.names.contains(&input.name) {
                self.names.push(input.name);
                self.columns.push(input.values);
            }
        }
    }
}

/// The positions of the inputs that are certain in a plan.
fn certain_inputs(plan: &Plan<'_>) -> Result<Vec<usize>, WorthError> {
    let names: Vec<&str> = plan.model.input_names().collect();
    let mut certain = Vec::new();
    for pattern in &plan.certain {
        let before = certain.len();
        certain.extend((0..names.len()).filter(|&input| matches(pattern, names[input])));
        if certain.len() == before {
            return Err(WorthError::NotUncertain {
                pattern: pattern.clone(),
                help: name_help(pattern, names.iter().copied()),
            });
        }
    }
    let correlated = plan.model.correlated_inputs();
    match certain.iter().find(|input| correlated.contains(input)) {
        Some(&tied) => Err(WorthError::Correlated(names[tied].to_owned())),
        None => Ok(certain),
    }
}
