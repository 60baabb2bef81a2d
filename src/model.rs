//! The model: a scenario compiled once, with names resolved, distributions made samplers and the
//! activity network sorted. It is immutable and shared by all threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::compute::{
    CompiledGeneration, Hardware, NEWEST, PlannedGeneration, Positions, RackType,
    compile_generations,
};
use crate::construction::network::{self, Cycle, Network, NetworkBuilder, NodeId};
use crate::construction::{
    Activity, Dependency, Details, Hall, LIFE, Override, PlannedBuilding, draw, name_help,
    plan_buildings,
};
use crate::date::Date;
use crate::finance::books::{BuildingPlace, CompiledFinance, HallPlace, Places, Renters};
use crate::metrics::{CAUSES, Feature, METRICS, MetricId};
use crate::monte_carlo::design::{Design, DesignError, Sampling};
use crate::monte_carlo::inputs::{Inputs, Quantity};
use crate::policy::{Clause, Gate, Phase};
use crate::power::cooling::CompiledEfficiency;
use crate::power::energy::CompiledEnergy;
use crate::power::grid::HOURS;
use crate::power::{BridgePower, DeliveryTree, ElectricalChain, Feed, GridStep, PUE};
use crate::problem::{Path, Problems};
use crate::projection::{Layout, Metric, TargetLabel};
use crate::scenario::{Campus, Scenario};
use crate::tenants::market::{Demand, Market, Supply};
use crate::uncertain::{Domain, Uncertain, UncertainError};

/// A compiled scenario.
#[derive(Clone, Debug)]
pub struct Model {
    name: String,
    fingerprint: String,
    pub(crate) layout: Arc<Layout>,
    /// The metrics of the layout, in its order.
    pub(crate) reported: Vec<MetricId>,
    /// Whether commitments of tenants are among them.
    pub(crate) reports_commitments: bool,
    pub(crate) months: usize,
    pub(crate) standard_rack_kw: f64,
    pub(crate) inputs: Inputs,
    pub(crate) network: Network,
    /// Phases that start when conditions hold.
    pub(crate) gates: Vec<Gate>,
    pub(crate) generations: Vec<CompiledGeneration>,
    pub(crate) campuses: Vec<CompiledCampus>,
    pub(crate) halls: Vec<CompiledHall>,
    pub(crate) market: Market,
    pub(crate) finance: Option<CompiledFinance>,
    pub(crate) pools: usize,
    pub(crate) milestones: Vec<CompiledMilestone>,
    pub(crate) targets: Vec<CompiledTarget>,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledCampus {
    pub(crate) pue: Quantity,
    pub(crate) availability: Quantity,
    /// Parts of the grid connection; none: the grid is no limit.
    pub(crate) grid: Vec<CompiledStep>,
    /// Import that is applied for, in kW of facility power.
    pub(crate) applied_kw: f64,
    pub(crate) bridges: Vec<CompiledBridge>,
    pub(crate) curtailment: Option<CompiledCurtailment>,
    pub(crate) efficiency: Option<CompiledEfficiency>,
    pub(crate) energy: Option<CompiledEnergy>,
    pub(crate) substations: Vec<(NodeId, f64)>,
    pub(crate) buildings: Vec<CompiledBuilding>,
    /// Its halls among those of the model.
    pub(crate) halls: std::ops::Range<usize>,
    /// Its pools among those of the model.
    pub(crate) pools: std::ops::Range<usize>,
    pub(crate) existing: Option<CompiledExisting>,
}

/// A part of a step of the grid connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledStep {
    pub(crate) energised: NodeId,
    /// Months after the energisation of its step.
    pub(crate) delay: f64,
    /// Facility power.
    pub(crate) kw: f64,
    pub(crate) granted_share: Quantity,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledBridge {
    pub(crate) works: NodeId,
    pub(crate) firm_kw: f64,
    pub(crate) permanent: bool,
    pub(crate) carbon_g_per_kwh: f64,
    pub(crate) price_per_mwh: Quantity,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledCurtailment {
    pub(crate) hours_per_year: Quantity,
    pub(crate) depth_share: Quantity,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledBuilding {
    /// What it carries at most, in kW of critical IT power.
    pub(crate) power_kw: f64,
    pub(crate) chain: Option<CompiledChain>,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledChain {
    pub(crate) chain: ElectricalChain,
    /// Energisation and number of modules; the first come with the building.
    pub(crate) stages: Vec<(NodeId, u32)>,
    /// Share of the load that is fed in the long run.
    pub(crate) served_share: f64,
    /// The empty delivery tree.
    pub(crate) tree: Option<DeliveryTree>,
}

impl CompiledCampus {
    /// The electrical chains of its buildings, with the positions of these.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (usize, &CompiledChain)> {
        let buildings = self.buildings.iter().enumerate();
        buildings.filter_map(|(position, building)| Some((position, building.chain.as_ref()?)))
    }
}

impl CompiledBuilding {
    /// What it carries with so many modules installed, in kW of critical IT power.
    pub(crate) fn carries_kw(&self, modules: u32) -> f64 {
        match &self.chain {
            Some(compiled) => self.power_kw.min(compiled.chain.usable_kw(modules)),
            None => self.power_kw,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledExisting {
    pub(crate) pool: usize,
    pub(crate) racks: f64,
    pub(crate) power_kw: f64,
    pub(crate) pflops: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledHall {
    pub(crate) pool: usize,
    /// When its building may start.
    pub(crate) started: NodeId,
    pub(crate) handover: NodeId,
    pub(crate) ordered: NodeId,
    pub(crate) hardware: Hardware,
    pub(crate) fit: HallFit,
    pub(crate) life: Option<Quantity>,
    pub(crate) refresh: Quantity,
    pub(crate) retrofit: Option<CompiledRetrofit>,
    /// CO2 of its part of the building, in t.
    pub(crate) embodied_t: f64,
    pub(crate) feed: Feed,
    /// Share of the time in which what stands in it is fed and works.
    pub(crate) available_share: f64,
}

impl HallFit {
    /// Power for which it is made, in kW: all positions at their most, or what the hall takes.
    pub(crate) fn design_kw(&self) -> f64 {
        (self.positions.count * self.positions.power_kw).min(self.power_kw)
    }
}

/// What a hall is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HallFit {
    pub(crate) positions: Positions,
    /// What the hall takes, and what its cooling takes away, in kW.
    pub(crate) power_kw: f64,
    pub(crate) cooling_kw: f64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledRetrofit {
    pub(crate) pool: usize,
    pub(crate) fit: HallFit,
    pub(crate) downtime: Quantity,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledMilestone {
    pub(crate) finished: Vec<NodeId>,
    /// Halls of each building that must be live; the first of them makes the building live.
    pub(crate) live: Vec<std::ops::Range<usize>>,
}

#[derive(Clone, Debug)]
pub(crate) enum CompiledTarget {
    Metric {
        scope: usize,
        metric: usize,
        at_least: f64,
        month: usize,
    },
    Milestone {
        milestone: usize,
        by_months: f64,
    },
    /// Both together.
    Joint(Box<[CompiledTarget; 2]>),
}

impl Model {
    /// The scenario's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a projection of this model consists of.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Draws the inputs of an independent trial, in the order of [`Model::input_names`].
    pub fn draw_inputs(&self, seed: u64, trial: u64, drawn: &mut Vec<f64>) {
        self.inputs.draw(&Sampling::random(seed), trial, drawn);
    }

    /// Makes a sampling design ready for this model's inputs.
    pub fn sampling(&self, design: Design, seed: u64) -> Result<Sampling, DesignError> {
        Sampling::new(design, seed, self.inputs.sources())
    }

    /// The scenario's fingerprint: [`Scenario::fingerprint`].
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The activity network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The inputs as planned: the median of each, in the order of [`Model::input_names`].
    pub fn planned_inputs(&self) -> Vec<f64> {
        self.inputs.medians()
    }

    /// The names of all inputs that are drawn once a trial.
    pub fn input_names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.name.as_str())
    }
}

/// Checks references and cycles alone, for a scenario that has other errors already.
pub(crate) fn check_network(scenario: &Scenario, problems: &mut Problems) {
    let mut site = Sites::lay_out(scenario, &mut None, problems);
    site.connect(scenario, &mut None, problems);
    site.detail(scenario, &mut None, problems);
    if let Err(cycle) = site.network.build() {
        report_cycle(&cycle, &site.places, problems);
    }
}

/// What all campuses together are called in results.
const TOTAL: &str = "total";

/// Notes a circle at the first of its activities that the planner wrote.
fn report_cycle(cycle: &Cycle, places: &BTreeMap<String, Path>, problems: &mut Problems) {
    let written = cycle.members.iter().find_map(|member| places.get(member));
    let anywhere = Path::root().key("campuses");
    problems.error(
        written.unwrap_or(&anywhere),
        cycle.to_string(),
        "take one of these dependencies away",
    );
}

/// Compiles a scenario whose parts have been checked; what is wrong with the whole is added to `problems`.
pub(crate) fn compile(scenario: &Scenario, problems: &mut Problems) -> Option<Model> {
    let mut inputs = Some(Inputs::default());
    let mut sites = Sites::lay_out(scenario, &mut inputs, problems);
    sites.connect(scenario, &mut inputs, problems);
    sites.detail(scenario, &mut inputs, problems);
    let milestones = sites.milestones(scenario, problems);
    let reported = reported_metrics(scenario, &sites);
    let targets = compile_targets(scenario, &milestones, &reported, problems);
    check_distinct_names(scenario, &milestones, problems);
    let finance = sites.finance(scenario, &mut inputs, problems);
    check_conditions(scenario, &reported, problems);
    if let Some(inputs) = &inputs {
        sites.network.planned_inputs(inputs.medians());
    }
    let network = match sites.network.build() {
        Ok(network) => network,
        Err(cycle) => {
            report_cycle(&cycle, &sites.places, problems);
            return None;
        }
    };
    if problems.has_errors() {
        return None;
    }
    let parts = Parts {
        network,
        buildings: sites.buildings,
        gates: sites.gates,
        halls: sites.halls,
        campuses: sites.campuses,
        milestones,
        targets,
        finance,
        reported,
    };
    match assemble(scenario, inputs.unwrap_or_default(), parts) {
        Ok(mut model) => {
            if let Some(correlations) = &scenario.correlations {
                let at = Path::root().key("correlations");
                model.inputs.correlate(correlations, &at, problems);
            }
            Some(model)
        }
        Err(error) => {
            // Every quantity has been checked, so this says that a check is missing.
            problems.error(&Path::root(), error.to_string(), "");
            None
        }
    }
}

struct Parts<'a> {
    network: Network,
    buildings: Vec<BuildingNodes<'a>>,
    gates: Vec<GatePlan>,
    halls: Vec<HallNodes<'a>>,
    campuses: Vec<CampusNodes>,
    milestones: Vec<(String, CompiledMilestone)>,
    targets: Vec<CompiledTarget>,
    finance: Option<CompiledFinance>,
    reported: Vec<MetricId>,
}

/// The metrics that the scenario uses, in the order of [`METRICS`].
fn reported_metrics(scenario: &Scenario, sites: &Sites<'_>) -> Vec<MetricId> {
    let campuses = scenario.campuses.iter();
    let uses = |feature| match feature {
        Feature::Density => states_density(scenario, sites),
        Feature::EmbodiedCarbon => {
            let mut generations = scenario.generations.iter();
            let mut buildings = sites.buildings.iter();
            generations.any(|known| known.rack_embodied_carbon_t > 0.0)
                || buildings.any(|known| known.planned.plan.embodied_carbon_t.is_some())
        }
        Feature::Efficiency => campuses.clone().any(|campus| campus.efficiency.is_some()),
        Feature::Curtailment => campuses.clone().any(|campus| campus.curtailment.is_some()),
        Feature::Commitments => {
            let names = ["committed_mw", "pre_leased", "pre_leased_of_latest"];
            let targets = scenario
                .targets
                .iter()
                .filter_map(|target| target.metric.as_deref());
            let phases = campuses.clone().flat_map(|campus| &campus.phases);
            let conditions = phases.flat_map(|phase| &phase.when);
            let mut asked = targets.chain(conditions.map(|condition| condition.metric.as_str()));
            scenario.finance.is_some()
                || !scenario.tenants.is_empty()
                || scenario
                    .segments
                    .iter()
                    .any(|segment| !segment.stages.is_empty())
                || asked.any(|metric| names.contains(&metric))
        }
        Feature::Energy => campuses.clone().any(|campus| campus.energy.is_some()),
        Feature::ElectricalChain => sites.campuses.iter().any(|campus| {
            let mut buildings = campus.buildings.iter();
            buildings.any(|building| building.chain.is_some())
        }),
    };
    let is_used = |metric: &MetricId| metric.feature().is_none_or(uses);
    MetricId::ALL.iter().copied().filter(is_used).collect()
}

/// Whether more is said of density than the power of a rack.
fn states_density(scenario: &Scenario, sites: &Sites<'_>) -> bool {
    let mut generations = scenario.generations.iter();
    let mut buildings = sites.campuses.iter().flat_map(|campus| &campus.buildings);
    scenario.hardware_catalogue.is_some()
        || scenario.generation_trend.is_some()
        || scenario
            .rack_types
            .iter()
            .any(|kind| kind.cooling.is_some())
        || generations.any(|known| known.rack_positions > 1 || known.cooling.is_some())
        || sites.halls.iter().any(|hall| {
            hall.plan.cooling_power_kw.is_some() || hall.plan.hardware_life_months.is_some()
        })
        || buildings.any(|building| building.chain.is_some())
}

fn assemble(
    scenario: &Scenario,
    mut inputs: Inputs,
    parts: Parts<'_>,
) -> Result<Model, UncertainError> {
    let planned = scenario.all_generations();
    let generations = compile_generations(
        &planned,
        scenario.generation_trend.as_ref(),
        &scenario.precision,
        scenario.start,
        &mut inputs,
    )?;
    let campus_names: Vec<String> = scenario
        .campuses
        .iter()
        .map(|campus| campus.name.clone())
        .collect();
    let rack_types: Vec<String> = scenario
        .rack_types
        .iter()
        .map(|rack_type| rack_type.name.clone())
        .collect();
    let months = scenario.horizon_months as usize;
    let mut targets = parts.targets;
    let generation_names: Vec<&str> = (scenario.generations.iter())
        .map(|generation| generation.name.as_str())
        .collect();
    let supply = Supply {
        campuses: &campus_names,
        rack_types: &rack_types,
        standard_rack_kw: scenario.standard_rack_power_kw,
        months,
        start: scenario.start,
        generations: &generations,
        generation_names: &generation_names,
    };
    let rack_type_of = |name: &str| rack_types.iter().position(|kind| kind == name).unwrap_or(0);
    let mut halls = Vec::with_capacity(parts.halls.len());
    let mut campuses = Vec::with_capacity(parts.campuses.len());
    for (position, nodes) in parts.campuses.into_iter().enumerate() {
        let campus = &scenario.campuses[position];
        for hall in &parts.halls[nodes.halls.clone()] {
            let kind = rack_type_of(&hall.plan.rack_type);
            let fit = |kind: usize, racks: u32, power_kw, cooling_kw| {
                let RackType {
                    power_kw: limit,
                    cooling,
                    ..
                } = &scenario.rack_types[kind];
                HallFit {
                    positions: Positions {
                        count: f64::from(racks),
                        power_kw: *limit,
                        cooling: *cooling,
                    },
                    power_kw,
                    cooling_kw,
                }
            };
            let plan = hall.plan;
            let power_kw = plan.power_kw.unwrap_or(f64::INFINITY);
            let cooling_kw = plan.cooling_power_kw.unwrap_or(f64::INFINITY);
            let mut drawn = |what: &str, quantity: &Uncertain, domain| {
                inputs.add(format!("{}/{what}", hall.name), quantity, domain)
            };
            let life = plan.hardware_life_months.as_ref();
            let life = life
                .map(|life| drawn("hardware life", life, LIFE))
                .transpose()?;
            let refresh = drawn("refresh", &plan.refresh_months, Domain::NON_NEGATIVE)?;
            let retrofit = match &plan.retrofit {
                Some(retrofit) => {
                    let kind = rack_type_of(&retrofit.rack_type);
                    let racks = retrofit.racks.unwrap_or(plan.racks);
                    let power_kw = retrofit.power_kw.unwrap_or(power_kw);
                    let cooling_kw = retrofit.cooling_power_kw.unwrap_or(f64::INFINITY);
                    let downtime = &retrofit.downtime_months;
                    Some(CompiledRetrofit {
                        pool: supply.pool(position, kind),
                        fit: fit(kind, racks, power_kw, cooling_kw),
                        downtime: drawn("retrofit", downtime, Domain::NON_NEGATIVE)?,
                    })
                }
                None => None,
            };
            let types = retrofit_types(scenario, plan);
            let hardware = compile_hardware(&planned, hall, &types, &mut inputs)?;
            let building = &parts.buildings[hall.building];
            let embodied_t = building.planned.plan.embodied_carbon_t.unwrap_or(0.0);
            halls.push(CompiledHall {
                pool: supply.pool(position, kind),
                started: hall.started,
                handover: hall.handover,
                ordered: hall.ordered,
                hardware,
                fit: fit(kind, plan.racks, power_kw, cooling_kw),
                life,
                refresh,
                retrofit,
                embodied_t: embodied_t / building.halls.len() as f64,
                feed: hall.feed,
                available_share: nodes.buildings[hall.feed.building]
                    .chain
                    .as_ref()
                    .map_or(1.0, |chain| chain.served_share),
            });
        }
        let name = &campus.name;
        campuses.push(CompiledCampus {
            pue: inputs.add(format!("{name}/PUE"), &campus.pue, PUE)?,
            availability: inputs.add(
                format!("{name}/availability"),
                &campus.availability,
                Domain::SHARE,
            )?,
            grid: nodes.grid,
            applied_kw: campus.grid.iter().map(|step| step.power_mw * 1_000.0).sum(),
            bridges: nodes.bridges,
            curtailment: compile_curtailment(campus, &mut inputs)?,
            efficiency: compile_efficiency(scenario, campus, &mut inputs)?,
            energy: compile_energy(scenario, campus, &mut inputs)?,
            substations: nodes.substations,
            buildings: nodes.buildings,
            halls: nodes.halls,
            pools: supply.pool(position, 0)..supply.pool(position + 1, 0),
            existing: campus.existing.as_ref().map(|existing| CompiledExisting {
                pool: supply.pool(position, rack_type_of(&existing.rack_type)),
                racks: f64::from(existing.racks),
                power_kw: existing.power_kw,
                pflops: existing.compute_pflops,
            }),
        });
    }
    let demand = Demand {
        segments: &scenario.segments,
        tenants: &scenario.tenants,
        regimes: &scenario.regimes,
        vouchers: &scenario.vouchers,
        keeps_leases: parts.finance.is_some(),
    };
    let mut market = Market::compile(demand, &supply, &mut inputs)?;
    let mut finance = parts.finance;
    let pools = campus_names.len() * rack_types.len();
    let (milestone_names, milestones) = parts.milestones.into_iter().unzip();
    let mut layout = layout(scenario, &parts.reported, campus_names, milestone_names);
    let currency = (scenario.finance.as_ref()).map_or("money", |finance| &finance.currency);
    market.extend_layout(currency, &mut layout.metrics);
    if let Some(finance) = &mut finance {
        let segments = scenario
            .segments
            .iter()
            .map(|segment| segment.name.as_str());
        finance.extend_layout(currency, segments, &mut layout);
    }
    for (target, compiled) in scenario.targets.iter().zip(&mut targets) {
        let part = match compiled {
            CompiledTarget::Joint(parts) => &mut parts[1],
            single => single,
        };
        if let (CompiledTarget::Metric { metric, .. }, Some(name)) = (part, &target.metric) {
            *metric = layout.metric_index(name).unwrap_or(0);
        }
    }
    let gates = (parts.gates.iter())
        .map(|gate| gate.compile(scenario, &layout))
        .collect();
    Ok(Model {
        name: scenario.name.clone(),
        fingerprint: scenario.fingerprint(),
        layout: Arc::new(layout),
        gates,
        reports_commitments: parts.reported.contains(&MetricId::CommittedPower),
        reported: parts.reported,
        months,
        standard_rack_kw: scenario.standard_rack_power_kw,
        inputs,
        network: parts.network,
        generations,
        campuses,
        halls,
        market,
        finance,
        pools,
        milestones,
        targets,
    })
}

fn layout(
    scenario: &Scenario,
    reported: &[MetricId],
    campuses: Vec<String>,
    milestones: Vec<String>,
) -> Layout {
    let mut scopes = vec![TOTAL.to_owned()];
    if campuses.len() > 1 {
        scopes.extend(campuses);
    }
    Layout {
        start: scenario.start,
        months: scenario.horizon_months as usize,
        scopes,
        metrics: reported
            .iter()
            .map(|&metric| &METRICS[metric as usize])
            .map(|metric| Metric {
                name: metric.name.to_owned(),
                unit: metric.unit.to_owned(),
                meaning: metric.meaning.to_owned(),
            })
            .collect(),
        causes: CAUSES.map(str::to_owned).to_vec(),
        milestones,
        targets: scenario
            .targets
            .iter()
            .map(|target| TargetLabel {
                name: target.name.clone(),
                description: target.describe(),
                by: Some(target.by),
            })
            .collect(),
        outcomes: Vec::new(),
    }
}

fn compile_curtailment(
    campus: &Campus,
    inputs: &mut Inputs,
) -> Result<Option<CompiledCurtailment>, UncertainError> {
    let Some(curtailment) = &campus.curtailment else {
        return Ok(None);
    };
    let name = &campus.name;
    let (hours, depth) = (&curtailment.hours_per_year, &curtailment.depth_share);
    Ok(Some(CompiledCurtailment {
        hours_per_year: inputs.add(format!("{name}/curtailed hours"), hours, HOURS)?,
        depth_share: inputs.add(format!("{name}/curtailed share"), depth, Domain::SHARE)?,
    }))
}

fn compile_efficiency(
    scenario: &Scenario,
    campus: &Campus,
    inputs: &mut Inputs,
) -> Result<Option<CompiledEfficiency>, UncertainError> {
    let first_month = (scenario.start.month_of_year() - 1) as usize;
    let compile =
        |efficiency| CompiledEfficiency::compile(efficiency, &campus.name, first_month, inputs);
    campus.efficiency.as_ref().map(compile).transpose()
}

fn compile_energy(
    scenario: &Scenario,
    campus: &Campus,
    inputs: &mut Inputs,
) -> Result<Option<CompiledEnergy>, UncertainError> {
    let compile = |energy| CompiledEnergy::compile(energy, &campus.name, scenario.start, inputs);
    campus.energy.as_ref().map(compile).transpose()
}

/// The rack types that a hall has in its life.
fn retrofit_types<'a>(scenario: &'a Scenario, hall: &Hall) -> Vec<&'a RackType> {
    let names = [
        Some(&hall.rack_type),
        hall.retrofit.as_ref().map(|to| &to.rack_type),
    ];
    names
        .into_iter()
        .flatten()
        .filter_map(|name| scenario.rack_types.iter().find(|kind| &kind.name == name))
        .collect()
}

fn compile_hardware(
    planned: &[PlannedGeneration],
    hall: &HallNodes<'_>,
    rack_types: &[&RackType],
    inputs: &mut Inputs,
) -> Result<Hardware, UncertainError> {
    let Some(wanted) = &hall.plan.hardware else {
        return Ok(Hardware::Tenants);
    };
    let generation = |position: usize| &planned[position].generation;
    let mut choices: Vec<usize> = (0..planned.len())
        .filter(|&position| {
            if wanted == NEWEST {
                rack_types
                    .iter()
                    .any(|kind| kind.fits(generation(position)))
            } else {
                &generation(position).name == wanted
            }
        })
        .collect();
    // Stable: of generations released on the same day the one written last counts as the newest.
    choices.sort_by_key(|&position| generation(position).available_from);
    let choices = choices
        .into_iter()
        .map(|position| {
            let generation = generation(position);
            let name = format!("{}/lead time of {}", hall.name, generation.name);
            let lead_time = inputs.add(name, &generation.lead_time_months, Domain::NON_NEGATIVE)?;
            Ok((position, lead_time))
        })
        .collect::<Result<_, UncertainError>>()?;
    Ok(Hardware::Generations(choices))
}

/// Results are told apart by name: milestones, and the total from the campuses.
fn check_distinct_names(
    scenario: &Scenario,
    milestones: &[(String, CompiledMilestone)],
    problems: &mut Problems,
) {
    let mut seen = std::collections::BTreeSet::new();
    for (position, (name, _)) in milestones.iter().enumerate() {
        if seen.insert(name) {
            continue;
        }
        // Those that are stated come first; the others take their names from buildings and the like.
        let stated = scenario
            .milestones
            .iter()
            .position(|milestone| &milestone.name == name);
        let at = match stated {
            Some(stated) if stated != position => {
                Path::root().key("milestones").index(stated).key("name")
            }
            _ => continue,
        };
        problems.error(
            &at,
            format!("every scenario with such a building, substation or activity has a milestone \"{name}\" already"),
            "use another name, or leave it out",
        );
    }
    if scenario.campuses.len() > 1
        && let Some(position) = scenario
            .campuses
            .iter()
            .position(|campus| campus.name == TOTAL)
    {
        problems.error(
            &Path::root().key("campuses").index(position).key("name"),
            format!("a campus is named \"{TOTAL}\""),
            "that word stands for all campuses together; use another name",
        );
    }
}

/// Phases may wait for what the scenario reports alone.
fn check_conditions(scenario: &Scenario, reported: &[MetricId], problems: &mut Problems) {
    let at = Path::root().key("campuses");
    for (position, campus) in scenario.campuses.iter().enumerate() {
        let at = at.index(position).key("phases");
        for (position, phase) in campus.phases.iter().enumerate() {
            let at = at.index(position).key("when");
            for (position, condition) in phase.when.iter().enumerate() {
                let name = |known: &MetricId| METRICS[*known as usize].name;
                if !reported.iter().any(|known| name(known) == condition.metric) {
                    problems.error(
                        &at.index(position).key("metric"),
                        format!("this scenario does not report {}", condition.metric),
                        "state what the metric is of, or take another",
                    );
                }
            }
        }
    }
}

fn compile_targets(
    scenario: &Scenario,
    milestones: &[(String, CompiledMilestone)],
    reported: &[MetricId],
    problems: &mut Problems,
) -> Vec<CompiledTarget> {
    let mut targets = Vec::new();
    for (position, target) in scenario.targets.iter().enumerate() {
        let at = Path::root().key("targets").index(position);
        let month = target.by.months_after(scenario.start).floor();
        let first_part = targets.len();
        if let Some(wanted) = &target.milestone {
            let names = milestones.iter().map(|(name, _)| name.as_str());
            match names.clone().position(|name| name == wanted) {
                Some(milestone) => {
                    targets.push(CompiledTarget::Milestone {
                        milestone,
                        by_months: month + 1.0,
                    });
                }
                None => problems.error(
                    &at.key("milestone"),
                    format!("there is no milestone \"{wanted}\""),
                    name_help(wanted, names),
                ),
            }
        }
        if let (Some(metric), Some(at_least)) = (&target.metric, target.at_least) {
            let campus = target.campus.as_ref().and_then(|wanted| {
                scenario
                    .campuses
                    .iter()
                    .position(|campus| &campus.name == wanted)
            });
            let scope = match campus {
                Some(campus) if scenario.campuses.len() > 1 => campus + 1,
                _ => 0,
            };
            let name = |known: &MetricId| METRICS[*known as usize].name;
            let is_known = METRICS.iter().any(|known| known.name == metric);
            if is_known && !reported.iter().any(|known| name(known) == metric) {
                problems.error(
                    &at.key("metric"),
                    format!("this scenario does not report {metric}"),
                    "state what the metric is of, or take another",
                );
                continue;
            }
            // Its place follows from the layout.
            targets.push(CompiledTarget::Metric {
                scope,
                metric: 0,
                at_least,
                month: month.max(0.0) as usize,
            });
        }
        if targets.len() == first_part + 2
            && let (Some(metric), Some(milestone)) = (targets.pop(), targets.pop())
        {
            targets.push(CompiledTarget::Joint(Box::new([milestone, metric])));
        }
    }
    targets
}

/// The nodes of all campuses while the network is laid out.
struct Sites<'a> {
    network: NetworkBuilder,
    campuses: Vec<CampusNodes>,
    halls: Vec<HallNodes<'a>>,
    buildings: Vec<BuildingNodes<'a>>,
    /// Dependencies whose names are resolved once all nodes exist.
    links: Vec<Link>,
    /// Activities that mark themselves as milestones.
    marked: Vec<(String, NodeId)>,
    /// Where each activity is written.
    places: BTreeMap<String, Path>,
    details: Details<'a>,
    gates: Vec<GatePlan>,
}

/// A phase that starts when conditions hold.
struct GatePlan {
    ready: NodeId,
    campus: usize,
    phase: usize,
}

impl GatePlan {
    fn compile(&self, scenario: &Scenario, layout: &Layout) -> Gate {
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

struct CampusNodes {
    grid: Vec<CompiledStep>,
    bridges: Vec<CompiledBridge>,
    substations: Vec<(NodeId, f64)>,
    buildings: Vec<CompiledBuilding>,
    halls: std::ops::Range<usize>,
    calendar: Option<u32>,
}

struct BuildingNodes<'a> {
    campus: usize,
    planned: PlannedBuilding<'a>,
    halls: std::ops::Range<usize>,
}

struct HallNodes<'a> {
    name: String,
    plan: &'a Hall,
    at: Path,
    started: NodeId,
    handover: NodeId,
    ordered: NodeId,
    feed: Feed,
    building: usize,
}

struct Link {
    node: NodeId,
    /// Where the name is looked up, the innermost first: `campus/building/hall`, `campus/building`, `campus`.
    scope: String,
    dependency: Dependency,
    at: Path,
}

const NO_DATE: f64 = f64::NEG_INFINITY;
const AT_ONCE: Quantity = Quantity::Fixed(0.0);
/// Later than any horizon, in months.
const NEVER: f64 = 1e9;
/// Before anything starts, in months; what is added to it is not lost in an infinity.
const LONG_AGO: f64 = -1e6;
/// Words that have a meaning of their own in a reference: "A1/start", "A1/live".
const RESERVED: [(&str, &str); 2] = [
    (
        "start",
        "the moment at which a building or substation may start",
    ),
    ("live", "a building whose first racks are live"),
];

impl<'a> Sites<'a> {
    /// Adds all nodes. Without `inputs` nothing is drawn and durations are taken as 0.
    fn lay_out(
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

    fn lay_out_campus(
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
            let earliest = earliest_months(scenario, substation.starts, &substation.after);
            let start = self.network.add(format!("{name}/start"), AT_ONCE, earliest);
            self.link(start, &campus.name, &substation.after, &at);
            let list = ActivityList {
                prefix: &name,
                starts_after: start,
                at: at.key("activities"),
                calendar,
                overrides: &[],
                within: String::new(),
            };
            let done = self.add_activities(&list, &substation.activities, inputs, problems);
            let energised = self.complete(name, start, &done);
            nodes
                .substations
                .push((energised, substation.power_mw * 1_000.0));
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

    /// Work that is no activity of a list: a grid step, bridge power.
    fn mark_as_work(&mut self, node: NodeId, name: String) {
        self.network.mark_as_work(node);
        self.details.works.push((name, node));
    }

    /// Adds the phases of a campus, and activities that belong to the campus as a whole.
    #[allow(clippy::too_many_arguments)]
    fn lay_out_campus_works(
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
            self.lay_out_phase(scenario, position, phase_position, phase, &at);
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

    fn lay_out_phase(
        &mut self,
        scenario: &'a Scenario,
        campus: usize,
        position: usize,
        phase: &'a Phase,
        at: &Path,
    ) {
        let campus_name = &scenario.campuses[campus].name;
        let name = format!("{campus_name}/{}", phase.name);
        let earliest = earliest_months(scenario, phase.starts, &phase.after);
        if phase.when.is_empty() {
            let node = self.network.add(name, AT_ONCE, earliest);
            self.link(node, campus_name, &phase.after, at);
            return;
        }
        let ready = self.network.add(format!("{name}/start"), AT_ONCE, earliest);
        self.link(ready, campus_name, &phase.after, at);
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
    fn lay_out_grid(
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
            let application = step.application.as_ref().and_then(|wanted| {
                let mut known = campus.grid_applications.iter();
                known.position(|application| &application.name == wanted)
            });
            let mut granted_share = Quantity::Fixed(1.0);
            if let Some(application) = application {
                let (node, granted) = applications[application];
                self.network.depend(energised.0, node, AT_ONCE);
                granted_share = granted;
            }
            nodes
                .grid
                .extend(step_parts(step, energised.1, granted_share));
        }
        for (position, bridge) in campus.bridge_power.iter().enumerate() {
            let at = at.key("bridge_power").index(position);
            nodes
                .bridges
                .push(self.lay_out_bridge(scenario, campus, bridge, &at, inputs));
        }
    }

    fn lay_out_bridge(
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
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn lay_out_building(
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
        let earliest = earliest_months(scenario, plan.starts, &plan.after);
        // In a series each building starts at its own distance from the first.
        let offset = Quantity::Fixed(planned.offset_months);
        let start = self.network.add(format!("{name}/start"), offset, earliest);
        self.link(start, &campus.name, &plan.after, &planned.at);
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
            power_kw: plan.power_kw.unwrap_or(f64::INFINITY),
            chain,
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
            });
        }
        self.buildings.push(BuildingNodes {
            campus: campus_position,
            planned,
            halls: first_hall..self.halls.len(),
        });
    }

    /// Adds the moments at which modules of a building's chain are energised.
    fn lay_out_chain(
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
    fn add_activities(
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
    fn complete(&mut self, name: String, start: NodeId, parts: &[NodeId]) -> NodeId {
        let node = self.network.add(name, AT_ONCE, NO_DATE);
        self.network.depend(node, start, AT_ONCE);
        for &part in parts {
            self.network.depend(node, part, AT_ONCE);
        }
        node
    }

    fn link(&mut self, node: NodeId, scope: &str, after: &[Dependency], at: &Path) {
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
    fn connect(
        &mut self,
        scenario: &Scenario,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
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
            let lag_name = format!("{}/lag after {wanted}", self.network.name(link.node));
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
    fn detail(
        &mut self,
        scenario: &Scenario,
        inputs: &mut Option<Inputs>,
        problems: &mut Problems,
    ) {
        self.details.branch(find_in, &mut self.network, problems);
        self.details
            .expose(&scenario.risks, &mut self.network, inputs, problems);
        if let Some(status) = &scenario.status {
            self.details
                .report_status(status, &mut self.network, inputs, problems);
        }
    }

    /// Looks a name up in its scope, then in those around it.
    fn find(&self, scope: &str, wanted: &str) -> Option<NodeId> {
        find_in(&self.network, scope, wanted)
    }

    fn unknown(&self, scope: &str, wanted: &str, at: &Path, problems: &mut Problems) {
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
            name_help(wanted, known.iter().map(String::as_str)),
        );
    }

    /// All milestones: what activities mark, substations, buildings going live, and those stated.
    fn milestones(
        &self,
        scenario: &Scenario,
        problems: &mut Problems,
    ) -> Vec<(String, CompiledMilestone)> {
        let several = scenario.campuses.len() > 1;
        let short = |name: &str| match name.split_once('/') {
            Some((_, rest)) if !several => rest.to_owned(),
            _ => name.to_owned(),
        };
        let mut milestones: Vec<(String, CompiledMilestone)> = Vec::new();
        for (position, milestone) in scenario.milestones.iter().enumerate() {
            let at = Path::root()
                .key("milestones")
                .index(position)
                .key("requires");
            let mut compiled = CompiledMilestone {
                finished: Vec::new(),
                live: Vec::new(),
            };
            for (item, wanted) in milestone.requires.iter().enumerate() {
                let at = at.index(item);
                if let Some(building) = wanted.strip_suffix("/live") {
                    match self.find_building(scenario, building) {
                        Some(halls) => compiled.live.push(halls),
                        None => {
                            let known: Vec<String> = self
                                .buildings
                                .iter()
                                .map(|known| format!("{}/live", known.planned.name))
                                .collect();
                            problems.error(
                                &at,
                                format!("there is no building \"{building}\""),
                                name_help(wanted, known.iter().map(String::as_str)),
                            );
                        }
                    }
                    continue;
                }
                let found = scenario
                    .campuses
                    .iter()
                    .find_map(|campus| self.network.find(&format!("{}/{wanted}", campus.name)))
                    .or_else(|| self.network.find(wanted));
                match found {
                    Some(node) => compiled.finished.push(node),
                    None => {
                        let scope = &scenario.campuses[0].name;
                        self.unknown(scope, wanted, &at, problems);
                    }
                }
            }
            milestones.push((milestone.name.clone(), compiled));
        }
        for (name, node) in &self.marked {
            let compiled = CompiledMilestone {
                finished: vec![*node],
                live: Vec::new(),
            };
            milestones.push((short(name), compiled));
        }
        for (campus, nodes) in scenario.campuses.iter().zip(&self.campuses) {
            for (substation, (node, _)) in campus.substations.iter().zip(&nodes.substations) {
                let name = short(&format!("{}/{} energised", campus.name, substation.name));
                let compiled = CompiledMilestone {
                    finished: vec![*node],
                    live: Vec::new(),
                };
                milestones.push((name, compiled));
            }
        }
        for building in &self.buildings {
            let campus = &scenario.campuses[building.campus].name;
            let name = short(&format!("{campus}/{} live", building.planned.name));
            let compiled = CompiledMilestone {
                finished: Vec::new(),
                live: vec![building.halls.clone()],
            };
            milestones.push((name, compiled));
        }
        milestones
    }

    /// Compiles what the scenario says of money.
    fn finance(
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
        match CompiledFinance::compile(finance, &places, &renters, months, inputs, problems) {
            Ok(finance) => Some(finance),
            Err(error) => {
                // Every quantity has been checked, so this says that a check is missing.
                problems.error(&Path::root().key("finance"), error.to_string(), "");
                None
            }
        }
    }

    fn find_building(&self, scenario: &Scenario, wanted: &str) -> Option<std::ops::Range<usize>> {
        self.buildings
            .iter()
            .find(|building| {
                let campus = &scenario.campuses[building.campus].name;
                building.planned.name == wanted
                    || wanted
                        .strip_prefix(campus.as_str())
                        .and_then(|rest| rest.strip_prefix('/'))
                        == Some(building.planned.name.as_str())
            })
            .map(|building| building.halls.clone())
    }
}

/// Looks a name up in its scope, then in those around it.
fn find_in(network: &NetworkBuilder, scope: &str, wanted: &str) -> Option<NodeId> {
    let mut scope = Some(scope);
    while let Some(inner) = scope {
        if let Some(node) = network.find(&format!("{inner}/{wanted}")) {
            return Some(node);
        }
        scope = inner.rsplit_once('/').map(|(outer, _)| outer);
    }
    network.find(wanted)
}

struct ActivityList<'a> {
    prefix: &'a str,
    starts_after: NodeId,
    at: Path,
    /// The calendar of activities that name none.
    calendar: Option<u32>,
    overrides: &'a [Override],
    /// What stands before the names of these activities in an override: "hall 1/".
    within: String,
}

impl ActivityList<'_> {
    /// The activity with what the building says differently.
    fn overridden<'b>(&self, activity: &'b Activity) -> std::borrow::Cow<'b, Activity> {
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
fn check_overrides(planned: &PlannedBuilding<'_>, problems: &mut Problems) {
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
        crate::construction::check_known("activity", &one.activity, known, &at, problems);
    }
}

/// The date that is given; else the start of the scenario, unless there is something to wait for.
fn earliest_months(scenario: &Scenario, date: Option<Date>, after: &[Dependency]) -> f64 {
    match date {
        Some(date) => date.months_after(scenario.start),
        None if after.is_empty() => 0.0,
        None => NO_DATE,
    }
}

fn step_parts(
    step: &GridStep,
    energised: NodeId,
    granted_share: Quantity,
) -> impl Iterator<Item = CompiledStep> {
    step.parts()
        .into_iter()
        .map(move |(delay, kw)| CompiledStep {
            energised,
            delay,
            kw,
            granted_share,
        })
}

/// Registers whether something happens: 1 with the probability, 0 otherwise.
fn chance(inputs: &mut Option<Inputs>, name: &str, probability: f64) -> Quantity {
    if probability <= 0.0 || probability >= 1.0 {
        return Quantity::Fixed(probability.clamp(0.0, 1.0));
    }
    let outcomes = Uncertain::discrete([(0.0, 1.0 - probability), (1.0, probability)]);
    draw(inputs, name, &outcomes, Domain::SHARE)
}
