//! Scales: which values and moments an axis reaches over, and where it is labelled.

use crate::date::Date;
use crate::report::text::{CountedIn, grouped, month_name};

/// An axis of values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueScale {
    pub(crate) bottom: f64,
    pub(crate) top: f64,
    /// Where it is labelled, and with what.
    pub(crate) ticks: Vec<(f64, String)>,
    /// What the labels are counted in.
    pub(crate) unit: String,
}

/// About how many steps an axis of values has.
const STEPS: f64 = 4.0;

impl ValueScale {
    /// From zero over all values to a round one; those that are not finite do not count. Values whose unit is `share` are
    /// labelled in per cent.
    pub(crate) fn over(unit: &str, values: impl IntoIterator<Item = f64>) -> Self {
        Self::around(unit, std::iter::once(0.0).chain(values))
    }

    /// Over all values to round ones at both ends.
    pub(crate) fn around(unit: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let mut ends: Option<(f64, f64)> = None;
        for x in values.into_iter().filter(|x| x.is_finite()) {
            let (low, high) = ends.unwrap_or((x, x));
            ends = Some((low.min(x), high.max(x)));
        }
        let (low, high) = ends.unwrap_or((0.0, 0.0));
        let step = nice_step((high - low) / STEPS);
        let bottom = (low / step).floor() * step;
        let top = ((high / step).ceil() * step).max(bottom + step);
        let share = unit == "share";
        let counted = CountedIn::for_greatest(if share { 0.0 } else { top.max(-bottom) });
        let size = if share { 0.01 } else { counted.size };
        let count = ((top - bottom) / step).round().clamp(1.0, 20.0) as i32;
        let ticks = (0..=count)
            .map(|tick| bottom + f64::from(tick) * step)
            .map(|value| (value, grouped(value / size, decimals_of(step / size))))
            .collect();
        Self {
            bottom,
            top,
            ticks,
            unit: match unit {
                "share" => "per cent".to_owned(),
                unit => counted.unit(unit),
            },
        }
    }
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

/// Pixels that a year or a month needs on the time axis.
const YEAR_WIDTH: f64 = 42.0;
const MONTH_WIDTH: f64 = 66.0;

/// Where a time axis of this many pixels is labelled from one time to another, in months after the start, and with what: as
/// often as labels have room, at round years or months.
pub(super) fn time_ticks(start: Date, (first, last): (f64, f64), width: f64) -> Vec<(f64, String)> {
    let span = last - first;
    let by_year = span > 36.0;
    let (steps, label): (&[i64], f64) = if by_year {
        (&[12, 24, 60, 120, 240, 600], YEAR_WIDTH)
    } else {
        (&[1, 3, 6, 12, 24], MONTH_WIDTH)
    };
    let room = width / label;
    let step = (steps.iter().copied())
        .find(|step| span / *step as f64 <= room)
        .unwrap_or(1_200);
    // Months since the year 0, so that a step of ten years falls on 2030 and 2040.
    let origin = 12 * i64::from(start.year()) + i64::from(start.month_of_year() - 1);
    let (low, high) = (first.ceil() as i64 + origin, last.floor() as i64 + origin);
    (low..=high)
        .filter(|month| month.rem_euclid(step) == 0)
        .filter_map(|month| {
            let months = (month - origin) as f64;
            let date = start.plus_months(months)?;
            let label = if by_year {
                date.year().to_string()
            } else {
                month_name(date)
            };
            Some((months, label))
        })
        .collect()
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
    fn an_axis_of_values_is_labelled_at_round_ones() {
        let labels = |scale: &ValueScale| -> Vec<String> {
            scale.ticks.iter().map(|tick| tick.1.clone()).collect()
        };
        let scale = ValueScale::over("MW", [3.0, 780.0, f64::NAN]);
        assert_eq!(labels(&scale), ["0", "200", "400", "600", "800"]);
        assert_eq!((scale.bottom, scale.top), (0.0, 800.0));
        let share = ValueScale::over("share", [1.0]);
        assert_eq!(labels(&share), ["0", "50", "100"]);
        assert_eq!(share.unit, "per cent");
        let money = ValueScale::over("yuan", [-2e10, 6e10]);
        assert_eq!(labels(&money), ["-20", "0", "20", "40", "60"]);
        assert_eq!(money.unit, "billion yuan");
        assert_eq!(ValueScale::over("MW", [f64::NAN]).top, 1.0);
    }

    #[test]
    fn a_time_axis_has_room_for_its_labels() {
        let start = Date::month(2024, 5).unwrap();
        for months in [1, 2, 7, 36, 37, 132, 1_200] {
            for width in [240.0, 560.0, 860.0] {
                let ticks = time_ticks(start, (0.0, f64::from(months)), width);
                let most = if months > 36 {
                    width / YEAR_WIDTH
                } else {
                    width / MONTH_WIDTH
                };
                assert!(ticks.len() as f64 <= most + 1.0, "{months}: {ticks:?}");
            }
        }
        let ticks = time_ticks(start, (0.0, 24.0), 300.0);
        assert_eq!(ticks[0], (2.0, "Jul 2024".to_owned()));
        let before = time_ticks(start, (-6.5, 6.0), 300.0);
        assert_eq!(before[0], (-4.0, "Jan 2024".to_owned()));
    }
}
