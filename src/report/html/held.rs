//! What holds capacity back, month by month, and what is stranded.

use std::fmt::Write as _;

use super::sections::{by_year, each, figure};
use super::{Run, escape};
use crate::Projection;
use crate::projection::{Layout, MetricView, ScopeView};
use crate::report::chart::{Chart, Mark, Series, ValueScale};
use crate::report::summary::{cause_words, ever_binding, year_ends};
use crate::report::text::{MISSING, decimals, grouped, nth_month, whole_percent};
use crate::report::words::stranded_metrics;

/// Causes whose colour is so light that a name on it is dark.
const LIGHT: [&str; 4] = ["equipment", "demand", "space", "cooling"];
/// How much of a layer's length and height a name takes.
const NAME: (f64, f64) = (0.22, 0.14);
const SIZE: (f64, f64) = (640.0, 220.0);
const SMALL: (f64, f64) = (350.0, 220.0);

pub(super) fn binding(runs: &[Run<'_>]) -> String {
    each(runs, |projection| {
        let has_campuses = projection.campuses().next().is_some();
        let title = if has_campuses { "All campuses" } else { "" };
        let total = binding_of(projection, projection.total(), title)?;
        let mut html = format!("<div data-scope=total>{total}</div>");
        for campus in projection.campuses() {
            if let Some(of_campus) = binding_of(projection, campus, campus.name()) {
                let name = escape(campus.name());
                let _ = write!(html, "<div data-scope=\"{name}\">{of_campus}</div>");
            }
        }
        Some(html)
    })
}

/// A layer of the chart: a cause, and the share of trials that it holds back, by month.
struct Layer<'a> {
    cause: &'a str,
    words: &'a str,
    shares: Vec<f64>,
}

fn layers(scope: ScopeView<'_>, months: usize) -> Vec<Layer<'_>> {
    let mut layers: Vec<Layer<'_>> = (ever_binding(scope).into_iter())
        .map(|(cause, shares)| Layer {
            cause,
            words: cause_words(cause),
            shares,
        })
        .collect();
    if layers.is_empty() {
        return layers;
    }
    let nothing = (0..months)
        .map(|month| 1.0 - layers.iter().map(|layer| layer.shares[month]).sum::<f64>())
        .map(|share| if share > 1e-9 { share } else { 0.0 })
        .collect();
    layers.push(Layer {
        cause: "nothing",
        words: "nothing",
        shares: nothing,
    });
    layers
}

fn binding_of(projection: &Projection, scope: ScopeView<'_>, place: &str) -> Option<String> {
    let layout = projection.layout();
    let layers = layers(scope, layout.months);
    if layers.is_empty() {
        return None;
    }
    let mut legend = String::from("<p class=legend>");
    for layer in &layers {
        let _ = write!(
            legend,
            "<span class=key><svg class='chart swatch' viewBox='0 0 16 16' width=16 height=16 aria-hidden=true><rect class='k-{}' width=16 height=16 /></svg>{}</span>",
            escape(layer.cause),
            escape(layer.words)
        );
    }
    legend += "</p>";
    let lists: Vec<(&str, Vec<f64>)> = (layers.iter())
        .map(|layer| (layer.words, layer.shares.clone()))
        .collect();
    let title = match place {
        "" => "Share of trials that each cause holds back".to_owned(),
        place => format!("{place}: share of trials that each cause holds back"),
    };
    let chart = stacked(&title, layout, &layers);
    let table = shares_by_year(projection, &layers);
    Some(legend + &figure(&chart, &[SIZE, SMALL], &lists, "share", &table))
}

/// Shares of months on top of one another, each with its name where it has the most room.
fn stacked(title: &str, layout: &Layout, layers: &[Layer<'_>]) -> Chart {
    let mut chart = Chart::new(title, layout, ValueScale::over("share", [1.0]));
    let mut below = vec![0.0_f64; layout.months];
    let mut names = Vec::new();
    for layer in layers {
        let top: Vec<f64> = (below.iter().zip(&layer.shares))
            .map(|(below, share)| (below + share).min(1.0))
            .collect();
        if let Some((months, value)) = room_for_name(&below, &layer.shares) {
            let ink = match layer.cause {
                "nothing" => "onpage",
                cause if LIGHT.contains(&cause) => "onlight",
                _ => "ondark",
            };
            names.push(Mark::Name {
                months,
                value,
                text: layer.words.to_owned(),
                class: ink.to_owned(),
            });
        }
        chart.marks.push(Mark::Band {
            low: Series::new("", below),
            high: Series::new("", top.clone()),
            class: format!("k-{}", layer.cause),
        });
        below = top;
    }
    chart.marks.extend(names);
    chart
}

/// Where a name has the most room within a layer, as months and height: the middle of a stretch of months and of what the
/// layer has in all of them; none if there is not enough.
fn room_for_name(below: &[f64], shares: &[f64]) -> Option<(f64, f64)> {
    let months = shares.len();
    let stretch = ((months as f64 * NAME.0).ceil() as usize).clamp(1, months.max(1));
    let of_stretch = |first: usize| {
        let months = first..first + stretch;
        let low = below[months.clone()].iter().copied().fold(0.0, f64::max);
        let high = (months.map(|month| below[month] + shares[month])).fold(1.0, f64::min);
        (first, low, high)
    };
    let (first, low, high) = (0..=months.checked_sub(stretch)?)
        .map(of_stretch)
        .max_by(|(_, low, high), (_, other_low, other_high)| {
            (high - low).total_cmp(&(other_high - other_low))
        })
        .filter(|(_, low, high)| high - low >= NAME.1)?;
    Some((first as f64 + stretch as f64 / 2.0, (low + high) / 2.0))
}

fn shares_by_year(projection: &Projection, layers: &[Layer<'_>]) -> String {
    let mut html =
        String::from("<div class=wide tabindex=0><table class=years><thead><tr><th>year to");
    for layer in layers {
        let _ = write!(html, "<th>{}", escape(layer.words));
    }
    html += "</thead><tbody>";
    let mut start = 0;
    for end in year_ends(projection) {
        let _ = write!(
            html,
            "<tr><td>{}",
            nth_month(projection.layout().start, end)
        );
        for layer in layers {
            let mean = layer.shares[start..=end].iter().sum::<f64>() / (end + 1 - start) as f64;
            let _ = write!(html, "<td>{}", whole_percent(mean));
        }
        start = end + 1;
    }
    html + "</tbody></table></div>"
}

pub(super) fn stranded(runs: &[Run<'_>]) -> String {
    let most = (runs.iter().flat_map(|run| stranded_metrics(run.projection)))
        .flat_map(|metric| metric.mean())
        .filter(|x| x.is_finite())
        .fold(0.0, f64::max);
    if most == 0.0 {
        return String::new();
    }
    each(runs, |projection| {
        let metrics: Vec<(String, MetricView<'_>)> = stranded_metrics(projection)
            .into_iter()
            .filter(|metric| metric.mean().iter().any(|x| *x > 0.0))
            .map(|metric| (metric.meaning().to_owned(), metric))
            .collect();
        if metrics.is_empty() {
            return None;
        }
        let means: Vec<Vec<f64>> = metrics.iter().map(|(_, metric)| metric.mean()).collect();
        let mut html = ledger(projection, &metrics, &means) + "<div class=multiples>";
        for ((title, metric), mean) in metrics.iter().zip(&means) {
            let scale = ValueScale::over(metric.unit(), [most]);
            let chart = Chart::new(title.as_str(), projection.layout(), scale).with(Mark::Line {
                of: Series::new("mean", mean.clone()),
                class: "mid".to_owned(),
            });
            let table = by_year(projection, &[(title.clone(), *metric)]);
            let lists = [("mean of all trials", mean.clone())];
            html += &figure(&chart, &[SMALL], &lists, metric.unit(), &table);
        }
        Some(html + "</div>")
    })
}

/// What is stranded for each cause, over all months: how much, and when the most.
fn ledger(
    projection: &Projection,
    metrics: &[(String, MetricView<'_>)],
    means: &[Vec<f64>],
) -> String {
    let mut html = String::from(
        "<div class=wide tabindex=0><table class=years><thead><tr><th>what is stranded<th>sum over all months<small>mean of all trials, MW-years</small><th>most in a month<small>mean of all trials, MW</small><th>in<th>P90 of that month<small>MW</small></thead><tbody>",
    );
    for ((title, metric), mean) in metrics.iter().zip(means) {
        let sum: f64 = mean.iter().filter(|x| x.is_finite()).sum::<f64>() / 12.0;
        let most = (mean.iter().enumerate()).max_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some((month, most)) = most else { continue };
        let show = |x: f64| grouped(x, decimals(metric.unit(), x));
        let (when, high) = if *most > 0.0 {
            let high = metric.month(month).and_then(|d| d.quantile(0.9));
            (
                nth_month(projection.layout().start, month),
                high.map_or(MISSING.to_owned(), show),
            )
        } else {
            (MISSING.to_owned(), MISSING.to_owned())
        };
        let _ = write!(
            html,
            "<tr><td>{}<td>{}<td>{}<td>{when}<td>{high}",
            escape(title),
            show(sum),
            show(*most)
        );
    }
    html + "</tbody></table></div>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_within_its_layer_or_nowhere() {
        let below = [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
        let shares = [1.0, 1.0, 1.0, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1];
        // Three months of ten: those in which all is of the layer.
        assert_eq!(room_for_name(&below, &shares), Some((1.5, 0.5)));
        assert_eq!(room_for_name(&below, &[0.1; 10]), None);
        assert_eq!(room_for_name(&[], &[]), None);
    }
}
