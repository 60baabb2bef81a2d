//! Schedules under scarce crews against lower bounds, on networks of 30 to 300 activities.
//!
//! The networks are made after ProGen, the generator of the library PSPLIB (Kolisch, Sprecher & Drexl,
//! "Characterization and generation of a general class of resource-constrained project scheduling
//! problems", Management Science 41, 1995), with the parameters of its sets J30 to J120: durations of
//! 1 to 10; a network complexity of 1.5, 1.8 or 2.1 dependencies an activity, at most three to and
//! from each; four crews, of which each activity needs a share of 0.25, 0.5, 0.75 or 1 (the resource
//! factor), 1 to 10 units of each. The capacity of a crew is its least, the greatest need of one
//! activity, plus the resource strength of 0.2, 0.5, 0.7 or 1 times what the early dates need beyond
//! that. They are not those of PSPLIB, and redundant dependencies are not taken out.
//!
//! Of every network the makespan is compared with the greatest of four lower bounds:
//!
//! - the critical path;
//! - work and capacity of each crew, between the least head and the least tail of every set of
//!   activities whose heads and tails are at least so long;
//! - the critical sequence (Stinson, Davis & Khumawala, "Multiple resource-constrained scheduling using
//!   branch and bound", AIIE Transactions 10, 1978): the critical path and what of one other activity
//!   cannot be done beside it;
//! - the longest of many sets of activities of which no two can be done at once.

use std::collections::BTreeSet;

use super::super::*;
use crate::parallel;
use crate::sampling::inputs::Quantity;
use crate::sampling::streams::{Source, Stream};
use crate::schedule::crews::CrewSupply;
use crate::schedule::network::NetworkBuilder;
use crate::schedule::plan::Plan;

const CREWS: usize = 4;
const STRENGTHS: [f64; 4] = [0.2, 0.5, 0.7, 1.0];

/// A network with whole durations; what comes before an activity has a lower number.
#[derive(Clone, Debug)]
struct Project {
    durations: Vec<u32>,
    before: Vec<Vec<usize>>,
    needs: Vec<[u32; CREWS]>,
    capacity: [u32; CREWS],
}

/// A whole number from `least` to `most`.
fn whole(stream: &mut Stream, least: usize, most: usize) -> usize {
    least + (stream.uniform() * (most - least + 1) as f64) as usize
}

impl Project {
    fn generate(count: usize, strength: f64, number: u64) -> Self {
        const MOST_LINKS: usize = 3;
        let source = Source::named(&format!("project of {count}, {strength}"));
        let mut stream = source.stream(1995, number);
        let complexity = [1.5, 1.8, 2.1][number as usize % 3];
        let factor = (number as usize / 3) % 4 + 1;
        let durations: Vec<u32> = (0..count)
            .map(|_| whole(&mut stream, 1, 10) as u32)
            .collect();
        let mut before = vec![Vec::new(); count];
        let mut after = vec![0; count];
        let link =
            |before: &mut Vec<Vec<usize>>, after: &mut Vec<usize>, from: usize, to: usize| {
                let is_new = !before[to].contains(&from);
                if is_new && before[to].len() < MOST_LINKS && after[from] < MOST_LINKS {
                    before[to].push(from);
                    after[from] += 1;
                    return true;
                }
                false
            };
        // Three begin; everything else waits for one that still may be waited for.
        for to in 3..count {
            while !{
                let from = whole(&mut stream, 0, to - 1);
                link(&mut before, &mut after, from, to)
            } {}
        }
        let mut missing = (complexity * count as f64) as usize - (count - 3);
        for _ in 0..100 * count {
            let to = whole(&mut stream, 1, count - 1);
            let from = whole(&mut stream, 0, to - 1);
            if missing > 0 && to >= 3 && link(&mut before, &mut after, from, to) {
                missing -= 1;
            }
        }
        let needs: Vec<[u32; CREWS]> = (0..count)
            .map(|_| {
                let mut needs = [0; CREWS];
                while needs.iter().filter(|&&units| units > 0).count() < factor {
                    needs[whole(&mut stream, 0, CREWS - 1)] = whole(&mut stream, 1, 10) as u32;
                }
                needs
            })
            .collect();
        let mut project = Self {
            durations,
            before,
            needs,
            capacity: [u32::MAX; CREWS],
        };
        let heads = project.heads();
        for crew in 0..CREWS {
            let least = project
                .needs
                .iter()
                .map(|needs| needs[crew])
                .max()
                .unwrap_or(0);
            let early = heads.iter().zip(&project.durations);
            let peak = heads.iter().map(|&moment| {
                let running = early
                    .clone()
                    .zip(&project.needs)
                    .filter(|((head, duration), _)| {
                        (**head..**head + **duration).contains(&moment)
                    });
                running.map(|(_, needs)| needs[crew]).sum::<u32>()
            });
            let most = peak.max().unwrap_or(0);
            let spare = f64::from(most.saturating_sub(least));
            project.capacity[crew] = least + (strength * spare).round() as u32;
        }
        project
    }

    /// The time before each activity along the critical path.
    fn heads(&self) -> Vec<u32> {
        let mut heads: Vec<u32> = Vec::new();
        for before in &self.before {
            let ends = before
                .iter()
                .map(|&other| heads[other] + self.durations[other]);
            heads.push(ends.max().unwrap_or(0));
        }
        heads
    }

    /// The time after each activity along the critical path.
    fn tails(&self) -> Vec<u32> {
        let mut tails = vec![0; self.durations.len()];
        for activity in (0..tails.len()).rev() {
            for &other in &self.before[activity] {
                tails[other] = tails[other].max(tails[activity] + self.durations[activity]);
            }
        }
        tails
    }

    fn critical_path(&self) -> u32 {
        let (heads, tails) = (self.heads(), self.tails());
        let through = (0..heads.len()).map(|at| heads[at] + self.durations[at] + tails[at]);
        through.max().unwrap_or(0)
    }

    fn work_bound(&self) -> u32 {
        let (heads, tails) = (self.heads(), self.tails());
        let mut bound = 0;
        for crew in (0..CREWS).filter(|&crew| self.capacity[crew] > 0) {
            for &head in heads.iter().collect::<BTreeSet<_>>() {
                // From the longest tail on, sets grow.
                let mut set: Vec<usize> = (0..heads.len())
                    .filter(|&at| heads[at] >= head && self.needs[at][crew] > 0)
                    .collect();
                set.sort_by_key(|&at| std::cmp::Reverse(tails[at]));
                let mut work = 0;
                for at in set {
                    work += self.durations[at] * self.needs[at][crew];
                    bound = bound.max(head + work.div_ceil(self.capacity[crew]) + tails[at]);
                }
            }
        }
        bound
    }

    fn critical_sequence_bound(&self) -> u32 {
        let (heads, tails, length) = (self.heads(), self.tails(), self.critical_path());
        let is_critical = |at: usize| heads[at] + self.durations[at] + tails[at] == length;
        // One critical path: at each moment the activity on it.
        let mut on_path = Vec::new();
        while on_path.len() < length as usize {
            let now = on_path.len() as u32;
            let next = (0..heads.len()).find(|&at| {
                let follows = on_path
                    .last()
                    .is_none_or(|last| self.before[at].contains(last));
                is_critical(at) && heads[at] == now && follows
            });
            let next = next.expect("a critical path goes on");
            on_path.resize((now + self.durations[next]) as usize, next);
        }
        let most = (0..heads.len())
            .filter(|&at| !on_path.contains(&at))
            .map(|at| {
                let (mut longest, mut run) = (0, 0);
                for moment in heads[at]..length - tails[at] {
                    let beside = on_path[moment as usize];
                    let fits = (0..CREWS).all(|crew| {
                        self.needs[at][crew] + self.needs[beside][crew] <= self.capacity[crew]
                    });
                    run = if fits { run + 1 } else { 0 };
                    longest = longest.max(run);
                }
                self.durations[at].saturating_sub(longest)
            });
        length + most.max().unwrap_or(0)
    }

    fn exclusive_bound(&self) -> u32 {
        let count = self.durations.len();
        let mut comes_before = vec![vec![false; count]; count];
        for at in 0..count {
            for &other in &self.before[at] {
                // What comes before is numbered before.
                let (earlier, later) = comes_before.split_at_mut(at);
                let mine = &mut later[0];
                mine[other] = true;
                for (mine, theirs) in mine.iter_mut().zip(&earlier[other]) {
                    *mine |= theirs;
                }
            }
        }
        let exclude = |a: usize, b: usize| {
            let over = |crew| self.needs[a][crew] + self.needs[b][crew] > self.capacity[crew];
            comes_before[a][b] || comes_before[b][a] || (0..CREWS).any(over)
        };
        let mut by_length: Vec<usize> = (0..count).collect();
        by_length.sort_by_key(|&at| std::cmp::Reverse(self.durations[at]));
        let set = |first: usize| {
            let mut set = vec![first];
            for &at in &by_length {
                if set
                    .iter()
                    .all(|&member| member != at && exclude(member, at))
                {
                    set.push(at);
                }
            }
            set.iter().map(|&at| self.durations[at]).sum::<u32>()
        };
        (0..count).map(set).max().unwrap_or(0)
    }

    fn bound(&self) -> u32 {
        self.critical_path()
            .max(self.work_bound())
            .max(self.critical_sequence_bound())
            .max(self.exclusive_bound())
    }

    /// The makespan that a rule leads to, once it is shown to be feasible.
    fn makespan(&self, priority: CrewPriority) -> u32 {
        let mut builder = NetworkBuilder::default();
        let crews = self
            .capacity
            .map(|units| builder.add_crew(CrewSupply::new(units, [])));
        let ids: Vec<NodeId> = (self.durations.iter().enumerate())
            .map(|(at, &duration)| {
                let duration = Quantity::Fixed(f64::from(duration));
                builder.add(format!("activity {at}"), duration, f64::NEG_INFINITY)
            })
            .collect();
        for (at, before) in self.before.iter().enumerate() {
            for &other in before {
                builder.depend(ids[at], ids[other], Quantity::Fixed(0.0));
            }
            for (crew, &units) in crews
                .iter()
                .zip(&self.needs[at])
                .filter(|(_, units)| **units > 0)
            {
                builder.needs_crew(ids[at], *crew, units);
            }
        }
        builder.prioritise(priority);
        let network = builder.build().unwrap();
        let (mut plan, mut finish) = (Plan::default(), Vec::new());
        network.schedule(&[], &mut plan, &mut finish);
        let start = plan.starts();
        for (at, before) in self.before.iter().enumerate() {
            assert!(before.iter().all(|&other| start[at] >= finish[other]));
            let moment = start[at];
            let running = |other: &usize| start[*other] <= moment && moment < finish[*other];
            for crew in 0..CREWS {
                let used: u32 = (0..start.len())
                    .filter(running)
                    .map(|at| self.needs[at][crew])
                    .sum();
                assert!(used <= self.capacity[crew]);
            }
        }
        finish.iter().copied().fold(0.0, f64::max) as u32
    }
}

/// By how much makespans exceed the bounds on average, as shares.
fn mean_excess(count: usize, strength: f64, networks: usize, priority: CrewPriority) -> f64 {
    let excess = |number: usize| {
        let project = Project::generate(count, strength, number as u64);
        let (bound, makespan) = (project.bound(), project.makespan(priority));
        assert!(
            makespan >= bound,
            "{makespan} is below the bound of {bound}"
        );
        f64::from(makespan) / f64::from(bound) - 1.0
    };
    let all: Vec<f64> = parallel::map_numbers(networks, excess);
    all.iter().sum::<f64>() / networks as f64
}

/// By how much makespans exceed the best bound on average, in per cent, of 24 networks of each kind (12
/// of 300 activities), late finish first:
///
/// ```text
///               strength 0.2   0.5   0.7   1.0   all four
///    30            20.8        9.5   4.4   0.0    8.7
///    60            33.0        8.8   1.6   0.0   10.9
///   120            28.7        9.7   0.9   0.0    9.8
///   300            15.6        5.2   0.1   0.0    5.2
/// ```
///
/// With very scarce crews (0.2) neither it nor the search stays within 10 %; how much of that is the
/// schedule's fault and how much the bound's, these bounds do not show. The test looks at fewer networks,
/// for its time.
#[test]
#[ignore = "slow"]
fn makespans_are_within_a_tenth_of_the_best_bound_unless_crews_are_very_scarce() {
    for (count, networks, searched) in [(30, 24, 12), (60, 24, 12), (120, 24, 6), (300, 12, 3)] {
        for (priority, networks, most, most_of_all) in [
            (CrewPriority::LateFinish, networks, 0.36, 0.12),
            (
                CrewPriority::Search { schedules: None },
                searched,
                0.25,
                0.08,
            ),
        ] {
            let excess = STRENGTHS.map(|strength| mean_excess(count, strength, networks, priority));
            // The networks are always the same: these means do not vary.
            assert!(excess[0] < most, "{count} {priority:?} {excess:?}");
            for excess in &excess[1..] {
                assert!(
                    *excess <= 0.1 + f64::EPSILON,
                    "{count} {priority:?} {excess}"
                );
            }
            // With capacity for the early dates all get them.
            assert_eq!(excess[3], 0.0);
            let all = excess.iter().sum::<f64>() / 4.0;
            assert!(all < most_of_all, "{count} {priority:?} {all}");
        }
    }
}

/// The shortest makespans of twelve networks of 30 activities of each strength, proved optimal by
/// OR-Tools CP-SAT 9.15.
const SHORTEST: [[u32; 4]; 12] = [
    [54, 57, 45, 48],
    [59, 55, 64, 62],
    [68, 75, 74, 80],
    [70, 47, 46, 48],
    [82, 56, 57, 60],
    [85, 81, 79, 62],
    [62, 70, 49, 49],
    [70, 60, 57, 67],
    [103, 67, 75, 63],
    [96, 52, 60, 47],
    [114, 67, 50, 62],
    [101, 80, 85, 78],
];

/// With 5,000 schedules, as many as a search of so small a network makes by itself.
#[test]
#[ignore = "slow"]
fn the_search_finds_nearly_the_shortest_of_small_networks() {
    let excess = |number: usize| -> f64 {
        let excess = STRENGTHS
            .iter()
            .zip(&SHORTEST[number])
            .map(|(&strength, &shortest)| {
                let project = Project::generate(30, strength, number as u64);
                let found = project.makespan(CrewPriority::Search { schedules: None });
                assert!(found >= shortest, "{number} {strength}: {found}");
                f64::from(found) / f64::from(shortest) - 1.0
            });
        excess.sum()
    };
    let all: f64 = (parallel::map_numbers(SHORTEST.len(), excess).iter()).sum();
    let mean = all / 48.0;
    assert!(mean <= 0.002, "{mean}");
}
