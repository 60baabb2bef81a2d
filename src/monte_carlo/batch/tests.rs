use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::compute::RackType;
use crate::schedule::Activity;
use crate::site::Campus;
use crate::site::{Building, Hall};
use crate::{Date, Scenario, Uncertain};

/// Two buildings, small enough for thousands of trials in a test.
fn model() -> Model {
    let mut campus = Campus::new("north");
    for name in ["A", "B"] {
        let mut building = Building::new(name);
        building.activities = Some(vec![
            Activity::new("shell", Uncertain::pert(2.0, 3.0, 8.0)),
            Activity::new("fit-out", Uncertain::pert(1.0, 2.0, 4.0)),
        ]);
        building.halls = Some(vec![Hall::new("hall", 100, "standard")]);
        campus.buildings.push(building);
    }
    let mut scenario = Scenario::new("two buildings", Date::month(2025, 1).unwrap(), 9);
    scenario.rack_types.push(RackType::new("standard", 2.5));
    scenario.campuses.push(campus);
    scenario.compile().unwrap()
}

const DESIGNS: [Design; 4] = [
    Design::Random,
    Design::Antithetic { replicates: 3 },
    Design::LatinHypercube {
        size: 130,
        replicates: 3,
    },
    Design::Sobol { replicates: 3 },
];

fn json(projection: &Projection) -> String {
    projection.to_json().to_string()
}

fn batch(model: &Model, design: Design) -> Batch<'_> {
    Batch::new(model).trials(1_000).seed(11).design(design)
}

#[test]
fn threads_leave_no_trace() {
    let model = model();
    for design in DESIGNS {
        let one = batch(&model, design).threads(1).run().unwrap();
        for threads in [2, 3, 8] {
            let several = batch(&model, design).threads(threads).run().unwrap();
            assert_eq!(one, several, "{design}, {threads} threads");
            assert_eq!(json(&one), json(&several));
        }
    }
}

#[test]
fn seven_parts_merged_in_any_order_are_the_whole() {
    let model = model();
    for design in DESIGNS {
        let whole = batch(&model, design).run().unwrap();
        let parts: Vec<Part> = (0..7_u64)
            .map(|shard| {
                let of_shard = batch(&model, design);
                let mut part = of_shard.begin().unwrap();
                let range = 1_000 * shard / 7..1_000 * (shard + 1) / 7;
                of_shard.trial_range(range).advance(&mut part).unwrap();
                Part::from_bytes(&part.to_bytes(), Path::new("a part")).unwrap()
            })
            .collect();
        for order in [
            [0, 1, 2, 3, 4, 5, 6],
            [6, 5, 4, 3, 2, 1, 0],
            [3, 6, 0, 5, 1, 4, 2],
        ] {
            let mut merged = parts[order[0]].clone();
            for next in &order[1..] {
                merged.merge(&parts[*next]).unwrap();
            }
            assert_eq!(merged.trials(), 1_000);
            let merged = merged.complete().unwrap();
            assert_eq!(json(&merged), json(&whole), "{design}");
            assert_eq!(merged, whole);
        }
    }
}

/// Cancelled at some moment, written, read and gone on with: as if nothing had happened.
#[test]
fn an_interrupted_run_goes_on_where_it_stopped() {
    let model = model();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    for design in DESIGNS {
        let whole = batch(&model, design).run().unwrap();
        let mut part = batch(&model, design).begin().unwrap();
        let mut interruptions = 0;
        loop {
            let cancel = Cancel::new();
            let stop = AtomicU64::new(0);
            let attempt = batch(&model, design)
                .threads(2)
                .cancelled_by(&cancel)
                .checkpoint(&path, Duration::from_secs(3_600))
                .on_progress(|_, _| {
                    // The third block that is done is the last one to be taken.
                    if stop.fetch_add(1, Ordering::Relaxed) == 2 {
                        cancel.cancel();
                    }
                });
            match attempt.advance(&mut part) {
                Ok(()) => break,
                Err(RunError::Cancelled) => interruptions += 1,
                Err(other) => panic!("{other}"),
            }
            assert!(!part.missing().is_empty());
            let read = Part::load(&path).unwrap();
            assert_eq!(read, part);
            part = read;
        }
        assert!(interruptions >= 3, "{interruptions}");
        assert_eq!(Part::load(&path).unwrap(), part);
        assert_eq!(json(&part.complete().unwrap()), json(&whole), "{design}");
    }
}

#[test]
fn checkpoints_at_intervals_leave_no_trace() {
    let model = model();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let whole = batch(&model, Design::Random).run().unwrap();
    let often = batch(&model, Design::Random).checkpoint(&path, Duration::ZERO);
    let mut part = often.begin().unwrap();
    often.advance(&mut part).unwrap();
    assert_eq!(part.complete().unwrap(), whole);
    assert_eq!(Part::load(&path).unwrap().complete().unwrap(), whole);
}

#[test]
fn a_longer_run_goes_on_from_a_shorter_one() {
    let model = model();
    for design in DESIGNS {
        let mut part = batch(&model, design).begin().unwrap();
        batch(&model, design)
            .trials(301)
            .advance(&mut part)
            .unwrap();
        assert_eq!(part.missing().count(), 699);
        batch(&model, design).advance(&mut part).unwrap();
        let whole = batch(&model, design).run().unwrap();
        assert_eq!(part.complete().unwrap(), whole, "{design}");
    }
}

#[test]
fn parts_of_other_runs_are_refused_with_the_reason() {
    let model = model();
    let mut part = batch(&model, Design::Random).begin().unwrap();
    let reason = |batch: Batch<'_>, part: &mut Part| match batch.advance(part) {
        Err(RunError::Part(error @ PartError::OtherRun { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let seed = reason(batch(&model, Design::Random).seed(12), &mut part);
    assert!(seed.contains("seed 11 and 12"), "{seed}");
    let design = reason(batch(&model, Design::SOBOL), &mut part);
    assert!(design.contains("design random and scrambled"), "{design}");
    let mut other = Scenario::new("two buildings", Date::month(2025, 1).unwrap(), 9);
    other.campuses.push(Campus::new("north"));
    let other = other.compile().unwrap();
    let changed = reason(batch(&other, Design::Random), &mut part);
    assert!(changed.contains("contents have changed"), "{changed}");
}

#[test]
fn a_trial_counts_only_once_and_none_may_be_missing() {
    let model = model();
    let part_of = |range: Range<u64>| {
        let batch = batch(&model, Design::Random);
        let mut part = batch.begin().unwrap();
        batch.trial_range(range).advance(&mut part).unwrap();
        part
    };
    let mut part = part_of(0..300);
    let before = part.clone();
    let twice = part.merge(&part_of(250..400)).unwrap_err();
    assert_eq!(
        twice.to_string(),
        "the trials 250 to 299 are in both parts: each may be counted only once"
    );
    assert_eq!(part, before);
    part.merge(&part_of(400..1_000)).unwrap();
    let missing = part.complete().unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the trials 300 to 399 of 1000 are missing"
    );
}

#[test]
fn damaged_files_are_never_believed() {
    let model = model();
    let batch = batch(&model, Design::Antithetic { replicates: 2 }).trials(20);
    let mut part = batch.begin().unwrap();
    batch.advance(&mut part).unwrap();
    let bytes = part.to_bytes();
    let read = |bytes: &[u8]| Part::from_bytes(bytes, Path::new("file"));
    assert_eq!(read(&bytes).unwrap(), part);
    // Cut off anywhere.
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        assert!(read(&bytes[..length]).is_err(), "{length}");
    }
    assert!(matches!(
        read(&bytes[..bytes.len() - 1]),
        Err(CheckpointError::Truncated { .. })
    ));
    // One byte changed anywhere.
    for place in (0..bytes.len()).step_by(53) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(read(&changed).is_err(), "{place}");
    }
    assert!(read(&[&bytes[..], b" "].concat()).is_err());
    let other =
        String::from_utf8(bytes.clone())
            .unwrap()
            .replacen("checkpoint 3", "checkpoint 4", 1);
    assert!(matches!(
        read(other.as_bytes()),
        Err(CheckpointError::Format { .. })
    ));
    assert!(matches!(
        read(b"# a scenario"),
        Err(CheckpointError::NoCheckpoint { .. })
    ));
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let model = model();
    let folder = tempfile::tempdir().unwrap();
    let part = batch(&model, Design::Random).begin().unwrap();
    let nowhere = folder.path().join("no folder").join("checkpoint");
    assert!(matches!(
        part.save(&nowhere),
        Err(CheckpointError::Write { .. })
    ));
    // A folder is in place of the file.
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    std::fs::write(taken.join("inside"), "").unwrap();
    assert!(matches!(
        part.save(&taken),
        Err(CheckpointError::Write { .. })
    ));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn designs_without_points_for_the_trials_are_refused() {
    let model = model();
    let design = Design::Sobol { replicates: 2 };
    let beyond = batch(&model, design)
        .trial_range(1 << 33..(1 << 33) + 1)
        .run();
    assert!(matches!(
        beyond,
        Err(RunError::Design(DesignError::Beyond { .. }))
    ));
    let none = batch(&model, Design::Sobol { replicates: 0 }).run();
    assert!(matches!(
        none,
        Err(RunError::Design(DesignError::Replicates(0)))
    ));
    // Random trials go up to the last number.
    let last = batch(&model, Design::Random)
        .trial_range(u64::MAX - 5..u64::MAX)
        .run();
    assert_eq!(last.unwrap().trials(), 5);
}

/// Standard errors from replicates are honest: over many seeds the mean lies within two of them
/// about as often as Student's t with R - 1 degrees of freedom has it.
#[test]
#[ignore = "slow"]
fn standard_errors_of_every_design_are_honest() {
    let model = model();
    let truth = Batch::new(&model)
        .trials(262_144)
        .seed(999)
        .design(Design::SOBOL)
        .run()
        .unwrap();
    let truth = truth.milestone("A live").unwrap();
    for design in [
        Design::Random,
        Design::ANTITHETIC,
        Design::latin_hypercube(2_048),
        Design::SOBOL,
    ] {
        let mut within = [0; 2];
        let seeds = 200;
        for seed in 0..seeds {
            let projection = Batch::new(&model)
                .trials(2_048)
                .seed(seed)
                .design(design)
                .metrics(["racks_built"])
                .threads(1)
                .run()
                .unwrap();
            let live = projection.milestone("A live").unwrap();
            let off = (live.mean().unwrap() - truth.mean().unwrap()).abs();
            within[0] += u32::from(off < 2.13 * live.std_error().unwrap());
            let off = (live.quantile(0.9).unwrap() - truth.quantile(0.9).unwrap()).abs();
            within[1] += u32::from(off < 2.13 * live.quantile_std_error(0.9).unwrap());
        }
        // 2.13 is the 97.5 % quantile of Student's t with 15 degrees of freedom: 95 % of 200 are 190, with a
        // standard deviation of 3.1. Quantiles of small replicates are somewhat biased, hence the wider limit.
        assert!(within[0] >= 190 - 16, "{design}: {within:?}");
        assert!(within[1] >= 190 - 25, "{design}: {within:?}");
    }
}
