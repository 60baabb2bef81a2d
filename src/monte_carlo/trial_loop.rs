//! The parallel loop over trials: every batch, comparison, table of trials and analysis runs its trials here.
//!
//! Workers, one for each thread, take blocks of trial numbers from a common counter. A trial depends on its number alone,
//! so neither the number of threads nor who took which block leaves a trace in what comes out, as long as
//! workers are put together in an order-free way (`TrialLoop::run`) or by trial number ([`TrialLoop::map`]).

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::batch::RunError;
use crate::parallel;

/// More threads than these gain nothing, and each takes the memory of a worker.
const MOST_THREADS: usize = 1_024;
/// The most trials of one block.
pub(crate) const LARGEST_BLOCK: u64 = 64;

/// Called with the number of trials that are done and the number asked for.
pub type OnProgress<'a> = dyn Fn(u64, u64) + Sync + 'a;

/// Stops running trials from another thread.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Not cancelled.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks the trials to stop; each worker does so after its block.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they were asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How trials are run: on how many threads, with what progress reports, and what may stop them.
#[derive(Clone, Copy, Default)]
pub(crate) struct TrialLoop<'a> {
    threads: usize,
    on_progress: Option<&'a OnProgress<'a>>,
    cancel: Option<&'a Cancel>,
}

/// What a thread does with the trials that it takes.
pub(crate) trait Worker: Send {
    /// Runs the trials of these numbers, at most as many as a block has.
    fn run(&mut self, trials: Range<u64>) -> Result<(), RunError>;
}

/// Consecutive trials to be run, and what is known of the whole of which they are a part.
pub(crate) struct Stretch<'a> {
    pub(crate) trials: Range<u64>,
    /// How many trials a worker takes at once, 1 or more.
    pub(crate) block: u64,
    /// When to stop early; every worker runs one block at least.
    pub(crate) until: Option<Instant>,
    /// How many trials of the whole are done, for progress reports; the loop adds to it.
    pub(crate) done: &'a AtomicU64,
    /// How many the whole has.
    pub(crate) total: u64,
}

/// How far a stretch was run.
pub(crate) struct Reached<W> {
    /// The first trial that was not run; all before it were.
    pub(crate) next: u64,
    /// The workers, with what they have.
    pub(crate) workers: Vec<W>,
}

impl<'a> TrialLoop<'a> {
    /// On all processors, without reports.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets the number of threads, of which 1,024 are used at most; 0 stands for as many as there are processors.
    #[must_use]
    pub(crate) fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Calls `report` with the trials done and the trials asked for, after each block.
    #[must_use]
    pub(crate) fn on_progress(mut self, report: Option<&'a OnProgress<'a>>) -> Self {
        self.on_progress = report;
        self
    }

    /// Lets `cancel` stop the trials.
    #[must_use]
    pub(crate) fn cancelled_by(mut self, cancel: Option<&'a Cancel>) -> Self {
        self.cancel = cancel;
        self
    }

    /// Whether its trials were asked to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_cancelled)
    }

    /// The threads.
    pub(crate) fn pool(&self) -> Result<rayon::ThreadPool, RunError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads.min(MOST_THREADS));
        Ok(pool.build()?)
    }

    /// What `each` makes of every trial, in the order of their numbers. `init` makes what a thread keeps from trial to
    /// trial.
    pub(crate) fn map<S: Send, T: Send>(
        &self,
        trials: Range<u64>,
        init: impl Fn() -> S + Sync,
        each: impl Fn(&mut S, u64) -> T + Sync,
    ) -> Result<Vec<T>, RunError> {
        let pool = self.pool()?;
        let (end, total) = (trials.end, trials.end.saturating_sub(trials.start));
        let done = AtomicU64::new(0);
        // Small enough that all threads have some work.
        let fair = total.div_ceil(8 * pool.current_num_threads() as u64);
        let stretch = Stretch {
            block: fair.clamp(1, LARGEST_BLOCK),
            until: None,
            done: &done,
            total,
            trials,
        };
        let reached = self.run(&pool, stretch, || Mapping {
            state: init(),
            each: &each,
            blocks: Vec::new(),
        })?;
        if reached.next < end {
            return Err(RunError::Cancelled);
        }
        let mut blocks: Vec<(u64, Vec<T>)> = (reached.workers.into_iter())
            .flat_map(|worker| worker.blocks)
            .collect();
        blocks.sort_unstable_by_key(|(first, _)| *first);
        let mut all = Vec::with_capacity(total as usize);
        all.extend(blocks.into_iter().flat_map(|(_, block)| block));
        Ok(all)
    }

    /// Runs a stretch of trials on the threads of `pool`, each with a worker of its own, until it ends, it is time to stop,
    /// or it is cancelled. On an error of one worker the others stop after their block.
    pub(crate) fn run<W: Worker>(
        &self,
        pool: &rayon::ThreadPool,
        stretch: Stretch<'_>,
        make: impl Fn() -> W + Sync,
    ) -> Result<Reached<W>, RunError> {
        // Counted from the first trial, so that trial numbers near the last one do not wrap.
        let taken = AtomicU64::new(0);
        let failed = AtomicBool::new(false);
        let length = stretch.trials.end.saturating_sub(stretch.trials.start);
        let work = |mut worker: W| -> Result<W, RunError> {
            while !self.is_cancelled() && !failed.load(Ordering::Relaxed) {
                let start = taken.fetch_add(stretch.block, Ordering::Relaxed);
                if start >= length {
                    break;
                }
                let count = (length - start).min(stretch.block);
                let first = stretch.trials.start + start;
                if let Err(error) = worker.run(first..first + count) {
                    failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                if let Some(report) = self.on_progress {
                    let before = stretch.done.fetch_add(count, Ordering::Relaxed);
                    report(before + count, stretch.total);
                }
                // Only after a block, so that every stretch gets on.
                if stretch.until.is_some_and(|moment| Instant::now() >= moment) {
                    break;
                }
            }
            Ok(worker)
        };
        let workers = pool.install(|| {
            let workers = parallel::map_numbers(pool.current_num_threads(), |_| work(make()));
            workers.into_iter().collect::<Result<Vec<W>, RunError>>()
        })?;
        Ok(Reached {
            next: stretch.trials.start + taken.into_inner().min(length),
            workers,
        })
    }
}

/// The worker of [`TrialLoop::map`].
struct Mapping<'a, S, T, F> {
    state: S,
    each: &'a F,
    /// Blocks with the number of their first trial.
    blocks: Vec<(u64, Vec<T>)>,
}

impl<S: Send, T: Send, F: Fn(&mut S, u64) -> T + Sync> Worker for Mapping<'_, S, T, F> {
    fn run(&mut self, trials: Range<u64>) -> Result<(), RunError> {
        let first = trials.start;
        let block = trials.map(|trial| (self.each)(&mut self.state, trial));
        self.blocks.push((first, block.collect()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn what_is_made_of_trials_is_in_their_order_on_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let made = TrialLoop::new().threads(threads);
            let made = made.map(
                1_000..1_777,
                || 0_u64,
                |count, trial| {
                    *count += 1;
                    trial
                },
            );
            assert!(made.unwrap().into_iter().eq(1_000..1_777), "{threads}");
        }
        let none = TrialLoop::new().map(5..5, || (), |(), trial| trial);
        assert!(none.unwrap().is_empty());
        let last = TrialLoop::new().map(u64::MAX - 2..u64::MAX, || (), |(), trial| trial);
        assert_eq!(last.unwrap(), [u64::MAX - 2, u64::MAX - 1]);
    }

    #[test]
    fn progress_is_reported_to_the_end_and_a_cancelled_loop_stops() {
        let most = Mutex::new(0);
        let report = |done: u64, of: u64| {
            assert_eq!(of, 300);
            let mut most = most.lock().unwrap();
            *most = done.max(*most);
        };
        let trials = TrialLoop::new().on_progress(Some(&report));
        trials.map(0..300, || (), |(), _| ()).unwrap();
        assert_eq!(*most.lock().unwrap(), 300);
        let cancel = Cancel::new();
        let trials = TrialLoop::new().threads(1).cancelled_by(Some(&cancel));
        let stopped = trials.map(
            0..10_000,
            || (),
            |(), trial| {
                assert!(trial < 64, "a block is the most that is run after it");
                cancel.cancel();
            },
        );
        assert!(matches!(stopped, Err(RunError::Cancelled)));
    }
}
