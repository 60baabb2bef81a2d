//! `buildout new`: a commented scenario file to begin from.

use std::path::{Path, PathBuf};

use buildout::presets::{STARTERS, Starter};
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

Presets:
{}

{EXIT_STATUS}", starters()))]
pub(crate) struct New {
    /// The file to write, or - to print it
    #[arg(default_value = "scenario.toml")]
    file: PathBuf,
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

fn starters() -> String {
    let line = |starter: &Starter| format!("  {:10} {}", starter.name, starter.summary);
    STARTERS.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn run(arguments: &New) -> Result<(), Failure> {
    let starter = STARTERS
        .iter()
        .find(|starter| starter.name == arguments.preset)
        .unwrap_or(&STARTERS[0]);
    if arguments.file.as_os_str() == "-" {
        return print(starter.text.as_bytes());
    }
    let (folder, name) = folder_and_name(&arguments.file)?;
    OutputFolder::new(folder)
        .overwrite(arguments.force)
        .write(&[OutputFile::new(name, starter.text.as_bytes().to_vec())])?;
    if !arguments.quiet {
        let file = arguments.file.display();
        say(&format!(
            "wrote {file}: {}\n\n  buildout validate {file}\n  buildout run {file}\n  buildout report {file}",
            starter.summary
        ));
    }
    Ok(())
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
