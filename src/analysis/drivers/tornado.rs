//! A tornado in the result's own unit: its mean where an input is at its P10, and at its P90.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::resampling::mean_and_sd;

/// How much of all trials counts as "at" a percentile, where an input has many values: 5 % on either side (assumption).
const HALF_WINDOW: f64 = 0.05;

/// The result where an input has about a certain value. For a target it is the probability to meet it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Conditional {
    /// The input's value, in its own unit.
    pub input: f64,
    /// The mean of the result in the trials whose input is nearest to it.
    pub mean: f64,
    /// Its standard error.
    pub std_error: f64,
    /// How many trials these are.
    pub trials: u64,
}

/// The result at an input's P10 and at its P90: means over the trials from P5 to P15 and from P85 to P95, or over all
/// trials with that value if these are more.
///
/// Where P10 and P90 are one value, as of an event that seldom happens, the trials with that value are compared with
/// those above it, or below it if these are more; the input's median in them stands for them.
pub fn tornado(order: &[u32], input: &[f64], result: &[f64]) -> [Conditional; 2] {
    let sorted = |rank: usize| input[order[rank] as usize];
    let conditional = |ranks: Range<usize>, at: usize| {
        let results: Vec<f64> = order[ranks].iter().map(|&at| result[at as usize]).collect();
        let (mean, sd) = mean_and_sd(&results);
        Conditional {
            input: sorted(at),
            mean,
            std_error: sd / (results.len() as f64).sqrt(),
            trials: results.len() as u64,
        }
    };
    let n = order.len();
    let rank = |p: f64| ((p * n as f64) as usize).min(n - 1);
    let equal = |at: usize| {
        let value = sorted(at);
        let before = order.partition_point(|&other| input[other as usize] < value);
        before..order.partition_point(|&other| input[other as usize] <= value)
    };
    let (low, high) = (equal(rank(0.1)), equal(rank(0.9)));
    if low == high {
        let (below, above) = (0..low.start, low.end..n);
        let atom = conditional(low.clone(), low.start);
        return if below.len() > above.len() {
            [conditional(below.clone(), below.len() / 2), atom]
        } else {
            [atom, conditional(above.clone(), (above.start + n - 1) / 2)]
        };
    }
    [(0.1, low), (0.9, high)].map(|(p, equal)| {
        let window = rank(p - HALF_WINDOW)..rank(p + HALF_WINDOW).max(rank(p - HALF_WINDOW) + 1);
        let ranks = if equal.len() > window.len() {
            equal
        } else {
            window
        };
        conditional(ranks, rank(p))
    })
}

#[cfg(test)]
mod tests {
    use super::super::bins::order_of;
    use super::*;

    #[test]
    fn a_straight_line_is_read_off_at_p10_and_p90() {
        let input: Vec<f64> = (0..10_000)
            .map(|i| f64::from(i * 7_919 % 10_000) / 1e4)
            .collect();
        let result: Vec<f64> = input.iter().map(|x| 5.0 + 3.0 * x).collect();
        let [low, high] = tornado(&order_of(&input), &input, &result);
        assert!((low.mean - 5.3).abs() < 1e-3 && (high.mean - 7.7).abs() < 1e-3);
        assert!((low.input - 0.1).abs() < 1e-9 && (high.input - 0.9).abs() < 1e-9);
        assert_eq!(low.trials, 1_000);
    }

    #[test]
    fn a_rare_event_is_compared_with_its_absence() {
        let input: Vec<f64> = (0..1_000)
            .map(|i| f64::from(u8::from(i % 50 == 0)))
            .collect();
        let result: Vec<f64> = input.iter().map(|x| 10.0 + 4.0 * x).collect();
        let [low, high] = tornado(&order_of(&input), &input, &result);
        assert_eq!((low.input, low.mean, low.trials), (0.0, 10.0, 980));
        assert_eq!((high.input, high.mean, high.trials), (1.0, 14.0, 20));
    }
}
