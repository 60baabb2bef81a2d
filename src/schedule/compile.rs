//! From what a planner says of activities to the nodes of a network: calendars, crews, branches and slots.

use std::borrow::Cow;

use super::compiler::{AT_ONCE, Compiler, NO_DATE};
use super::network::{self, Condition, NodeId};
use super::{Activity, Override};
use crate::problem::{Path, check_known};
use crate::uncertain::Domain;

/// Words that have a meaning of their own in a reference: "A1/start", "A1/live".
const RESERVED: [(&str, &str); 2] = [
    (
        "start",
        "the moment at which a building or substation may start",
    ),
    ("live", "a building whose first racks are live"),
];

/// An activity that runs with or without another one.
pub(super) struct Follower {
    node: NodeId,
    scope: String,
    leader: String,
    runs_if: bool,
    at: Path,
}

/// Activities that stand in one list, and what they have in common.
pub(crate) struct ActivityList<'a> {
    /// The full name of what they belong to.
    pub(crate) prefix: &'a str,
    pub(crate) starts_after: NodeId,
    /// Where the list is written.
    pub(crate) at: Path,
    /// The calendar of activities that name none.
    pub(crate) calendar: Option<u32>,
    pub(crate) overrides: &'a [Override],
    /// What stands before the names of these activities in an override: "hall 1/".
    pub(crate) within: String,
}

impl ActivityList<'_> {
    /// Adds the activities, each after the one before it unless it says otherwise.
    pub(crate) fn compile(
        &self,
        activities: &[Activity],
        compiler: &mut Compiler<'_>,
    ) -> Vec<NodeId> {
        let mut done = Vec::with_capacity(activities.len());
        for (position, activity) in activities.iter().enumerate() {
            let before = done.last().copied().unwrap_or(self.starts_after);
            let activity = self.overridden(activity);
            let node = compiler.placed(self.at.index(position), |compiler| {
                self.add(&activity, before, compiler)
            });
            done.push(node);
        }
        done
    }

    fn add(&self, activity: &Activity, before: NodeId, compiler: &mut Compiler<'_>) -> NodeId {
        let reserved = RESERVED.iter().find(|(word, _)| *word == activity.name);
        if let Some((word, stands_for)) = reserved {
            let help = format!("that word stands for {stands_for}; use another name");
            compiler.error("name", format!("an activity is named \"{word}\""), help);
        }
        let name = format!("{}/{}", self.prefix, activity.name);
        let duration = compiler.draw(&name, &activity.duration_months, Domain::NON_NEGATIVE);
        let node = compiler.network.add(name.clone(), duration, NO_DATE);
        compiler.note_place(name.clone());
        activity.compile(node, self.prefix, self.calendar, compiler);
        match &activity.after {
            None => compiler.network.depend(node, before, AT_ONCE),
            Some(after) => {
                // Nor before the building begins, if it is only its end that has to wait.
                if !after.iter().any(|after| after.kind().is_to_start()) {
                    compiler.network.depend(node, self.starts_after, AT_ONCE);
                }
                compiler.link(node, self.prefix, after);
            }
        }
        if activity.milestone {
            compiler.mark_as_milestone(name, node);
        }
        node
    }

    /// The activity with what the building says differently.
    fn overridden<'b>(&self, activity: &'b Activity) -> Cow<'b, Activity> {
        let own = self
            .overrides
            .iter()
            .find(|one| one.activity.strip_prefix(&self.within) == Some(activity.name.as_str()));
        match own {
            Some(own) => Cow::Owned(own.applied_to(activity)),
            None => Cow::Borrowed(activity),
        }
    }
}

impl Activity {
    /// Sets all but its dependencies on its node.
    fn compile(
        &self,
        node: NodeId,
        scope: &str,
        campus_calendar: Option<u32>,
        compiler: &mut Compiler<'_>,
    ) {
        let name = compiler.network.name(node).to_owned();
        compiler.works.push((name.clone(), node));
        let calendar = match &self.calendar {
            Some(wanted) => compiler.calendar(wanted, "calendar"),
            None => campus_calendar,
        };
        compiler.network.set_calendar(node, calendar);
        self.compile_crews(node, compiler);
        self.compile_branch(node, scope, &name, compiler);
        let slots = self.slots.as_ref().map(|slots| {
            let source = format!("{name}/queue");
            let queue = compiler.draw(&source, &slots.queue_months, Domain::NON_NEGATIVE);
            let reserved = slots.reserved.iter();
            let mut dates: Vec<f64> = reserved.map(|date| compiler.months_until(*date)).collect();
            dates.sort_by(f64::total_cmp);
            network::Slots { dates, queue }
        });
        let [not_before, finish_not_before, starts_on] =
            [self.not_before, self.finish_not_before, self.starts_on]
                .map(|date| date.map(|date| compiler.months_until(date)));
        let details = compiler.network.node_mut(node);
        details.is_work = true;
        if let Some(months) = not_before {
            details.earliest = details.earliest.max(months);
        }
        if let Some(months) = finish_not_before {
            details.earliest_finish = months;
        }
        details.starts_work = self.starts_work;
        details.fixed_start = starts_on;
        details.slots = slots;
    }

    fn compile_crews(&self, node: NodeId, compiler: &mut Compiler<'_>) {
        for (position, need) in self.crews.iter().enumerate() {
            let at = compiler.at.key("crews").index(position);
            let known = compiler.crews.iter().map(|(name, ..)| *name);
            check_known("crew", need.crew(), known, &at, &mut compiler.problems);
            let mut crews = compiler.crews.iter();
            let Some(&(_, crew, most)) = crews.find(|(name, ..)| *name == need.crew()) else {
                continue;
            };
            if need.units() > most {
                compiler.problems.error(
                    &at,
                    format!(
                        "\"{}\" needs {} of crew \"{}\", of which there are {most} in the end",
                        self.name,
                        need.units(),
                        need.crew()
                    ),
                    "fewer units, or more capacity",
                );
            }
            compiler.network.needs_crew(node, crew, need.units());
        }
        if self.slots.is_some() && !self.crews.is_empty() {
            compiler.error(
                "crews",
                format!(
                    "\"{}\" is made in slots of a manufacturer, which hold no crew",
                    self.name
                ),
                "give the crews to an activity of its own, such as the installation",
            );
        }
    }

    fn compile_branch(&self, node: NodeId, scope: &str, name: &str, compiler: &mut Compiler<'_>) {
        if let Some(probability) = self.probability {
            let condition = Condition {
                happens: compiler.chance(&format!("{name}/needed"), probability),
                runs_if: true,
            };
            compiler.branches.entry(node).or_default().push(condition);
        }
        for (key, leader, runs_if) in [
            ("runs_with", &self.runs_with, true),
            ("runs_without", &self.runs_without, false),
        ] {
            if let Some(leader) = leader {
                let follower = Follower {
                    node,
                    scope: scope.to_owned(),
                    leader: leader.clone(),
                    runs_if,
                    at: compiler.at.key(key),
                };
                compiler.followers.push(follower);
            }
        }
    }
}

impl Compiler<'_> {
    /// Sets the branches, once all activities can be found by name.
    pub(crate) fn branch(&mut self) {
        for follower in std::mem::take(&mut self.followers) {
            self.follow(&follower);
        }
        for (node, conditions) in &self.branches {
            let node = self.network.node_mut(*node);
            node.conditions.clone_from(conditions);
        }
    }

    fn follow(&mut self, follower: &Follower) {
        let Some(leader) = self.find(&follower.scope, &follower.leader) else {
            let known = self.works.iter().map(|(name, _)| {
                name.strip_prefix(&follower.scope)
                    .and_then(|rest| rest.strip_prefix('/'))
                    .unwrap_or(name)
            });
            let help = self.problems.name_help(&follower.leader, known);
            let message = format!("there is no activity \"{}\"", follower.leader);
            self.problems.error(&follower.at, message, help);
            return;
        };
        let Some(conditions) = self.branches.get(&leader) else {
            self.problems.error(
                &follower.at,
                format!("\"{}\" always runs", follower.leader),
                "name an activity that has a `probability` of its own, or stands before this one and runs with such a one",
            );
            return;
        };
        if conditions.len() > 1 && !follower.runs_if {
            self.problems.error(
                &follower.at,
                format!("\"{}\" depends on more than one chance", follower.leader),
                "name the one activity whose `probability` decides",
            );
            return;
        }
        // What holds of a leader with one condition can be turned round.
        let turned = |condition: &Condition| Condition {
            runs_if: condition.runs_if == follower.runs_if,
            ..*condition
        };
        let conditions: Vec<Condition> = conditions.iter().map(turned).collect();
        let own = self.branches.entry(follower.node).or_default();
        own.extend(conditions);
    }
}
