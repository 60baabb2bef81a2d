//! What a scheduler wants to know of an imported schedule: whether it keeps the file's own dates, and whether its
//! logic is sound.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{ImportWarning, Imported, Topic};
use crate::date::{DAYS_PER_MONTH, Date};
use crate::projection::quoted;
use crate::scenario::Scenario;
use crate::schedule::cpm::CriticalPath;
use crate::schedule::network::{Network, NodeId};

/// Less than that, in months, is no missed deadline.
const ROUNDING_MONTHS: f64 = 1e-6;

/// Something that a scheduler would want to look at.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// Nothing comes before this activity.
    OpenStart(String),
    /// Nothing comes after this activity.
    OpenEnd(String),
    /// The activity has this many months of negative float: its early finish misses its deadline.
    NegativeFloat {
        /// The activity.
        activity: String,
        /// By how much it misses, in months, above 0.
        missed_by_months: f64,
    },
    /// Activities wait for one another in a circle, or something else that makes it no schedule.
    Wrong(String),
}

/// What a look at an imported schedule found; made by [`Imported::review`].
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Review {
    /// Open ends, missed deadlines, circles.
    pub findings: Vec<Finding>,
    /// The dates of the schedule against those of the file.
    pub dates: DateReview,
    /// When all has finished by the planned durations, in months from the month of the start.
    pub finish_months: f64,
}

/// The early dates of a schedule against the file's own, to the day. What has finished is left out of account.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct DateReview {
    /// How many activities have dates of their own in the file.
    pub compared: usize,
    /// How many of them keep these dates.
    pub kept: usize,
    /// Those that do not.
    pub differences: Vec<DateDifference>,
}

/// An activity that does not keep the file's own dates.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct DateDifference {
    /// The activity.
    pub activity: String,
    /// What it stands under.
    pub group: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// The day on which it starts, as the file has it.
    pub file_start: Option<Date>,
    /// The last day on which it is worked on, as the file has it.
    pub file_finish: Option<Date>,
    /// The day on which it starts by its durations, dependencies and calendars.
    pub start: Date,
    /// The last day on which it is worked on.
    pub finish: Date,
    /// By how many days the start or the finish is later than in the file, whichever is further off; below 0 for earlier.
    pub days: i64,
    /// Why.
    pub topic: Topic,
    /// Why, in words.
    pub because: String,
}

impl DateReview {
    /// The review in a sentence: "n of m activities keep the file's own early dates to the day; …".
    pub fn sentence(&self) -> String {
        if self.compared == 0 {
            return "no activity has a date of its own in the file to compare with".to_owned();
        }
        let mut text = format!(
            "{} of {} activities keep the file's own early dates to the day",
            self.kept, self.compared
        );
        if self.differences.is_empty() {
            return text;
        }
        let mut topics: BTreeMap<Topic, usize> = BTreeMap::new();
        for difference in &self.differences {
            *topics.entry(difference.topic).or_default() += 1;
        }
        let mut topics: Vec<(Topic, usize)> = topics.into_iter().collect();
        topics.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let most = self
            .differences
            .iter()
            .map(|one| one.days.abs())
            .max()
            .unwrap_or(0);
        let causes: Vec<String> = (topics.iter())
            .map(|(topic, count)| format!("{} ({count})", topic.words()))
            .collect();
        let (count, days) = (
            self.differences.len(),
            if most == 1 { "day" } else { "days" },
        );
        let _ = write!(
            text,
            "; {count} differ by up to {most} {days}, because of {}",
            causes.join(", ")
        );
        text
    }

    /// The activities that do not keep their dates as comma-separated values, one a line.
    pub fn csv(&self) -> String {
        let mut text =
            "activity,group,line,file_start,file_finish,start,finish,days,topic,because\n"
                .to_owned();
        let day =
            |date: Option<Date>| date.map_or_else(String::new, |date| date.civil().to_string());
        for one in &self.differences {
            let topic = serde_json::to_string(&one.topic).unwrap_or_default();
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{},{},{}",
                quoted(&one.activity),
                quoted(&one.group),
                one.line,
                day(one.file_start),
                day(one.file_finish),
                day(Some(one.start)),
                day(Some(one.finish)),
                one.days,
                topic.trim_matches('"'),
                quoted(&one.because),
            );
        }
        text
    }
}

impl Imported {
    /// Schedules the imported plan without uncertainty and without regard to crews, compares its dates with those of the
    /// file, and checks its logic: open ends, circles, and deadlines that early dates miss (negative float).
    pub fn review(&self) -> Review {
        let mut review = Review {
            findings: self.open_ends(),
            ..Review::default()
        };
        let scenario = self.to_scenario(1);
        let model = match scenario.compile() {
            Ok(model) => model,
            Err(error) => {
                review.findings.push(Finding::Wrong(error.to_string()));
                return review;
            }
        };
        let network = model.network();
        let path = network.critical_path(&model.planned_inputs(), None);
        let nodes = nodes_of(&scenario, network);
        review.finish_months = path.finish().max(0.0);
        for (activity, deadline) in &self.deadlines {
            let Some(&node) = nodes.get(activity.as_str()) else {
                continue;
            };
            // The whole of the deadline's day may be used.
            let by = deadline.day_of().months_after(self.start) + 1.0 / DAYS_PER_MONTH;
            let missed = path.early_finish(node) - by;
            if missed > ROUNDING_MONTHS {
                review.findings.push(Finding::NegativeFloat {
                    activity: activity.clone(),
                    missed_by_months: missed,
                });
            }
        }
        review.dates = self.review_dates(&nodes, &path);
        review
    }

    fn open_ends(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let waited_for: BTreeSet<&str> = (self.activities.iter())
            .flat_map(|activity| activity.after.iter().flatten())
            .map(crate::schedule::Dependency::activity)
            .collect();
        let is_first = |after: &Option<Vec<_>>| after.as_ref().is_none_or(Vec::is_empty);
        for activity in self
            .activities
            .iter()
            .filter(|activity| is_first(&activity.after))
        {
            findings.push(Finding::OpenStart(activity.name.clone()));
        }
        for activity in &self.activities {
            if !waited_for.contains(activity.name.as_str()) {
                findings.push(Finding::OpenEnd(activity.name.clone()));
            }
        }
        findings
    }

    fn review_dates(&self, nodes: &BTreeMap<&str, NodeId>, path: &CriticalPath) -> DateReview {
        let mut review = DateReview::default();
        let begun: BTreeMap<&str, bool> = (self.status.iter())
            .flat_map(|status| &status.activities)
            .map(|one| (one.activity.as_str(), one.finished.is_some()))
            .collect();
        let warned = self.first_warnings(|warning| warning.activity.as_deref());
        for (activity, origin) in self.activities.iter().zip(&self.origins) {
            let name = activity.name.as_str();
            let (Some(&node), progress) = (nodes.get(name), begun.get(name).copied()) else {
                continue;
            };
            let is_start_needed = progress.is_none()
                && !(activity.milestone && is_moment(activity) && !origin.is_start_milestone);
            let is_finish_needed = !origin.is_start_milestone;
            let file_start = origin.start.filter(|_| is_start_needed).map(Date::day_of);
            let file_finish = origin
                .finish
                .filter(|_| is_finish_needed)
                .map(Date::last_day);
            if progress == Some(true) || (file_start.is_none() && file_finish.is_none()) {
                continue;
            }
            let Some((start, finish)) = self.days_of(node, path) else {
                continue;
            };
            review.compared += 1;
            let late =
                |file: Option<Date>, own: Date| file.map_or(0, |file| days_between(file, own));
            let [by_start, by_finish] = [late(file_start, start), late(file_finish, finish)];
            let days = match by_finish.abs() > by_start.abs() {
                true => by_finish,
                false => by_start,
            };
            if days == 0 {
                review.kept += 1;
                continue;
            }
            let (topic, because) = match warned.get(name) {
                Some((topic, message)) => (*topic, (*message).to_owned()),
                None => self.cause_of(file_start.or(file_finish), progress.is_some() && days > 0),
            };
            review.differences.push(DateDifference {
                activity: name.to_owned(),
                group: origin.group.clone(),
                line: origin.line,
                file_start,
                file_finish,
                start,
                finish,
                days,
                topic,
                because,
            });
        }
        self.blame_predecessors(&mut review);
        self.blame_calendars(&mut review);
        review
    }

    /// The first and the last day of an activity along a path.
    fn days_of(&self, node: NodeId, path: &CriticalPath) -> Option<(Date, Date)> {
        let start = self.start.minute_after(path.early_start(node))?;
        let finish = self.start.minute_after(path.early_finish(node))?;
        Some((start.day_of(), finish.last_day()))
    }

    /// The first warning of each name that warnings are about.
    fn first_warnings<'a>(
        &'a self,
        about: impl Fn(&'a ImportWarning) -> Option<&'a str>,
    ) -> BTreeMap<&'a str, (Topic, &'a str)> {
        let mut warned: BTreeMap<&str, (Topic, &str)> = BTreeMap::new();
        for warning in &self.warnings {
            if let Some(name) = about(warning) {
                let first = (warning.topic, warning.message.as_str());
                warned.entry(name).or_insert(first);
            }
        }
        warned
    }

    /// Why a date of the file differs, where there is no warning that says it; `is_late` of what has begun and finishes later.
    fn cause_of(&self, of_file: Option<Date>, is_late: bool) -> (Topic, String) {
        let status = self.status.as_ref();
        let as_of = status.map(|status| status.as_of.day_of());
        let is_held = as_of.zip(of_file).is_some_and(|(as_of, file)| file < as_of);
        // Without retained logic nothing but the data date delays the rest of what has begun.
        let waits_for_nothing = status.is_some_and(|status| !status.retained_logic);
        let (topic, because) = match is_held {
            true => (
                Topic::DataDate,
                "it was planned before the data date, and has not been done",
            ),
            false if is_late && waits_for_nothing => (
                Topic::DataDate,
                "some of what remains was planned before the data date",
            ),
            false => (
                Topic::Unexplained,
                "its durations, dependencies and calendars do not give the file's dates",
            ),
        };
        (topic, because.to_owned())
    }

    /// What has no cause of its own, but waits for something that differs, differs because of that.
    fn blame_predecessors(&self, review: &mut DateReview) {
        let differing: BTreeSet<String> = review
            .differences
            .iter()
            .map(|one| one.activity.clone())
            .collect();
        let after: BTreeMap<&str, &[crate::schedule::Dependency]> = (self.activities.iter())
            .map(|activity| {
                (
                    activity.name.as_str(),
                    activity.after.as_deref().unwrap_or_default(),
                )
            })
            .collect();
        let unexplained = review
            .differences
            .iter_mut()
            .filter(|one| one.topic == Topic::Unexplained);
        for one in unexplained {
            let mut before = after
                .get(one.activity.as_str())
                .into_iter()
                .flat_map(|after| after.iter());
            if let Some(cause) = before.find(|before| differing.contains(before.activity())) {
                one.topic = Topic::Predecessor;
                one.because = format!("it waits for \"{}\", whose dates differ", cause.activity());
            }
        }
    }

    /// What still has no cause, but works by a calendar that was warned of, differs because of that.
    fn blame_calendars(&self, review: &mut DateReview) {
        let doubted = self.first_warnings(|warning| warning.calendar.as_deref());
        let cause = |activity: &crate::schedule::Activity| {
            let (_, message) = doubted.get(activity.calendar.as_deref()?)?;
            Some((activity.name.clone(), *message))
        };
        let causes: BTreeMap<String, &str> = self.activities.iter().filter_map(cause).collect();
        for one in &mut review.differences {
            if let Some(message) = causes.get(&one.activity)
                && one.topic == Topic::Unexplained
            {
                one.topic = Topic::Calendar;
                one.because = (*message).to_owned();
            }
        }
    }
}

fn is_moment(activity: &crate::schedule::Activity) -> bool {
    activity.duration_months.constant() == Some(0.0)
}

fn days_between(from: Date, to: Date) -> i64 {
    let span = from.civil().until(to.civil());
    span.map_or(0, |span| i64::from(span.get_days()))
}

/// The nodes of the activities by their names on the one campus.
fn nodes_of<'a>(scenario: &Scenario, network: &'a Network) -> BTreeMap<&'a str, NodeId> {
    let campus = scenario
        .campuses
        .first()
        .map_or("", |campus| campus.name.as_str());
    let own = network.nodes().filter_map(|node| {
        let name = network.name(node).strip_prefix(campus)?.strip_prefix('/')?;
        Some((name, node))
    });
    own.collect()
}
