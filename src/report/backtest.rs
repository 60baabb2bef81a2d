//! How good forecasts were: Markdown, comma-separated values, charts and a page.

use std::fmt::Write as _;

use super::chart::{Bar, BarChart};
use super::html::track_record;
use super::outputs::OutputFile;
use super::table::{Table, one_line};
use super::text::{MISSING, grouped, whole_percent};
use crate::analysis::backtest::{LEVELS, Score, Summary, TrackRecord};
use crate::projection::quoted;

/// The names of the files that [`backtest_outputs`] makes, in its order.
pub const BACKTEST_OUTPUTS: [&str; 6] = [
    "backtest.json",
    "backtest.csv",
    "backtest.md",
    "backtest.html",
    "backtest.svg",
    "backtest-pit.svg",
];
/// Between which percentiles the central shares of [`LEVELS`] lie.
pub(super) const CENTRAL: [&str; LEVELS.len()] = ["P25 to P75", "P10 to P90", "P5 to P95"];
/// A share of cases is off if it is by more than so many standard errors.
const OFF_BY: f64 = 2.0;
/// Of fewer subjects resampling says little about errors. (assumption)
const FEW_SUBJECTS: usize = 5;

/// The files of a back-test: all of it as JSON, its cases as a table, to read as Markdown and as a page with so many of the worst
/// misses, and charts of the scores and of the probability integral transform.
pub fn backtest_outputs(
    record: &TrackRecord,
    misses: usize,
) -> Result<Vec<OutputFile>, serde_json::Error> {
    let mut json = serde_json::to_vec_pretty(record)?;
    json.push(b'\n');
    let contents = [
        json,
        backtest_csv(record).into_bytes(),
        backtest_markdown(record, misses).into_bytes(),
        track_record(record, misses).into_bytes(),
        backtest_chart(record).to_svg().into_bytes(),
        pit_chart(record).to_svg().into_bytes(),
    ];
    let named = BACKTEST_OUTPUTS.into_iter().zip(contents);
    Ok(named
        .map(|(name, contents)| OutputFile::new(name, contents))
        .collect())
}

/// A number to three decimals.
pub(super) fn number(value: f64) -> String {
    grouped(value, 3)
}

/// A difference to three decimals with its sign.
pub(super) fn signed(value: f64) -> String {
    if value.is_nan() {
        MISSING.to_owned()
    } else {
        format!("{value:+.3}")
    }
}

/// How many times P5 the P95 of forecasts is, in the geometric mean over cases (both with the floor added).
pub(super) fn times(summary: &Summary) -> String {
    grouped(summary.width.exp(), 1)
}

/// A forecaster that gives ranges, not single values.
pub(super) fn has_ranges(summary: &Summary) -> bool {
    summary.width > 0.0
}

/// Whether a share of cases is off what it should be by more than chance makes of it.
pub(super) fn is_off(share: f64, error: f64, expected: f64) -> bool {
    (share - expected).abs() > OFF_BY * error
}

/// What it comes to: calibration, sharpness and score of the best of those who are judged, a sentence each.
pub(super) fn verdict(record: &TrackRecord) -> Vec<String> {
    let Some(leader) = record.leader() else {
        return Vec::new();
    };
    let mut sentences = Vec::new();
    if has_ranges(leader) {
        sentences.push(calibration(leader));
        let sharpness = format!("On average its P95 is {} times its P5", times(leader));
        sentences.push(match record.rival().filter(|rival| has_ranges(rival)) {
            Some(rival) => format!(
                "{sharpness} ({}: {} times).",
                one_line(&rival.forecaster),
                times(rival)
            ),
            None => format!("{sharpness}."),
        });
    }
    sentences.extend(record.rival().map(|rival| skill(record, leader, rival)));
    let best = (record.summaries.iter()).find(|of| !record.judged.contains(&of.forecaster));
    let is_told = |best: &&Summary| Some(best.forecaster.as_str()) != told(record);
    if let Some(best) = best.filter(is_told) {
        sentences.push(format!(
            "The best of those who know no scenario is {} with {}.",
            one_line(&best.forecaster),
            number(best.log_crps)
        ));
    }
    if leader.subjects < FEW_SUBJECTS {
        sentences.push(format!(
            "All cases are of {} subjects, too few to say how sure this is.",
            leader.subjects
        ));
    }
    sentences
}

/// With whom the verdict compares.
fn told(record: &TrackRecord) -> Option<&str> {
    record.rival().map(|rival| rival.forecaster.as_str())
}

/// Whether intervals hold as many cases as they should; if not, the level that is off the most.
fn calibration(summary: &Summary) -> String {
    let name = one_line(&summary.forecaster);
    let off = |level: usize| {
        let gap = (summary.coverage[level] - LEVELS[level]).abs();
        gap / summary.coverage_error[level].max(f64::MIN_POSITIVE)
    };
    let most = (0..LEVELS.len()).max_by(|a, b| off(*a).total_cmp(&off(*b)));
    let most = most.filter(|level| off(*level) > OFF_BY);
    let level = most.unwrap_or(1);
    let (share, expected) = (summary.coverage[level], LEVELS[level]);
    let said = format!(
        "{} held {} ± {} of {} cases, and should hold {}.",
        CENTRAL[level],
        whole_percent(share),
        whole_percent(summary.coverage_error[level]),
        grouped(summary.cases as f64, 0),
        whole_percent(expected),
    );
    match most {
        None => format!("Ranges of {name} are as wide as they should be, within the error: {said}"),
        Some(_) if share < expected => format!("Ranges of {name} are too narrow: {said}"),
        Some(_) => format!("Ranges of {name} are too wide: {said}"),
    }
}

/// How much better or worse the leader is than its rival.
fn skill(record: &TrackRecord, leader: &Summary, rival: &Summary) -> String {
    // The difference stands with the one of both that is not the reference.
    let is_reference = leader.forecaster == record.reference;
    let of = if is_reference { rival } else { leader };
    let gap = if is_reference {
        -of.difference
    } else {
        of.difference
    };
    let share = (leader.log_crps / rival.log_crps - 1.0).abs();
    let word = if gap < 0.0 { "less" } else { "more" };
    let known = if gap.abs() > OFF_BY * of.difference_error {
        ""
    } else {
        ", which may be chance"
    };
    format!(
        "Its score, the CRPS of logarithms, is {}: {} {word} than that of {} (by {} ± {}{known}).",
        number(leader.log_crps),
        whole_percent(share),
        one_line(&rival.forecaster),
        number(gap.abs()),
        number(of.difference_error),
    )
}

/// The scores of all forecasters as bars with two standard errors, the best first.
pub fn backtest_chart(record: &TrackRecord) -> BarChart {
    let cases = record.summaries.first().map_or(0, |summary| summary.cases);
    let subtitle = format!(
        "CRPS of logarithms, {} cases; lower is better; whiskers: two standard errors over subjects",
        grouped(cases as f64, 0)
    );
    let title = "How far forecasts were from what came";
    BarChart::new((title, subtitle), "", 0.0, score_bars(&record.summaries))
}

/// A bar from nothing to the score of each forecaster.
fn score_bars(summaries: &[Summary]) -> Vec<Bar> {
    let bar = |summary: &Summary| {
        let whisker = 2.0 * summary.log_crps_error;
        Bar {
            name: one_line(&summary.forecaster),
            low: 0.0,
            high: summary.log_crps,
            whiskers: Some((
                (summary.log_crps - whisker).max(0.0),
                summary.log_crps + whisker,
            )),
            ends: [String::new(), String::new()],
            note: format!(
                "{} ± {}",
                number(summary.log_crps),
                number(summary.log_crps_error)
            ),
        }
    };
    summaries.iter().map(bar).collect()
}

/// Where in the forecasts of the best of those who are judged what came has been: the share of cases in each tenth of the probability
/// integral transform, against a tenth.
pub fn pit_chart(record: &TrackRecord) -> BarChart {
    let leader = record.leader();
    let name = leader.map_or(MISSING.to_owned(), |leader| one_line(&leader.forecaster));
    let bars = leader.map_or_else(Vec::new, pit_bars);
    let title = format!("Where what came lay in the forecasts of {name}");
    let subtitle = "Share of cases by tenths of the forecast; calibrated: a tenth in each; whiskers: two standard errors";
    BarChart::new((title, subtitle), "share", 0.1, bars)
}

/// A bar from nothing to the share of cases in each tenth.
pub(super) fn pit_bars(summary: &Summary) -> Vec<Bar> {
    let shares = summary.pit_tenths.iter().zip(&summary.pit_tenths_error);
    let bar = |(tenth, (&share, &error)): (usize, (&f64, &f64))| Bar {
        name: match tenth {
            0 => "below P10".to_owned(),
            9 => "above P90".to_owned(),
            _ => format!("P{}0 to P{}0", tenth, tenth + 1),
        },
        low: 0.0,
        high: share,
        whiskers: Some(((share - 2.0 * error).max(0.0), share + 2.0 * error)),
        ends: [String::new(), String::new()],
        note: whole_percent(share),
    };
    shares.enumerate().map(bar).collect()
}

/// The record as Markdown: all cases, then by months ahead and by quantity, and so many of the worst misses.
pub fn backtest_markdown(record: &TrackRecord, misses: usize) -> String {
    let mut text = "# Track record\n".to_owned();
    section(&mut text, "All cases", &record.summaries);
    for part in &record.by_horizon {
        let title = format!("{} months ahead", part.months_ahead);
        section(&mut text, &title, &part.summaries);
    }
    for part in &record.by_quantity {
        section(&mut text, &cell(&part.quantity), &part.summaries);
    }
    let (missed, worst) = worst(record, misses);
    let _ = writeln!(text, "\n## Misses\n\n{}\n", missed_words(missed));
    text + &as_markdown(&misses_table(&worst), 5)
}

fn section(text: &mut String, title: &str, summaries: &[Summary]) {
    let (cases, subjects) = summaries.first().map_or((0, 0), |s| (s.cases, s.subjects));
    let _ = write!(
        text,
        "\n## {title}\n\n{cases} cases of {subjects} subjects.\n\n{}",
        as_markdown(&summary_table(summaries), 1)
    );
}

/// Everything of each forecaster in a row.
fn summary_table(summaries: &[Summary]) -> Table {
    let heads = vec![
        "forecaster",
        "log-CRPS",
        "±",
        "to the reference",
        "±",
        "c50",
        "c80",
        "c90",
        "above P95",
        "below P5",
        "mean PIT",
        "bias",
        "width",
    ];
    let row = |s: &Summary| {
        let mut row = vec![
            one_line(&s.forecaster),
            number(s.log_crps),
            number(s.log_crps_error),
            signed(s.difference),
            signed(s.difference_error),
        ];
        row.extend(s.coverage.map(whole_percent));
        row.extend([s.above, s.below].map(whole_percent));
        row.extend([
            grouped(s.pit, 2),
            format!("{:+.2}", s.bias),
            grouped(s.width, 2),
        ]);
        row
    };
    (heads, summaries.iter().map(row).collect())
}

/// How many cases lie outside of P5 to P95, in words.
pub(super) fn missed_words(missed: usize) -> String {
    let (cases, lie) = if missed == 1 {
        ("case", "lies")
    } else {
        ("cases", "lie")
    };
    format!(
        "{} {cases} {lie} outside of P5 to P95. The worst:",
        grouped(missed as f64, 0)
    )
}

/// How many cases forecasts with ranges missed, and so many of those missed by most.
pub(super) fn worst(record: &TrackRecord, most: usize) -> (usize, Vec<&Score>) {
    let is_missed = |score: &&Score| score.p95 > score.p5 && (score.is_above() || score.is_below());
    let mut missed: Vec<&Score> = record.scores.iter().filter(is_missed).collect();
    missed.sort_by(|a, b| b.log_crps.total_cmp(&a.log_crps));
    let count = missed.len();
    missed.truncate(most);
    (count, missed)
}

/// Cases in a row each: who forecast what, and what came.
pub(super) fn misses_table(cases: &[&Score]) -> Table {
    let heads = vec![
        "forecaster",
        "subject",
        "quantity",
        "origin",
        "date",
        "P5",
        "P50",
        "P95",
        "came",
    ];
    let row = |s: &&Score| {
        let of = &s.key;
        let words = [
            &s.forecaster,
            &of.subject,
            &of.quantity,
            &of.origin,
            &of.date,
        ];
        let mut row = words.map(|word| one_line(word)).to_vec();
        row.extend([s.p5, s.median, s.p95, s.observed].map(|value| grouped(value, 0)));
        row
    };
    (heads, cases.iter().map(row).collect())
}

/// A table as Markdown, whose first so many columns are words.
fn as_markdown((heads, rows): &Table, words: usize) -> String {
    let mut text = format!("| {} |\n|", heads.join(" | "));
    for column in 0..heads.len() {
        text += if column < words { " --- |" } else { " ---: |" };
    }
    text.push('\n');
    for row in rows {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// A text that does not end the cell of a table.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

/// Every case as comma-separated values.
pub fn backtest_csv(record: &TrackRecord) -> String {
    let mut text = String::from(
        "forecaster,subject,origin,date,quantity,months_ahead,observed,p5,median,p95,crps,log_crps,pit_below,pit_equal,bias,width\n",
    );
    for s in &record.scores {
        let of = &s.key;
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            quoted(&s.forecaster),
            quoted(&of.subject),
            of.origin,
            of.date,
            quoted(&of.quantity),
            s.months_ahead,
            s.observed,
            s.p5,
            s.median,
            s.p95,
            s.crps,
            s.log_crps,
            s.below,
            s.equal,
            s.bias,
            s.width
        );
    }
    text
}
