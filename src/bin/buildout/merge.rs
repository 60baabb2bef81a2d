//! `buildout merge`: parts of a run put together.

use std::path::PathBuf;

use buildout::analysis::compare::COMPARISON_OF;
use buildout::monte_carlo::part::Part;
use buildout::report::RunFacts;
use buildout::{Projection, RunError};
use clap::Args;

use crate::EXIT_STATUS;
use crate::failure::Failure;
use crate::output::OutputOptions;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout merge shard-*.part
  buildout merge shard-*.part --out results
  buildout merge shard-1.part shard-3.part --partial

{EXIT_STATUS}"))]
pub(crate) struct Merge {
    /// The checkpoints of all shards, in any order
    #[arg(required = true, value_name = "FILE")]
    parts: Vec<PathBuf>,
    /// Report what is there, although trials are missing
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    output: OutputOptions,
}

pub(crate) fn run(arguments: &Merge) -> Result<(), Failure> {
    arguments.output.prepare(None)?;
    (arguments.output).deliver(&arguments.merged()?, &RunFacts::default())
}

impl Merge {
    fn merged(&self) -> Result<Projection, Failure> {
        let whole = merged(&self.parts)?;
        if whole.provenance().scenario.starts_with(COMPARISON_OF) {
            return Err(Failure::PartOfComparison(self.parts[0].clone()));
        }
        if self.partial {
            Ok(whole.into_projection().map_err(RunError::from)?)
        } else {
            Ok(whole.complete().map_err(Failure::Incomplete)?)
        }
    }
}

/// Reads parts, one at least, one by one, so that only two are in memory at once, and merges them.
pub(crate) fn merged(paths: &[PathBuf]) -> Result<Part, Failure> {
    let mut whole: Option<Part> = None;
    for path in paths {
        let part = Part::load(path).map_err(RunError::from)?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => whole.merge(&part).map_err(|error| Failure::OtherRun {
                path: path.clone(),
                error,
            })?,
        }
    }
    Ok(whole.expect("the command line has at least one file"))
}
