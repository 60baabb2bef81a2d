//! Which of several plans to choose, over worlds that nobody chooses.
//!
//! A comparison states [plans and worlds](crate::analysis::compare::Matrix): what one may do, and what may come, each world with a weight.
//! An [`Objective`] says what is wanted (`maximise p10(npv)`), [`Constraint`]s what must hold
//! (`probability(first rent by 2027) >= 80 %`). All plans are simulated on the same trials in every world, so that their
//! differences are known far better than each result alone.

//!
//! A scenario may state [what may be chosen](crate::policy::DecisionVariable) within which bounds: then a
//! [search] finds the best settings. [`real_option`] values the right to wait.

pub mod choice;
pub(crate) mod evaluate;
pub mod objective;
pub mod real_option;
pub mod run;
pub mod search;
pub mod selection;

pub use choice::{Cell, Choice, PlanChoice, World};
pub use objective::{Constraint, Direction, Objective, ObjectiveError, Statistic, Threshold};
