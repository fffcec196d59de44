//! One record as one line: its place, the bytes that were chained, its hash, and what they say.

use super::words;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quittance_core::id::CustomerId;
use quittance_core::journal::{GENESIS, Place, chain};
use quittance_core::time::Timestamp;
use quittance_store::records::{JournalEntry, RepairEntry, chain_repair};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

/// The version of the form.
const VERSION: u64 = 1;

/// Whose records follow one another. The order is that of an export.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Chain {
    /// A customer's journal.
    Book([u8; 16]),
    /// The repairs of a pair.
    Pair(String),
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Book(id) => CustomerId::from_bytes(*id).fmt(f),
            Self::Pair(name) => write!(f, "pair:{name}"),
        }
    }
}

impl Chain {
    fn named(text: &str) -> Option<Self> {
        match text.strip_prefix("pair:") {
            Some(name) => Some(Self::Pair(name.to_owned())),
            None => text.parse::<CustomerId>().ok().map(|id| Self::Book(id.bytes())),
        }
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) chain: Chain,
    /// Its number, from 1.
    pub(super) seq: i64,
    kind: i64,
    at: Timestamp,
    body: Vec<u8>,
    pub(super) hash: [u8; 32],
}

/// As it is written. The members are in the order of the fields.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    chain: String,
    seq: i64,
    kind: i64,
    /// Microseconds since 1970, which is what was chained.
    at: i64,
    body: String,
    hash: String,
    /// Made from the above, and nothing else.
    says: Value,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// When it was made.
    pub(super) made_at: String,
    /// The version of the program that made it: another one may put a record into other words.
    pub(super) by: String,
}

impl Head {
    pub(super) fn new(made_at: Timestamp) -> Self {
        Self { made_at: words::time(made_at), by: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// Whether this program made it, so that it would write the same.
    pub(super) fn is_ours(&self) -> bool {
        self.by == env!("CARGO_PKG_VERSION")
    }

    /// The line, with its end.
    pub(super) fn text(&self) -> String {
        format!("{}\n", json!({"quittance": "audit", "version": VERSION, "made_at": self.made_at, "by": self.by}))
    }
}

/// Reads the first line.
///
/// # Errors
///
/// Why it is none.
pub(super) fn read_head(line: &str) -> Result<Head, String> {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let head = Head { made_at: text("made_at"), by: text("by") };
    match value["version"].as_u64() {
        Some(VERSION) if head.text() == line => Ok(head),
        Some(version) if version != VERSION && text("quittance") == "audit" => {
            Err(format!("it has version {version}, and this program knows {VERSION}"))
        }
        _ => Err("this is not how an export for auditors begins".to_owned()),
    }
}

impl Line {
    pub(super) fn of_journal(entry: JournalEntry) -> Self {
        let JournalEntry { book, seq, kind, at, body, hash, .. } = entry;
        Self { chain: Chain::Book(book.bytes()), seq, kind, at, body, hash }
    }

    pub(super) fn of_repairs(entry: RepairEntry) -> Self {
        let RepairEntry { pair, seq, kind, at, body, hash, .. } = entry;
        Self { chain: Chain::Pair(pair), seq, kind, at, body, hash }
    }

    /// Reads a line; says whether it is what this program writes of its bytes. It is not, either, where those are of a kind that
    /// this program does not know.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn read(text: &str) -> Result<(Self, bool), String> {
        let written: Written = serde_json::from_str(text).map_err(|error| format!("no record: {error}"))?;
        let chain = Chain::named(&written.chain).ok_or("neither a customer nor a pair")?;
        let body = STANDARD.decode(&written.body).map_err(|_| "its body is no Base64")?;
        let hash = super::seal::unhex(&written.hash).ok_or("its hash is no 64 hexadecimal digits")?;
        let line = Self { chain, seq: written.seq, kind: written.kind, at: Timestamp(written.at), body, hash };
        let is_ours = line.text().is_ok_and(|ours| ours == text);
        Ok((line, is_ours))
    }

    /// The line, with its end.
    ///
    /// # Errors
    ///
    /// When the bytes are no record.
    pub(super) fn text(&self) -> Result<String, String> {
        let says = match &self.chain {
            Chain::Book(_) => words::of_journal(self.seq, self.kind, self.at, &self.body),
            Chain::Pair(_) => words::of_repairs(self.kind, self.at, &self.body),
        };
        let written = Written {
            chain: self.chain.to_string(),
            seq: self.seq,
            kind: self.kind,
            at: self.at.0,
            body: STANDARD.encode(&self.body),
            hash: super::seal::hex(&self.hash),
            says: says?,
        };
        let text = serde_json::to_string(&written).map_err(|error| error.to_string())?;
        Ok(format!("{text}\n"))
    }

    /// Whether it follows a record of its chain: the number after it, and the hash over it.
    ///
    /// # Errors
    ///
    /// What does not come out.
    pub(super) fn follows(&self, before: Option<(i64, [u8; 32])>) -> Result<(), String> {
        let (seq, prev_hash) = before.unwrap_or((0, GENESIS));
        if seq.checked_add(1) != Some(self.seq) {
            return Err(format!("record {} follows record {seq}", self.seq));
        }
        let Self { seq, kind, at, body, .. } = self.clone();
        let hash = match self.chain.clone() {
            Chain::Book(book) => chain(&Place { book: CustomerId::from_bytes(book), seq, kind, at }, &body, &prev_hash),
            Chain::Pair(pair) => chain_repair(&RepairEntry { pair, seq, kind, at, body, prev_hash, hash: GENESIS }),
        };
        match hash == self.hash {
            true => Ok(()),
            false => Err("its hash is not that of its bytes after the record before".to_owned()),
        }
    }
}
