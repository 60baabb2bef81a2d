//! What a planner's own Rust adds to a scenario: a tenant who signs when there is room, a policy for the second phase,
//! a metric of each month and a number of each trial. The two policies run on common random numbers and are compared.
//!
//! `cargo run --release --example own_models -- 500` (the number of trials)

use buildout::model::extensions::{
    Extensions, OwnContract, OwnDemand, OwnMetric, OwnOutcome, OwnPolicy, Seen,
};
use buildout::projection::Metric;
use buildout::sampling::streams::Stream;
use buildout::{Batch, Projection, Scenario};

/// A cloud company that looks at the campus now and then, and takes 2 MW if so much is free.
struct CloudCompany;

impl OwnDemand for CloudCompany {
    fn name(&self) -> String {
        "cloud company".into()
    }

    fn signs(&self, seen: &Seen<'_>, random: &mut Stream, sign: &mut dyn FnMut(OwnContract)) {
        // It looks about once in ten months; an assumption.
        let looks = random.uniform() < 0.1;
        let free_mw = seen.now(0, "it_power_mw") - seen.now(0, "leased_power_mw");
        if looks && free_mw >= 2.0 {
            sign(OwnContract::new().power_kw(2_000.0).move_in_lag_months(3.0));
        }
    }
}

/// Starts the phase as soon as so much power is leased or waited for, in MW.
struct WhenWanted(f64);

impl OwnPolicy for WhenWanted {
    fn name(&self) -> String {
        format!("when {} MW are wanted", self.0)
    }

    fn starts(&self, seen: &Seen<'_>, _: &mut Stream) -> bool {
        seen.now(0, "leased_power_mw") + seen.now(0, "waiting_demand_mw") >= self.0
    }
}

/// Live power that nobody uses.
struct Idle;

impl OwnMetric for Idle {
    fn label(&self) -> Metric {
        Metric {
            name: "idle_power_mw".into(),
            unit: "MW".into(),
            meaning: "Deployable power that is not in service".into(),
        }
    }

    fn value(&self, seen: &Seen<'_>, scope: usize) -> f64 {
        seen.now(scope, "it_power_mw") - seen.now(scope, "in_service_power_mw")
    }
}

/// Over how many years demand waits for capacity.
struct YearsShort;

impl OwnOutcome for YearsShort {
    fn label(&self) -> Metric {
        Metric {
            name: "years_short".into(),
            unit: "years".into(),
            meaning: "Time in which more than 1 MW waits for capacity".into(),
        }
    }

    fn value(&self, seen: &Seen<'_>) -> f64 {
        let waiting = seen.metric(0, "waiting_demand_mw").unwrap_or_default();
        waiting.iter().filter(|mw| **mw > 1.0).count() as f64 / 12.0
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let trials = (std::env::args().nth(1)).map_or(Ok(500), |text| text.parse())?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/phased-campus.toml");
    let mut scenario = Scenario::from_path(path)?;
    // The policies below decide instead of the condition in the file.
    for phase in &mut scenario.campuses[0].phases {
        phase.when.clear();
        phase.at_latest = None;
    }
    println!(
        "policy for phase 2       MW live end of 2028 (P50)   MW idle (mean)   years short (P50)"
    );
    for wanted_mw in [12.0, 20.0, 28.0] {
        let own = Extensions::new()
            .demand("tenants", CloudCompany)
            .policy("north", "phase 2", WhenWanted(wanted_mw))
            .metric(Idle)
            .outcome(YearsShort);
        let model = scenario.compile_with(&own)?;
        let projection = Batch::new(&model).trials(trials).seed(1).run()?;
        print_line(wanted_mw, &projection);
    }
    Ok(())
}

fn print_line(wanted_mw: f64, projection: &Projection) {
    let end_of_2028 = 47;
    let metric = |name: &str| projection.metric(name).and_then(|m| m.month(end_of_2028));
    let live = metric("it_power_mw").and_then(|d| d.quantile(0.5));
    let idle = metric("idle_power_mw").and_then(|d| d.mean());
    let short = projection
        .outcome("years_short")
        .and_then(|d| d.quantile(0.5));
    let show = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.1}"));
    println!(
        "when {wanted_mw:>4} MW are wanted   {:>25}   {:>14}   {:>17}",
        show(live),
        show(idle),
        show(short)
    );
}
