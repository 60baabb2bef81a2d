//! Why the command failed, in words and as its exit status.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use buildout::analysis::compare::{CompareError, MatrixError};
use buildout::analysis::decide::run::DecideError;
use buildout::analysis::drivers::run::DriversRunError;
use buildout::analysis::levers::LeverError;
use buildout::analysis::paired::PairedError;
use buildout::analysis::schedule::ScheduleError;
use buildout::analysis::update::UpdateError;
use buildout::analysis::worth::run::WorthError;
use buildout::import::ImportError;
use buildout::monte_carlo::checkpoint::CheckpointError;
use buildout::monte_carlo::part::PartError;
use buildout::monte_carlo::sample_run::SampleError;
use buildout::problem::is_hidden;
use buildout::report::TrialTableError;
use buildout::sampling::ensemble_file::EnsembleFileError;
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
    #[error("error: {0}")]
    Compare(#[from] CompareError),
    #[error("error: {0}")]
    Matrix(#[from] MatrixError),
    #[error("error: {0}")]
    Levers(#[from] LeverError),
    #[error("error: {0}")]
    Samples(#[from] SampleError),
    #[error("error: {0}")]
    Drivers(#[from] DriversRunError),
    #[error("error: {0}")]
    Worth(#[from] WorthError),
    /// Nothing was decided.
    #[error("error: {0}")]
    Decide(#[from] DecideError),
    #[error(
        "error: {} states a comparison of its own\n  help: give it alone, or scenarios only", .0.display()
    )]
    ComparisonAmongScenarios(PathBuf),
    #[error(
        "error: {} is a part of a comparison\n  help: put its parts together with `buildout compare FILE... --merge PART`", .0.display()
    )]
    PartOfComparison(PathBuf),
    #[error("error: {} exists already\n  help: resume from it with --resume, or name another file", .0.display())]
    CheckpointExists(PathBuf),
    #[error("error: another process is writing {}\n  help: wait until it is done, or name another file", .0.display())]
    CheckpointInUse(PathBuf),
    #[error("error: {}: {error}", path.display())]
    OtherRun { path: PathBuf, error: PartError },
    #[error(
        "error: the trials in {} have not the metrics that are asked for\n  help: resume with those that they have, --metrics {gathered}, or run all trials anew into another file", path.display()
    )]
    OtherMetrics { path: PathBuf, gathered: String },
    #[error(
        "error: {0}\n  help: run the shards that are missing, or report what is there with --partial"
    )]
    Incomplete(PartError),
    #[error(
        "interrupted: {done} trials are done and saved in {}\n  to resume: {command}", path.display()
    )]
    Interrupted {
        path: PathBuf,
        done: u64,
        command: String,
    },
    #[error(
        "error: {error}\n  {done} trials are done and saved in {} instead: move it to where there is room, and resume from it with --checkpoint and --resume", path.display()
    )]
    SavedElsewhere {
        error: CheckpointError,
        path: PathBuf,
        done: u64,
    },
    #[error(
        "error: {error}\n  the results are printed, and their files are in {} instead", folder.display()
    )]
    WrittenElsewhere {
        error: report::WriteError,
        folder: PathBuf,
    },
    #[cfg(feature = "mpi")]
    #[error("error: {0} runs in one process\n  help: leave it out, or start one process")]
    NotOnRanks(&'static str),
    #[cfg(feature = "mpi")]
    #[error(
        "interrupted: what each rank has done is saved beside {}\n  to resume: {command}", path.display()
    )]
    RanksInterrupted { path: PathBuf, command: String },
    /// Processes that worked together were interrupted.
    #[error("interrupted: {0}")]
    StoppedTogether(String),
    #[error("error: interruptions cannot be caught: {0}")]
    Interruptions(ctrlc::Error),
    #[cfg(not(feature = "png"))]
    #[error(
        "error: this build of the command draws no PNG\n  help: build it with `--features png`, or take the SVG"
    )]
    NoPng,
    #[cfg(not(feature = "excel"))]
    #[error(
        "error: this build of the command makes no workbooks\n  help: build it with `--features excel`"
    )]
    NoExcel,
    #[error("error: {0}")]
    Like(#[from] buildout::presets::LikeError),
    #[error("error: {0}")]
    Outputs(#[from] report::OutputsError),
    #[error("error: {0}")]
    Chart(#[from] report::ChartError),
    #[error("error: {source}{}", hint(source))]
    Write {
        #[from]
        source: report::WriteError,
    },
    #[error("error: the results could not be made into JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("error: the results could not be printed: {0}")]
    Print(io::Error),
    /// Everything has been reported already.
    #[error("")]
    Invalid,
    #[error("error: there is no preset \"{wanted}\"{}\n  help: `buildout presets` lists them", did_you_mean(nearest.as_deref()))]
    UnknownPreset {
        wanted: String,
        nearest: Option<String>,
    },
    #[error("error: {0}")]
    Trials(#[from] TrialTableError),
    #[error("error: {0}")]
    Update(#[from] UpdateError),
    #[error(
        "interrupted: what is done is saved in {}\n  to resume: the same command again", .0.display()
    )]
    UpdateInterrupted(PathBuf),
    #[error("error: {0}")]
    Ensemble(#[from] EnsembleFileError),
    #[error("error: {0}")]
    Schedule(#[from] ScheduleError),
    #[error("error: {} names no file", .0.display())]
    NoFileName(PathBuf),
    #[error("error: {} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("error: {}:{}: {}", path.display(), error.line, error.message)]
    Import { path: PathBuf, error: ImportError },
    #[error("error: {0}")]
    Usage(String),
}

/// Problems begin with their severity.
fn prefix(error: &ScenarioError) -> &'static str {
    match error {
        ScenarioError::Invalid(_) => "",
        _ => "error: ",
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| {
        format!("\n  help: did you mean \"{name}\"?")
    })
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
    /// Whether trials were stopped by an interruption.
    pub(crate) fn is_cancellation(&self) -> bool {
        match self {
            Self::Run(RunError::Cancelled)
            | Self::Compare(CompareError::Trials(PairedError::Run(RunError::Cancelled))) => true,
            Self::Samples(error)
            | Self::Drivers(DriversRunError::Samples(error))
            | Self::Worth(WorthError::Samples(error))
            | Self::Decide(DecideError::Samples(error))
            | Self::Compare(CompareError::Decision(DecideError::Samples(error))) => {
                matches!(error, SampleError::Run(RunError::Cancelled))
            }
            _ => false,
        }
    }

    /// The error of a checkpoint that could not be written at the end; else the failure itself.
    pub(crate) fn into_checkpoint_error(self) -> Result<CheckpointError, Box<Self>> {
        match self {
            Self::Run(RunError::Checkpoint(error))
            | Self::Compare(CompareError::Trials(PairedError::Run(RunError::Checkpoint(error)))) => {
                Ok(error)
            }
            other => Err(Box::new(other)),
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status())
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Failure::Scenario { .. }
            | Failure::Invalid
            | Failure::Like(_)
            | Failure::UnknownPreset { .. }
            | Failure::NoFileName(_)
            | Failure::Unreadable { .. }
            | Failure::Import { .. }
            | Failure::Usage(_)
            | Failure::Levers(_)
            | Failure::ComparisonAmongScenarios(_)
            | Failure::PartOfComparison(_)
            | Failure::Run(RunError::Goal(_) | RunError::Design(_) | RunError::Metric(_)) => 2,
            Failure::Outputs(report::OutputsError::Unknown { .. }) => 2,
            #[cfg(not(feature = "png"))]
            Failure::NoPng => 2,
            #[cfg(not(feature = "excel"))]
            Failure::NoExcel => 2,
            Failure::Ensemble(_) => 2,
            Failure::UpdateInterrupted(_) => 130,
            Failure::Update(error) => status_of_update(error),
            Failure::Trials(error) => status_of_trials(error),
            Failure::Schedule(ScheduleError::Milestone(_)) => 2,
            Failure::Compare(CompareError::Trials(PairedError::Run(RunError::Cancelled))) => 130,
            Failure::Compare(CompareError::Trials(PairedError::Run(_))) => 1,
            Failure::Samples(error)
            | Failure::Drivers(DriversRunError::Samples(error))
            | Failure::Worth(WorthError::Samples(error))
            | Failure::Decide(DecideError::Samples(error))
            | Failure::Compare(CompareError::Decision(DecideError::Samples(error))) => {
                match error {
                    SampleError::Run(RunError::Cancelled) => 130,
                    SampleError::Run(_) => 1,
                    _ => 2,
                }
            }
            Failure::Compare(_) => 2,
            Failure::Drivers(_) | Failure::Worth(_) | Failure::Decide(_) | Failure::Matrix(_) => 2,
            #[cfg(feature = "mpi")]
            Failure::NotOnRanks(_) => 2,
            #[cfg(feature = "mpi")]
            Failure::RanksInterrupted { .. } => 130,
            Failure::Interrupted { .. } | Failure::StoppedTogether(_) => 130,
            // Whoever reads the output has seen enough of it.
            Failure::Print(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            _ => 1,
        }
    }
}

/// The exit status where an update failed.
fn status_of_update(error: &UpdateError) -> u8 {
    match error {
        UpdateError::Run(RunError::Cancelled) => 130,
        UpdateError::Observations(_) | UpdateError::Range { .. } => 2,
        _ => 1,
    }
}

/// The exit status where a table of trials was not written.
fn status_of_trials(error: &TrialTableError) -> u8 {
    match error {
        TrialTableError::Trials(SampleError::Run(RunError::Cancelled)) => 130,
        TrialTableError::Trials(
            SampleError::Measure(_) | SampleError::Run(RunError::Design(_)),
        ) => 2,
        #[cfg(not(feature = "parquet"))]
        TrialTableError::NoParquet => 2,
        _ => 1,
    }
}

/// So many of something, by its words for one and for several.
pub(crate) fn counted(number: usize, [one, several]: [&str; 2]) -> String {
    match number {
        0 => format!("no {several}"),
        1 => format!("1 {one}"),
        _ => format!("{number} {several}"),
    }
}

/// Writes to standard error, and continues if that is closed. On a terminal that wants
/// colours, errors, warnings and help have them.
pub(crate) fn say(words: &str) {
    let words = &visible(words);
    let coloured = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    let words = if coloured {
        painted(words)
    } else {
        words.to_owned()
    };
    let _ = writeln!(io::stderr(), "{words}");
}

/// Text in which nothing but line breaks and tabs moves the cursor: what stands in a file may be shown as it is there.
pub(crate) fn visible(words: &str) -> String {
    let followers = words.chars().skip(1).chain([' ']);
    let seen = |(c, next): (char, char)| match c {
        '\n' | '\t' => c,
        '\r' if next == '\n' => c,
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    words.chars().zip(followers).map(seen).collect()
}

/// Prints text to standard output, as [`visible`].
pub(crate) fn print(text: &[u8]) -> Result<(), Failure> {
    let text = visible(&String::from_utf8_lossy(text));
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::Print)
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

fn painted(words: &str) -> String {
    let lines = words.split('\n').map(|line| {
        let paint =
            |part: &str, colour: &str| line.replacen(part, &format!("{colour}{part}{RESET}"), 1);
        let is_carets = |line: &str| {
            let rest = line.split_once("| ").map_or("", |(_, rest)| rest.trim());
            !rest.is_empty() && rest.chars().all(|c| c == '^')
        };
        if line.starts_with("error:") {
            paint("error:", RED)
        } else if line.starts_with("warning:") {
            paint("warning:", YELLOW)
        } else if line.starts_with("  help:") {
            paint("help:", CYAN)
        } else if line.trim_start().starts_with("-->") {
            paint("-->", BLUE)
        } else if is_carets(line) {
            let carets = &line[line.find('^').unwrap_or_default()..];
            paint(carets, RED)
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
