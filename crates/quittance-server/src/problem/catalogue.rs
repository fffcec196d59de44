//! Every code of a problem document, as data: status, title, and what the caller can do about it.
//!
//! Codes are part of the API: one that was ever given out keeps its meaning. `docs/errors.md` is made from this list.

use std::fmt::Write as _;

/// What kind of problem it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Stable code; also the end of the problem's `type`.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The same sentence for every problem of the kind.
    pub title: &'static str,
    /// What the caller can do.
    pub remedy: &'static str,
    /// Whether the very same request, with the same key, may succeed when it is sent again later.
    pub is_retryable: bool,
}

/// Declares kinds and the list of all of them.
macro_rules! kinds {
    ($($name:ident: $status:literal $code:literal $retryable:ident $title:literal $remedy:literal;)+) => {
        $(
            #[doc = $title]
            pub static $name: Kind = Kind {
                code: $code,
                status: $status,
                title: $title,
                remedy: $remedy,
                is_retryable: kinds!($retryable),
            };
        )+

        /// Every kind, by status.
        pub static ALL: &[&Kind] = &[$(&$name),+];
    };
    (retry) => { true };
    (final) => { false };
}

kinds! {
    INVALID_BODY: 400 "invalid-body" final
        "The body cannot be used."
        "Correct what `errors` names, each with a JSON pointer. Nothing was stored: the same key can be used again.";
    INVALID_PARAMETER: 400 "invalid-parameter" final
        "A query parameter or header cannot be used."
        "Correct what `errors` names.";
    CARD_NUMBER: 400 "card-number" final
        "The request contains what looks like a payment card number."
        "Send the gateway's token instead. Nothing was stored or logged. An id that passes for a card number by chance needs a letter beside its digits.";
    KEY_MISSING: 400 "idempotency-key-missing" final
        "The header Idempotency-Key is missing."
        "Send one key per intended operation, such as a UUID, and the same key with every retry of it.";
    KEY_INVALID: 400 "idempotency-key-invalid" final
        "The header Idempotency-Key is not a key."
        "Send one header of 1 to 255 visible ASCII characters without quotes and backslashes; quotes around the whole are allowed.";
    CURRENCY_UNKNOWN: 400 "currency-unknown" final
        "No currency has this code."
        "Send the three upper-case letters of ISO 4217, of a currency that has minor units.";
    GATEWAY_NOT_FOUND: 400 "gateway-not-found" final
        "No gateway is configured under this name."
        "Name one of the gateways of the configuration.";
    AMOUNT_NOT_REPRESENTABLE: 400 "amount-not-representable" final
        "The gateway cannot take exactly this amount."
        "Send an amount in the steps that the gateway takes of this currency; amounts are never rounded for you.";
    MALFORMED_REQUEST: 400 "malformed-request" final
        "The request can be read in more than one way."
        "Correct what `detail` names. The connection was closed, and nothing that followed on it was read.";
    PAGE_LIMIT: 400 "page-limit" final
        "A page of this size is not given."
        "Ask for 1 to 100 items a page; where a sum over everything is too large, name a customer.";
    CURSOR_INVALID: 400 "cursor-invalid" final
        "The cursor does not belong to this list."
        "Pass `next_cursor` unchanged, with the same filters, or begin again without a cursor.";
    WEBHOOK_SIGNATURE: 400 "webhook-signature" final
        "The delivery is not signed by a known secret, or not recently."
        "Compare the endpoint's secrets with the gateway's, and the clocks. Nothing was stored.";
    WEBHOOK_MALFORMED: 400 "webhook-malformed" final
        "The signed delivery is not an event of this gateway."
        "Send what the gateway sent, byte for byte.";
    WEBHOOK_NOT_OURS: 400 "webhook-not-ours" final
        "The signed delivery is of another account, or about the other kind of money."
        "Send live events to the endpoint of a live API key, test events to that of a test key, and those of each account to its own endpoint. Nothing was stored.";
    UNAUTHORISED: 401 "unauthorised" final
        "No valid API key was given."
        "Send `Authorization: Bearer qk_…` with a key that is not revoked.";
    PAYMENT_DECLINED: 402 "payment-declined" final
        "The payment was declined; no money moved."
        "Look at `payment.decline`. Another attempt is a new request under a new key; it may use the same reference.";
    REFUSED_BY_GATEWAY: 402 "refused-by-gateway" final
        "The gateway refused the step; the payment or the dispute is where it was."
        "Look at `detail` for the gateway's code. Another try is a new request under a new key.";
    FORBIDDEN: 403 "forbidden" final
        "This API key may not do that."
        "Use a key with the scope that `detail` names.";
    OWN_REQUEST: 403 "own-request" final
        "Whoever asked for something does not approve it."
        "Let somebody else approve it, with a credential of their own. Nothing was stored: the same key can be used again.";
    BRAKE: 403 "brake" retry
        "A limit of this tenant does not let it through."
        "Look at `brake` for the limit. Nothing was stored: send the same request, under the same key, after `Retry-After`. Where there is none, `retryable` is false, and only the operator can let it through, by another limit.";
    GATEWAY_MODE: 403 "gateway-mode" final
        "This gateway moves the other kind of money: real for a test tenant, or play money for a live one."
        "Name a gateway of the tenant's own mode: live tenants use live API keys of a gateway, test tenants test keys.";
    NOT_FOUND: 404 "not-found" final
        "Nothing is found here."
        "Check the path and the id; ids of other tenants are not found either.";
    CUSTOMER_NOT_FOUND: 404 "customer-not-found" final
        "No customer is known by this id."
        "Create the customer first. Where a key came with the request it now stands for this refusal: use a new one.";
    METHOD_NOT_ALLOWED: 405 "method-not-allowed" final
        "This resource does not take this method."
        "Use one of the methods in the header `Allow`.";
    REQUEST_TIMEOUT: 408 "request-timeout" retry
        "The request took too long."
        "Send it again with the same key: what was accepted continues, and the key leads to it.";
    DUPLICATE_INTENT: 409 "duplicate-intent" final
        "The same payment was asked for before, under another key."
        "Look at `resource`. Ask with `on_duplicate: return_existing` to be given it, or use another reference for another payment.";
    CUSTOMER_EXISTS: 409 "customer-exists" final
        "A customer with this id or external id exists."
        "Use the existing customer, or another id.";
    KEY_IN_PROGRESS: 409 "idempotency-in-progress" retry
        "The first request under this key has not been accepted yet."
        "Send the request again with the same key.";
    DUPLICATE_REFUND: 409 "duplicate-refund" final
        "The same refund was asked for before, under another key."
        "Look at `resource`. Use another reference for another refund.";
    DUPLICATE_EVIDENCE: 409 "duplicate-evidence" final
        "This stage of the dispute was answered before, under another key."
        "Look at `resource`. Evidence is final: nothing can be added to it.";
    EVIDENCE_NOT_TAKEN: 409 "evidence-not-taken" final
        "The dispute takes no evidence as it stands."
        "Look at the dispute's status; evidence is taken while it needs a response.";
    EVIDENCE_TOO_LATE: 409 "evidence-too-late" final
        "The deadline for evidence has passed."
        "Nothing can be submitted any more; the gateway's support may know a way.";
    NOT_CAPTURABLE: 409 "not-capturable" final
        "Only a payment that requires capture can be captured, once, before its authorisation ends."
        "Look at the payment's status. What was captured can be refunded; what expired has to be paid anew.";
    NOT_CANCELABLE: 409 "not-cancelable" final
        "The payment can no longer be canceled."
        "Look at the payment's status: what succeeded can be refunded, and what is being found out ends by itself.";
    NOT_REFUNDABLE: 409 "not-refundable" final
        "Only a payment that succeeded can be refunded."
        "Cancel a payment that was not captured.";
    NOT_IN_REVIEW: 409 "not-in-review" final
        "Only an effect in review is decided by a person."
        "Look at the payment: its outcome is known, or is being found out.";
    NEVER_SENT: 409 "never-sent" final
        "A brake holds this back; nothing of it was ever sent."
        "Resolve it as `approved` or `refused`: nothing can have succeeded or failed yet.";
    NOT_PARKED: 409 "not-parked" final
        "No brake holds this back."
        "Look at its status. What is in review for another reason is resolved as `succeeded` or `failed`.";
    RECEIVED_AMOUNT_DIFFERS: 409 "received-amount-differs" final
        "The gateway showed that another amount came than was asked for."
        "Resolve it as `succeeded` under a new key, with the `amount` that came.";
    HOLD_IS_GONE: 409 "hold-is-gone" final
        "The money was booked when the hold was closed."
        "Resolve it as `succeeded`. What is to go back is refunded; what the gateway takes back is booked by itself.";
    BOOK_FULL: 409 "book-full" final
        "The customer's book cannot hold a further amount of this size."
        "Check the amount; sums are kept in 64 bits.";
    TOO_MANY_ENDPOINTS: 409 "too-many-endpoints" final
        "The tenant has as many webhook endpoints as it may."
        "Delete one that is not used any more. The key now stands for this refusal: use a new one.";
    ENDPOINT_DISABLED: 409 "endpoint-disabled" final
        "The webhook endpoint is disabled."
        "Enable it first; what waits for it is then sent by itself.";
    TRUTH_AMBIGUOUS: 409 "truth-ambiguous" final
        "Several records of the believed system claim this key."
        "Have the duplicates removed, or the pair matched by columns that are unique.";
    DISCREPANCY_CLOSED: 409 "discrepancy-closed" final
        "The discrepancy is resolved: a comparison did not find it any more."
        "Nothing is left to decide. Should it come back, it does so under the same id.";
    NOTHING_WAITS: 409 "nothing-waits" final
        "No repair of this record waits for a person."
        "Look at the discrepancy: it may be made already. Where none was planned, resolve it, or repair the pair.";
    NOT_RESOLVABLE: 409 "not-resolvable" final
        "The record cannot be repaired in this way."
        "Look at `detail` for what keeps it, and repair it by hand, or mend the configuration. A new key may ask again.";
    REFUNDED_AMOUNT_DIFFERS: 412 "refunded-amount-differs" final
        "Another amount is refunded than the request expected."
        "Look at the payment's refunds. Where the money is still to be given back, ask under a new key with what is refunded now.";
    BODY_TOO_LARGE: 413 "body-too-large" final
        "The body is too large."
        "Send at most the number of bytes that `detail` names.";
    URI_TOO_LONG: 414 "uri-too-long" final
        "The path and the query are too long."
        "Send at most the number of bytes that `detail` names.";
    CONTENT_ENCODING: 415 "content-encoding" final
        "Bodies are not taken compressed."
        "Send the body as it is, without Content-Encoding.";
    UNSUPPORTED_MEDIA_TYPE: 415 "unsupported-media-type" final
        "The body's media type is not understood."
        "Send `Content-Type: application/json`, in UTF-8.";
    NOT_OFFERED: 422 "not-offered" final
        "This gateway does not offer what was asked for."
        "Use another gateway, or do it there by hand.";
    CAPTURE_TOO_LARGE: 422 "capture-too-large" final
        "More is to be captured than was authorised."
        "Capture at most the payment's amount.";
    REFUND_TOO_LARGE: 422 "refund-too-large" final
        "More is to be given back than is left of the payment."
        "Refund at most what was captured less what is refunded, being refunded, disputed or returned already.";
    RESOLVED_AMOUNT: 422 "resolved-amount" final
        "The `amount` of a decision cannot be what moved."
        "Say an `amount` within what `detail` names, or leave it out: of a payment a part may have come, a refund is whole.";
    REFUND_CURRENCY: 422 "refund-currency" final
        "A refund is in the currency of its payment."
        "Leave `currency` out, or send the payment's.";
    KEY_REUSED: 422 "idempotency-key-reused" final
        "This idempotency key was used for a different request."
        "Use a new key for a new operation; a retry has to repeat the first request exactly.";
    KEY_EXPIRED: 422 "idempotency-key-expired" final
        "This idempotency key has expired; its answer is gone."
        "Look at `resource` and `command_id` for what it did. It will never be carried out again.";
    TOO_MANY_REQUESTS: 429 "too-many-requests" retry
        "This API key asks too much at once."
        "Send it again with the same key after the time in `Retry-After`. Nothing was stored; other API keys are not held up.";
    INTERNAL: 500 "internal" retry
        "Something failed inside."
        "Send the request again with the same key; tell the operator the value of the header Request-Id.";
    PAIR_UNAVAILABLE: 502 "pair-unavailable" retry
        "A system of the pair cannot be read or written now."
        "Send the request again with the same key: what was begun is finished, and nothing is written twice.";
    TRUTH_PROVIDER_FAILED: 502 "truth-provider-failed" retry
        "The believed system could not be asked, and nothing fresh enough is known."
        "Decide without it, or ask again after the time in `Retry-After`. The pair's policy is `error`, or what was known is too old for `stale_if_error`.";
    STOPPING: 503 "stopping" retry
        "The server is stopping."
        "Send the request again with the same key, here or at another server.";
    OVERLOADED: 503 "overloaded" retry
        "Too much waits already; the request was not begun."
        "Send it again with the same key after the time in `Retry-After`.";
    STORAGE_UNAVAILABLE: 503 "storage-unavailable" retry
        "The store cannot be used now; nothing is known to be stored."
        "Send the request again with the same key.";
    TRUTH_UNAVAILABLE: 503 "truth-unavailable" retry
        "The believed system could not be asked, and the pair denies what is not known."
        "Take it for a no, and ask again after the time in `Retry-After`. The pair's policy is `deny`.";
    STORAGE_FULL: 507 "storage-full" retry
        "The disk is full; nothing was stored."
        "Free space, then send the request again with the same key.";
}

/// The catalogue as a document.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(
        "# Errors\n\n\
         Errors are problem documents (RFC 9457, `application/problem+json`) with the members `type`, `title`, `status`,\n\
         `detail`, `code` and `retryable`, and where they apply `command_id`, `correlation_id`, `resource`, `payment` and\n\
         `errors` (`[{\"pointer\" or \"parameter\", \"detail\"}]`). `retryable` says whether the very same request, under\n\
         the same idempotency key, may succeed later. `type` is `urn:quittance:problem:` and the code.\n\n\
         This page is made from `crates/quittance-server/src/problem/catalogue.rs` by a test (`UPDATE=1` rewrites it).\n\n\
         | status | code | retryable | what it says | what to do |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for kind in ALL {
        let retryable = if kind.is_retryable { "yes" } else { "no" };
        let _ =
            writeln!(text, "| {} | `{}` | {retryable} | {} | {} |", kind.status, kind.code, kind.title, kind.remedy);
    }
    text
}
