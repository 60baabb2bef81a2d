//! Oversubscription: leasing more power than a feed carries, at a stated risk.
//!
//! Tenant i leases `L_i` and draws a share of it with mean m and standard deviation s; any two
//! draws have correlation ρ. The sum of all has mean `m ΣL` and standard deviation
//! `s √((1 - ρ) ΣL² + ρ (ΣL)²)`, and is taken to be normally distributed: exact for draws that are
//! jointly normal, and the limit of many independent ones. Draws are bounded by the lease, so that
//! no risk remains where all leases together are within the feed.

use crate::uncertain::{normal_cdf, normal_quantile};

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
    /// So many tenants of the same lease.
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
        let (mean, sd, rho) = (self.mean_share, self.sd_share, self.correlation);
        within("mean_share", mean, (0.0..=1.0).contains(&mean), "0 to 1")?;
        within("sd_share", sd, sd >= 0.0, "0 or more")?;
        within("correlation", rho, (0.0..=1.0).contains(&rho), "0 to 1")?;
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
        let rho = self.correlation;
        self.sd_share * libm::sqrt((1.0 - rho) * squares / (leased * leased) + rho)
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
        if sd == 0.0 {
            return Ok(if mean > feed_kw { 1.0 } else { 0.0 });
        }
        Ok(normal_cdf((mean - feed_kw) / sd))
    }

    /// The most that may be leased, as a multiple of the feed, if these tenants' leases are scaled
    /// alike and the probability of drawing more than the feed must be at most `risk`
    /// (0 to 1, exclusive): `1 / (m + z s')`, with `z` the quantile of `1 - risk` and `s'` the
    /// relative standard deviation of the whole. It is 1 at least, for within the feed there
    /// is no risk.
    pub fn highest_oversubscription(&self, risk: f64) -> Result<f64, OversubscriptionError> {
        self.check()?;
        within("risk", risk, risk > 0.0 && risk < 1.0, "between 0 and 1")?;
        let drawn = self.mean_share - normal_quantile(risk) * self.relative_sd();
        if drawn <= 0.0 {
            return Ok(f64::INFINITY);
        }
        Ok((1.0 / drawn).max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monte_carlo::streams::Source;

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
