//! Which plan to choose: rows of plans, columns of worlds, the best of each world marked.

use std::fmt::Write as _;

use super::escape;
use crate::analysis::decide::Choice;
use crate::analysis::decide::run::Decision;
use crate::report::decide::{Amounts, answer, asked};
use crate::report::text::{percent, weight_percent, whole_percent};

/// The answer and the matrix; nothing if nothing was to be decided.
pub(super) fn decision(decision: Option<&Decision>) -> String {
    let Some(decision) = decision else {
        return String::new();
    };
    let choice = &decision.choice;
    let amounts = Amounts::of(decision);
    let mut html = format!(
        "<p><strong>{}</strong></p><p class=soft>{}</p>",
        escape(&answer(decision, &amounts)),
        escape(&asked(decision, &amounts))
    );
    let has_worlds = choice.worlds.len() > 1;
    html += "<table><thead><tr><th></th>";
    for world in &choice.worlds {
        let _ = write!(
            html,
            "<th>{} ({})</th>",
            escape(&world.name),
            weight_percent(world.weight)
        );
    }
    if has_worlds {
        html += "<th>all</th><th>greatest regret</th>";
    }
    html += "<th>is best</th>";
    if !choice.constraints.is_empty() {
        html += "<th>satisfies in</th>";
    }
    html += "</tr></thead><tbody>";
    for position in 0..choice.plans.len() {
        html += &row(choice, position, &amounts);
    }
    html += "</tbody></table>";
    html
}

/// The row of a plan.
fn row(choice: &Choice, position: usize, amounts: &Amounts) -> String {
    let plan = &choice.plans[position];
    let mut html = String::new();
    let name = escape(&plan.name);
    let _ = match choice.best == Some(position) {
        true => write!(html, "<tr><th scope=row><strong>{name}</strong></th>"),
        false => write!(html, "<tr><th scope=row>{name}</th>"),
    };
    for cell in &plan.cells {
        let value = escape(&amounts.write(cell.value));
        // The best of a world stands out; the others say by how much they are short of it.
        let _ = if cell.regret == 0.0 {
            write!(html, "<td><strong>{value}</strong></td>")
        } else {
            let regret = escape(&amounts.write_regret(cell.regret));
            write!(
                html,
                "<td>{value}<br><small class=soft>regret {regret}</small></td>"
            )
        };
    }
    if choice.worlds.len() > 1 {
        let _ = write!(
            html,
            "<td>{}</td><td>{}</td>",
            escape(&amounts.write(plan.value)),
            escape(&amounts.write_regret(plan.greatest_regret))
        );
    }
    let _ = write!(
        html,
        "<td>{}</td>",
        escape(&percent(Some(plan.probability_best)))
    );
    if !choice.constraints.is_empty() {
        let _ = write!(html, "<td>{}</td>", whole_percent(plan.satisfied_share));
    }
    html += "</tr>";
    html
}
