//! Forecasts of a back-test that a scenario makes, filled in from a table of what was known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use buildout::analysis::backtest::{Forecast, ForecastKey};
use buildout::{Batch, Date, Projection, Scenario};
use serde::Deserialize;

use super::Quantity;
use crate::failure::Failure;

/// A scenario that is filled in for each subject and origin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Template {
    scenario: PathBuf,
    known: PathBuf,
    horizons_months: Vec<u32>,
    #[serde(default = "who")]
    forecaster: String,
    #[serde(default = "trials")]
    trials: u64,
    #[serde(default = "seed")]
    seed: u64,
}

fn who() -> String {
    "scenario".to_owned()
}

fn trials() -> u64 {
    2_000
}

fn seed() -> u64 {
    1
}

/// A row of the table: of whom, when, and what was known, by keys of the scenario.
type Known = BTreeMap<String, String>;

impl Template {
    /// Runs the scenario for each row of the table, the keys that the row gives set to its values.
    pub(super) fn forecasts(
        &self,
        folder: &Path,
        quantities: &[Quantity],
    ) -> Result<Vec<Forecast>, Failure> {
        let table = folder.join(&self.known);
        let scenario = folder.join(&self.scenario);
        let mut forecasts = Vec::new();
        for (number, mut row) in super::rows::<Known>(&table)?.into_iter().enumerate() {
            let at = format!("{}, row {}", table.display(), number + 2);
            let mut take = |column: &str| {
                let missing = || Failure::Usage(format!("{at}: there is no `{column}`"));
                row.remove(column).ok_or_else(missing)
            };
            let (subject, origin) = (take("subject")?, take("origin")?);
            let day = (origin.parse::<Date>())
                .map_err(|error| Failure::Usage(format!("{at}: {error}")))?;
            let set: Vec<(String, String)> =
                (row.into_iter().filter(|(_, value)| !value.is_empty())).collect();
            let model = Scenario::from_path_with(&scenario, &set)?.compile()?;
            let metrics = quantities.iter().map(Quantity::metric);
            let projection = Batch::new(&model)
                .trials(self.trials)
                .seed(self.seed)
                .metrics(metrics)
                .run()?;
            for months in &self.horizons_months {
                let date = end_of(day, *months).ok_or_else(|| beyond(&at, *months))?;
                for quantity in quantities {
                    let values = values(&projection, quantity.metric(), date)
                        .ok_or_else(|| beyond(&at, *months))?;
                    let key = ForecastKey {
                        subject: subject.clone(),
                        origin: origin.clone(),
                        date: date.to_day_string(),
                        quantity: quantity.name.clone(),
                    };
                    forecasts.extend(Forecast::new(&self.forecaster, key, values));
                }
            }
        }
        Ok(forecasts)
    }
}

fn beyond(at: &str, months: u32) -> Failure {
    Failure::Usage(format!(
        "{at}: the scenario's months do not reach from its origin to {months} months after it\n  \
         help: set `start` and `horizon_months` in the scenario or in the table"
    ))
}

/// The last day of the month so many months after that of a day.
fn end_of(day: Date, months: u32) -> Option<Date> {
    let first = Date::month(day.year(), day.month_of_year()).ok()?;
    Some(first.plus_months(f64::from(months) + 1.0)?.last_day())
}

/// 199 equally likely values of a metric at the end of the month of a day; `None` if that is beyond the horizon.
fn values(projection: &Projection, metric: &str, date: Date) -> Option<Vec<f64>> {
    const VALUES: u32 = 199;
    let wanted = date.to_month_string();
    let labels = projection.layout().month_labels();
    let month = labels.iter().position(|label| *label == wanted)?;
    let ps: Vec<f64> = (0..VALUES)
        .map(|number| (f64::from(number) + 0.5) / f64::from(VALUES))
        .collect();
    let of = projection.metric(metric)?.month(month)?;
    of.quantiles(&ps).into_iter().collect()
}
