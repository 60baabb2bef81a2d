//! `buildout report`: one page to open in a browser, of one scenario or several side by side.

use std::path::PathBuf;

use buildout::analysis::drivers::report::DriversReport;
use buildout::analysis::drivers::run::DriversRun;
use buildout::analysis::schedule::ScheduleReport;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::report::{HtmlReport, OutputFile, OutputFolder, markdown};
use buildout::sampling::design::Drawing;
use buildout::{Batch, Model, Scenario};
use clap::Args;

use crate::decide::for_page;
use crate::failure::{Failure, print, say};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout report scenario.toml                                report.html
  buildout report base.toml variant.toml --out both.html       side by side, on common random numbers
  buildout report matrix.toml                                  plans and worlds, with the plan to choose
  buildout report scenario.toml --markdown                     for a wiki

The page needs no network. Comments beside values in a scenario file are shown as their sources.

{EXIT_STATUS}"))]
pub(crate) struct Report {
    /// The scenarios: TOML files; others are compared with the first. Or a comparison with [[factors]], alone
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How many trials to run of each: 10,000 if not given, or all of an ensemble
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    #[command(flatten)]
    sampling: engine::Sampling,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
    /// Print the summary as Markdown instead of writing a page
    #[arg(long, conflicts_with_all = ["out", "force"])]
    markdown: bool,
    /// Replace a value of every scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// No warnings or notes
    #[arg(long)]
    quiet: bool,
}

/// The Gantt chart is drawn from so many trials at most: enough for the eye.
const SCHEDULE_TRIALS: u64 = 2_000;

/// What drives the target that is the least sure is computed from so many trials at most.
const ANALYSED_TRIALS: u64 = 5_000;

pub(crate) fn run(arguments: &Report) -> Result<(), Failure> {
    let stated = match arguments.files.as_slice() {
        [file] => Scenario::load_comparison(file, &arguments.set)?,
        _ => None,
    };
    let mut loaded = Vec::new();
    let mut decision = None;
    if let Some(stated) = &stated {
        let all: Vec<Model> = Vec::new();
        let (trials, drawing) =
            (arguments.sampling).drawing(arguments.trials, DEFAULT_TRIALS, &all, true)?;
        let how = (trials, drawing.seed(), arguments.threads);
        let (shown, decided) = for_page(stated, how)?;
        for case in shown {
            loaded.push((stated.cases[case].scenario.compile()?, Vec::new()));
        }
        decision = decided;
    }
    for file in arguments.files.iter().filter(|_| stated.is_none()) {
        let scenario = Scenario::load(file, &arguments.set)?;
        if !arguments.quiet && !scenario.warnings.is_empty() {
            say(&scenario.warnings.to_string());
        }
        loaded.push((scenario.scenario.compile()?, scenario.inputs));
    }
    let (folder, name) = crate::new::folder_and_name(&arguments.out)?;
    let folder = OutputFolder::new(folder).overwrite(arguments.force);
    if !arguments.markdown {
        folder.prepare(&[&name])?;
    }
    let models = loaded.iter().map(|(model, _)| model);
    let (trials, drawing) =
        (arguments.sampling).drawing(arguments.trials, DEFAULT_TRIALS, models, arguments.quiet)?;
    let mut projections = Vec::new();
    for (model, _) in &loaded {
        let batch = Batch::new(model)
            .trials(trials)
            .drawing(drawing.clone())
            .threads(arguments.threads);
        projections.push(batch.run()?);
    }
    if arguments.markdown {
        let text: Vec<String> = projections.iter().map(markdown).collect();
        return print(text.join("\n").as_bytes());
    }
    let schedule_trials = trials.min(SCHEDULE_TRIALS);
    // Of no milestone in particular, so there is none that is not known.
    let schedules: Vec<Option<ScheduleReport>> = (loaded.iter())
        .map(|(model, _)| (model.schedule_report(drawing.clone(), schedule_trials, None)).ok())
        .collect();
    let drivers: Vec<Option<DriversReport>> = (loaded.iter())
        .map(|(model, _)| least_sure_target(model, trials, &drawing, arguments.threads))
        .collect();
    let mut page: Option<HtmlReport<'_>> = None;
    let parts = projections
        .iter()
        .zip(&loaded)
        .zip(&schedules)
        .zip(&drivers);
    for (((projection, (_, inputs)), schedule), drivers) in parts {
        let mut with = match page {
            None => HtmlReport::new(projection),
            Some(page) => page.beside(projection),
        };
        if let Some(schedule) = schedule {
            with = with.schedule(schedule);
        }
        if let Some(drivers) = drivers {
            with = with.drivers(drivers);
        }
        page = Some(with.inputs(inputs));
    }
    let Some(mut page) = page else { return Ok(()) };
    if let Some(decision) = &decision {
        page = page.decision(decision);
    }
    let page = page.command(command_line(arguments, trials)).to_html();
    for path in folder.write(&[OutputFile::new(name, page.into_bytes())])? {
        if !arguments.quiet {
            say(&format!("wrote {}", path.display()));
        }
    }
    Ok(())
}

/// What drives the target that is the least sure; none where there is none, or the trials do not tell.
pub(crate) fn least_sure_target(
    model: &Model,
    trials: u64,
    drawing: &Drawing,
    threads: usize,
) -> Option<DriversReport> {
    let search = DriversRun::new(model)
        .trials(trials.min(ANALYSED_TRIALS))
        .drawing(drawing.clone())
        .threads(threads)
        .failures(true);
    search.run().ok()
}

/// The command that makes the page again, on any number of threads.
fn command_line(arguments: &Report, trials: u64) -> String {
    let mut words = vec!["buildout".to_owned(), "report".to_owned()];
    words.extend(
        arguments
            .files
            .iter()
            .map(|file| file.display().to_string()),
    );
    words.extend(["--trials".to_owned(), trials.to_string()]);
    words.extend(arguments.sampling.words());
    for (key, value) in &arguments.set {
        words.extend(["--set".to_owned(), format!("{key}={value}")]);
    }
    let quoted = words.iter().map(|word| {
        let is_plain = word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./=,:+%@".contains(c));
        if is_plain {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}
