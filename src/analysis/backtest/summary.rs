use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Score;

/// The central shares of a forecast whose coverage is counted.
pub const LEVELS: [f64; 3] = [0.5, 0.8, 0.9];

/// How good a forecaster was over many cases.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Who.
    pub forecaster: String,
    /// How many cases.
    pub cases: usize,
    /// Of how many subjects.
    pub subjects: usize,
    /// The mean CRPS of log(value + floor).
    pub log_crps: f64,
    /// Its standard error, by resampling subjects.
    pub log_crps_error: f64,
    /// By how much it exceeds that of the reference on the same cases; NaN without one.
    pub difference: f64,
    /// The standard error of the difference, by resampling subjects; NaN without a reference.
    pub difference_error: f64,
    /// The shares of cases within the central 50, 80 and 90 % ([`LEVELS`]), by [`Score::covered`].
    pub coverage: [f64; 3],
    /// Their standard errors, by resampling subjects.
    pub coverage_error: [f64; 3],
    /// The mean of [`Score::pit_tenths`]: a tenth in each if forecasts are calibrated.
    pub pit_tenths: [f64; 10],
    /// Their standard errors, by resampling subjects.
    pub pit_tenths_error: [f64; 10],
    /// The mean of [`Score::pit`]; below 0.5 if forecasts were too high.
    pub pit: f64,
    /// The share of cases above the 95 % quantile.
    pub above: f64,
    /// The share of cases below the 5 % quantile.
    pub below: f64,
    /// The mean of [`Score::bias`].
    pub bias: f64,
    /// The mean of [`Score::width`].
    pub width: f64,
}

/// Each forecaster over the cases that all of them forecast, the best first. `reference` names the
/// forecaster that the others are compared with.
///
/// Standard errors are the standard deviations over 500 draws of as many subjects with replacement
/// (Efron, The Annals of Statistics 7, 1979), by a generator of a fixed seed.
pub fn summarise(scores: &[Score], reference: Option<&str>) -> Vec<Summary> {
    let mut by: BTreeMap<&str, BTreeMap<_, &Score>> = BTreeMap::new();
    for score in scores {
        by.entry(&score.forecaster)
            .or_default()
            .insert(&score.key, score);
    }
    let shared = |key: &_| by.values().all(|scores| scores.contains_key(key));
    let common: BTreeMap<&str, BTreeMap<_, &Score>> = (by.iter())
        .map(|(name, scores)| {
            let kept = scores.iter().filter(|(key, _)| shared(**key));
            (*name, kept.map(|(key, score)| (*key, *score)).collect())
        })
        .collect();
    let reference = reference.and_then(|name| common.get(name));
    let mut summaries: Vec<Summary> = (common.iter())
        .filter(|(_, scores)| !scores.is_empty())
        .map(|(name, scores)| {
            let of_reference = |score: &Score| Some(reference?.get(&score.key)?.log_crps);
            let cases: Vec<(&Score, f64)> = (scores.values())
                .map(|score| (*score, of_reference(score).unwrap_or(f64::NAN)))
                .collect();
            summary(name, &cases)
        })
        .collect();
    summaries.sort_by(|a, b| a.log_crps.total_cmp(&b.log_crps));
    summaries
}

fn summary(forecaster: &str, cases: &[(&Score, f64)]) -> Summary {
    let n = cases.len() as f64;
    let mean =
        |of: &dyn Fn(&Score) -> f64| cases.iter().map(|(score, _)| of(score)).sum::<f64>() / n;
    let share = |is: &dyn Fn(&Score) -> bool| mean(&|score| f64::from(u8::from(is(score))));
    // Of each subject: the sums of what has a standard error, and the cases.
    let mut subjects: BTreeMap<&str, ([f64; MEANS], f64)> = BTreeMap::new();
    for (score, reference) in cases {
        let (sums, count) = subjects.entry(&score.key.subject).or_default();
        let first = [score.log_crps, score.log_crps - reference];
        let covered = LEVELS.map(|level| score.covered(level));
        let terms = first.into_iter().chain(covered).chain(score.pit_tenths());
        sums.iter_mut().zip(terms).for_each(|(sum, x)| *sum += x);
        *count += 1.0;
    }
    let subjects: Vec<([f64; MEANS], f64)> = subjects.into_values().collect();
    let errors = errors(&subjects);
    let mean_of = |at: usize| subjects.iter().map(|(sums, _)| sums[at]).sum::<f64>() / n;
    Summary {
        forecaster: forecaster.to_owned(),
        cases: cases.len(),
        subjects: subjects.len(),
        log_crps: mean(&|score| score.log_crps),
        log_crps_error: errors[0],
        difference: mean_of(1),
        difference_error: errors[1],
        coverage: LEVELS.map(|level| mean(&|score| score.covered(level))),
        coverage_error: std::array::from_fn(|at| errors[FIRST_LEVEL + at]),
        pit_tenths: std::array::from_fn(|at| mean_of(FIRST_TENTH + at)),
        pit_tenths_error: std::array::from_fn(|at| errors[FIRST_TENTH + at]),
        pit: mean(&Score::pit),
        above: share(&Score::is_above),
        below: share(&Score::is_below),
        bias: mean(&|score| score.bias),
        width: mean(&|score| score.width),
    }
}

/// Means that have a standard error: of the score, of its difference, of coverage at each level, and of each tenth.
const FIRST_LEVEL: usize = 2;
const FIRST_TENTH: usize = FIRST_LEVEL + LEVELS.len();
const MEANS: usize = FIRST_TENTH + 10;

/// Standard errors of means, by resampling subjects.
fn errors(subjects: &[([f64; MEANS], f64)]) -> [f64; MEANS] {
    const DRAWS: usize = 500;
    const SEED: u64 = 5;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let drawn: Vec<[f64; MEANS]> = (0..DRAWS)
        .map(|_| {
            let (mut sums, mut cases) = ([0.0; MEANS], 0.0);
            for _ in 0..subjects.len() {
                let (of, count) = subjects[random.random_range(0..subjects.len())];
                sums.iter_mut().zip(of).for_each(|(sum, x)| *sum += x);
                cases += count;
            }
            sums.map(|sum| sum / cases)
        })
        .collect();
    std::array::from_fn(|at| {
        let mean = drawn.iter().map(|means| means[at]).sum::<f64>() / DRAWS as f64;
        let squares = (drawn.iter()).map(|means| (means[at] - mean) * (means[at] - mean));
        (squares.sum::<f64>() / DRAWS as f64).sqrt()
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Forecast, ForecastKey, score};
    use super::*;

    fn scored(forecaster: &str, subject: &str, value: f64, observed: f64) -> Score {
        let key = ForecastKey {
            subject: subject.into(),
            origin: "2024-12-31".into(),
            date: "2025-12-31".into(),
            quantity: "mw".into(),
        };
        score(
            &Forecast::new(forecaster, key, vec![value]).unwrap(),
            observed,
            10.0,
        )
        .unwrap()
    }

    #[test]
    fn shares_of_cases_have_the_errors_of_resampled_subjects() {
        // A forecast of 1 to 200 of four subjects: what came lies in the first, the fourth and, twice, the last tenth.
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        let scores: Vec<Score> = [("n", 11.5), ("e", 71.5), ("s", 195.5), ("w", 197.5)]
            .into_iter()
            .map(|(subject, observed)| {
                let key = scored("f", subject, 0.0, 0.0).key;
                let forecast = Forecast::new("f", key, values.clone()).unwrap();
                score(&forecast, observed, 10.0).unwrap()
            })
            .collect();
        let found = summarise(&scores, None).remove(0);
        assert_eq!(found.coverage, [0.25, 0.25, 0.5]);
        let mut tenths = [0.0; 10];
        (tenths[0], tenths[3], tenths[9]) = (0.25, 0.25, 0.5);
        for (share, expected) in found.pit_tenths.into_iter().zip(tenths) {
            assert!((share - expected).abs() < 1e-12, "{:?}", found.pit_tenths);
        }
        // of four subjects the share of one that is either in or out is binomial
        for (error, share) in [
            (found.coverage_error[0], 0.25),
            (found.pit_tenths_error[9], 0.5_f64),
        ] {
            let expected = (share * (1.0 - share) / 4.0).sqrt();
            assert!(
                (error / expected - 1.0).abs() < 0.1,
                "{error}, not {expected}"
            );
        }
        assert_eq!(found.pit_tenths_error[1], 0.0);
    }

    #[test]
    fn only_what_all_forecast_is_compared() {
        let scores = [
            scored("a", "north", 10.0, 10.0),
            scored("a", "south", 10.0, 30.0),
            scored("a", "west", 0.0, 999.0),
            scored("b", "north", 30.0, 10.0),
            scored("b", "south", 30.0, 30.0),
        ];
        let summaries = summarise(&scores, Some("a"));
        assert_eq!(summaries.len(), 2);
        for summary in &summaries {
            assert_eq!((summary.cases, summary.subjects), (2, 2));
            assert!((summary.log_crps - 2.0_f64.ln() / 2.0).abs() < 1e-12);
            assert!(summary.difference.abs() < 1e-12);
        }
        // of two subjects the mean is one, the other, or between with 1/4, 1/4, 1/2
        let expected = 2.0_f64.ln() / 8.0_f64.sqrt();
        assert!((summaries[0].log_crps_error / expected - 1.0).abs() < 0.1);
    }
}
