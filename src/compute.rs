//! Compute: rack types, hardware generations, and what a hall's hardware is worth in PFLOPS.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::construction::{check_name, check_positive, name_help};
use crate::date::Date;
use crate::monte_carlo::inputs::{Inputs, Quantity};
use crate::problem::{Path, Problems};
use crate::uncertain::{Domain, Uncertain, UncertainError};

/// A kind of rack position: what power and cooling it is made for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RackType {
    /// Its name.
    pub name: String,
    /// The most critical IT power that a rack may take in such a position, in kW, above 0.
    pub power_kw: f64,
}

impl RackType {
    /// A rack type.
    pub fn new(name: impl Into<String>, power_kw: f64) -> Self {
        Self {
            name: name.into(),
            power_kw,
        }
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        check_positive(Some(self.power_kw), "power_kw", at, problems);
    }
}

/// A generation of hardware, by the rack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// Its name.
    pub name: String,
    /// Critical IT power of one rack of it, in kW, above 0.
    pub rack_power_kw: f64,
    /// Compute of one rack in PFLOPS, by named precision (`fp16_dense`, say).
    pub rack_pflops: BTreeMap<String, f64>,
    /// When it can first be delivered; left out, it always could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_from: Option<Date>,
    /// Time from order to delivery, in months, 0 or more. Drawn for each hall.
    #[serde(default = "Uncertain::zero")]
    pub lead_time_months: Uncertain,
    /// Growth of PFLOPS per rack a year, as a share, from `available_from` (or the start of the scenario) to the delivery: a trend that stands for hardware not yet announced. -1 or more.
    #[serde(default = "Uncertain::zero")]
    pub growth_per_year: Uncertain,
}

/// Growth is a share of the year before, above a total loss.
const GROWTH: Domain = Domain {
    min: -0.99,
    max: f64::INFINITY,
};

impl Generation {
    /// A generation that is available at once, of a given compute at one precision.
    pub fn new(
        name: impl Into<String>,
        rack_power_kw: f64,
        precision: impl Into<String>,
        pflops: f64,
    ) -> Self {
        Self {
            name: name.into(),
            rack_power_kw,
            rack_pflops: BTreeMap::from([(precision.into(), pflops)]),
            available_from: None,
            lead_time_months: Uncertain::zero(),
            growth_per_year: Uncertain::zero(),
        }
    }

    pub(crate) fn check(&self, precision: &str, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        if self.name == NEWEST {
            problems.error(
                &at.key("name"),
                format!("a generation is named \"{NEWEST}\""),
                format!("\"{NEWEST}\" stands for whatever is the newest; use another name"),
            );
        }
        check_positive(Some(self.rack_power_kw), "rack_power_kw", at, problems);
        for (name, &pflops) in &self.rack_pflops {
            if !(pflops.is_finite() && pflops >= 0.0) {
                problems.error(
                    &at.key("rack_pflops").key(name),
                    format!("{name} is {pflops} PFLOPS"),
                    "a number of 0 or more",
                );
            }
        }
        if !self.rack_pflops.contains_key(precision) {
            problems.error(
                &at.key("rack_pflops"),
                format!(
                    "generation \"{}\" has no PFLOPS at the scenario's precision \"{precision}\"",
                    self.name
                ),
                name_help(precision, self.rack_pflops.keys().map(String::as_str)),
            );
        }
        self.lead_time_months
            .check(Domain::NON_NEGATIVE, &at.key("lead_time_months"), problems);
        self.growth_per_year
            .check(GROWTH, &at.key("growth_per_year"), problems);
    }
}

/// The name that stands for the newest generation released when an order is placed.
pub const NEWEST: &str = "newest";

/// A compiled generation.
#[derive(Clone, Debug)]
pub(crate) struct CompiledGeneration {
    pub(crate) rack_power_kw: f64,
    /// PFLOPS of one kW of critical IT power, at the scenario's precision.
    pflops_per_kw: f64,
    /// Months after the start; negative infinity if it always could be had.
    pub(crate) available_months: f64,
    growth_per_year: Quantity,
}

pub(crate) fn compile_generations(
    generations: &[Generation],
    precision: &str,
    start: Date,
    inputs: &mut Inputs,
) -> Result<Vec<CompiledGeneration>, UncertainError> {
    generations
        .iter()
        .map(|generation| {
            let pflops = generation
                .rack_pflops
                .get(precision)
                .copied()
                .unwrap_or(0.0);
            Ok(CompiledGeneration {
                rack_power_kw: generation.rack_power_kw,
                pflops_per_kw: pflops / generation.rack_power_kw,
                available_months: generation
                    .available_from
                    .map_or(f64::NEG_INFINITY, |date| date.months_after(start)),
                growth_per_year: inputs.add(
                    format!("hardware/{}/growth", generation.name),
                    &generation.growth_per_year,
                    GROWTH,
                )?,
            })
        })
        .collect()
}

impl CompiledGeneration {
    /// Whether it can be had at `months` after the start.
    pub(crate) fn is_released(&self, months: f64) -> bool {
        self.available_months <= months
    }

    /// When an order placed at `ordered` arrives, in months: after its lead time, and no sooner
    /// than the generation is released.
    pub(crate) fn arrival(&self, ordered: f64, lead_time: f64) -> f64 {
        (ordered + lead_time).max(self.available_months)
    }

    /// PFLOPS per kW of what is delivered at `months`:
    /// rack PFLOPS / rack kW x (1 + growth)^(years since it was available).
    pub(crate) fn pflops_per_kw(&self, months: f64, drawn: &[f64]) -> f64 {
        let growth = self.growth_per_year.value(drawn);
        if growth == 0.0 {
            return self.pflops_per_kw;
        }
        let since = if self.available_months.is_finite() {
            self.available_months
        } else {
            0.0
        };
        self.pflops_per_kw * libm::pow(1.0 + growth, (months - since) / 12.0)
    }
}

/// Which hardware a hall takes, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Hardware {
    /// Tenants bring their own.
    Tenants,
    /// One of these generations, the newest last: the newest released when the order is placed,
    /// or the first to be released if none is yet. Each has the hall's own lead time.
    Generations(Vec<(usize, Quantity)>),
}

/// What was chosen for a hall in one trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Delivery {
    /// Months after the start; negative infinity where nothing is waited for.
    pub(crate) arrives: f64,
    /// Critical IT power of one rack, in kW; the rack type's where tenants bring their own.
    pub(crate) rack_power_kw: f64,
    pub(crate) pflops_per_kw: f64,
}

impl Hardware {
    /// The delivery that follows from an order placed at `ordered` months.
    pub(crate) fn order(
        &self,
        generations: &[CompiledGeneration],
        ordered: f64,
        rack_type_kw: f64,
        drawn: &[f64],
    ) -> Delivery {
        match self {
            Self::Tenants => Delivery {
                arrives: f64::NEG_INFINITY,
                rack_power_kw: rack_type_kw,
                pflops_per_kw: 0.0,
            },
            Self::Generations(choices) => {
                let (chosen, lead_time) = choices
                    .iter()
                    .rev()
                    .find(|(choice, _)| generations[*choice].is_released(ordered))
                    .unwrap_or(&choices[0]);
                let generation = &generations[*chosen];
                let arrives = generation.arrival(ordered, lead_time.value(drawn));
                Delivery {
                    arrives,
                    rack_power_kw: generation.rack_power_kw,
                    pflops_per_kw: generation.pflops_per_kw(arrives, drawn),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(power: f64, pflops: f64, from: f64, growth: f64) -> CompiledGeneration {
        CompiledGeneration {
            rack_power_kw: power,
            pflops_per_kw: pflops / power,
            available_months: from,
            growth_per_year: Quantity::Fixed(growth),
        }
    }

    #[test]
    fn the_newest_released_generation_is_ordered() {
        let generations = [
            generation(10.0, 8.0, -20.0, 0.0),
            generation(140.0, 180.0, 12.0, 0.0),
        ];
        let lead = Quantity::Fixed(6.0);
        let newest = Hardware::Generations(vec![(0, lead), (1, lead)]);
        let early = newest.order(&generations, 5.0, 140.0, &[]);
        assert_eq!((early.arrives, early.rack_power_kw), (11.0, 10.0));
        let late = newest.order(&generations, 12.0, 140.0, &[]);
        assert_eq!((late.arrives, late.rack_power_kw), (18.0, 140.0));
    }

    #[test]
    fn nothing_arrives_before_its_release() {
        let generations = [generation(140.0, 180.0, 30.0, 0.0)];
        let hardware = Hardware::Generations(vec![(0, Quantity::Fixed(3.0))]);
        assert_eq!(hardware.order(&generations, 0.0, 140.0, &[]).arrives, 30.0);
    }

    #[test]
    fn a_trend_compounds_by_the_year_until_delivery() {
        let trend = generation(2.5, 1.0, f64::NEG_INFINITY, 0.30);
        let expected = 0.4 * 1.3_f64.powf(18.0 / 12.0);
        assert!((trend.pflops_per_kw(18.0, &[]) - expected).abs() < 1e-12);
    }
}
