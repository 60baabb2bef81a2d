//! Mean and standard deviation from exact sums.

use crate::projection::exact_sum::ExactSum;

/// Mean and standard deviation of the finite numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::projection) struct Moments {
    pub(in crate::projection) mean: f64,
    /// With n - 1; `None` for a single number.
    pub(in crate::projection) standard_deviation: Option<f64>,
}

/// Mean and standard deviation of `count` (at least 1) numbers between `min` and `max`.
pub(super) fn moments(
    sum: &ExactSum,
    squares: &ExactSum,
    count: u64,
    min: f64,
    max: f64,
) -> Moments {
    let n = count as f64;
    let largest = f64::max(min.abs(), max.abs());
    // Scaled so that the largest number is about 1: then no square leaves the range of doubles.
    let scale = if largest == 0.0 {
        0
    } else {
        libm::ilogb(largest)
    };
    let (high, low) = sum.rounded_pair(scale);
    let mean = libm::scalbn(high / n, scale).clamp(min, max);
    if count < 2 {
        return Moments {
            mean,
            standard_deviation: None,
        };
    }
    if min == max {
        return Moments {
            mean,
            standard_deviation: Some(0.0),
        };
    }
    // n * (sum of squares) - (sum)^2, whose leading digits cancel where the spread is
    // small beside the mean: so in pairs of doubles, with the error of each product.
    let (square_high, square_low) = squares.rounded_pair(2 * scale);
    let (left, left_rest) = product(n, square_high);
    let (right, right_rest) = product(high, high);
    let rest = left_rest + n * square_low - right_rest - 2.0 * high * low;
    let difference = f64::max((left - right) + rest, 0.0);
    let variance = difference / n / (n - 1.0);
    Moments {
        mean,
        standard_deviation: Some(libm::scalbn(variance.sqrt(), scale)),
    }
}

/// a * b as a rounded product and its error, which is exact.
fn product(a: f64, b: f64) -> (f64, f64) {
    let rounded = a * b;
    (rounded, libm::fma(a, b, -rounded))
}
