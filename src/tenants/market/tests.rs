//! The market against closed forms, and its terms against what they say.

use super::*;
use crate::Date;
use crate::projection::{Projection, TrialRow};
use crate::site::{Campus, ExistingCapacity};
use crate::tenants::*;
use crate::{Batch, Model, Scenario, Workspace, compute::RackType};
use proptest::prelude::*;

mod cohorts;
mod funnel;
mod reference;

const RACK_KW: f64 = 10.0;

/// A campus of this many racks of 10 kW that are there from the beginning.
fn campus(name: &str, racks: u32) -> Campus {
    let mut campus = Campus::new(name);
    campus.existing = Some(ExistingCapacity {
        racks,
        rack_type: "rack".to_owned(),
        power_kw: f64::from(racks) * RACK_KW,
        compute_pflops: f64::from(racks),
    });
    campus
}

fn scenario(racks: u32, months: u32, segment: Segment) -> Scenario {
    let mut scenario = Scenario::new("market", Date::month(2025, 1).unwrap(), months);
    scenario.rack_types.push(RackType::new("rack", RACK_KW));
    scenario.campuses.push(campus("north", racks));
    scenario.segments.push(segment);
    scenario
}

/// Tenants of one rack each.
fn segment(per_month: f64) -> Segment {
    let mut segment = Segment::new("tenants");
    segment.outreach_per_month = per_month.into();
    segment.contract_power_kw = Some(RACK_KW.into());
    segment
}

fn run(scenario: &Scenario, trials: u64) -> Projection {
    let model = scenario.compile().unwrap();
    Batch::new(&model)
        .trials(trials)
        .seed(11)
        .threads(1)
        .run()
        .unwrap()
}

fn trial(model: &Model, number: u64, workspace: &mut Workspace) -> TrialRow {
    let mut row = TrialRow::new(model.layout().clone());
    model.simulate(5, number, workspace, &mut row);
    row
}

fn value(row: &TrialRow, metric: &str, month: usize) -> f64 {
    row.monthly(0, row.layout().metric_index(metric).unwrap())[month]
}

/// M/G/infinity in months: those in service at the end of month t are Poisson distributed with the
/// mean lambda x sum over a from 0 to t of P(stay > a) (Takács, Introduction to the Theory of
/// Queues, 1962), here with a term of 6 months and then a churn of 5 % a month.
#[test]
#[ignore = "slow"]
fn unlimited_capacity_is_m_g_infinity() {
    let (rate, churn) = (8.0, 0.05_f64);
    let mut tenants = segment(rate);
    tenants.term_months = 6.0.into();
    tenants.churn_per_month = churn.into();
    let trials = 4_000;
    let projection = run(&scenario(100_000, 120, tenants), trials);
    let metric = projection.metric("contracts_in_service").unwrap();
    let stays = |age: i32| {
        if age <= 6 {
            1.0
        } else {
            (1.0 - churn).powi(age - 6)
        }
    };
    let mut expected = 0.0;
    for month in 0..120 {
        expected += rate * stays(month);
        if ![0, 5, 20, 119].contains(&month) {
            continue;
        }
        let found = metric.month(month as usize).unwrap();
        // Five standard errors of the mean sqrt(m/n), and of the variance of a Poisson variable,
        // sqrt((2 m^2 + m)/n).
        let n = trials as f64;
        let error = (expected / n).sqrt();
        assert!(
            (found.mean().unwrap() - expected).abs() < 5.0 * error,
            "{month}"
        );
        let variance = found.std_dev().unwrap().powi(2);
        let error = ((2.0 * expected * expected + expected) / n).sqrt();
        assert!((variance - expected).abs() < 5.0 * error, "{month}");
    }
    // The steady state: lambda x mean stay, 6 + 1/churn.
    assert!((expected - rate * (6.0 + 1.0 / churn)).abs() < 0.7);
}

/// A queue of this many servers in months: departures are binomial with the churn, then arrivals are
/// Poisson with the rate. The steady state, by iteration: how many are lost a month if whoever finds
/// no server is, and else how many wait in the mean.
fn monthly_queue(rate: f64, churn: f64, servers: usize, loses: bool) -> f64 {
    const STATES: usize = 120;
    let poisson: Vec<f64> = std::iter::successors(Some((0, (-rate).exp())), |(n, p)| {
        Some((n + 1, p * rate / f64::from(n + 1)))
    })
    .map(|(_, p): (i32, f64)| p)
    .take(9)
    .collect();
    let choose = |n: usize, k: usize| {
        (0..k)
            .map(|i| (n - i) as f64 / (i + 1) as f64)
            .product::<f64>()
    };
    let mut states = vec![0.0; STATES];
    states[0] = 1.0;
    let mut before = f64::NAN;
    loop {
        // 50 months at once, so that slow changes are detected.
        let mut found = 0.0;
        for _ in 0..50 {
            let mut next = vec![0.0; STATES];
            found = 0.0;
            for (n, &p) in states.iter().enumerate().filter(|(_, p)| **p > 1e-15) {
                let busy = n.min(servers);
                for gone in 0..=busy {
                    let leave = choose(busy, gone)
                        * churn.powi(gone as i32)
                        * (1.0 - churn).powi((busy - gone) as i32);
                    for (new, arrive) in poisson.iter().enumerate() {
                        let p = p * leave * arrive;
                        let there = n - gone + new;
                        let over = there.saturating_sub(servers);
                        found += p * over as f64;
                        let stay = if loses { there - over } else { there };
                        next[stay.min(STATES - 1)] += p;
                    }
                }
            }
            states = next;
        }
        if (found - before).abs() < 1e-9 {
            return found;
        }
        before = found;
    }
}

/// The mean over trials of a number of each, and its standard error.
fn mean_of_trials(
    scenario: &Scenario,
    trials: u64,
    number: impl Fn(&TrialRow) -> f64,
) -> (f64, f64) {
    let model = scenario.compile().unwrap();
    let mut workspace = Workspace::default();
    let numbers: Vec<f64> = (0..trials)
        .map(|one| number(&trial(&model, one, &mut workspace)))
        .collect();
    let n = trials as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// Erlang's loss formula B = (a^c/c!) / sum of a^k/k!, with an offered load a of 2 on 3 servers:
/// (8/6)/(1 + 2 + 2 + 8/6) = 4/19. It is for continuous time, to which months come as near as the
/// rates are small.
#[test]
fn without_patience_it_is_a_loss_system() {
    let (rate, churn) = (0.04, 0.02);
    let erlang = 4.0 / 19.0;
    let months = |fine: f64| monthly_queue(rate * fine, churn * fine, 3, true) / (rate * fine);
    assert!((months(1.0) / erlang - 1.0).abs() < 2.0 * churn);
    assert!((months(0.05) / erlang - 1.0).abs() < 0.1 * churn);
    let mut tenants = segment(rate);
    tenants.churn_per_month = churn.into();
    tenants.patience_months = Some(0.0.into());
    tenants.allocation = Allocation::FirstComeWhole;
    let lost =
        |row: &TrialRow| value(row, "contracts_lost", 599) - value(row, "contracts_lost", 199);
    let (lost, error) = mean_of_trials(&scenario(3, 600, tenants), 1_500, lost);
    // Steady after 200 months: the time that it takes to forget is 1/(rate + churn), 17 months.
    let expected = 400.0 * rate * months(1.0);
    assert!(
        (lost - expected).abs() < 4.0 * error,
        "{lost} {expected} {error}"
    );
    assert!(error < 0.03 * expected);
}

/// M/M/c with an offered load of 2 on 3 servers: Erlang's C is 4/9, and C a/(c - a) = 8/9 wait in the
/// mean. Months come as near to it as the rates are small.
#[test]
#[ignore = "slow"]
fn with_patience_it_is_a_waiting_system() {
    let (rate, churn) = (0.08, 0.04);
    let erlang = 8.0 / 9.0;
    let months = |fine: f64| monthly_queue(rate * fine, churn * fine, 3, false);
    assert!((months(1.0) / erlang - 1.0).abs() < 2.0 * churn);
    assert!((months(0.1) / erlang - 1.0).abs() < 0.2 * churn);
    let mut tenants = segment(rate);
    tenants.churn_per_month = churn.into();
    tenants.allocation = Allocation::FirstComeWhole;
    let waiting = |row: &TrialRow| {
        let metric = row.layout().metric_index("waiting_demand_mw").unwrap();
        let waiting = &row.monthly(0, metric)[500..];
        waiting.iter().sum::<f64>() / waiting.len() as f64 * 1_000.0 / RACK_KW
    };
    let (waiting, error) = mean_of_trials(&scenario(3, 900, tenants), 1_500, waiting);
    // Steady after 500 months: it forgets within some 150.
    let expected = months(1.0);
    assert!(
        (waiting - expected).abs() < 4.0 * error,
        "{waiting} {expected} {error}"
    );
    assert!(error < 0.05 * expected);
}

#[test]
fn adoption_follows_the_curve_of_bass() {
    let mut tenants = segment(0.0);
    tenants.outreach_curve = Some(AdoptionCurve::bass(5_000.0, 0.03, 0.38));
    tenants.sign_probability = 0.0.into();
    let trials = 400;
    let projection = run(&scenario(1, 240, tenants), trials);
    let mean = projection.metric("companies_contacted").unwrap().mean();
    for month in [11, 59, 119, 239] {
        let expected = 5_000.0 * bass_share(0.03, 0.38, (month as f64 + 1.0) / 12.0);
        // Five standard errors of a Poisson mean.
        let error = 5.0 * (expected / trials as f64).sqrt();
        assert!((mean[month] - expected).abs() < error, "{month}");
    }
}

#[test]
fn seasons_and_campaigns_change_the_outreach_of_their_months() {
    let mut tenants = segment(100.0);
    tenants.seasonality = vec![1.0, 0.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    tenants.campaigns.push(Campaign {
        name: "fair".to_owned(),
        starts: Date::month(2025, 6).unwrap(),
        duration_months: 2,
        outreach_factor: 3.0.into(),
        sign_factor: 0.0.into(),
        extra_per_month: 50.0.into(),
    });
    let mut late = scenario(1, 13, tenants);
    // The seasons are those of the calendar.
    late.start = Date::month(2025, 2).unwrap();
    let projection = run(&late, 400);
    let contacted = projection.metric("companies_contacted").unwrap().mean();
    let signed = projection.metric("contracts_signed").unwrap().mean();
    let of = |series: &[f64], month: usize| {
        series[month] - if month > 0 { series[month - 1] } else { 0.0 }
    };
    // Five standard errors of a mean of 400 Poisson numbers: sqrt(m/400).
    for (month, expected) in [
        (0, 0.0),
        (1, 200.0),
        (2, 100.0),
        (4, 350.0),
        (5, 350.0),
        (6, 100.0),
        (12, 0.0),
    ] {
        let error = 5.0 * (f64::max(expected, 1.0) / 400.0).sqrt();
        assert!((of(&contacted, month) - expected).abs() < error, "{month}");
    }
    // Nobody of the campaign signs.
    assert_eq!(of(&signed, 4), 0.0);
    assert!(of(&signed, 6) > 90.0);
}

/// A regime of two states with mean times of 20 and 10 months is in the second a third of the time.
#[test]
#[ignore = "slow"]
fn regimes_switch_with_their_mean_times_and_are_shared() {
    let state = |name: &str, mean: f64, factor: f64| RegimeState {
        name: name.to_owned(),
        mean_months: Some(mean.into()),
        then: Vec::new(),
        outreach_factor: factor.into(),
        sign_factor: 1.0.into(),
        price_factor: 1.0.into(),
    };
    let mut first = segment(40.0);
    first.sign_probability = 0.0.into();
    let mut second = first.clone();
    second.name = "others".to_owned();
    let mut scenario = scenario(1, 200, first);
    scenario.segments.push(second);
    scenario.regimes.push(Regime {
        name: "AI".to_owned(),
        segments: Vec::new(),
        states: vec![state("normal", 20.0, 0.0), state("boom", 10.0, 3.0)],
    });
    let trials = 2_000;
    let projection = run(&scenario, trials);
    let contacted = projection.metric("companies_contacted").unwrap();
    let month = |month: usize| contacted.mean()[month] - contacted.mean()[month - 1];
    // 2 x 40 x 3 in a third of the trials: a standard deviation of 240 sqrt(2/9) a trial.
    let error = 5.0 * 240.0 * (2.0_f64 / 9.0 / trials as f64).sqrt();
    assert!((month(199) - 80.0).abs() < error, "{}", month(199));
    // The first month is in the first state for sure, and both segments are in the same state:
    // a month has nobody, or about 240.
    assert_eq!(contacted.mean()[0], 0.0);
    let model = scenario.compile().unwrap();
    let mut workspace = Workspace::default();
    for number in 0..50 {
        let row = trial(&model, number, &mut workspace);
        for month in 1..200 {
            let new = value(&row, "companies_contacted", month)
                - value(&row, "companies_contacted", month - 1);
            assert!(new == 0.0 || new > 150.0, "{new}");
        }
    }
}

#[test]
#[ignore = "slow"]
fn renewals_prolong_the_stay_by_whole_terms() {
    let mut tenants = segment(20.0);
    tenants.term_months = 12.0.into();
    tenants.renewal = Some(Renewal {
        probability: 0.75.into(),
        term_months: Some(6.0.into()),
    });
    let trials = 1_000;
    let projection = run(&scenario(100_000, 240, tenants), trials);
    let mean = projection.metric("contracts_in_service").unwrap().mean();
    // 12 months, and 0.75/0.25 = 3 renewals of 6 in the mean.
    let expected: f64 = 20.0 * (12.0 + 3.0 * 6.0);
    let error = 5.0 * (expected / trials as f64).sqrt();
    // After 240 months 0.75^38 of the stays are cut by the horizon, 2e-5.
    assert!((mean[239] - expected).abs() < error + 0.05, "{}", mean[239]);
    assert!((mean[11] - 240.0).abs() < error);
}

#[test]
fn early_exits_end_terms() {
    let mut tenants = segment(30.0);
    tenants.term_months = 24.0.into();
    tenants.renewal = Some(Renewal {
        probability: 0.0.into(),
        term_months: None,
    });
    tenants.early_exit = Some(EarlyExit {
        exit_probability: 0.1.into(),
        fee_months: 3.0.into(),
    });
    let trials = 1_000;
    let projection = run(&scenario(100_000, 60, tenants), trials);
    let mean = projection.metric("contracts_in_service").unwrap().mean();
    // The sum of 0.9^a over the ages 0 to 23.
    let expected = 30.0 * (1.0 - 0.9_f64.powi(24)) / 0.1;
    let error = 5.0 * (expected / trials as f64).sqrt();
    assert!(
        (mean[59] - expected).abs() < error,
        "{} {expected}",
        mean[59]
    );
}

#[test]
fn expansions_come_later_and_leave_with_their_contract() {
    let mut tenants = segment(0.0);
    tenants.existing = Some(ExistingTenants {
        companies_contacted: 10,
        contracts_signed: 10,
        leased_power_kw: 100.0,
        ..ExistingTenants::default()
    });
    tenants.term_months = 20.0.into();
    tenants.renewal = Some(Renewal {
        probability: 0.0.into(),
        term_months: None,
    });
    tenants.expansion = Some(Expansion {
        probability: 1.0.into(),
        after_months: 6.0.into(),
        size_share: 0.5.into(),
    });
    let model = scenario(100, 30, tenants).compile().unwrap();
    let row = trial(&model, 0, &mut Workspace::default());
    let leased = |month| value(&row, "leased_power_mw", month) * 1_000.0;
    assert_eq!(leased(5), 100.0);
    assert_eq!(leased(6), 150.0);
    assert_eq!(leased(19), 150.0);
    assert_eq!(leased(20), 0.0);
    assert_eq!(value(&row, "contracts_signed", 29), 20.0);
    assert_eq!(value(&row, "contracts_in_service", 29), 0.0);
}

#[test]
fn a_named_tenant_comes_with_its_probability_at_its_time() {
    let mut scenario = scenario(10_000, 24, segment(0.0));
    let mut anchor = NamedTenant::new("cloud", "tenants", Date::month(2025, 6).unwrap());
    anchor.probability = 0.8.into();
    anchor.contract_standard_racks = Some(3_000.0.into());
    anchor.signed = Some(Date::month(2025, 3).unwrap());
    scenario.tenants.push(anchor);
    let trials = 4_000;
    let projection = run(&scenario, trials);
    let leased = projection.metric("leased_power_mw").unwrap().mean();
    let committed = projection.metric("committed_mw").unwrap().mean();
    assert_eq!(leased[4], 0.0);
    // 3,000 standard racks of 2.5 kW with probability 0.8; five standard errors.
    let error = 5.0 * 7.5 * (0.16 / trials as f64).sqrt();
    assert!((leased[5] - 6.0).abs() < error, "{}", leased[5]);
    // Committed since its signature, three months before.
    assert_eq!(committed[1], 0.0);
    assert!((committed[2] - leased[5]).abs() < 1e-9);
}

#[test]
fn stages_lose_companies_on_the_way() {
    let mut tenants = segment(50.0);
    tenants.sign_probability = 0.5.into();
    tenants.sign_lag_months = 2.0.into();
    tenants.stages = vec![
        Stage::new("letter of intent", 0.4, 3.0),
        Stage::new("deposit", 0.6, 1.0),
    ];
    let trials = 500;
    let projection = run(&scenario(100_000, 36, tenants), trials);
    let last = |metric: &str| projection.metric(metric).unwrap().mean()[35];
    // Little's law: arrivals x time at the stage; five standard errors of a Poisson mean.
    for (stage, expected) in [
        ("contacted", 50.0 * 3.0),
        ("letter of intent", 20.0),
        ("deposit", 12.0 * 2.0),
    ] {
        let error = 5.0 * (expected / trials as f64).sqrt();
        let found = last(&stage_metric(stage));
        assert!((found - expected).abs() < error, "{stage}: {found}");
    }
    // 30 months of contacts have been decided.
    let expected: f64 = 30.0 * 50.0 * 0.4 * 0.6 * 0.5;
    let error = 5.0 * (expected / trials as f64).sqrt();
    assert!((last("contracts_signed") - expected).abs() < error);
    // Of 33 months 0.6 are gone after 3 months, of 32 another 0.4 x 0.4 after 4, of 30 months
    // 0.4 x 0.6 x 0.5 have declined after 6.
    let expected: f64 = 50.0 * (33.0 * 0.6 + 32.0 * 0.16 + 30.0 * 0.12);
    let error = 5.0 * (expected / trials as f64).sqrt();
    assert!((last("companies_declined") - expected).abs() < error);
}

/// A campaign of two months doubles the signing of those contacted in them, and of nobody else.
#[test]
fn campaigns_change_the_signing_of_their_months_behind_stages_too() {
    let mut tenants = segment(50.0);
    tenants.sign_probability = 0.3.into();
    tenants.stages = vec![Stage::new("letter of intent", 0.5, 0.0)];
    tenants.campaigns.push(Campaign {
        name: "fair".to_owned(),
        starts: Date::month(2025, 6).unwrap(),
        duration_months: 2,
        outreach_factor: 1.0.into(),
        sign_factor: 2.0.into(),
        extra_per_month: 0.0.into(),
    });
    let trials = 400;
    let projection = run(&scenario(100_000, 12, tenants), trials);
    let signed = projection.metric("contracts_signed").unwrap().mean();
    let of = |months: std::ops::Range<usize>| signed[months.end] - signed[months.start];
    // Contacts x share at the stage x probability of signing; five standard errors of a Poisson mean.
    let plain = 50.0 * 0.5 * 0.3;
    for (months, expected) in [
        (0..4, 4.0 * plain),
        (4..6, 4.0 * plain),
        (6..11, 5.0 * plain),
    ] {
        let error = 5.0 * (f64::max(expected, 1.0) / trials as f64).sqrt();
        let found = of(months.clone());
        assert!((found - expected).abs() < error, "{months:?}: {found}");
    }
}

/// Two known tenants and room for one: the second waits until the first has left.
#[test]
fn waiting_and_churn_are_counted() {
    let mut tenants = segment(0.0);
    tenants.term_months = 6.0.into();
    tenants.renewal = Some(Renewal {
        probability: 0.0.into(),
        term_months: None,
    });
    let mut scenario = scenario(1, 15, tenants);
    for (name, month) in [("first", 1), ("second", 3)] {
        let starts = Date::month(2025, month).unwrap();
        let mut tenant = NamedTenant::new(name, "tenants", starts);
        tenant.signed = Some(starts);
        scenario.tenants.push(tenant);
    }
    let row = trial(&scenario.compile().unwrap(), 0, &mut Workspace::default());
    let at = |metric: &str, month| value(&row, metric, month);
    // 10 kW are 4 standard racks of 2.5 kW.
    assert_eq!(at("waiting_standard_racks", 1), 0.0);
    assert_eq!(at("waiting_standard_racks", 2), 4.0);
    assert_eq!(at("waiting_months", 5), 0.0);
    // It is wanted in month 2 and comes in month 6, when the first has left.
    assert_eq!(at("waiting_months", 6), 2.0);
    assert_eq!(at("leases_ended_mw", 6), 0.01);
    assert_eq!(at("leases_ended_mw", 7), 0.0);
    assert_eq!(at("contracts_left", 6), 1.0);
    assert_eq!(at("contracts_left", 14), 2.0);
    assert_eq!(at("contracts_left_early", 14), 0.0);
    let outcome = |name: &str| row.outcomes()[row.layout().outcome_index(name).unwrap()];
    assert_eq!(outcome("waiting_months_mean"), 2.0);
    assert_eq!(outcome("waiting_months_p90"), 4.0);
}

#[test]
fn contracts_are_lost_for_want_of_a_campus_or_of_room() {
    let lost = |racks: u32, kw: f64, whole: bool| {
        let mut tenants = segment(0.0);
        tenants.contract_power_kw = Some(kw.into());
        tenants.patience_months = Some(2.0.into());
        if whole {
            tenants.allocation = Allocation::FirstComeWhole;
        }
        let mut scenario = scenario(racks, 12, tenants);
        for month in [1, 2, 3] {
            let starts = Date::month(2025, month).unwrap();
            let name = format!("tenant {month}");
            scenario
                .tenants
                .push(NamedTenant::new(name, "tenants", starts));
        }
        let row = trial(&scenario.compile().unwrap(), 0, &mut Workspace::default());
        let at = |metric: &str| value(&row, metric, 11);
        (at("contracts_lost"), at("contracts_lost_without_room"))
    };
    // One has the room, two wait in vain; one of 25 kW in a single rack type of 20 kW finds none.
    assert_eq!(lost(1, 10.0, true), (2.0, 0.0));
    assert_eq!(lost(2, 25.0, true), (3.0, 3.0));
    // Split, the first takes what there is.
    assert_eq!(lost(2, 25.0, false), (2.0, 0.0));
}

#[test]
fn vouchers_raise_signing_until_their_budget_is_spent() {
    let mut tenants = segment(100.0);
    tenants.sign_probability = 0.2.into();
    let plain = scenario(100_000, 24, tenants);
    let mut with = plain.clone();
    let mut voucher = Voucher::new("vouchers", 30_000.0, 100.0);
    voucher.sign_factor = 1.5.into();
    with.vouchers.push(voucher);
    let granted = |row: &TrialRow, month| value(row, &voucher_metric("vouchers"), month);
    let (plain, model) = (plain.compile().unwrap(), with.compile().unwrap());
    let mut workspace = Workspace::default();
    for number in 0..20 {
        let (before, after) = (
            trial(&plain, number, &mut workspace),
            trial(&model, number, &mut workspace),
        );
        // 1,000 a contract: the budget is gone with the thirtieth, and there again in the second year.
        assert_eq!(granted(&after, 11), 30_000.0);
        assert_eq!(granted(&after, 23), 60_000.0);
        let gain = |month| {
            value(&after, "contracts_signed", month) - value(&before, "contracts_signed", month)
        };
        // Common random numbers: nobody signs because of them but some of the thirty, once a year.
        assert!((1.0..=30.0).contains(&gain(11)), "{}", gain(11));
        assert_eq!(gain(11), gain(5));
        assert!(gain(23) > gain(11));
    }
    // Carried over, nothing is lost where nobody signs for a year.
    with.vouchers[0].is_carried_over = true;
    with.segments[0].outreach_per_month = 0.0.into();
    with.segments[0].campaigns.push(Campaign {
        name: "late".to_owned(),
        starts: Date::month(2026, 1).unwrap(),
        duration_months: 12,
        outreach_factor: 1.0.into(),
        sign_factor: 1.0.into(),
        extra_per_month: 100.0.into(),
    });
    let row = trial(&with.compile().unwrap(), 0, &mut workspace);
    assert_eq!(granted(&row, 23), 60_000.0);
}

#[test]
fn contracts_spill_over_to_the_next_campus_after_their_time() {
    let mut tenants = segment(0.0);
    tenants.campuses = vec!["north".to_owned(), "south".to_owned()];
    tenants.spill_over_after_months = 4;
    tenants.existing = Some(ExistingTenants {
        companies_contacted: 5,
        contracts_signed: 5,
        leased_power_kw: 50.0,
        ..ExistingTenants::default()
    });
    let mut hub = scenario(3, 8, tenants);
    hub.campuses.push(campus("south", 10));
    let row = trial(&hub.compile().unwrap(), 0, &mut Workspace::default());
    let leased = row.layout().metric_index("leased_power_mw").unwrap();
    let of = |scope, month| row.monthly(scope, leased)[month] * 1_000.0;
    assert_eq!((of(1, 3), of(2, 3)), (30.0, 0.0));
    assert_eq!((of(1, 4), of(2, 4)), (30.0, 20.0));
    assert_eq!(value(&row, "waiting_demand_mw", 3), 0.02);
    assert_eq!(value(&row, "waiting_demand_mw", 4), 0.0);
}

#[test]
fn contracts_in_pflops_take_the_power_of_the_hardware_of_their_day() {
    let mut tenants = segment(0.0);
    tenants.contract_power_kw = None;
    tenants.contract_pflops = Some(40.0.into());
    let mut scenario = scenario(1_000, 24, tenants);
    for (name, pflops, from) in [("old", 8.0, 2024), ("new", 20.0, 2026)] {
        let mut generation = crate::compute::Generation::new(name, RACK_KW, "fp16_dense", pflops);
        generation.available_from = Some(Date::month(from, 1).unwrap());
        scenario.generations.push(generation);
    }
    for (name, year) in [("first", 2025), ("second", 2026)] {
        let mut tenant = NamedTenant::new(name, "tenants", Date::month(year, 6).unwrap());
        tenant.signed = Some(Date::month(year, 3).unwrap());
        scenario.tenants.push(tenant);
    }
    let row = trial(&scenario.compile().unwrap(), 0, &mut Workspace::default());
    // 40 PFLOPS are 5 racks of 8, then 2 of 20.
    let leased = |month| value(&row, "leased_power_mw", month) * 1_000.0;
    assert!((leased(6) - 50.0).abs() < 1e-4);
    assert!((leased(18) - 70.0).abs() < 1e-4);
}

/// A lever that raises outreach and signing does so from its first month to its last, for its
/// segment, on common random numbers.
#[test]
fn levers_raise_outreach_and_signing_while_they_last() {
    use crate::policy::{Lever, SigningTerms};
    let mut tenants = segment(50.0);
    tenants.sign_probability = 0.2.into();
    let mut others = tenants.clone();
    others.name = "others".to_owned();
    let mut scenario = scenario(100_000, 24, tenants);
    scenario.segments.push(others);
    let plain = scenario.clone();
    let mut lever = Lever::new("talent", "assumption");
    lever.signing = Some(SigningTerms {
        segments: vec!["tenants".to_owned()],
        starts: Some(Date::month(2025, 7).unwrap()),
        duration_months: Some(12),
        outreach_factor: 1.4.into(),
        sign_factor: 2.0.into(),
    });
    scenario.levers.push(lever);
    let trials = 400;
    let (with, without) = (run(&scenario, trials), run(&plain, trials));
    let by_month = |projection: &Projection, metric: &str| {
        let mean = projection.metric(metric).unwrap().mean();
        [mean[5], mean[17] - mean[5], mean[23] - mean[17]]
    };
    let contacted = [&with, &without].map(|run| by_month(run, "companies_contacted"));
    let signed = [&with, &without].map(|run| by_month(run, "contracts_signed"));
    // The same before, and for as many companies after.
    assert_eq!(contacted[0][0], contacted[1][0]);
    assert_eq!(signed[0][0], signed[1][0]);
    assert!((contacted[0][2] - contacted[1][2]).abs() < 1e-9);
    // 1.4 x 50 companies, of which 0.4 sign, beside the 50 x 0.2 of the others; five standard errors.
    let expected: f64 = 12.0 * (70.0 * 0.4 + 50.0 * 0.2);
    let error = 5.0 * (expected / trials as f64).sqrt();
    assert!((signed[0][1] - expected).abs() < error, "{}", signed[0][1]);
    let expected: f64 = 12.0 * (70.0 + 50.0);
    let error = 5.0 * (expected / trials as f64).sqrt();
    assert!((contacted[0][1] - expected).abs() < error);
}

#[test]
fn scarce_capacity_deters() {
    let mut tenants = segment(40.0);
    tenants.churn_per_month = 0.5.into();
    tenants.scarcity = Some(Scarcity {
        ample_kw: 1e6,
        factor: 0.25.into(),
    });
    let projection = run(&scenario(1, 24, tenants), 400);
    let signed = projection.metric("contracts_signed").unwrap().mean();
    // Nothing is free (but 10 of 1e6 kW): a quarter signs; five standard errors of a Poisson mean.
    let expected: f64 = 40.0 * 0.25 * 20.0;
    let error = 5.0 * (expected / 400.0).sqrt();
    assert!((signed[23] - signed[3] - expected).abs() < error + 0.01);
}

fn bulk(allocation: Allocation) -> Scenario {
    let mut tenants = segment(60.0);
    tenants.outreach_growth_per_year = 0.2.into();
    tenants.sign_probability = Uncertain::uniform(0.2, 0.4);
    tenants.sign_lag_months = Uncertain::pert(1.0, 3.0, 7.0);
    tenants.move_in_lag_months = Uncertain::uniform(0.0, 2.0);
    tenants.contract_power_kw = Some(Uncertain::lognormal(20.0, 0.8));
    tenants.largest_contract_kw = Some(400.0);
    tenants.ramp_months = 4.0.into();
    tenants.term_months = Uncertain::discrete([(12.0, 0.4), (24.0, 0.6)]);
    tenants.churn_per_month = 0.04.into();
    tenants.subsidiary_probability = 0.3.into();
    tenants.subsidiary_lag_months = 2.5.into();
    tenants.allocation = allocation;
    scenario(1_000_000, 72, tenants)
}

#[test]
fn the_cost_of_cohorts_does_not_depend_on_their_number() {
    let parts = |per_month: f64| {
        let mut scenario = bulk(Allocation::Cohort);
        scenario.segments[0].outreach_per_month = per_month.into();
        scenario.segments[0].contract_power_kw = Some(0.001.into());
        let model = scenario.compile().unwrap();
        let mut state = MarketState::default();
        let mut drawn = Vec::new();
        model.draw_inputs(1, 0, &mut drawn);
        model.market.reset(&mut state, 1, 0, &drawn);
        for month in 0..72 {
            model.market.pass_month(&mut state, month, &[1e9]);
        }
        (state.cohorts.groups, state.counts[0].in_service)
    };
    let (groups, tenants) = parts(1e6);
    assert!(tenants > 1_000_000, "{tenants}");
    // One for each month of moving in and each of leaving, at most.
    assert!(groups <= 72 * 73 / 2 + 72, "{groups}");
}

/// A random market with all kinds of terms.
fn any_market() -> impl Strategy<Value = Scenario> {
    let kinds = (
        0..3_u32,
        0..3_u32,
        0..3_u32,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    let numbers = (
        1..60_u32,
        0.5..12.0_f64,
        0.0..0.2_f64,
        0.0..20.0_f64,
        1.0..40.0_f64,
    );
    (kinds, numbers).prop_map(|(kinds, numbers)| {
        let (allocation, patience, priority, renews, expands, exits) = kinds;
        let (racks, rate, churn, wait, size) = numbers;
        let mut tenants = segment(rate);
        tenants.allocation = match allocation {
            0 => Allocation::FirstCome,
            1 => Allocation::FirstComeWhole,
            _ => Allocation::Pooled,
        };
        tenants.contract_power_kw = Some(Uncertain::lognormal(size, 0.7));
        tenants.term_months = Uncertain::uniform(0.0, 12.0);
        tenants.move_in_lag_months = Uncertain::uniform(0.0, 9.0);
        tenants.ramp_months = Uncertain::uniform(1.0, 5.0);
        if patience > 0 {
            tenants.patience_months = Some(Uncertain::uniform(0.0, wait + 0.1));
        }
        if renews {
            tenants.renewal = Some(Renewal {
                probability: 0.5.into(),
                term_months: None,
            });
        } else {
            tenants.churn_per_month = churn.into();
        }
        if tenants.allocation != Allocation::Pooled {
            if expands {
                tenants.expansion = Some(Expansion {
                    probability: 0.5.into(),
                    after_months: Uncertain::uniform(1.0, 8.0),
                    size_share: Uncertain::uniform(0.0, 2.0),
                });
            }
            if exits {
                tenants.early_exit = Some(EarlyExit {
                    exit_probability: 0.1.into(),
                    fee_months: 1.0.into(),
                });
            }
            tenants.spill_over_after_months = patience;
        }
        if exits {
            tenants.stages = vec![Stage::new("talks", 0.7, Uncertain::uniform(0.0, 4.0))];
        }
        if churn > 0.1 {
            tenants.subsidiary_probability = 0.3.into();
            tenants.subsidiary_lag_months = Uncertain::uniform(0.0, 20.0);
        }
        let mut others = segment(rate);
        others.name = "others".to_owned();
        others.priority = priority;
        others.patience_months = Some(5.0.into());
        others.campuses = vec!["south".to_owned(), "north".to_owned()];
        // Their ramps are of one length, within the term or not.
        others.ramp_months = f64::from(1 + allocation + patience).into();
        others.term_months = f64::from(2 * patience).into();
        others.churn_per_month = (0.5 * churn).into();
        if exits {
            others.allocation = Allocation::FirstComeWhole;
            others.contract_power_kw = Some(Uncertain::uniform(1.0, 1.0 + 3.0 * size));
        }
        if renews {
            others.existing = Some(ExistingTenants {
                companies_contacted: 3,
                contracts_signed: 3,
                leased_power_kw: 2.0 * RACK_KW,
                ..ExistingTenants::default()
            });
        }
        let mut scenario = scenario(racks, 48, tenants);
        scenario.segments.push(others);
        scenario.campuses.push(campus("south", racks / 2 + 1));
        if renews {
            let mut voucher = Voucher::new("vouchers", 500.0 * size, 10.0);
            voucher.size_factor = 1.7.into();
            scenario.vouchers.push(voucher);
        }
        if expands {
            let mut tenant = NamedTenant::new("anchor", "tenants", scenario.start);
            tenant.delay_months = Uncertain::uniform(0.0, 30.0);
            tenant.contract_power_kw = Some((8.0 * size).into());
            scenario.tenants.push(tenant);
        }
        scenario
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// At every month's end each contract is in one state, and all power signed for is pending,
    /// waiting, leased, given up or left; no pool is leased out twice.
    #[test]
    fn no_contract_is_lost_or_served_twice(scenario in any_market(), number in 0..1_000_u64) {
        let model = scenario.compile().unwrap();
        // Beside the market as it is, one that keeps its leases, so that they can be looked into.
        let mut market = model.market.clone();
        market.keeps_extras = true;
        let market = &market;
        // The market as it is also shows what processors without wide registers would draw.
        let mut plain_market = model.market.clone();
        plain_market.arch = pulp::Arch::Scalar;
        let (mut state, mut plain) = (MarketState::default(), MarketState::default());
        let mut drawn = Vec::new();
        model.draw_inputs(3, number, &mut drawn);
        market.reset(&mut state, 3, number, &drawn);
        plain_market.reset(&mut plain, 3, number, &drawn);
        let room = room_kw(&scenario);
        let mut signed_units = vec![0_i64; market.len()];
        for month in 0..model.months {
            market.pass_month(&mut state, month, &room);
            plain_market.pass_month(&mut plain, month, &room);
            prop_assert_eq!(&state.counts, &plain.counts);
            prop_assert_eq!(&state.capacity.leased, &plain.capacity.leased);
            prop_assert_eq!(&state.capacity.level, &plain.capacity.level);
            for (segment, signed) in signed_units.iter_mut().enumerate() {
                prop_assert_eq!(state.segments[segment].waiting, plain.segments[segment].waiting);
                *signed += state.flow[market.months_of(segment) + month].signing_units;
                if !market.segments[segment].allocation.is_pooled() {
                    check_contracts(market, &state, segment, month, *signed)?;
                }
            }
            for (pool, room) in room.iter().enumerate() {
                let live: i64 = state.leases.iter()
                    .filter(|lease| {
                        let contracts = &state.segments[lease.segment as usize].contracts;
                        let leaves = contracts.leaves[lease.contract as usize] as usize;
                        lease.pool as usize == pool && leaves > month
                    })
                    .map(|lease| lease.amount).sum();
                let pooled: i64 = (0..market.len())
                    .filter(|s| market.segments[*s].allocation.is_pooled())
                    .map(|s| state.capacity.level[market.slot(s, pool)]).sum();
                prop_assert_eq!(state.capacity.leased[pool], live + pooled);
                prop_assert!(state.capacity.leased[pool] <= units(*room));
            }
        }
    }

    /// Sums of whole months are what serving every contract by itself comes to.
    #[test]
    fn months_are_what_a_plain_reference_serves(
        scenario in any_market(),
        number in 0..1_000_u64,
        plenty in any::<bool>(),
    ) {
        let model = scenario.compile().unwrap();
        let mut with_contracts = model.market.clone();
        with_contracts.keeps_extras = true;
        let (market, room) = (&model.market, room_kw(&scenario));
        // Room comes in two steps, so that queues build up and empty; some of it is away for a while, as hardware is replaced.
        let room_in = |month: usize| -> Vec<f64> {
            let share = match month {
                _ if plenty => 40.0,
                0..20 => 0.5,
                35..40 => 1.5,
                _ => 6.0,
            };
            room.iter().map(|kw| kw * share).collect()
        };
        let (mut state, mut kept) = (MarketState::default(), MarketState::default());
        let mut drawn = Vec::new();
        model.draw_inputs(3, number, &mut drawn);
        market.reset(&mut state, 3, number, &drawn);
        with_contracts.reset(&mut kept, 3, number, &drawn);
        let mut reference = reference::Reference::of(&with_contracts);
        for month in 0..model.months {
            let room = room_in(month);
            market.pass_month(&mut state, month, &room);
            with_contracts.pass_month(&mut kept, month, &room);
            reference.pass_month(&with_contracts, &kept, month, &room);
            for segment in 0..market.len() {
                let counts = &state.counts[segment];
                let of_segment = &reference.segments[segment];
                prop_assert_eq!(counts.in_service, of_segment.in_service);
                prop_assert_eq!(counts.left, of_segment.left);
                if market.segments[segment].allocation.is_pooled() {
                    continue;
                }
                prop_assert_eq!(counts.lost, of_segment.lost);
                prop_assert_eq!(counts.waited_months, of_segment.waited_months);
                prop_assert_eq!(state.segments[segment].waiting, of_segment.waiting);
                for pool in 0..market.pools {
                    let slot = market.slot(segment, pool);
                    prop_assert_eq!(state.capacity.level[slot], of_segment.served[pool]);
                }
            }
            prop_assert_eq!(&state.capacity.leased, &reference.leased());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Where there is room for all, sums of pooled demand are those of contracts that are placed one by one.
    #[test]
    fn pooled_demand_is_that_of_its_contracts(
        rate in 0.5..12.0_f64,
        (lag, ramp, term, wait) in (0.0..6.0_f64, 0.0..8.0_f64, 0.0..12.0_f64, 0.0..9.0_f64),
        (churn, renews, ramps_differ, at_once) in (0.0..0.2_f64, any::<bool>(), any::<bool>(), any::<bool>()),
        number in 0..1_000_u64,
    ) {
        let mut tenants = segment(rate);
        tenants.contract_power_kw = Some(Uncertain::lognormal(30.0, 0.7));
        tenants.sign_probability = Uncertain::uniform(0.2, 1.0);
        if at_once {
            // Many, so that months do not end where lists do.
            tenants.outreach_per_month = (40.0 * rate).into();
        } else {
            tenants.sign_lag_months = Uncertain::uniform(0.0, lag + 0.1);
            tenants.move_in_lag_months = Uncertain::uniform(0.0, wait + 0.1);
        }
        tenants.term_months = Uncertain::uniform(0.0, term + 0.1);
        tenants.ramp_months = if ramps_differ {
            Uncertain::uniform(1.0, ramp + 1.1)
        } else {
            ramp.into()
        };
        if renews {
            tenants.renewal = Some(Renewal { probability: 0.5.into(), term_months: None });
        } else {
            tenants.churn_per_month = churn.into();
        }
        let markets = [Allocation::Pooled, Allocation::FirstCome].map(|allocation| {
            tenants.allocation = allocation;
            scenario(1_000_000, 48, tenants.clone()).compile().unwrap()
        });
        let mut states = [MarketState::default(), MarketState::default()];
        let mut drawn = Vec::new();
        for (model, state) in markets.iter().zip(&mut states) {
            drawn.clear();
            model.draw_inputs(3, number, &mut drawn);
            model.market.reset(state, 3, number, &drawn);
        }
        for month in 0..48 {
            for (model, state) in markets.iter().zip(&mut states) {
                model.market.pass_month(state, month, &[1e7]);
            }
            let [pooled, placed] = &states;
            prop_assert_eq!(pooled.capacity.level[0], placed.capacity.level[0]);
            let counts = |state: &MarketState| state::Counts { moved_in: 0, ..state.counts[0] };
            prop_assert_eq!(counts(pooled), counts(placed));
            prop_assert_eq!(pooled.segments[0].pending, placed.segments[0].pending);
        }
    }
}

fn room_kw(scenario: &Scenario) -> Vec<f64> {
    let campuses = scenario.campuses.iter();
    campuses
        .map(|campus| campus.existing.as_ref().unwrap().power_kw)
        .collect()
}

/// The contracts of a segment that are kept one by one come to its sums.
fn check_contracts(
    market: &Market,
    state: &MarketState,
    segment: usize,
    month: usize,
    signed: i64,
) -> Result<(), TestCaseError> {
    let of_segment = &state.segments[segment];
    let contracts = &of_segment.contracts;
    let mut taken = vec![0_i64; contracts.len()];
    for lease in state
        .leases
        .iter()
        .filter(|lease| lease.segment as usize == segment)
    {
        taken[lease.contract as usize] += lease.amount;
    }
    let (mut waiting, mut leased, mut over, mut in_service, mut left) = (0, 0, 0, 0, 0);
    for (item, &taken) in taken.iter().enumerate() {
        if contracts.ready[item] as usize > month {
            prop_assert_eq!(taken, 0);
            continue;
        }
        let (missing, leaves) = (contracts.left[item], contracts.leaves[item] as usize);
        // What it took, waits for or gave up is all of it.
        let abandoned = contracts.extra[item].abandoned;
        prop_assert_eq!(taken + missing + abandoned, contracts.size(item));
        waiting += missing;
        let is_gone = leaves <= month;
        *(if is_gone { &mut over } else { &mut leased }) += taken;
        if taken > 0 {
            *(if is_gone { &mut left } else { &mut in_service }) += 1;
        }
    }
    prop_assert_eq!(state.counts[segment].in_service, in_service);
    prop_assert_eq!(state.counts[segment].left, left);
    prop_assert_eq!(of_segment.waiting, waiting);
    // What is missing was given up: by those who lost patience, or with what never found
    // room of those who have left.
    let given_up = signed - of_segment.pending - waiting - leased - over;
    let abandoned: i64 = contracts.extra.iter().map(|extra| extra.abandoned).sum();
    prop_assert_eq!(
        given_up,
        abandoned,
        "segment {} of {}",
        segment,
        market.len()
    );
    Ok(())
}
