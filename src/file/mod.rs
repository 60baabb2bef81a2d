//! Scenario files: TOML with units, `extends`, and errors that point into the text.
//!
//! - A key of a physical quantity ends in its unit (`power_kw = 12`), or is written without it, each
//!   value then carrying a unit (`power = "12 kW"`). With the unit in the key a value may carry
//!   another unit of the same kind. Shares may be written in per cent (`"25 %"`).
//! - `extends = "other.toml"`, relative to the file's folder, takes all from another file. Tables are
//!   laid over one another key by key, and lists of named tables name by name; `remove = true`
//!   takes an entry of such a list away. Anything else replaces what was there.
//! - `preset = "GB200 NVL72"` in a list of named tables takes the values of a [preset](crate::presets);
//!   what stands beside it replaces them.
//! - `buildings_from = "buildings.csv"` (and so for every list of named tables) appends the rows of a
//!   table. Its columns are keys, with dots for tables within (`series.count`); empty cells say nothing.
//! - Single values can be set on top, as by the command's `--set`:
//!   `campuses.Qingyang.pue=1.3`, `'campuses.Qingyang.grid."750 kV".wait="60 months"'`.

mod cells;
mod comparison;
mod draft;
mod edit;
mod inputs;
mod merge;
mod named;
mod node;
mod presets;
mod read;
mod reference;
mod schema;
mod shape;
mod status;
mod tables;
#[cfg(feature = "excel")]
mod workbook;

use std::path::{Path as FilePath, PathBuf};

pub use self::comparison::{Case, ComparisonFile, Factor};
pub use self::draft::Draft;
pub use self::edit::Edited;
pub use self::inputs::Input;
use self::merge::{Misfit, Step, merge, set};
use self::node::{Node, Place, Text, Value, parse, parse_value};
use self::read::Reader;
use self::shape::Shape;
pub use self::status::StatusChange;
use crate::disk::{check_within, read_file};
use crate::problem::{Path, Problem, Problems, nearest};
use crate::scenario::{Scenario, ScenarioError};

/// How many files may extend one another.
const LONGEST_CHAIN: usize = 32;

impl Scenario {
    /// Reads a scenario file and checks all of it; an error lists all that is wrong, each problem
    /// with its line.
    pub fn from_path(path: impl AsRef<FilePath>) -> Result<Self, ScenarioError> {
        Self::from_path_with(path, &[])
    }

    /// Reads a scenario file and sets single values on top of it: pairs of a dotted key, with
    /// names or positions in lists, and a value as TOML (a text may go without quotes).
    pub fn from_path_with(
        path: impl AsRef<FilePath>,
        overrides: &[(String, String)],
    ) -> Result<Self, ScenarioError> {
        Self::load(path, overrides).map(|loaded| loaded.scenario)
    }

    /// As [`Scenario::from_path_with`], with all that can be said of the file: what in it is
    /// unlikely, and what stands behind each value.
    pub fn load(
        path: impl AsRef<FilePath>,
        overrides: &[(String, String)],
    ) -> Result<Loaded, ScenarioError> {
        let draft = Draft::read(path, overrides)?;
        let found = draft.scenario().check();
        draft.checked(&found)
    }

    /// As [`Scenario::load`], of a text that came from elsewhere, such as standard input; what it extends is looked for in
    /// the current folder.
    pub fn load_text(
        text: &str,
        name: &str,
        overrides: &[(String, String)],
    ) -> Result<Loaded, ScenarioError> {
        let draft = Draft::read_text(text, name, overrides)?;
        let found = draft.scenario().check();
        draft.checked(&found)
    }

    /// Reads a scenario from text in the form of a file. Such a text cannot extend a file.
    ///
    /// ```
    /// let scenario = buildout::Scenario::from_toml(
    ///     r#"
    ///     name = "empty land"
    ///     start = "2025-01"
    ///     horizon = "3 years"
    ///     campuses = [{ name = "north", pue = { pert = [1.15, 1.2, 1.35] } }]
    ///     "#,
    /// )?;
    /// assert_eq!(scenario.horizon_months, 36);
    /// # Ok::<(), buildout::ScenarioError>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let mut files = Files::default();
        let root = files.parse_in(None, PathBuf::from("scenario.toml"), text.to_owned().into())?;
        if let Some(extends) = root.entry("extends") {
            let message = "a text that is not a file has no folder to extend from".to_owned();
            return Err(files.refuse(
                &extends.key_place.clone(),
                "extends",
                message,
                String::new(),
            ));
        }
        files.finish(&root).map(|loaded| loaded.scenario)
    }

    /// The scenario as a file's text, which reads back as the same scenario.
    pub fn to_toml(&self) -> Result<String, ScenarioError> {
        let mut document = toml_edit::ser::to_document(self)
            .map_err(|error| ScenarioError::Unwritable(error.to_string()))?;
        toml_edit::visit_mut::VisitMut::visit_document_mut(&mut Layout, &mut document);
        Ok(document.to_string())
    }

    /// The JSON Schema of the scenario file, by which editors complete and check it.
    pub fn json_schema() -> serde_json::Value {
        schema::of_files()
    }

    /// The reference of all keys, inputs and metrics, in Markdown.
    pub fn reference() -> String {
        reference::markdown()
    }
}

/// A scenario that was read from a file, and what can be said of the file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// What is unlikely, with its place.
    pub warnings: Problems,
    /// What of the whole plan is worth a second look, with its place: parts that do not fit one another.
    pub doubts: Problems,
    /// Every value and what stands behind it.
    pub inputs: Vec<Input>,
}

/// A scenario that no file stands behind.
impl From<Scenario> for Loaded {
    fn from(scenario: Scenario) -> Self {
        Self {
            scenario,
            warnings: Problems::default(),
            doubts: Problems::default(),
            inputs: Vec::new(),
        }
    }
}

/// Lists of tables get headers of their own, or each table a line of its own; what is small stays on
/// its line.
struct Layout;

impl toml_edit::visit_mut::VisitMut for Layout {
    fn visit_table_like_kv_mut(
        &mut self,
        mut key: toml_edit::KeyMut<'_>,
        item: &mut toml_edit::Item,
    ) {
        const HEADED: &[&str] = &[
            "rack_types",
            "generations",
            "building_templates",
            "calendars",
            "crews",
            "risks",
            "campuses",
            "phases",
            "grid",
            "substations",
            "buildings",
            "segments",
            "milestones",
            "targets",
        ];
        if HEADED.contains(&key.get()) {
            let taken = std::mem::take(item);
            *item = match taken.into_array_of_tables() {
                Ok(list) => toml_edit::Item::ArrayOfTables(list),
                Err(other) => other,
            };
            key.fmt();
        }
        toml_edit::visit_mut::visit_table_like_kv_mut(self, key, item);
    }

    fn visit_array_mut(&mut self, array: &mut toml_edit::Array) {
        const LONG: usize = 100;
        if array.iter().any(toml_edit::Value::is_inline_table) && array.to_string().len() > LONG {
            for value in array.iter_mut() {
                value.decor_mut().set_prefix("\n  ");
            }
            array.set_trailing("\n");
            array.set_trailing_comma(true);
        } else {
            toml_edit::visit_mut::visit_array_mut(self, array);
        }
    }
}

/// The texts that a scenario is read from.
#[derive(Default)]
struct Files {
    texts: Vec<Text>,
    presets: Vec<presets::Used>,
}

impl Files {
    /// The draft of what is in a file, with single values set on top.
    fn draft(
        mut self,
        path: &FilePath,
        overrides: &[(String, String)],
    ) -> Result<Draft, ScenarioError> {
        let root = self.read_chain(path, &mut Vec::new())?;
        self.with_overrides(root, overrides)
    }

    fn with_overrides(
        mut self,
        mut root: Node,
        overrides: &[(String, String)],
    ) -> Result<Draft, ScenarioError> {
        if let Some(factors) = root.entry("factors") {
            let message = "this file states scenarios to be compared, not a scenario".to_owned();
            let help = "`buildout compare` runs it".to_owned();
            return Err(self.refuse(&factors.key_place.clone(), "factors", message, help));
        }
        for (key, value) in overrides {
            self.set(&mut root, key, value)?;
        }
        Draft::new(self, root)
    }

    /// A file over those that it extends.
    fn read_chain(
        &mut self,
        path: &FilePath,
        chain: &mut Vec<PathBuf>,
    ) -> Result<Node, ScenarioError> {
        self.chain_of(path, source_of(path)?, chain)
    }

    /// What is in a file over the files that it extends.
    fn chain_of(
        &mut self,
        path: &FilePath,
        source: Source,
        chain: &mut Vec<PathBuf>,
    ) -> Result<Node, ScenarioError> {
        chain.push(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        let folder = path.parent().unwrap_or(FilePath::new(""));
        let mut over = self.parse_in(Some(folder), path.to_owned(), source)?;
        let Value::Table(entries) = &mut over.value else {
            return Ok(over);
        };
        let Some(position) = entries.iter().position(|entry| entry.key == "extends") else {
            return Ok(over);
        };
        let extends = entries.remove(position).node;
        let Value::Text(name) = &extends.value else {
            let message = format!("{} names no file", extends.shown());
            let help = "the name of a file in quotes, such as \"base.toml\"".to_owned();
            return Err(self.refuse(&extends.place, "extends", message, help));
        };
        let base = folder.join(name);
        let known = base.canonicalize().unwrap_or_else(|_| base.clone());
        if chain.len() >= LONGEST_CHAIN && !chain.contains(&known) {
            let message = format!("more than {LONGEST_CHAIN} files extend one another");
            let help = "put some of them together".to_owned();
            return Err(self.refuse(&extends.place, "extends", message, help));
        }
        if chain.contains(&known) {
            let message = format!("\"{name}\" extends this file in turn");
            let help = "take one `extends` of the circle away".to_owned();
            return Err(self.refuse(&extends.place, "extends", message, help));
        }
        let source = source_beside(folder, &base);
        let mut node = match source.and_then(|source| self.chain_of(&base, source, chain)) {
            Err(ScenarioError::Unreadable {
                path,
                nearest,
                source,
            }) if path == base => {
                let message = format!("\"{name}\" cannot be read: {source}");
                let help = nearest.map(|near| format!("did you mean \"{near}\"?"));
                let help =
                    help.unwrap_or_else(|| format!("it was looked for at {}", path.display()));
                return Err(self.refuse(&extends.place, "extends", message, help));
            }
            other => other?,
        };
        let mut misfits = Vec::new();
        merge(&mut node, over, Shape::scenario(), &mut misfits);
        self.refuse_misfits(misfits)?;
        Ok(node)
    }

    fn refuse_misfits(&self, misfits: Vec<Misfit>) -> Result<(), ScenarioError> {
        if misfits.is_empty() {
            return Ok(());
        }
        let mut reader = Reader::new(&self.texts);
        for misfit in misfits {
            reader.error(&misfit.place, &Path::root(), misfit.message, misfit.help);
        }
        Err(ScenarioError::Invalid(reader.problems))
    }

    /// Reads what is in a file, with its presets and, if it has a folder, its tables.
    fn parse_in(
        &mut self,
        folder: Option<&FilePath>,
        name: PathBuf,
        source: Source,
    ) -> Result<Node, ScenarioError> {
        let node = match source {
            Source::Text(text) => self.parse(name, text)?,
            #[cfg(feature = "excel")]
            Source::Workbook(bytes) => self.parse_workbook(name, &bytes)?,
        };
        let mut misfits = Vec::new();
        let node = self.expanded(folder, node, &mut misfits);
        self.refuse_misfits(misfits)?;
        Ok(node)
    }

    /// What is in the form of a scenario, with its presets and, if it has a folder, its tables.
    fn expanded(
        &mut self,
        folder: Option<&FilePath>,
        mut node: Node,
        misfits: &mut Vec<Misfit>,
    ) -> Node {
        if let Some(folder) = folder {
            let texts = &mut self.texts;
            tables::expand(&mut node, Shape::scenario(), folder, texts, misfits);
        }
        presets::expand(&mut node, Shape::scenario(), &mut self.presets, misfits);
        node
    }

    fn parse(&mut self, name: PathBuf, text: String) -> Result<Node, ScenarioError> {
        let number = self.texts.len();
        // Some editors begin a file with a byte order mark.
        let text = text
            .strip_prefix('\u{feff}')
            .map(str::to_owned)
            .unwrap_or(text);
        let parsed = parse(&text, number);
        self.texts.push(Text::new(name, text));
        parsed.map_err(|error| {
            let message = format!("this is not TOML: {}", error.message);
            self.refuse(&error.place, "", message, String::new())
        })
    }

    fn refuse(&self, place: &Place, key: &str, message: String, help: String) -> ScenarioError {
        let mut reader = Reader::new(&self.texts);
        let root = Path::root();
        let at = if key.is_empty() { root } else { root.key(key) };
        reader.error(place, &at, message, help);
        ScenarioError::Invalid(reader.problems)
    }

    fn set(&mut self, root: &mut Node, key: &str, value: &str) -> Result<(), ScenarioError> {
        let written = format!("{key}={value}");
        let text = self.texts.len();
        let place = |start: usize, end: usize| Place { text, start, end };
        let mut after = 0;
        let steps: Vec<Step> = (steps_of(key).into_iter())
            .map(|name| {
                // A name with escapes does not stand there as it is: the whole key is then pointed at.
                let found = key[after..].find(&name).map(|at| after + at);
                let start = found.unwrap_or(0);
                after = found.map_or(after, |at| at + name.len());
                let end = found.map_or(key.len(), |at| at + name.len());
                let place = place(start, end);
                Step { name, place }
            })
            .collect();
        let place = place(key.len() + 1, written.len());
        self.texts.push(Text::new("--set".into(), written));
        set(root, Shape::scenario(), &steps, parse_value(value, &place))
            .map_err(|misfit| self.refuse(&misfit.place, "", misfit.message, misfit.help))
    }

    /// Reads the values into a scenario and checks it.
    fn finish(&self, root: &Node) -> Result<Loaded, ScenarioError> {
        let mut root = root.clone();
        let mut misfits = Vec::new();
        named::resolve(&mut root, &mut misfits);
        self.refuse_misfits(misfits)?;
        self.read(&root)
    }

    fn read(&self, root: &Node) -> Result<Loaded, ScenarioError> {
        let values = self.values(root)?;
        let found = values.scenario.check();
        self.checked(root, values, &found)
    }
}

/// The steps of a dotted key, such as `campuses.North.grid."750 kV".wait`.
fn steps_of(key: &str) -> Vec<String> {
    match toml_edit::Key::parse(key) {
        Ok(keys) => keys.iter().map(|key| key.get().to_owned()).collect(),
        Err(_) => key.split('.').map(|step| step.trim().to_owned()).collect(),
    }
}

/// What a scenario is read from.
enum Source {
    Text(String),
    #[cfg(feature = "excel")]
    Workbook(Vec<u8>),
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What is in a file that another one in `folder` names.
fn source_beside(folder: &FilePath, path: &FilePath) -> Result<Source, ScenarioError> {
    check_within(folder, path).map_err(|source| ScenarioError::Unreadable {
        path: path.to_owned(),
        nearest: None,
        source,
    })?;
    source_of(path)
}

/// What is in a file.
fn source_of(path: &FilePath) -> Result<Source, ScenarioError> {
    let bytes = bytes_of(path)?;
    if is_workbook(path, &bytes) {
        #[cfg(feature = "excel")]
        return Ok(Source::Workbook(bytes));
        #[cfg(not(feature = "excel"))]
        return Err(refused(
            path,
            "this command was built without the feature excel, which reads workbooks",
        ));
    }
    text_in(path, bytes).map(Source::Text)
}

/// Whether a file is a workbook, by its name or how it begins.
fn is_workbook(path: &FilePath, bytes: &[u8]) -> bool {
    let ending = path.extension().and_then(std::ffi::OsStr::to_str);
    let is_named_so = ending.is_some_and(|ending| {
        ["xlsx", "xlsm"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    });
    // Packed, or with a password or of Excel 2003 and before.
    is_named_so || bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0])
}

fn refused(path: &FilePath, why: &str) -> ScenarioError {
    ScenarioError::Unreadable {
        path: path.to_owned(),
        nearest: None,
        source: std::io::Error::new(std::io::ErrorKind::InvalidInput, why),
    }
}

fn bytes_of(path: &FilePath) -> Result<Vec<u8>, ScenarioError> {
    read_file(path).map_err(|error| ScenarioError::Unreadable {
        path: path.to_owned(),
        nearest: nearest_file(path),
        source: error,
    })
}

/// The text of a file that is to be changed as a text.
fn text_of(path: &FilePath) -> Result<String, ScenarioError> {
    let bytes = bytes_of(path)?;
    if is_workbook(path, &bytes) {
        let why = "a workbook is changed in a spreadsheet; `buildout convert` makes a text of it";
        return Err(refused(path, why));
    }
    text_in(path, bytes)
}

fn text_in(path: &FilePath, bytes: Vec<u8>) -> Result<String, ScenarioError> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        ScenarioError::NotText {
            path: path.to_owned(),
            line,
        }
    })
}

/// The problems in the order of the texts and their lines, each once.
fn in_order(problems: Problems, texts: &[Text]) -> Problems {
    let position = |problem: &Problem| {
        problem.location.as_ref().map(|place| {
            let text = texts.iter().position(|text| text.name == place.file);
            let sheet = place.cell.as_deref().and_then(|cell| cell.rsplit_once('!'));
            let sheet = sheet.map(|(sheet, _)| sheet.to_owned());
            (text, sheet, place.line, place.column)
        })
    };
    let mut sorted: Vec<Problem> = problems.iter().cloned().collect();
    sorted.sort_by_cached_key(position);
    let mut kept = Problems::new();
    let mut last: Option<Problem> = None;
    for problem in sorted {
        let is_same = last.as_ref().is_some_and(|last| {
            last.location == problem.location && last.message == problem.message
        });
        if !is_same {
            kept.push(problem.clone());
        }
        last = Some(problem);
    }
    kept
}

/// A file of the same folder whose name is near the one that is not there.
fn nearest_file(path: &FilePath) -> Option<String> {
    if path.exists() {
        return None;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => FilePath::new("."),
    };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let wanted = path.file_name()?.to_str()?;
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod tests;
