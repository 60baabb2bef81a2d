//! Measures: single numbers that a trial yields, named as a planner names them.

use serde::{Deserialize, Serialize};

use super::{Layout, TrialRow};
use crate::date::Date;
use crate::problem::name_help;

/// The unit of probabilities.
pub(crate) const SHARE: &str = "share";
/// What stands behind `@` for the sum over all months.
const TOTAL: &str = "total";

/// A number that a trial yields, by which scenarios are compared and trials grouped.
///
/// As a text: `METRIC@2027-12` or `CAMPUS/METRIC@2027-12` for a metric at the end of a month, a metric alone for the end of
/// the horizon, `METRIC@total` for its sum over all months, the name of a milestone, target or outcome, or `MILESTONE by 2027-12` for
/// whether a milestone is reached by the end of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Measure {
    /// A metric of a campus or of all.
    Metric {
        /// Its name.
        metric: String,
        /// The campus; `None` for the total.
        campus: Option<String>,
        /// When.
        at: MetricTime,
    },
    /// When a milestone is reached, in months after the start.
    Milestone(String),
    /// A number that a trial yields once, such as a net present value.
    Outcome(String),
    /// Whether a target is met: 1 or 0, so that its mean is a probability.
    Target(String),
    /// Whether a milestone is reached by the end of a month: 1 or 0, like a target.
    ReachedBy {
        /// The milestone.
        milestone: String,
        /// The month of this date.
        by: Date,
    },
}

/// At which time a metric is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MetricTime {
    /// At the end of the month of this date.
    Month(Date),
    /// At the end of the last month.
    End,
    /// The sum of the ends of all months, such as MW-months of power.
    Total,
}

/// Why a measure cannot be read off the trials of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// A scenario does not yield a measure.
    #[error(
        "scenario \"{scenario}\" has no metric, milestone, target or outcome \"{measure}\"\n  help: {help}"
    )]
    Unknown {
        /// The scenario.
        scenario: String,
        /// The measure.
        measure: String,
        /// The nearest name.
        help: String,
    },
    /// A measure is of a month that a scenario does not have.
    #[error(
        "{measure}: scenario \"{scenario}\" ends with {last}\n  help: a month from {first} to {last}"
    )]
    Month {
        /// The scenario.
        scenario: String,
        /// The measure.
        measure: String,
        /// The scenario's first month.
        first: Date,
        /// Its last.
        last: Date,
    },
}

impl Measure {
    /// What a text means in a scenario of that layout.
    pub fn find(text: &str, scenario: &str, layout: &Layout) -> Result<Self, MeasureError> {
        let text = text.trim();
        if layout.milestone_index(text).is_some() {
            return Ok(Self::Milestone(text.to_owned()));
        }
        if layout.target_index(text).is_some() {
            return Ok(Self::Target(text.to_owned()));
        }
        if layout.outcome_index(text).is_some() {
            return Ok(Self::Outcome(text.to_owned()));
        }
        if let Some((milestone, by)) = split_by(text)
            && layout.milestone_index(milestone).is_some()
        {
            let measure = Self::ReachedBy {
                milestone: milestone.to_owned(),
                by,
            };
            measure.place(scenario, layout)?;
            return Ok(measure);
        }
        let (name, at) = match text.rsplit_once('@') {
            None => (text, MetricTime::End),
            Some((name, time)) if time.trim() == TOTAL => (name.trim(), MetricTime::Total),
            Some((name, time)) => match time.trim().parse::<Date>() {
                Ok(date) => (name.trim(), MetricTime::Month(date)),
                Err(error) => {
                    return Err(MeasureError::Unknown {
                        scenario: scenario.to_owned(),
                        measure: text.to_owned(),
                        help: error.to_string(),
                    });
                }
            },
        };
        // A campus is named only where there are several.
        let (campus, metric) = match name.split_once('/') {
            Some((campus, metric)) => (Some(campus.trim().to_owned()), metric.trim()),
            None => (None, name),
        };
        let measure = Self::Metric {
            metric: metric.to_owned(),
            campus,
            at,
        };
        measure.place(scenario, layout)?;
        Ok(measure)
    }

    /// Where it stands in a row of that layout.
    pub(crate) fn place(&self, scenario: &str, layout: &Layout) -> Result<RowPlace, MeasureError> {
        let found = match self {
            Self::Metric { metric, campus, at } => {
                let scope = match campus {
                    None => Some(0),
                    Some(campus) => layout.scope_index(campus).filter(|scope| *scope > 0),
                };
                let months = match at {
                    MetricTime::End => layout.months - 1..layout.months,
                    MetricTime::Total => 0..layout.months,
                    MetricTime::Month(date) => {
                        let month = date.months_after(layout.start).floor();
                        if !(0.0..layout.months as f64).contains(&month) {
                            return Err(self.outside(scenario, layout));
                        }
                        month as usize..month as usize + 1
                    }
                };
                (scope.zip(layout.metric_index(metric))).map(|(scope, metric)| RowPlace::Metric {
                    scope,
                    metric,
                    first: months.start,
                    months: months.len(),
                })
            }
            Self::Milestone(name) => layout.milestone_index(name).map(RowPlace::Milestone),
            Self::Outcome(name) => layout.outcome_index(name).map(RowPlace::Outcome),
            Self::Target(name) => layout.target_index(name).map(RowPlace::Target),
            Self::ReachedBy { milestone, by } => {
                let month = by.months_after(layout.start).floor();
                if !(0.0..layout.months as f64).contains(&month) {
                    return Err(self.outside(scenario, layout));
                }
                (layout.milestone_index(milestone)).map(|milestone| RowPlace::ReachedBy {
                    milestone,
                    months: month as usize + 1,
                })
            }
        };
        found.ok_or_else(|| self.unknown(scenario, layout))
    }

    /// Its name without a time, the campus in front where there is one: what may have been meant as a milestone.
    fn name_alone(&self) -> String {
        match self {
            Self::Metric {
                metric,
                campus: Some(campus),
                ..
            } => format!("{campus}/{metric}"),
            Self::Metric { metric: name, .. }
            | Self::Milestone(name)
            | Self::Outcome(name)
            | Self::Target(name)
            | Self::ReachedBy {
                milestone: name, ..
            } => name.clone(),
        }
    }

    /// The same metric of all campuses together; none of what is no metric.
    fn of_all_campuses(&self) -> Option<Self> {
        match self {
            Self::Metric { metric, at, .. } => Some(Self::Metric {
                metric: metric.clone(),
                campus: None,
                at: *at,
            }),
            _ => None,
        }
    }

    fn outside(&self, scenario: &str, layout: &Layout) -> MeasureError {
        let last = layout.start.plus_months(layout.months as f64 - 1.0);
        MeasureError::Month {
            scenario: scenario.to_owned(),
            measure: self.to_string(),
            first: layout.start,
            last: last.unwrap_or(layout.start),
        }
    }

    fn unknown(&self, scenario: &str, layout: &Layout) -> MeasureError {
        let metrics = layout.metrics.iter().map(|metric| metric.name.as_str());
        let (wanted, help) = match self {
            Self::Metric {
                metric,
                campus: Some(campus),
                ..
            } if layout.metric_index(metric).is_some() => {
                let campuses = layout.scopes.iter().skip(1).map(String::as_str);
                let help = match self.of_all_campuses() {
                    Some(total) if layout.scopes.len() == 1 => {
                        format!("there is one campus, which need not be named: write \"{total}\"")
                    }
                    _ => name_help(campus, campuses),
                };
                (self.to_string(), help)
            }
            Self::Metric { .. } => {
                let stages = stages_of(&layout.milestones);
                let all = metrics
                    .chain(layout.milestones.iter().map(String::as_str))
                    .chain(stages.iter().map(String::as_str))
                    .chain(layout.targets.iter().map(|target| target.name.as_str()))
                    .chain(layout.outcomes.iter().map(|outcome| outcome.name.as_str()));
                (self.to_string(), name_help(&self.name_alone(), all))
            }
            Self::Milestone(name)
            | Self::ReachedBy {
                milestone: name, ..
            } => (
                name.clone(),
                name_help(name, layout.milestones.iter().map(String::as_str)),
            ),
            Self::Outcome(name) => (
                name.clone(),
                name_help(
                    name,
                    layout.outcomes.iter().map(|known| known.name.as_str()),
                ),
            ),
            Self::Target(name) => (
                name.clone(),
                name_help(name, layout.targets.iter().map(|known| known.name.as_str())),
            ),
        };
        MeasureError::Unknown {
            scenario: scenario.to_owned(),
            measure: wanted,
            help,
        }
    }

    /// Its name, kind and unit in a scenario of that layout.
    pub fn label(&self, layout: &Layout) -> MeasureLabel {
        let (kind, unit) = match self {
            Self::Metric { metric, at, .. } => {
                let found = layout.metric_index(metric).map(|at| &layout.metrics[at]);
                let unit = found.map(|metric| match at {
                    MetricTime::Total => format!("{} x months", metric.unit),
                    _ => metric.unit.clone(),
                });
                (MeasureKind::Metric, unit)
            }
            Self::Milestone(_) => (MeasureKind::Milestone, Some("months".to_owned())),
            Self::Outcome(name) => {
                let found = layout.outcome_index(name).map(|at| &layout.outcomes[at]);
                (
                    MeasureKind::Outcome,
                    found.map(|metric| metric.unit.clone()),
                )
            }
            Self::Target(_) | Self::ReachedBy { .. } => {
                (MeasureKind::Target, Some(SHARE.to_owned()))
            }
        };
        MeasureLabel {
            name: self.to_string(),
            kind,
            unit: unit.unwrap_or_default(),
        }
    }
}

/// The milestones that exist once they are asked for: of what goes live, that it is fully live and complete.
fn stages_of(milestones: &[String]) -> Vec<String> {
    let live = milestones
        .iter()
        .filter_map(|name| name.strip_suffix(" live"));
    live.flat_map(|place| ["fully live", "complete"].map(|stage| format!("{place} {stage}")))
        .collect()
}

impl std::fmt::Display for Measure {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Metric { metric, campus, at } => {
                if let Some(campus) = campus {
                    write!(to, "{campus}/")?;
                }
                write!(to, "{metric}")?;
                match at {
                    MetricTime::Month(month) => write!(to, "@{}", month.to_month_string()),
                    MetricTime::Total => write!(to, "@{TOTAL}"),
                    MetricTime::End => Ok(()),
                }
            }
            Self::Milestone(name) | Self::Outcome(name) | Self::Target(name) => {
                write!(to, "{name}")
            }
            Self::ReachedBy { milestone, by } => {
                write!(to, "{milestone} by {}", by.to_month_string())
            }
        }
    }
}

/// Splits `MILESTONE by 2027-12`.
pub(crate) fn split_by(text: &str) -> Option<(&str, Date)> {
    let (milestone, by) = text.rsplit_once(" by ")?;
    Some((milestone.trim(), by.trim().parse().ok()?))
}

/// What kind of number a measure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MeasureKind {
    /// A metric at the end of a month, or its sum.
    Metric,
    /// When a milestone is reached.
    Milestone,
    /// What a trial yields once.
    Outcome,
    /// Whether a target is met.
    Target,
}

/// A measure in the results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeasureLabel {
    /// Its name, as [`Measure`] writes it.
    pub name: String,
    /// What it is.
    pub kind: MeasureKind,
    /// Its unit: that of the metric or outcome, months, or a share of trials.
    pub unit: String,
}

/// A number that a trial yields: where it stands in a row of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowPlace {
    Metric {
        scope: usize,
        metric: usize,
        first: usize,
        months: usize,
    },
    Milestone(usize),
    Outcome(usize),
    Target(usize),
    /// Whether a milestone is reached in so many months.
    ReachedBy {
        milestone: usize,
        months: usize,
    },
}

impl RowPlace {
    /// Its value in a trial; 1 or 0 for a target that is met or not.
    pub(crate) fn of(self, row: &TrialRow) -> f64 {
        match self {
            Self::Metric {
                scope,
                metric,
                first,
                months,
            } => row.monthly(scope, metric)[first..first + months]
                .iter()
                .sum(),
            Self::Milestone(milestone) => row.milestones()[milestone],
            Self::Outcome(outcome) => row.outcomes()[outcome],
            Self::Target(target) => f64::from(u8::from(row.targets()[target])),
            Self::ReachedBy { milestone, months } => {
                f64::from(u8::from(row.milestones()[milestone] <= months as f64))
            }
        }
    }
}
