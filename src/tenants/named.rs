//! Tenants that are known by name, beside those of the segments.

use serde::{Deserialize, Serialize};

use super::Segment;
use crate::date::Date;
use crate::problem::{Path, Problems, check_all_known, check_known, check_name};
use crate::uncertain::{Domain, Uncertain};

/// One company with one contract that may come about. What is not stated here is as in its segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NamedTenant {
    /// Its name, which no segment has.
    pub name: String,
    /// The segment whose terms and prices it has, and with which it is counted.
    pub segment: String,
    /// Probability that the contract comes about, 0 to 1. Drawn once a trial.
    #[serde(default = "Uncertain::one")]
    pub probability: Uncertain,
    /// When it wants to move in.
    pub starts: Date,
    /// How much later than that it wants to move in, in months. Drawn once a trial.
    #[serde(default = "Uncertain::zero")]
    pub delay_months: Uncertain,
    /// When it signs; left out, the segment's move-in lag before it moves in. What was signed before the start of the scenario counts from the start on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Date>,
    /// Size of its contract in kW of critical IT power; this or one of the other sizes may replace that of the segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_power_kw: Option<Uncertain>,
    /// Size of its contract in standard racks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_standard_racks: Option<Uncertain>,
    /// Size of its contract in PFLOPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_pflops: Option<Uncertain>,
    /// Months over which it fills its lease; left out, as in the segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp_months: Option<Uncertain>,
    /// Its term; left out, as in the segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term_months: Option<Uncertain>,
    /// The campuses that it accepts; left out, those of the segment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub campuses: Vec<String>,
}

impl NamedTenant {
    /// A tenant of a segment that is sure to come; all else is set on the fields.
    pub fn new(name: impl Into<String>, segment: impl Into<String>, starts: Date) -> Self {
        Self {
            name: name.into(),
            segment: segment.into(),
            probability: Uncertain::one(),
            starts,
            delay_months: Uncertain::zero(),
            signed: None,
            contract_power_kw: None,
            contract_standard_racks: None,
            contract_pflops: None,
            ramp_months: None,
            term_months: None,
            campuses: Vec::new(),
        }
    }

    pub(crate) fn check<'a>(
        &self,
        segments: impl Iterator<Item = &'a str> + Clone,
        campuses: impl Iterator<Item = &'a str> + Clone,
        at: &Path,
        problems: &mut Problems,
    ) {
        check_name(&self.name, &at.key("name"), problems);
        if segments.clone().any(|segment| segment == self.name) {
            problems.error(
                &at.key("name"),
                format!("\"{}\" is the name of a segment", self.name),
                "use another name",
            );
        }
        check_known(
            "segment",
            &self.segment,
            segments,
            &at.key("segment"),
            problems,
        );
        self.probability
            .check(Domain::SHARE, &at.key("probability"), problems);
        self.delay_months
            .check(Domain::ANY, &at.key("delay_months"), problems);
        let sizes = [
            (&self.contract_power_kw, "contract_power_kw"),
            (&self.contract_standard_racks, "contract_standard_racks"),
            (&self.contract_pflops, "contract_pflops"),
        ];
        if sizes.iter().filter(|(size, _)| size.is_some()).count() > 1 {
            problems.error(
                at,
                format!("\"{}\" gives the size of its contract twice", self.name),
                "give one of contract_power_kw, contract_standard_racks, contract_pflops",
            );
        }
        let others = [
            (&self.ramp_months, "ramp_months"),
            (&self.term_months, "term_months"),
        ];
        for (amount, key) in sizes.iter().chain(&others) {
            if let Some(amount) = amount {
                amount.check(Domain::NON_NEGATIVE, &at.key(key), problems);
            }
        }
        check_all_known(
            "campus",
            &self.campuses,
            campuses,
            &at.key("campuses"),
            problems,
        );
    }

    /// A segment of this tenant alone.
    pub(super) fn as_segment(&self, of: &Segment) -> Segment {
        let mut segment = of.clone();
        segment.name.clone_from(&self.name);
        segment.outreach_per_month = Uncertain::zero();
        segment.outreach_curve = None;
        segment.campaigns = Vec::new();
        segment.existing = None;
        if self.contract_power_kw.is_some()
            || self.contract_standard_racks.is_some()
            || self.contract_pflops.is_some()
        {
            segment
                .contract_power_kw
                .clone_from(&self.contract_power_kw);
            segment
                .contract_standard_racks
                .clone_from(&self.contract_standard_racks);
            segment.contract_pflops.clone_from(&self.contract_pflops);
            segment.largest_contract_kw = None;
        }
        if let Some(ramp) = &self.ramp_months {
            segment.ramp_months.clone_from(ramp);
        }
        if let Some(term) = &self.term_months {
            segment.term_months.clone_from(term);
        }
        if !self.campuses.is_empty() {
            segment.campuses.clone_from(&self.campuses);
        }
        segment
    }
}
