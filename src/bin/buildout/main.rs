//! The `buildout` command. Each subcommand has a file of its own.

mod backtest;
mod compare;
mod convert;
mod decide;
mod drivers;
mod engine;
mod failure;
mod fit;
mod import;
mod kept;
mod levers;
mod live;
mod load;
mod long;
mod merge;
mod new;
mod output;
mod page;
mod presets;
#[cfg(feature = "mpi")]
mod ranks;
mod replay;
mod report;
mod run;
mod schedule;
mod set;
mod shell;
mod status;
mod trials;
mod update;
mod validate;
mod worth;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use failure::{Failure, say};

/// Simulates data-centre build-outs: when how much capacity is live, how sure that is, and what
/// holds it back.
#[derive(Parser)]
#[command(version, after_help = format!("\
Examples:
  buildout new                     a commented scenario to begin from
  buildout validate scenario.toml  everything that is wrong or unlikely, at once
  buildout run scenario.toml       the answer in a table
  buildout report scenario.toml    the answer as a page to open in a browser

{EXIT_STATUS}
Results and what was asked for go to standard output, all else to standard error. Colours appear on
a terminal only, and never with NO_COLOR set."))]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The exit statuses, as every help text ends.
const EXIT_STATUS: &str = "Exit status: 0 if all went well, 1 if the run or writing failed, \
                           2 if the scenario or the command line is wrong, 130 if it was interrupted \
                           and has written a checkpoint.";

#[derive(Subcommand)]
enum Command {
    /// Writes a commented scenario file to begin from
    New(new::New),
    /// Makes a scenario of a schedule from Microsoft Project (XML) or Primavera (XER)
    Import(import::Import),
    /// Makes an Excel workbook of a scenario, or a TOML file of a workbook
    Convert(convert::Convert),
    /// Lists everything that is wrong or unlikely in scenarios, at once
    Validate(validate::Validate),
    /// Sets values in a scenario file, which keeps its comments
    Set(set::Set),
    /// Brings what has started and finished into a scenario file, from an updated schedule or a table
    Status(status::Status),
    /// Runs a scenario and prints the results
    Run(run::Run),
    /// Shows when each activity happens, what float it has, and how often it drives the end
    Schedule(schedule::Schedule),
    /// Merges the checkpoints of shards and prints the results
    Merge(merge::Merge),
    /// Runs one trial again and prints what happened in it
    Replay(replay::Replay),
    /// Compares scenarios, or a matrix of them, on common random numbers
    Compare(compare::Compare),
    /// Shows what drives a result: which inputs its spread comes from, and when a target is missed
    Drivers(drivers::DriversCommand),
    /// Values changes of a plan, and knowing more before choosing
    Worth(worth::Worth),
    /// Chooses a plan of a comparison, with its value and regret in each world
    Decide(decide::Decide),
    /// Shows what each lever of policy gains, on common random numbers
    Levers(levers::Levers),
    /// Fits distributions to a table of finished and unfinished projects
    Fit(fit::Fit),
    /// Scores forecasts against what was observed, beside naive ones
    Backtest(backtest::Backtest),
    /// Makes one page to open in a browser, of one scenario or several side by side
    Report(report::Report),
    /// Writes every trial's inputs, milestones, targets and outcomes as a table
    Trials(trials::Trials),
    /// Updates a forecast by what has happened, and writes the posterior as an ensemble
    Update(update::Update),
    /// Lists and shows published figures to build scenarios from
    Presets(presets::Presets),
    /// Prints the JSON Schema of scenario files, by which editors complete and check them
    Schema(shell::Schema),
    /// Prints completions for a shell
    Completions(shell::Completions),
    /// Prints the manual page
    Man(shell::Man),
}

impl Command {
    fn run(&self) -> Result<(), Failure> {
        match self {
            Self::New(arguments) => new::run(arguments),
            Self::Import(arguments) => import::run(arguments),
            Self::Convert(arguments) => convert::run(arguments),
            Self::Validate(arguments) => validate::run(arguments),
            Self::Set(arguments) => set::run(arguments),
            Self::Status(arguments) => status::run(arguments),
            Self::Run(arguments) => run::run(arguments),
            Self::Schedule(arguments) => schedule::run(arguments),
            Self::Merge(arguments) => merge::run(arguments),
            Self::Replay(arguments) => replay::run(arguments),
            Self::Compare(arguments) => compare::run(arguments),
            Self::Drivers(arguments) => drivers::run(arguments),
            Self::Worth(arguments) => worth::run(arguments),
            Self::Decide(arguments) => decide::run(arguments),
            Self::Levers(arguments) => levers::run(arguments),
            Self::Fit(arguments) => fit::run(arguments),
            Self::Backtest(arguments) => backtest::run(arguments),
            Self::Report(arguments) => report::run(arguments),
            Self::Trials(arguments) => trials::run(arguments),
            Self::Update(arguments) => update::run(arguments),
            Self::Presets(arguments) => presets::run(arguments),
            Self::Schema(arguments) => shell::schema(arguments),
            Self::Completions(arguments) => shell::completions(arguments),
            Self::Man(arguments) => shell::man(arguments),
        }
    }
}

fn main() -> ExitCode {
    let read = Arguments::command().try_get_matches().and_then(|matches| {
        keep_to_threads(&matches);
        Arguments::from_arg_matches(&matches)
    });
    let arguments = read.unwrap_or_else(|error| {
        if let Some(file) = file_for_a_subcommand(&error) {
            say(&format!(
                "error: '{file}' is a file, not a subcommand\n  help: did you mean `buildout run {file}`?"
            ));
            std::process::exit(2);
        }
        error.exit()
    });
    match arguments.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let code = failure.exit_code();
            let words = failure.to_string();
            if code != ExitCode::SUCCESS && !words.is_empty() && engine::is_first_process() {
                say(&words);
            }
            code
        }
    }
}

/// What runs beside trials, such as percentiles and analyses, takes no more threads than were asked for either.
fn keep_to_threads(matches: &ArgMatches) {
    let asked = matches
        .subcommand()
        .and_then(|(_, given)| given.try_get_one::<usize>("threads").ok());
    if let Some(Some(&threads)) = asked {
        // More than there are processors gain nothing here. It fails only where the pool is there already.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(processors.min(threads));
        let _ = pool.build_global();
    }
}

/// What was given in place of a subcommand, if that is a scenario.
fn file_for_a_subcommand(error: &clap::Error) -> Option<String> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    match error.get(ContextKind::InvalidSubcommand)? {
        ContextValue::String(word) if [".toml", ".xlsx"].iter().any(|end| word.ends_with(end)) => {
            Some(word.clone())
        }
        _ => None,
    }
}
