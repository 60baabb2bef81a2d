//! From outreach to signature: curves, campaigns, seasons, regimes, stages and vouchers.

use super::extras::Extras;
use super::{Drawer, Market, MarketState, Source, Supply, Varying, kw, refill, units};
use crate::date::Date;
use crate::projection::{Metric, TrialRow};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::sampling::streams::Stream;
use crate::tenants::outreach::{ABOVE_ZERO, MEAN_MONTHS};
use crate::tenants::{Regime, Segment, Stage, Voucher, bass_share, logistic_share};
use crate::uncertain::{Domain, Uncertain, UncertainError};

/// The stage of a company that has only been contacted.
pub(crate) const CONTACTED: &str = "contacted";

/// The metric of companies at a stage.
pub(crate) fn stage_metric(stage: &str) -> String {
    format!("companies at stage {stage}")
}

/// The metric of what a voucher has granted.
pub(crate) fn voucher_metric(voucher: &str) -> String {
    format!("granted by {voucher}")
}

/// How outreach departs from a plain trend.
#[derive(Clone, Debug)]
pub(super) struct Outreach {
    curve: Option<Curve>,
    campaigns: Vec<CompiledCampaign>,
    /// From the calendar month of the scenario's start on.
    seasons: Option<[f64; 12]>,
    pub(super) scarcity: Option<(f64, Quantity)>,
}

#[derive(Clone, Debug)]
struct Curve {
    companies: Quantity,
    starts: f64,
    kind: CurveKind,
}

#[derive(Clone, Copy, Debug)]
enum CurveKind {
    Bass {
        innovation: Quantity,
        imitation: Quantity,
    },
    Logistic {
        midpoint: Quantity,
        rise: Quantity,
    },
}

#[derive(Clone, Debug)]
struct CompiledCampaign {
    first: f64,
    end: f64,
    outreach: Quantity,
    sign: Quantity,
    extra: Quantity,
}

#[derive(Clone, Debug)]
pub(super) struct CompiledStage {
    /// Its position among the stages of all segments.
    place: usize,
    probability: Quantity,
    source: Source,
    lag: Varying,
    deposit: Quantity,
    forfeited_share: Quantity,
}

#[derive(Clone, Debug)]
pub(super) struct CompiledRegime {
    source: Source,
    /// By segment.
    touches: Vec<bool>,
    states: Vec<CompiledRegimeState>,
}

#[derive(Clone, Debug)]
struct CompiledRegimeState {
    mean_months: Option<Quantity>,
    then: Vec<usize>,
    outreach: Quantity,
    sign: Quantity,
    price: Quantity,
}

#[derive(Clone, Debug)]
pub(super) struct CompiledVoucher {
    /// By segment.
    touches: Vec<bool>,
    budget: Quantity,
    amount_per_kw: Quantity,
    sign: Quantity,
    size: Quantity,
    first: usize,
    years: usize,
    is_carried_over: bool,
    name: String,
    pub(super) is_paid_by_operator: bool,
}

/// A regime in a trial.
#[derive(Clone, Debug, Default)]
pub(super) struct RegimeMood {
    state: usize,
    /// By state: the probability of ending in a month, and the factors of outreach, signing and prices.
    factors: Vec<[f64; 4]>,
}

/// A voucher in a trial.
#[derive(Clone, Debug, Default)]
pub(super) struct VoucherPurse {
    left: f64,
    budget: f64,
    amount_per_kw: f64,
    pub(super) sign_factor: f64,
    pub(super) size_factor: f64,
    granted: f64,
    /// By campus and month.
    pub(super) grants: Vec<f64>,
}

/// The plans of a trial for a segment and its stages.
#[derive(Clone, Debug, Default)]
pub(super) struct FunnelLuck {
    /// By segment and month: the outreach that is planned, and the factor of signing.
    planned: Vec<(f64, f64)>,
    /// By segment: by what scarcity multiplies the probability of signing, and that where nothing is free.
    pub(super) scarcity: Vec<(f64, f64)>,
    /// By segment and stage.
    stages: Vec<Vec<StageLuck>>,
    /// By campus and month; empty without deposits.
    pub(super) deposits: Vec<DepositMonth>,
}

/// A stage in a trial.
#[derive(Clone, Debug)]
struct StageLuck {
    probability: f64,
    reached: Stream,
    lag: Drawer,
    deposit: f64,
    forfeited_share: f64,
}

/// Deposits of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct DepositMonth {
    pub(crate) taken: f64,
    /// No longer held: paid back, credited or forfeited.
    pub(crate) released: f64,
    /// Of that, forfeited.
    pub(crate) forfeited: f64,
}

impl Outreach {
    pub(super) fn compile(
        segment: &Segment,
        supply: &Supply<'_>,
        inputs: &mut Inputs,
    ) -> Result<Option<Self>, UncertainError> {
        let name = &segment.name;
        let mut add = |what: &str, quantity: &Uncertain, domain| {
            inputs.add(format!("tenants/{name}/{what}"), quantity, domain)
        };
        let curve = match &segment.outreach_curve {
            Some(curve) => {
                let parts = (
                    &curve.innovation_per_year,
                    &curve.imitation_per_year,
                    &curve.midpoint_months,
                    &curve.rise_months,
                );
                let kind = match parts {
                    (Some(innovation), Some(imitation), ..) => CurveKind::Bass {
                        innovation: add("innovation", innovation, ABOVE_ZERO)?,
                        imitation: add("imitation", imitation, Domain::NON_NEGATIVE)?,
                    },
                    (_, _, Some(midpoint), Some(rise)) => CurveKind::Logistic {
                        midpoint: add("midpoint", midpoint, Domain::NON_NEGATIVE)?,
                        rise: add("rise", rise, ABOVE_ZERO)?,
                    },
                    // Refused by the check of the curve.
                    _ => CurveKind::Logistic {
                        midpoint: Quantity::Fixed(0.0),
                        rise: Quantity::Fixed(1.0),
                    },
                };
                Some(Curve {
                    companies: add("companies", &curve.companies, Domain::NON_NEGATIVE)?,
                    starts: curve
                        .starts
                        .map_or(0.0, |date| date.months_after(supply.start)),
                    kind,
                })
            }
            None => None,
        };
        let campaigns = (segment.campaigns.iter())
            .map(|campaign| {
                let first = campaign.starts.months_after(supply.start).floor();
                let mut add = |what: &str, quantity: &Uncertain| {
                    let what = format!("campaign {}/{what}", campaign.name);
                    add(&what, quantity, Domain::NON_NEGATIVE)
                };
                Ok(CompiledCampaign {
                    first,
                    end: first + f64::from(campaign.duration_months),
                    outreach: add("outreach factor", &campaign.outreach_factor)?,
                    sign: add("sign factor", &campaign.sign_factor)?,
                    extra: add("extra", &campaign.extra_per_month)?,
                })
            })
            .collect::<Result<Vec<_>, UncertainError>>()?;
        let scarcity = match &segment.scarcity {
            Some(scarcity) => Some((
                scarcity.ample_kw,
                add("scarcity", &scarcity.factor, Domain::SHARE)?,
            )),
            None => None,
        };
        let first = usize::try_from(supply.start.month_of_year() - 1).unwrap_or(0);
        let seasons = (segment.seasonality.len() == 12)
            .then(|| std::array::from_fn(|month| segment.seasonality[(first + month) % 12]));
        let outreach = Self {
            curve,
            campaigns,
            seasons,
            scarcity,
        };
        let is_needed = outreach.curve.is_some()
            || !outreach.campaigns.is_empty()
            || outreach.seasons.is_some()
            || outreach.scarcity.is_some();
        Ok(is_needed.then_some(outreach))
    }

    /// Companies to be contacted in a month, and the factor of signing, before regimes.
    fn plan(&self, month: usize, trend: f64, drawn: &[f64]) -> (f64, f64) {
        let at = month as f64;
        let mut mean = match &self.curve {
            Some(curve) => curve.between(at, at + 1.0, drawn),
            None => trend,
        };
        if let Some(seasons) = &self.seasons {
            mean *= seasons[month % 12];
        }
        let mut sign = 1.0;
        let on = |campaign: &&CompiledCampaign| campaign.first <= at && at < campaign.end;
        for campaign in self.campaigns.iter().filter(on) {
            mean *= campaign.outreach.value(drawn);
            sign *= campaign.sign.value(drawn);
        }
        for campaign in self.campaigns.iter().filter(on) {
            mean += campaign.extra.value(drawn);
        }
        (mean, sign)
    }
}

impl Curve {
    /// How many companies adopt between two times, in months after the start.
    fn between(&self, from: f64, to: f64, drawn: &[f64]) -> f64 {
        let share = |months: f64| {
            let since = months - self.starts;
            match self.kind {
                CurveKind::Bass {
                    innovation,
                    imitation,
                } => bass_share(
                    innovation.value(drawn),
                    imitation.value(drawn),
                    since / 12.0,
                ),
                CurveKind::Logistic { midpoint, rise } => {
                    logistic_share(midpoint.value(drawn), rise.value(drawn), since)
                }
            }
        };
        self.companies.value(drawn) * (share(to) - share(from)).max(0.0)
    }
}

impl CompiledStage {
    fn has_deposit(&self) -> bool {
        self.deposit != Quantity::Fixed(0.0)
    }

    pub(super) fn compile(
        segment: &str,
        stage: &Stage,
        known: &mut Vec<String>,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        if known.is_empty() {
            known.push(CONTACTED.to_owned());
        }
        let place = match known.iter().position(|name| *name == stage.name) {
            Some(place) => place,
            None => {
                known.push(stage.name.clone());
                known.len() - 1
            }
        };
        let name = format!("tenants/{segment}/stage {}", stage.name);
        let (mut deposit, mut forfeited_share) = (Quantity::Fixed(0.0), Quantity::Fixed(0.0));
        if let Some(stated) = &stage.deposit {
            let input = format!("{name}/deposit");
            deposit = inputs.add(input, &stated.amount, Domain::NON_NEGATIVE)?;
            let input = format!("{name}/forfeited share");
            forfeited_share = inputs.add(input, &stated.forfeited_share, Domain::SHARE)?;
        }
        Ok(Self {
            deposit,
            forfeited_share,
            place,
            source: Source::named(&format!("{name}/reached")),
            lag: Varying::new(
                segment,
                &format!("stage {}/lag", stage.name),
                &stage.lag_months,
                Domain::NON_NEGATIVE,
            )?,
            probability: inputs.add(name, &stage.reach_probability, Domain::SHARE)?,
        })
    }
}

fn touched(wanted: &[String], names: &[&str]) -> Vec<bool> {
    names
        .iter()
        .map(|name| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
        .collect()
}

pub(super) fn compile_regimes(
    regimes: &[Regime],
    segments: &[&str],
    inputs: &mut Inputs,
) -> Result<Vec<CompiledRegime>, UncertainError> {
    let mut compiled = Vec::with_capacity(regimes.len());
    for regime in regimes {
        let mut states = Vec::with_capacity(regime.states.len());
        for (position, state) in regime.states.iter().enumerate() {
            let mut add = |what: &str, quantity: &Uncertain, domain| {
                let name = format!("regimes/{}/{}/{what}", regime.name, state.name);
                inputs.add(name, quantity, domain)
            };
            let then = (0..regime.states.len())
                .filter(|&next| match state.then.is_empty() {
                    true => next != position,
                    false => state.then.contains(&regime.states[next].name),
                })
                .collect();
            states.push(CompiledRegimeState {
                mean_months: match &state.mean_months {
                    Some(mean) => Some(add("mean months", mean, MEAN_MONTHS)?),
                    None => None,
                },
                then,
                outreach: add(
                    "outreach factor",
                    &state.outreach_factor,
                    Domain::NON_NEGATIVE,
                )?,
                sign: add("sign factor", &state.sign_factor, Domain::NON_NEGATIVE)?,
                price: add("price factor", &state.price_factor, Domain::NON_NEGATIVE)?,
            });
        }
        compiled.push(CompiledRegime {
            source: Source::named(&format!("regimes/{}", regime.name)),
            touches: touched(&regime.segments, segments),
            states,
        });
    }
    Ok(compiled)
}

pub(super) fn compile_vouchers(
    vouchers: &[Voucher],
    segments: &[&str],
    start: Date,
    inputs: &mut Inputs,
) -> Result<Vec<CompiledVoucher>, UncertainError> {
    vouchers
        .iter()
        .map(|voucher| {
            let mut add = |what: &str, quantity: &Uncertain| {
                let name = format!("vouchers/{}/{what}", voucher.name);
                inputs.add(name, quantity, Domain::NON_NEGATIVE)
            };
            let first = voucher.starts.map_or(0.0, |date| date.months_after(start));
            Ok(CompiledVoucher {
                touches: touched(&voucher.segments, segments),
                budget: add("budget", &voucher.budget_per_year)?,
                amount_per_kw: add("amount per kW", &voucher.amount_per_kw)?,
                sign: add("sign factor", &voucher.sign_factor)?,
                size: add("size factor", &voucher.size_factor)?,
                first: first.max(0.0) as usize,
                years: voucher.years.map_or(usize::MAX, |years| years as usize),
                is_carried_over: voucher.is_carried_over,
                name: voucher.name.clone(),
                is_paid_by_operator: voucher.is_paid_by_operator,
            })
        })
        .collect()
}

impl Market {
    fn campuses(&self) -> usize {
        self.pools.checked_div(self.pools_per_campus).unwrap_or(0)
    }

    pub(super) fn reset_funnel(
        &self,
        state: &mut MarketState,
        seed: u64,
        trial: u64,
        drawn: &[f64],
    ) {
        let (segments, months) = (self.segments.len(), self.months);
        let outreach_of = |extras: &Extras| extras.outreach.is_some();
        let has = |what: fn(&Extras) -> bool| {
            self.segments
                .iter()
                .any(|s| s.extras.as_deref().is_some_and(what))
        };
        state.funnel.scarcity.clear();
        if has(outreach_of) {
            refill(&mut state.funnel.planned, segments * months, (0.0, 1.0));
            refill(&mut state.funnel.scarcity, segments, (1.0, 1.0));
            for (position, segment) in self.segments.iter().enumerate() {
                let outreach =
                    (segment.extras.as_ref()).and_then(|extras| extras.outreach.as_ref());
                let Some(outreach) = outreach else {
                    continue;
                };
                let growth = libm::pow(1.0 + segment.outreach_growth.value(drawn), 1.0 / 12.0);
                let mut trend = segment.outreach.value(drawn);
                for month in 0..months {
                    state.funnel.planned[position * months + month] =
                        outreach.plan(month, trend, drawn);
                    trend *= growth;
                }
                if let Some((_, factor)) = &outreach.scarcity {
                    state.funnel.scarcity[position] = (1.0, factor.value(drawn));
                }
            }
        }
        if !self.stages.is_empty() {
            let changes = self.campuses() * self.stages.len() * months;
            refill(&mut state.stage_changes, changes, 0);
            refill(&mut state.at_stage, self.campuses() * self.stages.len(), 0);
            state.funnel.stages.resize_with(segments, Vec::new);
            for (segment, luck) in self.segments.iter().zip(&mut state.funnel.stages) {
                let stages = segment.extras.iter().flat_map(|extras| &extras.stages);
                luck.clear();
                luck.extend(stages.map(|stage| StageLuck {
                    probability: stage.probability.value(drawn),
                    reached: stage.source.stream(seed, trial),
                    lag: Drawer::open(&stage.lag, seed, trial),
                    deposit: stage.deposit.value(drawn),
                    forfeited_share: stage.forfeited_share.value(drawn),
                }));
            }
            state.funnel.deposits.clear();
            if has(|extras| extras.stages.iter().any(CompiledStage::has_deposit)) {
                let length = self.campuses() * months;
                refill(&mut state.funnel.deposits, length, DepositMonth::default());
            }
        }
        state
            .moods
            .resize_with(self.regimes.len(), RegimeMood::default);
        for (regime, mood) in self.regimes.iter().zip(&mut state.moods) {
            mood.state = 0;
            mood.factors.clear();
            mood.factors.extend(regime.states.iter().map(|one| {
                let ends = one.mean_months.map_or(0.0, |mean| 1.0 / mean.value(drawn));
                [
                    ends,
                    one.outreach.value(drawn),
                    one.sign.value(drawn),
                    one.price.value(drawn),
                ]
            }));
        }
        if !self.regimes.is_empty() {
            refill(&mut state.price_factors, segments * months, 1.0);
        }
        state
            .purses
            .resize_with(self.vouchers.len(), VoucherPurse::default);
        for (voucher, purse) in self.vouchers.iter().zip(&mut state.purses) {
            purse.budget = voucher.budget.value(drawn);
            purse.amount_per_kw = voucher.amount_per_kw.value(drawn);
            purse.sign_factor = voucher.sign.value(drawn);
            purse.size_factor = voucher.size.value(drawn);
            purse.left = 0.0;
            purse.granted = 0.0;
            refill(&mut purse.grants, self.campuses() * months, 0.0);
        }
    }

    /// What comes before outreach: regimes may switch, and vouchers get their budget.
    pub(super) fn turn_month(&self, state: &mut MarketState, seed: u64, trial: u64, month: usize) {
        for (regime, mood) in self.regimes.iter().zip(&mut state.moods) {
            let ends = mood.factors[mood.state][0];
            let luck = regime.source.uniform_at(seed, trial, month as u64);
            let then = &regime.states[mood.state].then;
            if month > 0 && luck < ends && !then.is_empty() {
                // Given that it is below `ends`, luck / ends is uniform again.
                let choice = (luck / ends * then.len() as f64) as usize;
                mood.state = then[choice.min(then.len() - 1)];
            }
        }
        for (voucher, purse) in self.vouchers.iter().zip(&mut state.purses) {
            match Self::year_since(month, voucher.first) {
                Some((year, _)) if year >= voucher.years => purse.left = 0.0,
                Some((_, true)) if voucher.is_carried_over => purse.left += purse.budget,
                Some((_, true)) => purse.left = purse.budget,
                _ => {}
            }
        }
    }

    /// Companies of a segment to be contacted in a month, where that is not a plain trend.
    pub(super) fn wanted_outreach(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        trend: f64,
    ) -> f64 {
        let at = position * self.months + month;
        let outreach =
            (self.segments[position].extras.as_ref()).and_then(|extras| extras.outreach.as_ref());
        let (mut mean, mut sign) = match outreach {
            Some(_) => {
                let (mean, sign) = state.funnel.planned[at];
                (mean, sign * state.funnel.scarcity[position].0)
            }
            None => (trend, 1.0),
        };
        for (regime, mood) in self.regimes.iter().zip(&state.moods) {
            if regime.touches[position] {
                let [_, outreach, signing, price] = mood.factors[mood.state];
                mean *= outreach;
                sign *= signing;
                state.price_factors[at] *= price;
            }
        }
        state.rates[position].sign_factor = sign;
        mean
    }

    /// Notes how much is free for segments that care, for the month to come.
    pub(super) fn note_offer(&self, state: &mut MarketState, room_kw: &[f64]) {
        for (position, segment) in self.segments.iter().enumerate() {
            let outreach = (segment.extras.as_ref()).and_then(|extras| extras.outreach.as_ref());
            let Some((ample_kw, _)) = outreach.and_then(|outreach| outreach.scarcity) else {
                continue;
            };
            let free: i64 = (segment.pools.iter())
                .map(|&pool| (units(room_kw[pool]) - state.leased[pool]).max(0))
                .sum();
            let (factor, least) = &mut state.funnel.scarcity[position];
            *factor = *least + (1.0 - *least) * (kw(free) / ample_kw).min(1.0);
        }
    }

    fn move_stage(
        &self,
        state: &mut MarketState,
        position: usize,
        stage: usize,
        months: f64,
        by: i32,
    ) {
        if months < self.months as f64 {
            let campus = self.segments[position].home;
            let place = campus * self.stages.len() + stage;
            state.stage_changes[place * self.months + months.max(0.0) as usize] += by;
        }
    }

    /// Takes a company through the stages: when it came to the last of them, if it did.
    pub(super) fn pass_stages(
        &self,
        state: &mut MarketState,
        position: usize,
        contact: f64,
        lag_share: f64,
    ) -> Option<f64> {
        let stages = self.segments[position]
            .extras
            .iter()
            .flat_map(|extras| &extras.stages);
        let mut now = contact;
        let mut at = 0;
        let mut is_in = true;
        self.move_stage(state, position, at, now, 1);
        // All stages are drawn for every company, so that the next one's luck stays its own.
        for (number, stage) in stages.enumerate() {
            let luck = &mut state.funnel.stages[position][number];
            let reached = luck.reached.uniform() < luck.probability;
            let lag = lag_share * luck.lag.next(&stage.lag);
            if !is_in {
                continue;
            }
            now += lag;
            self.move_stage(state, position, at, now, -1);
            if reached {
                at = stage.place;
                self.move_stage(state, position, at, now, 1);
                self.take_deposit(state, position, number, now);
            } else {
                is_in = false;
                self.release_deposits(state, position, number, now, true);
                self.note_decline(state, position, now);
            }
        }
        is_in.then_some(now)
    }

    fn deposits_of<'a>(
        &self,
        state: &'a mut MarketState,
        position: usize,
        months: f64,
    ) -> Option<&'a mut DepositMonth> {
        if months >= self.months as f64 {
            return None;
        }
        let first = self.segments[position].home * self.months;
        let month = months.max(0.0) as usize;
        state.funnel.deposits.get_mut(first + month)
    }

    fn take_deposit(&self, state: &mut MarketState, position: usize, stage: usize, months: f64) {
        let amount = state.funnel.stages[position][stage].deposit;
        if let Some(of_month) = self.deposits_of(state, position, months) {
            of_month.taken += amount;
        }
    }

    /// A company that has come through so many stages signs, or decides against it.
    fn release_deposits(
        &self,
        state: &mut MarketState,
        position: usize,
        stages: usize,
        months: f64,
        declines: bool,
    ) {
        if state.funnel.deposits.is_empty() {
            return;
        }
        let passed = &state.funnel.stages[position][..stages];
        let held: f64 = passed.iter().map(|stage| stage.deposit).sum();
        let forfeited: f64 = passed
            .iter()
            .map(|stage| stage.deposit * stage.forfeited_share)
            .sum();
        if let Some(of_month) = self.deposits_of(state, position, months) {
            of_month.released += held;
            if declines {
                of_month.forfeited += forfeited;
            }
        }
    }

    /// Counts a company that has decided against signing from that month on.
    pub(super) fn note_decline(&self, state: &mut MarketState, position: usize, months: f64) {
        if months < self.months as f64 {
            state.declining[position * self.months + months.max(0.0) as usize] += 1;
        }
    }

    fn last_stage(&self, position: usize) -> Option<usize> {
        let extras = self.segments[position].extras.as_ref()?;
        Some(extras.stages.last()?.place)
    }

    /// A company at the last stage, since `passed` months, decides against signing.
    pub(super) fn leave_funnel(
        &self,
        state: &mut MarketState,
        position: usize,
        passed: f64,
        lag_share: f64,
    ) {
        let mut decided = passed;
        if let Some(stage) = self.last_stage(position) {
            let lag = state.luck[position]
                .sign_lag
                .next(&self.segments[position].sign_lag);
            decided += lag_share * lag;
            self.move_stage(state, position, stage, decided, -1);
            let stages = state.funnel.stages[position].len();
            self.release_deposits(state, position, stages, decided, true);
        }
        self.note_decline(state, position, decided);
    }

    /// A company at the last stage signs.
    pub(super) fn note_signature(&self, state: &mut MarketState, position: usize, signed: f64) {
        if let Some(stage) = self.last_stage(position) {
            self.move_stage(state, position, stage, signed, -1);
            let stages = state.funnel.stages[position].len();
            self.release_deposits(state, position, stages, signed, false);
        }
    }

    /// The first voucher with budget left for a segment.
    pub(super) fn voucher_for(&self, state: &MarketState, position: usize) -> Option<usize> {
        (self.vouchers.iter().zip(&state.purses))
            .position(|(voucher, purse)| voucher.touches[position] && purse.left > 0.0)
    }

    /// Grants a voucher for a contract of that size, as far as its budget goes.
    pub(super) fn grant(
        &self,
        state: &mut MarketState,
        voucher: usize,
        position: usize,
        contact: f64,
        size: i64,
    ) {
        let purse = &mut state.purses[voucher];
        let amount = (kw(size) * purse.amount_per_kw).min(purse.left);
        purse.left -= amount;
        purse.granted += amount;
        let month = (contact as usize).min(self.months - 1);
        purse.grants[self.segments[position].home * self.months + month] += amount;
    }

    /// Of so many companies of a cohort contacted in a month, those who sign with each voucher and
    /// without one, into `cohorts.signers`: the class (0 without, else 1 + the voucher) and the number.
    ///
    /// A voucher serves companies in the order of their contact until its budget is spent, with
    /// grants of the mean size. If all n would be served S of them sign; where the budget is spent
    /// at the m-th signature it is taken to come at the mean place of the m-th of S among n,
    /// m (n + 1)/(S + 1), and those behind it go without this voucher.
    pub(super) fn sign_cohort(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        contacted: u64,
        mean_kw: f64,
        stream: &mut Stream,
    ) {
        let rates = &state.rates[position];
        let plain = rates.sign_probability * rates.sign_factor;
        let mut left = contacted;
        state.cohorts.signers.clear();
        while left > 0
            && let Some(voucher) = self.voucher_for(state, position)
        {
            let purse = &state.purses[voucher];
            let grant = mean_kw * purse.size_factor * purse.amount_per_kw;
            let signers = stream.binomial(left, (plain * purse.sign_factor).min(1.0));
            let payable = (purse.left / grant).ceil();
            let (served, signed) = if signers as f64 <= payable {
                (left, signers)
            } else {
                let place = payable * (left + 1) as f64 / (signers + 1) as f64;
                ((place + 0.5) as u64, payable as u64)
            };
            let budget = purse.left;
            let amount = (signed as f64 * grant).min(budget);
            // What is left of a budget that does not pay for one more is paid for the last.
            let rest = if served < left { 0.0 } else { budget - amount };
            let purse = &mut state.purses[voucher];
            purse.left = rest;
            purse.granted += amount;
            purse.grants[self.segments[position].home * self.months + month] += amount;
            state.cohorts.signers.push((1 + voucher, signed));
            if served >= left {
                return;
            }
            left -= served;
        }
        let signers = stream.binomial(left, plain.min(1.0));
        state.cohorts.signers.push((0, signers));
    }

    /// Adds what it reports beyond the metrics of every scenario to a layout.
    pub(crate) fn extend_layout(&mut self, currency: &str, metrics: &mut Vec<Metric>) {
        self.first_metric = metrics.len();
        metrics.extend(self.stages.iter().map(|stage| Metric {
            name: stage_metric(stage),
            unit: "companies".to_owned(),
            meaning: format!(
                "Companies at the stage \"{stage}\" that have not decided about the next"
            ),
        }));
        metrics.extend(self.vouchers.iter().map(|voucher| Metric {
            name: voucher_metric(&voucher.name),
            unit: currency.to_owned(),
            meaning: format!(
                "Granted by the vouchers \"{}\" since the start",
                voucher.name
            ),
        }));
    }

    /// Writes what it reports beyond the metrics of every scenario.
    pub(crate) fn report(&self, state: &mut MarketState, month: usize, row: &mut TrialRow) {
        let campuses = self.campuses();
        let mut add = |campus: usize, metric: usize, value: f64| {
            row.monthly_mut(0, self.first_metric + metric)[month] += value;
            if campuses > 1 {
                row.monthly_mut(campus + 1, self.first_metric + metric)[month] += value;
            }
        };
        for campus in 0..campuses {
            for stage in 0..self.stages.len() {
                let place = campus * self.stages.len() + stage;
                let change = state.stage_changes[place * self.months + month];
                state.at_stage[place] += i64::from(change);
                add(campus, stage, state.at_stage[place] as f64);
            }
            for (voucher, purse) in state.purses.iter().enumerate() {
                let grants = &purse.grants[campus * self.months..][..=month];
                add(campus, self.stages.len() + voucher, grants.iter().sum());
            }
        }
    }

    /// Whether it reports anything beyond the metrics of every scenario.
    pub(crate) fn reports_more(&self) -> bool {
        !self.stages.is_empty() || !self.vouchers.is_empty()
    }
}
