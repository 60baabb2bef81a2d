//! Vintages: files YYYY-MM-DD*.csv of timelines of campuses as they were public on that day, in the
//! columns of Epoch AI's "Frontier Data Centers" (CC BY 4.0).

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};

/// A quantity that is forecast.
pub(crate) struct Quantity {
    /// Its name in forecasts.
    pub(crate) name: &'static str,
    column: &'static str,
}

/// What is forecast, in this order everywhere: MW of critical IT power, H100 equivalents, buildings.
pub(crate) const QUANTITIES: [Quantity; 3] = [
    Quantity {
        name: "it_mw",
        column: "IT power (MW)",
    },
    Quantity {
        name: "h100e",
        column: "H100 equivalents",
    },
    Quantity {
        name: "buildings",
        column: "Buildings operational",
    },
];

/// Campuses that were renamed between vintages, and what they are called now.
const RENAMED: [(&str, &str); 15] = [
    ("xAI Colossus 1", "Colossus 1"),
    ("xAI Colossus 2", "Colossus 2"),
    ("Crusoe Goodnight", "Goodnight"),
    ("Amazon Canton", "Amazon Madison Mega Site"),
    ("Meta Hyperion Holly Ridge", "Meta Hyperion"),
    (
        "Anthropic-Amazon Project Rainier New Carlisle",
        "Anthropic-Amazon New Carlisle",
    ),
    (
        "Microsoft Fairwater Fayetteville",
        "Microsoft Fairwater Atlanta",
    ),
    ("Google Pryor", "Google Pryor (North)"),
    (
        "Microsoft Fairwater Mount Pleasant",
        "Microsoft Fairwater Wisconsin",
    ),
    ("Coreweave Helios Afton", "Coreweave Helios"),
    ("OpenAI-Oracle Stargate Abilene", "OpenAI Stargate Abilene"),
    ("OpenAI-Oracle Stargate Abu Dhabi", "OpenAI Stargate UAE"),
    ("Alibaba Zhangbei Zhangjiakou Hebei", "Alibaba Zhangbei"),
    ("xAI Colossus 1 Memphis", "Colossus 1"),
    ("xAI Colossus 2 Memphis", "Colossus 2"),
];

/// Names that meant something else before, so that their rows are no one's.
const RESCOPED: [&str; 2] = ["Meta Prometheus New Albany", "QTS Richmond"];

/// What oldest vintages have instead of critical IT power, and how many MW of it are one of that in large AI campuses:
/// the median of published ones, 1.13 to 1.74.
const FACILITY_POWER: (&str, f64) = ("Power (MW)", 1.30);

/// States that older vintages append to a name.
const STATES: [&str; 13] = [
    "Indiana",
    "Mississippi",
    "Texas",
    "Ohio",
    "Nebraska",
    "Louisiana",
    "Tennessee",
    "Iowa",
    "Oklahoma",
    "Wisconsin",
    "Georgia",
    "Arizona",
    "Virginia",
];

/// What was seen of a campus on a day.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// When.
    pub(crate) day: Date,
    /// The state of construction in words.
    pub(crate) text: String,
    /// What was live, in the order of [`QUANTITIES`], where it is said.
    pub(crate) live: [Option<f64>; 3],
}

/// A campus with its rows in the order of their days, at least one.
#[derive(Clone, Debug)]
pub(crate) struct Campus {
    /// Its name now.
    pub(crate) name: String,
    /// Its rows.
    pub(crate) rows: Vec<Row>,
}

/// The day of the newest vintage in a folder, and its campuses in the order of their names.
pub(crate) fn newest(folder: &Path) -> Result<(Date, Vec<Campus>), Box<dyn Error>> {
    let mut vintages: Vec<(Date, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        if let (true, Some(day)) = (name.ends_with(".csv"), name.get(..10)) {
            vintages.extend(day.parse().ok().map(|day: Date| (day, path)));
        }
    }
    let (day, path) = vintages
        .into_iter()
        .max()
        .ok_or_else(|| format!("{}: no file YYYY-MM-DD*.csv", folder.display()))?;
    let campuses = read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok((day, campuses))
}

/// Reads a vintage. A number that cannot be read is taken as not said, and a row without a date is left out, with a
/// warning: one slip of a pen among hundreds of campuses is no reason to forecast none.
fn read(path: &Path) -> Result<Vec<Campus>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
    let mut table = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let headers = table.headers()?.clone();
    let column =
        |name: &str| (headers.iter()).position(|header| header.trim().eq_ignore_ascii_case(name));
    let needed = |name: &str| column(name).ok_or_else(|| format!("there is no column \"{name}\""));
    let (day, name) = (needed("Date")?, needed("Data center")?);
    let words = column("Construction status");
    let mut numbers = QUANTITIES.map(|quantity| (column(quantity.column), 1.0));
    if numbers[0].0.is_none() {
        numbers[0] = (column(FACILITY_POWER.0), FACILITY_POWER.1);
    }
    let mut campuses: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for record in table.records() {
        let record = record?;
        let line = record.position().map_or(0, |position| position.line());
        let field = |index: Option<usize>| index.and_then(|i| record.get(i)).unwrap_or("").trim();
        let Some(name) = current_name(field(Some(name))) else {
            continue;
        };
        let warn = |what: String| eprintln!("warning: {}, line {line}: {what}", path.display());
        let written = field(Some(day));
        let Some(day) = parse_day(written) else {
            warn(format!("\"{written}\" is no date; the row is left out"));
            continue;
        };
        let live = numbers.map(|(index, unit)| {
            number(field(index))
                .unwrap_or_else(|wrong| {
                    warn(format!("{wrong}; taken as not said"));
                    None
                })
                .map(|value| value / unit)
        });
        campuses.entry(name).or_default().push(Row {
            day,
            text: field(words).to_owned(),
            live,
        });
    }
    let campus = |(name, mut rows): (String, Vec<Row>)| {
        rows.sort_by_key(|row| row.day);
        Campus { name, rows }
    };
    Ok(campuses.into_iter().map(campus).collect())
}

fn current_name(written: &str) -> Option<String> {
    let bare = STATES
        .iter()
        .find_map(|state| written.strip_suffix(state)?.strip_suffix(' '))
        .unwrap_or(written);
    if bare.is_empty() || RESCOPED.contains(&bare) {
        return None;
    }
    let renamed = RENAMED.iter().find(|(old, _)| *old == bare);
    Some(renamed.map_or(bare, |(_, new)| new).to_owned())
}

fn number(text: &str) -> Result<Option<f64>, String> {
    let digits = text.replace([',', ' '], "");
    if digits.is_empty() {
        return Ok(None);
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(Some(value)),
        _ => Err(format!("\"{text}\" is no number of 0 or more")),
    }
}

/// 2025-06-30, with or without a time, or 6/30/2025.
fn parse_day(text: &str) -> Option<Date> {
    if text.contains('/') {
        let mut parts = text.split('/').map(str::trim);
        let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
        return Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok();
    }
    text.get(..10)?.parse().ok()
}

/// Months from one day to another, of 30.4375 days.
pub(crate) fn months(from: Date, to: Date) -> f64 {
    f64::from((to - from).get_days()) / 30.4375
}

/// Years from 2024-01-01.
pub(crate) fn years(day: Date) -> f64 {
    months(date(2024, 1, 1), day) / 12.0
}
