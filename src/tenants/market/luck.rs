//! What is drawn for each contract, and the streams from which it comes.

use super::compiled::CompiledSegment;
use super::state::Rates;
use crate::monte_carlo::streams::{Source, Stream};
use crate::uncertain::{Domain, Sampler, Uncertain, UncertainError};

/// The luck of so many contracts at most is drawn together, ahead of their signatures: a list for each quantity, so
/// that the state of its stream stays at hand.
pub(super) const AHEAD: usize = 64;
/// Few are drawn at first, for a segment may have few.
const FIRST: usize = 4;

/// A quantity that is drawn for each contract.
#[derive(Clone, Debug)]
pub(super) struct Varying {
    pub(super) sampler: Sampler,
    pub(super) source: Source,
}

impl Varying {
    pub(super) fn new(
        segment: &str,
        what: &str,
        quantity: &Uncertain,
        domain: Domain,
    ) -> Result<Self, UncertainError> {
        Ok(Self {
            sampler: quantity.sampler(domain)?,
            source: Source::named(&format!("tenants/{segment}/{what}")),
        })
    }
}

/// The luck of a segment in a trial. Each quantity comes from a stream of its own, so that the k-th contract has the
/// same luck whatever the others do.
#[derive(Clone, Debug)]
pub(super) struct Luck {
    /// Who signs of those contacted.
    pub(super) signing: Stream,
    pub(super) sign_lag: SignLags,
    pub(super) offers: Offers,
    pub(super) terms: Terms,
}

impl Luck {
    pub(super) fn open(segment: &CompiledSegment, seed: u64, trial: u64) -> Self {
        let drawer = |varying: &Varying| Drawer::open(varying, seed, trial);
        let (sign_lag, size) = (drawer(&segment.sign_lag), drawer(&segment.size));
        let move_in_lag = drawer(&segment.move_in_lag);
        let (ramp, term) = (drawer(&segment.ramp), drawer(&segment.term));
        let patience = (segment.patience.as_ref()).map_or(Drawer::Constant(f64::INFINITY), drawer);
        Self {
            signing: segment.signing.stream(seed, trial),
            sign_lag: SignLags {
                months: sign_lag.list(),
                drawer: sign_lag,
                hand: Hand::default(),
            },
            offers: Offers {
                amounts: size.list(),
                units: size.list().map(|amount| segment.contract_units(amount)),
                move_in_lags: move_in_lag.list(),
                founding_lags: [f64::INFINITY; AHEAD],
                size,
                move_in_lag,
                subsidiary: segment.subsidiary.stream(seed, trial),
                subsidiary_lag: drawer(&segment.subsidiary_lag),
                hand: Hand::default(),
            },
            terms: Terms {
                ramps: ramp.list().map(ramp_months),
                terms: term.list(),
                stay_luck: [0.0; AHEAD],
                stays: [0; AHEAD],
                patiences: patience.list(),
                ramp,
                term,
                stay: segment.stay.stream(seed, trial),
                patience,
                hand: Hand::default(),
            },
        }
    }
}

/// Months of a ramp as drawn, in whole ones, 1 at least.
#[inline]
fn ramp_months(drawn: f64) -> u32 {
    (drawn + 0.5).clamp(1.0, 1e6) as u32
}

/// Which part of lists of up to [`AHEAD`] is yet to be used.
#[derive(Clone, Copy, Debug, Default)]
struct Hand {
    next: usize,
    end: usize,
}

impl Hand {
    /// How many to draw now, if none is left.
    #[inline]
    fn wanted(&mut self) -> Option<usize> {
        if self.next < self.end {
            return None;
        }
        self.next = 0;
        self.end = (2 * self.end).clamp(FIRST, AHEAD);
        Some(self.end)
    }

    /// The place of the next, which is used up.
    #[inline]
    fn take(&mut self) -> usize {
        self.next += 1;
        // For the compiler, which then knows that it is within the lists.
        (self.next - 1) % AHEAD
    }
}

/// Months from contact to signature, company by company.
#[derive(Clone, Debug)]
pub(super) struct SignLags {
    drawer: Drawer,
    hand: Hand,
    months: [f64; AHEAD],
}

impl SignLags {
    #[inline]
    pub(super) fn next(&mut self, varying: &Varying) -> f64 {
        if let Some(count) = self.hand.wanted() {
            self.drawer.fill(varying, &mut self.months[..count]);
        }
        self.months[self.hand.take()]
    }
}

/// What a company that signs asks for.
pub(super) struct Offer {
    /// As drawn: standard racks, kW or PFLOPS.
    pub(super) amount: f64,
    /// What that is in units, for standard racks and kW.
    pub(super) units: i64,
    pub(super) move_in_lag: f64,
    /// Months from the signature to the subsidiary; infinite if it founds none.
    pub(super) founding_lag: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Offers {
    size: Drawer,
    move_in_lag: Drawer,
    subsidiary: Stream,
    subsidiary_lag: Drawer,
    hand: Hand,
    amounts: [f64; AHEAD],
    units: [i64; AHEAD],
    move_in_lags: [f64; AHEAD],
    founding_lags: [f64; AHEAD],
}

impl Offers {
    #[inline]
    pub(super) fn next(&mut self, segment: &CompiledSegment, rates: &Rates) -> Offer {
        if let Some(count) = self.hand.wanted() {
            self.draw(count, segment, rates);
        }
        let place = self.hand.take();
        Offer {
            amount: self.amounts[place],
            units: self.units[place],
            move_in_lag: self.move_in_lags[place],
            founding_lag: self.founding_lags[place],
        }
    }

    #[inline(never)]
    fn draw(&mut self, count: usize, segment: &CompiledSegment, rates: &Rates) {
        let amounts = &mut self.amounts[..count];
        if self.size.fill(&segment.size, amounts) {
            for (units, &amount) in self.units.iter_mut().zip(&*amounts) {
                *units = segment.contract_units(amount);
            }
        }
        let lags = &mut self.move_in_lags[..count];
        self.move_in_lag.fill(&segment.move_in_lag, lags);
        if rates.subsidiary_probability <= 0.0 {
            return;
        }
        self.founding_lags.fill(f64::INFINITY);
        let (mut luck, mut lags) = ([0.0; AHEAD], [0.0; AHEAD]);
        let (luck, lags) = (&mut luck[..count], &mut lags[..count]);
        self.subsidiary.fill(luck);
        self.subsidiary_lag.fill_luck(lags);
        // Those who found one are gathered first, for who does is a coin that no processor foresees.
        let mut founders = [0; AHEAD];
        let mut found = 0;
        for (number, &luck) in luck.iter().enumerate() {
            founders[found] = number;
            found += usize::from(luck < rates.subsidiary_probability);
        }
        for &number in &founders[..found] {
            self.founding_lags[number] =
                (self.subsidiary_lag).at(&segment.subsidiary_lag, lags[number]);
        }
    }
}

/// What is agreed with a company that signs.
#[derive(Clone, Copy)]
pub(super) struct Agreed {
    /// Months of the ramp, 1 or more.
    pub(super) ramp: u32,
    pub(super) term: f64,
    /// What decides how long it stays beyond its term.
    pub(super) stay_luck: f64,
    /// [`CompiledSegment::stay_months`] of both.
    pub(super) stay: u32,
    /// Months that it waits for room; infinite if for ever.
    pub(super) patience: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Terms {
    ramp: Drawer,
    term: Drawer,
    stay: Stream,
    patience: Drawer,
    hand: Hand,
    ramps: [u32; AHEAD],
    terms: [f64; AHEAD],
    stay_luck: [f64; AHEAD],
    stays: [u32; AHEAD],
    patiences: [f64; AHEAD],
}

impl Terms {
    #[inline]
    pub(super) fn next(&mut self, segment: &CompiledSegment, rates: &Rates) -> Agreed {
        if let Some(count) = self.hand.wanted() {
            self.draw(count, segment, rates);
        }
        let place = self.hand.take();
        Agreed {
            ramp: self.ramps[place],
            term: self.terms[place],
            stay_luck: self.stay_luck[place],
            stay: self.stays[place],
            patience: self.patiences[place],
        }
    }

    #[inline(never)]
    fn draw(&mut self, count: usize, segment: &CompiledSegment, rates: &Rates) {
        let terms = &mut self.terms[..count];
        self.term.fill(&segment.term, terms);
        let luck = &mut self.stay_luck[..count];
        self.stay.fill(luck);
        for ((stay, &term), &luck) in self.stays.iter_mut().zip(&*terms).zip(&*luck) {
            *stay = CompiledSegment::stay_months(term, luck, rates.ln_stay);
        }
        let mut drawn = [0.0; AHEAD];
        if self.ramp.fill(&segment.ramp, &mut drawn[..count]) {
            for (ramp, &drawn) in self.ramps.iter_mut().zip(&drawn[..count]) {
                *ramp = ramp_months(drawn);
            }
        }
        if let Some(patience) = &segment.patience {
            self.patience.fill(patience, &mut self.patiences[..count]);
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Drawer {
    Constant(f64),
    Stream(Stream),
}

impl Drawer {
    pub(super) fn open(varying: &Varying, seed: u64, trial: u64) -> Self {
        match varying.sampler.constant() {
            Some(value) => Self::Constant(value),
            None => Self::Stream(varying.source.stream(seed, trial)),
        }
    }

    #[inline]
    pub(super) fn next(&mut self, varying: &Varying) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Stream(stream) => varying.sampler.at(stream.uniform()),
        }
    }

    /// A list for [`Self::fill`].
    fn list(&self) -> [f64; AHEAD] {
        match self {
            Self::Constant(value) => [*value; AHEAD],
            Self::Stream(_) => [0.0; AHEAD],
        }
    }

    /// Draws for as many contracts in a row as `to`, a part of its list, is long. Whether there was anything to draw.
    fn fill(&mut self, varying: &Varying, to: &mut [f64]) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Stream(stream) => {
                stream.fill(to);
                varying.sampler.replace(to);
                true
            }
        }
    }

    /// Draws the luck alone, for [`Self::at`]; nothing where there is none.
    fn fill_luck(&mut self, to: &mut [f64]) {
        if let Self::Stream(stream) = self {
            stream.fill(to);
        }
    }

    fn at(&self, varying: &Varying, luck: f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Stream(_) => varying.sampler.at(luck),
        }
    }
}
