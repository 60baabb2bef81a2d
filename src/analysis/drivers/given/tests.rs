use super::super::groups::groups_by_name;
use super::super::reference::{ishigami, results, uniform_columns};
use super::*;

fn given<'a>(
    names: &'a [String],
    inputs: &'a [Vec<f64>],
    result: &'a [f64],
    kind: ResultKind,
) -> GivenTrials<'a> {
    GivenTrials {
        inputs: (names.iter().zip(inputs))
            .map(|(name, values)| GivenInput {
                name,
                values,
                is_correlated: false,
            })
            .collect(),
        name: "y",
        kind,
        unit: "MW",
        result,
        horizon_months: 60.0,
        seed: 1,
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|input| format!("x/{input}")).collect()
}

/// Three drivers among forty inputs, of which one acts through another alone.
#[test]
fn inputs_without_effect_are_within_the_noise() {
    let (inputs, names) = (uniform_columns(40, 4_000), names(40));
    let result = results(&inputs, ishigami);
    let drivers = given_drivers(
        &given(&names, &inputs, &result, ResultKind::Number),
        &[],
        false,
    )
    .unwrap();
    let found: Vec<&str> = drivers
        .inputs
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    assert_eq!(found, ["x/1", "x/0", "x/2"]);
    assert_eq!(drivers.within_noise.len(), 37);
    let x2 = &drivers.inputs[2];
    // x2 has no first-order index: delta shows that it matters.
    assert!(
        x2.first_order.value < 0.02 && x2.delta.value > 0.08,
        "{x2:?}"
    );
    // First order 0.756, all together 1: regression finds most of it.
    assert!(
        (0.75..1.0).contains(&drivers.explained.value),
        "{:?}",
        drivers.explained
    );
}

#[test]
fn a_target_is_reported_in_probabilities() {
    let (inputs, names) = (uniform_columns(5, 4_000), names(5));
    let result = results(&inputs, |u| f64::from(u8::from(u[0] + 0.3 * u[1] < 0.8)));
    let drivers = given_drivers(
        &given(&names, &inputs, &result, ResultKind::Target),
        &[],
        true,
    )
    .unwrap();
    assert_eq!(drivers.inputs[0].name, "x/0");
    let [low, high] = drivers.inputs[0].tornado;
    assert!(low.mean == 1.0 && high.mean < 0.1, "{low:?} {high:?}");
    assert!((drivers.of.mean - 0.65).abs() < 0.04);
    assert!(drivers.failures.unwrap()[0].conditions[0].at_least.unwrap() > 0.5);
}

#[test]
fn a_group_has_what_its_inputs_have_together() {
    let inputs = uniform_columns(6, 4_000);
    let names: Vec<String> = ["a/1", "a/2", "a/3", "b/1", "b/2", "noise"]
        .map(str::to_owned)
        .to_vec();
    // Four equal parts, of which a has three; and as much process noise as one of them.
    let result = results(&inputs, |u| u[0] + u[1] + u[2] + u[3] + u[5]);
    let known = &inputs[..5];
    let groups = groups_by_name(&names[..5]);
    let drivers = given_drivers(
        &given(&names[..5], known, &result, ResultKind::Number),
        &groups,
        false,
    )
    .unwrap();
    let a = drivers
        .groups
        .iter()
        .find(|group| group.name == "a/*")
        .unwrap();
    assert!(
        (a.share.value - 0.6).abs() < 4.0 * a.share.std_error,
        "{a:?}"
    );
    assert!(
        (drivers.explained.value - 0.8).abs() < 4.0 * drivers.explained.std_error,
        "{:?}",
        drivers.explained
    );
    assert!(
        (drivers.inputs[0].first_order.value - 0.2).abs()
            < 4.0 * drivers.inputs[0].first_order.std_error
    );
}

/// Fifty inputs with a five-hundredth of the variance each, and fifty without effect.
#[test]
fn a_group_of_weak_inputs_stands_out_together() {
    let inputs = uniform_columns(101, 4_000);
    let names: Vec<String> = (0..100)
        .map(|input| format!("{}/{input}", if input < 50 { "weak" } else { "none" }))
        .collect();
    let result = results(&inputs, |u| {
        u[..50].iter().sum::<f64>() + 450_f64.sqrt() * u[100]
    });
    let known = &inputs[..100];
    let groups = groups_by_name(&names);
    let given = given(&names, known, &result, ResultKind::Number);
    let drivers = given_drivers(&given, &groups, false).unwrap();
    let found: Vec<&str> = (drivers.groups.iter())
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(found, ["weak/*"]);
    let share = drivers.groups[0].share;
    // Fitting fifty coefficients to 3,600 trials costs 50 / 3,600 of what is not explained.
    assert!(
        (share.value - (0.1 - 0.9 * 50.0 / 3_600.0)).abs() < 4.0 * share.std_error,
        "{share:?}"
    );
    assert!(drivers.inputs.len() < 25, "{}", drivers.inputs.len());
}

#[test]
fn what_would_mislead_is_refused() {
    let (inputs, names) = (uniform_columns(2, 1_000), names(2));
    let refused = |result: &[f64], kind| {
        given_drivers(&given(&names, &inputs, result, kind), &[], false)
            .unwrap_err()
            .to_string()
    };
    assert!(refused(&[5.0; 1_000], ResultKind::Number).contains("5 MW in every one"));
    assert!(
        refused(&[f64::INFINITY; 1_000], ResultKind::Date).contains("not reached in every one")
    );
    let mut seldom = vec![0.0; 1_000];
    seldom[..10].fill(1.0);
    assert!(refused(&seldom, ResultKind::Target).contains("met in 10 of 1000 trials"));
    let mut nan = vec![f64::NAN; 1_000];
    nan[..100].copy_from_slice(&inputs[0][..100]);
    assert!(refused(&nan, ResultKind::Number).contains("100 trials are too few to show"));
    let none = GivenTrials {
        inputs: Vec::new(),
        ..given(&names, &inputs, &inputs[0], ResultKind::Number)
    };
    assert_eq!(
        given_drivers(&none, &[], false),
        Err(DriversError::NoInputs)
    );
}
