//! `buildout run`: runs a scenario and prints what came out.

use std::path::PathBuf;

use buildout::projection::Layout;
use buildout::report;
use clap::Args;

use crate::failure::{Failure, say};
use crate::live::Live;
use crate::output::OutputOptions;
use crate::page::{self, Analysed};
use crate::{EXIT_STATUS, engine, load};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout run scenario.toml
  buildout run scenario.toml --trials 50000 --seed 7 --out results
  buildout run scenario.toml --out results --chart take_up --chart it_draw_mw
  buildout run scenario.toml --plot in_service_power_mw
  buildout run scenario.toml --out results --open --watch
  buildout run scenario.toml --set horizon_months=60 --set 'campuses.North.pue=1.25'
  buildout run scenario.toml --json --quiet | jq '.metrics.it_power_mw.p50[-1]'

{EXIT_STATUS}"))]
pub(crate) struct Run {
    /// The scenario: a TOML file or an Excel workbook
    file: PathBuf,
    /// How many trials to run: 10,000 if not given, and with --until at most 10,000,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Gather only these metrics, such as it_power_mw,take_up; the fewer, the faster. Milestones, targets and
    /// outcomes are gathered all the same. If not given, those that the output has
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',')]
    metrics: Vec<String>,
    /// Report this milestone, too, such as "A1 fully live", "A1 complete" or "P2-*/live"; may be given several times
    #[arg(long, value_name = "NAME")]
    milestone: Vec<String>,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    sampling: engine::Sampling,
    #[command(flatten)]
    long: engine::LongRun,
    #[command(flatten)]
    output: OutputOptions,
}

impl Run {
    /// The metrics to gather, all if none: those that are asked for, or those of the summary where nothing else will read the
    /// trials, and those of charts. A checkpoint that is asked for has all, so that it can be resumed for other outputs.
    fn gathered(&self, layout: &Layout) -> Vec<String> {
        let asked = self.metrics.iter().map(|name| name.trim().to_owned());
        let mut metrics: Vec<String> = asked.collect();
        let is_read_once = self.output.is_summary()
            && self.long.until.is_empty()
            && self.long.saving.checkpoint.is_none();
        if metrics.is_empty() && is_read_once {
            let shown = report::summary_metrics();
            let shown = shown.filter(|name| layout.metric_index(name).is_some());
            metrics.extend(shown.map(str::to_owned));
        }
        if !metrics.is_empty() {
            metrics.extend(self.output.charted());
        }
        metrics
    }
}

/// Splits KEY=VALUE.
pub(crate) fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write KEY=VALUE, such as horizon_months=60".to_owned()),
    }
}

pub(crate) fn run(arguments: &Run) -> Result<(), Failure> {
    if arguments.output.live.is_watching() {
        return Live::watch(std::slice::from_ref(&arguments.file));
    }
    let asked = (arguments.milestone.iter()).chain(arguments.long.milestones());
    let (loaded, model) = load::with_milestones(&arguments.file, &arguments.set, asked)?;
    let output = &arguments.output;
    if !output.quiet && !loaded.warnings.is_empty() && engine::is_first_process() {
        say(&loaded.warnings.to_string());
    }
    output.prepare(Some(model.layout()))?;
    let default = arguments.long.default_trials();
    let sampling = &arguments.sampling;
    let quiet = output.quiet || !engine::is_first_process();
    let (trials, drawing) = sampling.drawing(arguments.trials, default, [&model], quiet)?;
    let metrics = arguments.gathered(model.layout());
    let request = engine::Request {
        model: &model,
        metrics: &metrics,
        metrics_are_asked_for: !arguments.metrics.is_empty(),
        trials,
        drawing: &drawing,
        threads: arguments.threads,
        quiet: output.quiet,
        long: &arguments.long,
    };
    let Some(finished) = request.simulate()? else {
        return Ok(());
    };
    let trials = finished.projection.trials();
    output.deliver(&finished.projection, Some(&loaded.scenario), || {
        let analysed = Analysed::new(&model, &loaded, &drawing, trials, arguments.threads);
        let files = std::slice::from_ref(&arguments.file);
        let again = page::command_line(files, trials, sampling, &arguments.set);
        Some((analysed, again))
    })?;
    finished.unsaved.map_or(Ok(()), Err)
}
