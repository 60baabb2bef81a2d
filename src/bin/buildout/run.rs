//! `buildout run`: runs a scenario and prints what came out.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::report::{self, OutputFolder};
use buildout::{Batch, Model, Projection, Scenario};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::EXIT_STATUS;
use crate::failure::{self, Failure, say};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout run scenario.toml
  buildout run scenario.toml --trials 50000 --seed 7 --out results
  buildout run scenario.toml --set horizon_months=60 --set 'campuses.North.pue=1.25'
  buildout run scenario.toml --json --quiet | jq '.metrics.it_power_mw.p50[-1]'

{EXIT_STATUS}"))]
pub(crate) struct Run {
    /// The scenario: a TOML file
    file: PathBuf,
    /// How many trials to run
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TRIALS,
          value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// The seed of all luck: the same one gives the same results
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Write projection.json, projection.csv, summary.txt and charts into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print all results as JSON: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// No progress bar, warnings or notes
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A summary to read
    Table,
    /// All results as JSON
    Json,
    /// All results as comma-separated values
    Csv,
}

pub(crate) fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write KEY=VALUE, such as horizon_months=60".to_owned()),
    }
}

pub(crate) fn run(arguments: &Run) -> Result<(), Failure> {
    let loaded = Scenario::load(&arguments.file, &arguments.set)?;
    let model = loaded.scenario.compile()?;
    if !arguments.quiet && !loaded.warnings.is_empty() {
        say(&loaded.warnings.to_string());
    }
    let folder =
        (arguments.out.as_ref()).map(|path| OutputFolder::new(path).overwrite(arguments.force));
    if let Some(folder) = &folder {
        // Better now than after the trials.
        folder.prepare(&report::output_names())?;
    }
    let projection = simulate(&model, arguments)?;
    if let Some(folder) = &folder {
        for path in folder.write(&report::outputs(&projection)?)? {
            if !arguments.quiet {
                say(&format!("wrote {}", path.display()));
            }
        }
    }
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    print(&projection, format)
}

fn simulate(model: &Model, arguments: &Run) -> Result<Projection, Failure> {
    let bar = if arguments.quiet || !io::stderr().is_terminal() {
        ProgressBar::hidden()
    } else {
        ProgressBar::with_draw_target(Some(arguments.trials), ProgressDrawTarget::stderr())
    };
    let template = "{wide_bar} {human_pos} of {human_len} trials, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let projection = Batch::new(model)
        .trials(arguments.trials)
        .seed(arguments.seed)
        .threads(arguments.threads)
        .on_progress(|done, _| bar.set_position(done))
        .run();
    bar.finish_and_clear();
    Ok(projection?)
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
