use libm::{fabs, log};

use crate::date::Date;
use crate::uncertain::sample_quantile;

/// What a forecast is of.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct ForecastKey {
    /// Of what: a campus.
    pub subject: String,
    /// When it was made: it knows nothing later.
    pub origin: String,
    /// Of which day.
    pub date: String,
    /// Of which quantity.
    pub quantity: String,
}

/// A forecast: equally likely values, in ascending order, at least one.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Forecast {
    /// Who made it.
    pub forecaster: String,
    /// What it is of.
    pub key: ForecastKey,
    values: Vec<f64>,
}

impl Forecast {
    /// A forecast by equally likely values in any order; `None` if there are none or one is not finite.
    pub fn new(
        forecaster: impl Into<String>,
        key: ForecastKey,
        mut values: Vec<f64>,
    ) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        Some(Self {
            forecaster: forecaster.into(),
            key,
            values,
        })
    }

    /// The values, in ascending order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// The continuous ranked probability score of equally likely values in ascending order, in their unit;
/// 0 is best: mean |X - y| - mean |X - X'| / 2 over all pairs, each value with itself too (Gneiting &
/// Raftery, Journal of the American Statistical Association 102, 2007).
///
/// ```
/// use buildout::analysis::backtest::crps;
/// assert_eq!(crps(&[3.0], 5.0), 2.0);
/// assert_eq!(crps(&[0.0, 1.0], 0.0), 0.25);
/// ```
pub fn crps(ascending: &[f64], observed: f64) -> f64 {
    let n = ascending.len() as f64;
    error(ascending, observed) - spread(ascending) / (n * n)
}

/// The same, fair to small samples: pairs of a value with itself are left out, so that its expectation is
/// that of the distribution from which the values were drawn (Ferro, Quarterly Journal of the Royal
/// Meteorological Society 140, 2014). That of one value is its distance.
pub fn fair_crps(ascending: &[f64], observed: f64) -> f64 {
    let n = ascending.len() as f64;
    if n < 2.0 {
        return error(ascending, observed);
    }
    error(ascending, observed) - spread(ascending) / (n * (n - 1.0))
}

fn error(values: &[f64], observed: f64) -> f64 {
    values.iter().map(|x| fabs(x - observed)).sum::<f64>() / values.len() as f64
}

/// Half the sum of |X - X'| over all pairs: the i-th of n exceeds i - 1 and is below n - i others.
fn spread(ascending: &[f64]) -> f64 {
    let n = ascending.len() as f64;
    let rank = |i: usize| 2.0 * (i as f64 + 1.0) - n - 1.0;
    (ascending.iter().enumerate())
        .map(|(i, x)| rank(i) * x)
        .sum()
}

/// 199 equally likely values of a quantile function that is given at some levels, (level, value) in
/// ascending order of levels: straight lines between, flat beyond the outermost, never falling.
pub fn from_quantiles(levels: &[(f64, f64)]) -> Vec<f64> {
    const POINTS: u32 = 199;
    let mut rising = levels.to_vec();
    for i in 1..rising.len() {
        rising[i].1 = rising[i].1.max(rising[i - 1].1);
    }
    let at = |u: f64| {
        let above = rising.partition_point(|&(level, _)| level < u);
        match (above.checked_sub(1).map(|i| rising[i]), rising.get(above)) {
            (Some((l0, v0)), Some(&(l1, v1))) => v0 + (v1 - v0) * (u - l0) / (l1 - l0),
            (Some((_, value)), None) => value,
            (None, Some(&(_, value))) => value,
            (None, None) => f64::NAN,
        }
    };
    (0..POINTS)
        .map(|i| at((f64::from(i) + 0.5) / f64::from(POINTS)))
        .collect()
}

/// How good one forecast was.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Score {
    /// Who made the forecast.
    pub forecaster: String,
    /// What it was of.
    pub key: ForecastKey,
    /// How many months ahead, rounded.
    pub months_ahead: i64,
    /// What came.
    pub observed: f64,
    /// The median that was forecast.
    pub median: f64,
    /// The 5 % quantile.
    pub p5: f64,
    /// The 95 % quantile.
    pub p95: f64,
    /// [`crps`], in the unit of the quantity.
    pub crps: f64,
    /// [`crps`] of log(value + floor).
    pub log_crps: f64,
    /// The share of values below what came.
    pub below: f64,
    /// The share of values that are what came: within 0.5 % of it or of 1, whichever is more. Where it is not 0 the
    /// probability integral transform is any number from `below` to `below + equal` with equal probability.
    pub equal: f64,
    /// log((median + floor) / (observed + floor)): above 0 if the forecast was too high.
    pub bias: f64,
    /// Sharpness: log((P95 + floor) / (P5 + floor)), 0 or more. Of two forecasters who cover alike the sharper is better.
    pub width: f64,
}

impl Score {
    /// The probability that the randomised probability integral transform lies in the central share
    /// `level` of 0 to 1. Its mean over cases is the coverage to hold to: closed intervals that end in a
    /// point mass (nothing is built) cover too much by themselves.
    pub fn covered(&self, level: f64) -> f64 {
        let (low, high) = (0.5 - 0.5 * level, 0.5 + 0.5 * level);
        if self.equal == 0.0 {
            return f64::from(u8::from((low..=high).contains(&self.below)));
        }
        self.share_between(low, high)
    }

    /// The probabilities that the randomised probability integral transform lies in each tenth of 0 to 1.
    pub fn pit_tenths(&self) -> [f64; 10] {
        let only = ((10.0 * self.below) as usize).min(9);
        std::array::from_fn(|tenth| {
            if self.equal == 0.0 {
                return f64::from(u8::from(tenth == only));
            }
            self.share_between(tenth as f64 / 10.0, (tenth as f64 + 1.0) / 10.0)
        })
    }

    /// Which share of `below` to `below + equal` lies between two numbers.
    fn share_between(&self, low: f64, high: f64) -> f64 {
        let within = (self.below + self.equal).min(high) - self.below.max(low);
        within.max(0.0) / self.equal
    }

    /// The mean of the randomised probability integral transform.
    pub fn pit(&self) -> f64 {
        self.below + 0.5 * self.equal
    }

    /// Whether what came is above the 95 % quantile.
    pub fn is_above(&self) -> bool {
        self.observed > self.p95 + tolerance(self.observed)
    }

    /// Whether what came is below the 5 % quantile.
    pub fn is_below(&self) -> bool {
        self.observed < self.p5 - tolerance(self.observed)
    }
}

/// What a histogram or a rounding may lose.
fn tolerance(observed: f64) -> f64 {
    5e-3 * observed.max(1.0)
}

/// Scores a forecast; `floor` is added to values before their logarithm is taken. `None` if its dates are none.
pub fn score(forecast: &Forecast, observed: f64, floor: f64) -> Option<Score> {
    let x = forecast.values();
    let logs: Vec<f64> = x.iter().map(|x| log(x.max(0.0) + floor)).collect();
    let e = tolerance(observed);
    let share =
        |is: &dyn Fn(f64) -> bool| x.iter().filter(|&&x| is(x)).count() as f64 / x.len() as f64;
    let day = |text: &str| text.parse::<Date>().ok();
    let months = day(&forecast.key.date)?.months_since(day(&forecast.key.origin)?);
    Some(Score {
        forecaster: forecast.forecaster.clone(),
        key: forecast.key.clone(),
        months_ahead: months.round() as i64,
        observed,
        median: sample_quantile(x, 0.5),
        p5: sample_quantile(x, 0.05),
        p95: sample_quantile(x, 0.95),
        crps: crps(x, observed),
        log_crps: crps(&logs, log(observed + floor)),
        below: share(&|x| x < observed - e),
        equal: share(&|x| fabs(x - observed) <= e),
        bias: log((sample_quantile(x, 0.5) + floor) / (observed + floor)),
        width: log((sample_quantile(x, 0.95).max(0.0) + floor)
            / (sample_quantile(x, 0.05).max(0.0) + floor)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uncertain::normal_quantile;

    /// CRPS of the standard normal at y: y (2 Φ(y) - 1) + 2 φ(y) - 1/√π (Gneiting & Raftery 2007).
    #[test]
    fn of_the_normal_it_is_the_closed_form() {
        let n = 20_001;
        let z: Vec<f64> = (0..n)
            .map(|i| normal_quantile((f64::from(i) + 0.5) / f64::from(n)))
            .collect();
        for (y, expected) in [(0.0, 0.233_695), (1.0, 0.602_441)] {
            assert!((crps(&z, y) - expected).abs() < 2e-4, "{}", crps(&z, y));
            assert!((fair_crps(&z, y) - expected).abs() < 2e-4);
        }
    }

    /// Numbers of the project's reference scorer in NumPy, to 1e-9.
    #[test]
    fn it_is_that_of_the_reference() {
        let x = [0.0, 2.5, 4.0, 9.0, 30.0];
        assert!((crps(&x, 7.0) - 2.58).abs() < 1e-9);
        assert!((sample_quantile(&x, 0.95) - 25.8).abs() < 1e-9);
        let q = from_quantiles(&[(0.1, 1.0), (0.5, 3.0), (0.9, 11.0)]);
        assert_eq!((q.len(), q[0], q[99], q[198]), (199, 1.0, 3.0, 11.0));
    }

    #[test]
    fn a_point_mass_is_covered_by_its_share() {
        let key = ForecastKey {
            subject: "a".into(),
            origin: "2024-12-31".into(),
            date: "2025-06-30".into(),
            quantity: "mw".into(),
        };
        // 80 % nothing, 20 % something; nothing came
        let values = (0..100).map(|i| if i < 80 { 0.0 } else { 50.0 }).collect();
        let forecast = Forecast::new("f", key, values).unwrap();
        let score = score(&forecast, 0.0, 10.0).unwrap();
        assert_eq!(
            (score.below, score.equal, score.months_ahead),
            (0.0, 0.8, 6)
        );
        assert!((score.covered(0.5) - 0.5 / 0.8).abs() < 1e-12);
        assert!((score.covered(0.8) - 0.7 / 0.8).abs() < 1e-12);
        let tenths = score.pit_tenths();
        assert!((tenths[7] - 1.0 / 8.0).abs() < 1e-12 && tenths[8..] == [0.0, 0.0]);
        assert!((tenths.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(!score.is_above() && !score.is_below());
    }
}
