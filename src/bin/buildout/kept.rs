//! Trials that an analysis reads, kept in files: runs to resume, and shards of one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use buildout::RunError;
use buildout::disk::Claim;
use buildout::monte_carlo::kept_runs::{KeptRuns, Processes};
use buildout::monte_carlo::sample_run::SampleRun;
use clap::Args;

use crate::failure::{Failure, say};
use crate::long::{Saving, claim, command_to_resume, reserve_name};

/// Trials in files.
#[derive(Args)]
pub(crate) struct KeptTrials {
    #[command(flatten)]
    pub(crate) saving: Saving,
    /// Put the checkpoints of all shards together instead of running their trials; may be given several times
    #[arg(
        long,
        alias = "from",
        value_name = "PART",
        conflicts_with_all = ["checkpoint", "until"]
    )]
    pub(crate) merge: Vec<PathBuf>,
}

/// The processes that a launcher has started together, if it has.
#[derive(Default)]
pub(crate) struct Together {
    #[cfg(feature = "mpi")]
    ranks: Option<buildout::monte_carlo::ranks::Ranks>,
}

impl Together {
    /// Joins them.
    pub(crate) fn join() -> Self {
        Self {
            #[cfg(feature = "mpi")]
            ranks: buildout::monte_carlo::ranks::Ranks::are_launched()
                .then(buildout::monte_carlo::ranks::Ranks::join)
                .flatten(),
        }
    }

    /// The processes, if there are others.
    fn others(&self) -> Option<&dyn Processes> {
        #[cfg(feature = "mpi")]
        return self.ranks.as_ref().map(|ranks| ranks as &dyn Processes);
        #[cfg(not(feature = "mpi"))]
        None
    }

    /// How many threads each uses where so many were asked for.
    pub(crate) fn threads(&self, asked: usize) -> usize {
        #[cfg(feature = "mpi")]
        if let (Some(ranks), 0) = (&self.ranks, asked) {
            return ranks.threads();
        }
        asked
    }

    /// Ends all processes where this one has failed, since the others would wait for it.
    fn end(&self, failure: Failure) -> Failure {
        #[cfg(feature = "mpi")]
        if let Some(ranks) = &self.ranks {
            say(&failure.to_string());
            ranks.abort(failure.status().into());
        }
        failure
    }
}

/// An analysis whose trials are kept.
pub(crate) struct Session<'a> {
    pub(crate) runs: KeptRuns<'a>,
    arguments: &'a KeptTrials,
    together: &'a Together,
    /// As long as it lasts, others do not write the checkpoint.
    _claim: Option<Claim>,
    /// After what a checkpoint is named where none was asked for.
    name: &'a str,
    seed: u64,
    quiet: bool,
}

/// What an analysis said, and why its checkpoint could not be written, if so.
pub(crate) struct Told<T> {
    pub(crate) results: T,
    pub(crate) unsaved: Option<Failure>,
}

impl KeptTrials {
    /// Opens what was kept before.
    pub(crate) fn open<'a>(
        &'a self,
        together: &'a Together,
        (name, seed, quiet): (&'a str, u64, bool),
    ) -> Result<Session<'a>, Failure> {
        let saving = &self.saving;
        if together.others().is_some() && saving.shard.is_some() {
            let words = "--shard runs in one process\n  help: leave it out, or start one process";
            return Err(Failure::Usage(words.to_owned()));
        }
        let is_first = together.others().is_none_or(|others| others.number() == 0);
        let claim = claim(saving.checkpoint.as_deref().filter(|_| is_first))?;
        let mut runs = KeptRuns::new();
        for path in &self.merge {
            let part = KeptRuns::load(path).map_err(RunError::from)?;
            (runs.merge(&part))
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        }
        if let Some(path) = &saving.checkpoint {
            runs = open_file(path, saving.resume, quiet)?
                .checkpoint(path, Duration::from_secs(saving.checkpoint_every))
                .on_unsaved(|error| say(&format!("warning: {error}")));
        }
        if let Some(processes) = together.others() {
            runs = runs.among(processes);
        }
        Ok(Session {
            runs,
            arguments: self,
            together,
            _claim: claim,
            name,
            seed,
            quiet,
        })
    }
}

fn open_file<'a>(path: &Path, resume: bool, quiet: bool) -> Result<KeptRuns<'a>, Failure> {
    if !path.exists() {
        let runs = KeptRuns::new();
        // Better now than after the first minute.
        runs.save(path).map_err(RunError::from)?;
        return Ok(runs);
    }
    if !resume {
        return Err(Failure::CheckpointExists(path.to_owned()));
    }
    let runs = KeptRuns::load(path).map_err(RunError::from)?;
    if !quiet {
        let done = runs.trials();
        say(&format!(
            "going on from {}: {done} trials are done",
            path.display()
        ));
    }
    Ok(runs)
}

impl Session<'_> {
    /// Runs a shard of these runs of so many trials each, if one was asked for; whether that is all.
    pub(crate) fn is_shard<'r>(
        &self,
        runs: impl IntoIterator<Item = SampleRun<'r>>,
        trials: u64,
    ) -> Result<bool, Failure> {
        let runs = runs.into_iter();
        let Some(shard) = self.arguments.saving.shard else {
            if !self.arguments.merge.is_empty() {
                for run in runs {
                    self.runs.check_complete(&run)?;
                }
            }
            return Ok(false);
        };
        let range = shard.range(trials);
        if !range.is_empty() {
            let ran = runs.map(|run| run.trial_range(range.clone()).measured());
            let ran = ran.collect::<Result<Vec<_>, _>>().map(|_| ());
            let told = self.end(ran.map_err(Failure::from))?;
            told.unsaved.map_or(Ok(()), Err)?;
        }
        if let (Some(path), false) = (&self.arguments.saving.checkpoint, self.quiet) {
            say(&format!(
                "{} trials are done and saved in {}",
                self.runs.trials(),
                path.display()
            ));
        }
        Ok(true)
    }

    /// Whether this process prints and writes what all have found.
    pub(crate) fn is_first(&self) -> bool {
        (self.together.others()).is_none_or(|others| others.number() == 0)
    }

    /// What becomes of the trials at the end: they are saved where that was asked for and, after an interruption, in any case.
    pub(crate) fn end<T>(&self, result: Result<T, Failure>) -> Result<Told<T>, Failure> {
        match result {
            Err(failure) if failure.is_cancellation() => {
                Err(self.together.end(self.interrupted()?))
            }
            Err(failure) => Err(self.together.end(failure)),
            Ok(results) => {
                let path = self.arguments.saving.checkpoint.as_ref();
                let saved = path
                    .filter(|_| self.is_first())
                    .map(|path| self.runs.save(path));
                let unsaved = saved.and_then(Result::err);
                Ok(Told {
                    results,
                    unsaved: unsaved.map(|error| RunError::from(error).into()),
                })
            }
        }
    }

    fn interrupted(&self) -> Result<Failure, Failure> {
        let saving = &self.arguments.saving;
        if self.together.others().is_some() {
            return Ok(Failure::StoppedTogether(match &saving.checkpoint {
                Some(path) => format!(
                    "what all had put together is saved in {}\n  to go on: the same command with --resume",
                    path.display()
                ),
                None => "without --checkpoint nothing is saved".to_owned(),
            }));
        }
        let path = match &saving.checkpoint {
            Some(path) => path.clone(),
            None => reserve_name(Path::new(""), self.name, self.seed),
        };
        if let Err(error) = self.runs.save(&path) {
            if saving.checkpoint.is_none() {
                // Only the empty file that was just made; nothing half written stays.
                let _ = fs::remove_file(&path);
            }
            return Err(RunError::from(error).into());
        }
        Ok(Failure::Interrupted {
            done: self.runs.trials(),
            command: command_to_resume(&path, saving, &[]),
            path,
        })
    }
}
