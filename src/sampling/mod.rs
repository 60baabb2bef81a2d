//! Sampling: named random streams, the inputs of a trial, and the designs by which they are spread.

pub mod design;
pub mod inputs;
mod permutation;
pub mod sobol;
pub mod streams;
