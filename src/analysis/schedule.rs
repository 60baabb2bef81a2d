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
//! A chain ends at a phase that metrics start: what moved the metrics is no activity.
//!
//! Durations and dates are in months, probabilities 0 to 1. Results take about 35 bytes for each
//! activity and trial while they are gathered.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::model::Model;
use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::trial_loop::TrialLoop;
use crate::projection::TrialRow;
use crate::sampling::design::{Drawing, Sampling};
use crate::schedule::cpm::CriticalPath;
use crate::schedule::driving::Drivers;
use crate::schedule::network::NodeId;
use crate::schedule::plan::Plan;
use crate::trial::Workspace;

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
    /// When the plan has it: by the critical path of the medians, without regard to crews.
    pub planned_finish_months: Option<f64>,
    /// P10, P50 and P90 of its date; null where it does not happen.
    pub finish_months: [Option<f64>; 3],
    /// The probability that it happens by the plan's date.
    pub by_plan: f64,
    /// All activities and grid steps, in the order of the scenario.
    pub activities: Vec<ActivityReport>,
    /// The chains that drive the milestone, the most frequent first; at most 20.
    pub paths: Vec<PathReport>,
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

/// Dates and floats of an activity by the critical path of the medians, without regard to crews,
/// in months from the start of the scenario; null where there is no such date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedActivity {
    /// The soonest it can start.
    pub early_start_months: Option<f64>,
    /// The soonest it can finish.
    pub early_finish_months: Option<f64>,
    /// The latest it may start without moving the end of all construction.
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
pub struct Driver {
    /// Its name.
    pub name: String,
    /// The share of trials in which it is waited for to the last.
    pub share: f64,
}

/// A chain of activities without slack that leads to the milestone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathReport {
    /// Its activities, the first first.
    pub activities: Vec<String>,
    /// The share of trials in which it drives the milestone.
    pub share: f64,
}

/// There is no milestone of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no milestone \"{wanted}\"{}", nearest.as_ref().map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default())]
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

/// One trial's dates of the works.
struct Dates {
    start: Vec<f64>,
    finish: Vec<f64>,
    duration: Vec<f64>,
    drives: Vec<bool>,
    /// Pairs of the position of a work and what it waited for.
    waited: Vec<(u32, NodeId)>,
    path: Vec<NodeId>,
    end: f64,
}

/// What a milestone waits for: all of these, and the first of each group.
struct Ends {
    all: Vec<NodeId>,
    first_of: Vec<Vec<NodeId>>,
}

impl Ends {
    /// The ends that count when things finish at these times.
    fn when(&self, finish: impl Fn(NodeId) -> f64) -> Vec<NodeId> {
        let first = |group: &Vec<NodeId>| {
            let earlier = |a: &NodeId, b: &NodeId| finish(*a).total_cmp(&finish(*b));
            group.iter().copied().min_by(earlier)
        };
        let firsts = self.first_of.iter().filter_map(first);
        self.all.iter().copied().chain(firsts).collect()
    }
}

#[derive(Default)]
struct Buffers {
    drawn: Vec<f64>,
    plan: Plan,
    finish: Vec<f64>,
    drivers: Drivers,
    workspace: Workspace,
    row: Option<TrialRow>,
}

impl Model {
    /// Gathers the dates of all activities over the trials 0 to `trials` - 1 of a design (or of a seed alone), and what
    /// drives a milestone. A building that goes live counts from the hand-over of the first of its halls: what
    /// power and equipment add to that is told by the milestone's own date in a projection.
    pub fn schedule_report(
        &self,
        drawing: impl Into<Drawing>,
        trials: u64,
        milestone: Option<&str>,
    ) -> Result<ScheduleReport, ScheduleError> {
        let ends = match milestone {
            Some(name) => self.ends_of(name).ok_or_else(|| {
                let known = self.layout.milestones.iter().map(String::as_str);
                UnknownMilestone {
                    wanted: name.to_owned(),
                    nearest: crate::problem::nearest(name, known).map(str::to_owned),
                }
            })?,
            None => Ends {
                all: self.network.nodes().collect(),
                first_of: Vec::new(),
            },
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
        let path = self.network.critical_path(&self.planned_inputs(), None);
        let planned_end = (ends.when(|node| path.early_finish(node)).iter())
            .map(|&node| path.early_finish(node))
            .fold(f64::NEG_INFINITY, f64::max);
        let end: Vec<f64> = all.iter().map(|dates| dates.end).collect();
        let spread_of_end = sd(&end);
        let share = |count: usize| count as f64 / all.len().max(1) as f64;
        let mut waited = self.waited(&all, works.len());
        let mut activities: Vec<ActivityReport> = works
            .par_iter()
            .enumerate()
            .map(|(position, &node)| {
                let column = |of: fn(&Dates) -> &Vec<f64>| -> Vec<f64> {
                    all.iter().map(|dates| of(dates)[position]).collect()
                };
                let duration = column(|dates| &dates.duration);
                let finish = column(|dates| &dates.finish);
                let drives = all.iter().filter(|dates| dates.drives[position]).count();
                let criticality_index = share(drives);
                ActivityReport {
                    name: self.network.name(node).to_owned(),
                    plan: planned(&path, node),
                    start_months: percentiles(column(|dates| &dates.start)),
                    by_plan: share(by(&finish, path.early_finish(node))),
                    finish_months: percentiles(finish),
                    mean_duration_months: mean(&duration),
                    criticality_index,
                    cruciality: rank_correlation(&duration, &end),
                    schedule_sensitivity_index: (spread_of_end > 0.0)
                        .then(|| criticality_index * sd(&duration) / spread_of_end),
                    driven_by: Vec::new(),
                }
            })
            .collect();
        for (activity, waited) in activities.iter_mut().zip(&mut waited) {
            activity.driven_by = std::mem::take(waited);
        }
        Ok(ScheduleReport {
            scenario: self.name().to_owned(),
            start: self.layout.start,
            seed: drawing.seed(),
            trials,
            milestone: milestone.map(str::to_owned),
            planned_finish_months: finite(planned_end),
            by_plan: share(by(&end, planned_end)),
            finish_months: percentiles(end),
            activities,
            paths: self.paths(&all),
        })
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

    /// The nodes at whose last finish a milestone happens.
    fn ends_of(&self, milestone: &str) -> Option<Ends> {
        let position = self.layout.milestone_index(milestone)?;
        let compiled = &self.milestones[position];
        let first_of = compiled.live.iter().cloned().map(|halls| {
            halls
                .map(|hall| self.halls[hall].handover)
                .collect::<Vec<_>>()
        });
        Some(Ends {
            all: compiled.finished.clone(),
            first_of: first_of.collect(),
        })
    }

    fn dates(
        &self,
        sampling: &Sampling,
        trial: u64,
        works: &[NodeId],
        ends: &Ends,
        buffers: &mut Buffers,
    ) -> Dates {
        let noise = self.draw(sampling, trial, &mut buffers.drawn);
        let (plan, finish) = if self.gates.is_empty() {
            (self.network).schedule(&buffers.drawn, &mut buffers.plan, &mut buffers.finish);
            (&buffers.plan, buffers.finish.as_slice())
        } else {
            // Phases start by what the months report, so the months have to pass.
            let row = buffers
                .row
                .get_or_insert_with(|| TrialRow::new(self.layout.clone()));
            self.simulate_inputs(&buffers.drawn, noise, &mut buffers.workspace, row);
            buffers.workspace.schedule()
        };
        let ends = &*ends.when(|node| finish[node.index()]);
        let drivers = &mut buffers.drivers;
        drivers.look_at(&self.network, &buffers.drawn, plan, finish);
        let of = |values: &[f64]| works.iter().map(|node| values[node.index()]).collect();
        let waited = (works.iter().enumerate()).flat_map(|(position, &node)| {
            let before = drivers.of(node).iter();
            before.map(move |&before| (position as u32, before))
        });
        let waited = waited.collect();
        // Moments between works, and branches that are not taken, are no news.
        let path = (drivers.path(ends, finish).into_iter())
            .filter(|&node| {
                self.network.is_work(node) && self.network.runs_in(node, &buffers.drawn)
            })
            .collect();
        let marks = drivers.mark(&self.network, ends, finish);
        Dates {
            start: of(plan.starts()),
            finish: of(finish),
            duration: of(plan.durations()),
            drives: works.iter().map(|node| marks[node.index()]).collect(),
            waited,
            path,
            end: (ends.iter())
                .map(|node| finish[node.index()])
                .fold(f64::NEG_INFINITY, f64::max),
        }
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

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn sd(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    let variance = squares.sum::<f64>() / (values.len().max(2) - 1) as f64;
    if variance.is_finite() {
        variance.sqrt()
    } else {
        0.0
    }
}

/// P10, P50 and P90: the least value that so large a share does not exceed.
fn percentiles(mut values: Vec<f64>) -> [Option<f64>; 3] {
    values.sort_by(f64::total_cmp);
    [0.1, 0.5, 0.9].map(|share| {
        let rank = (share * values.len() as f64).ceil() as usize;
        values
            .get(rank.max(1) - 1)
            .copied()
            .filter(|value| value.is_finite())
    })
}

/// Spearman's rank correlation, equal values having their mean rank.
fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let pairs = a.iter().zip(&b);
    let covariance: f64 = pairs.map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let spread = sd(&a) * sd(&b) * (a.len().max(2) - 1) as f64;
    (spread > 0.0).then(|| covariance / spread)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let mut last = first;
        while last + 1 < order.len() && values[order[last + 1]] == values[order[first]] {
            last += 1;
        }
        for &position in &order[first..=last] {
            ranks[position] = (first + last) as f64 / 2.0;
        }
        first = last + 1;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use crate::schedule::{Activity, Dependency};
    use crate::site::Campus;
    use crate::site::{Building, Hall};
    use crate::{Date, Scenario, Uncertain};

    /// n activities at once, each uniform from 0 to 12 months, and one after all of them.
    fn merge(paths: usize) -> Scenario {
        let mut activities: Vec<Activity> = (0..paths)
            .map(|path| {
                let mut activity =
                    Activity::new(format!("path {path}"), Uncertain::uniform(0.0, 12.0));
                activity.after = Some(Vec::new());
                activity
            })
            .collect();
        let mut end = Activity::new("end", 1.0).as_milestone();
        let after = activities
            .iter()
            .map(|path| Dependency::Finish(path.name.clone()));
        end.after = Some(after.collect());
        activities.push(end);
        let mut building = Building::new("A1");
        building.activities = Some(activities);
        building.halls = Some(vec![Hall::new("hall", 1, "standard")]);
        let mut campus = Campus::new("north");
        campus.buildings.push(building);
        let mut scenario = Scenario::new("merge", Date::month(2025, 1).unwrap(), 36);
        let rack_type = crate::compute::RackType::new("standard", 1.0);
        scenario.rack_types.push(rack_type);
        scenario.campuses.push(campus);
        scenario
    }

    #[test]
    fn each_of_several_paths_drives_equally_often_and_the_maximum_is_that_of_the_closed_form() {
        const TRIALS: u64 = 10_000;
        let model = merge(4).compile().unwrap();
        let report = model.schedule_report(9, TRIALS, Some("A1/end")).unwrap();
        for path in &report.activities[..4] {
            // Four standard errors of a share of 1/4: 4 x 0.00433.
            assert!((path.criticality_index - 0.25).abs() < 0.018, "{path:?}");
            // Of the rank correlation of one of four with their maximum; se below 0.01.
            assert!((0.3..0.6).contains(&path.cruciality.unwrap()));
        }
        let end = &report.activities[4];
        assert_eq!(end.criticality_index, 1.0);
        assert_eq!(end.cruciality, None, "its duration does not vary");
        // The maximum of four uniforms has the distribution function (x / 12)^4: its median is
        // 12 x 0.5^(1/4) = 10.09. Density there 0.198 a month: standard error 0.025 months.
        let median = end.start_months[1].unwrap();
        assert!((median - 12.0 * 0.5_f64.powf(0.25)).abs() < 0.1, "{median}");
        assert!(
            end.driven_by
                .iter()
                .all(|driver| (driver.share - 0.25).abs() < 0.018)
        );
        assert_eq!(end.driven_by.len(), 4);
        // Merge bias: each path is over by its median of 6 months in half of the trials, all four
        // in one of sixteen. Standard error 0.0024.
        assert_eq!(report.planned_finish_months, Some(7.0));
        assert!(
            (report.by_plan - 1.0 / 16.0).abs() < 0.01,
            "{}",
            report.by_plan
        );
        assert!((report.activities[0].by_plan - 0.5).abs() < 0.02);
        assert_eq!(report.paths.len(), 4);
        assert!((report.paths.iter().map(|path| path.share).sum::<f64>() - 1.0).abs() < 1e-9);
        for path in &report.paths {
            assert!((path.share - 0.25).abs() < 0.018);
            assert_eq!(path.activities[1], "north/A1/end");
        }
        let svg = report.gantt_svg();
        assert_eq!(svg.matches("<rect").count(), 6);
        let unknown = model.schedule_report(9, 10, Some("A1/ende"));
        let words = unknown.unwrap_err().to_string();
        assert!(words.ends_with("did you mean \"A1/end\"?"), "{words}");
    }

    #[cfg(feature = "files")]
    #[test]
    fn a_building_is_live_with_the_first_of_its_halls() {
        let scenario = Scenario::from_path("examples/first.toml").unwrap();
        let model = scenario.compile().unwrap();
        let report = model.schedule_report(1, 200, Some("A1 live")).unwrap();
        let index = |name: &str| {
            let activity = report.activities.iter().find(|one| one.name == name);
            activity.unwrap().criticality_index
        };
        assert_eq!(index("North/A1/hall 1/fit-out"), 1.0);
        assert_eq!(index("North/A1/hall 2/fit-out"), 0.0);
        assert_eq!(index("North/A1/shell"), 1.0);
    }

    #[test]
    fn a_single_chain_has_the_spread_of_its_sum() {
        let mut scenario = merge(1);
        let activities = scenario.campuses[0].buildings[0]
            .activities
            .as_mut()
            .unwrap();
        activities[1].duration_months = Uncertain::uniform(0.0, 5.0);
        let report = scenario
            .compile()
            .unwrap()
            .schedule_report(2, 10_000, None)
            .unwrap();
        // Of two independent parts with sd 12 and 5 (over the root of 12) the sum has sd 13.
        for (activity, share) in report.activities.iter().zip([12.0 / 13.0, 5.0 / 13.0]) {
            assert_eq!(activity.criticality_index, 1.0);
            let index = activity.schedule_sensitivity_index.unwrap();
            assert!((index - share).abs() < 0.02, "{index}");
        }
    }
}
