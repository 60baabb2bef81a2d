//! What drives a result of given trials.

use rayon::prelude::*;

use super::bins::{Bins, bins_for, mid_ranks, order_of};
use super::conditions::failure_boxes;
use super::distance::{Table, cells_for};
use super::first_order::{between_share, by_bins, by_ranks};
use super::groups::Group;
use super::partial_correlation::partial_rank_correlations;
use super::resampling::{Estimate, bootstrap_weights, mean_and_sd, permutation};
use super::tornado::tornado;
use super::{
    DrivenResult, Drivers, DriversError, GroupDriver, InputDriver, LEAST_OF_EITHER, LEAST_TRIALS,
    NoiseFloor, ResultKind, WithinNoise,
};
use crate::analysis::regression::{TRIALS_PER_COLUMN, cross_fit, explained, polynomials, product};

/// Bootstrap samples and permutations.
const REPLICATES: u64 = 100;
/// The noise floor is exceeded by chance in one of twenty analyses.
const FLOOR_LEVEL: f64 = 0.95;
/// The degree of the polynomials of an input that stands out, at most.
const DEGREE: usize = 6;
/// How many inputs of a group may act together in the regression, and conditions may be sought among.
const LEADING: usize = 6;
const MOST_SEARCHED: usize = 30;

/// An input, trial by trial.
#[derive(Clone, Copy, Debug)]
pub struct GivenInput<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value in each trial.
    pub values: &'a [f64],
    /// Whether it is correlated with other inputs.
    pub is_correlated: bool,
}

/// Trials in which a result and its inputs are known.
#[derive(Clone, Debug)]
pub struct GivenTrials<'a> {
    /// The inputs; each has a value for each trial.
    pub inputs: Vec<GivenInput<'a>>,
    /// The name of the result.
    pub name: &'a str,
    /// What it is.
    pub kind: ResultKind,
    /// Its unit.
    pub unit: &'a str,
    /// Its value in each trial. NaN: no number in that trial, which is then left out.
    pub result: &'a [f64],
    /// The end of the horizon in months, at which a date counts that is not reached.
    pub horizon_months: f64,
    /// The seed of the bootstrap and of the permutations.
    pub seed: u64,
}

/// Trials made ready: those with a number, and what is needed of each input.
struct Prepared<'a> {
    given: &'a GivenTrials<'a>,
    result: Vec<f64>,
    classes: Bins,
    inputs: Vec<PreparedInput>,
}

struct PreparedInput {
    values: Vec<f64>,
    order: Vec<u32>,
    bins: Bins,
    cells: Bins,
    first_order: f64,
    delta: f64,
    pawn: f64,
}

/// What drives a result of trials that one has. With `failures` it is told when a target is missed, too.
pub fn given_drivers(
    given: &GivenTrials<'_>,
    groups: &[Group],
    failures: bool,
) -> Result<Drivers, DriversError> {
    if given.inputs.is_empty() {
        return Err(DriversError::NoInputs);
    }
    let of = given.checked()?;
    let prepared = Prepared::new(given);
    let noise_floor = prepared.noise_floor();
    let mut order: Vec<usize> = (0..prepared.inputs.len()).collect();
    order.sort_by(|&a, &b| {
        prepared.inputs[b]
            .first_order
            .total_cmp(&prepared.inputs[a].first_order)
    });
    let (leading, others): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&input| {
        let input = &prepared.inputs[input];
        input.first_order > noise_floor.first_order || input.delta > noise_floor.delta
    });
    let within_noise = |input: usize| WithinNoise {
        name: given.inputs[input].name.to_owned(),
        first_order: prepared.inputs[input].first_order,
    };
    let everything: Vec<usize> = (0..prepared.inputs.len()).collect();
    Ok(Drivers {
        of,
        trials: prepared.result.len() as u64,
        inputs: prepared.leading(&leading),
        within_noise: others.into_iter().map(within_noise).collect(),
        noise_floor,
        groups: prepared.groups(groups, &leading),
        explained: prepared.explained(&everything, &leading),
        failures: failures.then(|| prepared.failures(&leading)),
    })
}

impl GivenTrials<'_> {
    /// The positions of trials in which the result is a number.
    fn usable(&self) -> Vec<usize> {
        (0..self.result.len())
            .filter(|&trial| !self.result[trial].is_nan())
            .collect()
    }

    /// The result in a trial, with a date that is not reached at the end of the horizon.
    fn value(&self, trial: usize) -> f64 {
        match self.kind {
            ResultKind::Date => self.result[trial].min(self.horizon_months),
            _ => self.result[trial],
        }
    }

    /// The result as a whole, or why its drivers cannot be told.
    fn checked(&self) -> Result<DrivenResult, DriversError> {
        let usable = self.usable();
        let trials = usable.len();
        if trials < LEAST_TRIALS {
            return Err(DriversError::TooFewTrials { trials });
        }
        let values: Vec<f64> = usable.iter().map(|&trial| self.value(trial)).collect();
        let (mean, std_dev) = mean_and_sd(&values);
        if values.iter().all(|value| *value == values[0]) {
            let missed = self.kind == ResultKind::Date && self.result[usable[0]].is_infinite();
            return Err(DriversError::Constant {
                name: self.name.to_owned(),
                value: match self.kind {
                    ResultKind::Target if values[0] == 0.0 => "missed".to_owned(),
                    ResultKind::Target => "met".to_owned(),
                    _ if missed => "not reached".to_owned(),
                    _ => format!("{} {}", values[0], self.unit).trim_end().to_owned(),
                },
                trials,
            });
        }
        if self.kind == ResultKind::Target {
            let met = values.iter().filter(|value| **value == 1.0).count();
            let (word, few) = if 2 * met < trials {
                ("met", met)
            } else {
                ("missed", trials - met)
            };
            if few < LEAST_OF_EITHER {
                let needed = (LEAST_OF_EITHER * trials).div_ceil(few) as u64;
                return Err(DriversError::TooFewOfEither {
                    name: self.name.to_owned(),
                    word,
                    few,
                    trials,
                    needed: needed.next_multiple_of(1_000),
                });
            }
        }
        let not_reached = usable
            .iter()
            .filter(|&&trial| self.result[trial].is_infinite())
            .count();
        Ok(DrivenResult {
            name: self.name.to_owned(),
            kind: self.kind,
            unit: self.unit.to_owned(),
            mean,
            std_error: std_dev / (trials as f64).sqrt(),
            std_dev,
            not_reached: not_reached as f64 / trials as f64,
        })
    }
}

impl<'a> Prepared<'a> {
    fn new(given: &'a GivenTrials<'a>) -> Self {
        let usable = given.usable();
        let result: Vec<f64> = usable.iter().map(|&trial| given.value(trial)).collect();
        let n = usable.len();
        let classes = Bins::new(&result, cells_for(n));
        let ones = vec![1.0; n];
        let inputs = given.inputs.par_iter().map(|input| {
            let values: Vec<f64> = usable.iter().map(|&trial| input.values[trial]).collect();
            let order = order_of(&values);
            let bins = Bins::of_ordered(&order, &values, bins_for(n));
            let cells = Bins::of_ordered(&order, &values, cells_for(n));
            let table = Table::new(&cells, &classes, &ones);
            PreparedInput {
                first_order: by_bins(&bins, &result, &ones),
                delta: table.delta(),
                pawn: table.pawn(),
                values,
                order,
                bins,
                cells,
            }
        });
        Self {
            inputs: inputs.collect(),
            given,
            result,
            classes,
        }
    }

    /// The largest measures over all inputs of a result that was permuted, and so has nothing to do with any of them.
    fn noise_floor(&self) -> NoiseFloor {
        let n = self.result.len();
        let ones = vec![1.0; n];
        let largest: Vec<[f64; 3]> = (0..REPLICATES)
            .into_par_iter()
            .map(|replicate| {
                let order = permutation(n, self.given.seed, replicate);
                let result: Vec<f64> = order.iter().map(|&at| self.result[at as usize]).collect();
                let classes = Bins {
                    of: order
                        .iter()
                        .map(|&at| self.classes.of[at as usize])
                        .collect(),
                    count: self.classes.count,
                };
                self.inputs
                    .iter()
                    .fold([f64::NEG_INFINITY; 3], |largest, input| {
                        let table = Table::new(&input.cells, &classes, &ones);
                        let found = [
                            by_bins(&input.bins, &result, &ones),
                            table.delta(),
                            table.pawn(),
                        ];
                        std::array::from_fn(|measure| largest[measure].max(found[measure]))
                    })
            })
            .collect();
        let [first_order, delta, pawn] = std::array::from_fn(|measure| {
            let mut values: Vec<f64> = largest.iter().map(|largest| largest[measure]).collect();
            values.sort_by(f64::total_cmp);
            values[(FLOOR_LEVEL * values.len() as f64) as usize]
        });
        NoiseFloor {
            first_order,
            delta,
            pawn,
        }
    }

    /// All that is told of the inputs that stand out.
    fn leading(&self, leading: &[usize]) -> Vec<InputDriver> {
        let n = self.result.len();
        let weights: Vec<Vec<f64>> = (0..REPLICATES)
            .into_par_iter()
            .map(|replicate| bootstrap_weights(n, self.given.seed, replicate))
            .collect();
        let partial = self.partial_rank_correlations(leading);
        (leading.par_iter().zip(partial))
            .map(|(&place, partial_rank_correlation)| {
                let input = &self.inputs[place];
                let tables: Vec<Table> = (weights.iter())
                    .map(|weights| Table::new(&input.cells, &self.classes, weights))
                    .collect();
                let measured = |found: f64, measure: fn(&Table) -> f64| {
                    Estimate::corrected(found, &tables.iter().map(measure).collect::<Vec<f64>>())
                };
                InputDriver {
                    name: self.given.inputs[place].name.to_owned(),
                    first_order: self.first_order(input, &weights),
                    first_order_by_ranks: by_ranks(&input.order, &self.result),
                    delta: measured(input.delta, Table::delta),
                    pawn: measured(input.pawn, Table::pawn),
                    tornado: tornado(&input.order, &input.values, &self.result),
                    partial_rank_correlation,
                }
            })
            .collect()
    }

    /// The adjusted index. In bootstrap samples the bins differ as they do in the trials at hand, chance included, so
    /// that what they scatter about is the index before its adjustment.
    fn first_order(&self, input: &PreparedInput, weights: &[Vec<f64>]) -> Estimate {
        let replicates: Vec<f64> = (weights.iter())
            .map(|weights| by_bins(&input.bins, &self.result, weights))
            .collect();
        let (mean, std_error) = mean_and_sd(&replicates);
        let bias = mean - between_share(&input.bins, &self.result);
        Estimate {
            value: input.first_order - bias,
            bias,
            std_error,
        }
    }

    /// Of the inputs that are correlated with others, given these others and the inputs that stand out.
    fn partial_rank_correlations(&self, leading: &[usize]) -> Vec<Option<Estimate>> {
        let is_correlated = |input: usize| self.given.inputs[input].is_correlated;
        if !leading.iter().any(|&input| is_correlated(input)) {
            return vec![None; leading.len()];
        }
        let mut together = leading.to_vec();
        together.extend(
            (0..self.inputs.len())
                .filter(|&input| is_correlated(input) && !leading.contains(&input)),
        );
        // Each takes a degree of freedom.
        together.truncate(self.result.len() / TRIALS_PER_COLUMN);
        let columns: Vec<&[f64]> = together
            .iter()
            .map(|&input| self.inputs[input].values.as_slice())
            .collect();
        let mut found = partial_rank_correlations(&columns, &self.result);
        found.resize(leading.len(), None);
        for (found, &input) in found.iter_mut().zip(leading) {
            *found = found.filter(|_| is_correlated(input));
        }
        found
    }

    fn groups(&self, groups: &[Group], leading: &[usize]) -> Vec<GroupDriver> {
        let mut found: Vec<GroupDriver> = (groups.par_iter())
            .map(|group| GroupDriver {
                name: group.name.clone(),
                inputs: group.inputs.len() as u64,
                share: self.explained(&group.inputs, leading),
            })
            .filter(|group| group.share.value > 2.0 * group.share.std_error)
            .collect();
        found.sort_by(|a, b| b.share.value.total_cmp(&a.share.value));
        found
    }

    /// The share of the variance that these inputs explain, by regression on trials not used to fit it.
    fn explained(&self, members: &[usize], leading: &[usize]) -> Estimate {
        let columns = self.columns(members, leading);
        let expected = cross_fit(&columns, &[&self.result]);
        let (share, std_error) = explained(&expected[0], &self.result);
        Estimate::unbiased(share.max(0.0), std_error)
    }

    /// Polynomials of the members that stand out, straight lines of the others, and products of the first few; as many
    /// as the trials allow, what stands out more first.
    fn columns(&self, members: &[usize], leading: &[usize]) -> Vec<Vec<f64>> {
        let most = (self.result.len() / TRIALS_PER_COLUMN).max(1);
        let mut ordered: Vec<usize> = leading
            .iter()
            .copied()
            .filter(|input| members.contains(input))
            .collect();
        let strong = ordered.len();
        ordered.extend(
            members
                .iter()
                .copied()
                .filter(|input| !leading.contains(input)),
        );
        let ranks = |input: usize| mid_ranks(&self.inputs[input].values);
        let degree = (most / strong.max(1)).clamp(1, DEGREE);
        let mut columns = Vec::new();
        let mut first: Vec<Vec<Vec<f64>>> = Vec::new();
        for &input in ordered[..strong].iter().take(most) {
            let polynomials = polynomials(&ranks(input), degree);
            if first.len() < LEADING {
                first.push(polynomials.iter().take(2).cloned().collect());
            }
            columns.extend(polynomials);
        }
        for (place, one) in first.iter().enumerate() {
            for other in &first[..place] {
                // Line by line, line by curve, curve by line.
                for (a, b) in [(0, 0), (0, 1), (1, 0)] {
                    if let (Some(a), Some(b)) = (one.get(a), other.get(b)) {
                        columns.extend(product(a, b));
                    }
                }
            }
        }
        for &input in &ordered[strong..] {
            if columns.len() >= most {
                break;
            }
            columns.extend(polynomials(&ranks(input), 1));
        }
        columns.truncate(most);
        columns
    }

    fn failures(&self, leading: &[usize]) -> Vec<super::conditions::FailureBox> {
        let searched = &leading[..leading.len().min(MOST_SEARCHED)];
        let names: Vec<&str> = searched
            .iter()
            .map(|&input| self.given.inputs[input].name)
            .collect();
        let inputs: Vec<&[f64]> = searched
            .iter()
            .map(|&input| self.inputs[input].values.as_slice())
            .collect();
        let failed: Vec<bool> = self.result.iter().map(|met| *met == 0.0).collect();
        failure_boxes(&names, &inputs, &failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::groups::groups_by_name;
    use super::super::reference::{ishigami, results, uniform_columns};
    use super::*;

    fn given<'a>(
        names: &'a [String],
        inputs: &'a [Vec<f64>],
        result: &'a [f64],
        kind: ResultKind,
    ) -> GivenTrials<'a> {
        GivenTrials {
            inputs: (names.iter().zip(inputs))
                .map(|(name, values)| GivenInput {
                    name,
                    values,
                    is_correlated: false,
                })
                .collect(),
            name: "y",
            kind,
            unit: "MW",
            result,
            horizon_months: 60.0,
            seed: 1,
        }
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|input| format!("x/{input}")).collect()
    }

    /// Three drivers among forty inputs, of which one acts through another alone.
    #[test]
    fn inputs_without_effect_are_within_the_noise() {
        let (inputs, names) = (uniform_columns(40, 4_000), names(40));
        let result = results(&inputs, ishigami);
        let drivers = given_drivers(
            &given(&names, &inputs, &result, ResultKind::Number),
            &[],
            false,
        )
        .unwrap();
        let found: Vec<&str> = drivers
            .inputs
            .iter()
            .map(|input| input.name.as_str())
            .collect();
        assert_eq!(found, ["x/1", "x/0", "x/2"]);
        assert_eq!(drivers.within_noise.len(), 37);
        let x2 = &drivers.inputs[2];
        // x2 has no first-order index: delta tells that it matters.
        assert!(
            x2.first_order.value < 0.02 && x2.delta.value > 0.08,
            "{x2:?}"
        );
        // First order 0.756, all together 1: regression finds most of it.
        assert!(
            (0.75..1.0).contains(&drivers.explained.value),
            "{:?}",
            drivers.explained
        );
    }

    #[test]
    fn a_target_is_told_in_probabilities() {
        let (inputs, names) = (uniform_columns(5, 4_000), names(5));
        let result = results(&inputs, |u| f64::from(u8::from(u[0] + 0.3 * u[1] < 0.8)));
        let drivers = given_drivers(
            &given(&names, &inputs, &result, ResultKind::Target),
            &[],
            true,
        )
        .unwrap();
        assert_eq!(drivers.inputs[0].name, "x/0");
        let [low, high] = drivers.inputs[0].tornado;
        assert!(low.mean == 1.0 && high.mean < 0.1, "{low:?} {high:?}");
        assert!((drivers.of.mean - 0.65).abs() < 0.04);
        assert!(drivers.failures.unwrap()[0].conditions[0].at_least.unwrap() > 0.5);
    }

    #[test]
    fn a_group_has_what_its_inputs_have_together() {
        let inputs = uniform_columns(6, 4_000);
        let names: Vec<String> = ["a/1", "a/2", "a/3", "b/1", "b/2", "noise"]
            .map(str::to_owned)
            .to_vec();
        // Four equal parts, of which a has three; and as much process noise as one of them.
        let result = results(&inputs, |u| u[0] + u[1] + u[2] + u[3] + u[5]);
        let known = &inputs[..5];
        let groups = groups_by_name(&names[..5]);
        let drivers = given_drivers(
            &given(&names[..5], known, &result, ResultKind::Number),
            &groups,
            false,
        )
        .unwrap();
        let a = drivers
            .groups
            .iter()
            .find(|group| group.name == "a/*")
            .unwrap();
        assert!(
            (a.share.value - 0.6).abs() < 4.0 * a.share.std_error,
            "{a:?}"
        );
        assert!(
            (drivers.explained.value - 0.8).abs() < 4.0 * drivers.explained.std_error,
            "{:?}",
            drivers.explained
        );
        assert!(
            (drivers.inputs[0].first_order.value - 0.2).abs()
                < 4.0 * drivers.inputs[0].first_order.std_error
        );
    }

    #[test]
    fn what_would_mislead_is_refused() {
        let (inputs, names) = (uniform_columns(2, 1_000), names(2));
        let refused = |result: &[f64], kind| {
            given_drivers(&given(&names, &inputs, result, kind), &[], false)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&[5.0; 1_000], ResultKind::Number).contains("5 MW in every one"));
        assert!(
            refused(&[f64::INFINITY; 1_000], ResultKind::Date).contains("not reached in every one")
        );
        let mut seldom = vec![0.0; 1_000];
        seldom[..10].fill(1.0);
        assert!(refused(&seldom, ResultKind::Target).contains("met in 10 of 1000 trials"));
        let mut nan = vec![f64::NAN; 1_000];
        nan[..100].copy_from_slice(&inputs[0][..100]);
        assert!(refused(&nan, ResultKind::Number).contains("100 trials do not tell"));
        let none = GivenTrials {
            inputs: Vec::new(),
            ..given(&names, &inputs, &inputs[0], ResultKind::Number)
        };
        assert_eq!(
            given_drivers(&none, &[], false),
            Err(DriversError::NoInputs)
        );
    }
}
