//! `buildout trials`: every trial's inputs, milestones, targets and outcomes, or its months, as a table.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::monte_carlo::sample_run::SampleRun;
use buildout::report::{OutputFolder, TrialTableError, write_trial_months_csv, write_trials_csv};
#[cfg(feature = "parquet")]
use buildout::report::{write_trial_months_parquet, write_trials_parquet};
use clap::{Args, ValueEnum};

use crate::failure::{Failure, say};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine, load};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout trials scenario.toml --out trials.csv
  buildout trials scenario.toml --trials 3 | head -1
  buildout trials scenario.toml --measure installed_pflops@2027-12 --out trials.parquet
In DuckDB, the probability of a target given that a substation is late:
  SELECT avg(\"target: 50 MW by 2032\"::INT) FROM 'trials.parquet'
  WHERE coalesce(\"milestone: 110 kV substation energised\" > 40, true)

Columns: trial; \"input: NAME\", what was drawn; \"milestone: NAME\" in months after the start, empty if not within
the horizon; \"target: NAME\", true or false; \"outcome: NAME\"; \"metric: NAME@MONTH\" if asked for.

  buildout trials scenario.toml --by-month it_power_mw,take_up --out months.parquet
Columns: trial; scope (total, or a campus if there are several); month, such as 2027-12; and one
for each metric, at the end of that month. In DuckDB, beside the table of the trials:
  SELECT month, median(it_power_mw) FROM 'months.parquet' JOIN 'trials.parquet' USING (trial)
  WHERE scope = 'total' AND NOT \"target: 50 MW by 2032\" GROUP BY month ORDER BY month

{EXIT_STATUS}"))]
pub(crate) struct Trials {
    /// The scenario: a TOML file or an Excel workbook
    file: PathBuf,
    /// How many trials to run: 10,000 if not given, or all of an ensemble. They are those of `run` with the same seed and
    /// design
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// How many threads to use; 0 for one per processor. The table does not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    sampling: engine::Sampling,
    /// Also write this: METRIC@2027-12, CAMPUS/METRIC@2027-12, a metric alone for the end of the horizon, or METRIC@total for
    /// its sum over all months; may be given several times
    #[arg(long = "measure", value_name = "MEASURE")]
    measures: Vec<String>,
    /// Write instead a row for each trial, scope and month with these metrics, such as
    /// it_power_mw,take_up; their names are those of `run --format csv`
    #[arg(
        long,
        value_name = "METRIC,…",
        value_delimiter = ',',
        conflicts_with = "measures"
    )]
    by_month: Vec<String>,
    /// The file to write; standard output if not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which format; if not given, Parquet for a file that ends in .parquet, else comma-separated values
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
    /// Replace a value of the scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// No progress bar, warnings or notes
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values
    Csv,
    /// Parquet, in a file
    Parquet,
}

pub(crate) fn run(arguments: &Trials) -> Result<(), Failure> {
    let (loaded, model) =
        load::with_milestones(&arguments.file, &arguments.set, &arguments.measures)?;
    if !arguments.quiet && !loaded.warnings.is_empty() {
        say(&loaded.warnings.to_string());
    }
    let sampling = &arguments.sampling;
    let (trials, drawing) =
        sampling.drawing(arguments.trials, DEFAULT_TRIALS, [&model], arguments.quiet)?;
    let bar = engine::progress_bar(trials, arguments.quiet);
    let run = SampleRun::new(&model)
        .all_measures()
        .measures(&arguments.measures)
        .trials(trials)
        .drawing(drawing)
        .threads(arguments.threads)
        .cancelled_by(&engine::INTERRUPTED)
        .on_progress(|done, _| bar.set_position(done));
    run.empty().map_err(TrialTableError::from)?;
    engine::listen_for_interruptions(arguments.quiet)?;
    let format = arguments.format();
    let Some(out) = &arguments.out else {
        if format == Format::Parquet {
            return Err(Failure::Usage(
                "Parquet is written to a file: name one with --out".to_owned(),
            ));
        }
        let written = arguments.write(&run, format, BufWriter::new(io::stdout()));
        bar.finish_and_clear();
        return match written {
            Err(TrialTableError::Writing(error)) => Err(Failure::Print(error)),
            written => Ok(written?),
        };
    };
    let path = arguments.write_file(&run, format, out);
    bar.finish_and_clear();
    let path = path?;
    if !arguments.quiet {
        say(&format!("wrote {}", path.display()));
    }
    Ok(())
}

impl Trials {
    fn format(&self) -> Format {
        let ends_so = |end: &str| {
            let path = self.out.as_deref().and_then(Path::extension);
            path.is_some_and(|extension| extension == end)
        };
        self.format.unwrap_or(if ends_so("parquet") {
            Format::Parquet
        } else {
            Format::Csv
        })
    }

    fn write_file(
        &self,
        run: &SampleRun<'_>,
        format: Format,
        out: &Path,
    ) -> Result<PathBuf, Failure> {
        let (folder, name) = crate::new::folder_and_name(out)?;
        let folder = OutputFolder::new(folder).overwrite(self.force);
        let mut failed = None;
        let written = folder.write_with(&name, |file: &mut File| {
            self.write(run, format, BufWriter::new(file))
                .map_err(|error| {
                    let words = io::Error::other(error.to_string());
                    failed = Some(error);
                    words
                })
        });
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(written?),
        }
    }

    fn write(
        &self,
        run: &SampleRun<'_>,
        format: Format,
        to: impl Write + Send,
    ) -> Result<(), TrialTableError> {
        let metrics: Vec<&str> = self.by_month.iter().map(|name| name.trim()).collect();
        match (format, metrics.is_empty()) {
            (Format::Csv, true) => write_trials_csv(run, to),
            (Format::Csv, false) => write_trial_months_csv(run, &metrics, to),
            #[cfg(feature = "parquet")]
            (Format::Parquet, true) => write_trials_parquet(run, to),
            #[cfg(feature = "parquet")]
            (Format::Parquet, false) => write_trial_months_parquet(run, &metrics, to),
            #[cfg(not(feature = "parquet"))]
            (Format::Parquet, _) => Err(TrialTableError::NoParquet),
        }
    }
}
