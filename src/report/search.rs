//! What a search for the best settings found, to read.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::decide::Amounts;
use super::table::WIDTH;
use super::table::{columns, one_line, paragraph};
use super::text::{grouped, percent, wrapped};
use crate::analysis::decide::search::{Found, TriedPlan};

/// How many plans are shown, the best ones.
const MOST_PLANS: usize = 12;

/// What was found: the answer in a sentence, then the plans that were tried, the best first.
pub fn search(found: &Found) -> String {
    let title = one_line(&found.title);
    let asked: Vec<String> = found.objectives.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "{title}\n{}\n{}\n{}",
        "=".repeat(title.width().max(1)),
        one_line(&asked.join(" and ")),
        if found.constraints.is_empty() {
            ""
        } else {
            "subject to "
        },
    );
    if !found.constraints.is_empty() {
        text += &one_line(&constraints(found));
        text.push('\n');
    }
    let count = found.plans.len();
    let plans = if found.is_exhaustive {
        format!("All {count} plans")
    } else {
        format!("{count} plans tried")
    };
    let _ = write!(
        text,
        "{plans}, {} trials of each at most, the same for all; seed {}\n\n",
        grouped(found.trials as f64, 0),
        found.seed
    );
    let amounts: Vec<Amounts> = (found.units.iter().enumerate())
        .map(|(objective, unit)| {
            let values = found.plans.iter().map(|plan| plan.values[objective]);
            Amounts::new(unit, values)
        })
        .collect();
    text += &wrapped(&answer(found, &amounts), WIDTH);
    text.push('\n');
    text + &table(found, &amounts)
}

fn constraints(found: &Found) -> String {
    let asked: Vec<String> = found.constraints.iter().map(ToString::to_string).collect();
    asked.join(" and ")
}

/// The settings of a plan as a sentence has them.
fn settings(found: &Found, plan: &TriedPlan) -> String {
    let set = found.variables.iter().zip(&plan.settings);
    let set = set.map(|(name, setting)| format!("{} = {setting}", one_line(name)));
    set.collect::<Vec<_>>().join(", ")
}

fn answer(found: &Found, amounts: &[Amounts]) -> String {
    if found.objectives.len() > 1 {
        return match found.front.len() {
            0 => format!("No plan satisfies {}.", constraints(found)),
            count => {
                let (plans, them) = match count {
                    1 => ("plan is", "it"),
                    _ => ("plans are", "any of them"),
                };
                format!("{count} {plans} on the front: no other one beats {them} in both.")
            }
        };
    }
    let Some(best) = &found.best else {
        return format!("No plan that was tried satisfies {}.", constraints(found));
    };
    let plan = &found.plans[best.plan];
    let mut text = format!(
        "Choose {}: {}.",
        settings(found, plan),
        amounts[0].write_with_unit(plan.values[0])
    );
    match best.probability_best {
        None => text += " The trials ran out before it was distinguished from the others.",
        Some(probability) => {
            let of = if found.is_exhaustive {
                "all plans"
            } else {
                "the leading plans"
            };
            let probability = percent(Some(probability));
            let _ = write!(
                text,
                " It is the best of {of} with probability {probability}, estimated from these trials."
            );
        }
    }
    if let Some(selected) = &found.selected {
        let _ = write!(
            text,
            " That took {} trials of the {} that there might have been.",
            grouped(selected.trials.iter().sum::<u64>() as f64, 0),
            grouped((selected.trials.len() as u64 * found.trials) as f64, 0),
        );
    }
    let fresh = amounts[0].write_with_unit(best.value_on_fresh_trials);
    let _ = if best.optimism > 0.0 {
        let optimism = amounts[0].write_regret_with_unit(best.optimism);
        write!(
            text,
            " On fresh trials its value is {fresh}: {optimism} of the first was selection bias, since it was chosen on those trials."
        )
    } else {
        write!(text, " On fresh trials its value is {fresh}, no worse.")
    };
    for &variable in &best.at_an_end {
        let name = one_line(&found.variables[variable]);
        let _ = write!(
            text,
            " It has \"{name}\" at an end of the range: beyond it there may be a better plan."
        );
    }
    text
}

fn is_best(found: &Found, plan: usize) -> bool {
    found.best.as_ref().is_some_and(|best| best.plan == plan)
}

/// The settings of a plan, its values, how far it keeps to the constraints, and what sets it apart.
fn row(found: &Found, at: usize, amounts: &[Amounts]) -> Vec<String> {
    let plan = &found.plans[at];
    let settings = plan.settings.iter();
    let mut row: Vec<String> = settings.map(|one| one_line(&one.to_string())).collect();
    let values = plan.values.iter().zip(amounts);
    row.extend(values.map(|(value, amounts)| amounts.write(*value)));
    let constraints = found.constraints.iter().zip(&plan.constraints);
    row.extend(constraints.map(|(constraint, value)| {
        let unit = if constraint.of.is_probability() {
            crate::projection::SHARE
        } else {
            ""
        };
        Amounts::new(unit, [*value].into_iter()).write_with_unit(*value)
    }));
    row.push(grouped(plan.trials as f64, 0));
    row.push(if !plan.is_feasible {
        "breaks a constraint".to_owned()
    } else if is_best(found, at) {
        "best".to_owned()
    } else if found.front.contains(&at) {
        "on the front".to_owned()
    } else {
        String::new()
    });
    row
}

/// A row for each plan, the best or those of the front first.
fn table(found: &Found, amounts: &[Amounts]) -> String {
    let mut order: Vec<usize> = (0..found.plans.len()).collect();
    let gain = |plan: usize| {
        let gain = found.objectives[0]
            .direction
            .gain(found.plans[plan].values[0], 0.0);
        if gain.is_nan() {
            f64::NEG_INFINITY
        } else {
            gain
        }
    };
    order.sort_by(|&a, &b| {
        let rank = |plan: usize| {
            let on_front = found.front.contains(&plan);
            (
                !is_best(found, plan),
                !on_front,
                !found.plans[plan].is_feasible,
            )
        };
        rank(a).cmp(&rank(b)).then(gain(b).total_cmp(&gain(a)))
    });
    let mut heads: Vec<String> = found.variables.iter().map(|name| one_line(name)).collect();
    for (objective, amounts) in found.objectives.iter().zip(amounts) {
        heads.push(amounts.head(&objective.of.to_string()));
    }
    heads.extend(
        found
            .constraints
            .iter()
            .map(|constraint| constraint.of.to_string()),
    );
    heads.push("trials".to_owned());
    heads.push(String::new());
    let rows: Vec<Vec<String>> = (order.iter().take(MOST_PLANS))
        .map(|&plan| row(found, plan, amounts))
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let numbers: Vec<usize> = (0..heads.len() - 1).collect();
    let mut text = paragraph(&columns(&heads, &rows, &numbers));
    if order.len() > MOST_PLANS {
        let _ = writeln!(text, "Left out: {} other plans.", order.len() - MOST_PLANS);
    }
    text
}
