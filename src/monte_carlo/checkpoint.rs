//! Parts of runs as files: checkpoints to resume from, and shards to merge.
//!
//! A file is written whole or not at all: to a temporary file beside it, flushed to the disk, and renamed. Its
//! first line names the format and its version, the second has the SHA-256 and the
//! length of what follows, which is the [`Part`] as JSON. Nothing of a file is believed before the
//! length and the checksum are right.

use std::io::{self, Write};
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

fn hexadecimal(digest: &[u8]) -> String {
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
        let bytes = std::fs::read(path).map_err(|source| CheckpointError::Read {
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

fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut std::fs::File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".buildout-checkpoint-")
        .tempfile_in(folder)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    // Temporary files are for their owner alone; a checkpoint is like any other file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_or(0o644, |there| there.permissions().mode());
        file.as_file()
            .set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    // The name is safe only once the folder is on the disk; not every file system can do that.
    #[cfg(unix)]
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
