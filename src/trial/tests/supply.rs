//! Where power comes from and when: permanent generation, several engines, plans that slip, and what is live because of what.

use super::power::{RACKS, Trial, campus, preamble};

#[test]
fn permanent_generation_adds_to_the_grid_for_ever() {
    let trial = Trial::of(&campus(
        r#"
grid = [{ name = "line", power_mw = 6, wait_months = 2.5 }]
bridge_power = [{ name = "engines", unit_power_mw = 1.5, units = 3, spare_units = 1, wait_months = 4.5, permanent = true, carbon_g_per_kwh = 500, price_per_mwh = 120 }]
energy = { grid_carbon_g_per_kwh = 400, price_per_mwh = 60 }
"#,
    ));
    let at = |metric: &str, month| trial.at(metric, month);
    assert_eq!(
        [1, 2, 4, 35].map(|month| at("it_power_mw", month)),
        [0.0, 6.0, 9.0, 9.0]
    );
    // Half of it is drawn, which the import serves first.
    assert_eq!(at("grid_energy_mwh", 10), 4.5 * 730.5);
    assert_eq!(at("bridge_energy_mwh", 10), 0.0);
}

/// 4 MW of one kind and 2 of another serve 3 MW between them: their carbon and price are means by power.
#[test]
fn engines_of_several_kinds_share_what_they_serve_by_their_power() {
    let trial = Trial::of(&campus(
        r#"
grid = [{ name = "line", power_mw = 10, wait_months = 30.5 }]
bridge_power = [
  { name = "turbines", unit_power_mw = 2, units = 2, wait_months = 1.5, carbon_g_per_kwh = 500, price_per_mwh = 120 },
  { name = "fuel cells", unit_power_mw = 1, units = 2, wait_months = 2.5, carbon_g_per_kwh = 200, price_per_mwh = 300 },
]
energy = { grid_carbon_g_per_kwh = 400, price_per_mwh = 60 }
"#,
    ));
    let at = |metric: &str, month| trial.at(metric, month);
    assert_eq!(
        [1, 2, 29, 30].map(|month| at("it_power_mw", month)),
        [4.0, 6.0, 6.0, 10.0]
    );
    let mwh = 3.0 * 730.5;
    assert_eq!(at("bridge_energy_mwh", 5), mwh);
    assert!((at("carbon_location_based_t", 5) - mwh * 0.4).abs() < 1e-9);
    assert!((at("energy_cost", 5) - mwh * 180.0).abs() < 1e-6);
    assert!((at("energy_cost", 1) - 2.0 * 730.5 * 120.0).abs() < 1e-6);
    assert_eq!(at("bridge_energy_mwh", 30), 0.0);
}

/// A class of plans whose waits are twice as long and a month more, with half of their power: 2 x 6.5 + 1 months, so that
/// it is there at the end of the fourteenth.
#[test]
fn grid_steps_slip_and_shrink_as_plans_of_their_class_do() {
    let announced = |step: &str| {
        let classes = "plan_classes = [{ name = \"announced\", slip_factor = 2, delay_months = 1, size_factor = 0.5 }]\n";
        let more = format!("grid = [{{ name = \"line\", power_mw = 8, {step} }}]");
        let trial = Trial::of(&campus(&more).replacen(
            "[[generations]]",
            &format!("{classes}[[generations]]"),
            1,
        ));
        let series = trial.series("it_power_mw").to_vec();
        let first = series.iter().position(|mw| *mw > 0.0);
        (first, series[35])
    };
    assert_eq!(announced("wait_months = 6.5"), (Some(6), 8.0));
    let class = "plan_class = \"announced\"";
    assert_eq!(
        announced(&format!("wait_months = 6.5, {class}")),
        (Some(13), 4.0)
    );
    // Applied for in March: the wait from then on is what comes twice as late, 2 + 2 x 4.5 + 1.
    assert_eq!(
        announced("starts = \"2025-03\", wait_months = 4.5"),
        (Some(6), 8.0)
    );
    assert_eq!(
        announced(&format!("starts = \"2025-03\", wait_months = 4.5, {class}")),
        (Some(11), 4.0)
    );
}

/// What an expansion or a retrofit makes of the racks of a hall: power, cooling and positions each bound what is live.
#[test]
fn the_tightest_of_positions_power_and_cooling_bounds_a_hall() {
    let of = |hall: &str| {
        let text = format!(
            r#"{}
[[campuses.buildings]]
name = "A"
activities = [{{ name = "shell", duration_months = 0.5 }}]
halls = [{{ name = "hall", racks = 100, rack_type = "rack", hardware = "hardware" {hall} }}]
"#,
            preamble(12, RACKS, "draw_share = 0.5")
        );
        let trial = Trial::of(&text);
        [
            "it_power_mw",
            "racks_deployable",
            "racks_built",
            "installed_pflops",
            "it_draw_mw",
        ]
        .map(|metric| trial.at(metric, 3))
    };
    assert_eq!(of(""), [1.0, 100.0, 100.0, 1_200.0, 0.5]);
    assert_eq!(of(", power = \"600 kW\""), [0.6, 60.0, 60.0, 720.0, 0.3]);
    assert_eq!(
        of(", cooling_power = \"450 kW\""),
        [0.45, 45.0, 45.0, 540.0, 0.225]
    );
    assert_eq!(
        of(", power = \"300 kW\", cooling_power = \"450 kW\""),
        [0.3, 30.0, 30.0, 360.0, 0.15]
    );
}

/// Of what is sold beyond the feeds of 8 MW, cooling of 4 MW of draw takes 5 MW at a ratio of 1.25.
#[test]
fn what_is_sold_beyond_the_feeds_counts_for_cooling_by_what_is_drawn() {
    let of = |hall: &str| {
        let text = format!(
            r#"{}
[[campuses.buildings]]
name = "A"
power = "8 MW"
oversubscription = {{ ratio = 1.25, mean_share = 0.7, sd_share = 0.1, correlation = 0.3, tenants_per_hall = 20 }}
activities = [{{ name = "shell", duration_months = 0.5 }}]
halls = [{{ name = "hall", racks = 1200, rack_type = "rack", hardware = "hardware" {hall} }}]
"#,
            preamble(12, RACKS, "draw_share = 0.5")
        );
        let trial = Trial::of(&text);
        ["it_power_mw", "oversubscribed_mw", "stranded_cooling_mw"].map(|metric| {
            let position = trial.model.layout().metric_index(metric);
            position.map(|_| trial.at(metric, 3))
        })
    };
    assert_eq!(of(""), [Some(10.0), Some(2.0), None]);
    assert_eq!(
        of(", cooling_power = \"4 MW\""),
        [Some(5.0), Some(1.0), Some(7.0)]
    );
    assert_eq!(of(", power = \"6 MW\""), [Some(7.5), Some(1.5), None]);
}

/// What holds back a tenant of all: the shell, the grid of half of it, its equipment, and the other half of the grid.
#[test]
fn what_binds_changes_with_what_is_there() {
    let text = format!(
        r#"{}
grid = [{{ name = "first", power_mw = 5, wait_months = 4.5 }}, {{ name = "second", power_mw = 5, wait_months = 9.5 }}]
[[campuses.buildings]]
name = "A"
activities = [{{ name = "shell", duration_months = 2.5 }}]
halls = [{{ name = "hall", racks = 1000, rack_type = "rack", hardware = "hardware" }}]
"#,
        preamble(
            14,
            &RACKS.replace("rack_pflops", "lead_time_months = 4\nrack_pflops"),
            ""
        )
    );
    let trial = Trial::of(&text);
    let layout = trial.model.layout();
    let binding: Vec<&str> = (trial.row.binding(0).iter())
        .map(|cause| layout.causes[usize::from(*cause)].as_str())
        .collect();
    // Nothing is there at first; then space alone; then space and half of the power.
    let expected = [
        ("construction", 0..2),
        ("grid", 2..4),
        ("equipment", 4..6),
        ("grid", 6..9),
        ("space", 9..14),
    ];
    for (cause, months) in expected {
        for month in months {
            assert_eq!(binding[month], cause, "{month}: {binding:?}");
        }
    }
}
