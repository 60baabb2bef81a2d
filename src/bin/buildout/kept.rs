//! Trials that an analysis reads, kept in files: runs to resume, and shards of one.

use std::path::PathBuf;
use std::time::Duration;

use buildout::RunError;
use buildout::monte_carlo::sample_part::SamplePart;
use buildout::monte_carlo::sample_run::{SampleError, SampleRun};
use buildout::projection::Samples;
use clap::Args;

use crate::failure::{Failure, say};
use crate::long::{Shard, as_typed, claim, shard};

/// Trials in files.
#[derive(Args)]
pub(crate) struct KeptTrials {
    /// Write the trials that are done to this file now and then, when interrupted, and at the end
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// How often to write it, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    checkpoint_every: u64,
    /// Resume from the checkpoint, if it exists
    #[arg(long, requires = "checkpoint")]
    resume: bool,
    /// Run only part I (from 0) of N equal parts, into the checkpoint, for --from
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "checkpoint", conflicts_with_all = ["out", "from"])]
    shard: Option<Shard>,
    /// Read the trials of these checkpoints, such as those of all shards, and run none; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    from: Vec<PathBuf>,
}

impl KeptTrials {
    /// The trials of a run, from files or run now; none if it was a shard, whose trials are in its file.
    pub(crate) fn samples(
        &self,
        mut run: SampleRun<'_>,
        trials: u64,
        quiet: bool,
    ) -> Result<Option<Samples>, Failure> {
        if !self.from.is_empty() {
            return Ok(Some(self.read(&run)?));
        }
        let Some(path) = &self.checkpoint else {
            return Ok(Some(run.run()?));
        };
        if let Some(shard) = self.shard {
            run = run.trial_range(shard.range(trials));
        }
        let _claim = claim(Some(path))?;
        let mut part = match path.exists() {
            false => run.begin()?,
            true if !self.resume => return Err(Failure::CheckpointExists(path.clone())),
            true => SamplePart::load(path).map_err(RunError::from)?,
        };
        let every = Duration::from_secs(self.checkpoint_every);
        match run.advance(&mut part, Some((path, every))) {
            Err(SampleError::Run(RunError::Cancelled)) => {
                return Err(Failure::Interrupted {
                    path: path.clone(),
                    done: part.done().count(),
                    command: self.command_to_resume(),
                });
            }
            advanced => advanced?,
        }
        if self.shard.is_some() {
            if !quiet {
                let (done, path) = (part.done(), path.display());
                say(&format!("the trials {done} are done and saved in {path}"));
            }
            return Ok(None);
        }
        Ok(Some(run.samples_of(&part)?))
    }

    fn command_to_resume(&self) -> String {
        let mut words: Vec<String> = std::env::args().collect();
        if !self.resume {
            words.push("--resume".to_owned());
        }
        as_typed(&words)
    }

    fn read(&self, run: &SampleRun<'_>) -> Result<Samples, Failure> {
        let mut all = run.begin()?;
        for path in &self.from {
            let part = SamplePart::load(path).map_err(RunError::from)?;
            (all.merge(&part))
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        }
        Ok(run.samples_of(&all)?)
    }
}
