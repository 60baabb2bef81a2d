//! Why the command failed, in words and as its exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use buildout::{ScenarioError, report};

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
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
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Scenario { .. } => ExitCode::from(2),
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
