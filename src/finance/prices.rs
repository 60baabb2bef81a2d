//! What energy costs and what tenants pay.

use serde::{Deserialize, Serialize};

use super::RATE;
use crate::problem::{Path, Problems, check_known};
use crate::schedule::is_false;
use crate::uncertain::{Domain, Uncertain};

/// What the energy of a campus costs.
///
/// With the facility's mean power d, its contracted power c (the facility power of the deployable
/// capacity), both in kW, and h hours a month (730.5):
///
/// ```text
/// energy        max(d, minimum_take_share x c) x h x price
/// demand charge min(peak_to_mean x d, max(c, d)) x demand charge per kW and month
/// ```
///
/// Where a campus states what its energy costs by itself ([`crate::power::Energy`]), that takes the
/// place of the first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EnergyTariff {
    /// The campus; left out, every campus that has no tariff of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campus: Option<String>,
    /// Price of a kWh, the mean over the times of use. Drawn once a trial. Give this or `times_of_use`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_kwh: Option<Uncertain>,
    /// Prices by time of use, which are averaged by the share of the energy that falls into each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times_of_use: Vec<TimeOfUse>,
    /// By how much all prices of energy rise a year, as a share. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub growth_per_year: Uncertain,
    /// What each kW of the month's highest facility power costs a month. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub demand_charge_per_kw_month: Uncertain,
    /// The month's highest facility power / its mean, 1 or more (assumption if left out: 1.1).
    #[serde(default = "peak")]
    pub peak_to_mean: f64,
    /// The share of the contracted power whose energy is paid for whether it is drawn or not (take or pay), 0 to 1.
    #[serde(default)]
    pub minimum_take_share: f64,
    /// The share of the energy cost that tenants refund, 0 to 1.
    #[serde(default)]
    pub passed_on_share: f64,
}

/// The price of energy at some hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeOfUse {
    /// The share of the energy that falls into these hours; all shares sum to 1.
    pub share: f64,
    /// The price of a kWh in these hours. Drawn once a trial.
    pub price_per_kwh: Uncertain,
}

fn peak() -> f64 {
    1.1
}

/// What the tenants of a segment pay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The segment.
    pub segment: String,
    /// Rent of a kW of critical IT power in service, or of the minimum take if that is more, a month. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub per_kw_month: Uncertain,
    /// Price of a PFLOPS in service and available, an hour, at the scenario's precision. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub per_pflops_hour: Uncertain,
    /// By how much the rent rises a year, as a share. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub rent_growth_per_year: Uncertain,
    /// By how much the price of a PFLOPS-hour rises a year, as a share; negative as new generations make compute cheaper. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub compute_growth_per_year: Uncertain,
    /// By how much a PFLOPS-hour of older hardware is cheaper, as a share for each year that it has been live, 0 to 1. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub discount_per_year_of_age: Uncertain,
    /// Whether a contract keeps the rent of the month of its signature, but for `indexation_per_year`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fixed_at_signature: bool,
    /// By how much a rent that was fixed rises a year, as a share. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub indexation_per_year: Uncertain,
}

impl EnergyTariff {
    /// A tariff of one price for every campus that has no other.
    pub fn new(price_per_kwh: impl Into<Uncertain>) -> Self {
        Self {
            campus: None,
            price_per_kwh: Some(price_per_kwh.into()),
            times_of_use: Vec::new(),
            growth_per_year: Uncertain::zero(),
            demand_charge_per_kw_month: Uncertain::zero(),
            peak_to_mean: peak(),
            minimum_take_share: 0.0,
            passed_on_share: 0.0,
        }
    }

    /// Whether it says what a kWh costs or how many are paid for.
    pub(super) fn has_price(&self) -> bool {
        self.price_per_kwh.is_some()
            || !self.times_of_use.is_empty()
            || self.minimum_take_share > 0.0
    }

    pub(super) fn check<'a>(
        &self,
        campuses: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        if let Some(campus) = &self.campus {
            check_known("campus", campus, campuses, &at.key("campus"), problems);
        }
        if let Some(price) = &self.price_per_kwh {
            price.check(Domain::NON_NEGATIVE, &at.key("price_per_kwh"), problems);
            if !self.times_of_use.is_empty() {
                problems.error(
                    &at.key("times_of_use"),
                    "the price of a kWh is given twice",
                    "give either `price_per_kwh` or `times_of_use`",
                );
            }
        }
        let mut total = 0.0;
        for (position, time) in self.times_of_use.iter().enumerate() {
            let at = at.key("times_of_use").index(position);
            time.price_per_kwh
                .check(Domain::NON_NEGATIVE, &at.key("price_per_kwh"), problems);
            check_share(time.share, "share", &at, problems);
            total += time.share;
        }
        if !self.times_of_use.is_empty() && (total - 1.0).abs() > 1e-9 {
            problems.error(
                &at.key("times_of_use"),
                format!("the shares sum to {total}"),
                "they must sum to 1",
            );
        }
        self.growth_per_year
            .check(RATE, &at.key("growth_per_year"), problems);
        self.demand_charge_per_kw_month.check(
            Domain::NON_NEGATIVE,
            &at.key("demand_charge_per_kw_month"),
            problems,
        );
        if !(self.peak_to_mean.is_finite() && self.peak_to_mean >= 1.0) {
            problems.error(
                &at.key("peak_to_mean"),
                format!("peak_to_mean is {}", self.peak_to_mean),
                "1 or more",
            );
        }
        check_share(self.minimum_take_share, "minimum_take_share", at, problems);
        check_share(self.passed_on_share, "passed_on_share", at, problems);
    }
}

impl Price {
    /// A segment that pays nothing yet.
    pub fn new(segment: impl Into<String>) -> Self {
        Self {
            segment: segment.into(),
            per_kw_month: Uncertain::zero(),
            per_pflops_hour: Uncertain::zero(),
            rent_growth_per_year: Uncertain::zero(),
            compute_growth_per_year: Uncertain::zero(),
            discount_per_year_of_age: Uncertain::zero(),
            fixed_at_signature: false,
            indexation_per_year: Uncertain::zero(),
        }
    }

    pub(super) fn check<'a>(
        &self,
        segments: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_known(
            "segment",
            &self.segment,
            segments,
            &at.key("segment"),
            problems,
        );
        for (amount, key) in [
            (&self.per_kw_month, "per_kw_month"),
            (&self.per_pflops_hour, "per_pflops_hour"),
        ] {
            amount.check(Domain::NON_NEGATIVE, &at.key(key), problems);
        }
        for (rate, key) in [
            (&self.rent_growth_per_year, "rent_growth_per_year"),
            (&self.compute_growth_per_year, "compute_growth_per_year"),
            (&self.indexation_per_year, "indexation_per_year"),
        ] {
            rate.check(RATE, &at.key(key), problems);
        }
        self.discount_per_year_of_age.check(
            Domain::SHARE,
            &at.key("discount_per_year_of_age"),
            problems,
        );
    }
}

fn check_share(share: f64, key: &str, at: &Path, problems: &mut Problems) {
    if !(0.0..=1.0).contains(&share) {
        problems.error(&at.key(key), format!("{key} is {share}"), "0 to 1");
    }
}
