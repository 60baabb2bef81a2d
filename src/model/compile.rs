//! How a scenario becomes a model: the one pass over all concepts, in the order in which they depend on one another.

use std::sync::Arc;

use super::milestones::{Milestones, check_distinct_names};
use super::reported::{check_conditions, layout, reported_metrics, stranded_positions};
use super::targets::{compile_gates, compile_targets, resolve_targets};
use super::{Model, money};
use crate::compute::{CompiledGeneration, PlannedGeneration, compile_generations};
use crate::finance::books::CompiledFinance;
use crate::policy::levers;
use crate::problem::{Path, Problems};
use crate::projection::Layout;
use crate::projection::metrics::MetricId;
use crate::sampling::inputs::Inputs;
use crate::scenario::Scenario;
use crate::schedule::compiler::{Compiler, Terms};
use crate::schedule::network::Network;
use crate::schedule::plan::Plan;
use crate::site::{Equipment, Sites};
use crate::tenants::Voucher;
use crate::tenants::market::{Demand, Market, Supply};

/// Compiles a scenario whose parts have been checked, and adds what is wrong with the whole to `problems`. If there are
/// errors already, references and cycles alone are checked.
pub(super) fn compile(scenario: &Scenario, problems: &mut Problems) -> Option<Model> {
    let terms = Terms {
        start: scenario.start,
        horizon_months: scenario.horizon_months,
        calendars: &scenario.calendars,
        crews: &scenario.crews,
        plan_classes: &scenario.plan_classes,
    };
    let mut compiler = Compiler::new(terms, std::mem::take(problems));
    let model = compile_parts(scenario, &mut compiler);
    *problems = compiler.problems;
    model.filter(|_| !problems.has_errors())
}

/// The table of contents. Inputs keep the order in which they are registered here, which is that of the dimensions of
/// sampling designs.
fn compile_parts(scenario: &Scenario, compiler: &mut Compiler<'_>) -> Option<Model> {
    let sites = compile_network(scenario, compiler);
    if !compiler.draws() {
        compiler.build_network(scenario.crew_priority)?;
        return None;
    }
    let milestones = Milestones::compile(scenario, &sites, compiler);
    let reported = reported_metrics(scenario, &sites);
    let mut targets = compile_targets(scenario, &milestones, &reported, compiler);
    check_distinct_names(scenario, &milestones, &mut compiler.problems);
    let mut finance = money::compile(scenario, &sites, compiler);
    check_conditions(scenario, &reported, &mut compiler.problems);
    let network = compiler.build_network(scenario.crew_priority)?;
    if compiler.problems.has_errors() {
        return None;
    }
    warn_of_sunk_capex(scenario, finance.as_ref(), &network, compiler);

    let generations = scenario.all_generations();
    let compiled_generations = compile_hardware(scenario, &generations, compiler)?;
    let equipment = Equipment::compile(&scenario.rack_types, &generations, compiler);
    let gates = sites.gates.iter().map(|gate| (gate.ready, gate.phase));
    let gates: Vec<_> = gates.collect();
    let (campuses, halls) = sites.finish(&equipment, compiler);
    let keeps_leases = finance.is_some();
    let mut market = compile_market(scenario, &compiled_generations, keeps_leases, compiler)?;

    let layout = complete_layout(
        scenario,
        &reported,
        milestones.names,
        &mut market,
        finance.as_mut(),
    );
    resolve_targets(&mut targets, &scenario.targets, &layout);
    let inputs = complete_inputs(scenario, compiler);
    Some(Model {
        name: scenario.name.clone(),
        fingerprint: scenario.fingerprint(),
        gates: compile_gates(&gates, &layout),
        layout: Arc::new(layout),
        stranded: stranded_positions(&reported),
        reports_commitments: reported.contains(&MetricId::CommittedPower),
        reports_buildings: reported.contains(&MetricId::BuildingsLive),
        reported,
        months: scenario.horizon_months as usize,
        most_contracts: scenario.most_contracts(),
        standard_rack_kw: scenario.standard_rack_power_kw,
        inputs,
        network,
        generations: compiled_generations,
        pools: campuses.len() * scenario.rack_types.len(),
        campuses,
        halls,
        market,
        finance,
        milestones: milestones.compiled,
        targets,
        own: None,
    })
}

/// The inputs, all of whose names differ, with their correlations.
fn complete_inputs(scenario: &Scenario, compiler: &mut Compiler<'_>) -> Inputs {
    compiler.check_input_names();
    let mut inputs = compiler.take_inputs();
    if let Some(correlations) = &scenario.correlations {
        let at = Path::root().key("correlations");
        inputs.correlate(correlations, &at, &mut compiler.problems);
    }
    inputs
}

fn compile_hardware(
    scenario: &Scenario,
    generations: &[PlannedGeneration],
    compiler: &mut Compiler<'_>,
) -> Option<Vec<CompiledGeneration>> {
    let (trend, precision) = (scenario.generation_trend.as_ref(), &scenario.precision);
    compiler.with_inputs(|inputs| {
        compile_generations(generations, trend, precision, scenario.start, inputs)
    })
}

/// Everything that happens in the schedule: campuses with all their works, then what names works of any campus.
fn compile_network<'a>(scenario: &'a Scenario, compiler: &mut Compiler<'_>) -> Sites<'a> {
    let templates = &scenario.building_templates;
    let mut sites = Sites::compile(&scenario.campuses, templates, compiler);
    sites.connect(compiler);
    compiler.branch();
    for (position, risk) in scenario.risks.iter().enumerate() {
        compiler.item("risks", position, |compiler| risk.compile(compiler));
    }
    for (position, lever) in scenario.levers.iter().enumerate() {
        compiler.item("levers", position, |compiler| {
            lever.compile_approvals(compiler);
        });
    }
    compiler.report(scenario.status.as_ref());
    sites
}

/// Warns of capex that a trial with all inputs at their medians would pay before the start.
fn warn_of_sunk_capex(
    scenario: &Scenario,
    finance: Option<&CompiledFinance>,
    network: &Network,
    compiler: &mut Compiler<'_>,
) {
    let medians = compiler.inputs().map(|inputs| inputs.medians());
    if let (Some(compiled), Some(stated), Some(medians)) = (finance, &scenario.finance, medians) {
        let mut finish = Vec::new();
        network.schedule(&medians, &mut Plan::default(), &mut finish);
        compiled.warn_of_sunk(&stated.capex, &finish, &mut compiler.problems);
    }
}

fn compile_market(
    scenario: &Scenario,
    generations: &[CompiledGeneration],
    keeps_leases: bool,
    compiler: &mut Compiler<'_>,
) -> Option<Market> {
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<String>>();
    let generation_names = scenario.generations.iter().map(|known| known.name.as_str());
    let supply = Supply {
        campuses: &names(&mut scenario.campuses.iter().map(|campus| &campus.name)),
        rack_types: &names(&mut scenario.rack_types.iter().map(|kind| &kind.name)),
        standard_rack_kw: scenario.standard_rack_power_kw,
        months: scenario.horizon_months as usize,
        start: scenario.start,
        generations,
        generation_names: &generation_names.collect::<Vec<&str>>(),
    };
    let (start, months) = (scenario.start, scenario.horizon_months);
    let vouchers = scenario.vouchers.iter();
    let vouchers: Vec<Voucher> = vouchers.filter(|one| !one.is_off).cloned().collect();
    let demand = Demand {
        segments: &levers::prompted(&scenario.segments, &scenario.levers, start, months),
        tenants: &scenario.tenants,
        regimes: &scenario.regimes,
        vouchers: &vouchers,
        keeps_leases,
    };
    compiler.with_inputs(|inputs| Market::compile(demand, &supply, inputs))
}

/// The layout with what tenants and money add to it.
fn complete_layout(
    scenario: &Scenario,
    reported: &[MetricId],
    milestones: Vec<String>,
    market: &mut Market,
    finance: Option<&mut CompiledFinance>,
) -> Layout {
    let mut layout = layout(scenario, reported, milestones);
    let stated = scenario.finance.as_ref();
    let currency = stated.map_or("money", |finance| &finance.currency);
    market.extend_layout(currency, &mut layout.metrics);
    if reported.contains(&MetricId::WaitingTime) {
        market.report_outcomes(&mut layout.outcomes);
    }
    if let Some(finance) = finance {
        let segments = scenario.segments.iter();
        let segments = segments.map(|segment| segment.name.as_str());
        finance.extend_layout(currency, segments, &mut layout);
    }
    layout
}
