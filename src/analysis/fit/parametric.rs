use libm::{exp, log};

use super::maximum::{covariance, maximise};
use super::{Family, FitError, KaplanMeier, Record, record};

/// A family fitted to records by maximum likelihood, with censoring and delayed entry.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct FamilyFit {
    /// The family.
    pub family: Family,
    /// The scale at the time `reference_years`, in the unit of the values.
    pub scale: f64,
    /// The standard error of ln(scale).
    pub ln_scale_error: f64,
    /// The shape; 1 for the exponential.
    pub shape: f64,
    /// The standard error of ln(shape); 0 for the exponential.
    pub ln_shape_error: f64,
    /// By how much ln(scale) grows a year; 0 if no trend was asked for.
    pub trend_per_year: f64,
    /// Its standard error.
    pub trend_error: f64,
    /// The time at which the scale holds: the mean of the records' times if there is a trend, else 0.
    pub reference_years: f64,
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Akaike's information criterion: 2 x parameters - 2 ln likelihood; the least is best.
    pub aic: f64,
    /// The Anderson-Darling statistic n ∫ (F_n - F)² / (F (1 - F)) dF up to the greatest value that
    /// ended, with the Kaplan-Meier estimate for F_n: without censoring the usual A². It compares
    /// families on the same records; tables of critical values do not hold where parameters were
    /// estimated or values censored. NaN if there is a trend.
    pub anderson_darling: f64,
}

impl FamilyFit {
    /// The value that is exceeded with probability 1 - `probability`, within (0, 1), begun at `years`.
    pub fn quantile(&self, probability: f64, years: f64) -> f64 {
        let scale = self.scale * exp(self.trend_per_year * (years - self.reference_years));
        self.family.quantile(probability, scale, self.shape)
    }

    /// The probability of more than `value`, begun at `years`.
    pub fn survival(&self, value: f64, years: f64) -> f64 {
        let scale = self.scale * exp(self.trend_per_year * (years - self.reference_years));
        self.family.survival(value, scale, self.shape)
    }
}

/// Every family that can be fitted, the least AIC first.
pub fn fit_families(records: &[Record], trend: bool) -> Result<Vec<FamilyFit>, FitError> {
    let mut fits = Vec::new();
    let mut failure = None;
    for family in Family::ALL {
        match fit_family(records, family, trend) {
            Ok(fit) => fits.push(fit),
            Err(error) => failure = Some(error),
        }
    }
    fits.sort_by(|a, b| a.aic.total_cmp(&b.aic));
    match failure {
        Some(error) if fits.is_empty() => Err(error),
        _ => Ok(fits),
    }
}

/// One family, by maximum likelihood: the product of the densities of what ended and the survivals
/// of what goes on, each given that it had not ended before it was seen. Standard errors come from
/// the curvature of the likelihood at its maximum.
///
/// ```
/// use buildout::analysis::fit::{Family, Record, fit_family};
///
/// // of an exponential, the estimate is the total time over what ended
/// let records = [Record::ended(4.0), Record::ended(8.0), Record::going_on(12.0)];
/// let fit = fit_family(&records, Family::Exponential, false)?;
/// assert!((fit.scale - 24.0 / 2.0).abs() < 1e-4);
/// # Ok::<(), buildout::analysis::fit::FitError>(())
/// ```
pub fn fit_family(records: &[Record], family: Family, trend: bool) -> Result<FamilyFit, FitError> {
    record::check(records)?;
    let parameters = 1 + usize::from(family.has_shape()) + usize::from(trend);
    let ended = records.iter().filter(|record| record.ended).count();
    if ended < parameters + 1 {
        return Err(FitError::TooFew {
            ended,
            records: records.len(),
            parameters,
        });
    }
    let reference_years = if trend {
        records.iter().map(|record| record.years).sum::<f64>() / records.len() as f64
    } else {
        0.0
    };
    let unpack = |at: &[f64]| {
        let shape = if family.has_shape() { exp(at[1]) } else { 1.0 };
        let slope = if trend { at[parameters - 1] } else { 0.0 };
        (at[0], shape, slope)
    };
    let ln_likelihood = |at: &[f64]| {
        let (ln_scale, shape, slope) = unpack(at);
        let of = |r: &Record| {
            let scale = exp(ln_scale + slope * (r.years - reference_years));
            ln_contribution(r, family, scale, shape)
        };
        records.iter().map(of).sum::<f64>()
    };
    let mean = records.iter().map(|record| log(record.value)).sum::<f64>() / records.len() as f64;
    let mut start = vec![0.0; parameters];
    start[0] = mean;
    let at = maximise(ln_likelihood, &start, 0.5).ok_or(FitError::NoMaximum(family.name()))?;
    let errors = covariance(ln_likelihood, &at).ok_or(FitError::NoMaximum(family.name()))?;
    let error = |axis: usize| errors[axis][axis].sqrt();
    let (ln_scale, shape, slope) = unpack(&at);
    let log_likelihood = ln_likelihood(&at);
    let scale = exp(ln_scale);
    Ok(FamilyFit {
        family,
        scale,
        ln_scale_error: error(0),
        shape,
        ln_shape_error: if family.has_shape() { error(1) } else { 0.0 },
        trend_per_year: slope,
        trend_error: if trend { error(parameters - 1) } else { 0.0 },
        reference_years,
        log_likelihood,
        aic: 2.0 * parameters as f64 - 2.0 * log_likelihood,
        anderson_darling: if trend {
            f64::NAN
        } else {
            anderson_darling(records, |t| 1.0 - family.survival(t, scale, shape))?
        },
    })
}

fn ln_contribution(record: &Record, family: Family, scale: f64, shape: f64) -> f64 {
    let seen = if record.ended {
        family.ln_density(record.value, scale, shape)
    } else {
        log(family.survival(record.value, scale, shape))
    };
    seen - log(family.survival(record.entered, scale, shape))
}

/// n ∫ (F_n - F)² / (F (1 - F)) dF from 0 to F at the greatest value that ended, or to 1 if that is
/// the greatest of all. Between two steps F_n is a constant c, and the integral of
/// (c - u)² / (u (1 - u)) is c² ln u - (1 - c)² ln(1 - u) - u.
fn anderson_darling(records: &[Record], cdf: impl Fn(f64) -> f64) -> Result<f64, FitError> {
    let estimate = KaplanMeier::new(records)?;
    let (mut from, mut c, mut sum) = (0.0, 0.0_f64, 0.0);
    let mut add = |c: f64, from: f64, to: f64| {
        let below = if c > 0.0 {
            c * c * (log(to) - log(from))
        } else {
            0.0
        };
        let above = if c < 1.0 {
            (1.0 - c) * (1.0 - c) * (log(1.0 - from) - log(1.0 - to))
        } else {
            0.0
        };
        sum += below + above - (to - from);
    };
    for step in estimate.steps() {
        let to = cdf(step.value).clamp(1e-12, 1.0 - 1e-12);
        if to > from {
            add(c, from, to);
            from = to;
        }
        c = 1.0 - step.survival;
    }
    if c >= 1.0 {
        add(1.0, from, 1.0);
    }
    Ok(records.len() as f64 * sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remission times of 6-MP patients (Freireich et al. 1963): the Weibull fit of Kalbfleisch &
    /// Prentice has shape 1.354 and scale 33.77; the exponential's rate is 9 / 359.
    #[test]
    fn the_leukaemia_example_is_met() {
        let ended = [6., 6., 6., 7., 10., 13., 16., 22., 23.].map(Record::ended);
        let going =
            [6., 9., 10., 11., 17., 19., 20., 25., 32., 32., 34., 35.].map(Record::going_on);
        let records: Vec<Record> = ended.into_iter().chain(going).collect();
        let weibull = fit_family(&records, Family::Weibull, false).unwrap();
        assert!((weibull.shape - 1.354).abs() < 0.002, "{}", weibull.shape);
        assert!((weibull.scale - 33.77).abs() < 0.02, "{}", weibull.scale);
        let exponential = fit_family(&records, Family::Exponential, false).unwrap();
        assert!((exponential.scale - 359.0 / 9.0).abs() < 1e-3);
        assert!((exponential.ln_scale_error - 1.0 / 3.0).abs() < 1e-4);
    }

    #[test]
    fn lognormal_without_censoring_is_the_mean_and_sd_of_the_logarithms() {
        let values = [3.0, 5.0, 8.0, 9.0, 20.0, 31.0];
        let fit = fit_family(&values.map(Record::ended), Family::Lognormal, false).unwrap();
        let mean = values.iter().map(|v: &f64| v.ln()).sum::<f64>() / 6.0;
        let sd = (values.iter().map(|v| (v.ln() - mean).powi(2)).sum::<f64>() / 6.0).sqrt();
        assert!((fit.scale.ln() - mean).abs() < 1e-5);
        assert!((fit.shape - sd).abs() < 1e-5);
        assert!((fit.ln_scale_error - sd / 6.0_f64.sqrt()).abs() < 1e-4);
        assert!((fit.aic - (4.0 - 2.0 * fit.log_likelihood)).abs() < 1e-12);
    }

    /// A² by its usual sum, -n - Σ (2i - 1)/n (ln u_i + ln(1 - u_(n+1-i))) (Anderson & Darling 1954).
    #[test]
    fn anderson_darling_without_censoring_is_the_usual_sum() {
        let u: [f64; 5] = [0.1, 0.25, 0.4, 0.8, 0.9];
        let records = u.map(Record::ended);
        let n = u.len() as f64;
        let sum: f64 = (0..u.len())
            .map(|i| (2.0 * i as f64 + 1.0) / n * (u[i].ln() + (1.0 - u[u.len() - 1 - i]).ln()))
            .sum();
        let a2 = anderson_darling(&records, |t| t).unwrap();
        assert!((a2 - (-n - sum)).abs() < 1e-9, "{a2}");
    }

    #[test]
    fn a_trend_is_recovered() {
        // exact doubling every two years, with a spread that repeats
        let records: Vec<Record> = (0..40)
            .map(|i| {
                let years = f64::from(i) / 10.0;
                let spread = [0.8, 1.0, 1.25, 1.0][i as usize % 4];
                Record::ended(10.0 * 2.0_f64.powf(years / 2.0) * spread).begun(years)
            })
            .collect();
        let fit = fit_family(&records, Family::Lognormal, true).unwrap();
        let expected = std::f64::consts::LN_2 / 2.0;
        assert!((fit.trend_per_year - expected).abs() < 2.0 * fit.trend_error + 1e-3);
        assert!(fit.anderson_darling.is_nan());
    }

    #[test]
    fn too_few_and_impossible_values_are_refused() {
        let few = [Record::ended(1.0), Record::going_on(2.0)];
        assert!(matches!(
            fit_family(&few, Family::Weibull, false),
            Err(FitError::TooFew { ended: 1, .. })
        ));
        assert!(matches!(
            fit_family(&[Record::ended(0.0)], Family::Weibull, false),
            Err(FitError::Value { position: 1, .. })
        ));
    }
}
