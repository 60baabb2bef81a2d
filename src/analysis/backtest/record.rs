use std::collections::{BTreeMap, BTreeSet};

use super::{Score, Summary, summarise};

/// How good forecasters were: over all cases, by how far ahead they look, and by quantity.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct TrackRecord {
    /// Whose forecasts are judged; the others are their rivals.
    pub judged: Vec<String>,
    /// The forecaster that the others are compared with.
    pub reference: String,
    /// Over all cases, the best first.
    pub summaries: Vec<Summary>,
    /// The same of the cases of each distance, the nearest first.
    pub by_horizon: Vec<HorizonRecord>,
    /// The same of the cases of each quantity.
    pub by_quantity: Vec<QuantityRecord>,
    /// The score of every case.
    pub scores: Vec<Score>,
}

/// How good forecasters were so far ahead.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct HorizonRecord {
    /// How far, in months.
    pub months_ahead: i64,
    /// Each forecaster, the best first.
    pub summaries: Vec<Summary>,
}

/// How good forecasters were at a quantity.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct QuantityRecord {
    /// Which.
    pub quantity: String,
    /// Each forecaster, the best first.
    pub summaries: Vec<Summary>,
}

impl TrackRecord {
    /// The record of scores, of which those of `judged` are judged; without a `reference` the others are compared with the best
    /// of these. `None` if nobody who is judged made a forecast of a case that all forecast.
    pub fn new(scores: Vec<Score>, judged: &[String], reference: Option<&str>) -> Option<Self> {
        let leader = |summaries: &[Summary]| -> Option<String> {
            let mut names = summaries.iter().map(|summary| &summary.forecaster);
            names.find(|name| judged.contains(*name)).cloned()
        };
        let best = leader(&summarise(&scores, None))?;
        let reference = reference.unwrap_or(&best).to_owned();
        let mut horizons: BTreeMap<i64, Vec<Score>> = BTreeMap::new();
        let mut quantities: BTreeMap<&str, Vec<Score>> = BTreeMap::new();
        for score in &scores {
            let horizon = horizons.entry(score.months_ahead).or_default();
            horizon.push(score.clone());
            let quantity = quantities.entry(&score.key.quantity).or_default();
            quantity.push(score.clone());
        }
        let present: BTreeSet<&str> = scores.iter().map(|s| s.forecaster.as_str()).collect();
        let of = |scores: &[Score]| summarise(scores, Some(&reference));
        Some(Self {
            judged: (judged.iter())
                .filter(|name| present.contains(name.as_str()))
                .cloned()
                .collect(),
            summaries: of(&scores),
            by_horizon: (horizons.iter())
                .map(|(months_ahead, scores)| HorizonRecord {
                    months_ahead: *months_ahead,
                    summaries: of(scores),
                })
                .collect(),
            by_quantity: (quantities.iter())
                .map(|(quantity, scores)| QuantityRecord {
                    quantity: (*quantity).to_owned(),
                    summaries: of(scores),
                })
                .collect(),
            reference,
            scores,
        })
    }

    /// The best of those who are judged.
    pub fn leader(&self) -> Option<&Summary> {
        (self.summaries.iter()).find(|summary| self.judged.contains(&summary.forecaster))
    }

    /// With whom the leader is compared: the reference, or the best of the others if it is the reference itself.
    pub fn rival(&self) -> Option<&Summary> {
        let leader = &self.leader()?.forecaster;
        let is_rival = |of: &&Summary| match *leader == self.reference {
            true => of.forecaster != *leader,
            false => of.forecaster == self.reference,
        };
        self.summaries.iter().find(is_rival)
    }
}
