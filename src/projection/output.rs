//! A projection as JSON and as a tidy table of comma-separated values.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::views::{Distribution, MetricView, ScopeView};
use super::{Metric, Projection};
use crate::date::Date;
use crate::parallel;

/// The percentiles that JSON and CSV have, as their names and as p.
pub const PERCENTILES: [(&str, f64); 8] = [
    ("p5", 0.05),
    ("p10", 0.1),
    ("p25", 0.25),
    ("p50", 0.5),
    ("p75", 0.75),
    ("p80", 0.8),
    ("p90", 0.9),
    ("p95", 0.95),
];

/// What the standard errors of the percentiles are called.
const PERCENTILE_ERRORS: [&str; 8] = [
    "p5_std_error",
    "p10_std_error",
    "p25_std_error",
    "p50_std_error",
    "p75_std_error",
    "p80_std_error",
    "p90_std_error",
    "p95_std_error",
];

/// The statistics of one number, in the order in which they are written: `mean`,
/// `std_error`, the percentiles and their standard errors.
fn statistics(of: Distribution<'_>) -> Vec<(&'static str, Option<f64>)> {
    let ps = PERCENTILES.map(|(_, p)| p);
    let (mean, std_error) = of.mean_and_std_error();
    let percentiles = PERCENTILES.iter().map(|(name, _)| *name);
    [("mean", mean), ("std_error", std_error)]
        .into_iter()
        .chain(percentiles.zip(of.quantiles(&ps)))
        .chain(
            PERCENTILE_ERRORS
                .into_iter()
                .zip(of.quantile_std_errors(&ps)),
        )
        .collect()
}

/// How an outcome of which less is worse goes wrong.
fn bad_end(of: Distribution<'_>) -> [(&'static str, Option<f64>); 2] {
    let below = of.probability_at_least(0.0).map(|share| 1.0 - share);
    [
        ("probability_below_zero", below),
        ("mean_of_least_tenth", of.mean_of_least(0.1)),
    ]
}

impl Projection {
    /// The results as JSON, for other programs. Keys keep their order; more may be
    /// added in later releases, none is taken away.
    ///
    /// ```json
    /// {"scenario": "…", "version": "…", "seed": 7, "trials": 1000,
    ///  "design": {"method": "random"}, "fingerprint": "…",
    ///  "months": ["2024-01", …],
    ///  "metrics": {NAME: {"unit": "…", "mean": […], "std_error": […],
    ///                     "p5": […], "p10": […], "p25": […], "p50": […], "p75": […], "p80": […],
    ///                     "p90": […], "p95": […],
    ///                     "p5_std_error": […], …, "p95_std_error": […]}},
    ///  "milestones": {NAME: {"unit": "months", "mean": 31.2, …, "p95": …, "probability": 0.97,
    ///                        "probability_std_error": …, "dates": {"p5": "2026-05-11", …}}},
    ///  "targets": [{"name": "…", "description": "…", "by": "2027-06", "probability": 0.8, "std_error": 0.01}],
    ///  "binding": {CAUSE: [share of trials by month]},
    ///  "binding_std_error": {CAUSE: [standard error of that share by month]},
    ///  "outcomes": {NAME: {"unit": "…", "mean": …, …, "p95": …, "share_of_trials": 1.0,
    ///                      "probability_below_zero": 0.1, "mean_of_least_tenth": …}},
    ///  "campuses": {NAME: {"metrics": {…}, "binding": {…}, "binding_std_error": {…}}}}
    /// ```
    ///
    /// `campuses` has the campuses if there are several. `null` stands for what does not exist: the mean of no
    /// trials, a percentile of a milestone that is not reached in this many trials.
    pub fn to_json(&self) -> Value {
        let layout = self.layout();
        let milestones: Map<String, Value> = (self.milestones())
            .map(|(name, distribution)| (name.to_owned(), milestone(layout.start, distribution)))
            .collect();
        let targets: Vec<Value> = (self.targets())
            .map(|target| {
                json!({
                    "name": target.label().name,
                    "description": target.label().description,
                    "by": target.label().by,
                    "probability": target.probability(),
                    "std_error": target.std_error(),
                })
            })
            .collect();
        let outcomes: Map<String, Value> = (self.outcomes())
            .map(|(metric, distribution)| (metric.name.clone(), outcome(metric, distribution)))
            .collect();
        let campuses: Map<String, Value> = (self.campuses())
            .map(|campus| {
                let entry = json!({
                    "metrics": metrics(campus),
                    "binding": by_cause(campus.bindings()),
                    "binding_std_error": by_cause(campus.binding_std_errors()),
                });
                (campus.name().to_owned(), entry)
            })
            .collect();
        json!({
            "scenario": self.provenance().scenario,
            "version": self.provenance().version,
            "seed": self.provenance().seed,
            "trials": self.trials(),
            "design": self.provenance().design,
            "fingerprint": self.provenance().fingerprint,
            "months": layout.month_labels(),
            "metrics": metrics(self.total()),
            "milestones": milestones,
            "targets": targets,
            "binding": by_cause(self.total().bindings()),
            "binding_std_error": by_cause(self.total().binding_std_errors()),
            "outcomes": outcomes,
            "campuses": campuses,
        })
    }
}

fn milestone(start: Date, distribution: Distribution<'_>) -> Value {
    let mut entry = one_number("months", distribution);
    entry.insert("probability".into(), json!(distribution.probability()));
    entry.insert(
        "probability_std_error".into(),
        json!(distribution.probability_std_error()),
    );
    let dates = PERCENTILES.iter().map(|(name, p)| {
        let date = distribution.quantile(*p);
        let date = date.and_then(|months| start.day_of_finish(months));
        ((*name).to_owned(), json!(date.map(Date::to_day_string)))
    });
    entry.insert("dates".into(), Value::Object(dates.collect()));
    Value::Object(entry)
}

fn outcome(metric: &Metric, distribution: Distribution<'_>) -> Value {
    let mut entry = one_number(&metric.unit, distribution);
    entry.insert(
        SHARE_OF_TRIALS.into(),
        json!(distribution.share_of_trials()),
    );
    let risk = bad_end(distribution).map(|(name, value)| (name.into(), json!(value)));
    entry.extend(risk);
    Value::Object(entry)
}

fn one_number(unit: &str, distribution: Distribution<'_>) -> Map<String, Value> {
    let statistics = statistics(distribution)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)));
    std::iter::once(("unit".to_owned(), json!(unit)))
        .chain(statistics)
        .collect()
}

/// The metrics of a scope, each with what `of` makes of it; side by side, as a percentile of every month takes its time.
fn of_metrics<'a, T: Send>(
    scope: ScopeView<'a>,
    of: impl Fn(MetricView<'a>) -> T + Sync,
) -> impl Iterator<Item = (MetricView<'a>, T)> {
    let metrics: Vec<MetricView<'a>> = scope.metrics().collect();
    let made = parallel::map(&metrics, |metric| of(*metric));
    metrics.into_iter().zip(made)
}

fn metrics(scope: ScopeView<'_>) -> Map<String, Value> {
    of_metrics(scope, by_month)
        .map(|(metric, entry)| (metric.name().to_owned(), Value::Object(entry)))
        .collect()
}

fn by_month(metric: MetricView<'_>) -> Map<String, Value> {
    let mut lists: Vec<(&str, Vec<Value>)> = Vec::new();
    for distribution in metric.distributions() {
        let month = statistics(distribution);
        if lists.is_empty() {
            lists.extend(month.iter().map(|&(name, _)| (name, Vec::new())));
        }
        for ((_, list), (_, value)) in lists.iter_mut().zip(month) {
            list.push(json!(value));
        }
    }
    let lists = lists.into_iter();
    std::iter::once(("unit".to_owned(), json!(metric.unit())))
        .chain(lists.map(|(name, list)| (name.to_owned(), Value::Array(list))))
        .collect()
}

fn by_cause<'a>(causes: impl Iterator<Item = (&'a str, Vec<f64>)>) -> Map<String, Value> {
    causes
        .map(|(cause, shares)| (cause.to_owned(), json!(shares)))
        .collect()
}

/// Writes projections as one tidy table of comma-separated values (RFC 4180, lines end
/// in LF), one number a line.
///
/// The columns are scenario, scope, metric, unit, month, statistic and value. The month is empty for
/// milestones, targets and outcomes. Statistics are those of [`Projection::to_json`]; a
/// cause stands as a metric with the statistics `binding_share` and `binding_share_std_error`, a milestone's and a target's share of trials as
/// `probability` and `probability_std_error`. A value that does not exist is empty. Numbers are in the
/// shortest form that reads back as the same double. All texts are quoted, so that a reader that looks only at
/// the first lines to learn how a file is quoted, as DuckDB does, is not misled by a name with a comma far below.
pub fn write_csv<'a>(
    projections: impl IntoIterator<Item = &'a Projection>,
    mut to: impl Write,
) -> io::Result<()> {
    writeln!(
        to,
        r#""scenario","scope","metric","unit","month","statistic","value""#
    )?;
    for projection in projections {
        for_each_row(projection, |row| {
            let texts = [row.scenario, row.scope, row.metric, row.unit, row.month];
            let [scenario, scope, metric, unit, month] = texts.map(quoted);
            let value = row.value.map_or_else(String::new, number);
            writeln!(
                to,
                "{scenario},{scope},{metric},{unit},{month},\"{}\",{value}",
                row.statistic
            )
        })?;
    }
    Ok(())
}

/// A row of the tidy table; the month is empty for what is not by month.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TidyRow<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) metric: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) month: &'a str,
    pub(crate) statistic: &'a str,
    pub(crate) value: Option<f64>,
}

/// Hands on the rows of the tidy table of a projection, in order.
pub(crate) fn for_each_row(
    projection: &Projection,
    to: impl FnMut(TidyRow<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let scenario = &projection.provenance().scenario;
    Table { scenario, to }.projection(projection)
}

struct Table<'s, F> {
    scenario: &'s str,
    to: F,
}

impl<F: FnMut(TidyRow<'_>) -> io::Result<()>> Table<'_, F> {
    fn projection(&mut self, projection: &Projection) -> io::Result<()> {
        let months = projection.layout().month_labels();
        for scope in std::iter::once(projection.total()).chain(projection.campuses()) {
            let by_month = |metric: MetricView<'_>| -> Vec<_> {
                metric.distributions().map(statistics).collect()
            };
            for (metric, by_month) in of_metrics(scope, by_month) {
                for (month, statistics) in months.iter().zip(by_month) {
                    let place = [scope.name(), metric.name(), metric.unit(), month];
                    self.lines(place, statistics)?;
                }
            }
            for ((cause, shares), (_, errors)) in scope.bindings().zip(scope.binding_std_errors()) {
                for ((month, share), error) in months.iter().zip(shares).zip(errors) {
                    let place = [scope.name(), cause, SHARE, month];
                    self.line(place, "binding_share", Some(share))?;
                    self.line(place, "binding_share_std_error", Some(error))?;
                }
            }
        }
        let total = projection.total();
        for (name, distribution) in projection.milestones() {
            let place = [total.name(), name, "months", ""];
            self.lines(place, statistics(distribution))?;
            let place = [total.name(), name, SHARE, ""];
            self.probability(
                place,
                distribution.probability(),
                distribution.probability_std_error(),
            )?;
        }
        for target in projection.targets() {
            let place = [total.name(), &target.label().name, SHARE, ""];
            self.probability(place, target.probability(), target.std_error())?;
        }
        for (metric, distribution) in projection.outcomes() {
            let place = [total.name(), &metric.name, &metric.unit, ""];
            self.lines(place, statistics(distribution))?;
            self.line(place, SHARE_OF_TRIALS, distribution.share_of_trials())?;
            self.lines(place, bad_end(distribution).to_vec())?;
        }
        Ok(())
    }

    fn probability(
        &mut self,
        place: [&str; 4],
        probability: Option<f64>,
        std_error: Option<f64>,
    ) -> io::Result<()> {
        self.line(place, "probability", probability)?;
        self.line(place, "probability_std_error", std_error)
    }

    fn lines(&mut self, place: [&str; 4], statistics: Vec<(&str, Option<f64>)>) -> io::Result<()> {
        for (statistic, value) in statistics {
            self.line(place, statistic, value)?;
        }
        Ok(())
    }

    fn line(&mut self, place: [&str; 4], statistic: &str, value: Option<f64>) -> io::Result<()> {
        let [scope, metric, unit, month] = place;
        (self.to)(TidyRow {
            scenario: self.scenario,
            scope,
            metric,
            unit,
            month,
            statistic,
            value,
        })
    }
}

const SHARE: &str = "share of trials";
/// The statistic that says in what share of the trials an outcome exists and is finite.
const SHARE_OF_TRIALS: &str = "share_of_trials";

/// A number in the shortest form that reads back as the same double; empty if it is not finite.
pub(crate) fn number(x: f64) -> String {
    let size = x.abs();
    if !x.is_finite() {
        String::new()
    } else if size == 0.0 || (1e-5..1e16).contains(&size) {
        format!("{x}")
    } else {
        format!("{x:e}")
    }
}

/// A text in comma-separated values; none, which readers take for missing, if it is empty. An apostrophe stands before
/// one that a spreadsheet would run as a formula.
pub(crate) fn quoted(field: &str) -> String {
    if field.is_empty() {
        return String::new();
    }
    let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}
