//! Presets: published figures as parts of a scenario, each with its sources.
//!
//! A preset gives what a planner rarely knows better than the press, a data sheet or a survey: what a
//! rack of a generation computes and takes, how long a transformer is waited for, how long a
//! building takes. In Rust it is a function's result; in a scenario file the name of a preset stands
//! for its values, and whatever is written beside it replaces them:
//!
//! ```toml
//! [[generations]]
//! preset = "GB200 NVL72"
//! lead_time = { pert = ["4 months", "6 months", "12 months"] }
//! ```
//!
//! ```
//! use buildout::presets;
//!
//! let rack = presets::generation("GB200 NVL72")?;
//! assert_eq!(rack.rack_power_kw.constant(), Some(145.0));
//! let unknown = presets::generation("GB200 NVL27").unwrap_err();
//! assert!(unknown.to_string().contains("did you mean \"GB200 NVL72\"?"));
//! # Ok::<(), buildout::presets::UnknownPreset>(())
//! ```

mod buildings;
mod hardware;
mod likes;
mod starters;
mod tenants;

use serde::Serialize;

use crate::compute::{Generation, RackType};
use crate::power::{GridStep, Substation};
use crate::problem::nearest;
use crate::schedule::Activity;
use crate::site::BuildingTemplate;
use crate::tenants::Segment;

pub use likes::{LIKES, Like, LikeError, like, power_mw};
pub use starters::{STARTERS, Starter};

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// It was read in the source that is named.
    Published,
    /// It is remembered or second-hand.
    Unverified,
    /// It was chosen so that results meet what is known.
    Calibrated,
    /// It was chosen; change it if you know better.
    Assumption,
}

impl Basis {
    /// Its word, such as `published`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unverified => "unverified",
            Self::Calibrated => "calibrated",
            Self::Assumption => "assumption",
        }
    }
}

/// One figure of a preset and what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Source {
    /// How well it is known.
    pub basis: Basis,
    /// The figure and where it was read, or why it was chosen.
    pub text: &'static str,
}

const fn published(text: &'static str) -> Source {
    Source {
        basis: Basis::Published,
        text,
    }
}

const fn unverified(text: &'static str) -> Source {
    Source {
        basis: Basis::Unverified,
        text,
    }
}

const fn assumption(text: &'static str) -> Source {
    Source {
        basis: Basis::Assumption,
        text,
    }
}

/// What part of a scenario a preset is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Part {
    /// One of `rack_types`.
    RackType(RackType),
    /// One of `generations`.
    Generation(Generation),
    /// One of `building_templates`.
    BuildingTemplate(BuildingTemplate),
    /// One of `activities`.
    Activity(Activity),
    /// One of a campus's `grid`.
    GridStep(GridStep),
    /// One of a campus's `substations`.
    Substation(Substation),
    /// One of `segments`.
    Segment(Box<Segment>),
}

/// A part of a scenario with published figures in it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Preset {
    /// Its name, unique within its list.
    pub name: &'static str,
    /// The list of a scenario in which it can stand, such as `generations`.
    pub list: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// What stands behind its figures.
    pub sources: &'static [Source],
    make: fn() -> Part,
}

impl Preset {
    /// The part itself, to be changed at will.
    pub fn part(&self) -> Part {
        (self.make)()
    }
}

/// There is no preset of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no preset \"{name}\" for {list}{}", hint(.nearest.as_deref()))]
#[non_exhaustive]
pub struct UnknownPreset {
    /// The name that was asked for.
    pub name: String,
    /// The list that was looked through.
    pub list: String,
    /// The nearest name that there is.
    pub nearest: Option<String>,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": did you mean \"{name}\"?"))
}

/// All presets, list by list.
pub fn all() -> impl Iterator<Item = &'static Preset> + Clone {
    (hardware::RACK_TYPES.iter())
        .chain(hardware::GENERATIONS)
        .chain(buildings::TEMPLATES)
        .chain(buildings::ACTIVITIES)
        .chain(buildings::GRID)
        .chain(buildings::SUBSTATIONS)
        .chain(tenants::SEGMENTS)
}

/// The preset of that name for a list of a scenario, such as `generations`.
pub fn find(list: &str, name: &str) -> Result<&'static Preset, UnknownPreset> {
    let names = all().filter(|preset| preset.list == list);
    names
        .clone()
        .find(|preset| preset.name == name)
        .ok_or_else(|| UnknownPreset {
            name: name.to_owned(),
            list: list.to_owned(),
            nearest: nearest(name, names.map(|preset| preset.name)).map(str::to_owned),
        })
}

macro_rules! typed {
    ($($(#[$doc:meta])* $function:ident, $list:literal, $part:ident;)*) => {$(
        $(#[$doc])*
        pub fn $function(name: &str) -> Result<$part, UnknownPreset> {
            match find($list, name)?.part() {
                Part::$part(part) => Ok(part),
                other => unreachable!("{other:?} stands under {}", $list),
            }
        }
    )*};
}

typed! {
    /// The rack type of that preset.
    rack_type, "rack_types", RackType;
    /// The generation of hardware of that preset.
    generation, "generations", Generation;
    /// The building template of that preset.
    building_template, "building_templates", BuildingTemplate;
    /// The activity of that preset.
    activity, "activities", Activity;
    /// The grid step of that preset.
    grid_step, "grid", GridStep;
    /// The substation of that preset.
    substation, "substations", Substation;
}

/// The group of tenants of that preset.
pub fn segment(name: &str) -> Result<Segment, UnknownPreset> {
    match find("segments", name)?.part() {
        Part::Segment(part) => Ok(*part),
        other => unreachable!("{other:?} stands under segments"),
    }
}

/// Months of this many weeks: 30.4375 days a month.
fn weeks(weeks: f64) -> f64 {
    weeks * 7.0 / crate::date::DAYS_PER_MONTH
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::site::Campus;
    use crate::{Date, Scenario};

    #[test]
    fn names_are_unique_in_their_list_and_every_preset_has_a_source() {
        let mut seen = BTreeSet::new();
        for preset in all() {
            assert!(seen.insert((preset.list, preset.name)), "{}", preset.name);
            assert!(!preset.sources.is_empty(), "{}", preset.name);
            let json = serde_json::to_value(preset.part()).unwrap();
            assert_eq!(json["name"], preset.name);
        }
    }

    #[test]
    fn the_typed_functions_find_every_preset() {
        for preset in all() {
            let found = match preset.list {
                "rack_types" => rack_type(preset.name).map(Part::RackType),
                "generations" => generation(preset.name).map(Part::Generation),
                "building_templates" => building_template(preset.name).map(Part::BuildingTemplate),
                "activities" => activity(preset.name).map(Part::Activity),
                "grid" => grid_step(preset.name).map(Part::GridStep),
                "substations" => substation(preset.name).map(Part::Substation),
                "segments" => segment(preset.name).map(|part| Part::Segment(Box::new(part))),
                list => panic!("no function for {list}"),
            };
            assert_eq!(found.unwrap(), preset.part(), "{}", preset.name);
        }
    }

    #[test]
    fn all_presets_together_are_a_scenario_without_errors() {
        let mut scenario = Scenario::new("presets", Date::month(2025, 1).unwrap(), 120);
        let mut campus = Campus::new("north");
        for preset in all() {
            match preset.part() {
                Part::RackType(part) => scenario.rack_types.push(part),
                Part::Generation(part) => scenario.generations.push(part),
                Part::BuildingTemplate(part) => {
                    let mut building = crate::site::Building::new(&part.name);
                    building.template = Some(part.name.clone());
                    campus.buildings.push(building);
                    scenario.building_templates.push(part);
                }
                Part::Activity(part) => {
                    let name = format!("bay for {}", part.name);
                    (campus.substations).push(Substation::new(name, 10.0, vec![part]));
                }
                Part::GridStep(part) => campus.grid.push(part),
                Part::Substation(part) => campus.substations.push(part),
                Part::Segment(part) => scenario.segments.push(*part),
            }
        }
        scenario.campuses.push(campus);
        let problems = scenario.check();
        assert!(!problems.has_errors(), "{problems}");
    }

    #[test]
    fn published_means_are_those_of_the_distributions() {
        // Averages of 128 and 144 weeks; a PERT's mean is (min + 4 mode + max) / 6.
        for (name, average_weeks) in [
            ("power transformer", 128.0),
            ("generator step-up transformer", 144.0),
        ] {
            let activity = activity(name).unwrap();
            let crate::Uncertain::Pert { min, mode, max, .. } = activity.duration_months else {
                panic!("{name} is no PERT");
            };
            let mean = (min + 4.0 * mode + max) / 6.0;
            assert!((mean - weeks(average_weeks)).abs() < 1e-9, "{name}: {mean}");
        }
        // 7.5 years, to the month; the mean of a lognormal is median exp(sigma^2 / 2).
        let reactor = activity("nuclear reactor").unwrap().duration_months;
        let crate::Uncertain::Lognormal { median, sigma } = reactor else {
            panic!("the reactor is no lognormal");
        };
        let mean = median * (sigma * sigma / 2.0_f64).exp();
        assert!((mean - 90.0).abs() < 0.5, "{mean}");
    }
}
