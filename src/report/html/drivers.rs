//! What drives results, and what changes and information are worth: tables with a bar in each row.

use std::fmt::Write as _;

use super::{Run, escape};
use crate::analysis::drivers::Drivers;
use crate::analysis::drivers::report::{DriversReport, ResultDrivers};
use crate::analysis::worth::report::WorthReport;
use crate::report::chart::row_of_bars;
use crate::report::drivers::{Unit, condition, heading, input_value, share, tornado_chart};
use crate::report::text::{grouped, percent, whole_percent};
use crate::report::worth::{
    Money, break_even, capacity_gain, is_significant, money_gain, most_moved_target, target_gain,
    worth_chart,
};

/// Inputs, groups and pieces of information in a table.
const MOST_ROWS: usize = 12;

/// What drives the results of each run.
pub(super) fn drivers(runs: &[Run<'_>]) -> String {
    let mut html = String::new();
    for run in runs {
        let Some(report) = run.drivers else { continue };
        if runs.len() > 1 {
            let _ = write!(html, "<h3>{}</h3>", escape(run.name()));
        }
        for result in &report.results {
            html += &tornado(report, result);
        }
    }
    html
}

fn tornado(report: &DriversReport, result: &ResultDrivers) -> String {
    let found = &result.drivers;
    let unit = Unit::of(&found.of);
    let mut html = format!(
        "<h3>{}</h3><p class=soft>{}. Bar: {} where the input is at its P10 and at its P90; tick: the mean of all trials.</p>",
        escape(&found.of.name),
        escape(&heading(report, found)).replace('\n', ". "),
        escape(&unit.head()),
    );
    let chart = tornado_chart(report, result);
    html += "<div class=wide tabindex=0><table class=gantt><thead><tr><th>input<th class=time>&nbsp;<th>of variance<th>at its P10<th>at its P90<th>P10 to P90</thead><tbody>";
    for (input, bar) in found.inputs.iter().zip(chart.bars()) {
        let [low, high] = &input.tornado;
        let _ = write!(
            html,
            "<tr><td>{}<td class=time>{}<td>{}<td>{}<td>{}<td>{} to {}",
            escape(&input.name),
            chart.in_row(bar),
            share(&input.first_order),
            unit.number(low.mean),
            unit.number(high.mean),
            input_value(low.input),
            input_value(high.input),
        );
    }
    html += "</tbody></table></div>";
    html + &groups(found) + &failures(found)
}

fn groups(found: &Drivers) -> String {
    if found.groups.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<div class=wide tabindex=0><table><thead><tr><th>group of inputs<th>inputs<th>of variance</thead><tbody>",
    );
    for group in found.groups.iter().take(MOST_ROWS) {
        let (name, inputs) = (escape(&group.name), group.inputs);
        let _ = write!(
            html,
            "<tr><td>{name}<td>{inputs}<td>{}",
            share(&group.share)
        );
    }
    html + "</tbody></table></div>"
}

fn failures(found: &Drivers) -> String {
    let mut html = String::new();
    for failure in found.failures.iter().flatten() {
        let conditions: Vec<String> = failure
            .conditions
            .iter()
            .map(|one| escape(&condition(one)))
            .collect();
        let _ = write!(
            html,
            "<p>Missed in {} of trials with {}: {} of all misses.</p>",
            whole_percent(failure.density),
            conditions.join(" and "),
            whole_percent(failure.coverage)
        );
    }
    html
}

/// What changes of each run's plan are worth.
pub(super) fn worth(runs: &[Run<'_>]) -> String {
    let mut html = String::new();
    for run in runs {
        let Some(report) = run.worth else { continue };
        if runs.len() > 1 {
            let _ = write!(html, "<h3>{}</h3>", escape(run.name()));
        }
        html += &changes(report);
        html += &information(report);
    }
    html
}

fn changes(report: &WorthReport) -> String {
    if report.changes.is_empty() {
        return String::new();
    }
    let money = Money::of(report);
    let target = most_moved_target(report);
    let chart = worth_chart(report);
    let mut html = format!(
        "<p class=soft>{} trials of each, the same for all. Bar: from nothing to the gain; whiskers: two standard errors. \
         Pays up to: the price, paid at the start, at which the mean stays the same (95 % interval).</p>\
         <div class=wide tabindex=0><table class=gantt><thead><tr><th>change<th class=time>&nbsp;<th>{}<th>MW-months<th>P(target), points<th>pays up to</thead><tbody>",
        grouped(report.trials as f64, 0),
        if money.unit.is_empty() {
            "money".to_owned()
        } else {
            escape(&money.unit)
        },
    );
    for (change, bar) in report.changes.iter().zip(chart.bars()) {
        let _ = write!(
            html,
            "<tr><td>{}<td class=time>{}<td>{}<td>{}<td>{}<td>{}",
            escape(&change.name),
            chart.in_row(bar),
            money_gain(&money, change),
            capacity_gain(&change.capacity),
            target.map_or_else(String::new, |target| target_gain(&change.targets[target])),
            break_even(&money, change),
        );
    }
    html += "</tbody></table></div>";
    if let Some(target) = target {
        let target = &report.changes[0].targets[target];
        let _ = write!(
            html,
            "<p class=soft>Target: {}, met in {} without a change.</p>",
            escape(&target.name),
            percent(Some(target.without))
        );
    }
    html
}

fn information(report: &WorthReport) -> String {
    let Some(information) = &report.information else {
        return String::new();
    };
    let money = Money::of_information(information, &report.currency);
    let best = &information.options[information.best];
    let mut html = format!(
        "<p>Of {} plans “{}” is best on average, and in {} of trials. What it is worth to know before choosing:</p>\
         <div class=wide tabindex=0><table class=gantt><thead><tr><th>known before<th class=time>&nbsp;<th>{}<th>chooses otherwise</thead><tbody>",
        information.options.len(),
        escape(&best.name),
        whole_percent(best.best_in),
        escape(&money.unit),
    );
    let significant = information
        .partial
        .iter()
        .filter(|worth| is_significant(worth))
        .take(MOST_ROWS);
    for worth in std::iter::once(&information.perfect).chain(significant) {
        let length = 100.0 * worth.worth / information.perfect.worth.max(f64::MIN_POSITIVE);
        let _ = write!(
            html,
            "<tr><td>{}<td class=time>{}<td>{}<td>{}",
            escape(&worth.name),
            row_of_bars(&[], None, (0.0, length.min(100.0)), None),
            money.with_error(worth.worth, worth.std_error),
            whole_percent(worth.changes_decision),
        );
    }
    html + "</tbody></table></div>"
}
