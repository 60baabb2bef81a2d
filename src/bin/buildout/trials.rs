//! `buildout trials`: every trial's milestones, targets and outcomes, or its months, as Parquet.

use std::path::PathBuf;

use buildout::Scenario;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::report::{
    OutputFolder, ParquetFileError, write_trial_months_parquet, write_trials_parquet,
};
use clap::Args;

use crate::EXIT_STATUS;
use crate::failure::{Failure, say};
use crate::run::key_and_value;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout trials scenario.toml --out trials.parquet
In DuckDB, the probability of a target given that a substation is late:
  SELECT avg(\"target: 50 MW by 2032\"::INT) FROM 'trials.parquet'
  WHERE coalesce(\"milestone: 110 kV substation energised\" > 40, true)

Columns: trial; \"milestone: NAME\" in months after the start, null if not within the horizon;
\"target: NAME\", true or false; \"outcome: NAME\".

  buildout trials scenario.toml --by-month it_power_mw,take_up --out months.parquet
Columns: trial; scope (total, or a campus if there are several); month, such as 2027-12; and one
for each metric, at the end of that month. In DuckDB, beside the table of the trials:
  SELECT month, median(it_power_mw) FROM 'months.parquet' JOIN 'trials.parquet' USING (trial)
  WHERE scope = 'total' AND NOT \"target: 50 MW by 2032\" GROUP BY month ORDER BY month

{EXIT_STATUS}"))]
pub(crate) struct Trials {
    /// The scenario: a TOML file
    file: PathBuf,
    /// How many trials to run
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TRIALS,
          value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// The seed of all luck: trials are those of `run` with the same seed
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Write instead a row for each trial, scope and month with these metrics, such as
    /// it_power_mw,take_up; their names are those of `run --format csv`
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',')]
    by_month: Vec<String>,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "trials.parquet")]
    out: PathBuf,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// No warnings or notes
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Trials) -> Result<(), Failure> {
    let loaded = Scenario::load(&arguments.file, &arguments.set)?;
    let model = loaded.scenario.compile()?;
    let (folder, name) = crate::new::folder_and_name(&arguments.out)?;
    let folder = OutputFolder::new(folder).overwrite(arguments.force);
    let metrics: Vec<&str> = arguments.by_month.iter().map(|name| name.trim()).collect();
    let (seed, trials) = (arguments.seed, 0..arguments.trials);
    let mut unknown = None;
    let written = folder.write_with(&name, |file| {
        let written = if metrics.is_empty() {
            write_trials_parquet(&model, seed, trials, file, |_| {})
        } else {
            write_trial_months_parquet(&model, seed, trials, &metrics, file, |_| {})
        };
        written.map_err(|error| {
            let words = std::io::Error::other(error.to_string());
            unknown = matches!(error, ParquetFileError::UnknownMetric { .. }).then_some(error);
            words
        })
    });
    let path = match (unknown, written) {
        (Some(error), _) => return Err(Failure::UnknownMetric(error)),
        (None, written) => written?,
    };
    if !arguments.quiet {
        say(&format!("wrote {}", path.display()));
    }
    Ok(())
}
