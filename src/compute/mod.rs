//! Compute: rack types, hardware generations, and what a hall's hardware is worth in PFLOPS.
//!
//! A hall orders hardware and gets it after its lead time, no sooner than it is released and, where
//! the supply of accelerators is limited, when its turn has come. A trend may stand for
//! generations not yet announced. After its life hardware is replaced by what is then the newest
//! that fits, in the hall as it is or after a retrofit.

pub mod catalogue;
pub mod failures;
mod generation;
mod order;
pub mod oversubscription;
mod rack;

pub use catalogue::{CATALOGUE, CatalogueEntry, catalogue};
pub use failures::{Reliability, expected_backorders};
pub use generation::{CatalogueUse, Generation, GenerationTrend};
pub(crate) use generation::{HardwarePlans, PlannedGeneration};
pub(crate) use order::{
    CompiledGeneration, Delivery, DrawnGeneration, Hardware, Order, Positions, compile_generations,
};
pub use oversubscription::{Draws, Oversubscription, OversubscriptionError};
pub use rack::RackType;
pub(crate) use rack::check_rack_types;

/// The name that stands for the newest generation released when an order is placed.
pub const NEWEST: &str = "newest";
