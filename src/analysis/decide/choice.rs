//! The choice among plans from trials that all of them share.
//!
//! For plan p in world w with weight c_w (weights add up to 1), v(p, w) is the objective's statistic over the trials:
//!
//! - the **value** of p is that statistic over all worlds together, a world's trials counting c_w each (a mean is then
//!   the sum of c_w v(p, w); a quantile that of the mixture);
//! - the **regret** of p in w is by how much the best plan of that world is better there: max_q v(q, w) - v(p, w) for
//!   an objective to maximise. The plan of **minimax regret** has the least greatest regret (Savage, "The Theory of
//!   Statistical Decision", Journal of the American Statistical Association 46, 1951);
//! - the **probability that a plan is the best** is the share of Bayesian bootstrap replicates in which it is feasible
//!   and has the best value: trials are weighted by a draw from the uniform Dirichlet distribution, the same weights for all plans and
//!   worlds, since they share the trials (Rubin, "The Bayesian Bootstrap", Annals of Statistics 9, 1981). For the
//!   chosen plan it estimates the probability of correct selection. It knows the noise of the trials, not whether the scenario is right;
//! - to **know the world** before choosing is worth the sum of c_w max_p v(p, w), less the best value (means only).

use serde::{Deserialize, Serialize};

use super::objective::{Constraint, Direction, Objective, Statistic};
use crate::sampling::streams::Source;

/// Replicates of the Bayesian bootstrap: a share of one half is known to 2.2 points (one standard error).
pub const REPLICATES: u64 = 500;

/// The trials of one plan in one world: for each statistic its measure, trial by trial.
#[derive(Clone, Debug, Default)]
pub struct Trials {
    /// The objective's measure.
    pub objective: Vec<f64>,
    /// The constraints' measures, in their order.
    pub constraints: Vec<Vec<f64>>,
}

/// A world, which nobody chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Its name.
    pub name: String,
    /// Its weight: weights add up to 1.
    pub weight: f64,
}

/// A plan in a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cell {
    /// The objective's value there.
    pub value: f64,
    /// Its value less that of the first plan in the same world.
    pub difference: f64,
    /// The standard error of the difference, by the bootstrap.
    pub std_error: f64,
    /// By how much the best plan of this world is better.
    pub regret: f64,
    /// Whether all constraints hold there.
    pub satisfies: bool,
}

/// A plan, over all worlds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanChoice {
    /// Its name.
    pub name: String,
    /// The objective's value over all worlds.
    pub value: f64,
    /// The constraints' values over all worlds, in their order.
    pub constraints: Vec<f64>,
    /// Whether all constraints hold.
    pub is_feasible: bool,
    /// The probability that it is the best feasible plan, estimated from the trials.
    pub probability_best: f64,
    /// Its greatest regret in any world.
    pub greatest_regret: f64,
    /// The weight of the worlds in which all constraints hold.
    pub satisfied_share: f64,
    /// World by world.
    pub cells: Vec<Cell>,
}

/// The plans against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// What is wanted.
    pub objective: Objective,
    /// What must hold.
    pub constraints: Vec<Constraint>,
    /// The worlds.
    pub worlds: Vec<World>,
    /// The plans, in the order of the comparison.
    pub plans: Vec<PlanChoice>,
    /// The feasible plan of the best value: its position. None if no plan is feasible.
    pub best: Option<usize>,
    /// The plan whose greatest regret is the least: its position.
    pub least_regret: usize,
    /// What it is worth to know the world before choosing, in the unit of the objective; only of means.
    pub worth_of_knowing_the_world: Option<f64>,
}

/// Values of one measure, sorted, each with its trial.
struct Sorted(Vec<(f64, u32)>);

impl Sorted {
    fn of(values: &[f64]) -> Self {
        let numbers = values
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.is_nan());
        let mut sorted: Vec<(f64, u32)> = numbers
            .map(|(trial, &value)| (value, trial as u32))
            .collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(sorted)
    }

    /// A statistic with these weights of the trials; NaN if it has no value.
    fn statistic(&self, of: &Statistic, weights: &[f64]) -> f64 {
        mixed(&[(1.0, self)], of, weights)
    }
}

/// A statistic of a mixture: each part with its weight, and trials with theirs.
fn mixed(parts: &[(f64, &Sorted)], of: &Statistic, weights: &[f64]) -> f64 {
    let total: f64 = parts
        .iter()
        .map(|(weight, part)| {
            weight
                * part
                    .0
                    .iter()
                    .map(|(_, trial)| weights[*trial as usize])
                    .sum::<f64>()
        })
        .sum();
    let Statistic::Quantile(p, _) = of else {
        let sums = parts.iter().map(|(weight, part)| {
            let terms = part
                .0
                .iter()
                .map(|(value, trial)| value * weights[*trial as usize]);
            weight * terms.sum::<f64>()
        });
        return sums.sum::<f64>() / total;
    };
    let mut places = vec![0; parts.len()];
    let mut below = 0.0;
    loop {
        // The least value that is left in any part.
        let next = (0..parts.len())
            .filter_map(|part| parts[part].1.0.get(places[part]).map(|one| (part, *one)))
            .min_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let Some((part, (value, trial))) = next else {
            return parts
                .iter()
                .filter_map(|(_, part)| part.0.last())
                .map(|one| one.0)
                .fold(f64::NAN, f64::max);
        };
        places[part] += 1;
        below += parts[part].0 * weights[trial as usize];
        if below >= p * total {
            return value;
        }
    }
}

/// The sorted trials of all plans in all worlds, and what is asked of them.
struct Table<'a> {
    objective: &'a Objective,
    constraints: &'a [Constraint],
    worlds: &'a [World],
    /// By plan and world: the objective's trials, then the constraints'.
    cells: Vec<Vec<(Sorted, Vec<Sorted>)>>,
}

impl Table<'_> {
    /// What is said of a plan, of which this is known world by world.
    fn plan_choice(
        &self,
        plan: usize,
        name: &str,
        cells: Vec<Cell>,
        probability_best: f64,
        weights: &[f64],
    ) -> PlanChoice {
        let satisfied = (self.worlds.iter().zip(&cells)).filter(|(_, cell)| cell.satisfies);
        PlanChoice {
            name: name.to_owned(),
            value: self.value(plan, weights),
            constraints: (0..self.constraints.len())
                .map(|number| self.constraint(plan, number, weights))
                .collect(),
            is_feasible: self.is_feasible(plan, weights),
            probability_best,
            greatest_regret: cells.iter().map(|cell| cell.regret).fold(0.0, f64::max),
            satisfied_share: satisfied.map(|(world, _)| world.weight).sum(),
            cells,
        }
    }

    fn value(&self, plan: usize, weights: &[f64]) -> f64 {
        let parts: Vec<_> = (self.worlds.iter().zip(&self.cells[plan]))
            .map(|(world, cell)| (world.weight, &cell.0))
            .collect();
        mixed(&parts, &self.objective.of, weights)
    }

    fn constraint(&self, plan: usize, number: usize, weights: &[f64]) -> f64 {
        let parts: Vec<_> = (self.worlds.iter().zip(&self.cells[plan]))
            .map(|(world, cell)| (world.weight, &cell.1[number]))
            .collect();
        mixed(&parts, &self.constraints[number].of, weights)
    }

    fn is_feasible(&self, plan: usize, weights: &[f64]) -> bool {
        (self.constraints.iter().enumerate())
            .all(|(number, one)| one.holds(self.constraint(plan, number, weights)))
    }

    /// The feasible plan of the best value, the first of equal ones.
    fn best(&self, values: &[f64], feasible: &[bool]) -> Option<usize> {
        let gain = |a: usize, b: usize| self.objective.direction.gain(values[a], values[b]);
        (0..values.len())
            .filter(|&plan| feasible[plan] && !values[plan].is_nan())
            .reduce(|best, plan| if gain(plan, best) > 0.0 { plan } else { best })
    }

    fn cell_value(&self, plan: usize, world: usize, weights: &[f64]) -> f64 {
        self.cells[plan][world]
            .0
            .statistic(&self.objective.of, weights)
    }

    fn satisfies(&self, plan: usize, world: usize, weights: &[f64]) -> bool {
        (self.constraints.iter().zip(&self.cells[plan][world].1))
            .all(|(one, sorted)| one.holds(sorted.statistic(&one.of, weights)))
    }
}

/// What the bootstrap says: for each plan the probability that it is best, and by plan and world the standard error of
/// its difference from the first plan.
struct Replicated {
    probability_best: Vec<f64>,
    std_errors: Vec<Vec<f64>>,
}

fn replicate(table: &Table<'_>, trials: usize, seed: u64) -> Replicated {
    let (plans, worlds) = (table.cells.len(), table.worlds.len());
    let source = Source::named("bootstrap of a decision");
    let mut wins = vec![0_u64; plans];
    let mut sums = vec![vec![(0.0, 0.0); worlds]; plans];
    for replicate in 0..REPLICATES {
        let mut stream = source.stream(seed, replicate);
        let weights: Vec<f64> = (0..trials).map(|_| stream.exponential()).collect();
        let values: Vec<f64> = (0..plans).map(|plan| table.value(plan, &weights)).collect();
        let feasible: Vec<bool> = (0..plans)
            .map(|plan| table.is_feasible(plan, &weights))
            .collect();
        if let Some(best) = table.best(&values, &feasible) {
            wins[best] += 1;
        }
        for world in 0..worlds {
            let first = table.cell_value(0, world, &weights);
            for (plan, sums) in sums.iter_mut().enumerate().skip(1) {
                let difference = table.cell_value(plan, world, &weights) - first;
                sums[world].0 += difference;
                sums[world].1 += difference * difference;
            }
        }
    }
    let count = REPLICATES as f64;
    let std_error = |(sum, squares): (f64, f64)| {
        ((squares - sum * sum / count).max(0.0) / (count - 1.0)).sqrt()
    };
    Replicated {
        probability_best: wins.iter().map(|&wins| wins as f64 / count).collect(),
        std_errors: (sums.into_iter())
            .map(|of_plan| of_plan.into_iter().map(std_error).collect())
            .collect(),
    }
}

/// Chooses among plans by their trials: `trials[plan][world]`, all of one length and of the same trials. The same seed
/// gives the same result.
///
/// # Panics
/// If there is no plan, no world, or the trials are not of one length.
pub fn choose(
    objective: &Objective,
    constraints: &[Constraint],
    worlds: &[World],
    plans: &[String],
    trials: &[Vec<Trials>],
    seed: u64,
) -> Choice {
    chosen(objective, constraints, worlds, plans, trials, Some(seed))
}

/// The same without probabilities of being best and standard errors, which are 0.
pub(super) fn without_bootstrap(
    objective: &Objective,
    constraints: &[Constraint],
    worlds: &[World],
    plans: &[String],
    trials: &[Vec<Trials>],
) -> Choice {
    chosen(objective, constraints, worlds, plans, trials, None)
}

fn chosen(
    objective: &Objective,
    constraints: &[Constraint],
    worlds: &[World],
    plans: &[String],
    trials: &[Vec<Trials>],
    seed: Option<u64>,
) -> Choice {
    let count = trials[0][0].objective.len();
    let sorted = |one: &Trials| {
        assert_eq!(one.objective.len(), count, "all plans have the same trials");
        let constraints = one.constraints.iter().map(|values| Sorted::of(values));
        (Sorted::of(&one.objective), constraints.collect())
    };
    let table = Table {
        objective,
        constraints,
        worlds,
        cells: (trials.iter())
            .map(|of_plan| of_plan.iter().map(sorted).collect())
            .collect(),
    };
    let alike = vec![1.0; count];
    let replicated = match seed {
        Some(seed) => replicate(&table, count, seed),
        None => Replicated {
            probability_best: vec![0.0; plans.len()],
            std_errors: vec![vec![0.0; worlds.len()]; plans.len()],
        },
    };
    let values: Vec<Vec<f64>> = (0..plans.len())
        .map(|plan| {
            (0..worlds.len())
                .map(|world| table.cell_value(plan, world, &alike))
                .collect()
        })
        .collect();
    let best_there: Vec<f64> = (0..worlds.len())
        .map(|world| best_in(world, &values, objective.direction))
        .collect();
    let plan_choices = (plans.iter().enumerate())
        .map(|(plan, name)| {
            let there = best_there.iter().zip(&values[0]);
            let cells = (there.zip(&values[plan]).enumerate())
                .map(|(world, ((&best, &first), &value))| Cell {
                    value,
                    difference: value - first,
                    std_error: replicated.std_errors[plan][world],
                    regret: objective.direction.gain(best, value),
                    satisfies: table.satisfies(plan, world, &alike),
                })
                .collect();
            table.plan_choice(plan, name, cells, replicated.probability_best[plan], &alike)
        })
        .collect();
    summed_up(&table, plan_choices, &best_there)
}

/// The best value of any plan in a world; NaN if none has one.
fn best_in(world: usize, values: &[Vec<f64>], direction: Direction) -> f64 {
    let there = values.iter().map(|of_plan| of_plan[world]);
    let better = |a: f64, b: f64| if direction.gain(b, a) > 0.0 { b } else { a };
    let there = there.filter(|value| !value.is_nan());
    there.reduce(better).unwrap_or(f64::NAN)
}

fn summed_up(table: &Table<'_>, plans: Vec<PlanChoice>, best_there: &[f64]) -> Choice {
    let values: Vec<f64> = plans.iter().map(|plan| plan.value).collect();
    let feasible: Vec<bool> = plans.iter().map(|plan| plan.is_feasible).collect();
    let least_regret = (0..plans.len())
        .min_by(|&a, &b| {
            plans[a]
                .greatest_regret
                .total_cmp(&plans[b].greatest_regret)
        })
        .expect("a plan");
    let best_of_all = table.best(&values, &vec![true; plans.len()]);
    let known = (table.worlds.iter().zip(best_there)).map(|(world, value)| world.weight * value);
    let worth_of_knowing_the_world = match (&table.objective.of, best_of_all) {
        (of, Some(best)) if of.is_mean() && table.worlds.len() > 1 => Some(
            table
                .objective
                .direction
                .gain(known.sum(), values[best])
                .max(0.0),
        ),
        _ => None,
    };
    Choice {
        objective: table.objective.clone(),
        constraints: table.constraints.to_vec(),
        worlds: table.worlds.to_vec(),
        best: table.best(&values, &feasible),
        least_regret,
        worth_of_knowing_the_world,
        plans,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(name: &str, weight: f64) -> World {
        World {
            name: name.into(),
            weight,
        }
    }

    fn constant(value: f64, met: f64) -> Trials {
        Trials {
            objective: vec![value; 100],
            constraints: vec![vec![met; 100]],
        }
    }

    /// Savage's matrix: "bold" gains most on average, "safe" regrets least.
    fn matrix(constraints: &[Constraint]) -> Choice {
        let worlds = [world("boom", 0.6), world("bust", 0.4)];
        let plans = ["bold".to_owned(), "safe".to_owned(), "nothing".to_owned()];
        let mut trials = vec![
            vec![constant(100.0, 1.0), constant(-40.0, 0.0)],
            vec![constant(50.0, 1.0), constant(10.0, 1.0)],
            vec![constant(0.0, 1.0), constant(0.0, 1.0)],
        ];
        for one in trials.iter_mut().flatten() {
            one.constraints.truncate(constraints.len());
        }
        choose(
            &"maximise mean(npv)".parse().unwrap(),
            constraints,
            &worlds,
            &plans,
            &trials,
            1,
        )
    }

    #[test]
    fn values_regrets_and_the_worth_of_the_world_are_those_worked_by_hand() {
        let choice = matrix(&[]);
        let values: Vec<f64> = choice.plans.iter().map(|plan| plan.value).collect();
        for (value, expected) in values.iter().zip([44.0, 34.0, 0.0]) {
            assert!((value - expected).abs() < 1e-9);
        }
        assert_eq!(choice.best, Some(0));
        assert_eq!(choice.plans[0].probability_best, 1.0);
        let regrets: Vec<f64> = choice
            .plans
            .iter()
            .map(|plan| plan.greatest_regret)
            .collect();
        for (regret, expected) in regrets.iter().zip([50.0, 50.0, 100.0]) {
            assert!((regret - expected).abs() < 1e-9);
        }
        // 0.6 x 100 + 0.4 x 10 with the world known, 44 without.
        assert!((choice.worth_of_knowing_the_world.unwrap() - 20.0).abs() < 1e-9);
        assert!((choice.plans[1].cells[1].difference - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_plan_that_breaks_a_constraint_is_not_chosen() {
        let choice = matrix(&["probability(paid back) >= 80 %".parse().unwrap()]);
        assert!(!choice.plans[0].is_feasible);
        assert_eq!(choice.best, Some(1));
        assert_eq!(choice.plans[1].probability_best, 1.0);
        assert!((choice.plans[0].satisfied_share - 0.6).abs() < 1e-12);
        assert!((choice.plans[0].constraints[0] - 0.6).abs() < 1e-12);
    }

    #[test]
    fn a_quantile_over_worlds_is_that_of_their_mixture() {
        let worlds = [world("a", 0.5), world("b", 0.5)];
        let at = |from: u32| Trials {
            objective: (from..from + 50).map(f64::from).collect(),
            constraints: Vec::new(),
        };
        let objective = "minimise p50(A live)".parse().unwrap();
        let choice = choose(
            &objective,
            &[],
            &worlds,
            &["one".into()],
            &[vec![at(0), at(50)]],
            1,
        );
        // The median of 0 to 99 by its lower rank.
        assert_eq!(choice.plans[0].value, 49.0);
        assert_eq!(choice.plans[0].cells[0].value, 24.0);
        assert_eq!(choice.worth_of_knowing_the_world, None);
    }

    #[test]
    fn a_milestone_that_fewer_trials_reach_is_no_better_for_it() {
        // Of the first plan 60 of 100 trials arrive at 10 months, of the second all at 12.
        let late = (0..100)
            .map(|trial| if trial < 60 { 10.0 } else { f64::INFINITY })
            .collect();
        let trials = [late, vec![12.0; 100]].map(|objective| {
            vec![Trials {
                objective,
                constraints: Vec::new(),
            }]
        });
        let objective = "minimise p80(A live)".parse().unwrap();
        let names = ["gamble".into(), "sure".into()];
        let choice = choose(&objective, &[], &[world("w", 1.0)], &names, &trials, 1);
        assert_eq!(choice.best, Some(1));
        assert_eq!(choice.plans[0].value, f64::INFINITY);
    }

    #[test]
    fn of_two_plans_that_differ_by_noise_each_may_be_the_best() {
        // The difference has mean 0.5 and standard deviation 5 over 100 trials: z = 1, so the better one is best with
        // probability 0.84 (Bernardo & Smith); 500 replicates and the sample's own mean leave ± 0.05.
        let noise: Vec<f64> = (0..100)
            .map(|trial| if trial % 2 == 0 { 5.0 } else { -5.0 })
            .collect();
        let trials = [0.0, 0.5].map(|more| {
            vec![Trials {
                objective: noise
                    .iter()
                    .map(|noise| more + noise * more * 2.0)
                    .collect(),
                constraints: Vec::new(),
            }]
        });
        let objective = "maximise mean(npv)".parse().unwrap();
        let names = ["a".into(), "b".into()];
        let choice = choose(&objective, &[], &[world("w", 1.0)], &names, &trials, 3);
        let probability = choice.plans[1].probability_best;
        assert!((probability - 0.841).abs() < 0.05, "{probability}");
        assert!((choice.plans[1].cells[0].std_error - 0.5).abs() < 0.06);
    }
}
