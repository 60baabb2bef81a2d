//! What is drawn for each contract, from a word of 32 bits each, for lists of contracts.
//!
//! Single precision is enough for sizes, lags and terms, and twice as many fit into a register.

use crate::sampling::streams::Source;
use crate::uncertain::{Domain, Sampler, Uncertain, UncertainError};

/// Cells of an octave: 2^FINE.
const FINE: u32 = 5;
/// Cells of a half of the distribution: 32 octaves from the median to a probability of 2^-33.
const HALF: usize = 32 << FINE;
const CELLS: usize = 2 * HALF;

/// A quantity that is drawn for each contract.
#[derive(Clone, Debug)]
pub(super) struct Varying {
    /// In double precision, for what is drawn one by one.
    pub(super) sampler: Sampler,
    pub(super) source: Source,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Constant(f64),
    /// The value from each word on, in order; the first from 0 on.
    Steps(Vec<(u32, f32)>),
    Table(std::sync::Arc<QuantileTable>),
}

/// A quantile function as a table over words, linear between its nodes.
///
/// The tail probability is laid out in octaves, each cut into 32 equal cells, so that both tails have the relative
/// resolution of the middle. Each cell has the mean of the exact function, so that means are not biased; no value is off
/// by more than 0.02 % (see the tests).
#[derive(Debug)]
struct QuantileTable {
    /// Value at the beginning of the cell, and its rise to the end; the lower half first.
    cells: Box<[[f32; 2]; CELLS]>,
}

impl Varying {
    pub(super) fn new(
        segment: &str,
        what: &str,
        quantity: &Uncertain,
        domain: Domain,
    ) -> Result<Self, UncertainError> {
        let sampler = quantity.sampler(domain)?;
        Ok(Self {
            source: Source::named(&format!("tenants/{segment}/{what}")),
            rule: Rule::of(&sampler),
            sampler,
        })
    }

    /// The value, if it cannot vary.
    pub(super) fn constant(&self) -> Option<f64> {
        match self.rule {
            Rule::Constant(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn varies(&self) -> bool {
        self.constant().is_none()
    }

    /// The least value that is ever drawn.
    pub(super) fn least(&self) -> f64 {
        match &self.rule {
            Rule::Constant(value) => *value,
            Rule::Steps(steps) => steps
                .iter()
                .map(|step| f64::from(step.1))
                .fold(f64::INFINITY, f64::min),
            Rule::Table(table) => f64::from(table.cells[0][0]),
        }
    }

    /// The value at a word.
    pub(super) fn at(&self, word: u32) -> f64 {
        if let Rule::Table(table) = &self.rule {
            let (place, part) = locate(word);
            return f64::from(table.value(place, part));
        }
        let mut value = [0.0];
        self.fill(&[word], &mut value);
        f64::from(value[0])
    }

    /// The value at each of a list of words.
    #[inline(always)]
    pub(super) fn fill(&self, words: &[u32], to: &mut [f32]) {
        match &self.rule {
            Rule::Constant(value) => to.fill(*value as f32),
            Rule::Steps(steps) => {
                to.fill(steps[0].1);
                for &(from, value) in &steps[1..] {
                    for (to, &word) in to.iter_mut().zip(words) {
                        *to = if word >= from { value } else { *to };
                    }
                }
            }
            Rule::Table(table) => table.fill(words, to),
        }
    }
}

impl Rule {
    fn of(sampler: &Sampler) -> Self {
        if let Some(value) = sampler.constant() {
            return Self::Constant(value);
        }
        let Some(steps) = sampler.steps() else {
            return Self::Table(std::sync::Arc::new(QuantileTable::new(sampler)));
        };
        let mut from = 0;
        let mut found = Vec::with_capacity(steps.len());
        for &(end, value) in steps {
            found.push((from, value as f32));
            from = (end * 4_294_967_296.0).round() as u32;
        }
        Self::Steps(found)
    }
}

impl QuantileTable {
    fn new(sampler: &Sampler) -> Self {
        // The tail probability in a cell of a half, a part of the way through it.
        let tail = |cell: usize, part: f64| {
            let octave = libm::exp2((cell >> FINE) as f64 - 33.0);
            let part = ((cell % (1 << FINE)) as f64 + part) / f64::from(1_u32 << FINE);
            (octave * (1.0 + part)).min(0.5)
        };
        let mut cells = Vec::with_capacity(CELLS);
        for is_upper in [false, true] {
            let at = |tail: f64| sampler.at(if is_upper { 1.0 - tail } else { tail });
            let (value, middle) = (|cell| at(tail(cell, 0.0)), |cell| at(tail(cell, 0.5)));
            let mut from = value(0);
            for cell in 0..HALF {
                let to = value(cell + 1);
                // By Simpson's rule.
                let mean = (from + 4.0 * middle(cell) + to) / 6.0;
                let start = (mean - 0.5 * (to - from)).max(0.0);
                cells.push([start as f32, (to - from) as f32]);
                from = to;
            }
        }
        let cells = cells.into_boxed_slice().try_into();
        Self {
            cells: cells.expect("there are as many cells"),
        }
    }

    #[inline(always)]
    fn fill(&self, words: &[u32], to: &mut [f32]) {
        const TOGETHER: usize = 64;
        let (mut places, mut parts) = ([0_u32; TOGETHER], [0.0_f32; TOGETHER]);
        for (words, to) in words.chunks(TOGETHER).zip(to.chunks_mut(TOGETHER)) {
            for ((&word, place), part) in words.iter().zip(&mut places).zip(&mut parts) {
                (*place, *part) = locate(word);
            }
            for ((to, &place), &part) in to.iter_mut().zip(&places).zip(&parts) {
                *to = self.value(place, part);
            }
        }
    }

    /// The value in a cell, a part of the way through it.
    #[inline(always)]
    fn value(&self, place: u32, part: f32) -> f32 {
        let [value, rise] = self.cells[place as usize % CELLS];
        value + rise * part
    }
}

/// The cell of a word, and how far in it.
#[inline(always)]
fn locate(word: u32) -> (u32, f32) {
    const MANTISSA: u32 = 23;
    const HALF_BITS: u32 = 0.5_f32.to_bits();
    const PART: u32 = (1 << (MANTISSA - FINE)) - 1;
    // All ones in the upper half, where the tail is counted from above. A tail of k is (k + 1/2) 2^-32.
    let side = ((word as i32) >> 31) as u32;
    let tail = (word ^ side) as i32 as f32 + 0.5;
    let bits = (tail.to_bits() - HALF_BITS).min((32 << MANTISSA) - 1);
    let place = (bits >> (MANTISSA - FINE)) + (side & HALF as u32);
    let part = (bits & PART) as i32 as f32 * (1.0 / (PART + 1) as f32);
    (place, part)
}

/// Replaces words by -ln u of the u for which they stand: a standard exponential variable by inversion, within 2e-7 of it.
#[inline(always)]
pub(super) fn minus_ln(words: &[u32], to: &mut [f32]) {
    /// The bits of 2/3: from there to 4/3 a mantissa is nearest to 1.
    const TWO_THIRDS: u32 = 0x3f2a_aaab;
    for (to, &word) in to.iter_mut().zip(words) {
        // 31 bits, which are a positive integer of processors.
        let level = (word >> 1) as i32 as f32 + 0.5;
        let bits = level.to_bits();
        let exponent = (bits.wrapping_sub(TWO_THIRDS) as i32) >> 23;
        let mantissa = f32::from_bits(bits.wrapping_sub((exponent << 23) as u32));
        // ln m = 2 artanh s with s = (m - 1)/(m + 1), |s| <= 1/5: the series to s^9 is exact to 1e-8.
        let s = (mantissa - 1.0) / (mantissa + 1.0);
        let q = s * s;
        let series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0))));
        *to = (31 - exponent) as f32 * std::f32::consts::LN_2 - 2.0 * s * series;
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::open_unit;
    use super::*;

    fn words() -> impl Iterator<Item = u32> {
        let tails = (0..31).flat_map(|bits| [1_u32 << bits, (1 << bits) + (1 << bits) / 3]);
        tails.flat_map(|tail| [tail, !tail])
    }

    #[test]
    fn tables_are_near_the_quantile_function() {
        for quantity in [
            Uncertain::lognormal(60.0, 1.4),
            Uncertain::pert(1.0, 3.0, 7.0),
            Uncertain::uniform(0.0, 9.0),
            Uncertain::triangular(1.0, 2.0, 6.0),
            Uncertain::normal(10.0, 2.0),
        ] {
            let varying = Varying::new("s", "q", &quantity, Domain::NON_NEGATIVE).unwrap();
            for word in words() {
                let exact = varying.sampler.at(open_unit(word));
                let error = (varying.at(word) - exact).abs();
                assert!(
                    error <= 2e-4 * exact + 1e-6,
                    "{quantity:?} {word}: {error} {exact}"
                );
            }
        }
    }

    #[test]
    fn few_outcomes_have_their_shares_of_the_words() {
        let quantity = Uncertain::discrete([(12.0, 0.25), (24.0, 0.5), (36.0, 0.25)]);
        let varying = Varying::new("s", "q", &quantity, Domain::NON_NEGATIVE).unwrap();
        let quarter = 1_u32 << 30;
        for (word, value) in [
            (0, 12.0),
            (quarter - 1, 12.0),
            (quarter, 24.0),
            (3 * quarter - 1, 24.0),
            (3 * quarter, 36.0),
            (u32::MAX, 36.0),
        ] {
            assert_eq!(varying.at(word), value);
        }
        assert_eq!(varying.least(), 12.0);
    }

    #[test]
    fn logarithms_are_those_of_the_library() {
        let words: Vec<u32> = words().collect();
        let mut found = vec![0.0; words.len()];
        minus_ln(&words, &mut found);
        for (word, found) in words.into_iter().zip(found) {
            let exact = -libm::log((f64::from(word >> 1) + 0.5) / f64::from(1_u32 << 31));
            let error = (f64::from(found) - exact).abs();
            assert!(error < 2e-7 * exact.max(1.0), "{word}: {error}");
        }
    }
}
