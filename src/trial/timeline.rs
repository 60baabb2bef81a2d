//! Construction and energisation: the events of a trial in the order of their time, and what each of them changes.

use std::cmp::Ordering;

use super::Workspace;
use super::equipment::order;
use crate::compute::Order;
use crate::model::Model;
use crate::projection::TrialRow;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) months: f64,
    pub(super) what: What,
}

/// In the order in which events of the same moment are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    GridStep {
        campus: u32,
        step: u32,
    },
    BridgePower {
        campus: u32,
        bridge: u32,
    },
    Energised {
        campus: u32,
        substation: u32,
    },
    Modules {
        campus: u32,
        building: u32,
        stage: u32,
    },
    Delivered {
        hall: u32,
    },
    HandedOver {
        hall: u32,
    },
    /// Hardware has served its life.
    Retired {
        hall: u32,
    },
    /// What follows it is in place.
    Refreshed {
        hall: u32,
    },
}

impl Event {
    /// By time, and of the same moment in the order in which they are taken.
    fn order(&self, other: &Self) -> Ordering {
        let by_time = self.months.total_cmp(&other.months);
        by_time.then_with(|| self.what.cmp(&other.what))
    }
}

/// Sorts events by their time, and those of the same moment in the order in which they are taken.
pub(super) fn sort_events(events: &mut [Event]) {
    events.sort_unstable_by(Event::order);
}

/// Puts an event that is yet to come into its place.
pub(super) fn plan_event(events: &mut Vec<Event>, event: Event) {
    let place = events.partition_point(|other| other.order(&event).is_le());
    events.insert(place, event);
}

impl Model {
    /// Applies what an event changes.
    pub(super) fn apply(&self, workspace: &mut Workspace, event: Event, drawn: &[f64]) {
        let months = event.months;
        match event.what {
            What::GridStep { campus, step } => {
                let campus = campus as usize;
                self.add_grid_step(workspace, campus, step as usize, drawn);
                self.share_out(workspace, campus, months, drawn);
            }
            What::BridgePower { campus, bridge } => {
                let campus = campus as usize;
                self.add_bridge_power(workspace, campus, bridge as usize, drawn);
                self.share_out(workspace, campus, months, drawn);
            }
            What::Energised { campus, substation } => {
                let (campus, substation) = (campus as usize, substation as usize);
                let state = &mut workspace.campuses[campus];
                let facility_kw = self.campuses[campus].substations[substation].1.kw(drawn);
                (state.headroom).add_substation(substation, facility_kw / state.pue);
                self.share_out(workspace, campus, months, drawn);
            }
            What::Modules {
                campus,
                building,
                stage,
            } => {
                let (campus, building) = (campus as usize, building as usize);
                let state = &mut workspace.campuses[campus];
                let plan = &self.campuses[campus].buildings[building];
                let before = plan.carries_kw(state.modules[building], drawn);
                if let Some(chain) = &plan.chain {
                    state.modules[building] += chain.modules(stage as usize, drawn);
                }
                let after = plan.carries_kw(state.modules[building], drawn);
                state.headroom.add_building(building, after - before);
                self.share_out(workspace, campus, months, drawn);
            }
            What::Delivered { hall } => {
                let hall = hall as usize;
                let state = &mut workspace.halls[hall];
                state.delivered = true;
                workspace.changed[hall] = true;
                let campus = state.campus;
                workspace.campuses[campus].is_stale = true;
                self.count_embodied(workspace, hall);
                self.note_if_live(workspace, hall, months, drawn);
            }
            What::HandedOver { hall } => {
                let hall = hall as usize;
                let state = &mut workspace.halls[hall];
                state.handed_over = true;
                let campus = state.campus;
                workspace.campuses[campus].embodied_t += self.halls[hall].embodied_t;
                self.claim_power(workspace, hall, months, drawn);
            }
            What::Retired { hall } => self.retire(workspace, hall as usize, months, drawn),
            What::Refreshed { hall } => self.refresh(workspace, hall as usize, months, drawn),
        }
    }

    /// A part of a step of the grid connection comes.
    fn add_grid_step(&self, workspace: &mut Workspace, campus: usize, step: usize, drawn: &[f64]) {
        let state = &mut workspace.campuses[campus];
        let plan = &self.campuses[campus];
        let part = &plan.grid[step];
        let facility_kw = part.kw(drawn);
        let before = state.supplied.limit_kw();
        state.supplied.grid_kw += facility_kw;
        let more = if plan.bridges.is_empty() {
            facility_kw
        } else {
            state.supplied.limit_kw() - before
        };
        state.headroom.add_grid(more / state.pue);
    }

    /// Bridge power is ready.
    fn add_bridge_power(
        &self,
        workspace: &mut Workspace,
        campus: usize,
        bridge: usize,
        drawn: &[f64],
    ) {
        let state = &mut workspace.campuses[campus];
        let plan = &self.campuses[campus].bridges[bridge];
        let before = state.supplied.limit_kw();
        let price = plan.price_per_mwh.value(drawn);
        if let Some(battery) = plan.battery {
            state.supplied.battery = Some((battery, plan.permanent));
            state.battery_price = price;
        } else {
            if plan.permanent {
                state.supplied.permanent_kw += plan.firm_kw;
            } else {
                state.supplied.bridge_kw += plan.firm_kw;
            }
            state.bridge_carbon += plan.firm_kw * plan.carbon_g_per_kwh;
            state.bridge_price += plan.firm_kw * price;
        }
        // Where the grid is no limit, generation behind the meter adds nothing to it.
        if before.is_finite() {
            let more = state.supplied.limit_kw() - before;
            state.headroom.add_grid(more / state.pue);
        }
    }

    /// When a planned event is due by the schedule and the orders, in months after the start.
    pub(super) fn due(&self, workspace: &Workspace, what: What) -> f64 {
        let finish = &workspace.finish;
        match what {
            What::GridStep { campus, step } => {
                let part = &self.campuses[campus as usize].grid[step as usize];
                finish[part.energised.index()] + part.part.delay_months
            }
            What::BridgePower { campus, bridge } => {
                finish[self.campuses[campus as usize].bridges[bridge as usize]
                    .works
                    .index()]
            }
            What::Energised { campus, substation } => {
                let (node, _) = self.campuses[campus as usize].substations[substation as usize];
                finish[node.index()]
            }
            What::Modules {
                campus,
                building,
                stage,
            } => {
                let building = &self.campuses[campus as usize].buildings[building as usize];
                let chain = building.chain.as_ref();
                chain.map_or(f64::INFINITY, |chain| {
                    finish[chain.stages[stage as usize].0.index()]
                })
            }
            What::Delivered { hall } => workspace.halls[hall as usize].delivery.arrives,
            What::HandedOver { hall } => finish[self.halls[hall as usize].handover.index()],
            // Planned when their hardware went live, or out.
            What::Retired { .. } | What::Refreshed { .. } => f64::INFINITY,
        }
    }

    /// Starts the phases whose conditions held in the months reported so far, and gives their
    /// dates to what waited for them.
    pub(super) fn review_phases(
        &self,
        workspace: &mut Workspace,
        month: usize,
        drawn: &[f64],
        row: &TrialRow,
        next_event: usize,
        allows: impl Fn(usize) -> bool,
    ) {
        let mut opened = false;
        for (number, gate) in self.gates.iter().enumerate() {
            if !workspace.plan.is_open(number)
                && gate.opens(row, month, &workspace.finish)
                && (gate.is_overdue(month) || allows(number))
            {
                workspace.plan.open_gate(number, month as f64 + 1.0);
                opened = true;
            }
        }
        if !opened {
            return;
        }
        self.network
            .schedule_opened(drawn, &mut workspace.plan, &mut workspace.finish);
        for state in &mut workspace.campuses {
            state.next_start = f64::NEG_INFINITY;
        }
        for position in next_event..workspace.events.len() {
            let event = workspace.events[position];
            if event.months < f64::INFINITY {
                continue;
            }
            if let What::Delivered { hall } = event.what {
                self.order_anew(workspace, hall as usize, drawn);
            }
            workspace.events[position].months = self.due(workspace, event.what);
        }
        sort_events(&mut workspace.events[next_event..]);
    }

    /// Orders the hardware of a hall that waited for a phase.
    fn order_anew(&self, workspace: &mut Workspace, hall: usize, drawn: &[f64]) {
        let plan = &self.halls[hall];
        let ordered = Order::At(workspace.finish[plan.ordered.index()]);
        let fit = workspace.halls[hall].fit;
        workspace.halls[hall].delivery = order(&workspace.generations, plan, ordered, &fit, drawn);
        self.fit_out(workspace, hall);
        self.note_claim(workspace, hall);
        let state = &mut workspace.halls[hall];
        let racks = state.racks();
        (state.delivery).wait_for_supply(&mut workspace.generations, racks);
    }
}
