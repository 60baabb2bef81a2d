//! A part of a run: which trials are done, and what they say.
//!
//! Shards of a job array, ranks of an MPI program and what is left of an interrupted run are all
//! parts. Parts of one run merge in any order to the same bits, and each can be written to a file
//! ([`checkpoint`](super::checkpoint)).

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::columns::TrialColumns;
use super::ranges::Ranges;
use crate::projection::{Layout, LayoutError, Projection, ProjectionError, Provenance};

/// A part of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// How many trials the whole run has.
    trials: u64,
    done: Ranges,
    /// One projection for each replicate of the design.
    replicates: Vec<Projection>,
    /// What is kept trial by trial, if anything.
    #[serde(default, skip_serializing_if = "TrialColumns::is_empty")]
    kept: TrialColumns,
}

/// Why parts are not of one run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// They are of different scenarios, seeds, designs or versions.
    #[error(
        "these are parts of different runs: {differences}\n  the one: {ours}\n  the other: {theirs}"
    )]
    OtherRun {
        /// In what they differ.
        differences: String,
        /// The run of the part that was to take the other in.
        ours: Box<Provenance>,
        /// The run of the other.
        theirs: Box<Provenance>,
    },
    /// Trials are in both.
    #[error("the trials {0} are in both parts: each may be counted only once")]
    Twice(Ranges),
    /// Trials are in none.
    #[error("the trials {missing} of {trials} are missing")]
    Missing {
        /// The trials that are in no part.
        missing: Ranges,
        /// How many the run has.
        trials: u64,
    },
    /// They do not have the same results.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
}

impl Part {
    /// A part of a run of `trials` trials in which none is done yet.
    pub(super) fn new(
        layout: &Arc<Layout>,
        provenance: Provenance,
        trials: u64,
    ) -> Result<Self, LayoutError> {
        let replicates = provenance.design.replicates() as usize;
        let empty = Projection::part(layout.clone(), provenance)?;
        Ok(Self {
            trials,
            done: Ranges::new(),
            replicates: vec![empty; replicates],
            kept: TrialColumns::default(),
        })
    }

    /// What run it is a part of.
    pub fn provenance(&self) -> &Provenance {
        self.replicates[0].provenance()
    }

    /// How many trials the whole run has.
    pub fn trials(&self) -> u64 {
        self.trials
    }

    /// The metrics that are gathered month by month, in the order of results.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        let metrics = self.replicates[0].layout().metrics.iter();
        metrics.map(|metric| metric.name.as_str())
    }

    /// Makes the run longer or shorter: no trial that is done is forgotten.
    pub fn set_trials(&mut self, trials: u64) {
        self.trials = trials;
    }

    /// The trials that are done.
    pub fn done(&self) -> &Ranges {
        &self.done
    }

    /// The trials of the run that are not done.
    pub fn missing(&self) -> Ranges {
        self.done.missing_from(0..self.trials)
    }

    /// Refuses another scenario, version, seed or design.
    pub fn check_run(&self, of: &Provenance) -> Result<(), PartError> {
        let ours = self.provenance();
        let mut differences = Vec::new();
        let mut compare = |what: &str, one: String, other: String| {
            if one != other {
                differences.push(format!("{what} {one} and {other}"));
            }
        };
        compare("version", ours.version.clone(), of.version.clone());
        compare(
            "scenario",
            format!("\"{}\"", ours.scenario),
            format!("\"{}\"", of.scenario),
        );
        compare("seed", ours.seed.to_string(), of.seed.to_string());
        compare("design", ours.design.to_string(), of.design.to_string());
        if ours.scenario == of.scenario && ours.fingerprint != of.fingerprint {
            differences.push("the scenario's contents have changed".to_owned());
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(PartError::OtherRun {
            differences: differences.join(", "),
            ours: Box::new(ours.clone()),
            theirs: Box::new(of.clone()),
        })
    }

    /// Takes in another part of the same run; an error, with nothing taken in, if it is of another
    /// run or has trials that are here already.
    pub fn merge(&mut self, other: &Self) -> Result<(), PartError> {
        self.check_run(other.provenance())?;
        let common = self.done.common(&other.done);
        if !common.is_empty() {
            return Err(PartError::Twice(common));
        }
        self.take_in(&other.replicates)?;
        self.kept.append(&other.kept);
        self.trials = self.trials.max(other.trials);
        for range in other.done.iter() {
            self.done.insert(range);
        }
        Ok(())
    }

    fn take_in(&mut self, replicates: &[Projection]) -> Result<(), ProjectionError> {
        if replicates.len() != self.replicates.len() {
            return Err(ProjectionError::OtherLayout);
        }
        for (ours, theirs) in self.replicates.iter_mut().zip(replicates) {
            if theirs.trials() > 0 {
                ours.merge(theirs)?;
            }
        }
        Ok(())
    }

    pub(super) fn note_done(&mut self, range: Range<u64>) {
        self.done.insert(range);
    }

    /// A projection of no trial of one replicate.
    /// Adds what is kept of trials one by one.
    pub(super) fn keep(&mut self, columns: &TrialColumns) {
        self.kept.append(columns);
    }

    /// What is kept trial by trial: a column for each outcome, in the order of the trials.
    pub(crate) fn kept_columns(&self) -> Vec<Vec<f64>> {
        self.kept.ordered(|_| true).1
    }

    pub(super) fn empty_projection(&self) -> Result<Projection, LayoutError> {
        let first = &self.replicates[0];
        Projection::part(first.layout().clone(), first.provenance().clone())
    }

    /// The projections of its replicates; what is added to them is to be [noted](Self::note_done).
    pub(super) fn replicates_mut(&mut self) -> &mut [Projection] {
        &mut self.replicates
    }

    /// What all trials that are done say, where the design has but one replicate.
    pub(super) fn single(&self) -> Option<&Projection> {
        match &self.replicates[..] {
            [whole] => Some(whole),
            _ => None,
        }
    }

    /// Refuses trials whose results are of another layout.
    pub(super) fn check_layout(&self, layout: &Layout) -> Result<(), ProjectionError> {
        if **self.replicates[0].layout() != *layout {
            return Err(ProjectionError::OtherLayout);
        }
        Ok(())
    }

    /// What the trials that are done say, whether the run is complete or not.
    pub fn projection(&self) -> Result<Projection, ProjectionError> {
        self.clone().into_projection()
    }

    /// As [`Self::projection`], without a copy.
    pub fn into_projection(self) -> Result<Projection, ProjectionError> {
        let whole = Projection::of_parts(self.replicates)?;
        Ok(whole.expect("a part has a replicate"))
    }

    /// What the run says; an error if trials are missing.
    pub fn complete(self) -> Result<Projection, PartError> {
        let missing = self.missing();
        if !missing.is_empty() {
            return Err(PartError::Missing {
                missing,
                trials: self.trials,
            });
        }
        Ok(self.into_projection()?)
    }

    /// Whether the parts of it that are counted twice agree; a file may have been changed by hand.
    pub(super) fn check(&self) -> Result<(), String> {
        let Some(first) = self.replicates.first() else {
            return Err("it has no results".to_owned());
        };
        let design = first.provenance().design;
        design.check().map_err(|error| error.to_string())?;
        if self.replicates.len() != design.replicates() as usize {
            return Err("it has not as many replicates as its design".to_owned());
        }
        for replicate in &self.replicates {
            if replicate.provenance() != first.provenance()
                || replicate.layout() != first.layout()
                || replicate.replicates() > 0
            {
                return Err("its replicates are of different runs".to_owned());
            }
        }
        let kept = self.kept.len() as u64;
        if !self.kept.is_sound() || (kept > 0 && kept != self.done.count()) {
            return Err("it does not keep a row of each trial that is done".to_owned());
        }
        let counted: u64 = self.replicates.iter().map(Projection::trials).sum();
        if counted != self.done.count() {
            return Err(format!(
                "it has results of {counted} trials but says that {} are done",
                self.done.count()
            ));
        }
        Ok(())
    }
}
