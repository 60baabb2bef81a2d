//! What a trial knows of halls, campuses and pools of capacity.

use super::binding::SupplyTally;
use super::shortage::Shortage;
use super::stock::{Stock, StockBlock};
use crate::compute::Delivery;
use crate::model::HallFit;
use crate::power::cooling::Losses;
use crate::power::energy::EnergyState;
use crate::power::grid::Supplied;
use crate::power::{DeliveryTree, Headroom};

#[derive(Clone, Debug)]
pub(super) struct HallState {
    pub(super) campus: usize,
    pub(super) delivery: Delivery,
    /// What takes its place, while that is being put in.
    pub(super) coming: Option<Delivery>,
    pub(super) pool: usize,
    pub(super) fit: HallFit,
    /// What it was made for before any retrofit.
    pub(super) built_as: HallFit,
    /// Whether it is built at all in this trial.
    pub(super) is_planned: bool,
    /// What the PFLOPS of its hardware are multiplied by.
    pub(super) compute_factor: f64,
    pub(super) is_retrofitted: bool,
    /// What the hall is made for, and what of it is lost to density, cooling and the delivery
    /// tree, in kW.
    pub(super) design_kw: f64,
    pub(super) density_kw: f64,
    pub(super) cooling_kw: f64,
    pub(super) delivery_kw: f64,
    /// What is left of it: racks that can stand here, in kW.
    pub(super) space_kw: f64,
    pub(super) given_kw: f64,
    pub(super) handed_over: bool,
    /// The number of its hand-over on its campus.
    pub(super) handed_over_as: u32,
    pub(super) delivered: bool,
    pub(super) live: f64,
    /// Its place among what is live in its pool.
    pub(super) part: Option<usize>,
}

impl HallState {
    /// Racks that stand here.
    pub(super) fn racks(&self) -> f64 {
        self.space_kw / self.delivery.rack_power_kw
    }

    /// Whether it is handed over and lacks power, or takes less than it is made for.
    pub(super) fn is_short(&self) -> bool {
        let is_whole = [self.density_kw, self.cooling_kw, self.delivery_kw] == [0.0; 3];
        self.handed_over && !(is_whole && self.space_kw - self.given_kw <= 0.0)
    }

    pub(super) fn deployable_kw(&self) -> f64 {
        if self.delivered { self.given_kw } else { 0.0 }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct CampusState {
    pub(super) headroom: Headroom,
    pub(super) supplied: Supplied,
    /// Σ of firm kW x carbon and x price of the bridge power that works.
    pub(super) bridge_carbon: f64,
    pub(super) bridge_price: f64,
    /// Price of what the battery gives, in money per MWh.
    pub(super) battery_price: f64,
    /// Share of the year, and of the import, that is curtailed.
    pub(super) curtailed: (f64, f64),
    pub(super) losses: Losses,
    pub(super) water_litres_per_kwh: f64,
    pub(super) energy: EnergyState,
    /// By building: modules of its electrical chain that are energised.
    pub(super) modules: Vec<u32>,
    /// By building: what its halls lack, in kW; kept only where a building has a chain.
    pub(super) lacking_kw: Vec<f64>,
    /// By building; empty trees where a building has none.
    pub(super) trees: Vec<Option<DeliveryTree>>,
    /// CO2 of what was made and built so far, and of that what hardware taken out since was, in t.
    pub(super) embodied_t: f64,
    pub(super) replaced_t: f64,
    pub(super) pue: f64,
    pub(super) availability: f64,
    /// How many halls were handed over.
    pub(super) handed_over: u32,
    /// Those of them that lack power, the first handed over first.
    pub(super) lacking: Vec<usize>,
    /// Whether a hall has come to lack some since power was shared out.
    pub(super) claims_grew: bool,
    /// What there is of each of its halls; of a few neighbours; of all; and what that comes to in a month's report.
    pub(super) stocks: Vec<Stock>,
    pub(super) blocks: Vec<StockBlock>,
    pub(super) supply: Supply,
    pub(super) supply_tally: SupplyTally,
    pub(super) is_stale: bool,
    /// Buildings that have gone live, where they are counted; and whether a hall has since.
    pub(super) buildings_live: f64,
    pub(super) went_live: bool,
    /// Power of the halls whose buildings have been started, and of those started last.
    pub(super) started_kw: f64,
    pub(super) latest_kw: f64,
    /// When the next of them starts: until then these stay as they are.
    pub(super) next_start: f64,
}

/// What there is on a campus at a month's end, in kW of critical IT power unless it says otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Supply {
    pub(super) stock: Stock,
    pub(super) unused_power_kw: f64,
    /// Of the space without power, what waits for the redundancy to be complete.
    pub(super) redundancy_kw: f64,
    pub(super) shortage: Shortage,
}

#[derive(Clone, Debug, Default)]
pub(super) struct PoolState {
    /// What went live, the first first: halls, and before them what existed at the start.
    pub(super) live: Vec<LivePart>,
    /// As many: what all parts up to and with each come to.
    pub(super) filled: Vec<Occupied>,
    /// How many parts were full when it was last asked: mostly as many are in the month after.
    full: usize,
}

impl PoolState {
    pub(super) fn clear(&mut self) {
        self.live.clear();
        self.filled.clear();
        self.full = 0;
    }

    /// Sums up what is live, which has changed. What there is of it all, in kW.
    pub(super) fn sum_up(&mut self) -> f64 {
        let mut sum = Occupied::default();
        self.filled.clear();
        for part in &self.live {
            sum.add(part, part.kw);
            self.filled.push(sum);
        }
        sum.kw
    }

    /// What `kw` in service come to, filled in the order of going live.
    pub(super) fn occupied(&mut self, kw: f64) -> Occupied {
        let mut full = self.full.min(self.filled.len());
        while full > 0 && self.filled[full - 1].kw > kw {
            full -= 1;
        }
        while full < self.filled.len() && self.filled[full].kw <= kw {
            full += 1;
        }
        self.full = full;
        let mut sum = match full {
            0 => Occupied::default(),
            _ => self.filled[full - 1],
        };
        if let Some(part) = self.live.get(full) {
            sum.add(part, kw - sum.kw);
        }
        sum
    }
}

/// Capacity in service of a pool: what it takes of parts that are live.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Occupied {
    pub(super) kw: f64,
    pub(super) racks: f64,
    pub(super) pflops: f64,
    /// PFLOPS that are fed and work.
    pub(super) available_pflops: f64,
}

impl Occupied {
    fn add(&mut self, part: &LivePart, kw: f64) {
        let pflops = kw * part.pflops_per_kw;
        self.kw += kw;
        self.racks += kw * part.racks_per_kw;
        self.pflops += pflops;
        self.available_pflops += pflops * part.available_share;
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct LivePart {
    /// `None` for what existed at the start.
    pub(super) hall: Option<usize>,
    /// When it went live, in months.
    pub(super) since_months: f64,
    pub(super) kw: f64,
    pub(super) racks_per_kw: f64,
    pub(super) pflops_per_kw: f64,
    /// Share of the time in which it is fed and works.
    pub(super) available_share: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Halls of any sizes, some of which take nothing, and loads that rise and fall; a hall goes live in between.
        #[test]
        fn what_a_load_occupies_does_not_depend_on_the_loads_before(
            sizes in proptest::collection::vec(0_u32..5, 1..12),
            loads in proptest::collection::vec(0_u32..60, 1..20),
        ) {
            let part = |kw: u32| LivePart {
                hall: None,
                since_months: 0.0,
                kw: f64::from(kw),
                racks_per_kw: 0.5,
                pflops_per_kw: 1.0 + f64::from(kw),
                available_share: 0.75,
            };
            let mut pool = PoolState::default();
            for (month, &load) in loads.iter().enumerate() {
                if let Some(&size) = sizes.get(month) {
                    pool.live.push(part(size));
                    pool.sum_up();
                }
                let mut fresh = PoolState { live: pool.live.clone(), ..PoolState::default() };
                let kw = f64::from(load).min(fresh.sum_up());
                let mut left = kw;
                let mut pflops = 0.0;
                for part in &fresh.live {
                    let used = part.kw.min(left);
                    pflops += used * part.pflops_per_kw;
                    left -= used;
                }
                let occupied = pool.occupied(kw);
                prop_assert_eq!(occupied, fresh.occupied(kw));
                prop_assert_eq!((occupied.kw, occupied.pflops), (kw, pflops));
            }
        }
    }
}
