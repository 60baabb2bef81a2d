//! The run of a decision: all plans in all worlds on the same trials, and the chosen plan again on fresh ones.

use serde::{Deserialize, Serialize};

use super::choice::{Choice, Trials, World, choose};
use super::evaluate::Questions;
use super::objective::{Constraint, Objective};
use crate::analysis::compare::Matrix;
use crate::model::Model;
use crate::monte_carlo::sample_run::{SampleError, SampleRun};
use crate::monte_carlo::settings::{RunSettings, setting_methods};

/// The fewest trials of a decision: with fewer the bootstrap says little. (an assumption)
pub const LEAST_TRIALS: u64 = 100;

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// There is nothing to choose from.
    #[error("a decision needs two plans or more: there {}", if *.0 == 1 { "is 1" } else { "are none" })]
    TooFewPlans(usize),
    /// A search has nothing to choose from.
    #[error(
        "there is nothing to decide\n  help: state what may be chosen under [[decisions]], or give a comparison with [[factors]]"
    )]
    NothingToDecide,
    /// A search has too few or too many objectives.
    #[error("{0} objectives are not one, nor the two of a front")]
    Objectives(usize),
    /// A selection by an indifference zone is not possible.
    #[error(
        "an indifference zone is for few plans, one objective that is a mean or a probability, and no constraints; it is a number above 0 in the unit of the objective"
    )]
    Indifference,
    /// A plan is wrong.
    #[error("{plan}: {error}")]
    Plan {
        /// Its settings.
        plan: String,
        /// What is wrong.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A plan is missing in a world.
    #[error("plan \"{plan}\" is not stated in world \"{world}\": every plan meets every world")]
    Missing {
        /// The plan.
        plan: String,
        /// The world.
        world: String,
    },
    /// Too few trials.
    #[error("{0} trials are too few to decide by: at least {LEAST_TRIALS}")]
    TooFewTrials(u64),
    /// A mean of dates that do not all exist.
    #[error(
        "mean({measure}) has no value: it does not exist in all trials of \"{plan}\"\n  help: ask for p50({measure}), p80({measure}) or a probability instead"
    )]
    NoMean {
        /// The measure.
        measure: String,
        /// The plan.
        plan: String,
    },
    /// A probability of what is neither a target nor a milestone.
    #[error(
        "probability({0}) has no meaning: it is neither a target nor a milestone\n  help: write probability({0} > NUMBER)"
    )]
    NoProbability(String),
    /// The trials did not run.
    #[error(transparent)]
    Samples(#[from] SampleError),
}

/// Plans and worlds, with a model of each plan in each world.
pub struct Choices<'a> {
    /// The names of the plans.
    pub plans: Vec<String>,
    /// The worlds with their weights.
    pub worlds: Vec<World>,
    /// By plan and world.
    pub models: Vec<Vec<Option<&'a Model>>>,
}

impl<'a> Choices<'a> {
    /// The plans and worlds of a matrix, with the model of each of its scenarios.
    ///
    /// # Panics
    /// If the matrix has a scenario that has no model.
    pub fn of(matrix: &Matrix, models: &[&'a Model]) -> Self {
        let of_plan = |plan: &Vec<usize>| plan.iter().map(|at| Some(models[*at])).collect();
        Self {
            plans: matrix.plans.clone(),
            worlds: matrix.worlds.clone(),
            models: matrix.scenarios.iter().map(of_plan).collect(),
        }
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Decision {
    /// The title of the comparison.
    pub title: String,
    /// The version of the program.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// How many trials each plan had in each world.
    pub trials: u64,
    /// The unit of the objective.
    pub unit: String,
    /// The plans against each other.
    pub choice: Choice,
    /// The value of the best plan on as many fresh trials: free of the selection bias of the trials on which it
    /// was chosen. None if no plan is feasible.
    pub value_on_fresh_trials: Option<f64>,
}

/// A decision about to be made.
pub struct DecideRun<'a> {
    choices: Choices<'a>,
    objective: Objective,
    constraints: Vec<Constraint>,
    settings: RunSettings<'a>,
}

impl<'a> DecideRun<'a> {
    /// A decision among these by an objective, in [`DEFAULT_TRIALS`](crate::monte_carlo::batch::DEFAULT_TRIALS) trials of seed 0.
    pub fn new(choices: Choices<'a>, objective: Objective) -> Self {
        Self {
            choices,
            objective,
            constraints: Vec::new(),
            settings: RunSettings::default(),
        }
    }

    /// Adds what must hold.
    #[must_use]
    pub fn constraints(mut self, constraints: impl IntoIterator<Item = Constraint>) -> Self {
        self.constraints.extend(constraints);
        self
    }

    setting_methods!(trials, seed, threads, on_progress, cancelled_by);

    /// Runs all trials and decides.
    pub fn run(&self, title: impl Into<String>) -> Result<Decision, DecideError> {
        let Choices { plans, worlds, .. } = &self.choices;
        if plans.len() < 2 {
            return Err(DecideError::TooFewPlans(plans.len()));
        }
        if self.settings.count() < LEAST_TRIALS {
            return Err(DecideError::TooFewTrials(self.settings.count()));
        }
        let runs = (plans.len() * worlds.len() + worlds.len()) as u64;
        let mut all = Vec::with_capacity(plans.len());
        let unit = self.questions().unit(0, self.model(0, 0)?)?;
        for plan in 0..plans.len() {
            let mut of_plan = Vec::with_capacity(worlds.len());
            for world in 0..worlds.len() {
                let number = (plan * worlds.len() + world) as u64;
                of_plan.push(self.samples(plan, world, 0, (number, runs))?);
            }
            all.push(of_plan);
        }
        let decide = |worlds: &[World], plans: &[String], all: &[Vec<Trials>]| {
            choose(
                &self.objective,
                &self.constraints,
                worlds,
                plans,
                all,
                self.settings.drawing.seed(),
            )
        };
        let choice = decide(worlds, plans, &all);
        let mut value_on_fresh_trials = None;
        if let Some(best) = choice.best {
            let mut fresh = Vec::with_capacity(worlds.len());
            for world in 0..worlds.len() {
                let number = (plans.len() * worlds.len() + world) as u64;
                fresh.push(self.samples(best, world, self.settings.count(), (number, runs))?);
            }
            let again = decide(worlds, std::slice::from_ref(&plans[best]), &[fresh]);
            value_on_fresh_trials = Some(again.plans[0].value);
        }
        Ok(Decision {
            title: title.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.settings.drawing.seed(),
            trials: self.settings.count(),
            unit,
            choice,
            value_on_fresh_trials,
        })
    }

    /// The trials of one plan in one world, from the number `first` on.
    fn samples(
        &self,
        plan: usize,
        world: usize,
        first: u64,
        (number, runs): (u64, u64),
    ) -> Result<Trials, DecideError> {
        let model = self.model(plan, world)?;
        let questions = self.questions();
        let run = SampleRun::with_settings(model, self.settings.of_run(number, runs))
            .measures(questions.measures())
            .trial_range(first..first + self.settings.count());
        let plan = &self.choices.plans[plan];
        questions.trials(0, plan, model.layout(), &run.run()?)
    }

    fn questions(&self) -> Questions<'_> {
        Questions {
            objectives: std::slice::from_ref(&self.objective),
            constraints: &self.constraints,
        }
    }

    fn model(&self, plan: usize, world: usize) -> Result<&'a Model, DecideError> {
        let Choices {
            plans,
            worlds,
            models,
        } = &self.choices;
        models[plan][world].ok_or_else(|| DecideError::Missing {
            plan: plans[plan].clone(),
            world: worlds[world].name.clone(),
        })
    }
}
