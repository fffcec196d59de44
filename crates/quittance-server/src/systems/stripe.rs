//! Stripe, or what speaks its dialect, as a system that is compared, and repaired by a key of its own.
//!
//! Owns which readings a comparison takes; [`Stripe`] never writes, and a restricted key that may read suffices. The requests and their order are [`quittance_connectors::stripe::listing`]'s,
//! the way there and its patience are `systems::web`'s.

mod reader;
mod refusal;
mod writer;

pub use writer::StripeWriter;

use super::objects::{Missing, Objects};
use super::web::{IN_FLIGHT_MAX, Settings, Web};
use super::{Description, Patience, Reading, Sink, System, SystemError, Wanted};
use crate::config::{Secret, closest};
use crate::transport::Transport;
use quittance_connectors::connector::Connector;
use quittance_connectors::stripe::listing::{KINDS, Kind};
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use reader::{Reader, Work};
use std::collections::BTreeSet;
use std::time::Duration;

/// How a Stripe account is reached.
pub struct Account<'a> {
    /// The system's name in the configuration.
    pub name: &'a str,
    /// Scheme, host and port, without a trailing slash.
    pub api_base: &'a str,
    /// The credential.
    pub api_key: &'a Secret,
    /// Requests in a second, at most.
    pub requests_per_second_max: u32,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long it is bothered when it fails.
    pub patience: Patience,
}

/// A Stripe account.
pub struct Stripe {
    name: String,
    api_key: Secret,
    web: Web,
    /// By the account's clock, in seconds since 1970: what was created later is left out.
    bound: Option<i64>,
    deleted: Vec<Vec<Value<'static>>>,
}

impl Stripe {
    /// Prepares to read an account; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When its key cannot be sent, or this machine cannot make connections.
    pub fn open(account: &Account<'_>) -> Result<Self, SystemError> {
        let (name, web) = (account.name.to_owned(), web(account)?);
        Ok(Self { name, api_key: account.api_key.clone(), web, bound: None, deleted: Vec::new() })
    }
}

/// A key, and what the configuration calls it.
#[derive(Clone, Copy)]
struct Credential<'a> {
    secret: &'a Secret,
    setting: &'static str,
}

fn web(account: &Account<'_>) -> Result<Web, SystemError> {
    let headers = quittance_connectors::stripe::Stripe::default().headers();
    let transport = Transport::new(account.api_base, account.api_key, headers, IN_FLIGHT_MAX);
    let transport = transport.map_err(|error| {
        SystemError::configuration(format!("system `{}`: {error}", account.name), "").because(error)
    })?;
    Web::new(Settings {
        name: account.name,
        transport,
        requests_per_second_max: account.requests_per_second_max,
        timeout: account.timeout,
        patience: account.patience,
    })
}

fn kind(system: &str, object: &str) -> Result<&'static Kind, SystemError> {
    Kind::named(object).ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let what = format!("there is no object `{object}` in system `{system}`");
        SystemError::configuration(what, closest(object, &names))
    })
}

/// How records are found by a column.
enum Finder {
    Id,
    Filter(&'static str),
}

fn finder(kind: &Kind, side: &Side, column: usize) -> Option<Finder> {
    let column = &side.columns[column];
    let place = column.name.as_str();
    if column.pointer.is_some() {
        return None;
    }
    if matches!(place, "id" | "/id") { Some(Finder::Id) } else { kind.filter(place).map(Finder::Filter) }
}

/// What to ask for; the first column that finds is enough, since every row is compared with what was wanted.
fn work(kind: &'static Kind, side: &Side, wanted: &Wanted) -> Option<Work> {
    let Wanted::Where { columns, values } = wanted else { return Some(Work::Lists(vec![None])) };
    let finders = columns.iter().enumerate().filter_map(|(at, column)| Some((at, finder(kind, side, *column)?)));
    let (at, finder) = finders.min_by_key(|(_, finder)| matches!(finder, Finder::Filter(_)))?;
    let texts = values.iter().filter_map(|values| match values.get(at)? {
        Value::Absent | Value::Null => None,
        value => Some(value.to_string()),
    });
    let texts: BTreeSet<String> = texts.filter(|text| !text.is_empty()).collect();
    Some(match finder {
        Finder::Id => Work::Ids(texts.into_iter().collect()),
        Finder::Filter(name) => Work::Lists(texts.into_iter().map(|text| Some((name, text))).collect()),
    })
}

impl System for Stripe {
    fn objects(&mut self) -> Result<Vec<String>, SystemError> {
        Ok(KINDS.iter().map(|kind| kind.name.to_owned()).collect())
    }

    fn describe(&mut self, object: &str) -> Result<Description, SystemError> {
        kind(&self.name, object)?;
        Ok(Description { identity: vec!["id".to_owned()], ..Description::default() })
    }

    fn read(
        &mut self,
        object: &str,
        side: &Side,
        wanted: &Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError> {
        let kind = kind(&self.name, object)?;
        let work = work(kind, side, wanted).ok_or_else(|| {
            let what = format!("`{object}` of system `{}` cannot be found by these columns", self.name);
            SystemError::configuration(what, "match it by `id`")
        })?;
        let line = self.web.line();
        let before = line.sent();
        let bound = self.bound.filter(|_| *wanted == Wanted::All);
        let objects = Objects::new(side, wanted, Missing::NullInMetadata, sink);
        let credential = Credential { secret: &self.api_key, setting: "api_key" };
        let mut reader = Reader::new(line.clone(), kind, side, credential, objects, bound);
        self.web.run(reader.read(work))?;
        let (objects, date, deleted) = reader.into_parts();
        let id = |id: String| vec![Value::Text(id.into())];
        self.deleted.extend(deleted.into_iter().map(id).take(super::LOOKUPS_MAX));
        if *wanted == Wanted::All {
            self.bound = self.bound.or(date);
        }
        let as_of = bound.or(date).map(Timestamp::from_seconds);
        objects.end(&self.name, object, Reading { requests: line.sent() - before, as_of, ..Reading::default() })
    }

    fn can_find(&self, object: &str, side: &Side, columns: &[usize]) -> bool {
        Kind::named(object).is_some_and(|kind| columns.iter().any(|column| finder(kind, side, *column).is_some()))
    }

    fn lookups_per_request(&self) -> usize {
        1
    }

    fn take_deleted(&mut self) -> Vec<Vec<Value<'static>>> {
        std::mem::take(&mut self.deleted)
    }

    fn refresh(&mut self) -> Result<(), SystemError> {
        self.bound = None;
        Ok(())
    }

    fn estimate(&mut self, _: &str) -> Result<Option<u64>, SystemError> {
        Ok(None)
    }
}
