//! The activity network: finish-to-start dependencies with lags, sorted once, scheduled in every trial.
//!
//! The early dates are those of the critical path method (Kelley & Walker, "Critical-Path
//! Planning and Scheduling", 1959): an event happens when the last of what it waits for has,
//!
//! ```text
//! start(j)  = max( earliest(j), max over predecessors i of  finish(i) + lag(i, j) )
//! finish(j) = start(j) + duration(j)
//! ```
//!
//! in months from the start of the scenario, real-valued.

use std::collections::BTreeMap;

use crate::monte_carlo::inputs::Quantity;

/// An activity or event of a compiled network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Its position in the list of dates that [`Network::schedule`] fills.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A network under construction.
#[derive(Clone, Debug, Default)]
pub struct NetworkBuilder {
    names: Vec<String>,
    durations: Vec<Quantity>,
    earliest: Vec<f64>,
    predecessors: Vec<Vec<(NodeId, Quantity)>>,
    by_name: BTreeMap<String, NodeId>,
}

impl NetworkBuilder {
    /// Adds a node with a unique name, a duration in months, and a date before which it does
    /// not start (months; negative infinity for none).
    pub fn add(&mut self, name: String, duration: Quantity, earliest_months: f64) -> NodeId {
        let id = NodeId(u32::try_from(self.names.len()).expect("fewer than 2^32 activities"));
        self.by_name.insert(name.clone(), id);
        self.names.push(name);
        self.durations.push(duration);
        self.earliest.push(earliest_months);
        self.predecessors.push(Vec::new());
        id
    }

    /// Makes `node` start no earlier than `lag` months after `predecessor` has finished.
    pub fn depend(&mut self, node: NodeId, predecessor: NodeId, lag: Quantity) {
        self.predecessors[node.index()].push((predecessor, lag));
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        &self.names[node.index()]
    }

    /// All names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_name.keys().map(String::as_str)
    }

    /// Sorts the network; an error names the members of a cycle, in order.
    pub fn build(self) -> Result<Network, Cycle> {
        let order = self.sort()?;
        let mut network = Network {
            steps: Vec::with_capacity(order.len()),
            links: Vec::new(),
            names: Vec::new(),
        };
        for id in order {
            let first = network.links.len();
            network.links.extend(&self.predecessors[id.index()]);
            network.steps.push(NetworkStep {
                node: id,
                duration: self.durations[id.index()],
                earliest: self.earliest[id.index()],
                links: first..network.links.len(),
            });
        }
        network.names = self.names;
        Ok(network)
    }

    /// Kahn's algorithm; among what is ready the first added comes first, so the order is stable.
    fn sort(&self) -> Result<Vec<NodeId>, Cycle> {
        let count = self.names.len();
        let mut waiting: Vec<usize> = self.predecessors.iter().map(Vec::len).collect();
        let mut successors = vec![Vec::new(); count];
        for (node, predecessors) in self.predecessors.iter().enumerate() {
            for (predecessor, _) in predecessors {
                successors[predecessor.index()].push(node);
            }
        }
        let mut ready: std::collections::VecDeque<usize> =
            (0..count).filter(|&node| waiting[node] == 0).collect();
        let mut order = Vec::with_capacity(count);
        while let Some(node) = ready.pop_front() {
            order.push(NodeId(node as u32));
            for &successor in &successors[node] {
                waiting[successor] -= 1;
                if waiting[successor] == 0 {
                    ready.push_back(successor);
                }
            }
        }
        if order.len() == count {
            return Ok(order);
        }
        Err(self.cycle_among(&waiting))
    }

    /// Walks back along unsorted predecessors until a node repeats: that stretch is a cycle.
    fn cycle_among(&self, waiting: &[usize]) -> Cycle {
        let mut node = waiting
            .iter()
            .position(|&left| left > 0)
            .expect("called only when something is left");
        let mut trail = Vec::new();
        loop {
            if let Some(from) = trail.iter().position(|&seen| seen == node) {
                let mut members: Vec<String> = trail[from..]
                    .iter()
                    .rev()
                    .map(|&member: &usize| self.names[member].clone())
                    .collect();
                let smallest = (0..members.len()).min_by_key(|&i| &members[i]).unwrap_or(0);
                members.rotate_left(smallest);
                return Cycle { members };
            }
            trail.push(node);
            node = self.predecessors[node]
                .iter()
                .map(|(predecessor, _)| predecessor.index())
                .find(|&predecessor| waiting[predecessor] > 0)
                .expect("an unsorted node has an unsorted predecessor");
        }
    }
}

/// Activities that wait for one another in a circle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("activities wait for one another in a circle: {}", circle(members))]
pub struct Cycle {
    /// Each waits for the one before it, and the first for the last.
    pub members: Vec<String>,
}

fn circle(members: &[String]) -> String {
    let mut names: Vec<&str> = members.iter().map(String::as_str).collect();
    names.extend(members.first().map(String::as_str));
    names.join(" -> ")
}

#[derive(Clone, Debug)]
struct NetworkStep {
    node: NodeId,
    duration: Quantity,
    earliest: f64,
    links: std::ops::Range<usize>,
}

/// A compiled network, in an order in which everything comes after what it waits for.
#[derive(Clone, Debug)]
pub struct Network {
    steps: Vec<NetworkStep>,
    links: Vec<(NodeId, Quantity)>,
    names: Vec<String>,
}

impl Network {
    /// How many activities and events it has.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The names of all nodes, by [`NodeId::index`].
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Writes the finish of every node to `finish`, indexed by [`NodeId::index`], in months from
    /// the start of the scenario. `drawn` holds this trial's inputs. A node that waits for nothing
    /// and has no earliest date starts at 0.
    ///
    /// # Panics
    /// If `finish` is not as long as the network.
    pub fn schedule(&self, drawn: &[f64], finish: &mut [f64]) {
        assert_eq!(finish.len(), self.len());
        for step in &self.steps {
            let mut start = step.earliest;
            for (predecessor, lag) in &self.links[step.links.clone()] {
                start = start.max(finish[predecessor.index()] + lag.value(drawn));
            }
            if start == f64::NEG_INFINITY {
                start = 0.0;
            }
            finish[step.node.index()] = start + step.duration.value(drawn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: f64 = f64::NEG_INFINITY;
    const AT_ONCE: Quantity = Quantity::Fixed(0.0);

    #[test]
    fn early_finishes_are_those_of_a_hand_computed_network() {
        // A(3) -> B(4), C(2); B -> D(5); C -> D with a lag of 4; D -> E(1). Critical: A C (lag) D E.
        let mut builder = NetworkBuilder::default();
        let add = |builder: &mut NetworkBuilder, name: &str, months: f64| {
            builder.add(name.into(), Quantity::Fixed(months), NONE)
        };
        let e = add(&mut builder, "E", 1.0);
        let d = add(&mut builder, "D", 5.0);
        let a = add(&mut builder, "A", 3.0);
        let b = add(&mut builder, "B", 4.0);
        let c = add(&mut builder, "C", 2.0);
        builder.depend(b, a, AT_ONCE);
        builder.depend(c, a, AT_ONCE);
        builder.depend(d, b, AT_ONCE);
        builder.depend(d, c, Quantity::Fixed(4.0));
        builder.depend(e, d, AT_ONCE);
        let network = builder.build().unwrap();
        let mut finish = vec![0.0; network.len()];
        network.schedule(&[], &mut finish);
        assert_eq!(
            [a, b, c, d, e].map(|node| finish[node.index()]),
            [3.0, 7.0, 5.0, 14.0, 15.0]
        );
    }

    #[test]
    fn an_activity_does_not_start_before_its_date() {
        let mut builder = NetworkBuilder::default();
        let early = builder.add("early".into(), Quantity::Fixed(2.0), -9.0);
        let late = builder.add("late".into(), Quantity::Fixed(1.0), 6.0);
        builder.depend(late, early, AT_ONCE);
        let network = builder.build().unwrap();
        let mut finish = vec![0.0; 2];
        network.schedule(&[], &mut finish);
        assert_eq!(finish, [-7.0, 7.0]);
    }

    #[test]
    fn a_cycle_is_refused_with_its_members_in_order() {
        let mut builder = NetworkBuilder::default();
        let names = ["shell", "permit", "grid", "after the circle"];
        let ids = names.map(|name| builder.add(name.into(), AT_ONCE, NONE));
        builder.depend(ids[0], ids[1], AT_ONCE);
        builder.depend(ids[1], ids[2], AT_ONCE);
        builder.depend(ids[2], ids[0], AT_ONCE);
        builder.depend(ids[3], ids[0], AT_ONCE);
        let cycle = builder.build().unwrap_err();
        assert_eq!(cycle.members, ["grid", "permit", "shell"]);
        assert!(
            cycle
                .to_string()
                .ends_with("grid -> permit -> shell -> grid")
        );
    }
}
