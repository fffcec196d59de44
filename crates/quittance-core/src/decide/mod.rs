//! Decisions: a command and the rows it names in, new rows, records and an answer out.

mod create_payment;
mod learn;
mod resolve;
#[cfg(test)]
mod tests;

pub use create_payment::{Accepted, CreatePayment, NewIds, NewPayment, OnDuplicate, Previous, create_payment, hold_of};
pub use learn::{Learned, Lesson, learn, learn_of_lost_lease};
pub use resolve::{Resolution, resolve};
