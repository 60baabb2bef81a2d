//! Comparisons in parts: checkpoints, shards and ranks, as runs have them.

use super::{
    Asked, CompareError, Compared, ComparedScenario, Comparison, KnownGoal, KnownGoals, Measure,
    difference, level,
};
use crate::analysis::paired::Paired;
use crate::model::Model;
use crate::monte_carlo::batch::Batch;
use crate::monte_carlo::part::Part;
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
            .against(against.clone()),
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
        })
    }
}
