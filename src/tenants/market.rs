//! The compiled market, and how a month passes for it.
//!
//! Capacity is counted in whole millionths of a kW (2^-20 kW), so that what moves in and out
//! cancels exactly and nothing drifts over the years. Each contract costs a constant number of
//! steps however long it stays: its ramp is a rate that is switched on and off. The size of a contract is a whole number
//! of units for each month of its ramp.

mod cohort;
mod compiled;
mod contacts;
mod contracts;
mod counts;
mod draft;
mod extras;
mod funnel;
mod leasing;
mod ledger;
mod month;
mod own;
mod quantiles;
mod signing;
mod state;
mod waiting;
mod words;

use pulp::Arch;

pub(crate) use compiled::{Demand, Supply};
pub(crate) use funnel::{CONTACTED, stage_metric, voucher_metric};
pub use own::OwnContract;
pub(crate) use state::{MarketState, WantedCounts};

use compiled::CompiledSegment;
use funnel::{CompiledRegime, CompiledVoucher};
use state::{PoolUse, SegmentMonth};

const UNITS_PER_KW: f64 = 1_048_576.0;
/// Later than any horizon.
const NEVER: u32 = u32::MAX;
/// A stay, in months, that is longer than any horizon, and can be added to a month.
const FOREVER: u32 = 1 << 24;

/// kW (0 or more) to units, rounded down, so that no more is given than there is.
#[inline(always)]
fn units(kw: f64) -> i64 {
    // The conversion rounds towards 0, and is far cheaper than `floor` on older processors.
    (kw * UNITS_PER_KW) as i64
}

fn kw(units: i64) -> f64 {
    units as f64 / UNITS_PER_KW
}

/// All segments, compiled. A pool is the capacity of one rack type on one campus.
#[derive(Clone, Debug)]
pub(crate) struct Market {
    segments: Vec<CompiledSegment>,
    /// Segments of equal priority whose contracts are placed one by one, the first served first; and all of them.
    ranks: Vec<Vec<usize>>,
    queued: Vec<usize>,
    /// Those of pooled demand, by priority, and of equal ones in the order of the file.
    pooled: Vec<usize>,
    /// By campus: the segments of which it is the first.
    by_home: Vec<Vec<usize>>,
    pools: usize,
    pools_per_campus: usize,
    months: usize,
    regimes: Vec<CompiledRegime>,
    vouchers: Vec<CompiledVoucher>,
    /// The names of all stages of all segments; the first is that of companies just contacted.
    stages: Vec<String>,
    /// Whether more is kept of each contract than its allocation needs.
    keeps_extras: bool,
    /// For which processors what is drawn is compiled; all draw the same.
    arch: Arch,
    /// Whether a program signs contracts beside those of outreach.
    expects_own: bool,
    /// The position of its first metric beyond those that every scenario has.
    first_metric: usize,
    /// That of its first outcome, if it has any.
    first_outcome: Option<usize>,
}

impl Market {
    /// Passes month `month`, with `room_kw` of deployable capacity in each pool at its end.
    pub(crate) fn pass_month(&self, state: &mut MarketState, month: usize, room_kw: &[f64]) {
        self.begin_month(state, month);
        self.place(state, month, room_kw);
        self.give_up(state, month);
        self.serve(state);
        if !state.funnel.scarcity.is_empty() {
            self.note_offer(state, room_kw);
        }
    }

    /// What is used of a pool this month.
    pub(crate) fn use_of(&self, state: &MarketState, pool: usize) -> PoolUse {
        let (mut units, mut drawn_kw, mut useful_kw) = (0, 0.0, 0.0);
        for (segment, of_segment) in state.segments.iter().enumerate() {
            let served = state.capacity.level[self.slot(segment, pool)];
            if served != 0 {
                units += served;
                drawn_kw += kw(served) * of_segment.rates.draw_share;
                useful_kw += kw(served) * of_segment.rates.utilisation;
            }
        }
        PoolUse {
            in_service_kw: kw(units),
            drawn_kw,
            useful_kw,
        }
    }

    /// Power in service in a pool, in kW.
    pub(crate) fn in_service_kw(&self, state: &MarketState, pool: usize) -> f64 {
        let total: i64 = (0..self.segments.len())
            .map(|segment| state.capacity.level[self.slot(segment, pool)])
            .sum();
        kw(total)
    }

    /// Power leased in a pool, in kW, whether its ramp is over or not.
    pub(crate) fn leased_kw(&self, state: &MarketState, pool: usize) -> f64 {
        kw(state.capacity.leased[pool])
    }

    /// The campus of a pool.
    pub(crate) fn campus_of(&self, pool: usize) -> usize {
        pool / self.pools_per_campus
    }

    /// The month of each segment whose first campus this is.
    pub(crate) fn segments_of<'a>(
        &'a self,
        state: &'a MarketState,
        campus: usize,
    ) -> impl Iterator<Item = SegmentMonth<'a>> + 'a {
        self.by_home[campus].iter().map(|&position| {
            let of_segment = &state.segments[position];
            SegmentMonth {
                counts: &state.counts[position],
                waiting_kw: kw(of_segment.waiting),
                pending_kw: kw(of_segment.pending),
                ended_kw: kw(of_segment.ended),
            }
        })
    }
}

fn refill<T: Clone>(list: &mut Vec<T>, length: usize, value: T) {
    list.clear();
    list.resize(length, value);
}

#[cfg(test)]
mod tests;
