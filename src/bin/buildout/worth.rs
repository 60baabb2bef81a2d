//! `buildout worth`: what changes of a plan and information about it are worth.

use std::path::PathBuf;

use buildout::analysis::levers::{NO_LEVERS, lever_cases};
use buildout::analysis::worth::report::WorthReport;
use buildout::analysis::worth::run::{DEFAULT_CAPACITY, Plan, WorthRun};
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::monte_carlo::stop::{DEFAULT_AT_LEAST, Until};
use buildout::report::{
    OutputFolder, WORTH_OUTPUTS, worth, worth_csv, worth_markdown, worth_outputs,
};
use buildout::{Model, Scenario};
use clap::Args;

use crate::drivers::{Format, MOST_TRIALS, group, half_width};
use crate::failure::{Failure, print, say};
use crate::kept::{KeptTrials, Together};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout worth scenario.toml --change 'firm grid date: campuses.North.grid.\"750 kV\".wait_months=36'
  buildout worth scenario.toml --certain '*/transformers' --certain 'the grid=*kV*'
  buildout worth matrix.toml                    each case of a comparison beside its baseline
  buildout worth scenario.toml --json --quiet | jq '.changes[0].break_even'

Changes are what --change and --certain say, the levers of the scenario, and the cases of a comparison. Each is run
on the same trials as the plan without it. What it is worth to know an input before choosing among the plan and its
changes is in money, and so needs a scenario with money; of a plan without changes, before carrying it out at all.

{EXIT_STATUS}"))]
pub(crate) struct Worth {
    /// The scenario, or a comparison with factors: a TOML file
    file: PathBuf,
    /// A change of the plan by values as for --set, such as 'second crew: crews.fitters.teams=2; crews.riggers.teams=2';
    /// may be given several times
    #[arg(long, value_name = "NAME: KEY=VALUE; …", value_parser = change)]
    change: Vec<Change>,
    /// A change by which the inputs that fit a pattern are certain, at their medians; may be given several times
    #[arg(long, value_name = "[NAME=]PATTERN,…", value_parser = certain)]
    certain: Vec<(String, Vec<String>)>,
    /// Also value knowing these inputs together; may be given several times
    #[arg(long, value_name = "NAME=PATTERN,…", value_parser = group)]
    group: Vec<(String, Vec<String>)>,
    /// The outcome that counts as money; npv if the scenario has money and none is given
    #[arg(long, value_name = "OUTCOME")]
    money: Option<String>,
    /// The metric that counts as capacity, summed over the months
    #[arg(long, value_name = "METRIC", default_value = DEFAULT_CAPACITY)]
    capacity: String,
    /// How many trials to run of each plan: 10,000 if not given, or all of an ensemble
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    trials: Option<u64>,
    #[command(flatten)]
    sampling: engine::Sampling,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Replace a value of the scenario and of all its changes; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    kept: KeptTrials,
    /// Run until the gain of each change in money (MW-months without money) is known to ± so much, with 95 % confidence, such as gain=2e6;
    /// --trials is then the most trials, 1,000,000 if not given
    #[arg(long, value_name = "GOAL", value_parser = gain_goal)]
    until: Option<f64>,
    /// The fewest trials before the goal counts as reached
    #[arg(long, value_name = "N", default_value_t = DEFAULT_AT_LEAST, requires = "until")]
    at_least: u64,
    /// Write worth.json, worth.csv, worth.txt, worth.md and a chart (worth.svg) into this folder
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

/// A named change of values.
#[derive(Clone, Debug)]
struct Change {
    name: String,
    set: Vec<(String, String)>,
}

fn gain_goal(text: &str) -> Result<f64, String> {
    half_width("gain", text)
}

fn change(text: &str) -> Result<Change, String> {
    const FORM: &str =
        "write NAME: KEY=VALUE; KEY=VALUE, such as 'firm date: campuses.North.pue=1.2'";
    let (name, values) = text.split_once(':').ok_or(FORM)?;
    let set = values
        .split(';')
        .map(|value| key_and_value(value).map_err(|_| FORM.to_owned()));
    Ok(Change {
        name: name.trim().to_owned(),
        set: set.collect::<Result<Vec<_>, String>>()?,
    })
}

/// Splits [NAME=]PATTERN,PATTERN; without a name the patterns are it.
fn certain(text: &str) -> Result<(String, Vec<String>), String> {
    group(text).or_else(|_| {
        let patterns: Vec<String> = text
            .split(',')
            .map(|pattern| pattern.trim().to_owned())
            .collect();
        Ok((format!("certain: {text}"), patterns))
    })
}

/// A plan as it is compiled: its name, and what is certain in it.
struct Compiled {
    name: String,
    model: Model,
}

pub(crate) fn run(arguments: &Worth) -> Result<(), Failure> {
    let folder =
        (arguments.out.as_ref()).map(|path| OutputFolder::new(path).overwrite(arguments.force));
    if let Some(folder) = &folder {
        folder.prepare(&WORTH_OUTPUTS)?;
    }
    let (plan, changed) = arguments.plans()?;
    let mut changes: Vec<Plan<'_>> = (changed.iter())
        .map(|change| Plan::new(&change.name, &change.model))
        .collect();
    for (name, patterns) in &arguments.certain {
        changes.push(Plan::new(name, &plan.model).certain(patterns.clone()));
    }
    let models = std::iter::once(&plan)
        .chain(&changed)
        .map(|compiled| &compiled.model);
    let default = arguments.until.map_or(DEFAULT_TRIALS, |_| MOST_TRIALS);
    let (trials, drawing) =
        (arguments.sampling).drawing(arguments.trials, default, models, arguments.quiet)?;
    let bar = engine::progress_bar(trials, arguments.quiet);
    let progress = |done: u64, of: u64| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let together = Together::join();
    let about = (plan.name.as_str(), drawing.seed(), arguments.quiet);
    let session = arguments.kept.open(&together, about)?;
    let search = arguments
        .asked_of(
            WorthRun::new(Plan::new(&plan.name, &plan.model), changes),
            trials,
        )
        .drawing(drawing)
        .threads(together.threads(arguments.threads))
        .on_progress(progress)
        .cancelled_by(&engine::INTERRUPTED)
        .kept(&session.runs);
    engine::listen_for_interruptions(arguments.quiet)?;
    if session.is_shard(search.sample_runs()?, trials)? {
        bar.finish_and_clear();
        return Ok(());
    }
    let report = search.run();
    bar.finish_and_clear();
    let told = session.end(report.map_err(Failure::from))?;
    if !session.is_first() {
        return Ok(());
    }
    arguments.deliver(folder.as_ref(), &told.results)?;
    told.unsaved.map_or(Ok(()), Err)
}

impl Worth {
    /// What the options say of the search.
    fn asked_of<'a>(&'a self, mut search: WorthRun<'a>, trials: u64) -> WorthRun<'a> {
        search = search.capacity(&self.capacity).trials(trials);
        if let Some(gain) = self.until {
            search = search.until(Until {
                at_least: self.at_least.min(trials),
                at_most: trials,
                ..Until::new(vec![gain])
            });
        }
        if let Some(money) = &self.money {
            search = search.money(money);
        }
        for (name, patterns) in &self.group {
            search = search.group(name, patterns.clone());
        }
        search
    }

    /// Writes the results to the folder, if there is one, and prints them.
    fn deliver(&self, folder: Option<&OutputFolder>, report: &WorthReport) -> Result<(), Failure> {
        if let Some(folder) = folder {
            for path in folder.write(&worth_outputs(report)?)? {
                if !self.quiet {
                    say(&format!("wrote {}", path.display()));
                }
            }
        }
        let format = if self.json { Format::Json } else { self.format };
        print(&in_format(report, format)?)
    }

    /// The plan without changes, and its changes.
    fn plans(&self) -> Result<(Compiled, Vec<Compiled>), Failure> {
        if let Some(stated) = Scenario::load_comparison(&self.file, &self.set)? {
            if !self.change.is_empty() {
                return Err(Failure::Usage(
                    "a comparison states its changes itself: leave out --change".to_owned(),
                ));
            }
            let mut cases = Vec::new();
            for case in &stated.cases {
                let model = case.scenario.compile()?;
                cases.push(Compiled {
                    name: case.name.clone(),
                    model,
                });
            }
            let baseline = cases.remove(stated.baseline);
            return Ok((baseline, cases));
        }
        let loaded = Scenario::load(&self.file, &self.set)?;
        if !self.quiet && !loaded.warnings.is_empty() {
            say(&loaded.warnings.to_string());
        }
        let mut changes = Vec::new();
        for change in &self.change {
            let set: Vec<(String, String)> = self.set.iter().chain(&change.set).cloned().collect();
            let changed = Scenario::load(&self.file, &set)?;
            changes.push(Compiled {
                name: change.name.clone(),
                model: changed.scenario.compile()?,
            });
        }
        let scenario = &loaded.scenario;
        if scenario.lever_states().next().is_none() {
            let model = scenario.compile()?;
            return Ok((
                Compiled {
                    name: scenario.name.clone(),
                    model,
                },
                changes,
            ));
        }
        let mut cases = Vec::new();
        for (name, case) in lever_cases(scenario, &[] as &[&str])? {
            cases.push(Compiled {
                name,
                model: case.compile()?,
            });
        }
        // The plan without any lever comes first.
        debug_assert_eq!(cases[0].name, NO_LEVERS);
        let plan = cases.remove(0);
        cases.extend(changes);
        Ok((plan, cases))
    }
}

fn in_format(report: &WorthReport, format: Format) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        Format::Table => worth(report).into_bytes(),
        Format::Csv => worth_csv(report).into_bytes(),
        Format::Markdown => worth_markdown(report).into_bytes(),
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(report)?;
            json.push(b'\n');
            json
        }
    })
}
