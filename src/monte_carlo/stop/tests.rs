use super::sequence::times_ln;
use super::*;
use crate::compute::RackType;
use crate::sampling::streams::Source;
use crate::scenario::Target;
use crate::schedule::Activity;
use crate::site::Campus;
use crate::site::{Building, Hall};
use crate::{Date, Model, Scenario, Uncertain};

fn model(name: &str, longest: f64) -> Model {
    let mut building = Building::new("A");
    let shell = Uncertain::triangular(2.0, 3.0, longest);
    building.activities = Some(vec![Activity::new("shell", shell)]);
    building.halls = Some(vec![Hall::new("hall", 100, "standard")]);
    let mut campus = Campus::new("north");
    campus.buildings.push(building);
    let mut scenario = Scenario::new(name, Date::month(2025, 1).unwrap(), 12);
    scenario.rack_types.push(RackType::new("standard", 2.5));
    scenario.campuses.push(campus);
    scenario.targets.push(Target {
        name: "in four months".to_owned(),
        metric: None,
        at_least: None,
        milestone: Some("A live".to_owned()),
        campus: None,
        by: Date::month(2025, 4).unwrap(),
    });
    scenario.compile().unwrap()
}

fn goals() -> Until {
    Until {
        at_least: 200,
        at_most: 200_000,
        ..Until::new(vec![
            Goal::Quantile {
                of: Measure::Milestone("A live".to_owned()),
                p: 0.9,
                within: 0.15,
            },
            Goal::Probability {
                of: "in four months".to_owned(),
                within: 0.03,
            },
        ])
    }
}

/// By direct summation in small cases: the martingale has mean 1 after t trials.
#[test]
fn the_martingale_has_mean_one() {
    let sequence = Sequence::new(0.05, 40.0);
    for p in [0.1, 0.5, 0.93] {
        for trials in [1_u64, 7, 30] {
            let t = trials as f64;
            let mean: f64 = (0..=trials)
                .map(|s| {
                    let s = s as f64;
                    let ways =
                        libm::lgamma(t + 1.0) - libm::lgamma(s + 1.0) - libm::lgamma(t - s + 1.0);
                    let probability = ways + times_ln(s, p) + times_ln(t - s, 1.0 - p);
                    libm::exp(probability + sequence.ln_martingale(p, s, t))
                })
                .sum();
            assert!((mean - 1.0).abs() < 1e-10, "{p} {trials}: {mean}");
        }
    }
}

/// Over 400 sequences of 4,000 trials, looked at after every trial, the interval ever misses the truth in at most
/// a share of alpha.
#[test]
fn intervals_hold_at_all_looks_together() {
    let alpha = 0.1;
    let sequence = Sequence::new(alpha, 1_000.0);
    for p in [0.02, 0.5, 0.9] {
        let mut misses = 0;
        for run in 0..400 {
            let mut stream = Source::named("sequence").stream(1, run);
            let mut successes = 0;
            let missed = (1..=4_000_u64).any(|trials| {
                successes += u64::from(stream.uniform() < p);
                sequence.ln_martingale(p, successes as f64, trials as f64) >= sequence.ln_limit
            });
            misses += u32::from(missed);
        }
        // At most 40 are expected, with a standard deviation of 6; three of them.
        assert!(misses <= 40 + 18, "{p}: {misses}");
        // It is no better than it must be by much: an interval that never misses is too wide.
        assert!(misses >= 4, "{p}: {misses}");
    }
}

/// As the above for means, of a skewed distribution, from the 200th number on.
#[test]
fn intervals_of_means_hold_at_all_looks_together() {
    let alpha = 0.1;
    let sequence = Sequence::new(alpha, 1_000.0);
    let mut misses = 0;
    for run in 0..400 {
        let mut stream = Source::named("mean sequence").stream(1, run);
        let (mut sum, mut squares) = (0.0, 0.0);
        let missed = (1..=4_000_u64).any(|trials| {
            let x = stream.exponential();
            sum += x;
            squares += x * x;
            let t = trials as f64;
            let mean = sum / t;
            let std_dev = ((squares / t - mean * mean) * t / (t - 1.0)).sqrt();
            trials >= 200 && (mean - 1.0).abs() > std_dev * sequence.half_width_of_mean(t)
        });
        misses += u32::from(missed);
    }
    // At most 40 are expected, with a standard deviation of 6; three of them.
    assert!(misses <= 40 + 18, "{misses}");
    assert!(misses >= 4, "{misses}");
}

#[test]
fn intervals_are_where_the_martingale_meets_its_limit() {
    let sequence = Sequence::new(0.05, 1_000.0);
    for (successes, trials) in [
        (0, 50),
        (1, 50),
        (437, 1_000),
        (1_000, 1_000),
        (90_000, 100_000),
    ] {
        let (low, high) = sequence.probability(successes, trials);
        let share = successes as f64 / trials as f64;
        assert!(low <= share && share <= high);
        for (edge, end) in [(low, 0.0), (high, 1.0)] {
            if edge != end {
                let there = sequence.ln_martingale(edge, successes as f64, trials as f64);
                assert!((there - sequence.ln_limit).abs() < 1e-6, "{there}");
            }
        }
        let (fewest, most) = sequence.counts(0.3, trials);
        let admits =
            |s: u64| sequence.ln_martingale(0.3, s as f64, trials as f64) < sequence.ln_limit;
        assert!(admits(fewest) && admits(most));
        assert!(fewest == 0 || !admits(fewest - 1));
        assert!(most == trials || !admits(most + 1));
    }
    // At the number of trials it is made for it is at most 1.7 times as wide as for a single look.
    let (low, high) = sequence.probability(500, 1_000);
    let single = 2.0 * 1.96 * (0.25_f64 / 1_000.0).sqrt();
    assert!((high - low) / single < 1.7, "{}", (high - low) / single);
    // So is that of a mean: ln and square roots by hand for m = 1,000 / (5.991 + ln 6.991) = 126.0.
    let of_mean = sequence.half_width_of_mean(1_000.0);
    let by_hand = (1_126.0_f64 * (8.936_f64.ln() + 5.991)).sqrt() / 1_000.0;
    assert!(
        (of_mean / by_hand - 1.0).abs() < 1e-3,
        "{of_mean} {by_hand}"
    );
}

#[test]
#[ignore = "slow"]
fn a_run_stops_when_all_scenarios_are_known() {
    let models = [model("slow", 8.0), model("fast", 5.0)];
    let until = goals();
    let run = |threads: usize| {
        let mut batches: Vec<Batch<'_>> = (models.iter())
            .map(|model| Batch::new(model).seed(4).threads(threads))
            .collect();
        let mut parts: Vec<Part> = batches.iter().map(|batch| batch.begin().unwrap()).collect();
        let stopped = run_until(&mut batches, &until, &mut parts).unwrap();
        (stopped, parts)
    };
    let (stopped, parts) = run(2);
    assert!(stopped.is_reached());
    assert!(
        stopped.trials > 200 && stopped.trials < 200_000,
        "{}",
        stopped.trials
    );
    assert_eq!((stopped.clone(), parts.clone()), run(1));
    for (known, part) in stopped.known.iter().zip(&parts) {
        assert_eq!(part.done().count(), stopped.trials);
        assert!(known[0].high - known[0].low <= 0.3);
        assert!(known[1].high - known[1].low <= 0.06);
    }
    // Triangular on 2 to 8 with mode 3: P90 = 8 - sqrt(0.1 x 6 x 5), P(at most 4) = 1 - 16/30.
    let exact = (8.0 - 3.0_f64.sqrt(), 1.0 - 16.0 / 30.0);
    assert!(stopped.known[0][0].low < exact.0 && exact.0 < stopped.known[0][0].high);
    assert!(stopped.known[0][1].low < exact.1 && exact.1 < stopped.known[0][1].high);
    // Half the width takes about four times the trials.
    let mut narrower = until.clone();
    for goal in &mut narrower.goals {
        let (Goal::Quantile { within, .. } | Goal::Probability { within, .. }) = goal;
        *within /= 2.0;
    }
    let mut batches = [
        Batch::new(&models[0]).seed(4),
        Batch::new(&models[1]).seed(4),
    ];
    let mut parts = [batches[0].begin().unwrap(), batches[1].begin().unwrap()];
    let longer = run_until(&mut batches, &narrower, &mut parts).unwrap();
    let ratio = longer.trials as f64 / stopped.trials as f64;
    assert!((2.5..6.0).contains(&ratio), "{ratio}");
}

#[test]
fn an_interrupted_run_stops_where_it_would_have() {
    let model = model("slow", 8.0);
    let until = goals();
    let mut whole = [Batch::new(&model).begin().unwrap()];
    let stopped = run_until(&mut [Batch::new(&model)], &until, &mut whole).unwrap();
    // Between two looks, and at one.
    for done in [350, 200] {
        let mut part = [Batch::new(&model).begin().unwrap()];
        Batch::new(&model)
            .trials(done)
            .advance(&mut part[0])
            .unwrap();
        let again = run_until(&mut [Batch::new(&model)], &until, &mut part).unwrap();
        assert_eq!(again, stopped);
        assert_eq!(part, whole);
    }
}

#[test]
fn the_ceiling_ends_a_run_that_is_not_done() {
    let model = model("slow", 8.0);
    let until = Until {
        at_most: 300,
        ..goals()
    };
    let mut part = [Batch::new(&model).begin().unwrap()];
    let stopped = run_until(&mut [Batch::new(&model)], &until, &mut part).unwrap();
    assert_eq!(stopped.trials, 300);
    assert!(!stopped.is_reached());
}

#[test]
fn goals_that_cannot_be_are_refused_before_the_first_trial() {
    let model = model("slow", 8.0);
    let refused = |until: &Until, design: Design| {
        let mut batches = [Batch::new(&model).design(design)];
        let mut parts = [batches[0].begin().unwrap()];
        let error = run_until(&mut batches, until, &mut parts).unwrap_err();
        assert!(parts[0].done().is_empty());
        error.to_string()
    };
    let mut until = goals();
    assert!(refused(&until, Design::SOBOL).contains("independent"));
    until.goals = vec![Goal::Probability {
        of: "in for months".to_owned(),
        within: 0.1,
    }];
    let unknown = refused(&until, Design::Random);
    assert!(unknown.contains("in four months"), "{unknown}");
    until.goals.clear();
    assert!(refused(&until, Design::Random).contains("no goal"));
    for (confidence, at_least) in [(1.0, 10), (0.9, 0), (0.9, 1_000_000)] {
        let until = Until {
            confidence,
            at_least,
            ..goals()
        };
        refused(&until, Design::Random);
    }
    assert!(
        refused(
            &Until {
                goals: vec![Goal::Quantile {
                    of: Measure::Metric {
                        metric: "it_power_mw".to_owned(),
                        campus: None,
                        at: MetricTime::Month(Date::month(2031, 1).unwrap())
                    },
                    p: 0.5,
                    within: 1.0,
                }],
                ..goals()
            },
            Design::Random
        )
        .contains("horizon")
    );
}
