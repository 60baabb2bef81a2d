//! Where the time of a run goes: random numbers, samplers, what a trial draws, the month loop, the
//! gathering of results, whole batches; and how the time grows with the scenario.
//! `docs/speed.md` has a table of results.
#![allow(missing_docs)]

use std::hint::black_box;

use buildout::monte_carlo::streams::{Source, Stream};
use buildout::projection::{Projection, Provenance, TrialRow};
use buildout::tenants::Segment;
use buildout::uncertain::{Domain, Sampler};
use buildout::{Batch, Model, Scenario, Uncertain, Workspace};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const TRIALS: u64 = 2_000;

fn scenario() -> Scenario {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/qingyang.toml");
    Scenario::from_path(file).expect("the example is right")
}

fn compiled(scenario: &Scenario) -> Model {
    scenario.compile().expect("the example is right")
}

/// What is drawn for the contracts of a segment.
struct Draws {
    source: Source,
    outreach: f64,
    growth: f64,
    sign_probability: f64,
    subsidiary_probability: f64,
    /// For each contract, those that vary.
    each: Vec<Sampler>,
    subsidiary_lag: Sampler,
}

impl Draws {
    fn of(segment: &Segment) -> Self {
        let sampler = |quantity: &Uncertain| quantity.sampler(Domain::ANY).expect("it is right");
        let mean = |quantity: &Uncertain| sampler(quantity).mean();
        let patience = segment.patience_months.iter();
        let sizes = (segment.contract_standard_racks.iter()).chain(&segment.contract_power_kw);
        let each = [&segment.sign_lag_months, &segment.move_in_lag_months];
        let terms = [&segment.ramp_months, &segment.term_months];
        Self {
            source: Source::named(&segment.name),
            outreach: mean(&segment.outreach_per_month),
            growth: (1.0 + mean(&segment.outreach_growth_per_year)).powf(1.0 / 12.0),
            sign_probability: mean(&segment.sign_probability),
            subsidiary_probability: mean(&segment.subsidiary_probability),
            each: (each.into_iter().chain(sizes).chain(terms).chain(patience))
                .map(sampler)
                .filter(|sampler| sampler.constant().is_none())
                .collect(),
            subsidiary_lag: sampler(&segment.subsidiary_lag_months),
        }
    }

    /// Draws what a trial draws for a segment, from as many streams, and does nothing with it. A stay is an
    /// exponential number, and every contract draws whether it comes with a subsidiary.
    fn draw(&self, trial: u64, months: u64, signers: &mut Vec<u32>) -> f64 {
        let mut sum = 0.0;
        let mut mean = self.outreach;
        let mut streams: [Stream; 10] =
            std::array::from_fn(|number| self.source.stream_at(2, trial, number as u64));
        for month in 0..months {
            let contacted = self.source.stream_at(1, trial, month).poisson(mean);
            mean *= self.growth;
            let [signing, stay, subsidiary, lag, rest @ ..] = &mut streams;
            signers.resize(contacted as usize, 0);
            let found = signing.pick(self.sign_probability, signers);
            for _ in 0..found {
                for (sampler, stream) in self.each.iter().zip(rest.iter_mut()) {
                    sum += sampler.at(stream.uniform());
                }
                sum += stay.exponential();
                let u = lag.uniform();
                if subsidiary.uniform() < self.subsidiary_probability {
                    sum += self.subsidiary_lag.at(u);
                }
            }
        }
        sum
    }
}

fn trial(criterion: &mut Criterion) {
    let scenario = scenario();
    let model = compiled(&scenario);
    let months = model.layout().months as u64;
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
    let segments: Vec<Draws> = scenario.segments.iter().map(Draws::of).collect();
    let mut signers = Vec::new();
    group.bench_function("all random numbers of one trial", |bencher| {
        bencher.iter(|| {
            number += 1;
            model.draw_inputs(1, number, &mut drawn);
            for segment in &segments {
                black_box(segment.draw(number, months, &mut signers));
            }
        });
    });
    let mut without = scenario.clone();
    without.segments.clear();
    let without = compiled(&without);
    let mut row = TrialRow::new(without.layout().clone());
    group.bench_function("one trial without tenants", |bencher| {
        bencher.iter(|| {
            number += 1;
            without.simulate(1, number, &mut workspace, &mut row);
            black_box(&row);
        });
    });
    group.finish();
}

fn gathering(criterion: &mut Criterion) {
    let model = compiled(&scenario());
    let mut workspace = Workspace::default();
    let block: Vec<TrialRow> = (0..64)
        .map(|trial| {
            let mut row = TrialRow::new(model.layout().clone());
            model.simulate(1, trial, &mut workspace, &mut row);
            row
        })
        .collect();
    let run = |trials| {
        Batch::new(&model)
            .trial_range(trials)
            .run()
            .expect("it runs")
    };
    let mut whole =
        Projection::new(model.layout().clone(), Provenance::default()).expect("a layout");
    for _ in 0..20 {
        whole.absorb(&block).expect("its layout");
    }
    let mut group = criterion.benchmark_group("qingyang results");
    group.throughput(Throughput::Elements(64));
    group.bench_function("64 trials absorbed", |bencher| {
        bencher.iter(|| whole.absorb(&block).expect("its layout"));
    });
    group.throughput(Throughput::Elements(1)).sample_size(20);
    let (mut ours, theirs) = (run(0..TRIALS), run(TRIALS..2 * TRIALS));
    group.bench_function("two parts of 2,000 trials merged", |bencher| {
        bencher.iter(|| ours.merge(&theirs).expect("of one run"));
    });
    group.finish();
}

fn batch(criterion: &mut Criterion) {
    let model = compiled(&scenario());
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

/// One trial of a campus that grows in one direction at a time.
fn growth(criterion: &mut Criterion) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/first.toml");
    let first = Scenario::from_path(file).expect("the example is right");
    let sized = |buildings: usize, tenants: f64, months: u32| {
        let mut scenario = first.clone();
        scenario.horizon_months = months;
        let campus = &mut scenario.campuses[0];
        let building = campus.buildings[0].clone();
        campus.buildings = (0..buildings)
            .map(|number| {
                let mut another = building.clone();
                another.name = format!("A{number}");
                another
            })
            .collect();
        scenario.segments[0].outreach_per_month = Uncertain::Constant(tenants);
        scenario.targets.clear();
        compiled(&scenario)
    };
    let mut group = criterion.benchmark_group("growth");
    let sizes = [10, 20, 40, 80];
    let cases = (sizes.iter().map(|&n| ("buildings", n, sized(n, 12.0, 120))))
        .chain(
            sizes
                .iter()
                .map(|&n| ("companies a month", 10 * n, sized(10, 10.0 * n as f64, 120))),
        )
        .chain(
            sizes
                .iter()
                .map(|&n| ("months", 6 * n, sized(10, 100.0, 6 * n as u32))),
        );
    for (what, size, model) in cases {
        let mut workspace = Workspace::default();
        let mut row = TrialRow::new(model.layout().clone());
        let mut number = 0;
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new(what, size), |bencher| {
            bencher.iter(|| {
                number += 1;
                model.simulate(1, number, &mut workspace, &mut row);
                black_box(&row);
            });
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
    let mut stream = source.stream(1, 1);
    group.bench_function("a uniform of a stream", |bencher| {
        bencher.iter(|| stream.uniform());
    });
    for mean in [3.0, 60.0] {
        group.bench_function(format!("a Poisson number of mean {mean}"), |bencher| {
            bencher.iter(|| stream.poisson(black_box(mean)));
        });
    }
    for (name, quantity) in [
        ("uniform", Uncertain::uniform(2.0, 6.0)),
        ("triangular", Uncertain::triangular(0.5, 1.0, 2.0)),
        ("PERT", Uncertain::pert(2.0, 3.0, 6.0)),
        ("lognormal", Uncertain::lognormal(40.0, 1.4)),
    ] {
        let sampler = quantity.sampler(Domain::NON_NEGATIVE).expect("it is right");
        group.bench_function(format!("a {name} number"), |bencher| {
            bencher.iter(|| sampler.at(stream.uniform()));
        });
    }
    group.finish();
}

criterion_group!(benches, random_numbers, trial, gathering, batch, growth);
criterion_main!(benches);
