//! `buildout drivers`: what drives a result, from one batch of trials.

use std::path::PathBuf;

use buildout::Model;
use buildout::analysis::drivers::report::DriversReport;
use buildout::analysis::drivers::run::{DEFAULT_CONFIRMING_TRIALS, DriversRun};
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::monte_carlo::stop::{DEFAULT_AT_LEAST, Until};
use buildout::report::{
    DRIVERS_OUTPUTS, OutputFolder, drivers, drivers_csv, drivers_markdown, drivers_outputs,
};
use buildout::sampling::design::Drawing;
use clap::{Args, ValueEnum};

use crate::failure::{Failure, print, say};
use crate::kept::{KeptTrials, Together};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine, load};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout drivers scenario.toml                              of the target that is the least sure
  buildout drivers scenario.toml --of 'A1 live' --of it_power_mw@2027-12
  buildout drivers scenario.toml --of '50 MW by 2032' --when missed
  buildout drivers scenario.toml --group 'the grid=*/grid*,*substation*'
  buildout drivers scenario.toml --confirm 8                  more trials, to tell noise from interaction
  buildout drivers scenario.toml --trials 1000000 --shard 0/8 --checkpoint 0.samples

Of each input that stands out from chance: the share of the variance that knowing it would take away (first-order
index), the result at its P10 and P90, how far it moves the whole distribution (delta, PAWN), and where inputs are
correlated its partial rank correlation. From one batch of trials, which needs no design.

{EXIT_STATUS}"))]
pub(crate) struct DriversCommand {
    /// The scenario: a TOML file or an Excel workbook
    file: PathBuf,
    /// Of which result: the name of a target, milestone or outcome, METRIC@2027-12, CAMPUS/METRIC@2027-12, or a metric
    /// alone for the end of the horizon; may be given several times. If not given, the target that is the least sure
    #[arg(long, value_name = "RESULT")]
    of: Vec<String>,
    /// Find the conditions on inputs under which a target is missed
    #[arg(long, value_enum, value_name = "missed")]
    when: Option<When>,
    /// Also analyse these inputs together; may be given several times. Groups that names suggest are always analysed
    #[arg(long, value_name = "NAME=PATTERN,…", value_parser = group)]
    group: Vec<(String, Vec<String>)>,
    /// Confirm the N leading inputs by trials of their own (pick-freeze): what each does alone, with others, and what
    /// process noise does
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    confirm: Option<u64>,
    /// How many trials each of the two samples has; N + 3 times as many are run
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CONFIRMING_TRIALS, requires = "confirm",
          value_parser = clap::value_parser!(u64).range(50..=1_000_000))]
    confirm_trials: u64,
    /// Screen all inputs along R trajectories (Morris): R times as many trials as there are inputs, and one
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(2..=10_000))]
    screen: Option<u64>,
    /// How many trials to run: 10,000 if not given, or all of an ensemble
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    trials: Option<u64>,
    #[command(flatten)]
    sampling: engine::Sampling,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    kept: KeptTrials,
    /// Run until the first-order index of every input is known to ± so much, with 95 % confidence, such as index=0.02;
    /// --trials is then the most trials, 1,000,000 if not given
    #[arg(long, value_name = "GOAL", value_parser = index_goal)]
    until: Option<f64>,
    /// The fewest trials before the goal counts as reached
    #[arg(long, value_name = "N", default_value_t = DEFAULT_AT_LEAST, requires = "until")]
    at_least: u64,
    /// Write drivers.json, drivers.csv, drivers.txt, drivers.md and a chart (drivers.svg) into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print all of it as JSON: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// No progress bar, warnings or notes
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    /// The failing trials, described by two or three conditions
    Missed,
}

/// How an analysis is printed.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// Tables to read
    Table,
    /// All of it as JSON
    Json,
    /// A line for each number as comma-separated values
    Csv,
    /// Tables for a wiki or a mail
    Markdown,
}

/// The most trials whose samples are held in memory.
pub(crate) const MOST_TRIALS: u64 = 1_000_000;

fn index_goal(text: &str) -> Result<f64, String> {
    half_width("index", text)
}

/// The half width of KIND=WITHIN.
pub(crate) fn half_width(kind: &str, text: &str) -> Result<f64, String> {
    let words = text.split_once('=').filter(|(left, _)| left.trim() == kind);
    let within = words.and_then(|(_, within)| within.trim().parse::<f64>().ok());
    (within.filter(|within| within.is_finite() && *within > 0.0))
        .ok_or_else(|| format!("write {kind}=WITHIN with a number above 0, such as {kind}=0.02"))
}

/// Splits NAME=PATTERN,PATTERN.
pub(crate) fn group(text: &str) -> Result<(String, Vec<String>), String> {
    let (name, patterns) = key_and_value(text)
        .map_err(|_| "write NAME=PATTERN,PATTERN, such as 'shells=*/shell'".to_owned())?;
    let patterns = patterns.split(',').map(|pattern| pattern.trim().to_owned());
    Ok((name, patterns.collect()))
}

pub(crate) fn run(arguments: &DriversCommand) -> Result<(), Failure> {
    let (loaded, model) = load::with_milestones(&arguments.file, &arguments.set, &arguments.of)?;
    if !arguments.quiet && !loaded.warnings.is_empty() {
        say(&loaded.warnings.to_string());
    }
    let folder =
        (arguments.out.as_ref()).map(|path| OutputFolder::new(path).overwrite(arguments.force));
    if let Some(folder) = &folder {
        let further = (2..=arguments.of.len()).map(|number| format!("drivers-{number}.svg"));
        let further: Vec<String> = further.collect();
        let names = DRIVERS_OUTPUTS
            .into_iter()
            .chain(further.iter().map(String::as_str));
        folder.prepare(&names.collect::<Vec<&str>>())?;
    }
    let (trials, drawing) = (arguments.sampling).drawing(
        arguments.trials,
        arguments.until.map_or(DEFAULT_TRIALS, |_| MOST_TRIALS),
        [&model],
        arguments.quiet,
    )?;
    let bar = engine::progress_bar(trials, arguments.quiet);
    let progress = |done: u64, of: u64| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let together = Together::join();
    let about = (model.name(), drawing.seed(), arguments.quiet);
    let session = arguments.kept.open(&together, about)?;
    let search = (arguments.search(&model, trials, drawing))
        .threads(together.threads(arguments.threads))
        .on_progress(progress)
        .cancelled_by(&engine::INTERRUPTED)
        .kept(&session.runs);
    engine::listen_for_interruptions(arguments.quiet)?;
    if session.is_shard([search.sample_run()], trials)? {
        bar.finish_and_clear();
        return Ok(());
    }
    let report = search.run();
    bar.finish_and_clear();
    let told = session.end(report.map_err(Failure::from))?;
    if !session.is_first() {
        return Ok(());
    }
    let report = told.results;
    if let Some(folder) = &folder {
        for path in folder.write(&drivers_outputs(&report)?)? {
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
    print(&in_format(&report, format)?)?;
    told.unsaved.map_or(Ok(()), Err)
}

impl DriversCommand {
    fn search<'a>(&self, model: &'a Model, trials: u64, drawing: Drawing) -> DriversRun<'a> {
        let mut search = DriversRun::new(model)
            .of(&self.of)
            .trials(trials)
            .drawing(drawing)
            .failures(self.when.is_some());
        if let Some(index) = self.until {
            search = search.until(Until {
                at_least: self.at_least.min(trials),
                at_most: trials,
                ..Until::new(vec![index])
            });
        }
        for (name, patterns) in &self.group {
            search = search.group(name, patterns.clone());
        }
        if let Some(leading) = self.confirm {
            search = search.confirm(leading as usize, self.confirm_trials);
        }
        match self.screen {
            Some(trajectories) => search.screen(trajectories),
            None => search,
        }
    }
}

fn in_format(report: &DriversReport, format: Format) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        Format::Table => drivers(report).into_bytes(),
        Format::Csv => drivers_csv(report).into_bytes(),
        Format::Markdown => drivers_markdown(report).into_bytes(),
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(report)?;
            json.push(b'\n');
            json
        }
    })
}
