//! The activities of an XER file, with their constraints and progress.

use std::collections::BTreeMap;

use super::super::raw::{Raw, RawActivity};
use super::super::{ImportError, Topic};
use super::Projects;
use super::tables::{Row, Tables};
use crate::date::Date;

/// Whether the dates of a task follow from others, and drive nothing.
pub(super) fn follows_others(row: &Row<'_, '_>) -> bool {
    matches!(row.get("task_type"), Some("TT_LOE" | "TT_WBS"))
}

pub(super) fn read(
    tables: &Tables<'_>,
    projects: &Projects<'_>,
    raw: &mut Raw,
) -> Result<(), ImportError> {
    let levels = work_breakdown(tables);
    let mut codes = codes(tables);
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for row in tables.rows("TASK") {
        let name = match row.get("proj_id") {
            Some(project) => projects.get(project),
            None => projects.values().next(),
        };
        let Some(name) = name else {
            continue;
        };
        if let Some(before) = row.get("task_id").and_then(|id| lines.insert(id, row.line)) {
            let id = row.get("task_id").unwrap_or_default();
            let message = format!("task {id} stands in line {before}, too: the first one is taken");
            raw.warn(row.line, Topic::File, message);
            continue;
        }
        match row.get("task_type") {
            Some("TT_LOE") => raw.leave_out("levels of effort"),
            Some("TT_WBS") => raw.leave_out("summaries of the work breakdown"),
            _ => {
                let mut activity = activity(&row, raw)?;
                activity.group = group(&levels, row.get("wbs_id"));
                if projects.len() > 1 {
                    activity.group = format!("{name}/{}", activity.group)
                        .trim_end_matches('/')
                        .to_owned();
                }
                activity.codes = codes.remove(activity.id.as_str()).unwrap_or_default();
                raw.activities.push(activity);
            }
        }
    }
    Ok(())
}

fn activity(row: &Row<'_, '_>, raw: &mut Raw) -> Result<RawActivity, ImportError> {
    let kind = row.get("task_type").unwrap_or("TT_Task");
    let is_milestone = matches!(kind, "TT_Mile" | "TT_FinMile");
    let id = row.required("task_id")?;
    let [planned, remaining] = [
        row.number("target_drtn_hr_cnt")?,
        row.number("remain_drtn_hr_cnt")?,
    ];
    let mut activity = RawActivity {
        id: id.to_owned(),
        code: row.get("task_code").unwrap_or_default().to_owned(),
        name: row.get("task_name").unwrap_or(id).to_owned(),
        line: row.line,
        calendar: row.get("clndr_id").map(str::to_owned),
        is_milestone,
        is_start_milestone: kind == "TT_Mile",
        by_resources: kind == "TT_Rsrc",
        start: row.date("early_start_date")?,
        finish: row.end("early_end_date")?,
        ..RawActivity::default()
    };
    read_progress(row, &mut activity)?;
    activity.hours = match (is_milestone, activity.has_begun()) {
        (true, _) => Some(0.0),
        (_, false) => remaining.or(planned),
        _ => planned.or(remaining),
    };
    activity.remaining_hours = if is_milestone { Some(0.0) } else { remaining };
    let durations = [&mut activity.hours, &mut activity.remaining_hours];
    let mut negative = durations
        .into_iter()
        .flatten()
        .filter(|hours| **hours < 0.0);
    let is_negative = negative.next().map(|hours| *hours = 0.0).is_some();
    negative.for_each(|hours| *hours = 0.0);
    if is_negative {
        let message = format!(
            "\"{}\" has a duration below 0: it is taken as 0",
            activity.name
        );
        raw.warn_of(row.line, Topic::Duration, id, message);
    }
    if activity.start.is_none() && activity.hours.is_none() && !activity.has_begun() {
        // A file that was never scheduled has at least the dates that were planned.
        activity.start = row.date("target_start_date")?;
        activity.finish = row.end("target_end_date")?;
    }
    if let Some(external) = row.date("external_early_start_date")? {
        activity.start_no_earlier(external);
    }
    for (kind, date) in [("cstr_type", "cstr_date"), ("cstr_type2", "cstr_date2")] {
        if let Some(kind) = row.get(kind) {
            constrain(row, kind, date, &mut activity, raw)?;
        }
    }
    if let Some(expected) = row.end("expect_end_date")?
        && raw.uses_expected_finish
        && !is_milestone
        && activity.finished.is_none()
    {
        expect_finish(expected, &mut activity, raw);
    }
    Ok(activity)
}

/// Lets what remains last until the date on which work is expected to finish; where the file has no start to count from, it
/// is pulled there.
fn expect_finish(expected: Date, activity: &mut RawActivity, raw: &mut Raw) {
    let name = &activity.name;
    let is_counted = activity.has_begun() || activity.start.is_some();
    let message = if is_counted {
        format!(
            "\"{name}\" is expected to finish on {expected}: it lasts until then, and where it starts later, its duration stays"
        )
    } else {
        format!(
            "\"{name}\" is expected to finish on {expected}, but the file has no early start of it: its duration is taken, and it finishes no sooner"
        )
    };
    raw.warn_of(activity.line, Topic::Constraint, &activity.id, message);
    if is_counted {
        activity.expected_finish = Some(expected);
    } else {
        activity.finish_no_earlier(expected);
    }
}

fn read_progress(row: &Row<'_, '_>, activity: &mut RawActivity) -> Result<(), ImportError> {
    activity.started = row.date("act_start_date")?;
    activity.finished = row.end("act_end_date")?;
    match row.get("status_code") {
        Some("TK_NotStart") => (activity.started, activity.finished) = (None, None),
        Some("TK_Active") => {
            activity.finished = None;
            activity.started = activity.started.or(row.date("target_start_date")?);
        }
        Some("TK_Complete") => {
            activity.finished = activity.finished.or(row.end("target_end_date")?);
        }
        _ => {}
    }
    activity.started = activity.started.or(activity.finished);
    if let (Some(started), Some(finished)) = (activity.started, activity.finished) {
        activity.started = Some(started.min(finished));
    }
    if activity.started.is_some() && activity.finished.is_none() {
        activity.resumes = row.date("resume_date")?;
    }
    Ok(())
}

/// Takes over a constraint. Those that bound late dates alone move no early date.
fn constrain(
    row: &Row<'_, '_>,
    kind: &str,
    date: &str,
    activity: &mut RawActivity,
    raw: &mut Raw,
) -> Result<(), ImportError> {
    let date = match kind {
        "CS_MEO" | "CS_MEOA" | "CS_MEOB" | "CS_MANDFIN" => row.end(date)?,
        _ => row.date(date)?,
    };
    let (id, name) = (activity.id.clone(), activity.name.clone());
    let mut tell = |message: String| raw.warn_of(row.line, Topic::Constraint, &id, message);
    match (kind, date) {
        ("CS_MSOA" | "CS_MSO", Some(date)) => activity.start_no_earlier(date),
        ("CS_MEOA", Some(date)) => activity.finish_no_earlier(date),
        ("CS_MEO", Some(date)) => {
            activity.finish_no_earlier(date);
            activity.finish_by(date);
        }
        ("CS_MEOB", Some(date)) => activity.finish_by(date),
        ("CS_MANDSTART", Some(date)) => activity.starts_on = Some(date),
        ("CS_MANDFIN", Some(date)) => {
            tell(match activity.start {
                Some(_) => format!(
                    "\"{name}\" must finish on {date}: it starts on the file's date, whatever it waits for"
                ),
                None => format!(
                    "\"{name}\" must finish on {date}, but the file was not scheduled and has no start of it: it waits for its predecessors"
                ),
            });
            activity.finish_by(date);
            activity.starts_on = activity.start;
        }
        ("CS_ALAP", _) => {
            activity.keeps_start = true;
            if activity.start.is_none() {
                tell(format!(
                    "\"{name}\" is as late as possible, but the file was not scheduled and has no start of it: it is taken as early as possible"
                ));
            }
        }
        ("CS_MSOB", Some(date)) => tell(format!(
            "\"{name}\" should start by {date}: that moves no early date and is left out"
        )),
        (other, None) => tell(format!(
            "the constraint {other} of \"{name}\" has no date and is left out"
        )),
        (other, Some(_)) => tell(format!(
            "the constraint {other} of \"{name}\" is not known and left out"
        )),
    }
    Ok(())
}

/// Each level of the work breakdown: its name and what it stands under. The project itself is no level.
type Levels<'a> = BTreeMap<&'a str, (String, Option<&'a str>)>;

fn work_breakdown<'a>(tables: &Tables<'a>) -> Levels<'a> {
    let own = tables
        .rows("PROJWBS")
        .filter(|row| !row.is_set("proj_node_flag"));
    own.filter_map(|row| {
        let id = row.get("wbs_id")?;
        let name = row.get("wbs_name").or(row.get("wbs_short_name"))?;
        Some((id, (name.replace('/', "-"), row.get("parent_wbs_id"))))
    })
    .collect()
}

/// What stands above a level and the level itself, the outermost first.
fn group(levels: &Levels<'_>, level: Option<&str>) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut level = level.and_then(|id| levels.get(id));
    // A damaged file may have levels that stand under one another.
    while let Some((name, above)) = level.filter(|_| names.len() <= levels.len()) {
        names.push(name);
        level = above.and_then(|id| levels.get(id));
    }
    names.reverse();
    names.join("/")
}

/// The codes of each task, such as "Area: North".
fn codes<'a>(tables: &Tables<'a>) -> BTreeMap<&'a str, Vec<String>> {
    let types: BTreeMap<&str, &str> = (tables.rows("ACTVTYPE"))
        .filter_map(|row| Some((row.get("actv_code_type_id")?, row.get("actv_code_type")?)))
        .collect();
    let values: BTreeMap<&str, String> = (tables.rows("ACTVCODE"))
        .filter_map(|row| {
            let kind = types
                .get(row.get("actv_code_type_id")?)
                .copied()
                .unwrap_or("code");
            let name = row.get("actv_code_name").or(row.get("short_name"))?;
            Some((row.get("actv_code_id")?, format!("{kind}: {name}")))
        })
        .collect();
    let mut codes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in tables.rows("TASKACTV") {
        let value = row.get("actv_code_id").and_then(|id| values.get(id));
        if let (Some(task), Some(value)) = (row.get("task_id"), value) {
            codes.entry(task).or_default().push(value.clone());
        }
    }
    codes
}
