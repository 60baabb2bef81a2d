//! How long tenants of a segment stay, for a look at whether months are fine enough for them.

use super::{Segment, median};
use crate::problem::{Path, Problems};
use crate::uncertain::{Domain, Uncertain};

impl Segment {
    /// Months are the grain of stays: of short ones half a month is much.
    pub(super) fn check_stay(&self, at: &Path, problems: &mut Problems) {
        const HALF_A_MONTH: f64 = 0.5;
        const MUCH: f64 = 0.05;
        let Some(stay) = self.mean_stay_months() else {
            return;
        };
        let share = HALF_A_MONTH / stay;
        if share > MUCH {
            let key = match self.churn_per_month == Uncertain::zero() {
                true => "term_months",
                false => "churn_per_month",
            };
            problems.warning(
                &at.key(key),
                format!("tenants stay about {stay:.1} months, and come and go at the ends of months"),
                format!(
                    "a stay of a length between months is half a month off, {:.0} % here: state terms in whole months and the churn as 1 / (mean stay - term)",
                    100.0 * share
                ),
            );
        }
    }

    /// How many ends of months tenants are there for on average, at the medians; none if they never leave.
    fn mean_stay_months(&self) -> Option<f64> {
        let term = median(&self.term_months)?.floor();
        let after_term = match &self.renewal {
            Some(renewal) => {
                let renewed = (renewal.term_months.as_ref()).unwrap_or(&self.term_months);
                let probability = renewal.probability.median(Domain::SHARE)?;
                let none_at_once = f64::from(term < 1.0);
                none_at_once + median(renewed)?.floor().max(1.0) * probability / (1.0 - probability)
            }
            None => 1.0 / self.churn_per_month.median(Domain::SHARE)?,
        };
        let exit = match &self.early_exit {
            Some(exit) => exit.exit_probability.median(Domain::SHARE)?,
            None => 0.0,
        };
        let (within, stays) = match exit > 0.0 {
            true => {
                let stays = libm::pow(1.0 - exit, term);
                ((1.0 - stays) / exit, stays)
            }
            false => (term, 1.0),
        };
        let stay = match stays > 0.0 {
            true => within + stays * after_term,
            false => within,
        };
        stay.is_finite().then_some(stay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants::{EarlyExit, Renewal};

    fn segment(term: f64, churn: f64) -> Segment {
        let mut segment = Segment::new("s");
        segment.term_months = term.into();
        segment.churn_per_month = churn.into();
        segment
    }

    fn assert_stay(segment: &Segment, expected: Option<f64>) {
        let stay = segment.mean_stay_months();
        let is_near = match (stay, expected) {
            (Some(stay), Some(expected)) => (stay - expected).abs() < 1e-9,
            (stay, expected) => stay == expected,
        };
        assert!(is_near, "{stay:?}, not {expected:?}");
    }

    #[test]
    fn a_mean_stay_is_that_of_terms_churn_renewals_and_exits() {
        assert_stay(&segment(0.0, 0.0), None);
        assert_stay(&segment(24.0, 0.0), None);
        assert_stay(&segment(5.0, 1.0), Some(6.0));
        assert_stay(&segment(12.5, 0.01), Some(112.0));
        let mut renewed = segment(36.0, 0.0);
        renewed.renewal = Some(Renewal::new(0.5));
        // 36 (1 + 1/2 + 1/4 + ...)
        assert_stay(&renewed, Some(72.0));
        renewed.renewal = Some(Renewal::new(1.0));
        assert_stay(&renewed, None);
        let mut brief = segment(0.0, 0.0);
        brief.renewal = Some(Renewal::new(0.0));
        // A term is a month at least.
        assert_stay(&brief, Some(1.0));
        let mut left = segment(2.0, 0.5);
        left.early_exit = Some(EarlyExit::new(0.5));
        // 1 + 1/2 within the term, and 2 more for the quarter that is left.
        assert_stay(&left, Some(2.0));
        left.early_exit = Some(EarlyExit::new(1.0));
        assert_stay(&left, Some(1.0));
    }

    #[test]
    fn stays_of_less_than_ten_months_are_warned_of() {
        for (churn, warned) in [(0.1, false), (0.101, true), (0.5, true)] {
            let mut problems = Problems::new();
            segment(0.0, churn).check_stay(&Path::root(), &mut problems);
            assert_eq!(!problems.is_empty(), warned, "{churn}");
        }
        let mut renewed = segment(6.0, 0.0);
        renewed.renewal = Some(Renewal::new(0.2));
        let mut problems = Problems::new();
        renewed.check_stay(&Path::root(), &mut problems);
        let text = problems.to_string();
        assert!(
            text.contains("about 7.5 months") && text.contains("term_months"),
            "{text}"
        );
    }
}
