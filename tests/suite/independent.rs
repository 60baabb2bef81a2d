//! What the second implementation of the model, in plain Python, makes of its scenario is the table with which the library is
//! compared month by month (`src/trial/tests/independent.rs`).

use std::fs;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/independent")
        .join(name)
}

#[test]
fn the_table_is_what_the_independent_model_makes_of_the_scenario() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let made = std::process::Command::new(python)
        .arg(file("model.py"))
        .arg(file("two-campuses.toml"))
        .output();
    // The module that reads TOML came with Python 3.11.
    let Some(made) = made.ok().filter(|made| made.status.success()) else {
        return;
    };
    let table = fs::read_to_string(file("two-campuses.csv")).expect("a table");
    assert_eq!(String::from_utf8_lossy(&made.stdout), table);
}
