//! The figures of a month, its ratios, and what held the capacity in service back.

use super::KW_PER_MW;
use super::shortage::Shortage;
use crate::date::HOURS_PER_MONTH;
use crate::power::energy::share_of;
use crate::projection::metrics::{Cause, METRIC_COUNT, MetricId};

/// Metrics that are ratios of others, on which nothing else depends.
pub(super) const RATIOS: [MetricId; 6] = [
    MetricId::ExceedanceProbability,
    MetricId::Pue,
    MetricId::WaitingTime,
    MetricId::ComputePerPower,
    MetricId::AnnualMatching,
    MetricId::HourlyMatching,
];

/// The figures of a campus, or of all, that stay as they are until something is built, delivered or energised.
#[derive(Clone, Debug)]
pub(super) struct SupplyTally {
    values: [f64; METRIC_COUNT],
    pub(super) shortage: Shortage,
}

// The standard library has no default of arrays so long.
impl Default for SupplyTally {
    fn default() -> Self {
        Self {
            values: [0.0; METRIC_COUNT],
            shortage: Shortage::default(),
        }
    }
}

impl SupplyTally {
    pub(super) fn set(&mut self, metric: MetricId, value: f64) {
        self.values[metric as usize] = value;
    }

    pub(super) fn get(&self, metric: MetricId) -> f64 {
        self.values[metric as usize]
    }

    pub(super) fn include(&mut self, other: &Self) {
        for (sum, value) in self.values.iter_mut().zip(&other.values) {
            *sum += value;
        }
        self.shortage.include(&other.shortage);
    }
}

/// What tenants use of a campus, or of all, in a month, and what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) values: [f64; METRIC_COUNT],
    /// Power of existing halls and of buildings that have been started, in kW.
    pub(super) started_kw: f64,
    /// Of that, power of the buildings started last.
    pub(super) latest_kw: f64,
    /// Contracts that have moved in, and the months that they waited together.
    pub(super) moved_in: f64,
    pub(super) waited_months: f64,
    /// Renewable generation and facility energy of twelve months, in MWh.
    pub(super) renewable_year_mwh: f64,
    pub(super) facility_year_mwh: f64,
    pub(super) matched_mwh: f64,
    /// Halls in use of buildings that are oversubscribed.
    pub(super) oversubscribed_halls: f64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            values: [0.0; METRIC_COUNT],
            started_kw: 0.0,
            latest_kw: 0.0,
            moved_in: 0.0,
            waited_months: 0.0,
            renewable_year_mwh: 0.0,
            facility_year_mwh: 0.0,
            matched_mwh: 0.0,
            oversubscribed_halls: 0.0,
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, metric: MetricId, value: f64) {
        self.values[metric as usize] += value;
    }

    pub(super) fn get(&self, metric: MetricId) -> f64 {
        self.values[metric as usize]
    }

    pub(super) fn include(&mut self, other: &Self) {
        for (sum, value) in self.values.iter_mut().zip(&other.values) {
            *sum += value;
        }
        self.started_kw += other.started_kw;
        self.latest_kw += other.latest_kw;
        self.moved_in += other.moved_in;
        self.waited_months += other.waited_months;
        self.renewable_year_mwh += other.renewable_year_mwh;
        self.facility_year_mwh += other.facility_year_mwh;
        self.matched_mwh += other.matched_mwh;
        self.oversubscribed_halls += other.oversubscribed_halls;
    }

    /// Fills in the binding constraint and, if they are asked for, the [`RATIOS`], which are not sums.
    ///
    /// Demand binds if nothing waits; what it holds back is the deployable power not in service.
    /// Otherwise supply binds, by [`Shortage::binding`].
    pub(super) fn close(&mut self, supply: &SupplyTally, with_ratios: bool) -> Cause {
        let deployable = supply.get(MetricId::ItPower);
        let in_service = self.get(MetricId::InServicePower);
        let take_up = if deployable > 0.0 {
            // Both are sums, in different orders, of what is equal where all is in service.
            (in_service / deployable).min(1.0)
        } else {
            0.0
        };
        self.values[MetricId::TakeUp as usize] = take_up;
        if self.started_kw > 0.0 {
            let committed_kw = self.get(MetricId::CommittedPower) * KW_PER_MW;
            self.values[MetricId::PreLeased as usize] = committed_kw / self.started_kw;
            let before = self.started_kw - self.latest_kw;
            let latest = ratio(committed_kw - before, self.latest_kw).clamp(0.0, 1.0);
            self.values[MetricId::PreLeasedLatest as usize] = latest;
        }
        if with_ratios {
            self.set_ratios();
        }
        let waiting_kw = self.get(MetricId::WaitingDemand) * KW_PER_MW;
        let (cause, held_back_mw) = if waiting_kw <= 0.0 {
            (Cause::Demand, (deployable - in_service).max(0.0))
        } else {
            let (cause, kw) = supply.shortage.binding(waiting_kw);
            (cause, kw / KW_PER_MW)
        };
        self.values[MetricId::BindingPower as usize] = held_back_mw;
        cause
    }

    fn set_ratios(&mut self) {
        let draw = self.get(MetricId::FacilityDraw);
        let hall_hours = self.oversubscribed_halls * HOURS_PER_MONTH;
        let values = [
            ratio(self.get(MetricId::ExceedanceHours), hall_hours),
            ratio(draw, self.get(MetricId::ItDraw)),
            ratio(self.waited_months, self.moved_in),
            ratio(self.get(MetricId::EffectivePflops), draw),
            share_of(self.renewable_year_mwh, self.facility_year_mwh),
            share_of(self.matched_mwh, self.get(MetricId::FacilityEnergy)),
        ];
        for (metric, value) in RATIOS.into_iter().zip(values) {
            self.values[metric as usize] = value;
        }
    }
}

/// A ratio; NaN, which is left out of the statistics, where there is nothing to divide by.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { f64::NAN }
}
