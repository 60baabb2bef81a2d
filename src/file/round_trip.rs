//! Whatever a scenario may say is written so that it reads back the same. What is drawn here follows the shape of
//! the structs, so that a field of any room is tried from the day it is there.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::Files;
use super::read::Reader;
use super::shape::{Field, Shape};
use crate::Scenario;

/// Deeper than this, only what must be there is written.
const DEEPEST: u32 = 7;

fn number() -> BoxedStrategy<f64> {
    prop_oneof![
        4 => 0.01..100.0_f64,
        2 => (0..1_000_u32).prop_map(f64::from),
        1 => Just(0.1 + 0.2),
        1 => 1e-9..1e-6_f64,
        1 => 1e12..1e18_f64,
        1 => -100.0..0.0_f64,
    ]
    .boxed()
}

/// Texts that TOML must quote, escape or keep from being taken for something else.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "[a-z]{1,8}",
        1 => "[A-Za-z0-9 .,:/#\"'\\\\=\\[\\]{}-]{1,12}",
        1 => Just("数据中心 ½ “north”".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("2026-05".to_owned()),
        1 => Just("two\nlines\tand a tab".to_owned()),
    ]
    .boxed()
}

fn uncertain() -> BoxedStrategy<Json> {
    prop_oneof![
        3 => number().prop_map(|x| json!(x)),
        1 => [number(), number()].prop_map(|[min, max]| json!({"uniform": {"min": min, "max": max}})),
        1 => [number(), number(), number()]
            .prop_map(|[a, b, c]| json!({"triangular": {"min": a, "mode": b, "max": c}})),
        1 => [number(), number(), number(), number()]
            .prop_map(|[a, b, c, d]| json!({"pert": {"min": a, "mode": b, "max": c, "shape": d}})),
        1 => [number(), number(), number()]
            .prop_map(|[a, b, c]| json!({"normal": {"mean": a, "sd": b, "max": c}})),
        1 => [number(), number()].prop_map(|[a, b]| json!({"lognormal": {"median": a, "sigma": b}})),
        1 => [number(), number()].prop_map(|[a, b]| json!({"pareto": {"min": a, "shape": b}})),
        1 => [number(), number()].prop_map(|[a, b]| json!({"p10": a, "p90": b})),
        1 => vec((number(), number()), 1..4).prop_map(|list| json!({"discrete": list})),
    ]
    .boxed()
}

fn of_shape(shape: &'static Shape, depth: u32) -> BoxedStrategy<Json> {
    match shape {
        Shape::Uncertain => uncertain(),
        Shape::Date => (1_990..2_100_u32, 1..13_u32, proptest::option::of(2..29_u32))
            .prop_map(|(year, month, day)| {
                let day = day.map_or(String::new(), |day| format!("-{day:02}"));
                json!(format!("{year}-{month:02}{day}"))
            })
            .boxed(),
        Shape::Redundancy => {
            let forms = ["N", "N+1", "N+3", "2N", "3N/2", "4N/3", "block 4N/3"];
            proptest::sample::select(forms.to_vec())
                .prop_map(|form| json!(form))
                .boxed()
        }
        Shape::Number => number().prop_map(|x| json!(x)).boxed(),
        Shape::Whole(least, most) => (*least..=(*most).min(least + 1_000))
            .prop_map(|x| json!(x))
            .boxed(),
        Shape::Text => text().prop_map(|text| json!(text)).boxed(),
        Shape::Boolean => any::<bool>().prop_map(|yes| json!(yes)).boxed(),
        Shape::Choice(names) => proptest::sample::select(names.clone())
            .prop_map(|name| json!(name))
            .boxed(),
        Shape::List(item) => {
            let most = if depth < DEEPEST { 3 } else { 1 };
            vec(of_shape(item, depth + 1), 0..most)
                .prop_map(Json::Array)
                .boxed()
        }
        Shape::Map(item) => {
            let entry = ("[a-z]{1,5}", of_shape(item, depth + 1));
            vec(entry, 0..3)
                .prop_map(|entries| Json::Object(entries.into_iter().collect()))
                .boxed()
        }
        Shape::TextOr(text, other) => {
            prop_oneof![of_shape(text, depth + 1), of_shape(other, depth + 1)].boxed()
        }
        Shape::Table(fields) => table(fields, depth),
    }
}

fn table(fields: &'static [Field], depth: u32) -> BoxedStrategy<Json> {
    let start: BoxedStrategy<Map<String, Json>> = Just(Map::new()).boxed();
    fields
        .iter()
        .fold(start, |so_far, field| {
            let often = match (field.is_required, depth) {
                (true, _) => None,
                (false, 0) => Some(0.6),
                (false, 1..DEEPEST) => Some(0.35),
                // So deep nothing is written that need not be there.
                _ => return so_far,
            };
            let value = of_shape(&field.shape, depth + 1);
            let value = match often {
                None => value.prop_map(Some).boxed(),
                Some(often) => proptest::option::weighted(often, value).boxed(),
            };
            (so_far, value)
                .prop_map(move |(mut entries, value)| {
                    if let Some(value) = value {
                        entries.insert(field.key.clone(), value);
                    }
                    entries
                })
                .boxed()
        })
        .prop_map(Json::Object)
        .boxed()
}

/// Reads a text as a scenario without asking whether it makes sense.
fn read(text: &str) -> Scenario {
    let mut files = Files::default();
    let parsed = files.parse("scenario.toml".into(), text.to_owned());
    let root = parsed.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut reader = Reader::new(&files.texts);
    let json = reader.scenario(&root);
    assert!(reader.problems.is_empty(), "{}\n{text}", reader.problems);
    serde_json::from_value(json).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let Shape::Table(fields) = Shape::scenario() else {
        unreachable!("a scenario is a table");
    };
    let of = |json: Json| -> Scenario {
        serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}\n{json:#}"))
    };
    table(fields, 0).prop_map(of)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_any_room_can_say_reads_back_as_it_was_written(scenario in scenario()) {
        let text = scenario.to_toml().unwrap();
        let again = read(&text);
        prop_assert_eq!(&again, &scenario, "{}", text);
        prop_assert_eq!(again.to_toml().unwrap(), text);
    }
}
