//! What a projection is of: scopes, metrics, months, milestones, targets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::date::Date;

/// A number that a trial yields, each month or once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name, such as `installed_pflops`.
    pub name: String,
    /// Its unit, such as `PFLOPS`; empty for a plain number.
    pub unit: String,
    /// What it says, in a sentence.
    pub meaning: String,
}

/// A target of the planner, which a trial meets or misses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetLabel {
    /// Its name.
    pub name: String,
    /// What it asks for, such as `installed_pflops at least 8000 by 2027-06`.
    pub description: String,
    /// By when, if it has a date.
    pub by: Option<Date>,
}

/// What a projection is of. Two projections merge only if theirs are equal.
///
/// Scopes, metrics, causes, milestones and outcomes are known by their position
/// here in a [`TrialRow`](super::TrialRow), and by name to the reader of results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Layout {
    /// The first month; a day in it counts as its month.
    pub start: Date,
    /// How many months, from 1.
    pub months: usize,
    /// The total at 0; the campuses follow if there are several.
    pub scopes: Vec<String>,
    /// What every scope has a value of at the end of every month.
    pub metrics: Vec<Metric>,
    /// What can hold capacity down: the binding causes, at most 255.
    pub causes: Vec<String>,
    /// Events with a time in months after the start, which may lie beyond the horizon.
    pub milestones: Vec<String>,
    /// What a trial meets or misses.
    pub targets: Vec<TargetLabel>,
    /// What a trial yields once, such as a net present value.
    pub outcomes: Vec<Metric>,
}

/// A [`Layout`] that no projection can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The layout has no month.
    #[error("the layout has no month: a projection needs 1 or more")]
    NoMonths,
    /// The horizon leaves the calendar.
    #[error("{months} months after {start} is beyond the year 9999")]
    BeyondCalendar {
        /// The first month.
        start: Date,
        /// The number of months.
        months: usize,
    },
    /// The layout has no scope.
    #[error("the layout has no scope: the first one is the total")]
    NoScopes,
    /// Two of a kind share a name.
    #[error("two {kind} are named \"{name}\": each needs a name of its own")]
    SameName {
        /// Of what: `metrics`, `milestones`, …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// More causes than a trial can distinguish.
    #[error("{0} binding causes: there may be at most 255")]
    TooManyCauses(usize),
}

impl Layout {
    /// A layout with one scope named `total` and nothing in it yet, to be filled in.
    pub fn new(start: Date, months: usize) -> Self {
        Self {
            start,
            months,
            scopes: vec!["total".to_owned()],
            metrics: Vec::new(),
            causes: Vec::new(),
            milestones: Vec::new(),
            targets: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    /// Refuses a layout that no projection can have: without months or scopes,
    /// beyond the calendar, with a name twice, or with more than 255 causes.
    pub fn check(&self) -> Result<(), LayoutError> {
        if self.months == 0 {
            return Err(LayoutError::NoMonths);
        }
        if self.start.plus_months(self.months as f64).is_none() {
            return Err(LayoutError::BeyondCalendar {
                start: self.start,
                months: self.months,
            });
        }
        if self.scopes.is_empty() {
            return Err(LayoutError::NoScopes);
        }
        if self.causes.len() > usize::from(u8::MAX) {
            return Err(LayoutError::TooManyCauses(self.causes.len()));
        }
        distinct("scopes", self.scopes.iter())?;
        distinct("metrics", self.metrics.iter().map(|metric| &metric.name))?;
        distinct("causes", self.causes.iter())?;
        distinct("milestones", self.milestones.iter())?;
        distinct("targets", self.targets.iter().map(|target| &target.name))?;
        distinct("outcomes", self.outcomes.iter().map(|metric| &metric.name))
    }

    /// The position of a scope.
    pub fn scope_index(&self, name: &str) -> Option<usize> {
        self.scopes.iter().position(|scope| scope == name)
    }

    /// The position of a metric.
    pub fn metric_index(&self, name: &str) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.name == name)
    }

    /// The position of a binding cause.
    pub fn cause_index(&self, name: &str) -> Option<usize> {
        self.causes.iter().position(|cause| cause == name)
    }

    /// The position of a milestone.
    pub fn milestone_index(&self, name: &str) -> Option<usize> {
        self.milestones
            .iter()
            .position(|milestone| milestone == name)
    }

    /// The position of a target.
    pub fn target_index(&self, name: &str) -> Option<usize> {
        self.targets.iter().position(|target| target.name == name)
    }

    /// The position of an outcome.
    pub fn outcome_index(&self, name: &str) -> Option<usize> {
        self.outcomes
            .iter()
            .position(|outcome| outcome.name == name)
    }

    /// How many monthly numbers a trial yields: scopes x metrics x months.
    pub fn monthly_len(&self) -> usize {
        self.scopes.len() * self.metrics.len() * self.months
    }

    /// The position of a monthly number in a trial's flat row: the months of one
    /// metric are neighbours, and the metrics of one scope.
    pub fn series_index(&self, scope: usize, metric: usize, month: usize) -> usize {
        (scope * self.metrics.len() + metric) * self.months + month
    }

    /// The months as `2024-01`, in order.
    pub fn month_labels(&self) -> Vec<String> {
        (0..self.months)
            .map(|month| {
                self.start
                    .plus_months(month as f64)
                    .map(Date::to_month_string)
                    .unwrap_or_default()
            })
            .collect()
    }
}

fn distinct<'a>(
    kind: &'static str,
    names: impl Iterator<Item = &'a String>,
) -> Result<(), LayoutError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(LayoutError::SameName {
                kind,
                name: name.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_without_months_or_with_a_name_twice_is_refused() {
        let start = Date::month(2024, 1).unwrap();
        assert_eq!(Layout::new(start, 0).check(), Err(LayoutError::NoMonths));
        let mut layout = Layout::new(start, 12);
        assert_eq!(layout.check(), Ok(()));
        layout.scopes.push("total".to_owned());
        assert!(matches!(
            layout.check(),
            Err(LayoutError::SameName { kind: "scopes", .. })
        ));
        let late = Layout::new(Date::month(9999, 6).unwrap(), 12);
        assert!(matches!(
            late.check(),
            Err(LayoutError::BeyondCalendar { .. })
        ));
    }

    #[test]
    fn the_months_of_one_metric_are_neighbours() {
        let mut layout = Layout::new(Date::month(2024, 11).unwrap(), 3);
        layout.metrics = ["a", "b"]
            .map(|name| Metric {
                name: name.to_owned(),
                unit: String::new(),
                meaning: String::new(),
            })
            .to_vec();
        layout.scopes.push("north".to_owned());
        assert_eq!(layout.monthly_len(), 12);
        assert_eq!(layout.series_index(1, 1, 2), 11);
        assert_eq!(layout.series_index(0, 1, 0), 3);
        assert_eq!(layout.month_labels(), ["2024-11", "2024-12", "2025-01"]);
    }
}
