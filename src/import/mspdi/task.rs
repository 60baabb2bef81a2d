//! The tasks of a project file.

use std::collections::BTreeMap;

use super::super::raw::{Raw, RawActivity, RawLag, RawLink};
use super::super::{ImportError, Topic};
use super::Settings;
use super::element::Element;
use super::summary::{Others, Summary};
use crate::schedule::network::LinkKind;

/// Reads all tasks and returns those that are no activities.
pub(super) fn read(
    project: &Element<'_>,
    settings: &Settings,
    raw: &mut Raw,
) -> Result<Others, ImportError> {
    let mut others = Others::default();
    // The summaries around the task that is read, with their levels and positions in the list.
    let mut around: Vec<(i64, usize)> = Vec::new();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let tasks: Vec<Element<'_>> = project.list("Tasks", "Task").collect();
    for (number, task) in tasks.iter().enumerate() {
        let Some(id) = task.text("UID") else {
            raw.warn(task.line(), Topic::File, "a task without UID is left out");
            continue;
        };
        if let Some(before) = lines.insert(id, task.line()) {
            let message = format!("task {id} stands in line {before}, too: the first one is taken");
            raw.warn(task.line(), Topic::File, message);
            continue;
        }
        if task.is_set("IsNull") || task.is_cleared("Active") {
            others.inactive.insert(id.to_owned());
            if !task.is_set("IsNull") {
                raw.leave_out("inactive tasks");
            }
            continue;
        }
        let level = outline_level(task)?.unwrap_or(1);
        while around.last().is_some_and(|(outer, _)| *outer >= level) {
            close(&mut around, &mut others, raw.activities.len());
        }
        let next = tasks.get(number + 1);
        let next = next.map_or(Ok(None), outline_level)?;
        let has_tasks = next.is_some_and(|next| next > level);
        // A project that is inserted, but whose tasks are in another file, is one with nothing below it.
        let is_summary = match task.text("Summary") {
            Some(_) => task.is_set("Summary") && (has_tasks || !task.is_set("IsSubproject")),
            None => has_tasks,
        };
        if is_summary || level == 0 {
            around.push((level, others.summaries.len()));
            others.summaries.push(summary(task, id, settings, raw)?);
            if level > 0 {
                raw.leave_out("summary tasks");
            }
            continue;
        }
        let mut activity = activity(task, id, settings, raw)?;
        let names = around.iter().filter(|(level, _)| *level > 0);
        let names: Vec<&str> = names
            .map(|(_, at)| others.summaries[*at].name.as_str())
            .collect();
        activity.group = names.join("/");
        raw.activities.push(activity);
    }
    while !around.is_empty() {
        close(&mut around, &mut others, raw.activities.len());
    }
    Ok(others)
}

/// How deep a task stands in the outline, or what its number there, such as "1.2.1", says of it.
fn outline_level(task: &Element<'_>) -> Result<Option<i64>, ImportError> {
    let numbered = || Some(1 + task.text("OutlineNumber")?.matches('.').count() as i64);
    Ok(task.code("OutlineLevel")?.or_else(numbered))
}

/// The innermost summary ends before the activity of that position.
fn close(around: &mut Vec<(i64, usize)>, others: &mut Others, end: usize) {
    if let Some((_, at)) = around.pop() {
        others.summaries[at].within.end = end;
    }
}

fn summary(
    task: &Element<'_>,
    id: &str,
    settings: &Settings,
    raw: &mut Raw,
) -> Result<Summary, ImportError> {
    const START_NO_EARLIER: i64 = 4;
    let name = task.text("Name").unwrap_or(id).replace('/', "-");
    let begin = raw.activities.len();
    let is_bound =
        task.code("ConstraintType")? == Some(START_NO_EARLIER) && !settings.is_from_finish;
    Ok(Summary {
        id: id.to_owned(),
        within: begin..begin,
        links: links(task, id, &name, raw)?,
        not_before: if is_bound {
            task.date("ConstraintDate")?
        } else {
            None
        },
        name,
    })
}

fn activity(
    task: &Element<'_>,
    id: &str,
    settings: &Settings,
    raw: &mut Raw,
) -> Result<RawActivity, ImportError> {
    let name = task.text("Name").unwrap_or(id).to_owned();
    let is_manual = task.is_set("Manual");
    let duration = match is_manual {
        true => task.hours("ManualDuration")?.or(task.hours("Duration")?),
        false => task.hours("Duration")?,
    };
    let own_calendar = task.text("CalendarUID").filter(|uid| *uid != "-1");
    let mut activity = RawActivity {
        id: id.to_owned(),
        line: task.line(),
        hours: duration,
        is_elapsed: is_elapsed(task.code("DurationFormat")?),
        calendar: own_calendar.map(str::to_owned),
        is_milestone: task.is_set("Milestone"),
        deadline: task.end("Deadline")?,
        start: task.date("Start")?,
        finish: task.end("Finish")?,
        by_resources: !task.is_set("IgnoreResourceCalendar"),
        is_within_calendar: own_calendar.is_some(),
        may_be_split: !is_manual,
        links: links(task, id, &name, raw)?,
        name,
        ..RawActivity::default()
    };
    read_progress(task, &mut activity)?;
    let leveling = task.number("LevelingDelay")?.unwrap_or(0.0);
    activity.keeps_start = settings.is_from_finish || leveling > 0.0;
    let is_fixed = is_manual || task.is_set("ExternalTask") || task.is_set("IsSubproject");
    if is_fixed && !activity.has_begun() {
        activity.starts_on = match is_manual {
            true => task.date("ManualStart")?.or(activity.start),
            false => activity.start,
        };
    } else {
        constrain(task, settings, &mut activity, raw)?;
    }
    Ok(activity)
}

/// Actual dates, or what per cent complete says of them.
fn read_progress(task: &Element<'_>, activity: &mut RawActivity) -> Result<(), ImportError> {
    let done = task.number("PercentComplete")?.unwrap_or(0.0) / 100.0;
    activity.started = task
        .date("ActualStart")?
        .or(activity.start.filter(|_| done > 0.0));
    activity.finished = task
        .end("ActualFinish")?
        .or(activity.finish.filter(|_| done >= 1.0));
    activity.started = activity.started.or(activity.finished);
    if let (Some(started), Some(finished)) = (activity.started, activity.finished) {
        activity.started = Some(started.min(finished));
    }
    activity.remaining_hours = match task.hours("RemainingDuration")? {
        Some(hours) => Some(hours),
        None => activity.hours.map(|hours| hours * (1.0 - done).max(0.0)),
    };
    activity.stopped = task.end("Stop")?.filter(|_| activity.has_begun());
    activity.resumes = task.date("Resume")?;
    Ok(())
}

fn constrain(
    task: &Element<'_>,
    settings: &Settings,
    activity: &mut RawActivity,
    raw: &mut Raw,
) -> Result<(), ImportError> {
    const BOUND_FINISHES: [i64; 3] = [3, 6, 7];
    let kind = task.code("ConstraintType")?.unwrap_or(0);
    let date = match BOUND_FINISHES.contains(&kind) {
        true => task.end("ConstraintDate")?,
        false => task.date("ConstraintDate")?,
    };
    let (line, id, name) = (activity.line, activity.id.clone(), activity.name.clone());
    let mut tell = |message: String| raw.warn_of(line, Topic::Constraint, &id, message);
    match (kind, date) {
        (0, _) => {}
        (1, _) => activity.keeps_start = true,
        (2, Some(date)) if settings.honors_constraints => activity.starts_on = Some(date),
        (2 | 4, Some(date)) => activity.start_no_earlier(date),
        (3, Some(date)) if settings.honors_constraints => {
            tell(format!(
                "\"{name}\" must finish on {date}: it starts on the file's date, whatever it waits for"
            ));
            activity.finish_by(date);
            activity.starts_on = activity.start;
        }
        (3, Some(date)) => {
            activity.finish_no_earlier(date);
            activity.finish_by(date);
        }
        (6, Some(date)) => activity.finish_no_earlier(date),
        (5, Some(date)) => tell(format!(
            "\"{name}\" should start by {date}: it starts later if what it waits for is late"
        )),
        (7, Some(date)) => {
            activity.finish_by(date);
            tell(format!(
                "\"{name}\" should finish by {date}: a deadline, which pulls no date"
            ));
        }
        (kind @ 2..=7, None) => tell(format!(
            "the constraint of \"{name}\" (type {kind}) has no date and is left out"
        )),
        (kind, _) => tell(format!(
            "the constraint of \"{name}\" (type {kind}) is not known and left out"
        )),
    }
    Ok(())
}

fn links(
    task: &Element<'_>,
    id: &str,
    name: &str,
    raw: &mut Raw,
) -> Result<Vec<RawLink>, ImportError> {
    let mut links = Vec::new();
    for link in task.all("PredecessorLink") {
        if link.is_set("CrossProject") {
            let message = format!("the dependency of \"{name}\" on another project is left out");
            raw.warn_of(link.line(), Topic::Dependency, id, message);
            continue;
        }
        let kind = match link.code("Type")?.unwrap_or(1) {
            0 => LinkKind::FinishToFinish,
            1 => LinkKind::FinishToStart,
            2 => LinkKind::StartToFinish,
            3 => LinkKind::StartToStart,
            other => {
                return Err(ImportError::new(
                    link.line(),
                    format!("{other} is no kind of dependency"),
                ));
            }
        };
        let lag = link.number("LinkLag")?.unwrap_or(0.0);
        let format = link.code("LagFormat")?;
        let lag = match format {
            // Per cent of the duration of the predecessor, as time of work or as time that elapses.
            Some(19 | 51) => RawLag::Share(lag / 100.0),
            Some(20 | 52) => RawLag::ElapsedShare(lag / 100.0),
            // Tenths of minutes.
            _ if is_elapsed(format) => RawLag::Elapsed(lag / 600.0),
            _ => RawLag::Hours(lag / 600.0),
        };
        links.push(RawLink {
            predecessor: link.required("PredecessorUID")?.to_owned(),
            kind,
            lag,
            line: link.line(),
        });
    }
    Ok(links)
}

/// Whether a format of durations is one of elapsed time: em, eh, ed, ew, emo, and their estimates.
fn is_elapsed(format: Option<i64>) -> bool {
    matches!(format, Some(4 | 6 | 8 | 10 | 12 | 36 | 38 | 40 | 42 | 44))
}
