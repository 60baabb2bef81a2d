use super::FitError;

/// One project or part of one: how long it took (or how large it was), or how long it has gone on.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// The value when it ended; if it has not, the value that it has exceeded so far. Above 0.
    pub value: f64,
    /// Whether it has ended; if not, the value is censored.
    pub ended: bool,
    /// The value from which on it was seen (left truncation): it would not be in the table had it
    /// ended before. 0 if it was seen from the start.
    pub entered: f64,
    /// When it began, in years from any fixed date; for a trend.
    pub years: f64,
    /// The group within the class: a campus, a builder. Records of no group are groups of their own.
    pub group: Option<String>,
}

impl Record {
    /// One that ended at `value`.
    pub fn ended(value: f64) -> Self {
        Self {
            value,
            ended: true,
            entered: 0.0,
            years: 0.0,
            group: None,
        }
    }

    /// One that has not ended by `value`.
    pub fn going_on(value: f64) -> Self {
        Self {
            ended: false,
            ..Self::ended(value)
        }
    }

    /// The same, begun `years` after the fixed date.
    pub fn begun(self, years: f64) -> Self {
        Self { years, ..self }
    }

    /// The same, of a group.
    pub fn of(self, group: impl Into<String>) -> Self {
        Self {
            group: Some(group.into()),
            ..self
        }
    }
}

/// Refuses what cannot be fitted.
pub(super) fn check(records: &[Record]) -> Result<(), FitError> {
    for (index, record) in records.iter().enumerate() {
        let position = index + 1;
        let value = record.value;
        if !value.is_finite() || value <= 0.0 {
            return Err(FitError::Value { position, value });
        }
        let entered = record.entered;
        if !(0.0..value).contains(&entered) {
            return Err(FitError::Entered {
                position,
                entered,
                value,
            });
        }
        if !record.years.is_finite() {
            return Err(FitError::Time {
                position,
                value: record.years,
            });
        }
    }
    Ok(())
}
