//! The status in a scenario file, brought up to date: all else, comments and layout included, stays as it was.

use std::path::Path as FilePath;

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::edit::Edited;
use super::{Files, text_of};
use crate::date::Date;
use crate::scenario::{Scenario, ScenarioError};

/// What is to be set of one activity in a status.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// The activity, such as "A1/shell".
    pub activity: String,
    /// Keys of its entry with their values; none takes a key away.
    pub values: Vec<(&'static str, Option<Value>)>,
}

impl Scenario {
    /// Brings the `[status]` of a scenario file up to date, and checks the whole; the file itself is not touched. Entries of
    /// other activities, comments and layout stay.
    pub fn with_status(
        path: impl AsRef<FilePath>,
        as_of: Date,
        retained_logic: Option<bool>,
        changes: &[StatusChange],
    ) -> Result<Edited, ScenarioError> {
        let path = path.as_ref();
        let text = text_of(path)?;
        let refuse = |message: String| ScenarioError::NotSet {
            key: "status".to_owned(),
            message,
            help: String::new(),
        };
        let (mark, body) = match text.strip_prefix('\u{feff}') {
            Some(body) => ("\u{feff}", body),
            None => ("", text.as_str()),
        };
        let mut document: DocumentMut = body
            .parse()
            .map_err(|error: toml_edit::TomlError| refuse(error.message().to_owned()))?;
        let status = document
            .entry("status")
            .or_insert_with(|| Item::Table(Table::new()));
        let Some(status) = status.as_table_like_mut() else {
            return Err(refuse("the file's status is no table".to_owned()));
        };
        set(status, "as_of", Value::from(as_of.to_full_string()));
        match retained_logic {
            Some(true) => set(status, "retained_logic", Value::from(true)),
            Some(false) => {
                status.remove("retained_logic");
            }
            None => {}
        }
        set_entries(status, changes).map_err(refuse)?;
        let text = format!("{mark}{document}");
        let mut files = Files::default();
        let root = files.chain_of(path, text.clone().into(), &mut Vec::new())?;
        let loaded = files.finish(&root)?;
        Ok(Edited { text, loaded })
    }
}

/// Sets a value where it stands, or adds it.
fn set(table: &mut dyn TableLike, key: &str, value: Value) {
    if let Some(known) = table.get_mut(key).and_then(Item::as_value_mut) {
        let decor = known.decor().clone();
        *known = value;
        *known.decor_mut() = decor;
        return;
    }
    table.insert(key, Item::Value(value));
}

fn set_entries(status: &mut dyn TableLike, changes: &[StatusChange]) -> Result<(), String> {
    let is_inline =
        status.get("as_of").is_some() && status.get("activities").is_some_and(Item::is_value);
    if status.get("activities").is_none() {
        status.insert("activities", Item::ArrayOfTables(ArrayOfTables::new()));
    }
    let Some(entries) = status.get_mut("activities") else {
        return Ok(());
    };
    if let Some(list) = entries.as_array_mut().filter(|_| is_inline) {
        return set_inline(list, changes);
    }
    let Some(list) = entries.as_array_of_tables_mut() else {
        return Err("the activities of the status are no list of tables".to_owned());
    };
    let mut places: std::collections::BTreeMap<String, usize> = (list.iter().enumerate())
        .filter_map(|(at, entry)| Some((entry.get("activity")?.as_str()?.to_owned(), at)))
        .collect();
    for change in changes {
        let at = *places.entry(change.activity.clone()).or_insert_with(|| {
            let mut entry = Table::new();
            entry.insert("activity", toml_edit::value(change.activity.as_str()));
            list.push(entry);
            list.len() - 1
        });
        if let Some(entry) = list.get_mut(at) {
            apply(entry, change);
        }
    }
    Ok(())
}

/// The same where each entry has a line of its own.
fn set_inline(list: &mut Array, changes: &[StatusChange]) -> Result<(), String> {
    for change in changes {
        let is_meant = |entry: &Value| {
            let name = entry
                .as_inline_table()
                .and_then(|entry| entry.get("activity")?.as_str());
            name == Some(change.activity.as_str())
        };
        let there = list.iter().position(is_meant);
        let at = there.unwrap_or_else(|| {
            let mut entry = InlineTable::new();
            entry.insert("activity", Value::from(change.activity.as_str()));
            let mut entry = Value::from(entry);
            entry.decor_mut().set_prefix("\n  ");
            list.push_formatted(entry);
            list.len() - 1
        });
        let entry = list.get_mut(at).and_then(Value::as_inline_table_mut);
        apply(entry.ok_or("an entry of the status is no table")?, change);
    }
    Ok(())
}

fn apply(entry: &mut dyn TableLike, change: &StatusChange) {
    for (key, value) in &change.values {
        match value {
            Some(value) => set(entry, key, value.clone()),
            None => {
                entry.remove(key);
            }
        }
    }
}
