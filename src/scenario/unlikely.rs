//! What a scenario says that can be, but hardly is: a PUE of 3, a permit of 0 months.
//!
//! The bounds are assumptions, set well beyond what is published, so that whatever is warned of is
//! worth a second look.

use super::Scenario;
use crate::problem::{Path, Problems};
use crate::schedule::Activity;
use crate::site::Campus;
use crate::uncertain::{Domain, Uncertain};

/// The longest lead time published is four years.
const LONGEST_ACTIVITY_MONTHS: f64 = 120.0;
/// Words of works that take time wherever there are any.
const TAKES_TIME: [&str; 7] = [
    "permit",
    "shell",
    "fit-out",
    "construction",
    "transformer",
    "switchgear",
    "commissioning",
];

/// The median of a quantity, if it is one at all.
fn median(of: &Uncertain, domain: Domain) -> Option<f64> {
    of.median(domain)
}

fn unlikely(at: &Path, problems: &mut Problems, message: String, help: &str) {
    problems.warning(at, message, help);
}

impl Scenario {
    /// Warns of what is unlikely.
    pub(crate) fn check_likelihood(&self, problems: &mut Problems) {
        let root = Path::root();
        for (position, template) in self.building_templates.iter().enumerate() {
            let at = root.key("building_templates").index(position);
            check_activities(&template.activities, &at.key("activities"), problems);
            for (number, hall) in template.halls.iter().enumerate() {
                let at = at.key("halls").index(number).key("activities");
                check_activities(&hall.activities, &at, problems);
            }
        }
        for (position, campus) in self.campuses.iter().enumerate() {
            self.check_campus_likelihood(campus, &root.key("campuses").index(position), problems);
        }
    }

    fn check_campus_likelihood(&self, campus: &Campus, at: &Path, problems: &mut Problems) {
        for (position, step) in campus.grid.iter().enumerate() {
            let at = at.key("grid").index(position);
            check_duration(&step.wait_months, &at.key("wait_months"), problems);
            self.check_start(step.starts, &at, problems);
        }
        for (position, substation) in campus.substations.iter().enumerate() {
            let at = at.key("substations").index(position);
            check_activities(&substation.activities, &at.key("activities"), problems);
            self.check_start(substation.starts, &at, problems);
        }
        for (position, building) in campus.buildings.iter().enumerate() {
            let at = at.key("buildings").index(position);
            let own = building.activities.iter().flatten();
            for (number, activity) in own.enumerate() {
                check_activity(activity, &at.key("activities").index(number), problems);
            }
            self.check_start(building.starts, &at, problems);
        }
    }

    fn check_start(&self, starts: Option<crate::Date>, at: &Path, problems: &mut Problems) {
        let Some(starts) = starts else { return };
        if starts.months_after(self.start) >= f64::from(self.horizon_months) {
            unlikely(
                &at.key("starts"),
                problems,
                format!("it starts in {starts}, after the end of the horizon"),
                "a longer horizon, or leave it out",
            );
        }
    }
}

fn check_activities(activities: &[Activity], at: &Path, problems: &mut Problems) {
    for (position, activity) in activities.iter().enumerate() {
        check_activity(activity, &at.index(position), problems);
    }
}

fn check_activity(activity: &Activity, at: &Path, problems: &mut Problems) {
    let at = at.key("duration_months");
    let name = activity.name.to_lowercase();
    if activity.duration_months.constant() == Some(0.0)
        && TAKES_TIME.iter().any(|word| name.contains(word))
    {
        unlikely(
            &at,
            problems,
            format!("\"{}\" takes no time", activity.name),
            "its duration in months, if only a guess: { pert = [2, 3, 6] }",
        );
    }
    check_duration(&activity.duration_months, &at, problems);
}

fn check_duration(duration: &Uncertain, at: &Path, problems: &mut Problems) {
    if let Some(months) = median(duration, Domain::NON_NEGATIVE)
        && months > LONGEST_ACTIVITY_MONTHS
    {
        unlikely(
            at,
            problems,
            format!("{} months are more than ten years", rounded(months)),
            "a plain number counts months; write \"40 weeks\" for weeks",
        );
    }
}

fn rounded(x: f64) -> f64 {
    (x * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Date;
    use crate::problem::Severity;
    use crate::site::{Building, Hall};

    fn scenario() -> Scenario {
        let mut scenario = Scenario::new("one", Date::month(2025, 1).unwrap(), 36);
        scenario
            .rack_types
            .push(crate::compute::RackType::new("standard", 2.5));
        let mut building = Building::new("A1");
        building.activities = Some(vec![Activity::new("permit", 3.0)]);
        building.halls = Some(vec![Hall::new("hall", 10, "standard")]);
        let mut campus = Campus::new("north");
        campus.buildings.push(building);
        scenario.campuses.push(campus);
        scenario
    }

    #[test]
    fn what_is_unlikely_is_a_warning_with_its_place_and_compiles_all_the_same() {
        assert!(scenario().check().is_empty());
        type Change = fn(&mut Scenario);
        let cases: [(&str, &str, Change); 5] = [
            ("campuses[0].pue", "pue is 3", |s| {
                s.campuses[0].pue = Uncertain::Constant(3.0)
            }),
            ("campuses[0].availability", "0.5", |s| {
                s.campuses[0].availability = 0.5.into()
            }),
            (
                "campuses[0].buildings[0].activities[0].duration_months",
                "\"permit\" takes no time",
                |s| {
                    s.campuses[0].buildings[0].activities = Some(vec![Activity::new("permit", 0.0)])
                },
            ),
            ("campuses[0].buildings[0].starts", "after the end", |s| {
                s.campuses[0].buildings[0].starts = Date::month(2029, 1).ok();
            }),
            ("rack_types[0].power_kw", "2500", |s| {
                s.rack_types[0].power_kw = 2_500.0.into()
            }),
        ];
        for (path, words, change) in cases {
            let mut scenario = scenario();
            change(&mut scenario);
            let problems = scenario.check();
            assert_eq!(problems.len(), 1, "{problems}");
            let problem = problems.iter().next().unwrap();
            assert_eq!(problem.severity, Severity::Warning);
            assert_eq!(problem.path.to_string(), path);
            assert!(problem.message.contains(words), "{problem}");
            assert!(scenario.compile().is_ok());
        }
    }
}
