//! Every command and every file that the README and the documents show, tried in the order in
//! which a reader meets them. Rust in them is compiled and run as doc tests of the crate.
//!
//! In Markdown,
//! - a block `sh` is run in a copy of the repository, in one folder for a whole document; `cargo run
//!   --release --` is the command, and trials are cut to [`MOST_TRIALS`];
//! - a block `toml` after a line that ends in `` `NAME.toml`: `` is such a file in that folder and must be
//!   valid, unless it is a comparison, which the next command reads; any other is a piece of a scenario and must be well-formed;
//! - `<!-- not run: REASON -->` on the line before a block leaves it out.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

const MOST_TRIALS: u32 = 32;
/// Fewer are refused by analyses, and by a search.
const ANALYSED_TRIALS: u32 = 200;
const DECIDED_TRIALS: u32 = 100;

const MOST_PLANS: u32 = 16;

/// What stands between the fences of a block.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
    /// The last line before the block that is not empty.
    before: String,
    line: usize,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    let mut before = String::new();
    for (number, line) in markdown.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.trim().to_owned(),
                    text: String::new(),
                    before: std::mem::take(&mut before),
                    line: number + 1,
                });
            }
            (Some(_), Some("")) => found.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) if !line.trim().is_empty() => line.clone_into(&mut before),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// The name of the file that the line before a block announces.
fn file_name(before: &str) -> Option<&str> {
    let name = before
        .trim_end()
        .strip_suffix("`:")?
        .rsplit('`')
        .next()?
        .rsplit('/')
        .next()?;
    name.ends_with(".toml").then_some(name)
}

/// The functions by which a shell runs this build of the command with few trials.
fn prelude() -> String {
    let command = env!("CARGO_BIN_EXE_buildout");
    format!(
        r#"set -eu
buildout() {{
    subcommand=$1; shift
    counted=no
    for argument in "$@"; do [ "$argument" = --trials ] && counted=yes; done
    # The most trials of --until, and a default where none are said.
    most={MOST_TRIALS}
    case "$subcommand" in
        drivers|worth) most={ANALYSED_TRIALS} ;;
        decide) most={DECIDED_TRIALS} ;;
    esac
    # The most plans of a search; a comparison has those that it has.
    [ "$subcommand" != decide ] || set -- "$@" --plans {MOST_PLANS}
    case "$subcommand" in run|report|compare|levers|schedule|trials|drivers|worth)
        [ $counted = yes ] || set -- "$@" --trials $most ;;
    esac
    cut=; number=$#
    while [ "$number" -gt 0 ]; do
        argument=$1; shift; number=$((number - 1))
        if [ "$cut" = yes ] && [ "$argument" -gt $most ]; then argument=$most; fi
        cut=; [ "$argument" = --trials ] && cut=yes
        set -- "$@" "$argument"
    done
    "{command}" "$subcommand" "$@"
}}
cargo() {{
    case "$1" in
        run)
            shift
            while [ $# -gt 0 ]; do
                case "$1" in
                    --) shift; buildout "$@"; return ;;
                    --example) [ -f "examples/$2.rs" ]; return ;;
                    --features) grep -q "^$2 = " Cargo.toml; shift ;;
                    --release|--quiet) ;;
                    *) echo "cargo run $1 is not known here" >&2; return 1 ;;
                esac
                shift
            done ;;
        # What this very test is a part of, and what CI runs by itself.
        test|doc|bench|install|build) ;;
        *) echo "cargo $1 is not known here" >&2; return 1 ;;
    esac
}}
"#
    )
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Tries a document and says how many blocks of it were run or checked.
fn try_document(document: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    copy(&root.join("examples"), &folder.path().join("examples"));
    fs::copy(root.join("Cargo.toml"), folder.path().join("Cargo.toml")).unwrap();
    let markdown = fs::read_to_string(root.join(document)).unwrap();
    let mut tried = 0;
    for block in blocks(&markdown) {
        let place = format!("{document}:{}", block.line);
        if block.before.starts_with("<!-- not run: ") {
            continue;
        }
        match block.language.as_str() {
            "sh" => {
                let script = format!("{}{}", prelude(), block.text);
                let output = Command::new("sh")
                    .args(["-c", &script])
                    .current_dir(folder.path())
                    .env("NO_COLOR", "1")
                    .output()
                    .unwrap();
                assert!(
                    output.status.success(),
                    "{place}: {}\n{}\n{}",
                    output.status,
                    block.text,
                    String::from_utf8_lossy(&output.stderr)
                );
                tried += 1;
            }
            "toml" => {
                if let Some(name) = file_name(&block.before) {
                    let path = folder.path().join(name);
                    fs::write(&path, &block.text).unwrap();
                    tried += 1;
                    // A comparison of several; the command that reads it follows.
                    if block.text.contains("[[factors]]") {
                        continue;
                    }
                    let scenario = buildout::Scenario::from_path(&path);
                    let scenario = scenario.unwrap_or_else(|error| panic!("{place}: {error}"));
                    scenario
                        .compile()
                        .unwrap_or_else(|error| panic!("{place}: {error}"));
                } else {
                    let table = block.text.parse::<toml_edit::DocumentMut>();
                    assert!(table.is_ok(), "{place}: {table:?}");
                    tried += 1;
                }
            }
            // Rust is run as doc tests; text is what a command prints; queries are tried with DuckDB and Polars by the
            // tests of Parquet.
            language if language.starts_with("rust") || language == "text" => {}
            "sql" | "python" => {}
            other => panic!("{place}: nobody knows how to try a block of \"{other}\""),
        }
    }
    tried
}

#[test]
#[ignore = "slow"]
fn all_that_the_readme_shows_works() {
    assert!(try_document("README.md") >= 5);
}

#[test]
#[ignore = "slow"]
fn all_that_the_documents_show_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents: Vec<String> = fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    documents.sort();
    assert!(!documents.is_empty());
    for document in documents {
        try_document(&document);
    }
}

#[test]
fn no_document_links_to_what_is_not_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
        .map(str::to_owned)
        .to_vec();
    for folder in ["docs", "examples", "benches/peers"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        for entry in entries {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                documents.push(format!("{folder}/{name}"));
            }
        }
    }
    for document in documents {
        let text = fs::read_to_string(root.join(&document)).unwrap();
        let folder = root.join(&document).parent().unwrap().to_owned();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap();
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(folder.join(target).exists(), "{document}: {target}");
        }
        // Code that a document names by its path; the changelog speaks of what was, too.
        let named = text.split('`').skip(1).step_by(2).filter(|name| {
            let begins = ["src/", "tests/", "benches/"]
                .iter()
                .any(|one| name.starts_with(one));
            begins && !name.contains([' ', '*', '\n'])
        });
        for name in named.filter(|_| document != "CHANGELOG.md") {
            assert!(root.join(name).exists(), "{document}: {name}");
        }
    }
}
