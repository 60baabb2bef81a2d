//! Distributions from records of what has happened: durations and sizes of projects, finished and
//! unfinished.
//!
//! A project that is still going says that its duration is longer than its age (right censoring).
//! Dropping it would keep the fast ones alone and make the future look faster than it is, so every
//! method here uses it:
//!
//! - [`KaplanMeier`]: the distribution function without any assumed shape;
//! - [`fit_family`]: maximum likelihood of a [`Family`], with a trend in time, standard errors, AIC
//!   and the Anderson-Darling statistic;
//! - [`fit_grouped`]: a lognormal class of groups (campuses, builders, countries), which shows how
//!   much of the spread is between groups and shrinks each group towards its class.

mod error;
mod family;
mod grouped;
mod kaplan_meier;
mod maximum;
mod parametric;
mod record;
#[cfg(feature = "files")]
mod table;

pub use error::FitError;
pub use family::Family;
pub use grouped::{ClassPrior, GroupEffect, GroupedFit, NormalPrior, Spread, fit_grouped};
pub use kaplan_meier::{KaplanMeier, Step};
pub use parametric::{FamilyFit, fit_families, fit_family};
pub use record::Record;
#[cfg(feature = "files")]
pub use table::{TableError, read_records};
