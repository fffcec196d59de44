//! Why a card was declined, and whether the same card may work later.

use quittance_core::fact::Decline;
use serde_json::Value;

use crate::json::short_text;

/// Decline codes after which Stripe's table says to attempt the payment again, and `insufficient_funds`, whose cause
/// passes with time.
///
/// Source: docs.stripe.com/declines/codes, column "Next steps". Codes that ask the customer for something (another
/// card, other details, authentication, a call to the issuer) are not among them; neither is any unknown code.
const RETRYABLE: [&str; 6] = [
    "approve_with_id",
    "insufficient_funds",
    "issuer_not_available",
    "processing_error",
    "reenter_transaction",
    "try_again_later",
];

/// Code of a decline that says nothing about itself.
const UNSPECIFIED: &str = "declined";

/// Reads the decline out of an error that is known to be one.
pub(super) fn decline(error: &Value) -> Decline {
    let code = named_code(error).unwrap_or_else(|| UNSPECIFIED.to_owned());
    Decline { is_retryable: is_retryable(error, &code), code }
}

/// Reads the decline out of an object's `last_payment_error`, or nothing if it does not tell of a failed attempt.
pub(super) fn last_decline(error: &Value) -> Option<Decline> {
    let is_card_error = error["type"] == "card_error";
    (is_card_error || named_code(error).is_some()).then(|| decline(error))
}

/// The most specific code that the error carries.
fn named_code(error: &Value) -> Option<String> {
    short_text(&error["decline_code"]).or_else(|| short_text(&error["code"]))
}

/// The issuer's own advice wins over the table (docs.stripe.com/declines/card, "Retrying issuer declines").
fn is_retryable(error: &Value, code: &str) -> bool {
    match error["advice_code"].as_str() {
        Some("try_again_later") => true,
        Some("do_not_try_again" | "confirm_card_data") => false,
        _ => RETRYABLE.contains(&code),
    }
}
