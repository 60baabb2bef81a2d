//! `buildout validate`: everything that is wrong or unlikely, without simulating.

use std::path::{Path as FilePath, PathBuf};

use buildout::disk::read_text_from;
use buildout::file::{Draft, Loaded};
use buildout::problem::{Path, Severity};
use buildout::{Model, Problem, Problems, ScenarioError};
use clap::Args;
use serde_json::{Value, json};

use crate::EXIT_STATUS;
use crate::failure::{Failure, counted, print, say};
use crate::load;
use crate::run::key_and_value;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout validate scenario.toml
  buildout validate *.toml --strict        warnings count, too: for a check before a merge
  generate | buildout validate -           what a program has written
  buildout validate scenario.toml --json   one list of problems, for an editor

{EXIT_STATUS}"))]
pub(crate) struct Validate {
    /// The scenarios: TOML files or Excel workbooks, or - for standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Fail on warnings, too
    #[arg(long)]
    strict: bool,
    /// Print the problems as JSON: a list of severity, message, help, key, file, line, column and cell
    #[arg(long)]
    json: bool,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// Say nothing of what is right
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Validate) -> Result<(), Failure> {
    let mut errors = 0;
    let mut warnings = 0;
    let mut list: Vec<Value> = Vec::new();
    for file in &arguments.files {
        let mut memory = None;
        let problems = match load(file, &arguments.set) {
            Ok((loaded, model)) => {
                let (warnings, bytes) = unlikely(loaded, &model)?;
                memory = Some(bytes);
                warnings
            }
            Err(ScenarioError::Invalid(problems)) => problems,
            Err(other) if arguments.json => {
                list.push(json!({
                    "severity": "error",
                    "message": other.to_string(),
                    "file": file,
                }));
                errors += 1;
                continue;
            }
            Err(other) => {
                say(&format!("error: {other}"));
                errors += 1;
                continue;
            }
        };
        let (bad, odd) = count(&problems);
        errors += bad;
        warnings += odd;
        if arguments.json {
            list.extend(problems.iter().map(as_json));
            continue;
        }
        if !problems.is_empty() {
            say(&format!("{problems}\n"));
        } else if !arguments.quiet {
            say(&format!("{}: nothing wrong or unlikely", file.display()));
        }
        if let Some(bytes) = memory.filter(|_| !arguments.quiet) {
            let mb = bytes.div_ceil(1_000_000);
            say(&format!("a run takes about {mb} MB on one thread"));
        }
    }
    if arguments.json {
        let mut text = serde_json::to_vec_pretty(&list)?;
        text.push(b'\n');
        print(&text)?;
    } else if errors + warnings > 0 {
        say(&format!(
            "{}, {}",
            counted(errors, ["error", "errors"]),
            counted(warnings, ["warning", "warnings"])
        ));
    }
    if errors > 0 || (arguments.strict && warnings > 0) {
        return Err(Failure::Invalid);
    }
    Ok(())
}

/// All that is unlikely with a scenario that is right, and the bytes that a run of it takes on one thread.
fn unlikely(loaded: Loaded, model: &Model) -> Result<(Problems, u64), Failure> {
    let mut warnings = loaded.warnings;
    for doubt in loaded.doubts.iter() {
        warnings.push(doubt.clone());
    }
    if !loaded.scenario.fixed_plan {
        warn_of_certainty(model, &mut warnings)?;
    }
    Ok((warnings, model.memory_bytes(1)))
}

/// A scenario from its file, or from standard input if that is called "-".
fn load(file: &FilePath, set: &[(String, String)]) -> Result<(Loaded, Model), ScenarioError> {
    if file != FilePath::new("-") {
        return load::file(file, set);
    }
    let text = read_text_from(std::io::stdin()).map_err(|source| ScenarioError::Unreadable {
        path: "standard input".into(),
        nearest: None,
        source,
    })?;
    load::compiled(Draft::read_text(&text, "standard input", set)?)
}

/// Warns of results that do not vary though they lie far ahead.
fn warn_of_certainty(model: &Model, problems: &mut Problems) -> Result<(), Failure> {
    for certain in model.certain_metrics()? {
        problems.warning(
            &Path::root().key("horizon_months"),
            format!(
                "{} is certain from {} on: P5 and P95 are both {} {} in the end",
                certain.metric,
                certain.from.to_month_string(),
                (certain.value * 1e3).round() / 1e3,
                certain.unit
            ),
            "say what may not be built (`probability`), be more or fewer (`count` of a series) or come besides \
             (`expansion`); or state `fixed_plan = true`",
        );
    }
    Ok(())
}

fn count(problems: &Problems) -> (usize, usize) {
    let errors = (problems.iter())
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    (errors, problems.len() - errors)
}

fn as_json(problem: &Problem) -> Value {
    let place = problem.location.as_ref();
    json!({
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": problem.message,
        "help": problem.help,
        "key": problem.path.to_string(),
        "file": place.map(|place| &place.file),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "cell": place.and_then(|place| place.cell.as_ref()),
    })
}
