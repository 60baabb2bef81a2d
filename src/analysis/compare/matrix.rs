//! Scenarios as plans in worlds: what one may do, and what may come.

use serde::{Deserialize, Serialize};

use super::CompareError;
use crate::analysis::decide::World;
#[cfg(feature = "files")]
use crate::file::ComparisonFile;
#[cfg(feature = "files")]
use crate::problem::name_help;

/// Which scenario of a comparison is which plan in which world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Matrix {
    /// The names of the plans.
    pub plans: Vec<String>,
    /// The worlds.
    pub worlds: Vec<World>,
    /// By plan and world the position of the scenario.
    pub scenarios: Vec<Vec<usize>>,
}

impl Matrix {
    /// Refuses what does not name each scenario once.
    pub(super) fn check(&self, scenarios: usize) -> Result<(), CompareError> {
        let mut seen: Vec<usize> = self.scenarios.iter().flatten().copied().collect();
        seen.sort_unstable();
        let is_whole = self.scenarios.len() == self.plans.len()
            && (self.scenarios.iter()).all(|of_plan| of_plan.len() == self.worlds.len())
            && seen.iter().copied().eq(0..scenarios);
        if is_whole {
            return Ok(());
        }
        Err(CompareError::Matrix {
            plans: self.plans.len(),
            worlds: self.worlds.len(),
            scenarios,
        })
    }

    /// The first plan in the first world.
    pub(super) fn first(&self) -> usize {
        self.scenarios[0][0]
    }

    /// The first plan in the world of a scenario.
    pub(super) fn first_in_world_of(&self, scenario: usize) -> usize {
        let world = (self.scenarios.iter())
            .find_map(|of_plan| of_plan.iter().position(|known| *known == scenario));
        self.scenarios[0][world.unwrap_or(0)]
    }
}

/// Why the factors of a comparison are no plans and worlds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatrixError {
    /// There is no such factor.
    #[error("there is no factor \"{wanted}\" whose variants could be worlds\n  help: {help}")]
    Factor {
        /// The name.
        wanted: String,
        /// The nearest one.
        help: String,
    },
    /// There is no such world.
    #[error("\"{wanted}\" is a variant of no factor whose variants are worlds\n  help: {help}")]
    Variant {
        /// The name.
        wanted: String,
        /// The nearest one.
        help: String,
    },
    /// A plan is not stated in a world.
    #[error("plan \"{plan}\" is not stated in world \"{world}\": every plan meets every world")]
    Missing {
        /// The plan.
        plan: String,
        /// The world.
        world: String,
    },
}

/// Refuses worlds that are no factor, and weights of what is no variant of a world.
#[cfg(feature = "files")]
fn check_names(
    stated: &ComparisonFile,
    worlds: &[String],
    weights: &[(String, f64)],
    is_world: impl Fn(usize) -> bool + Copy,
) -> Result<(), MatrixError> {
    let factors = stated.factors.iter().map(|factor| factor.name.as_str());
    for wanted in worlds {
        if !factors.clone().any(|name| name == wanted) {
            return Err(MatrixError::Factor {
                wanted: wanted.clone(),
                help: name_help(wanted, factors),
            });
        }
    }
    let of_worlds = (stated.factors.iter().enumerate()).filter(|(at, _)| is_world(*at));
    let known = of_worlds.flat_map(|(_, factor)| factor.variants.iter().map(String::as_str));
    for (wanted, _) in weights {
        if !known.clone().any(|name| name == wanted) {
            return Err(MatrixError::Variant {
                wanted: wanted.clone(),
                help: name_help(wanted, known),
            });
        }
    }
    Ok(())
}

#[cfg(feature = "files")]
impl Matrix {
    /// The plans and worlds of a comparison: the variants of these factors (of those that the file says, if none is named)
    /// are worlds, all others plans. A variant's weight is that given here, else that of the file, else 1; a world's is the product of those of
    /// its variants, divided by the sum.
    pub fn of_file(
        stated: &ComparisonFile,
        worlds: &[String],
        weights: &[(String, f64)],
    ) -> Result<Self, MatrixError> {
        let is_world = |factor: usize| {
            let factor = &stated.factors[factor];
            if worlds.is_empty() {
                factor.is_of_worlds
            } else {
                worlds.contains(&factor.name)
            }
        };
        check_names(stated, worlds, weights, is_world)?;
        let mut matrix = Self {
            plans: Vec::new(),
            worlds: Vec::new(),
            scenarios: Vec::new(),
        };
        let mut places = Vec::new();
        for case in &stated.cases {
            let chosen = |of_worlds: bool| {
                let all = case.variants.iter().enumerate();
                all.filter(move |(factor, _)| is_world(*factor) == of_worlds)
            };
            let name = |of_worlds: bool| {
                let names = chosen(of_worlds)
                    .map(|(factor, variant)| stated.factors[factor].variants[*variant].as_str());
                let name = names.collect::<Vec<_>>().join(", ");
                if name.is_empty() {
                    "as stated".to_owned()
                } else {
                    name
                }
            };
            let weight = chosen(true).map(|(factor, variant)| {
                let factor = &stated.factors[factor];
                let given = weights
                    .iter()
                    .find(|(name, _)| *name == factor.variants[*variant]);
                given.map_or(factor.weights[*variant], |(_, weight)| *weight)
            });
            let plan = place_of(&mut matrix.plans, name(false), |name| name);
            let world = World {
                name: name(true),
                weight: weight.product(),
            };
            let world = place_of(&mut matrix.worlds, world, |world| &world.name);
            places.push((plan, world));
        }
        let total: f64 = matrix.worlds.iter().map(|world| world.weight).sum();
        for world in &mut matrix.worlds {
            world.weight /= total;
        }
        matrix.fill(&places)
    }

    /// Puts each scenario in its place, given as plan and world.
    fn fill(mut self, places: &[(usize, usize)]) -> Result<Self, MatrixError> {
        for plan in 0..self.plans.len() {
            let of_plan = (0..self.worlds.len()).map(|world| {
                let at = places.iter().position(|place| *place == (plan, world));
                at.ok_or_else(|| MatrixError::Missing {
                    plan: self.plans[plan].clone(),
                    world: self.worlds[world].name.clone(),
                })
            });
            let of_plan = of_plan.collect::<Result<_, _>>()?;
            self.scenarios.push(of_plan);
        }
        Ok(self)
    }
}

/// The position of something in a list by its name; it joins the list if it is new.
#[cfg(feature = "files")]
fn place_of<T>(list: &mut Vec<T>, item: T, name: impl Fn(&T) -> &String) -> usize {
    let known = list.iter().position(|known| name(known) == name(&item));
    known.unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
