//! The rows beside the sample's journal.

use super::records::{money, request};
use super::{Attempt, FIRST, Sample, at, customer, tenant};
use quittance_core::customer::Customer;
use quittance_core::decide::hold_of;
use quittance_core::effect::{Class, Effect, Identity, State, Step, Subject};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{CommandId, EffectId};
use quittance_core::idempotency::{Command, Key, Progress};
use quittance_core::journal::Closing;
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_core::tenant::{Mode, Tenant};
use quittance_core::time::Timestamp;
use quittance_store::records::{
    ClosedHold, Disposition, EventSource, GatewayObject, Holder, InboxEntry, IntentEntry, KeyEntry, ObjectState, Owner,
    Ticket,
};
use std::collections::BTreeMap;

impl Sample {
    pub(super) fn add_owners(&mut self) {
        self.add(&Tenant {
            id: tenant(),
            name: "default".into(),
            mode: Mode::Test,
            fingerprint_secret: [0; 32],
            gateway_key_secret: [0; 32],
            created_at: at(0),
        });
        self.add(&Customer {
            id: customer(),
            tenant: tenant(),
            external_id: Some("anna".into()),
            name: None,
            email: None,
            currency: None,
            timezone: None,
            gateway_ids: BTreeMap::new(),
            metadata: BTreeMap::new(),
            created_at: at(0),
        });
    }

    pub(super) fn add_command(&mut self, of: Attempt, progress: Progress) {
        let subject = of.payment().to_string();
        self.add_command_of(of.command(), (of.key(), "POST /v1/payments"), &subject, progress, at(1));
    }

    pub(super) fn add_command_of(
        &mut self,
        id: CommandId,
        (key, operation): (&str, &str),
        subject: &str,
        progress: Progress,
        received_at: Timestamp,
    ) {
        let key = Key::parse(key).expect("a key");
        self.add(&KeyEntry { tenant: tenant(), key_digest: key.digest(), command: id });
        self.add(&Command {
            id,
            tenant: tenant(),
            key: key.as_str().into(),
            operation: operation.into(),
            fingerprint: [7; 32],
            fingerprint_version: 1,
            progress,
            subject: Some(subject.to_owned()),
            credential: None,
            api_version: "1".into(),
            received_at,
        });
    }

    /// The rows of a first attempt that succeeded.
    pub(super) fn add_succeeded(&mut self) {
        self.add_command(FIRST, Progress::Completed { status: 201, body: b"{}".to_vec(), at: at(5) });
        self.add(&payment_row(FIRST));
        self.add(&effect_row(FIRST));
        self.add_closed(Closing::Posted);
        self.add_place_of(FIRST);
        self.add_event("evt_1", "payment_intent.succeeded", "pi_1", at(6));
        self.add_tickets();
    }

    pub(super) fn add_closed(&mut self, closing: Closing) {
        self.add(&ClosedHold { book: customer(), hold: hold_of(FIRST.payment()), closing, seq: 6 });
    }

    /// The reference and the object lead to this attempt.
    pub(super) fn add_place_of(&mut self, of: Attempt) {
        let (book, payment, effect) = (customer(), of.payment(), of.effect());
        let (intent, holder) = (IntentEntry::of_reference("order-1"), Holder::Payment(payment));
        self.add(&IntentEntry { book, intent, holder });
        let (gateway, object, kind) = ("stripe".into(), "pi_1".into(), ObjectKind::Payment);
        let owner = Some(Owner { book, effect, payment });
        let row = GatewayObject::new(gateway, object, kind, at(2));
        self.add(&GatewayObject { owner, state: ObjectState::Ours, ..row });
    }

    pub(super) fn add_event(&mut self, event: &str, kind: &str, object: &str, received_at: Timestamp) {
        self.add(&InboxEntry {
            gateway: "stripe".into(),
            event: event.into(),
            kind: kind.into(),
            object: Some(object.into()),
            book: Some(customer()),
            disposition: Disposition::Applied,
            source: EventSource::Webhook,
            endpoint: Some("we_main".into()),
            secret: Some("env:SECRET".into()),
            verified_at: Some(received_at),
            received_at,
            body: b"{}".to_vec(),
        });
    }

    /// The two sends of a first attempt.
    pub(super) fn add_tickets(&mut self) {
        self.add(&ticket_row(FIRST, Step::Create, 0));
        self.add(&ticket_row(FIRST, Step::Confirm, 1));
    }
}

pub(super) fn ticket_row(of: Attempt, step: Step, generation: u32) -> Ticket {
    ticket_row_of(of.effect(), step, generation)
}

pub(super) fn ticket_row_of(effect: EffectId, step: Step, generation: u32) -> Ticket {
    Ticket {
        book: customer(),
        effect,
        step,
        generation,
        send_no: 1,
        gateway_key: format!("key-{}", step.name()),
        reference: None,
        request_digest: request(step).digest(),
        request: request(step).encode(),
        lease_epoch: 1,
        issued_at: at(1),
        deadline: at(20),
    }
}

/// A payment that succeeded.
pub(super) fn payment_row(of: Attempt) -> Payment {
    Payment {
        id: of.payment(),
        book: customer(),
        tenant: tenant(),
        command: of.command(),
        effect: of.effect(),
        money: money(),
        gateway: "stripe".into(),
        payment_method: "pm_card_visa".into(),
        capture_method: CaptureMethod::Automatic,
        return_url: None,
        reference: "order-1".into(),
        status: Status::Succeeded,
        captured_amount: 1999,
        refunded_amount: 0,
        refunding_amount: 0,
        disputed_amount: 0,
        returned_amount: 0,
        parked_by: None,
        gateway_object: Some("pi_1".into()),
        object_kind: ObjectKind::Payment,
        decline: None,
        next_action: None,
        description: None,
        metadata: BTreeMap::new(),
        created_at: at(1),
    }
}

/// The effect of a payment that succeeded.
pub(super) fn effect_row(of: Attempt) -> Effect {
    let (book, tenant, subject) = (customer(), tenant(), Subject::Payment);
    let identity = Identity { id: of.effect(), book, tenant, payment: of.payment(), subject };
    Effect {
        state: State::Succeeded,
        step: Step::Confirm,
        generation: 1,
        sends: 1,
        object_id: Some("pi_1".into()),
        due_at: None,
        lease_epoch: 1,
        ..Effect::new(identity, Class::P, "stripe".into(), money(), at(1))
    }
}
