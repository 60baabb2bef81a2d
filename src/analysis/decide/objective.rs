//! What is wanted of a plan, and what must hold: `maximise p10(npv)`, `probability(TARGET) >= 80 %`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::date::Date;

/// A text that states no objective or constraint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{read}\" is not understood: {form}")]
pub struct ObjectiveError {
    read: String,
    form: &'static str,
}

const STATISTIC_FORM: &str = "write mean(MEASURE), p10(MEASURE), p50(MEASURE), …, probability(TARGET) or probability(MEASURE < NUMBER)";
const OBJECTIVE_FORM: &str = "write maximise or minimise, then mean(MEASURE), p10(MEASURE), … or probability(TARGET), \
     such as \"maximise p10(npv)\"";
const CONSTRAINT_FORM: &str = "write a statistic, >= or <=, and a number, such as \"probability(TARGET) >= 80 %\", \
     \"P(npv < 0) <= 20 %\" or \"p90(waiting_demand_mw@2027-12) <= 20\"";

/// A number that trials say of a measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistic {
    /// The mean of a measure.
    Mean(String),
    /// The probability that a target is met, or that a milestone is reached within the horizon.
    Probability(String),
    /// The probability that a measure is above or below a threshold.
    Exceedance {
        /// The measure.
        measure: String,
        /// Whether it is to be above the threshold; if not, below.
        is_above: bool,
        /// The threshold.
        threshold: Threshold,
    },
    /// A quantile of a measure: of all trials, a milestone that is not reached being later than any other.
    Quantile(f64, String),
}

/// What a measure is held against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// A number in the unit of the measure.
    Number(f64),
    /// The end of the month of a date, for a milestone.
    Date(Date),
}

impl Threshold {
    /// Its value in the unit of the measure, for a scenario that begins at `start`.
    pub fn value(self, start: Date) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Date(date) => date.months_after(start).floor() + 1.0,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write_amount(*number, f),
            Self::Date(date) => f.write_str(&date.to_month_string()),
        }
    }
}

/// A number with its millions reported as such.
fn write_amount(number: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if number.abs() >= 1e6 {
        write!(f, "{} million", number / 1e6)
    } else {
        write!(f, "{number}")
    }
}

/// Reads `20`, `1_000`, `80 %` or `50 million`.
fn amount(text: &str) -> Option<f64> {
    const SCALES: [(&str, f64); 3] = [("%", 0.01), ("million", 1e6), ("billion", 1e9)];
    let text = text.trim();
    let scaled = SCALES.iter().find_map(|(word, scale)| {
        let number = text.strip_suffix(word)?;
        Some((number.trim(), *scale))
    });
    let (number, scale) = scaled.unwrap_or((text, 1.0));
    let number: f64 = number.replace(['_', ','], "").parse().ok()?;
    let scaled = if scale < 1.0 {
        number / 100.0
    } else {
        number * scale
    };
    scaled.is_finite().then_some(scaled)
}

impl Statistic {
    /// The measure, as [`Measure`](crate::projection::Measure) reads it.
    pub fn measure(&self) -> &str {
        match self {
            Self::Mean(measure)
            | Self::Probability(measure)
            | Self::Exceedance { measure, .. }
            | Self::Quantile(_, measure) => measure,
        }
    }

    /// Whether it is a probability.
    pub fn is_probability(&self) -> bool {
        matches!(self, Self::Probability(_) | Self::Exceedance { .. })
    }

    /// Whether it is a mean of numbers of trials, as a probability is, and not a quantile.
    pub fn is_mean(&self) -> bool {
        !matches!(self, Self::Quantile(..))
    }

    /// Reads the inside of `probability(…)`: `MEASURE < NUMBER` or, a name having signs of its own, a name.
    fn probability_of(inside: &str) -> Self {
        let by_sign = || {
            let at = inside.rfind(['<', '>'])?;
            let threshold = inside[at + 1..].trim_start_matches('=').trim();
            let date = || threshold.parse::<Date>().ok().map(Threshold::Date);
            let threshold = (amount(threshold).map(Threshold::Number)).or_else(date)?;
            let measure = inside[..at].trim();
            (!measure.is_empty()).then(|| Self::Exceedance {
                measure: measure.to_owned(),
                is_above: inside[at..].starts_with('>'),
                threshold,
            })
        };
        by_sign().unwrap_or_else(|| Self::Probability(inside.to_owned()))
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean(measure) => write!(f, "mean({measure})"),
            Self::Probability(measure) => write!(f, "probability({measure})"),
            Self::Exceedance {
                measure,
                is_above,
                threshold,
            } => {
                let sign = if *is_above { '>' } else { '<' };
                write!(f, "probability({measure} {sign} {threshold})")
            }
            // A level such as 0.07 is no whole multiple of a power of two.
            Self::Quantile(p, measure) => write!(f, "p{}({measure})", (p * 1e10).round() / 1e8),
        }
    }
}

impl FromStr for Statistic {
    type Err = ObjectiveError;

    /// Reads `mean(npv)`, `p10(npv)`, `probability(TARGET)` or `P(npv < 0)`.
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
            "mean" => Ok(Self::Mean(measure.to_owned())),
            "probability" | "P" => Ok(Self::probability_of(measure)),
            percentile => {
                let number = percentile.strip_prefix(['p', 'P']).ok_or_else(refused)?;
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
        write!(f, "{} {sign} ", self.of)?;
        if self.of.is_probability() {
            write!(f, "{} %", (self.bound * 1e10).round() / 1e8)
        } else {
            write_amount(self.bound, f)
        }
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
        let bound = amount(&text[at + 2..]).ok_or_else(refused)?;
        Ok(Self {
            of: text[..at].parse()?,
            is_at_least,
            bound,
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
        assert_eq!(
            constraint.to_string(),
            "probability(rent >= cost by 2027) >= 80 %"
        );
        let loss: Constraint = "P(npv < -50 million) <= 5 %".parse().unwrap();
        assert_eq!(loss.to_string(), "probability(npv < -50 million) <= 5 %");
        let by: Statistic = "probability(A1 live <= 2027-06)".parse().unwrap();
        let Statistic::Exceedance { threshold, .. } = by else {
            panic!("it is held against a date")
        };
        let start = Date::month(2027, 1).unwrap();
        assert!((threshold.value(start) - 6.0).abs() < 1e-9);
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
