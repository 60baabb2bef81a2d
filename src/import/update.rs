//! Progress that comes back: what an updated schedule, or a table, says has started and finished.

use std::collections::BTreeMap;

use super::table::Table;
use super::values::moment;
use super::{ImportError, Imported};
use crate::date::{Date, LastDay};
use crate::pattern::matches;
use crate::uncertain::Uncertain;

/// What is known of activities at a date.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StatusUpdate {
    /// The date at which it is known.
    pub as_of: Date,
    /// Whether what has begun out of its order waits for its predecessors, if the update says so.
    pub retained_logic: Option<bool>,
    /// What has begun.
    pub entries: Vec<StatusEntry>,
}

/// An activity that has begun.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StatusEntry {
    /// Its name; in a table it may hold * for any text.
    pub activity: String,
    /// Its code in the file, if it has one.
    pub code: String,
    /// When it started.
    pub started: Date,
    /// When it finished, if it has.
    pub finished: Option<Date>,
    /// What remains of it, if that is said.
    pub remaining: Option<Remaining>,
    /// When work that was suspended resumes.
    pub resumes: Option<Date>,
}

/// What remains of an activity.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Remaining {
    /// Working time in months, 0 or more.
    Months(f64),
    /// A duration with its unit, such as "3 weeks".
    Text(String),
}

/// An update on the names of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StatusMatch {
    /// What matched, by the names of the scenario, and the names in the update.
    pub entries: Vec<(String, StatusEntry)>,
    /// Names in the update that no activity of the scenario has.
    pub unknown: Vec<String>,
    /// Names in the update that several activities have.
    pub ambiguous: Vec<String>,
}

impl StatusUpdate {
    /// The progress of an imported schedule; none if it has no data date.
    pub fn from_schedule(schedule: &Imported) -> Option<Self> {
        let status = schedule.status.as_ref()?;
        let codes: BTreeMap<&str, &str> = (schedule.activities.iter().zip(&schedule.origins))
            .map(|(activity, origin)| (activity.name.as_str(), origin.code.as_str()))
            .collect();
        let entries = status.activities.iter().map(|one| StatusEntry {
            code: codes
                .get(one.activity.as_str())
                .map_or("", |code| code)
                .to_owned(),
            activity: one.activity.clone(),
            started: one.started,
            finished: one.finished.map(LastDay::date),
            remaining: (one.remaining_months.as_ref().and_then(Uncertain::constant))
                .map(Remaining::Months),
            resumes: one.resumes,
        });
        Some(Self {
            as_of: status.as_of,
            retained_logic: Some(status.retained_logic),
            entries: entries.collect(),
        })
    }

    /// Reads a table with the columns `activity`, `started`, `finished` and `remaining` (a duration with its unit, such as
    /// "3 weeks"); rows without a start say nothing, and a month of `finished` stands for its last day. Separators are commas,
    /// semicolons (where numbers may have a decimal comma) or tabs. Without `as_of` it is known at the last date of the table.
    pub fn from_csv(text: &str, as_of: Option<Date>) -> Result<Self, ImportError> {
        let table = Table::read(text, true)?;
        let (Some(activity), Some(started)) = (table.column("activity"), table.column("started"))
        else {
            return Err(ImportError::new(
                1,
                "the table needs the columns activity and started; finished and remaining may follow",
            ));
        };
        let (finished, remaining) = (table.column("finished"), table.column("remaining"));
        let mut entries = Vec::new();
        let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
        for (line, row) in table.rows() {
            let value = |column: Option<usize>| {
                column
                    .and_then(|at| row.get(at))
                    .filter(|text| !text.is_empty())
            };
            let date = |column| value(column).map(|text| day(text, line)).transpose();
            let last = |text: &str| match text.parse::<LastDay>() {
                Ok(day) => Ok(day.date()),
                Err(_) => moment(text, line),
            };
            let (Some(name), Some(started)) = (value(Some(activity)), date(Some(started))?) else {
                continue;
            };
            if let Some(before) = lines.insert(name, line) {
                return Err(ImportError::new(
                    line,
                    format!("\"{name}\" stands in line {before}, too: keep the row that is right"),
                ));
            }
            entries.push(StatusEntry {
                activity: name.to_owned(),
                code: String::new(),
                started,
                finished: value(finished).map(last).transpose()?,
                remaining: value(remaining).map(|text| Remaining::Text(text.to_owned())),
                resumes: None,
            });
        }
        let dates = entries
            .iter()
            .flat_map(|entry| [Some(entry.started), entry.finished]);
        let as_of = as_of.or(dates.flatten().max());
        let as_of = as_of.ok_or_else(|| {
            ImportError::new(1, "the table says of no activity that it has started")
        })?;
        Ok(Self {
            as_of,
            retained_logic: None,
            entries,
        })
    }

    /// Finds the activities of a scenario that the update names, of all activities with their campuses, such as
    /// "north/A1/shell". A name is sought as a whole ("A1/shell"), then as the last part of a name ("shell"), and then as
    /// the code that a name begins with.
    pub fn match_to<'a>(&self, activities: impl IntoIterator<Item = &'a str>) -> StatusMatch {
        let all: Vec<&str> = activities.into_iter().collect();
        let mut index: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for &name in &all {
            let within = within_campus(name);
            let last = within.rsplit_once('/').map_or(within, |(_, last)| last);
            let code = last.split_once(' ').map_or(last, |(code, _)| code);
            let mut keys = vec![within, last, code];
            keys.dedup();
            for key in keys {
                index.entry(key).or_default().push(name);
            }
        }
        let mut found = StatusMatch::default();
        for entry in &self.entries {
            if entry.activity.contains('*') {
                let meant: Vec<&&str> = all
                    .iter()
                    .filter(|name| matches(&entry.activity, name))
                    .collect();
                if meant.is_empty() {
                    found.unknown.push(entry.activity.clone());
                }
                found.entries.extend(
                    meant
                        .into_iter()
                        .map(|name| (within_campus(name).to_owned(), entry.clone())),
                );
                continue;
            }
            let code = Some(entry.code.as_str()).filter(|code| !code.is_empty());
            let candidates = [Some(entry.activity.as_str()), code].into_iter().flatten();
            let meant = candidates.into_iter().find_map(|key| index.get(key));
            match meant.map(Vec::as_slice) {
                Some([one]) => found
                    .entries
                    .push((within_campus(one).to_owned(), entry.clone())),
                Some(_) => found.ambiguous.push(entry.activity.clone()),
                None => found.unknown.push(entry.activity.clone()),
            }
        }
        found
    }
}

/// A moment, or the first day of a month.
fn day(text: &str, line: usize) -> Result<Date, ImportError> {
    text.parse().or_else(|_| moment(text, line))
}

fn within_campus(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, within)| within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_matched_by_name_last_part_code_and_pattern() {
        let text = "activity,started,finished,remaining\n\
                    A1/shell,2025-01-06,2025-03-01,\n\
                    A1010,2025-02-03,,3 weeks\n\
                    B*,2025-02-10,,\n\
                    fit-out,2025-02-10,,\n\
                    roof,2025-02-11,,\n\
                    later,,,\n";
        let update = StatusUpdate::from_csv(text, None).unwrap();
        assert_eq!(
            (update.as_of.to_string(), update.entries.len()),
            ("2025-03".into(), 5)
        );
        let names = [
            "north/A1/shell",
            "north/A1010 cables",
            "north/A1/fit-out",
            "north/A2/fit-out",
            "north/B1/a",
            "north/B2/b",
        ];
        let found = update.match_to(names);
        let matched: Vec<&str> = found
            .entries
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(matched, ["A1/shell", "A1010 cables", "B1/a", "B2/b"]);
        assert_eq!(
            found.entries[1].1.remaining,
            Some(Remaining::Text("3 weeks".into()))
        );
        assert_eq!(
            (found.ambiguous, found.unknown),
            (vec!["fit-out".to_owned()], vec!["roof".to_owned()])
        );
        let european = "activity;started;finished;remaining\n\
                        A1/shell;06.01.2025;2025-02;\nA1010;2025-02-03;;2,5 weeks\nB,5;2025-02;;\n";
        let update = StatusUpdate::from_csv(european, None).unwrap();
        assert_eq!(update.entries[0].started, "2025-01-06".parse().unwrap());
        assert_eq!(
            update.entries[0].finished,
            Some("2025-02-28".parse().unwrap())
        );
        assert_eq!(
            update.entries[1].remaining,
            Some(Remaining::Text("2.5 weeks".into()))
        );
        assert_eq!(update.entries[2].activity, "B,5");
        let twice = "activity,started,finished\nA,2025-01-06,2025-02-03\nA,2025-01-06,2025-02-07\n";
        let error = StatusUpdate::from_csv(twice, None).unwrap_err();
        assert_eq!(error.line, 3);
        assert!(error.message.contains("line 2, too"), "{error}");
        let error = StatusUpdate::from_csv("name,started\n", None).unwrap_err();
        assert!(error.message.contains("columns activity and started"));
        assert_eq!(
            StatusUpdate::from_csv("activity,started\na,soon\n", None)
                .unwrap_err()
                .line,
            2
        );
    }
}
