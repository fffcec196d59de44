//! Changing fields of Stripe's objects. Does not own which may be changed, nor the requests: that is
//! [`quittance_connectors::stripe::update`]'s.
//!
//! Stripe has no compare-and-set. Each object is read right before it is written, held against what is expected, written under
//! an idempotency key that is the same however often it is tried, and read again (`systems::web`). **Who changes the same field between that reading and
//! the writing, less than a second as a rule, is overwritten.** What cannot be known from an answer is decided by what is read.

mod conversation;
mod job;

use super::{Account, Credential, web};
use crate::config::Secret;
use crate::systems::SystemError;
use crate::systems::web::{Web, converse, portion, stands};
use crate::systems::write::{Stand, Veto, WRITES_MAX, Write, Writer, Written};
use conversation::Talk;
use job::Job;
use quittance_core::pair::Side;
use std::time::Duration;

/// A Stripe account whose objects are changed.
pub struct StripeWriter {
    name: String,
    api_key: Secret,
    web: Web,
    /// How many objects are read before the first of them is written.
    portion: usize,
}

impl StripeWriter {
    /// Prepares to write to an account, with the key that may; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When its key cannot be sent, or this machine cannot make connections.
    pub fn open(account: &Account<'_>) -> Result<Self, SystemError> {
        let (name, portion) = (account.name.to_owned(), portion(account.requests_per_second_max));
        Ok(Self { name, api_key: account.api_key.clone(), web: web(account)?, portion })
    }

    fn credential(&self) -> Credential<'_> {
        Credential { secret: &self.api_key, setting: "write_api_key" }
    }

    fn talk<'a>(&'a self, object: &str, side: &Side, writes: &'a [Write]) -> Result<Talk<'a>, SystemError> {
        Ok(Talk { writer: self, job: Job::new(&self.name, object, side, writes)? })
    }
}

impl Writer for StripeWriter {
    fn stand(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} records at once, at most {WRITES_MAX}", writes.len());
        stands(&self.talk(object, side, writes)?)
    }

    fn lingers(&self) -> Duration {
        self.web.timeout()
    }

    fn ask_before_send(&mut self, veto: Veto) {
        self.web.ask_before_send(veto);
    }

    fn writes_at_once(&self) -> usize {
        self.portion
    }

    fn write(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} writes at once, at most {WRITES_MAX}", writes.len());
        let mut written = Vec::with_capacity(writes.len());
        // What is read before the writing is not to be old when the last of them is written.
        for portion in writes.chunks(self.portion) {
            written.extend(converse(&self.talk(object, side, portion)?)?);
        }
        Ok(written)
    }
}
