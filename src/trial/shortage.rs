//! What supply is short of, and which of it binds.

use super::Workspace;
use super::state::Supply;
use crate::model::{CompiledCampus, Model};
use crate::projection::metrics::{Cause, SUPPLY_CAUSES};

const SUPPLY: [Cause; SUPPLY_CAUSES] = [
    Cause::Construction,
    Cause::Grid,
    Cause::Electrical,
    Cause::Delivery,
    Cause::Space,
    Cause::Density,
    Cause::Cooling,
    Cause::Equipment,
];

/// What is short on a campus, or on all, in kW of critical IT power.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shortage {
    /// By cause of supply: what relieving it alone would make deployable.
    relief_kw: [f64; SUPPLY_CAUSES],
    /// What could still be fed; infinite where nothing limits power.
    spare_kw: f64,
    /// Space that is planned but not handed over.
    pending_kw: f64,
    /// Of what built halls lack, delivered or not: for want of the grid, and of their building's chain.
    lacking_kw: [f64; 2],
    /// What of space, power and equipment there is.
    level_kw: [f64; 3],
}

impl Shortage {
    pub(super) fn include(&mut self, other: &Self) {
        let add = |sums: &mut [f64], values: &[f64]| {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value;
            }
        };
        add(&mut self.relief_kw, &other.relief_kw);
        add(&mut self.lacking_kw, &other.lacking_kw);
        add(&mut self.level_kw, &other.level_kw);
        self.spare_kw += other.spare_kw;
        self.pending_kw += other.pending_kw;
    }

    /// What binds while so much demand waits, and how much of it that holds back, in kW.
    ///
    /// The cause whose relief alone would let the most of the waiting demand in; of equal ones the
    /// first in the order of [`CAUSES`](crate::projection::metrics::CAUSES). Space binds where all that is planned
    /// is built, nothing of it is stranded, and power is left. If no relief alone would help, that of
    /// space, power and equipment binds of which there is the least, the first of equal ones.
    pub(super) fn binding(&self, waiting_kw: f64) -> (Cause, f64) {
        let all_built = self.pending_kw <= 0.0;
        let (mut most_kw, mut most) = (0.0, None);
        for (cause, relief_kw) in SUPPLY.into_iter().zip(self.relief_kw) {
            let kw = relief_kw.min(waiting_kw);
            if kw > most_kw {
                (most_kw, most) = (kw, Some(cause));
                // No other lets in more.
                if kw == waiting_kw {
                    break;
                }
            }
        }
        let space_kw = self.spare_kw.min(waiting_kw);
        if most.is_none() && all_built && space_kw > 0.0 {
            (most_kw, most) = (space_kw, Some(Cause::Space));
        }
        if let Some(cause) = most {
            return (cause, most_kw);
        }
        let cause = match first_largest(&self.level_kw.map(|kw| -kw)) {
            0 if all_built => Cause::Space,
            0 => Cause::Construction,
            1 if self.lacking_kw[1] > self.lacking_kw[0] => Cause::Electrical,
            1 => Cause::Grid,
            _ => Cause::Equipment,
        };
        (cause, waiting_kw)
    }
}

fn first_largest(values: &[f64]) -> usize {
    let mut best = 0;
    for position in 1..values.len() {
        if values[position] > values[best] {
            best = position;
        }
    }
    best
}

impl Model {
    pub(super) fn shortage(
        &self,
        workspace: &Workspace,
        position: usize,
        campus: &CompiledCampus,
        supply: &Supply,
    ) -> Shortage {
        let state = &workspace.campuses[position];
        let headroom = &state.headroom;
        let stock = &supply.stock;
        let mut short = Shortage {
            spare_kw: headroom.spare_kw(),
            level_kw: [
                stock.space_kw,
                stock.powered_kw + supply.unused_power_kw,
                stock.delivered_kw,
            ],
            pending_kw: stock.pending_kw,
            ..Shortage::default()
        };
        let relief = &mut short.relief_kw;
        for number in self.short_halls(campus, &state.blocks) {
            let hall = &workspace.halls[number];
            let lacking_kw = hall.space_kw - hall.given_kw;
            let (upstream_kw, building_kw) = headroom.left_kw(self.halls[number].feed);
            if lacking_kw > 0.0 {
                // Where both are used up, the one further up comes first.
                let (cause, place) = if building_kw <= 0.0 && upstream_kw > 0.0 {
                    (Cause::Electrical, 1)
                } else {
                    (Cause::Grid, 0)
                };
                short.lacking_kw[place] += lacking_kw;
                if hall.delivered {
                    relief[cause as usize] += lacking_kw;
                }
            }
            let left_kw = upstream_kw.min(building_kw) * hall.fit.sold_per_fed;
            if hall.delivered && left_kw > 0.0 {
                relief[Cause::Density as usize] += hall.density_kw.min(left_kw);
                relief[Cause::Cooling as usize] += hall.cooling_kw.min(left_kw);
                relief[Cause::Delivery as usize] += hall.delivery_kw.min(left_kw);
            }
        }
        relief[Cause::Equipment as usize] = stock.equipment_late_kw;
        // Halls on one feed cannot all have what it has left.
        for cause in [Cause::Density, Cause::Cooling, Cause::Delivery] {
            let kw = &mut relief[cause as usize];
            *kw = kw.min(short.spare_kw);
        }
        relief[Cause::Construction as usize] = short.pending_kw.min(short.spare_kw);
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(relief: &[(Cause, f64)], spare_kw: f64, pending_kw: f64) -> Shortage {
        let mut short = Shortage {
            spare_kw,
            pending_kw,
            level_kw: [100.0, 90.0, 100.0],
            ..Shortage::default()
        };
        for &(cause, kw) in relief {
            short.relief_kw[cause as usize] = kw;
        }
        short
    }

    #[test]
    fn the_cause_whose_relief_lets_most_in_binds() {
        let both = short(
            &[(Cause::Density, 30.0), (Cause::Delivery, 40.0)],
            50.0,
            0.0,
        );
        assert_eq!(both.binding(100.0), (Cause::Delivery, 40.0));
        // Of equal ones, as far as demand waits, the first in order.
        assert_eq!(both.binding(20.0), (Cause::Delivery, 20.0));
        let built = short(&[], 50.0, 0.0);
        assert_eq!(built.binding(100.0), (Cause::Space, 50.0));
        let unlimited = short(&[], f64::INFINITY, 0.0);
        assert_eq!(unlimited.binding(100.0), (Cause::Space, 100.0));
    }

    #[test]
    fn where_nothing_helps_alone_the_least_binds() {
        let mut none = short(&[], 0.0, 10.0);
        assert_eq!(none.binding(7.0), (Cause::Grid, 7.0));
        none.lacking_kw = [2.0, 3.0];
        assert_eq!(none.binding(7.0), (Cause::Electrical, 7.0));
        none.level_kw = [90.0; 3];
        assert_eq!(none.binding(7.0), (Cause::Construction, 7.0));
        none.pending_kw = 0.0;
        assert_eq!(none.binding(7.0), (Cause::Space, 7.0));
    }
}
