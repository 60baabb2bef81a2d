//! The examples with money: gates against speculation, and vouchers on common random numbers.
#![allow(missing_docs)]
#![cfg(feature = "files")]

use buildout::projection::TrialRow;
use buildout::{Batch, Model, Scenario, Workspace, paired_gains};

fn scenario(name: &str) -> Scenario {
    let file = format!("{}/examples/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Scenario::from_path(file).expect("the example is right")
}

fn model(name: &str) -> Model {
    scenario(name).compile().expect("the example is right")
}

/// No building is started before the one before it is let to 60 %.
#[test]
fn a_gate_opens_when_the_building_before_is_let() {
    let mut scenario = scenario("wholesale-gated");
    // The site of a building is paid for in the month in which it starts; nothing else is.
    let finance = scenario.finance.as_mut().expect("the example has money");
    finance.capex.retain(|capex| capex.name == "site");
    let model = scenario.compile().expect("the example is right");
    let layout = model.layout().clone();
    let metric = |name: &str| layout.metric_index(name).expect("a metric of the example");
    let (capex, let_share) = (metric("capex"), metric("pre_leased_of_latest"));
    let mut row = TrialRow::new(layout.clone());
    let mut workspace = Workspace::default();
    let mut late = 0;
    for trial in 0..100 {
        model.simulate(3, trial, &mut workspace, &mut row);
        let shares = row.monthly(0, let_share);
        let paid = row.monthly(0, capex);
        let starts: Vec<usize> = (0..layout.months)
            .filter(|&month| paid[month] > 0.0)
            .collect();
        assert_eq!(starts[0], 0);
        assert!(starts.len() <= 4, "{starts:?}");
        for (number, &month) in starts.iter().enumerate().skip(1) {
            // July 2025, January and July 2026 at the earliest.
            let earliest = 6 * number - 1;
            assert!(month >= earliest, "{trial}: {starts:?}");
            // Open already by then, or opened at the end of this month by what it shows.
            let before = &shares[starts[number - 1]..=month];
            assert!(
                before.iter().any(|share| *share >= 0.6),
                "{trial}: {starts:?}"
            );
            if month > earliest {
                late += 1;
                assert!(
                    shares[month] >= 0.6,
                    "{trial}: {starts:?} {}",
                    shares[month]
                );
            }
        }
    }
    // A gate that is never shut would not be one.
    assert!(late > 50, "{late}");
}

#[test]
#[ignore = "slow"]
fn gates_need_less_funding_than_speculation() {
    let run = |name: &str| {
        Batch::new(&model(name))
            .trials(300)
            .seed(1)
            .run()
            .expect("it runs")
    };
    let (gated, speculative) = (run("wholesale-gated"), run("wholesale"));
    let peak = |projection: &buildout::Projection| {
        let peak = projection.outcome("peak_funding").expect("an outcome");
        peak.quantile(0.5).expect("there are trials")
    };
    assert!(peak(&gated) < 0.97 * peak(&speculative));
}

#[test]
#[ignore = "slow"]
fn vouchers_gain_contracts_on_the_same_luck() {
    let with = scenario("qingyang-money");
    let mut without = with.clone();
    without.vouchers.clear();
    let compile = |scenario: &Scenario| scenario.compile().expect("it is right");
    let gains = paired_gains(&compile(&with), &compile(&without), 1, 0..100).expect("it runs");
    let signed = gains
        .iter()
        .find(|gain| gain.name == "contracts_signed")
        .expect("a metric");
    assert!(signed.mean > 0.0 && signed.share_less == 0.0, "{signed:?}");
    // Not one of two independent runs would show so small a gain so well.
    let spread = Batch::new(&compile(&with))
        .trials(100)
        .seed(1)
        .run()
        .expect("it runs");
    let last = spread.metric("contracts_signed").expect("a metric");
    let last = last
        .month(131)
        .expect("a month")
        .std_error()
        .expect("several trials");
    assert!(signed.std_error < 0.5 * last, "{} {last}", signed.std_error);
    // Contacts do not depend on vouchers but by chance: who declines is counted by a number of its own.
    let contacted = gains
        .iter()
        .find(|gain| gain.name == "companies_contacted")
        .expect("a metric");
    assert!(
        contacted.mean.abs() <= 4.0 * contacted.std_error,
        "{contacted:?}"
    );
}

/// What `buildout levers` prints.
#[cfg(feature = "cli")]
fn levers(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_buildout"))
        .args(["levers", "examples/wholesale.toml", "--trials", "40"])
        .args(["--threads", "1", "--quiet"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the command starts")
}

/// Each lever alone, those that are off too, against the campus without any.
#[cfg(feature = "cli")]
#[test]
fn the_command_shows_what_levers_gain() {
    let by = [
        "--by",
        "B1 live",
        "--by",
        "npv",
        "--by",
        "capex@2025-01",
        "--json",
    ];
    let output = levers(&by);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let names: Vec<&str> = (found["scenarios"].as_array().expect("a list").iter())
        .filter_map(|scenario| scenario["name"].as_str())
        .collect();
    let [_, permits, site, tax] = names[..] else {
        panic!("{names:?}");
    };
    assert_eq!(
        (permits, site, tax),
        (
            "permits in parallel",
            "site at half price",
            "ten years at half the tax"
        )
    );
    let gain = |lever: usize, measure: usize| {
        let all = found["differences"].as_array().expect("a list");
        let one = all
            .iter()
            .find(|one| one["scenario"] == lever && one["measure"] == measure)
            .expect("each lever has each measure");
        let number = |key: &str| one[key].as_f64().expect("a number");
        assert!(number("low") <= number("mean") && number("mean") <= number("high"));
        number("mean")
    };
    // Permits of 6 to 18 months take a quarter less: the building is two months earlier, or waits for
    // the grid. Money alone moves no building.
    assert!((-4.0..=-0.2).contains(&gain(1, 0)), "{}", gain(1, 0));
    assert_eq!((gain(2, 0), gain(3, 0)), (0.0, 0.0));
    // The site of the first building is paid for in the first month, 1,170 a kW of 25 MW.
    let half = gain(2, 2) / (-0.5 * 1_170.0 * 25_000.0);
    assert!((0.9..1.2).contains(&half), "{half}");
    assert!(gain(2, 1) > 0.0 && gain(3, 1) > 0.0);
}

#[cfg(feature = "cli")]
#[test]
fn a_lever_that_is_not_there_is_named() {
    let output = levers(&["--lever", "permit in parallel"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(
        words.contains("did you mean \"permits in parallel\"?"),
        "{words}"
    );
}
