//! Webhook deliveries: is it really from Stripe, and what does it hint at?
//!
//! Owns the signature check over raw bytes and the reading of an event. Does not own the inbox: an event is a hint,
//! never ordered by its times, and whoever applies it fetches the object first.

mod event;
mod signature;

pub(super) use event::decode_event;
pub use signature::{SIGNATURES_MAX, SignatureError, verify};
