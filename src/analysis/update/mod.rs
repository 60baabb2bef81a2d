//! Updating a forecast on what has happened.
//!
//! Given observations with their errors, the trials that agree with them count more. [`Update`] first weighs trials of the
//! prior by how likely the observations are in each (importance sampling). Where too few of them carry the weight, it samples the
//! posterior by sequential Monte Carlo ([`smc`]) in the space of the inputs. What comes out is an
//! [`Ensemble`], with which any command runs the posterior, and an [`UpdateReport`]: what moved, whether the
//! model can explain what was seen, and what no trial could reproduce.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "files")] {
//! use std::sync::Arc;
//! use buildout::analysis::update::{Observation, Observations, Update};
//! use buildout::sampling::design::Drawing;
//! use buildout::{Batch, Date, Scenario};
//!
//! let model = Scenario::from_path("examples/first.toml")?.compile()?;
//! let live = Observation::reached("A1 live", Date::day(2026, 8, 10)?, 0.5);
//! let observations = Observations::new(vec![live])?;
//! let updated = Update::new(&model, &observations).trials(250).members(100).run()?;
//! assert!(updated.report.effective > 10.0);
//! let drawing = Drawing::of(Arc::new(updated.ensemble));
//! let posterior = Batch::new(&model).trials(100).drawing(drawing).run()?;
//! assert_eq!(posterior.trials(), 100);
//! # }
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "files")]
mod actuals;
mod likelihood;
pub mod observations;
mod shifts;
pub mod smc;
mod state;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::model::Model;
use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::settings::{RunSettings, setting_methods};
use crate::projection::TrialRow;
use crate::sampling::design::{Noise, Sampling};
use crate::sampling::ensemble::Ensemble;
use crate::sampling::streams::Source;
use crate::trial::Workspace;

use likelihood::Likelihood;
use smc::{Evidence, Particle, Population, Sampler, Settings, systematic, weights};

pub use observations::{
    Observation, ObservationError, Observations, ObservedDate, ObservedValue, Spread,
};
pub use shifts::{InputShift, Method, Predicted, REPRODUCED_WITHIN, UNLIKELY, UpdateReport};
pub use smc::Stage;
pub use state::StateError;

/// How many members the ensemble has by default.
pub const DEFAULT_MEMBERS: usize = 1_000;
/// The most trials that are simulated by default. (assumption)
pub const DEFAULT_MOST_TRIALS: u64 = 1_000_000;
/// The effective sample size, as a share of the members, from which on weights alone will do. (assumption)
const ENOUGH: f64 = 0.5;

/// Why an update failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The observations cannot be used.
    #[error(transparent)]
    Observations(#[from] ObservationError),
    /// The trials did not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What was saved cannot be gone on from.
    #[error(transparent)]
    State(#[from] StateError),
    /// In no trial of the prior are the observations possible.
    #[error(
        "in none of {trials} trials are the observations possible: {what} does not exist in any"
    )]
    Impossible {
        /// How many were run.
        trials: u64,
        /// What is not there.
        what: String,
    },
    /// There are too few members or trials.
    #[error("{what} is {value}: it must be {allowed}")]
    Range {
        /// Which number.
        what: &'static str,
        /// What was given.
        value: u64,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// An update that is about to run.
pub struct Update<'a> {
    model: &'a Model,
    observations: &'a Observations,
    settings: RunSettings<'a>,
    members: usize,
    most_trials: u64,
    checkpoint: Option<(PathBuf, Duration)>,
}

/// What came of an update.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Updated {
    /// The posterior: trials with what they had.
    pub ensemble: Ensemble,
    /// What is to be said of it.
    pub report: UpdateReport,
}

impl<'a> Update<'a> {
    /// An update of `model` on observations, with [`DEFAULT_TRIALS`](crate::monte_carlo::batch::DEFAULT_TRIALS) trials of the prior of seed 0 and
    /// [`DEFAULT_MEMBERS`] members of the posterior.
    pub fn new(model: &'a Model, observations: &'a Observations) -> Self {
        Self {
            model,
            observations,
            settings: RunSettings::default(),
            members: DEFAULT_MEMBERS,
            most_trials: DEFAULT_MOST_TRIALS,
            checkpoint: None,
        }
    }

    setting_methods!(seed, threads, on_progress, cancelled_by);

    /// Sets how many trials of the prior are weighed, at least as many as there are members.
    #[must_use]
    pub fn trials(mut self, trials: u64) -> Self {
        self.settings.trials = 0..trials;
        self
    }

    /// Sets how many members the ensemble has, 2 or more.
    #[must_use]
    pub fn members(mut self, members: usize) -> Self {
        self.members = members;
        self
    }

    /// Sets the most trials to simulate in all.
    #[must_use]
    pub fn most_trials(mut self, trials: u64) -> Self {
        self.most_trials = trials;
        self
    }

    /// Writes the particles to that file after a stage, `every` so often, and when cancelled; goes on from it if it is there.
    #[must_use]
    pub fn checkpoint(mut self, path: impl AsRef<Path>, every: Duration) -> Self {
        self.checkpoint = Some((path.as_ref().to_owned(), every));
        self
    }

    /// Refuses what cannot be, without a trial.
    pub fn check(&self) -> Result<(), UpdateError> {
        self.observations.find(self.model)?;
        if self.members < 2 {
            return Err(UpdateError::Range {
                what: "the number of members",
                value: self.members as u64,
                allowed: "2 or more",
            });
        }
        if self.settings.count() < self.members as u64 {
            return Err(UpdateError::Range {
                what: "the number of trials of the prior",
                value: self.settings.count(),
                allowed: "at least that of the members",
            });
        }
        Ok(())
    }

    fn seed_value(&self) -> u64 {
        self.settings.drawing.seed()
    }

    /// Runs the update.
    pub fn run(&self) -> Result<Updated, UpdateError> {
        self.check()?;
        let model_evidence = ModelEvidence {
            model: self.model,
            sampling: Sampling::random(self.seed_value()),
            likelihood: Likelihood::new(self.observations.find(self.model)?),
        };
        let sampler = Sampler {
            evidence: &model_evidence,
            settings: Settings {
                seed: self.seed_value(),
                particles: self.members,
                most_trials: self.most_trials,
            },
            trial_loop: self.settings.silent_loop(),
        };
        let prior = sampler.prior(self.settings.count())?;
        self.tell(self.settings.count());
        let likelihoods: Vec<f64> = prior.iter().map(|trial| trial.log_likelihood).collect();
        let weighed = weights(&likelihoods, 1.0);
        if weighed.effective == 0.0 {
            return Err(self.impossible(&model_evidence)?);
        }
        let is_enough = weighed.effective >= ENOUGH * self.members as f64;
        let (members, population) = if is_enough {
            (self.resampled(&prior, &weighed.normalised), None)
        } else {
            let population = self.sample(&sampler, &prior)?;
            (counted(&population.particles), Some(population))
        };
        let ensemble = self.ensemble(&members)?;
        let found = shifts::Findings {
            evidence: &model_evidence,
            trial_loop: sampler.trial_loop,
            prior: &prior,
            members: &members,
        };
        let mut report = found.report()?;
        report.prior_effective = weighed.effective;
        report.log_evidence = weighed.log_mean;
        report.simulated = self.settings.count();
        if let Some(population) = population {
            report.method = Method::SequentialMonteCarlo;
            report.exponent = population.exponent;
            report.log_evidence = population.log_evidence;
            report.simulated = population.simulated;
            report.stages = population.stages;
        }
        Ok(Updated { ensemble, report })
    }

    /// Sequential Monte Carlo from these trials of the prior, or from where it was interrupted.
    fn sample(
        &self,
        sampler: &Sampler<'_, ModelEvidence<'_>>,
        prior: &[Particle],
    ) -> Result<Population, UpdateError> {
        let identity = state::Identity::new(
            self.model,
            self.observations,
            sampler.settings,
            self.settings.count(),
        );
        let mut population = match &self.checkpoint {
            Some((path, _)) if path.exists() => identity.load(path)?,
            _ => sampler.begin(prior)?,
        };
        let mut saved = Instant::now();
        while !sampler.is_done(&population) {
            self.tell(population.simulated);
            if let Some((path, every)) = &self.checkpoint
                && saved.elapsed() >= *every
            {
                identity.save(path, &population)?;
                saved = Instant::now();
            }
            let before = self.checkpoint.as_ref().map(|_| population.clone());
            if let Err(error) = sampler.stage(&mut population) {
                if let (Some((path, _)), Some(before)) = (&self.checkpoint, before) {
                    identity.save(path, &before)?;
                }
                return Err(error.into());
            }
        }
        if let Some((path, _)) = &self.checkpoint {
            identity.save(path, &population)?;
        }
        Ok(population)
    }

    fn tell(&self, simulated: u64) {
        if let Some(report) = &self.settings.on_progress {
            report(simulated, self.most_trials.max(self.settings.count()));
        }
    }

    /// Members drawn from weighed trials of the prior.
    fn resampled(&self, prior: &[Particle], normalised: &[f64]) -> Vec<(Particle, u64)> {
        let start = Source::named("update: resampling").uniform_at(self.seed_value(), 0, 0);
        let counts = systematic(normalised, self.members as u64, start);
        let drawn = prior.iter().cloned().zip(counts);
        drawn.filter(|(_, count)| *count > 0).collect()
    }

    /// The members in a random order, so that the first of them say the same as all, with less to go by.
    fn ensemble(&self, members: &[(Particle, u64)]) -> Result<Ensemble, UpdateError> {
        let source = Source::named("update: order");
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by_cached_key(|member| {
            let u = source.uniform(self.seed_value(), *member as u64);
            // Of numbers above 0 the bits are in the order of the numbers.
            u.to_bits()
        });
        let mut ensemble = Ensemble::new(self.model.input_names(), self.seed_value())
            .expect("inputs of a model have different names");
        for member in order {
            let (particle, count) = &members[member];
            ensemble
                .push(&particle.point, particle.noise, *count)
                .expect("points are of the model, with uniform numbers");
        }
        Ok(ensemble)
    }

    /// Which observation does not exist in any trial.
    fn impossible(&self, evidence: &ModelEvidence<'_>) -> Result<UpdateError, RunError> {
        let values = self.settings.silent_loop().map(
            0..self.settings.count(),
            || evidence.buffers(),
            |buffers, trial| {
                let (point, noise) = evidence.prior(trial);
                evidence.simulate(buffers, &point, noise);
                buffers.values.clone()
            },
        )?;
        let found = evidence.likelihood.found();
        let missing = (found.iter().enumerate())
            .filter(|(at, _)| !values.iter().any(|values| values[*at].is_finite()))
            .map(|(_, found)| format!("\"{}\"", found.label));
        let missing: Vec<String> = missing.collect();
        Ok(UpdateError::Impossible {
            trials: self.settings.count(),
            what: if missing.is_empty() {
                "a trial that has all of them".to_owned()
            } else {
                missing.join(", ")
            },
        })
    }
}

/// Equal particles as one member that counts so often.
fn counted(particles: &[Particle]) -> Vec<(Particle, u64)> {
    let mut members: Vec<(Particle, u64)> = Vec::new();
    for particle in particles {
        // Copies of one particle stand together since they were resampled.
        match members.last_mut() {
            Some((last, count)) if last == particle => *count += 1,
            _ => members.push((particle.clone(), 1)),
        }
    }
    members
}

/// A model whose trials are compared with observations.
struct ModelEvidence<'a> {
    model: &'a Model,
    sampling: Sampling,
    likelihood: Likelihood,
}

struct Buffers {
    workspace: Workspace,
    row: TrialRow,
    inputs: Vec<f64>,
    values: Vec<f64>,
    residuals: Vec<f64>,
}

impl ModelEvidence<'_> {
    /// Leaves the values of all observations in the buffers.
    fn simulate(&self, buffers: &mut Buffers, point: &[f64], noise: u64) {
        self.model.input_values(point, &mut buffers.inputs);
        let noise = Noise {
            seed: self.sampling.seed(),
            trial: noise,
        };
        let (workspace, row) = (&mut buffers.workspace, &mut buffers.row);
        self.model
            .simulate_inputs(&buffers.inputs, noise, workspace, row);
        self.likelihood.values(row, &mut buffers.values);
    }
}

impl Evidence for ModelEvidence<'_> {
    type Buffers = Buffers;

    fn buffers(&self) -> Buffers {
        Buffers {
            workspace: Workspace::default(),
            row: TrialRow::new(self.model.layout().clone()),
            inputs: Vec::new(),
            values: Vec::new(),
            residuals: Vec::new(),
        }
    }

    fn prior(&self, trial: u64) -> (Vec<f64>, u64) {
        let mut point = Vec::new();
        let noise = self.model.point(&self.sampling, trial, &mut point);
        (point, noise.trial)
    }

    fn log_likelihood(&self, buffers: &mut Buffers, point: &[f64], noise: u64) -> f64 {
        self.simulate(buffers, point, noise);
        let Buffers {
            values, residuals, ..
        } = buffers;
        self.likelihood.of_values(values, residuals)
    }
}

#[cfg(test)]
#[cfg(feature = "files")]
mod tests;
