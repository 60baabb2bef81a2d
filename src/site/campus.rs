//! A campus: a site with its own grid connection, substations and buildings.

use super::{Building, Phase};
use crate::field::{COUNT, KILOWATTS, NUMBER, PFLOPS, SHARE, plan};
use crate::power::{
    BridgePower, Curtailment, Efficiency, Energy, GridApplication, GridStep, Substation,
};
use crate::schedule::Activity;
use crate::uncertain::Uncertain;

plan! {
    /// A site with its own grid connection, substations and buildings.
    pub struct Campus in "CAMPUS" {
        /// Its name.
        pub name: String,
        /// Power usage effectiveness: facility power / critical IT power, 1 or more. Drawn once a trial.
        pub pue: Uncertain = Uncertain::one() => NUMBER.within(1.0, f64::INFINITY).input("PUE").usually(1.0, 2.0, "fleets average about 1.6, new campuses 1.1 to 1.4"),
        /// Share of the time in which compute in service is available, 0 to 1. Drawn once a trial.
        pub availability: Uncertain = Uncertain::one() => SHARE.input("availability").usually(0.95, 1.0, "even Tier I promises 0.99671"),
        /// The calendar of all its activities that name none; left out, work continues every day.
        pub calendar: Option<String>,
        /// Moments that buildings, substations and grid steps may wait for by name.
        pub phases: Vec<Phase> = [],
        /// Activities of the campus as a whole: permits, roads, the procurement of equipment. A list is a chain unless `after` says otherwise; it begins at the start of the scenario.
        pub activities: Vec<Activity> = [],
        /// The grid connection in steps; left out, the grid is no limit.
        pub grid: Vec<GridStep> = [],
        /// Applications for grid power that steps of the grid belong to.
        pub grid_applications: Vec<GridApplication> = [],
        /// Generation behind the meter, until the grid comes or permanently.
        pub bridge_power: Vec<BridgePower> = [],
        /// Hours in which the utility takes back a share of the import; left out, none.
        pub curtailment: Option<Curtailment>,
        /// What the facility takes beside its IT, by load and outdoor temperature, instead of `pue`.
        pub efficiency: Option<Efficiency>,
        /// What energy costs and emits; left out, energy is not settled.
        pub energy: Option<Energy>,
        /// Its substations.
        pub substations: Vec<Substation> = [],
        /// Its buildings.
        pub buildings: Vec<Building> = [],
        /// What is live already at the start.
        pub existing: Option<ExistingCapacity>,
    }
    /// A campus with a PUE of 1, full availability and an unlimited grid; all else is set on its fields.
    pub fn new;
}

plan! {
    /// Capacity that is live at the start of the scenario, with power of its own beside the grid steps.
    pub struct ExistingCapacity {
        /// Racks, 1 or more.
        pub racks: u32 => COUNT,
        /// Their rack type.
        pub rack_type: String,
        /// Their critical IT power altogether, in kW, above 0.
        pub power_kw: f64 => KILOWATTS,
        /// Their compute altogether, in PFLOPS at the scenario's precision, 0 or more.
        pub compute_pflops: f64 = 0.0 => PFLOPS,
    }
    /// That many racks of a type with their critical IT power in kW, without compute.
    pub fn new;
}
