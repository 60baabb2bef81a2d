//! Each part of the model against closed forms and published examples, from `tests/reference/cases.csv`.
//!
//! A line of that file has what is computed, from which inputs, what is expected, within what, and why. The table in
//! docs/verification.md is made here:
//! `BUILDOUT_RENEW=1 cargo test --profile thorough --test suite verification -- --ignored` writes it again.
#![cfg(feature = "files")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use buildout::finance::{InternalRate, internal_rate_of_return, net_present_value, payback_months};
use buildout::power::{GroupAvailability, ModuleGroup, Redundancy, mechanical_share};
use buildout::uncertain::{Domain, Sampler};
use buildout::{Batch, Projection, Scenario, Uncertain};

const SEED: u64 = 20_250_701;

struct Case {
    part: String,
    name: String,
    check: String,
    inputs: String,
    expected: f64,
    tolerance: f64,
    source: String,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn cases() -> Vec<Case> {
    let mut reader = csv::Reader::from_path(file("tests/reference/cases.csv")).expect("the cases");
    let rows = reader.records().map(|row| {
        let row = row.expect("a line of seven columns");
        let text = |column: usize| row[column].to_owned();
        let number = |column: usize| {
            let parsed = row[column].parse();
            parsed.unwrap_or_else(|_| panic!("{} is no number in {row:?}", &row[column]))
        };
        Case {
            part: text(0),
            name: text(1),
            check: text(2),
            inputs: text(3),
            expected: number(4),
            tolerance: number(5),
            source: text(6),
        }
    });
    rows.collect()
}

/// "arrivals 3; term 5" by name.
fn numbers(inputs: &str) -> BTreeMap<&str, f64> {
    let pairs = inputs.split(';').map(|pair| {
        let (name, value) = pair.trim().split_once(' ').expect("a name and a value");
        (name, value.parse().expect("a number"))
    });
    pairs.collect()
}

/// "-1000; 33.2 x 36" as one number for each month.
fn flows(inputs: &str) -> Vec<f64> {
    let mut flows = Vec::new();
    for part in inputs.split(';').map(str::trim) {
        if part.starts_with("rate ") || part.starts_with("each ") {
            continue;
        }
        let (value, count) = part.split_once(" x ").unwrap_or((part, "1"));
        let value: f64 = value.parse().expect("an amount");
        let count: usize = count.parse().expect("a count");
        flows.extend(std::iter::repeat_n(value, count));
    }
    flows
}

/// A distribution of the file, in which semicolons and spaces stand for commas.
fn sampler(text: &str) -> Sampler {
    let toml = format!("{} ", text.trim())
        .replace("; ", ", ")
        .split('[')
        .map(|part| match part.split_once(']') {
            Some((list, rest)) => format!("{}]{rest}", list.trim().replace(' ', ", ")),
            None => part.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("[");
    let text = format!(
        "name = \"d\"\nstart = \"2025-01\"\nhorizon_months = 1\ncampuses = [{{ name = \"c\", activities = [{{ name = \"a\", duration_months = {toml} }}] }}]"
    );
    let scenario = Scenario::from_toml(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let quantity: &Uncertain = &scenario.campuses[0].activities[0].duration_months;
    quantity
        .sampler(Domain::NON_NEGATIVE)
        .expect("a distribution")
}

fn run(text: &str, trials: u64) -> Projection {
    let scenario = Scenario::from_toml(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let model = scenario.compile().expect("a model");
    let batch = Batch::new(&model).trials(trials).seed(SEED);
    batch.run().expect("a projection")
}

fn mean_of_milestone(projection: &Projection, name: &str) -> f64 {
    let mut milestones = projection.milestones();
    let (_, found) = milestones.find(|(found, _)| *found == name).expect("it");
    found.mean().expect("a mean")
}

/// The mean over trials, and over the months from `from` on.
fn mean_from(projection: &Projection, metric: &str, from: usize) -> f64 {
    let means = projection.metric(metric).expect("a metric").mean();
    means[from..].iter().sum::<f64>() / (means.len() - from) as f64
}

fn last(projection: &Projection, metric: &str) -> f64 {
    *projection
        .metric(metric)
        .expect("a metric")
        .mean()
        .last()
        .expect("a month")
}

fn cpm(inputs: &str) -> f64 {
    let works: Vec<String> = (inputs.split(';').map(str::trim))
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let after: Vec<String> = words[2..]
                .iter()
                .map(|name| format!("\"{name}\""))
                .collect();
            let after = if after.is_empty() {
                "\"c0\"".to_owned()
            } else {
                after.join(", ")
            };
            format!(
                "{{ name = \"{}\", duration_months = {}, after = [{after}] }}",
                words[0], words[1]
            )
        })
        .collect();
    let names: Vec<String> = (inputs.split(';').map(str::trim))
        .map(|line| format!("\"{}\"", line.split(' ').next().expect("a name")))
        .collect();
    let text = format!(
        "name = \"cpm\"\nstart = \"2025-01\"\nhorizon_months = 120\nmilestones = [{{ name = \"end\", requires = [{}] }}]\n[[campuses]]\nname = \"c\"\nactivities = [{{ name = \"c0\", duration_months = 0 }}, {}]\n",
        names.join(", "),
        works.join(", ")
    );
    mean_of_milestone(&run(&text, 1), "end")
}

fn merge(inputs: &str) -> f64 {
    let given = numbers(inputs);
    let count = given["count"] as usize;
    let works: Vec<String> = (0..count)
        .map(|number| {
            let months = given["months"];
            format!("{{ name = \"w{number}\", duration_months = {{ uniform = [0, {months}] }}, after = [\"begin\"] }}")
        })
        .collect();
    let names: Vec<String> = (0..count).map(|number| format!("\"w{number}\"")).collect();
    let text = format!(
        "name = \"merge\"\nstart = \"2025-01\"\nhorizon_months = 24\nmilestones = [{{ name = \"end\", requires = [{}] }}]\n[[campuses]]\nname = \"c\"\nactivities = [{{ name = \"begin\", duration_months = 0 }}, {}]\n",
        names.join(", "),
        works.join(", ")
    );
    mean_of_milestone(&run(&text, 20_000), "end")
}

/// A campus of `places` places of 10 kW, live from the start, and one segment of contracts of one place.
fn market(months: usize, places: u32, segment: &str) -> String {
    format!(
        r#"name = "market"
start = "2025-01"
horizon_months = {months}
rack_types = [{{ name = "r", power_kw = 10 }}]
campuses = [{{ name = "c", existing = {{ racks = {places}, rack_type = "r", power_kw = {} }} }}]
[[segments]]
name = "s"
sign_probability = 1
contract_power_kw = 10
{segment}
"#,
        places * 10
    )
}

fn bass_run(inputs: &str) -> f64 {
    let given = numbers(inputs);
    let segment = format!(
        "outreach_curve = {{ companies = {}, innovation_per_year = {}, imitation_per_year = {} }}",
        given["companies"], given["p"], given["q"]
    );
    let text = market(given["months"] as usize, 1_000_000, &segment);
    last(&run(&text, 400), "companies_contacted")
}

fn mg_infinity(inputs: &str) -> f64 {
    let given = numbers(inputs);
    let segment = format!(
        "outreach_per_month = {}\nterm_months = {}\nchurn_per_month = {}",
        given["arrivals"], given["term"], given["churn"]
    );
    last(
        &run(&market(120, 1_000_000, &segment), 16_000),
        "contracts_in_service",
    )
}

fn erlang_b(inputs: &str) -> f64 {
    let given = numbers(inputs);
    let segment = format!(
        "outreach_per_month = {}\nchurn_per_month = {}\npatience_months = 0",
        given["arrivals"], given["churn"]
    );
    let projection = run(&market(300, given["places"] as u32, &segment), 400);
    let since = |metric: &str| {
        let means = projection.metric(metric).expect("a metric").mean();
        means[299] - means[99]
    };
    since("contracts_lost") / since("contracts_signed")
}

fn erlang_c(inputs: &str) -> f64 {
    let given = numbers(inputs);
    let segment = format!(
        "outreach_per_month = {}\nchurn_per_month = {}",
        given["arrivals"], given["churn"]
    );
    let projection = run(&market(300, given["places"] as u32, &segment), 600);
    mean_from(&projection, "waiting_demand_mw", 100) / 0.01
}

fn newsvendor(inputs: &str) -> f64 {
    let given = numbers(inputs);
    let segment = "outreach_per_month = 0";
    let text = market(3, (given["capacity"] / 10.0) as u32, segment)
        + &format!(
            "[[tenants]]\nname = \"t\"\nsegment = \"s\"\nstarts = \"2025-01\"\ncontract_power_kw = {{ uniform = [0, {}] }}\n",
            given["most"]
        );
    last(&run(&text, 10_000), "in_service_power_mw") * 1_000.0
}

fn facility_mw(inputs: &str) -> f64 {
    let given = numbers(inputs);
    let text = format!(
        "name = \"p\"\nstart = \"2025-01\"\nhorizon_months = 1\nrack_types = [{{ name = \"r\", power_kw = {} }}]\ncampuses = [{{ name = \"c\", pue = {}, existing = {{ racks = {}, rack_type = \"r\", power_kw = {} }} }}]",
        given["rack_kw"],
        given["pue"],
        given["racks"],
        given["racks"] * given["rack_kw"]
    );
    last(&run(&text, 1), "facility_power_mw")
}

fn tco(inputs: &str) -> f64 {
    let given = numbers(inputs);
    let text = format!(
        "name = \"t\"\nstart = \"2025-01\"\nhorizon_months = {}\ncampuses = [{{ name = \"c\" }}]\n[finance]\ndiscount_rate_per_year = {}\ncapex = [{{ name = \"all\", amount = {} }}]\nopex = [{{ name = \"run\", amount_per_year = {} }}]\n",
        given["months"], given["rate"], given["capex"], given["opex_per_year"]
    );
    let projection = run(&text, 1);
    let mut outcomes = projection.outcomes();
    let (_, npv) = outcomes.find(|(label, _)| label.name == "npv").expect("it");
    npv.mean().expect("a trial")
}

fn computed(case: &Case) -> f64 {
    let inputs = case.inputs.as_str();
    match case.check.as_str() {
        "cpm" => cpm(inputs),
        "merge" => merge(inputs),
        "sampler_mean" => sampler(inputs).mean(),
        "sampler_quantile" => {
            let (distribution, p) = inputs.rsplit_once(' ').expect("a distribution and a p");
            sampler(distribution).at(p.parse().expect("a probability"))
        }
        "k_of_n" => {
            let given = numbers(inputs);
            let count = |name: &str| given[name] as u32;
            let group = ModuleGroup::independent(
                count("modules"),
                count("needed"),
                given["unavailability"],
            );
            let found: GroupAvailability = group.availability().expect("a group");
            found.full
        }
        "usable" => {
            let (redundancy, modules) = inputs.split_once(' ').expect("two words");
            let redundancy: Redundancy = redundancy.parse().expect("a redundancy");
            redundancy
                .usable_modules(modules.parse().expect("a number"))
                .into()
        }
        "facility_mw" => facility_mw(inputs),
        "mechanical" => {
            let given = numbers(inputs);
            mechanical_share(
                given["mean"],
                given["spread"],
                given["free_below"],
                given["mechanical_above"],
            )
        }
        "backorders" => {
            let given = numbers(inputs);
            buildout::compute::expected_backorders(given["spares"] as u32, given["mean"])
        }
        "bass" => {
            let given = numbers(inputs);
            buildout::tenants::bass_share(given["p"], given["q"], given["years"])
        }
        "bass_run" => bass_run(inputs),
        "mg_infinity" => mg_infinity(inputs),
        "erlang_b" => erlang_b(inputs),
        "erlang_c" => erlang_c(inputs),
        "newsvendor" => newsvendor(inputs),
        "npv" => {
            let rate = inputs.rsplit_once("rate ").expect("a rate").1;
            net_present_value(&flows(inputs), rate.parse().expect("a rate"))
        }
        "irr" => match internal_rate_of_return(&flows(inputs)) {
            InternalRate::Single(rate) => rate,
            other => panic!("{other:?}"),
        },
        "payback" => payback_months(&flows(inputs)),
        "tco" => tco(inputs),
        other => panic!("no check is named {other}"),
    }
}

fn shown(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-4..1e9).contains(&size) {
        let digits = (9 - size.max(1e-9).log10().floor() as i32).clamp(0, 9) as usize;
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        return text.to_owned();
    }
    format!("{value:.1e}")
}

const BEGIN: &str = "<!-- made by tests/suite/verification.rs -->\n";
const END: &str = "<!-- end -->";

fn table(cases: &[(Case, f64)]) -> String {
    let mut text = BEGIN.to_owned();
    text += "| part | case | expected | got | error | tolerance | source |\n| --- | --- | ---: | ---: | ---: | ---: | --- |\n";
    for (case, got) in cases {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.1e} | {} | {} |",
            case.part,
            case.name,
            shown(case.expected),
            shown(*got),
            (got - case.expected).abs(),
            shown(case.tolerance),
            case.source.replace('|', "/"),
        );
    }
    text + END
}

#[test]
#[ignore = "slow"]
fn every_case_is_met_and_the_table_in_the_documents_says_so() {
    let found: Vec<(Case, f64)> = (cases().into_iter())
        .map(|case| {
            let got = computed(&case);
            (case, got)
        })
        .collect();
    let missed: Vec<String> = (found.iter())
        .filter(|(case, got)| got.is_nan() || (got - case.expected).abs() > case.tolerance)
        .map(|(case, got)| {
            format!(
                "{}: {got}, not {} +- {}",
                case.name, case.expected, case.tolerance
            )
        })
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let path = file("docs/verification.md");
    let text = fs::read_to_string(&path).expect("the document");
    let begin = text.find(BEGIN).expect("where the table begins");
    let end = text.find(END).expect("where it ends") + END.len();
    if std::env::var_os("BUILDOUT_RENEW").is_some() {
        let renewed = format!("{}{}{}", &text[..begin], table(&found), &text[end..]);
        fs::write(&path, renewed).expect("it is written");
        return;
    }
    // What comes of chance may differ from the table as far as it may from what is expected.
    for (line, (case, got)) in text[begin..end].lines().skip(3).zip(&found) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        assert_eq!(cells.get(2), Some(&case.name.as_str()), "renew the table");
        assert_eq!(
            cells[3],
            shown(case.expected),
            "{}: renew the table",
            case.name
        );
        let reported: f64 = cells[4].parse().expect("a number");
        let apart = (reported - got).abs();
        assert!(
            apart <= 2.0 * case.tolerance + 1e-8 * got.abs(),
            "{}: renew the table",
            case.name
        );
    }
    assert_eq!(
        text[begin..end].lines().count(),
        found.len() + 4,
        "renew the table"
    );
}
