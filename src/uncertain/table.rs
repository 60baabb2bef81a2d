//! Quantile functions as tables, so that a draw by inversion costs a few nanoseconds.
//!
//! The table is laid out in octaves of the tail probability w (u below the median, 1 - u above it),
//! each cut into eight equal cells, and holds a cubic through four exact values for each cell. Its
//! relative error is below 1e-6 for the distributions of this crate; see the tests.

/// Cells of an octave: the three highest bits of the mantissa.
const CELL_BITS: u32 = 3;
const SHIFT: u32 = 52 - CELL_BITS;

/// Cells of the lower half, from the far tail to the median, and behind them those of the upper one.
#[derive(Clone, Debug)]
pub(super) struct Table {
    cells: Vec<Cell>,
    /// Cells of a half.
    half: usize,
    /// The cell that begins at the smallest tabulated w, as its number among all floats.
    first: u64,
    /// Beyond the smallest w, below and above.
    tails: [Tail; 2],
}

/// The cubic c0 + c1 t + c2 t^2 + c3 t^3 for t in [0, 1), kept within its ends.
#[derive(Clone, Copy, Debug)]
struct Cell {
    coefficients: [f64; 4],
    least: f64,
    most: f64,
}

#[derive(Clone, Copy, Debug)]
struct Tail {
    smallest: f64,
    value: f64,
    /// The end of the support and the power with which it is approached; none: the value is kept.
    approach: Option<(f64, f64)>,
}

impl Table {
    /// `lower(w)` is the quantile at w and `upper(w)` the quantile at 1 - w, for w in (0, 1/2];
    /// both are tabulated down to w = 2^-octaves.
    pub(super) fn new(
        octaves: u32,
        mut lower: impl FnMut(f64) -> f64,
        mut upper: impl FnMut(f64) -> f64,
    ) -> Self {
        let smallest = libm::exp2(-f64::from(octaves));
        let first = smallest.to_bits() >> SHIFT;
        let half = ((0.5_f64.to_bits() >> SHIFT) - first) as usize;
        let mut cells = Vec::with_capacity(2 * half);
        tabulate(&mut cells, first, half, &mut lower);
        tabulate(&mut cells, first, half, &mut upper);
        let tail = |cell: &Cell| Tail {
            smallest,
            value: cell.coefficients[0],
            approach: None,
        };
        Self {
            tails: [tail(&cells[0]), tail(&cells[half])],
            cells,
            half,
            first,
        }
    }

    /// Lets each tail approach the end of the support by the power of w that it shows at the last
    /// two tabulated values.
    pub(super) fn with_ends(mut self, least: f64, most: f64) -> Self {
        self.tails[0].approach(&self.cells[0], least);
        self.tails[1].approach(&self.cells[self.half], most);
        self
    }

    #[inline]
    pub(super) fn at(&self, u: f64) -> f64 {
        let (place, t, is_upper) = self.locate(u);
        if place >= self.half as u64 {
            return self.beyond(u);
        }
        self.cells[place as usize + if is_upper { self.half } else { 0 }].at(t)
    }

    /// [`Self::at`] for each of a list: first where in the table it is, which processors do for several at once.
    #[inline(always)]
    pub(super) fn replace(&self, list: &mut [f64]) {
        const TOGETHER: usize = 64;
        let (mut places, mut fractions) = ([0_u64; TOGETHER], [0.0; TOGETHER]);
        let half = self.half as u64;
        for part in list.chunks_mut(TOGETHER) {
            let mut is_beyond = false;
            for ((&u, place), t) in part.iter().zip(&mut places).zip(&mut fractions) {
                let (in_half, fraction, is_upper) = self.locate(u);
                is_beyond |= in_half >= half;
                *place = in_half.wrapping_add(if is_upper { half } else { 0 });
                *t = fraction;
            }
            if is_beyond {
                part.iter_mut().for_each(|u| *u = self.at(*u));
                continue;
            }
            for ((value, &place), &t) in part.iter_mut().zip(&places).zip(&fractions) {
                *value = self.cells[place as usize].at(t);
            }
        }
    }

    /// The cell of its half, how far in it, and whether that is the upper half.
    #[inline(always)]
    fn locate(&self, u: f64) -> (u64, f64, bool) {
        // Without a branch: which half it is in is a coin that no processor foresees.
        let rest = 1.0 - u;
        let w = if rest < u { rest } else { u };
        let bits = w.to_bits();
        let fraction = (bits << (64 - SHIFT)) >> 12;
        (
            (bits >> SHIFT).wrapping_sub(self.first),
            f64::from_bits(fraction | 1.0_f64.to_bits()) - 1.0,
            u >= 0.5,
        )
    }

    /// Below the smallest w, and at the median itself, which is the end of the last cell.
    #[cold]
    fn beyond(&self, u: f64) -> f64 {
        let side = usize::from(u >= 0.5);
        let w = u.min(1.0 - u);
        let tail = self.tails[side];
        if w >= tail.smallest {
            return self.cells[(side + 1) * self.half - 1].at(1.0);
        }
        match tail.approach {
            None => tail.value,
            Some((end, power)) => end + (tail.value - end) * libm::pow(w / tail.smallest, power),
        }
    }

    /// The integral of the quantile function over (0, 1): exact for the cubics of the cells.
    pub(super) fn mean(&self) -> f64 {
        let (lower, upper) = self.cells.split_at(self.half);
        let half = |cells: &[Cell], tail: Tail| {
            let sum: f64 = (self.first..)
                .zip(cells)
                .map(|(number, cell)| {
                    let width =
                        f64::from_bits((number + 1) << SHIFT) - f64::from_bits(number << SHIFT);
                    let [c0, c1, c2, c3] = cell.coefficients;
                    width * (c0 + c1 / 2.0 + c2 / 3.0 + c3 / 4.0)
                })
                .sum();
            sum + tail.smallest * tail.value
        };
        half(lower, self.tails[0]) + half(upper, self.tails[1])
    }
}

/// Appends the cells of a half.
fn tabulate(
    cells: &mut Vec<Cell>,
    first: u64,
    count: usize,
    quantile: &mut impl FnMut(f64) -> f64,
) {
    let mut left = quantile(f64::from_bits(first << SHIFT));
    for number in (first..).take(count) {
        let from = f64::from_bits(number << SHIFT);
        let to = f64::from_bits((number + 1) << SHIFT);
        let width = to - from;
        let one = quantile(from + width / 3.0);
        let two = quantile(from + width * (2.0 / 3.0));
        let right = quantile(to);
        cells.push(Cell::through(left, one, two, right));
        left = right;
    }
}

impl Tail {
    fn approach(&mut self, cell: &Cell, end: f64) {
        let near = (self.value - end).abs();
        let far = (cell.at(0.5) - end).abs();
        // The middle of the first cell lies at 1 + 1/16 of its beginning.
        let power = libm::log(far / near) / libm::log(1.0625);
        if power.is_finite() && power > 0.0 {
            self.approach = Some((end, power));
        }
    }
}

impl Cell {
    /// The cubic through values at t = 0, 1/3, 2/3 and 1; where that one would turn back, the one
    /// whose Bézier points are put in order, which cannot.
    fn through(v0: f64, v1: f64, v2: f64, v3: f64) -> Self {
        let mut coefficients = [
            v0,
            -5.5 * v0 + 9.0 * v1 - 4.5 * v2 + v3,
            9.0 * v0 - 22.5 * v1 + 18.0 * v2 - 4.5 * v3,
            -4.5 * v0 + 13.5 * v1 - 13.5 * v2 + 4.5 * v3,
        ];
        let [_, c1, c2, c3] = coefficients;
        let (b1, b2) = (v0 + c1 / 3.0, v3 - (c1 + 2.0 * c2 + 3.0 * c3) / 3.0);
        let between = |value: f64, a: f64, b: f64| value.clamp(a.min(b), a.max(b));
        let first = between(b1, v0, v3);
        let second = between(b2, first, v3);
        if first != b1 || second != b2 {
            coefficients = [
                v0,
                3.0 * (first - v0),
                3.0 * (v0 - 2.0 * first + second),
                v3 - 3.0 * second + 3.0 * first - v0,
            ];
        }
        Self {
            coefficients,
            least: v0.min(v3),
            most: v0.max(v3),
        }
    }

    #[inline(always)]
    fn at(&self, t: f64) -> f64 {
        let [c0, c1, c2, c3] = self.coefficients;
        let value = c0 + t * (c1 + t * (c2 + t * c3));
        // As `clamp`, but without its check that the ends are in order.
        let value = if value < self.least {
            self.least
        } else {
            value
        };
        if value > self.most { self.most } else { value }
    }
}
