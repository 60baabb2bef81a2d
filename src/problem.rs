//! What is wrong with a scenario: every problem found, each with its place.
//!
//! A check never stops at the first fault. It pushes a [`Problem`] to a
//! [`Problems`] list and continues, so that a planner can correct a file in one pass.

use std::fmt;
use std::path::PathBuf;

/// The place of a value inside a scenario, such as `campuses[0].buildings[2].name`.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A key of a table.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

impl Path {
    /// The scenario itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The place under `key` of this table.
    pub fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Self(steps)
    }

    /// The place at `index` of this list.
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }

    /// The steps from the root to this place.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The last key on the way to this place.
    pub fn last_key(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    }

    /// The table or list that holds this place; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a problem stops the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The scenario cannot be simulated.
    Error,
    /// The scenario can be simulated, but what it says is unlikely.
    Warning,
}

/// A place in a file that the planner wrote.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Location {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1; the row in a workbook.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The text of that line, without its end; that of the cell in a workbook.
    pub text: String,
    /// How many characters the value spans on that line, at least 1.
    pub length: usize,
    /// The cell, such as `Buildings!C7`, where the file is a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
}

impl Location {
    /// The file and the place in it: `plan.toml:7:9` or `plan.xlsx: Buildings!C7`.
    fn place(&self) -> String {
        let file = self.file.display();
        match &self.cell {
            Some(cell) => format!("{file}: {cell}"),
            None => format!("{file}:{}:{}", self.line, self.column),
        }
    }

    /// How far the value is from the beginning of the text.
    fn indent(&self) -> String {
        let before = if self.cell.is_some() {
            0
        } else {
            self.column - 1
        };
        let blank = |c| if c == '\t' { '\t' } else { ' ' };
        self.text.chars().take(before).map(blank).collect()
    }
}

/// One thing that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// Whether it stops the run.
    pub severity: Severity,
    /// Where in the scenario.
    pub path: Path,
    /// What was read and why it cannot be, in a sentence.
    pub message: String,
    /// What would be right: the allowed range, the nearest name.
    pub help: Option<String>,
    /// Where in the file; `None` for a scenario built in Rust.
    pub location: Option<Location>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}: {}", self.message)?;
        if let Some(place) = &self.location {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            write!(
                f,
                "\n{margin}--> {}\n{margin} |\n{number} | {}\n{margin} | {}{}",
                place.place(),
                place.text,
                place.indent(),
                "^".repeat(place.length.max(1)),
            )?;
        }
        if !self.path.steps().is_empty() {
            write!(f, "\n  at: {}", self.path)?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// How many errors, and how many warnings, are listed at most.
pub const MOST_PROBLEMS: usize = 1_000;
/// After this many problems no nearest name is looked for, which takes time where there are many names.
const MOST_WITH_NEAREST: usize = 50;

/// All that was found wrong, in the order of finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// No problem yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an error at `path`; `help` says what would be right (empty for nothing to say).
    pub fn error(&mut self, path: &Path, message: impl Into<String>, help: impl Into<String>) {
        self.note(Severity::Error, path, message.into(), help.into());
    }

    /// Notes something unlikely at `path`.
    pub fn warning(&mut self, path: &Path, message: impl Into<String>, help: impl Into<String>) {
        self.note(Severity::Warning, path, message.into(), help.into());
    }

    fn note(&mut self, severity: Severity, path: &Path, message: String, help: String) {
        self.push(Problem {
            severity,
            path: path.clone(),
            message,
            help: (!help.is_empty()).then_some(help),
            location: None,
        });
    }

    /// Adds a problem that is already complete. After [`MOST_PROBLEMS`] of a severity further ones are left out: a
    /// file that is wrong throughout is corrected at one place.
    pub fn push(&mut self, problem: Problem) {
        if self.0.len() < MOST_PROBLEMS || self.count(problem.severity) < MOST_PROBLEMS {
            self.0.push(problem);
        }
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: Problems) {
        others.0.into_iter().for_each(|problem| self.push(problem));
    }

    /// What to say of a name that is not known: the nearest, or the whole list where it is short; nothing where very
    /// many problems were found already.
    pub(crate) fn name_help<'a>(
        &self,
        wanted: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> String {
        if self.0.len() < MOST_WITH_NEAREST {
            name_help(wanted, known)
        } else {
            String::new()
        }
    }

    fn count(&self, severity: Severity) -> usize {
        let same = self.0.iter().filter(|problem| problem.severity == severity);
        same.count()
    }

    /// Whether any problem stops the run.
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many were found.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The problems, in the order of finding.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// The problems, to be completed in place.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Problem> {
        self.0.iter_mut()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{problem}")?;
        }
        let is_full = |severity| self.count(severity) >= MOST_PROBLEMS;
        if self.0.len() >= MOST_PROBLEMS && (is_full(Severity::Error) || is_full(Severity::Warning))
        {
            write!(f, "\n\nonly the first {MOST_PROBLEMS} are listed")?;
        }
        Ok(())
    }
}

/// Words that are written for another key, and the keys that may be meant, in order of preference.
const MEANT: [(&str, &[&str]); 9] = [
    ("date", &["start", "starts", "by", "as_of"]),
    ("begin", &["start", "starts"]),
    ("begins", &["start", "starts"]),
    ("deadline", &["by"]),
    ("due", &["by", "when"]),
    ("end", &["horizon_months", "horizon"]),
    ("length", &["horizon_months", "duration_months", "duration"]),
    ("irr", &["irr_per_year"]),
    ("mw", &["power_mw"]),
];

/// A number as it is written, with its thousands separated by commas, such as `21,000` or `-1,234.5`.
pub(crate) fn with_thousands(plain: &str) -> String {
    let start = plain.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let digits = plain[start..].find(|c: char| !c.is_ascii_digit());
    let end = digits.map_or(plain.len(), |length| start + length);
    let mut text = plain[..start].to_owned();
    for (position, digit) in plain[start..end].chars().enumerate() {
        if position > 0 && (end - start - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + &plain[end..]
}

/// The name among `known` that `wrong` was most likely meant to be, if any is near: another word for the same, a
/// Damerau-Levenshtein distance of at most a third of the longer name, or a name that begins with it (`payback` for
/// `payback_months`), whichever comes first.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let wrong = wrong.to_lowercase();
    let synonym = (MEANT.iter())
        .filter(|(word, _)| *word == wrong)
        .flat_map(|(_, keys)| keys.iter())
        .find_map(|key| known.iter().find(|name| *name == key));
    synonym
        .copied()
        .or_else(|| nearest_by_letters(&wrong, &known))
        .or_else(|| begun_by(&wrong, &known))
}

fn nearest_by_letters<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let length = wrong.chars().count();
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let known_length = name.chars().count();
        let near = length.max(known_length).div_ceil(3);
        // Names of different lengths are at least that difference apart.
        if length.abs_diff(known_length) > near {
            continue;
        }
        let distance = strsim::damerau_levenshtein(wrong, &name.to_lowercase());
        if distance <= near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// The shortest name of several words that begins with this one.
fn begun_by<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let begins = known.iter().filter(|name| {
        let rest = name.to_lowercase();
        rest.strip_prefix(wrong)
            .is_some_and(|rest| rest.starts_with('_'))
    });
    begins.copied().min_by_key(|name| name.len())
}

/// Reports a name that is empty or holds the `/` which separates the names in a reference.
pub(crate) fn check_name(name: &str, at: &Path, problems: &mut Problems) {
    if name.trim().is_empty() {
        problems.error(at, "the name is empty", "a name of one character or more");
    } else if name.contains('/') {
        problems.error(
            at,
            format!("the name \"{name}\" holds a \"/\""),
            "\"/\" separates names in a reference such as \"A1/shell\"; use another character",
        );
    }
    check_characters(name, at, problems);
}

/// Reports a name with a character that moves the cursor of a terminal or turns the direction of what follows.
pub(crate) fn check_characters(name: &str, at: &Path, problems: &mut Problems) {
    if let Some(hidden) = name.chars().find(|c| is_hidden(*c)) {
        problems.error(
            at,
            format!(
                "the name {name:?} holds a control character ({})",
                hidden.escape_unicode()
            ),
            "characters that can be seen",
        );
    }
}

/// Whether a character controls what is shown instead of being shown: those of C0 and C1, and of bidirectional text.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reports every name that stands more than once in the list at `at`.
pub(crate) fn check_unique<'a>(
    what: &str,
    names: impl Iterator<Item = &'a str>,
    at: &Path,
    problems: &mut Problems,
) {
    let mut seen = std::collections::BTreeSet::new();
    for (position, name) in names.enumerate() {
        if !seen.insert(name) {
            problems.error(
                &at.index(position).key("name"),
                format!("there is already a {what} \"{name}\""),
                "each needs a name of its own",
            );
        }
    }
}

/// Checks the entries of a list, each at its place, and that each has a name of its own.
pub(crate) fn check_list<T>(
    what: &str,
    list: &[T],
    name: impl Fn(&T) -> &str,
    at: &Path,
    problems: &mut Problems,
    check: impl Fn(&T, &Path, &mut Problems),
) {
    for (position, entry) in list.iter().enumerate() {
        check(entry, &at.index(position), problems);
    }
    check_unique(what, list.iter().map(name), at, problems);
}

/// Reports a name that is not among the known ones, with the nearest of them.
pub(crate) fn check_known<'a>(
    what: &str,
    wanted: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    at: &Path,
    problems: &mut Problems,
) {
    if known.clone().any(|name| name == wanted) {
        return;
    }
    let help = problems.name_help(wanted, known);
    problems.error(at, format!("there is no {what} \"{wanted}\""), help);
}

/// The help for an unknown name: the nearest one, or the whole list where it is short.
pub(crate) fn name_help<'a>(wanted: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(wanted, known.clone()) {
        return format!("did you mean \"{near}\"?");
    }
    let all: Vec<String> = known.map(|name| format!("\"{name}\"")).collect();
    match all.len() {
        0 => "none is defined".to_owned(),
        1..=12 => format!("known: {}", all.join(", ")),
        many => format!("{many} are known, among them {}", all[..6].join(", ")),
    }
}

/// Notes each name that is not known, at its place in the list `key`.
pub(crate) fn check_all_known<'a>(
    what: &str,
    wanted: &[String],
    known: impl Iterator<Item = &'a str> + Clone,
    at: &Path,
    problems: &mut Problems,
) {
    for (position, wanted) in wanted.iter().enumerate() {
        check_known(what, wanted, known.clone(), &at.index(position), problems);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_like_the_file() {
        let path = Path::root().key("campuses").index(0).key("name");
        assert_eq!(path.to_string(), "campuses[0].name");
        assert_eq!(path.parent().unwrap().to_string(), "campuses[0]");
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not_guessed() {
        let known = ["duration_months", "name", "racks"];
        assert_eq!(nearest("duration_month", known), Some("duration_months"));
        assert_eq!(nearest("Rakcs", known), Some("racks"));
        assert_eq!(nearest("voltage", known), None);
        let outcomes = ["irr_per_year", "irr_per_year_of_equity", "payback_months"];
        assert_eq!(nearest("irr", outcomes), Some("irr_per_year"));
        assert_eq!(nearest("payback", outcomes), Some("payback_months"));
        assert_eq!(nearest("date", ["name", "start"]), Some("start"));
        assert_eq!(nearest("date", ["name", "by"]), Some("by"));
    }

    #[test]
    fn a_problem_points_into_the_text() {
        let mut problems = Problems::new();
        problems.error(&Path::root().key("racks"), "racks is -3", "0 or more");
        for problem in problems.iter_mut() {
            problem.location = Some(Location {
                file: "a.toml".into(),
                line: 7,
                column: 9,
                text: "racks = -3".into(),
                length: 2,
                cell: None,
            });
        }
        let shown = problems.to_string();
        assert!(shown.contains("a.toml:7:9"), "{shown}");
        assert!(shown.contains("7 | racks = -3\n  |         ^^"), "{shown}");
    }
}
