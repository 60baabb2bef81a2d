//! The tables that hold lists: found by dotted keys, or by the ends of such keys.

use crate::file::merge::entry_of;
use crate::file::node::{Node, Place, Value};
use crate::file::shape::Shape;

fn item_shape<'s>(shape: &'s Shape, key: &str) -> Option<&'s Shape> {
    match &shape.field(key)?.0.shape {
        Shape::List(item) if matches!(**item, Shape::Table(_)) => Some(item),
        _ => None,
    }
}

fn at_step<'n>(items: &'n [Node], step: &str) -> Option<usize> {
    let named = items
        .iter()
        .position(|item: &'n Node| item.name() == Some(step));
    named.or_else(|| step.parse().ok().filter(|at| *at < items.len()))
}

/// Whether the steps lead to a table that may hold a list of that key.
pub(super) fn holds(node: Option<&Node>, shape: &Shape, steps: &[String], key: &str) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return item_shape(shape, key).is_some();
    };
    match shape {
        Shape::Table(_) => {
            let Some((field, _)) = shape.field(step) else {
                return false;
            };
            let inner = node.and_then(|node| node.entry(&field.key));
            holds(inner.map(|entry| &entry.node), &field.shape, rest, key)
        }
        Shape::List(item) => match node.map(|node| &node.value) {
            Some(Value::List(items)) => {
                at_step(items, step).is_some_and(|at| holds(Some(&items[at]), item, rest, key))
            }
            _ => false,
        },
        _ => false,
    }
}

/// All tables that may hold a list of that key.
pub(super) fn collect_owners(
    node: Option<&Node>,
    shape: &Shape,
    path: &mut Vec<String>,
    key: &str,
    owners: &mut Vec<Vec<String>>,
) {
    let Shape::Table(fields) = shape else { return };
    if item_shape(shape, key).is_some() {
        owners.push(path.clone());
    }
    for field in fields {
        let inner = node
            .and_then(|node| node.entry(&field.key))
            .map(|entry| &entry.node);
        path.push(field.key.clone());
        match (&field.shape, inner.map(|node| &node.value)) {
            (Shape::Table(_), _) => collect_owners(inner, &field.shape, path, key, owners),
            (Shape::List(item), Some(Value::List(items))) if item.field("name").is_some() => {
                for (position, node) in items.iter().enumerate() {
                    let name = node
                        .name()
                        .map_or_else(|| position.to_string(), str::to_owned);
                    path.push(name);
                    collect_owners(Some(node), item, path, key, owners);
                    path.pop();
                }
            }
            _ => {}
        }
        path.pop();
    }
}

/// The list of that key in the table that the steps lead to, which is made if it is not there, and the shape of its entries.
pub(super) fn items_at<'n>(
    root: &'n mut Node,
    steps: &[String],
    key: &str,
    place: &Place,
) -> Option<(&'n mut Vec<Node>, &'static Shape)> {
    let (mut node, mut shape): (&mut Node, &'static Shape) = (root, Shape::scenario());
    for step in steps.iter().map(String::as_str).chain([key]) {
        match (shape, &mut node.value) {
            (Shape::Table(_), Value::Table(entries)) => {
                let (field, _) = shape.field(step)?;
                node = &mut entry_of(entries, shape, step, &field.shape, place).node;
                shape = &field.shape;
            }
            (Shape::List(item), Value::List(items)) => {
                let at = at_step(items, step)?;
                node = &mut items[at];
                shape = item;
            }
            _ => return None,
        }
    }
    match (shape, &mut node.value) {
        (Shape::List(item), Value::List(items)) => Some((items, item)),
        _ => None,
    }
}
