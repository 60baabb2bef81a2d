//! The activity network: activities and events joined by dependencies, sorted once, scheduled in
//! every trial.
//!
//! A dependency of j on i with a lag is one of four ([`LinkKind`]); with S and F for the start and
//! the finish,
//!
//! ```text
//! finish to start    S(j) >= F(i) + lag        finish to finish   F(j) >= F(i) + lag
//! start to start     S(j) >= S(i) + lag        start to finish    F(j) >= S(i) + lag
//! ```
//!
//! and F(j) = S(j) + duration(j): work once begun is not interrupted but by its calendar. The early
//! dates are the least ones that meet all of them (the critical path method of Kelley & Walker,
//! "Critical-Path Planning and Scheduling", 1959, with the precedence diagrams of Fondahl, 1961),
//! in months from the start of the scenario, real-valued. How they are found in a trial is described in
//! [`plan`](super::plan), late dates and floats in [`cpm`](super::cpm).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::calendars::WorkCalendar;
use super::crews::{CrewId, CrewSupply, parts};
pub(crate) use super::order::Cycle;
use super::order::sort;
use super::priority::CrewPriority;
use crate::sampling::inputs::Quantity;
use crate::uncertain::Sampler;

/// An activity or event of a compiled network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// Its position in the lists of dates of a schedule.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which end of an activity waits for which end of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// It starts after the other has finished.
    #[default]
    FinishToStart,
    /// It starts after the other has started.
    StartToStart,
    /// It finishes after the other has finished.
    FinishToFinish,
    /// It finishes after the other has started.
    StartToFinish,
}

impl LinkKind {
    /// Whether it is the start of the predecessor that counts.
    pub(crate) fn is_from_start(self) -> bool {
        matches!(self, Self::StartToStart | Self::StartToFinish)
    }

    /// Whether it is the start of the successor that waits.
    pub(crate) fn is_to_start(self) -> bool {
        matches!(self, Self::FinishToStart | Self::StartToStart)
    }
}

/// A dependency of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// What is waited for.
    pub(crate) predecessor: NodeId,
    /// Which ends it joins.
    pub(crate) kind: LinkKind,
    /// The lag in months, elapsed or of the calendar's working time; negative for a lead.
    pub(crate) lag: Quantity,
    /// The calendar, by its number, in whose working time the lag runs; none: it elapses day and night.
    pub(crate) lag_calendar: Option<u32>,
}

/// What else may change the duration of an activity in a trial: if `happens` is not 0, the duration
/// is multiplied by `factor` and `delay_months` are added after all factors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect {
    pub(crate) happens: Quantity,
    pub(crate) factor: Quantity,
    pub(crate) delay_months: Quantity,
}

/// What is known of an activity that has begun, in months from the start of the scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actual {
    pub(crate) started: f64,
    pub(crate) progress: Progress,
    /// The rest begins no sooner than this.
    pub(crate) resumes: f64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    Finished(f64),
    /// The work that remains, in months of working time, counted from the status date.
    Remaining(Quantity),
    /// The drawn duration holds, but it does not finish before the status date; if the duration is
    /// uncertain, [`Outlasted`] says how it is drawn then.
    Running,
}

/// An uncertain duration D of which a time t has passed without a finish: D on the condition that
/// D >= t, which is drawn from the uniform number u as `Q(p + u (1 - p))`, where Q is the
/// quantile function of D and p = P(D < what has passed).
#[derive(Clone, Debug)]
pub(crate) struct Outlasted {
    /// Uniform from 0 to 1.
    pub(crate) uniform: Quantity,
    pub(crate) sampler: Sampler,
    /// The working time that has passed, in months.
    pub(crate) elapsed: f64,
    /// P(D < elapsed).
    pub(crate) shorter: f64,
}

impl Outlasted {
    pub(crate) fn new(uniform: Quantity, sampler: Sampler, elapsed: f64) -> Self {
        Self {
            uniform,
            shorter: sampler.share_below(elapsed),
            sampler,
            elapsed,
        }
    }

    /// The duration before the effects of risk events, which have multiplied it by `factor` and
    /// added `delay_months` to it.
    pub(super) fn duration(&self, factor: f64, delay_months: f64, drawn: &[f64]) -> f64 {
        let shorter = if factor == 1.0 && delay_months == 0.0 {
            self.shorter
        } else if factor > 0.0 {
            (self.sampler).share_below((self.elapsed - delay_months) / factor)
        } else {
            0.0
        };
        // Just below 1: where no duration is as long as that, the longest.
        let share = shorter + self.uniform.value(drawn) * (1.0 - shorter);
        self.sampler.at(share.min(1.0 - f64::EPSILON))
    }
}

/// Reserved slots of a manufacturer: dates, in order, and the wait of an order that has none.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    pub(crate) dates: Vec<f64>,
    pub(crate) queue: Quantity,
}

/// Whether an activity runs in a trial at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    /// Drawn 1 or 0.
    pub(crate) happens: Quantity,
    /// It runs if the condition holds (`true`), or if it does not.
    pub(crate) runs_if: bool,
}

/// What must hold in a trial for a node to happen at all: that `of` is at least `at_least`. A node that does not
/// happen has no dates (they are infinite), and neither has what waits for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Presence {
    pub(crate) of: Quantity,
    pub(crate) at_least: f64,
}

impl Presence {
    pub(crate) fn holds(&self, drawn: &[f64]) -> bool {
        self.of.value(drawn) >= self.at_least
    }
}

/// A node with all that is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) duration: Quantity,
    pub(crate) earliest: f64,
    /// It finishes no sooner than this.
    pub(crate) earliest_finish: f64,
    /// It starts then, whatever it waits for.
    pub(crate) fixed_start: Option<f64>,
    /// A moment that waits for the next working time.
    pub(crate) starts_work: bool,
    pub(crate) links: Vec<Link>,
    /// Work that someone has to begin, rather than a moment that comes by itself.
    pub(crate) is_work: bool,
    pub(crate) calendar: Option<u32>,
    pub(crate) crews: Vec<(CrewId, u32)>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) slots: Option<Slots>,
    pub(crate) gate: Option<u32>,
    pub(crate) presence: Vec<Presence>,
    pub(crate) actual: Option<Actual>,
    pub(crate) outlasted: Option<Box<Outlasted>>,
}

impl Node {
    /// Whether its dates are `max(earliest, finishes + lags)` and that plus its duration.
    fn is_plain(&self) -> bool {
        self.calendar.is_none()
            && self.crews.is_empty()
            && self.effects.is_empty()
            && self.conditions.is_empty()
            && self.slots.is_none()
            && self.gate.is_none()
            && self.presence.is_empty()
            && self.actual.is_none()
            && self.fixed_start.is_none()
            && self.earliest_finish == f64::NEG_INFINITY
            && (self.links.iter())
                .all(|link| link.kind == LinkKind::FinishToStart && link.lag_calendar.is_none())
    }
}

/// A network under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkBuilder {
    nodes: Vec<Node>,
    by_name: BTreeMap<String, NodeId>,
    calendars: Vec<Arc<WorkCalendar>>,
    crews: Vec<CrewSupply>,
    status_months: Option<f64>,
    retains_logic: bool,
    planned: Vec<f64>,
    priority: CrewPriority,
}

impl NetworkBuilder {
    /// Adds a node with a name, a duration in months, and a date before which it does not start
    /// (months; negative infinity for none). A name that exists already still means the first
    /// node of that name: an activity rather than a hall that is called like it.
    pub(crate) fn add(&mut self, name: String, duration: Quantity, earliest_months: f64) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).expect("fewer than 2^32 activities"));
        self.by_name.entry(name.clone()).or_insert(id);
        self.nodes.push(Node {
            name,
            duration,
            earliest: earliest_months,
            earliest_finish: f64::NEG_INFINITY,
            fixed_start: None,
            starts_work: false,
            links: Vec::new(),
            is_work: false,
            calendar: None,
            crews: Vec::new(),
            effects: Vec::new(),
            conditions: Vec::new(),
            slots: None,
            gate: None,
            presence: Vec::new(),
            actual: None,
            outlasted: None,
        });
        id
    }

    /// Makes `node` start no earlier than `lag` months after `predecessor` has finished.
    pub(crate) fn depend(&mut self, node: NodeId, predecessor: NodeId, lag: Quantity) {
        self.link(node, predecessor, LinkKind::FinishToStart, lag);
    }

    /// Makes `node` wait for `predecessor`, with a lag in elapsed months.
    pub(crate) fn link(
        &mut self,
        node: NodeId,
        predecessor: NodeId,
        kind: LinkKind,
        lag: Quantity,
    ) {
        self.add_link(
            node,
            Link {
                predecessor,
                kind,
                lag,
                lag_calendar: None,
            },
        );
    }

    /// Adds a dependency of any kind to `node`.
    pub(crate) fn add_link(&mut self, node: NodeId, link: Link) {
        self.nodes[node.index()].links.push(link);
    }

    /// Adds a calendar and returns its number.
    pub(crate) fn add_calendar(&mut self, calendar: Arc<WorkCalendar>) -> u32 {
        self.calendars.push(calendar);
        self.calendars.len() as u32 - 1
    }

    /// Makes `node` work by a calendar, known by the number that [`Self::add_calendar`] gave it.
    pub(crate) fn set_calendar(&mut self, node: NodeId, calendar: Option<u32>) {
        self.nodes[node.index()].calendar = calendar;
    }

    /// Adds a renewable resource with its capacity over time.
    pub(crate) fn add_crew(&mut self, supply: CrewSupply) -> CrewId {
        self.crews.push(supply);
        CrewId(self.crews.len() as u32 - 1)
    }

    /// Makes `node` hold this many units of a crew from its start to its finish.
    pub(crate) fn needs_crew(&mut self, node: NodeId, crew: CrewId, units: impl Into<f64>) {
        self.nodes[node.index()]
            .crews
            .push((crew, parts(units.into())));
    }

    /// Sets the inputs that planners expect, by which priorities for crews are ranked.
    pub(crate) fn planned_inputs(&mut self, planned: Vec<f64>) {
        self.planned = planned;
    }

    /// Nothing that has not begun starts before this date, in months from the start of the scenario.
    pub(crate) fn set_status_date(&mut self, months: f64) {
        self.status_months = Some(months);
    }

    /// The rest of what has begun waits for what it depends on, too.
    pub(crate) fn retain_logic(&mut self) {
        self.retains_logic = true;
    }

    /// Makes `node` work that someone has to begin, which the status date holds back.
    pub(crate) fn mark_as_work(&mut self, node: NodeId) {
        self.nodes[node.index()].is_work = true;
    }

    /// Makes `node` wait for a gate that is opened in the course of a trial.
    pub(crate) fn set_gate(&mut self, node: NodeId, gate: u32) {
        self.nodes[node.index()].gate = Some(gate);
    }

    /// Makes `node` happen only in trials in which this holds too.
    pub(crate) fn require(&mut self, node: NodeId, presence: Presence) {
        self.nodes[node.index()].presence.push(presence);
    }

    /// Working time of a node between two moments, in months.
    pub(crate) fn work_between(&self, node: NodeId, from_months: f64, to_months: f64) -> f64 {
        match self.nodes[node.index()].calendar {
            Some(calendar) => {
                self.calendars[calendar as usize].work_between(from_months, to_months)
            }
            None => to_months - from_months,
        }
    }

    pub(crate) fn node_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node.index()]
    }

    /// The node of that name.
    pub(crate) fn find(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// The name of a node.
    pub(crate) fn name(&self, node: NodeId) -> &str {
        &self.nodes[node.index()].name
    }

    /// All names in alphabetical order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_name.keys().map(String::as_str)
    }

    /// Sets by what rule crews are given out.
    pub(crate) fn prioritise(&mut self, priority: CrewPriority) {
        self.priority = priority;
    }

    /// Sorts the network; an error names the members of a cycle, in order.
    pub(crate) fn build(mut self) -> Result<Network, Cycle> {
        let order = sort(&self.nodes, &vec![0.0; self.nodes.len()])?;
        let uses_crews = self.nodes.iter().any(|node| !node.crews.is_empty());
        let (priority, planned) = (self.priority, std::mem::take(&mut self.planned));
        let mut network = self.unsorted();
        network.put_in_order(&order);
        if uses_crews {
            network.give_out_crews(priority, &planned);
        }
        Ok(network)
    }

    /// The network before its nodes have an order.
    pub(super) fn unsorted(self) -> Network {
        Network {
            steps: Vec::new(),
            links: Vec::new(),
            is_plain: self.status_months.is_none() && self.nodes.iter().all(Node::is_plain),
            calendars: self.calendars,
            crews: self.crews,
            status_months: self.status_months,
            retains_logic: self.retains_logic,
            nodes: self.nodes,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct NetworkStep {
    pub(super) node: NodeId,
    pub(super) duration: Quantity,
    pub(super) earliest: f64,
    pub(super) links: std::ops::Range<usize>,
    pub(super) is_plain: bool,
}

/// A compiled network, in an order in which everything comes after what it waits for.
#[derive(Clone, Debug)]
pub struct Network {
    pub(super) steps: Vec<NetworkStep>,
    pub(super) links: Vec<Link>,
    /// Finish-to-start dependencies in elapsed time alone.
    pub(super) is_plain: bool,
    pub(super) calendars: Vec<Arc<WorkCalendar>>,
    pub(super) crews: Vec<CrewSupply>,
    pub(super) status_months: Option<f64>,
    /// The rest of what has begun waits for what it depends on, too.
    pub(super) retains_logic: bool,
    pub(super) nodes: Vec<Node>,
}

impl Network {
    /// Whether it has nodes that may not happen in a trial.
    pub(crate) fn may_leave_out(&self) -> bool {
        self.nodes.iter().any(|node| !node.presence.is_empty())
    }

    /// Takes the nodes in an order in which everything comes after what it waits for.
    pub(super) fn put_in_order(&mut self, order: &[NodeId]) {
        self.steps.clear();
        self.links.clear();
        for &id in order {
            let node = &self.nodes[id.index()];
            let first = self.links.len();
            self.links.extend(&node.links);
            self.steps.push(NetworkStep {
                node: id,
                duration: node.duration,
                earliest: node.earliest,
                links: first..self.links.len(),
                is_plain: node.is_plain() && self.lets_lags_through(node),
            });
        }
    }

    /// Whether all lags of a node count in every trial: those after what does not run do not.
    fn lets_lags_through(&self, node: &Node) -> bool {
        node.links.iter().all(|link| {
            let before = &self.nodes[link.predecessor.index()];
            before.conditions.is_empty() || link.lag == Quantity::Fixed(0.0)
        })
    }

    /// How many activities and events it has.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        &self.nodes[node.index()].name
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        let position = self.nodes.iter().position(|node| node.name == name)?;
        Some(NodeId(position as u32))
    }

    /// Whether it is work, rather than a moment.
    pub fn is_work(&self, node: NodeId) -> bool {
        self.nodes[node.index()].is_work
    }

    /// All nodes, in the order in which they were added.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.steps.len() as u32).map(NodeId)
    }

    /// What a node waits for.
    #[cfg(test)]
    pub(crate) fn links(&self, node: NodeId) -> &[Link] {
        &self.nodes[node.index()].links
    }
}

#[cfg(test)]
mod tests;
