//! Scenarios against each other: to read, and as tables for other programs.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::outputs::{OutputFile, OutputsError};
use super::summary::{columns, one_line, paragraph};
use super::text::{MISSING, decimals, grouped, month_name, month_of, percent};
use crate::analysis::compare::{Compared, Difference, Level, MeasureKind, MeasureLabel, SHARE};
use crate::projection::{number, quoted};

/// The names of the files that [`comparison_outputs`] makes, in its order.
pub const COMPARISON_OUTPUTS: [&str; 3] = ["comparison.json", "comparison.csv", "comparison.txt"];

/// A comparison in tables to read, one for each measure, under a title.
pub fn comparison(title: &str, compared: &Compared) -> String {
    let title = one_line(title);
    let count = compared.scenarios.len();
    let mut parts = vec![format!(
        "{title}\n{}\n{count} scenarios on common random numbers: {} trials of each, seed {}, buildout {}\n\
         Differences are from \"{}\", ± at {} % confidence\n",
        "=".repeat(title.width().max(1)),
        grouped(compared.trials as f64, 0),
        compared.seed,
        compared.version,
        one_line(&compared.scenarios[compared.baseline].name),
        number(compared.confidence * 100.0),
    )];
    parts.extend(comparison_goals(compared));
    for (position, measure) in compared.measures.iter().enumerate() {
        parts.push(table(compared, position, measure));
    }
    parts.push(
        "Fewer: by how many times fewer trials a difference is known as well as if each scenario\n\
         had random numbers of its own.\n"
            .to_owned(),
    );
    parts.join("\n")
}

/// How well the goals of a comparison are known, in a table to read; `None` if it has none.
pub fn comparison_goals(compared: &Compared) -> Option<String> {
    let goals = compared.goals.as_ref()?;
    let all = if goals.are_reached() {
        "all goals are reached"
    } else {
        "not all goals are reached, and these are the most trials that were asked for"
    };
    let rows: Vec<Vec<String>> = (goals.known.iter())
        .map(|known| {
            // Two digits of the width that was asked for.
            let digits = 1.0 - known.within.log10().floor();
            let places = digits.clamp(0.0, 9.0) as usize;
            let unit = match known.unit.as_str() {
                "" | SHARE => String::new(),
                unit => format!(" {unit}"),
            };
            let amount =
                |x: Option<f64>| x.map_or_else(|| MISSING.to_owned(), |x| grouped(x, places));
            vec![
                format!(
                    "{} in {}",
                    one_line(&known.goal),
                    one_line(&compared.scenarios[known.scenario].name)
                ),
                amount(known.low),
                amount(known.high),
                amount(known.half_width),
                format!("{}{unit}", amount(Some(known.within))),
                if known.reached { "known" } else { "NOT known" }.to_owned(),
            ]
        })
        .collect();
    let heads = ["", "from", "to", "±", "asked", ""];
    Some(format!(
        "{} trials of each: {all}\n(± at {} % confidence of all goals together, whenever one looks)\n\n{}",
        grouped(compared.trials as f64, 0),
        number(goals.confidence * 100.0),
        paragraph(&columns(&heads, &rows, &[1, 2, 3, 4]))
    ))
}

fn table(compared: &Compared, position: usize, measure: &MeasureLabel) -> String {
    let is_milestone = measure.kind == MeasureKind::Milestone;
    let is_target = measure.kind == MeasureKind::Target;
    let title = match measure.kind {
        MeasureKind::Milestone => format!(
            "{}, in months after the start of {}",
            measure.name,
            month_name(compared.start)
        ),
        MeasureKind::Target => format!("{}: probability", measure.name),
        _ if measure.unit.is_empty() => measure.name.clone(),
        _ => format!("{}, {}", measure.name, measure.unit),
    };
    let levels: Vec<&Level> = (0..compared.scenarios.len())
        .filter_map(|scenario| compared.level(position, scenario))
        .collect();
    let values = levels.iter().flat_map(|level| [level.mean, level.p90]);
    let greatest = values.flatten().map(f64::abs).fold(0.0, f64::max);
    let places = decimals(&measure.unit, greatest);
    let amount = |x: Option<f64>| match x {
        None => MISSING.to_owned(),
        Some(share) if is_target => percent(Some(share)),
        Some(x) => grouped(x, places),
    };
    let (more, less) = if is_milestone {
        ("later", "earlier")
    } else if is_target {
        ("gained", "lost")
    } else {
        ("more", "less")
    };
    let mut heads = vec!["", "mean"];
    if is_milestone {
        heads.extend(["P50", "reached"]);
    } else if !is_target {
        heads.push("P10 to P90");
    }
    heads.extend(["difference", more, less, "fewer"]);
    let rows: Vec<Vec<String>> = (levels.iter())
        .map(|level| {
            let mut row = vec![
                one_line(&compared.scenarios[level.scenario].name),
                amount(level.mean),
            ];
            if is_milestone {
                let month = level.p50.and_then(|p50| month_of(compared.start, p50));
                row.push(month.unwrap_or_else(|| "later".to_owned()));
                let reached = level.trials as f64 / compared.trials as f64;
                row.push(percent(Some(reached)));
            } else if !is_target {
                row.push(format!("{} to {}", amount(level.p10), amount(level.p90)));
            }
            row.extend(match compared.difference(position, level.scenario) {
                Some(difference) => against(difference, measure, greatest),
                None => vec![MISSING.to_owned(); 4],
            });
            row
        })
        .collect();
    let numbers: Vec<usize> = (1..heads.len()).collect();
    format!(
        "{}\n\n{}",
        one_line(&title),
        paragraph(&columns(&heads, &rows, &numbers))
    )
}

/// The cells of a difference.
fn against(difference: &Difference, measure: &MeasureLabel, greatest: f64) -> Vec<String> {
    let scale = if measure.kind == MeasureKind::Target {
        100.0
    } else {
        1.0
    };
    // As many decimals as the error of the difference deserves, but no fewer than the measure itself.
    let error = difference.std_error.unwrap_or(0.0) * scale;
    let usual = match measure.kind {
        MeasureKind::Target => 1,
        _ => decimals(&measure.unit, greatest),
    };
    let places = match error {
        x if x > 0.0 && x < 0.05 => usual.max(2),
        x if x > 0.0 && x < 0.5 => usual.max(1),
        _ => usual,
    };
    let text = match (difference.mean, difference.high) {
        _ if difference.share_equal == Some(1.0) => "the same".to_owned(),
        (Some(mean), high) => {
            let text = grouped(mean * scale, places);
            let sign = if mean > 0.0 && text.contains(|c: char| ('1'..='9').contains(&c)) {
                "+"
            } else {
                ""
            };
            let half = high.map_or_else(
                || MISSING.to_owned(),
                |high| grouped((high - mean) * scale, places),
            );
            let unit = if scale > 1.0 { " points" } else { "" };
            format!("{sign}{text} ±{half}{unit}")
        }
        (None, _) => MISSING.to_owned(),
    };
    let fewer = difference.fewer_trials.map_or_else(
        || MISSING.to_owned(),
        |times| format!("{} x", grouped(times, usize::from(times < 100.0))),
    );
    vec![
        text,
        percent(difference.share_greater),
        percent(difference.share_less),
        fewer,
    ]
}

/// The files of a comparison: all of it as JSON, as a tidy table of comma-separated values, and to read.
pub fn comparison_outputs(
    title: &str,
    compared: &Compared,
) -> Result<Vec<OutputFile>, OutputsError> {
    let mut json = serde_json::to_vec_pretty(compared)?;
    json.push(b'\n');
    let mut csv = Vec::new();
    write_comparison_csv(compared, &mut csv)?;
    let text = comparison(title, compared).into_bytes();
    let contents = [json, csv, text];
    Ok((COMPARISON_OUTPUTS.into_iter().zip(contents))
        .map(|(name, contents)| OutputFile::new(name, contents))
        .collect())
}

/// Writes a comparison as one tidy table of comma-separated values (RFC 4180, lines end in LF), one number a line:
/// scenario, baseline, measure, unit, statistic, value. The baseline is empty where a scenario is looked at alone; a
/// value that does not exist is empty.
pub fn write_comparison_csv(compared: &Compared, mut to: impl Write) -> io::Result<()> {
    writeln!(to, "scenario,baseline,measure,unit,statistic,value")?;
    let name = |scenario: usize| quoted(&compared.scenarios[scenario].name);
    let baseline = name(compared.baseline);
    for (position, measure) in compared.measures.iter().enumerate() {
        let label = format!("{},{}", quoted(&measure.name), quoted(&measure.unit));
        for scenario in 0..compared.scenarios.len() {
            let mut line = |baseline: &str, statistic: &str, value: Option<f64>| {
                let value = value.map_or_else(String::new, number);
                writeln!(
                    to,
                    "{},{baseline},{label},{statistic},{value}",
                    name(scenario)
                )
            };
            if let Some(level) = compared.level(position, scenario) {
                line("", "trials", Some(level.trials as f64))?;
                line("", "mean", level.mean)?;
                line("", "std_error", level.std_error)?;
                line("", "p10", level.p10)?;
                line("", "p50", level.p50)?;
                line("", "p90", level.p90)?;
            }
            if let Some(one) = compared.difference(position, scenario) {
                line(&baseline, "trials", Some(one.trials as f64))?;
                line(&baseline, "mean", one.mean)?;
                line(&baseline, "std_error", one.std_error)?;
                line(&baseline, "low", one.low)?;
                line(&baseline, "high", one.high)?;
                line(&baseline, "p10", one.p10)?;
                line(&baseline, "p50", one.p50)?;
                line(&baseline, "p90", one.p90)?;
                line(&baseline, "share_greater", one.share_greater)?;
                line(&baseline, "share_less", one.share_less)?;
                line(&baseline, "share_equal", one.share_equal)?;
                line(&baseline, "fewer_trials", one.fewer_trials)?;
            }
        }
    }
    Ok(())
}
