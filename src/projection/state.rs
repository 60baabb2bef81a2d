//! A [`Projection`] written as its whole state, and read back.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use super::series::{Fineness, Series, SeriesState};
use super::trial_sample::TrialSample;
use super::{Layout, Projection, Provenance};

/// The state of a [`Projection`] as it is written.
#[derive(Deserialize)]
struct ProjectionState {
    layout: Layout,
    provenance: Provenance,
    trials: u64,
    monthly: Vec<SeriesState>,
    milestones: Vec<SeriesState>,
    outcomes: Vec<SeriesState>,
    sample: TrialSample,
    targets: Vec<u64>,
    binding: Vec<u64>,
    #[serde(default)]
    replicates: Vec<ProjectionState>,
}

/// The whole state, which comes back exactly; equal projections give equal text.
/// For results to read see [`Projection::to_json`].
impl Serialize for Projection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// One after the other, so that not all are in memory twice.
        struct States<'a>(&'a [Series]);
        impl Serialize for States<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.iter().map(Series::to_state))
            }
        }
        let mut state = serializer.serialize_struct("Projection", 10)?;
        state.serialize_field("layout", &*self.layout)?;
        state.serialize_field("provenance", &self.provenance)?;
        state.serialize_field("trials", &self.trials)?;
        state.serialize_field("monthly", &States(&self.monthly))?;
        state.serialize_field("milestones", &States(&self.milestones))?;
        state.serialize_field("outcomes", &States(&self.outcomes))?;
        state.serialize_field("sample", &self.sample)?;
        state.serialize_field("targets", &self.targets)?;
        state.serialize_field("binding", &self.binding)?;
        state.serialize_field("replicates", &self.replicates)?;
        state.end()
    }
}

impl<'de> Deserialize<'de> for Projection {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let state = ProjectionState::deserialize(deserializer)?;
        state.into_projection().map_err(D::Error::custom)
    }
}

impl ProjectionState {
    fn into_projection(mut self) -> Result<Projection, String> {
        let replicates = std::mem::take(&mut self.replicates);
        let whole = self.into_part()?;
        if replicates.is_empty() {
            return Ok(whole);
        }
        let parts = (replicates.into_iter())
            .map(Self::into_projection)
            .collect::<Result<Vec<_>, _>>()?;
        let expected = parts.len() == whole.provenance.design.replicates() as usize;
        match Projection::of_parts(parts) {
            Ok(Some(pooled)) if expected && pooled.same_numbers(&whole) => Ok(pooled),
            _ => Err("the replicates do not make up the whole".to_owned()),
        }
    }

    fn into_part(self) -> Result<Projection, String> {
        let trials = self.trials;
        let series = |list: Vec<SeriesState>, fineness, expected: usize| {
            if list.len() != expected {
                return Err(format!("{} series, not {expected}", list.len()));
            }
            (list.into_iter().enumerate())
                .map(|(index, state)| {
                    Series::from_state(state, fineness, trials)
                        .ok_or_else(|| format!("series {index} is damaged"))
                })
                .collect::<Result<Vec<Series>, String>>()
        };
        let counts = |list: Vec<u64>, expected: usize| {
            if list.len() != expected || list.iter().any(|count| *count > trials) {
                return Err("the counts of targets or binding causes are damaged".to_owned());
            }
            Ok(list)
        };
        self.layout.check().map_err(|error| error.to_string())?;
        let layout = self.layout;
        let numbers = layout.monthly_len() + layout.milestones.len() + layout.outcomes.len();
        if !self.sample.is_sound(trials, numbers) {
            return Err("the sample of trials is damaged".to_owned());
        }
        Ok(Projection {
            sample: self.sample,
            monthly: series(self.monthly, Fineness::Monthly, layout.monthly_len())?,
            milestones: series(self.milestones, Fineness::Fine, layout.milestones.len())?,
            outcomes: series(self.outcomes, Fineness::Fine, layout.outcomes.len())?,
            targets: counts(self.targets, layout.targets.len())?,
            binding: counts(
                self.binding,
                layout.scopes.len() * layout.months * layout.causes.len(),
            )?,
            trials,
            replicates: Vec::new(),
            provenance: self.provenance,
            layout: Arc::new(layout),
        })
    }
}
