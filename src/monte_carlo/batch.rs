//! A batch: many trials of one model on all threads, gathered into a projection.
//!
//! Workers take blocks of trial numbers from a common counter. Where the trials are one replicate, or stay in one
//! for long, each gathers what it simulates in a projection of its own; where a design goes from
//! replicate to replicate, all share the projections of the part, so that there is one for each
//! replicate and not one for each replicate and worker. Absorbing and merging are exact, so neither the
//! number of threads nor who took which block leaves a trace in the result.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::checkpoint::{CheckpointError, remove_leftovers};
use super::columns::TrialColumns;
use super::experiment::{Experiment, Prepared, Simulator};
use super::part::{Part, PartError};
use super::settings::{RunSettings, setting_methods};
use super::stop::GoalError;
pub use super::trial_loop::{Cancel, OnProgress};
use super::trial_loop::{Reached, Stretch, TrialLoop, Worker};
use crate::model::Model;
use crate::projection::{
    LayoutError, Projection, ProjectionError, RowBlock, Selection, TILE, TrialRow, UnknownMetric,
};
use crate::sampling::design::{Design, DesignError};

/// How many trials are run by default.
pub const DEFAULT_TRIALS: u64 = 10_000;
/// How many numbers one block may have at most, 32 MiB for each thread. Gathering few trials at once costs more than
/// leaving the caches: what is read and written for each series is the same for one trial as for 256.
const BLOCK_VALUES: usize = 1 << 22;
/// From this many successive trials of one replicate on, for each worker, a projection of its own pays
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
    /// A metric that is to be gathered is not one of the model's.
    #[error(transparent)]
    Metric(#[from] UnknownMetric),
    /// It was cancelled by its [`Cancel`].
    #[error("the run was cancelled")]
    Cancelled,
}

/// Called when a checkpoint could not be written on the way.
pub type OnUnsaved<'a> = dyn Fn(&CheckpointError) + Sync + 'a;

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
    experiment: &'a dyn Experiment,
    settings: RunSettings<'a>,
    checkpoint: Option<(PathBuf, Duration)>,
    /// The metrics to gather; none: all.
    metrics: Option<Vec<String>>,
    on_unsaved: Option<Box<OnUnsaved<'a>>>,
}

impl<'a> Batch<'a> {
    /// A batch of [`DEFAULT_TRIALS`] independent trials of `model` with seed 0 on all processors.
    pub fn new(model: &'a Model) -> Self {
        Self::of(model)
    }

    /// A batch of trials of any kind.
    pub(crate) fn of(experiment: &'a dyn Experiment) -> Self {
        Self::with_settings(experiment, RunSettings::default())
    }

    pub(crate) fn with_settings(experiment: &'a dyn Experiment, settings: RunSettings<'a>) -> Self {
        Self {
            experiment,
            settings,
            checkpoint: None,
            metrics: None,
            on_unsaved: None,
        }
    }

    /// Gathers only the metrics of these names, month by month. Milestones, targets, outcomes and binding causes are
    /// gathered all the same. Trials are the same whatever is gathered; the fewer metrics, the faster they are.
    #[must_use]
    pub fn metrics<'m>(mut self, names: impl IntoIterator<Item = &'m str>) -> Self {
        self.metrics = Some(names.into_iter().map(str::to_owned).collect());
        self
    }

    /// What of the trials is gathered.
    fn selection(&self) -> Result<Selection, UnknownMetric> {
        match &self.metrics {
            Some(names) => self.experiment.select(names),
            None => Ok(Selection::all(self.experiment.layout().clone())),
        }
    }

    pub(super) fn set_trials(&mut self, trials: u64) {
        self.settings.trials = 0..trials;
    }

    setting_methods!(
        trials,
        trial_range,
        seed,
        design,
        drawing,
        threads,
        on_progress,
        cancelled_by
    );

    /// Lets [`Self::advance`] write what is done to that file: `every` so often, when it is cancelled, and at the end.
    #[must_use]
    pub fn checkpoint(mut self, path: impl AsRef<Path>, every: Duration) -> Self {
        self.checkpoint = Some((path.as_ref().to_owned(), every));
        self
    }

    /// Calls `report` when a checkpoint cannot be written on the way, because the disk is full, say. The batch continues: the next
    /// one may be written, and at the end there is an error only if the last one was not.
    #[must_use]
    pub fn on_unsaved(mut self, report: impl Fn(&CheckpointError) + Sync + 'a) -> Self {
        self.on_unsaved = Some(Box::new(report));
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
        self.settings.drawing.design().check()?;
        let provenance = self.experiment.provenance(&self.settings.drawing);
        Ok(Part::new(
            self.selection()?.gathered(),
            provenance,
            self.settings.trials.end,
        )?)
    }

    /// Runs those trials of the batch that `part` does not have, and adds them to it.
    ///
    /// On an error, and when it was cancelled, `part` has all trials that had been finished, so that it can be
    /// written and advanced again later. A part of another run is refused.
    pub fn advance(&self, part: &mut Part) -> Result<(), RunError> {
        if self.settings.trials.is_empty() {
            return Err(RunError::NoTrials);
        }
        self.settings
            .drawing
            .design()
            .check_trials(self.settings.trials.end)?;
        part.check_run(self.begin()?.provenance())?;
        let selection = self.selection()?;
        part.check_layout(selection.gathered())?;
        let prepared = self.experiment.prepare(&self.settings.drawing)?;
        let trial_loop = self.trial_loop();
        let pool = trial_loop.pool()?;
        let total = self.settings.count();
        let missing = part.done().missing_from(self.settings.trials.clone());
        let done = AtomicU64::new(total - missing.count());
        let block = block_of(&selection, missing.count(), pool.current_num_threads());
        if let Some((path, _)) = &self.checkpoint {
            remove_leftovers(path);
        }
        let mut next_save = self.next_save();
        for range in missing.iter() {
            let mut left = range;
            while !left.is_empty() {
                let stretch = Stretch {
                    trials: left.clone(),
                    block,
                    until: next_save,
                    done: &done,
                    total,
                };
                let what = (&*prepared, &selection);
                left.start = self.run_stretch(&trial_loop, &pool, stretch, what, part)?;
                if trial_loop.is_cancelled() && !left.is_empty() {
                    self.save(part)?;
                    return Err(RunError::Cancelled);
                }
                if next_save.is_some_and(|moment| Instant::now() >= moment) {
                    self.save_on_the_way(part)?;
                    next_save = self.next_save();
                }
            }
        }
        self.save(part)
    }

    fn trial_loop(&self) -> TrialLoop<'_> {
        self.settings.trial_loop()
    }

    /// Runs trials until the end of the stretch, or until it is time to put together what the workers have. Returns the
    /// first trial that is not done.
    fn run_stretch(
        &self,
        trial_loop: &TrialLoop<'_>,
        pool: &rayon::ThreadPool,
        stretch: Stretch<'_>,
        (prepared, selection): (&dyn Prepared, &Selection),
        part: &mut Part,
    ) -> Result<u64, RunError> {
        let empty = part.empty_projection()?;
        let replicates: Vec<Shared<'_>> =
            part.replicates_mut().iter_mut().map(Mutex::new).collect();
        let threads = pool.current_num_threads() as u64;
        let design = self.settings.drawing.design();
        let is_long = design.run_length(0) >= LONG_RUN * threads;
        let first = stretch.trials.start;
        let Reached { next, workers } = trial_loop.run(pool, stretch, || Gathering {
            simulator: prepared.simulator(),
            design,
            rows: vec![TrialRow::of(selection); TILE],
            replicate: 0,
            block: RowBlock::new(selection.clone()),
            own: is_long.then(|| (0, empty.clone())),
            replicates: &replicates,
            kept: self.experiment.kept(),
            blocks: Vec::new(),
        })?;
        let mut blocks = Vec::new();
        for worker in workers {
            if let Some((replicate, mut projection)) = worker.own {
                hand_in(&mut projection, &replicates[replicate])?;
            }
            blocks.extend(worker.blocks);
        }
        drop(replicates);
        blocks.sort_unstable_by_key(|(first, _)| *first);
        blocks.iter().for_each(|(_, block)| part.keep(block));
        part.note_done(first..next);
        Ok(next)
    }

    fn save(&self, part: &Part) -> Result<(), RunError> {
        if let Some((path, _)) = &self.checkpoint {
            part.save(path)?;
        }
        Ok(())
    }

    fn save_on_the_way(&self, part: &Part) -> Result<(), RunError> {
        match (self.save(part), &self.on_unsaved) {
            (Err(RunError::Checkpoint(error)), report) => {
                report.iter().for_each(|report| report(&error));
                Ok(())
            }
            (saved, _) => saved,
        }
    }

    fn next_save(&self) -> Option<Instant> {
        let (_, every) = self.checkpoint.as_ref()?;
        Instant::now().checked_add(*every)
    }
}

/// How many of `missing` trials a worker takes at once: so few that all threads have some work.
fn block_of(selection: &Selection, missing: u64, threads: usize) -> u64 {
    let values = selection.gathered().monthly_len().max(1);
    let fair = missing.div_ceil(8 * threads as u64);
    let most = (BLOCK_VALUES / values).clamp(1, RowBlock::MOST);
    fair.clamp(1, most as u64)
}

/// What one thread of a batch does with its trials. With a projection of its own it gathers them there as long as the
/// replicate is the same.
struct Gathering<'a, 'b> {
    simulator: Box<dyn Simulator + 'a>,
    design: Design,
    rows: Vec<TrialRow>,
    /// Trials of one replicate that are not gathered yet; none between two runs.
    replicate: usize,
    block: RowBlock,
    own: Option<(usize, Projection)>,
    replicates: &'a [Shared<'b>],
    /// Outcomes that are kept trial by trial, and what is kept of each block, with its first trial.
    kept: &'a [usize],
    blocks: Vec<(u64, TrialColumns)>,
}

impl Worker for Gathering<'_, '_> {
    fn run(&mut self, trials: Range<u64>) -> Result<(), RunError> {
        let mut kept = TrialColumns::new(self.kept.len());
        let mut next = trials.start;
        while next < trials.end {
            let some = next..trials.end.min(next.saturating_add(TILE as u64));
            next = some.end;
            let rows = &mut self.rows[..(some.end - some.start) as usize];
            self.simulator.simulate(some.clone(), rows);
            if !self.kept.is_empty() {
                let column =
                    |outcome: &usize| rows.iter().map(|row| row.outcomes()[*outcome]).collect();
                let columns: Vec<Vec<f64>> = self.kept.iter().map(column).collect();
                kept.extend(some.clone(), columns.iter().map(Vec::as_slice));
            }
            self.take_in(some)?;
        }
        if !self.kept.is_empty() {
            self.blocks.push((trials.start, kept));
        }
        Ok(self.gather()?)
    }
}

impl Gathering<'_, '_> {
    /// Puts rows of these trials into columns. They may be of several replicates, a stretch of each.
    fn take_in(&mut self, trials: Range<u64>) -> Result<(), ProjectionError> {
        let count = trials.end - trials.start;
        let mut start = 0;
        while start < count {
            let trial = trials.start + start;
            let end = count.min(start.saturating_add(self.design.run_length(trial)));
            let (replicate, rows) = (self.design.replicate(trial), start as usize..end as usize);
            if replicate != self.replicate || self.block.room() < rows.len() {
                self.gather()?;
                self.replicate = replicate;
            }
            self.block.push(&self.rows[rows])?;
            start = end;
        }
        Ok(())
    }

    /// Gathers what is in columns.
    fn gather(&mut self) -> Result<(), ProjectionError> {
        if self.block.len() == 0 {
            return Ok(());
        }
        match &mut self.own {
            None => lock(&self.replicates[self.replicate]).absorb_block(&self.block)?,
            Some((current, projection)) => {
                if *current != self.replicate {
                    let of = std::mem::replace(current, self.replicate);
                    hand_in(projection, &self.replicates[of])?;
                }
                projection.absorb_block(&self.block)?;
            }
        }
        self.block.clear();
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
