//! Distributions by name: `{ named = "…" }` stands for the one of that name in the table `distributions` of the file or a
//! file that it extends, or for the duration of a preset of activities.

use super::merge::Misfit;
use super::node::{Entry, Node, Value, put_at};
use super::presets;
use crate::problem::name_help;

/// The table of distributions that a file names.
pub(super) const DISTRIBUTIONS: &str = "distributions";
/// The key that names a distribution.
pub(super) const NAMED: &str = "named";
/// The presets whose durations have names of their own.
const ACTIVITIES: &str = "activities";

/// Puts distributions where they are named, and takes the table of them away.
pub(super) fn resolve(root: &mut Node, misfits: &mut Vec<Misfit>) {
    let Value::Table(entries) = &mut root.value else {
        return;
    };
    let position = entries.iter().position(|entry| entry.key == DISTRIBUTIONS);
    let stated = position.map(|position| entries.remove(position).node);
    let known = match stated.map(|node| (node.shown(), node.place, node.value)) {
        None => Vec::new(),
        Some((_, _, Value::Table(known))) => known,
        Some((shown, place, _)) => {
            misfits.push(Misfit {
                place,
                message: format!("{shown} names no distributions"),
                help: "a table: [distributions], then NAME = DISTRIBUTION".to_owned(),
            });
            return;
        }
    };
    for entry in entries {
        put_in(&mut entry.node, &known, misfits);
    }
}

fn put_in(node: &mut Node, known: &[Entry], misfits: &mut Vec<Misfit>) {
    match &mut node.value {
        Value::List(items) => {
            for item in items {
                put_in(item, known, misfits);
            }
        }
        Value::Table(entries) => {
            if let [
                Entry {
                    key, node: name, ..
                },
            ] = entries.as_slice()
                && key == NAMED
                && let Value::Text(text) = &name.value
            {
                match distribution(text, name, known) {
                    Ok(found) => *node = found,
                    Err(misfit) => misfits.push(misfit),
                }
                return;
            }
            for entry in entries {
                put_in(&mut entry.node, known, misfits);
            }
        }
        _ => {}
    }
}

/// The distribution of that name, as if it stood where it is named.
fn distribution(name: &str, named: &Node, known: &[Entry]) -> Result<Node, Misfit> {
    if let Some(entry) = known.iter().find(|entry| entry.key == name) {
        let mut found = entry.node.clone();
        put_at(&mut found, &named.place);
        return Ok(found);
    }
    let of_preset = presets::values(named, ACTIVITIES).ok();
    let duration = of_preset.and_then(|(_, node)| match node.value {
        Value::Table(entries) => entries
            .into_iter()
            .find(|entry| entry.key == "duration_months"),
        _ => None,
    });
    duration.map(|entry| entry.node).ok_or_else(|| {
        let own = known.iter().map(|entry| entry.key.as_str());
        let shipped = crate::presets::all().filter(|preset| preset.list == ACTIVITIES);
        Misfit {
            place: named.place.clone(),
            message: format!("there is no distribution \"{name}\""),
            help: name_help(name, own.chain(shipped.map(|preset| preset.name))),
        }
    })
}
