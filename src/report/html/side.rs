//! What one wants to know first: a few numbers, and those of several runs side by side.

use std::fmt::Write as _;

use super::sections::{Style, each};
use super::{Run, escape};
use crate::Projection;
use crate::report::text::{nth_month, percent, title_of};

/// What is shown first, at the end of the horizon.
const FIRST: [(&str, &str); 4] = [
    ("it_power_mw", "IT power live"),
    ("in_service_power_mw", "in service with tenants"),
    ("installed_pflops", "compute installed"),
    ("take_up", "take-up"),
];

/// The few numbers of each run.
pub(super) fn tiles(runs: &[Run<'_>]) -> String {
    each(runs, |projection| {
        let last = projection.layout().months - 1;
        let mut html = String::from("<dl class=tiles>");
        for (name, title) in FIRST {
            let Some(metric) = projection.metric(name) else {
                continue;
            };
            let quantiles = metric.month(last).map(|d| d.quantiles(&[0.1, 0.5, 0.9]));
            let Some([Some(low), Some(middle), Some(high)]) = quantiles.as_deref() else {
                continue;
            };
            if *low == 0.0 && *high == 0.0 && metric.unit() == "PFLOPS" {
                // Tenants bring their own hardware.
                continue;
            }
            let style = Style::of(&metric);
            let unit = match style.shown_unit.as_str() {
                "per cent" => String::new(),
                unit => format!(" <small>{}</small>", escape(unit)),
            };
            let _ = write!(
                html,
                "<div><dt>{title}<dd><b>{}</b>{unit}<br><small>P10 to P90: {} to {}</small></div>",
                style.show(Some(*middle)),
                style.show(Some(*low)),
                style.show(Some(*high)),
            );
        }
        let _ = write!(
            html,
            "</dl><p class=soft>P50 at the end of {}</p>",
            nth_month(projection.layout().start, last)
        );
        Some(html)
    })
}

/// A difference with its sign, where there is any left to show; of shares in points.
fn gap_of(style: &Style, gap: f64) -> String {
    let size = style.show(Some(gap.abs()));
    let sign = match gap {
        _ if size == style.show(Some(0.0)) => "",
        gap if gap > 0.0 => "+",
        _ => "-",
    };
    format!("{sign}{}", size.replace(" %", " points"))
}

/// A row for each thing that is compared, a column for each run; below the numbers of the others what sets them
/// apart from the first.
pub(super) fn by_side(runs: &[Run<'_>]) -> String {
    if runs.len() < 2 {
        return String::new();
    }
    let mut html = String::from("<div class=wide><table class=years><thead><tr><th>P50");
    for run in runs {
        let _ = write!(html, "<th>{}", escape(run.name()));
    }
    html += "</thead><tbody>";
    let mut row = |title: &str, style: &Style, values: Vec<Option<f64>>| {
        let base = values.first().copied().flatten();
        let _ = write!(html, "<tr><td>{}", escape(title));
        for (number, value) in values.into_iter().enumerate() {
            let _ = write!(html, "<td>{}", style.show(value));
            if let (Some(base), Some(value), true) = (base, value, number > 0) {
                let _ = write!(html, "<small>{}</small>", gap_of(style, value - base));
            }
        }
    };
    let first = runs[0].projection;
    let last = first.layout().months - 1;
    let middle = last / 2;
    for (name, title) in FIRST {
        let Some(metric) = first.metric(name) else {
            continue;
        };
        let style = Style::of(&metric);
        for month in [middle, last] {
            let values = (runs.iter())
                .map(|run| {
                    let is_alike = run.projection.layout().start == first.layout().start;
                    let metric = run.projection.metric(name).filter(|_| is_alike)?;
                    metric.month(month)?.quantile(0.5)
                })
                .collect();
            let when = nth_month(first.layout().start, month);
            row(
                &format!("{title}, end of {when} ({})", style.shown_unit),
                &style,
                values,
            );
        }
    }
    for (label, distribution) in first.outcomes() {
        let medians = |projection: &Projection| projection.outcome(&label.name)?.quantile(0.5);
        let greatest = distribution.quantile(0.5).unwrap_or_default();
        let style = Style::new(&label.unit, greatest);
        let values = runs.iter().map(|run| medians(run.projection)).collect();
        let title = title_of(&label.name, &label.unit);
        row(&format!("{title} ({})", style.shown_unit), &style, values);
    }
    for target in first.targets() {
        let name = &target.label().name;
        let _ = write!(html, "<tr><td>{}: probability", escape(name));
        for run in runs {
            let probability = run.projection.target(name).and_then(|t| t.probability());
            let _ = write!(html, "<td>{}", percent(probability));
        }
    }
    html + "</tbody></table></div><p class=soft>Below the numbers of a run what sets it apart from the first. \
            All ran on common random numbers, so small differences count, too.</p>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_a_sign_where_there_is_one_to_show() {
        let share = Style::new("share", 1.0);
        assert_eq!(gap_of(&share, -0.001), "0 points");
        assert_eq!(gap_of(&share, -0.05), "-5 points");
        let power = Style::new("MW", 500.0);
        assert_eq!(gap_of(&power, 13.2), "+13");
        assert_eq!(gap_of(&power, -0.2), "0");
    }
}
