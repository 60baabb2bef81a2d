use std::path::Path as FilePath;

use proptest::prelude::*;

use crate::problem::Problem;
use crate::scenario::{Milestone, Target};
use crate::schedule::calendars::Calendar;
use crate::schedule::crews::{Crew, CrewNeed, CrewUnits};
use crate::schedule::network::LinkKind;
use crate::schedule::{Activity, Dependency, Lagged, Slots};
use crate::site::Campus;
use crate::site::{Building, Hall, Series};
use crate::{Date, Scenario, ScenarioError, Uncertain};

#[cfg(feature = "excel")]
mod round_trips;

const SMALL: &str = r#"
name = "small"
start = "2025-01"
horizon_months = 24

[[rack_types]]
name = "air"
power_kw = 10

[[campuses]]
name = "north"

[[campuses.grid]]
name = "first"
power_mw = 5
wait_months = { pert = [3, 6, 12] }

[[campuses.grid]]
name = "750 kV"
power_mw = 50

[[campuses.buildings]]
name = "A"
activities = [{ name = "shell", duration_months = 6 }, { name = "fit-out", duration_months = 3 }]
halls = [{ name = "hall", racks = 100, rack_type = "air" }]
"#;

fn problems(text: &str) -> Vec<Problem> {
    match Scenario::from_toml(text) {
        Err(ScenarioError::Invalid(problems)) => problems.iter().cloned().collect(),
        other => panic!("{other:?}"),
    }
}

/// The line, message and help of each problem.
fn reported(text: &str) -> Vec<(usize, String, String)> {
    let place = |problem: &Problem| problem.location.as_ref().map_or(0, |place| place.line);
    problems(text)
        .iter()
        .map(|problem| {
            (
                place(problem),
                problem.message.clone(),
                problem.help.clone().unwrap_or_default(),
            )
        })
        .collect()
}

fn with(line: &str) -> String {
    SMALL.replacen("[[rack_types]]", &format!("{line}\n[[rack_types]]"), 1)
}

fn write(folder: &FilePath, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A wrong start says nothing of the dates that are counted from it.
#[test]
fn without_a_horizon_no_date_is_outside_of_it() {
    let target =
        "[[targets]]\nname = \"first\"\nmetric = \"racks_built\"\nat_least = 1\nby = \"2026-06\"\n";
    for (right, wrong) in [
        ("start = \"2025-01\"", "start = \"soon\""),
        ("horizon_months = 24", "horizon_months = \"long\""),
        ("horizon_months = 24\n", ""),
    ] {
        let text = format!("{}{target}", SMALL.replace(right, wrong));
        assert_eq!(reported(&text).len(), 1, "{:?}", reported(&text));
    }
    let late = reported(&format!(
        "{}{target}",
        SMALL.replace("months = 24", "months = 12")
    ));
    assert!(late[0].1.contains("outside of the horizon"), "{late:?}");
}

#[test]
fn distributions_stand_where_they_are_named() {
    let text = SMALL.replace(
        "duration_months = 6",
        r#"duration_months = { named = "our shells" }"#,
    );
    let text = text.replace(
        "duration_months = 3",
        r#"duration_months = { named = "power transformer" }"#,
    );
    let text =
        format!("{text}\n[distributions]\n\"our shells\" = {{ uniform = [\"4 months\", 8] }}\n");
    let scenario = Scenario::from_toml(&text).unwrap();
    let activities = scenario.campuses[0].buildings[0]
        .activities
        .as_ref()
        .unwrap();
    assert_eq!(activities[0].duration_months, Uncertain::uniform(4.0, 8.0));
    let preset = crate::presets::activity("power transformer").unwrap();
    assert_eq!(activities[1].duration_months, preset.duration_months);
    let wrong = reported(&text.replace("{ named = \"our shells\" }", "{ named = \"our shell\" }"));
    assert_eq!(wrong.len(), 1);
    let (line, message, help) = &wrong[0];
    assert_eq!(*line, 24, "{wrong:?}");
    assert!(
        message.contains("no distribution \"our shell\""),
        "{message}"
    );
    assert!(help.contains("did you mean \"our shells\""), "{help}");
    let wrong = reported(&format!("distributions = 3\n{SMALL}"));
    assert!(wrong[0].1.contains("names no distributions"), "{wrong:?}");
}

#[test]
fn units_may_stand_in_the_key_or_in_the_value() {
    let scenario = Scenario::from_toml(
        &SMALL
            .replace("horizon_months = 24", "horizon = \"2 years\"")
            .replace("power_kw = 10", "power = \"0.01 MW\"")
            .replace(
                "{ pert = [3, 6, 12] }",
                "{ pert = [\"3 months\", \"0.5 years\", 12] }",
            ),
    )
    .unwrap();
    assert_eq!(scenario, Scenario::from_toml(SMALL).unwrap());
}

#[test]
fn every_form_of_an_uncertain_quantity_is_read() {
    let forms = [
        ("4", Uncertain::Constant(4.0)),
        ("\"4 months\"", Uncertain::Constant(4.0)),
        ("{ uniform = [2, 6] }", Uncertain::uniform(2.0, 6.0)),
        (
            "{ uniform = { min = 2, max = 6 } }",
            Uncertain::uniform(2.0, 6.0),
        ),
        (
            "{ triangular = [1, 1.5, 3] }",
            Uncertain::triangular(1.0, 1.5, 3.0),
        ),
        ("{ pert = [2, 3, 6] }", Uncertain::pert(2.0, 3.0, 6.0)),
        (
            "{ pert = { min = 2, mode = 3, max = 6, shape = 2 } }",
            Uncertain::Pert {
                min: 2.0,
                mode: 3.0,
                max: 6.0,
                shape: 2.0,
            },
        ),
        ("{ normal = [5, 1] }", Uncertain::normal(5.0, 1.0)),
        (
            "{ normal = { mean = 5, sd = 1, min = 0 } }",
            Uncertain::Normal {
                mean: 5.0,
                sd: 1.0,
                min: Some(0.0),
                max: None,
            },
        ),
        (
            "{ lognormal = { median = 14, sigma = 0.25 } }",
            Uncertain::lognormal(14.0, 0.25),
        ),
        (
            "{ pareto = { min = 2, shape = 1.5 } }",
            Uncertain::pareto(2.0, 1.5),
        ),
        (
            "{ discrete = [[12, \"30 %\"], [24, 0.7]] }",
            Uncertain::discrete([(12.0, 0.3), (24.0, 0.7)]),
        ),
        (
            "{ p10 = 3, p90 = 8 }",
            Uncertain::Percentiles {
                p10: 3.0,
                p50: None,
                p90: 8.0,
            },
        ),
        (
            "{ p10 = 3, p50 = 4, p90 = 8 }",
            Uncertain::percentiles(3.0, 4.0, 8.0),
        ),
    ];
    for (text, expected) in forms {
        let scenario = Scenario::from_toml(&SMALL.replace("{ pert = [3, 6, 12] }", text)).unwrap();
        assert_eq!(scenario.campuses[0].grid[0].wait_months, expected, "{text}");
    }
}

#[test]
fn everything_wrong_is_reported_at_once_with_its_line() {
    let text = r#"name = "wrong"
start = "2025-13"
horizon_months = -3
precison = "fp8"

[[rack_types]]
name = "air"
power_kw = "10 months"

[[campuses]]
name = "north"
pue = 0.9

[[campuses.buildings]]
name = "A"
activities = [
  { name = "permit", duration_months = { p10 = 8, p90 = 3 } },
  { name = "shell", duration_months = -6, after = ["permt"] },
  { name = "fit-out", duration_months = nan },
  { name = "test", duration_months = { pert = [1, inf, 3] } },
  { name = "x", duration_months = 1, after = ["y"] },
  { name = "y", duration_months = 1, after = ["x"] },
]
halls = [{ name = "hall", racks = 1.5, rack_type = "ari" }]

[[segments]]
name = "AI"
sign_probability = 1.3
contract_power_kw = 100
"#;
    let reported = reported(text);
    let expect = [
        (2, "\"2025-13\" is not a date", ""),
        (3, "-3 is not a whole number from 0", ""),
        (4, "unknown key \"precison\"", "did you mean \"precision\"?"),
        (8, "\"10 months\" is a duration, not a power", ""),
        (12, "pue is 0.9", "allowed: 1 or more"),
        (
            17,
            "duration_months: p10 is 8, more than p90, which is 3",
            "",
        ),
        (18, "duration_months is -6", "allowed: 0 or more"),
        (
            18,
            "there is no activity, building or substation \"permt\"",
            "did you mean \"permit\"?",
        ),
        (19, "NaN is not a finite number", ""),
        (20, "inf is not a finite number", ""),
        (24, "racks is 1.5", ""),
        (24, "there is no rack type \"ari\"", "did you mean \"air\"?"),
        (28, "sign_probability is 1.3", "allowed: 0 to 1"),
    ];
    for (line, message, help) in expect {
        assert!(
            reported.iter().any(|(at, said, helped)| {
                *at == line && said.starts_with(message) && helped.starts_with(help)
            }),
            "line {line}: {message}\nof {reported:#?}"
        );
    }
    let circle = reported
        .iter()
        .find(|(_, message, _)| message.contains("wait for one another"));
    let circle = circle.unwrap_or_else(|| panic!("the cycle is reported: {reported:#?}"));
    assert!(
        circle.1.contains("north/A/x") && circle.1.contains("north/A/y"),
        "{circle:?}"
    );
    assert_eq!(reported.len(), expect.len() + 1, "{reported:#?}");
}

#[test]
fn a_crew_priority_is_a_name_or_an_effort() {
    let reported = |value: &str| reported(&with(&format!("crew_priority = {value}"))).remove(0);
    let (_, _, help) = reported("\"late_finnish\"");
    assert!(help.contains("did you mean \"late_finish\"?"), "{help}");
    let (_, message, _) = reported("{ search = 0 }");
    assert!(
        message.ends_with("whole number from 1 to 10,000,000"),
        "{message}"
    );
}

#[test]
fn what_stands_in_for_a_wrong_value_is_not_found_wrong_itself() {
    let reported = reported(&SMALL.replace("rack_type = \"air\"", "rack_type = 3"));
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert_eq!(reported[0].1, "3 is a number");
    let missing = self::reported(&SMALL.replace(", rack_type = \"air\"", ""));
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0].1, "\"rack_type\" of \"hall\" is missing");
}

#[test]
fn a_problem_points_at_the_parameter_in_the_list_form() {
    let problems = problems(&SMALL.replace("{ pert = [3, 6, 12] }", "{ normal = [5, 1, 9, 8] }"));
    let place = problems[0].location.as_ref().unwrap();
    let pointed: String = place
        .text
        .chars()
        .skip(place.column - 1)
        .take(place.length)
        .collect();
    assert_eq!(pointed, "9", "{problems:?}");
}

#[test]
fn a_text_that_is_not_toml_is_refused_with_its_line() {
    for (line, text) in [(7, "power_kw = "), (7, "a = 1\na = 2"), (7, "b = [1, 2")] {
        let reported = reported(&with(&format!("\n{text}")));
        assert!(
            reported[0].1.starts_with("this is not TOML"),
            "{reported:?}"
        );
        assert!(reported[0].0 >= line - 1, "{reported:?}");
    }
}

#[test]
fn a_unit_given_twice_or_not_at_all_is_reported() {
    let twice = reported(&SMALL.replace("power_mw = 50", "power_mw = 50\npower = \"50 MW\""));
    assert_eq!(
        twice[0].1,
        "\"power_mw\" is given twice, with and without its unit"
    );
    let none = reported(&SMALL.replace("power_mw = 50", "power = 50"));
    assert_eq!(none[0].1, "50 has no unit");
    assert!(none[0].2.contains("\"power_mw\""), "{none:?}");
}

#[test]
fn an_unknown_version_of_the_format_is_reported_and_nothing_else() {
    let reported = reported(&with("format = 7\nunheard = 1"));
    assert_eq!(reported.len(), 1);
    assert_eq!(reported[0].1, "the file is of format 7");
}

#[test]
fn a_file_extends_another_and_says_only_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "base.toml", SMALL);
    let over = write(
        folder.path(),
        "over.toml",
        r#"
        extends = "base.toml"
        name = "over"
        horizon = "4 years"
        [[campuses]]
        name = "north"
        [[campuses.grid]]
        name = "first"
        wait = { uniform = ["1 year", "2 years"] }
        [[campuses.grid]]
        name = "750 kV"
        remove = true
        [[campuses.grid]]
        name = "new"
        power_mw = 7
        [[campuses]]
        name = "south"
        "#,
    );
    let scenario = Scenario::from_path(&over).unwrap();
    assert_eq!(scenario.horizon_months, 48);
    let grid = &scenario.campuses[0].grid;
    assert_eq!(
        grid.iter()
            .map(|step| step.name.as_str())
            .collect::<Vec<_>>(),
        ["first", "new"]
    );
    assert_eq!(grid[0].wait_months, Uncertain::uniform(12.0, 24.0));
    assert_eq!(grid[0].power_mw, 5.0.into());
    assert_eq!(scenario.campuses[1].name, "south");
}

#[test]
fn problems_of_an_extended_file_are_reported_in_that_file() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "base.toml",
        &SMALL.replace("power_mw = 5\n", "power_mw = -5\n"),
    );
    let over = write(
        folder.path(),
        "over.toml",
        "extends = \"base.toml\"\nnme = \"x\"\n",
    );
    let Err(ScenarioError::Invalid(problems)) = Scenario::from_path(&over) else {
        panic!()
    };
    let places: Vec<(String, usize)> = problems
        .iter()
        .map(|problem| {
            let place = problem.location.as_ref().unwrap();
            (
                place
                    .file
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                place.line,
            )
        })
        .collect();
    assert!(places.contains(&("base.toml".to_owned(), 15)), "{places:?}");
    assert!(places.contains(&("over.toml".to_owned(), 2)), "{places:?}");
}

#[test]
fn files_that_are_missing_extend_in_a_circle_or_are_no_text_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = write(folder.path(), "scenario.toml", SMALL);
    let error = Scenario::from_path(folder.path().join("scenaro.toml"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("did you mean \"scenario.toml\"?"), "{error}");
    let lost = write(folder.path(), "lost.toml", "extends = \"scenaro.toml\"");
    let error = Scenario::from_path(lost).unwrap_err().to_string();
    assert!(
        error.contains("lost.toml:1:11") && error.contains("scenario.toml"),
        "{error}"
    );
    write(folder.path(), "a.toml", "extends = \"b.toml\"");
    let circle = write(folder.path(), "b.toml", "extends = \"a.toml\"");
    let error = Scenario::from_path(circle).unwrap_err().to_string();
    assert!(error.contains("extends this file in turn"), "{error}");
    std::fs::write(&here, b"name = \"a\"\nb = \"\xff\"").unwrap();
    let error = Scenario::from_path(&here).unwrap_err().to_string();
    assert!(error.ends_with(":2: this is not text in UTF-8"), "{error}");
    assert!(Scenario::from_path(folder.path()).is_err());
    let removed = write(
        folder.path(),
        "removed.toml",
        "extends = \"base.toml\"\n[[campuses]]\nname = \"nort\"\nremove = true",
    );
    write(folder.path(), "base.toml", SMALL);
    let error = Scenario::from_path(removed).unwrap_err().to_string();
    assert!(error.contains("there is no \"nort\" to remove"), "{error}");
    assert!(error.contains("did you mean \"north\"?"), "{error}");
}

#[test]
fn single_values_are_set_on_top() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "scenario.toml", SMALL);
    let set = |key: &str, value: &str| {
        Scenario::from_path_with(&path, &[(key.to_owned(), value.to_owned())])
    };
    let scenario = set("campuses.north.grid.first.wait", "36 months").unwrap();
    assert_eq!(
        scenario.campuses[0].grid[0].wait_months,
        Uncertain::Constant(36.0)
    );
    let scenario = set("campuses.0.grid.\"750 kV\".power_mw", "80").unwrap();
    assert_eq!(scenario.campuses[0].grid[1].power_mw, 80.0.into());
    let scenario = set("campuses.north.grid.750 kV.power", "80 MW").unwrap();
    assert_eq!(scenario.campuses[0].grid[1].power_mw, 80.0.into());
    let scenario = set("campuses.north.pue", "{ pert = [1.1, 1.2, 1.4] }").unwrap();
    assert_eq!(scenario.campuses[0].pue, Uncertain::pert(1.1, 1.2, 1.4));
    assert_eq!(set("name", "another").unwrap().name, "another");
    let reported = |key, value| set(key, value).unwrap_err().to_string();
    assert!(reported("campuses.noth.pue", "1.2").contains("did you mean \"north\"?"));
    // What is wrong is a step of the key, and it is the step that is pointed at.
    let error = reported("campuses.north.peu", "1.2");
    assert!(
        error.contains("did you mean \"pue\"?") && error.contains("--set:1:16"),
        "{error}"
    );
    let error = reported("campuses.north.pue", "0.5");
    assert!(
        error.contains("--set:1:20") && error.contains("1 or more"),
        "{error}"
    );
}

#[test]
fn the_examples_are_read() {
    for name in ["qingyang", "qingyang-slow-grid", "qingyang-strong-ai"] {
        let path = format!("{}/examples/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let scenario = Scenario::from_path(path).unwrap();
        let text = scenario.to_toml().unwrap();
        assert_eq!(Scenario::from_toml(&text).unwrap(), scenario, "{text}");
    }
}

fn quantity() -> impl Strategy<Value = Uncertain> {
    let value = 0.01..100.0_f64;
    prop_oneof![
        value.clone().prop_map(Uncertain::Constant),
        (value.clone(), value.clone()).prop_map(|(a, b)| Uncertain::uniform(a.min(b), a.max(b))),
        (value.clone(), value.clone()).prop_map(|(a, b)| Uncertain::pert(a, a + b, a + 3.0 * b)),
        (value.clone(), value.clone()).prop_map(|(a, b)| Uncertain::triangular(a, a + b, a + b)),
        (value.clone(), 0.01..1.0_f64).prop_map(|(a, b)| Uncertain::lognormal(a, b)),
        (value.clone(), 0.01..1.0_f64).prop_map(|(a, b)| Uncertain::Normal {
            mean: a,
            sd: b,
            min: Some(0.0),
            max: None
        }),
        (value.clone(), value.clone(), value.clone()).prop_map(|(a, b, c)| Uncertain::percentiles(
            a,
            a + b,
            a + b + c
        )),
        (value.clone(), value, 0.0..1.0_f64)
            .prop_map(|(a, b, p)| Uncertain::discrete([(a, p), (b, 1.0 - p)])),
    ]
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let names = "[A-Za-z\"\\\\ é中.\\-]{0,8}";
    (
        names,
        prop::collection::vec(quantity(), 6),
        1_u32..50,
        prop::option::of(1.0..1e6_f64),
        any::<bool>(),
        1_i8..=12,
    )
        .prop_map(|(name, quantities, count, power, flag, month)| {
            let mut scenario =
                Scenario::new(format!("n{name}"), Date::month(2025, month).unwrap(), count);
            scenario.description.clone_from(&name);
            scenario.rack_types.push(crate::compute::RackType::new(
                "air",
                0.1 + quantities.len() as f64,
            ));
            let mut hall = Hall::new(format!("hall{}", name.replace('/', "")), count, "air");
            hall.power_kw = power.map(Uncertain::from);
            let mut building = Building::new(if flag { "A{n}" } else { "A" });
            building.power_kw = power.map(Uncertain::from);
            building.activities = Some(vec![
                Activity::new("first", quantities[0].clone()),
                Activity::new("second", quantities[1].clone()).as_milestone(),
            ]);
            if flag {
                let mut series = Series::new(3, 1.5);
                series.first = 2;
                building.series = Some(series);
                building.halls = Some(vec![hall]);
            } else {
                hall.activities = vec![Activity {
                    name: "third".to_owned(),
                    duration_months: quantities[2].clone(),
                    after: Some(vec![
                        "first".into(),
                        Dependency::Lagged(Lagged {
                            activity: "second".to_owned(),
                            lag_months: quantities[3].clone(),
                            kind: LinkKind::StartToFinish,
                            lag_calendar: flag.then(|| "outdoor".to_owned()),
                        }),
                    ]),
                    milestone: flag,
                    not_before: flag.then(|| Date::month(2024, 6).unwrap()),
                    crews: vec![
                        "crane".into(),
                        CrewNeed::Several(CrewUnits {
                            crew: "welders".to_owned(),
                            units: 3.0,
                        }),
                    ],
                    probability: flag.then_some(0.25),
                    slots: flag.then(|| Slots {
                        reserved: vec![Date::month(2024, 7).unwrap()],
                        queue_months: quantities[0].clone(),
                    }),
                    ..Activity::new("", 0.0)
                }];
                building.halls = Some(vec![hall]);
            }
            let mut campus = Campus::new("north");
            campus.grid.push(crate::power::GridStep::new(
                "step",
                1.0,
                quantities[4].clone(),
            ));
            campus.buildings.push(building);
            scenario.calendars = vec![Calendar {
                week: Some(vec![8.0, 8.0, 8.0, 8.0, 4.0, 0.0, 0.0]),
                ..Calendar::new("outdoor")
            }];
            scenario.crews = vec![Crew::new("crane", 1), Crew::new("welders", 4)];
            scenario.campuses.push(campus);
            let mut segment = crate::tenants::Segment::new("all");
            segment.contract_power_kw = Some(quantities[5].clone());
            segment.priority = u32::from(flag);
            if flag {
                segment.allocation = crate::tenants::Allocation::Pooled;
                segment.patience_months = Some(quantities[0].clone());
            }
            scenario.segments.push(segment);
            if !flag {
                scenario.milestones.push(Milestone {
                    name: "done".to_owned(),
                    requires: vec!["A/second".to_owned()],
                });
            }
            scenario.targets.push(Target {
                name: "t".to_owned(),
                metric: Some("standard_racks".to_owned()),
                at_least: Some(f64::from(count)),
                milestone: None,
                campus: None,
                by: scenario.start,
            });
            scenario
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_reads_back_as_the_same_scenario(scenario in scenario()) {
        let text = scenario.to_toml().unwrap();
        let read = Scenario::from_toml(&text);
        match read {
            Ok(read) => prop_assert_eq!(read, scenario, "{}", text),
            Err(error) => prop_assert!(false, "{}\n{}", error, text),
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z_ =\\[\\]{}\"0-9.,\n#-]{0,200}") {
        let _ = Scenario::from_toml(&text);
        let _ = Scenario::from_toml(&format!("{SMALL}\n{text}"));
    }

    #[test]
    fn no_damage_makes_the_reader_panic(at in 0..SMALL.len(), byte in any::<char>(), cut in 0..20_usize) {
        let mut text = SMALL.to_owned();
        let end = (at + cut).min(text.len());
        text.replace_range(at..end, &byte.to_string());
        let _ = Scenario::from_toml(&text);
    }
}
