//! Money: what is spent, what is earned, and what that is worth.
//!
//! Every flow is booked in whole hundredths of the currency, in the month and to the campus to
//! which it belongs, under one of these kinds:
//!
//! | kind | sign | what it is |
//! |---|---|---|
//! | revenue | + | rent by kW and compute by PFLOPS-hour |
//! | energy passed on | + | the share of the energy cost that tenants refund |
//! | fees | + | fees of tenants that leave early, and deposits that are forfeited |
//! | deposits | + | deposits taken, less those paid back, credited or forfeited: what changes of those held |
//! | capex | - | building, power and hardware, by milestone |
//! | opex | - | staff, upkeep, insurance |
//! | energy paid | - | energy, demand charge, minimum take |
//! | damages | - | liquidated damages for capacity that comes late |
//! | vouchers | - | vouchers that the operator pays itself |
//! | tax | - | on revenue and on profit |
//! | residual value | + | what the assets are worth at the end of the horizon |
//!
//! The cash flow is their sum, to the hundredth. A flow of a month falls at its end, and prices
//! have moved until then: the flows of month m (from 0) are (m + 1)/12 years after the start, at
//! which all amounts of a scenario are stated. What was paid before the start is sunk and does
//! not count. See [`net_present_value`] and its neighbours for what is
//! computed from the flows, and [`conditional_value_at_risk`] for the bad end of distributions.

pub(crate) mod books;
mod layout;
mod measures;
mod prices;
mod risk;

pub use measures::{
    InternalRate, annuity_factor, discount_factor, internal_rate_of_return, net_present_value,
    payback_months, peak_funding,
};
pub use prices::{EnergyTariff, Price, TimeOfUse};
pub use risk::{conditional_value_at_risk, probability_of_loss};

pub(crate) use layout::metric_names;

use serde::{Deserialize, Serialize};

use crate::problem::{Path, Problems, check_known, check_name, check_positive, check_unique};
use crate::uncertain::{Domain, Uncertain};

/// Rates are shares a year, above a total loss.
pub(crate) const RATE: Domain = Domain {
    min: -0.99,
    max: f64::INFINITY,
};

/// What things cost and earn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Finance {
    /// What the currency is called in results.
    #[serde(default = "currency")]
    pub currency: String,
    /// The rate by which cash flows are discounted, as a share a year, above -1.
    pub discount_rate_per_year: f64,
    /// By how much capex rises a year, as a share. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub capex_growth_per_year: Uncertain,
    /// By how much the capex exceeds its estimate, as a share of it; negative if it stays below. Drawn once a trial for all capex together.
    #[serde(default = "Uncertain::zero")]
    pub contingency_share: Uncertain,
    /// By how much opex rises a year, as a share. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub opex_growth_per_year: Uncertain,
    /// What is spent to build, by milestone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capex: Vec<Capex>,
    /// What is spent to run, apart from energy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opex: Vec<Opex>,
    /// What energy costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub energy: Vec<EnergyTariff>,
    /// What tenants pay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
    /// Taxes; left out, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Tax>,
    /// What the assets fetch at the end of the horizon, as a share of their book value (what was paid, written off in equal parts over their life). Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub residual_share: Uncertain,
    /// Over how many months hardware that is priced by its generation is written off in equal parts, above 0: servers serve 5 to 6 years. Such hardware follows neither `capex_growth_per_year` nor `contingency_share`: what is uncertain about its price is said there.
    #[serde(default = "hardware_life", skip_serializing_if = "is_hardware_life")]
    pub hardware_life_months: f64,
}

fn hardware_life() -> f64 {
    60.0
}

fn is_hardware_life(months: &f64) -> bool {
    *months == hardware_life()
}

fn currency() -> String {
    "money".to_owned()
}

/// An expense of building that falls due when something happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Capex {
    /// Its name.
    pub name: String,
    /// The amount, in prices of the start of the scenario. Drawn once a trial.
    pub amount: Uncertain,
    /// What the amount is for.
    #[serde(default)]
    pub each: CapexUnit,
    /// What must have happened: an activity of the building or hall ("shell"), "start" or "complete" of the building, "handover" of the hall, "ordered" or "delivered" of its hardware (every time that it is replaced, too). For `each = "project"` an activity, building, substation or grid step by its full name ("A1/shell", "330 kV"); left out, the start of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The buildings that it is for: their names, those of their series ("B{n}") or of their templates; left out, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buildings: Vec<String>,
    /// The campus that it is for; left out, all campuses, and for `each = "project"` the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campus: Option<String>,
    /// In how many equal monthly parts it is paid, the last when it falls due (1: all at once).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub instalments: u32,
    /// Over how many months it is written off in equal parts, for taxes and its residual value (assumption if left out: 240).
    #[serde(default = "life")]
    pub life_months: f64,
}

fn one() -> u32 {
    1
}

fn is_one(value: &u32) -> bool {
    *value == 1
}

/// Over how many months buildings are written off where nothing else is said: an assumption.
pub(crate) fn life() -> f64 {
    240.0
}

/// What an amount of capex is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CapexUnit {
    /// The whole, once.
    #[default]
    Project,
    /// Each building.
    Building,
    /// Each hall.
    Hall,
    /// Each kW of critical IT power for which a hall is made; when hardware is delivered, each kW that it takes.
    Kw,
    /// Each rack position of a hall; when hardware is delivered, each rack.
    Rack,
}

/// A running expense.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Opex {
    /// Its name.
    pub name: String,
    /// The amount a year, in prices of the start of the scenario. Drawn once a trial.
    pub amount_per_year: Uncertain,
    /// What the amount is for.
    #[serde(default)]
    pub each: OpexUnit,
    /// The campus that it is for; left out, each campus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campus: Option<String>,
}

/// What an amount of opex is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OpexUnit {
    /// The campus, from the first month on.
    #[default]
    Campus,
    /// Each kW of critical IT power that is deployable at the month's end.
    DeployableKw,
    /// Each kW of critical IT power in service.
    InServiceKw,
    /// Each rack for which there is space that has been handed over.
    BuiltRack,
    /// Each unit of capex paid so far: upkeep and insurance as a share of what was built.
    Capex,
}

/// Taxes. Each campus is assessed on its own, every twelve months from the start of the scenario, and pays in the last month of the twelve; what is left at the end of the horizon is assessed then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// On profit: revenue and fees less opex, energy, damages, vouchers, tax on revenue and depreciation, after losses of earlier years; 0 to 1.
    #[serde(default)]
    pub profit_share: f64,
    /// On revenue, paid every month; 0 to 1.
    #[serde(default)]
    pub revenue_share: f64,
    /// For how many years a loss may be set against later profits; left out, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_years: Option<u32>,
    /// Years without tax on profit, from the first profitable one.
    #[serde(default)]
    pub free_years: u32,
    /// Years at half the rate after those.
    #[serde(default)]
    pub half_rate_years: u32,
}

impl Finance {
    /// Only a rate of discount: nothing costs or earns anything yet.
    pub fn new(discount_rate_per_year: f64) -> Self {
        Self {
            currency: currency(),
            discount_rate_per_year,
            capex_growth_per_year: Uncertain::zero(),
            contingency_share: Uncertain::zero(),
            opex_growth_per_year: Uncertain::zero(),
            capex: Vec::new(),
            opex: Vec::new(),
            energy: Vec::new(),
            prices: Vec::new(),
            tax: None,
            residual_share: Uncertain::zero(),
            hardware_life_months: hardware_life(),
        }
    }

    pub(crate) fn check<'a>(
        &self,
        campuses: impl Iterator<Item = &'a str> + Clone,
        segments: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        if self.currency.trim().is_empty() {
            problems.error(
                &at.key("currency"),
                "the currency is empty",
                "a name such as \"yuan\"",
            );
        }
        let rate = self.discount_rate_per_year;
        if !(rate.is_finite() && rate >= RATE.min) {
            problems.error(
                &at.key("discount_rate_per_year"),
                format!("discount_rate_per_year is {rate}"),
                "a share such as 0.08, -0.99 or more",
            );
        }
        for (share, key) in [
            (&self.capex_growth_per_year, "capex_growth_per_year"),
            (&self.opex_growth_per_year, "opex_growth_per_year"),
            (&self.contingency_share, "contingency_share"),
        ] {
            share.check(RATE, &at.key(key), problems);
        }
        check_positive(
            Some(self.hardware_life_months),
            "hardware_life_months",
            at,
            problems,
        );
        self.residual_share
            .check(Domain::NON_NEGATIVE, &at.key("residual_share"), problems);
        for (position, capex) in self.capex.iter().enumerate() {
            capex.check(campuses.clone(), &at.key("capex").index(position), problems);
        }
        let names = self.capex.iter().map(|capex| capex.name.as_str());
        check_unique("capex", names, &at.key("capex"), problems);
        for (position, opex) in self.opex.iter().enumerate() {
            opex.check(campuses.clone(), &at.key("opex").index(position), problems);
        }
        let names = self.opex.iter().map(|opex| opex.name.as_str());
        check_unique("opex", names, &at.key("opex"), problems);
        for (position, energy) in self.energy.iter().enumerate() {
            let at = at.key("energy").index(position);
            energy.check(campuses.clone(), &at, problems);
        }
        for (position, price) in self.prices.iter().enumerate() {
            let at = at.key("prices").index(position);
            price.check(segments.clone(), &at, problems);
        }
        if let Some(tax) = &self.tax {
            tax.check(&at.key("tax"), problems);
        }
    }
}

impl Capex {
    /// The amount once, at the start of the scenario; all else is set on the fields.
    pub fn new(name: impl Into<String>, amount: impl Into<Uncertain>) -> Self {
        Self {
            name: name.into(),
            amount: amount.into(),
            each: CapexUnit::Project,
            when: None,
            buildings: Vec::new(),
            campus: None,
            instalments: 1,
            life_months: life(),
        }
    }

    fn check<'a>(
        &self,
        campuses: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_name(&self.name, &at.key("name"), problems);
        self.amount
            .check(Domain::NON_NEGATIVE, &at.key("amount"), problems);
        check_positive(Some(self.life_months), "life_months", at, problems);
        if self.instalments == 0 {
            problems.error(
                &at.key("instalments"),
                "instalments is 0",
                "1 or more; leave it out if all is paid at once",
            );
        }
        if let Some(campus) = &self.campus {
            check_known("campus", campus, campuses, &at.key("campus"), problems);
        }
        if self.each == CapexUnit::Project {
            if !self.buildings.is_empty() {
                problems.error(
                    &at.key("buildings"),
                    format!(
                        "capex \"{}\" is for a project, not for buildings",
                        self.name
                    ),
                    "give `each`, such as \"building\", or leave `buildings` out",
                );
            }
        } else if self.when.is_none() {
            problems.error(
                at,
                format!("capex \"{}\" does not say when it is due", self.name),
                "give `when`, such as \"shell\" or \"delivered\"",
            );
        }
    }
}

impl Opex {
    /// An amount a year for each campus.
    pub fn new(name: impl Into<String>, amount_per_year: impl Into<Uncertain>) -> Self {
        Self {
            name: name.into(),
            amount_per_year: amount_per_year.into(),
            each: OpexUnit::Campus,
            campus: None,
        }
    }

    fn check<'a>(
        &self,
        campuses: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_name(&self.name, &at.key("name"), problems);
        self.amount_per_year
            .check(Domain::NON_NEGATIVE, &at.key("amount_per_year"), problems);
        if let Some(campus) = &self.campus {
            check_known("campus", campus, campuses, &at.key("campus"), problems);
        }
    }
}

impl Tax {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        for (share, key) in [
            (self.profit_share, "profit_share"),
            (self.revenue_share, "revenue_share"),
        ] {
            if !(0.0..=1.0).contains(&share) {
                problems.error(&at.key(key), format!("{key} is {share}"), "0 to 1");
            }
        }
    }
}

#[cfg(test)]
mod tests;
