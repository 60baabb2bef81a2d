//! A data hall, and what it becomes when it is rebuilt.

use crate::field::{CARBON_TONNES, COUNT, KILOWATTS, MONEY_PER_KW, MONTHS, plan};
use crate::problem::{Path, Problems, check_name, check_unique};
use crate::schedule::{Activity, check_activities};
use crate::uncertain::Uncertain;

plan! {
    /// A data hall: the space in which racks stand.
    pub struct Hall in "CAMPUS/BUILDING/HALL" {
        /// Its name, unique within its building.
        pub name: String,
        /// Rack positions, 1 or more. Drawn once a trial, and rounded.
        pub racks: Uncertain => COUNT.input("racks"),
        /// The rack type that its positions are made for.
        pub rack_type: String,
        /// Critical IT power that the hall can take, in kW; left out, all positions at the power of their rack type. Drawn once a trial.
        pub power_kw: Option<Uncertain> => KILOWATTS.input("power"),
        /// Heat that the hall's cooling can take away, in kW of critical IT power; left out, all of it. Drawn once a trial.
        pub cooling_power_kw: Option<Uncertain> => KILOWATTS.input("cooling power"),
        /// The hardware generation installed, or "newest" for the newest one that is released when the order is placed and fits the rack type. Of those released on the same day the one that stands last in the scenario counts as the newest. Left out, tenants bring their own hardware: no delivery is waited for and no PFLOPS are counted.
        pub hardware: Option<String>,
        /// The event at whose finish the hardware is ordered, such as "shell", or "start" for the start of the building. Left out, the finish of the first activity of the building.
        pub hardware_ordered_after: Option<String>,
        /// Time that hardware is in service before it is replaced by the newest that fits (or by the same generation, where `hardware` names one), in months, above 0; left out, permanently. Drawn once a trial.
        pub hardware_life_months: Option<Uncertain> => MONTHS.within(0.1, f64::INFINITY).input("hardware life"),
        /// Time without hardware at each replacement, in months, 0 or more. Drawn once a trial.
        pub refresh_months: Uncertain [= Uncertain::zero()] => MONTHS.input("refresh"),
        /// Rebuilds the hall for other racks when its first hardware has served its life.
        pub retrofit: Option<Retrofit>,
        /// Work on this hall alone (its fit-out, say), after the building's own activities. Left out, the hall is handed over with the building.
        pub activities: Vec<Activity> = [],
    }
    /// A hall with a number of positions of a rack type, handed over with its building; all else is set on its fields.
    pub fn new;
}

plan! {
    /// What a hall becomes when it is rebuilt for other racks.
    pub struct Retrofit in "CAMPUS/BUILDING/HALL" {
        /// The rack type that its positions are then made for.
        pub rack_type: String,
        /// Rack positions then, 1 or more; left out, as many as before. Drawn once a trial, and rounded.
        pub racks: Option<Uncertain> => COUNT.input("retrofit racks"),
        /// Critical IT power that the hall can then take, in kW; left out, as much as before. Drawn once a trial.
        pub power_kw: Option<Uncertain> => KILOWATTS.input("retrofit power"),
        /// Heat that its cooling can then take away, in kW; left out, all of it. Drawn once a trial.
        pub cooling_power_kw: Option<Uncertain> => KILOWATTS.input("retrofit cooling power"),
        /// Time that the hall is out of service for it, in months, 0 or more. Drawn once a trial.
        pub downtime_months: Uncertain => MONTHS.input("retrofit"),
        /// What the work costs, in money per kW of critical IT power for which the hall is then made, in prices of the start of the scenario, 0 or more. Where the scenario has `finance`, it is paid as capex when the work begins, and written off over 240 months (assumption). Drawn once a trial.
        pub capex_per_kw: Uncertain [= Uncertain::zero()] => MONEY_PER_KW.input("retrofit capex"),
        /// CO2 of the work and of what is built in, in t, 0 or more.
        pub embodied_carbon_t: f64 [= 0.0] => CARBON_TONNES,
    }
    /// Positions for other racks, as many as before, after a number of months out of service.
    pub fn new;
}

pub(super) fn check_halls(halls: &[Hall], at: &Path, problems: &mut Problems) {
    for (position, hall) in halls.iter().enumerate() {
        let at = at.index(position);
        check_name(&hall.name, &at.key("name"), problems);
        hall.check_fields(&at, problems);
        hall.racks.check_whole(&at.key("racks"), problems);
        if let Some(retrofit) = &hall.retrofit {
            let at_retrofit = at.key("retrofit");
            retrofit.check_fields(&at_retrofit, problems);
            if let Some(racks) = &retrofit.racks {
                racks.check_whole(&at_retrofit.key("racks"), problems);
            }
            if hall.hardware_life_months.is_none() {
                problems.error(
                    &at.key("retrofit"),
                    "there is a retrofit, but hardware stays permanently",
                    "give `hardware_life_months` too",
                );
            }
        }
        check_activities(&hall.activities, &at.key("activities"), problems);
    }
    check_unique(
        "hall",
        halls.iter().map(|hall| hall.name.as_str()),
        at,
        problems,
    );
}
