use super::*;
use crate::sampling::inputs::Quantity::Fixed;
use crate::schedule::calendars::Calendar;
use crate::schedule::network::{LinkKind, Network, NetworkBuilder, NodeId};
use crate::schedule::plan::Plan;
use crate::schedule::priority::CrewPriority;
use proptest::prelude::*;
use std::sync::Arc;

#[derive(Clone, Debug)]
struct Job {
    duration: u8,
    units: u32,
    after: Vec<usize>,
}

fn network(jobs: &[Job], supply: &CrewSupply) -> (Network, Vec<NodeId>) {
    let mut builder = NetworkBuilder::default();
    let crew = builder.add_crew(supply.clone());
    let ids: Vec<NodeId> = (jobs.iter().enumerate())
        .map(|(position, job)| {
            let duration = Fixed(f64::from(job.duration));
            builder.add(format!("job {position}"), duration, f64::NEG_INFINITY)
        })
        .collect();
    for (position, job) in jobs.iter().enumerate() {
        for &before in &job.after {
            builder.depend(ids[position], ids[before], Fixed(0.0));
        }
        if job.units > 0 {
            builder.needs_crew(ids[position], crew, job.units);
        }
    }
    (builder.build().unwrap(), ids)
}

fn dates(network: &Network) -> (Vec<f64>, Vec<f64>) {
    let (mut plan, mut finish) = (Plan::default(), Vec::new());
    network.schedule(&[], &mut plan, &mut finish);
    (plan.starts().to_vec(), finish)
}

fn makespan(finish: &[f64]) -> f64 {
    finish.iter().copied().fold(0.0, f64::max)
}

/// The least makespan of all: every order of the jobs through the serial scheme, among which
/// an optimal one is found (Kolisch 1996: serial schedules are the active ones).
fn least_makespan(jobs: &[Job], capacity: u32) -> f64 {
    fn go(jobs: &[Job], capacity: u32, starts: &mut Vec<Option<u32>>, best: &mut u32) {
        let finish = |starts: &[Option<u32>], job: usize| {
            starts[job].map(|start| start + u32::from(jobs[job].duration))
        };
        if starts.iter().all(Option::is_some) {
            let end = (0..jobs.len()).filter_map(|job| finish(starts, job)).max();
            *best = (*best).min(end.unwrap_or(0));
            return;
        }
        for job in 0..jobs.len() {
            if starts[job].is_some() {
                continue;
            }
            let ready = jobs[job].after.iter().map(|&before| finish(starts, before));
            let Some(ready) = ready.collect::<Option<Vec<u32>>>() else {
                continue;
            };
            let mut start = ready.into_iter().max().unwrap_or(0);
            // Month by month: whole durations make every date whole.
            while !(start..start + u32::from(jobs[job].duration)).all(|month| {
                let used: u32 = (0..jobs.len())
                    .filter(|&other| {
                        starts[other].is_some_and(|from| {
                            (from..from + u32::from(jobs[other].duration)).contains(&month)
                        })
                    })
                    .map(|other| jobs[other].units)
                    .sum();
                used + jobs[job].units <= capacity
            }) {
                start += 1;
            }
            starts[job] = Some(start);
            go(jobs, capacity, starts, best);
            starts[job] = None;
        }
    }
    let mut best = u32::MAX;
    go(jobs, capacity, &mut vec![None; jobs.len()], &mut best);
    f64::from(best)
}

fn jobs(most: usize, capacity: u32) -> impl Strategy<Value = Vec<Job>> {
    let job = (0_u8..9, 0..=capacity, any::<u64>());
    prop::collection::vec(job, 2..most).prop_map(|list| {
        let job = |(position, (duration, units, bits)): (usize, (u8, u32, u64))| Job {
            duration,
            units,
            // About one in four of those before it.
            after: (0..position)
                .filter(|before| (bits >> (2 * (before % 32))) & 3 == 0)
                .collect(),
        };
        list.into_iter().enumerate().map(job).collect()
    })
}

#[test]
fn two_crews_then_four() {
    // Six fit-outs of four months; two crews until month 5, four from then on:
    // 0-4 twice, from 5 on the other four together (at 4 two may start: 4-8, at 5 two more: 5-9).
    let jobs: Vec<Job> = (0..6)
        .map(|_| Job {
            duration: 4,
            units: 1,
            after: vec![],
        })
        .collect();
    let (network, _) = network(&jobs, &CrewSupply::new(2, [(5.0, 4)]));
    let (start, finish) = dates(&network);
    assert_eq!(start, [0.0, 0.0, 4.0, 4.0, 5.0, 5.0]);
    assert_eq!(makespan(&finish), 9.0);
}

#[test]
fn what_is_due_first_goes_first() {
    // Both want the one crew at once; "job 1" leads to eight months of other work.
    let job = |duration, units, after| Job {
        duration,
        units,
        after,
    };
    let jobs = [job(3, 1, vec![]), job(2, 1, vec![]), job(8, 0, vec![1])];
    let (network, _) = network(&jobs, &CrewSupply::new(1, []));
    let (start, finish) = dates(&network);
    assert_eq!(start, [2.0, 0.0, 2.0]);
    assert_eq!(makespan(&finish), 10.0);
}

#[test]
fn a_crew_that_never_suffices_never_starts() {
    let jobs = [Job {
        duration: 1,
        units: 3,
        after: vec![],
    }];
    let (network, _) = network(&jobs, &CrewSupply::new(2, []));
    assert_eq!(dates(&network).0, [f64::INFINITY]);
}

/// A network of two crews, of which jobs need both, by a calendar and with all kinds of links.
fn mixed_network(jobs: &[Job], kinds: &[u8], priority: CrewPriority) -> (Network, Vec<NodeId>) {
    let mut builder = NetworkBuilder::default();
    let start = "2025-01".parse().unwrap();
    let week = Arc::new(Calendar::five_days("week").compile(start, 120));
    let week = builder.add_calendar(week);
    let supplies = [
        CrewSupply::new(4, [(3.0, 5), (9.0, 4)]),
        CrewSupply::new(1, [(2.0, 0), (4.0, 2)]),
    ];
    let crews = supplies.map(|supply| builder.add_crew(supply));
    let ids: Vec<NodeId> = (jobs.iter().enumerate())
        .map(|(position, job)| {
            let months = Fixed(f64::from(job.duration) / 7.0);
            builder.add(format!("job {position}"), months, f64::NEG_INFINITY)
        })
        .collect();
    for (position, job) in jobs.iter().enumerate() {
        let kind = kinds[position % kinds.len()];
        if kind & 1 == 1 {
            builder.set_calendar(ids[position], Some(week));
        }
        for &before in &job.after {
            let link = [
                LinkKind::FinishToStart,
                LinkKind::StartToStart,
                LinkKind::FinishToFinish,
            ][usize::from(kind) % 3];
            builder.link(
                ids[position],
                ids[before],
                link,
                Fixed(f64::from(kind % 5) / 10.0),
            );
        }
        if job.units > 0 {
            builder.needs_crew(ids[position], crews[0], job.units);
        }
        if kind > 170 {
            builder.needs_crew(ids[position], crews[1], 1);
        }
    }
    builder.prioritise(priority);
    (builder.build().unwrap(), ids)
}

proptest! {
    // The search makes many schedules for each.
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn schedules_of_several_crews_and_calendars_are_feasible(
        jobs in jobs(40, 4),
        kinds in prop::collection::vec(any::<u8>(), 1..40),
        priority in prop::sample::select(vec![
            CrewPriority::LateFinish, CrewPriority::LateStart, CrewPriority::LeastFloat,
            CrewPriority::MostWork, CrewPriority::Search { schedules: Some(200) },
        ]),
    ) {
        let (network, ids) = mixed_network(&jobs, &kinds, priority);
        let (start, finish) = dates(&network);
        let path = network.critical_path(&[], None);
        for &id in &ids {
            prop_assert!(start[id.index()] >= path.early_start(id) - 1e-9);
            for link in network.links(id) {
                let of = |is_start: bool, node: NodeId| {
                    let dates = if is_start { &start } else { &finish };
                    dates[node.index()]
                };
                let demanded = of(link.kind.is_from_start(), link.predecessor) + link.lag.value(&[]);
                prop_assert!(of(link.kind.is_to_start(), id) >= demanded - 1e-9);
            }
        }
        for &moment in start.iter().chain(&[2.0, 3.0, 4.0, 9.0]) {
            for (crew, supply) in network.crews.iter().enumerate() {
                let used: i64 = (ids.iter())
                    .filter(|id| start[id.index()] <= moment && moment < finish[id.index()])
                    .flat_map(|id| &network.nodes[id.index()].crews)
                    .filter(|(of, _)| of.0 as usize == crew)
                    .map(|(_, units)| i64::from(*units))
                    .sum();
                let there = supply.steps.iter().rev().find(|(from, _)| *from <= moment);
                prop_assert!(used <= there.unwrap().1, "{used} of {there:?} at {moment}");
            }
        }
    }

}

proptest! {
    #[test]
    fn schedules_are_feasible_and_never_earlier_than_the_critical_path(
        jobs in jobs(40, 4), later in 0_u32..8
    ) {
        let supply = CrewSupply::new(4, [(10.0, 4 + later)]);
        let (network, ids) = network(&jobs, &supply);
        let (start, finish) = dates(&network);
        let path = network.critical_path(&[], None);
        for (position, &id) in ids.iter().enumerate() {
            prop_assert!(start[position] >= path.early_start(id) - 1e-9);
            for &before in &jobs[position].after {
                prop_assert!(start[position] >= finish[before]);
            }
        }
        for &moment in &start {
            let used: u32 = (0..jobs.len())
                .filter(|&job| start[job] <= moment && moment < finish[job])
                .map(|job| jobs[job].units)
                .sum();
            let there = if moment < 10.0 { 4 } else { 4 + later };
            prop_assert!(used <= there, "{used} of {there} at {moment}");
        }
    }

    #[test]
    fn small_schedules_are_near_the_best_of_all(jobs in jobs(7, 3)) {
        let (network, _) = network(&jobs, &CrewSupply::new(3, []));
        let found = makespan(&dates(&network).1);
        let best = least_makespan(&jobs, 3);
        // Never below the best that brute force finds, and never twice as long.
        prop_assert!(found >= best && found <= 2.0 * best, "{found} {best}");
    }
}

/// Networks of 30 to 300 activities against the greater of two lower bounds: the critical
/// path, and the work divided by the crew.
#[test]
fn makespans_are_within_a_tenth_of_a_lower_bound_on_average() {
    use crate::sampling::streams::Source;
    let mut excess = 0.0;
    let mut cases = 0.0;
    for count in [30_usize, 60, 90, 120, 300] {
        for case in 0..20 {
            let mut stream = Source::named("networks").stream(count as u64, case);
            let mut jobs = Vec::new();
            for position in 0..count {
                let mut after: Vec<usize> = Vec::new();
                for _ in 0..2 {
                    if position > 0 {
                        // Among the twenty before it, so that the network has some length.
                        let back = 1 + (stream.uniform() * 20.0) as usize;
                        after.extend(position.checked_sub(back));
                    }
                }
                after.sort_unstable();
                after.dedup();
                jobs.push(Job {
                    duration: 1 + (stream.uniform() * 10.0) as u8,
                    units: (stream.uniform() * 5.0) as u32,
                    after,
                });
            }
            let capacity = 10;
            let (network, _) = network(&jobs, &CrewSupply::new(capacity, []));
            let work: f64 = jobs
                .iter()
                .map(|job| f64::from(job.duration) * f64::from(job.units))
                .sum();
            let path = network.critical_path(&[], None).finish();
            let bound = path.max((work / f64::from(capacity)).ceil());
            excess += makespan(&dates(&network).1) / bound - 1.0;
            cases += 1.0;
        }
    }
    let mean = excess / cases;
    assert!(mean < 0.10, "{mean}");
}

#[test]
fn a_need_is_of_one_unit_or_of_those_that_it_states() {
    let one = CrewNeed::from("crane");
    assert_eq!((one.crew(), one.units()), ("crane", 1.0));
    let several = CrewNeed::Several(CrewUnits {
        crew: "fitters".to_owned(),
        units: 2.5,
    });
    assert_eq!((several.crew(), several.units()), ("fitters", 2.5));
}
