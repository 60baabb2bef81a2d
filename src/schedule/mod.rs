//! Schedules: activities, the network of their dependencies, calendars, crews, risk events, and what
//! has been done by a date. It knows nothing of buildings or power.

mod activity;
mod beginning;
pub mod calendars;
mod compile;
pub(crate) mod compiler;
pub mod cpm;
pub mod crews;
pub(crate) mod driving;
pub mod network;
mod order;
pub mod plan;
mod plan_class;
pub mod priority;
pub mod risks;
mod status;
mod timeline;

pub use activity::{Activity, Dependency, Lagged, Override, Slots};
pub(crate) use activity::{
    LONGEST_USUAL_MONTHS, check_activities, check_dependencies, warn_of_unlikely,
};
pub(crate) use beginning::{Beginning, Fate, ONCE, delayed};
pub(crate) use compile::ActivityList;
pub use plan_class::PlanClass;
pub(crate) use plan_class::check_plan_classes;
pub use status::{ActivityStatus, Status};
