//! Who gets a crew first: the order in which activities are planned.
//!
//! A rule ranks activities by the critical path of the planned durations (the medians), without
//! regard to crews. [`CrewPriority::Search`] looks for a better order before the first trial: it
//! takes the order by each rule and a number of random variations of the first, improves every one
//! by forward-backward passes, and keeps the order in which the plan is over first.
//!
//! A forward-backward pass (double justification: Valls, Ballestín & Quintanilla, "Justification and
//! RCPSP: a technique that pays", EJOR 165, 2005) plans the network from its end, what finished last
//! first, and then again from its beginning, in the order in which things start in that plan.
//! Variations add up to a tenth of the plan's length to each late finish (after the biased random
//! sampling of Kolisch & Drexl, "Adaptive search for solving hard project scheduling problems",
//! Naval Research Logistics 43, 1996).

use serde::{Deserialize, Serialize};

use super::cpm::CriticalPath;
use super::crews::{CrewSupply, units_of};
use super::network::{LinkKind, Network, NetworkBuilder, NodeId};
use super::order::sort;
use super::plan::Plan;
use crate::sampling::inputs::Quantity;
use crate::sampling::streams::{Source, Stream};

/// By what rule crews are given out. The order is found once, from the medians, and is the same in
/// every trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CrewPriority {
    /// What has to finish first.
    #[default]
    LateFinish,
    /// What has to start first.
    LateStart,
    /// What has the least total float.
    LeastFloat,
    /// What has the most work in it and in what waits for it directly (greatest rank positional weight).
    MostWork,
    /// The best of these and of many variations of them, by the length of the plan.
    Search,
}

const RULES: [CrewPriority; 4] = [
    CrewPriority::LateFinish,
    CrewPriority::LateStart,
    CrewPriority::LeastFloat,
    CrewPriority::MostWork,
];
/// Variations of the first rule: so many, but fewer in large networks.
const MOST_VARIATIONS: usize = 400;
/// Activities that are planned for all variations together.
const ACTIVITIES_PLANNED: usize = 20_000;
/// By what share of the plan's length a variation moves a late finish at most.
const VARIATION_SHARE: f64 = 0.1;
/// Forward-backward passes for each order.
const MOST_PASSES: usize = 4;

impl Network {
    /// Puts the nodes in the order in which they get their crews.
    pub(super) fn give_out_crews(&mut self, priority: CrewPriority, planned: &[f64]) {
        let path = self.critical_path(planned, None);
        if priority != CrewPriority::Search {
            let rank = self.rank(priority, &path, planned);
            if let Ok(order) = sort(&self.nodes, &rank) {
                self.put_in_order(&order);
            }
            return;
        }
        let mut search = Search::new(self, planned);
        for rule in RULES {
            let rank = search.network.rank(rule, &path, planned);
            search.improve(&rank);
        }
        let variations = MOST_VARIATIONS.min(ACTIVITIES_PLANNED / search.network.len().max(1));
        let source = Source::named("crew priority");
        for variation in 0..variations {
            let mut stream = source.stream(0, variation as u64);
            search.vary(&path, &mut stream);
        }
        let best = std::mem::take(&mut search.best);
        self.put_in_order(&best);
    }

    /// Lower ranks go first.
    fn rank(&self, priority: CrewPriority, path: &CriticalPath, planned: &[f64]) -> Vec<f64> {
        let by = |of: &dyn Fn(NodeId) -> f64| self.nodes().map(of).collect();
        match priority {
            CrewPriority::LateStart => by(&|node| path.late_start(node)),
            CrewPriority::LeastFloat => by(&|node| path.total_float(node)),
            CrewPriority::MostWork => {
                let durations = self.durations(planned);
                let mut weight = durations.clone();
                for (node, duration) in self.nodes.iter().zip(&durations) {
                    for link in &node.links {
                        weight[link.predecessor.index()] += duration;
                    }
                }
                weight.iter().map(|weight| -weight).collect()
            }
            CrewPriority::LateFinish | CrewPriority::Search => path.late_finishes().to_vec(),
        }
    }
}

/// Looks for an order in which the plan is over early.
struct Search<'a> {
    network: Network,
    /// The same from its end: all dependencies turned round, time running backwards.
    reversed: Network,
    planned: &'a [f64],
    best: Vec<NodeId>,
    least: f64,
    plan: Plan,
    finish: Vec<f64>,
}

impl<'a> Search<'a> {
    fn new(network: &Network, planned: &'a [f64]) -> Self {
        Self {
            reversed: network.reversed(planned),
            network: network.clone(),
            planned,
            best: network.steps.iter().map(|step| step.node).collect(),
            least: f64::INFINITY,
            plan: Plan::default(),
            finish: Vec::new(),
        }
    }

    /// Plans by a rank, and again and again from the end and from the beginning while that helps.
    fn improve(&mut self, rank: &[f64]) {
        let mut end = self.forward(rank);
        for _ in 0..MOST_PASSES {
            if !end.is_finite() {
                return;
            }
            // What finished last goes first from the end.
            let from_end: Vec<f64> = self.finish.iter().map(|finish| -finish).collect();
            let Ok(order) = sort(&self.reversed.nodes, &from_end) else {
                return;
            };
            self.reversed.put_in_order(&order);
            (self.reversed).schedule(&[], &mut self.plan, &mut self.finish);
            // Its finish from the end is its start from the beginning.
            let starts: Vec<f64> = self.finish.iter().map(|finish| -finish).collect();
            let before = end;
            end = self.forward(&starts);
            if end >= before {
                return;
            }
        }
    }

    fn vary(&mut self, path: &CriticalPath, stream: &mut Stream) {
        let most = VARIATION_SHARE * path.finish().abs();
        let late = path.late_finishes().iter();
        let rank: Vec<f64> = late.map(|late| late + most * stream.uniform()).collect();
        self.improve(&rank);
    }

    /// Plans in the order of a rank, keeps the order if it is the best, and returns the plan's end.
    fn forward(&mut self, rank: &[f64]) -> f64 {
        let Ok(order) = sort(&self.network.nodes, rank) else {
            return f64::INFINITY;
        };
        self.network.put_in_order(&order);
        self.plan.open_all_gates(&self.network);
        (self.network).schedule(self.planned, &mut self.plan, &mut self.finish);
        let end = self
            .finish
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        if end < self.least {
            (self.least, self.best) = (end, order);
        }
        end
    }
}

impl Network {
    /// The plan's network from its end, as the search needs it: durations as planned, dependencies
    /// turned round, crews as many as there are in the end. Calendars and dates are left out.
    fn reversed(&self, planned: &[f64]) -> Self {
        let mut builder = NetworkBuilder::default();
        for supply in &self.crews {
            builder.add_crew(CrewSupply::new(supply.last(), []));
        }
        for (node, duration) in self.nodes.iter().zip(self.durations(planned)) {
            builder.add(
                node.name.clone(),
                Quantity::Fixed(duration),
                f64::NEG_INFINITY,
            );
        }
        for (id, node) in self.nodes().zip(&self.nodes) {
            for link in &node.links {
                let kind = match link.kind {
                    LinkKind::StartToStart => LinkKind::FinishToFinish,
                    LinkKind::FinishToFinish => LinkKind::StartToStart,
                    same => same,
                };
                let lag = Quantity::Fixed(link.lag.value(planned));
                builder.link(link.predecessor, id, kind, lag);
            }
            let most = |crew: usize| self.crews[crew].last();
            for &(crew, units) in &node.crews {
                builder.needs_crew(id, crew, units_of(units).min(most(crew.0 as usize)));
            }
        }
        builder.unsorted()
    }
}

#[cfg(test)]
mod tests {
    mod bounds;
}
