//! Import of schedules: Primavera's XER and Microsoft Project's XML (MSPDI).
//!
//! What is read becomes the crate's own activities, calendars and status, and on request crews. It is
//! then scheduled, and its dates are compared with the file's own ([`Imported::review`]): so an import
//! reports each activity that does not keep its dates, and why. What has no place in a scenario is
//! warned of with its line.
//!
//! Working time is taken over to the minute: calendars keep the times of the day at which work is done.

mod calendar;
mod clocks;
mod convert;
mod factor;
mod mspdi;
mod project;
mod raw;
mod review;
mod spread;
mod table;
mod text;
mod update;
mod values;
mod xer;

pub use factor::{PROJECT_FACTOR, ProjectFactor};
pub use project::ALL_FINISHED;
pub use review::{DateDifference, DateReview, Finding, Review};
pub use spread::{Spread, SpreadError, SpreadRule};
pub use update::{Remaining, StatusEntry, StatusMatch, StatusUpdate};

use crate::date::Date;
use crate::schedule::calendars::Calendar;
use crate::schedule::crews::Crew;
use crate::schedule::risks::Risk;
use crate::schedule::{Activity, Status};

/// How a schedule file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The projects of an XER file to be read, by their short names or numbers. Left empty, the one that was exported
    /// and has the most activities.
    pub projects: Vec<String>,
    /// Resources become crews for which activities wait.
    pub crews: bool,
    /// What has begun out of its order goes on at once, or waits for its predecessors; left out, as the file says.
    pub out_of_sequence: Option<OutOfSequence>,
}

/// What becomes of work that has begun before its predecessors have finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfSequence {
    /// The rest waits for the predecessors: P6's default.
    RetainedLogic,
    /// The rest continues at the data date.
    ProgressOverride,
}

/// A schedule file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
#[non_exhaustive]
pub struct ImportError {
    /// The line at which that shows, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl ImportError {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

/// What a warning is about, and why a date differs from that of the file.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Topic {
    /// Damage of the file.
    File,
    /// A constraint that is taken over in another form.
    Constraint,
    /// A dependency that is left out or replaced by others.
    Dependency,
    /// A calendar, or the calendars of several resources.
    Calendar,
    /// Resources and their limits.
    Resource,
    /// Actual dates and what remains.
    Progress,
    /// A duration that is not that of the file.
    Duration,
    /// Work planned before the data date that has not been done: it is scheduled after it.
    DataDate,
    /// It waits for something whose dates differ.
    Predecessor,
    /// The file's dates are not those that its own durations, dependencies and calendars give.
    Unexplained,
}

impl Topic {
    /// The topic in words that complete "because of …".
    pub fn words(self) -> &'static str {
        match self {
            Self::File => "damage of the file",
            Self::Constraint => "a constraint in another form",
            Self::Dependency => "dependencies left out or replaced",
            Self::Calendar => "calendars",
            Self::Resource => "resources",
            Self::Progress => "actual dates and progress",
            Self::Duration => "another duration",
            Self::DataDate => "work planned before the data date and not done",
            Self::Predecessor => "a predecessor whose dates differ",
            Self::Unexplained => "dates that the file's own logic does not give",
        }
    }
}

/// Something of a schedule file that was left out or changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ImportWarning {
    /// The line of the file, from 1.
    pub line: usize,
    /// What it is about.
    pub topic: Topic,
    /// The activity whose dates it may change.
    pub activity: Option<String>,
    /// The calendar that it is about: the dates of what works by it may change.
    pub calendar: Option<String>,
    /// What was left out or changed.
    pub message: String,
}

/// Where an activity comes from, and what the file says of it beside its place in the network.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// The line of the file, from 1.
    pub line: usize,
    /// Its code or number in the file.
    pub code: String,
    /// The summary tasks or levels of the work breakdown that it stands under, the outermost first, such as
    /// "Hall 1/Shell".
    pub group: String,
    /// Its codes, such as "Area: North".
    pub codes: Vec<String>,
    /// The resources that work on it.
    pub resources: Vec<String>,
    /// A milestone that stands for the beginning of what follows.
    pub is_start_milestone: bool,
    /// The file's own early start, to the minute.
    pub start: Option<Date>,
    /// The file's own early finish, to the minute.
    pub finish: Option<Date>,
}

/// An imported schedule.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Imported {
    /// The name of the project.
    pub name: String,
    /// When the project starts; its data date, where that is later.
    pub start: Date,
    /// Its activities, each with its dependencies.
    pub activities: Vec<Activity>,
    /// Where each activity comes from, in the order of the activities.
    pub origins: Vec<Origin>,
    /// The calendars that they name.
    pub calendars: Vec<Calendar>,
    /// The crews that they need; none unless they were asked for.
    pub crews: Vec<Crew>,
    /// What has started and finished, if the file says as of when.
    pub status: Option<Status>,
    /// Risk events: the factor on all durations together, if there is one.
    pub risks: Vec<Risk>,
    /// Dates by which activities should have finished: constraints and deadlines.
    pub deadlines: Vec<(String, Date)>,
    /// What is left out by design, and how many of it: summaries, levels of effort, inactive tasks.
    pub left_out: Vec<(String, usize)>,
    /// What was left out or changed.
    pub warnings: Vec<ImportWarning>,
}

/// Reads a schedule file: Primavera's XER or Microsoft Project's XML, known by how it begins, in UTF-8, UTF-16, or an
/// older encoding such as GBK or Windows-1252.
pub fn read(bytes: &[u8], options: &ImportOptions) -> Result<Imported, ImportError> {
    // The mark of compound files, which Project's own are.
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(ImportError::new(
            1,
            "this is Microsoft Project's own file (.mpp), which is not read: save it as XML",
        ));
    }
    let text = text::decode(bytes);
    let begin = text.trim_start();
    let mut raw = if begin.starts_with('<') {
        mspdi::read(&text)?
    } else if begin.starts_with("ERMHDR") || begin.starts_with('%') {
        xer::read(&text, options)?
    } else {
        return Err(ImportError::new(
            1,
            "this is neither Primavera's XER, which begins with ERMHDR, nor Microsoft Project's XML",
        ));
    };
    if let Some(out_of_sequence) = options.out_of_sequence {
        raw.retains_logic = out_of_sequence == OutOfSequence::RetainedLogic;
    }
    convert::convert(raw, options.crews)
}
