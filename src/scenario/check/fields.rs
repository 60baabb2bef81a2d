//! Single fields that cannot be, each reported at its place, beside what is just allowed.

use crate::problem::Problem;
use crate::{Scenario, ScenarioError};

/// A plan without a fault, with more at its top, and in its segment, campus and building.
fn plan([top, segment, campus, building]: [&str; 4]) -> String {
    format!(
        r#"
name = "plan"
start = "2025-01"
horizon_months = 36
rack_types = [{{ name = "air", power_kw = 10 }}]
crews = [{{ name = "gang", capacity = 3, changes = [{{ from = "2025-06", capacity = 4 }}, {{ from = "2025-09", capacity = 5 }}] }}]
{top}
[[segments]]
name = "AI"
contract_power_kw = 100
{segment}
[[campuses]]
name = "north"
{campus}
[[campuses.buildings]]
name = "A1"
activities = [{{ name = "site", duration_months = 2 }}, {{ name = "works", duration_months = 6, crews = ["gang"] }}]
halls = [{{ name = "hall", racks = 100, rack_type = "air" }}]
{building}
"#
    )
}

/// Place and message of all that is reported.
fn reported(text: &str) -> Vec<String> {
    let of = |problem: &Problem| format!("{}: {}", problem.path, problem.message);
    match Scenario::from_toml(text) {
        Ok(scenario) => scenario.check().iter().map(of).collect(),
        Err(ScenarioError::Invalid(problems)) => problems.iter().map(of).collect(),
        Err(error) => panic!("{error}"),
    }
}

/// Each of a list of fragments for one of the places of [`plan`] is reported as stated, which may be not at all.
fn check(place: usize, cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (fragment, expected) in cases {
        let mut more = [""; 4];
        more[place] = fragment;
        let found = reported(&plan(more)).join("\n");
        if found != *expected {
            wrong.push(format!(
                "{fragment}\n  reports {found:?}\n  for     {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const TOP: usize = 0;
const SEGMENT: usize = 1;
const CAMPUS: usize = 2;
const BUILDING: usize = 3;

#[test]
fn a_plan_without_a_fault_has_none() {
    assert_eq!(reported(&plan([""; 4])), [""; 0]);
}

#[test]
fn grids_and_generation() {
    check(
        CAMPUS,
        &[
            (
                r#"grid = [{ name = "line", power_mw = 120, wait_months = 3, ramp_mw_per_month = 0.1 }]"#,
                "",
            ),
            (
                r#"grid = [{ name = "line", power_mw = 121, wait_months = 3, ramp_mw_per_month = 0.1 }]"#,
                "campuses[0].grid[0].ramp_mw_per_month: at 0.1 MW a month it takes 1210 months",
            ),
            (
                r#"bridge_power = [{ name = "engines", unit_power_mw = 2, units = 3, spare_units = 2, wait_months = 4 }]"#,
                "",
            ),
            (
                r#"bridge_power = [{ name = "engines", unit_power_mw = 2, units = 3, spare_units = 3, wait_months = 4 }]"#,
                "campuses[0].bridge_power[0].spare_units: 3 of 3 units are spare",
            ),
            (
                r#"bridge_power = [{ name = "battery", unit_power_mw = 2, units = 3, wait_months = 4, storage = { energy_mwh = 8, hours_per_day = 24 }, carbon_g_per_kwh = 1 }]"#,
                "campuses[0].bridge_power[0]: what \"battery\" costs and emits is not counted: the campus has no `energy`\n\
                 campuses[0].bridge_power[0].storage.hours_per_day: hours_per_day is 24\n\
                 campuses[0].bridge_power[0].carbon_g_per_kwh: battery \"battery\" states carbon of its own",
            ),
            (
                r#"bridge_power = [{ name = "battery", unit_power_mw = 2, units = 3, wait_months = 4, storage = { energy_mwh = 8, hours_per_day = 23.9 } }]"#,
                "",
            ),
            (
                r#"substations = [{ name = "S", power_mw = 4, activities = [] }]"#,
                "campuses[0].substations[0]: substation \"S\" has no activities",
            ),
        ],
    );
}

#[test]
fn energy_and_cooling() {
    let factors = |of: &str| {
        format!(
            "energy = {{ grid_carbon_g_per_kwh = 500, renewables = [{{ name = \"sun\", power_mw = 4, producing_share = 0.5, capacity_factors = [{of}] }}] }}"
        )
    };
    let sun = "campuses[0].energy.renewables[0].capacity_factors";
    let (fit, few) = (["0.5"; 12].join(", "), ["0.2"; 11].join(", "));
    let much = fit.replacen("0.5", "0.51", 1);
    check(
        CAMPUS,
        &[
            (&factors(&fit), ""),
            (
                &factors(&few),
                &format!("{sun}: capacity_factors has 11 months"),
            ),
            (
                &factors(&much),
                &format!("{sun}[0]: the capacity factor is 0.51"),
            ),
            (
                "efficiency = { temperatures_celsius = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], free_below_celsius = 12, mechanical_above_celsius = 12.5 }",
                "",
            ),
            (
                "efficiency = { temperatures_celsius = [1, 2, 3], free_below_celsius = 12, mechanical_above_celsius = 12 }",
                "campuses[0].efficiency.temperatures_celsius: temperatures_celsius has 3 months\n\
                 campuses[0].efficiency.mechanical_above_celsius: cooling is free below 12 °C and mechanical above 12 °C",
            ),
        ],
    );
}

#[test]
fn electrical_chains() {
    let modules = "campuses[0].buildings[0].electrical.modules";
    let stage = "campuses[0].buildings[0].electrical.stages[0].modules";
    check(
        BUILDING,
        &[
            (
                r#"electrical = { redundancy = "N+1", module_power = "1 MW", modules = 2 }"#,
                "",
            ),
            (
                r#"electrical = { redundancy = "N+1", module_power = "1 MW", modules = 1 }"#,
                &format!("{modules}: 1 modules in N+1 carry no load"),
            ),
            (
                r#"electrical = { redundancy = "N", module_power = "1 kW", modules = 10_000 }"#,
                "",
            ),
            (
                r#"electrical = { redundancy = "N", module_power = "1 kW", modules = 10_001 }"#,
                &format!("{modules}: the chain may have 10001 modules"),
            ),
            (
                r#"electrical = { redundancy = "N", module_power = "1 MW", modules = 1, stages = [{ name = "more", modules = 1, wait_months = 2 }] }"#,
                "",
            ),
            (
                r#"electrical = { redundancy = "N", module_power = "1 MW", modules = 1, stages = [{ name = "more", modules = 0, wait_months = 2 }] }"#,
                &format!("{stage}: stage \"more\" adds no module"),
            ),
            (
                r#"electrical = { redundancy = "2N", module_power = "1 MW", modules = 2, delivery = { rows = 12, row_positions = 4 } }"#,
                "",
            ),
            (
                r#"electrical = { redundancy = "2N", module_power = "1 MW", modules = { uniform = [2, 4] }, delivery = { rows = 12, row_positions = 4 } }"#,
                "campuses[0].buildings[0].electrical.delivery: rows are laid out below a number of modules that is known, and here it is uncertain",
            ),
        ],
    );
}

#[test]
fn crews_calendars_and_risks() {
    let crew = |first: &str, second: &str| {
        format!(
            "crews = [{{ name = \"gang\", capacity = 3, changes = [{{ from = \"{first}\", capacity = 4 }}, {{ from = \"{second}\", capacity = 5 }}] }}]"
        )
    };
    for (second, expected) in [
        ("2025-07", None),
        (
            "2025-06",
            Some("crews[0].changes[1].from: a change on 2025-06 follows one on 2025-06"),
        ),
        (
            "2025-05",
            Some("crews[0].changes[1].from: a change on 2025-05 follows one on 2025-06"),
        ),
    ] {
        let whole = plan([""; 4]);
        let before = whole
            .lines()
            .find(|line| line.starts_with("crews"))
            .unwrap();
        let text = whole.replace(before, &crew("2025-06", second));
        assert_eq!(reported(&text), Vec::from_iter(expected), "{second}");
    }
    check(
        TOP,
        &[
            (
                r#"calendars = [{ name = "site", breaks = [{ from = "2025-05-01", to = "2025-05-01" }] }]"#,
                "",
            ),
            (
                r#"calendars = [{ name = "site", breaks = [{ from = "2025-05-03", to = "2025-05-02" }] }]"#,
                "calendars[0].breaks[0].to: the break ends on 2025-05-02, before it begins on 2025-05-03",
            ),
            (
                r#"risks = [{ name = "floods", probability = 0.1, activities = ["*/works"], delay_months = 1 }]"#,
                "",
            ),
            (
                r#"risks = [{ name = "floods", probability = 0.1, activities = ["*/works"] }]"#,
                "risks[0]: risk \"floods\" has no impact",
            ),
            (
                r#"risks = [{ name = "floods", probability = 0.1, activities = [], factor = 1.2 }]"#,
                "risks[0].activities: risk \"floods\" hits nothing",
            ),
        ],
    );
}

/// A lead that is longer than what it leads; of equal length it is allowed, and from the start it is another matter.
#[test]
fn leads_longer_than_what_they_lead() {
    let with = |after: &str| {
        let plain = plan([""; 4]);
        plain.replace(
            "duration_months = 6,",
            &format!("duration_months = 6, after = [{after}],"),
        )
    };
    for (after, expected) in [
        (r#"{ activity = "site", lag_months = -2 }"#, None),
        (r#"{ activity = "site", lag_months = 9 }"#, None),
        (
            r#"{ activity = "site", lag_months = -2.5 }"#,
            Some(
                "campuses[0].buildings[0].activities[1].after[0]: \"works\" waits for \"site\" with a lead of 2.5 months, but that lasts for 2",
            ),
        ),
        (
            r#"{ activity = "site", lag_months = -2.5, kind = "start_to_start" }"#,
            None,
        ),
    ] {
        assert_eq!(reported(&with(after)), Vec::from_iter(expected), "{after}");
    }
}

#[test]
fn outreach_of_segments() {
    check(
        SEGMENT,
        &[
            ("outreach_per_month = 2\nsign_probability = 0.9", ""),
            (
                "outreach_per_month = 1\nsign_probability = 0.91",
                "segments[0].sign_probability: nearly every company contacted signs",
            ),
            ("outreach_per_month = 0.9\nsign_probability = 0.91", ""),
            (
                "sign_probability = 0.5\noutreach_per_month = 2\noutreach_curve = { companies = 100, innovation_per_year = 0.03, imitation_per_year = 0.3 }",
                "segments[0].outreach_per_month: segment \"AI\" has a trend and a curve",
            ),
            (
                "outreach_curve = { companies = 100, innovation_per_year = 0.03, midpoint_months = 3 }",
                "segments[0].outreach_curve: a curve of adoption is either of Bass or logistic",
            ),
            (
                "seasonality = [1, 1, 1]",
                "segments[0].seasonality: seasonality has 3 factors",
            ),
        ],
    );
}

#[test]
fn terms_of_segments_and_what_they_begin_with() {
    check(
        SEGMENT,
        &[
            ("spill_over_after_months = 3", ""),
            (
                "allocation = \"pooled\"\nspill_over_after_months = 3",
                "segments[0].spill_over_after_months: segment \"AI\" has spill_over_after_months, but no contracts of its own kind",
            ),
            ("allocation = \"pooled\"\nminimum_take_share = 0", ""),
            (
                "allocation = \"pooled\"\nminimum_take_share = 0.1",
                "segments[0].minimum_take_share: segment \"AI\" has minimum_take_share, but no contracts of its own kind",
            ),
            (
                "allocation = \"pooled\"\nramp_months = { uniform = [1, 4] }",
                "",
            ),
            (
                "allocation = \"cohort\"\nramp_months = { uniform = [1, 4] }",
                "segments[0].ramp_months: segment \"AI\" has ramp_months, but no contracts of its own kind",
            ),
            (
                "allocation = \"pooled\"\nrenewal = { probability = 0.5 }\nterm_months = 12",
                "",
            ),
            (
                "allocation = \"cohort\"\nrenewal = { probability = 0.5 }\nterm_months = 12",
                "segments[0].renewal: segment \"AI\" has renewal, but no contracts of its own kind",
            ),
            (
                "renewal = { probability = 0.5 }\nterm_months = 12\nchurn_per_month = 0.01",
                "segments[0].churn_per_month: segment \"AI\" has renewals and churn",
            ),
            (
                "existing = { companies_contacted = 4, companies_negotiating = 2, contracts_signed = 2, subsidiaries = 2, leased_power_kw = 5 }",
                "",
            ),
            (
                "existing = { companies_contacted = 4, contracts_signed = 2, subsidiaries = 3 }",
                "segments[0].existing.subsidiaries: subsidiaries is 3, more than contracts_signed, which is 2",
            ),
            (
                "existing = { companies_contacted = 4, leased_power_kw = 5 }",
                "segments[0].existing.leased_power_kw: 5 kW are leased, but no contract is signed",
            ),
            (
                "stages = [{ name = \"contacted\", reach_probability = 0.5, lag_months = 1 }]",
                "segments[0].stages[0].name: a stage is named \"contacted\"",
            ),
        ],
    );
}

#[test]
fn named_tenants_vouchers_and_regimes() {
    check(
        TOP,
        &[
            (
                r#"tenants = [{ name = "anchor", segment = "AI", starts = "2025-06", contract_power_kw = 50 }]"#,
                "",
            ),
            (
                r#"tenants = [{ name = "AI", segment = "AI", starts = "2025-06" }]"#,
                "tenants[0].name: \"AI\" is the name of a segment",
            ),
            (
                r#"tenants = [{ name = "anchor", segment = "AI", starts = "2025-06", contract_power_kw = 50, contract_standard_racks = 20 }]"#,
                "tenants[0]: \"anchor\" gives the size of its contract twice",
            ),
            (
                r#"regimes = [{ name = "market", states = [{ name = "calm" }] }]"#,
                "regimes[0].states: regime \"market\" has nothing to switch to",
            ),
            (
                r#"vouchers = [{ name = "grants", budget_per_year = 1e6, amount_per_kw = 10, segments = ["Al"] }]"#,
                "vouchers[0].segments[0]: there is no segment \"Al\"",
            ),
        ],
    );
}

#[test]
fn money() {
    let capex = |of: &str| {
        format!(
            "finance = {{ discount_rate_per_year = 0.08, capex = [{{ name = \"works\", amount = 5, {of} }}] }}"
        )
    };
    check(
        TOP,
        &[
            (
                &capex("each = \"building\", when = \"works\", buildings = [\"A1\"]"),
                "",
            ),
            (
                &capex("each = \"building\", when = \"works\", buildings = [\"A1\", \"A2\"]"),
                "finance.capex[0].buildings[1]: there is no building or template \"A2\"",
            ),
            (
                &capex("each = \"building\""),
                "finance.capex[0]: capex \"works\" does not say when it is due",
            ),
            (
                &capex("each = \"project\", buildings = [\"A1\"]"),
                "finance.capex[0].buildings: capex \"works\" is for a project, not for buildings",
            ),
            (
                "finance = { discount_rate_per_year = 0.08, currency = \"\" }",
                "finance.currency: the currency is empty",
            ),
        ],
    );
}

#[test]
fn names_hold_no_tab() {
    let hidden = |place: &str, name: &str| {
        format!("{place}: the name \"{name}\" holds a control character (\\u{{9}})")
    };
    check(
        TOP,
        &[
            (
                r#"calendars = [{ name = "a\tb" }]"#,
                &hidden("calendars[0].name", r"a\tb"),
            ),
            (
                r#"milestones = [{ name = "a\tb", requires = ["works"] }]"#,
                &hidden("milestones[0].name", r"a\tb"),
            ),
        ],
    );
    check(
        CAMPUS,
        &[(
            r#"grid = [{ name = "a\tb", power_mw = 3, wait_months = 3 }]"#,
            &hidden("campuses[0].grid[0].name", r"a\tb"),
        )],
    );
}
