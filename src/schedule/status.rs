//! The state of construction at a date: what has started and finished, from which the rest is
//! projected.
//!
//! Of an activity that has begun, and of which nothing else is known, the duration D is drawn on the
//! condition that it is not over yet: D given D >= t, where t is the working time from its start to
//! the date of the status (a distribution truncated from below; its quantile function at u is that of
//! D at p + u (1 - p), with p = P(D < t)). Where risk events hit the activity, that holds of the
//! duration with those that happen in the trial; their own probabilities stay what they are. A known
//! duration that is over already leaves the activity to finish at the date of the status.

use std::collections::{BTreeMap, BTreeSet};

use super::compiler::Compiler;
use super::network::{Actual, NodeId, Outlasted, Progress};
use crate::date::{Date, LastDay};
use crate::field::{MONTHS, plan};
use crate::problem::{Path, Problems};
use crate::sampling::inputs::Quantity;
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// What is known at a date. What is not said to have started starts no sooner than that date.
    pub struct Status {
        /// The date at which it is known.
        pub as_of: Date,
        /// What has begun before its predecessors have finished goes on only when they have; left out, it goes on at once.
        pub retained_logic: bool [= false],
        /// Activities and grid steps that have started by then.
        pub activities: Vec<ActivityStatus> = [..],
    }
    /// Nothing has started yet by that date; what has is added to `activities`.
    pub fn new;
}

plan! {
    /// An activity that has started, and perhaps finished.
    pub struct ActivityStatus in "SCOPE/ACTIVITY" {
        /// The activity or grid step, such as "A1/shell".
        pub activity: String,
        /// When it started.
        pub started: Date,
        /// When it finished, if it has: at the end of this day, of the last day of this month, or at its minute.
        pub finished: Option<LastDay>,
        /// The work that remains at the date of the status, in months; left out, what the duration leaves after its start, on the condition that it is not over at the date of the status.
        pub remaining_months: Option<Uncertain> => MONTHS.input("remaining"),
        /// Work that was suspended resumes no sooner than this.
        pub resumes: Option<Date>,
    }
    /// An activity that has started.
    pub fn new;
}

impl Status {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        let mut named = BTreeSet::new();
        for (position, status) in self.activities.iter().enumerate() {
            let at = at.key("activities").index(position);
            if status.started > self.as_of {
                problems.error(
                    &at.key("started"),
                    format!(
                        "\"{}\" started on {}, after the date of the status, {}",
                        status.activity, status.started, self.as_of
                    ),
                    "leave it out: what has not started yet is projected",
                );
            }
            if let Some(finished) = status.finished {
                let day = finished.date();
                // A day lasts until its end, also for what started in the course of it.
                let from = if day == day.day_of() {
                    status.started.day_of()
                } else {
                    status.started
                };
                if day < from || day > self.as_of {
                    problems.error(
                        &at.key("finished"),
                        format!("\"{}\" finished on {finished}", status.activity),
                        format!(
                            "a date from {} to {}",
                            status.started.to_full_string(),
                            self.as_of.to_full_string()
                        ),
                    );
                }
                if status.remaining_months.is_some() {
                    problems.error(
                        &at.key("remaining_months"),
                        format!("\"{}\" has finished, but work remains", status.activity),
                        "give `finished` or `remaining_months`",
                    );
                }
            }
            status.check_fields(&at, problems);
            if !named.insert(&status.activity) {
                problems.error(
                    &at.key("activity"),
                    format!("\"{}\" is named twice", status.activity),
                    "one entry for each activity",
                );
            }
        }
    }
}

impl Status {
    /// Sets what is known of activities at its date.
    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) {
        let as_of = compiler.months_until(self.as_of);
        compiler.network.set_status_date(as_of);
        if self.retained_logic {
            compiler.network.retain_logic();
        }
        let by_name = by_name(&compiler.works, &self.activities);
        for (position, one) in self.activities.iter().enumerate() {
            let named = match one.activity.contains('*') {
                true => compiler.meant(&one.activity),
                false => (by_name.get(one.activity.as_str()).cloned()).unwrap_or_default(),
            };
            compiler.item("activities", position, |compiler| match named[..] {
                [node] => one.compile(node, self.as_of, compiler),
                _ => {
                    let at = compiler.at.key("activity");
                    compiler.unknown_work(&one.activity, &at);
                }
            });
        }
    }
}

/// The activities and grid steps that a status names, in full or without their campus.
fn by_name(works: &[(String, NodeId)], named: &[ActivityStatus]) -> BTreeMap<String, Vec<NodeId>> {
    let named: BTreeSet<&str> = named.iter().map(|one| one.activity.as_str()).collect();
    let mut by_name: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
    for (name, node) in works {
        let within = name.split_once('/').map(|(_, within)| within);
        for name in [Some(name.as_str()), within].into_iter().flatten() {
            if named.contains(name) {
                by_name.entry(name.to_owned()).or_default().push(*node);
            }
        }
    }
    by_name
}

impl ActivityStatus {
    fn compile(&self, node: NodeId, as_of: Date, compiler: &mut Compiler<'_>) {
        let start = compiler.start();
        let progress = match (self.finished, &self.remaining_months) {
            (Some(finished), _) => {
                let date = finished.date();
                let latest = as_of.max(date).months_after(start);
                Progress::Finished(date.end_months_after(start).min(latest))
            }
            (None, Some(remaining)) => {
                let source = format!("{}/remaining", compiler.network.name(node));
                Progress::Remaining(compiler.draw(&source, remaining, Domain::NON_NEGATIVE))
            }
            (None, None) => {
                self.outlast(node, as_of, compiler);
                Progress::Running
            }
        };
        compiler.network.node_mut(node).actual = Some(Actual {
            started: self.started.months_after(start),
            progress,
            resumes: (self.resumes).map_or(f64::NEG_INFINITY, |date| date.months_after(start)),
        });
    }

    /// Conditions the duration of what has begun on not being over yet.
    fn outlast(&self, node: NodeId, as_of: Date, compiler: &mut Compiler<'_>) {
        let [from, to] = [self.started, as_of].map(|date| compiler.months_until(date));
        let elapsed = compiler.network.work_between(node, from, to);
        let draws = compiler.draws();
        let duration = compiler.network.node_mut(node).duration;
        let sampler =
            (compiler.inputs_mut()).and_then(|inputs| inputs.replace_by_uniform(duration));
        let known = compiler.network.node_mut(node);
        let is_over = match sampler {
            Some(sampler) => {
                let outlasted = Outlasted::new(duration, sampler, elapsed);
                let shorter = outlasted.shorter;
                known.outlasted = Some(Box::new(outlasted));
                shorter >= 1.0
            }
            None => matches!(duration, Quantity::Fixed(months) if draws && months < elapsed),
        };
        if is_over && known.effects.is_empty() {
            compiler.problems.warning(
                &compiler.at,
                format!(
                    "\"{}\" has not finished after {elapsed:.1} months of work, more than its duration can be",
                    self.activity
                ),
                "it is taken to finish at the date of the status; give `remaining_months`",
            );
        }
    }
}
