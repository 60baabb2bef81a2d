//! The same installed megawatts as 2N, 3N/2, 4N/3 and block redundant, over ten years in which
//! racks grow from 40 kW to 1 MW: what can be deployed, what is stranded by cause, and what a
//! deployable megawatt costs, each with its spread.
//!
//! ```text
//! 12 line-ups of 2.5 MW ─▶ 72 rows of 8 positions ─▶ racks arrive by the month, stay 60 months
//! ```
//!
//! `cargo run --release --example redundancy_study -- 400 study.svg` (the number of trials, and where the
//! chart goes)

use std::time::Instant;

use buildout::power::{Delivery, DeliveryTree, Deployment, Placement, Redundancy, Refusal};
use buildout::sampling::streams::{Source, Stream};
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

/// Until then halls fill for the first time.
const FILLED: usize = 24;

/// What a trial says at the end of ten years, and on average from the third year on.
#[derive(Clone, Copy, Default)]
struct Outcome {
    deployed_mw: f64,
    mean_mw: f64,
    /// Mean of what is stranded by positions, row and fragmentation, in MW.
    stranded_mw: [f64; 3],
    cost_m_per_mw: f64,
}

fn rack_kw(month: usize, stream: &mut Stream) -> f64 {
    let growth = (RACK_KW.1 / RACK_KW.0).powf(month as f64 / MONTHS as f64);
    let spread = (SIGMA * normal_quantile(stream.uniform())).exp();
    (RACK_KW.0 * growth * spread).min(1_000.0)
}

fn live(redundancy: Redundancy, placement: Placement, trial: u64) -> Outcome {
    let mut design = Delivery::new(72, 8);
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
        // What was refused long ago fades.
        refused_kw = refused_kw.map(|kw| kw * 11.0 / 12.0);
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
        if month < FILLED {
            continue;
        }
        let weight = 1.0 / (MONTHS - FILLED) as f64;
        outcome.mean_mw += weight * tree.placed_kw() / 1_000.0;
        // What is left is booked by what was refused of late.
        let unused_mw = (tree.usable_kw() - tree.placed_kw()) / 1_000.0;
        let all: f64 = refused_kw.iter().sum();
        if all > 0.0 {
            for (sum, kw) in outcome.stranded_mw.iter_mut().zip(refused_kw) {
                *sum += weight * unused_mw * kw / all;
            }
        }
    }
    outcome.deployed_mw = tree.placed_kw() / 1_000.0;
    outcome.cost_m_per_mw = cost * installed_mw / outcome.mean_mw;
    outcome
}

/// A tenth, the median and nine tenths.
fn percentiles(outcomes: &[Outcome], of: impl Fn(&Outcome) -> f64) -> [f64; 3] {
    let mut values: Vec<f64> = outcomes.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    [0.1, 0.5, 0.9].map(|share| values[((values.len() - 1) as f64 * share).round() as usize])
}

fn mean(outcomes: &[Outcome], of: impl Fn(&Outcome) -> f64) -> f64 {
    outcomes.iter().map(of).sum::<f64>() / outcomes.len() as f64
}

/// All trials of a design with a placement.
struct Study {
    redundancy: &'static str,
    placement: &'static str,
    usable_mw: f64,
    outcomes: Vec<Outcome>,
    ms_per_trial: f64,
}

impl Study {
    fn line(&self) -> String {
        let cells: [[f64; 3]; 6] = [
            percentiles(&self.outcomes, |outcome| outcome.deployed_mw),
            percentiles(&self.outcomes, |outcome| outcome.mean_mw),
            percentiles(&self.outcomes, |outcome| outcome.stranded_mw[0]),
            percentiles(&self.outcomes, |outcome| outcome.stranded_mw[1]),
            percentiles(&self.outcomes, |outcome| outcome.stranded_mw[2]),
            percentiles(&self.outcomes, |outcome| outcome.cost_m_per_mw),
        ];
        let cells = cells.map(|[low, mid, high]| format!("{low:5.1} {mid:5.1} {high:5.1}"));
        format!(
            "{:<11} {:<9} {:>6.1} | {} | {:.2}",
            self.redundancy,
            self.placement,
            self.usable_mw,
            cells.join(" | "),
            self.ms_per_trial
        )
    }
}

/// Shades from dark to light, so that the parts can be distinguished in print too.
const PARTS: [(&str, &str); 5] = [
    ("deployed", "#08306b"),
    ("no positions", "#6baed6"),
    ("row too weak", "#fdae6b"),
    ("fragmented", "#d94801"),
    ("empty, and the reserve of the redundancy", "#eeeeee"),
];

/// Installed power by what became of it, and what a deployable megawatt costs, as SVG.
fn chart(studies: &[Study]) -> String {
    let installed_mw = f64::from(MODULES) * MODULE_KW / 1_000.0;
    let (left, top, row, bar) = (165.0, 70.0, 22.0, 15.0);
    let (wide, second) = (430.0, 660.0);
    let most_cost = (studies.iter())
        .map(|study| percentiles(&study.outcomes, |outcome| outcome.cost_m_per_mw)[2])
        .fold(0.0, f64::max);
    let x = |mw: f64| left + wide * mw / installed_mw;
    let cost_x = |cost: f64| second + 210.0 * cost / most_cost;
    let height = top + row * studies.len() as f64 + 45.0;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 900 {height}' font-family='sans-serif' font-size='12'>\n\
         <rect width='900' height='{height}' fill='white'/>\n\
         <text x='{left}' y='18' font-weight='bold'>{installed_mw} MW installed: mean of years 3 to 10; line: P10 to P90 of what is deployed</text>\n\
         <text x='{second}' y='60' font-weight='bold'>M$ a deployable MW, P10 P50 P90</text>\n"
    );
    let mut legend = left;
    for (name, colour) in PARTS {
        svg += &format!(
            "<rect x='{legend}' y='30' width='12' height='12' fill='{colour}' stroke='#888'/><text x='{}' y='41'>{name}</text>\n",
            legend + 17.0
        );
        legend += 40.0 + 6.6 * name.len() as f64;
    }
    for (number, study) in studies.iter().enumerate() {
        let y = top + row * number as f64;
        let middle = y + bar / 2.0;
        svg += &format!(
            "<text x='{}' y='{}' text-anchor='end'>{}, {}</text>\n",
            left - 8.0,
            middle + 4.0,
            study.redundancy,
            study.placement
        );
        let mut from = 0.0;
        let parts = [
            mean(&study.outcomes, |outcome| outcome.mean_mw),
            mean(&study.outcomes, |outcome| outcome.stranded_mw[0]),
            mean(&study.outcomes, |outcome| outcome.stranded_mw[1]),
            mean(&study.outcomes, |outcome| outcome.stranded_mw[2]),
        ];
        let rest = installed_mw - parts.iter().sum::<f64>();
        for (mw, (_, colour)) in parts.into_iter().chain([rest]).zip(PARTS) {
            svg += &format!(
                "<rect x='{:.1}' y='{y}' width='{:.1}' height='{bar}' fill='{colour}' stroke='#888' stroke-width='0.5'/>\n",
                x(from),
                wide * mw / installed_mw
            );
            from += mw;
        }
        let [low, _, high] = percentiles(&study.outcomes, |outcome| outcome.mean_mw);
        for (colour, width) in [("white", 5), ("black", 2)] {
            svg += &format!(
                "<path d='M{:.1} {middle}H{:.1}' stroke='{colour}' stroke-width='{width}'/>\n",
                x(low),
                x(high)
            );
        }
        let [low, mid, high] = percentiles(&study.outcomes, |outcome| outcome.cost_m_per_mw);
        svg += &format!(
            "<path d='M{:.1} {middle}H{:.1}' stroke='#888' stroke-width='3'/><circle cx='{:.1}' cy='{middle}' r='4'/>\n",
            cost_x(low),
            cost_x(high),
            cost_x(mid)
        );
    }
    let axis = top + row * studies.len() as f64 + 12.0;
    for mw in (0..=installed_mw as u32).step_by(5) {
        svg += &format!(
            "<text x='{:.1}' y='{axis}' text-anchor='middle'>{mw}</text>\n",
            x(f64::from(mw))
        );
    }
    for cost in (0..=most_cost as u32).step_by(10) {
        svg += &format!(
            "<text x='{:.1}' y='{axis}' text-anchor='middle'>{cost}</text>\n",
            cost_x(f64::from(cost))
        );
    }
    svg + &format!(
        "<text x='{left}' y='{}'>MW</text><text x='{second}' y='{}'>M$/MW</text>\n</svg>\n",
        axis + 18.0,
        axis + 18.0
    )
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let trials = arguments.next().and_then(|text| text.parse().ok());
    let trials: u64 = trials.unwrap_or(200);
    println!("{MODULES} line-ups of {MODULE_KW} kW; {trials} trials; P10 P50 P90 of each");
    println!(
        "{:<11} {:<9} {:>6} | {:^17} | {:^17} | {:^17} | {:^17} | {:^17} | {:^17} | ms/trial",
        "redundancy",
        "placement",
        "usable",
        "deployed MW",
        "mean, years 3-10",
        "no positions MW",
        "row MW",
        "fragmented MW",
        "M$/deployable MW"
    );
    let mut studies = Vec::new();
    for redundancy in ["2N", "3N/2", "4N/3", "block 4N/3"] {
        let design: Redundancy = redundancy.parse().expect("a redundancy");
        for (name, placement) in [
            ("first fit", Placement::FirstFit),
            ("best fit", Placement::BestFit),
            ("balanced", Placement::Balanced),
        ] {
            let start = Instant::now();
            let outcomes: Vec<Outcome> = (0..trials)
                .map(|trial| live(design, placement, trial))
                .collect();
            let study = Study {
                redundancy,
                placement: name,
                usable_mw: f64::from(design.usable_modules(MODULES)) * MODULE_KW / 1_000.0,
                outcomes,
                ms_per_trial: start.elapsed().as_secs_f64() * 1e3 / trials as f64,
            };
            println!("{}", study.line());
            studies.push(study);
        }
    }
    if let Some(path) = arguments.next() {
        std::fs::write(&path, chart(&studies))?;
        println!("{path}");
    }
    Ok(())
}
