//! Sample bytes of every stored format, and round trips.
//!
//! `samples/v1.txt` holds bytes as version 1 wrote them. They are never changed: a format that changes gets a new
//! version and a file of its own, and this one stays readable.

use super::*;
use quittance_core::account::Account;
use quittance_core::currency::Currency;
use quittance_core::customer::Customer;
use quittance_core::effect::{AfterCancel, Effect, Fence, PersonsWord, Source, State, Step};
use quittance_core::fact::Decline;
use quittance_core::id::{ApiKeyId, CommandId, CustomerId, EffectId, HoldId, PaymentId, TenantId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::{Advanced, Closing, Record};
use quittance_core::ledger::{Balances, Movement, transfer};
use quittance_core::money::Money;
use quittance_core::payment::{Payment, Status};
use quittance_core::tenant::{ApiKey, Mode, Scope, Tenant};
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Debug;

fn bytes(last: u8) -> [u8; 16] {
    let mut bytes = [0x11; 16];
    bytes[15] = last;
    bytes
}

fn usd() -> Currency {
    Currency::from_code("USD").expect("known currency")
}

fn postings() -> Vec<quittance_core::ledger::Posting> {
    transfer(Account::GatewayClearing("stripe".into()), Account::Unapplied, 1999, usd())
}

fn decline() -> Decline {
    Decline { code: "insufficient_funds".into(), is_retryable: true }
}

fn records() -> Vec<(&'static str, Record)> {
    let effect = EffectId::from_bytes(bytes(3));
    let payment = PaymentId::from_bytes(bytes(1));
    let hold = HoldId::from_bytes(bytes(1));
    let accepted = Record::PaymentAccepted {
        payment,
        command: CommandId::from_bytes(bytes(2)),
        effect,
        hold,
        money: Money::new(1999, usd()),
        gateway: "stripe".into(),
        reference: "order-1".into(),
        postings: postings(),
    };
    let ticket = Record::TicketIssued {
        effect,
        step: Step::Confirm,
        generation: 1,
        send_no: 2,
        gateway_key: "b1abc".into(),
        request_digest: [7; 32],
        lease_epoch: 5,
    };
    let advanced = Advanced {
        effect,
        payment,
        source: Source::Webhook("evt_1".into()),
        saw: "seen:succeeded".into(),
        state: State::Succeeded,
        step: Step::Confirm,
        generation: 1,
        object: Some("pi_1".into()),
        status: Status::Succeeded,
        decline: None,
        closing: Some((hold, Closing::Posted)),
        postings: postings(),
    };
    let failed = Advanced {
        source: Source::Send,
        saw: "declined:insufficient_funds".into(),
        state: State::Failed,
        status: Status::Failed,
        decline: Some(decline()),
        closing: Some((hold, Closing::Voided)),
        ..advanced.clone()
    };
    let word = PersonsWord { by: "key_1".into(), evidence: "statement 7".into(), reason: "seen at the bank".into() };
    let resolved = Advanced { source: Source::Person(word), saw: "resolved:failed".into(), ..failed.clone() };
    let kept = Record::ObservationKept {
        effect,
        source: Source::Read,
        saw: "absent".into(),
        because: "the lease was lost".into(),
    };
    vec![
        ("journal.book_opened", Record::BookOpened { tenant: TenantId::from_bytes(bytes(9)) }),
        ("journal.payment_accepted", accepted),
        ("journal.ticket_issued", ticket),
        ("journal.effect_advanced.posted", Record::EffectAdvanced(advanced)),
        ("journal.effect_advanced.voided", Record::EffectAdvanced(failed)),
        ("journal.effect_advanced.resolved", Record::EffectAdvanced(resolved)),
        ("journal.observation_kept", kept),
    ]
}

fn effect() -> Effect {
    Effect {
        id: EffectId::from_bytes(bytes(3)),
        book: CustomerId::from_bytes(bytes(4)),
        tenant: TenantId::from_bytes(bytes(9)),
        payment: PaymentId::from_bytes(bytes(1)),
        gateway: "stripe".into(),
        money: Money::new(1999, usd()),
        state: State::Unknown,
        step: Step::Cancel,
        generation: 2,
        sends: 1,
        lost_confirms: 3,
        is_unresolved: true,
        needs_find: false,
        object_id: Some("pi_1".into()),
        fence: Some(Fence { latest_charge: Some("ch_1".into()), error_digest: Some([9; 32]) }),
        names_method: true,
        refusal: Some("resource_missing".into()),
        after_cancel: Some(AfterCancel::Fail(decline())),
        tries: 4,
        puzzles: 1,
        joined: vec![CommandId::from_bytes(bytes(6))],
        first_sent_at: Some(Timestamp(1_000_000)),
        last_sent_at: Some(Timestamp(2_000_000)),
        due_at: Some(Timestamp(3_000_000)),
        lease_epoch: 6,
        lease_owner: 7,
        created_at: Timestamp(500_000),
    }
}

fn balances() -> Balances {
    let mut balances = Balances::default();
    balances.apply(Movement::Hold, &postings()).expect("fits");
    balances.apply(Movement::Post, &postings()).expect("fits");
    balances
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex")).collect()
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples: Vec<(&str, Vec<u8>)> =
        records().iter().map(|(name, record)| (*name, journal::encode(record))).collect();
    let column = Effect::table().position("body");
    let crate::value::Value::Bytes(body) = effect().to_row()[column].clone() else {
        panic!("the body of an effect is bytes");
    };
    samples.push(("effect", body));
    samples.push(("balances", encode_balances(&balances())));
    samples
}

#[test]
fn bytes_of_version_1_are_what_they_were() {
    let printed: String = samples().iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
    assert_eq!(printed, include_str!("samples/v1.txt"), "stored formats never change within a version");
}

#[test]
fn bytes_of_version_1_can_be_read() {
    let stored: BTreeMap<&str, Vec<u8>> = include_str!("samples/v1.txt")
        .lines()
        .map(|line| line.split_once(' ').expect("name and bytes"))
        .map(|(name, text)| (name, unhex(text)))
        .collect();
    for (name, record) in records() {
        assert_eq!(journal::decode(record.kind(), &stored[name]), Ok(record), "{name}");
    }
    assert_eq!(decode_balances(&stored["balances"]), Ok(balances()));
    let mut row = effect().to_row();
    row[Effect::table().position("body")] = stored["effect"].clone().into();
    assert_eq!(Effect::from_row(&row), Ok(effect()));
}

#[test]
fn damaged_bytes_are_an_error_never_another_value() {
    for (name, bytes) in samples() {
        for cut in 0..bytes.len() {
            let kind = records().iter().find(|(other, _)| *other == name).map(|(_, record)| record.kind());
            match kind {
                Some(kind) => assert!(journal::decode(kind, &bytes[..cut]).is_err(), "{name} cut at {cut}"),
                None if name == "balances" => assert!(decode_balances(&bytes[..cut]).is_err()),
                None => {
                    let mut row = effect().to_row();
                    row[Effect::table().position("body")] = bytes[..cut].into();
                    assert!(Effect::from_row(&row).is_err());
                }
            }
        }
        let mut longer = bytes.clone();
        longer.push(0);
        if let Some((_, record)) = records().into_iter().find(|(other, _)| *other == name) {
            assert!(journal::decode(record.kind(), &longer).is_err(), "{name} with a byte more");
        }
    }
}

fn check<E: Entity + PartialEq + Debug>(entity: E) {
    assert_eq!(E::from_row(&entity.to_row()), Ok(entity));
}

fn metadata() -> BTreeMap<String, String> {
    BTreeMap::from([("plan".to_owned(), "größe".to_owned()), (String::new(), String::new())])
}

fn customer() -> Customer {
    Customer {
        id: CustomerId::from_bytes(bytes(4)),
        tenant: TenantId::from_bytes(bytes(9)),
        external_id: Some("acme".into()),
        name: None,
        email: Some("a@example.com".into()),
        currency: Some(usd()),
        timezone: None,
        gateway_ids: BTreeMap::from([("stripe".into(), "cus_1".into())]),
        metadata: metadata(),
        created_at: Timestamp(1),
    }
}

fn payment() -> Payment {
    Payment {
        id: PaymentId::from_bytes(bytes(1)),
        book: CustomerId::from_bytes(bytes(4)),
        tenant: TenantId::from_bytes(bytes(9)),
        command: CommandId::from_bytes(bytes(2)),
        effect: EffectId::from_bytes(bytes(3)),
        money: Money::new(1999, usd()),
        gateway: "stripe".into(),
        payment_method: "pm_card_visa".into(),
        reference: "order-1".into(),
        status: Status::Failed,
        captured_amount: 0,
        refunded_amount: 0,
        gateway_object: Some("pi_1".into()),
        decline: Some(decline()),
        next_action: None,
        description: Some("an order".into()),
        metadata: metadata(),
        created_at: Timestamp(2),
    }
}

fn command(progress: Progress) -> Command {
    Command {
        id: CommandId::from_bytes(bytes(2)),
        tenant: TenantId::from_bytes(bytes(9)),
        key: "key-1".into(),
        operation: "POST /v1/payments".into(),
        fingerprint: [1; 32],
        fingerprint_version: 1,
        progress,
        subject: Some("pay_x".into()),
        credential: Some(ApiKeyId::from_bytes(bytes(8))),
        api_version: "1".into(),
        received_at: Timestamp(1),
    }
}

#[test]
fn rows_come_back_as_they_went() {
    check(customer());
    check(payment());
    check(effect());
    check(command(Progress::InProgress));
    check(command(Progress::Completed { status: 201, body: b"{}".to_vec(), at: Timestamp(5) }));
    check(command(Progress::Tombstone { at: Timestamp(5) }));
    check(KeyEntry { tenant: customer().tenant, key_digest: [5; 16], command: payment().command });
    check(Book { records: 7, head: [3; 32], balances: balances(), ..Book::new(customer().id, customer().tenant) });
    check(IntentEntry { book: customer().id, intent: IntentEntry::of_reference("r"), payment: payment().id });
    check(ClosedHold { book: customer().id, hold: HoldId::from_bytes(bytes(1)), closing: Closing::Voided, seq: 4 });
}

#[test]
fn rows_of_operators_gateways_and_inbox_come_back_as_they_went() {
    check(Tenant {
        id: customer().tenant,
        name: "acme".into(),
        mode: Mode::Test,
        fingerprint_secret: [1; 32],
        gateway_key_secret: [2; 32],
        created_at: Timestamp(1),
    });
    check(ApiKey {
        id: ApiKeyId::from_bytes(bytes(8)),
        tenant: customer().tenant,
        digest: [4; 32],
        name: "ci".into(),
        scope: Scope::Write,
        created_at: Timestamp(1),
        revoked_at: None,
    });
    check(Ticket {
        book: customer().id,
        effect: payment().effect,
        step: Step::Create,
        generation: 0,
        send_no: 1,
        gateway_key: "b1x".into(),
        request_digest: [6; 32],
        request: vec![1, 2, 3],
        lease_epoch: 2,
        issued_at: Timestamp(1),
        deadline: Timestamp(2),
    });
    check(GatewayObject {
        gateway: "stripe".into(),
        object: "pi_1".into(),
        book: customer().id,
        effect: payment().effect,
        payment: payment().id,
    });
    check(InboxEntry {
        endpoint: "we_main".into(),
        event: "evt_1".into(),
        kind: "payment_intent.succeeded".into(),
        object: Some("pi_1".into()),
        book: None,
        disposition: Disposition::Unmatched,
        secret_index: 0,
        received_at: Timestamp(1),
        body: b"{}".to_vec(),
    });
    let paused = Switch {
        name: Switch::EVERYTHING.into(),
        is_paused: true,
        reason: Some("the gateway charges double".into()),
        by: "operator".into(),
        changed_at: Timestamp(1),
    };
    check(Switch { name: "stripe".into(), is_paused: false, reason: None, ..paused.clone() });
    check(paused);
}

#[test]
fn a_row_that_contradicts_itself_is_refused() {
    let mut row = command(Progress::InProgress).to_row();
    row[Command::table().position("state")] = "completed".into();
    let corrupt = Command::from_row(&row).expect_err("no answer beside it");
    assert_eq!((corrupt.table, corrupt.column), ("commands", "state"));
    let mut row = payment().to_row();
    row[Payment::table().position("status")] = "paid".into();
    assert!(Payment::from_row(&row).is_err());
    row.pop();
    assert!(Payment::from_row(&row).is_err());
}
