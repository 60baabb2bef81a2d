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
fn the_beginning_of_a_name_is_enough_if_only_one_has_it() {
    assert_eq!(like("Wholesale").unwrap().name, "wholesale campus");
    assert_eq!(like(" ai campus").unwrap().name, "AI campus");
    for unclear in ["", "campus", "wholsale campus"] {
        assert!(matches!(like(unclear), Err(LikeError::Unknown { .. })));
    }
    for (wrong, meant) in [("wholesle", "wholesale campus"), ("AI campsu", "AI campus")] {
        let said = like(wrong).unwrap_err().to_string();
        assert!(
            said.ends_with(&format!("did you mean \"{meant}\"?")),
            "{said}"
        );
    }
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

/// What only the planner can state, of whatever kind the project is: when it starts, what is asked, and with whom they talk.
fn is_the_planners(input: &crate::file::Input) -> bool {
    input.key == "start"
        || ["targets.", "tenants."]
            .iter()
            .any(|part| input.key.starts_with(part))
}

/// A number, a distribution, a month or a choice; not the name of something, nor which other part of the file is meant.
fn is_value(input: &crate::file::Input) -> bool {
    let last = input.key.rsplit('.').next().unwrap_or_default();
    let names = [
        "format",
        "name",
        "description",
        "source",
        "template",
        "rack_type",
        "substation",
        "segment",
        "segments",
        "metric",
        "after",
        "inputs",
        "activities",
    ];
    !names.contains(&last)
}

/// Whether a text names a year, or says that its source is not verified.
fn is_dated(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_year = |word: &str| {
        word.len() == 4
            && (word.starts_with("19") || word.starts_with("20"))
            && word.parse::<u16>().is_ok()
    };
    text.contains("unverified") || words.any(is_year)
}

/// A kind is worth beginning with if it states four of five values that a planner does not have to: each with the kind of its evidence, and
/// where that is published with title or publisher and year, or marked as unverified.
#[test]
fn four_of_five_values_are_filled_with_their_evidence() {
    for like in LIKES {
        let inputs = loaded(&like.toml(None, start()).unwrap()).inputs;
        let values: Vec<_> = inputs.iter().filter(|input| is_value(input)).collect();
        let is_filled = |input: &&&crate::file::Input| {
            let has_preset = input.note.starts_with("preset ");
            let has_source = has_preset || input.note.split("[P]").skip(1).all(is_dated);
            assert!(has_source, "{}: {}: {}", like.name, input.key, input.note);
            !is_the_planners(input) && !input.basis.is_empty()
        };
        let filled = values.iter().filter(is_filled).count();
        let share = filled as f64 / values.len() as f64;
        println!("{}: {filled} of {}", like.name, values.len());
        assert!(share >= 0.8, "{}: {filled} of {}", like.name, values.len());
    }
}

/// A figure that was published stands with where it was read, or just before it.
#[test]
fn published_figures_of_presets_are_dated_or_unverified() {
    for preset in crate::presets::all() {
        for (number, source) in preset.sources.iter().enumerate() {
            let next = preset.sources.get(number + 1);
            let dated = is_dated(source.text) || next.is_some_and(|next| is_dated(next.text));
            assert!(
                source.basis != Basis::Published || dated,
                "{}: {}",
                preset.name,
                source.text
            );
        }
    }
}

#[test]
#[ignore = "slow"]
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
                .metrics(["it_power_mw"])
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
