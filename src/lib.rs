//! When will how much data-centre capacity be live, sold and paid for, how sure are we, what holds
//! it back, and what should we do about it?
//!
//! `buildout` simulates the build-out of data-centre campuses month by month: **construction**,
//! **power**, **equipment** and **tenants** in one trial, and a great many trials in parallel.
//! It is for capacity planners, who call it from Rust or write scenario files for its command.
//!
//! # From a file
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "files")] {
//! use buildout::{Batch, Scenario};
//!
//! let model = Scenario::from_path("examples/qingyang.toml")?.compile()?;
//! let projection = Batch::new(&model).trials(100).seed(1).run()?;
//! let racks = projection.metric("standard_racks").expect("a metric of every projection");
//! println!("P50 after nine months: {:.0} standard racks", racks.quantile(0.5)[8]);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # In plain Rust
//! The same structs that a file is read into can be filled in by hand; see `examples/qingyang.rs`
//! for a whole campus, and [`Scenario`] for all that can be said.
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use buildout::schedule::Activity;
//! use buildout::site::{Building, Hall};
//! use buildout::compute::RackType;
//! use buildout::site::Campus;
//! use buildout::{Batch, Date, Scenario, Uncertain};
//!
//! let mut hall = Hall::new("hall", 1_000, "standard");
//! hall.power_kw = Some(2_400.0.into());
//! let mut building = Building::new("A1");
//! building.activities = Some(vec![
//!     Activity::new("permit", Uncertain::pert(2.0, 3.0, 6.0)),
//!     Activity::new("shell", Uncertain::pert(6.0, 8.0, 14.0)),
//! ]);
//! building.halls = Some(vec![hall]);
//! let mut campus = Campus::new("north");
//! campus.buildings.push(building);
//! let mut scenario = Scenario::new("one building", Date::month(2025, 1)?, 36);
//! scenario.rack_types.push(RackType::new("standard", 2.5));
//! scenario.campuses.push(campus);
//!
//! let projection = Batch::new(&scenario.compile()?).trials(1_000).run()?;
//! let live = projection.milestone("A1 live").expect("every building has one");
//! assert!(live.quantile(0.5).is_some_and(|months| (11.0..13.0).contains(&months)));
//! # Ok(())
//! # }
//! ```
//!
//! # How data flows
//! ```text
//! scenario.toml ─▶ Scenario ─▶ Model ─▶ trial ─▶ Projection ─▶ report
//!  (planner)      plain data   compiled  one      mergeable     table, chart,
//!                 validated    flat      future   distributions JSON, CSV
//! ```
//!
//! # What a month does, in order
//! 1. **Construction**: activities finish ([`schedule`]), halls are handed over ([`site`]).
//! 2. **Power**: grid steps and substations energise; halls get power in the order of hand-over ([`power`]).
//! 3. **Equipment**: hardware arrives after its lead time, no sooner than it is released ([`compute`]).
//! 4. **Deployable** capacity of a hall is the least of space, power and equipment; what is missing is booked as stranded to its cause.
//! 5. **Tenants** are contacted, sign, wait, move in, ramp up and leave ([`tenants`]).
//! 6. **Compute and draw** follow from what is in service.
//! 7. **The binding constraint** of the month is named, with the MW that it holds back ([`projection::metrics`]).
//!
//! When the months are over the **books** are closed: capex by milestone, running costs, rents and
//! taxes by month and campus, and what they are worth ([`finance`]).
//!
//! Every equation, with units, ranges, sources and what is independent of what, is in
//! `docs/model.md` of the source, in the order of a month and for readers who know no Rust.
//!
//! # Reproducible
//! The same scenario, seed and version of the crate give the same bits, on any number of threads.
//! Every draw depends on the seed, the name of its source, the number of the trial and its position
//! in the source alone ([`sampling::streams`]), so adding a building leaves the random numbers of the
//! others as it was.
//!
//! # Beyond what a scenario can say
//! Metrics, outcomes, policies for phases and tenants of your own are traits: see [`model::extensions`].
//!
//! # Features
//! - `files` (default): scenario files in TOML.
//! - `import` (default): schedules of Primavera and Microsoft Project.
//! - `png`: charts as PNG, too, with a font that comes along.
//! - `parquet` (default): projections and trials as Parquet.
//! - `cli` (default): the `buildout` command.
//! - `mpi`: runs on many machines by MPI (`monte_carlo::ranks`). Needs an MPI library with its headers, and libclang.
//!
//! With `default-features = false` the simulator alone remains. Rust 1.89 or later is needed; a later one may be asked for
//! with a new minor version, and is then listed in the changelog.
#![forbid(unsafe_code)]

pub mod analysis;
pub mod compute;
pub mod date;
#[doc(hidden)]
pub mod disk;
mod field;
#[cfg(feature = "files")]
pub mod file;
pub mod finance;
#[cfg(feature = "import")]
pub mod import;
pub mod model;
pub mod monte_carlo;
mod parallel;
mod pattern;
pub mod policy;
pub mod power;
pub mod presets;
pub mod problem;
pub mod projection;
pub mod report;
pub mod sampling;
pub mod scenario;
pub mod schedule;
pub mod site;
pub mod tenants;
mod trial;
pub mod uncertain;

#[cfg(feature = "files")]
#[doc = include_str!("../docs/cookbook.md")]
pub mod cookbook {}

// The README's Rust, compiled and run.
#[cfg(all(doctest, feature = "files"))]
#[doc = include_str!("../README.md")]
mod readme {}

pub use analysis::paired::{Gain, PairedError, paired_gains};
pub use date::Date;
pub use model::Model;
pub use monte_carlo::batch::{Batch, Cancel, RunError};
pub use problem::{Problem, Problems};
pub use projection::Projection;
pub use sampling::design::Design;
pub use scenario::{Scenario, ScenarioError};
pub use trial::{EventKind, LogEntry, Replay, Workspace};
pub use uncertain::Uncertain;
