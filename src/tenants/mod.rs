//! Tenants: from outreach to contracts that move in, ramp up and leave.
//!
//! ```text
//! contacted ──sign probability, lag──▶ signed ──move-in lag──▶ waiting ──room──▶ in service ──▶ left
//!                                        └─▶ subsidiary          └─ patience ends ─▶ lost
//! ```
//!
//! Companies contacted in a month are Poisson distributed. Each signs with the segment's sign
//! probability, after a lag of its own. Two kinds of uncertainty are distinguished: what is uncertain
//! about a *segment* (its outreach, its sign probability) is drawn once a trial; what differs from
//! *contract to contract* (its size, its lags, its term) is drawn for each. The documentation of
//! each field says which it is.

mod buckets;
mod demand;
pub(crate) mod market;
mod named;
mod outreach;
mod stay;
mod terms;
pub(crate) mod volume;
mod vouchers;

pub(crate) use demand::{Around, Demand};
pub use market::OwnContract;
pub use named::NamedTenant;
pub use outreach::{AdoptionCurve, Campaign, Regime, RegimeState, bass_share, logistic_share};
pub use terms::{Damages, Deposit, EarlyExit, Expansion, Renewal, Scarcity, Stage};
pub use vouchers::Voucher;

use serde::{Deserialize, Serialize};

use crate::field::{GROWTH, KILOWATTS, MONTHS, NUMBER, PFLOPS, SHARE, plan};
use crate::problem::{
    Path, Problems, check_all_known, check_known, check_list, check_name, with_thousands,
};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// A group of tenants that behave alike.
    pub struct Segment in "tenants/SEGMENT" {
        /// Its name.
        pub name: String,
        /// Companies contacted in the first month, 0 or more. Drawn once a trial.
        pub outreach_per_month: Uncertain = Uncertain::zero() => NUMBER.input("outreach"),
        /// Growth of the outreach a year, as a share, compounding month by month; above -1. Drawn once a trial.
        pub outreach_growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("outreach growth").usually(-1.0, 1.5, "a share: 0.3 stands for 30 % a year"),
        /// A curve of adoption in place of `outreach_per_month` and its growth.
        pub outreach_curve: Option<AdoptionCurve>,
        /// Efforts for a time, on top of the trend or the curve.
        pub campaigns: Vec<Campaign> = [],
        /// What outreach is multiplied by in January, February, …, December: twelve factors of 0 or more; left out, it has no seasons.
        pub seasonality: Vec<f64> = [] => NUMBER,
        /// Commitments between contact and signature, in order, such as a letter of intent or a deposit.
        pub stages: Vec<Stage> = [],
        /// How signing suffers where little capacity is on offer; left out, it does not.
        pub scarcity: Option<Scarcity>,
        /// Probability that a contacted company (with `stages`: one that has come to the last of them) signs a contract, 0 to 1. Drawn once a trial.
        pub sign_probability: Uncertain = Uncertain::one() => SHARE.input("sign probability"),
        /// Time from contact to signature, in months, 0 or more. Drawn for each contract.
        pub sign_lag_months: Uncertain = Uncertain::zero() => MONTHS,
        /// Probability that a company that signed sets up a local subsidiary, 0 to 1. Drawn once a trial.
        pub subsidiary_probability: Uncertain = Uncertain::zero() => SHARE.input("subsidiary probability"),
        /// Time from signature to the subsidiary, in months, 0 or more. Drawn for each contract.
        pub subsidiary_lag_months: Uncertain = Uncertain::zero() => MONTHS,
        /// Size of a contract in kW of critical IT power, above 0. Drawn for each contract. Give this or `contract_standard_racks`.
        pub contract_power_kw: Option<Uncertain> => KILOWATTS.within(0.0, f64::INFINITY),
        /// Size of a contract in standard racks, rounded up to whole ones and 1 at least. Drawn for each contract.
        pub contract_standard_racks: Option<Uncertain> => NUMBER,
        /// Size of a contract in PFLOPS at the scenario's precision. Drawn for each contract. The power follows from `contract_hardware` as it is delivered at the time of signing.
        pub contract_pflops: Option<Uncertain> => PFLOPS,
        /// The generation by which a contract in PFLOPS is sized; left out, the newest that is released when it is signed.
        pub contract_hardware: Option<String>,
        /// The most that one contract takes, in kW of critical IT power; a larger draw is cut to it. Left out, 10,000,000 kW (an assumption: more than any campus), to which a greater value is cut too.
        pub largest_contract_kw: Option<f64> => KILOWATTS,
        /// Time from signature until the tenant wants to move in, in months, 0 or more. Drawn for each contract.
        pub move_in_lag_months: Uncertain = Uncertain::zero() => MONTHS,
        /// Months over which a tenant fills its lease in equal steps, rounded to whole ones and 1 at least (1: all in the month of moving in). Drawn for each contract.
        pub ramp_months: Uncertain = Uncertain::one() => MONTHS,
        /// Term from moving in during which a tenant cannot leave, in months, rounded down to whole ones. Drawn for each contract.
        pub term_months: Uncertain = Uncertain::zero() => MONTHS,
        /// Probability of leaving at the end of each month after the term, 0 to 1. Drawn once a trial.
        pub churn_per_month: Uncertain = Uncertain::zero() => SHARE.input("churn").usually(0.0, 0.05, "2 to 2.5 % a quarter is usual: 0.007 to 0.008 a month"),
        /// What happens at the end of the term; not together with `churn_per_month`.
        pub renewal: Option<Renewal>,
        /// The right to leave within the term.
        pub early_exit: Option<EarlyExit>,
        /// The option to take more.
        pub expansion: Option<Expansion>,
        /// The share of the lease that is paid for from moving in whether it is used yet or not (take or pay), 0 to 1. Drawn once a trial.
        pub minimum_take_share: Uncertain [= Uncertain::zero()] => SHARE.input("minimum take"),
        /// What is owed where capacity comes late.
        pub damages: Option<Damages>,
        /// Months that a contract waits for the first of its campuses before it goes to another that it accepts (0: at once).
        pub spill_over_after_months: u32 [= 0] => MONTHS,
        /// How long a contract waits for capacity before it is lost, in months; left out, for ever. Drawn for each contract.
        pub patience_months: Option<Uncertain> => MONTHS,
        /// Share of the power in service that tenants draw, 0 to 1. Drawn once a trial.
        pub draw_share: Uncertain = Uncertain::one() => SHARE.input("draw share"),
        /// Share of the compute in service that does useful work, 0 to 1. Drawn once a trial.
        pub utilisation: Uncertain = Uncertain::one() => SHARE.input("utilisation"),
        /// Who is served first: a smaller number goes before a larger one, and equal ones are served first come, first served. Of those who are ready in the same month the segment that stands first in the file is served first, named tenants last.
        pub priority: u32 [= 0] => NUMBER,
        /// How capacity is given to contracts.
        pub allocation: Allocation [= Allocation::default()],
        /// The campuses it accepts, in the order of preference; left out, all in the order of the scenario. Its contracts and contacts count to the first.
        pub campuses: Vec<String> = [],
        /// The rack types it accepts, in the order of preference; left out, all in the order of the scenario.
        pub rack_types: Vec<String> = [],
        /// What is already there at the start.
        pub existing: Option<ExistingTenants>,
    }
    /// A segment with a name; all else is at its default, and is set on the fields.
    pub fn new;
}

/// How deployable capacity is given to the contracts of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Allocation {
    /// Each contract waits its turn, takes what is free as it becomes free, and starts its ramp and its term when it first moves in.
    #[default]
    FirstCome,
    /// As `first_come`, but a contract moves in only when a single campus and rack type has room for all of it; those behind it wait too.
    FirstComeWhole,
    /// Ramp and term run from the signature whether there is room or not; whatever of the segment's total demand finds room is in service. For very many small tenants.
    Pooled,
    /// As `pooled`, but simulated by groups of tenants that move in and leave together, at a cost that does not depend on how many there are. The number in service and its changes are distributed as with `pooled`, and the power has the same mean and variance. The ramp must be a known number; renewal, expansion, early exit and stages are not for it. Vouchers serve a month's companies in the order of their contact and grant what a contract of the mean size is worth.
    Cohort,
}

impl Allocation {
    /// Whether demand is placed as a whole, without a queue of contracts.
    pub(crate) fn is_pooled(self) -> bool {
        matches!(self, Self::Pooled | Self::Cohort)
    }
}

plan! {
    /// What a segment has at the start of the scenario.
    #[derive(Default)]
    pub struct ExistingTenants {
        /// Companies contacted up to then.
        pub companies_contacted: u32 = 0 => NUMBER,
        /// Of these, companies that have not decided yet: each signs with the segment's sign probability, the rest of its lag later (a uniform share of a drawn lag).
        pub companies_negotiating: u32 = 0 => NUMBER,
        /// Contracts signed up to then; all are taken to be still running.
        pub contracts_signed: u32 = 0 => NUMBER,
        /// Subsidiaries established up to then.
        pub subsidiaries: u32 = 0 => NUMBER,
        /// Critical IT power that their contracts lease and use, in kW, in equal parts. They are the first to be placed, fully ramped, with their term beginning again.
        pub leased_power_kw: f64 = 0.0 => KILOWATTS.within(0.0, f64::INFINITY),
    }
    /// No tenants yet; all is set on its fields.
    pub fn new;
}

/// No contract is larger, in kW: 10 GW, more than any campus. (an assumption)
pub(crate) const LARGEST_CONTRACT_KW: f64 = 1e7;
/// More companies contacted in a month than these are too many to be simulated one by one. (an assumption)
const MOST_CONTACTED: f64 = 1e6;
/// More companies contacted in a month than these are too many for cohorts, whose counters are of 32 bits. (an assumption)
pub(crate) const MOST_CONTACTED_IN_COHORTS: f64 = 1e9;

/// The median of a quantity of 0 or more, where it is one at all.
fn median(quantity: &Uncertain) -> Option<f64> {
    let sampler = quantity.sampler(Domain::NON_NEGATIVE).ok()?;
    Some(sampler.at(0.5))
}

impl ExistingTenants {
    fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        let most_kw = f64::from(self.contracts_signed.max(1)) * LARGEST_CONTRACT_KW;
        let leased = self.leased_power_kw;
        if leased > most_kw {
            problems.error(
                &at.key("leased_power_kw"),
                format!("leased_power_kw is {}", with_thousands(&leased.to_string())),
                format!(
                    "0 to {} kW: {} kW for each contract at most",
                    with_thousands(&most_kw.to_string()),
                    with_thousands(&LARGEST_CONTRACT_KW.to_string())
                ),
            );
        } else if leased > 0.0 && self.contracts_signed == 0 {
            problems.error(
                &at.key("leased_power_kw"),
                format!("{leased} kW are leased, but no contract is signed"),
                "give `contracts_signed` too",
            );
        }
        self.check_counts(at, problems);
    }

    /// Of companies that were contacted some negotiate and others have signed.
    fn check_counts(&self, at: &Path, problems: &mut Problems) {
        let (contacted, signed) = (self.companies_contacted, self.contracts_signed);
        let negotiating = self.companies_negotiating;
        for (count, key, of, of_key) in [
            (signed, "contracts_signed", contacted, "companies_contacted"),
            (
                negotiating,
                "companies_negotiating",
                contacted,
                "companies_contacted",
            ),
            (
                self.subsidiaries,
                "subsidiaries",
                signed,
                "contracts_signed",
            ),
        ] {
            if count > of {
                problems.error(
                    &at.key(key),
                    format!("{key} is {count}, more than {of_key}, which is {of}"),
                    format!("at most as many as {of_key}"),
                );
            }
        }
        let known = u64::from(signed) + u64::from(negotiating);
        if known > u64::from(contacted) && signed <= contacted && negotiating <= contacted {
            problems.error(
                &at.key("companies_negotiating"),
                format!(
                    "{negotiating} companies are negotiating and {signed} have signed, more than companies_contacted, which is {contacted}"
                ),
                "those that negotiate have not signed yet: together at most as many as companies_contacted",
            );
        }
    }
}

impl Segment {
    fn check(&self, around: &Around<'_>, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        self.check_size(at, problems);
        self.check_hardware(around, at, problems);
        self.check_outreach(at, problems);
        self.check_terms(at, problems);
        check_all_known(
            "campus",
            &self.campuses,
            around.campuses.iter().copied(),
            &at.key("campuses"),
            problems,
        );
        check_all_known(
            "rack type",
            &self.rack_types,
            around.rack_types.iter().copied(),
            &at.key("rack_types"),
            problems,
        );
        if let Some(existing) = &self.existing {
            existing.check(&at.key("existing"), problems);
        }
    }

    fn check_size(&self, at: &Path, problems: &mut Problems) {
        let sizes = [
            (&self.contract_power_kw, "contract_power_kw"),
            (&self.contract_standard_racks, "contract_standard_racks"),
            (&self.contract_pflops, "contract_pflops"),
        ];
        let mut given = 0;
        for (size, key) in sizes {
            if size.is_none() {
                continue;
            }
            given += 1;
            if given == 2 {
                problems.error(
                    &at.key(key),
                    format!(
                        "segment \"{}\" gives the size of its contracts twice",
                        self.name
                    ),
                    "give one of contract_power_kw, contract_standard_racks and contract_pflops",
                );
            }
        }
        if given == 0 {
            problems.error(
                at,
                format!(
                    "segment \"{}\" does not say how large its contracts are",
                    self.name
                ),
                "give `contract_power_kw`, `contract_standard_racks` or `contract_pflops`",
            );
        }
        let typical = self.contract_power_kw.as_ref().and_then(median);
        if let Some(typical) = typical.filter(|kw| *kw > LARGEST_CONTRACT_KW) {
            problems.error(
                &at.key("contract_power_kw"),
                format!(
                    "contract_power_kw is about {} kW",
                    with_thousands(&typical.to_string())
                ),
                format!(
                    "{} kW or less; a plain number counts kW",
                    with_thousands(&LARGEST_CONTRACT_KW.to_string())
                ),
            );
        }
    }

    /// The power of a contract in PFLOPS follows from hardware that has some.
    fn check_hardware(&self, around: &Around<'_>, at: &Path, problems: &mut Problems) {
        let generations = around.generations.iter().map(|planned| &planned.generation);
        if let Some(wanted) = &self.contract_hardware {
            let known = generations.clone().map(|known| known.name.as_str());
            let at = at.key("contract_hardware");
            check_known("hardware generation", wanted, known, &at, problems);
        }
        if self.contract_pflops.is_none() {
            return;
        }
        let at = at.key("contract_pflops");
        if around.generations.is_empty() {
            problems.error(
                &at,
                "there is no hardware generation from which its power would follow",
                "describe one under `generations`, or give the size in kW",
            );
        }
        let wanted = self.contract_hardware.as_deref();
        let mut meant = generations.filter(|known| wanted.is_none_or(|name| name == known.name));
        let idle = meant.find(|known| {
            let pflops = known.rack_pflops.get(around.precision);
            pflops.is_some_and(|pflops| pflops.range(Domain::NON_NEGATIVE).0 == 0.0)
        });
        if let Some(idle) = idle {
            problems.error(
                &at,
                format!(
                    "a rack of \"{}\" has 0 PFLOPS, so that no power would be enough",
                    idle.name
                ),
                "name another generation in `contract_hardware`, or give the size in kW",
            );
        }
    }

    fn check_outreach(&self, at: &Path, problems: &mut Problems) {
        let (most, help) = match self.allocation {
            Allocation::Cohort => (MOST_CONTACTED_IN_COHORTS, "fewer companies"),
            _ => (
                MOST_CONTACTED,
                "fewer companies, or the allocation \"cohort\", which is for very many small tenants",
            ),
        };
        let contacted = median(&self.outreach_per_month);
        if let Some(contacted) = contacted.filter(|companies| *companies > most) {
            problems.error(
                &at.key("outreach_per_month"),
                format!(
                    "outreach_per_month is about {} companies",
                    with_thousands(&contacted.to_string())
                ),
                format!("{} or less: {help}", with_thousands(&most.to_string())),
            );
        }
        let signs = self.sign_probability.sampler(Domain::SHARE).ok();
        if signs.is_some_and(|signs| signs.at(0.5) > 0.9)
            && contacted.is_some_and(|many| many >= 1.0)
        {
            problems.warning(
                &at.key("sign_probability"),
                "nearly every company contacted signs",
                "most leads are not demand: a quarter of those contacted signed at Qingyang",
            );
        }
        if let Some(curve) = &self.outreach_curve {
            curve.check(&at.key("outreach_curve"), problems);
            if self.outreach_per_month != Uncertain::zero() {
                problems.error(
                    &at.key("outreach_per_month"),
                    format!("segment \"{}\" has a trend and a curve", self.name),
                    "give `outreach_per_month` or `outreach_curve`, not both",
                );
            }
        }
        self.check_funnel(at, problems);
        if !matches!(self.seasonality.len(), 0 | 12) {
            problems.error(
                &at.key("seasonality"),
                format!("seasonality has {} factors", self.seasonality.len()),
                "twelve, from January to December",
            );
        }
        if let Some(scarcity) = &self.scarcity {
            scarcity.check_fields(&at.key("scarcity"), problems);
        }
    }

    /// Campaigns, and the stages that a lead passes.
    fn check_funnel(&self, at: &Path, problems: &mut Problems) {
        check_list(
            "campaign",
            &self.campaigns,
            |campaign| &campaign.name,
            &at.key("campaigns"),
            problems,
            Campaign::check,
        );
        check_list(
            "stage",
            &self.stages,
            |stage| &stage.name,
            &at.key("stages"),
            problems,
            Stage::check,
        );
    }

    fn check_terms(&self, at: &Path, problems: &mut Problems) {
        if let Some(renewal) = &self.renewal {
            renewal.check_fields(&at.key("renewal"), problems);
            if self.churn_per_month != Uncertain::zero() {
                problems.error(
                    &at.key("churn_per_month"),
                    format!("segment \"{}\" has renewals and churn", self.name),
                    "with `renewal` a tenant leaves at the end of a term only; leave `churn_per_month` out",
                );
            }
        }
        if let Some(exit) = &self.early_exit {
            exit.check_fields(&at.key("early_exit"), problems);
        }
        self.check_stay(at, problems);
        if let Some(expansion) = &self.expansion {
            expansion.check_fields(&at.key("expansion"), problems);
        }
        if let Some(damages) = &self.damages {
            damages.check_fields(&at.key("damages"), problems);
        }
        if !self.allocation.is_pooled() {
            return;
        }
        // What needs contracts that wait for room, and for cohorts what needs contracts at all.
        let is_cohort = self.allocation == Allocation::Cohort;
        let refused = [
            (self.damages.is_some(), "damages"),
            (
                self.minimum_take_share != Uncertain::zero(),
                "minimum_take_share",
            ),
            (self.early_exit.is_some(), "early_exit"),
            (self.expansion.is_some(), "expansion"),
            (self.spill_over_after_months > 0, "spill_over_after_months"),
            (is_cohort && self.renewal.is_some(), "renewal"),
            (is_cohort && !self.stages.is_empty(), "stages"),
            (
                is_cohort && self.contract_pflops.is_some(),
                "contract_pflops",
            ),
            (is_cohort && self.existing.is_some(), "existing"),
            (
                is_cohort && self.ramp_months.constant().is_none(),
                "ramp_months",
            ),
        ];
        for (given, key) in refused {
            if given {
                problems.error(
                    &at.key(key),
                    format!("segment \"{}\" has {key}, but no contracts of its own kind", self.name),
                    "use the allocation \"first_come\", or change this (a cohort's ramp must be a known number)",
                );
            }
        }
    }
}
