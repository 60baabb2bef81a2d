//! What makes all activities of a project longer or shorter together.
//!
//! Activities that vary each on its own average out, so that ranges of a project of a thousand activities come out far
//! too narrow (Hulett, "Integrated Cost-Schedule Risk Analysis", 2011). One factor on all durations, drawn once a trial,
//! keeps them together. It is a risk event of probability 1 in the scenario, where it can be seen, changed and removed.

use super::table::Table;
use super::values::number;
use super::{ImportError, Imported};
use crate::schedule::risks::Risk;
use crate::uncertain::{Uncertain, sample_quantile};

/// The name of the risk event that holds the factor.
pub const PROJECT_FACTOR: &str = "project-wide factor";

/// The standard deviation of the factor's logarithm by default, so that P10 is 0.88 and P90 1.14 (assumption).
const DEFAULT_SIGMA: f64 = 0.1;

/// Projects of which 9 of 10 are late, by 34 % on average (published of capital projects): the lognormal distribution
/// with P(factor < 1) = 0.1 and the mean 1.34, that is with `sigma^2 / 2 + 1.2816 sigma = ln 1.34`.
const PUBLISHED: (f64, f64) = (1.3104, 0.2110);

/// Fewer finished projects than that say nothing of P10 and P90.
const LEAST_PROJECTS: usize = 5;

/// A factor on all durations of a project, from what projects like it have taken.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectFactor(Uncertain);

impl Default for ProjectFactor {
    /// The plan is the median; P10 is 0.88 and P90 1.14 (assumption).
    fn default() -> Self {
        Self(Uncertain::lognormal(1.0, DEFAULT_SIGMA))
    }
}

impl ProjectFactor {
    /// From published figures of capital projects: 9 of 10 are late, by 34 % on average. The median is 1.31.
    pub fn published() -> Self {
        Self(Uncertain::lognormal(PUBLISHED.0, PUBLISHED.1))
    }

    /// From finished projects in a table with the columns `planned` and `actual`, durations in one unit: P10, P50 and P90 of
    /// actual / planned. An error names the line of what cannot be, or says that there are too few.
    pub fn from_csv(text: &str) -> Result<Self, ImportError> {
        let table = Table::read(text, false)?;
        let (Some(planned), Some(actual)) = (table.column("planned"), table.column("actual"))
        else {
            return Err(ImportError::new(
                1,
                "the table needs the columns planned and actual",
            ));
        };
        let mut ratios = Vec::new();
        for (line, row) in table.rows() {
            let positive = |column: usize| {
                let months = number(row.get(column).unwrap_or_default(), line)?;
                match months > 0.0 {
                    true => Ok(months),
                    false => Err(ImportError::new(
                        line,
                        format!("a project of {months} months"),
                    )),
                }
            };
            ratios.push(positive(actual)? / positive(planned)?);
        }
        if ratios.len() < LEAST_PROJECTS {
            let message = format!(
                "{} finished projects are too few: {LEAST_PROJECTS} or more make a range",
                ratios.len()
            );
            return Err(ImportError::new(1, message));
        }
        ratios.sort_by(f64::total_cmp);
        let [low, middle, high] = [0.1, 0.5, 0.9].map(|share| sample_quantile(&ratios, share));
        let is_spread = low < middle && middle < high;
        Ok(Self(match is_spread {
            true => Uncertain::percentiles(low, middle, high),
            false => Uncertain::Constant(middle),
        }))
    }

    /// The factor.
    pub fn factor(&self) -> &Uncertain {
        &self.0
    }

    pub(super) fn risk(&self) -> Risk {
        let mut risk = Risk::new(PROJECT_FACTOR, 1.0, ["*"]);
        risk.factor = self.0.clone();
        risk
    }
}

impl Imported {
    /// Puts a factor on all durations together, in place of one that is there.
    pub fn set_project_factor(&mut self, factor: Option<ProjectFactor>) {
        self.risks.retain(|risk| risk.name != PROJECT_FACTOR);
        self.risks.extend(factor.map(|factor| factor.risk()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uncertain::Domain;

    #[test]
    fn the_published_figures_are_kept() {
        let sampler = ProjectFactor::published()
            .factor()
            .sampler(Domain::NON_NEGATIVE)
            .unwrap();
        assert!((sampler.share_below(1.0) - 0.1).abs() < 0.001);
        assert!((sampler.mean() - 1.34).abs() < 0.002, "{}", sampler.mean());
    }

    #[test]
    fn a_table_of_finished_projects_gives_their_percentiles() {
        let text = "name,planned,actual\na,10,10\nb,10,11\nc,20,24\nd,10,13\ne,10,14\n";
        let factor = ProjectFactor::from_csv(text).unwrap();
        // The ratios are 1.0, 1.1, 1.2, 1.3 and 1.4.
        assert_eq!(
            factor,
            ProjectFactor(Uncertain::percentiles(1.04, 1.2, 1.3599999999999999))
        );
        let few = ProjectFactor::from_csv("planned,actual\n1,2\n").unwrap_err();
        assert!(few.message.contains("too few"));
        assert_eq!(
            ProjectFactor::from_csv("planned,actual\n1,2\n0,2\n")
                .unwrap_err()
                .line,
            3
        );
    }
}
