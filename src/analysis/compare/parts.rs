//! Comparisons in parts: checkpoints, shards and ranks, as runs have them.

use super::compared::{difference, level};
use super::{
    Asked, CompareError, Compared, ComparedScenario, Comparison, KnownGoal, KnownGoals, Measure,
    check_trials,
};
use crate::analysis::decide::choice::{Trials, choose};
use crate::analysis::decide::evaluate::Questions;
use crate::analysis::decide::run::{DecideError, Decision};
use crate::analysis::paired::Paired;
use crate::model::Model;
use crate::monte_carlo::batch::Batch;
use crate::monte_carlo::part::Part;
use crate::monte_carlo::sample_run::SampleRun;
use crate::monte_carlo::stop::look_and_run;
use crate::projection::{MeasureError, RowPlace};
use crate::uncertain::normal_quantile;

/// How the provenance of a comparison's parts names the scenario.
pub const COMPARISON_OF: &str = "comparison of ";

/// A comparison whose measures have been found in every scenario; made by [`Comparison::prepare`].
///
/// Its [batch](Self::batch) runs like that of one scenario: with checkpoints, of some trials only, or on ranks.
pub struct PreparedComparison<'a> {
    comparison: &'a Comparison<'a>,
    /// What is shown.
    measures: Vec<Measure>,
    /// What is gathered: what is shown, and what goals are of.
    numbers: Vec<Measure>,
    /// The scenario of each model, the baseline first.
    order: Vec<usize>,
    /// For each model the one that it is compared with, both as positions in `order`.
    against: Vec<usize>,
    asked: Option<Asked<'a>>,
    /// Positions of the numbers that are kept trial by trial.
    kept: Vec<usize>,
    paired: Paired<'a>,
}

impl<'a> Comparison<'a> {
    /// Finds everything that is compared, without a trial.
    pub fn prepare(&'a self) -> Result<PreparedComparison<'a>, CompareError> {
        let measures = self.check()?;
        let baseline = self.baseline_at()?;
        let others = (0..self.scenarios.len()).filter(|at| *at != baseline);
        let order: Vec<usize> = std::iter::once(baseline).chain(others).collect();
        let asked = self.asked()?;
        let against: Vec<usize> = (order.iter())
            .map(|scenario| {
                let other = (self.matrix.as_ref())
                    .map_or(baseline, |matrix| matrix.first_in_world_of(*scenario));
                let at = order.iter().position(|known| *known == other);
                at.expect("all scenarios are in the order")
            })
            .collect();
        let mut numbers = measures.clone();
        for measure in asked.iter().flat_map(Asked::measures) {
            if !numbers.contains(measure) {
                numbers.push(measure.clone());
            }
        }
        let mut kept = Vec::new();
        for text in self.questions().iter().flat_map(|asked| asked.measures()) {
            let measure = self.measure(text)?;
            let known = numbers.iter().position(|known| *known == measure);
            let at = known.unwrap_or(numbers.len());
            if known.is_none() {
                numbers.push(measure);
            }
            if !kept.contains(&at) {
                kept.push(at);
            }
        }
        let place = |measure: &Measure| -> Result<Vec<RowPlace>, MeasureError> {
            let scenarios = order.iter().map(|at| &self.scenarios[*at]);
            scenarios
                .map(|(name, model)| measure.place(name, model.layout()))
                .collect()
        };
        let places = numbers.iter().map(place).collect::<Result<_, _>>()?;
        let models: Vec<&Model> = order.iter().map(|at| self.scenarios[*at].1).collect();
        let names: Vec<&str> = (order.iter())
            .map(|at| self.scenarios[*at].0.as_str())
            .collect();
        Ok(PreparedComparison {
            comparison: self,
            measures,
            numbers,
            order,
            asked,
            paired: Paired::new(
                &format!("{COMPARISON_OF}{}", names.join(", ")),
                models,
                places,
            )
            .against(against.clone())
            .keep(&kept),
            kept,
            against,
        })
    }
}

impl PreparedComparison<'_> {
    /// The trials of all scenarios side by side, to be run like those of one.
    pub fn batch(&self) -> Batch<'_> {
        let comparison = self.comparison;
        Batch::with_settings(&self.paired, comparison.settings.of_run(0, 1))
    }

    /// Runs what a part does not have: all trials of the batch or, if the comparison has goals, until these are known. On an
    /// interruption the part has what is done.
    pub fn advance(
        &self,
        batch: &mut Batch<'_>,
        part: &mut Part,
    ) -> Result<Option<KnownGoals>, CompareError> {
        self.advance_until(batch, part, |known| known.iter().all(|known| known.reached))
    }

    pub(super) fn advance_until(
        &self,
        batch: &mut Batch<'_>,
        part: &mut Part,
        mut is_enough: impl FnMut(&[KnownGoal]) -> bool,
    ) -> Result<Option<KnownGoals>, CompareError> {
        let Some(asked) = &self.asked else {
            batch.advance(part)?;
            return Ok(None);
        };
        let known = look_and_run(
            std::slice::from_mut(batch),
            asked.until(),
            std::slice::from_mut(part),
            |parts, _| {
                let gathered = self.paired.gathered(&parts[0])?;
                let known = asked.known(&gathered, &self.numbers, (&self.order, &self.against));
                Ok::<_, CompareError>((is_enough(&known), known))
            },
        )?;
        Ok(Some(asked.reported(known)))
    }

    /// Which plan to choose by the trials of a part, if that was asked; the chosen plan is run again on as many fresh trials.
    pub fn decision(&self, part: &Part, title: &str) -> Result<Option<Decision>, CompareError> {
        let comparison = self.comparison;
        let (Some((objective, constraints)), Some(matrix), Some(questions)) = (
            &comparison.wanted,
            &comparison.matrix,
            comparison.questions(),
        ) else {
            return Ok(None);
        };
        let trials = part.done().count();
        let design = comparison.settings.drawing.design();
        check_trials(trials, design)?;
        let seed = comparison.settings.drawing.seed();
        let columns = part.kept_columns();
        let all = (matrix.scenarios.iter())
            .map(|of_plan| {
                let worlds = of_plan.iter();
                worlds
                    .map(|scenario| self.trials_of(*scenario, &columns, questions))
                    .collect()
            })
            .collect::<Result<Vec<Vec<Trials>>, DecideError>>()?;
        let (plans, worlds) = (&matrix.plans, &matrix.worlds);
        let choice = choose(objective, constraints, worlds, plans, &all, seed);
        let has_fresh = design.most_trials() >= 2 * trials;
        let value_on_fresh_trials = match choice.best.filter(|_| has_fresh) {
            None => None,
            Some(best) => {
                let fresh = self.fresh_trials(&matrix.scenarios[best], trials, questions)?;
                let plan = std::slice::from_ref(&plans[best]);
                let again = choose(objective, constraints, worlds, plan, &[fresh], seed);
                Some(again.plans[0].value)
            }
        };
        Ok(Some(Decision {
            title: title.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            trials,
            unit: questions.unit(0, comparison.scenarios[0].1)?,
            choice,
            value_on_fresh_trials,
        }))
    }

    /// What is asked of a scenario, trial by trial, from the columns of a part.
    fn trials_of(
        &self,
        scenario: usize,
        columns: &[Vec<f64>],
        questions: Questions<'_>,
    ) -> Result<Trials, DecideError> {
        let (name, model) = &self.comparison.scenarios[scenario];
        let place = self.order.iter().position(|known| *known == scenario);
        let at = place.expect("all scenarios are in the order");
        let values = |measure: &Measure| {
            let kept = (self.kept.iter()).position(|number| self.numbers[*number] == *measure)?;
            Some(columns.get(kept * self.order.len() + at)?.as_slice())
        };
        questions.trials(0, name, model.layout(), &values)
    }

    /// What is asked of the scenarios of one plan, in trials that come after the first ones.
    fn fresh_trials(
        &self,
        scenarios: &[usize],
        trials: u64,
        questions: Questions<'_>,
    ) -> Result<Vec<Trials>, DecideError> {
        let settings = &self.comparison.settings;
        let of = scenarios.len() as u64;
        let runs = scenarios.iter().zip(0..);
        let fresh = runs.map(|(scenario, number)| {
            let (name, model) = &self.comparison.scenarios[*scenario];
            let run = SampleRun::with_settings(model, settings.of_run(number, of))
                .measures(questions.measures())
                .trial_range(trials..2 * trials);
            let samples = run.run()?;
            questions.trials(0, name, model.layout(), &|measure| {
                Some(
                    samples
                        .measure(&measure.label(model.layout()).name)?
                        .values
                        .as_slice(),
                )
            })
        });
        fresh.collect()
    }

    /// What the trials of a part say, with how well goals are known.
    pub fn compared(
        &self,
        part: &Part,
        goals: Option<KnownGoals>,
    ) -> Result<Compared, CompareError> {
        let comparison = self.comparison;
        let gathered = self.paired.gathered(part)?;
        let z = normal_quantile(0.5 + comparison.confidence / 2.0);
        let mut levels = Vec::new();
        let mut differences = Vec::new();
        for measure in 0..self.measures.len() {
            for scenario in 0..self.order.len() {
                let mut known = self.order.iter();
                let at = known.position(|known| *known == scenario).unwrap_or(0);
                levels.push(level(scenario, measure, gathered.value(measure, at)));
                let against = self.against[at];
                if at != against {
                    let scenarios = (scenario, self.order[against]);
                    differences.push(difference(scenarios, measure, (at, against), &gathered, z));
                }
            }
        }
        let first = comparison.scenarios[0].1.layout();
        let scenarios = comparison.scenarios.iter();
        Ok(Compared {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: comparison.settings.drawing.seed(),
            trials: gathered.trials(),
            confidence: comparison.confidence,
            start: first.start,
            scenarios: scenarios
                .map(|(name, model)| ComparedScenario {
                    name: name.clone(),
                    fingerprint: model.fingerprint().to_owned(),
                })
                .collect(),
            baseline: self.order[0],
            matrix: comparison.matrix.clone(),
            measures: (self.measures.iter())
                .map(|measure| measure.label(first))
                .collect(),
            levels,
            differences,
            goals,
            decision: None,
        })
    }
}
