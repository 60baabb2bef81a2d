//! The numbers of every example: what 300 trials say, to the bit, is a part of the interface.
//!
//! `tests/golden/hashes.txt` holds the SHA-256 of each example's projection as JSON. A change of it is reported in the
//! changelog; `BUILDOUT_GOLDEN=write cargo test --profile thorough --test suite golden -- --ignored` writes it again.
#![cfg(feature = "files")]

use std::fs;
use std::path::Path;

use buildout::{Batch, Scenario};
use sha2::{Digest, Sha256};

const TRIALS: u64 = 300;

fn hash(path: &Path) -> String {
    let model = Scenario::from_path(path)
        .and_then(|scenario| scenario.compile())
        .unwrap_or_else(|error| panic!("{error}"));
    let projection = Batch::new(&model)
        .trials(TRIALS)
        .seed(1)
        .run()
        .expect("a batch that nobody cancels");
    let json = serde_json::to_vec(&projection.to_json()).expect("JSON");
    Sha256::digest(&json)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
#[ignore = "slow"]
fn examples_give_the_numbers_that_are_kept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = fs::read_dir(root.join("examples"))
        .expect("the examples")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    names.sort();
    let now: String = names
        .iter()
        .map(|path| {
            format!(
                "{} {}\n",
                hash(path),
                path.file_name().expect("a file").display()
            )
        })
        .collect();
    let kept = root.join("tests/golden/hashes.txt");
    if std::env::var_os("BUILDOUT_GOLDEN").is_some_and(|value| value == "write") {
        fs::write(&kept, &now).expect("a folder to write to");
    }
    let before = fs::read_to_string(&kept).expect("the kept hashes");
    let differing: Vec<_> = now
        .lines()
        .filter(|line| !before.lines().any(|old| old == *line))
        .collect();
    assert!(
        differing.is_empty(),
        "numbers changed (or are new) for:\n{}",
        differing.join("\n")
    );
    assert_eq!(
        now.lines().count(),
        before.lines().count(),
        "hashes are kept of examples that are gone"
    );
}
