//! From a schedule as a file has it to activities, calendars, crews and status.

use std::collections::{BTreeMap, BTreeSet};

use super::clocks::{Clocks, ELAPSED, ensure_elapsed_calendar};
use super::raw::{LagCalendar, Raw, RawActivity, RawLag, RawLink};
use super::{ImportError, ImportWarning, Imported, Origin, Topic};
use crate::date::Date;
use crate::problem::is_hidden;
use crate::schedule::calendars::CONTINUOUS;
use crate::schedule::crews::{Crew, CrewNeed, CrewUnits};
use crate::schedule::{Activity, ActivityStatus, Dependency, Lagged, Status};

/// Less than that, in hours, is no interruption.
const LEAST_INTERRUPTION_HOURS: f64 = 0.5;
/// Days before the first date of the file from which on exceptions of calendars are kept.
const DAYS_BEFORE: i64 = 31;

/// Turns a schedule into activities; with `crews`, resources become crews.
pub(super) fn convert(mut raw: Raw, crews: bool) -> Result<Imported, ImportError> {
    if raw.activities.is_empty() {
        return Err(ImportError::new(1, "the file has no activity to import"));
    }
    ensure_elapsed_calendar(&mut raw);
    let project_start = project_start(&raw);
    let start = first_start(&raw, project_start);
    let mut warnings = std::mem::take(&mut raw.warnings);
    let names = Names::of(&raw);
    for warning in &mut warnings {
        // Readers know activities by their keys.
        let key = warning.activity.take();
        warning.activity = key.and_then(|key| names.activities.get(&key).cloned());
        let key = warning.calendar.take();
        warning.calendar = key.and_then(|key| names.calendars.get(&key).cloned());
    }
    let clocks = Clocks::of(&raw, start);
    let positions = (raw.activities.iter().enumerate())
        .map(|(position, activity)| (activity.id.as_str(), position))
        .collect();
    let mut context = Context {
        raw: &raw,
        positions,
        project_start,
        start,
        names,
        clocks,
        hours: Vec::new(),
        warnings: Vec::new(),
    };
    for activity in &raw.activities {
        let hours = context.hours(activity);
        context.hours.push(hours);
    }
    let activities: Vec<Activity> = (raw.activities.iter().zip(&context.hours))
        .map(|(activity, hours)| context.activity(activity, *hours, crews))
        .collect();
    let origins = (raw.activities.iter())
        .map(|activity| context.origin(activity))
        .collect();
    let status = context.status();
    let deadlines = context.deadlines();
    let calendars = context.calendars(&activities);
    let crews = context.crews(&activities);
    warnings.append(&mut context.warnings);
    warnings.sort_by_key(|warning| warning.line);
    Ok(Imported {
        name: visible(&raw.name),
        start,
        activities,
        origins,
        calendars,
        crews,
        risks: Vec::new(),
        status,
        deadlines,
        left_out: (raw.left_out.into_iter())
            .map(|(what, count)| (what.to_owned(), count))
            .collect(),
        warnings,
    })
}

/// The start of the project, or the data date if that is later: what comes before it is history.
fn project_start(raw: &Raw) -> Date {
    let dates = raw.activities.iter().filter_map(|activity| activity.start);
    let first = raw.start.or_else(|| dates.min()).or(raw.data_date);
    let today = raw.data_date.filter(|_| raw.is_held_to_data_date);
    // A file without any date at all is a plan of durations.
    let start = first.into_iter().chain(today).max();
    start.unwrap_or_else(|| Date::from_civil(jiff::civil::date(2025, 1, 1)))
}

/// The first date on which anything may start: what has a date of its own may go before the project.
fn first_start(raw: &Raw, project_start: Date) -> Date {
    if raw.is_held_to_data_date {
        return project_start;
    }
    let own = |activity: &RawActivity| {
        let kept = activity.start.filter(|_| activity.keeps_start);
        activity.starts_on.or(activity.not_before).or(kept)
    };
    let waiting = raw
        .activities
        .iter()
        .filter(|activity| !activity.has_begun());
    waiting.filter_map(own).fold(project_start, Date::min)
}

/// The names of a schedule, each its own, by the keys of the file.
struct Names {
    activities: BTreeMap<String, String>,
    calendars: BTreeMap<String, String>,
    crews: BTreeMap<String, String>,
}

impl Names {
    fn of(raw: &Raw) -> Self {
        let shown = |activity: &RawActivity| match activity.code.as_str() {
            "" => activity.name.clone(),
            code => format!("{code} {}", activity.name),
        };
        Self {
            activities: distinct(
                raw.activities
                    .iter()
                    .map(|one| (one.id.clone(), shown(one))),
            ),
            calendars: distinct(
                raw.calendars
                    .iter()
                    .map(|one| (one.id.clone(), one.name.clone())),
            ),
            crews: distinct(
                raw.resources
                    .iter()
                    .map(|one| (one.id.clone(), one.name.clone())),
            ),
        }
    }
}

/// A name without what a scenario's names may not hold: characters that control what is shown, such as the marks of direction
/// in Arabic and Hebrew names.
fn visible(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || is_hidden(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Names without "/" and "*", each its own: one that occurs again gets its key behind it.
fn distinct(names: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut seen = BTreeSet::new();
    names
        .map(|(id, name)| {
            let name = visible(&name).replace(['/', '*'], "-");
            let name = match name.as_str() {
                "" | "start" | "live" | CONTINUOUS => format!("{name} {id}").trim().to_owned(),
                _ => name,
            };
            let mut own = name.clone();
            let mut number = 1;
            while !seen.insert(own.clone()) {
                own = match number {
                    1 => format!("{name} ({id})"),
                    _ => format!("{name} ({id}, {number})"),
                };
                number += 1;
            }
            (id, own)
        })
        .collect()
}

struct Context<'a> {
    raw: &'a Raw,
    positions: BTreeMap<&'a str, usize>,
    project_start: Date,
    start: Date,
    names: Names,
    clocks: Clocks,
    /// Working time of each activity.
    hours: Vec<f64>,
    warnings: Vec<ImportWarning>,
}

impl Context<'_> {
    fn warn(&mut self, of: &RawActivity, topic: Topic, message: String) {
        self.warnings.push(ImportWarning {
            line: of.line,
            topic,
            activity: Some(self.names.activities[&of.id].clone()),
            calendar: None,
            message,
        });
    }

    fn calendar_of<'b>(&'b self, activity: &'b RawActivity) -> Option<&'b str> {
        if activity.is_elapsed {
            return Some(ELAPSED);
        }
        let wanted = activity
            .calendar
            .as_ref()
            .or(self.raw.default_calendar.as_ref());
        let known = wanted.filter(|id| self.clocks.knows(id));
        known.map(String::as_str)
    }

    fn activity(&self, raw: &RawActivity, hours: f64, crews: bool) -> Activity {
        let name = self.names.activities[&raw.id].clone();
        let calendar = self.calendar_of(raw);
        let mut activity = Activity::new(&name, self.clocks.months(hours, calendar));
        activity.calendar = calendar.map(|id| self.names.calendars[id].clone());
        activity.milestone = raw.is_milestone;
        activity.starts_work = raw.is_start_milestone;
        let on_day = |date: Date| self.clocks.day_if_idle(date, calendar);
        let as_of = self.raw.data_date;
        let ahead = raw
            .started
            .filter(|started| as_of.is_some_and(|as_of| *started > as_of));
        let keeps = raw.start.filter(|_| raw.keeps_start).or(ahead);
        // What waits for the start or the finish of another begins late enough.
        let waits = |link: &RawLink| link.kind.is_to_start() && !link.lag.is_lead();
        let begins_with_project = !raw.links.iter().any(waits) && raw.not_before.is_none();
        let project = Some(self.project_start).filter(|_| begins_with_project);
        activity.not_before = raw
            .not_before
            .into_iter()
            .chain(keeps)
            .max()
            .or(project)
            .map(on_day);
        activity.finish_not_before = raw.finish_not_before;
        activity.starts_on = raw.starts_on.map(on_day);
        activity.after = Some(
            raw.links
                .iter()
                .map(|link| self.dependency(raw, link))
                .collect(),
        );
        if crews {
            activity.crews = self.needs(raw);
        }
        activity
    }

    /// The working time of an activity; interruptions count where the file has them.
    fn hours(&mut self, raw: &RawActivity) -> f64 {
        let calendar = self.calendar_of(raw);
        let span = raw
            .start
            .zip(raw.finish)
            .filter(|(start, finish)| start < finish);
        let span = span.map(|(start, finish)| self.clocks.hours_between(start, finish, calendar));
        if !raw.has_begun()
            && let Some(hours) = self.hours_until_expected(raw)
        {
            return hours;
        }
        let Some(hours) = raw.hours else {
            return span.unwrap_or(0.0).max(0.0);
        };
        match span {
            Some(span)
                if raw.may_be_split
                    && !raw.is_milestone
                    && !raw.has_begun()
                    && span - hours > LEAST_INTERRUPTION_HOURS =>
            {
                let message = format!(
                    "\"{}\" is interrupted for {:.1} hours of work, which count as duration",
                    raw.name,
                    span - hours
                );
                self.warn(raw, Topic::Duration, message);
                span
            }
            _ => hours,
        }
    }

    /// What remains of work until it is expected to finish, from the later of the file's early start and the data date (Oracle,
    /// "P6 Professional Help", Expected finish); none where that is later.
    fn hours_until_expected(&self, raw: &RawActivity) -> Option<f64> {
        let expected = raw.expected_finish?;
        let from = [raw.start, self.raw.data_date, raw.resumes];
        let from = from.into_iter().flatten().max()?;
        let hours = || (self.clocks).hours_between(from, expected, self.calendar_of(raw));
        (from < expected).then(hours)
    }

    fn dependency(&self, raw: &RawActivity, link: &RawLink) -> Dependency {
        let mut lagged = Lagged::new(&self.names.activities[&link.predecessor]);
        lagged.kind = link.kind;
        let (hours, calendar) = self.lag(raw, link);
        lagged.lag_months = self.clocks.months(hours, calendar).into();
        lagged.lag_calendar = calendar.map(|id| self.names.calendars[id].clone());
        if lagged == Lagged::new(&lagged.activity) {
            Dependency::Finish(lagged.activity)
        } else {
            Dependency::Lagged(lagged)
        }
    }

    /// The hours of a lag, and the calendar that they run in.
    fn lag<'b>(&'b self, raw: &'b RawActivity, link: &RawLink) -> (f64, Option<&'b str>) {
        let position = self.positions.get(link.predecessor.as_str()).copied();
        let predecessor = position.and_then(|position| self.raw.activities.get(position));
        let of_predecessor = || {
            let hours = position.and_then(|position| self.hours.get(position));
            hours.copied().unwrap_or(0.0)
        };
        let (hours, elapses) = match link.lag {
            RawLag::Hours(hours) => (hours, false),
            RawLag::Elapsed(hours) => (hours, true),
            RawLag::Share(share) => (share * of_predecessor(), false),
            RawLag::ElapsedShare(share) => (share * of_predecessor(), true),
        };
        let calendar = match self.raw.lag_calendar {
            _ if hours == 0.0 => None,
            _ if elapses => Some(ELAPSED),
            LagCalendar::Successor => self.calendar_of(raw),
            LagCalendar::Predecessor => predecessor.and_then(|of| self.calendar_of(of)),
            LagCalendar::Project => {
                (self.raw.default_calendar.as_deref()).filter(|id| self.clocks.knows(id))
            }
            LagCalendar::Elapsed => Some(ELAPSED),
        };
        (hours, calendar)
    }

    fn needs(&self, raw: &RawActivity) -> Vec<CrewNeed> {
        let mut units: BTreeMap<&String, f64> = BTreeMap::new();
        for (resource, needed) in &raw.needs {
            if let Some(crew) = self.names.crews.get(resource) {
                *units.entry(crew).or_default() += needed;
            }
        }
        let need = |(crew, units): (&String, f64)| {
            if units == 1.0 {
                CrewNeed::One(crew.clone())
            } else {
                CrewNeed::Several(CrewUnits {
                    crew: crew.clone(),
                    units,
                })
            }
        };
        units
            .into_iter()
            .filter(|(_, units)| *units > 0.0)
            .map(need)
            .collect()
    }

    fn origin(&self, raw: &RawActivity) -> Origin {
        let resource = |(id, _): &(String, f64)| self.names.crews.get(id).cloned();
        Origin {
            line: raw.line,
            code: raw.code.clone(),
            group: raw.group.clone(),
            codes: raw.codes.clone(),
            resources: raw.needs.iter().filter_map(resource).collect(),
            is_start_milestone: raw.is_start_milestone,
            start: raw.start,
            finish: raw.finish,
        }
    }

    /// What has begun, as of the data date.
    fn status(&mut self) -> Option<Status> {
        let has_begun = self.raw.activities.iter().any(RawActivity::has_begun);
        let Some(as_of) = self.raw.data_date else {
            if let Some(first) = self.raw.activities.iter().find(|one| one.has_begun()) {
                let message = "actual dates are left out, for the file has no status date";
                self.warn(first, Topic::Progress, message.to_owned());
            }
            return None;
        };
        if !has_begun && !self.raw.is_held_to_data_date {
            return None;
        }
        let mut status = Status::new(as_of);
        status.retained_logic = self.raw.retains_logic;
        for raw in self.raw.activities.iter().filter(|raw| raw.has_begun()) {
            status.activities.extend(self.progress(raw, as_of));
        }
        Some(status)
    }

    fn progress(&mut self, raw: &RawActivity, as_of: Date) -> Option<ActivityStatus> {
        let started = raw.started.or(raw.finished)?;
        if started > as_of {
            let message = format!(
                "\"{}\" is said to have started on {started}, after the data date {as_of}: it is taken to start then",
                raw.name
            );
            self.warn(raw, Topic::Progress, message);
            return None;
        }
        let calendar = self.calendar_of(raw).map(str::to_owned);
        let calendar = calendar.as_deref();
        let name = self.names.activities[&raw.id].clone();
        let mut status = ActivityStatus::new(name, started);
        let finished = raw.finished.filter(|finished| *finished <= as_of);
        // What was over at midnight finished on the day before.
        let last = |over: Date| {
            if over == over.day_of() {
                over.last_day()
            } else {
                over
            }
        };
        status.finished = finished.map(last).map(Into::into);
        if let Some(finished) = raw.finished.filter(|finished| *finished > as_of) {
            let left = self.clocks.hours_between(as_of, finished, calendar);
            status.remaining_months = Some(self.clocks.months(left, calendar).into());
            let message = format!(
                "\"{}\" is said to have finished on {finished}, after the data date {as_of}: the rest is taken to remain",
                raw.name
            );
            self.warn(raw, Topic::Progress, message);
        } else if status.finished.is_none() {
            let left = (self.hours_until_expected(raw))
                .or(raw.remaining_hours)
                .or(raw.hours)
                .unwrap_or(0.0);
            status.remaining_months = Some(self.clocks.months(left, calendar).into());
            status.resumes = raw.resumes.filter(|resumes| *resumes > as_of);
        }
        Some(status)
    }

    fn deadlines(&self) -> Vec<(String, Date)> {
        let deadline = |raw: &RawActivity| {
            let name = || self.names.activities[&raw.id].clone();
            raw.deadline
                .filter(|_| raw.finished.is_none())
                .map(|date| (name(), date))
        };
        self.raw.activities.iter().filter_map(deadline).collect()
    }

    /// The calendars that are used.
    fn calendars(&self, activities: &[Activity]) -> Vec<crate::schedule::calendars::Calendar> {
        let lags = (activities.iter())
            .flat_map(|activity| activity.after.iter().flatten())
            .filter_map(Dependency::lag_calendar);
        let own = activities
            .iter()
            .filter_map(|activity| activity.calendar.as_deref());
        let used: BTreeSet<&str> = own.chain(lags).collect();
        let begun = self
            .raw
            .activities
            .iter()
            .filter_map(|activity| activity.started);
        let first = begun.chain([self.start]).min().unwrap_or(self.start);
        let from = first
            .civil()
            .saturating_sub(jiff::Span::new().days(DAYS_BEFORE));
        (self.raw.calendars.iter())
            .map(|raw| (raw, &self.names.calendars[&raw.id]))
            .filter(|(_, name)| used.contains(name.as_str()))
            .map(|(raw, name)| raw.calendar(name.clone(), from))
            .collect()
    }

    /// The crews that are needed; there are at least as many as one activity needs.
    fn crews(&mut self, activities: &[Activity]) -> Vec<Crew> {
        let mut most: BTreeMap<&str, f64> = BTreeMap::new();
        for need in activities.iter().flat_map(|activity| &activity.crews) {
            let known = most.entry(need.crew()).or_default();
            *known = known.max(need.units());
        }
        let mut crews = Vec::new();
        for raw in &self.raw.resources {
            let name = &self.names.crews[&raw.id];
            let Some(&most) = most.get(name.as_str()) else {
                continue;
            };
            if most > raw.units {
                self.warnings.push(ImportWarning {
                    line: raw.line,
                    topic: Topic::Resource,
                    activity: None,
                    calendar: None,
                    message: format!(
                        "there are {} of \"{name}\", but one activity needs {most}: {most} are taken",
                        raw.units
                    ),
                });
            }
            crews.push(Crew::new(name.clone(), raw.units.max(most)));
        }
        crews
    }
}
