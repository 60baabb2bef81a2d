//! Trials of several runs that one analysis makes, kept in memory and in a file: what was run before is not run again.
//!
//! An analysis asks for the trials of one model after the other, of a plan and its changes or of all plans that a search tries.
//! Each [`SampleRun`] that has [kept runs](SampleRun::kept) takes from them the trials that are there, of the same scenario, seed, design and
//! measures, and adds those that it ran. So an analysis that was interrupted goes on where it was, although what it asks for next may depend
//! on what it has seen: from the same trials it asks the same again.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "files")] {
//! use buildout::Scenario;
//! use buildout::monte_carlo::kept_runs::KeptRuns;
//! use buildout::monte_carlo::sample_run::SampleRun;
//!
//! let model = Scenario::from_path("examples/first.toml")?.compile()?;
//! let kept = KeptRuns::new();
//! let run = |trials| SampleRun::new(&model).measures(["A1 live"]).trials(trials).kept(&kept);
//! run(100).run()?;
//! // Runs 150 trials.
//! let samples = run(250).run()?;
//! assert_eq!((samples.len(), kept.trials()), (250, 250));
//! # }
//! # Ok(())
//! # }
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::batch::{OnUnsaved, RunError};
use super::checkpoint::{
    CheckpointError, from_sealed, load_sealed, remove_leftovers, save_sealed, to_sealed,
};
use super::sample_part::{SamplePart, SamplePartError};
use super::sample_run::{SampleError, SampleRun};
use crate::projection::Samples;

/// The format of the files, in their first line.
const FORMAT: &str = "of samples 2";
/// So many trials are run between two looks at the clock.
const GROUP: u64 = 1_024;

/// Processes that run trials together, such as the ranks of an MPI program.
pub trait Processes: Sync {
    /// The number of this process, from 0.
    fn number(&self) -> u64;

    /// How many there are.
    fn count(&self) -> u64;

    /// Gives each process what all have, in their order. All of them call it.
    fn exchange(&self, own: Vec<u8>) -> Vec<Vec<u8>>;
}

/// The trials of several runs.
#[derive(Default)]
pub struct KeptRuns<'a> {
    state: Mutex<State>,
    checkpoint: Option<(PathBuf, Duration)>,
    on_unsaved: Option<Box<OnUnsaved<'a>>>,
    processes: Option<&'a dyn Processes>,
}

#[derive(Default)]
struct State {
    parts: Vec<SamplePart>,
    /// Whether a run has been asked for that fits what was loaded.
    is_checked: bool,
    saved: Option<Instant>,
}

impl<'a> KeptRuns<'a> {
    /// No trial yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what [`Self::save`] wrote.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let parts: Vec<SamplePart> = load_sealed(path, FORMAT)?;
        if !parts.iter().all(SamplePart::is_sound) {
            return Err(CheckpointError::Damaged {
                path: path.to_owned(),
                reason: "its columns are of different lengths".to_owned(),
            });
        }
        Ok(Self {
            state: Mutex::new(State {
                parts,
                ..State::default()
            }),
            ..Self::default()
        })
    }

    /// Writes all trials to a file every so often while trials are run; [`Self::save`] writes it at the end.
    #[must_use]
    pub fn checkpoint(mut self, path: impl AsRef<Path>, every: Duration) -> Self {
        remove_leftovers(path.as_ref());
        self.checkpoint = Some((path.as_ref().to_owned(), every));
        self
    }

    /// Calls `report` when such a file could not be written, which does not end the run.
    #[must_use]
    pub fn on_unsaved(mut self, report: impl Fn(&CheckpointError) + Sync + 'a) -> Self {
        self.on_unsaved = Some(Box::new(report));
        self
    }

    /// Runs a share of the missing trials in each of these processes, all of which make the same analysis.
    #[must_use]
    pub fn among(mut self, processes: &'a dyn Processes) -> Self {
        self.processes = Some(processes);
        self
    }

    /// Writes all trials to a file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        save_sealed(path, FORMAT, &self.state().parts)
    }

    /// How many trials there are, of all runs.
    pub fn trials(&self) -> u64 {
        let state = self.state();
        state.parts.iter().map(|part| part.done().count()).sum()
    }

    /// Adds the trials of other runs, or other trials of the same.
    pub fn merge(&self, other: &Self) -> Result<(), SamplePartError> {
        let mut state = self.state();
        for theirs in &other.state().parts {
            match state.parts.iter_mut().find(|part| part.is_of(theirs)) {
                Some(part) => part.merge(theirs)?,
                None => state.parts.push(theirs.clone()),
            }
        }
        Ok(())
    }

    /// Refuses a run of which trials are missing.
    pub fn check_complete(&self, run: &SampleRun<'_>) -> Result<(), SampleError> {
        let mut state = self.state();
        let at = state.place_of(run)?;
        run.measures_of(&state.parts[at]).map(|_| ())
    }

    /// The samples of a run, whose missing trials are run.
    pub(super) fn samples(&self, run: &SampleRun<'_>) -> Result<Samples, SampleError> {
        let mut state = self.state();
        let mut collected = run.empty()?;
        let at = self.completed(run, &mut state, Some(&mut collected))?;
        // Where all trials were run now their inputs are there, and need not be drawn again.
        let numbers = run.trial_numbers();
        if collected.trials().iter().copied().eq(numbers) {
            return Ok(collected);
        }
        run.samples_of(&state.parts[at])
    }

    /// The measures of a run, column by column, without the inputs.
    pub(super) fn measures(&self, run: &SampleRun<'_>) -> Result<Vec<Vec<f64>>, SampleError> {
        let mut state = self.state();
        let at = self.completed(run, &mut state, None)?;
        Ok(run.measures_of(&state.parts[at])?.1)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic has left is of no use to anybody.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what is missing of a run and returns the place of its part. If all of it is missing, `collected` gets the samples.
    fn completed(
        &self,
        run: &SampleRun<'_>,
        state: &mut State,
        collected: Option<&mut Samples>,
    ) -> Result<usize, SampleError> {
        let at = state.place_of(run)?;
        let missing = state.parts[at].done().missing_from(run.trial_numbers());
        let is_all = missing.iter().eq([run.trial_numbers()]);
        let mut collected = collected.filter(|_| is_all);
        state.saved.get_or_insert_with(Instant::now);
        for range in missing.iter() {
            let Some(processes) = self.processes else {
                run.stream_range(range, GROUP, |samples| {
                    state.parts[at].add(&samples);
                    if let Some(collected) = &mut collected {
                        collected.append(samples);
                    }
                    self.save_if_due(state);
                    Ok::<_, SampleError>(())
                })?;
                continue;
            };
            let mut first = range.start;
            while first < range.end {
                let end = (first + GROUP * processes.count()).min(range.end);
                let own = share(first..end, processes);
                let mut part = run.begin()?;
                run.stream_range(own, GROUP, |samples| {
                    part.add(&samples);
                    Ok::<_, SampleError>(())
                })?;
                for bytes in processes.exchange(to_sealed(FORMAT, &part)) {
                    let theirs: SamplePart =
                        from_sealed(FORMAT, &bytes, Path::new("the part of a process"))
                            .map_err(RunError::from)?;
                    state.parts[at].merge(&theirs)?;
                }
                if processes.number() == 0 {
                    self.save_if_due(state);
                }
                first = end;
            }
        }
        Ok(at)
    }

    /// Writes the file if it is time to; a failure is told and does not end the run.
    fn save_if_due(&self, state: &mut State) {
        let Some((path, every)) = &self.checkpoint else {
            return;
        };
        if state.saved.is_some_and(|saved| saved.elapsed() >= *every) {
            if let Err(error) = save_sealed(path, FORMAT, &state.parts)
                && let Some(report) = &self.on_unsaved
            {
                report(&error);
            }
            state.saved = Some(Instant::now());
        }
    }
}

impl State {
    /// The place of the part of a run, which is begun if it is not there. Where there are runs already, the first one that is asked for
    /// must be among them: else they are of another analysis.
    fn place_of(&mut self, run: &SampleRun<'_>) -> Result<usize, SampleError> {
        let begun = run.begin()?;
        let found = self.parts.iter().position(|part| part.is_of(&begun));
        if let (None, false, Some(other)) = (found, self.is_checked, self.parts.first()) {
            other.check(&begun)?;
        }
        self.is_checked = true;
        Ok(found.unwrap_or_else(|| {
            self.parts.push(begun);
            self.parts.len() - 1
        }))
    }
}

/// The share of this process of a range of trials, which may be empty.
fn share(trials: std::ops::Range<u64>, processes: &dyn Processes) -> std::ops::Range<u64> {
    let count = u128::from(trials.end - trials.start);
    let end_of = |number: u64| {
        trials.start + (count * u128::from(number) / u128::from(processes.count())) as u64
    };
    end_of(processes.number())..end_of(processes.number() + 1)
}
