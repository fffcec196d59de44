//! What clients did to each book and when, and what they saw of it. Does not own what must hold of it (`checker`).

use crate::checker::{Append, Read};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A command that was meant to add to a book.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) book: String,
    /// The client's own name for the payment or refund, by which one is found whose id nobody heard.
    pub(crate) reference: String,
    pub(crate) began: u64,
    /// When the answer was there; nothing where the client gave up.
    pub(crate) ended: Option<u64>,
    /// The payment or refund of the answer, and whether it moved money.
    pub(crate) outcome: Option<(String, Ending)>,
}

/// What the client was told in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Posted,
    Voided,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct History {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    operations: Vec<Operation>,
    reads: BTreeMap<String, Vec<Read>>,
}

impl History {
    pub(crate) fn note(&self, operation: Operation) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).operations.push(operation);
    }

    pub(crate) fn saw(&self, book: &str, read: Read) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.reads.entry(book.to_owned()).or_default().push(read);
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).operations.clone()
    }

    pub(crate) fn reads(&self, book: &str) -> Vec<Read> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).reads.get(book).cloned().unwrap_or_default()
    }
}

/// What a page of a book's ledger shows: each movement with what it is about, in the order of the journal. Nothing where the
/// page is not the whole book, for two pages are not one moment.
pub(crate) fn values(page: &Value) -> Option<Vec<String>> {
    let rows = page["data"].as_array().filter(|_| page["has_more"] == false)?;
    let value = |row: &Value| {
        let about = row["refund"].as_str().or(row["payment"].as_str()).unwrap_or("nothing");
        format!("{} {about}", row["movement"].as_str().unwrap_or("?"))
    };
    Some(rows.iter().map(value).collect())
}

/// What the operations must have added to one book. `ids` are references of payments and refunds with their ids, from our
/// lists after everything: so is found what somebody began whose answer nobody waited for.
pub(crate) fn appends(operations: &[Operation], ids: &BTreeMap<String, Vec<String>>) -> Vec<Append> {
    let mut appends = Vec::new();
    for operation in operations {
        match &operation.outcome {
            Some((id, ending)) => {
                let closing = if *ending == Ending::Posted { "posted" } else { "voided" };
                let (began, ended) = (operation.began, operation.ended);
                appends.push(Append { value: format!("held {id}"), began, ended });
                appends.push(Append { value: format!("{closing} {id}"), began, ended });
            }
            None => {
                for id in ids.get(&operation.reference).into_iter().flatten() {
                    let unknown =
                        |word: &str| Append { value: format!("{word} {id}"), began: operation.began, ended: None };
                    appends.extend(["held", "posted", "voided"].map(unknown));
                }
            }
        }
    }
    appends
}
