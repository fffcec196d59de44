//! Owns: one understood write at the idempotency layer: whether it is carried out, now or late, and
//! what is stored under its key. Does not own: what comes before (`gateway`) and what the write does
//! to the books (`execution`).

use std::time::Duration;

use crate::answer::{Answer, ApiError, ErrorKind};
use crate::clock;
use crate::dialect::operation::Operation;
use crate::fault::Fault;
use crate::idempotency::{Claim, Slot};
use crate::late::{self, Postponed};
use crate::lock::lock;
use crate::objects::Origin;
use crate::shared::{Core, Shared};
use crate::verdict::{Reply, Verdict, after_effect};

/// Everything that carrying out a write depends on. It borrows nothing, so it can outlive its
/// connection.
#[derive(Debug)]
pub(crate) struct Write {
    /// What the URL names; empty where it names nothing.
    pub(crate) id: String,
    pub(crate) operation: Operation,
    pub(crate) fingerprint: [u8; 16],
    pub(crate) key: Option<String>,
    pub(crate) request_id: String,
    /// What the client called us.
    pub(crate) host: String,
}

/// Passes the idempotency layer, and carries the request out when the key is new.
pub(crate) fn write(shared: &Shared, write: Write, fault: Option<Fault>) -> Result<Verdict, ApiError> {
    let mut core = lock(&shared.core);
    let claim = match &write.key {
        Some(key) => core.keys.claim(key, write.fingerprint, clock::monotonic()),
        None => Claim::Run { incarnation: 0 },
    };
    let key = write.key.as_deref().unwrap_or("");
    match (claim, fault) {
        (Claim::Run { incarnation }, Some(Fault::LateEffect { delay })) => {
            Ok(postpone(shared, &mut core, (write, incarnation), delay))
        }
        (Claim::Run { incarnation }, fault) => {
            let answer = carry_out(shared, &mut core, write, incarnation, fault);
            Ok(after_effect(shared, fault, answer))
        }
        (Claim::Replay { answer, original_request }, fault) => {
            let original_request = Some(original_request);
            Ok(after_effect(shared, fault, Reply { original_request, ..answer.into() }))
        }
        (Claim::InUse, _) => Err(in_use(key)),
        (Claim::Mismatch, _) => Err(mismatch(key)),
    }
}

/// Only takes the key for now, when keys are honoured.
fn postpone(shared: &Shared, core: &mut Core, (write, incarnation): (Write, u64), delay: Duration) -> Verdict {
    if let Some(key) = write.key.as_ref().filter(|_| core.late.has_room()) {
        core.keys.reserve(key, write.fingerprint);
    }
    late::postpone(shared, core, Postponed::Write { write: Box::new(write), incarnation }, delay)
}

/// The answer waits under the key for whoever asks again.
pub(crate) fn carry_out_late(shared: &Shared, core: &mut Core, write: Write, incarnation: u64) {
    carry_out(shared, core, write, incarnation, None);
}

/// The effect and its stored answer, and the two faults that replace the answer for good.
fn carry_out(shared: &Shared, core: &mut Core, write: Write, incarnation: u64, fault: Option<Fault>) -> Answer {
    let Write { id, operation, fingerprint, key, request_id, host } = write;
    let origin = Origin { id: Some(request_id.clone()), idempotency_key: key.clone() };
    let mut answer = match fault {
        Some(Fault::Error500NotCharged) => ApiError::internal().answer(),
        _ => shared.execute(core, origin, incarnation, &host, |execution| execution.run(&id, operation)),
    };
    match fault {
        Some(fault @ Fault::Error500NotCharged) => shared.faults.count(fault),
        // A refusal had no effect that a 500 could hide.
        Some(fault @ Fault::Error500Charged) if matches!(answer.status, 200 | 402) => {
            shared.faults.count(fault);
            answer = ApiError::internal().answer();
        }
        _ => {}
    }
    if let Some(key) = key {
        let now = clock::monotonic();
        let in_use = if fault == Some(Fault::SlowAnswer) { shared.slow } else { Duration::ZERO };
        let slot = Slot {
            fingerprint,
            answer: answer.clone(),
            request_id,
            executed_at: now,
            in_use_until: now + in_use,
            incarnation,
        };
        core.keys.store(key, slot);
    }
    answer
}

fn in_use(key: &str) -> ApiError {
    let message = format!(
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted \
         twice, and the other request is still going through): {key}. Please try again later."
    );
    ApiError::new(409, ErrorKind::Idempotency, message).code("idempotency_key_in_use")
}

fn mismatch(key: &str) -> ApiError {
    let message = format!(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using \
         a key other than '{key}' if you meant to execute a different request."
    );
    ApiError::new(400, ErrorKind::Idempotency, message)
}
