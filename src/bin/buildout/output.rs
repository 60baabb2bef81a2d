//! Where results go: standard output and a folder.

use std::path::PathBuf;

use buildout::Projection;
use buildout::projection::Layout;
use buildout::report::{self, ChartChoice, OutputChoice, OutputFolder, PictureFormat, RunFacts};
use clap::{Args, ValueEnum};

use crate::failure::{self, Failure, say};

/// Where results go.
#[derive(Args)]
pub(crate) struct OutputOptions {
    /// Write projection.json, projection.csv, projection.xlsx, summary.txt, summary.md, report.html and charts into
    /// this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
    /// Draw this metric, too, such as take_up, or North/take_up for a campus; may be given several
    /// times. The metrics are those of --format csv
    #[arg(long = "chart", value_name = "METRIC", requires = "out")]
    charts: Vec<String>,
    /// As what charts are drawn
    #[arg(long, value_enum, default_value_t = Picture::Svg, requires = "out")]
    chart_format: Picture,
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

#[derive(Clone, Copy, ValueEnum)]
enum Picture {
    /// Sharp at any size
    Svg,
    /// For slides and documents that take no SVG (if the command was built with the feature png)
    Png,
    /// Both
    Both,
}

impl OutputOptions {
    fn choice(&self) -> Result<OutputChoice, Failure> {
        let mut choice = OutputChoice::default();
        choice.charts = (self.charts.iter())
            .map(|name| match name.rsplit_once('/') {
                Some((campus, metric)) => ChartChoice::new(metric.trim()).campus(campus.trim()),
                None => ChartChoice::new(name.trim()),
            })
            .collect();
        choice.pictures = match self.chart_format {
            Picture::Svg => PictureFormat::Svg,
            #[cfg(feature = "png")]
            Picture::Png => PictureFormat::Png,
            #[cfg(feature = "png")]
            Picture::Both => PictureFormat::Both,
            #[cfg(not(feature = "png"))]
            Picture::Png | Picture::Both => return Err(Failure::NoPng),
        };
        Ok(choice)
    }

    /// The metrics of the charts that are asked for.
    pub(crate) fn charted(&self) -> impl Iterator<Item = String> + '_ {
        self.charts.iter().map(|name| {
            let metric = name
                .rsplit_once('/')
                .map_or(name.as_str(), |(_, metric)| metric);
            metric.trim().to_owned()
        })
    }

    fn folder(&self) -> Option<OutputFolder> {
        let path = self.out.as_ref()?;
        Some(OutputFolder::new(path).overwrite(self.force))
    }

    /// Finds out whether files can be written: better before the trials than after.
    pub(crate) fn prepare(&self, layout: Option<&Layout>) -> Result<(), Failure> {
        let choice = self.choice()?;
        if let Some(layout) = layout {
            choice.check(layout)?;
        }
        if let Some(folder) = self.folder() {
            let names = choice.names();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            folder.prepare(&names)?;
        }
        Ok(())
    }

    /// Writes the files and prints. Where the files cannot be written, the results are printed all the same, and the files
    /// go to the folder for temporary files.
    pub(crate) fn deliver(
        &self,
        projection: &Projection,
        facts: &RunFacts<'_>,
    ) -> Result<(), Failure> {
        let written = match self.folder() {
            Some(folder) => self.write(projection, facts, &folder),
            None => Ok(()),
        };
        let format = if self.json { Format::Json } else { self.format };
        print(projection, format)?;
        written
    }

    /// Whether files are written.
    pub(crate) fn has_folder(&self) -> bool {
        self.out.is_some()
    }

    fn write(
        &self,
        projection: &Projection,
        facts: &RunFacts<'_>,
        folder: &OutputFolder,
    ) -> Result<(), Failure> {
        let files = self.choice()?.files_with(projection, facts)?;
        match folder.write(&files) {
            Ok(paths) => {
                for path in paths.iter().filter(|_| !self.quiet) {
                    say(&format!("wrote {}", path.display()));
                }
                Ok(())
            }
            Err(error) => {
                let process = std::process::id();
                let folder = std::env::temp_dir().join(format!("buildout-results-{process}"));
                match OutputFolder::new(&folder).write(&files) {
                    Ok(_) => Err(Failure::WrittenElsewhere { error, folder }),
                    Err(_) => {
                        // Nothing is in it.
                        let _ = std::fs::remove_dir(&folder);
                        Err(error.into())
                    }
                }
            }
        }
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
