//! Which inputs of a trial are correlated: by coefficients, and by common factors.

use crate::field::{NUMBER, Quantity as Field, plan};
use crate::pattern::matches;
use crate::problem::{Path, Problems, check_name, check_unique, name_help};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::uncertain::correlation::{Copula, CorrelationMatrix};
use crate::uncertain::factors::{Factors, Weight};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// Which inputs go together.
    #[derive(Default)]
    pub struct Correlations {
        /// Groups of inputs of which each two have one correlation. A later group counts before an earlier one.
        pub groups: Vec<CorrelatedGroup> = [],
        /// Pairs of inputs, which count before groups.
        pub pairs: Vec<CorrelatedPair> = [],
        /// Common factors of inputs.
        pub factors: Vec<CommonFactor> = [],
        /// If these correlations cannot all hold together, take the nearest ones that can; else they are refused.
        pub nearest: bool [= false],
    }
    /// Nothing correlated yet; all is set on its fields.
    pub fn new;
}

plan! {
    /// Inputs of which each two have one correlation.
    pub struct CorrelatedGroup {
        /// The inputs, such as "A1/shell" or, with * for any text, "*/shell".
        pub inputs: Vec<String>,
        /// Spearman's rank correlation of each two, -1 to 1.
        pub coefficient: f64 => COEFFICIENT,
    }
    fn plain;
}

plan! {
    /// Two inputs and their correlation.
    pub struct CorrelatedPair {
        /// The two inputs.
        pub between: Vec<String>,
        /// Their rank correlation (Spearman's), -1 to 1.
        pub coefficient: f64 => COEFFICIENT,
    }
    fn plain;
}

plan! {
    /// A common factor of inputs. It is an input itself, named `factors/` and its name, standard normal.
    pub struct CommonFactor {
        /// Its name, unique among factors.
        pub name: String,
        /// The inputs that depend on it, and how much. Of several that mean the same input the last counts.
        pub loadings: Vec<Loading>,
    }
    fn plain;
}

plan! {
    /// How much inputs depend on a factor.
    pub struct Loading {
        /// The inputs, such as "A1/shell" or, with * for any text, "*/shell".
        pub inputs: Vec<String>,
        /// The correlation of each with the factor, both as normal numbers, -1 to 1. Its square is the share of their variance that is common. Drawn once a trial, as `factors/` with the name and "/loading" with its number in the list.
        pub loading: Uncertain => LOADING,
    }
    fn plain;
}

const COEFFICIENT: Field = NUMBER.within(-1.0, 1.0);
const LOADING: Field = NUMBER.within(-1.0, 1.0);

fn owned(inputs: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    inputs.into_iter().map(Into::into).collect()
}

impl CorrelatedGroup {
    /// Inputs of which each two have that rank correlation, -1 to 1.
    pub fn new(inputs: impl IntoIterator<Item = impl Into<String>>, coefficient: f64) -> Self {
        Self::plain(owned(inputs), coefficient)
    }
}

impl CorrelatedPair {
    /// Two inputs with that rank correlation, -1 to 1.
    pub fn new(first: impl Into<String>, second: impl Into<String>, coefficient: f64) -> Self {
        Self::plain(vec![first.into(), second.into()], coefficient)
    }
}

impl Loading {
    /// Inputs that load on a factor, each with that correlation, -1 to 1.
    pub fn new(
        inputs: impl IntoIterator<Item = impl Into<String>>,
        loading: impl Into<Uncertain>,
    ) -> Self {
        Self::plain(owned(inputs), loading)
    }
}

impl CommonFactor {
    /// A factor with its loadings.
    pub fn new(name: impl Into<String>, loadings: impl IntoIterator<Item = Loading>) -> Self {
        Self::plain(name, loadings.into_iter().collect::<Vec<Loading>>())
    }

    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        for (position, part) in self.loadings.iter().enumerate() {
            part.check_fields(&at.key("loadings").index(position), problems);
        }
    }
}

impl Inputs {
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
        let others = self.list.len();
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
            let name = &self.list[input].name;
            problems.error(
                &factors_at,
                format!("the squares of the loadings of \"{name}\" sum to {sum:.3}"),
                "1 at most: weaken some of them",
            );
        }
        let tied: Vec<usize> = loaded.positions().collect();
        self.tie(tied.into_iter());
        self.factors = Some(loaded);
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
        let position = self.list.len();
        let standard = Uncertain::normal(0.0, 1.0);
        if problems.len() > before || self.add(name.clone(), &standard, Domain::ANY).is_err() {
            return (position, Vec::new());
        }
        let weights = factor.loadings.iter().enumerate().map(|(number, part)| {
            let name = format!("{name}/loading {}", number + 1);
            match self.add(name, &part.loading, LOADING.domain) {
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
            Ok(copula) => {
                self.tie(copula.members().iter().copied());
                self.copula = Some(copula);
            }
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
            group.check_fields(&at, problems);
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
            pair.check_fields(&at, problems);
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
        let meant: Vec<usize> = (self.list.iter().enumerate())
            .filter(|(_, input)| matches(pattern, &input.name))
            .map(|(position, _)| position)
            .collect();
        if meant.is_empty() {
            let known = self.list.iter().map(|input| {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uncertain::exchangeable::{Draw, Exchangeable};

    #[test]
    fn what_loads_on_a_factor_or_depends_on_another_input_is_correlated() {
        let mut inputs = Inputs::default();
        let number = Uncertain::uniform(0.0, 1.0);
        let [pace, ..] = ["pace", "alone", "A1/shell"]
            .map(|name| inputs.add(name.to_owned(), &number, Domain::SHARE).unwrap());
        let waits = Uncertain::lognormal(9.0, 0.6);
        let waits = Exchangeable::new(waits.sampler(Domain::NON_NEGATIVE).unwrap(), 0.4);
        inputs.add_given("wait".to_owned(), pace, Draw::Value(waits));
        let builders = CommonFactor::new("builders", [Loading::new(["A1/*"], 0.5)]);
        let correlations = Correlations::new().factors([builders]);
        let mut problems = Problems::default();
        inputs.correlate(&correlations, &Path::root(), &mut problems);
        assert!(!problems.has_errors());
        let tied = inputs
            .correlated()
            .iter()
            .map(|&tied| inputs.list[tied].name.as_str());
        let expected = ["pace", "A1/shell", "wait", "factors/builders"];
        assert_eq!(tied.collect::<Vec<_>>(), expected);
    }
}
