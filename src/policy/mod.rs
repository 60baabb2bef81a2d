//! Policy: the levers of a government or an owner, and what may be decided.

mod decision;
pub(crate) mod levers;

pub(crate) use decision::check_decisions;
pub use decision::{DecisionVariable, Setting};
pub use levers::{FasterApprovals, LandTerms, Lever, SigningTerms};
