//! The dates of one trial, and what drives a milestone in it: back from the moment of the milestone through power,
//! equipment and hand-over to the activities.

use crate::model::Model;
use crate::projection::TrialRow;
use crate::sampling::design::{Noise, Sampling};
use crate::schedule::cpm::CriticalPath;
use crate::schedule::driving::Drivers;
use crate::schedule::network::NodeId;
use crate::schedule::plan::{Plan, SAME_DATE};
use crate::trial::{LiveDate, Workspace};

/// One trial's dates of the works.
pub(super) struct Dates {
    pub(super) start: Vec<f64>,
    pub(super) finish: Vec<f64>,
    pub(super) duration: Vec<f64>,
    pub(super) drives: Vec<bool>,
    /// Pairs of the position of a work and what it waited for.
    pub(super) waited: Vec<(u32, NodeId)>,
    pub(super) path: Vec<NodeId>,
    /// What came last before the milestone.
    pub(super) last: Vec<LastStep>,
    pub(super) end: f64,
}

/// The kind of what a milestone waited for to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LastStep {
    /// Works were over: an activity, or the hand-over of a hall.
    Works(NodeId),
    /// Power came: a step of the grid, a substation, bridge power, or modules of an electrical chain.
    Power(NodeId),
    /// Equipment arrived that was ordered at this node; its lead time comes after it.
    Equipment(NodeId),
}

impl LastStep {
    fn node(self) -> NodeId {
        let (Self::Works(node) | Self::Power(node) | Self::Equipment(node)) = self;
        node
    }
}

/// What a milestone waits for: all of these nodes, and the first live hall of each group.
pub(super) struct Ends {
    all: Vec<NodeId>,
    live: Vec<std::ops::Range<usize>>,
    /// What does not happen in a trial is not waited for: so it is with the end of all construction.
    of_what_happens: bool,
}

impl Ends {
    /// The end of all construction.
    pub(super) fn of_everything(model: &Model) -> Self {
        Self {
            all: model.network.nodes().collect(),
            live: Vec::new(),
            of_what_happens: model.network.may_leave_out(),
        }
    }

    /// What a milestone waits for; none if there is no such milestone.
    pub(super) fn of_milestone(model: &Model, name: &str) -> Option<Self> {
        let milestone = &model.milestones[model.layout.milestone_index(name)?];
        Some(Self {
            all: milestone.finished.clone(),
            live: milestone.live.clone(),
            of_what_happens: false,
        })
    }

    /// Whether months have to pass before its date is known: power, equipment, or phases that metrics start.
    fn needs_months(&self, model: &Model) -> bool {
        !self.live.is_empty() || !model.gates.is_empty()
    }

    /// The nodes that are waited for where they finish at these times.
    fn nodes(&self, finish: impl Fn(NodeId) -> f64) -> impl Iterator<Item = NodeId> {
        let all = self.all.iter().copied();
        all.filter(move |node| !self.of_what_happens || finish(*node) < f64::INFINITY)
    }

    /// When the milestone happens, and what came last: all that is over at that moment.
    fn last(&self, finish: &[f64], live: impl Fn(usize) -> LiveDate) -> (f64, Vec<LastStep>) {
        let works = self.nodes(|node| finish[node.index()]).map(|node| {
            let months = finish[node.index()];
            (months, vec![LastStep::Works(node)])
        });
        let halls = self.live.iter().filter_map(|halls| {
            let dates = halls.clone().map(&live);
            let first = dates.min_by(|a, b| a.months.total_cmp(&b.months))?;
            let works = first.works.iter().copied().map(LastStep::Works);
            let power = first.power.iter().copied().map(LastStep::Power);
            let equipment = first.equipment.iter().copied().map(LastStep::Equipment);
            Some((first.months, works.chain(power).chain(equipment).collect()))
        });
        let ends: Vec<(f64, Vec<LastStep>)> = works.chain(halls).collect();
        let months = (ends.iter().map(|(months, _)| *months)).fold(f64::NEG_INFINITY, f64::max);
        let is_last =
            |end: &(f64, Vec<LastStep>)| months.is_finite() && end.0 >= months - SAME_DATE;
        let last = ends.into_iter().filter(is_last).flat_map(|(_, last)| last);
        (months, last.collect())
    }
}

/// When the plan has a milestone, and the critical path to it.
pub(super) struct Planned {
    pub(super) end: f64,
    pub(super) path: CriticalPath,
}

/// What a worker reuses from trial to trial.
#[derive(Default)]
pub(super) struct Buffers {
    drawn: Vec<f64>,
    plan: Plan,
    finish: Vec<f64>,
    drivers: Drivers,
    workspace: Workspace,
    row: Option<TrialRow>,
}

impl Model {
    /// When the plan has a milestone, with floats measured to it: of construction by the critical path of the medians,
    /// without regard to crews; of a building that goes live by a trial of the medians, power and equipment included.
    pub(super) fn planned(&self, ends: &Ends) -> Planned {
        let inputs = self.planned_inputs();
        if ends.live.is_empty() {
            let path = self.network.critical_path(&inputs, None);
            let nodes: Vec<NodeId> = ends.nodes(|node| path.early_finish(node)).collect();
            let finishes = nodes.iter().map(|&node| path.early_finish(node));
            let end = finishes.fold(f64::NEG_INFINITY, f64::max);
            let by: Vec<_> = nodes.into_iter().map(|node| (node, end)).collect();
            let path = self.network.critical_path_to(&inputs, &by);
            return Planned { end, path };
        }
        let mut workspace = Workspace::default();
        let mut row = TrialRow::new(self.layout.clone());
        let noise = Noise { seed: 0, trial: 0 };
        self.simulate_inputs(&inputs, noise, &mut workspace, &mut row);
        let (_, finish) = workspace.schedule();
        let (end, _) = ends.last(finish, |hall| self.live_date(&workspace, hall));
        let mut by: Vec<_> = ends.all.iter().map(|&node| (node, end)).collect();
        for halls in ends.live.iter().filter(|_| end.is_finite()) {
            let dates = halls
                .clone()
                .map(|hall| (hall, self.live_date(&workspace, hall)));
            if let Some((hall, date)) = dates.min_by(|a, b| a.1.months.total_cmp(&b.1.months)) {
                by.extend(self.needed_by(&workspace, hall, end));
                by.extend(date.power.into_iter().map(|node| (node, end)));
            }
        }
        let path = self.network.critical_path_to(&inputs, &by);
        Planned { end, path }
    }

    /// The dates of one trial of a design.
    pub(super) fn dates(
        &self,
        sampling: &Sampling,
        trial: u64,
        works: &[NodeId],
        ends: &Ends,
        buffers: &mut Buffers,
    ) -> Dates {
        let noise = self.draw(sampling, trial, &mut buffers.drawn);
        let (plan, finish) = if ends.needs_months(self) {
            let row = buffers
                .row
                .get_or_insert_with(|| TrialRow::new(self.layout.clone()));
            self.simulate_inputs(&buffers.drawn, noise, &mut buffers.workspace, row);
            buffers.workspace.schedule()
        } else {
            (self.network).schedule(&buffers.drawn, &mut buffers.plan, &mut buffers.finish);
            (&buffers.plan, buffers.finish.as_slice())
        };
        let (end, last) = ends.last(finish, |hall| self.live_date(&buffers.workspace, hall));
        let drivers = &mut buffers.drivers;
        drivers.look_at(&self.network, &buffers.drawn, plan, finish);
        let of = |values: &[f64]| works.iter().map(|node| values[node.index()]).collect();
        let waited = (works.iter().enumerate()).flat_map(|(position, &node)| {
            let before = drivers.of(node).iter();
            before.map(move |&before| (position as u32, before))
        });
        let waited = waited.collect();
        let leading = (last.first()).map(|first| drivers.path(&[first.node()], finish));
        // Moments between works, and branches that are not taken, are no news.
        let path = (leading.into_iter().flatten())
            .filter(|&node| {
                self.network.is_work(node) && self.network.runs_in(node, &buffers.drawn)
            })
            .collect();
        let mut drives = vec![false; works.len()];
        for step in &last {
            let marks = drivers.mark(&self.network, &[step.node()], finish);
            for (drives, node) in drives.iter_mut().zip(works) {
                *drives |= marks[node.index()];
            }
        }
        Dates {
            start: of(plan.starts()),
            finish: of(finish),
            duration: of(plan.durations()),
            drives,
            waited,
            path,
            last,
            end,
        }
    }
}
