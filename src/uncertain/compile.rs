//! How a quantity is compiled: its distribution as a quantile function, and its mean.

use std::sync::Arc;

use super::domain::Domain;
use super::error::UncertainError;
use super::knots::{self, Knots};
use super::percentiles::Johnson;
use super::sampler::{Rule, Sampler};
use super::special::{Beta, normal_cdf, normal_density, normal_tail_quantile};
use super::table::Table;
use super::{Outcome, Part, Uncertain, shared};

/// Down to a tail probability of 2^-24 the beta quantiles are tabulated; below, they approach the
/// end by the power that they follow there.
const BETA_OCTAVES: u32 = 24;
/// Uniform numbers are multiples of 2^-53, so this is all of the tail.
const NORMAL_OCTAVES: u32 = 53;

impl Uncertain {
    /// Compiles it for a quantity of this domain; the error is the first thing that is wrong.
    pub fn sampler(&self, domain: Domain) -> Result<Sampler, UncertainError> {
        let own = self.faults(domain).into_iter().next();
        if let Some(error) = own
            .map(|(_, error)| error)
            .or_else(|| self.fault_of_parts(domain))
        {
            return Err(error);
        }
        if let Some(value) = self.constant() {
            return Ok(Sampler::fixed(value));
        }
        Ok(match shared::Key::of(self, domain) {
            Some(key) => key.shared(|| self.compile(domain)),
            None => self.compile(domain),
        })
    }

    /// Compiles what has been checked and does vary.
    fn compile(&self, domain: Domain) -> Sampler {
        let (rule, mean) = match self {
            Self::Constant(value) => (Rule::Fixed(*value), *value),
            Self::Uniform { min, max } => (
                Rule::Uniform {
                    min: *min,
                    width: max - min,
                },
                0.5 * (min + max),
            ),
            Self::Triangular { min, mode, max } => triangular(*min, *mode, *max),
            Self::Pert {
                min,
                mode,
                max,
                shape,
            } => pert(*min, *mode, *max, *shape),
            Self::Normal { mean, sd, min, max } => truncated_normal(
                *mean,
                *sd,
                domain.min.max(min.unwrap_or(f64::NEG_INFINITY)),
                domain.max.min(max.unwrap_or(f64::INFINITY)),
            ),
            Self::Lognormal { median, sigma } => {
                let at = |z: f64| median * libm::exp(sigma * z);
                (normal_table(at), median * libm::exp(0.5 * sigma * sigma))
            }
            Self::Pareto { min, shape, max } => pareto(*min, *shape, *max),
            Self::Discrete(outcomes) => discrete(outcomes),
            Self::Percentiles { p10, p50, p90 } => {
                let fitted = Johnson::through(*p10, *p50, *p90, domain.min, domain.max);
                let rule = normal_table(|z| fitted.at(z));
                let mean = match &rule {
                    Rule::Table(table) => table.mean(),
                    _ => f64::NAN,
                };
                (rule, mean)
            }
            Self::Empirical(values) => joined(Knots::of_observed(values)),
            Self::Quantiles(quantiles) => joined(Knots::through(&knots::pairs(quantiles))),
            Self::Mixture(parts) => mixture(parts, domain),
        };
        Sampler { rule, mean }
    }
}

fn triangular(min: f64, mode: f64, max: f64) -> (Rule, f64) {
    let rule = Rule::Triangular {
        min,
        max,
        split: (mode - min) / (max - min),
        rise: (max - min) * (mode - min),
        fall: (max - min) * (max - mode),
    };
    (rule, (min + mode + max) / 3.0)
}

fn pert(min: f64, mode: f64, max: f64, shape: f64) -> (Rule, f64) {
    let width = max - min;
    let beta = Beta::new(
        1.0 + shape * (mode - min) / width,
        1.0 + shape * (max - mode) / width,
    );
    let mut lower = beta.tail_quantiles();
    let mut upper = beta.mirrored().tail_quantiles();
    let table = Table::new(
        BETA_OCTAVES,
        |w| min + width * lower(w),
        |w| max - width * upper(w),
    )
    .with_ends(min, max);
    let mean = (min + shape * mode + max) / (shape + 2.0);
    (Rule::table(table), mean)
}

/// Tabulates a rising function of a standard normal variable.
fn normal_table(at: impl Fn(f64) -> f64) -> Rule {
    Rule::table(Table::new(
        NORMAL_OCTAVES,
        |w| at(normal_tail_quantile(w)),
        |w| at(-normal_tail_quantile(w)),
    ))
}

/// The quantile of a normal truncated to `min` and `max` is that of the normal at
/// P(min) + u (P(max) - P(min)); each half is computed from the nearer tail.
/// Mean: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1 (1994), 13.10.
fn truncated_normal(mean: f64, sd: f64, min: f64, max: f64) -> (Rule, f64) {
    let (low, high) = ((min - mean) / sd, (max - mean) / sd);
    // Mirrored, so that most of what is left lies below 0, where small probabilities are accurate.
    let mirrored = low > 0.0;
    let (from, to) = if mirrored { (-high, -low) } else { (low, high) };
    let (below, above) = (normal_cdf(from), normal_cdf(-to));
    let left = normal_cdf(to) - below;
    let from_bottom = |w: f64| {
        let p = below + w * left;
        if p < 0.5 {
            normal_tail_quantile(p)
        } else {
            -normal_tail_quantile(1.0 - p)
        }
    };
    let from_top = |w: f64| {
        let p = above + w * left;
        if p < 0.5 {
            -normal_tail_quantile(p)
        } else {
            normal_tail_quantile(1.0 - p)
        }
    };
    let value = |z: f64| (mean + sd * z).clamp(min, max);
    let table = if mirrored {
        Table::new(
            NORMAL_OCTAVES,
            |w| value(-from_top(w)),
            |w| value(-from_bottom(w)),
        )
    } else {
        Table::new(
            NORMAL_OCTAVES,
            |w| value(from_bottom(w)),
            |w| value(from_top(w)),
        )
    };
    let density = |z: f64| {
        if z.is_finite() {
            normal_density(z)
        } else {
            0.0
        }
    };
    let centre = mean + sd * (density(low) - density(high)) / left;
    (Rule::table(table), centre.clamp(min, max))
}

/// The quantile of a Pareto distribution truncated to `max` is min (1 - u t)^(-1/shape) with the
/// share t = 1 - (min/max)^shape of the whole that is left. Mean: min shape/(shape - 1) without
/// `max`, and with it the integral of x over the density, divided by t.
fn pareto(min: f64, shape: f64, max: Option<f64>) -> (Rule, f64) {
    let left = max.map_or(1.0, |max| -libm::expm1(shape * libm::log(min / max)));
    let above = |p: f64| min * libm::exp(-libm::log(p) / shape);
    let cut = |value: f64| value.clamp(min, max.unwrap_or(f64::MAX));
    let table = Table::new(
        NORMAL_OCTAVES,
        |w| cut(min * libm::exp(-libm::log1p(-w * left) / shape)),
        |w| cut(above((1.0 - left) + w * left)),
    );
    let mean = match max {
        None if shape <= 1.0 => f64::INFINITY,
        None => min * shape / (shape - 1.0),
        Some(max) if shape == 1.0 => min * libm::log(max / min) / left,
        Some(max) => {
            let part = -libm::expm1((shape - 1.0) * libm::log(min / max));
            min * shape / (shape - 1.0) * part / left
        }
    };
    (Rule::table(table), mean)
}

fn discrete(outcomes: &[Outcome]) -> (Rule, f64) {
    let mut sorted: Vec<Outcome> = outcomes
        .iter()
        .copied()
        .filter(|outcome| outcome.probability > 0.0)
        .collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let total: f64 = sorted.iter().map(|outcome| outcome.probability).sum();
    let mean = sorted.iter().map(|o| o.value * o.probability).sum::<f64>() / total;
    let mut cumulated = 0.0;
    let steps = sorted
        .iter()
        .map(|outcome| {
            cumulated += outcome.probability / total;
            (cumulated, outcome.value)
        })
        .collect();
    (Rule::Discrete(steps), mean)
}

fn joined(knots: Knots) -> (Rule, f64) {
    let mean = knots.mean();
    (Rule::Knots(Arc::new(knots)), mean)
}

/// The mixture of what has been checked; its mean is that of the means of the parts.
fn mixture(parts: &[Part], domain: Domain) -> (Rule, f64) {
    let possible = parts.iter().filter(|part| part.probability > 0.0);
    let compiled: Vec<(f64, Sampler)> = possible
        .filter_map(|part| Some((part.probability, part.quantity.sampler(domain).ok()?)))
        .collect();
    let total: f64 = compiled.iter().map(|(weight, _)| weight).sum();
    let weighted: Vec<(f64, Sampler)> = (compiled.into_iter())
        .map(|(weight, part)| (weight / total, part))
        .collect();
    let mean = weighted.iter().map(|(weight, part)| weight * part.mean);
    (
        Rule::Knots(Arc::new(Knots::mixture(&weighted))),
        mean.sum::<f64>(),
    )
}
