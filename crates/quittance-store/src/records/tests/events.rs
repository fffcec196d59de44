//! Rows of events, endpoints and deliveries come back as they went; the bytes of their bodies are samples.

use super::*;
use crate::value::{Row, Value};
use quittance_core::event::{
    Attempt, Delivery, DeliveryState, EndedBy, Endpoint, EndpointState, Endpoints, Kind, Kinds, Replayed, Secret,
};
use quittance_core::id::{EndpointId, EventId};
use std::fmt::Debug;

fn check<E: Entity + PartialEq + Debug>(entity: E) {
    assert_eq!(E::from_row(&entity.to_row()), Ok(entity));
}

fn tenant() -> TenantId {
    TenantId::from_bytes(bytes(9))
}

fn endpoints() -> Endpoints {
    let one = Endpoint {
        id: EndpointId::from_bytes(bytes(20)),
        url: "https://example.com/hooks".into(),
        description: Some("shop".into()),
        kinds: Kinds::These(Kind::ALL.into_iter().take(3).collect()),
        secrets: vec![Secret { bytes: [7; 32], until: None }, Secret { bytes: [8; 32], until: Some(Timestamp(5)) }],
        state: EndpointState::Disabled {
            at: Timestamp(4),
            why: EndedBy::Person { by: "key_1".into(), reason: "moving".into() },
        },
        failing_since: Some(Timestamp(3)),
        created_at: Timestamp(2),
    };
    let disabled = |why| Endpoint {
        kinds: Kinds::All,
        description: None,
        failing_since: None,
        secrets: vec![Secret { bytes: [9; 32], until: None }],
        state: EndpointState::Disabled { at: Timestamp(6), why },
        ..one.clone()
    };
    let enabled = Endpoint { state: EndpointState::Enabled, ..one.clone() };
    let all = vec![disabled(EndedBy::Gone), disabled(EndedBy::Failing), enabled, one];
    Endpoints { tenant: tenant(), all }
}

fn delivery(state: DeliveryState) -> Delivery {
    Delivery {
        state,
        tries: 2,
        attempts: vec![
            Attempt { at: Timestamp(1), took_ms: 15_000, status: None, error: Some("no answer".into()) },
            Attempt { at: Timestamp(2), took_ms: 3, status: Some(500), error: None },
        ],
        replayed: Some(Replayed { by: "key_1".into(), reason: "it was down".into(), at: Timestamp(3) }),
        due_at: None,
        lease_owner: 4,
        lease_epoch: 5,
        ..Delivery::new(tenant(), EndpointId::from_bytes(bytes(20)), EventId::from_bytes(bytes(21)), Timestamp(1))
    }
}

/// A row of this name, and where its body is.
fn sample(name: &str) -> (Row, usize) {
    match name {
        "endpoints" => (endpoints().to_row(), Endpoints::table().position("endpoints")),
        _ => (delivery(DeliveryState::Failed).to_row(), Delivery::table().position("history")),
    }
}

pub(super) fn is_body(name: &str) -> bool {
    matches!(name, "endpoints" | "delivery")
}

pub(super) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let body = |name: &'static str| {
        let (row, at) = sample(name);
        match row[at].clone() {
            Value::Bytes(body) => (name, body),
            other => panic!("{other:?} is no body"),
        }
    };
    vec![body("endpoints"), body("delivery")]
}

pub(super) fn check_bodies(stored: impl Fn(&str) -> Vec<u8>) {
    let with = |name: &str| {
        let (mut row, at) = sample(name);
        row[at] = stored(name).into();
        row
    };
    assert_eq!(Endpoints::from_row(&with("endpoints")), Ok(endpoints()));
    assert_eq!(Delivery::from_row(&with("delivery")), Ok(delivery(DeliveryState::Failed)));
}

pub(super) fn is_damaged(name: &str, body: &[u8]) -> bool {
    let (mut row, at) = sample(name);
    row[at] = body.into();
    match name {
        "endpoints" => Endpoints::from_row(&row).is_err(),
        _ => Delivery::from_row(&row).is_err(),
    }
}

#[test]
fn rows_of_outgoing_events_come_back_as_they_went() {
    check(endpoints());
    check(Endpoints::new(tenant()));
    for state in DeliveryState::ALL {
        check(delivery(state));
    }
    let (tenant, endpoint) = (tenant(), EndpointId::from_bytes(bytes(20)));
    check(Delivery::new(tenant, endpoint, EventId::from_bytes(bytes(21)), Timestamp(1)));
    for kind in Kind::ALL {
        check(EventRow {
            tenant,
            id: EventId::from_bytes(bytes(21)),
            kind,
            subject: payment_id().to_string(),
            book: CustomerId::from_bytes(bytes(4)),
            seq: 3,
            at: Timestamp(1),
            body: b"{}".to_vec(),
        });
    }
}
