//! The parts of the page.

use std::fmt::Write as _;

use super::plot::{Layer, Mark, bar, over_time, ribbon};
use super::{Run, escape};
use crate::Projection;
use crate::projection::{Layout, MetricView, ScopeView};
use crate::report::money::loss;
use crate::report::summary::{cause_words, ever_binding, year_ends};
use crate::report::text::{
    CountedIn, MISSING, decimals, grouped, nth_month, percent, title_of, whole_percent,
};
use crate::report::words::{likelihood, stranded_metrics};

/// The metrics drawn without a script.
const KEY_METRICS: [(&str, &str); 6] = [
    ("it_power_mw", "IT power live"),
    ("in_service_power_mw", "IT power in service"),
    ("standard_racks", "Standard racks live"),
    ("installed_pflops", "Compute installed"),
    ("in_service_pflops", "Compute in service"),
    ("take_up", "Take-up"),
];
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
/// Lines more than these are no longer told apart.
pub(super) const MOST_CURVES: usize = 8;

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
        html += "<div>";
        if runs.len() > 1 {
            let _ = write!(html, "<h3>{}</h3>", escape(runs[number].name()));
        }
        html += &text;
        html += "</div>";
    }
    html + "</div>"
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
        "<div class=wide><table><thead><tr><th>scenario<th>trials<th>seed<th>version<th>months</thead><tbody>",
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
    let mut html = String::from("<div class=wide><table class=years><thead><tr><th>end of");
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

/// Whether a metric is 0 in nearly all trials and every month.
fn is_nothing((_, metric): &(usize, MetricView<'_>)) -> bool {
    [0.05, 0.95]
        .iter()
        .flat_map(|p| metric.quantile(*p))
        .all(|x| x == 0.0 || x.is_nan())
}

pub(super) fn growth(runs: &[Run<'_>]) -> String {
    let layout = runs[0].projection.layout();
    let mut html = String::new();
    if runs.len() > 1 {
        html += "<p class=legend>";
        for (number, run) in runs.iter().enumerate() {
            let _ = write!(
                html,
                "<span class=key><svg class=swatch viewBox='0 0 26 16'><path class='line s{}' d='M0 8H26'/></svg>{}</span>",
                number % 4,
                escape(run.name())
            );
        }
        html += "<span class=soft>Lines: P50; bands: P10 to P90</span></p>";
    } else {
        html += "<p class=legend><span class=soft>Line: P50; inner band: P10 to P90; outer band: P5 to P95</span></p>";
    }
    html += "<div class=small>";
    for (name, title) in KEY_METRICS {
        // Only what has the months of the first can be drawn over them.
        let views: Vec<(usize, MetricView<'_>)> = (runs.iter().enumerate())
            .filter(|(_, run)| {
                let other = run.projection.layout();
                other.start == layout.start && other.months == layout.months
            })
            .filter_map(|(number, run)| Some((number, run.projection.metric(name)?)))
            .collect();
        // Tenants may bring their own hardware: then there is no compute to show.
        let Some((_, first)) = views.first().filter(|_| !views.iter().all(is_nothing)) else {
            continue;
        };
        let lists: Vec<(usize, [Vec<f64>; 5])> = (views.iter())
            .map(|(number, view)| {
                (
                    *number,
                    [0.05, 0.1, 0.5, 0.9, 0.95].map(|p| view.quantile(p)),
                )
            })
            .collect();
        let mut marks = Vec::new();
        for (number, [p5, p10, _, p90, p95]) in &lists {
            if runs.len() == 1 {
                marks.push(Mark::Band(p5, p95, "outer".to_owned()));
                marks.push(Mark::Band(p10, p90, "inner".to_owned()));
            } else {
                marks.push(Mark::Band(p10, p90, format!("band{}", number % 4)));
            }
        }
        for (number, [_, _, p50, ..]) in &lists {
            let class = if runs.len() == 1 {
                String::new()
            } else {
                format!("s{}", number % 4)
            };
            marks.push(Mark::Line(p50, class));
        }
        html += &over_time(layout, title, first.unit(), &marks);
    }
    html += "</div>";
    html += &each(runs, |projection| {
        let metrics = chosen(
            projection.total(),
            KEY_METRICS.map(|(name, title)| (name, title.to_owned())),
        );
        (!metrics.is_empty()).then(|| {
            format!(
                "<details><summary>The numbers, year by year</summary>{}</details>",
                by_year(projection, &metrics)
            )
        })
    });
    html + &each(runs, campuses)
}

fn campuses(projection: &Projection) -> Option<String> {
    let last = projection.layout().months - 1;
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
                let at_last = metric.month(last).map(|d| d.quantiles(&[0.1, 0.5, 0.9]));
                Style::of(&metric).cell(&at_last.unwrap_or_default())
            });
            let _ = write!(rows, "<td>{shown}");
        }
    }
    (!rows.is_empty()).then(|| {
        format!(
            "<h3>Campuses at the end of {}: P50, below it P10 to P90</h3><div class=wide><table class=years><thead><tr><th>campus<th>IT MW live<th>IT MW in service<th>PFLOPS installed<th>take-up</thead><tbody>{rows}</tbody></table></div>",
            nth_month(projection.layout().start, last)
        )
    })
}

fn chosen<'a>(
    scope: ScopeView<'a>,
    names: impl IntoIterator<Item = (&'a str, String)>,
) -> Vec<(String, MetricView<'a>)> {
    (names.into_iter())
        .filter_map(|(name, title)| Some((title, scope.metric(name)?)))
        .collect()
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
    let mut html = String::from("<div class=wide><table><thead><tr><th>target");
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
                        bar(0.0, None, p * 100.0),
                        likelihood(p)
                    );
                }
                None => html += "<td>-<td>",
            }
        }
    }
    html + "</tbody></table></div>"
}

pub(super) fn binding(runs: &[Run<'_>]) -> String {
    each(runs, |projection| {
        let total = binding_of(
            projection,
            projection.total(),
            "In total: share of trials by month",
        )?;
        let campuses: String = (projection.campuses())
            .filter_map(|campus| binding_of(projection, campus, campus.name()))
            .collect();
        Some(total + &campuses)
    })
}

fn binding_of(projection: &Projection, scope: ScopeView<'_>, title: &str) -> Option<String> {
    let mut layers: Vec<Layer<'_>> = ever_binding(scope)
        .into_iter()
        .map(|(cause, shares)| Layer {
            class: cause,
            name: cause_words(cause),
            shares,
        })
        .collect();
    if layers.is_empty() {
        return None;
    }
    let nothing = (0..projection.layout().months)
        .map(|month| 1.0 - layers.iter().map(|layer| layer.shares[month]).sum::<f64>())
        .map(|share| if share > 1e-9 { share } else { 0.0 })
        .collect();
    layers.push(Layer {
        class: "nothing",
        name: "nothing",
        shares: nothing,
    });
    let mut html = ribbon(projection.layout(), title, &layers);
    html += "<details><summary>The numbers, year by year</summary><div class=wide><table class=years><thead><tr><th>year to";
    for layer in &layers {
        let _ = write!(html, "<th>{}", escape(layer.name));
    }
    html += "</thead><tbody>";
    let mut start = 0;
    for end in year_ends(projection) {
        let _ = write!(
            html,
            "<tr><td>{}",
            nth_month(projection.layout().start, end)
        );
        for Layer { shares, .. } in &layers {
            let mean = shares[start..=end].iter().sum::<f64>() / (end + 1 - start) as f64;
            let _ = write!(html, "<td>{}", whole_percent(mean));
        }
        start = end + 1;
    }
    Some(html + "</tbody></table></div></details>")
}

pub(super) fn stranded(runs: &[Run<'_>]) -> String {
    let most = (runs.iter().flat_map(|run| stranded_metrics(run.projection)))
        .flat_map(|metric| metric.mean())
        .fold(0.0, f64::max);
    each(runs, |projection| {
        let metrics: Vec<(String, MetricView<'_>)> = stranded_metrics(projection)
            .into_iter()
            .map(|metric| (metric.meaning().to_owned(), metric))
            .collect();
        if metrics.is_empty() {
            return None;
        }
        let means: Vec<Vec<f64>> = metrics.iter().map(|(_, metric)| metric.mean()).collect();
        let mut html = ledger(projection, &metrics, &means);
        let marks: Vec<Mark<'_>> = (means.iter().enumerate())
            .map(|(number, mean)| Mark::Line(mean, format!("s{}", number % MOST_CURVES)))
            .chain([Mark::Reach(most)])
            .collect();
        html += "<p class=legend>";
        for (number, (title, _)) in metrics.iter().enumerate() {
            let _ = write!(
                html,
                "<span class=key><svg class=swatch viewBox='0 0 26 16'><path class='line s{}' d='M0 8H26'/></svg>{}</span>",
                number % MOST_CURVES,
                escape(title)
            );
        }
        html += "</p>";
        html += &over_time(
            projection.layout(),
            "Mean over all trials",
            metrics[0].1.unit(),
            &marks,
        );
        let _ = write!(
            html,
            "<details><summary>The numbers, year by year</summary>{}</details>",
            by_year(projection, &metrics)
        );
        Some(html)
    })
}

/// What is stranded for each cause, over all months: how much, and when the most.
fn ledger(
    projection: &Projection,
    metrics: &[(String, MetricView<'_>)],
    means: &[Vec<f64>],
) -> String {
    let mut html = String::from(
        "<div class=wide><table class=years><thead><tr><th>what is stranded<th>sum over all months<small>mean of all trials, MW-years</small><th>most in a month<small>mean of all trials, MW</small><th>in<th>P90 of that month<small>MW</small></thead><tbody>",
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

pub(super) fn pipeline(runs: &[Run<'_>]) -> String {
    let fan = |metric: &MetricView<'_>, reach: f64, layout: &Layout| {
        let [p5, p10, p50, p90, p95] = [0.05, 0.1, 0.5, 0.9, 0.95].map(|p| metric.quantile(p));
        let marks = [
            Mark::Band(&p5, &p95, "outer".to_owned()),
            Mark::Band(&p10, &p90, "inner".to_owned()),
            Mark::Line(&p50, String::new()),
            Mark::Reach(reach),
        ];
        let title = title_of(metric.name(), metric.unit());
        over_time(layout, &title, metric.unit(), &marks)
    };
    each(runs, |projection| {
        let names = PIPELINE.map(|name| (name, title_of(name, "mw")));
        let metrics = chosen(projection.total(), names);
        // The take-up of an empty campus tells nothing of tenants.
        if metrics.len() <= 2 {
            return None;
        }
        let mut html = String::from("<div class=small>");
        for name in PIPELINE_DRAWN {
            let Some(metric) = projection.metric(name) else {
                continue;
            };
            let reach = (runs.iter().filter_map(|run| run.projection.metric(name)))
                .flat_map(|metric| metric.quantile(0.95))
                .filter(|x| x.is_finite())
                .fold(0.0, f64::max);
            html += &fan(&metric, reach, projection.layout());
        }
        html += "</div>";
        Some(html + &by_year(projection, &metrics))
    })
}

pub(super) fn money(runs: &[Run<'_>]) -> String {
    let reach = |p: f64, further: fn(f64, f64) -> f64| {
        (runs
            .iter()
            .filter_map(|run| run.projection.metric("cumulated_cash")))
        .flat_map(|cash| cash.quantile(p))
        .fold(0.0, further)
    };
    let (least, most) = (reach(0.05, f64::min), reach(0.95, f64::max));
    each(runs, |projection| {
        let mut html = String::new();
        if let Some(cash) = projection.metric("cumulated_cash") {
            // All that is counted in the currency of the cash.
            let metrics: Vec<(String, MetricView<'_>)> = projection
                .total()
                .metrics()
                .filter(|metric| metric.unit() == cash.unit())
                .map(|metric| (title_of(metric.name(), metric.unit()), metric))
                .collect();
            let [p5, p10, p50, p90, p95] = [0.05, 0.1, 0.5, 0.9, 0.95].map(|p| cash.quantile(p));
            let marks = [
                Mark::Band(&p5, &p95, "outer".to_owned()),
                Mark::Band(&p10, &p90, "inner".to_owned()),
                Mark::Line(&p50, String::new()),
                Mark::Reach(least),
                Mark::Reach(most),
            ];
            html += &over_time(projection.layout(), cash.meaning(), cash.unit(), &marks);
            let _ = write!(
                html,
                "<details><summary>Flows of the last month of each year</summary>{}</details>",
                by_year(projection, &metrics)
            );
        }
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
        if !rows.is_empty() {
            let _ = write!(
                html,
                "<div class=wide><table><thead><tr><th>outcome<th>P10<th>P50<th>P90<th>mean<th class=l>unit</thead><tbody>{rows}</tbody></table></div>"
            );
            if let Some(loss) = loss(projection) {
                let _ = write!(html, "<p>{}</p>", escape(&loss));
            }
        }
        (!html.is_empty()).then_some(html)
    })
}

#[cfg(feature = "files")]
pub(super) fn inputs(runs: &[Run<'_>]) -> String {
    use crate::presets::Basis;
    let mut html = String::new();
    for run in runs.iter().filter(|run| !run.inputs.is_empty()) {
        let _ = write!(
            html,
            "<details class=long><summary>{}: {} values</summary><div class=wide><table><thead><tr><th>key<th class=l>value<th class=l>basis<th class=l>what stands behind it<th class=l>where</thead><tbody>",
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
