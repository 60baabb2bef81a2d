//! Numbers of trials, kept one by one beside what is gathered of all.

use serde::{Deserialize, Serialize};

/// Columns of numbers, a row for each trial, in any order of the trials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialColumns {
    trials: Vec<u64>,
    /// The bits of each number, so that infinite ones and those that are none are kept, too.
    columns: Vec<Vec<u64>>,
}

impl TrialColumns {
    /// No trial yet of so many columns.
    pub(crate) fn new(columns: usize) -> Self {
        Self {
            trials: Vec::new(),
            columns: vec![Vec::new(); columns],
        }
    }

    /// Whether nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.trials.is_empty() && self.columns.is_empty()
    }

    /// How many trials there are.
    pub(crate) fn len(&self) -> usize {
        self.trials.len()
    }

    /// Whether all columns have a number for each trial.
    pub(crate) fn is_sound(&self) -> bool {
        let rows = self.trials.len();
        self.columns.iter().all(|column| column.len() == rows)
    }

    /// Adds trials with their numbers, column by column.
    pub(crate) fn extend<'v>(
        &mut self,
        trials: impl IntoIterator<Item = u64>,
        columns: impl IntoIterator<Item = &'v [f64]>,
    ) {
        self.trials.extend(trials);
        for (column, values) in self.columns.iter_mut().zip(columns) {
            column.extend(values.iter().map(|value| value.to_bits()));
        }
    }

    /// Adds all trials of other columns of the same kind.
    pub(crate) fn append(&mut self, other: &Self) {
        if self.columns.is_empty() {
            self.columns = vec![Vec::new(); other.columns.len()];
        }
        self.trials.extend_from_slice(&other.trials);
        for (column, theirs) in self.columns.iter_mut().zip(&other.columns) {
            column.extend_from_slice(theirs);
        }
    }

    /// The trials that `is_wanted` takes, by number, and their columns.
    pub(crate) fn ordered(&self, is_wanted: impl Fn(u64) -> bool) -> (Vec<u64>, Vec<Vec<f64>>) {
        let mut order: Vec<usize> = (0..self.trials.len())
            .filter(|&row| is_wanted(self.trials[row]))
            .collect();
        order.sort_unstable_by_key(|&row| self.trials[row]);
        let columns = self.columns.iter().map(|column| {
            let values = order.iter().map(|&row| f64::from_bits(column[row]));
            values.collect()
        });
        let trials = order.iter().map(|&row| self.trials[row]).collect();
        (trials, columns.collect())
    }
}
