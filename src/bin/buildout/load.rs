//! Scenarios of files, compiled once: to compile them is to check them.

use std::path::Path;

use buildout::file::{Draft, Loaded};
use buildout::{Model, ScenarioError};

/// A scenario from its file, and its model.
pub(crate) fn file(
    path: &Path,
    set: &[(String, String)],
) -> Result<(Loaded, Model), ScenarioError> {
    compiled(Draft::read(path, set)?)
}

/// A scenario that was read, and its model.
pub(crate) fn compiled(draft: Draft) -> Result<(Loaded, Model), ScenarioError> {
    let (model, found) = draft.scenario().compile_with_warnings();
    let loaded = draft.checked(&found)?;
    let model = model.ok_or(ScenarioError::Invalid(found))?;
    Ok((loaded, model))
}

/// The same, with milestones that are asked for besides those of the scenario.
pub(crate) fn with_milestones<N: AsRef<str>>(
    path: &Path,
    set: &[(String, String)],
    asked: impl IntoIterator<Item = N>,
) -> Result<(Loaded, Model), ScenarioError> {
    let (loaded, model) = file(path, set)?;
    let model = loaded.scenario.with_milestones(model, asked)?;
    Ok((loaded, model))
}
