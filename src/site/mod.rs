//! Sites: campuses, their buildings, halls and phases, and the activities that lead to them.
//!
//! A building or substation has a list of [`Activity`](crate::schedule::Activity)s. Unless an activity says
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

mod beginning;
mod building;
mod campus;
mod check;
mod compiled;
pub mod expansion;
mod fit;
mod hall;
mod layout;
mod phase;
mod template;

pub use building::{Building, Series};
pub(crate) use building::{BuildingBegins, PlannedBuilding, check_building, plan_buildings};
pub use campus::{Campus, ExistingCapacity};
pub(crate) use check::{Around, check_campuses};
pub(crate) use compiled::{
    CompiledBuilding, CompiledCampus, CompiledExisting, CompiledHall, Equipment,
};
pub use expansion::CampusExpansion;
pub(crate) use fit::HallFit;
pub use hall::{Hall, Retrofit};
pub(crate) use layout::{BuildingNodes, Sites};
pub(crate) use phase::{Clause, Gate, Seen};
pub use phase::{Condition, Phase};
pub use template::BuildingTemplate;
pub(crate) use template::check_templates;
