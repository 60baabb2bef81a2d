//! What a scenario says of money, compiled: where it is paid, and by whom.

use crate::finance::books::{BuildingPlace, CompiledFinance, HallPlace, Places, Renters};
use crate::finance::{Capex, Finance};
use crate::policy::levers;
use crate::scenario::Scenario;
use crate::schedule::compiler::{Compiler, find_in};
use crate::site::{BuildingNodes, Sites};

/// Compiles what the scenario says of money, if it does.
pub(super) fn compile(
    scenario: &Scenario,
    sites: &Sites<'_>,
    compiler: &mut Compiler<'_>,
) -> Option<CompiledFinance> {
    let finance = with_mitigations(scenario.finance.as_ref()?, scenario, compiler);
    let campuses = scenario.campuses.iter();
    let campus_names: Vec<String> = campuses.clone().map(|campus| campus.name.clone()).collect();
    let buildings = sites.buildings.iter();
    let places = Places {
        campuses: &campus_names,
        settles_energy: campuses.clone().map(|one| one.energy.is_some()).collect(),
        states_energy: campuses
            .map(|campus| {
                let energy = campus.energy.as_ref();
                energy.is_some_and(|energy| energy.price_per_mwh.constant() != Some(0.0))
            })
            .collect(),
        buildings: buildings
            .map(|building| place_of(building, sites))
            .collect(),
        find: &|_, _| None,
    };
    let renters = renters(scenario);
    let months = scenario.horizon_months as usize;
    let terms = levers::money_terms(&scenario.levers);
    let at = compiler.at.key("finance");
    compiler.placed(at, |compiler| {
        compiler.with_network(|inputs, network, problems| {
            let find = |scope: &str, wanted: &str| find_in(network, scope, wanted);
            let places = Places {
                find: &find,
                ..places
            };
            CompiledFinance::compile(
                &finance, &terms, &places, &renters, months, inputs, problems,
            )
        })
    })
}

/// What mitigations cost is capex at the start of the scenario, of the campus whose activities
/// they protect.
fn with_mitigations(finance: &Finance, scenario: &Scenario, compiler: &Compiler<'_>) -> Finance {
    let mut finance = finance.clone();
    for risk in scenario.risks.iter().filter(|risk| risk.cost() > 0.0) {
        let mut capex = Capex::new(format!("mitigation of {}", risk.name), risk.cost());
        capex.campus = compiler.campus_of(risk).map(str::to_owned);
        finance.capex.push(capex);
    }
    finance
}

fn place_of<'a>(building: &'a BuildingNodes<'a>, sites: &'a Sites<'a>) -> BuildingPlace<'a> {
    let planned = &building.planned;
    let names = [planned.name.as_str(), &planned.plan.name].into_iter();
    let halls = building.halls.clone().map(|hall| {
        let nodes = &sites.halls[hall];
        HallPlace {
            hall,
            scope: nodes.name.clone(),
            handover: nodes.handover,
            ordered: nodes.ordered,
        }
    });
    BuildingPlace {
        campus: building.campus,
        scope: format!("{}/{}", sites.campus_of(building), planned.name),
        names: names.chain(planned.plan.template.as_deref()).collect(),
        halls: halls.collect(),
    }
}

/// All who rent: segments, then named tenants, which are reported as their segments.
fn renters(scenario: &Scenario) -> Renters<'_> {
    let segments = scenario.segments.iter();
    let reported: Vec<&str> = segments.map(|segment| segment.name.as_str()).collect();
    let mut names = reported.clone();
    let mut reported_as: Vec<usize> = (0..reported.len()).collect();
    for tenant in &scenario.tenants {
        if let Some(of) = reported.iter().position(|name| *name == tenant.segment) {
            names.push(&tenant.name);
            reported_as.push(of);
        }
    }
    Renters {
        names,
        reported_as,
        reported,
    }
}
