//! A decision: which plan, world by world, and what one would regret; a table to read.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::chart::{Cell, GridChart};
use super::outputs::OutputFile;
use super::table::{WIDTH, columns, one_line, paragraph};
use super::text::{
    CountedIn, decimals, decimals_of_error, grouped, percent, weight_percent, whole_percent,
    wrapped,
};
use crate::analysis::decide::run::Decision;
use crate::analysis::decide::{PlanChoice, Statistic, World};
use crate::projection::SHARE;

/// How values of one unit are written: all in one size.
pub(super) struct Amounts {
    counted: CountedIn,
    places: usize,
    is_share: bool,
    unit: String,
}

impl Amounts {
    pub(super) fn new(unit: &str, values: impl Iterator<Item = f64>) -> Self {
        let greatest = (values.map(f64::abs))
            .filter(|value| value.is_finite())
            .fold(0.0, f64::max);
        let counted = CountedIn::for_greatest(greatest);
        Self {
            places: decimals(unit, greatest / counted.size),
            is_share: unit == SHARE,
            unit: counted.unit(unit),
            counted,
        }
    }

    pub(super) fn of(decision: &Decision) -> Self {
        let cells = decision.choice.plans.iter().flat_map(|plan| &plan.cells);
        Self::new(&decision.unit, cells.map(|cell| cell.value))
    }

    pub(super) fn write(&self, x: f64) -> String {
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

    /// The size in which amounts are counted, shares in points.
    fn scale(&self) -> (f64, usize) {
        match self.is_share {
            true => (100.0, 1),
            false => (1.0 / self.counted.size, self.places),
        }
    }

    /// A difference with its sign and its standard error: with as many decimals as the error deserves, shares in points.
    pub(super) fn write_difference(&self, x: f64, error: f64) -> String {
        if !x.is_finite() {
            return self.write(x);
        }
        let (scale, usual) = self.scale();
        let places = decimals_of_error(error * scale, usual);
        let text = grouped(x * scale, places);
        let is_some = text.contains(|c: char| ('1'..='9').contains(&c));
        let sign = if x > 0.0 && is_some { "+" } else { "" };
        format!("{sign}{text} ±{}", grouped(error * scale, places))
    }

    /// How much is missing: what is not nothing does not read as nothing; shares in points.
    pub(super) fn write_regret(&self, x: f64) -> String {
        if !x.is_finite() {
            return self.write(x);
        }
        let (scale, usual) = self.scale();
        match x * scale {
            0.0 => "0".to_owned(),
            x => grouped(x, decimals_of_error(x, usual)),
        }
    }

    /// A difference without a sign, in words.
    pub(super) fn write_regret_with_unit(&self, x: f64) -> String {
        let unit = if self.is_share { "points" } else { &self.unit };
        format!("{} {unit}", self.write_regret(x))
            .trim_end()
            .to_owned()
    }

    pub(super) fn write_with_unit(&self, x: f64) -> String {
        if self.is_share || self.unit.is_empty() || !x.is_finite() {
            self.write(x)
        } else {
            format!("{} {}", self.write(x), self.unit)
        }
    }

    /// The head of a column.
    pub(super) fn head(&self, of: &str) -> String {
        if self.is_share || self.unit.is_empty() {
            one_line(of)
        } else {
            format!("{}, {}", one_line(of), self.unit)
        }
    }
}

/// A decision to read: the answer in a sentence, then a row for each plan and a column for each world.
pub fn decide(decision: &Decision) -> String {
    let choice = &decision.choice;
    let amounts = Amounts::of(decision);
    let title = one_line(&decision.title);
    let mut text = format!(
        "{title}\n{}\n{}{} trials of each plan{}, the same for all; seed {}\n\n",
        "=".repeat(title.width().max(1)),
        wrapped(&asked(decision, &amounts), WIDTH),
        grouped(decision.trials as f64, 0),
        if choice.worlds.len() > 1 {
            " in each world"
        } else {
            ""
        },
        decision.seed,
    );
    text += &wrapped(&answer(decision, &amounts), WIDTH);
    text.push('\n');
    text += &matrix(decision, &amounts);
    text.push('\n');
    text += &differences(decision, &amounts);
    if choice.worlds.len() > 1 {
        text.push('\n');
        text += &regrets(decision, &amounts);
    }
    text
}

/// Plans and worlds as cells, the darker the less one would regret.
pub fn decision_chart(decision: &Decision) -> GridChart {
    let choice = &decision.choice;
    let amounts = Amounts::of(decision);
    let mut heads = world_heads(decision);
    if choice.worlds.len() > 1 {
        heads.push("all worlds".to_owned());
    }
    heads.push("is best".to_owned());
    let plain = |text: String, is_strong: bool| Cell {
        text,
        small: String::new(),
        shade: None,
        is_strong,
    };
    let rows = choice.plans.iter().enumerate().map(|(position, plan)| {
        let mut cells: Vec<Cell> = (plan.cells.iter().enumerate())
            .map(|(world, cell)| {
                let there = choice.plans.iter().map(|plan| plan.cells[world].regret);
                let greatest = there.filter(|x| x.is_finite()).fold(0.0, f64::max);
                Cell {
                    text: amounts.write(cell.value),
                    small: match cell.regret {
                        0.0 => String::new(),
                        regret => format!("regret {}", amounts.write_regret(regret)),
                    },
                    shade: Some(match cell.regret / greatest {
                        share if share.is_finite() => 1.0 - share,
                        _ => f64::from(u8::from(cell.regret == 0.0)),
                    }),
                    is_strong: cell.regret == 0.0,
                }
            })
            .collect();
        let is_best = choice.best == Some(position);
        if choice.worlds.len() > 1 {
            cells.push(plain(amounts.write(plan.value), is_best));
        }
        cells.push(plain(percent(Some(plan.probability_best)), is_best));
        (one_line(&plan.name), cells)
    });
    GridChart {
        title: one_line(&decision.title),
        subtitle: format!(
            "{}; {} trials; the darker, the less regret in that world",
            asked(decision, &amounts),
            grouped(decision.trials as f64, 0)
        ),
        heads,
        rows: rows.collect(),
    }
}

/// The names of the files that [`decision_outputs`] makes, in its order.
pub const DECISION_OUTPUTS: [&str; 3] = ["decision.json", "decision.txt", "decision.svg"];

/// The files of a decision: all of it as JSON, to read, and plans and worlds as a chart.
pub fn decision_outputs(decision: &Decision) -> Result<Vec<OutputFile>, serde_json::Error> {
    let mut json = serde_json::to_vec_pretty(decision)?;
    json.push(b'\n');
    let contents = [
        json,
        decide(decision).into_bytes(),
        decision_chart(decision).to_svg().into_bytes(),
    ];
    Ok((DECISION_OUTPUTS.into_iter().zip(contents))
        .map(|(name, contents)| OutputFile::new(name, contents))
        .collect())
}

/// What was asked: the objective with its unit, and the constraints.
pub(super) fn asked(decision: &Decision, amounts: &Amounts) -> String {
    let choice = &decision.choice;
    let mut text = one_line(&choice.objective.to_string());
    if !amounts.is_share && !amounts.unit.is_empty() {
        let _ = write!(text, ", in {}", amounts.unit);
    }
    if !choice.constraints.is_empty() {
        let _ = write!(text, "; subject to {}", constraints(decision));
    }
    text
}

fn constraints(decision: &Decision) -> String {
    let all = decision
        .choice
        .constraints
        .iter()
        .map(|one| one_line(&one.to_string()));
    all.collect::<Vec<_>>().join(" and ")
}

/// The answer in a few sentences.
pub(super) fn answer(decision: &Decision, amounts: &Amounts) -> String {
    let choice = &decision.choice;
    let Some(best) = choice.best.map(|best| &choice.plans[best]) else {
        return if choice.constraints.is_empty() {
            "No plan has a value.".to_owned()
        } else {
            format!(
                "No plan satisfies {} over all worlds.",
                constraints(decision)
            )
        };
    };
    let mut text = format!(
        "Choose \"{}\": {}. It is the best of {} plans with probability {}, estimated from these trials",
        one_line(&best.name),
        amounts.write_with_unit(best.value),
        choice.plans.len(),
        percent(Some(best.probability_best)),
    );
    if let Some(fresh) = decision.value_on_fresh_trials {
        let fresh = amounts.write_with_unit(fresh);
        let _ = write!(text, "; on fresh trials its value is {fresh}");
    }
    text.push('.');
    if choice.worlds.len() > 1 {
        text += &world_by_world(decision, amounts);
    }
    text
}

/// What changes from world to world: which plan is best in each, who regrets least, and what it is worth to know.
fn world_by_world(decision: &Decision, amounts: &Amounts) -> String {
    let choice = &decision.choice;
    let Some(best) = choice.best.map(|best| &choice.plans[best]) else {
        return String::new();
    };
    let mut text = String::new();
    let others: Vec<String> = (choice.worlds.iter().enumerate())
        .filter_map(|(world, named)| {
            let there = |plan: &&PlanChoice| plan.cells[world].regret == 0.0;
            let is_best_there = there(&best);
            let other = choice.plans.iter().find(there).filter(|_| !is_best_there)?;
            let (world_name, plan) = (one_line(&named.name), one_line(&other.name));
            Some(format!(
                "\"{plan}\" in \"{world_name}\" (by {})",
                amounts.write_regret_with_unit(best.cells[world].regret)
            ))
        })
        .collect();
    if others.is_empty() {
        text += " It is the best plan of every world.";
        return text;
    }
    let _ = write!(text, " Better would be {}.", others.join(", "));
    let careful = &choice.plans[choice.least_regret];
    if careful.name == best.name {
        text += " Its greatest regret is the least of all plans.";
    } else {
        let _ = write!(
            text,
            " Who would regret least takes \"{}\": at most {} short of the best plan of a world, against {}.",
            one_line(&careful.name),
            amounts.write_regret_with_unit(careful.greatest_regret),
            amounts.write_regret_with_unit(best.greatest_regret),
        );
    }
    if let Some(worth) = choice
        .worth_of_knowing_the_world
        .filter(|worth| *worth > 0.0)
    {
        let _ = write!(
            text,
            " To know the world before choosing is worth {}.",
            amounts.write_regret_with_unit(worth)
        );
    }
    text
}

/// Rows plans, columns worlds.
fn matrix(decision: &Decision, amounts: &Amounts) -> String {
    let choice = &decision.choice;
    let mut heads = vec![String::new()];
    heads.extend(world_heads(decision));
    if choice.worlds.len() > 1 {
        heads.extend(["all".to_owned(), "regret".to_owned()]);
    }
    heads.push("is best".to_owned());
    if !choice.constraints.is_empty() {
        heads.push("satisfies in".to_owned());
    }
    let row = |plan: &PlanChoice| {
        let mut row = vec![one_line(&plan.name)];
        row.extend(plan.cells.iter().map(|cell| amounts.write(cell.value)));
        if choice.worlds.len() > 1 {
            row.extend([
                amounts.write(plan.value),
                amounts.write_regret(plan.greatest_regret),
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
        Statistic::Quantile(..) => "the quantile of all worlds together, each with its weight",
        _ => "the mean by the weights of the worlds",
    };
    let mut note = if choice.worlds.len() > 1 {
        format!("All: {over}. Regret: the most by which another plan is better in a world. ")
    } else {
        String::new()
    };
    note += "Is best: the probability that the plan is the best, by a Bayesian bootstrap of the trials.";
    if !choice.constraints.is_empty() {
        let _ = write!(
            note,
            " Satisfies in: the weight of the worlds in which {} holds.",
            constraints(decision)
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
            row.extend(
                plan.cells
                    .iter()
                    .map(|cell| amounts.write_difference(cell.difference, cell.std_error)),
            );
            row
        })
        .collect();
    let numbers: Vec<usize> = (1..heads.len()).collect();
    format!(
        "Difference from \"{}\"{}{}, ± one standard error\n\n{}",
        one_line(&choice.plans[0].name),
        if choice.worlds.len() > 1 {
            " in the same world"
        } else {
            ""
        },
        if amounts.is_share {
            ", in percentage points"
        } else {
            ""
        },
        paragraph(&columns(&heads, &rows, &numbers))
    )
}

/// By how much the best plan of each world is better there.
fn regrets(decision: &Decision, amounts: &Amounts) -> String {
    let choice = &decision.choice;
    let mut heads = vec![String::new()];
    heads.extend(choice.worlds.iter().map(|world| one_line(&world.name)));
    heads.push("greatest".to_owned());
    let rows: Vec<Vec<String>> = (choice.plans.iter())
        .map(|plan| {
            let mut row = vec![one_line(&plan.name)];
            row.extend(
                plan.cells
                    .iter()
                    .map(|cell| amounts.write_regret(cell.regret)),
            );
            row.push(amounts.write_regret(plan.greatest_regret));
            row
        })
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let numbers: Vec<usize> = (1..heads.len()).collect();
    format!(
        "Regret: by how much the best plan of a world is better there{}\n\n{}",
        if amounts.is_share {
            ", in percentage points"
        } else {
            ""
        },
        paragraph(&columns(&heads, &rows, &numbers))
    )
}

/// The names of the worlds, with their weights where there are several.
fn world_heads(decision: &Decision) -> Vec<String> {
    let worlds = &decision.choice.worlds;
    let name = |world: &World| match worlds.len() {
        1 => "value".to_owned(),
        _ => format!(
            "{} ({})",
            one_line(&world.name),
            weight_percent(world.weight)
        ),
    };
    worlds.iter().map(name).collect()
}
