//! Milestones: what activities mark, substations, buildings going live, those stated, and those that are asked for by a
//! place and a stage alone, such as "A1 fully live" or "P2-*/live".

use std::collections::BTreeSet;

use super::Model;
use super::reported::TOTAL;
use crate::pattern;
use crate::problem::{Path, Problems};
use crate::projection::split_by;
use crate::scenario::{Milestone, Scenario, ScenarioError};
use crate::schedule::compiler::Compiler;
use crate::schedule::network::NodeId;
use crate::site::Sites;

#[derive(Clone, Debug, Default)]
pub(crate) struct CompiledMilestone {
    pub(crate) finished: Vec<NodeId>,
    /// Halls of each building that must be live; the first of them makes the building live.
    pub(crate) live: Vec<std::ops::Range<usize>>,
}

/// How far a building or hall is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first of its halls has racks with space, power and equipment.
    Live,
    /// All of its halls have.
    FullyLive,
    /// Its works are done, and its halls are handed over.
    Complete,
}

const STAGES: [(&str, Stage); 3] = [
    ("fully live", Stage::FullyLive),
    ("live", Stage::Live),
    ("complete", Stage::Complete),
];

/// Splits "A1/fully live" or "A1 fully live" into the place and its stage.
fn place_and_stage(name: &str) -> Option<(&str, Stage)> {
    STAGES.iter().find_map(|(word, stage)| {
        let place = name.trim().strip_suffix(word)?;
        let place = place.strip_suffix(['/', ' '])?.trim_end();
        (!place.is_empty()).then_some((place, *stage))
    })
}

impl Scenario {
    /// Compiles the scenario so that its results also have the milestones that are asked for by name: "A1 fully live"
    /// when all halls of a building are live, "A1 complete" when its works are done, "A1/hall 1 live" of a hall, and
    /// "P2-*/live" when that holds of all that fit the pattern. Other names are left to the caller.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "files")] {
    /// use buildout::Scenario;
    ///
    /// let scenario = Scenario::from_path("examples/wholesale.toml")?;
    /// let model = scenario.compile_with_milestones(["B* fully live", "B1 complete"])?;
    /// assert!(model.layout().milestone_index("B* fully live").is_some());
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn compile_with_milestones<N: AsRef<str>>(
        &self,
        asked: impl IntoIterator<Item = N>,
    ) -> Result<Model, ScenarioError> {
        self.with_milestones(self.compile()?, asked)
    }

    /// The same where this scenario is compiled already, to `model`, which is returned if it has all that is asked for.
    pub fn with_milestones<N: AsRef<str>>(
        &self,
        model: Model,
        asked: impl IntoIterator<Item = N>,
    ) -> Result<Model, ScenarioError> {
        let mut wanted: Vec<String> = Vec::new();
        for name in asked {
            let name = name.as_ref().trim();
            let name = split_by(name).map_or(name, |(milestone, _)| milestone);
            let is_known = model.layout.milestone_index(name).is_some()
                || wanted.iter().any(|known| known == name);
            if !is_known && place_and_stage(name).is_some() {
                wanted.push(name.to_owned());
            }
        }
        let mut with = self.clone();
        for name in wanted {
            with.milestones.push(Milestone::new(&name, [name.as_str()]));
            // A name that is unknown is reported by the caller.
            if with.compile().is_err() {
                with.milestones.pop();
            }
        }
        if with.milestones.len() == self.milestones.len() {
            return Ok(model);
        }
        with.compile()
    }
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
        all.add_those_of_targets(scenario, sites, compiler);
        all
    }

    /// Adds what targets name by a place and a stage, and nobody states.
    fn add_those_of_targets(
        &mut self,
        scenario: &Scenario,
        sites: &Sites<'_>,
        compiler: &Compiler<'_>,
    ) {
        for wanted in (scenario.targets.iter()).filter_map(|target| target.milestone.as_ref()) {
            if self.names.contains(wanted) {
                continue;
            }
            let mut compiled = CompiledMilestone::default();
            if let Some((place, stage)) = place_and_stage(wanted)
                && compiled.require_stage(place, stage, sites, compiler)
            {
                self.add(wanted.clone(), compiled);
            }
        }
    }

    fn add(&mut self, name: String, compiled: CompiledMilestone) {
        self.names.push(name);
        self.compiled.push(compiled);
    }
}

impl CompiledMilestone {
    /// Adds that all buildings of that name or pattern are so far or, if there are none, all halls. Says whether there are any.
    fn require_stage(
        &mut self,
        place: &str,
        stage: Stage,
        sites: &Sites<'_>,
        compiler: &Compiler<'_>,
    ) -> bool {
        let mut is_there = false;
        for building in &sites.buildings {
            let name = format!("{}/{}", sites.campus_of(building), building.planned.name);
            if !pattern::matches(place, &name) {
                continue;
            }
            is_there = true;
            match stage {
                Stage::Live => self.live.push(building.halls.clone()),
                Stage::FullyLive => {
                    (self.live).extend(building.halls.clone().map(|hall| hall..hall + 1));
                }
                Stage::Complete => {
                    let halls = building.halls.clone();
                    self.finished.extend(compiler.network.find(&name));
                    (self.finished).extend(halls.map(|hall| sites.halls[hall].handover));
                }
            }
        }
        if is_there {
            return true;
        }
        for (position, hall) in sites.halls.iter().enumerate() {
            if !pattern::matches(place, &hall.name) {
                continue;
            }
            is_there = true;
            match stage {
                Stage::Live | Stage::FullyLive => self.live.push(position..position + 1),
                Stage::Complete => self.finished.push(hall.handover),
            }
        }
        is_there
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
        let network = &compiler.network;
        let mut campuses = scenario.campuses.iter();
        let found = campuses
            .find_map(|campus| network.find(&format!("{}/{wanted}", campus.name)))
            .or_else(|| network.find(wanted));
        if let Some(node) = found {
            compiled.finished.push(node);
            continue;
        }
        let Some((place, stage)) = place_and_stage(wanted) else {
            compiler.unknown(&scenario.campuses[0].name, wanted, &at);
            continue;
        };
        if !compiled.require_stage(place, stage, sites, compiler) {
            let word = wanted[place.len()..].trim_start_matches(['/', ' ']);
            let known: Vec<String> = (sites.buildings.iter())
                .map(|known| format!("{}/{word}", known.planned.name))
                .collect();
            let known = known.iter().map(String::as_str);
            let help = compiler.problems.name_help(wanted, known);
            let message = format!("there is no building or hall \"{place}\"");
            compiler.problems.error(&at, message, help);
        }
    }
    compiled
}

/// Results are distinguished by name: milestones, and the total from the campuses.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::RackType;
    use crate::scenario::Target;
    use crate::schedule::Activity;
    use crate::site::{Building, Campus, Hall};
    use crate::{Batch, Date};

    fn scenario() -> Scenario {
        let mut scenario = Scenario::new("stages", Date::month(2025, 1).unwrap(), 36);
        scenario.rack_types.push(RackType::new("r", 5.0));
        let mut campus = Campus::new("north");
        for (name, months) in [("P2-1", 6.0), ("P2-2", 9.0)] {
            let mut building = Building::new(name);
            building.activities = Some(vec![Activity::new("shell", months)]);
            let mut halls = Vec::new();
            for (hall, fit_out) in [("hall 1", 2.0), ("hall 2", 5.0)] {
                let mut hall = Hall::new(hall, 10, "r");
                hall.activities.push(Activity::new("fit-out", fit_out));
                halls.push(hall);
            }
            building.halls = Some(halls);
            campus.buildings.push(building);
        }
        scenario.campuses.push(campus);
        scenario
    }

    #[test]
    fn live_fully_live_and_complete_are_three_dates_of_buildings_halls_and_patterns() {
        let names = [
            ("P2-1 live", 8.0),
            ("P2-1 fully live", 11.0),
            ("P2-1/complete", 11.0),
            ("P2-1/hall 2 live", 11.0),
            ("P2-*/live", 11.0),
            ("north/P2-* fully live", 14.0),
        ];
        let asked = names.iter().map(|(name, _)| *name);
        let model = scenario().compile_with_milestones(asked).unwrap();
        let projection = Batch::new(&model).trials(2).run().unwrap();
        for (name, months) in names {
            let found = projection.milestone(name).and_then(|of| of.mean());
            assert!(
                found.is_some_and(|found| (found - months).abs() < 1e-6),
                "{name}: {found:?}"
            );
        }
        let nobody = scenario().compile_with_milestones(["P3-* live"]).unwrap();
        assert_eq!(nobody.layout().milestone_index("P3-* live"), None);
    }

    #[test]
    fn a_target_names_a_stage_without_a_milestone_being_stated() {
        let mut scenario = scenario();
        let by = Date::month(2025, 12).unwrap();
        let target = Target::happened("all of it", "P2-1 fully live", by);
        scenario.targets.push(target);
        let projection = Batch::new(&scenario.compile().unwrap())
            .trials(2)
            .run()
            .unwrap();
        let target = projection.targets().next().unwrap();
        assert_eq!(target.met(), 2);
    }
}
