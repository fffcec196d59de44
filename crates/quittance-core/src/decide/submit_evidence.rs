//! Accepting the answer to a dispute: once for each stage, while it is taken, before its deadline.

use crate::dispute::{Dispute, Evidence, Stage};
use crate::effect::{Class, Effect, Identity, State, Subject};
use crate::id::{CommandId, EffectId};
use crate::journal::Record;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Ids for what is about to be made; drawn by the caller.
#[derive(Clone, Copy, Debug)]
pub struct NewEvidenceIds {
    /// Of the command.
    pub command: CommandId,
    /// Of the effect.
    pub effect: EffectId,
}

/// The newest answer to the same stage of the dispute.
#[derive(Clone, Debug)]
pub struct PreviousEvidence {
    /// The effect that submits it.
    pub effect: Effect,
    /// The command that asked for it.
    pub command: CommandId,
}

/// An answer to a dispute that was accepted.
#[derive(Clone, Debug)]
pub struct NewEvidence {
    /// What is submitted.
    pub evidence: Evidence,
    /// Its effect, due at once.
    pub effect: Effect,
    /// What the journal says of it.
    pub record: Record,
}

/// Accepts or refuses the answer to a dispute. `previous` is the newest one to the same stage, `class` what the gateway
/// offers for disputes.
///
/// # Errors
///
/// [`Rejection`]: the stage is answered or being answered, the dispute takes no evidence, or its deadline has passed.
pub fn submit_evidence(
    texts: BTreeMap<String, String>,
    dispute: &Dispute,
    previous: Option<&PreviousEvidence>,
    class: Class,
    ids: NewEvidenceIds,
    now: Timestamp,
) -> Result<NewEvidence, Rejection> {
    if let Some(previous) = previous.filter(|previous| !is_void(previous.effect.state)) {
        return Err(Rejection::DuplicateEvidence { command: previous.command, dispute: dispute.id });
    }
    let stage = check(dispute, now)?;
    let identity = Identity {
        id: ids.effect,
        book: dispute.book,
        tenant: dispute.tenant,
        payment: dispute.payment,
        subject: Subject::Dispute(dispute.id),
    };
    let mut effect = Effect::new(identity, class, dispute.gateway.clone(), dispute.money, now);
    effect.object_id = Some(dispute.object_id.clone());
    let digest = digest(&texts);
    let record = Record::EvidenceAccepted { command: ids.command, effect: ids.effect, dispute: dispute.id, digest };
    let evidence = Evidence {
        book: dispute.book,
        effect: ids.effect,
        tenant: dispute.tenant,
        dispute: dispute.id,
        stage,
        command: ids.command,
        texts,
        created_at: now,
    };
    Ok(NewEvidence { evidence, effect, record })
}

/// Whether nothing was handed in, so that the stage may be answered again.
const fn is_void(state: State) -> bool {
    match state {
        State::Failed | State::Canceled => true,
        State::Intended
        | State::Sending
        | State::Unknown
        | State::Pending
        | State::NotExecuted
        | State::Succeeded
        | State::Review => false,
    }
}

fn check(dispute: &Dispute, now: Timestamp) -> Result<Stage, Rejection> {
    let stage = dispute.status.stage().filter(|_| dispute.status.takes_evidence());
    let stage = stage.ok_or_else(|| Rejection::EvidenceNotTaken { status: dispute.status.clone() })?;
    match dispute.evidence_due_by {
        Some(due_by) if due_by < now => Err(Rejection::EvidenceTooLate),
        _ => Ok(stage),
    }
}

/// SHA-256 of names and texts, each after its length, in the order of the names.
fn digest(texts: &BTreeMap<String, String>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"quittance evidence 1\n");
    for text in texts.iter().flat_map(|(name, text)| [name, text]) {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    hasher.finalize().into()
}
