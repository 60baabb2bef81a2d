//! Which values a quantity can have at all.

use crate::problem::with_thousands;

/// What values a quantity can have at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Domain {
    /// The least value; negative infinity if there is none.
    pub min: f64,
    /// The greatest value; infinity if there is none.
    pub max: f64,
}

impl Domain {
    /// Any finite number.
    pub const ANY: Self = Self {
        min: f64::NEG_INFINITY,
        max: f64::INFINITY,
    };
    /// 0 or more.
    pub const NON_NEGATIVE: Self = Self {
        min: 0.0,
        max: f64::INFINITY,
    };
    /// More than 0.
    pub const POSITIVE: Self = Self {
        min: f64::MIN_POSITIVE,
        max: f64::INFINITY,
    };
    /// How many there are, 1 or more; what is drawn is rounded.
    pub const COUNT: Self = Self {
        min: 1.0,
        max: f64::INFINITY,
    };
    /// A share or a probability: 0 to 1.
    pub const SHARE: Self = Self { min: 0.0, max: 1.0 };

    pub(crate) fn admits(self, value: f64) -> bool {
        (self.min..=self.max).contains(&value) && value.abs() <= LARGEST
    }

    /// What the quantity may be, in words; `value` decides whether the bound of all quantities is worth telling.
    pub(super) fn describe_for(self, value: f64) -> String {
        if value.abs() > LARGEST && (self.min..=self.max).contains(&value) {
            return format!("{}, at most {LARGEST:e} in size", self.describe());
        }
        self.describe()
    }

    /// What it admits, in words.
    pub(crate) fn describe(self) -> String {
        let number = |bound: f64| with_thousands(&bound.to_string());
        if self.min == f64::MIN_POSITIVE {
            return match self.max.is_finite() {
                true => format!("above 0, at most {}", number(self.max)),
                false => "a number above 0".to_owned(),
            };
        }
        match (self.min.is_finite(), self.max.is_finite()) {
            (true, true) => format!("{} to {}", number(self.min), number(self.max)),
            (true, false) => format!("{} or more", number(self.min)),
            (false, true) => format!("{} or less", number(self.max)),
            (false, false) => "any finite number".to_owned(),
        }
    }
}

/// The greatest size of a parameter: far beyond any quantity of a build-out in any unit or currency, and small enough
/// that products of a few such quantities are finite (assumption).
pub const LARGEST: f64 = 1e18;
