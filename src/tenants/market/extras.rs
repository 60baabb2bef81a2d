//! What only some segments have: terms beyond the plain ones, a named tenant, sizes in PFLOPS.

use super::cohort::Cohort;
use super::compiled::{CompiledSegment, Supply};
use super::draft::{ALL_DRAWN, Draft, Origin, Pair, Terms};
use super::funnel::{CompiledStage, Outreach};
use super::quantiles::{Varying, minus_ln};
use super::words::open_unit;
use super::{FOREVER, Market, MarketState, NEVER, refill, units};
use crate::compute::CompiledGeneration;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::sampling::streams::Source;
use crate::tenants::{Allocation, LARGEST_CONTRACT_KW, NamedTenant, Segment};
use crate::uncertain::{Domain, Uncertain, UncertainError};

/// A year, in months.
const YEAR: usize = 12;

#[derive(Clone, Debug)]
pub(super) struct Extras {
    pub(super) outreach: Option<Outreach>,
    pub(super) stages: Vec<CompiledStage>,
    renewal: Option<(Quantity, Option<Varying>)>,
    early_exit: Option<Quantity>,
    pub(super) exit_fee: Quantity,
    expansion: Option<CompiledExpansion>,
    pub(super) minimum_take: Quantity,
    pub(super) damages: Option<CompiledDamages>,
    /// Months that a contract waits for its first campus alone.
    pub(super) spill_over: usize,
    /// The generations from which the power of a contract in PFLOPS follows, in no order.
    pub(super) hardware: Option<Vec<CompiledGeneration>>,
    named: Option<Named>,
    pub(super) cohort: Option<Cohort>,
}

#[derive(Clone, Debug)]
struct CompiledExpansion {
    probability: Quantity,
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
    comes: Comes,
    starts: f64,
    delay: Quantity,
    signed: Option<f64>,
}

/// Whether a named tenant comes in a trial.
#[derive(Clone, Debug)]
enum Comes {
    /// By an input of its own, 1 or 0.
    Input(Quantity),
    /// By chance, with a probability that is an input.
    Chance(Quantity, Source),
}

impl Comes {
    fn compile(tenant: &NamedTenant, inputs: &mut Inputs) -> Result<Self, UncertainError> {
        let input = |what: &str| format!("tenants/{}/{what}", tenant.name);
        if let Some(probability) = tenant.probability.constant() {
            let comes = Uncertain::happens(probability);
            return Ok(Self::Input(inputs.add(
                input("comes"),
                &comes,
                Domain::SHARE,
            )?));
        }
        let probability = inputs.add(input("probability"), &tenant.probability, Domain::SHARE)?;
        Ok(Self::Chance(probability, Source::named(&input("comes"))))
    }

    fn holds(&self, seed: u64, trial: u64, drawn: &[f64]) -> bool {
        match self {
            Self::Input(comes) => comes.value(drawn) > 0.0,
            Self::Chance(probability, chance) => {
                chance.uniform(seed, trial) < probability.value(drawn)
            }
        }
    }
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
    /// Months from moving in until it wants this many units more; 0 units: never.
    pub(super) expands_after: u32,
    pub(super) expands_by: i64,
    /// What it gave up, in units, and when.
    pub(super) abandoned: i64,
    pub(super) gave_up: u32,
}

impl ContractExtra {
    pub(super) const PLAIN: Self = Self {
        signed: 0,
        patience: NEVER,
        exits_early: false,
        leaves: NEVER,
        expands_after: 0,
        expands_by: 0,
        abandoned: 0,
        gave_up: NEVER,
    };

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

/// What is drawn once a trial for the terms of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct TermRates {
    /// ln of the probability of a renewal, and of that of staying another month of the term.
    ln_renew: f64,
    ln_keep: f64,
    expansion: f64,
}

impl CompiledExpansion {
    fn compile(segment: &Segment, inputs: &mut Inputs) -> Result<Option<Self>, UncertainError> {
        let Some(expansion) = &segment.expansion else {
            return Ok(None);
        };
        let name = &segment.name;
        let varying = |what: &str, quantity: &Uncertain| {
            Varying::new(name, what, quantity, Domain::NON_NEGATIVE)
        };
        let input = format!("tenants/{name}/expansion probability");
        Ok(Some(Self {
            probability: inputs.add(input, &expansion.probability, Domain::SHARE)?,
            after: varying("expansion time", &expansion.after_months)?,
            share: varying("expansion size", &expansion.size_share)?,
        }))
    }
}

impl CompiledDamages {
    fn compile(segment: &Segment, inputs: &mut Inputs) -> Result<Option<Self>, UncertainError> {
        let Some(damages) = &segment.damages else {
            return Ok(None);
        };
        let input = format!("tenants/{}/damages", segment.name);
        Ok(Some(Self {
            per_kw_month: inputs.add(input, &damages.per_kw_month, Domain::NON_NEGATIVE)?,
            grace: damages.grace_months as usize,
            most: damages.most_months.map_or(usize::MAX, |most| most as usize),
        }))
    }
}

impl Named {
    fn compile(
        tenant: &NamedTenant,
        supply: &Supply<'_>,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let input = |what: &str| format!("tenants/{}/{what}", tenant.name);
        Ok(Self {
            comes: Comes::compile(tenant, inputs)?,
            starts: tenant.starts.months_after(supply.start),
            delay: inputs.add(input("delay"), &tenant.delay_months, Domain::ANY)?,
            signed: tenant.signed.map(|date| date.months_after(supply.start)),
        })
    }
}

/// The generations on which the size of contracts in PFLOPS is based.
fn hardware_of(segment: &Segment, supply: &Supply<'_>) -> Vec<CompiledGeneration> {
    let wanted = segment.contract_hardware.as_deref();
    let generations = supply.generations.iter().zip(supply.generation_names);
    generations
        .filter(|(_, name)| wanted.is_none_or(|wanted| wanted == **name))
        .map(|(generation, _)| generation.clone())
        .collect()
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
        let renewal = match &segment.renewal {
            Some(renewal) => Some((
                add("renewal probability", &renewal.probability, Domain::SHARE)?,
                (renewal.term_months.as_ref())
                    .map(|term| varying("renewal term", term))
                    .transpose()?,
            )),
            None => None,
        };
        let (mut early_exit, mut exit_fee) = (None, Quantity::Fixed(0.0));
        if let Some(exit) = &segment.early_exit {
            early_exit = Some(add(
                "exit probability",
                &exit.exit_probability,
                Domain::SHARE,
            )?);
            exit_fee = add("exit fee", &exit.fee_months, Domain::NON_NEGATIVE)?;
        }
        let expansion = CompiledExpansion::compile(segment, inputs)?;
        let damages = CompiledDamages::compile(segment, inputs)?;
        let take = format!("tenants/{name}/minimum take");
        let minimum_take = inputs.add(take, &segment.minimum_take_share, Domain::SHARE)?;
        let named = tenant.map(|tenant| Named::compile(tenant, supply, inputs));
        let named = named.transpose()?;
        let hardware = (segment.contract_pflops.as_ref()).map(|_| hardware_of(segment, supply));
        let is_cohort = segment.allocation == Allocation::Cohort;
        let cohort = is_cohort.then(|| Cohort::compile(segment, supply));
        let cohort = cohort.transpose()?;
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

    fn rates(&self, drawn: &[f64]) -> TermRates {
        let expansion = self.expansion.as_ref();
        TermRates {
            ln_renew: match &self.renewal {
                Some((probability, _)) => libm::log(probability.value(drawn)),
                None => 0.0,
            },
            ln_keep: match &self.early_exit {
                Some(probability) => libm::log1p(-probability.value(drawn)),
                None => 0.0,
            },
            expansion: expansion.map_or(0.0, |expansion| expansion.probability.value(drawn)),
        }
    }
}

impl CompiledSegment {
    /// What is drawn once a trial for its terms, if it has any.
    pub(super) fn term_rates(&self, drawn: &[f64]) -> Option<TermRates> {
        let extras = self.extras.as_ref().filter(|extras| extras.has_terms());
        extras.map(|extras| extras.rates(drawn))
    }
}

/// How many months a contract of this term stays that is renewed again and again: its term, and a
/// geometric number of renewals, floor(ln u / ln p). `minus_ln` is -ln u, and `ln_renew` is ln p.
fn renewed_stay(term: u32, renewal: u32, minus_ln: f32, ln_renew: f64) -> u32 {
    let renewals = if ln_renew == 0.0 {
        u32::MAX
    } else {
        (-f64::from(minus_ln) / ln_renew) as u32
    };
    term.max(1)
        .saturating_add(renewals.saturating_mul(renewal.max(1)))
        .min(FOREVER)
}

impl Market {
    /// Draws what the contracts of a list say beyond their size and term, which shortens or prolongs their stay.
    #[inline(always)]
    pub(super) fn draw_terms(&self, state: &MarketState, draft: &mut Draft, position: usize) {
        for number in 0..draft.len {
            draft.extra[number] = ContractExtra {
                signed: draft.signed[number] as u32,
                // An expansion is ready at a whole month, so that the whole months of patience decide.
                patience: draft.patience[number] as u32,
                ..ContractExtra::PLAIN
            };
        }
        let extras = self.segments[position].extras.as_deref();
        let (Some(extras), Some(rates)) = (extras, state.segments[position].terms) else {
            return;
        };
        let renews_by_a_term = matches!(extras.renewal, Some((_, Some(_))));
        if renews_by_a_term || extras.early_exit.is_some() {
            self.draw_words(state, draft, position, Pair::RenewalAndExit);
        }
        if let Some((_, renewal_term)) = &extras.renewal {
            renew(draft, renewal_term.as_ref(), rates.ln_renew);
        }
        if extras.early_exit.is_some() && rates.ln_keep < 0.0 {
            exit_early(draft, rates.ln_keep);
        }
        if let Some(expansion) = &extras.expansion {
            self.draw_words(state, draft, position, Pair::Expansion);
            for number in 0..draft.len {
                let [wants, after] = draft.words.each_ref().map(|words| words[number]);
                if open_unit(wants) < rates.expansion {
                    let after = expansion.after.at(after);
                    draft.extra[number].expands_after = (after + 0.5).clamp(1.0, 1e6) as u32;
                }
            }
            self.draw_words(state, draft, position, Pair::ExpansionSize);
            for number in 0..draft.len {
                if draft.extra[number].expands_after > 0 {
                    let share = expansion.share.at(draft.words[0][number]);
                    let units_more = (draft.size(number) as f64 * share) as i64;
                    draft.extra[number].expands_by = units_more.min(units(LARGEST_CONTRACT_KW));
                }
            }
        }
    }

    pub(super) fn reset_extras(&self, state: &mut MarketState, drawn: &[f64]) {
        let (segments, months) = (self.segments.len(), self.months);
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
        self.reset_funnel(state, drawn);
        self.reset_cohorts(state);
    }

    /// Lets a named tenant sign, if it comes at all.
    pub(super) fn expect_named(&self, state: &mut MarketState, position: usize, drawn: &[f64]) {
        let (seed, trial) = (state.seed, state.trial);
        let segment = &self.segments[position];
        let Some(named) = (segment.extras.as_ref()).and_then(|extras| extras.named.as_ref()) else {
            return;
        };
        if !named.comes.holds(seed, trial, drawn) {
            return;
        }
        let ready = (named.starts + named.delay.value(drawn)).max(0.0);
        let signed = match named.signed {
            Some(signed) => signed,
            None => {
                // A stream of its own, so that the draw in `sign` is not its twin.
                let lag = &segment.move_in_lag;
                let drawn = match lag.constant() {
                    Some(lag) => lag,
                    None => lag.sampler.at(lag.source.uniform(seed, trial)),
                };
                ready - drawn
            }
        };
        state.counts[position].contacted += 1;
        let terms = Terms {
            ready: Some(ready as f32),
            is_signed: true,
            ..ALL_DRAWN
        };
        let signed = signed.clamp(0.0, ready) as f32;
        self.sign_known(state, position, Origin::Named, 0..1, signed, terms);
    }

    /// The number of a year of twelve months that a month of the trial is in, and whether it is
    /// its first, counted from `start`; none before.
    pub(super) fn year_since(month: usize, start: usize) -> Option<(usize, bool)> {
        let since = month.checked_sub(start)?;
        Some((since / YEAR, since.is_multiple_of(YEAR)))
    }
}

/// Prolongs stays by renewals, of a term of their own or of that of the contract.
#[inline(always)]
fn renew(draft: &mut Draft, renewal_term: Option<&Varying>, ln_renew: f64) {
    let len = draft.len;
    match renewal_term {
        Some(varying) => varying.fill(&draft.words[0][..len], &mut draft.other[..len]),
        None => draft.other[..len].copy_from_slice(&draft.term[..len]),
    }
    for number in 0..len {
        let (term, renewal) = (draft.term[number] as u32, draft.other[number] as u32);
        draft.stay[number] = renewed_stay(term, renewal, draft.beyond[number], ln_renew);
    }
}

/// Shortens stays by exits within the term; after it a tenant may leave without a fee.
#[inline(always)]
fn exit_early(draft: &mut Draft, ln_keep: f64) {
    let len = draft.len;
    minus_ln(&draft.words[1][..len], &mut draft.other[..len]);
    for number in 0..len {
        let months = (-f64::from(draft.other[number]) / ln_keep) as u32;
        let month = months.saturating_add(1);
        if month < (draft.term[number] as u32).min(draft.stay[number]) {
            draft.stay[number] = month;
            draft.extra[number].exits_early = true;
        }
    }
}
