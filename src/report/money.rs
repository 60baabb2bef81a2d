//! What trials yield once, money above all, as a table to read.

use super::table::{columns_within, paragraph};
use super::text::{MISSING, decimals, grouped, percent, wrapped};
use crate::Projection;
use crate::finance::{conditional_value_at_risk, probability_of_loss};
use crate::projection::{Distribution, Metric};

/// The share of trials that count as the bad end.
const BAD_END: f64 = 0.1;
/// From this on amounts are written in millions.
const LARGE: f64 = 1e7;
const MILLION: f64 = 1e6;

/// The outcomes, and how likely and how bad a loss is.
pub(super) fn outcomes(width: usize, projection: &Projection) -> Option<String> {
    let heads = ["outcome", "unit", "P10", "P50", "P90", "mean", "of trials"];
    let mut shown: Vec<(&Metric, Distribution<'_>)> = projection.outcomes().collect();
    shown.retain(|(_, distribution)| distribution.count() > 0);
    let is_conditional = |of: Distribution<'_>| of.finite_count() < projection.trials();
    // Where every outcome is one of all trials, a column that says so has no information.
    let columns_shown = match shown.iter().any(|(_, of)| is_conditional(*of)) {
        true => heads.len(),
        false => heads.len() - 1,
    };
    let rows: Vec<Vec<String>> = shown
        .into_iter()
        .map(|(metric, distribution)| {
            let name = name_beside_unit(&metric.name, &metric.unit);
            let quantiles = distribution.quantiles(&[0.1, 0.5, 0.9]);
            let values = quantiles.into_iter().chain([distribution.mean()]);
            let amount = Amount::of(&metric.unit, distribution);
            let cells = values.map(|value| amount.show(value));
            let names = [name, amount.unit()].into_iter();
            let share = [percent(distribution.share_of_trials())];
            names
                .chain(cells)
                .chain(share)
                .take(columns_shown)
                .collect()
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let right: Vec<usize> = (2..columns_shown).collect();
    let mut text = format!(
        "Outcomes of a trial\n\n{}",
        paragraph(&columns_within(
            width,
            &heads[..columns_shown],
            &rows,
            &right
        ))
    );
    if columns_shown == heads.len() {
        let note = "of trials: the share in which there is such a number; the mean, and the percentiles of a rate, are of those alone.";
        text += &format!("\n{}", wrapped(note, width));
    }
    if let Some(loss) = loss(projection) {
        text += &format!("\n{}", wrapped(&loss, width));
    }
    Some(text)
}

/// The name of a metric in words, without the unit that stands beside it.
fn name_beside_unit(name: &str, unit: &str) -> String {
    let words = name.replace('_', " ");
    let ending = format!(" mw {}", unit.trim_start_matches("MW-"));
    match words.strip_suffix(&ending) {
        Some(bare) if unit.starts_with("MW-") => bare.to_owned(),
        _ => words,
    }
}

/// How likely and how bad a loss is, in a sentence.
pub(super) fn loss(projection: &Projection) -> Option<String> {
    let mut outcomes = projection.outcomes();
    let (metric, npv) = outcomes.find(|(metric, _)| metric.name == "npv")?;
    let amount = Amount::of(&metric.unit, npv);
    Some(format!(
        "The net present value is below 0 in {} of the trials; in the worst tenth it is {} {} in the mean.",
        percent(probability_of_loss(npv)),
        amount.show(conditional_value_at_risk(npv, BAD_END)),
        amount.unit(),
    ))
}

/// How amounts of a unit are written.
struct Amount<'a> {
    unit: &'a str,
    in_millions: bool,
    decimals: usize,
}

impl<'a> Amount<'a> {
    fn of(unit: &'a str, distribution: Distribution<'_>) -> Self {
        let quantiles = distribution.quantiles(&[0.1, 0.9]);
        let greatest = (quantiles.into_iter().flatten()).fold(0.0, |a: f64, x| a.max(x.abs()));
        let in_millions = greatest >= LARGE;
        let shown = if in_millions {
            greatest / MILLION
        } else {
            greatest
        };
        Self {
            unit,
            in_millions,
            decimals: decimals(unit, shown),
        }
    }

    fn unit(&self) -> String {
        if self.in_millions {
            format!("million {}", self.unit)
        } else {
            self.unit.to_owned()
        }
    }

    fn show(&self, value: Option<f64>) -> String {
        match value {
            None => MISSING.to_owned(),
            Some(x) if self.unit == "share" => format!("{:.1} %", x * 100.0),
            Some(x) if self.in_millions => grouped(x / MILLION, self.decimals),
            Some(x) => grouped(x, self.decimals),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finance::{Capex, Finance};
    use crate::site::Campus;
    use crate::{Batch, Date, Scenario, Uncertain};

    #[test]
    fn a_loss_and_its_bad_end_are_reported() {
        let mut scenario = Scenario::new("money", Date::month(2025, 1).unwrap(), 12);
        scenario.campuses.push(Campus::new("north"));
        let plain = Batch::new(&scenario.compile().unwrap())
            .trials(50)
            .run()
            .unwrap();
        assert_eq!(outcomes(80, &plain), None);
        let mut finance = Finance::new(0.0);
        finance.currency = "yuan".to_owned();
        let amount = Uncertain::uniform(0.0, 1e9);
        finance.capex.push(Capex::new("all", amount));
        scenario.finance = Some(finance);
        let projection = Batch::new(&scenario.compile().unwrap())
            .trials(400)
            .run()
            .unwrap();
        let text = outcomes(80, &projection).unwrap();
        assert!(text.contains("below 0 in 100 % of the trials"), "{text}");
        let npv = text.lines().find(|line| line.starts_with("npv")).unwrap();
        assert!(npv.contains("million yuan"), "{text}");
        // P10, P50 and P90 of minus a uniform amount, in millions; three standard errors are 45 to 75.
        let numbers: Vec<f64> = npv
            .split_whitespace()
            .filter_map(|word| word.replace(',', "").parse().ok())
            .collect();
        for (found, expected) in numbers.iter().zip([-900.0, -500.0, -100.0, -500.0]) {
            assert!((found - expected).abs() < 75.0, "{text}");
        }
        // What no trial has is left out.
        assert!(!text.contains("irr per year"), "{text}");
    }
}
