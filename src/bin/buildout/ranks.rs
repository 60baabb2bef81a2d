//! Long batches under an MPI launcher: each rank simulates its share, and rank 0 has the results.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use buildout::monte_carlo::part::Part;
use buildout::monte_carlo::ranks::{RankCheckpoints, Ranks};
use buildout::{Batch, RunError};

use crate::engine::INTERRUPTED;
use crate::failure::{Failure, say};
use crate::long::{Job, command_to_resume, reserve_name};

/// Runs the trials on all ranks; `None` on all but the first. A failure of one ends all.
pub(crate) fn simulate<'b>(
    job: &Job<'_>,
    make: &impl Fn() -> Batch<'b>,
) -> Result<Option<Part>, Failure> {
    for (given, option) in [
        (job.has_goals, "--until"),
        (job.saving.shard.is_some(), "--shard"),
    ] {
        if given {
            return Err(Failure::NotOnRanks(option));
        }
    }
    let ranks = Ranks::join().expect("nothing else has started MPI");
    match run(job, make, &ranks) {
        Ok(part) => Ok(part),
        Err(failure) => {
            let is_interrupted = matches!(failure, Failure::RanksInterrupted { .. });
            if ranks.rank() == 0 || !is_interrupted {
                say(&failure.to_string());
            }
            ranks.abort(failure.status().into())
        }
    }
}

fn run<'b>(
    job: &Job<'_>,
    make: &impl Fn() -> Batch<'b>,
    ranks: &Ranks,
) -> Result<Option<Part>, Failure> {
    let saving = job.saving;
    let is_first = ranks.rank() == 0;
    let quiet = job.quiet || !is_first;
    // Without a checkpoint of the planner's own there is one for the time of the run.
    let path = match &saving.checkpoint {
        Some(path) => path.clone(),
        None => {
            let mut name = Vec::new();
            if is_first {
                let path = reserve_name(Path::new(""), job.name, job.drawing.seed());
                let _ = fs::remove_file(&path);
                name = path.to_string_lossy().into_owned().into_bytes();
            }
            PathBuf::from(String::from_utf8_lossy(&ranks.broadcast(name)).into_owned())
        }
    };
    let checkpoints = RankCheckpoints {
        path: path.clone(),
        every: Duration::from_secs(saving.checkpoint_every),
    };
    if is_first
        && !saving.resume
        && let Some(there) = checkpoints.existing().into_iter().next()
    {
        return Err(Failure::CheckpointExists(there));
    }
    let threads = match job.threads {
        0 => ranks.threads(),
        given => given,
    };
    let command = format!(
        "mpirun -n {} {}",
        ranks.size(),
        command_to_resume(&path, saving, job.chosen)
    );
    if !quiet {
        say(&format!(
            "{} ranks; should one fail, resume with: {command}",
            ranks.size()
        ));
    }
    let batch = || make().threads(threads).cancelled_by(&INTERRUPTED);
    let result = ranks.run(&checkpoints, batch);
    match result {
        Ok(Some(part)) => {
            if saving.checkpoint.is_none() {
                let _ = fs::remove_file(&path);
            }
            Ok(Some(part))
        }
        Ok(None) => Ok(None),
        Err(RunError::Cancelled) => Err(Failure::RanksInterrupted { path, command }),
        Err(other) => Err(other.into()),
    }
}
