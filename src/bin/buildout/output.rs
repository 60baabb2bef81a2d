//! Where results go: standard output and a folder.

use std::path::PathBuf;

use buildout::Projection;
use buildout::report::{self, OutputFolder};
use clap::{Args, ValueEnum};

use crate::failure::{self, Failure, say};

/// Where results go.
#[derive(Args)]
pub(crate) struct OutputOptions {
    /// Write projection.json, projection.csv, summary.txt and charts into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print all results as JSON: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// No progress bar, warnings or notes
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A summary to read
    Table,
    /// All results as JSON
    Json,
    /// All results as comma-separated values
    Csv,
}

impl OutputOptions {
    fn folder(&self) -> Option<OutputFolder> {
        let path = self.out.as_ref()?;
        Some(OutputFolder::new(path).overwrite(self.force))
    }

    /// Finds out whether files can be written: better before the trials than after.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        if let Some(folder) = self.folder() {
            folder.prepare(&report::output_names())?;
        }
        Ok(())
    }

    /// Writes the files and prints.
    pub(crate) fn deliver(&self, projection: &Projection) -> Result<(), Failure> {
        if let Some(folder) = self.folder() {
            for path in folder.write(&report::outputs(projection)?)? {
                if !self.quiet {
                    say(&format!("wrote {}", path.display()));
                }
            }
        }
        let format = if self.json { Format::Json } else { self.format };
        print(projection, format)
    }
}

fn print(projection: &Projection, format: Format) -> Result<(), Failure> {
    let text = match format {
        Format::Table => report::summary(projection).into_bytes(),
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(&projection.to_json())?;
            json.push(b'\n');
            json
        }
        Format::Csv => {
            let mut csv = Vec::new();
            buildout::projection::write_csv([projection], &mut csv).map_err(Failure::Print)?;
            csv
        }
    };
    failure::print(&text)
}
