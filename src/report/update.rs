//! An update on observations: to read, and as files.

use unicode_width::UnicodeWidthStr;

use super::chart::ChartError;
use super::html::HtmlReport;
use super::outputs::{OutputFile, OutputsError};
use super::table::{Table, WIDTH, columns, one_line, paragraph};
use super::text::{decimals, grouped, month_of, wrapped};
use crate::Projection;
use crate::analysis::update::{InputShift, Method, Predicted, UpdateReport};
use crate::date::Date;
use crate::report::FanChart;
use crate::scenario::Scenario;

/// How many inputs are shown, those that moved most.
const MOST_INPUTS: usize = 12;
/// What is said above [`UpdatePage::misfits`].
pub(super) const NOT_REPRODUCED: &str =
    "What the scenario does not reproduce: widen its inputs, or allow for a discrepancy";
/// Months after the last observation at which the forecast is shown.
const LATER: [f64; 4] = [0.0, 6.0, 12.0, 24.0];

/// An update with the forecasts before and after it.
#[derive(Clone, Copy, Debug)]
pub struct UpdatePage<'a> {
    report: &'a UpdateReport,
    prior: &'a Projection,
    posterior: &'a Projection,
    scenario: Option<&'a Scenario>,
}

impl<'a> UpdatePage<'a> {
    /// An update, and the projections of trials without and with it.
    pub fn new(report: &'a UpdateReport, prior: &'a Projection, posterior: &'a Projection) -> Self {
        Self {
            report,
            prior,
            posterior,
            scenario: None,
        }
    }

    /// Says on the page when targets of the scenario are met, and marks them and its status date in charts.
    #[must_use]
    pub fn scenario(mut self, scenario: &'a Scenario) -> Self {
        self.scenario = Some(scenario);
        self
    }

    /// Tables to read.
    pub fn text(&self) -> String {
        let parts = [
            self.head(),
            self.observations(),
            self.not_reproduced(),
            self.inputs(),
            self.forecast(),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    /// Names of the files that [`Self::outputs`] makes, but for the charts.
    pub fn output_names() -> &'static [&'static str] {
        &["update.json", "update.txt", "update.html"]
    }

    /// The files: `update.json`, `update.txt`, the page of the updated forecast as `update.html`, and a fan before and after for
    /// each metric that was observed.
    pub fn outputs(&self) -> Result<Vec<OutputFile>, OutputsError> {
        let mut json = serde_json::to_vec_pretty(self.report)?;
        json.push(b'\n');
        let [json_name, text_name, page_name] = ["update.json", "update.txt", "update.html"];
        let mut page = HtmlReport::new(self.posterior).update(*self);
        if let Some(scenario) = self.scenario {
            page = page.scenario(scenario);
        }
        let mut files = vec![
            OutputFile::new(json_name, json),
            OutputFile::new(text_name, self.text().into_bytes()),
            OutputFile::new(page_name, page.to_html().into_bytes()),
        ];
        for (campus, metric) in self.metrics() {
            let name = match campus {
                None => format!("{metric}-updated.svg"),
                Some(campus) => format!("{}-{metric}-updated.svg", file_part(campus)),
            };
            let svg = (self.fan(campus, metric))
                .and_then(|chart| chart.to_svg())
                .map_err(|source| OutputsError::Chart {
                    name: name.clone(),
                    source,
                })?;
            files.push(OutputFile::new(name, svg.into_bytes()));
        }
        Ok(files)
    }

    /// The fan of a metric after the update, with what was forecast before it.
    pub(super) fn fan(
        &self,
        campus: Option<&str>,
        metric: &str,
    ) -> Result<FanChart<'a>, ChartError> {
        let chart = FanChart::new(self.posterior, metric)?;
        let chart = match campus {
            None => chart,
            Some(campus) => chart.campus(campus)?,
        };
        chart.before(self.prior)
    }

    /// The metrics that were observed, each once, with the campus; power that is live if there is none.
    pub(super) fn metrics(&self) -> Vec<(Option<&str>, &str)> {
        let mut metrics: Vec<(Option<&str>, &str)> = Vec::new();
        let names = self.report.predicted.iter();
        for (name, _) in names.filter_map(|predicted| predicted.of.split_once('@')) {
            let metric = match name.split_once('/') {
                Some((campus, metric)) => (Some(campus), metric),
                None => (None, name),
            };
            let is_known = self.posterior.layout().metric_index(metric.1).is_some();
            if is_known && !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        if metrics.is_empty() {
            metrics.push((None, "it_power_mw"));
        }
        metrics
    }

    /// How many trials there were before and after, and how good they are.
    pub(super) fn how(&self) -> String {
        let report = self.report;
        let how = match report.method {
            Method::ImportanceWeights => "by weights on these".to_owned(),
            Method::SequentialMonteCarlo => format!(
                "by sequential Monte Carlo in {} stages and {} trials in all",
                report.stages.len(),
                grouped(report.simulated as f64, 0)
            ),
        };
        format!(
            "{} trials before (effective {}), {how}; seed {}, buildout {}\n\
             {} trials after, effective sample size {}; log evidence {:.2}",
            grouped(report.prior_trials as f64, 0),
            grouped(report.prior_effective, 0),
            report.seed,
            report.version,
            grouped(report.members as f64, 0),
            grouped(report.effective, 0),
            report.log_evidence
        )
    }

    /// The forecast after the update.
    pub(super) fn posterior(&self) -> &'a Projection {
        self.posterior
    }

    fn head(&self) -> Option<String> {
        let report = self.report;
        let title = format!(
            "{}, updated on what has happened",
            one_line(&report.scenario)
        );
        let mut lines = vec![title.clone(), "=".repeat(title.width())];
        lines.push(self.how());
        if report.exponent < 1.0 {
            lines.push(format!(
                "The most trials were reached before all observations were met: this is the posterior with all errors\n\
                 {:.1} times as large. Allow more with --most-trials, or for what the model leaves out with --discrepancy.",
                1.0 / report.exponent.sqrt()
            ));
        }
        if let Some(last) = report
            .stages
            .last()
            .filter(|last| last.correlation > POORLY_MIXED)
        {
            lines.push(format!(
                "The particles have not forgotten where they began (correlation {:.2}): take more members, or larger errors.",
                last.correlation
            ));
        }
        Some(paragraph(&lines))
    }

    /// What was observed, with what the forecasts before and after it say.
    pub(super) fn observation_table(&self) -> Table {
        let start = self.posterior.layout().start;
        let rows = (self.report.predicted.iter())
            .map(|predicted| observation_row(predicted, start))
            .collect();
        let heads = vec![
            "Observed",
            "seen",
            "± sd",
            "before P5",
            "P50",
            "P95",
            "after P5",
            "P50",
            "P95",
            "tail",
        ];
        (heads, rows)
    }

    /// What the columns of [`Self::observation_table`] are.
    pub(super) fn observation_note(&self) -> String {
        format!(
            "Milestones in months from {}. Tail: the probability under the updated model of what is as far out as \
             what was seen, with error and discrepancy; of a milestone not reached yet, the probability of that.",
            self.posterior.layout().start
        )
    }

    fn observations(&self) -> Option<String> {
        let (heads, rows) = self.observation_table();
        let table = paragraph(&columns(&heads, &rows, &[1, 2, 3, 4, 5, 6, 7, 8, 9]));
        Some(table + &wrapped(&self.observation_note(), WIDTH))
    }

    /// What no trial reproduces, a sentence each.
    pub(super) fn misfits(&self) -> Vec<String> {
        (self.report.predicted.iter())
            .filter(|predicted| !predicted.is_explained())
            .map(|predicted| {
                let of = one_line(&predicted.of);
                if predicted.is_reproduced {
                    format!(
                        "{of}: the updated model still does not explain it (tail probability {:.3})",
                        predicted.tail_probability
                    )
                } else {
                    format!(
                        "{of}: no trial came nearer than {:.1} standard deviations",
                        predicted.nearest
                    )
                }
            })
            .collect()
    }

    fn not_reproduced(&self) -> Option<String> {
        let misfits = self.misfits().into_iter();
        let lines: Vec<String> = misfits.map(|misfit| format!("  {misfit}")).collect();
        (!lines.is_empty()).then(|| format!("{NOT_REPRODUCED}\n{}", paragraph(&lines)))
    }

    /// The inputs that moved, those that moved most first; none if none did by more than chance.
    pub(super) fn input_table(&self) -> Option<Table> {
        let moved = self.report.inputs.iter().filter(|input| input.is_moved);
        let rows: Vec<Vec<String>> = moved.take(MOST_INPUTS).map(input_row).collect();
        let heads = vec![
            "Inputs that moved",
            "before P10",
            "P50",
            "P90",
            "after P10",
            "P50",
            "P90",
            "by sd",
            "moved most by",
        ];
        (!rows.is_empty()).then_some((heads, rows))
    }

    /// What is to be said of the inputs that are not in [`Self::input_table`].
    pub(super) fn input_note(&self) -> String {
        match self.input_table() {
            None => "No input moved by more than chance.".to_owned(),
            Some((_, rows)) => format!(
                "{} other inputs moved less, or by no more than chance.",
                self.report.inputs.len() - rows.len()
            ),
        }
    }

    fn inputs(&self) -> Option<String> {
        let table = self
            .input_table()
            .map_or_else(String::new, |(heads, rows)| {
                paragraph(&columns(&heads, &rows, &[1, 2, 3, 4, 5, 6, 7]))
            });
        Some(format!("{table}{}\n", self.input_note()))
    }

    fn forecast(&self) -> Option<String> {
        let layout = self.posterior.layout();
        let last = (self.report.predicted.iter())
            .map(|predicted| predicted.months)
            .fold(0.0, f64::max);
        let mut months: Vec<usize> = (LATER.iter())
            .map(|later| (last + later).ceil().max(1.0) as usize - 1)
            .chain([layout.months - 1])
            .filter(|month| *month < layout.months)
            .collect();
        months.dedup();
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (campus, metric) in self.metrics() {
            for &month in &months {
                let of = |projection: &Projection| -> Option<[f64; 3]> {
                    let scope = match campus {
                        None => projection.total(),
                        Some(campus) => projection.campus(campus)?,
                    };
                    let view = scope.metric(metric)?;
                    Some([0.1, 0.5, 0.9].map(|p| view.quantile(p)[month]))
                };
                let (before, after) = (of(self.prior)?, of(self.posterior)?);
                let greatest = before.iter().chain(&after).fold(0.0_f64, |a, b| a.max(*b));
                let digits = decimals("", greatest);
                let label = layout.start.plus_months(month as f64)?.to_month_string();
                let name = campus.map_or(String::new(), |campus| format!("{campus}/"));
                let mut row = vec![one_line(&format!("{name}{metric}@{label}"))];
                row.extend(
                    before
                        .iter()
                        .chain(&after)
                        .map(|value| grouped(*value, digits)),
                );
                rows.push(row);
            }
        }
        let heads = [
            "Forecast",
            "before P10",
            "P50",
            "P90",
            "after P10",
            "P50",
            "P90",
        ];
        Some(paragraph(&columns(&heads, &rows, &[1, 2, 3, 4, 5, 6])))
    }
}

/// A correlation with where they began that particles should not keep. (assumption)
const POORLY_MIXED: f64 = 0.6;

fn observation_row(predicted: &Predicted, start: Date) -> Vec<String> {
    let values = [
        predicted.observed,
        predicted.prior[2],
        predicted.posterior[2],
    ];
    let greatest = values.into_iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    let digits = decimals(&predicted.unit, greatest);
    let sd = predicted.error.hypot(predicted.discrepancy);
    let name = if predicted.is_not_yet {
        let month = month_of(start, predicted.months).unwrap_or_default();
        format!("{}, not by {month}", predicted.of)
    } else {
        predicted.of.clone()
    };
    let seen = grouped(predicted.observed, digits);
    let seen = if predicted.is_not_yet {
        format!(">{seen}")
    } else {
        seen
    };
    let sd_digits = digits.max(decimals("", sd).min(2));
    let mut row = vec![one_line(&name), seen, grouped(sd, sd_digits)];
    let values = predicted.prior.iter().chain(&predicted.posterior);
    row.extend(values.map(|value| grouped(*value, digits)));
    row.push(format!("{:.2}", predicted.tail_probability));
    row
}

fn input_row(input: &InputShift) -> Vec<String> {
    let values = || input.prior.iter().chain(&input.posterior);
    let greatest = values().fold(0.0_f64, |a, b| a.max(b.abs()));
    let digits = if greatest < 0.1 {
        4
    } else {
        decimals("", greatest)
    };
    let mut row = vec![one_line(&input.name)];
    row.extend(values().map(|value| grouped(*value, digits)));
    row.push(format!("{:+.1}", input.mean_score));
    row.push(input.moved_by.as_deref().map_or_else(String::new, one_line));
    row
}

/// A name without what file systems do not take.
fn file_part(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    name.chars().map(plain).collect()
}
