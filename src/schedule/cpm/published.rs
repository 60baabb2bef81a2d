//! Worked examples as others have published them, with the numbers of their pages.

use crate::sampling::inputs::Quantity::Fixed;
use crate::schedule::network::{Network, NetworkBuilder, NodeId};

/// Name, duration, predecessors.
type Rows<'a> = &'a [(&'a str, f64, &'a [&'a str])];

fn network(rows: Rows<'_>) -> (Network, Vec<NodeId>) {
    let mut builder = NetworkBuilder::default();
    let ids: Vec<NodeId> = rows
        .iter()
        .map(|(name, duration, _)| builder.add((*name).into(), Fixed(*duration), f64::NEG_INFINITY))
        .collect();
    for (id, (_, _, after)) in ids.iter().zip(rows) {
        for name in *after {
            let before = builder.find(name).unwrap();
            builder.depend(*id, before, Fixed(0.0));
        }
    }
    (builder.build().unwrap(), ids)
}

/// An activity on an arrow: from one event to another, its duration, and the published early start,
/// early finish, late start, late finish and slack.
type Arrow = (u32, u32, f64, [f64; 5]);

/// Of a network of activities on arrows, every activity that ends where another begins precedes it.
fn assert_arrows(arrows: &[Arrow]) {
    let mut builder = NetworkBuilder::default();
    let ids: Vec<NodeId> = arrows
        .iter()
        .map(|(from, to, duration, _)| {
            builder.add(format!("{from}-{to}"), Fixed(*duration), f64::NEG_INFINITY)
        })
        .collect();
    for (id, (from, ..)) in ids.iter().zip(arrows) {
        for (before, (_, to, ..)) in ids.iter().zip(arrows) {
            if from == to {
                builder.depend(*id, *before, Fixed(0.0));
            }
        }
    }
    let network = builder.build().unwrap();
    let path = network.critical_path(&[], None);
    for (&id, (from, to, _, published)) in ids.iter().zip(arrows) {
        let found = [
            path.early_start(id),
            path.early_finish(id),
            path.late_start(id),
            path.late_finish(id),
            path.total_float(id),
        ];
        assert_eq!(found, *published, "{from}-{to}");
        assert_eq!(path.is_critical(id), published[4] == 0.0, "{from}-{to}");
    }
}

#[test]
fn two_networks_of_a_textbooks_solutions() {
    // Taylor, Introduction to Management Science, chapter 8, solutions ("TaylCh08",
    // scribd.com/doc/47113515), the two tables of problems 114 and 115 as its pages number them.
    assert_arrows(&[
        (1, 2, 7.0, [0.0, 7.0, 2.0, 9.0, 2.0]),
        (1, 3, 10.0, [0.0, 10.0, 0.0, 10.0, 0.0]),
        (2, 4, 6.0, [7.0, 13.0, 9.0, 15.0, 2.0]),
        (3, 4, 5.0, [10.0, 15.0, 10.0, 15.0, 0.0]),
        (3, 5, 4.0, [10.0, 14.0, 14.0, 18.0, 4.0]),
        (4, 5, 3.0, [15.0, 18.0, 15.0, 18.0, 0.0]),
        (5, 6, 2.0, [18.0, 20.0, 18.0, 20.0, 0.0]),
    ]);
    assert_arrows(&[
        (1, 2, 8.0, [0.0, 8.0, 1.0, 9.0, 1.0]),
        (1, 3, 10.0, [0.0, 10.0, 0.0, 10.0, 0.0]),
        (1, 4, 9.0, [0.0, 9.0, 6.0, 15.0, 6.0]),
        (2, 5, 6.0, [8.0, 14.0, 9.0, 15.0, 1.0]),
        (2, 6, 4.0, [8.0, 12.0, 16.0, 20.0, 8.0]),
        (3, 5, 5.0, [10.0, 15.0, 10.0, 15.0, 0.0]),
        (4, 5, 0.0, [9.0, 9.0, 15.0, 15.0, 6.0]),
        (4, 7, 7.0, [9.0, 16.0, 20.0, 27.0, 11.0]),
        (5, 7, 12.0, [15.0, 27.0, 15.0, 27.0, 0.0]),
        (5, 8, 15.0, [15.0, 30.0, 16.0, 31.0, 1.0]),
        (6, 9, 18.0, [12.0, 30.0, 20.0, 38.0, 8.0]),
        (7, 8, 4.0, [27.0, 31.0, 27.0, 31.0, 0.0]),
        (8, 9, 7.0, [31.0, 38.0, 31.0, 38.0, 0.0]),
    ]);
}

#[test]
fn a_prototype_takes_16_hours() {
    // "Example 1: Draw the network for the events in Table 1" (studylib.net/doc/8378728).
    let rows: Rows<'_> = &[
        ("A", 6.0, &[]),
        ("B", 2.0, &["A"]),
        ("C", 2.0, &["A"]),
        ("D", 3.0, &["B"]),
        ("F", 2.0, &["C"]),
        ("E", 4.0, &["D", "F"]),
        ("G", 1.0, &["E"]),
    ];
    let published = [
        [0.0, 6.0, 0.0, 6.0, 0.0],
        [6.0, 8.0, 6.0, 8.0, 0.0],
        [6.0, 8.0, 7.0, 9.0, 1.0],
        [8.0, 11.0, 8.0, 11.0, 0.0],
        [8.0, 10.0, 9.0, 11.0, 1.0],
        [11.0, 15.0, 11.0, 15.0, 0.0],
        [15.0, 16.0, 15.0, 16.0, 0.0],
    ];
    let (network, ids) = network(rows);
    let path = network.critical_path(&[], None);
    for (&id, published) in ids.iter().zip(&published) {
        let found = [
            path.early_start(id),
            path.early_finish(id),
            path.late_start(id),
            path.late_finish(id),
            path.total_float(id),
        ];
        assert_eq!(found, *published, "{}", network.name(id));
    }
}

/// Checks a network against the published durations of all its paths.
fn assert_paths(rows: Rows<'_>, paths: &[(&str, f64)]) {
    let (network, ids) = network(rows);
    let path = network.critical_path(&[], None);
    let longest = paths.iter().map(|(_, time)| *time).fold(0.0, f64::max);
    assert_eq!(path.finish(), longest);
    for (id, (name, ..)) in ids.iter().zip(rows) {
        // The slack of an activity is by how much the longest path through it is shorter.
        let through = paths.iter().filter(|(path, _)| path.contains(name));
        let through = through.map(|(_, time)| *time).fold(0.0, f64::max);
        assert_eq!(path.total_float(*id), longest - through, "{name}");
    }
}

#[test]
fn a_paper_mills_filter_takes_15_weeks() {
    // Heizer & Render's Milwaukee Paper, as "The Durango Paper Company" with all paths and their
    // durations (solutioninn.com/-184578). The page gives A-C-F-H and A-C-E-H, which is no path of
    // the network, since only G follows E; the four paths are these.
    assert_paths(
        POLLUTION_FILTER,
        &[
            ("ACFH", 9.0),
            ("ACEGH", 15.0),
            ("ADGH", 13.0),
            ("BDGH", 14.0),
        ],
    );
}

const POLLUTION_FILTER: Rows<'static> = &[
    ("A", 2.0, &[]),
    ("B", 3.0, &[]),
    ("C", 2.0, &["A"]),
    ("D", 4.0, &["A", "B"]),
    ("E", 4.0, &["C"]),
    ("F", 3.0, &["C"]),
    ("G", 5.0, &["D", "E"]),
    ("H", 2.0, &["F", "G"]),
];

#[test]
fn a_hospital_takes_69_weeks() {
    // Krajewski & Ritzman's St. Adolf's Hospital, "Example 3.1": dependencies and the durations of
    // all paths on the slides (scribd.com/presentation/243321279), durations of the activities as
    // "St. John's Hospital" (app.pmcalculators.com/examples/projects/cpm/example2).
    assert_paths(
        &[
            ("A", 12.0, &[]),
            ("B", 9.0, &[]),
            ("C", 10.0, &["A"]),
            ("D", 10.0, &["B"]),
            ("E", 24.0, &["B"]),
            ("F", 10.0, &["A"]),
            ("G", 35.0, &["C"]),
            ("H", 40.0, &["D"]),
            ("I", 15.0, &["A"]),
            ("J", 4.0, &["E", "G", "H"]),
            ("K", 6.0, &["F", "I", "J"]),
        ],
        &[
            ("AIK", 33.0),
            ("AFK", 28.0),
            ("ACGJK", 67.0),
            ("BDHJK", 69.0),
            ("BEJK", 43.0),
        ],
    );
}

/// PERT's expected time of three estimates.
fn expected(o: f64, m: f64, p: f64) -> f64 {
    (o + 4.0 * m + p) / 6.0
}

#[test]
fn expected_times_of_pert_give_the_published_slack() {
    // Fourteen activities with three estimates (wizedu.com/questions/717873), to two decimals. The
    // page's excerpt gives dates and slack of A to F, and the expected times of all.
    let rows: Rows<'_> = &[
        ("A", expected(5.0, 5.0, 7.0), &[]),
        ("B", expected(1.0, 2.0, 5.0), &[]),
        ("C", expected(5.0, 5.0, 5.0), &["A"]),
        ("D", expected(4.0, 8.0, 13.0), &["A"]),
        ("E", expected(1.0, 10.0, 17.0), &["B", "C"]),
        ("F", expected(1.0, 5.0, 7.0), &["D"]),
        ("G", expected(2.0, 6.0, 9.0), &["D"]),
        ("H", expected(4.0, 4.0, 6.0), &["E", "F"]),
        ("I", expected(2.0, 7.0, 10.0), &["G", "H"]),
        ("J", expected(2.0, 4.0, 7.0), &["I"]),
        ("K", expected(6.0, 10.0, 13.0), &["I"]),
        ("L", expected(2.0, 6.0, 6.0), &["J"]),
        ("M", expected(2.0, 2.0, 3.0), &["K"]),
        ("N", expected(7.0, 7.0, 12.0), &["L", "M"]),
    ];
    let times = [
        5.33, 2.33, 5.0, 8.17, 9.67, 4.67, 5.83, 4.33, 6.67, 4.17, 9.83, 5.33, 2.17, 7.83,
    ];
    let dates = [
        [0.0, 5.33, 0.0, 5.33, 0.0],
        [0.0, 2.33, 8.0, 10.33, 8.0],
        [5.33, 10.33, 5.33, 10.33, 0.0],
        [5.33, 13.5, 7.17, 15.33, 1.83],
        [10.33, 20.0, 10.33, 20.0, 0.0],
        [13.5, 18.17, 15.33, 20.0, 1.83],
    ];
    for ((_, time, _), published) in rows.iter().zip(times) {
        assert!((time - published).abs() < 0.00501);
    }
    let (network, ids) = network(rows);
    let path = network.critical_path(&[], None);
    for (&id, published) in ids.iter().zip(&dates) {
        let found = [
            path.early_start(id),
            path.early_finish(id),
            path.late_start(id),
            path.late_finish(id),
            path.total_float(id),
        ];
        for (found, published) in found.iter().zip(published) {
            assert!((found - published).abs() < 0.00501, "{}", network.name(id));
        }
    }
    // The probability of 55 days along the critical path, as PERT computes it, needs its length: the
    // sum of the published times of A, C, E, H, I, K, M and N, each rounded.
    assert!((path.finish() - 50.83).abs() < 0.02);
}

#[test]
fn wikipedias_example_of_pert_takes_nineteen_and_a_half_days() {
    // The three estimates and dependencies of Wikipedia's article "Program evaluation and review
    // technique", as the crate perty 0.0.1 has them (docs.rs/crate/perty, graphs/wiki_example.json);
    // the article adds up rounded times to 19.51 work days along A, C, E and G.
    let rows: Rows<'_> = &[
        ("A", expected(2.0, 4.0, 6.0), &[]),
        ("B", expected(3.0, 5.0, 9.0), &[]),
        ("C", expected(4.0, 5.0, 7.0), &["A"]),
        ("D", expected(4.0, 6.0, 10.0), &["A"]),
        ("E", expected(4.0, 5.0, 7.0), &["B", "C"]),
        ("F", expected(3.0, 4.0, 8.0), &["D"]),
        ("G", expected(3.0, 5.0, 8.0), &["E"]),
    ];
    let (network, ids) = network(rows);
    let path = network.critical_path(&[], None);
    assert!((path.finish() - 19.5).abs() < 1e-9);
    let critical: Vec<&str> = (ids.iter())
        .filter(|&&id| path.is_critical(id))
        .map(|&id| network.name(id))
        .collect();
    assert_eq!(critical, ["A", "C", "E", "G"]);
}
