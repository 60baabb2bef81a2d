//! One trial, and a batch, of the Qingyang scenario; and what drawing its random numbers alone takes.
#![allow(missing_docs)]

use std::hint::black_box;

use buildout::monte_carlo::streams::Source;
use buildout::projection::TrialRow;
use buildout::{Batch, Model, Scenario, Workspace};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const TRIALS: u64 = 2_000;

fn qingyang() -> Model {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/qingyang.toml");
    Scenario::from_path(file)
        .and_then(|scenario| scenario.compile())
        .expect("the example is right")
}

fn trial(criterion: &mut Criterion) {
    let model = qingyang();
    let mut workspace = Workspace::default();
    let mut row = TrialRow::new(model.layout().clone());
    let mut number = 0;
    let mut group = criterion.benchmark_group("qingyang");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one trial", |bencher| {
        bencher.iter(|| {
            number += 1;
            model.simulate(1, number, &mut workspace, &mut row);
            black_box(&row);
        });
    });
    let mut drawn = Vec::new();
    group.bench_function("inputs of one trial", |bencher| {
        bencher.iter(|| {
            number += 1;
            model.draw_inputs(1, number, &mut drawn);
            black_box(&drawn);
        });
    });
    group.finish();
}

fn batch(criterion: &mut Criterion) {
    let model = qingyang();
    let mut group = criterion.benchmark_group("qingyang batch");
    group
        .throughput(Throughput::Elements(TRIALS))
        .sample_size(10);
    for threads in [1, 2] {
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter(|| Batch::new(&model).trials(TRIALS).threads(threads).run());
        });
    }
    group.finish();
}

fn random_numbers(criterion: &mut Criterion) {
    let source = Source::named("bench");
    let mut group = criterion.benchmark_group("random numbers");
    group.bench_function("open a stream", |bencher| {
        let mut trial = 0;
        bencher.iter(|| {
            trial += 1;
            black_box(source.stream(1, trial))
        });
    });
    group.bench_function("a uniform of a stream", |bencher| {
        let mut stream = source.stream(1, 1);
        bencher.iter(|| stream.uniform());
    });
    group.finish();
}

criterion_group!(benches, trial, batch, random_numbers);
criterion_main!(benches);
