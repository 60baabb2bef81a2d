//! What a contract says beyond its size and term: renewal, expansion, early exit, damages.

use crate::field::{KILOWATTS, MONEY, MONTHS, SHARE, plan};
use crate::problem::{Path, Problems};
use crate::uncertain::Uncertain;

plan! {
    /// What happens at the end of the term. Without it a tenant may leave at the end of any month after the term, with the segment's churn.
    pub struct Renewal in "tenants/SEGMENT" {
        /// Probability that a contract is renewed at the end of a term, 0 to 1; otherwise the tenant leaves then. Drawn once a trial.
        pub probability: Uncertain => SHARE.input("renewal probability"),
        /// The term of a renewal, in months, rounded down to whole ones and 1 at least; left out, that of the contract. Drawn for each contract.
        pub term_months: Option<Uncertain> => MONTHS,
    }
    /// A renewal with this probability, for the term of the contract.
    pub fn new;
}

plan! {
    /// An option to take more, later. An expansion is a contract of its own that is signed when it is exercised, has the ramp and the patience of the first, and leaves with it.
    pub struct Expansion in "tenants/SEGMENT" {
        /// Probability that a tenant expands, 0 to 1. Drawn once a trial.
        pub probability: Uncertain => SHARE.input("expansion probability"),
        /// Time from moving in until the expansion is wanted, in months, rounded to whole ones and 1 at least. Drawn for each contract.
        pub after_months: Uncertain => MONTHS,
        /// Size of the expansion / size of the contract, 0 or more. Drawn for each contract.
        pub size_share: Uncertain => SHARE.within(0.0, f64::INFINITY),
    }
    /// An expansion with this probability, so long after moving in and of this size.
    pub fn new;
}

plan! {
    /// The right to leave before the end of the term, for a fee.
    pub struct EarlyExit in "tenants/SEGMENT" {
        /// Probability of leaving at the end of each month of the term, 0 to 1. Drawn once a trial.
        pub exit_probability: Uncertain => SHARE.input("exit probability"),
        /// The fee, in months of the rent of the whole lease, 0 or more. Drawn once a trial.
        pub fee_months: Uncertain = Uncertain::zero() => MONTHS.input("exit fee"),
    }
    /// A right to leave without a fee.
    pub fn new;
}

plan! {
    /// Liquidated damages for capacity that is not there when the tenant wants to move in.
    pub struct Damages in "tenants/SEGMENT" {
        /// Damages of a kW that is missing, a month, in prices of the day. Drawn once a trial.
        pub per_kw_month: Uncertain => MONEY.input("damages"),
        /// Whole months of delay that cost nothing.
        pub grace_months: u32 = 0 => MONTHS,
        /// The most months for which damages are paid; left out, there is no limit.
        pub most_months: Option<u32> => MONTHS,
    }
    /// Damages without grace or limit.
    pub fn new;
}

plan! {
    /// A commitment on the way from contact to signature, such as a letter of intent or a deposit.
    pub struct Stage in "tenants/SEGMENT/stage STAGE" {
        /// Its name, such as "letter of intent".
        pub name: String,
        /// Probability that a company at the stage before comes to this one, 0 to 1. Drawn once a trial.
        pub reach_probability: Uncertain => SHARE.input(""),
        /// Time from the stage before until that is decided, in months, 0 or more. Drawn for each company.
        pub lag_months: Uncertain = Uncertain::zero() => MONTHS,
        /// What a company pays down when it comes to this stage; left out, nothing.
        pub deposit: Option<Deposit>,
    }
    fn at_once;
}

plan! {
    /// Money that a company pays down. It is paid back, or credited against the rent, when the company signs; if the company decides against signing what is not forfeited is paid back then.
    pub struct Deposit in "tenants/SEGMENT/stage STAGE" {
        /// The amount of each company, 0 or more. Drawn once a trial.
        pub amount: Uncertain => MONEY.input("deposit"),
        /// The share that is lost to a company that decides against signing, 0 to 1. Drawn once a trial.
        pub forfeited_share: Uncertain = Uncertain::zero() => SHARE.input("forfeited share"),
    }
    /// A deposit that is never forfeited.
    pub fn new;
}

plan! {
    /// How signing depends on the capacity on offer: with f kW free at the end of the last month on the campuses and rack types that the segment accepts, the probability of signing is multiplied by factor + (1 - factor) min(1, f / ample_kw).
    pub struct Scarcity in "tenants/SEGMENT" {
        /// The free capacity from which on nobody is deterred, in kW, above 0.
        pub ample_kw: f64 => KILOWATTS,
        /// The factor where nothing is free, 0 to 1. Drawn once a trial.
        pub factor: Uncertain => SHARE.input("scarcity"),
    }
    /// Signing falls to this factor where nothing is free.
    pub fn new;
}

impl Stage {
    /// A stage that companies reach with this probability, this long after the one before.
    pub fn new(
        name: impl Into<String>,
        reach_probability: impl Into<Uncertain>,
        lag_months: impl Into<Uncertain>,
    ) -> Self {
        Self::at_once(name, reach_probability).lag_months(lag_months)
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
        self.check_fields(at, problems);
        if let Some(deposit) = &self.deposit {
            deposit.check_fields(&at.key("deposit"), problems);
        }
    }
}
