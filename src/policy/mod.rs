//! Policy: the levers of a government or an owner.

pub(crate) mod levers;

pub use levers::{FasterApprovals, LandTerms, Lever, SigningTerms};
