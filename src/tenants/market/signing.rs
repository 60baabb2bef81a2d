//! From lists of companies to contracts.
//!
//! What is drawn for contract j of month m depends on (month, index) and on nothing else: it has the same size, lags and
//! stay whatever the probability of signing. Quantities are drawn one after the other for the whole list, so that
//! processors work on several contracts at once.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::compiled::CompiledSegment;
use super::contracts::NewContracts;
use super::draft::{ALL_DRAWN, Draft, NOBODY, Origin, Pair, Terms};
use super::quantiles::{Varying, minus_ln};
use super::state::MarketState;
use super::words::Pairs;
use super::{FOREVER, Market, UNITS_PER_KW};

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
        loop {
            let is_last = match self.origin {
                Origin::Outreach => self.list_months(&mut next),
                Origin::Negotiating => self.list_waiting(&mut next),
                // Listed by who asks for it.
                Origin::Existing | Origin::Named | Origin::Program => true,
            };
            self.pass();
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
    fn list_months(&mut self, next: &mut Next) -> bool {
        while next.month < self.months.len() {
            let month = self.months.start + next.month;
            let count = self.draft.counts.listed[next.month];
            let offset = self.draft.counts.offsets[next.month];
            let width = 1.0 / count as f32;
            while next.number < count {
                let time = |number: u32| month as f32 + (number as f32 + offset) * width;
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
        if self.origin != Origin::Existing {
            self.found_subsidiaries(segment);
        }
        self.set_stay(segment);
        self.note_signatures();
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
        for (months, &drawn) in draft.ramp[..len].iter_mut().zip(&draft.drawn_ramp[..len]) {
            *months = CompiledSegment::ramp_months(drawn);
        }
        if self.terms.is_ramped {
            draft.ramp[..len].fill(1);
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
        let establishing = &mut self.state.flow.establishing
            [self.market.months_of(self.position)..][..=self.market.months];
        for (&signed, &lag) in draft.signed[..len].iter().zip(&draft.other[..len]) {
            establishing[month_of(signed + lag, self.market.months)] += 1;
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
            // Conversions round towards 0.
            *stay =
                ((term as i32 + 1).saturating_add((beyond * months) as i32) as u32).min(FOREVER);
        }
    }

    /// Counts the signatures and what they are for, by month.
    #[inline(always)]
    fn note_signatures(&mut self) {
        let months = self.market.months;
        let first = self.market.months_of(self.position);
        let draft = &mut *self.draft;
        let len = draft.len;
        let flow = &mut self.state.flow;
        let signing = &mut flow.signing[first..][..=months];
        let units = &mut flow.signing_units[first..][..=months];
        let counts = u32::from(self.origin != Origin::Existing);
        let sizes = draft.step[..len].iter().zip(&draft.ramp[..len]);
        for (&signed, (&step, &ramp)) in draft.signed[..len].iter().zip(sizes) {
            let month = month_of(signed, months);
            signing[month] += counts;
            units[month] += step * i64::from(ramp);
        }
    }

    /// Pooled contracts begin their ramp when they want to move in, so that all that they change is known.
    #[inline(always)]
    fn enter_pooled(&mut self, segment: &CompiledSegment) {
        let months = self.market.months;
        let arrivals =
            &mut self.state.flow.arrivals[self.market.months_of(self.position)..][..=months];
        let slot = self.market.demand_slot(self.position);
        let endings = &mut self.state.capacity.endings[self.market.months_of(slot)..][..=months];
        let plain_ramp = segment.plain_ramp.map(|ramp| ramp as usize);
        let is_plain = plain_ramp.is_some() && !self.terms.is_ramped;
        let draft = &mut *self.draft;
        for number in 0..draft.len {
            let (step, ramp) = (draft.step[number], draft.ramp[number]);
            let month = month_of(draft.ready[number], months);
            let leaves = (month + draft.stay[number] as usize).min(months);
            let size = step * i64::from(ramp);
            let arrival = &mut arrivals[month];
            arrival.step += step;
            arrival.amount += size;
            arrival.number += 1;
            let ending = &mut endings[leaves];
            ending.leased += size;
            ending.departures += 1;
            if is_plain {
                continue;
            }
            let age = (leaves - month) as i64;
            ending.unused += step * (i64::from(ramp) - age).max(0);
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
        for number in 0..len {
            draft.month[number] = month_of(draft.ready[number], months) as u32;
            draft.gives_up[number] = (draft.ready[number] + draft.patience[number]) as u32;
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

/// The month in which a moment of 0 or more lies; beyond the horizon the number of months.
#[inline(always)]
fn month_of(moment: f32, months: usize) -> usize {
    // To 32 bits with a sign it is far cheaper than to 64.
    (moment as i32 as usize).min(months)
}

/// A number from 1 to 2^51 as the nearest whole one, as cheaply.
#[inline(always)]
fn rounded(number: f64) -> i64 {
    // There doubles are whole: adding it rounds.
    const WHOLE: f64 = (1_u64 << 52) as f64;
    ((number + WHOLE).to_bits() - WHOLE.to_bits()) as i64
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
