//! One future: the month loop that ties construction, power, equipment and tenants together.
//!
//! Events inside a month have real-valued times; the state is reported at the end of the
//! month. An event at time t (in months) counts from the month m on for which t <= m + 1.

use crate::compute::DrawnGeneration;
use crate::finance::books::{Books, DeliveryFact, RetrofitFact};
use crate::model::Model;
use crate::projection::TrialRow;
use crate::sampling::design::{Noise, Sampling};
use crate::schedule::plan::Plan;
use crate::tenants::market::MarketState;

mod begin;
mod binding;
mod energy;
mod equipment;
mod live;
mod log;
mod power;
mod report;
mod shortage;
mod state;
mod stock;
mod tenants;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod written;

use binding::{SupplyTally, Tally};
use equipment::Placed;
pub(crate) use live::LiveDate;
pub use log::{EventKind, LogEntry, Replay};
use state::{CampusState, HallState, PoolState};
use tenants::PoolSales;
use timeline::Event;
use written::Written;

const KW_PER_MW: f64 = 1_000.0;

/// The buffers of a worker, reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    drawn: Vec<f64>,
    plan: Plan,
    finish: Vec<f64>,
    events: Vec<Event>,
    halls: Vec<HallState>,
    /// By hall: whether it has changed since stock was taken.
    changed: Vec<bool>,
    campuses: Vec<CampusState>,
    pools: Vec<PoolState>,
    generations: Vec<DrawnGeneration>,
    /// Orders of limited supply: when, and for which hall.
    orders: Vec<(f64, usize)>,
    /// What stands in delivery trees.
    placed: Vec<Placed>,
    room_kw: Vec<f64>,
    /// What the supply of all campuses comes to, where there are several.
    supply_tally: SupplyTally,
    /// The figures of a campus in a month, and of all; taken out while they are computed.
    tallies: Option<Box<[Tally; 2]>>,
    written: Written,
    market: MarketState,
    books: Books,
    /// By pool: what tenants use of it in a month, where money is counted.
    sales: Vec<PoolSales>,
    /// Hardware that was delivered, where money is counted.
    deliveries: Vec<DeliveryFact>,
    retrofits: Vec<RetrofitFact>,
}

impl Workspace {
    /// The plan and the finishes of the trial that was simulated last.
    pub(crate) fn schedule(&self) -> (&Plan, &[f64]) {
        (&self.plan, &self.finish)
    }
}

impl Model {
    /// Simulates trial `trial` of independent trials of `seed`: [`Self::simulate_by`] for
    /// [`Design::Random`](crate::sampling::design::Design::Random).
    pub fn simulate(&self, seed: u64, trial: u64, workspace: &mut Workspace, row: &mut TrialRow) {
        self.simulate_by(&Sampling::random(seed), trial, workspace, row);
    }

    /// Simulates trial `trial` of a sampling design and writes its results to `row`, which must
    /// be of this model's layout. The same arguments always give the same row.
    ///
    /// `sampling` must have been made by [`Model::sampling`] of this model.
    // By its name `.ci/instructions` finds what a trial takes.
    #[inline(never)]
    pub fn simulate_by(
        &self,
        sampling: &Sampling,
        trial: u64,
        workspace: &mut Workspace,
        row: &mut TrialRow,
    ) {
        let mut drawn = std::mem::take(&mut workspace.drawn);
        let noise = self.draw(sampling, trial, &mut drawn);
        self.simulate_inputs(&drawn, noise, workspace, row);
        row.set_trial(trial);
        workspace.drawn = drawn;
    }

    /// Simulates one trial with these inputs and this process noise, and writes its results to `row`, which must be of
    /// this model's layout. `inputs` are values in their own units, in the order of [`Model::input_names`], such as
    /// [`Model::input_values`] makes them. The same arguments always give the same row.
    pub fn simulate_inputs(
        &self,
        inputs: &[f64],
        noise: Noise,
        workspace: &mut Workspace,
        row: &mut TrialRow,
    ) {
        let Noise { seed, trial } = noise;
        row.set_trial(trial);
        // Models of one's own may look at months to come, which are empty.
        row.clear_from(self.own.as_ref().map_or(self.reported.len(), |_| 0));
        workspace.written.set(self, row);
        workspace.market.wanted = workspace.written.wanted;
        self.begin(workspace, seed, trial, inputs);
        let mut next_event = 0;
        for month in 0..self.months {
            let until = month as f64 + 1.0;
            while let Some(event) = workspace.events.get(next_event).copied() {
                if event.months > until {
                    break;
                }
                self.apply(workspace, event, inputs);
                next_event += 1;
            }
            self.take_stock(workspace, inputs);
            self.note_starts(workspace, until);
            if let Some(own) = &self.own {
                own.sign(seed, trial, month, row, |segment, contract| {
                    let market = &mut workspace.market;
                    self.market.sign_own(market, segment, month, contract);
                });
            }
            self.market
                .pass_month(&mut workspace.market, month, &workspace.room_kw);
            self.report_month(workspace, month, inputs, row);
            if self.market.reports_more() {
                self.market.report(&mut workspace.market, month, row);
            }
            self.note_sales(workspace, month, inputs);
            if !self.gates.is_empty() {
                self.review_phases(workspace, month, inputs, row, next_event, |gate| {
                    (self.own.as_ref()).is_none_or(|own| own.allows(gate, seed, trial, month, row))
                });
            }
        }
        self.market.write_outcomes(&workspace.market, row);
        self.close_books(workspace, inputs, row);
        self.report_moments(workspace, row);
        if let Some(own) = &self.own {
            own.report(row);
        }
    }
}
