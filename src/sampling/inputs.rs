//! The inputs of a trial: every uncertain quantity that is drawn once a trial.
//!
//! Each has a name, such as `Qingyang/A1/shell`, and is drawn from the source of that name.
//! So an input keeps its luck when others are added or removed.

use crate::pattern::matches;
use crate::problem::{Path, Problems, name_help};
use crate::sampling::design::Sampling;
use crate::sampling::streams::Source;
use crate::uncertain::correlation::{Copula, CorrelationMatrix, Correlations};
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

/// One uncertain quantity that is drawn once a trial.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name, which is also that of its source of randomness.
    pub name: String,
    source: Source,
    sampler: Sampler,
}

/// All quantities that are drawn once a trial, in the order of the scenario.
#[derive(Clone, Debug, Default)]
pub struct Inputs(Vec<Input>, Option<Copula>);

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
        let position = u32::try_from(self.0.len()).expect("fewer than 2^32 inputs");
        self.0.push(Input {
            source: Source::named(&name),
            name,
            sampler,
        });
        Ok(Quantity::Drawn(position))
    }

    /// Makes an input that is drawn as it is its luck alone, uniform from 0 to 1, and returns its
    /// distribution: for who conditions it on what a trial finds. `None` for all other quantities.
    pub(crate) fn reduce_to_luck(&mut self, quantity: Quantity) -> Option<Sampler> {
        let Quantity::Drawn(position) = quantity else {
            return None;
        };
        let input = self.0.get_mut(position as usize)?;
        let luck = Uncertain::uniform(0.0, 1.0).sampler(Domain::SHARE).ok()?;
        Some(std::mem::replace(&mut input.sampler, luck))
    }

    /// The inputs, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Input> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is uncertain.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their sources of randomness, in order.
    pub(crate) fn sources(&self) -> impl ExactSizeIterator<Item = Source> {
        self.0.iter().map(|input| input.source)
    }

    /// Lets inputs go together, once all are registered; what cannot be is noted.
    pub(crate) fn correlate(
        &mut self,
        correlations: &Correlations,
        at: &Path,
        problems: &mut Problems,
    ) {
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
        self.0.iter().map(|input| input.sampler.at(0.5)).collect()
    }

    /// Draws all inputs of a trial: first the uniforms of the design, then their quantiles.
    pub fn draw(&self, sampling: &Sampling, trial: u64, drawn: &mut Vec<f64>) {
        drawn.clear();
        sampling.uniforms(trial, self.sources(), drawn);
        if let Some(copula) = &self.1 {
            copula.correlate(drawn);
        }
        for (value, input) in drawn.iter_mut().zip(&self.0) {
            *value = input.sampler.at(*value);
        }
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
