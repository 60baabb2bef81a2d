//! The summary as Markdown, for a wiki.

use std::fmt::Write as _;

use super::summary::year_ends;
use super::text::{MISSING, decimals, grouped, month_of, nth_month, percent, whole_percent};
use super::words::sentences;
use crate::Projection;

const METRICS: [(&str, &str); 4] = [
    ("it_power_mw", "IT MW live"),
    ("in_service_power_mw", "IT MW in service"),
    ("installed_pflops", "PFLOPS installed"),
    ("take_up", "take-up"),
];

/// The answer in sentences, capacity year by year, targets and milestones, as Markdown with tables.
pub fn markdown(projection: &Projection) -> String {
    let provenance = projection.provenance();
    let layout = projection.layout();
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
    let metrics: Vec<_> = (METRICS.iter())
        .filter_map(|(name, title)| Some((title, projection.metric(name)?)))
        .collect();
    if !metrics.is_empty() {
        text += "\n## Capacity: P50 (P10 to P90)\n\n| end of |";
        for (title, _) in &metrics {
            let _ = write!(text, " {title} |");
        }
        text += "\n| --- |";
        text += &" ---: |".repeat(metrics.len());
        text.push('\n');
        for month in year_ends(projection) {
            let _ = write!(text, "| {} |", nth_month(layout.start, month));
            for (_, metric) in &metrics {
                let quantiles = metric.month(month).map(|d| d.quantiles(&[0.1, 0.5, 0.9]));
                let quantiles = quantiles.unwrap_or_else(|| vec![None; 3]);
                let greatest = quantiles
                    .iter()
                    .flatten()
                    .fold(0.0, |a: f64, x| a.max(x.abs()));
                let places = decimals(metric.unit(), greatest);
                let show = |x: Option<f64>| match x {
                    None => MISSING.to_owned(),
                    Some(x) if metric.unit() == "share" => whole_percent(x),
                    Some(x) => grouped(x, places),
                };
                let [low, middle, high] = [0, 1, 2].map(|at| show(quantiles[at]));
                let _ = write!(text, " {middle} ({low} to {high}) |");
            }
            text.push('\n');
        }
    }
    if projection.targets().next().is_some() {
        text += "\n## Targets\n\n| target | probability |\n| --- | ---: |\n";
        for target in projection.targets() {
            let _ = writeln!(
                text,
                "| {} | {} |",
                cell(&target.label().name),
                percent(target.probability())
            );
        }
    }
    if projection.milestones().next().is_some() {
        text += "\n## Milestones\n\n| milestone | P10 | P50 | P90 | reached |\n| --- | --- | --- | --- | ---: |\n";
        for (name, distribution) in projection.milestones() {
            let _ = write!(text, "| {} |", cell(name));
            for months in distribution.quantiles(&[0.1, 0.5, 0.9]) {
                let date = months.and_then(|months| month_of(layout.start, months));
                let _ = write!(text, " {} |", date.unwrap_or_else(|| "later".to_owned()));
            }
            let _ = writeln!(text, " {} |", percent(distribution.probability()));
        }
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
