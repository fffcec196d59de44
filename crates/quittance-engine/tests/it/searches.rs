//! Searches for what a lost request may have made: where they look, and what they prove.

use crate::world::{World, engine_of, pay};
use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, Response};
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::effect::{Policy, Source, Stimulus, Subject};
use quittance_core::time::Timestamp;
use quittance_engine::submission::{Find, LearnedFact, Plan, Submission};
use std::sync::Arc;

const HOUR_MS: u64 = 3_600_000;

/// A world whose gateway charges in one request.
pub fn charges() -> World {
    let mut world = World::new();
    let stripe = Stripe { flow: Flow::Charges, ..Stripe::default() };
    let payments = stripe.capability(Subject::Payment).expect("charges");
    let policy = Policy { payments, backoff_base_ms: 10, backoff_max_ms: 100, ..Policy::default() };
    world.engine = engine_of(&world.database, 7, Arc::new(stripe), policy);
    world.start();
    world
}

/// A gateway's own error, which it may roll forward.
pub fn error_500() -> Delivery {
    Delivery::Answered(Response { status: 500, headers: Vec::new(), body: b"{}".to_vec() })
}

/// Has searches find nothing until one hour passes after another; says when and where each looked, and ends at a send.
fn searches(world: &mut World, hours: u64) -> Vec<(Timestamp, Find)> {
    let mut searches = Vec::new();
    for _ in 0..hours {
        world.now = world.now.plus_ms(HOUR_MS);
        world.poll();
        while let Some(job) = world.jobs.pop() {
            let Plan::Find(find) = job.plan else { return searches };
            searches.push((world.now, find));
            let fact = LearnedFact { effect: job.effect, source: Source::Find, stimulus: Stimulus::Found(None) };
            world.submit(Submission::Learned(Box::new(fact)));
        }
    }
    searches
}

#[test]
fn what_was_rolled_forward_hours_after_a_500_is_where_the_search_looks() {
    let mut world = charges();
    world.submit(pay("k", "o").into());
    let sent = world.now;
    world.work(|_, _| error_500());
    let searches = searches(&mut world, 30);
    let (last, _) = searches.last().expect("it is searched for");
    assert!(last.ms_since(sent) >= 24 * HOUR_MS, "a search proves absence only after a day: {last:?}");
    for (_, find) in searches {
        // Made at any time since the send, by a clock that may be an hour behind: a search has a beginning and no end.
        let Find { parent: None, customer: None, reference: Some(_), created_from: Some(from) } = find else {
            panic!("{find:?}")
        };
        assert!(from <= sent.seconds() - 3_600, "{from}");
    }
}
