//! The idempotency key under which a request travels to a gateway.
//!
//! Computed once per (effect, step, generation) and then persisted as a *value*: rotating the secret must not change
//! the key of a request that was already sent.

use hmac::{Hmac, KeyInit, Mac};
use quittance_core::id::{EffectId, TenantId};
use sha2::Sha256;

use crate::message::put_part;

/// Prefix of every gateway key: the recipe's version.
const RECIPE: &str = "b1";

/// Characters of base32 after the prefix: 130 bits.
const DIGITS: usize = 26;

/// RFC 4648 section 6, in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Computes the gateway key of one step of one effect.
///
/// **Shape**: `b1` and 26 characters of `a-z2-7`; 28 characters are allowed by every gateway considered (Open Banking
/// 40, Adyen 64, Stripe 255). The *step* is a part because create and confirm of one payment are different requests.
/// Each part goes in with its length before it, so that no two different inputs are the same bytes.
///
/// **Effects**: none; the same arguments always give the same key.
#[must_use]
pub fn gateway_key(secret: &[u8], tenant: TenantId, effect_id: EffectId, step: &str, generation: u32) -> String {
    let mut parts = Vec::new();
    for part in [&tenant.to_string(), &effect_id.to_string(), step, &generation.to_string()] {
        put_part(&mut parts, part.as_bytes());
    }
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a secret of any length");
    let code = mac.chain_update(&parts).finalize().into_bytes();
    let mut key = String::from(RECIPE);
    key.extend((0..DIGITS).map(|digit| base32_digit(&code, digit)));
    key
}

/// Whether a text has the shape of a gateway key, so that one of our requests may have carried it.
#[must_use]
pub fn is_gateway_key(text: &str) -> bool {
    let digits = text.strip_prefix(RECIPE).unwrap_or_default().as_bytes();
    digits.len() == DIGITS && digits.iter().all(|digit| ALPHABET.contains(digit))
}

/// The digit at this position when the bytes are read as one row of bits, five to a digit.
fn base32_digit(bytes: &[u8], digit: usize) -> char {
    let bit = digit * 5;
    let pair = [bytes.get(bit / 8), bytes.get(bit / 8 + 1)].map(|byte| byte.copied().unwrap_or(0));
    let value = u16::from_be_bytes(pair) >> (11 - bit % 8) & 0x1f;
    char::from(ALPHABET[usize::from(value)])
}
