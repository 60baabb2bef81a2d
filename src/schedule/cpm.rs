//! The critical path method: early and late dates, total and free float.
//!
//! Kelley & Walker (1959); Moder, Phillips & Davis, "Project Management with CPM, PERT and
//! Precedence Diagramming" (1983). With ES, EF, LS, LF for early and late starts and finishes:
//!
//! - Early dates are those of [`Network::schedule`], but for crews: float is what dependencies and
//!   calendars leave.
//! - Late dates, from the last node back: a dependency with a lag demands that the late end of the
//!   predecessor it joins lies a lag before the late end of the successor it joins. What nothing
//!   waits for may finish at the end of the network, or at the deadline.
//! - Total float = LF - EF, in elapsed months: by how much it may finish later without moving the
//!   end. It is negative if the deadline cannot be met.
//! - What does not happen with these inputs, and what waits for it, has no dates: they are infinite, and its float
//!   is NaN. The end of the network is that of what happens.
//! - Free float = the least slack of its dependencies: by how much it may finish later without
//!   moving any other early date. The last node's is what is left to the end.

use super::network::{Link, Network, NodeId};
use super::plan::{Plan, end_of, runs};

/// The dates and floats of a network; made by [`Network::critical_path`].
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CriticalPath {
    finish: f64,
    early_start: Vec<f64>,
    early_finish: Vec<f64>,
    late_start: Vec<f64>,
    late_finish: Vec<f64>,
    free_float: Vec<f64>,
}

impl CriticalPath {
    /// When the last activity finishes, in months.
    pub fn finish(&self) -> f64 {
        self.finish
    }

    /// The soonest it can start, in months.
    pub fn early_start(&self, node: NodeId) -> f64 {
        self.early_start[node.index()]
    }

    /// The soonest it can finish, in months.
    pub fn early_finish(&self, node: NodeId) -> f64 {
        self.early_finish[node.index()]
    }

    /// The latest it may start without moving the end, in months.
    pub fn late_start(&self, node: NodeId) -> f64 {
        self.late_start[node.index()]
    }

    /// The latest it may finish without moving the end, in months.
    pub fn late_finish(&self, node: NodeId) -> f64 {
        self.late_finish[node.index()]
    }

    /// All late finishes by [`NodeId::index`].
    pub fn late_finishes(&self) -> &[f64] {
        &self.late_finish
    }

    /// By how much it may finish later without moving the end, in months; negative if the
    /// deadline is missed by that.
    pub fn total_float(&self, node: NodeId) -> f64 {
        self.late_finish(node) - self.early_finish(node)
    }

    /// By how much it may finish later without moving another early date, in months.
    pub fn free_float(&self, node: NodeId) -> f64 {
        self.free_float[node.index()]
    }

    /// Whether its total float is no more than that of the most pressing activity, within a
    /// quarter of a second.
    pub fn is_critical(&self, node: NodeId) -> bool {
        let least = (0..self.late_finish.len())
            .map(|position| self.late_finish[position] - self.early_finish[position])
            .fold(f64::INFINITY, f64::min);
        self.total_float(node) <= least + super::plan::SAME_DATE
    }
}

impl Network {
    /// Early and late dates and floats for one set of inputs (`drawn`, empty if nothing is
    /// uncertain), without regard to crews. All must be done by `deadline_months` if it is given,
    /// and else by the time at which all can be done. Gates count as open from the beginning.
    pub fn critical_path(&self, drawn: &[f64], deadline_months: Option<f64>) -> CriticalPath {
        let (mut path, durations) = self.forward_pass(drawn);
        let end = deadline_months.unwrap_or(path.finish);
        path.late_finish.fill(end);
        path.late_start.fill(end);
        self.backward_pass(&mut path, &durations, &mut vec![true; self.len()], drawn);
        path
    }

    /// As [`critical_path`](Self::critical_path), with late dates and total floats measured to these nodes, each of
    /// which is to be done by the date beside it, in months: by how much an activity may finish later without moving
    /// any of them beyond its date. Late dates and total floats of what leads to none of them are infinite.
    pub fn critical_path_to(&self, drawn: &[f64], ends: &[(NodeId, f64)]) -> CriticalPath {
        let (mut path, durations) = self.forward_pass(drawn);
        let mut leads = vec![false; self.len()];
        path.late_finish.fill(f64::INFINITY);
        path.late_start.fill(f64::INFINITY);
        for &(node, by_months) in ends {
            let late = &mut path.late_finish[node.index()];
            *late = late.min(by_months);
            leads[node.index()] = true;
        }
        self.backward_pass(&mut path, &durations, &mut leads, drawn);
        path
    }

    /// Early dates, and the durations; late dates are still to be found.
    fn forward_pass(&self, drawn: &[f64]) -> (CriticalPath, Vec<f64>) {
        let mut plan = Plan::default();
        plan.open_all_gates(self);
        let mut early_finish = Vec::new();
        self.without_crews()
            .schedule(drawn, &mut plan, &mut early_finish);
        let early_start = plan.starts().to_vec();
        let finish = early_finish
            .iter()
            .copied()
            .filter(|finish| *finish < f64::INFINITY)
            .fold(f64::NEG_INFINITY, f64::max);
        let count = self.len();
        let path = CriticalPath {
            finish: if finish == f64::NEG_INFINITY {
                0.0
            } else {
                finish
            },
            early_start,
            early_finish,
            late_start: vec![f64::INFINITY; count],
            late_finish: vec![f64::INFINITY; count],
            free_float: vec![f64::INFINITY; count],
        };
        (path, self.durations(drawn))
    }

    /// Late dates and floats, from the last node back along those that lead to an end.
    fn backward_pass(
        &self,
        path: &mut CriticalPath,
        durations: &[f64],
        leads: &mut [bool],
        drawn: &[f64],
    ) {
        let finish = path.finish;
        let CriticalPath {
            early_start,
            early_finish,
            late_start,
            late_finish,
            free_float,
            ..
        } = path;
        for step in self.steps.iter().rev() {
            let position = step.node.index();
            if early_finish[position] == f64::INFINITY {
                (late_start[position], late_finish[position]) = (f64::INFINITY, f64::INFINITY);
                continue;
            }
            let (node, counts) = (&self.nodes[position], leads[position]);
            let work = |until: f64| match self.calendar_of(node) {
                Some(calendar) => calendar.subtract(until, durations[position]),
                None => until - durations[position],
            };
            late_start[position] = if !counts {
                f64::INFINITY
            } else if node.slots.is_some() || node.actual.is_some() {
                // How long it takes is not its own doing.
                late_finish[position] - (early_finish[position] - early_start[position])
            } else {
                work(late_finish[position])
            };
            if free_float[position] == f64::INFINITY {
                free_float[position] = finish - early_finish[position];
            }
            // What starts on a date of its own holds nothing back.
            let links = match node.fixed_start {
                Some(_) => &[],
                None => &self.links[step.links.clone()],
            };
            for link in links {
                let predecessor = link.predecessor.index();
                let of_successor =
                    |start: f64, finish: f64| end_of(link.kind, false, start, finish);
                if counts {
                    let end = of_successor(late_start[position], late_finish[position]);
                    let late = self.late_before(step.node, link, end, durations, drawn);
                    late_finish[predecessor] = late_finish[predecessor].min(late);
                    leads[predecessor] = true;
                }
                let (start, finish) = (early_start[predecessor], early_finish[predecessor]);
                let from = end_of(link.kind, true, start, finish);
                let slack = of_successor(early_start[position], early_finish[position])
                    - self.demanded(step.node, link, from, drawn);
                free_float[predecessor] = free_float[predecessor].min(slack);
            }
        }
    }

    /// The latest finish of what a dependency waits for, if the end of the successor that it joins is at `late`.
    fn late_before(
        &self,
        node: NodeId,
        link: &Link,
        late: f64,
        durations: &[f64],
        drawn: &[f64],
    ) -> f64 {
        let predecessor = link.predecessor.index();
        let late = match link.lag_calendar {
            _ if !self.lag_counts(node, link, drawn) => late,
            Some(calendar) => self.calendars[calendar as usize].add(late, -link.lag.value(drawn)),
            None => late - link.lag.value(drawn),
        };
        let before = &self.nodes[predecessor];
        match self.calendar_of(before) {
            _ if !link.kind.is_from_start() => late,
            Some(calendar) if runs(before, drawn) => calendar.add(late, durations[predecessor]),
            _ => late + durations[predecessor],
        }
    }

    /// The same network with as many of each crew as are wanted.
    fn without_crews(&self) -> std::borrow::Cow<'_, Self> {
        if self.nodes.iter().all(|node| node.crews.is_empty()) {
            return std::borrow::Cow::Borrowed(self);
        }
        let mut network = self.clone();
        for node in &mut network.nodes {
            node.crews.clear();
        }
        std::borrow::Cow::Owned(network)
    }
}

#[cfg(test)]
mod published;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::{DAYS_PER_MONTH, Date};
    use crate::sampling::inputs::Quantity::Fixed;
    use crate::schedule::calendars::Calendar;
    use crate::schedule::driving::Drivers;
    use crate::schedule::network::{LinkKind, NetworkBuilder};
    use std::sync::Arc;

    const NONE: f64 = f64::NEG_INFINITY;

    /// Name, duration, predecessors.
    type Rows<'a> = &'a [(&'a str, f64, &'a [&'a str])];

    fn chain_network(rows: Rows<'_>) -> (Network, Vec<NodeId>) {
        let mut builder = NetworkBuilder::default();
        let ids: Vec<NodeId> = rows
            .iter()
            .map(|(name, duration, _)| builder.add((*name).into(), Fixed(*duration), NONE))
            .collect();
        for (id, (_, _, after)) in ids.iter().zip(rows) {
            for name in *after {
                let before = builder.find(name).unwrap();
                builder.depend(*id, before, Fixed(0.0));
            }
        }
        (builder.build().unwrap(), ids)
    }

    /// The network of Heizer & Render's Milwaukee Paper.
    const POLLUTION_FILTER: Rows<'static> = &[
        ("A", 2.0, &[]),
        ("B", 3.0, &[]),
        ("C", 2.0, &["A"]),
        ("D", 4.0, &["A", "B"]),
        ("E", 4.0, &["C"]),
        ("F", 3.0, &["C"]),
        ("G", 5.0, &["D", "E"]),
        ("H", 2.0, &["F", "G"]),
    ];

    #[test]
    fn early_and_late_dates_and_free_float_by_hand() {
        let rows = POLLUTION_FILTER;
        let (network, ids) = chain_network(rows);
        let path = network.critical_path(&[], None);
        let early = ids.iter().map(|&id| path.early_start(id));
        assert_eq!(
            early.collect::<Vec<_>>(),
            [0.0, 0.0, 2.0, 3.0, 4.0, 4.0, 8.0, 13.0]
        );
        let late = ids.iter().map(|&id| path.late_finish(id));
        assert_eq!(
            late.collect::<Vec<_>>(),
            [2.0, 4.0, 4.0, 8.0, 8.0, 13.0, 13.0, 15.0]
        );
        let free = ids.iter().map(|&id| path.free_float(id));
        assert_eq!(
            free.collect::<Vec<_>>(),
            [0.0, 0.0, 0.0, 1.0, 0.0, 6.0, 0.0, 0.0]
        );
        for &id in &ids {
            let by_starts = path.late_start(id) - path.early_start(id);
            assert_eq!(by_starts, path.total_float(id));
            assert!(path.free_float(id) <= path.total_float(id));
        }
    }

    #[test]
    fn all_four_kinds_of_dependency_with_lags_and_leads() {
        // By hand, in days:
        //   a (10) from 0.  b (8): SS a + 3 -> 3..11.  c (6): FF b + 4 -> finish 15, 9..15.
        //   d (5): FS c - 2 -> 13..18.  e (4): SF a + 12 -> finish 12, 8..12.  f (2): FS d, FS e -> 18..20.
        // Backwards from 20: f 18..20, d 13..18, e 14..18, c finish 18 + ... FS -2: LF = 13 + 2 = 15.
        //   b: FF + 4: LF = 15 - 4 = 11, LS 3.  a: SS + 3: LS = 0, LF = 10; SF 12 from e: LS = 18 - 12 = 6.
        let mut builder = NetworkBuilder::default();
        let [a, b, c, d, e, f] = [
            ("a", 10.0),
            ("b", 8.0),
            ("c", 6.0),
            ("d", 5.0),
            ("e", 4.0),
            ("f", 2.0),
        ]
        .map(|(name, days)| builder.add(name.into(), Fixed(days), NONE));
        builder.link(b, a, LinkKind::StartToStart, Fixed(3.0));
        builder.link(c, b, LinkKind::FinishToFinish, Fixed(4.0));
        builder.link(d, c, LinkKind::FinishToStart, Fixed(-2.0));
        builder.link(e, a, LinkKind::StartToFinish, Fixed(12.0));
        builder.link(f, d, LinkKind::FinishToStart, Fixed(0.0));
        builder.link(f, e, LinkKind::FinishToStart, Fixed(0.0));
        let network = builder.build().unwrap();
        let path = network.critical_path(&[], None);
        let dates = [a, b, c, d, e, f].map(|id| {
            (
                path.early_start(id),
                path.early_finish(id),
                path.late_start(id),
                path.late_finish(id),
                path.free_float(id),
            )
        });
        assert_eq!(
            dates,
            [
                (0.0, 10.0, 0.0, 10.0, 0.0),
                (3.0, 11.0, 3.0, 11.0, 0.0),
                (9.0, 15.0, 9.0, 15.0, 0.0),
                (13.0, 18.0, 13.0, 18.0, 0.0),
                (8.0, 12.0, 14.0, 18.0, 6.0),
                (18.0, 20.0, 18.0, 20.0, 0.0),
            ]
        );
        let missed = network.critical_path(&[], Some(17.0));
        assert_eq!(missed.total_float(f), -3.0);
        assert!(missed.is_critical(a) && !missed.is_critical(e));
    }

    #[test]
    fn an_activity_that_only_has_to_finish_late_does_not_start_before_the_beginning() {
        let mut builder = NetworkBuilder::default();
        let a = builder.add("a".into(), Fixed(2.0), NONE);
        let b = builder.add("b".into(), Fixed(9.0), NONE);
        builder.link(b, a, LinkKind::FinishToFinish, Fixed(1.0));
        let path = builder.build().unwrap().critical_path(&[], None);
        assert_eq!((path.early_start(b), path.early_finish(b)), (0.0, 9.0));
        assert_eq!(path.total_float(a), 6.0);
    }

    #[test]
    fn a_five_day_week_gives_the_dates_of_a_scheduler() {
        // From Monday 2025-01-06, in working days: a (3), b (4) after a, c (2) after a with a lag
        // of 2 working days, d (1) after b and c.
        //   a Mon 6 - Wed 8; b Thu 9 - Tue 14; lag Thu 9, Fri 10; c Mon 13 - Tue 14; d Wed 15.
        let start = "2025-01".parse::<Date>().unwrap();
        let mut builder = NetworkBuilder::default();
        let week = builder.add_calendar(Arc::new(Calendar::five_days("week").compile(start, 12)));
        let days = |days: f64| Fixed(days * 7.0 / 5.0 / DAYS_PER_MONTH);
        let monday = "2025-01-06".parse::<Date>().unwrap().months_after(start);
        let a = builder.add("a".into(), days(3.0), monday);
        let [b, c, d] = [("b", 4.0), ("c", 2.0), ("d", 1.0)]
            .map(|(name, work)| builder.add(name.into(), days(work), NONE));
        for id in [a, b, c, d] {
            builder.set_calendar(id, Some(week));
        }
        builder.depend(b, a, Fixed(0.0));
        builder.add_link(
            c,
            Link {
                predecessor: a,
                kind: LinkKind::FinishToStart,
                lag: days(2.0),
                lag_calendar: Some(week),
            },
        );
        builder.depend(d, b, Fixed(0.0));
        builder.depend(d, c, Fixed(0.0));
        let path = builder.build().unwrap().critical_path(&[], None);
        let day = |months: f64| start.plus_months(months + 2e-7).unwrap().to_string();
        assert_eq!(
            [a, b, c, d].map(|id| day(path.early_start(id))),
            ["2025-01-06", "2025-01-09", "2025-01-13", "2025-01-15"]
        );
        // The moment at which the last day of work is over.
        assert_eq!(
            [a, b, c, d].map(|id| day(path.early_finish(id))),
            ["2025-01-09", "2025-01-15", "2025-01-15", "2025-01-16"]
        );
        for id in [a, b, c, d] {
            assert!(
                path.total_float(id).abs() < 1e-6,
                "{}",
                path.total_float(id)
            );
        }
    }

    #[test]
    fn driving_nodes_are_those_without_float() {
        let rows = POLLUTION_FILTER;
        let (network, ids) = chain_network(rows);
        let (mut plan, mut finish) = (Plan::default(), Vec::new());
        network.schedule(&[], &mut plan, &mut finish);
        let mut drivers = Drivers::default();
        drivers.look_at(&network, &[], &plan, &finish);
        let marks = drivers.mark(&network, &[ids[7]], &finish);
        let path = network.critical_path(&[], None);
        let critical: Vec<bool> = ids.iter().map(|&id| path.is_critical(id)).collect();
        assert_eq!(marks, critical);
    }
}
