//! What is drawn for each contract, and the streams from which it comes.

use super::compiled::CompiledSegment;
use crate::sampling::streams::{Source, Stream};
use crate::uncertain::{Domain, Sampler, Uncertain, UncertainError};

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
    pub(super) sign_lag: Drawer,
    /// Of companies that sign, in their order.
    pub(super) size: Drawer,
    pub(super) move_in_lag: Drawer,
    pub(super) subsidiary: Stream,
    pub(super) subsidiary_lag: Drawer,
    /// Of contracts, in their order: those, too, that were there at the start.
    pub(super) ramp: Drawer,
    pub(super) term: Drawer,
    pub(super) stay: Stream,
    pub(super) patience: Drawer,
}

impl Luck {
    pub(super) fn open(segment: &CompiledSegment, seed: u64, trial: u64) -> Self {
        let drawer = |varying: &Varying| Drawer::open(varying, seed, trial);
        Self {
            signing: segment.signing.stream(seed, trial),
            sign_lag: drawer(&segment.sign_lag),
            size: drawer(&segment.size),
            move_in_lag: drawer(&segment.move_in_lag),
            subsidiary: segment.subsidiary.stream(seed, trial),
            subsidiary_lag: drawer(&segment.subsidiary_lag),
            ramp: drawer(&segment.ramp),
            term: drawer(&segment.term),
            stay: segment.stay.stream(seed, trial),
            patience: segment
                .patience
                .as_ref()
                .map_or(Drawer::Constant(f64::INFINITY), drawer),
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

    /// Draws for as many contracts in a row as `to` is long.
    #[inline(always)]
    pub(super) fn fill(&mut self, varying: &Varying, to: &mut [f64]) {
        match self {
            Self::Constant(value) => to.fill(*value),
            Self::Stream(stream) => {
                stream.fill(to);
                varying.sampler.replace(to);
            }
        }
    }

    /// Draws the luck alone, for [`Self::at`]; nothing where there is none.
    #[inline(always)]
    pub(super) fn fill_luck(&mut self, to: &mut [f64]) {
        if let Self::Stream(stream) = self {
            stream.fill(to);
        }
    }

    #[inline(always)]
    pub(super) fn at(&self, varying: &Varying, luck: f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Stream(_) => varying.sampler.at(luck),
        }
    }
}

/// What is agreed with a company that signs.
#[derive(Clone, Copy)]
pub(super) struct Agreed {
    pub(super) term: f64,
    /// What decides how long it stays beyond its term, and [`CompiledSegment::stay_months`] of both.
    pub(super) stay_luck: f64,
    pub(super) stay: u32,
}
