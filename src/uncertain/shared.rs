//! Compiled distributions that quantities share: the same shell of twelve buildings is tabulated once, and stays in
//! the cache while all twelve are drawn.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Domain, Sampler, Uncertain};

/// More are never kept, so that a program that compiles scenario after scenario does not grow. (4 MB)
const MOST: usize = 256;

/// All that a tabulated distribution depends on, as bits: equal keys give equal tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key([u64; 7]);

static KEPT: Mutex<BTreeMap<Key, Sampler>> = Mutex::new(BTreeMap::new());

impl Key {
    /// None for what is cheap to compile.
    pub(super) fn of(quantity: &Uncertain, domain: Domain) -> Option<Self> {
        // A parameter that may be left out is NaN without it, which no parameter is.
        let maybe = |parameter: Option<f64>| parameter.unwrap_or(f64::NAN);
        let (kind, parameters) = match *quantity {
            Uncertain::Pert {
                min,
                mode,
                max,
                shape,
            } => (0, [min, mode, max, shape]),
            Uncertain::Normal { mean, sd, min, max } => (1, [mean, sd, maybe(min), maybe(max)]),
            Uncertain::Lognormal { median, sigma } => (2, [median, sigma, 0.0, 0.0]),
            Uncertain::Pareto { min, shape, max } => (3, [min, shape, maybe(max), 0.0]),
            Uncertain::Percentiles { p10, p50, p90 } => (4, [p10, maybe(p50), p90, 0.0]),
            // A mixture is rebuilt; its parts are kept.
            _ => return None,
        };
        let [a, b, c, d] = parameters.map(f64::to_bits);
        let (least, most) = (domain.min.to_bits(), domain.max.to_bits());
        Some(Self([kind, a, b, c, d, least, most]))
    }

    /// The distribution of this key, compiled by `compile` where it is not kept.
    pub(super) fn shared(self, compile: impl FnOnce() -> Sampler) -> Sampler {
        // What a panic left behind is whole: a table is put in only when it is done.
        let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sampler) = kept().get(&self) {
            return sampler.clone();
        }
        let sampler = compile();
        let mut kept = kept();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(self, sampler.clone());
        sampler
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;
    use std::sync::Arc;

    #[test]
    fn equal_distributions_share_one_table_and_others_do_not() {
        let table = |quantity: Uncertain, domain| match quantity.sampler(domain).unwrap().rule {
            Rule::Table(table) => table,
            _ => panic!("it is tabulated"),
        };
        let pert = || Uncertain::pert(2.0, 3.0, 6.25);
        let first = table(pert(), Domain::ANY);
        assert!(Arc::ptr_eq(&first, &table(pert(), Domain::ANY)));
        assert!(!Arc::ptr_eq(&first, &table(pert(), Domain::NON_NEGATIVE)));
        let other = Uncertain::pert(2.0, 3.0, 6.5);
        assert!(!Arc::ptr_eq(&first, &table(other, Domain::ANY)));
    }
}
