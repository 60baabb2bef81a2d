//! `buildout levers`: what each lever of policy gains, on common random numbers.

use std::path::PathBuf;

use buildout::analysis::levers::{NO_LEVERS, lever_cases};
use buildout::{Model, Scenario, ScenarioError};
use clap::Args;

use crate::EXIT_STATUS;
use crate::compare::Request;
use crate::failure::Failure;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout levers scenario.toml
  buildout levers scenario.toml --lever 'permits in parallel' --by 'B1 live' --by npv
  buildout levers scenario.toml --json --quiet | jq '.differences[0]'

Levers are what stands under [[levers]] and [[vouchers]]. Each is tried alone against the scenario without any,
those that are off too; all have common random numbers, trial by trial.

{EXIT_STATUS}"))]
pub(crate) struct Levers {
    /// The scenario: a TOML file or an Excel workbook
    file: PathBuf,
    /// Only this lever; may be given several times
    #[arg(long = "lever", value_name = "NAME")]
    levers: Vec<String>,
    #[command(flatten)]
    request: Request,
}

pub(crate) fn run(arguments: &Levers) -> Result<(), Failure> {
    let request = &arguments.request;
    let loaded = Scenario::load(&arguments.file, &request.set)?;
    request.warn(&loaded.warnings);
    let models = lever_cases(&loaded.scenario, &arguments.levers)?
        .into_iter()
        .map(|(name, scenario)| Ok((name, scenario.compile()?)))
        .collect::<Result<Vec<(String, Model)>, ScenarioError>>()?;
    let title = format!("Levers of {}", loaded.scenario.name);
    request.answer(&title, &models, NO_LEVERS, (&[], None), None)
}
