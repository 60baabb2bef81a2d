//! What information, certainty and changes are worth.

pub mod information;
