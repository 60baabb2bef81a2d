//! What information and changes are worth in a scenario, as one plain result.

use serde::{Deserialize, Serialize};

use super::changes::ChangeWorth;
use super::information::Information;
use crate::monte_carlo::stop::KnownTo;

/// What changes of a plan are worth, and what it is worth to know more before choosing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorthReport {
    /// The plan without changes.
    pub plan: String,
    /// The version of the crate.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// How many trials were run of each plan.
    pub trials: u64,
    /// The outcome that counts as money; none if the scenario has none.
    pub money: Option<String>,
    /// The unit of money.
    pub currency: String,
    /// The changes, the worthiest first.
    pub changes: Vec<ChangeWorth>,
    /// What information is worth for the choice among the plan and its changes; none without money.
    pub information: Option<Information>,
    /// How well the gains are known, if trials were run until they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_to: Option<KnownTo>,
}
