//! From the sheets of a workbook to the tree of a scenario.

use std::collections::BTreeMap;

use super::book::{Content, Filled, SheetCells};
use super::owner::{collect_owners, holds, items_at};
use super::{IN, Lists, NOTE, OWN, SCENARIO, key_of_sheet, shape_at, sheet_name};
use crate::file::cells::Cells;
use crate::file::inputs::joined;
use crate::file::merge::{Misfit, Step, nearest_name_of, set};
use crate::file::node::{Entry, Node, Place, Value, parse, parse_value, put_at};
use crate::file::presets::PRESET;
use crate::file::shape::Shape;
use crate::file::steps_of;

/// Reads the sheets into the tree of a scenario, as text `number`; what does not fit is reported with its cell.
pub(super) fn read(sheets: &[SheetCells], number: usize) -> (Node, Cells, Vec<Misfit>) {
    let mut reader = Reader {
        number,
        cells: Cells::default(),
        misfits: Vec::new(),
    };
    let top = reader.place(SCENARIO, 0, 0, SCENARIO);
    let mut root = Node {
        place: top,
        value: Value::Table(Vec::new()),
    };
    let lists = Lists::new();
    let mut of_lists: Vec<(usize, &SheetCells, String)> = Vec::new();
    for sheet in sheets {
        let key = key_of_sheet(&sheet.name);
        if sheet.name.trim_start().starts_with(OWN) {
            continue;
        }
        if key == key_of_sheet(SCENARIO) {
            reader.values(sheet, &mut root);
        } else if let Some((depth, _)) = lists.of.get(&key) {
            of_lists.push((*depth, sheet, key));
        } else if !sheet.cells.is_empty() {
            let place = reader.place(&sheet.name, 0, 0, &sheet.name);
            let names: Vec<String> = lists.keys.iter().map(|key| sheet_name(key)).collect();
            let near = nearest_name_of(&sheet.name, names.iter().map(String::as_str));
            let help = format!("{near}; the name of a sheet of your own begins with {OWN}");
            let message = format!(
                "there is nothing that a sheet \"{}\" could hold",
                sheet.name
            );
            reader.misfit(place, message, help);
        }
    }
    of_lists.sort_by_key(|(depth, ..)| *depth);
    for (_, sheet, key) in of_lists {
        reader.list(sheet, &key, &lists.of[&key].1, &mut root);
    }
    (root, reader.cells, reader.misfits)
}

struct Reader {
    number: usize,
    cells: Cells,
    misfits: Vec<Misfit>,
}

/// The columns of a list: what leads to the table that holds a row, what stands behind it, and its values.
struct Heads {
    of: Option<u32>,
    note: Option<u32>,
    columns: BTreeMap<u32, Column>,
}

/// A column of a list: its key in steps.
struct Column {
    steps: Vec<String>,
}

impl Reader {
    fn misfit(&mut self, place: Place, message: String, help: String) {
        self.misfits.push(Misfit {
            place,
            message,
            help,
        });
    }

    fn place(&mut self, sheet: &str, row: u32, column: u32, shown: &str) -> Place {
        let start = self.cells.push(sheet, row, column, shown);
        Place {
            text: self.number,
            start,
            end: start + 1,
        }
    }

    fn place_of(&mut self, sheet: &SheetCells, cell: &Filled) -> Place {
        self.place(&sheet.name, cell.row, cell.column, &shown(&cell.content))
    }

    /// The sheet of single values.
    fn values(&mut self, sheet: &SheetCells, root: &mut Node) {
        let mut rows = rows(&sheet.cells);
        let Some(heads) = rows.next() else { return };
        let column = |name: &str| {
            let found = heads.iter().find(|cell| head_of(cell) == name);
            found.map(|cell| cell.column)
        };
        let (Some(key), Some(value)) = (column("key"), column("value")) else {
            let place = self.place_of(sheet, &heads[0]);
            let message = format!("the sheet {SCENARIO} has no columns \"key\" and \"value\"");
            self.misfit(place, message, "write them into its first row".to_owned());
            return;
        };
        let note = column(NOTE);
        for row in rows {
            let cell = |wanted: u32| row.iter().find(|cell| cell.column == wanted);
            let Some(name) = cell(key) else { continue };
            let Content::Text(text) = &name.content else {
                let place = self.place_of(sheet, name);
                let message = format!("{} is no key", shown(&name.content));
                self.misfit(place, message, String::new());
                continue;
            };
            let Some(value) = cell(value) else { continue };
            if text.trim_start().starts_with(OWN) {
                continue;
            }
            let place = self.place_of(sheet, value);
            if let Some(note) = note.and_then(cell) {
                self.cells.note(place.start, shown(&note.content));
            }
            let steps = steps_of(bare(text));
            let at = if steps == ["extends"] {
                Ok(&Shape::Text)
            } else {
                shape_at(Shape::scenario(), &steps)
            };
            let key_place = self.place_of(sheet, name);
            match at {
                Ok(shape) => {
                    let node = self.node(&value.content, shape, &place);
                    self.put(root, &steps, node, &key_place);
                }
                Err((message, help)) => self.misfit(key_place, message, help),
            }
        }
    }

    /// Puts a single value of the scenario where its key leads to.
    fn put(&mut self, root: &mut Node, steps: &[String], node: Node, key_place: &Place) {
        if let ([step], Value::Table(entries)) = (steps, &mut root.value)
            && step == "extends"
        {
            entries.push(entry(step, key_place, node));
            return;
        }
        if let Err(misfit) = set(
            root,
            Shape::scenario(),
            &Step::all_at(steps, key_place),
            node,
        ) {
            self.misfit(key_place.clone(), misfit.message, misfit.help);
        }
    }

    /// The heads of a list; unknown ones are reported.
    fn heads(&mut self, sheet: &SheetCells, heads: &[Filled], shapes: &[&'static Shape]) -> Heads {
        let mut columns: BTreeMap<u32, Column> = BTreeMap::new();
        let (mut of, mut note) = (None, None);
        for head in heads {
            let name = head_of(head);
            match name.as_str() {
                IN => of = Some(head.column),
                NOTE => note = Some(head.column),
                own if own.starts_with(OWN) => {}
                name => {
                    let place = self.place_of(sheet, head);
                    let steps = steps_of(name);
                    let fits = |shape: &&&Shape| is_head(shape, &steps);
                    if columns.values().any(|column| column.steps == steps) {
                        let message = format!("there are two columns \"{name}\"");
                        self.misfit(place, message, "take one of them away".to_owned());
                    } else if shapes.iter().any(|shape| fits(&shape)) {
                        columns.insert(head.column, Column { steps });
                    } else if let Err((message, help)) = shape_at(shapes[0], &steps) {
                        self.misfit(place, format!("column \"{name}\": {message}"), help);
                    }
                }
            }
        }
        Heads { of, note, columns }
    }

    /// The sheet of a list.
    fn list(&mut self, sheet: &SheetCells, key: &str, shapes: &[&'static Shape], root: &mut Node) {
        let mut rows = rows(&sheet.cells);
        let Some(heads) = rows.next() else { return };
        let Heads { of, note, columns } = self.heads(sheet, heads, shapes);
        for row in rows {
            let cell = |wanted: u32| row.iter().find(|cell| cell.column == wanted);
            let has_values = row.iter().any(|cell| columns.contains_key(&cell.column));
            if !has_values {
                continue;
            }
            let owner = of.and_then(cell);
            let at = owner.unwrap_or(&row[0]);
            let place = self.place_of(sheet, at);
            let Some(path) = self.owner(root, key, owner, &place) else {
                continue;
            };
            let Some((items, shape)) = items_at(root, &path, key, &place) else {
                continue;
            };
            let mut node = Node {
                place: self.row_place(sheet, row, &columns),
                value: Value::Table(Vec::new()),
            };
            if let Some(note) = note.and_then(cell) {
                self.cells.note(node.place.start, shown(&note.content));
            }
            for cell in row {
                if let Some(column) = columns.get(&cell.column) {
                    self.cell(sheet, cell, column, shape, &mut node);
                }
            }
            items.push(node);
        }
    }

    /// Where a row stands: at its name, or its first value.
    fn row_place(
        &mut self,
        sheet: &SheetCells,
        row: &[Filled],
        columns: &BTreeMap<u32, Column>,
    ) -> Place {
        let of = |cell: &&Filled| columns.get(&cell.column);
        let named =
            (row.iter()).find(|cell| of(cell).is_some_and(|column| column.steps == ["name"]));
        let first = || row.iter().find(|cell| of(cell).is_some());
        match named.or_else(first) {
            Some(cell) => self.place_of(sheet, cell),
            None => self.place(&sheet.name, row[0].row, 0, ""),
        }
    }

    fn cell(
        &mut self,
        sheet: &SheetCells,
        cell: &Filled,
        column: &Column,
        shape: &'static Shape,
        row: &mut Node,
    ) {
        let place = self.place_of(sheet, cell);
        let first = column.steps[0].as_str();
        if is_beside(shape, first)
            && let Value::Table(entries) = &mut row.value
        {
            let node = self.node(&cell.content, beside(first), &place);
            entries.push(entry(first, &place, node));
            return;
        }
        match shape_at(shape, &column.steps) {
            Ok(inner) => {
                let node = self.node(&cell.content, inner, &place);
                if let Err(misfit) = set(row, shape, &Step::all_at(&column.steps, &place), node) {
                    self.misfit(misfit.place, misfit.message, misfit.help);
                }
            }
            // A column that entries elsewhere in the list have.
            Err((message, help)) => self.misfit(place, message, help),
        }
    }

    /// The steps to the table that holds a row's list.
    fn owner(
        &mut self,
        root: &Node,
        key: &str,
        cell: Option<&Filled>,
        place: &Place,
    ) -> Option<Vec<String>> {
        let text = cell.map(|cell| shown(&cell.content)).unwrap_or_default();
        let steps = match text.trim() {
            "" => Vec::new(),
            text => steps_of(text),
        };
        if holds(Some(root), Shape::scenario(), &steps, key) {
            return Some(steps);
        }
        let mut owners = Vec::new();
        collect_owners(
            Some(root),
            Shape::scenario(),
            &mut Vec::new(),
            key,
            &mut owners,
        );
        let fitting: Vec<&Vec<String>> = (owners.iter())
            .filter(|owner| owner.ends_with(&steps))
            .collect();
        if let [only] = fitting.as_slice() {
            return Some((*only).clone());
        }
        let written = |steps: &Vec<String>| {
            let path = String::new();
            steps.iter().fold(path, |path, step| joined(&path, step))
        };
        let (message, help) = if fitting.is_empty() {
            let known: Vec<String> = owners.iter().map(written).collect();
            let help = nearest_name_of(&text, known.iter().map(String::as_str));
            (
                format!("there is nothing \"{text}\" that holds {key}"),
                help,
            )
        } else {
            let known: Vec<String> = fitting.into_iter().take(6).map(written).collect();
            let help = format!(
                "write into the column \"{IN}\" one of: {}",
                known.join(", ")
            );
            (format!("several things could hold these {key}"), help)
        };
        self.misfit(place.clone(), message, help);
        None
    }

    /// What a cell says where something of that shape belongs.
    fn node(&mut self, content: &Content, shape: &Shape, place: &Place) -> Node {
        let value = match (content, shape) {
            (Content::Error(error), _) => {
                let message = format!("the formula in this cell gives {error}");
                self.misfit(place.clone(), message, "a value belongs here".to_owned());
                Value::Text(error.clone())
            }
            (Content::Text(text), _) => return self.text_node(text, shape, place),
            (_, Shape::List(inner)) => Value::List(vec![self.node(content, inner, place)]),
            (
                Content::Number(number),
                Shape::Text | Shape::Choice(_) | Shape::Redundancy | Shape::TextOr(..),
            ) => Value::Text(number.to_string()),
            (Content::Number(number), _) => number_value(*number),
            (Content::Boolean(value), _) => Value::Boolean(*value),
            (Content::Date(date), Shape::Text) => Value::Text(date.clone()),
            (Content::Date(date), _) => Value::Date(date.clone()),
        };
        Node {
            place: place.clone(),
            value,
        }
    }

    fn text_node(&mut self, text: &str, shape: &Shape, place: &Place) -> Node {
        let trimmed = text.trim();
        if trimmed.starts_with(['{', '[']) && !matches!(shape, Shape::Text) {
            return self.toml(trimmed, place);
        }
        // In quotes stands what would be taken for something else.
        if trimmed.starts_with('"')
            && let Ok(quoted) = trimmed.parse::<toml_edit::Value>()
            && let Some(text) = quoted.as_str()
        {
            return Node {
                place: place.clone(),
                value: Value::Text(text.to_owned()),
            };
        }
        let value = match shape {
            Shape::Text | Shape::TextOr(..) => Value::Text(text.to_owned()),
            Shape::Boolean if trimmed.eq_ignore_ascii_case("true") => Value::Boolean(true),
            Shape::Boolean if trimmed.eq_ignore_ascii_case("false") => Value::Boolean(false),
            Shape::Date | Shape::Choice(_) | Shape::Redundancy => Value::Text(trimmed.to_owned()),
            Shape::List(inner) => {
                let parts = trimmed.split(';').map(str::trim);
                let parts = parts.filter(|part| !part.is_empty());
                Value::List(
                    parts
                        .map(|part| self.text_node(part, inner, place))
                        .collect(),
                )
            }
            _ => return parse_value(trimmed, place),
        };
        Node {
            place: place.clone(),
            value,
        }
    }

    fn toml(&mut self, text: &str, place: &Place) -> Node {
        let parsed = parse(&format!("value = {text}"), self.number);
        match parsed.map(|root| root.entry("value").map(|entry| entry.node.clone())) {
            Ok(Some(mut node)) => {
                put_at(&mut node, place);
                node
            }
            Ok(None) => Node {
                place: place.clone(),
                value: Value::Text(text.to_owned()),
            },
            Err(error) => {
                let message = format!("this is not TOML: {}", error.message);
                let help = "such as { pert = [3, 4, 6] } or [\"a\", \"b\"]".to_owned();
                self.misfit(place.clone(), message, help);
                Node {
                    place: place.clone(),
                    value: Value::Text(text.to_owned()),
                }
            }
        }
    }
}

fn entry(key: &str, place: &Place, node: Node) -> Entry {
    Entry {
        key: key.to_owned(),
        key_place: place.clone(),
        node,
    }
}

/// Numbers of a workbook have no kind of their own: one without a fraction counts as whole.
fn number_value(number: f64) -> Value {
    /// Above it, doubles leave whole numbers out.
    const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= LARGEST_WHOLE {
        Value::Integer(number as i64)
    } else {
        Value::Float(number)
    }
}

fn shown(content: &Content) -> String {
    match content {
        Content::Text(text) | Content::Date(text) | Content::Error(text) => text.clone(),
        Content::Number(number) => number.to_string(),
        Content::Boolean(value) => value.to_string(),
    }
}

/// The rows that are not empty, from the top down.
fn rows(cells: &[Filled]) -> impl Iterator<Item = &[Filled]> {
    cells.chunk_by(|one, next| one.row == next.row)
}

/// A head without what is in brackets after it.
fn bare(head: &str) -> &str {
    let bare = head.split_once(" [").map_or(head, |(key, _)| key);
    bare.trim()
}

/// The key of a head; those of the planner's own in small letters.
fn head_of(cell: &Filled) -> String {
    let head = shown(&cell.content);
    bare(&head).to_owned()
}

/// Keys that entries of lists have beside those of the schema.
fn is_beside(shape: &Shape, key: &str) -> bool {
    [PRESET, "remove"].contains(&key) && shape.field(key).is_none()
}

fn beside(key: &str) -> &'static Shape {
    if key == PRESET {
        &Shape::Text
    } else {
        &Shape::Boolean
    }
}

fn is_head(shape: &Shape, steps: &[String]) -> bool {
    let is_single =
        steps.len() == 1 && is_beside(shape, &steps[0]) && shape.field("name").is_some();
    is_single || shape_at(shape, steps).is_ok()
}
