use super::{FitError, Record, record};

/// The product-limit estimate of the survival function, without any assumed shape (Kaplan & Meier,
/// Journal of the American Statistical Association 53, 1958), with delayed entry.
///
/// ```
/// use buildout::analysis::fit::{KaplanMeier, Record};
///
/// // 6, 7+, 10, 15, 19+, 25: two of six go on
/// let records = [
///     Record::ended(6.0),
///     Record::going_on(7.0),
///     Record::ended(10.0),
///     Record::ended(15.0),
///     Record::going_on(19.0),
///     Record::ended(25.0),
/// ];
/// let estimate = KaplanMeier::new(&records)?;
/// assert!((estimate.survival(12.0) - 5.0 / 6.0 * 3.0 / 4.0).abs() < 1e-12);
/// assert_eq!(estimate.quantile(0.5), Some(15.0));
/// # Ok::<(), buildout::analysis::fit::FitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KaplanMeier {
    steps: Vec<Step>,
}

/// A value at which something ended.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// The value.
    pub value: f64,
    /// How many had neither ended nor been lost before it.
    pub at_risk: usize,
    /// How many ended at it.
    pub ended: usize,
    /// The probability of more than the value.
    pub survival: f64,
    /// Its standard error by Greenwood's formula; NaN where nothing is left.
    pub std_error: f64,
}

impl KaplanMeier {
    /// The estimate from records; those that end at the value at which another is censored come first.
    pub fn new(records: &[Record]) -> Result<Self, FitError> {
        record::check(records)?;
        let mut values: Vec<f64> = (records.iter())
            .filter(|record| record.ended)
            .map(|record| record.value)
            .collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let (mut survival, mut greenwood) = (1.0, 0.0);
        let steps = values.into_iter().map(|value| {
            let (mut at_risk, mut ended) = (0, 0);
            for record in records {
                at_risk += usize::from(record.entered < value && record.value >= value);
                ended += usize::from(record.ended && record.value == value);
            }
            let (n, d) = (at_risk as f64, ended as f64);
            survival *= 1.0 - d / n;
            greenwood += d / (n * (n - d));
            Step {
                value,
                at_risk,
                ended,
                survival,
                std_error: survival * f64::sqrt(greenwood),
            }
        });
        Ok(Self {
            steps: steps.collect(),
        })
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The probability of more than `value`.
    pub fn survival(&self, value: f64) -> f64 {
        let past = self.steps.partition_point(|step| step.value <= value);
        past.checked_sub(1)
            .map_or(1.0, |last| self.steps[last].survival)
    }

    /// The least value by which at least a share `probability` have ended; `None` if this many have not.
    pub fn quantile(&self, probability: f64) -> Option<f64> {
        let survival = 1.0 - probability + 1e-12;
        (self.steps.iter())
            .find(|step| step.survival <= survival)
            .map(|step| step.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remission times of 6-MP patients (Freireich et al. 1963, in Kalbfleisch & Prentice, The
    /// Statistical Analysis of Failure Time Data, 2002): S(10) = 0.753, S(23) = 0.448, with
    /// Greenwood's standard errors 0.0963 and 0.1346.
    #[test]
    fn the_leukaemia_example_is_met() {
        let ended = [6., 6., 6., 7., 10., 13., 16., 22., 23.].map(Record::ended);
        let going =
            [6., 9., 10., 11., 17., 19., 20., 25., 32., 32., 34., 35.].map(Record::going_on);
        let records: Vec<Record> = ended.into_iter().chain(going).collect();
        let estimate = KaplanMeier::new(&records).unwrap();
        assert!((estimate.survival(10.0) - 0.7529).abs() < 1e-4);
        assert!((estimate.survival(23.0) - 0.4482).abs() < 1e-4);
        let at = |value: f64| estimate.steps().iter().find(|s| s.value == value).unwrap();
        assert!((at(10.0).std_error - 0.0963).abs() < 1e-4);
        assert!((at(23.0).std_error - 0.1346).abs() < 1e-4);
        assert_eq!(estimate.quantile(0.5), Some(23.0));
        assert_eq!(estimate.quantile(0.6), None);
    }

    /// What is seen late was not at risk before.
    #[test]
    fn late_entry_is_not_at_risk_before() {
        let mut late = Record::ended(9.0);
        late.entered = 5.0;
        let estimate = KaplanMeier::new(&[Record::ended(4.0), Record::ended(7.0), late]).unwrap();
        assert_eq!(estimate.steps()[0].at_risk, 2);
        assert_eq!(estimate.steps()[1].at_risk, 2);
        assert!((estimate.survival(7.0) - 0.25).abs() < 1e-12);
    }
}
