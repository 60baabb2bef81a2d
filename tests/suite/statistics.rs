//! Are the inputs of trials what a scenario says of them? Everything on the way is looked at together: the streams of random
//! numbers, the design, the correlations and the quantile functions, against distribution functions and moments in closed form.
//!
//! The seed is fixed. Every bound is that which right numbers would exceed once in a million times: 4.9 standard errors, or for
//! the largest distance of two distribution functions what Massart's inequality gives (Ann. Probab. 18, 1990). There are some
//! 190 comparisons, so that a change of the numbers alone would fail here once in 5,300 times.
#![cfg(feature = "files")]

use buildout::monte_carlo::sample_run::SampleRun;
use buildout::projection::Samples;
use buildout::{Model, Scenario};
use statrs::distribution::{Beta, ContinuousCDF, LogNormal, Normal, Pareto};

const TRIALS: u64 = 20_000;
const STD_ERRORS: f64 = 4.9;

/// A distribution as a scenario writes it, its distribution function, and its mean and standard deviation.
struct Case {
    written: &'static str,
    below: Box<dyn Fn(f64) -> f64>,
    mean: f64,
    sd: f64,
}

fn case(
    written: &'static str,
    mean: f64,
    variance: f64,
    below: impl Fn(f64) -> f64 + 'static,
) -> Case {
    Case {
        written,
        below: Box::new(below),
        mean,
        sd: variance.sqrt(),
    }
}

/// PERT over 2 to 10 with its mode at 4.
fn pert(written: &'static str, shape: f64) -> Case {
    let mean = (2.0 + shape * 4.0 + 10.0) / (shape + 2.0);
    let variance = (mean - 2.0) * (10.0 - mean) / (shape + 3.0);
    let beta = Beta::new(1.0 + shape * 0.25, 1.0 + shape * 0.75).expect("a distribution");
    case(written, mean, variance, move |x| beta.cdf((x - 2.0) / 8.0))
}

/// Normal of mean 20 and standard deviation 3, cut off below 18 and above 26.
fn truncated() -> Case {
    let standard = Normal::standard();
    let density = |z: f64| (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    let (low, high) = (-2.0 / 3.0, 2.0);
    let inside = standard.cdf(high) - standard.cdf(low);
    let shift = (density(low) - density(high)) / inside;
    let spread = 1.0 + (low * density(low) - high * density(high)) / inside - shift * shift;
    let below = move |x: f64| (standard.cdf((x - 20.0) / 3.0) - standard.cdf(low)) / inside;
    let written = "{ normal = { mean = 20, sd = 3, min = 18, max = 26 } }";
    case(written, 20.0 + 3.0 * shift, 9.0 * spread, below)
}

/// Straight between (0, 1), (0.5, 4) and (1, 10): a half uniform over 1 to 4, a half over 4 to 10.
fn two_halves(written: &'static str) -> Case {
    let variance = 0.5 * (2.5_f64.powi(2) + 0.75 + 49.0 + 3.0) - 4.75_f64.powi(2);
    case(written, 4.75, variance, |x| {
        if x < 4.0 {
            (x - 1.0) / 6.0
        } else {
            0.5 + (x - 4.0) / 12.0
        }
    })
}

fn cases() -> Vec<Case> {
    let normal = Normal::new(20.0, 3.0).expect("a distribution");
    let lognormal = LogNormal::new(6_f64.ln(), 0.5).expect("a distribution");
    let pareto = Pareto::new(2.0, 9.0).expect("a distribution");
    // P10 and P90 are 1.2816 standard deviations of the logarithm from its median.
    let sigma = 4_f64.ln() / (2.0 * 1.281_551_565_544_600_4);
    let by_percentiles = LogNormal::new(6_f64.ln(), sigma).expect("a distribution");
    let parts = Normal::new(20.0, 3.0).expect("a distribution");
    let moments = |sigma: f64| {
        let square = (sigma * sigma).exp();
        (6.0 * square.sqrt(), 36.0 * square * (square - 1.0))
    };
    let ((mean, variance), (wide_mean, wide_variance)) = (moments(0.5), moments(sigma));
    vec![
        case("{ uniform = [2, 8] }", 5.0, 3.0, |x| (x - 2.0) / 6.0),
        case("{ triangular = [2, 4, 10] }", 16.0 / 3.0, 26.0 / 9.0, |x| {
            if x < 4.0 {
                (x - 2.0).powi(2) / 16.0
            } else {
                1.0 - (10.0 - x).powi(2) / 48.0
            }
        }),
        pert("{ pert = [2, 4, 10] }", 4.0),
        pert("{ pert = [2, 4, 10, 2] }", 2.0),
        case("{ normal = [20, 3] }", 20.0, 9.0, move |x| normal.cdf(x)),
        truncated(),
        case("{ lognormal = [6, 0.5] }", mean, variance, move |x| {
            lognormal.cdf(x)
        }),
        case(
            "{ pareto = [2, 9] }",
            2.25,
            9.0 * 4.0 / (64.0 * 7.0),
            move |x| pareto.cdf(x),
        ),
        case(
            "{ p10 = 3, p90 = 12 }",
            wide_mean,
            wide_variance,
            move |x| by_percentiles.cdf(x),
        ),
        two_halves("{ quantiles = [[0, 1], [0.5, 4], [1, 10]] }"),
        two_halves("{ empirical = [4, 10, 1] }"),
        case(
            "{ mixture = [[0.3, { uniform = [2, 8] }], [0.7, { normal = [20, 3] }]] }",
            0.3 * 5.0 + 0.7 * 20.0,
            0.3 * (3.0 + 25.0) + 0.7 * (9.0 + 400.0) - 15.5_f64.powi(2),
            move |x| 0.3 * ((x - 2.0) / 6.0).clamp(0.0, 1.0) + 0.7 * parts.cdf(x),
        ),
    ]
}

/// A scenario whose activities have the durations that are given, with what follows it.
fn model(durations: &[&str], correlations: &str) -> Model {
    let activities: String = (durations.iter().enumerate())
        .map(|(index, duration)| {
            format!("{{ name = \"a{index}\", duration_months = {duration} }},\n")
        })
        .collect();
    let text = format!(
        "name = \"inputs\"\nstart = \"2025-01\"\nhorizon_months = 1\n\
         campuses = [{{ name = \"c\", activities = [\n{activities}] }}]\n{correlations}"
    );
    let scenario = Scenario::from_toml(&text).unwrap_or_else(|error| panic!("{error}"));
    scenario.compile().expect("a model")
}

fn samples(model: &Model, seed: u64) -> Samples {
    let run = SampleRun::new(model).trials(TRIALS).seed(seed);
    run.run().expect("samples")
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    values.sum::<f64>() / TRIALS as f64
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let count = one.len().min(other.len()) as f64;
    let centre = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (a, b) = (centre(one), centre(other));
    let product = |x: &[f64], at: f64, y: &[f64], to: f64| {
        let terms = x.iter().zip(y).map(|(x, y)| (x - at) * (y - to));
        terms.sum::<f64>()
    };
    product(one, a, other, b) / (product(one, a, one, a) * product(other, b, other, b)).sqrt()
}

/// The numbers of an input from the least to the greatest.
fn in_order(values: &[f64]) -> Vec<f64> {
    let mut ordered = values.to_vec();
    ordered.sort_by(f64::total_cmp);
    ordered
}

#[test]
fn inputs_have_the_distributions_that_are_written() {
    let cases = cases();
    let written: Vec<&str> = cases.iter().map(|case| case.written).collect();
    let samples = samples(&model(&written, ""), 1);
    // A probability of one in a million: sqrt(ln(2 / 1e-6) / 2 n).
    let bound = ((2e6_f64).ln() / (2.0 * TRIALS as f64)).sqrt();
    for (case, input) in cases.iter().zip(samples.inputs()) {
        let values = in_order(&input.values);
        let step = 1.0 / TRIALS as f64;
        let apart = values.iter().enumerate().map(|(index, &value)| {
            let (at, below) = (index as f64 * step, (case.below)(value));
            (below - at).abs().max((below - at - step).abs())
        });
        let distance = apart.fold(0.0, f64::max);
        assert!(distance < bound, "{}: {distance} of {bound}", case.written);

        let centre = mean(values.iter().copied());
        let error = case.sd / (TRIALS as f64).sqrt();
        let z = (centre - case.mean) / error;
        assert!(z.abs() < STD_ERRORS, "{}: mean {centre}, {z}", case.written);

        // The variance about the true mean, with the standard error that its own terms show.
        let squares: Vec<f64> = (values.iter())
            .map(|value| (value - case.mean).powi(2))
            .collect();
        let variance = mean(squares.iter().copied());
        let of_squares = mean(squares.iter().map(|square| (square - variance).powi(2)));
        let z = (variance - case.sd.powi(2)) / (of_squares / TRIALS as f64).sqrt();
        assert!(
            z.abs() < STD_ERRORS,
            "{}: variance {variance}, {z}",
            case.written
        );
    }
}

#[test]
fn discrete_inputs_have_their_shares() {
    let model = model(&["{ discrete = [[1, 0.2], [3, 0.5], [7, 0.3]] }"], "");
    let samples = samples(&model, 2);
    let input = samples.inputs().first().expect("an input");
    for (value, share) in [(1.0, 0.2_f64), (3.0, 0.5), (7.0, 0.3)] {
        let found = mean(
            input
                .values
                .iter()
                .map(|&found| f64::from(u8::from(found == value))),
        );
        let z = (found - share) / (share * (1.0 - share) / TRIALS as f64).sqrt();
        assert!(z.abs() < STD_ERRORS, "{value}: {found}, {z}");
    }
}

#[test]
fn inputs_are_independent_of_each_other_of_other_trials_and_of_other_seeds() {
    let cases = cases();
    let written: Vec<&str> = cases.iter().map(|case| case.written).collect();
    let model = model(&written, "");
    let (one, other) = (samples(&model, 3), samples(&model, 4));
    let bound = STD_ERRORS / (TRIALS as f64).sqrt();
    let near_zero = |what: &str, found: f64| assert!(found.abs() < bound, "{what}: {found}");
    for (index, input) in one.inputs().iter().enumerate() {
        let own = &input.uniforms;
        for later in &one.inputs()[index + 1..] {
            let what = format!("{} and {}", input.name, later.name);
            near_zero(&what, correlation(own, &later.uniforms));
        }
        for lag in [1, 2, 16, 64, 1_000] {
            let lagged = correlation(&own[lag..], &own[..own.len() - lag]);
            let bound = STD_ERRORS / ((TRIALS as usize - lag) as f64).sqrt();
            assert!(lagged.abs() < bound, "{} by {lag}: {lagged}", input.name);
        }
        near_zero(
            &format!("{} of two seeds", input.name),
            correlation(own, &other.inputs()[index].uniforms),
        );
    }
}

/// Rank correlations through a normal copula: of normal scores that correlate by r the ranks correlate by
/// 6/π asin(r/2) (Pearson 1907). The standard error of a rank correlation s is at most
/// sqrt((1 - s²)² (1 + s²/2) / n) up to terms of higher order (Bonett and Wright 2000).
#[test]
fn rank_correlations_are_those_that_are_asked_for() {
    let written = [
        "{ pert = [2, 4, 10] }",
        "{ lognormal = [6, 0.5] }",
        "{ uniform = [2, 8] }",
        "{ pareto = [2, 9] }",
        "{ triangular = [2, 4, 10] }",
    ];
    let asked = [(0, 1, 0.7), (0, 2, -0.5), (1, 2, -0.2), (3, 4, 0.95)];
    let pairs: Vec<String> = (asked.iter())
        .map(|(one, other, coefficient)| {
            format!("{{ between = [\"c/a{one}\", \"c/a{other}\"], coefficient = {coefficient} }}")
        })
        .collect();
    let correlations = format!("[correlations]\npairs = [{}]", pairs.join(", "));
    let samples = samples(&model(&written, &correlations), 5);
    let ranks: Vec<Vec<f64>> = (samples.inputs().iter())
        .map(|input| ranks(&input.values))
        .collect();
    for one in 0..written.len() {
        for other in one + 1..written.len() {
            let stated = asked.iter().find(|pair| (pair.0, pair.1) == (one, other));
            let stated = stated.map_or(0.0, |pair| pair.2);
            let found = correlation(&ranks[one], &ranks[other]);
            let error =
                (1.0 - stated * stated) * ((1.0 + stated * stated / 2.0) / TRIALS as f64).sqrt();
            let z = (found - stated) / error;
            assert!(z.abs() < STD_ERRORS, "a{one} and a{other}: {found}, {z}");
        }
    }
}

/// The place of each value in their order; no two of these values are equal.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&one, &other| values[one].total_cmp(&values[other]));
    let mut ranks = vec![0.0; values.len()];
    for (rank, trial) in order.into_iter().enumerate() {
        ranks[trial] = rank as f64;
    }
    ranks
}
