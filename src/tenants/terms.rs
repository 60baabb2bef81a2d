//! What a contract says beyond its size and term: renewal, expansion, early exit, damages.

use serde::{Deserialize, Serialize};

use crate::problem::{Path, Problems};
use crate::uncertain::{Domain, Uncertain};

/// What happens at the end of the term. Without it a tenant may leave at the end of any month after the term, with the segment's churn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// Probability that a contract is renewed at the end of a term, 0 to 1; otherwise the tenant leaves then. Drawn once a trial.
    pub probability: Uncertain,
    /// The term of a renewal, in months, rounded down to whole ones and 1 at least; left out, that of the contract. Drawn for each contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term_months: Option<Uncertain>,
}

/// An option to take more, later. An expansion is a contract of its own that is signed when it is exercised, has the ramp and the patience of the first, and leaves with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expansion {
    /// Probability that a tenant expands, 0 to 1. Drawn once a trial.
    pub probability: Uncertain,
    /// Time from moving in until the expansion is wanted, in months, rounded to whole ones and 1 at least. Drawn for each contract.
    pub after_months: Uncertain,
    /// Size of the expansion / size of the contract, 0 or more. Drawn for each contract.
    pub size_share: Uncertain,
}

/// The right to leave before the end of the term, for a fee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EarlyExit {
    /// Probability of leaving at the end of each month of the term, 0 to 1. Drawn once a trial.
    pub exit_probability: Uncertain,
    /// The fee, in months of the rent of the whole lease, 0 or more. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub fee_months: Uncertain,
}

/// Liquidated damages for capacity that is not there when the tenant wants to move in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Damages {
    /// Damages of a kW that is missing, a month, in prices of the day. Drawn once a trial.
    pub per_kw_month: Uncertain,
    /// Whole months of delay that cost nothing.
    #[serde(default)]
    pub grace_months: u32,
    /// The most months for which damages are paid; left out, there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_months: Option<u32>,
}

/// A commitment on the way from contact to signature, such as a letter of intent or a deposit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its name, such as "letter of intent".
    pub name: String,
    /// Probability that a company at the stage before comes to this one, 0 to 1. Drawn once a trial.
    pub reach_probability: Uncertain,
    /// Time from the stage before until that is decided, in months, 0 or more. Drawn for each company.
    #[serde(default = "Uncertain::zero")]
    pub lag_months: Uncertain,
    /// What a company pays down when it comes to this stage; left out, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<Deposit>,
}

/// Money that a company pays down. It is paid back, or credited against the rent, when the company signs; if the company decides against signing what is not forfeited is paid back then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deposit {
    /// The amount of each company, 0 or more. Drawn once a trial.
    pub amount: Uncertain,
    /// The share that is lost to a company that decides against signing, 0 to 1. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub forfeited_share: Uncertain,
}

/// How signing depends on the capacity on offer: with f kW free at the end of the last month on the campuses and rack types that the segment accepts, the probability of signing is multiplied by factor + (1 - factor) min(1, f / ample_kw).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scarcity {
    /// The free capacity from which on nobody is deterred, in kW, above 0.
    pub ample_kw: f64,
    /// The factor where nothing is free, 0 to 1. Drawn once a trial.
    pub factor: Uncertain,
}

impl Renewal {
    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        self.probability
            .check(Domain::SHARE, &at.key("probability"), problems);
        if let Some(term) = &self.term_months {
            term.check(Domain::NON_NEGATIVE, &at.key("term_months"), problems);
        }
    }
}

impl Expansion {
    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        self.probability
            .check(Domain::SHARE, &at.key("probability"), problems);
        for (amount, key) in [
            (&self.after_months, "after_months"),
            (&self.size_share, "size_share"),
        ] {
            amount.check(Domain::NON_NEGATIVE, &at.key(key), problems);
        }
    }
}

impl EarlyExit {
    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        self.exit_probability
            .check(Domain::SHARE, &at.key("exit_probability"), problems);
        self.fee_months
            .check(Domain::NON_NEGATIVE, &at.key("fee_months"), problems);
    }
}

impl Damages {
    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        self.per_kw_month
            .check(Domain::NON_NEGATIVE, &at.key("per_kw_month"), problems);
    }
}

impl Stage {
    /// A stage that companies reach with this probability, this long after the one before.
    pub fn new(
        name: impl Into<String>,
        reach_probability: impl Into<Uncertain>,
        lag_months: impl Into<Uncertain>,
    ) -> Self {
        Self {
            name: name.into(),
            reach_probability: reach_probability.into(),
            lag_months: lag_months.into(),
            deposit: None,
        }
    }

    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        crate::problem::check_name(&self.name, &at.key("name"), problems);
        if self.name == super::market::CONTACTED {
            problems.error(
                &at.key("name"),
                format!("a stage is named \"{}\"", self.name),
                "that word stands for companies that have only been contacted; use another name",
            );
        }
        self.reach_probability
            .check(Domain::SHARE, &at.key("reach_probability"), problems);
        self.lag_months
            .check(Domain::NON_NEGATIVE, &at.key("lag_months"), problems);
        if let Some(deposit) = &self.deposit {
            let at = at.key("deposit");
            deposit
                .amount
                .check(Domain::NON_NEGATIVE, &at.key("amount"), problems);
            deposit
                .forfeited_share
                .check(Domain::SHARE, &at.key("forfeited_share"), problems);
        }
    }
}

impl Scarcity {
    pub(super) fn check(&self, at: &Path, problems: &mut Problems) {
        crate::problem::check_positive(Some(self.ample_kw), "ample_kw", at, problems);
        self.factor
            .check(Domain::SHARE, &at.key("factor"), problems);
    }
}
