//! The Gantt chart of a schedule report.

use std::fmt::Write;

use super::html::escape;
use crate::Date;
use crate::analysis::schedule::ScheduleReport;

impl ScheduleReport {
    /// A Gantt chart as SVG: a bar from the median start to the median finish of each activity,
    /// whiskers from the P10 of the start and to the P90 of the finish, darker the more often it
    /// drives the milestone. `start` is the start of the scenario.
    pub fn gantt_svg(&self, start: Date) -> String {
        const ROW: f64 = 18.0;
        const LEFT: f64 = 260.0;
        const WIDTH: f64 = 720.0;
        const TOP: f64 = 30.0;
        let dates = self.activities.iter().flat_map(|activity| {
            activity
                .start_months
                .iter()
                .chain(&activity.finish_months)
                .flatten()
                .copied()
        });
        let first = dates.clone().fold(0.0, f64::min).floor();
        let last = dates.fold(first + 1.0, f64::max).ceil();
        let x = |months: f64| LEFT + (months - first) / (last - first) * WIDTH;
        let height = TOP + ROW * self.activities.len() as f64 + 10.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
            LEFT + WIDTH + 20.0
        );
        // About ten marks along the top.
        let step = ((last - first) / 10.0).ceil().max(1.0);
        let mut month = first;
        while month <= last {
            let label = start
                .plus_months(month)
                .map(Date::to_month_string)
                .unwrap_or_default();
            let at = x(month);
            let _ = writeln!(
                svg,
                "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{height}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"20\" text-anchor=\"middle\">{label}</text>"
            );
            month += step;
        }
        for (row, activity) in self.activities.iter().enumerate() {
            let y = TOP + ROW * row as f64;
            let middle = y + ROW / 2.0;
            let name = escape(&activity.name);
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
                LEFT - 8.0,
                middle + 4.0
            );
            let ([early, begin, _], [_, end, late]) =
                (activity.start_months, activity.finish_months);
            let (Some(early), Some(begin), Some(end)) = (early, begin, end) else {
                continue;
            };
            let late = late.unwrap_or(last);
            let shade = 210.0 - 150.0 * activity.criticality_index;
            let _ = writeln!(
                svg,
                "<line x1=\"{:.1}\" y1=\"{middle:.1}\" x2=\"{:.1}\" y2=\"{middle:.1}\" stroke=\"#555\"/><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"rgb({shade:.0},{shade:.0},230)\" stroke=\"#335\"><title>{name}: criticality {:.0} %</title></rect>",
                x(early),
                x(late),
                x(begin),
                y + 4.0,
                (x(end) - x(begin)).max(1.0),
                ROW - 8.0,
                100.0 * activity.criticality_index
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}
