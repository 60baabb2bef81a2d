//! One page of HTML with everything in it: opens from disk, needs no network, and says all that
//! matters without a script, which adds the pointer, keys and the switch to the same drawings.

mod answer;
mod backtest;
mod decision;
mod drivers;
mod fans;
mod frame;
mod held;
mod money;
mod schedule;
mod sections;
mod side;
mod updated;

use self::fans::Fans;
use self::frame::{Frame, Part};
use super::text::escape;
use super::update::UpdatePage;
use super::words::sentences;
use crate::Projection;
use crate::analysis::decide::run::Decision;
use crate::analysis::drivers::report::DriversReport;
use crate::analysis::schedule::ScheduleReport;
use crate::analysis::worth::report::WorthReport;
use crate::scenario::Scenario;

pub(super) use backtest::track_record;

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
    update: Option<UpdatePage<'a>>,
    command: Option<String>,
    refreshing: bool,
}

#[derive(Clone, Copy, Debug)]
struct Run<'a> {
    projection: &'a Projection,
    scenario: Option<&'a Scenario>,
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
            scenario: None,
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
            update: None,
            command: None,
            refreshing: false,
        }
    }

    /// Sets another run beside those that are there; the first is the one that others are compared with.
    #[must_use]
    pub fn beside(mut self, projection: &'a Projection) -> Self {
        self.runs.push(Run::new(projection));
        self
    }

    /// Shows when the targets of the scenario of the run that was added last are met, and marks them and its status date.
    #[must_use]
    pub fn scenario(mut self, scenario: &'a Scenario) -> Self {
        if let Some(run) = self.runs.last_mut() {
            run.scenario = Some(scenario);
        }
        self
    }

    /// Shows what the forecast was updated on, and how it was before.
    #[must_use]
    pub fn update(mut self, update: UpdatePage<'a>) -> Self {
        self.update = Some(update);
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

    /// Makes a page that is loaded again every two seconds, for whoever watches while it is written again.
    #[must_use]
    pub fn refreshing(mut self, refreshing: bool) -> Self {
        self.refreshing = refreshing;
        self
    }

    fn title(&self) -> String {
        if let Some(decision) = &self.decision {
            return escape(&decision.title);
        }
        let names: Vec<String> = self.runs.iter().map(|run| escape(run.name())).collect();
        names.join(" and ")
    }

    /// The page. The same runs give the same text.
    pub fn to_html(&self) -> String {
        let fans = Fans::new(&self.runs);
        let frame = Frame {
            title: self.title(),
            about: sections::provenance_line(&self.runs),
            parts: self.parts(&fans),
            data: Some(fans.data()),
            refreshing: self.refreshing,
        };
        frame.to_html()
    }

    /// The parts of the page: how they are found, their headings, and what is in them.
    fn parts(&self, fans: &Fans<'_>) -> Vec<Part> {
        let runs = &self.runs;
        let growth = fans.others() + &sections::campuses(runs);
        vec![
            ("answer", "The answer", answer::answer(runs, fans)),
            (
                "updated",
                "What has happened",
                updated::updated(self.update.as_ref()),
            ),
            ("decision", "Which plan", decision::decision(self.decision)),
            ("targets", "All targets", sections::targets(runs)),
            ("side", "Side by side", side::by_side(runs)),
            ("growth", "Growth", growth),
            ("drivers", "What drives it", drivers::drivers(runs)),
            ("worth", "What it is worth", drivers::worth(runs)),
            ("milestones", "Milestones", schedule::milestones(runs)),
            ("schedule", "Schedule", self.schedules()),
            ("binding", "What holds capacity back", held::binding(runs)),
            ("stranded", "What is stranded", held::stranded(runs)),
            ("pipeline", "Tenants", money::pipeline(runs)),
            ("money", "Money and other outcomes", money::money(runs)),
            (
                "inputs",
                "Inputs and where they come from",
                self.inputs_section(),
            ),
            (
                "again",
                "In words, and to make this again",
                self.in_words() + &self.again(),
            ),
        ]
    }

    fn in_words(&self) -> String {
        sections::each(&self.runs, |projection| {
            let paragraphs = sentences(projection).into_iter();
            Some(
                paragraphs
                    .map(|sentence| format!("<p>{}</p>", escape(&sentence)))
                    .collect(),
            )
        })
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
            "answer",
            "growth",
            "targets",
            "milestones",
            "binding",
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
