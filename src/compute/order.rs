//! Which hardware a hall takes, and when it comes: generations as they are in one trial, orders, and the
//! queue where the supply of accelerators is limited.

use std::collections::BTreeMap;

use super::generation::{Generation, GenerationTrend, PlannedGeneration};
use super::rack::RackType;
use super::{NEWEST, Reliability};
use crate::date::Date;
use crate::power::Cooling;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::schedule::compiler::Compiler;
use crate::uncertain::{Domain, UncertainError};

/// A compiled generation.
#[derive(Clone, Debug)]
pub(crate) struct CompiledGeneration {
    rack_power_kw: Quantity,
    /// PFLOPS of one rack, at the scenario's precision.
    rack_pflops: Quantity,
    /// Months after the start; negative infinity if it always could be had.
    available_months: f64,
    slip: Quantity,
    growth_per_year: Quantity,
    price_per_kw: Quantity,
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
    price: Quantity,
}

/// What is uncertain about a generation, and about those that follow it by a trend.
#[derive(Clone, Copy, Debug)]
struct Shared {
    slip: Quantity,
    growth: Quantity,
    supply: Option<Quantity>,
    price: Quantity,
    power: Quantity,
    pflops: Quantity,
}

impl Shared {
    fn add(
        generation: &Generation,
        precision: &str,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let name = format!("hardware/{}", generation.name);
        let fields = generation.fields();
        Ok(Self {
            growth: inputs.register(&name, fields.growth_per_year())?,
            slip: inputs.register(&name, fields.release_slip_months())?,
            supply: inputs.register(&name, fields.accelerators_per_quarter())?,
            price: inputs.register(&name, fields.price_per_kw())?,
            power: inputs.register(&name, fields.rack_power_kw())?,
            pflops: match generation.rack_pflops.get(precision) {
                Some(pflops) => inputs.register(&name, fields.rack_pflops().of(pflops))?,
                None => Quantity::Fixed(0.0),
            },
        })
    }
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
        let (name, fields) = ("hardware/trend", trend.fields());
        shared = Some([
            inputs.register(name, fields.every_months())?,
            inputs.register(name, fields.efficiency_growth_per_year())?,
            inputs.register(name, fields.rack_power_growth_per_year())?,
            inputs.register(name, fields.price_per_kw_growth_per_year())?,
        ]);
    }
    // Future generations share what is uncertain about the one they follow.
    let mut first: BTreeMap<&str, Shared> = BTreeMap::new();
    planned
        .iter()
        .map(|planned| {
            let generation = &planned.generation;
            let base = trend.map_or("", |trend| trend.from.as_str());
            let known = first.get(base).copied().filter(|_| planned.steps > 0);
            let known = match known {
                Some(known) => known,
                None => Shared::add(generation, precision, inputs)?,
            };
            first.entry(&generation.name).or_insert(known);
            let trend =
                shared
                    .filter(|_| planned.steps > 0)
                    .map(|[every, efficiency, power, price]| CompiledTrend {
                        steps: f64::from(planned.steps),
                        every,
                        efficiency,
                        power,
                        price,
                    });
            Ok(CompiledGeneration {
                rack_power_kw: known.power,
                rack_pflops: known.pflops,
                available_months: generation
                    .available_from
                    .map_or(f64::NEG_INFINITY, |date| date.months_after(start)),
                slip: known.slip,
                growth_per_year: known.growth,
                price_per_kw: known.price,
                positions: f64::from(generation.rack_positions),
                cooling: generation.cooling,
                trend,
                accelerators: f64::from(generation.rack_accelerators.unwrap_or(1)),
                accelerators_per_quarter: known.supply,
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
    /// Price of a kW of it, in prices of the start.
    pub(crate) price_per_kw: f64,
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
        let mut power = self.rack_power_kw.value(drawn);
        let mut pflops_per_kw = self.rack_pflops.value(drawn) / power;
        let mut price_per_kw = self.price_per_kw.value(drawn);
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
            if price_per_kw > 0.0 {
                price_per_kw *= libm::pow(1.0 + trend.price.value(drawn), years);
            }
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
            price_per_kw,
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

    /// When this many racks ordered at `ordered` have been supplied, in months: the supply serves
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

impl Hardware {
    /// The generations that a hall may take, "newest" or the one of this name, with their lead times.
    pub(crate) fn compile(
        wanted: &str,
        hall: &str,
        rack_types: &[&RackType],
        generations: &[PlannedGeneration],
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let mut choices: Vec<(usize, &Generation)> = (generations.iter().enumerate())
            .map(|(position, planned)| (position, &planned.generation))
            .filter(|(_, generation)| match wanted == NEWEST {
                true => rack_types.iter().any(|kind| kind.fits(generation)),
                false => generation.name == wanted,
            })
            .collect();
        // Stable: of generations released on the same day the one written last counts as the newest.
        choices.sort_by_key(|(_, generation)| generation.available_from);
        let choices = choices.into_iter().map(|(position, generation)| {
            let name = format!("{hall}/lead time of {}", generation.name);
            let lead_time = &generation.lead_time_months;
            (
                position,
                compiler.draw(&name, lead_time, Domain::NON_NEGATIVE),
            )
        });
        Self::Generations(choices.collect())
    }
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
    /// The delivery that follows from an order, before the supply of accelerators is looked at; it
    /// never comes where nothing fits.
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
        let Some((chosen, lead_time)) = newest.or(first) else {
            // Where racks have outgrown the positions by a trend there is nothing to order.
            return Delivery {
                generation: None,
                arrives: f64::INFINITY,
                ordered: f64::INFINITY,
                rack_power_kw: hall.power_kw,
                positions: 1.0,
                pflops_per_kw: 0.0,
            };
        };
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
    use crate::compute::HardwarePlans;
    use crate::uncertain::Uncertain;

    fn generation(power: f64, pflops: f64, from: f64, growth: f64) -> DrawnGeneration {
        DrawnGeneration {
            rack_power_kw: power,
            pflops_per_kw: pflops / power,
            available_months: from,
            growth_per_year: growth,
            price_per_kw: 0.0,
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
    fn what_has_outgrown_the_positions_never_comes() {
        let generations = [generation(150.0, 180.0, -1.0, 0.0)];
        let named = Hardware::Generations(vec![(0, Quantity::Fixed(3.0))]);
        let delivery = named.order(&generations, Order::At(0.0), HALL, &[]);
        assert_eq!(
            (delivery.generation, delivery.arrives),
            (None, f64::INFINITY)
        );
        assert_eq!(delivery.rack_power_kw, HALL.power_kw);
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
        base.price_per_kw = Uncertain::Constant(20_000.0);
        let trend = GenerationTrend {
            from: "rack".to_owned(),
            count: 2,
            every_months: Uncertain::Constant(24.0),
            efficiency_growth_per_year: Uncertain::Constant(0.3),
            rack_power_growth_per_year: Uncertain::Constant(0.5),
            price_per_kw_growth_per_year: Uncertain::Constant(-0.1),
        };
        let plans = HardwarePlans {
            stated: &[base],
            catalogue: None,
            trend: Some(&trend),
        };
        let planned = plans.all();
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
        assert_eq!(drawn[0].price_per_kw, 20_000.0);
        assert!((drawn[2].price_per_kw - 20_000.0 * 0.9_f64.powi(4)).abs() < 1e-9);
    }
}
