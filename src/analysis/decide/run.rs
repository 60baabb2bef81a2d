//! A decision among the plans of a comparison, and why there may be none.
//!
//! [`Comparison::decision`](crate::analysis::compare::Comparison::decision) has one made from the trials of the comparison, and runs
//! the chosen plan again on fresh ones.

use serde::{Deserialize, Serialize};

use super::choice::Choice;
use crate::monte_carlo::sample_run::SampleError;
use crate::sampling::design::Design;

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
    /// The plans and worlds are not told apart.
    #[error("a decision is made among plans, in worlds: a matrix says which scenario is which")]
    NoMatrix,
    /// The trials are not independent, or are worth too few that are.
    #[error(
        "a decision needs independent trials, {LEAST_TRIALS} or as many as are worth that: \"{0}\" are not"
    )]
    Design(Design),
    /// The trials did not run.
    #[error(transparent)]
    Samples(#[from] SampleError),
}

/// Refuses trials that do not tell how sure a choice is.
pub fn check_trials(trials: u64, design: Design) -> Result<(), DecideError> {
    if trials < LEAST_TRIALS {
        return Err(DecideError::TooFewTrials(trials));
    }
    match design {
        Design::Random => Ok(()),
        Design::Ensemble { effective, .. } if effective >= LEAST_TRIALS => Ok(()),
        _ => Err(DecideError::Design(design)),
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
    /// was chosen. None if no plan is feasible, and of an ensemble, which has no other trials.
    pub value_on_fresh_trials: Option<f64>,
}
