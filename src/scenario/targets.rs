//! What is asked of a scenario: milestones to report, and targets to be reached.

use super::check::check_label;
use crate::date::Date;
use crate::field::plan;
use crate::problem::{Path, Problems, check_known};
use crate::projection::metrics::METRICS;

plan! {
    /// A moment to report: when the last of several things has happened.
    pub struct Milestone {
        /// Its name.
        pub name: String,
        /// What must have happened: activities ("A1/shell"), buildings, halls or substations that are complete ("A1"), or buildings and halls that are live ("A1/live": the first hall), fully live ("A1/fully live": all halls) or complete ("A1/complete": the works). A pattern requires all that fit it ("P2-*/live"). With several campuses the campus's name goes in front where it is needed ("Qingyang/A1/shell").
        pub requires: Vec<String>,
    }
    fn plain;
}

plan! {
    /// A question: will this be reached by then?
    pub struct Target {
        /// Its name, such as "100,000 PFLOPS by the end of 2027".
        pub name: String,
        /// A metric that should have at least the value `at_least` at the end of the month `by`. Give this, or `milestone`, or both: then both must hold together.
        pub metric: Option<String>,
        /// The least value of the metric, in the metric's unit.
        pub at_least: Option<f64>,
        /// The milestone that should have happened by the end of the month `by`: one of those stated, or of those that every building has ("A1 live", "A1 fully live", "A1 complete", "P2-*/live").
        pub milestone: Option<String>,
        /// The campus that is meant; left out, all together.
        pub campus: Option<String>,
        /// The month at whose end it counts.
        pub by: Date,
    }
    /// A target of which all but the month is still to be set on its fields.
    pub fn by_month;
}

impl Milestone {
    /// A moment when all of these have happened.
    pub fn new<'a>(name: impl Into<String>, requires: impl IntoIterator<Item = &'a str>) -> Self {
        let requires = requires.into_iter().map(str::to_owned);
        Self::plain(name, requires.collect::<Vec<String>>())
    }
}

impl Target {
    /// Asks whether a metric has at least this value at the end of a month, all campuses together.
    pub fn reached(
        name: impl Into<String>,
        metric: impl Into<String>,
        at_least: f64,
        by: Date,
    ) -> Self {
        Self::by_month(name, by)
            .metric(metric.into())
            .at_least(at_least)
    }

    /// Asks whether a milestone has happened by the end of a month.
    pub fn happened(name: impl Into<String>, milestone: impl Into<String>, by: Date) -> Self {
        Self::by_month(name, by).milestone(milestone.into())
    }

    /// What it asks for, such as "installed_pflops at least 100000 by 2027-12".
    pub fn describe(&self) -> String {
        let what = match (&self.metric, self.at_least, &self.milestone) {
            (Some(metric), Some(least), Some(milestone)) => {
                format!("{milestone}, and {metric} at least {least}")
            }
            (Some(metric), Some(least), _) => format!("{metric} at least {least}"),
            (_, _, Some(milestone)) => milestone.clone(),
            _ => self.name.clone(),
        };
        let place = self
            .campus
            .as_ref()
            .map(|campus| format!(" at {campus}"))
            .unwrap_or_default();
        format!("{what}{place} by {}", self.by.to_month_string())
    }
}

impl Milestone {
    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        check_label(&self.name, &at.key("name"), problems);
        if self.requires.is_empty() {
            problems.error(
                &at.key("requires"),
                format!("milestone \"{}\" requires nothing", self.name),
                "name one thing or more, such as \"A1/shell\"",
            );
        }
    }
}

/// What targets refer to.
pub(super) struct Asked<'a> {
    pub(super) start: Date,
    pub(super) horizon_months: u32,
    pub(super) campuses: Vec<&'a str>,
    /// The metrics that the scenario has beyond those of every scenario.
    pub(super) more_metrics: &'a [String],
}

impl Target {
    pub(super) fn check(&self, asked: &Asked<'_>, at: &Path, problems: &mut Problems) {
        check_label(&self.name, &at.key("name"), problems);
        match (&self.metric, &self.milestone) {
            (Some(metric), _) => self.check_metric(metric, asked, at, problems),
            (None, Some(_)) => self.check_milestone_alone(at, problems),
            (None, None) => problems.error(
                at,
                format!("target \"{}\" must name one thing to be reached", self.name),
                "give `metric` with `at_least`, or `milestone`, or both",
            ),
        }
        if let Some(campus) = &self.campus {
            let known = asked.campuses.iter().copied();
            check_known("campus", campus, known, &at.key("campus"), problems);
        }
        let horizon = f64::from(asked.horizon_months);
        if !(0.0..horizon).contains(&self.by.months_after(asked.start).floor()) {
            let last = asked.start.plus_months(horizon - 1.0);
            problems.error(
                &at.key("by"),
                format!("by is {}, outside of the horizon", self.by),
                format!(
                    "a month from {} to {}",
                    asked.start.to_month_string(),
                    last.map_or("the end".to_owned(), Date::to_month_string),
                ),
            );
        }
    }

    fn check_metric(&self, metric: &str, asked: &Asked<'_>, at: &Path, problems: &mut Problems) {
        let names = METRICS.iter().map(|metric| metric.name);
        let known = names.chain(asked.more_metrics.iter().map(String::as_str));
        check_known("metric", metric, known, &at.key("metric"), problems);
        if !self.at_least.is_some_and(f64::is_finite) {
            problems.error(
                at,
                format!("target \"{}\" does not say how much of {metric}", self.name),
                "give `at_least`, a finite number in the metric's unit",
            );
        }
    }

    fn check_milestone_alone(&self, at: &Path, problems: &mut Problems) {
        for (given, key) in [
            (self.at_least.is_some(), "at_least"),
            (self.campus.is_some(), "campus"),
        ] {
            if given {
                problems.error(
                    &at.key(key),
                    format!(
                        "target \"{}\" is a milestone, which has no {key}",
                        self.name
                    ),
                    format!("leave `{key}` out"),
                );
            }
        }
    }
}
