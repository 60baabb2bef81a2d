//! Metrics, policies and tenants of one's own, in Rust, beside those of the scenario.
//!
//! Four traits, each with one method that matters:
//!
//! | trait | is asked | answers |
//! |---|---|---|
//! | [`OwnMetric`] | for each month of a trial, once it is over | a number of that month |
//! | [`OwnOutcome`] | once a trial, when it is over | a number of the trial |
//! | [`OwnPolicy`] | at the end of each month until it says yes | whether a phase starts |
//! | [`OwnDemand`] | at the beginning of each month | which contracts are signed in it |
//!
//! All of them see a trial read-only, through [`Seen`]: what it has reported up to now, and nothing of what is to
//! come. Their numbers are gathered in the projection as any other: percentiles, charts, tables, Parquet. Random numbers come
//! from a [`Stream`] that belongs to the trait's name, the trial and the month, so results are the same bits on any
//! number of threads, and the random numbers of everything else stay as they were. An implementation must not remember anything from one
//! call to the next: trials run on many threads, in no order.
//!
//! What a model was given by name goes into its fingerprint, so that parts of runs with other policies are not
//! merged. A name stands for a behaviour: change the name (`"cautious v2"`) when the behaviour changes.
//!
//! ```
//! use buildout::model::extensions::{Extensions, OwnMetric, OwnPolicy, Seen};
//! use buildout::sampling::streams::Stream;
//! use buildout::projection::Metric;
//!
//! /// Live power that nobody uses.
//! struct Idle;
//!
//! impl OwnMetric for Idle {
//!     fn label(&self) -> Metric {
//!         Metric {
//!             name: "idle_power_mw".into(),
//!             unit: "MW".into(),
//!             meaning: "Deployable power not in service".into(),
//!         }
//!     }
//!
//!     fn value(&self, seen: &Seen<'_>, scope: usize) -> f64 {
//!         seen.now(scope, "it_power_mw") - seen.now(scope, "in_service_power_mw")
//!     }
//! }
//!
//! /// Builds on when three quarters are let in a year's mean.
//! struct Cautious;
//!
//! impl OwnPolicy for Cautious {
//!     fn name(&self) -> String {
//!         "cautious".into()
//!     }
//!
//!     fn starts(&self, seen: &Seen<'_>, _: &mut Stream) -> bool {
//!         let take_up = seen.metric(0, "take_up").unwrap_or_default();
//!         take_up.len() >= 12 && take_up[take_up.len() - 12..].iter().sum::<f64>() >= 0.75 * 12.0
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use buildout::{Batch, Date, Scenario, site::Phase, site::Campus};
//! let mut scenario = Scenario::new("land", Date::month(2025, 1)?, 36);
//! let mut north = Campus::new("north");
//! north.phases.push(Phase::new("phase 2"));
//! scenario.campuses.push(north);
//!
//! let own = Extensions::new().metric(Idle).policy("north", "phase 2", Cautious);
//! let projection = Batch::new(&scenario.compile_with(&own)?).trials(50).run()?;
//! assert_eq!(projection.metric("idle_power_mw").unwrap().mean()[35], 0.0);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::sync::Arc;

use crate::model::Model;
use crate::problem::{Path, Problems, check_known};
use crate::projection::{Layout, Metric, TrialRow};
use crate::sampling::streams::{Source, Stream};
use crate::scenario::{Scenario, ScenarioError};
use crate::site::Condition;
use crate::tenants::Allocation;
pub use crate::tenants::OwnContract;

/// What a trial has reported so far.
///
/// Scope 0 is the total; where there are several campuses they follow in the order of the scenario.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    row: &'a TrialRow,
    months: usize,
}

impl<'a> Seen<'a> {
    /// How many months have been reported; the last of them is "now".
    pub fn months(&self) -> usize {
        self.months
    }

    /// What there is to see: the names of scopes, metrics, causes and milestones.
    pub fn layout(&self) -> &'a Layout {
        self.row.layout()
    }

    /// The metric of that name at the end of each month reported so far; none if there is no such metric or scope. Money
    /// is booked when a trial is over: until then its metrics are 0.
    pub fn metric(&self, scope: usize, name: &str) -> Option<&'a [f64]> {
        let layout = self.layout();
        let metric = layout.metric_index(name)?;
        (scope < layout.scopes.len()).then(|| &self.row.monthly(scope, metric)[..self.months])
    }

    /// The metric of that name now; NaN if there is none, or no month has been reported.
    pub fn now(&self, scope: usize, name: &str) -> f64 {
        let last = self.metric(scope, name).and_then(<[f64]>::last);
        last.copied().unwrap_or(f64::NAN)
    }

    /// What held capacity back in the last month reported, such as "grid": one of [`CAUSES`](crate::projection::metrics::CAUSES).
    pub fn binding(&self, scope: usize) -> Option<&'a str> {
        let layout = self.layout();
        if scope >= layout.scopes.len() {
            return None;
        }
        let last = self.row.binding(scope)[..self.months].last()?;
        layout.causes.get(usize::from(*last)).map(String::as_str)
    }

    /// When a milestone was reached, in months after the start; none if it has not been, or there is none of that name.
    /// Milestones are noted when a trial is over, so a policy and a demand see none.
    pub fn milestone(&self, name: &str) -> Option<f64> {
        let at = (self.layout().milestones.iter()).position(|known| known == name)?;
        Some(self.row.milestones()[at]).filter(|months| *months <= self.months as f64)
    }
}

/// A number of each month, for each campus and in total.
pub trait OwnMetric: Send + Sync {
    /// Its name, which no other metric has, its unit, and what it says.
    fn label(&self) -> Metric;

    /// Its value at the end of the last month that is seen, for scope 0, the total, and each campus. NaN stands for a
    /// number that does not exist, and is left out of the statistics.
    fn value(&self, seen: &Seen<'_>, scope: usize) -> f64;
}

/// A single number of a trial.
pub trait OwnOutcome: Send + Sync {
    /// Its name, which no other outcome has, its unit, and what it says.
    fn label(&self) -> Metric;

    /// Its value, given the whole trial. NaN stands for a number that does not exist.
    fn value(&self, seen: &Seen<'_>) -> f64;
}

/// Decides when a phase starts.
pub trait OwnPolicy: Send + Sync {
    /// What identifies its behaviour in fingerprints and names its random stream.
    fn name(&self) -> String;

    /// Whether the phase starts at the end of the last month that is seen. It is asked at the end of each month in which
    /// what the phase is `after` has finished and its conditions in the scenario, if it has any, hold, until it
    /// says yes; if the scenario says `at_latest`, the phase starts then whatever it says.
    fn starts(&self, seen: &Seen<'_>, random: &mut Stream) -> bool;
}

/// Brings contracts of a segment, beside those of its outreach.
pub trait OwnDemand: Send + Sync {
    /// What identifies its behaviour in fingerprints and names its random stream.
    fn name(&self) -> String;

    /// Calls `sign` for each contract that is signed in the month after the last that is seen. Its size and lag are used
    /// as they are given, negative or missing ones as 0; ramp, term and what else it has are drawn as for all
    /// contracts of the segment.
    fn signs(&self, seen: &Seen<'_>, random: &mut Stream, sign: &mut dyn FnMut(OwnContract));
}

/// What a model is to have beside the scenario.
#[derive(Clone, Default)]
pub struct Extensions {
    metrics: Vec<Arc<dyn OwnMetric>>,
    outcomes: Vec<Arc<dyn OwnOutcome>>,
    policies: Vec<(String, String, Arc<dyn OwnPolicy>)>,
    demands: Vec<(String, Arc<dyn OwnDemand>)>,
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Extensions {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a metric.
    #[must_use]
    pub fn metric(mut self, metric: impl OwnMetric + 'static) -> Self {
        self.metrics.push(Arc::new(metric));
        self
    }

    /// Adds an outcome.
    #[must_use]
    pub fn outcome(mut self, outcome: impl OwnOutcome + 'static) -> Self {
        self.outcomes.push(Arc::new(outcome));
        self
    }

    /// Lets a policy decide about a phase of a campus.
    #[must_use]
    pub fn policy(
        mut self,
        campus: impl Into<String>,
        phase: impl Into<String>,
        policy: impl OwnPolicy + 'static,
    ) -> Self {
        self.policies
            .push((campus.into(), phase.into(), Arc::new(policy)));
        self
    }

    /// Adds contracts to a segment.
    #[must_use]
    pub fn demand(mut self, segment: impl Into<String>, demand: impl OwnDemand + 'static) -> Self {
        self.demands.push((segment.into(), Arc::new(demand)));
        self
    }

    /// What is said of them in a fingerprint.
    fn names(&self) -> Vec<String> {
        let metrics = self.metrics.iter().map(|one| ("metric", one.label()));
        let outcomes = self.outcomes.iter().map(|one| ("outcome", one.label()));
        let numbers = metrics
            .chain(outcomes)
            .map(|(kind, label)| format!("{kind} {}", label.name));
        let policies = (self.policies.iter())
            .map(|(campus, phase, policy)| format!("policy {campus}/{phase}: {}", policy.name()));
        let demands = (self.demands.iter())
            .map(|(segment, demand)| format!("demand {segment}: {}", demand.name()));
        numbers.chain(policies).chain(demands).collect()
    }

    fn is_empty(&self) -> bool {
        self.names().is_empty()
    }

    /// The fingerprint of a scenario with these.
    fn fingerprint(&self, scenario: &Scenario) -> String {
        use sha2::{Digest, Sha256};
        let text = format!("{}\n{}", scenario.fingerprint(), self.names().join("\n"));
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Notes what these do not fit in a scenario.
    fn check(&self, scenario: &Scenario, problems: &mut Problems) {
        for (campus, phase, _) in &self.policies {
            let campuses = scenario.campuses.iter().map(|campus| campus.name.as_str());
            let at = Path::root().key("campuses");
            check_known("campus", campus, campuses, &at, problems);
            let there = scenario.campuses.iter().position(|one| one.name == *campus);
            let Some(position) = there else { continue };
            let at = at.index(position).key("phases");
            let phases = &scenario.campuses[position].phases;
            let phases = phases.iter().map(|phase| phase.name.as_str());
            check_known("phase", phase, phases, &at, problems);
        }
        for (name, _) in &self.demands {
            let at = Path::root().key("segments");
            let segments = scenario.segments.iter();
            let known = segments.clone().map(|segment| segment.name.as_str());
            check_known("segment", name, known, &at, problems);
            let is_cohort = |segment: &crate::tenants::Segment| {
                segment.name == *name && segment.allocation == Allocation::Cohort
            };
            if segments.clone().any(is_cohort) {
                problems.error(
                    &at,
                    format!("segment \"{name}\" takes contracts together in cohorts"),
                    "demand of one's own signs them one by one: choose another allocation",
                );
            }
        }
    }
}

impl Scenario {
    /// Compiles the scenario with metrics, policies and tenants of one's own; an error lists all that is wrong.
    pub fn compile_with(&self, own: &Extensions) -> Result<Model, ScenarioError> {
        let mut problems = Problems::new();
        own.check(self, &mut problems);
        if problems.has_errors() {
            return Err(ScenarioError::Invalid(problems));
        }
        let mut scenario = self.clone();
        for campus in &mut scenario.campuses {
            for phase in &mut campus.phases {
                let is_asked = |(of, name, _): &&(String, String, Arc<dyn OwnPolicy>)| {
                    *of == campus.name && *name == phase.name
                };
                if phase.when.is_empty() && own.policies.iter().any(|one| is_asked(&one)) {
                    // A condition that always holds makes it wait for the end of a month.
                    phase.when.push(Condition::new("it_power_mw").at_least(0.0));
                }
            }
        }
        let mut model = scenario.compile()?;
        if own.is_empty() {
            return Ok(model);
        }
        let fingerprint = own.fingerprint(self);
        model.extend(&scenario, own, fingerprint, &mut problems);
        if problems.has_errors() {
            return Err(ScenarioError::Invalid(problems));
        }
        Ok(model)
    }
}

/// Extensions in a model, with their names resolved.
#[derive(Clone, Default)]
pub(crate) struct CompiledOwn {
    /// With their positions in the layout.
    metrics: Vec<(usize, Arc<dyn OwnMetric>)>,
    outcomes: Vec<(usize, Arc<dyn OwnOutcome>)>,
    /// By the numbers of their gates.
    policies: Vec<(usize, Source, Arc<dyn OwnPolicy>)>,
    /// By the positions of their segments.
    demands: Vec<(usize, Source, Arc<dyn OwnDemand>)>,
}

impl fmt::Debug for CompiledOwn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledOwn").finish_non_exhaustive()
    }
}

impl CompiledOwn {
    /// The resolved form of extensions that have been checked; their metrics and outcomes are added to the layout.
    pub(crate) fn compile(
        scenario: &Scenario,
        own: &Extensions,
        layout: &mut Layout,
        problems: &mut Problems,
    ) -> Self {
        let mut compiled = Self::default();
        let mut taken = |kind: &str, label: &Metric, known: &[Metric]| {
            if known.iter().any(|metric| metric.name == label.name) {
                let message = format!("there is a {kind} \"{}\" already", label.name);
                problems.error(&Path::root(), message, "use another name");
            }
        };
        for metric in &own.metrics {
            let label = metric.label();
            taken("metric", &label, &layout.metrics);
            compiled
                .metrics
                .push((layout.metrics.len(), metric.clone()));
            layout.metrics.push(label);
        }
        for outcome in &own.outcomes {
            let label = outcome.label();
            taken("outcome", &label, &layout.outcomes);
            compiled
                .outcomes
                .push((layout.outcomes.len(), outcome.clone()));
            layout.outcomes.push(label);
        }
        // Gates are numbered as phases with conditions come.
        let gated = scenario.campuses.iter().flat_map(|campus| {
            let phases = campus.phases.iter().filter(|phase| !phase.when.is_empty());
            phases.map(|phase| (&campus.name, &phase.name))
        });
        for (gate, (campus, phase)) in gated.enumerate() {
            for (of, name, policy) in &own.policies {
                if of == campus && name == phase {
                    let source = format!("policies/{campus}/{phase}/{}", policy.name());
                    let entry = (gate, Source::named(&source), policy.clone());
                    compiled.policies.push(entry);
                }
            }
        }
        for (name, demand) in &own.demands {
            let segment = scenario.segments.iter().position(|one| one.name == *name);
            let source = format!("tenants/{name}/own/{}", demand.name());
            if let Some(segment) = segment {
                let entry = (segment, Source::named(&source), demand.clone());
                compiled.demands.push(entry);
            }
        }
        compiled
    }

    /// Hands on the contracts that are signed in a month, before it is passed: the segment and the contract.
    pub(crate) fn sign(
        &self,
        seed: u64,
        trial: u64,
        month: usize,
        row: &TrialRow,
        mut to: impl FnMut(usize, OwnContract),
    ) {
        for (segment, source, demand) in &self.demands {
            let mut random = source.stream_at(seed, trial, month as u64);
            let seen = Seen { row, months: month };
            demand.signs(&seen, &mut random, &mut |contract| to(*segment, contract));
        }
    }

    /// Whether the policies of a gate let its phase start at the end of a month.
    pub(crate) fn allows(
        &self,
        gate: usize,
        seed: u64,
        trial: u64,
        month: usize,
        row: &TrialRow,
    ) -> bool {
        let months = month + 1;
        let mut policies = self.policies.iter().filter(|(of, ..)| *of == gate);
        policies.all(|(_, source, policy)| {
            let mut random = source.stream_at(seed, trial, month as u64);
            policy.starts(&Seen { row, months }, &mut random)
        })
    }

    /// Writes metrics and outcomes, when all else of a trial is there.
    pub(crate) fn report(&self, row: &mut TrialRow) {
        let scopes = row.layout().scopes.len();
        for (position, metric) in &self.metrics {
            for scope in 0..scopes {
                for month in 0..row.layout().months {
                    let months = month + 1;
                    let value = metric.value(&Seen { row, months }, scope);
                    row.set(scope, *position, month, value);
                }
            }
        }
        for (position, outcome) in &self.outcomes {
            let months = row.layout().months;
            let value = outcome.value(&Seen { row, months });
            row.outcomes_mut()[*position] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monte_carlo::batch::Batch;
    use crate::projection::Projection;
    use crate::report::fixture::scenario as test_scenario;
    use crate::site::Phase;
    use crate::tenants::Segment;

    struct Idle;

    impl OwnMetric for Idle {
        fn label(&self) -> Metric {
            Metric {
                name: "idle_power_mw".into(),
                unit: "MW".into(),
                meaning: "Deployable power not in service".into(),
            }
        }

        fn value(&self, seen: &Seen<'_>, scope: usize) -> f64 {
            seen.now(scope, "it_power_mw") - seen.now(scope, "in_service_power_mw")
        }
    }

    struct MonthsSeen;

    impl OwnOutcome for MonthsSeen {
        fn label(&self) -> Metric {
            Metric {
                name: "months_seen".into(),
                unit: "months".into(),
                meaning: "How many months there were to see".into(),
            }
        }

        fn value(&self, seen: &Seen<'_>) -> f64 {
            seen.months() as f64
        }
    }

    /// Starts in the month of that number, by chance half of the time and in the next otherwise.
    struct InMonth(usize);

    impl OwnPolicy for InMonth {
        fn name(&self) -> String {
            format!("in month {}", self.0)
        }

        fn starts(&self, seen: &Seen<'_>, random: &mut Stream) -> bool {
            let now = seen.months();
            assert_eq!(seen.metric(0, "it_power_mw").unwrap().len(), now);
            now > self.0 || (now == self.0 && random.uniform() < 0.5)
        }
    }

    struct OneAMonth;

    impl OwnDemand for OneAMonth {
        fn name(&self) -> String {
            "one a month".into()
        }

        fn signs(&self, seen: &Seen<'_>, _: &mut Stream, sign: &mut dyn FnMut(OwnContract)) {
            if seen.months() < 6 {
                sign(OwnContract::new().power_kw(100.0).move_in_lag_months(0.0));
            }
        }
    }

    /// Two campuses with a building each, and a phase that waits; nobody comes by outreach.
    fn scenario() -> Scenario {
        let mut scenario = test_scenario(2, 30);
        let mut south = scenario.campuses[0].clone();
        south.name = "south".into();
        for building in &mut south.buildings {
            building.name = format!("S{}", building.name);
        }
        scenario.campuses.push(south);
        let mut quiet = Segment::new("quiet");
        quiet.outreach_per_month = crate::Uncertain::Constant(0.0);
        quiet.contract_power_kw = Some(crate::Uncertain::Constant(50.0));
        scenario.segments.push(quiet);
        scenario.campuses[0].phases.push(Phase::new("phase 2"));
        for building in &mut scenario.campuses[0].buildings {
            building.after.push("phase 2".into());
        }
        scenario
    }

    fn own(month: usize) -> Extensions {
        Extensions::new()
            .metric(Idle)
            .outcome(MonthsSeen)
            .policy(&scenario().campuses[0].name, "phase 2", InMonth(month))
            .demand("quiet", OneAMonth)
    }

    fn run(own: &Extensions, threads: usize) -> Projection {
        let model = scenario().compile_with(own).unwrap();
        let batch = Batch::new(&model).trials(200).seed(3).threads(threads);
        batch.run().unwrap()
    }

    #[test]
    fn numbers_of_ones_own_are_gathered_as_any_other_on_any_number_of_threads() {
        let projection = run(&own(4), 1);
        assert_eq!(projection.to_json(), run(&own(4), 3).to_json());
        let mean = |name: &str| projection.metric(name).unwrap().mean();
        let (live, used) = (mean("it_power_mw"), mean("in_service_power_mw"));
        for (idle, (live, used)) in mean("idle_power_mw").iter().zip(live.iter().zip(&used)) {
            assert!((idle - (live - used)).abs() < 1e-9);
        }
        let seen = projection.outcome("months_seen").unwrap();
        assert_eq!(seen.quantile(0.5), Some(30.0));
        let campus = projection.campuses().next().unwrap();
        assert!(campus.metric("idle_power_mw").is_some());
    }

    #[test]
    fn a_policy_and_a_demand_decide() {
        let early = run(&own(4), 0);
        let late = run(&own(14), 0);
        let signed = |projection: &Projection, month: usize| {
            projection.metric("contracts_signed").unwrap().mean()[month]
        };
        assert_eq!(
            (signed(&early, 0), signed(&early, 5), signed(&early, 29)),
            (1.0, 6.0, 6.0)
        );
        let name = scenario().campuses[0].name.clone();
        let live = |projection: &Projection| -> f64 {
            let campus = projection.campus(&name).unwrap();
            campus.metric("it_power_mw").unwrap().mean().iter().sum()
        };
        assert!(live(&early) > live(&late));
        // A random number decides between two months: half of the trials are a month later than the others.
        let fingerprints = [&own(4), &own(14), &Extensions::new()].map(|own| {
            scenario()
                .compile_with(own)
                .unwrap()
                .fingerprint()
                .to_owned()
        });
        assert_ne!(fingerprints[0], fingerprints[1]);
        assert_eq!(fingerprints[2], scenario().fingerprint());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let reported = |own: Extensions| {
            let error = scenario().compile_with(&own).unwrap_err();
            error.to_string()
        };
        let campus = scenario().campuses[0].name.clone();
        let policy =
            |campus: &str, phase: &str| Extensions::new().policy(campus, phase, InMonth(1));
        assert!(reported(policy(&campus, "phase 3")).contains("did you mean \"phase 2\"?"));
        assert!(reported(policy("elsewhere", "phase 2")).contains("no campus \"elsewhere\""));
        assert!(reported(Extensions::new().demand("quite", OneAMonth)).contains("\"quiet\""));
        let twice = Extensions::new().metric(Idle).metric(Idle);
        assert!(reported(twice).contains("already"));
    }
}
