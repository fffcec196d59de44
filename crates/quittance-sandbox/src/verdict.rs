//! Owns: how a request ends, and the faults that change its end without touching the books. Does
//! not own: writing the answer to the wire (`gateway`).

use std::time::Duration;

use crate::answer::{Answer, ApiError, ErrorKind};
use crate::connection::Ending;
use crate::faults::{Access, Fault};
use crate::shared::Shared;

/// How a request ends, and after which pause.
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    pub(crate) end: End,
}

pub(crate) enum End {
    Reply(Reply),
    HangUp(Ending),
}

pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) original_request: Option<String>,
    pub(crate) retry_after: Option<u64>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, original_request: None, retry_after: None }
    }
}

impl Verdict {
    pub(crate) fn reply(reply: impl Into<Reply>) -> Self {
        Self { delay: Duration::ZERO, end: End::Reply(reply.into()) }
    }

    /// The connection is held and then closed.
    pub(crate) fn timeout(shared: &Shared) -> Self {
        Self { delay: shared.hold, end: End::HangUp(Ending::Closed) }
    }

    fn reset() -> Self {
        Self { delay: Duration::ZERO, end: End::HangUp(Ending::Reset) }
    }
}

/// The faults that strike before parameters and keys are looked at.
pub(crate) fn before_effect(shared: &Shared, access: Access, fault: Fault) -> Option<Verdict> {
    let verdict = match fault {
        Fault::TimeoutBeforeEffect => Verdict::timeout(shared),
        Fault::ConnectionReset => Verdict::reset(),
        Fault::RateLimited { retry_after } => {
            let message =
                "Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.";
            let answer = ApiError::new(429, ErrorKind::InvalidRequest, message).code("rate_limit").answer();
            Verdict::reply(Reply { retry_after, ..answer.into() })
        }
        Fault::Unavailable => {
            let error = ApiError::new(503, ErrorKind::Api, "The service is temporarily unavailable.");
            Verdict::reply(error.answer())
        }
        // A write's 500 is stored, so it has to pass the idempotency layer.
        Fault::Error500NotCharged if access == Access::Read => Verdict::reply(ApiError::internal().answer()),
        _ => return None,
    };
    shared.faults.count(fault);
    Some(verdict)
}

/// The faults that hide an answer that exists.
pub(crate) fn after_effect(shared: &Shared, fault: Option<Fault>, reply: impl Into<Reply>) -> Verdict {
    let reply = reply.into();
    let verdict = match fault {
        Some(Fault::TimeoutAfterEffect) => Verdict::timeout(shared),
        Some(Fault::LostAnswer) => Verdict::reset(),
        Some(Fault::SlowAnswer) => Verdict { delay: shared.slow, end: End::Reply(reply) },
        _ => return Verdict::reply(reply),
    };
    if let Some(fault) = fault {
        shared.faults.count(fault);
    }
    verdict
}
