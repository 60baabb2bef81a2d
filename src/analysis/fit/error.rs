/// Why a distribution cannot be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A value is not a positive number.
    #[error("record {position}: a value of {value} cannot be fitted: it must be above 0")]
    Value {
        /// The record, from 1.
        position: usize,
        /// What it is.
        value: f64,
    },
    /// Observation begins at or after the value.
    #[error("record {position}: seen from {entered} on, though it ended at {value}")]
    Entered {
        /// The record, from 1.
        position: usize,
        /// From when on it was seen.
        entered: f64,
        /// When it ended or was last seen.
        value: f64,
    },
    /// A time of the trend is not a number.
    #[error("record {position}: the time of the trend is {value}")]
    Time {
        /// The record, from 1.
        position: usize,
        /// What it is.
        value: f64,
    },
    /// Too little has ended to estimate this many parameters.
    #[error("{ended} of {records} records have ended, too few for {parameters} parameters: {} are needed", parameters + 1)]
    TooFew {
        /// How many have ended.
        ended: usize,
        /// How many there are.
        records: usize,
        /// How many parameters are asked for.
        parameters: usize,
    },
    /// A parameter of a prior or a spread is out of its range.
    #[error("{parameter} is {value}; it must be {allowed}")]
    Parameter {
        /// The parameter.
        parameter: &'static str,
        /// What it is.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// The likelihood has no maximum that can be found.
    #[error("the likelihood of the {0} has no maximum that could be found")]
    NoMaximum(&'static str),
}
