//! A file's values, each with its place in the text.

use std::ops::Range;
use std::path::PathBuf;

use toml_edit::{Document, Item, Table as TomlTable, Value as TomlValue};

use super::cells::{CellText, Cells};
use super::shape::parameter_position;
use crate::date::Date;
use crate::field::Measure;
use crate::problem::{Location, Path, Step};

/// A text that was read: a file, or what was set on the command line.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) name: PathBuf,
    pub(super) text: String,
    /// The byte at which each line begins.
    lines: Vec<usize>,
    /// The cells of a workbook, which has no text.
    cells: Cells,
}

impl Text {
    pub(super) fn new(name: PathBuf, text: String) -> Self {
        let ends = text.match_indices('\n').map(|(newline, _)| newline + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self {
            name,
            text,
            lines,
            cells: Cells::default(),
        }
    }

    /// A workbook: places in it are the numbers of its cells.
    #[cfg(feature = "excel")]
    pub(super) fn of_cells(name: PathBuf, cells: Cells) -> Self {
        Self {
            cells,
            ..Self::new(name, String::new())
        }
    }

    /// What stands behind the values in the row of a cell; empty in a text.
    pub(super) fn cell_note(&self, at: usize) -> &str {
        self.cells.note_of(at)
    }

    /// The cell of a place, such as `Buildings!C7`; none in a text.
    pub(super) fn cell(&self, at: usize) -> Option<String> {
        self.cells.get(at).map(CellText::name)
    }

    /// The line of a byte, or the row of a cell, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        if let Some(cell) = self.cells.get(at) {
            return cell.row as usize + 1;
        }
        self.lines.partition_point(|start| *start <= at)
    }

    /// The line and column of a range of bytes.
    pub(super) fn location(&self, range: &Range<usize>) -> Location {
        if let Some(cell) = self.cells.get(range.start) {
            return Location {
                file: self.name.clone(),
                line: cell.row as usize + 1,
                column: cell.column as usize + 1,
                text: cell.shown.clone(),
                length: cell.shown.chars().count().max(1),
                cell: Some(cell.name()),
            };
        }
        let start = floor_boundary(&self.text, range.start);
        let end = floor_boundary(&self.text, range.end).max(start);
        let number = self.line(start);
        let line_start = self.lines[number - 1];
        let next = (self.lines.get(number).copied()).unwrap_or(self.text.len());
        let line = self.text[line_start..next].trim_end_matches(['\r', '\n']);
        let line_end = line_start + line.len();
        Location {
            file: self.name.clone(),
            line: number,
            column: self.text[line_start..start].chars().count() + 1,
            text: line.to_owned(),
            length: self.text[start.min(line_end)..end.min(line_end)]
                .chars()
                .count()
                .max(1),
            cell: None,
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Where something stands: which of the texts, and the bytes there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) text: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Table(Vec<Entry>),
    List(Vec<Node>),
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A date or time without quotes.
    Date(String),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) node: Node,
}

impl Value {
    /// What it is, for a planner.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::List(_) => "a list",
            Self::Text(_) => "a text",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Boolean(_) => "a yes or no",
            Self::Date(_) => "a date",
        }
    }
}

impl Node {
    /// What was read, as one would write it, cut if it is long.
    pub(super) fn shown(&self) -> String {
        let text = match &self.value {
            Value::Table(_) | Value::List(_) => return self.value.kind().to_owned(),
            Value::Text(text) => format!("\"{text}\""),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(value) => value.to_string(),
            Value::Date(date) => date.clone(),
        };
        if text.chars().count() > 60 {
            text.chars().take(57).chain("...".chars()).collect()
        } else {
            text
        }
    }

    /// The entry of a key, which may have been written without its unit.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        let Value::Table(entries) = &self.value else {
            return None;
        };
        let exact = entries.iter().find(|entry| entry.key == key);
        exact.or_else(|| {
            let shortened = Measure::shortened(key)?;
            entries.iter().find(|entry| entry.key == shortened)
        })
    }

    /// The name of a table, by which entries of lists are distinguished.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.entry("name")?.node.value {
            Value::Text(name) => Some(name),
            _ => None,
        }
    }

    /// The place of what `path` leads to, or of the nearest thing around it.
    pub(super) fn find(&self, path: &Path) -> &Place {
        &self.node_at(path).place
    }

    /// Whether it is a date.
    pub(super) fn is_date(&self) -> bool {
        match &self.value {
            Value::Text(text) | Value::Date(text) => text.parse::<Date>().is_ok(),
            _ => false,
        }
    }

    /// The node of that path, or the last one on the way to it.
    pub(super) fn node_at(&self, path: &Path) -> &Self {
        let mut node = self;
        let mut kind = "";
        for step in path.steps() {
            let next = match (step, &node.value) {
                (Step::Key(key), Value::Table(_)) => node.entry(key).map(|entry| &entry.node),
                (Step::Index(index), Value::List(items)) => items.get(*index),
                // Parameters of a distribution may be written as a list.
                (Step::Key(key), Value::List(items)) => {
                    parameter_position(kind, key).and_then(|position| items.get(position))
                }
                _ => None,
            };
            if let Step::Key(key) = step {
                kind = key;
            }
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }
}

/// A text that is not TOML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) message: String,
    pub(super) place: Place,
}

/// Reads a text, which is number `number` among those that were read.
pub(super) fn parse(text: &str, number: usize) -> Result<Node, SyntaxError> {
    let document = Document::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        SyntaxError {
            message: error.message().trim().replace('\n', ", "),
            place: Place {
                text: number,
                start: span.start,
                end: span.end,
            },
        }
    })?;
    let whole = Place {
        text: number,
        start: 0,
        end: 0,
    };
    Ok(Node {
        value: table(document.as_table(), &whole),
        place: whole,
    })
}

fn place(span: Option<Range<usize>>, around: &Place) -> Place {
    match span {
        Some(span) => Place {
            text: around.text,
            start: span.start,
            end: span.end,
        },
        None => around.clone(),
    }
}

fn table(table: &TomlTable, around: &Place) -> Value {
    let entries = table.iter().filter_map(|(name, item)| {
        let key_place = place(table.key(name).and_then(|key| key.span()), around);
        let node = item_node(item, &key_place)?;
        Some(Entry {
            key: name.to_owned(),
            key_place,
            node,
        })
    });
    Value::Table(entries.collect())
}

fn item_node(item: &Item, around: &Place) -> Option<Node> {
    let place = place(item.span(), around);
    let value = match item {
        Item::None => return None,
        Item::Value(value) => return Some(value_node(value, around)),
        Item::Table(inner) => table(inner, &place),
        Item::ArrayOfTables(list) => {
            let items = list.iter().map(|inner| {
                let place = self::place(inner.span(), &place);
                Node {
                    value: table(inner, &place),
                    place,
                }
            });
            Value::List(items.collect())
        }
    };
    Some(Node { place, value })
}

fn value_node(value: &TomlValue, around: &Place) -> Node {
    let place = place(value.span(), around);
    let value = match value {
        TomlValue::String(text) => Value::Text(text.value().clone()),
        TomlValue::Integer(number) => Value::Integer(*number.value()),
        TomlValue::Float(number) => Value::Float(*number.value()),
        TomlValue::Boolean(boolean) => Value::Boolean(*boolean.value()),
        TomlValue::Datetime(date) => Value::Date(date.value().to_string()),
        TomlValue::Array(list) => {
            Value::List(list.iter().map(|item| value_node(item, &place)).collect())
        }
        TomlValue::InlineTable(inner) => {
            let entries = inner.iter().map(|(name, item)| {
                let key_place = self::place(inner.key(name).and_then(|key| key.span()), &place);
                let node = value_node(item, &key_place);
                Entry {
                    key: name.to_owned(),
                    key_place,
                    node,
                }
            });
            Value::Table(entries.collect())
        }
    };
    Node { place, value }
}

/// Reads one value, such as `36` or `"36 months"`; a text without quotes is taken as it stands.
pub(super) fn parse_value(text: &str, place: &Place) -> Node {
    let mut node = match text.trim().parse::<TomlValue>() {
        Ok(value) => value_node(&value, place),
        Err(_) => Node {
            place: place.clone(),
            value: Value::Text(text.trim().to_owned()),
        },
    };
    put_at(&mut node, place);
    node
}

/// Gives a value and all within it one place.
pub(super) fn put_at(node: &mut Node, place: &Place) {
    node.place = place.clone();
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| put_at(item, place)),
        Value::Table(entries) => {
            for entry in entries {
                entry.key_place = place.clone();
                put_at(&mut entry.node, place);
            }
        }
        _ => {}
    }
}
