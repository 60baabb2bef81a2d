//! The reference: every key of a scenario file, every input of a trial and every metric, in Markdown, from the plans
//! and the table of metrics themselves.

use std::fmt::Write;

use serde_json::{Map, Value as Json};

use super::shape;
use crate::projection::metrics::{METRICS, MetricId};

/// The reference as Markdown.
pub(super) fn markdown() -> String {
    let schema = shape::schema().to_value();
    let tables = tables(&schema);
    let mut page = format!("{HEAD}{TO_SAY}{KEYS}");
    for (name, table) in &tables {
        write_definition(&mut page, name, table, &schema["$defs"]);
    }
    write_inputs(&mut page, &tables);
    write_metrics(&mut page);
    page
}

const HEAD: &str = "\
# Reference

Made from the source by `buildout schema --reference`, and held to it by a test. What stands between the keys is \
explained in the [guide](guide.md), and what is computed from them in [the model](model.md).

- [How to say it](#how-to-say-it): distributions, and what is written for what
- [Keys](#keys) of a scenario file, table by table
- [Inputs](#inputs) of a trial, by which correlations and sensitivities name them
- [Metrics](#metrics) that are reported month by month

";

/// What planners want to say, and how they write it.
const TO_SAY: &str = include_str!("to_say.md");

const KEYS: &str = "\
## Keys

A key may be written without its unit if its value carries one (`power = \"12 MW\"` for `power_kw = 12_000`). Where a \
number may be uncertain, a distribution may stand in its place.

";

type Table<'a> = &'a Map<String, Json>;

/// The scenario and all that its keys refer to, each once, in the order in which it is met; but for what is described by
/// a word, such as a date.
fn tables(schema: &Json) -> Vec<(String, Table<'_>)> {
    let mut found: Vec<(String, Table<'_>)> = Vec::new();
    let root = schema.as_object().expect("the schema of a struct");
    let mut waiting = vec![("Scenario".to_owned(), root)];
    while !waiting.is_empty() {
        let mut inner = Vec::new();
        for (name, table) in waiting {
            if found.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let of_keys = properties(table).flat_map(|(_, property)| references(property));
            for name in of_keys.chain(alternatives(table).flat_map(references)) {
                let definition = schema["$defs"][name].as_object();
                inner.extend(definition.map(|table| (name.to_owned(), table)));
            }
            if !table.contains_key("x-buildout") {
                found.push((name, table));
            }
        }
        waiting = inner;
    }
    found
}

/// What may stand in one place: one of several values, or a text or a table.
fn alternatives(table: Table<'_>) -> impl Iterator<Item = &Json> {
    let of = |key: &str| {
        table
            .get(key)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
    };
    of("anyOf").chain(of("oneOf"))
}

fn properties(table: Table<'_>) -> impl Iterator<Item = (&String, &Json)> {
    let all = table.get("properties").and_then(Json::as_object);
    all.into_iter().flatten()
}

/// The names of the definitions that a property refers to.
fn references(property: &Json) -> Vec<&str> {
    let mut names = Vec::new();
    if let Some(name) = property["$ref"].as_str() {
        names.push(name.trim_start_matches("#/$defs/"));
    }
    names.extend(property.get("items").into_iter().flat_map(references));
    for choices in ["anyOf", "oneOf"] {
        let choices = property.get(choices).and_then(Json::as_array);
        names.extend(choices.into_iter().flatten().flat_map(references));
    }
    names
}

fn write_definition(page: &mut String, name: &str, table: Table<'_>, definitions: &Json) {
    let about = description(table.get("description"));
    let _ = writeln!(page, "### {name}\n\n{about}\n");
    if properties(table).next().is_some() {
        write_keys(page, table, definitions);
    } else {
        write_alternatives(page, table, definitions);
    }
    page.push('\n');
}

fn write_keys(page: &mut String, table: Table<'_>, definitions: &Json) {
    let required = table.get("required").and_then(Json::as_array);
    let is_required = |key: &str| required.is_some_and(|keys| keys.iter().any(|one| one == key));
    page.push_str("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for (key, property) in properties(table) {
        let default = match property.get("default") {
            _ if is_required(key) => "required".to_owned(),
            Some(Json::String(text)) => format!("`\"{text}\"`"),
            Some(value) if !value.is_null() => format!("`{value}`"),
            _ => String::new(),
        };
        let _ = writeln!(
            page,
            "| `{key}` | {} | {default} | {} |",
            value_of(property, definitions),
            description(property.get("description")),
        );
    }
}

fn write_alternatives(page: &mut String, table: Table<'_>, definitions: &Json) {
    page.push_str("| value | meaning |\n| --- | --- |\n");
    for one in alternatives(table) {
        let value = match one["const"].as_str() {
            Some(text) => format!("`\"{text}\"`"),
            None => kind_of(one, definitions),
        };
        let _ = writeln!(
            page,
            "| {value} | {} |",
            description(one.get("description"))
        );
    }
}

/// What may stand for a key: its type, with unit and range where it is a number.
fn value_of(property: &Json, definitions: &Json) -> String {
    let quantity = shape::quantity_words(property).unwrap_or_default();
    format!("{}{quantity}", kind_of(property, definitions))
}

fn kind_of(property: &Json, definitions: &Json) -> String {
    if let Some(special) = property["x-buildout"].as_str() {
        return special.to_owned();
    }
    if let [name] = references(property).as_slice() {
        let list = if property["type"] == "array" {
            "list of "
        } else {
            ""
        };
        return match definitions[name]["x-buildout"].as_str() {
            Some(word) if list.is_empty() => word.to_owned(),
            Some(word) => format!("{list}{word}s"),
            None => format!("{list}[{name}](#{})", name.to_lowercase()),
        };
    }
    let kinds: Vec<&str> = match &property["type"] {
        Json::String(kind) => vec![kind],
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    match kinds.iter().find(|kind| **kind != "null") {
        Some(&"array") => format!("list of {}s", kind_of(&property["items"], definitions)),
        Some(&"object") => "table".to_owned(),
        Some(&"string") => "text".to_owned(),
        Some(&"integer") => "whole number".to_owned(),
        Some(kind) => (*kind).to_owned(),
        None => "text or table".to_owned(),
    }
}

/// On one line, and without what would end a cell.
fn description(text: Option<&Json>) -> String {
    let text = text.and_then(Json::as_str).unwrap_or_default();
    // The first paragraph says what it is; diagrams and formulas follow.
    let first = text.split("\n\n").next().unwrap_or_default();
    without_links(&first.replace('\n', " ").replace('|', "\\|"))
}

/// Names of items stay as code; what the page of the crate's documentation links them to does not.
fn without_links(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, linked)) = rest.split_once("[`") {
        let Some((name, after)) = linked.split_once("`]") else {
            break;
        };
        plain.push_str(before);
        let _ = write!(plain, "`{name}`");
        let target = after
            .strip_prefix('(')
            .and_then(|target| target.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

fn write_inputs(page: &mut String, tables: &[(String, Table<'_>)]) {
    page.push_str(INPUTS);
    for (name, table) in tables {
        let Some(scope) = table.get("x-inputs").and_then(Json::as_str) else {
            continue;
        };
        for (key, property) in properties(table) {
            let quantity = &property["x-quantity"];
            let input = match quantity["input"].as_str() {
                Some("") => scope.to_owned(),
                Some(input) => format!("{scope}/{input}"),
                None => continue,
            };
            let _ = writeln!(
                page,
                "| `{input}` | [{name}](#{}) | `{key}` |",
                name.to_lowercase()
            );
        }
    }
    page.push('\n');
}

const INPUTS: &str = "\
## Inputs

What is drawn once a trial has a name. Words in capitals stand for names of the scenario. A quantity that is known is \
not drawn, and has no place among the inputs of a model (`buildout trials` shows those that it has).

| input | table | key |
| --- | --- | --- |
";

fn write_metrics(page: &mut String) {
    page.push_str(
        "## Metrics\n\nAt the end of each month, for each campus and in total. Scenarios with stages, vouchers, segments \
         with prices or metrics of their own report more, each with its unit and meaning in the results.\n\n\
         | metric | unit | meaning | reported |\n| --- | --- | --- | --- |\n",
    );
    for metric in MetricId::ALL {
        let label = &METRICS[*metric as usize];
        let when = match metric.feature() {
            Some(feature) => feature.describe(),
            None => "always",
        };
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {when} |",
            label.name, label.unit, label.meaning
        );
    }
}
