//! Primavera P6's exchange format: tables of tab-separated rows.
//!
//! A file begins with `ERMHDR`, has for each table its name (`%T`), its columns (`%F`) and its rows
//! (`%R`), and ends with `%E`. Read are the tables PROJECT, CALENDAR, TASK, TASKPRED, RSRC,
//! RSRCRATE and TASKRSRC. Lags run in the calendar of the predecessor, P6's default.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ImportError, Imported, Raw, RawActivity, RawCalendar, RawLink, RawResource, day_of, end_of_day,
    hours_between, number,
};
use crate::date::Date;
use crate::schedule::network::LinkKind;

/// Reads an XER file. Text that is not UTF-8 is read as Latin-1, as P6 often writes it.
pub fn read(bytes: &[u8]) -> Result<Imported, ImportError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    let tables = tables(&text)?;
    let mut raw = Raw::default();
    let Some(project) = rows(&tables, "PROJECT").next() else {
        return Err(ImportError::new(1, "there is no project in the file"));
    };
    raw.name = project
        .get("proj_short_name")
        .unwrap_or("schedule")
        .to_owned();
    let Some(start) = project.get("plan_start_date") else {
        return Err(ImportError::new(
            project.line,
            "the project has no plan_start_date",
        ));
    };
    raw.start = Some(day_of(start, project.line)?);
    raw.status_date = (project.get("last_recalc_date"))
        .map(|date| day_of(date, project.line))
        .transpose()?;
    raw.default_calendar = project.get("clndr_id").map(str::to_owned);
    let project_id = project.get("proj_id");
    for other in rows(&tables, "PROJECT").skip(1) {
        let name = other.get("proj_short_name").unwrap_or_default();
        raw.warn(
            other.line,
            format!("project \"{name}\" is left out: the first one is read"),
        );
    }
    for row in rows(&tables, "CALENDAR") {
        let calendar = calendar(&row)?;
        raw.calendars.push(calendar);
    }
    read_resources(&tables, &mut raw)?;
    let is_own = |row: &Row<'_>| row.get("proj_id").is_none() || row.get("proj_id") == project_id;
    let levels = work_breakdown(&tables);
    let mut positions = BTreeMap::new();
    for row in rows(&tables, "TASK").filter(|row| is_own(row)) {
        if let Some(mut activity) = activity(&row, &mut raw)? {
            activity.group = group(&levels, row.get("wbs_id"));
            positions.insert(activity.id.clone(), raw.activities.len());
            raw.activities.push(activity);
        }
    }
    let all: BTreeSet<&str> = (rows(&tables, "TASK"))
        .filter_map(|row| row.get("task_id"))
        .collect();
    for row in rows(&tables, "TASKPRED") {
        let (task, before) = (row.required("task_id")?, row.required("pred_task_id")?);
        for id in [task, before] {
            if !all.contains(id) {
                return Err(ImportError::new(row.line, format!("there is no task {id}")));
            }
        }
        let (Some(&position), true) = (positions.get(task), positions.contains_key(before)) else {
            raw.warn(
                row.line,
                format!("the dependency of {task} on {before} is left out with one of them"),
            );
            continue;
        };
        let kind = match row.required("pred_type")? {
            "PR_FS" => LinkKind::FinishToStart,
            "PR_SS" => LinkKind::StartToStart,
            "PR_FF" => LinkKind::FinishToFinish,
            "PR_SF" => LinkKind::StartToFinish,
            other => {
                return Err(ImportError::new(
                    row.line,
                    format!("\"{other}\" is no kind of dependency"),
                ));
            }
        };
        raw.activities[position].links.push(RawLink {
            predecessor: before.to_owned(),
            kind,
            lag_hours: row.number("lag_hr_cnt")?.unwrap_or(0.0),
            is_elapsed: false,
            line: row.line,
        });
    }
    for row in rows(&tables, "TASKRSRC") {
        let (task, resource) = (row.required("task_id")?, row.required("rsrc_id")?);
        if let Some(&position) = positions.get(task) {
            let units = row.number("target_qty_per_hr")?.unwrap_or(1.0);
            if units > 0.0 {
                raw.activities[position]
                    .needs
                    .push((resource.to_owned(), units));
            }
        }
    }
    raw.into_schedule()
}

/// Each level of the work breakdown: its name and what it stands under. The project itself is no level.
type Levels<'a> = BTreeMap<&'a str, (String, Option<&'a str>)>;

fn work_breakdown<'a>(tables: &'a [Table<'a>]) -> Levels<'a> {
    let own = rows(tables, "PROJWBS").filter(|row| row.get("proj_node_flag") != Some("Y"));
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

fn read_resources(tables: &[Table<'_>], raw: &mut Raw) -> Result<(), ImportError> {
    let mut rates = BTreeMap::new();
    for row in rows(tables, "RSRCRATE") {
        if let Some(most) = row.number("max_qty_per_hr")? {
            rates.insert(row.required("rsrc_id")?, most);
        }
    }
    for row in rows(tables, "RSRC") {
        let id = row.required("rsrc_id")?;
        let name = row
            .get("rsrc_name")
            .or(row.get("rsrc_short_name"))
            .unwrap_or(id);
        if row.get("rsrc_type") == Some("RT_Mat") {
            raw.warn(row.line, format!("material \"{name}\" is left out"));
            continue;
        }
        raw.resources.push(RawResource {
            id: id.to_owned(),
            name: name.to_owned(),
            units: rates.get(id).copied().unwrap_or(1.0),
            line: row.line,
        });
    }
    Ok(())
}

fn activity(row: &Row<'_>, raw: &mut Raw) -> Result<Option<RawActivity>, ImportError> {
    let line = row.line;
    let id = row.required("task_id")?;
    let name = row.get("task_name").unwrap_or(id);
    let kind = row.get("task_type").unwrap_or("TT_Task");
    if matches!(kind, "TT_LOE" | "TT_WBS") {
        raw.warn(
            line,
            format!("\"{name}\" is left out: its dates follow from others"),
        );
        return Ok(None);
    }
    let is_milestone = matches!(kind, "TT_Mile" | "TT_FinMile");
    let mut activity = RawActivity {
        id: id.to_owned(),
        name: match row.get("task_code") {
            Some(code) => format!("{code} {name}"),
            None => name.to_owned(),
        },
        line,
        hours: if is_milestone {
            0.0
        } else {
            row.number("target_drtn_hr_cnt")?.unwrap_or(0.0)
        },
        calendar: row.get("clndr_id").map(str::to_owned),
        is_milestone,
        started: row.date("act_start_date")?,
        remaining_hours: row.number("remain_drtn_hr_cnt")?,
        ..RawActivity::default()
    };
    if activity.hours < 0.0 {
        return Err(ImportError::new(
            line,
            format!("\"{name}\" has a duration below 0"),
        ));
    }
    if let Some(finished) = row.get("act_end_date") {
        activity.finished = Some(if is_milestone {
            day_of(finished, line)?
        } else {
            end_of_day(finished, line)?
        });
        activity.started = activity.started.or(Some(day_of(finished, line)?));
    }
    for (kind, date) in [("cstr_type", "cstr_date"), ("cstr_type2", "cstr_date2")] {
        let (Some(kind), date) = (row.get(kind), row.date(date)?) else {
            continue;
        };
        match (kind, date) {
            ("CS_MSOA", Some(date)) => activity.not_before = Some(date),
            ("CS_MSO" | "CS_MANDSTART", Some(date)) => {
                activity.not_before = Some(date);
                raw.warn(
                    line,
                    format!("\"{name}\" must start on {date}: taken as no earlier than that"),
                );
            }
            ("CS_MEOB" | "CS_MEO" | "CS_MANDFIN", Some(date)) => {
                activity.deadline = Some(date);
                raw.warn(
                    line,
                    format!("\"{name}\" must finish by {date}: checked, but not enforced"),
                );
            }
            _ => raw.warn(
                line,
                format!("the constraint {kind} of \"{name}\" is left out"),
            ),
        }
    }
    Ok(Some(activity))
}

#[derive(Debug)]
struct Table<'a> {
    name: &'a str,
    columns: Vec<&'a str>,
    rows: Vec<(usize, Vec<&'a str>)>,
}

struct Row<'a> {
    columns: &'a [&'a str],
    values: &'a [&'a str],
    line: usize,
}

impl<'a> Row<'a> {
    /// A value, unless it is empty.
    fn get(&self, column: &str) -> Option<&'a str> {
        let position = self.columns.iter().position(|known| *known == column)?;
        self.values
            .get(position)
            .copied()
            .filter(|value| !value.is_empty())
    }

    fn required(&self, column: &str) -> Result<&'a str, ImportError> {
        self.get(column)
            .ok_or_else(|| ImportError::new(self.line, format!("{column} is missing")))
    }

    fn number(&self, column: &str) -> Result<Option<f64>, ImportError> {
        self.get(column)
            .map(|text| number(text, self.line))
            .transpose()
    }

    fn date(&self, column: &str) -> Result<Option<Date>, ImportError> {
        self.get(column)
            .map(|text| day_of(text, self.line))
            .transpose()
    }
}

fn rows<'a>(tables: &'a [Table<'a>], name: &'a str) -> impl Iterator<Item = Row<'a>> {
    let tables = tables.iter().filter(move |table| table.name == name);
    tables.flat_map(|table| {
        table.rows.iter().map(|(line, values)| Row {
            columns: &table.columns,
            values,
            line: *line,
        })
    })
}

fn tables(text: &str) -> Result<Vec<Table<'_>>, ImportError> {
    let mut tables: Vec<Table<'_>> = Vec::new();
    let mut is_complete = false;
    let mut last = 1;
    for (position, line) in text.lines().enumerate() {
        let number = position + 1;
        last = number;
        let mut fields = line.trim_end_matches('\r').split('\t');
        let kind = fields.next().unwrap_or_default();
        if number == 1 {
            if kind != "ERMHDR" {
                return Err(ImportError::new(1, "an XER file begins with ERMHDR"));
            }
            continue;
        }
        match kind {
            "%T" => tables.push(Table {
                name: fields.next().unwrap_or_default().trim(),
                columns: Vec::new(),
                rows: Vec::new(),
            }),
            "%F" | "%R" => {
                let Some(table) = tables.last_mut() else {
                    return Err(ImportError::new(
                        number,
                        format!("{kind} before the first table (%T)"),
                    ));
                };
                let values: Vec<&str> = fields.map(str::trim).collect();
                if kind == "%F" {
                    table.columns = values;
                } else if values.len() > table.columns.len() {
                    return Err(ImportError::new(
                        number,
                        format!(
                            "{} values for {} columns of table {}",
                            values.len(),
                            table.columns.len(),
                            table.name
                        ),
                    ));
                } else {
                    table.rows.push((number, values));
                }
            }
            "%E" => is_complete = true,
            "" => {}
            other => {
                return Err(ImportError::new(
                    number,
                    format!("\"{other}\" begins no line of an XER file"),
                ));
            }
        }
    }
    if !is_complete {
        return Err(ImportError::new(
            last,
            "the file ends without %E: it is cut off",
        ));
    }
    Ok(tables)
}

/// A calendar from its hours and the nested text that P6 keeps it in:
/// `(0||CalendarData()((0||DaysOfWeek()((0||1()())(0||2()((0||0(s|08:00|f|16:00)()))…))(0||Exceptions()(…))))`,
/// with days from 1 for Sunday, and exceptions by the number of their day since 1899-12-30.
fn calendar(row: &Row<'_>) -> Result<RawCalendar, ImportError> {
    let line = row.line;
    let mut calendar = RawCalendar {
        id: row.required("clndr_id")?.to_owned(),
        name: row.get("clndr_name").unwrap_or("calendar").to_owned(),
        week: [8.0, 8.0, 8.0, 8.0, 8.0, 0.0, 0.0],
        exceptions: Vec::new(),
    };
    let Some(data) = row.get("clndr_data") else {
        return Ok(calendar);
    };
    let mut parser = Parser { rest: data, line };
    let root = parser.node()?;
    parser.skip();
    if !parser.rest.is_empty() {
        return Err(ImportError::new(
            line,
            "the data of a calendar is damaged: a \")\" too many",
        ));
    }
    for part in &root.children {
        match part.name {
            "DaysOfWeek" => {
                calendar.week = [0.0; 7];
                for day in &part.children {
                    let number: usize = day.name.parse().unwrap_or(0);
                    if !(1..=7).contains(&number) {
                        return Err(ImportError::new(
                            line,
                            format!("\"{}\" is no day of the week", day.name),
                        ));
                    }
                    // From 1 for Sunday to 0 for Monday.
                    calendar.week[(number + 5) % 7] = day.hours(line)?;
                }
            }
            "Exceptions" => {
                for day in &part.children {
                    let serial = day.attributes.split('|').collect::<Vec<_>>();
                    let [.., "d", serial] = serial[..] else {
                        return Err(ImportError::new(
                            line,
                            "an exception of a calendar has no day",
                        ));
                    };
                    let days = number(serial, line)?;
                    let date = serial_day(days)
                        .ok_or_else(|| ImportError::new(line, format!("\"{serial}\" is no day")))?;
                    calendar.exceptions.push((date, date, day.hours(line)?));
                }
            }
            _ => {}
        }
    }
    if calendar.week.iter().sum::<f64>() <= 0.0 {
        return Err(ImportError::new(
            line,
            format!("calendar \"{}\" has no working day", calendar.name),
        ));
    }
    Ok(calendar)
}

fn serial_day(days: f64) -> Option<Date> {
    let epoch = jiff::civil::date(1899, 12, 30);
    if !(0.0..200_000.0).contains(&days) {
        return None;
    }
    let day = epoch
        .checked_add(jiff::Span::new().days(days as i64))
        .ok()?;
    Date::day(day.year(), day.month(), day.day()).ok()
}

struct CalendarNode<'a> {
    name: &'a str,
    attributes: &'a str,
    children: Vec<CalendarNode<'a>>,
}

impl CalendarNode<'_> {
    /// The hours of the shifts below it.
    fn hours(&self, line: usize) -> Result<f64, ImportError> {
        let mut hours = 0.0;
        for shift in &self.children {
            let parts: Vec<&str> = shift.attributes.split('|').collect();
            match parts[..] {
                ["s", from, "f", to] | ["f", to, "s", from] => {
                    hours += hours_between(from, to, line)?
                }
                _ => {
                    return Err(ImportError::new(
                        line,
                        format!("\"{}\" is no shift", shift.attributes),
                    ));
                }
            }
        }
        Ok(hours)
    }
}

struct Parser<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Parser<'a> {
    fn skip(&mut self) {
        self.rest = self
            .rest
            .trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    }

    fn expect(&mut self, wanted: char) -> Result<(), ImportError> {
        self.skip();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(ImportError::new(
                self.line,
                format!("the data of a calendar is damaged: \"{wanted}\" is missing"),
            )),
        }
    }

    fn until(&mut self, end: char) -> Result<&'a str, ImportError> {
        let Some(at) = self.rest.find(end) else {
            return Err(ImportError::new(
                self.line,
                format!("the data of a calendar is damaged: \"{end}\" is missing"),
            ));
        };
        let text = &self.rest[..at];
        self.rest = &self.rest[at..];
        Ok(text.trim())
    }

    /// `( number || name ( attributes ) ( children ) )`
    fn node(&mut self) -> Result<CalendarNode<'a>, ImportError> {
        self.expect('(')?;
        let head = self.until('(')?;
        let name = head.split_once("||").map_or(head, |(_, name)| name);
        self.expect('(')?;
        let attributes = self.until(')')?;
        self.expect(')')?;
        self.expect('(')?;
        let mut children = Vec::new();
        loop {
            self.skip();
            if self.rest.starts_with('(') {
                children.push(self.node()?);
            } else {
                break;
            }
        }
        self.expect(')')?;
        self.expect(')')?;
        Ok(CalendarNode {
            name,
            attributes,
            children,
        })
    }
}
