//! The model: a scenario compiled once, with names resolved, distributions made samplers and the
//! activity network sorted. It is immutable and shared by all threads.

mod beginning;
pub mod extensions;
mod fit;
mod milestones;
mod sites;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::compute::{
    CompiledGeneration, Hardware, NEWEST, PlannedGeneration, RackType, compile_generations,
};
use crate::finance::books::CompiledFinance;
use crate::model::extensions::{CompiledOwn, Extensions};
use crate::policy::levers;
use crate::power::cooling::CompiledEfficiency;
use crate::power::energy::CompiledEnergy;
use crate::power::grid::StepPart;
use crate::power::{Battery, DeliveryTree, ElectricalChain, Feed};
use crate::problem::{Path, Problems};
use crate::projection::metrics::{CAUSES, Feature, METRICS, MetricId, STRANDED};
use crate::projection::{Layout, Metric, Selection, TargetLabel, UnknownMetric};
use crate::sampling::design::{Design, DesignError, Drawing, Noise, Sampling};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::scenario::{Scenario, ScenarioError};
use crate::schedule::network::{Cycle, Network, NodeId, Presence};
use crate::schedule::plan::Plan;
use crate::site::{Building, Campus, Gate, Hall};
use crate::tenants::Voucher;
use crate::tenants::market::{Demand, Market, Supply};
use crate::uncertain::{Domain, UncertainError};

pub(crate) use fit::{HallFit, HallPlan, Size};

use fit::Kind;
use sites::{BuildingNodes, CampusNodes, GatePlan, HallNodes, Sites};

impl Scenario {
    /// Compiles the scenario to a model that can be simulated; an error lists all that is wrong.
    pub fn compile(&self) -> Result<Model, ScenarioError> {
        let (model, problems) = self.compile_with_warnings();
        match model {
            Some(model) => Ok(model),
            None => Err(ScenarioError::Invalid(problems)),
        }
    }

    /// Lists all that is wrong or unlikely, without simulating anything.
    pub fn check(&self) -> Problems {
        self.compile_with_warnings().1
    }

    fn compile_with_warnings(&self) -> (Option<Model>, Problems) {
        let mut problems = Problems::new();
        self.check_parts(&mut problems);
        self.check_limits(&mut problems);
        self.check_likelihood(&mut problems);
        if problems.has_errors() {
            // The network can be checked for cycles and unknown names all the same.
            check_network(self, &mut problems);
            return (None, problems);
        }
        let model = compile(self, &mut problems);
        (model.filter(|_| !problems.has_errors()), problems)
    }
}

/// A compiled scenario.
#[derive(Clone, Debug)]
pub struct Model {
    name: String,
    fingerprint: String,
    pub(crate) layout: Arc<Layout>,
    /// The metrics of the layout, in its order.
    pub(crate) reported: Vec<MetricId>,
    /// Where the layout has what is stranded; its sums over the horizon are the first outcomes.
    pub(crate) stranded: Vec<usize>,
    /// Whether commitments of tenants are among them.
    pub(crate) reports_commitments: bool,
    /// Whether buildings are counted.
    pub(crate) reports_buildings: bool,
    pub(crate) months: usize,
    /// Contracts of a trial at the upper end of what the scenario states.
    pub(crate) most_contracts: f64,
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
    /// Metrics, policies and tenants that are given in Rust.
    pub(crate) own: Option<CompiledOwn>,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledCampus {
    pub(crate) pue: Quantity,
    pub(crate) availability: Quantity,
    /// Parts of the grid connection; none: the grid is no limit.
    pub(crate) grid: Vec<CompiledStep>,
    /// Steps of import that are applied for.
    pub(crate) applied: Vec<Capacity>,
    pub(crate) bridges: Vec<CompiledBridge>,
    pub(crate) curtailment: Option<CompiledCurtailment>,
    pub(crate) efficiency: Option<CompiledEfficiency>,
    pub(crate) energy: Option<CompiledEnergy>,
    pub(crate) substations: Vec<(NodeId, Capacity)>,
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
    pub(crate) part: StepPart,
    /// Of the whole step.
    pub(crate) capacity: Capacity,
    pub(crate) granted_share: Quantity,
}

/// Facility power of a step of the grid or a substation: stated in MW, and multiplied by a size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) mw: Quantity,
    pub(crate) size: Size,
}

impl Capacity {
    /// In the trial with these inputs, in kW.
    pub(crate) fn kw(&self, drawn: &[f64]) -> f64 {
        self.mw.value(drawn) * 1_000.0 * self.size.factor(drawn)
    }
}

impl CompiledStep {
    /// What this part adds to the import in the trial with these inputs, in kW of facility power.
    pub(crate) fn kw(&self, drawn: &[f64]) -> f64 {
        self.part.kw(self.capacity.kw(drawn)) * self.granted_share.value(drawn)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledBridge {
    pub(crate) works: NodeId,
    pub(crate) firm_kw: f64,
    pub(crate) permanent: bool,
    pub(crate) carbon_g_per_kwh: f64,
    pub(crate) price_per_mwh: Quantity,
    pub(crate) battery: Option<Battery>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledCurtailment {
    pub(crate) hours_per_year: Quantity,
    pub(crate) depth_share: Quantity,
    pub(crate) event_hours: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledBuilding {
    /// What it carries at most, in kW of critical IT power before the size, infinite without a limit.
    pub(crate) power_kw: Quantity,
    /// What the power that it carries is multiplied by.
    pub(crate) size: Size,
    /// Its halls among those of the model.
    pub(crate) halls: std::ops::Range<usize>,
    pub(crate) chain: Option<CompiledChain>,
    /// How much more its halls sell than they are fed, 1 or more.
    pub(crate) sold_per_fed: f64,
    /// Where that is stated: standard deviation of the draw of a hall as a share of what is in service.
    pub(crate) relative_sd: Option<f64>,
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
    /// Whether any of its buildings states an oversubscription.
    pub(crate) fn is_oversubscribed(&self) -> bool {
        self.buildings
            .iter()
            .any(|building| building.relative_sd.is_some())
    }

    /// The electrical chains of its buildings, with the positions of these.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (usize, &CompiledChain)> {
        let buildings = self.buildings.iter().enumerate();
        buildings.filter_map(|(position, building)| Some((position, building.chain.as_ref()?)))
    }
}

impl CompiledBuilding {
    /// What it carries with so many modules installed, in kW of critical IT power.
    pub(crate) fn carries_kw(&self, modules: u32, drawn: &[f64]) -> f64 {
        let power_kw = self.power_kw.value(drawn) * self.size.factor(drawn);
        match &self.chain {
            Some(compiled) => power_kw.min(compiled.chain.usable_kw(modules)),
            None => power_kw,
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
    /// What must hold in a trial for its building to be built.
    pub(crate) presence: Vec<Presence>,
    /// Whether it is planned from the beginning, rather than a wave of an expansion.
    pub(crate) is_announced: bool,
    /// What the PFLOPS of its hardware are multiplied by.
    pub(crate) compute_factor: Quantity,
    pub(crate) handover: NodeId,
    pub(crate) ordered: NodeId,
    pub(crate) hardware: Hardware,
    pub(crate) plan: HallPlan,
    pub(crate) life: Option<Quantity>,
    pub(crate) refresh: Quantity,
    pub(crate) retrofit: Option<CompiledRetrofit>,
    /// CO2 of its part of the building, in t.
    pub(crate) embodied_t: f64,
    pub(crate) feed: Feed,
    /// Share of the time in which what stands in it is fed and works.
    pub(crate) available_share: f64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledRetrofit {
    pub(crate) pool: usize,
    pub(crate) plan: HallPlan,
    pub(crate) downtime: Quantity,
    pub(crate) capex_per_kw: Quantity,
    pub(crate) embodied_t: f64,
}

#[derive(Clone, Debug, Default)]
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

impl CompiledTarget {
    /// Adds the metrics on which it depends.
    fn note_metrics(&self, to: &mut Vec<usize>) {
        match self {
            Self::Metric { metric, .. } => to.push(*metric),
            Self::Milestone { .. } => {}
            Self::Joint(parts) => parts.iter().for_each(|part| part.note_metrics(to)),
        }
    }
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

    /// A selection of metrics that are gathered, by their names. Trials write, besides, what targets, conditions of
    /// phases and outcomes are made of; with money or extensions in Rust they write all.
    pub fn select<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Selection, UnknownMetric> {
        let mut needed = self.stranded.clone();
        self.targets
            .iter()
            .for_each(|target| target.note_metrics(&mut needed));
        for gate in &self.gates {
            needed.extend(gate.conditions.iter().map(|clause| clause.metric));
        }
        if self.finance.is_some() || self.own.is_some() {
            needed = (0..self.layout.metrics.len()).collect();
        }
        Selection::of(self.layout.clone(), names.into_iter(), needed.into_iter())
    }

    /// Draws the inputs of an independent trial, in the order of [`Model::input_names`].
    pub fn draw_inputs(&self, seed: u64, trial: u64, drawn: &mut Vec<f64>) {
        self.draw(&Sampling::random(seed), trial, drawn);
    }

    /// Makes a sampling design ready for this model's inputs.
    pub fn sampling(&self, design: Design, seed: u64) -> Result<Sampling, DesignError> {
        self.sampling_of(&Drawing::new(design, seed))
    }

    /// Makes a design or an ensemble ready for this model's inputs. An ensemble's numbers go to the inputs of the same
    /// names; an input that it does not have is drawn as in the trial whose noise a member has.
    pub fn sampling_of(&self, drawing: &Drawing) -> Result<Sampling, DesignError> {
        Sampling::new(drawing, self.inputs.named_sources())
    }

    /// The point of a trial in the space of the inputs: for each input, in the order of [`Model::input_names`], a uniform
    /// number in (0, 1), independent of the others. Returns the trial's process noise.
    pub fn point(&self, sampling: &Sampling, trial: u64, point: &mut Vec<f64>) -> Noise {
        point.clear();
        sampling.uniforms(trial, self.inputs.sources(), point)
    }

    /// The values of all inputs at a point (see [`Self::point`]), in their own units: correlated as the scenario says, then
    /// the quantile of each.
    ///
    /// # Panics
    /// If the point has not as many numbers as there are inputs.
    pub fn input_values(&self, point: &[f64], values: &mut Vec<f64>) {
        assert_eq!(point.len(), self.inputs.len(), "a number for each input");
        values.clear();
        values.extend_from_slice(point);
        self.inputs.evaluate(values);
    }

    /// Correlates a point's uniforms as the scenario says, in their place: each is then its input's place in its own
    /// distribution.
    pub fn correlate(&self, point: &mut [f64]) {
        self.inputs.correlate_point(point);
    }

    /// The inputs of a trial of a design; returns its process noise.
    pub(crate) fn draw(&self, sampling: &Sampling, trial: u64, drawn: &mut Vec<f64>) -> Noise {
        let noise = self.point(sampling, trial, drawn);
        self.inputs.evaluate(drawn);
        noise
    }

    /// How many inputs are drawn once a trial.
    pub fn input_count(&self) -> usize {
        self.inputs.len()
    }

    /// The inputs that are correlated with others: positions in the order of [`Model::input_names`].
    pub fn correlated_inputs(&self) -> &[usize] {
        self.inputs.correlated()
    }

    /// The scenario's fingerprint: [`Scenario::fingerprint`].
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// About how much memory a run takes on so many threads, in bytes: within a factor of two, where tenants do not
    /// grow far beyond their median. (What each part takes was measured.)
    pub fn memory_bytes(&self, threads: usize) -> u64 {
        /// The program, and what each thread takes anyway.
        const BASE: f64 = 16e6;
        /// The histogram of a number that differs from trial to trial, with its sums.
        const SERIES: f64 = 4e3;
        /// A contract with its leases and its place in queues.
        const CONTRACT: f64 = 150.0;
        let numbers = self.layout.monthly_len() as f64;
        let of_a_thread = numbers * SERIES + self.most_contracts * CONTRACT;
        (BASE + threads.max(1) as f64 * of_a_thread) as u64
    }

    /// Adds metrics, policies and tenants that are given in Rust to a model of the scenario.
    pub(crate) fn extend(
        &mut self,
        scenario: &Scenario,
        own: &Extensions,
        fingerprint: String,
        problems: &mut Problems,
    ) {
        let mut layout = Layout::clone(&self.layout);
        let compiled = CompiledOwn::compile(scenario, own, &mut layout, problems);
        self.market.expect_own();
        self.own = Some(compiled);
        self.layout = Arc::new(layout);
        self.fingerprint = fingerprint;
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
    sites.network.prioritise(scenario.crew_priority);
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
    if let Some(inputs) = &inputs {
        warn_of_sunk_capex(scenario, finance.as_ref(), &network, inputs, problems);
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
    let places = sites.places;
    match assemble(scenario, inputs.unwrap_or_default(), parts) {
        Ok(mut model) => {
            check_input_names(&model.inputs, &places, problems);
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

/// Warns of capex that a trial with all inputs at their medians would pay before the start.
fn warn_of_sunk_capex(
    scenario: &Scenario,
    finance: Option<&CompiledFinance>,
    network: &Network,
    inputs: &Inputs,
    problems: &mut Problems,
) {
    if let (Some(compiled), Some(stated)) = (finance, &scenario.finance) {
        let mut finish = Vec::new();
        network.schedule(&inputs.medians(), &mut Plan::default(), &mut finish);
        compiled.warn_of_sunk(&stated.capex, &finish, problems);
    }
}

/// Inputs are told apart, and drawn, by their names: two of one name would have the same draws.
fn check_input_names(inputs: &Inputs, places: &BTreeMap<String, Path>, problems: &mut Problems) {
    for name in inputs.repeated_names() {
        let at = places
            .get(name)
            .map_or_else(Path::root, |at| at.key("name"));
        problems.error(
            &at,
            format!("two uncertain quantities have the name \"{name}\", so that they would be drawn alike"),
            "give the activity (or whatever else has that name) another one",
        );
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
                || sites.halls.iter().any(|hall| {
                    let retrofit = hall.plan.retrofit.as_ref();
                    retrofit.is_some_and(|retrofit| retrofit.embodied_carbon_t > 0.0)
                })
        }
        Feature::Efficiency => campuses.clone().any(|campus| campus.efficiency.is_some()),
        Feature::Oversubscription => {
            let mut buildings = sites.campuses.iter().flat_map(|campus| &campus.buildings);
            buildings.any(|building| building.relative_sd.is_some())
        }
        Feature::Battery => {
            let mut bridges = campuses.clone().flat_map(|campus| &campus.bridge_power);
            bridges.any(|bridge| bridge.storage.is_some())
        }
        Feature::Buildings => campuses.clone().any(|campus| {
            let mut buildings = campus.buildings.iter();
            buildings.any(Building::is_uncertain)
        }),
        Feature::Curtailment => campuses.clone().any(|campus| campus.curtailment.is_some()),
        Feature::Commitments => {
            let of_commitments = |name: &str| {
                let mut metrics = MetricId::ALL.iter();
                metrics.any(|metric| {
                    metric.feature() == Some(Feature::Commitments)
                        && METRICS[*metric as usize].name == name
                })
            };
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
                || asked.any(of_commitments)
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
    let kinds = scenario.rack_types.iter();
    let kinds = kinds.map(|kind| Kind::compile(kind, &mut inputs));
    let kinds = kinds.collect::<Result<Vec<Kind>, UncertainError>>()?;
    let mut halls = Vec::with_capacity(parts.halls.len());
    let mut campuses = Vec::with_capacity(parts.campuses.len());
    for (position, nodes) in parts.campuses.into_iter().enumerate() {
        let campus = &scenario.campuses[position];
        for hall in &parts.halls[nodes.halls.clone()] {
            let kind = rack_type_of(&hall.plan.rack_type);
            let plan = hall.plan;
            let building = &nodes.buildings[hall.feed.building];
            let (size, sold) = (building.size, building.sold_per_fed);
            let made_for =
                HallPlan::compile(plan, &hall.name, kinds[kind], size, sold, &mut inputs)?;
            let life = inputs.register(&hall.name, plan.fields().hardware_life_months())?;
            let refresh = inputs.register(&hall.name, plan.fields().refresh_months())?;
            let retrofit = match &plan.retrofit {
                Some(retrofit) => {
                    let kind = rack_type_of(&retrofit.rack_type);
                    let fields = retrofit.fields();
                    Some(CompiledRetrofit {
                        pool: supply.pool(position, kind),
                        plan: made_for.rebuilt(retrofit, &hall.name, kinds[kind], &mut inputs)?,
                        downtime: inputs.register(&hall.name, fields.downtime_months())?,
                        capex_per_kw: inputs.register(&hall.name, fields.capex_per_kw())?,
                        embodied_t: retrofit.embodied_carbon_t,
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
                presence: hall.presence.clone(),
                is_announced: hall.is_announced,
                compute_factor: hall.compute_factor,
                handover: hall.handover,
                ordered: hall.ordered,
                hardware,
                plan: made_for,
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
        campuses.push(CompiledCampus {
            pue: inputs.register(&campus.name, campus.fields().pue())?,
            availability: inputs.register(&campus.name, campus.fields().availability())?,
            grid: nodes.grid,
            applied: nodes.applied,
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
    let segments = levers::prompted(
        &scenario.segments,
        &scenario.levers,
        scenario.start,
        scenario.horizon_months,
    );
    let vouchers: Vec<Voucher> = (scenario.vouchers.iter())
        .filter(|voucher| !voucher.is_off)
        .cloned()
        .collect();
    let demand = Demand {
        segments: &segments,
        tenants: &scenario.tenants,
        regimes: &scenario.regimes,
        vouchers: &vouchers,
        keeps_leases: parts.finance.is_some(),
    };
    let mut market = Market::compile(demand, &supply, &mut inputs)?;
    let mut finance = parts.finance;
    let pools = campus_names.len() * rack_types.len();
    let (milestone_names, milestones) = parts.milestones.into_iter().unzip();
    let mut layout = layout(scenario, &parts.reported, campus_names, milestone_names);
    let currency = (scenario.finance.as_ref()).map_or("money", |finance| &finance.currency);
    market.extend_layout(currency, &mut layout.metrics);
    if parts.reported.contains(&MetricId::WaitingTime) {
        market.report_outcomes(&mut layout.outcomes);
    }
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
        stranded: ledger(&parts.reported)
            .filter_map(|cause| parts.reported.iter().position(|metric| *metric == cause))
            .collect(),
        reports_commitments: parts.reported.contains(&MetricId::CommittedPower),
        reports_buildings: parts.reported.contains(&MetricId::BuildingsLive),
        reported: parts.reported,
        months,
        most_contracts: scenario.most_contracts(),
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
        own: None,
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
        outcomes: ledger(reported).map(outcome_of).collect(),
    }
}

/// Causes of stranding whose sums over the horizon are outcomes.
fn ledger(reported: &[MetricId]) -> impl Iterator<Item = MetricId> + '_ {
    let keeps = reported.contains(&MetricId::BuiltPower);
    let causes = STRANDED
        .into_iter()
        .filter(|cause| reported.contains(cause));
    causes.filter(move |_| keeps)
}

/// A metric in MW as its sum over the horizon, in MW-months.
fn outcome_of(metric: MetricId) -> Metric {
    let label = &METRICS[metric as usize];
    Metric {
        name: format!("{}_months", label.name),
        unit: "MW-months".to_owned(),
        meaning: format!("{}: sum over the months of the horizon", label.meaning),
    }
}

fn compile_curtailment(
    campus: &Campus,
    inputs: &mut Inputs,
) -> Result<Option<CompiledCurtailment>, UncertainError> {
    let Some(curtailment) = &campus.curtailment else {
        return Ok(None);
    };
    let fields = curtailment.fields();
    Ok(Some(CompiledCurtailment {
        hours_per_year: inputs.register(&campus.name, fields.hours_per_year())?,
        depth_share: inputs.register(&campus.name, fields.depth_share())?,
        event_hours: curtailment.event_hours,
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
                let is_optional = METRICS.iter().any(|known| known.name == condition.metric);
                if is_optional && !reported.iter().any(|known| name(known) == condition.metric) {
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
                    problems.name_help(wanted, names),
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
