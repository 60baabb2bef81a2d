//! A data hall, and what it becomes when it is rebuilt.

use serde::{Deserialize, Serialize};

use crate::power::availability::is_zero;
use crate::power::grid::is_constant_zero;
use crate::problem::{Path, Problems, check_name, check_positive, check_unique};
use crate::schedule::{Activity, check_activities};
use crate::uncertain::{Domain, Uncertain};

/// A data hall: the space in which racks stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hall {
    /// Its name, unique within its building.
    pub name: String,
    /// Rack positions, 1 or more.
    pub racks: u32,
    /// The rack type that its positions are made for.
    pub rack_type: String,
    /// Critical IT power that the hall can take, in kW; left out, all positions at the power of their rack type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_kw: Option<f64>,
    /// Heat that the hall's cooling can take away, in kW of critical IT power; left out, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling_power_kw: Option<f64>,
    /// The hardware generation installed, or "newest" for the newest one that is released when the order is placed and fits the rack type. Left out, tenants bring their own hardware: no delivery is waited for and no PFLOPS are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
    /// The event at whose finish the hardware is ordered, such as "shell", or "start" for the start of the building. Left out, the finish of the first activity of the building.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_ordered_after: Option<String>,
    /// Time that hardware is in service before it is replaced by the newest that fits (or by the same generation, where `hardware` names one), in months, above 0; left out, for good. Drawn once a trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_life_months: Option<Uncertain>,
    /// Time without hardware at each replacement, in months, 0 or more. Drawn once a trial.
    #[serde(default = "Uncertain::zero", skip_serializing_if = "is_constant_zero")]
    pub refresh_months: Uncertain,
    /// Rebuilds the hall for other racks when its first hardware has served its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrofit: Option<Retrofit>,
    /// Work on this hall alone (its fit-out, say), after the building's own activities. Left out, the hall is handed over with the building.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
}

/// What a hall becomes when it is rebuilt for other racks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Retrofit {
    /// The rack type that its positions are then made for.
    pub rack_type: String,
    /// Rack positions then, 1 or more; left out, as many as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub racks: Option<u32>,
    /// Critical IT power that the hall can then take, in kW; left out, as much as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_kw: Option<f64>,
    /// Heat that its cooling can then take away, in kW; left out, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling_power_kw: Option<f64>,
    /// Time that the hall is out of service for it, in months, 0 or more. Drawn once a trial.
    pub downtime_months: Uncertain,
    /// What the work costs, in money per kW of critical IT power for which the hall is then made, in prices of the start of the scenario, 0 or more. Where the scenario has `finance`, it is paid as capex when the work begins, and written off over 240 months (assumption). Drawn once a trial.
    #[serde(default = "Uncertain::zero", skip_serializing_if = "is_constant_zero")]
    pub capex_per_kw: Uncertain,
    /// CO2 of the work and of what is built in, in t, 0 or more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub embodied_carbon_t: f64,
}

/// A life is some time.
pub(crate) const LIFE: Domain = Domain {
    min: 0.1,
    max: f64::INFINITY,
};

impl Retrofit {
    fn check(&self, at: &Path, problems: &mut Problems) {
        if self.racks == Some(0) {
            problems.error(
                &at.key("racks"),
                "racks is 0",
                "a hall has 1 rack position or more",
            );
        }
        check_positive(self.power_kw, "power_kw", at, problems);
        check_positive(self.cooling_power_kw, "cooling_power_kw", at, problems);
        self.downtime_months
            .check(Domain::NON_NEGATIVE, &at.key("downtime_months"), problems);
        self.capex_per_kw
            .check(Domain::NON_NEGATIVE, &at.key("capex_per_kw"), problems);
        let embodied = self.embodied_carbon_t;
        if !(embodied.is_finite() && embodied >= 0.0) {
            problems.error(
                &at.key("embodied_carbon_t"),
                format!("embodied_carbon_t is {embodied}"),
                "0 t or more",
            );
        }
    }
}

impl Hall {
    /// A hall of so many positions of a rack type, handed over with its building; all else is set on its fields.
    pub fn new(name: impl Into<String>, racks: u32, rack_type: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            racks,
            rack_type: rack_type.into(),
            power_kw: None,
            cooling_power_kw: None,
            hardware: None,
            hardware_ordered_after: None,
            hardware_life_months: None,
            refresh_months: Uncertain::zero(),
            retrofit: None,
            activities: Vec::new(),
        }
    }
}

pub(super) fn check_halls(halls: &[Hall], at: &Path, problems: &mut Problems) {
    for (position, hall) in halls.iter().enumerate() {
        let at = at.index(position);
        check_name(&hall.name, &at.key("name"), problems);
        if hall.racks == 0 {
            problems.error(
                &at.key("racks"),
                "racks is 0",
                "a hall has 1 rack position or more",
            );
        }
        check_positive(hall.power_kw, "power_kw", &at, problems);
        check_positive(hall.cooling_power_kw, "cooling_power_kw", &at, problems);
        if let Some(life) = &hall.hardware_life_months {
            life.check(LIFE, &at.key("hardware_life_months"), problems);
        }
        hall.refresh_months
            .check(Domain::NON_NEGATIVE, &at.key("refresh_months"), problems);
        if let Some(retrofit) = &hall.retrofit {
            retrofit.check(&at.key("retrofit"), problems);
            if hall.hardware_life_months.is_none() {
                problems.error(
                    &at.key("retrofit"),
                    "there is a retrofit, but hardware stays for good",
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
