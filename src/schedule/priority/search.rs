//! The search for an order of activities in which the plan is over early.
//!
//! A genetic algorithm over orders, with forward-backward improvement (Valls, Ballestín &
//! Quintanilla, "A hybrid genetic algorithm for the resource-constrained project scheduling
//! problem", EJOR 185, 2008). The first candidates are the orders by each rule, and variations of the
//! order by late finish that add up to the plan's length to each late finish (after the
//! biased random sampling of Kolisch & Drexl, "Adaptive search for solving hard project scheduling
//! problems", Naval Research Logistics 43, 1996). In each generation pairs of candidates give two
//! children each: one parent's order up to a place, the other's up to a second, and the first one's
//! again (two-point crossover of Hartmann, "A competitive genetic algorithm for resource-constrained
//! project scheduling", Naval Research Logistics 45, 1998), with some neighbours exchanged. The best of
//! parents and children live on, each plan once: without that, and with variations of a tenth of the
//! plan's length, the candidates soon are all alike.
//!
//! A forward-backward pass (double justification: Valls, Ballestín & Quintanilla, "Justification and
//! RCPSP: a technique that pays", EJOR 165, 2005) plans the network from its end, what finished last
//! first, and then again from its beginning, in the order in which things start in that plan.
//!
//! The search stops when it has made this many schedules, or when the plan is as short as its critical
//! path. It is the same for the same network, whatever the seed of the trials.

use super::RULES;
use crate::sampling::inputs::Quantity;
use crate::sampling::streams::{Source, Stream};
use crate::schedule::cpm::CriticalPath;
use crate::schedule::crews::{CrewSupply, units_of};
use crate::schedule::network::{LinkKind, Network, NetworkBuilder, NodeId};
use crate::schedule::order::sort;
use crate::schedule::plan::Plan;

/// Schedules that are made unless the scenario says otherwise.
const SCHEDULES: usize = 5_000;
/// Activities that are planned in all schedules together unless the scenario says otherwise.
const ACTIVITIES_PLANNED: usize = 1_000_000;
/// Schedules that are made of the largest network, unless the scenario says otherwise.
const FEWEST_SCHEDULES: usize = 50;
/// Candidates of a generation: at most this many, and fewer if there would be fewer than
/// [`GENERATIONS`] of them.
const MOST_CANDIDATES: usize = 120;
const FEWEST_CANDIDATES: usize = 6;
const GENERATIONS: usize = 10;
/// Schedules made for a candidate: forward, backward, forward.
const SCHEDULES_A_CANDIDATE: usize = 3;
/// The probability that two neighbours in the order are exchanged.
const EXCHANGE: f64 = 0.05;

/// How many schedules a search makes by default, of a network of this many activities.
fn usual_schedules(activities: usize) -> usize {
    SCHEDULES.min((ACTIVITIES_PLANNED / activities.max(1)).max(FEWEST_SCHEDULES))
}

/// The order in which the plan is over first, of those that were tried.
pub(super) fn best_order(
    network: &Network,
    path: &CriticalPath,
    planned: &[f64],
    schedules: Option<u32>,
) -> Vec<NodeId> {
    let schedules = match schedules {
        Some(schedules) => schedules as usize,
        None => usual_schedules(network.len()),
    };
    let mut search = Search::new(network, path, planned, schedules);
    let mut generation = search.first_generation();
    let mut stream = Source::named("crew priority").stream(0, 0);
    while !search.is_over() && generation.len() > 1 {
        generation = search.next_generation(generation, &mut stream);
    }
    search.best.order
}

/// An order that was tried, and its plan.
#[derive(Clone)]
struct Candidate {
    order: Vec<NodeId>,
    /// When each activity finishes.
    finish: Vec<f64>,
    /// When all have.
    end: f64,
}

struct Search<'a> {
    network: Network,
    /// The same from its end: all dependencies turned round, time running backwards.
    reversed: Network,
    path: &'a CriticalPath,
    planned: &'a [f64],
    best: Candidate,
    made: usize,
    most: usize,
    plan: Plan,
    finish: Vec<f64>,
    rank: Vec<f64>,
}

impl<'a> Search<'a> {
    fn new(network: &Network, path: &'a CriticalPath, planned: &'a [f64], most: usize) -> Self {
        Self {
            reversed: network.reversed(planned),
            network: network.clone(),
            path,
            planned,
            best: Candidate {
                order: network.steps.iter().map(|step| step.node).collect(),
                finish: Vec::new(),
                end: f64::INFINITY,
            },
            made: 0,
            most,
            plan: Plan::default(),
            finish: Vec::new(),
            rank: Vec::new(),
        }
    }

    fn is_over(&self) -> bool {
        self.made >= self.most || self.best.end <= self.path.finish()
    }

    fn first_generation(&mut self) -> Vec<Candidate> {
        let size = (self.most / (SCHEDULES_A_CANDIDATE * GENERATIONS))
            .clamp(FEWEST_CANDIDATES, MOST_CANDIDATES);
        let mut generation = Vec::with_capacity(2 * size);
        for rule in RULES {
            let rank = self.network.rank(rule, self.path, self.planned);
            generation.extend(self.improve(&rank));
        }
        let source = Source::named("crew priority");
        let most = self.path.finish().abs();
        for variation in 0..size.saturating_sub(RULES.len()) as u64 {
            if self.is_over() {
                break;
            }
            let mut stream = source.stream(0, 1 + variation);
            let late = self.path.late_finishes().iter();
            let rank: Vec<f64> = late.map(|late| late + most * stream.uniform()).collect();
            generation.extend(self.improve(&rank));
        }
        generation
    }

    /// The best of a generation and of the children of its pairs.
    fn next_generation(&mut self, parents: Vec<Candidate>, stream: &mut Stream) -> Vec<Candidate> {
        let size = parents.len();
        let mut mates: Vec<(f64, usize)> = (0..size).map(|at| (stream.uniform(), at)).collect();
        mates.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut all = parents;
        for pair in mates.chunks_exact(2) {
            for (one, other) in [(pair[0].1, pair[1].1), (pair[1].1, pair[0].1)] {
                if self.is_over() {
                    break;
                }
                let child = cross(&all[one].order, &all[other].order, stream);
                let rank = self.rank_of(&child, stream);
                all.extend(self.improve(&rank));
            }
        }
        all.sort_by(|a, b| a.end.total_cmp(&b.end));
        let mut best: Vec<Candidate> = Vec::with_capacity(all.len());
        for candidate in all {
            let mut equal = best
                .iter()
                .rev()
                .take_while(|kept| kept.end == candidate.end);
            if best.len() < size && equal.all(|kept| kept.finish != candidate.finish) {
                best.push(candidate);
            }
        }
        best
    }

    /// The place of each node in an order, some neighbours exchanged.
    fn rank_of(&mut self, order: &[NodeId], stream: &mut Stream) -> Vec<f64> {
        let mut rank = std::mem::take(&mut self.rank);
        rank.resize(order.len(), 0.0);
        for (place, node) in order.iter().enumerate() {
            rank[node.index()] = place as f64;
        }
        for pair in order.windows(2) {
            if stream.uniform() < EXCHANGE {
                rank.swap(pair[0].index(), pair[1].index());
            }
        }
        rank
    }

    /// Plans by a rank, and once more from the end and from the beginning.
    fn improve(&mut self, rank: &[f64]) -> Option<Candidate> {
        let mut found = self.forward(rank)?;
        if !self.is_over() {
            // What finished last goes first from the end.
            let from_end: Vec<f64> = found.finish.iter().map(|finish| -finish).collect();
            let order = sort(&self.reversed.nodes, &from_end).ok()?;
            self.reversed.put_in_order(&order);
            (self.reversed).schedule(&[], &mut self.plan, &mut self.finish);
            self.made += 1;
            // Its finish from the end is its start from the beginning.
            let starts: Vec<f64> = self.finish.iter().map(|finish| -finish).collect();
            let again = self.forward(&starts)?;
            if again.end <= found.end {
                found = again;
            }
        }
        if found.end < self.best.end {
            self.best = found.clone();
        }
        Some(found)
    }

    /// Plans in the order of a rank; nothing if the plan never ends.
    fn forward(&mut self, rank: &[f64]) -> Option<Candidate> {
        let order = sort(&self.network.nodes, rank).ok()?;
        self.network.put_in_order(&order);
        self.plan.open_all_gates(&self.network);
        (self.network).schedule(self.planned, &mut self.plan, &mut self.finish);
        self.made += 1;
        let ends = self.finish.iter().copied();
        let end = ends.fold(f64::NEG_INFINITY, f64::max);
        end.is_finite().then(|| Candidate {
            order,
            finish: self.finish.clone(),
            end,
        })
    }
}

/// Up to one place the order of one, up to another that of the other, and then that of the first again,
/// of what is not there yet. What comes after its predecessors in both does so in the child.
fn cross(one: &[NodeId], other: &[NodeId], stream: &mut Stream) -> Vec<NodeId> {
    let count = one.len();
    let mut place = || (stream.uniform() * (count + 1) as f64) as usize;
    let (first, second) = (place(), place());
    let (first, second) = (first.min(second), first.max(second).min(count));
    let mut is_in = vec![false; count];
    let mut child = Vec::with_capacity(count);
    for (from, until) in [(one, first), (other, second), (one, count)] {
        for &node in from {
            if child.len() == until {
                break;
            }
            if !std::mem::replace(&mut is_in[node.index()], true) {
                child.push(node);
            }
        }
    }
    child
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
