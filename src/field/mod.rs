//! Fields of a scenario: each says once what it is.
//!
//! The structs that a planner fills in are *plans*, written with the [`plan!`](plan) macro. A field of
//! a plan states its type, its default and the [`Quantity`] that it measures (unit, admitted values,
//! usual values, name among the inputs). From that one line come the constructor and the setters, how
//! the field is read, written and shown in the schema, what is an error and what is unusual, how it is
//! drawn, and its line in the reference.
// Without scenario files nobody reads what a field says of its key and default.
#![cfg_attr(not(feature = "files"), allow(dead_code, unused_imports))]

mod measure;
mod plan;
mod quantity;

pub(crate) use measure::{Measure, UnitError};
pub(crate) use plan::plan;
pub(crate) use quantity::Quantity;
pub(crate) use quantity::{
    CARBON_TONNES, CELSIUS, COUNT, GRAMS_PER_KWH, GROWTH, KILOWATTS, LITRES_PER_KWH,
    MEGAWATT_HOURS, MEGAWATTS, MONEY, MONEY_PER_KW, MONEY_PER_MWH, MONTHS, NUMBER, PFLOPS, SHARE,
};

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::problem::{Path, Problems};
use crate::uncertain::Uncertain;

/// What is known of a field beside its type and its meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Its key in a file.
    pub(crate) key: &'static str,
    /// What it measures; none for names, lists and the like.
    pub(crate) quantity: Option<Quantity>,
    /// Its value where it is left out; none where it is required, empty or absent.
    pub(crate) default: Option<fn() -> serde_json::Value>,
}

/// The value of a field with what it measures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stated<'a, T> {
    pub(crate) value: &'a T,
    pub(crate) quantity: Quantity,
}

impl<T> Stated<'_, T> {
    /// Another value that measures the same: an entry of a map.
    pub(crate) fn of<'b, U>(&self, value: &'b U) -> Stated<'b, U> {
        Stated {
            value,
            quantity: self.quantity,
        }
    }
}

/// As it is written in a file and in JSON.
impl<T: Measured + Serialize> Serialize for Stated<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value.as_count().filter(|_| self.quantity.is_counted) {
            Some(count) => serializer.serialize_u32(count),
            None => self.value.serialize(serializer),
        }
    }
}

/// The fields of a plan that measure something, by their names.
pub(crate) struct Fields<'a, P>(pub(crate) &'a P);

/// What may be checked against a quantity.
pub(crate) trait Measured {
    /// Notes what is impossible as an error, and what is unusual as a warning.
    fn check(&self, quantity: &Quantity, at: &Path, problems: &mut Problems);

    /// It as a whole number, if it is one.
    fn as_count(&self) -> Option<u32> {
        None
    }
}

impl Measured for Uncertain {
    fn check(&self, quantity: &Quantity, at: &Path, problems: &mut Problems) {
        Uncertain::check(self, quantity.domain, at, problems);
        let median = (self.sampler(quantity.domain).ok()).map(|sampler| sampler.at(0.5));
        if let (Some(usual), Some(median)) = (quantity.usual, median) {
            usual.check(median, at, problems);
        }
    }
}

impl Measured for f64 {
    fn check(&self, quantity: &Quantity, at: &Path, problems: &mut Problems) {
        let key = at.last_key().unwrap_or("the value");
        if !self.is_finite() || !quantity.domain.admits(*self) {
            let help = quantity.describe_domain();
            problems.error(at, format!("{key} is {self}"), help);
        } else if let Some(usual) = quantity.usual {
            usual.check(*self, at, problems);
        }
    }

    fn as_count(&self) -> Option<u32> {
        let is_count = self.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(self);
        is_count.then_some(*self as u32)
    }
}

impl Measured for u32 {
    fn check(&self, quantity: &Quantity, at: &Path, problems: &mut Problems) {
        f64::from(*self).check(quantity, at, problems);
    }
}

impl<T: Measured> Measured for Option<T> {
    fn check(&self, quantity: &Quantity, at: &Path, problems: &mut Problems) {
        if let Some(value) = self {
            value.check(quantity, at, problems);
        }
    }
}

impl<T: Measured> Measured for Vec<T> {
    fn check(&self, quantity: &Quantity, at: &Path, problems: &mut Problems) {
        for (position, value) in self.iter().enumerate() {
            value.check(quantity, &at.index(position), problems);
        }
    }
}

impl<T: Measured> Measured for BTreeMap<String, T> {
    fn check(&self, quantity: &Quantity, at: &Path, problems: &mut Problems) {
        for (key, value) in self {
            value.check(quantity, &at.key(key), problems);
        }
    }
}

/// A required field, or one that may be absent and is: serde's rule for a missing field.
pub(crate) fn missing<'de, T, E>(key: &'static str) -> Result<T, E>
where
    T: serde::Deserialize<'de>,
    E: serde::de::Error,
{
    let unit: serde::de::value::UnitDeserializer<E> =
        serde::de::IntoDeserializer::into_deserializer(());
    T::deserialize(unit).map_err(|_| E::missing_field(key))
}

/// Adds to the schema of a plan what its fields say beside their types, and below which name its inputs are.
#[cfg(feature = "files")]
pub(crate) fn annotate(schema: &mut schemars::Schema, fields: &[Field], scope: &str) {
    use serde_json::Value as Json;
    if !scope.is_empty() {
        schema.insert("x-inputs".to_owned(), scope.into());
    }
    for field in fields {
        if let Some(Json::Array(required)) = schema.get_mut("required")
            && field.default.is_some()
        {
            required.retain(|key| key != field.key);
        }
        let properties = schema.get_mut("properties").and_then(Json::as_object_mut);
        let Some(Json::Object(property)) = properties.and_then(|all| all.get_mut(field.key)) else {
            continue;
        };
        if let Some(default) = field.default {
            property.insert("default".to_owned(), default());
        }
        if let Some(quantity) = &field.quantity {
            property.insert("x-quantity".to_owned(), quantity.to_json());
        }
    }
}

#[cfg(test)]
mod tests;
