//! What is built in a trial, against closed forms.

use crate::model::Model;
use crate::projection::TrialRow;
use crate::sampling::design::Design;
use crate::trial::Workspace;
use crate::uncertain::normal_cdf;
use crate::{Batch, Scenario};

/// One campus with buildings of one hall of 1 MW, which take no time to build.
fn scenario(classes: &str, buildings: &str) -> Scenario {
    let text = format!(
        r#"
name = "test"
start = "2025-01"
horizon_months = 24
rack_types = [{{ name = "air", power_kw = 10 }}]
generations = [{{ name = "chip", rack_power_kw = 10, rack_pflops = {{ fp16_dense = 5 }} }}]
{classes}
[[building_templates]]
name = "block"
activities = [{{ name = "work", duration_months = 0 }}]
halls = [{{ name = "hall", racks = 100, rack_type = "air" }}]
[[campuses]]
name = "north"
{buildings}
"#
    );
    Scenario::from_toml(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn compile(buildings: &str) -> Model {
    scenario("", buildings)
        .compile()
        .unwrap_or_else(|error| panic!("{error}"))
}

/// MW at the end of a month, 0 for the first, over the trials.
fn megawatts(model: &Model, month: usize, trials: u64) -> Vec<f64> {
    monthly(model, "it_power_mw", month, trials)
}

fn monthly(model: &Model, metric: &str, month: usize, trials: u64) -> Vec<f64> {
    let metric = model.layout.metric_index(metric).unwrap();
    let (mut workspace, mut row) = (Workspace::default(), TrialRow::new(model.layout().clone()));
    let each = (0..trials).map(|trial| {
        model.simulate(7, trial, &mut workspace, &mut row);
        row.monthly(0, metric)[month]
    });
    each.collect()
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    (mean, squares / (n - 1.0))
}

/// Asserts that a mean over trials is what theory says, within four standard errors.
fn is_mean(values: &[f64], expected: f64) {
    let (mean, variance) = moments(values);
    let tolerance = 4.0 * (variance / values.len() as f64).sqrt();
    assert!(
        (mean - expected).abs() <= tolerance,
        "{mean} +- {tolerance}, not {expected}"
    );
}

const TRIALS: u64 = 8_000;

#[test]
fn a_building_is_built_with_its_probability_or_never() {
    let model = compile(
        r#"
buildings = [
  { name = "A", template = "block", probability = 0.3 },
  { name = "B", template = "block", after = ["A"] },
  { name = "C", template = "block", probability = 0 },
]"#,
    );
    assert_eq!(model.input_names().collect::<Vec<_>>(), ["north/A/built"]);
    let built = megawatts(&model, 23, TRIALS);
    assert!(built.iter().all(|mw| [0.0, 2.0].contains(mw)));
    is_mean(&built, 0.6);
    let projection = Batch::new(&model).trials(4_000).seed(1).run().unwrap();
    let reached = projection
        .milestone("B live")
        .unwrap()
        .probability()
        .unwrap();
    assert!((reached - 0.3).abs() < 4.0 * (0.21_f64 / 4_000.0).sqrt());
    assert_eq!(
        projection.milestone("C live").unwrap().probability(),
        Some(0.0)
    );
}

#[test]
fn phases_substations_and_grid_steps_come_or_never_do() {
    let model = compile(
        r#"
phases = [{ name = "second", probability = 0.5 }]
grid = [{ name = "line", power_mw = 1 }, { name = "more", power_mw = 1, probability = 0.4 }]
substations = [{ name = "south", power_mw = 5, probability = 0.5, activities = [{ name = "bays", duration_months = 1 }] }]
buildings = [
  { name = "A", template = "block" },
  { name = "B", template = "block", after = ["second"] },
  { name = "C", template = "block", substation = "south" },
]"#,
    );
    // Two or three of A, B, C ask for 1 MW each; the grid has 1 or 2.
    let built = megawatts(&model, 23, TRIALS);
    is_mean(&built, 1.0 + 0.4 * 0.75);
}

#[test]
fn a_compound_count_has_its_mean_and_variance() {
    // N uniform on 0 to 4; each building of racks uniform on 50 to 150 positions of 10 kW.
    // E = E N E B; Var = E N Var B + Var N (E B)^2, with whole racks: Var B = (101^2 - 1)/12 (10 kW)^2 but for the ends.
    let model = compile(
        r#"
[[campuses.buildings]]
name = "B{n}"
template = "block"
halls = [{ name = "hall", racks = { uniform = [49.5, 150.5] }, rack_type = "air" }]
series = { count = { discrete = [[0, 0.2], [1, 0.2], [2, 0.2], [3, 0.2], [4, 0.2]] }, every_months = 2 }
"#,
    );
    let built = megawatts(&model, 23, TRIALS);
    let (mean, variance) = (2.0, 2.0 * (101.0_f64.powi(2) - 1.0) / 12.0 * 1e-4 + 2.0);
    is_mean(&built, mean);
    let squares: Vec<f64> = built.iter().map(|mw| (mw - mean).powi(2)).collect();
    is_mean(&squares, variance);
    // By the end of the third month two of them are due.
    assert!(megawatts(&model, 2, 500).iter().all(|mw| *mw <= 3.01));
}

#[test]
fn waves_of_independent_waits_are_a_renewal_process() {
    // The renewal function of waits uniform on 0 to 12 is exp(t/12) - 1 for t up to 12.
    let model = compile(
        r#"
[[campuses.buildings]]
name = "X{n}"
template = "block"
expansion = { most = 10, wait_months = { uniform = [0, 12] } }
"#,
    );
    let counts = megawatts(&model, 11, TRIALS);
    is_mean(&counts, 1.0_f64.exp() - 1.0);
    let none: Vec<f64> = (megawatts(&model, 5, TRIALS).iter())
        .map(|mw| f64::from(u8::from(*mw == 0.0)))
        .collect();
    is_mean(&none, 0.5);
}

#[test]
fn a_process_that_may_stop_has_geometric_counts_within_its_limit() {
    let model = compile(
        r#"
[[campuses.buildings]]
name = "X{n}"
template = "block"
expansion = { most = 40, wait_months = 0.25, stop_probability = 0.3 }
"#,
    );
    let counts = megawatts(&model, 23, TRIALS);
    is_mean(&counts, 0.7 / 0.3);
    let limited = compile(
        r#"
[[campuses.buildings]]
name = "X{n}"
template = "block"
expansion = { most = 40, wait_months = 0.25, stop_probability = 0.3, count = { discrete = [[0, 0.5], [2, 0.5]] } }
"#,
    );
    is_mean(&megawatts(&limited, 23, TRIALS), 0.5 * (0.7 + 0.49));
}

#[test]
fn the_wait_so_far_and_the_past_of_the_campus_are_what_the_next_wave_knows() {
    // Lognormal waits of median 10 and sigma 1, 10 months without a wave: P(W <= 10 + t | W > 10).
    let model = compile(
        r#"
[[campuses.buildings]]
name = "X{n}"
template = "block"
expansion = { most = 3, since = "2024-03", wait_months = { lognormal = { median = 10, sigma = 1 } } }
"#,
    );
    let by = |model: &Model| -> Vec<f64> {
        let built = megawatts(model, 9, TRIALS);
        built
            .iter()
            .map(|mw| f64::from(u8::from(*mw > 0.0)))
            .collect()
    };
    let tail = |months: f64| normal_cdf(-(months / 10.0_f64).ln());
    let waited = 306.0 / crate::date::DAYS_PER_MONTH;
    is_mean(&by(&model), 1.0 - tail(waited + 10.0) / tail(waited));
    // Scores of correlation 0.5, one past wait of score 1: the next is normal of mean 0.5 and variance 0.75.
    let model = compile(
        r#"
[[campuses.buildings]]
name = "X{n}"
template = "block"
expansion = { most = 3, wait_months = { lognormal = { median = 5, sigma = 1 } }, waits_between_share = 0.5, past_waits_months = [13.591409142295227] }
"#,
    );
    let expected = normal_cdf((2.0_f64.ln() - 0.5) / 0.75_f64.sqrt());
    is_mean(&by(&model), expected);
}

#[test]
fn sizes_multiply_racks_and_power() {
    let model = compile(
        r#"
[[campuses.buildings]]
name = "X{n}"
template = "block"
expansion = { most = 1, wait_months = 1, size = { discrete = [[2, 0.5], [3, 0.5]] } }
"#,
    );
    let built = megawatts(&model, 5, 2_000);
    assert!(built.iter().all(|mw| [2.0, 3.0].contains(mw)));
    assert!(built.contains(&2.0) && built.contains(&3.0));
}

#[test]
fn a_class_slips_enlarges_and_drops_plans() {
    let with_class = |class: &str, plan: &str| {
        let classes = format!("plan_classes = [{{ name = \"announced\", {class} }}]");
        let building = format!(
            r#"buildings = [{{ name = "A", template = "block", plan_class = "announced"{plan} }}]"#
        );
        let scenario = scenario(&classes, &building);
        scenario.compile().unwrap_or_else(|error| panic!("{error}"))
    };
    // Announced for the fifth month; four months left, times 1 or 3.
    let slipping = with_class(
        "slip_factor = { discrete = [[1, 0.5], [3, 0.5]] }, probability = 0.8",
        ", starts = \"2025-05\"",
    );
    is_mean(&megawatts(&slipping, 5, TRIALS), 0.4);
    is_mean(&megawatts(&slipping, 23, TRIALS), 0.8);
    let larger = with_class("size_factor = { discrete = [[1, 0.5], [3, 0.5]] }", "");
    is_mean(&megawatts(&larger, 3, TRIALS), 2.0);
    let delayed = with_class("delay_months = { uniform = [0, 12] }", "");
    is_mean(&megawatts(&delayed, 2, TRIALS), 0.25);
}

#[test]
fn waves_of_several_buildings_with_hardware_of_their_own_are_counted() {
    let model = compile(
        r#"
[[campuses.buildings]]
name = "X{n}"
template = "block"
halls = [{ name = "hall", racks = 100, rack_type = "air", hardware = "chip" }]
expansion = { most = 2, wait_months = 2, buildings = { discrete = [[1, 0.5], [2, 0.5]] }, compute_factor = { discrete = [[1, 0.5], [1.5, 0.5]] } }
"#,
    );
    let [power, pflops, buildings] = ["it_power_mw", "installed_pflops", "buildings_live"]
        .map(|metric| monthly(&model, metric, 11, 4_000));
    assert_eq!(power, buildings, "1 MW each");
    is_mean(&buildings, 3.0);
    is_mean(&pflops, 500.0 * 3.0 * 1.25);
}

#[test]
fn designs_see_structural_inputs_as_any_other() {
    // Antithetic pairs: of two trials exactly one has the building of probability 1/2.
    let model = compile(r#"buildings = [{ name = "A", template = "block", probability = 0.5 }]"#);
    let batch = Batch::new(&model).trials(2_048).seed(3);
    let projection = batch.design(Design::ANTITHETIC).run().unwrap();
    assert_eq!(
        projection.milestone("A live").unwrap().probability(),
        Some(0.5)
    );
}
