//! The parts of the page.

use std::fmt::Write as _;

use super::{Run, escape};
use crate::Projection;
use crate::projection::MetricView;
use crate::report::chart::{Chart, Dress, row_of_bars, svg};
use crate::report::question::questions;
use crate::report::summary::year_ends;
use crate::report::table::Table;
use crate::report::text::{
    CountedIn, MISSING, decimals, grouped, nth_month, percent, whole_percent,
};
use crate::report::words::likelihood;

/// A part for each run, side by side.
pub(super) fn each(runs: &[Run<'_>], part: impl Fn(&Projection) -> Option<String>) -> String {
    let texts: Vec<(usize, String)> = (runs.iter().enumerate())
        .filter_map(|(number, run)| Some((number, part(run.projection)?)))
        .collect();
    if texts.is_empty() {
        return String::new();
    }
    let mut html = String::from("<div class=runs>");
    for (number, text) in texts {
        let _ = write!(html, "<div data-run={number}>");
        if runs.len() > 1 {
            let _ = write!(html, "<h3>{}</h3>", escape(runs[number].name()));
        }
        html += &text;
        html += "</div>";
    }
    html + "</div>"
}

/// A chart in its sizes (across a column, then on a telephone), with its numbers: those that the pointer reads out, as lists by
/// month, and a table behind it.
pub(super) fn figure(
    chart: &Chart,
    sizes: &[(f64, f64)],
    lists: &[(&str, Vec<f64>)],
    unit: &str,
    table: &str,
) -> String {
    let greatest = lists.iter().flat_map(|(_, list)| list);
    let greatest = greatest
        .filter(|x| x.is_finite())
        .fold(0.0, |a: f64, x| a.max(x.abs()));
    let style = Style::new(unit, greatest);
    let shown: Vec<(&str, Vec<String>)> = (lists.iter())
        .map(|(name, list)| (*name, list.iter().map(|x| style.show(Some(*x))).collect()))
        .collect();
    let shown = serde_json::json!({"from": first_month(chart.start), "unit": style.shown_unit, "lists": shown});
    let title = escape(&chart.title);
    let mut html = format!(
        "<figure class=plot data-shown='{}'><figcaption><b>{title}</b></figcaption><div class=canvas tabindex=0 role=group aria-label=\"{title}: arrow keys move through the months\">",
        escape(&shown.to_string())
    );
    for (at, size) in sizes.iter().enumerate() {
        let class = match (sizes.len(), at) {
            (1, _) => "any",
            (_, 0) => "wide-only",
            _ => "narrow-only",
        };
        let _ = write!(
            html,
            "<div class={class}>{}</div>",
            svg(chart, *size, Dress::Page)
        );
    }
    let _ = write!(
        html,
        "</div><output class=readout aria-live=polite></output><details><summary>Numbers</summary>{table}</details></figure>"
    );
    html
}

/// A table as it is.
pub(super) fn table((heads, rows): &Table) -> String {
    let mut html = String::from("<div class=wide tabindex=0><table><thead><tr>");
    for head in heads {
        let _ = write!(html, "<th>{}", escape(head));
    }
    html += "</thead><tbody>";
    for row in rows {
        html += "<tr>";
        for cell in row {
            let _ = write!(html, "<td>{}", escape(cell));
        }
    }
    html + "</tbody></table></div>"
}

/// Months since the year 0.
pub(super) fn first_month(start: crate::date::Date) -> i64 {
    i64::from(start.year()) * 12 + i64::from(start.month_of_year() - 1)
}

pub(super) fn provenance_line(runs: &[Run<'_>]) -> String {
    let run = runs[0].projection;
    format!(
        "<p class=soft>{} trials, seed {}, buildout {}; {} to {}</p>\n",
        grouped(run.trials() as f64, 0),
        run.provenance().seed,
        escape(&run.provenance().version),
        nth_month(run.layout().start, 0),
        nth_month(run.layout().start, run.layout().months - 1),
    )
}

pub(super) fn provenance_table(runs: &[Run<'_>]) -> String {
    let mut html = String::from(
        "<div class=wide tabindex=0><table><thead><tr><th>scenario<th>trials<th>seed<th>version<th>months</thead><tbody>",
    );
    for run in runs {
        let provenance = run.projection.provenance();
        let _ = write!(
            html,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}",
            escape(&provenance.scenario),
            grouped(run.projection.trials() as f64, 0),
            provenance.seed,
            escape(&provenance.version),
            run.projection.layout().months,
        );
    }
    html + "</tbody></table></div>"
}

/// How numbers of a unit are written, given the greatest of them.
#[derive(Clone, Debug)]
pub(super) struct Style {
    unit: String,
    pub(super) shown_unit: String,
    counted: CountedIn,
    places: usize,
}

impl Style {
    pub(super) fn new(unit: &str, greatest: f64) -> Self {
        let counted = CountedIn::for_greatest(greatest);
        Self {
            unit: unit.to_owned(),
            shown_unit: match unit {
                "share" => "per cent".to_owned(),
                unit => counted.unit(unit),
            },
            counted,
            places: decimals(unit, greatest / counted.size),
        }
    }

    pub(super) fn of(metric: &MetricView<'_>) -> Self {
        let greatest = [0.1, 0.9]
            .map(|p| metric.quantile(p))
            .iter()
            .flatten()
            .filter(|x| x.is_finite())
            .fold(0.0, |a: f64, x| a.max(x.abs()));
        Self::new(metric.unit(), greatest)
    }

    pub(super) fn show(&self, x: Option<f64>) -> String {
        match x.filter(|x| x.is_finite()) {
            None => MISSING.to_owned(),
            Some(x) if self.unit == "share" => whole_percent(x),
            Some(x) => grouped(x / self.counted.size, self.places),
        }
    }

    /// What one of the shown numbers is.
    pub(super) fn size(&self) -> f64 {
        if self.unit == "share" {
            0.01
        } else {
            self.counted.size
        }
    }

    /// P50 with P10 to P90 below it, in a cell.
    pub(super) fn cell(&self, quantiles: &[Option<f64>]) -> String {
        let [low, middle, high] = quantiles else {
            return MISSING.to_owned();
        };
        if middle.is_none() {
            return MISSING.to_owned();
        }
        format!(
            "{}<small>{} to {}</small>",
            self.show(*middle),
            self.show(*low),
            self.show(*high)
        )
    }
}

/// P50 and P10 to P90 of metrics at the end of each year.
pub(super) fn by_year(projection: &Projection, metrics: &[(String, MetricView<'_>)]) -> String {
    let mut html =
        String::from("<div class=wide tabindex=0><table class=years><thead><tr><th>end of");
    let styles: Vec<Style> = metrics
        .iter()
        .map(|(_, metric)| Style::of(metric))
        .collect();
    for ((title, _), style) in metrics.iter().zip(&styles) {
        let _ = write!(
            html,
            "<th>{}<small>{}</small>",
            escape(title),
            escape(&style.shown_unit)
        );
    }
    html += "</thead><tbody>";
    for month in year_ends(projection) {
        let _ = write!(
            html,
            "<tr><td>{}",
            nth_month(projection.layout().start, month)
        );
        for ((_, metric), style) in metrics.iter().zip(&styles) {
            let quantiles = metric.month(month).map(|d| d.quantiles(&[0.1, 0.5, 0.9]));
            let _ = write!(html, "<td>{}", style.cell(&quantiles.unwrap_or_default()));
        }
    }
    html + "</tbody></table></div><p class=soft>P50, below it P10 to P90</p>"
}

/// The month that is asked about first, from 0; the last one if there is no such date.
pub(super) fn asked_month(run: &Run<'_>) -> usize {
    let months = run.projection.layout().months;
    let questions = questions(run.projection, run.scenario);
    let by = questions
        .iter()
        .find_map(|question| question.dates.promised);
    by.map_or(months - 1, |by| (by as usize).clamp(1, months) - 1)
}

/// The campuses at the date that is asked about.
pub(super) fn campuses(runs: &[Run<'_>]) -> String {
    let month = asked_month(&runs[0]);
    each(runs, |projection| {
        campuses_at(projection, month.min(projection.layout().months - 1))
    })
}

fn campuses_at(projection: &Projection, month: usize) -> Option<String> {
    let mut rows = String::new();
    let names = [
        "it_power_mw",
        "in_service_power_mw",
        "installed_pflops",
        "take_up",
    ];
    for campus in projection.campuses() {
        let _ = write!(rows, "<tr><td>{}", escape(campus.name()));
        for name in names {
            let shown = campus.metric(name).map_or(MISSING.to_owned(), |metric| {
                let then = metric.month(month).map(|d| d.quantiles(&[0.1, 0.5, 0.9]));
                Style::of(&metric).cell(&then.unwrap_or_default())
            });
            let _ = write!(rows, "<td>{shown}");
        }
    }
    (!rows.is_empty()).then(|| {
        format!(
            "<h3>Campuses at the end of {}: P50, below it P10 to P90</h3><div class=wide tabindex=0><table class=years><thead><tr><th>campus<th>IT MW live<th>IT MW in service<th>PFLOPS installed<th>take-up</thead><tbody>{rows}</tbody></table></div>",
            nth_month(projection.layout().start, month)
        )
    })
}

pub(super) fn targets(runs: &[Run<'_>]) -> String {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for run in runs {
        for target in run.projection.targets() {
            let label = target.label();
            if !names.iter().any(|(name, _)| *name == label.name) {
                names.push((&label.name, &label.description));
            }
        }
    }
    if names.is_empty() {
        return String::new();
    }
    let mut html = String::from("<div class=wide tabindex=0><table><thead><tr><th>target");
    for run in runs {
        let head = if runs.len() > 1 {
            escape(run.name())
        } else {
            "probability".to_owned()
        };
        let _ = write!(html, "<th>{head}<th class=l>in words");
    }
    html += "</thead><tbody>";
    for (name, description) in names {
        let _ = write!(
            html,
            "<tr><td>{}<br><small>{}</small>",
            escape(name),
            escape(description)
        );
        for run in runs {
            match run
                .projection
                .target(name)
                .and_then(|t| Some((t.probability()?, t.std_error()?)))
            {
                Some((p, error)) => {
                    let _ = write!(
                        html,
                        "<td>{} <small>± {:.1}</small>{}<td class=l>{}",
                        percent(Some(p)),
                        error * 100.0,
                        row_of_bars(&[], None, (0.0, p * 100.0), None),
                        likelihood(p)
                    );
                }
                None => html += "<td>-<td>",
            }
        }
    }
    html + "</tbody></table></div>"
}

#[cfg(feature = "files")]
pub(super) fn inputs(runs: &[Run<'_>]) -> String {
    use crate::presets::Basis;
    let mut html = String::new();
    for run in runs.iter().filter(|run| !run.inputs.is_empty()) {
        let _ = write!(
            html,
            "<details class=long><summary>{}: {} values</summary><div class=wide tabindex=0><table><thead><tr><th>key<th class=l>value<th class=l>basis<th class=l>what stands behind it<th class=l>where</thead><tbody>",
            escape(run.name()),
            run.inputs.len()
        );
        for input in run.inputs {
            let _ = write!(
                html,
                "<tr><td><code>{}</code><td class=l><code>{}</code><td class=l>",
                escape(&input.key),
                escape(&input.value)
            );
            for basis in &input.basis {
                let word = match basis {
                    Basis::Published => "published",
                    Basis::Calibrated => "calibrated",
                    Basis::Unverified => "unverified",
                    Basis::Assumption => "assumption",
                };
                let _ = write!(html, "<span class='badge {word}'>{word}</span> ");
            }
            let _ = write!(
                html,
                "<td class=l>{}<td class=l>{}:{}",
                escape(&input.note),
                escape(&input.file.display().to_string()),
                input.line
            );
        }
        html += "</tbody></table></div></details>";
    }
    html
}
