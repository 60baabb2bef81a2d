//! A scenario file is refused, or compiles and runs two trials without a number that is none.
#![no_main]

use buildout::projection::TrialRow;
use buildout::{Scenario, Workspace};
use libfuzzer_sys::fuzz_target;

/// The mean wait of nobody is no number, nor is what comes to each MW where nothing draws.
const MAY_BE_NONE: [&str; 3] = ["waiting_months", "pue", "effective_pflops_per_facility_mw"];

fuzz_target!(|text: &str| {
    let Ok(mut scenario) = Scenario::from_toml(text) else {
        return;
    };
    scenario.horizon_months = scenario.horizon_months.min(24);
    scenario.limits.contracts_per_trial = scenario.limits.contracts_per_trial.min(10_000);
    let Ok(model) = scenario.compile() else {
        return;
    };
    let mut workspace = Workspace::default();
    for trial in 0..2 {
        let mut row = TrialRow::new(model.layout().clone());
        model.simulate(1, trial, &mut workspace, &mut row);
        for (metric, label) in model.layout().metrics.iter().enumerate() {
            let is_number = row.monthly(0, metric).iter().all(|value| !value.is_nan());
            let may_be_none = MAY_BE_NONE.contains(&label.name.as_str());
            assert!(is_number || may_be_none, "{}", label.name);
        }
    }
});
