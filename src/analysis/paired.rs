//! Several models on the same luck, and what a change gains.
//!
//! Every draw of a trial depends on the seed, the name of its source and the number of the trial
//! alone, so that two models that share a source share its luck. The differences trial by trial
//! then vary far less than the results themselves (common random numbers; Glasserman & Yao, "Some
//! Guidelines and Guarantees for Common Random Numbers", Management Science 38, 1992), and their
//! standard error is what they say of themselves, whatever the two have in common.
//!
//! Results and differences are gathered in a [`Projection`] of their own, so that memory does not grow with the
//! number of trials and the results are the same to the bit on any number of threads.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::model::Model;
use crate::monte_carlo::batch::{Cancel, MOST_THREADS, OnProgress, RunError};
use crate::projection::{
    Distribution, Layout, Metric, Projection, Provenance, TargetLabel, TrialRow,
};
use crate::sampling::design::Sampling;
use crate::trial::Workspace;

/// How many trials a thread takes at once.
const BLOCK: u64 = 64;

/// Why models cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairedError {
    /// No trial was asked for.
    #[error("a comparison of 0 trials says nothing: ask for 1 trial or more")]
    NoTrials,
    /// They do not begin in the same month or are not of the same length.
    #[error("the scenarios do not cover the same months: {0} and {1} months")]
    OtherMonths(usize, usize),
    /// The trials did not run.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// By how much a number is greater with a change than without.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Gain {
    /// The number: a metric at the end of the horizon, or an outcome.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// In how many trials it is a finite number with and without the change.
    pub trials: u64,
    /// The mean with the change.
    pub mean_with: f64,
    /// The mean without.
    pub mean_without: f64,
    /// The mean of the differences; NaN without trials.
    pub mean: f64,
    /// Its standard error: the standard deviation of the differences / sqrt(n); NaN for fewer than 2 trials.
    pub std_error: f64,
    /// The share of trials in which it is greater with the change.
    pub share_greater: f64,
    /// The share of trials in which it is less with the change.
    pub share_less: f64,
}

/// What the change from `without` to `with` gains, on trials of these numbers of one seed: for all
/// metrics of all campuses together at the end of the horizon, and all outcomes, that both have.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use buildout::site::{Campus, ExistingCapacity};
/// use buildout::tenants::{Segment, Voucher};
/// use buildout::{Date, Scenario, compute::RackType, paired_gains};
///
/// let mut scenario = Scenario::new("vouchers", Date::month(2025, 1)?, 24);
/// scenario.rack_types.push(RackType::new("air", 10.0));
/// let mut campus = Campus::new("north");
/// campus.existing = Some(ExistingCapacity {
///     racks: 5_000,
///     rack_type: "air".into(),
///     power_kw: 50_000.0,
///     compute_pflops: 0.0,
/// });
/// scenario.campuses.push(campus);
/// let mut segment = Segment::new("AI");
/// segment.outreach_per_month = 20.0.into();
/// segment.sign_probability = 0.2.into();
/// segment.contract_power_kw = Some(100.0.into());
/// scenario.segments.push(segment);
///
/// let without = scenario.compile()?;
/// let mut voucher = Voucher::new("vouchers", 1e6, 1_000.0);
/// voucher.sign_factor = 1.5.into();
/// scenario.vouchers.push(voucher);
/// let gains = paired_gains(&scenario.compile()?, &without, 1, 0..200)?;
/// let signed = gains.iter().find(|gain| gain.name == "contracts_signed").expect("a metric");
/// assert!(signed.mean > 4.0 && signed.share_less == 0.0);
/// # Ok(())
/// # }
/// ```
pub fn paired_gains(
    with: &Model,
    without: &Model,
    seed: u64,
    trials: Range<u64>,
) -> Result<Vec<Gain>, PairedError> {
    let (a, b) = (with.layout(), without.layout());
    if a.months != b.months || a.start != b.start {
        return Err(PairedError::OtherMonths(a.months, b.months));
    }
    let last = a.months - 1;
    let at_end = |metric| Place::Metric {
        scope: 0,
        metric,
        month: last,
    };
    let metrics = a.metrics.iter().enumerate().filter_map(|(place, metric)| {
        let other = b.metric_index(&metric.name)?;
        Some((metric, vec![at_end(other), at_end(place)]))
    });
    let outcomes = a
        .outcomes
        .iter()
        .enumerate()
        .filter_map(|(place, outcome)| {
            let other = b.outcome_index(&outcome.name)?;
            Some((outcome, vec![Place::Outcome(other), Place::Outcome(place)]))
        });
    let (numbers, places): (Vec<&Metric>, Vec<Vec<Place>>) = metrics.chain(outcomes).unzip();
    let models = [without, with];
    let gathered = SameLuck {
        models: &models,
        places: &places,
        seed,
        trials,
        threads: 0,
        on_progress: None,
        cancel: None,
    }
    .gather()?;
    let gains = numbers.iter().enumerate().map(|(number, metric)| {
        let pair = gathered.pair(number, 1);
        let or_nan = |statistic: Option<f64>| statistic.unwrap_or(f64::NAN);
        Gain {
            name: metric.name.clone(),
            unit: metric.unit.clone(),
            trials: pair.difference.finite_count(),
            mean_with: or_nan(pair.with.mean()),
            mean_without: or_nan(pair.without.mean()),
            mean: or_nan(pair.difference.mean()),
            std_error: or_nan(pair.difference.std_error()),
            share_greater: pair.share(pair.greater),
            share_less: pair.share(pair.less),
        }
    });
    Ok(gains.collect())
}

/// A number that a trial yields: where it stands in a row of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Metric {
        scope: usize,
        metric: usize,
        month: usize,
    },
    Milestone(usize),
    Outcome(usize),
    Target(usize),
}

impl Place {
    /// Its value in a trial; 1 or 0 for a target that is met or not.
    fn of(self, row: &TrialRow) -> f64 {
        match self {
            Self::Metric {
                scope,
                metric,
                month,
            } => row.monthly(scope, metric)[month],
            Self::Milestone(milestone) => row.milestones()[milestone],
            Self::Outcome(outcome) => row.outcomes()[outcome],
            Self::Target(target) => f64::from(u8::from(row.targets()[target])),
        }
    }
}

/// Trials of several models on the same luck; the first is what the others are compared with.
pub(crate) struct SameLuck<'a> {
    pub(crate) models: &'a [&'a Model],
    /// What is looked at: for each number its place in each model.
    pub(crate) places: &'a [Vec<Place>],
    pub(crate) seed: u64,
    pub(crate) trials: Range<u64>,
    /// 0 for as many as there are processors.
    pub(crate) threads: usize,
    pub(crate) on_progress: Option<&'a OnProgress<'a>>,
    pub(crate) cancel: Option<&'a Cancel>,
}

/// What came of it.
pub(crate) struct Gathered {
    models: usize,
    /// Its outcomes and targets are in the order of [`Gathered::value_at`] and [`Gathered::pair_at`].
    projection: Projection,
}

/// A number in one model and in the one that it is compared with.
pub(crate) struct Pair<'a> {
    /// Where it is finite in both.
    pub(crate) with: Distribution<'a>,
    pub(crate) without: Distribution<'a>,
    pub(crate) difference: Distribution<'a>,
    /// Trials in which it is a number in both, be it infinite; and of these, greater or less.
    pub(crate) comparable: u64,
    pub(crate) greater: u64,
    pub(crate) less: u64,
}

impl Pair<'_> {
    /// A share of the trials that can be compared; NaN if there are none.
    pub(crate) fn share(&self, count: u64) -> f64 {
        count as f64 / self.comparable as f64
    }
}

/// Series of a pair: the number with and without the change, and the difference.
const SERIES: usize = 3;
/// Counts of a pair: comparable, greater, less.
const COUNTS: usize = 3;

impl Gathered {
    /// Outcomes of one number: its value in each model, then the series of each pair.
    fn outcomes(models: usize) -> usize {
        models + SERIES * (models - 1)
    }

    fn value_at(models: usize, number: usize, model: usize) -> usize {
        number * Self::outcomes(models) + model
    }

    fn pair_at(models: usize, number: usize, model: usize) -> usize {
        number * Self::outcomes(models) + models + SERIES * (model - 1)
    }

    fn count_at(models: usize, number: usize, model: usize) -> usize {
        COUNTS * (number * (models - 1) + model - 1)
    }

    /// How many trials it is of.
    pub(crate) fn trials(&self) -> u64 {
        self.projection.trials()
    }

    /// A number in a model.
    pub(crate) fn value(&self, number: usize, model: usize) -> Distribution<'_> {
        self.outcome(Self::value_at(self.models, number, model))
    }

    /// A number in a model other than the first, and in the first.
    pub(crate) fn pair(&self, number: usize, model: usize) -> Pair<'_> {
        let first = Self::pair_at(self.models, number, model);
        let count = Self::count_at(self.models, number, model);
        let counts: Vec<u64> = (self.projection.targets().skip(count).take(COUNTS))
            .map(|target| target.met())
            .collect();
        Pair {
            with: self.outcome(first),
            without: self.outcome(first + 1),
            difference: self.outcome(first + 2),
            comparable: counts[0],
            greater: counts[1],
            less: counts[2],
        }
    }

    fn outcome(&self, position: usize) -> Distribution<'_> {
        let mut outcomes = self.projection.outcomes();
        outcomes.nth(position).expect("it is in the layout").1
    }
}

impl SameLuck<'_> {
    /// Runs all its trials.
    pub(crate) fn gather(&self) -> Result<Gathered, PairedError> {
        let mut gathered = self.begin()?;
        self.advance(&mut gathered, self.trials.end)?;
        Ok(gathered)
    }

    /// No trial yet, to be [advanced](Self::advance).
    pub(crate) fn begin(&self) -> Result<Gathered, PairedError> {
        let projection = Projection::new(Arc::new(self.layout()), Provenance::default())
            .map_err(RunError::from)?;
        Ok(Gathered {
            models: self.models.len(),
            projection,
        })
    }

    /// Runs the trials from where `gathered` has got to up to `end`, and adds them to it. On an error nothing is added.
    pub(crate) fn advance(&self, gathered: &mut Gathered, end: u64) -> Result<(), PairedError> {
        if end <= self.trials.start {
            return Err(PairedError::NoTrials);
        }
        let empty = Projection::new(
            gathered.projection.layout().clone(),
            gathered.projection.provenance().clone(),
        )
        .map_err(RunError::from)?;
        let stretch = Stretch {
            luck: self,
            trials: self.trials.start + gathered.trials()..end,
            taken: AtomicU64::new(0),
            done: AtomicU64::new(gathered.trials()),
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.min(MOST_THREADS))
            .build()
            .map_err(RunError::from)?;
        let parts: Vec<Result<Projection, RunError>> = pool.install(|| {
            (0..pool.current_num_threads())
                .into_par_iter()
                .with_max_len(1)
                .map(|_| stretch.work(empty.clone()))
                .collect()
        });
        for part in parts
            .into_iter()
            .collect::<Result<Vec<Projection>, RunError>>()?
        {
            gathered.projection.merge(&part).map_err(RunError::from)?;
        }
        Ok(())
    }

    fn layout(&self) -> Layout {
        let models = self.models.len();
        let mut layout = Layout::new(self.models[0].layout().start, 1);
        let outcomes = self.places.len() * Gathered::outcomes(models);
        layout.outcomes.extend((0..outcomes).map(|position| Metric {
            name: position.to_string(),
            unit: String::new(),
            meaning: String::new(),
        }));
        let counts = self.places.len() * COUNTS * (models - 1);
        layout
            .targets
            .extend((0..counts).map(|position| TargetLabel {
                name: position.to_string(),
                description: String::new(),
                by: None,
            }));
        layout
    }

    /// Fills in the pairs of a trial.
    fn pair_up(&self, found: &mut TrialRow) {
        let models = self.models.len();
        for number in 0..self.places.len() {
            let without = found.outcomes()[Gathered::value_at(models, number, 0)];
            for model in 1..models {
                let with = found.outcomes()[Gathered::value_at(models, number, model)];
                let (series, counts) = pair(with, without);
                let first = Gathered::pair_at(models, number, model);
                found.outcomes_mut()[first..first + SERIES].copy_from_slice(&series);
                let first = Gathered::count_at(models, number, model);
                found.targets_mut()[first..first + COUNTS].copy_from_slice(&counts);
            }
        }
    }
}

/// Trials that workers share among them.
struct Stretch<'a> {
    luck: &'a SameLuck<'a>,
    trials: Range<u64>,
    /// How many of them workers have taken.
    taken: AtomicU64,
    /// How many are done of all, with those before this stretch.
    done: AtomicU64,
}

impl Stretch<'_> {
    /// What one worker does: takes blocks until none is left.
    fn work(&self, mut gathered: Projection) -> Result<Projection, RunError> {
        let luck = self.luck;
        let models = luck.models.len();
        let sampling = Sampling::random(luck.seed);
        let mut workspaces: Vec<Workspace> = Vec::new();
        workspaces.resize_with(models, Workspace::default);
        let mut rows: Vec<TrialRow> = (luck.models.iter())
            .map(|model| TrialRow::new(model.layout().clone()))
            .collect();
        let mut found: Vec<TrialRow> = (0..BLOCK)
            .map(|_| TrialRow::new(gathered.layout().clone()))
            .collect();
        let length = self.trials.end.saturating_sub(self.trials.start);
        let total = self.trials.end - luck.trials.start;
        loop {
            if luck.cancel.is_some_and(Cancel::is_cancelled) {
                return Err(RunError::Cancelled);
            }
            let start = self.taken.fetch_add(BLOCK, Ordering::Relaxed);
            if start >= length {
                return Ok(gathered);
            }
            let count = (length - start).min(BLOCK);
            let found = &mut found[..count as usize];
            // Model by model, so that each has the cache for a while.
            for (model, simulated) in luck.models.iter().enumerate() {
                let row = &mut rows[model];
                for (offset, found) in found.iter_mut().enumerate() {
                    let trial = self.trials.start + start + offset as u64;
                    simulated.simulate_by(&sampling, trial, &mut workspaces[model], row);
                    for (number, places) in luck.places.iter().enumerate() {
                        found.outcomes_mut()[Gathered::value_at(models, number, model)] =
                            places[model].of(row);
                    }
                }
            }
            for found in &mut *found {
                luck.pair_up(found);
            }
            gathered.absorb(found)?;
            if let Some(report) = luck.on_progress {
                report(self.done.fetch_add(count, Ordering::Relaxed) + count, total);
            }
        }
    }
}

/// The series and the counts of a pair. A milestone that is not reached is later than any other: it can be compared, but
/// has no difference that could enter a mean.
fn pair(with: f64, without: f64) -> ([f64; SERIES], [bool; COUNTS]) {
    let is_comparable = !with.is_nan() && !without.is_nan();
    let series = if with.is_finite() && without.is_finite() {
        [with, without, with - without]
    } else {
        [f64::NAN; SERIES]
    };
    (
        series,
        [
            is_comparable,
            is_comparable && with > without,
            is_comparable && with < without,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_reached_is_later_but_has_no_difference() {
        let (series, counts) = pair(3.0, 1.0);
        assert_eq!((series, counts), ([3.0, 1.0, 2.0], [true, true, false]));
        let (series, counts) = pair(3.0, f64::INFINITY);
        assert!(series[2].is_nan());
        assert_eq!(counts, [true, false, true]);
        let (_, counts) = pair(f64::INFINITY, f64::INFINITY);
        assert_eq!(counts, [true, false, false]);
        let (_, counts) = pair(f64::NAN, 1.0);
        assert_eq!(counts, [false; 3]);
    }

    #[test]
    fn every_series_and_count_has_a_place_of_its_own() {
        let (models, numbers) = (4, 3);
        let mut places = Vec::new();
        let mut counts = Vec::new();
        for number in 0..numbers {
            places.extend((0..models).map(|model| Gathered::value_at(models, number, model)));
            for model in 1..models {
                let first = Gathered::pair_at(models, number, model);
                places.extend(first..first + SERIES);
                let first = Gathered::count_at(models, number, model);
                counts.extend(first..first + COUNTS);
            }
        }
        places.sort_unstable();
        counts.sort_unstable();
        assert!(
            places
                .iter()
                .copied()
                .eq(0..numbers * Gathered::outcomes(models))
        );
        assert!(
            counts
                .iter()
                .copied()
                .eq(0..numbers * COUNTS * (models - 1))
        );
    }
}
