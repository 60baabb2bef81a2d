//! What all runs of trials have in common: which trials, how they are drawn, on how many threads, who is informed of
//! progress, and what may stop them.

use std::ops::Range;

use super::batch::DEFAULT_TRIALS;
use super::kept_runs::KeptRuns;
use super::sample_run::SampleRun;
use super::trial_loop::{Cancel, OnProgress, TrialLoop};
use crate::model::Model;
use crate::sampling::design::Drawing;

/// How the trials of a run are drawn and run. Builders of runs hold one, and have its methods by
/// `setting_methods!`.
pub(crate) struct RunSettings<'a> {
    /// The numbers of the trials.
    pub(crate) trials: Range<u64>,
    /// Seed and design, or an ensemble.
    pub(crate) drawing: Drawing,
    /// 0: as many as there are processors.
    pub(crate) threads: usize,
    pub(crate) on_progress: Option<Box<OnProgress<'a>>>,
    pub(crate) cancel: Option<&'a Cancel>,
    /// Trials that need not be run again.
    pub(crate) kept: Option<&'a KeptRuns<'a>>,
}

/// [`DEFAULT_TRIALS`] independent trials of seed 0 on all processors.
impl Default for RunSettings<'_> {
    fn default() -> Self {
        Self {
            trials: 0..DEFAULT_TRIALS,
            drawing: Drawing::default(),
            threads: 0,
            on_progress: None,
            cancel: None,
            kept: None,
        }
    }
}

impl<'a> RunSettings<'a> {
    /// How many trials there are.
    pub(crate) fn count(&self) -> u64 {
        self.trials.end.saturating_sub(self.trials.start)
    }

    /// The loop that runs them.
    pub(crate) fn trial_loop(&self) -> TrialLoop<'_> {
        self.silent_loop().on_progress(self.on_progress.as_deref())
    }

    /// The loop that runs them, without reports of progress.
    pub(crate) fn silent_loop(&self) -> TrialLoop<'a> {
        TrialLoop::new()
            .threads(self.threads)
            .cancelled_by(self.cancel)
    }

    /// The same settings for one of several runs, whose progress is reported as that of all of them together.
    pub(crate) fn of_run(&self, number: u64, of: u64) -> RunSettings<'_> {
        RunSettings {
            trials: self.trials.clone(),
            drawing: self.drawing.clone(),
            threads: self.threads,
            on_progress: self.on_progress.as_deref().map(|report| {
                let report = move |done, trials| report(number * trials + done, of * trials);
                Box::new(report) as Box<OnProgress<'_>>
            }),
            cancel: self.cancel,
            kept: self.kept,
        }
    }

    /// The same settings for other trials, `done` having been run before of `most` at most in all, whose progress is reported as
    /// theirs.
    pub(crate) fn of_trials(&self, trials: Range<u64>, done: u64, most: u64) -> RunSettings<'_> {
        RunSettings {
            trials,
            drawing: self.drawing.clone(),
            threads: self.threads,
            on_progress: self.on_progress.as_deref().map(|report| {
                let report = move |now: u64, _| report((done + now).min(most), most);
                Box::new(report) as Box<OnProgress<'_>>
            }),
            cancel: self.cancel,
            kept: self.kept,
        }
    }

    /// A run of a model with these settings that keeps the inputs alone.
    pub(crate) fn sample_run(&self, model: &'a Model) -> SampleRun<'_> {
        SampleRun::with_settings(model, self.of_run(0, 1))
    }
}

/// The methods by which the settings of a run are set, those that are named, for a builder with a field `settings`.
macro_rules! setting_methods {
    ($($name:ident),* $(,)?) => {
        $($crate::monte_carlo::settings::setting_methods!(@ $name);)*
    };
    (@ trials) => {
        /// Runs the trials 0 to `trials` - 1.
        #[must_use]
        pub fn trials(mut self, trials: u64) -> Self {
            self.settings.trials = 0..trials;
            self
        }
    };
    (@ trial_range) => {
        /// Runs the trials of these numbers.
        #[must_use]
        pub fn trial_range(mut self, trials: std::ops::Range<u64>) -> Self {
            self.settings.trials = trials;
            self
        }
    };
    (@ seed) => {
        /// Sets the seed, on which all random numbers depend.
        #[must_use]
        pub fn seed(mut self, seed: u64) -> Self {
            self.settings.drawing = self.settings.drawing.with_seed(seed);
            self
        }
    };
    (@ design) => {
        /// Sets how the inputs of the trials are spread.
        #[must_use]
        pub fn design(mut self, design: $crate::sampling::design::Design) -> Self {
            self.settings.drawing = self.settings.drawing.with_design(design);
            self
        }
    };
    (@ drawing) => {
        /// Sets design and seed at once, or an ensemble of inputs.
        #[must_use]
        pub fn drawing(mut self, drawing: $crate::sampling::design::Drawing) -> Self {
            self.settings.drawing = drawing;
            self
        }
    };
    (@ threads) => {
        /// Sets the number of threads, of which 1,024 are used at most; 0 stands for as many as there are processors.
        /// Results do not depend on it.
        #[must_use]
        pub fn threads(mut self, threads: usize) -> Self {
            self.settings.threads = threads;
            self
        }
    };
    (@ on_progress) => {
        /// Calls `report` with the trials done and the trials asked for, of all that is run, after each block.
        #[must_use]
        pub fn on_progress(mut self, report: impl Fn(u64, u64) + Sync + 'a) -> Self {
            self.settings.on_progress = Some(Box::new(report));
            self
        }
    };
    (@ kept) => {
        /// Takes trials that are kept rather than running them again, and keeps those that are run.
        #[must_use]
        pub fn kept(mut self, kept: &'a $crate::monte_carlo::kept_runs::KeptRuns<'a>) -> Self {
            self.settings.kept = Some(kept);
            self
        }
    };
    (@ cancelled_by) => {
        /// Lets `cancel` stop the run.
        #[must_use]
        pub fn cancelled_by(
            mut self,
            cancel: &'a $crate::monte_carlo::trial_loop::Cancel,
        ) -> Self {
            self.settings.cancel = Some(cancel);
            self
        }
    };
}

pub(crate) use setting_methods;
