//! Owns: the wire language of the rail, from URL and JSON to a checked request, and its refusals. Does not own: any
//! state.
//!
//! The rail is made up, after what local payment rails have in common. It knows no idempotency keys, no metadata and no
//! webhooks: who lost an answer has to ask for the reference.
//!
//! - `POST /rail/v1/transfers` with `amount` (minor units), `currency` (`USD`), `source`, `reference` (1 to 64
//!   characters) and perhaps `memo` (at most 140): 201 and the transfer. Twice the same reference is two transfers.
//! - `GET /rail/v1/transfers/{id}`: 200 and the transfer, or 404 `transfer_not_found`.
//! - `GET /rail/v1/transfers`, perhaps with `reference` (exact), `limit` (1 to 100, else 10) and `cursor`: 200 and
//!   `{"transfers": […], "next": …}`, newest first, never behind. `next` is the next page's cursor, or null.
//! - `GET /rail/v1/status`: 200 and `{"status": "ok"}`, for a good credential.
//! - All refusals are `{"code", "message"}`.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::currency;
use super::list_query::ListQuery;
use super::params::Params;
use crate::answer::{Answer, ApiError, to_bytes};
use crate::verdict::Trouble;

const AMOUNT_MAX: i64 = 99_999_999_999;
const REFERENCE_CHARS_MAX: usize = 64;
const MEMO_CHARS_MAX: usize = 140;

/// Everything under `/rail/v1` that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    CreateTransfer,
    ListTransfers,
    ReadTransfer,
    ReadStatus,
}

impl Endpoint {
    /// Finds the endpoint and the id in its URL (empty where there is none).
    pub(crate) fn find<'p>(method: &Method, path: &'p str) -> Option<(Self, &'p str)> {
        let rest = path.strip_prefix("/rail/v1/")?;
        let (collection, id) = rest.split_once('/').unwrap_or((rest, ""));
        let kind = if id.is_empty() { "all" } else { "one" };
        let endpoint = match (collection, method.as_str(), kind) {
            ("transfers", "POST", "all") => Self::CreateTransfer,
            ("transfers", "GET", "all") => Self::ListTransfers,
            ("transfers", "GET", "one") if !id.contains('/') => Self::ReadTransfer,
            ("status", "GET", "all") => Self::ReadStatus,
            _ => return None,
        };
        Some((endpoint, id))
    }

    /// The path class that faults are drawn for. None of Stripe's has such a name.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::CreateTransfer | Self::ListTransfers => "rail/transfers",
            Self::ReadTransfer => "rail/transfers/{id}",
            Self::ReadStatus => "rail/status",
        }
    }
}

/// Whose money it is to be; each name stands for a fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Good,
    /// Settles later.
    Slow,
    Empty,
    Closed,
    /// Settles, and the payer's bank takes the money back later.
    Returning,
}

/// A transfer to be made.
#[derive(Debug, Clone)]
pub(crate) struct TransferDraft {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) source: Source,
    pub(crate) reference: String,
    pub(crate) memo: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransferParameters {
    amount: i64,
    currency: String,
    source: String,
    reference: String,
    memo: Option<String>,
}

/// Reads the body of a `POST /rail/v1/transfers`.
pub(crate) fn draft(body: Value) -> Result<TransferDraft, Refusal> {
    let given: TransferParameters =
        serde_json::from_value(body).map_err(|error| Refusal::invalid(format!("The body: {error}.")))?;
    if !(1..=AMOUNT_MAX).contains(&given.amount) {
        return Err(Refusal::invalid(format!("The amount has to be from 1 to {AMOUNT_MAX} minor units.")));
    }
    let is_upper_case = given.currency.bytes().all(|letter| letter.is_ascii_uppercase());
    if !is_upper_case || currency::check_currency(&given.currency).is_err() {
        return Err(Refusal::invalid("The currency has to be a code of three capital letters that is in use."));
    }
    check_text("reference", &given.reference, REFERENCE_CHARS_MAX)?;
    if let Some(memo) = &given.memo {
        check_text("memo", memo, MEMO_CHARS_MAX)?;
    }
    let source = source(&given.source)?;
    Ok(TransferDraft {
        amount: given.amount,
        currency: given.currency,
        source,
        reference: given.reference,
        memo: given.memo,
    })
}

fn source(name: &str) -> Result<Source, Refusal> {
    Ok(match name {
        "src_ok" => Source::Good,
        "src_pending" => Source::Slow,
        "src_insufficient" => Source::Empty,
        "src_closed" => Source::Closed,
        "src_return" => Source::Returning,
        _ => return Err(Refusal::new(422, "unknown_source", "There is no such source.")),
    })
}

fn check_text(name: &str, text: &str, chars_max: usize) -> Result<(), Refusal> {
    if text.is_empty() || text.chars().count() > chars_max || text.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!("The {name} has to have 1 to {chars_max} characters, none of control.")));
    }
    Ok(())
}

/// Which transfers to list.
#[derive(Debug, Clone)]
pub(crate) struct TransferQuery {
    pub(crate) reference: Option<String>,
    pub(crate) page: ListQuery,
}

/// Reads the query of a `GET /rail/v1/transfers`.
pub(crate) fn query(text: &str) -> Result<TransferQuery, Refusal> {
    let read = || {
        let mut params = Params::parse(text)?;
        let given = (params.word("reference")?, params.word("cursor")?, params.integer("limit")?);
        params.finish()?;
        Ok(given)
    };
    let (reference, starting_after, limit) = read().map_err(|error: ApiError| Refusal::invalid(error.message))?;
    let limit = match usize::try_from(limit.unwrap_or(10)) {
        Ok(limit @ 1..=100) => limit,
        _ => return Err(Refusal::invalid("The limit has to be from 1 to 100.")),
    };
    Ok(TransferQuery { reference, page: ListQuery { limit, starting_after, ..ListQuery::default() } })
}

/// Every answer that is neither 200 nor 201.
#[derive(Debug, Serialize)]
pub(crate) struct Refusal {
    #[serde(skip)]
    status: u16,
    code: &'static str,
    message: Box<str>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<Box<str>>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<Box<str>>) -> Self {
        Self::new(422, "invalid_parameter", message)
    }

    /// The rail's words for what any gateway may have to say.
    pub(crate) fn about(trouble: Trouble) -> Self {
        match trouble {
            Trouble::RateLimited => Self::new(429, "rate_limited", "Too many requests."),
            Trouble::Unavailable => Self::new(503, "unavailable", "The rail is closed for the moment."),
            Trouble::BadKey => Self::new(401, "unauthorised", "The credential is missing or not known here."),
            Trouble::Internal => Self::new(500, "internal_error", "Something went wrong here."),
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        Answer { status: self.status, body: to_bytes(self) }
    }
}
