//! Parts of runs as files: checkpoints to resume from, and shards to merge.
//!
//! A file is written whole or not at all: to a temporary file beside it, flushed to the disk, and renamed. A process that is
//! killed leaves its temporary file behind, `.NAME.buildout-` and six letters or digits; the next run with the same checkpoint
//! removes it. Who writes holds a lock, which dies with its process, so that no file of a living one is taken for a leftover; where
//! a file system has no locks, leftovers stay. (Where its locks hold on one machine only, two machines that write the
//! same checkpoint by mistake may remove each other's file; the one whose file is gone then ends with an error, and the
//! checkpoint is as it was.)
//!
//! The first line of a checkpoint names the format and its version, the second has the SHA-256 and the length of what follows, which is the [`Part`] as JSON. Nothing of a file is believed before the
//! length and the checksum are right.

use std::fs::{self, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::part::Part;

/// The first line of a file but for the version.
const MAGIC: &str = "buildout checkpoint ";
/// The version of the format. It changes when files of one could not be read as the other.
pub const FORMAT: u32 = 1;

/// Why a checkpoint was not written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Writing failed; the file that was there before is still there.
    #[error("the checkpoint {} could not be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading failed.
    #[error("the checkpoint {} could not be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is some other file.
    #[error("{} is no checkpoint of buildout: its first line is not \"{MAGIC}…\"", path.display())]
    NoCheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// It is of another version of the format.
    #[error(
        "the checkpoint {} has format {format}, and this version of buildout reads format {FORMAT}: \
         finish the run with the version that began it, or begin anew", path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: String,
    },
    /// It was cut off.
    #[error("the checkpoint {} is cut off: {found} of {expected} bytes are there", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How many bytes there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Its checksum is wrong, or what it says contradicts itself.
    #[error("the checkpoint {} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that shows.
        reason: String,
    },
}

/// The digits of a digest.
pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Part {
    /// The part as the bytes of a checkpoint file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes)
            .expect("memory takes all that is written");
        bytes
    }

    /// Writes the bytes of a checkpoint file. They are made twice, the first time for their sum alone, so that
    /// they are never in memory all at once.
    fn write_to(&self, mut to: impl Write) -> io::Result<()> {
        let mut summed = io::BufWriter::new(Summed::default());
        serde_json::to_writer(&mut summed, self)?;
        let summed = summed.into_inner()?;
        let sum = hexadecimal(&summed.digest.finalize());
        writeln!(to, "{MAGIC}{FORMAT}\nsha256 {sum} bytes {}", summed.length)?;
        serde_json::to_writer(&mut to, self)?;
        to.flush()
    }

    /// Reads what [`Self::to_bytes`] wrote; `path` is for the words of errors.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, CheckpointError> {
        let path = path.to_owned();
        let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
        let mut line = || lines.next().unwrap_or_default();
        let Some(format) = line().strip_prefix(MAGIC.as_bytes()) else {
            return Err(CheckpointError::NoCheckpoint { path });
        };
        let format = String::from_utf8_lossy(format).into_owned();
        if format != FORMAT.to_string() {
            return Err(CheckpointError::Format { path, format });
        }
        let header = String::from_utf8_lossy(line()).into_owned();
        let body = line();
        let words: Vec<&str> = header.split(' ').collect();
        let (sum, expected) = match words[..] {
            ["sha256", sum, "bytes", length] => (sum, length.parse::<usize>().ok()),
            _ => ("", None),
        };
        let Some(expected) = expected else {
            let reason = "its second line is not a checksum and a length".to_owned();
            return Err(CheckpointError::Damaged { path, reason });
        };
        if body.len() < expected {
            return Err(CheckpointError::Truncated {
                path,
                found: body.len(),
                expected,
            });
        }
        let damaged = |reason: String| CheckpointError::Damaged {
            path: path.clone(),
            reason,
        };
        if hexadecimal(&Sha256::digest(body)) != sum {
            return Err(damaged("its checksum is wrong".to_owned()));
        }
        let part: Self =
            serde_json::from_slice(body).map_err(|error| damaged(error.to_string()))?;
        part.check().map_err(damaged)?;
        Ok(part)
    }

    /// Writes the part to a file, whole or not at all.
    ///
    /// On an error what was there before is still there, and nothing else is left.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let written = write_whole(path, |file| {
            self.write_to(io::BufWriter::with_capacity(1 << 16, file))
        });
        written.map_err(|source| CheckpointError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a part from a file that [`Self::save`] wrote. A file that is cut off, damaged or of another format is
    /// refused; whether it is a part of the run that is meant, [`Self::check_run`] tells.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = fs::read(path).map_err(|source| CheckpointError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(&bytes, path)
    }
}

/// Takes bytes for their sum and number alone.
#[derive(Default)]
struct Summed {
    digest: Sha256,
    length: usize,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digest.update(bytes);
        self.length += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a file is, and how the temporary files that are written for it begin.
fn folder_and_prefix(path: &Path) -> (&Path, String) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // File systems take 255 bytes.
    let end = (0..=name.len().min(200)).rfind(|end| name.is_char_boundary(*end));
    (folder, format!(".{}", &name[..end.unwrap_or(0)]))
}

/// What stands between the name of a checkpoint and the letters that tell its temporary files apart.
const UNFINISHED: &str = ".buildout-";
/// How many letters and digits there are.
const LETTERS: usize = 6;

/// An empty temporary file beside `path`, locked as long as it is open.
fn unfinished(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let (folder, prefix) = folder_and_prefix(path);
    loop {
        let file = tempfile::Builder::new()
            .prefix(&format!("{prefix}{UNFINISHED}"))
            .rand_bytes(LETTERS)
            .tempfile_in(folder)?;
        match file.as_file().try_lock() {
            // Another process took it for a leftover in the moment before.
            Err(TryLockError::WouldBlock) => {}
            Ok(()) if !file.path().exists() => {}
            // Some file systems know no locks: there nobody gets one, and leftovers stay.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Removes what processes that were killed while they wrote the checkpoint at `path`, or those of ranks beside it, have left.
///
/// A file is removed only if its name is that of such a temporary file, it begins as a checkpoint does, and its lock can be
/// taken. What cannot be removed stays: it harms nothing but tidiness.
pub(super) fn remove_leftovers(path: &Path) {
    let (folder, prefix) = folder_and_prefix(path);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_named_so = name
            .to_str()
            .is_some_and(|name| is_unfinished(name, &prefix));
        if is_named_so && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = remove_if_left(&entry.path());
        }
    }
}

/// Whether a name is that of a temporary file of a checkpoint, or of a rank's beside it.
fn is_unfinished(name: &str, prefix: &str) -> bool {
    let Some((of, letters)) =
        (name.strip_prefix(prefix)).and_then(|rest| rest.rsplit_once(UNFINISHED))
    else {
        return false;
    };
    let rank = of.strip_prefix(".rank-");
    (of.is_empty() || rank.is_some_and(|rank| rank.parse::<usize>().is_ok()))
        && letters.len() == LETTERS
        && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn remove_if_left(path: &Path) -> io::Result<()> {
    // Some systems lock only what may be written to.
    let mut file = fs::File::options().read(true).write(true).open(path)?;
    if file.try_lock().is_err() {
        return Ok(());
    }
    let mut begin = Vec::new();
    (&mut file)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut begin)?;
    if MAGIC.as_bytes().starts_with(&begin) {
        // By its name: a file that was finished meanwhile has another one.
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Writes a file to a temporary one beside it, and gives it the name when all is on the disk.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut fs::File) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = unfinished(path)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    // Temporary files are for their owner alone; a checkpoint is like any other file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_or(0o644, |there| there.permissions().mode());
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(mode))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    // The name is safe only once the folder is on the disk; not every file system can do that.
    #[cfg(unix)]
    if let Ok(folder) = fs::File::open(folder_and_prefix(path).0) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = (fs::read_dir(folder).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_the_dead_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.checkpoint");
        let begun = format!("{MAGIC}{FORMAT}\nsha256");
        let left = [
            (".run.checkpoint.buildout-aB3dE9", begun.as_str()),
            (".run.checkpoint.buildout-000000", ""),
            (".run.checkpoint.buildout-cutcut", "buildout ch"),
            (".run.checkpoint.rank-12.buildout-aB3dE9", begun.as_str()),
        ];
        let kept = [
            (".run.checkpoint.buildout-mynote", "what I noted"),
            (".run.checkpoint.buildout-aB3dE", begun.as_str()),
            (".run.checkpoint.buildout-aB3-E9", begun.as_str()),
            (".run.checkpoint.rank-x.buildout-aB3dE9", begun.as_str()),
            (".other.checkpoint.buildout-aB3dE9", begun.as_str()),
            (".run.checkpoint2.buildout-aB3dE9", begun.as_str()),
            ("run.checkpoint", begun.as_str()),
        ];
        for (name, contents) in left.iter().chain(&kept) {
            fs::write(folder.path().join(name), contents).unwrap();
        }
        fs::create_dir(folder.path().join(".run.checkpoint.buildout-folder")).unwrap();
        let living = unfinished(&path).unwrap();
        remove_leftovers(&path);
        let mut expected: Vec<String> = kept.iter().map(|(name, _)| (*name).to_owned()).collect();
        let name = living.path().file_name().unwrap().to_str().unwrap();
        expected.extend([
            name.to_owned(),
            ".run.checkpoint.buildout-folder".to_owned(),
        ]);
        expected.sort_unstable();
        assert_eq!(names(folder.path()), expected);
        // As if its process had been killed.
        let (file, name) = living.keep().unwrap();
        drop(file);
        remove_leftovers(&path);
        assert!(!name.exists());
    }

    /// Two processes that write one checkpoint by mistake, each tidying up behind what it takes for dead.
    #[test]
    fn whoever_writes_last_has_written_it_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let contents = |writer: u8| {
            let mut bytes = MAGIC.as_bytes().to_vec();
            bytes.resize(50_000, writer);
            bytes
        };
        std::thread::scope(|scope| {
            for writer in [b'a', b'b', b'c'] {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..40 {
                        remove_leftovers(path);
                        write_whole(path, |file| {
                            let bytes = contents(writer);
                            bytes
                                .chunks(7_000)
                                .try_for_each(|chunk| file.write_all(chunk))
                        })
                        .unwrap();
                        let there = fs::read(path).unwrap();
                        assert_eq!(there, contents(there[there.len() - 1]));
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["checkpoint"]);
    }

    #[test]
    fn names_as_long_as_file_systems_take_are_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ä".repeat(120));
        write_whole(&path, |file| file.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        unfinished(&path).unwrap().keep().unwrap();
        remove_leftovers(&path);
        assert_eq!(names(folder.path()).len(), 1);
    }
}
