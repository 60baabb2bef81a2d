//! Random scenarios with odd texts, written to TOML and to Excel and read again.

use std::fs;

use crate::Scenario;
use proptest::prelude::*;
use serde_json::Value;

use crate::trial::tests::random::{cases, scenario};

/// Texts made of what files, cells, keys and lists write in a way of their own.
fn odd_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("\""),
        Just("'"),
        Just("\\"),
        Just("#"),
        Just("="),
        Just("{"),
        Just("["),
        Just("]"),
        Just(" ["),
        Just(";"),
        Just("; "),
        Just(","),
        Just("."),
        Just(":"),
        Just(" "),
        Just("true"),
        Just("1e3"),
        Just("2025-01"),
        Just("5 kW"),
        Just("_x0041_"),
        Just("&amp;"),
        Just("<b>"),
        Just("é"),
        Just("数"),
        Just("a"),
        Just("0"),
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

const RENAMED: [&str; 8] = [
    "random",
    "north",
    "standard",
    "early",
    "segment 0",
    "substation 0",
    "work 1",
    "hall 0",
];

/// The same plan with other names, where they are given and where they are named.
fn renamed(value: &Value, names: &[String]) -> Value {
    match value {
        Value::String(text) => {
            let position = RENAMED.iter().position(|name| name == text);
            Value::from(position.map_or(text.as_str(), |at| &names[at]))
        }
        Value::Array(items) => items.iter().map(|item| renamed(item, names)).collect(),
        Value::Object(entries) => (entries.iter())
            .map(|(key, value)| (key.clone(), renamed(value, names)))
            .collect(),
        value => value.clone(),
    }
}

proptest! {
    #![proptest_config(cases(90))]

    #[test]
    #[ignore = "slow"]
    fn a_scenario_is_the_same_after_a_way_through_toml_and_excel(
        scenario in scenario(),
        names in prop::collection::vec(odd_text(), RENAMED.len()),
    ) {
        let plain = serde_json::to_value(&scenario).unwrap();
        let scenario: Scenario = serde_json::from_value(renamed(&plain, &names)).unwrap();
        // Some names are refused: those of nothing but blanks, say.
        prop_assume!(scenario.compile().is_ok());
        let text = scenario.to_toml().unwrap();
        let read = Scenario::from_toml(&text);
        prop_assert_eq!(&read.unwrap_or_else(|error| panic!("{error}\n{text}")), &scenario);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.xlsx");
        let workbook = scenario.to_workbook();
        fs::write(&path, workbook.unwrap_or_else(|error| panic!("{error}\n{text}"))).unwrap();
        let read = Scenario::from_path(&path);
        prop_assert_eq!(&read.unwrap_or_else(|error| panic!("{error}\n{text}")), &scenario);
    }
}
