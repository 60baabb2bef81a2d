//! How `buildout run` runs trials: designs, checkpoints, shards, goals, and being interrupted.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::monte_carlo::checkpoint::CheckpointError;
use buildout::monte_carlo::part::Part;
use buildout::monte_carlo::stop::{
    DEFAULT_AT_LEAST, DEFAULT_AT_MOST, Goal, Output, Stopped, Until, run_until,
};
use buildout::projection::Layout;
use buildout::sampling::design::{DEFAULT_REPLICATES, Drawing};
use buildout::sampling::ensemble::Ensemble;
use buildout::{Batch, Cancel, Date, Design, Model, Projection, RunError};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::{Failure, say};

/// The seed if none is given.
const DEFAULT_SEED: u64 = 1;

/// How the inputs of trials are drawn.
#[derive(Args)]
pub(crate) struct Sampling {
    /// The seed: the same one gives the same results. If not given, 1, or the seed of an ensemble
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How the inputs of the trials are spread over their distributions: random (independent trials), antithetic (pairs),
    /// latin-hypercube, sobol (scrambled points: fewest trials where few inputs matter), or ensemble:FILE (the trials of
    /// a posterior, as `buildout update` writes it)
    #[arg(long, value_name = "DESIGN", value_parser = method, default_value = "random")]
    design: Method,
    /// In how many independent replicates designs other than random are run, so that their errors can be estimated
    #[arg(long, value_name = "R", default_value_t = DEFAULT_REPLICATES)]
    replicates: u32,
    /// How many trials a Latin hypercube has; if not given, the trials divided by the replicates
    #[arg(long, value_name = "N")]
    hypercube: Option<u64>,
}

#[derive(Clone)]
enum Method {
    Random,
    Antithetic,
    LatinHypercube,
    Sobol,
    Ensemble(PathBuf),
}

fn method(text: &str) -> Result<Method, String> {
    Ok(match text {
        "random" => Method::Random,
        "antithetic" => Method::Antithetic,
        "latin-hypercube" => Method::LatinHypercube,
        "sobol" => Method::Sobol,
        _ => match text.strip_prefix("ensemble:") {
            Some(file) if !file.is_empty() => Method::Ensemble(PathBuf::from(file)),
            _ => {
                return Err(
                    "write random, antithetic, latin-hypercube, sobol or ensemble:FILE".to_owned(),
                );
            }
        },
    })
}

impl Sampling {
    /// How many trials are run, and how their inputs are drawn: as many as asked for, or all of an ensemble, or the default.
    /// Inputs of the models that an ensemble lacks are told of, unless it is to be quiet.
    pub(crate) fn drawing<'a>(
        &self,
        asked: Option<u64>,
        default: u64,
        models: impl IntoIterator<Item = &'a Model>,
        quiet: bool,
    ) -> Result<(u64, Drawing), Failure> {
        let replicates = self.replicates;
        let trials = asked.unwrap_or(default);
        let design = match &self.design {
            Method::Random => Design::Random,
            Method::Antithetic => Design::Antithetic { replicates },
            Method::LatinHypercube => Design::LatinHypercube {
                size: (self.hypercube)
                    .unwrap_or_else(|| trials.div_ceil(u64::from(replicates.max(1))).max(1)),
                replicates,
            },
            Method::Sobol => Design::Sobol { replicates },
            Method::Ensemble(path) => return self.ensemble(path, asked, models, quiet),
        };
        Ok((
            trials,
            Drawing::new(design, self.seed.unwrap_or(DEFAULT_SEED)),
        ))
    }

    /// The words of the command line that say the same.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut say = |option: &str, value: String| words.extend([option.to_owned(), value]);
        let by_seed = self.seed.unwrap_or(DEFAULT_SEED).to_string();
        match &self.design {
            Method::Ensemble(path) => {
                say("--design", format!("ensemble:{}", path.display()));
                return words;
            }
            Method::Random => {}
            Method::Antithetic => say("--design", "antithetic".to_owned()),
            Method::LatinHypercube => say("--design", "latin-hypercube".to_owned()),
            Method::Sobol => say("--design", "sobol".to_owned()),
        }
        say("--seed", by_seed);
        if self.replicates != DEFAULT_REPLICATES {
            say("--replicates", self.replicates.to_string());
        }
        if let Some(size) = self.hypercube {
            say("--hypercube", size.to_string());
        }
        words
    }

    fn ensemble<'a>(
        &self,
        path: &Path,
        asked: Option<u64>,
        models: impl IntoIterator<Item = &'a Model>,
        quiet: bool,
    ) -> Result<(u64, Drawing), Failure> {
        let ensemble = Ensemble::load(path)?;
        if self.seed.is_some_and(|seed| seed != ensemble.seed()) {
            return Err(Failure::Usage(format!(
                "the ensemble {} has the seed {}: leave --seed out",
                path.display(),
                ensemble.seed()
            )));
        }
        for model in models {
            let lacking = model.input_names().filter(|name| !ensemble.has(name));
            let lacking: Vec<&str> = lacking.collect();
            if !quiet && let Some(first) = lacking.first() {
                say(&format!(
                    "note: {} of {} inputs of \"{}\" are not in the ensemble and are drawn as without it, such as \"{first}\"",
                    lacking.len(),
                    model.input_count(),
                    model.name()
                ));
            }
        }
        let trials = asked.unwrap_or(ensemble.trials());
        Ok((trials, Drawing::of(Arc::new(ensemble))))
    }
}

/// Runs that are long, split or open-ended.
#[derive(Args)]
pub(crate) struct LongRun {
    /// Write what is done to this file now and then, when interrupted, and at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// How often to write it, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) checkpoint_every: u64,
    /// Go on from the checkpoint, if it is there
    #[arg(long, requires = "checkpoint")]
    pub(crate) resume: bool,
    /// Run only part I (from 0) of N equal parts, into the checkpoint, for `buildout merge`
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "checkpoint",
          conflicts_with_all = ["until", "out", "format", "json"])]
    pub(crate) shard: Option<Shard>,
    /// Run until this is known so well: "p90(A1 live)=0.1", "p50(installed_pflops@2027-12)=500" or
    /// "probability(TARGET)=0.01"; may be given several times. --trials is then the most trials
    #[arg(long, value_name = "GOAL", value_parser = goal)]
    pub(crate) until: Vec<Goal>,
    /// The confidence with which all goals hold together
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, requires = "until")]
    confidence: f64,
    /// The fewest trials before a goal counts as reached
    #[arg(long, value_name = "N", default_value_t = DEFAULT_AT_LEAST, requires = "until")]
    at_least: u64,
}

#[derive(Clone, Copy)]
pub(crate) struct Shard {
    index: u64,
    of: u64,
}

impl Shard {
    /// The numbers of its trials, of so many.
    pub(crate) fn range(self, trials: u64) -> std::ops::Range<u64> {
        share(trials, self.index, self.of)..share(trials, self.index + 1, self.of)
    }
}

pub(crate) fn shard(text: &str) -> Result<Shard, String> {
    let parsed = text
        .split_once('/')
        .and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match parsed {
        Some((index, of)) if index < of => Ok(Shard { index, of }),
        _ => Err("write I/N with I from 0 to N - 1, such as 0/8".to_owned()),
    }
}

fn goal(text: &str) -> Result<Goal, String> {
    const FORM: &str = "write p90(MILESTONE)=0.1, p50(OUTCOME)=1e6, p50(METRIC@2027-12)=500 or probability(TARGET)=0.01";
    let (kind, name, within) = goal_words(text).ok_or(FORM)?;
    let name = name.to_owned();
    if kind == "probability" {
        return Ok(Goal::Probability { of: name, within });
    }
    let p = level(kind).ok_or(FORM)?;
    let of = match name.rsplit_once('@') {
        None => Output::Milestone(name),
        Some((metric, month)) => {
            let month = month.trim();
            let month: Date = (month.parse())
                .map_err(|_| format!("\"{month}\" is no month: write it as 2027-12"))?;
            let (campus, metric) = match metric.trim().rsplit_once('/') {
                Some((campus, metric)) => (Some(campus.to_owned()), metric),
                None => (None, metric.trim()),
            };
            Output::Metric {
                metric: metric.to_owned(),
                campus,
                month,
            }
        }
    };
    Ok(Goal::Quantile { of, p, within })
}

/// Splits KIND(NAME)=WITHIN, such as p90(A1 live)=0.1.
pub(crate) fn goal_words(text: &str) -> Option<(&str, &str, f64)> {
    let (what, within) = text.rsplit_once('=')?;
    let (kind, name) = what.trim().split_once('(')?;
    let name = name.strip_suffix(')')?;
    Some((kind.trim(), name.trim(), within.trim().parse().ok()?))
}

/// The probability of a quantile: 0.9 for p90.
pub(crate) fn level(kind: &str) -> Option<f64> {
    let percent: f64 = kind.strip_prefix(['p', 'P'])?.parse().ok()?;
    Some(percent / 100.0)
}

/// A goal whose bare name is that of an outcome, if no milestone has it.
fn named(goal: &Goal, layout: &Layout) -> Goal {
    let mut goal = goal.clone();
    if let Goal::Quantile { of, .. } = &mut goal
        && let Output::Milestone(name) = of
        && layout.milestone_index(name).is_none()
        && layout.outcome_index(name).is_some()
    {
        *of = Output::Outcome(std::mem::take(name));
    }
    goal
}

/// Set by Ctrl-C or a request to terminate.
pub(crate) static INTERRUPTED: Cancel = Cancel::new();

/// The first interruption lets the blocks at work finish, the second ends the process at once.
pub(crate) fn listen_for_interruptions(quiet: bool) -> Result<(), Failure> {
    ctrlc::set_handler(move || {
        if INTERRUPTED.is_cancelled() {
            std::process::exit(130);
        }
        INTERRUPTED.cancel();
        if !quiet {
            say("interrupted: finishing the trials at work (again: stop at once)");
        }
    })
    .map_err(Failure::Interruptions)
}

/// Whether this is the only process, or the first of those that an MPI launcher has started together.
pub(crate) fn is_first_process() -> bool {
    #[cfg(feature = "mpi")]
    return buildout::monte_carlo::ranks::Ranks::is_first();
    #[cfg(not(feature = "mpi"))]
    true
}

/// What came out of a run, and why its checkpoint could not be written, if so.
pub(crate) struct Finished {
    pub(crate) projection: Projection,
    pub(crate) unsaved: Option<Failure>,
}

impl Finished {
    fn saved(projection: Projection) -> Self {
        Self {
            projection,
            unsaved: None,
        }
    }
}

/// What a run is asked to do.
pub(crate) struct Request<'a> {
    pub(crate) model: &'a Model,
    /// The metrics to gather; all if empty.
    pub(crate) metrics: &'a [String],
    pub(crate) trials: u64,
    pub(crate) drawing: &'a Drawing,
    pub(crate) threads: usize,
    pub(crate) quiet: bool,
    pub(crate) long: &'a LongRun,
}

impl LongRun {
    /// The most trials if no number of trials is given.
    pub(crate) fn default_trials(&self) -> u64 {
        if self.until.is_empty() {
            DEFAULT_TRIALS
        } else {
            DEFAULT_AT_MOST
        }
    }
}

impl Request<'_> {
    /// A batch of the model that gathers what is asked for.
    pub(crate) fn batch(&self) -> Batch<'_> {
        let batch = Batch::new(self.model);
        if self.metrics.is_empty() {
            return batch;
        }
        batch.metrics(self.metrics.iter().map(String::as_str))
    }

    /// Runs the trials; `None` if it was a shard, whose results are in its file, or another rank has the results.
    pub(crate) fn simulate(&self) -> Result<Option<Finished>, Failure> {
        listen_for_interruptions(self.quiet)?;
        #[cfg(feature = "mpi")]
        if buildout::monte_carlo::ranks::Ranks::are_launched() {
            let projection = crate::ranks::simulate(self)?;
            return Ok(projection.map(Finished::saved));
        }
        let trials = self.trials;
        let bar = progress_bar(trials, self.quiet);
        let mut batch = self
            .batch()
            .trials(trials)
            .drawing(self.drawing.clone())
            .threads(self.threads)
            .cancelled_by(&INTERRUPTED)
            .on_unsaved(|error| bar.suspend(|| say(&format!("warning: {error}"))))
            .on_progress(|done, of| {
                bar.set_length(of);
                bar.set_position(done);
            });
        if let Some(path) = &self.long.checkpoint {
            batch = batch.checkpoint(path, Duration::from_secs(self.long.checkpoint_every));
        }
        let mut part = self.begin(&batch)?;
        if let Some(shard) = self.long.shard {
            batch = batch.trial_range(shard.range(trials));
        }
        bar.set_position(part.done().count());
        bar.reset_eta();
        let result = if self.long.until.is_empty() {
            batch.advance(&mut part).map(|()| None)
        } else {
            let until = Until {
                goals: (self.long.until.iter())
                    .map(|goal| named(goal, self.model.layout()))
                    .collect(),
                confidence: self.long.confidence,
                at_least: self.long.at_least.min(trials),
                at_most: trials,
            };
            run_until(
                std::slice::from_mut(&mut batch),
                &until,
                std::slice::from_mut(&mut part),
            )
            .map(|stopped| Some((until, stopped)))
        };
        bar.finish_and_clear();
        match result {
            Ok(stopped) => {
                if let Some((until, stopped)) = stopped.filter(|_| !self.quiet) {
                    say(&tell(&until, &stopped));
                }
                if self.long.shard.is_some() {
                    return Ok(None);
                }
                let projection = part.into_projection().map_err(RunError::from)?;
                Ok(Some(Finished::saved(projection)))
            }
            Err(RunError::Cancelled) => Err(self.interrupted(&part)?),
            Err(RunError::Checkpoint(error)) => self.unsaved(part, error),
            Err(other) => Err(other.into()),
        }
    }

    /// What becomes of trials that could not be written where they were to be.
    fn unsaved(&self, part: Part, error: CheckpointError) -> Result<Option<Finished>, Failure> {
        let is_whole = self.long.shard.is_none() && !INTERRUPTED.is_cancelled();
        if is_whole && part.done().count() > 0 {
            let projection = part.into_projection().map_err(RunError::from)?;
            let unsaved = Some(RunError::from(error).into());
            return Ok(Some(Finished {
                projection,
                unsaved,
            }));
        }
        let folders = [PathBuf::new(), std::env::temp_dir()];
        for folder in folders {
            let path = reserve_name(&folder, self.model.name(), self.drawing.seed());
            if part.save(&path).is_ok() {
                return Err(Failure::SavedElsewhere {
                    error,
                    done: part.done().count(),
                    path,
                });
            }
            // Only the empty file that was just made; nothing half written stays.
            let _ = fs::remove_file(&path);
        }
        Err(RunError::from(error).into())
    }

    /// What is done already: the checkpoint, if it is to be gone on from, or nothing.
    fn begin(&self, batch: &Batch<'_>) -> Result<Part, Failure> {
        let part = batch.begin()?;
        let Some(path) = self.long.checkpoint.as_ref().filter(|path| path.exists()) else {
            // Better now than after the first minute.
            if let Some(path) = &self.long.checkpoint {
                part.save(path).map_err(RunError::from)?;
            }
            return Ok(part);
        };
        if !self.long.resume {
            return Err(Failure::CheckpointExists(path.clone()));
        }
        let mut there = Part::load(path).map_err(RunError::from)?;
        (part.check_run(there.provenance())).map_err(|error| Failure::OtherRun {
            path: path.clone(),
            error,
        })?;
        there.set_trials(part.trials());
        let done = there.done().count();
        if done > part.trials() && self.long.shard.is_none() {
            // Not what was asked for, so it is told even where notes are not wanted.
            say(&format!(
                "warning: {} has {done} trials, more than the {} that were asked for: the results are of {done}",
                path.display(),
                part.trials()
            ));
        } else if !self.quiet {
            say(&format!(
                "going on from {}: {done} trials are done",
                path.display()
            ));
        }
        Ok(there)
    }

    fn interrupted(&self, part: &Part) -> Result<Failure, Failure> {
        let path = match &self.long.checkpoint {
            // The batch has written it.
            Some(path) => path.clone(),
            None => {
                let path = reserve_name(Path::new(""), self.model.name(), self.drawing.seed());
                if let Err(error) = part.save(&path) {
                    // Only the empty file that was just made; nothing half written stays.
                    let _ = fs::remove_file(&path);
                    return Err(RunError::from(error).into());
                }
                path
            }
        };
        Ok(Failure::Interrupted {
            done: part.done().count(),
            command: command_to_resume(&path, self.long),
            path,
        })
    }
}

/// A bar on a terminal, nothing elsewhere.
pub(crate) fn progress_bar(trials: u64, quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(trials), ProgressDrawTarget::stderr());
    let template = "{wide_bar} {human_pos} of {human_len} trials, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// The first trial of a shard: trials x index / of, without overflow.
fn share(trials: u64, index: u64, of: u64) -> u64 {
    (u128::from(trials) * u128::from(index) / u128::from(of)) as u64
}

/// Makes an empty file under a name that no file has yet, so that two runs that are interrupted at
/// once do not write to the same one. If none can be made, writing to it will say why.
pub(crate) fn reserve_name(folder: &Path, scenario: &str, seed: u64) -> PathBuf {
    let stem: String = scenario
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(40)
        .collect();
    let mut number = 0_u32;
    loop {
        let path = match number {
            0 => folder.join(format!("{stem}-seed-{seed}.checkpoint")),
            _ => folder.join(format!("{stem}-seed-{seed}-{number}.checkpoint")),
        };
        match fs::File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            _ => return path,
        }
    }
}

/// The command that was given, with what it takes to go on.
pub(crate) fn command_to_resume(path: &Path, long: &LongRun) -> String {
    let mut words: Vec<String> = std::env::args().collect();
    if long.checkpoint.is_none() {
        words.extend(["--checkpoint".to_owned(), path.display().to_string()]);
    }
    if !long.resume {
        words.push("--resume".to_owned());
    }
    as_typed(&words)
}

/// Words as one types them into a shell.
pub(crate) fn as_typed(words: &[String]) -> String {
    let quote = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// How well the goals are known, to read.
fn tell(until: &Until, stopped: &Stopped) -> String {
    let all = if stopped.is_reached() {
        "all goals are reached"
    } else {
        "not all goals are reached, and these are the most trials that were asked for"
    };
    let mut text = format!(
        "{} trials: {all} ({} % confidence)",
        stopped.trials,
        until.confidence * 100.0
    );
    for (goal, known) in until.goals.iter().zip(stopped.known.iter().flatten()) {
        let (name, within) = match goal {
            Goal::Quantile { of, p, within } => {
                let of = match of {
                    Output::Milestone(name) | Output::Outcome(name) => name.clone(),
                    Output::Metric { metric, month, .. } => format!("{metric}@{month}"),
                    _ => String::new(),
                };
                (format!("p{}({of})", p * 100.0), *within)
            }
            Goal::Probability { of, within } => (format!("probability({of})"), *within),
            _ => continue,
        };
        let mark = if known.reached { "known" } else { "NOT known" };
        text += &format!(
            "\n  {name}: {:.6} to {:.6}, {mark} to ±{within}",
            known.low, known.high
        );
    }
    text
}
