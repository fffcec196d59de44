//! Any JSON API that lists objects, as it is configured: for comparing them with what somebody else believes, and for
//! changing them.
//!
//! Owns the targets of requests, the reading of pages, how one page leads to the next ([`Pages`]), and what changes a record
//! ([`update`]). Does not own sockets, credentials or patience, nor what objects mean.

mod address;
mod answer;
mod pages;
pub mod update;

#[cfg(test)]
mod tests;

pub use address::Address;
pub use answer::{Failure, Listed, Next, decode_page, decode_record, printable, said};
pub use pages::{Pages, Stuck};

/// How objects of one kind are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Path of the list, perhaps with parameters: `/accounts?state=any`.
    pub list: String,
    /// Path of one object, where `{key}` stands for its identity.
    pub get: Option<String>,
    /// Pointer to the records of a page; empty where a page is an array of them.
    pub records: String,
    /// Pointer to the record in the answer to `get`.
    pub record: String,
    /// What tells two records apart: names of members, or pointers.
    pub identity: Vec<String>,
    /// How one page leads to the next.
    pub paging: Paging,
    /// The parameter that says how many records a page may have, and how many those are.
    pub page_size: Option<(String, u32)>,
}

/// How one page leads to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paging {
    /// There is one page.
    None,
    /// A page has a word that is sent for the next one; the last has none.
    Cursor {
        /// Pointer to the word.
        next: String,
        /// The parameter it is sent as.
        parameter: String,
    },
    /// Pages have numbers; the list ends with one that is empty, or that says so.
    Page {
        /// The parameter.
        parameter: String,
        /// The number of the first.
        first: u64,
        /// Pointer to whether there are more.
        more: Option<String>,
    },
    /// Pages begin after so many records; the list ends as with numbers.
    Offset {
        /// The parameter.
        parameter: String,
        /// Pointer to whether there are more.
        more: Option<String>,
    },
    /// A page has the address of the next one; the last has none.
    Link {
        /// Pointer to the address; without it is in the header `Link` (RFC 8288).
        next: Option<String>,
    },
}
