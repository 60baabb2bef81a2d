//! The `buildout` command. Each subcommand has a file of its own.

mod engine;
mod failure;
mod merge;
mod output;
mod replay;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::{Failure, say};

/// Simulates data-centre build-outs: when how much capacity is live, how sure that is, and what
/// holds it back.
#[derive(Parser)]
#[command(version, after_help = EXIT_STATUS)]
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
    /// Runs a scenario and prints what came out
    Run(run::Run),
    /// Puts the checkpoints of shards together and prints what came out
    Merge(merge::Merge),
    /// Runs one trial again and prints what happened in it
    Replay(replay::Replay),
}

impl Command {
    fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Run(arguments) => run::run(arguments),
            Self::Merge(arguments) => merge::run(arguments),
            Self::Replay(arguments) => replay::run(arguments),
        }
    }
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
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
