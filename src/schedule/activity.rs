//! What a planner says of an activity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::crews::CrewNeed;
use super::network::LinkKind;
use crate::date::Date;
use crate::field::{MONTHS, SHARE, plan};
use crate::problem::{Path, Problems, check_list, check_name};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// A piece of work of uncertain duration, or the procurement of equipment.
    pub struct Activity in "SCOPE/ACTIVITY" {
        /// Its name, unique within its building, hall or substation.
        pub name: String,
        /// Working time from its start to its finish, in months, 0 or more (0 makes it a milestone).
        pub duration_months: Uncertain => MONTHS.input("").usually(0.0, LONGEST_USUAL_MONTHS, "a plain number counts months; write \"40 weeks\" for weeks"),
        /// What must have finished before it starts. If this is left out it follows the activity before it in the list.
        pub after: Option<Vec<Dependency>>,
        /// Reports the finish of this activity among the milestones of the projection.
        pub milestone: bool [= false],
        /// Of no duration, it is when work begins: it waits for the next working time of its calendar, where else it would stay at the end of the one before.
        pub starts_work: bool [= false],
        /// It does not start before this date; for equipment, the order date.
        pub not_before: Option<Date>,
        /// It starts on this date, whatever it waits for: a date that is fixed by hand.
        pub starts_on: Option<Date>,
        /// It does not finish before this date.
        pub finish_not_before: Option<Date>,
        /// The calendar by which it is worked on; left out, that of the campus. "continuous" is the one without any break.
        pub calendar: Option<String>,
        /// The crews that it needs from its start to its finish; it waits until all are free.
        pub crews: Vec<CrewNeed> = [],
        /// The probability that it is needed at all, 0 to 1; else it takes no time. A branch begins with such an activity.
        pub probability: Option<f64> => SHARE.input("needed"),
        /// It is needed if the named activity is: the rest of a branch.
        pub runs_with: Option<String>,
        /// It is needed if the named activity is not: the other branch.
        pub runs_without: Option<String>,
        /// For long-lead equipment: slots reserved with the manufacturer.
        pub slots: Option<Slots>,
    }
    /// An activity that follows the one before it in its list.
    pub fn new;
}

plan! {
    /// Slots of a manufacturer. An order starts with the activity; making it begins at the first
    /// reserved slot from then on, or when the queue is over if that is sooner; it then takes the
    /// duration of the activity, and is not delivered before what its finish waits for.
    ///
    /// ```text
    /// delivery = max( min( first reserved slot >= order, order + queue ) + duration, bounds on its finish )
    /// ```
    ///
    /// Such an activity has no crews.
    pub struct Slots in "SCOPE/ACTIVITY" {
        /// The dates of reserved slots.
        pub reserved: Vec<Date> = [],
        /// How long an order without a slot waits before it is made, in months, 0 or more.
        pub queue_months: Uncertain => MONTHS.input("queue"),
    }
    /// No slot: an order waits for this many months before it is made.
    pub fn new;
}

impl Activity {
    /// The same activity, reported among the milestones.
    #[must_use]
    pub fn as_milestone(mut self) -> Self {
        self.milestone = true;
        self
    }

    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        check_dependencies(self.after.as_deref(), at, problems);
        check_needs(&self.crews, at, problems);
        if let Some(slots) = &self.slots {
            slots.check_fields(&at.key("slots"), problems);
        }
    }
}

fn check_needs(crews: &[CrewNeed], at: &Path, problems: &mut Problems) {
    for (position, need) in crews.iter().enumerate() {
        if let CrewNeed::Several(several) = need {
            several.check_fields(&at.key("crews").index(position), problems);
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

plan! {
    /// A dependency of any kind with a lag.
    pub struct Lagged {
        /// The activity, building or substation that is waited for.
        pub activity: String,
        /// Time from its end to the end that waits, in months; negative for a lead.
        pub lag_months: Uncertain [= Uncertain::zero()] => MONTHS.any(),
        /// Which end waits for which.
        pub kind: LinkKind [= LinkKind::FinishToStart],
        /// The calendar in whose working time the lag runs; left out, it elapses day and night.
        pub lag_calendar: Option<String>,
    }
    /// A finish-to-start dependency without a lag; all else is set on its fields.
    pub fn new;
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

plan! {
    /// What differs from the template in one activity of a building.
    pub struct Override {
        /// The activity, such as "shell", or "hall 1/fit-out" for one of a hall.
        pub activity: String,
        /// Its duration in months.
        pub duration_months: Option<Uncertain> => MONTHS,
        /// What it waits for.
        pub after: Option<Vec<Dependency>>,
        /// The date before which it does not start.
        pub not_before: Option<Date>,
        /// Its calendar.
        pub calendar: Option<String>,
        /// Its crews.
        pub crews: Option<Vec<CrewNeed>>,
    }
    /// An override of nothing yet; what differs is set on its fields.
    pub fn new;
}

impl Override {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
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

/// The longest lead time published is four years: a median beyond this is warned of (assumption).
pub(crate) const LONGEST_USUAL_MONTHS: f64 = 120.0;
/// Words of works that take time wherever there are any.
const TAKES_TIME: [&str; 7] = [
    "permit",
    "shell",
    "fit-out",
    "construction",
    "transformer",
    "switchgear",
    "commissioning",
];

impl Activity {
    /// Warns of work that is planned to take no time.
    fn check_takes_time(&self, at: &Path, problems: &mut Problems) {
        let name = self.name.to_lowercase();
        let takes_time = TAKES_TIME.iter().any(|word| name.contains(word));
        if takes_time && self.duration_months.constant() == Some(0.0) {
            problems.warning(
                &at.key("duration_months"),
                format!("\"{}\" takes no time", self.name),
                "its duration in months, if only a guess: { pert = [2, 3, 6] }",
            );
        }
    }
}

/// Warns of what is unlikely of the activities of a plan: work that takes no time, and a lead that is longer than what it
/// leads, so that the one that waits would begin before the other does.
pub(crate) fn warn_of_unlikely(activities: &[Activity], at: &Path, problems: &mut Problems) {
    let durations: BTreeMap<&str, f64> = (activities.iter())
        .filter_map(|activity| {
            let months = activity.duration_months.median(Domain::NON_NEGATIVE)?;
            Some((activity.name.as_str(), months))
        })
        .collect();
    for (position, activity) in activities.iter().enumerate() {
        let at = at.index(position);
        activity.check_takes_time(&at, problems);
        for (number, link) in activity.after.iter().flatten().enumerate() {
            let lag = link.lag_months().median(Domain::ANY);
            let lead = lag.map_or(0.0, |lag| -lag);
            let Some(months) = durations.get(link.activity()).copied() else {
                continue;
            };
            // Less than that is rounding.
            if lead > months + 1e-9 && !link.kind().is_from_start() {
                let thousandths = |months: f64| (months * 1e3).round() / 1e3;
                problems.warning(
                    &at.key("after").index(number),
                    format!(
                        "\"{}\" waits for \"{}\" with a lead of {} months, but that lasts for {}",
                        activity.name,
                        link.activity(),
                        thousandths(lead),
                        thousandths(months)
                    ),
                    "it may begin before what it waits for: a shorter lead, or a wait for an earlier activity",
                );
            }
        }
    }
}

pub(crate) fn check_activities(activities: &[Activity], at: &Path, problems: &mut Problems) {
    check_list(
        "activity",
        activities,
        |activity| &activity.name,
        at,
        problems,
        Activity::check,
    );
}

pub(crate) fn check_dependencies(after: Option<&[Dependency]>, at: &Path, problems: &mut Problems) {
    for (position, dependency) in after.unwrap_or_default().iter().enumerate() {
        if let Dependency::Lagged(lagged) = dependency {
            lagged.check_fields(&at.key("after").index(position), problems);
        }
    }
}
