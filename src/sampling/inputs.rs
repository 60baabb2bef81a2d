//! The inputs of a trial: every uncertain quantity that is drawn once a trial.
//!
//! Each has a name, such as `Qingyang/A1/shell`, and is drawn from the source of that name.
//! So an input keeps its random numbers when others are added or removed.

use crate::field::Stated;
use crate::pattern::matches;
use crate::problem::{Path, Problems, check_unique, name_help};
use crate::sampling::streams::Source;
use crate::uncertain::correlation::{Copula, CorrelationMatrix, Correlations};
use crate::uncertain::exchangeable::Draw;
use crate::uncertain::factors::{CommonFactor, Factors, LOADING, Weight};
use crate::uncertain::{Domain, Sampler, Uncertain, UncertainError};

/// A quantity as the model reads it: known beforehand, or drawn once a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
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
    pub fn value(self, drawn: &[f64]) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Drawn(position) => drawn[position as usize],
            Self::Scaled(position, by) => drawn[position as usize] * by,
            Self::Product(first, second) => drawn[first as usize] * drawn[second as usize],
        }
    }

    /// The product with another; `None` where a drawn product would meet a third input.
    pub fn times(self, other: Self) -> Option<Self> {
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
    pub name: String,
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
pub(crate) struct Inputs(Vec<Input>, Option<Copula>, Option<Factors>);

impl Inputs {
    /// Registers an uncertain quantity. One that cannot vary is fixed and never drawn.
    pub fn add(
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
        self.push(name, Quantile::Given(on, Box::new(draw)))
    }

    fn push(&mut self, name: String, draw: Quantile) -> Quantity {
        let position = u32::try_from(self.0.len()).expect("fewer than 2^32 inputs");
        self.0.push(Input {
            source: Source::named(&name),
            name,
            draw,
        });
        Quantity::Drawn(position)
    }

    fn sampler(&self, position: u32) -> Option<&Sampler> {
        match &self.0.get(position as usize)?.draw {
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
        let input = self.0.get_mut(position as usize)?;
        let uniform = Uncertain::uniform(0.0, 1.0).sampler(Domain::SHARE).ok()?;
        match &mut input.draw {
            Quantile::Alone(sampler) => Some(std::mem::replace(sampler, uniform)),
            Quantile::Given(..) => None,
        }
    }

    /// The names that several inputs have, each once, in alphabetical order.
    pub(crate) fn repeated_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|input| input.name.as_str()).collect();
        names.sort_unstable();
        let mut repeated: Vec<&str> = (names.windows(2))
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
            .collect();
        repeated.dedup();
        repeated
    }

    /// The inputs, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Input> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Their names and sources of randomness, in order.
    pub(crate) fn named_sources(&self) -> impl Iterator<Item = (&str, Source)> {
        self.0
            .iter()
            .map(|input| (input.name.as_str(), input.source))
    }

    /// Their sources of randomness, in order.
    pub(crate) fn sources(&self) -> impl ExactSizeIterator<Item = Source> {
        self.0.iter().map(|input| input.source)
    }

    /// Lets inputs go together, once all others are registered; what cannot be is noted.
    pub(crate) fn correlate(
        &mut self,
        correlations: &Correlations,
        at: &Path,
        problems: &mut Problems,
    ) {
        let factors = &correlations.factors;
        let factors_at = at.key("factors");
        let names = factors.iter().map(|factor| factor.name.as_str());
        check_unique("factor", names, &factors_at, problems);
        let others = self.0.len();
        let added: Vec<(usize, Vec<Weight>)> = (factors.iter().enumerate())
            .map(|(position, factor)| {
                self.add_factor(factor, &factors_at.index(position), problems)
            })
            .collect();
        self.couple(correlations, at, problems);
        if problems.has_errors() || factors.is_empty() {
            return;
        }
        let mut loaded = Factors::default();
        for (number, (factor, (position, weights))) in factors.iter().zip(added).enumerate() {
            let at = factors_at.index(number).key("loadings");
            for (part, (loading, weight)) in factor.loadings.iter().zip(weights).enumerate() {
                let at = at.index(part).key("inputs");
                for (item, pattern) in loading.inputs.iter().enumerate() {
                    for input in self.meant(pattern, &at.index(item), problems) {
                        // Factors and their loadings are what is common, and load on nothing themselves.
                        if input < others {
                            loaded.load(input, position, weight.clone());
                        }
                    }
                }
            }
        }
        if let Some((input, sum)) = loaded.overloaded() {
            let name = &self.0[input].name;
            problems.error(
                &factors_at,
                format!("the squares of the loadings of \"{name}\" sum to {sum:.3}"),
                "1 at most: weaken some of them",
            );
        }
        self.2 = Some(loaded);
    }

    /// Registers a factor and its uncertain loadings as inputs: its position, and what each loading is.
    fn add_factor(
        &mut self,
        factor: &CommonFactor,
        at: &Path,
        problems: &mut Problems,
    ) -> (usize, Vec<Weight>) {
        let before = problems.len();
        factor.check(at, problems);
        let name = format!("factors/{}", factor.name);
        let position = self.0.len();
        let standard = Uncertain::normal(0.0, 1.0);
        if problems.len() > before || self.add(name.clone(), &standard, Domain::ANY).is_err() {
            return (position, Vec::new());
        }
        let weights = factor.loadings.iter().enumerate().map(|(number, part)| {
            let name = format!("{name}/loading {}", number + 1);
            match self.add(name, &part.loading, LOADING) {
                Ok(Quantity::Drawn(drawn)) => match self.sampler(drawn) {
                    Some(sampler) => Weight::Drawn(drawn as usize, sampler.clone()),
                    None => Weight::Known(0.0),
                },
                Ok(Quantity::Fixed(loading)) => Weight::Known(loading),
                _ => Weight::Known(0.0),
            }
        });
        (position, weights.collect())
    }

    /// The copula of the coefficients that groups and pairs state.
    fn couple(&mut self, correlations: &Correlations, at: &Path, problems: &mut Problems) {
        let mut stated = self.grouped(correlations, at, problems);
        stated.extend(self.paired(correlations, at, problems));
        if problems.has_errors() {
            return;
        }
        let mut members: Vec<usize> = (stated.iter())
            .flat_map(|&(first, second, _)| [first, second])
            .collect();
        members.sort_unstable();
        members.dedup();
        let mut ranks = CorrelationMatrix::identity(members.len());
        for (first, second, coefficient) in stated {
            if let (Ok(row), Ok(column)) = (
                members.binary_search(&first),
                members.binary_search(&second),
            ) {
                ranks.set(row, column, coefficient);
            }
        }
        match Copula::new(members, &ranks, correlations.nearest) {
            Ok(copula) => self.1 = Some(copula),
            Err(impossible) => problems.error(
                at,
                impossible.to_string(),
                "weaken some of them, or set nearest = true to take the nearest ones that can hold",
            ),
        }
    }

    /// The coefficients of each two inputs of a group.
    fn grouped(
        &self,
        correlations: &Correlations,
        at: &Path,
        problems: &mut Problems,
    ) -> Vec<(usize, usize, f64)> {
        let mut stated = Vec::new();
        for (position, group) in correlations.groups.iter().enumerate() {
            let at = at.key("groups").index(position);
            check_coefficient(group.coefficient, &at, problems);
            let mut members = Vec::new();
            for (item, pattern) in group.inputs.iter().enumerate() {
                members.extend(self.meant(pattern, &at.key("inputs").index(item), problems));
            }
            for (place, &first) in members.iter().enumerate() {
                let others = members[..place].iter().filter(|&&other| other != first);
                stated.extend(others.map(|&other| (first, other, group.coefficient)));
            }
        }
        stated
    }

    /// The coefficients of pairs.
    fn paired(
        &self,
        correlations: &Correlations,
        at: &Path,
        problems: &mut Problems,
    ) -> Vec<(usize, usize, f64)> {
        let mut stated = Vec::new();
        for (position, pair) in correlations.pairs.iter().enumerate() {
            let at = at.key("pairs").index(position);
            check_coefficient(pair.coefficient, &at, problems);
            let at = at.key("between");
            let meant: Vec<Vec<usize>> = (pair.between.iter().enumerate())
                .map(|(item, pattern)| self.meant(pattern, &at.index(item), problems))
                .collect();
            match meant.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] {
                [&[first], &[second]] if first != second => {
                    stated.push((first, second, pair.coefficient));
                }
                _ if meant.iter().any(Vec::is_empty) => {}
                _ => problems.error(
                    &at,
                    format!("{:?} are no pair of inputs", pair.between),
                    "name two different inputs, each in full",
                ),
            }
        }
        stated
    }

    /// The inputs that a pattern means; none is noted.
    fn meant(&self, pattern: &str, at: &Path, problems: &mut Problems) -> Vec<usize> {
        let meant: Vec<usize> = (self.0.iter().enumerate())
            .filter(|(_, input)| matches(pattern, &input.name))
            .map(|(position, _)| position)
            .collect();
        if meant.is_empty() {
            let known = self.0.iter().map(|input| {
                let name = input.name.as_str();
                name.split_once('/').map_or(name, |(_, within)| within)
            });
            problems.error(
                at,
                format!("there is no uncertain input \"{pattern}\""),
                name_help(pattern, known),
            );
        }
        meant
    }

    /// The median of every input.
    pub fn medians(&self) -> Vec<f64> {
        let mut medians = Vec::with_capacity(self.len());
        for input in &self.0 {
            let median = input.draw.at(0.5, &medians);
            medians.push(median);
        }
        medians
    }

    /// The values of all inputs at a point: one uniform number in (0, 1) for each, independent of one another. They
    /// are correlated first, by coefficients and then by common factors, then turned into quantiles, each in its place.
    pub(crate) fn evaluate(&self, point: &mut [f64]) {
        self.correlate_point(point);
        for (position, input) in self.0.iter().enumerate() {
            let (before, from) = point.split_at_mut(position);
            from[0] = input.draw.at(from[0], before);
        }
    }

    /// Correlates a point's uniforms in their place: each is then its input's place in its own distribution.
    pub(crate) fn correlate_point(&self, point: &mut [f64]) {
        if let Some(copula) = &self.1 {
            copula.correlate(point);
        }
        if let Some(factors) = &self.2 {
            factors.apply(point);
        }
    }

    /// Positions of the inputs that are correlated with others.
    pub(crate) fn correlated(&self) -> &[usize] {
        self.1.as_ref().map_or(&[], Copula::members)
    }
}

fn check_coefficient(coefficient: f64, at: &Path, problems: &mut Problems) {
    if !(-1.0..=1.0).contains(&coefficient) {
        problems.error(
            &at.key("coefficient"),
            format!("coefficient is {coefficient}"),
            "-1 to 1",
        );
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
