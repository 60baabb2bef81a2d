//! Levers of policy: what a government or an owner may do, as parts of a scenario that are switched
//! on and off.
//!
//! A lever shortens permits, changes what land and other capex cost, replaces the taxes, or makes
//! more companies come and sign. [`Voucher`](crate::tenants::Voucher)s are levers, too. All luck of
//! a scenario is the same with a lever and without it, so that
//! [`Scenario::with_levers`](crate::Scenario::with_levers) on one seed shows what it gains, trial by
//! trial.

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::finance::Tax;
use crate::finance::books::{AmountTerm, PolicyTerms};
use crate::problem::{Path, Problems, check_all_known, check_name};
use crate::schedule::is_false;
use crate::tenants::{Campaign, Segment};
use crate::uncertain::{Domain, Uncertain};

/// Something that policy may do, with one effect or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lever {
    /// Its name, which no other lever and no voucher has.
    pub name: String,
    /// Where its effects come from, or that they are an assumption.
    pub source: String,
    /// Whether it is switched off: then the scenario is as if it were not stated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_off: bool,
    /// What it does to the duration of approvals and other activities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<FasterApprovals>,
    /// What it does to the price of land and other capex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub land: Option<LandTerms>,
    /// Taxes in the place of those of `finance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Tax>,
    /// What it does to outreach and signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<SigningTerms>,
}

/// Approvals that take a share of their time: duration' = duration x `duration_factor`, in every trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FasterApprovals {
    /// The activities (and grid steps) that it touches, such as "A1/permit" or, with * for any text, "*/permit".
    pub activities: Vec<String>,
    /// What it multiplies their durations by, 0 or more; 0.7 makes them 30 % shorter. Drawn once a trial, for all of them together.
    pub duration_factor: Uncertain,
}

/// Terms of land, or of anything else that is paid for as capex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LandTerms {
    /// The names of the capex that it touches.
    pub capex: Vec<String>,
    /// What it multiplies their amounts by, 0 or more. Drawn once a trial.
    pub amount_factor: Uncertain,
}

/// What policy does to outreach and signing for a time, as a campaign would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SigningTerms {
    /// The segments that it touches; left out, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// Its first month; left out, that of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Date>,
    /// How many months it lasts, 1 or more; left out, to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_months: Option<u32>,
    /// What the outreach is multiplied by, 0 or more. Drawn once a trial for each segment.
    #[serde(default = "Uncertain::one")]
    pub outreach_factor: Uncertain,
    /// What the probability of signing is multiplied by, 0 or more (it is cut at 1). Drawn once a trial for each segment.
    #[serde(default = "Uncertain::one")]
    pub sign_factor: Uncertain,
}

impl Lever {
    /// A lever without an effect yet; all else is set on its fields.
    pub fn new(name: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            source: source.into(),
            is_off: false,
            approvals: None,
            land: None,
            tax: None,
            signing: None,
        }
    }

    pub(crate) fn check<'a>(&self, known: &Known<'a>, at: &Path, problems: &mut Problems) {
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
            let at = at.key("approvals");
            approvals.duration_factor.check(
                Domain::NON_NEGATIVE,
                &at.key("duration_factor"),
                problems,
            );
            if approvals.activities.is_empty() {
                problems.error(
                    &at.key("activities"),
                    format!("lever \"{}\" shortens nothing", self.name),
                    "name one activity or more, such as \"*/permit\"",
                );
            }
        }
        if let Some(land) = &self.land {
            let at = at.key("land");
            land.amount_factor
                .check(Domain::NON_NEGATIVE, &at.key("amount_factor"), problems);
            let capex = known.capex.iter().copied();
            check_all_known("capex", &land.capex, capex, &at.key("capex"), problems);
            if land.capex.is_empty() {
                problems.error(
                    &at.key("capex"),
                    format!("lever \"{}\" changes the price of nothing", self.name),
                    "name one capex or more",
                );
            }
        }
        if let Some(tax) = &self.tax {
            tax.check(&at.key("tax"), problems);
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

impl SigningTerms {
    fn check(&self, known: &Known<'_>, at: &Path, problems: &mut Problems) {
        let segments = known.segments.iter().copied();
        let names = at.key("segments");
        check_all_known("segment", &self.segments, segments, &names, problems);
        for (factor, key) in [
            (&self.outreach_factor, "outreach_factor"),
            (&self.sign_factor, "sign_factor"),
        ] {
            factor.check(Domain::NON_NEGATIVE, &at.key(key), problems);
        }
        if self.duration_months == Some(0) {
            problems.error(
                &at.key("duration_months"),
                "duration_months is 0",
                "1 month or more; leave it out if it lasts to the end",
            );
        }
    }

    fn touches(&self, segment: &str) -> bool {
        self.segments.is_empty() || self.segments.iter().any(|name| name == segment)
    }
}

/// What levers may refer to.
pub(crate) struct Known<'a> {
    pub(crate) segments: Vec<&'a str>,
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
    let mut taxes: Option<&str> = None;
    for (position, lever) in levers.iter().enumerate() {
        let at = at.index(position);
        lever.check(known, &at, problems);
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
