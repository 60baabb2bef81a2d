//! Why the command failed, in words and as its exit status.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use buildout::monte_carlo::part::PartError;
use buildout::{RunError, ScenarioError, report};

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
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
    pub(crate) fn exit_code(&self) -> ExitCode {
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

/// Says something on standard error, and goes on if nobody can hear it.
pub(crate) fn say(words: &str) {
    let _ = writeln!(io::stderr(), "{words}");
}
