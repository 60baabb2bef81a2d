//! Screening: which of many inputs matter at all, from few trials of their own.
//!
//! A trajectory starts at a random point of a grid and moves one input after another by one step; each move gives an
//! elementary effect (Morris, "Factorial sampling plans for preliminary computational experiments", Technometrics 33,
//! 1991). Over several trajectories: mu, the mean effect; mu*, the mean of its size (Campolongo, Cariboni & Saltelli, "An
//! effective screening design for sensitivity analysis of large models", Environmental Modelling & Software 22, 2007); and
//! sigma, the standard deviation, which is large where the effect depends on where the others stand.
//!
//! The grid has four levels of each input: its P12.5, P37.5, P62.5 and P87.5. A step is two levels, and an effect is reported
//! for the whole grid from the first to the last level: in the unit of the result.

use serde::{Deserialize, Serialize};

use super::resampling::mean_and_sd;
use crate::sampling::streams::Source;

const LEVELS: f64 = 4.0;
/// A step of two levels, as a share of the three from the first to the last.
const STEP: f64 = 2.0 / 3.0;

/// What moving an input does to the result, over all trajectories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ElementaryEffect {
    /// The input.
    pub name: String,
    /// The mean effect of moving it over the grid, in the unit of the result.
    pub mu: f64,
    /// The mean size of the effect.
    pub mu_star: f64,
    /// The standard error of `mu_star`.
    pub std_error: f64,
    /// The standard deviation of the effect.
    pub sigma: f64,
}

/// The points of a trajectory, and which input moves from each to the next.
struct Trajectory {
    points: Vec<Vec<f64>>,
    moved: Vec<usize>,
}

/// The probability at which a level of the grid stands.
fn probability(level: f64) -> f64 {
    (level + 0.5) / LEVELS
}

fn trajectory(inputs: usize, seed: u64, number: u64) -> Trajectory {
    let mut stream = Source::named("analysis/screening").stream(seed, number);
    let mut levels: Vec<f64> = (0..inputs)
        .map(|_| (stream.uniform() * LEVELS).floor())
        .collect();
    let mut moved: Vec<usize> = (0..inputs).collect();
    for last in (1..inputs).rev() {
        moved.swap(last, (stream.uniform() * (last + 1) as f64) as usize);
    }
    let at = |levels: &[f64]| levels.iter().copied().map(probability).collect();
    let mut points = vec![at(&levels)];
    for &input in &moved {
        // Two levels up from the lower two, down from the upper two.
        levels[input] = (levels[input] + LEVELS / 2.0) % LEVELS;
        points.push(at(&levels));
    }
    Trajectory { points, moved }
}

/// Effects of all inputs over `trajectories` trajectories of one trial more than there are inputs, the largest `mu_star`
/// first.
///
/// `evaluate` gives the results of points of (0, 1), one number for each input; each comes with the number of its
/// trajectory, within which process noise is to be the same.
pub fn elementary_effects<E>(
    names: &[String],
    trajectories: u64,
    seed: u64,
    evaluate: impl FnOnce(&[(Vec<f64>, u64)]) -> Result<Vec<f64>, E>,
) -> Result<Vec<ElementaryEffect>, E> {
    let all: Vec<Trajectory> = (0..trajectories)
        .map(|number| trajectory(names.len(), seed, number))
        .collect();
    let points: Vec<(Vec<f64>, u64)> = (all.iter().zip(0..))
        .flat_map(|(trajectory, number)| {
            trajectory
                .points
                .iter()
                .map(move |point| (point.clone(), number))
        })
        .collect();
    let results = evaluate(&points)?;
    let mut effects = vec![Vec::new(); names.len()];
    for ((trajectory, points), results) in (all.iter())
        .zip(points.chunks(names.len() + 1))
        .zip(results.chunks(names.len() + 1))
    {
        for (place, &input) in trajectory.moved.iter().enumerate() {
            let up = points[place + 1].0[input] > points[place].0[input];
            let change = results[place + 1] - results[place];
            effects[input].push(if up { change } else { -change } / STEP);
        }
    }
    let mut effects: Vec<ElementaryEffect> = (names.iter().zip(effects))
        .map(|(name, effects)| {
            let (mu, sigma) = mean_and_sd(&effects);
            let sizes: Vec<f64> = effects.iter().map(|effect| effect.abs()).collect();
            let (mu_star, spread) = mean_and_sd(&sizes);
            ElementaryEffect {
                name: name.clone(),
                mu,
                mu_star,
                std_error: spread / (sizes.len() as f64).sqrt(),
                sigma,
            }
        })
        .collect();
    effects.sort_by(|a, b| b.mu_star.total_cmp(&a.mu_star));
    Ok(effects)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Morris' function of 20 inputs, with the coefficients that he drew at random set to +1 and -1 by turns.
    fn morris(u: &[f64]) -> f64 {
        let w: Vec<f64> = (u.iter().enumerate())
            .map(|(i, u)| {
                let x = (u - 0.125) / 0.75;
                let x = if [2, 4, 6].contains(&i) {
                    1.1 * x / (x + 0.1)
                } else {
                    x
                };
                2.0 * (x - 0.5)
            })
            .collect();
        let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let mut y = 0.0;
        for i in 0..20 {
            y += w[i] * if i < 10 { 20.0 } else { sign(i + 1) };
            for j in i + 1..20 {
                y += w[i] * w[j] * if j < 6 { -15.0 } else { sign(i + j) };
                for l in (j + 1)..5 {
                    y -= 10.0 * w[i] * w[j] * w[l];
                    for s in (l + 1)..4 {
                        y += 5.0 * w[i] * w[j] * w[l] * w[s];
                    }
                }
            }
        }
        y
    }

    fn screened(trajectories: u64) -> Vec<ElementaryEffect> {
        let names: Vec<String> = (1..=20).map(|number| number.to_string()).collect();
        elementary_effects::<Infallible>(&names, trajectories, 1, |points| {
            Ok(points.iter().map(|(point, _)| morris(point)).collect())
        })
        .unwrap()
    }

    /// Morris' conclusions: the first ten inputs matter, the others do not; of the ten, the last three act alone and
    /// evenly, with an effect of 2 x 20.
    #[test]
    fn morris_function() {
        let effects = screened(40);
        let of = |number: usize| {
            effects
                .iter()
                .find(|effect| effect.name == number.to_string())
                .unwrap()
        };
        let least_of_ten = (1..=10)
            .map(|i| of(i).mu_star)
            .fold(f64::INFINITY, f64::min);
        let most_of_others = (11..=20).map(|i| of(i).mu_star).fold(0.0, f64::max);
        assert!(
            least_of_ten > 3.0 * most_of_others,
            "{least_of_ten} {most_of_others}"
        );
        for i in 8..=10 {
            let effect = of(i);
            assert!(
                (effect.mu - 40.0).abs() < 5.0 * effect.std_error.max(0.6),
                "{effect:?}"
            );
            assert!(effect.sigma < 10.0, "{effect:?}");
        }
        for i in 1..=6 {
            assert!(of(i).sigma > 20.0, "{:?}", of(i));
        }
    }

    #[test]
    fn a_straight_line_has_the_same_effect_everywhere() {
        let names = ["x".to_owned(), "y".to_owned()];
        let effects = elementary_effects::<Infallible>(&names, 10, 3, |points| {
            Ok(points
                .iter()
                .map(|(point, _)| 4.0 * point[0] - 2.0 * point[1])
                .collect())
        })
        .unwrap();
        // From the first to the last level: 0.75 of the range.
        assert!((effects[0].mu - 3.0).abs() < 1e-12 && effects[0].sigma < 1e-12);
        assert!((effects[1].mu + 1.5).abs() < 1e-12);
    }
}
