//! Sampling on models whose posterior is known.

use super::*;

/// Inputs of standard normal numbers, and a function of these and of the process noise's own standard normal number.
struct Toy<F> {
    inputs: usize,
    seed: u64,
    log_likelihood: F,
}

impl<F: Fn(&[f64], f64) -> f64 + Sync> Evidence for Toy<F> {
    type Buffers = ();

    fn buffers(&self) {}

    fn prior(&self, trial: u64) -> (Vec<f64>, u64) {
        let uniforms = (0..self.inputs).map(|input| {
            let source = Source::named(&format!("input {input}"));
            source.uniform(self.seed, trial)
        });
        (uniforms.collect(), trial)
    }

    fn log_likelihood(&self, (): &mut (), point: &[f64], noise: u64) -> f64 {
        let z: Vec<f64> = point.iter().map(|u| normal_quantile(*u)).collect();
        let noise = Source::named("noise").uniform(self.seed, noise);
        (self.log_likelihood)(&z, normal_quantile(noise))
    }
}

fn gaussian(x: f64, sd: f64) -> f64 {
    -0.5 * (x / sd).powi(2) - (sd * (2.0 * std::f64::consts::PI).sqrt()).ln()
}

fn sampler<E: Evidence>(evidence: &E, seed: u64, particles: usize) -> Sampler<'_, E> {
    Sampler {
        evidence,
        settings: Settings {
            seed,
            particles,
            most_trials: 10_000_000,
        },
        trial_loop: TrialLoop::new(),
    }
}

fn posterior<E: Evidence>(sampler: &Sampler<'_, E>, prior: u64) -> Population {
    let prior = sampler.prior(prior).unwrap();
    let mut population = sampler.begin(&prior).unwrap();
    while !sampler.is_done(&population) {
        sampler.stage(&mut population).unwrap();
    }
    population
}

fn moments(population: &Population, input: usize) -> (f64, f64) {
    let z = &normals(&population.particles)[input];
    let n = z.len() as f64;
    let mean = z.iter().sum::<f64>() / n;
    let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, variance)
}

/// x of N(0, 1), observed as 4 with an error of sd 0.1: far out, so that many stages are needed. The posterior is normal with
/// mean 4 / (1 + 0.01) and variance 0.01 / 1.01; inputs that are not observed stay N(0, 1).
#[test]
fn a_normal_observed_with_a_normal_error_has_the_posterior_of_the_closed_form() {
    let toy = Toy {
        inputs: 5,
        seed: 1,
        log_likelihood: |z: &[f64], _| gaussian(4.0 - z[2], 0.1),
    };
    let population = posterior(&sampler(&toy, 1, 2_000), 2_000);
    assert_eq!(population.exponent, 1.0);
    assert!(population.stages.len() > 2, "{:?}", population.stages);
    let variance = 0.01 / 1.01;
    let (mean, found) = moments(&population, 2);
    // Standard error of the mean of 2,000: sd / 45 = 0.0022, allowing for a fourth of them to be independent, four of it.
    assert!((mean - 4.0 / 1.01).abs() < 0.018, "{mean}");
    // Of a variance: sqrt(2 / 500) = 6 %.
    assert!((found / variance - 1.0).abs() < 0.25, "{found}");
    for input in [0, 1, 3, 4] {
        let (mean, variance) = moments(&population, input);
        assert!(
            mean.abs() < 0.2 && (variance - 1.0).abs() < 0.25,
            "{input}: {mean} {variance}"
        );
    }
    // The density of 4 under N(0, 1.01); the error of the estimate is a few tenths.
    let expected = gaussian(4.0, 1.01_f64.sqrt());
    assert!(
        (population.log_evidence - expected).abs() < 0.7,
        "{}",
        population.log_evidence
    );
}

/// y = x + e of process noise, each of N(0, 1), observed as 2 with sd 0.5: x has mean 2 / 2.25 and variance 1 - 1 / 2.25.
#[test]
fn process_noise_takes_its_share_of_what_was_observed() {
    let toy = Toy {
        inputs: 1,
        seed: 2,
        log_likelihood: |z: &[f64], noise| gaussian(2.0 - z[0] - noise, 0.5),
    };
    let population = posterior(&sampler(&toy, 2, 2_000), 2_000);
    let (mean, variance) = moments(&population, 0);
    // Standard error with 500 independent ones: 0.75 / 22 = 0.033.
    assert!((mean - 2.0 / 2.25).abs() < 0.14, "{mean}");
    assert!(
        (variance / (1.0 - 1.0 / 2.25) - 1.0).abs() < 0.25,
        "{variance}"
    );
    assert!(
        population
            .stages
            .iter()
            .all(|stage| stage.noise_acceptance.is_some())
    );
}

/// |x| is observed, so that there are two modes with half of the posterior each.
#[test]
fn both_of_two_modes_are_kept() {
    let toy = Toy {
        inputs: 3,
        seed: 3,
        log_likelihood: |z: &[f64], _| gaussian(1.5 - z[0].abs(), 0.1),
    };
    let population = posterior(&sampler(&toy, 3, 1_000), 1_000);
    let z = &normals(&population.particles)[0];
    let above = z.iter().filter(|z| **z > 0.0).count() as f64 / 1_000.0;
    assert!((above - 0.5).abs() < 0.1, "{above}");
}

#[test]
fn threads_leave_no_trace_and_a_stage_is_taken_up_where_it_ended() {
    let toy = Toy {
        inputs: 4,
        seed: 4,
        log_likelihood: |z: &[f64], noise| gaussian(3.0 - z[0] - z[1] - 0.3 * noise, 0.05),
    };
    let with = |threads| {
        let mut sampler = sampler(&toy, 4, 200);
        sampler.trial_loop = TrialLoop::new().threads(threads);
        sampler
    };
    let whole = posterior(&with(1), 300);
    assert_eq!(posterior(&with(3), 300), whole);
    let sampler = with(2);
    let mut population = sampler.begin(&sampler.prior(300).unwrap()).unwrap();
    while !sampler.is_done(&population) {
        let text = serde_json::to_string(&population).unwrap();
        population = serde_json::from_str(&text).unwrap();
        sampler.stage(&mut population).unwrap();
    }
    assert_eq!(population, whole);
}

/// What cannot be met within the trials that are allowed is met as well as it can be.
#[test]
fn sampling_stops_at_the_most_trials_with_larger_errors() {
    let toy = Toy {
        inputs: 2,
        seed: 5,
        log_likelihood: |z: &[f64], _| gaussian(30.0 - z[0], 0.001),
    };
    let mut sampler = sampler(&toy, 5, 200);
    sampler.settings.most_trials = 20_000;
    let population = posterior(&sampler, 200);
    assert!(population.exponent < 1.0);
    assert!(population.simulated < 21_000, "{}", population.simulated);
}

/// Simulation-based calibration (Talts, Betancourt, Simpson, Vehtari and Gelman, "Validating Bayesian inference algorithms with
/// simulation-based calibration", arXiv 1804.06788, 2018): of truths drawn from the prior and observed with error, the rank
/// among draws of the posterior is uniform. Here of an input that enters by its square and with process noise, and of one
/// that is observed through an exponential.
#[test]
#[ignore = "slow"]
fn ranks_of_truths_among_posterior_draws_are_uniform() {
    const REPLICATIONS: u64 = 300;
    const BINS: usize = 10;
    let mut counts = [[0_u32; BINS]; 2];
    for replication in 0..REPLICATIONS {
        let draw = |name: &str| {
            let u = Source::named(name).uniform(77, replication);
            normal_quantile(u)
        };
        let (a, b) = (draw("a"), draw("b"));
        let model =
            |z: &[f64], noise: f64| [z[0] + 0.3 * z[1] * z[1] + 0.4 * noise, (0.5 * z[1]).exp()];
        let truth = model(&[a, b], draw("noise of the truth"));
        let observed = [
            truth[0] + 0.2 * draw("error 0"),
            truth[1] + 0.1 * draw("error 1"),
        ];
        let toy = Toy {
            inputs: 2,
            seed: 1_000 + replication,
            log_likelihood: move |z: &[f64], noise| {
                let found = model(z, noise);
                gaussian(observed[0] - found[0], 0.2) + gaussian(observed[1] - found[1], 0.1)
            },
        };
        let mut sampler = sampler(&toy, replication, 150);
        sampler.trial_loop = TrialLoop::new().threads(1);
        let population = posterior(&sampler, 150);
        let z = normals(&population.particles);
        for (input, truth) in [a, b].into_iter().enumerate() {
            // Every fifteenth particle, so that they are nearly independent: ranks 0 to 9.
            let draws = z[input].iter().skip(7).step_by(16);
            let rank = draws.take(BINS - 1).filter(|z| **z < truth).count();
            counts[input][rank] += 1;
        }
    }
    // Chi-square with 9 degrees of freedom: above 27.9 once in a thousand.
    let expected = REPLICATIONS as f64 / BINS as f64;
    for counts in counts {
        let chi: f64 = (counts.iter())
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        assert!(chi < 27.9, "{counts:?}: {chi}");
    }
}

#[test]
fn systematic_draws_are_as_many_as_wanted_and_as_the_weights_are() {
    assert_eq!(systematic(&[0.5, 0.25, 0.0, 0.25], 8, 0.5), [4, 2, 0, 2]);
    assert_eq!(systematic(&[0.0, 1.0], 3, 0.999), [0, 3]);
    let weights = weights(&[0.0, 2.0_f64.ln(), f64::NEG_INFINITY], 1.0);
    assert_eq!(weights.normalised[2], 0.0);
    // (1 + 2)^2 / (1 + 4).
    assert!((weights.effective - 1.8).abs() < 1e-12);
    assert!((weights.log_mean - 0.0).abs() < 1e-12);
}
