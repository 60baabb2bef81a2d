use std::collections::BTreeMap;

use libm::{exp, log, sqrt};

use super::maximum::{covariance, maximise};
use super::{Family, FitError, Record, record};

/// What is believed of a number before the records: normal with this mean and standard deviation.
/// An infinite standard deviation says that nothing is.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NormalPrior {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, above 0.
    pub sd: f64,
}

impl NormalPrior {
    /// Nothing is known before the records.
    pub const FLAT: Self = Self {
        mean: 0.0,
        sd: f64::INFINITY,
    };

    fn ln_density(self, value: f64) -> f64 {
        let z = (value - self.mean) / self.sd;
        -0.5 * z * z
    }
}

/// How much the logarithms of the values spread about the class.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Estimated from the records.
    Estimated,
    /// Known before.
    Known {
        /// The standard deviation of the logarithm within the class, groups and all; above 0.
        sigma: f64,
        /// The share of its square that is between groups, 0 or more and below 1.
        between_share: f64,
    },
}

/// What is known of a class before its records.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ClassPrior {
    /// Of the logarithm of the median at `reference_years`.
    pub ln_median: NormalPrior,
    /// Of the growth of that logarithm a year; `None` if there is no trend.
    pub trend_per_year: Option<NormalPrior>,
    /// When the median holds.
    pub reference_years: f64,
    /// The spread.
    pub spread: Spread,
}

impl ClassPrior {
    /// All is estimated, without a trend.
    pub const FLAT: Self = Self {
        ln_median: NormalPrior::FLAT,
        trend_per_year: None,
        reference_years: 0.0,
        spread: Spread::Estimated,
    };

    fn check(&self) -> Result<(), FitError> {
        let trend = self.trend_per_year.unwrap_or(NormalPrior::FLAT);
        for prior in [self.ln_median, trend] {
            if prior.sd.is_nan() || prior.sd <= 0.0 {
                return Err(FitError::Parameter {
                    parameter: "the standard deviation of a prior",
                    value: prior.sd,
                    allowed: "above 0",
                });
            }
        }
        if let Spread::Known {
            sigma,
            between_share,
        } = self.spread
        {
            if !sigma.is_finite() || sigma <= 0.0 {
                return Err(FitError::Parameter {
                    parameter: "sigma",
                    value: sigma,
                    allowed: "above 0",
                });
            }
            if !(0.0..1.0).contains(&between_share) {
                return Err(FitError::Parameter {
                    parameter: "the share between groups",
                    value: between_share,
                    allowed: "0 or more and below 1",
                });
            }
        }
        Ok(())
    }
}

/// A class of groups, fitted to its records.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct GroupedFit {
    /// The logarithm of the class's median at `reference_years`.
    pub ln_median: f64,
    /// Its growth a year.
    pub trend_per_year: f64,
    /// Variances and covariance of the two: of the median, of both, of the trend.
    pub covariance: [f64; 3],
    /// When the median holds.
    pub reference_years: f64,
    /// The standard deviation of the logarithm within the class, groups and all.
    pub sigma: f64,
    /// The share of its square that is between groups.
    pub between_share: f64,
    /// The logarithm of the likelihood at the estimates, without the prior.
    pub log_likelihood: f64,
    /// The groups that have a name, in the order of their names.
    pub groups: Vec<GroupEffect>,
}

/// What the records say of a group, shrunk towards its class.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct GroupEffect {
    /// Its name.
    pub name: String,
    /// How many of its records have ended.
    pub ended: usize,
    /// How many go on.
    pub going_on: usize,
    /// Its normal score within the class, -3 to 3 for most: the mean of what is believed of it after
    /// its records. Without records it would be 0.
    pub score: f64,
    /// The standard deviation of that belief; without records it would be 1.
    pub score_sd: f64,
}

impl GroupedFit {
    /// The logarithm of the class's median of what begins at `years`.
    pub fn ln_median_at(&self, years: f64) -> f64 {
        self.ln_median + self.trend_per_year * (years - self.reference_years)
    }

    /// The variance of that estimate.
    pub fn ln_median_variance_at(&self, years: f64) -> f64 {
        let t = years - self.reference_years;
        let [median, both, trend] = self.covariance;
        median + 2.0 * t * both + t * t * trend
    }

    /// The median of a group at `years`, shrunk towards its class.
    pub fn group_median_at(&self, group: &GroupEffect, years: f64) -> f64 {
        exp(self.ln_median_at(years) + self.sigma * sqrt(self.between_share) * group.score)
    }
}

/// A lognormal class of groups: ln y = m + g t + sigma (sqrt(s) c + sqrt(1 - s) e), with c a standard
/// normal number of the group, e of the record, and s the share between groups. Values that go on
/// are censored, and what is seen late is taken given that it had not ended before.
///
/// m, g and, if wanted, sigma and s are those of the greatest posterior density (likelihood, with flat
/// priors), the c of the groups integrated out; then each group's c is what its records say, given
/// these (empirical Bayes; Efron & Morris, "Data analysis using Stein's estimator", Journal of the
/// American Statistical Association 70, 1975).
///
/// ```
/// use buildout::analysis::fit::{ClassPrior, Record, fit_grouped};
///
/// let records: Vec<Record> = [("fast", [5.0, 6.0, 7.0]), ("slow", [14.0, 12.0, 17.0]), ("usual", [9.0, 8.0, 11.0])]
///     .into_iter()
///     .flat_map(|(group, values)| values.map(|value| Record::ended(value).of(group)))
///     .collect();
/// let class = fit_grouped(&records, &ClassPrior::FLAT)?;
/// assert!(class.between_share > 0.6);
/// let fast = class.group_median_at(&class.groups[0], 0.0);
/// assert!(fast > 5.9 && fast < 9.0); // between its own mean and that of the class
/// # Ok::<(), buildout::analysis::fit::FitError>(())
/// ```
pub fn fit_grouped(records: &[Record], prior: &ClassPrior) -> Result<GroupedFit, FitError> {
    record::check(records)?;
    prior.check()?;
    enough(records, prior)?;
    let groups = grouped(records);
    let members: Vec<&Vec<&Record>> = groups.iter().map(|(_, members)| members).collect();
    let ln_likelihood = |at: &[f64]| {
        let class = Class::unpack(at, prior);
        members.iter().map(|group| class.ln_likelihood(group)).sum()
    };
    let ln_posterior = |at: &[f64]| {
        let trend = prior.trend_per_year.map_or(0.0, |p| p.ln_density(at[1]));
        ln_likelihood(at) + prior.ln_median.ln_density(at[0]) + trend
    };
    let at = maximise(ln_posterior, &start(records, prior), 0.3)
        .ok_or(FitError::NoMaximum("class of groups"))?;
    let errors = covariance(ln_posterior, &at).ok_or(FitError::NoMaximum("class of groups"))?;
    let class = Class::unpack(&at, prior);
    let trends = prior.trend_per_year.is_some();
    let effect = |(name, members): &(Option<String>, Vec<&Record>)| {
        let (score, score_sd) = class.score(members);
        let ended = members.iter().filter(|record| record.ended).count();
        Some(GroupEffect {
            name: name.clone()?,
            ended,
            going_on: members.len() - ended,
            score,
            score_sd,
        })
    };
    Ok(GroupedFit {
        ln_median: class.ln_median,
        trend_per_year: class.trend,
        covariance: if trends {
            [errors[0][0], errors[0][1], errors[1][1]]
        } else {
            [errors[0][0], 0.0, 0.0]
        },
        reference_years: prior.reference_years,
        sigma: class.sigma,
        between_share: class.between_share,
        log_likelihood: ln_likelihood(&at),
        groups: groups.iter().filter_map(effect).collect(),
    })
}

/// Priors stand in for records; without them there must be more than there are parameters.
fn enough(records: &[Record], prior: &ClassPrior) -> Result<(), FitError> {
    let flat = |prior: NormalPrior| usize::from(prior.sd.is_infinite());
    let spread = match prior.spread {
        Spread::Estimated => 2,
        Spread::Known { .. } => 0,
    };
    let parameters = flat(prior.ln_median) + prior.trend_per_year.map_or(0, flat) + spread;
    let ended = records.iter().filter(|record| record.ended).count();
    if parameters > 0 && ended < parameters + 1 {
        return Err(FitError::TooFew {
            ended,
            records: records.len(),
            parameters,
        });
    }
    Ok(())
}

/// The records by group, those of no group each alone.
fn grouped(records: &[Record]) -> Vec<(Option<String>, Vec<&Record>)> {
    let mut named: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    let mut alone = Vec::new();
    for record in records {
        match &record.group {
            Some(name) => named.entry(name).or_default().push(record),
            None => alone.push((None, vec![record])),
        }
    }
    let named = named
        .into_iter()
        .map(|(name, members)| (Some(name.to_owned()), members));
    named.chain(alone).collect()
}

fn start(records: &[Record], prior: &ClassPrior) -> Vec<f64> {
    let n = records.len().max(1) as f64;
    let mean = records.iter().map(|record| log(record.value)).sum::<f64>() / n;
    let informed = prior.ln_median.sd.is_finite();
    let mut at = vec![if informed { prior.ln_median.mean } else { mean }];
    at.extend(prior.trend_per_year.map(|prior| prior.mean));
    if prior.spread == Spread::Estimated {
        at.extend([log(0.5), 0.0]);
    }
    at
}

/// A class with its numbers.
struct Class {
    ln_median: f64,
    trend: f64,
    reference_years: f64,
    sigma: f64,
    between_share: f64,
}

/// Half the range of a group's normal score that is integrated over, and in how many steps. The
/// trapezoidal rule is exact to about 1e-9 for such smooth functions.
const SCORE_RANGE: f64 = 6.0;
const SCORE_STEPS: i32 = 48;

impl Class {
    fn unpack(at: &[f64], prior: &ClassPrior) -> Self {
        let trends = prior.trend_per_year.is_some();
        let (sigma, between_share) = match prior.spread {
            Spread::Known {
                sigma,
                between_share,
            } => (sigma, between_share),
            Spread::Estimated => {
                let rest = &at[1 + usize::from(trends)..];
                (exp(rest[0]), 1.0 / (1.0 + exp(-rest[1])))
            }
        };
        Self {
            ln_median: at[0],
            trend: if trends { at[1] } else { 0.0 },
            reference_years: prior.reference_years,
            sigma,
            between_share,
        }
    }

    /// ln of the density of a group's records, given its score c, and c.
    fn scores<'a>(&'a self, members: &'a [&Record]) -> impl Iterator<Item = (f64, f64)> + 'a {
        let within = self.sigma * sqrt(1.0 - self.between_share);
        let between = self.sigma * sqrt(self.between_share);
        (-SCORE_STEPS..=SCORE_STEPS).map(move |step| {
            let c = SCORE_RANGE * f64::from(step) / f64::from(SCORE_STEPS);
            let of = |record: &&Record| {
                let t = record.years - self.reference_years;
                let median = exp(self.ln_median + self.trend * t + between * c);
                let survival = |value| Family::Lognormal.survival(value, median, within);
                let seen = if record.ended {
                    Family::Lognormal.ln_density(record.value, median, within)
                } else {
                    log(survival(record.value))
                };
                seen - log(survival(record.entered))
            };
            (c, members.iter().map(of).sum::<f64>() - 0.5 * c * c)
        })
    }

    fn ln_likelihood(&self, members: &[&Record]) -> f64 {
        let points: Vec<f64> = self.scores(members).map(|(_, ln)| ln).collect();
        let most = points.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return most;
        }
        let sum: f64 = points.iter().map(|ln| exp(ln - most)).sum();
        let step = SCORE_RANGE / f64::from(SCORE_STEPS);
        most + log(sum * step) - 0.5 * log(2.0 * std::f64::consts::PI)
    }

    /// The mean and standard deviation of a group's score after its records.
    fn score(&self, members: &[&Record]) -> (f64, f64) {
        let points: Vec<(f64, f64)> = self.scores(members).collect();
        let most = points
            .iter()
            .fold(f64::NEG_INFINITY, |m, &(_, ln)| m.max(ln));
        let (mut weight, mut first, mut second) = (0.0, 0.0, 0.0);
        for (c, ln) in points {
            let w = exp(ln - most);
            weight += w;
            first += w * c;
            second += w * c * c;
        }
        let mean = first / weight;
        (mean, sqrt((second / weight - mean * mean).max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(sigma: f64, between_share: f64) -> ClassPrior {
        ClassPrior {
            spread: Spread::Known {
                sigma,
                between_share,
            },
            ..ClassPrior::FLAT
        }
    }

    /// Normal, normal: the posterior of the mean and of a group's score in closed form.
    #[test]
    fn without_censoring_it_is_the_conjugate_answer() {
        let (sigma, share): (f64, f64) = (0.6, 0.5);
        let prior = ClassPrior {
            ln_median: NormalPrior { mean: 2.0, sd: 0.4 },
            ..known(sigma, share)
        };
        let y = [1.5_f64, 2.1, 2.4];
        let records = y.map(|ln| Record::ended(ln.exp()).of("a"));
        let fit = fit_grouped(&records, &prior).unwrap();
        let (b, w) = (sigma * sigma * share, sigma * sigma * (1.0 - share));
        let mean = y.iter().sum::<f64>() / 3.0;
        let precision = 1.0 / (b + w / 3.0);
        let expected = (2.0 / 0.16 + mean * precision) / (1.0 / 0.16 + precision);
        assert!((fit.ln_median - expected).abs() < 1e-5);
        assert!((fit.covariance[0] - 1.0 / (1.0 / 0.16 + precision)).abs() < 1e-4);
        let group = &fit.groups[0];
        let shrunk = b / (b + w / 3.0) * (mean - fit.ln_median) / b.sqrt();
        assert!((group.score - shrunk).abs() < 1e-5);
        assert!((group.score_sd - (1.0 - b / (b + w / 3.0)).sqrt()).abs() < 1e-5);
    }

    /// Without groups and trend, it is the lognormal family with censoring.
    #[test]
    fn records_of_no_group_give_the_lognormal_fit() {
        let records = [
            Record::ended(6.0),
            Record::ended(11.0),
            Record::going_on(9.0),
            Record::ended(16.0),
            Record::going_on(25.0),
        ];
        let family = super::super::fit_family(&records, Family::Lognormal, false).unwrap();
        let prior = known(family.shape, 0.3);
        let fit = fit_grouped(&records, &prior).unwrap();
        assert!((fit.ln_median - family.scale.ln()).abs() < 1e-4);
        assert!((fit.log_likelihood - family.log_likelihood).abs() < 1e-6);
    }

    #[test]
    fn no_records_leave_the_prior() {
        let prior = ClassPrior {
            ln_median: NormalPrior { mean: 3.0, sd: 0.2 },
            trend_per_year: Some(NormalPrior {
                mean: -0.1,
                sd: 0.1,
            }),
            ..known(0.5, 0.4)
        };
        let fit = fit_grouped(&[], &prior).unwrap();
        assert!((fit.ln_median - 3.0).abs() < 1e-6 && (fit.trend_per_year + 0.1).abs() < 1e-6);
        assert!((fit.ln_median_variance_at(2.0) - (0.04 + 4.0 * 0.01)).abs() < 1e-5);
    }

    #[test]
    fn what_goes_on_for_long_makes_a_group_slow() {
        let records = [
            Record::ended(10.0).of("a"),
            Record::going_on(40.0).of("b"),
            Record::ended(9.0).of("c"),
            Record::ended(12.0).of("c"),
        ];
        let fit = fit_grouped(&records, &known(0.6, 0.5)).unwrap();
        assert!(fit.groups[1].score > fit.groups[0].score + 0.3);
        assert_eq!((fit.groups[1].ended, fit.groups[1].going_on), (0, 1));
    }

    #[test]
    fn impossible_priors_are_refused() {
        let error = fit_grouped(&[Record::ended(1.0)], &known(0.0, 0.5)).unwrap_err();
        assert_eq!(error.to_string(), "sigma is 0; it must be above 0");
    }
}
