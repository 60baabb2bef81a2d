//! What energy costs and what tenants pay.

use crate::field::{GROWTH, MONEY, NUMBER, SHARE, plan};
use crate::problem::{Path, Problems, check_known};
use crate::uncertain::Uncertain;

plan! {
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
    pub struct EnergyTariff in "finance/energy/CAMPUS" {
        /// The campus; left out, every campus that has no tariff of its own.
        pub campus: Option<String>,
        /// Price of a kWh, the mean over the times of use. Drawn once a trial. Give this or `times_of_use`.
        pub price_per_kwh: Option<Uncertain> => MONEY.input("price"),
        /// Prices by time of use, which are averaged by the share of the energy that falls into each.
        pub times_of_use: Vec<TimeOfUse> = [],
        /// By how much all prices of energy rise a year, as a share. Drawn once a trial.
        pub growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("growth"),
        /// What each kW of the month's highest facility power costs a month. Drawn once a trial.
        pub demand_charge_per_kw_month: Uncertain = Uncertain::zero() => MONEY.input("demand charge"),
        /// The month's highest facility power / its mean, 1 or more (assumption if left out: 1.1).
        pub peak_to_mean: f64 = 1.1 => NUMBER.within(1.0, f64::INFINITY),
        /// The share of the contracted power whose energy is paid for whether it is drawn or not (take or pay), 0 to 1.
        pub minimum_take_share: f64 = 0.0 => SHARE,
        /// The share of the energy cost that tenants refund, 0 to 1.
        pub passed_on_share: f64 = 0.0 => SHARE,
    }
    fn without_price;
}

plan! {
    /// The price of energy at some hours.
    pub struct TimeOfUse {
        /// The share of the energy that falls into these hours; all shares sum to 1.
        pub share: f64 => SHARE,
        /// The price of a kWh in these hours. Drawn once a trial.
        pub price_per_kwh: Uncertain => MONEY,
    }
    /// The price of a kWh in that share of the energy.
    pub fn new;
}

plan! {
    /// What the tenants of a segment pay.
    pub struct Price in "finance/prices/SEGMENT" {
        /// The segment.
        pub segment: String,
        /// Rent of a kW of critical IT power in service, or of the minimum take if that is more, a month. Drawn once a trial.
        pub per_kw_month: Uncertain = Uncertain::zero() => MONEY.input("rent"),
        /// Price of a PFLOPS in service and available, an hour, at the scenario's precision. Drawn once a trial.
        pub per_pflops_hour: Uncertain = Uncertain::zero() => MONEY.input("compute"),
        /// By how much the rent rises a year, as a share. Drawn once a trial.
        pub rent_growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("rent growth"),
        /// By how much the price of a PFLOPS-hour rises a year, as a share; negative as new generations make compute cheaper. Drawn once a trial.
        pub compute_growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("compute growth"),
        /// By how much a PFLOPS-hour of older hardware is cheaper, as a share for each year that it has been live, 0 to 1. Drawn once a trial.
        pub discount_per_year_of_age: Uncertain = Uncertain::zero() => SHARE.input("discount of age"),
        /// Whether a contract keeps the rent of the month of its signature, but for `indexation_per_year`.
        pub fixed_at_signature: bool [= false],
        /// By how much a rent that was fixed rises a year, as a share. Drawn once a trial.
        pub indexation_per_year: Uncertain = Uncertain::zero() => GROWTH.input("indexation"),
    }
    /// A segment that pays nothing yet.
    pub fn new;
}

impl EnergyTariff {
    /// A tariff of one price for every campus that has no other.
    pub fn new(price_per_kwh: impl Into<Uncertain>) -> Self {
        Self::without_price().price_per_kwh(price_per_kwh)
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
        self.check_fields(at, problems);
        if self.price_per_kwh.is_some() && !self.times_of_use.is_empty() {
            problems.error(
                &at.key("times_of_use"),
                "the price of a kWh is given twice",
                "give either `price_per_kwh` or `times_of_use`",
            );
        }
        let mut total = 0.0;
        for (position, time) in self.times_of_use.iter().enumerate() {
            time.check_fields(&at.key("times_of_use").index(position), problems);
            total += time.share;
        }
        if !self.times_of_use.is_empty() && (total - 1.0).abs() > 1e-9 {
            problems.error(
                &at.key("times_of_use"),
                format!("the shares sum to {total}"),
                "they must sum to 1",
            );
        }
    }
}

impl Price {
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
        self.check_fields(at, problems);
    }
}
