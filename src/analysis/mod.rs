//! Analysis: what is learned by running a model in a certain way, or from records of what has happened, as plain results.

pub mod backtest;
pub mod certainty;
pub mod compare;
pub mod decide;
pub mod drivers;
pub mod fit;
pub mod levers;
pub mod paired;
mod regression;
pub mod schedule;
pub mod update;
pub mod worth;
