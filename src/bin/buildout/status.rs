//! `buildout status`: progress of an updated schedule, or of a table, brought into a scenario file.

use std::path::PathBuf;

use buildout::file::StatusChange;
use buildout::import::{ImportOptions, Remaining, StatusEntry, StatusMatch, StatusUpdate, read};
use buildout::report::replace_file;
use buildout::{Date, Scenario};
use clap::Args;

use crate::failure::{Failure, print, say};
use crate::{EXIT_STATUS, load};

/// How many names are shown.
const MOST_NAMES: usize = 20;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout status campus.toml --from update.xer
  buildout status campus.toml --from progress.csv --as-of 2025-11-30

A table has the columns activity, started, finished and remaining (a duration such as \"3 weeks\"); a name may
hold * for any text. Activities are found by their names, or by the codes that their names begin with.
Comments and layout of the file stay; entries that the update says nothing of stay, too.

{EXIT_STATUS}"))]
pub(crate) struct Status {
    /// The scenario: a TOML file or an Excel workbook
    file: PathBuf,
    /// The update: Primavera's XER, Microsoft Project's XML, or a table as comma-separated values
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The date to which progress is known; if not given, as the update says, or the last date of a table
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// The project to read from an XER file with several
    #[arg(long, value_name = "NAME")]
    project: Vec<String>,
    /// Print the new text and leave the file alone
    #[arg(long)]
    print: bool,
    /// No warnings or notes
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Status) -> Result<(), Failure> {
    let update = update(arguments)?;
    let (_, model) = load::file(&arguments.file, &[])?;
    let network = model.network();
    let works = network.nodes().filter(|&node| network.is_work(node));
    let found = update.match_to(works.map(|node| network.name(node)));
    if found.entries.is_empty() {
        return Err(Failure::Usage(format!(
            "none of the {} activities of {} is in the scenario\n  help: names or codes must be those of the scenario, such as \"A1/shell\"",
            update.entries.len(),
            arguments.from.display()
        )));
    }
    let changes: Vec<StatusChange> = (found.entries.iter())
        .map(|(name, entry)| change(name, entry))
        .collect();
    let edited = Scenario::with_status(
        &arguments.file,
        update.as_of,
        update.retained_logic,
        &changes,
    )?;
    if !arguments.quiet {
        say(&reported(&found, &update));
        if !edited.loaded.warnings.is_empty() {
            say(&edited.loaded.warnings.to_string());
        }
    }
    if arguments.print {
        return print(edited.text.as_bytes());
    }
    replace_file(&arguments.file, edited.text.as_bytes())?;
    if !arguments.quiet {
        say(&format!("wrote {}", arguments.file.display()));
    }
    Ok(())
}

fn update(arguments: &Status) -> Result<StatusUpdate, Failure> {
    let bytes =
        buildout::disk::read_file(&arguments.from).map_err(|error| Failure::Unreadable {
            path: arguments.from.clone(),
            error,
        })?;
    let refused = |error| Failure::Import {
        path: arguments.from.clone(),
        error,
    };
    let is_table = arguments
        .from
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if is_table {
        return StatusUpdate::from_csv(&String::from_utf8_lossy(&bytes), arguments.as_of)
            .map_err(refused);
    }
    let mut options = ImportOptions::default();
    options.projects.clone_from(&arguments.project);
    let schedule = read(&bytes, &options).map_err(refused)?;
    let mut update = StatusUpdate::from_schedule(&schedule).ok_or_else(|| {
        Failure::Usage(format!(
            "{} says of nothing that it has started",
            arguments.from.display()
        ))
    })?;
    update.as_of = arguments.as_of.unwrap_or(update.as_of);
    Ok(update)
}

/// What an entry says, as keys of the file.
fn change(name: &str, entry: &StatusEntry) -> StatusChange {
    let date = |date: Option<Date>| date.map(|date| date.to_full_string().into());
    let (months, text) = match &entry.remaining {
        Some(Remaining::Months(months)) => (Some((*months).into()), None),
        Some(Remaining::Text(text)) => (None, Some(text.as_str().into())),
        _ => (None, None),
    };
    StatusChange {
        activity: name.to_owned(),
        values: vec![
            ("started", date(Some(entry.started))),
            ("finished", date(entry.finished)),
            ("remaining_months", months),
            ("remaining", text),
            ("resumes", date(entry.resumes)),
        ],
    }
}

/// What matched and what did not, in words.
fn reported(found: &StatusMatch, update: &StatusUpdate) -> String {
    let finished = found
        .entries
        .iter()
        .filter(|(_, entry)| entry.finished.is_some())
        .count();
    let mut text = format!(
        "as of {}: {} activities matched, of which {finished} have finished",
        update.as_of.to_full_string(),
        found.entries.len()
    );
    for (what, names) in [
        ("not in the scenario", &found.unknown),
        ("not unique in the scenario", &found.ambiguous),
    ] {
        if names.is_empty() {
            continue;
        }
        let shown: Vec<&str> = names.iter().take(MOST_NAMES).map(String::as_str).collect();
        let more = names.len() - shown.len();
        let more = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        text += &format!("\n{} {what}: {}{more}", names.len(), shown.join(", "));
    }
    text
}
