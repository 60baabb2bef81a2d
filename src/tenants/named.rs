//! Tenants that are known by name, beside those of the segments.

use super::Segment;
use crate::date::Date;
use crate::field::{KILOWATTS, MONTHS, NUMBER, PFLOPS, SHARE, plan};
use crate::problem::{Path, Problems, check_all_known, check_known, check_name};
use crate::uncertain::Uncertain;

plan! {
    /// One company with one contract that may come about. What is not stated here is as in its segment.
    pub struct NamedTenant in "tenants/TENANT" {
        /// Its name, which no segment has.
        pub name: String,
        /// The segment whose terms and prices it has, and with which it is counted.
        pub segment: String,
        /// Probability that the contract comes about, 0 to 1. Where it is known, whether it does is an input, `comes`; else the probability is. Drawn once a trial.
        pub probability: Uncertain = Uncertain::one() => SHARE.input("probability"),
        /// When it wants to move in.
        pub starts: Date,
        /// How much later than that it wants to move in, in months. Drawn once a trial.
        pub delay_months: Uncertain = Uncertain::zero() => MONTHS.any().input("delay"),
        /// When it signs; left out, the segment's move-in lag before it moves in. What was signed before the start of the scenario counts from the start on.
        pub signed: Option<Date>,
        /// Size of its contract in kW of critical IT power; this or one of the other sizes may replace that of the segment.
        pub contract_power_kw: Option<Uncertain> => KILOWATTS.within(0.0, f64::INFINITY),
        /// Size of its contract in standard racks.
        pub contract_standard_racks: Option<Uncertain> => NUMBER,
        /// Size of its contract in PFLOPS.
        pub contract_pflops: Option<Uncertain> => PFLOPS,
        /// Months over which it fills its lease; left out, as in the segment.
        pub ramp_months: Option<Uncertain> => MONTHS,
        /// Its term; left out, as in the segment.
        pub term_months: Option<Uncertain> => MONTHS,
        /// The campuses that it accepts; left out, those of the segment.
        pub campuses: Vec<String> = [],
    }
    /// A tenant of a segment that is sure to come; all else is set on the fields.
    pub fn new;
}

impl NamedTenant {
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
        self.check_fields(at, problems);
        let sizes = [
            &self.contract_power_kw,
            &self.contract_standard_racks,
            &self.contract_pflops,
        ];
        if sizes.iter().filter(|size| size.is_some()).count() > 1 {
            problems.error(
                at,
                format!("\"{}\" gives the size of its contract twice", self.name),
                "give one of contract_power_kw, contract_standard_racks, contract_pflops",
            );
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
