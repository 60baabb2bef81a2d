//! How large a scenario may be: a typing error, such as a growth of 5 where 5 % is meant, is distinguished from a large plan.

use super::Scenario;
use crate::field::plan;
use crate::policy::levers::prompted;
use crate::problem::{Path, Problems, with_thousands};
use crate::tenants::volume::{Surroundings, Volume};
use crate::tenants::{Allocation, MOST_CONTACTED_IN_COHORTS, Segment};

/// Contacts that do not sign take a little time and less memory: this many of them are admitted for each contract.
const CONTACTS_PER_CONTRACT: f64 = 16.0;

plan! {
    /// How large a scenario may be before it is refused, so that it does not exhaust memory or run for days. Each limit can be raised here.
    pub struct Limits {
        /// Contracts that are simulated one by one in a trial, all segments together, where each quantity is at its upper end (that which 1 of 10,000 trials exceeds); 4,000,000 unless stated otherwise (assumption). A trial takes about 150 bytes for each. Contacts are limited to 16 times as many.
        pub contracts_per_trial: u64 = 4_000_000,
        /// Buildings, each of a series counted; 20,000 unless stated otherwise (assumption).
        pub buildings: u64 = 20_000,
    }
    fn stated;
}

impl Default for Limits {
    fn default() -> Self {
        Self::stated()
    }
}

impl Scenario {
    /// Refuses what is larger than the scenario's limits.
    pub(crate) fn check_limits(&self, problems: &mut Problems) {
        let root = Path::root();
        let buildings = self.campuses.iter().flat_map(|campus| &campus.buildings);
        let count: u64 = buildings.map(|entry| u64::from(entry.most())).sum();
        if count > self.limits.buildings {
            problems.error(
                &root.key("campuses"),
                format!(
                    "there are {count} buildings, more than {}",
                    self.limits.buildings
                ),
                format!("fewer, or `limits = {{ buildings = {count} }}`"),
            );
        }
        if (1..=super::LONGEST_HORIZON_MONTHS).contains(&self.horizon_months) {
            self.check_volume(problems);
        }
    }

    /// Contracts that a trial may come to one by one, each quantity at its upper end.
    pub(crate) fn most_contracts(&self) -> f64 {
        let volumes = self.volumes();
        volumes.iter().map(|(_, volume)| volume.contracts).sum()
    }

    /// The segments as levers make them, and what each may come to.
    fn volumes(&self) -> Vec<(Segment, Volume)> {
        let around = Surroundings {
            regimes: &self.regimes,
            vouchers: &self.vouchers,
            start: self.start,
            months: self.horizon_months,
        };
        let segments = prompted(
            &self.segments,
            &self.levers,
            self.start,
            self.horizon_months,
        );
        let volumes = segments.into_iter().map(|segment| {
            let volume = segment.volume(around);
            (segment, volume)
        });
        volumes.collect()
    }

    fn check_volume(&self, problems: &mut Problems) {
        let at = Path::root().key("segments");
        let (mut contracts, mut contacted) = (0.0, 0.0);
        let mut largest = (0, 0.0);
        for (position, (segment, volume)) in self.volumes().iter().enumerate() {
            if segment.allocation == Allocation::Cohort {
                check_cohort(segment, volume, &at.index(position), problems);
                continue;
            }
            contracts += volume.contracts;
            contacted += volume.contacted;
            if volume.contacted > largest.1 {
                largest = (position, volume.contacted);
            }
        }
        let most = self.limits.contracts_per_trial as f64;
        let needed = contracts.max(contacted / CONTACTS_PER_CONTRACT);
        if needed <= most {
            return;
        }
        problems.error(
            &at.index(largest.0),
            format!(
                "a trial may come to {} companies contacted and {} contracts in {} months, more than the {} and {} that are admitted",
                with_thousands(&rounded(contacted)),
                with_thousands(&rounded(contracts)),
                with_thousands(&self.horizon_months.to_string()),
                with_thousands(&(most * CONTACTS_PER_CONTRACT).to_string()),
                with_thousands(&most.to_string()),
            ),
            format!(
                "less growth (0.05 is 5 % a year), a shorter horizon, the allocation \"cohort\", or `limits = {{ contracts_per_trial = {} }}`",
                rounded(needed)
            ),
        );
    }
}

fn check_cohort(segment: &Segment, volume: &Volume, at: &Path, problems: &mut Problems) {
    if volume.contacted_in_a_month > MOST_CONTACTED_IN_COHORTS {
        problems.error(
            at,
            format!(
                "segment \"{}\" may contact {} companies in a month",
                segment.name,
                rounded(volume.contacted_in_a_month)
            ),
            "1e9 or fewer: less growth (0.05 is 5 % a year), or a shorter horizon",
        );
    }
}

/// Two digits are enough of what is too much.
fn rounded(count: f64) -> String {
    if !count.is_finite() {
        return "more than any number of".to_owned();
    }
    if count < 1e15 {
        let unit = libm::pow(10.0, (libm::log10(count.max(1.0)).floor() - 1.0).max(0.0));
        return format!("{}", (count / unit).ceil() * unit);
    }
    format!("{count:.0e}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Date;
    use crate::problem::Severity;

    fn scenario(growth: f64) -> Scenario {
        let mut scenario = Scenario::new("s", Date::month(2025, 1).unwrap(), 120);
        scenario.campuses.push(crate::site::Campus::new("north"));
        let mut segment = Segment::new("s");
        segment.outreach_per_month = 10.0.into();
        segment.outreach_growth_per_year = growth.into();
        segment.contract_power_kw = Some(10.0.into());
        scenario.segments.push(segment);
        scenario
    }

    fn refusals(scenario: &Scenario) -> String {
        let problems = scenario.check();
        let errors = problems.iter().filter(|p| p.severity == Severity::Error);
        errors.map(ToString::to_string).collect()
    }

    #[test]
    fn what_growth_comes_to_is_refused_with_the_number_the_limit_and_how_to_raise_it() {
        assert_eq!(refusals(&scenario(0.05)), "");
        let mut large = scenario(5.0);
        let reported = refusals(&large);
        for words in [
            "4,000,000",
            "120 months",
            "contracts_per_trial = ",
            "cohort",
        ] {
            assert!(reported.contains(words), "{words} is not in {reported}");
        }
        large.limits.contracts_per_trial = 1_000_000_000_000;
        assert_eq!(refusals(&large), "");
        large.limits = Limits::default();
        large.segments[0].allocation = Allocation::Cohort;
        large.segments[0].outreach_growth_per_year = 2.0.into();
        assert_eq!(refusals(&large), "");
        large.segments[0].outreach_growth_per_year = 50.0.into();
        assert!(refusals(&large).contains("in a month"));
    }
}
