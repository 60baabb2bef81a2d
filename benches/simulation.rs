//! Where the time of a run goes: random numbers, samplers, schedules, the months, the gathering and merging of results,
//! whole batches; and how the time grows with the scenario.
//! `docs/speed.md` says what each bench measures, and has a table of results.
#![allow(missing_docs)]

mod networks;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use buildout::monte_carlo::part::Part;
use buildout::projection::{Projection, Provenance, TrialRow};
use buildout::sampling::streams::{Source, Stream};
use buildout::schedule::plan::Plan;
use buildout::tenants::{Allocation, Segment};
use buildout::uncertain::{Domain, Sampler};
use buildout::{Batch, Model, Scenario, Uncertain, Workspace};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use networks::{With, network};

/// How many trials batches and parts of runs have.
const TRIALS: u64 = 500;

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
    group.finish();
}

/// Whole trials of the Qingyang scenario, by the month: its months take most of them.
fn months(criterion: &mut Criterion) {
    let with = scenario();
    let mut without = with.clone();
    without.segments.clear();
    let mut group = criterion.benchmark_group("qingyang months");
    for (name, scenario) in [("without tenants", without), ("with tenants", with)] {
        let model = compiled(&scenario);
        let mut workspace = Workspace::default();
        let mut row = TrialRow::new(model.layout().clone());
        let mut number = 0;
        group.throughput(Throughput::Elements(model.layout().months as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                number += 1;
                model.simulate(1, number, &mut workspace, &mut row);
                black_box(&row);
            });
        });
    }
    group.finish();
}

fn schedules(criterion: &mut Criterion) {
    let model = compiled(&scenario());
    let (mut plan, mut finish) = (Plan::default(), Vec::new());
    let mut drawn = Vec::new();
    model.draw_inputs(1, 1, &mut drawn);
    let mut group = criterion.benchmark_group("schedule");
    group.throughput(Throughput::Elements(model.network().len() as u64));
    group.bench_function("qingyang", |bencher| {
        bencher.iter(|| {
            model.network().schedule(&drawn, &mut plan, &mut finish);
            black_box(&finish);
        });
    });
    for (name, with) in [
        ("dependencies", With::Dependencies),
        ("calendar", With::Calendar),
        ("crews", With::Crews),
    ] {
        for count in [250, 1_000, 4_000] {
            let network = network(count, with);
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
    group.throughput(Throughput::Elements(1));
    group.bench_function("all percentiles of all metrics", |bencher| {
        bencher.iter(|| black_box(whole.to_json()));
    });
    group.finish();
}

/// Parts of a run, as threads, shards and ranks hand them in.
fn merging(criterion: &mut Criterion) {
    let model = compiled(&scenario());
    let part = |trials| {
        let batch = Batch::new(&model).trials(2 * TRIALS).trial_range(trials);
        let mut part = batch.begin().expect("a part");
        batch.advance(&mut part).expect("it runs");
        part
    };
    let (one, other) = (part(0..TRIALS), part(TRIALS..2 * TRIALS));
    let mut ours = one.projection().expect("a projection");
    let theirs = other.projection().expect("a projection");
    let bytes = one.to_bytes();
    let mut group = criterion.benchmark_group("qingyang parts");
    group.sample_size(10);
    group.bench_function("two of 500 trials merged", |bencher| {
        bencher.iter(|| ours.merge(&theirs).expect("of one run"));
    });
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("one of 500 trials to a checkpoint", |bencher| {
        bencher.iter(|| black_box(one.to_bytes()));
    });
    group.bench_function("one of 500 trials from a checkpoint", |bencher| {
        bencher.iter(|| Part::from_bytes(&bytes, Path::new("bench")).expect("it is whole"));
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

/// One trial of a campus that grows in one direction at a time, with little of the others, so that time / size tells whether it
/// grows in proportion.
fn growth(criterion: &mut Criterion) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/first.toml");
    let first = Scenario::from_path(file).expect("the example is right");
    let sized = |allocation: Allocation, buildings: usize, companies: f64, months: u32| {
        let mut scenario = first.clone();
        scenario.horizon_months = months;
        let campus = &mut scenario.campuses[0];
        // Room and power for all who come, so that what grows is not the queue.
        campus.substations[0].power_mw = 1e7.into();
        for hall in campus.buildings[0].halls.iter_mut().flatten() {
            hall.racks = 1_000_000.into();
        }
        let building = campus.buildings[0].clone();
        campus.buildings = (0..buildings)
            .map(|number| {
                let mut another = building.clone();
                another.name = format!("A{number}");
                another
            })
            .collect();
        scenario.segments[0].outreach_per_month = Uncertain::Constant(companies);
        scenario.segments[0].allocation = allocation;
        scenario.targets.clear();
        compiled(&scenario)
    };
    let mut group = criterion.benchmark_group("growth");
    let each = Allocation::FirstCome;
    let by_buildings = [16, 32, 64, 128].map(|n| ("buildings", n, sized(each, n, 1.0, 120)));
    let companies = [125, 250, 500, 1_000];
    let by_companies = companies.map(|n| ("companies a month", n, sized(each, 1, n as f64, 120)));
    let in_cohorts = companies.map(|n| {
        let model = sized(Allocation::Cohort, 1, n as f64, 120);
        ("companies a month in cohorts", n, model)
    });
    let by_months = [60, 120, 240, 480].map(|n| ("months", n, sized(each, 4, 50.0, n as u32)));
    let cases = (by_buildings.into_iter())
        .chain(by_companies)
        .chain(in_cohorts)
        .chain(by_months);
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
    group.bench_function("an exponential number", |bencher| {
        bencher.iter(|| stream.exponential());
    });
    group.bench_function("a binomial number of 500 trials", |bencher| {
        bencher.iter(|| stream.binomial(black_box(500), black_box(0.2)));
    });
    group.finish();
}

/// Quantile functions at 256 levels, without the drawing of the levels.
fn samplers(criterion: &mut Criterion) {
    const LEVELS: usize = 256;
    let mut levels = [0.0; LEVELS];
    Source::named("bench").stream(1, 1).fill(&mut levels);
    let mut group = criterion.benchmark_group("samplers");
    group.throughput(Throughput::Elements(LEVELS as u64));
    for (name, quantity) in [
        ("uniform", Uncertain::uniform(2.0, 6.0)),
        ("triangular", Uncertain::triangular(0.5, 1.0, 2.0)),
        ("PERT", Uncertain::pert(2.0, 3.0, 6.0)),
        ("normal", Uncertain::normal(10.0, 2.0)),
        ("lognormal", Uncertain::lognormal(40.0, 1.4)),
        ("Pareto", Uncertain::pareto(10.0, 1.5)),
        (
            "discrete",
            Uncertain::discrete([(1.0, 0.2), (2.0, 0.5), (4.0, 0.3)]),
        ),
        ("percentiles", Uncertain::percentiles(2.0, 3.0, 6.0)),
    ] {
        let sampler = quantity.sampler(Domain::NON_NEGATIVE).expect("it is right");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let drawn = black_box(&levels).iter().map(|level| sampler.at(*level));
                black_box(drawn.sum::<f64>())
            });
        });
    }
    group.finish();
}

/// Short, so that all of it takes some two minutes; `--measurement-time 5` measures longer.
fn briefly() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(1_500))
        .sample_size(30)
}

criterion_group! {
    name = benches;
    config = briefly();
    targets = random_numbers, samplers, schedules, trial, months, gathering, merging, batch, growth
}
criterion_main!(benches);
