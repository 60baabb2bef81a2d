//! Data-centre build-out simulation.
#![forbid(unsafe_code)]

pub mod date;
pub mod problem;
