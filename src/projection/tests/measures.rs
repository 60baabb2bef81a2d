//! What measures read off a row, and what a row says once it is cleared.

use super::*;
use crate::projection::measure::{Measure, MeasureError, MeasureKind, MetricTime};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// November 2026 to January 2027: racks of 1, 2, 3 in the north, ten and a hundred times that in the south and in total.
fn row() -> TrialRow {
    let mut row = TrialRow::new(layout());
    for (scope, times) in [(0, 100.0), (1, 1.0), (2, 10.0)] {
        for month in 0..3 {
            row.set(scope, 0, month, times * (month + 1) as f64);
        }
    }
    row.milestones_mut()[0] = 1.5;
    row.outcomes_mut()[0] = 7.0;
    row.targets_mut()[0] = true;
    row
}

#[test]
fn measures_are_read_where_their_names_say() {
    let row = row();
    for (text, value, kind, unit) in [
        ("racks", 300.0, MeasureKind::Metric, "racks"),
        ("racks@2026-12", 200.0, MeasureKind::Metric, "racks"),
        ("racks@total", 600.0, MeasureKind::Metric, "racks x months"),
        ("south/racks@2026-11", 10.0, MeasureKind::Metric, "racks"),
        (
            "south/racks@total",
            60.0,
            MeasureKind::Metric,
            "racks x months",
        ),
        ("A1 live", 1.5, MeasureKind::Milestone, "months"),
        ("npv", 7.0, MeasureKind::Outcome, "CNY"),
        ("the \"big\" one", 1.0, MeasureKind::Target, "share"),
        ("A1 live by 2026-11", 0.0, MeasureKind::Target, "share"),
        ("A1 live by 2026-12", 1.0, MeasureKind::Target, "share"),
        ("never by 2027-01", 0.0, MeasureKind::Target, "share"),
    ] {
        let measure = Measure::find(text, "hills", row.layout()).unwrap();
        let place = measure.place("hills", row.layout()).unwrap();
        assert_eq!(place.of(&row), value, "{text}");
        let label = measure.label(row.layout());
        assert_eq!((label.kind, label.unit.as_str()), (kind, unit), "{text}");
        // As it writes itself it means the same.
        assert_eq!(label.name, text);
        assert_eq!(
            Measure::find(&label.name, "hills", row.layout()),
            Ok(measure)
        );
    }
    let last = Measure::find("racks", "hills", row.layout()).unwrap();
    assert!(matches!(
        last,
        Measure::Metric {
            at: MetricTime::End,
            ..
        }
    ));
}

#[test]
fn measures_outside_the_horizon_or_unknown_are_told_apart() {
    let layout = layout();
    for text in [
        "racks@2026-10",
        "racks@2027-02",
        "A1 live by 2026-10",
        "A1 live by 2027-02",
    ] {
        let Err(MeasureError::Month { first, last, .. }) = Measure::find(text, "hills", &layout)
        else {
            panic!("{text} is none of its months");
        };
        assert_eq!((first, last), (date("2026-11"), date("2027-01")));
    }
    for (text, help) in [
        ("rack", "racks"),
        ("south/rack", "racks"),
        ("suth/racks", "south"),
        ("A2 live", "A1 live"),
        ("npw", "npv"),
    ] {
        let error = Measure::find(text, "hills", &layout).unwrap_err();
        assert!(matches!(error, MeasureError::Unknown { .. }), "{text}");
        assert!(error.to_string().contains(help), "{error}");
    }
}

#[test]
fn a_cleared_row_is_an_empty_one() {
    let mut row = row();
    row.set_binding(2, 1, Some(1));
    assert_ne!(row, TrialRow::new(layout()));
    row.clear();
    assert_eq!(row, TrialRow::new(layout()));
}

/// Three replicates of 1, 1 and 2 trials with 0, 0 and 2: their mean is 1, the squares are 1/16 + 1/16 + 1/4, times 3/2.
#[test]
fn three_replicates_of_different_size() {
    let results = [(1, Some(0.0)), (1, Some(0.0)), (2, Some(2.0))];
    let error = crate::projection::views::replicates_std_error(results.into_iter());
    assert_eq!(error, Some(0.75));
}

/// While values are kept one by one each is its own order statistic; minus infinity comes first, infinity last.
#[test]
fn order_statistics_count_infinite_numbers() {
    let layout = layout();
    let mut projection = empty();
    let rows: Vec<TrialRow> = [3.0, 1.0, f64::INFINITY, 1.0, f64::NEG_INFINITY, 2.0]
        .map(|value| {
            let mut row = TrialRow::new(layout.clone());
            row.outcomes_mut()[0] = value;
            row
        })
        .to_vec();
    projection.absorb(&rows).unwrap();
    let npv = projection.outcome("npv").unwrap();
    let found: Vec<f64> = (0..6)
        .map(|rank| npv.order_statistic(rank).unwrap().0)
        .collect();
    assert_eq!(
        found,
        [f64::NEG_INFINITY, 1.0, 1.0, 2.0, 3.0, f64::INFINITY]
    );
    assert_eq!(npv.order_statistic(6), None);
}

/// What is said to be held is at least what the numbers themselves take, once for the whole and once for each replicate.
#[test]
fn memory_holds_the_numbers_and_the_replicates() {
    let rows = random_rows(4, 200);
    let whole = of_rows(&rows).memory_bytes();
    // Every fourth series has up to 8 distinct values, the others 200 of 16 bytes each: half of 18 months and the outcome.
    assert!(whole > 9 * 200 * 16, "{whole}");
    assert!(whole < 40 * 512 * 24 + 128 * 21 * 8 + 20_000, "{whole}");
    assert!(of_rows(&rows[..10]).memory_bytes() < whole / 2);
}
