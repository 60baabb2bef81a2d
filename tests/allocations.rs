//! A trial reuses its worker's buffers: once they have grown, no trial takes memory from the system.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::path::PathBuf;

use buildout::projection::TrialRow;
use buildout::{Batch, Design, Model, Scenario, Workspace};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TRIALS: u64 = 10;

fn examples() -> Vec<(String, Model)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    let model = |path: &PathBuf| Scenario::from_path(path).unwrap().compile().unwrap();
    (files.iter())
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                model(path),
            )
        })
        .collect()
}

/// How often memory was asked for.
fn asked(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.allocations + change.reallocations
}

/// The allocator counts for the whole process, so all is in one test.
#[test]
fn no_trial_takes_memory_in_steady_state() {
    let examples = examples();
    assert!(examples.iter().any(|(name, _)| name == "qingyang"));
    let mut taken = Vec::new();
    for (name, model) in &examples {
        for design in [Design::Random, Design::SOBOL] {
            let sampling = model.sampling(design, 3).unwrap();
            let mut workspace = Workspace::default();
            let mut row = TrialRow::new(model.layout().clone());
            let mut all = || {
                for trial in 0..TRIALS {
                    model.simulate_by(&sampling, trial, &mut workspace, &mut row);
                }
            };
            // The same trials again need no larger buffers than they did.
            all();
            let region = Region::new(COUNTED);
            all();
            let asked = asked(&region);
            if asked > 0 {
                taken.push(format!(
                    "{name}, {design}: {asked} times in {TRIALS} trials"
                ));
            }
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");

    // A batch takes memory for the pages of its histograms, ever more rarely as they get to have them all: a trial that
    // took memory itself would do so at the same rate throughout.
    let (_, model) = examples.iter().find(|(name, _)| name == "first").unwrap();
    let of_batch = |trials| {
        let region = Region::new(COUNTED);
        Batch::new(model).trials(trials).threads(1).run().unwrap();
        asked(&region) as f64
    };
    let a_trial = |few, many| (of_batch(many) - of_batch(few)) / (many - few) as f64;
    let (at_first, later) = (a_trial(500, 1_000), a_trial(2_000, 3_000));
    assert!(later < 1.0, "{later} times a trial");
    assert!(4.0 * later < at_first, "{later} after {at_first}");
}
