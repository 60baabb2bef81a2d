//! Tables beside a schedule: finished projects, progress.

use std::borrow::Cow;

use super::ImportError;
use crate::disk::{separator, with_decimal_point};

/// The column of names, in which a comma is one.
const NAMES: &str = "activity";

/// The rows of a table in CSV, by the names of its columns.
pub(super) struct Table {
    columns: csv::StringRecord,
    rows: Vec<(usize, csv::StringRecord)>,
}

impl Table {
    /// Reads a table whose first line names the columns. Rows may be shorter or longer than it only if `ragged`.
    pub(super) fn read(text: &str, ragged: bool) -> Result<Self, ImportError> {
        let line_of =
            |place: Option<&csv::Position>| place.map_or(1, |place| place.line() as usize);
        let text = text.trim_start_matches('\u{feff}');
        let separator = separator(text);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .trim(csv::Trim::All)
            .flexible(ragged)
            .from_reader(text.as_bytes());
        let broken =
            |error: csv::Error| ImportError::new(line_of(error.position()), error.to_string());
        let columns = reader.headers().map_err(broken)?.clone();
        let rows = (reader.records())
            .map(|row| {
                let row = row.map_err(broken)?;
                let cells = row
                    .iter()
                    .enumerate()
                    .map(|(at, cell)| match columns.get(at) {
                        Some(NAMES) => Cow::Borrowed(cell),
                        _ => with_decimal_point(cell.into(), separator),
                    });
                Ok((line_of(row.position()), cells.collect()))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { columns, rows })
    }

    /// The position of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|known| known == name)
    }

    /// The rows with their lines, from 1.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &csv::StringRecord)> {
        self.rows.iter().map(|(line, row)| (*line, row))
    }
}
