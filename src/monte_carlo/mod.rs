//! Many trials: sources of randomness, inputs, sampling designs, batches, stopping rules, and parts of runs in files.

pub mod batch;
pub mod checkpoint;
pub mod design;
pub mod ensemble;
#[cfg(feature = "files")]
pub mod ensemble_file;
pub(crate) mod experiment;
pub mod inputs;
pub mod part;
mod permutation;
pub mod ranges;
#[cfg(feature = "mpi")]
pub mod ranks;
pub mod sample_run;
pub mod sobol;
pub mod stop;
pub mod streams;
pub mod trial_loop;
