//! Many trials: batches, stopping rules, and parts of runs in files.

pub mod batch;
pub mod checkpoint;
pub(crate) mod columns;
pub(crate) mod experiment;
pub mod kept_runs;
pub mod part;
pub mod ranges;
#[cfg(feature = "mpi")]
pub mod ranks;
pub mod sample_part;
pub mod sample_run;
pub(crate) mod settings;
pub mod stop;
pub(crate) mod trial_loop;
