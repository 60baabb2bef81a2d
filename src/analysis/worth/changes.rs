//! What changes are worth: each is run on the same trials as the plan without it, so that the differences are due to the
//! change alone.

use serde::{Deserialize, Serialize};

use crate::analysis::drivers::resampling::mean_and_sd;

/// The standard errors on either side of an interval of 95 % confidence.
const INTERVAL: f64 = 1.96;

/// A number of the plan in each trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Its value in each trial; 1 or 0 of a target.
    pub values: Vec<f64>,
}

/// A plan's numbers in the trials of one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanTrials {
    /// Its name.
    pub name: String,
    /// What it is worth in each trial, if the scenario has money: its net present value.
    pub money: Option<Series>,
    /// Its capacity over the horizon in each trial, in MW-months.
    pub capacity: Series,
    /// Its targets.
    pub targets: Vec<Series>,
}

/// By how much a number is higher with a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PairedGain {
    /// The number.
    pub name: String,
    /// Its unit; "share" of a target.
    pub unit: String,
    /// Its mean without the change; of a target, the probability to meet it.
    pub without: f64,
    /// Its mean with the change.
    pub with: f64,
    /// The mean of the differences, trial by trial.
    pub gain: f64,
    /// Its standard error.
    pub std_error: f64,
    /// The share of trials in which it is higher with the change.
    pub higher: f64,
    /// The share of trials in which it is lower.
    pub lower: f64,
}

/// A price today up to which a change pays, on average over the trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BreakEven {
    /// The price at which the expected net present value is as without the change; 0 if the change does harm.
    pub price: f64,
    /// The low end of its interval of 95 % confidence.
    pub low: f64,
    /// The high end.
    pub high: f64,
}

/// What a change is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangeWorth {
    /// The change.
    pub name: String,
    /// In money, if the scenario has any.
    pub money: Option<PairedGain>,
    /// In capacity over the horizon.
    pub capacity: PairedGain,
    /// In the probability of each target.
    pub targets: Vec<PairedGain>,
    /// Up to which price it pays, if the scenario has money. What it costs in the scenario itself is taken off already.
    pub break_even: Option<BreakEven>,
}

impl PlanTrials {
    /// Adds further trials.
    pub(super) fn extend(&mut self, more: &Self) {
        let add = |to: &mut Series, more: &Series| to.values.extend_from_slice(&more.values);
        add(&mut self.capacity, &more.capacity);
        for (to, more) in self.money.iter_mut().zip(&more.money) {
            add(to, more);
        }
        for (to, more) in self.targets.iter_mut().zip(&more.targets) {
            add(to, more);
        }
    }
}

fn gain(with: &Series, without: &Series) -> PairedGain {
    let differences: Vec<f64> = (with.values.iter().zip(&without.values))
        .map(|(with, without)| with - without)
        .collect();
    // A number that does not exist in a trial, such as a rate of return, says nothing about the change.
    let pairs: Vec<usize> = (0..differences.len())
        .filter(|&trial| differences[trial].is_finite())
        .collect();
    let known: Vec<f64> = pairs.iter().map(|&trial| differences[trial]).collect();
    let count = known.len() as f64;
    let mean_of =
        |series: &Series| pairs.iter().map(|&trial| series.values[trial]).sum::<f64>() / count;
    let share = |is: fn(f64) -> bool| {
        known.iter().filter(|difference| is(**difference)).count() as f64 / count
    };
    let (mean, sd) = mean_and_sd(&known);
    PairedGain {
        name: with.name.clone(),
        unit: with.unit.clone(),
        without: mean_of(without),
        with: mean_of(with),
        gain: mean,
        std_error: sd / count.sqrt(),
        higher: share(|difference| difference > 0.0),
        lower: share(|difference| difference < 0.0),
    }
}

/// What each change is worth beside the plan without it, the worthiest first: by money if there is any, else by the
/// first target, else by capacity.
///
/// All are of the same trials. Targets are compared by name.
pub fn worth_of_changes(without: &PlanTrials, changes: &[PlanTrials]) -> Vec<ChangeWorth> {
    let mut worths: Vec<ChangeWorth> = (changes.iter())
        .map(|with| {
            let money = with.money.as_ref().zip(without.money.as_ref());
            let money = money.map(|(with, without)| gain(with, without));
            let targets = with.targets.iter().filter_map(|target| {
                let other = without
                    .targets
                    .iter()
                    .find(|other| other.name == target.name)?;
                Some(gain(target, other))
            });
            ChangeWorth {
                name: with.name.clone(),
                break_even: money.as_ref().map(|money| BreakEven {
                    price: money.gain.max(0.0),
                    low: (money.gain - INTERVAL * money.std_error).max(0.0),
                    high: (money.gain + INTERVAL * money.std_error).max(0.0),
                }),
                money,
                capacity: gain(&with.capacity, &without.capacity),
                targets: targets.collect(),
            }
        })
        .collect();
    let rank = |worth: &ChangeWorth| match (&worth.money, worth.targets.first()) {
        (Some(money), _) => money.gain,
        (None, Some(target)) => target.gain,
        (None, None) => worth.capacity.gain,
    };
    worths.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    worths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::drivers::reference::uniform_columns;

    fn plan(
        name: &str,
        money: impl Iterator<Item = f64>,
        met: impl Iterator<Item = bool>,
    ) -> PlanTrials {
        let series = |name: &str, unit: &str, values: Vec<f64>| Series {
            name: name.into(),
            unit: unit.into(),
            values,
        };
        let money: Vec<f64> = money.collect();
        PlanTrials {
            name: name.into(),
            capacity: series("capacity", "MW-months", money.clone()),
            money: Some(series("npv", "yuan", money)),
            targets: vec![series(
                "target",
                "share",
                met.map(|met| f64::from(u8::from(met))).collect(),
            )],
        }
    }

    /// A change that adds 2 in every trial is known exactly, however much the plan itself varies.
    #[test]
    fn what_both_have_in_common_drops_out() {
        let u = &uniform_columns(1, 1_000)[0];
        let base = plan(
            "base",
            u.iter().map(|u| 1e6 * u),
            u.iter().map(|u| *u > 0.5),
        );
        let better = plan(
            "firm date",
            u.iter().map(|u| 1e6 * u + 2.0),
            u.iter().map(|u| *u > 0.4),
        );
        let worse = plan(
            "late",
            u.iter().map(|u| 1e6 * u - 1.0),
            u.iter().map(|u| *u > 0.6),
        );
        let worths = worth_of_changes(&base, &[worse, better]);
        assert_eq!(worths[0].name, "firm date");
        let money = worths[0].money.as_ref().unwrap();
        assert!((money.gain - 2.0).abs() < 1e-9 && money.std_error < 1e-9);
        assert_eq!((money.higher, money.lower), (1.0, 0.0));
        let price = worths[0].break_even.unwrap();
        assert!((price.price - 2.0).abs() < 1e-9 && (price.high - price.low) < 1e-9);
        let target = &worths[0].targets[0];
        assert!(
            (target.gain - 0.1).abs() < 4.0 * target.std_error,
            "{target:?}"
        );
        assert_eq!(worths[1].break_even.unwrap().price, 0.0);
    }
}
