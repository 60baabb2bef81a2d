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
//! Durations and dates are in months, probabilities 0 to 1. Results take about 24 bytes for each
//! activity and trial while they are gathered.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::construction::network::NodeId;
use crate::construction::schedule::Plan;
use crate::model::Model;
use crate::projection::TrialRow;
use crate::trial::Workspace;

/// What many trials say of a schedule; made by [`Model::schedule_report`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleReport {
    /// How many trials.
    pub trials: u64,
    /// The milestone whose drivers are sought; none: the end of all construction.
    pub milestone: Option<String>,
    /// All activities and grid steps, in the order of the scenario.
    pub activities: Vec<ActivityReport>,
}

/// Dates of an activity, and what it does to the milestone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityReport {
    /// Its name with its campus, such as "north/A1/shell".
    pub name: String,
    /// P10, P50 and P90 of its start, in months from the start of the scenario; null where it does not start.
    pub start_months: [Option<f64>; 3],
    /// P10, P50 and P90 of its finish.
    pub finish_months: [Option<f64>; 3],
    /// Mean of its working time.
    pub mean_duration_months: f64,
    /// The share of trials in which it drives the milestone.
    pub criticality_index: f64,
    /// Rank correlation of its duration with the date of the milestone; null if one of them does not vary.
    pub cruciality: Option<f64>,
    /// Criticality index x sd of its duration / sd of the milestone's date; null if that does not vary.
    pub schedule_sensitivity_index: Option<f64>,
}

/// There is no milestone of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no milestone \"{0}\"")]
pub struct UnknownMilestone(pub String);

/// One trial's dates of the works.
struct Dates {
    start: Vec<f64>,
    finish: Vec<f64>,
    duration: Vec<f64>,
    drives: Vec<bool>,
    end: f64,
}

#[derive(Default)]
struct Buffers {
    drawn: Vec<f64>,
    plan: Plan,
    finish: Vec<f64>,
    marks: Vec<bool>,
    workspace: Workspace,
    row: Option<TrialRow>,
}

impl Model {
    /// Gathers the dates of all activities over the trials 0 to `trials` - 1 of a seed, and what
    /// drives a milestone. A building that goes live counts from its hand-over.
    pub fn schedule_report(
        &self,
        seed: u64,
        trials: u64,
        milestone: Option<&str>,
    ) -> Result<ScheduleReport, UnknownMilestone> {
        let ends = match milestone {
            Some(name) => (self.ends_of(name)).ok_or_else(|| UnknownMilestone(name.to_owned()))?,
            None => self.network.nodes().collect(),
        };
        let works: Vec<NodeId> = (self.network.nodes())
            .filter(|&node| self.network.is_work(node))
            .collect();
        let all: Vec<Dates> = (0..trials)
            .into_par_iter()
            .map_init(Buffers::default, |buffers, trial| {
                self.dates(seed, trial, &works, &ends, buffers)
            })
            .collect();
        let end: Vec<f64> = all.iter().map(|dates| dates.end).collect();
        let spread_of_end = sd(&end);
        let activities = works
            .par_iter()
            .enumerate()
            .map(|(position, &node)| {
                let column = |of: fn(&Dates) -> &Vec<f64>| -> Vec<f64> {
                    all.iter().map(|dates| of(dates)[position]).collect()
                };
                let duration = column(|dates| &dates.duration);
                let drives = all.iter().filter(|dates| dates.drives[position]).count();
                let criticality_index = drives as f64 / all.len().max(1) as f64;
                ActivityReport {
                    name: self.network.name(node).to_owned(),
                    start_months: percentiles(column(|dates| &dates.start)),
                    finish_months: percentiles(column(|dates| &dates.finish)),
                    mean_duration_months: mean(&duration),
                    criticality_index,
                    cruciality: rank_correlation(&duration, &end),
                    schedule_sensitivity_index: (spread_of_end > 0.0)
                        .then(|| criticality_index * sd(&duration) / spread_of_end),
                }
            })
            .collect();
        Ok(ScheduleReport {
            trials,
            milestone: milestone.map(str::to_owned),
            activities,
        })
    }

    /// The nodes at whose last finish a milestone happens.
    fn ends_of(&self, milestone: &str) -> Option<Vec<NodeId>> {
        let position = self.layout.milestone_index(milestone)?;
        let compiled = &self.milestones[position];
        let halls = compiled.live.iter().cloned().flatten();
        let handed_over = halls.map(|hall| self.halls[hall].handover);
        Some(
            compiled
                .finished
                .iter()
                .copied()
                .chain(handed_over)
                .collect(),
        )
    }

    fn dates(
        &self,
        seed: u64,
        trial: u64,
        works: &[NodeId],
        ends: &[NodeId],
        buffers: &mut Buffers,
    ) -> Dates {
        self.draw_inputs(seed, trial, &mut buffers.drawn);
        let (plan, finish) = if self.gates.is_empty() {
            (self.network).schedule(&buffers.drawn, &mut buffers.plan, &mut buffers.finish);
            (&buffers.plan, buffers.finish.as_slice())
        } else {
            // Phases start by what the months report, so the months have to pass.
            let row = buffers
                .row
                .get_or_insert_with(|| TrialRow::new(self.layout.clone()));
            self.simulate(seed, trial, &mut buffers.workspace, row);
            buffers.workspace.schedule()
        };
        self.network
            .mark_driving(ends, &buffers.drawn, plan, finish, &mut buffers.marks);
        let of = |values: &[f64]| works.iter().map(|node| values[node.index()]).collect();
        Dates {
            start: of(plan.starts()),
            finish: of(finish),
            duration: of(plan.durations()),
            drives: works
                .iter()
                .map(|node| buffers.marks[node.index()])
                .collect(),
            end: (ends.iter())
                .map(|node| finish[node.index()])
                .fold(f64::NEG_INFINITY, f64::max),
        }
    }
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
    use crate::construction::{Activity, Building, Dependency, Hall};
    use crate::scenario::Campus;
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
        let svg = report.gantt_svg(Date::month(2025, 1).unwrap());
        assert_eq!(svg.matches("<rect").count(), 6);
        assert!(model.schedule_report(9, 10, Some("A9/end")).is_err());
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
