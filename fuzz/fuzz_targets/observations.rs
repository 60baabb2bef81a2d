//! A table of observations is refused, or is checked against a model.
#![no_main]

use std::sync::LazyLock;

use buildout::analysis::update::{Observations, Update};
use buildout::{Model, Scenario};
use libfuzzer_sys::fuzz_target;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let text = include_str!("../../examples/first.toml");
    let scenario = Scenario::from_toml(text).expect("a scenario");
    scenario.compile().expect("a model")
});

fuzz_target!(|text: &str| {
    if let Ok(observations) = Observations::from_csv(text) {
        let _ = Update::new(&MODEL, &observations).check();
    }
});
