//! Gateways: models with books of their own, which speak in the requests and answers that travel between us and them.
//!
//! They share no code with what they judge: sums are whole numbers, statuses are words, and a key is remembered with the
//! bytes it came with. Owns what a gateway does; what becomes of messages on the way is the network's.

pub mod books;
mod charges;
mod disputes;
mod form;
mod intents;
mod later;
mod lists;
mod refunds;
mod shown;

pub use later::Task;

use crate::clock::BEGIN_S;
use crate::dice::Dice;
use crate::plan::{Blow, Profile};
use books::Books;
use form::Fields;
use quittance_connectors::message::{Method, Request, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How long keys are remembered: "at least 24 hours".
const KEYS_MS: u64 = 24 * 3_600_000;

/// An event, as it was made.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its body, which never changes.
    pub body: String,
    /// When it was made, by the gateway's clock.
    pub created_s: i64,
}

#[derive(Clone, Debug)]
struct Stored {
    bytes: Vec<u8>,
    at_ms: u64,
    status: u16,
    body: String,
}

/// One gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// What kind it is.
    pub profile: Profile,
    /// Its books.
    pub books: Books,
    /// Every event it has made, the oldest first.
    pub events: Vec<Event>,
    /// Keys that came with other bytes than before: a mistake of ours, always.
    pub mismatches: Vec<String>,
    /// By how much its clock is ahead, in seconds.
    pub skew_s: i64,
    /// Secrets with which it signs webhooks: the newest last. Old ones sign as well until they are retired.
    pub secrets: Vec<String>,
    keys: BTreeMap<String, Stored>,
    tasks: BTreeMap<(u64, u64), Task>,
    /// What was sent under a key that causes the events made now.
    cause: Option<String>,
    /// Payments and objects whose flaky method was declined once.
    declined: BTreeSet<String>,
    made: u64,
    now_ms: u64,
    dice: Dice,
}

/// Status and body of an answer.
type Reply = (u16, Value);

impl Gateway {
    /// A gateway without objects.
    #[must_use]
    pub fn new(profile: Profile, seed: u64) -> Self {
        let mut dice = Dice::new(seed, 100 + profile as u64);
        let skew_s = dice.pick(&[0, 0, 0, 0, 0, 0, 0, 45, -90, 2_400]);
        Self {
            profile,
            books: Books::default(),
            events: Vec::new(),
            mismatches: Vec::new(),
            skew_s,
            secrets: vec![format!("whsec_{}_0", profile.name())],
            keys: BTreeMap::new(),
            tasks: BTreeMap::new(),
            cause: None,
            declined: BTreeSet::new(),
            made: 0,
            now_ms: 0,
            dice,
        }
    }

    /// Runs a request, as the blow has it, and answers it.
    pub fn serve(&mut self, request: &Request, now_ms: u64, blow: Option<Blow>) -> Response {
        self.now_ms = now_ms;
        if let Some(refused) = refused_unread(self.profile, blow) {
            return refused;
        }
        let answer = match request.method {
            Method::Get => {
                let (status, body) = self.get(&request.target);
                answered(status, body.to_string(), false)
            }
            Method::Post => self.post(request, blow),
        };
        match blow {
            Some(Blow::UnavailableAfter) => answered(503, "busy".to_owned(), false),
            Some(Blow::Html) => answered(200, "<html>it works</html>".to_owned(), false),
            Some(Blow::Truncated) => {
                let half = answer.body.len() / 2;
                Response { body: answer.body[..half].to_vec(), ..answer }
            }
            // A read that fails stores nothing.
            Some(Blow::Error | Blow::ErrorAfter | Blow::ErrorBefore(_)) if request.method == Method::Get => {
                answered(500, self.api_error().to_string(), false)
            }
            _ => answer,
        }
    }

    /// When the next thing happens here by itself.
    #[must_use]
    pub fn next_task_ms(&self) -> Option<u64> {
        self.tasks.first_key_value().map(|((at, _), _)| *at)
    }

    /// The gateway's clock, in seconds since the epoch.
    #[must_use]
    pub const fn now_s(&self) -> i64 {
        BEGIN_S + (self.now_ms / 1_000) as i64 + self.skew_s
    }

    fn post(&mut self, request: &Request, blow: Option<Blow>) -> Response {
        let key = request.idempotency_key.clone().filter(|_| self.profile.has_keys());
        let bytes = request.canonical_bytes();
        if let Some(stored) = key.as_ref().and_then(|key| self.keys.get(key)) {
            if stored.bytes != bytes {
                self.mismatches.extend(key);
                let body = shown::error("idempotency_error", "idempotency_key_in_use", None);
                return answered(400, body.to_string(), false);
            }
            if self.now_ms < stored.at_ms + KEYS_MS {
                return answered(stored.status, stored.body.clone(), true);
            }
        }
        let (status, body) = match blow {
            Some(Blow::Error) => (500, self.api_error()),
            Some(Blow::ErrorBefore(after_ms)) => {
                // The rail is done with whatever it was sent within ten minutes.
                let after_ms = if self.profile == Profile::Rail { after_ms % 540_000 } else { after_ms };
                self.later(after_ms, Task::Carry(Box::new(request.clone())));
                (500, self.api_error())
            }
            Some(Blow::ErrorAfter) => {
                self.carry_out(request);
                (500, self.api_error())
            }
            _ => self.carry_out(request),
        };
        let body = body.to_string();
        if let Some(key) = key.filter(|_| is_stored(status, &body)) {
            self.keys.insert(key, Stored { bytes, at_ms: self.now_ms, status, body: body.clone() });
        }
        answered(status, body, false)
    }

    fn carry_out(&mut self, request: &Request) -> Reply {
        self.cause.clone_from(&request.idempotency_key);
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let reply = match self.profile {
            Profile::Rail => self.transfer(&body),
            _ => self.act(&request.target, &form::parse(&body)),
        };
        self.cause = None;
        reply
    }

    fn act(&mut self, target: &str, fields: &Fields) -> Reply {
        let mut parts = target.trim_start_matches("/v1/").split('/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("payment_intents"), None, _) => self.create_intent(fields),
            (Some("payment_intents"), Some(id), Some("confirm")) => self.confirm(id, fields),
            (Some("payment_intents"), Some(id), Some("capture")) => self.capture_intent(id, fields),
            (Some("payment_intents"), Some(id), Some("cancel")) => self.cancel_intent(id, "canceled"),
            (Some("charges"), None, _) => self.create_charge(fields),
            (Some("charges"), Some(id), Some("capture")) => self.capture_charge(id, fields),
            (Some("refunds"), None, _) => self.create_refund(fields),
            (Some("disputes"), Some(id), None) => self.submit_evidence(id),
            _ => missing(),
        }
    }

    fn api_error(&self) -> Value {
        match self.profile {
            Profile::Rail => json!({"code": "internal", "message": "something broke"}),
            _ => shown::error("api_error", "", None),
        }
    }

    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{}{}", self.profile.name(), self.made)
    }

    fn emit(&mut self, kind: &str, object: &Value) {
        if self.profile == Profile::Rail {
            return;
        }
        let id = self.id("evt");
        let created_s = self.now_s();
        let body = json!({
            "id": id, "object": "event", "type": kind, "created": created_s, "livemode": false,
            "api_version": quittance_connectors::stripe::API_VERSION, "data": {"object": object},
            "request": {"idempotency_key": self.cause},
        });
        self.events.push(Event { id, body: body.to_string(), created_s });
    }
}

/// What is answered before anything is looked at.
fn refused_unread(profile: Profile, blow: Option<Blow>) -> Option<Response> {
    let (status, code) = match blow? {
        Blow::Unavailable => return Some(answered(503, "busy".to_owned(), false)),
        Blow::Throttle => (429, "rate_limit"),
        Blow::Unauthorised => (401, "invalid_api_key"),
        Blow::InUse if profile.has_keys() => (409, "idempotency_key_in_use"),
        _ => return None,
    };
    let body = match profile {
        Profile::Rail => json!({"code": code, "message": "not now"}),
        _ => shown::error("invalid_request_error", code, None),
    };
    Some(answered(status, body.to_string(), false))
}

/// Whether an answer is kept under its key: what was refused before it was begun is not.
fn is_stored(status: u16, body: &str) -> bool {
    !(matches!(status, 400 | 404) && body.contains("parameter_"))
}

fn missing() -> Reply {
    (404, shown::error("invalid_request_error", "resource_missing", None))
}

fn answered(status: u16, body: String, is_replayed: bool) -> Response {
    let mark = is_replayed.then(|| ("Idempotent-Replayed".to_owned(), "true".to_owned()));
    Response { status, headers: mark.into_iter().collect(), body: body.into_bytes() }
}
