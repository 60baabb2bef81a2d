//! Vouchers: a budget that makes more companies sign, or for more, until it is spent.

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::problem::{Path, Problems, check_all_known, check_name};
use crate::schedule::is_false;
use crate::uncertain::{Domain, Uncertain};

/// Vouchers for computing power, a lever of policy.
///
/// A company that is contacted while there is budget left signs with `sign_factor` times its
/// probability and for `size_factor` times the size. If it signs it is granted `amount_per_kw` for
/// each kW of its contract in that month, or what is left of the budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Voucher {
    /// Its name.
    pub name: String,
    /// The segments that are eligible; left out, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// The budget of each twelve months from its start. Drawn once a trial.
    pub budget_per_year: Uncertain,
    /// Whether what is not spent in a year is added to the next one's budget.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_carried_over: bool,
    /// Its first month; left out, that of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Date>,
    /// How many years it has a budget; left out, to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<u32>,
    /// What is granted for each kW of a contract, above 0. Drawn once a trial.
    pub amount_per_kw: Uncertain,
    /// What the probability of signing is multiplied by, 0 or more (it is cut at 1). Drawn once a trial.
    #[serde(default = "Uncertain::one")]
    pub sign_factor: Uncertain,
    /// What the size of a contract is multiplied by, 0 or more. Drawn once a trial.
    #[serde(default = "Uncertain::one")]
    pub size_factor: Uncertain,
    /// Where the effects come from, or that they are an assumption.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Whether it is switched off: then the scenario is as if it were not stated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_off: bool,
    /// Whether the operator pays the vouchers itself, so that they are in its cash flow. Otherwise somebody else does, such as the city.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_paid_by_operator: bool,
}

impl Voucher {
    /// A voucher for all segments without an effect yet.
    pub fn new(
        name: impl Into<String>,
        budget_per_year: impl Into<Uncertain>,
        amount_per_kw: impl Into<Uncertain>,
    ) -> Self {
        Self {
            name: name.into(),
            segments: Vec::new(),
            budget_per_year: budget_per_year.into(),
            is_carried_over: false,
            starts: None,
            years: None,
            amount_per_kw: amount_per_kw.into(),
            sign_factor: Uncertain::one(),
            size_factor: Uncertain::one(),
            source: String::new(),
            is_off: false,
            is_paid_by_operator: false,
        }
    }

    pub(crate) fn check<'a>(
        &self,
        segments: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_name(&self.name, &at.key("name"), problems);
        check_all_known(
            "segment",
            &self.segments,
            segments,
            &at.key("segments"),
            problems,
        );
        self.amount_per_kw.check(
            super::outreach::ABOVE_ZERO,
            &at.key("amount_per_kw"),
            problems,
        );
        for (amount, key) in [
            (&self.budget_per_year, "budget_per_year"),
            (&self.sign_factor, "sign_factor"),
            (&self.size_factor, "size_factor"),
        ] {
            amount.check(Domain::NON_NEGATIVE, &at.key(key), problems);
        }
    }
}
