//! `buildout backtest`: how good forecasts were.

mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use buildout::Date;
use buildout::analysis::backtest::rivals::Others;
use buildout::analysis::backtest::{
    Forecast, ForecastKey, Score, Series, TrackRecord, from_quantiles, naive, rivals, score,
};
use buildout::disk::{read_file, read_text};
use buildout::report::{BACKTEST_OUTPUTS, OutputFolder, backtest_markdown, backtest_outputs};
use clap::Args;
use serde::Deserialize;

use crate::EXIT_STATUS;
use crate::failure::{Failure, print, say};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout backtest record.toml
  buildout backtest record.toml --out record        a page, every case as a table, and charts

The file names what was observed, the forecasts, and the quantities:
  observations = \"observations.csv\"   # subject,date,quantity,value: each holds until the next
  forecasts = [\"forecasts.csv\"]       # forecaster,campus,origin,date,quantity,level,value: quantiles, or equally
                                      # likely values where the level is empty
  [template]                          # beside forecasts, or instead: a scenario that is run for each subject and origin
  scenario = \"campus.toml\"
  known = \"known.csv\"                 # subject,origin, and keys of the scenario as --set takes them, such as start or
                                      # campuses.0.existing.power_kw; an empty cell leaves the scenario's own value
  horizons_months = [3, 6, 12, 24]    # ends of months after the origin's; also: forecaster, trials, seed
  reference = \"step process\"          # the forecaster that the others are compared with; if it is left out the best
                                      # of those who are judged
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
    /// Write backtest.json, backtest.csv, backtest.md, a page (backtest.html) and charts into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
    /// Print summaries and every score as JSON
    #[arg(long)]
    json: bool,
    /// No notes of files that were written
    #[arg(long)]
    quiet: bool,
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
    let out =
        (arguments.out.as_ref()).map(|path| OutputFolder::new(path).overwrite(arguments.force));
    if let Some(out) = &out {
        out.prepare(&BACKTEST_OUTPUTS)?;
    }
    let record = config.record(path.parent().unwrap_or(Path::new("")))?;
    if let Some(out) = out {
        for path in out.write(&backtest_outputs(&record, arguments.misses)?)? {
            if !arguments.quiet {
                say(&format!("wrote {}", path.display()));
            }
        }
    }
    if arguments.json {
        return print(format!("{}\n", serde_json::to_string_pretty(&record)?).as_bytes());
    }
    print(backtest_markdown(&record, arguments.misses).as_bytes())
}

impl Config {
    /// Scores all forecasts that it names, with its files in that folder.
    fn record(&self, folder: &Path) -> Result<TrackRecord, Failure> {
        let observations = observations(&folder.join(&self.observations))?;
        let mut forecasts = Vec::new();
        for file in &self.forecasts {
            forecasts.extend(read_forecasts(&folder.join(file))?);
        }
        if let Some(template) = &self.template {
            forecasts.extend(template.forecasts(folder, &self.quantities)?);
        }
        let mut judged: Vec<String> = Vec::new();
        for forecast in &forecasts {
            if !judged.contains(&forecast.forecaster) {
                judged.push(forecast.forecaster.clone());
            }
        }
        let scores = scores(self, &observations, &forecasts, &judged);
        if scores.is_empty() {
            let words = "nothing was forecast that was observed: are subjects and quantities spelled alike?";
            return Err(Failure::Usage(words.to_owned()));
        }
        let is_known = |name: &String| scores.iter().any(|score| score.forecaster == *name);
        if let Some(unknown) = self.reference.as_ref().filter(|name| !is_known(name)) {
            return Err(unknown_reference(unknown, &scores));
        }
        TrackRecord::new(scores, &judged, self.reference.as_deref()).ok_or_else(|| {
            let words = "there is no case that all forecasters forecast, so none can be compared";
            Failure::Usage(words.to_owned())
        })
    }
}

fn unknown_reference(name: &str, scores: &[Score]) -> Failure {
    let names: BTreeSet<&str> = scores.iter().map(|s| s.forecaster.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    Failure::Usage(format!(
        "the reference \"{name}\" is no forecaster: there are {}",
        names.join(", ")
    ))
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
fn scores(
    config: &Config,
    observations: &Observations,
    forecasts: &[Forecast],
    judged: &[String],
) -> Vec<Score> {
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
                .filter(|(name, _)| judged.iter().all(|other| other != name))
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
