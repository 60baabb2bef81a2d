//! `buildout convert`: a scenario as an Excel workbook, or a workbook as TOML.

use std::path::PathBuf;

use buildout::Scenario;
use buildout::report::{OutputFile, OutputFolder};
use clap::Args;

use crate::EXIT_STATUS;
use crate::failure::{Failure, say};
use crate::new::{folder_and_name, is_workbook};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout convert plan.toml plan.xlsx    to continue in a spreadsheet; comments become notes
  buildout convert plan.xlsx plan.toml    to continue in an editor; units become those of the keys

Both say the same scenario. What a file extends, and the values of its presets, are written out.

{EXIT_STATUS}"))]
pub(crate) struct Convert {
    /// The scenario: a TOML file or an Excel workbook
    from: PathBuf,
    /// The file to write: .xlsx for a workbook, anything else for TOML
    to: PathBuf,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
    /// No warnings or notes
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Convert) -> Result<(), Failure> {
    let loaded = Scenario::load(&arguments.from, &[])?;
    if !arguments.quiet && !loaded.warnings.is_empty() {
        say(&loaded.warnings.to_string());
    }
    let contents = if is_workbook(&arguments.to) {
        workbook_of(&arguments.from)?
    } else {
        loaded.scenario.to_toml()?.into_bytes()
    };
    let (folder, name) = folder_and_name(&arguments.to)?;
    OutputFolder::new(folder)
        .overwrite(arguments.force)
        .write(&[OutputFile::new(name, contents)])?;
    if !arguments.quiet {
        say(&format!("wrote {}", arguments.to.display()));
    }
    Ok(())
}

#[cfg(feature = "excel")]
fn workbook_of(file: &std::path::Path) -> Result<Vec<u8>, Failure> {
    Ok(Scenario::workbook_of(file)?)
}

#[cfg(not(feature = "excel"))]
fn workbook_of(_: &std::path::Path) -> Result<Vec<u8>, Failure> {
    Err(Failure::NoExcel)
}
