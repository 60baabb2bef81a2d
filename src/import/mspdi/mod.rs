//! Microsoft Project's XML (MSPDI, `http://schemas.microsoft.com/project`; Microsoft, "Project XML Data Interchange
//! Schema").
//!
//! Read are the project's dates and calendar, calendars with their exceptions and work weeks, tasks with durations,
//! dependencies, constraints, deadlines and progress, and assignments of work resources.
//!
//! - Summary tasks are no activities: their dates follow from others. Dependencies on them hold of what they consist of.
//! - Tasks that are scheduled by hand start on their date, whatever they wait for; inactive ones drive nothing.
//! - Lags run in the calendar of the successor unless they are elapsed.
//! - A project that is scheduled from its finish, and what is planned as late as possible, keeps the starts of the file.

mod calendar;
mod element;
mod recurrence;
mod summary;
mod task;

use std::collections::BTreeMap;

use self::element::Element;
use super::ImportError;
use super::raw::{LagCalendar, Raw, RawActivity, RawResource};
use super::text::Lines;
use crate::date::Date;

/// What the project as a whole says of its tasks.
struct Settings {
    /// Constraints go before dependencies.
    honors_constraints: bool,
    /// Everything is planned as late as the finish of the project admits.
    is_from_finish: bool,
}

/// Reads a schedule in Microsoft Project's XML.
pub(super) fn read(text: &str) -> Result<Raw, ImportError> {
    let lines = Lines::of(text);
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let document = roxmltree::Document::parse_with_options(text, options).map_err(|error| {
        // Of a file that is cut off it says no place: that is its end.
        let line = match error {
            roxmltree::Error::UnexpectedEndOfStream | roxmltree::Error::UnclosedRootNode => {
                text.lines().count()
            }
            _ => error.pos().row as usize,
        };
        ImportError::new(line.max(1), error.to_string())
    })?;
    let project = Element::new(document.root_element(), &lines);
    let refusal = match document.root_element().tag_name().name() {
        "Project" => None,
        "APIBusinessObjects" => {
            Some("this is Primavera's own XML, which is not read: export the project as XER")
        }
        _ => Some("the file holds no Project"),
    };
    if let Some(message) = refusal {
        return Err(ImportError::new(project.line(), message));
    }
    let settings = Settings {
        honors_constraints: !project.is_cleared("HonorConstraints"),
        is_from_finish: project.is_cleared("ScheduleFromStart"),
    };
    let mut raw = Raw {
        lag_calendar: LagCalendar::Successor,
        name: (project.text("Title").or(project.text("Name")))
            .unwrap_or("schedule")
            .to_owned(),
        start: project.date("StartDate")?,
        data_date: as_of(&project)?,
        default_calendar: project.text("CalendarUID").map(str::to_owned),
        ..Raw::default()
    };
    calendar::read(&project, &mut raw)?;
    let mut tasks = task::read(&project, &settings, &mut raw)?;
    summary::resolve(&mut tasks, &mut raw);
    raw.drop_links_to_themselves();
    raw.guess_data_date();
    raw.settle_calendars();
    read_resources(&project, &mut raw)?;
    raw.use_resource_calendars();
    let has_begun = raw.activities.iter().any(RawActivity::has_begun);
    raw.data_date = raw.data_date.filter(|_| has_begun);
    Ok(raw)
}

/// The date to which progress is known: the status date, or else the day on which the file was last looked at.
fn as_of(project: &Element<'_>) -> Result<Option<Date>, ImportError> {
    // Project writes this year where no status date is set.
    const NONE_SET: i16 = 1984;
    let status = project
        .date("StatusDate")?
        .filter(|date| date.year() > NONE_SET);
    Ok(match status {
        Some(date) => Some(date),
        None => project.date("CurrentDate")?,
    })
}

fn read_resources(project: &Element<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    const WORK: i64 = 1;
    for resource in project.list("Resources", "Resource") {
        let (Some(id), Some(name)) = (resource.text("UID"), resource.text("Name")) else {
            continue;
        };
        if resource.code("Type")?.unwrap_or(WORK) != WORK {
            raw.leave_out("resources that do no work");
            continue;
        }
        raw.resources.push(RawResource {
            id: id.to_owned(),
            name: name.to_owned(),
            units: resource
                .number("MaxUnits")?
                .filter(|most| *most > 0.0)
                .unwrap_or(1.0),
            calendar: resource.text("CalendarUID").map(str::to_owned),
            line: resource.line(),
        });
    }
    let known: BTreeMap<&str, ()> = raw
        .resources
        .iter()
        .map(|one| (one.id.as_str(), ()))
        .collect();
    let positions: BTreeMap<String, usize> = (raw.activities.iter().enumerate())
        .map(|(position, activity)| (activity.id.clone(), position))
        .collect();
    for assignment in project.list("Assignments", "Assignment") {
        let (Some(task), Some(resource)) =
            (assignment.text("TaskUID"), assignment.text("ResourceUID"))
        else {
            continue;
        };
        let units = assignment.number("Units")?.unwrap_or(1.0);
        if let Some(&position) = positions.get(task)
            && known.contains_key(resource)
            && units > 0.0
        {
            raw.activities[position]
                .needs
                .push((resource.to_owned(), units));
        }
    }
    Ok(())
}
