//! Dates: ranges of milestones, and the Gantt chart of activities.

use std::fmt::Write as _;

use super::sections::each;
use super::{Run, escape};
use crate::analysis::schedule::ScheduleReport;
use crate::projection::{Distribution, Layout};
use crate::report::chart::{row_of_bars, years};
use crate::report::text::{MISSING, grouped, month_of, percent, whole_percent};

pub(super) fn milestones(runs: &[Run<'_>]) -> String {
    each(runs, |projection| {
        let list: Vec<(&str, Distribution<'_>)> = projection.milestones().collect();
        (!list.is_empty()).then(|| ranges(projection.layout(), &list))
    })
}

/// How many labels fit above the bars on a narrow screen.
const YEARS: usize = 4;

/// The part of time that a chart shows, from `first` months to the end of the horizon.
struct Axis<'a> {
    layout: &'a Layout,
    first: f64,
}

impl<'a> Axis<'a> {
    fn new(layout: &'a Layout, times: impl Iterator<Item = f64>) -> Self {
        let first = times.filter(|x| x.is_finite()).fold(0.0, f64::min);
        Self { layout, first }
    }

    /// In per cent of the width.
    fn at(&self, months: f64) -> f64 {
        let span = self.layout.months as f64 - self.first;
        ((months - self.first) / span * 100.0).clamp(0.0, 100.0)
    }

    fn years(&self) -> Vec<(f64, String)> {
        let months = self.layout.months as f64;
        (years(self.layout, YEARS).into_iter())
            .map(|(share, year)| (self.at(share * months), year))
            .collect()
    }

    /// The head of the column that has the bars.
    fn head(&self) -> String {
        let labels: String = (self.years().iter())
            .map(|(at, year)| format!("<span style='left:{at:.2}%'>{year}</span>"))
            .collect();
        format!("<th class=time><div class=x>{labels}</div>")
    }

    fn marks(&self) -> Vec<f64> {
        self.years().iter().map(|(at, _)| *at).collect()
    }

    fn date(&self, months: Option<f64>) -> String {
        let date = months.and_then(|months| month_of(self.layout.start, months));
        date.unwrap_or_else(|| "later".to_owned())
    }
}

const LATER: &str = "<p class=soft>later: not within the horizon in that share of the trials</p>";

/// A row for each milestone: P10 to P90 as a bar, and the dates.
fn ranges(layout: &Layout, list: &[(&str, Distribution<'_>)]) -> String {
    let axis = Axis::new(layout, list.iter().filter_map(|(_, d)| d.quantile(0.1)));
    let marks = axis.marks();
    let mut html = format!(
        "<p class=soft>Bar: P10 to P90; tick: P50</p><div class=wide tabindex=0><table class=gantt><thead><tr><th>milestone{}<th>P10<th>P50<th>P90<th>reached</thead><tbody>",
        axis.head()
    );
    for (name, distribution) in list {
        let quantiles = distribution.quantiles(&[0.1, 0.5, 0.9]);
        let drawn = quantiles[0].map_or(String::new(), |low| {
            let high = quantiles[2].map_or(100.0, |high| axis.at(high));
            let middle = quantiles[1].map(|middle| axis.at(middle));
            row_of_bars(&marks, None, (axis.at(low), high), middle)
        });
        let _ = write!(html, "<tr><td>{}<td class=time>{drawn}", escape(name));
        for months in &quantiles {
            let _ = write!(html, "<td>{}", axis.date(*months));
        }
        let _ = write!(html, "<td>{}", percent(distribution.probability()));
    }
    html + "</tbody></table></div>" + LATER
}

/// The Gantt chart: a row for each activity, from its median start to its median finish.
pub(super) fn gantt(layout: &Layout, report: &ScheduleReport) -> String {
    let starts = (report.activities.iter()).filter_map(|activity| activity.start_months[0]);
    let axis = Axis::new(layout, starts);
    let marks = axis.marks();
    let mut html = format!(
        "<p class=soft>Bar: from the P50 of the start to the P50 of the finish; whiskers: from the P10 of the start to the P90 of the finish. \
         Critical: the share of trials in which the activity drives {}. {} trials.</p>\
         <div class=wide tabindex=0><table class=gantt><thead><tr><th>activity{}<th>starts<br><small>P50</small><th>ends<br><small>P50</small><th>ends<br><small>P90</small><th>critical</thead><tbody>",
        (report.milestone.as_ref()).map_or("the end of all works".to_owned(), |name| escape(name)),
        grouped(report.trials as f64, 0),
        axis.head()
    );
    for activity in &report.activities {
        let ([early, start, _], [_, end, late]) = (activity.start_months, activity.finish_months);
        let drawn = match (early, start) {
            (Some(early), Some(start)) => {
                let whiskers = (axis.at(early), late.map_or(100.0, |late| axis.at(late)));
                let bar = (axis.at(start), end.map_or(100.0, |end| axis.at(end)));
                row_of_bars(&marks, Some(whiskers), bar, None)
            }
            _ => String::new(),
        };
        let _ = write!(
            html,
            "<tr><td>{}<td class=time>{drawn}<td>{}<td>{}<td>{}<td>{}",
            escape(&activity.name),
            start.map_or("later".to_owned(), |start| axis.begin(start)),
            axis.date(end),
            axis.date(late),
            if activity.criticality_index > 0.0 {
                whole_percent(activity.criticality_index)
            } else {
                MISSING.to_owned()
            },
        );
    }
    html + "</tbody></table></div>" + LATER
}

impl Axis<'_> {
    /// The month in which something begins: at its first instant it belongs to it.
    fn begin(&self, months: f64) -> String {
        (self.layout.start.plus_months(months.floor()))
            .map_or(MISSING.to_owned(), crate::report::text::month_name)
    }
}
