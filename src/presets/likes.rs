//! Whole scenarios of a kind, scaled to a power and a start: what `buildout new --like` writes.

use super::hint;
use crate::date::Date;
use crate::field::Measure;
use crate::problem::{nearest, with_thousands};

/// A scenario that is filled in: every value has a source or is said to be judged, and is there to be replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Like {
    /// Its name.
    pub name: &'static str,
    /// What it is about, whatever its power.
    pub summary: &'static str,
    /// The critical IT power that it has if none is asked for, in MW.
    pub power_mw: f64,
    /// About how much critical IT power a building has, in MW.
    building_mw: f64,
    /// Critical IT power of a rack, in kW.
    rack_kw: f64,
    /// How many halls a building has.
    halls: u32,
    text: &'static str,
}

/// All kinds.
pub const LIKES: &[Like] = &[
    Like {
        name: "AI campus",
        summary: "liquid-cooled halls for accelerators, on three steps of grid power",
        power_mw: 1_000.0,
        building_mw: 100.0,
        rack_kw: 145.0,
        halls: 2,
        text: include_str!("likes/ai-campus.toml"),
    },
    Like {
        name: "wholesale campus",
        summary: "buildings of some 25 MW, leased by the megawatt",
        power_mw: 100.0,
        building_mw: 25.0,
        rack_kw: 40.0,
        halls: 2,
        text: include_str!("likes/wholesale.toml"),
    },
    Like {
        name: "public hub",
        summary: "a city's computing power, with vouchers for those who use it",
        power_mw: 80.0,
        building_mw: 10.0,
        rack_kw: 21.0,
        halls: 2,
        text: include_str!("likes/public-hub.toml"),
    },
    Like {
        name: "container block",
        summary: "halls in containers that are set down within months",
        power_mw: 20.0,
        building_mw: 5.0,
        rack_kw: 21.0,
        halls: 1,
        text: include_str!("likes/container-block.toml"),
    },
    Like {
        name: "enterprise site",
        summary: "a firm's own buildings of some 5 MW",
        power_mw: 10.0,
        building_mw: 5.0,
        rack_kw: 10.0,
        halls: 2,
        text: include_str!("likes/enterprise.toml"),
    },
];

const HEAD: &str = include_str!("likes/head.toml");
const COMMON: &str = include_str!("likes/common.toml");

/// The least and the most power that is asked for, in MW.
const POWERS: (f64, f64) = (0.5, 20_000.0);

/// Why there is no such scenario.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LikeError {
    /// There is no such kind.
    #[error("there is nothing like \"{name}\": {}{}", names(), hint(.nearest.as_deref()))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
    /// The power is out of range.
    #[error("{0} MW cannot be asked for: {least} to {most} MW", least = POWERS.0, most = with_thousands(&POWERS.1.to_string()))]
    Power(f64),
    /// What was given is no power.
    #[error("{message}\n  help: {help}")]
    NoPower {
        /// What was read and why it cannot be.
        message: String,
        /// What would be right.
        help: String,
    },
    /// The start is too late for a calendar.
    #[error("{0} is too late a start")]
    Start(Date),
}

fn names() -> String {
    let names: Vec<&str> = LIKES.iter().map(|like| like.name).collect();
    names.join(", ")
}

/// The kind of that name, or the only one whose name begins like that.
///
/// ```
/// use buildout::presets::like;
///
/// let text = like("AI campus")?.toml(Some(1_200.0), "2024-06".parse()?)?;
/// assert!(text.contains("AI campus of 1200 MW") && text.contains("start = \"2024-06\""));
/// assert_eq!(like("wholesale")?.name, "wholesale campus");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn like(name: &str) -> Result<&'static Like, LikeError> {
    let asked = name.trim().to_lowercase();
    let begins = |like: &&Like| !asked.is_empty() && like.name.to_lowercase().starts_with(&asked);
    let mut found = LIKES.iter().filter(begins);
    let only = found.next().filter(|_| found.next().is_none());
    only.ok_or_else(|| LikeError::Unknown {
        name: name.to_owned(),
        nearest: nearest_kind(name).map(str::to_owned),
    })
}

/// The kind whose name or, if none is near, whose first word was most likely meant.
fn nearest_kind(name: &str) -> Option<&'static str> {
    let names = LIKES.iter().map(|like| like.name);
    let first_words = names.clone().filter_map(|name| name.split(' ').next());
    nearest(name, names.clone()).or_else(|| {
        let word = nearest(name, first_words)?;
        names.into_iter().find(|name| name.starts_with(word))
    })
}

/// A power with its unit, such as `1.2GW` or `100 MW`, in MW.
pub fn power_mw(text: &str) -> Result<f64, LikeError> {
    let measure = Measure::of("power_mw").expect("powers are measured");
    measure.read(text).map_err(|error| LikeError::NoPower {
        message: error.message,
        help: error.help,
    })
}

impl Like {
    /// The scenario as a commented file, of so much critical IT power and from that month on.
    pub fn toml(&self, power_mw: Option<f64>, start: Date) -> Result<String, LikeError> {
        let power_mw = power_mw.unwrap_or(self.power_mw);
        if !(POWERS.0..=POWERS.1).contains(&power_mw) {
            return Err(LikeError::Power(power_mw));
        }
        let whole = [HEAD, self.text, COMMON].concat();
        let mut text = String::new();
        let mut parts = whole.split("@{");
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (word, rest) = part.split_once('}').unwrap_or((part, ""));
            text.push_str(&self.filled(word, power_mw, start)?);
            text.push_str(rest);
        }
        Ok(text)
    }

    /// How many buildings it takes.
    fn count(&self, power_mw: f64) -> f64 {
        (power_mw / self.building_mw).round().max(1.0)
    }

    /// What stands for a word of the text: a share of the power, a month after the start, the size of the buildings.
    fn filled(&self, word: &str, power_mw: f64, start: Date) -> Result<String, LikeError> {
        let (what, number) = word.split_once(' ').unwrap_or((word, ""));
        let number: f64 = number.parse().unwrap_or(0.0);
        let count = self.count(power_mw);
        Ok(match what {
            "mw" => short(power_mw * number),
            "kw" => short(power_mw * 1_000.0 * number),
            "month" => {
                let month = start.plus_months(number).ok_or(LikeError::Start(start))?;
                month.to_month_string()
            }
            "count" => short(count),
            "every" => short(number / count),
            "racks" => {
                let racks = power_mw * 1_000.0 / (count * f64::from(self.halls) * self.rack_kw);
                format!("{}", racks.round().max(1.0))
            }
            _ => unreachable!("no text has another word"),
        })
    }
}

/// A number of three digits that count.
fn short(x: f64) -> String {
    let digits = 10_f64.powf(2.0 - x.abs().max(1e-9).log10().floor());
    let rounded = (x * digits).round() / digits;
    format!("{rounded}")
}

#[cfg(test)]
#[cfg(feature = "files")]
mod tests;
