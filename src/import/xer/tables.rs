//! The tables of an XER file: `%T` names one, `%F` its columns, `%R` a row, and `%E` ends the file.

use std::collections::BTreeMap;

use super::super::values::{moment, moment_of_end, number};
use super::super::{ImportError, ImportWarning, Topic};
use crate::date::Date;

/// The tables that are read; damage in others is none.
const READ: [&str; 12] = [
    "PROJECT",
    "SCHEDOPTIONS",
    "CALENDAR",
    "PROJWBS",
    "TASK",
    "TASKPRED",
    "RSRC",
    "RSRCRATE",
    "TASKRSRC",
    "ACTVTYPE",
    "ACTVCODE",
    "TASKACTV",
];

#[derive(Debug, Default)]
pub(super) struct Table<'a> {
    columns: BTreeMap<&'a str, usize>,
    rows: Vec<(usize, Vec<&'a str>)>,
}

pub(super) struct Row<'a, 'b> {
    table: &'b Table<'a>,
    values: &'b [&'a str],
    pub(super) line: usize,
}

impl<'a> Row<'a, '_> {
    /// A value, unless it is empty.
    pub(super) fn get(&self, column: &str) -> Option<&'a str> {
        let position = *self.table.columns.get(column)?;
        self.values
            .get(position)
            .copied()
            .filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, column: &str) -> Result<&'a str, ImportError> {
        self.get(column)
            .ok_or_else(|| ImportError::new(self.line, format!("{column} is missing")))
    }

    pub(super) fn number(&self, column: &str) -> Result<Option<f64>, ImportError> {
        self.get(column)
            .map(|text| number(text, self.line))
            .transpose()
    }

    pub(super) fn date(&self, column: &str) -> Result<Option<Date>, ImportError> {
        self.get(column)
            .map(|text| moment(text, self.line))
            .transpose()
    }

    /// A date at which something is over.
    pub(super) fn end(&self, column: &str) -> Result<Option<Date>, ImportError> {
        self.get(column)
            .map(|text| moment_of_end(text, self.line))
            .transpose()
    }

    pub(super) fn is_set(&self, column: &str) -> bool {
        self.get(column) == Some("Y")
    }
}

/// All tables of a file that are read, and what is damaged in it.
#[derive(Debug, Default)]
pub(super) struct Tables<'a> {
    /// A file may have a table in several parts, each with columns of its own.
    tables: BTreeMap<&'a str, Vec<Table<'a>>>,
    pub(super) damage: Vec<ImportWarning>,
}

impl<'a> Tables<'a> {
    pub(super) fn rows<'b>(&'b self, name: &str) -> impl Iterator<Item = Row<'a, 'b>> {
        let parts = self.tables.get(name).into_iter().flatten();
        parts.flat_map(|table| {
            table.rows.iter().map(move |(line, values)| Row {
                table,
                values,
                line: *line,
            })
        })
    }

    fn damaged(&mut self, line: usize, message: impl Into<String>) {
        self.damage.push(ImportWarning {
            line,
            topic: Topic::File,
            activity: None,
            calendar: None,
            message: message.into(),
        });
    }

    pub(super) fn of(text: &'a str) -> Result<Self, ImportError> {
        let mut tables = Self::default();
        // The table that rows go to, if it is one that is read.
        let mut current: Option<&'a str> = None;
        let mut any = false;
        let mut is_complete = false;
        let mut last = 1;
        for (position, line) in text.split('\n').enumerate() {
            let number = position + 1;
            let line = line.trim_end_matches('\r');
            let mut fields = line.split('\t');
            match fields.next().unwrap_or_default().trim() {
                "ERMHDR" | "" => {}
                "%T" => {
                    let name = fields.next().unwrap_or_default().trim();
                    any = true;
                    current = READ.contains(&name).then_some(name);
                    if let Some(name) = current {
                        tables
                            .tables
                            .entry(name)
                            .or_default()
                            .push(Table::default());
                    }
                }
                "%F" => tables.columns(current, fields),
                "%R" => {
                    if !any {
                        return Err(ImportError::new(number, "%R before the first table (%T)"));
                    }
                    tables.row(current, number, fields);
                }
                "%E" => is_complete = true,
                // The rest of a text that holds a line break.
                _ if any => tables.go_on(current, number, line),
                other => {
                    let message = format!("\"{other}\" begins no line of an XER file");
                    return Err(ImportError::new(number, message));
                }
            }
            if !line.is_empty() {
                last = number;
            }
        }
        tables.check_end(last, is_complete)?;
        Ok(tables)
    }

    fn columns(&mut self, current: Option<&'a str>, fields: std::str::Split<'a, char>) {
        if let Some(table) = self.part(current) {
            table.columns = fields
                .map(str::trim)
                .enumerate()
                .map(|(at, name)| (name, at))
                .collect();
        }
    }

    /// The part of a table that rows go to.
    fn part(&mut self, current: Option<&str>) -> Option<&mut Table<'a>> {
        self.tables.get_mut(current?)?.last_mut()
    }

    fn row(&mut self, current: Option<&'a str>, line: usize, fields: std::str::Split<'a, char>) {
        let Some(table) = self.part(current) else {
            return;
        };
        let values: Vec<&str> = fields.map(str::trim).collect();
        let (found, columns) = (values.len(), table.columns.len());
        table.rows.push((line, values));
        if found > columns {
            let name = current.unwrap_or_default();
            self.damaged(
                line,
                format!(
                    "{found} values for {columns} columns of table {name}: the rest is left out"
                ),
            );
        }
    }

    /// Takes a line that begins with no mark for the rest of the last value, and for the values after it.
    fn go_on(&mut self, current: Option<&'a str>, number: usize, line: &'a str) {
        let Some(table) = self.part(current) else {
            return;
        };
        let columns = table.columns.len();
        if let Some((_, values)) = table.rows.last_mut()
            && values.len() < columns
        {
            values.extend(line.split('\t').skip(1).map(str::trim));
        } else {
            self.damaged(number, "a line that belongs to no row is left out");
        }
    }

    /// A file that is cut off within a row that is read is refused: nobody knows what else is missing.
    fn check_end(&mut self, last: usize, is_complete: bool) -> Result<(), ImportError> {
        if is_complete {
            return Ok(());
        }
        let is_short = self.tables.values().flatten().any(|table| {
            let ends_here = |(line, values): &(usize, Vec<&str>)| {
                *line == last && values.len() < table.columns.len()
            };
            table.rows.last().is_some_and(ends_here)
        });
        if is_short {
            return Err(ImportError::new(
                last,
                "the file ends within a row: it is cut off",
            ));
        }
        self.damaged(last, "the file ends without %E: it may be cut off");
        Ok(())
    }
}
