//! Batteries behind the meter, which run empty.
//!
//! A battery makes no energy: it moves what the grid and the generation on the site give in one hour
//! to another. A month is settled by its mean day, in which the draw has two levels: for the hours a day
//! for which the battery is counted on, tenants draw all that they have in service; in the other hours
//! so much less that the day has its mean draw. With S what grid and generation give, P the peak, B the
//! base, h the hours at the peak, E the usable energy, W the power, and η the share of what is charged
//! that comes back:
//!
//! ```text
//! wanted     = (P - S) h,  at most W h and E
//! to be had  = η (S - B) (24 - h)
//! discharged = the smaller of both;   charged = discharged / η
//! unserved   = (P - S) h - discharged + (B - S) (24 - h)     (each part where it is above 0)
//! ```
//!
//! What is not modelled: the state of charge from day to day (each day begins as it ended), renewables on
//! the site as a source to charge from, ageing. In hours of curtailment all of the battery is counted on,
//! as if the day's peak did not fall in them; it has been charged again when the next ones begin as far
//! as there was more power than draw between them.

use crate::field::{MEGAWATT_HOURS, NUMBER, SHARE, plan};
use crate::problem::{Path, Problems};

const HOURS_PER_DAY: f64 = 24.0;

plan! {
    /// What makes bridge power a battery.
    #[derive(Copy)]
    pub struct Storage {
        /// Usable energy of one unit, in MWh, above 0.
        pub energy_mwh: f64 => MEGAWATT_HOURS,
        /// For how many hours a day it is counted on, above 0 and below 24: so long its power lasts, and so long the campus draws its peak.
        pub hours_per_day: f64 => NUMBER.above_zero(),
        /// Share of the energy charged that comes back, above 0 to 1 (assumption if left out: 0.86).
        pub returned_share: f64 = 0.86 => SHARE.within(f64::MIN_POSITIVE, 1.0),
    }
    /// A battery of units of this usable energy, counted on for this many hours a day.
    pub fn new;
}

impl Storage {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        let hours = self.hours_per_day;
        if hours >= HOURS_PER_DAY {
            problems.error(
                &at.key("hours_per_day"),
                format!("hours_per_day is {hours}"),
                "below 24: it has to be charged in the others",
            );
        }
    }
}

/// A battery as it stands on a campus: all units that are not spare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Battery {
    /// Power, in kW.
    pub power_kw: f64,
    /// Usable energy, in kWh.
    pub energy_kwh: f64,
    /// For how many hours a day it is counted on.
    pub hours_per_day: f64,
    /// Share of the energy charged that comes back.
    pub returned_share: f64,
}

/// What a battery does in some time, in kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BatteryUse {
    /// What it gives.
    pub discharged_kwh: f64,
    /// What it takes for that.
    pub charged_kwh: f64,
    /// What is asked for and not served.
    pub unserved_kwh: f64,
}

impl Battery {
    /// What it gives for all of its hours a day, in kW: the smaller of its power and its energy over
    /// those hours.
    pub fn firm_kw(&self) -> f64 {
        self.power_kw.min(self.energy_kwh / self.hours_per_day)
    }

    /// The most that it can hold for its hours each day if it is charged in the others by
    /// `sustained_kw` of grid and generation that nothing else is drawn from, in kW.
    pub fn rechargeable_kw(&self, sustained_kw: f64) -> f64 {
        let others = HOURS_PER_DAY - self.hours_per_day;
        self.firm_kw()
            .min(sustained_kw * others * self.returned_share / self.hours_per_day)
    }

    /// A day of this mean draw and peak, all in kW, while grid and generation give `sustained_kw`.
    ///
    /// ```
    /// use buildout::power::Battery;
    /// let battery = Battery { power_kw: 20.0, energy_kwh: 80.0, hours_per_day: 4.0, returned_share: 0.8 };
    /// // 100 kW at the peak, 70 kW on average, so 64 kW in the other hours; the grid gives 90 kW.
    /// let day = battery.day(90.0, 70.0, 100.0);
    /// assert_eq!((day.discharged_kwh, day.charged_kwh, day.unserved_kwh), (40.0, 50.0, 0.0));
    /// // A grid of 60 kW leaves nothing to charge it with.
    /// assert_eq!(battery.day(60.0, 70.0, 100.0).discharged_kwh, 0.0);
    /// ```
    pub fn day(&self, sustained_kw: f64, mean_kw: f64, peak_kw: f64) -> BatteryUse {
        if mean_kw <= 0.0 || peak_kw <= 0.0 {
            return BatteryUse::default();
        }
        let peak_kw = peak_kw.max(mean_kw);
        let asked_kwh = HOURS_PER_DAY * mean_kw;
        let hours = self.hours_per_day.min(asked_kwh / peak_kw);
        let others = HOURS_PER_DAY - hours;
        let base_kw = ((asked_kwh - hours * peak_kw) / others).max(0.0);
        let short_kw = (peak_kw - sustained_kw).max(0.0);
        let to_be_had = (sustained_kw - base_kw).max(0.0) * others * self.returned_share;
        let discharged_kwh = (short_kw.min(self.power_kw) * hours)
            .min(self.energy_kwh)
            .min(to_be_had);
        BatteryUse {
            discharged_kwh,
            charged_kwh: discharged_kwh / self.returned_share,
            unserved_kwh: short_kw * hours - discharged_kwh
                + (base_kw - sustained_kw).max(0.0) * others,
        }
    }

    /// One event of `hours` in which `short_kw` are lacking, with `surplus_kw` to charge from in the
    /// `between_hours` to the next.
    pub fn event(
        &self,
        short_kw: f64,
        hours: f64,
        surplus_kw: f64,
        between_hours: f64,
    ) -> BatteryUse {
        let to_be_had = surplus_kw.max(0.0) * between_hours * self.returned_share;
        let discharged_kwh = (short_kw.min(self.power_kw) * hours)
            .min(self.energy_kwh)
            .min(to_be_had);
        BatteryUse {
            discharged_kwh,
            charged_kwh: discharged_kwh / self.returned_share,
            unserved_kwh: short_kw * hours - discharged_kwh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BATTERY: Battery = Battery {
        power_kw: 50.0,
        energy_kwh: 120.0,
        hours_per_day: 4.0,
        returned_share: 0.8,
    };

    #[test]
    fn power_lasts_as_long_as_the_energy() {
        assert_eq!(BATTERY.firm_kw(), 30.0);
        let small = Battery {
            power_kw: 10.0,
            ..BATTERY
        };
        assert_eq!(small.firm_kw(), 10.0);
        // 20 hours of 5 kW x 0.8 give 20 kW for 4 hours; with nothing to charge from there is nothing.
        assert_eq!(BATTERY.rechargeable_kw(5.0), 20.0);
        assert_eq!(BATTERY.rechargeable_kw(0.0), 0.0);
    }

    #[test]
    fn a_flat_draw_above_what_is_sustained_is_not_served_by_a_battery() {
        let day = BATTERY.day(80.0, 100.0, 100.0);
        assert_eq!(day.discharged_kwh, 0.0);
        assert_eq!(day.unserved_kwh, 20.0 * 24.0);
    }

    #[test]
    fn it_runs_empty_in_a_long_event_and_is_full_again_when_there_was_time() {
        let short = BATTERY.event(40.0, 2.0, 10.0, 1_000.0);
        assert_eq!((short.discharged_kwh, short.unserved_kwh), (80.0, 0.0));
        let long = BATTERY.event(40.0, 6.0, 10.0, 1_000.0);
        assert_eq!((long.discharged_kwh, long.unserved_kwh), (120.0, 120.0));
        assert_eq!(BATTERY.event(40.0, 6.0, 0.0, 1_000.0).discharged_kwh, 0.0);
        assert_eq!(BATTERY.event(40.0, 6.0, 1.0, 50.0).discharged_kwh, 40.0);
    }

    proptest! {
        #[test]
        fn a_day_uses_no_more_than_it_is_fed(
            power in 1.0..100.0, energy in 1.0..500.0, hours in 0.5..23.0, returned in 0.5..1.0,
            sustained in 0.0..200.0, mean in 1.0..150.0, more in 0.0..150.0,
        ) {
            let battery = Battery {
                power_kw: power, energy_kwh: energy, hours_per_day: hours, returned_share: returned,
            };
            let day = battery.day(sustained, mean, mean + more);
            let served = 24.0 * mean - day.unserved_kwh;
            prop_assert!(day.unserved_kwh >= -1e-9 && served >= -1e-9);
            prop_assert!(day.discharged_kwh <= energy + 1e-9);
            let fed = served + day.charged_kwh - day.discharged_kwh;
            prop_assert!(fed <= 24.0 * sustained + 1e-6, "{} {}", fed, 24.0 * sustained);
            // More of it never serves less.
            let larger = Battery { energy_kwh: energy * 2.0, power_kw: power * 2.0, ..battery };
            prop_assert!(larger.day(sustained, mean, mean + more).unserved_kwh <= day.unserved_kwh + 1e-9);
        }
    }
}
