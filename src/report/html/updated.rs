//! What has happened, and how the forecast was updated on it.

use std::fmt::Write as _;

use super::escape;
use super::sections::{figure, table};
use crate::report::FanChart;
use crate::report::summary::year_ends;
use crate::report::table::Table;
use crate::report::text::{decimals, grouped, nth_month};
use crate::report::update::{NOT_REPRODUCED, UpdatePage};

/// The size of a fan in pixels.
const FAN_SIZE: (f64, f64) = (350.0, 230.0);

/// Fans before and after, what was observed, what is not reproduced, and the inputs that moved.
pub(super) fn updated(update: Option<&UpdatePage<'_>>) -> String {
    let Some(update) = update else {
        return String::new();
    };
    let mut html = format!(
        "<p class=soft>{}. Dashed: the P10, P50 and P90 before.</p><div class=multiples>",
        escape(&update.how().replace('\n', ". "))
    );
    for (campus, metric) in update.metrics() {
        let Ok(fan) = update.fan(campus, metric) else {
            continue;
        };
        let lists = fan.lists();
        let numbers = table(&by_year(update, &fan));
        html += &figure(&fan.chart(), &[FAN_SIZE], &lists, fan.unit(), &numbers);
    }
    let _ = write!(
        html,
        "</div>{}<p class=soft>{}</p>",
        table(&update.observation_table()),
        escape(&update.observation_note())
    );
    let misfits = update.misfits();
    if !misfits.is_empty() {
        let _ = write!(html, "<p><b>{NOT_REPRODUCED}</b></p><ul>");
        for misfit in misfits {
            let _ = write!(html, "<li>{}", escape(&misfit));
        }
        html += "</ul>";
    }
    if let Some(inputs) = update.input_table() {
        html += &table(&inputs);
    }
    let _ = write!(html, "<p class=soft>{}</p>", update.input_note());
    html
}

/// The numbers behind a fan at the end of each year.
fn by_year(update: &UpdatePage<'_>, fan: &FanChart<'_>) -> Table {
    let lists = fan.lists();
    let greatest = lists.iter().flat_map(|(_, list)| list);
    let places = decimals(fan.unit(), greatest.fold(0.0, |a, b| a.max(b.abs())));
    let posterior = update.posterior();
    let rows = year_ends(posterior).into_iter().map(|month| {
        let mut row = vec![nth_month(posterior.layout().start, month)];
        row.extend(lists.iter().map(|(_, list)| grouped(list[month], places)));
        row
    });
    let rows = rows.collect();
    let heads = std::iter::once("end of").chain(lists.iter().map(|(name, _)| *name));
    (heads.collect(), rows)
}
