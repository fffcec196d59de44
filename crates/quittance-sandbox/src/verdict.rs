//! Owns: how a request ends, and the faults that change its end without touching the books. Does
//! not own: writing the answer to the wire (`gateway`).

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::answer::Answer;
use crate::connection::Ending;
use crate::fault::{Access, Fault};
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
    pub(crate) content_type: &'static str,
}

/// What every answer is that comes from the gateway itself.
pub(crate) const JSON: &str = "application/json";

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, original_request: None, retry_after: None, content_type: JSON }
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

/// What a gateway has to say in any dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    RateLimited,
    Unavailable,
    /// Nobody knows this API key.
    BadKey,
    Internal,
}

/// How a dialect says it.
pub(crate) type Words = fn(Trouble) -> Answer;

/// The faults that strike before parameters and keys are looked at.
pub(crate) fn before_effect(shared: &Shared, access: Access, fault: Fault, words: Words) -> Option<Verdict> {
    let verdict = match fault {
        Fault::TimeoutBeforeEffect => Verdict::timeout(shared),
        Fault::ConnectionReset => Verdict::reset(),
        Fault::RateLimited { retry_after } => {
            Verdict::reply(Reply { retry_after, ..words(Trouble::RateLimited).into() })
        }
        Fault::Unavailable => Verdict::reply(words(Trouble::Unavailable)),
        Fault::Unauthorised { requests } => {
            // This request is the first of them.
            shared.unauthorised.fetch_add(requests - 1, Ordering::Relaxed);
            Verdict::reply(words(Trouble::BadKey))
        }
        // A write's 500 is stored, so it has to pass the idempotency layer.
        Fault::Error500NotCharged if access == Access::Read => Verdict::reply(words(Trouble::Internal)),
        _ => return None,
    };
    shared.faults.count(fault);
    Some(verdict)
}

/// The faults that hide an answer that exists.
pub(crate) fn after_effect(shared: &Shared, fault: Option<Fault>, reply: impl Into<Reply>) -> Verdict {
    let reply = reply.into();
    let is_success = matches!(reply.answer.status, 200..=299);
    let verdict = match fault {
        Some(Fault::TimeoutAfterEffect) => Verdict::timeout(shared),
        Some(Fault::LostAnswer) => Verdict::reset(),
        Some(Fault::SlowAnswer) => Verdict { delay: shared.slow, end: End::Reply(reply) },
        Some(Fault::TruncatedJson) if is_success => Verdict::reply(truncated(reply)),
        Some(Fault::Html200) if is_success => Verdict::reply(page(200)),
        Some(Fault::BadGateway) => Verdict::reply(page(502)),
        _ => return Verdict::reply(reply),
    };
    if let Some(fault) = fault {
        shared.faults.count(fault);
    }
    verdict
}

/// HTTP is content with it; only a parser notices.
fn truncated(mut reply: Reply) -> Reply {
    reply.answer.body.truncate(reply.answer.body.len() / 2);
    reply
}

/// What a proxy says instead of the gateway, believing itself to be helpful.
fn page(status: u16) -> Reply {
    const PAGE: &str = "<!doctype html><title>One moment</title><p>Please wait while we check your connection.</p>";
    let answer = Answer { status, body: PAGE.into() };
    Reply { content_type: "text/html; charset=utf-8", ..answer.into() }
}
