//! The Gantt chart of a schedule report, as a file.

use std::fmt::Write as _;

use super::draw::{shortened, text_width};
use super::palette::file_style;
use super::scale::time_ticks;
use crate::analysis::schedule::{ActivityReport, ScheduleReport};
use crate::report::text::{escape, whole_percent};

/// Pixels of a row, of the axis of time, of its margins, and for title, subtitle and the labels of months.
const ROW: f64 = 18.0;
const AXIS: f64 = 720.0;
const EDGE: f64 = 16.0;
const TOP: f64 = 84.0;
/// Pixels for the share of trials in which an activity drives the milestone.
const SHARE: f64 = 48.0;
const NAME_SIZE: f64 = 12.0;
/// The most room for names. They are cut at the front: the end distinguishes activities better than the beginning.
const MOST_NAME: f64 = 430.0;

/// Where things stand: months after the start become pixels.
struct Frame {
    first: f64,
    last: f64,
    left: f64,
    height: f64,
}

impl Frame {
    fn over(report: &ScheduleReport) -> Self {
        let times = report.activities.iter().flat_map(|activity| {
            (activity.start_months.iter().chain(&activity.finish_months))
                .flatten()
                .chain(&activity.plan.early_finish_months)
                .copied()
        });
        let (first, last) = times.fold((0.0_f64, 1.0_f64), |(a, b), x| (a.min(x), b.max(x)));
        let names = report
            .activities
            .iter()
            .map(|activity| text_width(&activity.name, NAME_SIZE).clamp(80.0, MOST_NAME));
        Self {
            first: first.floor(),
            last: last.ceil(),
            left: EDGE + names.fold(80.0, f64::max) + 8.0,
            height: TOP + ROW * report.activities.len() as f64 + EDGE,
        }
    }

    fn width(&self) -> f64 {
        self.left + AXIS + SHARE + EDGE
    }

    fn x(&self, months: f64) -> f64 {
        self.left + (months - self.first) / (self.last - self.first) * AXIS
    }
}

impl ScheduleReport {
    /// A Gantt chart as SVG: a bar from the P50 of the start to the P50 of the finish of each activity, whiskers from the
    /// P10 of the start to the P90 of the finish, darker the more often it drives the milestone; a mark where the plan
    /// finishes it.
    pub fn gantt_svg(&self) -> String {
        let frame = Frame::over(self);
        let (width, height) = (frame.width(), frame.height);
        let milestone = self.milestone.as_deref().unwrap_or("the end of all works");
        let title = format!("{}: what drives {milestone}", self.scenario);
        let subtitle = "Bar: P50 of start to P50 of finish, darker the more often it drives; whiskers: P10 to P90; line: the plan's finish";
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{0}\">\
             <style>{1}</style><rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\"/>\
             <text class=\"title\" x=\"{EDGE}\" y=\"28\">{2}</text><text class=\"subtitle\" x=\"{EDGE}\" y=\"48\">{3}</text>\n",
            escape(&title),
            file_style(),
            escape(&shortened(&title, width - 2.0 * EDGE, 19.0)),
            escape(&shortened(subtitle, width - 2.0 * EDGE, 13.0)),
        );
        for (months, label) in time_ticks(self.start, (frame.first, frame.last), AXIS) {
            let x = frame.x(months);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                height - EDGE,
                TOP - 8.0
            );
        }
        for (row, activity) in self.activities.iter().enumerate() {
            frame.row(TOP + ROW * row as f64, activity, &mut svg);
        }
        svg + "</svg>\n"
    }
}

impl Frame {
    fn row(&self, top: f64, activity: &ActivityReport, svg: &mut String) {
        let middle = top + ROW / 2.0;
        let _ = writeln!(
            svg,
            "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            self.left - 8.0,
            middle + 4.0,
            escape(&cut_in_front(&activity.name))
        );
        let ([early, begin, _], [_, end, late]) = (activity.start_months, activity.finish_months);
        let (Some(early), Some(begin), Some(end)) = (early, begin, end) else {
            return;
        };
        let share = activity.criticality_index;
        let (from, to) = (self.x(early), self.x(late.unwrap_or(self.last)));
        let _ = writeln!(
            svg,
            "<path class=\"hair\" d=\"M{from:.1} {middle:.1}H{to:.1}M{from:.1} {0:.1}v6M{to:.1} {0:.1}v6\"/>\
             <rect class=\"paper\" x=\"{1:.1}\" y=\"{2:.1}\" width=\"{3:.1}\" height=\"{4:.1}\"/>\
             <rect class=\"on\" x=\"{1:.1}\" y=\"{2:.1}\" width=\"{3:.1}\" height=\"{4:.1}\" fill-opacity=\"{5:.2}\"><title>{6}: drives in {7} of the trials</title></rect>",
            middle - 3.0,
            self.x(begin),
            top + 4.0,
            (self.x(end) - self.x(begin)).max(1.0),
            ROW - 8.0,
            0.25 + 0.75 * share,
            escape(&activity.name),
            whole_percent(share),
        );
        if share > 0.0 {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                self.width() - EDGE,
                middle + 4.0,
                whole_percent(share)
            );
        }
        if let Some(planned) = activity.plan.early_finish_months {
            let _ = writeln!(
                svg,
                "<rect class=\"goal\" x=\"{:.1}\" y=\"{:.1}\" width=\"3\" height=\"{:.1}\"/>",
                self.x(planned) - 1.5,
                top + 1.0,
                ROW - 2.0
            );
        }
    }
}

/// The end of a name that has room.
fn cut_in_front(name: &str) -> String {
    if text_width(name, NAME_SIZE) <= MOST_NAME {
        return name.to_owned();
    }
    let backwards: String = name.chars().rev().collect();
    let cut = shortened(&backwards, MOST_NAME, NAME_SIZE);
    cut.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(cut_in_front("north/A1/shell"), "north/A1/shell");
        let cut = cut_in_front(&format!("{}/last", "campus/".repeat(40)));
        assert!(cut.starts_with('…') && cut.ends_with("/last"), "{cut}");
        assert!(text_width(&cut, NAME_SIZE) <= MOST_NAME);
    }
}
