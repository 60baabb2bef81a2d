//! What drives a result: tables to read, Markdown, comma-separated values.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::chart::{Bar, BarChart};
use super::outputs::OutputFile;
use super::table::{WIDTH, columns, one_line, paragraph};
use super::text::{CountedIn, MISSING, decimals, grouped, percent, whole_percent, wrapped};
use super::worth::known_to;
use crate::analysis::drivers::conditions::{Condition, FailureBox};
use crate::analysis::drivers::report::{Confirmed, DriversReport, ResultDrivers};
use crate::analysis::drivers::resampling::Estimate;
use crate::analysis::drivers::screening::ElementaryEffect;
use crate::analysis::drivers::{DrivenResult, Drivers, ResultKind};
use crate::projection::{SHARE, quoted};

/// The names of the files that [`drivers_outputs`] makes, in its order.
pub const DRIVERS_OUTPUTS: [&str; 5] = [
    "drivers.json",
    "drivers.csv",
    "drivers.txt",
    "drivers.md",
    "drivers.svg",
];
/// Inputs and groups in the tables; the files have all of them.
const MOST_INPUTS: usize = 12;
const MOST_GROUPS: usize = 8;
/// Names are cut to this width, so that the tables stay within 80 columns.
const NAME_WIDTH: usize = 36;

/// What drives each result, in tables to read of 80 columns.
pub fn drivers(report: &DriversReport) -> String {
    let results: Vec<String> = (report.results.iter())
        .map(|result| one(report, result))
        .collect();
    results.join("\n\n")
}

fn one(report: &DriversReport, result: &ResultDrivers) -> String {
    let found = &result.drivers;
    let title = format!("What drives: {}", one_line(&found.of.name));
    let mut parts = vec![format!(
        "{title}\n{}\n{}",
        "=".repeat(title.width()),
        wrapped(&heading(report, found), WIDTH)
    )];
    if found.inputs.is_empty() {
        parts.push(format!(
            "No input stands out from chance: each has less than {} % of the variance.\n",
            grouped(found.noise_floor.first_order * 100.0, 1)
        ));
    } else {
        parts.push(inputs_table(found));
    }
    if let Some(failures) = &found.failures {
        parts.push(failures_text(found, failures));
    }
    if !found.groups.is_empty() {
        parts.push(groups_table(found));
    }
    if let Some(confirmed) = &result.confirmed {
        parts.push(confirmed_table(confirmed));
    }
    if let Some(screened) = &result.screened {
        parts.push(screened_table(&found.of, screened));
    }
    if !found.inputs.is_empty() {
        parts.push(distances_table(found));
    }
    parts.push(notes(found));
    parts.join("\n")
}

/// What the result is, and how much of it inputs explain.
pub(super) fn heading(report: &DriversReport, found: &Drivers) -> String {
    let of = &found.of;
    let unit = Unit::of(of);
    let mut text = match of.kind {
        ResultKind::Target => format!(
            "Met in {} ±{}",
            percent(Some(of.mean)),
            unit.error(of.std_error)
        ),
        _ => format!(
            "Mean {} ±{}, standard deviation {}",
            unit.with_name(of.mean),
            unit.number(of.std_error),
            unit.number(of.std_dev)
        ),
    };
    let _ = write!(
        text,
        " in {} trials, seed {}",
        grouped(found.trials as f64, 0),
        report.seed
    );
    if let Some(known) = &report.known_to {
        let half_width = grouped(known.half_width * 100.0, 1);
        let what = "the share of the variance of every input is";
        let _ = write!(
            text,
            "\n{}",
            known_to(known, what, &format!("{half_width} points"))
        );
    }
    if of.not_reached > 0.0 {
        let _ = write!(
            text,
            "\nNot within the horizon in {} of them: it counts as the horizon's end there",
            percent(Some(of.not_reached))
        );
    }
    let all = found.inputs.len() + found.within_noise.len();
    let _ = write!(
        text,
        "\n{} of {all} inputs stand out from chance; all together explain {} of the variance or more",
        found.inputs.len(),
        whole_percent(found.explained.value)
    );
    text
}

/// How numbers of a result are written.
pub(super) struct Unit {
    kind: ResultKind,
    name: String,
    counted: CountedIn,
    places: usize,
}

impl Unit {
    pub(super) fn of(result: &DrivenResult) -> Self {
        let greatest = result.mean.abs() + result.std_dev;
        let counted = CountedIn::for_greatest(greatest);
        Self {
            kind: result.kind,
            name: counted.unit(&result.unit),
            counted,
            places: decimals(&result.unit, greatest / counted.size),
        }
    }

    /// A mean of the result; a probability of a target.
    pub(super) fn number(&self, x: f64) -> String {
        match self.kind {
            ResultKind::Target => percent(Some(x)),
            _ => grouped(x / self.counted.size, self.places),
        }
    }

    fn error(&self, x: f64) -> String {
        format!("{} %", grouped(x * 100.0, 1))
    }

    fn with_name(&self, x: f64) -> String {
        format!("{} {}", self.number(x), self.name)
            .trim_end()
            .to_owned()
    }

    /// What the columns of a tornado are headed.
    pub(super) fn head(&self) -> String {
        match self.kind {
            ResultKind::Target => "P(met)".to_owned(),
            _ if self.name.is_empty() => "mean".to_owned(),
            _ => self.name.clone(),
        }
    }
}

/// A share of the variance with its standard error.
pub(super) fn share(estimate: &Estimate) -> String {
    format!(
        "{} ±{} %",
        grouped(estimate.value.max(0.0) * 100.0, 1),
        grouped(estimate.std_error * 100.0, 1)
    )
}

/// A value of an input in three digits or so.
pub(super) fn input_value(x: f64) -> String {
    let places = match x.abs() {
        x if x >= 100.0 || x == 0.0 => 0,
        x if x >= 10.0 => 1,
        x if x >= 1.0 => 2,
        x => (2.0 - x.log10().floor()).clamp(2.0, 6.0) as usize,
    };
    grouped(x, places)
}

pub(super) fn short(name: &str) -> String {
    let name = one_line(name);
    if name.width() <= NAME_WIDTH {
        return name;
    }
    // The end of a name distinguishes inputs better than its beginning.
    let mut kept: Vec<char> = Vec::new();
    let mut width = 1;
    for c in name.chars().rev() {
        width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if width > NAME_WIDTH {
            break;
        }
        kept.push(c);
    }
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}

/// A tornado of a result: for each input that stands out a bar between the means of the result where the input is at its P10 and at its
/// P90, with these values at its ends.
pub fn tornado_chart(report: &DriversReport, result: &ResultDrivers) -> BarChart {
    let found = &result.drivers;
    let bars = found.inputs.iter().take(MOST_INPUTS).map(|input| {
        let [low, high] = &input.tornado;
        let ends = ["P10", "P90"].into_iter().zip([low, high]);
        let mut ends: Vec<String> = ends
            .map(|(of, end)| format!("{of} {}", input_value(end.input)))
            .collect();
        if low.mean > high.mean {
            ends.reverse();
        }
        Bar {
            name: one_line(&input.name),
            low: low.mean.min(high.mean),
            high: low.mean.max(high.mean),
            whiskers: None,
            note: share(&input.first_order),
            ends: [ends.remove(0), ends.remove(0)],
        }
    });
    let unit = match found.of.kind {
        ResultKind::Target => SHARE,
        _ => &found.of.unit,
    };
    let title = format!("What drives: {}", one_line(&found.of.name));
    let subtitle = format!(
        "{} where an input is at its P10 and P90, {} trials; right: share of the variance",
        capital(&Unit::of(&found.of).head()),
        grouped(report.trials as f64, 0)
    );
    BarChart::new((title, subtitle), unit, found.of.mean, bars.collect())
}

fn inputs_table(found: &Drivers) -> String {
    let unit = Unit::of(&found.of);
    let rows: Vec<Vec<String>> = (found.inputs.iter().take(MOST_INPUTS))
        .map(|input| {
            let [low, high] = &input.tornado;
            vec![
                short(&input.name),
                share(&input.first_order),
                unit.number(low.mean),
                unit.number(high.mean),
                format!("{} to {}", input_value(low.input), input_value(high.input)),
            ]
        })
        .collect();
    let heads = [
        "input",
        "of variance",
        "at its P10",
        "at its P90",
        "P10 to P90",
    ];
    let mut text = format!(
        "{} where the input is at its P10 and its P90:\n\n{}",
        capital(&unit.head()),
        paragraph(&columns(&heads, &rows, &[1, 2, 3, 4]))
    );
    let more = found.inputs.len().saturating_sub(MOST_INPUTS);
    if more > 0 {
        let _ = writeln!(text, "and {more} more that stand out (all in --json)");
    }
    text
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn groups_table(found: &Drivers) -> String {
    let rows: Vec<Vec<String>> = (found.groups.iter().take(MOST_GROUPS))
        .map(|group| {
            vec![
                short(&group.name),
                group.inputs.to_string(),
                share(&group.share),
            ]
        })
        .collect();
    let heads = ["group of inputs", "inputs", "of variance"];
    paragraph(&columns(&heads, &rows, &[1, 2]))
}

fn distances_table(found: &Drivers) -> String {
    let number = |x: f64| grouped(x, 3);
    let mut rows: Vec<Vec<String>> = (found.inputs.iter().take(MOST_INPUTS))
        .map(|input| {
            vec![
                short(&input.name),
                number(input.delta.value.max(0.0)),
                format!("±{}", number(input.delta.std_error)),
                number(input.pawn.value.max(0.0)),
                (input.partial_rank_correlation)
                    .map_or(MISSING.to_owned(), |r| grouped(r.value, 2)),
                number(input.first_order_by_ranks),
            ]
        })
        .collect();
    let floor = found.noise_floor;
    rows.push(vec![
        "no effect (noise floor)".to_owned(),
        number(floor.delta),
        String::new(),
        number(floor.pawn),
        String::new(),
        String::new(),
    ]);
    let heads = [
        "whole distribution",
        "delta",
        "",
        "PAWN",
        "PRCC",
        "by ranks",
    ];
    paragraph(&columns(&heads, &rows, &[1, 2, 3, 4, 5]))
}

/// Conditions as one reads them: "330 kV/wait at least 20.1 (its highest 35 %)".
pub(super) fn condition(condition: &Condition) -> String {
    let [low, high] = condition.between_percentiles;
    let name = one_line(&condition.input);
    match (condition.at_least, condition.at_most) {
        (Some(least), Some(most)) => format!(
            "{name} from {} to {} (P{:.0} to P{:.0})",
            input_value(least),
            input_value(most),
            low * 100.0,
            high * 100.0
        ),
        (Some(least), None) => format!(
            "{name} at least {} (its highest {})",
            input_value(least),
            whole_percent(1.0 - low)
        ),
        (None, Some(most)) => format!(
            "{name} at most {} (its lowest {})",
            input_value(most),
            whole_percent(high)
        ),
        (None, None) => name,
    }
}

fn failures_text(found: &Drivers, failures: &[FailureBox]) -> String {
    let missed = percent(Some(1.0 - found.of.mean));
    if failures.is_empty() {
        let text = format!(
            "When it is missed: no conditions on inputs predict it better than chance ({missed} of all trials)."
        );
        return wrapped(&text, WIDTH);
    }
    let text = format!(
        "When it is missed ({missed} of all trials; shares are of trials not used to find them):"
    );
    let mut text = wrapped(&text, WIDTH);
    for (number, failure) in failures.iter().enumerate() {
        let _ = writeln!(
            text,
            "\n{}. missed in {} ±{} of trials in which",
            number + 1,
            whole_percent(failure.density),
            whole_percent(failure.density_std_error),
        );
        for one in &failure.conditions {
            let _ = writeln!(text, "     {}", condition(one));
        }
        let _ = writeln!(
            text,
            "   which are {} of all trials and have {} of all misses",
            whole_percent(failure.support),
            whole_percent(failure.coverage)
        );
    }
    text
}

fn confirmed_table(confirmed: &Confirmed) -> String {
    let rows: Vec<Vec<String>> = (confirmed.factors.iter())
        .map(|factor| {
            vec![
                short(&factor.name),
                share(&factor.first_order),
                share(&factor.total),
            ]
        })
        .collect();
    let heads = ["confirmed by pick-freeze runs", "alone", "with others"];
    let note = format!(
        "({} more trials; two that differ in an input have the same process noise, which is a factor of its own)",
        grouped(confirmed.trials as f64, 0),
    );
    paragraph(&columns(&heads, &rows, &[1, 2])) + &wrapped(&note, WIDTH)
}

fn screened_table(of: &DrivenResult, screened: &[ElementaryEffect]) -> String {
    let unit = Unit::of(of);
    let rows: Vec<Vec<String>> = (screened.iter().take(MOST_INPUTS))
        .map(|effect| {
            vec![
                short(&effect.name),
                unit.number(effect.mu_star),
                format!("±{}", unit.number(effect.std_error)),
                unit.number(effect.sigma),
            ]
        })
        .collect();
    let heads = [
        "moved from P12.5 to P87.5 (Morris)",
        "mean effect",
        "",
        "sigma",
    ];
    paragraph(&columns(&heads, &rows, &[1, 2, 3]))
}

fn notes(found: &Drivers) -> String {
    let text = format!(
        "± is one standard error (bootstrap). An input of no effect shows {} % of the variance or more in one of twenty \
         analyses. What inputs do not explain, {} at most, is process noise (arrivals, sizes, churn) or inputs acting \
         together: --confirm tells them apart.",
        grouped(found.noise_floor.first_order * 100.0, 1),
        whole_percent(1.0 - found.explained.value),
    );
    wrapped(&text, WIDTH)
}

/// What drives each result, as Markdown for a wiki or a mail.
pub fn drivers_markdown(report: &DriversReport) -> String {
    let mut text = String::new();
    for result in &report.results {
        let found = &result.drivers;
        let unit = Unit::of(&found.of);
        let cell = |text: &str| one_line(text).replace('|', "\\|");
        let _ = writeln!(
            text,
            "## What drives: {}\n\n{}\n",
            cell(&found.of.name),
            heading(report, found).replace('\n', ". ")
        );
        let _ = writeln!(
            text,
            "| input | of variance | {0} at its P10 | {0} at its P90 | P10 to P90 |\n|---|---:|---:|---:|---:|",
            unit.head()
        );
        for input in found.inputs.iter().take(MOST_INPUTS) {
            let [low, high] = &input.tornado;
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} to {} |",
                cell(&input.name),
                share(&input.first_order),
                unit.number(low.mean),
                unit.number(high.mean),
                input_value(low.input),
                input_value(high.input)
            );
        }
        for failure in found.failures.iter().flatten() {
            let conditions: Vec<String> = failure.conditions.iter().map(condition).collect();
            let _ = writeln!(
                text,
                "\nMissed in {} of trials in which {}: {} of all misses.",
                whole_percent(failure.density),
                cell(&conditions.join(" and ")),
                whole_percent(failure.coverage)
            );
        }
        text.push('\n');
    }
    text
}

/// All inputs with their measures as comma-separated values, one line for each result and input.
pub fn drivers_csv(report: &DriversReport) -> String {
    let mut text = String::from(
        "result,input,stands_out,first_order,first_order_std_error,first_order_by_ranks,delta,delta_std_error,\
         pawn,pawn_std_error,input_low,mean_low,input_high,mean_high,partial_rank_correlation\n",
    );
    for result in &report.results {
        let name = quoted(&result.drivers.of.name);
        for input in &result.drivers.inputs {
            let [low, high] = &input.tornado;
            let partial =
                (input.partial_rank_correlation).map_or(String::new(), |r| r.value.to_string());
            let _ = writeln!(
                text,
                "{name},{},true,{},{},{},{},{},{},{},{},{},{},{},{partial}",
                quoted(&input.name),
                input.first_order.value,
                input.first_order.std_error,
                input.first_order_by_ranks,
                input.delta.value,
                input.delta.std_error,
                input.pawn.value,
                input.pawn.std_error,
                low.input,
                low.mean,
                high.input,
                high.mean,
            );
        }
        for input in &result.drivers.within_noise {
            let _ = writeln!(
                text,
                "{name},{},false,{},,,,,,,,,,,",
                quoted(&input.name),
                input.first_order
            );
        }
    }
    text
}

/// The files of a drivers report: all of it as JSON, a table, to read as text and as Markdown, and a tornado of each result, of the second
/// one as `drivers-2.svg` and so on.
pub fn drivers_outputs(report: &DriversReport) -> Result<Vec<OutputFile>, serde_json::Error> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    let contents = [
        json,
        drivers_csv(report).into_bytes(),
        drivers(report).into_bytes(),
        drivers_markdown(report).into_bytes(),
    ];
    let mut files: Vec<OutputFile> = (DRIVERS_OUTPUTS.into_iter().zip(contents))
        .map(|(name, contents)| OutputFile::new(name, contents))
        .collect();
    for (result, number) in report.results.iter().zip(1..) {
        let name = match number {
            1 => DRIVERS_OUTPUTS[4].to_owned(),
            _ => format!("drivers-{number}.svg"),
        };
        let chart = tornado_chart(report, result).to_svg();
        files.push(OutputFile::new(name, chart.into_bytes()));
    }
    Ok(files)
}
