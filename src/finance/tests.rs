//! Money against what can be computed by hand.

use super::layout::Money;
use super::*;
use crate::compute::{Generation, RackType};
use crate::projection::TrialRow;
use crate::schedule::Activity;
use crate::site::{Building, Hall};
use crate::site::{Campus, ExistingCapacity};
use crate::tenants::{
    Damages, Deposit, EarlyExit, ExistingTenants, NamedTenant, Regime, RegimeState, Renewal,
    Segment, Stage, Voucher,
};
use crate::{Batch, Date, Scenario, Workspace};
use proptest::prelude::*;

/// A campus of 100 racks of 10 kW and 2 PFLOPS that are there, and a building of 50 racks.
fn base(months: u32) -> Scenario {
    let mut scenario = Scenario::new("money", Date::month(2025, 1).unwrap(), months);
    scenario.rack_types.push(RackType::new("rack", 10.0));
    scenario
        .generations
        .push(Generation::new("chips", 10.0, "fp16_dense", 2.0));
    let mut building = Building::new("A1");
    building.activities = Some(vec![
        Activity::new("permit", 2.5),
        Activity::new("shell", 3.0),
    ]);
    let mut hall = Hall::new("hall", 50, "rack");
    hall.hardware = Some("chips".to_owned());
    hall.activities = vec![Activity::new("fit-out", 2.0)];
    building.halls = Some(vec![hall]);
    let mut campus = Campus::new("north");
    campus.pue = 1.25.into();
    campus.existing = Some(ExistingCapacity {
        racks: 100,
        rack_type: "rack".to_owned(),
        power_kw: 1_000.0,
        compute_pflops: 200.0,
    });
    campus.buildings.push(building);
    scenario.campuses.push(campus);
    let mut tenants = Segment::new("tenants");
    tenants.contract_power_kw = Some(100.0.into());
    scenario.segments.push(tenants);
    scenario
}

fn with_existing(scenario: &mut Scenario, contracts: u32, kw: f64) {
    scenario.segments[0].existing = Some(ExistingTenants {
        companies_contacted: contracts,
        contracts_signed: contracts,
        leased_power_kw: kw,
        ..ExistingTenants::default()
    });
}

fn trial(scenario: &Scenario, number: u64) -> TrialRow {
    let model = scenario.compile().unwrap();
    let mut row = TrialRow::new(model.layout().clone());
    model.simulate(7, number, &mut Workspace::default(), &mut row);
    row
}

fn month(row: &TrialRow, metric: &str, month: usize) -> f64 {
    row.monthly(0, row.layout().metric_index(metric).unwrap())[month]
}

fn outcome(row: &TrialRow, name: &str) -> f64 {
    row.outcomes()[row.layout().outcome_index(name).unwrap()]
}

fn close(found: f64, expected: f64) {
    // Each of up to two flows is rounded to a hundredth.
    assert!(
        (found - expected).abs() <= 0.0105,
        "{found} instead of {expected}"
    );
}

#[test]
fn capex_falls_due_with_its_milestone() {
    let mut scenario = base(12);
    let mut finance = Finance::new(0.0);
    finance.capex_growth_per_year = 0.06.into();
    finance.contingency_share = 0.1.into();
    let item = |name: &str, each: CapexUnit, when: &str, amount: f64| Capex {
        each,
        when: Some(when.to_owned()),
        ..Capex::new(name, amount)
    };
    finance.capex = vec![
        Capex::new("land", 1_000.0),
        item("design", CapexUnit::Building, "permit", 200.0),
        Capex {
            instalments: 3,
            ..item("shell", CapexUnit::Kw, "shell", 3.0)
        },
        item("racks", CapexUnit::Rack, "fit-out", 4.0),
        item("hall", CapexUnit::Hall, "handover", 7.0),
        item("sign", CapexUnit::Project, "A1/shell", 9.0),
    ];
    scenario.finance = Some(finance);
    let row = trial(&scenario, 0);
    let price = |month: usize| 1.1 * 1.06_f64.powf((month as f64 + 1.0) / 12.0);
    let capex = |at| month(&row, "capex", at);
    close(capex(0), 1_000.0 * price(0));
    // The permit ends at 2.5, in the third month.
    close(capex(2), 200.0 * price(2));
    // The shell at 5.5: 3 x 500 kW in three parts, the last in the sixth month, and the sign.
    close(capex(3), 500.0 * price(3));
    close(capex(5), (500.0 + 9.0) * price(5));
    close(capex(7), (4.0 * 50.0 + 7.0) * price(7));
    close(capex(8), 0.0);
    close(outcome(&row, "profit"), -(0..12).map(capex).sum::<f64>());
}

#[test]
fn hardware_is_paid_for_whenever_it_is_replaced() {
    let mut scenario = base(24);
    let building = &mut scenario.campuses[0].buildings[0];
    for hall in building.halls.iter_mut().flatten() {
        hall.hardware_life_months = Some(6.0.into());
    }
    let mut finance = Finance::new(0.0);
    finance.capex.push(Capex {
        each: CapexUnit::Rack,
        when: Some("delivered".to_owned()),
        ..Capex::new("chips", 2.0)
    });
    scenario.finance = Some(finance);
    let row = trial(&scenario, 0);
    // Ordered when the permit is there, at 2.5; live at 7.5, replaced at 13.5 and 19.5 at the least.
    let paid: Vec<f64> = (0..24)
        .map(|at| month(&row, "capex", at))
        .filter(|paid| *paid > 0.0)
        .collect();
    assert!(paid.len() >= 3, "{paid:?}");
    assert!(paid.iter().all(|paid| *paid == 100.0), "{paid:?}");
    close(month(&row, "capex", 2), 100.0);
}

#[test]
fn running_costs_and_energy_follow_what_is_there() {
    let mut scenario = base(10);
    with_existing(&mut scenario, 4, 400.0);
    scenario.segments[0].draw_share = 0.5.into();
    let mut finance = Finance::new(0.0);
    let item = |name: &str, each: OpexUnit, amount: f64| Opex {
        each,
        ..Opex::new(name, amount)
    };
    finance.opex = vec![
        item("staff", OpexUnit::Campus, 1_200.0),
        item("upkeep", OpexUnit::DeployableKw, 12.0),
        item("service", OpexUnit::InServiceKw, 24.0),
        item("racks", OpexUnit::BuiltRack, 6.0),
    ];
    let mut energy = EnergyTariff::new(0.4);
    energy.demand_charge_per_kw_month = 30.0.into();
    energy.peak_to_mean = 1.2;
    energy.passed_on_share = 0.75;
    finance.energy.push(energy);
    scenario.finance = Some(finance);
    let row = trial(&scenario, 0);
    close(
        month(&row, "opex", 0),
        100.0 + 1_000.0 + 2.0 * 400.0 + 0.5 * 100.0,
    );
    // The hall of 500 kW is handed over after 7.5 months.
    close(
        month(&row, "opex", 8),
        100.0 + 1_500.0 + 2.0 * 400.0 + 0.5 * 150.0,
    );
    // 200 kW of IT are 250 kW of the facility.
    let cost = 250.0 * 730.5 * 0.4 + 1.2 * 250.0 * 30.0;
    close(month(&row, "energy_paid", 3), cost);
    close(month(&row, "energy_passed_on", 3), 0.75 * cost);
    // Take or pay: 60 % of 1,250 kW of contracted power.
    let finance = scenario.finance.as_mut().unwrap();
    finance.energy[0].minimum_take_share = 0.6;
    finance.energy[0].price_per_kwh = None;
    finance.energy[0].times_of_use = [(0.25, 0.2), (0.75, 0.6)]
        .map(|(share, price)| TimeOfUse {
            share,
            price_per_kwh: price.into(),
        })
        .to_vec();
    let row = trial(&scenario, 0);
    let cost = 750.0 * 730.5 * (0.25 * 0.2 + 0.75 * 0.6) + 1.2 * 250.0 * 30.0;
    close(month(&row, "energy_paid", 3), cost);
}

#[test]
fn tenants_pay_for_power_and_for_compute() {
    let mut scenario = base(24);
    with_existing(&mut scenario, 4, 400.0);
    let mut finance = Finance::new(0.0);
    finance.prices.push(Price {
        per_kw_month: 100.0.into(),
        rent_growth_per_year: 0.03.into(),
        per_pflops_hour: 5.0.into(),
        compute_growth_per_year: (-0.3).into(),
        ..Price::new("tenants")
    });
    scenario.finance = Some(finance);
    let row = trial(&scenario, 0);
    let years = 12.0 / 12.0;
    let expected = 400.0 * 100.0 * 1.03_f64.powf(years) + 80.0 * 730.5 * 5.0 * 0.7_f64.powf(years);
    close(month(&row, "revenue", 11), expected);
    close(month(&row, "revenue from tenants", 11), expected);
}

#[test]
fn a_minimum_is_paid_during_the_ramp_and_rents_can_be_fixed() {
    let mut scenario = base(30);
    scenario.segments[0].ramp_months = 5.0.into();
    scenario.segments[0].minimum_take_share = 0.5.into();
    let mut anchor = NamedTenant::new("cloud", "tenants", Date::month(2025, 7).unwrap());
    anchor.contract_power_kw = Some(500.0.into());
    anchor.signed = Some(Date::month(2025, 4).unwrap());
    scenario.tenants.push(anchor);
    let mut finance = Finance::new(0.0);
    finance.prices.push(Price {
        per_kw_month: 100.0.into(),
        rent_growth_per_year: 0.12.into(),
        ..Price::new("tenants")
    });
    scenario.finance = Some(finance);
    let market = |month: usize| 100.0 * 1.12_f64.powf((month as f64 + 1.0) / 12.0);
    let row = trial(&scenario, 0);
    for (at, kw) in [
        (5, 0.0),
        (6, 250.0),
        (7, 250.0),
        (8, 300.0),
        (9, 400.0),
        (10, 500.0),
        (29, 500.0),
    ] {
        close(month(&row, "revenue", at), kw * market(at));
    }
    let price = &mut scenario.finance.as_mut().unwrap().prices[0];
    price.fixed_at_signature = true;
    price.indexation_per_year = 0.02.into();
    let row = trial(&scenario, 0);
    // Signed in the fourth month, month 3.
    for (at, kw) in [(6, 250.0), (9, 400.0), (29, 500.0)] {
        let rent = market(3) * 1.02_f64.powf((at - 3) as f64 / 12.0);
        close(month(&row, "revenue", at), kw * rent);
    }
    // In a market that changes the fixed rent keeps the state of its signature; the other follows.
    let state = |name: &str, price: f64| RegimeState {
        name: name.to_owned(),
        mean_months: Some(4.0.into()),
        then: Vec::new(),
        outreach_factor: 1.0.into(),
        sign_factor: 1.0.into(),
        price_factor: price.into(),
    };
    scenario.regimes.push(Regime {
        name: "market".to_owned(),
        segments: Vec::new(),
        states: vec![state("normal", 1.0), state("boom", 2.0)],
    });
    let price = &mut scenario.finance.as_mut().unwrap().prices[0];
    price.rent_growth_per_year = 0.0.into();
    price.indexation_per_year = 0.0.into();
    let mut signed_in = [false; 2];
    for number in 0..20 {
        let row = trial(&scenario, number);
        let first = month(&row, "revenue", 10);
        signed_in[usize::from(first > 75_000.0)] = true;
        assert!((10..30).all(|at| month(&row, "revenue", at) == first));
    }
    assert_eq!(signed_in, [true, true]);
    scenario.finance.as_mut().unwrap().prices[0].fixed_at_signature = false;
    let row = trial(&scenario, 0);
    let rents = (10..30).map(|at| month(&row, "revenue", at));
    assert!(rents.clone().any(|rent| rent == 50_000.0));
    assert!(rents.clone().any(|rent| rent == 100_000.0));
}

#[test]
fn amounts_beyond_all_bounds_stay_at_the_bound() {
    let mut scenario = base(12);
    with_existing(&mut scenario, 12, 1_000.0);
    let mut finance = Finance::new(0.0);
    for name in ["land", "shell"] {
        finance.capex.push(Capex::new(name, 9e16));
    }
    finance.opex.push(Opex {
        each: OpexUnit::Capex,
        ..Opex::new("upkeep", 0.5)
    });
    finance.prices.push(Price {
        per_kw_month: 1e18.into(),
        ..Price::new("tenants")
    });
    finance.tax = Some(Tax {
        revenue_share: 0.5,
        ..Tax::default()
    });
    scenario.finance = Some(finance);
    let row = trial(&scenario, 0);
    let bound = i64::MAX as f64 / 100.0;
    let cash = (0..12).map(|at| month(&row, "cash_flow", at));
    assert!(cash.clone().all(|cash| cash.abs() <= bound));
    assert!((0..12).any(|at| month(&row, "capex", at) == bound));
}

#[test]
fn late_capacity_costs_damages_and_early_exits_pay() {
    let mut scenario = base(12);
    with_existing(&mut scenario, 12, 1_200.0);
    scenario.segments[0].damages = Some(Damages {
        per_kw_month: 20.0.into(),
        grace_months: 2,
        most_months: Some(4),
    });
    scenario.finance = Some(Finance::new(0.0));
    let row = trial(&scenario, 0);
    // 200 kW wait for the hall of the eighth month, and are paid for in the months 2 to 5 alone.
    for (at, kw) in [(1, 0.0), (2, 200.0), (5, 200.0), (6, 0.0), (11, 0.0)] {
        close(month(&row, "damages", at), 20.0 * kw);
    }
    close(outcome(&row, "damages_total"), 4.0 * 4_000.0);
    scenario.segments[0].damages = None;
    scenario.segments[0].term_months = 60.0.into();
    scenario.segments[0].renewal = Some(Renewal {
        probability: 0.0.into(),
        term_months: None,
    });
    scenario.segments[0].early_exit = Some(EarlyExit {
        exit_probability: 1.0.into(),
        fee_months: 3.0.into(),
    });
    let mut price = Price::new("tenants");
    price.per_kw_month = 10.0.into();
    scenario.finance.as_mut().unwrap().prices.push(price);
    let row = trial(&scenario, 0);
    // The thousand kW that found room leave after a month.
    close(month(&row, "revenue", 0), 10_000.0);
    close(month(&row, "fees", 1), 3.0 * 10.0 * 1_000.0);
    let price = &mut scenario.finance.as_mut().unwrap().prices[0];
    price.rent_growth_per_year = 0.1.into();
    let row = trial(&scenario, 0);
    // The rent at the end of the month in which they leave, for each of ten contracts in hundredths.
    let rent = 10.0 * 1.1_f64.powf(2.0 / 12.0);
    let fee = (3.0 * rent * 100.0 * 100.0).round() / 100.0;
    close(month(&row, "fees", 1), 10.0 * fee);
}

#[test]
fn profit_is_taxed_after_losses_and_holidays() {
    let mut scenario = base(60);
    with_existing(&mut scenario, 10, 1_000.0);
    let mut finance = Finance::new(0.0);
    finance.capex.push(Capex {
        life_months: 24.0,
        ..Capex::new("all", 24_000.0)
    });
    let mut price = Price::new("tenants");
    price.per_kw_month = 1.5.into();
    finance.prices.push(price);
    finance.opex.push(Opex::new("staff", 9_600.0));
    finance.tax = Some(Tax {
        profit_share: 0.25,
        ..Tax::default()
    });
    scenario.finance = Some(finance);
    let row = trial(&scenario, 0);
    // 700 a month before depreciation of 1,000 a month from the second month on for two years.
    let years = [
        8_400.0 - 11_000.0,
        8_400.0 - 12_000.0,
        8_400.0 - 1_000.0,
        8_400.0,
        8_400.0,
    ];
    close(month(&row, "tax", 11), 0.0);
    close(month(&row, "tax", 23), 0.0);
    let used = years[0] + years[1];
    close(month(&row, "tax", 35), 0.25 * (years[2] + used));
    close(month(&row, "tax", 47), 0.25 * years[3]);
    // Losses of the first year cannot be used two years later; then a free year and one at half.
    let tax = scenario.finance.as_mut().unwrap().tax.as_mut().unwrap();
    (tax.loss_years, tax.free_years, tax.half_rate_years) = (Some(1), 1, 1);
    tax.revenue_share = 0.1;
    let row = trial(&scenario, 0);
    close(month(&row, "tax", 30), 150.0);
    close(month(&row, "tax", 35), 150.0);
    let profit = 8_400.0 - 12.0 * 150.0;
    close(month(&row, "tax", 47), 150.0 + 0.125 * profit);
    close(month(&row, "tax", 59), 150.0 + 0.25 * profit);
}

#[test]
fn what_is_left_has_its_book_value_and_the_outcomes_follow() {
    let mut scenario = base(24);
    with_existing(&mut scenario, 10, 1_000.0);
    let mut finance = Finance::new(0.09);
    finance.capex.push(Capex {
        life_months: 92.0,
        ..Capex::new("all", 92_000.0)
    });
    finance.residual_share = 0.5.into();
    let mut price = Price::new("tenants");
    price.per_kw_month = 10.0.into();
    finance.prices.push(price);
    finance.opex.push(Opex::new("staff", 12_000.0));
    scenario.finance = Some(finance);
    let row = trial(&scenario, 0);
    // 23 of 92 months are over since its payment.
    close(month(&row, "residual_value", 23), 0.5 * 92_000.0 * 0.75);
    let mut flows = vec![9_000.0; 24];
    flows[0] -= 92_000.0;
    flows[23] += 34_500.0;
    let npv = net_present_value(&flows, 0.09);
    assert!((outcome(&row, "npv") - npv).abs() < 0.01);
    assert_eq!(outcome(&row, "irr_roots"), 1.0);
    assert!(net_present_value(&flows, outcome(&row, "irr_per_year")).abs() < 1e-3);
    close(outcome(&row, "peak_funding"), 83_000.0);
    assert_eq!(outcome(&row, "payback_months"), 11.0);
    // 200 PFLOPS for two years, in present values an annuity.
    let annuity = annuity_factor(1.09_f64.powf(1.0 / 12.0) - 1.0, 24);
    let costs = 92_000.0 * discount_factor(0.09, 0) + 1_000.0 * annuity
        - 34_500.0 * discount_factor(0.09, 23);
    let levelised = costs / (200.0 * 730.5 * annuity);
    assert!((outcome(&row, "levelised_cost_per_pflops_hour") / levelised - 1.0).abs() < 1e-6);
}

/// The pump of Lorie & Savage (1955) as a campus: 1,600 for land, a tenant that pays 10,000 for its
/// only month a year later, 10,000 for the shell another year later. Its rates are 25 % and 400 %.
#[test]
fn a_rate_of_return_that_is_not_single_is_reported_as_such() {
    let mut scenario = base(30);
    let activities = scenario.campuses[0].buildings[0].activities.as_mut();
    activities.unwrap()[0].duration_months = 21.5.into();
    let mut tenant = NamedTenant::new("guest", "tenants", Date::month(2026, 1).unwrap());
    tenant.term_months = Some(1.0.into());
    scenario.tenants.push(tenant);
    scenario.segments[0].renewal = Some(Renewal {
        probability: 0.0.into(),
        term_months: None,
    });
    let mut finance = Finance::new(0.25);
    finance.capex = vec![
        Capex::new("land", 1_600.0),
        Capex {
            when: Some("A1/shell".to_owned()),
            ..Capex::new("shell", 10_000.0)
        },
    ];
    finance.prices.push(Price {
        per_kw_month: 100.0.into(),
        ..Price::new("tenants")
    });
    scenario.finance = Some(finance);
    let row = trial(&scenario, 0);
    for (at, flow) in [(0, -1_600.0), (12, 10_000.0), (13, 0.0), (24, -10_000.0)] {
        close(month(&row, "cash_flow", at), flow);
    }
    assert_eq!(outcome(&row, "irr_roots"), 2.0);
    assert!(outcome(&row, "irr_per_year").is_nan());
    // At one of the two rates the present value is 0.
    assert!(outcome(&row, "npv").abs() < 1e-6);
    assert_eq!(outcome(&row, "payback_months"), f64::INFINITY);
}

fn paid_down(amount: f64, forfeited_share: f64) -> Stage {
    Stage {
        deposit: Some(Deposit {
            amount: amount.into(),
            forfeited_share: forfeited_share.into(),
        }),
        ..Stage::new("deposit", 0.6, 1.5)
    }
}

/// Deposits held are those of the companies at the stage, in every month; what is not paid back
/// is a fee.
#[test]
fn deposits_are_held_until_companies_decide() {
    let mut scenario = base(36);
    let tenants = &mut scenario.segments[0];
    tenants.outreach_per_month = 6.0.into();
    tenants.sign_probability = 0.5.into();
    tenants.sign_lag_months = 4.0.into();
    tenants.stages = vec![paid_down(800.0, 0.25)];
    // Without the stage in question nobody pays, so that all who decline after it can be counted.
    tenants.stages[0].reach_probability = 1.0.into();
    scenario.finance = Some(Finance::new(0.05));
    for number in 0..20 {
        let row = trial(&scenario, number);
        let (mut held, mut fees) = (0.0, 0.0);
        for at in 0..36 {
            held += month(&row, "deposits", at);
            fees += month(&row, "fees", at);
            let companies = month(&row, "companies at stage deposit", at);
            assert_eq!(held, 800.0 * companies, "{number} {at}");
            let declined = month(&row, "companies_declined", at);
            assert_eq!(fees, 200.0 * declined, "{number} {at}");
        }
        // Fees are income, deposits are a debt: the cash is both, and there is nothing else.
        assert!(fees > 0.0 && held > 0.0);
        assert_eq!(outcome(&row, "profit"), held + fees);
    }
    // What is forfeited is taxed, what is held is not.
    scenario.finance.as_mut().unwrap().tax = Some(Tax {
        profit_share: 0.5,
        ..Tax::default()
    });
    let row = trial(&scenario, 3);
    let sum = |name: &str| (0..36).map(|at| month(&row, name, at)).sum::<f64>();
    close(sum("tax"), 0.5 * sum("fees"));
}

/// Taxes, land and permits as levers of policy leave them, against the same without.
#[test]
fn levers_change_taxes_land_and_permits_while_they_are_on() {
    use crate::policy::{FasterApprovals, LandTerms, Lever};
    let mut scenario = base(24);
    with_existing(&mut scenario, 10, 1_000.0);
    scenario
        .milestones
        .push(crate::scenario::Milestone::new("shell", ["A1/shell"]));
    let mut finance = Finance::new(0.0);
    finance.capex = vec![Capex::new("land", 1_000.0), Capex::new("road", 50.0)];
    finance.prices.push(Price {
        per_kw_month: 10.0.into(),
        ..Price::new("tenants")
    });
    finance.tax = Some(Tax {
        revenue_share: 0.10,
        ..Tax::default()
    });
    scenario.finance = Some(finance);
    let lever = |name: &str| Lever::new(name, "assumption");
    scenario.levers = vec![
        Lever {
            approvals: Some(FasterApprovals {
                activities: vec!["*/permit".to_owned()],
                duration_factor: 0.6.into(),
            }),
            ..lever("approvals")
        },
        Lever {
            land: Some(LandTerms {
                capex: vec!["land".to_owned()],
                amount_factor: 0.25.into(),
            }),
            ..lever("land")
        },
        Lever {
            tax: Some(Tax {
                revenue_share: 0.04,
                ..Tax::default()
            }),
            ..lever("tax")
        },
    ];
    let names: Vec<(&str, bool)> = scenario.lever_states().collect();
    assert_eq!(names, [("approvals", true), ("land", true), ("tax", true)]);
    let look = |is_on: &dyn Fn(&str) -> bool| {
        let row = trial(&scenario.with_levers(is_on), 0);
        let sum = |name: &str| (0..24).map(|at| month(&row, name, at)).sum::<f64>();
        (row.milestones()[0], sum("capex"), sum("tax"))
    };
    // 10 contracts of 100 kW pay 10 a kW from the first month on: 240,000, taxed as it comes.
    let (shell, capex, tax) = look(&|_| false);
    close(shell, 5.5);
    close(capex, 1_050.0);
    close(tax, 24_000.0);
    let (shell, capex, tax) = look(&|name| name == "approvals");
    close(shell, 0.6 * 2.5 + 3.0);
    close(capex, 1_050.0);
    close(tax, 24_000.0);
    let (shell, capex, tax) = look(&|name| name == "land");
    close(shell, 5.5);
    close(capex, 300.0);
    close(tax, 24_000.0);
    let (shell, capex, tax) = look(&|_| true);
    close(shell, 4.5);
    close(capex, 300.0);
    close(tax, 9_600.0);
    // A lever that is off leaves no trace.
    let mut bare = scenario.clone();
    bare.levers.clear();
    let off = scenario.with_levers(|_| false);
    // As text, since what does not exist is NaN, which equals nothing.
    let row = |scenario: &Scenario| format!("{:?}", trial(scenario, 5));
    assert!(row(&bare) == row(&off));
}

#[test]
fn mistakes_in_levers_are_reported_where_they_are() {
    use crate::policy::{FasterApprovals, LandTerms, Lever, SigningTerms};
    let mut scenario = base(6);
    scenario.vouchers.push(Voucher::new("vouchers", 1.0, 1.0));
    scenario.levers = vec![
        Lever::new("vouchers", " "),
        Lever {
            approvals: Some(FasterApprovals {
                activities: vec!["*/permits".to_owned()],
                duration_factor: 0.5.into(),
            }),
            land: Some(LandTerms {
                capex: vec!["land".to_owned()],
                amount_factor: (-1.0).into(),
            }),
            tax: Some(Tax::default()),
            signing: Some(SigningTerms {
                segments: vec!["tenant".to_owned()],
                starts: None,
                duration_months: Some(0),
                outreach_factor: 1.0.into(),
                sign_factor: 1.0.into(),
            }),
            ..Lever::new("all", "assumption")
        },
    ];
    let text = scenario.check().to_string();
    for wanted in [
        "lever \"vouchers\" does not say where its effects come from",
        "lever \"vouchers\" does nothing",
        "\"vouchers\" is the name of a voucher",
        "there is no one activity or grid step \"*/permits\"",
        "there is no capex \"land\"",
        "levers[1].land.amount_factor",
        "there is nothing to tax",
        "there is no segment \"tenant\"",
        "duration_months is 0",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn what_does_not_exist_is_no_number() {
    let mut scenario = base(6);
    scenario.finance = Some(Finance::new(0.1));
    let row = trial(&scenario, 0);
    assert_eq!(outcome(&row, "npv"), 0.0);
    assert!(outcome(&row, "irr_per_year").is_nan());
    assert_eq!(outcome(&row, "irr_roots"), 0.0);
    assert!(outcome(&row, "levelised_cost_per_pflops_hour").is_nan());
}

#[test]
fn mistakes_are_reported_where_they_are() {
    let mut scenario = base(6);
    let mut finance = Finance::new(f64::NAN);
    finance.capex.push(Capex {
        each: CapexUnit::Kw,
        when: Some("roof".to_owned()),
        ..Capex::new("roof", 1.0)
    });
    finance.prices.push(Price::new("tenant"));
    scenario.finance = Some(finance);
    let text = scenario.check().to_string();
    assert!(text.contains("discount_rate_per_year is NaN"), "{text}");
    assert!(text.contains("did you mean \"tenants\"?"), "{text}");
    let finance = scenario.finance.as_mut().unwrap();
    finance.discount_rate_per_year = 0.1;
    finance.prices.clear();
    let text = scenario.check().to_string();
    assert!(text.contains("there is no \"roof\""), "{text}");
    let finance = scenario.finance.as_mut().unwrap();
    finance.capex[0] = Capex::new("roof", 1.0);
    finance.capex[0].each = CapexUnit::Building;
    finance.capex[0].when = Some("shell".to_owned());
    finance.capex[0].buildings = vec!["A2".to_owned()];
    let text = scenario.check().to_string();
    assert!(text.contains("no building or template \"A2\""), "{text}");
    let finance = scenario.finance.as_mut().unwrap();
    let mut opex = Opex::new("guards", -1.0);
    opex.campus = Some("nort".to_owned());
    finance.opex.push(opex);
    let text = scenario.check().to_string();
    for part in ["did you mean \"north\"?", "amount_per_year is -1"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_tariff_has_a_price_if_it_states_one_or_how_much_is_paid_for() {
    let mut tariff = EnergyTariff::new(0.05);
    assert!(tariff.has_price());
    tariff.price_per_kwh = None;
    assert!(!tariff.has_price());
    tariff.minimum_take_share = 0.5;
    assert!(tariff.has_price());
}

/// 1,200 in month 0 over 2.5 months, which end in the third: 400 a month, and none of it is left after these.
#[test]
fn assets_are_written_off_from_the_month_after_their_payment() {
    for months in [12, 3] {
        let mut scenario = base(months);
        with_existing(&mut scenario, 1, 100.0);
        let mut finance = Finance::new(0.0);
        let mut price = Price::new("tenants");
        price.per_kw_month = 6.0.into();
        finance.prices.push(price);
        finance.capex.push(Capex {
            each: CapexUnit::Project,
            life_months: 2.5,
            ..Capex::new("fence", 1_200.0)
        });
        finance.tax = Some(Tax {
            profit_share: 0.5,
            ..Tax::new()
        });
        scenario.finance = Some(finance);
        let row = trial(&scenario, 0);
        let paid: f64 = (0..months as usize).map(|at| month(&row, "tax", at)).sum();
        // 600 a month, less what is written off in the first year.
        let written_off = f64::min(1_200.0, 400.0 * (f64::from(months) - 1.0));
        close(paid, 0.5 * (600.0 * f64::from(months) - written_off));
    }
}

/// Two campuses with everything that has a price.
fn rich() -> Scenario {
    let mut scenario = base(48);
    let mut south = scenario.campuses[0].clone();
    south.name = "south".to_owned();
    scenario.campuses.push(south);
    let tenants = &mut scenario.segments[0];
    tenants.outreach_per_month = 3.0.into();
    tenants.contract_power_kw = Some(crate::Uncertain::lognormal(60.0, 0.9));
    tenants.term_months = 12.0.into();
    tenants.ramp_months = 3.0.into();
    tenants.minimum_take_share = 0.4.into();
    tenants.renewal = Some(Renewal {
        probability: 0.6.into(),
        term_months: None,
    });
    tenants.early_exit = Some(EarlyExit {
        exit_probability: 0.02.into(),
        fee_months: 3.0.into(),
    });
    tenants.damages = Some(Damages {
        per_kw_month: 33.333.into(),
        grace_months: 1,
        most_months: None,
    });
    let mut pooled = Segment::new("small");
    pooled.outreach_per_month = 5.0.into();
    pooled.contract_power_kw = Some(3.0.into());
    pooled.allocation = crate::tenants::Allocation::Pooled;
    scenario.segments.push(pooled);
    scenario.vouchers.push(Voucher {
        is_paid_by_operator: true,
        sign_factor: 1.2.into(),
        ..Voucher::new("vouchers", 5_000.0, 12.345)
    });
    let state = |name: &str, factor: f64| RegimeState {
        name: name.to_owned(),
        mean_months: Some(8.0.into()),
        then: Vec::new(),
        outreach_factor: factor.into(),
        sign_factor: 1.0.into(),
        price_factor: factor.into(),
    };
    scenario.regimes.push(Regime {
        name: "market".to_owned(),
        segments: Vec::new(),
        states: vec![state("normal", 1.0), state("boom", 1.37)],
    });
    let mut finance = Finance::new(0.08);
    finance.contingency_share = crate::Uncertain::uniform(0.0, 0.3);
    for (name, each, when) in [
        ("shell", CapexUnit::Kw, "shell"),
        ("racks", CapexUnit::Rack, "delivered"),
    ] {
        finance.capex.push(Capex {
            each,
            when: Some(when.to_owned()),
            instalments: 3,
            ..Capex::new(name, 1_234.567)
        });
    }
    finance.opex.push(Opex {
        each: OpexUnit::Capex,
        ..Opex::new("upkeep", 0.0217)
    });
    finance.energy.push(EnergyTariff {
        passed_on_share: 1.0 / 3.0,
        ..EnergyTariff::new(0.4321)
    });
    for segment in ["tenants", "small"] {
        finance.prices.push(Price {
            per_kw_month: 99.99.into(),
            per_pflops_hour: 1.777.into(),
            discount_per_year_of_age: 0.2.into(),
            fixed_at_signature: segment == "tenants",
            ..Price::new(segment)
        });
    }
    finance.tax = Some(Tax {
        profit_share: 0.25,
        revenue_share: 0.0067,
        ..Tax::default()
    });
    finance.residual_share = 0.3.into();
    scenario.finance = Some(finance);
    scenario
}

/// Rich scenarios of random amounts, without some of their parts.
fn any_rich() -> impl Strategy<Value = (Scenario, bool)> {
    let parts = prop::collection::vec(prop::bool::weighted(0.8), 8);
    let numbers = (
        0.1..3.0_f64,
        1..9_u32,
        10.0..2_000.0_f64,
        -0.3..0.4_f64,
        1..70_u32,
    );
    (parts, numbers).prop_map(|(has, (scale, instalments, deposit, growth, months))| {
        let mut scenario = rich();
        let has_all = has.iter().all(|part| *part);
        if !has_all {
            scenario.horizon_months = months;
        }
        let tenants = &mut scenario.segments[0];
        tenants.outreach_per_month = (3.0 * scale).into();
        if has[0] {
            tenants.stages = vec![paid_down(deposit, 0.333), Stage::new("talks", 0.9, 0.7)];
        }
        if !has[1] {
            (tenants.early_exit, tenants.renewal, tenants.damages) = (None, None, None);
        }
        if !has[2] {
            scenario.segments[1].allocation = crate::tenants::Allocation::Cohort;
        }
        scenario.vouchers[0].is_off = !has[3];
        if !has[4] {
            scenario.regimes.clear();
        }
        let finance = scenario.finance.as_mut().unwrap();
        for capex in &mut finance.capex {
            capex.instalments = instalments;
            if !has_all {
                capex.life_months = f64::from(months);
            }
        }
        finance.opex_growth_per_year = growth.into();
        finance.energy[0].growth_per_year = growth.into();
        for price in &mut finance.prices {
            price.rent_growth_per_year = growth.into();
            price.per_kw_month = (33.333 * scale).into();
        }
        if !has[5] {
            finance.tax = None;
        }
        if !has[6] {
            finance.energy.clear();
        }
        if !has[7] {
            finance.residual_share = 0.0.into();
        }
        (scenario, has_all && scale > 0.8)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// In every trial of any scenario the flows by kind sum to the cash flow, campuses to the
    /// total, segments to the revenue: to the hundredth.
    #[test]
    fn money_adds_up((scenario, is_whole) in any_rich(), number in 0..1_000_000_u64) {
        let row = trial(&scenario, number);
        let layout = row.layout().clone();
        let hundredths = |scope: usize, metric: &str, month: usize| {
            let value = row.monthly(scope, layout.metric_index(metric).unwrap())[month] * 100.0;
            assert!((value - value.round()).abs() < 1e-3, "{metric} is {value} hundredths");
            value.round() as i64
        };
        let incomes = ["revenue", "energy_passed_on", "fees", "deposits", "residual_value"];
        let expenses = ["capex", "opex", "energy_paid", "damages", "vouchers_paid", "tax"];
        prop_assert_eq!(incomes.len() + expenses.len(), Money::KINDS);
        let mut seen = [false; 11];
        for scope in 0..layout.scopes.len() {
            let mut cumulated = 0;
            for month in 0..layout.months {
                let mut cash = 0;
                for (place, kind) in incomes.iter().enumerate() {
                    let flow = hundredths(scope, kind, month);
                    cash += flow;
                    seen[place] |= flow != 0;
                }
                for (place, kind) in expenses.iter().enumerate() {
                    let flow = hundredths(scope, kind, month);
                    prop_assert!(flow >= 0, "{} is {}", kind, flow);
                    cash -= flow;
                    seen[incomes.len() + place] |= flow != 0;
                }
                cumulated += cash;
                prop_assert_eq!(cash, hundredths(scope, "cash_flow", month));
                prop_assert_eq!(cumulated, hundredths(scope, "cumulated_cash", month));
                let revenue = hundredths(scope, "revenue", month);
                let parts = hundredths(scope, "revenue from tenants", month)
                    + hundredths(scope, "revenue from small", month);
                prop_assert_eq!(revenue, parts);
                if scope == 0 {
                    for kind in incomes.iter().chain(&expenses).chain(&["cash_flow"]) {
                        let campuses = hundredths(1, kind, month) + hundredths(2, kind, month);
                        prop_assert_eq!(hundredths(0, kind, month), campuses);
                    }
                }
            }
        }
        // Every kind of flow but fees, damages and taxes, which may not occur in a trial, is present.
        for spared in [2, 8, 10] {
            seen[spared] = true;
        }
        prop_assert!(!is_whole || seen.iter().all(|kind| *kind), "{:?}", seen);
    }
}

#[test]
fn the_bad_end_of_values() {
    let mut scenario = base(12);
    let mut finance = Finance::new(0.0);
    // Minus a uniform amount: a loss for sure, and the worst tenth is 950 in the mean.
    finance
        .capex
        .push(Capex::new("all", crate::Uncertain::uniform(0.0, 1_000.0)));
    scenario.finance = Some(finance);
    let projection = Batch::new(&scenario.compile().unwrap())
        .trials(4_000)
        .seed(2)
        .run()
        .unwrap();
    let npv = projection.outcome("npv").unwrap();
    assert_eq!(probability_of_loss(npv), Some(1.0));
    let worst = conditional_value_at_risk(npv, 0.1).unwrap();
    // A standard error of some 29/sqrt(400) and what the tenth itself errs, 4.7.
    assert!((worst + 950.0).abs() < 25.0, "{worst}");
    let all = conditional_value_at_risk(npv, 1.0).unwrap();
    assert!((all - npv.mean().unwrap()).abs() < 1.0);
    assert_eq!(conditional_value_at_risk(npv, 0.0), None);
}
