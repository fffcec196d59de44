//! The seal at the end of an export: how many chains and records there are, where each chain ends, and the digest of every
//! line, signed with ed25519 (RFC 8032).

use super::Exported;
use super::line::{Chain, Line};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What is signed begins with this, so that a signature means an export and nothing else.
const DOMAIN: &str = "quittance audit seal 1\n";

/// What an export is signed with.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Reads the 64 hexadecimal digits of a private key, as `openssl rand -hex 32` makes one.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        unhex(text.trim()).map(|bytes| Self(ed25519_dalek::SigningKey::from_bytes(&bytes)))
    }

    /// What a signature is checked with, in hexadecimal. It is no secret.
    #[must_use]
    pub fn public_key(&self) -> String {
        hex(self.0.verifying_key().as_bytes())
    }
}

/// Reads a public key in hexadecimal; none where it is no point of the curve.
#[must_use]
pub fn read_public_key(text: &str) -> Option<[u8; 32]> {
    let bytes = unhex(text.trim())?;
    VerifyingKey::from_bytes(&bytes).ok().map(|_| bytes)
}

/// What is sealed. The members are in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    pub(super) chains: u64,
    pub(super) records: u64,
    /// SHA-256 over the name, the last number and the last hash of each chain.
    pub(super) heads: String,
    /// SHA-256 over every line before.
    pub(super) lines: String,
    pub(super) made_at: String,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    pub(super) seal: Seal,
    /// The public key; none where it is not signed.
    pub(super) key: Option<String>,
    signature: Option<String>,
}

/// What an export has come to so far.
#[derive(Default)]
pub(super) struct Sealing {
    chains: u64,
    records: u64,
    heads: Sha256,
    lines: Sha256,
    /// Where the chain that is being followed has come to.
    end: Option<(Chain, i64, [u8; 32])>,
}

impl Sealing {
    /// Takes a line, whatever it is.
    pub(super) fn add(&mut self, line: &[u8]) {
        self.lines.update(line);
    }

    /// Takes a record, which has to follow the one before it, or begin a chain that comes after all before.
    ///
    /// # Errors
    ///
    /// What does not come out. The chain goes on from this record all the same.
    pub(super) fn follow(&mut self, line: &Line) -> Result<(), String> {
        let before = self.end.as_ref().filter(|(chain, ..)| *chain == line.chain).map(|(_, seq, hash)| (*seq, *hash));
        let is_late = before.is_none() && self.end.as_ref().is_some_and(|(chain, ..)| *chain > line.chain);
        if before.is_none() {
            self.end_chain();
            self.chains += 1;
        }
        self.records += 1;
        self.end = Some((line.chain.clone(), line.seq, line.hash));
        if is_late {
            return Err("it stands behind chains that come after its own".to_owned());
        }
        line.follows(before)
    }

    fn end_chain(&mut self) {
        if let Some((chain, seq, hash)) = self.end.take() {
            let name = chain.to_string();
            self.heads.update((name.len() as u64).to_be_bytes());
            self.heads.update(name.as_bytes());
            self.heads.update(seq.to_be_bytes());
            self.heads.update(hash);
        }
    }

    pub(super) fn exported(&self, key: Option<&SigningKey>) -> Exported {
        Exported { chains: self.chains, records: self.records, public_key: key.map(SigningKey::public_key) }
    }

    /// Chains and records so far.
    pub(super) const fn counts(&self) -> (u64, u64) {
        (self.chains, self.records)
    }

    /// The seal of what was taken.
    pub(super) fn seal(mut self, made_at: String) -> Seal {
        self.end_chain();
        let (heads, lines) = (hex(&self.heads.finalize()), hex(&self.lines.finalize()));
        Seal { chains: self.chains, records: self.records, heads, lines, made_at }
    }

    /// The last line of an export.
    pub(super) fn sealed(self, made_at: String, key: Option<&SigningKey>) -> String {
        let seal = self.seal(made_at);
        let signature = key.map(|key| STANDARD.encode(key.0.sign(seal.signed().as_bytes()).to_bytes()));
        Sealed { seal, key: key.map(SigningKey::public_key), signature }.text()
    }
}

impl Seal {
    fn signed(&self) -> String {
        format!("{DOMAIN}{}", serde_json::to_string(self).unwrap_or_default())
    }
}

impl Sealed {
    /// The line, with its end.
    pub(super) fn text(&self) -> String {
        format!("{}\n", serde_json::to_string(self).unwrap_or_default())
    }

    /// Whether the signature is that of its key; no where there is none.
    pub(super) fn is_signed(&self) -> bool {
        let key = self.key.as_deref().and_then(unhex).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let signature = self.signature.as_deref().and_then(|text| STANDARD.decode(text).ok());
        let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
        match (key, signature) {
            // Strict: no key and no signature that other programs might judge otherwise.
            (Some(key), Some(signature)) => key.verify_strict(self.seal.signed().as_bytes(), &signature).is_ok(),
            _ => false,
        }
    }

    /// Whether it pretends to be signed.
    pub(super) const fn has_signature(&self) -> bool {
        self.key.is_some() || self.signature.is_some()
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 64 hexadecimal digits, small ones only: there is one way to write each.
pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}
