//! A scenario as an Excel workbook, by one rule that follows from the schema.
//!
//! - The sheet `Scenario` has a row for each single value of the scenario: its dotted key, and the value.
//! - Each list of tables has a sheet named after its key, such as `Buildings` or `Rack types`, with a row for each entry.
//!   Its first column, `in`, leads to the table that holds the list, by the dotted key of `--set`
//!   (`campuses.Qingyang.buildings.A1`). The end of that key is enough where only one table can be meant, and
//!   nothing where there is but one. Entries without names hold their own lists in cells.
//! - The other columns are keys, dotted for tables within (`series.count`); what is in brackets after a key is there to be read.
//! - A cell holds a number, a text with a unit, a date, true or false; texts of a list parted by `;`; and whatever is deeper as
//!   TOML: `{ pert = [3, 4, 6] }`. An empty cell says nothing; a text in quotes is what stands between them.
//! - A sheet or column whose name begins with `#` is the planner's own. The column `# note` says what stands behind a row,
//!   as a comment does in TOML.
//!
//! What is read becomes the same tree as that of a TOML file, with places that are cells.

mod book;
mod owner;
mod read;
mod rows;
mod write;

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use super::node::{Node, Text};
use super::shape::Shape;
use super::{Files, ScenarioError};
use crate::scenario::Scenario;

/// The sheet of single values.
const SCENARIO: &str = "Scenario";
/// The column that leads to the table which holds a row.
const IN: &str = "in";
/// How what is the planner's own begins.
const OWN: char = '#';
/// The column of sources.
const NOTE: &str = "# note";
/// The column that says what the keys of [`SCENARIO`] mean.
const MEANING: &str = "# meaning";

impl Scenario {
    /// The scenario as an Excel workbook, which reads back as the same scenario.
    pub fn to_workbook(&self) -> Result<Vec<u8>, ScenarioError> {
        Self::workbook_of_toml(&self.to_toml()?)
    }

    /// A text in the form of a file as an Excel workbook; comments become notes.
    pub fn workbook_of_toml(text: &str) -> Result<Vec<u8>, ScenarioError> {
        let mut files = Files::default();
        let name = PathBuf::from("scenario.toml");
        let root = files.parse_in(None, name, text.to_owned().into())?;
        files.workbook(&root)
    }

    /// A scenario file as an Excel workbook: with all that it extends and the values of its presets; comments become
    /// notes, and values keep their units.
    pub fn workbook_of(path: impl AsRef<FilePath>) -> Result<Vec<u8>, ScenarioError> {
        let mut files = Files::default();
        let root = files.read_chain(path.as_ref(), &mut Vec::new())?;
        files.workbook(&root)
    }
}

impl Files {
    /// A scenario that is without errors as a workbook.
    fn workbook(&self, root: &Node) -> Result<Vec<u8>, ScenarioError> {
        let loaded = self.finish(root)?;
        write::write(root, &loaded.inputs).map_err(ScenarioError::Unwritable)
    }

    /// Reads a workbook.
    pub(super) fn parse_workbook(
        &mut self,
        name: PathBuf,
        bytes: &[u8],
    ) -> Result<Node, ScenarioError> {
        let number = self.texts.len();
        let sheets = book::sheets(bytes).map_err(|message| ScenarioError::Unreadable {
            path: name.clone(),
            nearest: None,
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, message),
        })?;
        let (root, cells, misfits) = read::read(&sheets, number);
        self.texts.push(Text::of_cells(name, cells));
        self.refuse_misfits(misfits)?;
        Ok(root)
    }
}

/// The name of the sheet of a list: `Rack types` for `rack_types`.
fn sheet_name(key: &str) -> String {
    let words = key.replace('_', " ");
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => words,
    }
}

/// The key that a sheet's name stands for.
fn key_of_sheet(name: &str) -> String {
    name.trim().to_lowercase().replace(' ', "_")
}

/// The lists of tables of a scenario that have sheets: for each key how deep it stands at most, and what its entries may be.
/// Whoever reads them by their depth meets a list after all that may hold it.
struct Lists {
    of: BTreeMap<String, (usize, Vec<&'static Shape>)>,
    /// The keys, as they are met from the top down.
    keys: Vec<String>,
}

impl Lists {
    fn new() -> Self {
        let mut lists = Self {
            of: BTreeMap::new(),
            keys: Vec::new(),
        };
        let mut level = vec![Shape::scenario()];
        let mut depth = 0;
        while !level.is_empty() {
            depth += 1;
            let mut next = Vec::new();
            for shape in level {
                lists.collect(shape, depth, &mut next);
            }
            level = next;
        }
        lists
    }

    fn collect(&mut self, shape: &'static Shape, depth: usize, next: &mut Vec<&'static Shape>) {
        let Shape::Table(fields) = shape else { return };
        for field in fields {
            match &field.shape {
                Shape::List(item) if matches!(**item, Shape::Table(_)) => {
                    let item: &'static Shape = item;
                    let known = self.of.entry(field.key.clone()).or_insert_with(|| {
                        self.keys.push(field.key.clone());
                        (depth, Vec::new())
                    });
                    known.0 = known.0.max(depth);
                    known.1.push(item);
                    if item.field("name").is_some() {
                        next.push(item);
                    }
                }
                inner => self.collect(inner, depth, next),
            }
        }
    }
}

/// The shape of what the steps of a dotted key lead to, or what is wrong with them and what would be right.
fn shape_at<'s>(shape: &'s Shape, steps: &[String]) -> Result<&'s Shape, (String, String)> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(shape);
    };
    match shape {
        Shape::Table(_) => match shape.field(step) {
            Some((field, _)) => shape_at(&field.shape, rest),
            None => Err(shape.no_key(step)),
        },
        Shape::Map(inner) => shape_at(inner, rest),
        Shape::Uncertain => Ok(shape),
        _ => Err((
            format!("\"{step}\" stands within what is no table"),
            String::new(),
        )),
    }
}

#[cfg(test)]
mod tests;
