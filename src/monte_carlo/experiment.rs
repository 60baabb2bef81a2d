//! What the trials of a batch are of: a model, or several models side by side.
//!
//! Whatever it is, each trial yields a row of one layout; the batch gathers rows, and knows of checkpoints, shards, goals
//! and ranks.

use std::ops::Range;
use std::sync::Arc;

use crate::model::Model;
use crate::projection::{Layout, Provenance, Selection, TrialRow, UnknownMetric};
use crate::sampling::design::{DesignError, Drawing, Sampling};
use crate::trial::Workspace;

/// Something that yields a row of results for each trial number.
pub(crate) trait Experiment: Sync {
    /// What a row consists of.
    fn layout(&self) -> &Arc<Layout>;

    /// Metrics of these names, to be gathered alone.
    fn select(&self, names: &[String]) -> Result<Selection, UnknownMetric> {
        let all = 0..self.layout().metrics.len();
        Selection::of(self.layout().clone(), names.iter().map(String::as_str), all)
    }

    /// What the results of such trials come from: equal for parts that may be merged.
    fn provenance(&self, drawing: &Drawing) -> Provenance;

    /// The positions of outcomes that a part keeps trial by trial, beside their distributions.
    fn kept(&self) -> &[usize] {
        &[]
    }

    /// Makes it ready for the inputs that `drawing` gives.
    fn prepare(&self, drawing: &Drawing) -> Result<Box<dyn Prepared + '_>, DesignError>;
}

/// An experiment made ready, which all threads share.
pub(crate) trait Prepared: Sync {
    /// What one thread simulates with.
    fn simulator(&self) -> Box<dyn Simulator + '_>;
}

/// Simulates trials in buffers of its own.
pub(crate) trait Simulator: Send {
    /// Writes the results of trials of these numbers to as many rows.
    fn simulate(&mut self, trials: Range<u64>, rows: &mut [TrialRow]);
}

impl Experiment for Model {
    fn layout(&self) -> &Arc<Layout> {
        Model::layout(self)
    }

    fn select(&self, names: &[String]) -> Result<Selection, UnknownMetric> {
        Model::select(self, names.iter().map(String::as_str))
    }

    fn provenance(&self, drawing: &Drawing) -> Provenance {
        Provenance {
            scenario: self.name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: drawing.seed(),
            design: drawing.design(),
            fingerprint: self.fingerprint().to_owned(),
        }
    }

    fn prepare(&self, drawing: &Drawing) -> Result<Box<dyn Prepared + '_>, DesignError> {
        Ok(Box::new(PreparedModel {
            model: self,
            sampling: self.sampling_of(drawing)?,
        }))
    }
}

struct PreparedModel<'a> {
    model: &'a Model,
    sampling: Sampling,
}

impl Prepared for PreparedModel<'_> {
    fn simulator(&self) -> Box<dyn Simulator + '_> {
        Box::new(ModelSimulator {
            prepared: self,
            workspace: Workspace::default(),
        })
    }
}

struct ModelSimulator<'a> {
    prepared: &'a PreparedModel<'a>,
    workspace: Workspace,
}

impl Simulator for ModelSimulator<'_> {
    fn simulate(&mut self, trials: Range<u64>, rows: &mut [TrialRow]) {
        let PreparedModel { model, sampling } = self.prepared;
        for (trial, row) in trials.zip(rows) {
            model.simulate_by(sampling, trial, &mut self.workspace, row);
        }
    }
}
