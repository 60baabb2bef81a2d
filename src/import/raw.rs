//! A schedule as a file has it, before names are resolved: what both readers fill in.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::RawCalendar;
use super::{ImportWarning, Topic};
use crate::date::Date;
use crate::schedule::network::LinkKind;

/// The calendar of a file that has none: five days of eight hours.
const STANDARD: &str = "Standard";

/// In which calendar lags run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LagCalendar {
    #[default]
    Predecessor,
    Successor,
    Project,
    /// Day and night.
    Elapsed,
}

#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) name: String,
    /// When the project starts, if the file says so.
    pub(super) start: Option<Date>,
    /// The date to which progress is known.
    pub(super) data_date: Option<Date>,
    /// Nothing that has not started begins before the data date, even where nothing has started at all.
    pub(super) is_held_to_data_date: bool,
    /// What has begun out of its order waits for its predecessors before it goes on.
    pub(super) retains_logic: bool,
    /// What remains is recalculated from the date on which work is expected to finish.
    pub(super) uses_expected_finish: bool,
    pub(super) default_calendar: Option<String>,
    pub(super) lag_calendar: LagCalendar,
    pub(super) activities: Vec<RawActivity>,
    pub(super) calendars: Vec<RawCalendar>,
    pub(super) resources: Vec<RawResource>,
    pub(super) left_out: BTreeMap<&'static str, usize>,
    pub(super) warnings: Vec<ImportWarning>,
}

#[derive(Debug, Default)]
pub(super) struct RawActivity {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) line: usize,
    /// Its planned working time; of what has not finished, all that is left. None: from its start to its finish.
    pub(super) hours: Option<f64>,
    /// The duration elapses day and night.
    pub(super) is_elapsed: bool,
    pub(super) calendar: Option<String>,
    pub(super) is_milestone: bool,
    /// A milestone that stands for the beginning of what follows, rather than for the end of what comes before.
    pub(super) is_start_milestone: bool,
    /// The levels that it stands under, the outermost first.
    pub(super) group: String,
    /// Values of codes, such as "Area: North".
    pub(super) codes: Vec<String>,
    pub(super) not_before: Option<Date>,
    pub(super) finish_not_before: Option<Date>,
    pub(super) starts_on: Option<Date>,
    pub(super) deadline: Option<Date>,
    /// The file's start is a decision of its planner, as of what is planned as late as possible.
    pub(super) keeps_start: bool,
    pub(super) started: Option<Date>,
    pub(super) finished: Option<Date>,
    pub(super) remaining_hours: Option<f64>,
    /// Until then it has been worked on.
    pub(super) stopped: Option<Date>,
    pub(super) resumes: Option<Date>,
    /// What remains lasts until then.
    pub(super) expected_finish: Option<Date>,
    pub(super) links: Vec<RawLink>,
    pub(super) needs: Vec<(String, f64)>,
    /// The file's own early dates.
    pub(super) start: Option<Date>,
    pub(super) finish: Option<Date>,
    /// It is worked on when its resources work.
    pub(super) by_resources: bool,
    /// Even so, only within its own calendar.
    pub(super) is_within_calendar: bool,
    /// Interruptions between start and finish count as duration.
    pub(super) may_be_split: bool,
}

#[derive(Clone, Debug)]
pub(super) struct RawLink {
    pub(super) predecessor: String,
    pub(super) kind: LinkKind,
    pub(super) lag: RawLag,
    pub(super) line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RawLag {
    /// Hours of work by the calendar of lags.
    Hours(f64),
    /// Hours that elapse day and night.
    Elapsed(f64),
    /// A share of the duration of the predecessor, as hours of work by the calendar of lags.
    Share(f64),
    /// A share of the duration of the predecessor, as hours that elapse day and night.
    ElapsedShare(f64),
}

#[derive(Debug)]
pub(super) struct RawResource {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) units: f64,
    pub(super) calendar: Option<String>,
    pub(super) line: usize,
}

impl Raw {
    pub(super) fn warn(&mut self, line: usize, topic: Topic, message: impl Into<String>) {
        self.warnings.push(ImportWarning {
            line,
            topic,
            activity: None,
            calendar: None,
            message: message.into(),
        });
    }

    /// Warns of a calendar, by its key: it may change the dates of all that work by it.
    pub(super) fn warn_of_calendar(&mut self, line: usize, id: &str, message: impl Into<String>) {
        self.warnings.push(ImportWarning {
            line,
            topic: Topic::Calendar,
            activity: None,
            calendar: Some(id.to_owned()),
            message: message.into(),
        });
    }

    /// Warns of something that may change the dates of an activity, by its key.
    pub(super) fn warn_of(
        &mut self,
        line: usize,
        topic: Topic,
        id: &str,
        message: impl Into<String>,
    ) {
        self.warnings.push(ImportWarning {
            line,
            topic,
            activity: Some(id.to_owned()),
            calendar: None,
            message: message.into(),
        });
    }

    /// Sees to it that there is a calendar, that the default is one of those that are there, and that each activity has one of
    /// them or the default.
    pub(super) fn settle_calendars(&mut self) {
        if self.calendars.is_empty() {
            let standard = RawCalendar::standard(STANDARD, STANDARD, 1);
            self.calendars.push(standard);
            self.warn_of_calendar(
                1,
                STANDARD,
                "the file has no calendar: five days of eight hours are taken",
            );
        }
        let known: BTreeSet<String> = (self.calendars.iter())
            .map(|calendar| calendar.id.clone())
            .collect();
        let is_known = |id: &String| known.contains(id);
        let first = self.calendars[0].id.clone();
        self.default_calendar = Some(
            self.default_calendar
                .take()
                .filter(is_known)
                .unwrap_or(first),
        );
        let mut unknown = Vec::new();
        for (position, activity) in self.activities.iter_mut().enumerate() {
            let missing = activity.calendar.take_if(|id| !is_known(id));
            unknown.extend(missing.map(|id| (position, id)));
        }
        for (position, id) in unknown {
            let activity = &self.activities[position];
            let (line, key) = (activity.line, activity.id.clone());
            let message = format!(
                "calendar {id} of \"{}\" is not in the file: that of the project is taken",
                activity.name
            );
            self.warn_of(line, Topic::Calendar, &key, message);
        }
    }

    /// Leaves out dependencies of activities on themselves, which hold of nothing.
    pub(super) fn drop_links_to_themselves(&mut self) {
        let mut dropped = Vec::new();
        for activity in &mut self.activities {
            let id = &activity.id;
            let own = activity
                .links
                .extract_if(.., |link| link.predecessor == *id);
            dropped.extend(own.map(|link| (link.line, id.clone(), activity.name.clone())));
        }
        for (line, id, name) in dropped {
            let message = format!("the dependency of \"{name}\" on itself is left out");
            self.warn_of(line, Topic::Dependency, &id, message);
        }
    }

    /// Where a file says nothing of its data date, it is the last date on which something is said to have happened.
    pub(super) fn guess_data_date(&mut self) {
        let actual = (self.activities.iter())
            .flat_map(|activity| [activity.started, activity.stopped, activity.finished]);
        if let (None, Some(last)) = (self.data_date, actual.flatten().max()) {
            self.data_date = Some(last);
            let message =
                format!("the file has no data date: the last actual date, {last}, is taken");
            self.warn(1, Topic::DataDate, message);
        }
    }

    /// Gives what is worked on by its resources their calendar: within its own one, where it has one.
    pub(super) fn use_resource_calendars(&mut self) {
        let same = self.same_calendars();
        let calendars: BTreeMap<&str, &RawCalendar> = self
            .calendars
            .iter()
            .map(|one| (one.id.as_str(), one))
            .collect();
        // Of calendars alike the first stands for all.
        let known = |id: &str| calendars.get(same.get(id)?.as_str()).copied();
        let of_resources: BTreeMap<&str, &RawCalendar> = (self.resources.iter())
            .filter_map(|one| Some((one.id.as_str(), known(one.calendar.as_deref()?)?)))
            .collect();
        let default = self.default_calendar.as_deref().and_then(known);
        let mut taken = Vec::new();
        let mut made: BTreeMap<String, RawCalendar> = BTreeMap::new();
        let mut warnings = Vec::new();
        for (position, activity) in self.activities.iter().enumerate() {
            let mut theirs = (activity.needs.iter())
                .filter_map(|(resource, _)| of_resources.get(resource.as_str()).copied());
            let Some(first) = theirs.next().filter(|_| activity.by_resources) else {
                continue;
            };
            let name = &activity.name;
            if theirs.any(|other| other.id != first.id) {
                let message = format!(
                    "\"{name}\" has resources with different calendars: that of the first is taken"
                );
                warnings.push((position, message));
            }
            let own = activity.calendar.as_deref().and_then(known);
            match own.filter(|_| activity.is_within_calendar) {
                None if own.or(default).is_some_and(|now| now.id == first.id) => {}
                None => taken.push((position, first.id.clone())),
                Some(own) if own.id == first.id => {}
                Some(own) => match own.overlap(first) {
                    Some(both) => {
                        taken.push((position, both.id.clone()));
                        made.insert(both.id.clone(), both);
                    }
                    None => {
                        let message = format!(
                            "\"{name}\" and its resources have no working time in common: its own calendar is taken"
                        );
                        warnings.push((position, message));
                    }
                },
            }
        }
        for (position, calendar) in taken {
            self.activities[position].calendar = Some(calendar);
        }
        for (position, message) in warnings {
            let (line, id) = (
                self.activities[position].line,
                self.activities[position].id.clone(),
            );
            self.warn_of(line, Topic::Calendar, &id, message);
        }
        self.calendars.extend(made.into_values());
    }

    /// Of each calendar the first one by which work is done at the same times.
    fn same_calendars(&self) -> BTreeMap<String, String> {
        let mut different: Vec<&RawCalendar> = Vec::new();
        let mut same = BTreeMap::new();
        for calendar in &self.calendars {
            let first = different.iter().find(|known| known.works_as(calendar));
            let first = first.map_or(calendar, |known| known);
            if first.id == calendar.id {
                different.push(calendar);
            }
            same.insert(calendar.id.clone(), first.id.clone());
        }
        same
    }

    /// Counts something that is left out by design, and reported as a number.
    pub(super) fn leave_out(&mut self, what: &'static str) {
        *self.left_out.entry(what).or_default() += 1;
    }
}

impl RawLag {
    pub(super) fn is_lead(self) -> bool {
        match self {
            Self::Hours(lag) | Self::Elapsed(lag) => lag < 0.0,
            Self::Share(share) | Self::ElapsedShare(share) => share < 0.0,
        }
    }
}

impl RawActivity {
    pub(super) fn has_begun(&self) -> bool {
        self.started.is_some() || self.finished.is_some()
    }

    /// A date by which it should finish; of several the first.
    pub(super) fn finish_by(&mut self, date: Date) {
        self.deadline = Some(self.deadline.map_or(date, |known| known.min(date)));
    }

    pub(super) fn start_no_earlier(&mut self, date: Date) {
        self.not_before = Some(self.not_before.map_or(date, |known| known.max(date)));
    }

    pub(super) fn finish_no_earlier(&mut self, date: Date) {
        self.finish_not_before = Some(self.finish_not_before.map_or(date, |known| known.max(date)));
    }
}
