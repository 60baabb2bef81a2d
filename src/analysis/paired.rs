//! Several models with common random numbers, and what a change gains.
//!
//! Every draw of a trial depends on the seed, the name of its source and the number of the trial
//! alone, so that two models that share a source share its numbers. The differences trial by trial
//! then vary far less than the results themselves (common random numbers; Glasserman & Yao, "Some
//! Guidelines and Guarantees for Common Random Numbers", Management Science 38, 1992), and their
//! standard error is what they say of themselves, whatever the two have in common.
//!
//! Results and differences are gathered in a [`Projection`] of their own, so that memory does not grow with the
//! number of trials and the results are the same to the bit on any number of threads.

use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::Model;
use crate::monte_carlo::batch::{Batch, RunError};
use crate::monte_carlo::checkpoint::hexadecimal;
use crate::monte_carlo::experiment::{Experiment, Prepared, Simulator};
use crate::monte_carlo::part::Part;
use crate::projection::{
    Distribution, Layout, Metric, Projection, Provenance, RowPlace, TargetLabel, TrialRow,
};
use crate::sampling::design::{DesignError, Drawing, Sampling};
use crate::trial::Workspace;

/// Why models cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairedError {
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
/// campus.existing = Some(ExistingCapacity::new(5_000, "air", 50_000.0));
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
    let at_end = |metric| RowPlace::Metric {
        scope: 0,
        metric,
        first: last,
        months: 1,
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
            Some((
                outcome,
                vec![RowPlace::Outcome(other), RowPlace::Outcome(place)],
            ))
        });
    let (numbers, places): (Vec<&Metric>, Vec<Vec<RowPlace>>) = metrics.chain(outcomes).unzip();
    let paired = Paired::new("gains", vec![without, with], places);
    let batch = Batch::of(&paired).trial_range(trials).seed(seed);
    let mut part = batch.begin()?;
    batch.advance(&mut part)?;
    let gathered = paired.gathered(&part)?;
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

/// Trials of several models with common random numbers; the first is what the others are compared with.
pub(crate) struct Paired<'a> {
    /// The comparison's name, for those who find a part of it.
    name: String,
    models: Vec<&'a Model>,
    /// For each model the one that it is compared with.
    against: Vec<usize>,
    /// What is looked at: for each number its place in each model.
    places: Vec<Vec<RowPlace>>,
    layout: Arc<Layout>,
    /// Positions of the values that parts keep trial by trial.
    kept: Vec<usize>,
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

    /// A number in a model other than the first, and in the one that it is compared with.
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

impl<'a> Paired<'a> {
    /// A comparison of these models by numbers, each with its place in every model.
    pub(crate) fn new(name: &str, models: Vec<&'a Model>, places: Vec<Vec<RowPlace>>) -> Self {
        Self {
            name: name.to_owned(),
            layout: Arc::new(layout(&models, places.len())),
            against: vec![0; models.len()],
            models,
            places,
            kept: Vec::new(),
        }
    }

    /// Has parts keep these numbers, by position, trial by trial.
    pub(crate) fn keep(mut self, numbers: &[usize]) -> Self {
        let models = self.models.len();
        self.kept = (numbers.iter())
            .flat_map(|&number| {
                (0..models).map(move |model| Gathered::value_at(models, number, model))
            })
            .collect();
        self
    }

    /// Compares each model with the one of this position, rather than with the first.
    pub(crate) fn against(mut self, against: Vec<usize>) -> Self {
        assert_eq!(against.len(), self.models.len(), "one for each model");
        self.against = against;
        self
    }

    /// What the trials of a part say.
    pub(crate) fn gathered(&self, part: &Part) -> Result<Gathered, RunError> {
        Ok(Gathered {
            models: self.models.len(),
            projection: part.projection()?,
        })
    }

    /// Fills in the pairs of a trial.
    fn pair_up(&self, found: &mut TrialRow) {
        let models = self.models.len();
        for number in 0..self.places.len() {
            for model in 1..models {
                let without = Gathered::value_at(models, number, self.against[model]);
                let without = found.outcomes()[without];
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

/// Results of this many numbers in models side by side.
fn layout(models: &[&Model], numbers: usize) -> Layout {
    let mut layout = Layout::new(models[0].layout().start, 1);
    let outcomes = numbers * Gathered::outcomes(models.len());
    layout.outcomes.extend((0..outcomes).map(|position| Metric {
        name: position.to_string(),
        unit: String::new(),
        meaning: String::new(),
    }));
    let counts = numbers * COUNTS * (models.len() - 1);
    layout
        .targets
        .extend((0..counts).map(|position| TargetLabel {
            name: position.to_string(),
            description: String::new(),
            by: None,
        }));
    layout
}

impl Experiment for Paired<'_> {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn provenance(&self, drawing: &Drawing) -> Provenance {
        let mut contents = Sha256::new();
        for model in &self.models {
            contents.update(model.fingerprint());
        }
        contents.update(format!("{:?}", self.places));
        if self.against.iter().any(|against| *against > 0) {
            contents.update(format!("{:?}", self.against));
        }
        if !self.kept.is_empty() {
            contents.update(format!("kept {:?}", self.kept));
        }
        Provenance {
            scenario: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: drawing.seed(),
            design: drawing.design(),
            fingerprint: hexadecimal(&contents.finalize()),
        }
    }

    fn kept(&self) -> &[usize] {
        &self.kept
    }

    fn prepare(&self, drawing: &Drawing) -> Result<Box<dyn Prepared + '_>, DesignError> {
        let samplings = (self.models.iter()).map(|model| model.sampling_of(drawing));
        Ok(Box::new(PreparedPaired {
            paired: self,
            samplings: samplings.collect::<Result<_, _>>()?,
        }))
    }
}

/// A comparison made ready for the inputs of each model.
struct PreparedPaired<'a> {
    paired: &'a Paired<'a>,
    samplings: Vec<Sampling>,
}

impl Prepared for PreparedPaired<'_> {
    fn simulator(&self) -> Box<dyn Simulator + '_> {
        let models = &self.paired.models;
        Box::new(PairedSimulator {
            prepared: self,
            workspaces: vec![Workspace::default(); models.len()],
            rows: (models.iter())
                .map(|model| TrialRow::new(model.layout().clone()))
                .collect(),
        })
    }
}

struct PairedSimulator<'a> {
    prepared: &'a PreparedPaired<'a>,
    workspaces: Vec<Workspace>,
    rows: Vec<TrialRow>,
}

impl Simulator for PairedSimulator<'_> {
    fn simulate(&mut self, trials: Range<u64>, found: &mut [TrialRow]) {
        let PreparedPaired { paired, samplings } = self.prepared;
        let models = paired.models.len();
        for (trial, found) in trials.clone().zip(&mut *found) {
            found.set_trial(trial);
        }
        // Model by model, so that each has the cache for a while.
        for (model, simulated) in paired.models.iter().enumerate() {
            let (workspace, row) = (&mut self.workspaces[model], &mut self.rows[model]);
            for (trial, found) in trials.clone().zip(&mut *found) {
                simulated.simulate_by(&samplings[model], trial, workspace, row);
                for (number, places) in paired.places.iter().enumerate() {
                    found.outcomes_mut()[Gathered::value_at(models, number, model)] =
                        places[model].of(row);
                }
            }
        }
        found.iter_mut().for_each(|found| paired.pair_up(found));
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
