//! A scenario file with values set in it: all else, comments and layout included, stays as it was.

use std::path::Path as FilePath;

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value as TomlValue};

use super::merge::nearest_name_of;
use super::node::{Entry, Node, Value, parse};
use super::shape::Shape;
use super::{Files, Loaded, steps_of, text_of};
use crate::scenario::{Scenario, ScenarioError};

/// A scenario file as it would be with values set in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Edited {
    /// The file's new text.
    pub text: String,
    /// What the new text says.
    pub loaded: Loaded,
}

impl Scenario {
    /// Sets values in the text of a scenario file, by the keys of [`Scenario::from_path_with`], and checks the whole;
    /// the file itself is not touched. A value that stands in the file is replaced where it stands; one that does
    /// not, such as one of a file that this one extends, is added to its table. Comments and layout stay.
    pub fn edited(
        path: impl AsRef<FilePath>,
        changes: &[(String, String)],
    ) -> Result<Edited, ScenarioError> {
        let path = path.as_ref();
        let mut text = text_of(path)?;
        for (key, value) in changes {
            text = with_value(&text, path, key, value)?;
        }
        let mut files = Files::default();
        let root = files.chain_of(path, text.clone().into(), &mut Vec::new())?;
        let loaded = files.finish(&root)?;
        Ok(Edited { text, loaded })
    }
}

/// Where a key leads to in a text.
enum Found {
    /// To a value there, with the places of the key and of the value.
    There(std::ops::Range<usize>, std::ops::Range<usize>, String),
    /// Nowhere yet: it is to be added.
    Absent,
}

fn with_value(
    text: &str,
    path: &FilePath,
    key: &str,
    value: &str,
) -> Result<String, ScenarioError> {
    let mut files = Files::default();
    // What is no TOML is refused as it is when it is read.
    let root = files.parse(path.to_owned(), text.to_owned())?;
    // The reader does not see a byte order mark.
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let refuse = |message, help| ScenarioError::NotSet {
        key: key.to_owned(),
        message,
        help,
    };
    let steps = steps_of(key);
    let value = toml_of(value);
    let extends = root.entry("extends").is_some();
    let found = find(&root, Shape::scenario(), &steps, extends)
        .map_err(|(message, help)| refuse(message, help))?;
    let edited = match found {
        Found::There(key_place, value_place, new_key) => {
            let mut edited = body.to_owned();
            edited.replace_range(value_place, value.to_string().trim());
            // The key comes before its value, so that its place is still right.
            edited.replace_range(key_place, &new_key);
            edited
        }
        Found::Absent => {
            let mut document: DocumentMut =
                body.parse().map_err(|error: toml_edit::TomlError| {
                    refuse(error.message().to_owned(), String::new())
                })?;
            insert(document.as_item_mut(), Shape::scenario(), &steps, value)
                .map_err(|message| refuse(message, String::new()))?;
            document.to_string()
        }
    };
    // What cannot be read again is not handed on.
    parse(&edited, 0).map_err(|error| refuse(error.message, String::new()))?;
    Ok(format!("{mark}{edited}"))
}

/// A value as TOML; a text may go without quotes.
fn toml_of(text: &str) -> TomlValue {
    let text = text.trim();
    match text.parse::<TomlValue>() {
        Ok(value) => value,
        Err(_) => TomlValue::from(text),
    }
}

type Wrong = (String, String);

/// Follows the steps as far as there is something. `extends` says that what is not there may be in another file.
fn find(root: &Node, shape: &Shape, steps: &[String], extends: bool) -> Result<Found, Wrong> {
    let (mut node, mut shape) = (root, shape);
    let mut last = None;
    for step in steps {
        match step_into(node, shape, step, extends)? {
            Some((entry, inner, of)) => (last, node, shape) = (entry, inner, of),
            None => return Ok(Found::Absent),
        }
    }
    let one_by_one = |what: &str| {
        let help = format!(
            "set its values one by one, such as {}.KEY=VALUE",
            steps.join(".")
        );
        Err((what.to_owned(), help))
    };
    // A whole table or list is not replaced: its comments would go with it.
    if matches!(node.value, Value::Table(_)) && !matches!(shape, Shape::Uncertain) {
        return one_by_one("this is a table");
    }
    let Some(entry) = last else {
        return one_by_one("this is an entry of a list");
    };
    let (key, value) = (&entry.key_place, &node.place);
    if value.start >= value.end || key.end > value.start {
        return Err((
            "this is written as a table of its own".to_owned(),
            "change it in an editor".to_owned(),
        ));
    }
    // With another unit, or none, the key is written as it was given.
    let step = steps.last().map_or(entry.key.as_str(), String::as_str);
    let new_key = toml_edit::Key::new(step).to_string();
    Ok(Found::There(
        key.start..key.end,
        value.start..value.end,
        new_key,
    ))
}

/// Where a step leads to: the entry, if it is one of a table, its value and the shape of that.
type Inner<'a> = (Option<&'a Entry>, &'a Node, &'a Shape);

/// One step further; none if it leads to what is not there.
fn step_into<'a>(
    node: &'a Node,
    shape: &'a Shape,
    step: &String,
    extends: bool,
) -> Result<Option<Inner<'a>>, Wrong> {
    match (shape, &node.value) {
        (Shape::List(inner), Value::List(items)) => {
            let named = items.iter().find(|item| item.name() == Some(step));
            let at = || items.get(step.parse::<usize>().ok()?);
            match named.or_else(at) {
                Some(item) => Ok(Some((None, item, inner))),
                None if extends && inner.field("name").is_some() => Ok(None),
                None => {
                    let names = items.iter().filter_map(Node::name);
                    Err((
                        format!("there is no \"{step}\" in this list of the file"),
                        nearest_name_of(step, names),
                    ))
                }
            }
        }
        (Shape::Table(_), Value::Table(entries)) => {
            let (field, _) = shape.field(step).ok_or_else(|| shape.no_key(step))?;
            let there = (entries.iter()).find(|entry| shape.canonical(&entry.key) == field.key);
            Ok(there.map(|entry| (Some(entry), &entry.node, &field.shape)))
        }
        (Shape::Map(_) | Shape::Uncertain, Value::Table(entries)) => {
            let there = entries.iter().find(|entry| entry.key == *step);
            let inner = match shape {
                Shape::Map(inner) => &**inner,
                other => other,
            };
            Ok(there.map(|entry| (Some(entry), &entry.node, inner)))
        }
        (_, there) => Err((
            format!("\"{step}\" is set inside of {}", there.kind()),
            "a key of a table, or a name or position in a list".to_owned(),
        )),
    }
}

/// Adds what is not there: tables, entries of lists by their names, and the value at the end.
fn insert(
    item: &mut Item,
    shape: &Shape,
    steps: &[String],
    value: TomlValue,
) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *item = Item::Value(value);
        return Ok(());
    };
    if let Shape::List(inner) = shape {
        return insert_into_list(item, inner, step, rest, value);
    }
    let inner = match shape {
        Shape::Map(inner) => &**inner,
        Shape::Uncertain => shape,
        _ => match shape.field(step) {
            Some((field, _)) => &field.shape,
            None => return Err(format!("there is no key \"{step}\"")),
        },
    };
    let table = item
        .as_table_like_mut()
        .ok_or_else(|| format!("\"{step}\" is set inside of what is no table"))?;
    let there = (table.iter())
        .map(|(key, _)| key.to_owned())
        .find(|key| shape.canonical(key) == shape.canonical(step));
    let key = there.unwrap_or_else(|| step.clone());
    if !table.contains_key(&key) {
        let empty = match (inner, rest.is_empty()) {
            (_, true) => Item::None,
            (Shape::List(_), false) => Item::ArrayOfTables(ArrayOfTables::new()),
            _ => Item::Value(TomlValue::InlineTable(InlineTable::new())),
        };
        if rest.is_empty() {
            table.insert(&key, Item::Value(value));
            return Ok(());
        }
        table.insert(&key, empty);
    }
    match table.get_mut(&key) {
        Some(next) => insert(next, inner, rest, value),
        None => Err(format!("\"{step}\" could not be added")),
    }
}

fn insert_into_list(
    item: &mut Item,
    inner: &Shape,
    step: &str,
    rest: &[String],
    value: TomlValue,
) -> Result<(), String> {
    match item {
        Item::ArrayOfTables(list) => {
            let name_of = |table: &Table| table.get("name")?.as_str().map(str::to_owned);
            let names: Vec<Option<String>> = list.iter().map(name_of).collect();
            let at = place_in_list(&names, step).unwrap_or_else(|| {
                let mut table = Table::new();
                table.insert("name", toml_edit::value(step));
                list.push(table);
                list.len() - 1
            });
            let Some(table) = list.get_mut(at) else {
                return Err(format!("there is no \"{step}\""));
            };
            // A table is moved out and in again, since what adds to it takes any kind of item.
            let mut taken = Item::Table(std::mem::take(table));
            let added = insert(&mut taken, inner, rest, value);
            if let Item::Table(filled) = taken {
                *table = filled;
            }
            added
        }
        Item::Value(TomlValue::Array(list)) => {
            let name_of = |value: &TomlValue| {
                value
                    .as_inline_table()?
                    .get("name")?
                    .as_str()
                    .map(str::to_owned)
            };
            let names: Vec<Option<String>> = list.iter().map(name_of).collect();
            let at = place_in_list(&names, step).unwrap_or_else(|| push_named(list, step));
            let Some(there) = list.get_mut(at) else {
                return Err(format!("there is no \"{step}\""));
            };
            let decor = there.decor().clone();
            let mut taken = Item::Value(there.clone());
            insert(&mut taken, inner, rest, value)?;
            if let Item::Value(mut filled) = taken {
                *filled.decor_mut() = decor;
                *there = filled;
            }
            Ok(())
        }
        _ => Err(format!("\"{step}\" is set inside of what is no list")),
    }
}

/// Where an entry of that name or position stands in a list.
fn place_in_list(names: &[Option<String>], step: &str) -> Option<usize> {
    let named = names.iter().position(|name| name.as_deref() == Some(step));
    named.or_else(|| step.parse().ok().filter(|at| *at < names.len()))
}

fn push_named(list: &mut Array, name: &str) -> usize {
    let mut table = InlineTable::new();
    table.insert("name", name.into());
    list.push(table);
    list.len() - 1
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FILE: &str = r#"# The plan of the north campus.
name = "north"   # as in the permit
start = "2025-01"
horizon = "3 years"

# Published: operator's report, table 2.
[[campuses]]
name = "North"
pue = { pert = [1.2, 1.3, 1.5] } # assumption
grid = [
    { name = "110 kV", power = "40 MW", wait = "24 months" }, # offer of March
]

# nothing below
"#;

    fn edited(text: &str, changes: &[(&str, &str)]) -> Result<Edited, ScenarioError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("north.toml");
        fs::write(&path, text).unwrap();
        fs::write(folder.path().join("base.toml"), FILE).unwrap();
        let changes: Vec<(String, String)> = (changes.iter())
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let edited = Scenario::edited(&path, &changes);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            text,
            "the file is left alone"
        );
        edited
    }

    #[test]
    fn a_value_is_replaced_where_it_stands_and_all_else_stays() {
        let changed = edited(
            FILE,
            &[
                ("campuses.North.pue", "1.25"),
                ("campuses.North.grid.110 kV.wait", "36 months"),
                ("campuses.North.grid.\"110 kV\".power_mw", "50"),
            ],
        )
        .unwrap();
        let expected = FILE
            .replace("{ pert = [1.2, 1.3, 1.5] }", "1.25")
            .replace("\"24 months\"", "\"36 months\"")
            .replace("power = \"40 MW\"", "power_mw = 50");
        assert_eq!(changed.text, expected);
        assert_eq!(
            changed.loaded.scenario.campuses[0].grid[0].power_mw,
            50.0.into()
        );
    }

    #[test]
    fn what_is_not_there_is_added_to_its_table() {
        let changed = edited(
            FILE,
            &[
                ("standard_rack_power", "3 kW"),
                ("campuses.North.availability", "0.99"),
            ],
        )
        .unwrap();
        assert_eq!(changed.loaded.scenario.standard_rack_power_kw, 3.0);
        for comment in FILE.lines().filter(|line| line.contains('#')) {
            assert!(
                changed.text.contains(comment),
                "{comment}\n{}",
                changed.text
            );
        }
        let over = edited(
            "extends = \"base.toml\" # the plan\nname = \"late\"\n",
            &[("campuses.North.grid.110 kV.wait", "40 months")],
        )
        .unwrap();
        assert!(
            over.text
                .starts_with("extends = \"base.toml\" # the plan\n")
        );
        let wait = &over.loaded.scenario.campuses[0].grid[0].wait_months;
        assert_eq!(wait.constant(), Some(40.0), "{}", over.text);
    }

    #[test]
    fn what_is_wrong_is_refused_with_what_would_be_right() {
        let reported = |key, value| edited(FILE, &[(key, value)]).unwrap_err().to_string();
        assert!(reported("campuses.Noth.pue", "1.2").contains("did you mean \"North\"?"));
        assert!(reported("campuses.North.peu", "1.2").contains("did you mean \"pue\"?"));
        assert!(reported("campuses.North.pue", "0.5").contains("1 or more"));
        assert!(reported("campuses.North", "1").contains("one by one"));
        assert!(reported("name.first", "x").contains("inside of a text"));
    }
}
