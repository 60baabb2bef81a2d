//! Microsoft Project's XML (MSPDI, `http://schemas.microsoft.com/project`).
//!
//! Read are the project's start, status date and calendar, calendars with their exceptions, tasks
//! with durations, dependencies, constraints, deadlines and actual dates, and assignments of work
//! resources. Summary tasks are left out: their dates follow from others. Lags run in the calendar
//! of the successor unless they are elapsed.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::{
    ImportError, Imported, Raw, RawActivity, RawCalendar, RawLink, RawResource, day_of, end_of_day,
    hours_between, number,
};
use crate::date::Date;
use crate::schedule::network::LinkKind;

/// Reads a schedule in Microsoft Project's XML from the bytes of a file: UTF-8, or UTF-16 with its
/// byte order mark.
pub fn read_bytes(bytes: &[u8]) -> Result<Imported, ImportError> {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| -> Vec<u16> {
        let pairs = bytes.chunks_exact(2);
        pairs.map(|pair| unit([pair[0], pair[1]])).collect()
    };
    let wide = match bytes {
        [0xff, 0xfe, rest @ ..] => Some(units(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Some(units(rest, u16::from_be_bytes)),
        _ => None,
    };
    if let Some(wide) = wide {
        return read(&String::from_utf16_lossy(&wide));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => read(text),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            Err(ImportError::new(line, "this is no text in UTF-8 or UTF-16"))
        }
    }
}

/// Reads a schedule in Microsoft Project's XML.
pub fn read(text: &str) -> Result<Imported, ImportError> {
    let document = Document::parse(text).map_err(|error| {
        // Of a file that is cut off it says no place: that is its end.
        let line = match error {
            roxmltree::Error::UnexpectedEndOfStream | roxmltree::Error::UnclosedRootNode => {
                text.lines().count()
            }
            _ => error.pos().row as usize,
        };
        ImportError::new(line.max(1), error.to_string())
    })?;
    let project = Element {
        node: document.root_element(),
        document: &document,
    };
    if project.node.tag_name().name() != "Project" {
        return Err(ImportError::new(
            project.line(),
            "the file holds no Project",
        ));
    }
    let mut raw = Raw {
        lags_by_successor: true,
        ..Raw::default()
    };
    raw.name = (project.text("Title").or(project.text("Name")))
        .unwrap_or("schedule")
        .to_owned();
    raw.start = project.date("StartDate")?;
    raw.status_date = project.date("StatusDate")?;
    raw.default_calendar = project.text("CalendarUID").map(str::to_owned);
    read_calendars(project, &mut raw)?;
    let summaries = read_tasks(project, &mut raw)?;
    drop_links_to_summaries(&summaries, &mut raw);
    read_resources(project, &mut raw)?;
    raw.into_schedule()
}

#[derive(Clone, Copy)]
struct Element<'a> {
    node: Node<'a, 'a>,
    document: &'a Document<'a>,
}

impl<'a> Element<'a> {
    fn line(self) -> usize {
        let position = self.document.text_pos_at(self.node.range().start);
        position.row as usize
    }

    fn children(self, name: &'static str) -> impl Iterator<Item = Self> {
        let children = self.node.children();
        let named =
            children.filter(move |child| child.is_element() && child.tag_name().name() == name);
        named.map(move |node| Element {
            node,
            document: self.document,
        })
    }

    fn child(self, name: &'static str) -> Option<Self> {
        self.children(name).next()
    }

    /// The text of a child, unless it is empty.
    fn text(self, name: &'static str) -> Option<&'a str> {
        let text = self.child(name)?.node.text()?.trim();
        (!text.is_empty()).then_some(text)
    }

    fn required(self, name: &'static str) -> Result<&'a str, ImportError> {
        let what = self.node.tag_name().name();
        self.text(name).ok_or_else(|| {
            ImportError::new(self.line(), format!("{name} of this {what} is missing"))
        })
    }

    fn number(self, name: &'static str) -> Result<Option<f64>, ImportError> {
        let Some(child) = self.child(name) else {
            return Ok(None);
        };
        self.text(name)
            .map(|text| number(text, child.line()))
            .transpose()
    }

    /// A number that stands for one of several things.
    fn code(self, name: &'static str) -> Result<Option<i64>, ImportError> {
        Ok(self.number(name)?.map(|number| number as i64))
    }

    fn is_set(self, name: &'static str) -> bool {
        matches!(self.text(name), Some("1" | "true"))
    }

    fn date(self, name: &'static str) -> Result<Option<Date>, ImportError> {
        let Some(child) = self.child(name) else {
            return Ok(None);
        };
        self.text(name)
            .map(|text| day_of(text, child.line()))
            .transpose()
    }

    /// Hours of a duration such as "PT80H30M0S".
    fn hours(self, name: &'static str) -> Result<Option<f64>, ImportError> {
        let (Some(child), Some(text)) = (self.child(name), self.text(name)) else {
            return Ok(None);
        };
        let line = child.line();
        let wrong = || ImportError::new(line, format!("\"{text}\" is not a duration"));
        let rest = text.strip_prefix("PT").ok_or_else(wrong)?;
        let (hours, rest) = rest.split_once('H').ok_or_else(wrong)?;
        let (minutes, rest) = rest.split_once('M').ok_or_else(wrong)?;
        let seconds = rest.strip_suffix('S').ok_or_else(wrong)?;
        let hours =
            number(hours, line)? + number(minutes, line)? / 60.0 + number(seconds, line)? / 3600.0;
        if hours < 0.0 {
            return Err(wrong());
        }
        Ok(Some(hours))
    }
}

fn read_calendars(project: Element<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    const STANDARD: [f64; 7] = [8.0, 8.0, 8.0, 8.0, 8.0, 0.0, 0.0];
    let Some(calendars) = project.child("Calendars") else {
        return Ok(());
    };
    for element in calendars.children("Calendar") {
        let id = element.required("UID")?.to_owned();
        let base = element.text("BaseCalendarUID").unwrap_or_default();
        let base = raw.calendars.iter().find(|calendar| calendar.id == base);
        let mut calendar = RawCalendar {
            id,
            name: element.text("Name").unwrap_or("calendar").to_owned(),
            week: base.map_or(STANDARD, |base| base.week),
            exceptions: base.map_or_else(Vec::new, |base| base.exceptions.clone()),
        };
        for day in element
            .child("WeekDays")
            .into_iter()
            .flat_map(|days| days.children("WeekDay"))
        {
            let hours = working_hours(day)?;
            match day.code("DayType")? {
                // From 1 for Sunday to 0 for Monday.
                Some(number @ 1..=7) => calendar.week[(number as usize + 5) % 7] = hours,
                Some(0) => read_exception(day, hours, &mut calendar)?,
                _ => return Err(ImportError::new(day.line(), "DayType is not 0 to 7")),
            }
        }
        for exception in
            (element.child("Exceptions").into_iter()).flat_map(|list| list.children("Exception"))
        {
            // 1 is for every day of the period; others recur by month or year.
            if !matches!(exception.code("Type")?, None | Some(1)) {
                raw.warnings.push(super::ImportWarning {
                    line: exception.line(),
                    message: format!(
                        "an exception of calendar \"{}\" that recurs is left out",
                        calendar.name
                    ),
                });
                continue;
            }
            let hours = working_hours(exception)?;
            read_exception(exception, hours, &mut calendar)?;
        }
        if calendar.week.iter().sum::<f64>() <= 0.0 {
            let message = format!("calendar \"{}\" has no working day", calendar.name);
            return Err(ImportError::new(element.line(), message));
        }
        raw.calendars.push(calendar);
    }
    Ok(())
}

fn working_hours(day: Element<'_>) -> Result<f64, ImportError> {
    if !day.is_set("DayWorking") {
        return Ok(0.0);
    }
    let mut hours = 0.0;
    for times in day
        .child("WorkingTimes")
        .into_iter()
        .flat_map(|times| times.children("WorkingTime"))
    {
        hours += hours_between(
            times.required("FromTime")?,
            times.required("ToTime")?,
            times.line(),
        )?;
    }
    Ok(hours)
}

fn read_exception(
    day: Element<'_>,
    hours: f64,
    calendar: &mut RawCalendar,
) -> Result<(), ImportError> {
    let Some(period) = day.child("TimePeriod") else {
        return Err(ImportError::new(
            day.line(),
            "an exception of a calendar has no TimePeriod",
        ));
    };
    let (from, to) = (period.date("FromDate")?, period.date("ToDate")?);
    match from.zip(to) {
        Some((from, to)) if from <= to => calendar.exceptions.push((from, to, hours)),
        _ => {
            return Err(ImportError::new(
                period.line(),
                "a TimePeriod without its two dates in order",
            ));
        }
    }
    Ok(())
}

/// Reads all tasks and returns the summaries, which are no activities.
fn read_tasks(
    project: Element<'_>,
    raw: &mut Raw,
) -> Result<BTreeMap<String, String>, ImportError> {
    let mut summaries = BTreeMap::new();
    // The summary tasks around the one that is read, with their levels.
    let mut around: Vec<(i64, String)> = Vec::new();
    for task in project
        .child("Tasks")
        .into_iter()
        .flat_map(|tasks| tasks.children("Task"))
    {
        let line = task.line();
        if task.is_set("IsNull") || task.text("Active") == Some("0") {
            continue;
        }
        let id = task.required("UID")?.to_owned();
        let name = task.text("Name").unwrap_or(&id).to_owned();
        let level = task.code("OutlineLevel")?.unwrap_or(i64::MAX);
        around.retain(|(outer, _)| *outer < level);
        if task.is_set("Summary") {
            if level > 0 {
                around.push((level, name.replace('/', "-")));
            }
            if task.child("PredecessorLink").is_some() {
                raw.warn(
                    line,
                    format!("dependencies of summary task \"{name}\" are left out"),
                );
            }
            summaries.insert(id, name);
            continue;
        }
        if task.text("OutlineLevel") == Some("0") {
            summaries.insert(id, name);
            continue;
        }
        let mut activity = activity(task, id, name, raw)?;
        let names: Vec<&str> = around.iter().map(|(_, name)| name.as_str()).collect();
        activity.group = names.join("/");
        raw.activities.push(activity);
    }
    Ok(summaries)
}

fn activity(
    task: Element<'_>,
    id: String,
    name: String,
    raw: &mut Raw,
) -> Result<RawActivity, ImportError> {
    let line = task.line();
    let mut activity = RawActivity {
        id,
        line,
        hours: task.hours("Duration")?.unwrap_or(0.0),
        is_elapsed: is_elapsed(task.code("DurationFormat")?),
        calendar: task
            .text("CalendarUID")
            .filter(|uid| *uid != "-1")
            .map(str::to_owned),
        is_milestone: task.is_set("Milestone"),
        deadline: task.date("Deadline")?,
        started: task.date("ActualStart")?,
        remaining_hours: task.hours("RemainingDuration")?,
        name,
        ..RawActivity::default()
    };
    if let Some(finished) = task.text("ActualFinish") {
        activity.finished = Some(if activity.hours == 0.0 {
            day_of(finished, line)?
        } else {
            end_of_day(finished, line)?
        });
        activity.started = activity.started.or(Some(day_of(finished, line)?));
    }
    let date = task.date("ConstraintDate")?;
    let name = &activity.name;
    match (task.code("ConstraintType")?.unwrap_or(0), date) {
        (0, _) => {}
        (4, Some(date)) => activity.not_before = Some(date),
        (2, Some(date)) => {
            activity.not_before = Some(date);
            raw.warn(
                line,
                format!("\"{name}\" must start on {date}: taken as no earlier than that"),
            );
        }
        (3 | 7, Some(date)) => {
            activity.deadline = Some(
                activity
                    .deadline
                    .map_or(date, |deadline| deadline.min(date)),
            );
            raw.warn(
                line,
                format!("\"{name}\" must finish by {date}: checked, but not enforced"),
            );
        }
        (kind, _) => {
            raw.warn(
                line,
                format!("the constraint of \"{name}\" (type {kind}) is left out"),
            );
        }
    }
    for link in task.children("PredecessorLink") {
        if link.is_set("CrossProject") {
            raw.warn(
                link.line(),
                format!("a dependency of \"{name}\" on another project is left out"),
            );
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
        let format = link.code("LagFormat")?;
        let mut lag = link.number("LinkLag")?.unwrap_or(0.0);
        if matches!(format, Some(19 | 20 | 51 | 52)) && lag != 0.0 {
            raw.warn(
                link.line(),
                format!("a lag of \"{name}\" in per cent is left out"),
            );
            lag = 0.0;
        }
        activity.links.push(RawLink {
            predecessor: link.required("PredecessorUID")?.to_owned(),
            kind,
            // Tenths of minutes.
            lag_hours: lag / 600.0,
            is_elapsed: is_elapsed(format),
            line: link.line(),
        });
    }
    Ok(activity)
}

/// Whether a format of durations is one of elapsed time: em, eh, ed, ew, emo, and their estimates.
fn is_elapsed(format: Option<i64>) -> bool {
    matches!(format, Some(4 | 6 | 8 | 10 | 12 | 36 | 38 | 40 | 42 | 44))
}

fn drop_links_to_summaries(summaries: &BTreeMap<String, String>, raw: &mut Raw) {
    let mut dropped = Vec::new();
    for activity in &mut raw.activities {
        let name = &activity.name;
        activity
            .links
            .retain(|link| match summaries.get(&link.predecessor) {
                Some(summary) => {
                    dropped.push((
                        link.line,
                        format!(
                            "the dependency of \"{name}\" on summary task \"{summary}\" is left out"
                        ),
                    ));
                    false
                }
                None => true,
            });
    }
    for (line, message) in dropped {
        raw.warn(line, message);
    }
}

fn read_resources(project: Element<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    for resource in
        (project.child("Resources").into_iter()).flat_map(|list| list.children("Resource"))
    {
        let id = resource.required("UID")?;
        let Some(name) = resource.text("Name") else {
            continue;
        };
        if resource.code("Type")?.unwrap_or(1) != 1 {
            raw.warn(
                resource.line(),
                format!("resource \"{name}\" is left out: it does no work"),
            );
            continue;
        }
        raw.resources.push(RawResource {
            id: id.to_owned(),
            name: name.to_owned(),
            units: resource.number("MaxUnits")?.unwrap_or(1.0),
            line: resource.line(),
        });
    }
    let positions: BTreeMap<String, usize> = (raw.activities.iter().enumerate())
        .map(|(position, activity)| (activity.id.clone(), position))
        .collect();
    for assignment in
        (project.child("Assignments").into_iter()).flat_map(|list| list.children("Assignment"))
    {
        let (task, resource) = (
            assignment.required("TaskUID")?,
            assignment.required("ResourceUID")?,
        );
        let units = assignment.number("Units")?.unwrap_or(1.0);
        if let Some(&position) = positions.get(task)
            && units > 0.0
        {
            raw.activities[position]
                .needs
                .push((resource.to_owned(), units));
        }
    }
    Ok(())
}
