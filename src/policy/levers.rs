//! Levers of policy: what a government or an owner may do, as parts of a scenario that are switched
//! on and off.
//!
//! A lever shortens permits, changes what land and other capex cost, replaces the taxes, or makes
//! more companies come and sign. [`Voucher`](crate::tenants::Voucher)s are levers, too. A
//! scenario has common random numbers with a lever and without it, so that
//! [`Scenario::with_levers`](crate::Scenario::with_levers) on one seed shows what it gains, trial by
//! trial.

use crate::date::Date;
use crate::field::{MONTHS, NUMBER, plan};
use crate::finance::Tax;
use crate::finance::books::{AmountTerm, PolicyTerms};
use crate::problem::{Path, Problems, check_all_known, check_list, check_name};
use crate::sampling::inputs::Quantity;
use crate::schedule::compiler::Compiler;
use crate::schedule::network::Effect;
use crate::tenants::{Campaign, Segment};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// Something that policy may do, with one effect or several.
    pub struct Lever {
        /// Its name, which no other lever and no voucher has.
        pub name: String,
        /// Where its effects come from, or that they are an assumption.
        pub source: String,
        /// Whether it is switched off: then the scenario is as if it were not stated.
        pub is_off: bool [= false],
        /// What it does to the duration of approvals and other activities.
        pub approvals: Option<FasterApprovals>,
        /// What it does to the price of land and other capex.
        pub land: Option<LandTerms>,
        /// Taxes in place of those of `finance`.
        pub tax: Option<Tax>,
        /// What it does to outreach and signing.
        pub signing: Option<SigningTerms>,
    }
    /// A lever without an effect yet; all else is set on its fields.
    pub fn new;
}

plan! {
    /// Approvals that take a share of their time: duration' = duration x `duration_factor`, in every trial.
    pub struct FasterApprovals in "levers/LEVER" {
        /// The activities (and grid steps) that it touches, such as "A1/permit" or, with * for any text, "*/permit".
        pub activities: Vec<String>,
        /// What it multiplies their durations by, 0 or more; 0.7 makes them 30 % shorter. Drawn once a trial, for all of them together.
        pub duration_factor: Uncertain => NUMBER.input("duration factor"),
    }
    /// These activities take that multiple of their time.
    pub fn new;
}

plan! {
    /// Terms of land, or of anything else that is paid for as capex.
    pub struct LandTerms in "levers/LEVER" {
        /// The names of the capex that it touches.
        pub capex: Vec<String>,
        /// What it multiplies their amounts by, 0 or more. Drawn once a trial.
        pub amount_factor: Uncertain => NUMBER.input("amount factor"),
    }
    /// Capex of these names costs that multiple.
    pub fn new;
}

plan! {
    /// What policy does to outreach and signing for a time, as a campaign would.
    pub struct SigningTerms {
        /// The segments that it touches; left out, all.
        pub segments: Vec<String> = [],
        /// Its first month; left out, that of the scenario.
        pub starts: Option<Date>,
        /// How many months it lasts, 1 or more; left out, to the end.
        pub duration_months: Option<u32> => MONTHS.within(1.0, f64::INFINITY),
        /// What the outreach is multiplied by, 0 or more. Drawn once a trial for each segment.
        pub outreach_factor: Uncertain = Uncertain::one() => NUMBER,
        /// What the probability of signing is multiplied by, 0 or more (it is cut at 1). Drawn once a trial for each segment.
        pub sign_factor: Uncertain = Uncertain::one() => NUMBER,
    }
    /// No effect yet; all is set on its fields.
    pub fn new;
}

impl Default for SigningTerms {
    fn default() -> Self {
        Self::new()
    }
}

impl Lever {
    /// Sets what it does to the activities whose approvals it makes faster, if it does.
    pub(crate) fn compile_approvals(&self, compiler: &mut Compiler<'_>) {
        let Some(approvals) = self.approvals.as_ref().filter(|_| !self.is_off) else {
            return;
        };
        let source = format!("levers/{}/duration factor", self.name);
        let factor = &approvals.duration_factor;
        let effect = Effect {
            happens: Quantity::Fixed(1.0),
            factor: compiler.draw(&source, factor, Domain::NON_NEGATIVE),
            delay_months: Quantity::Fixed(0.0),
        };
        let at = compiler.at.key("approvals");
        compiler.placed(at, |compiler| {
            compiler.affect(&approvals.activities, effect)
        });
    }
}

impl Lever {
    fn check(&self, known: &Known<'_>, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        if self.source.trim().is_empty() {
            problems.error(
                &at.key("source"),
                format!(
                    "lever \"{}\" does not say where its effects come from",
                    self.name
                ),
                "a source, or \"assumption\"",
            );
        }
        let effects = [
            self.approvals.is_some(),
            self.land.is_some(),
            self.tax.is_some(),
            self.signing.is_some(),
        ];
        if effects == [false; 4] {
            problems.error(
                at,
                format!("lever \"{}\" does nothing", self.name),
                "give `approvals`, `land`, `tax` or `signing`",
            );
        }
        if let Some(approvals) = &self.approvals {
            approvals.check(&self.name, &at.key("approvals"), problems);
        }
        if let Some(land) = &self.land {
            land.check(&self.name, known, &at.key("land"), problems);
        }
        if let Some(tax) = &self.tax {
            tax.check_fields(&at.key("tax"), problems);
            if !known.has_money {
                problems.error(
                    &at.key("tax"),
                    "no money is counted, so that there is nothing to tax",
                    "describe `finance`, or leave this out",
                );
            }
        }
        if let Some(signing) = &self.signing {
            signing.check(known, &at.key("signing"), problems);
        }
    }
}

impl FasterApprovals {
    fn check(&self, lever: &str, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        if self.activities.is_empty() {
            problems.error(
                &at.key("activities"),
                format!("lever \"{lever}\" shortens nothing"),
                "name one activity or more, such as \"*/permit\"",
            );
        }
    }
}

impl LandTerms {
    fn check(&self, lever: &str, known: &Known<'_>, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        let capex = known.capex.iter().copied();
        check_all_known("capex", &self.capex, capex, &at.key("capex"), problems);
        if self.capex.is_empty() {
            problems.error(
                &at.key("capex"),
                format!("lever \"{lever}\" changes the price of nothing"),
                "name one capex or more",
            );
        }
    }
}

impl SigningTerms {
    fn check(&self, known: &Known<'_>, at: &Path, problems: &mut Problems) {
        let segments = known.segments.iter().copied();
        let names = at.key("segments");
        check_all_known("segment", &self.segments, segments, &names, problems);
        self.check_fields(at, problems);
    }

    fn touches(&self, segment: &str) -> bool {
        self.segments.is_empty() || self.segments.iter().any(|name| name == segment)
    }
}

/// What levers may refer to.
pub(crate) struct Known<'a> {
    pub(crate) segments: Vec<&'a str>,
    pub(crate) vouchers: Vec<&'a str>,
    pub(crate) capex: Vec<&'a str>,
    pub(crate) has_money: bool,
}

/// Checks all levers; no two that are on may both replace the taxes.
pub(crate) fn check_levers(
    levers: &[Lever],
    known: &Known<'_>,
    at: &Path,
    problems: &mut Problems,
) {
    check_list(
        "lever",
        levers,
        |lever| &lever.name,
        at,
        problems,
        |lever, at, problems| lever.check(known, at, problems),
    );
    let mut taxes: Option<&str> = None;
    for (position, lever) in levers.iter().enumerate() {
        let at = at.index(position);
        if known.vouchers.contains(&lever.name.as_str()) {
            problems.error(
                &at.key("name"),
                format!("\"{}\" is the name of a voucher", lever.name),
                "levers and vouchers need names of their own",
            );
        }
        if lever.is_off || lever.tax.is_none() {
            continue;
        }
        match taxes {
            Some(other) => problems.error(
                &at.key("tax"),
                format!("lever \"{other}\" replaces the taxes already"),
                "switch one of them off with `is_off = true`",
            ),
            None => taxes = Some(&lever.name),
        }
    }
}

/// The segments as levers make them.
pub(crate) fn prompted(
    segments: &[Segment],
    levers: &[Lever],
    start: Date,
    months: u32,
) -> Vec<Segment> {
    let mut segments = segments.to_vec();
    for lever in levers.iter().filter(|lever| !lever.is_off) {
        let Some(signing) = &lever.signing else {
            continue;
        };
        for segment in segments.iter_mut().filter(|s| signing.touches(&s.name)) {
            segment.campaigns.push(Campaign {
                name: format!("lever {}", lever.name),
                starts: signing.starts.unwrap_or(start),
                duration_months: signing.duration_months.unwrap_or(months),
                outreach_factor: signing.outreach_factor.clone(),
                sign_factor: signing.sign_factor.clone(),
                extra_per_month: Uncertain::zero(),
            });
        }
    }
    segments
}

/// What levers change of money.
pub(crate) fn money_terms(levers: &[Lever]) -> PolicyTerms<'_> {
    let on = || levers.iter().filter(|lever| !lever.is_off);
    PolicyTerms {
        tax: on().find_map(|lever| lever.tax.as_ref()),
        amounts: on()
            .filter_map(|lever| {
                let land = lever.land.as_ref()?;
                Some(AmountTerm {
                    name: &lever.name,
                    capex: &land.capex,
                    factor: &land.amount_factor,
                })
            })
            .collect(),
    }
}
