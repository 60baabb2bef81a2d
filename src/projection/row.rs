//! One trial's results.

use std::ops::Range;
use std::sync::Arc;

use super::layout::Layout;
use super::selection::Selection;

/// In [`TrialRow`]'s list of binding causes: nothing held capacity down.
pub const NO_CAUSE: u8 = u8::MAX;

/// One trial's results, in flat lists that are made once and used again for trial
/// after trial.
///
/// A fresh or cleared row says: every number 0, nothing binds, no milestone within the
/// horizon, no target met. NaN stands for a number that does not exist in this
/// trial, such as a price without a sale; it is left out of the statistics.
///
/// Positions are those in the [`Layout`]; one beyond it panics, as with a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRow {
    layout: Arc<Layout>,
    /// `None` until it is set.
    trial: Option<u64>,
    monthly: Vec<f64>,
    binding: Vec<u8>,
    milestones: Vec<f64>,
    targets: Vec<bool>,
    outcomes: Vec<f64>,
    /// Positions of the metrics that trials write, in order.
    written: Arc<[usize]>,
}

impl TrialRow {
    /// An empty row of that layout.
    pub fn new(layout: Arc<Layout>) -> Self {
        Self {
            monthly: vec![0.0; layout.monthly_len()],
            binding: vec![NO_CAUSE; layout.scopes.len() * layout.months],
            milestones: vec![f64::INFINITY; layout.milestones.len()],
            targets: vec![false; layout.targets.len()],
            outcomes: vec![0.0; layout.outcomes.len()],
            written: (0..layout.metrics.len()).collect(),
            trial: None,
            layout,
        }
    }

    /// An empty row for trials of which a selection of metrics is written. The others stay 0, or as they are.
    pub fn of(selection: &Selection) -> Self {
        Self {
            written: selection.written().clone(),
            ..Self::new(selection.whole().clone())
        }
    }

    /// What this row is of.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The number of the trial whose results these are; 0 until it is set.
    pub fn trial(&self) -> u64 {
        self.trial.unwrap_or_default()
    }

    /// Whether the number of the trial was set.
    pub(super) fn is_numbered(&self) -> bool {
        self.trial.is_some()
    }

    /// Sets the number of the trial whose results these are, by which trials with equal results are distinguished.
    pub fn set_trial(&mut self, trial: u64) {
        self.trial = Some(trial);
    }

    /// Back to an empty row, keeping its memory.
    pub fn clear(&mut self) {
        self.clear_from(0);
    }

    /// As [`Self::clear`], but leaves the metrics of the first `known` positions as they are: every month of them is about
    /// to be written.
    pub(crate) fn clear_from(&mut self, known: usize) {
        let first = self.written.partition_point(|&metric| metric < known);
        for scope in 0..self.layout.scopes.len() {
            for position in first..self.written.len() {
                let metric = self.written[position];
                self.monthly_mut(scope, metric).fill(0.0);
            }
        }
        self.binding.fill(NO_CAUSE);
        self.milestones.fill(f64::INFINITY);
        self.targets.fill(false);
        self.outcomes.fill(0.0);
    }

    fn months(&self, scope: usize, metric: usize) -> Range<usize> {
        assert!(metric < self.layout.metrics.len(), "no metric {metric}");
        let start = self.layout.series_index(scope, metric, 0);
        start..start + self.layout.months
    }

    /// A metric of a scope, month by month.
    pub fn monthly(&self, scope: usize, metric: usize) -> &[f64] {
        let range = self.months(scope, metric);
        &self.monthly[range]
    }

    /// A metric of a scope, month by month, to be written.
    pub fn monthly_mut(&mut self, scope: usize, metric: usize) -> &mut [f64] {
        let range = self.months(scope, metric);
        &mut self.monthly[range]
    }

    /// Writes a metric of a scope in one month.
    #[inline]
    pub fn set(&mut self, scope: usize, metric: usize, month: usize, value: f64) {
        debug_assert!(metric < self.layout.metrics.len() && month < self.layout.months);
        let index = self.layout.series_index(scope, metric, month);
        self.monthly[index] = value;
    }

    /// Positions of the metrics that are written at all, in order.
    pub(crate) fn written(&self) -> &Arc<[usize]> {
        &self.written
    }

    /// The numbers of a scope from a month on: that of the metric at position k is k x months further on.
    #[inline]
    pub(crate) fn months_onward_mut(&mut self, scope: usize, month: usize) -> &mut [f64] {
        assert!(month < self.layout.months, "no month {month}");
        let first = self.layout.series_index(scope, 0, month);
        &mut self.monthly[first..]
    }

    /// All monthly numbers, by [`Layout::series_index`].
    pub fn all_monthly(&self) -> &[f64] {
        &self.monthly
    }

    /// All monthly numbers, by [`Layout::series_index`], to be written.
    pub fn all_monthly_mut(&mut self) -> &mut [f64] {
        &mut self.monthly
    }

    /// The binding causes of a scope by month: positions in [`Layout::causes`], or [`NO_CAUSE`].
    pub fn binding(&self, scope: usize) -> &[u8] {
        let months = self.layout.months;
        &self.binding[scope * months..(scope + 1) * months]
    }

    /// The binding causes of a scope by month, to be written. A number that is no
    /// position in [`Layout::causes`] counts as [`NO_CAUSE`].
    pub fn binding_mut(&mut self, scope: usize) -> &mut [u8] {
        let months = self.layout.months;
        &mut self.binding[scope * months..(scope + 1) * months]
    }

    /// Writes what held a scope's capacity down in one month.
    pub fn set_binding(&mut self, scope: usize, month: usize, cause: Option<usize>) {
        let cause = cause.map_or(NO_CAUSE, |cause| u8::try_from(cause).unwrap_or(NO_CAUSE));
        self.binding_mut(scope)[month] = cause;
    }

    /// The causes of all scopes, the months of one scope together.
    pub(super) fn all_binding(&self) -> &[u8] {
        &self.binding
    }

    /// When each milestone is reached, in months after the start;
    /// `f64::INFINITY` if not within the horizon.
    pub fn milestones(&self) -> &[f64] {
        &self.milestones
    }

    /// When each milestone is reached, to be written.
    pub fn milestones_mut(&mut self) -> &mut [f64] {
        &mut self.milestones
    }

    /// Whether each target is met.
    pub fn targets(&self) -> &[bool] {
        &self.targets
    }

    /// Whether each target is met, to be written.
    pub fn targets_mut(&mut self) -> &mut [bool] {
        &mut self.targets
    }

    /// The trial's outcomes.
    pub fn outcomes(&self) -> &[f64] {
        &self.outcomes
    }

    /// The trial's outcomes, to be written.
    pub fn outcomes_mut(&mut self) -> &mut [f64] {
        &mut self.outcomes
    }
}
