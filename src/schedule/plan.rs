//! The dates of a network in a trial.
//!
//! In the order of the network every node gets the least start that its dependencies, its earliest
//! date, its calendar and its crews admit:
//!
//! ```text
//! start(j)  = max( earliest(j), F(i) + lag, S(i) + lag, … - duration(j) )   then the calendar, then the crews
//! finish(j) = start(j) + duration(j)                                        by the calendar
//! ```
//!
//! A moment, which has no duration, stays within the working time of its calendar or at the end of it. What has
//! to start on a date (`starts_on`) starts then, whatever it waits for.
//!
//! The rest of what has begun goes on from the status date, and no sooner than it resumes; under retained logic
//! no sooner than its dependencies admit either (as P6 does by default).
//!
//! A node that waits for nothing and has no date starts at 0. An activity whose branch does not run
//! takes no time, holds no crew, and lets its dependencies through without their lags. A node that does
//! not happen in a trial starts and finishes at infinity, and so does what waits for it.

use super::calendars::WorkCalendar;
use super::network::{
    Actual, Effect, Link, LinkKind, Network, NetworkStep, Node, NodeId, Progress,
};
use super::timeline::Timeline;

/// Two dates nearer to one another than that, in months, are the same (a quarter of a second).
pub(crate) const SAME_DATE: f64 = 1e-7;

/// What a schedule needs beside the finishes; used again for trial after trial.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    start: Vec<f64>,
    duration: Vec<f64>,
    timelines: Vec<Timeline>,
    /// When each gate opened; infinite while it has not.
    gates: Vec<f64>,
}

impl Plan {
    /// When an activity started, in months; infinite if it has not been let begin.
    pub fn start(&self, node: NodeId) -> f64 {
        self.start[node.index()]
    }

    /// Starts of all nodes by [`NodeId::index`].
    pub fn starts(&self) -> &[f64] {
        &self.start
    }

    /// The working time of all nodes in months, after risk events and branches.
    pub fn durations(&self) -> &[f64] {
        &self.duration
    }

    /// Closes all gates, of which there are this many.
    pub(crate) fn close_gates(&mut self, count: usize) {
        self.gates.clear();
        self.gates.resize(count, f64::INFINITY);
    }

    /// Opens all gates of a network from the beginning.
    pub(super) fn open_all_gates(&mut self, network: &Network) {
        let last = network.nodes.iter().filter_map(|node| node.gate).max();
        self.gates.clear();
        self.gates
            .resize(last.map_or(0, |gate| gate as usize + 1), 0.0);
    }

    /// Opens a gate at a moment; [`Network::schedule_opened`] then lets through what waited for it.
    pub(crate) fn open_gate(&mut self, gate: usize, months: f64) {
        self.gates[gate] = months;
    }

    pub(crate) fn is_open(&self, gate: usize) -> bool {
        self.gates[gate] < f64::INFINITY
    }
}

impl Network {
    /// Writes the finish of every node to `finish`, indexed by [`NodeId::index`], in months from
    /// the start of the scenario. `drawn` holds this trial's inputs. A node that waits for nothing
    /// and has no earliest date starts at 0.
    pub fn schedule(&self, drawn: &[f64], plan: &mut Plan, finish: &mut Vec<f64>) {
        let count = self.len();
        finish.clear();
        plan.start.clear();
        plan.duration.clear();
        if self.is_plain {
            finish.resize(count, 0.0);
            plan.start.resize(count, 0.0);
            plan.duration.resize(count, 0.0);
            for step in &self.steps {
                self.place_plain(step, drawn, plan, finish);
            }
            return;
        }
        finish.resize(count, f64::INFINITY);
        plan.start.resize(count, f64::INFINITY);
        plan.duration
            .extend(self.nodes.iter().map(|node| duration(node, drawn)));
        plan.timelines
            .resize_with(self.crews.len(), Timeline::default);
        for (timeline, supply) in plan.timelines.iter_mut().zip(&self.crews) {
            timeline.reset(supply);
        }
        self.hold_crews_of_begun(drawn, plan, finish);
        self.schedule_opened(drawn, plan, finish);
    }

    /// Places all that could not be placed before because a gate was closed. What has its dates
    /// keeps them.
    pub(crate) fn schedule_opened(&self, drawn: &[f64], plan: &mut Plan, finish: &mut [f64]) {
        for step in &self.steps {
            if finish[step.node.index()] < f64::INFINITY {
                continue;
            }
            self.place(step, drawn, plan, finish);
        }
    }

    #[inline]
    fn place_plain(&self, step: &NetworkStep, drawn: &[f64], plan: &mut Plan, finish: &mut [f64]) {
        let mut start = step.earliest;
        for link in &self.links[step.links.clone()] {
            start = start.max(finish[link.predecessor.index()] + link.lag.value(drawn));
        }
        if start == f64::NEG_INFINITY {
            start = 0.0;
        }
        let duration = step.duration.value(drawn);
        plan.start[step.node.index()] = start;
        plan.duration[step.node.index()] = duration;
        finish[step.node.index()] = start + duration;
    }

    fn place(&self, step: &NetworkStep, drawn: &[f64], plan: &mut Plan, finish: &mut [f64]) {
        if step.is_plain && self.status_months.is_none() {
            self.place_plain(step, drawn, plan, finish);
            return;
        }
        let position = step.node.index();
        let node = &self.nodes[position];
        if let Some(actual) = &node.actual {
            self.place_begun(step, node, actual, drawn, plan, finish);
            return;
        }
        if !node.presence.iter().all(|presence| presence.holds(drawn)) {
            plan.start[position] = f64::INFINITY;
            finish[position] = f64::INFINITY;
            return;
        }
        let runs = runs(node, drawn);
        if let Some(fixed) = node.fixed_start.filter(|_| runs) {
            self.place_fixed(
                node,
                position,
                self.clamp_to_status(fixed, node),
                plan,
                finish,
            );
            return;
        }
        let bounds = self.bounds(step, runs, drawn, plan, finish);
        let earliest = self.clamp_to_status(bounds.start, node);
        if !runs {
            let at = earliest.max(bounds.finish);
            plan.start[position] = at;
            finish[position] = at;
            return;
        }
        if let Some(slots) = &node.slots {
            let queued = earliest + slots.queue.value(drawn);
            let next = slots.dates.iter().copied().find(|&date| date >= earliest);
            let begun = next.unwrap_or(f64::INFINITY).min(queued);
            plan.start[position] = earliest;
            let made = advance(self.calendar_of(node), begun, plan.duration[position]);
            finish[position] = made.max(bounds.finish);
            return;
        }
        let duration = plan.duration[position];
        let calendar = self.calendar_of(node);
        if node.starts_work && duration == 0.0 {
            let at = earliest.max(bounds.finish);
            let at = calendar.map_or(at, |calendar| calendar.next_working(at));
            plan.start[position] = at;
            finish[position] = at;
            return;
        }
        let (start, end) = match node.crews.is_empty() || duration <= 0.0 {
            true => fit(calendar, earliest, bounds.finish, duration),
            false => place_with_crews(node, calendar, (earliest, bounds.finish), duration, plan),
        };
        plan.start[position] = start;
        finish[position] = end;
    }

    /// Places what has begun: without retained logic it has its dates and its crews already.
    fn place_begun(
        &self,
        step: &NetworkStep,
        node: &Node,
        actual: &Actual,
        drawn: &[f64],
        plan: &mut Plan,
        finish: &mut [f64],
    ) {
        let position = step.node.index();
        let bounds = self.logic_bounds(step, true, drawn, plan, finish);
        let duration = plan.duration[position];
        let finished = self.finish_of_begun(node, actual, &bounds, duration, drawn);
        hold(node, position, (actual.started, finished), plan, finish);
    }

    /// Places what starts on a date, whatever it waits for, and even if its crews are busy.
    fn place_fixed(
        &self,
        node: &Node,
        position: usize,
        at: f64,
        plan: &mut Plan,
        finish: &mut [f64],
    ) {
        let dates = fit(
            self.calendar_of(node),
            at,
            node.earliest_finish,
            plan.duration[position],
        );
        hold(node, position, dates, plan, finish);
    }

    /// What has not begun begins no sooner than the status date.
    fn clamp_to_status(&self, start: f64, node: &Node) -> f64 {
        match self.status_months {
            Some(status) if node.is_work => start.max(status),
            _ => start,
        }
    }

    /// The bounds of all dependencies of a node, its own date, and its gate.
    fn bounds(
        &self,
        step: &NetworkStep,
        runs: bool,
        drawn: &[f64],
        plan: &Plan,
        finish: &[f64],
    ) -> Bounds {
        let node = &self.nodes[step.node.index()];
        let mut bounds = self.logic_bounds(step, runs, drawn, plan, finish);
        if runs {
            bounds.start = bounds.start.max(step.earliest);
            bounds.finish = bounds.finish.max(node.earliest_finish);
        }
        if let Some(gate) = node.gate {
            let opened = plan.gates.get(gate as usize).copied();
            bounds.start = bounds.start.max(opened.unwrap_or(f64::INFINITY));
        }
        if bounds.start == f64::NEG_INFINITY {
            bounds.start = 0.0;
        }
        bounds
    }

    /// The bounds of all dependencies of a node; negative infinity where there is none.
    fn logic_bounds(
        &self,
        step: &NetworkStep,
        runs: bool,
        drawn: &[f64],
        plan: &Plan,
        finish: &[f64],
    ) -> Bounds {
        let mut bounds = Bounds::NONE;
        for link in &self.links[step.links.clone()] {
            let predecessor = link.predecessor.index();
            let from = if link.kind.is_from_start() {
                plan.start[predecessor]
            } else {
                finish[predecessor]
            };
            let ignores_lag = !runs || !self.runs_in(link.predecessor, drawn);
            let at = if ignores_lag {
                from
            } else {
                self.lagged(link, from, link.lag.value(drawn))
            };
            if link.kind.is_to_start() {
                bounds.start = bounds.start.max(at);
            } else {
                bounds.finish = bounds.finish.max(at);
            }
        }
        bounds
    }

    pub(crate) fn runs_in(&self, node: NodeId, drawn: &[f64]) -> bool {
        let node = &self.nodes[node.index()];
        node.actual.is_some() || runs(node, drawn)
    }

    pub(super) fn lagged(&self, link: &Link, from: f64, lag: f64) -> f64 {
        match link.lag_calendar {
            Some(calendar) => self.calendars[calendar as usize].add(from, lag),
            None => from + lag,
        }
    }

    pub(super) fn calendar_of(&self, node: &Node) -> Option<&WorkCalendar> {
        node.calendar
            .map(|calendar| self.calendars[calendar as usize].as_ref())
    }

    /// Gives what has begun its dates and its crews before all others; under retained logic only what has
    /// finished, for the rest waits for its dependencies.
    fn hold_crews_of_begun(&self, drawn: &[f64], plan: &mut Plan, finish: &mut [f64]) {
        if self.status_months.is_none() {
            return;
        }
        for (position, node) in self.nodes.iter().enumerate() {
            let Some(actual) = &node.actual else { continue };
            if self.retains_logic && !matches!(actual.progress, Progress::Finished(_)) {
                continue;
            }
            let finished =
                self.finish_of_begun(node, actual, &Bounds::NONE, plan.duration[position], drawn);
            hold(node, position, (actual.started, finished), plan, finish);
        }
    }

    /// When what has begun finishes; its dependencies count under retained logic alone.
    fn finish_of_begun(
        &self,
        node: &Node,
        actual: &Actual,
        bounds: &Bounds,
        duration: f64,
        drawn: &[f64],
    ) -> f64 {
        let status = self.status_months.unwrap_or(f64::NEG_INFINITY);
        let calendar = self.calendar_of(node);
        let bounds = if self.retains_logic {
            bounds
        } else {
            &Bounds::NONE
        };
        let from = status.max(actual.resumes).max(bounds.start);
        let finished = match actual.progress {
            Progress::Finished(at) => return at,
            Progress::Remaining(work) => advance(calendar, from, work.value(drawn)),
            Progress::Running if from > status => {
                let done = match calendar {
                    Some(calendar) => calendar.work_between(actual.started, status),
                    None => status - actual.started,
                };
                advance(calendar, from, (duration - done).max(0.0))
            }
            Progress::Running => advance(calendar, actual.started, duration).max(status),
        };
        finished.max(bounds.finish)
    }
}

struct Bounds {
    start: f64,
    finish: f64,
}

impl Bounds {
    const NONE: Self = Self {
        start: f64::NEG_INFINITY,
        finish: f64::NEG_INFINITY,
    };
}

/// Start and finish of uninterrupted work no sooner than two bounds.
fn fit(
    calendar: Option<&WorkCalendar>,
    earliest: f64,
    least_finish: f64,
    duration: f64,
) -> (f64, f64) {
    match calendar {
        Some(calendar) if duration > 0.0 => {
            let start = calendar.next_working(earliest);
            let finish = calendar.add(start, duration);
            if finish >= least_finish {
                return (start, finish);
            }
            // Nothing finishes outside of working time.
            let least_finish = calendar.moment_from(least_finish);
            let start = calendar.next_working(calendar.subtract(least_finish, duration).max(start));
            (start, calendar.add(start, duration).max(least_finish))
        }
        Some(calendar) => {
            let at = calendar.moment_from(earliest.max(least_finish));
            (at, at)
        }
        None => {
            let start = earliest.max(least_finish - duration);
            (start, (start + duration).max(least_finish))
        }
    }
}

fn advance(calendar: Option<&WorkCalendar>, from: f64, work: f64) -> f64 {
    match calendar {
        Some(calendar) => calendar.add(from, work),
        None => from + work,
    }
}

/// Whether an activity runs in this trial.
pub(super) fn runs(node: &Node, drawn: &[f64]) -> bool {
    node.conditions
        .iter()
        .all(|condition| (condition.happens.value(drawn) != 0.0) == condition.runs_if)
}

/// The working time of an activity in this trial, after risk events; 0 if it does not run.
fn duration(node: &Node, drawn: &[f64]) -> f64 {
    if node.actual.is_none() && !runs(node, drawn) {
        return 0.0;
    }
    if let Some(outlasted) = &node.outlasted {
        let (factor, delay) = effects(node, drawn);
        return factor * outlasted.duration(factor, delay, drawn) + delay;
    }
    let mut duration = node.duration.value(drawn);
    let mut delay = 0.0;
    for Effect {
        happens,
        factor,
        delay_months,
    } in &node.effects
    {
        if happens.value(drawn) != 0.0 {
            duration *= factor.value(drawn);
            delay += delay_months.value(drawn);
        }
    }
    duration + delay
}

/// The product of the factors, and the sum of the delays, of what happens to an activity.
fn effects(node: &Node, drawn: &[f64]) -> (f64, f64) {
    let happening = (node.effects.iter()).filter(|effect| effect.happens.value(drawn) != 0.0);
    happening.fold((1.0, 0.0), |(factor, delay), effect| {
        (
            factor * effect.factor.value(drawn),
            delay + effect.delay_months.value(drawn),
        )
    })
}

impl Network {
    /// The durations of all nodes for these inputs, by [`NodeId::index`].
    pub(super) fn durations(&self, drawn: &[f64]) -> Vec<f64> {
        self.nodes
            .iter()
            .map(|node| duration(node, drawn))
            .collect()
    }

    /// Whether the lag of a dependency counts for these inputs.
    pub(super) fn lag_counts(&self, node: NodeId, link: &Link, drawn: &[f64]) -> bool {
        self.runs_in(node, drawn) && self.runs_in(link.predecessor, drawn)
    }

    /// The date that a dependency demands of the end of the successor that waits.
    pub(super) fn demanded(&self, node: NodeId, link: &Link, from: f64, drawn: &[f64]) -> f64 {
        if self.lag_counts(node, link, drawn) {
            self.lagged(link, from, link.lag.value(drawn))
        } else {
            from
        }
    }
}

/// The end of an activity that a dependency joins, from its two ends.
pub(super) fn end_of(kind: LinkKind, of_predecessor: bool, start: f64, finish: f64) -> f64 {
    let is_start = if of_predecessor {
        kind.is_from_start()
    } else {
        kind.is_to_start()
    };
    if is_start { start } else { finish }
}

/// Gives an activity its dates and keeps its crews for it, even those that are busy.
fn hold(
    node: &Node,
    position: usize,
    (start, end): (f64, f64),
    plan: &mut Plan,
    finish: &mut [f64],
) {
    for (crew, units) in &node.crews {
        plan.timelines[crew.0 as usize].reserve(start, end, *units);
    }
    plan.start[position] = start;
    finish[position] = end;
}

/// The first stretch of time in which all crews of a node are free, which they are reserved for.
fn place_with_crews(
    node: &Node,
    calendar: Option<&WorkCalendar>,
    (earliest, finish): (f64, f64),
    duration: f64,
    plan: &mut Plan,
) -> (f64, f64) {
    let (mut start, mut end) = fit(calendar, earliest, finish, duration);
    if start == f64::INFINITY {
        return (start, end);
    }
    // No stretch in which crews are free is of use that is shorter than this.
    let shortest = calendar.map_or(duration, |calendar| calendar.least_elapsed(duration));
    while let Some(later) = (node.crews.iter()).find_map(|(crew, units)| {
        plan.timelines[crew.0 as usize].conflict(start, end, *units, shortest)
    }) {
        if later == f64::INFINITY {
            return (later, later);
        }
        (start, end) = fit(calendar, later, finish, duration);
    }
    if start < f64::INFINITY {
        for (crew, units) in &node.crews {
            plan.timelines[crew.0 as usize].reserve(start, end, *units);
        }
    }
    (start, end)
}
