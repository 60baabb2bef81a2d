//! Very many small tenants, simulated by groups that move in and leave in the same months.
//!
//! With tenants that arrive, sign, move in and leave independently of one another, the numbers
//! that do so in the same months are binomial splits of those contacted: the same distribution as
//! tenant by tenant, but for two things. The time within the month of a signature is taken as
//! uniform where a move-in lag follows it; and the sizes are taken as gamma distributed with the
//! mean and the variance of the stated ones, so that the power of any group of n has the mean n mu
//! and the variance n sigma^2 (the sum of n gamma variables of one scale is gamma again). The cost
//! grows with the square of the months, not with the number of tenants.

use super::compiled::Supply;
use super::{FOREVER, Market, MarketState, refill, units};
use crate::sampling::streams::{Source, Stream};
use crate::tenants::Segment;
use crate::uncertain::{Domain, Sampler, UncertainError, normal_quantile};

/// Quantiles of each octave of a tail, and octaves, by which moments are integrated.
const POINTS: u32 = 256;
const OCTAVES: u32 = 44;

#[derive(Clone, Debug)]
pub(super) struct Cohort {
    source: Source,
    /// Probabilities of the months from contact to signature, from signature to moving in, from
    /// signature to the subsidiary, and of the months of the term.
    signature: Vec<f64>,
    moving_in: Vec<f64>,
    subsidiary: Vec<f64>,
    term: Vec<f64>,
    ramp: u32,
    /// Size of a contract in kW: its mean, and variance.
    mean_kw: f64,
    variance: f64,
}

/// The cohorts of a trial.
#[derive(Clone, Debug, Default)]
pub(super) struct CohortState {
    /// By segment, class (0 without a voucher, else 1 + the voucher) and month: how many move in.
    ready: Vec<u64>,
    /// Who signs this month: class and number.
    pub(super) signers: Vec<(usize, u64)>,
    /// By segment and month: how many leave beyond one of each group.
    leaving: Vec<u64>,
    /// Groups about to be formed: stay, number, kW.
    formed: Vec<(u32, u64, f64)>,
    /// How many groups have been formed.
    #[cfg(test)]
    pub(super) groups: usize,
}

impl Cohort {
    pub(super) fn compile(segment: &Segment, supply: &Supply<'_>) -> Result<Self, UncertainError> {
        let months = supply.months;
        let sampler = |quantity: &crate::Uncertain| quantity.sampler(Domain::NON_NEGATIVE);
        let (size, unit, whole) =
            match (&segment.contract_standard_racks, &segment.contract_power_kw) {
                (Some(racks), _) => (sampler(racks)?, supply.standard_rack_kw, true),
                (None, Some(power)) => (sampler(power)?, 1.0, false),
                (None, None) => (sampler(&crate::Uncertain::zero())?, 1.0, false),
            };
        let largest = segment.largest_contract_kw.unwrap_or(f64::INFINITY);
        let kw = |drawn: f64| {
            let amount = if whole { drawn.ceil().max(1.0) } else { drawn };
            (amount * unit).min(largest)
        };
        let mean_kw = expectation(&size, kw);
        let variance = expectation(&size, |drawn| (kw(drawn) - mean_kw) * (kw(drawn) - mean_kw));
        let ramp = segment.ramp_months.constant().unwrap_or(1.0);
        Ok(Self {
            source: Source::named(&format!("tenants/{}/cohorts", segment.name)),
            signature: months_passed(&sampler(&segment.sign_lag_months)?, months, true),
            moving_in: months_passed(&sampler(&segment.move_in_lag_months)?, months, true),
            subsidiary: months_passed(&sampler(&segment.subsidiary_lag_months)?, months, true),
            term: months_passed(&sampler(&segment.term_months)?, months, false),
            ramp: (ramp + 0.5).clamp(1.0, 1e6) as u32,
            mean_kw,
            variance,
        })
    }

    /// The power of `count` contracts together, in kW.
    fn power_kw(&self, count: u64, stream: &mut Stream) -> f64 {
        let mean = self.mean_kw * count as f64;
        if self.variance <= 0.0 || self.mean_kw <= 0.0 {
            return mean;
        }
        let shape = self.mean_kw * self.mean_kw / self.variance;
        gamma(stream, shape * count as f64) * self.variance / self.mean_kw
    }
}

/// The mean of a function of a quantity: the integral of f(quantile) over (0, 1), by the midpoint
/// rule in octaves towards both ends.
fn expectation(of: &Sampler, f: impl Fn(f64) -> f64) -> f64 {
    if let Some(value) = of.constant() {
        return f(value);
    }
    let mut sum = 0.0;
    let mut end = 0.5;
    for _ in 0..OCTAVES {
        let width = 0.5 * end / f64::from(POINTS);
        for point in 0..POINTS {
            let w = 0.5 * end + width * (f64::from(point) + 0.5);
            sum += width * (f(of.at(w)) + f(of.at(1.0 - w)));
        }
        end *= 0.5;
    }
    sum
}

/// The probabilities that this many month ends pass within a lag, 0, 1, …: from a uniform time of
/// the month, or of whole months alone. What lies beyond the horizon is left out.
fn months_passed(lag: &Sampler, months: usize, from_within: bool) -> Vec<f64> {
    let mut passed = vec![0.0; months];
    let mut add = |lag: f64, weight: f64| {
        let whole = lag.floor();
        let over = if from_within { lag - whole } else { 0.0 };
        for (month, weight) in [(whole, weight * (1.0 - over)), (whole + 1.0, weight * over)] {
            if month < months as f64 {
                passed[month as usize] += weight;
            }
        }
    };
    match lag.constant() {
        Some(lag) => add(lag, 1.0),
        None => {
            let points = OCTAVES * POINTS;
            for point in 0..points {
                let u = (f64::from(point) + 0.5) / f64::from(points);
                add(lag.at(u), 1.0 / f64::from(points));
            }
        }
    }
    while passed.last() == Some(&0.0) {
        passed.pop();
    }
    passed
}

/// A gamma variable of that shape (above 0) and scale 1: Marsaglia & Tsang, "A simple method for
/// generating gamma variables", ACM TOMS 26 (2000); below shape 1 by G(a) = G(a + 1) u^(1/a).
fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape < 1.0 {
        let boost = libm::pow(stream.uniform(), 1.0 / shape);
        return gamma(stream, shape + 1.0) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal_quantile(stream.uniform());
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        if libm::log(stream.uniform()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// Splits `count` by probabilities that sum to 1 or less, and calls `each` with the position and
/// the number of those that are not 0.
fn split(
    count: u64,
    probabilities: impl Iterator<Item = f64>,
    stream: &mut Stream,
    mut each: impl FnMut(usize, u64, &mut Stream),
) -> u64 {
    let (mut left, mut rest) = (count, 1.0);
    for (position, probability) in probabilities.enumerate() {
        if left == 0 {
            break;
        }
        let share = if rest > 0.0 {
            (probability / rest).min(1.0)
        } else {
            0.0
        };
        rest -= probability;
        // What remains of 1 after sums of rounded parts is no probability.
        let share = if share > 1.0 - 1e-9 { 1.0 } else { share };
        let number = stream.binomial(left, share);
        if number > 0 {
            left -= number;
            each(position, number, stream);
        }
    }
    left
}

impl Market {
    pub(super) fn reset_cohorts(&self, state: &mut MarketState) {
        let is_cohort = |extras: &super::extras::Extras| extras.cohort.is_some();
        if self
            .segments
            .iter()
            .any(|s| s.extras.as_deref().is_some_and(is_cohort))
        {
            let length = self.segments.len() * self.months;
            let classes = 1 + self.vouchers.len();
            refill(&mut state.cohorts.ready, length * classes, 0);
            refill(&mut state.cohorts.leaving, length, 0);
        }
    }

    fn cohort_of(&self, position: usize) -> Option<&Cohort> {
        let extras = self.segments[position].extras.as_ref()?;
        extras.cohort.as_ref()
    }

    /// Lets those contacted in a month sign, and those who want to move in form groups.
    pub(super) fn gather_cohort(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        contacted: u64,
    ) {
        let Some(cohort) = self.cohort_of(position) else {
            return;
        };
        let mut stream = (cohort.source).stream_at(state.seed, state.trial, month as u64);
        self.sign_cohort(
            state,
            position,
            month,
            contacted,
            cohort.mean_kw,
            &mut stream,
        );
        let mut declined = contacted;
        let signed_by_class = std::mem::take(&mut state.cohorts.signers);
        for &(class, signers) in &signed_by_class {
            declined -= signers;
            self.spread_signers(state, position, month, (class, signers), &mut stream);
        }
        state.cohorts.signers = signed_by_class;
        state.flow[self.months_of(position) + month].declining += declined as u32;
        let gone = state.cohorts.leaving[position * self.months + month];
        state.counts[position].in_service -= gone;
        state.counts[position].left += gone;
        for class in 0..=self.vouchers.len() {
            self.form_groups(state, position, month, class, &mut stream);
        }
    }

    /// Where the months of a class of a cohort begin among those that move in.
    fn cohort_class(&self, position: usize, class: usize) -> usize {
        (position * (1 + self.vouchers.len()) + class) * self.months
    }

    /// Spreads those of a class who were contacted in a month and sign over the months in which they do, in which they
    /// move in, and in which they found subsidiaries.
    fn spread_signers(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        (class, signers): (usize, u64),
        stream: &mut Stream,
    ) {
        let Some(cohort) = self.cohort_of(position) else {
            return;
        };
        let subsidiaries = state.segments[position].rates.subsidiary_probability;
        let flow = &mut state.flow[self.months_of(position)..][..self.months];
        let ready = &mut state.cohorts.ready[self.cohort_class(position, class)..][..self.months];
        let lags = cohort.signature.iter().copied();
        split(signers, lags, stream, |lag, number, stream| {
            let signed = month + lag;
            if signed >= flow.len() {
                return;
            }
            flow[signed].signing += number as u32;
            let founders = stream.binomial(number, subsidiaries);
            let lags = cohort.subsidiary.iter().copied();
            split(founders, lags, stream, |lag, number, _| {
                if let Some(month) = flow.get_mut(signed + lag) {
                    month.establishing += number as u32;
                }
            });
            let lags = cohort.moving_in.iter().copied();
            split(number, lags, stream, |lag, number, _| {
                if let Some(count) = ready.get_mut(signed + lag) {
                    *count += number;
                }
            });
        });
    }

    /// Divides those of a class that move in in a month by the months in which they leave.
    fn form_groups(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        class: usize,
        stream: &mut Stream,
    ) {
        let Some(cohort) = self.cohort_of(position) else {
            return;
        };
        let churn = -libm::expm1(state.segments[position].rates.ln_stay);
        let moving_in = state.cohorts.ready[self.cohort_class(position, class) + month];
        let size_factor = match class.checked_sub(1) {
            Some(voucher) => state.funnel.budgets[voucher].size_factor,
            None => 1.0,
        };
        // The first month of absence is that after the term, or a geometric number of months
        // later.
        let mut beyond = 0.0;
        let stays = (0..self.months - month).map(|stay| {
            beyond = beyond * (1.0 - churn) + cohort.term.get(stay).copied().unwrap_or(0.0);
            beyond * churn
        });
        let mut groups = std::mem::take(&mut state.cohorts.formed);
        groups.clear();
        let rest = split(moving_in, stays, stream, |stay, number, stream| {
            groups.push((stay as u32 + 1, number, cohort.power_kw(number, stream)));
        });
        if rest > 0 {
            groups.push((FOREVER, rest, cohort.power_kw(rest, stream)));
        }
        for &(stay, number, power_kw) in &groups {
            let group = (stay, number, power_kw * size_factor);
            self.form_group(state, position, month, group, cohort.ramp);
        }
        state.cohorts.formed = groups;
    }

    /// A group moves in together; it counts as one contract when it does and when it leaves.
    fn form_group(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        group: (u32, u64, f64),
        ramp: u32,
    ) {
        let (stay, number, power_kw) = group;
        let step = (units(power_kw) / i64::from(ramp)).max(1);
        let amount = step * i64::from(ramp);
        let leaves = (month + stay as usize).min(self.months);
        let arrival = &mut state.flow[self.months_of(position) + month].arrival;
        arrival.step += step;
        arrival.amount += amount;
        arrival.number += number;
        let endings = self.months_of(self.demand_slot(position));
        let endings = &mut state.capacity.endings[endings..][..=self.months];
        let ending = &mut endings[leaves];
        ending.leased += amount;
        ending.unused += step * i64::from(ramp.saturating_sub((leaves - month) as u32));
        ending.departures += 1;
        if self.segments[position].plain_ramp.is_none() {
            endings[(month + ramp as usize).min(leaves)].rate += step;
        }
        // It is wanted at once: what is pending is taken off when it is made ready.
        state.segments[position].pending += amount;
        if leaves < self.months {
            state.cohorts.leaving[position * self.months + leaves] += number - 1;
        }
        #[cfg(test)]
        {
            state.cohorts.groups += 1;
        }
    }
}

#[cfg(test)]
mod tests;
