//! A payment that succeeded, and what followed: a refund that went out and came back, one that is pending, and a dispute
//! that is being answered.

use super::records::{money, postings, request};
use super::rows::{effect_row, ticket_row_of};
use super::{Attempt, FIRST, Sample, at, customer, records, tenant};
use quittance_core::account::{Account, Side};
use quittance_core::decide::refund_hold_of;
use quittance_core::dispute::{Dispute, DisputeStatus, Stage};
use quittance_core::effect::{Effect, Source, State, Step, Subject};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{CommandId, DisputeId, EffectId, RefundId};
use quittance_core::idempotency::Progress;
use quittance_core::journal::{Closing, Corrected, Correction, DisputeSeen, Record, RefundAccepted, RefundAdvanced};
use quittance_core::ledger::{Posting, transfer};
use quittance_core::money::Money;
use quittance_core::payment::Payment;
use quittance_core::refund::{Refund, RefundStatus};
use quittance_store::records::{BookedMovement, ClosedHold, GatewayObject, Holder, IntentEntry, ObjectState, Owner};

/// A refund of the first payment; its ids all come from one number, as those of an attempt do.
#[derive(Clone, Copy)]
pub(crate) struct Giveback {
    number: u8,
    amount: i64,
    reference: Option<&'static str>,
    object: &'static str,
}

/// The refund that came back.
pub(crate) const RETURNED: Giveback = Giveback { number: 23, amount: 500, reference: Some("refund-1"), object: "re_1" };

/// The refund that is pending.
pub(crate) const PENDING: Giveback = Giveback { number: 33, amount: 300, reference: None, object: "re_2" };

/// The evidence for the dispute.
const EVIDENCE: Attempt = Attempt(53);

impl Giveback {
    pub(crate) fn refund(self) -> RefundId {
        RefundId::from_bytes([self.number; 16])
    }

    pub(crate) fn effect(self) -> EffectId {
        EffectId::from_bytes([self.number + 1; 16])
    }

    pub(crate) fn command(self) -> CommandId {
        CommandId::from_bytes([self.number + 2; 16])
    }

    fn money(self) -> Money {
        Money { amount: self.amount, ..money() }
    }

    fn postings(self) -> Vec<Posting> {
        turned(postings(), self.amount)
    }
}

pub(crate) fn dispute() -> DisputeId {
    DisputeId::from_bytes([43; 16])
}

/// The same postings the other way round, of this amount.
fn turned(postings: Vec<Posting>, amount: i64) -> Vec<Posting> {
    let turn = |side| if side == Side::Debit { Side::Credit } else { Side::Debit };
    postings.into_iter().map(|posting| Posting { side: turn(posting.side), amount, ..posting }).collect()
}

fn accepted(of: Giveback) -> Record {
    Record::RefundAccepted(RefundAccepted {
        refund: of.refund(),
        payment: FIRST.payment(),
        command: of.command(),
        effect: of.effect(),
        hold: refund_hold_of(of.refund()),
        money: of.money(),
        gateway: "stripe".into(),
        reference: of.reference.map(str::to_owned),
        postings: of.postings(),
    })
}

fn ticket(of: Giveback) -> Record {
    Record::TicketIssued {
        effect: of.effect(),
        step: Step::Execute,
        generation: 0,
        send_no: 1,
        gateway_key: "key-execute".into(),
        request_digest: request(Step::Execute).digest(),
        lease_epoch: 1,
    }
}

fn advanced(of: Giveback, state: State, status: RefundStatus, closing: Option<Closing>) -> Record {
    Record::RefundAdvanced(RefundAdvanced {
        effect: of.effect(),
        refund: of.refund(),
        source: Source::Send,
        saw: format!("seen:{}", status.name()),
        state,
        generation: 0,
        object: Some(of.object.into()),
        status,
        failure_code: None,
        closing: closing.map(|closing| (refund_hold_of(of.refund()), closing)),
        postings: if closing.is_some() { of.postings() } else { Vec::new() },
    })
}

/// The journal: of the refund that came back from record 7 on, of the pending one from 11 on, of the dispute from 14 on.
pub(crate) fn history() -> Vec<Record> {
    let mut all = records();
    all.extend([
        accepted(RETURNED),
        ticket(RETURNED),
        advanced(RETURNED, State::Succeeded, RefundStatus::Succeeded, Some(Closing::Posted)),
        Record::Corrected(Corrected {
            effect: RETURNED.effect(),
            payment: FIRST.payment(),
            correction: Correction::RefundReturned,
            movement: "txn_1".into(),
            source: Source::Webhook("evt_2".into()),
            saw: "seen:failed".into(),
            postings: turned(RETURNED.postings(), RETURNED.amount),
        }),
        accepted(PENDING),
        ticket(PENDING),
        advanced(PENDING, State::Pending, RefundStatus::Pending, None),
        Record::DisputeSeen(DisputeSeen {
            dispute: dispute(),
            payment: FIRST.payment(),
            object: "dp_1".into(),
            status: "needs_response".into(),
            money: money(),
            source: Source::Webhook("evt_3".into()),
            movement: Some("txn_2".into()),
            postings: withdrawn(),
        }),
        Record::EvidenceAccepted {
            command: EVIDENCE.command(),
            effect: EVIDENCE.effect(),
            dispute: dispute(),
            digest: [7; 32],
        },
    ]);
    all
}

fn withdrawn() -> Vec<Posting> {
    let (to, from) = (Account::Disputed("stripe".into()), Account::GatewayClearing("stripe".into()));
    transfer(to, from, money().amount, money().currency)
}

impl Sample {
    /// The payment with its refunds and its dispute.
    pub(crate) fn refunded() -> Self {
        Self::refunded_beside(|_| ())
    }

    /// The same rows beside another journal, whose chain is whole.
    pub(crate) fn refunded_beside(change: impl FnOnce(&mut Vec<Record>)) -> Self {
        let mut records = history();
        change(&mut records);
        let mut sample = Self::of(&records);
        sample.add_succeeded();
        sample.change(0, |payment: &mut Payment| {
            (payment.refunding_amount, payment.disputed_amount) = (PENDING.amount, money().amount);
        });
        sample.add_refund(RETURNED, State::Succeeded, RefundStatus::Failed, "returning");
        sample.add_refund(PENDING, State::Pending, RefundStatus::Pending, "pending");
        sample.add_ends_of_returned();
        sample.add_dispute();
        sample.add_event("evt_2", "refund.failed", "re_1", at(9));
        sample
    }

    fn add_refund(&mut self, of: Giveback, state: State, status: RefundStatus, key: &str) {
        let (book, refund, failed) = (customer(), of.refund(), status == RefundStatus::Failed);
        let subject = Subject::Refund(refund);
        let due_at = (!state.is_terminal()).then(|| at(90));
        self.add(&Effect {
            id: of.effect(),
            subject,
            money: of.money(),
            state,
            step: Step::Execute,
            generation: 0,
            object_id: Some(of.object.into()),
            due_at,
            ..effect_row(FIRST)
        });
        self.add(&Refund {
            id: refund,
            book,
            tenant: tenant(),
            payment: FIRST.payment(),
            command: of.command(),
            effect: of.effect(),
            money: of.money(),
            gateway: "stripe".into(),
            parked_by: None,
            reference: of.reference.map(str::to_owned),
            reason: None,
            status,
            gateway_object: Some(of.object.into()),
            failure_code: failed.then(|| "returned".into()),
            created_at: at(6),
        });
        let (effect, payment, gateway) = (of.effect(), FIRST.payment(), "stripe".into());
        let owner = Some(Owner { book, effect, payment });
        let row = GatewayObject::new(gateway, of.object.into(), ObjectKind::Refund, at(2));
        self.add(&GatewayObject { owner, state: ObjectState::Ours, ..row });
        self.add(&ticket_row_of(of.effect(), Step::Execute, 0));
        let progress = Progress::Completed { status: 201, body: b"{}".to_vec(), at: at(8) };
        self.add_command_of(of.command(), (key, "POST /v1/refunds"), &refund.to_string(), progress, at(6));
    }

    fn add_ends_of_returned(&mut self) {
        let (book, refund) = (customer(), RETURNED.refund());
        self.add(&ClosedHold { book, hold: refund_hold_of(refund), closing: Closing::Posted, seq: 9 });
        self.add(&IntentEntry {
            book,
            intent: IntentEntry::of_refund(FIRST.payment(), "refund-1"),
            holder: Holder::Refund(refund),
        });
        self.add(&BookedMovement { gateway: "stripe".into(), movement: "txn_1".into(), book, seq: 10 });
    }

    fn add_dispute(&mut self) {
        let book = customer();
        self.add(&BookedMovement { gateway: "stripe".into(), movement: "txn_2".into(), book, seq: 14 });
        self.add(&Dispute {
            id: dispute(),
            book,
            tenant: tenant(),
            payment: FIRST.payment(),
            gateway: "stripe".into(),
            object_id: "dp_1".into(),
            status: DisputeStatus::NeedsResponse,
            money: money(),
            reason: "fraudulent".into(),
            evidence_due_by: Some(at(1_000)),
            submissions: 0,
            withdrawn_amount: money().amount,
            is_written_off: false,
            created_at: at(13),
        });
        self.add(&Effect {
            id: EVIDENCE.effect(),
            subject: Subject::Dispute(dispute()),
            state: State::Intended,
            step: Step::Submit,
            generation: 0,
            sends: 0,
            object_id: Some("dp_1".into()),
            due_at: Some(at(14)),
            ..effect_row(FIRST)
        });
        let intent = IntentEntry::of_evidence(dispute(), Stage::Chargeback);
        self.add(&IntentEntry { book, intent, holder: Holder::Evidence(EVIDENCE.effect()) });
        let asked = ("evidence", "POST /v1/disputes/{id}/evidence");
        self.add_command_of(EVIDENCE.command(), asked, &dispute().to_string(), Progress::InProgress, at(14));
    }
}
