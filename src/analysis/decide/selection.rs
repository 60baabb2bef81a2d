//! Ranking and selection: which of a few plans has the greatest mean, to a stated probability, with as few trials as
//! that takes.
//!
//! The fully sequential procedure of Kim & Nelson ("A Fully Sequential Procedure for Indifference-Zone Selection in
//! Simulation", ACM Transactions on Modeling and Computer Simulation 11, 2001): after n0 trials of each of k plans, with
//! S²(i, l) the variance of their differences trial by trial,
//!
//! - eta = ((2 alpha / (k - 1))^(-2 / (n0 - 1)) - 1) / 2 and h² = 2 eta (n0 - 1);
//! - plan i stays after r trials if its mean is at least that of every other one that is left, less
//!   W(i, l) = max(0, delta / (2 r) (h² S²(i, l) / delta² - r)).
//!
//! If the best plan is better than all others by delta or more, it is selected with probability 1 - alpha or more, for
//! normally distributed results; common random numbers are allowed, and make it faster. Results that are not normal are means of many
//! trials in effect, for n0 is large here.

/// What is asked of a selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Indifference {
    /// The difference in the unit of the results that is worth detecting, above 0.
    pub delta: f64,
    /// The probability of correct selection, above 1 / k and below 1.
    pub confidence: f64,
    /// Trials of each plan before any is given up, at least 2.
    pub first: u64,
    /// The most trials of a plan.
    pub at_most: u64,
}

/// What was selected.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Selected {
    /// The plan.
    pub best: usize,
    /// How many trials each plan had.
    pub trials: Vec<u64>,
    /// The mean of each plan over its trials.
    pub means: Vec<f64>,
    /// Whether only one was left; if not, the trials ran out, and the best of those left was taken.
    pub is_sure: bool,
}

impl Indifference {
    /// The constant h² of the procedure for so many plans.
    fn h2(&self, plans: usize) -> f64 {
        let degrees = self.first as f64 - 1.0;
        let rivals = (plans.max(2) - 1) as f64;
        let alpha = 1.0 - self.confidence;
        let eta = ((2.0 * alpha / rivals).powf(-2.0 / degrees) - 1.0) / 2.0;
        2.0 * eta * degrees
    }
}

/// The sample variance of the differences of two lists of one length.
fn variance_of_difference(one: &[f64], other: &[f64]) -> f64 {
    let count = one.len() as f64;
    let differences = || one.iter().zip(other).map(|(a, b)| a - b);
    let mean = differences().sum::<f64>() / count;
    differences().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0)
}

/// Selects the plan of the greatest mean. `run` simulates the trials of these numbers of a plan and yields its results, the same
/// trial of all plans on the same random numbers.
pub fn select<E>(
    plans: usize,
    asked: Indifference,
    mut run: impl FnMut(usize, std::ops::Range<u64>) -> Result<Vec<f64>, E>,
) -> Result<Selected, E> {
    let mut results = Vec::with_capacity(plans);
    for plan in 0..plans {
        results.push(run(plan, 0..asked.first)?);
    }
    let h2 = asked.h2(plans);
    let variances: Vec<Vec<f64>> = (results.iter())
        .map(|one| {
            (results
                .iter()
                .map(|other| variance_of_difference(one, other)))
            .collect()
        })
        .collect();
    let mut left: Vec<usize> = (0..plans).collect();
    let mut trials = asked.first;
    loop {
        let r = trials as f64;
        let mean = |plan: usize| results[plan].iter().sum::<f64>() / r;
        let stays = |one: &usize| {
            left.iter().all(|&other| {
                let width = asked.delta / (2.0 * r)
                    * (h2 * variances[*one][other] / asked.delta.powi(2) - r);
                *one == other || mean(*one) >= mean(other) - width.max(0.0)
            })
        };
        let staying: Vec<usize> = left.iter().copied().filter(stays).collect();
        // Equal means keep each other in: then nothing more is learned from trials beyond the last width.
        let is_over = staying.len() <= 1 || trials >= asked.at_most;
        left = staying;
        if is_over {
            break;
        }
        let next = (trials + trials / 2).min(asked.at_most);
        for &plan in &left {
            results[plan].extend(run(plan, trials..next)?);
        }
        trials = next;
    }
    let means: Vec<f64> = (results.iter())
        .map(|all| all.iter().sum::<f64>() / all.len() as f64)
        .collect();
    let best = (left.iter().copied())
        .reduce(|best, plan| {
            if means[plan] > means[best] {
                plan
            } else {
                best
            }
        })
        .unwrap_or(0);
    Ok(Selected {
        best,
        trials: results.iter().map(|all| all.len() as u64).collect(),
        means,
        is_sure: left.len() == 1,
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::sampling::streams::Source;
    use crate::uncertain::normal_quantile;

    /// Results of a plan: its mean, what all share, and what is its own.
    fn run(
        replication: u64,
        best: usize,
    ) -> impl Fn(usize, std::ops::Range<u64>) -> Result<Vec<f64>, Infallible> {
        move |plan, trials| {
            let normal = |name: &str, trial: u64| {
                let mut stream = Source::named(name).stream(replication, trial);
                normal_quantile(stream.uniform())
            };
            let mean = if plan == best { 0.3 } else { 0.0 };
            Ok(trials
                .map(|trial| {
                    mean + normal("all", trial) + normal(&format!("plan {plan}"), trial) / 2.0
                })
                .collect())
        }
    }

    #[test]
    fn the_best_by_the_indifference_zone_is_selected_as_often_as_promised() {
        let asked = Indifference {
            delta: 0.3,
            confidence: 0.9,
            first: 20,
            at_most: 2_000,
        };
        let (mut correct, mut trials) = (0, 0);
        for replication in 0..200 {
            let best = (replication % 4) as usize;
            let selected = select(4, asked, run(replication, best)).unwrap();
            correct += usize::from(selected.best == best);
            trials += selected.trials.iter().sum::<u64>();
            assert!(selected.is_sure);
        }
        // 90 % or more, less three standard errors (2.1 points each).
        assert!(correct >= 168, "{correct} of 200");
        // The plans that are worse are given up long before the trials run out.
        assert!(trials < 200 * 4 * 200, "{trials}");
    }

    #[test]
    fn trials_that_run_out_are_reported() {
        let asked = Indifference {
            delta: 1e-4,
            confidence: 0.95,
            first: 20,
            at_most: 40,
        };
        let selected = select(3, asked, run(1, 0)).unwrap();
        assert!(!selected.is_sure && selected.trials.contains(&40));
    }
}
