//! The plans that a search has tried, on which trials, and which of them lead.

use super::{BestPlan, SearchRun, TriedPlan};
use crate::analysis::decide::choice::{Choice, Trials, World, choose, without_bootstrap};
use crate::analysis::decide::objective::{Constraint, Objective};
use crate::analysis::decide::run::DecideError;
use crate::policy::Setting;

/// The plans that have been tried.
pub(super) struct Tried<'a> {
    pub(super) run: &'a SearchRun<'a>,
    pub(super) plans: Vec<TriedPlan>,
    /// By plan the trials of the first objective and of the constraints.
    pub(super) columns: Vec<Trials>,
    pub(super) units: Vec<String>,
    pub(super) done: u64,
}

impl<'a> Tried<'a> {
    pub(super) fn new(run: &'a SearchRun<'a>) -> Self {
        Self {
            run,
            plans: Vec::new(),
            columns: Vec::new(),
            units: Vec::new(),
            done: 0,
        }
    }

    pub(super) fn known(&self, settings: &[Setting]) -> Option<usize> {
        self.plans.iter().position(|plan| plan.settings == settings)
    }

    /// The position of a plan, which is tried on this many trials if it has not been.
    pub(super) fn plan(&mut self, settings: &[Setting], trials: u64) -> Result<usize, DecideError> {
        if let Some(known) = self.known(settings) {
            return Ok(known);
        }
        let (plan, columns) = self.simulate(settings, 0..trials)?;
        self.plans.push(plan);
        self.columns.push(columns);
        Ok(self.plans.len() - 1)
    }

    /// Tries a plan once more, on this many trials.
    pub(super) fn again(&mut self, plan: usize, trials: u64) -> Result<(), DecideError> {
        let settings = self.plans[plan].settings.clone();
        (self.plans[plan], self.columns[plan]) = self.simulate(&settings, 0..trials)?;
        Ok(())
    }

    pub(super) fn simulate(
        &mut self,
        settings: &[Setting],
        trials: std::ops::Range<u64>,
    ) -> Result<(TriedPlan, Trials), DecideError> {
        let (run, count) = (self.run, trials.end - trials.start);
        let model = run.model(settings)?;
        let questions = run.questions();
        if self.units.is_empty() {
            questions.check(&model)?;
            self.units = (0..run.objectives.len())
                .map(|objective| questions.unit(objective, &model))
                .collect::<Result<_, _>>()?;
        }
        let samples = run.samples(&model, trials, self.done)?;
        self.done += count;
        let mut found: Vec<Choice> = Vec::new();
        let mut first = Trials::default();
        for (number, objective) in run.objectives.iter().enumerate() {
            let columns = questions.trials(number, model.name(), model.layout(), &|measure| {
                Some(
                    samples
                        .measure(&measure.label(model.layout()).name)?
                        .values
                        .as_slice(),
                )
            })?;
            found.push(one_plan(objective, &run.constraints, columns.clone()));
            if number == 0 {
                first = columns;
            }
        }
        let plan = TriedPlan {
            settings: settings.to_vec(),
            values: found.iter().map(|choice| choice.plans[0].value).collect(),
            constraints: found[0].plans[0].constraints.clone(),
            is_feasible: found[0].plans[0].is_feasible,
            trials: count,
        };
        Ok((plan, first))
    }

    /// What a search makes less: the first objective or, where constraints are broken, by how much they are.
    pub(super) fn cost(&self, plan: usize) -> f64 {
        let gain = |plan: &TriedPlan| self.run.objectives[0].direction.gain(plan.values[0], 0.0);
        let one = &self.plans[plan];
        let feasible = self
            .plans
            .iter()
            .filter(|plan| plan.is_feasible && gain(plan).is_finite());
        let (low, high) = feasible
            .map(gain)
            .fold((0.0, 0.0), |(low, high): (f64, f64), x| {
                (low.min(x), high.max(x))
            });
        if one.is_feasible && gain(one).is_finite() {
            return -gain(one);
        }
        let broken =
            self.run
                .constraints
                .iter()
                .zip(&one.constraints)
                .map(|(constraint, value)| {
                    let missing = if constraint.is_at_least {
                        constraint.bound - value
                    } else {
                        value - constraint.bound
                    };
                    if missing.is_finite() {
                        missing.max(0.0) / constraint.bound.abs().max(1e-9)
                    } else {
                        1e3
                    }
                });
        // Worse than the worst of those that keep to them.
        -low + (high - low).max(1.0) * (1.0 + broken.sum::<f64>())
    }

    /// The feasible plans of the best values, the best first.
    pub(super) fn leading(&self, count: usize) -> Vec<usize> {
        let mut plans: Vec<usize> = (0..self.plans.len())
            .filter(|plan| self.plans[*plan].is_feasible && !self.plans[*plan].values[0].is_nan())
            .collect();
        plans.sort_by(|a, b| self.cost(*a).total_cmp(&self.cost(*b)));
        plans.truncate(count);
        plans
    }

    /// The best of the plans that were simulated on all trials, with the probability that it is.
    pub(super) fn best_of_finalists(&self) -> Option<(usize, Option<f64>)> {
        let run = self.run;
        let finalists: Vec<usize> = (0..self.plans.len())
            .filter(|plan| self.plans[*plan].trials == run.settings.count())
            .collect();
        if finalists.is_empty() {
            return None;
        }
        let names: Vec<String> = finalists.iter().map(ToString::to_string).collect();
        let trials: Vec<Vec<Trials>> = (finalists.iter())
            .map(|plan| vec![self.columns[*plan].clone()])
            .collect();
        let choice = choose(
            &run.objectives[0],
            &run.constraints,
            &[whole_world()],
            &names,
            &trials,
            run.settings.drawing.seed(),
        );
        let best = choice.best?;
        Some((finalists[best], Some(choice.plans[best].probability_best)))
    }

    /// The best plan on as many trials as it had, which nobody has seen.
    pub(super) fn on_fresh_trials(
        &mut self,
        plan: usize,
        probability_best: Option<f64>,
    ) -> Result<BestPlan, DecideError> {
        let settings = self.plans[plan].settings.clone();
        let trials = self.run.settings.count();
        let (fresh, _) = self.simulate(&settings, trials..2 * trials)?;
        let (chosen, fresh) = (self.plans[plan].values[0], fresh.values[0]);
        Ok(BestPlan {
            plan,
            probability_best,
            value_on_fresh_trials: fresh,
            optimism: self.run.objectives[0].direction.gain(chosen, fresh),
            at_an_end: (self.run.variables.iter().zip(&settings).enumerate())
                .filter(|(_, (variable, setting))| variable.is_at_an_end(setting))
                .map(|(position, _)| position)
                .collect(),
        })
    }

    /// The feasible plans that no other feasible one beats in both objectives, from the best of the first on.
    pub(super) fn front(&self) -> Vec<usize> {
        let gains = |plan: usize| -> Vec<f64> {
            let values = self.run.objectives.iter().zip(&self.plans[plan].values);
            values
                .map(|(objective, value)| objective.direction.gain(*value, 0.0))
                .collect()
        };
        let mut feasible: Vec<(usize, Vec<f64>)> = (0..self.plans.len())
            .filter(|plan| self.plans[*plan].is_feasible)
            .map(|plan| (plan, gains(plan)))
            .filter(|(_, gains)| gains.iter().all(|gain| !gain.is_nan()))
            .collect();
        feasible.sort_by(|a, b| b.1[0].total_cmp(&a.1[0]).then(b.1[1].total_cmp(&a.1[1])));
        let mut reached = f64::NEG_INFINITY;
        feasible.retain(|(_, gains)| {
            let is_beaten = gains[1] <= reached;
            reached = reached.max(gains[1]);
            !is_beaten
        });
        feasible.into_iter().map(|(plan, _)| plan).collect()
    }
}

pub(super) fn whole_world() -> World {
    World {
        name: "as stated".to_owned(),
        weight: 1.0,
    }
}

/// What the trials of a single plan say of it.
pub(super) fn one_plan(
    objective: &Objective,
    constraints: &[Constraint],
    trials: Trials,
) -> Choice {
    let names = ["plan".to_owned()];
    without_bootstrap(
        objective,
        constraints,
        &[whole_world()],
        &names,
        &[vec![trials]],
    )
}
