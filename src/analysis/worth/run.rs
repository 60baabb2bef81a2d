//! Runs a plan and changes of it on the same trials, and values the changes and information.

use std::ops::Range;
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
use crate::monte_carlo::stop::{GoalError, KnownTo, Until};
use crate::pattern::matches;
use crate::problem::name_help;
use crate::projection::{MeasureKind, Samples};
use crate::sampling::design::{Design, Drawing};
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
    /// What is to be known cannot be pursued.
    #[error(transparent)]
    Goal(#[from] GoalError),
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
    until: Option<Until<f64>>,
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
            until: None,
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

    /// Runs until the gain of each change in money, or without money in capacity, is known to ± so much, the one goal, or to the most
    /// trials: see [`stop`](crate::monte_carlo::stop).
    #[must_use]
    pub fn until(mut self, until: Until<f64>) -> Self {
        self.until = Some(until);
        self
    }

    setting_methods!(
        trials,
        seed,
        drawing,
        threads,
        on_progress,
        cancelled_by,
        kept
    );

    /// Runs all trials and values the changes and information.
    pub fn run(&self) -> Result<WorthReport, WorthError> {
        let fewest = (self.until.as_ref()).map_or(self.settings.count(), |until| until.at_least);
        if fewest < LEAST_TRIALS {
            return Err(WorthError::TooFewTrials(fewest));
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
        let mut gathered = GatheredPlans::default();
        let known_to = match &self.until {
            Some(until) => Some(self.gather_until(until, &mut gathered)?),
            None => {
                self.gather(0..self.settings.count(), &mut gathered)?;
                None
            }
        };
        let GatheredPlans { plans, known } = gathered;
        let money = plans[0].money.as_ref();
        let information = match money {
            Some(_) => Some(self.information(&known, &plans)?),
            None => None,
        };
        Ok(WorthReport {
            plan: self.plan.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.settings.drawing.seed(),
            trials: plans[0].capacity.values.len() as u64,
            money: money.map(|money| money.name.clone()),
            currency: money.map(|money| money.unit.clone()).unwrap_or_default(),
            changes: worth_of_changes(&plans[0], &plans[1..]),
            information,
            known_to,
        })
    }

    /// The plan and its changes.
    fn plans(&self) -> impl Iterator<Item = &Plan<'a>> {
        std::iter::once(&self.plan).chain(&self.changes)
    }

    /// The runs of trials that [`Self::run`] makes where it has no goal, one of each plan.
    pub fn sample_runs(&self) -> Result<Vec<SampleRun<'_>>, WorthError> {
        let of = 1 + self.changes.len() as u64;
        let all = 0..self.settings.count();
        let plans = self.plans().zip(0..);
        plans
            .map(|(plan, number)| self.sample_run(plan, all.clone(), (number, of)))
            .collect()
    }

    /// Runs these trials of all plans, which come after those that are there.
    fn gather(&self, trials: Range<u64>, gathered: &mut GatheredPlans) -> Result<(), WorthError> {
        let of = 1 + self.changes.len() as u64;
        for (number, plan) in self.plans().enumerate() {
            let run = self.sample_run(plan, trials.clone(), (number as u64, of))?;
            let samples = run.run()?;
            let numbers = self.numbers(plan, &samples);
            match gathered.plans.get_mut(number) {
                Some(before) => before.extend(&numbers),
                None => gathered.plans.push(numbers),
            }
            gathered.known.add(plan, samples, trials.end);
        }
        Ok(())
    }

    /// Runs trials until the gain of each change is known to ± so much, or to the most trials.
    fn gather_until(
        &self,
        until: &Until<f64>,
        gathered: &mut GatheredPlans,
    ) -> Result<KnownTo, WorthError> {
        until.check_numbers()?;
        let design = self.settings.drawing.design();
        if design != Design::Random {
            return Err(GoalError::Dependent(design).into());
        }
        let sequence = until.sequence(self.changes.len().max(1));
        let mut done = 0;
        for trials in until.looks() {
            self.gather(done..trials, gathered)?;
            done = trials;
            let half = sequence.half_width_of_mean(trials as f64);
            let changes = worth_of_changes(&gathered.plans[0], &gathered.plans[1..]);
            let gains = changes
                .iter()
                .map(|change| change.money.as_ref().unwrap_or(&change.capacity));
            let std_dev =
                gains.map(|gain| gain.std_error).fold(0.0, f64::max) * (trials as f64).sqrt();
            let known = KnownTo::new(until, std_dev * half);
            if known.is_reached || trials == until.at_most {
                return Ok(known);
            }
        }
        Err(SampleError::from(RunError::NoTrials).into())
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

    /// The run of these trials of one plan.
    fn sample_run<'s>(
        &'s self,
        plan: &Plan<'a>,
        trials: Range<u64>,
        (number, of): (u64, u64),
    ) -> Result<SampleRun<'s>, WorthError> {
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
            .measures(targets.map(|target| target.name.as_str()));
        if plan.certain.is_empty() {
            return Ok(run.trial_range(trials));
        }
        // An ensemble numbers its trials from 0.
        let count = trials.end - trials.start;
        Ok(run
            .drawing(self.drawing_of(plan, trials)?)
            .trial_range(0..count))
    }

    /// These trials of all plans, with the inputs that are certain in this one at their medians.
    fn drawing_of(&self, plan: &Plan<'a>, trials: Range<u64>) -> Result<Drawing, WorthError> {
        let certain = certain_inputs(plan)?;
        let sampling = plan.model.sampling_of(&self.settings.drawing);
        let sampling = sampling.map_err(|error| SampleError::from(RunError::from(error)))?;
        let mut ensemble = Ensemble::new(plan.model.input_names(), self.settings.drawing.seed())?;
        let mut point = Vec::new();
        for trial in trials {
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
        let nothing = vec![0.0; trials[0].capacity.values.len()];
        let mut options: Vec<(&str, &[f64])> = (trials.iter())
            .filter_map(|plan| Some((plan.name.as_str(), plan.money.as_ref()?.values.as_slice())))
            .collect();
        if options.len() == 1 {
            options.push((DO_NOTHING, &nothing));
        }
        Ok(worth_of_information(&options, &columns, &sets))
    }
}

/// What has been run of all plans.
#[derive(Default)]
struct GatheredPlans {
    plans: Vec<PlanTrials>,
    known: KnownInputs,
}

/// The inputs of all plans, each once: plans share their trials, and so what they have in common.
#[derive(Default)]
struct KnownInputs {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
}

impl KnownInputs {
    /// Adds those of a plan that are not there yet. Where some are certain they say nothing of the trial.
    /// Trials up to `end` are then there.
    fn add(&mut self, plan: &Plan<'_>, samples: Samples, end: u64) {
        if !plan.certain.is_empty() {
            return;
        }
        for input in samples.into_inputs() {
            match self.names.iter().position(|name| *name == input.name) {
                None => {
                    self.names.push(input.name);
                    self.columns.push(input.values);
                }
                Some(known) if (self.columns[known].len() as u64) < end => {
                    self.columns[known].extend(input.values);
                }
                Some(_) => {}
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
