use proptest::prelude::*;

use super::state::FiniteState;
use super::*;
use crate::projection::few::MOST;
use crate::sampling::streams::Source;
use crate::uncertain::normal_quantile;

const PS: [f64; 10] = [0.0, 0.05, 0.1, 0.25, 0.4, 0.5, 0.8, 0.9, 0.95, 1.0];

fn series_of(fineness: Fineness, values: &[f64]) -> Series {
    let mut series = Series::new(fineness);
    for block in values.chunks(BLOCK) {
        series.absorb(block);
    }
    series
}

/// `count` numbers made of standard normal ones.
fn numbers(name: &str, count: usize, of_normal: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut stream = Source::named(name).stream(1, 0);
    (0..count)
        .map(|_| of_normal(normal_quantile(stream.uniform())))
        .collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The order statistics around the rank (n - 1) p, and how far it is from the lower to the upper one.
fn neighbours(sorted: &[f64], p: f64) -> (f64, f64, f64) {
    let rank = (sorted.len() - 1) as f64 * p;
    let below = rank.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    (sorted[below], sorted[above], rank - below as f64)
}

fn assert_near(actual: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (actual - expected).abs() <= tolerance,
        "{what}: {actual} is not within {tolerance} of {expected}"
    );
}

#[test]
fn quantiles_are_those_of_numpy() {
    // numpy.quantile of numpy 2, at each p of PS.
    let cases: [(&[f64], [f64; 10]); 4] = [
        (
            &[15.0, 20.0, 35.0, 40.0, 50.0],
            [15.0, 16.0, 17.0, 20.0, 29.0, 35.0, 42.0, 46.0, 48.0, 50.0],
        ),
        (&[3.5], [3.5; 10]),
        (
            &[-2.25, 0.1, 0.1, 7.75, 1e3, 1e-3],
            [
                -2.25, -1.68725, -1.1245, 0.02575, 0.1, 0.1, 7.75, 503.875, 751.9375, 1000.0,
            ],
        ),
        (
            &[1.0, 2.0],
            [1.0, 1.05, 1.1, 1.25, 1.4, 1.5, 1.8, 1.9, 1.95, 2.0],
        ),
    ];
    for (values, expected) in cases {
        let series = series_of(Fineness::Monthly, values);
        assert!(series.is_exact());
        let ordered = series.ordered(&[]);
        for (p, expected) in PS.iter().zip(expected) {
            // NumPy interpolates from the nearer end, so the last digit may differ.
            let quantile = ordered.quantile(*p).unwrap();
            let largest = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            assert_near(quantile, expected, largest * f64::EPSILON, "a quantile");
        }
    }
}

#[test]
fn quantiles_are_exact_up_to_256_distinct_values_and_only_so_far() {
    let values: Vec<f64> = (0..2_000).map(|k| f64::from(k * 7 % 256)).collect();
    let series = series_of(Fineness::Monthly, &values);
    assert!(series.is_exact());
    let order = sorted(&values);
    for step in 0..=1_000 {
        let p = f64::from(step) / 1_000.0;
        let (low, high, share) = neighbours(&order, p);
        assert_eq!(
            series.ordered(&[]).quantile(p),
            Some(low + share * (high - low))
        );
    }
    let one_more = series_of(Fineness::Monthly, &[values, vec![0.5]].concat());
    assert!(!one_more.is_exact());
}

#[test]
fn quantiles_of_many_values_are_within_the_promised_relative_error() {
    let count = 40_000;
    let samples = [
        ("lognormal", numbers("lognormal", count, libm::exp)),
        (
            "wide lognormal",
            numbers("wide", count, |z| libm::exp(9.0 * z)),
        ),
        ("normal", numbers("normal", count, |z| 350.0 + 20.0 * z)),
        ("mixed signs", numbers("mixed", count, |z| 3.0 * z + 1.0)),
        (
            "a third of zeros",
            numbers("zeros", count, |z| (z - 0.43).max(0.0)),
        ),
        ("tiny", numbers("tiny", count, |z| z * 1e-310)),
        // A Pareto of shape 1.1, which has no variance: (1 - Φ(z))^(-1/1.1).
        (
            "heavy tail",
            numbers("heavy", count, |z| {
                libm::pow(crate::uncertain::normal_cdf(-z), -1.0 / 1.1)
            }),
        ),
        // Money that is mostly lost, in whole units, and at times neither won nor lost.
        (
            "losses",
            numbers("losses", count, |z| {
                let lost = (-1e6 * libm::exp(2.0 * z)).round();
                if z < -1.5 { 0.0 } else { lost + 3e6 }
            }),
        ),
    ];
    // Half a bucket of 2^-7 and 2^-10: 0.39 % and 0.049 %.
    for (fineness, error) in [
        (Fineness::Monthly, 1.0 / 256.0),
        (Fineness::Fine, 1.0 / 2_048.0),
    ] {
        for (name, values) in &samples {
            let series = series_of(fineness, values);
            assert!(!series.is_exact());
            let order = sorted(values);
            let ordered = series.ordered(&[]);
            let mut last = f64::NEG_INFINITY;
            for step in 0..=2_000 {
                let p = f64::from(step) / 2_000.0;
                let (low, high, share) = neighbours(&order, p);
                let exact = low + share * (high - low);
                // Between numbers of opposite sign the error is relative to them, not to what lies
                // between. Below the normal range a bucket is an absolute width.
                let size = f64::max(low.abs(), high.abs()).max(f64::MIN_POSITIVE);
                let quantile = ordered.quantile(p).unwrap();
                assert_near(quantile, exact, 1.000_001 * error * size, name);
                assert!(quantile >= last, "{name}: quantiles fall at {p}");
                last = quantile;
            }
            let extremes = (order[0], order[count - 1]);
            assert_eq!(series.range(), Some(extremes), "{name}");
            let (least, greatest) = (
                ordered.quantile(0.0).unwrap(),
                ordered.quantile(1.0).unwrap(),
            );
            assert!(least >= extremes.0 && greatest <= extremes.1, "{name}");
        }
    }
}

#[test]
fn shares_of_many_values_are_exact_but_for_one_bucket() {
    let values = numbers("shares", 20_000, |z| 10.0 + 3.0 * z);
    let series = series_of(Fineness::Monthly, &values);
    for bound in [-5.0, 0.0, 3.0, 9.99, 10.0, 14.2, 30.0] {
        let at_least = values.iter().filter(|x| **x >= bound).count() as f64;
        let at_most = values.iter().filter(|x| **x <= bound).count() as f64;
        let width = f64::abs(bound) / 128.0;
        let near = (values.iter())
            .filter(|x| (**x - bound).abs() <= width)
            .count() as f64;
        assert_near(
            series.count_at_least(bound, &[]),
            at_least,
            near,
            "at least",
        );
        assert_near(series.count_at_most(bound, &[]), at_most, near, "at most");
    }
}

/// Mean and standard deviation of whole numbers of 2^-20 without rounding but at the end.
fn naive_moments(units: &[i64]) -> (f64, f64) {
    let n = units.len() as i128;
    let sum: i128 = units.iter().map(|x| i128::from(*x)).sum();
    let squares: i128 = units.iter().map(|x| i128::from(*x) * i128::from(*x)).sum();
    let step = 2.0_f64.powi(-20);
    let mean = sum as f64 / n as f64 * step;
    let variance = (n * squares - sum * sum) as f64 / (n * (n - 1)) as f64;
    (mean, variance.sqrt() * step)
}

#[test]
fn mean_and_spread_are_those_of_a_computation_in_whole_numbers() {
    for (name, center, spread, count) in [
        ("around zero", 0.0, 1.0, 20_000),
        ("few", 3.0, 1.0, 100),
        ("power", 350.0, 20.0, 20_000),
        ("narrow", 1e6, 10.0, 5_000),
        ("pair", -7.0, 2.0, 2),
    ] {
        let scale = 2.0_f64.powi(20);
        let units: Vec<i64> = numbers(name, count, |z| (center + spread * z) * scale)
            .into_iter()
            .map(|x| x as i64)
            .collect();
        let values: Vec<f64> = units.iter().map(|x| *x as f64 / scale).collect();
        let (mean, deviation) = naive_moments(&units);
        let moments = series_of(Fineness::Monthly, &values).moments().unwrap();
        assert_near(
            moments.mean,
            mean,
            2.0 * f64::EPSILON * mean.abs(),
            "the mean",
        );
        // Each square is rounded to 53 bits, so the variance errs by at most
        // (mean^2 + variance) 2^-53, and the deviation, relatively, by half as much of the variance.
        let ratio = (mean / deviation).powi(2) + 1.0;
        let tolerance = deviation * f64::EPSILON * (ratio + 8.0);
        let actual = moments.standard_deviation.unwrap();
        assert_near(actual, deviation, tolerance, name);
    }
}

#[test]
fn mean_and_spread_of_extreme_values_stay_in_range() {
    let huge = series_of(Fineness::Monthly, &[1e308, 1.5e308, -1e308]);
    let moments = huge.moments().unwrap();
    assert_near(moments.mean, 5e307, 1e293, "the mean");
    // Deviations of 0.5, 1 and -1.5 (x 1e308): sqrt(3.5 / 2).
    let expected = 1e308 * 1.75_f64.sqrt();
    assert_near(
        moments.standard_deviation.unwrap(),
        expected,
        expected * 1e-14,
        "sd",
    );
    let tiny = series_of(Fineness::Monthly, &[1e-300, 3e-300]);
    let expected = 1e-300 * 2.0_f64.sqrt();
    let actual = tiny.moments().unwrap().standard_deviation.unwrap();
    assert_near(actual, expected, expected * 1e-14, "sd");
}

#[test]
fn a_constant_has_no_spread_and_a_single_number_no_known_one() {
    let constant = series_of(Fineness::Monthly, &[0.1; 1_000])
        .moments()
        .unwrap();
    assert_eq!(
        (constant.mean, constant.standard_deviation),
        (0.1, Some(0.0))
    );
    let single = series_of(Fineness::Monthly, &[7.0]);
    assert_eq!(single.moments().unwrap().standard_deviation, None);
    assert_eq!(single.ordered(&[]).quantile_std_error(0.5, 0.1), None);
    let none = series_of(Fineness::Monthly, &[]);
    assert_eq!(none.moments(), None);
    assert_eq!(none.range(), None);
    assert_eq!(none.ordered(&[]).quantile(0.5), None);
}

#[test]
fn infinite_numbers_take_part_in_quantiles_and_nan_in_nothing() {
    let inf = f64::INFINITY;
    let series = series_of(Fineness::Fine, &[1.0, inf, 2.0, f64::NAN, 3.0, -inf]);
    assert_eq!((series.defined(), series.finite()), (5, 3));
    assert_eq!(series.moments().unwrap().mean, 2.0);
    assert_eq!(series.range(), Some((1.0, 3.0)));
    let quantile = |p| series.ordered(&[]).quantile(p).unwrap();
    assert_eq!(
        [0.0, 0.1, 0.25, 0.5, 0.75, 0.8, 1.0].map(quantile),
        [-inf, -inf, 1.0, 2.0, 3.0, inf, inf]
    );
    assert_eq!(series.ordered(&[]).quantile(f64::NAN), None);
    assert_eq!(series.count_at_least(2.0, &[]), 3.0);
    assert_eq!(series.count_at_most(2.0, &[]), 3.0);
    assert_eq!(series.count_at_most(inf, &[]), 5.0);
    assert_eq!(series.count_at_least(-inf, &[]), 5.0);
}

#[test]
fn minus_zero_counts_as_zero() {
    let mixed = series_of(Fineness::Fine, &[0.0, -0.0, 1.0]);
    let plain = series_of(Fineness::Fine, &[0.0, 0.0, 1.0]);
    assert_eq!(mixed.to_state(), plain.to_state());
}

#[test]
fn the_standard_error_of_the_median_is_that_of_theory() {
    // For n normal numbers: sqrt(pi / 2) sd / sqrt(n). Woodruff's estimate rests on two order
    // statistics sqrt(n) ranks apart, whose distance has a relative standard error of
    // n^(-1/4): 8.4 % for n = 20,000. Three of them are allowed.
    let n = 20_000;
    let series = series_of(Fineness::Fine, &numbers("median", n, |z| z));
    let expected = (std::f64::consts::PI / 2.0 / n as f64).sqrt();
    let share_error = 0.5 / (n as f64).sqrt();
    let actual = (series.ordered(&[]).quantile_std_error(0.5, share_error)).unwrap();
    assert_near(actual, expected, 0.25 * expected, "the standard error");
}

#[test]
fn a_share_counts_ties_and_infinite_numbers() {
    let series = series_of(Fineness::Fine, &[1.0, 2.0, 2.0, f64::INFINITY, f64::NAN]);
    let share = |value| series.ordered(&[]).share_at_most(value);
    assert_eq!(
        [0.5, 1.0, 1.5, 2.0, f64::MAX, f64::INFINITY].map(share),
        [0.0, 0.25, 0.25, 0.75, 0.75, 1.0].map(Some)
    );
    assert_eq!(
        series_of(Fineness::Fine, &[])
            .ordered(&[])
            .share_at_most(1.0),
        None
    );
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => prop::num::f64::ANY,
        4 => -1e3..1e3_f64,
        4 => (-40..40_i32).prop_map(|x| f64::from(x) / 4.0),
        1 => Just(0.0),
        1 => Just(-0.0),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(f64::NAN),
    ]
}

/// Mostly near 1, where a bin of the exact sums ends, and near each other in magnitude.
fn number_in_a_block() -> impl Strategy<Value = f64> {
    prop_oneof![
        80 => 0.5..8.0_f64,
        20 => 5e9..2e10_f64,
        10 => -3.0..3.0_f64,
        10 => Just(0.0),
        1 => any_number(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_merged_in_any_order_are_the_whole_to_the_bit(
        numbers in prop::collection::vec((any_number(), 0_usize..6), 0..900),
        order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle(),
        block in 1_usize..=BLOCK,
        fine in any::<bool>(),
    ) {
        let fineness = if fine { Fineness::Fine } else { Fineness::Monthly };
        let all: Vec<f64> = numbers.iter().map(|(x, _)| *x).collect();
        let whole = series_of(fineness, &all).to_state();
        let parts = order.map(|part| {
            let mut series = Series::new(fineness);
            let own: Vec<f64> = (numbers.iter())
                .filter(|(_, of)| *of == part)
                .map(|(x, _)| *x)
                .collect();
            own.chunks(block).for_each(|chunk| series.absorb(chunk));
            series
        });
        let mut left_to_right = Series::new(fineness);
        for part in &parts {
            left_to_right.merge(part);
        }
        prop_assert_eq!(&left_to_right.to_state(), &whole);
        let [mut a, mut b, mut c, d, e, f] = parts;
        // (a + (b + (c + d))) + (e + f)
        c.merge(&d);
        b.merge(&c);
        a.merge(&b);
        let mut last = e;
        last.merge(&f);
        last.merge(&a);
        prop_assert_eq!(&last.to_state(), &whole);
    }

    #[test]
    fn a_block_says_what_its_numbers_say_one_by_one(
        numbers in prop::collection::vec(number_in_a_block(), 0..700),
        block in 1_usize..=BLOCK,
        fine in any::<bool>(),
    ) {
        let fineness = if fine { Fineness::Fine } else { Fineness::Monthly };
        let mut in_blocks = Series::new(fineness);
        numbers.chunks(block).for_each(|block| in_blocks.absorb(block));
        let mut one_by_one = Series::new(fineness);
        numbers.iter().for_each(|x| one_by_one.add_times(*x, 1));
        prop_assert_eq!(in_blocks.to_state(), one_by_one.to_state());
    }

    #[test]
    fn a_state_comes_back_as_it_was(
        numbers in prop::collection::vec(any_number(), 0..600),
        fine in any::<bool>(),
    ) {
        let fineness = if fine { Fineness::Fine } else { Fineness::Monthly };
        let series = series_of(fineness, &numbers);
        let text = serde_json::to_string(&series.to_state()).unwrap();
        let state: SeriesState = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&state, &series.to_state());
        let back = Series::from_state(state.clone(), fineness, numbers.len() as u64).unwrap();
        prop_assert_eq!(back.to_state(), state.clone());
        prop_assert_eq!(back.moments(), series.moments());
        prop_assert!(Series::from_state(state.clone(), fineness, numbers.len() as u64 + 1).is_none());
        if !numbers.is_empty() {
            prop_assert!(Series::from_state(state, fineness, numbers.len() as u64 - 1).is_none());
        }
    }

    #[test]
    fn quantiles_never_fall(
        numbers in prop::collection::vec(any_number(), 1..600),
        ps in prop::collection::vec(0.0..=1.0_f64, 2..30),
    ) {
        let series = series_of(Fineness::Monthly, &numbers);
        let ordered = series.ordered(&[]);
        let ps = sorted(&ps);
        let quantiles: Vec<f64> = ps.iter().filter_map(|p| ordered.quantile(*p)).collect();
        prop_assert!(quantiles.is_sorted(), "{:?}", quantiles);
    }
}

/// A sound state in the histogram form, to be damaged.
fn many_state() -> SeriesState {
    series_of(Fineness::Monthly, &numbers("state", 1_000, |z| z)).to_state()
}

fn is_refused(state: SeriesState) -> bool {
    Series::from_state(state, Fineness::Monthly, 1_000).is_none()
}

#[test]
fn a_damaged_histogram_is_refused() {
    assert!(!is_refused(many_state()));
    let damaged = |damage: fn(&mut FiniteState)| {
        let mut state = many_state();
        damage(&mut state.finite);
        is_refused(state)
    };
    macro_rules! field {
        ($state:ident, $field:ident) => {
            match $state {
                FiniteState::Many { $field, .. } => $field,
                FiniteState::Few(_) => panic!("a histogram is expected"),
            }
        };
    }
    assert!(damaged(|state| *field!(state, zeros) += 1));
    assert!(damaged(|state| *field!(state, min) = f64::NAN.to_bits()));
    assert!(damaged(
        |state| *field!(state, max) = f64::INFINITY.to_bits()
    ));
    assert!(damaged(|state| *field!(state, max) = (-100.0_f64).to_bits()));
    assert!(damaged(|state| {
        field!(state, positive).pop();
    }));
    assert!(damaged(|state| field!(state, positive)[0].1 = 0));
    assert!(damaged(|state| field!(state, positive)[0].1 = u64::MAX));
    assert!(damaged(|state| field!(state, negative)[0].0 = u32::MAX));
    let mut special = many_state();
    special.beyond = 1;
    assert!(is_refused(special));
    let mut special = many_state();
    special.undefined = u64::MAX;
    special.below = 1_001;
    assert!(is_refused(special));
}

#[test]
fn damaged_counts_of_distinct_values_are_refused() {
    let refused = |values: Vec<(f64, u64)>, trials: u64| {
        let state = SeriesState {
            below: 0,
            beyond: 0,
            undefined: 0,
            finite: FiniteState::Few(
                (values.into_iter())
                    .map(|(value, count)| (value.to_bits(), count))
                    .collect(),
            ),
        };
        Series::from_state(state, Fineness::Monthly, trials).is_none()
    };
    assert!(!refused(vec![(1.0, 2), (2.0, 1)], 3));
    assert!(refused(vec![(1.0, 2), (2.0, 1)], 4), "too few");
    assert!(refused(vec![(2.0, 2), (1.0, 1)], 3), "not in order");
    assert!(refused(vec![(1.0, 2), (1.0, 1)], 3), "twice the same");
    assert!(refused(vec![(1.0, 3), (2.0, 0)], 3), "counted never");
    assert!(refused(vec![(-0.0, 3)], 3), "minus zero");
    assert!(refused(vec![(f64::NAN, 3)], 3), "not a number");
    assert!(refused(vec![(f64::INFINITY, 3)], 3), "infinite");
    assert!(refused(vec![(1.0, u64::MAX), (2.0, 1)], 0), "overflow");
    let too_many: Vec<(f64, u64)> = (0..=MOST).map(|k| (k as f64, 1)).collect();
    assert!(refused(too_many, MOST as u64 + 1));
}
