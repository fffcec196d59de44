//! What the records of a journal promise of rows in other tables: whose each is, and which record it goes back to.

use super::super::finding::{Aspect, Findings};
use super::{Accepted, AskedStep, History, TicketRecord};
use quittance_core::dispute::DisputeStatus;
use quittance_core::effect::Subject;
use quittance_core::id::{EffectId, HoldId, PaymentId};
use quittance_core::journal::{Closing, Correction, Record};
use quittance_core::payment::Status;
use quittance_store::records::{Holder, IntentEntry};

impl History {
    /// Collects what a record promises of other tables.
    pub(super) fn collect(&mut self, record: &Record, seq: i64, findings: &mut Findings) {
        match record {
            Record::BookOpened { tenant } => self.tenant = Some(*tenant),
            Record::PaymentAccepted { payment, command, gateway, reference, effect, .. } => {
                self.accepted.insert(*payment, Accepted { command: *command, gateway: gateway.clone(), seq });
                self.intents.insert(IntentEntry::of_reference(reference), Holder::Payment(*payment));
                self.begun.insert(*effect, seq);
            }
            Record::TicketIssued { .. } => self.collect_ticket(record, seq, findings),
            Record::EffectAdvanced(advanced) => {
                self.close(advanced.closing, seq);
                self.hold_object(advanced.effect, advanced.object.as_deref());
                self.answer_steps(advanced.payment, advanced.status);
            }
            Record::RefundAccepted(accepted) => {
                self.begun.insert(accepted.effect, seq);
                if let Some(reference) = &accepted.reference {
                    let intent = IntentEntry::of_refund(accepted.payment, reference);
                    self.intents.insert(intent, Holder::Refund(accepted.refund));
                }
            }
            Record::RefundAdvanced(advanced) => {
                self.close(advanced.closing, seq);
                self.hold_object(advanced.effect, advanced.object.as_deref());
            }
            Record::Corrected(corrected) => {
                self.book_movement(corrected.payment, &corrected.movement, seq);
                if corrected.correction == Correction::RefundPaid {
                    self.take_reference(corrected.effect);
                }
            }
            Record::StepAsked { command, payment, asked, .. } => {
                self.steps.insert(*command, AskedStep { payment: *payment, asked: asked.clone(), answer: None });
                self.waiting.entry(*payment).or_default().push(*command);
            }
            Record::DisputeSeen(seen) => {
                if let Some(movement) = &seen.movement {
                    self.book_movement(seen.payment, movement, seq);
                }
            }
            Record::EvidenceAccepted { command, effect, dispute, .. } => {
                self.submissions.push(*command);
                let status = self.replay.disputes.get(dispute).map(|dispute| DisputeStatus::from_word(&dispute.status));
                if let Some(stage) = status.and_then(|status| status.stage()) {
                    self.intents.insert(IntentEntry::of_evidence(*dispute, stage), Holder::Evidence(*effect));
                }
            }
            Record::EvidenceAdvanced(_) | Record::ObservationKept { .. } => {}
        }
    }

    fn collect_ticket(&mut self, record: &Record, seq: i64, findings: &mut Findings) {
        let Record::TicketIssued { effect, step, generation, send_no, gateway_key, request_digest, lease_epoch } =
            record
        else {
            return;
        };
        let ticket = TicketRecord {
            gateway_key: gateway_key.clone(),
            request_digest: *request_digest,
            lease_epoch: *lease_epoch,
        };
        if self.tickets.insert((*effect, *step, *generation, *send_no), ticket).is_some() {
            let what = format!("send {send_no} of {} {generation} of {effect} is issued twice", step.name());
            findings.add(Aspect::Ledger, Some(seq), what);
        }
    }

    fn close(&mut self, closing: Option<(HoldId, Closing)>, seq: i64) {
        self.closings.extend(closing.map(|(hold, closing)| (hold, (closing, seq))));
    }

    fn book_movement(&mut self, payment: PaymentId, movement: &str, seq: i64) {
        if let Some(accepted) = self.accepted.get(&payment) {
            self.movements.insert((accepted.gateway.clone(), movement.to_owned()), seq);
        }
    }

    /// A refund that went through after it had failed has its reference again, whoever took it meanwhile.
    fn take_reference(&mut self, effect: EffectId) {
        let Some(Subject::Refund(id)) = self.replay.effects.get(&effect).map(|effect| effect.subject) else { return };
        let refund = self.replay.refunds.get(&id);
        if let Some((payment, reference)) = refund.and_then(|refund| Some((refund.payment, refund.reference.as_ref()?)))
        {
            self.intents.insert(IntentEntry::of_refund(payment, reference), Holder::Refund(id));
        }
    }

    /// A status that answers a client answers all who wait for the payment.
    fn answer_steps(&mut self, payment: PaymentId, status: Status) {
        if !status.is_answerable() {
            return;
        }
        for command in self.waiting.remove(&payment).unwrap_or_default() {
            if let Some(step) = self.steps.get_mut(&command) {
                step.answer = Some(status);
            }
        }
    }

    fn hold_object(&mut self, effect: EffectId, object: Option<&str>) {
        let (Some(object), Some(gateway)) = (object, self.gateway_of(effect)) else { return };
        let begun = self.begun.get(&effect);
        let holder = self.objects.entry((gateway, object.to_owned())).or_insert(effect);
        if self.begun.get(holder) < begun {
            *holder = effect;
        }
    }

    fn gateway_of(&self, effect: EffectId) -> Option<String> {
        let payment = self.replay.effects.get(&effect)?.payment;
        self.accepted.get(&payment).map(|accepted| accepted.gateway.clone())
    }
}
