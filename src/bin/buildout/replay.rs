//! `buildout replay`: one trial of a run reported again.

use std::path::PathBuf;

use buildout::RunError;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use clap::{Args, ValueEnum};

use crate::failure::{Failure, print, say};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine, load};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout replay scenario.toml --trial 4711
  buildout replay scenario.toml --seed 7 --trial 4711 --format json

{EXIT_STATUS}"))]
pub(crate) struct Replay {
    /// The scenario: a TOML file or an Excel workbook
    file: PathBuf,
    /// The number of the trial, from 0
    #[arg(long, value_name = "T")]
    trial: u64,
    /// The trials of the run, on which a Latin hypercube depends
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TRIALS)]
    trials: u64,
    #[command(flatten)]
    sampling: engine::Sampling,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print all of it as JSON: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// No warnings
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// The log of events and the months, to read
    Table,
    /// All of it as JSON
    Json,
    /// The months as comma-separated values: scope, metric, month, value
    Csv,
}

pub(crate) fn run(arguments: &Replay) -> Result<(), Failure> {
    let (loaded, model) = load::file(&arguments.file, &arguments.set)?;
    if !arguments.quiet && !loaded.warnings.is_empty() {
        say(&loaded.warnings.to_string());
    }
    let sampling = &arguments.sampling;
    let (_, drawing) = sampling.drawing(Some(arguments.trials), 0, [&model], arguments.quiet)?;
    (drawing.design())
        .check_trials(arguments.trial.saturating_add(1))
        .map_err(RunError::from)?;
    let sampling = model.sampling_of(&drawing).map_err(RunError::from)?;
    let replay = model.replay(&sampling, arguments.trial);
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    print(&match format {
        Format::Table => table(&replay).into_bytes(),
        Format::Csv => replay.months_csv().into_bytes(),
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(&replay.to_json())?;
            json.push(b'\n');
            json
        }
    })
}

fn table(replay: &buildout::Replay) -> String {
    let mut text = format!("Trial {}\n\nEvents\n{}", replay.trial, replay.log_text());
    text += "\nMonths\n";
    text += &replay.months_text();
    if !replay.row.targets().is_empty() {
        text += "\nTargets\n";
    }
    let labels = replay.row.layout().targets.iter();
    for (label, met) in labels.zip(replay.row.targets()) {
        text += &format!(
            "{:<6}  {}\n",
            if *met { "met" } else { "missed" },
            label.name
        );
    }
    text
}
