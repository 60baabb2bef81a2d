//! What is contacted, by whom and where it is reported: trends with seasons, stages and vouchers of several campuses, regimes, and
//! contracts that a program brings.

use super::*;

fn one_trial(scenario: &Scenario) -> TrialRow {
    trial(&scenario.compile().unwrap(), 2, &mut Workspace::default())
}

/// A season of 1 in each month, or a campaign that changes nothing, leaves a trend that grows as it was.
#[test]
fn growth_is_the_same_with_seasons_as_without() {
    let contacts = |change: fn(&mut Segment)| -> Vec<f64> {
        let mut tenants = segment(1_000.0);
        tenants.outreach_growth_per_year = 1.0.into();
        tenants.sign_probability = 0.0.into();
        change(&mut tenants);
        let row = one_trial(&scenario(1, 37, tenants));
        (0..37)
            .map(|month| value(&row, "companies_contacted", month))
            .collect()
    };
    let plain = contacts(|_| {});
    assert_eq!(
        contacts(|tenants| tenants.seasonality = vec![1.0; 12]),
        plain
    );
    // The same Poisson mean a year later is twice as large: five standard errors.
    for (month, mean) in [(12, 2_000.0_f64), (24, 4_000.0), (36, 8_000.0)] {
        let new = plain[month] - plain[month - 1];
        assert!((new - mean).abs() < 5.0 * mean.sqrt(), "{month}: {new}");
    }
}

/// Two campuses, each with a segment that calls it home: stages and grants are reported at home and in total.
#[test]
fn stages_and_grants_are_those_of_the_home_of_a_segment() {
    let mut north = segment(40.0);
    north.campuses = vec!["north".to_owned()];
    north.stages = vec![Stage::new("talks", 0.5, 3.0), Stage::new("offer", 0.8, 2.0)];
    let mut south = segment(90.0);
    south.name = "southern".to_owned();
    south.campuses = vec!["south".to_owned()];
    south.stages = vec![Stage::new("talks", 0.25, 1.0)];
    let mut hub = scenario(100_000, 24, north);
    hub.segments.push(south);
    hub.campuses.push(campus("south", 100_000));
    hub.vouchers.push(Voucher::new("grants", 5_000.0, 10.0));
    hub.vouchers.push(Voucher::new("more", 1e9, 1.0));
    let row = one_trial(&hub);
    let of = |metric: &str, month: usize| {
        let position = row.layout().metric_index(metric).unwrap();
        [0, 1, 2].map(|scope| row.monthly(scope, position)[month])
    };
    for month in 0..24 {
        for metric in [
            stage_metric("contacted"),
            stage_metric("talks"),
            stage_metric("offer"),
            voucher_metric("grants"),
            voucher_metric("more"),
        ] {
            let [total, north, south] = of(&metric, month);
            assert_eq!(total, north + south, "{metric} {month}");
        }
        // Of 10 kW each, 100 a contract until the budget of a year is spent, then 10.
        let [grants, ..] = of(&voucher_metric("grants"), month);
        assert!(grants <= 5_000.0 * (month / 12 + 1) as f64);
    }
    assert_eq!(of(&voucher_metric("grants"), 23)[0], 10_000.0);
    // Little's law with Poisson numbers: 40 x 3 and 90 x 1 have been contacted, 20 x 2 talk in the north, nobody in the south.
    let near =
        |found: f64, mean: f64| assert!((found - mean).abs() < 5.0 * mean.sqrt(), "{found} {mean}");
    let [_, contacted_north, contacted_south] = of(&stage_metric("contacted"), 23);
    near(contacted_north, 120.0);
    near(contacted_south, 90.0);
    let [_, talks_north, talks_south] = of(&stage_metric("talks"), 23);
    near(talks_north, 40.0);
    assert_eq!(talks_south, 0.0);
    assert_eq!(of(&stage_metric("offer"), 23), [0.0; 3]);
    // Of those contacted in the first 19 months 0.4 have signed, and of the first 23 in the south a quarter.
    let [_, signed_north, signed_south] = of("contracts_signed", 23);
    near(signed_north, 19.0 * 40.0 * 0.4);
    near(signed_south, 23.0 * 90.0 * 0.25);
}

/// A program signs in the middle of month 2; with a lag of three months it wants to be there in month 5.
#[test]
fn a_program_brings_contracts_of_its_own_size_and_lag() {
    let mut scenario = scenario(100, 12, segment(0.0));
    scenario.segments[0].largest_contract_kw = Some(80.0);
    let model = scenario.compile().unwrap();
    let served = |contract: OwnContract| -> Vec<f64> {
        let mut market = model.market.clone();
        market.expect_own();
        let mut state = MarketState::default();
        let mut drawn = Vec::new();
        model.draw_inputs(1, 0, &mut drawn);
        market.reset(&mut state, 1, 0, &drawn);
        (0..12)
            .map(|month| {
                if month == 2 {
                    market.sign_own(&mut state, 0, month, contract);
                }
                market.pass_month(&mut state, month, &[1_000.0]);
                market.leased_kw(&state, 0)
            })
            .collect()
    };
    let of = |kw: f64, from: usize| -> Vec<f64> {
        (0..12)
            .map(|month| if month >= from { kw } else { 0.0 })
            .collect()
    };
    assert_eq!(served(OwnContract::new()), of(10.0, 2));
    assert_eq!(served(OwnContract::new().power_kw(35.0)), of(35.0, 2));
    assert_eq!(
        served(OwnContract::new().move_in_lag_months(3.0)),
        of(10.0, 5)
    );
    let both = OwnContract::new().power_kw(35.0).move_in_lag_months(1.0);
    assert_eq!(
        (both.power_kw, both.move_in_lag_months),
        (Some(35.0), Some(1.0))
    );
    assert_eq!(served(both), of(35.0, 3));
    // No larger than the segment's largest.
    assert_eq!(served(OwnContract::new().power_kw(500.0)), of(80.0, 2));
}

/// A curve that begins in July: nobody before, and from then on what the curve says of so many months.
#[test]
fn a_curve_of_adoption_begins_at_its_date() {
    let mut tenants = segment(0.0);
    let mut curve = AdoptionCurve::bass(1e6, 0.03, 0.38);
    curve.starts = Some(Date::month(2025, 7).unwrap());
    tenants.outreach_curve = Some(curve);
    tenants.sign_probability = 0.0.into();
    let row = one_trial(&scenario(1, 36, tenants));
    let contacted = |month| value(&row, "companies_contacted", month);
    assert_eq!(contacted(5), 0.0);
    for month in [6, 17, 35] {
        let mean = 1e6 * bass_share(0.03, 0.38, (month as f64 - 5.0) / 12.0);
        // Five standard errors of a Poisson number.
        assert!(
            (contacted(month) - mean).abs() < 5.0 * mean.sqrt(),
            "{month}"
        );
    }
}
