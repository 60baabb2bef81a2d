//! What drives a date: the chains of dependencies and crews without any slack that lead to it.

use super::network::{Network, NetworkStep, NodeId};
use super::plan::{Plan, SAME_DATE, runs};

/// One trial's schedule, to be asked for what drives its dates. It keeps its buffers from trial to
/// trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drivers {
    /// By [`NodeId::index`]: what it waited for to the last, as a range of `before`.
    ranges: Vec<(u32, u32)>,
    before: Vec<NodeId>,
    /// What holds crews, in the order of its finishes.
    holders: Vec<(f64, NodeId)>,
    marks: Vec<bool>,
    /// By [`NodeId::index`]: the place in the order in which dates are found.
    places: Vec<u32>,
}

impl Drivers {
    /// Looks at the schedule of one trial: its inputs, its plan, and its finishes.
    pub(crate) fn look_at(
        &mut self,
        network: &Network,
        drawn: &[f64],
        plan: &Plan,
        finish: &[f64],
    ) {
        self.ranges.clear();
        self.ranges.resize(network.len(), (0, 0));
        self.before.clear();
        self.holders.clear();
        let holders = network.nodes().filter(|node| {
            let node = &network.nodes[node.index()];
            !node.crews.is_empty()
        });
        self.holders
            .extend(holders.map(|node| (finish[node.index()], node)));
        self.holders.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        self.places.clear();
        self.places.resize(network.len(), 0);
        for (place, step) in network.steps.iter().enumerate() {
            self.places[step.node.index()] = place as u32;
            let first = self.before.len() as u32;
            if finish[step.node.index()].is_finite() {
                self.find(network, step, drawn, plan, finish);
            }
            self.ranges[step.node.index()] = (first, self.before.len() as u32);
        }
    }

    /// What a node waited for to the last: all that would have let it begin (or finish) earlier.
    pub(crate) fn of(&self, node: NodeId) -> &[NodeId] {
        let (first, end) = self.ranges[node.index()];
        &self.before[first as usize..end as usize]
    }

    /// Marks, by [`NodeId::index`], every node that drives the date at which the last of `last` has
    /// finished: one from which a chain without any slack leads there. On a network without crews
    /// and calendars these are the nodes of no total float with regard to it.
    pub(crate) fn mark(&mut self, network: &Network, last: &[NodeId], finish: &[f64]) -> &[bool] {
        let mut marks = std::mem::take(&mut self.marks);
        marks.clear();
        marks.resize(network.len(), false);
        let latest = latest(last, finish);
        if latest.is_finite() {
            for node in last {
                marks[node.index()] |= finish[node.index()] >= latest - SAME_DATE;
            }
            // What a crew was waited for may be planned later than what waited for it.
            let mut trail: Vec<NodeId> = (network.nodes())
                .filter(|node| marks[node.index()])
                .collect();
            while let Some(node) = trail.pop() {
                for &before in self.of(node) {
                    if !marks[before.index()] {
                        marks[before.index()] = true;
                        trail.push(before);
                    }
                }
            }
        }
        self.marks = marks;
        &self.marks
    }

    /// One chain that leads to the last of `last` without any slack, the beginning first; of
    /// several the one along what stands first in the network. Empty if it never happens.
    pub(crate) fn path(&self, last: &[NodeId], finish: &[f64]) -> Vec<NodeId> {
        let latest = latest(last, finish);
        let mut path: Vec<NodeId> = Vec::new();
        let of_all = last
            .iter()
            .copied()
            .filter(|node| latest.is_finite() && finish[node.index()] >= latest - SAME_DATE);
        // Among those of one date what waits for the others comes after them.
        let mut next = of_all.max_by_key(|node| self.places[node.index()]);
        while let Some(node) = next {
            path.push(node);
            let known = &path;
            next = (self.of(node).iter().copied())
                .filter(|before| !known.contains(before))
                .min();
        }
        path.reverse();
        path
    }

    fn find(
        &mut self,
        network: &Network,
        step: &NetworkStep,
        drawn: &[f64],
        plan: &Plan,
        finish: &[f64],
    ) {
        let position = step.node.index();
        let node = &network.nodes[position];
        if node.actual.is_some() || node.fixed_start.is_some() {
            return;
        }
        let (start, own) = (plan.starts()[position], plan.durations()[position]);
        let runs = runs(node, drawn);
        let calendar = network.calendar_of(node).filter(|_| runs && own > 0.0);
        let first = self.before.len();
        for link in &network.links[step.links.clone()] {
            let predecessor = link.predecessor.index();
            let from = if link.kind.is_from_start() {
                plan.starts()[predecessor]
            } else {
                finish[predecessor]
            };
            let at = if !runs || !network.runs_in(link.predecessor, drawn) {
                from
            } else {
                network.lagged(link, from, link.lag.value(drawn))
            };
            let slack = match calendar {
                Some(calendar) if link.kind.is_to_start() => start - calendar.next_working(at),
                _ if link.kind.is_to_start() => start - at,
                _ => finish[position] - at,
            };
            if slack <= SAME_DATE && !self.before[first..].contains(&link.predecessor) {
                self.before.push(link.predecessor);
            }
        }
        if self.before.len() > first || node.crews.is_empty() {
            return;
        }
        // It waited for a crew: for what gave it up at that moment, or in a pause before it.
        let gave_way = |end: f64| {
            let end = calendar.map_or(end, |calendar| calendar.next_working(end));
            (end - start).abs() <= SAME_DATE
        };
        let until = (self.holders).partition_point(|(end, _)| *end <= start + SAME_DATE);
        for &(_, other) in self.holders[..until]
            .iter()
            .rev()
            .take_while(|(end, _)| gave_way(*end))
        {
            let holder = &network.nodes[other.index()];
            let shares = (holder.crews.iter())
                .any(|(crew, _)| node.crews.iter().any(|(wanted, _)| wanted == crew));
            if shares && other != step.node {
                self.before.push(other);
            }
        }
    }
}

/// When the last of these has finished.
fn latest(last: &[NodeId], finish: &[f64]) -> f64 {
    let finishes = last.iter().map(|node| finish[node.index()]);
    finishes.fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::inputs::Quantity::Fixed;
    use crate::schedule::crews::CrewSupply;
    use crate::schedule::network::NetworkBuilder;

    #[test]
    fn a_chain_goes_through_dependencies_and_crews() {
        // One crew: "first" (due first, for "long" follows it) 0-3, "second" 3-5, then "end" 5-6;
        // "long" 3-7 is over last. "free" has slack.
        let mut builder = NetworkBuilder::default();
        let crew = builder.add_crew(CrewSupply::new(1, []));
        let mut add =
            |name: &str, months: f64| builder.add(name.into(), Fixed(months), f64::NEG_INFINITY);
        let (first, second, end) = (add("first", 3.0), add("second", 2.0), add("end", 1.0));
        let (long, free) = (add("long", 4.0), add("free", 1.0));
        for (node, before) in [(end, second), (long, first), (end, free)] {
            builder.depend(node, before, Fixed(0.0));
        }
        for node in [first, second] {
            builder.needs_crew(node, crew, 1);
        }
        let network = builder.build().unwrap();
        let (mut plan, mut finish) = (Plan::default(), Vec::new());
        network.schedule(&[], &mut plan, &mut finish);
        let mut drivers = Drivers::default();
        drivers.look_at(&network, &[], &plan, &finish);
        assert_eq!(drivers.path(&[end], &finish), [first, second, end]);
        assert_eq!(drivers.of(end), [second]);
        let all: Vec<NodeId> = network.nodes().collect();
        assert_eq!(drivers.path(&all, &finish), [first, long]);
        let marks = drivers.mark(&network, &[end], &finish);
        assert_eq!(marks, [true, true, true, false, false]);
    }
}
