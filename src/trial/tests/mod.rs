//! Whole trials against what can be computed by hand, against a second model, and against what holds of all scenarios.

#[cfg(feature = "files")]
mod hub;
#[cfg(feature = "files")]
mod independent;
mod monotone;
#[cfg(feature = "files")]
mod power;
mod properties;
pub(crate) mod random;
mod recursion;
mod reference;
mod schedule;
#[cfg(feature = "files")]
mod supply;
#[cfg(feature = "files")]
mod terms;
