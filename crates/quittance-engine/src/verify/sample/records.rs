//! The journal of the sample, record by record.

use super::{Attempt, FIRST, tenant};
use quittance_connectors::message::{Method, Request};
use quittance_core::account::Account;
use quittance_core::currency::Currency;
use quittance_core::decide::hold_of;
use quittance_core::effect::{Source, State, Step};
use quittance_core::fact::Decline;
use quittance_core::journal::{Advanced, Closing, Record};
use quittance_core::ledger::{Posting, transfer};
use quittance_core::money::Money;
use quittance_core::payment::Status;

pub(super) fn money() -> Money {
    Money::new(1999, Currency::from_code("USD").expect("known currency"))
}

pub(super) fn postings() -> Vec<Posting> {
    transfer(Account::GatewayClearing("stripe".into()), Account::Unapplied, 1999, money().currency)
}

pub(super) fn request(step: Step) -> Request {
    Request {
        method: Method::Post,
        target: format!("/v1/{}", step.name()),
        body: b"amount=1999".to_vec(),
        idempotency_key: Some(format!("key-{}", step.name())),
        api_version: "2025-01-01".into(),
    }
}

pub(super) fn decline() -> Decline {
    Decline { code: "expired_card".into(), is_retryable: true }
}

pub(super) fn accepted(of: Attempt) -> Record {
    Record::PaymentAccepted {
        payment: of.payment(),
        command: of.command(),
        effect: of.effect(),
        hold: hold_of(of.payment()),
        money: money(),
        gateway: "stripe".into(),
        reference: "order-1".into(),
        postings: postings(),
    }
}

pub(super) fn ticket(of: Attempt, step: Step, generation: u32) -> Record {
    Record::TicketIssued {
        effect: of.effect(),
        step,
        generation,
        send_no: 1,
        gateway_key: format!("key-{}", step.name()),
        request_digest: request(step).digest(),
        lease_epoch: 1,
    }
}

pub(super) fn advanced(of: Attempt, saw: &str, state: State, status: Status, closing: Option<Closing>) -> Advanced {
    Advanced {
        effect: of.effect(),
        payment: of.payment(),
        source: Source::Send,
        saw: saw.into(),
        state,
        step: Step::Confirm,
        generation: 1,
        object: Some("pi_1".into()),
        status,
        decline: (status == Status::Failed).then(decline),
        closing: closing.map(|closing| (hold_of(of.payment()), closing)),
        postings: if closing.is_some() { postings() } else { Vec::new() },
    }
}

/// What every first attempt begins with, up to its confirm.
pub(super) fn begun() -> Vec<Record> {
    let created = advanced(FIRST, "seen:requires_confirmation", State::Intended, Status::Processing, None);
    vec![
        Record::BookOpened { tenant: tenant() },
        accepted(FIRST),
        ticket(FIRST, Step::Create, 0),
        Record::EffectAdvanced(created),
        ticket(FIRST, Step::Confirm, 1),
    ]
}

/// The journal of a payment that succeeded.
pub(crate) fn records() -> Vec<Record> {
    let mut records = begun();
    let end = advanced(FIRST, "seen:succeeded", State::Succeeded, Status::Succeeded, Some(Closing::Posted));
    records.push(Record::EffectAdvanced(end));
    records
}
