//! Common factors: what many inputs go together with, such as the pace of a builder or a crunch of supply.
//!
//! Each factor f is a standard normal number of its own, drawn once a trial. An input with the loadings l_1, …, l_m
//! on m factors is drawn by the normal number
//!
//! ```text
//! z' = l_1 f_1 + … + l_m f_m + sqrt(1 - l_1² - … - l_m²) z
//! ```
//!
//! in place of its own z, so that it keeps its distribution whatever the loadings are, and two inputs with the
//! loadings l and k on one factor have normal numbers of correlation l k: the one-factor copula of Vasicek
//! ("Loan portfolio value", Risk, 2002) with several factors. A loading may be uncertain: it is then an input too,
//! drawn once a trial, and how closely the inputs go together is itself not known.
//!
//! Factors come after the coefficients of a [copula](super::correlation::Copula): these say how the z of
//! inputs go together beside what the factors do.

use super::Sampler;
use super::special::{normal_cdf, normal_quantile};

/// How much an input depends on a factor in a trial.
#[derive(Clone, Debug)]
pub(crate) enum Weight {
    Known(f64),
    /// The quantile of the uniform number at this position.
    Drawn(usize, Sampler),
}

impl Weight {
    fn value(&self, uniforms: &[f64]) -> f64 {
        match self {
            Self::Known(loading) => *loading,
            Self::Drawn(position, sampler) => sampler.at(uniforms[*position]),
        }
    }

    /// The square of its greatest size.
    fn most_squared(&self) -> f64 {
        match self {
            Self::Known(loading) => loading * loading,
            Self::Drawn(_, sampler) => {
                let ends = [f64::EPSILON, 1.0 - f64::EPSILON].map(|u| sampler.at(u));
                ends[0].abs().max(ends[1].abs()).powi(2)
            }
        }
    }
}

/// The factors of the inputs of a model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Factors {
    members: Vec<Member>,
}

/// An input and its loadings, each on the factor at some position among the uniforms.
#[derive(Clone, Debug)]
struct Member {
    position: usize,
    loadings: Vec<(usize, Weight)>,
}

impl Factors {
    /// Lets the input at `position` depend on the factor at `factor`; what it said of that factor before is forgotten.
    pub(crate) fn load(&mut self, position: usize, factor: usize, weight: Weight) {
        let place = match self.members.binary_search_by_key(&position, |m| m.position) {
            Ok(place) => place,
            Err(place) => {
                let loadings = Vec::new();
                self.members.insert(place, Member { position, loadings });
                place
            }
        };
        let loadings = &mut self.members[place].loadings;
        loadings.retain(|(known, _)| *known != factor);
        loadings.push((factor, weight));
    }

    /// Positions of all that goes together: the inputs, their factors, and loadings that are drawn. One may come twice.
    pub(crate) fn positions(&self) -> impl Iterator<Item = usize> {
        self.members.iter().flat_map(|member| {
            let tied = (member.loadings.iter()).flat_map(|(factor, weight)| {
                let drawn = match weight {
                    Weight::Known(_) => None,
                    Weight::Drawn(position, _) => Some(*position),
                };
                [Some(*factor), drawn].into_iter().flatten()
            });
            tied.chain([member.position])
        })
    }

    /// The first input whose loadings may leave no room for its own variance, and the sum of their squares.
    pub(crate) fn overloaded(&self) -> Option<(usize, f64)> {
        let sums = self.members.iter().map(|member| {
            let squares = member
                .loadings
                .iter()
                .map(|(_, weight)| weight.most_squared());
            (member.position, squares.sum::<f64>())
        });
        sums.into_iter().find(|(_, sum)| *sum > 1.0 + 1e-9)
    }

    /// Lets a trial's uniforms, each in (0, 1), go together by the factors among them.
    pub(crate) fn apply(&self, uniforms: &mut [f64]) {
        for member in &self.members {
            let (mut common, mut own) = (0.0, 1.0);
            for (factor, weight) in &member.loadings {
                let loading = weight.value(uniforms);
                common += loading * normal_quantile(uniforms[*factor]);
                own -= loading * loading;
            }
            let z = normal_quantile(uniforms[member.position]);
            let mixed = common + own.max(0.0).sqrt() * z;
            uniforms[member.position] =
                normal_cdf(mixed).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::streams::Source;
    use crate::uncertain::{Domain, Uncertain};

    const LOADING: Domain = Domain {
        min: -1.0,
        max: 1.0,
    };

    const TRIALS: u64 = 20_000;

    /// Normal numbers of three inputs with factors at 3 and 4, over the trials.
    fn columns(factors: &Factors) -> Vec<Vec<f64>> {
        let sources = ["a", "b", "c", "f", "g", "l"].map(Source::named);
        let mut columns = vec![Vec::new(); 6];
        for trial in 0..TRIALS {
            let mut u = sources.map(|source| source.uniform(3, trial));
            factors.apply(&mut u);
            for (column, u) in columns.iter_mut().zip(u) {
                column.push(normal_quantile(u));
            }
        }
        columns
    }

    fn mean_product(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / a.len() as f64
    }

    /// The standard error of a correlation is at most 1 / sqrt(n) = 0.0071; four of them are allowed.
    const TOLERANCE: f64 = 0.028;

    #[test]
    fn inputs_of_one_factor_correlate_by_the_product_of_their_loadings() {
        let mut factors = Factors::default();
        factors.load(0, 3, Weight::Known(0.8));
        factors.load(1, 3, Weight::Known(0.1));
        factors.load(1, 3, Weight::Known(-0.5));
        factors.load(1, 4, Weight::Known(0.6));
        factors.load(2, 4, Weight::Known(1.0));
        assert_eq!(factors.overloaded(), None);
        let z = columns(&factors);
        for (i, j, expected) in [
            (0, 0, 1.0),
            (1, 1, 1.0),
            (0, 1, -0.4),
            (0, 3, 0.8),
            (1, 4, 0.6),
            (0, 2, 0.0),
            (1, 2, 0.6),
            (2, 4, 1.0),
        ] {
            let found = mean_product(&z[i], &z[j]);
            assert!((found - expected).abs() < TOLERANCE, "{i} {j}: {found}");
        }
    }

    #[test]
    fn an_uncertain_loading_mixes_correlations_and_keeps_the_distribution() {
        let sampler = Uncertain::discrete([(0.0, 0.5), (0.8, 0.5)])
            .sampler(LOADING)
            .unwrap();
        let mut factors = Factors::default();
        for input in [0, 1] {
            factors.load(input, 3, Weight::Drawn(5, sampler.clone()));
        }
        let z = columns(&factors);
        // Half of the trials with 0.64, half with 0.
        assert!((mean_product(&z[0], &z[1]) - 0.32).abs() < TOLERANCE);
        let fourth = z[0].iter().map(|z| z.powi(4)).sum::<f64>() / TRIALS as f64;
        // The variance of z^4 is 96.
        assert!(
            (fourth - 3.0).abs() < 4.0 * (96.0 / TRIALS as f64).sqrt(),
            "{fourth}"
        );
    }

    #[test]
    fn loadings_that_leave_nothing_of_an_input_are_found() {
        let mut factors = Factors::default();
        factors.load(7, 3, Weight::Known(0.8));
        factors.load(7, 4, Weight::Known(0.8));
        let (input, sum) = factors.overloaded().unwrap();
        assert!(input == 7 && (sum - 1.28).abs() < 1e-12);
    }
}
