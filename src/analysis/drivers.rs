//! What drives a result: which inputs its spread comes from, estimated from trials that one already has.
//!
//! For each input: its first-order index ([`first_order`]), how far it moves the whole distribution or a probability
//! ([`distance`]), the result at its P10 and its P90 ([`tornado`]), and where inputs are correlated its partial rank
//! correlation ([`partial_correlation`]). The same for groups of inputs, by regression. What is no larger than chance
//! makes it among so many inputs is said to be within the noise.
//!
//! Trials of their own are needed to distinguish interactions from process noise ([`totals`]) and to screen very many inputs
//! ([`screening`]). When a target fails is described by conditions on inputs ([`conditions`]).

pub mod bins;
pub mod conditions;
pub mod distance;
pub mod first_order;
mod given;
pub mod groups;
pub mod partial_correlation;
#[cfg(test)]
pub(crate) mod reference;
pub mod report;
pub mod resampling;
pub mod run;
pub mod screening;
pub mod tornado;
pub mod totals;

use serde::{Deserialize, Serialize};

pub use given::{GivenInput, GivenTrials, given_drivers};

use conditions::FailureBox;
use resampling::Estimate;
use tornado::Conditional;

/// Fewer trials than these are refused: an input of no effect then has an index of about 0.02 by chance.
pub const LEAST_TRIALS: usize = 200;
/// A target has to be met, and missed, in at least this many trials.
pub const LEAST_OF_EITHER: usize = 25;

/// What kind of number a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResultKind {
    /// A number, such as a metric or an outcome.
    Number,
    /// A date in months after the start; infinite where it is not within the horizon.
    Date,
    /// 1 for a target that is met, 0 for one that is missed.
    Target,
}

/// The result whose drivers are sought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DrivenResult {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ResultKind,
    /// Its unit; "months" for a date.
    pub unit: String,
    /// Its mean; of a target, the probability to meet it.
    pub mean: f64,
    /// The standard error of the mean.
    pub std_error: f64,
    /// Its standard deviation.
    pub std_dev: f64,
    /// The share of trials in which a date is not within the horizon. It counts as the horizon's end there.
    pub not_reached: f64,
}

/// What drives a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Drivers {
    /// The result.
    pub of: DrivenResult,
    /// How many trials were used; those in which the result is no number are left out.
    pub trials: u64,
    /// Inputs that stand out from chance, the one with the largest first-order index first.
    pub inputs: Vec<InputDriver>,
    /// The others.
    pub within_noise: Vec<WithinNoise>,
    /// The largest measures that inputs without effect would show in one of twenty analyses.
    pub noise_floor: NoiseFloor,
    /// Groups of inputs that stand out, the largest share first.
    pub groups: Vec<GroupDriver>,
    /// The share of the variance that all inputs together are sure to explain. What is missing to 1 is process noise, or
    /// inputs that act together in a way that the regression does not see.
    pub explained: Estimate,
    /// Conditions under which a target fails, if they were asked for.
    pub failures: Option<Vec<FailureBox>>,
}

/// An input that drives the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputDriver {
    /// Its name.
    pub name: String,
    /// The share of the variance that knowing it would take away, by bins. Of an input that is correlated with others it
    /// has what it shares with them.
    pub first_order: Estimate,
    /// The same by ranks, as a check: standard error about 1 / sqrt(trials).
    pub first_order_by_ranks: f64,
    /// Borgonovo's delta.
    pub delta: Estimate,
    /// PAWN's largest distance.
    pub pawn: Estimate,
    /// The result where the input is low, and where it is high.
    pub tornado: [Conditional; 2],
    /// Its partial rank correlation with the result, where the scenario correlates it with other inputs.
    pub partial_rank_correlation: Option<Estimate>,
}

/// An input whose effect, if it has one, is within the noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithinNoise {
    /// Its name.
    pub name: String,
    /// Its first-order index by bins; it may be below 0 by chance.
    pub first_order: f64,
}

/// What inputs without effect show by chance: each is exceeded by the largest of them in one of twenty analyses, as random
/// permutations of the result show (Westfall & Young, "Resampling-Based Multiple Testing", 1993).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoiseFloor {
    /// Of the first-order index by bins.
    pub first_order: f64,
    /// Of delta, before it is corrected.
    pub delta: f64,
    /// Of PAWN, before it is corrected.
    pub pawn: f64,
}

/// A group of inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupDriver {
    /// Its name: what was given, or the pattern that its inputs fit.
    pub name: String,
    /// How many inputs it has.
    pub inputs: u64,
    /// The share of the variance that knowing all of them would take away, at least.
    pub share: Estimate,
}

/// Why the drivers of a result cannot be estimated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DriversError {
    /// Nothing is uncertain.
    #[error("the scenario has no uncertain input: nothing can drive its results")]
    NoInputs,
    /// There are too few trials.
    #[error(
        "{trials} trials are too few to show what drives a result\n  help: run {LEAST_TRIALS} or more; 5,000 show an input that has 1 % of the variance"
    )]
    TooFewTrials {
        /// How many there are in which the result is a number.
        trials: usize,
    },
    /// The trials repeat few members of an ensemble.
    #[error(
        "the ensemble is worth {effective} independent trials: too few to show what drives a result\n  help: an ensemble of {LEAST_TRIALS} effective members or more"
    )]
    FewEffective {
        /// Its effective sample size.
        effective: u64,
    },
    /// The result is the same in all trials.
    #[error("\"{name}\" is {value} in every one of {trials} trials: nothing drives it")]
    Constant {
        /// The result.
        name: String,
        /// Its value, as words.
        value: String,
        /// How many trials.
        trials: usize,
    },
    /// A target is met or missed in too few trials.
    #[error(
        "\"{name}\" is {word} in {few} of {trials} trials: too few to show what drives it\n  help: run about {needed} trials"
    )]
    TooFewOfEither {
        /// The target.
        name: String,
        /// "met" or "missed".
        word: &'static str,
        /// In how many trials.
        few: usize,
        /// Of how many.
        trials: usize,
        /// How many trials would do.
        needed: u64,
    },
    /// A group has no inputs.
    #[error("no uncertain input fits the pattern \"{pattern}\" of the group \"{group}\"{help}")]
    EmptyGroup {
        /// The group.
        group: String,
        /// The pattern.
        pattern: String,
        /// A name that is meant, perhaps.
        help: String,
    },
}
