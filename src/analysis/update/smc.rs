//! Sequential Monte Carlo with adaptive tempering and resample-move, in the space of a trial's inputs.
//!
//! The posterior density of a point x and its process noise is proportional to the prior times L(x)^t, with the likelihood
//! L of the observations and t = 1. Particles go from the prior (t = 0) to it in stages (Del Moral, Doucet and Jasra,
//! "Sequential Monte Carlo samplers", JRSS B 68(3), 2006; Chopin, "A sequential particle filter method for static models",
//! Biometrika 89(3), 2002):
//!
//! 1. **Temper**: t grows so far that the weights L^(dt) keep a stated effective sample size (sum w)^2 / sum w^2, found by
//!    bisection (Jasra, Stephens, Doucet and Tsagaris, "Inference for Lévy-driven stochastic volatility models via adaptive
//!    sequential Monte Carlo", Scandinavian Journal of Statistics 38, 2011).
//! 2. **Resample** systematically (Kitagawa, JCGS 5(1), 1996).
//! 3. **Move** every particle by steps that leave the tempered posterior as it is: preconditioned Crank-Nicolson on the
//!    standard normal numbers z of the inputs, z' = sqrt(1 - b^2) z + b e with e of N(0, 1), accepted with probability
//!    min(1, (L'/L)^t) (Cotter, Roberts, Stuart and White, "MCMC methods for functions: modifying old algorithms to make them
//!    faster", Statistical Science 28(3), 2013). A step changes a random part of the inputs (all, each with
//!    probability 1/2, 1/4 and so on), as the observations say nothing about most inputs; the step size b of each such
//!    level is adapted to an acceptance of `WANTED_ACCEPTANCE`. The process noise is kept with its trial number, and every
//!    fourth step on average proposes another one instead.
//!
//! Moves go on until particles have forgotten where they were: until no input's z is correlated with what it was at the
//! start of the stage by more than `FORGOTTEN`, or for a most number of sweeps. If the most number of
//! trials is reached with t below 1, sampling stops there: what has been found is the posterior with all errors of observation
//! larger by the factor 1 / sqrt(t), and the result says so. So it neither collapses nor runs on.
//!
//! Every draw is of a named source, keyed by particle and sweep, so the number of threads leaves no trace, and a run that is
//! taken up at the end of a stage goes on as it would have.

mod evidence;

pub(crate) use evidence::Evidence;

use serde::{Deserialize, Serialize};

use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::trial_loop::TrialLoop;
use crate::sampling::streams::{Source, Stream};
use crate::uncertain::{normal_cdf, normal_quantile};

/// The share of steps that should be accepted. (assumption) Between 0.23 for many dimensions and 0.44 for one (Roberts and
/// Rosenthal, "Optimal scaling for various Metropolis-Hastings algorithms", Statistical Science 16(4), 2001).
const WANTED_ACCEPTANCE: f64 = 0.3;
/// The greatest correlation with where they were that particles may keep in a stage, and in the last. (assumption)
const FORGOTTEN: [f64; 2] = [0.7, 0.35];
/// The most sweeps of a stage, and of the last one. (assumption)
const MOST_SWEEPS: [u32; 2] = [25, 100];
/// The share of particles that is the effective sample size after tempering. (assumption)
const KEPT_SHARE: f64 = 0.5;
/// One step in this many proposes other process noise.
const NOISE_STEPS: f64 = 4.0;
/// The smallest step.
const LEAST_STEP: f64 = 1e-3;
/// Halvings of the interval when the exponent is sought.
const BISECTIONS: u32 = 60;

/// A trial: its point, the trial number of its process noise, and how likely the observations are in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Particle {
    pub(crate) point: Vec<f64>,
    pub(crate) noise: u64,
    pub(crate) log_likelihood: f64,
}

/// How a stage went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stage {
    /// The exponent of the likelihood that it reached, 0 to 1.
    pub exponent: f64,
    /// The effective sample size of the weights before resampling.
    pub effective: f64,
    /// How often every particle was moved.
    pub sweeps: u32,
    /// The share of steps in the inputs that were accepted.
    pub acceptance: f64,
    /// The share of steps to other process noise that were accepted; `None` if there was none.
    pub noise_acceptance: Option<f64>,
    /// The greatest correlation of an input's normal number with what it was at the start of the stage.
    pub correlation: f64,
}

/// All particles at the end of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Population {
    pub(crate) particles: Vec<Particle>,
    /// The exponent of the likelihood.
    pub(crate) exponent: f64,
    /// The logarithm of the mean of L^t over the prior.
    pub(crate) log_evidence: f64,
    /// How many trials were simulated.
    pub(crate) simulated: u64,
    /// Sweeps done in all stages, which number the draws.
    sweeps: u64,
    /// Step size of each level.
    steps: Vec<f64>,
    pub(crate) stages: Vec<Stage>,
}

/// How sampling is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    /// How many particles.
    pub(crate) particles: usize,
    /// The most trials to simulate.
    pub(crate) most_trials: u64,
}

/// Samples a posterior.
pub(crate) struct Sampler<'a, E> {
    pub(crate) evidence: &'a E,
    pub(crate) settings: Settings,
    pub(crate) trial_loop: TrialLoop<'a>,
}

impl<E: Evidence> Sampler<'_, E> {
    /// The trials of these numbers of the prior.
    pub(crate) fn prior(&self, trials: u64) -> Result<Vec<Particle>, RunError> {
        let buffers = || self.evidence.buffers();
        self.trial_loop.map(0..trials, buffers, |buffers, trial| {
            let (point, noise) = self.evidence.prior(trial);
            let log_likelihood = self.evidence.log_likelihood(buffers, &point, noise);
            Particle {
                point,
                noise,
                log_likelihood,
            }
        })
    }

    /// The first stage, from all trials of the prior, of which one at least has a likelihood above 0.
    pub(crate) fn begin(&self, prior: &[Particle]) -> Result<Population, RunError> {
        let inputs = prior.first().map_or(0, |particle| particle.point.len());
        let levels = inputs.max(1).ilog2() as usize + 1;
        let mut population = Population {
            particles: prior.to_vec(),
            exponent: 0.0,
            log_evidence: 0.0,
            simulated: prior.len() as u64,
            sweeps: 0,
            steps: vec![0.5; levels],
            stages: Vec::new(),
        };
        self.stage(&mut population)?;
        Ok(population)
    }

    /// Whether there is no more to be done.
    pub(crate) fn is_done(&self, population: &Population) -> bool {
        population.exponent >= 1.0 || population.simulated >= self.settings.most_trials
    }

    /// One stage: temper, resample and move.
    pub(crate) fn stage(&self, population: &mut Population) -> Result<(), RunError> {
        let wanted = KEPT_SHARE * self.settings.particles as f64;
        let likelihoods: Vec<f64> = (population.particles.iter())
            .map(|particle| particle.log_likelihood)
            .collect();
        let exponent = next_exponent(&likelihoods, population.exponent, wanted);
        let weights = weights(&likelihoods, exponent - population.exponent);
        population.log_evidence += weights.log_mean;
        let number = population.stages.len() as u64;
        let start = Source::named("update: resampling").uniform_at(self.settings.seed, number, 0);
        let counts = systematic(&weights.normalised, self.settings.particles as u64, start);
        population.particles = (population.particles.iter().zip(&counts))
            .flat_map(|(particle, count)| std::iter::repeat_n(particle, *count as usize))
            .cloned()
            .collect();
        population.exponent = exponent;
        let mut stage = Stage {
            exponent,
            effective: weights.effective,
            sweeps: 0,
            acceptance: 0.0,
            noise_acceptance: None,
            correlation: 1.0,
        };
        self.moves(population, &mut stage)?;
        population.stages.push(stage);
        Ok(())
    }

    /// Sweeps until particles have forgotten where they were.
    fn moves(&self, population: &mut Population, stage: &mut Stage) -> Result<(), RunError> {
        let is_last = usize::from(population.exponent >= 1.0);
        let start = normals(&population.particles);
        let mut counts = Counts::new(population.steps.len());
        while stage.sweeps < MOST_SWEEPS[is_last]
            && population.simulated < self.settings.most_trials
        {
            let sweep = self.sweep(population)?;
            for (level, (tried, accepted)) in sweep.by_level.iter().enumerate() {
                if *tried > 0 {
                    let share = *accepted as f64 / *tried as f64;
                    let step = population.steps[level] * libm::exp(share - WANTED_ACCEPTANCE);
                    population.steps[level] = step.clamp(LEAST_STEP, 1.0);
                }
            }
            counts.add(&sweep);
            stage.sweeps += 1;
            stage.correlation = greatest_correlation(&start, &normals(&population.particles));
            if stage.correlation <= FORGOTTEN[is_last] {
                break;
            }
        }
        stage.acceptance = counts.acceptance();
        stage.noise_acceptance = counts.noise_acceptance();
        Ok(())
    }

    /// Moves every particle once.
    fn sweep(&self, population: &mut Population) -> Result<Counts, RunError> {
        let (sweep, exponent) = (population.sweeps, population.exponent);
        let source = Source::named("update: move");
        let count = population.particles.len() as u64;
        let buffers = || self.evidence.buffers();
        let steps = &population.steps;
        let particles = &population.particles;
        let moves = self.trial_loop.map(0..count, buffers, |buffers, number| {
            let mut stream = source.stream_at(self.settings.seed, number, sweep);
            let particle = &particles[number as usize];
            let (level, point, noise) = propose(particle, steps, &mut stream);
            let log_likelihood = self.evidence.log_likelihood(buffers, &point, noise);
            let ratio = exponent * (log_likelihood - particle.log_likelihood);
            let is_accepted = libm::log(stream.uniform()) < ratio;
            let moved = Particle {
                point,
                noise,
                log_likelihood,
            };
            (level, is_accepted.then_some(moved))
        })?;
        let mut counts = Counts::new(steps.len());
        for (particle, (level, moved)) in population.particles.iter_mut().zip(moves) {
            counts.note(level, moved.is_some());
            if let Some(moved) = moved {
                *particle = moved;
            }
        }
        population.sweeps += 1;
        population.simulated += count;
        Ok(counts)
    }
}

/// A step of a particle: its level (`None` for process noise), and where it leads to.
fn propose(
    particle: &Particle,
    steps: &[f64],
    stream: &mut Stream,
) -> (Option<usize>, Vec<f64>, u64) {
    let mut point = particle.point.clone();
    if point.is_empty() || stream.uniform() * NOISE_STEPS < 1.0 {
        let noise = (stream.uniform() * (1_u64 << 52) as f64) as u64;
        return (None, point, noise);
    }
    let level = ((stream.uniform() * steps.len() as f64) as usize).min(steps.len() - 1);
    let share = 0.5_f64.powi(level as i32);
    let step = steps[level];
    let kept = (1.0 - step * step).sqrt();
    for u in &mut point {
        if level > 0 && stream.uniform() >= share {
            continue;
        }
        let z = kept * normal_quantile(*u) + step * normal_quantile(stream.uniform());
        *u = normal_cdf(z).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
    }
    (Some(level), point, particle.noise)
}

/// How many steps were tried and accepted.
struct Counts {
    by_level: Vec<(u64, u64)>,
    noise: (u64, u64),
}

impl Counts {
    fn new(levels: usize) -> Self {
        Self {
            by_level: vec![(0, 0); levels],
            noise: (0, 0),
        }
    }

    fn note(&mut self, level: Option<usize>, is_accepted: bool) {
        let (tried, accepted) = match level {
            Some(level) => &mut self.by_level[level],
            None => &mut self.noise,
        };
        *tried += 1;
        *accepted += u64::from(is_accepted);
    }

    fn add(&mut self, other: &Self) {
        let add = |ours: &mut (u64, u64), theirs: &(u64, u64)| {
            ours.0 += theirs.0;
            ours.1 += theirs.1;
        };
        for (ours, theirs) in self.by_level.iter_mut().zip(&other.by_level) {
            add(ours, theirs);
        }
        add(&mut self.noise, &other.noise);
    }

    fn acceptance(&self) -> f64 {
        let tried: u64 = self.by_level.iter().map(|(tried, _)| tried).sum();
        let accepted: u64 = self.by_level.iter().map(|(_, accepted)| accepted).sum();
        accepted as f64 / tried.max(1) as f64
    }

    fn noise_acceptance(&self) -> Option<f64> {
        let (tried, accepted) = self.noise;
        (tried > 0).then(|| accepted as f64 / tried as f64)
    }
}

/// Weights of trials.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// They add up to 1.
    pub(crate) normalised: Vec<f64>,
    /// (sum w)^2 / sum w^2.
    pub(crate) effective: f64,
    /// The logarithm of the mean weight.
    pub(crate) log_mean: f64,
}

/// The weights L^power of trials with these log likelihoods; all 0 if no trial is possible.
pub(crate) fn weights(log_likelihoods: &[f64], power: f64) -> Weights {
    let greatest = log_likelihoods
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    if greatest == f64::NEG_INFINITY {
        return Weights {
            normalised: vec![0.0; log_likelihoods.len()],
            effective: 0.0,
            log_mean: f64::NEG_INFINITY,
        };
    }
    let relative: Vec<f64> = (log_likelihoods.iter())
        .map(|log| libm::exp(power * (log - greatest)))
        .collect();
    let sum: f64 = relative.iter().sum();
    let squares: f64 = relative.iter().map(|weight| weight * weight).sum();
    Weights {
        effective: sum * sum / squares,
        log_mean: power * greatest + libm::log(sum / relative.len() as f64),
        normalised: relative.into_iter().map(|weight| weight / sum).collect(),
    }
}

/// The exponent up to which the effective sample size stays at `wanted`, above the one of now and at most 1.
fn next_exponent(log_likelihoods: &[f64], now: f64, wanted: f64) -> f64 {
    let effective = |exponent: f64| weights(log_likelihoods, exponent - now).effective;
    // Trials that are impossible are gone with the smallest step.
    let wanted = wanted.min(0.9 * effective(now + f64::EPSILON));
    if effective(1.0) >= wanted {
        return 1.0;
    }
    let (mut low, mut high) = (now, 1.0);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if effective(middle) >= wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    // The upper end, so that it always grows.
    high
}

/// How often each of several weights, which add up to 1, is drawn in `count` draws at equal distances from `start` in (0, 1).
pub(crate) fn systematic(normalised: &[f64], count: u64, start: f64) -> Vec<u64> {
    let mut counts = vec![0; normalised.len()];
    let mut drawn = 0;
    let mut sum = 0.0;
    for (weight, drawn_here) in normalised.iter().zip(&mut counts) {
        sum += weight;
        while drawn < count && (drawn as f64 + start) < sum * count as f64 {
            *drawn_here += 1;
            drawn += 1;
        }
    }
    // Rounding may leave the last draw over.
    if let Some(last) = normalised.iter().rposition(|weight| *weight > 0.0) {
        counts[last] += count - drawn;
    }
    counts
}

/// The standard normal numbers of all particles, input by input.
fn normals(particles: &[Particle]) -> Vec<Vec<f64>> {
    let inputs = particles.first().map_or(0, |particle| particle.point.len());
    (0..inputs)
        .map(|input| {
            let of_input = particles
                .iter()
                .map(|particle| normal_quantile(particle.point[input]));
            of_input.collect()
        })
        .collect()
}

/// The greatest correlation of a column with the same one of another list; 0 without columns.
fn greatest_correlation(before: &[Vec<f64>], after: &[Vec<f64>]) -> f64 {
    let pairs = before.iter().zip(after);
    pairs.map(|(a, b)| correlation(a, b)).fold(0.0, f64::max)
}

/// Pearson's correlation; 0 if one of them does not vary.
pub(super) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa * bb > 0.0 {
        ab / (aa * bb).sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
