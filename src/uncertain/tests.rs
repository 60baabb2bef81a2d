use super::*;
use crate::problem::{Path, Problems};
use proptest::prelude::*;
use statrs::distribution::{ContinuousCDF, LogNormal, Normal, Triangular};
use statrs::function::beta::beta_reg;

fn sampler(quantity: &Uncertain, domain: Domain) -> Sampler {
    quantity.sampler(domain).unwrap()
}

fn probabilities() -> impl Iterator<Item = f64> {
    let tails = (1..50).map(|exponent| libm::exp2(-f64::from(exponent) / 1.7));
    tails
        .clone()
        .chain((1..2_000).map(|step| f64::from(step) / 2_000.0))
        .chain(tails.map(|w| 1.0 - w))
}

#[test]
fn pert_quantiles_are_those_of_the_beta_distribution() {
    for (min, mode, max) in [
        (2.0, 3.0, 6.0),
        (6.0, 8.0, 14.0),
        (0.0, 0.0, 1.0),
        (1.0, 5.0, 5.0),
    ] {
        let compiled = sampler(&Uncertain::pert(min, mode, max), Domain::NON_NEGATIVE);
        let a = 1.0 + 4.0 * (mode - min) / (max - min);
        let b = 6.0 - a;
        for u in probabilities() {
            let x = (compiled.at(u) - min) / (max - min);
            let (back, aim) = if u < 0.5 {
                (beta_reg(a, b, x), u)
            } else {
                (
                    beta_reg(b, a, (max - compiled.at(u)) / (max - min)),
                    1.0 - u,
                )
            };
            // The error in probability is the error of the quantile times the density.
            // Below 2^-24 the tail is extrapolated.
            let tolerance = if aim < libm::exp2(-24.0) { 3e-3 } else { 1e-5 };
            assert!(
                (back / aim - 1.0).abs() < tolerance,
                "{min} {mode} {max} at {u}: {back} {aim}"
            );
        }
        assert!((compiled.mean() - (min + 4.0 * mode + max) / 6.0).abs() < 1e-12);
    }
}

#[test]
fn quantiles_agree_with_the_library_of_statistics() {
    type Cdf = Box<dyn Fn(f64) -> f64>;
    let cases: Vec<(Uncertain, Cdf)> = vec![
        (
            Uncertain::lognormal(14.0, 0.25),
            Box::new(|x| LogNormal::new(14.0_f64.ln(), 0.25).unwrap().cdf(x)),
        ),
        (
            Uncertain::normal(50.0, 5.0),
            Box::new(|x| Normal::new(50.0, 5.0).unwrap().cdf(x)),
        ),
        (
            Uncertain::triangular(1.0, 1.5, 3.0),
            Box::new(|x| Triangular::new(1.0, 3.0, 1.5).unwrap().cdf(x)),
        ),
        (Uncertain::uniform(2.0, 6.0), Box::new(|x| (x - 2.0) / 4.0)),
    ];
    for (quantity, cdf) in cases {
        let compiled = sampler(&quantity, Domain::NON_NEGATIVE);
        for u in probabilities() {
            assert!(
                (cdf(compiled.at(u)) - u).abs() < 2e-7,
                "{quantity:?} at {u}"
            );
        }
    }
}

#[test]
fn a_truncated_normal_keeps_to_its_range_and_has_its_mean() {
    for (mean, sd, min, max) in [
        (5.0, 4.0, 0.0, f64::INFINITY),
        (-6.0, 2.0, 0.0, 9.0),
        (30.0, 4.0, 0.0, 20.0),
    ] {
        let quantity = Uncertain::Normal {
            mean,
            sd,
            min: None,
            max: Some(max).filter(|m| m.is_finite()),
        };
        let compiled = sampler(&quantity, Domain::NON_NEGATIVE);
        let theory = Normal::new(mean, sd).unwrap();
        let (below, left) = (theory.cdf(min), theory.cdf(max) - theory.cdf(min));
        let count = 100_000;
        let mut sum = 0.0;
        for step in 0..count {
            let u = (f64::from(step) + 0.5) / f64::from(count);
            let value = compiled.at(u);
            assert!((min..=max).contains(&value));
            assert!(
                ((theory.cdf(value) - below) / left - u).abs() < 1e-5,
                "{mean} at {u}"
            );
            sum += value;
        }
        // The midpoint rule over the quantile function; its error is that of the tails.
        assert!(
            (sum / f64::from(count) - compiled.mean()).abs() < 1e-3 * sd,
            "{mean}"
        );
    }
}

#[test]
fn discrete_outcomes_come_with_their_probabilities() {
    let compiled = sampler(
        &Uncertain::discrete([(36.0, 0.5), (12.0, 0.2), (24.0, 0.3)]),
        Domain::ANY,
    );
    assert_eq!(
        [0.1, 0.19, 0.21, 0.49, 0.51, 0.99].map(|u| compiled.at(u)),
        [12.0, 12.0, 24.0, 24.0, 36.0, 36.0]
    );
    assert!((compiled.mean() - 27.6).abs() < 1e-12);
}

#[test]
fn percentiles_are_hit_and_respect_the_domain() {
    let compiled = sampler(
        &Uncertain::percentiles(3.0, 4.0, 12.0),
        Domain::NON_NEGATIVE,
    );
    for (u, value) in [(0.1, 3.0), (0.5, 4.0), (0.9, 12.0)] {
        assert!(
            (compiled.at(u) - value).abs() < 1e-5 * value,
            "{u}: {}",
            compiled.at(u)
        );
    }
    let share = sampler(&Uncertain::percentiles(0.1, 0.7, 0.9), Domain::SHARE);
    assert!(share.at(1e-12) >= 0.0 && share.at(1.0 - 1e-12) <= 1.0);
}

/// P(X > x) = (min/x)^shape, and with an end: (1 - (min/x)^shape) / (1 - (min/max)^shape) below x.
#[test]
fn pareto_quantiles_and_means_have_their_closed_forms() {
    let open = sampler(&Uncertain::pareto(3.0, 1.5), Domain::NON_NEGATIVE);
    for u in [1e-6, 0.1, 0.5, 0.9, 0.999_999] {
        let expected = 3.0 * (1.0_f64 - u).powf(-1.0 / 1.5);
        assert!((open.at(u) / expected - 1.0).abs() < 1e-6, "{u}");
    }
    assert!((open.mean() - 9.0).abs() < 1e-12);
    assert_eq!(
        sampler(&Uncertain::pareto(3.0, 0.9), Domain::ANY).mean(),
        f64::INFINITY
    );
    for shape in [0.5, 1.0, 2.5] {
        let cut = Uncertain::Pareto {
            min: 3.0,
            shape,
            max: Some(40.0),
        };
        let cut = sampler(&cut, Domain::NON_NEGATIVE);
        for x in [3.5, 10.0, 39.0] {
            let below = (1.0 - (3.0_f64 / x).powf(shape)) / (1.0 - (3.0_f64 / 40.0).powf(shape));
            assert!((cut.at(below) / x - 1.0).abs() < 1e-6, "{shape} {x}");
        }
        let points = 100_000;
        let sum: f64 = (0..points)
            .map(|i| cut.at((f64::from(i) + 0.5) / f64::from(points)))
            .sum();
        assert!(
            (sum / f64::from(points) / cut.mean() - 1.0).abs() < 1e-4,
            "{shape}"
        );
    }
    let share = Uncertain::pareto(0.1, 1.0);
    assert!(share.sampler(Domain::SHARE).is_err());
}

#[test]
fn what_cannot_vary_is_a_constant() {
    for quantity in [
        Uncertain::Constant(4.0),
        Uncertain::uniform(4.0, 4.0),
        Uncertain::pert(4.0, 4.0, 4.0),
        Uncertain::normal(4.0, 0.0),
        Uncertain::lognormal(4.0, 0.0),
        Uncertain::discrete([(4.0, 1.0), (9.0, 0.0)]),
        Uncertain::percentiles(4.0, 4.0, 4.0),
    ] {
        let compiled = sampler(&quantity, Domain::NON_NEGATIVE);
        assert_eq!(
            (compiled.constant(), compiled.at(0.3), compiled.mean()),
            (Some(4.0), 4.0, 4.0)
        );
    }
}

#[test]
fn quantiles_do_not_fall_where_they_bend_most() {
    let bent = Uncertain::percentiles(0.01, 49.445_766_522, 49.455_766_522);
    let compiled = sampler(&bent, Domain::NON_NEGATIVE);
    let values: Vec<f64> = (1..100_000)
        .map(|u| compiled.at(f64::from(u) * 1e-5))
        .collect();
    assert!(values.is_sorted());
}

#[test]
fn each_fault_is_named_with_its_parameter() {
    let problems = |quantity: Uncertain, domain| {
        let mut problems = Problems::new();
        quantity.check(domain, &Path::root().key("duration_months"), &mut problems);
        problems
            .iter()
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect::<Vec<_>>()
    };
    let share = Domain::SHARE;
    let positive = Domain::NON_NEGATIVE;
    assert_eq!(
        problems(Uncertain::Constant(-3.0), positive),
        ["duration_months: duration_months is -3"]
    );
    assert_eq!(
        problems(Uncertain::Constant(1.5), share),
        ["duration_months: duration_months is 1.5"]
    );
    assert_eq!(
        problems(Uncertain::percentiles(9.0, 4.0, 8.0), positive),
        ["duration_months.p10: duration_months: p10 is 9, more than p50, which is 4"]
    );
    assert_eq!(
        problems(Uncertain::pert(-2.0, f64::NAN, 3.0), positive),
        [
            "duration_months.pert.min: duration_months: min is -2",
            "duration_months.pert.mode: duration_months: mode is NaN"
        ]
    );
    assert_eq!(
        problems(Uncertain::discrete([(1.0, 0.6), (2.0, 0.6)]), positive),
        ["duration_months.discrete: duration_months: the probabilities sum to 1.2"]
    );
    assert_eq!(
        problems(Uncertain::discrete([(1.0, 1.6)]), positive),
        ["duration_months.discrete[0][1]: duration_months: the probability is 1.6"]
    );
    assert_eq!(problems(Uncertain::normal(-40.0, 2.0), positive).len(), 1);
    assert_eq!(problems(Uncertain::lognormal(0.0, 0.5), positive).len(), 1);
    assert_eq!(problems(Uncertain::lognormal(0.5, 0.5), share).len(), 1);
    assert_eq!(problems(Uncertain::Discrete(Vec::new()), positive).len(), 1);
    assert_eq!(
        problems(Uncertain::percentiles(0.0, 1.0, 2.0), positive).len(),
        1
    );
    assert!(problems(Uncertain::pert(2.0, 3.0, 6.0), positive).is_empty());
}

fn any_quantity() -> impl Strategy<Value = Uncertain> {
    let three = (0.0..50.0_f64, 0.0..50.0_f64, 0.001..50.0_f64);
    prop_oneof![
        (0.0..1e6_f64).prop_map(Uncertain::Constant),
        (0.0..1e3_f64, 0.0..1e3_f64).prop_map(|(min, width)| Uncertain::uniform(min, min + width)),
        three
            .clone()
            .prop_map(|(min, up, more)| Uncertain::triangular(min, min + up, min + up + more)),
        (three.clone(), 0.0..40.0_f64).prop_map(|((min, up, more), shape)| Uncertain::Pert {
            min,
            mode: min + up,
            max: min + up + more,
            shape
        }),
        (0.0..50.0_f64, 0.0..50.0_f64).prop_map(|(mean, sd)| Uncertain::normal(mean, sd)),
        (0.001..1e4_f64, 0.0..3.0_f64)
            .prop_map(|(median, sigma)| Uncertain::lognormal(median, sigma)),
        (0.001..1e4_f64, 0.3..5.0_f64, 0.001..1e3_f64).prop_map(|(min, shape, more)| {
            Uncertain::Pareto {
                min,
                shape,
                max: Some(min + more),
            }
        }),
        proptest::collection::vec((0.0..50.0_f64, 0.01..1.0_f64), 1..6).prop_map(|outcomes| {
            let total: f64 = outcomes.iter().map(|(_, weight)| weight).sum();
            Uncertain::discrete(
                outcomes
                    .into_iter()
                    .map(|(value, weight)| (value, weight / total)),
            )
        }),
        (0.01..50.0_f64, 0.01..50.0_f64, 0.01..50.0_f64)
            .prop_map(|(p10, up, more)| Uncertain::percentiles(p10, p10 + up, p10 + up + more)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn quantiles_never_fall_and_stay_in_the_domain(quantity in any_quantity()) {
        let compiled = sampler(&quantity, Domain::NON_NEGATIVE);
        let mut grid: Vec<f64> = probabilities().collect();
        grid.sort_by(f64::total_cmp);
        let mut before = 0.0;
        for u in grid {
            let value = compiled.at(u);
            prop_assert!(value.is_finite() && value >= before, "{u}: {value} after {before}");
            before = value;
        }
    }

    #[test]
    fn what_is_written_is_read_again(quantity in any_quantity()) {
        let text = serde_json::to_string(&quantity).unwrap();
        prop_assert_eq!(serde_json::from_str::<Uncertain>(&text).unwrap(), quantity);
    }

    /// The midpoint rule with 4,096 points; the allowance covers the tails that it misses.
    #[test]
    fn the_mean_is_that_of_the_draws(quantity in any_quantity()) {
        let compiled = sampler(&quantity, Domain::NON_NEGATIVE);
        let points = 4_096;
        let draws: Vec<f64> =
            (0..points).map(|i| compiled.at((f64::from(i) + 0.5) / f64::from(points))).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(points);
        let spread = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(points);
        // Of very heavy tails the midpoint rule sees too little.
        prop_assume!(spread.sqrt() < 2.0 * mean + 1e-9);
        let allowance = 0.05 * spread.sqrt() + 1e-9 * mean.abs();
        prop_assert!((mean - compiled.mean()).abs() <= allowance, "{} and {}", mean, compiled.mean());
    }
}

#[test]
fn parameters_may_be_lists_or_tables() {
    let read = |text: &str| serde_json::from_str::<Uncertain>(text).unwrap();
    assert_eq!(read(r#"{"uniform": [1, 2]}"#), Uncertain::uniform(1.0, 2.0));
    assert_eq!(
        read(r#"{"pert": [2, 3, 6]}"#),
        Uncertain::pert(2.0, 3.0, 6.0)
    );
    assert_eq!(
        read(r#"{"pert": {"min": 2, "mode": 3, "max": 6, "shape": 2}}"#),
        Uncertain::Pert {
            min: 2.0,
            mode: 3.0,
            max: 6.0,
            shape: 2.0
        }
    );
    assert_eq!(
        read(r#"{"p10": 3, "p90": 8}"#),
        Uncertain::Percentiles {
            p10: 3.0,
            p50: None,
            p90: 8.0
        }
    );
    assert_eq!(
        read(r#"{"discrete": [[1, 0.2], [2, 0.8]]}"#),
        Uncertain::discrete([(1.0, 0.2), (2.0, 0.8)])
    );
    assert!(serde_json::from_str::<Uncertain>(r#"{"p10": 3}"#).is_err());
}

/// Whatever parameters are accepted give finite quantiles that do not fall.
#[test]
fn parameters_at_their_bounds_are_refused_or_give_finite_quantiles() {
    let extremes = [
        -LARGEST,
        -1.0,
        0.0,
        1e-300,
        1e-18,
        1e-9,
        0.5,
        1.0,
        1.0 + f64::EPSILON,
        20.0,
        1e9,
        LARGEST,
        1e300,
    ];
    let mut accepted = 0;
    let mut try_one = |quantity: Uncertain| {
        for domain in [Domain::ANY, Domain::NON_NEGATIVE, Domain::SHARE] {
            let Ok(sampler) = quantity.sampler(domain) else {
                continue;
            };
            accepted += 1;
            let mut before = f64::NEG_INFINITY;
            for u in [
                f64::EPSILON / 2.0,
                1e-9,
                0.01,
                0.1,
                0.5,
                0.9,
                0.99,
                1.0 - 1e-9,
                1.0 - f64::EPSILON / 2.0,
            ] {
                let value = sampler.at(u);
                assert!(
                    value.is_finite() && value >= before,
                    "{quantity:?} at {u}: {value} after {before}"
                );
                before = value;
            }
        }
    };
    for a in extremes {
        for b in extremes {
            try_one(Uncertain::uniform(a, b));
            try_one(Uncertain::normal(a, b));
            try_one(Uncertain::lognormal(a, b));
            try_one(Uncertain::pareto(a, b));
            try_one(Uncertain::Percentiles {
                p10: a,
                p50: None,
                p90: b,
            });
            for c in extremes {
                try_one(Uncertain::triangular(a, b, c));
                try_one(Uncertain::pert(a, b, c));
                try_one(Uncertain::percentiles(a, b, c));
                try_one(Uncertain::Pareto {
                    min: a,
                    shape: b,
                    max: Some(c),
                });
            }
        }
    }
    assert!(accepted > 500, "{accepted}");
}
