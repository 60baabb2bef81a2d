//! Which metrics of a model are gathered.

use std::ops::Range;
use std::sync::Arc;

use super::layout::Layout;
use super::row::TrialRow;
use crate::problem::name_help;

/// The metrics of a layout that are gathered month by month, and those that trials write for other reasons.
///
/// Rows stay of the whole layout, so that a metric has the same place whatever is gathered; what nobody asks for is
/// neither written nor gathered. Milestones, targets, outcomes and binding causes always are.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    whole: Arc<Layout>,
    gathered: Arc<Layout>,
    /// Positions in the whole layout of what is gathered, in order; and of what is written.
    columns: Columns,
    /// Positions in the whole layout of the metrics that are written, in order.
    written: Arc<[usize]>,
}

/// Which monthly numbers of a row are gathered: runs of neighbours, in the order of the gathered layout.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    runs: Vec<Range<usize>>,
}

impl Columns {
    /// How many numbers these are.
    pub(super) fn count(&self) -> usize {
        self.runs.iter().map(ExactSizeIterator::len).sum()
    }

    pub(super) fn runs(&self) -> &[Range<usize>] {
        &self.runs
    }

    /// Those of a row.
    pub(super) fn numbers(&self, row: &TrialRow) -> impl Iterator<Item = f64> {
        let months = row.all_monthly();
        (self.runs.iter()).flat_map(|run| months[run.clone()].iter().copied())
    }
}

/// A metric that was asked for is not in the layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric \"{name}\": {help}")]
#[non_exhaustive]
pub struct UnknownMetric {
    /// The name that was given.
    pub name: String,
    help: String,
}

impl Selection {
    /// All metrics of a layout.
    pub fn all(whole: Arc<Layout>) -> Self {
        Self {
            gathered: whole.clone(),
            columns: Columns {
                runs: std::iter::once(0..whole.monthly_len()).collect(),
            },
            written: (0..whole.metrics.len()).collect(),
            whole,
        }
    }

    /// The metrics of these names, in the order of the layout. `needed` are positions of those that trials must write
    /// though they are not gathered.
    pub(crate) fn of<'a>(
        whole: Arc<Layout>,
        names: impl Iterator<Item = &'a str>,
        needed: impl Iterator<Item = usize>,
    ) -> Result<Self, UnknownMetric> {
        let mut metrics = Vec::new();
        for name in names {
            let known = whole.metrics.iter().map(|metric| metric.name.as_str());
            metrics.push(whole.metric_index(name).ok_or_else(|| UnknownMetric {
                name: name.to_owned(),
                help: name_help(name, known),
            })?);
        }
        metrics.sort_unstable();
        metrics.dedup();
        let mut written: Vec<usize> = metrics.iter().copied().chain(needed).collect();
        written.sort_unstable();
        written.dedup();
        let mut gathered = (*whole).clone();
        gathered.metrics = (metrics.iter())
            .map(|&metric| whole.metrics[metric].clone())
            .collect();
        let scopes = 0..whole.scopes.len();
        let places = scopes.flat_map(|scope| metrics.iter().map(move |&metric| (scope, metric)));
        let runs = places.map(|(scope, metric)| {
            let start = whole.series_index(scope, metric, 0);
            start..start + whole.months
        });
        Ok(Self {
            columns: Columns {
                runs: runs.collect(),
            },
            gathered: Arc::new(gathered),
            written: written.into(),
            whole,
        })
    }

    /// The layout of rows.
    pub fn whole(&self) -> &Arc<Layout> {
        &self.whole
    }

    /// The layout of a projection of what is gathered.
    pub fn gathered(&self) -> &Arc<Layout> {
        &self.gathered
    }

    /// Positions in the layout of rows of the metrics that trials write, in order.
    pub fn written(&self) -> &Arc<[usize]> {
        &self.written
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Date;
    use crate::projection::{Metric, Projection, Provenance, RowBlock, TrialRow};

    fn layout() -> Arc<Layout> {
        let mut layout = Layout::new(Date::month(2025, 1).unwrap(), 2);
        layout.scopes.push("north".to_owned());
        layout.metrics = ["power", "racks", "pflops"]
            .map(|name| Metric {
                name: name.to_owned(),
                unit: String::new(),
                meaning: String::new(),
            })
            .to_vec();
        Arc::new(layout)
    }

    #[test]
    fn what_is_selected_is_gathered_and_nothing_else() {
        let whole = layout();
        let selection = Selection::of(
            whole.clone(),
            ["pflops", "power"].into_iter(),
            [1].into_iter(),
        )
        .unwrap();
        assert_eq!(&**selection.written(), [0, 1, 2]);
        let gathered = selection.gathered().clone();
        assert_eq!(gathered.metric_index("racks"), None);
        // Rows that fill two tiles and a part of one, in pieces.
        let mut rows = vec![TrialRow::of(&selection); 19];
        let numbers = rows.iter_mut().flat_map(|row| row.all_monthly_mut());
        for (index, number) in numbers.enumerate() {
            *number = index as f64;
        }
        let mut some = Projection::new(gathered, Provenance::default()).unwrap();
        let mut block = RowBlock::new(selection);
        for piece in [&rows[..3], &rows[3..16], &rows[16..]] {
            block.push(piece).unwrap();
        }
        some.absorb_block(&block).unwrap();
        let mut all = Projection::new(whole, Provenance::default()).unwrap();
        all.absorb(&rows).unwrap();
        for metric in ["power", "pflops"] {
            for (some, all) in [
                (some.total(), all.total()),
                (some.campus("north").unwrap(), all.campus("north").unwrap()),
            ] {
                let (some, all) = (some.metric(metric).unwrap(), all.metric(metric).unwrap());
                assert_eq!(some.mean(), all.mean());
                assert_eq!(some.quantile(0.3), all.quantile(0.3));
            }
        }
        // Rows of another layout are refused.
        assert!(some.absorb(&rows).is_err());
    }

    #[test]
    fn an_unknown_metric_is_named_with_the_nearest() {
        let error = Selection::of(layout(), ["rack"].into_iter(), [].into_iter()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no metric \"rack\": did you mean \"racks\"?"
        );
    }
}
