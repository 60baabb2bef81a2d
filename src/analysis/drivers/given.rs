//! What drives a result of given trials.

use super::bins::{Bins, bins_for, mid_ranks, mid_ranks_of_ordered, order_of};
use super::conditions::failure_boxes;
use super::distance::{Table, cells_for};
use super::first_order::{Moments, between_share, by_bins, by_ranks};
use super::groups::Group;
use super::partial_correlation::{partial_correlations_of_ranks, squared_correlations};
use super::resampling::{Estimate, bootstrap_weights, mean_and_sd, permutation};
use super::tornado::tornado;
use super::{
    DrivenResult, Drivers, DriversError, GroupDriver, InputDriver, LEAST_OF_EITHER, LEAST_TRIALS,
    NoiseFloor, ResultKind, WithinNoise,
};
use crate::analysis::regression::{
    TRIALS_PER_COLUMN, cross_fit, dot, explained, polynomials, product,
};
use crate::parallel;

/// Bootstrap samples.
const REPLICATES: usize = 100;
/// Of this many permutations and the result itself, any is as likely as another to be among the three largest where no
/// input has an effect: the third largest permutation is exceeded by chance in 3 of 60 analyses, one of twenty.
const PERMUTATIONS: usize = 59;
const FLOOR_PLACE: usize = 3;
/// The degree of the polynomials of an input that stands out, at most.
const DEGREE: usize = 6;
/// Columns of a regression at most: what stands out less adds little, and their cost grows with the square.
const MOST_COLUMNS: usize = 200;
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
    ranks: Vec<f64>,
    order: Vec<u32>,
    bins: Bins,
    sizes: Vec<f64>,
    cells: Bins,
    first_order: f64,
    delta: f64,
    pawn: f64,
}

/// What drives a result of trials that one has. With `failures` also when a target is missed.
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

    /// The result as a whole, or why its drivers cannot be estimated.
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
        let inputs = parallel::map(&given.inputs, |input| {
            let values: Vec<f64> = usable.iter().map(|&trial| input.values[trial]).collect();
            let order = order_of(&values);
            let bins = Bins::of_ordered(&order, &values, bins_for(n));
            let cells = Bins::of_ordered(&order, &values, cells_for(n));
            let table = Table::new(&cells, &classes, &ones);
            PreparedInput {
                first_order: by_bins(&bins, &result, &ones),
                delta: table.delta(),
                pawn: table.pawn(),
                ranks: mid_ranks_of_ordered(&order, &values),
                values,
                order,
                sizes: bins.sizes(),
                bins,
                cells,
            }
        });
        Self {
            inputs,
            given,
            result,
            classes,
        }
    }

    /// The largest measures over all inputs of a result that was permuted, and so has nothing to do with any of them.
    fn noise_floor(&self) -> NoiseFloor {
        let largest: Vec<[f64; 3]> = parallel::map_numbers(PERMUTATIONS, |replicate| {
            let permuted = Permuted::new(self, replicate as u64);
            let none = [f64::NEG_INFINITY; 3];
            self.inputs.iter().fold(none, |largest, input| {
                let found = permuted.measures(input);
                std::array::from_fn(|measure| largest[measure].max(found[measure]))
            })
        });
        let [first_order, delta, pawn] = std::array::from_fn(|measure| {
            let mut values: Vec<f64> = largest.iter().map(|largest| largest[measure]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() - FLOOR_PLACE]
        });
        NoiseFloor {
            first_order,
            delta,
            pawn,
        }
    }

    /// All that is reported of the inputs that stand out.
    fn leading(&self, leading: &[usize]) -> Vec<InputDriver> {
        let n = self.result.len();
        let weights: Vec<Vec<f64>> = parallel::map_numbers(REPLICATES, |replicate| {
            bootstrap_weights(n, self.given.seed, replicate as u64)
        });
        let partial = self.partial_rank_correlations(leading);
        parallel::map_numbers(leading.len(), |number| {
            let (place, partial_rank_correlation) = (leading[number], partial[number]);
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
    }

    /// The adjusted index. In bootstrap samples the bins differ as they do in the given trials, chance included, so
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
            .map(|&input| self.inputs[input].ranks.as_slice())
            .collect();
        let mut found = partial_correlations_of_ranks(&columns, &mid_ranks(&self.result));
        found.resize(leading.len(), None);
        for (found, &input) in found.iter_mut().zip(leading) {
            *found = found.filter(|_| is_correlated(input));
        }
        found
    }

    /// The groups whose share is more than its error. Only those are fitted of which an input stands out, or whose
    /// inputs do so together.
    fn groups(&self, groups: &[Group], leading: &[usize]) -> Vec<GroupDriver> {
        let ranks: Vec<&[f64]> = (self.inputs.iter())
            .map(|input| input.ranks.as_slice())
            .collect();
        let linear = squared_correlations(&ranks, &self.result);
        let may_matter = |group: &&Group| {
            let stands_out = |input: &usize| leading.contains(input);
            group.inputs.iter().any(stands_out)
                || stand_out_together(&group.inputs, &linear, self.result.len())
        };
        let groups: Vec<&Group> = groups.iter().filter(may_matter).collect();
        let mut found: Vec<GroupDriver> = parallel::map(&groups, |group| GroupDriver {
            name: group.name.clone(),
            inputs: group.inputs.len() as u64,
            share: self.explained(&group.inputs, leading),
        });
        found.retain(|group| group.share.value > 2.0 * group.share.std_error);
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
        let most = (self.result.len() / TRIALS_PER_COLUMN).clamp(1, MOST_COLUMNS);
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
        let degree = (most / strong.max(1)).clamp(1, DEGREE);
        let mut columns = Vec::new();
        let mut first: Vec<Vec<Vec<f64>>> = Vec::new();
        for &input in ordered[..strong].iter().take(most) {
            let polynomials = polynomials(&self.inputs[input].ranks, degree);
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
            columns.extend(polynomials(&self.inputs[input].ranks, 1));
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

/// Whether straight lines of these inputs explain more than chance makes them: of m inputs without effect the sum of
/// squared correlations is chi-squared over n, with mean m / n and standard deviation sqrt(2 m) / n; more than two of
/// these above the mean is needed. Of inputs that go together it varies more, so that more of them are fitted.
fn stand_out_together(inputs: &[usize], squared_correlations: &[f64], trials: usize) -> bool {
    let (m, n) = (inputs.len() as f64, trials as f64);
    let together: f64 = inputs.iter().map(|&at| squared_correlations[at]).sum();
    together > (m + 2.0 * (2.0 * m).sqrt()) / n
}

/// A result that was permuted, with its class in each trial.
struct Permuted {
    trials: Vec<(f64, u16)>,
    squares: f64,
    classes: usize,
}

impl Permuted {
    fn new(prepared: &Prepared<'_>, replicate: u64) -> Self {
        let n = prepared.result.len();
        let order = permutation(n, prepared.given.seed, replicate);
        let of = |at: &u32| {
            let at = *at as usize;
            (prepared.result[at], prepared.classes.of[at])
        };
        Self {
            trials: order.iter().map(of).collect(),
            squares: dot(&prepared.result, &prepared.result),
            classes: prepared.classes.count,
        }
    }

    /// First-order index by bins, delta and PAWN of an input.
    fn measures(&self, input: &PreparedInput) -> [f64; 3] {
        let mut sums = vec![0.0; input.bins.count];
        let mut counts = vec![0_u32; input.cells.count * self.classes];
        let places = input.bins.of.iter().zip(&input.cells.of);
        for ((y, class), (bin, cell)) in self.trials.iter().zip(places) {
            sums[usize::from(*bin)] += y;
            counts[usize::from(*cell) * self.classes + usize::from(*class)] += 1;
        }
        let counts = counts.into_iter().map(f64::from).collect();
        let table = Table::of_counts(counts, self.classes);
        let moments = Moments::of_sums(sums, input.sizes.clone(), self.squares);
        [moments.index(), table.delta(), table.pawn()]
    }
}

#[cfg(test)]
mod tests;
