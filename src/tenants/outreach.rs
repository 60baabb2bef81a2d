//! How many companies are contacted, month by month: a trend or a curve, campaigns, seasons, and
//! regimes such as a boom that several segments share.

use crate::date::Date;
use crate::field::{MONTHS, NUMBER, plan};
use crate::problem::{Path, Problems, check_all_known, check_known, check_name, check_unique};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// A curve of adoption, in place of a trend.
    pub struct AdoptionCurve in "tenants/SEGMENT" {
        /// All companies that are ever contacted, 0 or more. Drawn once a trial.
        pub companies: Uncertain => NUMBER.input("companies"),
        /// When adoption begins; left out, at the start of the scenario. Before it nobody is contacted.
        pub starts: Option<Date>,
        /// Innovation p of Bass, as a share a year, above 0. Drawn once a trial. For a logistic S-curve give `midpoint_months` and `rise_months`.
        pub innovation_per_year: Option<Uncertain> => NUMBER.within(LEAST_RATE, f64::INFINITY).input("innovation"),
        /// Imitation q of Bass, as a share a year, 0 or more. Drawn once a trial.
        pub imitation_per_year: Option<Uncertain> => NUMBER.input("imitation"),
        /// Months from the beginning to the middle of the logistic, of which what it has at the beginning is taken off: half of the companies are contacted by then, or somewhat fewer where it is not long before. Drawn once a trial.
        pub midpoint_months: Option<Uncertain> => MONTHS.input("midpoint"),
        /// Months from a tenth to nine tenths of the logistic, above 0. Drawn once a trial.
        pub rise_months: Option<Uncertain> => MONTHS.within(LEAST_RATE, f64::INFINITY).input("rise"),
    }
    fn of_companies;
}

/// The share of adopters after `years`, by Bass, "A new product growth for model consumer
/// durables", Management Science 15 (1969):
///
/// ```text
/// F(t) = (1 - exp(-(p + q) t)) / (1 + (q/p) exp(-(p + q) t))
/// ```
///
/// with innovation p above 0 and imitation q of 0 or more, both a year; 0 before the beginning.
pub fn bass_share(innovation_per_year: f64, imitation_per_year: f64, years: f64) -> f64 {
    if years <= 0.0 {
        return 0.0;
    }
    let (p, q) = (innovation_per_year, imitation_per_year);
    let decay = -(p + q) * years;
    -libm::expm1(decay) / (1.0 + q / p * libm::exp(decay))
}

/// The share of adopters after `months` by a logistic curve,
/// 1 / (1 + exp(-ln 81 (t - midpoint)/rise)), less its value at 0 and scaled so that it rises from
/// 0 to 1; ln 81 is the distance from a tenth to nine tenths (Fisher & Pry, "A simple substitution
/// model of technological change", Technological Forecasting and Social Change 3, 1971).
pub fn logistic_share(midpoint_months: f64, rise_months: f64, months: f64) -> f64 {
    if months <= 0.0 {
        return 0.0;
    }
    let steepness = libm::log(81.0) / rise_months;
    let at = |t: f64| 1.0 / (1.0 + libm::exp(-steepness * (t - midpoint_months)));
    let before = at(0.0);
    (at(months) - before) / (1.0 - before)
}

plan! {
    /// An effort for a time: trade fairs, a new policy.
    pub struct Campaign in "tenants/SEGMENT/campaign CAMPAIGN" {
        /// Its name, unique in its segment.
        pub name: String,
        /// Its first month.
        pub starts: Date,
        /// How many months it lasts, 1 or more.
        pub duration_months: u32 => MONTHS.within(1.0, f64::INFINITY),
        /// What the outreach is multiplied by in these months, 0 or more. Drawn once a trial.
        pub outreach_factor: Uncertain = Uncertain::one() => NUMBER.input("outreach factor"),
        /// What the probability of signing is multiplied by, for those contacted in these months. Drawn once a trial.
        pub sign_factor: Uncertain = Uncertain::one() => NUMBER.input("sign factor"),
        /// Companies contacted in each of these months besides. Drawn once a trial.
        pub extra_per_month: Uncertain = Uncertain::zero() => NUMBER.input("extra"),
    }
    /// A campaign without an effect yet.
    pub fn new;
}

plan! {
    /// States of the market, such as a boom and a bust, that switch by chance from month to month and are shared by segments.
    pub struct Regime {
        /// Its name.
        pub name: String,
        /// The segments that it touches; left out, all.
        pub segments: Vec<String> = [],
        /// Its states, two or more; the first is that of the first month.
        pub states: Vec<RegimeState>,
    }
    /// States of the market that touch all segments.
    pub fn new;
}

plan! {
    /// A state of the market.
    pub struct RegimeState in "regimes/REGIME/STATE" {
        /// Its name.
        pub name: String,
        /// How long it lasts in the mean, in months, 1 or more: it ends in any month with probability 1 / mean. Left out, for ever. Drawn once a trial.
        pub mean_months: Option<Uncertain> => MONTHS.within(1.0, f64::INFINITY).input("mean months"),
        /// The states that may follow; one of them does, each as likely as any other. Left out, any other state.
        pub then: Vec<String> = [],
        /// What outreach is multiplied by, 0 or more. Drawn once a trial.
        pub outreach_factor: Uncertain = Uncertain::one() => NUMBER.input("outreach factor"),
        /// What the probability of signing is multiplied by, 0 or more (it is cut at 1). Drawn once a trial.
        pub sign_factor: Uncertain = Uncertain::one() => NUMBER.input("sign factor"),
        /// What prices are multiplied by, 0 or more. Drawn once a trial.
        pub price_factor: Uncertain = Uncertain::one() => NUMBER.input("price factor"),
    }
    /// A state that lasts for ever and changes nothing.
    pub fn new;
}

/// The least rate or time of a curve, which divides by it.
const LEAST_RATE: f64 = 1e-9;
/// The shortest mean time in a state.
pub(super) const MEAN_MONTHS: Domain = Domain {
    min: 1.0,
    max: f64::INFINITY,
};
/// A rate or time that must not be 0, as the curve divides by it.
pub(super) const ABOVE_ZERO: Domain = Domain {
    min: LEAST_RATE,
    max: f64::INFINITY,
};

impl AdoptionCurve {
    /// Bass adoption from the start of the scenario.
    pub fn bass(
        companies: impl Into<Uncertain>,
        innovation_per_year: impl Into<Uncertain>,
        imitation_per_year: impl Into<Uncertain>,
    ) -> Self {
        Self::of_companies(companies)
            .innovation_per_year(innovation_per_year)
            .imitation_per_year(imitation_per_year)
    }

    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        let parts = [
            &self.innovation_per_year,
            &self.imitation_per_year,
            &self.midpoint_months,
            &self.rise_months,
        ];
        let given = parts.map(Option::is_some);
        if given != [true, true, false, false] && given != [false, false, true, true] {
            problems.error(
                at,
                "a curve of adoption is either of Bass or logistic",
                "give `innovation_per_year` and `imitation_per_year`, or `midpoint_months` and `rise_months`",
            );
        }
    }
}

impl Campaign {
    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
    }
}

impl Regime {
    pub(crate) fn check<'a>(
        &self,
        segments: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_name(&self.name, &at.key("name"), problems);
        check_all_known(
            "segment",
            &self.segments,
            segments,
            &at.key("segments"),
            problems,
        );
        let names = self.states.iter().map(|state| state.name.as_str());
        check_unique("state", names.clone(), &at.key("states"), problems);
        if self.states.len() < 2 {
            problems.error(
                &at.key("states"),
                format!("regime \"{}\" has nothing to switch to", self.name),
                "two states or more",
            );
        }
        for (position, state) in self.states.iter().enumerate() {
            let at = at.key("states").index(position);
            check_name(&state.name, &at.key("name"), problems);
            state.check_fields(&at, problems);
            for (place, wanted) in state.then.iter().enumerate() {
                let at = at.key("then").index(place);
                check_known("state", wanted, names.clone(), &at, problems);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F'(t) = (p + q F)(1 - F) is the model's differential equation.
    #[test]
    fn bass_solves_its_differential_equation() {
        let (p, q) = (0.03, 0.38);
        let step = 1e-4;
        for tenth in 1..100 {
            let t = f64::from(tenth) * 0.1;
            let share = bass_share(p, q, t);
            let slope = (bass_share(p, q, t + step) - bass_share(p, q, t - step)) / (2.0 * step);
            assert!((slope - (p + q * share) * (1.0 - share)).abs() < 1e-8);
        }
        assert_eq!(bass_share(p, q, 0.0), 0.0);
        assert!((bass_share(p, q, 100.0) - 1.0).abs() < 1e-12);
        // The peak of adoption is at ln(q/p)/(p + q) (Bass, 1969), where F = (q - p)/2q.
        let peak = libm::log(q / p) / (p + q);
        assert!((bass_share(p, q, peak) - (q - p) / (2.0 * q)).abs() < 1e-12);
    }

    #[test]
    fn a_logistic_curve_rises_from_a_tenth_to_nine_tenths_in_its_time() {
        let (middle, rise) = (60.0, 24.0);
        let share = |months| logistic_share(middle, rise, months);
        assert_eq!(share(0.0), 0.0);
        // The value at 0 that is taken off is 1/(1 + 81^2.5), 1.7e-5.
        assert!((share(48.0) - 0.1).abs() < 3e-5);
        assert!((share(60.0) - 0.5).abs() < 3e-5);
        assert!((share(72.0) - 0.9).abs() < 3e-5);
    }
}
