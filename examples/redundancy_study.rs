//! The same installed megawatts as 2N, 3N/2, 4N/3 and block redundant, over ten years in which
//! racks grow from 40 kW to 1 MW: what can be deployed, what is stranded by cause, and what a
//! deployable megawatt costs, each with its spread.
//!
//! ```text
//! 12 line-ups of 2.5 MW ─▶ 72 rows of 24 positions ─▶ racks arrive by the month, stay 60 months
//! ```
//!
//! `cargo run --release --example redundancy_study -- 400` (the number of trials)

use std::time::Instant;

use buildout::monte_carlo::streams::{Source, Stream};
use buildout::power::{Delivery, DeliveryTree, Deployment, Placement, Redundancy, Refusal};
use buildout::uncertain::normal_quantile;

const MODULES: u32 = 12;
const MODULE_KW: f64 = 2_500.0;
const MONTHS: usize = 120;
const LIFE_MONTHS: usize = 60;
/// What wants to come each month, so that halls fill within the first two years. Assumption.
const DEMAND_KW: f64 = 1_200.0;
/// Median power of a rack at the beginning and after ten years: three hardware generations went
/// from 40 to 132 to 600 kW. The spread about it is an assumption.
const RACK_KW: (f64, f64) = (40.0, 1_000.0);
const SIGMA: f64 = 0.5;
/// The cost of a critical megawatt: 9.3 to 15.0 M$, 11.7 on average, of which 53 % follows what is
/// installed. Here all designs install the same, so the cost is the same for all.
const COST_M: (f64, f64) = (9.3, 15.0);

/// What a trial says at the end of ten years, and on average over the last five.
#[derive(Clone, Copy, Default)]
struct Outcome {
    deployed_mw: f64,
    mean_mw: f64,
    /// Stranded at the end by positions, row and fragmentation, in MW.
    stranded_mw: [f64; 3],
    cost_m_per_mw: f64,
}

fn rack_kw(month: usize, stream: &mut Stream) -> f64 {
    let growth = (RACK_KW.1 / RACK_KW.0).powf(month as f64 / MONTHS as f64);
    let spread = (SIGMA * normal_quantile(stream.uniform())).exp();
    (RACK_KW.0 * growth * spread).min(1_000.0)
}

fn live(redundancy: Redundancy, placement: Placement, trial: u64) -> Outcome {
    let mut design = Delivery::new(72, 24);
    design.row_power_kw = Some(1_250.0);
    let mut tree = DeliveryTree::new(redundancy, MODULES, MODULE_KW, &design)
        .expect("whole groups that bear one failure");
    // Every design meets the same racks.
    let mut stream = Source::named("racks").stream(1, trial);
    let cost = COST_M.0 + (COST_M.1 - COST_M.0) * Source::named("cost").uniform(1, trial);
    let installed_mw = f64::from(MODULES) * MODULE_KW / 1_000.0;
    let mut standing: Vec<(usize, usize, Deployment)> = Vec::new();
    let mut refused_kw = [0.0; 3];
    let mut outcome = Outcome::default();
    for month in 0..MONTHS {
        standing.retain(|&(leaves, row, rack)| {
            if leaves == month {
                tree.remove(row, rack);
            }
            leaves != month
        });
        if month == MONTHS - 12 {
            refused_kw = [0.0; 3];
        }
        let mut left = DEMAND_KW;
        while left > 0.0 {
            let rack = Deployment {
                power_kw: rack_kw(month, &mut stream),
                positions: 1,
            };
            left -= rack.power_kw;
            match tree.place(rack, placement) {
                Some(row) => standing.push((month + LIFE_MONTHS, row, rack)),
                None => {
                    let cause = match tree.refusal(rack) {
                        Some(Refusal::Positions) => 0,
                        Some(Refusal::Row) => 1,
                        Some(Refusal::Fragmented) => 2,
                        _ => continue,
                    };
                    refused_kw[cause] += rack.power_kw;
                }
            }
        }
        if month >= MONTHS / 2 {
            outcome.mean_mw += tree.placed_kw() / 1_000.0 / (MONTHS / 2) as f64;
        }
    }
    outcome.deployed_mw = tree.placed_kw() / 1_000.0;
    // What is left is booked by what was refused in the last year.
    let unused_mw = (tree.usable_kw() - tree.placed_kw()) / 1_000.0;
    let all: f64 = refused_kw.iter().sum();
    if all > 0.0 {
        outcome.stranded_mw = refused_kw.map(|kw| unused_mw * kw / all);
    }
    outcome.cost_m_per_mw = cost * installed_mw / outcome.mean_mw;
    outcome
}

fn percentiles(outcomes: &[Outcome], of: impl Fn(&Outcome) -> f64) -> String {
    let mut values: Vec<f64> = outcomes.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    format!("{:5.1} {:5.1} {:5.1}", at(0.1), at(0.5), at(0.9))
}

fn main() {
    let trials = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let trials: u64 = trials.unwrap_or(200);
    println!("{MODULES} line-ups of {MODULE_KW} kW; {trials} trials; P10 P50 P90 of each");
    println!(
        "{:<11} {:<9} {:>6} | {:^17} | {:^17} | {:^17} | {:^17} | {:^17} | {:^17} | ms/trial",
        "redundancy",
        "placement",
        "usable",
        "deployed MW",
        "mean of 5 years",
        "no positions MW",
        "row MW",
        "fragmented MW",
        "M$/deployable MW"
    );
    for text in ["2N", "3N/2", "4N/3", "block 4N/3"] {
        let redundancy: Redundancy = text.parse().expect("a redundancy");
        for (name, placement) in [
            ("first fit", Placement::FirstFit),
            ("best fit", Placement::BestFit),
            ("balanced", Placement::Balanced),
        ] {
            let start = Instant::now();
            let outcomes: Vec<Outcome> = (0..trials)
                .map(|trial| live(redundancy, placement, trial))
                .collect();
            let each = start.elapsed().as_secs_f64() * 1e3 / trials as f64;
            let usable = f64::from(redundancy.usable_modules(MODULES)) * MODULE_KW / 1_000.0;
            println!(
                "{text:<11} {name:<9} {usable:>6.1} | {} | {} | {} | {} | {} | {} | {each:.2}",
                percentiles(&outcomes, |outcome| outcome.deployed_mw),
                percentiles(&outcomes, |outcome| outcome.mean_mw),
                percentiles(&outcomes, |outcome| outcome.stranded_mw[0]),
                percentiles(&outcomes, |outcome| outcome.stranded_mw[1]),
                percentiles(&outcomes, |outcome| outcome.stranded_mw[2]),
                percentiles(&outcomes, |outcome| outcome.cost_m_per_mw),
            );
        }
    }
}
