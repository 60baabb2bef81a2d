//! The rule of imports: a room (a folder or file of `src`) uses only rooms below it.
//!
//! Two lists are ordered from the top down; a room may use those after it in a list that has both, and what these may
//! use in turn. Tests within the rooms may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may use directly or through others.
const RULE: &[(&str, &[&str])] = &[
    ("bin", &["report", "file", "import", "presets"]),
    ("report", &["analysis", "file", "import", "presets"]),
    ("analysis", &["monte_carlo", "file"]),
    ("monte_carlo", &["trial"]),
    ("trial", &["model"]),
    ("model", &["scenario"]),
    ("file", &["presets"]),
    ("import", &["scenario"]),
    ("presets", &["scenario"]),
    ("scenario", &["policy"]),
    ("policy", &["finance"]),
    ("finance", &["tenants"]),
    ("tenants", &["site"]),
    ("site", &["compute"]),
    ("compute", &["power"]),
    ("power", &["schedule"]),
    ("schedule", &["projection"]),
    ("projection", &["sampling"]),
    ("sampling", &["field"]),
    ("field", &["uncertain"]),
    ("uncertain", &["date", "problem", "pattern", "parallel"]),
    ("date", &["disk"]),
    ("disk", &[]),
    ("problem", &["date"]),
    ("pattern", &[]),
    ("parallel", &[]),
];

/// Arrows that are still to be turned, as "room -> room". None may be added.
const STILL_UPWARD: &[&str] = &[];

/// All rooms that a room may use.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut below: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for (room, uses) in RULE.iter().rev() {
        let mut all = BTreeSet::from([*room]);
        for used in *uses {
            all.insert(*used);
            all.extend(below.get(used).into_iter().flatten());
        }
        below.insert(*room, all);
    }
    below
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the crate") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The rooms named after `crate::` or `buildout::` in the code of a file, each with its line; comments and tests aside.
fn rooms_used(text: &str) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    let code = text
        .split("#[cfg(test)]\nmod ")
        .next()
        .expect("a first part");
    for (number, line) in code.lines().enumerate() {
        let line = line.split("//").next().expect("a first part");
        for prefix in ["crate::", "buildout::"] {
            for (at, _) in line.match_indices(prefix) {
                if line[..at].ends_with(|before: char| {
                    before.is_alphanumeric() || before == '_' || before == '$'
                }) {
                    continue;
                }
                let rest = &line[at + prefix.len()..];
                let end = rest
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(rest.len());
                used.push((number + 1, rest[..end].to_owned()));
            }
        }
    }
    used
}

#[test]
fn rooms_use_only_rooms_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed = allowed();
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut faults, mut still) = (Vec::new(), BTreeSet::new());
    for path in files {
        let inside = path.strip_prefix(&root).expect("a file of src");
        let room = inside
            .iter()
            .next()
            .and_then(|first| first.to_str())
            .expect("a name in UTF-8");
        let room = room.trim_end_matches(".rs");
        let is_test = inside.iter().any(|part| {
            [
                "tests.rs",
                "tests",
                "fixture.rs",
                "published.rs",
                "bounds.rs",
                "round_trip.rs",
            ]
            .iter()
            .any(|name| part == *name)
        });
        if room == "lib" || is_test {
            continue;
        }
        let below = allowed
            .get(room)
            .unwrap_or_else(|| panic!("src/{} is in no room of the rule", inside.display()));
        let text = fs::read_to_string(&path).expect("a source file");
        for (line, used) in rooms_used(&text) {
            if !allowed.contains_key(used.as_str()) || below.contains(used.as_str()) {
                continue;
            }
            let arrow = format!("{room} -> {used}");
            if STILL_UPWARD.contains(&arrow.as_str()) {
                still.insert(arrow);
            } else {
                faults.push(format!("src/{}:{line}: {arrow}", inside.display()));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "imports that the rule forbids:\n{}",
        faults.join("\n")
    );
    let turned: Vec<_> = STILL_UPWARD
        .iter()
        .filter(|arrow| !still.contains(**arrow))
        .collect();
    assert!(
        turned.is_empty(),
        "no longer upward, so strike them from the list: {turned:?}"
    );
}
