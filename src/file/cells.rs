//! The cells of a workbook, as what is read from it refers to them.
#![cfg_attr(not(feature = "excel"), allow(dead_code))]

use std::collections::BTreeMap;

/// Cells in the order in which they were read. Their numbers are places in the text that the workbook stands for.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    cells: Vec<CellText>,
    /// What stands behind the values of a row, by its sheet and number.
    notes: BTreeMap<(String, u32), String>,
}

/// A cell and what was read in it. Row and column count from 0.
#[derive(Clone, Debug)]
pub(super) struct CellText {
    pub(super) sheet: String,
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) shown: String,
}

impl CellText {
    /// Its name as a formula has it, such as `Buildings!C7`.
    pub(super) fn name(&self) -> String {
        let is_bare = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let place = format!("{}{}", column_letters(self.column), self.row + 1);
        if self.sheet.chars().all(is_bare) {
            format!("{}!{place}", self.sheet)
        } else {
            format!("'{}'!{place}", self.sheet.replace('\'', "''"))
        }
    }
}

impl Cells {
    /// Takes a cell in and returns its number.
    pub(super) fn push(&mut self, sheet: &str, row: u32, column: u32, shown: &str) -> usize {
        self.cells.push(CellText {
            sheet: sheet.to_owned(),
            row,
            column,
            shown: shown.lines().next().unwrap_or_default().to_owned(),
        });
        self.cells.len() - 1
    }

    /// The cell of that number.
    pub(super) fn get(&self, number: usize) -> Option<&CellText> {
        self.cells.get(number)
    }

    /// Notes what stands behind the values in the row of a cell.
    pub(super) fn note(&mut self, number: usize, note: String) {
        if let Some(cell) = self.cells.get(number) {
            self.notes.insert((cell.sheet.clone(), cell.row), note);
        }
    }

    /// What stands behind the values in the row of a cell; empty if there is none.
    pub(super) fn note_of(&self, number: usize) -> &str {
        let note = self
            .get(number)
            .and_then(|cell| self.notes.get(&(cell.sheet.clone(), cell.row)));
        note.map_or("", String::as_str)
    }
}

/// The letters of a column: A for 0, AA for 26.
pub(super) fn column_letters(column: u32) -> String {
    let mut letters = String::new();
    let mut left = column + 1;
    while left > 0 {
        let letter = (left - 1) % 26;
        letters.insert(0, char::from(b'A' + letter as u8));
        left = (left - 1) / 26;
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_as_in_a_formula() {
        let mut cells = Cells::default();
        for (sheet, row, column, name) in [
            ("Buildings", 6, 2, "Buildings!C7"),
            ("Rack types", 0, 25, "'Rack types'!Z1"),
            ("Halls", 9, 26, "Halls!AA10"),
            ("Halls", 9, 701, "Halls!ZZ10"),
        ] {
            let number = cells.push(sheet, row, column, "");
            assert_eq!(cells.get(number).unwrap().name(), name);
        }
    }
}
