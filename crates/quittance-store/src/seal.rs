//! Values that are stored encrypted: sealed under a master key, bound to the place where they lie.
//!
//! Pure: keys and nonces are passed in. A sealed value is a mark of eight bytes that ends with the version of this form, the
//! length of the key's id and the id, a nonce of 24 bytes, and what XChaCha20-Poly1305 makes of the value. Table, column and row's key are
//! authenticated with it, so that a value that was moved elsewhere does not open. No value that is stored plain begins with
//! the mark: texts, JSON and the versions of binary bodies do not, and of random bytes one in 2⁶⁴. What is sealed is declared with the tables
//! ([`crate::schema::Column::is_sealed`]); [`crate::sealed`] does it for a whole store.

use crate::schema::Table;
use crate::value::{Row, Value};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;

/// Bytes of a master key.
pub const KEY_BYTES: usize = 32;

/// Longest id of a key, in bytes.
pub const KEY_ID_BYTES_MAX: usize = 64;

/// Bytes of a nonce: drawn at random for each value, which is safe at this length however many there are.
pub const NONCE_BYTES: usize = 24;

/// How a sealed value begins; the last byte is the version of its form.
const MARK: [u8; 8] = *b"\0sealed\x01";

/// What the authenticated place begins with, so that no other use of a key makes the same.
const PURPOSE: &[u8] = b"quittance sealed value";

/// Master keys by their ids. The first one seals, every one opens.
pub struct Keyring(Vec<(String, XChaCha20Poly1305)>);

/// Where a value lies.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's primary key.
    pub key: &'a [Value],
}

/// Why a value cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// The key it was sealed under is not there.
    #[error("it is sealed under the key {0:?}, which is not configured")]
    KeyMissing(String),
    /// It was changed, was moved here from another place, or the key of that id is another one.
    #[error("it does not open under the key {0:?}: it was changed or moved, or the key is another one")]
    Refused(String),
    /// It is no whole sealed value, or none at all.
    #[error("it is no whole sealed value")]
    Malformed,
}

impl Keyring {
    /// Keys in the order of the configuration; none where there is none.
    ///
    /// # Panics
    ///
    /// When an id is empty or longer than [`KEY_ID_BYTES_MAX`]: the configuration refuses it.
    #[must_use]
    pub fn new(keys: Vec<(String, [u8; KEY_BYTES])>) -> Option<Self> {
        let cipher = |(id, key): (String, [u8; KEY_BYTES])| {
            assert!((1..=KEY_ID_BYTES_MAX).contains(&id.len()), "ids of master keys are checked where they are read");
            (id, XChaCha20Poly1305::new(&key.into()))
        };
        (!keys.is_empty()).then(|| Self(keys.into_iter().map(cipher).collect()))
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn sealing(&self) -> &str {
        &self.0[0].0
    }

    /// Every id, the sealing one first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(id, _)| id.as_str())
    }

    /// Seals a value under the first key. The nonce has to be fresh random bytes.
    ///
    /// # Panics
    ///
    /// Beyond 256 GiB, which no bounded value reaches.
    #[must_use]
    pub fn seal(&self, plain: &[u8], place: Place<'_>, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let (id, cipher) = &self.0[0];
        let bound = authenticated(id, place);
        let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &bound });
        let sealed = sealed.expect("stored values are bounded far below what the cipher takes");
        let length = u8::try_from(id.len()).expect("ids of keys are bounded");
        [&MARK[..], &[length], id.as_bytes(), &nonce, &sealed].concat()
    }

    /// Opens a value. One that is not sealed is itself.
    ///
    /// # Errors
    ///
    /// [`Unopened`].
    pub fn open(&self, stored: &[u8], place: Place<'_>) -> Result<Vec<u8>, Unopened> {
        if !is_sealed(stored) {
            return Ok(stored.to_vec());
        }
        let (id, rest) = parts(stored).ok_or(Unopened::Malformed)?;
        let known = self.0.iter().find(|(known, _)| known == id);
        let (_, cipher) = known.ok_or_else(|| Unopened::KeyMissing(id.to_owned()))?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unopened::Malformed)?;
        let bound = authenticated(id, place);
        let opened = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &bound });
        opened.map_err(|_| Unopened::Refused(id.to_owned()))
    }
}

/// Shows ids alone.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

/// Whether a stored value is a sealed one.
#[must_use]
pub fn is_sealed(stored: &[u8]) -> bool {
    stored.starts_with(&MARK)
}

/// Under which key a stored value is sealed; none where it is plain.
///
/// # Errors
///
/// [`Unopened::Malformed`].
pub fn key_of(stored: &[u8]) -> Result<Option<&str>, Unopened> {
    match is_sealed(stored) {
        true => parts(stored).map(|(id, _)| Some(id)).ok_or(Unopened::Malformed),
        false => Ok(None),
    }
}

/// Whether every value of a row that is to be sealed is, under this key.
///
/// # Errors
///
/// [`Unopened::Malformed`].
pub fn is_row_sealed(table: &Table, row: &Row, key: &str) -> Result<bool, Unopened> {
    for column in table.sealed() {
        if let Value::Bytes(stored) = &row[column]
            && key_of(stored)? != Some(key)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn parts(stored: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = stored.strip_prefix(&MARK)?.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(id).ok()?, rest))
}

/// What is authenticated with a value: one form for each key and place.
fn authenticated(id: &str, place: Place<'_>) -> Vec<u8> {
    let mut bound = [PURPOSE, &MARK].concat();
    let mut put = |kind: u8, bytes: &[u8]| {
        bound.push(kind);
        bound.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        bound.extend_from_slice(bytes);
    };
    for name in [id, place.table, place.column] {
        put(0, name.as_bytes());
    }
    for value in place.key {
        match value {
            Value::Null => put(1, &[]),
            Value::Integer(value) => put(2, &value.to_be_bytes()),
            Value::Text(text) => put(3, text.as_bytes()),
            Value::Bytes(bytes) => put(4, bytes),
        }
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: [u8; NONCE_BYTES] = [7; NONCE_BYTES];

    fn ring(ids: &[(&str, u8)]) -> Keyring {
        Keyring::new(ids.iter().map(|(id, byte)| ((*id).to_owned(), [*byte; KEY_BYTES])).collect()).expect("keys")
    }

    fn place(key: &[Value]) -> Place<'_> {
        Place { table: "inbox", column: "body", key }
    }

    #[test]
    fn what_is_sealed_opens_under_every_ring_that_has_its_key_and_shows_nothing() {
        let key = [Value::from("stripe"), Value::from("evt_1")];
        let sealed = ring(&[("a", 1)]).seal(b"a webhook", place(&key), NONCE);
        assert_eq!(key_of(&sealed), Ok(Some("a")));
        assert!(!sealed.windows(7).any(|bytes| bytes == b"webhook"));
        for ring in [ring(&[("a", 1)]), ring(&[("b", 2), ("a", 1)])] {
            assert_eq!(ring.open(&sealed, place(&key)).expect("it opens"), b"a webhook");
        }
        assert_eq!(ring(&[("b", 2)]).open(&sealed, place(&key)), Err(Unopened::KeyMissing("a".into())));
        assert_eq!(ring(&[("a", 2)]).open(&sealed, place(&key)), Err(Unopened::Refused("a".into())));
        assert_eq!(format!("{:?}", ring(&[("b", 2), ("a", 1)])), r#"["b", "a"]"#);
    }

    #[test]
    fn what_is_plain_is_itself() {
        let ring = ring(&[("a", 1)]);
        for plain in [&b""[..], b"{}", b"\x01body", &[0; 32], b"\0sealed"] {
            assert_eq!((ring.open(plain, place(&[])), key_of(plain)), (Ok(plain.to_vec()), Ok(None)));
        }
    }

    #[test]
    fn a_value_that_was_moved_does_not_open() {
        let ring = ring(&[("a", 1)]);
        let key = [Value::from("ab"), Value::from("c")];
        let sealed = ring.seal(b"secret", place(&key), NONCE);
        let moved = [Value::from("a"), Value::from("bc")];
        for elsewhere in [
            Place { table: "tickets", ..place(&key) },
            Place { column: "kind", ..place(&key) },
            place(&key[..1]),
            place(&moved),
            place(&[Value::Bytes(b"ab".to_vec()), Value::from("c")]),
        ] {
            assert_eq!(ring.open(&sealed, elsewhere), Err(Unopened::Refused("a".into())), "{elsewhere:?}");
        }
    }

    #[test]
    fn no_bit_of_a_sealed_value_can_be_changed_and_no_byte_be_missing() {
        let ring = ring(&[("a", 1)]);
        let sealed = ring.seal(b"secret", place(&[]), NONCE);
        // One whose mark is gone is taken for plain, and is nothing that any table holds.
        let is_secret = |stored: &[u8]| ring.open(stored, place(&[])).is_ok_and(|plain| plain == b"secret");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(!is_secret(&changed) && !is_secret(&sealed[..at]), "byte {at}");
            assert!(at < MARK.len() || ring.open(&changed, place(&[])).is_err(), "byte {at}");
            assert!(at < MARK.len() || ring.open(&sealed[..at], place(&[])).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_form_stays_what_it_is() {
        let sealed = ring(&[("a", 1)]).seal(b"v", place(&[Value::Integer(5)]), NONCE);
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(&hex[..20], "007365616c6564010161", "mark, version, length of the id, the id");
        assert_eq!(&hex[20..68], "07".repeat(NONCE_BYTES));
        assert_eq!(sealed.len(), 10 + NONCE_BYTES + 1 + 16);
    }
}
