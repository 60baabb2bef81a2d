use super::*;
use crate::finance::{Capex, Finance};
use crate::site::Campus;
use crate::{Date, Scenario, Uncertain};

/// A campus whose cost is (x - 3)² + (y - 0.5)² million and a uniform million, with x and y the first two settings.
fn build(settings: &[Setting]) -> Result<Model, Box<dyn std::error::Error + Send + Sync>> {
    let number = |at: usize| match settings.get(at) {
        Some(Setting::Number(number)) => *number,
        _ => 0.5,
    };
    let cost = (number(0) - 3.0).powi(2) + (number(1) - 0.5).powi(2);
    let mut scenario = Scenario::new("bowl", Date::month(2025, 1)?, 12);
    scenario.campuses.push(Campus::new("north"));
    let mut finance = Finance::new(0.0);
    for (name, amount) in [
        ("fixed", Uncertain::from(cost * 1e6)),
        ("land", Uncertain::uniform(0.0, 1e6)),
    ] {
        finance.capex.push(Capex::new(name, amount));
    }
    scenario.finance = Some(finance);
    Ok(scenario.compile()?)
}

fn variable(name: &str, between: [f64; 2], step: Option<f64>) -> DecisionVariable {
    let mut variable = DecisionVariable::new(name, vec!["any".into()]).between(between);
    variable.step = step;
    variable
}

fn objective(text: &str) -> Objective {
    text.parse().unwrap()
}

#[test]
fn the_best_of_few_plans_is_found_and_tried_on_fresh_trials() {
    let search = SearchRun::new(
        [variable("x", [0.0, 5.0], Some(1.0))],
        [objective("maximise mean(npv)")],
        build,
    );
    let found = search.trials(400).seed(1).run("bowl").unwrap();
    assert!(found.is_exhaustive && found.plans.len() == 6);
    let best = found.best.unwrap();
    assert_eq!(found.plans[best.plan].settings, [Setting::Number(3.0)]);
    assert!(best.probability_best.is_some_and(|p| p > 0.99));
    // The mean of minus a uniform million, within four standard errors of 14,000.
    assert!((best.value_on_fresh_trials + 0.5e6).abs() < 6e4, "{best:?}");
    assert!(best.optimism.abs() < 1e5 && best.at_an_end.is_empty());
}

#[test]
fn a_best_plan_at_an_end_of_its_range_is_reported() {
    let search = SearchRun::new(
        [
            variable("y", [0.0, 5.0], Some(1.0)),
            variable("x", [0.0, 1.0], Some(0.5)),
        ],
        [objective("maximise mean(npv)")],
        |settings| build(&[settings[1].clone(), Setting::Number(0.5)]),
    );
    // The best x is 3, and all y are as good.
    let best = search.trials(100).run("bowl").unwrap().best.unwrap();
    assert!(best.at_an_end.contains(&1), "{best:?}");
}

#[test]
fn a_range_is_searched_to_its_best_point() {
    let search = SearchRun::new(
        [
            variable("x", [0.0, 5.0], None),
            variable("y", [0.0, 1.0], None),
        ],
        [objective("maximise p10(npv)")],
        build,
    );
    let found = search.trials(400).seed(2).plans(80).run("bowl").unwrap();
    assert!(!found.is_exhaustive && found.plans.len() <= 80);
    let best = &found.plans[found.best.unwrap().plan];
    let [Setting::Number(x), Setting::Number(y)] = best.settings[..] else {
        panic!("two numbers")
    };
    assert!((x - 3.0).abs() < 0.05 && (y - 0.5).abs() < 0.1, "{x} {y}");
    assert_eq!(best.trials, 400);
}

#[test]
fn constraints_keep_the_search_out_and_none_is_reported() {
    let bounded = |constraint: &str| {
        SearchRun::new(
            [variable("x", [0.0, 5.0], Some(0.5))],
            [objective("maximise mean(npv)")],
            build,
        )
        .constraints([constraint.parse().unwrap()])
        .trials(200)
        .run("bowl")
    };
    // The cost of x = 2.5 is 0.25 to 1.25 million: of 3 it is 0 to 1 million, which is never above 1.2.
    let found = bounded("P(npv < -1.2 million) >= 1 %").unwrap();
    let best = &found.plans[found.best.unwrap().plan];
    assert_eq!(best.settings, [Setting::Number(2.5)]);
    assert_eq!(bounded("mean(npv) >= 1").unwrap().best, None);
}

#[test]
fn a_front_has_the_plans_that_none_beats_in_both() {
    let search = SearchRun::new(
        [variable("x", [0.0, 5.0], Some(1.0))],
        [
            objective("maximise mean(npv)"),
            objective("minimise p90(npv)"),
        ],
        build,
    );
    let found = search.trials(200).run("bowl").unwrap();
    // The objectives are opposed: of plans that are equal in both one is kept.
    let values: Vec<f64> = found
        .front
        .iter()
        .map(|plan| found.plans[*plan].values[0])
        .collect();
    assert!(found.best.is_none() && values.len() >= 3);
    assert!(
        values.windows(2).all(|pair| pair[0] > pair[1]),
        "{values:?}"
    );
}

#[test]
fn an_indifference_zone_saves_trials() {
    let search = || {
        SearchRun::new(
            [variable("x", [0.0, 5.0], Some(1.0))],
            [objective("maximise mean(npv)")],
            build,
        )
    };
    let found = search()
        .trials(5_000)
        .indifference(1e5)
        .run("bowl")
        .unwrap();
    let selected = found.selected.unwrap();
    assert!(selected.is_sure && selected.best == 3);
    assert!(selected.trials.iter().sum::<u64>() < 6 * 1_000);
    let refused = search().indifference(-1.0).run("bowl");
    assert!(matches!(refused, Err(DecideError::Indifference)));
}
