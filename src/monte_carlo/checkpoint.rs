//! Parts of runs as files: checkpoints to resume from, and shards to merge.
//!
//! A file is written whole or not at all, as [`crate::disk`] does it. A process that is killed leaves its temporary file behind,
//! `.NAME.buildout-` and six letters or digits; the next run with the same checkpoint removes it. (Where locks hold on one
//! machine only, two machines that write the same checkpoint by mistake may remove each other's file; the one whose file
//! is gone then ends with an error, and the checkpoint is as it was.)
//!
//! The first line of a checkpoint names the format and its version, the second has the SHA-256 and the length of what follows, which is the [`Part`] as JSON. Nothing of a file is believed before the
//! length and the checksum are right.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::part::Part;
use crate::disk;

/// The first line of a file but for the version.
const MAGIC: &str = "buildout checkpoint ";
/// The version of the format. It changes when files of one could not be read as the other, or not be added to.
pub const FORMAT: u32 = 3;

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
        "the checkpoint {} has format {format}, and this command reads format {expected} here: \
         finish the run with the version that began it, or begin again", path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: String,
        /// The format that was to be read.
        expected: String,
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
        to_sealed(&FORMAT.to_string(), self)
    }

    /// Reads what [`Self::to_bytes`] wrote; `path` is for the words of errors.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, CheckpointError> {
        let part: Self = from_sealed(&FORMAT.to_string(), bytes, path)?;
        part.check().map_err(|reason| CheckpointError::Damaged {
            path: path.to_owned(),
            reason,
        })?;
        Ok(part)
    }

    /// Writes the part to a file, whole or not at all.
    ///
    /// On an error what was there before is still there, and nothing else is left.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        save_sealed(path, &FORMAT.to_string(), self)
    }

    /// Reads a part from a file that [`Self::save`] wrote. A file that is cut off, damaged or of another format is
    /// refused; whether it is a part of the intended run is checked by [`Self::check_run`].
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        Self::from_bytes(&read(path)?, path)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    disk::read_written(path).map_err(|source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Writes the first line with the format, the second with sum and length, and then `body` as JSON. It is made twice, the first
/// time for its sum alone, so that it is never in memory all at once.
fn write_sealed(format: &str, body: &impl Serialize, mut to: impl Write) -> io::Result<()> {
    let mut summed = io::BufWriter::new(Summed::default());
    serde_json::to_writer(&mut summed, body)?;
    let summed = summed.into_inner()?;
    let sum = hexadecimal(&summed.digest.finalize());
    writeln!(to, "{MAGIC}{format}\nsha256 {sum} bytes {}", summed.length)?;
    serde_json::to_writer(&mut to, body)?;
    to.flush()
}

/// Writes `body` to a file of that format, whole or not at all.
pub(super) fn save_sealed(
    path: &Path,
    format: &str,
    body: &impl Serialize,
) -> Result<(), CheckpointError> {
    let written = write_whole(path, |file| {
        write_sealed(format, body, io::BufWriter::with_capacity(1 << 16, file))
    });
    written.map_err(|source| CheckpointError::Write {
        path: path.to_owned(),
        source,
    })
}

/// The bytes of such a file.
pub(super) fn to_sealed(format: &str, body: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_sealed(format, body, &mut bytes).expect("memory takes all that is written");
    bytes
}

/// Reads what [`to_sealed`] made; `name` is for the words of errors.
pub(super) fn from_sealed<T: DeserializeOwned>(
    format: &str,
    bytes: &[u8],
    name: &Path,
) -> Result<T, CheckpointError> {
    open_sealed(format, bytes, name)
}

/// Reads what [`save_sealed`] wrote.
pub(super) fn load_sealed<T: DeserializeOwned>(
    path: &Path,
    format: &str,
) -> Result<T, CheckpointError> {
    open_sealed(format, &read(path)?, path)
}

/// What the bytes of a file hold, once its format, length and sum are right.
fn open_sealed<T: DeserializeOwned>(
    expected_format: &str,
    bytes: &[u8],
    path: &Path,
) -> Result<T, CheckpointError> {
    let path = path.to_owned();
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let Some(format) = line().strip_prefix(MAGIC.as_bytes()) else {
        return Err(CheckpointError::NoCheckpoint { path });
    };
    let format = String::from_utf8_lossy(format).into_owned();
    if format != expected_format {
        return Err(CheckpointError::Format {
            path,
            format,
            expected: expected_format.to_owned(),
        });
    }
    let header = String::from_utf8_lossy(line()).into_owned();
    let body = line();
    let words: Vec<&str> = header.split(' ').collect();
    let (sum, expected) = match words[..] {
        ["sha256", sum, "bytes", length] => (sum, length.parse::<usize>().ok()),
        _ => ("", None),
    };
    // Written in one way only.
    let expected = expected.filter(|length| header == format!("sha256 {sum} bytes {length}"));
    let Some(expected) = expected else {
        let reason = "its second line is not a checksum and a length".to_owned();
        return Err(CheckpointError::Damaged { path, reason });
    };
    if body.len() > expected {
        let more = body.len() - expected;
        let reason = format!("{more} bytes follow what its second line describes");
        return Err(CheckpointError::Damaged { path, reason });
    }
    if body.len() < expected {
        return Err(CheckpointError::Truncated {
            path,
            found: body.len(),
            expected,
        });
    }
    if hexadecimal(&Sha256::digest(body)) != sum {
        let reason = "its checksum is wrong".to_owned();
        return Err(CheckpointError::Damaged { path, reason });
    }
    serde_json::from_slice(body).map_err(|error| CheckpointError::Damaged {
        path,
        reason: error.to_string(),
    })
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

/// How the temporary files begin that are written for a file.
fn prefix_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // File systems take 255 bytes.
    let end = (0..=name.len().min(200)).rfind(|end| name.is_char_boundary(*end));
    format!(".{}", &name[..end.unwrap_or(0)])
}

/// What stands between the name of a checkpoint and the letters that distinguish its temporary files.
const UNFINISHED: &str = ".buildout-";

/// An empty temporary file for `path`, locked as long as it is open.
fn unfinished(path: &Path) -> io::Result<NamedTempFile> {
    disk::temporary(
        disk::folder_of(path),
        &format!("{}{UNFINISHED}", prefix_of(path)),
    )
}

/// Removes what processes that were killed while they wrote the checkpoint at `path`, or those of ranks beside it, have left.
pub(super) fn remove_leftovers(path: &Path) {
    let Ok(path) = disk::target_of(path) else {
        return;
    };
    let name = prefix_of(&path);
    let is_ours = |prefix: &str| {
        let of = (prefix.strip_suffix(UNFINISHED)).and_then(|of| of.strip_prefix(&name));
        of.is_some_and(|of| {
            let rank = of.strip_prefix(".rank-");
            of.is_empty() || rank.is_some_and(|rank| rank.parse::<usize>().is_ok())
        })
    };
    disk::remove_leftovers(disk::folder_of(&path), is_ours, MAGIC.as_bytes());
}

/// Writes a file to a temporary one beside it, and gives it the name when all is on the disk.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut fs::File) -> io::Result<()>,
) -> io::Result<()> {
    let path = disk::target_of(path)?;
    let mut file = unfinished(&path)?;
    write(file.as_file_mut())?;
    disk::replace(file, &path)
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
