//! Decision variables: what of a scenario may be chosen, and within which bounds.

use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::field::{NUMBER, plan};
use crate::problem::{Path, Problems, check_list, check_name};

/// Settings of one variable that are tried one by one, at most: more are searched like a range. (an assumption)
const MOST_SETTINGS: usize = 1_000;

plan! {
    /// Something that may be chosen: a number, a count, a date, a threshold of a trigger, or one of several texts. The
    /// scenario itself says what holds if nobody chooses. Give one of `between`, `dates`, `values` and `options`.
    pub struct DecisionVariable {
        /// Its name, such as "share let before the next building".
        pub name: String,
        /// The keys that take the chosen value, written as for --set: "campuses.North.phases.two.when.0.at_least".
        pub keys: Vec<String>,
        /// The least and the greatest value, in the unit of the keys.
        pub between: Vec<f64> = [] => NUMBER.any(),
        /// The distance of values within `between`; left out, all numbers. 1 for a count.
        pub step: Option<f64> => NUMBER.above_zero(),
        /// The first and the last month.
        pub dates: Vec<Date> = [],
        /// The values to choose from.
        pub values: Vec<f64> = [] => NUMBER.any(),
        /// The texts to choose from.
        pub options: Vec<String> = [],
    }
    /// A variable of that name which sets these keys; what may be chosen is set on its fields.
    pub fn new;
}

/// What a variable is set to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A number.
    Number(f64),
    /// A month.
    Month(Date),
    /// A text.
    Text(String),
}

impl Setting {
    /// As it is written in a scenario file.
    pub fn to_toml(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Month(date) => format!("\"{}\"", date.to_month_string()),
            Self::Text(text) => format!("{text:?}"),
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Month(date) => f.write_str(&date.to_month_string()),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl DecisionVariable {
    /// How many settings it has; `None` for all numbers of a range.
    pub fn count(&self) -> Option<usize> {
        if !self.values.is_empty() {
            return Some(self.values.len());
        }
        if !self.options.is_empty() {
            return Some(self.options.len());
        }
        if let [first, last] = self.dates[..] {
            return Some(last.months_after(first).round().max(0.0) as usize + 1);
        }
        let (low, high) = self.bounds();
        let steps = ((high - low) / self.step? + 1e-9).floor();
        (steps < MOST_SETTINGS as f64).then_some(steps as usize + 1)
    }

    /// The setting at a share of the way through all of them, from 0 to 1.
    pub fn at(&self, share: f64) -> Setting {
        let share = share.clamp(0.0, 1.0);
        let Some(count) = self.count() else {
            let (low, high) = self.bounds();
            let number = low + share * (high - low);
            let number = match self.step {
                Some(step) => low + ((number - low) / step).round() * step,
                None => number,
            };
            return Setting::Number(short(number.min(high)));
        };
        self.setting(((share * count as f64) as usize).min(count - 1))
    }

    /// The setting of a number, from 0 to [`Self::count`] - 1.
    pub fn setting(&self, number: usize) -> Setting {
        if let Some(value) = self.values.get(number) {
            return Setting::Number(*value);
        }
        if let Some(text) = self.options.get(number) {
            return Setting::Text(text.clone());
        }
        if let [first, _] = self.dates[..] {
            return Setting::Month(first.plus_months(number as f64).unwrap_or(first));
        }
        let step = self.step.unwrap_or(0.0);
        Setting::Number(short(self.bounds().0 + number as f64 * step))
    }

    /// Whether a setting is the first or the last of a range or of months, so that a better one may lie beyond; where all
    /// numbers may be chosen, whether it is within a hundredth of the range.
    pub fn is_at_an_end(&self, setting: &Setting) -> bool {
        if !self.values.is_empty() || !self.options.is_empty() {
            return false;
        }
        if let (None, Setting::Number(number)) = (self.count(), setting) {
            let (low, high) = self.bounds();
            return (number - low).min(high - number) <= 0.01 * (high - low);
        }
        [0.0, 1.0].iter().any(|share| self.at(*share) == *setting)
    }

    fn bounds(&self) -> (f64, f64) {
        match self.between[..] {
            [low, high] => (low, high),
            _ => (0.0, 0.0),
        }
    }

    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        if self.keys.is_empty() {
            problems.error(
                &at.key("keys"),
                "it sets nothing",
                "one key or more, written as for --set, such as \"campuses.North.pue\"",
            );
        }
        let given = [
            !self.between.is_empty(),
            !self.dates.is_empty(),
            !self.values.is_empty(),
            !self.options.is_empty(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            problems.error(
                at,
                format!("\"{}\" does not say in one way what may be chosen", self.name),
                "one of `between = [0.2, 0.9]`, `dates = [\"2026-01\", \"2027-12\"]`, `values = [1, 2, 4]` and `options = [\"a\", \"b\"]`",
            );
        }
        let is_range =
            matches!(self.between[..], [low, high] if low < high && (high - low).is_finite());
        if given[0] && !is_range {
            problems.error(
                &at.key("between"),
                "these are no bounds",
                "the least and the greatest value, such as [0.2, 0.9]",
            );
        }
        if given[1] && !matches!(self.dates[..], [first, last] if first < last) {
            problems.error(
                &at.key("dates"),
                "these are no bounds",
                "the first and the last month, such as [\"2026-01\", \"2027-12\"]",
            );
        }
        self.check_fields(at, problems);
    }
}

pub(crate) fn check_decisions(decisions: &[DecisionVariable], at: &Path, problems: &mut Problems) {
    check_list(
        "decision",
        decisions,
        |variable| &variable.name,
        at,
        problems,
        DecisionVariable::check,
    );
}

/// A number without the last digits of a binary fraction, so that 0.1 + 0.2 is 0.3.
fn short(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_within_bounds_and_as_a_planner_writes_them() {
        let variable = || DecisionVariable::new("gate", vec!["key".to_owned()]);
        let gate = variable().between([0.1, 0.9]).step(0.1);
        assert_eq!(gate.count(), Some(9));
        assert_eq!(gate.setting(2).to_toml(), "0.3");
        assert_eq!(gate.at(1.0), Setting::Number(0.9));
        let months = [(2026, 11), (2027, 2)].map(|(year, month)| Date::month(year, month).unwrap());
        let when = variable().dates(months);
        assert_eq!(when.count(), Some(4));
        assert_eq!(when.setting(2).to_toml(), "\"2027-01\"");
        let any = variable().between([2.0, 4.0]);
        assert_eq!((any.count(), any.at(0.25)), (None, Setting::Number(2.5)));
        let is_at_an_end = |variable: &DecisionVariable, share| {
            let setting = variable.at(share);
            variable.is_at_an_end(&setting)
        };
        for ranged in [&gate, &when, &any] {
            assert!(is_at_an_end(ranged, 0.0) && is_at_an_end(ranged, 1.0));
            assert!(!is_at_an_end(ranged, 0.4));
        }
        // Of a list nothing lies beyond the last.
        assert!(!is_at_an_end(&variable().values([1.0, 2.0]), 1.0));
    }

    #[test]
    fn bounds_that_are_none_are_refused_all_at_once() {
        let wrong = DecisionVariable::new("gate", vec![])
            .between([0.9, 0.1])
            .values([1.0])
            .step(0.0);
        let mut problems = Problems::new();
        wrong.check(&Path::root(), &mut problems);
        assert_eq!(problems.iter().count(), 4, "{problems}");
    }
}
