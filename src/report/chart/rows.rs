//! Charts of rows: a bar in each, such as a tornado, or cells, such as plans in worlds.
//!
//! A page draws the bars of the same description within its tables.

use std::fmt::Write as _;

#[cfg(feature = "png")]
use super::ChartError;
use super::draw::{shortened, text_width};
use super::{ValueScale, palette, row_of_bars};
use crate::report::text::escape;

/// Pixels of a drawing, and of its parts.
const WIDTH: f64 = 960.0;
const HEAD: f64 = 66.0;
const ROW: f64 = 26.0;
const FOOT: f64 = 44.0;
const EDGE: f64 = 16.0;
/// The widest that names may be.
const NAMES: f64 = 330.0;
const SIZE: f64 = 12.0;

/// A bar of a [`BarChart`].
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    /// From where to where it reaches.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// How far it might reach.
    pub(crate) whiskers: Option<(f64, f64)>,
    /// What stands at its left and at its right end.
    pub(crate) ends: [String; 2],
    /// What stands at the end of its row.
    pub(crate) note: String,
}

/// Bars below one another on one axis of values: a tornado, or what changes are worth.
///
/// Made by [`tornado_chart`](crate::report::tornado_chart) and [`worth_chart`](crate::report::worth_chart).
#[derive(Clone, Debug)]
pub struct BarChart {
    title: String,
    subtitle: String,
    scale: ValueScale,
    /// A value that all bars are seen against.
    mark: f64,
    bars: Vec<Bar>,
}

impl BarChart {
    /// Bars of values of that unit, against one value.
    pub(crate) fn new(
        (title, subtitle): (impl Into<String>, impl Into<String>),
        unit: &str,
        mark: f64,
        bars: Vec<Bar>,
    ) -> Self {
        let values = bars.iter().flat_map(|bar| {
            let whiskers = bar.whiskers.unwrap_or((bar.low, bar.high));
            [bar.low, bar.high, whiskers.0, whiskers.1]
        });
        Self {
            title: title.into(),
            subtitle: subtitle.into(),
            scale: ValueScale::around(unit, values.chain([mark])),
            mark,
            bars,
        }
    }

    /// The bars.
    pub(crate) fn bars(&self) -> &[Bar] {
        &self.bars
    }

    /// A share of the axis.
    fn share(&self, value: f64) -> f64 {
        (value - self.scale.bottom) / (self.scale.top - self.scale.bottom)
    }

    /// A bar in the row of a page's table.
    pub(crate) fn in_row(&self, bar: &Bar) -> String {
        let at = |value: f64| 100.0 * self.share(value);
        row_of_bars(
            &[],
            bar.whiskers.map(|(low, high)| (at(low), at(high))),
            (at(bar.low), at(bar.high)),
            Some(at(self.mark)),
        )
    }

    /// The chart as an SVG document.
    pub fn to_svg(&self) -> String {
        let widest = |of: &dyn Fn(&Bar) -> &str| {
            let widths = self.bars.iter().map(|bar| text_width(of(bar), SIZE));
            widths.fold(0.0, f64::max)
        };
        let left = EDGE + widest(&|bar| &bar.name).min(NAMES) + 12.0;
        let right = WIDTH - EDGE - widest(&|bar| &bar.note) - 12.0;
        let (first, last) = (
            left + widest(&|bar| &bar.ends[0]),
            right - widest(&|bar| &bar.ends[1]),
        );
        let x = |value: f64| first + (last - first) * self.share(value);
        let foot = HEAD + ROW * self.bars.len() as f64 + 6.0;
        let mut out = begin((&self.title, &self.subtitle), foot + FOOT);
        for (value, label) in &self.scale.ticks {
            let at = x(*value);
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{at:.1} {HEAD}V{foot:.1}\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                foot + 16.0,
                escape(label)
            );
        }
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><path class=\"axis\" d=\"M{:.1} {HEAD}V{foot:.1}\"/>",
            (first + last) / 2.0,
            foot + 34.0,
            escape(&self.scale.unit),
            x(self.mark)
        );
        for (number, bar) in self.bars.iter().enumerate() {
            self.draw(bar, HEAD + ROW * number as f64, &x, &mut out);
        }
        out + "</svg>\n"
    }

    fn draw(&self, bar: &Bar, top: f64, x: &dyn Fn(f64) -> f64, out: &mut String) {
        let (low, high, text) = (x(bar.low), x(bar.high), top + 17.0);
        let _ = write!(
            out,
            "<text class=\"strong\" x=\"{EDGE}\" y=\"{text}\">{}</text><text x=\"{:.1}\" y=\"{text}\" text-anchor=\"end\">{}</text>\
             <rect class=\"inner\" x=\"{low:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"16\"/>",
            escape(&shortened(&bar.name, NAMES, SIZE)),
            WIDTH - EDGE,
            escape(&bar.note),
            top + 5.0,
            (high - low).max(1.0)
        );
        if let Some((from, to)) = bar.whiskers.map(|(from, to)| (x(from), x(to))) {
            let (middle, ends) = (top + 13.0, top + 9.0);
            let _ = write!(
                out,
                "<path class=\"hair\" d=\"M{from:.1} {middle}H{to:.1}M{from:.1} {ends}v8M{to:.1} {ends}v8\"/>"
            );
        }
        for (text_at, anchor, label) in [
            (low - 4.0, "end", &bar.ends[0]),
            (high + 4.0, "start", &bar.ends[1]),
        ] {
            let _ = write!(
                out,
                "<text class=\"end\" x=\"{text_at:.1}\" y=\"{text}\" text-anchor=\"{anchor}\">{}</text>",
                escape(label)
            );
        }
    }

    /// The chart as PNG, `scale` times as large.
    #[cfg(feature = "png")]
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>, ChartError> {
        crate::report::png::of_svg(&self.to_svg(), scale)
    }
}

/// A cell of a [`GridChart`].
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// Below it, in smaller letters.
    pub(crate) small: String,
    /// How dark it is, from 0 to 1; `None` for a cell without ground.
    pub(crate) shade: Option<f64>,
    pub(crate) is_strong: bool,
}

/// Rows and columns of cells, the darker the better: plans in worlds. Made by
/// [`decision_chart`](crate::report::decision_chart).
#[derive(Clone, Debug)]
pub struct GridChart {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<(String, Vec<Cell>)>,
}

impl GridChart {
    /// The chart as an SVG document.
    pub fn to_svg(&self) -> String {
        const TALL: f64 = 44.0;
        let names = self.rows.iter().map(|(name, _)| text_width(name, SIZE));
        let left = EDGE + names.fold(0.0, f64::max).min(NAMES) + 12.0;
        let wide = (WIDTH - EDGE - left) / self.heads.len().max(1) as f64;
        let top = HEAD + 20.0;
        let mut out = begin(
            (&self.title, &self.subtitle),
            top + TALL * self.rows.len() as f64 + EDGE,
        );
        let middle = |column: usize| left + wide * (column as f64 + 0.5);
        for (column, head) in self.heads.iter().enumerate() {
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                middle(column),
                top - 8.0,
                escape(&shortened(head, wide - 6.0, SIZE))
            );
        }
        for (number, (name, cells)) in self.rows.iter().enumerate() {
            let y = top + TALL * number as f64;
            let _ = write!(
                out,
                "<text class=\"strong\" x=\"{EDGE}\" y=\"{:.1}\">{}</text>",
                y + 26.0,
                escape(&shortened(name, NAMES, SIZE))
            );
            for (column, cell) in cells.iter().enumerate() {
                if let Some(shade) = cell.shade {
                    let _ = write!(
                        out,
                        "<rect class=\"inner\" fill-opacity=\"{:.2}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{}\"/>",
                        0.08 + 0.72 * shade.clamp(0.0, 1.0),
                        left + wide * column as f64 + 1.0,
                        wide - 2.0,
                        TALL - 2.0
                    );
                }
                let (class, lift) = (
                    if cell.is_strong { "strong" } else { "onpage" },
                    if cell.small.is_empty() { 26.0 } else { 19.0 },
                );
                let _ = write!(
                    out,
                    "<text class=\"{class}\" x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"middle\">{2}</text>\
                     <text class=\"end\" x=\"{0:.1}\" y=\"{3:.1}\" text-anchor=\"middle\">{4}</text>",
                    middle(column),
                    y + lift,
                    escape(&shortened(&cell.text, wide - 6.0, SIZE)),
                    y + 35.0,
                    escape(&shortened(&cell.small, wide - 6.0, 11.0))
                );
            }
        }
        out + "</svg>\n"
    }

    /// The chart as PNG, `scale` times as large.
    #[cfg(feature = "png")]
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>, ChartError> {
        crate::report::png::of_svg(&self.to_svg(), scale)
    }
}

/// The beginning of a drawing of that height, with its title.
fn begin((title, subtitle): (&str, &str), height: f64) -> String {
    let room = WIDTH - 2.0 * EDGE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{}\"><style>{}</style><rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>",
        escape(title),
        palette::file_style()
    );
    for (class, y, size, text) in [("title", 28, 19.0, title), ("subtitle", 48, 13.0, subtitle)] {
        let _ = write!(
            out,
            "<text class=\"{class}\" x=\"{EDGE}\" y=\"{y}\">{}</text>",
            escape(&shortened(text, room, size))
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, low: f64, high: f64) -> Bar {
        Bar {
            name: name.to_owned(),
            low,
            high,
            whiskers: Some((low - 1.0, high + 1.0)),
            ends: ["P10 <1>".to_owned(), "P90".to_owned()],
            note: "12 %".to_owned(),
        }
    }

    #[test]
    fn bars_stand_on_one_axis_within_the_drawing() {
        let bars = vec![bar("shell", 20.0, 30.0), bar("a & b", 24.0, 25.0)];
        let chart = BarChart::new(("What drives", "1,000 trials"), "months", 24.5, bars);
        let svg = chart.to_svg();
        assert!(
            svg.contains("a &amp; b") && svg.contains("P10 &lt;1&gt;"),
            "{svg}"
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(svg.matches("<rect class=\"inner\"").count(), 2);
        assert!((0.0..=1.0).contains(&chart.share(19.0)) && chart.share(31.0) <= 1.0);
        assert!(chart.in_row(&chart.bars()[0]).contains("range"));
    }

    #[test]
    fn a_chart_of_no_bars_and_of_equal_values_is_drawn() {
        let none = BarChart::new(("t", "s"), "", 0.0, Vec::new()).to_svg();
        assert!(!none.contains("NaN"), "{none}");
        let mut flat = bar("flat", 5.0, 5.0);
        flat.whiskers = None;
        let svg = BarChart::new(("t", "s"), "", 5.0, vec![flat]).to_svg();
        assert!(!svg.contains("NaN"), "{svg}");
    }
}
