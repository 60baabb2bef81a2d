//! What tenants pay, and what is owed to them, follows what is really served.

use crate::{Batch, Projection, Scenario};

fn run(text: &str) -> Projection {
    let scenario = Scenario::from_toml(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let model = scenario.compile().expect("a model");
    Batch::new(&model).trials(1).run().expect("a trial")
}

fn metric(projection: &Projection, name: &str) -> Vec<f64> {
    let metric = projection.metric(name);
    metric.unwrap_or_else(|| panic!("no {name}")).mean()
}

/// A hall of 1 MW that is live from the end of the first month and whose hardware is replaced after a year, and a tenant that
/// wants all of it from the first month on.
fn replaced(hall: &str, price: &str) -> String {
    format!(
        r#"name = "replaced"
start = "2025-01"
horizon_months = 30
rack_types = [{{ name = "r", power_kw = 5 }}, {{ name = "dense", power_kw = 50 }}]
generations = [{{ name = "g", rack_power_kw = 5, rack_pflops = {{ fp16_dense = 10 }} }}]
finance = {{ discount_rate_per_year = 0.08, prices = [{{ segment = "s", {price} }}] }}
tenants = [{{ name = "t", segment = "s", starts = "2025-01", contract_power_kw = 1_000 }}]
segments = [{{ name = "s", contract_power_kw = 10, minimum_take_share = 0.5, rack_types = ["r"] }}]

[[campuses]]
name = "c"

[[campuses.buildings]]
name = "A"
activities = [{{ name = "works", duration_months = 1 }}]
halls = [{{ name = "h", racks = 200, rack_type = "r", hardware = "g", hardware_life_months = 12, {hall} }}]
"#
    )
}

#[test]
fn nothing_is_billed_while_hardware_is_replaced() {
    let projection = run(&replaced("refresh_months = 9", "per_kw_month = 100"));
    for (month, (revenue, served)) in metric(&projection, "revenue")
        .into_iter()
        .zip(metric(&projection, "in_service_power_mw"))
        .enumerate()
    {
        let there = !(12..=20).contains(&month);
        assert_eq!(served, if there { 1.0 } else { 0.0 }, "month {month}");
        assert_eq!(
            revenue,
            if there { 100_000.0 } else { 0.0 },
            "month {month}"
        );
    }
}

#[test]
fn nothing_is_billed_once_a_hall_was_rebuilt_for_other_racks() {
    let hall = r#"retrofit = { rack_type = "dense", racks = 20, downtime_months = 2 }"#;
    let projection = run(&replaced(hall, "per_kw_month = 100"));
    let revenue = metric(&projection, "revenue");
    assert!(
        revenue[..12].iter().all(|month| *month == 100_000.0),
        "{revenue:?}"
    );
    assert!(
        revenue[12..].iter().all(|month| *month == 0.0),
        "{revenue:?}"
    );
}

#[test]
fn hardware_that_was_replaced_is_new_when_it_is_live() {
    let price = "per_pflops_hour = 1, discount_per_year_of_age = 0.5";
    let revenue = metric(&run(&replaced("refresh_months = 3", price)), "revenue");
    assert!(revenue[0] > 0.0 && revenue[14] == 0.0, "{revenue:?}");
    assert!((revenue[15] / revenue[0] - 1.0).abs() < 1e-9, "{revenue:?}");
    assert!(
        (revenue[11] / revenue[0] - 0.5_f64.powf(11.0 / 12.0)).abs() < 1e-6,
        "{revenue:?}"
    );
}

#[test]
fn racks_of_a_hall_are_those_that_stand_there_until_others_do() {
    let text = replaced("refresh_months = 3", "per_kw_month = 100").replace(
        "generations = [",
        "generations = [{ name = \"later\", rack_power_kw = 4, rack_pflops = { fp16_dense = 20 }, available_from = \"2025-06\" }, ",
    );
    let racks = metric(
        &run(&text.replace("hardware = \"g\"", "hardware = \"newest\"")),
        "racks_built",
    );
    assert!(racks[..15].iter().all(|built| *built == 200.0), "{racks:?}");
    let kw = metric(
        &run(&text.replace("hardware = \"g\"", "hardware = \"newest\"")),
        "built_power_mw",
    );
    assert!(kw.iter().all(|built| *built == 1.0), "{kw:?}");
}

/// Capacity of 600 kW from the start, and a tenant of 1,000 kW.
fn partly(segment: &str) -> String {
    format!(
        r#"name = "partly"
start = "2025-01"
horizon_months = 12
rack_types = [{{ name = "r", power_kw = 5 }}]
campuses = [{{ name = "c", existing = {{ racks = 120, rack_type = "r", power_kw = 600 }} }}]
finance = {{ discount_rate_per_year = 0.08 }}
tenants = [{{ name = "t", segment = "s", starts = "2025-03", contract_power_kw = 1_000 }}]
segments = [{{ name = "s", contract_power_kw = 10, {segment} }}]
"#
    )
}

#[test]
fn damages_end_with_the_tenant_they_are_owed_to() {
    let projection = run(&partly(
        "term_months = 4, renewal = { probability = 0 }, damages = { per_kw_month = 10 }",
    ));
    let damages = metric(&projection, "damages");
    for (month, damages) in damages.into_iter().enumerate() {
        let is_owed = (2..=5).contains(&month);
        assert_eq!(
            damages,
            if is_owed { 4_000.0 } else { 0.0 },
            "month {month}"
        );
    }
}

#[test]
fn an_expansion_is_as_patient_as_the_contract_it_expands() {
    let segment = "patience_months = 1.5, expansion = { probability = 1, after_months = 2, size_share = 0.5 }";
    let text = partly(segment).replace("= 1_000", "= 600");
    let lost = metric(&run(&text), "contracts_lost");
    // Moved in in month 2, so that the expansion is wanted in month 4, and given up in month floor(4 + 1.5).
    assert_eq!(lost[4], 0.0, "{lost:?}");
    assert_eq!(lost[5], 1.0, "{lost:?}");
}

#[test]
fn payments_before_the_start_are_warned_of() {
    let text = r#"
name = "sunk"
start = "2025-01"
horizon_months = 12
campuses = [{ name = "c", activities = [{ name = "works", duration_months = 3 }] }]
finance = { discount_rate_per_year = 0.08, capex = [{ name = "all", amount = 6_000, when = "works", instalments = 6 }] }
"#;
    let scenario = Scenario::from_toml(text).unwrap_or_else(|error| panic!("{error}"));
    let problems = scenario.check().to_string();
    assert!(
        problems.contains("3 of 6 payments of capex \"all\""),
        "{problems}"
    );
    let capex = metric(&run(text), "capex");
    assert_eq!(capex.iter().sum::<f64>(), 3_000.0);
}

#[test]
fn what_few_trials_have_is_reported_with_their_share() {
    // Half of the trials earn nothing at all, so that they have no rate of return.
    let text = r#"
name = "few"
start = "2025-01"
horizon_months = 24
rack_types = [{ name = "r", power_kw = 5 }]
campuses = [{ name = "c", existing = { racks = 20, rack_type = "r", power_kw = 100 } }]
finance = { discount_rate_per_year = 0.08, capex = [{ name = "all", amount = 1_000 }], prices = [{ segment = "s", per_kw_month = 1 }] }
tenants = [{ name = "t", segment = "s", starts = "2025-06", contract_power_kw = 100, probability = 0.5 }]
segments = [{ name = "s", contract_power_kw = 10 }]
"#;
    let scenario = Scenario::from_toml(text).unwrap_or_else(|error| panic!("{error}"));
    let model = scenario.compile().expect("a model");
    let projection = Batch::new(&model).trials(400).run().expect("trials");
    let mut outcomes = projection.outcomes();
    let (_, rate) = outcomes
        .find(|(label, _)| label.name == "irr_per_year")
        .expect("it");
    let share = rate.share_of_trials().expect("trials");
    assert!((share - 0.5).abs() < 0.1, "{share}");
    let summary = crate::report::summary(&projection);
    assert!(summary.contains("of trials"), "{summary}");
    let reported = &projection.to_json()["outcomes"]["irr_per_year"]["share_of_trials"];
    assert_eq!(reported.as_f64(), Some(share));
}

/// It wants to move in in the eighth month: two after the sixth, and signed three before that.
#[test]
fn a_named_tenant_signs_its_lag_before_it_moves_in() {
    let text = r#"name = "named"
start = "2025-01"
horizon_months = 12
rack_types = [{ name = "r", power_kw = 5 }]
tenants = [{ name = "t", segment = "s", starts = "2025-07", delay_months = 2, contract_power_kw = 100 }]
segments = [{ name = "s", contract_power_kw = 10, move_in_lag_months = 3 }]
campuses = [{ name = "c", existing = { racks = 100, rack_type = "r", power_kw = 500 } }]
"#;
    let projection = run(text);
    let signed = metric(&projection, "contracts_signed");
    let served = metric(&projection, "in_service_power_mw");
    for month in 0..12 {
        assert_eq!(signed[month], if month < 5 { 0.0 } else { 1.0 }, "{month}");
        assert_eq!(served[month], if month < 8 { 0.0 } else { 0.1 }, "{month}");
    }
    assert_eq!(metric(&projection, "companies_contacted")[11], 1.0);
}
