//! Uncertain quantities: what a planner says of a number that is not known, and how it is drawn.
//!
//! An [`Uncertain`] is plain data. [`Uncertain::check`] lists what is wrong with it for a quantity
//! of a given [`Domain`], and [`Uncertain::sampler`] compiles it to a [`Sampler`], which turns a
//! uniform number into a value by inversion of the distribution function. Inversion keeps order:
//! the same uniform number gives a longer duration wherever the distribution is longer, so that
//! scenarios can be compared on common random numbers.

pub mod correlation;
pub(crate) mod exchangeable;
pub mod factors;
mod form;
mod knots;
mod percentiles;
mod shared;
mod special;
mod table;

use std::sync::Arc;

pub use special::{normal_cdf, normal_quantile};

use crate::problem::{Path, Problems};
use knots::Knots;
use percentiles::Johnson;
use special::{Beta, normal_density, normal_tail_quantile};
use table::Table;

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

/// What values a quantity can have at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Domain {
    /// The least value; negative infinity if there is none.
    pub min: f64,
    /// The greatest value; infinity if there is none.
    pub max: f64,
}

impl Domain {
    /// Any finite number.
    pub const ANY: Self = Self {
        min: f64::NEG_INFINITY,
        max: f64::INFINITY,
    };
    /// 0 or more.
    pub const NON_NEGATIVE: Self = Self {
        min: 0.0,
        max: f64::INFINITY,
    };
    /// More than 0.
    pub const POSITIVE: Self = Self {
        min: f64::MIN_POSITIVE,
        max: f64::INFINITY,
    };
    /// How many there are, 1 or more; what is drawn is rounded.
    pub const COUNT: Self = Self {
        min: 1.0,
        max: f64::INFINITY,
    };
    /// A share or a probability: 0 to 1.
    pub const SHARE: Self = Self { min: 0.0, max: 1.0 };

    pub(crate) fn admits(self, value: f64) -> bool {
        (self.min..=self.max).contains(&value) && value.abs() <= LARGEST
    }

    /// What the quantity may be, in words; `value` decides whether the bound of all quantities is worth telling.
    fn describe_for(self, value: f64) -> String {
        if value.abs() > LARGEST && (self.min..=self.max).contains(&value) {
            return format!("{}, at most {LARGEST:e} in size", self.describe());
        }
        self.describe()
    }

    /// What it admits, in words.
    pub(crate) fn describe(self) -> String {
        if self.min == f64::MIN_POSITIVE {
            return match self.max.is_finite() {
                true => format!("above 0, at most {}", self.max),
                false => "a number above 0".to_owned(),
            };
        }
        match (self.min.is_finite(), self.max.is_finite()) {
            (true, true) => format!("{} to {}", self.min, self.max),
            (true, false) => format!("{} or more", self.min),
            (false, true) => format!("{} or less", self.max),
            (false, false) => "any finite number".to_owned(),
        }
    }
}

/// The greatest size of a parameter: far beyond any quantity of a build-out in any unit or currency, and small enough
/// that products of a few such quantities are finite (assumption).
pub const LARGEST: f64 = 1e18;
/// The greatest value that a distribution given by its percentiles may reach (assumption).
const LARGEST_QUANTILE: f64 = 1e100;
/// The normal quantile of the least uniform number, 2^-53, is -8.2.
const FARTHEST_Z: f64 = 8.3;

/// A number as a planner would write it: with an exponent where it has very many digits.
fn shown(value: f64) -> String {
    if value.abs() >= 1e15 || (value != 0.0 && value.abs() < 1e-6) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// Why a quantity cannot be sampled. Each names the parameter that is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UncertainError {
    /// A parameter is NaN or infinite.
    #[error("{parameter} is {value}")]
    NotFinite {
        /// The parameter.
        parameter: &'static str,
        /// What it is.
        value: f64,
    },
    /// A parameter lies outside of what it may be.
    #[error("{parameter} is {}", shown(*.value))]
    OutOfRange {
        /// The parameter.
        parameter: &'static str,
        /// What it is.
        value: f64,
        /// What it may be.
        allowed: String,
    },
    /// Two parameters are in the wrong order.
    #[error("{lower} is {lower_value}, more than {upper}, which is {upper_value}")]
    Order {
        /// The parameter that should be less.
        lower: &'static str,
        /// What it is.
        lower_value: f64,
        /// The parameter that should be more.
        upper: &'static str,
        /// What it is.
        upper_value: f64,
        /// What is right.
        allowed: &'static str,
    },
    /// A discrete distribution has no outcome.
    #[error("there is no outcome")]
    NoOutcome,
    /// The probabilities of a discrete distribution do not sum to 1.
    #[error("the probabilities sum to {0}")]
    ProbabilitySum(f64),
    /// Percentiles are so far apart that the distribution through them has values beyond all bounds.
    #[error("p10 and p90 are too far apart: the distribution through them reaches {}", shown(*.0))]
    TooWide(f64),
    /// Truncation leaves next to nothing of a normal distribution.
    #[error(
        "a normal distribution of mean {mean} and sd {sd} hardly ever lies from {min} to {max}"
    )]
    NothingLeft {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        sd: f64,
        /// The least admitted value.
        min: f64,
        /// The greatest admitted value.
        max: f64,
    },
}

impl UncertainError {
    /// Which parameter is wrong, as a key in the file; none: the whole.
    fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::NotFinite { parameter, .. } | Self::OutOfRange { parameter, .. } => {
                Some(parameter)
            }
            Self::Order { lower, .. } => Some(lower),
            _ => None,
        }
    }

    fn help(&self) -> String {
        match self {
            Self::NotFinite { .. } => "a finite number".to_owned(),
            Self::OutOfRange { allowed, .. } => format!("allowed: {allowed}"),
            Self::Order { allowed, .. } => (*allowed).to_owned(),
            Self::NoOutcome => "one [value, probability] or more".to_owned(),
            Self::ProbabilitySum(_) => "they must sum to 1".to_owned(),
            Self::TooWide(_) => {
                format!("percentiles between which all values are below {LARGEST_QUANTILE:e}")
            }
            Self::NothingLeft { .. } => "a mean within the range, or a wider range".to_owned(),
        }
    }
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

    /// Notes all that is wrong with it for a quantity of this domain, at the places where a file
    /// has the parameters.
    pub fn check(&self, domain: Domain, at: &Path, problems: &mut Problems) {
        let quantity = at.last_key().unwrap_or("the value");
        let inner = match self.kind() {
            Some(kind) => at.key(kind),
            None => at.clone(),
        };
        for (place, error) in self.faults(domain) {
            let at = match (place, error.parameter()) {
                (Place::Item(index), _) => inner.index(index),
                _ if matches!(self, Self::Constant(_)) => at.clone(),
                (Place::Outcome(index, part), _) => inner.index(index).index(part),
                (Place::Parameter, Some(parameter)) => inner.key(parameter),
                (Place::Parameter, None) => inner.clone(),
            };
            let message = match self {
                Self::Constant(value) => format!("{quantity} is {}", shown(*value)),
                _ => format!("{quantity}: {error}"),
            };
            problems.error(&at, message, error.help());
        }
        if let Self::Mixture(parts) = self {
            for (index, part) in parts.iter().enumerate() {
                part.quantity
                    .check(domain, &inner.index(index).index(1), problems);
            }
        }
    }

    /// Notes a known number of things that is not whole.
    pub(crate) fn check_whole(&self, at: &Path, problems: &mut Problems) {
        if let Self::Constant(count) = self
            && count.is_finite()
            && count.fract() != 0.0
        {
            let key = at.last_key().unwrap_or("the value");
            problems.error(
                at,
                format!("{key} is {count}"),
                "a whole number, or a distribution, of which what is drawn is rounded",
            );
        }
    }

    /// The key under which a file has its parameters.
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Constant(_) | Self::Percentiles { .. } => None,
            Self::Uniform { .. } => Some("uniform"),
            Self::Triangular { .. } => Some("triangular"),
            Self::Pert { .. } => Some("pert"),
            Self::Normal { .. } => Some("normal"),
            Self::Lognormal { .. } => Some("lognormal"),
            Self::Pareto { .. } => Some("pareto"),
            Self::Discrete(_) => Some("discrete"),
            Self::Empirical(_) => Some("empirical"),
            Self::Quantiles(_) => Some("quantiles"),
            Self::Mixture(_) => Some("mixture"),
        }
    }

    fn faults(&self, domain: Domain) -> Vec<(Place, UncertainError)> {
        let mut faults = Faults {
            domain,
            list: Vec::new(),
        };
        match self {
            Self::Constant(value) => {
                faults.value("the value", *value);
            }
            Self::Uniform { min, max } => {
                faults.values(&[("min", *min), ("max", *max)]);
            }
            Self::Triangular { min, mode, max } => {
                faults.values(&[("min", *min), ("mode", *mode), ("max", *max)]);
            }
            Self::Pert {
                min,
                mode,
                max,
                shape,
            } => {
                faults.values(&[("min", *min), ("mode", *mode), ("max", *max)]);
                faults.range("shape", *shape, 0.0, 1_000.0);
            }
            Self::Normal { mean, sd, min, max } => {
                let finite = faults.range("mean", *mean, -LARGEST, LARGEST)
                    & faults.range("sd", *sd, 0.0, LARGEST);
                let bounds = [("min", *min), ("max", *max)];
                let given: Vec<_> = bounds
                    .iter()
                    .filter_map(|(name, value)| Some((*name, (*value)?)))
                    .collect();
                faults.values(&given);
                if finite && faults.list.is_empty() {
                    faults.leaves_something(*mean, *sd, *min, *max);
                }
            }
            Self::Lognormal { median, sigma } => {
                if faults.value("median", *median) && *median <= 0.0 {
                    faults.range("median", *median, f64::MIN_POSITIVE, f64::INFINITY);
                }
                faults.range("sigma", *sigma, 0.0, 20.0);
                if *sigma > 0.0 && domain.max.is_finite() {
                    faults.add(UncertainError::OutOfRange {
                        parameter: "sigma",
                        value: *sigma,
                        allowed: format!(
                            "0: a lognormal has no greatest value, but this is {}",
                            domain.describe()
                        ),
                    });
                }
            }
            Self::Pareto { min, shape, max } => {
                let mut given = vec![("min", *min)];
                given.extend(max.map(|max| ("max", max)));
                faults.values(&given);
                faults.range("min", *min, f64::MIN_POSITIVE, f64::INFINITY);
                faults.range("shape", *shape, 0.1, 1_000.0);
                if max.is_none() && domain.max.is_finite() {
                    faults.add(UncertainError::OutOfRange {
                        parameter: "shape",
                        value: *shape,
                        allowed: format!(
                            "with a `max`: a Pareto has no greatest value, but this is {}",
                            domain.describe()
                        ),
                    });
                }
            }
            Self::Discrete(outcomes) => faults.outcomes(outcomes),
            Self::Percentiles { p10, p50, p90 } => {
                let mut given = vec![("p10", *p10)];
                given.extend(p50.map(|p50| ("p50", p50)));
                given.push(("p90", *p90));
                faults.values(&given);
                if p10 != p90 && faults.list.is_empty() {
                    faults.strictly_within(&given);
                }
                if p10 != p90 && faults.list.is_empty() {
                    faults.bounded(&Johnson::through(*p10, *p50, *p90, domain.min, domain.max));
                }
            }
            Self::Empirical(values) => faults.observed(values),
            Self::Quantiles(quantiles) => faults.quantiles(quantiles),
            Self::Mixture(parts) => faults.weights(parts),
        }
        faults.list
    }

    /// The first thing that is wrong with a part of a mixture.
    fn fault_of_parts(&self, domain: Domain) -> Option<UncertainError> {
        let Self::Mixture(parts) = self else {
            return None;
        };
        parts.iter().find_map(|part| {
            let own = part.quantity.faults(domain).into_iter().next();
            own.map(|(_, error)| error)
                .or_else(|| part.quantity.fault_of_parts(domain))
        })
    }

    /// Compiles it for a quantity of this domain; the error is the first thing that is wrong.
    pub fn sampler(&self, domain: Domain) -> Result<Sampler, UncertainError> {
        let own = self.faults(domain).into_iter().next();
        if let Some(error) = own
            .map(|(_, error)| error)
            .or_else(|| self.fault_of_parts(domain))
        {
            return Err(error);
        }
        if let Some(value) = self.constant() {
            return Ok(Sampler::fixed(value));
        }
        Ok(match shared::Key::of(self, domain) {
            Some(key) => key.shared(|| self.compile(domain)),
            None => self.compile(domain),
        })
    }

    /// Compiles what has been checked and does vary.
    fn compile(&self, domain: Domain) -> Sampler {
        let (rule, mean) = match self {
            Self::Constant(value) => (Rule::Fixed(*value), *value),
            Self::Uniform { min, max } => (
                Rule::Uniform {
                    min: *min,
                    width: max - min,
                },
                0.5 * (min + max),
            ),
            Self::Triangular { min, mode, max } => {
                let (min, mode, max) = (*min, *mode, *max);
                let rule = Rule::Triangular {
                    min,
                    max,
                    split: (mode - min) / (max - min),
                    rise: (max - min) * (mode - min),
                    fall: (max - min) * (max - mode),
                };
                (rule, (min + mode + max) / 3.0)
            }
            Self::Pert {
                min,
                mode,
                max,
                shape,
            } => {
                let width = max - min;
                let beta = Beta::new(
                    1.0 + shape * (mode - min) / width,
                    1.0 + shape * (max - mode) / width,
                );
                let mut lower = beta.tail_quantiles();
                let mut upper = beta.mirrored().tail_quantiles();
                let table = Table::new(
                    BETA_OCTAVES,
                    |w| min + width * lower(w),
                    |w| max - width * upper(w),
                )
                .with_ends(*min, *max);
                (
                    Rule::table(table),
                    (min + shape * mode + max) / (shape + 2.0),
                )
            }
            Self::Normal { mean, sd, min, max } => truncated_normal(
                *mean,
                *sd,
                domain.min.max(min.unwrap_or(f64::NEG_INFINITY)),
                domain.max.min(max.unwrap_or(f64::INFINITY)),
            ),
            Self::Lognormal { median, sigma } => {
                let at = |z: f64| median * libm::exp(sigma * z);
                (normal_table(at), median * libm::exp(0.5 * sigma * sigma))
            }
            Self::Pareto { min, shape, max } => pareto(*min, *shape, *max),
            Self::Discrete(outcomes) => discrete(outcomes),
            Self::Percentiles { p10, p50, p90 } => {
                let fitted = Johnson::through(*p10, *p50, *p90, domain.min, domain.max);
                let rule = normal_table(|z| fitted.at(z));
                let mean = match &rule {
                    Rule::Table(table) => table.mean(),
                    _ => f64::NAN,
                };
                (rule, mean)
            }
            Self::Empirical(values) => joined(Knots::of_observed(values)),
            Self::Quantiles(quantiles) => joined(Knots::through(&knots::pairs(quantiles))),
            Self::Mixture(parts) => mixture(parts, domain),
        };
        Sampler { rule, mean }
    }
}

/// The value that all of them are.
fn the_same(mut values: impl Iterator<Item = f64>) -> Option<f64> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

fn joined(knots: Knots) -> (Rule, f64) {
    let mean = knots.mean();
    (Rule::Knots(Arc::new(knots)), mean)
}

/// The mixture of what has been checked; its mean is that of the means of the parts.
fn mixture(parts: &[Part], domain: Domain) -> (Rule, f64) {
    let possible = parts.iter().filter(|part| part.probability > 0.0);
    let compiled: Vec<(f64, Sampler)> = possible
        .filter_map(|part| Some((part.probability, part.quantity.sampler(domain).ok()?)))
        .collect();
    let total: f64 = compiled.iter().map(|(weight, _)| weight).sum();
    let weighted: Vec<(f64, Sampler)> = (compiled.into_iter())
        .map(|(weight, part)| (weight / total, part))
        .collect();
    let mean = weighted.iter().map(|(weight, part)| weight * part.mean);
    (
        Rule::Knots(Arc::new(Knots::mixture(&weighted))),
        mean.sum::<f64>(),
    )
}

/// Down to a tail probability of 2^-24 the beta quantiles are tabulated; below, they approach the
/// end by the power that they follow there.
const BETA_OCTAVES: u32 = 24;
/// Uniform numbers are multiples of 2^-53, so this is all of the tail.
const NORMAL_OCTAVES: u32 = 53;

/// Tabulates a rising function of a standard normal variable.
fn normal_table(at: impl Fn(f64) -> f64) -> Rule {
    Rule::table(Table::new(
        NORMAL_OCTAVES,
        |w| at(normal_tail_quantile(w)),
        |w| at(-normal_tail_quantile(w)),
    ))
}

/// The quantile of a normal truncated to `min` and `max` is that of the normal at
/// P(min) + u (P(max) - P(min)); each half is computed from the nearer tail.
/// Mean: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1 (1994), 13.10.
fn truncated_normal(mean: f64, sd: f64, min: f64, max: f64) -> (Rule, f64) {
    let (low, high) = ((min - mean) / sd, (max - mean) / sd);
    // Mirrored, so that most of what is left lies below 0, where small probabilities are accurate.
    let mirrored = low > 0.0;
    let (from, to) = if mirrored { (-high, -low) } else { (low, high) };
    let (below, above) = (normal_cdf(from), normal_cdf(-to));
    let left = normal_cdf(to) - below;
    let from_bottom = |w: f64| {
        let p = below + w * left;
        if p < 0.5 {
            normal_tail_quantile(p)
        } else {
            -normal_tail_quantile(1.0 - p)
        }
    };
    let from_top = |w: f64| {
        let p = above + w * left;
        if p < 0.5 {
            -normal_tail_quantile(p)
        } else {
            normal_tail_quantile(1.0 - p)
        }
    };
    let value = |z: f64| (mean + sd * z).clamp(min, max);
    let table = if mirrored {
        Table::new(
            NORMAL_OCTAVES,
            |w| value(-from_top(w)),
            |w| value(-from_bottom(w)),
        )
    } else {
        Table::new(
            NORMAL_OCTAVES,
            |w| value(from_bottom(w)),
            |w| value(from_top(w)),
        )
    };
    let density = |z: f64| {
        if z.is_finite() {
            normal_density(z)
        } else {
            0.0
        }
    };
    let centre = mean + sd * (density(low) - density(high)) / left;
    (Rule::table(table), centre.clamp(min, max))
}

/// The quantile of a Pareto distribution truncated to `max` is min (1 - u t)^(-1/shape) with the
/// share t = 1 - (min/max)^shape of the whole that is left. Mean: min shape/(shape - 1) without
/// `max`, and with it the integral of x over the density, divided by t.
fn pareto(min: f64, shape: f64, max: Option<f64>) -> (Rule, f64) {
    let left = max.map_or(1.0, |max| -libm::expm1(shape * libm::log(min / max)));
    let above = |p: f64| min * libm::exp(-libm::log(p) / shape);
    let cut = |value: f64| value.clamp(min, max.unwrap_or(f64::MAX));
    let table = Table::new(
        NORMAL_OCTAVES,
        |w| cut(min * libm::exp(-libm::log1p(-w * left) / shape)),
        |w| cut(above((1.0 - left) + w * left)),
    );
    let mean = match max {
        None if shape <= 1.0 => f64::INFINITY,
        None => min * shape / (shape - 1.0),
        Some(max) if shape == 1.0 => min * libm::log(max / min) / left,
        Some(max) => {
            let part = -libm::expm1((shape - 1.0) * libm::log(min / max));
            min * shape / (shape - 1.0) * part / left
        }
    };
    (Rule::table(table), mean)
}

fn discrete(outcomes: &[Outcome]) -> (Rule, f64) {
    let mut sorted: Vec<Outcome> = outcomes
        .iter()
        .copied()
        .filter(|outcome| outcome.probability > 0.0)
        .collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let total: f64 = sorted.iter().map(|outcome| outcome.probability).sum();
    let mean = sorted.iter().map(|o| o.value * o.probability).sum::<f64>() / total;
    let mut cumulated = 0.0;
    let steps = sorted
        .iter()
        .map(|outcome| {
            cumulated += outcome.probability / total;
            (cumulated, outcome.value)
        })
        .collect();
    (Rule::Discrete(steps), mean)
}

/// Up to so many outcomes it pays to go through a list once for each of them.
const FEW_OUTCOMES: usize = 8;

/// [`Sampler::replace`] outcome by outcome, so that processors can do several of the list at once.
#[inline(always)]
fn replace_few(steps: &[(f64, f64)], list: &mut [f64]) {
    let mut luck = [0.0; 64];
    for part in list.chunks_mut(luck.len()) {
        let luck = &mut luck[..part.len()];
        luck.copy_from_slice(part);
        part.fill(steps[0].1);
        for pair in steps.windows(2) {
            let ((end, _), (_, next)) = (pair[0], pair[1]);
            for (value, &u) in part.iter_mut().zip(&*luck) {
                *value = if u >= end { next } else { *value };
            }
        }
    }
}

enum Place {
    Parameter,
    Item(usize),
    Outcome(usize, usize),
}

struct Faults {
    domain: Domain,
    list: Vec<(Place, UncertainError)>,
}

impl Faults {
    fn add(&mut self, error: UncertainError) {
        self.list.push((Place::Parameter, error));
    }

    /// A parameter that is a value of the quantity itself.
    fn value(&mut self, parameter: &'static str, value: f64) -> bool {
        let error = if !value.is_finite() {
            UncertainError::NotFinite { parameter, value }
        } else if !self.domain.admits(value) {
            let allowed = self.domain.describe_for(value);
            UncertainError::OutOfRange {
                parameter,
                value,
                allowed,
            }
        } else {
            return true;
        };
        self.add(error);
        false
    }

    /// Values of the quantity that must not fall.
    fn values(&mut self, values: &[(&'static str, f64)]) {
        let mut fine = true;
        for (parameter, value) in values {
            fine &= self.value(parameter, *value);
        }
        if !fine {
            return;
        }
        for pair in values.windows(2) {
            let [(lower, lower_value), (upper, upper_value)] = [pair[0], pair[1]];
            if lower_value > upper_value {
                self.add(UncertainError::Order {
                    lower,
                    lower_value,
                    upper,
                    upper_value,
                    allowed: ORDER,
                });
            }
        }
    }

    fn range(&mut self, parameter: &'static str, value: f64, min: f64, max: f64) -> bool {
        let error = if !value.is_finite() {
            UncertainError::NotFinite { parameter, value }
        } else if value < min || value > max {
            let allowed = if min == f64::MIN_POSITIVE {
                "more than 0".to_owned()
            } else {
                Domain { min, max }.describe()
            };
            UncertainError::OutOfRange {
                parameter,
                value,
                allowed,
            }
        } else {
            return true;
        };
        self.add(error);
        false
    }

    fn leaves_something(&mut self, mean: f64, sd: f64, min: Option<f64>, max: Option<f64>) {
        let min = self.domain.min.max(min.unwrap_or(f64::NEG_INFINITY));
        let max = self.domain.max.min(max.unwrap_or(f64::INFINITY));
        let left = if sd == 0.0 {
            f64::from(u8::from((min..=max).contains(&mean)))
        } else {
            let (low, high) = ((min - mean) / sd, (max - mean) / sd);
            if low > 0.0 {
                normal_cdf(-low) - normal_cdf(-high)
            } else {
                normal_cdf(high) - normal_cdf(low)
            }
        };
        if left < 1e-9 {
            self.add(UncertainError::NothingLeft { mean, sd, min, max });
        }
    }

    fn strictly_within(&mut self, given: &[(&'static str, f64)]) {
        for pair in given.windows(2) {
            let [(lower, lower_value), (upper, upper_value)] = [pair[0], pair[1]];
            if lower_value == upper_value {
                self.add(UncertainError::Order {
                    lower,
                    lower_value,
                    upper,
                    upper_value,
                    allowed: "percentiles must rise, or all be the same",
                });
            }
        }
        for (parameter, value) in given {
            if *value == self.domain.min || *value == self.domain.max {
                self.add(UncertainError::OutOfRange {
                    parameter,
                    value: *value,
                    allowed: "strictly within what the quantity admits, for something lies beyond a percentile".into(),
                });
            }
        }
    }

    fn bounded(&mut self, fitted: &Johnson) {
        let reach = |z: f64| {
            let value = fitted.at(z).abs();
            if value.is_nan() { f64::INFINITY } else { value }
        };
        let farthest = reach(-FARTHEST_Z).max(reach(FARTHEST_Z));
        if farthest > LARGEST_QUANTILE {
            self.add(UncertainError::TooWide(farthest));
        }
    }

    fn outcomes(&mut self, outcomes: &[Outcome]) {
        if outcomes.is_empty() {
            self.add(UncertainError::NoOutcome);
            return;
        }
        let before = self.list.len();
        for (index, outcome) in outcomes.iter().enumerate() {
            let start = self.list.len();
            self.value("the value", outcome.value);
            let values = self.list.len();
            self.range("the probability", outcome.probability, 0.0, 1.0);
            for (position, (place, _)) in self.list.iter_mut().enumerate().skip(start) {
                *place = Place::Outcome(index, usize::from(position >= values));
            }
        }
        let total: f64 = outcomes.iter().map(|outcome| outcome.probability).sum();
        if self.list.len() == before && (total - 1.0).abs() > 1e-9 {
            self.add(UncertainError::ProbabilitySum(total));
        }
    }

    fn observed(&mut self, values: &[f64]) {
        if values.is_empty() {
            self.add(UncertainError::NoOutcome);
        }
        for (index, value) in values.iter().enumerate() {
            let start = self.list.len();
            self.value("the value", *value);
            for (place, _) in self.list.iter_mut().skip(start) {
                *place = Place::Item(index);
            }
        }
    }

    /// Probabilities rise from 0 to 1, and values do not fall.
    fn quantiles(&mut self, quantiles: &[Outcome]) {
        let start = self.list.len();
        self.observed(
            &quantiles
                .iter()
                .map(|known| known.value)
                .collect::<Vec<_>>(),
        );
        for (place, _) in self.list.iter_mut().skip(start) {
            if let Place::Item(index) = *place {
                *place = Place::Outcome(index, 1);
            }
        }
        let last = quantiles.len().saturating_sub(1);
        let mut before = Outcome {
            value: f64::NEG_INFINITY,
            probability: 0.0,
        };
        for (index, known) in quantiles.iter().enumerate() {
            let (least, most) = match index {
                0 => (0.0, 0.0),
                _ if index == last => (1.0, 1.0),
                _ => (before.probability, 1.0),
            };
            let found = self.list.len();
            self.range("the probability", known.probability, least, most);
            let values = self.list.len();
            if known.value < before.value {
                self.range("the value", known.value, before.value, f64::INFINITY);
            }
            for (position, (place, _)) in self.list.iter_mut().enumerate().skip(found) {
                *place = Place::Outcome(index, usize::from(position >= values));
            }
            before = *known;
        }
    }

    fn weights(&mut self, parts: &[Part]) {
        if parts.is_empty() {
            self.add(UncertainError::NoOutcome);
            return;
        }
        let start = self.list.len();
        for (index, part) in parts.iter().enumerate() {
            let found = self.list.len();
            self.range("the probability", part.probability, 0.0, 1.0);
            for (place, _) in self.list.iter_mut().skip(found) {
                *place = Place::Outcome(index, 0);
            }
        }
        let total: f64 = parts.iter().map(|part| part.probability).sum();
        if self.list.len() == start && (total - 1.0).abs() > 1e-9 {
            self.add(UncertainError::ProbabilitySum(total));
        }
    }
}

const ORDER: &str = "from the least to the greatest";

/// A compiled distribution: the quantile function.
#[derive(Clone, Debug)]
pub struct Sampler {
    rule: Rule,
    mean: f64,
}

#[derive(Clone, Debug)]
enum Rule {
    Fixed(f64),
    Uniform {
        min: f64,
        width: f64,
    },
    Triangular {
        min: f64,
        max: f64,
        split: f64,
        rise: f64,
        fall: f64,
    },
    Discrete(Arc<[(f64, f64)]>),
    Table(Arc<Table>),
    Knots(Arc<Knots>),
}

impl Rule {
    fn table(table: Table) -> Self {
        Self::Table(Arc::new(table))
    }
}

impl Sampler {
    fn fixed(value: f64) -> Self {
        Self {
            rule: Rule::Fixed(value),
            mean: value,
        }
    }

    /// The value below which a share `u` of all values lies, for u in (0, 1). Never falls as u rises.
    #[inline]
    pub fn at(&self, u: f64) -> f64 {
        if let Rule::Table(table) = &self.rule {
            return table.at(u);
        }
        self.at_plainly(u)
    }

    /// Replaces each u of a list by the value at it, as [`Self::at`].
    #[inline(always)]
    pub fn replace(&self, list: &mut [f64]) {
        match &self.rule {
            Rule::Table(table) => table.replace(list),
            Rule::Discrete(steps) if steps.len() <= FEW_OUTCOMES => replace_few(steps, list),
            _ => list.iter_mut().for_each(|u| *u = self.at_plainly(*u)),
        }
    }

    fn at_plainly(&self, u: f64) -> f64 {
        match &self.rule {
            Rule::Fixed(value) => *value,
            Rule::Uniform { min, width } => min + width * u,
            Rule::Triangular {
                min,
                max,
                split,
                rise,
                fall,
            } => {
                if u < *split {
                    min + (u * rise).sqrt()
                } else {
                    max - ((1.0 - u) * fall).sqrt()
                }
            }
            Rule::Discrete(steps) => {
                // Counted rather than searched, for which branch is taken is a matter of chance.
                let passed = |sum: usize, step: &(f64, f64)| sum + usize::from(u >= step.0);
                let place = steps.iter().fold(0, passed).min(steps.len() - 1);
                steps[place].1
            }
            Rule::Table(table) => table.at(u),
            Rule::Knots(knots) => knots.at(u),
        }
    }

    /// The probability of a value below `x`: the least u from which on [`Self::at`] is `x` or more,
    /// found by halving to within 2^-50.
    pub fn share_below(&self, x: f64) -> f64 {
        let (mut below, mut above) = (0.0, 1.0);
        if self.at(f64::EPSILON) >= x {
            return 0.0;
        }
        for _ in 0..50 {
            let middle = 0.5 * (below + above);
            if self.at(middle) < x {
                below = middle;
            } else {
                above = middle;
            }
        }
        above
    }

    /// The mean of the distribution.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The value, if it cannot vary.
    pub fn constant(&self) -> Option<f64> {
        match self.rule {
            Rule::Fixed(value) => Some(value),
            _ => None,
        }
    }

    /// Of a discrete distribution the outcomes in order: the level at which each ends, and its value.
    pub(crate) fn steps(&self) -> Option<&[(f64, f64)]> {
        match &self.rule {
            Rule::Discrete(steps) => Some(steps),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
