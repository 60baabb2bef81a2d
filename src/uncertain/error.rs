//! What can be wrong with a quantity, each with what would be right.

/// The greatest value that a distribution given by its percentiles may reach (assumption).
pub(super) const LARGEST_QUANTILE: f64 = 1e100;

/// A number as a planner would write it: with an exponent where it has very many digits.
pub(super) fn shown(value: f64) -> String {
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
    pub(super) fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::NotFinite { parameter, .. } | Self::OutOfRange { parameter, .. } => {
                Some(parameter)
            }
            Self::Order { lower, .. } => Some(lower),
            _ => None,
        }
    }

    pub(super) fn help(&self) -> String {
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
