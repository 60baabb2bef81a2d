//! `buildout run` under an MPI launcher: each rank simulates its share, and rank 0 has the results.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use buildout::monte_carlo::ranks::{RankCheckpoints, Ranks};
use buildout::{Projection, RunError};

use crate::engine::{INTERRUPTED, Request, command_to_resume, progress_bar, reserve_name};
use crate::failure::{Failure, say};

/// Runs the trials on all ranks; `None` on all but the first. A failure of one ends all.
pub(crate) fn simulate(request: &Request<'_>) -> Result<Option<Projection>, Failure> {
    let long = request.long;
    for (given, option) in [
        (!long.until.is_empty(), "--until"),
        (long.shard.is_some(), "--shard"),
    ] {
        if given {
            return Err(Failure::NotOnRanks(option));
        }
    }
    let ranks = Ranks::join().expect("nothing else has started MPI");
    match run(request, &ranks) {
        Ok(projection) => Ok(projection),
        Err(failure) => {
            let is_interrupted = matches!(failure, Failure::RanksInterrupted { .. });
            if ranks.rank() == 0 || !is_interrupted {
                say(&failure.to_string());
            }
            ranks.abort(failure.status().into())
        }
    }
}

fn run(request: &Request<'_>, ranks: &Ranks) -> Result<Option<Projection>, Failure> {
    let long = request.long;
    let is_first = ranks.rank() == 0;
    let quiet = request.quiet || !is_first;
    // Without a checkpoint of the planner's own there is one for the time of the run.
    let path = match &long.checkpoint {
        Some(path) => path.clone(),
        None => {
            let mut name = Vec::new();
            if is_first {
                let path =
                    reserve_name(Path::new(""), request.model.name(), request.drawing.seed());
                let _ = fs::remove_file(&path);
                name = path.to_string_lossy().into_owned().into_bytes();
            }
            PathBuf::from(String::from_utf8_lossy(&ranks.broadcast(name)).into_owned())
        }
    };
    let checkpoints = RankCheckpoints {
        path: path.clone(),
        every: Duration::from_secs(long.checkpoint_every),
    };
    if is_first
        && !long.resume
        && let Some(there) = checkpoints.existing().into_iter().next()
    {
        return Err(Failure::CheckpointExists(there));
    }
    let threads = match request.threads {
        0 => ranks.threads(),
        given => given,
    };
    let command = format!(
        "mpirun -n {} {}",
        ranks.size(),
        command_to_resume(&path, long)
    );
    if !quiet {
        say(&format!(
            "{} ranks; should one fail, go on with: {command}",
            ranks.size()
        ));
    }
    let trials = request.trials;
    let bar = progress_bar(trials, quiet);
    let batch = || {
        request
            .batch()
            .trials(trials)
            .drawing(request.drawing.clone())
            .threads(threads)
            .cancelled_by(&INTERRUPTED)
            .on_progress(|done, of| {
                bar.set_length(of);
                bar.set_position(done);
            })
    };
    let result = ranks.run(&checkpoints, batch);
    bar.finish_and_clear();
    match result {
        Ok(Some(part)) => {
            if long.checkpoint.is_none() {
                let _ = fs::remove_file(&path);
            }
            Ok(Some(part.into_projection().map_err(RunError::from)?))
        }
        Ok(None) => Ok(None),
        Err(RunError::Cancelled) => Err(Failure::RanksInterrupted { path, command }),
        Err(other) => Err(other.into()),
    }
}
