//! Networks of any size for benches of schedules.

use buildout::sampling::streams::Source;
use buildout::schedule::Activity;
use buildout::schedule::calendars::Calendar;
use buildout::schedule::crews::{Crew, CrewNeed, CrewUnits};
use buildout::schedule::network::Network;
use buildout::site::Campus;
use buildout::{Date, Scenario};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum With {
    Dependencies,
    Calendar,
    Crews,
}

/// A layered network of three dependencies an activity.
pub(crate) fn network(count: usize, with: With) -> Network {
    let mut stream = Source::named("bench").stream(count as u64, 0);
    let durations: Vec<f64> = (0..count).map(|_| 0.1 + stream.uniform()).collect();
    let activities = durations.into_iter().enumerate().map(|(number, months)| {
        let mut activity = Activity::new(format!("activity {number}"), months);
        let mut after = Vec::new();
        for _ in 0..3 {
            let back = 1 + (stream.uniform() * 100.0) as usize;
            if let Some(before) = number.checked_sub(back) {
                after.push(format!("activity {before}").as_str().into());
            }
        }
        activity.after = Some(after);
        if with == With::Crews {
            let units = 1 + (stream.uniform() * 3.0) as u32;
            let need = CrewUnits::new("crew", units);
            activity.crews = vec![CrewNeed::Several(need)];
        }
        activity
    });
    let mut campus = Campus::new("campus").activities(activities);
    if with == With::Calendar {
        campus = campus.calendar("week");
    }
    let start = Date::month(2025, 1).expect("a date");
    let scenario = Scenario::new("bench", start, 240)
        .calendars([Calendar::five_days("week")])
        .crews([Crew::new("crew", 20)])
        .campuses([campus]);
    let model = scenario.compile().unwrap_or_else(|error| panic!("{error}"));
    model.network().clone()
}
