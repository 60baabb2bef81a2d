//! `buildout update`: a forecast updated on what has happened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use buildout::analysis::update::{
    DEFAULT_MEMBERS, DEFAULT_MOST_TRIALS, Observations, Update as Updating, UpdateError, Updated,
};
use buildout::disk::read_text;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::report::{OutputFolder, UpdatePage};
use buildout::sampling::design::Drawing;
use buildout::{Batch, Model, RunError};
use clap::{Args, ValueEnum};

use crate::engine::{INTERRUPTED, listen_for_interruptions, progress_bar};
use crate::failure::{Failure, print, say};
use crate::long::claim;
use crate::run::key_and_value;
use crate::{EXIT_STATUS, load};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout update scenario.toml --observed actuals.csv --ensemble posterior.csv
  buildout run scenario.toml --design ensemble:posterior.csv

A file of observations, each with its error (a standard deviation) in its unit or as a percentage of the value:
  observed,date,value,error
  A1 live,2024-11-20,,0.25              a milestone that was reached; the error is in months
  B4 live,2024-12-31,not yet,0.25       one that was not reached by then
  installed_pflops,2024-12,21500,5%     a metric at the end of a month; of a campus: CAMPUS/METRIC

Trials of the scenario are weighed by how likely the observations are in each. Where too few of them carry the weight, the
posterior is sampled by sequential Monte Carlo. The ensemble has its trials, for --design ensemble:FILE.

{EXIT_STATUS}"))]
pub(crate) struct Update {
    /// The scenario: a TOML file or an Excel workbook
    file: PathBuf,
    /// What has happened: a file of comma-separated values
    #[arg(long, value_name = "FILE")]
    observed: PathBuf,
    /// The file to write the ensemble to
    #[arg(long, value_name = "FILE", default_value = "ensemble.csv")]
    ensemble: PathBuf,
    /// What the model may be off by: a share of the value of metrics, such as 5%, where an observation does not say it
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0%")]
    discrepancy: f64,
    /// What the model may be off by in months for milestones, where an observation does not say it
    #[arg(long, value_name = "MONTHS", default_value_t = 0.0)]
    discrepancy_months: f64,
    /// How many trials of the scenario to weigh first
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TRIALS)]
    trials: u64,
    /// How many members the ensemble has
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MEMBERS)]
    members: usize,
    /// The most trials to simulate in all
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MOST_TRIALS)]
    most_trials: u64,
    /// The seed: the same one gives the same results
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Write the state to this file now and then and when interrupted, and resume from it if it exists
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Write update.json, update.txt, a page (update.html) and charts of before and after into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite the ensemble and such files
    #[arg(long)]
    force: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print all of it as JSON: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// No progress bar, warnings or notes
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables to read
    Table,
    /// All of it as JSON
    Json,
}

/// A share such as 5% or 0.05.
fn share(text: &str) -> Result<f64, String> {
    let parsed = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    (parsed
        .ok()
        .filter(|share: &f64| share.is_finite() && *share >= 0.0))
    .ok_or_else(|| "write a share such as 5% or 0.05".to_owned())
}

pub(crate) fn run(arguments: &Update) -> Result<(), Failure> {
    let (loaded, model) = load::file(&arguments.file, &arguments.set)?;
    if !arguments.quiet && !loaded.warnings.is_empty() {
        say(&loaded.warnings.to_string());
    }
    let observations = arguments.observations()?;
    let (folder, name) = crate::new::folder_and_name(&arguments.ensemble)?;
    let ensembles = OutputFolder::new(folder).overwrite(arguments.force);
    ensembles.prepare(&[&name])?;
    let out =
        (arguments.out.as_ref()).map(|path| OutputFolder::new(path).overwrite(arguments.force));
    if let Some(out) = &out {
        out.prepare(UpdatePage::output_names())?;
    }
    listen_for_interruptions(arguments.quiet)?;
    let Updated {
        ensemble, report, ..
    } = arguments.update(&model, &observations)?;
    let remarks = [format!(
        "posterior of \"{}\" ({}), given {}",
        model.name(),
        model.fingerprint(),
        arguments.observed.display()
    )];
    let path = ensembles.write_with(&name, |file| ensemble.write(&remarks, file))?;
    let note = |path: PathBuf| {
        if !arguments.quiet {
            say(&format!("wrote {}", path.display()));
        }
    };
    note(path);
    let batch = |trials: u64, drawing: Drawing| {
        let batch = Batch::new(&model).trials(trials).drawing(drawing);
        batch
            .threads(arguments.threads)
            .cancelled_by(&INTERRUPTED)
            .run()
    };
    let prior = batch(arguments.trials, Drawing::from(arguments.seed))?;
    let posterior = batch(ensemble.trials(), Drawing::of(Arc::new(ensemble)))?;
    let page = UpdatePage::new(&report, &prior, &posterior).scenario(&loaded.scenario);
    if let Some(out) = out {
        out.write(&page.outputs()?)?.into_iter().for_each(note);
    }
    if arguments.json || arguments.format == Format::Json {
        let mut json = serde_json::to_vec_pretty(&report)?;
        json.push(b'\n');
        return print(&json);
    }
    print(page.text().as_bytes())
}

impl Update {
    fn observations(&self) -> Result<Observations, Failure> {
        let text = read_text(&self.observed).map_err(|error| Failure::Unreadable {
            path: self.observed.clone(),
            error,
        })?;
        let observations = Observations::from_csv(&text)
            .map_err(|error| Failure::Usage(format!("{}: {error}", self.observed.display())))?;
        if !(self.discrepancy_months.is_finite() && self.discrepancy_months >= 0.0) {
            let words = "--discrepancy-months must not be below 0".to_owned();
            return Err(Failure::Usage(words));
        }
        Ok(observations.discrepancy(self.discrepancy, self.discrepancy_months))
    }

    fn update(&self, model: &Model, observations: &Observations) -> Result<Updated, Failure> {
        let bar = progress_bar(self.most_trials.max(self.trials), self.quiet);
        let mut update = Updating::new(model, observations)
            .seed(self.seed)
            .trials(self.trials)
            .members(self.members)
            .most_trials(self.most_trials)
            .threads(self.threads)
            .cancelled_by(&INTERRUPTED)
            .on_progress(|done, of| {
                bar.set_length(of);
                bar.set_position(done);
            });
        let _claim = claim(self.checkpoint.as_deref())?;
        if let Some(path) = &self.checkpoint {
            update = update.checkpoint(path, Duration::from_secs(60));
        }
        let updated = update.run();
        bar.finish_and_clear();
        match (updated, &self.checkpoint) {
            (Err(UpdateError::Run(RunError::Cancelled)), Some(path)) if path.exists() => {
                Err(Failure::UpdateInterrupted(path.clone()))
            }
            (updated, _) => Ok(updated?),
        }
    }
}
