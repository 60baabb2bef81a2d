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
