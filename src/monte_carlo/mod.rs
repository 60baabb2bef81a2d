//! Many trials: sources of randomness, inputs, sampling designs, batches, and parts of runs in files.

pub mod batch;
pub mod checkpoint;
pub mod design;
pub mod inputs;
pub mod part;
mod permutation;
pub mod ranges;
pub mod sobol;
pub mod streams;
