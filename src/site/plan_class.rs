//! What becomes of plans: announced buildings, substations and grid steps that are revised, delayed, enlarged or dropped.
//!
//! A plan names its class, and the class says how plans of its kind have turned out. For a plan that is announced for
//! the date t, in months from the start of the scenario,
//!
//! ```text
//! it is built with a probability, and else never
//! date   t' = slip factor x t + delay       for t > 0; what is due already is only delayed
//! size   racks, power and MW x size factor
//! ```
//!
//! Each is drawn for every plan by itself. A plan of many steps that slips as one is a common factor of loading 1
//! ([`factors`](crate::uncertain::factors)) on the slips of its steps.

use serde::{Deserialize, Serialize};

use crate::power::grid::is_constant_zero;
use crate::problem::{Path, Problems, check_name, check_probability};
use crate::uncertain::{Domain, Uncertain};

/// How plans of one kind turn out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlanClass {
    /// Its name, unique in the scenario.
    pub name: String,
    /// The probability that such a plan is carried out at all, 0 to 1; left out, 1. A `probability` of the plan itself counts instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What the time from the start of the scenario to the announced date is multiplied by, 0 or more. Drawn once a trial for each plan.
    #[serde(default = "Uncertain::one", skip_serializing_if = "is_constant_one")]
    pub slip_factor: Uncertain,
    /// What is added to that, in months. Drawn once a trial for each plan.
    #[serde(default = "Uncertain::zero", skip_serializing_if = "is_constant_zero")]
    pub delay_months: Uncertain,
    /// What the racks and power of a building, or the MW of a substation or grid step, are multiplied by, above 0. Drawn once a trial for each plan.
    #[serde(default = "Uncertain::one", skip_serializing_if = "is_constant_one")]
    pub size_factor: Uncertain,
}

pub(crate) fn is_constant_one(quantity: &Uncertain) -> bool {
    quantity.constant() == Some(1.0)
}

impl PlanClass {
    /// A class whose plans come as announced; all else is set on its fields.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            probability: None,
            slip_factor: Uncertain::one(),
            delay_months: Uncertain::zero(),
            size_factor: Uncertain::one(),
        }
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        check_probability(self.probability, at, problems);
        for (quantity, domain, key) in [
            (&self.slip_factor, Domain::NON_NEGATIVE, "slip_factor"),
            (&self.delay_months, Domain::ANY, "delay_months"),
            (&self.size_factor, Domain::POSITIVE, "size_factor"),
        ] {
            quantity.check(domain, &at.key(key), problems);
        }
    }
}
