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

use crate::field::{COUNT, GROWTH, MONEY, MONTHS, NUMBER, SHARE, plan};
use crate::problem::{Path, Problems, check_known, check_name, check_unique};
use crate::uncertain::Uncertain;

/// Over how many months buildings are written off by default. (assumption)
pub(crate) const LIFE_MONTHS: f64 = 240.0;

plan! {
    /// What things cost and earn.
    pub struct Finance in "finance" {
        /// What the currency is called in results.
        pub currency: String = "money".to_owned(),
        /// The rate by which cash flows are discounted, as a share a year, above -1.
        pub discount_rate_per_year: f64 => GROWTH,
        /// By how much capex rises a year, as a share. Drawn once a trial.
        pub capex_growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("capex growth"),
        /// By how much the capex exceeds its estimate, as a share of it; negative if it stays below. Drawn once a trial for all capex together.
        pub contingency_share: Uncertain = Uncertain::zero() => GROWTH.input("contingency"),
        /// By how much opex rises a year, as a share. Drawn once a trial.
        pub opex_growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("opex growth"),
        /// What is spent to build, by milestone.
        pub capex: Vec<Capex> = [],
        /// What is spent to run, apart from energy.
        pub opex: Vec<Opex> = [],
        /// What energy costs.
        pub energy: Vec<EnergyTariff> = [],
        /// What tenants pay.
        pub prices: Vec<Price> = [],
        /// Taxes; left out, none.
        pub tax: Option<Tax>,
        /// What the assets fetch at the end of the horizon, as a share of their book value (what was paid, written off in equal parts over their life). Drawn once a trial.
        pub residual_share: Uncertain = Uncertain::zero() => SHARE.within(0.0, f64::INFINITY).input("residual share"),
        /// Over how many months hardware that is priced by its generation is written off in equal parts, above 0: servers serve 5 to 6 years. Such hardware follows neither `capex_growth_per_year` nor `contingency_share`: what is uncertain about its price is said there.
        pub hardware_life_months: f64 [= 60.0] => MONTHS.above_zero(),
    }
    /// Only a rate of discount: nothing costs or earns anything yet.
    pub fn new;
}

plan! {
    /// An expense of building that falls due when something happens.
    pub struct Capex in "finance/capex/CAPEX" {
        /// Its name.
        pub name: String,
        /// The amount, in prices of the start of the scenario. Drawn once a trial.
        pub amount: Uncertain => MONEY.input(""),
        /// What the amount is for.
        pub each: CapexUnit = CapexUnit::default(),
        /// What must have happened: an activity of the building or hall ("shell"), "start" or "complete" of the building, "handover" of the hall, "ordered" or "delivered" of its hardware (every time that it is replaced, too). For `each = "project"` an activity, building, substation or grid step by its full name ("A1/shell", "330 kV"); left out, the start of the scenario.
        pub when: Option<String>,
        /// The buildings that it is for: their names, those of their series ("B{n}") or of their templates; left out, all.
        pub buildings: Vec<String> = [],
        /// The campus that it is for; left out, all campuses, and for `each = "project"` the first.
        pub campus: Option<String>,
        /// In how many equal monthly parts it is paid, the last when it falls due (1: all at once).
        pub instalments: u32 [= 1] => COUNT,
        /// Over how many months it is written off in equal parts, for taxes and its residual value (assumption if left out: 240).
        pub life_months: f64 = LIFE_MONTHS => MONTHS.above_zero(),
    }
    /// The amount once, at the start of the scenario; all else is set on the fields.
    pub fn new;
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

plan! {
    /// A running expense.
    pub struct Opex in "finance/opex/OPEX" {
        /// Its name.
        pub name: String,
        /// The amount a year, in prices of the start of the scenario. Drawn once a trial.
        pub amount_per_year: Uncertain => MONEY.input(""),
        /// What the amount is for.
        pub each: OpexUnit = OpexUnit::default(),
        /// The campus that it is for; left out, each campus.
        pub campus: Option<String>,
    }
    /// An amount a year for each campus.
    pub fn new;
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

plan! {
    /// Taxes. Each campus is assessed on its own, every twelve months from the start of the scenario, and pays in the last month of the twelve; what is left at the end of the horizon is assessed then.
    #[derive(Default)]
    pub struct Tax {
        /// On profit: revenue and fees less opex, energy, damages, vouchers, tax on revenue and depreciation, after losses of earlier years; 0 to 1.
        pub profit_share: f64 = 0.0 => SHARE,
        /// On revenue, paid every month; 0 to 1.
        pub revenue_share: f64 = 0.0 => SHARE,
        /// For how many years a loss may be set against later profits; left out, for ever.
        pub loss_years: Option<u32> => NUMBER,
        /// Years without tax on profit, from the first profitable one.
        pub free_years: u32 = 0 => NUMBER,
        /// Years at half the rate after those.
        pub half_rate_years: u32 = 0 => NUMBER,
    }
    /// No tax yet; all is set on its fields.
    pub fn new;
}

impl Finance {
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
        self.check_fields(at, problems);
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
            tax.check_fields(&at.key("tax"), problems);
        }
    }
}

impl Capex {
    fn check<'a>(
        &self,
        campuses: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
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
    fn check<'a>(
        &self,
        campuses: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        if let Some(campus) = &self.campus {
            check_known("campus", campus, campuses, &at.key("campus"), problems);
        }
    }
}

#[cfg(test)]
mod tests;
