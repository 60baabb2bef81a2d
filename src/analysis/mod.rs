//! Analysis: what is learned by running a model in a certain way, as plain results.

pub mod compare;
pub mod fit;
pub mod levers;
pub mod paired;
pub mod schedule;
