//! The fans of a page, and the numbers with which its script draws another metric, campus or scenario into them.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::sections::{Style, by_year, first_month};
use super::{Run, escape};
use crate::projection::{MetricView, ScopeView};
use crate::report::chart::{
    Chart, Dress, Fan, Mark, Series, ValueScale, as_of, asked_of, fan_chart, short, svg,
};
use crate::report::question::questions;
use crate::report::text::chart_title;

/// The metrics drawn beside the one that is asked about.
const KEY_METRICS: [&str; 6] = [
    "it_power_mw",
    "in_service_power_mw",
    "standard_racks",
    "installed_pflops",
    "in_service_pflops",
    "take_up",
];
/// Sizes in pixels: across a column, on a telephone, and one of several.
const WIDE: (f64, f64) = (640.0, 330.0);
const NARROW: (f64, f64) = (350.0, 270.0);
const SMALL: (f64, f64) = (350.0, 210.0);

/// Campuses are in the numbers so long as these are no more; the page then stays below 2 MB.
const MOST_NUMBERS: usize = 170_000;

/// The fans of all runs, with what is asked about.
pub(super) struct Fans<'a> {
    runs: &'a [Run<'a>],
    metric: String,
    scope: String,
}

impl<'a> Fans<'a> {
    pub(super) fn new(runs: &'a [Run<'a>]) -> Self {
        let asked = runs.iter().find_map(|run| {
            let questions = questions(run.projection, run.scenario);
            questions.into_iter().find_map(|question| {
                let (metric, _) = question.metric?;
                Some((metric.name().to_owned(), question.campus.map(str::to_owned)))
            })
        });
        let (metric, campus) = asked.unwrap_or_else(|| (interesting(&runs[0]), None));
        Self {
            runs,
            metric,
            scope: campus.unwrap_or_else(|| "total".to_owned()),
        }
    }

    /// The fan of the metric that is asked about, of each run, with the switch that all charts follow.
    pub(super) fn asked(&self) -> String {
        let mut html = String::from(
            "<form id=switch><label>Metric <select id=metric></select></label> <label id=where>Campus <select id=scope></select></label> \
             <label id=which>Scenario <select id=scenario></select></label></form>",
        );
        let sizes: &[(f64, f64)] = if self.runs.len() > 1 {
            &[SMALL]
        } else {
            &[WIDE, NARROW]
        };
        html += "<div class=multiples>";
        for number in 0..self.runs.len() {
            html += &self.figure(number, &self.metric, sizes, true);
        }
        html + "</div>"
    }

    /// The other metrics that every plan has; those that do not change are left out.
    pub(super) fn others(&self) -> String {
        let mut html = String::new();
        for metric in KEY_METRICS.into_iter().filter(|name| *name != self.metric) {
            let views = self.runs.iter().filter_map(|run| self.view(run, metric));
            if views.map(|view| Fan::of(&view)).all(|fan| fan.is_flat()) {
                continue;
            }
            for number in 0..self.runs.len() {
                html += &self.figure(number, metric, &[SMALL], false);
            }
        }
        if html.is_empty() {
            return html;
        }
        format!("<div class=multiples>{html}</div>")
    }

    fn view(&self, run: &Run<'a>, metric: &str) -> Option<MetricView<'a>> {
        let scope = match self.scope.as_str() {
            "total" => Some(run.projection.total()),
            campus => run.projection.campus(campus),
        };
        scope?.metric(metric)
    }

    fn figure(&self, number: usize, metric: &str, sizes: &[(f64, f64)], follows: bool) -> String {
        let run = &self.runs[number];
        let Some(view) = self.view(run, metric) else {
            return String::new();
        };
        let chart = self.chart(number, &view);
        let fixed = if follows {
            String::new()
        } else {
            format!(" data-metric={metric}")
        };
        let name = if self.runs.len() > 1 {
            format!("<br><span class=who>{}</span>", escape(run.name()))
        } else {
            String::new()
        };
        let mut html = format!(
            "<figure class='plot fan' data-run={number}{fixed}><figcaption><b class=what>{}</b> <span class='soft where'>{}</span>{name}</figcaption><div class=canvas tabindex=0 role=group aria-label=\"{}\">",
            escape(&chart.title),
            if self.scope == "total" {
                String::new()
            } else {
                escape(&self.scope)
            },
            escape(&format!(
                "{}: arrow keys move through the months",
                chart.title
            )),
        );
        for (at, size) in sizes.iter().enumerate() {
            let class = match (sizes.len(), at) {
                (1, _) => "any",
                (_, 0) => "wide-only",
                _ => "narrow-only",
            };
            let _ = write!(
                html,
                "<div class={class}>{}</div>",
                svg(&chart, *size, Dress::Page)
            );
        }
        let table = by_year(run.projection, &[(chart.title.clone(), view)]);
        let _ = write!(
            html,
            "</div><output class=readout aria-live=polite>{}</output><details><summary>Numbers</summary>{table}</details></figure>",
            if follows {
                escape(view.meaning())
            } else {
                String::new()
            }
        );
        html
    }

    /// The fan with what is asked of it, on the scale that all runs share; the median of the first run in the others.
    fn chart(&self, number: usize, view: &MetricView<'a>) -> Chart {
        let run = &self.runs[number];
        let layout = run.projection.layout();
        let mut chart = fan_chart(&Fan::of(view), view, layout, Vec::new());
        chart.scale = self.scale(&self.scope, view.name());
        let base = self.runs[0].projection;
        if number > 0
            && base.layout().start == layout.start
            && let Some(first) = self.view(&self.runs[0], view.name())
        {
            let values = first.quantile(0.5).into_iter().map(short).collect();
            chart.marks.push(Mark::Line {
                of: Series::new("", values),
                class: "base".to_owned(),
            });
        }
        chart.marks.extend(goals(run, &self.scope, view.name()));
        chart
            .marks
            .extend(run.scenario.and_then(|scenario| as_of(scenario, layout)));
        chart
    }

    fn scale(&self, scope: &str, metric: &str) -> ValueScale {
        let mut reach = Vec::new();
        let mut unit = "";
        for run in self.runs {
            let place = match scope {
                "total" => Some(run.projection.total()),
                campus => run.projection.campus(campus),
            };
            let Some(view) = place.and_then(|place| place.metric(metric)) else {
                continue;
            };
            unit = view.unit();
            reach.extend(Fan::of(&view).values());
            reach.extend(
                goals(run, scope, metric)
                    .iter()
                    .filter_map(|mark| match mark {
                        Mark::Goal { value, .. } => Some(*value),
                        _ => None,
                    }),
            );
        }
        ValueScale::over(unit, reach)
    }

    /// The numbers that the script draws and reads out.
    pub(super) fn data(&self) -> Value {
        let count = |run: &Run<'_>| 6 * run.projection.layout().monthly_len();
        let with_campuses = self.runs.iter().map(count).sum::<usize>() <= MOST_NUMBERS;
        let (mut metrics, mut scales) = (Map::new(), Map::new());
        let mut runs = Vec::new();
        for run in self.runs {
            let projection = run.projection;
            let layout = projection.layout();
            let campuses = (projection.campuses())
                .filter(|campus| with_campuses || campus.name() == self.scope);
            let mut scopes = Map::new();
            for scope in std::iter::once(projection.total()).chain(campuses) {
                for view in scope.metrics() {
                    metrics.entry(view.name()).or_insert_with(|| {
                        let title = chart_title(view.name(), view.unit());
                        json!({"title": title, "unit": view.unit(), "meaning": view.meaning()})
                    });
                    let key = format!("{}/{}", scope.name(), view.name());
                    scales.entry(key).or_insert_with(|| {
                        let scale = self.scale(scope.name(), view.name());
                        let size = Style::new(view.unit(), scale.top.max(-scale.bottom)).size();
                        json!({"from": scale.bottom, "to": scale.top, "ticks": scale.ticks, "unit": scale.unit, "by": size})
                    });
                }
                scopes.insert(scope.name().to_owned(), numbers(run, scope));
            }
            let start = first_month(layout.start);
            runs.push(json!({"name": run.name(), "start": start, "months": layout.months, "scopes": scopes}));
        }
        json!({"metric": self.metric, "scope": self.scope, "metrics": metrics, "scales": scales, "runs": runs})
    }
}

/// The metric that is shown if none is asked about: the first whose future is not known.
fn interesting(run: &Run<'_>) -> String {
    let unsure = ["in_service_power_mw", "it_power_mw", "installed_pflops"];
    let found = unsure
        .into_iter()
        .find(|name| (run.projection.metric(name)).is_some_and(|view| !Fan::of(&view).is_flat()));
    found.unwrap_or("it_power_mw").to_owned()
}

fn goals(run: &Run<'_>, scope: &str, metric: &str) -> Vec<Mark> {
    (run.scenario).map_or_else(Vec::new, |scenario| {
        asked_of(scenario, scope, metric, run.projection.layout())
    })
}

/// The lists of a fan of every metric of a scope, then the mean, and what is asked of it.
fn numbers(run: &Run<'_>, scope: ScopeView<'_>) -> Value {
    let metrics = scope.metrics().map(|view| {
        let fan = Fan::of(&view);
        let mut lists: Vec<Value> = fan.lists().map(|(_, list)| rounded(list)).collect();
        lists.push(rounded(&view.mean()));
        let goals: Vec<Value> = (goals(run, scope.name(), view.name()).into_iter())
            .filter_map(|mark| match mark {
                Mark::Goal {
                    months,
                    value,
                    label,
                } => Some(json!([months, value, label])),
                _ => None,
            })
            .collect();
        let entry = if goals.is_empty() {
            json!([lists])
        } else {
            json!([lists, goals])
        };
        (view.name().to_owned(), entry)
    });
    Value::Object(metrics.collect())
}

fn rounded(list: &[f64]) -> Value {
    let number = |x: f64| -> Value {
        if x.fract() == 0.0 && x.abs() < 1e15 {
            json!(x as i64)
        } else {
            json!(x)
        }
    };
    let short = list.iter().map(|x| short(*x));
    Value::Array(
        short
            .map(|x| {
                if x.is_finite() {
                    number(x)
                } else {
                    Value::Null
                }
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_script_has_the_lists_that_are_drawn() {
        let projection = fixture::projection();
        let runs = [Run::new(&projection)];
        let fans = Fans::new(&runs);
        let data = fans.data();
        let lists = &data["runs"][0]["scopes"]["total"]["it_power_mw"][0];
        let view = projection.metric("it_power_mw").unwrap();
        let p50: Vec<f64> = view.quantile(0.5).into_iter().map(short).collect();
        let reported: Vec<f64> = (lists[2].as_array().unwrap().iter())
            .map(|x| x.as_f64().unwrap())
            .collect();
        assert_eq!(reported, p50);
        assert_eq!(lists.as_array().unwrap().len(), 6);
        assert!(data["scales"]["total/it_power_mw"]["ticks"].is_array());
    }

    #[test]
    fn what_never_changes_is_not_drawn() {
        let projection = fixture::projection();
        let runs = [Run::new(&projection)];
        let html = Fans::new(&runs).others();
        // Nobody signs, so nothing is ever in service.
        assert!(!html.contains("data-metric=in_service_power_mw"));
        assert!(html.contains("data-metric=standard_racks"));
    }
}
