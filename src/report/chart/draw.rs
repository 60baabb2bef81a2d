//! A chart as SVG.

use std::fmt::Write as _;
use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::scale::time_ticks;
use super::{Chart, Mark, Series, palette};
use crate::report::text::escape;

/// Where a drawing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dress {
    /// In a file of its own: with title, ground and style sheet.
    File,
    /// On a page, which has these.
    Page,
}

/// Pixels around the plot: for the labels of values, for the unit above, and for those of months.
const LEFT: f64 = 72.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 24.0;
/// Pixels beside the plot without labels at the ends of lines.
const RIGHT: f64 = 14.0;
/// Pixels for title and subtitle.
const HEAD: f64 = 58.0;
const LABEL_SIZE: f64 = 12.0;
/// Pixels of a letter of a target's label.
const LETTER: f64 = 7.5;
/// Labels nearer than this lie over one another.
const LINE_HEIGHT: f64 = 11.0;

/// Where the plot is, in pixels, and what it reaches over.
struct Plot<'a> {
    chart: &'a Chart,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Draws a chart of that many pixels.
pub(crate) fn svg(chart: &Chart, (width, height): (f64, f64), dress: Dress) -> String {
    let head = if dress == Dress::File { HEAD } else { 0.0 };
    let longest = (chart.marks.iter().flat_map(Mark::series))
        .map(|series| text_width(&series.label, 11.0))
        .fold(0.0, f64::max);
    let right = if longest > 0.0 { longest + 8.0 } else { RIGHT };
    let plot = Plot {
        chart,
        left: LEFT,
        top: head + TOP,
        width: width - LEFT - right,
        height: height - head - TOP - BOTTOM,
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\" data-box=\"{} {} {} {}\" data-months=\"{}\">",
        escape(&chart.title),
        plot.left,
        plot.top,
        tenths(plot.width),
        tenths(plot.height),
        chart.months,
    );
    if dress == Dress::File {
        let _ = write!(
            out,
            "<style>{}</style><rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>",
            palette::file_style()
        );
        let room = width - 32.0;
        for (class, y, size, text) in [
            ("title", 28, 19.0, &chart.title),
            ("subtitle", 48, 13.0, &chart.subtitle),
        ] {
            let text = escape(&shortened(text, room, size));
            let _ = write!(
                out,
                "<text class=\"{class}\" x=\"16\" y=\"{y}\">{text}</text>"
            );
        }
    }
    plot.axes(width, &mut out);
    for mark in &chart.marks {
        plot.shape(mark, &mut out);
    }
    plot.goals(&mut out);
    plot.ends(&mut out);
    out + "</svg>"
}

impl Mark {
    fn series(&self) -> Vec<&Series> {
        match self {
            Self::Band { low, high, .. } => vec![low, high],
            Self::Line { of, .. } => vec![of],
            _ => Vec::new(),
        }
    }
}

impl Plot<'_> {
    fn x(&self, months: f64) -> f64 {
        self.left + self.width * months / self.chart.months as f64
    }

    fn y(&self, value: f64) -> f64 {
        let scale = &self.chart.scale;
        self.top + self.height * (1.0 - (value - scale.bottom) / (scale.top - scale.bottom))
    }

    fn axes(&self, whole: f64, out: &mut String) {
        let (left, right) = (self.left, tenths(self.left + self.width));
        let (top, bottom) = (self.top, tenths(self.top + self.height));
        let _ = write!(
            out,
            "<text class=\"unit\" x=\"4\" y=\"{}\">{}</text><g class=\"y\">",
            top - 10.0,
            escape(&self.chart.scale.unit)
        );
        for (value, label) in &self.chart.scale.ticks {
            let y = tenths(self.y(*value));
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{left} {y}H{right}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>",
                left - 6.0,
                tenths(self.y(*value) + 4.0)
            );
        }
        *out += "</g>";
        for (months, label) in time_ticks(
            self.chart.start,
            (0.0, self.chart.months as f64),
            self.width,
        ) {
            let at = self.x(months);
            let _ = write!(
                out,
                "<path class=\"axis\" d=\"M{} {bottom}v5\"/>",
                tenths(at)
            );
            if at + 3.0 + text_width(&label, LABEL_SIZE) <= whole {
                let (x, y) = (tenths(at + 3.0), tenths(self.top + self.height + 16.0));
                let _ = write!(out, "<text x=\"{x}\" y=\"{y}\">{label}</text>");
            }
        }
        let _ = write!(out, "<path class=\"axis\" d=\"M{left} {bottom}H{right}\"/>");
    }

    fn shape(&self, mark: &Mark, out: &mut String) {
        match mark {
            Mark::Band { low, high, class } => {
                let d: String = runs(&low.values, &high.values)
                    .into_iter()
                    .map(|run| {
                        let forth = self.path(&high.values, &run, 'M');
                        let mut back = points(&low.values, &run);
                        back.reverse();
                        forth + &self.through(&back, 'L') + "Z"
                    })
                    .collect();
                let (class, from, to) = (escape(class), escape(&low.label), escape(&high.label));
                let _ = write!(
                    out,
                    "<path class=\"{class}\" data-lists=\"{from} {to}\" d=\"{d}\"/>"
                );
            }
            Mark::Line { of, class } => {
                let d: String = (runs(&of.values, &of.values).iter())
                    .map(|run| self.path(&of.values, run, 'M'))
                    .collect();
                let (class, label) = (escape(class), escape(&of.label));
                let _ = write!(
                    out,
                    "<path class=\"{class}\" data-lists=\"{label}\" d=\"{d}\"/>"
                );
            }
            Mark::Known { points, label } => self.known(points, label, out),
            Mark::Moment { months, label } => self.moment(*months, label, out),
            Mark::Name {
                months,
                value,
                text,
                class,
            } => {
                let (x, y) = (tenths(self.x(*months)), tenths(self.y(*value) + 4.0));
                let _ = write!(
                    out,
                    "<text class=\"{}\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
                    escape(class),
                    escape(text)
                );
            }
            Mark::Goal { .. } => {}
        }
    }

    fn known(&self, points: &[(f64, f64)], label: &str, out: &mut String) {
        let line = self.through(points, 'M');
        let _ = write!(out, "<path class=\"known\" d=\"{line}\"/>");
        for (months, value) in points {
            let (x, y) = (tenths(self.x(*months)), tenths(self.y(*value)));
            let _ = write!(out, "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>");
        }
        if let Some((months, value)) = points.last() {
            let (x, y) = (tenths(self.x(*months) + 7.0), tenths(self.y(*value) + 13.0));
            let _ = write!(
                out,
                "<text class=\"strong halo\" x=\"{x}\" y=\"{y}\">{}</text>",
                escape(label)
            );
        }
    }

    fn moment(&self, months: f64, label: &str, out: &mut String) {
        let x = self.x(months);
        let bottom = tenths(self.top + self.height);
        let at = tenths(x);
        let is_right = x + text_width(label, LABEL_SIZE) > self.left + self.width;
        let (anchor, by) = if is_right {
            ("end", 3.0)
        } else {
            ("start", -3.0)
        };
        let _ = write!(
            out,
            "<path class=\"moment\" d=\"M{at} {}V{bottom}\"/><text class=\"halo\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            self.top - 4.0,
            tenths(x + by),
            self.top - 6.0,
            escape(label)
        );
    }

    /// What is to be there by when. The script draws these again for another metric.
    fn goals(&self, out: &mut String) {
        *out += "<g class=\"goals\">";
        // Of labels that would lie over one another the later ones are written.
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        for mark in self.chart.marks.iter().rev() {
            let Mark::Goal {
                months,
                value,
                label,
            } = mark
            else {
                continue;
            };
            let (x, y) = (self.x(*months), self.y(*value));
            let _ = write!(
                out,
                "<path class=\"goalline\" d=\"M{} {}H{}V{}\"/><path class=\"goal\" d=\"M{} {}l6 6l-6 6l-6 -6Z\"/>",
                self.left,
                tenths(y),
                tenths(x),
                tenths(self.top + self.height),
                tenths(x),
                tenths(y - 6.0),
            );
            let is_right = x > self.left + self.width / 2.0;
            let (anchor, by) = if is_right {
                ("end", -9.0)
            } else {
                ("start", 9.0)
            };
            let baseline = if y - 8.0 > self.top + 10.0 {
                y - 8.0
            } else {
                y + 17.0
            };
            let length = LETTER * label.chars().count() as f64;
            let begin = if is_right { x + by - length } else { x + by };
            let is_free = taken.iter().all(|(from, to, at)| {
                begin > *to || begin + length < *from || (at - baseline).abs() > 13.0
            });
            if is_free {
                taken.push((begin, begin + length, baseline));
                let _ = write!(
                    out,
                    "<text class=\"goaltext halo\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                    tenths(x + by),
                    tenths(baseline),
                    escape(label)
                );
            }
        }
        *out += "</g>";
    }

    /// The names of lines at their ends; of those that would lie over one another the ones in front.
    fn ends(&self, out: &mut String) {
        *out += "<g class=\"ends\">";
        let mut taken: Vec<f64> = Vec::new();
        for series in self.chart.marks.iter().rev().flat_map(Mark::series) {
            let last = series.values.iter().rev().find(|x| x.is_finite());
            let Some(last) = last.filter(|_| !series.label.is_empty()) else {
                continue;
            };
            let y = self.y(*last);
            if taken.iter().all(|other| (other - y).abs() >= LINE_HEIGHT) {
                taken.push(y);
                let _ = write!(
                    out,
                    "<text class=\"end\" x=\"{}\" y=\"{}\">{}</text>",
                    tenths(self.left + self.width + 4.0),
                    tenths(y + 4.0),
                    escape(&series.label)
                );
            }
        }
        *out += "</g>";
    }

    fn path(&self, list: &[f64], run: &Range<usize>, begin: char) -> String {
        self.through(&points(list, run), begin)
    }

    fn through(&self, points: &[(f64, f64)], begin: char) -> String {
        let mut d = String::new();
        for (number, (months, value)) in points.iter().enumerate() {
            let letter = if number == 0 { begin } else { 'L' };
            let _ = write!(
                d,
                "{letter}{} {}",
                tenths(self.x(*months)),
                tenths(self.y(*value))
            );
        }
        d
    }
}

/// To a tenth of a pixel, halves up, as the page's script rounds.
fn tenths(x: f64) -> f64 {
    (x * 10.0 + 0.5).floor() / 10.0
}

/// The runs of months in which both lists have a value.
fn runs(low: &[f64], high: &[f64]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for month in 0..low.len().min(high.len()) {
        if low[month].is_finite() && high[month].is_finite() {
            match runs.last_mut() {
                Some(run) if run.end == month => run.end += 1,
                _ => runs.push(month..month + 1),
            }
        }
    }
    runs
}

/// A list as points: the value of a month stands at its end. A month alone lasts from its
/// beginning, so that it remains visible.
fn points(list: &[f64], run: &Range<usize>) -> Vec<(f64, f64)> {
    let alone = (run.len() == 1).then(|| (run.start as f64, list[run.start]));
    alone
        .into_iter()
        .chain(run.clone().map(|month| ((month + 1) as f64, list[month])))
        .collect()
}

/// About how many pixels a text takes, rather too many: an SVG does not know its reader's fonts.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.width() as f64 * size * 0.62
}

/// A text cut to the room that it has.
pub(super) fn shortened(text: &str, room: f64, size: f64) -> String {
    let mut text = text.to_owned();
    if text_width(&text, size) > room {
        while text_width(&text, size) > room - text_width("…", size) && text.pop().is_some() {}
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::ValueScale;
    use super::*;
    use crate::Date;
    use crate::projection::Layout;

    fn chart(values: &[f64]) -> Chart {
        let layout = Layout::new(Date::month(2025, 1).unwrap(), values.len());
        let scale = ValueScale::over("MW", values.iter().copied());
        Chart::new("power <live>", &layout, scale)
    }

    fn line(values: &[f64]) -> Mark {
        Mark::Line {
            of: Series::new("P50", values.to_vec()),
            class: "mid".to_owned(),
        }
    }

    #[test]
    fn a_gap_in_the_values_is_a_gap_in_the_chart() {
        let list = [f64::NAN, 1.0, 2.0, f64::NAN, 3.0];
        assert_eq!(runs(&list, &list), [1..3, 4..5]);
        assert_eq!(points(&list, &(4..5)), [(4.0, 3.0), (5.0, 3.0)]);
        assert_eq!(points(&list, &(1..3)), [(2.0, 1.0), (3.0, 2.0)]);
        let drawn = svg(&chart(&list).with(line(&list)), (360.0, 200.0), Dress::Page);
        let path = drawn.split("data-lists=\"P50\" d=\"").nth(1).unwrap();
        assert_eq!(path.split('"').next().unwrap().matches('M').count(), 2);
    }

    #[test]
    fn values_stand_where_the_axes_say() {
        let list = [0.0, 400.0, 800.0, 400.0];
        let drawn = svg(&chart(&list).with(line(&list)), (364.0, 248.0), Dress::Page);
        // The plot is 200 high from 24 on, and a quarter of its width wide is a month.
        let width: f64 = 364.0 - LEFT - text_width("P50", 11.0) - 8.0;
        let first = tenths(LEFT + width / 4.0);
        assert!(drawn.contains(&format!("d=\"M{first} 224")), "{drawn}");
        assert!(drawn.contains(" 224L") && drawn.contains(" 124L") && drawn.contains(" 24L"));
    }

    #[test]
    fn a_file_stands_alone_and_a_page_has_the_style() {
        let list = [1.0, 2.0];
        let of = |dress| svg(&chart(&list).with(line(&list)), (480.0, 320.0), dress);
        let file = of(Dress::File);
        assert!(file.contains("<style>") && file.contains("power &lt;live&gt;</text>"));
        assert!(!of(Dress::Page).contains("<style>"));
        // The same points but for the head above them.
        assert_eq!(
            file.matches("<path").count(),
            of(Dress::Page).matches("<path").count()
        );
    }

    #[test]
    fn names_at_the_end_do_not_lie_over_one_another() {
        let list = [1.0, 1.0];
        let band = Mark::Band {
            low: Series::new("P10", vec![1.0, 1.0]),
            high: Series::new("P90", vec![1.0, 9.0]),
            class: "inner".to_owned(),
        };
        let drawn = svg(
            &chart(&[9.0, 9.0]).with(band).with(line(&list)),
            (360.0, 200.0),
            Dress::Page,
        );
        let ends = drawn.split("class=\"ends\"").nth(1).unwrap();
        assert!(
            ends.contains("P50") && ends.contains("P90") && !ends.contains("P10"),
            "{ends}"
        );
    }

    #[test]
    fn a_long_title_is_cut() {
        let short = shortened(&"数据中心 ".repeat(60), 400.0, 19.0);
        assert!(short.ends_with('…') && text_width(&short, 19.0) <= 400.0);
    }
}
