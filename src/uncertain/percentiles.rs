//! Distributions by percentiles: Johnson quantile-parameterised distributions.
//!
//! C. C. Hadlock & J. E. Bickel, "Johnson Quantile-Parameterized Distributions", Decision Analysis
//! 14 (2017): given P10, P50 and P90 and the bound or bounds of the quantity, exactly one smooth
//! distribution with these percentiles, for any P10 < P50 < P90 within the bounds. The paper treats
//! one bound and two; for a quantity without any this crate takes the form of two bounds on the scale
//! of the quantity itself, which has these percentiles too.

use super::special::{normal_cdf, normal_quantile};

/// z of the 90th percentile.
fn c() -> f64 {
    normal_quantile(0.9)
}

/// How a quantity and a normal variable are related.
#[derive(Clone, Copy, Debug)]
enum Scale {
    /// Unbounded: the value itself.
    Linear,
    /// Above a least value: ln(value - least).
    Log { least: f64 },
    /// Between two values: the probit of its share of the way.
    Probit { least: f64, most: f64 },
}

impl Scale {
    fn into(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log { least } => libm::log(value - least),
            Self::Probit { least, most } => normal_quantile((value - least) / (most - least)),
        }
    }

    fn back(self, transformed: f64) -> f64 {
        match self {
            Self::Linear => transformed,
            Self::Log { least } => least + libm::exp(transformed),
            Self::Probit { least, most } => least + (most - least) * normal_cdf(transformed),
        }
    }
}

/// A fitted distribution: its quantile function in terms of a standard normal z.
#[derive(Clone, Copy, Debug)]
pub(super) struct Johnson {
    scale: Scale,
    shape: Shape,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Symmetric on its scale.
    Normal { centre: f64, sigma: f64 },
    /// For one bound, on its scale: theta + lambda sinh(asinh(delta z) + asinh(n c delta)).
    Semi {
        theta: f64,
        lambda: f64,
        delta: f64,
        shift: f64,
    },
    /// For two bounds or none, on its scale: xi + lambda sinh(delta (z + n c)).
    Sinh {
        xi: f64,
        lambda: f64,
        delta: f64,
        shift: f64,
    },
}

impl Johnson {
    /// The distribution through P10, P50 and P90, strictly rising and strictly within the bounds
    /// (infinite where there is none). Without P50 the distribution is symmetric on its scale: a
    /// normal, a lognormal above the least value, or a probit-normal between two.
    pub(super) fn through(p10: f64, p50: Option<f64>, p90: f64, least: f64, most: f64) -> Self {
        let scale = match (least.is_finite(), most.is_finite()) {
            (true, true) => Scale::Probit { least, most },
            (true, false) => Scale::Log { least },
            _ => Scale::Linear,
        };
        let (low, high) = (scale.into(p10), scale.into(p90));
        let Some(p50) = p50 else {
            let centre = 0.5 * (low + high);
            let shape = Shape::Normal {
                centre,
                sigma: (high - low) / (2.0 * c()),
            };
            return Self { scale, shape };
        };
        let middle = scale.into(p50);
        let skew = low + high - 2.0 * middle;
        if skew.abs() <= 1e-9 * (high - low) {
            let shape = Shape::Normal {
                centre: middle,
                sigma: (high - low) / (2.0 * c()),
            };
            return Self { scale, shape };
        }
        let n = skew.signum();
        let start = if n > 0.0 { low } else { high };
        let narrow = (middle - low).min(high - middle);
        let bend = libm::acosh((high - low) / (2.0 * narrow));
        let shape = if matches!(scale, Scale::Log { .. }) {
            let delta = libm::sinh(bend) / c();
            Shape::Semi {
                theta: start,
                lambda: narrow / (delta * c()),
                delta,
                shift: libm::asinh(n * c() * delta),
            }
        } else {
            let delta = bend / c();
            Shape::Sinh {
                xi: start,
                lambda: (high - low) / libm::sinh(2.0 * delta * c()),
                delta,
                shift: n * c(),
            }
        };
        Self { scale, shape }
    }

    /// The value at the standard normal quantile `z`.
    pub(super) fn at(&self, z: f64) -> f64 {
        let transformed = match self.shape {
            Shape::Normal { centre, sigma } => centre + sigma * z,
            Shape::Semi {
                theta,
                lambda,
                delta,
                shift,
            } => theta + lambda * libm::sinh(libm::asinh(delta * z) + shift),
            Shape::Sinh {
                xi,
                lambda,
                delta,
                shift,
            } => xi + lambda * libm::sinh(delta * (z + shift)),
        };
        self.scale.back(transformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_percentiles_come_back(
            start in 0.01..10.0_f64, first in 0.01..5.0_f64, second in 0.01..5.0_f64, kind in 0..3,
        ) {
            let (p10, p50, p90) = (start, start + first, start + first + second);
            let (least, most) = match kind {
                0 => (f64::NEG_INFINITY, f64::INFINITY),
                1 => (0.0, f64::INFINITY),
                _ => (0.0, 25.0),
            };
            let fitted = Johnson::through(p10, Some(p50), p90, least, most);
            for (z, value) in [(-c(), p10), (0.0, p50), (c(), p90)] {
                prop_assert!((fitted.at(z) - value).abs() < 1e-7 * value, "{} {value}", fitted.at(z));
            }
            let values: Vec<f64> = (-60..=60).map(|z| fitted.at(f64::from(z) / 10.0)).collect();
            prop_assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(values.iter().all(|value| (least..=most).contains(value)));
        }
    }

    #[test]
    fn two_percentiles_of_a_positive_quantity_give_a_lognormal() {
        let fitted = Johnson::through(2.0, None, 8.0, 0.0, f64::INFINITY);
        assert!((fitted.at(0.0) - 4.0).abs() < 1e-12);
        assert!((fitted.at(c()) - 8.0).abs() < 1e-12);
    }
}
