//! Schedules: activities, the network of their dependencies, calendars, crews, risk events, and what
//! has been done by a date. It knows nothing of buildings or power.

mod activity;
pub mod calendars;
pub mod cpm;
pub mod crews;
mod details;
pub mod driving;
pub mod network;
mod order;
pub mod plan;
pub mod priority;
pub mod risks;
mod status;
mod timeline;

pub use activity::{Activity, Dependency, Lagged, Override, Slots};
pub(crate) use activity::{check_activities, check_dependencies};
pub(crate) use details::{Details, draw};
pub use status::{ActivityStatus, Status};
