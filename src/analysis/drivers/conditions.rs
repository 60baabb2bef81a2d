//! When a target is missed: the failing trials described by a few conditions on inputs, by the patient rule induction
//! method, PRIM (Friedman & Fisher, "Bump hunting in high-dimensional data", Statistics and Computing 9, 1999), as it is
//! used to discover scenarios (Bryant & Lempert, "Thinking inside the box", Technological Forecasting & Social Change 77,
//! 2010).
//!
//! A box holds all trials at first. Again and again the twentieth of its trials is peeled off, at the low or the high
//! end of one input, that leaves the largest share of failures; then ends are pasted back while that share does not fall.
//! Of the boxes on the way the one is kept in which most failures are found beyond those of an average box of its size:
//! support x (density - base rate). Trials in it are set aside, and the next box is sought among the rest.
//!
//! Boxes are sought in the first seven tenths of the trials. Density and coverage are those of the others, which took no part.

use serde::{Deserialize, Serialize};

use super::bins::order_of;

/// The share of a box's trials that is peeled off at a time; Friedman & Fisher advise 0.05 to 0.1.
const PEEL: f64 = 0.05;
/// The least share of all trials that a box holds (assumption).
const LEAST_SUPPORT: f64 = 0.03;
/// A condition that adds less than this share to what a box finds is dropped (assumption).
const LEAST_GAIN: f64 = 0.05;
/// The most inputs that one box restricts, and the most boxes.
const MOST_CONDITIONS: usize = 3;
const MOST_BOXES: usize = 3;
/// Fewer failing or other trials than these say nothing about conditions.
pub const LEAST_TRIALS: usize = 50;

/// Bounds of an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Condition {
    /// The input.
    pub input: String,
    /// It is at least this; none: no bound.
    pub at_least: Option<f64>,
    /// It is at most this.
    pub at_most: Option<f64>,
    /// The shares of all trials in which it is lower than the bounds: 0.8 and 1 for the upper fifth.
    pub between_percentiles: [f64; 2],
}

/// Conditions that hold together, and how well they predict the failing trials, on trials that were not used to find them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureBox {
    /// The conditions, the strongest first.
    pub conditions: Vec<Condition>,
    /// The share of failures among trials in which the conditions hold.
    pub density: f64,
    /// Its standard error.
    pub density_std_error: f64,
    /// The share of all failures that the conditions hold in.
    pub coverage: f64,
    /// The share of all trials that they hold in.
    pub support: f64,
    /// Density in the trials in which the box was found: it is optimistic.
    pub density_where_found: f64,
}

/// Bounds by rank: for each input the least and the largest rank inside.
#[derive(Clone, Debug, PartialEq)]
struct Bounds(Vec<(u32, u32)>);

impl Bounds {
    fn restricted(&self, top: &[u32]) -> Vec<usize> {
        (0..self.0.len())
            .filter(|&input| self.0[input] != (0, top[input]))
            .collect()
    }
}

struct Search<'a> {
    /// The rank of each trial in each input; equal values have equal ranks.
    ranks: Vec<Vec<u32>>,
    /// The highest rank of each input.
    top: Vec<u32>,
    failed: &'a [bool],
}

/// Boxes of failing trials, the one with the most failures first; none where conditions predict failures no better than
/// chance, or there are fewer than [`LEAST_TRIALS`] failing or other trials.
pub fn failure_boxes(names: &[&str], inputs: &[&[f64]], failed: &[bool]) -> Vec<FailureBox> {
    let failures = failed.iter().filter(|failed| **failed).count();
    if failures < LEAST_TRIALS || failed.len() - failures < LEAST_TRIALS {
        return Vec::new();
    }
    let ranks: Vec<Vec<u32>> = inputs.iter().map(|input| dense_ranks(input)).collect();
    let top = ranks
        .iter()
        .map(|ranks| ranks.iter().copied().max().unwrap_or(0))
        .collect();
    let search = Search { ranks, top, failed };
    let (mut train, mut held_out): (Vec<usize>, Vec<usize>) =
        (0..failed.len()).partition(|trial| trial * 10 < failed.len() * 7);
    let held_out_failures = search.failures(&held_out);
    let held_out_trials = held_out.len();
    let mut boxes = Vec::new();
    while boxes.len() < MOST_BOXES && search.failures(&train) >= LEAST_TRIALS {
        let bounds = search.best_box(&train);
        let found = search.inside(&bounds, &train);
        let inside = search.inside(&bounds, &held_out);
        let base = search.density(&held_out);
        let (density, trials) = (search.density(&inside), inside.len() as f64);
        let std_error = (density * (1.0 - density) / trials).sqrt();
        // Not better than chance on trials that took no part.
        let by_chance = (base * (1.0 - base) / trials).sqrt();
        let restricted = bounds.restricted(&search.top);
        if restricted.is_empty() || inside.is_empty() || density < base + 2.0 * by_chance {
            break;
        }
        boxes.push(FailureBox {
            conditions: search.conditions(&bounds, &restricted, names, inputs),
            density,
            density_std_error: std_error,
            coverage: search.failures(&inside) as f64 / held_out_failures as f64,
            support: trials / held_out_trials as f64,
            density_where_found: search.density(&found),
        });
        train.retain(|trial| !search.holds(&bounds, *trial));
        held_out.retain(|trial| !search.holds(&bounds, *trial));
    }
    boxes
}

/// Ranks from 0 without gaps; equal values have the same.
fn dense_ranks(values: &[f64]) -> Vec<u32> {
    let order = order_of(values);
    let mut ranks = vec![0; values.len()];
    let mut rank = 0;
    for pair in 0..order.len() {
        if pair > 0 && values[order[pair] as usize] != values[order[pair - 1] as usize] {
            rank += 1;
        }
        ranks[order[pair] as usize] = rank;
    }
    ranks
}

impl Search<'_> {
    fn failures(&self, trials: &[usize]) -> usize {
        trials.iter().filter(|&&trial| self.failed[trial]).count()
    }

    fn density(&self, trials: &[usize]) -> f64 {
        self.failures(trials) as f64 / trials.len().max(1) as f64
    }

    fn holds(&self, bounds: &Bounds, trial: usize) -> bool {
        (self.ranks.iter().zip(&bounds.0))
            .all(|(ranks, (low, high))| (low..=high).contains(&&ranks[trial]))
    }

    fn inside(&self, bounds: &Bounds, trials: &[usize]) -> Vec<usize> {
        trials
            .iter()
            .copied()
            .filter(|&trial| self.holds(bounds, trial))
            .collect()
    }

    /// Failures found beyond those of an average box of the size, per trial of all.
    fn merit(&self, bounds: &Bounds, trials: &[usize], base: f64) -> f64 {
        let inside = self.inside(bounds, trials);
        inside.len() as f64 * (self.density(&inside) - base) / trials.len() as f64
    }

    fn best_box(&self, trials: &[usize]) -> Bounds {
        let base = self.density(trials);
        let least = (LEAST_SUPPORT * trials.len() as f64).max(20.0) as usize;
        let mut bounds = Bounds(self.top.iter().map(|top| (0, *top)).collect());
        let mut inside = trials.to_vec();
        let mut best = (0.0, bounds.clone());
        while let Some((peeled, left)) = self.peel(&bounds, &inside, least) {
            (bounds, inside) = (peeled, left);
            let pasted = self.paste(&bounds, trials);
            let merit = self.merit(&pasted, trials, base);
            if merit > best.0 {
                best = (merit, pasted);
            }
        }
        self.without_idle(best.1, trials, base)
    }

    /// The box after the best peel, and its trials; none if it would get too small.
    fn peel(
        &self,
        bounds: &Bounds,
        inside: &[usize],
        least: usize,
    ) -> Option<(Bounds, Vec<usize>)> {
        let restricted = bounds.restricted(&self.top);
        let full = restricted.len() >= MOST_CONDITIONS;
        let away = ((PEEL * inside.len() as f64) as usize).max(1);
        let mut best: Option<(f64, Bounds)> = None;
        for input in 0..self.ranks.len() {
            if full && !restricted.contains(&input) {
                continue;
            }
            let mut ranks: Vec<u32> = inside
                .iter()
                .map(|&trial| self.ranks[input][trial])
                .collect();
            let (low, high) = bounds.0[input];
            // The next value above the twentieth that goes, so that all equal ones go with it.
            let cut = *ranks.select_nth_unstable(away - 1).1;
            let above = inside
                .iter()
                .map(|&trial| self.ranks[input][trial])
                .filter(|rank| *rank > cut)
                .min();
            let count = ranks.len();
            let cut = *ranks.select_nth_unstable(count - away).1;
            let below = inside
                .iter()
                .map(|&trial| self.ranks[input][trial])
                .filter(|rank| *rank < cut)
                .max();
            for narrowed in [
                above.map(|rank| (rank, high)),
                below.map(|rank| (low, rank)),
            ]
            .into_iter()
            .flatten()
            {
                let left: Vec<usize> = (inside.iter().copied())
                    .filter(|&trial| (narrowed.0..=narrowed.1).contains(&self.ranks[input][trial]))
                    .collect();
                let density = self.density(&left);
                if left.len() >= least && best.as_ref().is_none_or(|(most, _)| density > *most) {
                    let mut next = bounds.clone();
                    next.0[input] = narrowed;
                    best = Some((density, next));
                }
            }
        }
        let (_, next) = best?;
        let left = self.inside(&next, inside);
        Some((next, left))
    }

    /// The box with its ends moved out as long as the density does not fall.
    fn paste(&self, bounds: &Bounds, trials: &[usize]) -> Bounds {
        let mut bounds = bounds.clone();
        loop {
            let inside = self.inside(&bounds, trials);
            let density = self.density(&inside);
            let more = ((PEEL * inside.len() as f64) as usize).max(1);
            let mut wider: Option<(f64, Bounds)> = None;
            for input in bounds.restricted(&self.top) {
                let mut open = bounds.clone();
                open.0[input] = (0, self.top[input]);
                let candidates = self.inside(&open, trials);
                let (low, high) = bounds.0[input];
                let mut below: Vec<u32> =
                    (candidates.iter().map(|&trial| self.ranks[input][trial]))
                        .filter(|rank| *rank < low)
                        .collect();
                let mut above: Vec<u32> =
                    (candidates.iter().map(|&trial| self.ranks[input][trial]))
                        .filter(|rank| *rank > high)
                        .collect();
                below.sort_unstable_by(|a, b| b.cmp(a));
                above.sort_unstable();
                let ends = [
                    below
                        .get(more.min(below.len()).wrapping_sub(1))
                        .map(|rank| (*rank, high)),
                    above
                        .get(more.min(above.len()).wrapping_sub(1))
                        .map(|rank| (low, *rank)),
                ];
                for end in ends.into_iter().flatten() {
                    let mut next = bounds.clone();
                    next.0[input] = end;
                    let pasted = self.density(&self.inside(&next, trials));
                    if pasted >= density && wider.as_ref().is_none_or(|(most, _)| pasted > *most) {
                        wider = Some((pasted, next));
                    }
                }
            }
            match wider {
                Some((_, next)) => bounds = next,
                None => return bounds,
            }
        }
    }

    /// The box without conditions that find next to nothing.
    fn without_idle(&self, mut bounds: Bounds, trials: &[usize], base: f64) -> Bounds {
        loop {
            let merit = self.merit(&bounds, trials, base);
            let idlest = (bounds.restricted(&self.top).into_iter())
                .map(|input| {
                    let mut open = bounds.clone();
                    open.0[input] = (0, self.top[input]);
                    (self.merit(&open, trials, base), open)
                })
                .max_by(|a, b| a.0.total_cmp(&b.0));
            match idlest {
                Some((without, open)) if without >= merit * (1.0 - LEAST_GAIN) && merit > 0.0 => {
                    bounds = open
                }
                _ => return bounds,
            }
        }
    }

    fn conditions(
        &self,
        bounds: &Bounds,
        restricted: &[usize],
        names: &[&str],
        inputs: &[&[f64]],
    ) -> Vec<Condition> {
        let all: Vec<usize> = (0..self.failed.len()).collect();
        let base = self.density(&all);
        let mut conditions: Vec<(f64, Condition)> = (restricted.iter())
            .map(|&input| {
                let (low, high) = bounds.0[input];
                let ranks = &self.ranks[input];
                let value_of = |rank: u32| {
                    ranks
                        .iter()
                        .position(|other| *other == rank)
                        .map(|trial| inputs[input][trial])
                };
                let share = |is: &dyn Fn(u32) -> bool| {
                    ranks.iter().filter(|rank| is(**rank)).count() as f64 / ranks.len() as f64
                };
                let mut alone = Bounds(self.top.iter().map(|top| (0, *top)).collect());
                alone.0[input] = (low, high);
                let condition = Condition {
                    input: names[input].to_owned(),
                    at_least: (low > 0).then(|| value_of(low)).flatten(),
                    at_most: (high < self.top[input]).then(|| value_of(high)).flatten(),
                    between_percentiles: [share(&|rank| rank < low), share(&|rank| rank <= high)],
                };
                (self.merit(&alone, &all, base), condition)
            })
            .collect();
        conditions.sort_by(|a, b| b.0.total_cmp(&a.0));
        conditions
            .into_iter()
            .map(|(_, condition)| condition)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::uniform_columns;
    use super::*;

    /// Failures where x0 > 0.7 and x1 < 0.5, and one in fifty elsewhere.
    #[test]
    #[ignore = "slow"]
    fn a_box_is_found_again() {
        let inputs = uniform_columns(6, 6_000);
        let failed: Vec<bool> = (0..6_000)
            .map(|trial| {
                (inputs[0][trial] > 0.7 && inputs[1][trial] < 0.5) || inputs[5][trial] > 0.98
            })
            .collect();
        let columns: Vec<&[f64]> = inputs[..5].iter().map(Vec::as_slice).collect();
        let boxes = failure_boxes(&["a", "b", "c", "d", "e"], &columns, &failed);
        let first = &boxes[0];
        let mut restricted: Vec<&str> = first.conditions.iter().map(|c| c.input.as_str()).collect();
        restricted.sort_unstable();
        assert_eq!(restricted, ["a", "b"], "{boxes:?}");
        let a = first.conditions.iter().find(|c| c.input == "a").unwrap();
        assert!(
            (a.at_least.unwrap() - 0.7).abs() < 0.03 && a.at_most.is_none(),
            "{a:?}"
        );
        let b = first.conditions.iter().find(|c| c.input == "b").unwrap();
        assert!(
            (b.at_most.unwrap() - 0.5).abs() < 0.03 && b.at_least.is_none(),
            "{b:?}"
        );
        assert!(first.density > 0.93, "{first:?}");
        // 0.15 of 0.15 + 0.85 x 0.02.
        assert!((first.coverage - 0.9).abs() < 0.06, "{first:?}");
    }

    #[test]
    #[ignore = "slow"]
    fn two_regions_give_two_boxes() {
        let inputs = uniform_columns(4, 6_000);
        let failed: Vec<bool> = (0..6_000)
            .map(|trial| inputs[0][trial] > 0.85 || inputs[1][trial] < 0.1)
            .collect();
        let columns: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
        let boxes = failure_boxes(&["a", "b", "c", "d"], &columns, &failed);
        assert_eq!(boxes.len(), 2, "{boxes:?}");
        assert_eq!(boxes[0].conditions[0].input, "a");
        assert_eq!(boxes[1].conditions[0].input, "b");
        assert!(boxes.iter().map(|found| found.coverage).sum::<f64>() > 0.9);
    }

    #[test]
    fn chance_has_no_conditions() {
        let inputs = uniform_columns(12, 3_000);
        let failed: Vec<bool> = inputs[11].iter().map(|u| *u < 0.3).collect();
        let columns: Vec<&[f64]> = inputs[..11].iter().map(Vec::as_slice).collect();
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
        assert_eq!(failure_boxes(&names, &columns, &failed), []);
    }

    #[test]
    fn few_failures_are_not_described() {
        let inputs = uniform_columns(1, 1_000);
        let failed: Vec<bool> = (0..1_000).map(|trial| trial < 20).collect();
        assert_eq!(failure_boxes(&["a"], &[&inputs[0]], &failed), []);
    }
}
