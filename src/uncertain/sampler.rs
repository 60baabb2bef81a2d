//! A compiled distribution.

use std::sync::Arc;

use super::knots::Knots;
use super::table::Table;

/// A compiled distribution: the quantile function.
#[derive(Clone, Debug)]
pub struct Sampler {
    pub(super) rule: Rule,
    pub(super) mean: f64,
}

#[derive(Clone, Debug)]
pub(super) enum Rule {
    Fixed(f64),
    Uniform {
        min: f64,
        width: f64,
    },
    Triangular {
        min: f64,
        max: f64,
        split: f64,
        rise: f64,
        fall: f64,
    },
    Discrete(Arc<[(f64, f64)]>),
    Table(Arc<Table>),
    Knots(Arc<Knots>),
}

impl Rule {
    pub(super) fn table(table: Table) -> Self {
        Self::Table(Arc::new(table))
    }
}

impl Sampler {
    pub(super) fn fixed(value: f64) -> Self {
        Self {
            rule: Rule::Fixed(value),
            mean: value,
        }
    }

    /// The value below which a share `u` of all values lies, for u in (0, 1). Never falls as u rises.
    #[inline]
    pub fn at(&self, u: f64) -> f64 {
        if let Rule::Table(table) = &self.rule {
            return table.at(u);
        }
        self.at_plainly(u)
    }

    /// Replaces each u of a list by the value at it, as [`Self::at`].
    #[inline(always)]
    pub fn replace(&self, list: &mut [f64]) {
        match &self.rule {
            Rule::Table(table) => table.replace(list),
            Rule::Discrete(steps) if steps.len() <= FEW_OUTCOMES => replace_few(steps, list),
            _ => list.iter_mut().for_each(|u| *u = self.at_plainly(*u)),
        }
    }

    fn at_plainly(&self, u: f64) -> f64 {
        match &self.rule {
            Rule::Fixed(value) => *value,
            Rule::Uniform { min, width } => min + width * u,
            Rule::Triangular {
                min,
                max,
                split,
                rise,
                fall,
            } => {
                if u < *split {
                    min + (u * rise).sqrt()
                } else {
                    max - ((1.0 - u) * fall).sqrt()
                }
            }
            Rule::Discrete(steps) => {
                // Counted rather than searched, for which branch is taken is a matter of chance.
                let passed = |sum: usize, step: &(f64, f64)| sum + usize::from(u >= step.0);
                let place = steps.iter().fold(0, passed).min(steps.len() - 1);
                steps[place].1
            }
            Rule::Table(table) => table.at(u),
            Rule::Knots(knots) => knots.at(u),
        }
    }

    /// The probability of a value below `x`: the least u from which on [`Self::at`] is `x` or more,
    /// found by halving to within 2^-50.
    pub fn share_below(&self, x: f64) -> f64 {
        let (mut below, mut above) = (0.0, 1.0);
        if self.at(f64::EPSILON) >= x {
            return 0.0;
        }
        for _ in 0..50 {
            let middle = 0.5 * (below + above);
            if self.at(middle) < x {
                below = middle;
            } else {
                above = middle;
            }
        }
        above
    }

    /// The mean of the distribution.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The value, if it cannot vary.
    pub fn constant(&self) -> Option<f64> {
        match self.rule {
            Rule::Fixed(value) => Some(value),
            _ => None,
        }
    }

    /// Of a discrete distribution the outcomes in order: the level at which each ends, and its value.
    pub(crate) fn steps(&self) -> Option<&[(f64, f64)]> {
        match &self.rule {
            Rule::Discrete(steps) => Some(steps),
            _ => None,
        }
    }
}

/// Up to this many outcomes a linear search of the list is fastest.
const FEW_OUTCOMES: usize = 8;

/// [`Sampler::replace`] outcome by outcome, so that processors can do several of the list at once.
#[inline(always)]
fn replace_few(steps: &[(f64, f64)], list: &mut [f64]) {
    let mut drawn = [0.0; 64];
    for part in list.chunks_mut(drawn.len()) {
        let drawn = &mut drawn[..part.len()];
        drawn.copy_from_slice(part);
        part.fill(steps[0].1);
        for pair in steps.windows(2) {
            let ((end, _), (_, next)) = (pair[0], pair[1]);
            for (value, &u) in part.iter_mut().zip(&*drawn) {
                *value = if u >= end { next } else { *value };
            }
        }
    }
}
