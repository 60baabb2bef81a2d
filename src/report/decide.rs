//! A decision: which plan, world by world, and what one would regret; a table to read.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::drivers::WIDTH;
use super::summary::{columns, one_line, paragraph};
use super::text::{CountedIn, decimals, grouped, percent, whole_percent, wrapped};
use crate::analysis::decide::run::Decision;
use crate::analysis::decide::{PlanChoice, Statistic};
use crate::projection::SHARE;

/// How values of the objective are written: all in one unit.
struct Amounts {
    counted: CountedIn,
    places: usize,
    is_share: bool,
    unit: String,
}

impl Amounts {
    fn of(decision: &Decision) -> Self {
        let cells = decision.choice.plans.iter().flat_map(|plan| &plan.cells);
        let values = cells
            .map(|cell| cell.value.abs())
            .filter(|value| value.is_finite());
        let greatest = values.fold(0.0, f64::max);
        let counted = CountedIn::for_greatest(greatest);
        Self {
            places: decimals(&decision.unit, greatest / counted.size),
            is_share: decision.unit == SHARE,
            unit: counted.unit(&decision.unit),
            counted,
        }
    }

    fn write(&self, x: f64) -> String {
        if x.is_nan() {
            "no value".to_owned()
        } else if x.is_infinite() {
            "never".to_owned()
        } else if self.is_share {
            percent(Some(x))
        } else {
            grouped(x / self.counted.size, self.places)
        }
    }
}

/// A decision to read: the answer in a sentence, then a row for each plan and a column for each world.
pub fn decide(decision: &Decision) -> String {
    let choice = &decision.choice;
    let amounts = Amounts::of(decision);
    let title = one_line(&decision.title);
    let unit = if amounts.is_share || amounts.unit.is_empty() {
        String::new()
    } else {
        format!(", in {}", amounts.unit)
    };
    let mut text = format!(
        "{title}\n{}\n{}{unit}\n{} trials of each plan in each world, the same for all; seed {}\n\n",
        "=".repeat(title.width().max(1)),
        one_line(&choice.objective.to_string()),
        grouped(decision.trials as f64, 0),
        decision.seed,
    );
    text += &wrapped(&answer(decision, &amounts), WIDTH);
    text.push('\n');
    text += &matrix(decision, &amounts);
    text.push('\n');
    text += &differences(decision, &amounts);
    text
}

fn answer(decision: &Decision, amounts: &Amounts) -> String {
    let choice = &decision.choice;
    let Some(best) = choice.best.map(|best| &choice.plans[best]) else {
        let asked: Vec<String> = choice.constraints.iter().map(ToString::to_string).collect();
        return format!("No plan satisfies {} over all worlds.", asked.join(" and "));
    };
    let mut text = format!(
        "Choose \"{}\": {}. It is the best of {} plans with probability {}, as far as the trials tell",
        one_line(&best.name),
        amounts.write(best.value),
        choice.plans.len(),
        percent(Some(best.probability_best)),
    );
    if let Some(fresh) = decision.value_on_fresh_trials {
        let _ = write!(
            text,
            "; on fresh trials its value is {}",
            amounts.write(fresh)
        );
    }
    text.push('.');
    let careful = &choice.plans[choice.least_regret];
    if careful.name == best.name {
        text += " It is also the plan of least greatest regret.";
    } else {
        let _ = write!(
            text,
            " Who would regret least takes \"{}\": at most {} short of the best plan of a world, against {}.",
            one_line(&careful.name),
            amounts.write(careful.greatest_regret),
            amounts.write(best.greatest_regret),
        );
    }
    if let Some(worth) = choice.worth_of_knowing_the_world {
        let _ = write!(
            text,
            " To know the world before choosing is worth {}.",
            amounts.write(worth)
        );
    }
    text
}

/// Rows plans, columns worlds.
fn matrix(decision: &Decision, amounts: &Amounts) -> String {
    let choice = &decision.choice;
    let mut heads = vec![String::new()];
    for world in &choice.worlds {
        heads.push(format!(
            "{} ({})",
            one_line(&world.name),
            whole_percent(world.weight)
        ));
    }
    if choice.worlds.len() > 1 {
        heads.extend(["all".to_owned(), "regret".to_owned()]);
    }
    heads.push("best in".to_owned());
    if !choice.constraints.is_empty() {
        heads.push("satisfies in".to_owned());
    }
    let row = |plan: &PlanChoice| {
        let mut row = vec![one_line(&plan.name)];
        row.extend(plan.cells.iter().map(|cell| amounts.write(cell.value)));
        if choice.worlds.len() > 1 {
            row.extend([
                amounts.write(plan.value),
                amounts.write(plan.greatest_regret),
            ]);
        }
        row.push(percent(Some(plan.probability_best)));
        if !choice.constraints.is_empty() {
            row.push(whole_percent(plan.satisfied_share));
        }
        row
    };
    let rows: Vec<Vec<String>> = choice.plans.iter().map(row).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let numbers: Vec<usize> = (1..heads.len()).collect();
    let mut text = paragraph(&columns(&heads, &rows, &numbers));
    let over = match choice.objective.of {
        Statistic::Mean(_) => "the mean by the weights of the worlds",
        _ => "the quantile of all worlds together, each with its weight",
    };
    let mut note = format!(
        "All: {over}. Regret: the most by which another plan is better in a world. Best in: the \
         probability that the plan is the best over all worlds, by a Bayesian bootstrap of the trials."
    );
    if !choice.constraints.is_empty() {
        let asked: Vec<String> = choice.constraints.iter().map(ToString::to_string).collect();
        let _ = write!(
            note,
            " Satisfies in: the weight of the worlds in which {} holds.",
            asked.join(" and ")
        );
    }
    text += &wrapped(&note, WIDTH);
    text
}

/// Each plan less the first, inside each world.
fn differences(decision: &Decision, amounts: &Amounts) -> String {
    let choice = &decision.choice;
    let mut heads = vec![""];
    heads.extend(choice.worlds.iter().map(|world| world.name.as_str()));
    let rows: Vec<Vec<String>> = (choice.plans.iter().skip(1))
        .map(|plan| {
            let mut row = vec![one_line(&plan.name)];
            row.extend(plan.cells.iter().map(|cell| {
                format!(
                    "{} ±{}",
                    amounts.write(cell.difference),
                    amounts.write(cell.std_error)
                )
            }));
            row
        })
        .collect();
    let numbers: Vec<usize> = (1..heads.len()).collect();
    format!(
        "Less \"{}\" in the same world, ± one standard error\n\n{}",
        one_line(&choice.plans[0].name),
        paragraph(&columns(&heads, &rows, &numbers))
    )
}
