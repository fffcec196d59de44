//! Decisions: a command and the rows it names in, new rows, records and an answer out.

mod approve;
mod brakes;
mod create_payment;
mod create_refund;
mod learn;
mod learn_dispute;
mod learn_evidence;
mod learn_refund;
mod postings;
mod refund_correction;
mod resolve;
mod steps;
mod submit_evidence;
#[cfg(test)]
mod tests;

pub use approve::{Approval, approve, approve_refund};
pub use brakes::{Ask, Braking, RETRIES_FREE, brake, count, meters, park_payment, park_refund};
pub use create_payment::{Accepted, CreatePayment, NewIds, NewPayment, OnDuplicate, Previous, create_payment, hold_of};
pub use create_refund::{AskRefund, NewRefund, NewRefundIds, create_refund, refund_hold_of};
pub use learn::{Learned, Lesson, learn, learn_of_lost_lease, word};
pub use learn_dispute::{DisputeLesson, LearnedDispute, learn_dispute};
pub use learn_evidence::{learn_evidence, learn_of_lost_evidence};
pub use learn_refund::{learn_of_lost_refund, learn_refund};
pub use resolve::{Resolution, Resolved, resolve, resolve_evidence, resolve_refund};
pub use steps::{JOINED_MAX, StepAccepted, ask_cancel, ask_capture};
pub use submit_evidence::{NewEvidence, NewEvidenceIds, PreviousEvidence, submit_evidence};
