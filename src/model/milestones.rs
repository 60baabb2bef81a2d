//! Milestones: what activities mark, substations, buildings going live, and those stated.

use std::collections::BTreeSet;

use super::reported::TOTAL;
use crate::problem::{Path, Problems};
use crate::scenario::{Milestone, Scenario};
use crate::schedule::compiler::Compiler;
use crate::schedule::network::NodeId;
use crate::site::Sites;

#[derive(Clone, Debug, Default)]
pub(crate) struct CompiledMilestone {
    pub(crate) finished: Vec<NodeId>,
    /// Halls of each building that must be live; the first of them makes the building live.
    pub(crate) live: Vec<std::ops::Range<usize>>,
}

/// All milestones of a scenario, those stated first.
#[derive(Default)]
pub(super) struct Milestones {
    pub(super) names: Vec<String>,
    pub(super) compiled: Vec<CompiledMilestone>,
}

impl Milestones {
    pub(super) fn compile(
        scenario: &Scenario,
        sites: &Sites<'_>,
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let mut all = Self::default();
        for (position, milestone) in scenario.milestones.iter().enumerate() {
            let compiled = compiler.item("milestones", position, |compiler| {
                compile_stated(milestone, scenario, sites, compiler)
            });
            all.add(milestone.name.clone(), compiled);
        }
        let several = scenario.campuses.len() > 1;
        let short = |name: String| match name.split_once('/') {
            Some((_, rest)) if !several => rest.to_owned(),
            _ => name,
        };
        let finished = |node: NodeId| CompiledMilestone {
            finished: vec![node],
            live: Vec::new(),
        };
        for (name, node) in compiler.marked() {
            all.add(short(name.clone()), finished(*node));
        }
        for nodes in &sites.campuses {
            let stated = nodes.campus.substations.iter();
            for (substation, (node, _)) in stated.zip(&nodes.substations) {
                let name = format!("{}/{} energised", nodes.campus.name, substation.name);
                all.add(short(name), finished(*node));
            }
        }
        for building in &sites.buildings {
            let campus = sites.campus_of(building);
            let compiled = CompiledMilestone {
                finished: Vec::new(),
                live: vec![building.halls.clone()],
            };
            all.add(
                short(format!("{campus}/{} live", building.planned.name)),
                compiled,
            );
        }
        all
    }

    fn add(&mut self, name: String, compiled: CompiledMilestone) {
        self.names.push(name);
        self.compiled.push(compiled);
    }
}

fn compile_stated(
    milestone: &Milestone,
    scenario: &Scenario,
    sites: &Sites<'_>,
    compiler: &mut Compiler<'_>,
) -> CompiledMilestone {
    let mut compiled = CompiledMilestone::default();
    for (item, wanted) in milestone.requires.iter().enumerate() {
        let at = compiler.at.key("requires").index(item);
        if let Some(building) = wanted.strip_suffix("/live") {
            match sites.halls_of(building) {
                Some(halls) => compiled.live.push(halls),
                None => {
                    let buildings = sites.buildings.iter();
                    let known: Vec<String> = buildings
                        .map(|known| format!("{}/live", known.planned.name))
                        .collect();
                    let known = known.iter().map(String::as_str);
                    let help = compiler.problems.name_help(wanted, known);
                    let message = format!("there is no building \"{building}\"");
                    compiler.problems.error(&at, message, help);
                }
            }
            continue;
        }
        let network = &compiler.network;
        let mut campuses = scenario.campuses.iter();
        let found = campuses
            .find_map(|campus| network.find(&format!("{}/{wanted}", campus.name)))
            .or_else(|| network.find(wanted));
        match found {
            Some(node) => compiled.finished.push(node),
            None => compiler.unknown(&scenario.campuses[0].name, wanted, &at),
        }
    }
    compiled
}

/// Results are told apart by name: milestones, and the total from the campuses.
pub(super) fn check_distinct_names(
    scenario: &Scenario,
    milestones: &Milestones,
    problems: &mut Problems,
) {
    let mut seen = BTreeSet::new();
    for (position, name) in milestones.names.iter().enumerate() {
        if seen.insert(name) {
            continue;
        }
        // Those that are stated come first; the others take their names from buildings and the like.
        let mut stated = scenario.milestones.iter();
        let stated = stated.position(|milestone| &milestone.name == name);
        let Some(stated) = stated.filter(|stated| *stated != position) else {
            continue;
        };
        problems.error(
            &Path::root().key("milestones").index(stated).key("name"),
            format!("every scenario with such a building, substation or activity has a milestone \"{name}\" already"),
            "use another name, or leave it out",
        );
    }
    let mut campuses = scenario.campuses.iter();
    if scenario.campuses.len() > 1
        && let Some(position) = campuses.position(|campus| campus.name == TOTAL)
    {
        problems.error(
            &Path::root().key("campuses").index(position).key("name"),
            format!("a campus is named \"{TOTAL}\""),
            "that word stands for all campuses together; use another name",
        );
    }
}
