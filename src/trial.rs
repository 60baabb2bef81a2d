//! One future: the month loop that ties construction, power, equipment and tenants together.
//!
//! What happens inside a month has its real-valued time; the state is reported at the end of the
//! month. An event at time t (in months) counts from the month m on for which t <= m + 1.

use crate::compute::{Delivery, DrawnGeneration, Order};
use crate::construction::schedule::Plan;
use crate::finance::books::{Books, DeliveryFact, HallFacts, Happened, RetrofitFact};
use crate::metrics::{Cause, METRIC_COUNT, MetricId};
use crate::model::{CompiledCampus, CompiledHall, CompiledTarget, HallFit, Model};
use crate::monte_carlo::design::Sampling;
use crate::power::cooling::Losses;
use crate::power::energy::{EnergyState, MonthOfUse, share_of};
use crate::power::grid::{HOURS_PER_YEAR, Supplied};
use crate::power::{DeliveryTree, Deployment, Headroom};
use crate::projection::TrialRow;
use crate::tenants::market::MarketState;

mod log;

pub use log::{Happening, LogEntry, Replay};

const KW_PER_MW: f64 = 1_000.0;
const HOURS_PER_MONTH: f64 = HOURS_PER_YEAR / 12.0;
const LITRES_PER_M3: f64 = 1_000.0;

/// The buffers of a worker, reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    drawn: Vec<f64>,
    plan: Plan,
    finish: Vec<f64>,
    events: Vec<Event>,
    halls: Vec<HallState>,
    campuses: Vec<CampusState>,
    pools: Vec<PoolState>,
    generations: Vec<DrawnGeneration>,
    /// Orders of limited supply: when, and for which hall.
    orders: Vec<(f64, usize)>,
    /// What stands in delivery trees.
    placed: Vec<Placed>,
    room_kw: Vec<f64>,
    market: MarketState,
    books: Books,
    /// Hardware that was delivered, where money is counted.
    deliveries: Vec<DeliveryFact>,
    retrofits: Vec<RetrofitFact>,
}

/// Racks that stand together in a row of a building's delivery tree.
#[derive(Clone, Copy, Debug)]
struct Placed {
    hall: usize,
    row: usize,
    what: Deployment,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Event {
    months: f64,
    what: What,
}

/// In the order in which events of the same moment are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
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

#[derive(Clone, Debug)]
struct HallState {
    campus: usize,
    delivery: Delivery,
    pool: usize,
    fit: HallFit,
    is_retrofitted: bool,
    /// What the hall is made for, and what of it is lost to density, cooling and the delivery
    /// tree, in kW.
    design_kw: f64,
    density_kw: f64,
    cooling_kw: f64,
    delivery_kw: f64,
    /// What is left of it: racks that can stand here, in kW.
    space_kw: f64,
    given_kw: f64,
    handed_over: bool,
    delivered: bool,
    live: f64,
}

/// The positions of a hall filled with racks: whole ones where a rack takes several positions.
fn racks_in(fit: &HallFit, delivery: &Delivery) -> f64 {
    (fit.positions.count / delivery.positions).floor()
}

/// The first hardware of a hall.
fn order(
    generations: &[DrawnGeneration],
    hall: &CompiledHall,
    ordered: Order,
    drawn: &[f64],
) -> Delivery {
    let positions = hall.fit.positions;
    let mut delivery = hall.hardware.order(generations, ordered, positions, drawn);
    if !delivery.pflops_per_kw.is_finite() {
        // Not ordered yet, or never: there is nothing whose growth could be counted.
        delivery.pflops_per_kw = 0.0;
    }
    delivery
}

/// Puts an event that is yet to come into its place.
fn plan_event(events: &mut Vec<Event>, event: Event) {
    let earlier = |a: &Event| {
        a.months
            .total_cmp(&event.months)
            .then(a.what.cmp(&event.what))
            .is_le()
    };
    let place = events.partition_point(earlier);
    events.insert(place, event);
}

impl HallState {
    /// Racks that stand here.
    fn racks(&self) -> f64 {
        self.space_kw / self.delivery.rack_power_kw
    }

    fn deployable_kw(&self) -> f64 {
        if self.delivered { self.given_kw } else { 0.0 }
    }
}

#[derive(Clone, Debug, Default)]
struct CampusState {
    headroom: Headroom,
    supplied: Supplied,
    /// Σ of firm kW x carbon and x price of the bridge power that works.
    bridge_carbon: f64,
    bridge_price: f64,
    /// Share of the year, and of the import, that is curtailed.
    curtailed: (f64, f64),
    losses: Losses,
    water_litres_per_kwh: f64,
    energy: EnergyState,
    /// By building: modules of its electrical chain that are energised.
    modules: Vec<u32>,
    /// By building: what its halls lack, in kW; kept only where a building has a chain.
    lacking_kw: Vec<f64>,
    /// By building; empty trees where a building has none.
    trees: Vec<Option<DeliveryTree>>,
    embodied_t: f64,
    replaced_t: f64,
    pue: f64,
    availability: f64,
    /// Halls that were handed over, the first first.
    order: Vec<usize>,
    supply: Supply,
    is_stale: bool,
    /// Power of the halls whose buildings have been started, and of those started last.
    started_kw: f64,
    latest_kw: f64,
}

/// What is there on a campus at a month's end, in kW of critical IT power unless it says otherwise.
#[derive(Clone, Copy, Debug, Default)]
struct Supply {
    space_kw: f64,
    powered_kw: f64,
    deployable_kw: f64,
    unused_power_kw: f64,
    equipment_late_kw: f64,
    /// Of the space without power, what waits for the redundancy to be complete.
    redundancy_kw: f64,
    design_kw: f64,
    density_kw: f64,
    cooling_kw: f64,
    delivery_kw: f64,
    /// Deployable by the density of racks.
    by_density_kw: [f64; 4],
    /// Delivered to halls whether they are built or not.
    delivered_kw: f64,
    pflops: f64,
    racks_built: f64,
    racks_energised: f64,
    racks_deployable: f64,
}

#[derive(Clone, Debug, Default)]
struct PoolState {
    /// What went live, the first first: halls, and before them what existed at the start.
    live: Vec<LivePart>,
}

#[derive(Clone, Copy, Debug)]
struct LivePart {
    /// `None` for what existed at the start.
    hall: Option<usize>,
    kw: f64,
    racks_per_kw: f64,
    pflops_per_kw: f64,
    /// Share of the time in which it is fed and works.
    available_share: f64,
}

/// A total over campuses that is reported as one campus would be.
#[derive(Clone, Copy, Debug)]
struct Tally {
    values: [f64; METRIC_COUNT],
    /// What relieving each cause of supply alone would add, in kW.
    relief_kw: [f64; 3],
    /// What of space, power and equipment there is, in kW.
    level_kw: [f64; 3],
    /// Power of what is there and of buildings that have been started, in kW.
    started_kw: f64,
    /// Of that, power of the buildings started last.
    latest_kw: f64,
    /// Renewable generation and facility energy of twelve months, in MWh.
    renewable_year_mwh: f64,
    facility_year_mwh: f64,
    matched_mwh: f64,
}

// The standard library has no default of arrays so long.
impl Default for Tally {
    fn default() -> Self {
        Self {
            values: [0.0; METRIC_COUNT],
            relief_kw: [0.0; 3],
            level_kw: [0.0; 3],
            started_kw: 0.0,
            latest_kw: 0.0,
            renewable_year_mwh: 0.0,
            facility_year_mwh: 0.0,
            matched_mwh: 0.0,
        }
    }
}

impl Tally {
    fn add(&mut self, metric: MetricId, value: f64) {
        self.values[metric as usize] += value;
    }

    fn get(&self, metric: MetricId) -> f64 {
        self.values[metric as usize]
    }

    fn include(&mut self, other: &Self) {
        for (sum, value) in self.values.iter_mut().zip(&other.values) {
            *sum += value;
        }
        for (sum, value) in self.relief_kw.iter_mut().zip(&other.relief_kw) {
            *sum += value;
        }
        for (sum, value) in self.level_kw.iter_mut().zip(&other.level_kw) {
            *sum += value;
        }
        self.started_kw += other.started_kw;
        self.latest_kw += other.latest_kw;
        self.renewable_year_mwh += other.renewable_year_mwh;
        self.facility_year_mwh += other.facility_year_mwh;
        self.matched_mwh += other.matched_mwh;
    }

    /// Fills in the ratios and the binding constraint, which are not sums.
    ///
    /// Demand binds if nothing waits; what it holds back is the deployable power not in service.
    /// Otherwise supply binds: the cause whose relief alone would let the most of the waiting
    /// demand in. If no relief alone would help, the cause of which there is the least binds, and
    /// of equal ones the first in the order construction, power, equipment.
    fn close(&mut self) -> Cause {
        let deployable = self.get(MetricId::ItPower);
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
        let draw = self.get(MetricId::FacilityDraw);
        let ratios = [
            (MetricId::Pue, ratio(draw, self.get(MetricId::ItDraw))),
            (
                MetricId::ComputePerPower,
                ratio(self.get(MetricId::EffectivePflops), draw),
            ),
            (
                MetricId::AnnualMatching,
                share_of(self.renewable_year_mwh, self.facility_year_mwh),
            ),
            (
                MetricId::HourlyMatching,
                share_of(self.matched_mwh, self.get(MetricId::FacilityEnergy)),
            ),
        ];
        for (metric, value) in ratios {
            self.values[metric as usize] = value;
        }
        let waiting_kw = self.get(MetricId::WaitingDemand) * KW_PER_MW;
        let (cause, held_back_mw) = if waiting_kw <= 0.0 {
            (Cause::Demand, (deployable - in_service).max(0.0))
        } else {
            let causes = [Cause::Construction, Cause::Power, Cause::Equipment];
            let relief = self.relief_kw.map(|kw| kw.min(waiting_kw));
            let most = first_largest(&relief);
            if relief[most] > 0.0 {
                (causes[most], relief[most] / KW_PER_MW)
            } else {
                let least = first_largest(&self.level_kw.map(|kw| -kw));
                (causes[least], waiting_kw / KW_PER_MW)
            }
        };
        self.values[MetricId::BindingPower as usize] = held_back_mw;
        cause
    }
}

/// A ratio; NaN, which is left out of the statistics, where there is nothing to divide by.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { f64::NAN }
}

/// Deployable power by the density of racks, in the order of [`density_class`].
const DENSITY_CLASSES: [MetricId; 4] = [
    MetricId::ItPowerTo20,
    MetricId::ItPowerTo60,
    MetricId::ItPowerTo200,
    MetricId::ItPowerAbove200,
];

/// The class of racks of so many kW a position.
fn density_class(kw: f64) -> usize {
    [20.0, 60.0, 200.0]
        .iter()
        .position(|&limit| kw <= limit)
        .unwrap_or(3)
}

fn first_largest(values: &[f64; 3]) -> usize {
    let mut best = 0;
    for position in 1..values.len() {
        if values[position] > values[best] {
            best = position;
        }
    }
    best
}

impl Workspace {
    /// The plan and the finishes of the trial that was simulated last.
    pub(crate) fn schedule(&self) -> (&Plan, &[f64]) {
        (&self.plan, &self.finish)
    }
}

impl Model {
    /// Simulates trial `trial` of independent trials of `seed`: [`Self::simulate_by`] for
    /// [`Design::Random`](crate::monte_carlo::design::Design::Random).
    pub fn simulate(&self, seed: u64, trial: u64, workspace: &mut Workspace, row: &mut TrialRow) {
        self.simulate_by(&Sampling::random(seed), trial, workspace, row);
    }

    /// Simulates trial `trial` of a sampling design and writes its results to `row`, which must
    /// be of this model's layout. The same arguments always give the same row.
    ///
    /// `sampling` must have been made by [`Model::sampling`] of this model.
    pub fn simulate_by(
        &self,
        sampling: &Sampling,
        trial: u64,
        workspace: &mut Workspace,
        row: &mut TrialRow,
    ) {
        let seed = sampling.seed();
        let mut drawn = std::mem::take(&mut workspace.drawn);
        self.inputs.draw(sampling, trial, &mut drawn);
        row.clear();
        self.begin(workspace, seed, trial, &drawn);
        let mut next_event = 0;
        for month in 0..self.months {
            let until = month as f64 + 1.0;
            while let Some(event) = workspace.events.get(next_event).copied() {
                if event.months > until {
                    break;
                }
                self.happen(workspace, event, &drawn);
                next_event += 1;
            }
            self.take_stock(workspace);
            self.note_starts(workspace, until);
            self.market.pass_month(
                &mut workspace.market,
                seed,
                trial,
                month,
                &workspace.room_kw,
            );
            self.report_month(workspace, month, &drawn, row);
            if self.market.reports_more() {
                self.market.report(&mut workspace.market, month, row);
            }
            self.note_sales(workspace, month, &drawn);
            if !self.gates.is_empty() {
                self.review_phases(workspace, month, &drawn, row, next_event);
            }
        }
        self.close_books(workspace, &drawn, row);
        self.report_moments(workspace, row);
        workspace.drawn = drawn;
    }

    fn begin(&self, workspace: &mut Workspace, seed: u64, trial: u64, drawn: &[f64]) {
        workspace.plan.close_gates(self.gates.len());
        self.network
            .schedule(drawn, &mut workspace.plan, &mut workspace.finish);
        workspace.room_kw.clear();
        workspace.room_kw.resize(self.pools, 0.0);
        workspace.pools.resize_with(self.pools, PoolState::default);
        for pool in &mut workspace.pools {
            pool.live.clear();
        }
        workspace.halls.clear();
        workspace.events.clear();
        workspace.placed.clear();
        workspace.generations.clear();
        let generations = self.generations.iter();
        workspace
            .generations
            .extend(generations.map(|generation| generation.draw(drawn)));
        workspace
            .campuses
            .resize_with(self.campuses.len(), CampusState::default);
        for (position, campus) in self.campuses.iter().enumerate() {
            self.begin_campus(workspace, position, campus, drawn);
        }
        self.wait_for_supply(workspace);
        for (position, hall) in self.halls.iter().enumerate() {
            let number = position as u32;
            workspace.events.push(Event {
                months: workspace.halls[position].delivery.arrives,
                what: What::Delivered { hall: number },
            });
            workspace.events.push(Event {
                months: workspace.finish[hall.handover.index()],
                what: What::HandedOver { hall: number },
            });
        }
        workspace
            .events
            .sort_unstable_by(|a, b| a.months.total_cmp(&b.months).then(a.what.cmp(&b.what)));
        self.market.reset(&mut workspace.market, seed, trial, drawn);
        if let Some(finance) = &self.finance {
            finance.reset(&mut workspace.books);
            workspace.deliveries.clear();
            workspace.retrofits.clear();
        }
    }

    fn begin_campus(
        &self,
        workspace: &mut Workspace,
        position: usize,
        campus: &CompiledCampus,
        drawn: &[f64],
    ) {
        let state = &mut workspace.campuses[position];
        state.pue = campus.pue.value(drawn);
        if let Some(efficiency) = &campus.efficiency {
            state.losses = efficiency.losses(drawn);
            state.water_litres_per_kwh = efficiency.water_litres_per_kwh(drawn);
            state.pue = efficiency.design_pue(&state.losses);
        }
        state.availability = campus.availability.value(drawn);
        state.energy.reset();
        (state.bridge_carbon, state.bridge_price) = (0.0, 0.0);
        state.curtailed = campus.curtailment.map_or((0.0, 0.0), |curtailment| {
            let hours = curtailment.hours_per_year.value(drawn);
            (hours / HOURS_PER_YEAR, curtailment.depth_share.value(drawn))
        });
        state.order.clear();
        state.is_stale = true;
        let grid = if campus.grid.is_empty() {
            f64::INFINITY
        } else {
            0.0
        };
        state.supplied = Supplied {
            grid_kw: grid,
            applied_kw: campus.applied_kw,
            ..Supplied::default()
        };
        state.headroom.reset(
            grid,
            campus.substations.iter().map(|_| 0.0),
            campus
                .buildings
                .iter()
                .map(|building| building.carries_kw(0)),
        );
        state.modules.clear();
        state.modules.resize(campus.buildings.len(), 0);
        (state.embodied_t, state.replaced_t) = (0.0, 0.0);
        state.trees.resize(campus.buildings.len(), None);
        for (tree, building) in state.trees.iter_mut().zip(&campus.buildings) {
            let empty = building
                .chain
                .as_ref()
                .and_then(|chain| chain.tree.as_ref());
            match (tree.as_mut(), empty) {
                (Some(tree), Some(empty)) => tree.become_empty(empty),
                _ => *tree = empty.cloned(),
            }
        }
        let number = position as u32;
        for (step, part) in campus.grid.iter().enumerate() {
            workspace.events.push(Event {
                months: workspace.finish[part.energised.index()] + part.delay,
                what: What::GridStep {
                    campus: number,
                    step: step as u32,
                },
            });
        }
        for (bridge, plan) in campus.bridges.iter().enumerate() {
            workspace.events.push(Event {
                months: workspace.finish[plan.works.index()],
                what: What::BridgePower {
                    campus: number,
                    bridge: bridge as u32,
                },
            });
        }
        for (substation, (node, _)) in campus.substations.iter().enumerate() {
            workspace.events.push(Event {
                months: workspace.finish[node.index()],
                what: What::Energised {
                    campus: number,
                    substation: substation as u32,
                },
            });
        }
        for (building, chain) in campus.chains() {
            for (stage, (node, _)) in chain.stages.iter().enumerate() {
                workspace.events.push(Event {
                    months: workspace.finish[node.index()],
                    what: What::Modules {
                        campus: number,
                        building: building as u32,
                        stage: stage as u32,
                    },
                });
            }
        }
        for hall_position in campus.halls.clone() {
            let hall = &self.halls[hall_position];
            let ordered = workspace.finish[hall.ordered.index()];
            let delivery = order(&workspace.generations, hall, Order::At(ordered), drawn);
            workspace.halls.push(HallState {
                campus: position,
                delivery,
                pool: hall.pool,
                fit: hall.fit,
                is_retrofitted: false,
                design_kw: 0.0,
                density_kw: 0.0,
                cooling_kw: 0.0,
                delivery_kw: 0.0,
                space_kw: 0.0,
                given_kw: 0.0,
                handed_over: false,
                delivered: false,
                live: f64::INFINITY,
            });
            self.fit_out(workspace, hall_position);
        }
        if let Some(existing) = &campus.existing {
            workspace.pools[existing.pool].live.push(LivePart {
                hall: None,
                kw: existing.power_kw,
                racks_per_kw: existing.racks / existing.power_kw,
                pflops_per_kw: existing.pflops / existing.power_kw,
                available_share: 1.0,
            });
        }
    }

    /// Starts the phases whose conditions held in the months reported so far, and gives their
    /// dates to what waited for them.
    fn review_phases(
        &self,
        workspace: &mut Workspace,
        month: usize,
        drawn: &[f64],
        row: &TrialRow,
        next_event: usize,
    ) {
        let mut opened = false;
        for (number, gate) in self.gates.iter().enumerate() {
            if !workspace.plan.is_open(number) && gate.opens(row, month, &workspace.finish) {
                workspace.plan.open_gate(number, month as f64 + 1.0);
                opened = true;
            }
        }
        if !opened {
            return;
        }
        self.network
            .schedule_opened(drawn, &mut workspace.plan, &mut workspace.finish);
        for position in next_event..workspace.events.len() {
            let event = workspace.events[position];
            if event.months < f64::INFINITY {
                continue;
            }
            workspace.events[position].months = match event.what {
                What::GridStep { campus, step } => {
                    let part = &self.campuses[campus as usize].grid[step as usize];
                    workspace.finish[part.energised.index()] + part.delay
                }
                What::BridgePower { campus, bridge } => {
                    let node = self.campuses[campus as usize].bridges[bridge as usize].works;
                    workspace.finish[node.index()]
                }
                What::Energised { campus, substation } => {
                    let node = self.campuses[campus as usize].substations[substation as usize].0;
                    workspace.finish[node.index()]
                }
                What::Modules {
                    campus,
                    building,
                    stage,
                } => {
                    let building = &self.campuses[campus as usize].buildings[building as usize];
                    let chain = building.chain.as_ref();
                    chain.map_or(f64::INFINITY, |chain| {
                        workspace.finish[chain.stages[stage as usize].0.index()]
                    })
                }
                What::Delivered { hall } => {
                    let hall = hall as usize;
                    let plan = &self.halls[hall];
                    let ordered = Order::At(workspace.finish[plan.ordered.index()]);
                    let delivery = order(&workspace.generations, plan, ordered, drawn);
                    workspace.halls[hall].delivery = delivery;
                    self.fit_out(workspace, hall);
                    let state = &mut workspace.halls[hall];
                    let racks = state.racks();
                    let generations = &mut workspace.generations;
                    state.delivery.wait_for_supply(generations, racks);
                    state.delivery.arrives
                }
                What::HandedOver { hall } => {
                    workspace.finish[self.halls[hall as usize].handover.index()]
                }
                What::Retired { .. } | What::Refreshed { .. } => event.months,
            };
        }
        workspace.events[next_event..]
            .sort_unstable_by(|a, b| a.months.total_cmp(&b.months).then(a.what.cmp(&b.what)));
    }

    fn happen(&self, workspace: &mut Workspace, event: Event, drawn: &[f64]) {
        match event.what {
            What::GridStep { campus, step } => {
                let campus = campus as usize;
                let state = &mut workspace.campuses[campus];
                let plan = &self.campuses[campus];
                let part = &plan.grid[step as usize];
                let facility_kw = part.kw * part.granted_share.value(drawn);
                let before = state.supplied.limit_kw();
                state.supplied.grid_kw += facility_kw;
                let more = if plan.bridges.is_empty() {
                    facility_kw
                } else {
                    state.supplied.limit_kw() - before
                };
                state.headroom.add_grid(more / state.pue);
                self.share_out(workspace, campus, event.months, drawn);
            }
            What::BridgePower { campus, bridge } => {
                let campus = campus as usize;
                let state = &mut workspace.campuses[campus];
                let plan = &self.campuses[campus].bridges[bridge as usize];
                let before = state.supplied.limit_kw();
                if plan.permanent {
                    state.supplied.permanent_kw += plan.firm_kw;
                } else {
                    state.supplied.bridge_kw += plan.firm_kw;
                }
                state.bridge_carbon += plan.firm_kw * plan.carbon_g_per_kwh;
                state.bridge_price += plan.firm_kw * plan.price_per_mwh.value(drawn);
                // Where the grid is no limit, generation behind the meter adds nothing to it.
                if before.is_finite() {
                    let more = state.supplied.limit_kw() - before;
                    state.headroom.add_grid(more / state.pue);
                }
                self.share_out(workspace, campus, event.months, drawn);
            }
            What::Energised { campus, substation } => {
                let campus = campus as usize;
                let state = &mut workspace.campuses[campus];
                let facility_kw = self.campuses[campus].substations[substation as usize].1;
                state
                    .headroom
                    .add_substation(substation as usize, facility_kw / state.pue);
                self.share_out(workspace, campus, event.months, drawn);
            }
            What::Modules {
                campus,
                building,
                stage,
            } => {
                let (campus, building) = (campus as usize, building as usize);
                let state = &mut workspace.campuses[campus];
                let plan = &self.campuses[campus].buildings[building];
                let before = plan.carries_kw(state.modules[building]);
                if let Some(chain) = &plan.chain {
                    state.modules[building] += chain.stages[stage as usize].1;
                }
                let after = plan.carries_kw(state.modules[building]);
                state.headroom.add_building(building, after - before);
                self.share_out(workspace, campus, event.months, drawn);
            }
            What::Delivered { hall } => {
                let hall = hall as usize;
                let state = &mut workspace.halls[hall];
                state.delivered = true;
                let campus = state.campus;
                workspace.campuses[campus].is_stale = true;
                self.count_embodied(workspace, hall);
                self.note_if_live(workspace, hall, event.months, drawn);
            }
            What::HandedOver { hall } => {
                let hall = hall as usize;
                let state = &mut workspace.halls[hall];
                state.handed_over = true;
                let campus = state.campus;
                workspace.campuses[campus].order.push(hall);
                workspace.campuses[campus].embodied_t += self.halls[hall].embodied_t;
                self.share_out(workspace, campus, event.months, drawn);
            }
            What::Retired { hall } => self.retire(workspace, hall as usize, event.months, drawn),
            What::Refreshed { hall } => self.refresh(workspace, hall as usize, event.months, drawn),
        }
    }

    /// Gives what power is left to halls that lack it, in the order in which they were handed over.
    /// What a hall has been given it keeps.
    fn share_out(&self, workspace: &mut Workspace, campus: usize, months: f64, drawn: &[f64]) {
        workspace.campuses[campus].is_stale = true;
        for place in 0..workspace.campuses[campus].order.len() {
            let hall = workspace.campuses[campus].order[place];
            let state = &mut workspace.halls[hall];
            let lacking = state.space_kw - state.given_kw;
            if lacking <= 0.0 {
                continue;
            }
            let headroom = &mut workspace.campuses[campus].headroom;
            let given = headroom.give(self.halls[hall].feed, lacking);
            // All of the space exactly, not the space but for a rounding.
            state.given_kw = if given == lacking {
                state.space_kw
            } else {
                state.given_kw + given
            };
            self.note_if_live(workspace, hall, months, drawn);
        }
    }

    fn note_if_live(&self, workspace: &mut Workspace, hall: usize, months: f64, drawn: &[f64]) {
        let state = &mut workspace.halls[hall];
        if state.live == f64::INFINITY && state.deployable_kw() > 0.0 {
            state.live = months;
            self.put_into_pool(workspace, hall);
            self.plan_retirement(workspace, hall, months, drawn);
        }
    }

    fn put_into_pool(&self, workspace: &mut Workspace, hall: usize) {
        let state = &workspace.halls[hall];
        let delivery = &state.delivery;
        let mut available_share = self.halls[hall].available_share;
        let generation = delivery.generation.map(|chosen| &self.generations[chosen]);
        if let Some(reliability) = generation.and_then(|chosen| chosen.reliability) {
            available_share *= reliability.availability(state.racks());
        }
        workspace.pools[state.pool].live.push(LivePart {
            hall: Some(hall),
            kw: 0.0,
            racks_per_kw: 1.0 / delivery.rack_power_kw,
            pflops_per_kw: delivery.pflops_per_kw,
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
    fn retire(&self, workspace: &mut Workspace, hall: usize, months: f64, drawn: &[f64]) {
        let plan = &self.halls[hall];
        let mut downtime = plan.refresh.value(drawn);
        let state = &mut workspace.halls[hall];
        state.delivered = false;
        let campus = &mut workspace.campuses[state.campus];
        campus.is_stale = true;
        campus.replaced_t += self.hardware_embodied_t(state);
        for part in &mut workspace.pools[state.pool].live {
            if part.hall == Some(hall) {
                (part.hall, part.kw) = (None, 0.0);
            }
        }
        if let Some(retrofit) = plan.retrofit.as_ref().filter(|_| !state.is_retrofitted) {
            state.is_retrofitted = true;
            state.pool = retrofit.pool;
            state.fit = retrofit.fit;
            downtime = retrofit.downtime.value(drawn);
            campus.embodied_t += retrofit.embodied_t;
            if self.finance.is_some() {
                workspace.retrofits.push(RetrofitFact {
                    campus: state.campus,
                    begins: months,
                    price: retrofit.capex_per_kw.value(drawn) * retrofit.fit.design_kw(),
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
        state.delivery = delivery;
        let what = What::Refreshed { hall: hall as u32 };
        let months = months.max(delivery.arrives) + downtime;
        plan_event(&mut workspace.events, Event { months, what });
    }

    /// New hardware is in place: power is given back or asked for, as it takes less or more.
    fn refresh(&self, workspace: &mut Workspace, hall: usize, months: f64, drawn: &[f64]) {
        self.fit_out(workspace, hall);
        let state = &mut workspace.halls[hall];
        state.delivered = true;
        let campus = state.campus;
        let excess = state.given_kw - state.space_kw;
        if excess > 0.0 {
            state.given_kw = state.space_kw;
            let headroom = &mut workspace.campuses[campus].headroom;
            headroom.take_back(self.halls[hall].feed, excess);
        }
        self.count_embodied(workspace, hall);
        self.put_into_pool(workspace, hall);
        self.plan_retirement(workspace, hall, months, drawn);
        self.share_out(workspace, campus, months, drawn);
    }

    fn count_embodied(&self, workspace: &mut Workspace, hall: usize) {
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

    /// Where the supply of accelerators is limited, halls wait for their turn, the first order first.
    fn wait_for_supply(&self, workspace: &mut Workspace) {
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
    fn fit_out(&self, workspace: &mut Workspace, hall: usize) {
        let state = &mut workspace.halls[hall];
        let (fit, delivery) = (state.fit, state.delivery);
        let rack_kw = delivery.rack_power_kw;
        let filled = (racks_in(&fit, &delivery) * rack_kw).min(fit.power_kw);
        let cooled = filled.min(fit.cooling_kw);
        state.design_kw = (fit.positions.count * fit.positions.power_kw).min(fit.power_kw);
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
                power_kw: racks * rack_kw,
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

    /// Sums up what is there, where something has changed this month.
    fn take_stock(&self, workspace: &mut Workspace) {
        for (position, campus) in self.campuses.iter().enumerate() {
            if !std::mem::take(&mut workspace.campuses[position].is_stale) {
                continue;
            }
            let mut supply = Supply::default();
            for hall in &workspace.halls[campus.halls.clone()] {
                let racks_per_kw = 1.0 / hall.delivery.rack_power_kw;
                if hall.delivered {
                    supply.delivered_kw += hall.space_kw;
                }
                if !hall.handed_over {
                    continue;
                }
                let deployable = hall.deployable_kw();
                supply.space_kw += hall.space_kw;
                supply.design_kw += hall.design_kw;
                supply.density_kw += hall.density_kw;
                supply.cooling_kw += hall.cooling_kw;
                supply.delivery_kw += hall.delivery_kw;
                let per_position = hall.delivery.rack_power_kw / hall.delivery.positions;
                supply.by_density_kw[density_class(per_position)] += deployable;
                supply.powered_kw += hall.given_kw;
                supply.deployable_kw += deployable;
                supply.equipment_late_kw += hall.given_kw - deployable;
                supply.pflops += deployable * hall.delivery.pflops_per_kw;
                supply.racks_built += hall.space_kw * racks_per_kw;
                supply.racks_energised += hall.given_kw * racks_per_kw;
                supply.racks_deployable += deployable * racks_per_kw;
            }
            if let Some(existing) = &campus.existing {
                supply.space_kw += existing.power_kw;
                supply.design_kw += existing.power_kw;
                let per_rack = existing.power_kw / existing.racks;
                supply.by_density_kw[density_class(per_rack)] += existing.power_kw;
                supply.powered_kw += existing.power_kw;
                supply.deployable_kw += existing.power_kw;
                supply.delivered_kw += existing.power_kw;
                supply.pflops += existing.pflops;
                supply.racks_built += existing.racks;
                supply.racks_energised += existing.racks;
                supply.racks_deployable += existing.racks;
            }
            supply.redundancy_kw = self.waiting_for_redundancy_kw(workspace, position, campus);
            supply.unused_power_kw = workspace.campuses[position].headroom.unused_kw();
            workspace.campuses[position].supply = supply;
            for pool in campus.pools.clone() {
                let mut room = 0.0;
                for part in &mut workspace.pools[pool].live {
                    if let Some(hall) = part.hall {
                        part.kw = workspace.halls[hall].deployable_kw();
                    }
                    room += part.kw;
                }
                workspace.room_kw[pool] = room;
            }
        }
    }

    /// Sums up what has been started by the end of a month, where commitments are reported.
    fn note_starts(&self, workspace: &mut Workspace, until: f64) {
        if !self.reports_commitments {
            return;
        }
        for (campus, state) in self.campuses.iter().zip(&mut workspace.campuses) {
            state.started_kw = (campus.existing.as_ref()).map_or(0.0, |existing| existing.power_kw);
            state.latest_kw = state.started_kw;
            let mut latest = f64::NEG_INFINITY;
            for hall in &self.halls[campus.halls.clone()] {
                let starts = workspace.finish[hall.started.index()];
                if starts > until {
                    continue;
                }
                let hall_kw = hall.fit.design_kw();
                state.started_kw += hall_kw;
                if starts > latest {
                    (latest, state.latest_kw) = (starts, hall_kw);
                } else if starts == latest {
                    state.latest_kw += hall_kw;
                }
            }
        }
    }

    /// Notes what segments use, where money is counted.
    fn note_sales(&self, workspace: &mut Workspace, month: usize, drawn: &[f64]) {
        let Some(finance) = &self.finance else {
            return;
        };
        for segment in 0..self.market.len() {
            let age_discount = finance.age_discount(segment, drawn);
            for (campus, compiled) in self.campuses.iter().enumerate() {
                let (mut served_kw, mut pflops) = (0.0, 0.0);
                for pool in compiled.pools.clone() {
                    let served = self.market.served_kw(&workspace.market, segment, pool);
                    served_kw += served;
                    let in_service = self.market.in_service_kw(&workspace.market, pool);
                    if let Some(discount) = age_discount
                        && served > 0.0
                    {
                        let live = &workspace.pools[pool].live;
                        let keeps = libm::log1p(-discount);
                        let price = |part: &LivePart| match part.hall {
                            Some(hall) if discount > 0.0 => {
                                let hall = &workspace.halls[hall];
                                let since = hall.live.max(hall.delivery.arrives);
                                let age = month as f64 + 1.0 - since;
                                libm::exp(keeps * age / 12.0)
                            }
                            _ => 1.0,
                        };
                        pflops += served / in_service * occupied_pflops(live, in_service, price);
                    }
                }
                let available = pflops * workspace.campuses[campus].availability;
                let books = &mut workspace.books;
                finance.note_sale(books, segment, campus, month, served_kw, available);
            }
        }
    }

    fn close_books(&self, workspace: &mut Workspace, drawn: &[f64], row: &mut TrialRow) {
        let Some(finance) = &self.finance else {
            return;
        };
        let happened = Happened {
            drawn,
            finish: &workspace.finish,
            hall: &|hall| HallFacts {
                design_kw: self.halls[hall].fit.design_kw(),
                positions: self.halls[hall].fit.positions.count,
            },
            deliveries: &workspace.deliveries,
            retrofits: &workspace.retrofits,
            market: &self.market,
            state: &workspace.market,
        };
        finance.close(&mut workspace.books, &happened, row);
    }

    /// Of what the halls of a campus lack, what modules that are installed would give them were
    /// the redundancy of their building complete. Counted where the building's own chain is what
    /// limits it.
    fn waiting_for_redundancy_kw(
        &self,
        workspace: &mut Workspace,
        position: usize,
        campus: &CompiledCampus,
    ) -> f64 {
        if campus.chains().next().is_none() {
            return 0.0;
        }
        let state = &mut workspace.campuses[position];
        state.lacking_kw.clear();
        state.lacking_kw.resize(campus.buildings.len(), 0.0);
        for hall in campus.halls.clone() {
            let building = self.halls[hall].feed.building;
            let hall = &workspace.halls[hall];
            if hall.handed_over {
                state.lacking_kw[building] += hall.space_kw - hall.given_kw;
            }
        }
        campus
            .chains()
            .filter(|(building, _)| state.headroom.is_building_full(*building))
            .map(|(building, chain)| {
                let waiting = chain
                    .chain
                    .waiting_for_redundancy_kw(state.modules[building]);
                waiting.min(state.lacking_kw[building])
            })
            .sum()
    }

    fn report_month(
        &self,
        workspace: &mut Workspace,
        month: usize,
        drawn: &[f64],
        row: &mut TrialRow,
    ) {
        let mut total = Tally::default();
        for (position, campus) in self.campuses.iter().enumerate() {
            let mut tally = self.tally_campus(workspace, position, campus);
            settle_power(
                &mut workspace.campuses[position],
                campus,
                month,
                drawn,
                &mut tally,
            );
            total.include(&tally);
            if self.campuses.len() > 1 {
                let cause = tally.close();
                self.write(&tally, position + 1, month, cause, row);
            }
        }
        let cause = total.close();
        self.write(&total, 0, month, cause, row);
    }

    fn write(&self, tally: &Tally, scope: usize, month: usize, cause: Cause, row: &mut TrialRow) {
        for (position, &metric) in self.reported.iter().enumerate() {
            row.set(scope, position, month, tally.get(metric));
        }
        row.set_binding(scope, month, Some(cause as usize));
    }

    fn tally_campus(
        &self,
        workspace: &Workspace,
        position: usize,
        campus: &CompiledCampus,
    ) -> Tally {
        let mut tally = Tally::default();
        let state = &workspace.campuses[position];
        let supply = &state.supply;
        let mw = |kw: f64| kw / KW_PER_MW;
        tally.add(MetricId::RacksBuilt, supply.racks_built);
        tally.add(MetricId::RacksEnergised, supply.racks_energised);
        tally.add(MetricId::RacksDeployable, supply.racks_deployable);
        tally.add(
            MetricId::StandardRacks,
            supply.deployable_kw / self.standard_rack_kw,
        );
        tally.add(MetricId::ItPower, mw(supply.deployable_kw));
        tally.add(
            MetricId::FacilityPower,
            mw(supply.deployable_kw * state.pue),
        );
        tally.add(MetricId::InstalledPflops, supply.pflops);
        tally.add(
            MetricId::StrandedSpace,
            mw((supply.space_kw - supply.powered_kw - supply.redundancy_kw).max(0.0)),
        );
        tally.add(MetricId::StrandedRedundancy, mw(supply.redundancy_kw));
        tally.add(MetricId::BuiltPower, mw(supply.design_kw));
        tally.add(MetricId::StrandedDensity, mw(supply.density_kw));
        tally.add(MetricId::StrandedCooling, mw(supply.cooling_kw));
        tally.add(MetricId::StrandedDelivery, mw(supply.delivery_kw));
        tally.add(MetricId::EmbodiedCarbon, state.embodied_t);
        tally.add(MetricId::EmbodiedCarbonReplaced, state.replaced_t);
        for (metric, kw) in DENSITY_CLASSES.into_iter().zip(supply.by_density_kw) {
            tally.add(metric, mw(kw));
        }
        tally.add(MetricId::StrandedPower, mw(supply.unused_power_kw));
        tally.add(MetricId::StrandedEquipment, mw(supply.equipment_late_kw));
        for pool in campus.pools.clone() {
            let room = workspace.room_kw[pool];
            let mut in_service = self.market.in_service_kw(&workspace.market, pool);
            if in_service <= 0.0 && room <= 0.0 {
                continue;
            }
            let mut draw = self.market.drawn_kw(&workspace.market, pool);
            let mut useful = self.market.useful_kw(&workspace.market, pool);
            // While hardware is replaced tenants keep their leases but are out of service.
            if in_service > room {
                let left = room / in_service;
                (in_service, draw, useful) = (room, draw * left, useful * left);
            }
            let leased = self.market.leased_kw(&workspace.market, pool);
            let (racks, pflops, available) = occupy(&workspace.pools[pool].live, in_service);
            let useful_share = if in_service > 0.0 {
                useful / in_service
            } else {
                0.0
            };
            tally.add(MetricId::RacksInService, racks);
            tally.add(MetricId::InServicePower, mw(in_service));
            tally.add(MetricId::LeasedPower, mw(leased));
            tally.add(MetricId::CommittedPower, mw(leased));
            tally.add(MetricId::ItDraw, mw(draw));
            tally.add(MetricId::FacilityDraw, mw(draw * state.pue));
            tally.add(MetricId::InServicePflops, pflops);
            tally.add(
                MetricId::EffectivePflops,
                available * state.availability * useful_share,
            );
            tally.add(
                MetricId::UnavailableCompute,
                (pflops - available * state.availability) * useful_share,
            );
        }
        for segment in self.market.segments(&workspace.market) {
            if segment.home != position {
                continue;
            }
            let counts = segment.counts;
            tally.add(MetricId::CompaniesContacted, counts.contacted as f64);
            tally.add(MetricId::ContractsSigned, counts.signed as f64);
            tally.add(MetricId::Subsidiaries, counts.subsidiaries as f64);
            tally.add(MetricId::ContractsInService, counts.in_service as f64);
            tally.add(MetricId::ContractsLost, counts.lost as f64);
            tally.add(MetricId::WaitingDemand, mw(segment.waiting_kw));
            tally.add(
                MetricId::CommittedPower,
                mw(segment.waiting_kw + segment.pending_kw),
            );
        }
        let (space, powered) = (supply.space_kw, supply.powered_kw);
        tally.relief_kw = [
            supply.unused_power_kw,
            self.relief_by_power(workspace, campus),
            supply.equipment_late_kw,
        ];
        tally.started_kw = state.started_kw;
        tally.latest_kw = state.latest_kw;
        tally.level_kw = [space, powered + supply.unused_power_kw, supply.delivered_kw];
        tally
    }

    /// What would be deployable if all built halls had power, beyond what is.
    fn relief_by_power(&self, workspace: &Workspace, campus: &CompiledCampus) -> f64 {
        workspace.halls[campus.halls.clone()]
            .iter()
            .filter(|hall| hall.handed_over && hall.delivered)
            .map(|hall| hall.space_kw - hall.given_kw)
            .sum()
    }

    fn report_moments(&self, workspace: &Workspace, row: &mut TrialRow) {
        let horizon = self.months as f64;
        for (position, milestone) in self.milestones.iter().enumerate() {
            let finished = milestone
                .finished
                .iter()
                .map(|node| workspace.finish[node.index()])
                .fold(f64::NEG_INFINITY, f64::max);
            let live = milestone
                .live
                .iter()
                .map(|halls| {
                    workspace.halls[halls.clone()]
                        .iter()
                        .map(|hall| hall.live)
                        .fold(f64::INFINITY, f64::min)
                })
                .fold(f64::NEG_INFINITY, f64::max);
            let months = finished.max(live);
            row.milestones_mut()[position] = if months <= horizon {
                months
            } else {
                f64::INFINITY
            };
        }
        for (position, target) in self.targets.iter().enumerate() {
            let met = is_met(target, row);
            row.targets_mut()[position] = met;
        }
    }
}

/// Whether a trial meets a target.
fn is_met(target: &CompiledTarget, row: &TrialRow) -> bool {
    match *target {
        CompiledTarget::Metric {
            scope,
            metric,
            at_least,
            month,
        } => row.monthly(scope, metric)[month] >= at_least,
        CompiledTarget::Milestone {
            milestone,
            by_months,
        } => row.milestones()[milestone] <= by_months,
        CompiledTarget::Joint(ref both) => both.iter().all(|part| is_met(part, row)),
    }
}

/// Racks, PFLOPS and available PFLOPS of `kw` in service, filled in the order of going live.
fn occupy(live: &[LivePart], kw: f64) -> (f64, f64, f64) {
    let (mut racks, mut pflops, mut available, mut left) = (0.0, 0.0, 0.0, kw);
    for part in live {
        if left <= 0.0 {
            break;
        }
        let used = part.kw.min(left);
        racks += used * part.racks_per_kw;
        let compute = used * part.pflops_per_kw;
        pflops += compute;
        available += compute * part.available_share;
        left -= used;
    }
    (racks, pflops, available)
}

/// Available PFLOPS of `kw` in service, filled in the order of going live, each part times its weight.
fn occupied_pflops(live: &[LivePart], kw: f64, weight: impl Fn(&LivePart) -> f64) -> f64 {
    let (mut pflops, mut left) = (0.0, kw);
    for part in live {
        if left <= 0.0 {
            break;
        }
        let used = part.kw.min(left);
        pflops += used * part.pflops_per_kw * part.available_share * weight(part);
        left -= used;
    }
    pflops
}

/// What of the month's power the facility takes beside its IT, what of it is curtailed, and
/// where its energy comes from.
fn settle_power(
    state: &mut CampusState,
    campus: &CompiledCampus,
    month: usize,
    drawn: &[f64],
    tally: &mut Tally,
) {
    if let Some(efficiency) = &campus.efficiency {
        let heat = efficiency.mechanical_share(month);
        let it_draw = tally.get(MetricId::ItDraw);
        let facility = state
            .losses
            .facility(it_draw, tally.get(MetricId::ItPower), heat);
        tally.values[MetricId::FacilityDraw as usize] = facility.total();
        tally.add(MetricId::ElectricalLosses, facility.electrical_losses);
        tally.add(MetricId::CoolingPower, facility.cooling);
        let it_kwh = it_draw * KW_PER_MW * HOURS_PER_MONTH;
        let litres = it_kwh * heat * state.water_litres_per_kwh;
        tally.add(MetricId::WaterUse, litres / LITRES_PER_M3);
    }
    let draw_mw = tally.get(MetricId::FacilityDraw);
    let mut supplied = state.supplied;
    // What existed at the start has power of its own beside the grid steps.
    let own_kw = campus
        .existing
        .as_ref()
        .map_or(0.0, |own| own.power_kw * state.pue);
    supplied.grid_kw += own_kw;
    let mut served_mw = draw_mw;
    if campus.curtailment.is_some() {
        let (share_of_year, depth) = state.curtailed;
        let lost = share_of_year * supplied.unserved_share(draw_mw * KW_PER_MW, depth);
        served_mw *= 1.0 - lost;
        tally.values[MetricId::EffectivePflops as usize] *= 1.0 - lost;
        tally.add(MetricId::CurtailedEnergy, draw_mw * lost * HOURS_PER_MONTH);
    }
    let Some(energy) = &campus.energy else {
        return;
    };
    let generation_kw = supplied.bridge_kw + supplied.permanent_kw;
    let of_bridge = |sum: f64| {
        if generation_kw > 0.0 {
            sum / generation_kw
        } else {
            0.0
        }
    };
    // The import serves first; where there is no generation to serve the rest, it serves all.
    let grid_mw = if generation_kw > 0.0 {
        supplied.grid_kw / KW_PER_MW
    } else {
        f64::INFINITY
    };
    let use_of = MonthOfUse {
        month,
        served_mw,
        grid_mw,
        bridge_carbon_g_per_kwh: of_bridge(state.bridge_carbon),
        bridge_price_per_mwh: of_bridge(state.bridge_price),
        hours: HOURS_PER_MONTH,
    };
    let settled = energy.settle(&mut state.energy, &use_of, drawn);
    for (metric, value) in [
        (MetricId::FacilityEnergy, settled.facility_mwh),
        (MetricId::GridEnergy, settled.grid_mwh),
        (MetricId::BridgeEnergy, settled.bridge_mwh),
        (MetricId::OnSiteEnergy, settled.on_site_mwh),
        (MetricId::EnergyCost, settled.cost),
        (MetricId::LocationCarbon, settled.location_t),
        (MetricId::MarketCarbon, settled.market_t),
    ] {
        tally.add(metric, value);
    }
    tally.renewable_year_mwh += settled.renewable_year_mwh;
    tally.facility_year_mwh += settled.facility_year_mwh;
    tally.matched_mwh += settled.matched_mwh;
}
