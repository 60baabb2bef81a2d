//! What changes and information are worth: tables to read, Markdown, comma-separated values.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::chart::{Bar, BarChart};
use super::drivers::short;
use super::outputs::OutputFile;
use super::table::{WIDTH, columns, one_line, paragraph};
use super::text::{
    CountedIn, MISSING, decimals, decimals_of_error, grouped, percent, whole_percent, wrapped,
};
use crate::analysis::worth::changes::{ChangeWorth, PairedGain};
use crate::analysis::worth::information::{Information, InformationWorth};
use crate::analysis::worth::report::WorthReport;
use crate::monte_carlo::stop::KnownTo;
use crate::projection::quoted;

/// The names of the files that [`worth_outputs`] makes, in its order.
pub const WORTH_OUTPUTS: [&str; 5] = [
    "worth.json",
    "worth.csv",
    "worth.txt",
    "worth.md",
    "worth.svg",
];
/// Inputs and groups in the table of information.
const MOST_INFORMATION: usize = 12;
/// Information is worth more than nothing from this many standard errors on.
const SIGNIFICANT_AT: f64 = 3.0;

/// How amounts of money are written: all in one unit.
pub(super) struct Money {
    counted: CountedIn,
    places: usize,
    /// Its unit, such as "million yuan".
    pub(super) unit: String,
}

impl Money {
    /// For the changes of a report.
    pub(super) fn of(report: &WorthReport) -> Self {
        let gains = report
            .changes
            .iter()
            .filter_map(|change| change.money.as_ref());
        let greatest = gains.map(|gain| gain.gain.abs()).fold(0.0, f64::max);
        Self::for_greatest(greatest, &report.currency)
    }

    /// For what information is worth.
    pub(super) fn of_information(information: &Information, currency: &str) -> Self {
        Self::for_greatest(information.perfect.worth, currency)
    }

    fn for_greatest(greatest: f64, currency: &str) -> Self {
        let counted = CountedIn::for_greatest(greatest);
        Self {
            places: decimals("", greatest / counted.size),
            unit: counted.unit(currency),
            counted,
        }
    }

    /// An amount with as many decimals as an error of it deserves.
    fn amount(&self, x: f64, error: f64) -> String {
        let x = x / self.counted.size;
        grouped(x, decimals_of_error(error / self.counted.size, self.places))
    }

    fn with_unit(&self, x: f64) -> String {
        format!("{} {}", self.amount(x, x), self.unit)
            .trim_end()
            .to_owned()
    }

    /// "99.1 ±9.2", with one standard error.
    pub(super) fn with_error(&self, x: f64, std_error: f64) -> String {
        format!(
            "{} ±{}",
            self.amount(x, std_error),
            self.amount(std_error, std_error)
        )
    }
}

/// "+99.1 ±9.2", with one standard error.
fn signed(gain: f64, std_error: f64, usual: usize) -> String {
    let places = decimals_of_error(std_error, usual);
    let text = grouped(gain, places);
    let sign = if gain > 0.0 && text.contains(|c: char| ('1'..='9').contains(&c)) {
        "+"
    } else {
        ""
    };
    format!("{sign}{text} ±{}", grouped(std_error, places))
}

pub(super) fn money_gain(money: &Money, change: &ChangeWorth) -> String {
    (change.money.as_ref()).map_or(MISSING.to_owned(), |gain| {
        let size = money.counted.size;
        signed(gain.gain / size, gain.std_error / size, money.places)
    })
}

pub(super) fn capacity_gain(gain: &PairedGain) -> String {
    signed(gain.gain, gain.std_error, decimals("MW", gain.gain))
}

/// In percentage points.
pub(super) fn target_gain(gain: &PairedGain) -> String {
    signed(gain.gain * 100.0, gain.std_error * 100.0, 1)
}

pub(super) fn break_even(money: &Money, change: &ChangeWorth) -> String {
    match change.break_even {
        None => MISSING.to_owned(),
        Some(price) if price.high == 0.0 => "nothing".to_owned(),
        Some(price) => format!(
            "{} to {}",
            money.amount(price.low, price.high - price.low),
            money.amount(price.high, price.high - price.low)
        ),
    }
}

/// The target that the changes move most, by its place in the lists of the changes.
pub(super) fn most_moved_target(report: &WorthReport) -> Option<usize> {
    let count = report
        .changes
        .iter()
        .map(|change| change.targets.len())
        .min()?;
    let moved = |target: usize| {
        let gains = report
            .changes
            .iter()
            .map(|change| change.targets[target].gain.abs());
        gains.fold(0.0, f64::max)
    };
    (0..count).max_by(|&a, &b| moved(a).total_cmp(&moved(b)).then(b.cmp(&a)))
}

/// What changes and information are worth, in tables to read of 80 columns.
pub fn worth(report: &WorthReport) -> String {
    let title = format!("What it is worth: {}", one_line(&report.plan));
    let money = Money::of(report);
    let mut parts = vec![format!(
        "{title}\n{}\n{} trials of each plan, the same for all; seed {}; ± is one standard error\n{}",
        "=".repeat(title.width()),
        grouped(report.trials as f64, 0),
        report.seed,
        (report.known_to.as_ref()).map_or_else(String::new, |known| {
            let half_width = money.with_unit(known.half_width);
            wrapped(
                &known_to(known, "the gain of every change is", &half_width),
                WIDTH,
            )
        }),
    )];
    if !report.changes.is_empty() {
        parts.push(changes_table(report, &money));
    }
    if let Some(information) = &report.information {
        let money = Money::of_information(information, &report.currency);
        parts.push(information_table(information, &money));
    }
    parts.join("\n")
}

/// How well all numbers of one kind are known after trials that were run until they are.
pub(super) fn known_to(known: &KnownTo, what: &str, half_width: &str) -> String {
    format!(
        "{} {what} known to ±{half_width} ({} confidence)",
        if known.is_reached {
            "The goal is reached:"
        } else {
            "The goal is NOT reached, and these are the most trials that were asked for:"
        },
        whole_percent(known.confidence)
    )
}

fn changes_table(report: &WorthReport, money: &Money) -> String {
    let target = most_moved_target(report);
    let has_money = report.money.is_some();
    let mut heads = vec!["change"];
    if has_money {
        heads.push(&money.unit);
    }
    heads.push("MW-months");
    if target.is_some() {
        heads.push("P(target)");
    }
    if has_money {
        heads.push("pays up to");
    }
    let rows: Vec<Vec<String>> = (report.changes.iter())
        .map(|change| {
            let mut row = vec![short(&change.name)];
            row.extend(has_money.then(|| money_gain(money, change)));
            row.push(capacity_gain(&change.capacity));
            row.extend(target.map(|target| target_gain(&change.targets[target])));
            row.extend(has_money.then(|| break_even(money, change)));
            row
        })
        .collect();
    let numbers: Vec<usize> = (1..heads.len()).collect();
    let mut text = paragraph(&columns(&heads, &rows, &numbers));
    if let Some(target) = target {
        let target = &report.changes[0].targets[target];
        let note = format!(
            "P(target) in percentage points of \"{}\", met in {} without a change.",
            one_line(&target.name),
            percent(Some(target.without))
        );
        text += &wrapped(&note, WIDTH);
    }
    let note = match &report.money {
        Some(outcome) => format!(
            "Pays up to: the price, paid at the start, at which the mean of {outcome} stays the same (95 % interval). \
             What a change costs in its own scenario is taken off already."
        ),
        None => {
            "Without money in the scenario ([finance]) there is no break-even price.".to_owned()
        }
    };
    text + &wrapped(&note, WIDTH)
}

/// Whether it is worth more than chance would make of knowing nothing.
pub(super) fn is_significant(worth: &InformationWorth) -> bool {
    worth.worth > SIGNIFICANT_AT * worth.std_error
}

fn information_table(information: &Information, money: &Money) -> String {
    let best = &information.options[information.best];
    let text = format!(
        "To choose among {} plans: \"{}\" is best on average, and in {} of trials. \
         What it is worth to know before choosing, in {}:\n",
        information.options.len(),
        one_line(&best.name),
        whole_percent(best.best_in),
        money.unit,
    );
    let mut text = wrapped(&text, WIDTH) + "\n";
    let row = |worth: &InformationWorth, name: String| {
        vec![
            name,
            money.with_error(worth.worth, worth.std_error),
            whole_percent(worth.changes_decision),
        ]
    };
    let significant: Vec<&InformationWorth> = information
        .partial
        .iter()
        .filter(|worth| is_significant(worth))
        .collect();
    let mut rows = vec![row(
        &information.perfect,
        "everything, noise included (EVPI)".to_owned(),
    )];
    rows.extend(
        significant
            .iter()
            .take(MOST_INFORMATION)
            .map(|worth| row(worth, short(&worth.name))),
    );
    let heads = ["known before", "worth", "chooses otherwise"];
    text += &paragraph(&columns(&heads, &rows, &[1, 2]));
    let others = information.partial.len() - significant.len();
    if others > 0 {
        let _ = writeln!(
            text,
            "Knowing any of the {others} other inputs and groups has no significant worth."
        );
    }
    text
}

/// What changes are worth as bars from nothing to the gain, with whiskers of two standard errors: in money or, without, in the probability
/// of the target that they move most, or else in capacity.
pub fn worth_chart(report: &WorthReport) -> BarChart {
    let target = most_moved_target(report);
    let money = Money::of(report);
    let measured = |change: &ChangeWorth| match (&change.money, target) {
        (Some(gain), _) => (gain.clone(), money_gain(&money, change)),
        (None, Some(target)) => {
            let gain = &change.targets[target];
            (gain.clone(), format!("{} points", target_gain(gain)))
        }
        (None, None) => (change.capacity.clone(), capacity_gain(&change.capacity)),
    };
    let gains: Vec<(PairedGain, String)> = report.changes.iter().map(measured).collect();
    let bars = report
        .changes
        .iter()
        .zip(&gains)
        .map(|(change, (gain, note))| Bar {
            name: one_line(&change.name),
            low: gain.gain.min(0.0),
            high: gain.gain.max(0.0),
            whiskers: Some((
                gain.gain - 2.0 * gain.std_error,
                gain.gain + 2.0 * gain.std_error,
            )),
            ends: [String::new(), String::new()],
            note: note.clone(),
        });
    let (of, unit) = (gains.first()).map_or(("", ""), |(gain, _)| (&gain.name, &gain.unit));
    let title = format!("What it is worth: {}", one_line(&report.plan));
    let subtitle = format!(
        "gain of {}, {} trials of each plan; whiskers: two standard errors",
        one_line(of),
        grouped(report.trials as f64, 0)
    );
    BarChart::new((title, subtitle), unit, 0.0, bars.collect())
}

/// What changes and information are worth, as Markdown.
pub fn worth_markdown(report: &WorthReport) -> String {
    let money = Money::of(report);
    let cell = |text: &str| one_line(text).replace('|', "\\|");
    let mut text = format!("## What it is worth: {}\n\n", cell(&report.plan));
    let target = most_moved_target(report);
    if !report.changes.is_empty() {
        let _ = writeln!(
            text,
            "| change | {} | MW-months | P(target), points | pays up to |\n|---|---:|---:|---:|---:|",
            if money.unit.is_empty() {
                "money"
            } else {
                &money.unit
            }
        );
        for change in &report.changes {
            let target = target.map_or(MISSING.to_owned(), |target| {
                target_gain(&change.targets[target])
            });
            let _ = writeln!(
                text,
                "| {} | {} | {} | {target} | {} |",
                cell(&change.name),
                money_gain(&money, change),
                capacity_gain(&change.capacity),
                break_even(&money, change)
            );
        }
    }
    if let Some(information) = &report.information {
        let money = Money::of_information(information, &report.currency);
        let _ = writeln!(
            text,
            "\n| known before choosing | worth, {} | chooses otherwise |\n|---|---:|---:|",
            money.unit
        );
        let significant = information
            .partial
            .iter()
            .filter(|worth| is_significant(worth))
            .take(MOST_INFORMATION);
        for worth in std::iter::once(&information.perfect).chain(significant) {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                cell(&worth.name),
                money.with_error(worth.worth, worth.std_error),
                whole_percent(worth.changes_decision)
            );
        }
    }
    text
}

/// All numbers as comma-separated values: kind (change or information), name, number, unit, without, with, gain,
/// std_error.
pub fn worth_csv(report: &WorthReport) -> String {
    let mut text = String::from("kind,name,number,unit,without,with,gain,std_error\n");
    for change in &report.changes {
        let gains = change
            .money
            .iter()
            .chain([&change.capacity])
            .chain(&change.targets);
        for gain in gains {
            let _ = writeln!(
                text,
                "change,{},{},{},{},{},{},{}",
                quoted(&change.name),
                quoted(&gain.name),
                quoted(&gain.unit),
                gain.without,
                gain.with,
                gain.gain,
                gain.std_error
            );
        }
    }
    if let Some(information) = &report.information {
        for worth in std::iter::once(&information.perfect).chain(&information.partial) {
            let _ = writeln!(
                text,
                "information,{},{},{},,,{},{}",
                quoted(&worth.name),
                quoted(report.money.as_deref().unwrap_or_default()),
                quoted(&report.currency),
                worth.worth,
                worth.std_error
            );
        }
    }
    text
}

/// The files of a worth report: all of it as JSON, a table, to read as text and as Markdown, and the chart.
pub fn worth_outputs(report: &WorthReport) -> Result<Vec<OutputFile>, serde_json::Error> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    let contents = [
        json,
        worth_csv(report).into_bytes(),
        worth(report).into_bytes(),
        worth_markdown(report).into_bytes(),
        worth_chart(report).to_svg().into_bytes(),
    ];
    Ok((WORTH_OUTPUTS.into_iter().zip(contents))
        .map(|(name, contents)| OutputFile::new(name, contents))
        .collect())
}
