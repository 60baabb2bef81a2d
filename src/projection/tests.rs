use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::date::Date;
use crate::sampling::streams::{Source, Stream};
use crate::uncertain::normal_quantile;

mod measures;

fn metric(name: &str, unit: &str) -> Metric {
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        meaning: format!("What {name} says."),
    }
}

/// Two campuses, two metrics, three months and one of everything else.
fn layout() -> Arc<Layout> {
    let mut layout = Layout::new(Date::month(2026, 11).unwrap(), 3);
    layout.scopes = ["total", "north, west", "south"]
        .map(str::to_owned)
        .to_vec();
    layout.metrics = vec![metric("racks", "racks"), metric("share", "")];
    layout.causes = ["power", "demand"].map(str::to_owned).to_vec();
    layout.milestones = ["A1 live", "never"].map(str::to_owned).to_vec();
    layout.targets = vec![TargetLabel {
        name: "the \"big\" one".to_owned(),
        description: "racks at least 5 by 2026-12".to_owned(),
        by: Some(Date::month(2026, 12).unwrap()),
    }];
    layout.outcomes = vec![metric("npv", "CNY")];
    Arc::new(layout)
}

fn provenance() -> Provenance {
    Provenance {
        scenario: "hills".to_owned(),
        version: "0.1.0".to_owned(),
        seed: u64::MAX,
        ..Provenance::default()
    }
}

fn empty() -> Projection {
    Projection::new(layout(), provenance()).unwrap()
}

/// A row in which there are few and many values, infinite ones and NaN.
fn random_row(layout: &Arc<Layout>, stream: &mut Stream) -> TrialRow {
    let mut row = TrialRow::new(layout.clone());
    for (position, x) in row.all_monthly_mut().iter_mut().enumerate() {
        let u = stream.uniform();
        *x = match position % 4 {
            0 => (u * 8.0).floor(),
            1 => libm::exp(normal_quantile(u)),
            2 if u < 0.2 => f64::NAN,
            2 => (u * 1e5).floor() - 4e4,
            _ => normal_quantile(u) * 1e-3,
        };
    }
    for scope in 0..layout.scopes.len() {
        for month in 0..layout.months {
            let cause = (stream.uniform() * 3.0) as usize;
            row.set_binding(scope, month, Some(cause).filter(|cause| *cause < 2));
        }
    }
    let live = stream.uniform();
    row.milestones_mut()[0] = if live < 0.9 {
        30.0 * live
    } else {
        f64::INFINITY
    };
    row.targets_mut()[0] = stream.uniform() < 0.3;
    row.outcomes_mut()[0] = 1e9 * (stream.uniform() - 0.5);
    row
}

fn random_rows(seed: u64, count: usize) -> Vec<TrialRow> {
    let layout = layout();
    let mut stream = Source::named("rows").stream(seed, 0);
    (0..count)
        .map(|_| random_row(&layout, &mut stream))
        .collect()
}

fn text(projection: &Projection) -> String {
    serde_json::to_string(projection).unwrap()
}

fn of_rows(rows: &[TrialRow]) -> Projection {
    let mut projection = empty();
    projection.absorb(rows).unwrap();
    projection
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn parts_merged_in_any_order_are_the_whole_to_the_bit(
        seed in any::<u64>(),
        count in 0_usize..700,
        parts in 1_usize..8,
    ) {
        let rows = random_rows(seed, count);
        let whole = of_rows(&rows);
        let mut stream = Source::named("partition").stream(seed, 0);
        let mut projections: Vec<Projection> = (0..parts).map(|_| empty()).collect();
        for row in &rows {
            let part = (stream.uniform() * parts as f64) as usize;
            projections[part].absorb(std::slice::from_ref(row)).unwrap();
        }
        // Two at a time, whichever: every way of grouping and ordering can come about.
        while projections.len() > 1 {
            let taken = (stream.uniform() * projections.len() as f64) as usize;
            let other = projections.swap_remove(taken);
            let into = (stream.uniform() * projections.len() as f64) as usize;
            projections[into].merge(&other).unwrap();
        }
        prop_assert_eq!(text(&projections[0]), text(&whole));
        prop_assert!(projections[0] == whole);
    }

    #[test]
    fn a_projection_comes_back_from_its_text(seed in any::<u64>(), count in 0_usize..500) {
        let projection = of_rows(&random_rows(seed, count));
        let written = text(&projection);
        let back: Projection = serde_json::from_str(&written).unwrap();
        prop_assert!(back == projection);
        prop_assert_eq!(text(&back), written);
        prop_assert_eq!(back.to_json(), projection.to_json());
    }
}

/// Rows of a yard whose first campus is full, with 2,995 racks, in four trials of ten, and has nearly as many in most others; the
/// second has lost 2,995 in as many.
fn rows_with_a_full_yard(trials: Range<u64>) -> Vec<TrialRow> {
    let layout = layout();
    trials
        .map(|trial| {
            let mut row = TrialRow::new(layout.clone());
            let mut stream = Source::named("yard").stream(8, trial);
            let (full, racks) = (stream.uniform() < 0.4, 2_985.0 + 9.0 * stream.uniform());
            row.set(1, 0, 0, if full { 2_995.0 } else { racks });
            row.set(2, 0, 0, if full { -2_995.0 } else { -racks });
            row.set(1, 1, 0, racks);
            row.outcomes_mut()[0] = if full { 26_648.0 } else { 9.0 * racks };
            row.set_trial(trial);
            row
        })
        .collect()
}

#[test]
fn a_value_that_many_trials_share_is_reported_as_it_is() {
    let rows = rows_with_a_full_yard(0..20_000);
    let whole = of_rows(&rows);
    let place = |scope: &str, metric: &str| {
        let metric = whole.campus(scope).unwrap().metric(metric).unwrap();
        metric.month(0).unwrap()
    };
    let (racks, lost) = (place("north, west", "racks"), place("south", "racks"));
    assert!(!racks.is_exact() && !lost.is_exact());
    // All racks are in one bucket, from 2,976 to 2,992, or the one above it, to 3,008.
    for p in [0.8, 0.9, 0.95, 1.0] {
        assert_eq!(racks.quantile(p), Some(2_995.0), "{p}");
        assert_eq!(lost.quantile(1.0 - p), Some(-2_995.0), "{p}");
    }
    assert_eq!(racks.quantile_std_error(0.9), Some(0.0));
    let npv = whole.outcome("npv").unwrap();
    // All others are 9 x 2,985 = 26,865 or more.
    assert_eq!(npv.quantile(0.05), Some(26_648.0));
    // The share of a value is that of the sample in its bucket: four standard errors of 128 trials.
    let share = racks.probability_at_least(2_995.0).unwrap();
    assert!(
        (share - 0.4).abs() < 4.0 * (0.24_f64 / 128.0).sqrt(),
        "{share}"
    );
    let share = lost.probability_at_most(-2_995.0).unwrap();
    assert!(
        (share - 0.4).abs() < 4.0 * (0.24_f64 / 128.0).sqrt(),
        "{share}"
    );
    // What no trials share is as it was.
    let smooth = place("north, west", "share");
    let median = smooth.quantile(0.5).unwrap();
    assert!((median / 2_989.5 - 1.0).abs() < 0.0039, "{median}");
}

#[test]
fn shared_values_do_not_depend_on_how_trials_were_put_together() {
    let rows = rows_with_a_full_yard(0..3_000);
    let whole = text(&of_rows(&rows));
    let mut backwards = empty();
    for part in rows.rchunks(311) {
        backwards.merge(&of_rows(part)).unwrap();
    }
    assert_eq!(text(&backwards), whole);
    let mut alternate = empty();
    for start in 0..7 {
        for row in rows.iter().skip(start).step_by(7) {
            alternate.absorb(std::slice::from_ref(row)).unwrap();
        }
    }
    assert_eq!(text(&alternate), whole);
    // A sample that cannot be is refused.
    let mut damaged: Value = serde_json::from_str(&whole).unwrap();
    damaged["sample"].as_array_mut().unwrap().swap(0, 1);
    assert!(serde_json::from_value::<Projection>(damaged).is_err());
}

#[test]
fn merging_is_commutative_and_associative_and_nothing_is_neutral() {
    let rows = random_rows(3, 600);
    let (a, b, c) = (
        of_rows(&rows[..300]),
        of_rows(&rows[300..310]),
        of_rows(&rows[310..]),
    );
    let merged = |left: &Projection, right: &Projection| {
        let mut left = left.clone();
        left.merge(right).unwrap();
        left
    };
    assert_eq!(text(&merged(&a, &b)), text(&merged(&b, &a)));
    assert_eq!(
        text(&merged(&merged(&a, &b), &c)),
        text(&merged(&a, &merged(&b, &c)))
    );
    assert_eq!(text(&merged(&a, &empty())), text(&a));
    assert_eq!(text(&merged(&empty(), &a)), text(&a));
}

#[test]
fn what_was_merged_can_be_absorbed_on() {
    let rows = random_rows(4, 500);
    let mut projection = of_rows(&rows[..200]);
    projection.merge(&of_rows(&rows[200..400])).unwrap();
    let written = text(&projection);
    let mut back: Projection = serde_json::from_str(&written).unwrap();
    back.absorb(&rows[400..]).unwrap();
    assert_eq!(text(&back), text(&of_rows(&rows)));
}

#[test]
fn another_layout_is_refused_and_nothing_is_taken_in() {
    let rows = random_rows(5, 3);
    let mut projection = of_rows(&rows);
    let before = text(&projection);
    let mut other = (*layout()).clone();
    other.metrics[1].unit = "%".to_owned();
    let other = Arc::new(other);
    let mixed = [rows[0].clone(), TrialRow::new(other.clone())];
    assert_eq!(
        projection.absorb(&mixed),
        Err(ProjectionError::OtherLayout),
        "the first row fits, the second does not"
    );
    let stranger = Projection::new(other, provenance()).unwrap();
    assert_eq!(
        projection.merge(&stranger),
        Err(ProjectionError::OtherLayout)
    );
    assert_eq!(text(&projection), before);
}

#[test]
fn an_equal_layout_need_not_be_the_same_one() {
    let mut projection = of_rows(&random_rows(6, 3));
    assert_eq!(projection.absorb(&[TrialRow::new(layout())]), Ok(()));
    assert_eq!(projection.trials(), 4);
}

#[test]
fn another_run_is_refused_and_nothing_is_taken_in() {
    let mut projection = of_rows(&random_rows(7, 3));
    let before = text(&projection);
    let others = [
        Provenance {
            seed: 1,
            ..provenance()
        },
        Provenance {
            scenario: "dales".to_owned(),
            ..provenance()
        },
        Provenance {
            version: "0.0.9".to_owned(),
            ..provenance()
        },
    ];
    for other in others {
        let stranger = Projection::new(layout(), other.clone()).unwrap();
        let expected = ProjectionError::OtherRun {
            ours: Box::new(provenance()),
            theirs: Box::new(other),
        };
        assert_eq!(projection.merge(&stranger), Err(expected));
    }
    assert_eq!(text(&projection), before);
}

#[test]
fn damaged_states_are_refused() {
    let whole: Value = serde_json::to_value(of_rows(&random_rows(8, 400))).unwrap();
    let refused = |damage: &dyn Fn(&mut Value)| {
        let mut state = whole.clone();
        damage(&mut state);
        serde_json::from_value::<Projection>(state).is_err()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|state| state["trials"] = json!(399)));
    assert!(refused(&|state| state["trials"] = json!(401)));
    for list in ["monthly", "milestones", "outcomes", "targets", "binding"] {
        assert!(refused(&|state| {
            state[list].as_array_mut().unwrap().pop();
        }));
        assert!(refused(&|state| {
            let list = state[list].as_array_mut().unwrap();
            list.push(list[0].clone());
        }));
    }
    assert!(refused(&|state| state["targets"][0] = json!(401)));
    assert!(refused(&|state| state["binding"][0] = json!(401)));
    assert!(refused(&|state| state["layout"]["months"] = json!(0)));
    assert!(refused(&|state| state["layout"]["months"] = json!(4)));
    assert!(refused(
        &|state| state["layout"]["scopes"][1] = json!("total")
    ));
    assert!(refused(&|state| state["monthly"][0]["beyond"] = json!(1)));
    assert!(refused(&|state| state["monthly"][0] = json!(null)));
}

#[test]
fn a_layout_that_cannot_be_is_refused() {
    let broken = Arc::new(Layout::new(Date::month(2026, 1).unwrap(), 0));
    assert!(Projection::new(broken, provenance()).is_err());
}

#[test]
fn memory_does_not_grow_with_trials() {
    let mut layout = Layout::new(Date::month(2026, 1).unwrap(), 1);
    layout.metrics = vec![metric("few", ""), metric("many", "")];
    layout.milestones = vec!["live".to_owned()];
    let layout = Arc::new(layout);
    let mut projection = Projection::new(layout.clone(), provenance()).unwrap();
    let mut stream = Source::named("memory").stream(0, 0);
    let mut rows: Vec<TrialRow> = (0..64).map(|_| TrialRow::new(layout.clone())).collect();
    // The range of the numbers is bounded, so after the first of them no bucket is new.
    let mut absorb_up_to = |trials: u64| {
        while projection.trials() < trials {
            for row in &mut rows {
                let u = stream.uniform();
                row.set(0, 0, 0, (u * 100.0).floor());
                row.set(0, 1, 0, 100.0 + 1_000.0 * u);
                row.milestones_mut()[0] = 10.0 + 20.0 * u;
            }
            projection.absorb(&rows).unwrap();
        }
        projection.memory_bytes()
    };
    let after_some = absorb_up_to(100_000);
    let after_many = absorb_up_to(1_000_000);
    assert_eq!(after_many, after_some);
    // A power of two takes 2^7 or 2^10 counters of 4 bytes: 4 pages and 3. 128 trials are kept whole, 3 numbers of each.
    assert!(
        after_many < 4 * 512 + 3 * 4_096 + 128 * (3 + 3) * 8 + 8_192,
        "{after_many} bytes"
    );
}

#[test]
fn views_find_what_the_layout_names_and_nothing_else() {
    let projection = of_rows(&random_rows(9, 50));
    assert!(projection.metric("racks").is_some() && projection.metric("rack").is_none());
    assert!(projection.campus("south").is_some() && projection.campus("total").is_none());
    assert_eq!(projection.campuses().count(), 2);
    assert!(projection.milestone("A1 live").is_some() && projection.milestone("A1").is_none());
    assert!(projection.outcome("npv").is_some() && projection.outcome("irr").is_none());
    assert!(projection.target("the big one").is_none());
    let racks = projection.metric("racks").unwrap();
    assert!(racks.month(2).is_some() && racks.month(3).is_none());
    assert!(projection.total().binding("weather").is_none());
    let never = projection.milestone("never").unwrap();
    assert_eq!(
        (never.count(), never.probability(), never.mean()),
        (50, Some(0.0), None)
    );
    assert_eq!(
        (never.quantile(0.5), never.probability_at_most(1e9)),
        (None, Some(0.0))
    );
}

#[test]
fn shares_and_their_standard_errors_are_binomial() {
    let rows = random_rows(10, 400);
    let projection = of_rows(&rows);
    let target = projection.targets().next().unwrap();
    let met = rows.iter().filter(|row| row.targets()[0]).count() as f64;
    assert_eq!(target.probability(), Some(met / 400.0));
    let p = met / 400.0;
    let expected = (p * (1.0 - p) / 400.0).sqrt();
    assert!((target.std_error().unwrap() - expected).abs() < 1e-15);
    let live = projection.milestone("A1 live").unwrap();
    let reached = (rows.iter())
        .filter(|row| row.milestones()[0].is_finite())
        .count();
    assert_eq!(live.probability(), Some(reached as f64 / 400.0));
    for (scope, view) in std::iter::once(projection.total())
        .chain(projection.campuses())
        .enumerate()
    {
        for (cause, name) in ["power", "demand"].into_iter().enumerate() {
            let expected: Vec<f64> = (0..3)
                .map(|month| {
                    let bound = (rows.iter())
                        .filter(|row| usize::from(row.binding(scope)[month]) == cause)
                        .count();
                    bound as f64 / 400.0
                })
                .collect();
            assert_eq!(view.binding(name).unwrap(), expected);
        }
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

const STATISTICS: [&str; 18] = [
    "mean",
    "std_error",
    "p5",
    "p10",
    "p25",
    "p50",
    "p75",
    "p80",
    "p90",
    "p95",
    "p5_std_error",
    "p10_std_error",
    "p25_std_error",
    "p50_std_error",
    "p75_std_error",
    "p80_std_error",
    "p90_std_error",
    "p95_std_error",
];

#[test]
fn json_has_the_documented_shape() {
    let projection = of_rows(&random_rows(11, 300));
    let json = projection.to_json();
    assert_eq!(
        keys(&json),
        [
            "scenario",
            "version",
            "seed",
            "trials",
            "design",
            "fingerprint",
            "months",
            "metrics",
            "milestones",
            "targets",
            "binding",
            "binding_std_error",
            "outcomes",
            "campuses"
        ]
    );
    assert_eq!(json["scenario"], "hills");
    assert_eq!(json["seed"], json!(u64::MAX));
    assert_eq!(json["trials"], 300);
    assert_eq!(json["months"], json!(["2026-11", "2026-12", "2027-01"]));
    let scopes = [
        &json,
        &json["campuses"]["north, west"],
        &json["campuses"]["south"],
    ];
    assert_eq!(keys(&json["campuses"]), ["north, west", "south"]);
    for scope in scopes {
        assert_eq!(keys(&scope["metrics"]), ["racks", "share"]);
        assert_eq!(scope["metrics"]["racks"]["unit"], "racks");
        for of_metric in scope["metrics"].as_object().unwrap().values() {
            assert_eq!(keys(of_metric)[0], "unit");
            assert_eq!(keys(of_metric)[1..], STATISTICS);
            for statistic in STATISTICS {
                assert_eq!(of_metric[statistic].as_array().unwrap().len(), 3);
            }
        }
        assert_eq!(keys(&scope["binding"]), ["power", "demand"]);
        assert_eq!(scope["binding"]["power"].as_array().unwrap().len(), 3);
    }
    let racks = projection.metric("racks").unwrap();
    assert_eq!(json["metrics"]["racks"]["p80"], json!(racks.quantile(0.8)));
    let live = &json["milestones"]["A1 live"];
    assert_eq!(keys(live)[1..19], STATISTICS);
    assert_eq!(
        keys(live)[19..],
        ["probability", "probability_std_error", "dates"]
    );
    assert_eq!(live["unit"], "months");
    assert_eq!(keys(&live["dates"]), STATISTICS[2..10]);
    let target = &json["targets"][0];
    assert_eq!(
        keys(target),
        ["name", "description", "by", "probability", "std_error"]
    );
    assert_eq!(target["by"], "2026-12");
    let of_outcome = keys(&json["outcomes"]["npv"]);
    let (common, bad_end) = of_outcome[1..].split_at(STATISTICS.len());
    assert_eq!(common, STATISTICS);
    assert_eq!(
        bad_end,
        [
            "share_of_trials",
            "probability_below_zero",
            "mean_of_least_tenth"
        ]
    );
    assert_eq!(json["outcomes"]["npv"]["unit"], "CNY");
}

#[test]
fn json_says_null_where_nothing_is_known() {
    let none = empty().to_json();
    assert_eq!(none["metrics"]["racks"]["mean"], json!([null, null, null]));
    assert_eq!(none["binding"]["power"], json!([null, null, null]));
    assert_eq!(none["targets"][0]["probability"], json!(null));
    let json = of_rows(&random_rows(12, 300)).to_json();
    let never = &json["milestones"]["never"];
    assert_eq!(never["probability"], 0.0);
    assert_eq!(
        (&never["p5"], &never["dates"]["p5"]),
        (&json!(null), &json!(null))
    );
    // A tenth of the trials never gets there, so P95 lies beyond the horizon and P50 does not.
    let live = &json["milestones"]["A1 live"];
    assert!(live["p95"].is_null() && live["dates"]["p95"].is_null() && live["p50"].is_f64());
    assert_eq!(
        live["dates"]["p50"].as_str().unwrap().len(),
        "2026-05-11".len()
    );
}

#[test]
fn a_date_on_the_first_of_a_month_is_written_in_full() {
    let mut row = TrialRow::new(layout());
    row.milestones_mut()[0] = 2.0;
    row.milestones_mut()[1] = 1.5;
    let json = of_rows(&[row]).to_json();
    assert_eq!(json["milestones"]["A1 live"]["dates"]["p50"], "2026-12-31");
    // Half of December's 31 days later: the 16th at noon.
    assert_eq!(json["milestones"]["never"]["dates"]["p50"], "2026-12-16");
}

/// The fields of one line of comma-separated values after RFC 4180.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut rest = line.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                fields.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

fn csv(projections: &[Projection]) -> String {
    let mut written = Vec::new();
    write_csv(projections, &mut written).unwrap();
    String::from_utf8(written).unwrap()
}

#[test]
fn csv_is_one_tidy_table() {
    let projection = of_rows(&random_rows(13, 300));
    let table = csv(&[projection.clone(), projection.clone()]);
    assert!(!table.contains('\r') && table.ends_with('\n'));
    let lines: Vec<Vec<String>> = table.lines().map(fields).collect();
    assert_eq!(
        lines[0],
        [
            "scenario",
            "scope",
            "metric",
            "unit",
            "month",
            "statistic",
            "value"
        ]
    );
    assert!(lines.iter().all(|line| line.len() == 7));
    // Scopes x (metrics x statistics + causes) x months, then two milestones, a target, an outcome.
    let each = 3 * (2 * STATISTICS.len() + 2 * 2) * 3
        + 2 * (STATISTICS.len() + 2)
        + 2
        + STATISTICS.len()
        + 3;
    assert_eq!(lines.len(), 1 + 2 * each);
    assert_eq!(lines[1..=each], lines[1 + each..]);
    let places: BTreeSet<&[String]> = lines[1..=each].iter().map(|line| &line[..6]).collect();
    assert_eq!(places.len(), each, "each place has one number");
    let value = |place: [&str; 6]| {
        let line = lines
            .iter()
            .find(|line| line[..6].iter().zip(place).all(|(field, of)| field == of));
        line.unwrap_or_else(|| panic!("{place:?}"))[6].clone()
    };
    let racks = projection.campus("north, west").unwrap();
    let mean = racks.metric("racks").unwrap().mean()[1];
    let place = ["hills", "north, west", "racks", "racks", "2026-12", "mean"];
    assert_eq!(value(place).parse::<f64>(), Ok(mean));
    let npv = projection.outcome("npv").unwrap().quantile(0.1).unwrap();
    let place = ["hills", "total", "npv", "CNY", "", "p10"];
    assert_eq!(value(place).parse::<f64>(), Ok(npv));
    let target = projection.target("the \"big\" one").unwrap();
    let shares = "share of trials";
    let place = [
        "hills",
        "total",
        "the \"big\" one",
        shares,
        "",
        "probability",
    ];
    assert_eq!(
        value(place).parse::<f64>().ok(),
        target.probability(),
        "quoted"
    );
    let place = [
        "hills",
        "south",
        "power",
        shares,
        "2027-01",
        "binding_share",
    ];
    let share = projection
        .campus("south")
        .unwrap()
        .binding("power")
        .unwrap()[2];
    assert_eq!(value(place).parse::<f64>(), Ok(share));
    let place = ["hills", "total", "never", "months", "", "p50"];
    assert_eq!(value(place), "", "it does not exist");
    let place = [
        "hills",
        "total",
        "never",
        shares,
        "",
        "probability_std_error",
    ];
    assert_eq!(value(place), "0");
}

#[test]
fn csv_quotes_every_text() {
    let mut layout = Layout::new(Date::month(2026, 1).unwrap(), 1);
    layout.outcomes = vec![metric("plain", "a,b")];
    let named = |name: &str| {
        let provenance = Provenance {
            scenario: name.to_owned(),
            ..provenance()
        };
        let mut projection = Projection::new(Arc::new(layout.clone()), provenance).unwrap();
        let mut row = TrialRow::new(projection.layout().clone());
        row.outcomes_mut()[0] = -1.25e-7;
        projection.absorb(&[row]).unwrap();
        projection
    };
    let table = csv(&[named("two\nlines"), named("庆阳 \"west\"")]);
    assert!(table.contains("\n\"two\nlines\",\"total\",\"plain\",\"a,b\",,\"mean\",-1.25e-7\n"));
    assert!(
        table.contains("\n\"庆阳 \"\"west\"\"\",\"total\",\"plain\",\"a,b\",,\"p50\",-1.25e-7\n")
    );
    assert!(
        table.contains(",\"plain\",\"a,b\",,\"std_error\",\n"),
        "of a single trial"
    );
}

/// sqrt(R/(R-1) sum (n_r/n)^2 (x_r - x)^2), by hand: x = 1.75, twice 0.1875 squared, doubled.
#[test]
fn replicates_tell_the_error_of_their_weighted_mean() {
    let error = |results: &[(u64, Option<f64>)]| {
        super::views::replicates_std_error(results.iter().copied())
    };
    assert_eq!(error(&[(10, Some(1.0)), (30, Some(2.0))]), Some(0.375));
    assert_eq!(
        error(&[(10, Some(1.0)), (10, Some(1.0)), (10, Some(1.0))]),
        Some(0.0)
    );
    assert_eq!(error(&[(10, Some(1.0))]), None);
    assert_eq!(error(&[(10, Some(1.0)), (30, None)]), None);
    assert_eq!(error(&[(0, Some(1.0)), (0, Some(2.0))]), None);
}

#[test]
fn a_milestone_counts_in_the_share_of_all_trials() {
    let rows = random_rows(10, 50);
    let projection = of_rows(&rows);
    let live = projection.milestone("A1 live").unwrap();
    let reached = (rows.iter())
        .filter(|row| row.milestones()[0].is_finite())
        .count();
    assert_eq!(live.share_of_trials(), Some(reached as f64 / 50.0));
    let none = empty();
    let live = none.milestone("A1 live").unwrap();
    assert_eq!((live.share_of_trials(), live.probability()), (None, None));
}
