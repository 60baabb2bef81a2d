//! One trial replayed: its events in order of time, and its months.

use serde_json::{Value, json};

use super::Workspace;
use super::timeline::What;
use crate::date::Date;
use crate::model::Model;
use crate::projection::{TrialRow, number, quoted};
use crate::sampling::design::Sampling;
use crate::schedule::network::NodeId;

/// What an entry of a trial's log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A building or substation may begin.
    Started,
    /// An activity, or all that a building or hall consists of, is done.
    Finished,
    /// A step of the grid connection came.
    GridStep,
    /// Power that bridges the time until the grid comes was ready.
    BridgePower,
    /// A substation was energised.
    Energised,
    /// The space of a hall was handed over.
    HandedOver,
    /// A hall's equipment arrived.
    Delivered,
    /// A hall's equipment was taken out at the end of its life.
    Retired,
    /// A hall's equipment was replaced, after which it is live again.
    Refreshed,
    /// The first racks of a hall went live.
    Live,
    /// A milestone was reached.
    Milestone,
}

impl EventKind {
    /// Its word in logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Finished => "finished",
            Self::GridStep => "grid step",
            Self::BridgePower => "bridge power",
            Self::Energised => "energised",
            Self::HandedOver => "handed over",
            Self::Delivered => "equipment delivered",
            Self::Retired => "equipment retired",
            Self::Refreshed => "equipment renewed",
            Self::Live => "live",
            Self::Milestone => "milestone",
        }
    }
}

/// One entry of a trial's log.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// When, in months after the start of the scenario; before it below 0.
    pub months: f64,
    /// The kind of event.
    pub what: EventKind,
    /// To what, such as `Qingyang/A1/shell`.
    pub name: String,
}

/// One trial reported again; made by [`Model::replay`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Replay {
    /// The number of the trial.
    pub trial: u64,
    /// What was drawn for each input, by name.
    pub inputs: Vec<(String, f64)>,
    /// The events within the horizon, in order of time.
    pub events: Vec<LogEntry>,
    /// The results, as the batch gathered them.
    pub row: TrialRow,
}

impl Model {
    /// Runs one trial of a batch again and lists its events. Its results are, to the bit, those that
    /// the batch had: it is the same code on the same draws.
    pub fn replay(&self, sampling: &Sampling, trial: u64) -> Replay {
        let mut workspace = Workspace::default();
        let mut row = TrialRow::new(self.layout.clone());
        self.simulate_by(sampling, trial, &mut workspace, &mut row);
        let events = self.log(&workspace, &row);
        Replay {
            trial,
            inputs: (self.input_names().map(str::to_owned))
                .zip(workspace.drawn.iter().copied())
                .collect(),
            events,
            row,
        }
    }

    /// The start or finish that a node of the network is.
    fn event_of_node(&self, node: NodeId, workspace: &Workspace) -> (f64, EventKind, &str) {
        let months = workspace.finish[node.index()];
        let name = self.network.name(node);
        match name.strip_suffix("/start") {
            Some(name) => (months, EventKind::Started, name),
            None => (months, EventKind::Finished, name),
        }
    }

    fn log(&self, workspace: &Workspace, row: &TrialRow) -> Vec<LogEntry> {
        let hall_name = |hall: usize| self.network.name(self.halls[hall].handover);
        // Nodes that an event stands for are reported by it alone.
        let mut is_reported = vec![false; workspace.finish.len()];
        let mut of_events = Vec::with_capacity(workspace.events.len());
        for event in &workspace.events {
            let (node, what) = match event.what {
                What::GridStep { campus, step } => {
                    let part = &self.campuses[campus as usize].grid[step as usize];
                    (part.energised, EventKind::GridStep)
                }
                What::BridgePower { campus, bridge } => {
                    let plan = &self.campuses[campus as usize].bridges[bridge as usize];
                    (plan.works, EventKind::BridgePower)
                }
                What::Energised { campus, substation } => (
                    self.campuses[campus as usize].substations[substation as usize].0,
                    EventKind::Energised,
                ),
                What::HandedOver { hall } => {
                    (self.halls[hall as usize].handover, EventKind::HandedOver)
                }
                // Equipment that tenants bring is there from the start.
                What::Delivered { .. } if !event.months.is_finite() => continue,
                What::Delivered { hall } => {
                    of_events.push((event.months, EventKind::Delivered, hall_name(hall as usize)));
                    continue;
                }
                What::Retired { hall } => {
                    of_events.push((event.months, EventKind::Retired, hall_name(hall as usize)));
                    continue;
                }
                What::Refreshed { hall } => {
                    of_events.push((event.months, EventKind::Refreshed, hall_name(hall as usize)));
                    continue;
                }
                // The works of a stage are reported by their name.
                What::Modules { .. } => continue,
            };
            is_reported[node.index()] = true;
            of_events.push((event.months, what, self.network.name(node)));
        }
        let nodes = (self.network.nodes())
            .filter(|node| !is_reported[node.index()])
            .map(|node| self.event_of_node(node, workspace));
        let live = (workspace.halls.iter().enumerate())
            .map(|(hall, state)| (state.live, EventKind::Live, hall_name(hall)));
        let milestones = (row.milestones().iter().zip(&self.layout.milestones))
            .map(|(months, name)| (*months, EventKind::Milestone, name.as_str()));
        let mut events: Vec<LogEntry> = (nodes.chain(of_events).chain(live).chain(milestones))
            .filter(|(months, ..)| *months <= self.months as f64)
            .map(|(months, what, name)| LogEntry {
                months,
                what,
                name: name.to_owned(),
            })
            .collect();
        // Stable: of one moment, what causes stands before what it causes.
        events.sort_by(|a, b| a.months.total_cmp(&b.months));
        events
    }
}

impl Replay {
    /// The day of an event; what finishes at midnight has done so on the day before.
    fn date(&self, event: &LogEntry) -> Option<String> {
        let start = self.row.layout().start;
        let day = match event.what {
            EventKind::Finished | EventKind::Milestone => start.day_of_finish(event.months),
            _ => start.day_of_start(event.months),
        };
        day.map(Date::to_day_string)
    }

    /// The log to read: one line an event, with its date, its month and its name.
    pub fn log_text(&self) -> String {
        let mut text = String::new();
        for event in &self.events {
            let date = self.date(event);
            text += &format!(
                "{:<10}  {:>8.3}  {:<19}  {}\n",
                date.unwrap_or_default(),
                event.months,
                event.what.word(),
                event.name
            );
        }
        text
    }

    /// The months to read: what is deployable and in service, what waits, and what holds back, in total.
    pub fn months_text(&self) -> String {
        const SHOWN: [&str; 6] = [
            "standard_racks",
            "it_power_mw",
            "in_service_power_mw",
            "waiting_demand_mw",
            "installed_pflops",
            "contracts_signed",
        ];
        let layout = self.row.layout();
        let metrics: Vec<(usize, &str)> = (SHOWN.iter())
            .filter_map(|name| Some((layout.metric_index(name)?, *name)))
            .collect();
        let mut text = "month  ".to_owned();
        for (_, name) in &metrics {
            text += &format!("  {name:>19}");
        }
        text += "  binding\n";
        for (month, label) in layout.month_labels().iter().enumerate() {
            text += label;
            for (metric, _) in &metrics {
                text += &format!("  {:>19.1}", self.row.monthly(0, *metric)[month]);
            }
            let cause = usize::from(self.row.binding(0)[month]);
            let cause = layout.causes.get(cause).map_or("", String::as_str);
            text += &format!("  {cause}\n");
        }
        text
    }

    /// All months as comma-separated values: scope, metric, month and value, in the shortest form that
    /// reads back as the same double; empty for a number that does not exist.
    pub fn months_csv(&self) -> String {
        let layout = self.row.layout();
        let months = layout.month_labels();
        let mut text = "\"scope\",\"metric\",\"month\",\"value\"\n".to_owned();
        for (scope, scope_name) in layout.scopes.iter().enumerate() {
            let scope_name = quoted(scope_name);
            for (metric, label) in layout.metrics.iter().enumerate() {
                let name = quoted(&label.name);
                for (month, value) in months.iter().zip(self.row.monthly(scope, metric)) {
                    let value = number(*value);
                    text += &format!("{scope_name},{name},\"{month}\",{value}\n");
                }
            }
        }
        text
    }

    /// All of it as JSON:
    ///
    /// ```json
    /// {"trial": 4711, "inputs": {NAME: 7.25, …},
    ///  "events": [{"months": 3.5, "date": "2024-04-16", "what": "finished", "name": "Qingyang/A1/shell"}, …],
    ///  "months": ["2024-01", …],
    ///  "scopes": {"total": {"metrics": {NAME: [by month]}, "binding": [cause by month]}, …},
    ///  "milestones": {NAME: 8.25 or null}, "targets": {NAME: true}, "outcomes": {NAME: 1.5}}
    /// ```
    ///
    /// `null` stands for a milestone that is not reached, and for a number that does not exist.
    pub fn to_json(&self) -> Value {
        let layout = self.row.layout();
        let scopes: serde_json::Map<String, Value> = (layout.scopes.iter().enumerate())
            .map(|(scope, name)| {
                let metrics: serde_json::Map<String, Value> = (layout.metrics.iter().enumerate())
                    .map(|(metric, label)| {
                        (label.name.clone(), json!(self.row.monthly(scope, metric)))
                    })
                    .collect();
                let binding: Vec<Option<&String>> = (self.row.binding(scope).iter())
                    .map(|cause| layout.causes.get(usize::from(*cause)))
                    .collect();
                (
                    name.clone(),
                    json!({"metrics": metrics, "binding": binding}),
                )
            })
            .collect();
        let numbers = |names: &mut dyn Iterator<Item = &String>, values: &[f64]| -> Value {
            names
                .zip(values)
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect()
        };
        let events: Vec<Value> = (self.events.iter())
            .map(|event| {
                json!({
                    "months": event.months,
                    "date": self.date(event),
                    "what": event.what.word(),
                    "name": event.name,
                })
            })
            .collect();
        let inputs: serde_json::Map<String, Value> = (self.inputs.iter())
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let targets: serde_json::Map<String, Value> = (layout.targets.iter())
            .zip(self.row.targets())
            .map(|(target, met)| (target.name.clone(), json!(met)))
            .collect();
        json!({
            "trial": self.trial,
            "inputs": inputs,
            "events": events,
            "months": layout.month_labels(),
            "scopes": scopes,
            "milestones": numbers(&mut layout.milestones.iter(), self.row.milestones()),
            "targets": targets,
            "outcomes": numbers(
                &mut layout.outcomes.iter().map(|metric| &metric.name),
                self.row.outcomes(),
            ),
        })
    }
}

#[cfg(test)]
#[cfg(feature = "files")]
mod tests {
    use super::*;
    use crate::projection::{Projection, Provenance};
    use crate::sampling::design::Design;
    use crate::{Batch, Scenario};

    fn qingyang() -> Model {
        Scenario::from_path("examples/qingyang.toml")
            .unwrap()
            .compile()
            .unwrap()
    }

    /// A projection of replayed trials is that of the batch, so each trial's months are what the batch had.
    #[test]
    #[ignore = "slow"]
    fn replayed_trials_make_up_the_batch() {
        let model = qingyang();
        for design in [Design::Random, Design::SOBOL] {
            let batch = Batch::new(&model)
                .trial_range(4_700..4_720)
                .seed(3)
                .design(design)
                .run()
                .unwrap();
            let sampling = model.sampling(design, 3).unwrap();
            // Backwards, one by one: a replay depends on no other trial.
            let rows: Vec<TrialRow> = (4_700..4_720)
                .rev()
                .map(|trial| model.replay(&sampling, trial).row)
                .collect();
            let mut replayed = Projection::new(
                model.layout().clone(),
                Provenance {
                    design,
                    ..batch.provenance().clone()
                },
            )
            .unwrap();
            for (row, trial) in rows.into_iter().zip((4_700..4_720).rev()) {
                replayed
                    .absorb_into(design.replicate(trial), std::slice::from_ref(&row))
                    .unwrap();
            }
            assert_eq!(replayed.to_json(), batch.to_json());
        }
    }

    #[test]
    fn what_tenants_bring_is_not_reported_as_delivered() {
        let scenario = Scenario::from_path("examples/first.toml").unwrap();
        let model = scenario.compile().unwrap();
        let sampling = model.sampling(Design::Random, 1).unwrap();
        let events = model.replay(&sampling, 42).events;
        assert!(events.iter().any(|event| event.what == EventKind::Live));
        assert!(events.iter().all(|event| event.months.is_finite()));
        assert!(
            events
                .iter()
                .all(|event| event.what != EventKind::Delivered)
        );
    }

    #[test]
    fn the_log_tells_what_the_results_say() {
        let model = qingyang();
        let sampling = model.sampling(Design::Random, 3).unwrap();
        let replay = model.replay(&sampling, 4_711);
        let months = |what: EventKind, name: &str| {
            (replay.events.iter())
                .find(|event| event.what == what && event.name == name)
                .map(|event| event.months)
        };
        // A building is live when its first hall is.
        let live = months(EventKind::Live, "Qingyang/A1/hall");
        assert!(live.is_some());
        assert_eq!(months(EventKind::Milestone, "Qingyang/A1 live"), live);
        assert!(months(EventKind::Energised, "Qingyang/park substation") <= live);
        assert!(months(EventKind::Delivered, "Qingyang/A1/hall") <= live);
        assert!(months(EventKind::HandedOver, "Qingyang/A1/hall") <= live);
        // Activities take what was drawn for them.
        let drawn = |wanted: &str| {
            replay
                .inputs
                .iter()
                .find(|(name, _)| name == wanted)
                .unwrap()
                .1
        };
        let shell = months(EventKind::Finished, "Qingyang/A1/shell").unwrap();
        let permit = months(EventKind::Finished, "Qingyang/A1/permit").unwrap();
        assert_eq!(permit + drawn("Qingyang/A1/shell"), shell);
        assert!(replay.events.is_sorted_by_key(|event| event.months));
        assert_eq!(replay.log_text().lines().count(), replay.events.len());
        let months = replay.months_csv();
        let last = months.lines().last().unwrap();
        let binding = {
            let layout = replay.row.layout();
            let (scope, metric) = (layout.scopes.len() - 1, layout.metrics.len() - 1);
            replay.row.monthly(scope, metric)[131]
        };
        assert_eq!(last.rsplit(',').next().unwrap().parse(), Ok(binding));
        assert_eq!(replay.months_text().lines().count(), 133);
        let json = replay.to_json();
        assert_eq!(json["milestones"]["Qingyang/A1 live"], json!(live));
        assert_eq!(
            json["scopes"]["total"]["binding"].as_array().unwrap().len(),
            132
        );
    }
}
