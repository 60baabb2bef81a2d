//! A batch: many trials of one model on all threads, gathered into a projection.
//!
//! Workers take blocks of trial numbers from a common counter. Where the trials are one replicate, or stay in one
//! for long, each gathers what it simulates in a projection of its own; where a design goes from
//! replicate to replicate, all share the projections of the part, so that there is one for each
//! replicate and not one for each replicate and worker. Absorbing and merging are exact, so neither the
//! number of threads nor who took which block leaves a trace in the result.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::checkpoint::{CheckpointError, remove_leftovers};
use super::part::{Part, PartError};
use super::stop::GoalError;
use crate::model::Model;
use crate::projection::{LayoutError, Projection, ProjectionError, TrialRow};
use crate::sampling::design::{Design, DesignError, Sampling};
use crate::trial::Workspace;

/// More threads than these gain nothing, and each takes the memory of a projection.
pub(crate) const MOST_THREADS: usize = 1_024;

/// How many trials are run if nothing else is said.
pub const DEFAULT_TRIALS: u64 = 10_000;
/// The most trials of one block.
const LARGEST_BLOCK: usize = 64;
/// About what the results of one block may take in memory, so that a block stays in cache.
const BLOCK_VALUES: usize = 1 << 18;
/// From so many trials in a row of one replicate on, for each worker, a projection of its own pays
/// for being merged.
const LONG_RUN: u64 = 1 << 12;

/// Why a batch did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No trial was asked for.
    #[error("a batch of 0 trials says nothing: ask for 1 trial or more")]
    NoTrials,
    /// The threads could not be started.
    #[error("the threads could not be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The model has a layout that no projection can have.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Parts of the run do not fit together.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The sampling design cannot be.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// A part of another run was to be continued.
    #[error(transparent)]
    Part(#[from] PartError),
    /// A goal of a run cannot be pursued.
    #[error(transparent)]
    Goal(#[from] GoalError),
    /// A checkpoint could not be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It was cancelled by its [`Cancel`].
    #[error("the run was cancelled")]
    Cancelled,
}

/// Told, as a batch goes on, how many trials are done of how many.
pub type OnProgress<'a> = dyn Fn(u64, u64) + Sync + 'a;

/// Stops a running batch from another thread.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Not cancelled.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks the batch to stop; each worker does so after its block.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A batch of trials that is about to run.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use buildout::{Batch, Date, Scenario, site::Campus};
/// let mut scenario = Scenario::new("empty land", Date::month(2025, 1)?, 12);
/// scenario.campuses.push(Campus::new("north"));
/// let projection = Batch::new(&scenario.compile()?).trials(100).seed(7).run()?;
/// assert_eq!(projection.trials(), 100);
/// # Ok(())
/// # }
/// ```
pub struct Batch<'a> {
    model: &'a Model,
    trials: Range<u64>,
    seed: u64,
    design: Design,
    threads: Option<usize>,
    on_progress: Option<Box<OnProgress<'a>>>,
    cancel: Option<&'a Cancel>,
    checkpoint: Option<(PathBuf, Duration)>,
}

impl<'a> Batch<'a> {
    /// A batch of [`DEFAULT_TRIALS`] independent trials of `model` with seed 0 on all processors.
    pub fn new(model: &'a Model) -> Self {
        Self {
            model,
            trials: 0..DEFAULT_TRIALS,
            seed: 0,
            design: Design::Random,
            threads: None,
            on_progress: None,
            cancel: None,
            checkpoint: None,
        }
    }

    /// Runs the trials 0 to `trials` - 1.
    #[must_use]
    pub fn trials(self, trials: u64) -> Self {
        self.trial_range(0..trials)
    }

    /// Runs the trials of these numbers.
    #[must_use]
    pub fn trial_range(mut self, trials: Range<u64>) -> Self {
        self.trials = trials;
        self
    }

    pub(super) fn set_trials(&mut self, trials: u64) {
        self.trials = 0..trials;
    }

    /// Sets the seed, on which all luck depends.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how the inputs of the trials are spread.
    #[must_use]
    pub fn design(mut self, design: Design) -> Self {
        self.design = design;
        self
    }

    /// Sets the number of threads, of which 1,024 are used at most; 0 stands for as many as there are processors.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = (threads > 0).then_some(threads);
        self
    }

    /// Calls `report` with the trials done and the trials asked for, after each block.
    #[must_use]
    pub fn on_progress(mut self, report: impl Fn(u64, u64) + Sync + 'a) -> Self {
        self.on_progress = Some(Box::new(report));
        self
    }

    /// Lets `cancel` stop the batch.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Lets [`Self::advance`] write what is done to that file: `every` so often, when it is cancelled, and at the end.
    #[must_use]
    pub fn checkpoint(mut self, path: impl AsRef<Path>, every: Duration) -> Self {
        self.checkpoint = Some((path.as_ref().to_owned(), every));
        self
    }

    /// Runs the batch.
    pub fn run(self) -> Result<Projection, RunError> {
        let mut part = self.begin()?;
        self.advance(&mut part)?;
        Ok(part.into_projection()?)
    }

    /// A part of this run in which no trial is done yet, to be [advanced](Self::advance).
    pub fn begin(&self) -> Result<Part, RunError> {
        self.design.check()?;
        Ok(Part::new(
            self.model,
            self.design,
            self.seed,
            self.trials.end,
        )?)
    }

    /// Runs those trials of the batch that `part` does not have, and adds them to it.
    ///
    /// On an error, and when it was cancelled, `part` has all trials that had been finished, so that it can be
    /// written and advanced again later, by whomever. A part of another run is refused.
    pub fn advance(&self, part: &mut Part) -> Result<(), RunError> {
        if self.trials.is_empty() {
            return Err(RunError::NoTrials);
        }
        self.design.check()?;
        self.design.check_trials(self.trials.end)?;
        part.check_run(self.begin()?.provenance())?;
        part.check_layout(self.model.layout())?;
        let sampling = self.model.sampling(self.design, self.seed)?;
        let mut pool = rayon::ThreadPoolBuilder::new();
        if let Some(threads) = self.threads {
            pool = pool.num_threads(threads.min(MOST_THREADS));
        }
        let pool = pool.build()?;
        let total = self.trials.end - self.trials.start;
        let missing = part.done().missing_from(self.trials.clone());
        let done = AtomicU64::new(total - missing.count());
        if let Some((path, _)) = &self.checkpoint {
            remove_leftovers(path);
        }
        let mut next_save = self.next_save();
        for range in missing.iter() {
            let mut left = range;
            while !left.is_empty() {
                let round = Round {
                    batch: self,
                    sampling: &sampling,
                    range: left.clone(),
                    taken: AtomicU64::new(0),
                    until: next_save,
                    failed: AtomicBool::new(false),
                    done: &done,
                };
                left.start = round.run(&pool, part)?;
                if self.is_cancelled() && !left.is_empty() {
                    self.save(part)?;
                    return Err(RunError::Cancelled);
                }
                if next_save.is_some_and(|moment| Instant::now() >= moment) {
                    self.save(part)?;
                    next_save = self.next_save();
                }
            }
        }
        self.save(part)
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_cancelled)
    }

    fn save(&self, part: &Part) -> Result<(), RunError> {
        if let Some((path, _)) = &self.checkpoint {
            part.save(path)?;
        }
        Ok(())
    }

    fn next_save(&self) -> Option<Instant> {
        let (_, every) = self.checkpoint.as_ref()?;
        Instant::now().checked_add(*every)
    }
}

/// A stretch of work of all workers, after which what they have is put together.
struct Round<'a> {
    batch: &'a Batch<'a>,
    sampling: &'a Sampling,
    range: Range<u64>,
    /// How many trials workers have taken. Counted from the first one, so that trial numbers near the last one do
    /// not wrap.
    taken: AtomicU64,
    /// When to stop, so that a checkpoint can be written.
    until: Option<Instant>,
    failed: AtomicBool,
    done: &'a AtomicU64,
}

impl Round<'_> {
    /// Runs trials until the end of the round, and returns the first that is not done.
    ///
    /// What a worker has taken it finishes, so all before the first that is not taken are done.
    fn run(self, pool: &rayon::ThreadPool, part: &mut Part) -> Result<u64, RunError> {
        let empty = part.empty_projection()?;
        let replicates: Vec<Shared<'_>> =
            part.replicates_mut().iter_mut().map(Mutex::new).collect();
        let workers = pool.current_num_threads();
        let is_long = self.sampling.design().run_length(0) >= LONG_RUN * workers as u64;
        pool.install(|| {
            (0..workers)
                .into_par_iter()
                .with_max_len(1)
                .try_for_each(|_| {
                    let own = is_long.then(|| (0, empty.clone()));
                    self.work(own, &replicates)
                })
        })?;
        let Range { start, end } = self.range;
        let reached = start + self.taken.into_inner().min(end - start);
        part.note_done(start..reached);
        Ok(reached)
    }

    fn is_given_up(&self) -> bool {
        self.batch.is_cancelled() || self.failed.load(Ordering::Relaxed)
    }

    /// What one worker does: takes blocks until none is left. With a projection of its own it
    /// gathers them there as long as the replicate is the same.
    fn work(
        &self,
        mut own: Option<(usize, Projection)>,
        replicates: &[Shared<'_>],
    ) -> Result<(), RunError> {
        let model = self.batch.model;
        let layout = model.layout();
        let mut workspace = Workspace::default();
        let block = (BLOCK_VALUES / layout.monthly_len().max(1)).clamp(1, LARGEST_BLOCK);
        let mut rows: Vec<TrialRow> = (0..block).map(|_| TrialRow::new(layout.clone())).collect();
        let total = self.batch.trials.end - self.batch.trials.start;
        while !self.is_given_up() {
            let taken = self.taken.fetch_add(block as u64, Ordering::Relaxed);
            let length = self.range.end - self.range.start;
            if taken >= length {
                break;
            }
            let first = self.range.start + taken;
            let count = (length - taken).min(block as u64);
            for (trial, row) in (first..first + count).zip(&mut rows) {
                model.simulate_by(self.sampling, trial, &mut workspace, row);
            }
            // The trials of a block may be of several replicates, a stretch of each.
            let design = self.sampling.design();
            let mut start = 0;
            while start < count {
                let trial = first + start;
                let end = count.min(start.saturating_add(design.run_length(trial)));
                let rows = &rows[start as usize..end as usize];
                let replicate = design.replicate(trial);
                let absorbed = match &mut own {
                    None => lock(&replicates[replicate]).absorb(rows),
                    Some((current, projection)) => {
                        let handed_in = if *current == replicate {
                            Ok(())
                        } else {
                            let of = std::mem::replace(current, replicate);
                            hand_in(projection, &replicates[of])
                        };
                        handed_in.and_then(|()| projection.absorb(rows))
                    }
                };
                if let Err(error) = absorbed {
                    self.failed.store(true, Ordering::Relaxed);
                    return Err(error.into());
                }
                start = end;
            }
            if let Some(report) = &self.batch.on_progress {
                report(self.done.fetch_add(count, Ordering::Relaxed) + count, total);
            }
            // Only after a block, so that every round gets on.
            if self.until.is_some_and(|moment| Instant::now() >= moment) {
                break;
            }
        }
        if let Some((replicate, mut projection)) = own {
            hand_in(&mut projection, &replicates[replicate])?;
        }
        Ok(())
    }
}

/// The projection of a replicate, to which all workers add.
type Shared<'a> = Mutex<&'a mut Projection>;

fn lock<'a, 'b>(shared: &'a Shared<'b>) -> std::sync::MutexGuard<'a, &'b mut Projection> {
    // A worker that panicked takes the whole run down: nobody will look at what it left.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Merges what a worker has gathered into a replicate, and leaves nothing of it.
fn hand_in(own: &mut Projection, to: &Shared<'_>) -> Result<(), ProjectionError> {
    if own.trials() > 0 {
        lock(to).merge(own)?;
        own.forget();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
