//! Master keys: under which stored secrets and bodies are encrypted.

use super::errors::{ConfigErrors, Mistakes, Origin};
use super::secrets::{Fetch, SecretRef, reference, value};
use super::section::{Element, Section};
use quittance_store::seal::{KEY_BYTES, KEY_ID_BYTES_MAX, Keyring};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Most keys: while one takes over from another there are two.
const KEYS_MAX: usize = 16;

/// A master key, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKeyRef {
    /// The id that is stored beside each value.
    pub id: String,
    /// Where the key is.
    pub reference: SecretRef,
}

/// Reads `[encryption]`.
pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Vec<MasterKeyRef> {
    section.refuse_unknown(&["keys"], mistakes);
    let elements = section.elements("keys", mistakes).unwrap_or_default();
    let setting = section.setting("keys");
    if let Some(origin) = section.origin_of("keys").filter(|_| elements.is_empty() || elements.len() > KEYS_MAX) {
        let remedy = "write keys = [{ id = \"2026-11\", key = \"env:NAME\" }], or leave [encryption] out";
        mistakes.add(origin, &setting, format!("not a list of 1 to {KEYS_MAX} keys"), remedy);
    }
    let mut ids = BTreeSet::new();
    let mut keys = Vec::new();
    for element in &elements {
        let Some(key) = entry(element, &setting, mistakes) else { continue };
        if !ids.insert(key.id.clone()) {
            mistakes.add(
                element.origin(),
                &setting,
                "two keys have this id",
                "give each key an id of its own, for ever",
            );
        }
        keys.push(key);
    }
    keys
}

fn entry(element: &Element<'_>, setting: &str, mistakes: &mut Mistakes) -> Option<MasterKeyRef> {
    const REMEDY: &str = "write { id = \"2026-11\", key = \"env:NAME\" }";
    let Element::Table(section) = element else {
        mistakes.add(element.origin(), setting, "a key without an id", REMEDY);
        return None;
    };
    section.refuse_unknown(&["id", "key"], mistakes);
    let (id, key) = (section.text("id", mistakes), section.text("key", mistakes));
    let (Some(id), Some(key)) = (id, key) else {
        if !section.has("id") || !section.has("key") {
            mistakes.add(section.origin(), setting, "a key without an id, or an id without a key", REMEDY);
        }
        return None;
    };
    let is_id = |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=KEY_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain)
    };
    if !is_id(&id.value) {
        let remedy = format!("write 1 to {KEY_ID_BYTES_MAX} letters, digits, `-`, `_` or `.`, such as \"2026-11\"");
        mistakes.add(id.origin, setting, "not an id of a key", remedy);
        return None;
    }
    Some(MasterKeyRef { id: id.value, reference: reference(&key, setting, mistakes)? })
}

/// Fetches the keys; none where none are configured.
pub(super) fn keyring(
    keys: &[MasterKeyRef],
    file: Option<PathBuf>,
    fetch: &Fetch<'_>,
) -> Result<Option<Arc<Keyring>>, ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let fetched = resolve(keys, fetch, &mut mistakes);
    mistakes.into_result(Keyring::new(fetched).map(Arc::new), file)
}

/// As [`keyring`], with the mistakes of others.
pub(super) fn resolve(
    keys: &[MasterKeyRef],
    fetch: &Fetch<'_>,
    mistakes: &mut Mistakes,
) -> Vec<(String, [u8; KEY_BYTES])> {
    let mut fetched: Vec<(String, [u8; KEY_BYTES])> = Vec::new();
    for MasterKeyRef { id, reference } in keys {
        let Some(secret) = value(reference, fetch, mistakes) else { continue };
        let origin: Origin = reference.origin().clone();
        let Some(key) = parsed(secret.expose()) else {
            let what = format!("no key at {reference}: not {KEY_BYTES} bytes in hexadecimal");
            mistakes.add(origin, reference.setting(), what, "make one with `openssl rand -hex 32`");
            continue;
        };
        if fetched.iter().any(|(_, known)| *known == key) {
            let what = format!("the key at {reference} has two ids");
            mistakes.add(origin, reference.setting(), what, "a key that takes over has to be another key");
            continue;
        }
        fetched.push((id.clone(), key));
    }
    fetched
}

/// 64 hexadecimal digits.
fn parsed(text: &str) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    if text.len() != 2 * KEY_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(key)
}
