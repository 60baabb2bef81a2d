use super::*;
use crate::presets::Basis;
use crate::{Batch, Scenario};

fn start() -> Date {
    Date::month(2024, 6).unwrap()
}

/// The values of a text with what stands behind them.
fn loaded(text: &str) -> crate::file::Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("like.toml");
    std::fs::write(&path, text).unwrap();
    Scenario::load(path, &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_value_says_what_stands_behind_it() {
    for like in LIKES {
        let loaded = loaded(&like.toml(None, start()).unwrap());
        let said = |input: &&crate::file::Input| !input.basis.is_empty();
        // What a file is and how things are called needs no source.
        let inputs: Vec<_> = (loaded.inputs.iter())
            .filter(|input| !["format", "name", "description"].contains(&input.key.as_str()))
            .collect();
        let unsaid: Vec<&str> = (inputs.iter())
            .filter(|input| !said(input))
            .map(|input| input.key.as_str())
            .collect();
        assert!(unsaid.is_empty(), "{}: {unsaid:?}", like.name);
        let published = inputs
            .iter()
            .filter(|input| input.basis.contains(&Basis::Published));
        assert!(published.count() >= 10, "{}", like.name);
    }
}

#[test]
fn all_run_at_several_sizes_and_answer_what_is_asked() {
    for like in LIKES {
        for factor in [0.5, 1.0, 2.0] {
            let power = like.power_mw * factor;
            let loaded = loaded(&like.toml(Some(power), start()).unwrap());
            assert!(
                loaded.warnings.is_empty(),
                "{}: {}",
                like.name,
                loaded.warnings
            );
            let projection = Batch::new(&loaded.scenario.compile().unwrap())
                .trials(400)
                .seed(1)
                .run()
                .unwrap();
            let live = *projection
                .metric("it_power_mw")
                .unwrap()
                .quantile(0.5)
                .last()
                .unwrap();
            assert!(
                live > 0.6 * power && live <= 1.1 * power,
                "{} {power}: {live}",
                like.name
            );
            let first = &projection.targets().next().unwrap();
            let probability = first.probability().unwrap();
            assert!(
                (0.02..=0.98).contains(&probability),
                "{} {power}: {probability}",
                like.name
            );
            assert!(
                loaded
                    .scenario
                    .risks
                    .iter()
                    .any(|risk| risk.name == "project-wide delay")
            );
        }
    }
}

#[test]
fn what_cannot_be_is_refused_with_what_could() {
    let reported = like("AI kampus").unwrap_err().to_string();
    assert!(
        reported.contains("did you mean \"AI campus\"?"),
        "{reported}"
    );
    assert!(LIKES[0].toml(Some(0.0), start()).is_err());
    assert!(LIKES[0].toml(Some(f64::NAN), start()).is_err());
    assert!(LIKES[0].toml(None, Date::month(9999, 12).unwrap()).is_err());
}
