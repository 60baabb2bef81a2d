//! `buildout levers`: what each lever of policy gains, on the same luck.

use std::path::PathBuf;

use buildout::analysis::compare::{Comparison, DEFAULT_CONFIDENCE};
use buildout::analysis::levers::lever_cases;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::{Model, Scenario, ScenarioError};
use clap::Args;

use crate::EXIT_STATUS;
use crate::compare::in_format;
use crate::engine::{INTERRUPTED, listen_for_interruptions, progress_bar};
use crate::failure::{Failure, print, say};
use crate::output::Format;
use crate::run::key_and_value;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout levers scenario.toml
  buildout levers scenario.toml --lever 'permits in parallel' --by 'B1 live' --by npv
  buildout levers scenario.toml --json --quiet | jq '.differences[0]'

Levers are what stands under [[levers]] and [[vouchers]]. Each is tried alone against the scenario without any,
those that are off too; all have the same luck, trial by trial.

{EXIT_STATUS}"))]
pub(crate) struct Levers {
    /// The scenario: a TOML file
    file: PathBuf,
    /// Only this lever; may be given several times
    #[arg(long = "lever", value_name = "NAME")]
    levers: Vec<String>,
    /// By what to compare: METRIC@2027-12, CAMPUS/METRIC@2027-12, a metric alone for the end of the horizon, or the
    /// name of a milestone, target or outcome; may be given several times. If not given, power, targets and outcomes
    #[arg(long = "by", value_name = "MEASURE")]
    by: Vec<String>,
    /// How many trials to run of each scenario
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TRIALS,
          value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// The seed of all luck: the same one gives the same results
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// The confidence of the intervals
    #[arg(long, value_name = "SHARE", default_value_t = DEFAULT_CONFIDENCE)]
    confidence: f64,
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

pub(crate) fn run(arguments: &Levers) -> Result<(), Failure> {
    let loaded = Scenario::load(&arguments.file, &arguments.set)?;
    if !arguments.quiet && !loaded.warnings.is_empty() {
        say(&loaded.warnings.to_string());
    }
    let cases = lever_cases(&loaded.scenario, &arguments.levers)?;
    let models = (cases.iter())
        .map(|(name, scenario)| Ok((name.as_str(), scenario.compile()?)))
        .collect::<Result<Vec<(&str, Model)>, ScenarioError>>()?;
    let bar = progress_bar(arguments.trials, arguments.quiet);
    let comparison = Comparison::new(models.iter().map(|(name, model)| (*name, model)))
        .measures(&arguments.by)
        .trials(arguments.trials)
        .seed(arguments.seed)
        .confidence(arguments.confidence)
        .threads(arguments.threads)
        .cancelled_by(&INTERRUPTED)
        .on_progress(|done, of| {
            bar.set_length(of);
            bar.set_position(done);
        });
    comparison.check()?;
    listen_for_interruptions(arguments.quiet)?;
    let compared = comparison.run();
    bar.finish_and_clear();
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    let title = format!("Levers of {}", loaded.scenario.name);
    print(&in_format(&title, &compared?, format)?)
}
