//! Forecasts of AI campuses, from what was known of them at a date: how much critical IT power, how
//! many H100 equivalents and how many buildings will be live 3, 6, 12, 18 and 24 months later.
//!
//! ```text
//! vintages ─▶ Known (a campus at a date) ─┐
//!                                         ├─▶ Scenario of all campuses ─▶ trials ─▶ samples
//! judgement ─▶ Class (all campuses by then)┘   (expansion, common factors)
//! ```
//!
//! Run it by `examples/forecast/run.sh FOLDER OUT.csv`. What was scored, how it did and where it fails
//! stands in docs/track-record.md. With a third argument, a folder, it writes the scenarios there.

mod class;
mod hub;
mod known;
mod vintages;

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::{env, fs};

use buildout::projection::TrialRow;
use buildout::{Design, Model, Workspace};
use jiff::civil::{Date, date};

use class::Class;
use known::Known;
use vintages::QUANTITIES;

/// Months ahead that are forecast.
const HORIZONS: [i32; 5] = [3, 6, 12, 18, 24];
/// The first date at which forecasts are made; then each half-year.
const FIRST_ORIGIN: Date = date(2023, 12, 31);
/// Days that must pass after a target until the newest vintage, so that most campuses were seen again.
const SEEN_AGAIN_DAYS: i32 = 30;
const TRIALS: u64 = 400;
const SEED: u64 = 1;
const FORECASTER: &str = "buildout";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (folder, target, scenarios) = match arguments.as_slice() {
        [folder, target] => (folder, target, None),
        [folder, target, scenarios] => (folder, target, Some(Path::new(scenarios))),
        _ => return Err("usage: forecast FOLDER OUT.csv [SCENARIOS]".into()),
    };
    let (seen, campuses) = vintages::newest(Path::new(folder))?;
    let mut out = csv::Writer::from_writer(io::BufWriter::new(fs::File::create(target)?));
    out.write_record([
        "forecaster",
        "campus",
        "origin",
        "date",
        "quantity",
        "level",
        "value",
    ])?;
    for origin in origins(seen) {
        let known: Vec<Known> = (campuses.iter())
            .filter_map(|campus| Known::of(campus, origin))
            .collect();
        if known.is_empty() {
            continue;
        }
        let horizon = HORIZONS[HORIZONS.len() - 1] as u32;
        let scenario = hub::scenario(&known, &Class::new(&known, origin)?, origin, horizon)?;
        if let Some(folder) = scenarios {
            fs::create_dir_all(folder)?;
            fs::write(folder.join(format!("{origin}.toml")), scenario.to_toml()?)?;
        }
        let targets: Vec<(usize, Date)> = (HORIZONS.iter())
            .map(|&months| (months as usize, end_of_month(origin, months)))
            .filter(|&(_, target)| is_seen(target, seen))
            .collect();
        forecast(&mut out, &scenario.compile()?, &known, origin, &targets)?;
    }
    out.flush()?;
    Ok(())
}

/// Ends of half-years from the first on, as long as the nearest target has been seen.
fn origins(seen: Date) -> impl Iterator<Item = Date> {
    let half_years = (0..).map(|n| end_of_month(FIRST_ORIGIN, 6 * n));
    half_years.take_while(move |&origin| is_seen(end_of_month(origin, HORIZONS[0]), seen))
}

fn is_seen(target: Date, seen: Date) -> bool {
    (seen - target).get_days() >= SEEN_AGAIN_DAYS
}

/// The last day of the month `months` after that of `day`.
fn end_of_month(day: Date, months: i32) -> Date {
    let month = i32::from(day.year()) * 12 + i32::from(day.month()) - 1 + months;
    date(
        month.div_euclid(12) as i16,
        month.rem_euclid(12) as i8 + 1,
        1,
    )
    .last_of_month()
}

/// Runs the trials and writes what is live in each at each target, for each campus.
fn forecast(
    out: &mut csv::Writer<impl Write>,
    model: &Model,
    known: &[Known],
    origin: Date,
    targets: &[(usize, Date)],
) -> Result<(), Box<dyn Error>> {
    let sampling = model.sampling(Design::latin_hypercube(TRIALS), SEED)?;
    let layout = model.layout();
    let metrics =
        ["it_power_mw", "installed_pflops", "buildings_live"].map(|name| layout.metric_index(name));
    let mut workspace = Workspace::default();
    let rows: Vec<TrialRow> = (0..TRIALS)
        .map(|trial| {
            let mut row = TrialRow::new(layout.clone());
            model.simulate_by(&sampling, trial, &mut workspace, &mut row);
            row
        })
        .collect();
    for (campus, name) in known.iter().zip(hub::scenario_names(known)) {
        // A hub of one campus has results for the total alone.
        let scope = match known.len() {
            1 => 0,
            _ => (layout.scope_index(&name)).ok_or_else(|| format!("no results of \"{name}\""))?,
        };
        for &(months, target) in targets {
            for ((quantity, metric), live) in QUANTITIES.iter().zip(metrics).zip(campus.live) {
                let unit = if quantity.name == "h100e" {
                    hub::H100_PFLOPS
                } else {
                    1.0
                };
                // Buildings that stand are not counted among those of the scenario.
                let before = if quantity.name == "buildings" {
                    live
                } else {
                    0.0
                };
                for row in &rows {
                    let grown = metric.map_or(live, |m| row.monthly(scope, m)[months - 1]);
                    let value = format!("{:.6}", before + grown / unit);
                    out.write_record([
                        FORECASTER,
                        &campus.name,
                        &origin.to_string(),
                        &target.to_string(),
                        quantity.name,
                        "",
                        &value,
                    ])?;
                }
            }
        }
    }
    Ok(())
}
