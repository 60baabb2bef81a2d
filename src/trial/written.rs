//! Which metrics a trial writes.

use std::sync::Arc;

use crate::model::Model;
use crate::projection::TrialRow;
use crate::projection::metrics::MetricId;

/// The metrics of every month that trials write.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    of: Option<Arc<[usize]>>,
    /// Each with how far its numbers are from those of the first metric.
    pub(super) metrics: Vec<(usize, MetricId)>,
    /// Whether a number of companies or contracts is among them.
    pub(super) counts: bool,
}

impl Written {
    /// Makes it that of a row, which it often is already.
    pub(super) fn set(&mut self, model: &Model, row: &TrialRow) {
        let written = row.written();
        if (self.of.as_ref()).is_some_and(|known| Arc::ptr_eq(known, written)) {
            return;
        }
        let known = written.partition_point(|&position| position < model.reported.len());
        let metrics = written[..known].iter();
        let metrics = metrics.map(|&position| (position * model.months, model.reported[position]));
        self.metrics = metrics.collect();
        self.counts = (self.metrics.iter()).any(|(_, metric)| metric.is_count_of_tenants());
        self.of = Some(written.clone());
    }
}
