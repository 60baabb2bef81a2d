//! Sampling designs: how the inputs of the trials of a batch are spread over their distributions.
//!
//! A trial's inputs are quantiles of uniform numbers in (0, 1), one for each input. A design says how
//! the uniforms of different trials belong together; each uniform alone stays exactly uniform, so
//! all designs estimate the same results, without bias, and differ only in how large the error is. Process noise
//! (arrivals, sizes, churn) is drawn at random under all of them.
//!
//! Under every design the inputs of trial t depend on (scenario, seed, design, t) alone: not on
//! the number of trials, threads, shards or machines. So a run can be replayed, resumed, split and made longer.
//!
//! | design | what belongs together | when an input is added, the draws of the others |
//! |---|---|---|
//! | random | nothing | stay |
//! | antithetic | trials 2k and 2k + 1: u and 1 - u | stay |
//! | Latin hypercube | n trials in a row: each input has one u in each of n equal strata | stay |
//! | ensemble | what its maker says | are those of the ensemble, by name |
//! | Sobol' | all trials of a replicate | stay for inputs before it in the scenario's order; those after it move on by one dimension |
//!
//! # Errors
//! Trials that belong together are not independent, so sqrt(variance / trials) would overstate
//! the error, or understate it. Therefore designs other than random are run as some independent *replicates*, and
//! standard errors come from how much the replicates differ:
//! sqrt(R/(R-1) sum (n_r/n)^2 (x_r - mean)^2) for the results x_r of R replicates with n_r of n
//! trials (Owen, "Monte Carlo theory, methods and examples", 2013, chapters 8 and 17).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ensemble::{Digest, Ensemble};
use super::permutation::Permutation;
use super::sobol::{DIMENSIONS, ScrambledSobol};
use super::streams::Source;

/// How many replicates a design has by default. (an assumption) A standard error
/// from 16 is itself known to about 18 %, from 1 / sqrt(2 (R - 1)).
pub const DEFAULT_REPLICATES: u32 = 16;
/// The most replicates: each needs memory for a projection of its own.
pub const MOST_REPLICATES: u32 = 256;
/// How many successive trials are of one replicate, so that a worker gathers them at once.
const RUN: u64 = 64;

/// How the inputs of trials are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Design {
    /// Every trial is independent of the others.
    #[default]
    Random,
    /// Pairs of trials: every u of the first is 1 - u in the second
    /// (Hammersley and Morton, "A new Monte Carlo technique: antithetic variates", Mathematical Proceedings
    /// of the Cambridge Philosophical Society 52, 1956). It takes away the error of what is
    /// linear in the inputs; the variance of what is symmetric in an input gets worse, at most twofold.
    Antithetic {
        /// How many independent replicates, 2 to [`MOST_REPLICATES`].
        replicates: u32,
    },
    /// Latin hypercubes, one after the other (McKay, Beckman and Conover, "A comparison of three
    /// methods for selecting values of input variables", Technometrics 21(2), 1979): it takes
    /// away what is a sum of functions of one input each (Stein, Technometrics 29(2), 1987).
    LatinHypercube {
        /// How many trials a hypercube has, 1 to 2^40. Best is the number of trials divided by that of replicates.
        size: u64,
        /// How many independent replicates, 2 to [`MOST_REPLICATES`]: hypercubes in turn.
        replicates: u32,
    },
    /// A scrambled Sobol' sequence in each replicate. It takes away most of
    /// what is smooth or of few inputs at a time. Best is a number of trials that is a power of two times
    /// the number of replicates, from 64 a replicate.
    ///
    /// Direction numbers reach to 21,201 inputs; those beyond are drawn at random.
    Sobol {
        /// How many independent replicates, 2 to [`MOST_REPLICATES`].
        replicates: u32,
    },
    /// The members of an [`Ensemble`], each as often as its multiplicity says: the trials of a posterior, or points of the
    /// caller's own. It is made by [`Ensemble::design`] and needs the ensemble beside it: see [`Drawing::of`].
    Ensemble {
        /// How many members it has.
        members: u64,
        /// How many trials: the sum of the multiplicities.
        trials: u64,
        /// How many independent members would have as much to say: (sum of multiplicities)^2 / sum of their squares,
        /// rounded down (Kish, "Survey Sampling", 1965).
        effective: u64,
        /// What distinguishes it from other ensembles.
        digest: Digest,
    },
}

/// Why a design or a trial of it cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DesignError {
    /// Too few or too many replicates.
    #[error(
        "{0} replicates: a design needs 2 to {MOST_REPLICATES}, to estimate the error from how they differ"
    )]
    Replicates(u32),
    /// A hypercube of no or too many trials.
    #[error("a Latin hypercube of {0} trials: it can have 1 to 2^40")]
    Size(u64),
    /// The trial numbers go beyond what the design has points for.
    #[error(
        "trial {trial} is beyond the {most} trials that the design \"{design}\" has points for"
    )]
    Beyond {
        /// The design.
        design: Design,
        /// The number of the trial.
        trial: u64,
        /// How many there are.
        most: u64,
    },
    /// A design names an ensemble that is not given.
    #[error("the trials are those of an ensemble, which must be given: {0}")]
    NoEnsemble(Design),
}

impl Design {
    /// Antithetic pairs in [`DEFAULT_REPLICATES`].
    pub const ANTITHETIC: Self = Self::Antithetic {
        replicates: DEFAULT_REPLICATES,
    };
    /// Sobol' points in [`DEFAULT_REPLICATES`].
    pub const SOBOL: Self = Self::Sobol {
        replicates: DEFAULT_REPLICATES,
    };

    /// Latin hypercubes in [`DEFAULT_REPLICATES`], one in each, for a batch of that many trials.
    pub fn latin_hypercube(trials: u64) -> Self {
        Self::LatinHypercube {
            size: trials.div_ceil(u64::from(DEFAULT_REPLICATES)).max(1),
            replicates: DEFAULT_REPLICATES,
        }
    }

    /// How many independent replicates it consists of; 1 for independent trials.
    pub fn replicates(self) -> u32 {
        match self {
            Self::Random | Self::Ensemble { .. } => 1,
            Self::Antithetic { replicates }
            | Self::LatinHypercube { replicates, .. }
            | Self::Sobol { replicates } => replicates,
        }
    }

    /// Refuses a design that cannot be run.
    pub fn check(self) -> Result<(), DesignError> {
        if let Self::LatinHypercube { size, .. } = self
            && !(1..=1 << 40).contains(&size)
        {
            return Err(DesignError::Size(size));
        }
        match (self, self.replicates()) {
            (Self::Random | Self::Ensemble { .. }, _) | (_, 2..=MOST_REPLICATES) => Ok(()),
            (_, replicates) => Err(DesignError::Replicates(replicates)),
        }
    }

    /// How many trials it has points for; `u64::MAX` for any number.
    pub fn most_trials(self) -> u64 {
        match self {
            Self::Sobol { replicates } => {
                ScrambledSobol::points().saturating_mul(u64::from(replicates))
            }
            Self::Ensemble { trials, .. } => trials,
            _ => u64::MAX,
        }
    }

    /// Refuses trial numbers up to `end` - 1 that it has no points for.
    pub fn check_trials(self, end: u64) -> Result<(), DesignError> {
        let most = self.most_trials();
        if end > most {
            return Err(DesignError::Beyond {
                design: self,
                trial: end - 1,
                most,
            });
        }
        Ok(())
    }

    /// By how much standard errors are larger than those of as many independent trials, beside what replicates show:
    /// sqrt(trials / effective) for an ensemble, else 1.
    pub fn error_factor(self) -> f64 {
        match self {
            Self::Ensemble {
                trials, effective, ..
            } => (trials as f64 / effective.max(1) as f64).sqrt(),
            _ => 1.0,
        }
    }

    /// The replicate that a trial belongs to, from 0.
    #[inline]
    pub fn replicate(self, trial: u64) -> usize {
        let turn = match self {
            Self::Random | Self::Ensemble { .. } => 0,
            Self::Antithetic { .. } | Self::Sobol { .. } => trial / RUN,
            Self::LatinHypercube { size, .. } => trial / size,
        };
        (turn % u64::from(self.replicates().max(1))) as usize
    }

    /// How many trials from this one on are sure to be of one replicate, at least 1.
    #[inline]
    pub(crate) fn run_length(self, trial: u64) -> u64 {
        match self {
            Self::Random | Self::Ensemble { .. } => u64::MAX,
            Self::Antithetic { .. } | Self::Sobol { .. } => RUN - trial % RUN,
            Self::LatinHypercube { size, .. } => size - trial % size,
        }
    }
}

impl fmt::Display for Design {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => write!(to, "random"),
            Self::Antithetic { replicates } => {
                write!(to, "antithetic pairs in {replicates} replicates")
            }
            Self::LatinHypercube { size, replicates } => {
                write!(to, "Latin hypercubes of {size} in {replicates} replicates")
            }
            Self::Sobol { replicates } => {
                write!(to, "scrambled Sobol' points in {replicates} replicates")
            }
            Self::Ensemble {
                members,
                trials,
                digest,
                ..
            } => write!(
                to,
                "ensemble {digest} of {members} members, {trials} trials"
            ),
        }
    }
}

/// How the inputs of a run are drawn: by a design and a seed, or from an ensemble, which brings its own seed.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    design: Design,
    seed: u64,
    ensemble: Option<Arc<Ensemble>>,
}

impl Drawing {
    /// By a design and a seed.
    pub fn new(design: Design, seed: u64) -> Self {
        Self {
            design,
            seed,
            ensemble: None,
        }
    }

    /// From an ensemble.
    pub fn of(ensemble: Arc<Ensemble>) -> Self {
        Self {
            design: ensemble.design(),
            seed: ensemble.seed(),
            ensemble: Some(ensemble),
        }
    }

    /// The design.
    pub fn design(&self) -> Design {
        self.design
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The ensemble, if it is one.
    pub fn ensemble(&self) -> Option<&Arc<Ensemble>> {
        self.ensemble.as_ref()
    }

    /// By another design.
    pub(crate) fn with_design(self, design: Design) -> Self {
        Self::new(design, self.seed)
    }

    /// With another seed.
    pub(crate) fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

/// Independent trials of a seed.
impl From<u64> for Drawing {
    fn from(seed: u64) -> Self {
        Self::new(Design::Random, seed)
    }
}

impl From<Arc<Ensemble>> for Drawing {
    fn from(ensemble: Arc<Ensemble>) -> Self {
        Self::of(ensemble)
    }
}

/// Which process noise (arrivals, sizes, churn) a trial has: that of a trial number of a seed. Two trials with the same have
/// common random numbers, whatever their inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// The seed.
    pub seed: u64,
    /// The trial number.
    pub trial: u64,
}

/// A design made ready for the inputs of one model and one seed.
///
/// Made by [`Model::sampling`](crate::Model::sampling).
#[derive(Clone, Debug)]
pub struct Sampling {
    design: Design,
    seed: u64,
    sobol: Option<ScrambledSobol>,
    given: Option<Given>,
}

/// An ensemble, and where in it the inputs of a model are.
#[derive(Clone, Debug)]
struct Given {
    ensemble: Arc<Ensemble>,
    /// The column of each input; none for one that the ensemble does not have.
    columns: Vec<Option<usize>>,
}

impl Sampling {
    /// The design for inputs of these names and sources.
    pub(crate) fn new<'a>(
        drawing: &Drawing,
        inputs: impl Iterator<Item = (&'a str, Source)>,
    ) -> Result<Self, DesignError> {
        let (design, seed) = (drawing.design, drawing.seed);
        design.check()?;
        let mut sampling = Self::by(design, seed);
        match (design, &drawing.ensemble) {
            (Design::Sobol { replicates }, _) => {
                let sources: Vec<Source> =
                    inputs.map(|(_, source)| source).take(DIMENSIONS).collect();
                sampling.sobol = Some(ScrambledSobol::new(&sources, seed, replicates));
            }
            (Design::Ensemble { .. }, None) => return Err(DesignError::NoEnsemble(design)),
            (Design::Ensemble { .. }, Some(ensemble)) => {
                sampling.given = Some(Given {
                    columns: inputs.map(|(name, _)| ensemble.column(name)).collect(),
                    ensemble: ensemble.clone(),
                });
            }
            _ => {}
        }
        Ok(sampling)
    }

    /// Independent trials, which need no preparation.
    pub(crate) fn random(seed: u64) -> Self {
        Self::by(Design::Random, seed)
    }

    fn by(design: Design, seed: u64) -> Self {
        Self {
            design,
            seed,
            sobol: None,
            given: None,
        }
    }

    /// The design.
    pub fn design(&self) -> Design {
        self.design
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Appends a trial's uniforms in (0, 1) to `to`, one for each source, and returns its process noise.
    pub(crate) fn uniforms(
        &self,
        trial: u64,
        sources: impl ExactSizeIterator<Item = Source>,
        to: &mut Vec<f64>,
    ) -> Noise {
        let seed = self.seed;
        match self.design {
            Design::Random => to.extend(sources.map(|source| source.uniform(seed, trial))),
            Design::Antithetic { .. } => {
                let pair = trial / 2;
                if trial.is_multiple_of(2) {
                    to.extend(sources.map(|source| source.uniform(seed, pair)));
                } else {
                    to.extend(sources.map(|source| 1.0 - source.uniform(seed, pair)));
                }
            }
            Design::LatinHypercube { size, .. } => {
                let (cube, place) = (trial / size, trial % size);
                to.extend(sources.map(|source| {
                    let keys = source.permutation_keys(seed, cube);
                    let stratum = Permutation::new(size, keys).at(place);
                    within_stratum(stratum, size, source.uniform(seed, trial))
                }));
            }
            Design::Sobol { replicates } => self.sobol_uniforms(replicates, trial, sources, to),
            Design::Ensemble { .. } => return self.given_uniforms(trial, sources, to),
        }
        Noise { seed, trial }
    }

    fn sobol_uniforms(
        &self,
        replicates: u32,
        trial: u64,
        sources: impl ExactSizeIterator<Item = Source>,
        to: &mut Vec<f64>,
    ) {
        let run = trial / RUN;
        let index = run / u64::from(replicates) * RUN + trial % RUN;
        let start = to.len();
        to.resize(start + sources.len(), 0.0);
        let to = &mut to[start..];
        let known = match &self.sobol {
            Some(sobol) => {
                let known = sobol.dimensions();
                sobol.point(self.design.replicate(trial), index, &mut to[..known]);
                known
            }
            None => 0,
        };
        for (u, source) in to.iter_mut().zip(sources).skip(known) {
            *u = source.uniform(self.seed, trial);
        }
    }

    /// Of the ensemble; an input that it does not have is drawn as in the trial whose noise the member has.
    fn given_uniforms(
        &self,
        trial: u64,
        sources: impl ExactSizeIterator<Item = Source>,
        to: &mut Vec<f64>,
    ) -> Noise {
        let given = self.given.as_ref().expect("an ensemble is never without");
        let (point, noise) = given.ensemble.of_trial(trial);
        let uniforms = sources.zip(&given.columns).map(|(source, column)| {
            column.map_or_else(
                || source.uniform(noise.seed, noise.trial),
                |column| point[column],
            )
        });
        to.extend(uniforms);
        noise
    }
}

/// The number that `u` of (0, 1) stands for in stratum `stratum` of `size`, inside of (0, 1).
#[inline]
fn within_stratum(stratum: u64, size: u64, u: f64) -> f64 {
    const LARGEST: f64 = 1.0 - f64::EPSILON / 2.0;
    ((stratum as f64 + u) / size as f64).min(LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(count: usize) -> Vec<Source> {
        (0..count)
            .map(|number| Source::named(&format!("input {number}")))
            .collect()
    }

    fn sampling(design: Design, sources: &[Source]) -> Sampling {
        let named = sources.iter().map(|source| ("", *source));
        Sampling::new(&Drawing::new(design, 5), named).unwrap()
    }

    fn draw(design: Design, inputs: usize, trials: std::ops::Range<u64>) -> Vec<Vec<f64>> {
        let sources = sources(inputs);
        let sampling = sampling(design, &sources);
        trials
            .map(|trial| {
                let mut to = Vec::new();
                sampling.uniforms(trial, sources.iter().copied(), &mut to);
                to
            })
            .collect()
    }

    const DESIGNS: [Design; 4] = [
        Design::Random,
        Design::Antithetic { replicates: 4 },
        Design::LatinHypercube {
            size: 100,
            replicates: 4,
        },
        Design::Sobol { replicates: 4 },
    ];

    #[test]
    fn designs_that_cannot_be_are_refused() {
        for replicates in [0, 1, MOST_REPLICATES + 1] {
            let design = Design::Sobol { replicates };
            assert_eq!(design.check(), Err(DesignError::Replicates(replicates)));
        }
        let design = Design::LatinHypercube {
            size: 0,
            replicates: 2,
        };
        assert_eq!(design.check(), Err(DesignError::Size(0)));
        assert!(
            Design::Sobol { replicates: 2 }
                .check_trials(1 << 33)
                .is_ok()
        );
        assert!(
            Design::Sobol { replicates: 2 }
                .check_trials((1 << 33) + 1)
                .is_err()
        );
        for design in DESIGNS {
            assert_eq!(design.check(), Ok(()));
        }
    }

    #[test]
    fn runs_of_a_replicate_are_as_long_as_said() {
        for design in DESIGNS {
            let mut trial = 0_u64;
            while trial < 1_000 {
                let end = (trial.saturating_add(design.run_length(trial))).min(1_000);
                let replicate = design.replicate(trial);
                assert!((trial..end).all(|other| design.replicate(other) == replicate));
                trial = end;
            }
            let counts =
                (0..12_800).fold(vec![0; design.replicates() as usize], |mut counts, t| {
                    counts[design.replicate(t)] += 1;
                    counts
                });
            assert!(
                counts.iter().all(|count| *count == counts[0]),
                "{design}: {counts:?}"
            );
        }
    }

    /// In each design each input is uniform over trials: its mean 1/2 and its mean square 1/3.
    #[test]
    fn every_input_is_uniform_under_every_design() {
        for design in DESIGNS {
            let trials = draw(design, 6, 0..12_800);
            for input in 0..6 {
                let n = trials.len() as f64;
                let mean = trials.iter().map(|drawn| drawn[input]).sum::<f64>() / n;
                let square = trials.iter().map(|drawn| drawn[input].powi(2)).sum::<f64>() / n;
                // Five standard errors of independent trials: sqrt(1/12 / n) and sqrt(4/45 / n); for a
                // square of antithetic pairs, which move alike, at most sqrt(2) of it.
                assert!(
                    (mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt(),
                    "{design}"
                );
                assert!(
                    (square - 1.0 / 3.0).abs() < 5.0 * (8.0 / 45.0 / n).sqrt(),
                    "{design}"
                );
                assert!(
                    trials
                        .iter()
                        .all(|drawn| drawn[input] > 0.0 && drawn[input] < 1.0)
                );
            }
        }
    }

    #[test]
    fn two_inputs_are_uncorrelated_under_every_design() {
        for design in DESIGNS {
            let trials = draw(design, 4, 0..12_800);
            for (first, second) in [(0, 1), (1, 3), (2, 3)] {
                let n = trials.len() as f64;
                let covariance = trials
                    .iter()
                    .map(|drawn| (drawn[first] - 0.5) * (drawn[second] - 0.5))
                    .sum::<f64>()
                    / n;
                // Five standard errors of independent pairs (antithetic ones move alike: sqrt(2)).
                let limit = 5.0 * 2.0_f64.sqrt() / 12.0 / n.sqrt();
                assert!(covariance.abs() < limit, "{design}: {covariance}");
            }
        }
    }

    #[test]
    fn antithetic_trials_mirror_one_another_exactly() {
        for pair in draw(DESIGNS[1], 5, 0..200).chunks(2) {
            for (u, mirrored) in pair[0].iter().zip(&pair[1]) {
                assert_eq!(*u, 1.0 - mirrored);
            }
        }
    }

    #[test]
    fn each_hypercube_has_one_trial_in_each_stratum_of_each_input() {
        let trials = draw(DESIGNS[2], 7, 0..300);
        for cube in trials.chunks(100) {
            for input in 0..7 {
                let mut strata: Vec<usize> = cube
                    .iter()
                    .map(|drawn| (drawn[input] * 100.0) as usize)
                    .collect();
                strata.sort_unstable();
                assert_eq!(strata, (0..100).collect::<Vec<_>>());
            }
        }
        let first = |cube: &[Vec<f64>]| {
            cube.iter()
                .map(|d| (d[0] * 100.0) as u64)
                .collect::<Vec<_>>()
        };
        assert_ne!(first(&trials[..100]), first(&trials[100..200]));
    }

    #[test]
    fn the_ends_of_the_last_stratum_stay_inside() {
        assert!(within_stratum((1 << 40) - 1, 1 << 40, 1.0 - f64::EPSILON / 2.0) < 1.0);
        assert!(within_stratum(0, 1 << 40, f64::EPSILON / 2.0) > 0.0);
    }

    /// What the table at the top of this file promises.
    #[test]
    fn an_added_input_moves_others_only_where_it_is_said() {
        for design in DESIGNS {
            let few = sources(3);
            let mut more = few.clone();
            more.insert(1, Source::named("added"));
            let drawn = |list: &[Source]| {
                let sampling = sampling(design, list);
                let mut to = Vec::new();
                sampling.uniforms(77, list.iter().copied(), &mut to);
                to
            };
            let (before, after) = (drawn(&few), drawn(&more));
            assert_eq!(before[0], after[0], "{design}");
            let moved = before[1..] != after[2..];
            assert_eq!(moved, matches!(design, Design::Sobol { .. }), "{design}");
        }
    }

    #[test]
    fn beyond_the_direction_numbers_inputs_are_drawn_at_random() {
        let sources = sources(DIMENSIONS + 2);
        let sampling = sampling(Design::Sobol { replicates: 2 }, &sources);
        let mut to = Vec::new();
        sampling.uniforms(3, sources.iter().copied(), &mut to);
        assert_eq!(to.len(), sources.len());
        assert_eq!(to[DIMENSIONS + 1], sources[DIMENSIONS + 1].uniform(5, 3));
        assert_ne!(to[DIMENSIONS - 1], sources[DIMENSIONS - 1].uniform(5, 3));
    }

    #[test]
    fn a_design_reads_back_from_what_is_written() {
        for design in DESIGNS {
            let text = serde_json::to_string(&design).unwrap();
            assert_eq!(
                serde_json::from_str::<Design>(&text).unwrap(),
                design,
                "{text}"
            );
        }
        assert!(serde_json::from_str::<Design>(r#"{"method":"sobol","size":3}"#).is_err());
    }
}
