//! Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body, in Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use quittance_core::event::SECRET_BYTES;
use sha2::Sha256;

/// The value of `webhook-signature`: one signature for each key, the newest first.
pub(super) fn header(id: &str, seconds: i64, body: &[u8], keys: &[[u8; SECRET_BYTES]]) -> String {
    let signatures: Vec<String> = keys.iter().map(|key| signature(id, seconds, body, key)).collect();
    signatures.join(" ")
}

/// The signature by one key.
pub(crate) fn signature(id: &str, seconds: i64, body: &[u8], key: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    let mac = mac.chain_update(format!("{id}.{seconds}.")).chain_update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac` and `base64`.
    #[test]
    fn it_is_what_python_makes_of_it() {
        let header = header("evt_1", 1_700_000_000, b"{\"a\":1}", &[[7; 32], [8; 32]]);
        assert_eq!(
            header,
            "v1,LD23cPhYO0Vr+7BYB9TpqKHMIUwtb1s91EEyjYfBh+s= v1,x+2JBaR3zE/jDFBZTJP89JplYvKeH0+TJvx1YrMRkm8="
        );
    }
}
