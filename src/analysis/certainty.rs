//! Results that do not vary though they lie far ahead: a sign that what is uncertain of a plan has not been said.

use crate::date::Date;
use crate::model::Model;
use crate::monte_carlo::batch::{Batch, RunError};

/// Beyond this many months nobody knows what will have been built.
pub const FORESEEABLE_MONTHS: usize = 24;

/// Metrics that plans are judged by.
const METRICS: [&str; 2] = ["it_power_mw", "installed_pflops"];
const TRIALS: u64 = 200;

/// A metric of which P5 and P95 are the same, from a month on to the end of the horizon.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Certain {
    /// The name of the metric, of all campuses together.
    pub metric: &'static str,
    /// Its unit.
    pub unit: String,
    /// The first month at whose end it does not vary, more than [`FORESEEABLE_MONTHS`] after the start.
    pub from: Date,
    /// What it is at the end of the horizon.
    pub value: f64,
}

impl Model {
    /// The metrics of capacity and compute that are above 0 and do not vary from a month on that lies more than
    /// [`FORESEEABLE_MONTHS`] ahead: of 200 trials, P5 and P95 are the same.
    pub fn certain_metrics(&self) -> Result<Vec<Certain>, RunError> {
        let months = self.layout.months;
        if months <= FORESEEABLE_MONTHS {
            return Ok(Vec::new());
        }
        let projection = Batch::new(self).trials(TRIALS).seed(0).run()?;
        let certain = METRICS.iter().filter_map(|&name| {
            let metric = projection.metric(name)?;
            let (low, high) = (metric.quantile(0.05), metric.quantile(0.95));
            let varies = |month: &usize| low[*month] != high[*month];
            let last = (FORESEEABLE_MONTHS..months).rev().find(varies);
            let first = last.map_or(FORESEEABLE_MONTHS, |last| last + 1);
            let value = *low.last()?;
            (first < months && value > 0.0).then(|| Certain {
                metric: name,
                unit: metric.unit().to_owned(),
                from: (self.layout.start.plus_months(first as f64)).unwrap_or(self.layout.start),
                value,
            })
        });
        Ok(certain.collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::Scenario;

    fn certain(buildings: &str, horizon: u32) -> Vec<(String, f64)> {
        let text = format!(
            r#"
name = "test"
start = "2025-01"
horizon_months = {horizon}
rack_types = [{{ name = "air", power_kw = 10 }}]
[[building_templates]]
name = "block"
activities = [{{ name = "work", duration_months = {{ uniform = [20, 30] }} }}]
halls = [{{ name = "hall", racks = 100, rack_type = "air" }}]
[[campuses]]
name = "north"
buildings = [{buildings}]
"#
        );
        let model = Scenario::from_toml(&text).unwrap().compile().unwrap();
        let list = model.certain_metrics().unwrap();
        list.iter()
            .map(|one| {
                (
                    format!("{} from {}", one.metric, one.from.to_month_string()),
                    one.value,
                )
            })
            .collect()
    }

    #[test]
    fn what_is_planned_for_sure_is_found_once_it_is_all_built() {
        let fixed = r#"{ name = "A", template = "block" }"#;
        let found = certain(fixed, 60);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, 1.0);
        // The slowest of 95 % takes 29.5 months.
        assert!(
            ["it_power_mw from 2027-06", "it_power_mw from 2027-07"].contains(&found[0].0.as_str()),
            "{found:?}"
        );
        assert!(certain(fixed, 24).is_empty(), "two years can be foreseen");
        let open = r#"{ name = "A", template = "block", probability = 0.9 }"#;
        assert!(certain(open, 60).is_empty());
    }
}
