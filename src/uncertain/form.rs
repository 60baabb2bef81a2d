//! How an uncertain quantity is written in a file.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Outcome, Part, Uncertain};

/// The table of forms: the distributions with named parameters, how many of these are required, and their names in the
/// order of the list form. Scenario files are read, and their schema is written, by it.
pub(crate) const FORMS: &[(&str, usize, &[&str])] = &[
    ("uniform", 2, &["min", "max"]),
    ("triangular", 3, &["min", "mode", "max"]),
    ("pert", 3, &["min", "mode", "max", "shape"]),
    ("normal", 2, &["mean", "sd", "min", "max"]),
    ("lognormal", 2, &["median", "sigma"]),
    ("pareto", 2, &["min", "shape", "max"]),
];

/// The distributions that are written as a list.
pub(crate) const LISTS: [&str; 4] = ["discrete", "empirical", "quantiles", "mixture"];

/// What an uncertain quantity may be, for an error.
pub(crate) fn describe_forms() -> String {
    let names = FORMS.iter().map(|(name, ..)| *name).chain(LISTS);
    let names: Vec<&str> = names.collect();
    format!(
        "a number, or a table with one of {}, or with p10 and p90",
        names.join(", ")
    )
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Constant(f64),
    Percentiles(Percentiles),
    Distribution(Distribution),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Percentiles {
    p10: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p50: Option<f64>,
    p90: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Distribution {
    Uniform(Uniform),
    Triangular(Triangular),
    Pert(Pert),
    Normal(Normal),
    Lognormal(Lognormal),
    Pareto(Pareto),
    Discrete(Vec<(f64, f64)>),
    Empirical(Vec<f64>),
    Quantiles(Vec<(f64, f64)>),
    Mixture(Vec<(f64, Uncertain)>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Uniform {
    min: f64,
    max: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triangular {
    min: f64,
    mode: f64,
    max: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pert {
    min: f64,
    mode: f64,
    max: f64,
    #[serde(default = "usual_shape")]
    shape: f64,
}

fn usual_shape() -> f64 {
    4.0
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Normal {
    mean: f64,
    sd: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lognormal {
    median: f64,
    sigma: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pareto {
    min: f64,
    shape: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
}

impl Serialize for Uncertain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let distribution = match self.clone() {
            Self::Constant(value) => return Form::Constant(value).serialize(serializer),
            Self::Percentiles { p10, p50, p90 } => {
                return Form::Percentiles(Percentiles { p10, p50, p90 }).serialize(serializer);
            }
            Self::Uniform { min, max } => Distribution::Uniform(Uniform { min, max }),
            Self::Triangular { min, mode, max } => {
                Distribution::Triangular(Triangular { min, mode, max })
            }
            Self::Pert {
                min,
                mode,
                max,
                shape,
            } => Distribution::Pert(Pert {
                min,
                mode,
                max,
                shape,
            }),
            Self::Normal { mean, sd, min, max } => {
                Distribution::Normal(Normal { mean, sd, min, max })
            }
            Self::Lognormal { median, sigma } => {
                Distribution::Lognormal(Lognormal { median, sigma })
            }
            Self::Pareto { min, shape, max } => Distribution::Pareto(Pareto { min, shape, max }),
            Self::Discrete(outcomes) => Distribution::Discrete(
                outcomes
                    .iter()
                    .map(|outcome| (outcome.value, outcome.probability))
                    .collect(),
            ),
            Self::Empirical(values) => Distribution::Empirical(values),
            Self::Quantiles(quantiles) => Distribution::Quantiles(
                quantiles
                    .iter()
                    .map(|known| (known.probability, known.value))
                    .collect(),
            ),
            Self::Mixture(parts) => Distribution::Mixture(
                parts
                    .into_iter()
                    .map(|part| (part.probability, part.quantity))
                    .collect(),
            ),
        };
        Form::Distribution(distribution).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Uncertain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer).map_err(|_| {
            let forms = describe_forms();
            serde::de::Error::custom(format!("not an uncertain quantity: write {forms}"))
        })?;
        Ok(match form {
            Form::Constant(value) => Self::Constant(value),
            Form::Percentiles(Percentiles { p10, p50, p90 }) => Self::Percentiles { p10, p50, p90 },
            Form::Distribution(distribution) => match distribution {
                Distribution::Uniform(Uniform { min, max }) => Self::Uniform { min, max },
                Distribution::Triangular(Triangular { min, mode, max }) => {
                    Self::Triangular { min, mode, max }
                }
                Distribution::Pert(Pert {
                    min,
                    mode,
                    max,
                    shape,
                }) => Self::Pert {
                    min,
                    mode,
                    max,
                    shape,
                },
                Distribution::Normal(Normal { mean, sd, min, max }) => {
                    Self::Normal { mean, sd, min, max }
                }
                Distribution::Lognormal(Lognormal { median, sigma }) => {
                    Self::Lognormal { median, sigma }
                }
                Distribution::Pareto(Pareto { min, shape, max }) => {
                    Self::Pareto { min, shape, max }
                }
                Distribution::Discrete(outcomes) => Self::Discrete(
                    outcomes
                        .into_iter()
                        .map(|(value, probability)| Outcome { value, probability })
                        .collect(),
                ),
                Distribution::Empirical(values) => Self::Empirical(values),
                Distribution::Quantiles(quantiles) => Self::quantiles(quantiles),
                Distribution::Mixture(parts) => Self::Mixture(
                    parts
                        .into_iter()
                        .map(|(probability, quantity)| Part {
                            probability,
                            quantity,
                        })
                        .collect(),
                ),
            },
        })
    }
}

#[cfg(feature = "files")]
impl schemars::JsonSchema for Uncertain {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Uncertain".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let number = serde_json::json!({ "type": ["number", "string"] });
        let pairs = |first: &serde_json::Value, second: &serde_json::Value| {
            serde_json::json!({
                "type": "array",
                "items": {
                    "type": "array",
                    "prefixItems": [first, second],
                    "minItems": 2,
                    "maxItems": 2
                }
            })
        };
        // What is drawn from a part of a mixture: any of these forms again.
        let nested = serde_json::json!({ "type": ["number", "string", "object"] });
        let mut properties = serde_json::Map::new();
        for (name, required, names) in FORMS {
            properties.insert((*name).to_owned(), parameters(names, *required));
        }
        let others = [
            ("discrete", list_of(list_of(number.clone(), Some(2)), None)),
            ("empirical", list_of(number.clone(), None)),
            ("quantiles", pairs(&number, &number)),
            ("mixture", pairs(&number, &nested)),
            ("p10", number.clone()),
            ("p50", number.clone()),
            ("p90", number.clone()),
            ("named", serde_json::json!({ "type": "string" })),
        ];
        properties.extend(others.map(|(key, schema)| (key.to_owned(), schema)));
        schemars::json_schema!({
            "x-buildout": "uncertain",
            "anyOf": [
                { "type": "number" },
                { "type": "string" },
                { "type": "object", "properties": properties, "additionalProperties": false }
            ]
        })
    }
}

/// The schema of a list of these, of some length or of any.
#[cfg(feature = "files")]
fn list_of(items: serde_json::Value, length: Option<usize>) -> serde_json::Value {
    match length {
        Some(length) => serde_json::json!({
            "type": "array", "items": items, "minItems": length, "maxItems": length
        }),
        None => serde_json::json!({ "type": "array", "items": items }),
    }
}

/// The schema of a distribution's parameters: a list, or a table by their names.
#[cfg(feature = "files")]
fn parameters(names: &[&str], required: usize) -> serde_json::Value {
    let number = serde_json::json!({ "type": ["number", "string"] });
    let properties = names.iter();
    let properties = properties.map(|name| ((*name).to_owned(), number.clone()));
    let list = serde_json::json!({
        "type": "array",
        "items": number,
        "minItems": required,
        "maxItems": names.len(),
    });
    let table = serde_json::json!({
        "type": "object",
        "properties": properties.collect::<serde_json::Map<String, serde_json::Value>>(),
        "required": names[..required],
        "additionalProperties": false,
    });
    serde_json::json!({ "anyOf": [list, table] })
}
