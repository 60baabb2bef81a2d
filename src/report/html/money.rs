//! Tenants, and money with all other outcomes.

use std::fmt::Write as _;

use super::sections::{Style, by_year, each, figure};
use super::{Run, escape};
use crate::Projection;
use crate::projection::MetricView;
use crate::report::chart::{Fan, fan_chart};
use crate::report::money::loss;
use crate::report::text::{percent, title_of};

const PIPELINE: [&str; 14] = [
    "companies_contacted",
    "contracts_signed",
    "subsidiaries",
    "contracts_in_service",
    "contracts_lost",
    "contracts_lost_without_room",
    "companies_declined",
    "contracts_left",
    "contracts_left_early",
    "leases_ended_mw",
    "waiting_demand_mw",
    "waiting_months",
    "leased_power_mw",
    "take_up",
];
const PIPELINE_DRAWN: [&str; 3] = ["contracts_signed", "waiting_demand_mw", "leased_power_mw"];
const WIDE: (f64, f64) = (640.0, 300.0);
const SMALL: (f64, f64) = (350.0, 220.0);

/// A fan of a metric in total, on an axis that reaches over that of every run.
fn fan(
    runs: &[Run<'_>],
    projection: &Projection,
    metric: &MetricView<'_>,
    sizes: &[(f64, f64)],
    table: &str,
) -> String {
    let reach = (runs
        .iter()
        .filter_map(|run| run.projection.metric(metric.name())))
    .flat_map(|metric| Fan::of(&metric).values().collect::<Vec<_>>())
    .collect();
    let fan = Fan::of(metric);
    let chart = fan_chart(&fan, metric, projection.layout(), reach);
    let lists: Vec<(&str, Vec<f64>)> = fan
        .lists()
        .map(|(name, list)| (name, list.clone()))
        .collect();
    figure(&chart, sizes, &lists, metric.unit(), table)
}

pub(super) fn pipeline(runs: &[Run<'_>]) -> String {
    each(runs, |projection| {
        let metrics: Vec<(String, MetricView<'_>)> = (PIPELINE.into_iter())
            .filter_map(|name| Some((title_of(name, "mw"), projection.metric(name)?)))
            .collect();
        // The take-up of an empty campus says nothing about tenants.
        if metrics.len() <= 2 {
            return None;
        }
        let mut html = String::from("<div class=multiples>");
        for metric in PIPELINE_DRAWN
            .into_iter()
            .filter_map(|name| projection.metric(name))
        {
            let title = title_of(metric.name(), metric.unit());
            let table = by_year(projection, &[(title, metric)]);
            html += &fan(runs, projection, &metric, &[SMALL], &table);
        }
        Some(html + "</div>" + &by_year(projection, &metrics))
    })
}

pub(super) fn money(runs: &[Run<'_>]) -> String {
    each(runs, |projection| {
        let html = cash(runs, projection) + &outcomes(projection);
        (!html.is_empty()).then_some(html)
    })
}

fn cash(runs: &[Run<'_>], projection: &Projection) -> String {
    let Some(cash) = projection.metric("cumulated_cash") else {
        return String::new();
    };
    // All that is counted in the currency of the cash.
    let metrics: Vec<(String, MetricView<'_>)> = projection
        .total()
        .metrics()
        .filter(|metric| metric.unit() == cash.unit())
        .map(|metric| (title_of(metric.name(), metric.unit()), metric))
        .collect();
    let table = format!(
        "<p class=soft>Flows of the last month of each year</p>{}",
        by_year(projection, &metrics)
    );
    fan(runs, projection, &cash, &[WIDE, SMALL], &table)
}

fn outcomes(projection: &Projection) -> String {
    let mut rows = String::new();
    for (metric, distribution) in projection.outcomes() {
        let quantiles = distribution.quantiles(&[0.1, 0.5, 0.9]);
        let greatest = quantiles
            .iter()
            .flatten()
            .fold(0.0, |a: f64, x| a.max(x.abs()));
        let style = Style::new(&metric.unit, greatest);
        let _ = write!(
            rows,
            "<tr><td>{}<br><small>{}",
            escape(&title_of(&metric.name, &metric.unit)),
            escape(&metric.meaning)
        );
        if distribution.finite_count() < projection.trials() {
            let share = percent(distribution.share_of_trials());
            let _ = write!(rows, "; there is one in {share} of the trials");
        }
        rows += "</small>";
        for value in [
            quantiles[0],
            quantiles[1],
            quantiles[2],
            distribution.mean(),
        ] {
            let _ = write!(rows, "<td>{}", style.show(value));
        }
        let _ = write!(rows, "<td class=l>{}", escape(&style.shown_unit));
    }
    let mut html = String::new();
    if !rows.is_empty() {
        let _ = write!(
            html,
            "<div class=wide tabindex=0><table><thead><tr><th>outcome<th>P10<th>P50<th>P90<th>mean<th class=l>unit</thead><tbody>{rows}</tbody></table></div>"
        );
        if let Some(loss) = loss(projection) {
            let _ = write!(html, "<p>{}</p>", escape(&loss));
        }
    }
    html
}
