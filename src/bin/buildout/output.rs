//! Where results go: standard output and a folder.

use std::path::PathBuf;

use buildout::analysis::update::Observations;
use buildout::disk::read_text;
use buildout::projection::Layout;
use buildout::report::{
    self, ChartChoice, FanChart, HtmlReport, OutputChoice, OutputFile, OutputFolder, PictureFormat,
    RunFacts,
};
use buildout::{Projection, Scenario};
use clap::{Args, ValueEnum};

use crate::failure::{self, Failure, say};
use crate::live::Live;
use crate::page::{Analysed, page_of};

/// The page among the files of a run.
const PAGE: &str = "report.html";

/// A wider chart is no easier to read.
const MOST_COLUMNS: usize = 140;

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
    /// Draw observed values of metrics into the charts: a table as for `update`
    #[arg(long, value_name = "FILE", requires = "out")]
    known: Option<PathBuf>,
    /// As what charts are drawn
    #[arg(long, value_enum, default_value_t = Picture::Svg, requires = "out")]
    chart_format: Picture,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print all results as JSON: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Draw this metric in the terminal, too, such as it_power_mw, or North/take_up for a campus; may be given several times
    #[arg(long = "plot", value_name = "METRIC", conflicts_with_all = ["json", "format"])]
    plots: Vec<String>,
    /// No progress bar, warnings or notes
    #[arg(long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) live: Live,
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
        choice.charts = self.charts.iter().map(|name| chart_of(name)).collect();
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
        let asked = self.charts.iter().chain(&self.plots);
        asked.map(|name| chart_of(name).metric)
    }

    /// Whether the summary, with charts in the terminal, is all that is made of the results.
    pub(crate) fn is_summary(&self) -> bool {
        self.out.is_none() && !self.json && matches!(self.format, Format::Table)
    }

    /// What was seen of metrics, from its file.
    fn known(&self) -> Result<Option<Observations>, Failure> {
        let Some(path) = &self.known else {
            return Ok(None);
        };
        let text = read_text(path).map_err(|error| Failure::Unreadable {
            path: path.clone(),
            error,
        })?;
        let known = Observations::from_csv(&text);
        known
            .map(Some)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
    }

    fn folder(&self) -> Option<OutputFolder> {
        let path = self.out.as_ref()?;
        Some(OutputFolder::new(path).overwrite(self.force))
    }

    /// Finds out whether files can be written: better before the trials than after.
    pub(crate) fn prepare(&self, layout: Option<&Layout>) -> Result<(), Failure> {
        let choice = self.choice()?;
        self.known()?;
        if let Some(layout) = layout {
            choice.check(layout)?;
            for plot in &self.plots {
                chart_of(plot).check(layout)?;
            }
        }
        if let Some(folder) = self.folder() {
            let names = choice.names();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            folder.prepare(&names)?;
        }
        Ok(())
    }

    /// Prints, and writes the files; where these cannot be written, they go to the folder for temporary files.
    /// What `more` finds out for the page is found out only if there is one, after the results are printed.
    pub(crate) fn deliver<'a>(
        &self,
        projection: &Projection,
        scenario: Option<&Scenario>,
        more: impl FnOnce() -> Option<(Analysed<'a>, String)>,
    ) -> Result<(), Failure> {
        let format = if self.json { Format::Json } else { self.format };
        print(projection, format)?;
        for plot in &self.plots {
            failure::print(plotted(projection, scenario, &chart_of(plot))?.as_bytes())?;
        }
        let Some(folder) = self.folder() else {
            return Ok(());
        };
        let files = match more() {
            None => self.choice()?.files(projection)?,
            Some((analysed, command)) => {
                let page = page_of([(projection, &analysed)]);
                let page = page.unwrap_or_else(|| HtmlReport::new(projection));
                let known = self.known()?;
                let facts = RunFacts {
                    scenario,
                    known: known.as_ref(),
                    inputs: &analysed.loaded.inputs,
                    drivers: analysed.drivers.as_ref(),
                };
                let choice = self.choice()?;
                let page = page.command(command).refreshing(self.live.refreshes());
                choice.files_with(projection, &facts, &page)?
            }
        };
        self.write(&files, &folder)
    }

    fn write(&self, files: &[OutputFile], folder: &OutputFolder) -> Result<(), Failure> {
        match folder.write(files) {
            Ok(paths) => {
                for path in paths.iter().filter(|_| !self.quiet) {
                    say(&format!("wrote {}", path.display()));
                }
                let page = paths.iter().find(|path| path.ends_with(PAGE));
                page.map_or(Ok(()), |page| self.live.show(page))
            }
            Err(error) => {
                let process = std::process::id();
                let folder = std::env::temp_dir().join(format!("buildout-results-{process}"));
                match OutputFolder::new(&folder).write(files) {
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

/// A metric by its name, or that of a campus as CAMPUS/METRIC.
fn chart_of(name: &str) -> ChartChoice {
    match name.rsplit_once('/') {
        Some((campus, metric)) => ChartChoice::new(metric.trim()).campus(campus.trim()),
        None => ChartChoice::new(name.trim()),
    }
}

/// As many columns as the terminal has, to a most that one still reads; 80 where there is none.
fn columns() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    size.map_or(80, |(width, _)| usize::from(width.0).min(MOST_COLUMNS))
}

/// A fan in letters, as wide as the terminal is.
fn plotted(
    projection: &Projection,
    scenario: Option<&Scenario>,
    choice: &ChartChoice,
) -> Result<String, Failure> {
    let mut chart = FanChart::new(projection, &choice.metric)?;
    if let Some(campus) = &choice.campus {
        chart = chart.campus(campus)?;
    }
    if let Some(scenario) = scenario {
        chart = chart.scenario(scenario);
    }
    Ok(format!("\n{}", chart.to_text(columns())))
}

fn print(projection: &Projection, format: Format) -> Result<(), Failure> {
    let text = match format {
        Format::Table => report::summary_within(columns(), projection).into_bytes(),
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
