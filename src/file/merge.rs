//! A file over the one that it extends, and single values set on top.

use super::node::{Entry, Node, Place, Value};
use super::shape::Shape;
use crate::problem::nearest;

/// Something that cannot be laid over what is there.
pub(super) struct Misfit {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) help: String,
}

/// Lays `over` on `base`: tables key by key, lists of named tables name by name, in which
/// `remove = true` takes an entry away; anything else replaces what was there.
pub(super) fn merge(base: &mut Node, over: Node, shape: &Shape, misfits: &mut Vec<Misfit>) {
    match (shape, &mut base.value, over.value) {
        (Shape::Table(_), Value::Table(entries), Value::Table(over)) => {
            for entry in over {
                merge_entry(entries, entry, shape, misfits);
            }
        }
        (Shape::Map(_), Value::Table(entries), Value::Table(over)) => {
            for entry in over {
                merge_entry(entries, entry, shape, misfits);
            }
        }
        (Shape::List(item), Value::List(items), Value::List(over))
            if item.field("name").is_some() && over.iter().all(|item| item.name().is_some()) =>
        {
            merge_named(items, over, item, misfits);
        }
        (_, base_value, over_value) => {
            *base_value = over_value;
            base.place = over.place;
        }
    }
}

fn merge_entry(entries: &mut Vec<Entry>, over: Entry, shape: &Shape, misfits: &mut Vec<Misfit>) {
    let canonical = shape.canonical(&over.key);
    let there = entries
        .iter_mut()
        .find(|entry| shape.canonical(&entry.key) == canonical);
    let inner = match shape {
        Shape::Map(inner) => Some(&**inner),
        _ => shape.field(&over.key).map(|(field, _)| &field.shape),
    };
    match (there, inner) {
        (Some(there), Some(inner)) => {
            there.key = over.key;
            there.key_place = over.key_place;
            merge(&mut there.node, over.node, inner, misfits);
        }
        // An unknown key; it is reported when the whole is read.
        (Some(there), None) => *there = over,
        (None, _) => entries.push(over),
    }
}

fn merge_named(items: &mut Vec<Node>, over: Vec<Node>, shape: &Shape, misfits: &mut Vec<Misfit>) {
    let mut seen: Vec<String> = Vec::new();
    for item in over {
        let name = item.name().unwrap_or_default().to_owned();
        let there = items.iter().position(|there| there.name() == Some(&name));
        let removes = item
            .entry("remove")
            .is_some_and(|entry| matches!(entry.node.value, Value::Boolean(true)));
        match there {
            Some(position) if removes => {
                items.remove(position);
            }
            None if removes => misfits.push(Misfit {
                place: item
                    .entry("remove")
                    .map_or(item.place.clone(), |e| e.key_place.clone()),
                message: format!("there is no \"{name}\" to remove"),
                help: nearest_name(&name, items),
            }),
            // Two of one name in one file are not one entry stated twice: left to the check to report.
            Some(position) if !seen.contains(&name) => {
                merge(&mut items[position], item, shape, misfits);
            }
            _ => items.push(item),
        }
        seen.push(name);
    }
}

fn nearest_name(wanted: &str, items: &[Node]) -> String {
    nearest_name_of(wanted, items.iter().filter_map(Node::name))
}

/// The nearest of the names that are there; some of them if none is near.
pub(super) fn nearest_name_of<'a>(
    wanted: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> String {
    match nearest(wanted, names.clone()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => {
            let names: Vec<&str> = names.take(12).collect();
            if names.is_empty() {
                "there is nothing in this list".to_owned()
            } else {
                format!("there are: {}", names.join(", "))
            }
        }
    }
}

/// The entry of a key, under the name that is given now; an empty one if it is not there yet.
pub(super) fn entry_of<'a>(
    entries: &'a mut Vec<Entry>,
    shape: &Shape,
    key: &str,
    inner: &Shape,
    place: &Place,
) -> &'a mut Entry {
    let canonical = shape.canonical(key);
    let there = (entries.iter()).position(|entry| shape.canonical(&entry.key) == canonical);
    let position = there.unwrap_or_else(|| {
        let empty = match inner {
            Shape::List(_) => Value::List(Vec::new()),
            _ => Value::Table(Vec::new()),
        };
        entries.push(Entry {
            key: key.to_owned(),
            key_place: place.clone(),
            node: Node {
                place: place.clone(),
                value: empty,
            },
        });
        entries.len() - 1
    });
    let entry = &mut entries[position];
    key.clone_into(&mut entry.key);
    entry
}

/// A step on the way to a value: a key of a table, or a name or position (from 0) in a list.
pub(super) struct Step {
    pub(super) name: String,
    pub(super) place: Place,
}

impl Step {
    /// Steps that were all written at one place.
    pub(super) fn all_at(names: &[String], place: &Place) -> Vec<Self> {
        let at = |name: &String| Self {
            name: name.clone(),
            place: place.clone(),
        };
        names.iter().map(at).collect()
    }
}

/// Puts `value` where `steps` lead to from `node`.
pub(super) fn set(
    node: &mut Node,
    shape: &Shape,
    steps: &[Step],
    value: Node,
) -> Result<(), Misfit> {
    let Some((Step { name: step, place }, rest)) = steps.split_first() else {
        *node = value;
        return Ok(());
    };
    let misfit = |message, help| {
        Err(Misfit {
            place: place.clone(),
            message,
            help,
        })
    };
    match (shape, &mut node.value) {
        (Shape::List(inner), Value::List(items)) => {
            let named = items.iter().position(|item| item.name() == Some(step));
            let position = named.or_else(|| step.parse().ok().filter(|at| *at < items.len()));
            match position {
                Some(position) => set(&mut items[position], inner, rest, value),
                None => misfit(
                    format!("there is no \"{step}\" in this list"),
                    nearest_name(step, items),
                ),
            }
        }
        (Shape::Table(_) | Shape::Map(_) | Shape::Uncertain, Value::Table(entries)) => {
            let inner = match (shape, shape.field(step)) {
                (Shape::Map(inner), _) => &**inner,
                (Shape::Uncertain, _) => &Shape::Uncertain,
                (_, Some((field, _))) => &field.shape,
                (_, None) => {
                    let (message, help) = shape.no_key(step);
                    return misfit(message, help);
                }
            };
            let entry = entry_of(entries, shape, step, inner, &value.place);
            set(&mut entry.node, inner, rest, value)
        }
        (_, there) => misfit(
            format!("\"{step}\" is set inside of {}", there.kind()),
            "a key of a table, or a name or position in a list".to_owned(),
        ),
    }
}
