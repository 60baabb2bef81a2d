//! Compute: rack types, hardware generations, and what a hall's hardware is worth in PFLOPS.
//!
//! A hall orders hardware and gets it after its lead time, no sooner than it is released and, where
//! the supply of accelerators is limited, when its turn has come. A trend may stand for
//! generations not yet announced. After its life hardware is replaced by what is then the newest
//! that fits, in the hall as it is or after a retrofit.

pub mod catalogue;
pub mod failures;
pub mod oversubscription;

pub use catalogue::{CATALOGUE, CatalogueEntry, catalogue};
pub use failures::{Reliability, expected_backorders};
pub use oversubscription::{Draws, OversubscriptionError};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::monte_carlo::inputs::{Inputs, Quantity};
use crate::power::Cooling;
use crate::power::availability::is_zero;
use crate::power::grid::is_constant_zero;
use crate::problem::{Path, Problems, check_known, check_name, check_positive, name_help};
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
    /// The cooling of such a position; left out, it takes hardware of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling: Option<Cooling>,
}

impl RackType {
    /// A rack type.
    pub fn new(name: impl Into<String>, power_kw: f64) -> Self {
        Self {
            name: name.into(),
            power_kw,
            cooling: None,
        }
    }

    /// Whether it takes racks of that hardware: of no more power for each of their positions, and
    /// of a cooling that it accepts.
    pub fn fits(&self, hardware: &Generation) -> bool {
        hardware.rack_power_kw <= self.power_kw * f64::from(hardware.rack_positions)
            && self.cools(hardware.cooling)
    }

    pub(crate) fn cools(&self, hardware: Option<Cooling>) -> bool {
        match (self.cooling, hardware) {
            (Some(position), Some(hardware)) => position.accepts(hardware),
            _ => true,
        }
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        check_positive(Some(self.power_kw), "power_kw", at, problems);
        if let Some(cooling) = self.cooling
            && self.power_kw > cooling.usual_limit_kw()
        {
            problems.warning(
                &at.key("power_kw"),
                format!("{} kW is more than {} cools", self.power_kw, cooling.name()),
                format!("{} kW or less is usual", cooling.usual_limit_kw()),
            );
        }
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

/// Generations of the [`CATALOGUE`] that a scenario takes over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CatalogueUse {
    /// The names of the entries.
    pub include: Vec<String>,
    /// Time from order to delivery of each, in months, 0 or more. Drawn for each hall.
    #[serde(default = "Uncertain::zero")]
    pub lead_time_months: Uncertain,
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
}

/// Above 0.
const INTERVAL: Domain = Domain {
    min: 0.01,
    max: 1_200.0,
};
const ACCELERATORS: Domain = Domain {
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

    fn quantities(&self) -> [(&Uncertain, Domain, &'static str); 3] {
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
        ]
    }
}

/// A generation of a scenario, stated, from the catalogue, or `steps` after the one it follows.
#[derive(Clone, Debug)]
pub(crate) struct PlannedGeneration {
    pub(crate) generation: Generation,
    steps: u32,
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
            release_slip_months: Uncertain::zero(),
            rack_positions: 1,
            cooling: None,
            rack_accelerators: None,
            accelerators_per_quarter: None,
            reliability: None,
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

/// The name that stands for the newest generation released when an order is placed.
pub const NEWEST: &str = "newest";

/// A compiled generation.
#[derive(Clone, Debug)]
pub(crate) struct CompiledGeneration {
    rack_power_kw: f64,
    /// PFLOPS of one kW of critical IT power, at the scenario's precision.
    pflops_per_kw: f64,
    /// Months after the start; negative infinity if it always could be had.
    available_months: f64,
    slip: Quantity,
    growth_per_year: Quantity,
    positions: f64,
    cooling: Option<Cooling>,
    trend: Option<CompiledTrend>,
    accelerators: f64,
    accelerators_per_quarter: Option<Quantity>,
    pub(crate) reliability: Option<Reliability>,
    pub(crate) rack_embodied_t: f64,
}

#[derive(Clone, Copy, Debug)]
struct CompiledTrend {
    steps: f64,
    every: Quantity,
    efficiency: Quantity,
    power: Quantity,
}

pub(crate) fn compile_generations(
    planned: &[PlannedGeneration],
    trend: Option<&GenerationTrend>,
    precision: &str,
    start: Date,
    inputs: &mut Inputs,
) -> Result<Vec<CompiledGeneration>, UncertainError> {
    let mut shared = None;
    if let Some(trend) = trend {
        let mut drawn = [Quantity::Fixed(0.0); 3];
        for (drawn, (quantity, domain, key)) in drawn.iter_mut().zip(trend.quantities()) {
            *drawn = inputs.add(format!("hardware/trend/{key}"), quantity, domain)?;
        }
        shared = Some(drawn);
    }
    // Future generations share what is uncertain about the one they follow.
    let mut first: BTreeMap<String, (Quantity, Quantity, Option<Quantity>)> = BTreeMap::new();
    planned
        .iter()
        .map(|planned| {
            let generation = &planned.generation;
            let pflops = generation
                .rack_pflops
                .get(precision)
                .copied()
                .unwrap_or(0.0);
            let base = trend.map_or("", |trend| trend.from.as_str());
            let known = first.get(base).copied().filter(|_| planned.steps > 0);
            let (slip, growth, supply) = match known {
                Some(known) => known,
                None => {
                    let name = format!("hardware/{}", generation.name);
                    let growth = &generation.growth_per_year;
                    let growth = inputs.add(format!("{name}/growth"), growth, GROWTH)?;
                    let slip = &generation.release_slip_months;
                    let slip = inputs.add(format!("{name}/slip"), slip, Domain::NON_NEGATIVE)?;
                    let supply = generation
                        .accelerators_per_quarter
                        .as_ref()
                        .map(|supply| inputs.add(format!("{name}/supply"), supply, ACCELERATORS))
                        .transpose()?;
                    (slip, growth, supply)
                }
            };
            first
                .entry(generation.name.clone())
                .or_insert((slip, growth, supply));
            let trend = shared
                .filter(|_| planned.steps > 0)
                .map(|[every, efficiency, power]| CompiledTrend {
                    steps: f64::from(planned.steps),
                    every,
                    efficiency,
                    power,
                });
            Ok(CompiledGeneration {
                rack_power_kw: generation.rack_power_kw,
                pflops_per_kw: pflops / generation.rack_power_kw,
                available_months: generation
                    .available_from
                    .map_or(f64::NEG_INFINITY, |date| date.months_after(start)),
                slip,
                growth_per_year: growth,
                positions: f64::from(generation.rack_positions),
                cooling: generation.cooling,
                trend,
                accelerators: f64::from(generation.rack_accelerators.unwrap_or(1)),
                accelerators_per_quarter: supply,
                reliability: generation.reliability,
                rack_embodied_t: generation.rack_embodied_carbon_t,
            })
        })
        .collect()
}

/// A generation as it is in one trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DrawnGeneration {
    pub(crate) rack_power_kw: f64,
    pflops_per_kw: f64,
    pub(crate) available_months: f64,
    growth_per_year: f64,
    pub(crate) positions: f64,
    cooling: Option<Cooling>,
    /// Racks that can be had in a month; infinite without a limit.
    racks_per_month: f64,
    /// When the supply is free for the next order, in months.
    next_free: f64,
}

const MONTHS_PER_QUARTER: f64 = 3.0;

impl CompiledGeneration {
    pub(crate) fn draw(&self, drawn: &[f64]) -> DrawnGeneration {
        let mut available = self.available_months + self.slip.value(drawn);
        let (mut power, mut pflops_per_kw) = (self.rack_power_kw, self.pflops_per_kw);
        if let Some(trend) = &self.trend {
            // What always could be had is followed from the start of the scenario on.
            let later = trend.steps * trend.every.value(drawn);
            available = if available.is_finite() {
                available
            } else {
                0.0
            } + later;
            let years = later / 12.0;
            power *= libm::pow(1.0 + trend.power.value(drawn), years);
            pflops_per_kw *= libm::pow(1.0 + trend.efficiency.value(drawn), years);
        }
        let racks_per_month = self
            .accelerators_per_quarter
            .map_or(f64::INFINITY, |supply| {
                supply.value(drawn) / self.accelerators / MONTHS_PER_QUARTER
            });
        DrawnGeneration {
            rack_power_kw: power,
            pflops_per_kw,
            available_months: available,
            growth_per_year: self.growth_per_year.value(drawn),
            positions: self.positions,
            cooling: self.cooling,
            racks_per_month,
            next_free: available,
        }
    }
}

impl DrawnGeneration {
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
    pub(crate) fn pflops_per_kw(&self, months: f64) -> f64 {
        let growth = self.growth_per_year;
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

    /// Whether the supply of accelerators is limited.
    pub(crate) fn is_limited(&self) -> bool {
        self.racks_per_month.is_finite()
    }

    /// When so many racks ordered at `ordered` have been supplied, in months: the supply serves
    /// one order after the other, and what nobody has ordered lapses.
    fn supplied(&mut self, ordered: f64, racks: f64) -> f64 {
        self.next_free = self.next_free.max(ordered) + racks / self.racks_per_month;
        self.next_free
    }
}

/// Positions of a hall, as hardware is chosen for them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Positions {
    pub(crate) count: f64,
    /// Most power of one position, in kW.
    pub(crate) power_kw: f64,
    pub(crate) cooling: Option<Cooling>,
}

/// When hardware is ordered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// At this moment.
    At(f64),
    /// Its lead time before this moment, so that it is there by then.
    For(f64),
}

impl Order {
    fn placed(self, lead_time: f64) -> f64 {
        match self {
            Self::At(months) => months,
            Self::For(months) => months - lead_time,
        }
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
    /// The generation; `None` where tenants bring their own.
    pub(crate) generation: Option<usize>,
    /// Months after the start; negative infinity where nothing is waited for.
    pub(crate) arrives: f64,
    /// When it was ordered.
    pub(crate) ordered: f64,
    /// Critical IT power of one rack, in kW; the rack type's where tenants bring their own.
    pub(crate) rack_power_kw: f64,
    /// Positions that one rack takes.
    pub(crate) positions: f64,
    pub(crate) pflops_per_kw: f64,
}

impl Delivery {
    /// Waits for the supply of accelerators, where that is limited.
    pub(crate) fn wait_for_supply(&mut self, generations: &mut [DrawnGeneration], racks: f64) {
        let Some(chosen) = self.generation else {
            return;
        };
        let generation = &mut generations[chosen];
        // What is not ordered yet, or never, holds no place in the queue.
        if generation.is_limited() && self.ordered < f64::INFINITY {
            self.arrives = self.arrives.max(generation.supplied(self.ordered, racks));
            self.pflops_per_kw = generation.pflops_per_kw(self.arrives);
        }
    }
}

impl Hardware {
    /// The delivery that follows from an order, before the supply of accelerators is looked at.
    pub(crate) fn order(
        &self,
        generations: &[DrawnGeneration],
        order: Order,
        hall: Positions,
        drawn: &[f64],
    ) -> Delivery {
        let Self::Generations(choices) = self else {
            return Delivery {
                generation: None,
                arrives: f64::NEG_INFINITY,
                ordered: f64::NEG_INFINITY,
                rack_power_kw: hall.power_kw,
                positions: 1.0,
                pflops_per_kw: 0.0,
            };
        };
        // The newest that is released, of those that fit; else the first to be released.
        let (mut newest, mut first) = (None, None);
        let (mut newest_from, mut first_from) = (f64::NEG_INFINITY, f64::INFINITY);
        for &(choice, lead_time) in choices {
            let generation = &generations[choice];
            let cools = match (hall.cooling, generation.cooling) {
                (Some(position), Some(hardware)) => position.accepts(hardware),
                _ => true,
            };
            if !cools || generation.rack_power_kw > hall.power_kw * generation.positions {
                continue;
            }
            let lead_time = lead_time.value(drawn);
            let from = generation.available_months;
            if generation.is_released(order.placed(lead_time)) && from >= newest_from {
                (newest, newest_from) = (Some((choice, lead_time)), from);
            }
            if from < first_from || first.is_none() {
                (first, first_from) = (Some((choice, lead_time)), from);
            }
        }
        let fallback = || (choices[0].0, choices[0].1.value(drawn));
        let (chosen, lead_time) = newest.or(first).unwrap_or_else(fallback);
        let generation = &generations[chosen];
        let ordered = order.placed(lead_time);
        let arrives = generation.arrival(ordered, lead_time);
        Delivery {
            generation: Some(chosen),
            arrives,
            ordered,
            rack_power_kw: generation.rack_power_kw,
            positions: generation.positions,
            pflops_per_kw: generation.pflops_per_kw(arrives),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(power: f64, pflops: f64, from: f64, growth: f64) -> DrawnGeneration {
        DrawnGeneration {
            rack_power_kw: power,
            pflops_per_kw: pflops / power,
            available_months: from,
            growth_per_year: growth,
            positions: 1.0,
            cooling: None,
            racks_per_month: f64::INFINITY,
            next_free: from,
        }
    }

    const HALL: Positions = Positions {
        count: 100.0,
        power_kw: 140.0,
        cooling: None,
    };

    #[test]
    fn the_newest_released_generation_is_ordered() {
        let generations = [
            generation(10.0, 8.0, -20.0, 0.0),
            generation(140.0, 180.0, 12.0, 0.0),
        ];
        let lead = Quantity::Fixed(6.0);
        let newest = Hardware::Generations(vec![(0, lead), (1, lead)]);
        let order = |order| newest.order(&generations, order, HALL, &[]);
        let early = order(Order::At(5.0));
        assert_eq!((early.arrives, early.rack_power_kw), (11.0, 10.0));
        let late = order(Order::At(12.0));
        assert_eq!((late.arrives, late.rack_power_kw), (18.0, 140.0));
        // To be there in month 17 it must be ordered in month 11, before the release.
        assert_eq!(order(Order::For(17.0)).rack_power_kw, 10.0);
        assert_eq!(order(Order::For(18.0)).arrives, 18.0);
    }

    #[test]
    fn what_is_too_dense_or_cooled_otherwise_is_passed_over() {
        let mut dense = generation(150.0, 180.0, -1.0, 0.0);
        let mut liquid = generation(100.0, 180.0, -2.0, 0.0);
        liquid.cooling = Some(Cooling::DirectToChip);
        let lead = Quantity::Fixed(0.0);
        let newest = Hardware::Generations(vec![(0, lead), (1, lead), (2, lead)]);
        let old = generation(10.0, 8.0, -20.0, 0.0);
        let power = |generations: &[DrawnGeneration], cooling| {
            let hall = Positions { cooling, ..HALL };
            newest
                .order(generations, Order::At(0.0), hall, &[])
                .rack_power_kw
        };
        assert_eq!(power(&[old, liquid, dense], Some(Cooling::Air)), 10.0);
        assert_eq!(
            power(&[old, liquid, dense], Some(Cooling::DirectToChip)),
            100.0
        );
        dense.positions = 2.0;
        assert_eq!(power(&[old, liquid, dense], None), 150.0);
    }

    #[test]
    fn nothing_arrives_before_its_release() {
        let generations = [generation(140.0, 180.0, 30.0, 0.0)];
        let hardware = Hardware::Generations(vec![(0, Quantity::Fixed(3.0))]);
        let order = hardware.order(&generations, Order::At(0.0), HALL, &[]);
        assert_eq!(order.arrives, 30.0);
    }

    #[test]
    fn a_trend_compounds_by_the_year_until_delivery() {
        let trend = generation(2.5, 1.0, f64::NEG_INFINITY, 0.30);
        let expected = 0.4 * 1.3_f64.powf(18.0 / 12.0);
        assert!((trend.pflops_per_kw(18.0) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_limited_supply_serves_one_order_after_the_other() {
        let mut generations = [DrawnGeneration {
            racks_per_month: 10.0,
            next_free: 6.0,
            ..generation(140.0, 180.0, 6.0, 0.0)
        }];
        let hardware = Hardware::Generations(vec![(0, Quantity::Fixed(3.0))]);
        let mut arrival = |ordered, racks| {
            let mut order = hardware.order(&generations, Order::At(ordered), HALL, &[]);
            order.wait_for_supply(&mut generations, racks);
            order.arrives
        };
        // 100 racks take ten months from the release on; the next 20 wait for them.
        assert_eq!(arrival(0.0, 100.0), 16.0);
        assert_eq!(arrival(1.0, 20.0), 18.0);
        // Nobody orders until month 40: what could have been had before has lapsed.
        assert_eq!(arrival(40.0, 50.0), 45.0);
    }

    #[test]
    fn future_generations_follow_their_base_by_the_year() {
        let mut base = Generation::new("rack", 100.0, "fp16_dense", 50.0);
        base.available_from = Date::month(2025, 1).ok();
        let trend = GenerationTrend {
            from: "rack".to_owned(),
            count: 2,
            every_months: Uncertain::Constant(24.0),
            efficiency_growth_per_year: Uncertain::Constant(0.3),
            rack_power_growth_per_year: Uncertain::Constant(0.5),
        };
        let planned = plan_generations(&[base], None, Some(&trend));
        let start = Date::month(2025, 7).unwrap();
        let mut inputs = Inputs::default();
        let compiled =
            compile_generations(&planned, Some(&trend), "fp16_dense", start, &mut inputs).unwrap();
        let drawn: Vec<_> = compiled
            .iter()
            .map(|generation| generation.draw(&[]))
            .collect();
        assert_eq!(planned[2].generation.name, "rack +2");
        assert_eq!(drawn[1].available_months, -6.0 + 24.0);
        assert!((drawn[1].rack_power_kw - 225.0).abs() < 1e-9);
        assert!((drawn[2].rack_power_kw - 506.25).abs() < 1e-9);
        assert!((drawn[2].pflops_per_kw(99.0) - 0.5 * 1.3_f64.powi(4)).abs() < 1e-12);
    }
}
