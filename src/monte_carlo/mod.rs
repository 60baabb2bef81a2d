//! Many trials: batches, stopping rules, and parts of runs in files.

pub mod batch;
pub mod checkpoint;
pub mod part;
pub mod ranges;
#[cfg(feature = "mpi")]
pub mod ranks;
pub mod stop;
