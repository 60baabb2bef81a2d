//! Primavera P6's exchange format: tables of tab-separated rows ([`tables`]).
//!
//! Read are the tables PROJECT, SCHEDOPTIONS, CALENDAR, PROJWBS, TASK, TASKPRED, RSRC, RSRCRATE, TASKRSRC and the codes
//! ACTVTYPE, ACTVCODE and TASKACTV; damage in any other refuses nothing. Rules are those of Oracle's "P6 Professional
//! Help" on scheduling options, relationship lags and constraints:
//!
//! - Work that has not finished lasts for its remaining duration; nothing that has not started begins before the data date.
//! - Under retained logic the rest of what has begun waits for its predecessors; under progress override it does not.
//! - An expected finish, unless the options leave it out, replaces what remains: the work lasts from its start to that date.
//! - Lags run in the calendar that the options name: of the predecessor, the successor, the project, or around the clock.
//! - Levels of effort and summaries of the work breakdown take their dates from others and drive nothing.

mod calendar;
mod tables;
mod task;

use std::collections::{BTreeMap, BTreeSet};

use self::tables::{Row, Tables};
use super::raw::{LagCalendar, Raw, RawLag, RawLink, RawResource};
use super::{ImportError, ImportOptions, Topic};
use crate::schedule::network::LinkKind;

/// What a schedule without a project is called.
const NAMELESS: &str = "schedule";

/// Reads an XER file.
pub(super) fn read(text: &str, options: &ImportOptions) -> Result<Raw, ImportError> {
    let mut tables = Tables::of(text)?;
    let mut raw = Raw {
        is_held_to_data_date: true,
        warnings: std::mem::take(&mut tables.damage),
        ..Raw::default()
    };
    let projects = projects(&tables, options, &mut raw)?;
    read_options(&tables, &projects, &mut raw);
    calendar::read(&tables, &mut raw)?;
    read_resources(&tables, &mut raw)?;
    task::read(&tables, &projects, &mut raw)?;
    raw.guess_data_date();
    raw.settle_calendars();
    read_links(&tables, &mut raw)?;
    raw.drop_links_to_themselves();
    read_assignments(&tables, &mut raw)?;
    raw.use_resource_calendars();
    Ok(raw)
}

/// The numbers of the projects that are read, with their names.
type Projects<'a> = BTreeMap<&'a str, &'a str>;

/// Chooses the projects and takes over their dates.
fn projects<'a>(
    tables: &Tables<'a>,
    options: &ImportOptions,
    raw: &mut Raw,
) -> Result<Projects<'a>, ImportError> {
    let first = tables
        .rows("PROJECT")
        .next()
        .and_then(|row| row.get("proj_id"));
    let mut tasks: BTreeMap<&str, usize> = BTreeMap::new();
    for row in tables.rows("TASK") {
        let project = row.get("proj_id").or(first).unwrap_or_default();
        *tasks.entry(project).or_default() += 1;
    }
    let known: Vec<(Row<'a, '_>, &str, &str)> = (tables.rows("PROJECT"))
        .map(|row| {
            let id = row.get("proj_id").unwrap_or_default();
            let name = row.get("proj_short_name").unwrap_or(id);
            (row, id, name)
        })
        .collect();
    if known.is_empty() {
        let line = tables.rows("TASK").next().map_or(1, |row| row.line);
        raw.warn(
            line,
            Topic::File,
            "the file has no project: all its activities are read",
        );
        raw.name = NAMELESS.to_owned();
        return Ok(tasks.into_keys().map(|id| (id, NAMELESS)).collect());
    }
    let chosen = choose(&known, &tasks, options)?;
    let mut projects = Projects::new();
    for (row, id, name) in &known {
        let count = tasks.get(id).copied().unwrap_or(0);
        if !chosen.contains(id) {
            if count > 0 {
                raw.warn(
                    row.line,
                    Topic::File,
                    format!("project \"{name}\" with {count} activities is left out"),
                );
            }
            continue;
        }
        projects.insert(id, name);
        raw.name = if raw.name.is_empty() {
            (*name).to_owned()
        } else {
            format!("{} and {name}", raw.name)
        };
        take_dates(row, raw)?;
        raw.default_calendar = raw
            .default_calendar
            .take()
            .or(row.get("clndr_id").map(str::to_owned));
    }
    Ok(projects)
}

/// Takes over the start of a project, if it is the first one, and its data date, if it is the last one.
fn take_dates(row: &Row<'_, '_>, raw: &mut Raw) -> Result<(), ImportError> {
    let (start, today) = (row.date("plan_start_date")?, row.date("last_recalc_date")?);
    raw.start = [raw.start, start].into_iter().flatten().min();
    if let (Some(before), Some(today)) = (raw.data_date, today)
        && before != today
    {
        raw.warn(
            row.line,
            Topic::DataDate,
            format!(
                "the projects have the data dates {before} and {today}: the later one is taken"
            ),
        );
    }
    raw.data_date = [raw.data_date, today].into_iter().flatten().max();
    Ok(())
}

/// The projects that were asked for; else the one that was exported, is no baseline, and has the most activities.
fn choose<'a>(
    known: &[(Row<'a, '_>, &'a str, &'a str)],
    tasks: &BTreeMap<&str, usize>,
    options: &ImportOptions,
) -> Result<BTreeSet<&'a str>, ImportError> {
    if options.projects.is_empty() {
        let count = |id: &str| tasks.get(id).copied().unwrap_or(0);
        // Of equal ones the first.
        let best = (known.iter().rev()).max_by_key(|(row, id, _)| {
            let is_exported = row.get("export_flag").is_none_or(|flag| flag == "Y");
            (count(id) > 0, is_exported, count(id))
        });
        return Ok(best.into_iter().map(|(_, id, _)| *id).collect());
    }
    let mut chosen = BTreeSet::new();
    for wanted in &options.projects {
        let found = known
            .iter()
            .find(|(_, id, name)| id == wanted || name == wanted);
        let Some((_, id, _)) = found else {
            let names: Vec<&str> = known.iter().map(|(_, _, name)| *name).collect();
            return Err(ImportError::new(
                known[0].0.line,
                format!(
                    "there is no project \"{wanted}\" in the file; there are: {}",
                    names.join(", ")
                ),
            ));
        };
        chosen.insert(*id);
    }
    Ok(chosen)
}

fn read_options(tables: &Tables<'_>, projects: &Projects<'_>, raw: &mut Raw) {
    raw.retains_logic = true;
    raw.uses_expected_finish = true;
    let own = |row: &Row<'_, '_>| {
        row.get("proj_id")
            .is_none_or(|id| projects.contains_key(id))
    };
    let Some(row) = tables
        .rows("SCHEDOPTIONS")
        .find(own)
        .or(tables.rows("SCHEDOPTIONS").next())
    else {
        return;
    };
    raw.retains_logic = !row.is_set("sched_progress_override");
    raw.uses_expected_finish = row
        .get("sched_use_expect_end_flag")
        .is_none_or(|flag| flag == "Y");
    raw.lag_calendar = match row.get("sched_calendar_on_relationship_lag") {
        Some("rcal_Successor") => LagCalendar::Successor,
        Some("rcal_ProjDefault") => LagCalendar::Project,
        Some("rcal_24Hour") => LagCalendar::Elapsed,
        _ => LagCalendar::Predecessor,
    };
    if !row.is_set("sched_retained_logic")
        && !row.is_set("sched_progress_override")
        && row.get("sched_retained_logic").is_some()
    {
        let message =
            "actual dates are said to drive what is out of sequence: retained logic is taken";
        raw.warn(row.line, Topic::Progress, message);
    }
}

fn read_links(tables: &Tables<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    let positions: BTreeMap<String, usize> = (raw.activities.iter().enumerate())
        .map(|(position, activity)| (activity.id.clone(), position))
        .collect();
    let drives_nothing: BTreeSet<&str> = (tables.rows("TASK"))
        .filter(|row| task::follows_others(row))
        .filter_map(|row| row.get("task_id"))
        .collect();
    let all: BTreeSet<&str> = tables
        .rows("TASK")
        .filter_map(|row| row.get("task_id"))
        .collect();
    for row in tables.rows("TASKPRED") {
        let (task, before) = (row.required("task_id")?, row.required("pred_task_id")?);
        if drives_nothing.contains(task) || drives_nothing.contains(before) {
            raw.leave_out("dependencies of levels of effort and summaries");
            continue;
        }
        let Some(&position) = positions.get(task) else {
            // It is of another project, or of a task that is not in the file.
            continue;
        };
        if !positions.contains_key(before) {
            let activity = &raw.activities[position];
            let what = if all.contains(before) {
                "another project"
            } else {
                "a task that is not in the file"
            };
            let message = format!(
                "the dependency of \"{}\" on {what} ({before}) is left out",
                activity.name
            );
            let name = activity.id.clone();
            raw.warn_of(row.line, Topic::Dependency, &name, message);
            continue;
        }
        let kind = kind_of_link(&row)?;
        raw.activities[position].links.push(RawLink {
            predecessor: before.to_owned(),
            kind,
            lag: RawLag::Hours(row.number("lag_hr_cnt")?.unwrap_or(0.0)),
            line: row.line,
        });
    }
    Ok(())
}

fn kind_of_link(row: &Row<'_, '_>) -> Result<LinkKind, ImportError> {
    let kind = row.get("pred_type").unwrap_or("PR_FS");
    match kind.trim_start_matches("PR_") {
        "FS" => Ok(LinkKind::FinishToStart),
        "SS" => Ok(LinkKind::StartToStart),
        "FF" => Ok(LinkKind::FinishToFinish),
        "SF" => Ok(LinkKind::StartToFinish),
        other => Err(ImportError::new(
            row.line,
            format!("\"{other}\" is no kind of dependency: FS, SS, FF or SF"),
        )),
    }
}

fn read_resources(tables: &Tables<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    let mut rates = BTreeMap::new();
    for row in tables.rows("RSRCRATE") {
        if let (Some(id), Some(most)) = (row.get("rsrc_id"), row.number("max_qty_per_hr")?) {
            rates.insert(id, most);
        }
    }
    for row in tables.rows("RSRC") {
        let id = row.required("rsrc_id")?;
        if row.get("rsrc_type") == Some("RT_Mat") {
            raw.leave_out("materials");
            continue;
        }
        let name = row
            .get("rsrc_name")
            .or(row.get("rsrc_short_name"))
            .unwrap_or(id);
        raw.resources.push(RawResource {
            id: id.to_owned(),
            name: name.to_owned(),
            units: rates
                .get(id)
                .copied()
                .filter(|most| *most > 0.0)
                .unwrap_or(1.0),
            calendar: row.get("clndr_id").map(str::to_owned),
            line: row.line,
        });
    }
    Ok(())
}

/// Who works on what; what depends on its resources is worked on by their calendar.
fn read_assignments(tables: &Tables<'_>, raw: &mut Raw) -> Result<(), ImportError> {
    let positions: BTreeMap<String, usize> = (raw.activities.iter().enumerate())
        .map(|(position, activity)| (activity.id.clone(), position))
        .collect();
    let known: BTreeSet<String> = raw
        .resources
        .iter()
        .map(|resource| resource.id.clone())
        .collect();
    for row in tables.rows("TASKRSRC") {
        let (Some(task), Some(resource)) = (row.get("task_id"), row.get("rsrc_id")) else {
            continue;
        };
        let units = row.number("target_qty_per_hr")?.unwrap_or(1.0);
        if let Some(&position) = positions.get(task)
            && known.contains(resource)
            && units > 0.0
        {
            raw.activities[position]
                .needs
                .push((resource.to_owned(), units));
        }
    }
    Ok(())
}
