//! What has happened: milestones, counts, power and compute at dates, each with an error of observation.
//!
//! A file of observations is comma-separated:
//!
//! ```text
//! observed,date,value,error
//! A1 live,2024-11-20,,0.25
//! B4 live,2024-12-31,not yet,0.25
//! installed_pflops,2024-12-31,21500,5%
//! North/it_power_mw,2025-03,12.5,0.5
//! ```
//!
//! - A **milestone** was reached at the date; the error is in months. With the value `not yet` it was not reached by then.
//! - A **metric** (of a campus: `CAMPUS/METRIC`) had the value at the end of the month nearest to the date, or at the end
//!   of the month if only that is given; the error is in its unit, or a percentage of the value.
//! - An **outcome** or a **target** has no date; of a target the value is 1 or 0, and the error the probability that it is reported
//!   wrongly is not modelled: it is refused.
//!
//! Errors are standard deviations of normal distributions. A fifth column, `discrepancy`, has what the model may be off by in its
//! own right, in the same form; see [`Observations::discrepancy`].

use crate::date::Date;
use crate::model::Model;
use crate::problem::name_help;
use crate::projection::{Layout, Measure, MeasureError, MetricTime, RowPlace};

/// Something that was observed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Observation {
    /// A milestone, or a metric as `METRIC` or `CAMPUS/METRIC`.
    pub of: String,
    /// When; of a milestone that was reached, when that was.
    pub date: ObservedDate,
    /// What was seen.
    pub value: ObservedValue,
    /// The standard deviation of the error of observation: months for milestones, else the unit of the metric.
    pub error: Spread,
    /// The standard deviation of what the model may be off by.
    pub discrepancy: Option<Spread>,
}

/// The date of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedDate {
    /// A day.
    Day(Date),
    /// A month: its end, or for a milestone its middle.
    Month(Date),
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ObservedValue {
    /// A metric's value.
    Number(f64),
    /// A milestone was reached.
    Reached,
    /// A milestone was not reached yet.
    NotYet,
}

/// A standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// In the unit of what is observed.
    Absolute(f64),
    /// As a share of the value that was observed.
    Share(f64),
}

impl Spread {
    fn of(self, value: f64) -> f64 {
        match self {
            Self::Absolute(sd) => sd,
            Self::Share(share) => share * value.abs(),
        }
    }
}

/// Why observations cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ObservationError {
    /// There is none.
    #[error("there are no observations")]
    Empty,
    /// A row cannot be understood; its line, and what is wrong.
    #[error("line {line}: {reason}")]
    Row {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// All that is wrong with the rows.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<ObservationError>),
    /// One of the observations cannot be compared with the model.
    #[error("observation {number}, \"{of}\": {reason}")]
    Observation {
        /// Its number, from 1.
        number: usize,
        /// What it is of.
        of: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Months within which what the model is off by stays much the same. (assumption)
pub const DISCREPANCY_MONTHS: f64 = 24.0;

/// Observations, and what the model may be off by.
#[derive(Clone, Debug, PartialEq)]
pub struct Observations {
    list: Vec<Observation>,
    discrepancy_share: f64,
    discrepancy_months: f64,
}

impl Observations {
    /// These observations, of a model that is taken at its word.
    pub fn new(list: Vec<Observation>) -> Result<Self, ObservationError> {
        if list.is_empty() {
            return Err(ObservationError::Empty);
        }
        Ok(Self {
            list,
            discrepancy_share: 0.0,
            discrepancy_months: 0.0,
        })
    }

    /// Lets the model be off: metrics by a share of the value that was observed, milestones by this many months (standard
    /// deviations), where an observation does not say it itself. What two observations of one metric are off by is correlated by
    /// exp(-months between them / [`DISCREPANCY_MONTHS`]), so that many of one metric do not count as so many
    /// independent ones (Kennedy and O'Hagan, "Bayesian calibration of computer models", JRSS B 63(3), 2001).
    #[must_use]
    pub fn discrepancy(mut self, share: f64, months: f64) -> Self {
        (self.discrepancy_share, self.discrepancy_months) = (share, months);
        self
    }

    /// The observations.
    pub fn list(&self) -> &[Observation] {
        &self.list
    }

    /// Finds each observation in the trials of a model.
    pub(super) fn find(&self, model: &Model) -> Result<Vec<Found>, ObservationError> {
        let mut wrong = Vec::new();
        let mut found = Vec::new();
        for (position, observation) in self.list.iter().enumerate() {
            match self.find_one(observation, model) {
                Ok(one) => found.push(one),
                Err(reason) => wrong.push(ObservationError::Observation {
                    number: position + 1,
                    of: observation.of.clone(),
                    reason,
                }),
            }
        }
        match wrong.len() {
            0 => Ok(found),
            1 => Err(wrong.remove(0)),
            _ => Err(ObservationError::Several(wrong)),
        }
    }

    fn find_one(&self, observation: &Observation, model: &Model) -> Result<Found, String> {
        let layout = model.layout();
        let months = observation.months(layout)?;
        let (measure, value) = match observation.value {
            ObservedValue::Number(value) => {
                (metric_at(&observation.of, observation.date, model)?, value)
            }
            ObservedValue::Reached | ObservedValue::NotYet => {
                let name = observation.of.trim();
                if layout.milestone_index(name).is_none() {
                    let names = layout.milestones.iter().map(String::as_str);
                    return Err(format!(
                        "there is no such milestone; {}; of a metric give the value",
                        name_help(name, names)
                    ));
                }
                (Measure::Milestone(name.to_owned()), months)
            }
        };
        let by_default = match measure {
            Measure::Milestone(_) => Spread::Absolute(self.discrepancy_months),
            _ => Spread::Share(self.discrepancy_share),
        };
        let error = observation.error.of(value);
        let discrepancy = observation.discrepancy.unwrap_or(by_default).of(value);
        if !(value.is_finite() && error >= 0.0 && discrepancy >= 0.0) || error + discrepancy <= 0.0
        {
            return Err(format!(
                "the error is {error}: it must be above 0, as nothing is seen exactly"
            ));
        }
        let place = measure.place(model.name(), layout).map_err(in_words)?;
        Ok(Found {
            label: measure.to_string(),
            unit: measure.label(layout).unit,
            of: observation.of.clone(),
            place,
            months,
            value,
            is_not_yet: observation.value == ObservedValue::NotYet,
            horizon: layout.months as f64,
            error,
            discrepancy,
        })
    }
}

/// An observation of a model.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) label: String,
    pub(super) unit: String,
    pub(super) of: String,
    place: RowPlace,
    /// When, in months from the start of the scenario.
    pub(super) months: f64,
    pub(super) value: f64,
    pub(super) is_not_yet: bool,
    horizon: f64,
    pub(super) error: f64,
    pub(super) discrepancy: f64,
}

impl Found {
    /// What a trial has. A milestone that is not reached counts as reached at the end of the horizon, which is the least
    /// by which it is late.
    pub(super) fn of(&self, row: &crate::projection::TrialRow) -> f64 {
        self.place.of(row).min(match self.place {
            RowPlace::Milestone(_) => self.horizon,
            _ => f64::INFINITY,
        })
    }

    /// The standard deviation of error and discrepancy together.
    pub(super) fn sd(&self) -> f64 {
        self.error.hypot(self.discrepancy)
    }
}

impl Observation {
    /// A milestone that was reached on a day, with an error in months.
    pub fn reached(milestone: impl Into<String>, day: Date, error_months: f64) -> Self {
        Self {
            of: milestone.into(),
            date: ObservedDate::Day(day),
            value: ObservedValue::Reached,
            error: Spread::Absolute(error_months),
            discrepancy: None,
        }
    }

    /// A metric's value at the end of a month.
    pub fn metric(metric: impl Into<String>, month: Date, value: f64, error: Spread) -> Self {
        Self {
            of: metric.into(),
            date: ObservedDate::Month(month),
            value: ObservedValue::Number(value),
            error,
            discrepancy: None,
        }
    }

    /// When it was, in months from the start of the scenario.
    fn months(&self, layout: &Layout) -> Result<f64, String> {
        let months = match self.date {
            ObservedDate::Day(day) => day.months_after(layout.start),
            ObservedDate::Month(month) => {
                let first = month.months_after(layout.start).floor();
                let is_metric = matches!(self.value, ObservedValue::Number(_));
                first + if is_metric { 1.0 } else { 0.5 }
            }
        };
        let is_inside = (0.0..=layout.months as f64).contains(&months);
        is_inside.then_some(months).ok_or_else(|| {
            format!(
                "its date is outside of the scenario, which begins in {} and has {} months",
                layout.start.to_month_string(),
                layout.months
            )
        })
    }
}

/// A metric at the end of the month nearest to a day, or of a month.
fn metric_at(of: &str, date: ObservedDate, model: &Model) -> Result<Measure, String> {
    let layout = model.layout();
    let measure = Measure::find(of, model.name(), layout).map_err(in_words)?;
    let Measure::Metric {
        metric,
        campus,
        at: MetricTime::End,
    } = measure
    else {
        return Err("a value was given: name a metric, or a milestone without value".to_owned());
    };
    let month = match date {
        ObservedDate::Month(month) => month,
        ObservedDate::Day(day) => {
            let ends = day.months_after(layout.start).round().max(1.0);
            let first = layout.start.plus_months(ends - 1.0);
            first.ok_or("its date is outside of the calendar")?
        }
    };
    Ok(Measure::Metric {
        metric,
        campus,
        at: MetricTime::Month(month),
    })
}

fn in_words(error: MeasureError) -> String {
    error.to_string().replace("\n  help: ", "; ")
}
