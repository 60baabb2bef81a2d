//! `buildout backtest`: how good forecasts were.

mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use buildout::Date;
use buildout::analysis::backtest::rivals::Others;
use buildout::analysis::backtest::{
    Forecast, ForecastKey, Score, Series, Summary, from_quantiles, naive, rivals, score, summarise,
};
use buildout::disk::{read_file, read_text};
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::EXIT_STATUS;
use crate::failure::{Failure, print};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout backtest record.toml

The file names what was observed, the forecasts, and the quantities:
  observations = \"observations.csv\"   # subject,date,quantity,value: each holds until the next
  forecasts = [\"forecasts.csv\"]       # forecaster,campus,origin,date,quantity,level,value: quantiles, or equally
                                      # likely values where the level is empty
  [template]                          # beside forecasts, or instead: a scenario that is run for each subject and origin
  scenario = \"campus.toml\"
  known = \"known.csv\"                 # subject,origin, and keys of the scenario as --set takes them, such as start or
                                      # campuses.0.existing.power_kw; an empty cell leaves the scenario's own value
  horizons_months = [3, 6, 12, 24]    # ends of months after the origin's; also: forecaster, trials, seed
  reference = \"step process\"          # optional: the forecaster that the others are compared with
  [[quantities]]
  name = \"it_mw\"
  floor = 10                          # added before logarithms are taken
  metric = \"it_power_mw\"              # of the template; the name if it is left out

Rivals are made of the observations up to each origin: last value, straight line, exponential, S-curve, and from the other
subjects' reference class and step process; one of a name that the forecasts have is not. Standard errors come from resampling whole subjects.

{EXIT_STATUS}"))]
pub(crate) struct Backtest {
    /// What to score: a TOML file
    file: PathBuf,
    /// How many of the worst misses to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    misses: usize,
    /// Print summaries and every score as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    observations: PathBuf,
    #[serde(default)]
    forecasts: Vec<PathBuf>,
    #[serde(default)]
    template: Option<template::Template>,
    #[serde(default)]
    reference: Option<String>,
    quantities: Vec<Quantity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quantity {
    name: String,
    floor: f64,
    #[serde(default)]
    metric: Option<String>,
}

impl Quantity {
    /// The metric of a template that it is.
    fn metric(&self) -> &str {
        self.metric.as_deref().unwrap_or(&self.name)
    }
}

#[derive(Deserialize)]
struct Observed {
    subject: String,
    date: String,
    quantity: String,
    value: f64,
}

#[derive(Deserialize)]
struct Line {
    forecaster: String,
    campus: String,
    origin: String,
    date: String,
    quantity: String,
    level: Option<f64>,
    value: f64,
}

/// Who forecast what.
type Case = (String, ForecastKey);

/// Equally likely values, and quantiles with their levels.
type Lines = (Vec<f64>, Vec<(f64, f64)>);

type Observations = BTreeMap<(String, String), Series>;

pub(crate) fn run(arguments: &Backtest) -> Result<(), Failure> {
    let path = &arguments.file;
    let text = read_text(path).map_err(|error| Failure::Unreadable {
        path: path.clone(),
        error,
    })?;
    let config: Config = toml_edit::de::from_str(&text)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let observations = observations(&folder.join(&config.observations))?;
    let mut forecasts = Vec::new();
    for file in &config.forecasts {
        forecasts.extend(read_forecasts(&folder.join(file))?);
    }
    if let Some(template) = &config.template {
        forecasts.extend(template.forecasts(folder, &config.quantities)?);
    }
    let scores = scores(&config, &observations, &forecasts);
    if scores.is_empty() {
        let words =
            "nothing was forecast that was observed: are subjects and quantities spelled alike?";
        return Err(Failure::Usage(words.to_owned()));
    }
    let reference = config.reference.as_deref();
    if arguments.json {
        let all = json!({ "summaries": summarise(&scores, reference), "scores": scores });
        return print(format!("{}\n", serde_json::to_string_pretty(&all)?).as_bytes());
    }
    print(page(&scores, reference, arguments.misses).as_bytes())
}

fn rows<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>, Failure> {
    let wrong = |error: csv::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let bytes = read_file(path).map_err(|error| Failure::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    let mut table = csv::Reader::from_reader(bytes.as_slice());
    table.deserialize().collect::<Result<_, _>>().map_err(wrong)
}

fn observations(path: &Path) -> Result<Observations, Failure> {
    let mut points: BTreeMap<(String, String), Vec<(Date, f64)>> = BTreeMap::new();
    for row in rows::<Observed>(path)? {
        let day: Date = (row.date.parse())
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        let of = points.entry((row.subject, row.quantity)).or_default();
        of.push((day, row.value));
    }
    let series = points
        .into_iter()
        .map(|(key, points)| (key, Series::new(points)));
    Ok(series.collect())
}

fn read_forecasts(path: &Path) -> Result<Vec<Forecast>, Failure> {
    let mut cases: BTreeMap<Case, Lines> = BTreeMap::new();
    for line in rows::<Line>(path)? {
        let key = ForecastKey {
            subject: line.campus,
            origin: line.origin,
            date: line.date,
            quantity: line.quantity,
        };
        let (values, quantiles) = cases.entry((line.forecaster, key)).or_default();
        match line.level {
            Some(level) => quantiles.push((level, line.value)),
            None => values.push(line.value),
        }
    }
    let forecast = |((forecaster, key), (values, mut quantiles)): (Case, Lines)| {
        quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
        let values = if quantiles.is_empty() {
            values
        } else {
            from_quantiles(&quantiles)
        };
        Forecast::new(forecaster, key, values)
    };
    Ok(cases.into_iter().filter_map(forecast).collect())
}

/// Scores of all forecasts of what was observed, and of naive ones of the same cases.
fn scores(config: &Config, observations: &Observations, forecasts: &[Forecast]) -> Vec<Score> {
    let forecasters: BTreeSet<&str> = forecasts.iter().map(|f| f.forecaster.as_str()).collect();
    let mut scores = Vec::new();
    let mut naive_cases = BTreeMap::new();
    for forecast in forecasts {
        let key = &forecast.key;
        let quantity = config
            .quantities
            .iter()
            .find(|quantity| quantity.name == key.quantity);
        let series = observations.get(&(key.subject.clone(), key.quantity.clone()));
        let (Some(quantity), Some(series)) = (quantity, series) else {
            continue;
        };
        let (Ok(origin), Ok(date)) = (key.origin.parse::<Date>(), key.date.parse::<Date>()) else {
            continue;
        };
        let observed = series.at(date);
        scores.extend(score(forecast, observed, quantity.floor));
        naive_cases.entry(key).or_insert_with(|| {
            let others = observations
                .iter()
                .filter(|((subject, of), _)| *of == key.quantity && *subject != key.subject);
            let others = Others::new(origin, others.map(|(_, series)| series));
            let made = rivals_of(series, &others, origin, date.months_since(origin).round());
            (made.into_iter())
                .filter(|(name, _)| !forecasters.contains(name))
                .filter_map(|(name, values)| Forecast::new(name, key.clone(), values))
                .filter_map(|forecast| score(&forecast, observed, quantity.floor))
                .collect::<Vec<_>>()
        });
    }
    scores.extend(naive_cases.into_values().flatten());
    scores
}

/// What is forecast without a model, by name. The distributions differ from origin to origin by their data alone.
fn rivals_of(
    series: &Series,
    others: &Others<'_>,
    origin: Date,
    months: f64,
) -> Vec<(&'static str, Vec<f64>)> {
    const SEED: u64 = 1;
    let points = naive::points(series, origin, months).map(|(name, value)| (name, vec![value]));
    let mut made = points.to_vec();
    made.push((
        rivals::S_CURVE,
        vec![rivals::s_curve(series, origin, months)],
    ));
    made.push((
        rivals::REFERENCE_CLASS,
        others.reference_class(series, months),
    ));
    made.push((
        rivals::STEP_PROCESS,
        others.step_process(series, months, SEED),
    ));
    made
}

/// As Markdown.
fn page(scores: &[Score], reference: Option<&str>, misses: usize) -> String {
    let mut text = "# Track record\n".to_owned();
    section(&mut text, "All cases", &summarise(scores, reference));
    let mut by: BTreeMap<(u8, i64, String), Vec<Score>> = BTreeMap::new();
    for score in scores {
        let horizon = format!("{} months ahead", score.months_ahead);
        for key in [
            (0, score.months_ahead, horizon),
            (1, 0, score.key.quantity.clone()),
        ] {
            by.entry(key).or_default().push(score.clone());
        }
    }
    for ((_, _, title), scores) in &by {
        section(&mut text, title, &summarise(scores, reference));
    }
    worst(&mut text, scores, misses);
    text
}

fn section(text: &mut String, title: &str, summaries: &[Summary]) {
    let (cases, subjects) = summaries.first().map_or((0, 0), |s| (s.cases, s.subjects));
    let _ = writeln!(
        text,
        "\n## {title}\n\n{cases} cases of {subjects} subjects.\n\n\
         | forecaster | log-CRPS | ± | to the reference | ± | c50 | c80 | c90 | above P95 | below P5 | mean PIT | bias | width |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    let number = |value: f64| {
        if value.is_nan() {
            "-".to_owned()
        } else {
            format!("{value:+.3}")
        }
    };
    for s in summaries {
        let [c50, c80, c90] = s.coverage.map(|share| format!("{:.0} %", 100.0 * share));
        let _ = writeln!(
            text,
            "| {} | {:.3} | {:.3} | {} | {} | {c50} | {c80} | {c90} | {:.0} % | {:.0} % | {:.2} | {:+.2} | {:.2} |",
            s.forecaster,
            s.log_crps,
            s.log_crps_error,
            number(s.difference),
            number(s.difference_error),
            100.0 * s.above,
            100.0 * s.below,
            s.pit,
            s.bias,
            s.width
        );
    }
}

/// The cases that distributions missed by most.
fn worst(text: &mut String, scores: &[Score], misses: usize) {
    let spread = |score: &&Score| score.p95 > score.p5 && (score.is_above() || score.is_below());
    let mut missed: Vec<&Score> = scores.iter().filter(spread).collect();
    missed.sort_by(|a, b| b.log_crps.total_cmp(&a.log_crps));
    let _ = writeln!(
        text,
        "\n## Misses\n\n{} cases lie outside of P5 to P95. The worst:\n\n\
         | forecaster | subject | quantity | origin | date | P5 | P50 | P95 | came |\n\
         | --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: |",
        missed.len()
    );
    for s in missed.iter().take(misses) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} |",
            s.forecaster,
            s.key.subject,
            s.key.quantity,
            s.key.origin,
            s.key.date,
            s.p5,
            s.median,
            s.p95,
            s.observed
        );
    }
}
