//! What a planner says of an activity.

use serde::{Deserialize, Serialize};

use super::crews::CrewNeed;
use super::network::LinkKind;
use crate::date::Date;
use crate::problem::{Path, Problems, check_name, check_probability, check_unique};
use crate::uncertain::{Domain, Uncertain};

/// A piece of work of uncertain duration, or the procurement of equipment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Its name, unique within its building, hall or substation.
    pub name: String,
    /// Working time from its start to its finish, in months, 0 or more (0 makes it a milestone).
    pub duration_months: Uncertain,
    /// What must have finished before it starts. If this is left out it follows the activity before it in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<Dependency>>,
    /// Reports the finish of this activity among the milestones of the projection.
    #[serde(default, skip_serializing_if = "is_false")]
    pub milestone: bool,
    /// It does not start before this date; for equipment, the order date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Date>,
    /// The calendar by which it is worked on; left out, that of the campus. "continuous" is the one without any break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// The crews that it needs from its start to its finish; it waits until all are free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crews: Vec<CrewNeed>,
    /// The probability that it is needed at all, 0 to 1; else it takes no time. A branch begins with such an activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// It is needed if the named activity is: the rest of a branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_with: Option<String>,
    /// It is needed if the named activity is not: the other branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_without: Option<String>,
    /// For long-lead equipment: slots reserved with the manufacturer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<Slots>,
}

/// Slots of a manufacturer. An order starts with the activity; making it begins at the first
/// reserved slot from then on, or when the queue is over if that is sooner; it then takes the
/// duration of the activity, and is not delivered before what its finish waits for.
///
/// ```text
/// delivery = max( min( first reserved slot >= order, order + queue ) + duration, bounds on its finish )
/// ```
///
/// Such an activity has no crews.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// The dates of reserved slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<Date>,
    /// How long an order without a slot waits before it is made, in months, 0 or more.
    pub queue_months: Uncertain,
}

pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

impl Activity {
    /// An activity that follows the one before it in its list.
    pub fn new(name: impl Into<String>, duration_months: impl Into<Uncertain>) -> Self {
        Self {
            name: name.into(),
            duration_months: duration_months.into(),
            after: None,
            milestone: false,
            not_before: None,
            calendar: None,
            crews: Vec::new(),
            probability: None,
            runs_with: None,
            runs_without: None,
            slots: None,
        }
    }

    /// The same activity, reported among the milestones.
    #[must_use]
    pub fn as_milestone(mut self) -> Self {
        self.milestone = true;
        self
    }

    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.duration_months
            .check(Domain::NON_NEGATIVE, &at.key("duration_months"), problems);
        check_dependencies(self.after.as_deref(), at, problems);
        check_needs(&self.crews, at, problems);
        check_probability(self.probability, at, problems);
        if let Some(slots) = &self.slots {
            let at = at.key("slots");
            slots
                .queue_months
                .check(Domain::NON_NEGATIVE, &at.key("queue_months"), problems);
        }
    }
}

fn check_needs(crews: &[CrewNeed], at: &Path, problems: &mut Problems) {
    for (position, need) in crews.iter().enumerate() {
        if need.units() == 0 {
            problems.error(
                &at.key("crews").index(position).key("units"),
                "units is 0",
                "1 or more; leave the crew out if none is needed",
            );
        }
        if crews[..position]
            .iter()
            .any(|other| other.crew() == need.crew())
        {
            problems.error(
                &at.key("crews").index(position),
                format!("crew \"{}\" is named twice", need.crew()),
                "name it once, with the number of `units`",
            );
        }
    }
}

/// A dependency: finish to start by name alone, or of any kind, with a lag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Dependency {
    /// Starts as soon as the named activity has finished.
    Finish(String),
    /// Waits for an end of the named activity, and some time more.
    Lagged(Lagged),
}

/// A dependency of any kind with a lag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lagged {
    /// The activity, building or substation that is waited for.
    pub activity: String,
    /// Time from its end to the end that waits, in months; negative for a lead.
    #[serde(default = "Uncertain::zero", skip_serializing_if = "is_zero")]
    pub lag_months: Uncertain,
    /// Which end waits for which.
    #[serde(default, skip_serializing_if = "is_finish_to_start")]
    pub kind: LinkKind,
    /// The calendar in whose working time the lag runs; left out, it elapses day and night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_calendar: Option<String>,
}

fn is_zero(quantity: &Uncertain) -> bool {
    *quantity == Uncertain::Constant(0.0)
}

fn is_finish_to_start(kind: &LinkKind) -> bool {
    *kind == LinkKind::FinishToStart
}

impl Lagged {
    /// A finish-to-start dependency without a lag; all else is set on its fields.
    pub fn new(activity: impl Into<String>) -> Self {
        Self {
            activity: activity.into(),
            lag_months: Uncertain::zero(),
            kind: LinkKind::FinishToStart,
            lag_calendar: None,
        }
    }
}

impl Dependency {
    /// The name of what is waited for.
    pub fn activity(&self) -> &str {
        match self {
            Self::Finish(activity) => activity,
            Self::Lagged(lagged) => &lagged.activity,
        }
    }

    /// The lag in months.
    pub fn lag_months(&self) -> Uncertain {
        match self {
            Self::Finish(_) => Uncertain::Constant(0.0),
            Self::Lagged(lagged) => lagged.lag_months.clone(),
        }
    }

    /// Which end waits for which.
    pub fn kind(&self) -> LinkKind {
        match self {
            Self::Finish(_) => LinkKind::FinishToStart,
            Self::Lagged(lagged) => lagged.kind,
        }
    }

    /// The calendar in whose working time the lag runs.
    pub fn lag_calendar(&self) -> Option<&str> {
        match self {
            Self::Finish(_) => None,
            Self::Lagged(lagged) => lagged.lag_calendar.as_deref(),
        }
    }
}

impl From<&str> for Dependency {
    fn from(activity: &str) -> Self {
        Self::Finish(activity.to_owned())
    }
}

/// What differs from the template in one activity of a building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The activity, such as "shell", or "hall 1/fit-out" for one of a hall.
    pub activity: String,
    /// Its duration in months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_months: Option<Uncertain>,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<Dependency>>,
    /// The date before which it does not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Date>,
    /// Its calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Its crews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crews: Option<Vec<CrewNeed>>,
}

impl Override {
    /// An override of nothing yet; what differs is set on its fields.
    pub fn new(activity: impl Into<String>) -> Self {
        Self {
            activity: activity.into(),
            duration_months: None,
            after: None,
            not_before: None,
            calendar: None,
            crews: None,
        }
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        if let Some(duration) = &self.duration_months {
            duration.check(Domain::NON_NEGATIVE, &at.key("duration_months"), problems);
        }
        check_dependencies(self.after.as_deref(), at, problems);
        check_needs(self.crews.as_deref().unwrap_or_default(), at, problems);
    }

    /// The activity with what differs.
    pub(crate) fn applied_to(&self, activity: &Activity) -> Activity {
        let mut changed = activity.clone();
        if let Some(duration) = &self.duration_months {
            changed.duration_months = duration.clone();
        }
        if self.after.is_some() {
            changed.after.clone_from(&self.after);
        }
        if self.not_before.is_some() {
            changed.not_before = self.not_before;
        }
        if self.calendar.is_some() {
            changed.calendar.clone_from(&self.calendar);
        }
        if let Some(crews) = &self.crews {
            changed.crews.clone_from(crews);
        }
        changed
    }
}

pub(crate) fn check_activities(activities: &[Activity], at: &Path, problems: &mut Problems) {
    for (position, activity) in activities.iter().enumerate() {
        activity.check(&at.index(position), problems);
    }
    check_unique(
        "activity",
        activities.iter().map(|activity| activity.name.as_str()),
        at,
        problems,
    );
}

pub(crate) fn check_dependencies(after: Option<&[Dependency]>, at: &Path, problems: &mut Problems) {
    for (position, dependency) in after.unwrap_or_default().iter().enumerate() {
        if let Dependency::Lagged(lagged) = dependency {
            let at = at.key("after").index(position).key("lag_months");
            lagged.lag_months.check(Domain::ANY, &at, problems);
        }
    }
}
