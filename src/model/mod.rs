//! The model: a scenario compiled once, with names resolved, distributions made samplers and the
//! activity network sorted. It is immutable and shared by all threads.

mod compile;
pub mod extensions;
mod milestones;
mod money;
mod reported;
mod targets;

use std::sync::Arc;

use crate::compute::CompiledGeneration;
use crate::finance::books::CompiledFinance;
use crate::model::extensions::{CompiledOwn, Extensions};
pub(crate) use crate::power::CompiledCurtailment;
use crate::problem::Problems;
use crate::projection::metrics::MetricId;
use crate::projection::{Layout, Selection, UnknownMetric};
use crate::sampling::design::{Design, DesignError, Drawing, Noise, Sampling};
use crate::sampling::inputs::Inputs;
use crate::scenario::{Scenario, ScenarioError};
use crate::schedule::network::Network;
use crate::site::Gate;
pub(crate) use crate::site::{
    CompiledBuilding, CompiledCampus, CompiledExisting, CompiledHall, HallFit,
};
use crate::tenants::market::Market;

pub(crate) use milestones::CompiledMilestone;
pub(crate) use targets::CompiledTarget;

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

    /// The model, if nothing is wrong, and all that is wrong or unlikely.
    pub fn compile_with_warnings(&self) -> (Option<Model>, Problems) {
        let mut problems = Problems::new();
        self.check_parts(&mut problems);
        self.check_limits(&mut problems);
        let model = compile::compile(self, &mut problems);
        (model, problems)
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

    /// About how much memory a run takes on this many threads, in bytes: within a factor of two, where tenants do not
    /// grow far beyond their median. (What each part takes was measured.)
    pub fn memory_bytes(&self, threads: usize) -> u64 {
        /// The program, and what each thread takes anyway.
        const BASE: f64 = 16e6;
        /// The histogram of a number that differs from trial to trial, with its sums.
        const SERIES: f64 = 4e3;
        /// A contract with its leases and its place in queues.
        const CONTRACT: f64 = 150.0;
        /// An activity or event as it is read and compiled.
        const ACTIVITY: f64 = 2.5e3;
        /// A segment or named tenant as it is read and compiled, and each of its months in a trial.
        const SEGMENT: f64 = 9e3;
        const SEGMENT_MONTH: f64 = 250.0;
        let numbers = self.layout.monthly_len() as f64;
        let segments = self.market.len() as f64;
        let of_a_thread = numbers * SERIES
            + self.most_contracts * CONTRACT
            + segments * self.months as f64 * SEGMENT_MONTH;
        let read = self.network.len() as f64 * ACTIVITY + segments * SEGMENT;
        (BASE + read + threads.max(1) as f64 * of_a_thread) as u64
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
