//! Metrics by constants, and results by measure.

use std::ops::Deref;

use super::{Distribution, Measure, Metric, MetricTime, Projection};
use crate::date::{Date, DateError};

/// The name of a metric of this crate, checked when a program is compiled. It stands wherever a name does, for it is a
/// `&str` behind a reference; the constants of [`Metric`] are of this type.
///
/// ```
/// use buildout::projection::{Measure, Metric};
///
/// let measure = Metric::IN_SERVICE_POWER.at("2027-12")?;
/// assert!(matches!(measure, Measure::Metric { campus: None, .. }));
/// assert_eq!(&*Metric::IN_SERVICE_POWER, "in_service_power_mw");
/// # Ok::<(), buildout::date::DateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetricName(&'static str);

impl MetricName {
    /// The metric at the end of a month, such as "2027-12"; an error if that is no date.
    pub fn at(self, month: &str) -> Result<Measure, DateError> {
        let date: Date = month.parse()?;
        Ok(self.when(MetricTime::Month(date)))
    }

    /// The metric at the end of the horizon.
    pub fn at_end(self) -> Measure {
        self.when(MetricTime::End)
    }

    /// The sum of the metric over all months.
    pub fn summed(self) -> Measure {
        self.when(MetricTime::Total)
    }

    fn when(self, at: MetricTime) -> Measure {
        Measure::Metric {
            metric: self.0.to_owned(),
            campus: None,
            at,
        }
    }
}

impl Deref for MetricName {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl From<MetricName> for String {
    fn from(name: MetricName) -> Self {
        name.0.to_owned()
    }
}

/// The metrics that every scenario reports.
impl Metric {
    /// Racks for which there is space.
    pub const RACKS_BUILT: MetricName = MetricName("racks_built");
    /// Racks with space and power.
    pub const RACKS_ENERGISED: MetricName = MetricName("racks_energised");
    /// Racks with space, power and equipment.
    pub const RACKS_DEPLOYABLE: MetricName = MetricName("racks_deployable");
    /// Racks that tenants use.
    pub const RACKS_IN_SERVICE: MetricName = MetricName("racks_in_service");
    /// Deployable power in standard racks.
    pub const STANDARD_RACKS: MetricName = MetricName("standard_racks");
    /// Deployable critical IT power, in MW.
    pub const IT_POWER: MetricName = MetricName("it_power_mw");
    /// Facility power of the deployable capacity, in MW.
    pub const FACILITY_POWER: MetricName = MetricName("facility_power_mw");
    /// Critical IT power that is leased, in MW.
    pub const LEASED_POWER: MetricName = MetricName("leased_power_mw");
    /// Critical IT power in service, in MW.
    pub const IN_SERVICE_POWER: MetricName = MetricName("in_service_power_mw");
    /// Compute of the deployable racks, in PFLOPS.
    pub const INSTALLED_PFLOPS: MetricName = MetricName("installed_pflops");
    /// Compute of the racks in service, in PFLOPS.
    pub const IN_SERVICE_PFLOPS: MetricName = MetricName("in_service_pflops");
    /// Compute in service x availability x utilisation, in PFLOPS.
    pub const EFFECTIVE_PFLOPS: MetricName = MetricName("effective_pflops");
    /// Power in service / deployable power.
    pub const TAKE_UP: MetricName = MetricName("take_up");
}

impl Measure {
    /// The same of one campus; a measure that is not a metric stays as it is.
    #[must_use]
    pub fn of_campus(mut self, name: impl Into<String>) -> Self {
        if let Self::Metric { campus, .. } = &mut self {
            *campus = Some(name.into());
        }
        self
    }
}

impl Projection {
    /// The distribution of a measure: a metric at a month, a milestone or an outcome. `None` if the projection has no such
    /// thing, of a target, whose probability is in [`Self::target`], and of a sum over months, which needs the trials themselves.
    ///
    /// ```
    /// use buildout::projection::Metric;
    /// use buildout::{Batch, Date, Scenario, site::Campus};
    ///
    /// let mut scenario = Scenario::new("empty land", Date::month(2025, 1)?, 36);
    /// scenario.campuses.push(Campus::new("north"));
    /// let projection = Batch::new(&scenario.compile()?).trials(100).run()?;
    /// let live = projection.measure(&Metric::IT_POWER.at("2027-12")?).ok_or("within the horizon")?;
    /// assert_eq!(live.quantile(0.5), Some(0.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn measure(&self, measure: &Measure) -> Option<Distribution<'_>> {
        let (metric, campus, at) = match measure {
            Measure::Metric { metric, campus, at } => (metric, campus, at),
            Measure::Milestone(name) => return self.milestone(name),
            Measure::Outcome(name) => return self.outcome(name),
            Measure::Target(_) | Measure::ReachedBy { .. } => return None,
        };
        let scope = match campus {
            None => self.total(),
            Some(name) => self.campus(name)?,
        };
        let layout = self.layout();
        let month = match at {
            MetricTime::End => layout.months.checked_sub(1)?,
            MetricTime::Month(date) => {
                let months = date.months_after(layout.start).floor();
                (months >= 0.0).then_some(months as usize)?
            }
            MetricTime::Total => return None,
        };
        scope.metric(metric)?.month(month)
    }
}

#[cfg(test)]
mod tests {
    use super::super::metrics::always_reported;
    use super::*;

    #[test]
    fn constants_name_metrics_that_every_scenario_reports() {
        for name in [
            Metric::RACKS_BUILT,
            Metric::RACKS_ENERGISED,
            Metric::RACKS_DEPLOYABLE,
            Metric::RACKS_IN_SERVICE,
            Metric::STANDARD_RACKS,
            Metric::IT_POWER,
            Metric::FACILITY_POWER,
            Metric::LEASED_POWER,
            Metric::IN_SERVICE_POWER,
            Metric::INSTALLED_PFLOPS,
            Metric::IN_SERVICE_PFLOPS,
            Metric::EFFECTIVE_PFLOPS,
            Metric::TAKE_UP,
        ] {
            assert!(
                always_reported().any(|metric| metric.name == &*name),
                "{}",
                &*name
            );
        }
    }

    #[test]
    fn a_typed_measure_is_the_one_of_its_text() {
        let typed = Metric::IN_SERVICE_POWER
            .at("2027-12")
            .unwrap()
            .of_campus("North");
        let month = "2027-12".parse().unwrap();
        let expected = Measure::Metric {
            metric: "in_service_power_mw".to_owned(),
            campus: Some("North".to_owned()),
            at: MetricTime::Month(month),
        };
        assert_eq!(typed, expected);
        assert!(Metric::TAKE_UP.at("next year").is_err());
        assert_ne!(Metric::TAKE_UP.summed(), Metric::TAKE_UP.at_end());
    }
}
