//! Rows of what gateways tell come back as they went.

use super::*;
use quittance_core::effect::Orphan;
use quittance_core::fact::ObjectKind;
use quittance_core::id::DiscrepancyId;
use std::fmt::Debug;

fn check<E: Entity + PartialEq + Debug>(entity: E) {
    assert_eq!(E::from_row(&entity.to_row()), Ok(entity));
}

fn object() -> GatewayObject {
    GatewayObject::new("stripe".into(), "pi_1".into(), ObjectKind::Payment, Timestamp(1))
}

fn owner() -> Owner {
    Owner { book: CustomerId::from_bytes(bytes(4)), effect: effect_id(), payment: payment_id() }
}

#[test]
fn rows_of_objects_come_back_as_they_went() {
    check(object());
    for state in ObjectState::ALL {
        check(GatewayObject {
            owner: Some(owner()),
            state,
            waiting_on: Some("pi_0".into()),
            status: Some("succeeded".into()),
            status_since: Some(Timestamp(3)),
            read_sequence: 4,
            is_stale: true,
            tries: 5,
            troubled_since: Some(Timestamp(6)),
            last_read_at: Some(Timestamp(7)),
            due_at: None,
            lease_owner: 8,
            lease_epoch: 9,
            ..object()
        });
    }
    let mut row = GatewayObject { owner: Some(owner()), ..object() }.to_row();
    row[GatewayObject::table().position("effect")] = crate::value::Value::Null;
    assert_eq!(GatewayObject::from_row(&row).expect_err("half an owner").table, "gateway_objects");
}

#[test]
fn rows_of_orphans_come_back_as_they_went() {
    let book = CustomerId::from_bytes(bytes(4));
    let mut entry = OrphanEntry::new(book, "stripe".into(), "order-1".into());
    check(entry.clone());
    let orphan = |number: usize, is_inert| Orphan { object: format!("pi_{number}"), is_inert };
    for number in 0..OrphanEntry::FOUND_MAX {
        entry.note(orphan(number, true));
    }
    entry.note(orphan(0, false));
    assert_eq!((entry.found.len(), entry.found[0].is_inert, entry.is_more), (OrphanEntry::FOUND_MAX, false, false));
    check(entry.clone());
    entry.note(orphan(99, false));
    entry.forget("pi_0");
    assert_eq!(
        (entry.found.len(), entry.is_more),
        (OrphanEntry::FOUND_MAX - 1, true),
        "one that was not kept may be there"
    );
    check(entry.clone());
    assert_eq!(entry.key(), OrphanEntry::place(book, "stripe", "order-1"));
}

#[test]
fn rows_of_events_and_sweeps_come_back_as_they_went() {
    let webhook = InboxEntry {
        gateway: "stripe".into(),
        event: "evt_1".into(),
        kind: "payment_intent.succeeded".into(),
        object: Some("pi_1".into()),
        book: None,
        disposition: Disposition::Fetch,
        source: EventSource::Webhook,
        endpoint: Some("we_main".into()),
        secret: Some("env:SECRET".into()),
        verified_at: Some(Timestamp(1)),
        received_at: Timestamp(1),
        body: b"{}".to_vec(),
    };
    for disposition in Disposition::ALL {
        check(InboxEntry { disposition, ..webhook.clone() });
    }
    check(InboxEntry { source: EventSource::Sweep, endpoint: None, secret: None, verified_at: None, ..webhook });
    let idle = Sweep::new("stripe".into(), Sweep::EVENTS.into());
    check(Sweep {
        cursor: Some(1),
        created_from: Some(2),
        newest: Some(3),
        resume_after: Some("evt_9".into()),
        is_full: true,
        started_at: Some(Timestamp(4)),
        completed_at: Some(Timestamp(5)),
        ..idle.clone()
    });
    check(idle);
}

#[test]
fn rows_of_discrepancies_come_back_as_they_went() {
    for kind in DiscrepancyKind::ALL {
        let open = Discrepancy {
            id: DiscrepancyId::from_bytes(bytes(14)),
            tenant: None,
            gateway: "stripe".into(),
            object: "pi_1".into(),
            kind,
            payment: None,
            detail: "the gateway does not have it".into(),
            opened_at: Timestamp(1),
            last_seen_at: Timestamp(2),
            closed_at: None,
        };
        let tenant = Some(TenantId::from_bytes(bytes(9)));
        let closed = Discrepancy { tenant, payment: Some(payment_id()), closed_at: Some(Timestamp(3)), ..open.clone() };
        let open_since = Discrepancy::table().position("open_since");
        assert_eq!(
            (open.to_row()[open_since].clone(), closed.to_row()[open_since].clone()),
            (1.into(), None::<i64>.into())
        );
        check(open);
        check(closed);
    }
}
