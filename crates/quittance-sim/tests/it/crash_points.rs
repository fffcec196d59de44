//! The crash points of the contract, one test each: where the process dies, what the next one finds, and what it does.
//!
//! The matrix strikes every step of every workflow and looks at the end alone; here it is looked at how it comes to that.

mod lived;
mod outside;
mod payments;
mod webhooks;
