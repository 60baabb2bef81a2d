//! The `buildout` command.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::report::{self, OutputFolder};
use buildout::{Batch, Model, Projection, Scenario, ScenarioError};
use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Simulates data-centre build-outs: when how much capacity is live, how sure that is, and what
/// holds it back.
#[derive(Parser)]
#[command(version, after_help = EXIT_STATUS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 if all went well, 1 if the run or writing failed, \
                           2 if the scenario or the command line is wrong.";

#[derive(Subcommand)]
enum Command {
    /// Runs a scenario and prints what came out
    Run(Run),
}

#[derive(Args)]
#[command(after_help = EXIT_STATUS)]
struct Run {
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

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write KEY=VALUE, such as horizon_months=60".to_owned()),
    }
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}{source}", prefix(source))]
    Scenario {
        #[from]
        source: ScenarioError,
    },
    #[error("error: {0}")]
    Run(#[from] buildout::RunError),
    #[error("error: {0}")]
    Outputs(#[from] report::OutputsError),
    #[error("error: {source}{}", hint(source))]
    Write {
        #[from]
        source: report::WriteError,
    },
    #[error("error: the results could not be made into JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("error: the results could not be printed: {0}")]
    Print(io::Error),
}

/// Problems say themselves that they are errors.
fn prefix(error: &ScenarioError) -> &'static str {
    match error {
        ScenarioError::Invalid(_) => "",
        _ => "error: ",
    }
}

fn hint(error: &report::WriteError) -> &'static str {
    match error {
        report::WriteError::Exists(_) => {
            "\n  help: choose another folder, or overwrite them with --force"
        }
        _ => "",
    }
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Scenario { .. } => ExitCode::from(2),
            // Whoever reads the output has seen enough of it.
            Failure::Print(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            _ => ExitCode::from(1),
        }
    }
}

fn main() -> ExitCode {
    let Command::Run(arguments) = Arguments::parse().command;
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let code = failure.exit_code();
            if code != ExitCode::SUCCESS {
                say(&failure.to_string());
            }
            code
        }
    }
}

/// Says something on standard error, and goes on if nobody can hear it.
fn say(words: &str) {
    let _ = writeln!(io::stderr(), "{words}");
}

fn run(arguments: &Run) -> Result<(), Failure> {
    let scenario = Scenario::from_path_with(&arguments.file, &arguments.set)?;
    let model = scenario.compile()?;
    if !arguments.quiet {
        let warnings = scenario.check();
        if !warnings.is_empty() {
            say(&warnings.to_string());
        }
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
    print(&projection, arguments.format)
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
    let mut out = io::stdout().lock();
    out.write_all(&text)
        .and_then(|()| out.flush())
        .map_err(Failure::Print)
}
