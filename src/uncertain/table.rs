//! Quantile functions as tables, so that a draw by inversion costs a few nanoseconds.
//!
//! The table is laid out in octaves of the tail probability w (u below the median, 1 - u above it),
//! each cut into eight equal cells, and holds a cubic through four exact values for each cell. Its
//! relative error is below 1e-6 for the distributions of this crate; see the tests.

/// Cells of an octave: the three highest bits of the mantissa.
const CELL_BITS: u32 = 3;
const SHIFT: u32 = 52 - CELL_BITS;

#[derive(Clone, Debug)]
pub(super) struct Table {
    lower: Half,
    upper: Half,
}

#[derive(Clone, Debug)]
struct Half {
    /// From the far tail to the median.
    cells: Vec<Cell>,
    /// The cell that begins at the smallest tabulated w, as its number among all floats.
    first: u64,
    /// Below that, the distance to `tail.end` goes with this power of w.
    tail: Tail,
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
        lower: impl FnMut(f64) -> f64,
        upper: impl FnMut(f64) -> f64,
    ) -> Self {
        Self {
            lower: Half::new(octaves, lower),
            upper: Half::new(octaves, upper),
        }
    }

    /// Lets each tail approach the end of the support by the power of w that it shows at the last
    /// two tabulated values.
    pub(super) fn with_ends(mut self, least: f64, most: f64) -> Self {
        self.lower.approach(least);
        self.upper.approach(most);
        self
    }

    #[inline]
    pub(super) fn at(&self, u: f64) -> f64 {
        if u < 0.5 {
            self.lower.at(u)
        } else {
            self.upper.at(1.0 - u)
        }
    }

    /// The integral of the quantile function over (0, 1): exact for the cubics of the cells.
    pub(super) fn mean(&self) -> f64 {
        self.lower.integral() + self.upper.integral()
    }
}

impl Half {
    fn new(octaves: u32, mut quantile: impl FnMut(f64) -> f64) -> Self {
        let smallest = libm::exp2(-f64::from(octaves));
        let first = smallest.to_bits() >> SHIFT;
        let end = 0.5_f64.to_bits() >> SHIFT;
        let mut cells = Vec::with_capacity((end - first) as usize);
        let mut left = quantile(smallest);
        let value = left;
        for number in first..end {
            let from = f64::from_bits(number << SHIFT);
            let to = f64::from_bits((number + 1) << SHIFT);
            let width = to - from;
            let one = quantile(from + width / 3.0);
            let two = quantile(from + width * (2.0 / 3.0));
            let right = quantile(to);
            cells.push(Cell::through(left, one, two, right));
            left = right;
        }
        Self {
            cells,
            first,
            tail: Tail {
                smallest,
                value,
                approach: None,
            },
        }
    }

    fn approach(&mut self, end: f64) {
        let near = (self.tail.value - end).abs();
        let far = (self.cells[0].at(0.5) - end).abs();
        // The middle of the first cell lies at 1 + 1/16 of its beginning.
        let power = libm::log(far / near) / libm::log(1.0625);
        if power.is_finite() && power > 0.0 {
            self.tail.approach = Some((end, power));
        }
    }

    #[inline]
    fn at(&self, w: f64) -> f64 {
        let bits = w.to_bits();
        let number = bits >> SHIFT;
        if number < self.first {
            return self.beyond(w);
        }
        // The median itself belongs to the end of the last cell.
        let place = ((number - self.first) as usize).min(self.cells.len() - 1);
        let cell = &self.cells[place];
        if number - self.first > place as u64 {
            return cell.at(1.0);
        }
        let fraction = (bits << (64 - SHIFT)) >> 12;
        cell.at(f64::from_bits(fraction | 1.0_f64.to_bits()) - 1.0)
    }

    #[cold]
    fn beyond(&self, w: f64) -> f64 {
        match self.tail.approach {
            None => self.tail.value,
            Some((end, power)) => {
                end + (self.tail.value - end) * libm::pow(w / self.tail.smallest, power)
            }
        }
    }

    fn integral(&self) -> f64 {
        let cells: f64 = (self.first..)
            .zip(&self.cells)
            .map(|(number, cell)| {
                let width = f64::from_bits((number + 1) << SHIFT) - f64::from_bits(number << SHIFT);
                let [c0, c1, c2, c3] = cell.coefficients;
                width * (c0 + c1 / 2.0 + c2 / 3.0 + c3 / 4.0)
            })
            .sum();
        cells + self.tail.smallest * self.tail.value
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

    #[inline]
    fn at(&self, t: f64) -> f64 {
        let [c0, c1, c2, c3] = self.coefficients;
        (c0 + t * (c1 + t * (c2 + t * c3))).clamp(self.least, self.most)
    }
}
