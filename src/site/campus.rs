//! A campus: a site with its own grid connection, substations and buildings.

use serde::{Deserialize, Serialize};

use super::{Building, Phase};
use crate::power::{
    BridgePower, Curtailment, Efficiency, Energy, GridApplication, GridStep, Substation,
};
use crate::schedule::Activity;
use crate::uncertain::Uncertain;

/// A site with its own grid connection, substations and buildings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Campus {
    /// Its name.
    pub name: String,
    /// Power usage effectiveness: facility power / critical IT power, 1 or more. Drawn once a trial.
    #[serde(default = "Uncertain::one")]
    pub pue: Uncertain,
    /// Share of the time in which compute in service is available, 0 to 1. Drawn once a trial.
    #[serde(default = "Uncertain::one")]
    pub availability: Uncertain,
    /// The calendar of all its activities that name none; left out, work goes on every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Moments that buildings, substations and grid steps may wait for by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// Activities of the campus as a whole: permits, roads, the procurement of equipment. A list is a chain unless `after` says otherwise; it begins at the start of the scenario.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
    /// The grid connection in steps; left out, the grid is no limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grid: Vec<GridStep>,
    /// Applications for grid power that steps of the grid belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grid_applications: Vec<GridApplication>,
    /// Generation behind the meter, until the grid comes or for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bridge_power: Vec<BridgePower>,
    /// Hours in which the utility takes back a share of the import; left out, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curtailment: Option<Curtailment>,
    /// What the facility takes beside its IT, by load and outdoor temperature, instead of `pue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<Efficiency>,
    /// What energy costs and emits; left out, energy is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<Energy>,
    /// Its substations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substations: Vec<Substation>,
    /// Its buildings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buildings: Vec<Building>,
    /// What is live already at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingCapacity>,
}

impl Campus {
    /// A campus with a PUE of 1, full availability and an unlimited grid; all else is set on its fields.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            pue: Uncertain::one(),
            availability: Uncertain::one(),
            calendar: None,
            phases: Vec::new(),
            activities: Vec::new(),
            grid: Vec::new(),
            grid_applications: Vec::new(),
            bridge_power: Vec::new(),
            curtailment: None,
            efficiency: None,
            energy: None,
            substations: Vec::new(),
            buildings: Vec::new(),
            existing: None,
        }
    }
}

/// Capacity that is live at the start of the scenario, with power of its own beside the grid steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExistingCapacity {
    /// Racks, 1 or more.
    pub racks: u32,
    /// Their rack type.
    pub rack_type: String,
    /// Their critical IT power altogether, in kW, above 0.
    pub power_kw: f64,
    /// Their compute altogether, in PFLOPS at the scenario's precision, 0 or more.
    #[serde(default)]
    pub compute_pflops: f64,
}
