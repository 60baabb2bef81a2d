//! Who gets a crew first: the order in which activities are planned.
//!
//! A rule ranks activities by the critical path of the planned durations (the medians), without
//! regard to crews. [`CrewPriority::Search`] looks for a better order before the first trial.

use serde::{Deserialize, Serialize};

use super::cpm::CriticalPath;
use super::network::{Network, NodeId};
use super::order::sort;

/// By what rule crews are given out. The order is found once, from the medians, and is the same in
/// every trial.
///
/// In a file: `"late_finish"`, `"late_start"`, `"least_float"`, `"most_work"`, `"search"`, or
/// `{ search = 20000 }` for a search that makes this many schedules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(try_from = "Written", into = "Written")]
#[non_exhaustive]
pub enum CrewPriority {
    /// What has to finish first.
    #[default]
    LateFinish,
    /// What has to start first.
    LateStart,
    /// What has the least total float.
    LeastFloat,
    /// What has the most work in it and in what waits for it directly (greatest rank positional weight).
    MostWork,
    /// The order in which the plan is over first, of those that a genetic algorithm tries.
    Search {
        /// How many schedules it makes, 1 to 10,000,000. By default 5,000, and fewer in networks
        /// of more than 200 activities, so that a million activities are planned in all.
        schedules: Option<u32>,
    },
}

/// How a [`CrewPriority`] is written in a file.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Written {
    Name(Name),
    Effort(Effort),
}

/// A priority by its name.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Name {
    /// What has to finish first.
    LateFinish,
    /// What has to start first.
    LateStart,
    /// What has the least total float.
    LeastFloat,
    /// What has the most work in it and in what waits for it directly.
    MostWork,
    /// The best order that a search finds.
    Search,
}

/// A search that makes this many schedules.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Effort {
    /// How many.
    #[cfg_attr(feature = "files", schemars(range(min = 1, max = MOST_SCHEDULES)))]
    search: u32,
}

const MOST_SCHEDULES: u32 = 10_000_000;

impl TryFrom<Written> for CrewPriority {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Ok(match written {
            Written::Name(Name::LateFinish) => Self::LateFinish,
            Written::Name(Name::LateStart) => Self::LateStart,
            Written::Name(Name::LeastFloat) => Self::LeastFloat,
            Written::Name(Name::MostWork) => Self::MostWork,
            Written::Name(Name::Search) => Self::Search { schedules: None },
            Written::Effort(Effort { search }) if (1..=MOST_SCHEDULES).contains(&search) => {
                let schedules = Some(search);
                Self::Search { schedules }
            }
            Written::Effort(Effort { search }) => {
                return Err(format!(
                    "search is {search}; a search makes 1 to {} schedules",
                    crate::problem::with_thousands(&MOST_SCHEDULES.to_string())
                ));
            }
        })
    }
}

impl From<CrewPriority> for Written {
    fn from(priority: CrewPriority) -> Self {
        Self::Name(match priority {
            CrewPriority::LateFinish => Name::LateFinish,
            CrewPriority::LateStart => Name::LateStart,
            CrewPriority::LeastFloat => Name::LeastFloat,
            CrewPriority::MostWork => Name::MostWork,
            CrewPriority::Search { schedules: None } => Name::Search,
            CrewPriority::Search {
                schedules: Some(search),
            } => return Self::Effort(Effort { search }),
        })
    }
}

const RULES: [CrewPriority; 4] = [
    CrewPriority::LateFinish,
    CrewPriority::LateStart,
    CrewPriority::LeastFloat,
    CrewPriority::MostWork,
];
impl Network {
    /// Puts the nodes in the order in which they get their crews.
    pub(super) fn give_out_crews(&mut self, priority: CrewPriority, planned: &[f64]) {
        let path = self.critical_path(planned, None);
        if let CrewPriority::Search { schedules } = priority {
            let best = search::best_order(self, &path, planned, schedules);
            self.put_in_order(&best);
            return;
        }
        let rank = self.rank(priority, &path, planned);
        if let Ok(order) = sort(&self.nodes, &rank) {
            self.put_in_order(&order);
        }
    }

    /// Lower ranks go first.
    fn rank(&self, priority: CrewPriority, path: &CriticalPath, planned: &[f64]) -> Vec<f64> {
        let by = |of: &dyn Fn(NodeId) -> f64| self.nodes().map(of).collect();
        match priority {
            CrewPriority::LateStart => by(&|node| path.late_start(node)),
            CrewPriority::LeastFloat => by(&|node| path.total_float(node)),
            CrewPriority::MostWork => {
                let durations = self.durations(planned);
                let mut weight = durations.clone();
                for (node, duration) in self.nodes.iter().zip(&durations) {
                    for link in &node.links {
                        weight[link.predecessor.index()] += duration;
                    }
                }
                weight.iter().map(|weight| -weight).collect()
            }
            CrewPriority::LateFinish | CrewPriority::Search { .. } => path.late_finishes().to_vec(),
        }
    }
}

mod search;

#[cfg(test)]
mod tests {
    use super::CrewPriority;

    mod bounds;

    #[test]
    fn a_priority_is_read_by_name_or_with_its_effort() {
        let read = |text: &str| serde_json::from_str::<CrewPriority>(text);
        for text in [
            "\"late_finish\"",
            "\"late_start\"",
            "\"least_float\"",
            "\"most_work\"",
            "\"search\"",
            "{\"search\":20000}",
        ] {
            let priority = read(text).unwrap();
            assert_eq!(serde_json::to_string(&priority).unwrap(), text);
        }
        assert!(read("{\"search\":0}").is_err());
    }
}
