//! The summary as Markdown, for a wiki.

use std::fmt::Write as _;

use super::summary::year_ends;
use super::text::{MISSING, decimals, grouped, month_of, nth_month, percent, whole_percent};
use super::words::sentences;
use crate::Projection;
use crate::projection::MetricView;

const METRICS: [(&str, &str); 4] = [
    ("it_power_mw", "IT MW live"),
    ("in_service_power_mw", "IT MW in service"),
    ("installed_pflops", "PFLOPS installed"),
    ("take_up", "take-up"),
];

/// The answer in sentences, capacity year by year, targets and milestones, as Markdown with tables.
pub fn markdown(projection: &Projection) -> String {
    let provenance = projection.provenance();
    let mut text = format!(
        "# {}\n\n{} trials, seed {}, buildout {}.\n",
        cell(&provenance.scenario),
        grouped(projection.trials() as f64, 0),
        provenance.seed,
        provenance.version
    );
    for sentence in sentences(projection) {
        let _ = write!(text, "\n- {}", cell(&sentence));
    }
    text.push('\n');
    text += &capacity(projection);
    text += &targets(projection);
    text += &milestones(projection);
    text
}

/// Capacity at the end of each year; nothing where none of its metrics was gathered.
fn capacity(projection: &Projection) -> String {
    let metrics: Vec<_> = (METRICS.iter())
        .filter_map(|(name, title)| Some((title, projection.metric(name)?)))
        .collect();
    if metrics.is_empty() {
        return String::new();
    }
    let mut text = "\n## Capacity: P50 (P10 to P90)\n\n| end of |".to_owned();
    for (title, _) in &metrics {
        let _ = write!(text, " {title} |");
    }
    text += "\n| --- |";
    text += &" ---: |".repeat(metrics.len());
    text.push('\n');
    for month in year_ends(projection) {
        let _ = write!(text, "| {} |", nth_month(projection.layout().start, month));
        for (_, metric) in &metrics {
            let _ = write!(text, " {} |", range_in(metric, month));
        }
        text.push('\n');
    }
    text
}

/// A metric in a month, such as "12 (8 to 15)".
fn range_in(metric: &MetricView<'_>, month: usize) -> String {
    let quantiles = metric.month(month).map(|d| d.quantiles(&[0.1, 0.5, 0.9]));
    let quantiles = quantiles.unwrap_or_else(|| vec![None; 3]);
    let known = quantiles.iter().flatten();
    let places = decimals(metric.unit(), known.fold(0.0, |a: f64, x| a.max(x.abs())));
    let show = |x: Option<f64>| match x {
        None => MISSING.to_owned(),
        Some(x) if metric.unit() == "share" => whole_percent(x),
        Some(x) => grouped(x, places),
    };
    let [low, middle, high] = [0, 1, 2].map(|at| show(quantiles[at]));
    format!("{middle} ({low} to {high})")
}

fn targets(projection: &Projection) -> String {
    if projection.targets().next().is_none() {
        return String::new();
    }
    let mut text = "\n## Targets\n\n| target | probability |\n| --- | ---: |\n".to_owned();
    for target in projection.targets() {
        let _ = writeln!(
            text,
            "| {} | {} |",
            cell(&target.label().name),
            percent(target.probability())
        );
    }
    text
}

fn milestones(projection: &Projection) -> String {
    if projection.milestones().next().is_none() {
        return String::new();
    }
    let mut text = "\n## Milestones\n\n| milestone | P10 | P50 | P90 | reached |\n| --- | --- | --- | --- | ---: |\n".to_owned();
    for (name, distribution) in projection.milestones() {
        let _ = write!(text, "| {} |", cell(name));
        for months in distribution.quantiles(&[0.1, 0.5, 0.9]) {
            let date = months.and_then(|months| month_of(projection.layout().start, months));
            let _ = write!(text, " {} |", date.unwrap_or_else(|| "later".to_owned()));
        }
        let _ = writeln!(text, " {} |", percent(distribution.probability()));
    }
    text
}

/// A text that neither ends a cell nor is taken for markup.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            // Not every reader of Markdown knows a backslash before these.
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            c if c.is_control() => escaped.push(' '),
            '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' | '\\' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn every_table_has_as_many_cells_in_each_row() {
        let text = markdown(&fixture::projection());
        assert!(text.starts_with("# &lt;a&gt; &amp; \"b\"\n"), "{text}");
        for part in text.split("\n\n").filter(|part| part.starts_with('|')) {
            let cells: Vec<usize> = part.lines().map(|line| line.matches('|').count()).collect();
            assert!(
                cells.len() > 2 && cells.iter().all(|count| *count == cells[0]),
                "{part}"
            );
        }
        for heading in ["## Capacity", "## Targets", "## Milestones"] {
            assert!(text.contains(heading), "{heading}");
        }
    }
}
