//! Many trials: sources of randomness, inputs, and batches.

pub mod batch;
pub mod inputs;
pub mod streams;
