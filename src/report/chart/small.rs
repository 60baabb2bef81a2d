//! Small drawings within text and tables: this many dots of a hundred, a strip of dates, a bar.

use std::fmt::Write as _;

use super::draw::text_width;
use super::scale::time_ticks;
use crate::projection::Layout;

/// Dots in a row, and rows of them: a hundred.
const DOTS: (usize, usize) = (25, 4);
const PITCH: usize = 9;

/// A hundred dots, of which as many are filled as trials of a hundred meet something.
pub(crate) fn icons(probability: f64) -> String {
    let filled = dots(probability);
    let (width, height) = (DOTS.0 * PITCH, DOTS.1 * PITCH);
    let mut out = format!(
        "<svg class=\"chart icons\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{filled} of 100\">"
    );
    for number in 0..DOTS.0 * DOTS.1 {
        // Column by column, so that four of a hundred are one column.
        let (column, row) = (number / DOTS.1, number % DOTS.1);
        let (class, radius) = if number < filled {
            ("on", 3.5)
        } else {
            ("off", 3.0)
        };
        let _ = write!(
            out,
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{radius}\"/>",
            column as f64 * PITCH as f64 + 4.5,
            row as f64 * PITCH as f64 + 4.5,
        );
    }
    out + "</svg>"
}

/// How many dots of a hundred a probability fills; all only if it is certain, none only if it never happens.
fn dots(probability: f64) -> usize {
    let rounded = (probability * 100.0).round();
    let (least, most) = (
        f64::from(u8::from(probability > 0.0)),
        100.0 - f64::from(u8::from(probability < 1.0)),
    );
    rounded.clamp(least.min(most), most) as usize
}

/// When something happens, in months after the start, on one axis of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct DateStrip {
    /// P10, P50, P80 and P90; `None` beyond what was simulated.
    pub(crate) quantiles: [Option<f64>; 4],
    /// When it was promised.
    pub(crate) promised: Option<f64>,
}

const STRIP: (f64, f64) = (340.0, 52.0);
/// Pixels at both ends.
const EDGE: f64 = 16.0;
const BAR_TOP: f64 = 16.0;

impl DateStrip {
    /// The first and last month of the axis.
    fn range(&self, layout: &Layout) -> (f64, f64) {
        let end = layout.months as f64;
        let [p10, p50, p80, p90] = self.quantiles;
        let times = [p10, p50, p80, p90.or(Some(end)), self.promised];
        let (least, most) = (times.into_iter().flatten().filter(|x| x.is_finite()))
            .fold((end, 0.0_f64), |(a, b), x| (a.min(x), b.max(x)));
        let room = ((most - least) * 0.08).max(1.5);
        (least - room, most + room)
    }
}

/// A bar from P10 to P90 with ticks at P50 and P80, and a diamond where it was promised.
pub(crate) fn date_strip(layout: &Layout, strip: &DateStrip) -> String {
    let (first, last) = strip.range(layout);
    let at = |months: f64| EDGE + (STRIP.0 - 2.0 * EDGE) * (months - first) / (last - first);
    let mut out = format!(
        "<svg class=\"chart strip\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" aria-hidden=\"true\">",
        STRIP.0, STRIP.1, STRIP.0, STRIP.1
    );
    for (months, label) in time_ticks(layout.start, (first, last), STRIP.0 - 2.0 * EDGE) {
        let x = at(months);
        let _ = write!(out, "<path class=\"grid\" d=\"M{x:.1} {BAR_TOP}v20\"/>");
        let half = text_width(&label, 12.0) / 2.0;
        if x - half >= 0.0 && x + half <= STRIP.0 {
            let _ = write!(
                out,
                "<text x=\"{x:.1}\" y=\"48\" text-anchor=\"middle\">{label}</text>"
            );
        }
    }
    let _ = write!(
        out,
        "<path class=\"axis\" d=\"M{EDGE} 36H{}\"/>",
        STRIP.0 - EDGE
    );
    let [p10, p50, p80, p90] = strip.quantiles;
    if let Some(low) = p10 {
        let (from, to) = (at(low), p90.map_or(STRIP.0 - EDGE, at));
        let _ = write!(
            out,
            "<rect class=\"inner\" x=\"{from:.1}\" y=\"20\" width=\"{:.1}\" height=\"11\"/>",
            (to - from).max(3.0)
        );
    }
    let mut taken: Option<f64> = None;
    for (label, months) in [("P50", p50), ("P80", p80)] {
        let Some(x) = months.map(at) else { continue };
        let _ = write!(
            out,
            "<rect class=\"tick\" x=\"{:.1}\" y=\"17\" width=\"2.5\" height=\"17\"/>",
            x - 1.25
        );
        if taken.is_none_or(|other| (x - other).abs() > text_width(label, 11.0)) {
            taken = Some(x);
            let _ = write!(
                out,
                "<text class=\"end\" x=\"{x:.1}\" y=\"12\" text-anchor=\"middle\">{label}</text>"
            );
        }
    }
    if let Some(x) = strip.promised.map(at) {
        let _ = write!(
            out,
            "<path class=\"goal\" d=\"M{x:.1} 18.5l7 7l-7 7l-7 -7Z\"/>"
        );
    }
    out + "</svg>"
}

/// Where Januaries stand on the time axis, as shares of its length, and their years: no more than `most`.
pub(crate) fn years(layout: &Layout, most: usize) -> Vec<(f64, String)> {
    let first = usize::try_from(12 - (layout.start.month_of_year() - 1)).unwrap_or(12) % 12;
    let januaries: Vec<usize> = (first..layout.months).step_by(12).collect();
    let every = januaries.len().div_ceil(most).max(1);
    if januaries.is_empty() {
        return vec![(0.0, layout.start.to_month_string())];
    }
    (januaries.iter().step_by(every))
        .map(|&month| {
            let year = layout.start.plus_months(month as f64);
            let share = month as f64 / layout.months as f64;
            (share, year.map_or(0, |date| date.year()).to_string())
        })
        .collect()
}

/// A row of a table with bars, all in per cent of the width: marks of years, whiskers, the bar, a tick, and a diamond.
pub(crate) fn row_of_bars(
    years: &[f64],
    whiskers: Option<(f64, f64)>,
    (low, high): (f64, f64),
    tick: Option<f64>,
) -> String {
    let mut shapes = String::new();
    for year in years {
        let _ = write!(
            shapes,
            "<rect class=year x='{year:.2}%' width=1 height=14 />"
        );
    }
    if let Some((from, to)) = whiskers {
        let _ = write!(
            shapes,
            "<rect class=tick x='{from:.2}%' width='{:.2}%' y=6.5 height=1 />",
            (to - from).max(0.1)
        );
        for end in [from, to] {
            let _ = write!(
                shapes,
                "<rect class=tick x='{end:.2}%' width=1 y=4 height=6 />"
            );
        }
    }
    let _ = write!(
        shapes,
        "<rect class='inner range' x='{low:.2}%' width='{:.2}%' y=3 height=8 />",
        (high - low).max(0.4)
    );
    if let Some(tick) = tick {
        let _ = write!(
            shapes,
            "<rect class=tick x='{tick:.2}%' width=2 height=14 />"
        );
    }
    format!("<svg class='chart bar' width='100%' height=14 aria-hidden=true>{shapes}</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::Date;

    #[test]
    fn a_hundred_dots_say_certain_and_never_only_where_it_is() {
        for (p, filled) in [
            (0.0, 0),
            (1e-6, 1),
            (0.245, 25),
            (0.9999, 99),
            (1.0, 100),
            (0.5, 50),
        ] {
            assert_eq!(dots(p), filled, "{p}");
            assert_eq!(icons(p).matches("class=\"on\"").count(), filled);
            assert_eq!(icons(p).matches("<circle").count(), 100);
        }
    }

    #[test]
    fn a_strip_has_its_promise_and_reaches_to_the_horizon() {
        let layout = Layout::new(Date::month(2024, 1).unwrap(), 60);
        let strip = DateStrip {
            quantiles: [Some(20.0), Some(30.0), None, None],
            promised: Some(24.0),
        };
        let drawn = date_strip(&layout, &strip);
        assert!(drawn.contains("class=\"goal\"") && drawn.contains("P50"));
        assert!(!drawn.contains("P80"), "{drawn}");
        let (_, last) = strip.range(&layout);
        assert!(last > 60.0);
    }
}
