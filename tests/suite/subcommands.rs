//! The subcommands around a run: new, validate, presets, schema, completions and man.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::{Command, Stdio};

use buildout::presets::STARTERS;
use serde_json::Value;

use crate::tool::{buildout, buildout_in, err, out};

#[test]
fn a_new_scenario_is_valid_and_runs_and_is_not_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    for starter in STARTERS {
        let file = format!("{}.toml", starter.name);
        let new = ["new", &file, "--preset", starter.name];
        assert!(buildout_in(folder.path(), &new).status.success());
        let valid = buildout_in(folder.path(), &["validate", &file, "--strict"]);
        assert!(valid.status.success(), "{}", err(&valid));
        let run = buildout_in(folder.path(), &["run", &file, "--trials", "20"]);
        assert!(run.status.success(), "{}", err(&run));
        let again = buildout_in(folder.path(), &new);
        assert_eq!(again.status.code(), Some(1));
        assert!(err(&again).contains("there already"));
    }
    let printed = buildout_in(folder.path(), &["new", "-"]);
    assert_eq!(out(&printed), STARTERS[0].text);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), STARTERS.len());
}

#[test]
fn validate_tells_all_that_is_wrong_or_unlikely_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = STARTERS[0].text;
    let odd = text.replace("pue = { pert = [1.2, 1.3, 1.5] }", "pue = 3");
    assert_ne!(odd, text);
    fs::write(folder.path().join("odd.toml"), &odd).unwrap();
    let bad = odd
        .replace("24 MW building\"  ", "24 MW bilding\"  ")
        .replace("by = \"2028-12\"", "by = \"2008-12\"");
    fs::write(
        folder.path().join("bad.toml"),
        bad.replace(
            "preset = \"hyperscaler\"",
            "preset = \"hyperscaler\"\nchurn = 1",
        ),
    )
    .unwrap();

    let odd = buildout_in(folder.path(), &["validate", "odd.toml"]);
    assert_eq!(odd.status.code(), Some(0));
    let line = text
        .lines()
        .position(|line| line.starts_with("pue"))
        .unwrap()
        + 1;
    for words in [
        "warning: pue is 3",
        &format!("odd.toml:{line}:7"),
        "^",
        "no errors, 1 warning",
    ] {
        assert!(
            err(&odd).contains(words),
            "{words} is not in\n{}",
            err(&odd)
        );
    }
    let strict = buildout_in(folder.path(), &["validate", "odd.toml", "--strict"]);
    assert_eq!(strict.status.code(), Some(2));

    let bad = buildout_in(folder.path(), &["validate", "bad.toml", "missing.toml"]);
    assert_eq!(bad.status.code(), Some(2));
    for words in [
        "24 MW bilding",
        "did you mean \"24 MW building\"?",
        "missing.toml",
    ] {
        assert!(
            err(&bad).contains(words),
            "{words} is not in\n{}",
            err(&bad)
        );
    }
    assert!(bad.stdout.is_empty());

    let set = [
        "validate",
        "odd.toml",
        "--json",
        "--set",
        "targets.0.by=2008-12",
        "--set",
        "segments.enterprise.churn=1",
    ];
    let json = buildout_in(folder.path(), &set);
    assert_eq!(json.status.code(), Some(2));
    let list: Value = serde_json::from_str(&out(&json)).unwrap();
    let list = list.as_array().unwrap();
    assert!(
        list.iter()
            .any(|problem| problem["severity"] == "error" && problem["file"] == "--set"),
        "{list:?}"
    );
    assert!(err(&json).is_empty(), "{}", err(&json));
}

#[test]
fn presets_are_listed_and_shown_with_sources_that_read_back() {
    let list = out(&buildout(&["presets"]));
    for words in [
        "generations\n",
        "GB200 NVL72",
        "power transformer",
        "hyperscaler",
    ] {
        assert!(list.contains(words), "{words}");
    }
    let one = out(&buildout(&["presets", "list", "substations"]));
    assert!(one.contains("110 kV substation") && !one.contains("GB200"));
    let shown = out(&buildout(&["presets", "show", "gb200 nvl72"]));
    assert!(shown.contains("# [published] 180 PFLOPS") && shown.contains("rack_power_kw = 145.0"));
    let json: Value = serde_json::from_str(&out(&buildout(&["presets", "--json"]))).unwrap();
    assert_eq!(
        json.as_array().unwrap().len(),
        buildout::presets::all().count()
    );
    let unknown = buildout(&["presets", "show", "GB200 NVL27"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(err(&unknown).contains("did you mean \"GB200 NVL72\"?"));
}

#[test]
fn shells_editors_and_readers_of_manuals_are_served() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            out(&buildout(&["completions", shell])).contains("validate"),
            "{shell}"
        );
    }
    assert!(out(&buildout(&["man"])).contains(".TH buildout 1"));
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man");
    assert!(
        buildout(&["man", "--out", pages.to_str().unwrap()])
            .status
            .success()
    );
    assert!(
        fs::read_to_string(pages.join("buildout-run.1"))
            .unwrap()
            .contains("trials")
    );
    let schema: Value = serde_json::from_str(&out(&buildout(&["schema"]))).unwrap();
    assert_eq!(schema["title"], "buildout scenario");
}

#[test]
fn every_help_has_examples_and_the_exit_statuses_and_a_wrong_word_the_right_one() {
    let help = out(&buildout(&["--help"]));
    let commands: Vec<&str> = (help.lines())
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        // Long descriptions go on in lines that are indented further.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() >= 7, "{help}");
    for command in commands {
        let help = out(&buildout(&[command, "--help"]));
        assert!(help.contains("Exit status: 0"), "{command}: {help}");
        assert!(help.contains("Examples:"), "{command}: {help}");
    }
    let wrong = buildout(&["valdate", "a.toml"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("'validate'"), "{}", err(&wrong));
    let forgotten = buildout(&["examples/first.toml"]);
    assert_eq!(forgotten.status.code(), Some(2));
    let expected = "did you mean `buildout run examples/first.toml`?";
    assert!(err(&forgotten).contains(expected), "{}", err(&forgotten));
    let near = buildout(&["run", "examples/frist.toml"]);
    assert_eq!(near.status.code(), Some(2));
    assert!(err(&near).contains("\"first.toml\""), "{}", err(&near));
}

#[test]
fn quiet_commands_say_nothing_of_what_is_right_or_only_unlikely() {
    let folder = tempfile::tempdir().unwrap();
    let odd = STARTERS[0]
        .text
        .replace("pue = { pert = [1.2, 1.3, 1.5] }", "pue = 3");
    fs::write(folder.path().join("odd.toml"), odd).unwrap();
    let commands: &[&[&str]] = &[
        &["new", "new.toml"],
        &["validate", "new.toml"],
        &["run", "odd.toml", "--trials", "5", "--out", "out"],
        &["replay", "odd.toml", "--trial", "3"],
        &["report", "odd.toml", "--trials", "5"],
        &["set", "odd.toml", "horizon_months=100"],
    ];
    for command in commands {
        let quiet = [command, &["--quiet"][..]].concat();
        let output = buildout_in(folder.path(), &quiet);
        assert!(output.status.success(), "{command:?}: {}", err(&output));
        assert!(err(&output).is_empty(), "{command:?}: {}", err(&output));
    }
    // Without it they do say something: what is unlikely, or what they wrote.
    for command in &commands[2..] {
        let command: Vec<&str> = (command.iter().copied())
            .chain(match command[0] {
                "run" | "report" => Some("--force"),
                _ => None,
            })
            .collect();
        let output = buildout_in(folder.path(), &command);
        assert!(
            err(&output).to_lowercase().contains("pue"),
            "{command:?}: {}",
            err(&output)
        );
    }
}

#[test]
fn json_is_all_that_is_printed_where_it_is_asked_for() {
    let file = "examples/first.toml";
    let commands: &[&[&str]] = &[
        &["validate", file, "--json"],
        &["run", file, "--trials", "5", "--json"],
        &["replay", file, "--trial", "3", "--json"],
        &["presets", "--json"],
        &["schema"],
    ];
    for command in commands {
        let output = buildout(command);
        assert!(output.status.success(), "{command:?}: {}", err(&output));
        let json: Result<Value, _> = serde_json::from_slice(&output.stdout);
        assert!(json.is_ok(), "{command:?}");
        assert!(!out(&output).contains('\u{1b}'));
    }
}

/// A terminal is needed for that; `script` makes one where it is there.
#[test]
fn colours_are_for_terminals_and_never_with_no_color() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.toml"), "name = 3\n").unwrap();
    let command = format!("{} validate bad.toml", env!("CARGO_BIN_EXE_buildout"));
    let on_a_terminal = |no_color: Option<&str>| {
        let mut script = Command::new("script");
        script.args(["-qec", &command, "/dev/null"]);
        script.current_dir(folder.path()).env("TERM", "xterm");
        match no_color {
            Some(value) => script.env("NO_COLOR", value),
            None => script.env_remove("NO_COLOR"),
        };
        script
            .stdin(Stdio::null())
            .output()
            .ok()
            .map(|output| out(&output))
    };
    let Some(coloured) = on_a_terminal(None) else {
        eprintln!("skipped: there is no `script` here");
        return;
    };
    assert!(coloured.contains("\u{1b}[1;31merror:"), "{coloured:?}");
    let plain = on_a_terminal(Some("1")).unwrap();
    assert!(
        plain.contains("error:") && !plain.contains('\u{1b}'),
        "{plain:?}"
    );
    // But for the colours the words are the same.
    let mut words = coloured;
    for code in ["[1;31m", "[1;33m", "[1;34m", "[36m", "[0m"] {
        words = words.replace(&format!("\u{1b}{code}"), "");
    }
    assert_eq!(words, plain);
    let piped = buildout_in(folder.path(), &["validate", "bad.toml"]);
    assert!(!err(&piped).contains('\u{1b}'));
}

#[test]
fn nothing_that_is_printed_moves_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let text = "name = \"庆阳\t\u{1b}[31m\u{7}\u{202e}\"\n";
    fs::write(folder.path().join("bad.toml"), text).unwrap();
    let said = err(&buildout_in(folder.path(), &["validate", "bad.toml"]));
    assert!(
        said.contains("\"庆阳\t\u{fffd}[31m\u{fffd}\u{fffd}\""),
        "{said:?}"
    );
}

#[test]
fn a_value_is_set_in_a_file_that_keeps_its_comments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    let text = STARTERS[0].text;
    fs::write(&path, text).unwrap();
    let set = |arguments: &[&str]| {
        buildout_in(
            folder.path(),
            &[&["set", "plan.toml"][..], arguments].concat(),
        )
    };
    let printed = set(&["horizon_months=108", "--print"]);
    assert!(printed.status.success(), "{}", err(&printed));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let done = set(&["horizon_months=108"]);
    assert!(err(&done).contains("wrote plan.toml"), "{}", err(&done));
    let now = fs::read_to_string(&path).unwrap();
    assert_eq!(out(&printed), now);
    let comments = |text: &str| text.lines().filter(|line| line.contains('#')).count();
    assert_eq!(comments(&now), comments(text));
    assert_eq!(now.lines().count(), text.lines().count());

    // What would be wrong is not written, and nothing is left behind.
    for (arguments, words) in [
        (&["horizon_months=0"][..], "horizon_months"),
        (&["horizont_months=60"], "did you mean \"horizon_months\"?"),
        (&["name"], "KEY=VALUE"),
    ] {
        let refused = set(arguments);
        assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
        assert!(err(&refused).contains(words), "{}", err(&refused));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), now);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_of_another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = STARTERS[0].text.replace("format = 1", "format = 2");
    assert_ne!(text, STARTERS[0].text);
    fs::write(folder.path().join("later.toml"), text).unwrap();
    let output = buildout_in(folder.path(), &["validate", "later.toml"]);
    assert_eq!(output.status.code(), Some(2));
    for words in ["of format 2", "reads format 1"] {
        assert!(err(&output).contains(words), "{}", err(&output));
    }
}

/// The schema accepts every file that is read, and refuses a wrong key.
#[test]
fn the_schema_knows_what_a_file_may_say() {
    let schema: Value = serde_json::from_str(&out(&buildout(&["schema"]))).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    for key in [
        "horizon_months",
        "horizon",
        "extends",
        "campuses",
        "generations_from",
    ] {
        assert!(properties.contains_key(key), "{key}");
    }
    let generation = &schema["$defs"]["Generation"]["properties"];
    assert!(
        generation["preset"]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name == "H100")
    );
    assert!(generation["rack_power"].is_object());
    assert_eq!(schema["$defs"]["Generation"]["additionalProperties"], false);
}
