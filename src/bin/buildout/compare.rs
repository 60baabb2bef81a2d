//! `buildout compare`: scenarios against each other, on common random numbers.

use std::path::PathBuf;

use buildout::analysis::compare::{
    Compared, Comparison, ComparisonGoal, DEFAULT_CONFIDENCE, Matrix, MatrixError,
    PreparedComparison,
};
use buildout::analysis::decide::run::check_trials;
use buildout::analysis::decide::{Constraint, Objective, ObjectiveError};
use buildout::file::ComparisonFile;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::monte_carlo::part::{Part, PartError};
use buildout::monte_carlo::stop::{DEFAULT_AT_LEAST, DEFAULT_AT_MOST, Until};
use buildout::report::{
    COMPARISON_OUTPUTS, DECISION_OUTPUTS, OutputFolder, comparison, comparison_goals,
    comparison_outputs, write_comparison_csv,
};
use buildout::sampling::design::Drawing;
use buildout::{Batch, Model, Problems, Scenario};
use clap::Args;
use indicatif::ProgressBar;

use crate::EXIT_STATUS;
use crate::decide::asked_of;
use crate::engine::{self, goal_words, level, progress_bar};
use crate::failure::{Failure, print, say};
use crate::kept::KeptTrials;
use crate::long::Job;
use crate::merge::merged;
use crate::output::Format;
use crate::run::key_and_value;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout compare base.toml variant.toml other.toml
  buildout compare base.toml variant.toml --by installed_pflops@2027-12 --by 'A1 live'
  buildout compare matrix.toml --out results       all cases of a file with factors and variants
  buildout compare matrix.toml --json --quiet | jq '.differences[0]'
  buildout compare base.toml variant.toml --until 'p90(A1 live)=0.1' --until 'difference(npv)=2e6'

A file with [[factors]] states a whole matrix: see examples/comparisons/qingyang.toml. All scenarios have common random
numbers, trial by trial, so that differences are known from far fewer trials than each result alone.

{EXIT_STATUS}"))]
pub(crate) struct Compare {
    /// Scenarios, which are compared with the first; or one file with factors and their variants
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The scenario or case that the others are compared with
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    #[command(flatten)]
    request: Request,
}

/// Until when a comparison runs, if not for a number of trials.
#[derive(Args)]
pub(crate) struct Goals {
    /// Run a comparison until this is known so well: "p90(MEASURE)=0.1" or "probability(TARGET)=0.01" in every scenario,
    /// "difference(MEASURE)=0.5" (of means) or "p50(difference(MEASURE))=0.5" of every scenario from the baseline;
    /// may be given several times. --trials is then the most trials
    #[arg(long, value_name = "GOAL", value_parser = goal)]
    until: Vec<ComparisonGoal>,
    /// The fewest trials before a goal counts as reached
    #[arg(long, value_name = "N", default_value_t = DEFAULT_AT_LEAST, requires = "until")]
    at_least: u64,
}

impl Goals {
    pub(crate) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    /// What the goals are of.
    pub(crate) fn measures(&self) -> impl Iterator<Item = &str> {
        self.until.iter().map(ComparisonGoal::of)
    }

    /// How many trials are run, at most if there are goals, where no number is given.
    pub(crate) fn default_trials(&self) -> u64 {
        if self.is_empty() {
            DEFAULT_TRIALS
        } else {
            DEFAULT_AT_MOST
        }
    }

    /// All goals, which hold together with that confidence, within so many trials; none if none was given.
    pub(crate) fn until(&self, confidence: f64, at_most: u64) -> Option<Until<ComparisonGoal>> {
        (!self.is_empty()).then(|| Until {
            goals: self.until.clone(),
            confidence,
            at_least: self.at_least.min(at_most),
            at_most,
        })
    }
}

/// What is asked of any comparison, by whatever command.
#[derive(Args)]
pub(crate) struct Request {
    /// By what to compare: METRIC@2027-12, CAMPUS/METRIC@2027-12, a metric alone for the end of the horizon, or the
    /// name of a milestone, target or outcome; may be given several times. If not given, what the file says, or power, targets and outcomes
    #[arg(long = "by", value_name = "MEASURE")]
    by: Vec<String>,
    /// How many trials to run of each scenario: 10,000 if not given, and with --until at most 10,000,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    #[command(flatten)]
    goals: Goals,
    #[command(flatten)]
    sampling: engine::Sampling,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    kept: KeptTrials,
    /// The confidence of each interval, and with which all goals hold together
    #[arg(long, value_name = "SHARE", default_value_t = DEFAULT_CONFIDENCE)]
    confidence: f64,
    /// Replace a value of every scenario, such as horizon_months=60; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) set: Vec<(String, String)>,
    /// Write comparison.json, comparison.csv, comparison.txt and the files of a decision into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print all results as JSON: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// No progress bar, warnings or notes
    #[arg(long)]
    quiet: bool,
}

impl Request {
    /// Compares models by name with one of them, and prints and writes what was asked for.
    pub(crate) fn answer(
        &self,
        title: &str,
        models: &[(String, Model)],
        baseline: &str,
        (measures, matrix): (&[String], Option<Matrix>),
        wanted: Option<&(Objective, Vec<Constraint>)>,
    ) -> Result<(), Failure> {
        let measures = if self.by.is_empty() {
            measures
        } else {
            &self.by
        };
        let default = self.goals.default_trials();
        let all = models.iter().map(|(_, model)| model);
        let (trials, drawing) = (self.sampling).drawing(self.trials, default, all, self.quiet)?;
        let bar = progress_bar(trials, self.quiet);
        let named = models.iter().map(|(name, model)| (name.as_str(), model));
        let mut comparison = Comparison::new(named)
            .baseline(baseline)
            .measures(measures)
            .trials(trials)
            .drawing(drawing.clone())
            .confidence(self.confidence)
            .threads(self.threads)
            .on_progress(|done, of| {
                bar.set_length(of);
                bar.set_position(done);
            });
        if let Some(until) = self.goals.until(self.confidence, trials) {
            comparison = comparison.until(until);
        }
        if let Some(matrix) = matrix {
            comparison = comparison.matrix(matrix);
            if let Some((objective, constraints)) =
                wanted.filter(|_| self.can_decide(trials, &drawing))
            {
                comparison = comparison.decision(objective.clone(), constraints.iter().cloned());
            }
        }
        comparison.check()?;
        let folder = self.folder(wanted.is_some())?;
        let prepared = comparison.prepare()?;
        let run = ComparisonJob {
            title,
            decision: "Which plan",
            trials,
            drawing: &drawing,
            threads: self.threads,
            quiet: self.quiet,
            kept: &self.kept,
            has_goals: !self.goals.is_empty(),
            bar: &bar,
        };
        let compared = run.compared(&prepared);
        bar.finish_and_clear();
        let Some((compared, unsaved)) = compared? else {
            return Ok(());
        };
        self.deliver(title, &compared, folder)?;
        unsaved.map_or(Ok(()), Err)
    }

    /// The folder to write to, in which nothing stands in the way.
    fn folder(&self, decides: bool) -> Result<Option<OutputFolder>, Failure> {
        let folder = (self.out.as_ref()).map(|path| OutputFolder::new(path).overwrite(self.force));
        if let Some(folder) = &folder {
            let mut names = COMPARISON_OUTPUTS.to_vec();
            if decides {
                names.extend(DECISION_OUTPUTS);
            }
            folder.prepare(&names)?;
        }
        Ok(folder)
    }

    /// Writes and prints what was found.
    fn deliver(
        &self,
        title: &str,
        compared: &Compared,
        folder: Option<OutputFolder>,
    ) -> Result<(), Failure> {
        if let Some(folder) = folder {
            for path in folder.write(&comparison_outputs(title, compared)?)? {
                if !self.quiet {
                    say(&format!("wrote {}", path.display()));
                }
            }
        }
        let format = if self.json { Format::Json } else { self.format };
        // The table says it itself.
        if let Some(goals) = comparison_goals(compared)
            && !matches!(format, Format::Table)
            && !self.quiet
        {
            say(goals.trim_end());
        }
        print(&in_format(title, compared, format)?)
    }

    /// The names that may be milestones which nobody states.
    fn asked(&self) -> impl Iterator<Item = &str> {
        (self.by.iter().map(String::as_str)).chain(self.goals.measures())
    }

    /// Whether so many trials of a design tell how sure a choice is; if not, that is told.
    fn can_decide(&self, trials: u64, drawing: &Drawing) -> bool {
        let until = self.goals.until(self.confidence, trials);
        let fewest = until.map_or(trials, |until| until.at_least);
        let reason = check_trials(fewest, drawing.design()).err();
        if let (Some(reason), false) = (&reason, self.quiet) {
            say(&format!("note: no plan is chosen: {reason}"));
        }
        reason.is_none()
    }

    /// Says what is unlikely about a scenario, unless it was asked to be quiet.
    pub(crate) fn warn(&self, warnings: &Problems) {
        if !self.quiet && !warnings.is_empty() {
            say(&warnings.to_string());
        }
    }
}

/// A comparison, and how its trials are run.
pub(crate) struct ComparisonJob<'a> {
    /// After what a checkpoint is named where none was asked for.
    pub(crate) title: &'a str,
    /// The title of its decision.
    pub(crate) decision: &'a str,
    pub(crate) trials: u64,
    pub(crate) drawing: &'a Drawing,
    pub(crate) threads: usize,
    pub(crate) quiet: bool,
    pub(crate) kept: &'a KeptTrials,
    pub(crate) has_goals: bool,
    pub(crate) bar: &'a ProgressBar,
}

impl ComparisonJob<'_> {
    /// Runs the trials, or puts parts together; `None` if it was a shard, or another rank has the results.
    pub(crate) fn compared(
        &self,
        prepared: &PreparedComparison<'_>,
    ) -> Result<Option<(Compared, Option<Failure>)>, Failure> {
        let told = |part: &Part, goals, unsaved| {
            let mut compared = prepared.compared(part, goals)?;
            compared.decision = prepared.decision(part, self.decision)?;
            Ok(Some((compared, unsaved)))
        };
        if !self.kept.merge.is_empty() {
            return told(&self.merged(&prepared.batch())?, None, None);
        }
        let job = Job {
            name: self.title,
            trials: self.trials,
            drawing: self.drawing,
            threads: self.threads,
            quiet: self.quiet,
            saving: &self.kept.saving,
            has_goals: self.has_goals,
            bar: self.bar,
            chosen: &[],
        };
        let advance = |batch: &mut Batch<'_>, part: &mut Part| Ok(prepared.advance(batch, part)?);
        let Some(done) = job.run(|| prepared.batch(), advance)? else {
            return Ok(None);
        };
        told(&done.part, done.reported.flatten(), done.unsaved)
    }

    /// The merged parts of this comparison, of which none may be missing.
    fn merged(&self, batch: &Batch<'_>) -> Result<Part, Failure> {
        let whole = merged(&self.kept.merge)?;
        let expected = batch.begin()?;
        (expected.check_run(whole.provenance())).map_err(|error| Failure::OtherRun {
            path: self.kept.merge[0].clone(),
            error,
        })?;
        let missing = whole.missing();
        if !missing.is_empty() {
            return Err(Failure::Incomplete(PartError::Missing {
                missing,
                trials: whole.trials(),
            }));
        }
        Ok(whole)
    }
}

fn goal(text: &str) -> Result<ComparisonGoal, String> {
    const FORM: &str = "write p90(MEASURE)=0.1, probability(TARGET)=0.01, difference(MEASURE)=0.5 or p50(difference(MEASURE))=0.5";
    let (kind, name, within) = goal_words(text).ok_or(FORM)?;
    let difference = name
        .strip_prefix("difference(")
        .and_then(|name| name.strip_suffix(')'));
    let of = difference.unwrap_or(name).trim().to_owned();
    match (kind, difference) {
        ("difference", None) => return Ok(ComparisonGoal::Difference { of, within }),
        ("probability", None) => return Ok(ComparisonGoal::Probability { of, within }),
        _ => {}
    }
    let p = level(kind).ok_or(FORM)?;
    Ok(match difference {
        Some(_) => ComparisonGoal::DifferenceQuantile { of, p, within },
        None => ComparisonGoal::Quantile { of, p, within },
    })
}

/// What is to be compared.
struct Entries {
    title: String,
    measures: Vec<String>,
    baseline: usize,
    models: Vec<(String, Model)>,
    /// Plans and worlds, if the file distinguishes them.
    matrix: Option<Matrix>,
    /// What is wanted, and what must hold, if the file says.
    wanted: Option<(Objective, Vec<Constraint>)>,
}

pub(crate) fn run(arguments: &Compare) -> Result<(), Failure> {
    let entries = arguments.read()?;
    let request = &arguments.request;
    let stated = entries.models.get(entries.baseline);
    let baseline = (arguments.baseline.as_deref()).or(stated.map(|(name, _)| name.as_str()));
    // Differences from a baseline that is named are not those within worlds.
    let matrix = entries
        .matrix
        .clone()
        .filter(|_| arguments.baseline.is_none());
    request.answer(
        &entries.title,
        &entries.models,
        baseline.unwrap_or_default(),
        (&entries.measures, matrix),
        entries.wanted.as_ref(),
    )
}

/// A comparison as it is printed.
fn in_format(title: &str, compared: &Compared, format: Format) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        Format::Table => comparison(title, compared).into_bytes(),
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(compared)?;
            json.push(b'\n');
            json
        }
        Format::Csv => {
            let mut csv = Vec::new();
            write_comparison_csv(compared, &mut csv).map_err(Failure::Print)?;
            csv
        }
    })
}

/// The plans and worlds of a comparison whose file distinguishes them, of which none is left out and no case is named as the baseline.
pub(crate) fn plans_and_worlds(stated: &ComparisonFile) -> Result<Option<Matrix>, Failure> {
    if stated.baseline > 0 || !stated.factors.iter().any(|factor| factor.is_of_worlds) {
        return Ok(None);
    }
    match Matrix::of_file(stated, &[], &[]) {
        Err(MatrixError::Missing { .. }) => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// The objective and the constraints of a comparison, if its file says.
pub(crate) fn wanted(
    stated: &ComparisonFile,
) -> Result<Option<(Objective, Vec<Constraint>)>, Failure> {
    let misread = |error: ObjectiveError| Failure::Usage(error.to_string());
    let Some(objective) = &stated.objective else {
        return Ok(None);
    };
    let constraints = stated.subject_to.iter().map(|text| text.parse());
    let constraints: Result<Vec<Constraint>, _> = constraints.collect();
    Ok(Some((
        objective.parse().map_err(misread)?,
        constraints.map_err(misread)?,
    )))
}

impl Compare {
    fn read(&self) -> Result<Entries, Failure> {
        let request = &self.request;
        if let [file] = self.files.as_slice()
            && let Some(stated) = Scenario::load_comparison(file, &self.request.set)?
        {
            let mut models = Vec::new();
            let wanted = wanted(&stated)?;
            for case in &stated.cases {
                self.request.warn(&case.warnings);
                let asked = request
                    .asked()
                    .chain(stated.measures.iter().map(String::as_str));
                let of_choice = wanted.iter().flat_map(|(one, must)| asked_of([one], must));
                let model = case
                    .scenario
                    .compile_with_milestones(asked.chain(of_choice))?;
                models.push((case.name.clone(), model));
            }
            return Ok(Entries {
                matrix: plans_and_worlds(&stated)?,
                wanted,
                title: stated.name,
                measures: stated.measures,
                baseline: stated.baseline,
                models,
            });
        }
        let mut models: Vec<(String, Model)> = Vec::new();
        for file in &self.files {
            if self.files.len() > 1 && Scenario::load_comparison(file, &[])?.is_some() {
                return Err(Failure::ComparisonAmongScenarios(file.clone()));
            }
            let loaded = Scenario::load(file, &self.request.set)?;
            self.request.warn(&loaded.warnings);
            let mut name = loaded.scenario.name.clone();
            // Two files may well keep the name of the scenario that they extend.
            if models.iter().any(|(other, _)| *other == name) {
                name = format!("{name} ({})", file.display());
            }
            let model = loaded.scenario.compile_with_milestones(request.asked())?;
            models.push((name, model));
        }
        let names: Vec<&str> = models.iter().map(|(name, _)| name.as_str()).collect();
        Ok(Entries {
            title: names.join(", "),
            measures: Vec::new(),
            baseline: 0,
            models,
            matrix: None,
            wanted: None,
        })
    }
}
