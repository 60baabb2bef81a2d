//! One run on many machines, by MPI (feature `mpi`).
//!
//! Each rank simulates an equal share of the trials and rank 0 puts the [`Part`]s together, as shards are: to the same
//! bits as one process. They meet in a binomial tree, so that n ranks merge in about log2 n steps and each
//! holds two parts at most.
//!
//! Each rank keeps a checkpoint of its own beside that of the run, `FILE.rank-0`, `FILE.rank-1` and so on. When a rank
//! dies, the launcher ends the others, who save what they have before they go; what all ranks have saved
//! is taken up when the run is resumed, on any number of ranks. Only when the whole run is in `FILE` are the ranks' files
//! removed.

use std::ffi::OsString;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mpi::Threading;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Root, Source};

use super::batch::{Batch, RunError};
use super::checkpoint::remove_leftovers;
use super::kept_runs::Processes;
use super::part::Part;
use super::ranges::Ranges;

/// What launchers set for each process that they start: Open MPI, MPICH and its kin, PMIx, MVAPICH.
const LAUNCHED: [&str; 4] = [
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "PMIX_RANK",
    "MV2_COMM_WORLD_SIZE",
];

/// What they set to the number of the process.
const RANKS: [&str; 4] = [
    "OMPI_COMM_WORLD_RANK",
    "PMI_RANK",
    "PMIX_RANK",
    "MV2_COMM_WORLD_RANK",
];

/// The most bytes of one message: MPI counts with 32 bits.
const MESSAGE: usize = 1 << 28;

/// The processes that a launcher has started together.
pub struct Ranks {
    universe: Universe,
}

/// Where the ranks of a run keep what is done.
#[derive(Clone, Debug)]
pub struct RankCheckpoints {
    /// The checkpoint of the whole run; the ranks' own are named after it.
    pub path: PathBuf,
    /// How often each rank writes its own.
    pub every: Duration,
}

impl RankCheckpoints {
    fn of_rank(&self, rank: usize) -> PathBuf {
        let mut name = OsString::from(self.path.as_os_str());
        name.push(format!(".rank-{rank}"));
        PathBuf::from(name)
    }

    /// The files that are there: that of the run and those of ranks.
    pub fn existing(&self) -> Vec<PathBuf> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut prefix = self.path.file_name().unwrap_or_default().to_owned();
        prefix.push(".rank-");
        let prefix = prefix.to_string_lossy().into_owned();
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .filter(|entry| {
                let name = entry.file_name();
                let rank = name.to_string_lossy();
                let rank = rank.strip_prefix(&prefix);
                rank.is_some_and(|rank| rank.parse::<usize>().is_ok())
            })
            .map(|entry| entry.path())
            .collect();
        found.sort_unstable();
        if self.path.exists() {
            found.insert(0, self.path.clone());
        }
        found
    }

    /// Puts together what earlier ranks have saved, writes it as the checkpoint of the run and removes theirs.
    fn take_up(&self, mut whole: Part) -> Result<Part, RunError> {
        remove_leftovers(&self.path);
        let (run, trials) = (whole.provenance().clone(), whole.trials());
        let existing = self.existing();
        for path in &existing {
            let part = Part::load(path)?;
            part.check_run(&run)?;
            // A file that was to be removed and is in the whole is passed over.
            let is_there = |range| whole.done().missing_from(range).is_empty();
            if !part.done().iter().all(is_there) {
                whole.merge(&part)?;
            }
        }
        whole.set_trials(trials);
        if !existing.is_empty() {
            whole.save(&self.path)?;
            self.remove_all(&existing);
        }
        Ok(whole)
    }

    fn remove_all(&self, files: &[PathBuf]) {
        for path in files.iter().filter(|path| **path != self.path) {
            let _ = fs::remove_file(path);
        }
    }
}

impl Ranks {
    /// Whether a launcher such as `mpirun` or `srun` has started this process.
    pub fn are_launched() -> bool {
        LAUNCHED.iter().any(|name| std::env::var_os(name).is_some())
    }

    /// Whether this process is the first of those that were started together, or was started alone: the one that should
    /// write messages for all. Known before they join.
    pub fn is_first() -> bool {
        let others = RANKS.iter().filter_map(|name| std::env::var(name).ok());
        others.into_iter().all(|rank| rank == "0")
    }

    /// Joins the others; `None` if that was done before in this process. To be called and dropped on the main thread.
    pub fn join() -> Option<Self> {
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)?;
        Some(Self { universe })
    }

    fn world(&self) -> SimpleCommunicator {
        self.universe.world()
    }

    /// The number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.world().rank() as usize
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.world().size() as usize
    }

    /// How many threads each rank of this machine may use so that all have one processor: 1 at least.
    pub fn threads(&self) -> usize {
        let here = self.world().split_shared(self.world().rank()).size() as usize;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        (processors / here.max(1)).max(1)
    }

    /// Gives all ranks the bytes that rank 0 has.
    pub fn broadcast(&self, bytes: Vec<u8>) -> Vec<u8> {
        let world = self.world();
        let root = world.process_at_rank(0);
        let mut length = bytes.len() as u64;
        root.broadcast_into(&mut length);
        let mut bytes = bytes;
        bytes.resize(length as usize, 0);
        for chunk in bytes.chunks_mut(MESSAGE) {
            root.broadcast_into(chunk);
        }
        bytes
    }

    /// Runs what is missing of a run, each rank its share; on rank 0 the whole run comes out of it, on the others nothing.
    ///
    /// `batch` makes the batch of the run, with all its trials; it must be the same on all ranks but for threads, progress and
    /// cancellation. What is saved already is taken up.
    ///
    /// On an error, and when the batch was cancelled, the rank's checkpoint has what it has done; the others wait for it in vain, so that the
    /// program must [abort](Self::abort).
    pub fn run<'a>(
        &self,
        checkpoints: &RankCheckpoints,
        batch: impl Fn() -> Batch<'a>,
    ) -> Result<Option<Part>, RunError> {
        let (rank, size) = (self.rank(), self.size());
        let empty = batch().begin()?;
        let mut whole = None;
        let mut missing = Vec::new();
        if rank == 0 {
            let there = checkpoints.take_up(empty.clone())?;
            missing = serde_json::to_vec(&there.missing()).expect("ranges are plain data");
            whole = Some(there);
        }
        let missing: Ranges =
            serde_json::from_slice(&self.broadcast(missing)).expect("rank 0 has written it");
        let mut part = empty;
        let path = checkpoints.of_rank(rank);
        for range in share(&missing, rank as u64, size as u64).iter() {
            batch()
                .trial_range(range)
                .checkpoint(&path, checkpoints.every)
                .advance(&mut part)?;
        }
        let Some(gathered) = self.gather(part)? else {
            // Rank 0 says when all is safe.
            self.broadcast(Vec::new());
            let _ = fs::remove_file(path);
            return Ok(None);
        };
        let mut whole = whole.expect("the parts meet at rank 0");
        whole.merge(&gathered)?;
        whole.save(&checkpoints.path)?;
        self.broadcast(Vec::new());
        let _ = fs::remove_file(path);
        Ok(Some(whole))
    }

    /// Merges the parts of all ranks into that of rank 0.
    fn gather(&self, mut part: Part) -> Result<Option<Part>, RunError> {
        let (rank, size) = (self.rank(), self.size());
        let mut step = 1;
        while step < size {
            if rank & step != 0 {
                self.send(&part.to_bytes(), rank - step);
                return Ok(None);
            }
            if rank + step < size {
                let bytes = self.receive(rank + step);
                let name = format!("the part of rank {}", rank + step);
                part.merge(&Part::from_bytes(&bytes, Path::new(&name))?)?;
            }
            step *= 2;
        }
        Ok(Some(part))
    }

    fn send(&self, bytes: &[u8], to: usize) {
        let world = self.world();
        let to = world.process_at_rank(to as i32);
        to.send(&(bytes.len() as u64));
        for chunk in bytes.chunks(MESSAGE) {
            to.send(chunk);
        }
    }

    fn receive(&self, from: usize) -> Vec<u8> {
        let world = self.world();
        let from = world.process_at_rank(from as i32);
        let (length, _) = from.receive::<u64>();
        let mut bytes = vec![0_u8; length as usize];
        for chunk in bytes.chunks_mut(MESSAGE) {
            from.receive_into(chunk);
        }
        bytes
    }

    /// Ends all ranks with that exit status; the launcher asks the others to terminate.
    pub fn abort(&self, status: i32) -> ! {
        self.world().abort(status)
    }
}

impl Processes for Ranks {
    fn number(&self) -> u64 {
        self.rank() as u64
    }

    fn count(&self) -> u64 {
        self.size() as u64
    }

    fn exchange(&self, own: Vec<u8>) -> Vec<Vec<u8>> {
        let (rank, size) = (self.rank(), self.size());
        let mut all = vec![Vec::new(); size];
        if rank > 0 {
            self.send(&own, 0);
        } else {
            for (other, bytes) in all.iter_mut().enumerate().skip(1) {
                *bytes = self.receive(other);
            }
            all[0] = own;
        }
        all.into_iter().map(|bytes| self.broadcast(bytes)).collect()
    }
}

/// The share of a rank: as many trials as any other has, but for one.
fn share(missing: &Ranges, rank: u64, size: u64) -> Ranges {
    let count = u128::from(missing.count());
    let end_of = |rank: u64| (count * u128::from(rank) / u128::from(size)) as u64;
    let (first, end) = (end_of(rank), end_of(rank + 1));
    let mut share = Ranges::new();
    let mut before = 0;
    for Range { start, end: stop } in missing.iter() {
        let length = stop - start;
        let from = first.clamp(before, before + length) - before;
        let to = end.clamp(before, before + length) - before;
        share.insert(start + from..start + to);
        before += length;
    }
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_ranks_are_equal_and_all_that_is_missing() {
        let mut done = Ranges::new();
        done.insert(10..13);
        done.insert(40..90);
        let missing = done.missing_from(0..103);
        for size in [1, 3, 7, 200] {
            let mut all = Ranges::new();
            for rank in 0..size {
                let one = share(&missing, rank, size);
                assert!(all.common(&one).is_empty());
                let even = missing.count() / size;
                assert!((even..=even + 1).contains(&one.count()));
                for range in one.iter() {
                    all.insert(range);
                }
            }
            assert_eq!(all, missing);
        }
    }

    #[test]
    fn the_files_of_ranks_are_those_named_after_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = RankCheckpoints {
            path: folder.path().join("run.checkpoint"),
            every: Duration::from_secs(1),
        };
        assert!(checkpoints.existing().is_empty());
        for name in [
            "run.checkpoint.rank-10",
            "run.checkpoint.rank-x",
            "run.checkpoint",
            "other.rank-1",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = checkpoints.existing();
        assert_eq!(found, [checkpoints.path.clone(), checkpoints.of_rank(10)]);
    }
}
