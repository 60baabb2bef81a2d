//! Import of schedules: Microsoft Project's XML ([`mspdi`], feature `import`) and Primavera's XER
//! ([`xer`]).
//!
//! What is read becomes the crate's own activities, calendars, crews and status, with a warning
//! for each thing that has no place there. A file that is damaged is refused with the line.
//!
//! Working time is taken over by the day: an activity of 40 hours in a calendar of five days of 8
//! hours lasts one week of that calendar. The hours of the day at which work begins are not kept,
//! so dates agree to the day.

#[cfg(feature = "import")]
pub mod mspdi;
mod project;
mod spread;
pub mod xer;

pub use project::ALL_FINISHED;
pub use spread::{Spread, SpreadError, SpreadRule};

use std::collections::BTreeMap;

use crate::date::{DAYS_PER_MONTH, Date, HOURS_PER_MONTH};
use crate::schedule::calendars::{Break, Calendar};
use crate::schedule::crews::{Crew, CrewNeed, CrewUnits};
use crate::schedule::network::LinkKind;
use crate::schedule::{Activity, ActivityStatus, Dependency, Lagged, Status};

/// A schedule file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
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

/// Something of a schedule file that was left out or changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImportWarning {
    /// The line of the file, from 1.
    pub line: usize,
    /// What was left out or changed.
    pub message: String,
}

/// An imported schedule.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Imported {
    /// The name of the project.
    pub name: String,
    /// When the project starts.
    pub start: Date,
    /// Its activities, each with its dependencies.
    pub activities: Vec<Activity>,
    /// The summary tasks or levels of the work breakdown that each activity stands under, the
    /// outermost first, such as "Hall 1/Shell"; in the order of the activities.
    pub groups: Vec<String>,
    /// The calendars that they name.
    pub calendars: Vec<Calendar>,
    /// The crews that they need.
    pub crews: Vec<Crew>,
    /// What has started and finished, if the file says as of when.
    pub status: Option<Status>,
    /// Dates by which activities should have finished: constraints and deadlines.
    pub deadlines: Vec<(String, Date)>,
    /// What was left out or changed.
    pub warnings: Vec<ImportWarning>,
}

/// Something that a scheduler would want to look at.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// Nothing comes before this activity.
    OpenStart(String),
    /// Nothing comes after this activity.
    OpenEnd(String),
    /// The activity has so many months of negative float: its early finish misses its deadline.
    NegativeFloat {
        /// The activity.
        activity: String,
        /// By how much it misses, in months, above 0.
        missed_by_months: f64,
    },
    /// Activities wait for one another in a circle, or something else that makes it no schedule.
    Wrong(String),
}

impl Imported {
    /// The same schedule without crews: no activity waits for any.
    #[must_use]
    pub fn without_crews(mut self) -> Self {
        self.crews.clear();
        for activity in &mut self.activities {
            activity.crews.clear();
        }
        self
    }

    /// Checks the logic: open ends, circles, and deadlines that early dates miss (negative float,
    /// by the planned durations and without regard to crews).
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut has_successor = vec![false; self.activities.len()];
        let positions: BTreeMap<&str, usize> = (self.activities.iter().enumerate())
            .map(|(position, activity)| (activity.name.as_str(), position))
            .collect();
        for activity in &self.activities {
            let before = activity.after.as_deref().unwrap_or_default();
            if before.is_empty() {
                findings.push(Finding::OpenStart(activity.name.clone()));
            }
            for dependency in before {
                if let Some(&position) = positions.get(dependency.activity()) {
                    has_successor[position] = true;
                }
            }
        }
        let ends = self.activities.iter().zip(has_successor);
        findings.extend(
            ends.filter(|(_, has_successor)| !has_successor)
                .map(|(activity, _)| Finding::OpenEnd(activity.name.clone())),
        );
        let scenario = self.to_scenario(1);
        let model = match scenario.compile() {
            Ok(model) => model,
            Err(error) => {
                findings.push(Finding::Wrong(error.to_string()));
                return findings;
            }
        };
        let path = model.network().critical_path(&model.planned_inputs(), None);
        for (activity, deadline) in &self.deadlines {
            let name = format!("{}/{activity}", scenario.campuses[0].name);
            let Some(node) = model.network().find(&name) else {
                continue;
            };
            // The whole of the deadline's day may be used.
            let by = deadline.months_after(self.start) + 1.0 / DAYS_PER_MONTH;
            let missed = path.early_finish(node) - by;
            if missed > 1e-6 {
                findings.push(Finding::NegativeFloat {
                    activity: activity.clone(),
                    missed_by_months: missed,
                });
            }
        }
        findings
    }
}

/// A schedule as a file has it, before names are resolved.
#[derive(Debug, Default)]
struct Raw {
    name: String,
    start: Option<Date>,
    status_date: Option<Date>,
    default_calendar: Option<String>,
    lags_by_successor: bool,
    activities: Vec<RawActivity>,
    calendars: Vec<RawCalendar>,
    resources: Vec<RawResource>,
    warnings: Vec<ImportWarning>,
}

#[derive(Debug, Default)]
struct RawActivity {
    id: String,
    name: String,
    line: usize,
    hours: f64,
    /// The duration elapses day and night.
    is_elapsed: bool,
    calendar: Option<String>,
    is_milestone: bool,
    /// What it stands under.
    group: String,
    not_before: Option<Date>,
    deadline: Option<Date>,
    started: Option<Date>,
    finished: Option<Date>,
    remaining_hours: Option<f64>,
    links: Vec<RawLink>,
    needs: Vec<(String, f64)>,
}

#[derive(Debug)]
struct RawLink {
    predecessor: String,
    kind: LinkKind,
    lag_hours: f64,
    is_elapsed: bool,
    line: usize,
}

#[derive(Debug)]
struct RawCalendar {
    id: String,
    name: String,
    /// Hours of work from Monday to Sunday.
    week: [f64; 7],
    /// First day, last day, hours a day.
    exceptions: Vec<(Date, Date, f64)>,
}

#[derive(Debug)]
struct RawResource {
    id: String,
    name: String,
    units: f64,
    line: usize,
}

impl Raw {
    fn warn(&mut self, line: usize, message: impl Into<String>) {
        self.warnings.push(ImportWarning {
            line,
            message: message.into(),
        });
    }

    fn into_schedule(mut self) -> Result<Imported, ImportError> {
        let Some(start) = self.start else {
            return Err(ImportError::new(1, "the project has no start date"));
        };
        let calendar_names = distinct_names(
            self.calendars
                .iter()
                .map(|calendar| (calendar.id.clone(), calendar.name.clone())),
        );
        let names = distinct_names(
            self.activities
                .iter()
                .map(|activity| (activity.id.clone(), activity.name.clone())),
        );
        let crew_names = distinct_names(
            self.resources
                .iter()
                .map(|resource| (resource.id.clone(), resource.name.clone())),
        );
        let weeks: BTreeMap<String, f64> = (self.calendars.iter())
            .map(|calendar| (calendar.id.clone(), calendar.week.iter().sum()))
            .collect();
        let calendar_of = |activity: &RawActivity| {
            let wanted = activity
                .calendar
                .as_ref()
                .or(self.default_calendar.as_ref());
            wanted
                .filter(|id| !activity.is_elapsed && weeks.contains_key(*id))
                .cloned()
        };
        let months =
            |hours: f64, calendar: Option<&String>| match calendar.and_then(|id| weeks.get(id)) {
                Some(week) => hours / week * 7.0 / DAYS_PER_MONTH,
                None => hours / HOURS_PER_MONTH,
            };
        let by_id: BTreeMap<&str, usize> = (self.activities.iter().enumerate())
            .map(|(position, activity)| (activity.id.as_str(), position))
            .collect();
        let mut activities = Vec::new();
        let mut statuses = Vec::new();
        let mut deadlines = Vec::new();
        let mut warnings = Vec::new();
        for raw in &self.activities {
            let calendar = calendar_of(raw);
            let name = names[&raw.id].clone();
            let mut activity = Activity::new(&name, months(raw.hours, calendar.as_ref()));
            activity.calendar = calendar.as_ref().map(|id| calendar_names[id].clone());
            activity.milestone = raw.is_milestone;
            // A scenario begins with its month. What waits for another to start is late enough.
            let waits = |link: &RawLink| link.kind.is_to_start() && link.lag_hours >= 0.0;
            let earliest = raw.not_before.filter(|date| *date > start);
            activity.not_before = earliest.or((!raw.links.iter().any(waits)).then_some(start));
            let mut after = Vec::new();
            for link in &raw.links {
                let Some(&predecessor) = by_id.get(link.predecessor.as_str()) else {
                    return Err(ImportError::new(
                        link.line,
                        format!(
                            "\"{name}\" depends on {}, which is not in the file",
                            link.predecessor
                        ),
                    ));
                };
                let predecessor = &self.activities[predecessor];
                let of = if self.lags_by_successor {
                    raw
                } else {
                    predecessor
                };
                let lag_calendar =
                    calendar_of(of).filter(|_| !link.is_elapsed && link.lag_hours != 0.0);
                let mut lagged = Lagged::new(&names[&predecessor.id]);
                lagged.kind = link.kind;
                lagged.lag_months = months(link.lag_hours, lag_calendar.as_ref()).into();
                lagged.lag_calendar = lag_calendar.map(|id| calendar_names[&id].clone());
                after.push(if lagged == Lagged::new(&lagged.activity) {
                    Dependency::Finish(lagged.activity)
                } else {
                    Dependency::Lagged(lagged)
                });
            }
            activity.after = Some(after);
            for (resource, units) in &raw.needs {
                let Some(crew) = crew_names.get(resource) else {
                    continue;
                };
                let whole = units.ceil().max(1.0);
                if whole != *units {
                    warnings.push(ImportWarning {
                        line: raw.line,
                        message: format!(
                            "\"{name}\" needs {units} of \"{crew}\": {whole} are taken"
                        ),
                    });
                }
                if activity.crews.iter().any(|need| need.crew() == crew) {
                    continue;
                }
                activity.crews.push(if whole == 1.0 {
                    CrewNeed::One(crew.clone())
                } else {
                    CrewNeed::Several(CrewUnits {
                        crew: crew.clone(),
                        units: whole as u32,
                    })
                });
            }
            if let Some(started) = raw.started {
                statuses.push((
                    raw.line,
                    ActivityStatus {
                        activity: name.clone(),
                        started,
                        finished: raw.finished,
                        remaining_months: (raw.finished.is_none())
                            .then_some(raw.remaining_hours)
                            .flatten()
                            .map(|hours| months(hours, calendar.as_ref()).into()),
                    },
                ));
            }
            deadlines.extend(raw.deadline.map(|deadline| (name, deadline)));
            activities.push(activity);
        }
        let groups = (self.activities.iter_mut())
            .map(|raw| std::mem::take(&mut raw.group))
            .collect();
        let status = match (self.status_date, statuses.first()) {
            (Some(as_of), Some(_)) => Some(Status {
                as_of,
                activities: (statuses.into_iter())
                    .map(|(_, mut status)| {
                        status.started = status.started.min(as_of);
                        status.finished = status.finished.map(|date| date.min(as_of));
                        status
                    })
                    .collect(),
            }),
            (None, Some((line, _))) => {
                warnings.push(ImportWarning {
                    line: *line,
                    message: "actual dates are left out, for the file has no status date"
                        .to_owned(),
                });
                None
            }
            _ => None,
        };
        let used = |name: &str| {
            activities
                .iter()
                .any(|a| a.calendar.as_deref() == Some(name))
        };
        let calendars = (self.calendars.iter())
            .filter(|raw| used(&calendar_names[&raw.id]))
            .map(|raw| raw.calendar(calendar_names[&raw.id].clone()))
            .collect();
        let needed = |name: &str| {
            let mut needs = activities.iter().flat_map(|activity| &activity.crews);
            needs.any(|need| need.crew() == name)
        };
        let mut crews = Vec::new();
        for raw in &self.resources {
            let name = &crew_names[&raw.id];
            if !needed(name) {
                continue;
            }
            let most = (activities.iter().flat_map(|activity| &activity.crews))
                .filter(|need| need.crew() == name)
                .map(CrewNeed::units)
                .max()
                .unwrap_or(1);
            let capacity = (raw.units.ceil().max(1.0) as u32).max(most);
            if f64::from(capacity) != raw.units {
                warnings.push(ImportWarning {
                    line: raw.line,
                    message: format!(
                        "there are {} of \"{name}\": {capacity} are taken",
                        raw.units
                    ),
                });
            }
            crews.push(Crew::new(name.clone(), capacity));
        }
        self.warnings.extend(warnings);
        self.warnings.sort_by_key(|warning| warning.line);
        Ok(Imported {
            name: self.name,
            start,
            activities,
            groups,
            calendars,
            crews,
            status,
            deadlines,
            warnings: self.warnings,
        })
    }
}

impl RawCalendar {
    fn calendar(&self, name: String) -> Calendar {
        let longest = self.week.iter().copied().fold(0.0, f64::max);
        let mut calendar = Calendar::new(name);
        calendar.week = Some(self.week.to_vec());
        calendar.breaks = (self.exceptions.iter())
            .map(|&(from, to, hours)| Break {
                from,
                to: (to != from).then_some(to),
                pace: hours / longest,
            })
            .collect();
        calendar
    }
}

/// Names without "/" and "*", each its own: one that occurs again gets its key behind it.
fn distinct_names(names: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut seen = std::collections::BTreeSet::new();
    names
        .map(|(id, name)| {
            let name = name.trim().replace(['/', '*'], "-");
            let name = match name.as_str() {
                "" | "start" | "live" | crate::schedule::calendars::CONTINUOUS => {
                    format!("{name} {id}").trim().to_owned()
                }
                _ => name,
            };
            let own = if seen.insert(name.clone()) {
                name
            } else {
                let own = format!("{name} ({id})");
                seen.insert(own.clone());
                own
            };
            (id, own)
        })
        .collect()
}

/// The day of a date such as "2025-01-06T08:00:00" or "2025-01-06 08:00".
fn day_of(text: &str, line: usize) -> Result<Date, ImportError> {
    let wrong = || ImportError::new(line, format!("\"{text}\" is not a date"));
    let day = text.trim().get(..10).ok_or_else(wrong)?;
    day.parse().map_err(|_| wrong())
}

/// The beginning of the day after a moment inside of a day: when that day's work is over.
fn end_of_day(text: &str, line: usize) -> Result<Date, ImportError> {
    let day = day_of(text, line)?;
    let is_midnight = text.trim().get(11..16).is_none_or(|time| time == "00:00");
    if is_midnight {
        return Ok(day);
    }
    let next = day.civil().tomorrow();
    next.ok()
        .and_then(|next| Date::day(next.year(), next.month(), next.day()).ok())
        .ok_or_else(|| ImportError::new(line, format!("\"{text}\" is the end of the calendar")))
}

/// A finite number.
fn number(text: &str, line: usize) -> Result<f64, ImportError> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(ImportError::new(
            line,
            format!("\"{text}\" is not a number"),
        )),
    }
}

/// Hours from one time of the day to another, such as "08:00" and "12:00"; midnight ends a day.
fn hours_between(from: &str, to: &str, line: usize) -> Result<f64, ImportError> {
    let hours = |text: &str| -> Result<f64, ImportError> {
        let wrong = || ImportError::new(line, format!("\"{text}\" is not a time of the day"));
        let mut parts = text.trim().split(':');
        let mut part = || {
            parts
                .next()
                .unwrap_or("0")
                .parse::<u32>()
                .map_err(|_| wrong())
        };
        let (hour, minute) = (part()?, part()?);
        if hour > 24 || minute > 59 {
            return Err(wrong());
        }
        Ok(f64::from(hour) + f64::from(minute) / 60.0)
    };
    let (from, to) = (hours(from)?, hours(to)?);
    Ok(if to <= from {
        to + 24.0 - from
    } else {
        to - from
    })
}
