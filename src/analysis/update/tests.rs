//! Updates of a small scenario whose posterior is known.

use std::sync::Arc;

use super::*;
use crate::date::Date;
use crate::monte_carlo::batch::Cancel;
use crate::sampling::design::Drawing;
use crate::{Batch, Scenario};

/// Two works in a row with normal durations, and one beside them.
fn model() -> Model {
    let scenario = Scenario::from_toml(
        r#"
        name = "normal"
        start = "2025-01"
        horizon_months = 60
        rack_types = [{ name = "r", power_kw = 10.0 }]
        [[campuses]]
        name = "c"
        activities = [
          { name = "design", duration_months = { normal = { mean = 12.0, sd = 2.0 } }, after = [], milestone = true },
          { name = "permit", duration_months = { normal = { mean = 10.0, sd = 1.0 } }, after = [] },
          { name = "shell", duration_months = { normal = { mean = 20.0, sd = 1.5 } }, after = ["design"], milestone = true },
        ]
    "#,
    );
    scenario.unwrap().compile().unwrap()
}

/// The milestone of an activity.
fn milestone<'a>(model: &'a Model, activity: &str) -> &'a str {
    let mut names = model.layout().milestones.iter();
    names.find(|name| name.contains(activity)).unwrap()
}

/// A day this many months after the start.
fn day(months: f64) -> Date {
    Date::month(2025, 1).unwrap().plus_months(months).unwrap()
}

/// The mean and the standard deviation of an input over the trials of an ensemble.
fn moments_of(ensemble: &Ensemble, model: &Model, input: &str) -> (f64, f64) {
    let position = model.input_names().position(|name| name == input).unwrap();
    let mut values = Vec::new();
    let mut all = Vec::new();
    for trial in 0..ensemble.trials() {
        model.input_values(ensemble.point(ensemble.member_of(trial)), &mut values);
        all.push(values[position]);
    }
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let squares: f64 = all.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

fn observe(model: &Model, of: &str, months: f64, error: f64) -> Observation {
    Observation::reached(milestone(model, of), day(months), error)
}

/// The design, N(12, 2^2), was over after 15 months, seen with an error of sd 1: its duration has the mean
/// (12/4 + 15) / (1/4 + 1) = 14.4 and the standard deviation 1 / sqrt(5/4) = 0.894; other inputs are as before. Weights on
/// 8,000 trials have an effective sample size of some thousands: standard error of the mean about 0.02.
#[test]
fn weights_give_the_posterior_of_the_closed_form() {
    let model = model();
    let observations = Observations::new(vec![observe(&model, "design", 15.0, 1.0)]).unwrap();
    let update = Update::new(&model, &observations)
        .trials(8_000)
        .members(2_000);
    let updated = update.seed(3).run().unwrap();
    let report = &updated.report;
    assert_eq!(report.method, Method::ImportanceWeights);
    let (mean, sd) = moments_of(&updated.ensemble, &model, "c/design");
    assert!((mean - 14.4).abs() < 0.1, "{mean}");
    assert!((sd - 0.8_f64.sqrt()).abs() < 0.07, "{sd}");
    let (mean, sd) = moments_of(&updated.ensemble, &model, "c/shell");
    assert!(
        (mean - 20.0).abs() < 0.15 && (sd - 1.5).abs() < 0.12,
        "{mean} {sd}"
    );
    assert_eq!(report.inputs[0].name, "c/design");
    assert!(report.inputs[0].is_moved && report.predicted[0].is_explained());
    // The observation's density under N(12, 5).
    let expected = -0.5 * (9.0 / 5.0 + (2.0 * std::f64::consts::PI * 5.0).ln());
    assert!(
        (report.log_evidence - expected).abs() < 0.1,
        "{}",
        report.log_evidence
    );
}

/// Both works were over after 44 months, seen with sd 0.1: the sum of N(12, 2^2) and N(20, 1.5^2) is 4.8 standard deviations
/// above its mean 32, where no trial of the prior is. Given s of N(32, 2.5^2) observed as 44, the design has the mean
/// 12 + 4/6.25 (E s - 32) and the variance 4 - 16/6.25 + (4/6.25)^2 var s.
#[test]
#[ignore = "slow"]
fn particles_go_where_no_trial_of_the_prior_is() {
    let model = model();
    let observations = Observations::new(vec![observe(&model, "shell", 44.0, 0.1)]).unwrap();
    let update = || {
        Update::new(&model, &observations)
            .trials(1_000)
            .members(500)
            .seed(4)
    };
    let updated = update().run().unwrap();
    let report = &updated.report;
    assert_eq!(report.method, Method::SequentialMonteCarlo);
    assert_eq!(report.exponent, 1.0);
    let (s, of_s) = (32.0 + 12.0 * 6.25 / 6.26, 0.01 * 6.25 / 6.26);
    let (mean, sd) = moments_of(&updated.ensemble, &model, "c/design");
    let variance = 4.0 - 16.0 / 6.25 + 0.64_f64.powi(2) * of_s;
    // With a fourth of 500 independent: standard error 1.2 / sqrt(125) = 0.11.
    assert!((mean - (12.0 + 0.64 * (s - 32.0))).abs() < 0.45, "{mean}");
    assert!((sd / variance.sqrt() - 1.0).abs() < 0.25, "{sd}");
    assert!(report.predicted[0].nearest > 3.0 && !report.predicted[0].is_reproduced);
    let again = update().threads(3).run().unwrap();
    assert_eq!(
        (again.ensemble, &again.report),
        (updated.ensemble.clone(), report)
    );

    let drawing = Drawing::of(Arc::new(updated.ensemble));
    let posterior = Batch::new(&model)
        .trials(500)
        .drawing(drawing)
        .run()
        .unwrap();
    let built = posterior.milestone(milestone(&model, "shell")).unwrap();
    assert!(
        (built.mean().unwrap() - s).abs() < 0.03,
        "{:?}",
        built.mean()
    );
}

/// A design that is not over after 14 months is a normal distribution cut off below: its mean is 12 + 2 phi(1) / (1 - Phi(1)).
#[test]
fn what_has_not_happened_yet_is_an_observation_too() {
    let model = model();
    let not_yet = Observation {
        value: ObservedValue::NotYet,
        ..observe(&model, "design", 14.0, 0.01)
    };
    let observations = Observations::new(vec![not_yet]).unwrap();
    let updated = Update::new(&model, &observations)
        .trials(8_000)
        .members(1_000);
    let (mean, _) = moments_of(&updated.run().unwrap().ensemble, &model, "c/design");
    let expected = 12.0 + 2.0 * 0.241_971 / 0.158_655;
    assert!((mean - expected).abs() < 0.1, "{mean} {expected}");
}

/// Two observations of one milestone whose discrepancy they share say little more than one.
#[test]
fn a_shared_discrepancy_does_not_count_twice() {
    let model = model();
    let sd = |count: usize, shared: bool| {
        let one = observe(&model, "design", 12.0, 0.2);
        let observations = Observations::new(vec![one; count]).unwrap();
        let observations = if shared {
            observations.discrepancy(0.0, 1.0)
        } else {
            observations
        };
        let updated = Update::new(&model, &observations)
            .trials(4_000)
            .members(400);
        moments_of(&updated.run().unwrap().ensemble, &model, "c/design").1
    };
    // 1 / sqrt(1/4 + 1/(1 + 0.04/n)): 0.91 with one, 0.90 with four.
    let (one, four) = (sd(1, true), sd(4, true));
    assert!(
        (one - 0.91).abs() < 0.12 && (four - 0.9).abs() < 0.12,
        "{one} {four}"
    );
    // Without it four have half the error: 1 / sqrt(1/4 + 4/0.04) = 0.0999.
    assert!((sd(4, false) - 0.0999).abs() < 0.02);
}

#[test]
#[ignore = "slow"]
fn an_update_goes_on_from_its_checkpoint_to_the_same_ensemble() {
    let model = model();
    let observations = Observations::new(vec![observe(&model, "shell", 42.0, 0.1)]).unwrap();
    let update = || {
        Update::new(&model, &observations)
            .trials(400)
            .members(200)
            .seed(5)
    };
    let whole = update().run().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("particles");
    let cancel = Cancel::new();
    let interrupted = update()
        .checkpoint(&path, Duration::ZERO)
        .cancelled_by(&cancel)
        .on_progress(|simulated, _| {
            if simulated > 3_000 {
                cancel.cancel();
            }
        })
        .run();
    assert!(matches!(
        interrupted,
        Err(UpdateError::Run(RunError::Cancelled))
    ));
    assert!(path.exists());
    let resumed = update().checkpoint(&path, Duration::ZERO).run().unwrap();
    assert_eq!(resumed.ensemble, whole.ensemble);
    assert_eq!(resumed.report, whole.report);
    let other = update().seed(6).checkpoint(&path, Duration::ZERO).run();
    assert!(matches!(
        other,
        Err(UpdateError::State(StateError::OtherUpdate { .. }))
    ));
}

#[test]
fn what_cannot_be_used_is_reported_at_once() {
    let model = model();
    let wrong = vec![
        Observation::reached("dezign", day(3.0), 0.5),
        Observation::metric(
            "it_power_mw",
            Date::month(2050, 1).unwrap(),
            1.0,
            Spread::Share(0.1),
        ),
        Observation::metric("it_power_mw", day(2.0), 0.0, Spread::Share(0.1)),
    ];
    let observations = Observations::new(wrong).unwrap();
    let said = Update::new(&model, &observations)
        .run()
        .unwrap_err()
        .to_string();
    for words in [
        "observation 1, \"dezign\"",
        "did you mean",
        "observation 2",
        "outside of the scenario",
        "the error is 0",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    let fine = Observations::new(vec![observe(&model, "design", 12.0, 1.0)]).unwrap();
    assert!(Update::new(&model, &fine).members(1).run().is_err());
    assert!(Update::new(&model, &fine).trials(10).run().is_err());
}
