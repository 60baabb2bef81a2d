//! From the values of a file to those of a scenario: keys, kinds, units and dates are checked, and
//! all that is wrong is noted before anything is refused.

use serde_json::{Map, Value as Json, json};

use super::node::{Entry, Node, Place, Text, Value};
use super::shape::{FORMS, Field, Shape, one_of};
use crate::date::Date;
use crate::field::{Measure, SHARE, UnitError};
use crate::power::{Redundancy, RedundancyError};
use crate::problem::{Path, Problem, Problems, Severity, with_thousands};
use crate::uncertain::{LISTS, describe_forms};

/// Reads a tree of values against a shape.
pub(super) struct Reader<'a> {
    texts: &'a [Text],
    pub(super) problems: Problems,
    /// Where something was wrong and a value was put in its stead, so that the rest can be checked.
    pub(super) stand_ins: Vec<Path>,
}

/// How a number is written at some place.
#[derive(Clone, Copy, Default)]
struct Numbers {
    measure: Option<&'static Measure>,
    /// The key was written without its unit, so that each value needs one.
    needs_unit: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(texts: &'a [Text]) -> Self {
        Self {
            texts,
            problems: Problems::new(),
            stand_ins: Vec::new(),
        }
    }

    pub(super) fn error(&mut self, place: &Place, at: &Path, message: String, help: String) {
        let location = self.texts[place.text].location(&(place.start..place.end));
        self.problems.push(Problem {
            severity: Severity::Error,
            path: at.clone(),
            message,
            help: (!help.is_empty()).then_some(help),
            location: Some(location),
        });
    }

    /// The scenario as JSON, complete even if something is wrong.
    pub(super) fn scenario(&mut self, node: &Node) -> Json {
        self.of_shape(node, Shape::scenario())
    }

    /// What has that shape as JSON, complete even if something is wrong.
    pub(super) fn of_shape(&mut self, node: &Node, shape: &Shape) -> Json {
        self.read(node, shape, Numbers::default(), &Path::root())
    }

    fn read(&mut self, node: &Node, shape: &Shape, numbers: Numbers, at: &Path) -> Json {
        match (shape, &node.value) {
            (Shape::Uncertain, _) => self.uncertain(node, numbers, at),
            (Shape::Number, _) => match self.number(node, numbers, at) {
                Some(number) => json!(number),
                None => self.stand_in(shape, at),
            },
            (Shape::Whole(least, most), _) => match self.whole(node, *least, *most, numbers, at) {
                Some(number) => json!(number),
                None => self.stand_in(shape, at),
            },
            (Shape::Text, Value::Text(text)) => json!(text),
            (Shape::Boolean, Value::Boolean(value)) => json!(value),
            (Shape::Date, Value::Text(text) | Value::Date(text)) => {
                // As it is written: what finished in a month did so on its last day.
                let date = text.parse::<Date>().map(|_| text.trim().to_owned());
                let date = date.map_err(|error| (error.to_string(), String::new()));
                self.written(date, node, shape, at)
            }
            (Shape::Redundancy, Value::Text(text)) => {
                let redundancy = text.parse::<Redundancy>().map(|known| known.to_string());
                let help = || RedundancyError::HELP.to_owned();
                let redundancy = redundancy.map_err(|error| (error.to_string(), help()));
                self.written(redundancy, node, shape, at)
            }
            (Shape::Choice(names), Value::Text(text)) => {
                self.written(choice(text, names), node, shape, at)
            }
            (Shape::List(inner), Value::List(items)) => {
                let items = items
                    .iter()
                    .enumerate()
                    .map(|(position, item)| self.read(item, inner, numbers, &at.index(position)));
                Json::Array(items.collect())
            }
            (Shape::Map(inner), Value::Table(entries)) => {
                let entries = entries.iter().map(|entry| {
                    let value = self.read(&entry.node, inner, numbers, &at.key(&entry.key));
                    (entry.key.clone(), value)
                });
                Json::Object(entries.collect())
            }
            (Shape::Table(fields), Value::Table(_)) => self.table(node, shape, fields, at),
            (Shape::TextOr(text, _), Value::Text(_)) => self.read(node, text, numbers, at),
            (Shape::TextOr(_, inner), Value::Table(_)) => self.read(node, inner, numbers, at),
            _ => {
                let message = format!("{} is {}", node.shown(), kind_of(node));
                self.error(
                    &node.place,
                    at,
                    message,
                    format!("{} belongs here", expected(shape)),
                );
                self.stand_in(shape, at)
            }
        }
    }

    /// A text in its canonical form, or what is wrong with it and what would be right.
    fn written(
        &mut self,
        text: Result<String, (String, String)>,
        node: &Node,
        shape: &Shape,
        at: &Path,
    ) -> Json {
        match text {
            Ok(text) => json!(text),
            Err((message, help)) => {
                self.error(&node.place, at, message, help);
                self.stand_in(shape, at)
            }
        }
    }

    fn table(&mut self, node: &Node, shape: &Shape, fields: &[Field], at: &Path) -> Json {
        let Value::Table(entries) = &node.value else {
            return Json::Null;
        };
        let mut read = Map::new();
        for entry in entries {
            let Some((field, is_shortened)) = shape.field(&entry.key) else {
                let known = fields.iter().map(|field| field.key.as_str());
                let message = format!("unknown key \"{}\"", entry.key);
                self.error(
                    &entry.key_place,
                    &at.key(&entry.key),
                    message,
                    one_of(&entry.key, known),
                );
                continue;
            };
            let at = at.key(&field.key);
            if read.contains_key(&field.key) {
                self.error(
                    &entry.key_place,
                    &at,
                    format!(
                        "\"{}\" is given twice, with and without its unit",
                        field.key
                    ),
                    "take one of them away".to_owned(),
                );
                continue;
            }
            let numbers = Numbers {
                measure: field.measure,
                needs_unit: is_shortened,
            };
            let value = self.read(&entry.node, &field.shape, numbers, &at);
            read.insert(field.key.clone(), value);
        }
        for field in fields {
            if field.is_required && !read.contains_key(&field.key) {
                let whose = node
                    .name()
                    .map(|name| format!(" of \"{name}\""))
                    .unwrap_or_default();
                let at = at.key(&field.key);
                self.error(
                    &node.place,
                    &at,
                    format!("\"{}\"{whose} is missing", field.key),
                    format!("{} belongs here", expected(&field.shape)),
                );
                let value = self.stand_in(&field.shape, &at);
                read.insert(field.key.clone(), value);
            }
        }
        Json::Object(read)
    }

    /// A harmless value in place of a wrong one; what is found wrong with it is not reported.
    fn stand_in(&mut self, shape: &Shape, at: &Path) -> Json {
        self.stand_ins.push(at.clone());
        match shape {
            Shape::Uncertain | Shape::Number => json!(1.0),
            Shape::Whole(least, _) => json!((*least).max(1)),
            // Each its own, so that no two of them are found to have the same name.
            Shape::TextOr(text, _) => self.stand_in(text, at),
            Shape::Text => json!(format!("?{}", self.stand_ins.len())),
            Shape::Date => json!("2000-01"),
            Shape::Redundancy => json!("N"),
            Shape::Boolean => json!(false),
            Shape::Choice(names) => json!(names.first()),
            Shape::List(_) => json!([]),
            Shape::Map(_) => json!({}),
            Shape::Table(fields) => {
                let required = fields.iter().filter(|field| field.is_required);
                let required = required.map(|field| {
                    let value = self.stand_in(&field.shape, &at.key(&field.key));
                    (field.key.clone(), value)
                });
                Json::Object(required.collect())
            }
        }
    }

    fn number(&mut self, node: &Node, numbers: Numbers, at: &Path) -> Option<f64> {
        let key = at.last_key().unwrap_or_default();
        let (message, help) = match (&node.value, numbers.measure) {
            (Value::Integer(_) | Value::Float(_), Some(measure)) if numbers.needs_unit => (
                format!("{} has no unit", node.shown()),
                format!(
                    "write it as {}, or call the key \"{}\"",
                    measure.example(),
                    key
                ),
            ),
            (Value::Integer(number), _) => return Some(*number as f64),
            (Value::Float(number), _) if number.is_finite() => return Some(*number),
            (Value::Float(number), _) => (
                format!("{number} is not a finite number"),
                "a finite number belongs here".to_owned(),
            ),
            (Value::Text(text), Some(measure)) => match measure.read(text) {
                Ok(number) => return Some(number),
                Err(UnitError { message, help }) => (message, help),
            },
            (Value::Text(_), None) => (
                format!("{} is a text", node.shown()),
                "a plain number belongs here, without quotes".to_owned(),
            ),
            _ => (
                format!("{} is {}", node.shown(), kind_of(node)),
                "a number belongs here".to_owned(),
            ),
        };
        self.error(&node.place, at, message, help);
        None
    }

    fn whole(
        &mut self,
        node: &Node,
        least: u64,
        most: u64,
        numbers: Numbers,
        at: &Path,
    ) -> Option<u64> {
        let number = self.number(node, numbers, at)?;
        // A duration in other units may miss a whole number by a rounding.
        let rounded = number.round();
        let is_whole = (number - rounded).abs() <= 1e-9 * rounded.abs();
        if is_whole && rounded >= least as f64 && rounded <= most as f64 {
            return Some(rounded as u64);
        }
        let most = with_thousands(&most.to_string());
        self.error(
            &node.place,
            at,
            format!(
                "{} is not a whole number from {least} to {most}",
                node.shown()
            ),
            String::new(),
        );
        None
    }

    fn uncertain(&mut self, node: &Node, numbers: Numbers, at: &Path) -> Json {
        let read = match &node.value {
            Value::Table(_) => self.distribution(node, numbers, at),
            Value::Integer(_) | Value::Float(_) | Value::Text(_) => {
                self.number(node, numbers, at).map(|number| json!(number))
            }
            _ => {
                let message = format!("{} is {}", node.shown(), kind_of(node));
                self.error(&node.place, at, message, uncertain());
                None
            }
        };
        read.unwrap_or_else(|| self.stand_in(&Shape::Uncertain, at))
    }

    fn distribution(&mut self, node: &Node, numbers: Numbers, at: &Path) -> Option<Json> {
        let Value::Table(entries) = &node.value else {
            return None;
        };
        let kinds = FORMS.iter().map(|(name, ..)| *name).chain(LISTS);
        let is_known =
            |key: &str| kinds.clone().any(|kind| kind == key) || PERCENTILES.contains(&key);
        let mut is_right = true;
        for entry in entries.iter().filter(|entry| !is_known(&entry.key)) {
            let known = kinds.clone().chain(PERCENTILES.iter().copied());
            let message = format!("unknown key \"{}\" of an uncertain quantity", entry.key);
            let help = one_of(&entry.key, known);
            self.error(&entry.key_place, &at.key(&entry.key), message, help);
            is_right = false;
        }
        if !is_right {
            return None;
        }
        let entry_of = |key: &str| entries.iter().find(|entry| entry.key == key);
        if entry_of("p10").is_some()
            && entry_of("p90").is_some()
            && entries
                .iter()
                .all(|entry| PERCENTILES.contains(&entry.key.as_str()))
        {
            return self.percentiles(entries, numbers, at);
        }
        let [entry] = entries.as_slice() else {
            let keys: Vec<String> = entries
                .iter()
                .map(|entry| format!("\"{}\"", entry.key))
                .collect();
            let message = if keys.is_empty() {
                "this says nothing of the quantity".to_owned()
            } else {
                format!("{} do not go together", keys.join(" and "))
            };
            self.error(&node.place, at, message, uncertain());
            return None;
        };
        let inner = at.key(&entry.key);
        let parameters = match FORMS.iter().find(|(name, ..)| *name == entry.key) {
            Some((_, required, names)) => {
                self.parameters(&entry.node, *required, names, numbers, &inner)?
            }
            None if LISTS.contains(&entry.key.as_str()) => {
                self.listed(&entry.key, &entry.node, numbers, &inner)?
            }
            None => {
                let message = format!("\"{}\" alone says too little", entry.key);
                let help = "give p10 and p90, or p10, p50 and p90".to_owned();
                self.error(&entry.key_place, at, message, help);
                return None;
            }
        };
        Some(json!({ entry.key.as_str(): parameters }))
    }

    fn percentiles(&mut self, entries: &[Entry], numbers: Numbers, at: &Path) -> Option<Json> {
        let mut read = Map::new();
        let mut is_right = true;
        for entry in entries {
            let number = self.number(&entry.node, numbers, &at.key(&entry.key));
            is_right &= number.is_some();
            read.insert(entry.key.clone(), json!(number));
        }
        is_right.then_some(Json::Object(read))
    }

    /// The parameters of a distribution, from a list or a table.
    fn parameters(
        &mut self,
        node: &Node,
        required: usize,
        names: &[&str],
        numbers: Numbers,
        at: &Path,
    ) -> Option<Json> {
        let given: Vec<(&str, &Node)> = match &node.value {
            Value::List(items) if (required..=names.len()).contains(&items.len()) => {
                names.iter().copied().zip(items).collect()
            }
            Value::List(items) => {
                let message = format!("{} values, not {required}", items.len());
                let help = format!("in this order: {}", names.join(", "));
                self.error(&node.place, at, message, help);
                return None;
            }
            Value::Table(entries) => {
                if !self.has_right_parameters(node, entries, required, names, at) {
                    return None;
                }
                entries
                    .iter()
                    .map(|entry| (entry.key.as_str(), &entry.node))
                    .collect()
            }
            _ => {
                let message = format!("{} is {}", node.shown(), kind_of(node));
                let help = format!("a list or table of {} belongs here", names.join(", "));
                self.error(&node.place, at, message, help);
                return None;
            }
        };
        let mut read = Map::new();
        let mut is_right = true;
        for (name, node) in given {
            let plain = ["sigma", "shape"].contains(&name);
            let numbers = if plain { Numbers::default() } else { numbers };
            let number = self.number(node, numbers, &at.key(name));
            is_right &= number.is_some();
            read.insert(name.to_owned(), json!(number));
        }
        is_right.then_some(Json::Object(read))
    }

    /// Whether a table has all required parameters, and no others; notes those that are wrong.
    fn has_right_parameters(
        &mut self,
        node: &Node,
        entries: &[Entry],
        required: usize,
        names: &[&str],
        at: &Path,
    ) -> bool {
        let mut is_right = true;
        let is_known = |entry: &&Entry| names.contains(&entry.key.as_str());
        for entry in entries.iter().filter(|entry| !is_known(entry)) {
            let message = format!("unknown parameter \"{}\"", entry.key);
            let help = one_of(&entry.key, names.iter().copied());
            self.error(&entry.key_place, &at.key(&entry.key), message, help);
            is_right = false;
        }
        for name in &names[..required] {
            if !entries.iter().any(|entry| entry.key == **name) {
                let message = format!("\"{name}\" is missing");
                self.error(&node.place, at, message, "a number belongs here".to_owned());
                is_right = false;
            }
        }
        is_right
    }

    /// What is written as a list: observed values, or pairs of a probability and what it is the probability of.
    fn listed(&mut self, kind: &str, node: &Node, numbers: Numbers, at: &Path) -> Option<Json> {
        let probability = Numbers {
            measure: Some(SHARE.measure),
            needs_unit: false,
        };
        let help = match kind {
            "discrete" => "a list of [value, probability] belongs here",
            "quantiles" => "a list of [probability, value] belongs here",
            "mixture" => "a list of [probability, quantity] belongs here",
            _ => "a list of values belongs here",
        };
        let Value::List(items) = &node.value else {
            let message = format!("{} is {}", node.shown(), kind_of(node));
            self.error(&node.place, at, message, help.to_owned());
            return None;
        };
        let mut read = Vec::new();
        let mut is_right = true;
        for (position, item) in items.iter().enumerate() {
            let at = at.index(position);
            if kind == "empirical" {
                let value = self.number(item, numbers, &at);
                is_right &= value.is_some();
                read.push(json!(value));
                continue;
            }
            let pair = self.pair(item, help, &at)?;
            let [first, second] = [at.index(0), at.index(1)];
            let [first, second] = match kind {
                "discrete" => [
                    self.number(pair[0], numbers, &first).map(|x| json!(x)),
                    self.number(pair[1], probability, &second).map(|x| json!(x)),
                ],
                "quantiles" => [
                    self.number(pair[0], probability, &first).map(|x| json!(x)),
                    self.number(pair[1], numbers, &second).map(|x| json!(x)),
                ],
                _ => [
                    self.number(pair[0], probability, &first).map(|x| json!(x)),
                    Some(self.uncertain(pair[1], numbers, &second)),
                ],
            };
            is_right &= first.is_some() && second.is_some();
            read.push(json!([first, second]));
        }
        is_right.then_some(Json::Array(read))
    }

    fn pair<'n>(&mut self, item: &'n Node, help: &str, at: &Path) -> Option<[&'n Node; 2]> {
        let message = match &item.value {
            Value::List(pair) => match pair.as_slice() {
                [first, second] => return Some([first, second]),
                _ => format!("{} values, not 2", pair.len()),
            },
            _ => format!("{} is {}", item.shown(), kind_of(item)),
        };
        self.error(&item.place, at, message, help.to_owned());
        None
    }
}

const PERCENTILES: [&str; 3] = ["p10", "p50", "p90"];

fn uncertain() -> String {
    format!("write {}", describe_forms())
}

fn kind_of(node: &Node) -> &'static str {
    match node.value {
        Value::Table(_) | Value::List(_) => "not what belongs here",
        ref value => value.kind(),
    }
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Uncertain => "a number or an uncertain quantity",
        Shape::Date => {
            "a month such as \"2024-06\", a day such as \"2024-06-15\", or a minute such as \"2024-06-15T17:00\""
        }
        Shape::Redundancy => "a redundancy such as \"N+1\" or \"4N/3\"",
        Shape::Number => "a number",
        Shape::Whole(..) => "a whole number",
        Shape::Text | Shape::Choice(_) => "a text in quotes",
        Shape::Boolean => "true or false",
        Shape::List(_) => "a list",
        Shape::Table(_) | Shape::Map(_) => "a table",
        Shape::TextOr(..) => "a text in quotes or a table",
    }
}
/// One of some texts, or what is wrong with it and what would be right.
fn choice(text: &str, names: &[String]) -> Result<String, (String, String)> {
    if names.iter().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let help = one_of(text, names.iter().map(String::as_str));
    Err((format!("\"{text}\" is not allowed here"), help))
}
