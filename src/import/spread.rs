//! Uncertainty on what was imported: "all shell activities -10 %/+40 %".

use std::str::FromStr;

use super::{Imported, Origin};
use crate::pattern::matches;
use crate::uncertain::Uncertain;

/// A rule that puts uncertainty on durations, relative to what was imported.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Spread {
    /// The least duration, as a share of the planned one: 0.9 for -10 %.
    pub least: f64,
    /// The most likely duration: 1 for the planned one.
    pub mode: f64,
    /// The greatest duration: 1.4 for +40 %.
    pub most: f64,
}

/// A [`Spread`] and the activities that it is for, as it is written: `shell*=-10%/+40%`, or with
/// the most likely one in the middle `shell*=-10%/+5%/+40%`.
///
/// ```
/// use buildout::import::SpreadRule;
/// let rule: SpreadRule = "*shell*=-10 %/+40 %".parse()?;
/// assert_eq!(rule.pattern, "*shell*");
/// assert_eq!((rule.spread.least, rule.spread.mode, rule.spread.most), (0.9, 1.0, 1.4));
/// assert!("*shell*=+40%/-10%".parse::<SpreadRule>().is_err());
/// # Ok::<(), buildout::import::SpreadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SpreadRule {
    /// Which activities it is for: their names, with * for any text.
    pub pattern: String,
    /// What is put on their durations.
    pub spread: Spread,
}

/// A rule of uncertainty that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{rule}\": {message}; write PATTERN=LEAST/MOST, such as \"*shell*=-10%/+40%\"")]
pub struct SpreadError {
    rule: String,
    message: String,
}

impl FromStr for SpreadRule {
    type Err = SpreadError;

    fn from_str(rule: &str) -> Result<Self, SpreadError> {
        let wrong = |message: String| SpreadError {
            rule: rule.to_owned(),
            message,
        };
        // Names may hold "=", shares do not.
        let Some((pattern, shares)) = rule.rsplit_once('=') else {
            return Err(wrong("there is no \"=\"".to_owned()));
        };
        if pattern.trim().is_empty() {
            return Err(wrong("it names no activity".to_owned()));
        }
        let mut parts = Vec::new();
        for part in shares.split('/') {
            let number = part.trim().strip_suffix('%').map(str::trim);
            match number.and_then(|number| number.parse::<f64>().ok()) {
                Some(percent) if percent.is_finite() => parts.push(1.0 + percent / 100.0),
                _ => {
                    return Err(wrong(format!(
                        "\"{}\" is not a change in per cent",
                        part.trim()
                    )));
                }
            }
        }
        let spread = match parts[..] {
            [least, most] => Spread {
                least,
                mode: 1.0,
                most,
            },
            [least, mode, most] => Spread { least, mode, most },
            _ => return Err(wrong("it has neither two nor three changes".to_owned())),
        };
        let is_ordered = spread.least <= spread.mode && spread.mode <= spread.most;
        if !(spread.least >= 0.0 && is_ordered && spread.least < spread.most) {
            return Err(wrong(
                "the least change is -100 % or more, and no less than the next".to_owned(),
            ));
        }
        Ok(Self {
            pattern: pattern.trim().to_owned(),
            spread,
        })
    }
}

impl Imported {
    /// Puts a PERT distribution on the durations of all activities that a pattern means, and returns how many they are. What
    /// has no duration, or was given its uncertainty already, stays as it is. With * for any text, a pattern is one of
    ///
    /// - the name of an activity ("*shell*"), or its name with the summary tasks or levels of the work breakdown that it
    ///   stands under ("Shell/*");
    /// - "wbs:Hall 1/Shell": all that stands under that level;
    /// - "code:Area: North", or "code:North": all that has that code;
    /// - "resource:crane*": all that such a resource works on.
    ///
    /// Each duration then varies on its own; [`Self::set_project_factor`] moves all of them together, as the command does.
    pub fn spread(&mut self, pattern: &str, spread: &Spread) -> usize {
        let mut changed = 0;
        for (position, activity) in self.activities.iter_mut().enumerate() {
            let origin = self.origins.get(position);
            if !origin.is_some_and(|origin| is_meant(pattern, origin, &activity.name)) {
                continue;
            }
            if let Some(planned) = activity.duration_months.constant()
                && planned > 0.0
            {
                activity.duration_months = Uncertain::pert(
                    spread.least * planned,
                    spread.mode * planned,
                    spread.most * planned,
                );
                changed += 1;
            }
        }
        changed
    }
}

/// Whether a pattern means an activity: by its code, its resources, the levels around it, or its name.
fn is_meant(pattern: &str, origin: &Origin, name: &str) -> bool {
    let fits = |pattern: &str, text: &str| matches(pattern.trim(), text);
    if let Some(code) = pattern.strip_prefix("code:") {
        let value = |known: &String| {
            known
                .split_once(": ")
                .is_some_and(|(_, value)| fits(code, value))
        };
        return origin
            .codes
            .iter()
            .any(|known| fits(code, known) || value(known));
    }
    if let Some(resource) = pattern.strip_prefix("resource:") {
        return origin.resources.iter().any(|known| fits(resource, known));
    }
    if let Some(level) = pattern.strip_prefix("wbs:") {
        let levels = origin
            .group
            .match_indices('/')
            .map(|(at, _)| &origin.group[..at]);
        return levels
            .chain([origin.group.as_str()])
            .any(|above| fits(level, above));
    }
    if matches(pattern, name) {
        return true;
    }
    let mut around = origin.group.as_str();
    while !around.is_empty() {
        if matches(pattern, &format!("{around}/{name}")) {
            return true;
        }
        around = around.split_once('/').map_or("", |(_, inner)| inner);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_wrong_ones_say_why() {
        let rule: SpreadRule = "a=b*=-5%/0%/+12.5 %".parse().unwrap();
        assert_eq!(rule.pattern, "a=b*");
        assert_eq!(
            (rule.spread.least, rule.spread.mode, rule.spread.most),
            (0.95, 1.0, 1.125)
        );
        for (text, words) in [
            ("shell", "no \"=\""),
            ("=-10%/+40%", "names no activity"),
            ("a=10/40", "\"10\" is not a change in per cent"),
            ("a=-10%", "neither two nor three"),
            ("a=-10%/+1%/0%", "no less than the next"),
            ("a=-110%/+1%", "-100 % or more"),
            ("a=+5%/+10%", "no less than the next"),
            ("a=-nan%/+10%", "is not a change"),
        ] {
            let error = text.parse::<SpreadRule>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_pattern_means_names_or_groups_around_them() {
        for (pattern, group, name, expected) in [
            ("*shell*", "", "A shell", true),
            ("Shell/*", "Hall 1/Shell", "columns", true),
            ("Hall 1/*", "Hall 1/Shell", "columns", true),
            ("Hall 1/*", "Hall 2/Shell", "columns", false),
            ("Shell/*", "", "Shell", false),
            ("wbs:Hall 1", "Hall 1/Shell", "columns", true),
            ("wbs:Hall 2", "Hall 1/Shell", "columns", false),
            ("code:Area: North", "", "a", true),
            ("code:North", "", "a", true),
            ("code:South", "", "a", false),
            ("resource:crane*", "", "a", true),
            ("resource:welder", "", "a", false),
        ] {
            let origin = Origin {
                group: group.to_owned(),
                codes: vec!["Area: North".to_owned()],
                resources: vec!["crane 1".to_owned()],
                ..Origin::default()
            };
            assert_eq!(
                is_meant(pattern, &origin, name),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
