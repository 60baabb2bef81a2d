//! `buildout fit`: distributions from a table of finished and unfinished projects.

use std::fmt::Write;
use std::path::PathBuf;

use buildout::Date;
use buildout::analysis::fit::{
    ClassPrior, Family, FamilyFit, GroupedFit, KaplanMeier, NormalPrior, Record, fit_families,
    fit_grouped, read_records,
};
use buildout::disk::read_file;
use clap::Args;
use serde_json::json;

use crate::EXIT_STATUS;
use crate::failure::{Failure, print};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout fit waits.csv
  buildout fit waits.csv --as-of 2026-08 --trend
  buildout fit waits.csv --groups --json

The table has the column value (a duration or a size), or from and to (dates; months are the value). What is unfinished has
no in the column ended, or an empty to: it counts as longer than so far, and is not to be left out.
Other columns: entered (the value from which on it was seen) and group (a campus, a builder).

{EXIT_STATUS}"))]
pub(crate) struct Fit {
    /// The table: comma-separated values with a line of names
    table: PathBuf,
    /// Until when unfinished ones were observed, where `to` is empty
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// Fit a trend in time, by the column from
    #[arg(long)]
    trend: bool,
    /// Fit a lognormal class of groups, and shrink each group towards it
    #[arg(long)]
    groups: bool,
    /// Print all results as JSON
    #[arg(long)]
    json: bool,
}

/// What is reported of each distribution.
const SHARES: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];

pub(crate) fn run(arguments: &Fit) -> Result<(), Failure> {
    let path = &arguments.table;
    let wrong = |error: &dyn std::fmt::Display| {
        let lines = error
            .to_string()
            .replace('\n', &format!("\nerror: {}: ", path.display()));
        Failure::Usage(format!("{}: {lines}", path.display()))
    };
    let file = read_file(path).map_err(|error| Failure::Unreadable {
        path: path.clone(),
        error,
    })?;
    let records = read_records(file.as_slice(), arguments.as_of).map_err(|error| wrong(&error))?;
    let estimate = KaplanMeier::new(&records).map_err(|error| wrong(&error))?;
    let fits = fit_families(&records, arguments.trend).map_err(|error| wrong(&error))?;
    let class = if arguments.groups {
        let prior = ClassPrior {
            trend_per_year: arguments.trend.then_some(NormalPrior::FLAT),
            reference_years: fits.first().map_or(0.0, |fit| fit.reference_years),
            ..ClassPrior::FLAT
        };
        Some(fit_grouped(&records, &prior).map_err(|error| wrong(&error))?)
    } else {
        None
    };
    if arguments.json {
        let all = json!({
            "records": records,
            "kaplan_meier": estimate.steps(),
            "families": fits,
            "class": class,
        });
        return print(format!("{}\n", serde_json::to_string_pretty(&all)?).as_bytes());
    }
    let mut text = head(&records, &estimate);
    text.push_str(&families(&fits));
    if let Some(class) = &class {
        text.push_str(&groups(class));
    }
    if let Some(best) = fits.first() {
        text.push_str(&plot(&estimate, best));
        let _ = writeln!(
            text,
            "\nTo paste, of the least AIC:\n  {0}\n\
             or once, and then {{ named = \"{1}\" }} wherever it is meant:\n  \
             distributions.\"{1}\" = {0}",
            pasted(best),
            path.file_stem().unwrap_or_default().to_string_lossy()
        );
    }
    print(text.as_bytes())
}

fn head(records: &[Record], estimate: &KaplanMeier) -> String {
    let ended = records.iter().filter(|record| record.ended).count();
    let mut text = format!(
        "{} records: {ended} have ended, {} have not\n\n{:14}{:>9}{:>9}{:>9}{:>9}{:>9}\n{:14}",
        records.len(),
        records.len() - ended,
        "",
        "P10",
        "P25",
        "P50",
        "P75",
        "P90",
        "Kaplan-Meier"
    );
    for share in SHARES {
        let _ = match estimate.quantile(share) {
            Some(value) => write!(text, "{value:>9.1}"),
            None => write!(text, "{:>9}", "-"),
        };
    }
    text.push('\n');
    text
}

fn families(fits: &[FamilyFit]) -> String {
    let mut text = String::new();
    for fit in fits {
        let _ = write!(text, "{:14}", fit.family.name());
        for share in SHARES {
            let _ = write!(text, "{:>9.1}", fit.quantile(share, fit.reference_years));
        }
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "\n{:14}{:>9}{:>8}{:>9}{:>8}{:>9}{:>7}{:>13}",
        "", "scale", "±", "shape", "±", "AIC", "A²", "trend/year"
    );
    for fit in fits {
        let trend = if fit.trend_error > 0.0 {
            format!("{:+.2} ± {:.2}", fit.trend_per_year, fit.trend_error)
        } else {
            "-".to_owned()
        };
        let a2 = if fit.anderson_darling.is_nan() {
            "-".to_owned()
        } else {
            format!("{:.2}", fit.anderson_darling)
        };
        let _ = writeln!(
            text,
            "{:14}{:>9.2}{:>7.0}%{:>9.2}{:>7.0}%{:>9.1}{a2:>7}{trend:>13}",
            fit.family.name(),
            fit.scale,
            100.0 * fit.ln_scale_error,
            fit.shape,
            100.0 * fit.ln_shape_error,
            fit.aic,
        );
    }
    text
}

/// The share that has ended by a time, drawn in letters: by Kaplan-Meier and by a family.
fn plot(estimate: &KaplanMeier, fit: &FamilyFit) -> String {
    const WIDTH: u32 = 60;
    const HEIGHT: u32 = 10;
    let last = estimate.steps().last().map_or(0.0, |step| step.value);
    let most = last.max(fit.quantile(0.95, fit.reference_years));
    let time = |column: u32| most * (f64::from(column) + 0.5) / f64::from(WIDTH);
    let row =
        |survival: f64| ((1.0 - survival) * f64::from(HEIGHT)).min(f64::from(HEIGHT) - 0.5) as u32;
    let mut text = format!(
        "\nShare that has ended: o Kaplan-Meier, . {}, * both\n",
        fit.family.name()
    );
    for level in (0..HEIGHT).rev() {
        let _ = write!(text, "{:>4} % |", 100 * (level + 1) / HEIGHT);
        let line: String = (0..WIDTH)
            .map(|column| {
                let observed = row(estimate.survival(time(column))) == level;
                let fitted = row(fit.survival(time(column), fit.reference_years)) == level;
                match (observed, fitted) {
                    (true, true) => '*',
                    (true, false) => 'o',
                    (false, true) => '.',
                    (false, false) => ' ',
                }
            })
            .collect();
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(
        text,
        "{:>6} +{}\n{:>8}{:>60.1}",
        "",
        "-".repeat(WIDTH as usize),
        "0",
        most
    );
    text
}

fn groups(class: &GroupedFit) -> String {
    let mut text = format!(
        "\nLognormal class of groups: median {:.1} ± {:.0} %, sigma {:.2}, {:.0} % of its square between groups\n",
        class.ln_median.exp(),
        100.0 * class.covariance[0].sqrt(),
        class.sigma,
        100.0 * class.between_share
    );
    for group in &class.groups {
        let _ = writeln!(
            text,
            "  {:24}{:>4} ended{:>4} not   median {:.1}, shrunk towards the class",
            group.name,
            group.ended,
            group.going_on,
            class.group_median_at(group, class.reference_years)
        );
    }
    text
}

/// As a scenario file takes it.
fn pasted(fit: &FamilyFit) -> String {
    if fit.family == Family::Lognormal {
        return format!(
            "{{ lognormal = {{ median = {:.3}, sigma = {:.3} }} }}",
            fit.scale, fit.shape
        );
    }
    let points = [
        0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999,
    ];
    let point = |share: f64| format!("[{share}, {:.3}]", fit.quantile(share, fit.reference_years));
    let most = format!("[1, {:.3}]", fit.quantile(0.9999, fit.reference_years));
    let list: Vec<String> = points.into_iter().map(point).collect();
    format!("{{ quantiles = [[0, 0], {}, {most}] }}", list.join(", "))
}
