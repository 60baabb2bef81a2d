//! Sampling: named random streams, the inputs of a trial, and the designs and ensembles by which they are spread.

pub mod correlations;
pub mod design;
pub mod ensemble;
#[cfg(feature = "files")]
pub mod ensemble_file;
pub(crate) mod inputs;
mod permutation;
pub(crate) mod sobol;
pub mod streams;
