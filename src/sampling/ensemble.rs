//! Ensembles: lists of points in the space of the inputs, each counted as often as its multiplicity says.
//!
//! A posterior is one (see [`analysis::update`](crate::analysis::update)), and so are the points of a design of the caller's own. A
//! member consists of one uniform number for each input, before any correlation, and of the trial number whose process noise
//! it has. Trials of an ensemble are its members in order, each in a row as often as its multiplicity: so whatever
//! runs trials runs those of an ensemble, and parts of such a run merge exactly.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::design::{Design, Noise};

/// Points in the space of the inputs, with multiplicities.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    inputs: Vec<String>,
    columns: HashMap<String, usize>,
    seed: u64,
    /// The uniforms of one member after the other.
    points: Vec<f64>,
    /// The trial number whose process noise each member has.
    noise: Vec<u64>,
    /// The number of trials up to and with each member.
    ends: Vec<u64>,
}

/// Why something cannot be a member of an ensemble.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EnsembleError {
    /// Two inputs have one name.
    #[error("two inputs of the ensemble are named \"{0}\"")]
    SameInput(String),
    /// A member has too many or too few numbers.
    #[error("a member has {found} numbers, and the ensemble has {expected} inputs")]
    Length {
        /// How many it has.
        found: usize,
        /// How many there are inputs.
        expected: usize,
    },
    /// A number is no uniform number.
    #[error("a member has {value} for \"{input}\": it must be above 0 and below 1")]
    Range {
        /// The input.
        input: String,
        /// What was given.
        value: f64,
    },
    /// A member counts too often, or not at all.
    #[error("a member has the multiplicity {0}: it must be 1 or more, and all together below 2^63")]
    Multiplicity(u64),
}

/// What distinguishes ensembles: the first 64 bits of the SHA-256 of what they consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl fmt::Display for Digest {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:016x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|_| serde::de::Error::custom("a digest is not 16 hexadecimal digits"))
    }
}

impl Ensemble {
    /// An ensemble without members over these inputs. `seed` is that of the members' process noise.
    pub fn new<N: Into<String>>(
        inputs: impl IntoIterator<Item = N>,
        seed: u64,
    ) -> Result<Self, EnsembleError> {
        let inputs: Vec<String> = inputs.into_iter().map(Into::into).collect();
        let mut columns = HashMap::with_capacity(inputs.len());
        for (column, name) in inputs.iter().enumerate() {
            if columns.insert(name.clone(), column).is_some() {
                return Err(EnsembleError::SameInput(name.clone()));
            }
        }
        Ok(Self {
            inputs,
            columns,
            seed,
            points: Vec::new(),
            noise: Vec::new(),
            ends: Vec::new(),
        })
    }

    /// Appends a member: a uniform number in (0, 1) for each input, the trial number whose process noise it has, and how often
    /// it counts.
    ///
    /// ```
    /// use buildout::sampling::ensemble::Ensemble;
    /// let mut ensemble = Ensemble::new(["A1/shell", "A1/fit-out"], 1)?;
    /// ensemble.push(&[0.5, 0.9], 0, 1)?;
    /// ensemble.push(&[0.2, 0.4], 17, 3)?;
    /// assert_eq!((ensemble.len(), ensemble.trials()), (2, 4));
    /// # Ok::<(), buildout::sampling::ensemble::EnsembleError>(())
    /// ```
    pub fn push(
        &mut self,
        point: &[f64],
        noise_trial: u64,
        multiplicity: u64,
    ) -> Result<(), EnsembleError> {
        if point.len() != self.inputs.len() {
            return Err(EnsembleError::Length {
                found: point.len(),
                expected: self.inputs.len(),
            });
        }
        for (&value, input) in point.iter().zip(&self.inputs) {
            if !(value > 0.0 && value < 1.0) {
                let input = input.clone();
                return Err(EnsembleError::Range { input, value });
            }
        }
        let end = self.trials().checked_add(multiplicity);
        let end = end.filter(|end| multiplicity > 0 && *end < 1 << 63);
        let end = end.ok_or(EnsembleError::Multiplicity(multiplicity))?;
        self.points.extend_from_slice(point);
        self.noise.push(noise_trial);
        self.ends.push(end);
        Ok(())
    }

    /// The names of its inputs, in the order of a member's numbers.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Whether it has an input of that name.
    pub fn has(&self, input: &str) -> bool {
        self.columns.contains_key(input)
    }

    /// The seed of the members' process noise.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many trials it has: the sum of the multiplicities.
    pub fn trials(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// A member's uniforms.
    pub fn point(&self, member: usize) -> &[f64] {
        let width = self.inputs.len();
        &self.points[member * width..(member + 1) * width]
    }

    /// The process noise of a member.
    pub fn noise(&self, member: usize) -> Noise {
        Noise {
            seed: self.seed,
            trial: self.noise[member],
        }
    }

    /// How often a member counts.
    pub fn multiplicity(&self, member: usize) -> u64 {
        let before = member.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ends[member] - before
    }

    /// The member that a trial is of: trials are the members in order, each as often as it counts.
    pub fn member_of(&self, trial: u64) -> usize {
        self.ends.partition_point(|end| *end <= trial)
    }

    /// The design that runs its trials; equal for equal ensembles alone.
    pub fn design(&self) -> Design {
        let trials = self.trials();
        let multiplicities = (0..self.len()).map(|member| self.multiplicity(member) as f64);
        let squares: f64 = multiplicities.map(|count| count * count).sum();
        let effective = (trials as f64 * trials as f64 / squares.max(1.0)) as u64;
        Design::Ensemble {
            members: self.len() as u64,
            trials,
            effective,
            digest: self.digest(),
        }
    }

    fn digest(&self) -> Digest {
        let mut sum = Sha256::new();
        sum.update(self.seed.to_le_bytes());
        for name in &self.inputs {
            sum.update((name.len() as u64).to_le_bytes());
            sum.update(name);
        }
        for u in &self.points {
            sum.update(u.to_bits().to_le_bytes());
        }
        for (noise, end) in self.noise.iter().zip(&self.ends) {
            sum.update(noise.to_le_bytes());
            sum.update(end.to_le_bytes());
        }
        let bytes = sum.finalize();
        let first = bytes
            .first_chunk()
            .expect("a SHA-256 has 32 bytes, more than 8");
        Digest(u64::from_be_bytes(*first))
    }

    /// The column of an input.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// The uniforms and the process noise of a trial.
    pub(super) fn of_trial(&self, trial: u64) -> (&[f64], Noise) {
        let member = self.member_of(trial);
        (self.point(member), self.noise(member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Ensemble {
        let mut ensemble = Ensemble::new(["a", "b"], 7).unwrap();
        ensemble.push(&[0.25, 0.5], 3, 1).unwrap();
        ensemble.push(&[0.75, 0.125], 9, 3).unwrap();
        ensemble
    }

    #[test]
    fn trials_are_members_as_often_as_they_count() {
        let ensemble = two();
        let members: Vec<usize> = (0..4).map(|trial| ensemble.member_of(trial)).collect();
        assert_eq!(members, [0, 1, 1, 1]);
        let noise = Noise { seed: 7, trial: 9 };
        assert_eq!(ensemble.of_trial(3), (&[0.75, 0.125][..], noise));
        let Design::Ensemble {
            members,
            trials,
            effective,
            ..
        } = ensemble.design()
        else {
            panic!("another design");
        };
        // 4^2 / (1 + 9) = 1.6.
        assert_eq!((members, trials, effective), (2, 4, 1));
        assert_eq!(ensemble.design().error_factor(), 2.0);
        assert!(ensemble.design().check_trials(4).is_ok());
        assert!(ensemble.design().check_trials(5).is_err());
    }

    #[test]
    fn whatever_differs_makes_another_design() {
        let design = two().design();
        assert_eq!(design, two().design());
        let mut other = Ensemble::new(["a", "c"], 7).unwrap();
        other.push(&[0.25, 0.5], 3, 1).unwrap();
        other.push(&[0.75, 0.125], 9, 3).unwrap();
        assert_ne!(design, other.design());
        let text = serde_json::to_string(&design).unwrap();
        assert_eq!(serde_json::from_str::<Design>(&text).unwrap(), design);
    }

    #[test]
    fn what_is_no_member_is_refused() {
        let mut ensemble = two();
        for (point, count) in [
            (&[0.5][..], 1),
            (&[0.5, 1.0], 1),
            (&[0.5, f64::NAN], 1),
            (&[0.5, 0.5], 0),
            (&[0.5, 0.5], u64::MAX),
        ] {
            assert!(ensemble.push(point, 0, count).is_err(), "{point:?} {count}");
        }
        assert_eq!(ensemble, two());
        assert!(Ensemble::new(["a", "a"], 1).is_err());
    }
}
