//! `buildout decide`: which plan of a comparison to choose, world by world.

use std::path::PathBuf;

use buildout::analysis::decide::run::{Choices, DecideRun};
use buildout::analysis::decide::{Constraint, Objective, World};
use buildout::file::ComparisonFile;
use buildout::monte_carlo::batch::DEFAULT_TRIALS;
use buildout::report::decide;
use buildout::{Model, Scenario};
use clap::{Args, ValueEnum};

use crate::failure::{Failure, print};
use crate::run::key_and_value;
use crate::{EXIT_STATUS, engine};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout decide matrix.toml --objective 'maximise mean(npv)' --worlds market
  buildout decide matrix.toml --objective 'maximise p10(npv)' --worlds market --weight weak=0.5
  buildout decide matrix.toml --objective 'minimise p80(A1 live)' --subject-to 'probability(paid back by 2037) >= 80 %'

The factors of a comparison are plans, but for those that --worlds names: these nobody chooses. All plans run on the same
trials in every world. The answer is the best feasible plan with the probability that it is the best, its value on fresh
trials, the matrix of plans and worlds, and what one would regret.

{EXIT_STATUS}"))]
pub(crate) struct Decide {
    /// A comparison: a TOML file with [[factors]]
    file: PathBuf,
    /// What is wanted: maximise or minimise mean(MEASURE), p10(MEASURE), … or probability(TARGET)
    #[arg(long, value_name = "OBJECTIVE")]
    objective: Objective,
    /// What must hold, such as 'probability(TARGET) >= 80 %'; may be given several times
    #[arg(long, value_name = "CONSTRAINT")]
    subject_to: Vec<Constraint>,
    /// A factor whose variants are worlds; may be given several times
    #[arg(long, value_name = "FACTOR")]
    worlds: Vec<String>,
    /// The weight of a variant among the worlds of its factor, 1 if not given; may be given several times
    #[arg(long, value_name = "VARIANT=WEIGHT", value_parser = weight)]
    weight: Vec<(String, f64)>,
    /// How many trials to run of each plan in each world
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TRIALS,
          value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    trials: u64,
    /// The seed: the same one gives the same results
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many threads to use; 0 for one per processor. The results do not depend on it
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Replace a value of every scenario; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
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
    let stated = Scenario::load_comparison(&arguments.file, &arguments.set)?.ok_or_else(|| {
        Failure::Usage(format!(
            "{} is no comparison: state plans and worlds as [[factors]] with variants",
            arguments.file.display()
        ))
    })?;
    let models = (stated.cases.iter())
        .map(|case| case.scenario.compile())
        .collect::<Result<Vec<Model>, _>>()?;
    let choices = arguments.choices(&stated, &models)?;
    let bar = engine::progress_bar(arguments.trials, arguments.quiet);
    let progress = |done: u64, of: u64| {
        bar.set_length(of);
        bar.set_position(done);
    };
    engine::listen_for_interruptions(arguments.quiet)?;
    let decision = DecideRun::new(choices, arguments.objective.clone())
        .constraints(arguments.subject_to.iter().cloned())
        .trials(arguments.trials)
        .seed(arguments.seed)
        .threads(arguments.threads)
        .on_progress(progress)
        .cancelled_by(&engine::INTERRUPTED)
        .run(&stated.name);
    bar.finish_and_clear();
    let decision = decision?;
    print(&match arguments.format {
        Format::Table => decide(&decision).into_bytes(),
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(&decision)?;
            json.push(b'\n');
            json
        }
    })
}

impl Decide {
    /// The plans and worlds of a comparison.
    fn choices<'a>(
        &self,
        stated: &ComparisonFile,
        models: &'a [Model],
    ) -> Result<Choices<'a>, Failure> {
        for wanted in &self.worlds {
            if !stated.factors.iter().any(|factor| &factor.name == wanted) {
                let known: Vec<&str> = stated
                    .factors
                    .iter()
                    .map(|factor| factor.name.as_str())
                    .collect();
                return Err(Failure::Usage(format!(
                    "there is no factor \"{wanted}\" for --worlds\n  help: the factors are {}",
                    known.join(", ")
                )));
            }
        }
        let is_world = |factor: usize| self.worlds.contains(&stated.factors[factor].name);
        for (variant, _) in &self.weight {
            let is_there = (stated.factors.iter().enumerate())
                .any(|(factor, one)| is_world(factor) && one.variants.contains(variant));
            if !is_there {
                return Err(Failure::Usage(format!(
                    "--weight: \"{variant}\" is a variant of no factor that --worlds names"
                )));
            }
        }
        let mut plans: Vec<String> = Vec::new();
        let mut worlds: Vec<World> = Vec::new();
        let mut places = Vec::new();
        for case in &stated.cases {
            let name = |of_worlds: bool| {
                let chosen = (case.variants.iter().enumerate())
                    .filter(|(factor, _)| is_world(*factor) == of_worlds)
                    .map(|(factor, variant)| stated.factors[factor].variants[*variant].as_str());
                chosen.collect::<Vec<_>>().join(", ")
            };
            let plan = place_of(&mut plans, name(false));
            let world = name(true);
            let world = worlds
                .iter()
                .position(|known| known.name == world)
                .unwrap_or_else(|| {
                    let weight = self.weight_of(stated, &case.variants, is_world);
                    worlds.push(World {
                        name: world,
                        weight,
                    });
                    worlds.len() - 1
                });
            places.push((plan, world));
        }
        let total: f64 = worlds.iter().map(|world| world.weight).sum();
        for world in &mut worlds {
            world.weight /= total;
            if world.name.is_empty() {
                "as stated".clone_into(&mut world.name);
            }
        }
        let mut by_place = vec![vec![None; worlds.len()]; plans.len()];
        for ((plan, world), model) in places.into_iter().zip(models) {
            by_place[plan][world] = Some(model);
        }
        Ok(Choices {
            plans,
            worlds,
            models: by_place,
        })
    }

    /// The product of the weights of a case's worlds.
    fn weight_of(
        &self,
        stated: &ComparisonFile,
        variants: &[usize],
        is_world: impl Fn(usize) -> bool,
    ) -> f64 {
        let of_worlds = variants
            .iter()
            .enumerate()
            .filter(|(factor, _)| is_world(*factor));
        let weights = of_worlds.map(|(factor, variant)| {
            let name = &stated.factors[factor].variants[*variant];
            (self.weight.iter().find(|(known, _)| known == name)).map_or(1.0, |(_, weight)| *weight)
        });
        weights.product()
    }
}

/// The position of a name in a list, which it joins if it is new.
fn place_of(names: &mut Vec<String>, name: String) -> usize {
    names
        .iter()
        .position(|known| *known == name)
        .unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        })
}
