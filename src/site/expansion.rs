//! Expansion that is not announced yet: further buildings of one kind, wave by wave.
//!
//! A wave is a building of the entry's template. Wave k starts a wait W_k after wave k - 1, the first after the last
//! building so far, and has the size B_k. Waits and sizes come from the distributions of a class of campuses and have
//! an effect of the campus in common, of which its own past tells ([`exchangeable`](crate::uncertain::exchangeable)).
//! After each wave the campus stops for ever with the probability p, so that without other limits the number of further
//! waves N has P(N >= n) = (1 - p)^n; where p is 0 and the waits are independent it is a renewal process, whose waves
//! by the time t number n or more with the probability P(W_1 + … + W_n <= t).
//!
//! So many waves are compiled as there can be at most; which of them start is drawn in each trial.

use serde::{Deserialize, Serialize};

use super::plan_class::is_constant_one;
use crate::date::Date;
use crate::power::availability::{check_share, is_zero};
use crate::problem::{Path, Problems};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::schedule::network::Presence;
use crate::uncertain::exchangeable::{Draw, Exchangeable, MOST_BETWEEN, Unfinished};
use crate::uncertain::{Domain, Uncertain, UncertainError};

/// A process of further buildings, none of which is announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CampusExpansion {
    /// The most waves that are simulated, 1 to 200 (assumption if left out: 20).
    #[serde(default = "usual_most")]
    pub most: u32,
    /// When the last wave so far started: the first wait counts from then, and it was not over at the start of the scenario. Left out, it counts from what the building is `after`, or from its `starts`, or from the start of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// Time from the start of a wave to that of the next, in months, 0 or more: as it is distributed among campuses of the class.
    pub wait_months: Uncertain,
    /// The first wait, where it is distributed otherwise: from the clearing of the land to the first building, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_wait_months: Option<Uncertain>,
    /// Share of the variance of waits (of their normal scores) that lies between campuses, 0 to 0.99: the correlation of two waits of a campus.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waits_between_share: f64,
    /// Waits between waves of this campus so far, in months.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_waits_months: Vec<f64>,
    /// What racks and power of the template's halls, and the building's own power, are multiplied by, above 0: as it is distributed among campuses of the class. Drawn for each wave.
    #[serde(default = "Uncertain::one")]
    pub size: Uncertain,
    /// Share of the variance of sizes (of their normal scores) that lies between campuses, 0 to 0.99.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sizes_between_share: f64,
    /// Sizes of the waves of this campus so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_sizes: Vec<f64>,
    /// How many buildings a wave consists of, 1 or more; its size is multiplied by that. Drawn for each wave, and rounded.
    #[serde(default = "Uncertain::one", skip_serializing_if = "is_constant_one")]
    pub buildings: Uncertain,
    /// What the PFLOPS of the hardware of a wave are multiplied by, above 0: as it is distributed among campuses of the class. Drawn for each wave.
    #[serde(default = "Uncertain::one", skip_serializing_if = "is_constant_one")]
    pub compute_factor: Uncertain,
    /// Share of the variance of the compute factors (of their normal scores) that lies between campuses, 0 to 0.99.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub compute_between_share: f64,
    /// Compute factors of the waves of this campus so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_compute_factors: Vec<f64>,
    /// The probability, before each wave, that no further one ever comes, 0 to 1. For the first it is what follows from the wait so far.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stop_probability: f64,
    /// How many waves there are at most, 0 or more; left out, no other limit than `most`. Drawn once a trial, and rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Uncertain>,
}

fn usual_most() -> u32 {
    20
}

const MOST_WAVES: u32 = 200;

impl CampusExpansion {
    /// Waves of independent waits that never stop; all else is set on its fields.
    pub fn new(wait_months: impl Into<Uncertain>) -> Self {
        Self {
            most: usual_most(),
            since: None,
            wait_months: wait_months.into(),
            first_wait_months: None,
            waits_between_share: 0.0,
            past_waits_months: Vec::new(),
            size: Uncertain::one(),
            sizes_between_share: 0.0,
            past_sizes: Vec::new(),
            buildings: Uncertain::one(),
            compute_factor: Uncertain::one(),
            compute_between_share: 0.0,
            past_compute_factors: Vec::new(),
            stop_probability: 0.0,
            count: None,
        }
    }

    /// How many waves are simulated.
    pub(crate) fn waves(&self) -> u32 {
        self.most.min(MOST_WAVES)
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        if !(1..=MOST_WAVES).contains(&self.most) {
            problems.error(
                &at.key("most"),
                format!("most is {}", self.most),
                format!("1 to {MOST_WAVES} waves"),
            );
        }
        let waits = [
            (Some(&self.wait_months), "wait_months"),
            (self.first_wait_months.as_ref(), "first_wait_months"),
        ];
        for (wait, key) in waits {
            if let Some(wait) = wait {
                wait.check(Domain::NON_NEGATIVE, &at.key(key), problems);
            }
        }
        for (factor, key) in [
            (&self.size, "size"),
            (&self.compute_factor, "compute_factor"),
        ] {
            factor.check(Domain::POSITIVE, &at.key(key), problems);
        }
        self.buildings
            .check_count(1, &at.key("buildings"), problems);
        if let Some(count) = &self.count {
            count.check_count(0, &at.key("count"), problems);
        }
        check_share(self.stop_probability, "stop_probability", at, problems);
        for (share, key) in [
            (self.waits_between_share, "waits_between_share"),
            (self.sizes_between_share, "sizes_between_share"),
            (self.compute_between_share, "compute_between_share"),
        ] {
            if !(0.0..=MOST_BETWEEN).contains(&share) {
                problems.error(
                    &at.key(key),
                    format!("{key} is {share}"),
                    format!("0 to {MOST_BETWEEN}"),
                );
            }
        }
        for (past, key) in [
            (&self.past_waits_months, "past_waits_months"),
            (&self.past_sizes, "past_sizes"),
            (&self.past_compute_factors, "past_compute_factors"),
        ] {
            for (position, value) in past.iter().enumerate() {
                if !(value.is_finite() && *value >= 0.0) {
                    problems.error(
                        &at.key(key).index(position),
                        format!("{key} holds {value}"),
                        "numbers of 0 or more",
                    );
                }
            }
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
