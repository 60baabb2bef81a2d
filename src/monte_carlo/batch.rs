//! A batch: many trials of one model on all threads, gathered into a projection.
//!
//! Workers take blocks of trial numbers from a common counter, and each gathers what it simulates
//! in a projection of its own. Merging projections is exact, so neither the number of threads nor
//! who took which block leaves a trace in the result.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use crate::model::Model;
use crate::projection::{LayoutError, Projection, ProjectionError, Provenance, TrialRow};
use crate::trial::Workspace;

/// How many trials are run if nothing else is said.
pub const DEFAULT_TRIALS: u64 = 10_000;
/// The most trials of one block.
const LARGEST_BLOCK: usize = 64;
/// About what the results of one block may take in memory, so that a block stays in cache.
const BLOCK_VALUES: usize = 1 << 18;

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
/// use buildout::{Batch, Date, Scenario, scenario::Campus};
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
    threads: Option<usize>,
    on_progress: Option<Box<OnProgress<'a>>>,
    cancel: Option<&'a Cancel>,
}

impl<'a> Batch<'a> {
    /// A batch of [`DEFAULT_TRIALS`] of `model` with seed 0 on all processors.
    pub fn new(model: &'a Model) -> Self {
        Self {
            model,
            trials: 0..DEFAULT_TRIALS,
            seed: 0,
            threads: None,
            on_progress: None,
            cancel: None,
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

    /// Sets the seed, on which all luck depends.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of threads; 0 stands for as many as there are processors.
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

    /// Runs the batch.
    pub fn run(self) -> Result<Projection, RunError> {
        if self.trials.is_empty() {
            return Err(RunError::NoTrials);
        }
        let mut pool = rayon::ThreadPoolBuilder::new();
        if let Some(threads) = self.threads {
            pool = pool.num_threads(threads);
        }
        let pool = pool.build()?;
        let workers = pool.current_num_threads();
        let next = AtomicU64::new(0);
        let done = AtomicU64::new(0);
        let projection = pool.install(|| {
            (0..workers)
                .into_par_iter()
                .with_max_len(1)
                .map(|_| self.work(&next, &done))
                .reduce_with(|left, right| {
                    let mut left = left?;
                    left.merge(&right?)?;
                    Ok(left)
                })
        });
        if self.cancel.is_some_and(Cancel::is_cancelled) {
            return Err(RunError::Cancelled);
        }
        projection.unwrap_or(Err(RunError::NoTrials))
    }

    fn provenance(&self) -> Provenance {
        Provenance {
            scenario: self.model.name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.seed,
        }
    }

    /// What one worker does: takes blocks until none is left.
    fn work(&self, next: &AtomicU64, done: &AtomicU64) -> Result<Projection, RunError> {
        let layout = self.model.layout();
        let mut projection = Projection::new(layout.clone(), self.provenance())?;
        let mut workspace = Workspace::default();
        let block = (BLOCK_VALUES / layout.monthly_len().max(1)).clamp(1, LARGEST_BLOCK);
        let mut rows: Vec<TrialRow> = (0..block).map(|_| TrialRow::new(layout.clone())).collect();
        let total = self.trials.end - self.trials.start;
        loop {
            if self.cancel.is_some_and(Cancel::is_cancelled) {
                return Ok(projection);
            }
            // Counted from the first trial, so that trial numbers near the last one do not wrap.
            let taken = next.fetch_add(block as u64, Ordering::Relaxed);
            if taken >= total {
                return Ok(projection);
            }
            let first = self.trials.start + taken;
            let count = (total - taken).min(block as u64);
            for (trial, row) in (first..first + count).zip(&mut rows) {
                self.model.simulate(self.seed, trial, &mut workspace, row);
            }
            projection.absorb(&rows[..count as usize])?;
            if let Some(report) = &self.on_progress {
                report(done.fetch_add(count, Ordering::Relaxed) + count, total);
            }
        }
    }
}
