//! `buildout report`: one page to open in a browser, of one scenario or several side by side.

use std::path::PathBuf;

use buildout::analysis::decide::run::Decision;
use buildout::file::Loaded;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::report::{OutputFile, OutputFolder, markdown};
use buildout::sampling::design::Drawing;
use buildout::{Batch, Model, Scenario};
use clap::Args;

use crate::decide::for_page;
use crate::failure::{Failure, print, say};
use crate::live::Live;
use crate::page::{self, Analysed, page_of};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine, load};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout report scenario.toml                                report.html
  buildout report base.toml variant.toml --out both.html       side by side, on common random numbers
  buildout report scenario.toml --open --watch                 runs again when the scenario is saved
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
    #[command(flatten)]
    live: Live,
}

pub(crate) fn run(arguments: &Report) -> Result<(), Failure> {
    if arguments.live.is_watching() {
        return Live::watch(&arguments.files);
    }
    let (loaded, decision) = arguments.load()?;
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
    let analysed: Vec<Analysed<'_>> = (loaded.iter())
        .map(|(model, scenario)| {
            Analysed::new(model, scenario, &drawing, trials, arguments.threads)
        })
        .collect();
    let analysed = match &decision {
        Some(_) => with_worth(analysed, &loaded, (&drawing, trials, arguments.threads)),
        None => analysed,
    };
    let runs = projections.iter().zip(&analysed);
    let Some(page) = page_of(runs) else {
        return Ok(());
    };
    let again = page::command_line(
        &arguments.files,
        trials,
        &arguments.sampling,
        &arguments.set,
    );
    let page = page.command(again).refreshing(arguments.live.refreshes());
    let page = match &decision {
        Some(decision) => page.decision(decision),
        None => page,
    };
    let page = page.to_html();
    for path in folder.write(&[OutputFile::new(name, page.into_bytes())])? {
        if !arguments.quiet {
            say(&format!("wrote {}", path.display()));
        }
        arguments.live.show(&path)?;
    }
    Ok(())
}

/// The first plan of a comparison with what the others are worth beside it.
fn with_worth<'a>(
    mut analysed: Vec<Analysed<'a>>,
    loaded: &[(Model, Loaded)],
    how: (&Drawing, u64, usize),
) -> Vec<Analysed<'a>> {
    let mut plans = (loaded.iter()).map(|(model, loaded)| (loaded.scenario.name.as_str(), model));
    if let Some(first) = plans.next()
        && !analysed.is_empty()
    {
        let of_first = analysed.remove(0).beside(first, plans, how);
        analysed.insert(0, of_first);
    }
    analysed
}

/// The models that a page shows, and what is decided of a comparison.
type Shown = (Vec<(Model, Loaded)>, Option<Decision>);

impl Report {
    fn load(&self) -> Result<Shown, Failure> {
        let mut loaded = Vec::new();
        if let [file] = self.files.as_slice()
            && let Some(stated) = Scenario::load_comparison(file, &self.set)?
        {
            let all: Vec<Model> = Vec::new();
            let (trials, drawing) =
                (self.sampling).drawing(self.trials, DEFAULT_TRIALS, &all, true)?;
            let how = (trials, drawing.seed(), self.threads);
            let (shown, decision) = for_page(&stated, how)?;
            for case in shown {
                let mut scenario = stated.cases[case].scenario.clone();
                scenario.name.clone_from(&stated.cases[case].name);
                loaded.push((scenario.compile()?, Loaded::from(scenario)));
            }
            return Ok((loaded, decision));
        }
        for file in &self.files {
            let (scenario, model) = load::file(file, &self.set)?;
            if !self.quiet && !scenario.warnings.is_empty() {
                say(&scenario.warnings.to_string());
            }
            loaded.push((model, scenario));
        }
        Ok((loaded, None))
    }
}
