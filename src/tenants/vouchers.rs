//! Vouchers: a budget that makes more companies sign, or for more, until it is spent.

use crate::date::Date;
use crate::field::{MONEY, MONEY_PER_KW, NUMBER, plan};
use crate::problem::{Path, Problems, check_all_known, check_name};
use crate::uncertain::Uncertain;

plan! {
    /// Vouchers for computing power, a lever of policy.
    ///
    /// A company that is contacted while there is budget left signs with `sign_factor` times its
    /// probability and for `size_factor` times the size. If it signs it is granted `amount_per_kw` for
    /// each kW of its contract in that month, or what is left of the budget.
    pub struct Voucher in "vouchers/VOUCHER" {
        /// Its name.
        pub name: String,
        /// The segments that are eligible; left out, all.
        pub segments: Vec<String> = [],
        /// The budget of each twelve months from its start. Drawn once a trial.
        pub budget_per_year: Uncertain => MONEY.input("budget"),
        /// Whether what is not spent in a year is added to the next one's budget.
        pub is_carried_over: bool [= false],
        /// Its first month; left out, that of the scenario.
        pub starts: Option<Date>,
        /// How many years it has a budget; left out, to the end.
        pub years: Option<u32> => NUMBER,
        /// What is granted for each kW of a contract, above 0. Drawn once a trial.
        pub amount_per_kw: Uncertain => MONEY_PER_KW.above_zero().input("amount per kW"),
        /// What the probability of signing is multiplied by, 0 or more (it is cut at 1). Drawn once a trial.
        pub sign_factor: Uncertain = Uncertain::one() => NUMBER.input("sign factor"),
        /// What the size of a contract is multiplied by, 0 or more. Drawn once a trial.
        pub size_factor: Uncertain = Uncertain::one() => NUMBER.input("size factor"),
        /// Where the effects come from, or that they are an assumption.
        pub source: String [= String::new()],
        /// Whether it is switched off: then the scenario is as if it were not stated.
        pub is_off: bool [= false],
        /// Whether the operator pays the vouchers itself, so that they are in its cash flow. Otherwise somebody else does, such as the city.
        pub is_paid_by_operator: bool [= false],
    }
    /// A voucher for all segments without an effect yet.
    pub fn new;
}

impl Voucher {
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
        self.check_fields(at, problems);
    }
}
