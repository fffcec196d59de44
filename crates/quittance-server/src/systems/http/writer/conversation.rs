//! What is said to an API of the writes of one call, and what its answers mean to them.

use super::{HttpWriter, WRITE_TOKEN};
use crate::systems::SystemError;
use crate::systems::http::get;
use crate::systems::http::refusal::{readable, unread};
use crate::systems::objects::{Missing, row_of};
use crate::systems::web::{Conversation, IN_FLIGHT_MAX, Known, Line, Sent, Web};
use crate::systems::write::{Narrow, Write, Written};
use futures_util::future::join_all;
use quittance_connectors::http::update::{Change, Field, Precondition, Read, Update};
use quittance_connectors::http::{Shape, said};
use quittance_connectors::message::{Request, Response};
use quittance_connectors::record::holds;
use quittance_core::record::value::Value;
use std::collections::BTreeMap;

/// The writes of one call.
pub(super) struct Talk<'a> {
    pub(super) writer: &'a HttpWriter,
    pub(super) shape: &'a Shape,
    pub(super) missing: Missing,
    pub(super) update: &'a Update,
    pub(super) narrow: Narrow,
    pub(super) writes: &'a [Write],
    /// The identities of the writes, as they stand in a path.
    pub(super) keys: Vec<String>,
    /// The fields that are to be changed, by their columns.
    pub(super) fields: BTreeMap<usize, Field>,
}

/// A record as it was read.
pub(super) struct Seen {
    row: Vec<Value<'static>>,
    read: Read,
}

impl AsRef<[Value<'static>]> for Seen {
    fn as_ref(&self) -> &[Value<'static>] {
        &self.row
    }
}

impl Conversation for Talk<'_> {
    type Seen = Seen;
    type Outgoing = Change;

    fn web(&self) -> &Web {
        &self.writer.web
    }

    fn writes(&self) -> &[Write] {
        self.writes
    }

    fn narrow(&self) -> &Narrow {
        &self.narrow
    }

    fn id(&self, at: usize) -> &str {
        &self.keys[at]
    }

    fn place(&self, at: usize) -> String {
        let target = self.target(at).unwrap_or_default();
        format!("{} {}", self.update.verb.as_str(), target.split('?').next().unwrap_or_default())
    }

    fn look(&self, writes: &[usize]) -> Result<BTreeMap<usize, Seen>, SystemError> {
        let line = self.writer.web.line();
        let decode = |response: &Response| readable(self.update.decode_read(self.shape, response));
        // What cannot be a key is nobody's.
        let requests: Vec<(usize, Request)> = writes.iter().filter_map(|at| Some((*at, self.reading(*at)?))).collect();
        let mut seen = BTreeMap::new();
        for portion in requests.chunks(IN_FLIGHT_MAX) {
            let fetches = portion.iter().map(|(_, request)| line.fetch(request, decode));
            for ((at, request), fetched) in portion.iter().zip(self.writer.web.run(join_all(fetches))) {
                let read = fetched?.answer;
                let read =
                    read.map_err(|failure| unread(&line.name, request, &failure, (WRITE_TOKEN, &self.writer.unsaid)))?;
                seen.extend(read.and_then(|read| self.seen(*at, read)).map(|found| (*at, found)));
            }
        }
        Ok(seen)
    }

    fn request(&self, at: usize, seen: &Seen) -> Result<Change, String> {
        let write = &self.writes[at];
        let target = self.target(at).ok_or("its identity cannot stand in a path")?;
        let changes: Vec<_> = write.set.iter().map(|(column, value)| (&self.fields[column], value)).collect();
        self.update.change(target, &write.id, &seen.read, &changes)
    }

    async fn send(&self, line: &Line, change: &Change) -> Sent {
        line.send_change(change).await
    }

    fn answered(&self, at: usize, known: &Known, response: &Response) -> Result<Known, SystemError> {
        let (status, why) = (response.status, self.why(response));
        let is_tagged = self.update.precondition == Precondition::Etag;
        Ok(match (status, known) {
            (202, _) => Known::Unsure("it answers 202, and may carry it out later".to_owned()),
            (200..=299, _) => {
                self.writer.has_accepted.set(true);
                Known::Applied
            }
            (300..=399, _) => Known::Ended(format!("{why}; redirects are not followed")),
            (401, _) => return Err(self.not_allowed(at, status, &why)),
            (404 | 410, _) => Known::Ended(why),
            (412, Known::Fresh(_)) if is_tagged => Known::Raced,
            // An earlier try under the same key may still be carried out.
            (409, Known::Unsure(_)) if self.update.key_header.is_some() => Known::Unsure(why),
            // One before it may have been carried out all the same.
            (400..=499, Known::Unsure(_)) => Known::Ended(why),
            (400..=499, _) => Known::Over(Written::Refused { why }),
            _ => Known::Unsure(why),
        })
    }

    fn forbids(&self, at: usize, response: &Response) -> Option<SystemError> {
        let is_for_all = response.status == 403 && !self.writer.has_accepted.get();
        is_for_all.then(|| self.not_allowed(at, response.status, &self.why(response)))
    }

    fn may_repeat(&self) -> bool {
        self.update.may_repeat()
    }
}

impl Talk<'_> {
    /// Where a record is written; none for what would be another path.
    fn target(&self, at: usize) -> Option<String> {
        self.writer.address.target_of(&self.update.path, &self.keys[at])
    }

    fn reading(&self, at: usize) -> Option<Request> {
        let is_there = !self.writes[at].identity.first()?.is_nothing();
        let target = self.writer.address.target_of(self.shape.get.as_deref()?, &self.keys[at]);
        target.filter(|_| is_there).map(get)
    }

    /// What was read of a write; none where it is another record than was asked for.
    fn seen(&self, at: usize, read: Read) -> Option<Seen> {
        let row = row_of(&read.record, &self.narrow.side, self.missing);
        let is_it = holds(self.writes[at].identity.first()?, &row[*self.narrow.side.identity.first()?]);
        is_it.then_some(Seen { row, read })
    }

    /// What an answer says, without the credential: a peer may repeat it.
    fn why(&self, response: &Response) -> String {
        let said = said(response, &self.writer.unsaid);
        if said.is_empty() {
            format!("it answers {}", response.status)
        } else {
            format!("it answers {}: {said}", response.status)
        }
    }

    fn not_allowed(&self, at: usize, status: u16, why: &str) -> SystemError {
        let (system, place) = (&self.writer.name, self.place(at));
        let asks = if self.writer.unsaid.is_empty() { "a request without a credential" } else { "its write_token" };
        let what = format!("system `{system}` does not allow {place} to {asks}: {why}");
        let remedy = match status {
            401 => "see that `auth` and `write_token` are right, and not expired".to_owned(),
            _ => format!("give it the permission to {} {}", self.update.verb.as_str(), self.update.path),
        };
        SystemError::configuration(what, remedy).unauthorised()
    }
}
