//! Drawings of a page that need no script: shapes stretch with the page, text does not.

use std::fmt::Write as _;

use super::escape;
use crate::projection::Layout;
use crate::report::text::{CountedIn, grouped};

/// The plot area in units of its own; the page stretches it.
const SIZE: f64 = 1_000.0;

/// What is drawn over the months: a band between two lists, or a line.
pub(super) enum Mark<'a> {
    Band(&'a [f64], &'a [f64], String),
    Line(&'a [f64], String),
    /// Nothing is drawn, but the axis reaches so far: charts side by side have one scale.
    Reach(f64),
}

/// A chart over the months of a layout. `unit` is `share` for values that are shown in per cent.
pub(super) fn over_time(layout: &Layout, title: &str, unit: &str, marks: &[Mark<'_>]) -> String {
    let lists = marks.iter().flat_map(|mark| match mark {
        Mark::Band(low, high, _) => vec![*low, *high],
        Mark::Line(line, _) => vec![*line],
        Mark::Reach(value) => vec![std::slice::from_ref(value)],
    });
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    for x in lists.flatten().filter(|x| x.is_finite()) {
        (low, high) = (low.min(*x), high.max(*x));
    }
    let counted = match unit {
        "share" => CountedIn::for_greatest(1.0),
        _ => CountedIn::for_greatest(high.max(-low)),
    };
    let step = nice_step((high - low) / 4.0);
    let bottom = (low / step).floor() * step;
    let top = ((high / step).ceil() * step).max(bottom + step);
    let x = |month: usize| SIZE * (month + 1) as f64 / layout.months as f64;
    let y = |value: f64| SIZE * (1.0 - (value - bottom) / (top - bottom));
    let mut shapes = String::new();
    let mut labels = String::new();
    let ticks = ((top - bottom) / step).round() as i32;
    for tick in 0..=ticks {
        let value = bottom + f64::from(tick) * step;
        let at = y(value);
        let _ = write!(shapes, "<path class=grid d='M0 {at:.1}H{SIZE}'/>");
        let shown = if unit == "share" {
            format!("{} %", grouped(value * 100.0, decimals_of(step * 100.0)))
        } else {
            grouped(value / counted.size, decimals_of(step / counted.size))
        };
        let _ = write!(
            labels,
            "<span style='top:{:.2}%'>{shown}</span>",
            at / SIZE * 100.0
        );
    }
    for (share, _) in years(layout, YEARS) {
        let _ = write!(
            shapes,
            "<path class=grid d='M{:.1} 0V{SIZE}'/>",
            SIZE * share
        );
    }
    for mark in marks {
        match mark {
            Mark::Band(low, high, class) => {
                for run in runs(low, high) {
                    let mut path = String::new();
                    let forth = run.clone().map(|month| (month, high[month]));
                    let back = run.rev().map(|month| (month, low[month]));
                    for (month, value) in forth.chain(back) {
                        let letter = if path.is_empty() { 'M' } else { 'L' };
                        let _ = write!(path, "{letter}{:.1} {:.1}", x(month), y(value));
                    }
                    let _ = write!(shapes, "<path class='{class}' d='{path}Z'/>");
                }
            }
            Mark::Line(line, class) => {
                for run in runs(line, line) {
                    let mut path = String::new();
                    for month in run {
                        let letter = if path.is_empty() { 'M' } else { 'L' };
                        let _ = write!(path, "{letter}{:.1} {:.1}", x(month), y(line[month]));
                    }
                    let _ = write!(shapes, "<path class='line {class}' d='{path}'/>");
                }
            }
            Mark::Reach(_) => {}
        }
    }
    let unit = match unit {
        "share" => "per cent".to_owned(),
        unit => counted.unit(unit),
    };
    format!(
        "<figure class=plot><figcaption>{} <small>{}</small></figcaption>\
         <div class=frame><div class=y>{labels}</div>\
         <svg role=img aria-label=\"{}\" viewBox='0 0 1000 1000' preserveAspectRatio=none>{shapes}</svg>\
         {}</div></figure>",
        escape(title),
        escape(&unit),
        escape(title),
        year_labels(layout),
    )
}

/// So many labels have room below a chart.
const YEARS: usize = 6;

/// Where Januaries stand on the time axis, as shares of its length, and their years: no more than `most`.
pub(super) fn years(layout: &Layout, most: usize) -> Vec<(f64, String)> {
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

/// The labels of the time axis, each to the right of its January.
fn year_labels(layout: &Layout) -> String {
    let labels: String = (years(layout, YEARS).iter())
        .map(|(share, year)| format!("<span style='left:{:.2}%'>{year}</span>", share * 100.0))
        .collect();
    format!("<div class=x>{labels}</div>")
}

/// A layer of a ribbon: what it looks like in the style sheet, its name, and its share of each month.
pub(super) struct Layer<'a> {
    pub(super) class: &'a str,
    pub(super) name: &'a str,
    pub(super) shares: Vec<f64>,
}

/// A name within a ribbon takes so much of its length and height.
const NAME: (f64, f64) = (0.2, 0.17);

/// Where a name has the most room within a layer: the middle of a stretch of months and of what the layer has in all
/// of them, as shares of the length and height; none if there is not enough.
fn room_for_name(below: &[f64], shares: &[f64]) -> Option<(f64, f64)> {
    let months = shares.len();
    let stretch = ((months as f64 * NAME.0).ceil() as usize).clamp(1, months.max(1));
    let of_stretch = |first: usize| {
        let months = first..first + stretch;
        let low = below[months.clone()].iter().copied().fold(0.0, f64::max);
        let high = (months.map(|month| below[month] + shares[month])).fold(1.0, f64::min);
        (first, low, high)
    };
    let (first, low, high) = (0..=months.checked_sub(stretch)?)
        .map(of_stretch)
        .max_by(|(_, low, high), (_, other_low, other_high)| {
            (high - low).total_cmp(&(other_high - other_low))
        })
        .filter(|(_, low, high)| high - low >= NAME.1)?;
    let middle = (first as f64 + stretch as f64 / 2.0) / months as f64;
    Some((middle, 1.0 - (low + high) / 2.0))
}

/// Shares of months, stacked. Layers differ in lightness, and large ones are named where they are
/// largest, so that one reads them without colours.
pub(super) fn ribbon(layout: &Layout, title: &str, layers: &[Layer<'_>]) -> String {
    let width = SIZE / layout.months as f64;
    let mut below = vec![0.0_f64; layout.months];
    let mut shapes = String::new();
    let mut legend = String::new();
    let mut names = String::new();
    for Layer {
        class,
        name,
        shares,
    } in layers
    {
        let class = escape(class);
        let _ = write!(
            legend,
            "<span class=key><svg class=swatch viewBox='0 0 16 16'><rect class='cause k-{class}' width=16 height=16 /></svg>{}</span>",
            escape(name)
        );
        let shares: Vec<f64> = (shares.iter())
            .map(|share| if *share > 0.0 { share.min(1.0) } else { 0.0 })
            .collect();
        if let Some((left, top)) = room_for_name(&below, &shares) {
            let _ = write!(
                names,
                "<span class='k-{class}' style='left:{:.1}%;top:{:.1}%'>{}</span>",
                left * 100.0,
                top * 100.0,
                escape(name)
            );
        }
        for (month, share) in shares.iter().enumerate() {
            if *share <= 0.0 {
                continue;
            }
            below[month] += share;
            let _ = write!(
                shapes,
                "<rect class='cause k-{class}' x={:.1} y={:.1} width={:.2} height={:.1}><title>{}: {} {:.0} %</title></rect>",
                month as f64 * width,
                SIZE * (1.0 - below[month]),
                width + 0.3,
                SIZE * share,
                super::super::text::nth_month(layout.start, month),
                escape(name),
                share * 100.0,
            );
        }
    }
    format!(
        "<figure class='plot ribbon'><figcaption>{}</figcaption><p class=legend>{legend}</p>\
         <div class=frame><div class=y><span style='top:0%'>100 %</span><span style='top:50%'>50 %</span><span style='top:100%'>0 %</span></div>\
         <div class=over><svg role=img aria-label=\"{}\" viewBox='0 0 1000 1000' preserveAspectRatio=none>{shapes}</svg><div class=names aria-hidden=true>{names}</div></div>{}</div></figure>",
        escape(title),
        escape(title),
        year_labels(layout)
    )
}

/// A bar from `low` to `high` with a tick at `middle`, all in per cent of the width.
pub(super) fn bar(low: f64, middle: Option<f64>, high: f64) -> String {
    row_of_bars(&[], None, (low, high), middle)
}

/// A row of a Gantt chart, all in per cent of the width: marks of years, whiskers, the bar, and a tick.
pub(super) fn row_of_bars(
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
        "<rect class=range x='{low:.2}%' width='{:.2}%' y=3 height=8 />",
        (high - low).max(0.4)
    );
    if let Some(tick) = tick {
        let _ = write!(
            shapes,
            "<rect class=tick x='{tick:.2}%' width=2 height=14 />"
        );
    }
    format!("<svg class=bar width='100%' height=14 aria-hidden=true>{shapes}</svg>")
}

/// The runs of months in which both lists have a value.
fn runs(low: &[f64], high: &[f64]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
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

/// 1, 2 or 5 times a power of ten, at least `least`; 1 if that says nothing.
fn nice_step(least: f64) -> f64 {
    if !(least > 0.0 && least.is_finite()) {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

fn decimals_of(step: f64) -> usize {
    (-step.log10() - 1e-9).ceil().clamp(0.0, 9.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_large_enough() {
        for (least, step) in [
            (0.3, 0.5),
            (1.0, 1.0),
            (1.1, 2.0),
            (420.0, 500.0),
            (0.0, 1.0),
        ] {
            assert!((nice_step(least) - step).abs() < 1e-12, "{least}");
        }
        assert_eq!(decimals_of(0.5), 1);
        assert_eq!(decimals_of(0.05), 2);
        assert_eq!(decimals_of(20.0), 0);
    }

    #[test]
    fn charts_that_reach_alike_have_one_scale() {
        let layout = Layout::new(crate::Date::month(2025, 1).unwrap(), 2);
        let labels = |line: &[f64], reach| {
            let marks = [Mark::Line(line, String::new()), Mark::Reach(reach)];
            let svg = over_time(&layout, "t", "MW", &marks);
            svg[svg.find("class=y").unwrap()..svg.find("<svg").unwrap()].to_owned()
        };
        let alike = labels(&[1.0, 2.0], 80.0);
        assert_eq!(alike, labels(&[70.0, 80.0], 80.0));
        assert_ne!(alike, labels(&[1.0, 2.0], 2.0));
    }

    #[test]
    fn a_name_stands_within_its_layer_or_nowhere() {
        let below = [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
        let shares = [1.0, 1.0, 1.0, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1];
        // Two months of ten: the first in which all is of the layer.
        let (left, top) = room_for_name(&below, &shares).unwrap();
        assert!(
            (0.1..=0.2).contains(&left) && (top - 0.5).abs() < 1e-12,
            "{left} {top}"
        );
        assert_eq!(room_for_name(&below, &[0.1; 10]), None);
        assert_eq!(room_for_name(&[], &[]), None);
    }

    #[test]
    fn gaps_part_a_line() {
        let list = [1.0, f64::NAN, 2.0, 3.0];
        assert_eq!(runs(&list, &list), [0..1, 2..4]);
    }
}
