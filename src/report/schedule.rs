//! A schedule report for people and files: tables to read, comma-separated values, JSON.

use std::fmt::Write as _;

use super::OutputFile;
use super::table::{WIDTH, columns, one_line, paragraph};
use super::text::{MISSING, broken_behind, grouped, percent, whole_percent, wrapped};
use crate::analysis::schedule::{ActivityReport, LastStepKind, ScheduleReport};
use crate::projection::quoted;

/// The files of a schedule report, in the order of [`ScheduleReport::outputs`].
const NAMES: [&str; 4] = ["schedule.json", "schedule.csv", "schedule.txt", "gantt.svg"];
/// Drivers of an activity in the text.
const MOST_DRIVERS: usize = 4;
/// Chains in the text.
const MOST_PATHS: usize = 5;

/// The columns of [`ScheduleReport::csv`].
const CSV_COLUMNS: &str = "activity,plan_early_start,plan_early_finish,plan_late_start,plan_late_finish,\
total_float_months,free_float_months,start_p10,start_p50,start_p90,finish_p10,finish_p50,finish_p90,\
by_plan,mean_duration_months,criticality_index,cruciality,schedule_sensitivity_index,driven_by";

impl ScheduleReport {
    /// The names of the files that [`Self::outputs`] makes.
    pub fn output_names() -> &'static [&'static str] {
        &NAMES
    }

    /// The files: `schedule.json`, `schedule.csv`, `schedule.txt` and `gantt.svg`.
    pub fn outputs(&self) -> Result<Vec<OutputFile>, serde_json::Error> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        let contents = [
            json,
            self.csv().into_bytes(),
            self.text().into_bytes(),
            self.gantt_svg().into_bytes(),
        ];
        let files = NAMES.iter().zip(contents);
        Ok(files
            .map(|(name, contents)| OutputFile::new(*name, contents))
            .collect())
    }

    /// Comma-separated values, one line an activity: dates as days (a start is the day on which work
    /// begins, a finish the last day of work), floats in months, shares 0 to 1. What does not exist is empty.
    pub fn csv(&self) -> String {
        let mut text = format!("{CSV_COLUMNS}\n");
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let start = |months: Option<f64>| self.start_day(months).unwrap_or_default();
        let finish = |months: Option<f64>| self.finish_day(months).unwrap_or_default();
        for activity in &self.activities {
            let plan = &activity.plan;
            let mut fields = vec![quoted(&activity.name)];
            fields.extend([
                start(plan.early_start_months),
                finish(plan.early_finish_months),
                start(plan.late_start_months),
                finish(plan.late_finish_months),
            ]);
            fields.extend([plan.total_float_months, plan.free_float_months].map(number));
            fields.extend(activity.start_months.map(start));
            fields.extend(activity.finish_months.map(finish));
            fields.extend(
                [
                    Some(activity.by_plan),
                    Some(activity.mean_duration_months),
                    Some(activity.criticality_index),
                    activity.cruciality,
                    activity.schedule_sensitivity_index,
                ]
                .map(number),
            );
            let drivers = activity.driven_by.iter();
            let drivers: Vec<String> = drivers
                .map(|driver| format!("{} {}", driver.name, driver.share))
                .collect();
            fields.push(quoted(&drivers.join("; ")));
            text += &fields.join(",");
            text.push('\n');
        }
        text
    }

    /// What a scheduler reads: when the milestone comes, the dates and floats of all activities,
    /// what drives the milestone, and along which chains.
    pub fn text(&self) -> String {
        let name = one_line(&self.scenario);
        let milestone =
            (self.milestone.as_deref()).map_or("the end of all construction".into(), one_line);
        let day = |months: Option<f64>| self.day(months);
        let [early, middle, late] = self.finish_months.map(day);
        let answer = format!(
            "{milestone}: P50 {middle}, P10 {early}, P90 {late}\n\
             The plan (the medians, without waiting for crews) says {}; the probability to be done by then is {}.",
            day(self.planned_finish_months),
            percent(Some(self.by_plan)),
        );
        let mut parts = vec![format!(
            "{name}\n{}\n{} {}, seed {}\n\n{}",
            "=".repeat(name.chars().count().clamp(1, 100)),
            grouped(self.trials as f64, 0),
            if self.trials == 1 { "trial" } else { "trials" },
            self.seed,
            wrapped(&answer, WIDTH),
        )];
        parts.extend(self.last_before(&milestone));
        parts.push(self.drivers_table(&milestone));
        if !self.paths.is_empty() {
            parts.push(self.chains());
        }
        parts.extend(self.merges());
        parts.push(self.dates_table());
        parts.join("\n")
    }

    /// What the milestone waited for to the last: works, power or equipment.
    fn last_before(&self, milestone: &str) -> Option<String> {
        self.milestone.as_ref()?;
        let mut text = format!("What comes last before {milestone}\n\n");
        for step in self.last_steps.iter().take(MOST_DRIVERS) {
            let what = match step.kind {
                LastStepKind::Works => "works",
                LastStepKind::Power => "power",
                LastStepKind::Equipment => "equipment, ordered after",
            };
            let share = percent(Some(step.share));
            let named = format!("{what}: {}", one_line(&step.name));
            text += &broken_behind(&format!("{share:>8}  "), &named, WIDTH);
        }
        (!self.last_steps.is_empty()).then_some(text)
    }

    /// Dates of all activities, in the order of the scenario.
    fn dates_table(&self) -> String {
        let rows: Vec<Vec<String>> = (self.activities.iter())
            .map(|activity| {
                let day = |months: Option<f64>| self.day(months);
                let start = |months| self.start_day(months).unwrap_or_else(|| MISSING.to_owned());
                let plan = &activity.plan;
                let mut row = vec![one_line(&activity.name)];
                row.push(start(plan.early_start_months));
                row.push(day(plan.early_finish_months));
                row.push(start(activity.start_months[1]));
                row.extend(activity.finish_months.map(day));
                row.push(whole_percent(activity.by_plan));
                row
            })
            .collect();
        let heads = [
            "activity",
            "plan start",
            "plan finish",
            "start P50",
            "finish P10",
            "finish P50",
            "finish P90",
            "by plan",
        ];
        let lines = columns(&heads, &rows, &[7]);
        format!(
            "Dates: a start is the day on which work begins, a finish the last day of work\n\n{}",
            paragraph(&lines)
        )
    }

    /// What drives the milestone, what drives it most often first; what never does is counted.
    fn drivers_table(&self, milestone: &str) -> String {
        let mut driving: Vec<&ActivityReport> = (self.activities.iter())
            .filter(|activity| activity.criticality_index > 0.0)
            .collect();
        driving.sort_by(|a, b| b.criticality_index.total_cmp(&a.criticality_index));
        let rows: Vec<Vec<String>> = driving.iter().map(|a| self.drives(a)).collect();
        let heads = [
            "activity",
            "late finish",
            "float",
            "free",
            "drives",
            "cruciality",
            "sensitivity",
        ];
        let lines = columns(&heads, &rows, &[2, 3, 4, 5, 6]);
        let what = format!(
            "What drives {milestone}: late date and floats of the plan in months; how often it drives; \
             rank correlation of its duration with the date; schedule sensitivity index"
        );
        let mut text = format!("{}\n{}", wrapped(&what, WIDTH), paragraph(&lines));
        let others = self.activities.len() - driving.len();
        if others > 0 {
            let _ = writeln!(
                text,
                "\nLeft out: {}, never driving it.",
                if others == 1 {
                    "1 other activity".to_owned()
                } else {
                    format!("{} other activities", grouped(others as f64, 0))
                }
            );
        }
        text
    }

    fn drives(&self, activity: &ActivityReport) -> Vec<String> {
        let number = |value: Option<f64>, decimals| match value {
            Some(value) => grouped(value, decimals),
            None => MISSING.to_owned(),
        };
        vec![
            one_line(&activity.name),
            self.day(activity.plan.late_finish_months),
            number(activity.plan.total_float_months, 1),
            number(activity.plan.free_float_months, 1),
            percent(Some(activity.criticality_index)),
            number(activity.cruciality, 2),
            number(activity.schedule_sensitivity_index, 2),
        ]
    }

    /// Where several things are waited for, which of them to the last.
    fn merges(&self) -> Option<String> {
        let merging = |activity: &&ActivityReport| activity.driven_by.len() > 1;
        let mut text = String::from("Where paths merge: what is waited for to the last\n\n");
        for activity in self.activities.iter().filter(merging) {
            text += &broken_behind("", &one_line(&activity.name), WIDTH);
            for driver in activity.driven_by.iter().take(MOST_DRIVERS) {
                let share = percent(Some(driver.share));
                text += &broken_behind(&format!("{share:>8}  "), &one_line(&driver.name), WIDTH);
            }
        }
        self.activities
            .iter()
            .any(|activity| merging(&activity))
            .then_some(text)
    }

    fn chains(&self) -> String {
        let mut text = String::from("Chains that drive it, the most frequent first\n\n");
        for path in self.paths.iter().take(MOST_PATHS) {
            let names: Vec<String> = path.activities.iter().map(|name| one_line(name)).collect();
            let share = format!("{:>8}  ", percent(Some(path.share)));
            text += &broken_behind(&share, &names.join(" > "), WIDTH);
        }
        text
    }

    /// The day on which something begins, "2025-03-01".
    fn start_day(&self, months: Option<f64>) -> Option<String> {
        Some(self.start.day_of_start(months?)?.to_day_string())
    }

    /// The last day of something that is over then.
    fn finish_day(&self, months: Option<f64>) -> Option<String> {
        Some(self.start.day_of_finish(months?)?.to_day_string())
    }

    fn day(&self, months: Option<f64>) -> String {
        self.finish_day(months)
            .unwrap_or_else(|| MISSING.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::Scenario;

    const SCENARIO: &str = r#"
        name = "two works"
        start = "2025-01"
        horizon = "2 years"
        [[campuses]]
        name = "north"
        activities = [
          { name = "permit, all", duration_months = { uniform = [1, 3] } },
          { name = "road", duration_months = 4 },
          { name = "sign", duration_months = 1, after = ["permit, all"] },
        ]
    "#;

    #[cfg(feature = "files")]
    #[test]
    fn tables_and_values_say_dates_floats_and_drivers() {
        let model = Scenario::from_toml(SCENARIO).unwrap().compile().unwrap();
        let report = model.schedule_report(1, 500, None).unwrap();
        let text = report.text();
        for words in [
            "500 trials, seed 1",
            "says 2025-06-30",
            "north/permit, all > north/road",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
        let csv = report.csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[1].starts_with("\"north/permit, all\",2025-01-01,2025-02-28,"));
        // One month of work after the permit: three months before the road is done.
        let sign = "\"north/sign\",2025-03-01,2025-03-31,2025-06-01,2025-06-30,3,3,";
        assert!(lines[3].starts_with(sign), "{csv}");
        let commas = |line: &str| line.replace("permit, all", "permit").matches(',').count();
        assert!(
            lines.iter().all(|line| commas(line) == commas(lines[0])),
            "{csv}"
        );
        let files = report.outputs().unwrap();
        assert_eq!(files.len(), 4);
        let read: crate::analysis::schedule::ScheduleReport =
            serde_json::from_slice(&files[0].contents).unwrap();
        assert_eq!(read, report);
    }
}
