//! The trials of a run that are done, by what they yielded; several runs are kept together as [`KeptRuns`](super::kept_runs::KeptRuns).
//!
//! Only the measures are kept. Inputs depend on the design, the seed and the trial number alone, so they are drawn again when
//! the [`Samples`] are made.

use serde::{Deserialize, Serialize};

use super::columns::TrialColumns;
use super::ranges::Ranges;
use super::sample_run::{SampleError, SampleRun};
use crate::projection::{MeasureLabel, Provenance, Samples};

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
    /// The measures trial by trial.
    kept: TrialColumns,
}

impl SamplePart {
    /// The trials that it has.
    pub fn done(&self) -> &Ranges {
        &self.done
    }

    /// Whether it is of the same run: the same scenario, seed and design, and the same measures.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.provenance == other.provenance && self.measures == other.measures
    }

    /// Whether what it says does not contradict itself.
    pub(super) fn is_sound(&self) -> bool {
        self.kept.is_sound() && self.kept.len() as u64 == self.done.count()
    }

    /// Adds the trials of another part of the same run.
    pub fn merge(&mut self, other: &Self) -> Result<(), SamplePartError> {
        other.check(self)?;
        let common = self.done.common(&other.done);
        if !common.is_empty() {
            return Err(SamplePartError::Overlap(common));
        }
        other.done.iter().for_each(|range| self.done.insert(range));
        self.kept.append(&other.kept);
        Ok(())
    }

    /// Refuses a part of another run.
    pub(super) fn check(&self, run: &Self) -> Result<(), SamplePartError> {
        if self.provenance != run.provenance {
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
        if self.measures != run.measures {
            let names = |labels: &[MeasureLabel]| {
                let names: Vec<&str> = labels.iter().map(|label| label.name.as_str()).collect();
                names.join(", ")
            };
            return Err(SamplePartError::OtherMeasures {
                found: names(&self.measures),
                expected: names(&run.measures),
            });
        }
        Ok(())
    }

    pub(super) fn add(&mut self, samples: &Samples) {
        for trial in samples.trials() {
            self.done.insert(*trial..trial + 1);
        }
        let measures = samples.measures().iter();
        self.kept.extend(
            samples.trials().iter().copied(),
            measures.map(|measure| measure.values.as_slice()),
        );
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
            kept: TrialColumns::new(measures.len()),
            measures,
            done: Ranges::new(),
        })
    }

    /// The samples of a part that has all trials of this run, with their inputs drawn again.
    pub fn samples_of(&self, part: &SamplePart) -> Result<Samples, SampleError> {
        let (trials, columns) = self.measures_of(part)?;
        let mut samples = self.inputs_of(&trials)?;
        for (column, values) in samples.measure_columns_mut().zip(columns) {
            *column = values;
        }
        Ok(samples)
    }

    /// The trials of this run that a part has, all of them, with the columns of their measures.
    pub(super) fn measures_of(
        &self,
        part: &SamplePart,
    ) -> Result<(Vec<u64>, Vec<Vec<f64>>), SampleError> {
        part.check(&self.begin()?)?;
        let missing = part.done.missing_from(self.trial_numbers());
        if !missing.is_empty() {
            return Err(SamplePartError::Missing(missing).into());
        }
        let numbers = self.trial_numbers();
        Ok(part.kept.ordered(|trial| numbers.contains(&trial)))
    }
}
