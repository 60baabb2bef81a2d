//! Splits, lags and sizes of cohorts against what probability says of them.

use super::*;
use crate::Uncertain;

#[test]
fn moments_of_heavy_tails_are_found() {
    let sampler = Uncertain::lognormal(10.0, 1.4)
        .sampler(Domain::NON_NEGATIVE)
        .unwrap();
    let mean = expectation(&sampler, |x| x);
    let exact = 10.0 * libm::exp(0.98);
    assert!((mean / exact - 1.0).abs() < 1e-3, "{mean} {exact}");
    let square = expectation(&sampler, |x| x * x);
    let exact = 100.0 * libm::exp(2.0 * 1.4 * 1.4);
    assert!((square / exact - 1.0).abs() < 5e-3, "{square} {exact}");
}

#[test]
fn gamma_variables_have_their_moments() {
    let mut stream = Source::named("gamma").stream(1, 0);
    for shape in [0.3, 1.0, 7.5] {
        let n = 200_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = gamma(&mut stream, shape);
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(n);
        let variance = squares / f64::from(n) - mean * mean;
        // Five standard errors: of the mean sqrt(a/n), of the variance about sqrt((2 a^2 + 6 a)/n).
        let error = (shape / f64::from(n)).sqrt();
        assert!((mean - shape).abs() < 5.0 * error);
        let error = ((2.0 * shape * shape + 6.0 * shape) / f64::from(n)).sqrt();
        assert!((variance - shape).abs() < 5.0 * error);
    }
}

#[test]
fn month_ends_passed_within_a_lag() {
    let lag = |quantity: Uncertain| quantity.sampler(Domain::NON_NEGATIVE).unwrap();
    assert_eq!(
        months_passed(&lag(3.0.into()), 12, true),
        [0.0, 0.0, 0.0, 1.0]
    );
    assert_eq!(months_passed(&lag(0.25.into()), 12, true), [0.75, 0.25]);
    // The sum of two uniform times is triangular: a half passes no month end, a half one.
    let found = months_passed(&lag(Uncertain::uniform(0.0, 1.0)), 12, true);
    assert!((found[0] - 0.5).abs() < 1e-9 && (found[1] - 0.5).abs() < 1e-9);
}

fn split_of(count: u64, probabilities: &[f64]) -> (Vec<u64>, u64) {
    let mut stream = Source::named("split").stream(2, 0);
    let mut parts = vec![0; probabilities.len()];
    let rest = split(
        count,
        probabilities.iter().copied(),
        &mut stream,
        |at, number, _| {
            assert!(number > 0);
            parts[at] = number;
        },
    );
    (parts, rest)
}

#[test]
fn a_split_is_multinomial() {
    assert_eq!(split_of(7, &[0.0, 1.0, 0.0]), (vec![0, 7, 0], 0));
    assert_eq!(split_of(7, &[]), (vec![], 7));
    assert_eq!(split_of(7, &[0.0, 0.0]), (vec![0, 0], 7));
    assert_eq!(split_of(0, &[0.5, 0.5]).1, 0);
    // Parts of 1 that are rounded leave nobody over.
    assert_eq!(split_of(1_000_000, &[0.1; 10]).1, 0);
    let count = 1_000_000;
    let probabilities = [0.25, 0.0, 0.25, 0.1, 0.15];
    let (parts, rest) = split_of(count, &probabilities);
    assert_eq!(parts.iter().sum::<u64>() + rest, count);
    let all = parts
        .iter()
        .chain([&rest])
        .zip(probabilities.iter().chain([&0.25]));
    for (part, p) in all {
        let error = 5.0 * (count as f64 * p * (1.0 - p)).sqrt();
        assert!(
            (*part as f64 - count as f64 * p).abs() <= error,
            "{part} {p}"
        );
    }
}

fn cohort_of(change: impl FnOnce(&mut Segment)) -> Cohort {
    let mut segment = Segment::new("s");
    change(&mut segment);
    let supply = Supply {
        campuses: &[],
        rack_types: &[],
        standard_rack_kw: 2.5,
        months: 24,
        start: crate::Date::month(2025, 1).unwrap(),
        generations: &[],
        generation_names: &[],
    };
    Cohort::compile(&segment, &supply).unwrap()
}

#[test]
fn sizes_have_the_mean_and_variance_of_what_is_stated() {
    let near = |cohort: &Cohort, mean: f64, variance: f64| {
        assert!(
            (cohort.mean_kw / mean - 1.0).abs() < 1e-5,
            "{}",
            cohort.mean_kw
        );
        assert!(
            (cohort.variance - variance).abs() < 1e-4 * mean * mean,
            "{}",
            cohort.variance
        );
    };
    let uniform = cohort_of(|s| s.contract_power_kw = Some(Uncertain::uniform(10.0, 30.0)));
    near(&uniform, 20.0, 400.0 / 12.0);
    // Cut at 20 kW: half of them have that, the others are uniform from 10.
    let cut = cohort_of(|s| {
        s.contract_power_kw = Some(Uncertain::uniform(10.0, 30.0));
        s.largest_contract_kw = Some(20.0);
    });
    near(&cut, 17.5, 0.5 * (700.0 / 3.0) + 0.5 * 400.0 - 17.5 * 17.5);
    // Whole racks of 2.5 kW, one or more: 1 to 4 of them, each as often.
    let racks = cohort_of(|s| s.contract_standard_racks = Some(Uncertain::uniform(0.0, 4.0)));
    near(&racks, 2.5 * 2.5, 1.25 * 6.25);
    near(
        &cohort_of(|s| s.contract_power_kw = Some(3.0.into())),
        3.0,
        0.0,
    );
    // The sum of many: their mean, and the spread of as many.
    let mut stream = Source::named("power").stream(1, 0);
    let draws: Vec<f64> = (0..4_000)
        .map(|_| uniform.power_kw(9, &mut stream))
        .collect();
    let mean = draws.iter().sum::<f64>() / 4e3;
    let variance = draws
        .iter()
        .map(|kw| (kw - mean) * (kw - mean))
        .sum::<f64>()
        / 4e3;
    // Five standard errors: of the mean sqrt(300/4000), of the variance 300 sqrt(2/4000).
    assert!((mean - 180.0).abs() < 1.4, "{mean}");
    assert!((variance - 300.0).abs() < 34.0, "{variance}");
    assert_eq!(
        cohort_of(|s| s.contract_power_kw = Some(3.0.into())).power_kw(5, &mut stream),
        15.0
    );
}

#[test]
fn ramps_are_whole_months_of_one_or_more() {
    for (months, ramp) in [(0.0, 1), (1.4, 1), (1.6, 2), (5.0, 5)] {
        assert_eq!(cohort_of(|s| s.ramp_months = months.into()).ramp, ramp);
    }
}

#[test]
fn lags_of_more_than_the_horizon_are_left_out() {
    let lag = |quantity: Uncertain| quantity.sampler(Domain::NON_NEGATIVE).unwrap();
    // Whole months alone: a lag of 2.75 passes two month ends.
    assert_eq!(months_passed(&lag(2.75.into()), 12, false), [0.0, 0.0, 1.0]);
    assert_eq!(months_passed(&lag(2.75.into()), 3, true), [0.0, 0.0, 0.25]);
    assert_eq!(months_passed(&lag(30.0.into()), 12, true), [0.0; 0]);
    let found = months_passed(
        &lag(Uncertain::discrete([(1.0, 0.25), (3.0, 0.75)])),
        12,
        false,
    );
    let expected = [0.0, 0.25, 0.0, 0.75];
    assert!(
        found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-3),
        "{found:?}"
    );
}
