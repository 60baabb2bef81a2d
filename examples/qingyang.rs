//! Qingyang's compute campus in plain Rust: the scenario of `qingyang.toml`, where each number's
//! source stands beside it, built without a file.
//!
//! ```sh
//! cargo run --release --example qingyang
//! ```

use buildout::compute::{Generation, RackType};
use buildout::power::{GridStep, Substation};
use buildout::sampling::correlations::{CommonFactor, Correlations, Loading};
use buildout::scenario::{Milestone, Target};
use buildout::schedule::{Activity, PlanClass};
use buildout::site::{
    Building, BuildingTemplate, Campus, CampusExpansion, ExistingCapacity, Hall, Series,
};
use buildout::tenants::{ExistingTenants, NamedTenant, Segment};
use buildout::{Batch, Date, Scenario, Uncertain};

const ANNOUNCED: &str = "announced by an operator";
const SIXTEEN_MONTHS: &str = "three buildings capped, A1 lit, substation energised";

type AnyError = Box<dyn std::error::Error>;

const WEEKS_PER_MONTH: f64 = buildout::date::WEEKS_PER_MONTH;

fn main() -> Result<(), AnyError> {
    let model = scenario()?.compile()?;
    println!("2,000 trials of {}", model.name());
    let projection = Batch::new(&model).trials(2_000).seed(1).run()?;
    println!("month      standard racks (P10, P50, P90)        PFLOPS (P50)");
    let racks = projection
        .metric("standard_racks")
        .ok_or("no such metric")?;
    let pflops = projection
        .metric("installed_pflops")
        .ok_or("no such metric")?
        .quantile(0.5);
    let [p10, p50, p90] = [0.1, 0.5, 0.9].map(|p| racks.quantile(p));
    for (month, label) in model.layout().month_labels().iter().enumerate() {
        if month < 12 || month % 12 == 11 {
            println!(
                "{label}  {:>9.0} {:>9.0} {:>9.0}  {:>16.0}",
                p10[month], p50[month], p90[month], pflops[month]
            );
        }
    }
    for target in projection.targets() {
        let probability = target.probability().unwrap_or(f64::NAN);
        println!("{:>5.1} %  {}", 100.0 * probability, target.label().name);
    }
    Ok(())
}

/// The whole scenario.
pub(crate) fn scenario() -> Result<Scenario, AnyError> {
    let mut scenario = Scenario::new("Qingyang", Date::month(2024, 1)?, 132);
    scenario.description = "The city's compute campus from the end of 2023: ten months that are \
                            known, ten years that are not"
        .to_owned();
    scenario.rack_types = vec![RackType::new("air", 21.0), RackType::new("liquid", 140.0)];
    scenario.generations = generations()?;
    scenario.building_templates = building_templates();
    scenario.plan_classes = vec![announced()];
    scenario.correlations = Some(correlations());
    scenario.campuses = vec![campus()?, china_mobile()?, other_operators()?];
    scenario.segments = segments();
    scenario.tenants = tenants()?;
    scenario.milestones = vec![Milestone::new(
        SIXTEEN_MONTHS,
        [
            "A1/shell",
            "A2/shell",
            "A3/shell",
            "A1/live",
            "park substation",
        ],
    )];
    scenario.targets = targets()?;
    Ok(scenario)
}

fn pert(least: f64, mode: f64, most: f64) -> Uncertain {
    Uncertain::pert(least, mode, most)
}

fn weeks(least: f64, mode: f64, most: f64) -> Uncertain {
    let weeks = |number: f64| number * (1.0 / WEEKS_PER_MONTH);
    pert(weeks(least), weeks(mode), weeks(most))
}

fn generations() -> Result<Vec<Generation>, AnyError> {
    let mut ascend = Generation::new("910B", 21.0, "fp16_dense", 9.02);
    ascend.available_from = Some(Date::month(2022, 3)?);
    ascend.lead_time_months = pert(2.0, 3.0, 6.0);
    let mut next = Generation::new("910C", 21.0, "fp16_dense", pert(8.0, 11.5, 19.0));
    next.available_from = Some(Date::month(2024, 10)?);
    next.release_slip_months = pert(0.0, 3.0, 12.0);
    next.growth_per_year = pert(0.0, 0.2, 0.4);
    next.lead_time_months = pert(2.0, 5.0, 14.0);
    let (power, pflops) = (pert(80.0, 120.0, 140.0), pert(40.0, 75.0, 140.0));
    let mut trend = Generation::new("liquid trend", power, "fp16_dense", pflops);
    trend.available_from = Some(Date::month(2026, 1)?);
    trend.release_slip_months = pert(0.0, 6.0, 24.0);
    trend.growth_per_year = pert(0.0, 0.26, 0.4);
    trend.lead_time_months = pert(2.0, 5.0, 14.0);
    Ok(vec![ascend, next, trend])
}

/// What becomes of what operators announce.
fn announced() -> PlanClass {
    let mut class = PlanClass::new(ANNOUNCED);
    class.probability = Some(0.8);
    class.slip_factor = Uncertain::mixture([
        (0.65, Uncertain::lognormal(1.31, 0.22)),
        (0.35, Uncertain::lognormal(2.0, 0.5)),
    ]);
    class.size_factor = Uncertain::lognormal(0.8, 0.45);
    class
}

/// What the hub's operators, buildings, deliveries and the steps of one plan have in common.
fn correlations() -> Correlations {
    let more = [
        "Qingyang/B{n}/count",
        "China Mobile/*/built",
        "China Mobile/*/plan size",
    ];
    let sooner = [
        "Qingyang/A*/fit-out",
        "Qingyang/B*/delay",
        "China Mobile/*/plan slip",
        "other operators/X*/wait",
    ];
    let buildings = ["*/B*/shell", "*/B*/fit-out", "*/C*/shell", "*/C*/fit-out"];
    let deliveries = [
        "*/lead time of 910C",
        "*/lead time of liquid trend",
        "hardware/*/slip",
    ];
    let rush = [Loading::new(more, 0.4), Loading::new(sooner, -0.4)];
    let pace = [Loading::new(buildings, Uncertain::uniform(0.2, 0.7))];
    let supply = [Loading::new(deliveries, 0.5)];
    let plan = [
        Loading::new(["China Mobile/*/plan slip"], -0.9),
        Loading::new(["China Mobile/*/built"], 0.9),
        Loading::new(["China Mobile/*/plan size"], 0.8),
    ];
    Correlations::new().factors([
        CommonFactor::new("the hub's rush", rush),
        CommonFactor::new("builders' pace", pace),
        CommonFactor::new("supply of accelerators", supply),
        CommonFactor::new("China Mobile's plan", plan),
    ])
}

/// A hall with hardware of its own, fitted out by itself if it says how long that takes.
fn hall(
    name: &str,
    racks: impl Into<Uncertain>,
    kind: &str,
    hardware: &str,
    fit_out: Option<Uncertain>,
) -> Hall {
    let mut hall = Hall::new(name, racks, kind);
    hall.hardware = Some(hardware.to_owned());
    hall.activities = fit_out
        .map(|duration| Activity::new("fit-out", duration))
        .into_iter()
        .collect();
    hall
}

fn ordered_after(mut hall: Hall, event: &str) -> Hall {
    hall.hardware_ordered_after = Some(event.to_owned());
    hall
}

/// Permit, shell, fit-out and commissioning of a building of the park.
fn park_activities() -> Vec<Activity> {
    vec![
        Activity::new("permit", pert(1.5, 2.5, 5.0)),
        Activity::new("shell", pert(5.5, 6.5, 9.0)),
        Activity::new("fit-out", pert(3.0, 4.0, 6.0)),
        Activity::new("commissioning", Uncertain::triangular(0.5, 1.0, 2.0)),
    ]
}

fn building_templates() -> Vec<BuildingTemplate> {
    let permit_and_shell = |shell| {
        vec![
            Activity::new("permit", pert(2.0, 3.0, 8.0)),
            Activity::new("shell", shell),
        ]
    };
    let air = [
        pert(3.0, 4.0, 7.0),
        pert(5.0, 6.0, 10.0),
        pert(7.0, 8.0, 13.0),
    ];
    let liquid = [
        pert(4.0, 5.0, 9.0),
        pert(6.0, 7.0, 12.0),
        pert(8.0, 9.0, 15.0),
        pert(10.0, 11.0, 18.0),
    ];
    let numbered = |durations: Vec<Uncertain>, racks: Uncertain, kind: &str| -> Vec<Hall> {
        let halls = durations.into_iter().zip(1..);
        let newest = |(fit_out, number)| {
            let name = format!("hall {number}");
            let hall = hall(&name, racks.clone(), kind, "newest", Some(fit_out));
            ordered_after(hall, "shell")
        };
        halls.map(newest).collect()
    };
    vec![
        BuildingTemplate::new(
            "container block",
            vec![Activity::new("containers", pert(3.0, 4.0, 6.0))],
            vec![ordered_after(
                hall("containers", 300, "air", "910B", None),
                "start",
            )],
        ),
        BuildingTemplate::new(
            "park building",
            park_activities(),
            vec![ordered_after(
                hall("hall", 600, "air", "910B", None),
                "shell",
            )],
        ),
        BuildingTemplate::new(
            "air building",
            permit_and_shell(pert(6.0, 8.0, 13.0)),
            numbered(air.to_vec(), pert(300.0, 600.0, 1_000.0), "air"),
        ),
        BuildingTemplate::new(
            "liquid building",
            permit_and_shell(pert(7.0, 9.0, 14.0)),
            numbered(liquid.to_vec(), 110.into(), "liquid"),
        ),
        BuildingTemplate::new(
            "operator's step",
            vec![Activity::new("works", 0.0)],
            vec![ordered_after(
                hall("hall", 2_770, "air", "910B", None),
                "start",
            )],
        ),
        BuildingTemplate::new(
            "operator's block",
            vec![Activity::new("containers", pert(3.0, 4.0, 6.0))],
            vec![ordered_after(
                hall("containers", 600, "air", "newest", None),
                "start",
            )],
        ),
    ]
}

fn campus() -> Result<Campus, AnyError> {
    let mut campus = Campus::new("Qingyang");
    campus.pue = pert(1.12, 1.18, 1.30);
    campus.availability = Uncertain::Constant(0.9995);
    campus.existing = Some(ExistingCapacity::new(595, "air", 12_500.0).compute_pflops(5_000.0));
    campus.grid = vec![
        grid_step("110 kV", 130.0, (2023, 6), pert(5.0, 7.0, 11.0))?,
        grid_step(
            "330 kV, first line",
            pert(200.0, 350.0, 500.0),
            (2024, 3),
            pert(12.0, 18.0, 36.0),
        )?,
        grid_step(
            "330 kV, second line",
            pert(200.0, 400.0, 600.0),
            (2025, 6),
            pert(16.0, 24.0, 48.0),
        )?,
        grid_step(
            "750 kV",
            pert(400.0, 900.0, 1_400.0),
            (2026, 9),
            pert(24.0, 36.0, 60.0),
        )?,
    ];
    campus.grid[2].probability = Some(0.9);
    campus.grid[3].probability = Some(0.7);
    let energisation =
        |least, mode, most| Activity::new("energisation", Uncertain::triangular(least, mode, most));
    campus.substations = vec![
        substation(
            "container bays",
            40.0,
            (2023, 8),
            vec![Activity::new("bays", pert(5.0, 7.0, 10.0))],
        )?,
        substation(
            "park substation",
            90.0,
            (2023, 4),
            vec![
                Activity::new("design and permit", pert(1.5, 2.5, 5.0)),
                Activity::new("transformers", pert(7.0, 8.5, 12.0)),
                energisation(1.0, 2.0, 4.0),
            ],
        )?,
        substation(
            "north substation",
            400.0,
            (2024, 3),
            vec![
                Activity::new("design and permit", pert(3.0, 5.0, 10.0)),
                Activity::new("transformers", weeks(40.0, 60.0, 128.0)),
                energisation(1.0, 2.0, 4.0),
            ],
        )?,
        substation(
            "east substation",
            1_200.0,
            (2025, 6),
            vec![
                Activity::new("design and permit", pert(3.0, 6.0, 12.0)),
                Activity::new("transformers", weeks(50.0, 80.0, 144.0)),
                energisation(1.0, 2.0, 4.0),
            ],
        )?,
    ];
    campus.buildings = buildings()?;
    Ok(campus)
}

fn grid_step(
    name: &str,
    power_mw: impl Into<Uncertain>,
    (year, month): (i16, i8),
    wait_months: Uncertain,
) -> Result<GridStep, AnyError> {
    let mut step = GridStep::new(name, power_mw, wait_months);
    step.starts = Some(Date::month(year, month)?);
    Ok(step)
}

fn substation(
    name: &str,
    power_mw: f64,
    (year, month): (i16, i8),
    activities: Vec<Activity>,
) -> Result<Substation, AnyError> {
    let mut substation = Substation::new(name, power_mw, activities);
    substation.starts = Some(Date::month(year, month)?);
    Ok(substation)
}

fn buildings() -> Result<Vec<Building>, AnyError> {
    let building = |name: &str, template: &str, substation: &str, (year, month)| {
        let mut building = Building::new(name);
        building.template = Some(template.to_owned());
        building.substation = Some(substation.to_owned());
        building.starts = Some(Date::month(year, month)?);
        Ok::<_, AnyError>(building)
    };
    let uncertain_series =
        |count, sigma| Some(Series::new(count, Uncertain::lognormal(6.0, sigma)));
    // The fit-out crew goes from one building of the park to the next, and some buildings wait for a tenant.
    let fit_out_after = |others: [&str; 2]| {
        let mut activities = park_activities();
        activities[2].after = Some(others.map(Into::into).to_vec());
        activities[2].duration_months = Uncertain::mixture([
            (0.7, pert(3.0, 4.0, 6.0)),
            (0.3, Uncertain::lognormal(14.0, 0.7)),
        ]);
        Some(activities)
    };
    let mut containers = building("M{n}", "container block", "container bays", (2024, 1))?;
    containers.series = Some(Series::new(4, 1.2));
    let a1 = building("A1", "park building", "park substation", (2023, 4))?;
    let mut a2 = building("A2", "park building", "park substation", (2023, 5))?;
    a2.activities = fit_out_after(["shell", "A1/commissioning"]);
    let mut a3 = building("A3", "park building", "park substation", (2023, 6))?;
    a3.activities = fit_out_after(["shell", "A2/fit-out"]);
    let mut air = building("B{n}", "air building", "north substation", (2024, 4))?;
    air.delay_months = Uncertain::mixture([
        (0.7, pert(0.0, 10.0, 30.0)),
        (0.3, Uncertain::lognormal(30.0, 0.5)),
    ]);
    air.series = uncertain_series(Uncertain::triangular(0.0, 6.0, 14.0), 0.9);
    let mut liquid = building("C{n}", "liquid building", "east substation", (2027, 1))?;
    liquid.delay_months = pert(-10.0, 0.0, 24.0);
    liquid.series = uncertain_series(Uncertain::triangular(0.0, 8.0, 20.0), 0.7);
    Ok(vec![containers, a1, a2, a3, air, liquid])
}

/// The campus of China Mobile, as it was announced in September 2024.
fn china_mobile() -> Result<Campus, AnyError> {
    let step = |name: &str, (year, month)| {
        let mut step = Building::new(name);
        step.template = Some("operator's step".to_owned());
        step.plan_class = Some(ANNOUNCED.to_owned());
        step.starts = Some(Date::month(year, month)?);
        Ok::<_, AnyError>(step)
    };
    let mut last = step("CM3.{n}", (2025, 12))?;
    let denser = hall("hall", 1_650, "air", "newest", None);
    last.halls = Some(vec![ordered_after(denser, "start")]);
    last.series = Some(Series::new(5, 5.5));
    let mut campus = operator("China Mobile");
    campus.buildings = vec![step("CM1", (2024, 10))?, step("CM2", (2025, 4))?, last];
    Ok(campus)
}

/// Operators of whom nothing is known yet.
fn other_operators() -> Result<Campus, AnyError> {
    let mut expansion = CampusExpansion::new(Uncertain::lognormal(12.0, 0.8));
    expansion.most = 12;
    expansion.waits_between_share = 0.4;
    expansion.stop_probability = 0.03;
    expansion.size = Uncertain::lognormal(1.0, 0.6);
    expansion.sizes_between_share = 0.7;
    expansion.buildings = Uncertain::discrete([
        (1.0, 0.72),
        (2.0, 0.14),
        (3.0, 0.06),
        (4.0, 0.04),
        (6.0, 0.04),
    ]);
    let mut waves = Building::new("X{n}");
    waves.template = Some("operator's block".to_owned());
    waves.starts = Some(Date::month(2024, 11)?);
    waves.expansion = Some(expansion);
    let mut campus = operator("other operators");
    campus.buildings = vec![waves];
    Ok(campus)
}

fn operator(name: &str) -> Campus {
    let mut campus = Campus::new(name);
    campus.pue = pert(1.12, 1.18, 1.30);
    campus.availability = Uncertain::Constant(0.9995);
    campus
}

/// What the operator's own services take of its steps.
fn tenants() -> Result<Vec<NamedTenant>, AnyError> {
    let services = |name: &str, (year, month), delay, racks, ramp: f64| {
        let mut tenant = NamedTenant::new(name, "cloud", Date::month(year, month)?);
        tenant.delay_months = delay;
        tenant.contract_standard_racks = Some(racks);
        tenant.ramp_months = Some(ramp.into());
        tenant.campuses = vec!["China Mobile".to_owned()];
        Ok::<_, AnyError>(tenant)
    };
    let step = || pert(5_000.0, 14_000.0, 23_000.0);
    let first = services(
        "China Mobile, first step",
        (2025, 1),
        pert(0.0, 4.0, 18.0),
        step(),
        6.0,
    )?;
    let mut second = services(
        "China Mobile, second step",
        (2025, 7),
        pert(0.0, 6.0, 24.0),
        step(),
        6.0,
    )?;
    second.probability = Uncertain::Constant(0.85);
    let mut third = services(
        "China Mobile, third step",
        (2026, 6),
        pert(0.0, 9.0, 36.0),
        pert(10_000.0, 35_000.0, 65_000.0),
        24.0,
    )?;
    third.probability = Uncertain::Constant(0.7);
    Ok(vec![first, second, third])
}

fn segments() -> Vec<Segment> {
    let mut ai = Segment::new("AI");
    ai.outreach_per_month = pert(25.0, 33.0, 45.0);
    ai.outreach_growth_per_year = pert(-0.05, 0.12, 0.25);
    ai.sign_probability = pert(0.18, 0.25, 0.34);
    ai.sign_lag_months = pert(1.0, 3.0, 7.0);
    ai.subsidiary_probability = pert(0.22, 0.30, 0.38);
    ai.subsidiary_lag_months = pert(1.0, 3.0, 6.0);
    ai.contract_standard_racks = Some(Uncertain::lognormal(40.0, 1.4));
    ai.largest_contract_kw = Some(30_000.0);
    ai.ramp_months = Uncertain::Constant(6.0);
    ai.term_months = Uncertain::discrete([(12.0, 0.3), (24.0, 0.3), (36.0, 0.4)]);
    ai.churn_per_month = pert(0.004, 0.008, 0.016);
    ai.patience_months = Some(pert(6.0, 12.0, 30.0));
    ai.draw_share = pert(0.5, 0.6, 0.8);
    ai.utilisation = pert(0.6, 0.75, 0.85);
    ai.existing = Some(existing(770, 110, 190, 63, 7_500.0));

    let mut cloud = Segment::new("cloud");
    cloud.outreach_per_month = pert(1.0, 2.0, 3.0);
    cloud.outreach_growth_per_year = pert(-0.05, 0.05, 0.15);
    cloud.sign_probability = pert(0.10, 0.20, 0.35);
    cloud.sign_lag_months = pert(4.0, 8.0, 18.0);
    cloud.subsidiary_probability = pert(0.5, 0.7, 0.9);
    cloud.subsidiary_lag_months = pert(1.0, 3.0, 6.0);
    cloud.contract_standard_racks = Some(Uncertain::lognormal(1_200.0, 1.0));
    cloud.largest_contract_kw = Some(60_000.0);
    cloud.ramp_months = Uncertain::discrete([(12.0, 0.5), (24.0, 0.5)]);
    cloud.term_months = Uncertain::discrete([(36.0, 0.5), (60.0, 0.5)]);
    cloud.churn_per_month = pert(0.002, 0.005, 0.01);
    cloud.patience_months = Some(pert(9.0, 18.0, 36.0));
    cloud.draw_share = pert(0.45, 0.55, 0.7);
    cloud.utilisation = pert(0.4, 0.55, 0.7);
    cloud.existing = Some(existing(50, 14, 8, 6, 2_000.0));

    let mut others = Segment::new("government and enterprise");
    others.outreach_per_month = pert(48.0, 61.0, 78.0);
    others.outreach_growth_per_year = pert(-0.08, 0.02, 0.08);
    others.sign_probability = pert(0.20, 0.255, 0.32);
    others.sign_lag_months = pert(1.0, 3.0, 7.0);
    others.subsidiary_probability = pert(0.22, 0.29, 0.36);
    others.subsidiary_lag_months = pert(1.0, 3.0, 6.0);
    others.contract_standard_racks = Some(Uncertain::lognormal(5.0, 1.0));
    others.largest_contract_kw = Some(2_500.0);
    others.ramp_months = Uncertain::Constant(3.0);
    others.term_months = Uncertain::discrete([(12.0, 0.4), (36.0, 0.6)]);
    others.churn_per_month = pert(0.004, 0.007, 0.012);
    others.patience_months = Some(pert(6.0, 12.0, 30.0));
    others.draw_share = pert(0.35, 0.45, 0.6);
    others.utilisation = pert(0.2, 0.35, 0.5);
    others.existing = Some(existing(1_480, 190, 370, 128, 1_500.0));

    vec![ai, cloud, others]
}

fn existing(
    companies_contacted: u32,
    companies_negotiating: u32,
    contracts_signed: u32,
    subsidiaries: u32,
    leased_power_kw: f64,
) -> ExistingTenants {
    ExistingTenants::new()
        .companies_contacted(companies_contacted)
        .companies_negotiating(companies_negotiating)
        .contracts_signed(contracts_signed)
        .subsidiaries(subsidiaries)
        .leased_power_kw(leased_power_kw)
}

fn targets() -> Result<Vec<Target>, AnyError> {
    let reach = |name: &str, metric: &str, at_least, (year, month)| {
        Ok::<_, AnyError>(Target::reached(
            name,
            metric,
            at_least,
            Date::month(year, month)?,
        ))
    };
    Ok(vec![
        Target::happened(
            "the sixteen-month milestone by the end of July 2024",
            SIXTEEN_MONTHS,
            Date::month(2024, 7)?,
        ),
        reach(
            "21,000 PFLOPS by the end of October 2024",
            "installed_pflops",
            21_000.0,
            (2024, 10),
        )?,
        reach(
            "100,000 PFLOPS by the end of 2027",
            "installed_pflops",
            100_000.0,
            (2027, 12),
        )?,
        reach(
            "300,000 standard racks by the end of 2025, the plan of 2022",
            "standard_racks",
            300_000.0,
            (2025, 12),
        )?,
        reach(
            "800,000 standard racks by the end of 2032, the plan of 2022",
            "standard_racks",
            800_000.0,
            (2032, 12),
        )?,
    ])
}
