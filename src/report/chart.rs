//! Fan charts: how a metric may grow, and how sure that is.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use unicode_width::UnicodeWidthStr;

use super::text::{grouped, month_name};
use crate::Projection;
use crate::projection::{Layout, MetricView};

/// Why there is no chart.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// The projection has no metric of that name.
    #[error("there is no metric \"{0}\" in this projection")]
    UnknownMetric(String),
    /// The projection has no campus of that name beside the total.
    #[error("there is no campus \"{0}\" in this projection")]
    UnknownCampus(String),
    /// There is no room for a chart in so few pixels.
    #[error("a chart of {width} x {height} pixels is too small: 480 x 320 is the least")]
    TooSmall {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// A PNG of a size that no picture can have.
    #[cfg(feature = "png")]
    #[error("a picture {0} times as large is too large or none at all: 0.25 to 8 will do")]
    Scale(f32),
    /// The drawing failed.
    #[error("the chart could not be drawn: {0}")]
    Drawing(String),
}

/// What is drawn of a forecast before an update.
const BEFORE: [f64; 3] = [0.1, 0.5, 0.9];
const LEAST_SIZE: (u32, u32) = (480, 320);
/// Pixels above the plot, for the title and the legend.
const TOP: u32 = 96;
const MARGIN: i32 = 20;
/// Pixels beside the plot.
const LEFT: u32 = 10;
const RIGHT: u32 = 36;
/// Pixels for the numbers of the value axis and its unit.
const VALUE_LABELS: u32 = 96;
/// Pixels that a year or a month needs on the time axis.
const YEAR_WIDTH: u32 = 52;
const MONTH_WIDTH: u32 = 76;

// One hue from light to dark, so that the bands keep their order in greyscale and for readers
// who do not see colours.
const OUTER: RGBColor = RGBColor(208, 225, 242);
const INNER: RGBColor = RGBColor(124, 172, 214);
const MIDDLE: RGBColor = RGBColor(8, 48, 107);
const MEAN: RGBColor = RGBColor(0, 0, 0);
const FRAME: RGBColor = RGBColor(90, 90, 90);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// A chart of one metric by month: the ranges P5 to P95 and P10 to P90 as bands and the P50 as a
/// line, as SVG.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use buildout::report::FanChart;
/// use buildout::{Batch, Date, Scenario, site::Campus};
///
/// let mut scenario = Scenario::new("empty land", Date::month(2025, 1)?, 36);
/// scenario.campuses.push(Campus::new("north"));
/// let projection = Batch::new(&scenario.compile()?).trials(100).run()?;
/// let svg = FanChart::new(&projection, "it_power_mw")?.mean(true).to_svg()?;
/// assert!(svg.contains("empty land"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FanChart<'a> {
    projection: &'a Projection,
    metric: MetricView<'a>,
    campus: Option<&'a str>,
    mean: bool,
    before: Option<MetricView<'a>>,
    size: (u32, u32),
}

impl<'a> FanChart<'a> {
    /// A chart of the metric of that name, in total.
    pub fn new(projection: &'a Projection, metric: &str) -> Result<Self, ChartError> {
        let metric = projection
            .metric(metric)
            .ok_or_else(|| ChartError::UnknownMetric(metric.to_owned()))?;
        Ok(Self {
            projection,
            metric,
            campus: None,
            mean: false,
            before: None,
            size: (960, 540),
        })
    }

    /// Shows one campus instead of the total.
    pub fn campus(mut self, name: &str) -> Result<Self, ChartError> {
        let unknown = || ChartError::UnknownCampus(name.to_owned());
        let campus = self.projection.campus(name).ok_or_else(unknown)?;
        self.metric = campus.metric(self.metric.name()).ok_or_else(unknown)?;
        self.campus = Some(campus.name());
        Ok(self)
    }

    /// Sets whether the mean is drawn too, as a dashed line; it is not by default.
    #[must_use]
    pub fn mean(mut self, mean: bool) -> Self {
        self.mean = mean;
        self
    }

    /// Draws the P10, P50 and P90 of the same metric in another projection as dashed lines: what was forecast before an update.
    pub fn before(mut self, projection: &'a Projection) -> Result<Self, ChartError> {
        let name = self.metric.name();
        let metric = match self.campus {
            None => projection.metric(name),
            Some(campus) => projection.campus(campus).and_then(|of| of.metric(name)),
        };
        let unknown = || ChartError::UnknownMetric(name.to_owned());
        self.before = Some(metric.ok_or_else(unknown)?);
        Ok(self)
    }

    /// Sets the size in pixels, 960 x 540 by default.
    #[must_use]
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width, height);
        self
    }

    /// Draws the chart.
    pub fn to_svg(&self) -> Result<String, ChartError> {
        let (width, height) = self.size;
        if width < LEAST_SIZE.0 || height < LEAST_SIZE.1 {
            return Err(ChartError::TooSmall { width, height });
        }
        let mut svg = String::new();
        self.draw(&mut svg)
            .map_err(|error| ChartError::Drawing(error.to_string()))?;
        Ok(svg)
    }

    /// Draws the chart as PNG, `scale` times as many pixels each way as its [size](Self::size): 2 for a
    /// slide. Letters are those of a font that comes with this library; scripts that it has no letters for, such as
    /// Chinese, are taken from the machine's fonts if there are any.
    #[cfg(feature = "png")]
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>, ChartError> {
        super::png::of_svg(&self.to_svg()?, scale)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let layout = self.projection.layout();
        let [p5, p10, p50, p90, p95] = [0.05, 0.1, 0.5, 0.9, 0.95].map(|p| self.metric.quantile(p));
        let mean = self.mean.then(|| self.metric.mean());
        let before = self.before.map(|metric| BEFORE.map(|p| metric.quantile(p)));
        let lists = [&p5, &p50, &p95].into_iter().chain(&mean);
        let (bottom, top) = value_range(lists.chain(before.iter().flatten()));
        let share = self.metric.unit() == "share";

        let root = SVGBackend::with_string(svg, self.size).into_drawing_area();
        root.fill(&WHITE)?;
        let (head, body) = root.split_vertically(TOP);
        self.write_head(&head)?;
        let width = self.size.0.saturating_sub(LEFT + VALUE_LABELS + RIGHT);
        let mut chart = ChartBuilder::on(&body)
            .margin_left(LEFT)
            .margin_right(RIGHT)
            .margin_bottom(8)
            .x_label_area_size(34)
            .y_label_area_size(VALUE_LABELS)
            .build_cartesian_2d(TimeAxis { layout, width }, bottom..top)?;
        let y_label = |value: &f64| y_label(*value, top - bottom, share);
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(FRAME)
            .label_style(font(15))
            .y_labels(8)
            .y_desc(if share {
                "per cent"
            } else {
                self.metric.unit()
            })
            .axis_desc_style(font(16))
            .y_label_formatter(&y_label)
            .draw()?;
        for (low, high, colour) in [(&p5, &p95, OUTER), (&p10, &p90, INNER)] {
            for run in runs(&[low, high]) {
                let mut outline = points(low, &run);
                outline.extend(points(high, &run).into_iter().rev());
                chart.draw_series(std::iter::once(Polygon::new(outline, colour.filled())))?;
            }
        }
        for run in runs(&[&p50]) {
            chart.draw_series(LineSeries::new(points(&p50, &run), MIDDLE.stroke_width(3)))?;
        }
        for (list, width) in
            (mean.iter().map(|mean| (mean, 2))).chain(before.iter().flatten().map(|list| (list, 1)))
        {
            for run in runs(&[list]) {
                let line = points(list, &run).into_iter();
                chart.draw_series(DashedLineSeries::new(line, 7, 5, MEAN.stroke_width(width)))?;
            }
        }
        root.present()?;
        Ok(())
    }

    /// The title, what the metric means, and the legend.
    fn write_head<DB: DrawingBackend>(
        &self,
        head: &DrawingArea<DB, plotters::coord::Shift>,
    ) -> Result<(), Box<dyn std::error::Error>>
    where
        DB::ErrorType: 'static,
    {
        let room = f64::from(self.size.0) - 2.0 * f64::from(MARGIN);
        let provenance = self.projection.provenance();
        let name = match self.campus {
            Some(campus) => format!("{}, {campus}", provenance.scenario),
            None => provenance.scenario.clone(),
        };
        let meaning = format!(
            "{} ({} trials, seed {})",
            self.metric.meaning(),
            grouped(self.projection.trials() as f64, 0),
            provenance.seed
        );
        let left = |size: i32| font(size).pos(Pos::new(HPos::Left, VPos::Center));
        for (text, size, y) in [(name, 25, 22), (meaning, 17, 48)] {
            let text = shortened(&text, room, size);
            head.draw(&Text::new(text, (MARGIN, y), left(size)))?;
        }
        let y = 76;
        let mut x = MARGIN;
        let mut entry = |label: &str, swatch: i32| {
            let at = x;
            x += swatch + 10 + text_width(label, 15) as i32 + 24;
            at
        };
        for (label, colour) in [("P10 to P90", INNER), ("P5 to P95", OUTER)] {
            let at = entry(label, 26);
            let corners = [(at, y - 7), (at + 26, y + 7)];
            head.draw(&Rectangle::new(corners, colour.filled()))?;
            head.draw(&Rectangle::new(corners, FRAME.stroke_width(1)))?;
            head.draw(&Text::new(label, (at + 34, y), left(15)))?;
        }
        let at = entry("P50", 26);
        let line = vec![(at, y), (at + 26, y)];
        head.draw(&PathElement::new(line, MIDDLE.stroke_width(3)))?;
        head.draw(&Text::new("P50", (at + 34, y), left(15)))?;
        let mean = self.mean.then_some("mean");
        let before = self.before.map(|_| "before: P10, P50 and P90");
        for label in mean.into_iter().chain(before) {
            let at = entry(label, 26);
            for dash in [0, 10, 20] {
                let line = vec![(at + dash, y), (at + dash + 6, y)];
                head.draw(&PathElement::new(line, MEAN.stroke_width(2)))?;
            }
            head.draw(&Text::new(label, (at + 34, y), left(15)))?;
        }
        Ok(())
    }
}

fn font(size: i32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size).into_font()).color(&BLACK)
}

/// About how many pixels a text takes, rather too many: an SVG does not know its reader's fonts.
fn text_width(text: &str, size: i32) -> f64 {
    // A font of the library's size s is drawn at s / 1.24 pixels; letters average a little more than half of that.
    text.width() as f64 * f64::from(size) / 1.24 * 0.58
}

/// A text without what XML cannot hold, cut to the room that it has.
fn shortened(text: &str, room: f64, size: i32) -> String {
    let mut text: String = text
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    if text_width(&text, size) > room {
        while text_width(&text, size) > room - text_width("...", size) && text.pop().is_some() {}
        text.push('…');
    }
    text
}

/// Zero and all values, with some room above; never empty.
fn value_range<'v>(lists: impl Iterator<Item = &'v Vec<f64>>) -> (f64, f64) {
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    for x in lists.flatten().filter(|x| x.is_finite()) {
        (low, high) = (low.min(*x), high.max(*x));
    }
    let size = high - low;
    if size <= 0.0 || !size.is_finite() {
        return (0.0, 1.0);
    }
    (
        if low < 0.0 { low - 0.04 * size } else { 0.0 },
        if high > 0.0 { high + 0.04 * size } else { 0.0 },
    )
}

/// The runs of months in which all lists have a value.
fn runs(lists: &[&Vec<f64>]) -> Vec<std::ops::Range<usize>> {
    let months = lists.iter().map(|list| list.len()).min().unwrap_or(0);
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for month in 0..months {
        if lists.iter().all(|list| list[month].is_finite()) {
            match runs.last_mut() {
                Some(run) if run.end == month => run.end += 1,
                _ => runs.push(month..month + 1),
            }
        }
    }
    runs
}

/// A list as points: the value of a month stands at its end. A month alone lasts from its
/// beginning, lest it should not be seen.
fn points(list: &[f64], run: &std::ops::Range<usize>) -> Vec<(f64, f64)> {
    let alone = (run.len() == 1).then(|| (run.start as f64, list[run.start]));
    alone
        .into_iter()
        .chain(run.clone().map(|month| ((month + 1) as f64, list[month])))
        .collect()
}

/// Whether the time axis names years, not months.
fn by_year(layout: &Layout) -> bool {
    layout.months > 36
}

/// Months after the start, with labels for the calendar, on so many pixels.
struct TimeAxis<'a> {
    layout: &'a Layout,
    width: u32,
}

impl Ranged for TimeAxis<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.layout.months as f64
    }

    fn map(&self, value: &f64, (low, high): (i32, i32)) -> i32 {
        let share = value / self.layout.months as f64;
        low + (share * f64::from(high - low)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        ticks(self.layout, self.width)
    }
}

impl ValueFormatter<f64> for TimeAxis<'_> {
    fn format_ext(&self, months: &f64) -> String {
        match self.layout.start.plus_months(months.round()) {
            Some(date) if by_year(self.layout) => date.year().to_string(),
            Some(date) => month_name(date),
            None => String::new(),
        }
    }
}

/// Where the time axis is labelled, in months after the start: as often as labels have room, at
/// round months or years.
fn ticks(layout: &Layout, width: u32) -> Vec<f64> {
    let (steps, label): (&[usize], u32) = if by_year(layout) {
        (&[12, 24, 60, 120, 240, 600, 1_200], YEAR_WIDTH)
    } else {
        (&[1, 3, 6, 12, 24], MONTH_WIDTH)
    };
    let room = f64::from(width) / f64::from(label);
    let step = (steps.iter().copied())
        .find(|step| layout.months as f64 / *step as f64 <= room)
        .unwrap_or(1_200);
    // Months since the year 0, so that a step of ten years falls on 2030 and 2040.
    let first = 12 * usize::try_from(layout.start.year()).unwrap_or(0)
        + usize::try_from(layout.start.month_of_year() - 1).unwrap_or(0);
    (0..=layout.months)
        .filter(|month| (first + month).is_multiple_of(step))
        .map(|month| month as f64)
        .collect()
}

fn y_label(value: f64, span: f64, share: bool) -> String {
    let scale = if share { 100.0 } else { 1.0 };
    // Labels are at least about a twelfth of the axis apart.
    let decimals = (-(span * scale / 10.0).log10()).ceil().clamp(0.0, 12.0) as usize;
    grouped(value * scale, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_chart_says_what_it_shows_and_escapes_names() {
        let projection = fixture::projection();
        let chart = FanChart::new(&projection, "standard_racks").unwrap();
        let svg = chart.mean(true).to_svg().unwrap();
        assert!(svg.contains("&lt;a&gt; &amp; &quot;b&quot;"), "{svg}");
        assert!(!svg.contains("<a>"));
        for text in [
            "P10 to P90",
            "P5 to P95",
            "P50",
            "mean",
            "standard racks",
            "Jan 2025",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(svg.matches("<polygon").count() >= 2);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let projection = fixture::projection();
        let error = FanChart::new(&projection, "rakcs").unwrap_err();
        assert_eq!(error, ChartError::UnknownMetric("rakcs".to_owned()));
        let chart = FanChart::new(&projection, "take_up").unwrap();
        assert!(chart.clone().campus("south").is_err());
        assert!(matches!(
            chart.size(10, 10).to_svg(),
            Err(ChartError::TooSmall { .. })
        ));
    }

    #[test]
    fn horizons_of_one_month_and_of_a_century_are_drawn() {
        for months in [1, 2, 7, 36, 37, 1_200] {
            let projection = fixture::run(&fixture::scenario(1, months));
            let svg = FanChart::new(&projection, "it_power_mw").unwrap().to_svg();
            assert!(svg.unwrap().ends_with("</svg>\n"), "{months}");
            for (width, most) in [(330, 7), (800, 16)] {
                let ticks = ticks(projection.layout(), width);
                assert!((1..=most).contains(&ticks.len()), "{months}: {ticks:?}");
            }
        }
    }

    #[test]
    fn a_long_name_does_not_break_a_chart() {
        let mut scenario = fixture::scenario(1, 24);
        scenario.name = "数据中心 ".repeat(60).trim_end().to_owned();
        let projection = fixture::run(&scenario);
        let svg = FanChart::new(&projection, "take_up")
            .unwrap()
            .to_svg()
            .unwrap();
        assert!(svg.contains('…'));
    }

    #[test]
    fn a_gap_in_the_values_is_a_gap_in_the_chart() {
        let list = vec![f64::NAN, 1.0, 2.0, f64::NAN, 3.0];
        assert_eq!(runs(&[&list]), [1..3, 4..5]);
        assert_eq!(points(&list, &(4..5)), [(4.0, 3.0), (5.0, 3.0)]);
        assert_eq!(points(&list, &(1..3)), [(2.0, 1.0), (3.0, 2.0)]);
    }

    #[test]
    fn labels_of_the_value_axis_tell_neighbours_apart() {
        assert_eq!(y_label(250_000.0, 900_000.0, false), "250,000");
        assert_eq!(y_label(0.5, 4.0, false), "0.5");
        assert_eq!(y_label(0.25, 1.04, true), "25");
        assert_eq!(value_range([vec![f64::NAN, 0.0]].iter()), (0.0, 1.0));
    }
}
