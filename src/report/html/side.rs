//! The numbers of several runs side by side.

use std::fmt::Write as _;

use super::sections::{Style, asked_month};
use super::{Run, escape};
use crate::Projection;
use crate::report::text::{nth_month, percent, title_of};

/// What is shown of each run.
const FIRST: [(&str, &str); 4] = [
    ("it_power_mw", "IT power live"),
    ("in_service_power_mw", "in service with tenants"),
    ("installed_pflops", "compute installed"),
    ("take_up", "take-up"),
];

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
    let mut html = String::from("<div class=wide tabindex=0><table class=years><thead><tr><th>P50");
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
    let asked = asked_month(&runs[0]);
    for (name, title) in FIRST {
        let Some(metric) = first.metric(name) else {
            continue;
        };
        let style = Style::of(&metric);
        let values = (runs.iter())
            .map(|run| {
                let is_alike = run.projection.layout().start == first.layout().start;
                let metric = run.projection.metric(name).filter(|_| is_alike)?;
                metric.month(asked)?.quantile(0.5)
            })
            .collect();
        let when = nth_month(first.layout().start, asked);
        row(
            &format!("{title}, end of {when} ({})", style.shown_unit),
            &style,
            values,
        );
    }
    for (label, distribution) in first.outcomes() {
        let medians = |projection: &Projection| projection.outcome(&label.name)?.quantile(0.5);
        let greatest = distribution.quantile(0.5).unwrap_or_default();
        let style = Style::new(&label.unit, greatest);
        let values = runs.iter().map(|run| medians(run.projection)).collect();
        let title = title_of(&label.name, &label.unit);
        row(&format!("{title} ({})", style.shown_unit), &style, values);
    }
    html += &probabilities(runs);
    html + "</tbody></table></div><p class=soft>Below the numbers of a run what sets it apart from the first. \
            All ran on common random numbers, so small differences count, too.</p>"
}

/// The probability of each target in each run.
fn probabilities(runs: &[Run<'_>]) -> String {
    let mut html = String::new();
    for target in runs[0].projection.targets() {
        let name = &target.label().name;
        let _ = write!(html, "<tr><td>{}: probability", escape(name));
        for run in runs {
            let probability = run.projection.target(name).and_then(|t| t.probability());
            let _ = write!(html, "<td>{}", percent(probability));
        }
    }
    html
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
