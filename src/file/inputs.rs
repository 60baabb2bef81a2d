//! What a planner put in, value by value, with what stands behind it: the comment beside it in the
//! file, or the sources of its preset.

use std::path::PathBuf;

use serde::Serialize;

use super::Files;
use super::node::{Node, Place, Text, Value};
use super::shape::Shape;
use crate::presets::Basis;

/// A value of a scenario file and what stands behind it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Input {
    /// The key, with names in lists, such as `campuses.Qingyang.grid."750 kV".wait_months`.
    pub key: String,
    /// The value as one writes it in a file.
    pub value: String,
    /// The file or table it stands in; `--set` for one that was set on top.
    pub file: PathBuf,
    /// The line, from 1; the row in a workbook.
    pub line: usize,
    /// The cell, such as `Buildings!C7`, where the file is a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// How well it is known, where a source says so: by `[P]` published, `[C]` chosen to meet what
    /// is known, `[A]` assumption in a comment, or by the preset's sources. Empty if there is none.
    pub basis: Vec<Basis>,
    /// The comment on its line or just above it (of the table around it, if it has none), or the
    /// preset's sources; empty if there is none.
    pub note: String,
}

impl Input {
    /// Where it stands in its file: `line 12` or `Buildings!C7`.
    pub fn place(&self) -> String {
        match &self.cell {
            Some(cell) => cell.clone(),
            None => format!("line {}", self.line),
        }
    }
}

impl Files {
    /// All values below `root`, in the order of the file.
    pub(super) fn inputs(&self, root: &Node) -> Vec<Input> {
        let mut inputs = Vec::new();
        self.collect(root, Shape::scenario(), "", &Note::default(), &mut inputs);
        inputs
    }

    fn collect(
        &self,
        node: &Node,
        shape: &Shape,
        key: &str,
        around: &Note,
        inputs: &mut Vec<Input>,
    ) {
        match (shape, &node.value) {
            (Shape::Table(_), Value::Table(entries)) => {
                for entry in entries {
                    let Some((field, _)) = shape.field(&entry.key) else {
                        continue;
                    };
                    if field.key == "name" && !key.is_empty() {
                        continue;
                    }
                    let note = self.note(&entry.key_place, &entry.node.place);
                    let note = if note.is_empty() { around } else { &note };
                    let key = joined(key, &entry.key);
                    self.collect(&entry.node, &field.shape, &key, note, inputs);
                }
            }
            (Shape::List(item), Value::List(items)) if matches!(**item, Shape::Table(_)) => {
                for (position, item_node) in items.iter().enumerate() {
                    let name = item_node
                        .name()
                        .map_or_else(|| position.to_string(), str::to_owned);
                    let note = self.note(&item_node.place, &item_node.place);
                    let note = if note.is_empty() { around } else { &note };
                    let key = joined(key, &name);
                    self.collect(item_node, item, &key, note, inputs);
                }
            }
            _ => {
                let text = &self.texts[node.place.text];
                inputs.push(Input {
                    key: key.to_owned(),
                    value: written(node),
                    file: text.name.clone(),
                    line: text.line(node.place.start),
                    cell: text.cell(node.place.start),
                    basis: around.basis.clone(),
                    note: around.text.clone(),
                });
            }
        }
    }

    /// The note on a key and its value.
    fn note(&self, key: &Place, value: &Place) -> Note {
        if let Some(used) = self.presets.iter().find(|used| &used.place == value) {
            let sources = used.preset.sources;
            let mut basis: Vec<Basis> = Vec::new();
            for source in sources {
                if !basis.contains(&source.basis) {
                    basis.push(source.basis);
                }
            }
            let texts: Vec<&str> = sources.iter().map(|source| source.text).collect();
            return Note {
                text: format!("preset \"{}\": {}", used.preset.name, texts.join("; ")),
                basis,
            };
        }
        let text = &self.texts[value.text];
        let noted = text.cell_note(value.start);
        if !noted.is_empty() {
            return Note::of(noted.to_owned());
        }
        let beside = comment_after(text, value.end);
        if !beside.is_empty() {
            return Note::of(beside);
        }
        Note::of(comment_above(text, key.start))
    }
}

#[derive(Clone, Debug, Default)]
struct Note {
    text: String,
    basis: Vec<Basis>,
}

impl Note {
    fn of(text: String) -> Self {
        let marks = [
            ("[P]", Basis::Published),
            ("[C]", Basis::Calibrated),
            ("[A]", Basis::Assumption),
        ];
        let mut found: Vec<(usize, Basis)> = marks
            .iter()
            .filter_map(|(mark, basis)| Some((text.find(mark)?, *basis)))
            .collect();
        found.sort_by_key(|(position, _)| *position);
        let mut basis: Vec<Basis> = found.into_iter().map(|(_, basis)| basis).collect();
        if text.contains("unverified") {
            basis.push(Basis::Unverified);
        }
        Self { text, basis }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// The comment on the rest of the line on which a value ends.
fn comment_after(text: &Text, end: usize) -> String {
    let rest = text.text.get(end..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let mut quote = None;
    for (position, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '#' => return line[position + 1..].trim().to_owned(),
            None => {}
        }
    }
    String::new()
}

/// The lines of comment just above the line of a key.
fn comment_above(text: &Text, start: usize) -> String {
    let before = text.text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let mut lines: Vec<&str> = before[..line_start]
        .lines()
        .rev()
        .map(str::trim)
        .take_while(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim())
        .collect();
    lines.reverse();
    lines.join(" ")
}

/// A dotted key and one step more, in quotes where it needs them.
pub(super) fn joined(key: &str, step: &str) -> String {
    let step = toml_edit::Key::new(step).to_string();
    if key.is_empty() {
        step
    } else {
        format!("{key}.{step}")
    }
}

/// A value on one line.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Table(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{} = {}", entry.key, written(&entry.node)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        // Durations in weeks become months with many digits.
        Value::Float(number) => format!("{}", (number * 1e4).round() / 1e4),
        Value::Text(text) => format!("\"{text}\""),
        _ => node.shown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    #[test]
    fn values_come_with_their_line_and_what_stands_behind_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        let text = r#"name = "a # b"   # its name
start = "2025-01"
horizon_months = 24

rack_types = [{ preset = "40 kW rack" }]

# Two grids [C].
[[campuses]]
name = "north"
pue = { pert = [1.1, 1.2, 1.3] }   # median 1.2 [P], the range [A]
availability = 0.99

[[campuses.grid]]
name = "110 kV"
power_mw = 5
wait = "6 months"                 # [A]
"#;
        std::fs::write(&path, text).unwrap();
        let set = [("campuses.north.availability".to_owned(), "0.98".to_owned())];
        let inputs = Scenario::load(&path, &set).unwrap().inputs;
        let input = |key: &str| {
            let found = inputs.iter().find(|input| input.key == key);
            found.unwrap_or_else(|| panic!("no {key} in {inputs:#?}"))
        };
        assert_eq!(input("name").note, "its name");
        assert!(input("start").note.is_empty());
        let pue = input("campuses.north.pue");
        assert_eq!(pue.value, "{ pert = [1.1, 1.2, 1.3] }");
        assert_eq!(pue.line, 10);
        assert_eq!(pue.basis, [Basis::Published, Basis::Assumption]);
        let wait = input("campuses.north.grid.\"110 kV\".wait");
        assert_eq!(
            (wait.value.as_str(), wait.basis.as_slice()),
            ("\"6 months\"", &[Basis::Assumption][..])
        );
        let power = input("campuses.north.grid.\"110 kV\".power_mw");
        assert_eq!(
            (power.note.as_str(), power.basis.as_slice()),
            ("Two grids [C].", &[Basis::Calibrated][..])
        );
        let availability = input("campuses.north.availability");
        assert_eq!(availability.file, PathBuf::from("--set"));
        let rack = input("rack_types.\"40 kW rack\".power_kw");
        assert!(rack.note.starts_with("preset \"40 kW rack\""), "{rack:?}");
        assert_eq!(rack.line, 5);
    }
}
