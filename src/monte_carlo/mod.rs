//! Many trials: sources of randomness, inputs, sampling designs, batches, stopping rules, and parts of runs in files.

pub mod batch;
pub mod checkpoint;
pub mod design;
pub mod inputs;
pub mod part;
mod permutation;
pub mod ranges;
#[cfg(feature = "mpi")]
pub mod ranks;
pub mod sobol;
pub mod stop;
pub mod streams;
