//! What of a comparison is to be known, and how well it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CompareError, Comparison, Measure, SHARE};
use crate::analysis::paired::Gathered;
use crate::monte_carlo::stop::{Known, Until, check_goal};
use crate::projection::{Distribution, Layout};

/// What of a comparison is to be known, in each of its scenarios or of each of its differences from the baseline. `of` is
/// a [`Measure`] as a text.
///
/// It is written `p90(A1 live)`, `probability(TARGET)`, `difference(npv)` or `p50(difference(A1 live))`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ComparisonGoal {
    /// A quantile in each scenario.
    Quantile {
        /// Of a metric, milestone or outcome.
        of: String,
        /// At which probability, above 0 and below 1.
        p: f64,
        /// The greatest half width of its interval, in the measure's unit, above 0.
        within: f64,
    },
    /// The probability in each scenario that a target is met, or that a milestone is reached within the horizon.
    Probability {
        /// Of a target or milestone.
        of: String,
        /// The greatest half width of its interval, as a share, above 0.
        within: f64,
    },
    /// The mean difference of each scenario from the baseline, over the trials in which the measure is finite in both; of a target
    /// the difference of the probabilities.
    Difference {
        /// Of a metric, milestone, outcome or target.
        of: String,
        /// The greatest half width of its interval, in the measure's unit, above 0.
        within: f64,
    },
    /// A quantile of the differences of each scenario from the baseline, over the trials in which the measure is finite in both.
    DifferenceQuantile {
        /// Of a metric, milestone or outcome.
        of: String,
        /// At which probability, above 0 and below 1.
        p: f64,
        /// The greatest half width of its interval, in the measure's unit, above 0.
        within: f64,
    },
}

impl ComparisonGoal {
    /// Of which measure.
    pub fn of(&self) -> &str {
        match self {
            Self::Quantile { of, .. }
            | Self::Probability { of, .. }
            | Self::Difference { of, .. }
            | Self::DifferenceQuantile { of, .. } => of,
        }
    }

    /// The greatest half width of its interval.
    pub fn within(&self) -> f64 {
        match self {
            Self::Quantile { within, .. }
            | Self::Probability { within, .. }
            | Self::Difference { within, .. }
            | Self::DifferenceQuantile { within, .. } => *within,
        }
    }

    /// At which probability, if it is a quantile.
    fn level(&self) -> Option<f64> {
        match self {
            Self::Quantile { p, .. } | Self::DifferenceQuantile { p, .. } => Some(*p),
            Self::Probability { .. } | Self::Difference { .. } => None,
        }
    }

    /// Whether it is of differences from the baseline, not of each scenario.
    fn is_of_differences(&self) -> bool {
        matches!(
            self,
            Self::Difference { .. } | Self::DifferenceQuantile { .. }
        )
    }

    /// Refuses what does not go together.
    fn check_kind(&self, measure: &Measure) -> Result<(), CompareError> {
        let of = self.of();
        let reason = match (self, measure) {
            (
                Self::Quantile { .. } | Self::DifferenceQuantile { .. },
                Measure::Target(_) | Measure::ReachedBy { .. },
            ) => {
                format!(
                    "a target is met or not\n  help: ask for probability({of}) or difference({of})"
                )
            }
            (Self::Probability { .. }, Measure::Metric { .. } | Measure::Outcome(_)) => {
                format!(
                    "it is neither a target nor a milestone\n  help: ask for p50({of}), or state a target"
                )
            }
            _ => return Ok(()),
        };
        Err(CompareError::Goal {
            goal: self.to_string(),
            reason,
        })
    }
}

impl fmt::Display for ComparisonGoal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A level such as 0.07 is no whole multiple of a power of two.
        let percent = |p: &f64| (p * 1e10).round() / 1e8;
        match self {
            Self::Quantile { of, p, .. } => write!(to, "p{}({of})", percent(p)),
            Self::Probability { of, .. } => write!(to, "probability({of})"),
            Self::Difference { of, .. } => write!(to, "difference({of})"),
            Self::DifferenceQuantile { of, p, .. } => {
                write!(to, "p{}(difference({of}))", percent(p))
            }
        }
    }
}

/// How well the goals of a comparison are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KnownGoals {
    /// With which probability all intervals hold together, whenever one looks.
    pub confidence: f64,
    /// The least number of trials that was asked for.
    pub at_least: u64,
    /// The most trials.
    pub at_most: u64,
    /// Each goal in each scenario, or in each but the baseline, goal by goal.
    pub known: Vec<KnownGoal>,
}

impl KnownGoals {
    /// Whether all are as well known as was asked.
    pub fn are_reached(&self) -> bool {
        self.known.iter().all(|known| known.reached)
    }
}

/// How well a goal is known in a scenario, or of its difference from the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KnownGoal {
    /// What is to be known, as [`ComparisonGoal`] writes it.
    pub goal: String,
    /// The scenario: its position.
    pub scenario: usize,
    /// Its unit.
    pub unit: String,
    /// The lower end of its interval; `None` if that is infinite.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Half the distance between them.
    pub half_width: Option<f64>,
    /// The half width that was asked for.
    pub within: f64,
    /// Whether it is as well known as was asked. A milestone's quantile is also known if it is sure to be beyond the horizon.
    pub reached: bool,
}

/// Goals with their measures.
pub(super) struct Asked<'a> {
    until: &'a Until<ComparisonGoal>,
    /// The measure of each goal.
    measures: Vec<Measure>,
    /// Of one of the scenarios, for units.
    layout: &'a Layout,
}

impl<'a> Asked<'a> {
    /// Refuses goals that cannot be pursued.
    pub(super) fn of(
        until: &'a Until<ComparisonGoal>,
        comparison: &'a Comparison<'_>,
    ) -> Result<Self, CompareError> {
        until.check_numbers()?;
        let measures = (until.goals.iter())
            .map(|goal| {
                check_goal(goal.within(), goal.level())?;
                let measure = comparison.measure(goal.of())?;
                goal.check_kind(&measure)?;
                Ok(measure)
            })
            .collect::<Result<Vec<Measure>, CompareError>>()?;
        Ok(Self {
            until,
            measures,
            layout: comparison.scenarios[0].1.layout(),
        })
    }

    pub(super) fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// When to stop.
    pub(super) fn until(&self) -> &Until<ComparisonGoal> {
        self.until
    }

    /// What was asked for with how well it is known.
    pub(super) fn reported(&self, known: Vec<KnownGoal>) -> KnownGoals {
        KnownGoals {
            confidence: self.until.confidence,
            at_least: self.until.at_least,
            at_most: self.until.at_most,
            known,
        }
    }

    /// How well all is known after the trials that were gathered. `numbers` has what is gathered, `order` the scenario of
    /// each model, the baseline first, `against` the model that each is compared with.
    pub(super) fn known(
        &self,
        gathered: &Gathered,
        numbers: &[Measure],
        (order, against): (&[usize], &[usize]),
    ) -> Vec<KnownGoal> {
        let models_of = |goal: &ComparisonGoal| -> Vec<usize> {
            let is_asked = |model: &usize| !goal.is_of_differences() || against[*model] != *model;
            (0..order.len()).filter(is_asked).collect()
        };
        let goals = || self.until.goals.iter();
        let intervals: usize = goals().map(|goal| models_of(goal).len()).sum();
        let mut known = Vec::new();
        for (goal, measure) in goals().zip(&self.measures) {
            let number = (numbers.iter())
                .position(|other| other == measure)
                .expect("the measures of goals are gathered");
            let unit = match goal {
                ComparisonGoal::Probability { .. } => SHARE.to_owned(),
                _ => measure.label(self.layout).unit,
            };
            let mut models = models_of(goal);
            models.sort_by_key(|model| order[*model]);
            for model in models {
                let interval = self.interval(goal, measure, intervals, gathered, (number, model));
                let Known { low, high, reached } = Known::new(interval, goal.within());
                let finite = |x: f64| x.is_finite().then_some(x);
                known.push(KnownGoal {
                    goal: goal.to_string(),
                    scenario: order[model],
                    unit: unit.clone(),
                    low: finite(low),
                    high: finite(high),
                    half_width: finite((high - low) / 2.0),
                    within: goal.within(),
                    reached,
                });
            }
        }
        known
    }

    /// The interval of a goal, one of this many that share the confidence.
    fn interval(
        &self,
        goal: &ComparisonGoal,
        measure: &Measure,
        intervals: usize,
        gathered: &Gathered,
        (number, model): (usize, usize),
    ) -> (f64, f64) {
        let sequence = self.until.sequence(intervals);
        match (goal, measure) {
            (ComparisonGoal::Quantile { p, .. }, _) => {
                sequence.quantile(&gathered.value(number, model), *p)
            }
            (
                ComparisonGoal::Probability { .. },
                Measure::Target(_) | Measure::ReachedBy { .. },
            ) => {
                let of = gathered.value(number, model);
                sequence.probability(times_met(&of), of.count())
            }
            (ComparisonGoal::Probability { .. }, _) => {
                let of = gathered.value(number, model);
                sequence.probability(of.finite_count(), of.count())
            }
            (ComparisonGoal::Difference { .. }, Measure::Target(_) | Measure::ReachedBy { .. }) => {
                // The probability that it is gained less that it is lost, each with its interval: unlike that of a mean, it
                // is not fooled by the first trials in which nothing changes.
                let each = self.until.sequence(2 * intervals);
                let pair = gathered.pair(number, model);
                let gained = each.probability(pair.greater, pair.comparable);
                let lost = each.probability(pair.less, pair.comparable);
                (gained.0 - lost.1, gained.1 - lost.0)
            }
            (ComparisonGoal::Difference { .. }, _) => {
                sequence.mean(&gathered.pair(number, model).difference)
            }
            (ComparisonGoal::DifferenceQuantile { p, .. }, _) => {
                sequence.quantile(&gathered.pair(number, model).difference, *p)
            }
        }
    }
}

/// How often a target is met, from ones and zeroes.
fn times_met(of: &Distribution<'_>) -> u64 {
    (of.mean().unwrap_or(0.0) * of.count() as f64).round() as u64
}
