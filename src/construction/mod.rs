//! Construction: buildings, their halls, and the activities that lead to them.
//!
//! A building or substation has a list of [`Activity`]s. Unless an activity says
//! otherwise it follows the one before it, so that a plain list is a chain:
//!
//! ```text
//! start ─▶ permit ─▶ shell ─▶ fit-out ─▶ commissioning ─▶ handed over
//! ```
//!
//! An activity is referred to by `"shell"` inside its own building, and by
//! `"A1/shell"` from elsewhere on the same campus; a hall's activity is
//! `"A1/north hall/fit-out"`. The name of a building or substation alone stands for
//! its completion: the moment at which all of its own activities have finished; `"A1/start"` is
//! the moment at which its first activity may start.

mod activity;
pub mod calendars;
pub mod cpm;
pub mod crews;
mod details;
pub mod driving;
pub mod network;
mod order;
pub mod priority;
pub mod risks;
pub mod schedule;
mod status;
mod timeline;

use serde::{Deserialize, Serialize};

pub use activity::{Activity, Dependency, Lagged, Override, Slots};
pub(crate) use activity::{check_activities, check_dependencies, is_false};
pub(crate) use details::{Details, draw};
pub use status::{ActivityStatus, Status};

use crate::compute::Oversubscription;
use crate::date::Date;
use crate::power::ElectricalChain;
use crate::power::availability::is_zero;
use crate::power::grid::is_constant_zero;
use crate::problem::{Path, Problems, check_known, check_name, check_positive, check_unique};
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

impl Building {
    /// A building of which all is still to be set on its fields.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

/// What a building is made of, shared by all buildings that name it as their template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BuildingTemplate {
    /// Its name, unique in the scenario.
    pub name: String,
    /// The building's activities; see [`Building::activities`].
    pub activities: Vec<Activity>,
    /// The building's halls; see [`Building::halls`].
    pub halls: Vec<Hall>,
    /// The building's electrical chain; see [`Building::electrical`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub electrical: Option<ElectricalChain>,
    /// How much more the building sells than it is fed; see [`Building::oversubscription`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oversubscription: Option<Oversubscription>,
}

impl BuildingTemplate {
    /// A template of these activities and halls; all else is set on its fields.
    pub fn new(name: impl Into<String>, activities: Vec<Activity>, halls: Vec<Hall>) -> Self {
        Self {
            name: name.into(),
            activities,
            halls,
            electrical: None,
            oversubscription: None,
        }
    }
}

/// A building, or a series of like buildings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Building {
    /// Its name, unique on its campus. In a series, `{n}` stands for the number of the building.
    pub name: String,
    /// The template that provides what is not given here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// When its first activity may start; left out, at the start of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Date>,
    /// What must have finished before its first activity starts, such as "A1/shell".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Dependency>,
    /// The substation that feeds it; left out, it hangs on the campus grid directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substation: Option<String>,
    /// Critical IT power that its own electrical chain can carry, in kW; left out, as much as its halls take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_kw: Option<f64>,
    /// Its electrical chain in modules and their redundancy, from which what it can carry and its availability follow; left out, `power_kw` alone is the limit, and the chain never fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub electrical: Option<ElectricalChain>,
    /// How much more its halls sell than they are fed, at which risk; left out, no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oversubscription: Option<Oversubscription>,
    /// CO2 emitted in building it, in t, 0 or more; counted when its halls are handed over, each an equal part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embodied_carbon_t: Option<f64>,
    /// Its activities from start to hand-over; a list is a chain unless `after` says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activities: Option<Vec<Activity>>,
    /// Its halls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halls: Option<Vec<Hall>>,
    /// What differs from the template in single activities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Makes this a series of like buildings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
}

/// How a series of like buildings is numbered and spaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// How many buildings, 1 to 1,000.
    pub count: u32,
    /// The number of the first.
    #[serde(default = "one")]
    pub first: u32,
    /// Time from the start of one building to the start of the next, in months, 0 or more.
    pub every_months: f64,
}

fn one() -> u32 {
    1
}

/// One building of a campus after templates and series are resolved.
#[derive(Clone, Debug)]
pub(crate) struct PlannedBuilding<'a> {
    pub(crate) name: String,
    /// Months from the start date of its series to its own.
    pub(crate) offset_months: f64,
    pub(crate) plan: &'a Building,
    pub(crate) activities: &'a [Activity],
    pub(crate) activities_at: Path,
    pub(crate) halls: &'a [Hall],
    pub(crate) halls_at: Path,
    pub(crate) electrical: Option<&'a ElectricalChain>,
    pub(crate) electrical_at: Path,
    pub(crate) oversubscription: Option<&'a Oversubscription>,
    pub(crate) at: Path,
}

/// Resolves templates and series; what a template does not provide is reported by [`check_building`].
pub(crate) fn plan_buildings<'a>(
    buildings: &'a [Building],
    templates: &'a [BuildingTemplate],
    at: &Path,
) -> Vec<PlannedBuilding<'a>> {
    let mut planned = Vec::new();
    for (position, plan) in buildings.iter().enumerate() {
        let at = at.index(position);
        let template = plan.template.as_ref().and_then(|wanted| {
            let position = templates
                .iter()
                .position(|template| &template.name == wanted)?;
            let at = Path::root().key("building_templates").index(position);
            Some((&templates[position], at))
        });
        let (activities, activities_at) = match (&plan.activities, &template) {
            (Some(own), _) => (own.as_slice(), at.key("activities")),
            (None, Some((template, at))) => (template.activities.as_slice(), at.key("activities")),
            (None, None) => (&[][..], at.key("activities")),
        };
        let (halls, halls_at) = match (&plan.halls, &template) {
            (Some(own), _) => (own.as_slice(), at.key("halls")),
            (None, Some((template, at))) => (template.halls.as_slice(), at.key("halls")),
            (None, None) => (&[][..], at.key("halls")),
        };
        let (electrical, electrical_at) = match (&plan.electrical, &template) {
            (None, Some((template, at))) => (template.electrical.as_ref(), at.key("electrical")),
            (own, _) => (own.as_ref(), at.key("electrical")),
        };
        let of_template = template.as_ref().map(|(template, _)| *template);
        let of_template = of_template.and_then(|template| template.oversubscription.as_ref());
        let oversubscription = plan.oversubscription.as_ref().or(of_template);
        let (count, first, every) = match &plan.series {
            Some(series) => (
                series.count.min(MOST_IN_A_SERIES),
                series.first,
                series.every_months,
            ),
            None => (1, 1, 0.0),
        };
        for number in 0..count {
            let name = match &plan.series {
                Some(_) => plan
                    .name
                    .replace("{n}", &first.saturating_add(number).to_string()),
                None => plan.name.clone(),
            };
            planned.push(PlannedBuilding {
                name,
                offset_months: f64::from(number) * every,
                plan,
                activities,
                activities_at: activities_at.clone(),
                halls,
                halls_at: halls_at.clone(),
                electrical,
                electrical_at: electrical_at.clone(),
                oversubscription,
                at: at.clone(),
            });
        }
    }
    planned
}

const MOST_IN_A_SERIES: u32 = 1_000;

/// Checks what a building says of itself; names that it refers to are checked where they are known.
pub(crate) fn check_building(
    building: &Building,
    templates: &[BuildingTemplate],
    at: &Path,
    problems: &mut Problems,
) {
    check_name(&building.name, &at.key("name"), problems);
    if let Some(wanted) = &building.template {
        check_known(
            "building template",
            wanted,
            templates.iter().map(|template| template.name.as_str()),
            &at.key("template"),
            problems,
        );
    } else {
        for (given, key) in [
            (building.activities.is_some(), "activities"),
            (building.halls.is_some(), "halls"),
        ] {
            if !given {
                problems.error(
                    at,
                    format!("building \"{}\" has no {key}", building.name),
                    format!("give it `{key}`, or a `template` that has them"),
                );
            }
        }
    }
    check_dependencies(Some(&building.after), at, problems);
    for (position, one) in building.overrides.iter().enumerate() {
        one.check(&at.key("overrides").index(position), problems);
    }
    check_positive(building.power_kw, "power_kw", at, problems);
    check_positive(
        building.embodied_carbon_t,
        "embodied_carbon_t",
        at,
        problems,
    );
    if let Some(activities) = &building.activities {
        check_activities(activities, &at.key("activities"), problems);
    }
    if let Some(halls) = &building.halls {
        check_halls(halls, &at.key("halls"), problems);
    }
    if let Some(oversubscription) = &building.oversubscription {
        oversubscription.check(&at.key("oversubscription"), problems);
    }
    if let Some(electrical) = &building.electrical {
        electrical.check(&at.key("electrical"), problems);
    }
    if let Some(series) = &building.series {
        let at = at.key("series");
        if !(1..=MOST_IN_A_SERIES).contains(&series.count) {
            problems.error(
                &at.key("count"),
                format!("count is {}", series.count),
                format!("a series has 1 to {MOST_IN_A_SERIES} buildings"),
            );
        }
        if !(series.every_months.is_finite() && series.every_months >= 0.0) {
            problems.error(
                &at.key("every_months"),
                format!("every_months is {}", series.every_months),
                "0 months or more",
            );
        }
        if series.count > 1 && !building.name.contains("{n}") {
            problems.error(
                &at.key("count"),
                format!(
                    "all {} buildings of the series would be named \"{}\"",
                    series.count, building.name
                ),
                format!(
                    "put {{n}} into the name, such as \"{}{{n}}\"",
                    building.name
                ),
            );
        }
    }
}

impl BuildingTemplate {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        check_activities(&self.activities, &at.key("activities"), problems);
        check_halls(&self.halls, &at.key("halls"), problems);
        if let Some(oversubscription) = &self.oversubscription {
            oversubscription.check(&at.key("oversubscription"), problems);
        }
        if let Some(electrical) = &self.electrical {
            electrical.check(&at.key("electrical"), problems);
        }
    }
}

fn check_halls(halls: &[Hall], at: &Path, problems: &mut Problems) {
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
