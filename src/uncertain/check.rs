//! Checks of what a planner says of a quantity, with the place of each fault.

use super::domain::{Domain, LARGEST};
use super::error::{LARGEST_QUANTILE, UncertainError, shown};
use super::percentiles::Johnson;
use super::special::normal_cdf;
use super::{Outcome, Part, Uncertain};
use crate::problem::{Path, Problems};

/// The normal quantile of the least uniform number, 2^-53, is -8.2.
const FARTHEST_Z: f64 = 8.3;
const ORDER: &str = "from the least to the greatest";

impl Uncertain {
    /// Notes all that is wrong with it for a quantity of this domain, at the places where a file
    /// has the parameters.
    pub(crate) fn check(&self, domain: Domain, at: &Path, problems: &mut Problems) {
        let quantity = at.last_key().unwrap_or("the value");
        let inner = match self.kind() {
            Some(kind) => at.key(kind),
            None => at.clone(),
        };
        for (place, error) in self.faults(domain) {
            let at = match (place, error.parameter()) {
                (Place::Item(index), _) => inner.index(index),
                _ if matches!(self, Self::Constant(_)) => at.clone(),
                (Place::Outcome(index, part), _) => inner.index(index).index(part),
                (Place::Parameter, Some(parameter)) => inner.key(parameter),
                (Place::Parameter, None) => inner.clone(),
            };
            let message = match self {
                Self::Constant(value) => format!("{quantity} is {}", shown(*value)),
                _ => format!("{quantity}: {error}"),
            };
            problems.error(&at, message, error.help());
        }
        if let Self::Mixture(parts) = self {
            for (index, part) in parts.iter().enumerate() {
                part.quantity
                    .check(domain, &inner.index(index).index(1), problems);
            }
        }
    }

    /// Notes a known count that is not whole.
    pub(crate) fn check_whole(&self, at: &Path, problems: &mut Problems) {
        if let Self::Constant(count) = self
            && count.is_finite()
            && count.fract() != 0.0
        {
            let key = at.last_key().unwrap_or("the value");
            problems.error(
                at,
                format!("{key} is {count}"),
                "a whole number, or a distribution, of which what is drawn is rounded",
            );
        }
    }

    /// The key under which a file has its parameters.
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Constant(_) | Self::Percentiles { .. } => None,
            Self::Uniform { .. } => Some("uniform"),
            Self::Triangular { .. } => Some("triangular"),
            Self::Pert { .. } => Some("pert"),
            Self::Normal { .. } => Some("normal"),
            Self::Lognormal { .. } => Some("lognormal"),
            Self::Pareto { .. } => Some("pareto"),
            Self::Discrete(_) => Some("discrete"),
            Self::Empirical(_) => Some("empirical"),
            Self::Quantiles(_) => Some("quantiles"),
            Self::Mixture(_) => Some("mixture"),
        }
    }

    /// All that is wrong with its own parameters; parts of a mixture are checked by themselves.
    pub(super) fn faults(&self, domain: Domain) -> Vec<(Place, UncertainError)> {
        let mut faults = Faults {
            domain,
            list: Vec::new(),
        };
        match self {
            Self::Constant(value) => {
                faults.value("the value", *value);
            }
            Self::Uniform { min, max } => faults.values(&[("min", *min), ("max", *max)]),
            Self::Triangular { min, mode, max } => {
                faults.values(&[("min", *min), ("mode", *mode), ("max", *max)]);
            }
            Self::Pert {
                min,
                mode,
                max,
                shape,
            } => {
                faults.values(&[("min", *min), ("mode", *mode), ("max", *max)]);
                faults.range("shape", *shape, 0.0, 1_000.0);
            }
            Self::Normal { mean, sd, min, max } => faults.normal(*mean, *sd, *min, *max),
            Self::Lognormal { median, sigma } => faults.lognormal(*median, *sigma),
            Self::Pareto { min, shape, max } => faults.pareto(*min, *shape, *max),
            Self::Discrete(outcomes) => faults.outcomes(outcomes),
            Self::Percentiles { p10, p50, p90 } => faults.percentiles(*p10, *p50, *p90),
            Self::Empirical(values) => faults.observed(values),
            Self::Quantiles(quantiles) => faults.quantiles(quantiles),
            Self::Mixture(parts) => faults.weights(parts),
        }
        faults.list
    }

    /// The first thing that is wrong with a part of a mixture.
    pub(super) fn fault_of_parts(&self, domain: Domain) -> Option<UncertainError> {
        let Self::Mixture(parts) = self else {
            return None;
        };
        parts.iter().find_map(|part| {
            let own = part.quantity.faults(domain).into_iter().next();
            own.map(|(_, error)| error)
                .or_else(|| part.quantity.fault_of_parts(domain))
        })
    }
}

/// Where in a distribution a fault is.
pub(super) enum Place {
    Parameter,
    Item(usize),
    Outcome(usize, usize),
}

/// What is wrong with a quantity of a domain, as it is found.
struct Faults {
    domain: Domain,
    list: Vec<(Place, UncertainError)>,
}

impl Faults {
    fn add(&mut self, error: UncertainError) {
        self.list.push((Place::Parameter, error));
    }

    /// A parameter that is a value of the quantity itself.
    fn value(&mut self, parameter: &'static str, value: f64) -> bool {
        let domain = self.domain;
        self.admit(parameter, value, domain.admits(value), || {
            domain.describe_for(value)
        })
    }

    /// Notes a parameter that is no number or is not admitted.
    fn admit(
        &mut self,
        parameter: &'static str,
        value: f64,
        is_admitted: bool,
        allowed: impl FnOnce() -> String,
    ) -> bool {
        if !value.is_finite() {
            self.add(UncertainError::NotFinite { parameter, value });
        } else if !is_admitted {
            self.add(UncertainError::OutOfRange {
                parameter,
                value,
                allowed: allowed(),
            });
        }
        value.is_finite() && is_admitted
    }

    /// Values of the quantity that must not fall.
    fn values(&mut self, values: &[(&'static str, f64)]) {
        let mut fine = true;
        for (parameter, value) in values {
            fine &= self.value(parameter, *value);
        }
        if !fine {
            return;
        }
        for pair in values.windows(2) {
            let [(lower, lower_value), (upper, upper_value)] = [pair[0], pair[1]];
            if lower_value > upper_value {
                self.add(UncertainError::Order {
                    lower,
                    lower_value,
                    upper,
                    upper_value,
                    allowed: ORDER,
                });
            }
        }
    }

    fn range(&mut self, parameter: &'static str, value: f64, min: f64, max: f64) -> bool {
        let is_within = (min..=max).contains(&value);
        self.admit(parameter, value, is_within, || {
            if min == f64::MIN_POSITIVE {
                "more than 0".to_owned()
            } else {
                Domain { min, max }.describe()
            }
        })
    }

    fn normal(&mut self, mean: f64, sd: f64, min: Option<f64>, max: Option<f64>) {
        let finite =
            self.range("mean", mean, -LARGEST, LARGEST) & self.range("sd", sd, 0.0, LARGEST);
        let bounds = [("min", min), ("max", max)];
        let given: Vec<_> = bounds
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)))
            .collect();
        self.values(&given);
        if finite && self.list.is_empty() {
            self.leaves_something(mean, sd, min, max);
        }
    }

    fn lognormal(&mut self, median: f64, sigma: f64) {
        if self.value("median", median) && median <= 0.0 {
            self.range("median", median, f64::MIN_POSITIVE, f64::INFINITY);
        }
        self.range("sigma", sigma, 0.0, 20.0);
        if sigma > 0.0 && self.domain.max.is_finite() {
            self.add(UncertainError::OutOfRange {
                parameter: "sigma",
                value: sigma,
                allowed: format!(
                    "0: a lognormal has no greatest value, but this is {}",
                    self.domain.describe()
                ),
            });
        }
    }

    fn pareto(&mut self, min: f64, shape: f64, max: Option<f64>) {
        let mut given = vec![("min", min)];
        given.extend(max.map(|max| ("max", max)));
        self.values(&given);
        self.range("min", min, f64::MIN_POSITIVE, f64::INFINITY);
        self.range("shape", shape, 0.1, 1_000.0);
        if max.is_none() && self.domain.max.is_finite() {
            self.add(UncertainError::OutOfRange {
                parameter: "shape",
                value: shape,
                allowed: format!(
                    "with a `max`: a Pareto has no greatest value, but this is {}",
                    self.domain.describe()
                ),
            });
        }
    }

    fn percentiles(&mut self, p10: f64, p50: Option<f64>, p90: f64) {
        let mut given = vec![("p10", p10)];
        given.extend(p50.map(|p50| ("p50", p50)));
        given.push(("p90", p90));
        self.values(&given);
        if p10 != p90 && self.list.is_empty() {
            self.strictly_within(&given);
        }
        if p10 != p90 && self.list.is_empty() {
            let Domain { min, max } = self.domain;
            self.bounded(&Johnson::through(p10, p50, p90, min, max));
        }
    }

    fn leaves_something(&mut self, mean: f64, sd: f64, min: Option<f64>, max: Option<f64>) {
        let min = self.domain.min.max(min.unwrap_or(f64::NEG_INFINITY));
        let max = self.domain.max.min(max.unwrap_or(f64::INFINITY));
        let left = if sd == 0.0 {
            f64::from(u8::from((min..=max).contains(&mean)))
        } else {
            let (low, high) = ((min - mean) / sd, (max - mean) / sd);
            if low > 0.0 {
                normal_cdf(-low) - normal_cdf(-high)
            } else {
                normal_cdf(high) - normal_cdf(low)
            }
        };
        if left < 1e-9 {
            self.add(UncertainError::NothingLeft { mean, sd, min, max });
        }
    }

    fn strictly_within(&mut self, given: &[(&'static str, f64)]) {
        for pair in given.windows(2) {
            let [(lower, lower_value), (upper, upper_value)] = [pair[0], pair[1]];
            if lower_value == upper_value {
                self.add(UncertainError::Order {
                    lower,
                    lower_value,
                    upper,
                    upper_value,
                    allowed: "percentiles must rise, or all be the same",
                });
            }
        }
        for (parameter, value) in given {
            if *value == self.domain.min || *value == self.domain.max {
                self.add(UncertainError::OutOfRange {
                    parameter,
                    value: *value,
                    allowed: "strictly within what the quantity admits, for something lies beyond a percentile".into(),
                });
            }
        }
    }

    fn bounded(&mut self, fitted: &Johnson) {
        let reach = |z: f64| {
            let value = fitted.at(z).abs();
            if value.is_nan() { f64::INFINITY } else { value }
        };
        let farthest = reach(-FARTHEST_Z).max(reach(FARTHEST_Z));
        if farthest > LARGEST_QUANTILE {
            self.add(UncertainError::TooWide(farthest));
        }
    }

    fn outcomes(&mut self, outcomes: &[Outcome]) {
        if outcomes.is_empty() {
            self.add(UncertainError::NoOutcome);
            return;
        }
        let before = self.list.len();
        for (index, outcome) in outcomes.iter().enumerate() {
            let start = self.list.len();
            self.value("the value", outcome.value);
            let values = self.list.len();
            self.range("the probability", outcome.probability, 0.0, 1.0);
            for (position, (place, _)) in self.list.iter_mut().enumerate().skip(start) {
                *place = Place::Outcome(index, usize::from(position >= values));
            }
        }
        let total: f64 = outcomes.iter().map(|outcome| outcome.probability).sum();
        if self.list.len() == before && (total - 1.0).abs() > 1e-9 {
            self.add(UncertainError::ProbabilitySum(total));
        }
    }

    fn observed(&mut self, values: &[f64]) {
        if values.is_empty() {
            self.add(UncertainError::NoOutcome);
        }
        for (index, value) in values.iter().enumerate() {
            let start = self.list.len();
            self.value("the value", *value);
            for (place, _) in self.list.iter_mut().skip(start) {
                *place = Place::Item(index);
            }
        }
    }

    /// Probabilities rise from 0 to 1, and values do not fall.
    fn quantiles(&mut self, quantiles: &[Outcome]) {
        let start = self.list.len();
        self.observed(
            &quantiles
                .iter()
                .map(|known| known.value)
                .collect::<Vec<_>>(),
        );
        for (place, _) in self.list.iter_mut().skip(start) {
            if let Place::Item(index) = *place {
                *place = Place::Outcome(index, 1);
            }
        }
        let last = quantiles.len().saturating_sub(1);
        let mut before = Outcome {
            value: f64::NEG_INFINITY,
            probability: 0.0,
        };
        for (index, known) in quantiles.iter().enumerate() {
            let (least, most) = match index {
                0 => (0.0, 0.0),
                _ if index == last => (1.0, 1.0),
                _ => (before.probability, 1.0),
            };
            let found = self.list.len();
            self.range("the probability", known.probability, least, most);
            let values = self.list.len();
            if known.value < before.value {
                self.range("the value", known.value, before.value, f64::INFINITY);
            }
            for (position, (place, _)) in self.list.iter_mut().enumerate().skip(found) {
                *place = Place::Outcome(index, usize::from(position >= values));
            }
            before = *known;
        }
    }

    fn weights(&mut self, parts: &[Part]) {
        if parts.is_empty() {
            self.add(UncertainError::NoOutcome);
            return;
        }
        let start = self.list.len();
        for (index, part) in parts.iter().enumerate() {
            let found = self.list.len();
            self.range("the probability", part.probability, 0.0, 1.0);
            for (place, _) in self.list.iter_mut().skip(found) {
                *place = Place::Outcome(index, 0);
            }
        }
        let total: f64 = parts.iter().map(|part| part.probability).sum();
        if self.list.len() == start && (total - 1.0).abs() > 1e-9 {
            self.add(UncertainError::ProbabilitySum(total));
        }
    }
}
