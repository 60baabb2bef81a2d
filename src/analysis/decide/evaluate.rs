//! What trials of one plan say of an objective and its constraints.

use super::choice::Trials;
use super::objective::{Constraint, Objective, Statistic};
use super::run::DecideError;
use crate::model::Model;
use crate::monte_carlo::sample_run::SampleError;
use crate::projection::{Layout, Measure, MeasureKind};

/// What is asked of every plan.
#[derive(Clone, Copy)]
pub(crate) struct Questions<'a> {
    pub(crate) objectives: &'a [Objective],
    pub(crate) constraints: &'a [Constraint],
}

impl<'a> Questions<'a> {
    /// All statistics, the objectives first.
    fn statistics(self) -> impl Iterator<Item = &'a Statistic> {
        let objectives = self.objectives.iter().map(|one| &one.of);
        objectives.chain(self.constraints.iter().map(|one| &one.of))
    }

    /// All measures that are asked for.
    pub(crate) fn measures(self) -> impl Iterator<Item = &'a str> {
        self.statistics().map(Statistic::measure)
    }

    /// Refuses what the trials of a model could not answer.
    pub(crate) fn check(self, model: &Model) -> Result<(), DecideError> {
        for statistic in self.statistics() {
            let measure = Measure::find(statistic.measure(), model.name(), model.layout())
                .map_err(SampleError::from)?;
            let kind = measure.label(model.layout()).kind;
            if let Statistic::Probability(name) = statistic
                && !matches!(kind, MeasureKind::Target | MeasureKind::Milestone)
            {
                return Err(DecideError::NoProbability(name.clone()));
            }
        }
        Ok(())
    }

    /// The unit of an objective.
    pub(crate) fn unit(self, objective: usize, model: &Model) -> Result<String, DecideError> {
        let of = &self.objectives[objective].of;
        if of.is_probability() {
            return Ok(crate::projection::SHARE.to_owned());
        }
        let measure = Measure::find(of.measure(), model.name(), model.layout());
        Ok(measure
            .map_err(SampleError::from)?
            .label(model.layout())
            .unit)
    }

    /// The columns of one objective and of all constraints of a plan, whose measures `values` has trial by trial.
    pub(crate) fn trials<'v>(
        self,
        objective: usize,
        plan: &str,
        layout: &Layout,
        values: &dyn Fn(&Measure) -> Option<&'v [f64]>,
    ) -> Result<Trials, DecideError> {
        let constraints = self.constraints.iter();
        Ok(Trials {
            objective: column(&self.objectives[objective].of, plan, layout, values)?,
            constraints: constraints
                .map(|one| column(&one.of, plan, layout, values))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// What a statistic is of, trial by trial: the measure or, of a probability, whether it is so. A mean of what does not exist in
/// some trials is refused.
fn column<'v>(
    of: &Statistic,
    plan: &str,
    layout: &Layout,
    values: &dyn Fn(&Measure) -> Option<&'v [f64]>,
) -> Result<Vec<f64>, DecideError> {
    let found = Measure::find(of.measure(), plan, layout).map_err(SampleError::from)?;
    let label = found.label(layout);
    // Two statistics of one measure share a column.
    let values = values(&found).expect("it was asked for");
    let whether = |is_so: &dyn Fn(f64) -> bool| -> Vec<f64> {
        (values.iter())
            .map(|&value| f64::from(u8::from(is_so(value))))
            .collect()
    };
    match of {
        Statistic::Mean(measure) if values.iter().any(|value| !value.is_finite()) => {
            Err(DecideError::NoMean {
                measure: measure.clone(),
                plan: plan.to_owned(),
            })
        }
        Statistic::Mean(_) | Statistic::Quantile(..) => Ok(values.to_vec()),
        Statistic::Probability(measure) => match label.kind {
            MeasureKind::Target => Ok(values.to_vec()),
            MeasureKind::Milestone => Ok(whether(&f64::is_finite)),
            // Refused by `Questions::check` before there are trials.
            _ => Err(DecideError::NoProbability(measure.clone())),
        },
        Statistic::Exceedance {
            is_above,
            threshold,
            ..
        } => {
            let threshold = threshold.value(layout.start);
            Ok(whether(&|value| {
                if *is_above {
                    value > threshold
                } else {
                    value < threshold
                }
            }))
        }
    }
}
