//! From the tree of a scenario to a workbook that says the same, with room for all that a scenario may say.

use std::collections::BTreeMap;

use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, Note, Workbook, Worksheet,
    XlsxError,
};

use super::rows::{Cell, LONGEST_TEXT, Row, Rows, notes_of};
use super::{IN, Lists, MEANING, NOTE, OWN, SCENARIO, sheet_name};
use crate::field::Measure;
use crate::file::inputs::{Input, joined};
use crate::file::node::Node;
use crate::file::presets::PRESET;
use crate::file::shape::{Field, Shape};
use crate::presets;

/// The longest list of a drop-down, in characters with the commas between.
const LONGEST_CHOICE: usize = 255;
/// How many rows below the head have drop-downs.
const ROWS: u32 = 1_000;
/// How wide columns are, in characters.
const WIDTH: f64 = 18.0;

/// Writes a tree that reads as a scenario.
pub(super) fn write(root: &Node, inputs: &[Input]) -> Result<Vec<u8>, String> {
    let mut rows = Rows {
        notes: (inputs.iter())
            .map(|input| (input.key.as_str(), input.note.as_str()))
            .collect(),
        of: BTreeMap::new(),
        inline_lists: false,
    };
    let mut values = Row::default();
    rows.flatten(root, Shape::scenario(), "", "", &mut values)?;
    let book = Book::new(values, rows.of);
    book.write().map_err(|error| error.to_string())
}

/// A column: its head and, where the schema knows it, what it is.
#[derive(Clone)]
struct Column {
    head: String,
    field: Option<&'static Field>,
}

/// All columns that entries of that shape may have, in the order of the schema.
fn columns(shape: &'static Shape, head: &str, found: &mut Vec<Column>) {
    let Shape::Table(fields) = shape else { return };
    for field in fields {
        let head = joined(head, &field.key);
        match &field.shape {
            Shape::List(item) if matches!(**item, Shape::Table(_)) => {}
            Shape::Table(_) => columns(&field.shape, &head, found),
            _ if found.iter().any(|known| known.head == head) => {}
            _ => found.push(Column {
                head,
                field: Some(field),
            }),
        }
    }
}

/// The columns of some rows: those in use, then the others.
fn used_and_other(known: Vec<Column>, rows: &[Row]) -> (Vec<Column>, Vec<Column>) {
    let is_used =
        |head: &str| (rows.iter()).any(|row| row.cells.iter().any(|(used, _)| used == head));
    let (mut used, other): (Vec<Column>, Vec<Column>) =
        known.into_iter().partition(|column| is_used(&column.head));
    for (head, _) in rows.iter().flat_map(|row| &row.cells) {
        if used.iter().all(|column| column.head != *head) {
            // A key of the planner's own, or a table with nothing in it.
            used.push(Column {
                head: head.clone(),
                field: None,
            });
        }
    }
    (used, other)
}

impl Column {
    /// The head with its unit.
    fn title(&self) -> String {
        match self.field.and_then(unit_of) {
            Some(unit) => format!("{} [{unit}]", self.head),
            None => self.head.clone(),
        }
    }

    /// What the schema says of it.
    fn meaning(&self) -> String {
        let Some(field) = self.field else {
            return String::new();
        };
        let mut text = field.description.clone();
        let quantity = field.quantity.trim_start_matches([',', ':', ' ']);
        if !quantity.is_empty() {
            text += &format!("\nA number, {quantity}.");
        }
        if matches!(field.shape, Shape::Uncertain) {
            text += "\nMay be uncertain: { pert = [3, 4, 6] } or { p10 = 3, p90 = 6 }.";
        }
        if field.is_required {
            text += "\nMust be given.";
        }
        text
    }
}

fn unit_of(field: &'static Field) -> Option<&'static str> {
    match (&field.shape, field.measure) {
        (Shape::Date, _) => Some("yyyy-mm"),
        (Shape::Boolean, _) => Some("TRUE or FALSE"),
        (_, Some(measure)) => measure.base_unit().or_else(|| share(measure)),
        _ => None,
    }
}

fn share(measure: &Measure) -> Option<&'static str> {
    (measure.name == "a share").then_some("share")
}

struct Book {
    values: Row,
    rows: BTreeMap<String, Vec<Row>>,
    formats: Formats,
}

struct Formats {
    head: Format,
    other: Format,
    soft: Format,
    text: Format,
}

impl Book {
    fn new(values: Row, rows: BTreeMap<String, Vec<Row>>) -> Self {
        let head = |colour: u32| {
            Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_background_color(colour)
        };
        Self {
            values,
            rows,
            formats: Formats {
                head: head(0xCFE0EE),
                other: head(0xECECEC).set_font_color(0x555555),
                soft: Format::new().set_font_color(0x666666),
                text: Format::new().set_num_format("@"),
            },
        }
    }

    fn write(mut self) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        // The clock would make each file another one.
        let time = ExcelDateTime::from_ymd(2000, 1, 1)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&time));
        read_me(book.add_worksheet())?;
        self.single_values(book.add_worksheet())?;
        let lists = Lists::new();
        let (filled, empty): (Vec<&String>, Vec<&String>) = lists
            .keys
            .iter()
            .partition(|key| self.rows.contains_key(*key));
        for key in filled.into_iter().chain(empty) {
            let rows = self.rows.remove(key).unwrap_or_default();
            let sheet = book.add_worksheet();
            sheet.set_name(sheet_name(key))?;
            if rows.is_empty() {
                sheet.set_tab_color(0xBBBBBB);
            }
            self.list(sheet, key, &lists.of[key].1, &rows)?;
        }
        book.save_to_buffer()
    }

    /// The sheet of single values: those that are given, then the others.
    fn single_values(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.set_name(SCENARIO)?;
        for (column, (head, width)) in (0_u16..).zip([
            ("key", 44.0),
            ("value", 44.0),
            ("# unit", 14.0),
            (MEANING, 90.0),
            (NOTE, 60.0),
        ]) {
            sheet.write_string_with_format(0, column, head, &self.formats.head)?;
            sheet.set_column_width(column, width)?;
        }
        sheet.set_freeze_panes(1, 1)?;
        let mut known = Vec::new();
        columns(Shape::scenario(), "", &mut known);
        let (used, other) = used_and_other(known, std::slice::from_ref(&self.values));
        for (row, column) in (1_u32..).zip(used.iter().chain(&other)) {
            sheet.write_string(row, 0, &column.head)?;
            let unit = column.field.and_then(unit_of).unwrap_or_default();
            sheet.write_string_with_format(row, 2, unit, &self.formats.soft)?;
            let meaning = column.meaning().replace('\n', " ");
            sheet.write_string_with_format(row, 3, short(&meaning), &self.formats.soft)?;
            if let Some(field) = column.field {
                self.restrict(sheet, field, (row, row), 1)?;
            }
            let given = self
                .values
                .cells
                .iter()
                .find(|(head, _)| *head == column.head);
            if let Some((_, cell)) = given {
                self.cell(sheet, row, 1, cell, column)?;
            }
            if let Some((_, note)) = self
                .values
                .notes
                .iter()
                .find(|(head, _)| *head == column.head)
            {
                sheet.write_string(row, 4, short(note))?;
            }
        }
        Ok(())
    }

    /// The sheet of a list.
    fn list(
        &self,
        sheet: &mut Worksheet,
        key: &str,
        shapes: &[&'static Shape],
        rows: &[Row],
    ) -> Result<(), XlsxError> {
        let mut known = Vec::new();
        shapes
            .iter()
            .for_each(|shape| columns(shape, "", &mut known));
        let (mut used, mut other) = used_and_other(known, rows);
        if rows.is_empty() {
            std::mem::swap(&mut used, &mut other);
        }
        let is_inner = !rows.iter().all(|row| row.owner.is_empty()) || rows.is_empty();
        let mut at = 0;
        if is_inner {
            sheet.write_string_with_format(0, at, IN, &self.formats.head)?;
            sheet.insert_note(0, at, &note("The table that holds this entry, by its dotted key, such as campuses.North.buildings.A1. Its end is enough where only one can be meant. Empty for the scenario itself."))?;
            sheet.set_column_width(at, 34.0)?;
            for (row, of) in (1_u32..).zip(rows) {
                sheet.write_string(row, at, &of.owner)?;
            }
            at += 1;
        }
        for column in &used {
            self.column(sheet, at, column, rows, &self.formats.head)?;
            at += 1;
        }
        sheet.write_string_with_format(0, at, NOTE, &self.formats.head)?;
        sheet.set_column_width(at, 60.0)?;
        for (number, row) in (1_u32..).zip(rows) {
            sheet.write_string(number, at, short(&notes_of(row)))?;
        }
        at += 1;
        let first_other = at;
        if self.presets(sheet, key, at)? {
            at += 1;
        }
        for column in &other {
            self.column(sheet, at, column, rows, &self.formats.other)?;
            at += 1;
        }
        if !rows.is_empty() && at > first_other + 1 {
            sheet.group_columns_collapsed(first_other, at - 1)?;
        }
        sheet.set_freeze_panes(1, if is_inner { 2 } else { 1 })?;
        Ok(())
    }

    fn column(
        &self,
        sheet: &mut Worksheet,
        at: u16,
        column: &Column,
        rows: &[Row],
        head: &Format,
    ) -> Result<(), XlsxError> {
        sheet.set_column_width(at, WIDTH)?;
        sheet.write_string_with_format(0, at, column.title(), head)?;
        let meaning = column.meaning();
        if !meaning.is_empty() {
            sheet.insert_note(0, at, &note(&meaning))?;
        }
        if let Some(field) = column.field {
            if matches!(field.shape, Shape::Date | Shape::Redundancy | Shape::Text) {
                // Else a spreadsheet makes a date of 2025-06 or 3/2.
                sheet.set_column_format(at, &self.formats.text)?;
            }
            self.restrict(sheet, field, (1, ROWS), at)?;
        }
        for (number, row) in (1_u32..).zip(rows) {
            if let Some((_, cell)) = row.cells.iter().find(|(head, _)| *head == column.head) {
                self.cell(sheet, number, at, cell, column)?;
            }
        }
        Ok(())
    }

    fn cell(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        at: u16,
        cell: &Cell,
        column: &Column,
    ) -> Result<(), XlsxError> {
        let is_text = column.field.is_some_and(|field| {
            matches!(field.shape, Shape::Date | Shape::Redundancy | Shape::Text)
        });
        match cell {
            Cell::Text(text) if is_text => {
                sheet.write_string_with_format(row, at, text, &self.formats.text)?
            }
            Cell::Text(text) => sheet.write_string(row, at, text)?,
            Cell::Number(number) => sheet.write_number(row, at, *number)?,
            Cell::Boolean(value) => sheet.write_boolean(row, at, *value)?,
        };
        Ok(())
    }

    /// A drop-down where only some values are allowed.
    fn restrict(
        &self,
        sheet: &mut Worksheet,
        field: &Field,
        (first, last): (u32, u32),
        column: u16,
    ) -> Result<(), XlsxError> {
        let names: Vec<&str> = match &field.shape {
            Shape::Choice(names) => names.iter().map(String::as_str).collect(),
            Shape::Boolean => vec!["TRUE", "FALSE"],
            _ => return Ok(()),
        };
        drop_down(sheet, &names, (first, last), column)
    }

    /// The column of presets, if the list has any.
    fn presets(&self, sheet: &mut Worksheet, key: &str, at: u16) -> Result<bool, XlsxError> {
        let names: Vec<&str> = presets::all()
            .filter(|preset| preset.list == key)
            .map(|preset| preset.name)
            .collect();
        if names.is_empty() {
            return Ok(false);
        }
        sheet.set_column_width(at, WIDTH)?;
        sheet.write_string_with_format(0, at, PRESET, &self.formats.other)?;
        let text = format!(
            "A preset whose values are taken; what stands beside it replaces them. One of: {}",
            names.join(", ")
        );
        sheet.insert_note(0, at, &note(&text))?;
        drop_down(sheet, &names, (1, ROWS), at)?;
        Ok(true)
    }
}

fn drop_down(
    sheet: &mut Worksheet,
    names: &[&str],
    (first, last): (u32, u32),
    column: u16,
) -> Result<(), XlsxError> {
    let length: usize = names.iter().map(|name| name.chars().count() + 1).sum();
    // A comma would part a name in two.
    if length > LONGEST_CHOICE || names.iter().any(|name| name.contains(',')) {
        return Ok(());
    }
    let validation = DataValidation::new().allow_list_strings(names)?;
    sheet.add_data_validation(first, column, last, column, &validation)?;
    Ok(())
}

/// A comment, in a box that its text fits into.
fn note(text: &str) -> Note {
    let lines = text.chars().count() as u32 / 45 + text.lines().count() as u32 + 1;
    let text = short(text);
    Note::new(text)
        .add_author_prefix(false)
        .set_width(320)
        .set_height(16 * lines.max(3))
}

/// As much of a text as a cell can hold.
fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT / 2).collect()
}

fn read_me(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_name(format!("{OWN} Read me"))?;
    sheet.set_column_width(0, 110.0)?;
    for (row, line) in (0_u32..).zip(READ_ME) {
        sheet.write_string(row, 0, *line)?;
    }
    Ok(())
}

const READ_ME: &[&str] = &[
    "This workbook is a scenario: `buildout run FILE.xlsx` simulates it, `buildout validate FILE.xlsx` lists what is wrong.",
    "",
    "Scenario has a row for each single value. Each other sheet is a list with a row for each entry.",
    "The column \"in\" leads to the table that holds the entry, such as campuses.North.buildings.A1.",
    "Heads are keys; units stand in brackets, and what a key means in the comment of its head.",
    "Columns that are not in use are folded away on the right: open them with the + above.",
    "A number may carry a unit (12 MW, 17 weeks) or be uncertain: { pert = [3, 4, 6] }, { p10 = 3, p50 = 4, p90 = 6 }.",
    "Texts of a list are parted by semicolons. An empty cell says nothing: the default holds.",
    "The column \"# note\" says what stands behind a row: [P] published, [C] calibrated, [A] assumption, or unverified.",
    "Sheets and columns whose names begin with # are your own and are not read.",
];
