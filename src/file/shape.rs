//! What a scenario file may hold, from the schema of the structs.

use std::sync::LazyLock;

use schemars::Schema;
use serde_json::Value as Json;

use crate::field::Measure;
use crate::problem::nearest;
use crate::scenario::Scenario;
pub(super) use crate::uncertain::FORMS;

/// What a value may be.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Uncertain,
    Date,
    Redundancy,
    Number,
    /// A whole number from the first to the second.
    Whole(u64, u64),
    Text,
    Boolean,
    /// One of these texts.
    Choice(Vec<String>),
    List(Box<Shape>),
    Table(Vec<Field>),
    /// Keys of the planner's own, each with a value of one shape.
    Map(Box<Shape>),
    /// A text or one of some texts, or the other.
    TextOr(Box<Shape>, Box<Shape>),
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) is_required: bool,
    /// What its numbers measure; none where they have no unit.
    pub(super) measure: Option<&'static Measure>,
    pub(super) shape: Shape,
    /// What it means, as the schema says it.
    #[cfg_attr(not(feature = "excel"), allow(dead_code))]
    pub(super) description: String,
    /// Its unit and what it may be, as the schema says it; empty where it measures nothing.
    #[cfg_attr(not(feature = "excel"), allow(dead_code))]
    pub(super) quantity: String,
}

impl Shape {
    /// The shape of a scenario.
    pub(super) fn scenario() -> &'static Self {
        static SCENARIO: LazyLock<Shape> = LazyLock::new(|| Shape::of_schema(&schema()));
        &SCENARIO
    }

    /// The shape of what has that schema.
    pub(super) fn of_schema(schema: &Schema) -> Self {
        let root = schema.as_value();
        Self::of(root, root)
    }

    /// The field that a key of a table means, and whether it was written without its unit.
    pub(super) fn field(&self, key: &str) -> Option<(&Field, bool)> {
        let Self::Table(fields) = self else {
            return None;
        };
        let exact = fields
            .iter()
            .find(|field| field.key == key)
            .map(|field| (field, false));
        exact.or_else(|| {
            let shortened = |field: &&Field| Measure::shortened(&field.key) == Some(key);
            fields.iter().find(shortened).map(|field| (field, true))
        })
    }

    /// The key by which a field is known, whether its unit was written or not.
    pub(super) fn canonical<'a>(&'a self, key: &'a str) -> &'a str {
        self.field(key).map_or(key, |(field, _)| &field.key)
    }

    /// What to say of a key that a table does not have, and which are right.
    pub(super) fn no_key(&self, wrong: &str) -> (String, String) {
        let fields = match self {
            Self::Table(fields) => fields.as_slice(),
            _ => &[],
        };
        let known = fields.iter().map(|field| field.key.as_str());
        (format!("there is no key \"{wrong}\""), one_of(wrong, known))
    }

    fn of(schema: &Json, root: &Json) -> Self {
        match schema.get("x-buildout").and_then(Json::as_str) {
            Some("uncertain") => return Self::Uncertain,
            Some("date") => return Self::Date,
            Some("redundancy") => return Self::Redundancy,
            _ => {}
        }
        if let Some(name) = schema.get("$ref").and_then(Json::as_str) {
            let target = name
                .strip_prefix('#')
                .and_then(|pointer| root.pointer(pointer));
            return Self::of(
                target.expect("the schema refers to its own definitions"),
                root,
            );
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(choices) = schema.get(key).and_then(Json::as_array) {
                return Self::one_of(choices, root);
            }
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        match kinds.iter().find(|kind| **kind != "null").copied() {
            Some("number") => Self::Number,
            Some("integer") => {
                let least = schema.get("minimum").and_then(Json::as_u64).unwrap_or(0);
                let most = match schema.get("format").and_then(Json::as_str) {
                    Some("uint32") => u64::from(u32::MAX),
                    _ => u64::MAX,
                };
                let most = schema.get("maximum").and_then(Json::as_u64).unwrap_or(most);
                Self::Whole(least, most)
            }
            Some("boolean") => Self::Boolean,
            Some("array") => Self::List(Box::new(Self::of(&schema["items"], root))),
            Some("object") => Self::table(schema, root),
            _ => Self::Text,
        }
    }

    fn one_of(choices: &[Json], root: &Json) -> Self {
        let choices: Vec<&Json> = choices
            .iter()
            .filter(|choice| choice["type"] != "null")
            .collect();
        let names: Vec<String> = choices
            .iter()
            .filter_map(|choice| Some(choice.get("const")?.as_str()?.to_owned()))
            .collect();
        if names.len() == choices.len() {
            return Self::Choice(names);
        }
        let shapes: Vec<Self> = choices
            .iter()
            .map(|choice| Self::of(choice, root))
            .collect();
        match <[Self; 2]>::try_from(shapes) {
            Ok([text @ (Self::Text | Self::Choice(_)), other]) => {
                Self::TextOr(Box::new(text), Box::new(other))
            }
            Err(mut shapes) if shapes.len() == 1 => shapes.remove(0),
            _ => unreachable!("no struct of a scenario has a schema of another form"),
        }
    }

    fn table(schema: &Json, root: &Json) -> Self {
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
            return Self::Map(Box::new(Self::of(&schema["additionalProperties"], root)));
        };
        let required: Vec<&str> = (schema.get("required").and_then(Json::as_array))
            .map(|names| names.iter().filter_map(Json::as_str).collect())
            .unwrap_or_default();
        let fields = properties.iter().map(|(key, property)| Field {
            key: key.clone(),
            is_required: required.contains(&key.as_str()),
            measure: measure_of(key, property),
            shape: Self::of(property, root),
            description: property["description"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            quantity: quantity_words(property).unwrap_or_default(),
        });
        Self::Table(fields.collect())
    }
}

/// Unit and range of a number, such as `months: 0 or more; usually 1 to 3`; none for what measures nothing.
pub(super) fn quantity_words(property: &Json) -> Option<String> {
    let quantity = property.get("x-quantity")?;
    let unit = match (quantity["unit"].as_str(), quantity["measure"].as_str()) {
        (Some(unit), _) => format!(", {unit}"),
        (None, Some("a share")) => ", share".to_owned(),
        _ => String::new(),
    };
    let domain = quantity["domain"].as_str().unwrap_or_default();
    let usual = match quantity["usual"].as_str() {
        Some(usual) => format!("; usually {usual}"),
        None => String::new(),
    };
    Some(format!("{unit}: {domain}{usual}"))
}

/// What the numbers of a property measure, as its plan says.
pub(super) fn measure_of(key: &str, property: &Json) -> Option<&'static Measure> {
    let Some(quantity) = property.get("x-quantity") else {
        return Measure::of(key);
    };
    let name = quantity["measure"].as_str()?;
    Measure::named(name, quantity["unit"].as_str()).filter(|measure| measure.has_units())
}

/// The position of a parameter in the list form of its distribution.
pub(super) fn parameter_position(distribution: &str, parameter: &str) -> Option<usize> {
    let (.., names) = FORMS.iter().find(|(name, ..)| *name == distribution)?;
    names.iter().position(|name| *name == parameter)
}

/// The nearest right name; all of them if none is near.
pub(super) fn one_of<'a>(wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(wrong, known.clone()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("allowed: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The JSON Schema of the scenario file.
pub(super) fn schema() -> Schema {
    schemars::schema_for!(Scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_scenario_follows_its_structs() {
        let shape = Shape::scenario();
        let (campuses, _) = shape.field("campuses").unwrap();
        assert!(campuses.is_required);
        let Shape::List(campus) = &campuses.shape else {
            panic!("a list")
        };
        assert!(matches!(
            campus.field("pue").unwrap().0.shape,
            Shape::Uncertain
        ));
        let (horizon, is_shortened) = shape.field("horizon").unwrap();
        assert!(is_shortened && horizon.key == "horizon_months");
        assert!(matches!(horizon.shape, Shape::Whole(0, 4_294_967_295)));
        assert_eq!(
            shape.canonical("standard_rack_power"),
            "standard_rack_power_kw"
        );
    }
}
