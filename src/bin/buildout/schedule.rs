//! `buildout schedule`: when each activity of a scenario happens, and what drives the end.

use std::path::PathBuf;

use buildout::analysis::schedule::ScheduleReport;
use buildout::report::OutputFolder;
use clap::{Args, ValueEnum};

use crate::failure::{Failure, print, say};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine, load};

/// Enough for a criticality index within 3 % (two standard errors).
const DEFAULT_TRIALS: u64 = 2_000;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout schedule scenario.toml
  buildout schedule scenario.toml --milestone 'A1 live' --out schedule
  buildout schedule scenario.toml --format csv > schedule.csv

Of each activity: dates and floats of the plan (the critical path of the medians), P10, P50 and P90 of
its start and finish, how often it drives the milestone (criticality index), the rank correlation of
its duration with the milestone's date (cruciality), the schedule sensitivity index, and how often each
thing is what it waits for to the last. The probability of a date and an amount together is asked for by
a [[targets]] entry with `milestone`, `metric`, `at_least` and `by`, and answered by `buildout run`.

{EXIT_STATUS}"))]
pub(crate) struct Schedule {
    /// The scenario: a TOML file or an Excel workbook
    file: PathBuf,
    /// The milestone whose drivers are sought; if not given, the end of all construction
    #[arg(long, value_name = "NAME")]
    milestone: Option<String>,
    /// How many trials to run: 2,000 if not given, or all of an ensemble
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    #[command(flatten)]
    sampling: engine::Sampling,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// Write schedule.json, schedule.csv, schedule.txt and gantt.svg into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// No warnings or notes
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Tables to read
    Table,
    /// All of it as JSON
    Json,
    /// A line for each activity as comma-separated values
    Csv,
    /// The Gantt chart as SVG
    Svg,
}

pub(crate) fn run(arguments: &Schedule) -> Result<(), Failure> {
    let (loaded, model) =
        load::with_milestones(&arguments.file, &arguments.set, &arguments.milestone)?;
    if !arguments.quiet && !loaded.warnings.is_empty() {
        say(&loaded.warnings.to_string());
    }
    let folder =
        (arguments.out.as_ref()).map(|path| OutputFolder::new(path).overwrite(arguments.force));
    if let Some(folder) = &folder {
        folder.prepare(ScheduleReport::output_names())?;
    }
    let (trials, drawing) = (arguments.sampling).drawing(
        arguments.trials,
        DEFAULT_TRIALS,
        [&model],
        arguments.quiet,
    )?;
    let milestone = arguments.milestone.as_deref();
    let report = model.schedule_report(drawing, trials, milestone)?;
    if let Some(folder) = &folder {
        for path in folder.write(&report.outputs()?)? {
            if !arguments.quiet {
                say(&format!("wrote {}", path.display()));
            }
        }
    }
    print(&match arguments.format {
        Format::Table => report.text().into_bytes(),
        Format::Csv => report.csv().into_bytes(),
        Format::Svg => report.gantt_svg().into_bytes(),
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(&report)?;
            json.push(b'\n');
            json
        }
    })
}
