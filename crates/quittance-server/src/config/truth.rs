//! Where answers of believed systems are remembered: `[truth]`.

use super::errors::Mistakes;
use super::secrets::{self, Fetch, Secret, SecretRef};
use super::section::Section;
use crate::truth::is_address;

/// What begins the names of everything in Redis, where nothing is said.
const PREFIX: &str = "quittance";

/// Longest prefix, in bytes.
const PREFIX_BYTES_MAX: usize = 64;

/// What is remembered, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truths {
    /// Where.
    pub cache: TruthCache,
    /// Answers that are remembered, at most. One counts once for each KiB that it begins.
    pub entries_max: u64,
}

/// Where answers are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TruthCache {
    /// In this process.
    Memory,
    /// In this process, and behind it in a Redis that it shares with others.
    Redis {
        /// How it is reached: `redis://user:password@host:6379/0`, or `rediss://` with TLS.
        address: SecretRef,
        /// What the names of everything begin with.
        prefix: String,
    },
}

impl Default for Truths {
    fn default() -> Self {
        Self { cache: TruthCache::Memory, entries_max: 100_000 }
    }
}

/// Reads `[truth]`.
pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Truths {
    section.refuse_unknown(&["entries_max", "redis", "redis_prefix"], mistakes);
    let default = Truths::default();
    let entries_max = section.number("entries_max", default.entries_max, 1..=10_000_000, mistakes).value;
    Truths { cache: cache(section, mistakes), entries_max }
}

fn cache(section: &Section<'_>, mistakes: &mut Mistakes) -> TruthCache {
    let prefix = prefix(section, mistakes);
    let Some(found) = section.text("redis", mistakes) else {
        if let Some(origin) = section.origin_of("redis_prefix").filter(|_| !section.has("redis")) {
            let remedy = "add redis = \"env:REDIS_URL\", or remove it";
            mistakes.add(origin, &section.setting("redis_prefix"), "names in a Redis that is not there", remedy);
        }
        return TruthCache::Memory;
    };
    match secrets::reference(&found, &section.setting("redis"), mistakes) {
        Some(address) => TruthCache::Redis { address, prefix },
        None => TruthCache::Memory,
    }
}

fn prefix(section: &Section<'_>, mistakes: &mut Mistakes) -> String {
    let Some(found) = section.text("redis_prefix", mistakes) else { return PREFIX.to_owned() };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !(1..=PREFIX_BYTES_MAX).contains(&found.value.len()) || !found.value.bytes().all(is_plain) {
        let remedy =
            format!("write 1 to {PREFIX_BYTES_MAX} letters, digits, `-`, `_` or `.`, such as \"quittance-live\"");
        mistakes.add(found.origin, &section.setting("redis_prefix"), "not a beginning of names", remedy);
    }
    found.value
}

/// Fetches where the Redis is; none where there is none.
pub(super) fn resolve(truths: &Truths, fetch: &Fetch<'_>, mistakes: &mut Mistakes) -> Option<Secret> {
    let TruthCache::Redis { address: reference, .. } = &truths.cache else { return None };
    let address = secrets::value(reference, fetch, mistakes)?;
    if !is_address(address.expose()) {
        let what = format!("no address of a Redis at {reference} (what is there is not shown)");
        let remedy = "write redis://user:password@host:6379/0, or rediss:// for TLS, whose certificate is verified";
        mistakes.add(reference.origin().clone(), reference.setting(), what, remedy);
        return None;
    }
    Some(address)
}
