//! The examples say the same in a file and in plain Rust, and lead where they should.

use buildout::{Batch, Projection, Scenario};

// The example's `main` is not called from here.
#[allow(dead_code)]
#[path = "../../examples/qingyang.rs"]
mod qingyang;

fn from_file(name: &str) -> Scenario {
    let path = format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"));
    Scenario::from_path(path).unwrap_or_else(|error| panic!("{error}"))
}

/// What is compared: all other metrics would only be gathered.
const COMPARED: [&str; 8] = [
    "racks_built",
    "standard_racks",
    "it_power_mw",
    "in_service_power_mw",
    "installed_pflops",
    "companies_contacted",
    "contracts_signed",
    "subsidiaries",
];

fn project(scenario: &Scenario) -> Projection {
    let model = scenario.compile().expect("the example compiles");
    Batch::new(&model)
        .trials(1_000)
        .seed(1)
        .metrics(COMPARED)
        .run()
        .expect("the example runs")
}

#[test]
fn the_file_and_the_program_state_the_same_scenario() {
    assert_eq!(qingyang::scenario().unwrap(), from_file("qingyang.toml"));
}

/// Published for autumn 2024: 20,000 standard racks, 21,000 PFLOPS, 3,170 companies contacted, 800
/// contracts signed and 239 subsidiaries. The P50 of October may differ by 5 % from these; its own
/// standard error at 1,000 trials is below 1 % for each of them.
#[test]
#[ignore = "slow"]
fn autumn_2024_is_near_what_was_published() {
    let projection = project(&from_file("qingyang.toml"));
    let october = 9;
    for (metric, published) in [
        ("standard_racks", 20_000.0),
        ("installed_pflops", 21_000.0),
        ("companies_contacted", 3_170.0),
        ("contracts_signed", 800.0),
        ("subsidiaries", 239.0),
    ] {
        let p50 = projection.metric(metric).unwrap().quantile(0.5)[october];
        assert!(
            (p50 / published - 1.0).abs() < 0.05,
            "{metric}: {p50}, published {published}"
        );
    }
    let sixteen = projection.milestone("three buildings capped, A1 lit, substation energised");
    // Work began in April 2023, nine months before the start: sixteen months end seven months after it.
    let within = sixteen.unwrap().probability_at_most(7.0).unwrap();
    assert!((0.5..0.95).contains(&within), "{within}");
}

#[test]
#[ignore = "slow"]
fn the_variants_move_what_they_should() {
    let base = project(&from_file("qingyang.toml"));
    let slow = project(&from_file("qingyang-slow-grid.toml"));
    let strong = project(&from_file("qingyang-strong-ai.toml"));
    let mean = |projection: &Projection, metric: &str, month: usize| {
        projection.metric(metric).unwrap().mean()[month]
    };
    let end = base.layout().months - 1;
    for month in [35, 71, end] {
        assert!(mean(&slow, "it_power_mw", month) <= mean(&base, "it_power_mw", month));
        assert!(
            mean(&strong, "in_service_power_mw", month) > mean(&base, "in_service_power_mw", month)
        );
        // Who is contacted and builds is drawn alike in both.
        assert_eq!(
            mean(&strong, "racks_built", month),
            mean(&base, "racks_built", month)
        );
    }
    // Other campuses do not hang on that grid.
    let of_city = |projection: &Projection| {
        let city = projection.campus("Qingyang").unwrap();
        city.metric("it_power_mw").unwrap().mean()[71]
    };
    assert!(of_city(&slow) < 0.99 * of_city(&base));
    assert!(mean(&strong, "contracts_signed", end) > 1.2 * mean(&base, "contracts_signed", end));
}

#[test]
fn the_first_scenario_of_the_guide_is_the_example() {
    let guide = include_str!("../../docs/guide.md");
    assert!(guide.contains(&format!(
        "```toml\n{}```",
        include_str!("../../examples/first.toml")
    )));
    from_file("first.toml").compile().unwrap();
}
