//! Whole trials against what can be computed by hand, and against a second model.

#[cfg(feature = "files")]
mod independent;
#[cfg(feature = "files")]
mod power;
mod reference;
mod schedule;
#[cfg(feature = "files")]
mod terms;
