//! Units: what a key is measured in, and values that carry their unit.

use crate::date::{DAYS_PER_MONTH, HOURS_PER_MONTH, WEEKS_PER_MONTH};
use crate::problem::nearest;

/// What the values of a key are measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    /// How it is called.
    name: &'static str,
    /// The end of a key whose plain numbers are in the base unit.
    suffix: &'static str,
    /// Whether the key may be written without the suffix, the value then carrying its unit.
    may_shorten: bool,
    /// Units, and what one of them is in the base unit. The first is the base unit.
    units: &'static [(&'static str, f64)],
}

const DURATION: &[(&str, f64)] = &[
    ("months", 1.0),
    ("month", 1.0),
    ("years", 12.0),
    ("year", 12.0),
    ("weeks", 1.0 / WEEKS_PER_MONTH),
    ("week", 1.0 / WEEKS_PER_MONTH),
    ("days", 1.0 / DAYS_PER_MONTH),
    ("day", 1.0 / DAYS_PER_MONTH),
    ("hours", 1.0 / HOURS_PER_MONTH),
    ("hour", 1.0 / HOURS_PER_MONTH),
];
const POWER_KW: &[(&str, f64)] = &[("kW", 1.0), ("W", 1e-3), ("MW", 1e3), ("GW", 1e6)];
const POWER_MW: &[(&str, f64)] = &[("MW", 1.0), ("W", 1e-6), ("kW", 1e-3), ("GW", 1e3)];
const COMPUTE: &[(&str, f64)] = &[
    ("PFLOPS", 1.0),
    ("GFLOPS", 1e-6),
    ("TFLOPS", 1e-3),
    ("EFLOPS", 1e3),
    ("ZFLOPS", 1e6),
];
const TEMPERATURE: &[(&str, f64)] = &[("°C", 1.0)];
const CARBON_INTENSITY: &[(&str, f64)] = &[
    ("g/kWh", 1.0),
    ("kg/MWh", 1.0),
    ("t/MWh", 1e3),
    ("kg/kWh", 1e3),
];
const WATER_INTENSITY: &[(&str, f64)] = &[("L/kWh", 1.0), ("m³/MWh", 1.0), ("m3/MWh", 1.0)];
const CARBON: &[(&str, f64)] = &[("t", 1.0), ("kg", 1e-3), ("kt", 1e3), ("Mt", 1e6)];
const ENERGY_MWH: &[(&str, f64)] = &[("MWh", 1.0), ("kWh", 1e-3), ("GWh", 1e3)];
const PER_POWER: &[(&str, f64)] = &[("per kW", 1.0), ("per MW", 1e-3)];
const PER_ENERGY: &[(&str, f64)] = &[("per MWh", 1.0), ("per kWh", 1e3)];
const PER_CENT: &[(&str, f64)] = &[("%", 0.01)];

/// Shares and probabilities: a number from 0 to 1, or per cent.
pub(super) const SHARE: Measure = Measure {
    name: "a share",
    suffix: "",
    may_shorten: false,
    units: PER_CENT,
};

const MEASURES: &[Measure] = &[
    Measure {
        name: "a duration",
        suffix: "_months",
        may_shorten: true,
        units: DURATION,
    },
    // What is by the unit goes before the unit, for its keys end in it too.
    Measure {
        name: "an amount by power",
        suffix: "_per_kw",
        may_shorten: false,
        units: PER_POWER,
    },
    Measure {
        name: "an amount by energy",
        suffix: "_per_mwh",
        may_shorten: false,
        units: PER_ENERGY,
    },
    Measure {
        name: "an energy",
        suffix: "_mwh",
        may_shorten: true,
        units: ENERGY_MWH,
    },
    Measure {
        name: "a power",
        suffix: "_kw",
        may_shorten: true,
        units: POWER_KW,
    },
    Measure {
        name: "a power",
        suffix: "_mw",
        may_shorten: true,
        units: POWER_MW,
    },
    Measure {
        name: "a compute",
        suffix: "_pflops",
        may_shorten: true,
        units: COMPUTE,
    },
    Measure {
        name: "a temperature",
        suffix: "_celsius",
        may_shorten: false,
        units: TEMPERATURE,
    },
    Measure {
        name: "a carbon intensity",
        suffix: "_g_per_kwh",
        may_shorten: true,
        units: CARBON_INTENSITY,
    },
    Measure {
        name: "a water intensity",
        suffix: "_litres_per_kwh",
        may_shorten: true,
        units: WATER_INTENSITY,
    },
    Measure {
        name: "a mass of carbon",
        suffix: "_carbon_t",
        may_shorten: false,
        units: CARBON,
    },
];

/// Ends of keys whose values are shares, so that "25 %" may be written for 0.25.
const SHARES: &[&str] = &[
    "probability",
    "share",
    "utilisation",
    "availability",
    "growth_per_year",
    "rate_per_year",
    "indexation_per_year",
    "discount_per_year_of_age",
    "churn_per_month",
];

impl Measure {
    /// The measure of a key by its end; none for plain numbers and counts.
    pub(super) fn of(key: &str) -> Option<Self> {
        let by_suffix = MEASURES
            .iter()
            .find(|measure| key.ends_with(measure.suffix));
        by_suffix
            .copied()
            .or_else(|| SHARES.iter().any(|end| key.ends_with(end)).then_some(SHARE))
    }

    /// The key without its unit, if it may be written so: `power` for `power_kw`.
    pub(super) fn shortened(key: &str) -> Option<&str> {
        let measure = Self::of(key)?;
        if measure.may_shorten {
            key.strip_suffix(measure.suffix)
        } else {
            None
        }
    }

    /// An example of a value with a unit.
    pub(super) fn example(&self) -> String {
        format!("\"4 {}\"", self.units[0].0)
    }

    /// Reads a value with its unit, such as "17 weeks", into the base unit.
    pub(super) fn read(&self, text: &str) -> Result<f64, UnitError> {
        let (number, unit) = split(text)?;
        match self.units.iter().find(|(known, _)| *known == unit) {
            Some((_, factor)) => Ok(number * factor),
            None => Err(UnitError {
                message: self.wrong_unit(text, unit),
                help: self.help(unit),
            }),
        }
    }

    fn wrong_unit(&self, text: &str, unit: &str) -> String {
        if unit.is_empty() {
            return format!("\"{text}\" has no unit");
        }
        let others = MEASURES.iter().chain([&SHARE]);
        let is_of = others
            .filter(|other| other.name != self.name)
            .find(|other| other.units.iter().any(|(known, _)| *known == unit));
        match is_of {
            Some(other) => format!("\"{text}\" is {}, not {}", other.name, self.name),
            None => format!("\"{text}\" has an unknown unit \"{unit}\""),
        }
    }

    fn help(&self, unit: &str) -> String {
        let known = self.units.iter().map(|(known, _)| *known);
        if let Some(near) = nearest(unit, known.clone())
            && !unit.is_empty()
        {
            return format!("did you mean \"{near}\"?");
        }
        format!(
            "{} is written with one of: {}",
            self.name,
            known.collect::<Vec<_>>().join(", ")
        )
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct UnitError {
    pub(super) message: String,
    pub(super) help: String,
}

/// A number and what follows it. Groups of digits may be divided by `_` or `,`.
fn split(text: &str) -> Result<(f64, &str), UnitError> {
    let text = text.trim();
    let is_of_number = |(at, c): &(usize, char)| {
        c.is_ascii_digit()
            || matches!(c, '.' | ',' | '_')
            || (matches!(c, '+' | '-') && (*at == 0 || text[..*at].ends_with(['e', 'E'])))
            // An exponent, not the beginning of a unit.
            || (matches!(c, 'e' | 'E')
                && text[at + 1..].trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit()))
    };
    let end = text
        .char_indices()
        .find(|c| !is_of_number(c))
        .map_or(text.len(), |(at, _)| at);
    let digits = text[..end].replace('_', "");
    // A comma may part groups of three digits; anything else could be meant as a decimal point.
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or_default();
    let is_grouped = whole.split(',').skip(1).all(|group| group.len() == 3)
        && digits.matches(',').count() == whole.matches(',').count();
    let digits = if is_grouped {
        digits.replace(',', "")
    } else {
        digits
    };
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((number, text[end..].trim())),
        _ => Err(UnitError {
            message: format!("\"{text}\" does not begin with a number"),
            help: "write a number and a unit, such as \"2.5 kW\" or \"17 weeks\"".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, text: &str) -> Result<f64, String> {
        Measure::of(key)
            .unwrap()
            .read(text)
            .map_err(|error| error.message)
    }

    #[test]
    fn values_are_read_in_the_unit_of_their_key() {
        assert_eq!(read("power_kw", "2.5 kW"), Ok(2.5));
        assert_eq!(read("power_kw", "12 MW"), Ok(12_000.0));
        assert_eq!(read("power_mw", "330kW"), Ok(0.33));
        assert_eq!(read("horizon_months", "11 years"), Ok(132.0));
        assert_eq!(read("compute_pflops", "2 EFLOPS"), Ok(2_000.0));
        assert_eq!(read("compute_pflops", "5,000 PFLOPS"), Ok(5_000.0));
        assert_eq!(read("sign_probability", "25 %"), Ok(0.25));
        assert_eq!(read("free_below_celsius", "12 °C"), Ok(12.0));
        assert_eq!(read("grid_carbon_g_per_kwh", "0.4 kg/kWh"), Ok(400.0));
        assert_eq!(read("water_litres_per_kwh", "0.8 L/kWh"), Ok(0.8));
        assert_eq!(read("embodied_carbon_t", "2 kt"), Ok(2_000.0));
        assert_eq!(read("lag_months", "-2 months"), Ok(-2.0));
        assert_eq!(read("power_kw", "1.5e3 W"), Ok(1.5));
        let weeks = read("duration_months", "128 weeks").unwrap();
        assert!((weeks - 128.0 * 7.0 / 30.4375).abs() < 1e-12);
    }

    #[test]
    fn a_wrong_unit_is_refused_by_its_kind() {
        let refused = |key, text| read(key, text).unwrap_err();
        assert_eq!(
            refused("duration_months", "12 MW"),
            "\"12 MW\" is a power, not a duration"
        );
        assert_eq!(refused("power_kw", "12"), "\"12\" has no unit");
        assert_eq!(
            refused("power_kw", "12 mW"),
            "\"12 mW\" has an unknown unit \"mW\""
        );
        assert!(refused("power_kw", "many").contains("does not begin with a number"));
        assert!(refused("power_kw", "1e999 kW").contains("does not begin with a number"));
        assert!(refused("power_kw", "2,5 kW").contains("does not begin with a number"));
        assert!(refused("power_kw", "").contains("does not begin with a number"));
    }
}
