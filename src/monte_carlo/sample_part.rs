//! Measures of the trials of a run as a file: a run of samples to resume, and shards of one to merge.
//!
//! Only the measures are kept. Inputs depend on the design, the seed and the trial number alone, so they are drawn again when
//! the [`Samples`] are made.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::batch::RunError;
use super::checkpoint::{CheckpointError, load_sealed, remove_leftovers, save_sealed};
use super::ranges::Ranges;
use super::sample_run::{SampleError, SampleRun};
use crate::projection::{MeasureLabel, Provenance, Samples};

/// The format of the files, in their first line.
const FORMAT: &str = "of samples 1";
/// How many trials are run between two looks at the clock.
const GROUP: u64 = 1_024;

/// Why parts of runs of samples do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplePartError {
    /// They are of another scenario, seed, design or version.
    #[error("it is a part of another run: {0}")]
    OtherRun(String),
    /// They keep other measures.
    #[error("it keeps {found}, and this run asks for {expected}")]
    OtherMeasures {
        /// What it keeps.
        found: String,
        /// What is asked for.
        expected: String,
    },
    /// Both have the same trials.
    #[error("both have the trials {0}")]
    Overlap(Ranges),
    /// Trials are missing.
    #[error("the trials {0} are missing")]
    Missing(Ranges),
}

/// Measures of those trials of a run that are done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamplePart {
    provenance: Provenance,
    measures: Vec<MeasureLabel>,
    done: Ranges,
    /// Trial by trial, in the order in which they were run.
    trials: Vec<u64>,
    /// The bits of each measure, so that infinite numbers and those that are none are kept, too.
    columns: Vec<Vec<u64>>,
}

impl SamplePart {
    /// The trials that it has.
    pub fn done(&self) -> &Ranges {
        &self.done
    }

    /// Writes it to a file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        save_sealed(path, FORMAT, self)
    }

    /// Reads what [`Self::save`] wrote.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let part: Self = load_sealed(path, FORMAT)?;
        let sound = part.columns.len() == part.measures.len()
            && part
                .columns
                .iter()
                .all(|column| column.len() == part.trials.len())
            && part.done.count() == part.trials.len() as u64;
        match sound {
            true => Ok(part),
            false => Err(CheckpointError::Damaged {
                path: path.to_owned(),
                reason: "its columns are of different lengths".to_owned(),
            }),
        }
    }

    /// Adds the trials of another part of the same run.
    pub fn merge(&mut self, other: &Self) -> Result<(), SamplePartError> {
        other.check(&self.provenance, &self.measures)?;
        let common = self.done.common(&other.done);
        if !common.is_empty() {
            return Err(SamplePartError::Overlap(common));
        }
        other.done.iter().for_each(|range| self.done.insert(range));
        self.trials.extend_from_slice(&other.trials);
        for (column, theirs) in self.columns.iter_mut().zip(&other.columns) {
            column.extend_from_slice(theirs);
        }
        Ok(())
    }

    fn check(&self, run: &Provenance, measures: &[MeasureLabel]) -> Result<(), SamplePartError> {
        if self.provenance != *run {
            let Provenance {
                scenario,
                version,
                seed,
                design,
                ..
            } = &self.provenance;
            return Err(SamplePartError::OtherRun(format!(
                "scenario \"{scenario}\", seed {seed}, design {design}, buildout {version}"
            )));
        }
        if self.measures != measures {
            let names = |labels: &[MeasureLabel]| {
                let names: Vec<&str> = labels.iter().map(|label| label.name.as_str()).collect();
                names.join(", ")
            };
            return Err(SamplePartError::OtherMeasures {
                found: names(&self.measures),
                expected: names(measures),
            });
        }
        Ok(())
    }

    fn add(&mut self, samples: &Samples) {
        for trial in samples.trials() {
            self.done.insert(*trial..trial + 1);
        }
        self.trials.extend_from_slice(samples.trials());
        for (column, measure) in self.columns.iter_mut().zip(samples.measures()) {
            column.extend(measure.values.iter().map(|value| value.to_bits()));
        }
    }
}

impl SampleRun<'_> {
    /// A part of this run in which no trial is done yet.
    pub fn begin(&self) -> Result<SamplePart, SampleError> {
        let empty = self.empty()?;
        let measures: Vec<MeasureLabel> = empty
            .measures()
            .iter()
            .map(|measure| measure.label.clone())
            .collect();
        Ok(SamplePart {
            provenance: empty.provenance().clone(),
            columns: vec![Vec::new(); measures.len()],
            measures,
            done: Ranges::new(),
            trials: Vec::new(),
        })
    }

    /// Refuses a part of another run.
    pub fn check(&self, part: &SamplePart) -> Result<(), SampleError> {
        let own = self.begin()?;
        Ok(part.check(&own.provenance, &own.measures)?)
    }

    /// Runs those trials that `part` does not have, and writes it to a file every so often, when the run is cancelled, and
    /// at the end.
    pub fn advance(
        &self,
        part: &mut SamplePart,
        checkpoint: Option<(&Path, Duration)>,
    ) -> Result<(), SampleError> {
        self.check(part)?;
        if let Some((path, _)) = checkpoint {
            remove_leftovers(path);
        }
        let save = |part: &SamplePart| match checkpoint {
            Some((path, _)) => part.save(path).map_err(RunError::from),
            None => Ok(()),
        };
        let mut saved = Instant::now();
        let missing = part.done.missing_from(self.trial_numbers());
        let mut run = Ok(());
        for range in missing.iter() {
            run = self.stream_range(range, GROUP, |samples| {
                part.add(&samples);
                if checkpoint.is_some_and(|(_, every)| saved.elapsed() >= every) {
                    save(part)?;
                    saved = Instant::now();
                }
                Ok::<_, SampleError>(())
            });
            if run.is_err() {
                break;
            }
        }
        save(part)?;
        run
    }

    /// The samples of a part that has all trials of this run, with their inputs drawn again.
    pub fn samples_of(&self, part: &SamplePart) -> Result<Samples, SampleError> {
        self.check(part)?;
        let missing = part.done.missing_from(self.trial_numbers());
        if !missing.is_empty() {
            return Err(SamplePartError::Missing(missing).into());
        }
        let mut order: Vec<usize> = (0..part.trials.len())
            .filter(|&place| self.trial_numbers().contains(&part.trials[place]))
            .collect();
        order.sort_unstable_by_key(|&place| part.trials[place]);
        let trials: Vec<u64> = order.iter().map(|&place| part.trials[place]).collect();
        let mut samples = self.inputs_of(&trials)?;
        for (column, bits) in samples.measure_columns_mut().zip(&part.columns) {
            *column = order
                .iter()
                .map(|&place| f64::from_bits(bits[place]))
                .collect();
        }
        Ok(samples)
    }
}
