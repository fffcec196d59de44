//! Stripe, API v1: payment intents, their answers, and webhooks.
//!
//! Owns the wire form of the requests that a charge needs, the reading of every answer, and the checking of webhook
//! deliveries. Does not own strategy: when to confirm, replay, read back or cancel is the effect machine's business.

mod answer;
mod decline;
mod form;
mod object;
mod request;
pub mod webhook;

pub use answer::{ListFact, Unreadable, decode_list, decode_read, decode_write};
pub use request::{IntentParameters, ListParameters, PAGE_LIMIT_MAX};

/// The API version under which requests are made and answers are read, unless configured otherwise.
///
/// `2025-03-31.basil` renders `latest_charge` on a payment intent (since `2022-11-15`) and no longer its invoice.
pub const API_VERSION: &str = "2025-03-31.basil";

/// Longest id, reference or code that is accepted from Stripe, in bytes; Stripe documents 255 for ids.
pub const TEXT_BYTES_MAX: usize = 255;

/// Builds requests in Stripe's dialect, every one under one pinned API version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stripe {
    /// Value of the `Stripe-Version` header.
    pub api_version: &'static str,
}

impl Default for Stripe {
    /// Pins [`API_VERSION`].
    fn default() -> Self {
        Self { api_version: API_VERSION }
    }
}
