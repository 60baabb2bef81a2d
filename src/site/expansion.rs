//! Expansion that is not announced yet: further buildings of one kind, wave by wave.
//!
//! A wave is a building of the entry's template. Wave k starts a wait W_k after wave k - 1, the first after the last
//! building so far, and has the size B_k. Waits and sizes come from the distributions of a class of campuses and have
//! an effect of the campus in common, which is updated by its own past (`uncertain::exchangeable`).
//! After each wave the campus stops for ever with the probability p, so that without other limits the number of further
//! waves N has P(N >= n) = (1 - p)^n; where p is 0 and the waits are independent it is a renewal process, whose waves
//! by the time t number n or more with the probability P(W_1 + … + W_n <= t).
//!
//! This many waves are compiled as there can be at most; which of them start is drawn in each trial.

use crate::date::Date;
use crate::field::{COUNT, MONTHS, NUMBER, Quantity as Measured, SHARE, plan};
use crate::problem::{Path, Problems};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::schedule::network::Presence;
use crate::uncertain::exchangeable::{Draw, Exchangeable, MOST_BETWEEN, Unfinished};
use crate::uncertain::{Domain, Uncertain, UncertainError};

plan! {
    /// A process of further buildings, none of which is announced.
    pub struct CampusExpansion {
        /// The most waves that are simulated, 1 to 200 (assumption if left out: 20).
        pub most: u32 [= 20] => COUNT.within(1.0, MOST_WAVES as f64),
        /// When the last wave so far started: the first wait counts from then, and it was not over at the start of the scenario. Left out, it counts from what the building is `after`, or from its `starts`, or from the start of the scenario.
        pub since: Option<Date>,
        /// Time from the start of a wave to that of the next, in months, 0 or more: as it is distributed among campuses of the class.
        pub wait_months: Uncertain => MONTHS.input("wait"),
        /// The first wait, where it is distributed otherwise: from the clearing of the land to the first building, say.
        pub first_wait_months: Option<Uncertain> => MONTHS.input("wait"),
        /// Share of the variance of waits (of their normal scores) that lies between campuses, 0 to 0.99: the correlation of two waits of a campus.
        pub waits_between_share: f64 [= 0.0] => BETWEEN,
        /// Waits between waves of this campus so far, in months.
        pub past_waits_months: Vec<f64> = [] => MONTHS,
        /// What racks and power of the template's halls, and the building's own power, are multiplied by, above 0: as it is distributed among campuses of the class. Drawn for each wave.
        pub size: Uncertain [= Uncertain::one()] => NUMBER.above_zero().input("size"),
        /// Share of the variance of sizes (of their normal scores) that lies between campuses, 0 to 0.99.
        pub sizes_between_share: f64 [= 0.0] => BETWEEN,
        /// Sizes of the waves of this campus so far.
        pub past_sizes: Vec<f64> = [] => NUMBER,
        /// How many buildings a wave consists of, 1 or more; its size is multiplied by that. Drawn for each wave, and rounded.
        pub buildings: Uncertain [= Uncertain::one()] => COUNT.input("buildings"),
        /// What the PFLOPS of the hardware of a wave are multiplied by, above 0: as it is distributed among campuses of the class. Drawn for each wave.
        pub compute_factor: Uncertain [= Uncertain::one()] => NUMBER.above_zero().input("compute"),
        /// Share of the variance of the compute factors (of their normal scores) that lies between campuses, 0 to 0.99.
        pub compute_between_share: f64 [= 0.0] => BETWEEN,
        /// Compute factors of the waves of this campus so far.
        pub past_compute_factors: Vec<f64> = [] => NUMBER,
        /// The probability, before each wave, that no further one ever comes, 0 to 1. For the first it is what follows from the wait so far.
        pub stop_probability: f64 [= 0.0] => SHARE,
        /// How many waves there are at most, 0 or more; left out, no other limit than `most`. Drawn once a trial, and rounded.
        pub count: Option<Uncertain> => NUMBER.input("count"),
    }
    /// Waves of independent waits that never stop.
    pub fn new;
}

const BETWEEN: Measured = SHARE.within(0.0, MOST_BETWEEN);
const MOST_WAVES: u32 = 200;

impl CampusExpansion {
    /// How many waves are simulated.
    pub(crate) fn waves(&self) -> u32 {
        self.most.min(MOST_WAVES)
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        self.buildings.check_whole(&at.key("buildings"), problems);
        if let Some(count) = &self.count {
            count.check_whole(&at.key("count"), problems);
        }
    }

    /// Registers what all waves have in common. `waited_months` is the wait so far, if it is not over.
    pub(crate) fn compile(
        &self,
        name: &str,
        waited_months: Option<f64>,
        inputs: &mut Inputs,
    ) -> Result<Waves, UncertainError> {
        let waits = |quantity: &Uncertain| -> Result<Exchangeable, UncertainError> {
            let class = quantity.sampler(Domain::NON_NEGATIVE)?;
            Ok(Exchangeable::new(class, self.waits_between_share))
        };
        let later = waits(&self.wait_months)?;
        let first = match &self.first_wait_months {
            Some(first) => waits(first)?,
            None => later.clone(),
        };
        let waited = waited_months.map(|months| Unfinished {
            months,
            in_vain: self.stop_probability,
        });
        let factors = |quantity: &Uncertain, between: f64| -> Result<_, UncertainError> {
            let class = quantity.sampler(Domain::POSITIVE)?;
            Ok(Exchangeable::new(class, between))
        };
        let sizes = factors(&self.size, self.sizes_between_share)?;
        let compute = factors(&self.compute_factor, self.compute_between_share)?;
        let mut effect = |what: &str, of: &Exchangeable, seen: &[f64], waited| {
            if of.has_effect() {
                inputs.add_sampler(format!("{name}/{what}"), of.effect(seen, waited))
            } else {
                Quantity::Fixed(0.0)
            }
        };
        let waiting = waited.map(|wait| (&first, wait));
        let pace = effect("pace", &later, &self.past_waits_months, waiting);
        let scale = effect("scale", &sizes, &self.past_sizes, None);
        let density = effect("density", &compute, &self.past_compute_factors, None);
        let count = match &self.count {
            Some(count) => {
                Some(inputs.add(format!("{name}/count"), count, Domain::NON_NEGATIVE)?)
            }
            None => None,
        };
        Ok(Waves {
            stop_probability: self.stop_probability,
            waited,
            first,
            later,
            sizes,
            compute,
            buildings: self.buildings.clone(),
            pace,
            scale,
            density,
            count,
        })
    }
}

/// What the waves of an expansion have in common in a model.
#[derive(Clone, Debug)]
pub(crate) struct Waves {
    stop_probability: f64,
    waited: Option<Unfinished>,
    first: Exchangeable,
    later: Exchangeable,
    sizes: Exchangeable,
    compute: Exchangeable,
    buildings: Uncertain,
    /// The effects of the campus on waits, on sizes and on compute factors.
    pace: Quantity,
    scale: Quantity,
    density: Quantity,
    count: Option<Quantity>,
}

/// One wave.
#[derive(Clone, Debug)]
pub(crate) struct Wave {
    /// In months.
    pub(crate) wait: Quantity,
    pub(crate) size: Quantity,
    pub(crate) buildings: Quantity,
    pub(crate) compute_factor: Quantity,
    /// What must hold for it, and for those after it, to come.
    pub(crate) presence: Vec<Presence>,
}

impl Wave {
    /// Stands in where nothing is drawn.
    pub(crate) fn nothing() -> Self {
        Self {
            wait: Quantity::Fixed(0.0),
            size: Quantity::Fixed(1.0),
            buildings: Quantity::Fixed(1.0),
            compute_factor: Quantity::Fixed(1.0),
            presence: Vec::new(),
        }
    }
}

impl Waves {
    /// Registers what is drawn for the wave of that number, from 0, under its full name.
    pub(crate) fn add(&self, number: u32, name: &str, inputs: &mut Inputs) -> Wave {
        let mut presence = Vec::new();
        let (wait, comes) = match self.waited.filter(|_| number == 0) {
            Some(wait) => (
                Draw::Remaining(self.first.clone(), wait),
                Draw::Comes(self.first.clone(), wait),
            ),
            None => {
                let waits = if number == 0 {
                    &self.first
                } else {
                    &self.later
                };
                let nothing_known = Unfinished {
                    months: 0.0,
                    in_vain: self.stop_probability,
                };
                (
                    Draw::Value(waits.clone()),
                    Draw::Comes(waits.clone(), nothing_known),
                )
            }
        };
        if self.stop_probability > 0.0 {
            presence.push(Presence {
                of: inputs.add_given(format!("{name}/goes on"), self.pace, comes),
                at_least: 1.0,
            });
        }
        if let Some(of) = self.count {
            // What is drawn is rounded.
            let at_least = f64::from(number) + 0.5;
            presence.push(Presence { of, at_least });
        }
        let mut given = |what: &str, on: Quantity, draw: Draw| match draw.constant() {
            Some(value) => Quantity::Fixed(value),
            None => inputs.add_given(format!("{name}/{what}"), on, draw),
        };
        let wait = given("wait", self.pace, wait);
        let size = given("size", self.scale, Draw::Value(self.sizes.clone()));
        let compute = Draw::Value(self.compute.clone());
        let compute_factor = given("compute", self.density, compute);
        let buildings = format!("{name}/buildings");
        let buildings = inputs.add(buildings, &self.buildings, Domain::COUNT);
        Wave {
            wait,
            size,
            // What cannot be compiled has been reported.
            buildings: buildings.unwrap_or(Quantity::Fixed(1.0)),
            compute_factor,
            presence,
        }
    }
}
