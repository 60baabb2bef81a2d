//! Scenarios between reading and checking.

use std::path::Path as FilePath;

use super::node::{Node, Value};
use super::read::Reader;
use super::{Files, Loaded, in_order};
use crate::problem::{Path, Problem, Problems};
use crate::scenario::{FORMAT, Scenario, ScenarioError};

/// A scenario as it was read from a file, still to be checked: for those who compile it, and so check it, themselves.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let draft = buildout::file::Draft::read("examples/first.toml", &[])?;
/// let (model, found) = draft.scenario().compile_with_warnings();
/// let loaded = draft.checked(&found)?;
/// assert!(model.is_some() && loaded.warnings.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Draft {
    files: Files,
    root: Node,
    values: Values,
}

/// The values of a file.
pub(super) struct Values {
    pub(super) scenario: Scenario,
    /// What could not be read.
    problems: Problems,
    /// Places of values that stand in for those.
    stand_ins: Vec<Path>,
}

impl Draft {
    /// Reads a scenario file and sets single values on top of it, as [`Scenario::from_path_with`] does. What is no scenario is
    /// an error.
    pub fn read(
        path: impl AsRef<FilePath>,
        overrides: &[(String, String)],
    ) -> Result<Self, ScenarioError> {
        Files::default().draft(path.as_ref(), overrides)
    }

    /// As [`Draft::read`], of a text that came from elsewhere, as [`Scenario::load_text`] reads it.
    pub fn read_text(
        text: &str,
        name: &str,
        overrides: &[(String, String)],
    ) -> Result<Self, ScenarioError> {
        let mut files = Files::default();
        let root = files.chain_of(FilePath::new(name), text.to_owned().into(), &mut Vec::new())?;
        files.with_overrides(root, overrides)
    }

    pub(super) fn new(files: Files, root: Node) -> Result<Self, ScenarioError> {
        let values = files.values(&root)?;
        Ok(Self {
            files,
            root,
            values,
        })
    }

    /// The scenario, in which harmless values stand in for those that could not be read.
    pub fn scenario(&self) -> &Scenario {
        &self.values.scenario
    }

    /// The scenario, given what a check of it found: an error lists all that is wrong, each problem with its line.
    pub fn checked(self, found: &Problems) -> Result<Loaded, ScenarioError> {
        self.files.checked(&self.root, self.values, found)
    }
}

impl Files {
    /// Reads the values into a scenario.
    pub(super) fn values(&self, root: &Node) -> Result<Values, ScenarioError> {
        if let Some(entry) = root.entry("format")
            && let Value::Integer(format) = entry.node.value
            && format != i64::from(FORMAT)
        {
            let message = format!("the file is of format {format}");
            let help = format!("this version of buildout reads format {FORMAT}");
            return Err(self.refuse(&entry.node.place, "format", message, help));
        }
        let mut reader = Reader::new(&self.texts);
        let json = reader.scenario(root);
        let (mut problems, stand_ins) = (reader.problems, reader.stand_ins);
        match serde_json::from_value(json) {
            Ok(scenario) => Ok(Values {
                scenario,
                problems,
                stand_ins,
            }),
            Err(error) => {
                if !problems.has_errors() {
                    problems.error(&Path::root(), error.to_string(), "");
                }
                Err(ScenarioError::Invalid(problems))
            }
        }
    }

    /// Places what was found wrong with a scenario in its file.
    pub(super) fn checked(
        &self,
        root: &Node,
        values: Values,
        found: &Problems,
    ) -> Result<Loaded, ScenarioError> {
        let Values {
            scenario,
            mut problems,
            stand_ins,
        } = values;
        let stands_in = |key: &str| stand_ins.contains(&Path::root().key(key));
        let has_horizon = !stands_in("start") && !stands_in("horizon_months");
        for mut problem in found.iter().cloned() {
            let is_of_stand_in = stand_ins
                .iter()
                .any(|stand_in| problem.path.steps().starts_with(stand_in.steps()));
            // Where the horizon is not known, no date is known to be outside of it.
            if is_of_stand_in || (!has_horizon && root.node_at(&problem.path).is_date()) {
                continue;
            }
            self.locate(&mut problem, root);
            problems.push(problem);
        }
        let problems = in_order(problems, &self.texts);
        if problems.has_errors() {
            return Err(ScenarioError::Invalid(problems));
        }
        let inputs = self.inputs(root);
        let uncertain = inputs.iter().filter(|input| input.value.starts_with('{'));
        let mut doubts = scenario.second_look(uncertain.count());
        for doubt in doubts.iter_mut() {
            self.locate(doubt, root);
        }
        Ok(Loaded {
            doubts: in_order(doubts, &self.texts),
            scenario,
            warnings: problems,
            inputs,
        })
    }

    fn locate(&self, problem: &mut Problem, root: &Node) {
        let place = root.find(&problem.path);
        problem.location = Some(self.texts[place.text].location(&(place.start..place.end)));
    }
}
