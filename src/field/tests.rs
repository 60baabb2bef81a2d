//! A plan does what its table says.
#![allow(dead_code, unreachable_pub)]

use super::{MONTHS, SHARE, plan};
use crate::problem::{Path, Problems, Severity};
use crate::uncertain::Uncertain;

plan! {
    /// A crane, for these tests.
    pub struct Crane {
        /// Its name.
        pub name: String,
        /// How long it takes to put up, in months.
        pub set_up_months: Uncertain = Uncertain::Constant(0.5) => MONTHS.input("set up").usually(0.1, 2.0, "a week is usual"),
        /// Share of the days on which it stands still.
        pub idle_share: f64 [= 0.1] => SHARE,
        /// Who may work with it.
        pub crews: Vec<String> = [],
        /// Its spare, if there is one.
        pub spare: Option<String>,
    }
    /// A crane.
    pub fn new;
}

#[test]
fn what_is_left_out_has_its_default_and_what_is_missing_is_named() {
    let read = serde_json::from_str::<Crane>(r#"{"name": "tall"}"#).unwrap();
    assert_eq!(read, Crane::new("tall"));
    assert_eq!(
        (read.set_up_months.constant(), read.idle_share),
        (Some(0.5), 0.1)
    );
    let refused = |text| serde_json::from_str::<Crane>(text).unwrap_err().to_string();
    assert!(refused("{}").contains("missing field `name`"));
    assert!(refused(r#"{"name": "tall", "colour": 1}"#).contains("unknown field `colour`"));
}

#[test]
fn only_a_default_in_brackets_is_left_out_when_it_is_written() {
    let json = |crane: &Crane| serde_json::to_string(crane).unwrap();
    let plain = Crane::new("tall");
    assert_eq!(json(&plain), r#"{"name":"tall","set_up_months":0.5}"#);
    let other = plain.idle_share(0.2).crews(["steel"]).spare("short");
    assert_eq!(
        json(&other),
        r#"{"name":"tall","set_up_months":0.5,"idle_share":0.2,"crews":["steel"],"spare":"short"}"#
    );
}

#[test]
fn the_impossible_is_an_error_and_the_unusual_a_warning() {
    let mut problems = Problems::new();
    let crane = Crane::new("tall").idle_share(1.5).set_up_months(3.0);
    crane.check_fields(&Path::root().key("crane"), &mut problems);
    let found: Vec<_> = problems
        .iter()
        .map(|problem| {
            (
                problem.severity,
                problem.path.to_string(),
                problem.message.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (
                Severity::Warning,
                "crane.set_up_months".to_owned(),
                "set_up_months is 3, more than the usual 2"
            ),
            (
                Severity::Error,
                "crane.idle_share".to_owned(),
                "idle_share is 1.5"
            ),
        ]
    );
}

#[cfg(feature = "files")]
#[test]
fn the_schema_says_what_each_field_is() {
    let schema = schemars::schema_for!(Crane).to_value();
    assert_eq!(schema["required"], serde_json::json!(["name"]));
    let set_up = &schema["properties"]["set_up_months"];
    assert_eq!(set_up["default"], 0.5);
    assert_eq!(set_up["x-quantity"]["unit"], "months");
    assert_eq!(set_up["x-quantity"]["usual"], "0.1 to 2");
    assert_eq!(
        schema["properties"]["idle_share"]["x-quantity"]["domain"],
        "0 to 1"
    );
}
