//! Where results come from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sampling::design::Design;

/// Where a projection comes from. Two projections merge only if theirs are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The scenario's name.
    pub scenario: String,
    /// The version of the program.
    pub version: String,
    /// The seed of the run.
    pub seed: u64,
    /// How the inputs of its trials were spread.
    #[serde(default)]
    pub design: Design,
    /// The scenario's fingerprint: [`Scenario::fingerprint`](crate::Scenario::fingerprint).
    #[serde(default)]
    pub fingerprint: String,
}

impl fmt::Display for Provenance {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scenario,
            version,
            seed,
            design,
            fingerprint,
        } = self;
        let short = fingerprint.get(..12).unwrap_or(fingerprint);
        write!(
            to,
            "scenario \"{scenario}\" ({short}), version {version}, seed {seed}, design {design}"
        )
    }
}
