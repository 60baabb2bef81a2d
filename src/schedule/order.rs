//! The order of a network: everything after what it waits for.

use std::collections::BinaryHeap;

use super::network::{Node, NodeId};

/// Kahn's algorithm; among what is ready that of the least rank comes first, and of equal
/// ones the first added, so the order is stable.
pub(super) fn sort(nodes: &[Node], rank: &[f64]) -> Result<Vec<NodeId>, Cycle> {
    let count = nodes.len();
    let mut waiting: Vec<usize> = nodes.iter().map(|node| node.links.len()).collect();
    let mut successors = vec![Vec::new(); count];
    for (position, node) in nodes.iter().enumerate() {
        for link in &node.links {
            successors[link.predecessor.index()].push(position);
        }
    }
    let ready = |node: usize| {
        std::cmp::Reverse(Ready {
            rank: rank[node],
            node,
        })
    };
    let mut heap: BinaryHeap<_> = (0..count)
        .filter(|&node| waiting[node] == 0)
        .map(ready)
        .collect();
    let mut order = Vec::with_capacity(count);
    while let Some(std::cmp::Reverse(Ready { node, .. })) = heap.pop() {
        order.push(NodeId(node as u32));
        for &successor in &successors[node] {
            waiting[successor] -= 1;
            if waiting[successor] == 0 {
                heap.push(ready(successor));
            }
        }
    }
    if order.len() == count {
        return Ok(order);
    }
    Err(cycle_among(nodes, &waiting))
}

/// Walks back along unsorted predecessors until a node repeats: that stretch is a cycle.
fn cycle_among(nodes: &[Node], waiting: &[usize]) -> Cycle {
    let mut node = waiting
        .iter()
        .position(|&left| left > 0)
        .expect("called only when something is left");
    let mut trail = Vec::new();
    let mut places: Vec<Option<usize>> = vec![None; nodes.len()];
    loop {
        if let Some(from) = places[node] {
            let mut members: Vec<String> = trail[from..]
                .iter()
                .rev()
                .map(|&member: &usize| nodes[member].name.clone())
                .collect();
            let smallest = (0..members.len()).min_by_key(|&i| &members[i]).unwrap_or(0);
            members.rotate_left(smallest);
            return Cycle { members };
        }
        places[node] = Some(trail.len());
        trail.push(node);
        node = (nodes[node].links.iter())
            .map(|link| link.predecessor.index())
            .find(|&predecessor| waiting[predecessor] > 0)
            .expect("an unsorted node has an unsorted predecessor");
    }
}

/// Activities that wait for one another in a circle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("activities wait for one another in a circle: {}", circle(members))]
pub(crate) struct Cycle {
    /// Each waits for the one before it, and the first for the last.
    pub(crate) members: Vec<String>,
}

fn circle(members: &[String]) -> String {
    /// So many names are shown from either end of a long circle.
    const SHOWN: usize = 6;
    let mut names: Vec<&str> = members.iter().map(String::as_str).collect();
    names.extend(members.first().map(String::as_str));
    let between = names.len().saturating_sub(2 * SHOWN);
    if between > 1 {
        let between = format!("({between} others)");
        let (first, last) = (&names[..SHOWN], &names[names.len() - SHOWN..]);
        return [&first.join(" -> "), &between, &last.join(" -> ")]
            .map(String::as_str)
            .join(" -> ");
    }
    names.join(" -> ")
}

/// In the queue of what is ready to be sorted.
#[derive(PartialEq)]
struct Ready {
    rank: f64,
    node: usize,
}

impl Eq for Ready {}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.rank.total_cmp(&other.rank)).then(self.node.cmp(&other.node))
    }
}
