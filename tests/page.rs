//! The page in a real browser: every metric is drawn, hover and keys tell the numbers of the JSON,
//! and nothing is complained of. Skipped, with a message, where there is no Chromium.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const TRIALS: &str = "40";

fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            Command::new(name)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
}

fn buildout(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_buildout"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// What a reader does: looks at each metric, at the last month by key, at the first by key, and at one
/// in between by pointer.
const READER: &str = r#"<script>
window.addEventListener("load", async function () {
  var told = {}, select = document.getElementById("metric"), chart = document.getElementById("chart");
  var readout = document.getElementById("readout");
  var rest = function () { return new Promise(function (done) { setTimeout(done, 5); }); };
  var press = function (key) { chart.dispatchEvent(new KeyboardEvent("keydown", { key: key, bubbles: true })); return rest(); };
  var choose = function (name) { select.value = name; select.dispatchEvent(new Event("change")); return rest(); };
  for (var option of select.options) {
    await choose(option.value);
    await press("End");
    var last = readout.textContent;
    await press("Home");
    told[option.value] = { last: last, first: readout.textContent, canvases: chart.querySelectorAll("canvas").length };
  }
  await choose("it_power_mw");
  var over = chart.querySelector(".u-over"), box = over.getBoundingClientRect();
  over.dispatchEvent(new MouseEvent("mousemove", { clientX: box.left + box.width / 2, clientY: box.top + 50, bubbles: true }));
  await new Promise(function (done) { setTimeout(done, 100); });
  var result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify({ told: told, hover: readout.textContent, width: document.documentElement.scrollWidth });
  document.body.appendChild(result);
});
</script>"#;

fn open(browser: &str, page: &Path, size: &str) -> Value {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
        ])
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--window-size={size}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(":CONSOLE"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    let dom = String::from_utf8(output.stdout).unwrap();
    let start = dom
        .find("<pre id=\"result\">")
        .expect("the reader came to the end")
        + "<pre id=\"result\">".len();
    let result = &dom[start..start + dom[start..].find("</pre>").unwrap()];
    serde_json::from_str(
        &result
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
    .unwrap()
}

/// The number after a word, without the commas of thousands; a percentage as a share.
fn number(text: &str, after: &str) -> f64 {
    let rest = text
        .split_once(after)
        .unwrap_or_else(|| panic!("no \"{after}\" in {text}"))
        .1
        .trim_start();
    let digits: String = (rest.chars())
        .take_while(|c| c.is_ascii_digit() || [',', '.', '-'].contains(c))
        .filter(|c| *c != ',')
        .collect();
    let value: f64 = digits
        .parse()
        .unwrap_or_else(|_| panic!("no number after \"{after}\" in {text}"));
    if rest[digits.len()..].starts_with(" %") {
        value / 100.0
    } else {
        value
    }
}

#[test]
fn the_page_tells_the_numbers_of_the_json_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let scenario = "examples/qingyang.toml";
    buildout(&[
        "report",
        scenario,
        "--trials",
        TRIALS,
        "--quiet",
        "--out",
        page.to_str().unwrap(),
    ]);
    let json: Value = serde_json::from_slice(&buildout(&[
        "run", scenario, "--trials", TRIALS, "--json", "--quiet",
    ]))
    .unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.len() < 2_000_000);
    fs::write(&page, text + READER).unwrap();

    for size in ["1280,900", "500,900"] {
        let result = open(browser, &page, size);
        let metrics = json["metrics"].as_object().unwrap();
        assert_eq!(result["told"].as_object().unwrap().len(), metrics.len());
        for (name, metric) in metrics {
            let told = &result["told"][name];
            assert_eq!(told["canvases"], 1, "{name}");
            let last = metric["p50"].as_array().unwrap().len() - 1;
            for (which, month) in [("first", 0), ("last", last)] {
                let words = told[which].as_str().unwrap();
                for (after, statistic) in [("P50", "p50"), ("P10 to P90", "p10"), ("mean", "mean")]
                {
                    let expected = metric[statistic][month].as_f64().unwrap();
                    // The page shows at least three significant digits, or two decimals, or a tenth of a per cent.
                    let tolerance = 0.0051 * expected.abs() + 0.0051;
                    let shown = number(words, after);
                    assert!(
                        (shown - expected).abs() <= tolerance,
                        "{name} {which} {statistic}: {shown}, not {expected}"
                    );
                }
            }
        }
        let hover = result["hover"].as_str().unwrap();
        assert!(
            hover.starts_with("Jul 2029") || hover.starts_with("Jun 2029"),
            "{hover}"
        );
        // Nothing sticks out of a narrow screen.
        let width: f64 = size.split(',').next().unwrap().parse().unwrap();
        assert!(
            result["width"].as_f64().unwrap() <= width,
            "{}",
            result["width"]
        );
    }
}
