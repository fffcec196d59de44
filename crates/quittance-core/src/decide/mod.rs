//! Decisions: a command and the rows it names in, new rows, records and an answer out.

mod create_payment;
mod create_refund;
mod learn;
mod learn_refund;
mod postings;
mod resolve;
mod steps;
#[cfg(test)]
mod tests;

pub use create_payment::{Accepted, CreatePayment, NewIds, NewPayment, OnDuplicate, Previous, create_payment, hold_of};
pub use create_refund::{AskRefund, NewRefund, NewRefundIds, create_refund, refund_hold_of};
pub use learn::{Learned, Lesson, learn, learn_of_lost_lease, word};
pub use learn_refund::{learn_of_lost_refund, learn_refund};
pub use resolve::{Resolution, Resolved, resolve, resolve_refund};
pub use steps::{JOINED_MAX, StepAccepted, ask_cancel, ask_capture};
