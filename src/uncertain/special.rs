//! The normal distribution, the incomplete beta function and quantiles of samples, in pure Rust, so that they give the
//! same bits on every machine.

/// The standard normal quantile z with P(Z <= z) = `u`, for u in (0, 1); infinite at the ends.
///
/// Algorithm AS 241 (PPND16) of Wichura, "The percentage points of the normal distribution",
/// Applied Statistics 37 (1988); relative error about 1e-16.
pub fn normal_quantile(u: f64) -> f64 {
    let q = u - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &CENTRE_ABOVE, &CENTRE_BELOW);
    }
    let tail = normal_tail_quantile(if q < 0.0 { u } else { 1.0 - u });
    if q < 0.0 { tail } else { -tail }
}

/// The standard normal quantile of a small probability `w`, accurate however small it is.
pub(super) fn normal_tail_quantile(w: f64) -> f64 {
    if w <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if w > 0.075 {
        return normal_quantile(w);
    }
    let r = (-libm::log(w)).sqrt();
    if r <= 5.0 {
        -ratio(r - 1.6, &MIDDLE_ABOVE, &MIDDLE_BELOW)
    } else {
        -ratio(r - 5.0, &FAR_ABOVE, &FAR_BELOW)
    }
}

/// The standard normal distribution function P(Z <= `z`), by the complementary error function.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The standard normal density at `z`.
pub(super) fn normal_density(z: f64) -> f64 {
    libm::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt()
}

/// The quantile of values in ascending order, by straight lines between them (type 7 of Hyndman & Fan,
/// "Sample quantiles in statistical packages", The American Statistician 50, 1996). There is at least one value.
pub fn sample_quantile(ascending: &[f64], probability: f64) -> f64 {
    let last = ascending.len() - 1;
    let place = probability.clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    ascending[below] + (place - below as f64) * (ascending[above] - ascending[below])
}

fn ratio(r: f64, above: &[f64; 8], below: &[f64; 8]) -> f64 {
    let horner =
        |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * r + c);
    horner(above) / horner(below)
}

const CENTRE_ABOVE: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_BELOW: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const MIDDLE_ABOVE: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
const MIDDLE_BELOW: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_ABOVE: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_BELOW: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

/// A beta distribution on [0, 1] with shapes a, b of 1 or more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beta {
    a: f64,
    b: f64,
    ln_beta: f64,
}

impl Beta {
    pub(super) fn new(a: f64, b: f64) -> Self {
        Self {
            a,
            b,
            ln_beta: libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b),
        }
    }

    pub(super) fn mirrored(self) -> Self {
        Self {
            a: self.b,
            b: self.a,
            ..self
        }
    }

    /// ln of the distribution function at x in (0, 1), and its derivative by ln x.
    fn ln_cdf(self, x: f64) -> (f64, f64) {
        let ln_front = self.a * libm::log(x) + self.b * libm::log1p(-x) - self.ln_beta;
        if x < (self.a + 1.0) / (self.a + self.b + 2.0) {
            let ln_cdf = ln_front - libm::log(self.a) + libm::log(fraction(self.a, self.b, x));
            (ln_cdf, libm::exp(ln_front - libm::log1p(-x) - ln_cdf))
        } else {
            let upper = libm::exp(ln_front - libm::log(self.b)) * fraction(self.b, self.a, 1.0 - x);
            let ln_cdf = libm::log1p(-upper);
            (ln_cdf, libm::exp(ln_front - libm::log1p(-x) - ln_cdf))
        }
    }

    /// A function that gives quantiles at small w; each search starts from the one before, so ask
    /// in rising order. Newton's method on ln cdf as a function of ln x, kept within (0, 1).
    pub(super) fn tail_quantiles(self) -> impl FnMut(f64) -> f64 {
        let mut guess = None;
        move |w| {
            let ln_w = libm::log(w);
            let mut ln_x: f64 = guess.unwrap_or_else(|| {
                // Leading term of the cdf near 0: x^a / (a B(a, b)).
                ((ln_w + libm::log(self.a) + self.ln_beta) / self.a).min(-0.7)
            });
            for _ in 0..60 {
                let (ln_cdf, slope) = self.ln_cdf(libm::exp(ln_x));
                let step = (ln_cdf - ln_w) / slope;
                // ln cdf is concave in ln x: a step to the right may overshoot, so it is halved
                // on the way to 1.
                let next = ln_x - step;
                let next = if next >= 0.0 { ln_x / 2.0 } else { next };
                let moved = (next - ln_x).abs();
                ln_x = next;
                if moved < 1e-15 * ln_x.abs().max(1.0) {
                    break;
                }
            }
            guess = Some(ln_x);
            libm::exp(ln_x)
        }
    }
}

/// The continued fraction of the incomplete beta function by the modified Lentz method
/// (DLMF 8.17.22; Press et al., Numerical Recipes, 6.4).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..500 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            result *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    use statrs::distribution::{ContinuousCDF, Normal};
    use statrs::function::beta::beta_reg;

    #[test]
    fn normal_quantiles_are_those_of_tables() {
        for (u, z) in [
            (0.5, 0.0),
            (0.9, 1.281_551_565_544_600_4),
            (0.975, 1.959_963_984_540_054),
            (1e-9, -5.997_807_015_007_686),
            (1e-20, -9.262_340_089_798_408),
        ] {
            assert!(
                (normal_quantile(u) - z).abs() < 1e-14 * f64::abs(z).max(1.0),
                "{u}"
            );
        }
        let theory = Normal::standard();
        for step in 1..1_000 {
            let z = normal_quantile(f64::from(step) / 1_000.0);
            assert!((theory.cdf(z) - f64::from(step) / 1_000.0).abs() < 1e-10);
            assert!((normal_cdf(z) - f64::from(step) / 1_000.0).abs() < 1e-14);
        }
    }

    #[test]
    fn beta_quantiles_invert_the_distribution_function() {
        for (a, b) in [
            (1.0, 5.0),
            (1.8, 4.2),
            (3.0, 3.0),
            (5.0, 1.0),
            (1.0001, 40.0),
            (8.0, 24.0),
        ] {
            let beta = Beta::new(a, b);
            for (side, a, b) in [(beta, a, b), (beta.mirrored(), b, a)] {
                let mut quantile = side.tail_quantiles();
                for exponent in (1..40).rev() {
                    let w = libm::exp2(-f64::from(exponent));
                    let x = quantile(w);
                    let back = beta_reg(a, b, x);
                    assert!((back / w - 1.0).abs() < 1e-9, "{a} {b} {w}: {back}");
                }
            }
        }
    }
}
