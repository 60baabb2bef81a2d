//! Phases: when the next part of a campus starts.
//!
//! A [`Phase`] is a moment that buildings, substations and grid steps may wait for by name, as for
//! any activity: `after = ["phase 2"]`. It comes at a date, after a milestone of another phase, or
//! when the metrics that have been reported so far say so, and not before all of these that it
//! names.
//!
//! A policy sees what a planner sees: at the end of each month the metrics of that month and those
//! before it. A phase whose conditions hold then starts at that moment, and what waits for it is
//! scheduled from there. It knows nothing of the rest of the trial: the same past leads to the
//! same decision whatever comes after it. What had its dates keeps them, crews included.

use crate::date::Date;
use crate::field::{MONTHS, NUMBER, SHARE, plan};
use crate::problem::{Path, Problems, check_name};
use crate::projection::TrialRow;
use crate::projection::metrics::METRICS;
use crate::schedule::network::NodeId;
use crate::schedule::{Dependency, check_dependencies};
use crate::uncertain::Uncertain;

plan! {
    /// The start of a phase of a campus.
    pub struct Phase {
        /// Its name, unique on its campus; what belongs to the phase waits for it by that name.
        pub name: String,
        /// It does not start before this date.
        pub starts: Option<Date>,
        /// What must have finished before it starts, such as "A1/shell".
        pub after: Vec<Dependency> = [],
        /// How much later than its date, and than what it is after, it starts, in months; negative: earlier. Drawn once a trial.
        pub delay_months: Uncertain [= Uncertain::zero()] => MONTHS.any().input("delay"),
        /// The probability that it comes at all, 0 to 1; in the other trials it never does, nor what waits for it.
        pub probability: Option<f64> => SHARE,
        /// What the metrics of a past month must have shown, all together. Left out, nothing.
        pub when: Vec<Condition> = [],
        /// With conditions: it starts at the end of the month of this date at the latest, if what it is `after` has finished.
        pub at_latest: Option<Date>,
    }
    /// A phase of which all is still to be set on its fields.
    pub fn new;
}

plan! {
    /// What a metric must have shown for a phase to start.
    pub struct Condition {
        /// The metric, such as "take_up": any that is reported each month, but for money.
        pub metric: String,
        /// It was at least this.
        pub at_least: Option<f64> => NUMBER.any(),
        /// It was at most this.
        pub at_most: Option<f64> => NUMBER.any(),
        /// In how many months in a row, 1 or more.
        pub for_months: u32 [= 1] => MONTHS.within(1.0, f64::INFINITY),
        /// Of which campus; left out, all together.
        pub campus: Option<String>,
    }
    /// A metric of all campuses together, in the last month.
    pub fn new;
}

/// Metrics beside those of every scenario: those that the market of this one reports each month, and
/// those of money, which are known at the end alone.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) market: &'a [String],
    pub(crate) money: &'a [String],
}

impl Phase {
    pub(crate) fn check<'a>(
        &self,
        campuses: impl Iterator<Item = &'a str> + Clone,
        seen: Seen<'_>,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_name(&self.name, &at.key("name"), problems);
        check_dependencies(Some(&self.after), at, problems);
        self.check_fields(at, problems);
        if self.at_latest.is_some() && self.when.is_empty() {
            problems.error(
                &at.key("at_latest"),
                format!("phase \"{}\" has no condition to wait for", self.name),
                "leave `at_latest` out, or say in `when` what it waits for",
            );
        }
        for (position, condition) in self.when.iter().enumerate() {
            let at = at.key("when").index(position);
            condition.check(campuses.clone(), seen, &at, problems);
        }
    }
}

impl Condition {
    fn check<'a>(
        &self,
        campuses: impl Iterator<Item = &'a str> + Clone,
        seen: Seen<'_>,
        at: &Path,
        problems: &mut Problems,
    ) {
        use crate::problem::check_known;
        if seen.money.contains(&self.metric) {
            problems.error(
                &at.key("metric"),
                format!(
                    "{} is booked when a trial is over, too late for a phase",
                    self.metric
                ),
                "take a metric of capacity, compute or tenants",
            );
        } else {
            let known = METRICS.iter().map(|metric| metric.name);
            let known = known.chain(seen.market.iter().map(String::as_str));
            check_known("metric", &self.metric, known, &at.key("metric"), problems);
        }
        if let Some(campus) = &self.campus {
            check_known("campus", campus, campuses, &at.key("campus"), problems);
        }
        if self.at_least.is_none() && self.at_most.is_none() {
            problems.error(
                at,
                format!("the condition does not say how much of {}", self.metric),
                "give `at_least` or `at_most`, in the metric's unit",
            );
        }
        self.check_fields(at, problems);
    }
}

/// A phase that waits for conditions, in a model. Its position is the number of its gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    /// When all that it is after has finished.
    pub(crate) ready: NodeId,
    pub(crate) conditions: Vec<Clause>,
    /// The end of the month in which it starts at the latest, in months.
    pub(crate) at_latest: f64,
}

/// A condition with its names resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clause {
    pub(crate) scope: usize,
    pub(crate) metric: usize,
    pub(crate) at_least: f64,
    pub(crate) at_most: f64,
    pub(crate) for_months: usize,
}

impl Clause {
    /// Whether it held in the month and as many before it as it asks for.
    fn held(&self, row: &TrialRow, month: usize) -> bool {
        let Some(first) = (month + 1).checked_sub(self.for_months) else {
            return false;
        };
        let values = row.monthly(self.scope, self.metric);
        values[first..=month]
            .iter()
            .all(|value| (self.at_least..=self.at_most).contains(value))
    }
}

impl Gate {
    /// Whether the phase starts at the end of a month, by what `row` reports up to that month.
    pub(crate) fn opens(&self, row: &TrialRow, month: usize, finish: &[f64]) -> bool {
        finish[self.ready.index()] <= month as f64 + 1.0
            && (self.is_overdue(month)
                || self.conditions.iter().all(|clause| clause.held(row, month)))
    }

    /// Whether the end of a month is the latest at which the phase starts, or later.
    pub(crate) fn is_overdue(&self, month: usize) -> bool {
        month as f64 + 1.0 >= self.at_latest
    }
}
