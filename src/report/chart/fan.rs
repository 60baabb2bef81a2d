//! Fan charts: how a metric may grow, and how sure that is.

use super::terminal::letters;
use super::{Chart, Dress, Mark, Series, ValueScale, end_of_month, svg};
use crate::Projection;
use crate::analysis::update::{Observations, ObservedDate, ObservedValue};
use crate::date::Date;
use crate::projection::{Layout, MetricView};
use crate::report::text::{chart_title, grouped, month_name};
use crate::scenario::Scenario;

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

/// The names of the lists of a fan and the probabilities of their quantiles, from the lowest to the highest.
pub(crate) const FAN: [(&str, f64); 5] = [
    ("P5", 0.05),
    ("P10", 0.1),
    ("P50", 0.5),
    ("P90", 0.9),
    ("P95", 0.95),
];
/// What is drawn of a forecast before an update.
const BEFORE: [(&str, f64); 3] = [("", 0.1), ("before", 0.5), ("", 0.9)];
const LEAST_SIZE: (u32, u32) = (320, 240);

/// A metric's quantiles by month: what a fan draws.
#[derive(Clone, Debug)]
pub(crate) struct Fan {
    lists: [Vec<f64>; 5],
}

impl Fan {
    pub(crate) fn of(metric: &MetricView<'_>) -> Self {
        Self {
            lists: FAN.map(|(_, p)| metric.quantile(p).into_iter().map(short).collect()),
        }
    }

    pub(crate) fn lists(&self) -> impl Iterator<Item = (&'static str, &Vec<f64>)> {
        FAN.iter().map(|(name, _)| *name).zip(&self.lists)
    }

    /// All values, for a scale over them.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.lists.iter().flatten().copied()
    }

    /// Whether it has no width and stays as it is: nothing that one would draw.
    pub(crate) fn is_flat(&self) -> bool {
        let mut values = self.values().filter(|x| x.is_finite());
        let first = values.next().unwrap_or(0.0);
        values.all(|x| x == first)
    }

    /// The bands and the line of a fan, from the back to the front.
    pub(crate) fn marks(&self) -> [Mark; 3] {
        let series = |at: usize| Series::new(FAN[at].0, self.lists[at].clone());
        let band = |low, high, class: &str| Mark::Band {
            low: series(low),
            high: series(high),
            class: class.to_owned(),
        };
        let middle = Mark::Line {
            of: series(2),
            class: "mid".to_owned(),
        };
        [band(0, 4, "outer"), band(1, 3, "inner"), middle]
    }
}

/// A number to five significant digits, finer than a screen resolves: a page draws what it reads out.
pub(crate) fn short(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(f64::NAN)
}

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
/// let chart = FanChart::new(&projection, "it_power_mw")?.mean(true);
/// let svg = chart.target("ten of them", Date::month(2026, 6)?, 10.0).to_svg()?;
/// assert!(svg.contains("empty land") && svg.contains("ten of them"));
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
    /// Targets, what is known, and as of when.
    marks: Vec<Mark>,
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
            marks: Vec::new(),
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

    /// Marks a value that is to be there by the end of a month.
    #[must_use]
    pub fn target(mut self, label: impl Into<String>, by: Date, value: f64) -> Self {
        self.marks.push(Mark::Goal {
            months: end_of_month(by, self.projection.layout().start),
            value,
            label: label.into(),
        });
        self
    }

    /// Marks what a scenario asks of this metric, and until when it knows what has happened.
    #[must_use]
    pub fn scenario(mut self, scenario: &Scenario) -> Self {
        let layout = self.projection.layout();
        let scope = self.campus.unwrap_or(TOTAL);
        let asked = asked_of(scenario, scope, self.metric.name(), layout);
        self.marks.extend(asked);
        self.marks.extend(as_of(scenario, layout));
        self
    }

    /// Marks a date with its name, such as until when things are known; one outside the horizon is left out.
    #[must_use]
    pub fn moment(mut self, label: impl Into<String>, at: Date) -> Self {
        let layout = self.projection.layout();
        let months = at.end_months_after(layout.start);
        if (0.0..=layout.months as f64).contains(&months) {
            self.marks.push(Mark::Moment {
                months,
                label: label.into(),
            });
        }
        self
    }

    /// Draws values that are known, each at the end of a month; those outside the horizon are left out.
    #[must_use]
    pub fn known(mut self, label: impl Into<String>, values: &[(Date, f64)]) -> Self {
        let layout = self.projection.layout();
        let points: Vec<(f64, f64)> = (values.iter())
            .map(|(date, value)| (end_of_month(*date, layout.start), *value))
            .filter(|(months, value)| {
                (0.0..=layout.months as f64).contains(months) && value.is_finite()
            })
            .collect();
        if !points.is_empty() {
            let label = label.into();
            self.marks.push(Mark::Known { points, label });
        }
        self
    }

    /// Draws what was seen of this metric at the ends of months, as known.
    #[must_use]
    pub fn observations(self, observations: &Observations) -> Self {
        let name = match self.campus {
            Some(campus) => format!("{campus}/{}", self.metric.name()),
            None => self.metric.name().to_owned(),
        };
        let of_metric = observations.list().iter().filter(|one| one.of == name);
        let values: Vec<(Date, f64)> = of_metric
            .filter_map(|one| match (&one.date, &one.value) {
                (
                    ObservedDate::Month(date) | ObservedDate::Day(date),
                    ObservedValue::Number(value),
                ) => Some((*date, *value)),
                _ => None,
            })
            .collect();
        self.known("known", &values)
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
        let size = (f64::from(width), f64::from(height));
        Ok(svg(&self.chart(), size, Dress::File) + "\n")
    }

    /// Draws the chart as PNG, `scale` times as many pixels each way as its [size](Self::size): 2 for a
    /// slide. Letters are those of a font that comes with this library; scripts that it has no letters for, such as
    /// Chinese, are taken from the machine's fonts if there are any.
    #[cfg(feature = "png")]
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>, ChartError> {
        crate::report::png::of_svg(&self.to_svg()?, scale)
    }

    /// Draws the chart in letters, at most this many columns wide, with its title above.
    pub fn to_text(&self, columns: usize) -> String {
        let chart = self.chart();
        format!(
            "{}\n{}━ P50  ▒ P10 to P90  ░ P5 to P95{}\n",
            chart.title,
            letters(&chart, columns),
            if self
                .marks
                .iter()
                .any(|mark| matches!(mark, Mark::Goal { .. }))
            {
                "  ◆ target"
            } else {
                ""
            }
        )
    }

    /// The numbers behind it by month: the fan, and the P50 before an update.
    pub(crate) fn lists(&self) -> Vec<(&'static str, Vec<f64>)> {
        let fan = Fan::of(&self.metric);
        let mut lists: Vec<_> = (fan.lists())
            .map(|(name, list)| (name, list.clone()))
            .collect();
        lists.extend(
            self.before
                .map(|before| ("P50 before", before.quantile(0.5))),
        );
        lists
    }

    /// The unit of its values.
    pub(crate) fn unit(&self) -> &'a str {
        self.metric.unit()
    }

    pub(in crate::report) fn chart(&self) -> Chart {
        let fan = Fan::of(&self.metric);
        let dashed = |label: &str, values: Vec<f64>, class: &str| Mark::Line {
            of: Series::new(label, values),
            class: class.to_owned(),
        };
        let mut lines = Vec::new();
        if self.mean {
            lines.push(dashed("mean", self.metric.mean(), "mean"));
        }
        for (label, p) in BEFORE {
            lines.extend((self.before).map(|before| dashed(label, before.quantile(p), "base")));
        }
        let mut chart = fan_chart(&fan, &self.metric, self.projection.layout(), {
            let goals = self.marks.iter().flat_map(Mark::values);
            goals.chain(lines.iter().flat_map(Mark::values)).collect()
        });
        let provenance = self.projection.provenance();
        let place = match self.campus {
            Some(campus) => format!("{}, {campus}", provenance.scenario),
            None => provenance.scenario.clone(),
        };
        chart.title = format!("{}: {}", place, chart.title);
        chart.subtitle = format!(
            "{}. Line: P50; bands: P10 to P90, P5 to P95. {} trials, seed {}",
            self.metric.meaning(),
            grouped(self.projection.trials() as f64, 0),
            provenance.seed
        );
        chart.marks.extend(lines);
        chart.marks.extend(self.marks.iter().cloned());
        chart
    }
}

/// The scope of all campuses.
const TOTAL: &str = "total";

/// What a scenario asks of a metric of a scope within the horizon.
pub(crate) fn asked_of(
    scenario: &Scenario,
    scope: &str,
    metric: &str,
    layout: &Layout,
) -> Vec<Mark> {
    let of_metric = scenario.targets.iter().filter(|target| {
        target.metric.as_deref() == Some(metric)
            && target.campus.as_deref().unwrap_or(TOTAL) == scope
    });
    of_metric
        .filter_map(|target| {
            let months = end_of_month(target.by, layout.start);
            let value = target.at_least?;
            let places = if value.fract() == 0.0 { 0 } else { 2 };
            let label = format!("{} by {}", grouped(value, places), month_name(target.by));
            (0.0..=layout.months as f64)
                .contains(&months)
                .then_some(Mark::Goal {
                    months,
                    value,
                    label,
                })
        })
        .collect()
}

/// The moment until which a scenario knows what has happened, if it is within the horizon.
pub(crate) fn as_of(scenario: &Scenario, layout: &Layout) -> Option<Mark> {
    let date = scenario.status.as_ref()?.as_of;
    let months = date.months_after(layout.start);
    (0.0..=layout.months as f64)
        .contains(&months)
        .then(|| Mark::Moment {
            months,
            label: format!("as of {}", month_name(date)),
        })
}

impl Mark {
    /// The values that a scale has to reach.
    fn values(&self) -> Vec<f64> {
        match self {
            Self::Goal { value, .. } => vec![*value],
            Self::Known { points, .. } => points.iter().map(|point| point.1).collect(),
            Self::Line { of, .. } => of.values.clone(),
            _ => Vec::new(),
        }
    }
}

/// The fan of a metric, on an axis that reaches over these values, too.
pub(crate) fn fan_chart(
    fan: &Fan,
    metric: &MetricView<'_>,
    layout: &Layout,
    reach: Vec<f64>,
) -> Chart {
    let scale = ValueScale::over(metric.unit(), fan.values().chain(reach));
    let title = chart_title(metric.name(), metric.unit());
    let mut chart = Chart::new(title, layout, scale);
    chart.marks.extend(fan.marks());
    chart
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
            "Standard racks",
            "Jan 2025",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(svg.matches("data-lists=\"P10 P90\"").count() == 1);
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
            let svg = svg.unwrap();
            assert!(svg.ends_with("</svg>\n"), "{months}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn a_chart_reaches_to_its_target_and_what_is_known() {
        let projection = fixture::projection();
        let by = Date::month(2025, 4).unwrap();
        let chart = FanChart::new(&projection, "it_power_mw").unwrap();
        let marked = (chart.clone().target("90 MW by Apr 2025", by, 90.0))
            .known(
                "known",
                &[(by, 3.0), (Date::month(1999, 1).unwrap(), 500.0)],
            )
            .moment("as of", by);
        assert!((80.0..=100.0).contains(&marked.chart().scale.top));
        let svg = marked.to_svg().unwrap();
        for part in [
            "90 MW by Apr 2025",
            "class=\"dot\"",
            "as of",
            "class=\"goal\"",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert_eq!(svg.matches("<circle").count(), 1);
        assert!(chart.chart().scale.top < 80.0);
    }

    #[test]
    fn numbers_are_cut_to_what_a_screen_can_tell_apart() {
        assert_eq!(short(123_456.0), 123_460.0);
        assert_eq!(short(0.000_123_454), 0.000_123_45);
        assert!(short(f64::NAN).is_nan());
    }
}
