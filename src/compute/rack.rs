//! Kinds of rack positions.

use super::Generation;
use crate::field::{KILOWATTS, plan};
use crate::power::Cooling;
use crate::problem::{Path, Problems, check_list, check_name};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// A kind of rack position: what power and cooling it is made for.
    pub struct RackType {
        /// Its name.
        pub name: String,
        /// The most critical IT power that a rack may take in such a position, in kW, above 0. Drawn once a trial.
        pub power_kw: Uncertain => KILOWATTS.input("power").usually(0.0, 1_000.0, "the densest racks announced take about 600 kW"),
        /// The cooling of such a position; left out, it takes hardware of any.
        pub cooling: Option<Cooling>,
    }
    /// A rack type.
    pub fn new;
}

impl RackType {
    /// Whether it takes racks of that hardware, if need be in some trials alone: of no more power for each of their
    /// positions, and of a cooling that it accepts.
    pub fn fits(&self, hardware: &Generation) -> bool {
        let least = hardware.rack_power_kw.range(Domain::POSITIVE).0;
        let most = self.power_kw.range(Domain::POSITIVE).1;
        least <= most * f64::from(hardware.rack_positions) && self.cools(hardware.cooling)
    }

    pub(crate) fn cools(&self, hardware: Option<Cooling>) -> bool {
        match (self.cooling, hardware) {
            (Some(position), Some(hardware)) => position.accepts(hardware),
            _ => true,
        }
    }

    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        let usual = self.power_kw.median(Domain::POSITIVE).unwrap_or(0.0);
        if let Some(cooling) = self.cooling
            && usual > cooling.usual_limit_kw()
        {
            problems.warning(
                &at.key("power_kw"),
                format!("{usual} kW is more than {} cools", cooling.name()),
                format!("{} kW or less is usual", cooling.usual_limit_kw()),
            );
        }
    }
}

pub(crate) fn check_rack_types(rack_types: &[RackType], at: &Path, problems: &mut Problems) {
    check_list(
        "rack type",
        rack_types,
        |kind| &kind.name,
        at,
        problems,
        RackType::check,
    );
}
