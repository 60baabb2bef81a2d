//! Networks of any size for benches of schedules.

use std::sync::Arc;

use buildout::sampling::inputs::Quantity::Fixed;
use buildout::sampling::streams::Source;
use buildout::schedule::calendars::Calendar;
use buildout::schedule::crews::CrewSupply;
use buildout::schedule::network::{Network, NetworkBuilder, NodeId};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum With {
    Dependencies,
    Calendar,
    Crews,
}

/// A layered network of three dependencies an activity.
pub(crate) fn network(count: usize, with: With) -> Network {
    let mut stream = Source::named("bench").stream(count as u64, 0);
    let mut builder = NetworkBuilder::default();
    let start = "2025-01".parse().expect("a date");
    let calendar = (with == With::Calendar)
        .then(|| builder.add_calendar(Arc::new(Calendar::five_days("week").compile(start, 240))));
    let crew = builder.add_crew(CrewSupply::new(20, []));
    let ids: Vec<NodeId> = (0..count)
        .map(|number| {
            let duration = Fixed(0.1 + stream.uniform());
            builder.add(format!("activity {number}"), duration, f64::NEG_INFINITY)
        })
        .collect();
    for (number, &id) in ids.iter().enumerate() {
        builder.set_calendar(id, calendar);
        for _ in 0..3 {
            let back = 1 + (stream.uniform() * 100.0) as usize;
            if let Some(before) = number.checked_sub(back) {
                builder.depend(id, ids[before], Fixed(0.0));
            }
        }
        if with == With::Crews {
            builder.needs_crew(id, crew, 1 + (stream.uniform() * 3.0) as u32);
        }
    }
    builder.build().expect("no circle")
}
