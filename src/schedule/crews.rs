//! Crews and other renewable resources: how many units there are, and which activities get them.
//!
//! Activities that need what is busy wait. Dates are those of the **serial schedule generation
//! scheme** (Kelley 1963; Kolisch, "Serial and parallel resource-constrained project scheduling
//! methods revisited", EJOR 90, 1996): activities are taken one by one, each after all that it
//! depends on, and each gets the first stretch of time in which its dependencies are met and all
//! units that it needs are free from its start to its finish. Of those that could be taken next
//! the one with the least **late finish** comes first, unless the scenario states another
//! [priority](super::priority) (by the critical path of the planned
//! durations, which are the medians; of equal ones the first in the scenario). The order is the
//! same in every trial, as a plan made beforehand is; dates are that trial's own. So a schedule
//! never uses more than there is, and no activity starts before its early start.
//!
//! An activity holds its crew through breaks of its calendar. One that is planned later may be
//! fitted into a gap before another one, if it is over by then.

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::field::{NUMBER, Quantity, plan};
use crate::problem::{Path, Problems, check_list, check_name};

plan! {
    /// A renewable resource: crews, cranes, commissioning teams.
    pub struct Crew {
        /// Its name, unique in the scenario.
        pub name: String,
        /// How many there are at first, 0 or more; a part of one is one that is there part of the time.
        pub capacity: f64 => UNITS,
        /// How many there are from later dates on, in the order of dates.
        pub changes: Vec<CapacityChange> = [],
    }
    /// A crew of the same capacity at all times.
    pub fn new;
}

plan! {
    /// Another capacity from a date on.
    pub struct CapacityChange {
        /// The first day.
        pub from: Date,
        /// How many there are from then on, 0 or more.
        pub capacity: f64 => UNITS,
    }
    /// That many from that day on.
    pub fn new;
}

/// What an activity needs of a crew: one, by name alone, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum CrewNeed {
    /// One of these.
    One(String),
    /// Several of these.
    Several(CrewUnits),
}

plan! {
    /// Several units of a crew.
    pub struct CrewUnits {
        /// The name of the crew.
        pub crew: String,
        /// How many units, above 0; 0.5 for half of the time of one.
        pub units: f64 => UNITS.above_zero(),
    }
    /// That many units of a crew.
    pub fn new;
}

/// The most units of a crew.
const MOST_UNITS: f64 = 1e6;
const UNITS: Quantity = NUMBER.within(0.0, MOST_UNITS).counted();
/// Crews are counted in thousandths, so that sums of parts are exact.
const PARTS: f64 = 1000.0;

/// A number of parts in units.
pub(super) fn units_of(parts: u32) -> f64 {
    f64::from(parts) / PARTS
}

/// A number of units in parts; nothing above 0 is no part at all.
pub(super) fn parts(units: f64) -> u32 {
    let parts = (units * PARTS).round().clamp(0.0, f64::from(u32::MAX));
    if units > 0.0 {
        (parts as u32).max(1)
    } else {
        0
    }
}

impl CrewNeed {
    /// The name of the crew.
    pub fn crew(&self) -> &str {
        match self {
            Self::One(crew) => crew,
            Self::Several(several) => &several.crew,
        }
    }

    /// How many units of it.
    pub fn units(&self) -> f64 {
        match self {
            Self::One(_) => 1.0,
            Self::Several(several) => several.units,
        }
    }
}

impl From<&str> for CrewNeed {
    fn from(crew: &str) -> Self {
        Self::One(crew.to_owned())
    }
}

impl Crew {
    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        for (position, change) in self.changes.iter().enumerate() {
            change.check_fields(&at.key("changes").index(position), problems);
        }
        for (position, pair) in self.changes.windows(2).enumerate() {
            if pair[1].from <= pair[0].from {
                problems.error(
                    &at.key("changes").index(position + 1).key("from"),
                    format!(
                        "a change on {} follows one on {}",
                        pair[1].from, pair[0].from
                    ),
                    "list changes in the order of their dates",
                );
            }
        }
    }

    /// The capacity over time, in months from `start`.
    pub(crate) fn supply(&self, start: Date) -> CrewSupply {
        CrewSupply::new(
            self.capacity,
            self.changes
                .iter()
                .map(|change| (change.from.months_after(start), change.capacity)),
        )
    }
}

pub(crate) fn check_crews(crews: &[Crew], at: &Path, problems: &mut Problems) {
    check_list("crew", crews, |crew| &crew.name, at, problems, Crew::check);
}

/// A crew of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CrewId(pub(super) u32);

/// A capacity over time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CrewSupply {
    /// From when on how many there are; the first from the beginning of time.
    pub(super) steps: Vec<(f64, i64)>,
}

impl CrewSupply {
    /// A capacity, and what it becomes from later times on, in months and in their order.
    pub(crate) fn new<C: Into<f64>>(
        capacity: C,
        changes: impl IntoIterator<Item = (f64, C)>,
    ) -> Self {
        let mut steps = vec![(f64::NEG_INFINITY, i64::from(parts(capacity.into())))];
        let changes = changes.into_iter();
        steps.extend(changes.map(|(from, capacity)| (from, i64::from(parts(capacity.into())))));
        Self { steps }
    }

    /// What there is in the end.
    pub(crate) fn last(&self) -> f64 {
        self.steps
            .last()
            .map_or(0.0, |(_, parts)| *parts as f64 / PARTS)
    }
}

#[cfg(test)]
mod tests;
