//! What drives some results of a scenario, as one plain result.

use serde::{Deserialize, Serialize};

use super::Drivers;
use super::screening::ElementaryEffect;
use super::totals::VarianceShares;
use crate::monte_carlo::stop::KnownTo;

/// What drives results of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DriversReport {
    /// The scenario.
    pub scenario: String,
    /// The version of the crate.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// How many trials were run.
    pub trials: u64,
    /// Each result with its drivers.
    pub results: Vec<ResultDrivers>,
    /// How well the first-order indices are known, if trials were run until they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_to: Option<KnownTo>,
}

/// A result with its drivers, and what runs of their own showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResultDrivers {
    /// What the given trials show.
    pub drivers: Drivers,
    /// Total indices of the leading inputs and of the process noise, if they were confirmed.
    pub confirmed: Option<Confirmed>,
    /// Elementary effects of all inputs, if they were screened, the largest first.
    pub screened: Option<Vec<ElementaryEffect>>,
}

/// Indices by pick-freeze runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Confirmed {
    /// How many trials each of the two samples has.
    pub base: u64,
    /// How many trials were run for it.
    pub trials: u64,
    /// The factors, the process noise last.
    pub factors: Vec<VarianceShares>,
}
