//! Owns: disputes from the cardholder's complaint to the issuer's word. Does not own: the balance (`balance`).
//!
//! The states are those of `state-machines.json`. From memory: that `winning_evidence`, `losing_evidence` and
//! `escalate_inquiry_evidence` as `uncategorized_text` decide in test mode, and that `charge.dispute.updated`
//! goes before the withdrawal when an inquiry escalates.
//!
//! Not imitated: `prevented`, the deadline that passes by itself, and the fee for countering a dispute, which
//! Stripe charges in some countries and returns on a win.

use super::balance::Source;
use super::{Execution, Task};
use crate::answer::{Answer, ApiError};
use crate::dialect::card::{Aftermath, Quarrel};
use crate::dialect::money_params::EvidencePatch;
use crate::objects::{Charge, Dispute, DisputeStatus, Movement};

/// How the issuer, or the scheme, decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ruling {
    Won,
    Lost,
    WarningClosed,
    /// An inquiry becomes a chargeback.
    NeedsResponse,
}

/// Stripe gives between 7 and 21 days, depending on the scheme.
const RESPONSE_SECONDS: i64 = 7 * 24 * 60 * 60;

impl Execution<'_> {
    /// What the card of a charge that was just captured leads to.
    pub(super) fn face_aftermath(&mut self, charge: &str, aftermath: Aftermath) {
        if let Aftermath::Dispute(quarrel) = aftermath {
            // A fresh charge has something to dispute, so there is nothing to refuse.
            let _ = self.open_dispute(charge, quarrel);
        }
    }

    /// The cardholder objects to what is left of a charge.
    pub(crate) fn open_dispute(&mut self, charge: &str, quarrel: Quarrel) -> Result<Answer, ApiError> {
        let mut charge = self.charge(charge, "id")?;
        if !charge.has_succeeded() || charge.amount_refundable() < 1 {
            return Err(ApiError::bad_request(format!("There is nothing to dispute about {}.", charge.id)));
        }
        if self.is_charged_back(&charge.id) {
            return Err(ApiError::bad_request(format!("{} is charged back already.", charge.id)));
        }
        charge.is_disputed = true;
        self.save_charge(&charge);
        let mut dispute = self.new_dispute(&charge, quarrel);
        let place = self.books.disputes.add(dispute.clone());
        self.books.disputes_by_charge.add(&charge.id, place);
        if let Some(intent) = &charge.payment_intent {
            self.books.disputes_by_intent.add(intent, place);
        }
        self.emit("charge.dispute.created", &dispute);
        if !dispute.status.is_warning() {
            self.withdraw(&mut dispute);
        }
        Ok(Answer::ok(&dispute))
    }

    fn new_dispute(&mut self, charge: &Charge, quarrel: Quarrel) -> Dispute {
        let is_inquiry = quarrel == Quarrel::Inquiry;
        Dispute {
            id: self.mint.id("dp_1"),
            created: self.now,
            status: if is_inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse },
            amount: charge.amount_refundable(),
            currency: charge.currency.clone(),
            charge: charge.id.clone(),
            payment_intent: charge.payment_intent.clone(),
            quarrel,
            brand: charge.brand.name,
            evidence: Default::default(),
            submissions: 0,
            due_by: self.now + RESPONSE_SECONDS,
            metadata: Default::default(),
            transactions: Vec::new(),
        }
    }

    /// A chargeback stands that was not won. An inquiry forbids nothing.
    pub(super) fn is_charged_back(&self, charge: &str) -> bool {
        let places = self.books.disputes_by_charge.find(charge).iter();
        let mut disputes = places.filter_map(|place| self.books.disputes.at(*place));
        disputes.any(|dispute| !dispute.status.is_warning() && dispute.status != DisputeStatus::Won)
    }

    fn withdraw(&mut self, dispute: &mut Dispute) {
        let movement = Movement::DisputeWithdrawal;
        self.move_disputed(dispute, movement, (-dispute.amount, self.fees.dispute));
        self.save_dispute(dispute, "charge.dispute.funds_withdrawn");
    }

    fn reinstate(&mut self, dispute: &mut Dispute) {
        self.move_disputed(dispute, Movement::DisputeReinstatement, (dispute.amount, 0));
        self.save_dispute(dispute, "charge.dispute.funds_reinstated");
    }

    fn move_disputed(&mut self, dispute: &mut Dispute, movement: Movement, amounts: (i64, i64)) {
        let description = format!("Chargeback {} for {}", movement.category(), dispute.charge);
        let from = Source { id: &dispute.id, currency: &dispute.currency, description: Some(&description) };
        let transaction = self.post(movement, amounts, from);
        dispute.transactions.push(transaction);
    }

    pub(super) fn update_dispute(&mut self, id: &str, patch: EvidencePatch) -> Result<Answer, ApiError> {
        let mut dispute = self.dispute(id)?;
        let is_open = matches!(dispute.status, DisputeStatus::NeedsResponse | DisputeStatus::WarningNeedsResponse);
        let has_new = !patch.evidence.is_empty();
        let submits = patch.submits.unwrap_or(has_new);
        if (submits || has_new) && (!is_open || self.now > dispute.due_by) {
            let message = format!(
                "This dispute has a status of {}, so evidence can no longer be submitted.",
                dispute.status.name()
            );
            return Err(ApiError::bad_request(message));
        }
        for (name, text) in patch.evidence {
            if text.is_empty() {
                dispute.evidence.remove(&name);
            } else {
                dispute.evidence.insert(name, text);
            }
        }
        if let Some(metadata) = patch.metadata {
            metadata.apply(&mut dispute.metadata)?;
        }
        if submits {
            self.submit(&mut dispute);
        }
        Ok(self.save_dispute(&dispute, "charge.dispute.updated"))
    }

    /// In Stripe's test mode the text of the evidence says how it ends.
    fn submit(&mut self, dispute: &mut Dispute) {
        dispute.submissions += 1;
        let was_warning = dispute.status.is_warning();
        dispute.status = if was_warning { DisputeStatus::WarningUnderReview } else { DisputeStatus::UnderReview };
        let text = dispute.evidence.get("uncategorized_text").map(String::as_str);
        let ruling = match text {
            Some("winning_evidence" | "losing_evidence") if was_warning => Ruling::WarningClosed,
            Some("winning_evidence") => Ruling::Won,
            Some("losing_evidence") => Ruling::Lost,
            Some("escalate_inquiry_evidence") if was_warning => Ruling::NeedsResponse,
            _ => return,
        };
        self.planned.push(Task::DecideDispute { dispute: dispute.id.clone(), ruling });
    }

    /// The merchant gives in.
    pub(super) fn close_dispute(&mut self, id: &str) -> Result<Answer, ApiError> {
        let mut dispute = self.dispute(id)?;
        if dispute.status != DisputeStatus::NeedsResponse {
            return Err(unexpected(&dispute, "closed"));
        }
        dispute.status = DisputeStatus::Lost;
        Ok(self.save_dispute(&dispute, "charge.dispute.closed"))
    }

    /// The issuer's word; also the late win of a dispute that was lost, and the late escalation of an inquiry.
    pub(crate) fn decide_dispute(&mut self, id: &str, ruling: Ruling) -> Result<Answer, ApiError> {
        use DisputeStatus::{Lost, NeedsResponse, UnderReview, WarningClosed};
        let mut dispute = self.dispute(id)?;
        match (dispute.status, ruling) {
            (NeedsResponse, Ruling::Won) => {
                // Nothing is won without evidence: the state machine passes through the review.
                self.submit(&mut dispute);
                self.save_dispute(&dispute, "charge.dispute.updated");
                self.win(&mut dispute);
            }
            (UnderReview | Lost, Ruling::Won) => self.win(&mut dispute),
            (NeedsResponse | UnderReview, Ruling::Lost) => {
                dispute.status = Lost;
                self.save_dispute(&dispute, "charge.dispute.closed");
            }
            (open, Ruling::WarningClosed) if open.is_warning() && open != WarningClosed => {
                dispute.status = WarningClosed;
                self.save_dispute(&dispute, "charge.dispute.closed");
            }
            (warning, Ruling::NeedsResponse) if warning.is_warning() => self.escalate(&mut dispute)?,
            _ => return Err(unexpected(&dispute, "decided so")),
        }
        Ok(Answer::ok(&dispute))
    }

    fn win(&mut self, dispute: &mut Dispute) {
        dispute.status = DisputeStatus::Won;
        self.save_dispute(dispute, "charge.dispute.closed");
        self.reinstate(dispute);
    }

    /// What was refunded meanwhile is not charged back.
    fn escalate(&mut self, dispute: &mut Dispute) -> Result<(), ApiError> {
        let left = self.books.charges.get(&dispute.charge).map_or(0, Charge::amount_refundable);
        if left < 1 || self.is_charged_back(&dispute.charge) {
            return Err(unexpected(dispute, "escalated"));
        }
        dispute.amount = dispute.amount.min(left);
        dispute.status = DisputeStatus::NeedsResponse;
        dispute.due_by = self.now + RESPONSE_SECONDS;
        self.save_dispute(dispute, "charge.dispute.updated");
        self.withdraw(dispute);
        Ok(())
    }

    fn dispute(&self, id: &str) -> Result<Dispute, ApiError> {
        self.books.disputes.get(id).cloned().ok_or_else(|| ApiError::missing("dispute", id, "id"))
    }

    fn save_dispute(&mut self, dispute: &Dispute, event: &'static str) -> Answer {
        if let Some(row) = self.books.disputes.get_mut(&dispute.id) {
            *row = dispute.clone();
        }
        self.emit(event, dispute);
        Answer::ok(dispute)
    }
}

fn unexpected(dispute: &Dispute, verb: &str) -> ApiError {
    let message =
        format!("Dispute {} cannot be {verb} because it has a status of {}.", dispute.id, dispute.status.name());
    ApiError::bad_request(message)
}
