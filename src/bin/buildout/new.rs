//! `buildout new`: a commented scenario file to begin from.

use std::path::{Path, PathBuf};

use buildout::Date;
use buildout::presets::{LIKES, STARTERS, Starter, like, power_mw};
use buildout::report::{OutputFile, OutputFolder};
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::EXIT_STATUS;
use crate::failure::{Failure, print, say};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout new                             a campus of three phases, in scenario.toml
  buildout new west.toml --preset gpu-cloud
  buildout new -                           print it instead of writing a file
  buildout new --excel plan.xlsx           as a workbook to fill in
  buildout new west.toml --like \"AI campus\" --power 1.2GW --start 2024-06

Presets:
{}

Kinds for --like, filled in with sources and judgements to be replaced:
{}

{EXIT_STATUS}", starters(), kinds()))]
pub(crate) struct New {
    /// The file to write, or - to print it: scenario.toml, or scenario.xlsx with --excel, if none is given
    file: Option<PathBuf>,
    /// Fill it in as a project of this kind, every value with its source or judged
    #[arg(long, value_name = "KIND", conflicts_with = "preset")]
    like: Option<String>,
    /// Its critical IT power, such as 1.2GW; that of the kind if not given
    #[arg(long, value_name = "POWER", requires = "like")]
    power: Option<String>,
    /// Its first month
    #[arg(
        long,
        value_name = "MONTH",
        requires = "like",
        default_value = "2026-01"
    )]
    start: Date,
    /// Write an Excel workbook to fill in, as for a file whose name ends in .xlsx
    #[arg(long)]
    excel: bool,
    /// What to begin from
    #[arg(long, value_name = "NAME", default_value = STARTERS[0].name,
          value_parser = PossibleValuesParser::new(STARTERS.iter().map(|starter| starter.name)))]
    preset: String,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
    /// Say nothing
    #[arg(long)]
    quiet: bool,
}

fn kinds() -> String {
    let lines = LIKES
        .iter()
        .map(|like| format!("  {:18} {}; {} MW", like.name, like.summary, like.power_mw));
    lines.collect::<Vec<_>>().join("\n")
}

fn starters() -> String {
    let line = |starter: &Starter| format!("  {:10} {}", starter.name, starter.summary);
    STARTERS.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn run(arguments: &New) -> Result<(), Failure> {
    let (text, summary) = arguments.text()?;
    let file = arguments.file();
    let contents = if arguments.excel || is_workbook(&file) {
        workbook_of(&text)?
    } else {
        text.into_bytes()
    };
    if file.as_os_str() == "-" {
        return print(&contents);
    }
    let (folder, name) = folder_and_name(&file)?;
    OutputFolder::new(folder)
        .overwrite(arguments.force)
        .write(&[OutputFile::new(name, contents)])?;
    if !arguments.quiet {
        let file = file.display();
        say(&format!(
            "wrote {file}: {}\n\n  buildout validate {file}\n  buildout run {file}\n  buildout report {file}",
            summary
        ));
    }
    Ok(())
}

impl New {
    /// The scenario's text and what it is about.
    fn text(&self) -> Result<(String, &'static str), Failure> {
        if let Some(kind) = &self.like {
            let power = self.power.as_deref().map(power_mw).transpose()?;
            let kind = like(kind)?;
            return Ok((kind.toml(power, self.start)?, kind.summary));
        }
        let named = STARTERS.iter().find(|starter| starter.name == self.preset);
        let starter = named.unwrap_or(&STARTERS[0]);
        Ok((starter.text.to_owned(), starter.summary))
    }

    fn file(&self) -> PathBuf {
        let default = if self.excel {
            "scenario.xlsx"
        } else {
            "scenario.toml"
        };
        self.file.clone().unwrap_or_else(|| default.into())
    }
}

#[cfg(feature = "excel")]
fn workbook_of(text: &str) -> Result<Vec<u8>, Failure> {
    Ok(buildout::Scenario::workbook_of_toml(text)?)
}

#[cfg(not(feature = "excel"))]
fn workbook_of(_: &str) -> Result<Vec<u8>, Failure> {
    Err(Failure::NoExcel)
}

/// Whether a file to be written is an Excel workbook, by its name.
pub(crate) fn is_workbook(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"))
}

/// The folder and the name of a file to be written.
pub(crate) fn folder_and_name(file: &Path) -> Result<(PathBuf, String), Failure> {
    let name = file
        .file_name()
        .ok_or_else(|| Failure::NoFileName(file.to_owned()))?;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((folder, name.to_string_lossy().into_owned()))
}
