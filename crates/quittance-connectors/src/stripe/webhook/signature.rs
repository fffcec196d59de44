//! The check of a `Stripe-Signature` header: `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`.
//!
//! Each `v1` is HMAC-SHA256 over `t + "." + raw body`, keyed with the whole `whsec_…` text. Stricter than Stripe's own
//! libraries in three points: one `t` only, times in the future are refused too, and a tolerance of 0 (which there
//! switches the check off) is a configuration error.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Most `v1` signatures that a header may carry. Stripe sends one per active secret of the endpoint, and each costs us
/// one hash per secret of ours.
pub const SIGNATURES_MAX: usize = 16;

/// Longest header that is looked at, in bytes; [`SIGNATURES_MAX`] signatures take about 1,100.
const HEADER_BYTES_MAX: usize = 4096;

/// Why a delivery is not accepted as Stripe's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Our own mistake: the tolerance is 0, there is no secret, or a secret is empty.
    #[error("webhook check needs a tolerance above 0 and at least one secret, none of them empty")]
    Misconfigured,
    /// No `t`, two of them, one that is not a number, a part without `=`, or a header that is too long.
    #[error("signature header is malformed")]
    MalformedHeader,
    /// The header has no `v1` signature; other schemes are ignored.
    #[error("signature header has no v1 signature")]
    NoSupportedSignature,
    /// The header has more than [`SIGNATURES_MAX`] signatures.
    #[error("signature header has more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// No signature was made with any of the secrets over exactly these bytes and this time.
    #[error("no signature matches")]
    BadSignature,
    /// The signature is good and was made longer ago than the tolerance.
    #[error("signature is {age_seconds} seconds old")]
    TimestampTooOld {
        /// How old it is, in seconds.
        age_seconds: i64,
    },
    /// The signature is good and its time is further ahead of ours than the tolerance.
    #[error("signature is {ahead_seconds} seconds ahead of our clock")]
    TimestampInFuture {
        /// How far ahead it is, in seconds.
        ahead_seconds: i64,
    },
}

struct Header<'a> {
    /// The time as it was written, which is what was signed.
    timestamp_text: &'a str,
    timestamp: i64,
    signatures: Vec<[u8; 32]>,
}

/// Checks the signature of a webhook delivery and returns the index of the secret that it was made with.
///
/// **Shape**: `header` is the value of `Stripe-Signature`; `body` the raw bytes received, never re-serialised JSON;
/// `secrets` every active secret (`whsec_…`, used whole), any of which may match any signature.
/// **Units**: `now_seconds` since the epoch; `tolerance_seconds` either way, inclusive, above 0.
///
/// # Errors
/// [`SignatureError`]; the age is only looked at once the signature is known to be good. All but `Misconfigured` are
/// answered 400, and nothing is stored.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[&str],
    now_seconds: i64,
    tolerance_seconds: u32,
) -> Result<usize, SignatureError> {
    if tolerance_seconds == 0 || secrets.is_empty() || secrets.iter().any(|secret| secret.is_empty()) {
        return Err(SignatureError::Misconfigured);
    }
    let header = parse(header)?;
    let is_maker = |secret: &&str| is_signed_with(&header, body, secret);
    let secret_index = secrets.iter().position(is_maker).ok_or(SignatureError::BadSignature)?;
    let age_seconds = now_seconds.saturating_sub(header.timestamp);
    let tolerance_seconds = i64::from(tolerance_seconds);
    if age_seconds > tolerance_seconds {
        return Err(SignatureError::TimestampTooOld { age_seconds });
    }
    if age_seconds < -tolerance_seconds {
        return Err(SignatureError::TimestampInFuture { ahead_seconds: age_seconds.saturating_neg() });
    }
    Ok(secret_index)
}

/// Whether any of the header's signatures was made with this secret; each comparison takes constant time.
fn is_signed_with(header: &Header<'_>, body: &[u8], secret: &str) -> bool {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a secret of any length");
    let mac = mac.chain_update(header.timestamp_text).chain_update(b".").chain_update(body);
    header.signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
}

fn parse(header: &str) -> Result<Header<'_>, SignatureError> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(SignatureError::MalformedHeader);
    }
    let mut timestamp = None;
    let mut found = 0;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.split_once('=').ok_or(SignatureError::MalformedHeader)? {
            ("t", _) if timestamp.is_some() => return Err(SignatureError::MalformedHeader),
            ("t", text) => timestamp = Some((text, seconds(text)?)),
            ("v1", hex) => {
                found += 1;
                signatures.extend(signature(hex));
            }
            _ => {}
        }
    }
    let (timestamp_text, timestamp) = timestamp.ok_or(SignatureError::MalformedHeader)?;
    match found {
        0 => Err(SignatureError::NoSupportedSignature),
        1..=SIGNATURES_MAX => Ok(Header { timestamp_text, timestamp, signatures }),
        _ => Err(SignatureError::TooManySignatures),
    }
}

/// Digits alone: `i64` would also take a sign.
fn seconds(text: &str) -> Result<i64, SignatureError> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten().ok_or(SignatureError::MalformedHeader)
}

/// 64 lower-case hexadecimal digits, as Stripe writes them; anything else can match nothing.
fn signature(hex: &str) -> Option<[u8; 32]> {
    let digits: [u8; 64] = hex.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(bytes)
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
