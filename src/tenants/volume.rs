//! How many companies a scenario may ask for in a trial, at the upper end of what it states.
//!
//! Growth compounds: an outreach that grows by 30 % a year is 500,000 times as large after fifty years. What a scenario
//! asks for is therefore added up over its horizon before anything runs.

use super::{Allocation, Regime, RegimeState, Segment, Voucher};
use crate::date::Date;
use crate::uncertain::{Domain, Uncertain};

/// The share of trials in which a quantity is not above what is counted with (assumption: runs have some 10,000 trials).
const UPPER_END: f64 = 0.9999;

/// What a segment may come to in a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Volume {
    /// Companies contacted over the horizon.
    pub(crate) contacted: f64,
    /// Companies contacted in the month of most of them.
    pub(crate) contacted_in_a_month: f64,
    /// Contracts that are simulated one by one.
    pub(crate) contracts: f64,
}

/// What is shared by segments and changes how many sign.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) regimes: &'a [Regime],
    pub(crate) vouchers: &'a [Voucher],
    pub(crate) start: Date,
    pub(crate) months: u32,
}

fn upper(quantity: &Uncertain, domain: Domain) -> f64 {
    let sampler = quantity.sampler(domain);
    sampler.map_or(0.0, |sampler| sampler.at(UPPER_END))
}

/// A campaign at its upper end.
struct UpperCampaign {
    first: f64,
    end: f64,
    outreach: f64,
    sign: f64,
    extra: f64,
}

impl Segment {
    /// What the segment may come to in a trial, with each quantity at its upper end. Infinite where it exceeds all numbers.
    pub(crate) fn volume(&self, around: Surroundings<'_>) -> Volume {
        let mut volume = Volume::default();
        let (outreach_factor, sign_factor) = self.factors_of(around);
        let sign = upper(&self.sign_probability, Domain::SHARE) * sign_factor;
        let season = (self.seasonality.iter().copied().reduce(f64::max)).unwrap_or(1.0);
        let growth = 1.0 + upper(&self.outreach_growth_per_year, super::GROWTH.domain);
        let growth = libm::pow(growth, 1.0 / 12.0);
        let mut trend = upper(&self.outreach_per_month, Domain::NON_NEGATIVE);
        let campaigns = self.upper_campaigns(around.start);
        for month in 0..around.months {
            let mut contacted = season * trend;
            trend *= growth;
            if let Some(curve) = &self.outreach_curve {
                // All of them may come in one month.
                contacted = match month {
                    0 => season * upper(&curve.companies, Domain::NON_NEGATIVE),
                    _ => 0.0,
                };
            }
            let (mut sign_in_campaigns, mut extra) = (1.0, 0.0);
            for campaign in &campaigns {
                let is_on = (campaign.first..campaign.end).contains(&f64::from(month));
                if is_on || self.outreach_curve.is_some() {
                    contacted *= campaign.outreach;
                    sign_in_campaigns *= campaign.sign;
                    extra += campaign.extra;
                }
            }
            let contacted = (contacted + extra) * outreach_factor;
            volume.contacted += contacted;
            volume.contacted_in_a_month = volume.contacted_in_a_month.max(contacted);
            volume.contracts += contacted * (sign * sign_in_campaigns).min(1.0);
        }
        if let Some(existing) = &self.existing {
            volume.contracts += f64::from(existing.contracts_signed);
            volume.contracts += f64::from(existing.companies_negotiating);
        }
        if self.expansion.is_some() {
            volume.contracts *= 2.0;
        }
        if self.allocation == Allocation::Cohort {
            // Groups of the same months: their number does not depend on that of the companies.
            volume.contracts = 0.0;
        }
        volume
    }

    fn upper_campaigns(&self, start: Date) -> Vec<UpperCampaign> {
        let campaigns = self.campaigns.iter();
        let at_upper_end = campaigns.map(|campaign| {
            let first = campaign.starts.months_after(start).floor();
            UpperCampaign {
                first,
                end: first + f64::from(campaign.duration_months),
                outreach: upper(&campaign.outreach_factor, Domain::NON_NEGATIVE),
                sign: upper(&campaign.sign_factor, Domain::NON_NEGATIVE),
                extra: upper(&campaign.extra_per_month, Domain::NON_NEGATIVE),
            }
        });
        at_upper_end.collect()
    }

    /// By how much regimes at their best multiply the outreach, and regimes and vouchers the probability of signing.
    fn factors_of(&self, around: Surroundings<'_>) -> (f64, f64) {
        let (mut outreach, mut sign) = (1.0, 1.0);
        for regime in around.regimes {
            if !is_named(&regime.segments, &self.name) {
                continue;
            }
            let best = |of: fn(&RegimeState) -> &Uncertain| {
                let factors = regime.states.iter();
                let factors = factors.map(|state| upper(of(state), Domain::NON_NEGATIVE));
                factors.fold(0.0, f64::max)
            };
            outreach *= best(|state| &state.outreach_factor);
            sign *= best(|state| &state.sign_factor);
        }
        for voucher in around.vouchers {
            if !voucher.is_off && is_named(&voucher.segments, &self.name) {
                sign *= upper(&voucher.sign_factor, Domain::NON_NEGATIVE).max(1.0);
            }
        }
        (outreach, sign)
    }
}

fn is_named(names: &[String], wanted: &str) -> bool {
    names.is_empty() || names.iter().any(|name| name == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants::{AdoptionCurve, Campaign, ExistingTenants, Expansion};

    const MONTHS: u32 = 24;

    /// Two years with these regimes and vouchers.
    fn around<'a>(regimes: &'a [Regime], vouchers: &'a [Voucher]) -> Surroundings<'a> {
        Surroundings {
            regimes,
            vouchers,
            start: Date::month(2025, 1).unwrap(),
            months: MONTHS,
        }
    }

    fn volume(segment: &Segment) -> Volume {
        segment.volume(around(&[], &[]))
    }

    fn segment(outreach: f64, growth: f64) -> Segment {
        let mut segment = Segment::new("s");
        segment.outreach_per_month = outreach.into();
        segment.sign_probability = 0.5.into();
        segment.outreach_growth_per_year = growth.into();
        segment
    }

    #[test]
    fn growth_compounds_over_the_horizon() {
        let plain = volume(&segment(10.0, 0.0));
        assert_eq!((plain.contacted, plain.contracts), (240.0, 120.0));
        // A geometric series: 10 (g^24 - 1)/(g - 1) with g = 2^(1/12).
        let g = 2.0_f64.powf(1.0 / 12.0);
        let doubling = volume(&segment(10.0, 1.0));
        let exact = 10.0 * 3.0 / (g - 1.0);
        assert!((doubling.contacted / exact - 1.0).abs() < 1e-12);
        assert!((doubling.contacted_in_a_month / (10.0 * 4.0 / g) - 1.0).abs() < 1e-12);
        assert!((doubling.contracts / (exact / 2.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_upper_end_of_a_distribution_counts_and_cohorts_are_groups() {
        let mut one = segment(0.0, 0.0);
        one.outreach_per_month = Uncertain::uniform(0.0, 10.0);
        assert!((volume(&one).contacted - 24.0 * 10.0 * UPPER_END).abs() < 1e-9);
        one.allocation = Allocation::Cohort;
        assert_eq!(volume(&one).contracts, 0.0);
    }

    #[test]
    fn campaigns_and_the_best_season_count_in_their_months() {
        let mut one = segment(10.0, 0.0);
        one.seasonality = vec![0.5, 1.0, 1.5, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        one.campaigns.push(Campaign {
            name: "fair".to_owned(),
            starts: Date::month(2025, 4).unwrap(),
            duration_months: 3,
            outreach_factor: 2.0.into(),
            sign_factor: 1.2.into(),
            extra_per_month: 5.0.into(),
        });
        // 15 companies a month, of which a half signs; in three months 2 x 15 + 5, of which 0.6.
        let found = volume(&one);
        assert!((found.contacted - (21.0 * 15.0 + 3.0 * 35.0)).abs() < 1e-9);
        assert_eq!(found.contacted_in_a_month, 35.0);
        let signed = 21.0 * 15.0 * 0.5 + 3.0 * 35.0 * 0.6;
        assert!((found.contracts - signed).abs() < 1e-9, "{found:?}");
        // Nobody signs twice.
        one.campaigns[0].sign_factor = 7.0.into();
        let signed = 21.0 * 15.0 * 0.5 + 3.0 * 35.0;
        assert!((volume(&one).contracts - signed).abs() < 1e-9);
        // One that is over before the start, or begins after the end, changes nothing.
        for starts in [Date::month(2024, 10), Date::month(2027, 1)] {
            one.campaigns[0].starts = starts.unwrap();
            assert_eq!(volume(&one).contacted, 24.0 * 15.0);
        }
    }

    #[test]
    fn all_companies_of_a_curve_may_come_in_one_month() {
        let mut one = segment(0.0, 0.0);
        one.outreach_curve = Some(AdoptionCurve::bass(400.0, 0.03, 0.38));
        one.seasonality = vec![1.25; 12];
        let found = volume(&one);
        assert_eq!(
            (found.contacted, found.contacted_in_a_month),
            (500.0, 500.0)
        );
        assert_eq!(found.contracts, 250.0);
    }

    #[test]
    fn regimes_at_their_best_and_vouchers_raise_what_they_touch() {
        let state = |name: &str, outreach: f64, sign: f64| {
            let mut state = RegimeState::new(name);
            state.outreach_factor = outreach.into();
            state.sign_factor = sign.into();
            state
        };
        let mut regime = Regime::new(
            "market",
            vec![state("normal", 1.0, 1.0), state("boom", 3.0, 0.5)],
        );
        let mut voucher = Voucher::new("grants", 1e6, 10.0);
        voucher.sign_factor = 1.5.into();
        let one = segment(10.0, 0.0);
        let of = |regime: &Regime, voucher: &Voucher| {
            let (regimes, vouchers) = ([regime.clone()], [voucher.clone()]);
            let found = one.volume(around(&regimes, &vouchers));
            (found.contacted, found.contracts)
        };
        // Three times as many at best, and of them 0.5 x 1 (the state of the best signing) x 1.5.
        assert_eq!(of(&regime, &voucher), (720.0, 540.0));
        // A voucher keeps nobody from signing, and one that is off changes nothing.
        voucher.sign_factor = 0.2.into();
        assert_eq!(of(&regime, &voucher), (720.0, 360.0));
        voucher.sign_factor = 1.5.into();
        voucher.is_off = true;
        assert_eq!(of(&regime, &voucher), (720.0, 360.0));
        // Neither touches a segment that it does not name.
        voucher.is_off = false;
        voucher.segments = vec!["others".to_owned()];
        assert_eq!(of(&regime, &voucher), (720.0, 360.0));
        regime.segments = vec!["others".to_owned()];
        assert_eq!(of(&regime, &voucher), (240.0, 120.0));
        regime.segments.push("s".to_owned());
        voucher.segments.push("s".to_owned());
        assert_eq!(of(&regime, &voucher), (720.0, 540.0));
    }

    #[test]
    fn those_who_are_there_and_their_expansions_are_contracts() {
        let mut one = segment(10.0, 0.0);
        one.existing = Some(
            ExistingTenants::new()
                .companies_contacted(30)
                .companies_negotiating(7)
                .contracts_signed(5),
        );
        assert_eq!(volume(&one).contracts, 120.0 + 5.0 + 7.0);
        assert_eq!(volume(&one).contacted, 240.0);
        one.expansion = Some(Expansion {
            probability: 0.1.into(),
            after_months: 6.0.into(),
            size_share: 0.5.into(),
        });
        assert_eq!(volume(&one).contracts, 2.0 * 132.0);
    }
}
