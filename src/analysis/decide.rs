//! Which of several plans to choose, over worlds that nobody chooses.
//!
//! A comparison states [plans and worlds](run::Choices): what one may do, and what may come, each world with a weight.
//! An [`Objective`] says what is wanted (`maximise p10(npv)`), [`Constraint`]s what must hold
//! (`probability(first rent by 2027) >= 80 %`). All plans are simulated on the same trials in every world, so that their
//! differences are known far better than each result alone.

pub mod choice;
pub mod objective;
pub mod run;

pub use choice::{Cell, Choice, PlanChoice, World};
pub use objective::{Constraint, Direction, Objective, ObjectiveError, Statistic};
