//! What a change gains: two scenarios on the same luck.
//!
//! Every draw of a trial depends on the seed, the name of its source and the number of the trial
//! alone, so that two models that share a source share its luck. The differences trial by trial
//! then vary far less than the results themselves (common random numbers; Glasserman & Yao, "Some
//! Guidelines and Guarantees for Common Random Numbers", Management Science 38, 1992), and their
//! standard error is what they say of themselves, whatever the two have in common.

use std::ops::Range;

use rayon::prelude::*;

use crate::model::Model;
use crate::projection::TrialRow;
use crate::trial::Workspace;

/// How many trials a thread takes at once.
const BLOCK: u64 = 64;

/// Why two models cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairedError {
    /// No trial was asked for.
    #[error("a comparison of 0 trials says nothing: ask for 1 trial or more")]
    NoTrials,
    /// They do not begin in the same month or are not of the same length.
    #[error("the scenarios do not cover the same months: {0} and {1} months")]
    OtherMonths(usize, usize),
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
/// use buildout::scenario::{Campus, ExistingCapacity};
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
    if trials.is_empty() {
        return Err(PairedError::NoTrials);
    }
    let (a, b) = (with.layout(), without.layout());
    if a.months != b.months || a.start != b.start {
        return Err(PairedError::OtherMonths(a.months, b.months));
    }
    let metrics = a.metrics.iter().enumerate().filter_map(|(place, metric)| {
        let other = b.metric_index(&metric.name)?;
        Some((metric, Place::Metric(place, other)))
    });
    let outcomes = a
        .outcomes
        .iter()
        .enumerate()
        .filter_map(|(place, outcome)| {
            let other = b.outcome_index(&outcome.name)?;
            Some((outcome, Place::Outcome(place, other)))
        });
    let numbers: Vec<_> = metrics.chain(outcomes).collect();
    let places: Vec<Place> = numbers.iter().map(|(_, place)| *place).collect();
    let blocks: Vec<Range<u64>> = (trials.start..trials.end)
        .step_by(BLOCK as usize)
        .map(|first| first..(first + BLOCK).min(trials.end))
        .collect();
    // Gathered in the order of the trials, so that the sums have the same bits on any number of threads.
    let pairs: Vec<Vec<(f64, f64)>> = blocks
        .into_par_iter()
        .map(|block| simulate(with, without, seed, block, &places))
        .collect();
    Ok(numbers
        .iter()
        .enumerate()
        .map(|(place, (number, _))| {
            let pairs = pairs
                .iter()
                .flat_map(|block| block.iter().skip(place).step_by(places.len()).copied());
            gain(&number.name, &number.unit, pairs)
        })
        .collect())
}

/// Where a number is in the two rows.
#[derive(Clone, Copy)]
enum Place {
    Metric(usize, usize),
    Outcome(usize, usize),
}

/// The numbers of some trials with and without, trial by trial.
fn simulate(
    with: &Model,
    without: &Model,
    seed: u64,
    trials: Range<u64>,
    places: &[Place],
) -> Vec<(f64, f64)> {
    let mut workspaces = (Workspace::default(), Workspace::default());
    let mut rows = (
        TrialRow::new(with.layout().clone()),
        TrialRow::new(without.layout().clone()),
    );
    let last = with.layout().months - 1;
    let mut pairs = Vec::with_capacity(places.len() * (trials.end - trials.start) as usize);
    for trial in trials {
        with.simulate(seed, trial, &mut workspaces.0, &mut rows.0);
        without.simulate(seed, trial, &mut workspaces.1, &mut rows.1);
        pairs.extend(places.iter().map(|place| match *place {
            Place::Metric(a, b) => (rows.0.monthly(0, a)[last], rows.1.monthly(0, b)[last]),
            Place::Outcome(a, b) => (rows.0.outcomes()[a], rows.1.outcomes()[b]),
        }));
    }
    pairs
}

fn gain(name: &str, unit: &str, pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Gain {
    let pairs = pairs.filter(|(with, without)| with.is_finite() && without.is_finite());
    let n = pairs.clone().count() as f64;
    let mean = |f: fn((f64, f64)) -> f64| pairs.clone().map(f).sum::<f64>() / n;
    let difference = mean(|(with, without)| with - without);
    let squares: f64 = pairs
        .clone()
        .map(|(with, without)| (with - without - difference) * (with - without - difference))
        .sum();
    Gain {
        name: name.to_owned(),
        unit: unit.to_owned(),
        trials: n as u64,
        mean_with: mean(|(with, _)| with),
        mean_without: mean(|(_, without)| without),
        mean: difference,
        std_error: if n > 1.0 {
            (squares / (n - 1.0) / n).sqrt()
        } else {
            f64::NAN
        },
        share_greater: mean(|(with, without)| f64::from(u8::from(with > without))),
        share_less: mean(|(with, without)| f64::from(u8::from(with < without))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_the_mean_of_differences() {
        let pairs = [(3.0, 1.0), (5.0, 4.0), (f64::NAN, 1.0), (2.0, 2.0)];
        let found = gain("npv", "yuan", pairs.into_iter());
        assert_eq!(found.trials, 3);
        assert_eq!(found.mean, 1.0);
        // The differences 2, 1, 0 have a standard deviation of 1.
        assert!((found.std_error - 1.0 / 3.0_f64.sqrt()).abs() < 1e-15);
        assert!((found.share_greater - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!((found.share_less, found.mean_without), (0.0, 7.0 / 3.0));
    }
}
