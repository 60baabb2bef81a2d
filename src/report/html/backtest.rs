//! The page of a back-test: how well calibrated, how sharp and how good forecasts were, beside their rivals.

use std::fmt::Write as _;

use super::escape;
use super::frame::Frame;
use crate::analysis::backtest::{LEVELS, Score, Summary, TrackRecord};
use crate::report::backtest::{
    CENTRAL, backtest_chart, has_ranges, is_off, missed_words, misses_table, number, pit_bars,
    signed, times, verdict, worst,
};
use crate::report::chart::{Bar, BarChart, icons, row_of_bars};
use crate::report::table::one_line;
use crate::report::text::{grouped, whole_percent};

/// The page, with so many of the worst misses.
pub(crate) fn track_record(record: &TrackRecord, misses: usize) -> String {
    let judged = record.judged.join(", ");
    let title = escape(&one_line(&format!("Track record of {judged}")));
    let (cases, subjects) = (record.summaries.first()).map_or((0, 0), |s| (s.cases, s.subjects));
    let about = format!(
        "<p class=soft>{} cases of {} subjects that all forecast; buildout {}</p>\n",
        grouped(cases as f64, 0),
        grouped(subjects as f64, 0),
        env!("CARGO_PKG_VERSION")
    );
    let parts = vec![
        ("answer", "The answer", answer(record)),
        ("calibration", "How well calibrated", calibration(record)),
        ("horizons", "By how far ahead", horizons(record)),
        ("quantities", "By quantity", quantities(record)),
        ("misses", "What was missed", missed(record, misses)),
        ("notes", "What the numbers are", notes(record)),
    ];
    let frame = Frame {
        title,
        about,
        parts,
        data: None,
        refreshing: false,
    };
    frame.to_html()
}

/// What it comes to, how many cases of a hundred the ranges held, and all scores.
fn answer(record: &TrackRecord) -> String {
    let words = escape(&verdict(record).join(" "));
    let asks = (record.leader())
        .filter(|leader| has_ranges(leader))
        .map_or_else(String::new, held);
    format!(
        "<p class=verdict>{words}</p><div class='first single'><div class=asks>{asks}</div>\
         <div class=shown>{}</div></div>",
        scores(record)
    )
}

/// How many cases of a hundred the ranges of a forecaster held.
fn held(summary: &Summary) -> String {
    let level = |at: usize| {
        format!(
            "<article class=ask><h3>{} of {}</h3><div class=odds>{}<p><b>held {} ± {}</b><br>of what came; should hold {}</p></div></article>",
            CENTRAL[at],
            escape(&summary.forecaster),
            icons(summary.coverage[at]),
            whole_percent(summary.coverage[at]),
            whole_percent(summary.coverage_error[at]),
            whole_percent(LEVELS[at]),
        )
    };
    (0..LEVELS.len()).map(level).collect()
}

/// The score of each forecaster with a bar, and how it differs from that of the reference.
fn scores(record: &TrackRecord) -> String {
    let chart = backtest_chart(record);
    let mut html = format!(
        "<h3>How far forecasts were from what came</h3><table class=leading><thead><tr><th>forecaster<th class=time>&nbsp;<th>log-CRPS<th>to {}<th>P95/P5</thead><tbody>",
        escape(&record.reference)
    );
    for (summary, bar) in record.summaries.iter().zip(chart.bars()) {
        let (name, width) = (escape(&summary.forecaster), sharpness(summary));
        let name = match record.judged.contains(&summary.forecaster) {
            true => format!("<strong>{name}</strong>"),
            false => name,
        };
        let difference = if summary.forecaster == record.reference {
            "reference".to_owned()
        } else {
            with_error(signed(summary.difference), summary.difference_error)
        };
        let _ = write!(
            html,
            "<tr><td>{name}<td class=time>{}<td>{}<td>{difference}<td>{width}",
            chart.in_row(bar),
            with_error(number(summary.log_crps), summary.log_crps_error),
        );
    }
    html + "</tbody></table><p class=soft>Lower is better. Bar: from nothing to the score; whiskers: two standard errors.</p>"
}

fn with_error(value: String, error: f64) -> String {
    format!("{value} <small>±&nbsp;{}</small>", number(error))
}

fn sharpness(summary: &Summary) -> String {
    if has_ranges(summary) {
        times(summary)
    } else {
        "one value".to_owned()
    }
}

/// A share of cases, marked where it is off what it should be.
fn share(share: f64, error: f64, expected: f64) -> String {
    let text = whole_percent(share).replace(' ', "&nbsp;");
    if is_off(share, error, expected) {
        format!("<b>{text}</b>")
    } else {
        text
    }
}

fn covered(summary: &Summary) -> String {
    (0..LEVELS.len())
        .map(|at| {
            let cell = share(summary.coverage[at], summary.coverage_error[at], LEVELS[at]);
            format!("<td>{cell}")
        })
        .collect()
}

/// Shares of cases within ranges, and the probability integral transform of each who is judged.
fn calibration(record: &TrackRecord) -> String {
    let mut ranges: Vec<&Summary> = record.summaries.iter().filter(|s| has_ranges(s)).collect();
    if ranges.is_empty() {
        return String::new();
    }
    let mut html = String::from("<div class=wide tabindex=0><table><thead><tr><th>forecaster");
    for (central, level) in CENTRAL.iter().zip(LEVELS) {
        let _ = write!(
            html,
            "<th>{central}<br><small>should be {}</small>",
            whole_percent(level)
        );
    }
    html += "<th>above P95<br><small>should be 5 %</small><th>below P5<br><small>should be 5 %</small><th>mean PIT<br><small>should be 0.50</small></thead><tbody>";
    for summary in &ranges {
        let _ = write!(
            html,
            "<tr><td>{}{}<td>{}<td>{}<td>{}",
            escape(&summary.forecaster),
            covered(summary),
            whole_percent(summary.above),
            whole_percent(summary.below),
            grouped(summary.pit, 2)
        );
    }
    html += "</tbody></table></div><p class=soft>Bold: off by more than two standard errors.</p><div class=multiples>";
    ranges.retain(|of| record.judged.contains(&of.forecaster));
    // All on one scale.
    let bars = ranges.iter().flat_map(|summary| pit_bars(summary));
    let chart = BarChart::new(("", ""), "share", 0.1, bars.collect());
    for (number, summary) in ranges.iter().enumerate() {
        let bars = chart.bars()[10 * number..].iter();
        html += &histogram(&chart, bars, summary);
    }
    html + "</div>"
}

/// The share of cases in each tenth of the forecasts, with a bar.
fn histogram<'a>(
    chart: &BarChart,
    bars: impl Iterator<Item = &'a Bar>,
    summary: &Summary,
) -> String {
    let mut html = format!(
        "<div><h3>Where what came lay in the forecasts of {}</h3><table class=leading><thead><tr><th>tenth of the forecast<th class=time>&nbsp;<th>of cases</thead><tbody>",
        escape(&summary.forecaster)
    );
    let shares = summary.pit_tenths.into_iter().zip(summary.pit_tenths_error);
    for (bar, (of, error)) in bars.zip(shares) {
        let _ = write!(
            html,
            "<tr><td>{}<td class=time>{}<td>{}",
            escape(&bar.name),
            chart.in_row(bar),
            share(of, error, 0.1)
        );
    }
    html + "</tbody></table><p class=soft>Tick: a tenth, as it should be; whiskers: two standard errors.</p></div>"
}

fn horizons(record: &TrackRecord) -> String {
    let rows = record.by_horizon.iter();
    by_part(
        record,
        "months ahead",
        rows.map(|part| (part.months_ahead.to_string(), part.summaries.as_slice())),
    )
}

fn quantities(record: &TrackRecord) -> String {
    let rows = record.by_quantity.iter();
    by_part(
        record,
        "quantity",
        rows.map(|part| (part.quantity.clone(), part.summaries.as_slice())),
    )
}

/// The scores of all forecasters in each part of the cases, and the ranges of the best of those who are judged.
fn by_part<'a>(
    record: &TrackRecord,
    head: &str,
    parts: impl Iterator<Item = (String, &'a [Summary])>,
) -> String {
    let Some(leader) = record.leader() else {
        return String::new();
    };
    let with_ranges = has_ranges(leader);
    let mut html = format!("<div class=wide tabindex=0><table><thead><tr><th>{head}<th>cases");
    for summary in &record.summaries {
        let _ = write!(html, "<th>{}", escape(&summary.forecaster));
    }
    if with_ranges {
        html += &CENTRAL.map(|central| format!("<th>{central}")).concat();
        html += "<th>P95/P5";
    }
    html += "</thead><tbody>";
    for (name, summaries) in parts {
        let of = |name: &str| summaries.iter().find(|s| s.forecaster == name);
        let cases = summaries.first().map_or(0, |s| s.cases);
        let _ = write!(
            html,
            "<tr><td>{}<td>{}",
            escape(&name),
            grouped(cases as f64, 0)
        );
        let best = summaries.first().map(|s| &s.forecaster);
        for column in &record.summaries {
            let score = of(&column.forecaster).map_or(f64::NAN, |s| s.log_crps);
            let _ = match best == Some(&column.forecaster) {
                true => write!(html, "<td><strong>{}</strong>", number(score)),
                false => write!(html, "<td>{}", number(score)),
            };
        }
        if let Some(own) = of(&leader.forecaster).filter(|_| with_ranges) {
            let _ = write!(html, "{}<td>{}", covered(own), sharpness(own));
        }
    }
    html += "</tbody></table></div>";
    let name = escape(&leader.forecaster);
    html + &if with_ranges {
        format!(
            "<p class=soft>log-CRPS, the best in bold. Shares of cases within the ranges of {name}, in bold where they are off by more \
             than two standard errors.</p>"
        )
    } else {
        "<p class=soft>log-CRPS, the best in bold.</p>".to_owned()
    }
}

/// The cases that were missed by most, with a bar from P5 to P95 and a tick at what came.
fn missed(record: &TrackRecord, most: usize) -> String {
    let (count, worst) = worst(record, most);
    let words = format!("<p>{}</p>", escape(&missed_words(count)));
    if worst.is_empty() {
        return words;
    }
    let (heads, rows) = misses_table(&worst);
    let mut html = words + "<div class=wide tabindex=0><table class=gantt><thead><tr>";
    for head in &heads {
        let _ = write!(html, "<th>{head}");
    }
    html += "<th class=time>&nbsp;</thead><tbody>";
    for (row, case) in rows.iter().zip(&worst) {
        html += "<tr>";
        for cell in row {
            let _ = write!(html, "<td>{}", escape(cell));
        }
        let _ = write!(html, "<td class=time>{}", range(case));
    }
    html + "</tbody></table></div><p class=soft>Bar: from P5 to P95; tick: what came; each row on a scale of its own, from nothing.</p>"
}

fn range(case: &Score) -> String {
    let greatest = case.p95.max(case.observed).max(f64::MIN_POSITIVE);
    let at = |value: f64| 96.0 * (value / greatest).max(0.0);
    row_of_bars(
        &[],
        None,
        (at(case.p5), at(case.p95)),
        Some(at(case.observed)),
    )
}

fn notes(record: &TrackRecord) -> String {
    let differences = format!(
        "Differences are to {}, on the same cases; standard errors come from resampling whole subjects.",
        escape(&record.reference)
    );
    format!(
        "<p>log-CRPS: the continuous ranked probability score of log(value + floor), for a single value its distance; 0 is best. {differences}</p>\
         <p>Within: the probability that the randomised probability integral transform (PIT) lies in the central share, so that ranges which \
         end where nothing is built do not count as too wide. P95/P5: how sharp, as the geometric mean over cases with floors added; \
         of forecasters that are calibrated alike the sharper is better.</p>\
         <p>Rivals know the observations up to each origin and nothing of the scenario: the last value, a straight line, an exponential and an \
         S-curve through the subject's own, and the growth (reference class) and the steps (step process) of the other subjects.</p>"
    )
}
