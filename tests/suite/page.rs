//! The page in a real browser: every metric is drawn, hover and keys tell the numbers of the JSON,
//! and nothing is complained of. Skipped, with a message, where there is no Chromium.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::tool;

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
    let output = tool::buildout(arguments);
    assert!(output.status.success(), "{}", tool::err(&output));
    output.stdout
}

/// What a reader does: looks at each metric, at the last month by key, at the first by key, and at one
/// in between by pointer; switches campus and scenario; then looks whether anything is missing, cut off or overlapping.
const READER: &str = r#"<script>
window.addEventListener("load", async function () {
  var all = function (what, within) { return Array.prototype.slice.call((within || document).querySelectorAll(what)); };
  var rest = function () { return new Promise(function (done) { setTimeout(done, 5); }); };
  var box = function (element) { return element.getBoundingClientRect(); };
  var seen = function (element) { return element.checkVisibility() && box(element).width > 0; };
  var runs = document.documentElement.classList.contains("js");
  var first = all(".verdict,.icons,.strip,.ask h3,.when,.leading,figure.fan svg").filter(seen).filter(function (element) {
    return box(element).top < innerHeight * 0.92;
  }).map(function (element) { return (element.getAttribute("class") || element.tagName) + ": " + element.textContent.slice(0, 400); });
  var shapes = function () { return all("figure.fan path[data-lists]").map(function (path) { return path.getAttribute("d"); }); };
  var numbers = function (d) { return (d.match(/-?[0-9.]+/g) || []).map(Number); };
  var drawn = shapes(), labels = all("figure.fan svg .y, figure.fan svg .goals, figure.fan svg .ends").map(function (g) { return g.textContent; });
  var reported = {}, select = document.getElementById("metric"), figure = document.querySelector("figure.fan"), canvas = figure && figure.querySelector(".canvas");
  var readout = figure && figure.querySelector(".readout");
  var press = function (key) { canvas.dispatchEvent(new KeyboardEvent("keydown", { key: key, bubbles: true })); return rest(); };
  var choose = function (select, name) { select.value = name; select.dispatchEvent(new Event("change")); return rest(); };
  var apart = null, relabelled = null, hover = "", switched = {};
  if (runs) {
    var asked = select.value, scope = document.getElementById("scope"), place = scope.value;
    await choose(select, asked);
    apart = 0;
    shapes().forEach(function (d, i) {
      var now = numbers(d), then = numbers(drawn[i]);
      apart = now.length === then.length ? now.reduce(function (most, x, k) { return Math.max(most, Math.abs(x - then[k])); }, apart) : 1e9;
    });
    relabelled = JSON.stringify(labels) !== JSON.stringify(all("figure.fan svg .y, figure.fan svg .goals, figure.fan svg .ends").map(function (g) { return g.textContent; }));
    await choose(scope, "total");
    for (var option of window.looks ? [] : select.options) {
      await choose(select, option.value);
      await press("End");
      var last = readout.textContent;
      await press("Home");
      var begin = readout.textContent;
      await press("PageDown");
      reported[option.value] = { last: last, first: begin, next: readout.textContent, cell: figure.querySelector("tbody tr:last-child td:last-child").textContent };
    }
    await choose(select, "it_power_mw");
    var svg = all("svg", canvas).filter(seen)[0], area = box(svg), at = svg.dataset.box.split(" ").map(Number);
    svg.dispatchEvent(new PointerEvent("pointermove", { clientX: area.left + (at[0] + at[2] / 2) * area.width / svg.viewBox.baseVal.width, clientY: area.top + 50, bubbles: true }));
    hover = readout.textContent;
    for (var place of scope.options) {
      await choose(scope, place.value);
      switched[place.value] = all("[data-scope]").filter(seen).map(function (part) { return part.dataset.scope; });
    }
    await choose(scope, "total");
    var scenario = document.getElementById("scenario");
    await choose(scenario, "0");
    switched["scenario 0"] = all("[data-run]").filter(seen).map(function (part) { return part.dataset.run; });
    await choose(scenario, "");
    await choose(select, asked);
  }
  var parts = {};
  all("section").forEach(function (section) {
    parts[section.id] = {
      charts: all("figure.plot", section).filter(seen).filter(function (figure) {
        return all("svg[role=img]", figure).filter(seen).every(function (svg) { return box(svg).width > 100 && box(svg).height > 80 && svg.querySelectorAll("path:not(.grid):not(.axis)").length > 0; });
      }).length,
      tables: all("figure.plot details table", section).length,
      rows: all("tbody tr", section).filter(function (row) { return !row.closest("figure"); }).length,
      bars: all("svg.bar .range", section).length,
      text: section.textContent
    };
  });
  var wide = function (element) { return element.closest(".wide,pre"); };
  var cut = all("h1,h2,h3,p,figcaption,summary,td,th,dd,label,svg,output").filter(function (element) {
    return box(element).width > 0 && (box(element).left < -0.5 || (box(element).right > innerWidth + 0.5 && !wide(element)));
  }).map(function (element) { return element.textContent.slice(0, 40); });
  var overlapping = [];
  all("svg.chart,.gantt th .x").filter(seen).forEach(function (chart) {
    var texts = all("text,span", chart).filter(function (text) { return text.getAttribute("visibility") !== "hidden" && text.textContent; });
    texts.forEach(function (one, i) {
      texts.slice(i + 1).forEach(function (other) {
        var a = box(one), b = box(other);
        if (a.left < b.right - 2 && b.left < a.right - 2 && a.top < b.bottom - 3 && b.top < a.bottom - 3) { overlapping.push(one.textContent + " | " + other.textContent); }
      });
      var a = box(one), whole = box(chart);
      if (chart.tagName === "svg" && (a.left < whole.left - 1 || a.right > whole.right + 1)) { cut.push(one.textContent); }
    });
  });
  var names = all("a[href^='#']").filter(function (a) { return !document.getElementById(a.getAttribute("href").slice(1)); }).length;
  var faults = null;
  if (window.axe) {
    // Colours do not depend on the width, and contrast takes most of the time: wide windows show it.
    var options = { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21aa"] }, resultTypes: ["violations"] };
    if (innerWidth < 1000) { options.rules = { "color-contrast": { enabled: false } }; }
    var found = await axe.run(document, options);
    faults = found.violations.map(function (v) { return v.id + ": " + v.nodes.slice(0, 3).map(function (n) { return n.target.join(" ") + " " + n.failureSummary; }).join("; "); });
  }
  var result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify({
    reported: reported, runs: runs, first: first, apart: apart, relabelled: relabelled, switched: switched, faults: faults,
    switches: document.getElementById("switch") ? box(document.getElementById("switch")).height : 0, hover: hover, width: document.documentElement.scrollWidth, parts: parts, cut: cut,
    overlapping: overlapping, broken: names,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    background: getComputedStyle(document.body).backgroundColor, colour: getComputedStyle(document.body).color
  });
  if (parent !== window) { parent.postMessage(result.textContent, "*"); }
  document.body.appendChild(result);
});
</script>"#;

/// axe-core, where the Python of the tests has it.
fn axe() -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let find = "import axe_core_python, os; print(os.path.join(os.path.dirname(axe_core_python.__file__), 'axe.min.js'))";
    let output = Command::new(python).args(["-c", find]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    fs::read_to_string(path.trim()).ok()
}

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

/// A window is no narrower than this: narrower screens are frames in it.
const LEAST_WINDOW: u32 = 500;

/// A page with another one in a frame as wide as a telephone, which tells it what its reader saw.
fn framed(page: &Path, width: &str) -> std::path::PathBuf {
    let outer = page.with_extension("framed.html");
    let text = format!(
        "<!doctype html><iframe src='{}' style='width:{width}px;height:844px;border:0'></iframe><script>addEventListener('message', \
         function (event) {{ var pre = document.createElement('pre'); pre.id = 'result'; pre.textContent = event.data; \
         document.body.appendChild(pre); }});</script>",
        page.file_name().unwrap().to_str().unwrap()
    );
    fs::write(&outer, text).unwrap();
    outer
}

fn open(browser: &str, page: &Path, size: &str, flags: &[&str]) -> Value {
    let (width, _) = size.split_once(',').unwrap();
    let dom = if width.parse::<u32>().unwrap() < LEAST_WINDOW {
        dom(browser, &framed(page, width), "700,900", flags)
    } else {
        dom(browser, page, size, flags)
    };
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
    set_reader(&page);
    (page, json)
}

/// Puts a reader into a page.
fn set_reader(page: &Path) {
    let text = fs::read_to_string(page).unwrap();
    let axe = axe().map_or_else(String::new, |axe| format!("<script>{axe}</script>"));
    fs::write(page, text + &axe + READER).unwrap();
}

/// The same page with a reader who does not go through the metrics one by one.
fn for_looks(page: &Path) -> std::path::PathBuf {
    const BEGIN: &str = "window.addEventListener(\"load\", async";
    let text = fs::read_to_string(page).unwrap();
    assert_eq!(text.matches(BEGIN).count(), 1);
    let looks = page.with_extension("looks.html");
    let begin = format!("window.looks = true; {BEGIN}");
    fs::write(&looks, text.replace(BEGIN, &begin)).unwrap();
    looks
}

/// Nothing is cut off, nothing lies over something else, and no link leads nowhere.
fn check_looks(result: &Value, size: &str) {
    let width: f64 = size.split(',').next().unwrap().parse().unwrap();
    assert!(
        result["width"].as_f64().unwrap() <= width,
        "{}",
        result["width"]
    );
    for fault in ["cut", "overlapping", "faults"] {
        let list = result[fault].as_array().map_or(&[][..], Vec::as_slice);
        assert!(list.is_empty(), "{size}: {fault}: {list:?}");
    }
    assert_eq!(result["broken"], 0);
}

#[test]
#[ignore = "slow"]
fn the_page_tells_the_numbers_of_the_json_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (page, json) = page_and_json(folder.path(), &["examples/qingyang-money.toml"]);

    for size in ["1400,900", "768,1000", "390,844"] {
        let result = open(browser, &page, size, &[]);
        check_all_reported(&result, &json);
        let hover = result["hover"].as_str().unwrap();
        assert!(
            hover.starts_with("Jul 2029") || hover.starts_with("Jun 2029"),
            "{hover}"
        );
        // The script draws what the page was drawn with.
        assert!(
            result["apart"].as_f64().unwrap() < 0.15,
            "{}",
            result["apart"]
        );
        assert_eq!(result["relabelled"], false);
        check_looks(&result, size);
    }
}

/// Every metric's first, thirteenth and last month against the JSON.
fn check_all_reported(result: &Value, json: &Value) {
    let metrics = json["metrics"].as_object().unwrap();
    assert_eq!(result["reported"].as_object().unwrap().len(), metrics.len());
    for (name, metric) in metrics {
        let reported = &result["reported"][name];
        let last = metric["p50"].as_array().unwrap().len() - 1;
        for (which, month) in [("first", 0), ("next", 12), ("last", last)] {
            check_reported(name, reported[which].as_str().unwrap(), metric, month);
        }
    }
}

/// The words of a month against the statistics of a metric.
fn check_reported(name: &str, words: &str, metric: &Value, month: usize) {
    let [p10, p90] = both(words, "P10 to P90 ");
    let [p5, p95] = both(words, "P5 to P95 ");
    let (p50, mean) = (number(words, "P50"), number(words, "mean"));
    // Large sums are reported in millions or thousand millions.
    let by = [(" billion ", 1e9), (" million ", 1e6)];
    let by = (by.iter().find(|(word, _)| words.contains(word))).map_or(1.0, |(_, by)| *by);
    let share = words.contains(" %");
    for (statistic, shown) in [
        ("p5", p5),
        ("p10", p10),
        ("p50", p50),
        ("p90", p90),
        ("p95", p95),
        ("mean", mean),
    ] {
        let Some(expected) = metric[statistic][month].as_f64() else {
            continue;
        };
        let expected = if share {
            expected * 100.0
        } else {
            expected / by
        };
        let shown = if share && statistic == "p50" {
            shown * 100.0
        } else {
            shown
        };
        // At least three significant digits, or two decimals, or a tenth of a per cent.
        let tolerance = 0.0051 * expected.abs() + if share { 0.0501 } else { 0.0051 };
        assert!(
            (shown - expected).abs() <= tolerance,
            "{name} {statistic}: {shown}, not {expected}, in {words}"
        );
    }
}

#[test]
#[ignore = "slow"]
fn the_first_screen_answers() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (page, json) = page_and_json(folder.path(), &["examples/first.toml"]);
    let result = open(browser, &page, "1400,900", &[]);
    let first: Vec<&str> = (result["first"].as_array().unwrap().iter())
        .map(|part| part.as_str().unwrap())
        .collect();
    let part = |begin: &str| -> &str {
        let found = first.iter().find(|part| part.starts_with(begin));
        found.unwrap_or_else(|| panic!("no {begin} in {first:?}"))
    };
    let target = &json["targets"][0];
    let percent = format!("{:.1} %", target["probability"].as_f64().unwrap() * 100.0);
    assert!(part("H3").contains(target["name"].as_str().unwrap()));
    let text = result["parts"]["answer"]["text"].as_str().unwrap();
    assert!(text.contains(&percent), "{percent} in {text}");
    part("chart icons");
    part("chart strip");
    assert!(
        part("verdict").contains("decide") && part("verdict").contains("Dec 2028"),
        "{first:?}"
    );
    assert!(part("when").contains("P50") && part("when").contains("romised for Dec 2028"));
    // The fan is of the metric that is asked about, with the target in it.
    let fan = part("chart: ");
    assert!(fan.contains("5 by Dec 2028") && fan.contains("MW"), "{fan}");
    // A phone shows the question first.
    let narrow = open(browser, &page, "390,844", &[]);
    assert!(narrow["first"].as_array().unwrap().len() >= 3);
    check_looks(&narrow, "390,844");
}

#[test]
#[ignore = "slow"]
fn every_part_is_there_and_drawn_and_says_what_the_json_says() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (page, json) = page_and_json(folder.path(), &["examples/qingyang-money.toml"]);
    let dark = ["--blink-settings=preferredColorScheme=0"];
    let result = open(browser, &for_looks(&page), "1400,900", &dark);
    assert_eq!(result["dark"], true);
    assert_eq!(result["background"], "rgb(20, 23, 26)");
    assert_eq!(result["colour"], "rgb(230, 233, 236)");
    check_looks(&result, "1400,900");
    let parts = &result["parts"];
    let count = |part: &str, what: &str| parts[part][what].as_u64().unwrap_or(0) as usize;
    let text = |part: &str| parts[part]["text"].as_str().unwrap_or_default();
    for (part, charts) in [
        ("answer", 1),
        ("growth", 3),
        ("binding", 1),
        ("stranded", 1),
        ("pipeline", 3),
        ("money", 1),
    ] {
        assert!(
            count(part, "charts") >= charts,
            "{part}: {}",
            count(part, "charts")
        );
        // A table stands behind each.
        assert!(count(part, "tables") >= count(part, "charts"), "{part}");
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
        for part in ["answer", "targets"] {
            assert!(text(part).contains(target["name"].as_str().unwrap()));
        }
        assert!(
            text("targets").contains(&shown),
            "{shown} in {}",
            text("targets")
        );
    }
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
#[ignore = "slow"]
fn all_charts_follow_one_switch() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let scenarios = ["examples/qingyang.toml", "examples/qingyang-slow-grid.toml"];
    let (page, json) = page_and_json(folder.path(), &scenarios);
    let page = for_looks(&page);
    for size in ["1400,900", "390,844"] {
        let result = open(browser, &page, size, &[]);
        check_looks(&result, size);
        let side = result["parts"]["side"]["text"].as_str().unwrap();
        assert!(side.contains("Qingyang, slow grid"), "{side}");
        for target in json["targets"].as_array().unwrap() {
            assert!(side.contains(target["name"].as_str().unwrap()));
        }
        // The same fan twice, not two over one another.
        assert_eq!(result["parts"]["answer"]["charts"], 2);
        assert!(
            result["apart"].as_f64().unwrap() < 0.15,
            "{}",
            result["apart"]
        );
        let switched = result["switched"].as_object().unwrap();
        let only = switched["scenario 0"].as_array().unwrap();
        assert!(
            !only.is_empty() && only.iter().all(|run| run == "0"),
            "{only:?}"
        );
        for (campus, shown) in switched.iter().filter(|(name, _)| *name != "scenario 0") {
            let shown = shown.as_array().unwrap();
            assert!(
                !shown.is_empty() && shown.iter().all(|scope| scope == campus),
                "{campus}: {shown:?}"
            );
        }
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
    assert_eq!(result["switches"], 0.0);
    for (part, charts) in [
        ("answer", 1),
        ("growth", 1),
        ("binding", 1),
        ("stranded", 1),
        ("pipeline", 3),
    ] {
        assert!(
            result["parts"][part]["charts"].as_u64() >= Some(charts),
            "{part}"
        );
    }
    for part in ["answer", "targets", "schedule", "inputs", "again"] {
        let text = result["parts"][part]["text"].as_str().unwrap();
        assert!(text.len() > 80, "{part}: {text}");
    }
    check_looks(&result, "1280,900");
}

#[test]
#[ignore = "slow"]
fn a_back_test_has_a_page_that_answers_with_the_numbers_of_its_json() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let record = "tests/reference/backtest/record.toml";
    let out = folder.path().to_str().unwrap();
    let said = buildout(&["backtest", record, "--json", "--quiet", "--out", out]);
    let json: Value = serde_json::from_slice(&said).unwrap();
    let page = folder.path().join("backtest.html");
    set_reader(&page);
    let dark = "--blink-settings=preferredColorScheme=0";
    for (size, flags) in [
        ("1400,900", &[dark][..]),
        ("1400,900", &[]),
        ("768,1000", &[]),
        ("390,844", &[]),
    ] {
        let result = open(browser, &page, size, flags);
        check_looks(&result, size);
        assert_eq!(result["dark"], flags.contains(&dark));
        // The page needs no script, and has none.
        assert_eq!(result["runs"], false);
        let text = |part: &str| result["parts"][part]["text"].as_str().unwrap();
        let first = result["first"].as_array().unwrap();
        let seen = |begin: &str| {
            first
                .iter()
                .any(|part| part.as_str().unwrap().starts_with(begin))
        };
        assert!(seen("verdict: ") && seen("chart icons"), "{first:?}");
        for summary in json["summaries"].as_array().unwrap() {
            let name = summary["forecaster"].as_str().unwrap();
            let score = format!("{:.3}", summary["log_crps"].as_f64().unwrap());
            assert!(text("answer").contains(name) && text("answer").contains(&score));
            if summary["width"].as_f64() > Some(0.0) {
                let covered = summary["coverage"].as_array().unwrap().iter();
                for share in
                    covered.map(|share| format!("{:.0} %", 100.0 * share.as_f64().unwrap()))
                {
                    assert!(text("calibration").contains(&share), "{name}: {share}");
                }
            }
        }
        let horizons = json["by_horizon"].as_array().unwrap();
        assert_eq!(result["parts"]["horizons"]["rows"], horizons.len());
        assert_eq!(result["parts"]["misses"]["rows"], 10);
        assert!(result["parts"]["calibration"]["bars"].as_u64() >= Some(20));
    }
}

#[test]
fn a_run_and_a_report_write_the_same_page() {
    let folder = tempfile::tempdir().unwrap();
    let (page, out) = (folder.path().join("page.html"), folder.path().join("out"));
    let scenario = "examples/first.toml";
    let (page, out) = (page.to_str().unwrap(), out.to_str().unwrap());
    buildout(&[
        "report", scenario, "--trials", TRIALS, "--quiet", "--out", page,
    ]);
    buildout(&["run", scenario, "--trials", TRIALS, "--quiet", "--out", out]);
    let of_run = fs::read_to_string(format!("{out}/report.html")).unwrap();
    assert!(of_run == fs::read_to_string(page).unwrap());
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
