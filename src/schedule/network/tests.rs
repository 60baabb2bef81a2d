use super::*;

const NONE: f64 = f64::NEG_INFINITY;
const AT_ONCE: Quantity = Quantity::Fixed(0.0);

fn finishes(network: &Network) -> Vec<f64> {
    let mut finish = Vec::new();
    network.schedule(
        &[],
        &mut crate::schedule::plan::Plan::default(),
        &mut finish,
    );
    finish
}

#[test]
fn early_finishes_are_those_of_a_hand_computed_network() {
    // A(3) -> B(4), C(2); B -> D(5); C -> D with a lag of 4; D -> E(1). Critical: A C (lag) D E.
    let mut builder = NetworkBuilder::default();
    let add = |builder: &mut NetworkBuilder, name: &str, months: f64| {
        builder.add(name.into(), Quantity::Fixed(months), NONE)
    };
    let e = add(&mut builder, "E", 1.0);
    let d = add(&mut builder, "D", 5.0);
    let a = add(&mut builder, "A", 3.0);
    let b = add(&mut builder, "B", 4.0);
    let c = add(&mut builder, "C", 2.0);
    builder.depend(b, a, AT_ONCE);
    builder.depend(c, a, AT_ONCE);
    builder.depend(d, b, AT_ONCE);
    builder.depend(d, c, Quantity::Fixed(4.0));
    builder.depend(e, d, AT_ONCE);
    let network = builder.build().unwrap();
    let finish = finishes(&network);
    assert_eq!(
        [a, b, c, d, e].map(|node| finish[node.index()]),
        [3.0, 7.0, 5.0, 14.0, 15.0]
    );
}

#[test]
fn an_activity_does_not_start_before_its_date() {
    let mut builder = NetworkBuilder::default();
    let early = builder.add("early".into(), Quantity::Fixed(2.0), -9.0);
    let late = builder.add("late".into(), Quantity::Fixed(1.0), 6.0);
    builder.depend(late, early, AT_ONCE);
    let network = builder.build().unwrap();
    let finish = finishes(&network);
    assert_eq!(finish, [-7.0, 7.0]);
}

#[test]
fn a_cycle_is_refused_with_its_members_in_order() {
    let mut builder = NetworkBuilder::default();
    let names = ["shell", "permit", "grid", "after the circle"];
    let ids = names.map(|name| builder.add(name.into(), AT_ONCE, NONE));
    builder.depend(ids[0], ids[1], AT_ONCE);
    builder.depend(ids[1], ids[2], AT_ONCE);
    builder.depend(ids[2], ids[0], AT_ONCE);
    builder.depend(ids[3], ids[0], AT_ONCE);
    let cycle = builder.build().unwrap_err();
    assert_eq!(cycle.members, ["grid", "permit", "shell"]);
    assert!(
        cycle
            .to_string()
            .ends_with("grid -> permit -> shell -> grid")
    );
}

/// D uniform from 0 to 10 months, of which 4 have passed: P(D < 4) = 0.4, and half of what is left lasts to 7.
#[test]
fn what_has_outlasted_a_part_lasts_as_long_as_what_does() {
    let sampler = crate::Uncertain::uniform(0.0, 10.0)
        .sampler(crate::uncertain::Domain::NON_NEGATIVE)
        .unwrap();
    let outlasted = Outlasted::new(Quantity::Fixed(0.5), sampler, 4.0);
    for (factor, delay, expected) in [
        (1.0, 0.0, 7.0),
        // 2 D > 4 where D > 2, so D lies from 2 to 10.
        (2.0, 0.0, 6.0),
        // D + 1 > 4 where D > 3.
        (1.0, 1.0, 6.5),
        // 2 D + 1 > 4 where D > 1.5.
        (2.0, 1.0, 5.75),
        (0.0, 1.0, 5.0),
    ] {
        let duration = outlasted.duration(factor, delay, &[]);
        assert!(
            (duration - expected).abs() < 1e-9,
            "{factor}, {delay}: {duration}"
        );
    }
}
