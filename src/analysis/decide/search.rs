//! A search for the best settings of decision variables.
//!
//! All plans are simulated on the same trials, with common random numbers. How depends on what there is to choose:
//!
//! - few plans: all of them or, if a difference is named that is worth detecting, as many trials of each as
//!   [selecting](super::selection) the best takes;
//! - many, or ranges: a space-filling design (scrambled Sobol' points) on a quarter of the trials, from its best point a simplex
//!   ([Nelder & Mead], the crate argmin) on the same trials, then the leading plans again on all trials;
//! - two objectives: the plans that no other one beats in both (the Pareto front), found by a design, then by small changes of those
//!   on the front.
//!
//! A plan that breaks a constraint counts as worse than any that breaks none. The best plan has been chosen for its value, which
//! is therefore optimistic ("the winner's curse"): it is simulated again on fresh trials, and the difference is reported.
//!
//! [Nelder & Mead]: https://doi.org/10.1093/comjnl/7.4.308

mod simplex;
mod tried;

use serde::{Deserialize, Serialize};

use self::tried::Tried;
use super::choice::Trials;
use super::evaluate::Questions;
use super::objective::{Constraint, Objective};
use super::run::{DecideError, LEAST_TRIALS};
use super::selection::{Indifference, Selected, select};
use crate::model::Model;
use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::sample_run::{SampleError, SampleRun};
use crate::monte_carlo::settings::{RunSettings, setting_methods};
use crate::policy::{DecisionVariable, Setting};
use crate::sampling::sobol::ScrambledSobol;
use crate::sampling::streams::Source;
use crate::uncertain::normal_quantile;

/// How many plans are tried by default. (an assumption)
pub const DEFAULT_PLANS: usize = 60;
/// A range is searched on one in this many trials first. (an assumption)
const SCREENED_ON_ONE_IN: u64 = 4;
/// How many leading plans of a search are simulated on all trials. (an assumption)
const FINALISTS: usize = 5;
/// The probability of correct selection by default. (an assumption)
pub const DEFAULT_CONFIDENCE: f64 = 0.95;
/// The standard deviation of small changes, as a share of a range. (an assumption)
const SMALL_CHANGE: f64 = 0.1;

/// Makes the model of a plan from the settings of the variables, in their order.
pub type Build<'a> =
    dyn Fn(&[Setting]) -> Result<Model, Box<dyn std::error::Error + Send + Sync>> + 'a;

/// A plan that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TriedPlan {
    /// The settings of the variables.
    pub settings: Vec<Setting>,
    /// The value of each objective.
    pub values: Vec<f64>,
    /// The value of each constraint's statistic.
    pub constraints: Vec<f64>,
    /// Whether all constraints hold.
    pub is_feasible: bool,
    /// On how many trials.
    pub trials: u64,
}

/// The best plan of one objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BestPlan {
    /// The plan: its position among those tried.
    pub plan: usize,
    /// The probability that it is the best of those that were simulated on all trials, or with which the selection is correct; none
    /// if the trials ran out before it was selected.
    pub probability_best: Option<f64>,
    /// Its value on fresh trials.
    pub value_on_fresh_trials: f64,
    /// By how much its value was better on the trials for which it was chosen, in the unit of the objective.
    pub optimism: f64,
    /// The variables, by their positions, that it sets to an end of their range: beyond it there may be a better plan.
    pub at_an_end: Vec<usize>,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Found {
    /// The name of the scenario.
    pub title: String,
    /// The version of the program.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// The most trials of a plan.
    pub trials: u64,
    /// The variables.
    pub variables: Vec<String>,
    /// What is wanted: one objective, or two.
    pub objectives: Vec<Objective>,
    /// The unit of each.
    pub units: Vec<String>,
    /// What must hold.
    pub constraints: Vec<Constraint>,
    /// Whether all plans that there are were tried.
    pub is_exhaustive: bool,
    /// The plans, in the order in which they were tried.
    pub plans: Vec<TriedPlan>,
    /// Of two objectives the feasible plans that no other feasible one beats in both, from the best of the first objective on.
    pub front: Vec<usize>,
    /// The best plan of one objective. `None` if no plan is feasible.
    pub best: Option<BestPlan>,
    /// How the best was selected, if a difference was named that is worth detecting.
    pub selected: Option<Selected>,
}

/// A search about to run.
pub struct SearchRun<'a> {
    variables: Vec<DecisionVariable>,
    objectives: Vec<Objective>,
    constraints: Vec<Constraint>,
    build: Box<Build<'a>>,
    plans: usize,
    indifference: Option<f64>,
    confidence: f64,
    /// Of its trials a plan has all at most.
    settings: RunSettings<'a>,
}

impl<'a> SearchRun<'a> {
    /// A search for the settings that are best by one objective, or the front of two; `build` makes the model of a plan.
    pub fn new(
        variables: impl IntoIterator<Item = DecisionVariable>,
        objectives: impl IntoIterator<Item = Objective>,
        build: impl Fn(&[Setting]) -> Result<Model, Box<dyn std::error::Error + Send + Sync>> + 'a,
    ) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            objectives: objectives.into_iter().collect(),
            constraints: Vec::new(),
            build: Box::new(build),
            plans: DEFAULT_PLANS,
            indifference: None,
            confidence: DEFAULT_CONFIDENCE,
            settings: RunSettings::default(),
        }
    }

    /// Adds what must hold.
    #[must_use]
    pub fn constraints(mut self, constraints: impl IntoIterator<Item = Constraint>) -> Self {
        self.constraints.extend(constraints);
        self
    }

    setting_methods!(trials, seed, threads, on_progress, cancelled_by, kept);

    /// Tries at most this many plans.
    #[must_use]
    pub fn plans(mut self, plans: usize) -> Self {
        self.plans = plans;
        self
    }

    /// Stops the trials of a plan as soon as another one is better or no worse by this much, in the objective's unit. Of few plans,
    /// one objective that is a mean or a probability, and no constraints.
    #[must_use]
    pub fn indifference(mut self, delta: f64) -> Self {
        self.indifference = Some(delta);
        self
    }

    /// The probability with which that selection is correct.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }

    /// Searches.
    pub fn run(&self, title: impl Into<String>) -> Result<Found, DecideError> {
        self.check()?;
        let all = self.all_plans();
        let mut tried = Tried::new(self);
        let mut selected = None;
        let mut best = None;
        match &all {
            Some(all) if self.indifference.is_some() => {
                let found = self.select(all, &mut tried)?;
                best = Some((found.best, found.is_sure.then_some(self.confidence)));
                selected = Some(found);
            }
            Some(all) => {
                for settings in all {
                    tried.plan(settings, self.settings.count())?;
                }
            }
            None if self.objectives.len() == 1 => self.descend(&mut tried)?,
            None => self.spread(&mut tried)?,
        }
        if self.objectives.len() == 1 && selected.is_none() {
            best = tried.best_of_finalists();
        }
        let best = match best {
            Some((plan, probability)) => Some(tried.on_fresh_trials(plan, probability)?),
            None => None,
        };
        Ok(Found {
            title: title.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.settings.drawing.seed(),
            trials: self.settings.count(),
            variables: self.variables.iter().map(|one| one.name.clone()).collect(),
            objectives: self.objectives.clone(),
            units: tried.units.clone(),
            constraints: self.constraints.clone(),
            is_exhaustive: all.is_some(),
            front: if self.objectives.len() > 1 {
                tried.front()
            } else {
                Vec::new()
            },
            plans: tried.plans,
            best,
            selected,
        })
    }

    fn check(&self) -> Result<(), DecideError> {
        if self.variables.is_empty() {
            return Err(DecideError::NothingToDecide);
        }
        if !(1..=2).contains(&self.objectives.len()) {
            return Err(DecideError::Objectives(self.objectives.len()));
        }
        if self.settings.count() < LEAST_TRIALS {
            return Err(DecideError::TooFewTrials(self.settings.count()));
        }
        if let Some(delta) = self.indifference {
            let is_selectable = self.objectives.len() == 1
                && self.objectives[0].of.is_mean()
                && self.constraints.is_empty()
                && self.all_plans().is_some();
            if !(is_selectable && delta.is_finite() && delta > 0.0) {
                return Err(DecideError::Indifference);
            }
        }
        Ok(())
    }

    /// All plans that there are, if they are few enough.
    fn all_plans(&self) -> Option<Vec<Vec<Setting>>> {
        let counts: Vec<usize> = self
            .variables
            .iter()
            .map(DecisionVariable::count)
            .collect::<Option<_>>()?;
        let total = counts
            .iter()
            .try_fold(1_usize, |all, count| all.checked_mul(*count))?;
        if total > self.plans {
            return None;
        }
        let plan = |mut number: usize| {
            let mut settings = Vec::with_capacity(counts.len());
            for (variable, count) in self.variables.iter().zip(&counts) {
                settings.push(variable.setting(number % count));
                number /= count;
            }
            settings
        };
        Some((0..total).map(plan).collect())
    }

    fn questions(&self) -> Questions<'_> {
        Questions {
            objectives: &self.objectives,
            constraints: &self.constraints,
        }
    }

    /// Selects the best of all plans with as few trials as that takes.
    fn select(&self, all: &[Vec<Setting>], tried: &mut Tried<'_>) -> Result<Selected, DecideError> {
        let asked = Indifference {
            delta: self.indifference.unwrap_or(f64::MAX),
            confidence: self.confidence,
            first: LEAST_TRIALS,
            at_most: self.settings.count(),
        };
        let models: Vec<Model> = all
            .iter()
            .map(|settings| self.model(settings))
            .collect::<Result<_, _>>()?;
        tried.units = vec![self.questions().unit(0, &models[0])?];
        let sign = self.objectives[0].direction.gain(1.0, 0.0);
        let mut selected = select(all.len(), asked, |plan, trials| {
            let trials = self.trials_of(&models[plan], trials, 0)?;
            Ok::<_, DecideError>(trials.objective.iter().map(|x| sign * x).collect())
        })?;
        selected.means.iter_mut().for_each(|mean| *mean *= sign);
        for ((settings, mean), trials) in all.iter().zip(&selected.means).zip(&selected.trials) {
            tried.plans.push(TriedPlan {
                settings: settings.clone(),
                values: vec![*mean],
                constraints: Vec::new(),
                is_feasible: true,
                trials: *trials,
            });
            tried.columns.push(Trials::default());
        }
        Ok(selected)
    }

    /// A design, and from its best point a simplex, both on part of the trials.
    fn descend(&self, tried: &mut Tried<'_>) -> Result<(), DecideError> {
        let trials = (self.settings.count() / SCREENED_ON_ONE_IN).max(LEAST_TRIALS);
        let design = (self.plans / 2).max(1);
        let mut leading = (f64::INFINITY, vec![0.5; self.variables.len()]);
        for point in self.design(design) {
            let plan = tried.plan(&self.at(&point), trials)?;
            let cost = tried.cost(plan);
            if cost < leading.0 {
                leading = (cost, point);
            }
        }
        let mut failed = None;
        simplex::descend(&leading.1, 4 * self.plans as u64, |point| {
            let settings = self.at(point);
            if tried.plans.len() >= self.plans && tried.known(&settings).is_none() {
                return None;
            }
            match tried.plan(&settings, trials) {
                Ok(plan) => Some(tried.cost(plan)),
                Err(error) => {
                    failed = Some(error);
                    None
                }
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        for plan in tried.leading(FINALISTS) {
            tried.again(plan, self.settings.count())?;
        }
        Ok(())
    }

    /// A design, and small changes of what is on the front, on all trials.
    fn spread(&self, tried: &mut Tried<'_>) -> Result<(), DecideError> {
        let mut points = Vec::new();
        for point in self.design((self.plans / 2).max(1)) {
            let plan = tried.plan(&self.at(&point), self.settings.count())?;
            points.push((plan, point));
        }
        let source = Source::named("small changes of a decision");
        // Changes that change nothing, since settings are steps, are not counted for ever.
        for change in 0..4 * self.plans as u64 {
            if tried.plans.len() >= self.plans {
                break;
            }
            let front = tried.front();
            let Some(&chosen) = front.get(change as usize % front.len().max(1)) else {
                break;
            };
            let Some((_, from)) = points.iter().find(|(plan, _)| *plan == chosen) else {
                continue;
            };
            let mut stream = source.stream(self.settings.drawing.seed(), change);
            let point: Vec<f64> = (from.iter())
                .map(|x| (x + SMALL_CHANGE * normal_quantile(stream.uniform())).clamp(0.0, 1.0))
                .collect();
            let plan = tried.plan(&self.at(&point), self.settings.count())?;
            points.push((plan, point));
        }
        Ok(())
    }

    /// Points that fill the unit cube evenly.
    fn design(&self, count: usize) -> Vec<Vec<f64>> {
        let sources: Vec<Source> = (self.variables.iter())
            .map(|variable| Source::named(&format!("decision {}", variable.name)))
            .collect();
        let sobol = ScrambledSobol::new(&sources, self.settings.drawing.seed(), 1);
        (0..count as u64)
            .map(|index| {
                let mut point = vec![0.5; sources.len()];
                sobol.point(0, index, &mut point);
                point
            })
            .collect()
    }

    fn at(&self, point: &[f64]) -> Vec<Setting> {
        let pairs = self.variables.iter().zip(point);
        pairs.map(|(variable, share)| variable.at(*share)).collect()
    }

    fn model(&self, settings: &[Setting]) -> Result<Model, DecideError> {
        (self.build)(settings).map_err(|error| {
            let set = self.variables.iter().zip(settings);
            let set = set.map(|(variable, setting)| format!("{} = {setting}", variable.name));
            DecideError::Plan {
                plan: set.collect::<Vec<_>>().join(", "),
                error,
            }
        })
    }

    /// The trials of a model by these numbers, `done` having been run before.
    fn trials_of(
        &self,
        model: &Model,
        trials: std::ops::Range<u64>,
        done: u64,
    ) -> Result<Trials, DecideError> {
        self.samples(model, trials, done).and_then(|samples| {
            self.questions()
                .trials(0, model.name(), model.layout(), &|measure| {
                    Some(
                        samples
                            .measure(&measure.label(model.layout()).name)?
                            .values
                            .as_slice(),
                    )
                })
        })
    }

    fn samples(
        &self,
        model: &Model,
        trials: std::ops::Range<u64>,
        done: u64,
    ) -> Result<crate::projection::Samples, DecideError> {
        if self.settings.silent_loop().is_cancelled() {
            return Err(SampleError::from(RunError::Cancelled).into());
        }
        let most = (self.plans as u64 + 1) * self.settings.count();
        let settings = self.settings.of_trials(trials, done, most);
        let run = SampleRun::with_settings(model, settings).measures(self.questions().measures());
        Ok(run.run()?)
    }
}

#[cfg(test)]
mod tests;
