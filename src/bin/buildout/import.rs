//! `buildout import`: a scenario file from a schedule of Microsoft Project or Primavera.

use std::path::{Path, PathBuf};

use buildout::Scenario;
use buildout::compute::RackType;
#[cfg(feature = "import")]
use buildout::import::mspdi;
use buildout::import::{Finding, ImportError, Imported, SpreadRule, xer};
use buildout::report::{OutputFile, OutputFolder};
use buildout::site::Hall;
use clap::Args;

use crate::EXIT_STATUS;
use crate::failure::{Failure, print, say};
use crate::new::folder_and_name;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout import campus.xer                             into campus.toml
  buildout import campus.xml site.toml --spread '*shell*=-10%/+40%' --spread '*=-5%/+20%'
  buildout import a1.xer --building A1 --racks 400 --rack-power-kw 10

What has no place in a scenario is left out with a warning for each. The logic is checked: open ends,
circles, deadlines that are missed by the plan (negative float).

{EXIT_STATUS}"))]
pub(crate) struct Import {
    /// The schedule: Microsoft Project's XML or Primavera's XER
    file: PathBuf,
    /// The scenario file to write, or - to print it; if not given, the name of the schedule with .toml
    scenario: Option<PathBuf>,
    /// Put uncertainty on the durations of activities, such as '*shell*=-10%/+40%'; may be given
    /// several times, and the first rule that means an activity counts
    #[arg(long, value_name = "PATTERN=LEAST/MOST")]
    spread: Vec<SpreadRule>,
    /// How many months the scenario has; if not given, at least twice what is planned
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(1..=600))]
    horizon_months: Option<u32>,
    /// Make the schedule that of a building, handed over when all has finished
    #[arg(long, value_name = "NAME", requires_all = ["racks", "rack_power_kw"])]
    building: Option<String>,
    /// Rack positions of the building's hall
    #[arg(long, value_name = "N", requires = "building", value_parser = clap::value_parser!(u32).range(1..))]
    racks: Option<u32>,
    /// Critical IT power of a rack position, in kW
    #[arg(long, value_name = "KW", requires = "building")]
    rack_power_kw: Option<f64>,
    /// Leave resources out, so that no activity waits for any
    #[arg(long)]
    no_crews: bool,
    /// Fail, and write nothing, if anything is left out or the logic is unsound
    #[arg(long)]
    strict: bool,
    /// Overwrite the scenario file
    #[arg(long)]
    force: bool,
    /// Say nothing but errors
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Import) -> Result<(), Failure> {
    let mut schedule = read(&arguments.file)?;
    if arguments.no_crews {
        schedule = schedule.without_crews();
    }
    let target = match &arguments.scenario {
        Some(path) => path.clone(),
        None => arguments.file.with_extension("toml"),
    };
    let file = arguments.file.display();
    let mut notes = Vec::new();
    for warning in &schedule.warnings {
        notes.push(format!(
            "warning: {file}:{}: {}",
            warning.line, warning.message
        ));
    }
    let findings = schedule.findings();
    let wrong = (findings.iter()).any(|finding| matches!(finding, Finding::Wrong(_)));
    notes.extend(logic(&findings));
    // What makes it no schedule is told in any case.
    if !notes.is_empty() && (wrong || !arguments.quiet) {
        say(&notes.join("\n"));
    }
    if wrong || (arguments.strict && !notes.is_empty()) {
        say("error: nothing was written");
        return Err(Failure::Invalid);
    }
    let spread = spread(&mut schedule, &arguments.spread)?;
    let scenario = scenario(&schedule, arguments)?;
    // What is written can be read: names and numbers of the schedule pass the same checks.
    scenario.compile()?;
    let text = format!("{}{}", heading(arguments), scenario.to_toml()?);
    if target.as_os_str() == "-" {
        return print(text.as_bytes());
    }
    let (folder, name) = folder_and_name(&target)?;
    OutputFolder::new(folder)
        .overwrite(arguments.force)
        .write(&[OutputFile::new(name, text.into_bytes())])?;
    if !arguments.quiet {
        let target = target.display();
        say(&format!(
            "wrote {target}: {} activities, {} calendars, {} crews; {spread}\n\n  buildout schedule {target}\n  buildout run {target}",
            schedule.activities.len(),
            schedule.calendars.len(),
            schedule.crews.len(),
        ));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Imported, Failure> {
    let bytes = buildout::disk::read_file(path).map_err(|error| Failure::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    let schedule = if is_xml(&bytes) {
        read_xml(&bytes)
    } else {
        xer::read(&bytes)
    };
    schedule.map_err(|error| Failure::Import {
        path: path.to_owned(),
        error,
    })
}

/// By what it begins with: names of files may deceive.
fn is_xml(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    // UTF-16 begins with one of its byte order marks.
    first == Some(&b'<') || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

#[cfg(feature = "import")]
fn read_xml(bytes: &[u8]) -> Result<Imported, ImportError> {
    mspdi::read_bytes(bytes)
}

#[cfg(not(feature = "import"))]
fn read_xml(_: &[u8]) -> Result<Imported, ImportError> {
    Err(ImportError {
        line: 1,
        message: "this buildout was built without its feature `import`, which reads XML".to_owned(),
    })
}

/// What a scheduler would want to look at, in words.
fn logic(findings: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| match finding {
        Finding::OpenStart(activity) => {
            format!("logic: nothing comes before \"{activity}\" (open start)")
        }
        Finding::OpenEnd(activity) => {
            format!("logic: nothing comes after \"{activity}\" (open end)")
        }
        Finding::NegativeFloat {
            activity,
            missed_by_months,
        } => format!(
            "logic: \"{activity}\" misses its deadline by {missed_by_months:.2} months (negative float)"
        ),
        Finding::Wrong(message) => message.clone(),
        other => format!("logic: {other:?}"),
    };
    // A network has one start and one end: a single one of each is none to look at.
    let count = |of: fn(&Finding) -> bool| findings.iter().filter(|finding| of(finding)).count();
    let starts = count(|finding| matches!(finding, Finding::OpenStart(_)));
    let ends = count(|finding| matches!(finding, Finding::OpenEnd(_)));
    let is_worth_telling = |finding: &&Finding| match finding {
        Finding::OpenStart(_) => starts > 1,
        Finding::OpenEnd(_) => ends > 1,
        _ => true,
    };
    let told = findings.iter().filter(is_worth_telling);
    told.map(line).collect()
}

/// Applies the rules, and tells in words what they changed.
fn spread(schedule: &mut Imported, rules: &[SpreadRule]) -> Result<String, Failure> {
    let mut changed = 0;
    for rule in rules {
        let by_this = schedule.spread(&rule.pattern, &rule.spread);
        if by_this == 0 {
            return Err(Failure::Usage(format!(
                "no activity with a certain duration above 0 is left that \"{}\" means\n  help: * stands for any text; the first rule that means an activity counts",
                rule.pattern
            )));
        }
        changed += by_this;
    }
    Ok(match changed {
        0 => "all durations are certain: give them ranges with --spread".to_owned(),
        _ => format!("{changed} durations are uncertain"),
    })
}

fn scenario(schedule: &Imported, arguments: &Import) -> Result<Scenario, Failure> {
    let horizon = match arguments.horizon_months {
        Some(months) => months,
        None => schedule.horizon_months()?,
    };
    let building = arguments.building.as_ref();
    let hall = building.zip(arguments.racks).zip(arguments.rack_power_kw);
    Ok(match hall {
        Some(((building, racks), power_kw)) => {
            let rack_type = RackType::new("rack", power_kw);
            let hall = Hall::new("hall", racks, &rack_type.name);
            schedule.to_building_scenario(building, hall, rack_type, horizon)
        }
        None => schedule.to_scenario(horizon),
    })
}

fn heading(arguments: &Import) -> String {
    let name = arguments.file.file_name().unwrap_or_default();
    // A name may hold a line break, which would end the comment.
    let name: String = (name.to_string_lossy().chars())
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("# Imported from {name}. Durations are working time of their calendars, in months.\n\n")
}
