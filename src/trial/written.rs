//! Which metrics a trial writes.

use std::sync::Arc;

use super::binding::RATIOS;
use super::report::OF_SUPPLY;
use crate::model::Model;
use crate::projection::TrialRow;
use crate::projection::metrics::MetricId;
use crate::tenants::market::WantedCounts;

/// The metrics of every month that trials write.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    of: Option<Arc<[usize]>>,
    /// Each with how far its numbers are from those of the first metric: those [`OF_SUPPLY`], and all others.
    pub(super) of_supply: Vec<(usize, MetricId)>,
    pub(super) of_use: Vec<(usize, MetricId)>,
    /// Whether a number of companies or contracts is among them.
    pub(super) counts: bool,
    /// Whether one of the [`RATIOS`] is.
    pub(super) ratios: bool,
    /// Which of these are drawn for nothing else.
    pub(super) wanted: WantedCounts,
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
        (self.of_supply, self.of_use) = metrics.partition(|(_, metric)| OF_SUPPLY.contains(metric));
        self.counts = (self.of_use.iter()).any(|(_, metric)| metric.is_count_of_tenants());
        let is_written = |wanted: MetricId| self.of_use.iter().any(|(_, metric)| *metric == wanted);
        self.ratios = RATIOS.into_iter().any(is_written);
        self.wanted = WantedCounts {
            contacts: is_written(MetricId::CompaniesContacted)
                || is_written(MetricId::CompaniesDeclined),
            subsidiaries: is_written(MetricId::Subsidiaries),
        };
        self.of = Some(written.clone());
    }
}

#[cfg(test)]
#[cfg(feature = "files")]
mod tests {
    use crate::Scenario;
    use crate::projection::TrialRow;
    use crate::trial::Workspace;

    fn bits(numbers: &[f64]) -> Vec<u64> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    /// What is not asked for may not be drawn, which must leave all else as it is.
    #[test]
    fn a_metric_is_the_same_whatever_else_is_written() {
        for example in ["qingyang", "wholesale"] {
            let scenario = Scenario::from_path(format!("examples/{example}.toml")).unwrap();
            let model = scenario.compile().unwrap();
            let mut workspace = Workspace::default();
            let mut all = TrialRow::new(model.layout().clone());
            model.simulate(9, 4, &mut workspace, &mut all);
            for (position, metric) in model.layout().metrics.iter().enumerate() {
                let selection = model.select([metric.name.as_str()]).unwrap();
                let mut row = TrialRow::of(&selection);
                model.simulate(9, 4, &mut workspace, &mut row);
                for scope in 0..model.layout().scopes.len() {
                    let months = [&row, &all].map(|row| bits(row.monthly(scope, position)));
                    assert_eq!(months[0], months[1], "{example} {}", metric.name);
                }
                assert_eq!(bits(row.outcomes()), bits(all.outcomes()));
            }
        }
    }
}
