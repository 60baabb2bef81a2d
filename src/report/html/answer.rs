//! The first screen: what is asked, how likely it is, when it comes, what decides it, and the metric that is asked about.

use std::fmt::Write as _;

use super::fans::Fans;
use super::{Run, escape};
use crate::report::chart::{date_strip, icons, row_of_bars};
use crate::report::drivers::{Unit, share};
use crate::report::question::{Question, questions, upper_first};
use crate::report::words::difference;

/// How many questions fit on the first screen: of one run, and of each of several.
const MOST_QUESTIONS: usize = 4;
const MOST_BESIDE: usize = 2;
/// How many inputs that drive the first question are shown.
const MOST_DRIVERS: usize = 4;

/// The answer to what is asked.
pub(super) fn answer(runs: &[Run<'_>], fans: &Fans<'_>) -> String {
    let mut html = String::new();
    for (number, run) in runs.iter().enumerate() {
        let name = if runs.len() > 1 {
            format!("<b>{}.</b> ", escape(run.name()))
        } else {
            String::new()
        };
        let mut sentence = verdict(run);
        if number > 0 {
            sentence.extend(difference(runs[0].projection, run.projection));
        }
        let _ = write!(
            html,
            "<p class=verdict data-run={number}>{name}{}</p>",
            escape(&sentence.join(" "))
        );
    }
    let asked: String = (runs.iter().enumerate())
        .map(|(number, run)| asks(run, number, runs.len()))
        .collect();
    let beside = match runs {
        [run] => leading(run),
        _ => String::new(),
    };
    let class = if runs.len() > 1 { "several" } else { "single" };
    format!(
        "{html}<div class='first {class}'><div class=asks>{asked}</div><div class=shown>{}</div></div>",
        fans.asked() + &beside
    )
}

/// What decides, and the input that matters most.
fn verdict(run: &Run<'_>) -> Vec<String> {
    let questions = questions(run.projection, run.scenario);
    let Some(first) = questions.first() else {
        return Vec::new();
    };
    let decides = first.decides();
    let driver = first.leading_driver(run.drivers);
    decides.into_iter().chain(driver).collect()
}

fn asks(run: &Run<'_>, number: usize, count: usize) -> String {
    let questions = questions(run.projection, run.scenario);
    let most = if count > 1 {
        MOST_BESIDE
    } else {
        MOST_QUESTIONS
    };
    let is_open = |question: &&Question<'_>| !question.is_certain();
    let open = questions.iter().filter(is_open).count();
    // What is certain is not in question, unless nothing else is.
    let shown = if open > 0 {
        most.min(open)
    } else {
        1.min(questions.len())
    };
    let mut html = format!("<div class=run data-run={number}>");
    if count > 1 {
        let _ = write!(html, "<h3>{}</h3>", escape(run.name()));
    }
    for question in &questions[..shown] {
        html += &ask(question);
    }
    let rest: Vec<String> = (questions[shown..].iter())
        .map(|question| match question.odds() {
            Some(odds) => format!(
                "{} <span class=soft>({})</span>",
                escape(question.name),
                escape(odds.split(':').next().unwrap_or_default())
            ),
            None => escape(question.name),
        })
        .collect();
    if !rest.is_empty() {
        let _ = write!(html, "<p class=soft>Also asked: {}</p>", rest.join("; "));
    }
    if count > 1 {
        html += &leading(run);
    }
    html + "</div>"
}

fn ask(question: &Question<'_>) -> String {
    let mut html = format!("<article class=ask><h3>{}</h3>", escape(question.name));
    if let (Some((p, _)), Some(odds)) = (question.probability, question.odds()) {
        let (word, rest) = odds.split_once(": ").unwrap_or((&odds, ""));
        let _ = write!(
            html,
            "<div class=odds>{}<p><b>{}</b><br>{}</p></div>",
            icons(p),
            escape(&upper_first(word)),
            escape(rest)
        );
    }
    let when = question.when();
    if question.has_dates() {
        html += &date_strip(question.layout(), &question.dates);
    }
    if !when.is_empty() {
        let diamond = if question.dates.promised.is_some() && question.has_dates() {
            "<span class=diamond aria-hidden=true>◆</span> "
        } else {
            ""
        };
        let _ = write!(
            html,
            "<p class=when>{diamond}{}</p>",
            escape(&upper_first(&when))
        );
    }
    html + "</article>"
}

/// The inputs that drive what is the least sure.
fn leading(run: &Run<'_>) -> String {
    let found = run.drivers.and_then(|report| report.results.first());
    let Some(found) = found.map(|result| &result.drivers) else {
        return String::new();
    };
    let Some(most) = found.inputs.first() else {
        return String::new();
    };
    let unit = Unit::of(&found.of);
    let mut html = format!(
        "<h3>What moves “{}”</h3><table class=leading><thead><tr><th>input<th class=time>share of the variance<th>&nbsp;<th>{}: at its P10, P90</thead><tbody>",
        escape(&found.of.name),
        if unit.head().is_empty() {
            "mean".to_owned()
        } else {
            escape(&unit.head())
        },
    );
    for input in found.inputs.iter().take(MOST_DRIVERS) {
        let length =
            100.0 * input.first_order.value / most.first_order.value.max(f64::MIN_POSITIVE);
        let [low, high] = &input.tornado;
        let _ = write!(
            html,
            "<tr><td>{}<td class=time>{}<td>{}<td>{}, {}",
            escape(&input.name),
            row_of_bars(&[], None, (0.0, length.clamp(0.0, 100.0)), None),
            share(&input.first_order),
            unit.number(low.mean),
            unit.number(high.mean),
        );
    }
    html + "</tbody></table>"
}
