//! Campuses laid out: every activity, step and hand-over of all of them as the nodes of one network.

use super::beginning::Run;
use super::compiled::{CompiledBuilding, NO_LIMIT};
use super::{Building, BuildingBegins, BuildingTemplate, Campus, Hall, Phase};
use super::{PlannedBuilding, plan_buildings};
use crate::power::{Capacity, CompiledBridge, Connection, Feed};
use crate::problem::{Path, check_known};
use crate::sampling::inputs::Quantity;
use crate::schedule::compiler::{AT_ONCE, Compiler, NO_DATE};
use crate::schedule::network::{NodeId, Presence};
use crate::schedule::{ActivityList, Beginning};

/// All campuses, while a scenario is compiled.
#[derive(Default)]
pub(crate) struct Sites<'a> {
    pub(crate) campuses: Vec<CampusNodes<'a>>,
    pub(crate) halls: Vec<HallNodes<'a>>,
    pub(crate) buildings: Vec<BuildingNodes<'a>>,
    /// Phases that start when conditions hold.
    pub(crate) gates: Vec<GateNode<'a>>,
    /// The buildings of the entry that is being laid out.
    run: Option<Run>,
}

pub(crate) struct CampusNodes<'a> {
    pub(crate) campus: &'a Campus,
    pub(crate) connection: Connection,
    pub(crate) bridges: Vec<CompiledBridge>,
    pub(crate) substations: Vec<(NodeId, Capacity)>,
    pub(crate) buildings: Vec<CompiledBuilding>,
    pub(crate) halls: std::ops::Range<usize>,
    calendar: Option<u32>,
}

pub(crate) struct BuildingNodes<'a> {
    pub(crate) campus: usize,
    pub(crate) planned: PlannedBuilding<'a>,
    pub(crate) halls: std::ops::Range<usize>,
}

pub(crate) struct HallNodes<'a> {
    pub(crate) name: String,
    pub(crate) plan: &'a Hall,
    pub(crate) started: NodeId,
    pub(crate) handover: NodeId,
    pub(crate) ordered: NodeId,
    pub(crate) feed: Feed,
    pub(crate) building: usize,
    /// What must hold for its building to be built.
    pub(crate) presence: Vec<Presence>,
    /// Whether it is planned from the beginning, rather than a wave of an expansion.
    pub(crate) is_announced: bool,
    pub(crate) compute_factor: Quantity,
    at: Path,
}

/// A phase that starts when conditions hold.
pub(crate) struct GateNode<'a> {
    /// When all that it is after has finished.
    pub(crate) ready: NodeId,
    pub(crate) phase: &'a Phase,
}

impl<'a> Sites<'a> {
    /// Adds all nodes of the campuses.
    pub(crate) fn compile(
        campuses: &'a [Campus],
        templates: &'a [BuildingTemplate],
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let mut sites = Self::default();
        for (position, campus) in campuses.iter().enumerate() {
            compiler.item("campuses", position, |compiler| {
                sites.add_campus(campus, templates, compiler);
            });
        }
        sites
    }

    fn add_campus(
        &mut self,
        campus: &'a Campus,
        templates: &'a [BuildingTemplate],
        compiler: &mut Compiler<'_>,
    ) {
        let calendar =
            (campus.calendar.as_ref()).and_then(|wanted| compiler.calendar(wanted, "calendar"));
        for (position, phase) in campus.phases.iter().enumerate() {
            compiler.item("phases", position, |compiler| {
                self.add_phase(campus, phase, compiler);
            });
        }
        add_works(campus, calendar, compiler);
        let mut nodes = CampusNodes {
            campus,
            connection: Connection::compile(
                &campus.grid_applications,
                &campus.grid,
                &campus.name,
                compiler,
            ),
            bridges: Vec::new(),
            substations: Vec::new(),
            buildings: Vec::new(),
            halls: self.halls.len()..self.halls.len(),
            calendar,
        };
        for (position, bridge) in campus.bridge_power.iter().enumerate() {
            let bridge = compiler.item("bridge_power", position, |compiler| {
                bridge.compile(&campus.name, compiler)
            });
            nodes.bridges.push(bridge);
        }
        for (position, substation) in campus.substations.iter().enumerate() {
            let substation = compiler.item("substations", position, |compiler| {
                substation.compile(&campus.name, calendar, compiler)
            });
            nodes.substations.push(substation);
        }
        let buildings_at = compiler.at.key("buildings");
        for planned in plan_buildings(&campus.buildings, templates, &buildings_at) {
            compiler.placed(planned.at.clone(), |compiler| {
                self.add_building(planned, &mut nodes, compiler);
            });
        }
        nodes.halls.end = self.halls.len();
        self.campuses.push(nodes);
    }

    fn add_phase(&mut self, campus: &'a Campus, phase: &'a Phase, compiler: &mut Compiler<'_>) {
        let name = format!("{}/{}", campus.name, phase.name);
        compiler.note_place(name.clone());
        let beginning = Beginning {
            name: &name,
            starts: phase.starts,
            after: &phase.after,
            delay_months: &phase.delay_months,
            probability: phase.probability,
            class: None,
            scope: &campus.name,
        };
        if phase.when.is_empty() {
            beginning.compile(name.clone(), compiler);
            return;
        }
        let ready = beginning.compile(format!("{name}/start"), compiler).start;
        let network = &mut compiler.network;
        let node = network.add(name, AT_ONCE, NO_DATE);
        network.depend(node, ready, AT_ONCE);
        network.set_gate(node, self.gates.len() as u32);
        self.gates.push(GateNode { ready, phase });
    }

    fn add_building(
        &mut self,
        planned: PlannedBuilding<'a>,
        nodes: &mut CampusNodes<'a>,
        compiler: &mut Compiler<'_>,
    ) {
        let (plan, campus) = (planned.plan, nodes.campus);
        let name = format!("{}/{}", campus.name, planned.name);
        let beginning = planned.beginning(&name, &campus.name);
        if planned.number == 0 {
            compiler.warn_of_late_start(plan.starts);
        }
        let begun = planned.begin(&beginning, &mut self.run, compiler);
        let start = begun.start;
        let list = ActivityList {
            prefix: &name,
            starts_after: start,
            at: planned.activities_at.clone(),
            calendar: nodes.calendar,
            overrides: &plan.overrides,
            within: String::new(),
        };
        let done = list.compile(planned.activities, compiler);
        let complete = compiler.complete(name.clone(), start, &done);
        planned.check_overrides(compiler);
        let first_hall = self.halls.len();
        let halls = first_hall..first_hall + planned.halls.len();
        let building =
            CompiledBuilding::compile(&planned, &name, complete, begun.size, halls, compiler);
        let feed = Feed {
            building: nodes.buildings.len(),
            substation: substation_of(plan, campus),
        };
        nodes.buildings.push(building);
        let ordered = done.first().copied().unwrap_or(start);
        for (position, hall) in planned.halls.iter().enumerate() {
            let at = planned.halls_at.index(position);
            let handover = add_hall(hall, &at, &name, complete, &planned, nodes, compiler);
            self.halls.push(HallNodes {
                name: format!("{name}/{}", hall.name),
                plan: hall,
                at,
                started: start,
                handover,
                ordered,
                feed,
                building: self.buildings.len(),
                presence: begun.presence.clone(),
                is_announced: !matches!(planned.begins, BuildingBegins::Wave(_)),
                compute_factor: begun.compute_factor,
            });
        }
        self.buildings.push(BuildingNodes {
            campus: self.campuses.len(),
            planned,
            halls: first_hall..self.halls.len(),
        });
    }

    /// Resolves all references by name, once all nodes exist.
    pub(crate) fn connect(&mut self, compiler: &mut Compiler<'_>) {
        compiler.connect();
        for hall in &mut self.halls {
            let Some(wanted) = &hall.plan.hardware_ordered_after else {
                continue;
            };
            match compiler.find(&hall.name, wanted) {
                Some(node) => hall.ordered = node,
                None => {
                    let at = hall.at.key("hardware_ordered_after");
                    compiler.unknown(&hall.name, wanted, &at);
                }
            }
        }
    }

    /// The name of a building's campus.
    pub(crate) fn campus_of(&self, building: &BuildingNodes<'a>) -> &'a str {
        &self.campuses[building.campus].campus.name
    }

    /// All buildings, compiled.
    pub(crate) fn compiled_buildings(&self) -> impl Iterator<Item = &CompiledBuilding> {
        self.campuses.iter().flat_map(|campus| &campus.buildings)
    }
}

/// Adds activities that belong to a campus as a whole.
fn add_works(campus: &Campus, calendar: Option<u32>, compiler: &mut Compiler<'_>) {
    if campus.activities.is_empty() {
        return;
    }
    let name = format!("{}/start", campus.name);
    let list = ActivityList {
        prefix: &campus.name,
        starts_after: compiler.network.add(name, AT_ONCE, 0.0),
        at: compiler.at.key("activities"),
        calendar,
        overrides: &[],
        within: String::new(),
    };
    list.compile(&campus.activities, compiler);
}

/// Adds the activities of a hall, and the moment at which it is handed over.
fn add_hall(
    hall: &Hall,
    at: &Path,
    building: &str,
    complete: NodeId,
    planned: &PlannedBuilding<'_>,
    nodes: &CampusNodes<'_>,
    compiler: &mut Compiler<'_>,
) -> NodeId {
    let name = format!("{building}/{}", hall.name);
    let list = ActivityList {
        prefix: &name,
        starts_after: complete,
        at: at.key("activities"),
        calendar: nodes.calendar,
        overrides: &planned.plan.overrides,
        within: format!("{}/", hall.name),
    };
    let mut own = list.compile(&hall.activities, compiler);
    own.push(complete);
    compiler.complete(name.clone(), complete, &own)
}

fn substation_of(plan: &Building, campus: &Campus) -> Option<usize> {
    let wanted = plan.substation.as_ref()?;
    let mut substations = campus.substations.iter();
    substations.position(|substation| &substation.name == wanted)
}

impl CompiledBuilding {
    fn compile(
        planned: &PlannedBuilding<'_>,
        name: &str,
        complete: NodeId,
        size: crate::power::Size,
        halls: std::ops::Range<usize>,
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let chain = planned
            .electrical
            .map(|chain| chain.compile(name, complete, &planned.electrical_at, compiler));
        let sold = planned.oversubscription;
        Self {
            power_kw: (compiler.register(name, planned.plan.fields().power_kw()))
                .unwrap_or(NO_LIMIT),
            size,
            halls,
            chain,
            sold_per_fed: sold
                .and_then(|stated| stated.sold_per_fed().ok())
                .unwrap_or(1.0),
            relative_sd: sold.map(|stated| stated.relative_sd()),
        }
    }
}

impl PlannedBuilding<'_> {
    fn beginning<'b>(&'b self, name: &'b str, campus: &'b str) -> Beginning<'b> {
        Beginning {
            name,
            starts: self.plan.starts,
            after: &self.plan.after,
            delay_months: &self.plan.delay_months,
            probability: self.plan.probability,
            class: self.plan.plan_class.as_deref(),
            scope: campus,
        }
    }

    /// Notes overrides of activities that the building does not have.
    fn check_overrides(&self, compiler: &mut Compiler<'_>) {
        let own = self.activities.iter();
        let own = own.map(|activity| activity.name.clone());
        let of_halls = self.halls.iter().flat_map(|hall| {
            let activities = hall.activities.iter();
            activities.map(move |activity| format!("{}/{}", hall.name, activity.name))
        });
        let known: Vec<String> = own.chain(of_halls).collect();
        for (position, one) in self.plan.overrides.iter().enumerate() {
            let at = self.at.key("overrides").index(position).key("activity");
            let known = known.iter().map(String::as_str);
            check_known(
                "activity",
                &one.activity,
                known,
                &at,
                &mut compiler.problems,
            );
        }
    }
}
