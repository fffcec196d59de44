//! Records: what any system holds, in one form, so that two systems can be compared.
//!
//! A record is what a table's row, a gateway's object and a line of a file have in common: an identity, values under
//! names, and a version. Values are canonical: there is one way to write each, so that precision and formatting never
//! look like drift. Does not own where records come from, nor what is compared with what: that is [`crate::pair`].

pub mod json;
pub mod key;
pub mod mirror;
pub mod number;
pub mod value;
pub mod version;

#[cfg(test)]
mod tests;
