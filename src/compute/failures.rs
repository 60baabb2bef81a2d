//! Failures of hardware, and spares.
//!
//! Racks fail at a constant rate; a failed one is swapped for a spare, and the spare is resupplied
//! after some time. What is in resupply is then Poisson distributed with mean n λ L, whatever
//! the distribution of the resupply time (Palm, 1938), and the expected number of racks that wait
//! for a spare with s spares in stock is
//! `EBO(s) = n λ L - s + Σ_{k<s} (s - k) p(k)` (Sherbrooke, "METRIC", Operations Research 16, 1968).
//! The share of racks that work is `1 - λ x swap time - EBO(s) / n`.

use crate::field::{MONTHS, NUMBER, SHARE, plan};

plan! {
    /// How often racks of a generation fail, and how they are repaired.
    ///
    /// Partial failures count by their share of a rack.
    #[derive(Copy)]
    pub struct Reliability {
        /// Failures of a rack a year, 0 or more.
        pub failures_per_rack_year: f64 => NUMBER,
        /// Time to swap in a spare that is there, in months, 0 or more.
        pub swap_months: f64 => MONTHS,
        /// Time until a spare that was used is replaced, in months, 0 or more.
        pub resupply_months: f64 => MONTHS,
        /// Spares in stock, as a share of the racks, 0 to 1.
        pub spare_share: f64 => SHARE,
    }
    /// Racks that fail at that rate, with the months of a swap and of a resupply, and spares as a share of the racks.
    pub fn new;
}

/// Beyond that many spares the Poisson distribution is not summed: they are as good as endless.
const MOST_SPARES: f64 = 1e5;

/// Expected number of demands that wait for a spare, EBO(s), with a Poisson distributed number in
/// resupply of this mean; both 0 or more.
///
/// ```
/// use buildout::compute::expected_backorders;
/// // No spares: all that is in resupply waits. One spare: the mean less the chance of any.
/// assert_eq!(expected_backorders(0, 2.0), 2.0);
/// assert!((expected_backorders(1, 2.0) - (1.0 + (-2.0_f64).exp())).abs() < 1e-12);
/// ```
pub fn expected_backorders(spares: u32, mean: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    let covered: f64 = (0..spares)
        .map(|k| {
            let k = f64::from(k);
            let ln_p = k * libm::log(mean) - mean - libm::lgamma(k + 1.0);
            (f64::from(spares) - k) * libm::exp(ln_p)
        })
        .sum();
    (mean - f64::from(spares) + covered).max(0.0)
}

impl Reliability {
    /// Spares for this many racks: the share of them, rounded up.
    pub fn spares(&self, racks: f64) -> u32 {
        (self.spare_share * racks).ceil().clamp(0.0, MOST_SPARES) as u32
    }

    /// Share of this many racks that work in the long run, 0 to 1.
    pub fn availability(&self, racks: f64) -> f64 {
        if racks <= 0.0 {
            return 1.0;
        }
        let per_month = self.failures_per_rack_year / 12.0;
        let in_resupply = racks * per_month * self.resupply_months;
        let waiting = expected_backorders(self.spares(racks), in_resupply) / racks;
        (1.0 - per_month * self.swap_months - waiting).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::streams::Source;

    #[test]
    fn without_spares_all_failures_wait_for_the_resupply() {
        let hardware = Reliability {
            failures_per_rack_year: 1.2,
            swap_months: 0.01,
            resupply_months: 0.5,
            spare_share: 0.0,
        };
        let expected = 1.0 - 0.1 * 0.01 - 0.1 * 0.5;
        assert!((hardware.availability(100.0) - expected).abs() < 1e-12);
        let stocked = Reliability {
            spare_share: 0.2,
            ..hardware
        };
        assert!((stocked.availability(100.0) - 0.999).abs() < 1e-6);
    }

    #[test]
    fn backorders_are_those_of_simulated_demand() {
        let mut stream = Source::named("spares").stream(1, 0);
        let (mean, spares, trials) = (6.0, 7, 40_000);
        let waiting: u64 = (0..trials)
            .map(|_| stream.poisson(mean).saturating_sub(spares))
            .sum();
        let found = waiting as f64 / f64::from(trials);
        // Standard deviation of what waits is about 1.2, so four standard errors are 0.024.
        let expected = expected_backorders(spares as u32, mean);
        assert!((found - expected).abs() < 0.024, "{found} {expected}");
    }
}
