//! Cohorts and their vouchers: exactly where nothing but the number of contacts is left to chance, by closed forms, and against
//! tenants one by one.

use super::*;

/// A cohort of contracts of 10 kW that all sign at once and stay; with this many contacts a month.
fn cohort(per_month: f64) -> Segment {
    let mut tenants = segment(per_month);
    tenants.allocation = Allocation::Cohort;
    tenants
}

/// New ones of a month, from a number that is counted since the start.
fn monthly(row: &TrialRow, metric: &str) -> Vec<f64> {
    let all: Vec<f64> = (0..row.layout().months)
        .map(|month| value(row, metric, month))
        .collect();
    let before = std::iter::once(0.0).chain(all.iter().copied());
    all.iter()
        .zip(before)
        .map(|(now, before)| now - before)
        .collect()
}

/// With money, for which more is reported of contracts.
fn one_trial(scenario: &Scenario) -> TrialRow {
    let mut scenario = scenario.clone();
    scenario.finance = Some(crate::finance::Finance::new(0.0));
    trial(&scenario.compile().unwrap(), 3, &mut Workspace::default())
}

/// Contacted in month t, signed in t + 1, there from t + 3 for seven month ends (a term of six months and the one in which a churn
/// of 1 takes all), a third more in use each month.
#[test]
fn a_cohort_with_certain_terms_is_moved_by_whole_months() {
    let mut tenants = cohort(200.0);
    tenants.sign_lag_months = 1.0.into();
    tenants.move_in_lag_months = 2.0.into();
    tenants.subsidiary_probability = 1.0.into();
    tenants.subsidiary_lag_months = 4.0.into();
    tenants.ramp_months = 3.0.into();
    tenants.term_months = 6.0.into();
    tenants.churn_per_month = 1.0.into();
    tenants.draw_share = 0.5.into();
    let row = one_trial(&scenario(1_000_000, 30, tenants));
    let contacted = monthly(&row, "companies_contacted");
    assert!(contacted.iter().all(|new| *new > 100.0));
    let since = |month: usize, lag: usize| month.checked_sub(lag).map_or(0.0, |at| contacted[at]);
    let (mut signed, mut founded, mut left) = (0.0, 0.0, 0.0);
    for month in 0..30 {
        signed += since(month, 1);
        founded += since(month, 5);
        left += since(month, 10);
        let there: f64 = (0..7).map(|age| since(month, 3 + age)).sum();
        let used: f64 = (0..7)
            .map(|age| since(month, 3 + age) * (age as f64 + 1.0).min(3.0) / 3.0)
            .sum();
        let at = |metric: &str| value(&row, metric, month);
        assert_eq!(at("contracts_signed"), signed);
        assert_eq!(at("subsidiaries"), founded);
        assert_eq!(at("contracts_in_service"), there, "{month}");
        assert_eq!(at("contracts_left"), left, "{month}");
        assert_eq!(at("companies_declined"), 0.0);
        let near = |metric: &str, kw: f64| {
            assert!(
                (at(metric) * 1e3 - kw).abs() < 1e-2,
                "{metric} {month}: {} {kw}",
                at(metric)
            );
        };
        // What is not in use yet is not kept for a cohort.
        near("leased_power_mw", RACK_KW * used);
        near("in_service_power_mw", RACK_KW * used);
        near("it_draw_mw", 0.5 * RACK_KW * used);
    }
}

/// With a million contacts a month every share is known to a thousandth.
#[test]
fn very_large_cohorts_follow_their_probabilities() {
    let each = 1e6;
    let mut tenants = cohort(each);
    tenants.sign_probability = 0.3.into();
    tenants.sign_lag_months = Uncertain::uniform(0.0, 1.0);
    tenants.move_in_lag_months = 0.5.into();
    tenants.contract_power_kw = Some(Uncertain::uniform(0.001, 0.003));
    tenants.term_months = Uncertain::discrete([(2.0, 0.4), (5.0, 0.6)]);
    tenants.churn_per_month = 0.25.into();
    tenants.subsidiary_probability = 0.2.into();
    tenants.subsidiary_lag_months = 1.25.into();
    let row = one_trial(&scenario(1_000_000, 24, tenants));
    let signed = monthly(&row, "contracts_signed");
    let declined = monthly(&row, "companies_declined");
    let contacted = monthly(&row, "companies_contacted");
    let founded = monthly(&row, "subsidiaries");
    // The sum of two uniform times of a month passes its end in a half of the cases.
    let signs = |month: usize| 0.3 * each * if month == 0 { 0.5 } else { 1.0 };
    let near = |what: &str, found: f64, expected: f64| {
        // Five standard errors of a Poisson number.
        assert!(
            (found - expected).abs() < 5.0 * expected.sqrt(),
            "{what}: {found} {expected}"
        );
    };
    for month in 0..24 {
        near("contacted", contacted[month], each);
        near("signed", signed[month], signs(month));
        near("declined", declined[month], 0.7 * each);
        if month >= 3 {
            // A lag of 1.25 from a uniform time of the month.
            near("founded", founded[month], 0.2 * 0.3 * each);
        }
    }
    near(
        "founded",
        founded[1] + founded[2],
        0.2 * (0.75 * signs(0) + 0.25 * signs(0) + 0.75 * signs(1)),
    );
    // A move after half a month passes a month's end in a half of the cases.
    let arrives = |month: usize| match month {
        0 => 0.5 * signs(0),
        _ => 0.5 * signs(month) + 0.5 * signs(month - 1),
    };
    let stays = |age: usize| {
        let after = |term: i32| 0.75_f64.powi((age as i32 - term).max(0));
        0.4 * after(2) + 0.6 * after(5)
    };
    for month in [0, 4, 11, 23] {
        let there: f64 = (0..=month)
            .map(|age| arrives(month - age) * stays(age))
            .sum();
        near("there", value(&row, "contracts_in_service", month), there);
        let left: f64 = (0..=month)
            .map(|age| arrives(month - age) * (1.0 - stays(age)))
            .sum();
        if month > 3 {
            near("left", value(&row, "contracts_left", month), left);
        }
        // Two thousandths of a kW each.
        let kw = value(&row, "leased_power_mw", month) * 1e3;
        assert!((kw / there / 0.002 - 1.0).abs() < 0.01, "{month}: {kw}");
    }
}

/// A voucher of 600 a contract: two sign with a budget of 1,000 and are granted all of it, for twice the size.
#[test]
fn a_budget_is_granted_to_those_contacted_first_and_spent_to_the_last() {
    let mut scenario = scenario(1_000_000, 30, cohort(50.0));
    let mut voucher = Voucher::new("grants", 1_000.0, 30.0);
    voucher.size_factor = 2.0.into();
    scenario.vouchers.push(voucher);
    let granted = |row: &TrialRow, month| value(row, &voucher_metric("grants"), month);
    let check = |scenario: &Scenario, years: fn(usize) -> usize| {
        let row = one_trial(scenario);
        for month in 0..30 {
            let years = years(month) as f64;
            assert_eq!(granted(&row, month), years * 1_000.0, "{month}");
            let signed = value(&row, "contracts_signed", month);
            assert_eq!(signed, value(&row, "companies_contacted", month));
            let kw = value(&row, "leased_power_mw", month) * 1e3;
            let expected = RACK_KW * (signed + years * 2.0);
            assert!((kw - expected).abs() < 1e-6, "{month}: {kw} {expected}");
        }
    };
    check(&scenario, |month| month / 12 + 1);
    // From its start on, and for so many years.
    scenario.vouchers[0].starts = Some(Date::month(2025, 7).unwrap());
    check(&scenario, |month| (month + 6) / 12);
    scenario.vouchers[0].years = Some(1);
    check(&scenario, |month| usize::from(month >= 6));
    // With another behind it, which is taken when the first is spent, in the same month.
    let mut second = Voucher::new("more", 5_000.0, 100.0);
    second.size_factor = 0.5.into();
    scenario.vouchers.push(second);
    let row = one_trial(&scenario);
    for month in 0..30 {
        assert_eq!(
            value(&row, &voucher_metric("more"), month),
            5_000.0 * (month / 12 + 1) as f64
        );
    }
    // 5,000 are grants of 500 to ten contracts of 5 kW, each year; the two of 20 kW are those of July.
    let signed = value(&row, "contracts_signed", 29);
    let kw = value(&row, "leased_power_mw", 29) * 1e3;
    let expected = RACK_KW * signed - 30.0 * 0.5 * RACK_KW + 2.0 * RACK_KW;
    assert!((kw - expected).abs() < 1e-6, "{kw} {expected}");
}

/// Of 100,000 companies a month 0.3 sign, with a voucher 0.6, until it is spent.
#[test]
fn vouchers_raise_the_share_that_signs_while_they_last() {
    let signed = |budget: f64, factor: f64, segments: &[&str]| {
        let mut tenants = cohort(100_000.0);
        tenants.sign_probability = 0.3.into();
        tenants.contract_power_kw = Some(0.01.into());
        let mut scenario = scenario(1_000_000, 6, tenants);
        let mut voucher = Voucher::new("grants", budget, 100.0);
        voucher.sign_factor = factor.into();
        voucher.segments = segments.iter().map(|name| (*name).to_owned()).collect();
        scenario.vouchers.push(voucher);
        let row = one_trial(&scenario);
        let months = monthly(&row, "contracts_signed");
        (
            months[0],
            months[5],
            value(&row, &voucher_metric("grants"), 5),
        )
    };
    let near = |found: f64, expected: f64| {
        assert!(
            (found - expected).abs() < 5.0 * f64::sqrt(expected),
            "{found} {expected}"
        );
    };
    // Each contract is granted 1. For all; for 30,000, which half of the companies make up; for nobody of the segment.
    let (first, last, granted) = signed(1e9, 2.0, &[]);
    near(first, 60_000.0);
    near(last, 60_000.0);
    near(granted, 6.0 * 60_000.0);
    let (first, last, granted) = signed(30_000.0, 2.0, &["tenants"]);
    near(first, 30_000.0 + 0.3 * 50_000.0);
    near(last, 30_000.0);
    assert_eq!(granted, 30_000.0);
    // It is cut at certainty.
    let (first, last, _) = signed(30_000.0, 9.0, &[]);
    near(first, 30_000.0 + 0.3 * 70_000.0);
    near(last, 30_000.0);
    let mut others = segment(0.0);
    others.name = "others".to_owned();
    let plain = {
        let mut tenants = cohort(100_000.0);
        tenants.sign_probability = 0.3.into();
        tenants.contract_power_kw = Some(0.01.into());
        let mut scenario = scenario(1_000_000, 6, tenants);
        scenario.segments.push(others);
        let mut voucher = Voucher::new("grants", 1e9, 100.0);
        voucher.sign_factor = 2.0.into();
        voucher.segments = vec!["others".to_owned()];
        scenario.vouchers.push(voucher);
        one_trial(&scenario)
    };
    near(monthly(&plain, "contracts_signed")[0], 30_000.0);
    assert_eq!(value(&plain, &voucher_metric("grants"), 5), 0.0);
}

/// A scenario in which nothing is certain, of some 36 months and 15 contracts a month.
fn small(allocation: Allocation) -> Scenario {
    let mut scenario = bulk(allocation);
    scenario.horizon_months = 36;
    scenario.segments[0].outreach_per_month = 30.0.into();
    scenario
}

fn small_with_vouchers(allocation: Allocation, budget: f64) -> Scenario {
    let mut scenario = small(allocation);
    let mut voucher = Voucher::new("vouchers", budget, 50.0);
    voucher.sign_factor = 1.5.into();
    voucher.size_factor = 1.25.into();
    scenario.vouchers.push(voucher);
    scenario
}

/// Means within five standard errors of their difference and the approximations of cohorts; standard deviations within five of
/// theirs, which are about 1/sqrt(2 n) of them.
fn assert_alike(
    cohorts: &Projection,
    tenants: &Projection,
    names: &[&str],
    months: &[usize],
    trials: u64,
) {
    for name in names {
        let (a, b) = (cohorts.metric(name).unwrap(), tenants.metric(name).unwrap());
        for &month in months {
            let (a, b) = (a.month(month).unwrap(), b.month(month).unwrap());
            let (mean, other) = (a.mean().unwrap(), b.mean().unwrap());
            let error = 5.0 * a.std_error().unwrap().hypot(b.std_error().unwrap());
            // The times within a month of signing and moving in are not quite uniform, least so in the first months.
            assert!(
                (mean - other).abs() < error + 0.02 * other,
                "{name} {month}: {mean} {other}"
            );
            let (spread, other) = (a.std_dev().unwrap(), b.std_dev().unwrap());
            let error = 5.0 / (trials as f64).sqrt();
            assert!(
                other == 0.0 || (spread / other - 1.0).abs() < error,
                "{name} {month}: {spread} {other}"
            );
        }
    }
}

const COUNTED: [&str; 5] = [
    "contracts_signed",
    "subsidiaries",
    "contracts_in_service",
    "in_service_power_mw",
    "leased_power_mw",
];

/// By cohort and tenant by tenant: the same mean and the same variance of every number.
#[test]
fn cohorts_are_distributed_as_tenants_are() {
    let trials = 500;
    let [cohorts, tenants] =
        [Allocation::Cohort, Allocation::Pooled].map(|allocation| run(&small(allocation), trials));
    assert_alike(&cohorts, &tenants, &COUNTED, &[5, 14, 35], trials);
}

#[test]
#[ignore = "slow"]
fn cohorts_are_distributed_as_tenants_are_to_a_hundredth() {
    let trials = 6_000;
    let [cohorts, tenants] =
        [Allocation::Cohort, Allocation::Pooled].map(|allocation| run(&bulk(allocation), trials));
    assert_alike(&cohorts, &tenants, &COUNTED, &[5, 14, 30, 50, 71], trials);
}

/// A cohort with vouchers is as tenants with vouchers are: in the mean, and never over budget.
fn vouchers_reach_all(scenario: impl Fn(Allocation, f64) -> Scenario, scarce: f64, trials: u64) {
    // Contracts of some 27 kW and 1.25 times that with vouchers: 1,700 each. Enough for all; for a
    // few months of each year.
    for budget in [1e9, scarce] {
        let [cohorts, tenants] = [Allocation::Cohort, Allocation::Pooled]
            .map(|allocation| run(&scenario(allocation, budget), trials));
        let last = cohorts.layout().months - 1;
        let names = ["contracts_signed", "leased_power_mw", "granted by vouchers"];
        for name in names {
            let (a, b) = (cohorts.metric(name).unwrap(), tenants.metric(name).unwrap());
            for month in [11, 30, last] {
                let (a, b) = (a.month(month).unwrap(), b.month(month).unwrap());
                let (mean, other) = (a.mean().unwrap(), b.mean().unwrap());
                // Five standard errors of a difference of means, and the approximations: times
                // within a month, grants of the mean size.
                let error = 5.0 * a.std_error().unwrap().hypot(b.std_error().unwrap());
                assert!(
                    (mean - other).abs() < error + 0.015 * other,
                    "{budget} {name} {month}: {mean} {other}"
                );
            }
        }
        let granted = cohorts.metric("granted by vouchers").unwrap();
        for month in 0..=last {
            let years = (month / 12 + 1) as f64;
            let most = granted.month(month).unwrap().max().unwrap();
            assert!(most <= budget * years * (1.0 + 1e-12), "{month}: {most}");
        }
        if budget == scarce {
            // All of it is spent, every year.
            let years = (last / 12 + 1) as f64;
            assert!((granted.mean()[last] / (years * budget) - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn vouchers_reach_cohorts_as_they_reach_tenants() {
    vouchers_reach_all(small_with_vouchers, 75_000.0, 300);
}

#[test]
#[ignore = "slow"]
fn vouchers_reach_cohorts_as_they_reach_tenants_in_very_many_trials() {
    let with = |allocation, budget: f64| {
        let mut scenario = small_with_vouchers(allocation, budget);
        scenario.horizon_months = 72;
        scenario.segments[0].outreach_per_month = 60.0.into();
        scenario
    };
    vouchers_reach_all(with, 150_000.0, 3_000);
}
