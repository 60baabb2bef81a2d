//! Kinds of rack positions.

use super::Generation;
use crate::field::{KILOWATTS, plan};
use crate::power::Cooling;
use crate::problem::{Path, Problems, check_name};

plan! {
    /// A kind of rack position: what power and cooling it is made for.
    pub struct RackType {
        /// Its name.
        pub name: String,
        /// The most critical IT power that a rack may take in such a position, in kW, above 0.
        pub power_kw: f64 => KILOWATTS.usually(0.0, 1_000.0, "the densest racks announced take about 600 kW"),
        /// The cooling of such a position; left out, it takes hardware of any.
        pub cooling: Option<Cooling>,
    }
    /// A rack type.
    pub fn new;
}

impl RackType {
    /// Whether it takes racks of that hardware: of no more power for each of their positions, and
    /// of a cooling that it accepts.
    pub fn fits(&self, hardware: &Generation) -> bool {
        hardware.rack_power_kw <= self.power_kw * f64::from(hardware.rack_positions)
            && self.cools(hardware.cooling)
    }

    pub(crate) fn cools(&self, hardware: Option<Cooling>) -> bool {
        match (self.cooling, hardware) {
            (Some(position), Some(hardware)) => position.accepts(hardware),
            _ => true,
        }
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        if let Some(cooling) = self.cooling
            && self.power_kw > cooling.usual_limit_kw()
        {
            problems.warning(
                &at.key("power_kw"),
                format!("{} kW is more than {} cools", self.power_kw, cooling.name()),
                format!("{} kW or less is usual", cooling.usual_limit_kw()),
            );
        }
    }
}
