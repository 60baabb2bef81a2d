//! Schedules of large networks: time for each activity and trial.
#![allow(missing_docs)]

mod networks;

use std::hint::black_box;

use buildout::schedule::plan::Plan;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use networks::{With, network};

fn schedules(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("schedule");
    for (name, with) in [
        ("dependencies", With::Dependencies),
        ("calendar", With::Calendar),
        ("crews", With::Crews),
    ] {
        for count in [100, 1_000, 10_000] {
            let network = network(count, with);
            let (mut plan, mut finish) = (Plan::default(), Vec::new());
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| {
                    network.schedule(&[], &mut plan, &mut finish);
                    black_box(&finish);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, schedules);
criterion_main!(benches);
