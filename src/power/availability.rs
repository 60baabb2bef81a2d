//! Availability of repairable parts, by closed form.
//!
//! A part fails at a constant rate λ = 1 / (mean time between failures, counted while it is up)
//! and is repaired at a constant rate μ = 1 / (mean time to repair). Its unavailability in the
//! long run is q = λ / (λ + μ). Parts in series fail independently: availabilities multiply.
//!
//! Of n like modules, j are down with probability p_j of the birth-death process with failure
//! rates (n - j) λ and repair rates min(j, crews) μ (Billinton and Allan, "Reliability Evaluation
//! of Engineering Systems", 1992, chapters 9 to 11). With a crew for every module this is the
//! binomial distribution: P(k of n up) = Σ_{j<=n-k} C(n, j) q^j (1 - q)^(n-j).
//!
//! Common cause by the β-factor (Fleming, 1975; IEC 61508-6, annex D): the share β of a
//! module's failures takes down all modules of its group at once, for one repair; the share
//! 1 - β strikes it alone.

use serde::{Deserialize, Serialize};

use super::redundancy::Redundancy;
use crate::field::{MONTHS, SHARE, plan};
use crate::problem::{Path, Problems, check_name};

plan! {
    /// A part of an electrical or cooling chain that fails and is repaired.
    pub struct Part {
        /// Its name, such as "UPS".
        pub name: String,
        /// Mean time between its failures, in months, above 0 ("250_000 hours" may be written).
        pub between_failures_months: f64 => MONTHS.above_zero(),
        /// Mean time to its repair, in months, above 0.
        pub repair_months: f64 => MONTHS.above_zero(),
        /// Share of its failures that nobody notices because something else takes over, such as generators that start, 0 to 1.
        pub covered_share: f64 [= 0.0] => SHARE,
    }
    /// A part, none of whose failures are covered.
    pub fn new;
}

impl Part {
    /// Failures a month that are not covered: λ = (1 - covered) / (time between failures).
    pub fn failures_per_month(&self) -> f64 {
        (1.0 - self.covered_share) / self.between_failures_months
    }

    /// The share of time in which it is up: 1 / (1 + λ x repair time).
    pub fn availability(&self) -> f64 {
        1.0 / (1.0 + self.failures_per_month() * self.repair_months)
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
    }
}

/// Availability of parts in series: Π 1 / (1 + λ_i r_i); 1 of none.
pub fn series_availability(parts: &[Part]) -> f64 {
    parts.iter().map(Part::availability).product()
}

/// Like modules that stand in for one another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleGroup {
    /// Modules, 1 or more.
    pub modules: u32,
    /// How many carry the whole load, 1 to `modules`.
    pub needed: u32,
    /// Ratio of the failure rate to the repair rate of a module, λ / μ, 0 or more.
    pub failure_to_repair: f64,
    /// Share of failures that take down all modules at once (the β-factor), 0 to 1.
    pub common_cause_share: f64,
    /// Modules that can be repaired at once, 1 or more; `modules` and above: each at once.
    pub repair_crews: u32,
}

/// What a group delivers in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupAvailability {
    /// Share of the time in which all of the load is fed: P(`needed` modules or more are up).
    pub full: f64,
    /// Share of the load that is fed on average: E[min(up, needed)] / needed.
    pub served: f64,
}

impl ModuleGroup {
    /// A group of modules, each of which is down for the share `unavailability` of the time, with
    /// a repair crew for each and no common cause.
    pub fn independent(modules: u32, needed: u32, unavailability: f64) -> Self {
        Self {
            modules,
            needed,
            failure_to_repair: unavailability / (1.0 - unavailability),
            common_cause_share: 0.0,
            repair_crews: modules,
        }
    }

    /// What the group delivers, by closed form; `None` where a field is out of its range.
    ///
    /// ```
    /// use buildout::power::ModuleGroup;
    /// // Two of three, each up 90 % of the time: 3 x 0.9^2 x 0.1 + 0.9^3 = 0.972.
    /// let group = ModuleGroup::independent(3, 2, 0.1).availability().expect("in range");
    /// assert!((group.full - 0.972).abs() < 1e-15);
    /// ```
    pub fn availability(&self) -> Option<GroupAvailability> {
        let Self {
            modules,
            needed,
            failure_to_repair: ratio,
            common_cause_share: common,
            repair_crews: crews,
        } = *self;
        let is_sound = (1..=modules).contains(&needed)
            && ratio.is_finite()
            && ratio >= 0.0
            && (0.0..=1.0).contains(&common)
            && crews >= 1;
        if !is_sound {
            return None;
        }
        let own = (1.0 - common) * ratio;
        // Weights of j modules down, relative to none: w_{j+1} = w_j (n - j) λ / (min(j + 1, crews) μ).
        // Scaled by the largest so far, so that many modules do not overflow.
        let (mut weight, mut sum, mut full, mut served) = (1.0_f64, 0.0, 0.0, 0.0);
        for down in 0..=modules {
            let up = modules - down;
            sum += weight;
            if up >= needed {
                full += weight;
            }
            served += weight * f64::from(up.min(needed)) / f64::from(needed);
            weight *= f64::from(up) * own / f64::from((down + 1).min(crews));
            if weight > 1e100 {
                for value in [&mut weight, &mut sum, &mut full, &mut served] {
                    *value *= 1e-100;
                }
            }
        }
        let not_common = 1.0 / (1.0 + common * ratio);
        Some(GroupAvailability {
            full: not_common * full / sum,
            served: not_common * served / sum,
        })
    }
}

/// What a plant of `installed` modules in this redundancy delivers, with what all groups share
/// in series.
///
/// `full` is that of one group, which is what one tenant sees; `served` is the same for all.
pub fn plant_availability(
    redundancy: Redundancy,
    installed: u32,
    failure_to_repair: f64,
    common_cause_share: f64,
    shared: &[Part],
) -> Option<GroupAvailability> {
    let (modules, needed) = redundancy.group(installed);
    let group = ModuleGroup {
        modules,
        needed,
        failure_to_repair,
        common_cause_share,
        repair_crews: modules.max(1),
    }
    .availability()?;
    let shared = series_availability(shared);
    Some(GroupAvailability {
        full: group.full * shared,
        served: group.served * shared,
    })
}

/// Ratio λ / μ of a module that is up only if all of its parts are: (1 - A) / A with A the
/// availability in series.
pub fn failure_to_repair(parts: &[Part]) -> f64 {
    let availability = series_availability(parts);
    (1.0 - availability) / availability
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn binomial_at_least(n: u32, k: u32, up: f64) -> f64 {
        (k..=n)
            .map(|j| {
                let choose = (1..=j).fold(1.0, |c, i| c * f64::from(n - j + i) / f64::from(i));
                choose * up.powi(j as i32) * (1.0 - up).powi((n - j) as i32)
            })
            .sum()
    }

    #[test]
    fn a_crew_for_each_gives_the_binomial_form() {
        for (n, k, up) in [
            (1, 1, 0.99),
            (2, 1, 0.9),
            (3, 2, 0.9),
            (4, 3, 0.999),
            (12, 10, 0.95),
        ] {
            let group = ModuleGroup::independent(n, k, 1.0 - up)
                .availability()
                .unwrap();
            assert!(
                (group.full - binomial_at_least(n, k, up)).abs() < 1e-12,
                "{k} of {n}"
            );
        }
    }

    #[test]
    fn one_crew_for_two_parts_is_the_textbook_case() {
        // Two in parallel, one crew: A = (μ² + 2λμ) / (μ² + 2λμ + 2λ²), Billinton and Allan, 9.4.
        let ratio = 0.2_f64;
        let group = ModuleGroup {
            modules: 2,
            needed: 1,
            failure_to_repair: ratio,
            common_cause_share: 0.0,
            repair_crews: 1,
        };
        let expected = (1.0 + 2.0 * ratio) / (1.0 + 2.0 * ratio + 2.0 * ratio * ratio);
        assert!((group.availability().unwrap().full - expected).abs() < 1e-15);
    }

    #[test]
    fn common_cause_sets_a_floor_that_redundancy_cannot_lift() {
        let group = |modules| ModuleGroup {
            modules,
            needed: 1,
            failure_to_repair: 1e-3,
            common_cause_share: 0.05,
            repair_crews: modules,
        };
        let floor = 0.05 * 1e-3 / (1.0 + 0.05 * 1e-3);
        let down = 1.0 - group(6).availability().unwrap().full;
        assert!((down - floor).abs() < 1e-12);
        let all_common = ModuleGroup {
            common_cause_share: 1.0,
            ..group(6)
        };
        let alone = ModuleGroup {
            common_cause_share: 0.0,
            ..group(1)
        };
        let (a, b) = (
            all_common.availability().unwrap(),
            alone.availability().unwrap(),
        );
        assert!((a.full - b.full).abs() < 1e-15);
    }

    #[test]
    fn what_is_served_follows_from_the_states() {
        // One of one: what is served is the availability; three of three: the mean of them.
        let group = ModuleGroup::independent(3, 3, 0.1).availability().unwrap();
        assert!((group.served - 0.9).abs() < 1e-15);
        assert!((group.full - 0.729).abs() < 1e-15);
    }

    /// A year has 8,766 hours.
    fn part(name: &str, failures_a_year: f64, repair_hours: f64) -> Part {
        const HOURS: f64 = 730.5;
        Part::new(name, 12.0 / failures_a_year, repair_hours / HOURS)
    }

    /// The four tiers from component data of the order of those of IEEE 493 (the Gold Book); the
    /// published availabilities are site figures with operation in them, so that only the
    /// order of magnitude of the unavailability is compared.
    #[test]
    fn the_tiers_come_out_within_an_order_of_magnitude() {
        let utility = |generators_start: f64| Part {
            covered_share: generators_start,
            ..part("utility", 2.0, 2.0)
        };
        let path = [
            part("transformer", 0.006, 340.0),
            part("switchgear", 0.01, 30.0),
            part("UPS", 0.05, 24.0),
            part("distribution", 0.02, 12.0),
        ];
        let cooling = part("cooling", 0.5, 24.0);
        let ratio = failure_to_repair(&path);
        let site = |redundancy, modules, common, shared: &[Part]| {
            let plant = plant_availability(redundancy, modules, ratio, common, shared);
            1.0 - plant.unwrap().full
        };
        let tiers = [
            // I: one path, no spare; II: spare modules, but one path for all; III: two paths; IV: 2N.
            (
                0.99671,
                site(Redundancy::N, 1, 0.0, &[utility(0.95), cooling.clone()]),
            ),
            (
                0.99741,
                site(
                    Redundancy::Spare(1),
                    3,
                    0.1,
                    &[utility(0.99), path[0].clone(), part("cooling", 0.3, 24.0)],
                ),
            ),
            (
                0.99982,
                site(
                    Redundancy::TWO_N,
                    2,
                    0.1,
                    &[utility(0.995), part("cooling, N+1", 0.02, 24.0)],
                ),
            ),
            (
                0.99995,
                site(
                    Redundancy::TWO_N,
                    2,
                    0.05,
                    &[utility(0.999), part("cooling, 2N", 0.005, 24.0)],
                ),
            ),
        ];
        for (published, down) in tiers {
            let ratio = down / (1.0 - published);
            assert!(
                (0.1..10.0).contains(&ratio),
                "{published}: {down:e}, {ratio}"
            );
        }
        assert!(tiers.is_sorted_by(|a, b| a.1 > b.1));
    }

    proptest! {
        #[test]
        fn availability_is_a_share_and_a_spare_never_harms(
            needed in 1_u32..12, spare in 0_u32..6, unavailability in 0.0..0.9, common in 0.0..=1.0,
        ) {
            let with = |spare| ModuleGroup {
                common_cause_share: common,
                ..ModuleGroup::independent(needed + spare, needed, unavailability)
            }.availability().unwrap();
            let (less, more) = (with(spare), with(spare + 1));
            prop_assert!((0.0..=1.0).contains(&less.full));
            prop_assert!(less.full <= less.served + 1e-12 && less.served <= 1.0 + 1e-12);
            prop_assert!(more.full >= less.full - 1e-12);
        }
    }

    /// With one crew for n modules the number down is a queue M/M/1//n: with a ratio r the weights are n!/(n - j)! r^j.
    /// A common cause takes all down for its share of the ratio.
    #[test]
    fn one_crew_repairs_one_after_another_and_a_common_cause_takes_all() {
        let group = ModuleGroup {
            modules: 3,
            needed: 2,
            failure_to_repair: 0.1,
            common_cause_share: 0.2,
            repair_crews: 1,
        };
        let weights = [1.0, 3.0 * 0.08, 6.0 * 0.08 * 0.08, 6.0 * 0.08 * 0.08 * 0.08];
        let sum: f64 = weights.iter().sum();
        let up = 1.0 / 1.02;
        let found = group.availability().unwrap();
        assert!((found.full - up * (weights[0] + weights[1]) / sum).abs() < 1e-14);
        let served = weights[0] + weights[1] + 0.5 * weights[2];
        assert!((found.served - up * served / sum).abs() < 1e-14);
    }

    /// Weights as large as 10,000! would overflow if they were not scaled: the mean number of 10,000 modules that are up, each for
    /// a half of the time, is a half.
    #[test]
    fn ten_thousand_modules_have_the_mean_of_the_binomial_distribution() {
        let found = ModuleGroup::independent(10_000, 10_000, 0.5)
            .availability()
            .unwrap();
        assert!((found.served - 0.5).abs() < 1e-9, "{found:?}");
        let found = ModuleGroup::independent(10_000, 5_000, 0.5)
            .availability()
            .unwrap();
        // P(X >= n/2) = 1/2 + P(X = n/2)/2, and P(X = n/2) is about sqrt(2/(pi n)) (1 - 1/(4 n)).
        let middle = (2.0 / std::f64::consts::PI / 1e4).sqrt() * (1.0 - 1.0 / 4e4);
        assert!((found.full - 0.5 - 0.5 * middle).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn fields_out_of_range_have_no_availability() {
        let sound = ModuleGroup::independent(3, 2, 0.1);
        assert!(sound.availability().is_some());
        for wrong in [
            ModuleGroup { needed: 0, ..sound },
            ModuleGroup { needed: 4, ..sound },
            ModuleGroup {
                failure_to_repair: -0.1,
                ..sound
            },
            ModuleGroup {
                failure_to_repair: f64::NAN,
                ..sound
            },
            ModuleGroup {
                failure_to_repair: f64::INFINITY,
                ..sound
            },
            ModuleGroup {
                common_cause_share: 1.1,
                ..sound
            },
            ModuleGroup {
                common_cause_share: -0.1,
                ..sound
            },
            ModuleGroup {
                repair_crews: 0,
                ..sound
            },
        ] {
            assert_eq!(wrong.availability(), None, "{wrong:?}");
        }
        for allowed in [
            ModuleGroup { needed: 3, ..sound },
            ModuleGroup {
                failure_to_repair: 0.0,
                ..sound
            },
            ModuleGroup {
                common_cause_share: 1.0,
                ..sound
            },
            ModuleGroup {
                repair_crews: 1,
                ..sound
            },
        ] {
            assert!(allowed.availability().is_some(), "{allowed:?}");
        }
    }
}
