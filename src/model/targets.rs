//! Targets and the conditions of phases, with their names resolved.

use super::milestones::Milestones;
use crate::projection::Layout;
use crate::projection::metrics::{METRICS, MetricId};
use crate::scenario::{Scenario, Target};
use crate::schedule::compiler::Compiler;
use crate::schedule::network::NodeId;
use crate::site::{Clause, Gate, Phase};

#[derive(Clone, Debug)]
pub(crate) enum CompiledTarget {
    Metric {
        scope: usize,
        metric: usize,
        at_least: f64,
        month: usize,
    },
    Milestone {
        milestone: usize,
        by_months: f64,
    },
    /// Both together.
    Joint(Box<[CompiledTarget; 2]>),
}

impl CompiledTarget {
    /// Adds the metrics on which it depends.
    pub(super) fn note_metrics(&self, to: &mut Vec<usize>) {
        match self {
            Self::Metric { metric, .. } => to.push(*metric),
            Self::Milestone { .. } => {}
            Self::Joint(parts) => parts.iter().for_each(|part| part.note_metrics(to)),
        }
    }
}

/// The targets of a scenario; metrics get their places by [`resolve_targets`].
pub(super) fn compile_targets(
    scenario: &Scenario,
    milestones: &Milestones,
    reported: &[MetricId],
    compiler: &mut Compiler<'_>,
) -> Vec<CompiledTarget> {
    let targets = scenario.targets.iter().enumerate();
    let targets = targets.filter_map(|(position, target)| {
        compiler.item("targets", position, |compiler| {
            let milestone = milestone_part(target, milestones, compiler);
            let metric = metric_part(target, scenario, reported, compiler);
            match (milestone, metric) {
                (Some(milestone), Some(metric)) => {
                    Some(CompiledTarget::Joint(Box::new([milestone, metric])))
                }
                (milestone, metric) => milestone.or(metric),
            }
        })
    });
    targets.collect()
}

fn milestone_part(
    target: &Target,
    milestones: &Milestones,
    compiler: &mut Compiler<'_>,
) -> Option<CompiledTarget> {
    let wanted = target.milestone.as_ref()?;
    let mut names = milestones.names.iter();
    let Some(milestone) = names.position(|name| name == wanted) else {
        let names = milestones.names.iter().map(String::as_str);
        let help = compiler.problems.name_help(wanted, names);
        let message = format!("there is no milestone \"{wanted}\"");
        compiler.error("milestone", message, help);
        return None;
    };
    Some(CompiledTarget::Milestone {
        milestone,
        by_months: compiler.months_until(target.by).floor() + 1.0,
    })
}

fn metric_part(
    target: &Target,
    scenario: &Scenario,
    reported: &[MetricId],
    compiler: &mut Compiler<'_>,
) -> Option<CompiledTarget> {
    let (metric, at_least) = (target.metric.as_ref()?, target.at_least?);
    let mut campuses = scenario.campuses.iter();
    let campus = campuses.position(|campus| Some(&campus.name) == target.campus.as_ref());
    let scope = match campus {
        Some(campus) if scenario.campuses.len() > 1 => campus + 1,
        _ => 0,
    };
    let name = |known: &MetricId| METRICS[*known as usize].name;
    let is_known = METRICS.iter().any(|known| known.name == metric);
    if is_known && !reported.iter().any(|known| name(known) == metric) {
        compiler.error(
            "metric",
            format!("this scenario does not report {metric}"),
            "state what the metric is of, or take another",
        );
        return None;
    }
    Some(CompiledTarget::Metric {
        scope,
        metric: 0,
        at_least,
        month: compiler.months_until(target.by).floor().max(0.0) as usize,
    })
}

/// Gives metrics of targets their places in the complete layout.
pub(super) fn resolve_targets(
    compiled: &mut [CompiledTarget],
    targets: &[Target],
    layout: &Layout,
) {
    for (target, compiled) in targets.iter().zip(compiled) {
        let part = match compiled {
            CompiledTarget::Joint(parts) => &mut parts[1],
            single => single,
        };
        if let (CompiledTarget::Metric { metric, .. }, Some(name)) = (part, &target.metric) {
            *metric = layout.metric_index(name).unwrap_or(0);
        }
    }
}

/// The gates of phases that start when conditions hold, in the order of their numbers.
pub(super) fn compile_gates(gates: &[(NodeId, &Phase)], layout: &Layout) -> Vec<Gate> {
    let gates = gates.iter().map(|(ready, phase)| Gate {
        ready: *ready,
        conditions: (phase.when.iter())
            .map(|condition| Clause {
                scope: (condition.campus.as_deref())
                    .and_then(|campus| layout.scope_index(campus))
                    .unwrap_or(0),
                metric: layout.metric_index(&condition.metric).unwrap_or(0),
                at_least: condition.at_least.unwrap_or(f64::NEG_INFINITY),
                at_most: condition.at_most.unwrap_or(f64::INFINITY),
                for_months: condition.for_months as usize,
            })
            .collect(),
        at_latest: (phase.at_latest).map_or(f64::INFINITY, |date| {
            date.months_after(layout.start).floor() + 1.0
        }),
    });
    gates.collect()
}
