//! By how many times fewer trials a sampling design gets to the same standard error as independent
//! trials: the ratio of the variances of an estimate from 256 trials, for results of the Qingyang
//! scenario.
//!
//! `cargo run --release --example designs -- 64` (how many estimates each variance comes from: with
//! R of them a ratio is itself known to about 2 / sqrt(R), so 25 % for 64 and 70 % for the 8 of a first look)

use std::env;
use std::error::Error;

use buildout::projection::{Distribution, Projection};
use buildout::{Batch, Design, Model, Scenario};

/// Trials of one estimate.
const EACH: u64 = 256;
const LIT: &str = "three buildings capped, A1 lit, substation energised";

/// The mean of a number, or a quantile of it.
struct Wanted {
    name: &'static str,
    of: fn(&Projection) -> Option<Distribution<'_>>,
    quantile: Option<f64>,
}

impl Wanted {
    fn estimate(&self, projection: &Projection) -> f64 {
        let found = (self.of)(projection).and_then(|of| match self.quantile {
            None => of.mean(),
            Some(p) => of.quantile(p),
        });
        found.unwrap_or(f64::NAN)
    }

    fn std_error(&self, projection: &Projection) -> f64 {
        let found = (self.of)(projection).and_then(|of| match self.quantile {
            None => of.std_error(),
            Some(p) => of.quantile_std_error(p),
        });
        found.unwrap_or(f64::NAN)
    }
}

/// A metric at the end of a month, counted from January 2024 as 0.
fn metric<'a>(projection: &'a Projection, name: &str, month: usize) -> Option<Distribution<'a>> {
    projection.metric(name)?.month(month)
}

fn wanted() -> [Wanted; 9] {
    let want = |name, of, quantile| Wanted { name, of, quantile };
    [
        want(
            "mean date, A1 live",
            |p| p.milestone("Qingyang/A1 live"),
            None,
        ),
        want(
            "P90 date, A1 live",
            |p| p.milestone("Qingyang/A1 live"),
            Some(0.9),
        ),
        want(
            "mean date, the sixteen-month milestone",
            |p| p.milestone(LIT),
            None,
        ),
        want(
            "mean date, C1 live",
            |p| p.milestone("Qingyang/C1 live"),
            None,
        ),
        want(
            "P50 date, C1 live",
            |p| p.milestone("Qingyang/C1 live"),
            Some(0.5),
        ),
        want(
            "mean installed PFLOPS, end of 2030",
            |p| metric(p, "installed_pflops", 83),
            None,
        ),
        want(
            "P50 installed PFLOPS, end of 2030",
            |p| metric(p, "installed_pflops", 83),
            Some(0.5),
        ),
        want(
            "mean PFLOPS in service, end of 2030",
            |p| metric(p, "in_service_pflops", 83),
            None,
        ),
        want(
            "P50 PFLOPS in service, end of 2030",
            |p| metric(p, "in_service_pflops", 83),
            Some(0.5),
        ),
    ]
}

/// The variance of each estimate from [`EACH`] independent trials.
fn of_random(
    model: &Model,
    wanted: &[Wanted],
    replicates: u64,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut estimates = vec![Vec::new(); wanted.len()];
    for replicate in 0..replicates {
        let trials = replicate * EACH..(replicate + 1) * EACH;
        let projection = Batch::new(model).trial_range(trials).seed(1).run()?;
        for (list, wanted) in estimates.iter_mut().zip(wanted) {
            list.push(wanted.estimate(&projection));
        }
    }
    let variance = |list: &Vec<f64>| {
        let mean = list.iter().sum::<f64>() / list.len() as f64;
        list.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (list.len() - 1) as f64
    };
    Ok(estimates.iter().map(variance).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let replicates: u32 = match env::args().nth(1) {
        Some(replicates) => replicates.parse()?,
        None => 8,
    };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/qingyang.toml");
    let model = Scenario::from_path(file)?.compile()?;
    println!(
        "{} trials of each design; a ratio is known to about {:.0} %\n",
        EACH * u64::from(replicates),
        200.0 / f64::from(replicates).sqrt()
    );
    let wanted = wanted();
    let random = of_random(&model, &wanted, replicates.into())?;
    let mut gains = Vec::new();
    for design in [
        Design::Antithetic { replicates },
        Design::LatinHypercube {
            size: EACH,
            replicates,
        },
        Design::Sobol { replicates },
    ] {
        let trials = EACH * u64::from(replicates);
        let run = Batch::new(&model)
            .trials(trials)
            .seed(2)
            .design(design)
            .run()?;
        // The standard error is that of all replicates together.
        let one = |wanted: &Wanted| f64::from(replicates) * wanted.std_error(&run).powi(2);
        let of_design = wanted.iter().map(one);
        gains.push(
            random
                .iter()
                .zip(of_design)
                .map(|(a, b)| a / b)
                .collect::<Vec<_>>(),
        );
    }
    println!("| | antithetic | Latin hypercube | Sobol' |\n| --- | --- | --- | --- |");
    for (number, wanted) in wanted.iter().enumerate() {
        let [a, b, c] = [0, 1, 2].map(|design: usize| gains[design][number]);
        println!("| {} | {a:.1} | {b:.1} | {c:.1} |", wanted.name);
    }
    Ok(())
}
