//! Forecasts of AI campuses, from what was known of them at a date: how much critical IT power, how
//! many H100 equivalents and how many buildings will be live 3, 6, 12, 18 and 24 months later.
//!
//! ```text
//! vintages ─▶ Known (a campus at a date) ─┐
//!                                         ├─▶ waves: 400 futures of each campus ─▶ samples
//! judgement ─▶ Class (all campuses by then)┘        (the shared factors by trial number)
//! ```
//!
//! Run it by `examples/forecast/run.sh FOLDER OUT.csv`. What was scored, how it did and where it fails
//! stands in docs/track-record.md.

mod class;
mod known;
mod vintages;
mod waves;

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::{env, fs, io};

use jiff::civil::{Date, date};

use class::Class;
use known::Known;
use vintages::QUANTITIES;
use waves::{Shared, simulate};

/// Months ahead that are forecast.
const HORIZONS: [i32; 5] = [3, 6, 12, 18, 24];
/// The first date at which forecasts are made; then each half-year.
const FIRST_ORIGIN: Date = date(2023, 12, 31);
/// Days that must pass after a target until the newest vintage, so that most campuses were seen again.
const SEEN_AGAIN_DAYS: i32 = 30;
const TRIALS: usize = 400;
const FORECASTER: &str = "buildout";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, target] = arguments.as_slice() else {
        return Err("usage: campus_forecast FOLDER OUT.csv".into());
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
        let known: Vec<Known> = campuses
            .iter()
            .filter_map(|c| Known::of(c, origin))
            .collect();
        write_origin(&mut out, &known, origin, seen)?;
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

fn write_origin(
    out: &mut csv::Writer<impl Write>,
    known: &[Known],
    origin: Date,
    seen: Date,
) -> Result<(), Box<dyn Error>> {
    let targets: Vec<(f64, Date)> = (HORIZONS.iter())
        .map(|&months| (f64::from(months), end_of_month(origin, months)))
        .filter(|&(_, target)| is_seen(target, seen))
        .collect();
    let horizons: Vec<f64> = targets.iter().map(|&(months, _)| months).collect();
    let class = Class::new(known, origin)?;
    let shared = Shared::new(origin, TRIALS);
    for campus in known {
        let trials = simulate(campus, &class, &shared, &horizons);
        for (h, (_, target)) in targets.iter().enumerate() {
            for (q, quantity) in QUANTITIES.iter().enumerate() {
                for trial in &trials {
                    out.write_record([
                        FORECASTER,
                        &campus.name,
                        &origin.to_string(),
                        &target.to_string(),
                        quantity.name,
                        "",
                        &format!("{:.5e}", trial[h][q])
                            .parse::<f64>()
                            .unwrap_or(f64::NAN)
                            .to_string(),
                    ])?;
                }
            }
        }
    }
    Ok(())
}
