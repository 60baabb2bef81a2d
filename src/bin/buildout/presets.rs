//! `buildout presets`: published figures to build scenarios from.

use std::fmt::Write as _;

use buildout::presets::{self, Preset};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::EXIT_STATUS;
use crate::failure::{Failure, print};

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout presets                         all of them, by the list of a scenario they stand in
  buildout presets list generations
  buildout presets show \"GB200 NVL72\"      its values and where they come from

In a scenario file the name stands for the values; what stands beside it replaces them:
  [[generations]]
  preset = \"GB200 NVL72\"
  lead_time = {{ pert = [\"4 months\", \"6 months\", \"12 months\"] }}

{EXIT_STATUS}"))]
pub(crate) struct Presets {
    #[command(subcommand)]
    what: Option<What>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// Lists the presets
    List {
        /// Only those of this list of a scenario, such as generations
        list: Option<String>,
    },
    /// Shows the values of a preset and their sources
    Show {
        /// The name of the preset
        name: String,
    },
}

pub(crate) fn run(arguments: &Presets) -> Result<(), Failure> {
    let (chosen, is_list): (Vec<&Preset>, bool) = match &arguments.what {
        None => (presets::all().collect(), true),
        Some(What::List { list: None }) => (presets::all().collect(), true),
        Some(What::List { list: Some(list) }) => {
            let chosen: Vec<&Preset> = presets::all()
                .filter(|preset| preset.list == list.as_str())
                .collect();
            if chosen.is_empty() {
                return Err(unknown(list, presets::all().map(|preset| preset.list)));
            }
            (chosen, true)
        }
        Some(What::Show { name }) => {
            let chosen: Vec<&Preset> = presets::all()
                .filter(|preset| preset.name.eq_ignore_ascii_case(name))
                .collect();
            if chosen.is_empty() {
                return Err(unknown(name, presets::all().map(|preset| preset.name)));
            }
            (chosen, false)
        }
    };
    if arguments.json {
        let list: Vec<Value> = chosen.iter().map(|preset| as_json(preset)).collect();
        let mut text = serde_json::to_vec_pretty(&list)?;
        text.push(b'\n');
        return print(&text);
    }
    let text = if is_list {
        listed(&chosen)
    } else {
        chosen.iter().map(|preset| shown(preset)).collect()
    };
    print(text.as_bytes())
}

fn unknown<'a>(wanted: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
    Failure::UnknownPreset {
        wanted: wanted.to_owned(),
        nearest: buildout::problem::nearest(wanted, known).map(str::to_owned),
    }
}

fn listed(presets: &[&Preset]) -> String {
    let width = (presets.iter().map(|preset| preset.name.len()))
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    let mut list = "";
    for preset in presets {
        if preset.list != list {
            if !list.is_empty() {
                text.push('\n');
            }
            list = preset.list;
            text.push_str(list);
            text.push('\n');
        }
        let _ = writeln!(text, "  {:width$}  {}", preset.name, preset.summary);
    }
    text
}

fn shown(preset: &Preset) -> String {
    let mut text = format!("# {}\n", preset.summary);
    for source in preset.sources {
        let _ = writeln!(text, "# [{}] {}", source.basis.word(), source.text);
    }
    let values = toml_edit::ser::to_document(&preset.part())
        .map(|values| values.to_string())
        .unwrap_or_default();
    let _ = writeln!(text, "[[{}]]\n{values}", preset.list);
    text
}

fn as_json(preset: &Preset) -> Value {
    json!({
        "name": preset.name,
        "list": preset.list,
        "summary": preset.summary,
        "sources": preset.sources,
        "values": preset.part(),
    })
}
