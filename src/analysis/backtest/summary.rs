use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Score;

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
    /// The shares of cases within the central 50, 80 and 90 %, by [`Score::covered`].
    pub coverage: [f64; 3],
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
    // Of each subject: the sums of the score and of its difference to the reference, and the cases.
    let mut subjects: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
    for (score, reference) in cases {
        let sums = subjects.entry(&score.key.subject).or_default();
        sums[0] += score.log_crps;
        sums[1] += score.log_crps - reference;
        sums[2] += 1.0;
    }
    let subjects: Vec<[f64; 3]> = subjects.into_values().collect();
    let [log_crps_error, difference_error] = errors(&subjects);
    Summary {
        forecaster: forecaster.to_owned(),
        cases: cases.len(),
        subjects: subjects.len(),
        log_crps: mean(&|score| score.log_crps),
        log_crps_error,
        difference: subjects.iter().map(|sums| sums[1]).sum::<f64>() / n,
        difference_error,
        coverage: [0.5, 0.8, 0.9].map(|level| mean(&|score| score.covered(level))),
        pit: mean(&Score::pit),
        above: share(&Score::is_above),
        below: share(&Score::is_below),
        bias: mean(&|score| score.bias),
        width: mean(&|score| score.width),
    }
}

/// Standard errors of the means of the first two sums, by resampling subjects.
fn errors(subjects: &[[f64; 3]]) -> [f64; 2] {
    const DRAWS: usize = 500;
    const SEED: u64 = 5;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let mut means = [Vec::with_capacity(DRAWS), Vec::with_capacity(DRAWS)];
    for _ in 0..DRAWS {
        let mut sums = [0.0; 3];
        for _ in 0..subjects.len() {
            let subject = subjects[random.random_range(0..subjects.len())];
            sums.iter_mut().zip(subject).for_each(|(sum, x)| *sum += x);
        }
        for (means, sum) in means.iter_mut().zip(sums) {
            means.push(sum / sums[2]);
        }
    }
    means.map(|means| {
        let mean = means.iter().sum::<f64>() / DRAWS as f64;
        let squares = means.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
        (squares / DRAWS as f64).sqrt()
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
