//! Milestones: those that are stated, those that every building, substation or marked activity has, and those that are
//! asked for by their name alone, such as "A1 fully live" or "P2-*/live".

use super::sites::Sites;
use super::{CompiledMilestone, Model};
use crate::pattern;
use crate::problem::{Path, Problems};
use crate::scenario::{Milestone, Scenario, ScenarioError};

/// How far a building or hall is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first of its halls has racks with space, power and equipment.
    Live,
    /// All of its halls have.
    FullyLive,
    /// Its works are done.
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
    /// "P2-*/live" when that holds of all that fit the pattern. Other names are left to whoever looks them up.
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
        let model = self.compile()?;
        let mut wanted: Vec<String> = Vec::new();
        for name in asked {
            let name = name.as_ref().trim();
            let is_known = model.layout.milestone_index(name).is_some()
                || wanted.iter().any(|known| known == name);
            if !is_known && place_and_stage(name).is_some() {
                wanted.push(name.to_owned());
            }
        }
        let mut with = self.clone();
        for name in wanted {
            with.milestones.push(Milestone {
                requires: vec![name.clone()],
                name,
            });
            // Of what there is not, whoever asks will say so.
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

impl Sites<'_> {
    /// All milestones: what activities mark, substations, buildings going live, those stated, and those that targets name.
    pub(super) fn milestones(
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
            let mut compiled = CompiledMilestone::default();
            for (item, wanted) in milestone.requires.iter().enumerate() {
                self.require(scenario, wanted, &at.index(item), &mut compiled, problems);
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
        self.add_those_of_targets(scenario, &mut milestones);
        milestones
    }

    /// Adds what targets name by a place and a stage, and nobody states.
    fn add_those_of_targets(
        &self,
        scenario: &Scenario,
        milestones: &mut Vec<(String, CompiledMilestone)>,
    ) {
        for wanted in (scenario.targets.iter()).filter_map(|target| target.milestone.as_ref()) {
            if milestones.iter().any(|(name, _)| name == wanted) {
                continue;
            }
            let mut compiled = CompiledMilestone::default();
            if let Some((place, stage)) = place_and_stage(wanted)
                && self.require_stage(scenario, place, stage, &mut compiled)
            {
                milestones.push((wanted.clone(), compiled));
            }
        }
    }

    /// Adds what a milestone requires; what there is not is a problem.
    fn require(
        &self,
        scenario: &Scenario,
        wanted: &str,
        at: &Path,
        compiled: &mut CompiledMilestone,
        problems: &mut Problems,
    ) {
        let found = scenario
            .campuses
            .iter()
            .find_map(|campus| self.network.find(&format!("{}/{wanted}", campus.name)))
            .or_else(|| self.network.find(wanted));
        if let Some(node) = found {
            compiled.finished.push(node);
            return;
        }
        let Some((place, stage)) = place_and_stage(wanted) else {
            let scope = &scenario.campuses[0].name;
            self.unknown(scope, wanted, at, problems);
            return;
        };
        if !self.require_stage(scenario, place, stage, compiled) {
            let word = wanted[place.len()..].trim_start_matches(['/', ' ']);
            let known: Vec<String> = (self.buildings.iter())
                .map(|known| format!("{}/{word}", known.planned.name))
                .collect();
            problems.error(
                at,
                format!("there is no building or hall \"{place}\""),
                problems.name_help(wanted, known.iter().map(String::as_str)),
            );
        }
    }

    /// Adds that all buildings of that name or pattern are so far or, if there are none, all halls. Says whether there are any.
    fn require_stage(
        &self,
        scenario: &Scenario,
        place: &str,
        stage: Stage,
        compiled: &mut CompiledMilestone,
    ) -> bool {
        let mut is_there = false;
        for building in &self.buildings {
            let campus = &scenario.campuses[building.campus].name;
            let name = format!("{campus}/{}", building.planned.name);
            if !pattern::matches(place, &name) {
                continue;
            }
            is_there = true;
            match stage {
                Stage::Live => compiled.live.push(building.halls.clone()),
                Stage::FullyLive => {
                    (compiled.live).extend(building.halls.clone().map(|hall| hall..hall + 1));
                }
                Stage::Complete => compiled.finished.extend(self.network.find(&name)),
            }
        }
        if is_there {
            return true;
        }
        for (position, hall) in self.halls.iter().enumerate() {
            if !pattern::matches(place, &hall.name) {
                continue;
            }
            is_there = true;
            match stage {
                Stage::Live | Stage::FullyLive => compiled.live.push(position..position + 1),
                Stage::Complete => compiled.finished.push(hall.handover),
            }
        }
        is_there
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
