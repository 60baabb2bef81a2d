use std::f64::consts::PI;

use libm::{exp, expm1, lgamma, log, log1p, pow};
use statrs::function::gamma::gamma_ur;

use crate::uncertain::{normal_cdf, normal_quantile};

/// A family of distributions of positive values with a scale and, but for the exponential, a shape.
/// A trend multiplies the scale.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Family {
    /// S(t) = exp(-t / scale): no memory, so that what has gone on for long is as likely to end as what has just begun.
    Exponential,
    /// S(t) = exp(-(t / scale)^shape).
    Weibull,
    /// Density t^(shape - 1) exp(-t / scale) / (Γ(shape) scale^shape): the sum of stages.
    Gamma,
    /// ln t is normal with mean ln(scale) and standard deviation `shape`; the scale is the median.
    Lognormal,
    /// S(t) = 1 / (1 + (t / scale)^shape): like the lognormal, with a heavier tail; the scale is the median.
    LogLogistic,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Exponential,
        Self::Weibull,
        Self::Gamma,
        Self::Lognormal,
        Self::LogLogistic,
    ];

    /// Its name in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Weibull => "Weibull",
            Self::Gamma => "gamma",
            Self::Lognormal => "lognormal",
            Self::LogLogistic => "log-logistic",
        }
    }

    /// Whether it has a shape beside its scale.
    pub fn has_shape(self) -> bool {
        self != Self::Exponential
    }

    /// The logarithm of the density at `t` > 0.
    pub fn ln_density(self, t: f64, scale: f64, shape: f64) -> f64 {
        let x = t / scale;
        match self {
            Self::Exponential => -x - log(scale),
            Self::Weibull => log(shape) + (shape - 1.0) * log(x) - pow(x, shape) - log(scale),
            Self::Gamma => (shape - 1.0) * log(x) - x - lgamma(shape) - log(scale),
            Self::Lognormal => {
                let z = log(x) / shape;
                -0.5 * z * z - log(shape * t) - 0.5 * log(2.0 * PI)
            }
            Self::LogLogistic => {
                let y = shape * log(x);
                log(shape / t) + y - 2.0 * softplus(y)
            }
        }
    }

    /// The probability of more than `t` >= 0.
    pub fn survival(self, t: f64, scale: f64, shape: f64) -> f64 {
        if t <= 0.0 {
            return 1.0;
        }
        let x = t / scale;
        match self {
            Self::Exponential => exp(-x),
            Self::Weibull => exp(-pow(x, shape)),
            Self::Gamma if x.is_finite() => gamma_ur(shape, x),
            Self::Gamma => 0.0,
            Self::Lognormal => normal_cdf(-log(x) / shape),
            Self::LogLogistic => exp(-softplus(shape * log(x))),
        }
    }

    /// The value that is exceeded with probability 1 - `probability`, which is within (0, 1).
    pub fn quantile(self, probability: f64, scale: f64, shape: f64) -> f64 {
        let minus_ln = -log1p(-probability);
        match self {
            Self::Exponential => scale * minus_ln,
            Self::Weibull => scale * pow(minus_ln, 1.0 / shape),
            Self::Gamma => scale * gamma_quantile(probability, shape),
            Self::Lognormal => scale * exp(shape * normal_quantile(probability)),
            Self::LogLogistic => scale * pow(expm1(minus_ln), 1.0 / shape),
        }
    }
}

/// ln(1 + e^y) without overflow.
fn softplus(y: f64) -> f64 {
    y.max(0.0) + log1p(exp(-y.abs()))
}

/// By bisection on the logarithm: the regularised incomplete gamma function is monotone.
fn gamma_quantile(probability: f64, shape: f64) -> f64 {
    let (mut low, mut high) = (-700.0_f64, log(shape + 40.0 * (shape.sqrt() + 1.0)));
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if 1.0 - gamma_ur(shape, exp(middle)) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    exp(0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_invert_the_survival_and_densities_are_its_slope() {
        for family in Family::ALL {
            for shape in [0.6, 1.0, 2.5] {
                let shape = if family.has_shape() { shape } else { 1.0 };
                for probability in [0.01, 0.3, 0.5, 0.9, 0.999] {
                    let t = family.quantile(probability, 14.0, shape);
                    let survival = family.survival(t, 14.0, shape);
                    assert!((survival - (1.0 - probability)).abs() < 1e-9, "{family:?}");
                    let h = 1e-5 * t;
                    let slope = (family.survival(t - h, 14.0, shape)
                        - family.survival(t + h, 14.0, shape))
                        / (2.0 * h);
                    let density = exp(family.ln_density(t, 14.0, shape));
                    assert!((slope / density - 1.0).abs() < 1e-4, "{family:?} at {t}");
                }
            }
        }
    }
}
