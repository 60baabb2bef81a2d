//! What information is worth: how much better a decision gets if something uncertain is known before it is taken.
//!
//! With the net benefits NB_d of the options d in each trial, in money:
//!
//! - **EVPI**, the expected value of perfect information: E\[max_d NB_d\] - max_d E\[NB_d\] (Raiffa & Schlaifer, "Applied
//!   Statistical Decision Theory", 1961). No study, forecast or contract that only informs can be worth more.
//! - **EVPPI**, of partial information on the inputs X: E\[max_d E\[NB_d | X\]\] - max_d E\[NB_d\], from the same trials by
//!   regression of NB_d on X (Strong, Oakley & Brennan, "Estimating multiparameter partial expected value of perfect
//!   information from a probabilistic sensitivity analysis sample", Medical Decision Making 34, 2014).
//!
//! Here each trial is decided by a regression that has not seen it, and the benefit of that decision in the trial counts,
//! not the regression's promise: a poor regression makes information worth less, never more. As one may always decide
//! as before, or by fewer inputs, the worth is never below 0, and never below that of a part of the inputs.

use serde::{Deserialize, Serialize};

use crate::analysis::drivers::bins::mid_ranks;
use crate::analysis::drivers::groups::Group;
use crate::analysis::regression::{TRIALS_PER_COLUMN, cross_fit, polynomials, product};
use crate::parallel;

/// The degree of the polynomials of an input at most, and how many inputs may act together.
const DEGREE: usize = 6;
const TOGETHER: usize = 6;

/// What it is worth to know something before deciding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InformationWorth {
    /// What is known: an input, or a group of them.
    pub name: String,
    /// How many inputs that is.
    pub inputs: u64,
    /// By how much the expected net benefit rises, in the money of the net benefits.
    pub worth: f64,
    /// Its standard error.
    pub std_error: f64,
    /// In which share of trials one would decide otherwise.
    pub changes_decision: f64,
}

/// What information is worth for a choice among options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Information {
    /// The options, with their expected net benefits and standard errors.
    pub options: Vec<OptionBenefit>,
    /// The position of the option that is best without information.
    pub best: usize,
    /// Of knowing everything, process noise included.
    pub perfect: InformationWorth,
    /// Of knowing each set of inputs, the worthiest first.
    pub partial: Vec<InformationWorth>,
}

/// An option and what is expected of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OptionBenefit {
    /// Its name.
    pub name: String,
    /// Its expected net benefit.
    pub mean: f64,
    /// The standard error of that.
    pub std_error: f64,
    /// The share of trials in which it is the best.
    pub best_in: f64,
}

/// What deciding otherwise brings in each trial, beyond the best option without information.
struct Policy {
    gains: Vec<f64>,
    changes: f64,
}

impl Policy {
    fn new(net: &[&[f64]], best: usize, decide: impl Fn(usize) -> usize) -> Self {
        let decided: Vec<usize> = (0..net[best].len()).map(decide).collect();
        let changes = decided.iter().filter(|option| **option != best).count();
        let gains = decided
            .iter()
            .enumerate()
            .map(|(trial, &option)| net[option][trial] - net[best][trial]);
        Self {
            changes: changes as f64 / decided.len() as f64,
            gains: gains.collect(),
        }
    }

    fn worth(&self, name: &str, inputs: usize) -> InformationWorth {
        let (mean, sd) = crate::analysis::drivers::resampling::mean_and_sd(&self.gains);
        // One decides as before rather than by information that does harm.
        let used = mean > 0.0;
        InformationWorth {
            name: name.to_owned(),
            inputs: inputs as u64,
            worth: mean.max(0.0),
            std_error: sd / (self.gains.len() as f64).sqrt(),
            changes_decision: if used { self.changes } else { 0.0 },
        }
    }
}

fn largest(values: impl Iterator<Item = f64>) -> usize {
    let first = (0, f64::NEG_INFINITY);
    let larger = |best: (usize, f64), (place, value): (usize, f64)| {
        if value > best.1 { (place, value) } else { best }
    };
    values.enumerate().fold(first, larger).0
}

/// What information is worth for a choice among options with these net benefits, trial by trial; of each of the `sets`
/// of inputs, whose values stand in `inputs`.
///
/// `net` has at least one option, and each as many trials as each input.
pub fn worth_of_information(
    options: &[(&str, &[f64])],
    inputs: &[&[f64]],
    sets: &[Group],
) -> Information {
    let net: Vec<&[f64]> = options.iter().map(|(_, net)| *net).collect();
    let trials = net[0].len();
    let mean = |net: &[f64]| net.iter().sum::<f64>() / trials as f64;
    let best = largest(net.iter().map(|net| mean(net)));
    let best_in_trial = |trial: usize| largest(net.iter().map(|net| net[trial]));
    let perfect = Policy::new(&net, best, best_in_trial).worth("everything", inputs.len());
    let mut partial: Vec<InformationWorth> = parallel::map(sets, |set| {
        informed(&net, best, inputs, set).worth(&set.name, set.inputs.len())
    });
    at_least_that_of_parts(&mut partial, sets);
    partial.sort_by(|a, b| b.worth.total_cmp(&a.worth));
    let mut wins = vec![0_u64; net.len()];
    (0..trials).for_each(|trial| wins[best_in_trial(trial)] += 1);
    let options = (options.iter().zip(wins)).map(|((name, net), wins)| {
        let (mean, sd) = crate::analysis::drivers::resampling::mean_and_sd(net);
        OptionBenefit {
            name: (*name).to_owned(),
            mean,
            std_error: sd / (trials as f64).sqrt(),
            best_in: wins as f64 / trials as f64,
        }
    });
    Information {
        options: options.collect(),
        best,
        perfect,
        partial,
    }
}

/// Decides each trial by what is expected of each option, given the inputs of a set.
fn informed(net: &[&[f64]], best: usize, inputs: &[&[f64]], set: &Group) -> Policy {
    let others: Vec<usize> = (0..net.len()).filter(|option| *option != best).collect();
    let differences: Vec<Vec<f64>> = (others.iter())
        .map(|&option| {
            net[option]
                .iter()
                .zip(net[best])
                .map(|(a, b)| a - b)
                .collect()
        })
        .collect();
    let differences: Vec<&[f64]> = differences.iter().map(Vec::as_slice).collect();
    let expected = cross_fit(&columns(inputs, set, net[best].len()), &differences);
    Policy::new(net, best, |trial| {
        let better = |(place, expected): (usize, &Vec<f64>)| (place, expected[trial]);
        let (place, gain) = (expected.iter().enumerate().map(better))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((0, 0.0));
        if gain > 0.0 { others[place] } else { best }
    })
}

/// Polynomials of the inputs of a set, of a degree that the trials allow, and products of the first few.
fn columns(inputs: &[&[f64]], set: &Group, trials: usize) -> Vec<Vec<f64>> {
    let most = (trials / TRIALS_PER_COLUMN).max(1);
    let degree = (most / set.inputs.len().max(1)).clamp(1, DEGREE);
    let each: Vec<Vec<Vec<f64>>> = (set.inputs.iter().take(most))
        .map(|&input| polynomials(&mid_ranks(inputs[input]), degree))
        .collect();
    let mut columns: Vec<Vec<f64>> = each.iter().flatten().cloned().collect();
    let first = &each[..each.len().min(TOGETHER)];
    for (place, one) in first.iter().enumerate() {
        for other in &first[..place] {
            if let (Some(a), Some(b)) = (one.first(), other.first()) {
                columns.extend(product(a, b));
            }
        }
    }
    columns.truncate(most);
    columns
}

/// Who knows more can decide by less: the worth of a set is at least that of any of its parts.
fn at_least_that_of_parts(worths: &mut [InformationWorth], sets: &[Group]) {
    let stated = worths.to_vec();
    for (worth, set) in worths.iter_mut().zip(sets) {
        for (part, other) in stated.iter().zip(sets) {
            let is_part = other
                .inputs
                .iter()
                .all(|input| set.inputs.binary_search(input).is_ok());
            if is_part && part.worth > worth.worth {
                worth.worth = part.worth;
                worth.std_error = part.std_error;
                worth.changes_decision = part.changes_decision;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::drivers::reference::uniform_columns;
    use crate::uncertain::normal_quantile;

    fn normals(inputs: usize, trials: u64) -> Vec<Vec<f64>> {
        let mut columns = uniform_columns(inputs, trials);
        columns
            .iter_mut()
            .flatten()
            .for_each(|u| *u = normal_quantile(*u));
        columns
    }

    fn sets(sets: &[&[usize]]) -> Vec<Group> {
        (sets.iter())
            .map(|inputs| Group {
                name: format!("{inputs:?}"),
                inputs: inputs.to_vec(),
            })
            .collect()
    }

    fn worth_of<'a>(information: &'a Information, name: &str) -> &'a InformationWorth {
        information
            .partial
            .iter()
            .find(|worth| worth.name == name)
            .unwrap()
    }

    /// Nothing, or X of N(0, 1): knowing X is worth E max(0, X) = 1 / sqrt(2 pi).
    #[test]
    fn a_standard_normal_gain() {
        let x = normals(2, 20_000);
        let nothing = vec![0.0; 20_000];
        let inputs: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
        let information = worth_of_information(
            &[("no", &nothing), ("yes", &x[0])],
            &inputs,
            &sets(&[&[0], &[1], &[0, 1]]),
        );
        for worth in [
            &information.perfect,
            worth_of(&information, "[0]"),
            worth_of(&information, "[0, 1]"),
        ] {
            assert!(
                (worth.worth - 0.3989).abs() < 4.0 * worth.std_error,
                "{worth:?}"
            );
            assert!(worth.std_error < 0.007);
        }
        let other = worth_of(&information, "[1]");
        assert!(other.worth < 3.0 * other.std_error, "{other:?}");
    }

    /// The two-input model of the health-economics package `voi` (Jackson, Heath et al.): treatment 2 gains p1 - p2 with
    /// p1 of N(1, 1) and p2 of N(0, 2). In closed form, with E max(0, N(m, s)) = m Phi(m / s) + s phi(m / s):
    /// EVPI = 0.4798, EVPPI of p1 = 0.0833, of p2 = 0.3956.
    #[test]
    fn two_treatments() {
        let z = normals(2, 40_000);
        let gain: Vec<f64> = z[0]
            .iter()
            .zip(&z[1])
            .map(|(a, b)| 1.0 + a - 2.0 * b)
            .collect();
        let none = vec![0.0; gain.len()];
        let inputs: Vec<&[f64]> = z.iter().map(Vec::as_slice).collect();
        let information = worth_of_information(
            &[("t1", &none), ("t2", &gain)],
            &inputs,
            &sets(&[&[0], &[1], &[0, 1]]),
        );
        assert_eq!(information.best, 1);
        let checks = [
            (&information.perfect, 0.4798),
            (worth_of(&information, "[0]"), 0.0833),
            (worth_of(&information, "[1]"), 0.3956),
            (worth_of(&information, "[0, 1]"), 0.4798),
        ];
        for (worth, expected) in checks {
            assert!(
                (worth.worth - expected).abs() < 4.0 * worth.std_error,
                "{worth:?} {expected}"
            );
        }
    }

    #[test]
    fn more_inputs_are_never_worth_less() {
        let z = normals(12, 1_000);
        let gain: Vec<f64> = z[0]
            .iter()
            .zip(&z[11])
            .map(|(a, b)| 0.3 * a + 2.0 * b - 0.2)
            .collect();
        let none = vec![0.0; gain.len()];
        let inputs: Vec<&[f64]> = z[..11].iter().map(Vec::as_slice).collect();
        let growing: Vec<Vec<usize>> = (1..=11).map(|count| (0..count).collect()).collect();
        let growing: Vec<&[usize]> = growing.iter().map(Vec::as_slice).collect();
        let information =
            worth_of_information(&[("no", &none), ("yes", &gain)], &inputs, &sets(&growing));
        let worths: Vec<f64> = (1..=11)
            .map(|count| {
                information
                    .partial
                    .iter()
                    .find(|worth| worth.inputs == count)
                    .unwrap()
                    .worth
            })
            .collect();
        assert!(
            worths.windows(2).all(|pair| pair[0] <= pair[1]),
            "{worths:?}"
        );
        assert!(
            worths
                .iter()
                .all(|worth| (0.0..=information.perfect.worth).contains(worth))
        );
    }

    #[test]
    fn one_option_leaves_nothing_to_decide() {
        let z = normals(1, 500);
        let information = worth_of_information(&[("only", &z[0])], &[&z[0]], &sets(&[&[0]]));
        assert_eq!(
            (information.perfect.worth, information.partial[0].worth),
            (0.0, 0.0)
        );
    }
}
