//! The sites laid out: every activity, step and hand-over of all campuses as the nodes of one network,
//! and the names by which they refer to one another.

use std::collections::{BTreeMap, BTreeSet};

use crate::date::Date;
use crate::finance::books::{BuildingPlace, CompiledFinance, HallPlace, Places, Renters};
use crate::finance::{Capex, Finance};
use crate::policy::levers;
use crate::power::{BridgePower, ElectricalChain, Feed};
use crate::problem::{Path, Problems};
use crate::projection::Layout;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::scenario::Scenario;
use crate::schedule::network::{self, NetworkBuilder, NodeId, Presence};
use crate::schedule::risks::happens;
use crate::schedule::{Activity, Dependency, Details, Override, draw};
use crate::site::Campus;
use crate::site::{Beginning, Hall, PlannedBuilding, plan_buildings};
use crate::site::{Clause, Gate, Phase};
use crate::uncertain::{Domain, Uncertain};

use super::beginning::{Plan, Run};
use super::{Capacity, CompiledBridge, CompiledBuilding, CompiledChain, CompiledStep, Size};

/// The nodes of all campuses while the network is laid out.
pub(super) struct Sites<'a> {
    pub(super) network: NetworkBuilder,
    pub(super) campuses: Vec<CampusNodes>,
    pub(super) halls: Vec<HallNodes<'a>>,
    pub(super) buildings: Vec<BuildingNodes<'a>>,
    /// Dependencies whose names are resolved once all nodes exist.
    pub(super) links: Vec<Link>,
    /// Activities that mark themselves as milestones.
    pub(super) marked: Vec<(String, NodeId)>,
    /// Where each activity is written.
    pub(super) places: BTreeMap<String, Path>,
    pub(super) details: Details<'a>,
    pub(super) gates: Vec<GatePlan>,
    /// The buildings of the entry that is being laid out.
    pub(super) run: Option<Run>,
}

/// A phase that starts when conditions hold.
pub(super) struct GatePlan {
    pub(super) ready: NodeId,
    pub(super) campus: usize,
    pub(super) phase: usize,
}

impl GatePlan {
    pub(super) fn compile(&self, scenario: &Scenario, layout: &Layout) -> Gate {
        let phase = &scenario.campuses[self.campus].phases[self.phase];
        let conditions = phase.when.iter().map(|condition| Clause {
            scope: (condition.campus.as_deref())
                .and_then(|campus| layout.scope_index(campus))
                .unwrap_or(0),
            metric: layout.metric_index(&condition.metric).unwrap_or(0),
            at_least: condition.at_least.unwrap_or(f64::NEG_INFINITY),
            at_most: condition.at_most.unwrap_or(f64::INFINITY),
            for_months: condition.for_months as usize,
        });
        Gate {
            ready: self.ready,
            conditions: conditions.collect(),
            at_latest: (phase.at_latest).map_or(f64::INFINITY, |date| {
                date.months_after(scenario.start).floor() + 1.0
            }),
        }
    }
}

pub(super) struct CampusNodes {
    pub(super) grid: Vec<CompiledStep>,
    /// By step, what it adds to the import.
    pub(super) applied: Vec<Capacity>,
    pub(super) bridges: Vec<CompiledBridge>,
    pub(super) substations: Vec<(NodeId, Capacity)>,
    pub(super) buildings: Vec<CompiledBuilding>,
    pub(super) halls: std::ops::Range<usize>,
    pub(super) calendar: Option<u32>,
}

pub(super) struct BuildingNodes<'a> {
    pub(super) campus: usize,
    pub(super) planned: PlannedBuilding<'a>,
    pub(super) halls: std::ops::Range<usize>,
}

pub(super) struct HallNodes<'a> {
    pub(super) name: String,
    pub(super) plan: &'a Hall,
    pub(super) at: Path,
    pub(super) started: NodeId,
    pub(super) handover: NodeId,
    pub(super) ordered: NodeId,
    pub(super) feed: Feed,
    pub(super) building: usize,
    /// What must hold for its building to be built.
    pub(super) presence: Vec<Presence>,
    /// Whether it is planned from the beginning, rather than a wave of an expansion.
    pub(super) is_announced: bool,
    pub(super) compute_factor: Quantity,
}

pub(super) struct Link {
    pub(super) node: NodeId,
    /// Where the name is looked up, the innermost first: `campus/building/hall`, `campus/building`, `campus`.
    pub(super) scope: String,
    pub(super) dependency: Dependency,
    pub(super) at: Path,
}

pub(super) const NO_DATE: f64 = f64::NEG_INFINITY;
pub(super) const AT_ONCE: Quantity = Quantity::Fixed(0.0);
/// Later than any horizon, in months.
pub(super) const NEVER: f64 = 1e9;
/// Before anything starts, in months; what is added to it is not lost in an infinity.
pub(super) const LONG_AGO: f64 = -1e6;
/// Words that have a meaning of their own in a reference: "A1/start", "A1/live".
pub(super) const RESERVED: [(&str, &str); 2] = [
    (
        "start",
        "the moment at which a building or substation may start",
    ),
    ("live", "a building whose first racks are live"),
];

impl<'a> Sites<'a> {
    /// Adds all nodes. Without `inputs` nothing is drawn and durations are taken as 0.
    pub(super) fn lay_out(
        scenario: &'a Scenario,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) -> Self {
        let mut network = NetworkBuilder::default();
        let details = Details::new(
            scenario.start,
            scenario.horizon_months,
            &scenario.calendars,
            &scenario.crews,
            &mut network,
        );
        let mut sites = Self {
            network,
            details,
            gates: Vec::new(),
            run: None,
            campuses: Vec::new(),
            halls: Vec::new(),
            buildings: Vec::new(),
            links: Vec::new(),
            marked: Vec::new(),
            places: BTreeMap::new(),
        };
        for (position, campus) in scenario.campuses.iter().enumerate() {
            let at = Path::root().key("campuses").index(position);
            sites.lay_out_campus(scenario, position, campus, &at, inputs, problems);
        }
        sites
    }

    pub(super) fn lay_out_campus(
        &mut self,
        scenario: &'a Scenario,
        position: usize,
        campus: &'a Campus,
        at: &Path,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        let mut nodes = CampusNodes {
            grid: Vec::new(),
            applied: Vec::new(),
            bridges: Vec::new(),
            substations: Vec::new(),
            buildings: Vec::new(),
            halls: self.halls.len()..self.halls.len(),
            calendar: None,
        };
        let calendar = campus.calendar.as_ref().and_then(|wanted| {
            let at = at.key("calendar");
            self.details
                .calendar(wanted, &mut self.network, &at, problems)
        });
        nodes.calendar = calendar;
        self.lay_out_campus_works(scenario, position, campus, calendar, at, inputs, problems);
        self.lay_out_grid(scenario, campus, at, &mut nodes, inputs);
        for (substation_position, substation) in campus.substations.iter().enumerate() {
            let at = at.key("substations").index(substation_position);
            let name = format!("{}/{}", campus.name, substation.name);
            let plan = Plan {
                name: &name,
                starts: substation.starts,
                after: &substation.after,
                delay_months: &substation.delay_months,
                probability: substation.probability,
                class: substation.plan_class.as_deref(),
                scope: &campus.name,
                at: &at,
            };
            let begun = self.begin(scenario, &plan, format!("{name}/start"), inputs);
            let start = begun.start;
            let list = ActivityList {
                prefix: &name,
                starts_after: start,
                at: at.key("activities"),
                calendar,
                overrides: &[],
                within: String::new(),
            };
            let done = self.add_activities(&list, &substation.activities, inputs, problems);
            let energised = self.complete(name.clone(), start, &done);
            nodes.substations.push((
                energised,
                capacity(&name, &substation.power_mw, begun.size, inputs),
            ));
        }
        let planned = plan_buildings(
            &campus.buildings,
            &scenario.building_templates,
            &at.key("buildings"),
        );
        for planned in planned {
            self.lay_out_building(
                scenario, position, campus, planned, &mut nodes, inputs, problems,
            );
        }
        nodes.halls.end = self.halls.len();
        self.campuses.push(nodes);
    }

    /// Makes what starts at `node` happen with a probability, or never in a trial; what must hold for that.
    pub(super) fn may_happen(
        &mut self,
        node: NodeId,
        name: &str,
        probability: Option<f64>,
        inputs: &mut Option<Inputs>,
    ) -> Vec<Presence> {
        let Some(probability) = probability.filter(|probability| *probability < 1.0) else {
            return Vec::new();
        };
        let presence = Presence {
            of: chance(inputs, &format!("{name}/built"), probability),
            at_least: 1.0,
        };
        self.network.require(node, presence);
        vec![presence]
    }

    /// Work that is no activity of a list: a grid step, bridge power.
    pub(super) fn mark_as_work(&mut self, node: NodeId, name: String) {
        self.network.mark_as_work(node);
        self.details.works.push((name, node));
    }

    /// Adds the phases of a campus, and activities that belong to the campus as a whole.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn lay_out_campus_works(
        &mut self,
        scenario: &'a Scenario,
        position: usize,
        campus: &'a Campus,
        calendar: Option<u32>,
        at: &Path,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        for (phase_position, phase) in campus.phases.iter().enumerate() {
            let at = at.key("phases").index(phase_position);
            self.lay_out_phase(scenario, position, phase_position, phase, &at, inputs);
        }
        if campus.activities.is_empty() {
            return;
        }
        let start = self
            .network
            .add(format!("{}/start", campus.name), AT_ONCE, 0.0);
        let list = ActivityList {
            prefix: &campus.name,
            starts_after: start,
            at: at.key("activities"),
            calendar,
            overrides: &[],
            within: String::new(),
        };
        self.add_activities(&list, &campus.activities, inputs, problems);
    }

    pub(super) fn lay_out_phase(
        &mut self,
        scenario: &'a Scenario,
        campus: usize,
        position: usize,
        phase: &'a Phase,
        at: &Path,
        inputs: &mut Option<Inputs>,
    ) {
        let campus_name = &scenario.campuses[campus].name;
        let name = format!("{campus_name}/{}", phase.name);
        self.places.insert(name.clone(), at.clone());
        let plan = Plan {
            name: &name,
            starts: phase.starts,
            after: &phase.after,
            delay_months: &phase.delay_months,
            probability: phase.probability,
            class: None,
            scope: campus_name,
            at,
        };
        if phase.when.is_empty() {
            self.begin(scenario, &plan, name.clone(), inputs);
            return;
        }
        let ready = self.begin(scenario, &plan, format!("{name}/start"), inputs);
        let ready = ready.start;
        let node = self.network.add(name, AT_ONCE, NO_DATE);
        self.network.depend(node, ready, AT_ONCE);
        self.network.set_gate(node, self.gates.len() as u32);
        self.gates.push(GatePlan {
            ready,
            campus,
            phase: position,
        });
    }

    /// The steps of the grid connection, with their applications, and bridge power.
    pub(super) fn lay_out_grid(
        &mut self,
        scenario: &'a Scenario,
        campus: &'a Campus,
        at: &Path,
        nodes: &mut CampusNodes,
        inputs: &mut Option<Inputs>,
    ) {
        let mut applications = Vec::with_capacity(campus.grid_applications.len());
        for application in &campus.grid_applications {
            let name = format!("{}/{}", campus.name, application.name);
            let refused = chance(
                inputs,
                &format!("{name}/refused"),
                application.refusal_probability,
            )
            .times(Quantity::Fixed(NEVER))
            .unwrap_or(AT_ONCE);
            let node = self.network.add(name.clone(), refused, LONG_AGO);
            let share = &application.granted_share;
            let granted = draw(
                inputs,
                &format!("{name}/granted share"),
                share,
                Domain::SHARE,
            );
            applications.push((node, granted));
        }
        for (position, step) in campus.grid.iter().enumerate() {
            let at = at.key("grid").index(position);
            let name = format!("{}/{}", campus.name, step.name);
            let wait = draw(inputs, &name, &step.wait_months, Domain::NON_NEGATIVE);
            let class = step.plan_class.as_deref();
            let fate = self.fate(scenario, &name, class, step.probability, inputs);
            let wait = wait.times(fate.slip).unwrap_or(wait);
            let earliest = earliest_months(scenario, step.starts, &step.after);
            let energised = if step.slip_probability > 0.0 {
                let due = self.network.add(format!("{name}/due"), wait, earliest);
                let slips = chance(inputs, &format!("{name}/slips"), step.slip_probability);
                let slip = &step.slip_months;
                let slip = draw(inputs, &format!("{name}/slip"), slip, Domain::NON_NEGATIVE);
                let slip = slips.times(slip).unwrap_or(AT_ONCE);
                let energised = self.network.add(name, slip, NO_DATE);
                self.network.depend(energised, due, AT_ONCE);
                self.link(due, &campus.name, &step.after, &at);
                self.mark_as_work(due, format!("{}/{}", campus.name, step.name));
                (due, energised)
            } else {
                let node = self.network.add(name.clone(), wait, earliest);
                self.mark_as_work(node, name);
                self.link(node, &campus.name, &step.after, &at);
                (node, node)
            };
            let step_name = format!("{}/{}", campus.name, step.name);
            self.may_happen(energised.0, &step_name, fate.probability, inputs);
            let application = step.application.as_ref().and_then(|wanted| {
                let mut known = campus.grid_applications.iter();
                known.position(|application| &application.name == wanted)
            });
            if fate.delay != AT_ONCE {
                let now = self
                    .network
                    .add(format!("{step_name}/due/applied"), AT_ONCE, earliest);
                self.link(now, &campus.name, &step.after, &at);
                self.network.depend(energised.0, now, fate.delay);
            }
            let mut granted_share = Quantity::Fixed(1.0);
            if let Some(application) = application {
                let (node, granted) = applications[application];
                self.network.depend(energised.0, node, AT_ONCE);
                granted_share = granted;
            }
            let capacity = capacity(
                &step_name,
                &step.power_mw,
                Size::of_class(fate.size),
                inputs,
            );
            nodes.applied.push(capacity);
            let parts = step.parts().into_iter().map(|part| CompiledStep {
                energised: energised.1,
                part,
                capacity,
                granted_share,
            });
            nodes.grid.extend(parts);
        }
        for (position, bridge) in campus.bridge_power.iter().enumerate() {
            let at = at.key("bridge_power").index(position);
            nodes
                .bridges
                .push(self.lay_out_bridge(scenario, campus, bridge, &at, inputs));
        }
    }

    pub(super) fn lay_out_bridge(
        &mut self,
        scenario: &'a Scenario,
        campus: &'a Campus,
        bridge: &BridgePower,
        at: &Path,
        inputs: &mut Option<Inputs>,
    ) -> CompiledBridge {
        let name = format!("{}/{}", campus.name, bridge.name);
        let wait = draw(inputs, &name, &bridge.wait_months, Domain::NON_NEGATIVE);
        let earliest = earliest_months(scenario, bridge.starts, &bridge.after);
        let price = &bridge.price_per_mwh;
        let price = draw(
            inputs,
            &format!("{name}/price"),
            price,
            Domain::NON_NEGATIVE,
        );
        let works = self.network.add(name.clone(), wait, earliest);
        self.mark_as_work(works, name);
        self.link(works, &campus.name, &bridge.after, at);
        CompiledBridge {
            works,
            firm_kw: bridge.firm_kw(),
            permanent: bridge.permanent,
            carbon_g_per_kwh: bridge.carbon_g_per_kwh,
            price_per_mwh: price,
            battery: bridge.battery(),
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn lay_out_building(
        &mut self,
        scenario: &'a Scenario,
        campus_position: usize,
        campus: &'a Campus,
        planned: PlannedBuilding<'a>,
        nodes: &mut CampusNodes,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        let plan = planned.plan;
        let name = format!("{}/{}", campus.name, planned.name);
        let beginning = Plan {
            name: &name,
            starts: plan.starts,
            after: &plan.after,
            delay_months: &plan.delay_months,
            probability: plan.probability,
            class: plan.plan_class.as_deref(),
            scope: &campus.name,
            at: &planned.at,
        };
        let begun = self.begin_building(scenario, &planned, &beginning, inputs);
        let start = begun.start;
        let list = ActivityList {
            prefix: &name,
            starts_after: start,
            at: planned.activities_at.clone(),
            calendar: nodes.calendar,
            overrides: &plan.overrides,
            within: String::new(),
        };
        let done = self.add_activities(&list, planned.activities, inputs, problems);
        let complete = self.complete(name.clone(), start, &done);
        check_overrides(&planned, problems);
        let substation = plan.substation.as_ref().and_then(|wanted| {
            campus
                .substations
                .iter()
                .position(|substation| &substation.name == wanted)
        });
        let first_hall = self.halls.len();
        let building = nodes.buildings.len();
        let chain = planned
            .electrical
            .map(|chain| self.lay_out_chain(&name, chain, complete, &planned, inputs));
        nodes.buildings.push(CompiledBuilding {
            power_kw: match &plan.power_kw {
                Some(power) => draw(inputs, &format!("{name}/power"), power, Domain::POSITIVE),
                None => Quantity::Fixed(f64::INFINITY),
            },
            size: begun.size,
            halls: first_hall..first_hall + planned.halls.len(),
            chain,
            sold_per_fed: planned
                .oversubscription
                .and_then(|stated| stated.sold_per_fed().ok())
                .unwrap_or(1.0),
            relative_sd: planned.oversubscription.map(|stated| stated.relative_sd()),
        });
        for (position, hall) in planned.halls.iter().enumerate() {
            let hall_name = format!("{name}/{}", hall.name);
            let at = planned.halls_at.index(position);
            let list = ActivityList {
                prefix: &hall_name,
                starts_after: complete,
                at: at.key("activities"),
                calendar: nodes.calendar,
                overrides: &plan.overrides,
                within: format!("{}/", hall.name),
            };
            let mut own = self.add_activities(&list, &hall.activities, inputs, problems);
            own.push(complete);
            let handover = self.complete(hall_name.clone(), complete, &own);
            self.halls.push(HallNodes {
                name: hall_name,
                plan: hall,
                at,
                started: start,
                handover,
                ordered: done.first().copied().unwrap_or(start),
                feed: Feed {
                    building,
                    substation,
                },
                building: self.buildings.len(),
                presence: begun.presence.clone(),
                is_announced: !matches!(planned.begins, Beginning::Wave(_)),
                compute_factor: begun.compute_factor,
            });
        }
        self.buildings.push(BuildingNodes {
            campus: campus_position,
            planned,
            halls: first_hall..self.halls.len(),
        });
    }

    /// Adds the moments at which modules of a building's chain are energised.
    pub(super) fn lay_out_chain(
        &mut self,
        building: &str,
        chain: &ElectricalChain,
        complete: NodeId,
        planned: &PlannedBuilding<'_>,
        inputs: &mut Option<Inputs>,
    ) -> CompiledChain {
        let mut stages = vec![(complete, chain.modules)];
        for (position, stage) in chain.stages.iter().enumerate() {
            let at = planned.electrical_at.key("stages").index(position);
            let name = format!("{building}/{}", stage.name);
            let wait = draw(inputs, &name, &stage.wait_months, Domain::NON_NEGATIVE);
            let node = self.network.add(name.clone(), wait, NO_DATE);
            self.places.insert(name, at.clone());
            if stage.after.is_empty() {
                self.network.depend(node, complete, AT_ONCE);
            }
            self.link(node, building, &stage.after, &at);
            stages.push((node, stage.modules));
        }
        CompiledChain {
            stages,
            served_share: chain.availability().map_or(0.0, |share| share.served),
            tree: chain.delivery_tree().and_then(Result::ok),
            chain: chain.clone(),
        }
    }

    /// Adds a list of activities, each after the one before it unless it says otherwise.
    pub(super) fn add_activities(
        &mut self,
        list: &ActivityList<'_>,
        activities: &[Activity],
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) -> Vec<NodeId> {
        let mut done = Vec::with_capacity(activities.len());
        for (position, activity) in activities.iter().enumerate() {
            let at = list.at.index(position);
            if let Some((word, stands_for)) =
                RESERVED.iter().find(|(word, _)| *word == activity.name)
            {
                problems.error(
                    &at.key("name"),
                    format!("an activity is named \"{word}\""),
                    format!("that word stands for {stands_for}; use another name"),
                );
            }
            let overridden = list.overridden(activity);
            let activity = overridden.as_ref();
            let name = format!("{}/{}", list.prefix, activity.name);
            let duration = draw(
                inputs,
                &name,
                &activity.duration_months,
                Domain::NON_NEGATIVE,
            );
            let node = self.network.add(name.clone(), duration, NO_DATE);
            self.places.insert(name.clone(), at.clone());
            self.details.apply(
                activity,
                node,
                list.prefix,
                list.calendar,
                &mut self.network,
                &at,
                inputs,
                problems,
            );
            match &activity.after {
                None => {
                    let before = done.last().copied().unwrap_or(list.starts_after);
                    self.network.depend(node, before, AT_ONCE);
                }
                Some(after) => {
                    // Nor before the building begins, if it is only its end that has to wait.
                    if !after.iter().any(|after| after.kind().is_to_start()) {
                        self.network.depend(node, list.starts_after, AT_ONCE);
                    }
                    self.link(node, list.prefix, after, &at);
                }
            }
            if activity.milestone {
                self.marked.push((name, node));
            }
            done.push(node);
        }
        done
    }

    /// A moment at which all of `parts` have finished, and `start` too.
    pub(super) fn complete(&mut self, name: String, start: NodeId, parts: &[NodeId]) -> NodeId {
        let node = self.network.add(name, AT_ONCE, NO_DATE);
        self.network.depend(node, start, AT_ONCE);
        for &part in parts {
            self.network.depend(node, part, AT_ONCE);
        }
        node
    }

    pub(super) fn link(&mut self, node: NodeId, scope: &str, after: &[Dependency], at: &Path) {
        for (position, dependency) in after.iter().enumerate() {
            self.links.push(Link {
                node,
                scope: scope.to_owned(),
                dependency: dependency.clone(),
                at: at.key("after").index(position),
            });
        }
    }

    /// Resolves all references by name.
    pub(super) fn connect(
        &mut self,
        scenario: &Scenario,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        let mut lag_names = BTreeSet::new();
        for link in std::mem::take(&mut self.links) {
            let wanted = link.dependency.activity();
            let Some(predecessor) = self.find(&link.scope, wanted) else {
                let at = match &link.dependency {
                    Dependency::Finish(_) => link.at.clone(),
                    Dependency::Lagged(_) => link.at.key("activity"),
                };
                self.unknown(&link.scope, wanted, &at, problems);
                continue;
            };
            let mut lag_name = format!("{}/lag after {wanted}", self.network.name(link.node));
            // A ladder links two activities by their starts and by their ends, with a lag each.
            while !lag_names.insert(lag_name.clone()) {
                lag_name.push_str(", further");
            }
            let lag = draw(
                inputs,
                &lag_name,
                &link.dependency.lag_months(),
                Domain::ANY,
            );
            let lag_calendar = link.dependency.lag_calendar().and_then(|wanted| {
                let at = link.at.key("lag_calendar");
                self.details
                    .calendar(wanted, &mut self.network, &at, problems)
            });
            self.network.add_link(
                link.node,
                network::Link {
                    predecessor,
                    kind: link.dependency.kind(),
                    lag,
                    lag_calendar,
                },
            );
        }
        for position in 0..self.halls.len() {
            let hall = &self.halls[position];
            let Some(wanted) = &hall.plan.hardware_ordered_after else {
                continue;
            };
            let building = &self.buildings[hall.building];
            let scope = format!(
                "{}/{}/{}",
                scenario.campuses[building.campus].name, building.planned.name, hall.plan.name
            );
            match self.find(&scope, wanted) {
                Some(node) => self.halls[position].ordered = node,
                None => {
                    let at = hall.at.key("hardware_ordered_after");
                    self.unknown(&scope, wanted, &at, problems);
                }
            }
        }
    }

    /// Branches, risks and the status, which name activities of any campus.
    pub(super) fn detail(
        &mut self,
        scenario: &Scenario,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        self.details.branch(find_in, &mut self.network, problems);
        self.details
            .expose(&scenario.risks, &mut self.network, inputs, problems);
        for (position, lever) in scenario.levers.iter().enumerate() {
            if let Some(approvals) = lever.approvals.as_ref().filter(|_| !lever.is_off) {
                let source = format!("levers/{}/duration factor", lever.name);
                let factor = &approvals.duration_factor;
                let effect = network::Effect {
                    happens: Quantity::Fixed(1.0),
                    factor: draw(inputs, &source, factor, Domain::NON_NEGATIVE),
                    delay_months: Quantity::Fixed(0.0),
                };
                let at = Path::root().key("levers").index(position);
                let at = at.key("approvals").key("activities");
                let network = &mut self.network;
                self.details
                    .affect(&approvals.activities, effect, network, &at, problems);
            }
        }
        if let Some(status) = &scenario.status {
            self.details
                .report_status(status, &mut self.network, inputs, problems);
        }
    }

    /// Looks a name up in its scope, then in those around it.
    pub(super) fn find(&self, scope: &str, wanted: &str) -> Option<NodeId> {
        find_in(&self.network, scope, wanted)
    }

    pub(super) fn unknown(&self, scope: &str, wanted: &str, at: &Path, problems: &mut Problems) {
        // Names as they would be written from there: without what the scopes around share.
        let mut known: Vec<String> = Vec::new();
        for name in self
            .network
            .names()
            .filter(|name| !name.ends_with("/start"))
        {
            let mut inner = Some(scope);
            while let Some(prefix) = inner {
                if let Some(rest) = name
                    .strip_prefix(prefix)
                    .and_then(|rest| rest.strip_prefix('/'))
                {
                    known.push(rest.to_owned());
                    break;
                }
                inner = prefix.rsplit_once('/').map(|(outer, _)| outer);
            }
        }
        problems.error(
            at,
            format!("there is no activity, building or substation \"{wanted}\""),
            problems.name_help(wanted, known.iter().map(String::as_str)),
        );
    }

    /// Compiles what the scenario says of money.
    pub(super) fn finance(
        &self,
        scenario: &Scenario,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) -> Option<CompiledFinance> {
        let (finance, inputs) = (scenario.finance.as_ref()?, inputs.as_mut()?);
        let campuses: Vec<String> = scenario.campuses.iter().map(|c| c.name.clone()).collect();
        let buildings = (self.buildings.iter())
            .map(|building| BuildingPlace {
                campus: building.campus,
                scope: format!("{}/{}", campuses[building.campus], building.planned.name),
                names: [building.planned.name.as_str(), &building.planned.plan.name]
                    .into_iter()
                    .chain(building.planned.plan.template.as_deref())
                    .collect(),
                halls: building
                    .halls
                    .clone()
                    .map(|hall| HallPlace {
                        hall,
                        scope: self.halls[hall].name.clone(),
                        handover: self.halls[hall].handover,
                        ordered: self.halls[hall].ordered,
                    })
                    .collect(),
            })
            .collect();
        let places = Places {
            campuses: &campuses,
            settles_energy: (scenario.campuses.iter())
                .map(|campus| campus.energy.is_some())
                .collect(),
            states_energy: (scenario.campuses.iter())
                .map(|campus| {
                    let energy = campus.energy.as_ref();
                    energy.is_some_and(|energy| energy.price_per_mwh.constant() != Some(0.0))
                })
                .collect(),
            buildings,
            find: &|scope, wanted| self.find(scope, wanted),
        };
        let reported: Vec<&str> = scenario.segments.iter().map(|s| s.name.as_str()).collect();
        let mut names = reported.clone();
        let mut reported_as: Vec<usize> = (0..reported.len()).collect();
        for tenant in &scenario.tenants {
            if let Some(of) = reported.iter().position(|name| *name == tenant.segment) {
                names.push(&tenant.name);
                reported_as.push(of);
            }
        }
        let renters = Renters {
            names,
            reported_as,
            reported,
        };
        let months = scenario.horizon_months as usize;
        let terms = levers::money_terms(&scenario.levers);
        let finance = &self.with_mitigations(finance, scenario);
        match CompiledFinance::compile(finance, &terms, &places, &renters, months, inputs, problems)
        {
            Ok(finance) => Some(finance),
            Err(error) => {
                // Every quantity has been checked, so this says that a check is missing.
                problems.error(&Path::root().key("finance"), error.to_string(), "");
                None
            }
        }
    }

    /// What mitigations cost is capex at the start of the scenario, of the campus whose activities
    /// they protect.
    fn with_mitigations(&self, finance: &Finance, scenario: &Scenario) -> Finance {
        let mut finance = finance.clone();
        for risk in scenario.risks.iter().filter(|risk| risk.cost() > 0.0) {
            let mut capex = Capex::new(format!("mitigation of {}", risk.name), risk.cost());
            capex.campus = self.details.campus_of(risk).map(str::to_owned);
            finance.capex.push(capex);
        }
        finance
    }
}

/// Looks a name up in its scope, then in those around it.
pub(super) fn find_in(network: &NetworkBuilder, scope: &str, wanted: &str) -> Option<NodeId> {
    let mut scope = Some(scope);
    while let Some(inner) = scope {
        if let Some(node) = network.find(&format!("{inner}/{wanted}")) {
            return Some(node);
        }
        scope = inner.rsplit_once('/').map(|(outer, _)| outer);
    }
    network.find(wanted)
}

pub(super) struct ActivityList<'a> {
    pub(super) prefix: &'a str,
    pub(super) starts_after: NodeId,
    pub(super) at: Path,
    /// The calendar of activities that name none.
    pub(super) calendar: Option<u32>,
    pub(super) overrides: &'a [Override],
    /// What stands before the names of these activities in an override: "hall 1/".
    pub(super) within: String,
}

impl ActivityList<'_> {
    /// The activity with what the building says differently.
    pub(super) fn overridden<'b>(&self, activity: &'b Activity) -> std::borrow::Cow<'b, Activity> {
        let own = self
            .overrides
            .iter()
            .find(|one| one.activity.strip_prefix(&self.within) == Some(activity.name.as_str()));
        match own {
            Some(own) => std::borrow::Cow::Owned(own.applied_to(activity)),
            None => std::borrow::Cow::Borrowed(activity),
        }
    }
}

/// Reports overrides of activities that the building does not have.
pub(super) fn check_overrides(planned: &PlannedBuilding<'_>, problems: &mut Problems) {
    let own = planned
        .activities
        .iter()
        .map(|activity| activity.name.clone());
    let of_halls = planned.halls.iter().flat_map(|hall| {
        hall.activities
            .iter()
            .map(move |activity| format!("{}/{}", hall.name, activity.name))
    });
    let known: Vec<String> = own.chain(of_halls).collect();
    for (position, one) in planned.plan.overrides.iter().enumerate() {
        let at = planned.at.key("overrides").index(position).key("activity");
        let known = known.iter().map(String::as_str);
        crate::problem::check_known("activity", &one.activity, known, &at, problems);
    }
}

/// The date that is given; else the start of the scenario, unless there is something to wait for.
pub(super) fn earliest_months(
    scenario: &Scenario,
    date: Option<Date>,
    after: &[Dependency],
) -> f64 {
    match date {
        Some(date) => date.months_after(scenario.start),
        None if after.is_empty() => 0.0,
        None => NO_DATE,
    }
}

/// Facility power that is stated in MW.
fn capacity(name: &str, power_mw: &Uncertain, size: Size, inputs: &mut Option<Inputs>) -> Capacity {
    Capacity {
        mw: draw(inputs, &format!("{name}/power"), power_mw, Domain::POSITIVE),
        size,
    }
}

/// Registers whether something happens: 1 with the probability, 0 otherwise.
pub(super) fn chance(inputs: &mut Option<Inputs>, name: &str, probability: f64) -> Quantity {
    draw(inputs, name, &happens(probability), Domain::SHARE)
}
