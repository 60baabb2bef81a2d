//! A scenario taken apart into rows: single values, and the entries of lists.

use std::collections::{BTreeMap, HashMap};

use crate::file::inputs::joined;
use crate::file::node::{Node, Value};
use crate::file::shape::Shape;

/// The longest text of a cell, in UTF-16 units.
pub(super) const LONGEST_TEXT: usize = 32_767;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Number(f64),
    Boolean(bool),
}

/// A row: the key of the table that holds it, its cells by their heads, and what stands behind them.
#[derive(Default)]
pub(super) struct Row {
    pub(super) owner: String,
    pub(super) cells: Vec<(String, Cell)>,
    pub(super) notes: Vec<(String, String)>,
}

/// The rows of all lists.
pub(super) struct Rows<'i> {
    /// What stands behind each value, by its key.
    pub(super) notes: HashMap<&'i str, &'i str>,
    pub(super) of: BTreeMap<String, Vec<Row>>,
    /// Whether lists stand in cells, since an entry without a name holds them.
    pub(super) inline_lists: bool,
}

impl Rows<'_> {
    /// Takes a value apart into cells of `row` under the head `head`, and rows of lists. `path` is its key in the scenario.
    pub(super) fn flatten(
        &mut self,
        node: &Node,
        shape: &Shape,
        path: &str,
        head: &str,
        row: &mut Row,
    ) -> Result<(), String> {
        match (shape, &node.value) {
            (Shape::Table(_), Value::Table(entries)) if !entries.is_empty() || head.is_empty() => {
                for entry in entries {
                    let Some((field, _)) = shape.field(&entry.key) else {
                        continue;
                    };
                    let head = joined(head, &field.key);
                    let path_within = joined(path, &entry.key);
                    match (&field.shape, &entry.node.value) {
                        (Shape::List(item), Value::List(items))
                            if self.has_rows(item) && !items.is_empty() =>
                        {
                            self.list(items, item, path, &field.key)?;
                        }
                        (inner, _) => {
                            self.flatten(&entry.node, inner, &path_within, &head, row)?;
                        }
                    }
                }
                Ok(())
            }
            (Shape::Map(inner), Value::Table(entries)) if !entries.is_empty() => {
                for entry in entries {
                    let (path, head) = (joined(path, &entry.key), joined(head, &entry.key));
                    self.flatten(&entry.node, inner, &path, &head, row)?;
                }
                Ok(())
            }
            _ => {
                if let Some(note) = self.notes.get(path).filter(|note| !note.is_empty()) {
                    row.notes.push((head.to_owned(), (*note).to_owned()));
                }
                row.cells
                    .push((head.to_owned(), cell_of(node, shape, path)?));
                Ok(())
            }
        }
    }

    fn has_rows(&self, item: &Shape) -> bool {
        matches!(item, Shape::Table(_)) && !self.inline_lists
    }

    fn list(&mut self, items: &[Node], item: &Shape, owner: &str, key: &str) -> Result<(), String> {
        let list = joined(owner, key);
        for (position, node) in items.iter().enumerate() {
            let name = step_to(items, position);
            let mut row = Row {
                owner: owner.to_owned(),
                ..Row::default()
            };
            let of = self.of.entry(key.to_owned()).or_default();
            let at = of.len();
            of.push(Row::default());
            self.inline_lists = item.field("name").is_none();
            let path = joined(&list, &name);
            let flattened = self.flatten(node, item, &path, "", &mut row);
            self.inline_lists = false;
            flattened?;
            if let Some(place) = self.of.get_mut(key).and_then(|of| of.get_mut(at)) {
                *place = row;
            }
        }
        Ok(())
    }
}

/// How a dotted key leads to an entry of a list: by its name, or by its position where it has none of its own.
fn step_to(items: &[Node], position: usize) -> String {
    let name = items[position].name();
    let is_own = |name: &&str| {
        items
            .iter()
            .filter(|item| item.name() == Some(*name))
            .count()
            == 1
    };
    name.filter(is_own)
        .map_or_else(|| position.to_string(), str::to_owned)
}

/// A value in one cell.
fn cell_of(node: &Node, shape: &Shape, path: &str) -> Result<Cell, String> {
    /// Above it, doubles leave whole numbers out.
    const LARGEST_WHOLE: i64 = 1 << 53;
    let text = match &node.value {
        Value::Integer(number) if number.abs() <= LARGEST_WHOLE => {
            return Ok(Cell::Number(*number as f64));
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) if number.is_finite() => return Ok(Cell::Number(*number)),
        Value::Float(number) => toml_edit::Value::from(*number).to_string(),
        Value::Boolean(value) => return Ok(Cell::Boolean(*value)),
        Value::Date(date) => date.clone(),
        Value::Text(text) if is_plain(text, shape) => text.clone(),
        // JSON quotes as a basic string of TOML does.
        Value::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::List(items) => plain_list(items, shape).unwrap_or_else(|| toml(node)),
        Value::Table(_) => toml(node),
    };
    if text.encode_utf16().count() > LONGEST_TEXT {
        return Err(format!(
            "{path} is longer than the {LONGEST_TEXT} characters that a cell can hold"
        ));
    }
    Ok(Cell::Text(text))
}

/// Whether a text without quotes is taken for what it is.
fn is_plain(text: &str, shape: &Shape) -> bool {
    let may_be_toml = !matches!(shape, Shape::Text) && text.trim_start().starts_with(['{', '[']);
    !text.trim().is_empty() && !text.trim_start().starts_with('"') && !may_be_toml
}

/// Texts parted by semicolons, where none of them could be taken for something else.
fn plain_list(items: &[Node], shape: &Shape) -> Option<String> {
    let Shape::List(inner) = shape else {
        return None;
    };
    if !matches!(**inner, Shape::Text | Shape::TextOr(..) | Shape::Choice(_)) || items.is_empty() {
        return None;
    }
    // The reader takes a cell of a list that begins so for TOML, whatever the list holds.
    let is_part = |text: &str| {
        let may_be_toml = text.starts_with(['{', '[']);
        !may_be_toml && is_plain(text, inner) && text.trim() == text && !text.contains(';')
    };
    let texts: Option<Vec<&str>> = (items.iter())
        .map(|item| match &item.value {
            Value::Text(text) if is_part(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    Some(texts?.join("; "))
}

fn toml(node: &Node) -> String {
    toml_value(node).to_string().trim().to_owned()
}

fn toml_value(node: &Node) -> toml_edit::Value {
    match &node.value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(value) => (*value).into(),
        Value::Date(date) => match date.parse::<toml_edit::Datetime>() {
            Ok(date) => date.into(),
            Err(_) => date.as_str().into(),
        },
        Value::List(items) => items
            .iter()
            .map(toml_value)
            .collect::<toml_edit::Array>()
            .into(),
        Value::Table(entries) => {
            let mut table = toml_edit::InlineTable::new();
            for entry in entries {
                table.insert(&entry.key, toml_value(&entry.node));
            }
            table.into()
        }
    }
}

/// What stands behind a row: one note for all of it, or one for each value.
pub(super) fn notes_of(row: &Row) -> String {
    let mut parts: Vec<(Vec<&str>, &str)> = Vec::new();
    for (head, note) in &row.notes {
        match parts.iter_mut().find(|(_, known)| known == note) {
            Some((heads, _)) => heads.push(head),
            None => parts.push((vec![head], note)),
        }
    }
    if let [(_, note)] = parts.as_slice() {
        return (*note).to_owned();
    }
    let parts = parts
        .iter()
        .map(|(heads, note)| format!("{}: {note}", heads.join(", ")));
    parts.collect::<Vec<_>>().join("; ")
}
