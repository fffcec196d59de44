//! Whole lists of Stripe's objects, read as they are: for comparing them with what somebody else believes.
//!
//! Owns which lists there are and what hides in them ([`Kind`]), the requests for their pages and for single objects,
//! the reading of the answers, the lists inside objects ([`nested`]), and the order in which pages are fetched
//! ([`plan`]). Does not own sockets, rates or patience, nor what objects mean: they are handed over as JSON.

mod answer;
mod kind;
pub mod nested;
pub mod plan;
mod request;

#[cfg(test)]
mod tests;

pub use answer::{Failure, One, Page, Refusal, decode_one, decode_page};
pub use kind::{KINDS, Kind};
pub use request::{nested_request, one_request, page_request};
