//! Batches that may take long: with checkpoints, of a shard, on ranks, and interrupted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use buildout::disk::Claim;
use buildout::monte_carlo::checkpoint::CheckpointError;
use buildout::monte_carlo::part::Part;
use buildout::sampling::design::Drawing;
use buildout::{Batch, RunError};
use clap::Args;
use indicatif::ProgressBar;

use crate::engine::{INTERRUPTED, listen_for_interruptions};
use crate::failure::{Failure, say};

/// Where what is done is kept, and which trials are run.
#[derive(Args)]
pub(crate) struct Saving {
    /// Write what is done to this file now and then, when interrupted, and at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// How often to write it, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) checkpoint_every: u64,
    /// Resume from the checkpoint, if it exists
    #[arg(long, requires = "checkpoint")]
    pub(crate) resume: bool,
    /// Run only part I (from 0) of N equal parts, into the checkpoint, for `buildout merge` or the same command with --merge
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "checkpoint",
          conflicts_with_all = ["until", "out", "format", "json"])]
    pub(crate) shard: Option<Shard>,
}

#[derive(Clone, Copy)]
pub(crate) struct Shard {
    index: u64,
    of: u64,
}

impl Shard {
    /// The numbers of its trials, of all.
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

/// A batch and how it is run.
pub(crate) struct Job<'a> {
    /// The name of what is run, after which a checkpoint is named where none was asked for.
    pub(crate) name: &'a str,
    pub(crate) trials: u64,
    pub(crate) drawing: &'a Drawing,
    pub(crate) threads: usize,
    pub(crate) quiet: bool,
    pub(crate) saving: &'a Saving,
    /// Whether it runs until goals are known, which ranks cannot.
    #[cfg_attr(not(feature = "mpi"), expect(dead_code))]
    pub(crate) has_goals: bool,
    pub(crate) bar: &'a ProgressBar,
    /// The metrics that are gathered though the command line does not name them.
    pub(crate) chosen: &'a [String],
}

/// What was run.
pub(crate) struct Done<T> {
    pub(crate) part: Part,
    /// What running it said; none if its checkpoint could not be written at the end.
    pub(crate) reported: Option<T>,
    /// Why its checkpoint could not be written, if so.
    pub(crate) unsaved: Option<Failure>,
}

impl Job<'_> {
    /// Runs what is missing of a batch by `advance`, and returns the part with what that says; `None` if it was a shard, whose
    /// results are in its file, or another rank has the results. `make` makes the batch with all its trials.
    pub(crate) fn run<'b, T>(
        &'b self,
        make: impl Fn() -> Batch<'b>,
        advance: impl FnOnce(&mut Batch<'b>, &mut Part) -> Result<T, Failure>,
    ) -> Result<Option<Done<T>>, Failure> {
        listen_for_interruptions(self.quiet)?;
        let done = |part: Part, reported: T| Done {
            part,
            reported: Some(reported),
            unsaved: None,
        };
        #[cfg(feature = "mpi")]
        if buildout::monte_carlo::ranks::Ranks::are_launched() {
            let Some(mut part) = crate::ranks::simulate(self, &make)? else {
                return Ok(None);
            };
            // All trials are done: this only reads them.
            let reported = advance(&mut make(), &mut part)?;
            return Ok(Some(done(part, reported)));
        }
        let mut batch = make()
            .threads(self.threads)
            .cancelled_by(&INTERRUPTED)
            .on_unsaved(|error| self.bar.suspend(|| say(&format!("warning: {error}"))));
        if let Some(path) = &self.saving.checkpoint {
            batch = batch.checkpoint(path, Duration::from_secs(self.saving.checkpoint_every));
        }
        let _claim = claim(self.saving.checkpoint.as_deref())?;
        let mut part = self.begin(&batch)?;
        if let Some(shard) = self.saving.shard {
            batch = batch.trial_range(shard.range(self.trials));
        }
        self.bar.set_position(part.done().count());
        self.bar.reset_eta();
        match advance(&mut batch, &mut part) {
            Ok(_) if self.saving.shard.is_some() => Ok(None),
            Ok(reported) => Ok(Some(done(part, reported))),
            Err(failure) if failure.is_cancellation() => Err(self.interrupted(&part)?),
            Err(failure) => match failure.into_checkpoint_error() {
                Ok(error) => self.unsaved(part, error),
                Err(failure) => Err(*failure),
            },
        }
    }

    /// What becomes of trials that could not be written where they were to be.
    fn unsaved<T>(&self, part: Part, error: CheckpointError) -> Result<Option<Done<T>>, Failure> {
        let is_whole = self.saving.shard.is_none() && !INTERRUPTED.is_cancelled();
        if is_whole && part.done().count() > 0 {
            return Ok(Some(Done {
                part,
                reported: None,
                unsaved: Some(RunError::from(error).into()),
            }));
        }
        let folders = [PathBuf::new(), std::env::temp_dir()];
        for folder in folders {
            let path = reserve_name(&folder, self.name, self.drawing.seed());
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

    /// What is done already: the checkpoint, if the run is to resume from it, or nothing.
    fn begin(&self, batch: &Batch<'_>) -> Result<Part, Failure> {
        let part = batch.begin()?;
        let Some(path) = self.saving.checkpoint.as_ref().filter(|path| path.exists()) else {
            // Better now than after the first minute.
            if let Some(path) = &self.saving.checkpoint {
                part.save(path).map_err(RunError::from)?;
            }
            return Ok(part);
        };
        if !self.saving.resume {
            return Err(Failure::CheckpointExists(path.clone()));
        }
        let mut there = Part::load(path).map_err(RunError::from)?;
        (part.check_run(there.provenance())).map_err(|error| Failure::OtherRun {
            path: path.clone(),
            error,
        })?;
        if !part.metrics().eq(there.metrics()) {
            return Err(Failure::OtherMetrics {
                path: path.clone(),
                gathered: there.metrics().collect::<Vec<_>>().join(","),
            });
        }
        there.set_trials(part.trials());
        let done = there.done().count();
        if done > part.trials() && self.saving.shard.is_none() {
            // Not what was asked for, so it is reported even where notes are not wanted.
            say(&format!(
                "warning: {} has {done} trials, more than the {} that were asked for: the results are of {done}",
                path.display(),
                part.trials()
            ));
        } else if !self.quiet {
            say(&format!(
                "resuming from {}: {done} trials are done",
                path.display()
            ));
        }
        Ok(there)
    }

    fn interrupted(&self, part: &Part) -> Result<Failure, Failure> {
        let path = match &self.saving.checkpoint {
            // The batch has written it.
            Some(path) => path.clone(),
            None => {
                let path = reserve_name(Path::new(""), self.name, self.drawing.seed());
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
            command: command_to_resume(&path, self.saving, self.chosen),
            path,
        })
    }
}

/// The claim to a checkpoint that others must not write meanwhile. Where there can be none, writing it tells why, or goes well.
pub(crate) fn claim(checkpoint: Option<&Path>) -> Result<Option<Claim>, Failure> {
    let Some(path) = checkpoint else {
        return Ok(None);
    };
    match Claim::to(path) {
        Ok(None) => Err(Failure::CheckpointInUse(path.to_owned())),
        Ok(claim) => Ok(claim),
        Err(_) => Ok(None),
    }
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

/// The command that was given, with what it takes to resume: also the metrics that it gathered without naming them.
pub(crate) fn command_to_resume(path: &Path, saving: &Saving, chosen: &[String]) -> String {
    let mut words: Vec<String> = std::env::args().collect();
    if saving.checkpoint.is_none() {
        words.extend(["--checkpoint".to_owned(), path.display().to_string()]);
    }
    if !saving.resume {
        words.push("--resume".to_owned());
    }
    if !chosen.is_empty() {
        words.extend(["--metrics".to_owned(), chosen.join(",")]);
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
