//! What many trials say of a schedule: when each activity starts and finishes, and which drive the end.
//!
//! For an activity with the durations d in the trials, and the finish T of the milestone:
//!
//! - **Criticality index**: the share of trials in which it drives the finish, that is, in which a
//!   chain without slack leads from it to the milestone (Martin, "Distribution of the time through
//!   a directed, acyclic network", Operations Research 13, 1965). Where several chains lead to one
//!   milestone it is the probability that this one is the last, which shows the merge bias.
//! - **Cruciality**: the rank correlation (Spearman's) of d and T (Williams, "Criticality in
//!   stochastic networks", JORS 43, 1992).
//! - **Schedule sensitivity index**: criticality index x sd(d) / sd(T) (Vanhoucke, "Using activity
//!   sensitivity and network topology information to monitor project time performance", Omega 38,
//!   2010).
//!
//! - **Drive probabilities**: of what an activity waits for, how often each is waited for to the last;
//!   and of the chains that lead to the milestone, how often each drives it. Where several paths
//!   merge, the milestone is later than any of them on average (merge bias; MacCrimmon & Ryavec, "An
//!   analytical study of the PERT assumptions", Operations Research 12, 1964): compare the plan's
//!   finish with the P50, and with the probability to finish by the plan.
//!
//! The live date of a building is that of its first hall in the trial: the last of its hand-over, the energisation of
//! what feeds it, and the arrival of its equipment, which counts from the activity after which it is ordered. What
//! came last is reported with its share, and chains continue backwards from there.
//!
//! A chain ends at a phase that metrics start: what moved the metrics is no activity.
//!
//! Durations and dates are in months, probabilities 0 to 1. Results take about 35 bytes for each
//! activity and trial while they are gathered.

mod dates;
mod statistics;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::model::Model;
use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::trial_loop::TrialLoop;
use crate::parallel;
use crate::sampling::design::Drawing;
use crate::schedule::cpm::CriticalPath;
use crate::schedule::network::NodeId;
use dates::{Buffers, Dates, Ends, LastStep};
use statistics::{mean, percentiles, rank_correlation, sd};

/// How many of the chains that drive a milestone are reported.
const MOST_PATHS: usize = 20;

/// What many trials say of a schedule; made by [`Model::schedule_report`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScheduleReport {
    /// The name of the scenario.
    pub scenario: String,
    /// The start of the scenario, from which months count.
    pub start: Date,
    /// The seed.
    pub seed: u64,
    /// How many trials.
    pub trials: u64,
    /// The milestone whose drivers are sought; none: the end of all construction.
    pub milestone: Option<String>,
    /// When the plan has it: by the critical path of the medians, without regard to crews; of a building that goes live
    /// by a trial of the medians, power and equipment included.
    pub planned_finish_months: Option<f64>,
    /// P10, P50 and P90 of its date; null where it does not happen.
    pub finish_months: [Option<f64>; 3],
    /// The probability that it happens by the plan's date.
    pub by_plan: f64,
    /// All activities and grid steps, in the order of the scenario.
    pub activities: Vec<ActivityReport>,
    /// The chains that drive the milestone, the most frequent first; at most 20.
    pub paths: Vec<PathReport>,
    /// What the milestone waited for to the last, the most frequent first. Shares add up to more than 1 where several
    /// things come at once.
    #[serde(default)]
    pub last_steps: Vec<LastStepReport>,
}

/// What came last before a milestone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastStepReport {
    /// Its kind.
    pub kind: LastStepKind,
    /// Its name with its campus; of equipment, that of what it is ordered after.
    pub name: String,
    /// The share of trials in which it came last.
    pub share: f64,
}

/// The kind of what came last before a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LastStepKind {
    /// An activity, or the hand-over of a hall.
    Works,
    /// Energisation: a step of the grid, a substation, bridge power, or modules of an electrical chain.
    Power,
    /// The arrival of equipment.
    Equipment,
}

/// Dates of an activity, and what it does to the milestone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActivityReport {
    /// Its name with its campus, such as "north/A1/shell".
    pub name: String,
    /// What the plan says of it.
    pub plan: PlannedActivity,
    /// P10, P50 and P90 of its start, in months from the start of the scenario; null where it does not start.
    pub start_months: [Option<f64>; 3],
    /// P10, P50 and P90 of its finish.
    pub finish_months: [Option<f64>; 3],
    /// The probability that it has finished by the plan's early finish.
    pub by_plan: f64,
    /// Mean of its working time.
    pub mean_duration_months: f64,
    /// The share of trials in which it drives the milestone.
    pub criticality_index: f64,
    /// Rank correlation of its duration with the date of the milestone; null if one of them does not vary.
    pub cruciality: Option<f64>,
    /// Criticality index x sd of its duration / sd of the milestone's date; null if that does not vary.
    pub schedule_sensitivity_index: Option<f64>,
    /// What it waited for to the last, the most frequent first. Shares add up to more than 1 where
    /// several things are over at once, and to less where its own date or nothing held it back.
    pub driven_by: Vec<Driver>,
}

/// Dates and floats of an activity by the critical path of the medians, without regard to crews, in months from the
/// start of the scenario; null where there is no such date, and late dates and floats of what does not lead to the
/// milestone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedActivity {
    /// The soonest it can start.
    pub early_start_months: Option<f64>,
    /// The soonest it can finish.
    pub early_finish_months: Option<f64>,
    /// The latest it may start without moving the milestone.
    pub late_start_months: Option<f64>,
    /// The latest it may finish.
    pub late_finish_months: Option<f64>,
    /// By how much it may finish later without moving the end.
    pub total_float_months: Option<f64>,
    /// By how much it may finish later without moving another early date.
    pub free_float_months: Option<f64>,
}

/// Something that an activity waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Driver {
    /// Its name.
    pub name: String,
    /// The share of trials in which it is waited for to the last.
    pub share: f64,
}

/// A chain of activities without slack that leads to the milestone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PathReport {
    /// Its activities, the first first.
    pub activities: Vec<String>,
    /// The share of trials in which it drives the milestone.
    pub share: f64,
}

/// There is no milestone of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no milestone \"{wanted}\"{}", nearest.as_ref().map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default())]
#[non_exhaustive]
pub struct UnknownMilestone {
    /// What was asked for.
    pub wanted: String,
    /// The milestone that is called most nearly so.
    pub nearest: Option<String>,
}

/// Why there is no report of a schedule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There is no milestone of that name.
    #[error(transparent)]
    Milestone(#[from] UnknownMilestone),
    /// The trials did not run.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Model {
    /// Gathers the dates of all activities over the trials 0 to `trials` - 1 of a design (or of a seed alone), and what
    /// drives a milestone. A building that goes live does so in the trial itself, with its first hall: by the last of
    /// hand-over, power and equipment, from which the activities before it are traced.
    pub fn schedule_report(
        &self,
        drawing: impl Into<Drawing>,
        trials: u64,
        milestone: Option<&str>,
    ) -> Result<ScheduleReport, ScheduleError> {
        let ends = match milestone {
            Some(name) => Ends::of_milestone(self, name).ok_or_else(|| {
                let known = self.layout.milestones.iter().map(String::as_str);
                UnknownMilestone {
                    wanted: name.to_owned(),
                    nearest: crate::problem::nearest(name, known).map(str::to_owned),
                }
            })?,
            None => Ends::of_everything(self),
        };
        let works: Vec<NodeId> = (self.network.nodes())
            .filter(|&node| self.network.is_work(node))
            .collect();
        let drawing = drawing.into();
        drawing
            .design()
            .check_trials(trials)
            .map_err(RunError::from)?;
        let sampling = self.sampling_of(&drawing).map_err(RunError::from)?;
        let all: Vec<Dates> =
            TrialLoop::new().map(0..trials, Buffers::default, |buffers, trial| {
                self.dates(&sampling, trial, &works, &ends, buffers)
            })?;
        let plan = self.planned(&ends);
        let end: Vec<f64> = all.iter().map(|dates| dates.end).collect();
        Ok(ScheduleReport {
            scenario: self.name().to_owned(),
            start: self.layout.start,
            seed: drawing.seed(),
            trials,
            milestone: milestone.map(str::to_owned),
            planned_finish_months: finite(plan.end),
            by_plan: by(&end, plan.end) as f64 / all.len().max(1) as f64,
            last_steps: self.last_steps(&all),
            activities: self.activities(&all, &works, &plan.path, &end),
            finish_months: percentiles(end),
            paths: self.paths(&all),
        })
    }

    /// Dates, floats and what they do to the milestone's date, of all works.
    fn activities(
        &self,
        all: &[Dates],
        works: &[NodeId],
        path: &CriticalPath,
        end: &[f64],
    ) -> Vec<ActivityReport> {
        let spread_of_end = sd(end);
        let waited = self.waited(all, works.len());
        let share = |count: usize| count as f64 / all.len().max(1) as f64;
        let report = |position: usize| {
            let node = works[position];
            let column = |of: fn(&Dates) -> &Vec<f64>| -> Vec<f64> {
                all.iter().map(|dates| of(dates)[position]).collect()
            };
            let duration = column(|dates| &dates.duration);
            let finish = column(|dates| &dates.finish);
            let drives = all.iter().filter(|dates| dates.drives[position]).count();
            let criticality_index = share(drives);
            ActivityReport {
                name: self.network.name(node).to_owned(),
                plan: planned(path, node),
                start_months: percentiles(column(|dates| &dates.start)),
                by_plan: share(by(&finish, path.early_finish(node))),
                finish_months: percentiles(finish),
                mean_duration_months: mean(&duration),
                criticality_index,
                cruciality: rank_correlation(&duration, end),
                schedule_sensitivity_index: (spread_of_end > 0.0)
                    .then(|| criticality_index * sd(&duration) / spread_of_end),
                driven_by: waited[position].clone(),
            }
        };
        parallel::map_numbers(works.len(), report)
    }

    /// What came last before the milestone, and how often.
    fn last_steps(&self, all: &[Dates]) -> Vec<LastStepReport> {
        let mut counts: BTreeMap<LastStep, u64> = BTreeMap::new();
        for &step in all.iter().flat_map(|dates| &dates.last) {
            *counts.entry(step).or_default() += 1;
        }
        let mut steps: Vec<LastStepReport> = (counts.into_iter())
            .map(|(step, count)| {
                let (kind, node) = match step {
                    LastStep::Works(node) => (LastStepKind::Works, node),
                    LastStep::Power(node) => (LastStepKind::Power, node),
                    LastStep::Equipment(node) => (LastStepKind::Equipment, node),
                };
                LastStepReport {
                    kind,
                    name: self.network.name(node).to_owned(),
                    share: count as f64 / all.len() as f64,
                }
            })
            .collect();
        steps.sort_by(|a, b| b.share.total_cmp(&a.share));
        steps
    }

    /// What each work waited for, and how often.
    fn waited(&self, all: &[Dates], works: usize) -> Vec<Vec<Driver>> {
        let mut counts: Vec<BTreeMap<NodeId, u64>> = vec![BTreeMap::new(); works];
        for &(work, before) in all.iter().flat_map(|dates| &dates.waited) {
            *counts[work as usize].entry(before).or_default() += 1;
        }
        let drivers = |counts: BTreeMap<NodeId, u64>| -> Vec<Driver> {
            let mut drivers: Vec<Driver> = (counts.into_iter())
                .map(|(node, count)| Driver {
                    name: self.network.name(node).to_owned(),
                    share: count as f64 / all.len() as f64,
                })
                .collect();
            // Of equal ones what stands first in the scenario stays first.
            drivers.sort_by(|a, b| b.share.total_cmp(&a.share));
            drivers
        };
        counts.into_iter().map(drivers).collect()
    }

    /// The chains that drive the milestone, the most frequent first.
    fn paths(&self, all: &[Dates]) -> Vec<PathReport> {
        let mut counts: BTreeMap<&[NodeId], u64> = BTreeMap::new();
        for dates in all.iter().filter(|dates| !dates.path.is_empty()) {
            *counts.entry(&dates.path).or_default() += 1;
        }
        let mut counts: Vec<(&[NodeId], u64)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let path = |(path, count): &(&[NodeId], u64)| PathReport {
            activities: path
                .iter()
                .map(|&node| self.network.name(node).to_owned())
                .collect(),
            share: *count as f64 / all.len() as f64,
        };
        counts.iter().take(MOST_PATHS).map(path).collect()
    }
}

fn planned(path: &CriticalPath, node: NodeId) -> PlannedActivity {
    PlannedActivity {
        early_start_months: finite(path.early_start(node)),
        early_finish_months: finite(path.early_finish(node)),
        late_start_months: finite(path.late_start(node)),
        late_finish_months: finite(path.late_finish(node)),
        total_float_months: finite(path.total_float(node)),
        free_float_months: finite(path.free_float(node)),
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// How many dates are no later than the plan's, within what rounding may add.
fn by(dates: &[f64], planned: f64) -> usize {
    const ROUNDING: f64 = 1e-7;
    let in_time = dates.iter().filter(|date| **date <= planned + ROUNDING);
    in_time.count()
}

#[cfg(test)]
mod tests;
