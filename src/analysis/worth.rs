//! What information, certainty and changes are worth.

pub mod changes;
pub mod information;
pub mod report;
pub mod run;
