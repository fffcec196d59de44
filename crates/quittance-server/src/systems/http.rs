//! Any JSON API as a system that is compared, as it is configured, and repaired by a credential of its own.
//!
//! Owns which readings a comparison takes; [`Http`] never writes. What pages are, how they go on and what changes a record is
//! [`quittance_connectors::http`]'s, the way there and its patience are `systems::web`'s.

mod refusal;
mod writer;

pub use writer::HttpWriter;

use super::objects::{Missing, Objects};
use super::web::{Fetched, IN_FLIGHT_MAX, Line, Settings, Web, path};
use super::{Description, Patience, Reading, Sink, System, SystemError, Wanted};
use crate::config::{Auth, HttpApi, HttpObject, Secret, closest};
use crate::transport::{Credential, Transport};
use quittance_connectors::http::{Address, Pages, Shape, decode_page, decode_record};
use quittance_connectors::message::{Headers, Method, Request};
use quittance_connectors::record::value_in;
use quittance_core::pair::Side;
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use refusal::{readable, unread};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinSet;

const JSON: Headers = Headers { key: None, version: None, content_type: "application/json" };

/// A JSON API.
pub struct Http {
    name: String,
    web: Web,
    address: Address,
    objects: BTreeMap<String, HttpObject>,
}

impl Http {
    /// Prepares to read an API, with the secret it is configured with; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When its secret is missing or cannot be sent, or this machine cannot make connections.
    pub fn open(name: &str, api: &HttpApi, token: Option<&Secret>, patience: Patience) -> Result<Self, SystemError> {
        let web = web(name, api, Token { secret: token, setting: TOKEN }, patience)?;
        Ok(Self { name: name.to_owned(), web, address: api.address.clone(), objects: api.objects.clone() })
    }
}

/// What the configuration calls the credential by which an API is read.
const TOKEN: &str = "token";

/// A credential, and what the configuration calls it.
#[derive(Clone, Copy)]
struct Token<'a> {
    secret: Option<&'a Secret>,
    setting: &'static str,
}

fn web(name: &str, api: &HttpApi, token: Token<'_>, patience: Patience) -> Result<Web, SystemError> {
    let Token { secret, setting } = token;
    let missing = || {
        SystemError::configuration(format!("system `{name}` has no {setting}"), format!("add {setting} = \"env:NAME\""))
    };
    let credential = match &api.auth {
        Auth::None => Credential::None,
        Auth::Bearer(_) => Credential::Bearer(secret.ok_or_else(missing)?),
        Auth::Basic(username, _) => Credential::Basic { username, password: secret.ok_or_else(missing)? },
        Auth::Header(name, _) => Credential::Header { name, value: secret.ok_or_else(missing)? },
    };
    let transport = Transport::with_credential(&api.address.origin, credential, JSON, IN_FLIGHT_MAX);
    let transport = transport
        .map_err(|error| SystemError::configuration(format!("system `{name}`: {error}"), "").because(error))?;
    Web::new(Settings {
        name,
        transport,
        requests_per_second_max: api.requests_per_second_max,
        timeout: Duration::from_millis(api.timeout_ms),
        patience,
    })
}

fn configured<'o>(
    system: &str,
    objects: &'o BTreeMap<String, HttpObject>,
    object: &str,
) -> Result<&'o HttpObject, SystemError> {
    objects.get(object).ok_or_else(|| {
        let names: Vec<&str> = objects.keys().map(String::as_str).collect();
        let what = format!("there is no object `{object}` in system `{system}`");
        SystemError::configuration(what, format!("{}; others go below `objects`", closest(object, &names)))
    })
}

/// What a field that a record does not mention is taken for.
const fn missing(object: &HttpObject) -> Missing {
    if object.absent_is_null { Missing::Null } else { Missing::Absent }
}

/// Whether records are found by these columns: by an identity of one part, where there is a path for it.
fn can_get(shape: &Shape, side: &Side, columns: &[usize]) -> bool {
    let is_identity = |column: &usize| {
        let column = &side.columns[*column];
        column.pointer.is_none() && shape.identity.len() == 1 && column.name == shape.identity[0]
    };
    shape.get.is_some() && columns.iter().any(is_identity)
}

impl System for Http {
    fn describe(&mut self, object: &str) -> Result<Description, SystemError> {
        let identity = configured(&self.name, &self.objects, object)?.shape.identity.clone();
        Ok(Description { identity, ..Description::default() })
    }

    fn read(
        &mut self,
        object: &str,
        side: &Side,
        wanted: &Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError> {
        let known = configured(&self.name, &self.objects, object)?;
        let shape = &known.shape;
        let line = self.web.line();
        let before = line.sent();
        let objects = Objects::new(side, wanted, missing(known), sink);
        let mut reader = Reader { line: line.clone(), shape, address: &self.address, objects, date: None };
        match wanted {
            Wanted::All => self.web.run(reader.list())?,
            Wanted::Where { columns, values } => {
                if !can_get(shape, side, columns) {
                    let what = format!("`{object}` of system `{}` cannot be found by these columns", self.name);
                    return Err(SystemError::configuration(what, "add get = \"…/{key}\", and match by its identity"));
                }
                let at = columns.iter().position(|column| can_get(shape, side, &[*column])).unwrap_or_default();
                let keys = values.iter().filter_map(|values| values.get(at).filter(|value| !value.is_nothing()));
                self.web.run(reader.get(keys.map(ToString::to_string).collect()))?;
            }
        }
        let as_of = reader.date.map(Timestamp::from_seconds);
        reader.objects.end(&self.name, object, Reading { requests: line.sent() - before, as_of, ..Reading::default() })
    }

    fn can_find(&self, object: &str, side: &Side, columns: &[usize]) -> bool {
        self.objects.get(object).is_some_and(|object| can_get(&object.shape, side, columns))
    }

    fn lookups_per_request(&self) -> usize {
        1
    }

    fn refresh(&mut self) -> Result<(), SystemError> {
        Ok(())
    }

    fn estimate(&mut self, _: &str) -> Result<Option<u64>, SystemError> {
        Ok(None)
    }
}

/// One reading.
struct Reader<'a, 's> {
    line: Line,
    shape: &'a Shape,
    address: &'a Address,
    objects: Objects<'a, 's>,
    date: Option<i64>,
}

impl Reader<'_, '_> {
    /// Reads the list to its end.
    async fn list(&mut self) -> Result<(), SystemError> {
        let mut pages = Pages::new(self.shape, self.address);
        while let Some(target) = pages.wanted() {
            let request = get(target.to_owned());
            let fetched = self.line.fetch(&request, |response| readable(decode_page(self.shape, response))).await?;
            self.date = self.date.or(fetched.date);
            let page = fetched.answer.map_err(|failure| unread(&self.line.name, &request, &failure, (TOKEN, &[])))?;
            let mut fresh = 0;
            for record in &page.records {
                fresh += usize::from(self.hand_over(&request, record)?);
                if self.objects.is_over() {
                    return Ok(());
                }
            }
            pages.take(page.records.len(), fresh, &page.next).map_err(|stuck| {
                let what =
                    format!("GET {} of system `{}` cannot be read to its end: {stuck}", path(&request), self.line.name);
                SystemError::outside(what, "see that its paging is configured as it is")
            })?;
        }
        Ok(())
    }

    /// Reads records one by one.
    async fn get(&mut self, keys: BTreeSet<String>) -> Result<(), SystemError> {
        let path = self.shape.get.as_deref().unwrap_or_default();
        // What cannot be a key is nobody's.
        let mut requests = keys.iter().filter_map(|key| self.address.target_of(path, key).map(get)).collect::<Vec<_>>();
        let mut tasks: JoinSet<Result<(Request, Fetched<_>), SystemError>> = JoinSet::new();
        loop {
            while tasks.len() < IN_FLIGHT_MAX
                && let Some(request) = requests.pop()
            {
                let (line, shape) = (self.line.clone(), self.shape.clone());
                tasks.spawn(async move {
                    let fetched = line.fetch(&request, |response| readable(decode_record(&shape, response))).await?;
                    Ok((request, fetched))
                });
            }
            let Some(done) = tasks.join_next().await else { return Ok(()) };
            let (request, fetched) = done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
            self.date = self.date.or(fetched.date);
            let record = fetched.answer.map_err(|failure| unread(&self.line.name, &request, &failure, (TOKEN, &[])))?;
            if let Some(record) = record {
                self.hand_over(&request, &record)?;
            }
        }
    }

    /// Hands a record over; whether it had not been seen.
    fn hand_over(&mut self, request: &Request, record: &Json) -> Result<bool, SystemError> {
        let parts: Vec<Value<'static>> = self.shape.identity.iter().map(|name| value_in(record, name, None)).collect();
        let mut identity = Vec::new();
        if !encode_key(parts.iter(), &mut identity) {
            let names = self.shape.identity.join(", ");
            let what = format!("a record of GET {} of system `{}` has no `{names}`", path(request), self.line.name);
            return Err(SystemError::configuration(what, "see that `identity` names what tells its records apart"));
        }
        let is_fresh = self.objects.sight(&identity, 1);
        self.objects.hand_over(&identity, record);
        Ok(is_fresh)
    }
}

fn get(target: String) -> Request {
    Request { method: Method::Get, target, body: Vec::new(), idempotency_key: None, api_version: String::new() }
}
