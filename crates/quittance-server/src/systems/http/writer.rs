//! Changing records of any JSON API, as it is configured. Does not own which fields may be changed, nor the requests: that is
//! [`quittance_connectors::http::update`]'s.
//!
//! Each record is read right before it is written, held against what is expected, and read again (`systems::web`). Where the API
//! holds a change against an entity tag, nobody is overwritten. **Where it does not, who changes the same field between that
//! reading and the writing is.** What cannot be known from an answer is decided by what is read.

mod conversation;

use super::{Token, configured, missing, web};
use crate::config::{Auth, HttpApi, HttpObject, Secret};
use crate::systems::web::{Web, converse, portion, stands};
use crate::systems::write::{Narrow, Stand, Veto, WRITES_MAX, Write, Writer, Written};
use crate::systems::{Patience, SystemError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conversation::Talk;
use quittance_connectors::http::Address;
use quittance_connectors::http::update::{Field, Update};
use quittance_core::pair::Side;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the configuration calls the credential by which an API is written.
const WRITE_TOKEN: &str = "write_token";

/// A JSON API whose records are changed.
pub struct HttpWriter {
    name: String,
    web: Web,
    address: Address,
    objects: BTreeMap<String, HttpObject>,
    /// The forms in which its credential goes out: what it says is told without them.
    unsaid: Vec<String>,
    /// How many records are read before the first of them is written.
    portion: usize,
    /// Whether the API accepted a write: it is not the credential, then, that may not.
    has_accepted: Cell<bool>,
}

impl HttpWriter {
    /// Prepares to write to an API, with the credential that may; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When its credential is missing or cannot be sent, or this machine cannot make connections.
    pub fn open(name: &str, api: &HttpApi, token: Option<&Secret>, patience: Patience) -> Result<Self, SystemError> {
        let web = web(name, api, Token { secret: token, setting: WRITE_TOKEN }, patience)?;
        let unsaid = match (&api.auth, token) {
            (Auth::None, _) | (_, None) => Vec::new(),
            (Auth::Basic(username, _), Some(token)) => {
                vec![token.expose().to_owned(), STANDARD.encode(format!("{username}:{}", token.expose()))]
            }
            (Auth::Bearer(_) | Auth::Header(..), Some(token)) => vec![token.expose().to_owned()],
        };
        let (address, objects) = (api.address.clone(), api.objects.clone());
        let (portion, has_accepted) = (portion(api.requests_per_second_max), Cell::new(false));
        Ok(Self { name: name.to_owned(), web, address, objects, unsaid, portion, has_accepted })
    }

    /// Prepares a call.
    ///
    /// # Errors
    ///
    /// When nobody said that such records, or a field of them, may be written, or they are not told apart by their identity.
    fn talk<'a>(&'a self, object: &str, side: &Side, writes: &'a [Write]) -> Result<Talk<'a>, SystemError> {
        let known = configured(&self.name, &self.objects, object)?;
        let update = known.update.as_ref().ok_or_else(|| {
            let what = format!("nobody said that `{object}` of the system `{}` may be written", self.name);
            let place = format!("[systems.{}.objects.{object}]", self.name);
            SystemError::configuration(what, format!("add write = \"/…/{{key}}\" and writable_fields to {place}"))
        })?;
        let narrow = Narrow::new(&self.name, object, side, writes)?;
        let identity: Vec<&String> = side.identity.iter().map(|at| &side.columns[*at].name).collect();
        if identity != known.shape.identity.iter().collect::<Vec<_>>() {
            let names = known.shape.identity.join(", ");
            let what = format!("records `{object}` of the system `{}` are told apart by `{names}` alone", self.name);
            return Err(SystemError::configuration(what, "see that `identity` is what it was"));
        }
        let fields = self.fields(object, update, side, writes)?;
        let key = |write: &Write| write.identity.first().map(ToString::to_string).unwrap_or_default();
        let keys = writes.iter().map(key).collect();
        Ok(Talk { writer: self, shape: &known.shape, missing: missing(known), update, narrow, writes, keys, fields })
    }

    /// The fields that are to be changed, by their columns.
    fn fields(
        &self,
        object: &str,
        update: &Update,
        side: &Side,
        writes: &[Write],
    ) -> Result<BTreeMap<usize, Field>, SystemError> {
        let columns = writes.iter().flat_map(|write| &write.set).map(|(at, _)| *at);
        let field = |at: usize| match update.field(&side.columns[at].name) {
            Ok(field) => Ok((at, field)),
            Err(error) => {
                let what = format!("`{object}` of the system `{}` cannot be written so: {error}", self.name);
                let known = error.known.join(", ");
                let remedy = format!(
                    "those are {known}; add it if a repair may change it, or believe the system for it (`authority`)"
                );
                Err(SystemError::configuration(what, remedy).because(error))
            }
        };
        columns.map(field).collect()
    }
}

impl Writer for HttpWriter {
    fn stand(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} records at once, at most {WRITES_MAX}", writes.len());
        stands(&self.talk(object, side, writes)?)
    }

    fn lingers(&self) -> Duration {
        self.web.timeout()
    }

    fn may_decide_anew(&self, object: &str) -> bool {
        let update = self.objects.get(object).and_then(|object| object.update.as_ref());
        update.is_none_or(Update::may_decide_anew)
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
