//! Summary tasks: what is said of them holds of the activities that they consist of.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::Topic;
use super::super::raw::{Raw, RawActivity, RawLink};
use crate::date::Date;

/// A summary task with the activities below it.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) id: String,
    pub(super) name: String,
    /// The positions of the activities below it.
    pub(super) within: Range<usize>,
    pub(super) links: Vec<RawLink>,
    pub(super) not_before: Option<Date>,
}

/// The tasks of a file that are no activities.
#[derive(Debug, Default)]
pub(super) struct Others {
    pub(super) summaries: Vec<Summary>,
    /// Inactive and empty tasks.
    pub(super) inactive: BTreeSet<String>,
}

/// Puts dependencies on and of summaries on what they consist of, and drops those on inactive tasks.
pub(super) fn resolve(others: &mut Others, raw: &mut Raw) {
    let positions: BTreeMap<String, usize> = (raw.activities.iter().enumerate())
        .map(|(position, activity)| (activity.id.clone(), position))
        .collect();
    let resolver = Resolver {
        summaries: others
            .summaries
            .iter()
            .map(|one| (one.id.clone(), one.within.clone()))
            .collect(),
        positions,
    };
    let mut added: Vec<(usize, RawLink)> = Vec::new();
    for summary in &mut others.summaries {
        for position in summary.within.clone() {
            if let Some(date) = summary.not_before {
                raw.activities[position].start_no_earlier(date);
            }
        }
        for link in std::mem::take(&mut summary.links) {
            let heads = match link.kind.is_to_start() {
                true => resolver.first(&summary.within, &raw.activities),
                false => resolver.last(&summary.within, &raw.activities),
            };
            let is_own = resolver
                .positions
                .get(&link.predecessor)
                .is_some_and(|at| summary.within.contains(at));
            if !is_own {
                added.extend(heads.into_iter().map(|head| (head, link.clone())));
            }
        }
    }
    for (position, link) in added {
        raw.activities[position].links.push(link);
    }
    for position in 0..raw.activities.len() {
        let links = std::mem::take(&mut raw.activities[position].links);
        let mut resolved = Vec::new();
        for link in links {
            if resolver.positions.contains_key(&link.predecessor) {
                resolved.push(link);
            } else if let Some(within) = resolver.summaries.get(&link.predecessor) {
                resolver.split(position, link, within, raw, &mut resolved);
            } else if others.inactive.contains(&link.predecessor) {
                raw.leave_out("dependencies on inactive tasks");
            } else {
                let activity = &raw.activities[position];
                let message = format!(
                    "the dependency of \"{}\" on task {}, which is not in the file, is left out",
                    activity.name, link.predecessor
                );
                let id = activity.id.clone();
                raw.warn_of(link.line, Topic::Dependency, &id, message);
            }
        }
        raw.activities[position].links = resolved;
    }
}

struct Resolver {
    positions: BTreeMap<String, usize>,
    summaries: BTreeMap<String, Range<usize>>,
}

impl Resolver {
    /// The activities of a summary of which none waits for the start of another one in it.
    fn first(&self, within: &Range<usize>, activities: &[RawActivity]) -> Vec<usize> {
        let waits = |position: usize| {
            activities[position].links.iter().any(|link| {
                link.kind.is_to_start()
                    && !link.lag.is_lead()
                    && self.is_in(&link.predecessor, within)
            })
        };
        within
            .clone()
            .filter(|&position| !waits(position))
            .collect()
    }

    /// The activities of a summary that no other one in it outlasts.
    fn last(&self, within: &Range<usize>, activities: &[RawActivity]) -> Vec<usize> {
        let outlasted: BTreeSet<usize> = (within.clone())
            .flat_map(|position| &activities[position].links)
            .filter(|link| !link.kind.is_from_start() && !link.lag.is_lead())
            .filter_map(|link| self.positions.get(&link.predecessor).copied())
            .collect();
        within
            .clone()
            .filter(|position| !outlasted.contains(position))
            .collect()
    }

    fn is_in(&self, id: &str, within: &Range<usize>) -> bool {
        self.positions
            .get(id)
            .is_some_and(|position| within.contains(position))
    }

    /// A dependency on a summary becomes several: on all that finish last in it, or on what starts first.
    fn split(
        &self,
        position: usize,
        link: RawLink,
        within: &Range<usize>,
        raw: &mut Raw,
        resolved: &mut Vec<RawLink>,
    ) {
        let tails = if link.kind.is_from_start() {
            let begins = self.first(within, &raw.activities);
            let earliest = begins
                .into_iter()
                .min_by_key(|&at| (raw.activities[at].start, at));
            let name = raw.activities[position].name.clone();
            let id = raw.activities[position].id.clone();
            let first = earliest.map_or_else(String::new, |at| raw.activities[at].name.clone());
            raw.warn_of(
                link.line,
                Topic::Dependency,
                &id,
                format!("\"{name}\" waits for the start of a summary task: that of \"{first}\" is taken, which is planned first in it"),
            );
            Vec::from_iter(earliest)
        } else {
            self.last(within, &raw.activities)
        };
        let others = tails.into_iter().filter(|&tail| tail != position);
        resolved.extend(others.map(|tail| RawLink {
            predecessor: raw.activities[tail].id.clone(),
            ..link.clone()
        }));
    }
}
