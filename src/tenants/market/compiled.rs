//! The segments of a scenario, compiled.

use pulp::Arch;

use super::extras::Extras;
use super::funnel;
use super::quantiles::Varying;
use super::state::Rates;
use super::{Market, units};
use crate::compute::CompiledGeneration;
use crate::date::Date;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::sampling::streams::Source;
use crate::tenants::{
    Allocation, GROWTH, LARGEST_CONTRACT_KW, NamedTenant, Regime, Segment, Voucher,
};
use crate::uncertain::{Domain, Uncertain, UncertainError};

/// What the market needs to know of the campuses to be compiled.
pub(crate) struct Supply<'a> {
    pub(crate) campuses: &'a [String],
    pub(crate) rack_types: &'a [String],
    pub(crate) standard_rack_kw: f64,
    pub(crate) months: usize,
    pub(crate) start: Date,
    pub(crate) generations: &'a [CompiledGeneration],
    /// By generation.
    pub(crate) generation_names: &'a [&'a str],
}

/// All who come to rent.
#[derive(Clone, Copy)]
pub(crate) struct Demand<'a> {
    pub(crate) segments: &'a [Segment],
    pub(crate) tenants: &'a [NamedTenant],
    pub(crate) regimes: &'a [Regime],
    pub(crate) vouchers: &'a [Voucher],
    /// Whether somebody will ask for the leases of the trial.
    pub(crate) keeps_leases: bool,
}

impl Supply<'_> {
    /// How many pools there are.
    fn pools(&self) -> usize {
        self.campuses.len() * self.rack_types.len()
    }

    /// The pool of a rack type on a campus.
    pub(crate) fn pool(&self, campus: usize, rack_type: usize) -> usize {
        campus * self.rack_types.len() + rack_type
    }
}

#[derive(Clone, Debug)]
pub(super) struct CompiledSegment {
    pub(super) outreach: Quantity,
    pub(super) outreach_growth: Quantity,
    pub(super) sign_probability: Quantity,
    pub(super) subsidiary_probability: Quantity,
    pub(super) churn: Quantity,
    pub(super) draw_share: Quantity,
    pub(super) utilisation: Quantity,
    pub(super) sign_lag: Varying,
    pub(super) subsidiary_lag: Varying,
    pub(super) size: Varying,
    pub(super) size_kw: f64,
    pub(super) size_whole: bool,
    pub(super) largest_kw: f64,
    pub(super) move_in_lag: Varying,
    pub(super) ramp: Varying,
    pub(super) term: Varying,
    pub(super) patience: Option<Varying>,
    /// How many companies a cohort contacts in a month.
    pub(super) arrivals: Source,
    /// How many sign in a month; and what is drawn for each contract.
    pub(super) signing: Source,
    pub(super) contracts: Source,
    pub(super) allocation: Allocation,
    /// Pools that it accepts, in the order of preference.
    pub(super) pools: Vec<usize>,
    /// Where its contracts have leases: these pools or, if it is pooled, the place behind all pools.
    pub(super) leases_in: Vec<usize>,
    pub(super) home: usize,
    pub(super) existing: Existing,
    /// What few segments have; none for a plain one.
    pub(super) extras: Option<Box<Extras>>,
    /// Whether no ramp is cut off by the end of its contract, and all have this many months.
    pub(super) plain_ramp: Option<u32>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Existing {
    pub(super) contacted: u32,
    pub(super) negotiating: u32,
    pub(super) signed: u32,
    pub(super) subsidiaries: u32,
    pub(super) contract: i64,
}

impl Existing {
    fn of(segment: &Segment) -> Self {
        let existing = segment.existing.clone().unwrap_or_default();
        Self {
            contacted: existing.companies_contacted,
            negotiating: existing.companies_negotiating,
            signed: existing.contracts_signed,
            subsidiaries: existing.subsidiaries,
            contract: match existing.contracts_signed {
                0 => 0,
                count => units(existing.leased_power_kw / f64::from(count)),
            },
        }
    }
}

/// The sizes of a segment's contracts, the kW of one of their unit, and whether they are in whole units.
fn size_of(segment: &Segment, supply: &Supply<'_>) -> (Uncertain, f64, bool) {
    match (&segment.contract_standard_racks, &segment.contract_power_kw) {
        (Some(racks), _) => (racks.clone(), supply.standard_rack_kw, true),
        (None, Some(power)) => (power.clone(), 1.0, false),
        // In PFLOPS; what a PFLOPS takes in kW is among the extras.
        (None, None) => {
            let size = segment.contract_pflops.clone();
            (size.unwrap_or_else(Uncertain::zero), 1.0, false)
        }
    }
}

/// The pools that a segment accepts in the order of preference, and the first of its campuses.
fn pools_of(segment: &Segment, supply: &Supply<'_>) -> (Vec<usize>, usize) {
    let positions = |wanted: &[String], known: &[String]| -> Vec<usize> {
        if wanted.is_empty() {
            return (0..known.len()).collect();
        }
        let mut found = Vec::new();
        for name in wanted {
            let place = known.iter().position(|other| other == name);
            // Named twice it is still one.
            found.extend(place.filter(|place| !found.contains(place)));
        }
        found
    };
    let campuses = positions(&segment.campuses, supply.campuses);
    let rack_types = positions(&segment.rack_types, supply.rack_types);
    let pools = campuses.iter().flat_map(|&campus| {
        let kinds = rack_types.iter();
        kinds.map(move |&kind| supply.pool(campus, kind))
    });
    (pools.collect(), campuses.first().copied().unwrap_or(0))
}

/// Those of the `queued` segments that are of the same priority, in the order of priorities.
fn ranks_of(segments: &[Segment], queued: &[usize]) -> Vec<Vec<usize>> {
    let mut priorities: Vec<u32> = (queued.iter())
        .map(|&segment| segments[segment].priority)
        .collect();
    priorities.sort_unstable();
    priorities.dedup();
    let ranks = priorities.iter().map(|priority| {
        let ranked = (queued.iter()).filter(|&&segment| segments[segment].priority == *priority);
        ranked.copied().collect()
    });
    ranks.collect()
}

impl Market {
    pub(crate) fn compile(
        demand: Demand<'_>,
        supply: &Supply<'_>,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        // A named tenant is a segment of one company.
        let mut segments = demand.segments.to_vec();
        for tenant in demand.tenants {
            if let Some(of) = demand.segments.iter().find(|s| s.name == tenant.segment) {
                segments.push(tenant.as_segment(of));
            }
        }
        let mut stages = Vec::new();
        let mut compiled = Vec::with_capacity(segments.len());
        for (position, segment) in segments.iter().enumerate() {
            let tenant = position
                .checked_sub(demand.segments.len())
                .map(|tenant| &demand.tenants[tenant]);
            let mut one = CompiledSegment::compile(segment, supply, inputs)?;
            let extras = Extras::compile(segment, tenant, supply, &mut stages, inputs)?;
            one.extras = extras.map(Box::new);
            one.look_at_ramps();
            compiled.push(one);
        }
        let keeps_extras = demand.keeps_leases
            || compiled.iter().any(|segment| {
                segment
                    .extras
                    .as_ref()
                    .is_some_and(|extras| extras.has_terms())
            });
        let (mut pooled, queued) = (0..segments.len())
            .partition::<Vec<usize>, _>(|&segment| segments[segment].allocation.is_pooled());
        pooled.sort_by_key(|&segment| segments[segment].priority);
        let ranks = ranks_of(&segments, &queued);
        let mut by_home = vec![Vec::new(); supply.campuses.len()];
        for (position, segment) in compiled.iter().enumerate() {
            by_home[segment.home].push(position);
        }
        let names: Vec<&str> = segments
            .iter()
            .map(|segment| segment.name.as_str())
            .collect();
        Ok(Self {
            segments: compiled,
            ranks,
            queued,
            pooled,
            by_home,
            pools: supply.pools(),
            pools_per_campus: supply.rack_types.len(),
            months: supply.months,
            regimes: funnel::compile_regimes(demand.regimes, &names, inputs)?,
            vouchers: funnel::compile_vouchers(demand.vouchers, &names, supply.start, inputs)?,
            stages,
            keeps_extras,
            arch: Arch::new(),
            expects_own: false,
            first_metric: 0,
            first_outcome: None,
        })
    }
}

impl CompiledSegment {
    pub(super) fn compile(
        segment: &Segment,
        supply: &Supply<'_>,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let name = &segment.name;
        let mut drawn = |what: &str, quantity: &Uncertain, domain: Domain| {
            inputs.add(format!("tenants/{name}/{what}"), quantity, domain)
        };
        let varying = |what: &str, quantity: &Uncertain| {
            Varying::new(name, what, quantity, Domain::NON_NEGATIVE)
        };
        let source = |what: &str| Source::named(&format!("tenants/{name}/{what}"));
        let (size, size_kw, size_whole) = size_of(segment, supply);
        let (pools, home) = pools_of(segment, supply);
        let (outreach, growth) = (
            &segment.outreach_per_month,
            &segment.outreach_growth_per_year,
        );
        Ok(Self {
            outreach: drawn("outreach", outreach, Domain::NON_NEGATIVE)?,
            outreach_growth: drawn("outreach growth", growth, GROWTH.domain)?,
            sign_probability: drawn("sign probability", &segment.sign_probability, Domain::SHARE)?,
            subsidiary_probability: drawn(
                "subsidiary probability",
                &segment.subsidiary_probability,
                Domain::SHARE,
            )?,
            churn: drawn("churn", &segment.churn_per_month, Domain::SHARE)?,
            draw_share: drawn("draw share", &segment.draw_share, Domain::SHARE)?,
            utilisation: drawn("utilisation", &segment.utilisation, Domain::SHARE)?,
            sign_lag: varying("sign lag", &segment.sign_lag_months)?,
            subsidiary_lag: varying("subsidiary lag", &segment.subsidiary_lag_months)?,
            size: varying("contract size", &size)?,
            size_kw,
            size_whole,
            largest_kw: (segment.largest_contract_kw).map_or(LARGEST_CONTRACT_KW, |largest| {
                largest.min(LARGEST_CONTRACT_KW)
            }),
            move_in_lag: varying("move-in lag", &segment.move_in_lag_months)?,
            ramp: varying("ramp", &segment.ramp_months)?,
            term: varying("term", &segment.term_months)?,
            patience: segment
                .patience_months
                .as_ref()
                .map(|patience| varying("patience", patience))
                .transpose()?,
            arrivals: source("arrivals"),
            signing: source("signing"),
            contracts: source("contracts"),
            allocation: segment.allocation,
            home,
            leases_in: if segment.allocation.is_pooled() {
                vec![supply.pools()]
            } else {
                pools.clone()
            },
            pools,
            existing: Existing::of(segment),
            extras: None,
            plain_ramp: None,
        })
    }

    /// What is drawn once a trial.
    pub(super) fn rates(&self, drawn: &[f64]) -> Rates {
        Rates {
            outreach: self.outreach.value(drawn),
            outreach_growth: libm::pow(1.0 + self.outreach_growth.value(drawn), 1.0 / 12.0),
            sign_probability: self.sign_probability.value(drawn),
            subsidiary_probability: self.subsidiary_probability.value(drawn),
            ln_stay: libm::log1p(-self.churn.value(drawn)),
            draw_share: self.draw_share.value(drawn),
            utilisation: self.utilisation.value(drawn),
        }
    }

    /// Finds out whether ramps are plain, once its extras are known.
    fn look_at_ramps(&mut self) {
        // With terms a contract may end in any month.
        let has_terms = self
            .extras
            .as_ref()
            .is_some_and(|extras| extras.has_terms());
        let shortest_stay = 1.0 + self.term.least().floor();
        self.plain_ramp = (self.ramp.constant())
            .map(|ramp| Self::ramp_months(ramp as f32))
            .filter(|&ramp| !has_terms && f64::from(ramp) <= shortest_stay);
    }

    /// Months of a ramp in whole ones, 1 to 10,000 (an assumption: longer than any lease).
    #[inline(always)]
    pub(super) fn ramp_months(drawn: f32) -> u32 {
        (drawn + 0.5).clamp(1.0, 1e4) as i32 as u32
    }

    /// The size of a contract of that amount, in kW: whole standard racks and one at least, or kW as drawn.
    #[inline(always)]
    pub(super) fn contract_kw(&self, amount: f32) -> f64 {
        let amount = if self.size_whole {
            amount.ceil().max(1.0)
        } else {
            amount
        };
        let kw = f64::from(amount) * self.size_kw;
        if kw < self.largest_kw {
            kw
        } else {
            self.largest_kw
        }
    }

    pub(super) fn is_in_pflops(&self) -> bool {
        let extras = self.extras.as_deref();
        extras.is_some_and(|extras| extras.hardware.is_some())
    }
}
