//! What a scenario reports: the metrics of the features that it uses, and the layout of its results.

use crate::problem::{Path, Problems};
use crate::projection::metrics::{CAUSES, Feature, METRICS, MetricId, STRANDED};
use crate::projection::{Layout, Metric, TargetLabel};
use crate::scenario::Scenario;
use crate::site::{Building, Sites};

/// What all campuses together are called in results.
pub(super) const TOTAL: &str = "total";

/// The metrics that the scenario uses, in the order of [`METRICS`].
pub(super) fn reported_metrics(scenario: &Scenario, sites: &Sites<'_>) -> Vec<MetricId> {
    let campuses = scenario.campuses.iter();
    let uses = |feature| match feature {
        Feature::Density => states_density(scenario, sites),
        Feature::EmbodiedCarbon => states_embodied_carbon(scenario, sites),
        Feature::Efficiency => campuses.clone().any(|campus| campus.efficiency.is_some()),
        Feature::Oversubscription => {
            let mut buildings = sites.compiled_buildings();
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
        Feature::Commitments => states_commitments(scenario),
        Feature::Energy => campuses.clone().any(|campus| campus.energy.is_some()),
        Feature::ElectricalChain => {
            let mut buildings = sites.compiled_buildings();
            buildings.any(|building| building.chain.is_some())
        }
    };
    let is_used = |metric: &MetricId| metric.feature().is_none_or(uses);
    MetricId::ALL.iter().copied().filter(is_used).collect()
}

/// Whether more is said of density than the power of a rack.
fn states_density(scenario: &Scenario, sites: &Sites<'_>) -> bool {
    let mut generations = scenario.generations.iter();
    let mut buildings = sites.compiled_buildings();
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

fn states_embodied_carbon(scenario: &Scenario, sites: &Sites<'_>) -> bool {
    let mut generations = scenario.generations.iter();
    let mut buildings = sites.buildings.iter();
    let mut halls = sites.halls.iter();
    generations.any(|known| known.rack_embodied_carbon_t > 0.0)
        || buildings.any(|known| known.planned.plan.embodied_carbon_t.is_some())
        || halls.any(|hall| {
            let retrofit = hall.plan.retrofit.as_ref();
            retrofit.is_some_and(|retrofit| retrofit.embodied_carbon_t > 0.0)
        })
}

/// Whether there are commitments of tenants before they sign, or they are asked for.
fn states_commitments(scenario: &Scenario) -> bool {
    let is_of_commitments = |name: &str| {
        let mut metrics = MetricId::ALL.iter();
        metrics.any(|metric| {
            metric.feature() == Some(Feature::Commitments) && METRICS[*metric as usize].name == name
        })
    };
    let targets = scenario.targets.iter();
    let targets = targets.filter_map(|target| target.metric.as_deref());
    let phases = scenario.campuses.iter().flat_map(|campus| &campus.phases);
    let conditions = phases.flat_map(|phase| &phase.when);
    let mut asked = targets.chain(conditions.map(|condition| condition.metric.as_str()));
    let mut segments = scenario.segments.iter();
    scenario.finance.is_some()
        || !scenario.tenants.is_empty()
        || segments.any(|segment| !segment.stages.is_empty())
        || asked.any(is_of_commitments)
}

/// The layout of results, before tenants and money add to it.
pub(super) fn layout(
    scenario: &Scenario,
    reported: &[MetricId],
    milestones: Vec<String>,
) -> Layout {
    let mut scopes = vec![TOTAL.to_owned()];
    if scenario.campuses.len() > 1 {
        let campuses = scenario.campuses.iter();
        scopes.extend(campuses.map(|campus| campus.name.clone()));
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
        outcomes: stranded_causes(reported).map(outcome_of).collect(),
    }
}

/// Causes of stranding whose sums over the horizon are outcomes.
fn stranded_causes(reported: &[MetricId]) -> impl Iterator<Item = MetricId> + '_ {
    let keeps = reported.contains(&MetricId::BuiltPower);
    let causes = STRANDED
        .into_iter()
        .filter(|cause| reported.contains(cause));
    causes.filter(move |_| keeps)
}

/// Where the layout has the causes of stranding whose sums over the horizon are outcomes.
pub(super) fn stranded_positions(reported: &[MetricId]) -> Vec<usize> {
    let position = |cause| reported.iter().position(|metric| *metric == cause);
    stranded_causes(reported).filter_map(position).collect()
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

/// Phases may wait for what the scenario reports alone.
pub(super) fn check_conditions(
    scenario: &Scenario,
    reported: &[MetricId],
    problems: &mut Problems,
) {
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
