//! What drives results and what changes are worth, through the engine: published functions as outcomes of one's own,
//! campuses with known answers, and the commands.
#![cfg(all(feature = "files", feature = "cli"))]
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use buildout::analysis::drivers::report::ResultDrivers;
use buildout::analysis::drivers::run::DriversRun;
use buildout::analysis::worth::run::{Plan, WorthRun};
use buildout::model::extensions::{Extensions, OwnOutcome, Seen};
use buildout::projection::Metric;
use buildout::uncertain::normal_quantile;
use buildout::{Model, Scenario};

use crate::tool::buildout;

/// A function of numbers uniform in (0, 1): the finish of each of this many activities, less a month.
struct Function {
    inputs: usize,
    of: fn(&[f64]) -> f64,
}

impl OwnOutcome for Function {
    fn label(&self) -> Metric {
        Metric {
            name: "y".into(),
            unit: String::new(),
            meaning: "a function of finishes".into(),
        }
    }

    fn value(&self, seen: &Seen<'_>) -> f64 {
        let finish = |input: usize| seen.milestone(&format!("x{input}")).unwrap() - 1.0;
        (self.of)(&(0..self.inputs).map(finish).collect::<Vec<f64>>())
    }
}

/// A model whose only inputs are durations uniform from 1 to 2 months, and whose outcome is the function of them.
fn model_of(inputs: usize, of: fn(&[f64]) -> f64) -> Model {
    let mut text = String::from(
        "format = 1\nname = \"function\"\nstart = \"2025-01\"\nhorizon_months = 3\n[[campuses]]\nname = \"c\"\n",
    );
    for input in 0..inputs {
        write!(
            text,
            "[[campuses.buildings]]\nname = \"X{input}\"\nstarts = \"2025-01\"\n\
             activities = [{{ name = \"a\", duration_months = {{ uniform = [1, 2] }} }}]\nhalls = []\n"
        )
        .unwrap();
    }
    for input in 0..inputs {
        write!(
            text,
            "[[milestones]]\nname = \"x{input}\"\nrequires = [\"X{input}/a\"]\n"
        )
        .unwrap();
    }
    let scenario = Scenario::from_toml(&text).unwrap();
    let own = Extensions::new().outcome(Function { inputs, of });
    scenario.compile_with(&own).unwrap()
}

fn ishigami(u: &[f64]) -> f64 {
    let x: Vec<f64> = u
        .iter()
        .map(|u| std::f64::consts::PI * (2.0 * u - 1.0))
        .collect();
    x[0].sin() + 7.0 * x[1].sin().powi(2) + 0.1 * x[2].powi(4) * x[0].sin()
}

const SOBOL_G: [f64; 8] = [0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0];

fn sobol_g(u: &[f64]) -> f64 {
    (u.iter().zip(SOBOL_G))
        .map(|(u, a)| ((4.0 * u - 2.0).abs() + a) / (1.0 + a))
        .product()
}

fn total(result: &ResultDrivers, input: usize) -> (f64, f64) {
    let name = format!("c/X{input}/a");
    let factors = &result.confirmed.as_ref().unwrap().factors;
    let factor = factors.iter().find(|factor| factor.name == name).unwrap();
    (factor.total.value, factor.total.std_error)
}

/// Published: first order 0.314, 0.442, 0; totals 0.558, 0.442, 0.244.
#[test]
fn ishigami_through_the_engine() {
    let model = model_of(3, ishigami);
    let report = DriversRun::new(&model)
        .of(["y"])
        .trials(4_000)
        .seed(1)
        .confirm(3, 2_000)
        .run()
        .unwrap();
    let result = &report.results[0];
    for (input, first) in [(0, 0.314), (1, 0.442), (2, 0.0)] {
        let name = format!("c/X{input}/a");
        let found = result
            .drivers
            .inputs
            .iter()
            .find(|driver| driver.name == name)
            .unwrap();
        assert!((found.first_order.value - first).abs() < 0.05, "{found:?}");
    }
    for (input, expected) in [(0, 0.558), (1, 0.442), (2, 0.244)] {
        let (found, std_error) = total(result, input);
        assert!(
            (found - expected).abs() < 4.0 * std_error + 5e-4,
            "x{input}: {found} ±{std_error}"
        );
    }
    let noise = result.confirmed.as_ref().unwrap().factors.last().unwrap();
    assert_eq!(
        (noise.name.as_str(), noise.total.value),
        ("process noise", 0.0)
    );
}

/// In closed form: with V_i = 1 / (3 (1 + a_i)^2), S_Ti = V_i prod_{j != i} (1 + V_j) / (prod_j (1 + V_j) - 1).
#[test]
fn sobol_g_through_the_engine() {
    let model = model_of(8, sobol_g);
    let report = DriversRun::new(&model)
        .of(["y"])
        .trials(4_000)
        .seed(2)
        .confirm(3, 2_000)
        .run()
        .unwrap();
    let v = SOBOL_G.map(|a| 1.0 / (3.0 * (1.0 + a) * (1.0 + a)));
    let product: f64 = v.iter().map(|v| 1.0 + v).product();
    for (input, v) in v.iter().enumerate().take(3) {
        let expected = v * product / (1.0 + v) / (product - 1.0);
        let (found, std_error) = total(&report.results[0], input);
        assert!(
            (found - expected).abs() < 4.0 * std_error,
            "x{input}: {found} ±{std_error}, {expected}"
        );
    }
}

/// The live date is a permit of 1 to 3 months and a shell of 1 to 2: 4/12 and 1/12 of 5/12 of its variance.
#[test]
fn a_campus_with_known_answers() {
    let text = r#"
format = 1
name = "known"
start = "2025-01"
horizon_months = 12

[[rack_types]]
name = "air"
power_kw = 10

[[campuses]]
name = "c"

[[campuses.grid]]
name = "grid"
power_mw = 10
starts = "2025-01"
wait_months = 0

[[campuses.buildings]]
name = "A"
starts = "2025-01"
activities = [
  { name = "permit", duration_months = { uniform = [1, 3] } },
  { name = "shell", duration_months = { uniform = [1, 2] } },
]
halls = [{ name = "hall", racks = 10, rack_type = "air" }]

[[targets]]
name = "by April"
milestone = "A live"
by = "2025-04"
"#;
    let model = Scenario::from_toml(text).unwrap().compile().unwrap();
    let search = DriversRun::new(&model)
        .of(["A live", "by April"])
        .trials(5_000)
        .seed(1)
        .failures(true);
    let report = search.run().unwrap();
    let date = &report.results[0].drivers;
    for (input, (name, expected)) in date
        .inputs
        .iter()
        .zip([("c/A/permit", 0.8), ("c/A/shell", 0.2)])
    {
        assert_eq!(input.name, name);
        let off = (input.first_order.value - expected).abs();
        assert!(off < 4.0 * input.first_order.std_error + 0.005, "{input:?}");
    }
    assert!(date.explained.value > 0.99, "{:?}", date.explained);
    // At the permit's P10 (1.2 months) and P90 (2.8), with 1.5 months of shell.
    let [low, high] = date.inputs[0].tornado;
    assert!(
        (low.mean - 2.7).abs() < 5.0 * low.std_error
            && (high.mean - 4.3).abs() < 5.0 * high.std_error
    );
    // It is missed where both together take more than four months, which is where the permit is long.
    let missed = report.results[1].drivers.failures.as_ref().unwrap();
    assert!(
        missed[0].conditions[0].input == "c/A/permit" && missed[0].density > 0.5,
        "{missed:?}"
    );
}

/// A gain of N(0, 1) that one may leave: knowing it is worth 1 / sqrt(2 pi) = 0.3989.
#[test]
fn a_gain_that_one_may_leave() {
    let gain = model_of(2, |u| normal_quantile(u[0].clamp(1e-9, 1.0 - 1e-9)));
    let report = WorthRun::new(Plan::new("build", &gain), Vec::new())
        .money("y")
        .capacity("it_power_mw")
        .trials(4_000)
        .seed(1)
        .run()
        .unwrap();
    let information = report.information.unwrap();
    assert_eq!(information.options[1].name, "do nothing");
    let known = information
        .partial
        .iter()
        .find(|worth| worth.name == "c/X0/a")
        .unwrap();
    for worth in [&information.perfect, known] {
        // Whether building or not is best by chance, the worth of both cases is that of the other within the error.
        assert!(
            (worth.worth - 0.3989).abs() < 4.0 * worth.std_error + 0.02,
            "{worth:?}"
        );
    }
    let other = information
        .partial
        .iter()
        .find(|worth| worth.name == "c/X1/a")
        .unwrap();
    assert!(other.worth < 3.0 * other.std_error.max(0.005), "{other:?}");
}

/// The sum of two finishes with one of them at its median: half a month in the mean of the other, and no more spread.
#[test]
fn certainty_holds_an_input_at_its_median() {
    // Convex in the first: its spread adds E x^2 - (E x)^2 = 1/12 in the mean, which certainty takes away.
    let model = model_of(2, |u| u[0] * u[0] + u[1]);
    let plan = Plan::new("as planned", &model);
    let sure = Plan::new("sure", &model).certain(vec!["X0/a".into()]);
    let report = WorthRun::new(plan, vec![sure])
        .money("y")
        .trials(2_000)
        .seed(3)
        .run()
        .unwrap();
    let money = report.changes[0].money.as_ref().unwrap();
    assert!(
        (money.gain + 1.0 / 12.0).abs() < 4.0 * money.std_error,
        "{money:?}"
    );
    let unknown = Plan::new("sure", &model).certain(vec!["X0/b".into()]);
    let refused = WorthRun::new(Plan::new("as planned", &model), vec![unknown])
        .run()
        .unwrap_err();
    assert!(
        refused.to_string().contains("known: \"c/X0/a\""),
        "{refused}"
    );
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
#[ignore = "slow"]
fn the_first_lines_of_drivers_are_readable_at_80_columns() {
    let target = "100,000 PFLOPS by the end of 2027";
    let run = [
        "drivers",
        "examples/qingyang.toml",
        "--of",
        target,
        "--trials",
        "400",
        "--quiet",
    ];
    let output = buildout(&run);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let head: Vec<&str> = printed.lines().take(12).collect();
    assert!(head[0].contains(target));
    assert!(
        head.iter()
            .any(|line| line.contains("/plan slip") || line.contains("/plan size")),
        "{printed}"
    );
    assert!(
        printed.lines().all(|line| line.chars().count() <= 80),
        "{printed}"
    );
    let again = buildout(&run);
    assert_eq!(again.stdout, output.stdout);
    let json = buildout(&[&run[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["results"][0]["drivers"]["trials"], 400);
}

#[test]
#[ignore = "slow"]
fn drivers_and_worth_refuse_rather_than_mislead() {
    let drivers = |arguments: &[&str]| {
        let output = buildout(&[&["drivers", "examples/qingyang.toml"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        text(&output.stderr)
    };
    assert!(drivers(&["--trials", "50"]).contains("50 trials are too few to show"));
    let target = "300,000 standard racks by the end of 2025, the plan of 2022";
    let constant = drivers(&["--trials", "300", "--of", target]);
    assert!(
        constant.contains("missed in every one of 300 trials"),
        "{constant}"
    );
    assert!(
        drivers(&["--trials", "300", "--of", "installed_pflop@2027-12"])
            .contains("installed_pflops")
    );
    assert!(
        drivers(&["--trials", "300", "--group", "x=*/shel"]).contains("no uncertain input fits")
    );
    // Milestones that exist only once they are asked for are suggested, too, and what the one campus is not named for.
    for (wrong, meant) in [
        ("A1 fully lve", "did you mean \"A1 fully live\"?"),
        (
            "Campus/it_power_mw@2027-12",
            "write \"it_power_mw@2027-12\"",
        ),
    ] {
        let output = buildout(&["drivers", "examples/first.toml", "--of", wrong]);
        assert!(text(&output.stderr).contains(meant), "{output:?}");
    }
    let output = buildout(&["worth", "examples/first.toml", "--trials", "20"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("20 trials are too few to show"));
}

#[test]
#[ignore = "slow"]
fn worth_ranks_levers_by_money() {
    let output = buildout(&[
        "worth",
        "examples/wholesale.toml",
        "--trials",
        "400",
        "--quiet",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    for expected in [
        "permits in parallel",
        "pays up to",
        "EVPI",
        "paid back by the end of 2037",
    ] {
        assert!(printed.contains(expected), "{printed}");
    }
    assert!(
        printed.lines().all(|line| line.chars().count() <= 80),
        "{printed}"
    );
}

#[test]
fn shards_and_checkpoints_tell_what_one_run_tells() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let scenario = [
        "drivers",
        "examples/first.toml",
        "--of",
        "A1 live",
        "--trials",
        "400",
        "--quiet",
    ];
    let run = |more: &[&str]| buildout(&[&scenario[..], more].concat());
    let whole = run(&[]);
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    let (first, second) = (path("0.samples"), path("1.samples"));
    for (shard, file) in [("0/2", &first), ("1/2", &second)] {
        let output = run(&["--shard", shard, "--checkpoint", file]);
        assert!(output.status.success() && output.stdout.is_empty());
    }
    assert_eq!(
        run(&["--from", &first, "--from", &second]).stdout,
        whole.stdout
    );
    // Half of the trials are there, and the other half is run.
    assert!(text(&run(&["--checkpoint", &first]).stderr).contains("--resume"));
    let resumed = run(&["--checkpoint", &first, "--resume"]);
    assert_eq!(resumed.stdout, whole.stdout, "{}", text(&resumed.stderr));
    let missing = text(&run(&["--from", &second]).stderr);
    assert!(
        missing.contains("the trials 0 to 199 are missing"),
        "{missing}"
    );
    let other = text(&run(&["--merge", &second, "--seed", "2"]).stderr);
    assert!(other.contains("part of another run"), "{other}");
}

#[test]
fn worth_in_parts_is_that_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let asked = [
        "worth",
        "examples/first.toml",
        "--certain",
        "*/transformer",
        "--trials",
        "300",
        "--quiet",
        "--json",
    ];
    let run = |more: &[&str]| buildout(&[&asked[..], more].concat());
    let whole = run(&[]);
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    let (first, second) = (path("0"), path("1"));
    let asked_of_shards = &asked[..asked.len() - 1];
    for (shard, file) in [("0/2", &first), ("1/2", &second)] {
        let more = ["--shard", shard, "--checkpoint", file];
        let output = buildout(&[asked_of_shards, &more[..]].concat());
        assert!(output.status.success() && output.stdout.is_empty());
    }
    assert_eq!(
        run(&["--merge", &first, "--merge", &second]).stdout,
        whole.stdout
    );
    assert_eq!(
        run(&["--checkpoint", &second, "--resume"]).stdout,
        whole.stdout
    );
}

/// Stopping on what was seen leaves the numbers of as many trials that were asked for.
#[test]
fn trials_are_run_until_indices_and_gains_are_known() {
    let json = |arguments: &[&str]| -> serde_json::Value {
        let output = buildout(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let asked = [
        "drivers",
        "examples/first.toml",
        "--of",
        "A1 live",
        "--json",
        "--quiet",
    ];
    let until = [
        "--until",
        "index=0.05",
        "--at-least",
        "200",
        "--trials",
        "6400",
    ];
    let mut stopped = json(&[&asked[..], &until[..]].concat());
    let trials = stopped["trials"].as_u64().unwrap();
    let known = stopped.as_object_mut().unwrap().remove("known_to").unwrap();
    assert!(known["is_reached"] == true || trials == 6_400, "{known}");
    assert!(trials > 200, "{known}");
    let plain = json(&[&asked[..], &["--trials", &trials.to_string()]].concat());
    assert_eq!(stopped, plain);
    let worth = [
        "worth",
        "examples/first.toml",
        "--change",
        "later: campuses.North.buildings.A1.delay_months=6",
        "--json",
        "--quiet",
    ];
    let until = ["--until", "gain=2", "--at-least", "200", "--trials", "800"];
    let mut stopped = json(&[&worth[..], &until[..]].concat());
    let trials = stopped["trials"].as_u64().unwrap().to_string();
    stopped.as_object_mut().unwrap().remove("known_to").unwrap();
    assert_eq!(
        stopped,
        json(&[&worth[..], &["--trials", &trials]].concat())
    );
}
