//! Scenarios against each other: to read, and as tables for other programs.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::decide::{decide, decision_outputs};
use super::outputs::{OutputFile, OutputsError};
use super::table::{columns, one_line, paragraph};
use super::text::{
    CountedIn, MISSING, decimals, grouped, month_name, month_of, percent, weight_percent,
};
use crate::analysis::compare::{
    Compared, Difference, Level, Matrix, MeasureKind, MeasureLabel, SHARE,
};
use crate::projection::{number, quoted};

/// The names of the files that [`comparison_outputs`] makes, in its order.
pub const COMPARISON_OUTPUTS: [&str; 3] = ["comparison.json", "comparison.csv", "comparison.txt"];

/// A comparison in tables to read, one for each measure, under a title.
pub fn comparison(title: &str, compared: &Compared) -> String {
    let title = one_line(title);
    let count = compared.scenarios.len();
    let mut parts = vec![format!(
        "{title}\n{}\n{count} scenarios on common random numbers: {} trials of each, seed {}, buildout {}\n\
         Differences are from \"{}\"{}, ± at {} % confidence\n",
        "=".repeat(title.width().max(1)),
        grouped(compared.trials as f64, 0),
        compared.seed,
        compared.version,
        match &compared.matrix {
            Some(matrix) => one_line(&matrix.plans[0]),
            None => one_line(&compared.scenarios[compared.baseline].name),
        },
        if compared.matrix.is_some() {
            " in the same world"
        } else {
            ""
        },
        number(compared.confidence * 100.0),
    )];
    parts.extend(comparison_goals(compared));
    for (position, measure) in compared.measures.iter().enumerate() {
        parts.push(table(compared, position, measure));
    }
    let has_means = |measure: &MeasureLabel| measure.kind != MeasureKind::Milestone;
    if compared.matrix.is_none() && compared.measures.iter().any(has_means) {
        parts.push(
            "Fewer: by how many times fewer trials a difference is known as well as from\n\
             independent trials of each scenario.\n"
                .to_owned(),
        );
    }
    parts.extend(compared.decision.as_ref().map(decide));
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

/// How numbers of a measure are written: shares as per cent, large ones in millions.
struct Written<'a> {
    measure: &'a MeasureLabel,
    counted: CountedIn,
    is_share: bool,
    places: usize,
}

impl<'a> Written<'a> {
    fn of(compared: &Compared, position: usize, measure: &'a MeasureLabel) -> Self {
        let levels = compared
            .levels
            .iter()
            .filter(|level| level.measure == position);
        let values = levels.flat_map(|level| [level.mean, level.p50, level.p90]);
        let finite = values
            .flatten()
            .map(f64::abs)
            .filter(|value| value.is_finite());
        let greatest = finite.fold(0.0, f64::max);
        let counted = CountedIn::for_greatest(greatest);
        Self {
            measure,
            counted,
            is_share: measure.unit == SHARE,
            places: decimals(&measure.unit, greatest / counted.size),
        }
    }

    fn is_milestone(&self) -> bool {
        self.measure.kind == MeasureKind::Milestone
    }

    fn is_target(&self) -> bool {
        self.measure.kind == MeasureKind::Target
    }

    /// The name of the measure with its unit.
    fn title(&self, compared: &Compared) -> String {
        let measure = self.measure;
        let unit = self.counted.unit(&measure.unit);
        match measure.kind {
            MeasureKind::Milestone => format!(
                "{}, from the start in {}",
                measure.name,
                month_name(compared.start)
            ),
            MeasureKind::Target => format!("{}: probability", measure.name),
            _ if self.is_share || unit.is_empty() => measure.name.clone(),
            _ => format!("{}, {unit}", measure.name),
        }
    }

    fn amount(&self, x: Option<f64>) -> String {
        match x {
            None => MISSING.to_owned(),
            Some(x) if self.is_share => percent(Some(x)),
            Some(x) => grouped(x / self.counted.size, self.places),
        }
    }

    /// A difference with half of its interval, if it has one: with as many decimals as its error deserves, but no fewer than the measure.
    fn difference(&self, mean: f64, half: Option<f64>) -> String {
        let scale = if self.is_share {
            100.0
        } else {
            1.0 / self.counted.size
        };
        let usual = if self.is_share { 1 } else { self.places };
        let places = match half.map_or(0.0, |half| half * scale / 2.0) {
            x if x > 0.0 && x < 0.05 => usual.max(2),
            x if x > 0.0 && x < 0.5 => usual.max(1),
            _ => usual,
        };
        let text = grouped(mean * scale, places);
        let is_some = text.contains(|c: char| ('1'..='9').contains(&c));
        let sign = if mean > 0.0 && is_some { "+" } else { "" };
        let half = half.map_or_else(String::new, |half| {
            format!(" ±{}", grouped(half * scale, places))
        });
        let unit = if self.is_share { " points" } else { "" };
        format!("{sign}{text}{half}{unit}")
    }

    /// A month after this many months, or that it is not reached.
    fn month(&self, compared: &Compared, months: Option<f64>) -> String {
        let month = months.and_then(|months| month_of(compared.start, months));
        month.unwrap_or_else(|| "not reached".to_owned())
    }
}

fn table(compared: &Compared, position: usize, measure: &MeasureLabel) -> String {
    let written = Written::of(compared, position, measure);
    let body = match &compared.matrix {
        Some(matrix) => matrix_of(compared, matrix, position, &written),
        None => list_of(compared, position, &written),
    };
    format!("{}\n\n{body}", one_line(&written.title(compared)))
}

/// A row for each scenario.
fn list_of(compared: &Compared, position: usize, written: &Written<'_>) -> String {
    let (more, less) = if written.is_milestone() {
        ("later", "earlier")
    } else if written.is_target() {
        ("gained", "lost")
    } else {
        ("more", "less")
    };
    let heads: &[&str] = if written.is_milestone() {
        &["", "P50", "P80", "reached", "P50 by", "P80 by", more, less]
    } else if written.is_target() {
        &["", "mean", "difference", more, less, "fewer"]
    } else {
        &["", "mean", "P10 to P90", "difference", more, less, "fewer"]
    };
    let levels = (0..compared.scenarios.len()).filter_map(|at| compared.level(position, at));
    let rows: Vec<Vec<String>> = levels
        .map(|level| {
            let mut row = vec![one_line(&compared.scenarios[level.scenario].name)];
            if written.is_milestone() {
                row.push(written.month(compared, level.p50));
                row.push(written.month(compared, level.p80));
                row.push(percent(Some(level.trials as f64 / compared.trials as f64)));
            } else {
                row.push(written.amount(level.mean));
                if !written.is_target() {
                    let ends = [level.p10, level.p90].map(|end| written.amount(end));
                    row.push(ends.join(" to "));
                }
            }
            match compared.difference(position, level.scenario) {
                Some(difference) => row.extend(against(difference, written)),
                None => row.resize(heads.len(), MISSING.to_owned()),
            }
            row
        })
        .collect();
    let numbers: Vec<usize> = (1..heads.len()).collect();
    let mut text = paragraph(&columns(heads, &rows, &numbers));
    if written.is_milestone() {
        text += "By: by how many months P50 and P80 of all trials are later, those included that never reach it.\n";
    }
    text
}

/// The cells of a difference.
fn against(difference: &Difference, written: &Written<'_>) -> Vec<String> {
    let same = difference.share_equal == Some(1.0);
    let mut cells = Vec::new();
    if written.is_milestone() {
        for shift in [difference.p50_shift, difference.p80_shift] {
            cells.push(shift.map_or_else(
                || MISSING.to_owned(),
                |shift| written.difference(shift, None),
            ));
        }
    } else {
        let half = difference
            .high
            .zip(difference.mean)
            .map(|(high, mean)| high - mean);
        cells.push(match difference.mean {
            _ if same => "the same".to_owned(),
            Some(mean) => written.difference(mean, half),
            None => MISSING.to_owned(),
        });
    }
    cells.extend([
        percent(difference.share_greater),
        percent(difference.share_less),
    ]);
    if !written.is_milestone() {
        let fewer = difference.fewer_trials.map_or_else(
            || MISSING.to_owned(),
            |times| format!("{} x", grouped(times, usize::from(times < 100.0))),
        );
        cells.push(fewer);
    }
    cells
}

/// The name of a plan, what is expected of it in each world and, of what is no milestone, over all of them.
fn levels_of(
    compared: &Compared,
    matrix: &Matrix,
    plan: usize,
    position: usize,
    written: &Written<'_>,
) -> Vec<String> {
    let levels: Vec<Option<&Level>> = (matrix.scenarios[plan].iter())
        .map(|scenario| compared.level(position, *scenario))
        .collect();
    let mut row = vec![one_line(&matrix.plans[plan])];
    for level in levels.iter().flatten() {
        row.push(if written.is_milestone() {
            let reached = level.trials as f64 / compared.trials as f64;
            let month = written.month(compared, level.p50);
            format!("{month}, {}", percent(Some(reached)))
        } else {
            written.amount(level.mean)
        });
    }
    if !written.is_milestone() {
        let means = levels.iter().zip(&matrix.worlds);
        let means = means.map(|(level, world)| Some(level.as_ref()?.mean? * world.weight));
        row.push(written.amount(means.sum()));
    }
    row
}

/// Rows plans, columns worlds: what is expected of each and, below the first plan, the difference from it in the same world.
fn matrix_of(
    compared: &Compared,
    matrix: &Matrix,
    position: usize,
    written: &Written<'_>,
) -> String {
    let is_milestone = written.is_milestone();
    let mut heads = vec![String::new()];
    heads.extend(matrix.worlds.iter().map(|world| {
        format!(
            "{} ({})",
            one_line(&world.name),
            weight_percent(world.weight)
        )
    }));
    if !is_milestone {
        heads.push("all".to_owned());
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for plan in 0..matrix.plans.len() {
        rows.push(levels_of(compared, matrix, plan, position, written));
        if plan == 0 {
            continue;
        }
        let mut row = vec!["  difference".to_owned()];
        row.extend(matrix.scenarios[plan].iter().map(|scenario| {
            let difference = compared.difference(position, *scenario);
            difference.map_or_else(
                || MISSING.to_owned(),
                |one| against(one, written).swap_remove(0),
            )
        }));
        row.resize(heads.len(), String::new());
        rows.push(row);
    }
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let numbers: Vec<usize> = (1..heads.len()).collect();
    let mut text = paragraph(&columns(&heads, &rows, &numbers));
    if is_milestone {
        text +=
            "P50 of all trials, and the share that reaches it; difference: of P50, in months.\n";
    }
    text
}

/// The files of a comparison: all of it as JSON, as a tidy table of comma-separated values, and to read; and those of its decision, if it has
/// one.
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
    let mut files: Vec<OutputFile> = (COMPARISON_OUTPUTS.into_iter().zip(contents))
        .map(|(name, contents)| OutputFile::new(name, contents))
        .collect();
    if let Some(decision) = &compared.decision {
        files.extend(decision_outputs(decision)?);
    }
    Ok(files)
}

/// Writes a comparison as one tidy table of comma-separated values (RFC 4180, lines end in LF), one number a line:
/// scenario, baseline, measure, unit, statistic, value. The baseline is empty where a scenario is looked at alone; a
/// value that does not exist is empty.
pub fn write_comparison_csv(compared: &Compared, mut to: impl Write) -> io::Result<()> {
    writeln!(to, "scenario,baseline,measure,unit,statistic,value")?;
    let name = |scenario: usize| quoted(&compared.scenarios[scenario].name);
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
                line("", "p25", level.p25)?;
                line("", "p50", level.p50)?;
                line("", "p75", level.p75)?;
                line("", "p80", level.p80)?;
                line("", "p90", level.p90)?;
            }
            if let Some(one) = compared.difference(position, scenario) {
                let baseline = name(one.baseline);
                line(&baseline, "trials", Some(one.trials as f64))?;
                line(&baseline, "mean", one.mean)?;
                line(&baseline, "std_error", one.std_error)?;
                line(&baseline, "low", one.low)?;
                line(&baseline, "high", one.high)?;
                line(&baseline, "p10", one.p10)?;
                line(&baseline, "p25", one.p25)?;
                line(&baseline, "p50", one.p50)?;
                line(&baseline, "p75", one.p75)?;
                line(&baseline, "p90", one.p90)?;
                line(&baseline, "p50_shift", one.p50_shift)?;
                line(&baseline, "p80_shift", one.p80_shift)?;
                line(&baseline, "share_greater", one.share_greater)?;
                line(&baseline, "share_less", one.share_less)?;
                line(&baseline, "share_equal", one.share_equal)?;
                line(&baseline, "fewer_trials", one.fewer_trials)?;
            }
        }
    }
    Ok(())
}
