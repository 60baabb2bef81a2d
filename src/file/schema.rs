//! The JSON Schema of scenario files: that of the structs, and what a file may say beyond them.

use serde_json::{Map, Value as Json, json};

use super::named::DISTRIBUTIONS;
use super::presets::PRESET;
use super::shape;
use crate::field::Measure;
use crate::presets;

/// The schema by which editors complete and check a scenario file.
pub(super) fn of_files() -> Json {
    let mut schema = shape::schema().to_value();
    let required = schema["required"].take();
    let mut lists = Vec::new();
    widen(&mut schema, &mut lists);
    for (definition, list) in lists {
        if let Some(Json::Object(definition)) = schema.pointer_mut(&definition) {
            may_be_preset(definition, &list);
        }
    }
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), json!("buildout scenario"));
        if let Some(properties) = root.get_mut("properties").and_then(Json::as_object_mut) {
            let extends = json!({
                "type": "string",
                "description": "Another scenario file, relative to this one's folder, of which this one says only what differs.",
            });
            properties.insert("extends".into(), extends);
            let distributions = json!({
                "type": "object",
                "description": "Distributions by name, for `{ named = \"…\" }` wherever a quantity may be uncertain.",
                "additionalProperties": { "type": ["number", "string", "object"] },
            });
            properties.insert(DISTRIBUTIONS.into(), distributions);
        }
        // What is required may be in the file that is extended.
        let whole: Vec<Json> = (required.as_array().into_iter().flatten())
            .map(|key| match key.as_str().and_then(Measure::shortened) {
                Some(short) => json!({"anyOf": [{"required": [key]}, {"required": [short]}]}),
                None => json!({"required": [key]}),
            })
            .collect();
        root.remove("required");
        root.insert("if".into(), json!({"not": {"required": ["extends"]}}));
        root.insert("then".into(), json!({"allOf": whole}));
    }
    schema
}

/// Lets keys go without their unit, values carry one, and lists be read from tables; notes which
/// definition stands in which list.
fn widen(schema: &mut Json, lists: &mut Vec<(String, String)>) {
    let Json::Object(object) = schema else {
        return;
    };
    if let Some(Json::Object(definitions)) = object.get_mut("$defs") {
        for definition in definitions.values_mut() {
            widen(definition, lists);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Json::Array(choices)) = object.get_mut(key) {
            for choice in choices {
                widen(choice, lists);
            }
        }
    }
    if object.get("x-buildout").is_some() {
        return;
    }
    let Some(Json::Object(properties)) = object.get_mut("properties") else {
        return;
    };
    let mut widened = Map::new();
    for (key, mut property) in std::mem::take(properties) {
        widen(&mut property, lists);
        if shape::measure_of(&key, &property).is_some() {
            may_carry_unit(&mut property);
        }
        if let Some(short) = Measure::shortened(&key) {
            widened.insert(short.to_owned(), property.clone());
        }
        if let Some(definition) = property["items"]["$ref"].as_str() {
            lists.push((definition.trim_start_matches('#').to_owned(), key.clone()));
            let table = json!({
                "type": "string",
                "description": "A table of comma-separated values whose rows are appended to the list.",
            });
            widened.insert(format!("{key}_from"), table);
        }
        widened.insert(key, property);
    }
    *properties = widened;
    // A file that extends another says only what differs.
    if let Some(Json::Array(required)) = object.get_mut("required") {
        required.retain(|key| key == "name");
    }
}

/// What stands in a named list may be a preset, or be taken away.
fn may_be_preset(definition: &mut Map<String, Json>, list: &str) {
    let Some(Json::Object(properties)) = definition.get_mut("properties") else {
        return;
    };
    if !properties.contains_key("name") {
        return;
    }
    properties.insert(
        "remove".into(),
        json!({
            "type": "boolean",
            "description": "Takes the entry of that name away from the file that is extended.",
        }),
    );
    let names: Vec<&str> = presets::all()
        .filter(|preset| preset.list == list)
        .map(|preset| preset.name)
        .collect();
    if names.is_empty() {
        return;
    }
    properties.insert(
        PRESET.into(),
        json!({
            "enum": names,
            "description": "A preset whose values are taken; what stands beside it replaces them.",
        }),
    );
    definition.remove("required");
    definition.insert(
        "anyOf".into(),
        json!([{"required": ["name"]}, {"required": [PRESET]}]),
    );
}

/// A number may be a text with a unit.
fn may_carry_unit(property: &mut Json) {
    let Some(kind) = property.get_mut("type") else {
        return;
    };
    let mut kinds = match kind.take() {
        Json::Array(kinds) => kinds,
        other => vec![other],
    };
    if kinds
        .iter()
        .any(|kind| kind == "number" || kind == "integer")
    {
        kinds.push(json!("string"));
    }
    *kind = match kinds.as_slice() {
        [only] => only.clone(),
        _ => Json::Array(kinds),
    };
    if let Some(object) = property.as_object_mut()
        && object.get("format").is_some()
    {
        object.remove("format");
    }
}
