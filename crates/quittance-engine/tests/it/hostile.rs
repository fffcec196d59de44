//! Many payments, a hostile network, crashes at random; then the books, the gateway and every answer agree.

use crate::gateway::Gateway;
use crate::world::{World, pay};
use proptest::prelude::*;
use quittance_core::payment::Status;
use quittance_engine::submission::{Outcome, Submission};
use quittance_engine::verify::verify;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
enum Event {
    Pay { order: u8, card: bool, twice: bool },
    Serve,
    Lose,
    ServeAndLose,
    StoreError,
    Crash,
    Poll,
    Shuffle,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let pay = (0u8..12, any::<bool>(), any::<bool>());
    let event = prop_oneof![
        4 => pay.prop_map(|(order, card, twice)| Event::Pay { order, card, twice }),
        6 => Just(Event::Serve),
        1 => Just(Event::Lose),
        2 => Just(Event::ServeAndLose),
        1 => Just(Event::StoreError),
        1 => Just(Event::Crash),
        3 => Just(Event::Poll),
        1 => Just(Event::Shuffle),
    ];
    proptest::collection::vec(event, 1..120)
}

fn run(world: &mut World, event: Event, keys: &mut u32) {
    world.now = world.now.plus_ms(50);
    match event {
        Event::Pay { order, card, twice } => {
            *keys += 1;
            let mut asked = pay(&format!("k{keys}"), &format!("order-{order}"));
            if !card {
                asked.method = "pm_card_chargeDeclined".into();
            }
            let copies = if twice { 2 } else { 1 };
            world.submit_all((0..copies).map(|_| Submission::from(asked.clone())).collect());
        }
        Event::Crash => world.crash(),
        Event::Poll => world.poll(),
        Event::Shuffle => world.jobs.reverse(),
        _ if world.jobs.is_empty() => {}
        Event::Serve => drop(world.work(Gateway::serve)),
        Event::Lose => drop(world.work(Gateway::lose)),
        Event::ServeAndLose => drop(world.work(Gateway::serve_and_lose)),
        Event::StoreError => drop(world.work(Gateway::store_error)),
    }
}

fn judge(world: &mut World) -> Result<(), TestCaseError> {
    let charged = world.gateway.charged();
    let succeeded = world.payments().iter().filter(|payment| payment.status == Status::Succeeded).count();
    prop_assert_eq!(charged.len(), succeeded, "the gateway's successes are ours");
    let mut by_reference: BTreeMap<String, usize> = BTreeMap::new();
    for payment in world.payments() {
        prop_assert_ne!(payment.status, Status::Review);
        *by_reference.entry(payment.reference).or_default() += usize::from(payment.status == Status::Succeeded);
    }
    prop_assert!(by_reference.values().all(|successes| *successes <= 1), "{:?}", by_reference);
    let report = verify(&mut world.database.reader(), &mut |_| {}).expect("readable");
    prop_assert!(report.findings.is_empty(), "{:?}", report);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_order_is_charged_at_most_once_and_the_books_agree(events in events()) {
        let mut world = World::new();
        let mut keys = 0;
        for event in events {
            run(&mut world, event, &mut keys);
        }
        world.settle();
        judge(&mut world)?;
        for key in 1..=keys {
            let mut again = pay(&format!("k{key}"), "order-0");
            again.fingerprint = 1;
            let outcome = world.submit(again.into());
            prop_assert!(matches!(outcome, Outcome::Refused(_)), "an acknowledged key was forgotten: {:?}", outcome);
        }
    }
}
