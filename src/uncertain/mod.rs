//! Uncertain quantities: what a planner says of a number that is not known, and how it is drawn.
//!
//! An [`Uncertain`] is plain data. [`Uncertain::sampler`] compiles it for a quantity of a given
//! [`Domain`], or says what is wrong with it, to a [`Sampler`], which turns a uniform number into a
//! value by inversion of the distribution function. Inversion keeps order: the same uniform number
//! gives a longer duration wherever the distribution is longer, so that scenarios can be compared on
//! common random numbers.

mod check;
mod compile;
pub(crate) mod correlation;
mod domain;
mod error;
pub(crate) mod exchangeable;
pub(crate) mod factors;
mod form;
mod knots;
mod percentiles;
mod sampler;
mod shared;
mod special;
mod table;

pub use domain::{Domain, LARGEST};
pub use error::UncertainError;
pub use sampler::Sampler;
pub use special::{normal_cdf, normal_quantile, sample_quantile};

#[cfg(feature = "files")]
pub(crate) use form::{FORMS, LISTS, describe_forms};
use sampler::Rule;

/// A quantity that may be uncertain. Parameters are in the unit of the quantity.
///
/// | in a file | |
/// |---|---|
/// | `4` | known |
/// | `{ uniform = [2, 6] }` | least, most |
/// | `{ triangular = [1, 1.5, 3] }` | least, mode, most |
/// | `{ pert = [2, 3, 6] }` | least, mode, most |
/// | `{ normal = { mean = 5, sd = 1, min = 0 } }` | truncated where the quantity or `min`, `max` demand it |
/// | `{ lognormal = { median = 14, sigma = 0.25 } }` | sigma: standard deviation of the logarithm |
/// | `{ pareto = { min = 100, shape = 1.5 } }` | heavy tail; `max` cuts it off |
/// | `{ discrete = [[1, 0.2], [2, 0.8]] }` | values and their probabilities |
/// | `{ p10 = 3, p90 = 8 }`, `{ p10 = 3, p50 = 4, p90 = 8 }` | percentiles |
/// | `{ empirical = [3.2, 4.1, 5, 9.5] }` | observed values, joined by straight lines |
/// | `{ quantiles = [[0, 1], [0.5, 7], [1, 60]] }` | probabilities from 0 to 1 and their quantiles, joined by straight lines |
/// | `{ mixture = [[0.7, { pert = [2, 3, 6] }], [0.3, 14]] }` | probabilities, and what is drawn with each of them |
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Uncertain {
    /// A known value.
    Constant(f64),
    /// Every value from `min` to `max` is as likely as any other.
    Uniform {
        /// The least value.
        min: f64,
        /// The greatest value.
        max: f64,
    },
    /// The density rises in a straight line from `min` to `mode` and falls in one to `max`.
    Triangular {
        /// The least value.
        min: f64,
        /// The most likely value.
        mode: f64,
        /// The greatest value.
        max: f64,
    },
    /// The modified PERT: a beta distribution on `min` to `max` with the mean
    /// (min + shape x mode + max) / (shape + 2), that is, with the parameters
    /// 1 + shape (mode - min)/(max - min) and 1 + shape (max - mode)/(max - min).
    ///
    /// Malcolm, Roseboom, Clark & Fazar, "Application of a technique for research and development
    /// program evaluation", Operations Research 7 (1959), with shape 4; other shapes: Vose, Risk
    /// Analysis (2008).
    Pert {
        /// The least value.
        min: f64,
        /// The most likely value.
        mode: f64,
        /// The greatest value.
        max: f64,
        /// How peaked it is, 0 (uniform) to 1,000; 4 is usual.
        shape: f64,
    },
    /// A normal distribution, truncated to `min` and `max` and to what the quantity admits.
    Normal {
        /// The mean before truncation.
        mean: f64,
        /// The standard deviation before truncation, 0 or more.
        sd: f64,
        /// The least value, if there is one.
        min: Option<f64>,
        /// The greatest value, if there is one.
        max: Option<f64>,
    },
    /// The logarithm is normal with mean ln(median) and standard deviation sigma.
    Lognormal {
        /// The median, above 0.
        median: f64,
        /// The standard deviation of the natural logarithm, 0 to 20.
        sigma: f64,
    },
    /// The Pareto distribution: P(X > x) = (min/x)^shape from `min` on, for sizes of which few are
    /// very large (Arnold, Pareto Distributions, 2015). With `max` it is truncated to `min` to
    /// `max`. Without, its mean is infinite for a shape of 1 or less, and its variance for 2 or less.
    Pareto {
        /// The least value, above 0.
        min: f64,
        /// The exponent of the tail, 0.1 to 1,000; the smaller, the heavier is the tail.
        shape: f64,
        /// The greatest value, if there is one.
        max: Option<f64>,
    },
    /// One of several values.
    Discrete(Vec<Outcome>),
    /// The distribution that has these percentiles: a Johnson quantile-parameterised distribution
    /// (Hadlock & Bickel, Decision Analysis 14, 2017, for one and two bounds) that respects the
    /// bounds of the quantity.
    /// Without P50 it is lognormal for a quantity that is 0 or more, and normal for one that has
    /// no bounds.
    Percentiles {
        /// With 10 % probability the value is at most this.
        p10: f64,
        /// With 50 % probability the value is at most this.
        p50: Option<f64>,
        /// With 90 % probability the value is at most this.
        p90: f64,
    },
    /// The distribution of observed values: its quantile function is a straight line from each value to the
    /// next in order of size, at probabilities 1/(n - 1) apart (Law, "Simulation Modeling and Analysis", 2015,
    /// section 6.2.4). Nothing lies beyond the least and the greatest of them.
    Empirical(Vec<f64>),
    /// A quantile function through these values at their probabilities, which rise from 0 to 1, with straight
    /// lines between them. Here [`Outcome::probability`] is that of a value of at most [`Outcome::value`].
    Quantiles(Vec<Outcome>),
    /// One of several distributions, each with a probability.
    Mixture(Vec<Part>),
}

/// A part of a mixture.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The probability that the value is drawn from this part, 0 to 1.
    pub probability: f64,
    /// What is drawn then.
    pub quantity: Uncertain,
}

/// A value and its probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The value.
    pub value: f64,
    /// Its probability, 0 to 1.
    pub probability: f64,
}

impl From<f64> for Uncertain {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

impl From<u32> for Uncertain {
    fn from(count: u32) -> Self {
        Self::Constant(f64::from(count))
    }
}

impl From<i32> for Uncertain {
    fn from(count: i32) -> Self {
        Self::Constant(f64::from(count))
    }
}

impl Uncertain {
    /// 0.
    pub fn zero() -> Self {
        Self::Constant(0.0)
    }

    /// 1.
    pub fn one() -> Self {
        Self::Constant(1.0)
    }

    /// A uniform distribution.
    pub fn uniform(min: f64, max: f64) -> Self {
        Self::Uniform { min, max }
    }

    /// A triangular distribution.
    pub fn triangular(min: f64, mode: f64, max: f64) -> Self {
        Self::Triangular { min, mode, max }
    }

    /// A PERT distribution of the usual shape.
    pub fn pert(min: f64, mode: f64, max: f64) -> Self {
        Self::Pert {
            min,
            mode,
            max,
            shape: 4.0,
        }
    }

    /// A normal distribution, truncated where the quantity demands it.
    pub fn normal(mean: f64, sd: f64) -> Self {
        Self::Normal {
            mean,
            sd,
            min: None,
            max: None,
        }
    }

    /// A lognormal distribution.
    pub fn lognormal(median: f64, sigma: f64) -> Self {
        Self::Lognormal { median, sigma }
    }

    /// A Pareto distribution.
    pub fn pareto(min: f64, shape: f64) -> Self {
        Self::Pareto {
            min,
            shape,
            max: None,
        }
    }

    /// One of several (value, probability).
    pub fn discrete(outcomes: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let outcomes = outcomes.into_iter();
        Self::Discrete(
            outcomes
                .map(|(value, probability)| Outcome { value, probability })
                .collect(),
        )
    }

    /// 1 with that probability and else 0; more probable events happen whenever less probable ones of the same source do.
    pub(crate) fn happens(probability: f64) -> Self {
        Self::discrete([(0.0, 1.0 - probability), (1.0, probability)])
    }

    /// A distribution by its 10th, 50th and 90th percentiles.
    pub fn percentiles(p10: f64, p50: f64, p90: f64) -> Self {
        Self::Percentiles {
            p10,
            p50: Some(p50),
            p90,
        }
    }

    /// The distribution of observed values.
    pub fn empirical(values: impl IntoIterator<Item = f64>) -> Self {
        Self::Empirical(values.into_iter().collect())
    }

    /// A quantile function through (probability, value), from probability 0 to 1.
    pub fn quantiles(quantiles: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let quantiles = quantiles.into_iter();
        Self::Quantiles(
            quantiles
                .map(|(probability, value)| Outcome { value, probability })
                .collect(),
        )
    }

    /// One of several (probability, quantity).
    pub fn mixture(parts: impl IntoIterator<Item = (f64, Self)>) -> Self {
        let parts = parts.into_iter();
        Self::Mixture(
            parts
                .map(|(probability, quantity)| Part {
                    probability,
                    quantity,
                })
                .collect(),
        )
    }

    /// The value, if it cannot vary.
    pub fn constant(&self) -> Option<f64> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Uniform { min, max }
            | Self::Triangular { min, max, .. }
            | Self::Pert { min, max, .. } => (min == max).then_some(*min),
            Self::Normal { mean, sd, .. } => (*sd == 0.0).then_some(*mean),
            Self::Lognormal { median, sigma } => (*sigma == 0.0).then_some(*median),
            Self::Pareto { min, max, .. } => (*max == Some(*min)).then_some(*min),
            Self::Discrete(outcomes) => {
                let mut possible = outcomes.iter().filter(|outcome| outcome.probability > 0.0);
                let first = possible.next()?.value;
                possible
                    .all(|outcome| outcome.value == first)
                    .then_some(first)
            }
            Self::Percentiles { p10, p90, .. } => (p10 == p90).then_some(*p10),
            Self::Empirical(values) => the_same(values.iter().copied()),
            Self::Quantiles(quantiles) => the_same(quantiles.iter().map(|known| known.value)),
            Self::Mixture(parts) => {
                let mut possible = parts.iter().filter(|part| part.probability > 0.0);
                let first = possible.next()?.quantity.constant()?;
                possible
                    .all(|part| part.quantity.constant() == Some(first))
                    .then_some(first)
            }
        }
    }

    /// The least and the greatest value that it takes but for one trial in 10^15; none if something is wrong with it.
    pub(crate) fn range(&self, domain: Domain) -> (f64, f64) {
        match self.sampler(domain) {
            Ok(sampler) => (sampler.at(f64::EPSILON), sampler.at(1.0 - f64::EPSILON)),
            Err(_) => (f64::NAN, f64::NAN),
        }
    }

    /// The median; none if something is wrong with it.
    pub(crate) fn median(&self, domain: Domain) -> Option<f64> {
        Some(self.sampler(domain).ok()?.at(0.5))
    }
}

/// The value that all of them are.
fn the_same(mut values: impl Iterator<Item = f64>) -> Option<f64> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

#[cfg(test)]
mod tests;
