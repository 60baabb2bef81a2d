//! How commands run trials: designs, goals, progress, and being interrupted.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::monte_carlo::part::Part;
use buildout::monte_carlo::stop::{
    DEFAULT_AT_LEAST, DEFAULT_AT_MOST, Goal, Stopped, Until, run_until,
};
use buildout::projection::{Layout, Measure, MetricTime};
use buildout::sampling::design::{DEFAULT_REPLICATES, Drawing};
use buildout::sampling::ensemble::Ensemble;
use buildout::{Batch, Cancel, Date, Design, Model, Projection, RunError};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::{Failure, say};
use crate::long::{Job, Saving};

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
    /// Inputs of the models that an ensemble lacks are reported, unless it is to be quiet.
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
    #[command(flatten)]
    pub(crate) saving: Saving,
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

impl LongRun {
    /// The milestones that goals name.
    pub(crate) fn milestones(&self) -> impl Iterator<Item = &String> {
        self.until.iter().filter_map(|goal| match goal {
            Goal::Quantile {
                of: Measure::Milestone(name),
                ..
            }
            | Goal::Probability { of: name, .. } => Some(name),
            _ => None,
        })
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
        None => Measure::Milestone(name),
        Some((metric, month)) => {
            let month = month.trim();
            let month: Date = (month.parse())
                .map_err(|_| format!("\"{month}\" is no month: write it as 2027-12"))?;
            let (campus, metric) = match metric.trim().rsplit_once('/') {
                Some((campus, metric)) => (Some(campus.to_owned()), metric),
                None => (None, metric.trim()),
            };
            Measure::Metric {
                metric: metric.to_owned(),
                campus,
                at: MetricTime::Month(month),
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
        && let Measure::Milestone(name) = of
        && layout.milestone_index(name).is_none()
        && layout.outcome_index(name).is_some()
    {
        *of = Measure::Outcome(std::mem::take(name));
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

/// What a run is asked to do.
pub(crate) struct Request<'a> {
    pub(crate) model: &'a Model,
    /// The metrics to gather; all if empty.
    pub(crate) metrics: &'a [String],
    /// Whether these are those of the command line, which resuming it names again.
    pub(crate) metrics_are_asked_for: bool,
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
        let bar = progress_bar(self.trials, self.quiet);
        let job = Job {
            name: self.model.name(),
            trials: self.trials,
            drawing: self.drawing,
            threads: self.threads,
            quiet: self.quiet,
            saving: &self.long.saving,
            has_goals: !self.long.until.is_empty(),
            bar: &bar,
            chosen: if self.metrics_are_asked_for {
                &[]
            } else {
                self.metrics
            },
        };
        let make = || {
            let batch = self.batch().drawing(self.drawing.clone());
            batch.trials(self.trials).on_progress(|done, of| {
                bar.set_length(of);
                bar.set_position(done);
            })
        };
        let done = job.run(make, |batch, part| self.advance(batch, part));
        bar.finish_and_clear();
        let Some(done) = done? else {
            return Ok(None);
        };
        if let Some(reported) = done.reported.flatten().filter(|_| !self.quiet) {
            say(&reported);
        }
        Ok(Some(Finished {
            projection: done.part.into_projection().map_err(RunError::from)?,
            unsaved: done.unsaved,
        }))
    }

    /// Runs all trials of the batch, or until the goals are known, which is then reported.
    fn advance(&self, batch: &mut Batch<'_>, part: &mut Part) -> Result<Option<String>, Failure> {
        if self.long.until.is_empty() {
            batch.advance(part)?;
            return Ok(None);
        }
        let goals = self.long.until.iter();
        let until = Until {
            goals: goals.map(|goal| named(goal, self.model.layout())).collect(),
            confidence: self.long.confidence,
            at_least: self.long.at_least.min(self.trials),
            at_most: self.trials,
        };
        let (batches, parts) = (std::slice::from_mut(batch), std::slice::from_mut(part));
        let stopped = run_until(batches, &until, parts)?;
        Ok(Some(tell(&until, &stopped)))
    }
}

/// A bar on a terminal, nothing elsewhere.
pub(crate) fn progress_bar(trials: u64, quiet: bool) -> ProgressBar {
    if quiet || !is_first_process() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(trials), ProgressDrawTarget::stderr());
    let template = "{wide_bar} {human_pos} of {human_len} trials, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
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
                    Measure::Milestone(name) | Measure::Outcome(name) => name.clone(),
                    Measure::Metric {
                        metric,
                        at: MetricTime::Month(month),
                        ..
                    } => format!("{metric}@{month}"),
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
