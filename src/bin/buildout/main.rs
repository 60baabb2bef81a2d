//! The `buildout` command.

mod engine;
mod merge;
mod replay;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use buildout::monte_carlo::part::PartError;
use buildout::report::{self, OutputFolder};
use buildout::{Projection, RunError, Scenario, ScenarioError};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Simulates data-centre build-outs: when how much capacity is live, how sure that is, and what
/// holds it back.
#[derive(Parser)]
#[command(version, after_help = EXIT_STATUS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 if all went well, 1 if the run or writing failed, \
                           2 if the scenario or the command line is wrong, 130 if it was interrupted \
                           and has written a checkpoint.";

#[derive(Subcommand)]
enum Command {
    /// Runs a scenario and prints what came out
    Run(Run),
    /// Puts the checkpoints of shards together and prints what came out
    Merge(merge::Merge),
    /// Runs one trial again and prints what happened in it
    Replay(replay::ReplayArguments),
}

#[derive(Args)]
#[command(after_help = EXIT_STATUS)]
struct Run {
    /// The scenario: a TOML file
    file: PathBuf,
    /// How many trials to run: 10,000 if not given, and with --until at most 10,000,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// The seed of all luck: the same one gives the same results
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
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

/// Where results go.
#[derive(Args)]
struct OutputOptions {
    /// Write projection.json, projection.csv, summary.txt and charts into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
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
    Run(#[from] RunError),
    #[error("error: {} is there already\n  help: go on from it with --resume, or name another file", .0.display())]
    CheckpointExists(PathBuf),
    #[error("error: {}: {error}", path.display())]
    OtherRun { path: PathBuf, error: PartError },
    #[error(
        "error: {0}\n  help: run the shards that are missing, or report what is there with --partial"
    )]
    Incomplete(PartError),
    #[error(
        "interrupted: {done} trials are done and saved in {}\n  to go on: {command}", path.display()
    )]
    Interrupted {
        path: PathBuf,
        done: u64,
        command: String,
    },
    #[error("error: interruptions cannot be caught: {0}")]
    Interruptions(ctrlc::Error),
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
            Failure::Scenario { .. } | Failure::Run(RunError::Goal(_) | RunError::Design(_)) => {
                ExitCode::from(2)
            }
            Failure::Interrupted { .. } => ExitCode::from(130),
            // Whoever reads the output has seen enough of it.
            Failure::Print(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            _ => ExitCode::from(1),
        }
    }
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(arguments) => run(&arguments),
        Command::Merge(arguments) => merge(&arguments),
        Command::Replay(arguments) => arguments.run(),
    };
    match done {
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
    let output = &arguments.output;
    if !output.quiet {
        let warnings = scenario.check();
        if !warnings.is_empty() {
            say(&warnings.to_string());
        }
    }
    output.prepare()?;
    let request = engine::Request {
        model: &model,
        trials: arguments.trials,
        seed: arguments.seed,
        threads: arguments.threads,
        quiet: output.quiet,
        sampling: &arguments.sampling,
        long: &arguments.long,
    };
    match request.simulate()? {
        Some(projection) => output.deliver(&projection),
        None => Ok(()),
    }
}

fn merge(arguments: &merge::Merge) -> Result<(), Failure> {
    arguments.output.prepare()?;
    arguments.output.deliver(&arguments.merged()?)
}

impl OutputOptions {
    fn folder(&self) -> Option<OutputFolder> {
        let path = self.out.as_ref()?;
        Some(OutputFolder::new(path).overwrite(self.force))
    }

    /// Finds out whether files can be written: better before the trials than after.
    fn prepare(&self) -> Result<(), Failure> {
        if let Some(folder) = self.folder() {
            folder.prepare(&report::output_names())?;
        }
        Ok(())
    }

    fn deliver(&self, projection: &Projection) -> Result<(), Failure> {
        if let Some(folder) = self.folder() {
            for path in folder.write(&report::outputs(projection)?)? {
                if !self.quiet {
                    say(&format!("wrote {}", path.display()));
                }
            }
        }
        print(projection, self.format)
    }
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
    print_bytes(text)
}

fn print_bytes(text: Vec<u8>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(&text)
        .and_then(|()| out.flush())
        .map_err(Failure::Print)
}
