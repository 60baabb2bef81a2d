//! Hardware of the halls: ordered, placed, live, retired and renewed.

use super::Workspace;
use super::state::{HallState, LivePart};
use super::timeline::{Event, What, plan_event};
use crate::compute::{Delivery, DrawnGeneration, Order};
use crate::finance::books::{DeliveryFact, RetrofitFact};
use crate::model::{CompiledHall, HallFit, Model};
use crate::power::Deployment;

/// Racks that stand together in a row of a building's delivery tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) hall: usize,
    pub(super) row: usize,
    pub(super) what: Deployment,
}

/// The positions of a hall filled with racks: whole ones where a rack takes several positions.
fn racks_in(fit: &HallFit, delivery: &Delivery) -> f64 {
    (fit.positions.count / delivery.positions).floor()
}

/// The first hardware of a hall.
pub(super) fn order(
    generations: &[DrawnGeneration],
    hall: &CompiledHall,
    ordered: Order,
    fit: &HallFit,
    drawn: &[f64],
) -> Delivery {
    let positions = fit.positions;
    let mut delivery = hall.hardware.order(generations, ordered, positions, drawn);
    if !delivery.pflops_per_kw.is_finite() {
        // Not ordered yet, or never: there is nothing whose growth could be counted.
        delivery.pflops_per_kw = 0.0;
    }
    delivery
}

impl Model {
    /// Where the supply of accelerators is limited, halls wait for their turn, the first order first.
    pub(super) fn wait_for_supply(&self, workspace: &mut Workspace) {
        if !workspace
            .generations
            .iter()
            .any(DrawnGeneration::is_limited)
        {
            return;
        }
        workspace.orders.clear();
        let halls = workspace.halls.iter().enumerate();
        let orders = halls.map(|(position, hall)| (hall.delivery.ordered, position));
        workspace.orders.extend(orders);
        workspace
            .orders
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for &(_, hall) in &workspace.orders {
            let state = &mut workspace.halls[hall];
            let racks = state.racks();
            state
                .delivery
                .wait_for_supply(&mut workspace.generations, racks);
        }
    }

    /// How much of what the hall is made for its hardware can take: positions and their density
    /// first, then cooling, then the rows of the building.
    pub(super) fn fit_out(&self, workspace: &mut Workspace, hall: usize) {
        workspace.changed[hall] = true;
        let state = &mut workspace.halls[hall];
        let (fit, delivery) = (state.fit, state.delivery);
        let rack_kw = delivery.rack_power_kw;
        // What is sold beyond the feeds is not drawn: it takes nothing of them, nor of the cooling.
        let sold = fit.sold_per_fed;
        let filled = (racks_in(&fit, &delivery) * rack_kw).min(fit.power_kw * sold);
        let cooled = filled.min(fit.cooling_kw * sold);
        state.design_kw = fit.design_kw();
        state.density_kw = state.design_kw - filled;
        state.cooling_kw = filled - cooled;
        state.space_kw = cooled;
        state.delivery_kw = 0.0;
        let campus = state.campus;
        let building = self.halls[hall].feed.building;
        let chain = self.campuses[campus].buildings[building].chain.as_ref();
        let tree = workspace.campuses[campus].trees[building].as_mut();
        let (Some(tree), Some(rows)) =
            (tree, chain.and_then(|chain| chain.chain.delivery.as_ref()))
        else {
            return;
        };
        workspace.placed.retain(|placed| {
            if placed.hall == hall {
                tree.remove(placed.row, placed.what);
            }
            placed.hall != hall
        });
        let racks = (cooled / rack_kw + 1e-9).floor();
        let pod = f64::from(rows.pod_racks);
        let whole_pods = (racks / pod).floor();
        let placed = &mut workspace.placed;
        let mut place = |racks: f64, count: f64| {
            let what = Deployment {
                power_kw: racks * rack_kw / sold,
                positions: (racks * delivery.positions) as u32,
            };
            let found = tree.place_many(what, count as u32, rows.placement, |row| {
                placed.push(Placed { hall, row, what });
            });
            f64::from(found)
        };
        let found = place(pod, whole_pods);
        let mut left = racks - found * pod;
        // A last pod that is not full comes when all full ones have found room.
        if left > 0.0 && found == whole_pods {
            left -= left * place(left, 1.0);
        }
        if left > 0.0 {
            state.space_kw = (racks - left) * rack_kw;
            state.delivery_kw = cooled - state.space_kw;
        }
    }

    pub(super) fn note_if_live(
        &self,
        workspace: &mut Workspace,
        hall: usize,
        months: f64,
        drawn: &[f64],
    ) {
        let state = &mut workspace.halls[hall];
        if state.live == f64::INFINITY && state.deployable_kw() > 0.0 {
            state.live = months;
            workspace.campuses[state.campus].went_live = true;
            self.put_into_pool(workspace, hall, months, drawn);
            self.plan_retirement(workspace, hall, months, drawn);
        }
    }

    fn put_into_pool(
        &self,
        workspace: &mut Workspace,
        hall: usize,
        since_months: f64,
        drawn: &[f64],
    ) {
        let state = &mut workspace.halls[hall];
        let delivery = &state.delivery;
        let building = &self.campuses[state.campus].buildings[self.halls[hall].feed.building];
        let mut available_share =
            (building.chain.as_ref()).map_or(1.0, |chain| chain.served_share(drawn));
        let generation = delivery.generation.map(|chosen| &self.generations[chosen]);
        if let Some(reliability) = generation.and_then(|chosen| chosen.reliability) {
            available_share *= reliability.availability(state.racks());
        }
        let live = &mut workspace.pools[state.pool].live;
        state.part = Some(live.len());
        live.push(LivePart {
            hall: Some(hall),
            since_months,
            kw: 0.0,
            racks_per_kw: 1.0 / delivery.rack_power_kw,
            pflops_per_kw: delivery.pflops_per_kw * state.compute_factor,
            available_share,
        });
    }

    fn plan_retirement(&self, workspace: &mut Workspace, hall: usize, months: f64, drawn: &[f64]) {
        if let Some(life) = self.halls[hall].life {
            let what = What::Retired { hall: hall as u32 };
            let months = months + life.value(drawn);
            plan_event(&mut workspace.events, Event { months, what });
        }
    }

    /// Hardware goes: the hall is rebuilt if it is to be, and what follows has been ordered so as
    /// to be there by now.
    pub(super) fn retire(
        &self,
        workspace: &mut Workspace,
        hall: usize,
        months: f64,
        drawn: &[f64],
    ) {
        let plan = &self.halls[hall];
        let mut downtime = plan.refresh.value(drawn);
        workspace.changed[hall] = true;
        let state = &mut workspace.halls[hall];
        state.delivered = false;
        let campus = &mut workspace.campuses[state.campus];
        campus.is_stale = true;
        campus.replaced_t += self.hardware_embodied_t(state);
        if let Some(part) = state.part.take() {
            let part = &mut workspace.pools[state.pool].live[part];
            (part.hall, part.kw) = (None, 0.0);
        }
        if let Some(retrofit) = plan.retrofit.as_ref().filter(|_| !state.is_retrofitted) {
            state.is_retrofitted = true;
            state.pool = retrofit.pool;
            state.fit = retrofit.plan.draw(drawn);
            downtime = retrofit.downtime.value(drawn);
            campus.embodied_t += retrofit.embodied_t;
            if self.finance.is_some() {
                workspace.retrofits.push(RetrofitFact {
                    campus: state.campus,
                    begins: months,
                    price: retrofit.capex_per_kw.value(drawn) * state.fit.feed_kw(),
                });
            }
        }
        let positions = state.fit.positions;
        let ordered = Order::For(months);
        let mut delivery = plan
            .hardware
            .order(&workspace.generations, ordered, positions, drawn);
        let racks = racks_in(&state.fit, &delivery);
        delivery.wait_for_supply(&mut workspace.generations, racks);
        // Until it is in place the hall is counted with what it was fitted out for.
        state.coming = Some(delivery);
        let what = What::Refreshed { hall: hall as u32 };
        let months = months.max(delivery.arrives) + downtime;
        plan_event(&mut workspace.events, Event { months, what });
    }

    /// New hardware is in place: power is given back or asked for, as it takes less or more.
    pub(super) fn refresh(
        &self,
        workspace: &mut Workspace,
        hall: usize,
        months: f64,
        drawn: &[f64],
    ) {
        let state = &mut workspace.halls[hall];
        if let Some(delivery) = state.coming.take() {
            state.delivery = delivery;
        }
        self.fit_out(workspace, hall);
        let state = &mut workspace.halls[hall];
        state.delivered = true;
        let campus = state.campus;
        let excess = state.given_kw - state.space_kw;
        if excess > 0.0 {
            state.given_kw = state.space_kw;
            let headroom = &mut workspace.campuses[campus].headroom;
            headroom.take_back(self.halls[hall].feed, excess / state.fit.sold_per_fed);
        }
        self.note_claim(workspace, hall);
        self.count_embodied(workspace, hall);
        self.put_into_pool(workspace, hall, months, drawn);
        self.plan_retirement(workspace, hall, months, drawn);
        self.share_out(workspace, campus, months, drawn);
    }

    pub(super) fn count_embodied(&self, workspace: &mut Workspace, hall: usize) {
        let state = &workspace.halls[hall];
        if self.finance.is_some() {
            let generation = state.delivery.generation;
            let price = generation.map_or(0.0, |chosen| workspace.generations[chosen].price_per_kw);
            workspace.deliveries.push(DeliveryFact {
                hall,
                arrives: state.delivery.arrives,
                power_kw: state.space_kw,
                racks: state.racks(),
                campus: state.campus,
                price: price * state.space_kw,
            });
        }
        workspace.campuses[state.campus].embodied_t += self.hardware_embodied_t(state);
    }

    /// CO2 of making the hardware of a hall, in t.
    fn hardware_embodied_t(&self, hall: &HallState) -> f64 {
        let generation = hall.delivery.generation;
        generation.map_or(0.0, |chosen| {
            hall.racks() * self.generations[chosen].rack_embodied_t
        })
    }
}
