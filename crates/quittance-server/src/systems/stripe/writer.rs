//! Changing fields of Stripe's objects. Does not own which may be changed, nor the requests: that is
//! [`quittance_connectors::stripe::update`]'s.
//!
//! Stripe has no compare-and-set. Each object is read right before it is written, held against what is expected, written under
//! an idempotency key that is the same however often it is tried, and read again. **Who changes the same field between that reading and
//! the writing, less than a second as a rule, is overwritten.** What cannot be known from an answer is decided by what is read.

mod job;
mod rounds;

use super::reader::{Reader, Work};
use super::{Account, Credential, web};
use crate::config::Secret;
use crate::systems::objects::{Missing, Objects};
use crate::systems::web::{IN_FLIGHT_MAX, Web};
use crate::systems::write::{Stand, WRITES_MAX, Write, Writer, Written, stand};
use crate::systems::{LOOKUPS_MAX, SystemError, Wanted};
use job::Job;
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

/// The values of an object, in the order of the columns that writes name.
type Row = Vec<Value<'static>>;

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

    /// Reads objects by the ids of these writes. What is not there, or was deleted, is not in it.
    fn look(&self, job: &Job<'_>, writes: &[usize]) -> Result<BTreeMap<String, Row>, SystemError> {
        let ids: Vec<String> = writes.iter().map(|at| job.ids[*at].clone()).filter(|id| !id.is_empty()).collect();
        let mut rows = BTreeMap::new();
        for portion in ids.chunks(LOOKUPS_MAX) {
            let values = portion.iter().map(|id| vec![Value::Text(id.clone().into())]).collect();
            let wanted = Wanted::Where { columns: job.narrow.side.identity.clone(), values };
            let mut sink = |row: &[Value<'_>]| {
                let id = row[job.narrow.side.identity[0]].to_string();
                rows.insert(id, row.iter().map(|value| value.clone().into_owned()).collect());
                ControlFlow::Continue(())
            };
            let objects = Objects::new(&job.narrow.side, &wanted, Missing::NullInMetadata, &mut sink);
            let credential = self.credential();
            let mut reader = Reader::new(self.web.line(), job.kind, &job.narrow.side, credential, objects, None);
            self.web.run(reader.read(Work::Ids(portion.iter().cloned().collect())))?;
        }
        Ok(rows)
    }
}

impl Writer for StripeWriter {
    fn stand(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} records at once, at most {WRITES_MAX}", writes.len());
        let job = Job::new(&self.name, object, side, writes)?;
        let rows = self.look(&job, &(0..writes.len()).collect::<Vec<_>>())?;
        let found = |id: &String| rows.get(id).map(std::slice::from_ref).unwrap_or_default();
        Ok(writes.iter().zip(&job.ids).map(|(write, id)| stand(write, found(id), &job.narrow)).collect())
    }

    fn lingers(&self) -> Duration {
        self.web.timeout()
    }

    fn writes_at_once(&self) -> usize {
        self.portion
    }

    fn write(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} writes at once, at most {WRITES_MAX}", writes.len());
        let mut written = Vec::with_capacity(writes.len());
        // What is read before the writing is not to be old when the last of them is written.
        for portion in writes.chunks(self.portion) {
            let job = Job::new(&self.name, object, side, portion)?;
            written.extend(self.rounds(&job)?);
        }
        Ok(written)
    }
}

/// How many objects are read, written and read again together. Each takes three requests: at this rate that is done within about
/// a second, so that what was read is not much older than that when it is written.
fn portion(requests_per_second_max: u32) -> usize {
    (requests_per_second_max as usize / 3).clamp(1, IN_FLIGHT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_before_the_writing_is_written_within_a_second() {
        assert_eq!([1, 2, 3, 8, 12, 24, 50, 1_000].map(portion), [1, 1, 1, 2, 4, 8, 8, 8]);
    }
}
