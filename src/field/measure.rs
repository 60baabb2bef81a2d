//! Units: what a key is measured in, and values that carry their unit.

use crate::date::{DAYS_PER_MONTH, HOURS_PER_MONTH, WEEKS_PER_MONTH};
use crate::problem::nearest;

/// What the values of a key are measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measure {
    /// How it is called.
    pub(crate) name: &'static str,
    /// The end of a key whose plain numbers are in the base unit.
    suffix: &'static str,
    /// Whether the key may be written without the suffix, the value then carrying its unit.
    may_shorten: bool,
    /// Units, and what one of them is in the base unit, which stands first if it has a name.
    units: &'static [Unit],
}

/// A unit and what one of it is in the base unit.
type Unit = (&'static str, f64);

const TIMES: &[Unit] = &[
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

/// A number without a unit.
pub(crate) static NUMBER: Measure = Measure {
    name: "a plain number",
    suffix: "",
    may_shorten: false,
    units: &[],
};

/// Shares, probabilities and rates: a number, or per cent.
pub(crate) static SHARE: Measure = Measure {
    name: "a share",
    suffix: "",
    may_shorten: false,
    units: &[("%", 0.01)],
};

/// Months.
pub(crate) static DURATION: Measure = Measure {
    name: "a duration",
    suffix: "_months",
    may_shorten: true,
    units: TIMES,
};

/// Money by the kW.
pub(crate) static PER_POWER: Measure = Measure {
    name: "an amount by power",
    suffix: "_per_kw",
    may_shorten: false,
    units: &[("per kW", 1.0), ("per MW", 1e-3)],
};

/// Money by the MWh.
pub(crate) static PER_ENERGY: Measure = Measure {
    name: "an amount by energy",
    suffix: "_per_mwh",
    may_shorten: false,
    units: &[("per MWh", 1.0), ("per kWh", 1e3)],
};

/// MWh.
pub(crate) static ENERGY_MWH: Measure = Measure {
    name: "an energy",
    suffix: "_mwh",
    may_shorten: true,
    units: &[("MWh", 1.0), ("kWh", 1e-3), ("GWh", 1e3)],
};

/// kW.
pub(crate) static POWER_KW: Measure = Measure {
    name: "a power",
    suffix: "_kw",
    may_shorten: true,
    units: &[("kW", 1.0), ("W", 1e-3), ("MW", 1e3), ("GW", 1e6)],
};

/// MW.
pub(crate) static POWER_MW: Measure = Measure {
    name: "a power",
    suffix: "_mw",
    may_shorten: true,
    units: &[("MW", 1.0), ("W", 1e-6), ("kW", 1e-3), ("GW", 1e3)],
};

/// PFLOPS.
pub(crate) static COMPUTE: Measure = Measure {
    name: "a compute",
    suffix: "_pflops",
    may_shorten: true,
    units: &[
        ("PFLOPS", 1.0),
        ("GFLOPS", 1e-6),
        ("TFLOPS", 1e-3),
        ("EFLOPS", 1e3),
        ("ZFLOPS", 1e6),
    ],
};

/// Degrees Celsius.
pub(crate) static TEMPERATURE: Measure = Measure {
    name: "a temperature",
    suffix: "_celsius",
    may_shorten: false,
    units: &[("°C", 1.0)],
};

/// Grams of CO2 by the kWh.
pub(crate) static CARBON_INTENSITY: Measure = Measure {
    name: "a carbon intensity",
    suffix: "_g_per_kwh",
    may_shorten: true,
    units: &[
        ("g/kWh", 1.0),
        ("kg/MWh", 1.0),
        ("t/MWh", 1e3),
        ("kg/kWh", 1e3),
    ],
};

/// Litres by the kWh.
pub(crate) static WATER_INTENSITY: Measure = Measure {
    name: "a water intensity",
    suffix: "_litres_per_kwh",
    may_shorten: true,
    units: &[("L/kWh", 1.0), ("m³/MWh", 1.0), ("m3/MWh", 1.0)],
};

/// Tonnes of CO2.
pub(crate) static CARBON: Measure = Measure {
    name: "a mass of carbon",
    suffix: "_carbon_t",
    may_shorten: false,
    units: &[("t", 1.0), ("kg", 1e-3), ("kt", 1e3), ("Mt", 1e6)],
};

/// All measures. One whose keys end as those of another stands before it.
pub(crate) static MEASURES: &[&Measure] = &[
    &NUMBER,
    &SHARE,
    &DURATION,
    &PER_POWER,
    &PER_ENERGY,
    &ENERGY_MWH,
    &POWER_KW,
    &POWER_MW,
    &COMPUTE,
    &TEMPERATURE,
    &CARBON_INTENSITY,
    &WATER_INTENSITY,
    &CARBON,
];

impl Measure {
    /// The measure of a key by its end; none for plain numbers and counts.
    pub(crate) fn of(key: &str) -> Option<&'static Self> {
        let mut measures = MEASURES.iter();
        measures
            .find(|measure| !measure.suffix.is_empty() && key.ends_with(measure.suffix))
            .copied()
    }

    /// The measure of a name.
    #[cfg(feature = "files")]
    pub(crate) fn named(name: &str, unit: Option<&str>) -> Option<&'static Self> {
        let mut measures = MEASURES.iter().copied();
        measures.find(|measure| measure.name == name && measure.base_unit() == unit)
    }

    /// The unit of its plain numbers; none where they have none.
    pub(crate) fn base_unit(&self) -> Option<&'static str> {
        let (name, factor) = self.units.first()?;
        (*factor == 1.0).then_some(*name)
    }

    /// Whether its values may carry a unit.
    pub(crate) fn has_units(&self) -> bool {
        !self.units.is_empty()
    }

    /// The key without its unit, if it may be written so: `power` for `power_kw`.
    pub(crate) fn shortened(key: &str) -> Option<&str> {
        let measure = Self::of(key)?;
        if measure.may_shorten {
            key.strip_suffix(measure.suffix)
        } else {
            None
        }
    }

    /// An example of a value with a unit.
    pub(crate) fn example(&self) -> String {
        format!("\"4 {}\"", self.units[0].0)
    }

    /// Reads a value with its unit, such as "17 weeks", into the base unit.
    pub(crate) fn read(&self, text: &str) -> Result<f64, UnitError> {
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
        let is_of = MEASURES
            .iter()
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

/// A value whose unit cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnitError {
    /// What was read and why it cannot be.
    pub(crate) message: String,
    /// What would be right.
    pub(crate) help: String,
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
        assert_eq!(SHARE.read("25 %"), Ok(0.25));
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
