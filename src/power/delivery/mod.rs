//! The delivery tree of a building and the placement of racks in it.
//!
//! ```text
//! feed (one a group) ─▶ line-up (UPS) ─▶ row ─▶ rack or pod
//! ```
//!
//! What arrives (a rack, or a pod of racks that stay together) is placed in one row, and only
//! where every level has room both in normal running and after the failure that the redundancy
//! must bear:
//!
//! - **distributed** (2N, 3N/2, 4N/3, any xN/(x-1)): each row hangs on a pair of the x line-ups of
//!   its group, half of its load on each. If a line-up fails, the other one of each pair takes all
//!   of it. With p_ij the load of the pair (i, j) and C the rating of a line-up,
//!   `Σ_j p_ij / 2 + max_j p_ij / 2 <= C` for each i. Evenly loaded, that is (x - 1) / x of C; the
//!   more uneven the pairs, the more of the reserve is fragmented and of no use.
//! - **block** (block xN/y): each row hangs on one of y line-ups, which is loaded up to C; after a
//!   failure it moves as a whole to a catcher. No load spreads over two line-ups, so C modulo the
//!   size of what arrives is lost: a threshold.
//! - **N, N+k**: the line-ups stand on one bus of (m - k) C.
//!
//! Each of a row's feeds must carry the row alone after a failure, so a row takes what one feed is
//! rated for. What a group carries is limited by its feed, which a failure inside the group leaves
//! as it is.
//!
//! The two ways of stranding are those described by Wilkins et al., "Designing Datacenter Power
//! Delivery Hierarchies for the AI Era", arXiv:2605.16255, and for placement under distributed
//! redundancy by Zhang et al., "Flex: High-Availability Datacenters With Zero Reserved Power",
//! ISCA 2021. Rows are a simplification of this crate: they hang on their pair permanently.
//!
//! Power is counted in whole watts, so that what comes and goes cancels exactly.

mod tree;

pub use tree::DeliveryTree;

use serde::{Deserialize, Serialize};

use super::redundancy::Redundancy;
use crate::field::{COUNT, KILOWATTS, plan};
use crate::problem::{Path, Problems};

/// In which of the rows that have room something is placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Placement {
    /// In the first row that has room.
    FirstFit,
    /// Where the least room is left behind it.
    BestFit,
    /// Where the most room is left behind it.
    #[default]
    Balanced,
}

plan! {
    /// The rows of a building below its line-ups.
    pub struct Delivery {
        /// Rows, dealt out to the pairs of line-ups (or the line-ups of a block) in turn, 1 to 10,000.
        pub rows: u32 => COUNT.within(1.0, 10_000.0),
        /// Rack positions of a row, 1 or more.
        pub row_positions: u32 => COUNT,
        /// What one feed of a row carries, in kW, above 0; left out, as much as a line-up.
        pub row_power_kw: Option<f64> => KILOWATTS,
        /// What the feed of a group of line-ups carries, in kW, above 0; left out, as much as the group may.
        pub feed_power_kw: Option<f64> => KILOWATTS,
        /// Where racks are placed.
        pub placement: Placement = Placement::default(),
        /// How many racks come as a pod and stay in one row, 1 or more.
        pub pod_racks: u32 [= 1] => COUNT,
    }
    /// Rows that carry as much as a line-up, with balanced placement of single racks.
    pub fn new;
}

impl Delivery {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
    }
}

/// A delivery tree that cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// Racks hang on pairs, which bear one failure.
    #[error(
        "distributed redundancy {0} bears more than one failure of a group, but a rack hangs on two line-ups"
    )]
    TooManyFailures(Redundancy),
    /// A group lacks line-ups.
    #[error("{modules} modules do not make whole groups of {redundancy}")]
    IncompleteGroup {
        /// How many modules there are.
        modules: u32,
        /// The redundancy.
        redundancy: Redundancy,
    },
    /// Nothing to place anything in.
    #[error("{0} is not a finite number above 0")]
    NotPositive(&'static str),
}

/// What is placed as one: a rack, or a pod.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its power, in kW, above 0.
    pub power_kw: f64,
    /// The rack positions that it takes.
    pub positions: u32,
}

/// Why something finds no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// There is not as much power left in the whole tree.
    Full,
    /// No row has as many positions left.
    Positions,
    /// No row that has the positions has the power.
    Row,
    /// There is as much power left, but in pieces: what is left of line-ups (in normal running or
    /// after a failure) and of feeds is too small one by one.
    Fragmented,
}
