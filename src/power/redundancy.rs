//! Redundancy: how much of the installed modules may carry IT load.
//!
//! A group of x modules of which y are needed may carry y modules' worth of load, so that the
//! loss of x - y of them is borne. Every arrangement in use is such a group:
//!
//! | written | x | y | usable share of what is installed |
//! | --- | --- | --- | --- |
//! | `N` | 1 | 1 | 100 % |
//! | `N+1`, `N+k` | n + k | n | n / (n + k) |
//! | `2N` | 2 | 1 | 50 % |
//! | `3N/2` distributed | 3 | 2 | 66.7 % |
//! | `4N/3` distributed | 4 | 3 | 75 % |
//! | `xN/y` distributed | x | y | y / x |
//! | `block xN/y` | x | y | y / x |
//!
//! Distributed and block redundant differ in where the reserve stands. Distributed: every module
//! carries load up to y / x of its rating, and each rack is fed by two of them. Block redundant:
//! y modules carry load up to their rating, and x - y "catchers" stand idle until one fails.
//! So they strand power differently when racks are large.
//!
//! Source of the arrangements and shares: Schneider Electric White Paper 75, "Comparing UPS
//! system design configurations"; Uptime Institute on distributed redundancy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How the modules of an electrical chain stand in for one another.
///
/// Written as `"N"`, `"N+1"`, `"N+2"`, `"2N"`, `"3N/2"`, `"4N/3"` or any `"xN/y"`, and
/// `"block 4N/3"` for block redundancy.
///
/// ```
/// use buildout::power::Redundancy;
/// let distributed: Redundancy = "4N/3".parse()?;
/// assert_eq!(distributed.usable_modules(8), 6);
/// assert_eq!(distributed.usable_share(8), 0.75);
/// # Ok::<(), buildout::power::RedundancyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Redundancy {
    /// All modules of a plant in parallel, this many of them spare: N for 0, N+1 for 1.
    Spare(u32),
    /// Groups of `modules` of which `needed` are needed, all sharing the load: 2N, 3N/2, 4N/3.
    Distributed {
        /// Modules of a group, above `needed`.
        modules: u32,
        /// How many of them are needed, 1 or more.
        needed: u32,
    },
    /// Groups of `modules` of which `needed` carry load and the others stand idle.
    Block {
        /// Modules of a group, above `needed`.
        modules: u32,
        /// How many of them carry load, 1 or more.
        needed: u32,
    },
}

/// A text that names no redundancy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no redundancy")]
pub struct RedundancyError(String);

impl RedundancyError {
    /// What may be written.
    pub const HELP: &'static str = "one of \"N\", \"N+1\", \"N+2\", \"2N\", \"3N/2\", \"4N/3\", any \"xN/y\" with x above y, or \"block 4N/3\"";
}

/// The most modules of a group, which keeps closed forms cheap.
const MOST_MODULES: u32 = 1_000;

impl Redundancy {
    /// No redundancy.
    pub const N: Self = Self::Spare(0);
    /// Two full systems.
    pub const TWO_N: Self = Self::Distributed {
        modules: 2,
        needed: 1,
    };

    /// Modules of a group and how many of them are needed, with `installed` modules in the plant:
    /// (x, y). A plant of the N+k kind is one group.
    pub fn group(self, installed: u32) -> (u32, u32) {
        match self {
            Self::Spare(spare) => (installed, installed.saturating_sub(spare)),
            Self::Distributed { modules, needed } | Self::Block { modules, needed } => {
                (modules, needed)
            }
        }
    }

    /// How many modules a group may lose without shedding load: x - y.
    pub fn tolerates(self) -> u32 {
        match self {
            Self::Spare(spare) => spare,
            Self::Distributed { modules, needed } | Self::Block { modules, needed } => {
                modules - needed
            }
        }
    }

    /// How many modules' worth of IT load `installed` modules may carry:
    /// y x floor(m / x) + max(0, m mod x - (x - y)).
    ///
    /// An incomplete group must bear the loss of x - y modules too, so the first x - y of it
    /// carry nothing.
    pub fn usable_modules(self, installed: u32) -> u32 {
        match self {
            Self::Spare(spare) => installed.saturating_sub(spare),
            Self::Distributed { modules, needed } | Self::Block { modules, needed } => {
                let (complete, rest) = (installed / modules, installed % modules);
                complete * needed + rest.saturating_sub(modules - needed)
            }
        }
    }

    /// Usable share of `installed` modules, 0 to 1; 0 if there are none.
    pub fn usable_share(self, installed: u32) -> f64 {
        if installed == 0 {
            return 0.0;
        }
        f64::from(self.usable_modules(installed)) / f64::from(installed)
    }

    /// The share of its rating up to which a module that carries load may be loaded in normal
    /// running, with `installed` modules: y / x where all share the load, 1 in a block.
    pub fn load_limit(self, installed: u32) -> f64 {
        match self {
            Self::Block { .. } => 1.0,
            Self::Spare(_) => self.usable_share(installed),
            Self::Distributed { modules, needed } => f64::from(needed) / f64::from(modules),
        }
    }
}

impl fmt::Display for Redundancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Spare(0) => f.write_str("N"),
            Self::Spare(spare) => write!(f, "N+{spare}"),
            Self::Distributed { modules, needed: 1 } => write!(f, "{modules}N"),
            Self::Distributed { modules, needed } => write!(f, "{modules}N/{needed}"),
            Self::Block { modules, needed } => write!(f, "block {modules}N/{needed}"),
        }
    }
}

impl FromStr for Redundancy {
    type Err = RedundancyError;

    fn from_str(text: &str) -> Result<Self, RedundancyError> {
        let error = || RedundancyError(text.to_owned());
        let compact: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
            .to_ascii_uppercase();
        let (is_block, rest) = match compact.strip_prefix("BLOCK") {
            Some(rest) => (true, rest),
            None => (false, compact.as_str()),
        };
        let (before, after) = rest.split_once('N').ok_or_else(error)?;
        let number = |digits: &str| -> Result<u32, RedundancyError> {
            let is_plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
            match digits.parse() {
                Ok(number) if is_plain && number <= MOST_MODULES => Ok(number),
                _ => Err(error()),
            }
        };
        if let (false, "", Some(spare)) = (is_block, before, after.strip_prefix('+')) {
            return number(spare).map(Self::Spare);
        }
        if !is_block && before.is_empty() && after.is_empty() {
            return Ok(Self::N);
        }
        let modules = number(before)?;
        let needed = match after.strip_prefix('/') {
            Some(needed) => number(needed)?,
            None if after.is_empty() => 1,
            None => return Err(error()),
        };
        if needed == 0 || modules <= needed {
            return Err(error());
        }
        Ok(if is_block {
            Self::Block { modules, needed }
        } else {
            Self::Distributed { modules, needed }
        })
    }
}

impl Serialize for Redundancy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Redundancy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "files")]
impl schemars::JsonSchema for Redundancy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Redundancy".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "How modules stand in for one another: \"N\", \"N+1\", \"2N\", \"3N/2\", \"4N/3\", any \"xN/y\", or \"block 4N/3\"",
            "pattern": r"^(N(\+[0-9]+)?|(block )?[0-9]+N(/[0-9]+)?)$",
            "x-buildout": "redundancy",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redundancy(text: &str) -> Redundancy {
        text.parse().unwrap()
    }

    #[test]
    fn the_published_shares_come_out_exactly() {
        for installed in 1..=24 {
            assert_eq!(redundancy("N").usable_share(installed), 1.0);
        }
        for n in 1..=24 {
            let share = redundancy("N+1").usable_share(n + 1);
            assert_eq!(share, f64::from(n) / f64::from(n + 1));
        }
        for groups in 1..=8 {
            assert_eq!(redundancy("2N").usable_share(2 * groups), 0.5);
            assert_eq!(redundancy("3N/2").usable_share(3 * groups), 2.0 / 3.0);
            assert_eq!(redundancy("4N/3").usable_share(4 * groups), 0.75);
            assert_eq!(redundancy("block 4N/3").usable_share(4 * groups), 0.75);
            assert_eq!(redundancy("10N/7").usable_share(10 * groups), 0.7);
        }
    }

    #[test]
    fn an_incomplete_group_bears_the_loss_too() {
        let of = |text: &str, installed| redundancy(text).usable_modules(installed);
        assert_eq!([1, 2, 3, 4].map(|m| of("2N", m)), [0, 1, 1, 2]);
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(|m| of("3N/2", m)),
            [0, 1, 2, 2, 3, 4]
        );
        assert_eq!([0, 1, 2, 3].map(|m| of("N+2", m)), [0, 0, 0, 1]);
    }

    #[test]
    fn a_module_is_loaded_to_its_share_or_in_full() {
        assert_eq!(redundancy("4N/3").load_limit(8), 0.75);
        assert_eq!(redundancy("block 4N/3").load_limit(8), 1.0);
        assert_eq!(redundancy("N+1").load_limit(5), 0.8);
    }

    #[test]
    fn what_names_no_redundancy_is_refused() {
        for text in [
            "",
            "M",
            "N+",
            "0N",
            "N/2",
            "2N/2",
            "2N/3",
            "block",
            "block N",
            "3N/0",
            "2N+1",
            "N+-1",
            "block N+1",
            "9999N",
        ] {
            assert!(text.parse::<Redundancy>().is_err(), "{text}");
        }
        assert_eq!(redundancy("3 n / 2"), redundancy("3N/2"));
    }

    proptest! {
        #[test]
        fn writing_and_reading_agree(modules in 2_u32..50, needed in 1_u32..49, kind in 0..3) {
            prop_assume!(needed < modules);
            let written = match kind {
                0 => Redundancy::Spare(needed),
                1 => Redundancy::Distributed { modules, needed },
                _ => Redundancy::Block { modules, needed },
            };
            prop_assert_eq!(redundancy(&written.to_string()), written);
        }

        #[test]
        fn one_more_module_never_carries_less_and_at_most_one_more(
            modules in 2_u32..20, needed in 1_u32..19, installed in 0_u32..200,
        ) {
            prop_assume!(needed < modules);
            let group = Redundancy::Distributed { modules, needed };
            let (now, next) = (group.usable_modules(installed), group.usable_modules(installed + 1));
            prop_assert!(now <= next && next <= now + 1);
            prop_assert!(next <= installed + 1);
        }
    }
}
