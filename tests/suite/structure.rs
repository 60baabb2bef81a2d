//! What a plan consists of may be uncertain in each of its parts: number, size, kind, date, and whether it comes at all.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use buildout::analysis::drivers::run::DriversRun;
use buildout::projection::TrialRow;
use buildout::{Model, Scenario, Workspace};

/// A campus of which all is known.
const CERTAIN: &str = r#"
format = 1
name = "structure"
start = "2025-01"
horizon_months = 48

[[rack_types]]
name = "rack"
power_kw = 40

[[generations]]
name = "chip"
rack_power_kw = 30
rack_pflops = { fp16_dense = 100 }
lead_time_months = 2

[[campuses]]
name = "north"
pue = 1.25

[[campuses.grid]]
name = "first"
power_mw = 6
wait_months = 3

[[campuses.substations]]
name = "S"
power_mw = 5
activities = [{ name = "works", duration_months = 5 }]

[[campuses.phases]]
name = "all"
starts = "2025-02"

[[campuses.buildings]]
name = "B{n}"
substation = "S"
after = ["all"]
series = { count = 3, every_months = 4 }
electrical = { redundancy = "N+1", module_power_kw = 500, modules = 3, stages = [{ name = "later", modules = 1, wait_months = 3 }] }
activities = [{ name = "shell", duration_months = 6 }]
halls = [{ name = "hall", racks = 40, rack_type = "rack", power_kw = 1_300, hardware = "chip" }]

[[segments]]
name = "AI"
outreach_per_month = 0
sign_probability = 1
contract_power_kw = 10

[[tenants]]
name = "anchor"
segment = "AI"
starts = "2025-10"
contract_power_kw = 900
"#;

/// What is stated as certain, what takes its place, and the end of the name of the input that it then is.
const UNCERTAIN: [(&str, &str, &str); 25] = [
    ("power_kw = 40", "power_kw = { uniform = [25, 60] }", "rack"),
    (
        "rack_power_kw = 30",
        "rack_power_kw = { uniform = [20, 39] }",
        "chip",
    ),
    (
        "fp16_dense = 100",
        "fp16_dense = { uniform = [80, 120] }",
        "chip",
    ),
    (
        "lead_time_months = 2",
        "lead_time_months = { uniform = [6, 12] }",
        "chip",
    ),
    ("power_mw = 6", "power_mw = { uniform = [2, 6] }", "first"),
    (
        "power_mw = 6\n",
        "power_mw = 6\nprobability = 0.5\n",
        "first",
    ),
    (
        "wait_months = 3\n\n[[campuses.sub",
        "wait_months = { uniform = [10, 20] }\n\n[[campuses.sub",
        "first",
    ),
    ("power_mw = 5", "power_mw = { uniform = [2, 5] }", "S"),
    ("power_mw = 5\n", "power_mw = 5\nprobability = 0.5\n", "S"),
    (
        "power_mw = 5\n",
        "power_mw = 5\ndelay_months = { uniform = [5, 20] }\n",
        "S",
    ),
    (
        "starts = \"2025-02\"",
        "starts = \"2025-02\"\ndelay_months = { uniform = [0, 9] }",
        "all",
    ),
    (
        "starts = \"2025-02\"",
        "starts = \"2025-02\"\nprobability = 0.5",
        "all",
    ),
    (
        "after = [\"all\"]",
        "starts = \"2025-02\"\ndelay_months = { uniform = [-2, 9] }",
        "B1",
    ),
    (
        "after = [\"all\"]",
        "after = [\"all\"]\nprobability = 0.5",
        "B1",
    ),
    ("count = 3", "count = { uniform = [0, 6] }", "B"),
    (
        "every_months = 4",
        "every_months = { uniform = [1, 9] }",
        "B2",
    ),
    ("modules = 3", "modules = { uniform = [2, 4] }", "B1"),
    ("modules = 1", "modules = { uniform = [0, 3] }", "B1"),
    ("racks = 40", "racks = { uniform = [20, 39] }", "hall"),
    (
        "power_kw = 1_300",
        "power_kw = { uniform = [500, 1_300] }",
        "hall",
    ),
    (
        "wait_months = 3 }]",
        "wait_months = { uniform = [0, 9] } }]",
        "later",
    ),
    (
        "starts = \"2025-10\"",
        "starts = \"2025-10\"\nprobability = 0.5",
        "anchor",
    ),
    (
        "starts = \"2025-10\"",
        "starts = \"2025-10\"\ndelay_months = { uniform = [-3, 9] }",
        "anchor",
    ),
    (
        "series = { count = 3, every_months = 4 }",
        "expansion = { most = 5, wait_months = { uniform = [2, 9] }, size = { lognormal = { median = 1, sigma = 0.5 } }, buildings = { uniform = [1, 3] }, compute_factor = { uniform = [0.5, 2] }, stop_probability = 0.2 }",
        "B",
    ),
    (
        "series = { count = 3, every_months = 4 }\n",
        "series = { count = 3, every_months = 4 }\nplan_class = \"announced\"\n",
        "B1",
    ),
];

/// How plans of a class turn out, which only counts where a plan belongs to it.
const CLASS: &str = r#"
[[plan_classes]]
name = "announced"
probability = 0.7
slip_factor = { uniform = [1, 2] }
delay_months = { uniform = [0, 3] }
size_factor = { uniform = [0.5, 1.5] }
"#;

fn model(text: &str) -> Model {
    Scenario::from_toml(&format!("{text}{CLASS}"))
        .unwrap_or_else(|error| panic!("{error}"))
        .compile()
        .unwrap()
}

/// The names of its inputs.
fn inputs(model: &Model) -> BTreeSet<String> {
    model.input_names().map(str::to_owned).collect()
}

/// How many different courses forty trials take, by all that is simulated of them.
fn courses(model: &Model) -> usize {
    let mut row = TrialRow::new(model.layout().clone());
    let mut workspace = Workspace::default();
    let courses = (0..40).map(|trial| {
        model.simulate(1, trial, &mut workspace, &mut row);
        let metrics = 0..model.layout().metrics.len();
        let monthly = metrics.flat_map(|metric| row.monthly(0, metric).to_vec());
        monthly.map(f64::to_bits).collect::<Vec<u64>>()
    });
    courses.collect::<BTreeSet<_>>().len()
}

#[test]
fn every_part_of_a_plan_may_be_uncertain_and_is_then_an_input_that_matters() {
    let certain = model(CERTAIN);
    let known = inputs(&certain);
    assert_eq!(courses(&certain), 1);
    for (from, to, of) in UNCERTAIN {
        assert!(CERTAIN.contains(from), "{from}");
        let uncertain = model(&CERTAIN.replacen(from, to, 1));
        let new: Vec<String> = inputs(&uncertain).difference(&known).cloned().collect();
        assert!(
            !new.is_empty() && new.iter().any(|name| name.contains(of)),
            "{to}: no input is named after {of} among {new:?}"
        );
        // By chance a probability of a half comes out alike in forty trials once in 5 x 10^11.
        assert!(courses(&uncertain) > 1, "{to} changes nothing");
    }
}

/// An input of the structure is like any other: it is found among what drives a result, loads on a factor whose strength is
/// itself uncertain, and goes with another by rank.
#[test]
fn inputs_of_the_structure_are_correlated_and_analysed_like_others() {
    let mut text = CERTAIN.to_owned();
    for (from, to) in [
        ("racks = 40", "racks = { uniform = [20, 39] }"),
        (
            "power_mw = 5",
            "power_mw = { mixture = [[0.5, { uniform = [1, 2] }], [0.5, { empirical = [3, 4, 5] }]] }",
        ),
        ("count = 3", "count = { uniform = [0, 6] }"),
    ] {
        assert!(text.contains(from));
        text = text.replacen(from, to, 1);
    }
    let named = |model: &Model, of: &str| {
        let mut names = model.input_names();
        names.find(|name| name.contains(of)).unwrap().to_owned()
    };
    let plain = model(&text);
    let (substation, count) = (named(&plain, "north/S"), named(&plain, "count"));
    let together = model(&format!(
        "{text}\n[correlations]\nfactors = [{{ name = \"policy\", loadings = [{{ inputs = [\"{substation}\", \"{count}\"], loading = {{ uniform = [0.3, 0.9] }} }}] }}]\n"
    ));
    let correlated = together.correlated_inputs().len();
    assert!(correlated >= 3, "{correlated}");
    let report = DriversRun::new(&together)
        .of(["it_power_mw"])
        .trials(2_000)
        .seed(1)
        .run()
        .unwrap();
    let found = &report.results[0].drivers.inputs;
    let found: Vec<&str> = found.iter().map(|input| input.name.as_str()).collect();
    for driver in [substation.as_str(), count.as_str(), "factors/policy"] {
        assert!(found.contains(&driver), "{driver} is not among {found:?}");
    }
}
