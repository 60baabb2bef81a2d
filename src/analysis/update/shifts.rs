//! What an update says: which inputs moved, and whether the model explains what was observed.

use serde::{Deserialize, Serialize};

use super::observations::Found;
use super::smc::{Evidence as _, Particle, Stage, correlation};
use super::{Buffers, ModelEvidence};
use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::trial_loop::TrialLoop;
use crate::uncertain::{normal_cdf, normal_quantile};

/// A trial that comes no nearer to an observation than by this many standard deviations does not reproduce it. (assumption)
pub const REPRODUCED_WITHIN: f64 = 3.0;
/// A tail probability below which the posterior does not explain an observation. (assumption)
pub const UNLIKELY: f64 = 0.05;

/// How a posterior was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// By weights on trials of the prior.
    ImportanceWeights,
    /// By sequential Monte Carlo.
    SequentialMonteCarlo,
}

/// What is to be said of an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpdateReport {
    /// The scenario.
    pub scenario: String,
    /// The version of the program.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// How the posterior was found.
    pub method: Method,
    /// How many trials of the prior were weighed.
    pub prior_trials: u64,
    /// The effective sample size of their weights, (sum w)^2 / sum w^2.
    pub prior_effective: f64,
    /// How many trials were simulated to find the posterior.
    pub simulated: u64,
    /// How many trials the ensemble has.
    pub members: u64,
    /// How many of them are different, with regard to how often they count: (sum of multiplicities)^2 / sum of squares.
    pub effective: f64,
    /// The exponent of the likelihood that was reached: below 1, all errors of observation are larger by 1 / sqrt(exponent).
    pub exponent: f64,
    /// The logarithm of the density of the observations under the model, by which models are compared on the same observations.
    pub log_evidence: f64,
    /// The stages of sequential Monte Carlo.
    pub stages: Vec<Stage>,
    /// Each observation against prior and posterior.
    pub predicted: Vec<Predicted>,
    /// The inputs, the one that moved most first.
    pub inputs: Vec<InputShift>,
}

/// An observation against what was expected before it and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Predicted {
    /// What was observed, such as `installed_pflops@2024-12` or `A1 live`.
    pub of: String,
    /// Its unit.
    pub unit: String,
    /// When, in months from the start of the scenario.
    pub months: f64,
    /// The value that was seen; of a milestone that is not reached yet, the time until which it was not.
    pub observed: f64,
    /// Whether it is a milestone that was not reached yet.
    pub is_not_yet: bool,
    /// The standard deviation of the error of observation.
    pub error: f64,
    /// The standard deviation of what the model may be off by.
    pub discrepancy: f64,
    /// P5, P50 and P95 of the trials of the prior.
    pub prior: [f64; 3],
    /// P5, P50 and P95 of the trials of the posterior.
    pub posterior: [f64; 3],
    /// The two-sided tail probability of the observation under the posterior, with error and discrepancy: near 0 if the model
    /// does not explain it even now (Gelman, Meng and Stern, "Posterior predictive assessment of model fitness via realized
    /// discrepancies", Statistica Sinica 6, 1996). Of a milestone that is not reached yet the probability of that.
    pub tail_probability: f64,
    /// By how many standard deviations the nearest trial of the prior misses it.
    pub nearest: f64,
    /// Whether a trial of the prior came within [`REPRODUCED_WITHIN`] standard deviations.
    pub is_reproduced: bool,
}

impl Predicted {
    /// Whether the posterior explains it.
    pub fn is_explained(&self) -> bool {
        self.is_reproduced && self.tail_probability >= UNLIKELY
    }
}

/// How an input moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputShift {
    /// Its name.
    pub name: String,
    /// P10, P50 and P90 before, in its own unit.
    pub prior: [f64; 3],
    /// P10, P50 and P90 after.
    pub posterior: [f64; 3],
    /// The mean of its normal scores after; 0 before.
    pub mean_score: f64,
    /// The standard deviation of its normal scores after; 1 before.
    pub sd_score: f64,
    /// The Kullback-Leibler divergence of the normal distribution with these from N(0, 1), in nats:
    /// (s^2 + m^2 - 1 - ln s^2) / 2.
    pub divergence: f64,
    /// Whether that is more than chance gives to an input about which nothing was observed: above 4 / effective sample size. (assumption; its
    /// mean is 1 / size, and its standard deviation as much)
    pub is_moved: bool,
    /// The observation that goes most with it over the trials of the prior.
    pub moved_by: Option<String>,
    /// The correlation of its normal score with what the trials of the prior have for that observation.
    pub correlation: f64,
}

/// What there is to report on.
pub(super) struct Findings<'a> {
    pub(super) evidence: &'a ModelEvidence<'a>,
    pub(super) trial_loop: TrialLoop<'a>,
    pub(super) prior: &'a [Particle],
    /// Members of the posterior, and how often each counts.
    pub(super) members: &'a [(Particle, u64)],
}

impl Findings<'_> {
    /// A report on importance weights; what only the update knows is to be filled in.
    pub(super) fn report(&self) -> Result<UpdateReport, RunError> {
        let model = self.evidence.model;
        let counts: Vec<u64> = self.members.iter().map(|(_, count)| *count).collect();
        let members: u64 = counts.iter().sum();
        let squares: f64 = counts.iter().map(|count| (*count as f64).powi(2)).sum();
        let effective = (members as f64).powi(2) / squares;
        let prior = self.values(self.prior.len(), |at| &self.prior[at])?;
        let posterior = self.values(self.members.len(), |at| &self.members[at].0)?;
        let found = self.evidence.likelihood.found().iter().enumerate();
        let predicted = found.map(|(at, found)| {
            let of_prior: Vec<f64> = prior.iter().map(|values| values[at]).collect();
            let of_posterior: Vec<f64> = posterior.iter().map(|values| values[at]).collect();
            predict(found, &of_prior, &of_posterior, &counts)
        });
        let predicted: Vec<Predicted> = predicted.collect();
        let mut inputs = self.shifts(&prior, &counts, effective);
        inputs.sort_by(|a, b| b.divergence.total_cmp(&a.divergence));
        Ok(UpdateReport {
            scenario: model.name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.evidence.sampling.seed(),
            method: Method::ImportanceWeights,
            prior_trials: self.prior.len() as u64,
            prior_effective: 0.0,
            simulated: 0,
            members,
            effective,
            exponent: 1.0,
            log_evidence: 0.0,
            stages: Vec::new(),
            predicted,
            inputs,
        })
    }

    /// What trials have for each observation.
    fn values<'b>(
        &self,
        count: usize,
        particle: impl Fn(usize) -> &'b Particle + Sync,
    ) -> Result<Vec<Vec<f64>>, RunError> {
        let buffers = || self.evidence.buffers();
        self.trial_loop
            .map(0..count as u64, buffers, |buffers: &mut Buffers, at| {
                let Particle { point, noise, .. } = particle(at as usize);
                self.evidence.simulate(buffers, point, *noise);
                buffers.values.clone()
            })
    }

    fn shifts(&self, prior: &[Vec<f64>], counts: &[u64], effective: f64) -> Vec<InputShift> {
        let model = self.evidence.model;
        let of = |point: &[f64]| {
            let mut places = point.to_vec();
            model.correlate(&mut places);
            let mut values = Vec::new();
            model.input_values(point, &mut values);
            Places { places, values }
        };
        let before: Vec<Places> = (self.prior.iter())
            .map(|particle| of(&particle.point))
            .collect();
        let after: Vec<Places> = (self.members.iter())
            .map(|(particle, _)| of(&particle.point))
            .collect();
        let ones = vec![1; before.len()];
        let names = model.input_names().enumerate();
        names
            .map(|(input, name)| {
                let scores: Vec<f64> = after.iter().map(|one| one.score(input)).collect();
                let (mean_score, sd_score) = moments(&scores, counts);
                let variance = (sd_score * sd_score).max(f64::MIN_POSITIVE);
                let square = mean_score * mean_score;
                let divergence = 0.5 * (variance + square - 1.0 - libm::log(variance));
                let of_prior: Vec<f64> = before.iter().map(|one| one.score(input)).collect();
                let (moved_by, correlation) = self.strongest(&of_prior, prior);
                let values = |all: &[Places]| all.iter().map(|one| one.values[input]).collect();
                InputShift {
                    name: name.to_owned(),
                    prior: percentiles(values(&before), &ones, [0.1, 0.5, 0.9]),
                    posterior: percentiles(values(&after), counts, [0.1, 0.5, 0.9]),
                    mean_score,
                    sd_score,
                    divergence,
                    is_moved: divergence > 4.0 / effective,
                    moved_by,
                    correlation,
                }
            })
            .collect()
    }

    /// The observation that goes most with an input's scores over the trials of the prior.
    fn strongest(&self, scores: &[f64], values: &[Vec<f64>]) -> (Option<String>, f64) {
        let found = self.evidence.likelihood.found().iter().enumerate();
        let correlations = found.map(|(at, found)| {
            let pairs = scores.iter().zip(values);
            let finite = pairs.filter(|(_, values)| values[at].is_finite());
            let (scores, values): (Vec<f64>, Vec<f64>) =
                finite.map(|(score, values)| (*score, values[at])).unzip();
            (&found.label, correlation(&scores, &values))
        });
        let strongest = correlations.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
        match strongest {
            Some((label, correlation)) if correlation != 0.0 => (Some(label.clone()), correlation),
            _ => (None, 0.0),
        }
    }
}

/// Where the inputs of a trial are in their distributions, and what they are.
struct Places {
    places: Vec<f64>,
    values: Vec<f64>,
}

impl Places {
    /// An input's standard normal number.
    fn score(&self, input: usize) -> f64 {
        normal_quantile(self.places[input])
    }
}

/// An observation against the trials of prior and posterior.
fn predict(found: &Found, prior: &[f64], posterior: &[f64], counts: &[u64]) -> Predicted {
    let sd = found.sd();
    let finite = prior.iter().filter(|value| value.is_finite());
    let misses = finite.map(|value| match found.is_not_yet {
        true => ((found.value - value) / sd).max(0.0),
        false => (found.value - value).abs() / sd,
    });
    let nearest = misses.fold(f64::INFINITY, f64::min);
    let all: u64 = counts.iter().sum();
    let above = posterior.iter().zip(counts).map(|(value, count)| {
        // That the model, with its error, has more than was observed.
        *count as f64 * normal_cdf((value - found.value) / sd)
    });
    let above = above.sum::<f64>() / all as f64;
    let ones = vec![1; prior.len()];
    let levels = [0.05, 0.5, 0.95];
    Predicted {
        of: found.label.clone(),
        unit: found.unit.clone(),
        months: found.months,
        observed: found.value,
        is_not_yet: found.is_not_yet,
        error: found.error,
        discrepancy: found.discrepancy,
        prior: percentiles(prior.to_vec(), &ones, levels),
        posterior: percentiles(posterior.to_vec(), counts, levels),
        tail_probability: match found.is_not_yet {
            true => above,
            false => (2.0 * above.min(1.0 - above)).min(1.0),
        },
        nearest,
        is_reproduced: nearest <= REPRODUCED_WITHIN,
    }
}

/// Mean and standard deviation of values that count so often.
fn moments(values: &[f64], counts: &[u64]) -> (f64, f64) {
    let all = counts.iter().sum::<u64>() as f64;
    let weighed = |of: &dyn Fn(f64) -> f64| {
        let terms = values.iter().zip(counts);
        terms
            .map(|(value, count)| of(*value) * *count as f64)
            .sum::<f64>()
    };
    let mean = weighed(&|value| value) / all;
    let squares = weighed(&|value| (value - mean) * (value - mean));
    (mean, (squares / (all - 1.0).max(1.0)).sqrt())
}

/// Percentiles of values that count so often: the least value that so large a share does not exceed. Values that do not exist
/// are left out.
fn percentiles<const N: usize>(values: Vec<f64>, counts: &[u64], levels: [f64; N]) -> [f64; N] {
    let pairs = values.into_iter().zip(counts.iter().copied());
    let mut pairs: Vec<(f64, u64)> = pairs.filter(|(value, _)| !value.is_nan()).collect();
    pairs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let all: u64 = pairs.iter().map(|(_, count)| count).sum();
    levels.map(|level| {
        let wanted = level * all as f64;
        let mut before = 0;
        for (value, count) in &pairs {
            before += count;
            if before as f64 >= wanted {
                return *value;
            }
        }
        f64::NAN
    })
}
