//! Hardware generations: stated, from the catalogue, or by a trend.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{NEWEST, Reliability, catalogue};
use crate::date::Date;
use crate::power::Cooling;
use crate::power::availability::is_zero;
use crate::power::grid::is_constant_zero;
use crate::problem::{Path, Problems, check_known, check_name, name_help};
use crate::uncertain::{Domain, Uncertain};

/// A generation of hardware, by the rack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// Its name.
    pub name: String,
    /// Critical IT power of one rack of it, in kW, above 0. Drawn once a trial.
    pub rack_power_kw: Uncertain,
    /// Compute of one rack in PFLOPS, by named precision (`fp16_dense`, say), 0 or more. Drawn once a trial.
    pub rack_pflops: BTreeMap<String, Uncertain>,
    /// When it can first be delivered; left out, it always could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_from: Option<Date>,
    /// Time from order to delivery, in months, 0 or more. Drawn for each hall.
    #[serde(default = "Uncertain::zero")]
    pub lead_time_months: Uncertain,
    /// Growth of PFLOPS per rack a year, as a share, from `available_from` (or the start of the scenario) to the delivery: a trend that stands for hardware not yet announced. -1 or more.
    #[serde(default = "Uncertain::zero")]
    pub growth_per_year: Uncertain,
    /// How much later than `available_from` it is released, in months, 0 or more. Drawn once a trial.
    #[serde(default = "Uncertain::zero", skip_serializing_if = "is_constant_zero")]
    pub release_slip_months: Uncertain,
    /// Rack positions that one rack of it takes, 1 or more.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rack_positions: u32,
    /// The cooling that it needs; left out, any will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling: Option<Cooling>,
    /// Accelerators in one rack, 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack_accelerators: Option<u32>,
    /// The most accelerators that can be had in three months, for all campuses together, above 0; left out, no limit. Halls are served in the order of their orders, first orders before replacements; what is not used lapses. Drawn once a trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerators_per_quarter: Option<Uncertain>,
    /// Failures and spares; left out, it never fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
    /// Price of a rack of it with its share of hosts and network, in money per kW of the rack, 0 or more. Where the scenario has `finance`, it is paid as capex when the hardware is delivered, at every replacement too. Large AI campuses cost 29.2 M$ per facility MW with compute and 11.8 M$ per IT MW without, which at a PUE of 1.3 leaves about 26,000 $ per kW (derived). Drawn once a trial.
    #[serde(default = "Uncertain::zero", skip_serializing_if = "is_constant_zero")]
    pub price_per_kw: Uncertain,
    /// CO2 emitted in making one rack of it, in t, 0 or more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rack_embodied_carbon_t: f64,
}

fn one() -> u32 {
    1
}

fn is_one(value: &u32) -> bool {
    *value == 1
}

/// Generations of the [`CATALOGUE`](super::CATALOGUE) that a scenario takes over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CatalogueUse {
    /// The names of the entries.
    pub include: Vec<String>,
    /// Time from order to delivery of each, in months, 0 or more. Drawn for each hall.
    #[serde(default = "Uncertain::zero")]
    pub lead_time_months: Uncertain,
    /// Price of each; see [`Generation::price_per_kw`]. Drawn once a trial for each.
    #[serde(default = "Uncertain::zero", skip_serializing_if = "is_constant_zero")]
    pub price_per_kw: Uncertain,
}

/// Generations not yet announced, each so much later, denser and better than the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GenerationTrend {
    /// The generation that they follow; the k-th is called by its name and " +k".
    pub from: String,
    /// How many, 1 to 40.
    pub count: u32,
    /// Time from one to the next, in months, above 0. Drawn once a trial.
    pub every_months: Uncertain,
    /// Growth of PFLOPS per kW a year, as a share, above -1. Drawn once a trial. Energy efficiency of accelerators has grown by 26 to 40 % a year (Epoch AI).
    #[serde(default = "Uncertain::zero")]
    pub efficiency_growth_per_year: Uncertain,
    /// Growth of the power of a rack a year, as a share, above -1. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub rack_power_growth_per_year: Uncertain,
    /// Growth of the price of a kW a year, as a share, above -1. Compute per money grows by (1 + efficiency growth) / (1 + this) - 1; it has grown by 30 % a year (Epoch AI), as much as the efficiency, so that 0 continues the trend. Drawn once a trial.
    #[serde(default = "Uncertain::zero", skip_serializing_if = "is_constant_zero")]
    pub price_per_kw_growth_per_year: Uncertain,
}

/// Above 0.
const INTERVAL: Domain = Domain {
    min: 0.01,
    max: 1_200.0,
};
pub(super) const ACCELERATORS: Domain = Domain {
    min: 1e-3,
    max: f64::INFINITY,
};
const MOST_FUTURE: u32 = 40;

impl GenerationTrend {
    pub(crate) fn check<'a>(
        &self,
        known: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_known(
            "hardware generation",
            &self.from,
            known,
            &at.key("from"),
            problems,
        );
        if !(1..=MOST_FUTURE).contains(&self.count) {
            problems.error(
                &at.key("count"),
                format!("count is {}", self.count),
                format!("1 to {MOST_FUTURE} generations"),
            );
        }
        for (quantity, domain, key) in self.quantities() {
            quantity.check(domain, &at.key(key), problems);
        }
    }

    pub(super) fn quantities(&self) -> [(&Uncertain, Domain, &'static str); 4] {
        [
            (&self.every_months, INTERVAL, "every_months"),
            (
                &self.efficiency_growth_per_year,
                GROWTH,
                "efficiency_growth_per_year",
            ),
            (
                &self.rack_power_growth_per_year,
                GROWTH,
                "rack_power_growth_per_year",
            ),
            (
                &self.price_per_kw_growth_per_year,
                GROWTH,
                "price_per_kw_growth_per_year",
            ),
        ]
    }
}

/// A generation of a scenario, stated, from the catalogue, or `steps` after the one it follows.
#[derive(Clone, Debug)]
pub(crate) struct PlannedGeneration {
    pub(crate) generation: Generation,
    pub(super) steps: u32,
}

/// All generations of a scenario: those stated, those of the catalogue, and future ones.
pub(crate) fn plan_generations(
    stated: &[Generation],
    catalogue_use: Option<&CatalogueUse>,
    trend: Option<&GenerationTrend>,
) -> Vec<PlannedGeneration> {
    let plain = |generation| PlannedGeneration {
        generation,
        steps: 0,
    };
    let mut planned: Vec<_> = stated.iter().cloned().map(plain).collect();
    if let Some(taken) = catalogue_use {
        let entries = taken.include.iter().filter_map(|name| catalogue(name));
        planned.extend(entries.map(|mut generation| {
            generation.lead_time_months = taken.lead_time_months.clone();
            generation.price_per_kw = taken.price_per_kw.clone();
            plain(generation)
        }));
    }
    if let Some(trend) = trend
        && let Some(base) = planned
            .iter()
            .find(|known| known.generation.name == trend.from)
    {
        let base = base.generation.clone();
        planned.extend((1..=trend.count.min(MOST_FUTURE)).map(|steps| {
            let mut generation = base.clone();
            generation.name = format!("{} +{steps}", trend.from);
            PlannedGeneration { generation, steps }
        }));
    }
    planned
}

/// Growth is a share of the year before, above a total loss.
pub(super) const GROWTH: Domain = Domain {
    min: -0.99,
    max: f64::INFINITY,
};

impl Generation {
    /// A generation that is available at once, of a given compute at one precision.
    pub fn new(
        name: impl Into<String>,
        rack_power_kw: impl Into<Uncertain>,
        precision: impl Into<String>,
        pflops: impl Into<Uncertain>,
    ) -> Self {
        Self {
            name: name.into(),
            rack_power_kw: rack_power_kw.into(),
            rack_pflops: BTreeMap::from([(precision.into(), pflops.into())]),
            available_from: None,
            lead_time_months: Uncertain::zero(),
            growth_per_year: Uncertain::zero(),
            release_slip_months: Uncertain::zero(),
            rack_positions: 1,
            cooling: None,
            rack_accelerators: None,
            accelerators_per_quarter: None,
            reliability: None,
            price_per_kw: Uncertain::zero(),
            rack_embodied_carbon_t: 0.0,
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
        self.rack_power_kw
            .check(Domain::POSITIVE, &at.key("rack_power_kw"), problems);
        for (name, pflops) in &self.rack_pflops {
            let at = at.key("rack_pflops").key(name);
            pflops.check(Domain::NON_NEGATIVE, &at, problems);
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
        self.price_per_kw
            .check(Domain::NON_NEGATIVE, &at.key("price_per_kw"), problems);
        self.growth_per_year
            .check(GROWTH, &at.key("growth_per_year"), problems);
        self.release_slip_months.check(
            Domain::NON_NEGATIVE,
            &at.key("release_slip_months"),
            problems,
        );
        for (count, key) in [
            (Some(self.rack_positions), "rack_positions"),
            (self.rack_accelerators, "rack_accelerators"),
        ] {
            if count == Some(0) {
                problems.error(&at.key(key), format!("{key} is 0"), "1 or more");
            }
        }
        if let Some(supply) = &self.accelerators_per_quarter {
            let at = at.key("accelerators_per_quarter");
            supply.check(ACCELERATORS, &at, problems);
            if self.rack_accelerators.is_none() {
                problems.error(
                    &at,
                    "the supply is limited, but how many accelerators a rack holds is not said",
                    "give `rack_accelerators` too",
                );
            }
        }
        if let Some(reliability) = &self.reliability {
            reliability.check(&at.key("reliability"), problems);
        }
        let embodied = self.rack_embodied_carbon_t;
        if !(embodied.is_finite() && embodied >= 0.0) {
            problems.error(
                &at.key("rack_embodied_carbon_t"),
                format!("rack_embodied_carbon_t is {embodied}"),
                "0 t or more",
            );
        }
    }
}
