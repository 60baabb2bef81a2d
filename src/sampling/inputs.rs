//! The inputs of a trial: every uncertain quantity that is drawn once a trial.
//!
//! Each has a name, such as `Qingyang/A1/shell`, and is drawn from the source of that name.
//! So an input keeps its random numbers when others are added or removed.

use crate::field::Stated;
use crate::sampling::streams::Source;
use crate::uncertain::correlation::Copula;
use crate::uncertain::exchangeable::Draw;
use crate::uncertain::factors::Factors;
use crate::uncertain::{Domain, Sampler, Uncertain, UncertainError};

/// A quantity as the model reads it: known beforehand, or drawn once a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quantity {
    /// The same in every trial.
    Fixed(f64),
    /// The position among the drawn inputs.
    Drawn(u32),
    /// The product of a drawn input and a number.
    Scaled(u32, f64),
    /// The product of two drawn inputs.
    Product(u32, u32),
}

impl Quantity {
    /// Its value in the trial whose inputs are `drawn`.
    #[inline]
    pub(crate) fn value(self, drawn: &[f64]) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Drawn(position) => drawn[position as usize],
            Self::Scaled(position, by) => drawn[position as usize] * by,
            Self::Product(first, second) => drawn[first as usize] * drawn[second as usize],
        }
    }

    /// The positions of the inputs in it.
    fn positions(self) -> [Option<usize>; 2] {
        match self {
            Self::Fixed(_) => [None, None],
            Self::Drawn(position) | Self::Scaled(position, _) => [Some(position as usize), None],
            Self::Product(first, second) => [Some(first as usize), Some(second as usize)],
        }
    }

    /// The product with another; `None` where a drawn product would meet a third input.
    pub(crate) fn times(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Fixed(a), Self::Fixed(b)) => Self::Fixed(a * b),
            (Self::Fixed(by), Self::Drawn(position)) | (Self::Drawn(position), Self::Fixed(by)) => {
                Self::Scaled(position, by)
            }
            (Self::Fixed(a), Self::Scaled(position, b))
            | (Self::Scaled(position, b), Self::Fixed(a)) => Self::Scaled(position, a * b),
            (Self::Drawn(first), Self::Drawn(second)) => Self::Product(first, second),
            _ => return None,
        })
    }
}

/// What may be registered as an input.
pub(crate) trait Drawn {
    /// What the model reads.
    type Quantity;

    /// Registers it, if it is there, under a name.
    fn register(
        &self,
        inputs: &mut Inputs,
        domain: Domain,
        name: impl FnOnce() -> String,
    ) -> Result<Self::Quantity, UncertainError>;

    /// What the model reads where nothing is drawn.
    fn undrawn(&self) -> Self::Quantity;
}

impl Drawn for Uncertain {
    type Quantity = Quantity;

    fn register(
        &self,
        inputs: &mut Inputs,
        domain: Domain,
        name: impl FnOnce() -> String,
    ) -> Result<Quantity, UncertainError> {
        inputs.add(name(), self, domain)
    }

    fn undrawn(&self) -> Quantity {
        Quantity::Fixed(0.0)
    }
}

impl<T: Drawn> Drawn for Option<T> {
    type Quantity = Option<T::Quantity>;

    fn register(
        &self,
        inputs: &mut Inputs,
        domain: Domain,
        name: impl FnOnce() -> String,
    ) -> Result<Self::Quantity, UncertainError> {
        let stated = self.as_ref();
        stated
            .map(|value| value.register(inputs, domain, name))
            .transpose()
    }

    fn undrawn(&self) -> Self::Quantity {
        self.as_ref().map(T::undrawn)
    }
}

/// One uncertain quantity that is drawn once a trial.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// Its name, which is also that of its source of randomness.
    pub(crate) name: String,
    source: Source,
    draw: Quantile,
}

/// The quantile function of an input.
#[derive(Clone, Debug)]
enum Quantile {
    Alone(Sampler),
    /// Given the value of an input before it.
    Given(Quantity, Box<Draw>),
}

impl Quantile {
    /// The quantile at `u`, where the inputs before it have the values `before`.
    #[inline]
    fn at(&self, u: f64, before: &[f64]) -> f64 {
        match self {
            Self::Alone(sampler) => sampler.at(u),
            Self::Given(on, draw) => draw.at(on.value(before), u),
        }
    }
}

/// All quantities that are drawn once a trial, in the order of the scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    pub(super) list: Vec<Input>,
    pub(super) copula: Option<Copula>,
    pub(super) factors: Option<Factors>,
    /// Positions, in ascending order, of the inputs that are not independent of all others.
    tied: Vec<usize>,
}

impl Inputs {
    /// Registers an uncertain quantity. One that cannot vary is fixed and never drawn.
    pub(crate) fn add(
        &mut self,
        name: String,
        quantity: &Uncertain,
        domain: Domain,
    ) -> Result<Quantity, UncertainError> {
        if let Some(value) = quantity.constant() {
            return Ok(Quantity::Fixed(value));
        }
        let sampler = quantity.sampler(domain)?;
        Ok(self.add_sampler(name, sampler))
    }

    /// Registers an input of a compiled distribution.
    pub(crate) fn add_sampler(&mut self, name: String, sampler: Sampler) -> Quantity {
        self.push(name, Quantile::Alone(sampler))
    }

    /// Registers an input whose distribution depends on the value of one that is registered already.
    pub(crate) fn add_given(&mut self, name: String, on: Quantity, draw: Draw) -> Quantity {
        let causes = on.positions();
        let given = self.push(name, Quantile::Given(on, Box::new(draw)));
        if causes.iter().any(Option::is_some) {
            self.tie(causes.into_iter().chain(given.positions()).flatten());
        }
        given
    }

    /// Notes inputs that depend on others, or others on them.
    pub(super) fn tie(&mut self, positions: impl Iterator<Item = usize>) {
        self.tied.extend(positions);
        self.tied.sort_unstable();
        self.tied.dedup();
    }

    fn push(&mut self, name: String, draw: Quantile) -> Quantity {
        let position = u32::try_from(self.list.len()).expect("fewer than 2^32 inputs");
        self.list.push(Input {
            source: Source::named(&name),
            name,
            draw,
        });
        Quantity::Drawn(position)
    }

    /// The distribution of an input that depends on no other.
    pub(super) fn sampler(&self, position: u32) -> Option<&Sampler> {
        match &self.list.get(position as usize)?.draw {
            Quantile::Alone(sampler) => Some(sampler),
            Quantile::Given(..) => None,
        }
    }

    /// Registers what a field of a plan states: its name is `scope`, that of the plan, and its own.
    pub(crate) fn register<T: Drawn>(
        &mut self,
        scope: &str,
        stated: Stated<'_, T>,
    ) -> Result<T::Quantity, UncertainError> {
        let Stated { value, quantity } = stated;
        value.register(self, quantity.domain, || match quantity.input {
            None | Some("") => scope.to_owned(),
            Some(input) => format!("{scope}/{input}"),
        })
    }

    /// Makes a drawn input uniform from 0 to 1, and returns the distribution that it had: for a quantity that is conditioned on
    /// what a trial finds. `None` for all other quantities.
    pub(crate) fn replace_by_uniform(&mut self, quantity: Quantity) -> Option<Sampler> {
        let Quantity::Drawn(position) = quantity else {
            return None;
        };
        let input = self.list.get_mut(position as usize)?;
        let uniform = Uncertain::uniform(0.0, 1.0).sampler(Domain::SHARE).ok()?;
        match &mut input.draw {
            Quantile::Alone(sampler) => Some(std::mem::replace(sampler, uniform)),
            Quantile::Given(..) => None,
        }
    }

    /// The names that several inputs have, each once, in alphabetical order.
    pub(crate) fn repeated_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.list.iter().map(|input| input.name.as_str()).collect();
        names.sort_unstable();
        let mut repeated: Vec<&str> = (names.windows(2))
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
            .collect();
        repeated.dedup();
        repeated
    }

    /// The inputs, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Input> {
        self.list.iter()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Their names and sources of randomness, in order.
    pub(crate) fn named_sources(&self) -> impl Iterator<Item = (&str, Source)> {
        self.list
            .iter()
            .map(|input| (input.name.as_str(), input.source))
    }

    /// Their sources of randomness, in order.
    pub(crate) fn sources(&self) -> impl ExactSizeIterator<Item = Source> {
        self.list.iter().map(|input| input.source)
    }

    /// The median of every input.
    pub(crate) fn medians(&self) -> Vec<f64> {
        let mut medians = Vec::with_capacity(self.len());
        for input in &self.list {
            let median = input.draw.at(0.5, &medians);
            medians.push(median);
        }
        medians
    }

    /// The values of all inputs at a point: one uniform number in (0, 1) for each, independent of one another. They
    /// are correlated first, by coefficients and then by common factors, then turned into quantiles, each in its place.
    pub(crate) fn evaluate(&self, point: &mut [f64]) {
        self.correlate_point(point);
        for (position, input) in self.list.iter().enumerate() {
            let (before, from) = point.split_at_mut(position);
            from[0] = input.draw.at(from[0], before);
        }
    }

    /// Correlates a point's uniforms in their place: each is then its input's place in its own distribution.
    pub(crate) fn correlate_point(&self, point: &mut [f64]) {
        if let Some(copula) = &self.copula {
            copula.correlate(point);
        }
        if let Some(factors) = &self.factors {
            factors.apply(point);
        }
    }

    /// Positions, in ascending order, of the inputs that are not independent of all others: those with coefficients, those
    /// with common factors and the factors themselves, and those of which one depends on another's value.
    pub(crate) fn correlated(&self) -> &[usize] {
        &self.tied
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{MONTHS, Stated};

    #[test]
    fn a_field_is_registered_under_the_name_of_its_plan_and_its_own() {
        let mut inputs = Inputs::default();
        let value = Uncertain::uniform(0.1, 0.9);
        let stated = |quantity| Stated {
            value: &value,
            quantity,
        };
        inputs
            .register("cranes/tall", stated(MONTHS.input("set up")))
            .unwrap();
        inputs.register("A1/shell", stated(MONTHS)).unwrap();
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["cranes/tall/set up", "A1/shell"]);
        assert!(inputs.repeated_names().is_empty());
        inputs.register("A1/shell", stated(MONTHS)).unwrap();
        assert_eq!(inputs.repeated_names(), ["A1/shell"]);
    }
}
