//! What a projection says, in sentences for those who decide.

use super::chart::end_of_month;
use super::summary::{cause_words, year_ends};
use super::text::{decimals, grouped, month_of, nth_month, percent};
use crate::Projection;
use crate::projection::MetricView;

/// A probability in words, after the calibrated language of the IPCC (Mastrandrea et al.,
/// "Guidance Note for Lead Authors of the IPCC Fifth Assessment Report on Consistent Treatment of
/// Uncertainties", 2010).
pub(super) fn likelihood(probability: f64) -> &'static str {
    match probability {
        p if p.is_nan() => "not known",
        p if p > 0.99 => "virtually certain",
        p if p > 0.90 => "very likely",
        p if p > 0.66 => "likely",
        p if p >= 0.33 => "about as likely as not",
        p if p >= 0.10 => "unlikely",
        p if p >= 0.01 => "very unlikely",
        _ => "exceptionally unlikely",
    }
}

/// The answer in sentences: how much and by when, which targets are met, what holds capacity back,
/// what is stranded, and which date is the least sure.
pub fn sentences(projection: &Projection) -> Vec<String> {
    [
        capacity(projection),
        targets(projection),
        holds_back(projection),
        stranded(projection),
        least_sure(projection),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The month, from 0, that the least likely target asks about; the last one if none has a date within the horizon.
fn asked_month(projection: &Projection) -> usize {
    let layout = projection.layout();
    let last = layout.months - 1;
    let dated = projection.targets().filter_map(|target| {
        let months = end_of_month(target.label().by?, layout.start);
        (months >= 1.0).then_some((target.probability()?, months as usize - 1))
    });
    let asked = dated.min_by(|a, b| a.0.total_cmp(&b.0));
    asked.map_or(last, |(_, month)| month.min(last))
}

fn capacity(projection: &Projection) -> Option<String> {
    let last = asked_month(projection);
    let by = nth_month(projection.layout().start, last);
    let mut parts = Vec::new();
    for (name, what) in [
        ("it_power_mw", "of IT power are live"),
        ("in_service_power_mw", "are in service with tenants"),
    ] {
        let Some(metric) = projection.metric(name) else {
            continue;
        };
        let Some(distribution) = metric.month(last) else {
            continue;
        };
        let quantiles = distribution.quantiles(&[0.1, 0.5, 0.9]);
        let [Some(low), Some(middle), Some(high)] = quantiles[..] else {
            continue;
        };
        let places = decimals(metric.unit(), high);
        let show = |x: f64| grouped(x, places);
        if show(low) == show(high) {
            let unit = metric.unit();
            parts.push(format!(
                "{} {unit} {what} in nearly all trials",
                show(middle)
            ));
            continue;
        }
        parts.push(format!(
            "{} {} {what} in the median trial, and between {} and {} {} in four trials of five",
            show(middle),
            metric.unit(),
            show(low),
            show(high),
            metric.unit(),
        ));
    }
    (!parts.is_empty()).then(|| format!("By the end of {by}, {}.", parts.join("; ")))
}

fn targets(projection: &Projection) -> Option<String> {
    let parts: Vec<String> = projection
        .targets()
        .filter_map(|target| {
            let probability = target.probability()?;
            Some(format!(
                "“{}” is {} ({})",
                target.label().name,
                likelihood(probability),
                percent(Some(probability)),
            ))
        })
        .collect();
    (!parts.is_empty()).then(|| format!("Targets: {}.", parts.join("; ")))
}

/// Which cause holds capacity back most, year by year, with like years taken together.
fn holds_back(projection: &Projection) -> Option<String> {
    let total = projection.total();
    let causes: Vec<(&str, Vec<f64>)> = total.bindings().collect();
    if causes.is_empty() || projection.trials() == 0 {
        return None;
    }
    let layout = projection.layout();
    let mut spans: Vec<(&str, i16, i16)> = Vec::new();
    let mut start = 0;
    for end in year_ends(projection) {
        let months = start..end + 1;
        start = end + 1;
        let sum = |shares: &[f64]| shares[months.clone()].iter().sum::<f64>();
        let none = months.len() as f64 - causes.iter().map(|(_, shares)| sum(shares)).sum::<f64>();
        let mut leading = ("nothing", none);
        for (cause, shares) in &causes {
            if sum(shares) > leading.1 {
                leading = (cause_words(cause), sum(shares));
            }
        }
        let year = layout
            .start
            .plus_months(end as f64)
            .map_or(0, |date| date.year());
        match spans.last_mut() {
            Some((cause, _, last)) if *cause == leading.0 => *last = year,
            _ => spans.push((leading.0, year, year)),
        }
    }
    let parts: Vec<String> = spans
        .iter()
        .map(|(cause, first, last)| {
            if first == last {
                format!("{cause} in {first}")
            } else {
                format!("{cause} from {first} to {last}")
            }
        })
        .collect();
    Some(format!(
        "What holds capacity in service back most often: {}.",
        parts.join(", then ")
    ))
}

/// The largest mean of anything stranded.
fn stranded(projection: &Projection) -> Option<String> {
    let mut most: Option<(MetricView<'_>, usize, f64)> = None;
    for metric in stranded_metrics(projection) {
        for (month, mean) in metric.mean().into_iter().enumerate() {
            if mean.is_finite() && most.as_ref().is_none_or(|(_, _, most)| mean > *most) {
                most = Some((metric, month, mean));
            }
        }
    }
    let (metric, month, mean) = most.filter(|(_, _, mean)| *mean > 0.0)?;
    Some(format!(
        "The most that is stranded, on average over all trials: {} {} in {} ({}).",
        grouped(mean, decimals(metric.unit(), mean)),
        metric.unit(),
        nth_month(projection.layout().start, month),
        lower_first(metric.meaning()),
    ))
}

/// The metrics of capacity that is there in part only.
pub(super) fn stranded_metrics(projection: &Projection) -> Vec<MetricView<'_>> {
    projection
        .total()
        .metrics()
        .filter(|metric| metric.name().starts_with("stranded_"))
        .collect()
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn least_sure(projection: &Projection) -> Option<String> {
    let start = projection.layout().start;
    let mut widest: Option<(&str, f64, f64)> = None;
    for (name, distribution) in projection.milestones() {
        if let [Some(low), Some(high)] = distribution.quantiles(&[0.1, 0.9])[..]
            && widest.is_none_or(|(_, a, b)| high - low > b - a)
        {
            widest = Some((name, low, high));
        }
    }
    let (name, low, high) = widest.filter(|(_, low, high)| high - low >= 1.0)?;
    Some(format!(
        "The date that is the least sure is “{name}”: {} to {} in four trials of five, {} months apart.",
        month_of(start, low)?,
        month_of(start, high)?,
        grouped(high - low, 0),
    ))
}

/// What sets the second projection apart from the first: the month in which their medians of live
/// IT power are furthest apart.
pub(super) fn difference(base: &Projection, other: &Projection) -> Option<String> {
    let (ours, theirs) = (base.layout(), other.layout());
    if ours.start != theirs.start {
        return None;
    }
    let medians = |projection: &Projection| Some(projection.metric("it_power_mw")?.quantile(0.5));
    let gaps = medians(base)?.into_iter().zip(medians(other)?);
    let (month, gap) = gaps
        .map(|(ours, theirs)| theirs - ours)
        .enumerate()
        .filter(|(_, gap)| gap.is_finite())
        .max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))?;
    if gap == 0.0 {
        return Some("At the median it has the same IT power live in every month.".to_owned());
    }
    Some(format!(
        "At the median it has up to {} MW {} of IT power live (in {}).",
        grouped(gap.abs(), decimals("MW", gap)),
        if gap > 0.0 { "more" } else { "less" },
        nth_month(ours.start, month),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_probability_has_its_word() {
        for (p, word) in [
            (1.0, "virtually certain"),
            (0.95, "very likely"),
            (0.7, "likely"),
            (0.5, "about as likely as not"),
            (0.2, "unlikely"),
            (0.05, "very unlikely"),
            (0.0, "exceptionally unlikely"),
        ] {
            assert_eq!(likelihood(p), word);
        }
    }

    #[test]
    fn the_sentences_say_what_the_projection_says() {
        let projection = fixture::projection();
        let text = sentences(&projection).join("\n");
        // What the target asks about, not the end of the horizon.
        let expected = "By the end of Apr 2025, ";
        assert!(text.contains(expected), "{text}");
        let target = projection.targets().next().unwrap().probability();
        assert!(text.contains(&format!("({})", percent(target))), "{text}");
        assert!(text.contains("too few tenants from 2024 to 2025"), "{text}");
        assert!(
            difference(&projection, &projection)
                .unwrap()
                .contains("the same IT power")
        );
    }
}
