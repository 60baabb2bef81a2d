//! The Gantt chart of a schedule report.

use std::fmt::Write;

use super::text::escape;
use crate::Date;
use crate::analysis::schedule::{ActivityReport, ScheduleReport};
use unicode_width::UnicodeWidthStr;

const ROW: f64 = 18.0;
const WIDTH: f64 = 720.0;
const TOP: f64 = 46.0;
/// Of a letter at the size of names.
const LETTER: f64 = 6.2;
const LONGEST_NAME: usize = 60;

impl ScheduleReport {
    /// A Gantt chart as SVG: a bar from the median start to the median finish of each activity,
    /// whiskers from the P10 of the start and to the P90 of the finish, darker the more often it
    /// drives the milestone; a red mark where the plan finishes it.
    pub fn gantt_svg(&self) -> String {
        let frame = Frame::of(self);
        let (width, height) = (frame.left + WIDTH + 40.0, frame.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height}\" viewBox=\"0 0 {width:.0} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"8\" y=\"16\">{}: bars P50 to P50, whiskers P10 to P90, darker the more often it drives {}; red: the plan's finish</text>\n",
            escape(&self.scenario),
            escape(self.milestone.as_deref().unwrap_or("the end"))
        );
        frame.draw_axis(self.start, &mut svg);
        for (row, activity) in self.activities.iter().enumerate() {
            frame.draw_activity(TOP + ROW * row as f64, activity, &mut svg);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// Where months and rows lie.
struct Frame {
    /// The space for names.
    left: f64,
    /// The months at both ends of the time axis.
    first: f64,
    last: f64,
    height: f64,
}

impl Frame {
    fn of(report: &ScheduleReport) -> Self {
        let dates = report.activities.iter().flat_map(|activity| {
            let dates = activity.start_months.iter().chain(&activity.finish_months);
            dates.flatten().copied()
        });
        let first = dates.clone().fold(f64::INFINITY, f64::min).min(0.0).floor();
        let names = (report.activities.iter()).map(|activity| shortened(&activity.name));
        let letters = names.map(|name| name.width()).max().unwrap_or(0);
        Self {
            left: (letters as f64 * LETTER + 20.0).max(100.0),
            first,
            last: dates.fold(first + 1.0, f64::max).ceil(),
            height: TOP + ROW * report.activities.len() as f64 + 10.0,
        }
    }

    fn x(&self, months: f64) -> f64 {
        self.left + (months - self.first) / (self.last - self.first) * WIDTH
    }

    /// About ten marks along the top.
    fn draw_axis(&self, start: Date, svg: &mut String) {
        let step = ((self.last - self.first) / 10.0).ceil().max(1.0);
        let mut month = self.first;
        while month <= self.last {
            let label = start.plus_months(month).map(Date::to_month_string);
            let _ = writeln!(
                svg,
                "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{height}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                TOP - 8.0,
                label.unwrap_or_default(),
                at = self.x(month),
                height = self.height,
            );
            month += step;
        }
    }

    /// The name of an activity and, where it happens, its bar, in the row below `y`.
    fn draw_activity(&self, y: f64, activity: &ActivityReport, svg: &mut String) {
        let middle = y + ROW / 2.0;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            self.left - 8.0,
            middle + 4.0,
            escape(&shortened(&activity.name))
        );
        let ([early, begin, _], [_, end, late]) = (activity.start_months, activity.finish_months);
        let (Some(early), Some(begin), Some(end)) = (early, begin, end) else {
            return;
        };
        let late = late.unwrap_or(self.last);
        let shade = 210.0 - 150.0 * activity.criticality_index;
        let x = |months| self.x(months);
        let _ = writeln!(
            svg,
            "<line x1=\"{:.1}\" y1=\"{middle:.1}\" x2=\"{:.1}\" y2=\"{middle:.1}\" stroke=\"#555\"/><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"rgb({shade:.0},{shade:.0},230)\" stroke=\"#335\"><title>{}: drives in {:.0} % of the trials</title></rect>",
            x(early),
            x(late),
            x(begin),
            y + 4.0,
            (x(end) - x(begin)).max(1.0),
            ROW - 8.0,
            escape(&activity.name),
            100.0 * activity.criticality_index
        );
        for whisker in [early, late] {
            let _ = write!(
                svg,
                "<line x1=\"{0:.1}\" y1=\"{1:.1}\" x2=\"{0:.1}\" y2=\"{2:.1}\" stroke=\"#555\"/>",
                x(whisker),
                middle - 3.0,
                middle + 3.0
            );
        }
        if let Some(planned) = activity.plan.early_finish_months {
            let _ = writeln!(
                svg,
                "<line x1=\"{0:.1}\" y1=\"{1:.1}\" x2=\"{0:.1}\" y2=\"{2:.1}\" stroke=\"#c22\" stroke-width=\"1.5\"/>",
                x(planned),
                y + 2.0,
                y + ROW - 2.0
            );
        }
    }
}

/// A name of at most 60 letters; the end distinguishes activities better than the beginning.
fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    match letters.len().checked_sub(LONGEST_NAME) {
        Some(over) if over > 0 => {
            let end: String = letters[over + 1..].iter().collect();
            format!("…{end}")
        }
        _ => name.to_owned(),
    }
}
