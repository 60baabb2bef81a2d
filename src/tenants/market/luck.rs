//! What is drawn for each contract, and the streams from which it comes.

use crate::monte_carlo::streams::{Source, Stream};
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

/// One contract's draws come from these, each the next of its own stream, so that the k-th
/// contract of a segment has the same luck whatever the others do.
#[derive(Clone, Debug)]
pub(super) struct Luck {
    pub(super) sign_lag: Drawer,
    pub(super) subsidiary_lag: Drawer,
    pub(super) size: Drawer,
    pub(super) move_in_lag: Drawer,
    pub(super) ramp: Drawer,
    pub(super) term: Drawer,
    pub(super) patience: Drawer,
    pub(super) subsidiary: Stream,
    pub(super) stay: Stream,
    pub(super) signing: Stream,
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
    #[inline]
    pub(super) fn fill(&mut self, varying: &Varying, to: &mut [f64]) {
        match self {
            Self::Constant(value) => to.fill(*value),
            Self::Stream(stream) => {
                stream.fill(to);
                varying.sampler.replace(to);
            }
        }
    }

    /// Passes over a draw that is not needed, so that the next contract's luck stays its own.
    #[inline]
    pub(super) fn skip(&mut self) {
        if let Self::Stream(stream) = self {
            stream.uniform();
        }
    }
}
