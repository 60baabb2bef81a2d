//! Particles in a file, from which an interrupted update goes on.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::observations::Observations;
use super::smc::{Population, Settings};
use crate::disk::read_written;
use crate::model::Model;
use crate::monte_carlo::checkpoint::{hexadecimal, write_whole};

/// The version of the format.
const FORMAT: u32 = 1;

/// Why particles were not written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Reading or writing failed.
    #[error("the checkpoint {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is some other file, or damaged.
    #[error("{} has no particles of an update: {reason}", path.display())]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// How that shows.
        reason: String,
    },
    /// It is of another update.
    #[error(
        "the checkpoint {} is of another scenario, other observations, another seed or other numbers of trials", path.display()
    )]
    OtherUpdate {
        /// The file.
        path: PathBuf,
    },
}

/// What the particles of an update come from.
pub(super) struct Identity(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    buildout_update: u32,
    identity: String,
    population: Population,
}

impl Identity {
    pub(super) fn new(
        model: &Model,
        observations: &Observations,
        settings: Settings,
        trials: u64,
    ) -> Self {
        let mut sum = Sha256::new();
        let words = format!(
            "{} {} {observations:?} {settings:?} {trials}",
            env!("CARGO_PKG_VERSION"),
            model.fingerprint()
        );
        sum.update(words);
        Self(hexadecimal(&sum.finalize()))
    }

    /// Writes particles, whole or not at all.
    pub(super) fn save(&self, path: &Path, population: &Population) -> Result<(), StateError> {
        let saved = Saved {
            buildout_update: FORMAT,
            identity: self.0.clone(),
            population: population.clone(),
        };
        let written = write_whole(path, |file| {
            let mut file = io::BufWriter::new(file);
            serde_json::to_writer(&mut file, &saved)?;
            file.flush()
        });
        written.map_err(|source| StateError::File {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads particles of this update.
    pub(super) fn load(&self, path: &Path) -> Result<Population, StateError> {
        let bytes = read_written(path).map_err(|source| StateError::File {
            path: path.to_owned(),
            source,
        })?;
        let saved: Saved =
            serde_json::from_slice(&bytes).map_err(|error| StateError::OtherFile {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
        if saved.identity != self.0 {
            return Err(StateError::OtherUpdate {
                path: path.to_owned(),
            });
        }
        Ok(saved.population)
    }
}
