//! Presets by name: a table with `preset = "…"` stands for the preset's values, over which whatever
//! else it says is laid.

use toml_edit::ser::to_document;

use super::merge::Misfit;
use super::node::{Entry, Node, Place, Value, parse, put_at};
use super::shape::Shape;
use crate::presets::{self, Preset};

/// The key that names a preset.
pub(super) const PRESET: &str = "preset";

/// A preset and where it was named.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) place: Place,
    pub(super) preset: &'static Preset,
}

/// Puts the values of presets where they are named.
pub(super) fn expand(
    node: &mut Node,
    shape: &Shape,
    used: &mut Vec<Used>,
    misfits: &mut Vec<Misfit>,
) {
    let Value::Table(entries) = &mut node.value else {
        return;
    };
    for entry in entries {
        let Some((field, _)) = shape.field(&entry.key) else {
            continue;
        };
        match (&field.shape, &mut entry.node.value) {
            (Shape::List(item), Value::List(items)) => {
                for node in items {
                    expand_item(node, item, &field.key, used, misfits);
                }
            }
            (inner, _) => expand(&mut entry.node, inner, used, misfits),
        }
    }
}

fn expand_item(
    node: &mut Node,
    shape: &Shape,
    list: &str,
    used: &mut Vec<Used>,
    misfits: &mut Vec<Misfit>,
) {
    // What the planner wrote may name presets in turn; those of a preset never do.
    expand(node, shape, used, misfits);
    let Value::Table(entries) = &mut node.value else {
        return;
    };
    if shape.field(PRESET).is_some() {
        return;
    }
    let Some(position) = entries.iter().position(|entry| entry.key == PRESET) else {
        return;
    };
    let named = entries.remove(position).node;
    match values(&named, list) {
        Ok((preset, mut base)) => {
            used.push(Used {
                place: named.place.clone(),
                preset,
            });
            let over = std::mem::replace(node, Node::empty_table(named.place.clone()));
            let place = over.place.clone();
            lay_over(&mut base, over, shape);
            base.place = place;
            *node = base;
        }
        Err(misfit) => misfits.push(misfit),
    }
}

/// Whatever is written beside a preset replaces it whole: who writes activities means these.
fn lay_over(base: &mut Node, over: Node, shape: &Shape) {
    if let (Value::Table(base), Value::Table(over)) = (&mut base.value, over.value) {
        let is_in = |over: &[Entry], key: &str| {
            let canonical = shape.canonical(key);
            over.iter()
                .any(|entry| shape.canonical(&entry.key) == canonical)
        };
        base.retain(|entry| !is_in(&over, &entry.key));
        base.extend(over);
    }
}

pub(super) fn values(named: &Node, list: &str) -> Result<(&'static Preset, Node), Misfit> {
    let misfit = |message: String, help: String| Misfit {
        place: named.place.clone(),
        message,
        help,
    };
    let Value::Text(name) = &named.value else {
        return Err(misfit(
            format!("{} names no preset", named.shown()),
            "the name of a preset in quotes".to_owned(),
        ));
    };
    let preset = presets::find(list, name).map_err(|unknown| {
        let names: Vec<&str> = presets::all()
            .filter(|preset| preset.list == list)
            .map(|preset| preset.name)
            .collect();
        let help = match (unknown.nearest, names.is_empty()) {
            (Some(near), _) => format!("did you mean \"{near}\"?"),
            (None, true) => format!("there are no presets for {list}"),
            (None, false) => format!("there are: {}", names.join(", ")),
        };
        misfit(format!("there is no preset \"{name}\" for {list}"), help)
    })?;
    let text = to_document(&preset.part())
        .map_err(|error| misfit(format!("preset \"{name}\": {error}"), String::new()))?
        .to_string();
    let mut node = parse(&text, named.place.text).map_err(|error| {
        misfit(
            format!("preset \"{name}\": {}", error.message),
            String::new(),
        )
    })?;
    put_at(&mut node, &named.place);
    Ok((preset, node))
}

impl Node {
    fn empty_table(place: Place) -> Self {
        Self {
            place,
            value: Value::Table(Vec::new()),
        }
    }
}
