//! Charts over time. A chart is described once: its scale, what is drawn, what stands beside it. A file, the page and its
//! print are drawn from that description, and the page's script moves the points of the same drawing.

mod draw;
mod fan;
mod gantt;
mod palette;
mod rows;
mod scale;
mod small;
mod terminal;

use crate::date::Date;
use crate::projection::Layout;

pub(super) use draw::{Dress, svg};
pub use fan::{ChartError, FanChart};
pub(super) use fan::{Fan, as_of, asked_of, fan_chart, short};
pub(super) use palette::page_colours;
pub(super) use rows::{Bar, Cell};
pub use rows::{BarChart, GridChart};
pub(super) use scale::ValueScale;
pub(super) use small::{DateStrip, date_strip, icons, row_of_bars, years};

/// What is drawn over the months of a run. The value of a month stands at its end.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What it means, how often it was tried: below the title of a file.
    pub(super) subtitle: String,
    pub(super) start: Date,
    pub(super) months: usize,
    pub(super) scale: ValueScale,
    /// From the back to the front.
    pub(super) marks: Vec<Mark>,
}

impl Chart {
    pub(super) fn new(title: impl Into<String>, layout: &Layout, scale: ValueScale) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            start: layout.start,
            months: layout.months,
            scale,
            marks: Vec::new(),
        }
    }

    /// Draws that in front of what is there.
    pub(super) fn with(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }
}

/// The end of the month of a date, in months after the start of the first month.
pub(super) fn end_of_month(date: Date, start: Date) -> f64 {
    let years = f64::from(date.year()) - f64::from(start.year());
    12.0 * years + f64::from(date.month_of_year()) - f64::from(start.month_of_year()) + 1.0
}

/// One thing that a chart shows. Classes are those of `chart.css`.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// Between two lists by month.
    Band {
        low: Series,
        high: Series,
        class: String,
    },
    /// A list by month.
    Line { of: Series, class: String },
    /// What is known: values at times, in months after the start.
    Known {
        points: Vec<(f64, f64)>,
        label: String,
    },
    /// A value that is to be there by a time.
    Goal {
        months: f64,
        value: f64,
        label: String,
    },
    /// A moment, such as until when things are known.
    Moment { months: f64, label: String },
    /// A name within what it names.
    Name {
        months: f64,
        value: f64,
        text: String,
        class: String,
    },
}

/// A list by month, and what stands at its end; nothing there if the label is empty.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) label: String,
    pub(super) values: Vec<f64>,
}

impl Series {
    pub(super) fn new(label: &str, values: Vec<f64>) -> Self {
        Self {
            label: label.to_owned(),
            values,
        }
    }
}
