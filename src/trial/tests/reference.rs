//! The model against what can be computed by hand.
//!
//! Where chance plays a part the seed is fixed and the tolerance is four standard errors, from the
//! formulas beside each test: with another seed a right model would miss each 1 time in 16,000.

use crate::compute::{Generation, RackType};
use crate::power::{GridStep, Substation};
use crate::projection::TrialRow;
use crate::scenario::Milestone;
use crate::schedule::{Activity, Dependency, Lagged};
use crate::site::{Building, Hall, Series};
use crate::site::{Campus, ExistingCapacity};
use crate::tenants::{Allocation, ExistingTenants, Segment};
use crate::{Batch, Date, Projection, Scenario, Uncertain, Workspace};

const RACK_KW: f64 = 2.5;
const SEED: u64 = 20_250_701;

fn scenario(campus: Campus, months: u32) -> Scenario {
    let mut scenario = Scenario::new("reference", Date::month(2025, 1).expect("a month"), months);
    scenario.rack_types.push(RackType::new("standard", RACK_KW));
    scenario.campuses.push(campus);
    scenario
}

/// A building of such activities with one hall of such racks.
fn building(name: &str, activities: Vec<Activity>, racks: u32) -> Building {
    let mut building = Building::new(name);
    building.activities = Some(activities);
    building.halls = Some(vec![Hall::new("hall", racks, "standard")]);
    building
}

/// Such activities, each after the one before, each a milestone.
fn chain(durations: &[f64]) -> Vec<Activity> {
    (durations.iter().enumerate())
        .map(|(number, months)| Activity::new(format!("step {number}"), *months).as_milestone())
        .collect()
}

fn after(names: &[&str]) -> Option<Vec<Dependency>> {
    Some(names.iter().map(|name| Dependency::from(*name)).collect())
}

fn after_with_lag(name: &str, lag_months: f64) -> Dependency {
    let mut lagged = Lagged::new(name);
    lagged.lag_months = lag_months.into();
    Dependency::Lagged(lagged)
}

fn trials(scenario: &Scenario, count: u64) -> Vec<TrialRow> {
    let model = (scenario.compile()).unwrap_or_else(|error| panic!("{error}"));
    let mut workspace = Workspace::default();
    (0..count)
        .map(|trial| {
            let mut row = TrialRow::new(model.layout().clone());
            model.simulate(SEED, trial, &mut workspace, &mut row);
            row
        })
        .collect()
}

/// The only trial of a scenario in which nothing is left to chance.
fn certain(scenario: &Scenario) -> TrialRow {
    trials(scenario, 1).remove(0)
}

fn batch(scenario: &Scenario, trials: u64) -> Projection {
    let model = (scenario.compile()).unwrap_or_else(|error| panic!("{error}"));
    let batch = Batch::new(&model).trials(trials).seed(SEED);
    batch.run().expect("it runs")
}

fn milestone(row: &TrialRow, name: &str) -> f64 {
    let index = row.layout().milestone_index(name);
    row.milestones()[index.unwrap_or_else(|| panic!("no milestone {name}"))]
}

fn metric<'a>(row: &'a TrialRow, name: &str) -> &'a [f64] {
    let index = row.layout().metric_index(name);
    row.monthly(0, index.unwrap_or_else(|| panic!("no metric {name}")))
}

/// 0 before a month, `value` from it on.
fn from_month(month: usize, value: f64, months: usize) -> Vec<f64> {
    (0..months)
        .map(|m| if m < month { 0.0 } else { value })
        .collect()
}

fn assert_near(actual: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (actual - expected).abs() <= tolerance,
        "{what}: {actual} is not within {tolerance} of {expected}"
    );
}

fn assert_all_near(actual: &[f64], expected: &[f64], what: &str) {
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        assert_near(*actual, *expected, 1e-12 * expected.abs(), what);
    }
}

#[test]
fn a_chain_of_known_durations_ends_after_their_sum() {
    let mut campus = Campus::new("north");
    campus
        .buildings
        .push(building("A", chain(&[2.0, 6.5, 0.0, 1.25]), 400));
    let row = certain(&scenario(campus, 24));
    let ends = [
        ("A/step 0", 2.0),
        ("A/step 1", 8.5),
        ("A/step 2", 8.5),
        ("A/step 3", 9.75),
        ("A live", 9.75),
    ];
    for (name, months) in ends {
        assert_eq!(milestone(&row, name), months, "{name}");
    }
    // 9.75 months after the start lies in month 9, at whose end the racks stand.
    for (name, value) in [
        ("racks_built", 400.0),
        ("racks_energised", 400.0),
        ("racks_deployable", 400.0),
        ("standard_racks", 400.0),
        ("it_power_mw", 1.0),
        ("facility_power_mw", 1.0),
    ] {
        assert_all_near(metric(&row, name), &from_month(9, value, 24), name);
    }
}

#[test]
fn an_event_at_the_very_end_of_a_month_counts_in_it() {
    let mut campus = Campus::new("north");
    campus.buildings.push(building("A", chain(&[7.0]), 10));
    let row = certain(&scenario(campus, 12));
    assert_eq!(metric(&row, "racks_built"), from_month(6, 10.0, 12));
}

#[test]
fn work_begins_on_its_date_and_dates_are_those_of_the_calendar() {
    let mut campus = Campus::new("north");
    let mut late = building("A", chain(&[3.0]), 10);
    // 17 March 2025 is 2 months and 16 of 31 days after 1 January.
    late.starts = Some(Date::day(2025, 3, 17).expect("a day"));
    campus.buildings.push(late);
    let mut early = building("B", chain(&[3.0]), 10);
    early.starts = Some(Date::month(2024, 12).expect("a month"));
    campus.buildings.push(early);
    let scenario = scenario(campus, 12);
    let row = certain(&scenario);
    assert_eq!(milestone(&row, "A live"), 5.0 + 16.0 / 31.0);
    assert_eq!(milestone(&row, "B live"), 2.0);
    let json = batch(&scenario, 10).to_json();
    // 16/31 of the 30 days of June have passed: 15 whole ones.
    assert_eq!(json["milestones"]["A live"]["dates"]["p50"], "2025-06-16");
    assert_eq!(json["milestones"]["B live"]["dates"]["p90"], "2025-02-28");
}

#[test]
fn buildings_of_a_series_follow_at_their_distance() {
    let mut campus = Campus::new("north");
    let mut series = building("A{n}", chain(&[4.0, 4.0]), 100);
    series.starts = Some(Date::month(2025, 3).expect("a month"));
    series.series = Some(Series::new(4, 2.5));
    if let Some(series) = &mut series.series {
        series.first = 7;
    }
    campus.buildings.push(series);
    let row = certain(&scenario(campus, 30));
    for (name, months) in [
        ("A7 live", 10.0),
        ("A8 live", 12.5),
        ("A9 live", 15.0),
        ("A10 live", 17.5),
    ] {
        assert_eq!(milestone(&row, name), months, "{name}");
    }
}

#[test]
fn a_network_ends_with_its_critical_path() {
    // permit 3 ─┬─▶ shell 8 ─┬─▶ cooling 5 ────────────┬─▶ commissioning 2
    //           │            └─▶ fit-out 4 ─▶ network 2.5┘        ▲
    //           └─(lag 1)─▶ line 10 ──────────(lead 0.5)──────────┘
    // cooling ends at 16, the network at 17.5, the line at 14 less 0.5: commissioning at 19.5.
    let network = |line_months: f64| {
        let mut shell = Activity::new("shell", 8.0);
        shell.after = after(&["permit"]);
        let mut cooling = Activity::new("cooling", 5.0).as_milestone();
        cooling.after = after(&["shell"]);
        let mut fit_out = Activity::new("fit-out", 4.0);
        fit_out.after = after(&["shell"]);
        let mut cables = Activity::new("network", 2.5).as_milestone();
        cables.after = after(&["fit-out"]);
        let mut line = Activity::new("line", line_months).as_milestone();
        line.after = Some(vec![after_with_lag("permit", 1.0)]);
        let mut commissioning = Activity::new("commissioning", 2.0).as_milestone();
        commissioning.after = Some(vec![
            "cooling".into(),
            "network".into(),
            after_with_lag("line", -0.5),
        ]);
        let activities = vec![
            Activity::new("permit", 3.0),
            shell,
            cooling,
            fit_out,
            cables,
            line,
            commissioning,
        ];
        let mut campus = Campus::new("north");
        campus.buildings.push(building("A", activities, 10));
        certain(&scenario(campus, 40))
    };
    let row = network(10.0);
    for (name, months) in [
        ("A/cooling", 16.0),
        ("A/network", 17.5),
        ("A/line", 14.0),
        ("A/commissioning", 19.5),
        ("A live", 19.5),
    ] {
        assert_eq!(milestone(&row, name), months, "{name}");
    }
    // With 16 months the line is critical: 4 + 16 - 0.5 + 2; the building waits for its last activity.
    let row = network(16.0);
    assert_eq!(milestone(&row, "A/commissioning"), 21.5);
    assert_eq!(milestone(&row, "A live"), 21.5);
}

#[test]
fn a_hall_is_live_when_the_last_of_space_power_and_equipment_is_there() {
    // Space at 6; substation at 7, grid at 8.5; hardware ordered at 2 arrives at 2 + lead.
    let live = |lead: f64, grid: f64| {
        let mut hall = Hall::new("hall", 400, "standard");
        hall.hardware = Some("chip".to_owned());
        let mut of_chips = Building::new("A");
        of_chips.activities = Some(chain(&[2.0, 4.0]));
        of_chips.halls = Some(vec![hall]);
        of_chips.substation = Some("S".to_owned());
        let mut campus = Campus::new("north");
        campus.pue = Uncertain::Constant(1.25);
        campus.buildings.push(of_chips);
        let work = vec![Activity::new("build", 7.0)];
        campus.substations.push(Substation::new("S", 50.0, work));
        campus.grid.push(GridStep::new("first", 50.0, grid));
        let mut scenario = scenario(campus, 24);
        let mut chip = Generation::new("chip", 2.0, "fp16_dense", 3.0);
        chip.lead_time_months = Uncertain::Constant(lead);
        scenario.generations.push(chip);
        let all = Milestone::new("all", ["A/live", "S", "first"]);
        scenario.milestones.push(all);
        certain(&scenario)
    };
    let row = live(9.0, 8.5);
    assert_eq!(milestone(&row, "S energised"), 7.0);
    assert_eq!(milestone(&row, "A live"), 11.0, "equipment is last");
    assert_eq!(milestone(&row, "all"), 11.0);
    // 400 racks of 2 kW: built from month 5 on, energised from month 8 on, live from month 10 on.
    let power: Vec<f64> = (0..24)
        .map(|m| if (5..8).contains(&m) { 0.8 } else { 0.0 })
        .collect();
    assert_all_near(
        metric(&row, "stranded_space_without_power_mw"),
        &power,
        "without power",
    );
    let late: Vec<f64> = (0..24)
        .map(|m| if (8..10).contains(&m) { 0.8 } else { 0.0 })
        .collect();
    assert_all_near(
        metric(&row, "stranded_equipment_late_mw"),
        &late,
        "late equipment",
    );
    assert_all_near(
        metric(&row, "installed_pflops"),
        &from_month(10, 1_200.0, 24),
        "PFLOPS",
    );
    assert_all_near(
        metric(&row, "facility_power_mw"),
        &from_month(10, 1.0, 24),
        "facility power",
    );
    assert_eq!(milestone(&live(3.0, 8.5), "A live"), 8.5, "power is last");
    assert_eq!(
        milestone(&live(3.0, 1.0), "A live"),
        7.0,
        "the substation is last"
    );
}

#[test]
fn grid_power_divided_by_pue_is_what_can_be_deployed() {
    // Steps of 1 and 0.5 MW at a PUE of 1.25 carry 800 and 1,200 kW; two halls of 750 kW want more.
    let mut campus = Campus::new("north");
    campus.pue = Uncertain::Constant(1.25);
    campus.grid.push(GridStep::new("first", 1.0, 2.5));
    campus.grid.push(GridStep::new("second", 0.5, 8.0));
    campus.buildings.push(building("A", chain(&[4.0]), 300));
    campus.buildings.push(building("B", chain(&[5.0]), 300));
    let row = certain(&scenario(campus, 12));
    let expected = [0.0, 0.0, 0.0, 0.75, 0.8, 0.8, 0.8, 1.2, 1.2, 1.2, 1.2, 1.2];
    assert_all_near(metric(&row, "it_power_mw"), &expected, "IT power");
    let racks = expected.map(|mw| mw * 1_000.0 / RACK_KW);
    assert_all_near(metric(&row, "racks_energised"), &racks, "racks");
    let idle = [0.0, 0.0, 0.8, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    for (actual, expected) in metric(&row, "stranded_power_without_space_mw")
        .iter()
        .zip(idle)
    {
        assert_near(*actual, expected, 1e-12, "idle power");
    }
    assert_eq!(milestone(&row, "B live"), 5.0);
}

#[test]
fn halls_chains_and_substations_carry_no_more_than_their_power() {
    let mut campus = Campus::new("north");
    // Two halls of 600 kW behind a substation of 1 MW.
    let mut fed = building("A", chain(&[2.0]), 240);
    fed.substation = Some("S".to_owned());
    fed.halls = Some(
        ["left", "right"]
            .map(|name| Hall::new(name, 240, "standard"))
            .to_vec(),
    );
    campus.buildings.push(fed);
    let work = vec![Activity::new("build", 1.0)];
    campus.substations.push(Substation::new("S", 1.0, work));
    // A hall of 400 racks made for 700 kW, which is space for 280 racks of 2.5 kW.
    let mut narrow = building("B", chain(&[4.0]), 400);
    if let Some(halls) = &mut narrow.halls {
        halls[0].power_kw = Some(700.0.into());
    }
    campus.buildings.push(narrow);
    // A hall of 1,000 kW in a building whose chain carries 300 kW.
    let mut weak = building("C", chain(&[6.0]), 400);
    weak.power_kw = Some(300.0.into());
    campus.buildings.push(weak);
    let row = certain(&scenario(campus, 8));
    let built = [0.0, 480.0, 480.0, 760.0, 760.0, 1_160.0, 1_160.0, 1_160.0];
    assert_all_near(metric(&row, "racks_built"), &built, "built");
    let power = [0.0, 1.0, 1.0, 1.7, 1.7, 2.0, 2.0, 2.0];
    assert_all_near(metric(&row, "it_power_mw"), &power, "IT power");
}

#[test]
fn compute_grows_with_its_trend_until_it_is_delivered() {
    let mut hall = Hall::new("hall", 100, "standard");
    hall.hardware = Some("trend".to_owned());
    let mut of_chips = Building::new("A");
    of_chips.activities = Some(chain(&[10.0, 2.0]));
    of_chips.halls = Some(vec![hall]);
    let mut campus = Campus::new("north");
    campus.buildings.push(of_chips);
    let mut scenario = scenario(campus, 36);
    let mut trend = Generation::new("trend", 2.5, "fp16_dense", 4.0);
    trend.growth_per_year = Uncertain::Constant(0.44);
    trend.lead_time_months = Uncertain::Constant(8.0);
    scenario.generations.push(trend);
    // Ordered at 10, delivered at 18, a year and a half after the start: 1.44^1.5 = 1.2^3 = 1.728.
    let row = certain(&scenario);
    let expected = from_month(17, 100.0 * 4.0 * 1.728, 36);
    assert_all_near(metric(&row, "installed_pflops"), &expected, "PFLOPS");
}

#[test]
fn the_mean_of_a_pert_chain_is_the_sum_of_the_means() {
    const TRIALS: u64 = 20_000;
    let links = [
        (1.0, 2.0, 6.0),
        (0.0, 3.0, 4.0),
        (4.0, 4.0, 10.0),
        (2.0, 7.0, 7.5),
        (0.5, 0.75, 3.0),
    ];
    let activities = (links.iter().enumerate())
        .map(|(number, (a, m, b))| Activity::new(format!("{number}"), Uncertain::pert(*a, *m, *b)))
        .collect();
    let mut campus = Campus::new("north");
    campus.buildings.push(building("A", activities, 10));
    let projection = batch(&scenario(campus, 48), TRIALS);
    let live = projection
        .milestone("A live")
        .expect("every building has one");
    assert_eq!(live.probability(), Some(1.0));
    // Mean (a + 4 m + b) / 6 and variance (mean - a)(b - mean) / 7 of a PERT; durations are independent.
    let mean = |(a, m, b): (f64, f64, f64)| (a + 4.0 * m + b) / 6.0;
    let expected: f64 = links.iter().map(|link| mean(*link)).sum();
    let variance: f64 = (links.iter())
        .map(|link| (mean(*link) - link.0) * (link.2 - mean(*link)) / 7.0)
        .sum();
    let n = TRIALS as f64;
    // The standard error of a mean is sqrt(variance / n).
    let tolerance = 4.0 * (variance / n).sqrt();
    assert_near(
        live.mean().expect("reached"),
        expected,
        tolerance,
        "the mean",
    );
    // That of a variance is variance x sqrt((kurtosis - 1) / n). The kurtosis of a beta
    // distribution with parameters of 1 to 5 is below 4, and so is that of a sum of such.
    let sampled = live.std_dev().expect("reached").powi(2);
    let tolerance = 4.0 * variance * (3.0 / n).sqrt();
    assert_near(sampled, variance, tolerance, "the variance");
}

#[test]
fn the_later_of_two_uniform_works_is_later_than_either() {
    const TRIALS: u64 = 20_000;
    // The maximum of two independent uniform numbers in 0..12 has the distribution (x / 12)^2:
    // mean 8, variance 8, and the quantile 12 sqrt(p).
    let parallel = |name: &str| {
        let mut activity = Activity::new(name, Uncertain::uniform(0.0, 12.0));
        activity.after = Some(Vec::new());
        activity
    };
    let mut campus = Campus::new("north");
    let works = vec![parallel("left"), parallel("right")];
    campus.buildings.push(building("A", works, 10));
    let projection = batch(&scenario(campus, 24), TRIALS);
    let live = projection
        .milestone("A live")
        .expect("every building has one");
    let n = TRIALS as f64;
    let tolerance = 4.0 * (8.0 / n).sqrt();
    assert_near(live.mean().expect("reached"), 8.0, tolerance, "the mean");
    for p in [0.1, 0.5, 0.8, 0.95] {
        let expected = 12.0 * f64::sqrt(p);
        // sqrt(p (1 - p) / n) / density, the density of (x / 12)^2 being x / 72;
        // and half a bucket, 0.049 %.
        let error = (p * (1.0 - p) / n).sqrt() / (expected / 72.0);
        let tolerance = 4.0 * error + expected / 2_048.0;
        let actual = live.quantile(p).expect("reached");
        assert_near(actual, expected, tolerance, "a quantile");
    }
    // Reached by 6 months in a quarter of the trials: four times sqrt(p (1 - p) / n), and what
    // lies in one bucket of 2^-10 about 6.
    let share = live.probability_at_most(6.0).expect("trials");
    let tolerance = 4.0 * (0.25 * 0.75 / n).sqrt() + 6.0 / 1_024.0 * (6.0 / 72.0);
    assert_near(share, 0.25, tolerance, "the share");
}

/// A campus with this live capacity from the start on.
fn live_campus(power_kw: f64) -> Campus {
    let mut campus = Campus::new("north");
    let racks = (power_kw / RACK_KW) as u32;
    campus.existing = Some(ExistingCapacity::new(racks, "standard", power_kw));
    campus
}

/// Contracts of one size; companies sign with this probability at once.
fn segment(outreach: f64, sign_probability: f64, size_kw: f64) -> Segment {
    let mut segment = Segment::new("tenants");
    segment.outreach_per_month = Uncertain::Constant(outreach);
    segment.sign_probability = Uncertain::Constant(sign_probability);
    segment.contract_power_kw = Some(Uncertain::Constant(size_kw));
    segment
}

fn with_tenants(campus: Campus, segment: Segment, months: u32) -> Scenario {
    let mut scenario = scenario(campus, months);
    scenario.segments.push(segment);
    scenario
}

/// Mean and variance (with n - 1) of a metric at the end of a month.
fn mean_and_variance(rows: &[TrialRow], name: &str, month: usize) -> (f64, f64) {
    let values: Vec<f64> = rows.iter().map(|row| metric(row, name)[month]).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, squares / (n - 1.0))
}

/// That a number in each trial has the mean and the variance of a Poisson distribution.
fn assert_poisson(rows: &[TrialRow], name: &str, month: usize, expected: f64) {
    let n = rows.len() as f64;
    let (mean, variance) = mean_and_variance(rows, name, month);
    let what = format!("{name} in month {month}");
    // Var(mean) = L / n. Var(variance) = (fourth central moment - variance^2) / n, to the first
    // order, and the fourth central moment of a Poisson distribution is L + 3 L^2.
    assert_near(mean, expected, 4.0 * (expected / n).sqrt(), &what);
    let error = ((expected + 2.0 * expected * expected) / n).sqrt();
    assert_near(variance, expected, 4.0 * error, &what);
}

// Tenants in service are an M/G/infinity queue in whole months. Companies contacted in a month are
// Poisson(r); those that sign are Poisson(r p), and without lags move in in that month. A tenant is
// there at the end of the month of moving in and of the `term` months after it, and of each month
// after those with the probability (1 - churn) that it was there at the end of the one before:
//
//     P(there k month-ends later) = 1 for k <= T, (1 - churn)^(k - T) for k > T
//
// So the number in service at the end of month m is Poisson with the mean
// r p x (sum of that over k = 0..m), which tends to r p (T + 1 / churn): r p (T + 1) if no one renews.

#[test]
fn tenants_in_service_are_poisson_as_in_an_infinite_server_queue() {
    const TERM: usize = 8;
    let (outreach, sign) = (6.0, 0.4);
    let mut tenants = segment(outreach, sign, 100.0);
    tenants.term_months = Uncertain::Constant(TERM as f64 + 0.75);
    tenants.churn_per_month = Uncertain::one();
    for allocation in [
        Allocation::FirstCome,
        Allocation::FirstComeWhole,
        Allocation::Pooled,
    ] {
        tenants.allocation = allocation;
        let rows = trials(&with_tenants(live_campus(1e6), tenants.clone(), 30), 4_000);
        for month in [0, 3, TERM, TERM + 1, 29] {
            let served = outreach * sign * (month.min(TERM) + 1) as f64;
            assert_poisson(&rows, "contracts_in_service", month, served);
            let signed = outreach * sign * (month + 1) as f64;
            assert_poisson(&rows, "contracts_signed", month, signed);
            let contacted = outreach * (month + 1) as f64;
            assert_poisson(&rows, "companies_contacted", month, contacted);
        }
        for row in &rows {
            let power = metric(row, "in_service_power_mw");
            for (power, contracts) in power.iter().zip(metric(row, "contracts_in_service")) {
                assert_near(*power, contracts * 0.1, 1e-9, "100 kW for each contract");
            }
            assert!(metric(row, "waiting_demand_mw").iter().all(|mw| *mw == 0.0));
        }
    }
}

#[test]
fn tenants_that_may_renew_stay_a_geometric_number_of_months_longer() {
    const TERM: i32 = 3;
    let churn = 0.2;
    let mut tenants = segment(5.0, 1.0, 10.0);
    tenants.term_months = Uncertain::Constant(f64::from(TERM));
    tenants.churn_per_month = Uncertain::Constant(churn);
    let rows = trials(&with_tenants(live_campus(1e6), tenants, 60), 4_000);
    let there = |k: i32| f64::powi(1.0 - churn, (k - TERM).max(0));
    for month in [2, 5, 12, 59] {
        let expected: f64 = 5.0 * (0..=month).map(there).sum::<f64>();
        assert_poisson(&rows, "contracts_in_service", month as usize, expected);
    }
    let limit = 5.0 * (f64::from(TERM) + 1.0 / churn);
    assert_poisson(&rows, "contracts_in_service", 59, limit);
}

#[test]
fn two_months_share_the_tenants_that_are_there_in_both() {
    const TERM: usize = 8;
    const APART: usize = 3;
    let rate = 2.5;
    let mut tenants = segment(rate, 1.0, 100.0);
    tenants.term_months = Uncertain::Constant(TERM as f64);
    tenants.churn_per_month = Uncertain::one();
    let rows = trials(&with_tenants(live_campus(1e6), tenants, 30), 4_000);
    let n = rows.len() as f64;
    let name = "contracts_in_service";
    let (early, late) = (20, 20 + APART);
    let means = [early, late].map(|month| mean_and_variance(&rows, name, month).0);
    let covariance = (rows.iter())
        .map(|row| (metric(row, name)[early] - means[0]) * (metric(row, name)[late] - means[1]))
        .sum::<f64>()
        / (n - 1.0);
    // N = A + C and M = B + C of independent Poisson numbers with the mean L - G for A and B and
    // G for C: the covariance is G, and that of its estimate (L^2 + G^2 + G) / n.
    let level = rate * (TERM + 1) as f64;
    let shared = rate * (TERM + 1 - APART) as f64;
    let error = ((level * level + shared * shared + shared) / n).sqrt();
    assert_near(covariance, shared, 4.0 * error, "the covariance");
}

#[test]
fn a_ramp_fills_a_lease_in_equal_steps() {
    const TERM: usize = 9;
    const RAMP: usize = 4;
    const LAG: usize = 2;
    let (rate, size_mw) = (3.0, 0.2);
    let mut tenants = segment(rate, 1.0, 1_000.0 * size_mw);
    tenants.term_months = Uncertain::Constant(TERM as f64);
    tenants.churn_per_month = Uncertain::one();
    tenants.ramp_months = Uncertain::Constant(RAMP as f64);
    tenants.sign_lag_months = Uncertain::Constant(1.0);
    tenants.move_in_lag_months = Uncertain::Constant(LAG as f64 - 1.0);
    let rows = trials(&with_tenants(live_campus(1e6), tenants, 30), 4_000);
    let n = rows.len() as f64;
    for month in [LAG, LAG + 2, 29] {
        // Power in service is compound Poisson: of a tenant that moved in k months before there
        // is min(k + 1, ramp) / ramp. Mean and variance are sums of the share and of its square.
        let shares = (0..=(month - LAG).min(TERM)).map(|k| (k + 1).min(RAMP) as f64 / RAMP as f64);
        let mean: f64 = rate * size_mw * shares.clone().sum::<f64>();
        let variance: f64 = rate * size_mw * size_mw * shares.clone().map(|s| s * s).sum::<f64>();
        let (actual, spread) = mean_and_variance(&rows, "in_service_power_mw", month);
        assert_near(actual, mean, 4.0 * (variance / n).sqrt(), "the mean");
        // That of the variance is (fourth cumulant + 2 variance^2) / n; the fourth cumulant is the
        // sum of fourth powers.
        let fourth = rate * size_mw.powi(4) * shares.map(|s| s.powi(4)).sum::<f64>();
        let error = ((fourth + 2.0 * variance * variance) / n).sqrt();
        assert_near(spread, variance, 4.0 * error, "the variance");
        let moved_in = rate * ((month - LAG).min(TERM) + 1) as f64;
        assert_poisson(&rows, "contracts_in_service", month, moved_in);
    }
    assert!((rows.iter()).all(|row| metric(row, "contracts_in_service")[LAG - 1] == 0.0));
    assert_poisson(&rows, "contracts_signed", 10, rate * 10.0);
}

#[test]
fn outreach_that_grows_adds_up_to_a_geometric_series() {
    let mut tenants = segment(4.0, 0.5, 10.0);
    tenants.outreach_growth_per_year = Uncertain::Constant(0.5);
    let rows = trials(&with_tenants(live_campus(1e6), tenants, 36), 2_000);
    let monthly = f64::powf(1.5, 1.0 / 12.0);
    let expected = 4.0 * (monthly.powi(36) - 1.0) / (monthly - 1.0);
    assert_poisson(&rows, "companies_contacted", 35, expected);
    assert_poisson(&rows, "contracts_signed", 35, expected * 0.5);
}

#[test]
fn subsidiaries_are_a_share_of_the_contracts() {
    let mut tenants = segment(10.0, 0.8, 10.0);
    tenants.subsidiary_probability = Uncertain::Constant(0.25);
    tenants.subsidiary_lag_months = Uncertain::Constant(4.0);
    let rows = trials(&with_tenants(live_campus(1e6), tenants, 24), 2_000);
    assert!(rows.iter().all(|row| metric(row, "subsidiaries")[3] == 0.0));
    assert_poisson(&rows, "subsidiaries", 23, 10.0 * 0.8 * 0.25 * 20.0);
}

#[test]
fn ample_demand_fills_the_capacity_exactly() {
    // 40 contracts of 60 kW a month want into 1,000 kW.
    for (allocation, filled_kw) in [
        (Allocation::FirstCome, 1_000.0),
        (Allocation::FirstComeWhole, 960.0),
        (Allocation::Pooled, 1_000.0),
    ] {
        let mut tenants = segment(40.0, 1.0, 60.0);
        tenants.allocation = allocation;
        let rows = trials(&with_tenants(live_campus(1_000.0), tenants, 24), 50);
        for row in &rows {
            let filled = vec![filled_kw / 1_000.0; 24];
            assert_all_near(metric(row, "in_service_power_mw"), &filled, "in service");
            let racks = vec![filled_kw / RACK_KW; 24];
            assert_all_near(metric(row, "racks_in_service"), &racks, "racks");
            let take_up = vec![filled_kw / 1_000.0; 24];
            assert_all_near(metric(row, "take_up"), &take_up, "take-up");
            for (waiting, signed) in metric(row, "waiting_demand_mw")
                .iter()
                .zip(metric(row, "contracts_signed"))
            {
                let expected = (signed * 60.0 - filled_kw) / 1_000.0;
                assert_near(*waiting, expected, 1e-9 * expected, "what waits");
            }
        }
    }
}

#[test]
fn room_that_is_given_up_is_taken_again_in_the_same_month() {
    let mut tenants = segment(40.0, 1.0, 50.0);
    tenants.term_months = Uncertain::Constant(2.0);
    tenants.churn_per_month = Uncertain::Constant(0.5);
    let rows = trials(&with_tenants(live_campus(1_000.0), tenants, 36), 100);
    for row in &rows {
        assert_all_near(metric(row, "in_service_power_mw"), &[1.0; 36], "in service");
        assert_all_near(
            metric(row, "contracts_in_service"),
            &[20.0; 36],
            "contracts",
        );
    }
}

#[test]
fn without_room_every_contract_is_lost_when_its_patience_ends() {
    let mut tenants = segment(5.0, 0.7, 80.0);
    tenants.patience_months = Some(Uncertain::Constant(3.0));
    let land = Campus::new("north");
    for row in trials(&with_tenants(land, tenants, 20), 50) {
        let signed = metric(&row, "contracts_signed");
        let lost = metric(&row, "contracts_lost");
        assert_eq!(lost[..3], [0.0; 3]);
        assert_eq!(lost[3..], signed[..17]);
        let waiting = metric(&row, "waiting_demand_mw");
        for month in 0..20 {
            let expected = (signed[month] - lost[month]) * 0.08;
            assert_near(waiting[month], expected, 1e-9, "what waits");
        }
        assert!(
            metric(&row, "contracts_in_service")
                .iter()
                .all(|x| *x == 0.0)
        );
    }
}

#[test]
fn the_segment_of_higher_priority_is_served_first() {
    let mut first = segment(0.5, 1.0, 100.0);
    first.name = "first".to_owned();
    let mut second = segment(50.0, 1.0, 100.0);
    second.name = "second".to_owned();
    second.priority = 1;
    // The draw tells whose power it is.
    first.draw_share = Uncertain::one();
    second.draw_share = Uncertain::zero();
    let mut scenario = with_tenants(live_campus(500.0), second, 40);
    scenario.segments.push(first);
    let mut waits = scenario.clone();
    waits.campuses[0].existing = None;
    waits.campuses[0]
        .buildings
        .push(building("A", chain(&[30.0]), 200));
    for row in trials(&waits, 50) {
        // 30 months of half a contract a month: that fewer than 5 came has a probability of 0.09 %.
        let contracts = metric(&row, "it_draw_mw")[29] / 0.1;
        assert_near(contracts, contracts.round().min(5.0), 1e-6, "served first");
        assert_all_near(
            &metric(&row, "in_service_power_mw")[29..],
            &[0.5; 11],
            "in service",
        );
    }
    let fully: usize = (trials(&waits, 50).iter())
        .filter(|row| metric(row, "it_draw_mw")[29] > 0.499)
        .count();
    // On average 50 x 0.0009 trials have fewer than 5; 3 or more of them have a probability of 1e-5.
    assert!(fully >= 48, "{fully}");
    // Who is there already is not turned out: all is taken in the first month, by 50 contracts or so.
    for row in trials(&scenario, 20) {
        assert_all_near(metric(&row, "in_service_power_mw"), &[0.5; 40], "full");
        let drawn = metric(&row, "it_draw_mw");
        assert!(drawn.iter().all(|mw| *mw == drawn[0]), "{drawn:?}");
    }
}

#[test]
fn existing_tenants_are_there_from_the_start_until_their_term_ends() {
    let mut tenants = segment(0.0, 1.0, 1.0);
    let existing = ExistingTenants::new()
        .companies_contacted(30)
        .contracts_signed(8)
        .subsidiaries(2)
        .leased_power_kw(400.0);
    tenants.existing = Some(existing);
    tenants.ramp_months = Uncertain::Constant(6.0);
    tenants.term_months = Uncertain::Constant(5.0);
    tenants.churn_per_month = Uncertain::one();
    let row = certain(&with_tenants(live_campus(1_000.0), tenants, 12));
    let until =
        |value: f64| -> Vec<f64> { (0..12).map(|m| if m <= 5 { value } else { 0.0 }).collect() };
    assert_all_near(metric(&row, "in_service_power_mw"), &until(0.4), "power");
    assert_eq!(metric(&row, "contracts_in_service"), until(8.0));
    assert_eq!(metric(&row, "companies_contacted"), [30.0; 12]);
    assert_eq!(metric(&row, "contracts_signed"), [8.0; 12]);
    assert_eq!(metric(&row, "subsidiaries"), [2.0; 12]);
}

#[test]
fn no_more_companies_can_sign_than_were_contacted() {
    let refused = |negotiating: u32, signed: u32| {
        let mut tenants = segment(1.0, 1.0, 1.0);
        let existing = ExistingTenants::new()
            .companies_contacted(10)
            .companies_negotiating(negotiating)
            .contracts_signed(signed);
        tenants.existing = Some(existing);
        let scenario = with_tenants(live_campus(100.0), tenants, 3);
        scenario.check().has_errors()
    };
    assert!(!refused(4, 6) && !refused(10, 0) && !refused(0, 10));
    assert!(refused(5, 6) && refused(11, 0) && refused(0, 11));
}

#[test]
fn the_mean_of_a_batch_carries_its_own_standard_error() {
    // 2.5 contracts a month for 12 months: Poisson(30).
    let projection = batch(
        &with_tenants(live_campus(1e6), segment(5.0, 0.5, 10.0), 12),
        4_000,
    );
    let signed = projection.metric("contracts_signed").expect("a metric");
    let error = signed.std_error()[11];
    assert_near(signed.mean()[11], 30.0, 4.0 * error, "the mean");
    // The relative standard error of a standard deviation is sqrt((2 + 1 / L) / n) / 2: 1.1 %.
    let expected = (30.0_f64 / 4_000.0).sqrt();
    assert_near(
        error,
        expected,
        4.0 * 0.0113 * expected,
        "its standard error",
    );
}
