//! What is wanted of a plan, and what must hold: `maximise p10(npv)`, `probability(TARGET) >= 80 %`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that states no objective or constraint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{read}\" is not understood: {form}")]
pub struct ObjectiveError {
    read: String,
    form: &'static str,
}

const STATISTIC_FORM: &str =
    "write mean(MEASURE), p10(MEASURE), p50(MEASURE), … or probability(TARGET)";
const OBJECTIVE_FORM: &str = "write maximise or minimise, then mean(MEASURE), p10(MEASURE), … or probability(TARGET), \
     such as \"maximise p10(npv)\"";
const CONSTRAINT_FORM: &str = "write a statistic, >= or <=, and a number, such as \"probability(TARGET) >= 80 %\" or \
     \"p90(waiting_demand_mw@2027-12) <= 20\"";

/// A number that trials say of a measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistic {
    /// The mean of a measure; of a target, its probability.
    Mean(String),
    /// A quantile of a measure: of all trials, a milestone that is not reached being later than any other.
    Quantile(f64, String),
}

impl Statistic {
    /// The measure, as [`Measure`](crate::projection::Measure) reads it.
    pub fn measure(&self) -> &str {
        let (Self::Mean(measure) | Self::Quantile(_, measure)) = self;
        measure
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean(measure) => write!(f, "mean({measure})"),
            Self::Quantile(p, measure) => write!(f, "p{}({measure})", p * 100.0),
        }
    }
}

impl FromStr for Statistic {
    type Err = ObjectiveError;

    /// Reads `mean(npv)`, `p10(npv)` or `probability(TARGET)`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ObjectiveError {
            read: text.trim().to_owned(),
            form: STATISTIC_FORM,
        };
        let (kind, rest) = text.trim().split_once('(').ok_or_else(refused)?;
        let measure = rest.strip_suffix(')').ok_or_else(refused)?.trim();
        if measure.is_empty() {
            return Err(refused());
        }
        match kind.trim() {
            "mean" | "probability" => Ok(Self::Mean(measure.to_owned())),
            percentile => {
                let number = percentile.strip_prefix('p').ok_or_else(refused)?;
                let percent: f64 = number.parse().map_err(|_| refused())?;
                if !(percent > 0.0 && percent < 100.0) {
                    return Err(refused());
                }
                Ok(Self::Quantile(percent / 100.0, measure.to_owned()))
            }
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Maximise,
    /// Less is better.
    Minimise,
}

impl Direction {
    /// By how much `a` is better than `b`; 0 where both are infinite alike.
    pub fn gain(self, a: f64, b: f64) -> f64 {
        if a == b {
            return 0.0;
        }
        match self {
            Self::Maximise => a - b,
            Self::Minimise => b - a,
        }
    }
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Which way is better.
    pub direction: Direction,
    /// Of what.
    pub of: Statistic,
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.direction {
            Direction::Maximise => "maximise",
            Direction::Minimise => "minimise",
        };
        write!(f, "{verb} {}", self.of)
    }
}

impl FromStr for Objective {
    type Err = ObjectiveError;

    /// Reads `maximise p10(npv)`; "maximize", "max" and "min" are understood, too.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |_| ObjectiveError {
            read: text.trim().to_owned(),
            form: OBJECTIVE_FORM,
        };
        let (verb, of) = text.trim().split_once(' ').ok_or(()).map_err(refused)?;
        let direction = match verb {
            "maximise" | "maximize" | "max" => Direction::Maximise,
            "minimise" | "minimize" | "min" => Direction::Minimise,
            _ => return Err(refused(())),
        };
        Ok(Self {
            direction,
            of: of.parse()?,
        })
    }
}

/// What must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    /// Of what.
    pub of: Statistic,
    /// Whether it must be at least the bound; if not, at most.
    pub is_at_least: bool,
    /// The bound, in the unit of the measure.
    pub bound: f64,
}

impl Constraint {
    /// Whether it holds for a value. NaN, where there is no such number, holds nothing.
    pub fn holds(&self, value: f64) -> bool {
        if self.is_at_least {
            value >= self.bound
        } else {
            value <= self.bound
        }
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_at_least { ">=" } else { "<=" };
        write!(f, "{} {sign} {}", self.of, self.bound)
    }
}

impl FromStr for Constraint {
    type Err = ObjectiveError;

    /// Reads `probability(TARGET) >= 80 %`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ObjectiveError {
            read: text.trim().to_owned(),
            form: CONSTRAINT_FORM,
        };
        // A name may hold signs of its own: the last one counts.
        let (at, is_at_least) = (text.rfind(">=").map(|at| (at, true)))
            .max(text.rfind("<=").map(|at| (at, false)))
            .ok_or_else(refused)?;
        let number = text[at + 2..].trim();
        let (number, scale) = match number.strip_suffix('%') {
            Some(number) => (number.trim(), 0.01),
            None => (number, 1.0),
        };
        let bound: f64 = number.replace('_', "").parse().map_err(|_| refused())?;
        if !bound.is_finite() {
            return Err(refused());
        }
        Ok(Self {
            of: text[..at].parse()?,
            is_at_least,
            bound: bound * scale,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_and_constraints_are_read_as_planners_write_them() {
        let objective: Objective = "maximise p10(npv)".parse().unwrap();
        assert_eq!(objective.direction, Direction::Maximise);
        assert_eq!(objective.of, Statistic::Quantile(0.1, "npv".into()));
        assert_eq!(objective.to_string(), "maximise p10(npv)");
        let constraint: Constraint = "probability(rent >= cost by 2027) >= 80 %".parse().unwrap();
        assert_eq!(constraint.of.measure(), "rent >= cost by 2027");
        assert!(constraint.is_at_least && (constraint.bound - 0.8).abs() < 1e-15);
        assert!(constraint.holds(0.8) && !constraint.holds(f64::NAN));
        let most: Constraint = "p90(waiting_demand_mw@2027-12)<=20".parse().unwrap();
        assert!(most.holds(20.0) && !most.holds(20.1));
    }

    #[test]
    fn what_is_not_understood_says_how_to_write_it() {
        for wrong in [
            "npv",
            "maximise npv",
            "best p10(npv)",
            "maximise p0(npv)",
            "maximise mean()",
        ] {
            let error = wrong.parse::<Objective>().unwrap_err().to_string();
            assert!(error.contains("mean(MEASURE)"), "{error}");
        }
        for wrong in ["p10(npv)", "p10(npv) >= much", "p10(npv) >= inf"] {
            let error = wrong.parse::<Constraint>().unwrap_err().to_string();
            assert!(error.contains("80 %"), "{error}");
        }
    }
}
