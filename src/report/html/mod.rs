//! One page of HTML with everything in it: opens from disk, needs no network, and says all that
//! matters without a script. The chart that one explores is drawn by uPlot (MIT, in `vendor/`).

mod decision;
mod drivers;
mod plot;
mod schedule;
mod sections;
mod side;

use serde_json::{Map, Value, json};

use super::text::title_of;
use super::words::{difference, sentences};
use crate::Projection;
use crate::analysis::decide::run::Decision;
use crate::analysis::drivers::report::DriversReport;
use crate::analysis::schedule::ScheduleReport;
use crate::analysis::worth::report::WorthReport;
use crate::projection::ScopeView;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const CHARTS: &str = include_str!("vendor/uPlot.iife.min.js");
const CHARTS_STYLE: &str = include_str!("vendor/uPlot.min.css");
const CHARTS_LICENCE: &str = include_str!("vendor/LICENSE-uPlot");

/// Campuses are in the chart that one explores so long as it has no more numbers than these; the
/// page then stays below 2 MB.
const MOST_NUMBERS: usize = 180_000;

/// A schedule of more activities than these is shown when asked for.
const LONG_SCHEDULE: usize = 40;

/// A page about one run, or several side by side.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use buildout::report::HtmlReport;
/// use buildout::{Batch, Date, Scenario, site::Campus};
///
/// let mut scenario = Scenario::new("empty land", Date::month(2025, 1)?, 36);
/// scenario.campuses.push(Campus::new("north"));
/// let projection = Batch::new(&scenario.compile()?).trials(100).run()?;
/// let page = HtmlReport::new(&projection).command("cargo run").to_html();
/// assert!(page.contains("empty land") && page.len() < 2_000_000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HtmlReport<'a> {
    runs: Vec<Run<'a>>,
    decision: Option<&'a Decision>,
    command: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Run<'a> {
    projection: &'a Projection,
    schedule: Option<&'a ScheduleReport>,
    drivers: Option<&'a DriversReport>,
    worth: Option<&'a WorthReport>,
    #[cfg(feature = "files")]
    inputs: &'a [crate::file::Input],
}

impl<'a> Run<'a> {
    fn new(projection: &'a Projection) -> Self {
        Self {
            projection,
            schedule: None,
            drivers: None,
            worth: None,
            #[cfg(feature = "files")]
            inputs: &[],
        }
    }

    fn name(&self) -> &'a str {
        &self.projection.provenance().scenario
    }
}

impl<'a> HtmlReport<'a> {
    /// A page about one run.
    pub fn new(projection: &'a Projection) -> Self {
        Self {
            runs: vec![Run::new(projection)],
            decision: None,
            command: None,
        }
    }

    /// Sets another run beside those that are there; the first is the one that others are compared with.
    #[must_use]
    pub fn beside(mut self, projection: &'a Projection) -> Self {
        self.runs.push(Run::new(projection));
        self
    }

    /// Shows the Gantt chart of the run that was added last.
    #[must_use]
    pub fn schedule(mut self, schedule: &'a ScheduleReport) -> Self {
        if let Some(run) = self.runs.last_mut() {
            run.schedule = Some(schedule);
        }
        self
    }

    /// Shows what drives results of the run that was added last.
    #[must_use]
    pub fn drivers(mut self, drivers: &'a DriversReport) -> Self {
        if let Some(run) = self.runs.last_mut() {
            run.drivers = Some(drivers);
        }
        self
    }

    /// Shows what changes of the run that was added last are worth.
    #[must_use]
    pub fn worth(mut self, worth: &'a WorthReport) -> Self {
        if let Some(run) = self.runs.last_mut() {
            run.worth = Some(worth);
        }
        self
    }

    /// Shows the inputs of the run that was added last, with what stands behind them.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn inputs(mut self, inputs: &'a [crate::file::Input]) -> Self {
        if let Some(run) = self.runs.last_mut() {
            run.inputs = inputs;
        }
        self
    }

    /// Shows which plan to choose, world by world.
    #[must_use]
    pub fn decision(mut self, decision: &'a Decision) -> Self {
        self.decision = Some(decision);
        self
    }

    /// Shows the command that makes this page again.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// The page. The same runs give the same text.
    pub fn to_html(&self) -> String {
        let names: Vec<String> = self.runs.iter().map(|run| escape(run.name())).collect();
        let title = names.join(" and ");
        let mut body = format!(
            "<h1>{title}</h1>\n{}",
            sections::provenance_line(&self.runs)
        );
        let parts: [(&str, &str, String); 15] = [
            ("decision", "Which plan", decision::decision(self.decision)),
            ("summary", "In words", self.in_words()),
            ("side", "Side by side", side::by_side(&self.runs)),
            ("growth", "Growth", self.growth()),
            ("targets", "Targets", sections::targets(&self.runs)),
            ("drivers", "What drives them", drivers::drivers(&self.runs)),
            ("worth", "What it is worth", drivers::worth(&self.runs)),
            ("milestones", "Milestones", schedule::milestones(&self.runs)),
            ("schedule", "Schedule", self.schedules()),
            (
                "binding",
                "What holds capacity back",
                sections::binding(&self.runs),
            ),
            (
                "stranded",
                "What is stranded",
                sections::stranded(&self.runs),
            ),
            ("pipeline", "Tenants", sections::pipeline(&self.runs)),
            (
                "money",
                "Money and other outcomes",
                sections::money(&self.runs),
            ),
            (
                "inputs",
                "Inputs and where they come from",
                self.inputs_section(),
            ),
            ("again", "To make this again", self.again()),
        ];
        body += "<nav aria-label='Parts of this page'>";
        for (id, heading, _) in parts.iter().filter(|(.., text)| !text.is_empty()) {
            body += &format!("<a href='#{id}'>{heading}</a>");
        }
        body += "</nav>\n<main>\n";
        for (id, heading, text) in parts.iter().filter(|(.., text)| !text.is_empty()) {
            body += &format!("<section id={id}><h2>{heading}</h2>\n{text}</section>\n");
        }
        let data = self.data().to_string().replace('<', "\\u003c");
        format!(
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n\
             <meta name=viewport content='width=device-width,initial-scale=1'>\n\
             <meta http-equiv=Content-Security-Policy content=\"default-src 'none';style-src 'unsafe-inline';script-src 'unsafe-inline';img-src data:\">\n\
             <title>{title}</title>\n<style>{CHARTS_STYLE}{STYLE}</style></head>\n<body>\n{body}</main>\n\
             <script type='application/json' id=data>{data}</script>\n\
             <!-- uPlot:\n{CHARTS_LICENCE}-->\n<script>{CHARTS}</script>\n<script>{SCRIPT}</script>\n</body></html>\n"
        )
    }

    fn in_words(&self) -> String {
        let mut text = String::from("<div class=runs>");
        for (number, run) in self.runs.iter().enumerate() {
            text += "<div class=tell>";
            if self.runs.len() > 1 {
                text += &format!("<h3>{}</h3>", escape(run.name()));
            }
            if number > 0
                && let Some(words) = difference(self.runs[0].projection, run.projection)
            {
                text += &format!("<p><strong>{}</strong></p>", escape(&words));
            }
            for sentence in sentences(run.projection) {
                text += &format!("<p>{}</p>", escape(&sentence));
            }
            text += "</div>";
        }
        text + "</div>" + &side::tiles(&self.runs)
    }

    fn schedules(&self) -> String {
        let charts = self.runs.iter().filter_map(|run| {
            let report = run
                .schedule
                .filter(|report| !report.activities.is_empty())?;
            let chart = schedule::gantt(run.projection.layout(), report);
            let name = escape(run.name());
            let count = report.activities.len();
            // A page that begins with hundreds of rows is not read further.
            let open = if count <= LONG_SCHEDULE { " open" } else { "" };
            Some(format!(
                "<details{open}><summary>{name}: {count} activities</summary>{chart}</details>"
            ))
        });
        charts.collect()
    }

    fn growth(&self) -> String {
        let explore = "<div id=explore><p><label>Metric <select id=metric></select></label>\
             <label>Where <select id=scope></select></label></p><p id=meaning class=soft></p>\
             <div id=chart tabindex=0 role=img></div>\
             <output id=readout aria-live=polite></output></div>\n";
        format!("{explore}{}", sections::growth(&self.runs))
    }

    #[cfg(feature = "files")]
    fn inputs_section(&self) -> String {
        sections::inputs(&self.runs)
    }

    #[cfg(not(feature = "files"))]
    fn inputs_section(&self) -> String {
        String::new()
    }

    fn again(&self) -> String {
        let mut text = sections::provenance_table(&self.runs);
        if let Some(command) = &self.command {
            text += &format!("<pre><code>{}</code></pre>", escape(command));
        }
        text + "<p class=soft>The same scenario, seed and version give the same numbers to the last bit, on any number of threads. \
                P10 is the value that one trial in ten stays below, P50 the median.</p>"
    }

    /// The numbers of the chart that one explores.
    fn data(&self) -> Value {
        let numbers = |run: &Run<'_>| {
            let layout = run.projection.layout();
            6 * layout.monthly_len()
        };
        let with_campuses = self.runs.iter().map(numbers).sum::<usize>() <= MOST_NUMBERS;
        let runs: Vec<Value> = (self.runs.iter())
            .map(|run| {
                let projection = run.projection;
                let layout = projection.layout();
                let mut scopes = Map::new();
                scopes.insert("total".to_owned(), scope(projection.total()));
                if with_campuses {
                    for campus in projection.campuses() {
                        scopes.insert(campus.name().to_owned(), scope(campus));
                    }
                }
                let start = i64::from(layout.start.year()) * 12
                    + i64::from(layout.start.month_of_year() - 1);
                json!({"name": run.name(), "start": start, "count": layout.months, "scopes": scopes})
            })
            .collect();
        json!({"first": "it_power_mw", "runs": runs})
    }
}

fn scope(view: ScopeView<'_>) -> Value {
    let metrics = view.metrics().map(|metric| {
        let mut entry = Map::new();
        let title = title_of(metric.name(), metric.unit());
        entry.insert("title".to_owned(), json!(title));
        entry.insert("unit".to_owned(), json!(metric.unit()));
        entry.insert("meaning".to_owned(), json!(metric.meaning()));
        let lists = [0.05, 0.1, 0.5, 0.9, 0.95].map(|p| metric.quantile(p));
        for (name, list) in ["p5", "p10", "p50", "p90", "p95"].into_iter().zip(lists) {
            entry.insert(name.to_owned(), rounded(&list));
        }
        entry.insert("mean".to_owned(), rounded(&metric.mean()));
        (metric.name().to_owned(), Value::Object(entry))
    });
    Value::Object(metrics.collect())
}

/// To five significant digits, which no screen can tell apart.
fn rounded(list: &[f64]) -> Value {
    let short = |x: &f64| -> Value {
        let short: f64 = format!("{x:.4e}").parse().unwrap_or(f64::NAN);
        if short.fract() == 0.0 && short.abs() < 1e15 {
            json!(short as i64)
        } else {
            json!(short)
        }
    };
    Value::Array(
        list.iter()
            .map(|x| if x.is_finite() { short(x) } else { Value::Null })
            .collect(),
    )
}

/// A text within HTML, also within double quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_page_has_every_part_and_nothing_from_the_network() {
        let projection = fixture::projection();
        let page = HtmlReport::new(&projection)
            .beside(&projection)
            .command("a < b")
            .to_html();
        for id in [
            "summary",
            "growth",
            "targets",
            "milestones",
            "binding",
            "stranded",
            "again",
        ] {
            assert!(page.contains(&format!("<section id={id}>")), "{id}");
        }
        assert!(page.contains("&lt;a&gt; &amp; &quot;b&quot;") && !page.contains("<a> & \"b\""));
        assert!(page.contains("a &lt; b"));
        for outside in ["src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.len() < 2_000_000, "{}", page.len());
        assert_eq!(
            page,
            HtmlReport::new(&projection)
                .beside(&projection)
                .command("a < b")
                .to_html()
        );
    }

    #[test]
    fn a_name_cannot_end_the_data() {
        let mut scenario = fixture::scenario(1, 12);
        scenario.name = "</script><script>alert(1)</script>".to_owned();
        let page = HtmlReport::new(&fixture::run(&scenario)).to_html();
        assert!(!page.contains("<script>alert"));
    }
}
