//! `buildout decide`: which plan of a comparison to choose, world by world, or which settings of a scenario.

use std::path::PathBuf;

use buildout::analysis::compare::{Comparison, Matrix};
use buildout::analysis::decide::run::Decision;
use buildout::analysis::decide::search::{DEFAULT_CONFIDENCE, DEFAULT_PLANS, SearchRun};
use buildout::analysis::decide::{Constraint, Objective};
use buildout::file::ComparisonFile;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::policy::Setting;
use buildout::report::{
    DECISION_OUTPUTS, OutputFile, OutputFolder, comparison_goals, decide, decision_outputs, search,
};
use buildout::sampling::design::Drawing;
use buildout::{Design, Model, Scenario};
use clap::{Args, ValueEnum};

use crate::compare::{ComparisonJob, Goals, plans_and_worlds, wanted};
use crate::failure::{Failure, print, say};
use crate::kept::{KeptTrials, Together};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout decide matrix.toml --objective 'maximise mean(npv)' --worlds market
  buildout decide matrix.toml --objective 'maximise p10(npv)' --worlds market --weight weak=0.5
  buildout decide matrix.toml --objective 'minimise p80(A1 live)' --subject-to 'probability(paid back by 2037) >= 80 %'
  buildout decide scenario.toml --objective 'maximise mean(npv)' --subject-to 'P(npv < -50 million) <= 10 %'
  buildout decide scenario.toml --objective 'maximise mean(npv)' --objective 'minimise p90(peak_funding)'

Of a comparison: its factors are plans, but for those of worlds, which nobody chooses (`worlds = true` in the file, or
--worlds). The answer is the best feasible plan with the probability that it is the best, its value on fresh
trials, the matrix of plans and worlds, and what one would regret.

Of a scenario: what may be chosen stands under [[decisions]], each with the keys that it sets and its bounds. Few plans are all
tried, ranges are searched; two objectives give the plans that no other one beats in both. All plans run on the same trials.

{EXIT_STATUS}"))]
pub(crate) struct Decide {
    /// A comparison with [[factors]] or a scenario with [[decisions]]: a TOML file
    file: PathBuf,
    /// What is wanted: maximise or minimise mean(MEASURE), p10(MEASURE), …, probability(TARGET) or P(MEASURE > NUMBER).
    /// If not given, what a comparison says itself. Of a scenario two may be given
    #[arg(long, value_name = "OBJECTIVE")]
    objective: Vec<Objective>,
    /// What must hold, such as 'probability(TARGET) >= 80 %'; may be given several times
    #[arg(long, value_name = "CONSTRAINT")]
    subject_to: Vec<Constraint>,
    /// A factor whose variants are worlds; may be given several times
    #[arg(long, value_name = "FACTOR")]
    worlds: Vec<String>,
    /// The weight of a variant among the worlds of its factor, 1 if not given; may be given several times
    #[arg(long, value_name = "VARIANT=WEIGHT", value_parser = weight)]
    weight: Vec<(String, f64)>,
    /// How many trials to run of each plan, in each world: 10,000 if not given, all of an ensemble, and with --until at most 10,000,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    trials: Option<u64>,
    /// How many plans of a scenario to try at most
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PLANS as u64,
          value_parser = clap::value_parser!(u64).range(2..=10_000))]
    plans: u64,
    /// A difference of the objective that is not worth more trials, in its unit: plans of a scenario are given up as soon as they are
    /// that much worse or no better
    #[arg(long, value_name = "DELTA")]
    indifference: Option<f64>,
    /// The probability of correct selection with --indifference, or that all goals of --until hold together
    #[arg(long, value_name = "SHARE", default_value_t = DEFAULT_CONFIDENCE)]
    confidence: f64,
    #[command(flatten)]
    goals: Goals,
    #[command(flatten)]
    sampling: engine::Sampling,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Replace a value of every scenario; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    kept: KeptTrials,
    /// Write decision.json, decision.txt and, of a comparison, decision.svg into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Overwrite such files in the folder
    #[arg(long, requires = "out")]
    force: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print all of it as JSON: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// No progress bar, warnings or notes
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Tables to read
    Table,
    /// All of it as JSON
    Json,
}

fn weight(text: &str) -> Result<(String, f64), String> {
    const FORM: &str = "write VARIANT=WEIGHT with a weight above 0, such as weak=0.3";
    let (name, weight) = text.rsplit_once('=').ok_or(FORM)?;
    let weight: f64 = weight.trim().parse().map_err(|_| FORM)?;
    if !(weight.is_finite() && weight > 0.0) {
        return Err(FORM.to_owned());
    }
    Ok((name.trim().to_owned(), weight))
}

pub(crate) fn run(arguments: &Decide) -> Result<(), Failure> {
    match Scenario::load_comparison(&arguments.file, &arguments.set)? {
        Some(stated) => arguments.choose(&stated),
        None => arguments.search(),
    }
}

impl Decide {
    /// Chooses among the plans of a comparison.
    fn choose(&self, stated: &ComparisonFile) -> Result<(), Failure> {
        let of_file = wanted(stated)?;
        let (objective, constraints) = match (&self.objective[..], of_file) {
            ([objective], _) => (objective.clone(), self.subject_to.clone()),
            ([], Some((objective, mut constraints))) => {
                constraints.extend(self.subject_to.iter().cloned());
                (objective, constraints)
            }
            ([], None) => return Err(Failure::Usage(NO_OBJECTIVE.to_owned())),
            _ => {
                let message = "plans of a comparison are chosen by one objective".to_owned();
                return Err(Failure::Usage(message));
            }
        };
        let matrix = Matrix::of_file(stated, &self.worlds, &self.weight)?;
        let asked = || asked_of([&objective], &constraints);
        let asked = || asked().chain(self.goals.measures());
        let models = (stated.cases.iter())
            .map(|case| Ok((&case.name, case.scenario.compile_with_milestones(asked())?)))
            .collect::<Result<Vec<(&String, Model)>, Failure>>()?;
        let default = self.goals.default_trials();
        let all = models.iter().map(|(_, model)| model);
        let (trials, drawing) = (self.sampling).drawing(self.trials, default, all, self.quiet)?;
        let bar = engine::progress_bar(trials, self.quiet);
        let mut comparison = Comparison::new(models.iter().map(|(name, model)| (*name, model)))
            .matrix(matrix)
            .measures([objective.of.measure()])
            .decision(objective.clone(), constraints.iter().cloned())
            .trials(trials)
            .drawing(drawing.clone())
            .confidence(self.confidence)
            .threads(self.threads)
            .on_progress(|done, of| {
                bar.set_length(of);
                bar.set_position(done);
            })
            .cancelled_by(&engine::INTERRUPTED);
        if let Some(until) = self.goals.until(self.confidence, trials) {
            comparison = comparison.until(until);
        }
        let folder = self.folder()?;
        let prepared = comparison.prepare()?;
        let job = ComparisonJob {
            title: &stated.name,
            decision: &stated.name,
            trials,
            drawing: &drawing,
            threads: self.threads,
            quiet: self.quiet,
            kept: &self.kept,
            has_goals: !self.goals.is_empty(),
            bar: &bar,
        };
        let compared = job.compared(&prepared);
        bar.finish_and_clear();
        let Some((compared, unsaved)) = compared? else {
            return Ok(());
        };
        if let Some(goals) = comparison_goals(&compared).filter(|_| !self.quiet) {
            say(goals.trim_end());
        }
        let decision = compared.decision.expect("it was asked for");
        self.deliver(folder, decision_outputs(&decision)?, decide(&decision))?;
        unsaved.map_or(Ok(()), Err)
    }

    fn folder(&self) -> Result<Option<OutputFolder>, Failure> {
        let folder = (self.out.as_ref()).map(|path| OutputFolder::new(path).overwrite(self.force));
        if let Some(folder) = &folder {
            folder.prepare(&DECISION_OUTPUTS)?;
        }
        Ok(folder)
    }

    /// Searches for the best settings of a scenario's decisions.
    fn search(&self) -> Result<(), Failure> {
        let loaded = Scenario::load(&self.file, &self.set)?;
        if !self.quiet && !loaded.warnings.is_empty() {
            say(&loaded.warnings.to_string());
        }
        let variables = loaded.scenario.decisions.clone();
        if self.objective.is_empty() && !variables.is_empty() {
            return Err(Failure::Usage(NO_OBJECTIVE.to_owned()));
        }
        let build = |settings: &[Setting]| {
            let mut set = self.set.clone();
            for (variable, setting) in variables.iter().zip(settings) {
                let pairs = variable
                    .keys
                    .iter()
                    .map(|key| (key.clone(), setting.to_toml()));
                set.extend(pairs);
            }
            let scenario = Scenario::load(&self.file, &set)?.scenario;
            let asked = asked_of(self.objective.iter(), &self.subject_to);
            Ok(scenario.compile_with_milestones(asked)?)
        };
        let (trials, seed) = self.search_trials()?;
        let folder = self.folder()?;
        let bar = engine::progress_bar(trials, self.quiet);
        let progress = |done: u64, of: u64| {
            bar.set_length(of);
            bar.set_position(done);
        };
        let together = Together::join();
        let about = (loaded.scenario.name.as_str(), seed, self.quiet);
        let session = self.kept.open(&together, about)?;
        engine::listen_for_interruptions(self.quiet)?;
        let mut run = SearchRun::new(variables.clone(), self.objective.iter().cloned(), build)
            .constraints(self.subject_to.iter().cloned())
            .trials(trials)
            .seed(seed)
            .threads(together.threads(self.threads))
            .plans(self.plans as usize)
            .confidence(self.confidence)
            .on_progress(progress)
            .cancelled_by(&engine::INTERRUPTED)
            .kept(&session.runs);
        if let Some(delta) = self.indifference {
            run = run.indifference(delta);
        }
        let found = run.run(&loaded.scenario.name);
        bar.finish_and_clear();
        let told = session.end(found.map_err(Failure::from))?;
        if session.is_first() {
            let found = told.results;
            let table = search(&found);
            let mut json = serde_json::to_vec_pretty(&found)?;
            json.push(b'\n');
            let files = vec![
                OutputFile::new(DECISION_OUTPUTS[0], json),
                OutputFile::new(DECISION_OUTPUTS[1], table.clone().into_bytes()),
            ];
            self.deliver(folder, files, table)?;
        }
        told.unsaved.map_or(Ok(()), Err)
    }

    /// The trials and the seed of a search; refuses what it cannot do.
    fn search_trials(&self) -> Result<(u64, u64), Failure> {
        let none: [&Model; 0] = [];
        let (trials, drawing) =
            (self.sampling).drawing(self.trials, DEFAULT_TRIALS, none, self.quiet)?;
        let words = if !self.worlds.is_empty() || !self.weight.is_empty() {
            "--worlds and --weight are for a comparison with [[factors]]"
        } else if !self.goals.is_empty() {
            "--until is for a comparison with [[factors]]\n  help: a search stops early with --indifference"
        } else if self.kept.saving.shard.is_some() || !self.kept.merge.is_empty() {
            "a search has no shards: which plan it tries next depends on the trials before\n  \
             help: --checkpoint keeps what is done, and an MPI launcher shares the trials of each plan among processes"
        } else if drawing.design() != Design::Random {
            "a search needs independent trials: leave --design out"
        } else {
            return Ok((trials, drawing.seed()));
        };
        Err(Failure::Usage(words.to_owned()))
    }

    /// Prints what was decided, and writes its files, the JSON first, where that was asked for.
    fn deliver(
        &self,
        folder: Option<OutputFolder>,
        files: Vec<OutputFile>,
        table: String,
    ) -> Result<(), Failure> {
        if let Some(folder) = folder {
            for path in folder.write(&files)? {
                if !self.quiet {
                    say(&format!("wrote {}", path.display()));
                }
            }
        }
        print(&match self.format {
            Format::Table if !self.json => table.into_bytes(),
            _ => files
                .into_iter()
                .next()
                .map_or_else(Vec::new, |json| json.contents),
        })
    }
}

/// The cases of a comparison that a page shows beside one another, the plans in the first world, and the decision among all.
pub(crate) fn for_page(
    stated: &ComparisonFile,
    (trials, seed, threads): (u64, u64, usize),
) -> Result<(Vec<usize>, Option<Decision>), Failure> {
    let all = || (0..stated.cases.len()).take(MOST_BESIDE).collect();
    let (Some(matrix), Some((objective, constraints))) =
        (plans_and_worlds(stated)?, wanted(stated)?)
    else {
        return Ok((all(), None));
    };
    let asked = || asked_of([&objective], &constraints);
    let models = (stated.cases.iter())
        .map(|case| Ok((&case.name, case.scenario.compile_with_milestones(asked())?)))
        .collect::<Result<Vec<(&String, Model)>, Failure>>()?;
    let plans = matrix.scenarios.iter().map(|of_plan| of_plan[0]);
    let shown = plans.take(MOST_BESIDE).collect();
    let compared = Comparison::new(models.iter().map(|(name, model)| (*name, model)))
        .matrix(matrix)
        .measures([objective.of.measure()])
        .decision(objective.clone(), constraints.iter().cloned())
        .trials(trials)
        .drawing(Drawing::new(Design::Random, seed))
        .threads(threads)
        .run()?;
    let mut decision = compared.decision;
    if let Some(decision) = &mut decision {
        decision.title.clone_from(&stated.name);
    }
    Ok((shown, decision))
}

/// More scenarios beside one another are not read. (an assumption)
const MOST_BESIDE: usize = 4;

const NO_OBJECTIVE: &str =
    "there is no objective\n  help: say what is wanted, such as --objective 'maximise mean(npv)'";

/// The names that objectives and constraints ask for.
pub(crate) fn asked_of<'a>(
    objectives: impl IntoIterator<Item = &'a Objective>,
    constraints: &'a [Constraint],
) -> impl Iterator<Item = &'a str> {
    let objectives = objectives.into_iter().map(|one| one.of.measure());
    objectives.chain(constraints.iter().map(|one| one.of.measure()))
}
