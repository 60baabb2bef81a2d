//! What a number in a scenario measures.

use super::measure::{self, Measure};
use crate::problem::{Path, Problems, with_thousands};
use crate::uncertain::Domain;

/// What a number measures: its unit, the values that it can have and those that it usually has, and
/// its name among the inputs of a trial.
///
/// Quantities are built from the constants of this module:
/// `SHARE.input("churn").usually(0.0, 0.05, "2 to 2.5 % a quarter is usual")`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quantity {
    /// The unit.
    pub(crate) measure: &'static Measure,
    /// The values that it can have.
    pub(crate) domain: Domain,
    /// The values that it usually has, where they are known.
    pub(crate) usual: Option<Usual>,
    /// Its name among the inputs of a trial, below that of its plan; empty where it has that of its
    /// plan; none where it is no input by itself.
    pub(crate) input: Option<&'static str>,
    /// Whether it is counted: whole numbers of it are written without a fraction.
    pub(crate) is_counted: bool,
}

/// The values that a quantity usually has. Others are warned of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usual {
    /// The least usual value.
    pub(crate) min: f64,
    /// The greatest usual value.
    pub(crate) max: f64,
    /// Why: what is published, or what was probably meant.
    pub(crate) because: &'static str,
}

impl Usual {
    pub(super) fn check(&self, value: f64, at: &Path, problems: &mut Problems) {
        let key = at.last_key().unwrap_or("the value");
        let number = |value: f64| with_thousands(&value.to_string());
        let rounded = number((value * 1e3).round() / 1e3);
        let side = if value > self.max {
            format!(
                "{key} is {rounded}, more than the usual {}",
                number(self.max)
            )
        } else if value < self.min {
            format!(
                "{key} is {rounded}, less than the usual {}",
                number(self.min)
            )
        } else {
            return;
        };
        problems.warning(at, side, self.because);
    }
}

impl Quantity {
    const fn of(measure: &'static Measure, domain: Domain) -> Self {
        Self {
            measure,
            domain,
            usual: None,
            input: None,
            is_counted: false,
        }
    }

    /// The name of the input that is drawn for it; empty for that of its plan.
    pub(crate) const fn input(mut self, name: &'static str) -> Self {
        self.input = Some(name);
        self
    }

    /// Narrows its values to those from `min` to `max`.
    pub(crate) const fn within(mut self, min: f64, max: f64) -> Self {
        self.domain = Domain { min, max };
        self
    }

    /// Narrows its values to those above 0.
    pub(crate) const fn above_zero(mut self) -> Self {
        self.domain.min = f64::MIN_POSITIVE;
        self
    }

    /// Widens its values to any finite number.
    pub(crate) const fn any(mut self) -> Self {
        self.domain = Domain::ANY;
        self
    }

    /// Counts it, where parts of one are possible.
    pub(crate) const fn counted(mut self) -> Self {
        self.is_counted = true;
        self
    }

    /// Warns of values that are not from `min` to `max`, for this reason.
    pub(crate) const fn usually(mut self, min: f64, max: f64, because: &'static str) -> Self {
        self.usual = Some(Usual { min, max, because });
        self
    }

    /// The values that it can have, in words.
    pub(crate) fn describe_domain(&self) -> String {
        self.domain.describe()
    }

    /// For the schema and the reference.
    #[cfg(feature = "files")]
    pub(crate) fn to_json(self) -> serde_json::Value {
        let mut json = serde_json::json!({
            "measure": self.measure.name,
            "domain": self.describe_domain(),
        });
        if let Some(unit) = self.measure.base_unit() {
            json["unit"] = unit.into();
        }
        if let Some(usual) = self.usual {
            json["usual"] = Domain {
                min: usual.min,
                max: usual.max,
            }
            .describe()
            .into();
            json["because"] = usual.because.into();
        }
        if let Some(input) = self.input {
            json["input"] = input.into();
        }
        json
    }
}

/// A plain number of 0 or more.
pub(crate) const NUMBER: Quantity = Quantity::of(&measure::NUMBER, Domain::NON_NEGATIVE);
/// How many, 1 or more.
pub(crate) const COUNT: Quantity = Quantity::of(
    &measure::NUMBER,
    Domain {
        min: 1.0,
        max: f64::INFINITY,
    },
);
/// A duration of 0 or more.
pub(crate) const MONTHS: Quantity = Quantity::of(&measure::DURATION, Domain::NON_NEGATIVE);
/// A share or a probability, 0 to 1.
pub(crate) const SHARE: Quantity = Quantity::of(&measure::SHARE, Domain::SHARE);
/// Growth a year as a share of the year before, above a total loss.
pub(crate) const GROWTH: Quantity = Quantity::of(
    &measure::SHARE,
    Domain {
        min: -0.99,
        max: f64::INFINITY,
    },
);
/// A power above 0.
pub(crate) const KILOWATTS: Quantity = Quantity::of(&measure::POWER_KW, Domain::POSITIVE);
/// A power above 0.
pub(crate) const MEGAWATTS: Quantity = Quantity::of(&measure::POWER_MW, Domain::POSITIVE);
/// An energy above 0.
pub(crate) const MEGAWATT_HOURS: Quantity = Quantity::of(&measure::ENERGY_MWH, Domain::POSITIVE);
/// A compute of 0 or more.
pub(crate) const PFLOPS: Quantity = Quantity::of(&measure::COMPUTE, Domain::NON_NEGATIVE);
/// An outdoor temperature.
pub(crate) const CELSIUS: Quantity = Quantity::of(
    &measure::TEMPERATURE,
    Domain {
        min: -90.0,
        max: 60.0,
    },
);
/// A carbon intensity of 0 or more.
pub(crate) const GRAMS_PER_KWH: Quantity =
    Quantity::of(&measure::CARBON_INTENSITY, Domain::NON_NEGATIVE);
/// A water intensity of 0 or more.
pub(crate) const LITRES_PER_KWH: Quantity =
    Quantity::of(&measure::WATER_INTENSITY, Domain::NON_NEGATIVE);
/// A mass of CO2 of 0 or more.
pub(crate) const CARBON_TONNES: Quantity = Quantity::of(&measure::CARBON, Domain::NON_NEGATIVE);
/// An amount of 0 or more, in the scenario's currency.
pub(crate) const MONEY: Quantity = Quantity::of(&measure::NUMBER, Domain::NON_NEGATIVE);
/// An amount by power of 0 or more.
pub(crate) const MONEY_PER_KW: Quantity = Quantity::of(&measure::PER_POWER, Domain::NON_NEGATIVE);
/// An amount by energy of 0 or more.
pub(crate) const MONEY_PER_MWH: Quantity = Quantity::of(&measure::PER_ENERGY, Domain::NON_NEGATIVE);
