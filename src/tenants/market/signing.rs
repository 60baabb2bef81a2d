//! From lists of companies to contracts.
//!
//! What is drawn for contract j of month m depends on (month, index) and on nothing else: it has the same size, lags and
//! stay whatever the probability of signing. Quantities are drawn one after the other for the whole list, so that
//! processors work on several contracts at once.

mod prompt;
mod whole;

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::compiled::CompiledSegment;
use super::contracts::NewContracts;
use super::draft::{ALL_DRAWN, Draft, NOBODY, Origin, Pair, TOGETHER, Terms};
use super::quantiles::{Varying, minus_ln};
use super::state::MarketState;
use super::words::Pairs;
use super::{FOREVER, Market, NEVER, UNITS_PER_KW};
use whole::{MOST, rounded, whole};

/// A list on its way through the months, in a form that is compiled for each generation of processors: the one at
/// hand is chosen when it runs. Every generation computes the same bits.
struct Signing<'a> {
    market: &'a Market,
    state: &'a mut MarketState,
    draft: &'a mut Draft,
    position: usize,
    origin: Origin,
    months: Range<usize>,
    terms: Terms,
}

impl WithSimd for Signing<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut next = Next::default();
        let prompt_ramp = self.prompt_ramp();
        loop {
            let is_last = match self.origin {
                Origin::Outreach if prompt_ramp.is_some() => self.list_months_promptly(&mut next),
                Origin::Outreach => self.list_months(&mut next),
                Origin::Negotiating => self.list_waiting(&mut next),
                // Listed by who asks for it.
                Origin::Existing | Origin::Named | Origin::Program => true,
            };
            match prompt_ramp {
                Some(ramp) => self.pass_promptly(ramp),
                None => self.pass(),
            }
            if is_last {
                break;
            }
        }
    }
}

/// The next company to be listed: its month, counted from the first, and its number in it.
#[derive(Default)]
struct Next {
    month: usize,
    number: u32,
}

impl Signing<'_> {
    /// Lists those who sign, or may, of all contacted in the months, which is evenly spread over each month. Whether
    /// these are the last.
    #[inline(always)]
    fn list_months(&mut self, next: &mut Next) -> bool {
        while next.month < self.months.len() {
            let month = self.months.start + next.month;
            let count = self.draft.counts.listed[next.month];
            let offset = self.draft.counts.offsets[next.month];
            let width = 1.0 / count as i32 as f32;
            // Rounding must not move the last of them into the next month.
            let last = ((month + 1) as f32).next_down();
            while next.number < count {
                // Through signed integers, which processors convert in one step.
                let time = |number: u32| {
                    let time = month as f32 + (number as i32 as f32 + offset) * width;
                    if time < last { time } else { last }
                };
                next.number += self.draft.list(month as u32, next.number..count, time);
                if self.draft.is_full() {
                    return false;
                }
            }
            (next.month, next.number) = (next.month + 1, 0);
        }
        true
    }

    /// Lists the companies that had not decided at the start. Whether these are the last.
    fn list_waiting(&mut self, next: &mut Next) -> bool {
        let count = self.market.segments[self.position].existing.negotiating;
        let plane = (self.origin as u32) << 16;
        next.number += self.draft.list(plane, next.number..count, |_| 0.0);
        next.number >= count
    }

    /// Draws for all of the list, lets them sign, and empties it.
    #[inline(always)]
    fn pass(&mut self) {
        if self.draft.len == 0 {
            return;
        }
        self.draft.pad();
        let segment = &self.market.segments[self.position];
        self.draw_lags(segment);
        self.draw_size(segment);
        self.draw_patience(segment);
        if self.decides() {
            let (position, is_listed) = (self.position, self.origin == Origin::Negotiating);
            (self.market).decide(self.state, self.draft, position, is_listed);
            let draft = &mut *self.draft;
            if draft.signed[..draft.len]
                .iter()
                .all(|&signed| signed >= NOBODY)
            {
                draft.len = 0;
                return;
            }
        } else if !self.terms.is_signed {
            let draft = &mut *self.draft;
            let len = draft.len;
            for (signed, lag) in draft.signed[..len].iter_mut().zip(&draft.sign_lag[..len]) {
                *signed += lag;
            }
        }
        self.draw_term(segment);
        self.measure(segment);
        self.set_times();
        if self.origin != Origin::Existing && self.state.wanted.subsidiaries {
            self.found_subsidiaries(segment);
        }
        self.set_stay(segment);
        self.note_signatures(segment);
        if self.market.keeps_extras {
            self.market
                .draw_terms(self.state, self.draft, self.position);
        }
        if segment.allocation.is_pooled() {
            self.enter_pooled(segment);
        } else {
            self.enter();
        }
        self.draft.len = 0;
    }

    /// Whether companies are listed that need not sign.
    fn decides(&self) -> bool {
        match self.origin {
            Origin::Outreach => self.market.decides_one_by_one(self.position),
            Origin::Negotiating => true,
            Origin::Existing | Origin::Named | Origin::Program => false,
        }
    }

    #[inline(always)]
    fn draw_lags(&mut self, segment: &CompiledSegment) {
        if segment.sign_lag.varies() || segment.move_in_lag.varies() {
            self.draw(Pair::Lags);
        }
        let draft = &mut *self.draft;
        let [first, second] = &draft.words;
        segment
            .sign_lag
            .fill(&first[..draft.len], &mut draft.sign_lag[..draft.len]);
        match self.terms.move_in_lag {
            Some(lag) => draft.ready[..draft.len].fill(lag),
            None => (segment.move_in_lag).fill(&second[..draft.len], &mut draft.ready[..draft.len]),
        }
    }

    #[inline(always)]
    fn draw_size(&mut self, segment: &CompiledSegment) {
        self.draw(Pair::SizeAndStay);
        let draft = &mut *self.draft;
        let [first, second] = &draft.words;
        segment
            .size
            .fill(&first[..draft.len], &mut draft.amount[..draft.len]);
        minus_ln(&second[..draft.len], &mut draft.beyond[..draft.len]);
    }

    #[inline(always)]
    fn draw_patience(&mut self, segment: &CompiledSegment) {
        let decides = self.decides();
        if decides || segment.patience.as_ref().is_some_and(Varying::varies) {
            self.draw(Pair::PatienceAndConsent);
        }
        let draft = &mut *self.draft;
        let [first, second] = &draft.words;
        match &segment.patience {
            Some(patience) => patience.fill(&first[..draft.len], &mut draft.patience[..draft.len]),
            None => draft.patience[..draft.len].fill(f32::INFINITY),
        }
        if decides {
            draft.consent[..draft.len].copy_from_slice(&second[..draft.len]);
        }
    }

    #[inline(always)]
    fn draw_term(&mut self, segment: &CompiledSegment) {
        if segment.term.varies() || segment.ramp.varies() {
            self.draw(Pair::TermAndRamp);
        }
        let draft = &mut *self.draft;
        let [first, second] = &draft.words;
        segment
            .term
            .fill(&first[..draft.len], &mut draft.term[..draft.len]);
        segment
            .ramp
            .fill(&second[..draft.len], &mut draft.drawn_ramp[..draft.len]);
    }

    /// Draws the two words of a pair for all of the list.
    #[inline(always)]
    fn draw(&mut self, pair: Pair) {
        self.market
            .draw_words(self.state, self.draft, self.position, pair);
    }

    /// Sizes, in units a month of the ramp: each is a whole number of them, and 1 at least.
    #[inline(always)]
    fn measure(&mut self, segment: &CompiledSegment) {
        let decides = self.decides();
        let draft = &mut *self.draft;
        let len = draft.len;
        let known_ramp = match self.terms.is_ramped {
            true => Some(1),
            false => {
                (segment.ramp.constant()).map(|ramp| CompiledSegment::ramp_months(ramp as f32))
            }
        };
        draft.common_ramp = known_ramp;
        match known_ramp {
            Some(ramp) => draft.ramp[..len].fill(ramp),
            None => {
                let drawn = draft.ramp[..len].iter_mut().zip(&draft.drawn_ramp[..len]);
                for (months, &drawn) in drawn {
                    *months = CompiledSegment::ramp_months(drawn);
                }
            }
        }
        if let Some(size) = self.terms.size {
            for (step, &ramp) in draft.step[..len].iter_mut().zip(&draft.ramp[..len]) {
                *step = (size / i64::from(ramp)).max(1);
            }
            return;
        }
        if segment.is_in_pflops() {
            let first = self.position * self.market.months;
            let last = self.market.months - 1;
            for (amount, &signed) in draft.amount[..len].iter_mut().zip(&draft.signed[..len]) {
                let month = (signed as usize).min(last);
                *amount *= self.state.kw_per_pflops[first + month] as f32;
            }
        }
        if decides {
            for (amount, factor) in draft.amount[..len].iter_mut().zip(&draft.factor[..len]) {
                *amount *= factor;
            }
        }
        let steps = draft.step[..len].iter_mut().zip(&draft.ramp[..len]);
        for ((step, &ramp), &amount) in steps.zip(&draft.amount[..len]) {
            let units = segment.contract_kw(amount) * UNITS_PER_KW / f64::from(ramp);
            *step = rounded(if units > 1.0 { units } else { 1.0 });
        }
    }

    /// When they want to move in.
    #[inline(always)]
    fn set_times(&mut self) {
        let draft = &mut *self.draft;
        let len = draft.len;
        match self.terms.ready {
            Some(ready) => draft.ready[..len].fill(ready),
            None => {
                for (ready, signed) in draft.ready[..len].iter_mut().zip(&draft.signed[..len]) {
                    *ready += signed;
                }
            }
        }
        // Nobody never does.
        for (ready, &signed) in draft.ready[..len].iter_mut().zip(&draft.signed[..len]) {
            *ready = if signed < NOBODY { *ready } else { NOBODY };
        }
        let months = self.market.months;
        months_of(&draft.signed[..len], months, &mut draft.signed_in);
        months_of(&draft.ready[..len], months, &mut draft.month);
    }

    /// Whether lists of the segment are in the order of signing; with known terms, or a lag that differs, they may not be.
    fn is_in_order(&self, segment: &CompiledSegment) -> bool {
        self.origin == Origin::Outreach && !self.decides() && !segment.sign_lag.varies()
    }

    /// Some of the companies that sign found a subsidiary some time later.
    #[inline(always)]
    fn found_subsidiaries(&mut self, segment: &CompiledSegment) {
        let probability = self.state.segments[self.position]
            .rates
            .subsidiary_probability;
        if probability <= 0.0 {
            return;
        }
        self.draw(Pair::Subsidiary);
        let draft = &mut *self.draft;
        let len = draft.len;
        let [first, second] = &draft.words;
        // Who founds one is a coin that no processor foresees: those who do not, do so beyond all horizons.
        segment
            .subsidiary_lag
            .fill(&second[..len], &mut draft.other[..len]);
        let below = (probability * 4_294_967_296.0) as u64;
        for (lag, &word) in draft.other[..len].iter_mut().zip(&first[..len]) {
            *lag = if u64::from(word) < below {
                *lag
            } else {
                NOBODY
            };
        }
        for (moment, &signed) in draft.other[..len].iter_mut().zip(&draft.signed[..len]) {
            *moment += signed;
        }
        let mut found_in = [0; TOGETHER];
        months_of(&draft.other[..len], self.market.months, &mut found_in);
        let first = self.market.months_of(self.position);
        let flow = &mut self.state.flow[first..][..=self.market.months];
        for &month in &found_in[..len] {
            flow[month as usize].establishing += 1;
        }
    }

    /// Months from moving in to the first month of absence: the term, then a geometric number of months with the churn
    /// as its probability. Its inversion is floor(ln u / ln(1 - churn)).
    #[inline(always)]
    fn set_stay(&mut self, _: &CompiledSegment) {
        let ln_stay = self.state.segments[self.position].rates.ln_stay;
        let draft = &mut *self.draft;
        let len = draft.len;
        if ln_stay == 0.0 {
            draft.stay[..len].fill(FOREVER);
            return;
        }
        let months = (-1.0 / ln_stay) as f32;
        let terms = draft.term[..len].iter().zip(&draft.beyond[..len]);
        for (stay, (&term, &beyond)) in draft.stay[..len].iter_mut().zip(terms) {
            *stay = whole(term) + 1 + whole(beyond * months);
        }
    }

    /// Counts the signatures and what they are for, by month.
    #[inline(always)]
    fn note_signatures(&mut self, segment: &CompiledSegment) {
        let is_in_order = self.is_in_order(segment);
        let months = self.market.months;
        let first = self.market.months_of(self.position);
        let draft = &mut *self.draft;
        let len = draft.len;
        let flow = &mut self.state.flow[first..][..=months];
        let counts = u32::from(self.origin != Origin::Existing);
        if is_in_order {
            each_run(&draft.signed_in[..len], |month, run| {
                flow[month].signing += counts * run.len() as u32;
                flow[month].signing_units += draft.size_of_all(run);
            });
            return;
        }
        for (&month, size) in draft.signed_in[..len].iter().zip(draft.sizes(0..len)) {
            flow[month as usize].signing += counts;
            flow[month as usize].signing_units += size;
        }
    }

    /// Pooled contracts begin their ramp when they want to move in, so that all that they change is known.
    #[inline(always)]
    fn enter_pooled(&mut self, segment: &CompiledSegment) {
        let is_in_order = self.is_in_order(segment);
        let months = self.market.months;
        let flow = &mut self.state.flow[self.market.months_of(self.position)..][..=months];
        let slot = self.market.demand_slot(self.position);
        let endings = &mut self.state.capacity.endings[self.market.months_of(slot)..][..=months];
        let plain_ramp = segment.plain_ramp.map(|ramp| ramp as usize);
        let is_plain = plain_ramp.is_some() && !self.terms.is_ramped;
        let draft = &mut *self.draft;
        let len = draft.len;
        let horizon = months as u32;
        let stays = draft.stay[..len].iter().zip(&draft.month[..len]);
        for (leaves, (&stay, &month)) in draft.leaves[..len].iter_mut().zip(stays) {
            *leaves = (month + stay).min(horizon);
        }
        let mut arrive = |month: usize, run: Range<usize>| {
            let arrival = &mut flow[month].arrival;
            arrival.number += run.len() as u64;
            arrival.step += draft.step[run.clone()].iter().sum::<i64>();
            arrival.amount += draft.size_of_all(run);
        };
        if is_in_order && !segment.move_in_lag.varies() {
            each_run(&draft.month[..len], arrive);
        } else {
            let each = draft.month[..len].iter().enumerate();
            each.for_each(|(number, &month)| arrive(month as usize, number..number + 1));
        }
        for (&leaves, size) in draft.leaves[..len].iter().zip(draft.sizes(0..len)) {
            let ending = &mut endings[leaves as usize];
            ending.leased += size;
            ending.departures += 1;
        }
        if is_plain {
            return;
        }
        for number in 0..len {
            let (step, ramp) = (draft.step[number], draft.ramp[number]);
            let month = draft.month[number] as usize;
            let leaves = draft.leaves[number] as usize;
            let age = (leaves - month) as i64;
            endings[leaves].unused += step * (i64::from(ramp) - age).max(0);
            endings[(month + ramp as usize).min(leaves)].rate += step;
            if let Some(plain) = plain_ramp {
                // Its ramp is not the one that is counted for all who arrive with it.
                endings[(month + plain).min(months)].rate -= step;
            }
        }
    }

    /// Contracts that wait for room are kept as they are.
    #[inline(always)]
    fn enter(&mut self) {
        let months = self.market.months;
        let draft = &mut *self.draft;
        let len = draft.len;
        let patient = draft.ready[..len].iter().zip(&draft.patience[..len]);
        for (gives_up, (&ready, &patience)) in draft.gives_up[..len].iter_mut().zip(patient) {
            let moment = ready + patience;
            *gives_up = if moment < MOST { whole(moment) } else { NEVER };
        }
        let contracts = &mut self.state.segments[self.position].contracts;
        contracts.append(NewContracts {
            step: &draft.step[..len],
            ramp: &draft.ramp[..len],
            ready: &draft.month[..len],
            stay: &draft.stay[..len],
            gives_up: &draft.gives_up[..len],
        });
        if self.market.keeps_extras {
            let is_known = |number: &usize| (draft.month[*number] as usize) < months;
            let extra = (0..len).filter(is_known).map(|number| draft.extra[number]);
            contracts.extra.extend(extra);
        }
    }
}

/// The months in which moments of 0 or more lie; beyond the horizon the number of months.
#[inline(always)]
fn months_of(moments: &[f32], months: usize, to: &mut [u32]) {
    for (month, &moment) in to.iter_mut().zip(moments) {
        *month = whole(moment).min(months as u32);
    }
}

/// Calls `each` with a month and the neighbours in the list that lie in it, from the first to the last.
#[inline(always)]
fn each_run(months: &[u32], mut each: impl FnMut(usize, Range<usize>)) {
    let mut from = 0;
    while from < months.len() {
        let month = months[from];
        let run = months[from..].iter().take_while(|&&other| other == month);
        let to = from + run.count();
        each(month as usize, from..to);
        from = to;
    }
}

impl Market {
    #[inline(always)]
    pub(super) fn draw_words(
        &self,
        state: &MarketState,
        draft: &mut Draft,
        position: usize,
        pair: Pair,
    ) {
        let len = draft.len;
        let [first, second] = &mut draft.words;
        let to = Pairs {
            first: &mut first[..len],
            second: &mut second[..len],
        };
        let calls = [&draft.positions[..len / 2], &draft.planes[..len / 2]];
        let key = &state.segments[position].contract_key;
        key.fill(state.trial, calls, (pair as u32) << 24, to);
    }

    /// Signs contracts that are there at the start.
    pub(super) fn add_existing(&self, state: &mut MarketState, position: usize) {
        let existing = &self.segments[position].existing;
        if existing.contract > 0 {
            let terms = Terms {
                ready: Some(0.0),
                size: Some(existing.contract),
                is_ramped: true,
                is_signed: true,
                ..ALL_DRAWN
            };
            self.sign_known(
                state,
                position,
                Origin::Existing,
                0..existing.signed,
                0.0,
                terms,
            );
        }
        if existing.negotiating > 0 {
            self.sign_list(state, position, Origin::Negotiating, 0..0, ALL_DRAWN);
        }
    }

    /// Lets contracts of which something is known sign at `signed` months.
    pub(super) fn sign_known(
        &self,
        state: &mut MarketState,
        position: usize,
        origin: Origin,
        numbers: Range<u32>,
        signed: f32,
        terms: Terms,
    ) {
        let plane = (origin as u32) << 16;
        let mut from = numbers.start;
        while from < numbers.end {
            // The words of two neighbours are drawn together: a list begins with the first of them.
            let even = from & !1;
            let time = |number: u32| if number < from { NOBODY } else { signed };
            let draft = state.draft.get_or_insert_default();
            from = even + draft.list(plane, even..numbers.end, time);
            self.sign_list(state, position, origin, 0..0, terms);
        }
    }

    pub(super) fn sign_list(
        &self,
        state: &mut MarketState,
        position: usize,
        origin: Origin,
        months: Range<usize>,
        terms: Terms,
    ) {
        let mut draft = state.draft.take().unwrap_or_default();
        self.arch.dispatch(Signing {
            market: self,
            state,
            draft: &mut draft,
            position,
            origin,
            months,
            terms,
        });
        state.draft = Some(draft);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_a_list() {
        let mut found = Vec::new();
        each_run(&[3, 3, 0, 7, 7, 7], |month, run| found.push((month, run)));
        assert_eq!(found, [(3, 0..2), (0, 2..3), (7, 3..6)]);
        each_run(&[], |_, _| unreachable!());
    }
}
