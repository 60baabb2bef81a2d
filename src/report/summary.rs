//! The summary: what a planner reads first.

use std::ops::Range;
use unicode_width::UnicodeWidthStr;

use super::table::{
    GAP, WIDTH, columns_within, in_two_halves, left, one_line, paragraph, right, split_by_width,
    table_width,
};
use super::text::{
    MISSING, decimals, grouped, month_name, month_of, nth_month, percent, whole_percent, wrapped,
};
use crate::Projection;
use crate::projection::{Distribution, MetricView, ScopeView};

/// The metrics of the summary and their headings, by what stands side by side.
pub(super) const KEY_METRICS: [&[(&str, &str)]; 3] = [
    &[
        ("racks_deployable", "racks live"),
        ("standard_racks", "standard racks"),
        ("it_power_mw", "IT MW"),
    ],
    &[
        ("installed_pflops", "installed PFLOPS"),
        ("in_service_pflops", "PFLOPS in service"),
    ],
    &[
        ("contracts_signed", "contracts signed"),
        ("take_up", "take-up"),
    ],
];

/// How much the binding constraint holds back.
const HELD_BACK: &str = "binding_constraint_mw";

/// The metrics that [`summary`] reads: a projection of these alone, and of all that does not come month by month, has the
/// summary of one of all metrics.
pub fn summary_metrics() -> impl Iterator<Item = &'static str> {
    let shown = KEY_METRICS.into_iter().flatten().map(|(name, _)| *name);
    shown.chain([HELD_BACK])
}

/// Causes in words.
const CAUSE_WORDS: [(&str, &str); 9] = [
    ("construction", "unfinished buildings"),
    ("grid", "missing grid power"),
    ("electrical", "electrical chain"),
    ("delivery", "delivery tree"),
    ("space", "full halls"),
    ("density", "low density of racks"),
    ("cooling", "cooling"),
    ("equipment", "late equipment"),
    ("demand", "too few tenants"),
];

/// What a planner reads first: capacity year by year, milestones as dates, targets with their
/// probabilities, and what holds capacity back.
///
/// Plain text of at most 80 columns (a longer name of the scenario's stands on a line of its own),
/// ending in a line feed. The same projection gives the same text.
pub fn summary(projection: &Projection) -> String {
    summary_within(WIDTH, projection)
}

/// The same for a reader who has this many columns, at least 80.
pub fn summary_within(columns: usize, projection: &Projection) -> String {
    let width = columns.max(WIDTH);
    let mut parts = vec![heading(projection)];
    let ends = year_ends(projection);
    let labels: Vec<String> = (ends.iter())
        .map(|month| nth_month(projection.layout().start, *month))
        .collect();
    let tables = tables(width, "end of", &labels, |name, title| {
        let metric = projection.metric(name)?;
        let months = ends.iter().map(|month| metric.month(*month)).collect();
        Some(Group::new(title, metric, months))
    });
    if !tables.is_empty() {
        parts.push(format!("Capacity: P50 and P10–P90\n\n{tables}"));
    }
    parts.extend(campuses(width, projection));
    parts.extend(targets(width, projection));
    parts.extend(milestones(width, projection));
    parts.extend(binding(width, projection));
    parts.extend(super::money::outcomes(width, projection));
    parts.join("\n")
}

fn heading(projection: &Projection) -> String {
    let layout = projection.layout();
    let provenance = projection.provenance();
    let name = one_line(&provenance.scenario);
    let trials = projection.trials();
    format!(
        "{name}\n{}\n{} {}, seed {}, buildout {}; {} to {}\n",
        "=".repeat(name.width().clamp(1, WIDTH)),
        grouped(trials as f64, 0),
        if trials == 1 { "trial" } else { "trials" },
        provenance.seed,
        provenance.version,
        month_name(layout.start),
        nth_month(layout.start, layout.months - 1),
    )
}

/// The last month of each calendar year within the horizon, from 0.
pub(super) fn year_ends(projection: &Projection) -> Vec<usize> {
    let layout = projection.layout();
    let december = usize::try_from(12 - layout.start.month_of_year()).unwrap_or_default();
    let mut ends: Vec<usize> = (december..layout.months).step_by(12).collect();
    if ends.last() != Some(&(layout.months - 1)) {
        ends.push(layout.months - 1);
    }
    ends
}

/// One metric of a table: its P50 and range, row by row.
struct Group {
    title: String,
    cells: Vec<[String; 2]>,
}

impl Group {
    fn new(title: &str, metric: MetricView<'_>, rows: Vec<Option<Distribution<'_>>>) -> Self {
        let quantiles: Vec<[Option<f64>; 3]> = rows
            .iter()
            .map(|row| match row {
                Some(distribution) => [0.1, 0.5, 0.9].map(|p| distribution.quantile(p)),
                None => [None; 3],
            })
            .collect();
        let greatest = (quantiles.iter().flatten().flatten()).fold(0.0, |a: f64, x| a.max(x.abs()));
        let places = decimals(metric.unit(), greatest);
        let show = |x: Option<f64>| match x {
            None => MISSING.to_owned(),
            Some(x) if metric.unit() == "share" => whole_percent(x),
            Some(x) => grouped(x, places),
        };
        let cells = quantiles
            .into_iter()
            .map(|[low, middle, high]| {
                let range = match (low, high) {
                    (None, None) => MISSING.to_owned(),
                    _ => format!("{}–{}", show(low).trim_end_matches(" %"), show(high)),
                };
                [show(middle), range]
            })
            .collect();
        Self {
            title: title.to_owned(),
            cells,
        }
    }

    fn widths(&self) -> [usize; 2] {
        let width = |column: usize| {
            let cells = self.cells.iter().map(|row| row[column].width());
            cells.max().unwrap_or_default()
        };
        let (middle, range) = (width(0).max(3), width(1).max("P10–P90".width()));
        // A title wider than both columns widens the first.
        let short = (self.title.width()).saturating_sub(middle + GAP + range);
        [middle + short, range]
    }
}

/// The key metrics as tables with the same rows, no wider than the width allows.
fn tables(
    width: usize,
    corner: &str,
    labels: &[String],
    group: impl Fn(&str, &str) -> Option<Group>,
) -> String {
    let label_width = (labels.iter().map(|label| label.width()))
        .chain([corner.width()])
        .max()
        .unwrap_or_default();
    let mut tables = Vec::new();
    for metrics in KEY_METRICS {
        let groups: Vec<Group> = (metrics.iter())
            .filter_map(|(name, title)| group(name, title))
            .collect();
        let widths: Vec<usize> = (groups.iter())
            .map(|group| GAP + 1 + group.widths().iter().sum::<usize>() + GAP)
            .collect();
        for part in split_by_width(&widths, width.saturating_sub(label_width)) {
            tables.push(table_of(corner, label_width, labels, &groups[part]));
        }
    }
    tables.join("\n")
}

fn table_of(corner: &str, label_width: usize, labels: &[String], groups: &[Group]) -> String {
    let mut titles = " ".repeat(label_width);
    let mut heads = left(corner, label_width);
    let mut lines: Vec<String> = labels
        .iter()
        .map(|label| left(label, label_width))
        .collect();
    let gap = " ".repeat(GAP + 1);
    for group in groups {
        let [middle, range] = group.widths();
        titles += &format!("{gap}{}", right(&group.title, middle + GAP + range));
        heads += &format!("{gap}{}  {}", right("P50", middle), right("P10–P90", range));
        for (line, cells) in lines.iter_mut().zip(&group.cells) {
            *line += &format!(
                "{gap}{}  {}",
                right(&cells[0], middle),
                right(&cells[1], range)
            );
        }
    }
    lines.splice(0..0, [titles, heads]);
    paragraph(&lines)
}

/// The campuses at the end of the horizon, if there are several.
fn campuses(width: usize, projection: &Projection) -> Option<String> {
    let campuses: Vec<ScopeView<'_>> = projection.campuses().collect();
    let last = projection.layout().months - 1;
    let labels: Vec<String> = (campuses.iter())
        .map(|campus| one_line(campus.name()))
        .collect();
    let tables = tables(width, "campus", &labels, |name, title| {
        let months = campuses
            .iter()
            .map(|campus| campus.metric(name)?.month(last))
            .collect();
        Some(Group::new(title, projection.metric(name)?, months))
    });
    if campuses.is_empty() || tables.is_empty() {
        return None;
    }
    let end = nth_month(projection.layout().start, last);
    Some(format!("Campuses at the end of {end}\n\n{tables}"))
}

fn targets(width: usize, projection: &Projection) -> Option<String> {
    let targets: Vec<[String; 3]> = projection
        .targets()
        .map(|target| {
            let trials = grouped(projection.trials() as f64, 0);
            let error = match (target.probability(), target.std_error()) {
                (Some(0.0), _) => format!("in none of {trials} trials"),
                (Some(1.0), _) => format!("in all of {trials} trials"),
                (_, Some(error)) => format!("± {:.1} %", error * 100.0),
                (_, None) => String::new(),
            };
            [
                one_line(&target.label().name),
                percent(target.probability()),
                error,
            ]
        })
        .collect();
    if targets.is_empty() {
        return None;
    }
    let lines = columns_within(width, &["", "", ""], &targets, &[1]);
    let mut with_descriptions = Vec::new();
    for (target, line) in projection.targets().zip(lines.into_iter().skip(1)) {
        with_descriptions.push(line);
        with_descriptions.push(format!("    {}", one_line(&target.label().description)));
    }
    Some(format!(
        "Targets: probability ± its standard error\n\n{}",
        paragraph(&with_descriptions)
    ))
}

fn milestones(width: usize, projection: &Projection) -> Option<String> {
    let layout = projection.layout();
    let last = nth_month(layout.start, layout.months - 1);
    let mut any_later = false;
    let mut rows: Vec<[String; 5]> = Vec::new();
    for (name, distribution) in projection.milestones() {
        let exists = distribution.count() > 0;
        let quantiles = distribution.quantiles(&[0.5, 0.8, 0.9]);
        let mut dates = quantiles.into_iter().map(|months| {
            let date = months.and_then(|months| month_of(layout.start, months));
            any_later |= date.is_none() && exists;
            date.unwrap_or_else(|| if exists { "later" } else { MISSING }.to_owned())
        });
        let mut next = || dates.next().unwrap_or_default();
        rows.push([
            one_line(name),
            next(),
            next(),
            next(),
            percent(distribution.probability()),
        ]);
    }
    if rows.is_empty() {
        return None;
    }
    // What the scenario states comes first, the buildings last.
    let others = rows
        .iter()
        .rposition(|row| !row[0].ends_with(" live"))
        .map_or(0, |last| last + 1);
    let (others, buildings) = rows.split_at(others);
    let title = format!(
        "Milestones: the month by whose end 50, 80 and 90 % of the trials have reached them, and the \
         share that reaches them within the horizon, which ends with {last}"
    );
    let mut text = wrapped(&title, width);
    let heads = ["", "P50", "P80", "P90", "reached"];
    for list in [others, buildings] {
        if !list.is_empty() {
            let lines = in_two_halves(width, columns_within(width, &heads, list, &[1, 2, 3, 4]));
            text += &format!("\n{}", paragraph(&lines));
        }
    }
    if any_later {
        text += &format!(
            "\nlater: not within the horizon in that share of the trials, but after {last}\n"
        );
    }
    Some(text)
}

/// The causes that bind in some month of some trial, with their shares by month.
pub(super) fn ever_binding<'a>(scope: ScopeView<'a>) -> Vec<(&'a str, Vec<f64>)> {
    (scope.bindings())
        .filter(|(_, shares)| shares.iter().any(|share| *share > 0.0))
        .collect()
}

fn binding(width: usize, projection: &Projection) -> Option<String> {
    let total = projection.total();
    let causes = ever_binding(total);
    if causes.is_empty() || projection.trials() == 0 {
        return None;
    }
    let held_back = total.metric(HELD_BACK).map(|m| m.mean());
    let ends = year_ends(projection);
    let places = (held_back.iter().flatten()).fold(0.0, |a: f64, x| a.max(*x));
    let places = decimals("MW", places);
    let of_nothing = |month: usize| 1.0 - causes.iter().map(|(_, s)| s[month]).sum::<f64>();
    let months = ends.last().map_or(0, |end| end + 1);
    let says_nothing = (0..months).any(|month| of_nothing(month) > 1e-9);
    let mut start = 0;
    let mut rows: Vec<Vec<String>> = ends
        .iter()
        .map(|&end| {
            let months = start..end + 1;
            start = end + 1;
            let year = projection.layout().start.plus_months(end as f64);
            let (shares, none, leading) = shares_of(&causes, months.clone());
            let mut row = vec![year.map_or_else(String::new, |date| date.year().to_string())];
            row.extend(shares.iter().map(|share| whole_percent(*share)));
            if says_nothing {
                row.push(whole_percent(none));
            }
            if let Some(held_back) = &held_back {
                row.push(grouped(mean(&held_back[months]), places));
            }
            row.push(leading.to_owned());
            row
        })
        .collect();
    let mut heads = vec![""];
    heads.extend(causes.iter().map(|(cause, _)| *cause));
    if says_nothing {
        heads.push("nothing");
    }
    if held_back.is_some() {
        heads.push("mean MW");
    }
    heads.push("most often");
    let numbers: Vec<usize> = (1..heads.len() - 1).collect();
    let title = "What holds capacity in service back: share of the months of all trials, and the MW held back";
    if table_width(&heads, &rows) > width {
        // The greatest share says the same.
        heads.pop();
        for row in &mut rows {
            row.pop();
        }
    }
    let table = paragraph(&columns_within(width, &heads, &rows, &numbers));
    Some(format!("{}\n{table}", wrapped(title, width)))
}

fn mean(list: &[f64]) -> f64 {
    list.iter().sum::<f64>() / list.len() as f64
}

/// The share of some months in which each cause binds, that of nothing, and what binds most often.
fn shares_of<'a>(causes: &[(&'a str, Vec<f64>)], months: Range<usize>) -> (Vec<f64>, f64, &'a str) {
    let shares: Vec<f64> = (causes.iter())
        .map(|(_, shares)| mean(&shares[months.clone()]))
        .collect();
    let none = (1.0 - shares.iter().sum::<f64>()).max(0.0);
    let mut leading = ("nothing", none);
    for ((cause, _), share) in causes.iter().zip(&shares) {
        if *share > leading.1 {
            leading = (cause_words(cause), *share);
        }
    }
    (shares, none, leading.0)
}

pub(super) fn cause_words(cause: &str) -> &str {
    (CAUSE_WORDS.iter())
        .find(|(name, _)| *name == cause)
        .map_or(cause, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.width()).max().unwrap()
    }

    #[test]
    fn a_summary_says_what_was_run_and_what_came_out() {
        let text = summary(&fixture::projection());
        for words in [
            "<a> & \"b\"",
            "200 trials, seed 1, buildout",
            "May 2024 to Dec 2025",
            "Dec 2024",
            "Dec 2025",
            "both shells",
            "B2 live",
            "a thousand racks",
            "racks_deployable at least 1000 by 2025-04",
            "±",
            "too few tenants",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
        assert!(widest(&text) <= WIDTH, "{text}");
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn what_lies_beyond_the_horizon_is_said_in_words() {
        let text = summary(&fixture::run(&fixture::scenario(1, 6)));
        assert!(text.contains("later"), "{text}");
        assert!(text.contains("but after Oct 2024"), "{text}");
    }

    #[test]
    fn many_milestones_are_set_in_two_columns() {
        let text = summary(&fixture::run(&fixture::scenario(130, 300)));
        assert!(text.contains("B130") && widest(&text) <= WIDTH, "{text}");
        let wide = summary_within(100, &fixture::run(&fixture::scenario(130, 300)));
        assert!(wide.lines().count() + 60 < text.lines().count(), "{wide}");
        assert!(widest(&wide) > WIDTH && widest(&wide) <= 100, "{wide}");
    }

    #[test]
    fn a_long_name_gets_lines_of_its_own() {
        let mut scenario = fixture::scenario(1, 24);
        let name = "数据".repeat(40);
        scenario.milestones.push(crate::scenario::Milestone {
            name,
            requires: vec!["B1/shell".to_owned()],
        });
        let text = summary(&fixture::run(&scenario));
        let half = "数据".repeat(20);
        assert_eq!(
            text.lines().filter(|line| *line == half).count(),
            2,
            "{text}"
        );
        assert!(widest(&text) <= WIDTH, "{text}");
    }

    #[test]
    fn several_campuses_are_distinguished_and_a_horizon_of_one_month_is_enough() {
        let mut scenario = fixture::scenario(1, 1);
        scenario.campuses.push(crate::site::Campus::new("south"));
        let text = summary(&fixture::run(&scenario));
        assert!(text.contains("Campuses at the end of May 2024"), "{text}");
        assert!(text.contains("south"), "{text}");
    }
}
