//! What a comparison finds: each measure in each scenario, and its differences.

use serde::{Deserialize, Serialize};

use super::{KnownGoals, Matrix, MeasureLabel};
use crate::analysis::decide::run::Decision;
use crate::analysis::paired::Gathered;
use crate::date::Date;
use crate::projection::Distribution;

/// A measure in one scenario. What does not exist is `None`: a mean of nothing, a percentile of a milestone that is not reached in so
/// many trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Level {
    /// The scenario: its position.
    pub scenario: usize,
    /// The measure: its position.
    pub measure: usize,
    /// In how many trials it is finite: a milestone that is reached, a price that exists.
    pub trials: u64,
    /// The mean over these; none of a milestone that is not reached in all trials, which would leave out the late ones.
    pub mean: Option<f64>,
    /// The standard error of the mean.
    pub std_error: Option<f64>,
    /// The 10th percentile over all trials in which it is a number, infinite ones included.
    pub p10: Option<f64>,
    /// The 25th.
    pub p25: Option<f64>,
    /// The 50th.
    pub p50: Option<f64>,
    /// The 75th.
    pub p75: Option<f64>,
    /// The 80th.
    pub p80: Option<f64>,
    /// The 90th.
    pub p90: Option<f64>,
}

/// By how much a measure is greater in a scenario than in the one that it is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// The scenario: its position.
    pub scenario: usize,
    /// The measure: its position.
    pub measure: usize,
    /// In how many trials it is finite in both.
    pub trials: u64,
    /// The scenario that it is compared with: its position.
    pub baseline: usize,
    /// The mean of the differences, over these; none of a milestone that some trials do not reach in one or the other.
    pub mean: Option<f64>,
    /// Its standard error.
    pub std_error: Option<f64>,
    /// The lower end of its confidence interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The 10th percentile of the differences.
    pub p10: Option<f64>,
    /// The 25th.
    pub p25: Option<f64>,
    /// The 50th.
    pub p50: Option<f64>,
    /// The 75th.
    pub p75: Option<f64>,
    /// The 90th.
    pub p90: Option<f64>,
    /// By how much its median is greater than that of the other, infinite values included.
    pub p50_shift: Option<f64>,
    /// By how much its 80th percentile is.
    pub p80_shift: Option<f64>,
    /// The share of trials in which it is greater. A milestone that is not reached counts as later than any other.
    pub share_greater: Option<f64>,
    /// The share of trials in which it is less.
    pub share_less: Option<f64>,
    /// The share of trials in which it is equal.
    pub share_equal: Option<f64>,
    /// By how many times fewer trials the mean difference is known to the same standard error than from independent trials in each
    /// scenario: (var A + var B) / var(A - B). `None` if the difference does not vary.
    pub fewer_trials: Option<f64>,
}

impl Difference {
    /// The standard error of a share of its trials: sqrt(p (1 - p) / n).
    pub fn share_std_error(&self, share: f64) -> f64 {
        (share * (1.0 - share) / self.trials as f64).sqrt()
    }
}

/// What scenarios are against each other. Everything in it follows from the scenarios, the seed, the trials and the version of the
/// crate; the number of threads leaves no trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Compared {
    /// The version of the program.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// How many trials each scenario had: those numbered from 0 on.
    pub trials: u64,
    /// The confidence of the intervals.
    pub confidence: f64,
    /// The first month of all scenarios.
    pub start: Date,
    /// The scenarios.
    pub scenarios: Vec<ComparedScenario>,
    /// The one that the others are compared with: its position.
    pub baseline: usize,
    /// How the scenarios are plans in worlds, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<Matrix>,
    /// By what they are compared.
    pub measures: Vec<MeasureLabel>,
    /// Each measure in each scenario, measure by measure.
    pub levels: Vec<Level>,
    /// Each measure in each scenario but the baseline, less the baseline's, measure by measure.
    pub differences: Vec<Difference>,
    /// How well the goals are known, if there were any. The intervals of levels and differences are for a number of trials that was
    /// fixed beforehand, these for one that follows from what was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goals: Option<KnownGoals>,
    /// Which plan to choose, if that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// A scenario of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ComparedScenario {
    /// Its name in the comparison.
    pub name: String,
    /// What it says: [`Scenario::fingerprint`](crate::Scenario::fingerprint).
    pub fingerprint: String,
}

impl Compared {
    /// A measure in a scenario.
    pub fn level(&self, measure: usize, scenario: usize) -> Option<&Level> {
        (self.levels.iter()).find(|level| level.measure == measure && level.scenario == scenario)
    }

    /// The difference of a measure between a scenario and what it is compared with: the baseline or, in a matrix, the first
    /// plan in the same world. `None` for that itself.
    pub fn difference(&self, measure: usize, scenario: usize) -> Option<&Difference> {
        (self.differences.iter()).find(|one| one.measure == measure && one.scenario == scenario)
    }
}

/// A measure in one scenario, as its values say.
pub(super) fn level(scenario: usize, measure: usize, of: Distribution<'_>) -> Level {
    let percentiles = of.quantiles(&[0.1, 0.25, 0.5, 0.75, 0.8, 0.9]);
    // What is infinite in some trials has no mean: one of the others would leave out the worst.
    let is_finite = of.finite_count() == of.count();
    Level {
        scenario,
        measure,
        trials: of.finite_count(),
        mean: of.mean().filter(|_| is_finite),
        std_error: of.std_error().filter(|_| is_finite),
        p10: percentiles[0],
        p25: percentiles[1],
        p50: percentiles[2],
        p75: percentiles[3],
        p80: percentiles[4],
        p90: percentiles[5],
    }
}

/// The difference of a measure between two models: `at` in the order of what was gathered, and that it is compared with.
pub(super) fn difference(
    (scenario, baseline): (usize, usize),
    measure: usize,
    (at, against): (usize, usize),
    gathered: &Gathered,
    z: f64,
) -> Difference {
    let pair = gathered.pair(measure, at);
    let of = pair.difference;
    let percentiles = of.quantiles(&[0.1, 0.25, 0.5, 0.75, 0.9]);
    let is_finite = of.finite_count() == pair.comparable;
    let mean = of.mean().filter(|_| is_finite);
    let std_error = of.std_error().filter(|_| is_finite);
    let end = |sign: f64| Some(mean? + sign * z * std_error?);
    let share = |count: u64| (pair.comparable > 0).then(|| pair.share(count));
    let variance = |of: &Distribution<'_>| of.std_dev().map(|sd| sd * sd);
    let fewer_trials = (variance(&pair.with).zip(variance(&pair.without)))
        .zip(variance(&of))
        .filter(|(_, paired)| *paired > 0.0)
        .map(|((with, without), paired)| (with + without) / paired);
    let shift = |p: f64| {
        let quantile = |model: usize| gathered.value(measure, model).quantiles(&[p])[0];
        Some(quantile(at)? - quantile(against)?).filter(|shift| shift.is_finite())
    };
    Difference {
        scenario,
        baseline,
        measure,
        trials: of.finite_count(),
        mean,
        std_error,
        low: end(-1.0),
        high: end(1.0),
        p10: percentiles[0],
        p25: percentiles[1],
        p50: percentiles[2],
        p75: percentiles[3],
        p90: percentiles[4],
        p50_shift: shift(0.5),
        p80_shift: shift(0.8),
        share_greater: share(pair.greater),
        share_less: share(pair.less),
        share_equal: share(pair.comparable - pair.greater - pair.less),
        fewer_trials,
    }
}
