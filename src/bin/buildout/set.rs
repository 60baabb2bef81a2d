//! `buildout set`: values set in a scenario file, which keeps its comments.

use std::path::PathBuf;

use buildout::Scenario;
use buildout::disk::lock_for_change;
use buildout::report::replace_file;
use clap::Args;

use crate::EXIT_STATUS;
use crate::failure::{Failure, print, say};
use crate::run::key_and_value;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout set scenario.toml horizon_months=60
  buildout set scenario.toml campuses.North.pue=1.25 'campuses.North.grid.\"750 kV\".wait=\"60 months\"'
  buildout set scenario.toml 'campuses.North.pue={{ pert = [1.2, 1.3, 1.5] }}' --print

A value that stands in the file is replaced where it stands, any other is added to its table. Comments and
layout stay. The file is written all at once, and only if what it says then is valid.

{EXIT_STATUS}"))]
pub(crate) struct Set {
    /// The scenario: a TOML file
    file: PathBuf,
    /// What to set: a key as for --set of the other commands, and a value
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    values: Vec<(String, String)>,
    /// Print the new text and leave the file alone
    #[arg(long)]
    print: bool,
    /// No warnings or notes
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Set) -> Result<(), Failure> {
    // From here to the end nobody else changes the file, so that no change is lost. What cannot be opened is reported below.
    let _turn = lock_for_change(&arguments.file);
    let edited = Scenario::edited(&arguments.file, &arguments.values)?;
    if !arguments.quiet && !edited.loaded.warnings.is_empty() {
        say(&edited.loaded.warnings.to_string());
    }
    if arguments.print {
        return print(edited.text.as_bytes());
    }
    replace_file(&arguments.file, edited.text.as_bytes())?;
    if !arguments.quiet {
        say(&format!("wrote {}", arguments.file.display()));
    }
    Ok(())
}
