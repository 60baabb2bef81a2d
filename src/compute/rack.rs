//! Kinds of rack positions.

use serde::{Deserialize, Serialize};

use super::Generation;
use crate::power::Cooling;
use crate::problem::{Path, Problems, check_name};
use crate::uncertain::{Domain, Uncertain};

/// A kind of rack position: what power and cooling it is made for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RackType {
    /// Its name.
    pub name: String,
    /// The most critical IT power that a rack may take in such a position, in kW, above 0. Drawn once a trial.
    pub power_kw: Uncertain,
    /// The cooling of such a position; left out, it takes hardware of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling: Option<Cooling>,
}

impl RackType {
    /// A rack type.
    pub fn new(name: impl Into<String>, power_kw: impl Into<Uncertain>) -> Self {
        Self {
            name: name.into(),
            power_kw: power_kw.into(),
            cooling: None,
        }
    }

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

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.power_kw
            .check(Domain::POSITIVE, &at.key("power_kw"), problems);
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
