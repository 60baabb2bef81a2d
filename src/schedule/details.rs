//! From what a planner says of activities to the nodes of a network: calendars, crews, branches,
//! slots, risks and status.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calendars::{CONTINUOUS, Calendar};
use super::crews::{Crew, CrewId};
use super::network::{
    self, Actual, Condition, Effect, NetworkBuilder, NodeId, Outlasted, Progress,
};
use super::risks::{Risk, happens};
use super::{Activity, ActivityStatus, Status};
use crate::date::Date;
use crate::pattern::matches;
use crate::problem::{Path, Problems, check_known};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::uncertain::{Domain, Uncertain};

/// Registers an input; a quantity that fails to compile has been reported already and counts as 0.
pub(crate) fn draw(
    inputs: &mut Option<Inputs>,
    name: &str,
    quantity: &Uncertain,
    domain: Domain,
) -> Quantity {
    match inputs {
        Some(inputs) => inputs
            .add(name.to_owned(), quantity, domain)
            .unwrap_or(Quantity::Fixed(0.0)),
        None => Quantity::Fixed(0.0),
    }
}

/// The calendars, crews and branches of a scenario, as its network knows them.
pub(crate) struct Details<'a> {
    start: Date,
    horizon_months: u32,
    calendars: &'a [Calendar],
    compiled: BTreeMap<&'a str, u32>,
    crews: Vec<(&'a str, CrewId, f64)>,
    /// Activities that run with a probability, and the input that says whether.
    branches: BTreeMap<NodeId, Vec<Condition>>,
    /// Activities that run with or without others; resolved once all are known.
    followers: Vec<Follower>,
    /// Activities and grid steps, which risks and the status may name.
    pub(crate) works: Vec<(String, NodeId)>,
}

struct Follower {
    node: NodeId,
    scope: String,
    leader: String,
    runs_if: bool,
    at: Path,
}

impl<'a> Details<'a> {
    pub(crate) fn new(
        start: Date,
        horizon_months: u32,
        calendars: &'a [Calendar],
        crews: &'a [Crew],
        network: &mut NetworkBuilder,
    ) -> Self {
        let crews = crews
            .iter()
            .map(|crew| {
                let supply = crew.supply(start);
                let most = supply.last();
                (crew.name.as_str(), network.add_crew(supply), most)
            })
            .collect();
        Self {
            start,
            horizon_months,
            calendars,
            compiled: BTreeMap::new(),
            crews,
            branches: BTreeMap::new(),
            followers: Vec::new(),
            works: Vec::new(),
        }
    }

    /// The number of a calendar; none for "continuous" and for one that is not known.
    pub(crate) fn calendar(
        &mut self,
        name: &str,
        network: &mut NetworkBuilder,
        at: &Path,
        problems: &mut Problems,
    ) -> Option<u32> {
        if name == CONTINUOUS {
            return None;
        }
        let known = self.calendars.iter().map(|calendar| calendar.name.as_str());
        check_known("calendar", name, known.chain([CONTINUOUS]), at, problems);
        let calendar = self.calendars.iter().find(|known| known.name == name)?;
        if let Some(number) = self.compiled.get(name) {
            return Some(*number);
        }
        let compiled = Arc::new(calendar.compile(self.start, self.horizon_months));
        let number = network.add_calendar(compiled);
        self.compiled.insert(&calendar.name, number);
        Some(number)
    }

    /// Sets all but the dependencies of an activity on its node.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn apply(
        &mut self,
        activity: &Activity,
        node: NodeId,
        scope: &str,
        campus_calendar: Option<u32>,
        network: &mut NetworkBuilder,
        at: &Path,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        let name = network.name(node).to_owned();
        self.works.push((name.clone(), node));
        let calendar = match &activity.calendar {
            Some(wanted) => self.calendar(wanted, network, &at.key("calendar"), problems),
            None => campus_calendar,
        };
        network.set_calendar(node, calendar);
        for (position, need) in activity.crews.iter().enumerate() {
            let at = at.key("crews").index(position);
            let known = self.crews.iter().map(|(name, ..)| *name);
            check_known("crew", need.crew(), known, &at, problems);
            let Some((_, crew, most)) = self.crews.iter().find(|(name, ..)| *name == need.crew())
            else {
                continue;
            };
            if need.units() > *most {
                problems.error(
                    &at,
                    format!(
                        "\"{}\" needs {} of crew \"{}\", of which there are {most} in the end",
                        activity.name,
                        need.units(),
                        need.crew()
                    ),
                    "fewer units, or more capacity",
                );
            }
            network.needs_crew(node, *crew, need.units());
        }
        if activity.slots.is_some() && !activity.crews.is_empty() {
            problems.error(
                &at.key("crews"),
                format!(
                    "\"{}\" is made in slots of a manufacturer, which hold no crew",
                    activity.name
                ),
                "give the crews to an activity of its own, such as the installation",
            );
        }
        if let Some(probability) = activity.probability {
            let source = format!("{name}/needed");
            let condition = Condition {
                happens: draw(inputs, &source, &happens(probability), Domain::SHARE),
                runs_if: true,
            };
            self.branches.entry(node).or_default().push(condition);
        }
        for (key, leader, runs_if) in [
            ("runs_with", &activity.runs_with, true),
            ("runs_without", &activity.runs_without, false),
        ] {
            if let Some(leader) = leader {
                self.followers.push(Follower {
                    node,
                    scope: scope.to_owned(),
                    leader: leader.clone(),
                    runs_if,
                    at: at.key(key),
                });
            }
        }
        let queue = activity.slots.as_ref().map(|slots| {
            let source = format!("{name}/queue");
            draw(inputs, &source, &slots.queue_months, Domain::NON_NEGATIVE)
        });
        let details = network.node_mut(node);
        details.is_work = true;
        if let Some(date) = activity.not_before {
            details.earliest = details.earliest.max(date.months_after(self.start));
        }
        if let Some(date) = activity.finish_not_before {
            details.earliest_finish = date.months_after(self.start);
        }
        details.starts_work = activity.starts_work;
        details.fixed_start = activity.starts_on.map(|date| date.months_after(self.start));
        if let (Some(slots), Some(queue)) = (&activity.slots, queue) {
            let mut dates: Vec<f64> = (slots.reserved.iter())
                .map(|date| date.months_after(self.start))
                .collect();
            dates.sort_by(f64::total_cmp);
            details.slots = Some(network::Slots { dates, queue });
        }
    }

    /// Sets the branches, once all activities can be found by name.
    pub(crate) fn branch(
        &mut self,
        find: impl Fn(&NetworkBuilder, &str, &str) -> Option<NodeId>,
        network: &mut NetworkBuilder,
        problems: &mut Problems,
    ) {
        for follower in std::mem::take(&mut self.followers) {
            let leader = find(network, &follower.scope, &follower.leader);
            let conditions = leader.and_then(|leader| self.branches.get(&leader));
            match (leader, conditions) {
                (Some(_), Some(conditions)) if conditions.len() > 1 && !follower.runs_if => {
                    problems.error(
                        &follower.at,
                        format!("\"{}\" depends on more than one chance", follower.leader),
                        "name the one activity whose `probability` decides",
                    );
                }
                (Some(_), Some(conditions)) => {
                    // What holds of a leader with one condition can be turned round.
                    let turned = |condition: &Condition| Condition {
                        runs_if: condition.runs_if == follower.runs_if,
                        ..*condition
                    };
                    let conditions: Vec<Condition> = conditions.iter().map(turned).collect();
                    self.branches
                        .entry(follower.node)
                        .or_default()
                        .extend(conditions);
                }
                (Some(_), None) => problems.error(
                    &follower.at,
                    format!("\"{}\" always runs", follower.leader),
                    "name an activity that has a `probability` of its own, or stands before this one and runs with such a one",
                ),
                (None, _) => {
                    let known = self.works.iter().map(|(name, _)| {
                        name.strip_prefix(&follower.scope)
                            .and_then(|rest| rest.strip_prefix('/'))
                            .unwrap_or(name)
                    });
                    problems.error(
                        &follower.at,
                        format!("there is no activity \"{}\"", follower.leader),
                        problems.name_help(&follower.leader, known),
                    );
                }
            }
        }
        for (node, conditions) in &self.branches {
            network.node_mut(*node).conditions.clone_from(conditions);
        }
    }

    /// Sets what risks do to the activities that they hit.
    pub(crate) fn expose(
        &self,
        risks: &[Risk],
        network: &mut NetworkBuilder,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        for (position, risk) in risks.iter().enumerate() {
            let at = Path::root().key("risks").index(position);
            let name = &risk.name;
            let probability = happens(risk.current_probability());
            let factor = risk.current_factor();
            let delay = risk.current_delay_months();
            let effect = Effect {
                happens: draw(inputs, &format!("risk/{name}"), &probability, Domain::SHARE),
                factor: draw(
                    inputs,
                    &format!("risk/{name}/factor"),
                    factor,
                    Domain::NON_NEGATIVE,
                ),
                delay_months: draw(
                    inputs,
                    &format!("risk/{name}/delay"),
                    delay,
                    Domain::NON_NEGATIVE,
                ),
            };
            let at = at.key("activities");
            self.affect(&risk.activities, effect, network, &at, problems);
        }
    }

    /// Adds an effect to all activities that one of the patterns means.
    pub(crate) fn affect(
        &self,
        patterns: &[String],
        effect: Effect,
        network: &mut NetworkBuilder,
        at: &Path,
        problems: &mut Problems,
    ) {
        let mut hit: Vec<NodeId> = Vec::new();
        for (item, pattern) in patterns.iter().enumerate() {
            let meant = self.meant(pattern);
            if meant.is_empty() {
                self.unknown(pattern, &at.index(item), problems);
            }
            hit.extend(meant);
        }
        hit.sort_unstable();
        hit.dedup();
        for node in hit {
            network.node_mut(node).effects.push(effect);
        }
    }

    /// Sets what is known of activities at the date of the status.
    pub(crate) fn report_status(
        &self,
        status: &Status,
        network: &mut NetworkBuilder,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        network.set_status_date(status.as_of.months_after(self.start));
        if status.retained_logic {
            network.retain_logic();
        }
        let by_name = self.by_name();
        for (position, one) in status.activities.iter().enumerate() {
            let at = Path::root().key("status").key("activities").index(position);
            let named = match one.activity.contains('*') {
                true => self.meant(&one.activity),
                false => by_name
                    .get(one.activity.as_str())
                    .cloned()
                    .unwrap_or_default(),
            };
            let [node] = named[..] else {
                self.unknown(&one.activity, &at.key("activity"), problems);
                continue;
            };
            let progress = match (one.finished, &one.remaining_months) {
                (Some(date), _) => {
                    let as_of = status.as_of.max(date).months_after(self.start);
                    Progress::Finished(date.end_months_after(self.start).min(as_of))
                }
                (None, Some(remaining)) => {
                    let source = format!("{}/remaining", network.name(node));
                    Progress::Remaining(draw(inputs, &source, remaining, Domain::NON_NEGATIVE))
                }
                (None, None) => {
                    self.outlast(one, node, status.as_of, network, inputs, &at, problems);
                    Progress::Running
                }
            };
            network.node_mut(node).actual = Some(Actual {
                started: one.started.months_after(self.start),
                progress,
                resumes: (one.resumes)
                    .map_or(f64::NEG_INFINITY, |date| date.months_after(self.start)),
            });
        }
    }

    /// Conditions the duration of what has begun on not being over yet.
    #[allow(clippy::too_many_arguments)]
    fn outlast(
        &self,
        one: &ActivityStatus,
        node: NodeId,
        as_of: Date,
        network: &mut NetworkBuilder,
        inputs: &mut Option<Inputs>,
        at: &Path,
        problems: &mut Problems,
    ) {
        let [from, to] = [one.started, as_of].map(|date| date.months_after(self.start));
        let elapsed = network.work_between(node, from, to);
        let known = network.node_mut(node);
        let luck = known.duration;
        let sampler = inputs
            .as_mut()
            .and_then(|inputs| inputs.replace_by_uniform(luck));
        let is_over = match sampler {
            Some(sampler) => {
                let outlasted = Outlasted::new(luck, sampler, elapsed);
                let shorter = outlasted.shorter;
                known.outlasted = Some(Box::new(outlasted));
                shorter >= 1.0
            }
            None => matches!(luck, Quantity::Fixed(months) if inputs.is_some() && months < elapsed),
        };
        if is_over && known.effects.is_empty() {
            problems.warning(
                at,
                format!(
                    "\"{}\" has not finished after {elapsed:.1} months of work, more than its duration can be",
                    one.activity
                ),
                "it is taken to finish at the date of the status; give `remaining_months`",
            );
        }
    }

    /// The campus of the first activity that a risk hits.
    pub(crate) fn campus_of(&self, risk: &Risk) -> Option<&str> {
        let mut works = self.works.iter();
        let (name, _) = works.find(|(name, _)| {
            let mut patterns = risk.activities.iter();
            patterns.any(|pattern| matches(pattern, name))
        })?;
        name.split_once('/').map(|(campus, _)| campus)
    }

    /// Activities and grid steps by their names, in full and without the campus.
    fn by_name(&self) -> BTreeMap<&str, Vec<NodeId>> {
        let mut by_name: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
        for (name, node) in &self.works {
            by_name.entry(name).or_default().push(*node);
            if let Some((_, within)) = name.split_once('/') {
                by_name.entry(within).or_default().push(*node);
            }
        }
        by_name
    }

    fn meant(&self, pattern: &str) -> Vec<NodeId> {
        self.works
            .iter()
            .filter(|(name, _)| matches(pattern, name))
            .map(|(_, node)| *node)
            .collect()
    }

    fn unknown(&self, pattern: &str, at: &Path, problems: &mut Problems) {
        let known = self
            .works
            .iter()
            .map(|(name, _)| name.split_once('/').map_or(name.as_str(), |(_, rest)| rest));
        problems.error(
            at,
            format!("there is no one activity or grid step \"{pattern}\""),
            problems.name_help(pattern, known),
        );
    }
}
