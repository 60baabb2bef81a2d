//! Groups of inputs: all of a building, all shells, all of one segment.

use std::collections::BTreeMap;

use super::DriversError;
use crate::pattern::matches;
use crate::problem::nearest;

/// A group of inputs by their positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The positions of its inputs, ascending.
    pub inputs: Vec<usize>,
}

impl Group {
    /// The inputs that fit any of these patterns, such as "*/shell".
    pub fn new<N: AsRef<str>, P: AsRef<str>>(
        name: impl Into<String>,
        patterns: &[P],
        names: &[N],
    ) -> Result<Self, DriversError> {
        let name = name.into();
        let mut inputs = Vec::new();
        for pattern in patterns.iter().map(AsRef::as_ref) {
            let before = inputs.len();
            let fitting =
                (names.iter().enumerate()).filter(|(_, name)| matches(pattern, name.as_ref()));
            inputs.extend(fitting.map(|(position, _)| position));
            if inputs.len() == before {
                let nearest = nearest(pattern, names.iter().map(AsRef::as_ref));
                return Err(DriversError::EmptyGroup {
                    group: name,
                    pattern: pattern.to_owned(),
                    help: nearest
                        .map_or_else(String::new, |name| format!("; did you mean \"{name}\"?")),
                });
            }
        }
        inputs.sort_unstable();
        inputs.dedup();
        Ok(Self { name, inputs })
    }
}

/// The groups that names suggest: those that begin alike up to a "/" ("north/A1/*"), and those whose last part is the same
/// ("*/shell"). Groups of one, of all inputs, and of the same inputs as another are left out.
pub fn groups_by_name<N: AsRef<str>>(names: &[N]) -> Vec<Group> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (position, name) in names.iter().enumerate() {
        let name = name.as_ref();
        for (slash, _) in name.match_indices('/') {
            found
                .entry(format!("{}/*", &name[..slash]))
                .or_default()
                .push(position);
        }
        if let Some((_, last)) = name.rsplit_once('/') {
            found.entry(format!("*/{last}")).or_default().push(position);
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    for (name, inputs) in found {
        let is_new = groups.iter().all(|group| group.inputs != inputs);
        if inputs.len() > 1 && inputs.len() < names.len() && is_new {
            groups.push(Group { name, inputs });
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = [
        "north/A1/shell",
        "north/A1/hall 1/fit-out",
        "north/A2/shell",
        "AI/sign_probability",
        "AI/churn",
    ];

    #[test]
    fn names_suggest_places_and_kinds() {
        let groups = groups_by_name(&NAMES);
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["*/shell", "AI/*", "north/*", "north/A1/*"]);
        assert_eq!(groups[0].inputs, [0, 2]);
    }

    #[test]
    fn patterns_name_a_group() {
        let group = Group::new("building work", &["*/shell", "A1/*"], &NAMES).unwrap();
        assert_eq!(group.inputs, [0, 1, 2]);
        let error = Group::new("tenants", &["AI/chrn"], &NAMES).unwrap_err();
        assert!(
            error.to_string().contains("did you mean \"AI/churn\"?"),
            "{error}"
        );
    }
}
