//! Power: from the grid to the rack, what is lost on the way, and what it emits.
//!
//! Facility power (MW) = critical IT power (MW) x PUE (The Green Grid; ISO/IEC 30134-2).
//! Halls are fed in the order in which they are handed over, each as much as it can take, from
//! what its building's own chain, its substation and the campus grid have left:
//!
//! ```text
//! grid steps, bridge power ─▶ substation ─▶ electrical chain ─▶ rows ─▶ hall
//!        MW import               MW            kW IT, after redundancy   kW IT
//! ```
//!
//! - [`grid`]: applications, steps that slip, ramps, bridge power, curtailment;
//! - [`battery`]: how long batteries last, and what recharging them takes;
//! - [`redundancy`], [`availability`], [`chain`]: what installed modules may carry, and how often they do;
//! - [`delivery`]: in which row a rack finds room, in normal running and after a failure;
//! - [`cooling`]: PUE by load and outdoor temperature, water;
//! - [`energy`]: where the energy comes from, what it costs and emits.
//!
//! # What is stranded
//! Of what a hall is made for (positions x power of its rack type, within the hall's power) the
//! causes take their part in this order, and what is left is deployable:
//!
//! | cause | what it takes |
//! | --- | --- |
//! | density | what the racks in the positions do not take because they are less dense, or too large to fill them |
//! | cooling | what the hall's cooling cannot take away |
//! | delivery | racks for which no row has room, normally or after a failure |
//! | redundancy not complete | what installed modules would carry were their groups complete |
//! | space without power | what chain, substation or grid do not give |
//! | equipment late | what has power but no hardware yet, or none while it is replaced |
//!
//! Each is in MW at the end of a month, so that its sum over months is in MW-months.
//!
//! On the other side, power without space is what is energised and not given to any hall. So in every
//! month and trial built power = deployable power + the six above.

pub mod availability;
pub mod battery;
pub mod chain;
mod connection;
pub mod cooling;
pub mod delivery;
pub mod energy;
pub mod grid;
pub mod redundancy;

pub use availability::{GroupAvailability, ModuleGroup, Part, plant_availability};
pub use battery::{Battery, BatteryUse, Storage};
pub use chain::{ElectricalChain, ModuleStage};
pub(crate) use connection::{
    Capacity, CompiledBridge, CompiledChain, CompiledCurtailment, CompiledStep, Connection, Size,
};
pub use cooling::{Cooling, Efficiency, FacilityPower, Losses, mechanical_share};
pub use delivery::{Delivery, DeliveryError, DeliveryTree, Deployment, Placement, Refusal};
pub use energy::{Energy, OnOff, Renewable, matched_mw};
pub use grid::{BridgePower, Curtailment, GridApplication, GridStep};
pub use redundancy::{Redundancy, RedundancyError};

use crate::date::Date;
use crate::field::{MEGAWATTS, MONTHS, SHARE, plan};
use crate::problem::{Path, Problems, check_name};
use crate::schedule::{Activity, Dependency, check_activities, warn_of_unlikely};
use crate::uncertain::Uncertain;

plan! {
    /// A substation, energised when its activities have finished.
    pub struct Substation {
        /// Its name, unique on its campus.
        pub name: String,
        /// Facility power that it carries once energised, in MW, above 0. Drawn once a trial.
        pub power_mw: Uncertain => MEGAWATTS.input("power"),
        /// When its first activity may start; left out, at the start of the scenario.
        pub starts: Option<Date>,
        /// What must have finished before its first activity starts.
        pub after: Vec<Dependency> = [],
        /// How much later than its date, and than what it waits for, its first activity may start, in months; negative: earlier. Drawn once a trial.
        pub delay_months: Uncertain [= Uncertain::zero()] => MONTHS.any().input("delay"),
        /// The class of plans that it belongs to, which says how plans slip, grow and are dropped.
        pub plan_class: Option<String>,
        /// The probability that it is built at all, 0 to 1; in the other trials it never is, nor what waits for it.
        pub probability: Option<f64> => SHARE,
        /// Its activities from start to energisation; a list is a chain unless `after` says otherwise.
        pub activities: Vec<Activity>,
    }
    /// A substation whose activities begin at the start of the scenario.
    pub fn new;
}

impl Substation {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        check_activities(&self.activities, &at.key("activities"), problems);
        warn_of_unlikely(&self.activities, &at.key("activities"), problems);
        if self.activities.is_empty() {
            problems.error(
                at,
                format!("substation \"{}\" has no activities", self.name),
                "list what leads to its energisation, one activity or more",
            );
        }
    }
}

/// What feeds one hall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feed {
    /// Position of its building among those of the campus.
    pub(crate) building: usize,
    /// Position of its substation, if it has one.
    pub(crate) substation: Option<usize>,
}

/// What is left to give, in kW of critical IT power.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headroom {
    grid_kw: f64,
    substations_kw: Vec<f64>,
    buildings_kw: Vec<f64>,
}

impl Headroom {
    /// Begins an allocation: all in kW of critical IT power, infinite where there is no limit.
    pub(crate) fn reset(
        &mut self,
        grid_kw: f64,
        substations_kw: impl Iterator<Item = f64>,
        buildings_kw: impl Iterator<Item = f64>,
    ) {
        self.grid_kw = grid_kw;
        self.substations_kw.clear();
        self.substations_kw.extend(substations_kw);
        self.buildings_kw.clear();
        self.buildings_kw.extend(buildings_kw);
    }

    /// More import, in kW of critical IT power.
    pub(crate) fn add_grid(&mut self, kw: f64) {
        self.grid_kw += kw;
    }

    /// A substation energised, in kW of critical IT power.
    pub(crate) fn add_substation(&mut self, substation: usize, kw: f64) {
        self.substations_kw[substation] += kw;
    }

    /// Modules of a building's own chain energised, in kW of critical IT power.
    pub(crate) fn add_building(&mut self, building: usize, kw: f64) {
        self.buildings_kw[building] += kw;
    }

    /// A hall gives back what it no longer takes, in kW of critical IT power.
    pub(crate) fn take_back(&mut self, feed: Feed, kw: f64) {
        self.grid_kw += kw;
        self.buildings_kw[feed.building] += kw;
        if let Some(substation) = feed.substation {
            self.substations_kw[substation] += kw;
        }
    }

    /// What the grid and a hall's substation have left, and what its building has, in kW; infinite where
    /// there is no limit.
    pub(crate) fn left_kw(&self, feed: Feed) -> (f64, f64) {
        let substation = feed.substation.map(|at| self.substations_kw[at]);
        let upstream = substation.map_or(self.grid_kw, |left| left.min(self.grid_kw));
        (upstream, self.buildings_kw[feed.building])
    }

    /// As [`Self::unused_kw`], but infinite where nothing limits power.
    pub(crate) fn spare_kw(&self) -> f64 {
        let substations: f64 = self.substations_kw.iter().sum();
        if self.substations_kw.is_empty() {
            self.grid_kw
        } else {
            self.grid_kw.min(substations)
        }
    }

    /// Whether a building's own chain has nothing left to give.
    pub(crate) fn is_building_full(&self, building: usize) -> bool {
        self.buildings_kw[building] <= 0.0
    }

    /// Gives a hall as much of `wanted_kw` as every level above it has left, and returns it.
    pub(crate) fn give(&mut self, feed: Feed, wanted_kw: f64) -> f64 {
        let mut given = wanted_kw
            .min(self.grid_kw)
            .min(self.buildings_kw[feed.building]);
        if let Some(substation) = feed.substation {
            given = given.min(self.substations_kw[substation]);
            self.substations_kw[substation] -= given;
        }
        self.grid_kw -= given;
        self.buildings_kw[feed.building] -= given;
        given
    }

    /// What could still be given through energised substations, in kW; 0 if nothing limits power
    /// (then no power stands idle waiting for space).
    pub(crate) fn unused_kw(&self) -> f64 {
        let unused = self.spare_kw();
        if unused.is_finite() { unused } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_limits_what_a_hall_is_given() {
        let mut headroom = Headroom::default();
        headroom.reset(
            100.0,
            [70.0, 60.0].into_iter(),
            [50.0, f64::INFINITY, f64::INFINITY].into_iter(),
        );
        let feed = |building, substation| Feed {
            building,
            substation,
        };
        assert_eq!(headroom.give(feed(0, Some(0)), 80.0), 50.0, "the building");
        assert_eq!(
            headroom.give(feed(1, Some(0)), 80.0),
            20.0,
            "the substation"
        );
        assert_eq!(headroom.give(feed(2, Some(1)), 80.0), 30.0, "the grid");
        assert_eq!(headroom.unused_kw(), 0.0);
    }

    #[test]
    fn without_limits_no_power_is_idle() {
        let mut headroom = Headroom::default();
        headroom.reset(
            f64::INFINITY,
            std::iter::empty(),
            [f64::INFINITY].into_iter(),
        );
        assert_eq!(
            headroom.give(
                Feed {
                    building: 0,
                    substation: None
                },
                12.0
            ),
            12.0
        );
        assert_eq!(headroom.unused_kw(), 0.0);
    }
}
