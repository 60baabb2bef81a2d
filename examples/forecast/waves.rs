//! The future of a campus as a process of waves: waits, buildings, power and hardware.

use jiff::civil::Date;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use buildout::uncertain::{normal_cdf, normal_quantile};

use crate::class::{
    Class, Law, STOP_PROBABILITY, WAITS_BETWEEN_SHARE, h100e_of_a_mw, mw_of_a_building,
};
use crate::known::{Known, Wave};

/// What is live in a trial at each horizon.
pub(crate) type Trial = Vec<[f64; 3]>;

/// More waves than this are not followed within the horizons.
const MOST_WAVES: usize = 24;
/// The least that a wait may have left, in months: half a day.
const LEAST_WAIT: f64 = 0.02;

/// What all campuses of a trial share, in standard deviations.
pub(crate) struct Shared {
    seed: String,
    /// Of waits.
    pace: Vec<f64>,
    /// Of hardware.
    hardware: Vec<f64>,
}

impl Shared {
    /// For a number of trials from a date.
    pub(crate) fn new(origin: Date, trials: usize) -> Self {
        let seed = origin.to_string();
        let draws = |name: &str| {
            let mut random = generator(&[&seed, name]);
            (0..trials).map(|_| normal(&mut random)).collect()
        };
        Self {
            pace: draws("pace"),
            hardware: draws("hardware"),
            seed,
        }
    }
}

/// A generator that depends on the names alone: FNV-1a of them seeds it.
fn generator(names: &[&str]) -> Xoshiro256PlusPlus {
    let bytes = names.iter().flat_map(|name| name.bytes().chain([0]));
    let seed = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

fn uniform(random: &mut Xoshiro256PlusPlus) -> f64 {
    random.random::<f64>().clamp(1e-15, 1.0 - 1e-15)
}

fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
    normal_quantile(uniform(random))
}

/// The futures of a campus: what is live at each of `horizons`, in months, trial by trial.
pub(crate) fn simulate(
    campus: &Known,
    class: &Class,
    shared: &Shared,
    horizons: &[f64],
) -> Vec<Trial> {
    let future = Future::new(campus, class);
    let mut random = generator(&[&shared.seed, &campus.name]);
    let trials = shared.pace.iter().zip(&shared.hardware);
    trials
        .map(|(&pace, &hardware)| future.trial(pace, hardware, horizons, &mut random))
        .collect()
}

/// A campus's laws, conditioned on what it has done.
struct Future<'a> {
    campus: &'a Known,
    class: &'a Class,
    waiting: Law,
    later: Law,
    size: Law,
    /// The mean and standard deviation of the campus's own part of ln(MW a building).
    size_level: (f64, f64),
    size_within: f64,
    hardware_level: (f64, f64),
    hardware_within: f64,
    /// Normal scores of the campus's pace, their cumulative probabilities, and the survival of the wait
    /// so far under each.
    pace: Vec<(f64, f64)>,
}

impl<'a> Future<'a> {
    fn new(campus: &'a Known, class: &'a Class) -> Self {
        /// Laws drift little within the two years ahead: that of the middle is taken.
        const MIDDLE_YEARS: f64 = 1.0;
        let middle = class.origin + MIDDLE_YEARS;
        let (size_level, size_within) = level(
            campus,
            class.size_spread(),
            |years| class.size(years),
            mw_of_a_building,
        );
        let (hardware_level, hardware_within) = level(
            campus,
            class.hardware_spread(),
            |years| class.hardware(years),
            h100e_of_a_mw,
        );
        let mut future = Self {
            campus,
            class,
            waiting: class.waiting(campus),
            later: class.wait(false, middle),
            size: class.size(middle),
            size_level,
            size_within,
            hardware_level,
            hardware_within,
            pace: Vec::new(),
        };
        future.pace = future.pace_scores();
        future
    }

    /// The wait so far in standard deviations of its law.
    fn so_far(&self) -> f64 {
        const LEAST: f64 = 0.1;
        (self.campus.waiting.months.max(LEAST).ln() - self.waiting.ln_median) / self.waiting.sigma
    }

    /// The probability that the wait is longer than so far, given the score of the campus's pace.
    fn survival(&self, score: f64) -> f64 {
        let own = WAITS_BETWEEN_SHARE.sqrt() * score;
        normal_cdf((own - self.so_far()) / (1.0 - WAITS_BETWEEN_SHARE).sqrt())
    }

    /// What the campus's waits say of its pace: scores and cumulative probabilities.
    fn pace_scores(&self) -> Vec<(f64, f64)> {
        const RANGE: f64 = 4.0;
        const STEPS: i32 = 80;
        let weight = |score: f64| {
            let past = self.campus.waits.iter().map(|wait| {
                let law = self.class.wait(wait.first, wait.begun);
                let z = (wait.months.ln() - law.ln_median) / law.sigma;
                let residual = z - WAITS_BETWEEN_SHARE.sqrt() * score;
                -0.5 * residual * residual / (1.0 - WAITS_BETWEEN_SHARE)
            });
            let ln = past.sum::<f64>() - 0.5 * score * score;
            ln.exp() * (STOP_PROBABILITY + (1.0 - STOP_PROBABILITY) * self.survival(score))
        };
        let scores = (-STEPS..=STEPS).map(|step| RANGE * f64::from(step) / f64::from(STEPS));
        let mut total = 0.0;
        let mut points: Vec<(f64, f64)> = scores
            .map(|score| {
                total += weight(score);
                (score, total)
            })
            .collect();
        points.iter_mut().for_each(|(_, sum)| *sum /= total);
        points
    }

    fn trial(
        &self,
        pace: f64,
        hardware: f64,
        horizons: &[f64],
        random: &mut Xoshiro256PlusPlus,
    ) -> Trial {
        let draw = uniform(random);
        let index = self.pace.partition_point(|&(_, sum)| sum < draw);
        let score = self.pace[index.min(self.pace.len() - 1)].0;
        let [size_level, hardware_level] =
            [self.size_level, self.hardware_level].map(|(mean, sd)| mean + sd * normal(random));
        let mut trial = vec![self.campus.live; horizons.len()];
        let mut at = self.first_wait(score, pace, random);
        let last = horizons.iter().copied().fold(0.0, f64::max);
        for _ in 0..MOST_WAVES {
            if at > last {
                break;
            }
            let buildings = self.buildings(uniform(random));
            let ln_size = self.size.ln_median + size_level + self.size_within * normal(random);
            let mw = buildings * ln_size.exp();
            let law = self.class.hardware(self.class.origin + at / 12.0);
            let ln_hardware = law.ln_median
                + law.shared_sigma * hardware
                + hardware_level
                + self.hardware_within * normal(random);
            let gain = [mw, mw * ln_hardware.exp(), buildings];
            for (live, _) in trial.iter_mut().zip(horizons).filter(|(_, h)| at <= **h) {
                live.iter_mut()
                    .zip(gain)
                    .for_each(|(live, gain)| *live += gain);
            }
            at += self.later_wait(score, pace, random);
        }
        trial
    }

    fn buildings(&self, draw: f64) -> f64 {
        let mut sum = 0.0;
        let found = self.class.buildings.iter().find(|(_, share)| {
            sum += share;
            draw <= sum
        });
        found
            .or(self.class.buildings.last())
            .map_or(1.0, |&(number, _)| number)
    }

    /// What is left of the wait that goes on, given that it is not over; infinite if the campus has stopped.
    fn first_wait(&self, score: f64, pace: f64, random: &mut Xoshiro256PlusPlus) -> f64 {
        let survival = self.survival(score).max(1e-12);
        let stopped = STOP_PROBABILITY / (STOP_PROBABILITY + (1.0 - STOP_PROBABILITY) * survival);
        if uniform(random) < stopped {
            return f64::INFINITY;
        }
        let residual =
            -normal_quantile(survival * normal_cdf(-within(&self.waiting, pace, random)));
        let total = (self.waiting.ln_median + self.waiting.sigma * combined(score, residual)).exp();
        (total - self.campus.waiting.months).max(LEAST_WAIT)
    }

    fn later_wait(&self, score: f64, pace: f64, random: &mut Xoshiro256PlusPlus) -> f64 {
        if uniform(random) < STOP_PROBABILITY {
            return f64::INFINITY;
        }
        let residual = within(&self.later, pace, random);
        (self.later.ln_median + self.later.sigma * combined(score, residual)).exp()
    }
}

/// The normal score of a wait, from that of the campus's pace and of the wait itself.
fn combined(score: f64, residual: f64) -> f64 {
    WAITS_BETWEEN_SHARE.sqrt() * score + (1.0 - WAITS_BETWEEN_SHARE).sqrt() * residual
}

/// The normal score of a wait itself: what all campuses share loads on it.
fn within(law: &Law, pace: f64, random: &mut Xoshiro256PlusPlus) -> f64 {
    const MOST: f64 = 0.8;
    let loading = law.shared_sigma / (law.sigma * (1.0 - WAITS_BETWEEN_SHARE).sqrt());
    let loading = loading.min(MOST);
    loading * pace + (1.0 - loading * loading).sqrt() * normal(random)
}

/// What a campus's waves say of its own part of a logarithm, as the mean and standard deviation of a
/// normal law (shrunk towards the class), and the standard deviation from wave to wave.
fn level(
    campus: &Known,
    (between, within): (f64, f64),
    law: impl Fn(f64) -> Law,
    value: impl Fn(&Wave) -> Option<f64>,
) -> ((f64, f64), f64) {
    let residuals: Vec<f64> = (campus.waves.iter())
        .filter_map(|wave| Some(value(wave)?.ln() - law(wave.years).ln_median))
        .collect();
    let precision = 1.0 / (between * between) + residuals.len() as f64 / (within * within);
    let mean = residuals.iter().sum::<f64>() / (within * within) / precision;
    ((mean, precision.sqrt().recip()), within)
}
