//! `buildout import`: a scenario file from a schedule of Microsoft Project or Primavera.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use buildout::Scenario;
use buildout::compute::RackType;
use buildout::import::{
    self, Finding, ImportOptions, Imported, OutOfSequence, ProjectFactor, Review, SpreadRule, Topic,
};
use buildout::report::{OutputFile, OutputFolder};
use buildout::site::Hall;
use clap::{Args, ValueEnum};

use crate::EXIT_STATUS;
use crate::failure::{Failure, counted, print, say};
use crate::new::folder_and_name;

#[derive(Args)]
#[command(after_help = format!("\
Examples:
  buildout import campus.xer                             into campus.toml
  buildout import campus.xml site.toml --spread '*shell*=-10%/+40%' --spread '*=-5%/+20%'
  buildout import a1.xer --building A1 --racks 400 --rack-power-kw 10
  buildout import all.xer --project HALL-2 --differences differences.csv

What has no place in a scenario is left out with a warning for each. The logic is checked: open ends,
circles, deadlines that are missed by the plan (negative float). The schedule is then compared with the
file's own early dates, and what does not keep them is listed by cause.

{EXIT_STATUS}"))]
pub(crate) struct Import {
    /// The schedule: Microsoft Project's XML or Primavera's XER
    file: PathBuf,
    /// The scenario file to write, or - to print it; if not given, the name of the schedule with .toml
    scenario: Option<PathBuf>,
    /// Make the durations of activities uncertain, such as '*shell*=-10%/+40%', 'wbs:Hall 1=…', 'code:North=…' or
    /// 'resource:crane*=…'; may be given several times, and the first rule that means an activity counts
    #[arg(long, value_name = "PATTERN=LEAST/MOST")]
    spread: Vec<SpreadRule>,
    /// Take the factor on all durations together from finished projects: a table with the columns planned and actual, or
    /// "published" for published figures of capital projects (9 of 10 late, by 34 % on average)
    #[arg(long, value_name = "FILE")]
    reference_class: Option<PathBuf>,
    /// Put no factor on all durations together; with --spread there is one of P10 0.88 and P90 1.14
    #[arg(long, conflicts_with = "reference_class")]
    no_project_factor: bool,
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
    /// The project to read from an XER file with several; may be given several times. If not given, the one that was
    /// exported and has the most activities
    #[arg(long, value_name = "NAME")]
    project: Vec<String>,
    /// Make crews of resources, so that activities wait for them
    #[arg(long)]
    crews: bool,
    /// What becomes of work that began before its predecessors finished; if not given, as the file says
    #[arg(long, value_enum, value_name = "RULE")]
    out_of_sequence: Option<Rule>,
    /// Write the activities that do not keep the file's own dates into this file, as comma-separated values
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,
    /// Print all warnings, not only the first of each kind
    #[arg(long)]
    all_warnings: bool,
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

/// The rules of Primavera for progress out of sequence.
#[derive(Clone, Copy, ValueEnum)]
enum Rule {
    /// The rest waits for the predecessors
    RetainedLogic,
    /// The rest continues at once
    ProgressOverride,
}

impl Import {
    fn options(&self) -> ImportOptions {
        let mut options = ImportOptions::default();
        options.projects.clone_from(&self.project);
        options.crews = self.crews;
        options.out_of_sequence = self.out_of_sequence.map(|rule| match rule {
            Rule::RetainedLogic => OutOfSequence::RetainedLogic,
            Rule::ProgressOverride => OutOfSequence::ProgressOverride,
        });
        options
    }
}

pub(crate) fn run(arguments: &Import) -> Result<(), Failure> {
    let mut schedule = read(&arguments.file, &arguments.options())?;
    let target = match &arguments.scenario {
        Some(path) => path.clone(),
        None => arguments.file.with_extension("toml"),
    };
    let review = schedule.review();
    let wrong = (review.findings.iter()).any(|finding| matches!(finding, Finding::Wrong(_)));
    let mut notes = warnings(&schedule, arguments);
    notes.extend(logic(&review.findings, arguments.all_warnings));
    // What makes it no schedule is reported in any case.
    if !notes.is_empty() && (wrong || !arguments.quiet) {
        say(&notes.join("\n"));
    }
    if wrong || (arguments.strict && !(notes.is_empty() && review.dates.differences.is_empty())) {
        say("error: nothing was written");
        return Err(Failure::Invalid);
    }
    if let Some(path) = &arguments.differences {
        let (folder, name) = folder_and_name(path)?;
        OutputFolder::new(folder)
            .overwrite(arguments.force)
            .write(&[OutputFile::new(name, review.dates.csv().into_bytes())])?;
    }
    let spread = spread(&mut schedule, &arguments.spread)?;
    schedule.set_project_factor(project_factor(arguments)?);
    let scenario = scenario(&schedule, &review, arguments);
    // What is written can be read: names and numbers of the schedule pass the same checks.
    scenario.compile()?;
    let text = format!("{}{}", heading(arguments), scenario.to_toml()?);
    let closing = review.dates.sentence();
    if target.as_os_str() == "-" {
        if !arguments.quiet {
            say(&closing);
        }
        return print(text.as_bytes());
    }
    let (folder, name) = folder_and_name(&target)?;
    OutputFolder::new(folder)
        .overwrite(arguments.force)
        .write(&[OutputFile::new(name, text.into_bytes())])?;
    if !arguments.quiet {
        let target = target.display();
        let mut left_out = left_out(&schedule);
        if !schedule.risks.is_empty() {
            left_out += "\nall durations vary together, too: see the risk \"project-wide factor\" (--no-project-factor leaves it out)";
        }
        say(&format!(
            "wrote {target}: {}, {}, {}; {spread}{left_out}\n{closing}\n\n  buildout schedule {target}\n  buildout run {target}",
            counted(schedule.activities.len(), ["activity", "activities"]),
            counted(schedule.calendars.len(), ["calendar", "calendars"]),
            counted(schedule.crews.len(), ["crew", "crews"]),
        ));
    }
    Ok(())
}

fn read(path: &Path, options: &ImportOptions) -> Result<Imported, Failure> {
    let bytes = buildout::disk::read_file(path).map_err(|error| Failure::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    import::read(&bytes, options).map_err(|error| Failure::Import {
        path: path.to_owned(),
        error,
    })
}

/// How many lines of one kind are shown.
const MOST_OF_A_KIND: usize = 10;

/// The warnings, of each topic the first ones.
fn warnings(schedule: &Imported, arguments: &Import) -> Vec<String> {
    let file = arguments.file.display();
    let mut counts: BTreeMap<Topic, usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for warning in &schedule.warnings {
        let count = counts.entry(warning.topic).or_default();
        *count += 1;
        if *count <= MOST_OF_A_KIND || arguments.all_warnings {
            lines.push(format!(
                "warning: {file}:{}: {}",
                warning.line, warning.message
            ));
        }
    }
    for (topic, count) in counts {
        if count > MOST_OF_A_KIND && !arguments.all_warnings {
            let more = count - MOST_OF_A_KIND;
            lines.push(format!(
                "warning: and {more} more about {} (--all-warnings shows them)",
                topic.words()
            ));
        }
    }
    lines
}

/// What is left out by design, in words.
fn left_out(schedule: &Imported) -> String {
    let parts: Vec<String> = (schedule.left_out.iter())
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    match parts.len() {
        0 => String::new(),
        _ => format!("\nleft out: {}", parts.join(", ")),
    }
}

/// What a scheduler would want to look at, in words.
fn logic(findings: &[Finding], all: bool) -> Vec<String> {
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
    let reported: Vec<&Finding> = findings.iter().filter(is_worth_telling).collect();
    let mut lines = Vec::new();
    let kinds: [fn(&Finding) -> bool; 4] = [
        |finding| matches!(finding, Finding::OpenStart(_)),
        |finding| matches!(finding, Finding::OpenEnd(_)),
        |finding| matches!(finding, Finding::NegativeFloat { .. }),
        |finding| {
            !matches!(
                finding,
                Finding::OpenStart(_) | Finding::OpenEnd(_) | Finding::NegativeFloat { .. }
            )
        },
    ];
    for is_kind in kinds {
        let of_kind: Vec<&Finding> = reported
            .iter()
            .copied()
            .filter(|one| is_kind(one))
            .collect();
        let most = if all { of_kind.len() } else { MOST_OF_A_KIND };
        lines.extend(of_kind.iter().take(most).map(|one| line(one)));
        if of_kind.len() > most {
            lines.push(format!(
                "logic: and {} more such activities (--all-warnings shows them)",
                of_kind.len() - most
            ));
        }
    }
    lines
}

/// Applies the rules, and says in words what they changed.
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

/// The factor on all durations together: none where everything is certain, or if none is wanted.
fn project_factor(arguments: &Import) -> Result<Option<ProjectFactor>, Failure> {
    let Some(path) = &arguments.reference_class else {
        let is_wanted = !arguments.spread.is_empty() && !arguments.no_project_factor;
        return Ok(is_wanted.then(ProjectFactor::default));
    };
    if path.as_os_str() == "published" {
        return Ok(Some(ProjectFactor::published()));
    }
    let text = buildout::disk::read_text(path).map_err(|error| Failure::Unreadable {
        path: path.clone(),
        error,
    })?;
    let factor = ProjectFactor::from_csv(&text).map_err(|error| Failure::Import {
        path: path.clone(),
        error,
    })?;
    Ok(Some(factor))
}

fn scenario(schedule: &Imported, review: &Review, arguments: &Import) -> Scenario {
    let horizon = (arguments.horizon_months).unwrap_or_else(|| review.horizon_months());
    let building = arguments.building.as_ref();
    let hall = building.zip(arguments.racks).zip(arguments.rack_power_kw);
    match hall {
        Some(((building, racks), power_kw)) => {
            let rack_type = RackType::new("rack", power_kw);
            let hall = Hall::new("hall", racks, &rack_type.name);
            schedule.to_building_scenario(building, hall, rack_type, horizon)
        }
        None => schedule.to_scenario(horizon),
    }
}

fn heading(arguments: &Import) -> String {
    let name = arguments.file.file_name().unwrap_or_default();
    // A name may hold a line break, which would end the comment.
    let name: String = (name.to_string_lossy().chars())
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("# Imported from {name}. Durations are working time of their calendars, in months.\n\n")
}
