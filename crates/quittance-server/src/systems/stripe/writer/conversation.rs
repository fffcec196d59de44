//! What is said to Stripe of the writes of a job, and what its answers mean to them.

use super::{Job, StripeWriter};
use crate::systems::objects::{Missing, Objects};
use crate::systems::stripe::reader::{Reader, Work};
use crate::systems::stripe::refusal::{refused, said};
use crate::systems::web::{Conversation, Known, Line, Sent, Web, path};
use crate::systems::write::{Narrow, Write, Written};
use crate::systems::{LOOKUPS_MAX, SystemError, Wanted};
use quittance_connectors::message::{Request, Response};
use quittance_connectors::stripe::listing::{Failure, One, Refusal, decode_one};
use quittance_core::record::value::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// A job, spoken of with an account.
pub(super) struct Talk<'a> {
    pub(super) writer: &'a StripeWriter,
    pub(super) job: Job<'a>,
}

impl Conversation for Talk<'_> {
    type Seen = Vec<Value<'static>>;
    type Outgoing = Request;

    fn web(&self) -> &Web {
        &self.writer.web
    }

    fn writes(&self) -> &[Write] {
        self.job.writes
    }

    fn narrow(&self) -> &Narrow {
        &self.job.narrow
    }

    fn id(&self, at: usize) -> &str {
        &self.job.ids[at]
    }

    fn place(&self, at: usize) -> String {
        let path = self.job.request(at).map(|request| path(&request).to_owned()).unwrap_or_default();
        format!("POST {path}")
    }

    /// Reads objects by the ids of these writes. What was deleted is not there.
    fn look(&self, writes: &[usize]) -> Result<BTreeMap<usize, Self::Seen>, SystemError> {
        let Job { kind, narrow, ids, .. } = &self.job;
        let by_id: BTreeMap<&str, usize> =
            writes.iter().map(|at| (ids[*at].as_str(), *at)).filter(|(id, _)| !id.is_empty()).collect();
        let wanted_ids: Vec<&str> = by_id.keys().copied().collect();
        let mut rows = BTreeMap::new();
        for portion in wanted_ids.chunks(LOOKUPS_MAX) {
            let values = portion.iter().map(|id| vec![Value::Text((*id).to_owned().into())]).collect();
            let wanted = Wanted::Where { columns: narrow.side.identity.clone(), values };
            let mut sink = |row: &[Value<'_>]| {
                let id = row[narrow.side.identity[0]].to_string();
                if let Some(at) = by_id.get(id.as_str()) {
                    rows.insert(*at, row.iter().map(|value| value.clone().into_owned()).collect());
                }
                ControlFlow::Continue(())
            };
            let objects = Objects::new(&narrow.side, &wanted, Missing::NullInMetadata, &mut sink);
            let (line, credential) = (self.writer.web.line(), self.writer.credential());
            let mut reader = Reader::new(line, kind, &narrow.side, credential, objects, None);
            self.writer.web.run(reader.read(Work::Ids(portion.iter().map(|id| (*id).to_owned()).collect())))?;
        }
        Ok(rows)
    }

    fn request(&self, at: usize, _: &Self::Seen) -> Result<Request, String> {
        self.job.request(at)
    }

    async fn send(&self, line: &Line, request: &Request) -> Sent {
        line.send(request).await
    }

    fn answered(&self, at: usize, known: &Known, response: &Response) -> Result<Known, SystemError> {
        Ok(match decode_one(self.job.kind, response) {
            Ok(One::There(object)) if object["id"] == *self.job.ids[at] => Known::Applied,
            Ok(One::There(_)) => Known::Unsure("it answers with another object".to_owned()),
            Ok(One::Deleted) => Known::Applied,
            Ok(One::Absent) => Known::Ended("it answers 404".to_owned()),
            Err(Failure::Unreadable(what)) => Known::Unsure(format!("it answers with {what}")),
            Err(Failure::Refused(refusal)) => self.refusal(at, known, &refusal)?,
        })
    }

    /// What Stripe keeps under the key it gives to every further try.
    fn is_kept(&self, response: &Response) -> bool {
        response.header("Idempotent-Replayed").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl Talk<'_> {
    fn refusal(&self, at: usize, known: &Known, refusal: &Refusal) -> Result<Known, SystemError> {
        let credential = self.writer.credential();
        let said = said(refusal, credential);
        let why = if said.is_empty() { format!("it answers {}", refusal.status) } else { said };
        let is_for_all = refusal.status == 401 || refusal.status == 403 && refusal.permission().is_some();
        match (refusal.status, known) {
            _ if is_for_all => Err(refused(&self.writer.name, self.job.kind, &self.place(at), refusal, credential)),
            // An earlier try under the same key is still being carried out.
            (409, _) => Ok(Known::Unsure(why)),
            // One before it may have been carried out all the same.
            (400..=499, Known::Unsure(_)) => Ok(Known::Ended(why)),
            (400..=499, _) => Ok(Known::Over(Written::Refused { why })),
            _ => Ok(Known::Unsure(why)),
        }
    }
}
