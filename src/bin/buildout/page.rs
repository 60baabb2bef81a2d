//! What a page shows beside the projection: the schedule, and what drives the first question.

use std::path::PathBuf;

use buildout::analysis::drivers::report::DriversReport;
use buildout::analysis::drivers::run::DriversRun;
use buildout::analysis::schedule::ScheduleReport;
use buildout::analysis::worth::report::WorthReport;
use buildout::analysis::worth::run::{Plan, WorthRun};
use buildout::file::Loaded;
use buildout::report::HtmlReport;
use buildout::sampling::design::Drawing;
use buildout::{Model, Projection, Scenario};

use crate::engine;

/// The Gantt chart is drawn from at most this many trials: enough for a picture.
const SCHEDULE_TRIALS: u64 = 2_000;

/// What drives the target that is the least sure is estimated from at most this many trials.
const ANALYSED_TRIALS: u64 = 5_000;

/// A scenario, with what trials of it say of schedule and drivers.
pub(crate) struct Analysed<'a> {
    pub(crate) loaded: &'a Loaded,
    schedule: Option<ScheduleReport>,
    pub(crate) drivers: Option<DriversReport>,
    /// What the plans beside it are worth.
    worth: Option<WorthReport>,
}

impl<'a> Analysed<'a> {
    pub(crate) fn new(
        model: &Model,
        loaded: &'a Loaded,
        drawing: &Drawing,
        trials: u64,
        threads: usize,
    ) -> Self {
        // Of no milestone in particular, so there is none that is not known.
        let schedule = model.schedule_report(drawing.clone(), trials.min(SCHEDULE_TRIALS), None);
        let search = || {
            DriversRun::new(model)
                .trials(trials.min(ANALYSED_TRIALS))
                .drawing(drawing.clone())
                .threads(threads)
        };
        // A target that all trials meet, or none, has no spread; what it asks about has. Where the trials are too few, the page
        // says nothing of it.
        let drivers = search().failures(true).run();
        let drivers = drivers.or_else(|error| match asked_measure(&loaded.scenario) {
            Some(measure) => search().of([measure]).run(),
            None => Err(error),
        });
        Self {
            loaded,
            schedule: schedule.ok(),
            drivers: drivers.ok(),
            worth: None,
        }
    }

    /// Also tells what other plans are worth beside this one. Where the trials do not tell, the page says nothing of it.
    pub(crate) fn beside<'p>(
        mut self,
        (name, model): (&str, &Model),
        others: impl IntoIterator<Item = (&'p str, &'p Model)>,
        (drawing, trials, threads): (&Drawing, u64, usize),
    ) -> Self {
        let others = others
            .into_iter()
            .map(|(name, model)| Plan::new(name, model));
        let worth = WorthRun::new(Plan::new(name, model), others.collect())
            .trials(trials.min(ANALYSED_TRIALS))
            .drawing(drawing.clone())
            .threads(threads)
            .run();
        self.worth = worth.ok();
        self
    }

    fn onto<'p>(&'p self, page: HtmlReport<'p>) -> HtmlReport<'p> {
        let mut page = page
            .scenario(&self.loaded.scenario)
            .inputs(&self.loaded.inputs);
        if let Some(schedule) = &self.schedule {
            page = page.schedule(schedule);
        }
        if let Some(drivers) = &self.drivers {
            page = page.drivers(drivers);
        }
        if let Some(worth) = &self.worth {
            page = page.worth(worth);
        }
        page
    }
}

/// What the first target asks about, as a measure: its metric at its date, or its milestone.
fn asked_measure(scenario: &Scenario) -> Option<String> {
    let target = scenario.targets.first()?;
    match (&target.metric, &target.milestone) {
        (Some(metric), _) => {
            let by = target.by.to_month_string();
            let campus = (target.campus.iter()).map(|campus| format!("{campus}/"));
            Some(format!("{}{metric}@{by}", campus.collect::<String>()))
        }
        (None, milestone) => milestone.clone(),
    }
}

/// The page of these runs, the first one first; none of no run.
pub(crate) fn page_of<'p>(
    runs: impl IntoIterator<Item = (&'p Projection, &'p Analysed<'p>)>,
) -> Option<HtmlReport<'p>> {
    runs.into_iter().fold(None, |page, (projection, analysed)| {
        let page = match page {
            None => HtmlReport::new(projection),
            Some(page) => HtmlReport::beside(page, projection),
        };
        Some(analysed.onto(page))
    })
}

/// The command that makes the page again, on any number of threads.
pub(crate) fn command_line(
    files: &[PathBuf],
    trials: u64,
    sampling: &engine::Sampling,
    set: &[(String, String)],
) -> String {
    let mut words = vec!["buildout".to_owned(), "report".to_owned()];
    words.extend(files.iter().map(|file| file.display().to_string()));
    words.extend(["--trials".to_owned(), trials.to_string()]);
    words.extend(sampling.words());
    for (key, value) in set {
        words.extend(["--set".to_owned(), format!("{key}={value}")]);
    }
    let quoted = words.iter().map(|word| {
        let is_plain = word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./=,:+%@".contains(c));
        if is_plain {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}
