//! What only some segments have: terms beyond the plain ones, a named tenant, sizes in PFLOPS.

use super::cohort::Cohort;
use super::funnel::{CompiledStage, Outreach};
use super::luck::Agreed;
use super::{
    CompiledSegment, Drawer, Market, MarketState, NEVER, Source, Supply, Varying, refill, units,
};
use crate::compute::CompiledGeneration;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::sampling::streams::Stream;
use crate::tenants::{Allocation, LARGEST_CONTRACT_KW, NamedTenant, Segment};
use crate::uncertain::{Domain, Uncertain, UncertainError, minus_ln};

/// A year, in months.
const YEAR: usize = 12;

#[derive(Clone, Debug)]
pub(super) struct Extras {
    pub(super) outreach: Option<Outreach>,
    pub(super) stages: Vec<CompiledStage>,
    renewal: Option<(Quantity, Option<Varying>)>,
    early_exit: Option<(Quantity, Source)>,
    pub(super) exit_fee: Quantity,
    expansion: Option<CompiledExpansion>,
    pub(super) minimum_take: Quantity,
    pub(super) damages: Option<CompiledDamages>,
    /// Months that a contract waits for its first campus alone.
    pub(super) spill_over: usize,
    /// With which generations a contract in PFLOPS reckons, in no order.
    pub(super) hardware: Option<Vec<CompiledGeneration>>,
    named: Option<Named>,
    pub(super) cohort: Option<Cohort>,
}

#[derive(Clone, Debug)]
struct CompiledExpansion {
    probability: Quantity,
    wants: Source,
    after: Varying,
    share: Varying,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CompiledDamages {
    pub(super) per_kw_month: Quantity,
    pub(super) grace: usize,
    pub(super) most: usize,
}

/// A segment that is one company known by name; times in months after the start.
#[derive(Clone, Debug)]
struct Named {
    probability: Quantity,
    comes: Source,
    starts: f64,
    delay: Quantity,
    signed: Option<f64>,
}

/// What is kept of a contract beyond what its allocation needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ContractExtra {
    /// The month in which it was signed.
    pub(super) signed: u32,
    pub(super) patience: u32,
    /// Whether it leaves before the end of its term.
    pub(super) exits_early: bool,
    /// An expansion leaves in this month, with the contract that it expands.
    pub(super) leaves: u32,
    /// Months from moving in until it wants so many units more; 0 units: never.
    pub(super) expands_after: u32,
    pub(super) expands_by: i64,
    /// What it gave up, in units, and when.
    pub(super) abandoned: i64,
    pub(super) gave_up: u32,
}

impl ContractExtra {
    const PLAIN: Self = Self {
        signed: 0,
        patience: NEVER,
        exits_early: false,
        leaves: NEVER,
        expands_after: 0,
        expands_by: 0,
        abandoned: 0,
        gave_up: NEVER,
    };

    pub(super) fn signed_in(month: usize) -> Self {
        Self {
            signed: month as u32,
            ..Self::PLAIN
        }
    }

    /// That of the expansion of a contract, which is wanted from `ready` on and ends with the contract.
    pub(super) fn expansion_of(contract: &Self, ready: usize, leaves: u32) -> Self {
        Self {
            signed: ready as u32,
            patience: contract.patience,
            leaves,
            ..Self::PLAIN
        }
    }

    pub(super) fn give_up(&mut self, month: usize, units: i64) {
        if units > 0 {
            self.abandoned = units;
            self.gave_up = month as u32;
        }
    }
}

/// The luck of a segment's terms in a trial, and what is drawn once.
#[derive(Clone, Debug)]
pub(super) struct TermsLuck {
    ln_renew: f64,
    ln_keep: f64,
    expansion: f64,
    renewal_term: Drawer,
    exit: Option<Stream>,
    wants: Option<Stream>,
    after: Drawer,
    share: Drawer,
}

impl Extras {
    /// The extras of a segment; none for a plain one.
    pub(super) fn compile(
        segment: &Segment,
        tenant: Option<&NamedTenant>,
        supply: &Supply<'_>,
        stages: &mut Vec<String>,
        inputs: &mut Inputs,
    ) -> Result<Option<Self>, UncertainError> {
        let name = &segment.name;
        let source = |what: &str| Source::named(&format!("tenants/{name}/{what}"));
        let varying = |what: &str, quantity: &Uncertain| {
            Varying::new(name, what, quantity, Domain::NON_NEGATIVE)
        };
        let outreach = Outreach::compile(segment, supply, inputs)?;
        let compiled_stages = (segment.stages.iter())
            .map(|stage| CompiledStage::compile(name, stage, stages, inputs))
            .collect::<Result<Vec<_>, _>>()?;
        let mut add = |what: &str, quantity: &Uncertain, domain| {
            inputs.add(format!("tenants/{name}/{what}"), quantity, domain)
        };
        let zero = Quantity::Fixed(0.0);
        let renewal = match &segment.renewal {
            Some(renewal) => {
                let term = renewal.term_months.as_ref();
                Some((
                    add("renewal probability", &renewal.probability, Domain::SHARE)?,
                    term.map(|term| varying("renewal term", term)).transpose()?,
                ))
            }
            None => None,
        };
        let (early_exit, exit_fee) = match &segment.early_exit {
            Some(exit) => (
                Some((
                    add("exit probability", &exit.exit_probability, Domain::SHARE)?,
                    source("early exit"),
                )),
                add("exit fee", &exit.fee_months, Domain::NON_NEGATIVE)?,
            ),
            None => (None, zero),
        };
        let expansion = match &segment.expansion {
            Some(expansion) => Some(CompiledExpansion {
                probability: add(
                    "expansion probability",
                    &expansion.probability,
                    Domain::SHARE,
                )?,
                wants: source("expansion"),
                after: varying("expansion time", &expansion.after_months)?,
                share: varying("expansion size", &expansion.size_share)?,
            }),
            None => None,
        };
        let damages = match &segment.damages {
            Some(damages) => Some(CompiledDamages {
                per_kw_month: add("damages", &damages.per_kw_month, Domain::NON_NEGATIVE)?,
                grace: damages.grace_months as usize,
                most: damages.most_months.map_or(usize::MAX, |most| most as usize),
            }),
            None => None,
        };
        let minimum_take = add("minimum take", &segment.minimum_take_share, Domain::SHARE)?;
        let named = match tenant {
            Some(tenant) => Some(Named {
                probability: add("probability", &tenant.probability, Domain::SHARE)?,
                comes: source("comes"),
                starts: tenant.starts.months_after(supply.start),
                delay: add("delay", &tenant.delay_months, Domain::ANY)?,
                signed: tenant.signed.map(|date| date.months_after(supply.start)),
            }),
            None => None,
        };
        let hardware = segment.contract_pflops.as_ref().map(|_| {
            let chosen: Vec<CompiledGeneration> = supply
                .generations
                .iter()
                .zip(supply.generation_names)
                .filter(|(_, name)| {
                    segment
                        .contract_hardware
                        .as_deref()
                        .is_none_or(|w| w == **name)
                })
                .map(|(generation, _)| generation.clone())
                .collect();
            chosen
        });
        let cohort = match segment.allocation {
            Allocation::Cohort => Some(Cohort::compile(segment, supply)?),
            _ => None,
        };
        let extras = Self {
            outreach,
            stages: compiled_stages,
            renewal,
            early_exit,
            exit_fee,
            expansion,
            minimum_take,
            damages,
            spill_over: segment.spill_over_after_months as usize,
            hardware,
            named,
            cohort,
        };
        Ok(extras.is_needed().then_some(extras))
    }

    fn is_needed(&self) -> bool {
        self.has_terms()
            || self.outreach.is_some()
            || !self.stages.is_empty()
            || self.spill_over > 0
            || self.hardware.is_some()
            || self.named.is_some()
            || self.cohort.is_some()
    }

    /// Whether more must be kept of its contracts.
    pub(super) fn has_terms(&self) -> bool {
        self.renewal.is_some()
            || self.early_exit.is_some()
            || self.expansion.is_some()
            || self.damages.is_some()
            || self.minimum_take != Quantity::Fixed(0.0)
    }

    fn luck(&self, seed: u64, trial: u64, drawn: &[f64]) -> TermsLuck {
        let open = |varying: &Varying| Drawer::open(varying, seed, trial);
        let none = Drawer::Constant(0.0);
        let term = self.renewal.as_ref().and_then(|(_, term)| term.as_ref());
        let expansion = self.expansion.as_ref();
        TermsLuck {
            ln_renew: match &self.renewal {
                Some((probability, _)) => libm::log(probability.value(drawn)),
                None => 0.0,
            },
            ln_keep: match &self.early_exit {
                Some((probability, _)) => libm::log1p(-probability.value(drawn)),
                None => 0.0,
            },
            expansion: expansion.map_or(0.0, |expansion| expansion.probability.value(drawn)),
            renewal_term: term.map_or(none.clone(), open),
            exit: (self.early_exit.as_ref()).map(|(_, source)| source.stream(seed, trial)),
            wants: expansion.map(|expansion| expansion.wants.stream(seed, trial)),
            after: expansion.map_or(none.clone(), |expansion| open(&expansion.after)),
            share: expansion.map_or(none, |expansion| open(&expansion.share)),
        }
    }
}

/// How many months a contract of this term stays that is renewed again and again: its term, and a
/// geometric number of renewals, floor(ln u / ln p). `ln_renew` is ln p.
fn renewed_stay(term: u32, renewal: u32, uniform: f64, ln_renew: f64) -> u32 {
    let renewals = if ln_renew == 0.0 {
        u32::MAX
    } else {
        (-minus_ln(uniform) / ln_renew) as u32
    };
    term.max(1)
        .saturating_add(renewals.saturating_mul(renewal.max(1)))
}

/// What the terms of a contract come to; shortens or prolongs its stay.
pub(super) fn draw_terms(
    terms: Option<(&Extras, &mut TermsLuck)>,
    size: i64,
    agreed: &mut Agreed,
) -> ContractExtra {
    let mut extra = ContractExtra::PLAIN;
    let Some((extras, luck)) = terms else {
        return extra;
    };
    let term = agreed.term;
    if let Some((_, renewal_term)) = &extras.renewal {
        let term = term as u32;
        let renewal = match renewal_term {
            Some(varying) => luck.renewal_term.next(varying) as u32,
            None => term,
        };
        agreed.stay = renewed_stay(term, renewal, agreed.stay_luck, luck.ln_renew);
    }
    if let Some(exit) = &mut luck.exit {
        let uniform = exit.uniform();
        if luck.ln_keep < 0.0 {
            let months = (-minus_ln(uniform) / luck.ln_keep) as u32;
            let month = months.saturating_add(1);
            // Within the term; after it a tenant may leave without a fee.
            if month < (term as u32).min(agreed.stay) {
                agreed.stay = month;
                extra.exits_early = true;
            }
        }
    }
    if let (Some(expansion), Some(wants)) = (&extras.expansion, &mut luck.wants) {
        let wants = wants.uniform() < luck.expansion;
        let after = luck.after.next(&expansion.after);
        let share = luck.share.next(&expansion.share);
        if wants {
            extra.expands_after = (after + 0.5).clamp(1.0, 1e6) as u32;
            extra.expands_by = ((size as f64 * share) as i64).min(units(LARGEST_CONTRACT_KW));
        }
    }
    extra
}

impl Market {
    pub(super) fn reset_extras(
        &self,
        state: &mut MarketState,
        seed: u64,
        trial: u64,
        drawn: &[f64],
    ) {
        state.extra.clear();
        state.terms_luck.clear();
        let (segments, months) = (self.segments.len(), self.months);
        if self.keeps_extras {
            state.terms_luck.extend(self.segments.iter().map(|segment| {
                let extras = segment.extras.as_ref().filter(|extras| extras.has_terms());
                extras.map(|extras| extras.luck(seed, trial, drawn))
            }));
        }
        if self.segments.iter().any(CompiledSegment::is_in_pflops) {
            refill(&mut state.kw_per_pflops, segments * months, 0.0);
        }
        for (position, segment) in self.segments.iter().enumerate() {
            let hardware = segment
                .extras
                .as_ref()
                .and_then(|extras| extras.hardware.as_ref());
            if let Some(hardware) = hardware {
                // In the order of their release; there are few, and few scenarios have this.
                let known = &mut state.generations;
                known.clear();
                known.extend(hardware.iter().map(|generation| generation.draw(drawn)));
                known.sort_by(|a, b| a.available_months.total_cmp(&b.available_months));
                for month in 0..months {
                    let at = month as f64;
                    let newest = known.iter().rev().find(|one| one.is_released(at));
                    let density = newest
                        .or(known.first())
                        .map_or(0.0, |one| one.pflops_per_kw(at.max(one.available_months)));
                    state.kw_per_pflops[position * months + month] = 1.0 / density;
                }
            }
        }
        self.reset_funnel(state, seed, trial, drawn);
        self.reset_cohorts(state, seed, trial);
    }

    /// Lets a named tenant sign, if it comes at all.
    pub(super) fn expect_named(
        &self,
        state: &mut MarketState,
        position: usize,
        seed: u64,
        trial: u64,
        drawn: &[f64],
    ) {
        let segment = &self.segments[position];
        let Some(named) = (segment.extras.as_ref()).and_then(|extras| extras.named.as_ref()) else {
            return;
        };
        if named.comes.uniform(seed, trial) >= named.probability.value(drawn) {
            return;
        }
        let ready = (named.starts + named.delay.value(drawn)).max(0.0);
        let signed = match named.signed {
            Some(signed) => signed,
            None => {
                // A stream of its own, so that the draw in `sign` is not its twin.
                let lag = &segment.move_in_lag;
                let drawn = match lag.sampler.constant() {
                    Some(lag) => lag,
                    None => lag.sampler.at(lag.source.uniform(seed, trial)),
                };
                ready - drawn
            }
        };
        state.counts[position].contacted += 1;
        self.sign(state, position, signed.clamp(0.0, ready), Some(ready), 1.0);
    }

    /// The number of a year of twelve months that a month of the trial is in, and whether it is
    /// its first, counted from `start`; none before.
    pub(super) fn year_since(month: usize, start: usize) -> Option<(usize, bool)> {
        let since = month.checked_sub(start)?;
        Some((since / YEAR, since.is_multiple_of(YEAR)))
    }
}

impl CompiledSegment {
    fn is_in_pflops(&self) -> bool {
        self.extras
            .as_ref()
            .is_some_and(|extras| extras.hardware.is_some())
    }
}
