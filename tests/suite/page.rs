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
/// in between by pointer; then looks whether anything is missing, cut off or overlapping.
const READER: &str = r#"<script>
window.addEventListener("load", async function () {
  var told = {}, select = document.getElementById("metric"), chart = document.getElementById("chart");
  var readout = document.getElementById("readout");
  var rest = function () { return new Promise(function (done) { setTimeout(done, 5); }); };
  var press = function (key) { chart.dispatchEvent(new KeyboardEvent("keydown", { key: key, bubbles: true })); return rest(); };
  var choose = function (name) { select.value = name; select.dispatchEvent(new Event("change")); return rest(); };
  var runs = document.documentElement.classList.contains("js");
  for (var option of runs ? select.options : []) {
    await choose(option.value);
    await press("End");
    var last = readout.textContent;
    await press("Home");
    var first = readout.textContent;
    await press("PageDown");
    told[option.value] = { last: last, first: first, next: readout.textContent, canvases: chart.querySelectorAll("canvas").length };
  }
  if (runs) {
  await choose("it_power_mw");
  var over = chart.querySelector(".u-over"), box = over.getBoundingClientRect();
  over.dispatchEvent(new MouseEvent("mousemove", { clientX: box.left + box.width / 2, clientY: box.top + 50, bubbles: true }));
  await new Promise(function (done) { setTimeout(done, 100); });
  }
  var all = function (what, within) { return Array.prototype.slice.call((within || document).querySelectorAll(what)); };
  var parts = {};
  all("section").forEach(function (section) {
    parts[section.id] = {
      charts: all(".plot svg[role=img]", section).filter(function (svg) {
        var box = svg.getBoundingClientRect();
        return box.width > 100 && box.height > 80 && svg.querySelectorAll("path:not(.grid),rect").length > 0;
      }).length,
      rows: all("tbody tr", section).length,
      bars: all("svg.bar .range", section).length,
      text: section.textContent
    };
  });
  var wide = function (element) { return element.closest(".wide,pre,#chart"); };
  var cut = all("h1,h2,h3,p,figcaption,summary,td,th,.y span,.x span,.names span,dd,label").filter(function (element) {
    var box = element.getBoundingClientRect();
    return box.width > 0 && (box.left < -0.5 || (box.right > innerWidth + 0.5 && !wide(element)));
  }).map(function (element) { return element.textContent.slice(0, 40); });
  var overlapping = [];
  all(".frame .x,.frame .y,.gantt th .x").filter(function (axis) { return !axis.closest("details:not([open])"); }).forEach(function (axis) {
    var boxes = all("span", axis).map(function (span) { return span.getBoundingClientRect(); });
    boxes.forEach(function (a, i) {
      boxes.slice(i + 1).forEach(function (b) {
        if (a.width > 0 && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) { overlapping.push(axis.textContent.slice(0, 60)); }
      });
    });
  });
  var names = all("a[href^='#']").filter(function (a) { return !document.getElementById(a.getAttribute("href").slice(1)); }).length;
  var result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify({
    told: told, runs: runs, explores: document.getElementById("explore").getBoundingClientRect().height, hover: readout.textContent, width: document.documentElement.scrollWidth, parts: parts, cut: cut,
    overlapping: overlapping, broken: names,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    background: getComputedStyle(document.body).backgroundColor, colour: getComputedStyle(document.body).color
  });
  document.body.appendChild(result);
});
</script>"#;

/// What the browser makes of a page, and what it complains of.
fn dom(browser: &str, page: &Path, size: &str, flags: &[&str]) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
        ])
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .args(flags)
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
    String::from_utf8(output.stdout).unwrap()
}

fn open(browser: &str, page: &Path, size: &str, flags: &[&str]) -> Value {
    let dom = dom(browser, page, size, flags);
    let start = dom
        .find("<pre id=\"result\">")
        .expect("the reader came to the end")
        + "<pre id=\"result\">".len();
    let result = &dom[start..start + dom[start..].find("</pre>").unwrap()];
    serde_json::from_str(
        &result
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&nbsp;", " ")
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
    if digits == "-" {
        return f64::NAN;
    }
    let value: f64 = digits
        .parse()
        .unwrap_or_else(|_| panic!("no number after \"{after}\" in {text}"));
    if rest[digits.len()..].starts_with(" %") {
        value / 100.0
    } else {
        value
    }
}

/// The two numbers of "P10 to P90 1,234 to 5,678".
fn both(text: &str, after: &str) -> [f64; 2] {
    let (_, rest) = text.split_once(after).unwrap();
    let (low, high) = rest.split_once(" to ").unwrap();
    [
        number(&format!("={low}"), "="),
        number(&format!("={high}"), "="),
    ]
}

/// A page with a reader in it, and the results that it is of.
fn page_and_json(folder: &Path, scenarios: &[&str]) -> (std::path::PathBuf, Value) {
    let page = folder.join("page.html");
    let mut arguments = vec!["report"];
    arguments.extend(scenarios);
    let out = page.to_str().unwrap().to_owned();
    arguments.extend(["--trials", TRIALS, "--quiet", "--out", &out]);
    buildout(&arguments);
    let run = ["run", scenarios[0], "--trials", TRIALS, "--json", "--quiet"];
    let json = serde_json::from_slice(&buildout(&run)).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.len() < 2_000_000, "{}", text.len());
    fs::write(&page, text + READER).unwrap();
    (page, json)
}

/// Nothing is cut off, nothing lies over something else, and no link leads nowhere.
fn check_looks(result: &Value, size: &str) {
    let width: f64 = size.split(',').next().unwrap().parse().unwrap();
    assert!(
        result["width"].as_f64().unwrap() <= width,
        "{}",
        result["width"]
    );
    for fault in ["cut", "overlapping"] {
        let list = result[fault].as_array().unwrap();
        assert!(list.is_empty(), "{size}: {fault}: {list:?}");
    }
    assert_eq!(result["broken"], 0);
}

#[test]
fn the_page_tells_the_numbers_of_the_json_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (page, json) = page_and_json(folder.path(), &["examples/qingyang-money.toml"]);

    for size in ["1280,900", "500,900"] {
        let result = open(browser, &page, size, &[]);
        let metrics = json["metrics"].as_object().unwrap();
        assert_eq!(result["told"].as_object().unwrap().len(), metrics.len());
        for (name, metric) in metrics {
            let told = &result["told"][name];
            assert_eq!(told["canvases"], 1, "{name}");
            let last = metric["p50"].as_array().unwrap().len() - 1;
            for (which, month) in [("first", 0), ("next", 12), ("last", last)] {
                let words = told[which].as_str().unwrap();
                let [p10, p90] = both(words, "P10 to P90 ");
                let [p5, p95] = both(words, "P5 to P95 ");
                let (p50, mean) = (number(words, "P50"), number(words, "mean"));
                let shown = [
                    ("p5", p5),
                    ("p10", p10),
                    ("p50", p50),
                    ("p90", p90),
                    ("p95", p95),
                    ("mean", mean),
                ];
                for (statistic, shown) in shown {
                    let Some(expected) = metric[statistic][month].as_f64() else {
                        continue;
                    };
                    // The page shows at least three significant digits, or two decimals, or a tenth of a per cent.
                    let tolerance = 0.0051 * expected.abs() + 0.0051;
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
        check_looks(&result, size);
    }
}

#[test]
fn every_part_is_there_and_drawn_and_says_what_the_json_says() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (page, json) = page_and_json(folder.path(), &["examples/qingyang-money.toml"]);
    let dark = ["--blink-settings=preferredColorScheme=0"];
    let result = open(browser, &page, "1280,900", &dark);
    assert_eq!(result["dark"], true);
    assert_eq!(result["background"], "rgb(20, 23, 26)");
    assert_eq!(result["colour"], "rgb(230, 233, 236)");
    let parts = &result["parts"];
    let count = |part: &str, what: &str| parts[part][what].as_u64().unwrap_or(0) as usize;
    let text = |part: &str| parts[part]["text"].as_str().unwrap_or_default();
    let campuses = json["campuses"].as_object().map_or(0, |all| all.len());
    for (part, charts) in [
        ("growth", 6),
        ("milestones", 1),
        ("binding", 1 + campuses),
        ("stranded", 1),
        ("pipeline", 3),
        ("money", 1),
    ] {
        assert_eq!(count(part, "charts"), charts, "{part}");
    }
    let milestones = json["milestones"].as_object().unwrap();
    assert_eq!(count("milestones", "rows"), milestones.len());
    assert!(count("milestones", "bars") > milestones.len() / 2);
    assert!(
        count("schedule", "rows") > 50,
        "{}",
        count("schedule", "rows")
    );
    assert!(count("schedule", "bars") > 50);
    for (name, milestone) in milestones {
        assert!(text("milestones").contains(name), "{name}");
        if milestone["probability"] == 1.0 {
            assert!(text("milestones").contains("100 %"));
        }
    }
    for target in json["targets"].as_array().unwrap() {
        let percent = target["probability"].as_f64().unwrap() * 100.0;
        let shown = match percent {
            0.0 | 100.0 => format!("{percent:.0} %"),
            percent => format!("{percent:.1} %"),
        };
        for part in ["summary", "targets"] {
            assert!(text(part).contains(target["name"].as_str().unwrap()));
            assert!(text(part).contains(&shown), "{shown} in {}", text(part));
        }
    }
    // What is live at the end, in words and as a number of its own.
    let live = json["metrics"]["it_power_mw"]["p50"].as_array().unwrap();
    let live = format!("{:.0}", live.last().unwrap().as_f64().unwrap());
    let live = match live.len() {
        0..=3 => live,
        digits => format!("{},{}", &live[..digits - 3], &live[digits - 3..]),
    };
    assert!(text("summary").matches(&live).count() >= 2, "{live}");
    for cause in ["unfinished buildings", "too few tenants"] {
        assert!(text("binding").contains(cause), "{cause}");
    }
    assert!(text("stranded").contains("no space is built yet"));
    assert!(text("money").contains("billion yuan"), "{}", text("money"));
    for basis in ["published", "assumption"] {
        assert!(text("inputs").contains(basis), "{basis}");
    }
    let again = text("again");
    for words in [
        env!("CARGO_PKG_VERSION"),
        "buildout report examples/qingyang-money.toml --trials 40 --seed 1",
    ] {
        assert!(again.contains(words), "{again}");
    }
}

#[test]
fn without_scripts_all_that_matters_is_there() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (page, _) = page_and_json(folder.path(), &["examples/phased-campus.toml"]);
    // As if they were off: the page's own scripts are its last things, and the reader's stays.
    let text = fs::read_to_string(&page).unwrap();
    let scripts = text.find("<script>").unwrap();
    let reader = text.rfind("<script>").unwrap();
    assert!(scripts < reader);
    fs::write(&page, format!("{}{}", &text[..scripts], &text[reader..])).unwrap();
    let result = open(browser, &page, "1280,900", &[]);
    assert_eq!(result["runs"], false);
    // What needs a script is not shown at all.
    assert_eq!(result["explores"], 0.0);
    for (part, charts) in [
        ("growth", 4),
        ("milestones", 1),
        ("binding", 1),
        ("stranded", 1),
        ("pipeline", 3),
    ] {
        assert_eq!(result["parts"][part]["charts"], charts, "{part}");
    }
    for part in ["summary", "targets", "schedule", "inputs", "again"] {
        let text = result["parts"][part]["text"].as_str().unwrap();
        assert!(text.len() > 80, "{part}: {text}");
    }
    check_looks(&result, "1280,900");
}

#[test]
fn scenarios_side_by_side_are_compared() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let scenarios = ["examples/qingyang.toml", "examples/qingyang-slow-grid.toml"];
    let (page, json) = page_and_json(folder.path(), &scenarios);
    for size in ["1280,900", "500,900"] {
        let result = open(browser, &page, size, &[]);
        check_looks(&result, size);
        let side = result["parts"]["side"]["text"].as_str().unwrap();
        assert!(side.contains("Qingyang, slow grid"), "{side}");
        for target in json["targets"].as_array().unwrap() {
            assert!(side.contains(target["name"].as_str().unwrap()));
        }
        let last = result["told"]["it_power_mw"]["last"].as_str().unwrap();
        let lines: Vec<&str> = last.lines().collect();
        assert!(lines.len() == 2 && lines[1].starts_with("Qingyang, slow grid, Dec 2034"));
        let charts = &result["parts"]["milestones"]["charts"];
        assert_eq!(*charts, 2);
    }
}

#[test]
fn the_page_prints() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let out = page.to_str().unwrap();
    let scenario = "examples/first.toml";
    buildout(&[
        "report", scenario, "--trials", TRIALS, "--quiet", "--out", out,
    ]);
    let pdf = folder.path().join("page.pdf");
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success());
    let pdf = fs::read(&pdf).unwrap();
    assert!(
        pdf.starts_with(b"%PDF") && pdf.len() > 20_000,
        "{}",
        pdf.len()
    );
}
