//! Oversubscription: leasing more power than a feed carries, at a stated risk.
//!
//! Tenant i leases `L_i` and draws a share of it with mean m and standard deviation s; any two
//! draws have correlation ρ. The sum of all has mean `m ΣL` and standard deviation
//! `s √((1 - ρ) ΣL² + ρ (ΣL)²)`, and is taken to be normally distributed: exact for draws that are
//! jointly normal, and the limit of many independent ones. Draws are bounded by the lease, so that
//! no risk remains where all leases together are within the feed.
//!
//! In a scenario a building states an [`Oversubscription`]. Its racks then take so much less of rows,
//! modules, substation and grid than they are sold for, and so do halls with a power and a cooling of
//! their own. In every month of a trial the probability that a hall draws more than the power it was
//! given follows from what its tenants draw then; what they would draw beyond it,
//! `E[max(0, draw - feed)]`, is capped.

use crate::field::{COUNT, NUMBER, SHARE, plan};
use crate::problem::{Path, Problems};
use crate::uncertain::{normal_cdf, normal_quantile};

plan! {
    /// How much more a building sells than its feeds carry.
    #[derive(Copy)]
    pub struct Oversubscription {
        /// Power sold / power fed, 1 or more; instead of a risk. At least 1.25 is deployed in practice, about 1.4 was found possible for a whole data centre.
        pub ratio: Option<f64> => NUMBER.within(1.0, MOST),
        /// The accepted probability that the draw at a moment exceeds a full hall's feed, above 0 and below 1, from which the ratio follows; instead of a ratio.
        pub exceedance_probability: Option<f64> => SHARE,
        /// Mean share of its lease that a tenant is expected to draw when the ratio is chosen, above 0 to 1 (if left out: 0.6, for tenants draw under 60 % of what they lease). What they do draw is said by the segments.
        pub mean_share: f64 = 0.6 => SHARE,
        /// Standard deviation of a tenant's share, over time, 0 or more.
        pub sd_share: f64 => SHARE.within(0.0, f64::INFINITY),
        /// Correlation of any two tenants' draws, 0 to 1.
        pub correlation: f64 => NUMBER.within(0.0, 1.0),
        /// How many tenants of equal size are in a hall, 1 or more. Of different sizes, (Σ lease)² / Σ lease².
        pub tenants_per_hall: u32 => COUNT,
    }
    /// Tenants whose draws vary that much and are so correlated; give it a `ratio` or an `exceedance_probability`.
    pub fn new;
}

impl Oversubscription {
    /// What is sold of a feed, as a multiple of it: [`Draws::highest_oversubscription`] where a risk
    /// is stated.
    pub fn sold_per_fed(&self) -> Result<f64, OversubscriptionError> {
        check_shares(self.mean_share, self.sd_share, self.correlation)?;
        let tenants = f64::from(self.tenants_per_hall);
        within("tenants_per_hall", tenants, tenants >= 1.0, "1 or more")?;
        if let Some(ratio) = self.ratio {
            within("ratio", ratio, (1.0..=MOST).contains(&ratio), "1 to 10")?;
            return Ok(ratio);
        }
        let risk = self.exceedance_probability.unwrap_or(f64::NAN);
        let most = highest(self.mean_share, self.relative_sd(), risk)?;
        within(
            "the ratio that follows",
            most,
            most <= MOST,
            "at most 10: give a ratio instead",
        )?;
        Ok(most)
    }

    /// Standard deviation of a hall's whole draw as a share of what its tenants have in service.
    pub(crate) fn relative_sd(&self) -> f64 {
        let tenants = f64::from(self.tenants_per_hall);
        relative_sd(self.sd_share, self.correlation, 1.0 / tenants)
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        let before = problems.len();
        self.check_fields(at, problems);
        if self.ratio.is_some() == self.exceedance_probability.is_some() {
            problems.error(
                at,
                "an oversubscription is stated by its ratio or by the risk that is accepted",
                "give either `ratio` or `exceedance_probability`",
            );
        } else if problems.len() == before
            && let Err(error) = self.sold_per_fed()
        {
            let at = match error.what {
                "risk" => at.key("exceedance_probability"),
                _ => at.clone(),
            };
            problems.error(&at, error.to_string(), error.range);
        }
    }
}

/// No feed is sold ten times over.
const MOST: f64 = 10.0;

/// What tenants on one feed draw at the time of the peak.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    /// Leased power of each tenant, in kW, 0 or more.
    pub leases_kw: Vec<f64>,
    /// Mean share of its lease that a tenant draws, 0 to 1.
    pub mean_share: f64,
    /// Standard deviation of that share, 0 or more.
    pub sd_share: f64,
    /// Correlation of any two tenants' draws, 0 to 1.
    pub correlation: f64,
}

/// A quantity that is out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what} is {value}: it must be {range}")]
pub struct OversubscriptionError {
    what: &'static str,
    value: f64,
    range: &'static str,
}

fn within(
    what: &'static str,
    value: f64,
    is_within: bool,
    range: &'static str,
) -> Result<(), OversubscriptionError> {
    if is_within && value.is_finite() {
        Ok(())
    } else {
        Err(OversubscriptionError { what, value, range })
    }
}

impl Draws {
    /// A number of tenants of the same lease.
    pub fn alike(
        tenants: u32,
        lease_kw: f64,
        mean_share: f64,
        sd_share: f64,
        correlation: f64,
    ) -> Self {
        Self {
            leases_kw: vec![lease_kw; tenants as usize],
            mean_share,
            sd_share,
            correlation,
        }
    }

    fn check(&self) -> Result<(), OversubscriptionError> {
        check_shares(self.mean_share, self.sd_share, self.correlation)?;
        for &lease in &self.leases_kw {
            within("a lease", lease, lease >= 0.0, "0 kW or more")?;
        }
        let leased = self.leased_kw();
        within("the leased power", leased, leased > 0.0, "above 0 kW")
    }

    /// All leases, in kW.
    pub fn leased_kw(&self) -> f64 {
        self.leases_kw.iter().sum()
    }

    /// Standard deviation of the whole draw as a share of all leases.
    fn relative_sd(&self) -> f64 {
        let leased = self.leased_kw();
        let squares: f64 = self.leases_kw.iter().map(|lease| lease * lease).sum();
        relative_sd(self.sd_share, self.correlation, squares / (leased * leased))
    }

    /// The probability that all together draw more than a feed of `feed_kw` carries:
    /// `Φ((m ΣL - feed) / sd)`, and 0 where the leases are within the feed.
    ///
    /// ```
    /// use buildout::compute::Draws;
    /// // 100 tenants of 100 kW who draw 60 % ± 15 %, half correlated, on a feed of 7.5 MW.
    /// let draws = Draws::alike(100, 100.0, 0.60, 0.15, 0.5);
    /// let risk = draws.exceedance(7_500.0)?;
    /// assert!((0.07..0.09).contains(&risk));
    /// # Ok::<(), buildout::compute::OversubscriptionError>(())
    /// ```
    pub fn exceedance(&self, feed_kw: f64) -> Result<f64, OversubscriptionError> {
        self.check()?;
        within("feed_kw", feed_kw, feed_kw > 0.0, "above 0 kW")?;
        let leased = self.leased_kw();
        if leased <= feed_kw {
            return Ok(0.0);
        }
        let (mean, sd) = (self.mean_share * leased, self.relative_sd() * leased);
        Ok(excess(mean, sd, feed_kw).0)
    }

    /// The most that may be leased, as a multiple of the feed, if these tenants' leases are scaled
    /// alike and the probability of drawing more than the feed must be at most `risk`
    /// (0 to 1, exclusive): `1 / (m + z s')`, with `z` the quantile of `1 - risk` and `s'` the
    /// relative standard deviation of the whole. It is 1 at least, for within the feed there
    /// is no risk.
    pub fn highest_oversubscription(&self, risk: f64) -> Result<f64, OversubscriptionError> {
        self.check()?;
        highest(self.mean_share, self.relative_sd(), risk)
    }
}

fn check_shares(mean: f64, sd: f64, rho: f64) -> Result<(), OversubscriptionError> {
    within("mean_share", mean, (0.0..=1.0).contains(&mean), "0 to 1")?;
    within("sd_share", sd, sd >= 0.0, "0 or more")?;
    within("correlation", rho, (0.0..=1.0).contains(&rho), "0 to 1")
}

/// Standard deviation of the whole draw as a share of all leases, with Σ lease² / (Σ lease)².
fn relative_sd(sd: f64, rho: f64, squares_share: f64) -> f64 {
    sd * libm::sqrt((1.0 - rho) * squares_share + rho)
}

fn highest(mean: f64, relative_sd: f64, risk: f64) -> Result<f64, OversubscriptionError> {
    within("risk", risk, risk > 0.0 && risk < 1.0, "between 0 and 1")?;
    let drawn = mean - normal_quantile(risk) * relative_sd;
    if drawn <= 0.0 {
        return Ok(f64::INFINITY);
    }
    Ok((1.0 / drawn).max(1.0))
}

/// Of a normally distributed draw of mean m and standard deviation s, in kW: the probability that it is
/// above a feed F, `p = Φ(a)` with `a = (m - F) / s`, and what it is above it on average over all time,
/// `E[max(0, draw - F)] = (m - F) p + s φ(a)`.
pub(crate) fn excess(mean_kw: f64, sd_kw: f64, feed_kw: f64) -> (f64, f64) {
    let above = mean_kw - feed_kw;
    if sd_kw <= 0.0 {
        return if above > 0.0 {
            (1.0, above)
        } else {
            (0.0, 0.0)
        };
    }
    let a = above / sd_kw;
    let probability = normal_cdf(a);
    let density = libm::exp(-0.5 * a * a) / libm::sqrt(2.0 * std::f64::consts::PI);
    (
        probability,
        (above * probability + sd_kw * density).max(0.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::streams::Source;

    #[test]
    fn a_stated_risk_is_met_exactly_by_the_highest_oversubscription() {
        for (tenants, correlation, risk) in [(20, 0.0, 1e-3), (50, 0.3, 1e-4), (7, 0.9, 0.05)] {
            let draws = Draws::alike(tenants, 100.0, 0.6, 0.1, correlation);
            let most = draws.highest_oversubscription(risk).unwrap();
            assert!(most > 1.0);
            let feed = draws.leased_kw() / most;
            assert!((draws.exceedance(feed).unwrap() / risk - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn many_independent_tenants_may_be_sold_up_to_their_mean() {
        let most = |tenants| {
            let draws = Draws::alike(tenants, 10.0, 0.6, 0.2, 0.0);
            draws.highest_oversubscription(1e-4).unwrap()
        };
        assert!(most(10) < most(100) && most(100) < most(1_000_000));
        assert!((most(1_000_000) - 1.0 / 0.6).abs() < 0.01);
    }

    #[test]
    fn leases_within_the_feed_bear_no_risk() {
        let draws = Draws::alike(10, 100.0, 0.95, 0.2, 1.0);
        assert_eq!(draws.exceedance(1_000.0), Ok(0.0));
        assert_eq!(draws.highest_oversubscription(1e-6), Ok(1.0));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let error = Draws::alike(2, 100.0, 1.2, 0.1, 0.0)
            .exceedance(100.0)
            .unwrap_err();
        assert_eq!(error.to_string(), "mean_share is 1.2: it must be 0 to 1");
        assert!(
            Draws::alike(0, 100.0, 0.5, 0.1, 0.0)
                .exceedance(100.0)
                .is_err()
        );
    }

    #[test]
    fn a_building_sells_what_its_risk_allows() {
        let mut stated = Oversubscription {
            ratio: None,
            exceedance_probability: Some(1e-3),
            mean_share: 0.6,
            sd_share: 0.1,
            correlation: 0.3,
            tenants_per_hall: 10,
        };
        let ratio = stated.sold_per_fed().unwrap();
        let risk = Draws::alike(10, 100.0, 0.6, 0.1, 0.3).exceedance(1_000.0 / ratio);
        assert!((risk.unwrap() / 1e-3 - 1.0).abs() < 1e-9);
        stated.ratio = Some(1.3);
        assert_eq!(stated.sold_per_fed(), Ok(1.3));
        let mut problems = Problems::new();
        stated.check(&Path::root(), &mut problems);
        assert!(
            problems.to_string().contains("either `ratio`"),
            "{problems}"
        );
        stated.exceedance_probability = None;
        stated.correlation = 1.5;
        stated.check(&Path::root(), &mut problems);
        assert!(
            problems.to_string().contains("correlation is 1.5"),
            "{problems}"
        );
    }

    #[test]
    fn what_is_above_a_feed_is_the_integral_of_the_probability() {
        // E[max(0, X - F)] = ∫ P(X > x) dx from F up, by the trapezium rule.
        let (mean, sd, feed) = (600.0, 80.0, 700.0);
        let step = 0.5;
        let sum: f64 = (0..2_000)
            .map(|k| {
                let at = |x: f64| excess(mean, sd, x).0;
                let x = feed + step * f64::from(k);
                step * 0.5 * (at(x) + at(x + step))
            })
            .sum();
        assert!((excess(mean, sd, feed).1 - sum).abs() < 1e-3);
        assert_eq!(excess(600.0, 0.0, 500.0), (1.0, 100.0));
        assert_eq!(excess(600.0, 0.0, 700.0), (0.0, 0.0));
    }

    /// Draws by one common factor: share = m + s (√ρ Z + √(1 - ρ) Z_i).
    #[test]
    fn correlated_draws_exceed_the_feed_as_often_as_stated() {
        let draws = Draws::alike(12, 100.0, 0.6, 0.1, 0.4);
        let feed = 800.0;
        let expected = draws.exceedance(feed).unwrap();
        let mut stream = Source::named("draws").stream(1, 0);
        let trials = 40_000;
        let (common, own) = (0.4_f64.sqrt(), 0.6_f64.sqrt());
        let mut exceeded = 0;
        for _ in 0..trials {
            let shared = normal_quantile(stream.uniform());
            let total: f64 = (0..12)
                .map(|_| {
                    100.0
                        * (0.6 + 0.1 * (common * shared + own * normal_quantile(stream.uniform())))
                })
                .sum();
            exceeded += u32::from(total > feed);
        }
        // Four standard errors of a share of 40,000 trials.
        let error = (expected * (1.0 - expected) / f64::from(trials)).sqrt();
        let found = f64::from(exceeded) / f64::from(trials);
        assert!((found - expected).abs() < 4.0 * error, "{found} {expected}");
    }
}
